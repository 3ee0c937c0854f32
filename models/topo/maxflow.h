/* maxflow.h - the most that can flow from one node of a network to another (Dinic). Pure. */
#ifndef RAILSIM_MODELS_TOPO_MAXFLOW_H
#define RAILSIM_MODELS_TOPO_MAXFLOW_H

#include <stdint.h>

#include "sim/base/arena.h"

/* struct maxflow: set arena and node_n, add arcs, run once. */
struct maxflow {
    struct arena *arena;
    int32_t node_n;
    struct maxflow_arc *arcs; /* arc 2i and its reverse 2i+1 */
    int64_t arc_n, arc_cap;
};

/* maxflow_arc adds an arc; cap >= 0 in any unit; all caps at one node add up to less than 2^63. */
void maxflow_arc(struct maxflow *flow, int32_t from, int32_t to, int64_t cap);
/* maxflow_run returns the flow from source to sink, which differ. */
int64_t maxflow_run(struct maxflow *flow, int32_t source, int32_t sink);

#endif
