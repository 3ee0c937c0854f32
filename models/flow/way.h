/* way.h - the ways of messages through a topology, each found once. Pure: no clock. */
#ifndef RAILSIM_MODELS_FLOW_WAY_H
#define RAILSIM_MODELS_FLOW_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/topo/topo.h"

/* struct way: from src to dst for messages of a stream. */
struct way {
    int32_t src, dst;
    uint32_t stream;
    int32_t path_n;
    int64_t delay_ps;
    int64_t cap_bps; /* of the slowest link, as the topology has it */
    bool kept;
    int32_t path[];
};

struct ways;

/* ways_new finds ways in graph; what it keeps lives in the graph's arena. */
struct ways *ways_new(struct topo_graph *graph);

/* ways_find returns the way of a stream's messages: which of several equally short ones is the
 * topology's choice. CHECKs that there is one. It stays until way_done, at least. */
const struct way *ways_find(struct ways *ways, int32_t src, int32_t dst, uint32_t stream);
/* ways_done gives back what ways_find returned. */
void ways_done(struct ways *ways, const struct way *way);

/* ways_rank numbers links in rank[link_n] about as paths run through them: those that leave
 * endpoints first, then by their distance from the nearest endpoint, last those into endpoints. */
void ways_rank(const struct topo_graph *graph, int32_t *rank);

#endif
