/* exec.c - streams that run their operations, and where a rank's time goes.
 *
 * The one idea: as in coll_run.c, a stream runs until it has to wait and then stands at exactly one
 * place; who ends the wait makes it ready, and ready streams take their turn in order, so that no
 * chain of wake-ups nests. Time is counted when an operation ends: what stream 0 was held up by
 * since the last end belongs to that operation's category, except the part before the others came.
 * NOT modelled: the CPU that launches operations, communication that slows compute beside it (a
 * program may ask for longer operations).
 */
#include "models/step/exec_live.h"

#include <inttypes.h>

#include "models/cluster/coll_run.h"
#include "sim/base/check.h"

const char *const exec_category_names[] = {"compute", "tp",   "cp",    "ep",     "pp",   "fsdp",
                                           "dp",      "data", "other", "bubble", "skew", NULL};
_Static_assert(sizeof exec_category_names / sizeof *exec_category_names == EXEC_CATEGORIES + 1,
               "a name for each category");

/* ---- time ------------------------------------------------------------------------------------ */

/* What waiting for others counts as. */
static enum exec_category idle_of(const struct exec_op *op)
{
    return op->idle ? op->idle : op->kind == EXEC_RECV ? EXEC_BUBBLE : EXEC_SKEW;
}

/* count_time gives the time since the last count to an operation that has just ended. A collective
 * would have been over so much earlier as its last member came later: that part of the wait is
 * skew, also if the collective runs beside compute and the wait began later. A receive may be
 * posted long before its message is due: nobody is late before the rank waits. */
static void count_time(struct exec *exec, const struct exec_live *live)
{
    struct exec_rank *rank = &exec->rank[live->stream->rank];
    int64_t wait_ps = sim_now_ps(exec_sim(exec)) - rank->since_ps;
    bool posted = live->op.kind == EXEC_RECV && rank->since_ps > live->start_ps;
    int64_t idle_ps = live->moving_ps - (posted ? rank->since_ps : live->start_ps);
    if (idle_ps < 0) idle_ps = 0;
    if (idle_ps > wait_ps) idle_ps = wait_ps;
    rank->time_ps[idle_of(&live->op)] += idle_ps;
    rank->time_ps[live->op.category] += wait_ps - idle_ps;
    rank->since_ps += wait_ps;
}

/* Whether stream 0 of the rank was held up by an operation of this stream. */
static bool held_up(const struct exec *exec, const struct exec_live *live)
{
    const struct exec_stream *first =
        &exec->stream[(int64_t)live->stream->rank * exec->cfg.streams];
    switch (first->state) {
    case EXEC_RUNNING:
        return live == &first->live;
    case EXEC_AFTER:
        return live->stream->number == first->live.op.after_stream && !live->op.detached;
    default:
        return true;
    }
}

/* name_lane returns lane `number` of a rank (streams, then those of detached operations), naming it
 * if what is not NULL. */
static struct spans_lane name_lane(const struct exec *exec, int32_t rank, int32_t number,
                                   const char *what)
{
    struct arena arena = {0};
    int32_t gpu = exec->cfg.gpu ? exec->cfg.gpu[rank] : rank;
    int32_t gpus = (int32_t)cluster_facts(exec->cfg.cluster)->node_gpus;
    const struct spans_lane at = {gpu / gpus,
                                  gpu % gpus * (exec->cfg.streams + EXEC_LANES) + number};
    if (what) spans_name(exec->cfg.spans, at, arena_printf(&arena, "GPU %d %s", gpu % gpus, what));
    arena_free(&arena);
    return at;
}

/* The first lane of detached operations in which nothing is drawn beyond start_ps. */
static int32_t free_lane(const struct exec_rank *rank, int64_t start_ps)
{
    int32_t lane = 0;
    while (lane < EXEC_LANES && rank->drawn_ps[lane] > start_ps)
        lane++;
    return lane;
}

/* What an operation waited for others is a span of its own, of category bubble or skew. */
static void draw(const struct exec *exec, const struct exec_live *live)
{
    const struct exec_stream *stream = live->stream;
    struct exec_rank *rank = &exec->rank[stream->rank];
    int64_t now_ps = sim_now_ps(exec_sim(exec));
    if (!exec->cfg.spans || live->start_ps == now_ps) return;
    int32_t number = stream->number;
    const char *what = NULL;
    if (live->op.detached) {
        int32_t lane = free_lane(rank, live->start_ps);
        if (lane == EXEC_LANES) return;
        if (rank->drawn_ps[lane] == 0) what = "messages";
        rank->drawn_ps[lane] = now_ps;
        number = exec->cfg.streams + lane;
    }
    const struct spans_lane at = name_lane(exec, stream->rank, number, what);
    struct span span = {.at = at,
                        .name = live->op.name,
                        .category = exec_category_names[idle_of(&live->op)],
                        .start_ps = live->start_ps,
                        .end_ps = live->moving_ps,
                        .bytes = -1};
    if (span.end_ps > span.start_ps) {
        spans_add(exec->cfg.spans, &span);
        span.start_ps = span.end_ps;
    }
    if (span.start_ps == now_ps) return;
    span.category = exec_category_names[live->op.category];
    span.end_ps = now_ps;
    if (live->op.bytes > 0) span.bytes = live->op.bytes;
    spans_add(exec->cfg.spans, &span);
}

