/* replay.c - a trace as a program of the executor (models/step/exec.h), and what came of it.
 *
 * The one idea: compute runs in the streams of the trace, everything else is handed to one more
 * stream as operations that let it go on; an operation is asked for when its dependencies allow it
 * (replay_graph.c), so the executor never sees the graph. Who waits for a start is told by a mark
 * that goes before the operation.
 *
 * Collectives: a barrier is an all-reduce of 4 bytes, as PyTorch makes one of NCCL's operations; a
 * reduction to a root is a broadcast the other way; gather and scatter are one message per member,
 * as grouped sends and receives.
 * NOT modelled: recorded times of communication, NICs that a GOAL names, sends that wait for the
 * receiver (rendezvous): a send is over when its last byte has arrived.
 */
#include "models/replay/replay_live.h"
#include "sim/base/check.h"
#include "sim/base/units.h"

#define ANNOUNCEMENT (UINT64_C(1) << 63) /* in a token: a mark ahead of the operation */
#define BARRIER_BYTES 4
#define GROUP_TAG(group)                                                                           \
    (-2 - (int64_t)(group)) /* of gather and scatter; traces have none below 0 */

struct replay {
    struct exec_program program; /* first */
    const struct replay_cfg *cfg;
    struct replay_site site;
    struct replay_graph graph;
    struct replay_drawing drawing;
    struct trace trace;
    struct exec *exec;
    struct timer timer;
    int64_t ops, over; /* marks apart: that there are, that are over */
    int64_t messages, collectives;
    int64_t end_ps; /* -1 = not yet */
};

/* What the executor's categories stand for here. */
static const struct category {
    enum exec_category category;
    const char *name, *bound;
} categories[] = {{EXEC_COMPUTE, "compute", "compute"},  {EXEC_PP, "messages", "network"},
                  {EXEC_DP, "collectives", "network"},   {EXEC_DATA, "memory", "memory"},
                  {EXEC_BUBBLE, "late_send", "waiting"}, {EXEC_SKEW, "late_rank", "waiting"}};
#define CATEGORIES (int)(sizeof categories / sizeof *categories)

/* ---- operations ------------------------------------------------------------------------------ */

static int64_t compute_ps(const struct replay *replay, const struct trace_op *op)
{
    double scale = replay->cfg->compute_scale;
    if (op->duration_ps > 0)
        return scale == 1 ? op->duration_ps : (int64_t)((double)op->duration_ps * scale);
    const struct device_facts *device = replay->site.device;
    if (op->flop == 0) return 0;
    double flop_s = (double)op->flop / (device->bf16_tflops * 1e12), memory_s = 0;
    if (device->memory_bps > 0) memory_s = (double)op->bytes * 8 / (double)device->memory_bps;
    return units_ps((flop_s > memory_s ? flop_s : memory_s) * scale);
}

static int64_t memory_ps(const struct replay *replay, const struct trace_op *op)
{
    int64_t memory_bps = replay->site.device->memory_bps;
    if (op->duration_ps > 0 || memory_bps == 0) return op->duration_ps;
    return units_ps((double)op->bytes * 8 / (double)memory_bps);
}

static int32_t root_of(const struct replay *replay, const struct trace_op *op)
{
    int32_t root = op->peer < 0 ? 0 : replay_graph_member(&replay->graph, op->peer, op->group);
    return root < 0 ? 0 : root;
}

/* fill_message makes one of the messages of a gather or scatter; to: away from the root. */
static void fill_part(const struct replay *replay, int32_t rank, const struct trace_op *from,
                      struct exec_op *op)
{
    const struct trace_group *group = &replay->trace.group[from->group];
    int32_t member = replay_graph_member(&replay->graph, rank, from->group);
    int32_t root = root_of(replay, from);
    bool sends = (from->collective == TRACE_SCATTER) == (member == root);
    int32_t part = replay->graph.rank[rank].queue[replay->graph.streams - 1].part;
    int32_t other = member != root ? root : part + (part >= root);
    op->kind = sends ? EXEC_SEND : EXEC_RECV;
    op->category = EXEC_DP;
    op->bytes = sends ? from->bytes : 0;
    op->peer = trace_member(group, other);
    op->tag = GROUP_TAG(from->group);
}

static void fill_collective(const struct replay *replay, int32_t rank, const struct trace_op *from,
                            struct exec_op *op)
{
    op->kind = EXEC_COLLECTIVE;
    op->category = EXEC_DP;
    op->group = from->group;
    op->member = replay_graph_member(&replay->graph, rank, from->group);
    op->bytes = from->bytes > 0 ? from->bytes : 1;
    switch ((enum trace_collective)from->collective) {
    case TRACE_GATHER:
    case TRACE_SCATTER:
        fill_part(replay, rank, from, op);
        break;
    case TRACE_BARRIER:
        op->op = COLL_ALL_REDUCE;
        op->bytes = BARRIER_BYTES;
        break;
    case TRACE_BROADCAST:
    case TRACE_REDUCE:
        op->op = COLL_BROADCAST;
        op->root = root_of(replay, from);
        break;
    default:
        op->op = (enum coll_op)from->collective;
    }
}

