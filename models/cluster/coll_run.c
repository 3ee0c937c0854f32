/* coll_run.c - blocks that step through their programs, and the lanes between ranks.
 *
 * The one idea: a block runs until it has to wait, and then stands at exactly one place: a lane
 * whose next message is not there, a lane without a free slot, or another block. Who ends the wait
 * knows the block and makes it ready; ready blocks take their turn in order, so that no chain of
 * wake-ups ever nests. A message exists only while it is on its way: what has arrived is a count.
 *
 * Source: NCCL's kernels (src/device/prims_simple.h): slots per connection (NCCL_STEPS), sends that
 * do not wait, receives in order.
 * NOT modelled: the time that a slot's release takes to reach the sender; that a block waits for a
 * slot before it works on what goes there, not after.
 */
#include "models/cluster/coll_run.h"

#include <inttypes.h>

#include "models/cluster/coll_draw.h"
#include "models/cluster/lanes.h"
#include "sim/base/check.h"
#include "sim/base/units.h"

enum { TIMER_LAUNCH, TIMER_BLOCK };
enum block_state {
    BLOCK_OUTSIDE,
    BLOCK_READY,
    BLOCK_BUSY, /* moving a step's bytes */
    BLOCK_AT_BLOCK,
    BLOCK_AT_RECV,
    BLOCK_AT_SLOT
};
#define EARLY_MAX 64 /* messages that may overtake on a lane: bits of lane.early */

struct block {
    int64_t at;       /* the step that it will do next */
    int64_t since_ps; /* if somebody draws: it has done the one before */
    struct coll_step step;
    struct lane *in, *out; /* as used last */
    struct block *next;    /* in the queue of ready ones, or of those that wait for a block */
    struct block *waiting; /* for this one */
    int32_t rank;
    int32_t number;
    enum block_state state;
    bool loaded; /* step is that of `at` */
};

struct rank {
    struct timer launch;
    struct coll_run *run;
    int64_t sent_bytes;
    int32_t number;
    int32_t open; /* blocks that have not ended */
    bool entered;
};

struct message {
    struct cluster_msg msg; /* first */
    struct lane *lane;
    uint32_t number;
};

/* struct work: a block is busy until then. */
struct work {
    struct timer timer;
    struct coll_run *run;
    struct block *block;
};

struct coll_run {
    struct cluster *cluster;
    struct coll_run_cfg cfg;
    struct coll_plan plan;
    struct rank *rank;   /* [ranks + agents] */
    struct block *block; /* those of rank 0, 1, ..., then those of the agents */
    struct lanes lanes;
    struct block *ready, *ready_last;
    struct pool messages, works;
    struct coll_run_count count;
    int32_t entered, open; /* ranks, with agents, that have entered; that have not ended */
    uint32_t component;
    bool running; /* inside run_ready */
};

/* ---- where things are ------------------------------------------------------------------------ */

static int32_t ranks_n(const struct coll_run *run)
{
    return run->plan.ask.ranks + run->plan.agents;
}

static bool is_agent(const struct coll_run *run, int32_t rank)
{
    return rank >= run->plan.ask.ranks;
}

static int32_t blocks_n(const struct coll_run *run, int32_t rank)
{
    return is_agent(run, rank) ? run->plan.agent_blocks : run->plan.blocks;
}

static struct block *block_of(const struct coll_run *run, int32_t rank, int32_t number)
{
    int64_t ranks = run->plan.ask.ranks;
    int64_t at = is_agent(run, rank)
                     ? ranks * run->plan.blocks + (rank - ranks) * run->plan.agent_blocks
                     : (int64_t)rank * run->plan.blocks;
    return &run->block[at + number];
}

static int32_t gpu_of(const struct coll_run *run, int32_t rank)
{
    return run->cfg.gpu ? run->cfg.gpu[rank] : rank;
}

static int32_t place_of(const struct coll_run *run, int32_t rank)
{
    if (!is_agent(run, rank)) return gpu_of(run, rank);
    const struct coll_seat seat = run->plan.ops->seat(&run->plan, rank - run->plan.ask.ranks);
    int32_t gpu = gpu_of(run, seat.rank);
    return seat.place == COLL_IN_NVSWITCH ? cluster_nvswitch(run->cluster, gpu)
                                          : cluster_edge(run->cluster, gpu);
}