int64_t exec_time_ps(const struct exec *exec, int32_t rank, enum exec_category category)
{
    return exec->rank[rank].time_ps[category];
}

int64_t exec_bytes(const struct exec *exec, enum exec_category category)
{
    return exec->sent_bytes[category] + exec_meet_bytes(exec, category);
}

/* ---- streams --------------------------------------------------------------------------------- */

static struct exec_stream *stream_of(const struct exec *exec, int32_t rank, int32_t number)
{
    return &exec->stream[(int64_t)rank * exec->cfg.streams + number];
}

static void make_ready(struct exec_stream *stream)
{
    struct exec *exec = stream->exec;
    stream->state = EXEC_READY;
    stream->next = NULL;
    *exec->ready_end = stream;
    exec->ready_end = &stream->next;
}

/* The stream's current operation is no longer its affair. */
static void next_op(struct exec_stream *stream)
{
    struct exec_stream *follower = stream->waiting, *next;
    stream->index++;
    stream->loaded = false;
    make_ready(stream);
    stream->waiting = NULL;
    for (; follower; follower = next) {
        next = follower->next;
        make_ready(follower);
    }
}

void exec_over(struct exec_live *live)
{
    struct exec_stream *stream = live->stream;
    struct exec *exec = stream->exec;
    struct exec_program *program = exec->cfg.program;
    if (held_up(exec, live)) count_time(exec, live);
    draw(exec, live);
    if (live->op.kind != EXEC_COLLECTIVE && live->op.kind != EXEC_RECV)
        exec->sent_bytes[live->op.category] += live->op.bytes;
    if (program->ops->over) program->ops->over(program, stream->rank, &live->op);
    for (int32_t s = 0; s < exec->cfg.streams; s++) {
        struct exec_stream *asleep = stream_of(exec, stream->rank, s);
        if (asleep->state == EXEC_ASLEEP) make_ready(asleep);
    }
    if (live->op.detached) {
        exec->pending--;
        pool_put(&exec->lives, live);
    } else {
        next_op(stream);
    }
}

static void busy_over(struct sim *sim, void *self)
{
    (void)sim;
    struct exec_live *live = self;
    struct exec *exec = live->stream->exec;
    exec_over(live);
    exec_go_on(exec);
}

static void start_op(struct exec *exec, struct exec_live *live)
{
    live->start_ps = live->moving_ps = sim_now_ps(exec_sim(exec));
    switch (live->op.kind) {
    case EXEC_MARK:
        exec_over(live);
        break;
    case EXEC_BUSY:
        timer_init(&live->timer, busy_over, live, exec->component, EXEC_TIMER_BUSY);
        timer_after(exec_sim(exec), &live->timer, live->op.duration_ps);
        break;
    case EXEC_COLLECTIVE:
    case EXEC_MEET:
        exec_enter(live);
        break;
    case EXEC_SEND:
        exec_send(live);
        break;
    case EXEC_RECV:
        exec_receive(live);
        break;
    case EXEC_OUTSIDE:
        exec->cfg.agent.begin(exec->cfg.agent.owner, live, live->stream->rank, &live->op);
        break;
    }
}

void exec_outside_moves(struct exec_live *live)
{
    live->moving_ps = sim_now_ps(exec_sim(live->stream->exec));
}

void exec_outside_over(struct exec_live *live, int64_t bytes)
{
    struct exec *exec = live->stream->exec;
    live->op.bytes = bytes;
    exec_over(live);
    exec_go_on(exec);
}

static bool must_wait(struct exec *exec, struct exec_stream *stream)
{
    const struct exec_op *op = &stream->live.op;
    if (op->after_stream < 0) return false;
    struct exec_stream *before = stream_of(exec, stream->rank, op->after_stream);
    if (before->index > op->after_op) return false;
    stream->state = EXEC_AFTER;
    stream->next = before->waiting;
    before->waiting = stream;
    return true;
}

static void run_stream(struct exec *exec, struct exec_stream *stream)
{
    struct exec_program *program = exec->cfg.program;
    struct exec_live *live = &stream->live;
    if (!stream->loaded) {
        live->op = EXEC_OP_NONE;
        enum exec_next next =
            program->ops->next(program, stream->rank, stream->number, stream->index, &live->op);
        if (next != EXEC_OP) {
            stream->state = next == EXEC_END ? EXEC_ENDED : EXEC_ASLEEP;
            exec->open -= next == EXEC_END;
            return;
        }
        stream->loaded = true;
    }
    if (must_wait(exec, stream)) return;
    stream->state = EXEC_RUNNING;
    live->stream = stream;
    if (live->op.detached) {
        struct exec_live *own = pool_get(&exec->lives);
        own->op = live->op;
        own->stream = stream;
        exec->pending++;
        next_op(stream);
        live = own;
    }
    start_op(exec, live);
}