static void fill(const struct replay *replay, int32_t rank, const struct trace_op *from,
                 struct exec_op *op)
{
    op->name = replay_name(&replay->trace, from);
    op->detached = from->kind != TRACE_COMPUTE;
    switch ((enum trace_kind)from->kind) {
    case TRACE_COMPUTE:
        op->duration_ps = compute_ps(replay, from);
        op->kind = op->duration_ps > 0 ? EXEC_BUSY : EXEC_MARK;
        break;
    case TRACE_SEND:
    case TRACE_RECV:
        op->kind = from->kind == TRACE_SEND ? EXEC_SEND : EXEC_RECV;
        op->category = EXEC_PP;
        op->bytes = from->bytes;
        op->peer = from->peer;
        op->tag = from->tag;
        break;
    case TRACE_COLLECTIVE:
        fill_collective(replay, rank, from, op);
        break;
    default: /* loads and stores: marks never come here */
        op->kind = EXEC_BUSY;
        op->category = EXEC_DATA;
        op->duration_ps = memory_ps(replay, from);
    }
}

/* How many operations of the executor one of the trace is: gather and scatter are several. */
static int32_t parts_of(const struct replay *replay, int32_t rank, const struct trace_op *op)
{
    if (op->kind != TRACE_COLLECTIVE) return 1;
    if (op->collective != TRACE_GATHER && op->collective != TRACE_SCATTER) return 1;
    int32_t n = replay->trace.group[op->group].n;
    bool root = replay_graph_member(&replay->graph, rank, op->group) == root_of(replay, op);
    return root ? n - 1 : 1;
}

/* ---- the program ----------------------------------------------------------------------------- */

static bool has_start_followers(const struct replay_rank *rank, uint32_t i)
{
    for (uint32_t f = rank->follower_first[i]; f < rank->follower_first[i + 1]; f++)
        if (rank->follower[f].wait == TRACE_START) return true;
    return false;
}

static void op_over(struct replay *replay, int32_t r, uint32_t i)
{
    struct replay_rank *rank = &replay->graph.rank[r];
    const struct trace_op *op = &rank->trace->op[i];
    rank->state[i] = REPLAY_OVER;
    replay->over++;
    replay->messages += op->kind == TRACE_SEND;
    replay->collectives +=
        op->kind == TRACE_COLLECTIVE && replay_graph_member(&replay->graph, r, op->group) == 0;
    replay_draw_over(&replay->drawing, r, i, sim_now_ps(cluster_sim(replay->site.cluster)));
    replay_graph_release(&replay->graph, rank, i, TRACE_END);
}

static enum exec_next next(struct exec_program *self, int32_t r, int32_t stream, int64_t index,
                           struct exec_op *op)
{
    (void)index; /* operations come as they become ready */
    struct replay *replay = (struct replay *)(void *)self;
    struct replay_rank *rank = &replay->graph.rank[r];
    struct replay_queue *queue = &rank->queue[stream];
    if (!queue->first) return queue->left > 0 ? EXEC_LATER : EXEC_END;
    const uint32_t i = queue->first - 1;
    op->token = i;
    if (rank->state[i] == REPLAY_WAITING) {
        rank->state[i] = REPLAY_ANNOUNCED;
        if (has_start_followers(rank, i)) {
            op->kind = EXEC_MARK;
            op->token |= ANNOUNCEMENT;
            return EXEC_OP;
        }
    }
    const int32_t parts = parts_of(replay, r, &rank->trace->op[i]);
    if (queue->part == 0) {
        rank->state[i] = REPLAY_STARTED;
        rank->wait_n[i] = (uint32_t)parts;
        replay_draw_start(&replay->drawing, r, i, sim_now_ps(cluster_sim(replay->site.cluster)));
    }
    if (parts > 0)
        fill(replay, r, &rank->trace->op[i], op);
    else
        op->kind = EXEC_MARK; /* the root of a group of one */
    if (++queue->part < parts) return EXEC_OP;
    queue->part = 0;
    queue->first = rank->next[i];
    queue->left--;
    return EXEC_OP;
}

static void over(struct exec_program *self, int32_t r, const struct exec_op *op)
{
    struct replay *replay = (struct replay *)(void *)self;
    struct replay_rank *rank = &replay->graph.rank[r];
    const uint32_t i = (uint32_t)(op->token & ~ANNOUNCEMENT);
    if (op->token & ANNOUNCEMENT)
        replay_graph_release(&replay->graph, rank, i, TRACE_START);
    else if (rank->wait_n[i] <= 1)
        op_over(replay, r, i);
    else
        rank->wait_n[i]--;
}

static const struct exec_program_ops program_ops = {.next = next, .over = over};

/* ---- the run --------------------------------------------------------------------------------- */

static void all_over(struct exec *exec, void *owner)
{
    struct replay *replay = owner;
    replay->end_ps = sim_now_ps(exec_sim(exec));
    sim_finish(exec_sim(exec));
}

static void begin(struct sim *sim, void *self)
{
    (void)sim;
    struct replay *replay = self;
    exec_start(replay->exec);
}