static struct lane *find_lane(struct coll_run *run, int32_t src, int32_t dst, int32_t number)
{
    const struct lane_id id = {src, dst, number};
    struct lane *lane = lanes_find(&run->lanes, id);
    if (lane) return lane;
    lane = lanes_add(&run->lanes, id);
    cluster_connect(run->cluster, &lane->conn, place_of(run, src), place_of(run, dst),
                    run->cfg.stream + (uint32_t)number);
    cluster_lag(&lane->conn, &run->cfg.lag);
    return lane;
}

static struct coll_draw_place drawn_at(const struct coll_run *run, const struct block *block)
{
    return (struct coll_draw_place){run->cluster, gpu_of(run, block->rank), block->number,
                                    run->plan.blocks};
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void make_ready(struct coll_run *run, struct block *block)
{
    block->state = BLOCK_READY;
    block->next = NULL;
    if (run->ready)
        run->ready_last->next = block;
    else
        run->ready = block;
    run->ready_last = block;
}

/* Whoever waited here goes on. */
static void wake(struct coll_run *run, struct block **waiting)
{
    if (!*waiting) return;
    make_ready(run, *waiting);
    *waiting = NULL;
}

static void wake_followers(struct coll_run *run, struct block *block)
{
    struct block *follower = block->waiting, *next;
    block->waiting = NULL;
    for (; follower; follower = next) {
        next = follower->next;
        make_ready(run, follower);
    }
}

static void run_ready(struct coll_run *run);

static void arrived(struct sim *sim, struct cluster_msg *msg)
{
    (void)sim;
    struct message *message = (struct message *)(void *)msg;
    struct lane *lane = message->lane;
    struct coll_run *run = msg->owner;
    uint32_t ahead = message->number - lane->arrived;
    pool_put(&run->messages, message);
    if (ahead > 0) {
        CHECK(ahead < EARLY_MAX, "%u messages overtook another", ahead);
        lane->early |= UINT64_C(1) << ahead;
        return;
    }
    do {
        lane->arrived++;
        lane->early >>= 1;
    } while (lane->early & 1);
    wake(run, &lane->receiver);
    run_ready(run);
}

static void send_step(struct coll_run *run, struct block *block)
{
    struct lane *lane = block->out;
    int64_t bytes = block->step.send_bytes;
    struct message *message = pool_get(&run->messages);
    message->lane = lane;
    message->number = lane->sent++;
    message->msg.bytes = coll_wire_bytes(run->plan.ask.protocol, bytes);
    message->msg.done = arrived;
    message->msg.owner = run;
    run->count.sent++;
    run->count.bytes += bytes;
    run->rank[block->rank].sent_bytes += bytes;
    cluster_send(&lane->conn, &message->msg);
}

/* blocked finds what the block's step still has to wait for, and lets it wait there. */
static bool blocked(struct coll_run *run, struct block *block)
{
    const struct coll_step *step = &block->step;
    if (step->after_block >= 0) {
        struct block *before = block_of(run, block->rank, step->after_block);
        if (before->at <= step->after_step) {
            block->state = BLOCK_AT_BLOCK;
            block->next = before->waiting;
            before->waiting = block;
            return true;
        }
    }
    if (step->recv_from >= 0) {
        struct lane *in = block->in;
        if (!in || in->src != step->recv_from || in->number != step->recv_lane)
            block->in = in = find_lane(run, step->recv_from, block->rank, step->recv_lane);
        if (in->arrived == in->taken) {
            block->state = BLOCK_AT_RECV;
            in->receiver = block;
            return true;
        }
    }
    if (step->send_to >= 0) {
        struct lane *out = block->out;
        if (!out || out->dst != step->send_to || out->number != step->send_lane)
            block->out = out = find_lane(run, block->rank, step->send_to, step->send_lane);
        if (out->sent - out->taken >= (uint32_t)run->cfg.slots) {
            block->state = BLOCK_AT_SLOT;
            out->sender = block;
            return true;
        }
    }
    return false;
}

/* A rank's last block has ended. The round ends with the last rank, if every message was taken. */
static void rank_ended(struct coll_run *run, int32_t rank)
{
    run->rank[rank].entered = false;
    if (--run->open == 0) {
        if (run->count.sent != run->count.received) return; /* coll_run_waits_for tells */
        run->entered = 0;
        run->count.rounds++;
    }
    if (!is_agent(run, rank) && run->cfg.done) run->cfg.done(cluster_sim(run->cluster), run, rank);
}

static void block_ended(struct coll_run *run, struct block *block)
{
    block->state = BLOCK_OUTSIDE;
    if (--run->rank[block->rank].open == 0) rank_ended(run, block->rank);
}

/* The step's bytes have been moved: what follows from it. */
static void end_step(struct coll_run *run, struct block *block)
{
    if (run->cfg.spans && !is_agent(run, block->rank)) {
        const struct coll_draw_place at = drawn_at(run, block);
        coll_draw_step(run->cfg.spans, &at, &block->step, block->since_ps);
        block->since_ps = sim_now_ps(cluster_sim(run->cluster));
    }
    if (block->step.recv_from >= 0) {
        block->in->taken++;
        run->count.received++;
        wake(run, &block->in->sender);
    }
    if (block->step.send_to >= 0) send_step(run, block);
    run->count.steps++;
    block->at++;
    block->loaded = false;
    if (block->waiting) wake_followers(run, block);
}

static void work_done(struct sim *sim, void *self)
{
    (void)sim;
    struct work *work = self;
    struct coll_run *run = work->run;
    struct block *block = work->block;
    pool_put(&run->works, work);
    end_step(run, block);
    make_ready(run, block);
    run_ready(run);
}

/* works: the step takes the block some time; a switch adds as fast as its ports are. */
static bool works(struct coll_run *run, struct block *block)
{
    const struct coll_step *step = &block->step;
    int64_t in = step->recv_from >= 0 ? step->recv_bytes : 0;
    int64_t out = step->send_to >= 0 ? step->send_bytes : 0, bytes = in > out ? in : out;
    if (step->work_bytes != 0) bytes = step->work_bytes;
    if (run->cfg.block_bps == 0 || bytes <= 0 || is_agent(run, block->rank)) return false;
    struct work *work = pool_get(&run->works);
    work->run = run;
    work->block = block;
    block->state = BLOCK_BUSY;
    timer_init(&work->timer, work_done, work, run->component, TIMER_BLOCK);
    timer_after(cluster_sim(run->cluster), &work->timer,
                units_serialise_ps(bytes, run->cfg.block_bps));
    return true;
}

static void run_block(struct coll_run *run, struct block *block)
{
    const struct coll_plan *plan = &run->plan;
    for (;;) {
        if (!block->loaded) {
            if (!plan->ops->step(plan, block->rank, block->number, block->at, &block->step)) {
                block_ended(run, block);
                return;
            }
            block->loaded = true;
        }
        if (blocked(run, block) || works(run, block)) return;
        end_step(run, block);
    }
}

static void run_ready(struct coll_run *run)
{
    if (run->running) return;
    run->running = true;
    while (run->ready) {
        struct block *block = run->ready;
        run->ready = block->next;
        run_block(run, block);
    }
    run->running = false;
}

/* ---- entering -------------------------------------------------------------------------------- */

static void start_rank(struct coll_run *run, int32_t rank)
{
    for (int32_t b = 0; b < blocks_n(run, rank); b++) {
        struct block *block = block_of(run, rank, b);
        if (run->cfg.spans && !is_agent(run, rank)) {
            const struct coll_draw_place at = drawn_at(run, block);
            if (run->count.rounds == 0) coll_draw_name(run->cfg.spans, &at);
            block->since_ps = sim_now_ps(cluster_sim(run->cluster));
        }
        make_ready(run, block);
    }
}

static void launched(struct sim *sim, void *self)
{
    (void)sim;
    struct rank *rank = self;
    start_rank(rank->run, rank->number);
    run_ready(rank->run);
}

static void open_rank(struct coll_run *run, int32_t number)
{
    struct rank *rank = &run->rank[number];
    CHECK(!rank->entered, "rank %d enters a collective that it is in", number);
    rank->entered = true;
    rank->open = blocks_n(run, number);
    for (int32_t b = 0; b < rank->open; b++) {
        struct block *block = block_of(run, number, b);
        block->at = 0;
        block->loaded = false;
    }
}

void coll_run_enter(struct coll_run *run, int32_t rank)
{
    if (run->entered++ == 0) {
        CHECK(run->open == 0, "a collective begins a round before the last one has ended");
        run->open = ranks_n(run);
        for (int32_t a = run->plan.ask.ranks; a < ranks_n(run); a++) {
            open_rank(run, a);
            start_rank(run, a);
        }
    }
    open_rank(run, rank);
    timer_after(cluster_sim(run->cluster), &run->rank[rank].launch, run->cfg.launch_ps);
}

void coll_run_start(struct coll_run *run)
{
    for (int32_t r = 0; r < run->plan.ask.ranks; r++)
        coll_run_enter(run, r);
}

struct coll_run *coll_run_new(struct cluster *cluster, const struct coll_run_cfg *cfg)
{
    struct sim *sim = cluster_sim(cluster);
    struct arena *arena = sim_arena(sim);
    struct coll_run *run = ARENA_NEW(arena, struct coll_run);
    uint32_t component = sim_component(sim);
    run->cluster = cluster;
    run->cfg = *cfg;
    run->plan = *cfg->plan;
    CHECK(cfg->slots >= 1 && cfg->slots <= EARLY_MAX, "%d slots", cfg->slots);
    run->component = component;
    run->lanes.arena = arena;
    pool_init(&run->messages, arena, sizeof(struct message));
    pool_init(&run->works, arena, sizeof(struct work));
    run->rank = ARENA_ARRAY(arena, struct rank, ranks_n(run));
    run->block = ARENA_ARRAY(arena, struct block,
                             (int64_t)run->plan.ask.ranks * run->plan.blocks +
                                 (int64_t)run->plan.agents * run->plan.agent_blocks);
    for (int32_t r = 0; r < ranks_n(run); r++) {
        run->rank[r].run = run;
        run->rank[r].number = r;
        timer_init(&run->rank[r].launch, launched, &run->rank[r], component, TIMER_LAUNCH);
        for (int32_t b = 0; b < blocks_n(run, r); b++) {
            block_of(run, r, b)->rank = r;
            block_of(run, r, b)->number = b;
        }
    }
    return run;
}

/* ---- what there is to say -------------------------------------------------------------------- */

void *coll_run_owner(const struct coll_run *run)
{
    return run->cfg.owner;
}

struct coll_run_count coll_run_count(const struct coll_run *run)
{
    return run->count;
}

int64_t coll_run_sent_bytes(const struct coll_run *run, int32_t rank)
{
    return run->rank[rank].sent_bytes;
}

static const char *who(const struct coll_run *run, int32_t rank, struct arena *arena)
{
    if (!is_agent(run, rank)) return arena_printf(arena, "rank %d", rank);
    return arena_printf(arena, "agent %d", rank - run->plan.ask.ranks);
}

static const char *block_waits_for(const struct coll_run *run, const struct block *block,
                                   struct arena *arena)
{
    const struct coll_step *step = &block->step;
    const char *me = arena_printf(arena, "%s, block %d, step %" PRId64,
                                  who(run, block->rank, arena), block->number, block->at);
    switch (block->state) {
    case BLOCK_AT_BLOCK:
        return arena_printf(arena, "%s waits for step %" PRId64 " of block %d", me,
                            step->after_step, step->after_block);
    case BLOCK_AT_RECV:
        return arena_printf(arena, "%s waits for message %u from %s on lane %d (%u sent)", me,
                            block->in->taken, who(run, step->recv_from, arena), step->recv_lane,
                            block->in->sent);
    default:
        return arena_printf(arena, "%s waits for a free slot to %s on lane %d (%u of %d in use)",
                            me, who(run, step->send_to, arena), step->send_lane,
                            block->out->sent - block->out->taken, run->cfg.slots);
    }
}

/* The first lane with messages that nobody takes. */
static const char *unmatched(const struct coll_run *run, struct arena *arena)
{
    for (int64_t i = 0; i < run->lanes.table_n; i++) {
        const struct lane *lane = run->lanes.table[i];
        if (lane && lane->sent != lane->taken)
            return arena_printf(arena,
                                "%u messages from %s to %s on lane %d have no receive that matches",
                                lane->sent - lane->taken, who(run, lane->src, arena),
                                who(run, lane->dst, arena), lane->number);
    }
    return "";
}

const char *coll_run_waits_for(const struct coll_run *run, struct arena *arena)
{
    int64_t blocks = (int64_t)run->plan.ask.ranks * run->plan.blocks +
                     (int64_t)run->plan.agents * run->plan.agent_blocks;
    if (run->entered == 0) return "";
    if (run->open == 0) return unmatched(run, arena);
    for (int64_t b = 0; b < blocks; b++)
        if (run->block[b].state > BLOCK_BUSY) return block_waits_for(run, &run->block[b], arena);
    if (run->entered < run->plan.ask.ranks)
        return arena_printf(arena, "%d of %d ranks have entered", run->entered,
                            run->plan.ask.ranks);
    return "ranks that have been launched";
}
