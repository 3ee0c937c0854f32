/* replay_why.c - why a replay does not go on: the operation that cannot end, and what it waits for.
 *
 * Apart because it only runs when something is wrong. The one idea: a rank that is stuck has an
 * operation that has started and is not over; it waits for a rank, which is stuck in turn: the
 * chain is told until it comes back to its beginning, or to its end.
 */
#include <inttypes.h>

#include "models/replay/replay_live.h"

#define LINKS_MAX 4 /* of the chain */

/* The first operation of a rank that has started and is not over; -1 if there is none. */
static int64_t stuck_op(const struct replay_graph *graph, int32_t rank)
{
    const struct replay_rank *at = &graph->rank[rank];
    for (int64_t i = 0; i < at->trace->op_n; i++)
        if (at->state[i] == REPLAY_STARTED) return i;
    return -1;
}

static bool same_call(const struct trace_op *a, const struct trace_op *b)
{
    return a->kind == b->kind && a->group == b->group && a->collective == b->collective &&
           a->bytes == b->bytes && a->peer == b->peer;
}

/* How often a rank has called what `call` calls. */
static int64_t calls(const struct replay_graph *graph, int32_t rank, const struct trace_op *call)
{
    const struct replay_rank *at = &graph->rank[rank];
    int64_t n = 0;
    for (int64_t i = 0; i < at->trace->op_n; i++)
        n += at->state[i] >= REPLAY_STARTED && same_call(&at->trace->op[i], call);
    return n;
}

/* The first member that has not come to a collective in which rank is; -1: all have. */
static int32_t missing(const struct replay_graph *graph, int32_t rank, const struct trace_op *call)
{
    const struct trace_group *group = &graph->trace->group[call->group];
    int64_t n = calls(graph, rank, call);
    for (int32_t m = 0; m < group->n; m++)
        if (calls(graph, trace_member(group, m), call) < n) return trace_member(group, m);
    return -1;
}

/* describe says what one rank waits for; *on: the rank on which that depends, -1 = none. */
static const char *describe(const struct replay_graph *graph, int32_t rank, int64_t i, int32_t *on,
                            struct arena *arena)
{
    const struct trace_op *op = &graph->rank[rank].trace->op[i];
    const char *me =
        arena_printf(arena, "rank %d, %s (%s, %s)", rank, trace_which(graph->trace, rank, i, arena),
                     replay_name(graph->trace, op),
                     graph->trace->lines ? trace_where(graph->trace, rank, i, arena)
                                         : graph->trace->rank[rank].file);
    *on = -1;
    if (op->kind == TRACE_RECV) {
        *on = op->peer;
        if (op->peer < 0) return arena_printf(arena, "%s waits for a message from any rank", me);
        return arena_printf(arena, "%s waits for a message from rank %d with tag %" PRId64, me,
                            op->peer, op->tag);
    }
    if (op->kind != TRACE_COLLECTIVE) return arena_printf(arena, "%s is under way", me);
    *on = missing(graph, rank, op);
    const char *group = graph->trace->group[op->group].name;
    if (*on < 0) return arena_printf(arena, "%s is under way in group '%s'", me, group);
    return arena_printf(arena, "%s waits for rank %d, which has not come to group '%s'", me, *on,
                        group);
}

const char *replay_why(const struct replay_graph *graph, struct arena *arena)
{
    const char *text = NULL;
    int32_t rank = 0;
    while (rank < graph->trace->rank_n && stuck_op(graph, rank) < 0)
        rank++;
    if (rank == graph->trace->rank_n) return NULL;
    const int32_t first = rank;
    for (int link = 0; link < LINKS_MAX && rank >= 0 && (link == 0 || rank != first); link++) {
        int64_t i = stuck_op(graph, rank);
        if (i < 0) break;
        const char *me = describe(graph, rank, i, &rank, arena);
        text = text ? arena_printf(arena, "%s; %s", text, me) : me;
    }
    return text;
}