void exec_go_on(struct exec *exec)
{
    if (exec->running) return;
    exec->running = true;
    while (exec->ready) {
        struct exec_stream *stream = exec->ready;
        exec->ready = stream->next;
        if (!exec->ready) exec->ready_end = &exec->ready;
        run_stream(exec, stream);
    }
    exec->running = false;
    if (exec->open == 0 && exec->pending == 0) {
        exec->open = -1;
        exec->cfg.done(exec, exec->cfg.owner);
    }
}

/* ---- building -------------------------------------------------------------------------------- */

struct sim *exec_sim(const struct exec *exec)
{
    return cluster_sim(exec->cfg.cluster);
}

struct exec *exec_new(const struct exec_cfg *cfg)
{
    struct arena *arena = sim_arena(cluster_sim(cfg->cluster));
    struct exec *exec = ARENA_NEW(arena, struct exec);
    exec->cfg = *cfg;
    exec->component = sim_component(exec_sim(exec));
    exec->rank = ARENA_ARRAY(arena, struct exec_rank, cfg->ranks);
    exec->stream = ARENA_ARRAY(arena, struct exec_stream, (int64_t)cfg->ranks * cfg->streams);
    exec->run = ARENA_ARRAY(arena, struct exec_run *, cfg->group_n);
    exec->ready_end = &exec->ready;
    pool_init(&exec->lives, arena, sizeof(struct exec_live));
    exec->open = (int64_t)cfg->ranks * cfg->streams;
    for (int32_t r = 0; r < cfg->ranks; r++) {
        exec->rank[r].inbox_end = &exec->rank[r].inbox;
        exec->rank[r].posted_end = &exec->rank[r].posted;
        for (int32_t s = 0; s < cfg->streams; s++) {
            struct exec_stream *stream = stream_of(exec, r, s);
            stream->exec = exec;
            stream->rank = r;
            stream->number = s;
        }
        for (int32_t s = 0; cfg->spans && s < cfg->streams; s++)
            name_lane(exec, r, s, cfg->stream_names[s]);
    }
    return exec;
}

void exec_start(struct exec *exec)
{
    for (int32_t r = 0; r < exec->cfg.ranks; r++) {
        exec->rank[r].since_ps = sim_now_ps(exec_sim(exec));
        for (int32_t s = 0; s < exec->cfg.streams; s++)
            make_ready(stream_of(exec, r, s));
    }
    exec_go_on(exec);
}

/* ---- what there is to say -------------------------------------------------------------------- */

static const char *group_name(const struct exec *exec, int32_t number, struct arena *arena)
{
    const struct exec_group *group = &exec->cfg.group[number];
    return group->kind ? arena_printf(arena, "%s group %d", group->kind, group->number)
                       : arena_printf(arena, "group %d", number);
}

static const char *stream_waits_for(const struct exec *exec, const struct exec_stream *stream,
                                    struct arena *arena)
{
    const struct exec_op *op = &stream->live.op;
    const char *me = arena_printf(arena, "rank %d, stream %s, operation %" PRId64, stream->rank,
                                  exec->cfg.stream_names[stream->number], stream->index);
    if (stream->state == EXEC_ASLEEP) return arena_printf(arena, "%s may not start yet", me);
    me = arena_printf(arena, "%s (%s)", me, op->name);
    if (stream->state == EXEC_AFTER)
        return arena_printf(arena, "%s waits for operation %" PRId64 " of stream %s", me,
                            op->after_op, exec->cfg.stream_names[op->after_stream]);
    if (op->kind == EXEC_RECV)
        return arena_printf(arena, "%s waits for a message from rank %d with tag %" PRId64, me,
                            op->peer, op->tag);
    if (op->kind == EXEC_COLLECTIVE || op->kind == EXEC_MEET)
        return arena_printf(arena, "%s waits for %s: %s", me, group_name(exec, op->group, arena),
                            exec_meet_waits_for(&stream->live, arena));
    if (op->kind == EXEC_OUTSIDE)
        return arena_printf(arena, "%s waits for %s", me, exec->cfg.agent.name);
    return arena_printf(arena, "%s is under way", me);
}

/* What is really stuck first: a group may wait for a rank that waits for the agent; a stream that
 * waits for another of its rank only follows it. */
const char *exec_waits_for(const struct exec *exec, struct arena *arena)
{
    static const enum exec_state order[] = {EXEC_RUNNING, EXEC_AFTER, EXEC_ASLEEP};
    int64_t n = (int64_t)exec->cfg.ranks * exec->cfg.streams;
    for (int64_t s = 0; s < n; s++)
        if (exec->stream[s].state == EXEC_RUNNING && exec->stream[s].live.op.kind == EXEC_OUTSIDE)
            return stream_waits_for(exec, &exec->stream[s], arena);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        for (int64_t s = 0; s < n; s++)
            if (exec->stream[s].state == order[i])
                return stream_waits_for(exec, &exec->stream[s], arena);
    return exec_unreceived(exec, arena);
}