void replay_start(struct replay *replay)
{
    timer_after(cluster_sim(replay->site.cluster), &replay->timer, 0);
}

static struct exec_group *make_groups(const struct trace *trace, struct arena *arena)
{
    struct exec_group *group = ARENA_ARRAY(arena, struct exec_group, trace->group_n);
    for (int64_t g = 0; g < trace->group_n; g++)
        group[g] = (struct exec_group){.rank = trace->group[g].rank, .n = trace->group[g].n};
    return group;
}

static const char *const *make_stream_names(int32_t streams, struct arena *arena)
{
    const char **name = ARENA_ARRAY(arena, const char *, streams);
    for (int32_t s = 0; s < streams - 1; s++)
        name[s] = arena_printf(arena, "compute %d", s);
    name[streams - 1] = "network";
    return name;
}

struct replay *replay_of(const struct replay_cfg *cfg, const struct replay_site *site,
                         const struct trace *trace)
{
    struct sim *sim = cluster_sim(site->cluster);
    struct arena *arena = sim_arena(sim);
    struct replay *replay = ARENA_NEW(arena, struct replay);
    replay->program.ops = &program_ops;
    replay->cfg = cfg;
    replay->site = *site;
    replay->trace = *trace;
    replay->end_ps = -1;
    timer_init(&replay->timer, begin, replay, sim_component(sim), 0);
    replay_graph_new(&replay->graph, &replay->trace, cfg->memory, arena);
    replay->drawing =
        (struct replay_drawing){.spans = site->spans,
                                .graph = &replay->graph,
                                .node_gpus = (int32_t)cluster_facts(site->cluster)->node_gpus};
    replay_draw_new(&replay->drawing, arena);
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int32_t s = 0; s < replay->graph.streams; s++)
            replay->ops += replay->graph.rank[r].queue[s].left;
    replay->exec =
        exec_new(&(struct exec_cfg){.cluster = site->cluster,
                                    .facts = site->facts,
                                    .device = site->device,
                                    .program = &replay->program,
                                    .ranks = (int32_t)trace->rank_n,
                                    .streams = replay->graph.streams,
                                    .group = make_groups(trace, arena),
                                    .group_n = (int32_t)trace->group_n,
                                    .messages_max = cfg->messages_max,
                                    .stream_names = make_stream_names(replay->graph.streams, arena),
                                    .done = all_over,
                                    .owner = replay});
    return replay;
}

struct replay *replay_new(const struct replay_cfg *cfg, const struct replay_site *site)
{
    struct trace trace;
    replay_load(cfg, sim_arena(cluster_sim(site->cluster)), &trace);
    return replay_of(cfg, site, &trace);
}

const char *replay_waits_for(const struct replay *replay, struct arena *arena)
{
    const char *why = replay_why(&replay->graph, arena);
    return why ? why : exec_waits_for(replay->exec, arena);
}

/* ---- results --------------------------------------------------------------------------------- */

/* record_times stores what ranks spent their time on: mean (as shares of a phase; the rest is of
 * ranks that ended early) and most. */
static void record_times(const struct replay *replay, struct record *record)
{
    int64_t ranks = replay->trace.rank_n, left_ps = replay->end_ps, most_ps = -1;
    int phase = record_phase(record, "trace", 0, replay->end_ps);
    for (int c = 0; c < CATEGORIES; c++) {
        const struct category *category = &categories[c];
        int64_t sum_ps = 0, max_ps = 0;
        for (int32_t r = 0; r < ranks; r++) {
            int64_t time_ps = exec_time_ps(replay->exec, r, category->category);
            sum_ps += time_ps;
            if (time_ps > max_ps) max_ps = time_ps;
        }
        record_share(record, phase, category->name, category->bound, sum_ps / ranks);
        left_ps -= sum_ps / ranks;
        if (sum_ps > most_ps) record->phases[phase].bound = category->bound;
        if (sum_ps > most_ps) most_ps = sum_ps;
        record_metric(record, "rank", arena_printf(&record->arena, "%s_s", category->name), "s",
                      units_s(sum_ps) / (double)ranks);
        record_metric(record, "rank", arena_printf(&record->arena, "%s_max_s", category->name), "s",
                      units_s(max_ps));
    }
    record_share(record, phase, "ended", "waiting", left_ps);
}

void replay_record(const struct replay *replay, struct record *record)
{
    record_metric(record, "run", "operations", "1", (double)replay->over);
    record_metric(record, "run", "operations_all", "1", (double)replay->ops);
    record_metric(record, "run", "ranks", "1", (double)replay->trace.rank_n);
    record_metric(record, "run", "messages", "1", (double)replay->messages);
    record_metric(record, "run", "message_bytes", "bytes",
                  (double)exec_bytes(replay->exec, EXEC_PP));
    record_metric(record, "run", "collectives", "1", (double)replay->collectives);
    record_metric(record, "run", "collective_bytes", "bytes",
                  (double)exec_bytes(replay->exec, EXEC_DP));
    if (replay->end_ps < 0) return;
    record_metric(record, "run", "makespan_s", "s", units_s(replay->end_ps));
    record_times(replay, record);
}
