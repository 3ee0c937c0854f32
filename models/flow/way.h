/* way.h - the ways of messages through a topology, each found once. Pure: no clock. */
#ifndef RAILSIM_MODELS_FLOW_WAY_H
#define RAILSIM_MODELS_FLOW_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/flow/bundle.h"
#include "models/topo/topo.h"

struct flow;

/* struct way: from src to dst for messages of a stream. */
struct way {
    int32_t src, dst;
    uint32_t stream;
    int32_t path_n;
    int64_t delay_ps;
    int64_t cap_bps;   /* of the slowest bundle, as the topology has it */
    struct flow *last; /* the fabric's: of the messages that have not left the last one to come */
    int32_t users;     /* ways_find less ways_done */
    uint32_t state;    /* of the links, when it was found: ways_is_new */
    bool kept, listed;
    int32_t path[]; /* [path_n] bundles, none twice */
};

struct ways;

/* ways_new finds ways in graph as bundles; what it keeps lives in the graph's arena. */
struct ways *ways_new(struct topo_graph *graph, const struct bundles *bundles);

/* ways_find returns the way of a stream's messages: which of several equally short ones is the
 * topology's choice. While a bundle on it is down it is a shortest one without the links that are,
 * if there is one. CHECKs that there is one in the topology. It stays until ways_done. */
struct way *ways_find(struct ways *ways, int32_t src, int32_t dst, uint32_t stream);
/* ways_done gives back what ways_find returned. */
void ways_done(struct ways *ways, struct way *way);

/* ways_set_down says that a link is down, or up again. Returns whether that changes ways: the last
 * link of a bundle went down, or the first came back. */
bool ways_set_down(struct ways *ways, int32_t link, bool down);
/* ways_is_new returns whether a way is what ways_find would find now. */
bool ways_is_new(struct ways *ways, struct way *way);

/* ways_rank numbers links in rank[link_n] about as paths run through them: those that leave
 * endpoints first, then by their distance from the nearest endpoint, last those into endpoints. */
void ways_rank(const struct topo_graph *graph, int32_t *rank);

#endif
