/* replay_graph.c - who waits for whom in a trace, turned round: who may start when one has ended.
 *
 * Apart from what operations do. The one idea: each operation counts what it still waits for; who
 * starts or ends tells its followers, and the last one to tell puts the operation into the queue of
 * its stream. 9 bytes per operation and 4 per dependency on top of the trace.
 * NOT modelled: control dependencies of Chakra (who called whom), as in its other replayers.
 */
#include "models/replay/replay_live.h"

#define STREAM_IDS (UINT16_MAX + 1)

static bool is_mark(const struct replay_graph *graph, const struct trace_op *op)
{
    return op->kind == TRACE_MARK ||
           (!graph->memory && (op->kind == TRACE_LOAD || op->kind == TRACE_STORE));
}

/* ---- queues ---------------------------------------------------------------------------------- */

static struct replay_queue *queue_of(const struct replay_graph *graph, struct replay_rank *rank,
                                     uint32_t i)
{
    const struct trace_op *op = &rank->trace->op[i];
    if (is_mark(graph, op)) return &rank->marks;
    return &rank->queue[op->kind == TRACE_COMPUTE ? graph->stream_of[op->stream]
                                                  : graph->streams - 1];
}

static void may_start(const struct replay_graph *graph, struct replay_rank *rank, uint32_t i)
{
    struct replay_queue *queue = queue_of(graph, rank, i);
    if (queue->first)
        rank->next[queue->last - 1] = i + 1;
    else
        queue->first = i + 1;
    queue->last = i + 1;
}

static void tell(const struct replay_graph *graph, struct replay_rank *rank, uint32_t i,
                 enum trace_wait what)
{
    for (uint32_t f = rank->follower_first[i]; f < rank->follower_first[i + 1]; f++) {
        const struct trace_dep follower = rank->follower[f];
        if (follower.wait == what && --rank->wait_n[follower.op] == 0)
            may_start(graph, rank, follower.op);
    }
}

static void end_marks(const struct replay_graph *graph, struct replay_rank *rank)
{
    struct replay_queue *marks = &rank->marks;
    while (marks->first) {
        uint32_t i = marks->first - 1;
        marks->first = rank->next[i];
        rank->state[i] = REPLAY_OVER;
        tell(graph, rank, i, TRACE_START);
        tell(graph, rank, i, TRACE_END);
    }
}

void replay_graph_release(struct replay_graph *graph, struct replay_rank *rank, uint32_t i,
                          enum trace_wait what)
{
    tell(graph, rank, i, what);
    end_marks(graph, rank);
}

/* ---- building -------------------------------------------------------------------------------- */

/* Streams of compute in the order of the time that they take, all ranks together: the first one is
 * where a rank's time is counted. */
static void number_streams(struct replay_graph *graph, struct arena *arena)
{
    const struct trace *trace = graph->trace;
    double *time_ps = ARENA_ARRAY(arena, double, STREAM_IDS);
    bool *there = ARENA_ARRAY(arena, bool, STREAM_IDS);
    graph->stream_of = ARENA_ARRAY(arena, int32_t, STREAM_IDS);
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind != TRACE_COMPUTE) continue;
            there[op->stream] = true;
            time_ps[op->stream] += (double)op->duration_ps + (double)op->flop;
        }
    for (;;) {
        int most = -1;
        for (int s = 0; s < STREAM_IDS; s++)
            if (there[s] && (most < 0 || time_ps[s] > time_ps[most])) most = s;
        if (most < 0) break;
        there[most] = false;
        graph->stream_of[most] = graph->streams++;
    }
    if (graph->streams == 0) graph->streams = 1; /* a rank's time is counted in a stream 0 */
    graph->streams++;
}

/* turn_round notes for each operation who waits for it. */
static void turn_round(struct replay_rank *rank, struct arena *arena)
{
    const struct trace_rank *trace = rank->trace;
    rank->follower_first = ARENA_ARRAY(arena, uint32_t, trace->op_n + 2);
    for (int64_t d = 0; d < trace->dep_n; d++)
        if (trace->dep[d].wait != TRACE_CALLED) rank->follower_first[trace->dep[d].op + 2]++;
    for (int64_t i = 2; i <= trace->op_n; i++)
        rank->follower_first[i + 1] += rank->follower_first[i];
    rank->follower = ARENA_ARRAY(arena, struct trace_dep, rank->follower_first[trace->op_n + 1]);
    for (int64_t i = 0; i < trace->op_n; i++)
        for (uint32_t d = trace->dep_first[i]; d < trace->dep_first[i + 1]; d++) {
            const struct trace_dep dep = trace->dep[d];
            if (dep.wait == TRACE_CALLED) continue;
            rank->follower[rank->follower_first[dep.op + 1]++] =
                (struct trace_dep){.op = (uint32_t)i & TRACE_OPS_MAX, .wait = dep.wait};
            rank->wait_n[i]++;
        }
}

static void prepare_rank(struct replay_graph *graph, int64_t r, struct arena *arena)
{
    struct replay_rank *rank = &graph->rank[r];
    rank->trace = &graph->trace->rank[r];
    int64_t n = rank->trace->op_n;
    rank->wait_n = ARENA_ARRAY(arena, uint32_t, n);
    rank->next = ARENA_ARRAY(arena, uint32_t, n);
    rank->state = ARENA_ARRAY(arena, uint8_t, n);
    rank->queue = ARENA_ARRAY(arena, struct replay_queue, graph->streams);
    turn_round(rank, arena);
    for (uint32_t i = 0; i < n; i++) {
        queue_of(graph, rank, i)->left++;
        if (rank->wait_n[i] == 0) may_start(graph, rank, i);
    }
    end_marks(graph, rank);
}

static void seat_members(struct replay_graph *graph, struct arena *arena)
{
    const struct trace *trace = graph->trace;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t r = 0; pass == 1 && r < trace->rank_n; r++) {
            struct replay_rank *rank = &graph->rank[r];
            rank->seat = ARENA_ARRAY(arena, struct replay_seat, rank->seat_n);
            rank->seat_n = 0;
        }
        for (int64_t g = 0; g < trace->group_n; g++)
            for (int32_t m = 0; trace->group[g].rank && m < trace->group[g].n; m++) {
                struct replay_rank *rank = &graph->rank[trace->group[g].rank[m]];
                if (pass == 1) rank->seat[rank->seat_n] = (struct replay_seat){(int32_t)g, m};
                rank->seat_n++;
            }
    }
}

int32_t replay_graph_member(const struct replay_graph *graph, int32_t rank, int32_t group)
{
    if (!graph->trace->group[group].rank) return rank;
    const struct replay_rank *of = &graph->rank[rank];
    for (int32_t s = 0; s < of->seat_n; s++)
        if (of->seat[s].group == group) return of->seat[s].member;
    return -1;
}

void replay_graph_new(struct replay_graph *graph, const struct trace *trace, bool memory,
                      struct arena *arena)
{
    *graph = (struct replay_graph){.trace = trace, .memory = memory};
    graph->rank = ARENA_ARRAY(arena, struct replay_rank, trace->rank_n);
    number_streams(graph, arena);
    for (int64_t r = 0; r < trace->rank_n; r++)
        prepare_rank(graph, r, arena);
    seat_members(graph, arena);
}
