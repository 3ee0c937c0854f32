/* trace_build.c - from operations and edges in the order of a file to the arrays of a rank.
 *
 * Apart from the formats, which only say what they read. The one idea: a rank grows in scratch
 * memory that is used again for the next one, and is copied once, in its final size, so that a
 * trace of gigabytes of text needs its own size plus that of its largest rank. A rank whose
 * operations wait for one another in a circle would hang a replay: it is refused here. Not
 * modelled: circles that go through other ranks (a replay finds those, with the blocked rank).
 */
#include "models/trace/trace_build.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/check.h"

void trace_build_begin(struct trace_build *build, int64_t rank_n)
{
    struct trace *trace = build->trace;
    CHECK(rank_n > 0 && rank_n <= TRACE_RANKS_MAX, "%" PRId64 " ranks", rank_n);
    *trace = (struct trace){.rank_n = rank_n};
    trace->rank = ARENA_ARRAY(build->arena, struct trace_rank, rank_n);
    trace_build_group(build, "", 0)->n = (int32_t)rank_n;
    uint32_t *nothing = ARENA_NEW(build->arena, uint32_t); /* dep_first of no operation */
    for (int64_t i = 0; i < rank_n; i++)
        trace->rank[i].dep_first = nothing;
    trace_keys_add(&build->names, "", 0);
}

struct trace_op *trace_build_op(struct trace_build *build)
{
    if (build->op_n == TRACE_OPS_MAX) return NULL;
    build->op = mem_grow(build->op, &build->op_cap, build->op_n + 1, sizeof *build->op);
    struct trace_op *op = &build->op[build->op_n++];
    *op = (struct trace_op){.peer = TRACE_ANY, .tag = TRACE_ANY};
    return op;
}

void trace_build_wait(struct trace_build *build, const struct trace_edge *edge)
{
    build->edge = mem_grow(build->edge, &build->edge_cap, build->edge_n + 1, sizeof *build->edge);
    build->edge[build->edge_n++] = *edge;
}

uint32_t trace_build_name(struct trace_build *build, const char *text, size_t len)
{
    return (uint32_t)trace_keys_add(&build->names, text, len);
}

struct trace_group *trace_build_group(struct trace_build *build, const char *text, size_t len)
{
    struct trace *trace = build->trace;
    if (trace_keys_add(&build->groups, text, len) < trace->group_n) return NULL;
    trace->group = arena_grow(build->arena, trace->group, &build->group_cap, trace->group_n + 1,
                              sizeof *trace->group);
    struct trace_group *group = &trace->group[trace->group_n++];
    *group = (struct trace_group){.name = arena_printf(build->arena, "%.*s", (int)len, text)};
    return group;
}

/* Sort the edges by the operation that waits, in the order of the file within each. */
static void store_deps(struct trace_build *build, struct trace_rank *rank)
{
    uint32_t *first = rank->dep_first;
    for (int64_t i = 0; i < build->edge_n; i++)
        first[build->edge[i].op + 1]++;
    for (int64_t i = 0; i < rank->op_n; i++)
        first[i + 1] += first[i];
    /* Filling moves each start to its end, which is the next one's start: shifted back below. */
    for (int64_t i = 0; i < build->edge_n; i++) {
        const struct trace_edge *edge = &build->edge[i];
        rank->dep[first[edge->op]++] =
            (struct trace_dep){.op = edge->on & TRACE_OPS_MAX, .wait = edge->wait & 3};
    }
    memmove(first + 1, first, (size_t)rank->op_n * sizeof *first);
    first[0] = 0;
}

/* struct order: what is left of a rank when operations end one after the other. */
struct order {
    uint32_t *waits;        /* of operation i, not yet fulfilled */
    uint32_t *first, *next; /* operations that wait for i: next[first[i]] .. */
    uint32_t *ready;
};

static bool follows(const struct trace_edge *edge)
{
    return edge->wait != TRACE_CALLED;
}

