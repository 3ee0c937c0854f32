/* maxflow.c - Dinic's algorithm: breadth-first layers, then augmenting paths along them until no
 * path is left, as often as there are layers to the sink.
 *
 * Source: E. A. Dinic, Soviet Math. Doklady 11 (1970).
 */
#include "models/topo/maxflow.h"

#include <stdbool.h>

#include "sim/base/check.h"

struct maxflow_arc {
    int32_t to;
    int64_t next; /* of the same node, -1 = none */
    int64_t left; /* what it can still carry */
};

/* struct run: maxflow_run under way; arrays of node_n. */
struct run {
    struct maxflow *flow;
    int64_t *head; /* first arc of each node */
    int64_t *at;   /* the arc to try next */
    int32_t *layer, *queue;
    int64_t *path; /* arcs from the source to where the search stands */
};

void maxflow_arc(struct maxflow *flow, int32_t from, int32_t to, int64_t cap)
{
    flow->arcs =
        arena_grow(flow->arena, flow->arcs, &flow->arc_cap, flow->arc_n + 2, sizeof *flow->arcs);
    flow->arcs[flow->arc_n++] = (struct maxflow_arc){.to = to, .left = cap};
    flow->arcs[flow->arc_n++] = (struct maxflow_arc){.to = from};
}

/* Chain the arcs of each node, in the order in which they were added. */
static void chain(struct run *run)
{
    struct maxflow *flow = run->flow;
    for (int32_t v = 0; v < flow->node_n; v++)
        run->head[v] = -1;
    for (int64_t a = flow->arc_n - 1; a >= 0; a--) {
        int32_t from = flow->arcs[a ^ 1].to;
        flow->arcs[a].next = run->head[from];
        run->head[from] = a;
    }
}

/* Layers of nodes by their distance from the source; is the sink in one? */
static bool find_layers(struct run *run, int32_t source, int32_t sink)
{
    const struct maxflow *flow = run->flow;
    int64_t queue_n = 1;
    for (int32_t v = 0; v < flow->node_n; v++) {
        run->layer[v] = -1;
        run->at[v] = run->head[v];
    }
    run->layer[source] = 0;
    run->queue[0] = source;
    for (int64_t i = 0; i < queue_n; i++)
        for (int64_t a = run->head[run->queue[i]]; a >= 0; a = flow->arcs[a].next) {
            int32_t to = flow->arcs[a].to;
            if (run->layer[to] >= 0 || flow->arcs[a].left == 0) continue;
            run->layer[to] = run->layer[run->queue[i]] + 1;
            run->queue[queue_n++] = to;
        }
    return run->layer[sink] >= 0;
}

/* Fill the path just found; returns what it carries. */
static int64_t augment(struct run *run, int32_t length)
{
    struct maxflow_arc *arcs = run->flow->arcs;
    int64_t most = arcs[run->path[0]].left;
    for (int32_t i = 1; i < length; i++)
        if (arcs[run->path[i]].left < most) most = arcs[run->path[i]].left;
    for (int32_t i = 0; i < length; i++) {
        arcs[run->path[i]].left -= most;
        arcs[run->path[i] ^ 1].left += most;
    }
    return most;
}

/* Depth first along the layers; a node whose arcs are used up is not entered again. */
static int64_t fill_layers(struct run *run, int32_t source, int32_t sink)
{
    const struct maxflow_arc *arcs = run->flow->arcs;
    int64_t sum = 0;
    int32_t length = 0;
    for (int32_t v = source;;) {
        if (v == sink) {
            sum += augment(run, length);
            v = source;
            length = 0;
        }
        int64_t a = run->at[v];
        while (a >= 0 && (arcs[a].left == 0 || run->layer[arcs[a].to] != run->layer[v] + 1))
            a = arcs[a].next;
        run->at[v] = a;
        if (a >= 0) {
            run->path[length++] = a;
            v = arcs[a].to;
        } else if (length == 0) {
            return sum;
        } else {
            v = arcs[run->path[--length] ^ 1].to;
            run->at[v] = arcs[run->at[v]].next; /* that arc leads nowhere */
        }
    }
}

int64_t maxflow_run(struct maxflow *flow, int32_t source, int32_t sink)
{
    CHECK(source != sink, "a flow from node %d to itself", source);
    struct run run = {.flow = flow,
                      .head = ARENA_ARRAY(flow->arena, int64_t, flow->node_n),
                      .at = ARENA_ARRAY(flow->arena, int64_t, flow->node_n),
                      .layer = ARENA_ARRAY(flow->arena, int32_t, flow->node_n),
                      .queue = ARENA_ARRAY(flow->arena, int32_t, flow->node_n),
                      .path = ARENA_ARRAY(flow->arena, int64_t, flow->node_n)};
    int64_t sum = 0;
    chain(&run);
    while (find_layers(&run, source, sink))
        sum += fill_layers(&run, source, sink);
    return sum;
}