/* Kahn's algorithm: ends operations as long as one can start. */
static int64_t find_stuck(const struct trace_edges *edges, struct order *order)
{
    int64_t ready_n = 0;
    for (int64_t i = 0; i < edges->n; i++) {
        if (!follows(&edges->edge[i])) continue;
        order->waits[edges->edge[i].op]++;
        order->first[edges->edge[i].on + 1]++;
    }
    for (int64_t i = 0; i < edges->op_n; i++)
        order->first[i + 1] += order->first[i];
    for (int64_t i = 0; i < edges->n; i++)
        if (follows(&edges->edge[i]))
            order->next[order->first[edges->edge[i].on]++] = edges->edge[i].op;
    for (int64_t i = 0; i < edges->op_n; i++)
        if (order->waits[i] == 0) order->ready[ready_n++] = (uint32_t)i;
    for (int64_t at = 0; at < ready_n; at++) {
        /* Filling moved each start to its end, which is where the next one starts. */
        uint32_t op = order->ready[at], i = op > 0 ? order->first[op - 1] : 0;
        for (; i < order->first[op]; i++)
            if (--order->waits[order->next[i]] == 0) order->ready[ready_n++] = order->next[i];
    }
    for (int64_t i = 0; i < edges->op_n; i++)
        if (order->waits[i] > 0) return i;
    return -1;
}

int64_t trace_build_stuck(const struct trace_edges *edges)
{
    bool forward = true; /* each waits only for earlier ones: no circle, and nearly always so */
    for (int64_t i = 0; i < edges->n && forward; i++)
        forward = !follows(&edges->edge[i]) || edges->edge[i].on < edges->edge[i].op;
    if (forward) return -1;
    struct arena scratch = {0};
    struct order order = {
        .waits = ARENA_ARRAY(&scratch, uint32_t, edges->op_n),
        .first = ARENA_ARRAY(&scratch, uint32_t, edges->op_n + 1),
        .next = ARENA_ARRAY(&scratch, uint32_t, edges->n),
        .ready = ARENA_ARRAY(&scratch, uint32_t, edges->op_n),
    };
    int64_t stuck = find_stuck(edges, &order);
    arena_free(&scratch);
    return stuck;
}

bool trace_build_rank(struct trace_build *build, int64_t number, const char *file)
{
    struct trace_rank *rank = &build->trace->rank[number];
    CHECK(build->edge_n <= UINT32_MAX, "%" PRId64 " dependencies", build->edge_n);
    rank->file = file;
    rank->op_n = build->op_n;
    rank->dep_n = build->edge_n;
    rank->op = ARENA_ARRAY(build->arena, struct trace_op, rank->op_n);
    if (rank->op_n > 0) memcpy(rank->op, build->op, (size_t)rank->op_n * sizeof *rank->op);
    rank->dep_first = ARENA_ARRAY(build->arena, uint32_t, rank->op_n + 1);
    rank->dep = ARENA_ARRAY(build->arena, struct trace_dep, rank->dep_n);
    store_deps(build, rank);
    int64_t stuck =
        trace_build_stuck(&(struct trace_edges){build->edge, build->edge_n, build->op_n});
    build->op_n = build->edge_n = 0;
    if (stuck < 0) return true;
    return err_add(build->err, trace_place(build->trace, number, stuck),
                   "C088: %s of rank %" PRId64
                   " never starts: what it waits for waits for it, or for one that does",
                   trace_which(build->trace, number, stuck, build->arena), number);
}

void trace_build_end(struct trace_build *build)
{
    const struct trace_keys *names = &build->names;
    const char **name = ARENA_ARRAY(build->arena, const char *, names->n);
    char *text = arena_alloc(build->arena, (size_t)(names->text_n + names->n));
    for (int64_t i = 0; i < names->n; i++) {
        size_t len;
        const char *key = trace_keys_text(names, i, &len);
        name[i] = text;
        if (len) memcpy(text, key, len);
        text += len + 1; /* the arena gave zeros */
    }
    build->trace->name = name;
    build->trace->name_n = names->n;
}

void trace_build_free(struct trace_build *build)
{
    mem_free(build->op);
    mem_free(build->edge);
    trace_keys_free(&build->names);
    trace_keys_free(&build->groups);
}
