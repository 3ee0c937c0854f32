/* facts.h - what one asks of a network before using it: switches and cables by tier, lengths of
 * ways, oversubscription, bisection bandwidth. Pure.
 */
#ifndef RAILSIM_MODELS_TOPO_FACTS_H
#define RAILSIM_MODELS_TOPO_FACTS_H

#include <stdint.h>

#include "models/topo/topo.h"
#include "sim/base/arena.h"

#define FACTS_TIERS 8   /* tier 0 are endpoints; further ones count as the last */
#define FACTS_CABLES 24 /* pairs of tiers with cables between them */

/* struct facts_cables: all cables between two tiers. */
struct facts_cables {
    int low, high; /* tiers, low <= high */
    int64_t n;
    int64_t bps;              /* of all of them, one way */
    int64_t min_bps, max_bps; /* of one */
};

struct facts {
    int64_t endpoints, switches, cables;
    int tiers;                       /* highest tier */
    int64_t tier_n[FACTS_TIERS + 1]; /* switches of each tier, from 1 on; 0: endpoints */
    struct facts_cables cable[FACTS_CABLES];
    int cable_n;                  /* by low, then high */
    double over[FACTS_TIERS + 1]; /* of a tier: rate of cables below to that of cables above; 0 =
                                     none above */
    int64_t hops_min, hops_max;   /* links between two endpoints; 0 = there is only one */
    double hops_mean;             /* over all pairs */
    int64_t unreached;            /* pairs of endpoints with no way */
    int64_t bisection_bps; /* what half of the endpoints, in the order of their switches, can send
                              to the other half: maximum flow, one way */
    int64_t half_bps;      /* what their own links carry */
};

/* facts_tiers returns for each node of graph its distance from the nearest of the endpoints: 0 for
 * them, 1 for leaves, ...; at most FACTS_TIERS; -1 where none is reached. In arena. */
int32_t *facts_tiers(struct arena *arena, const struct topo_graph *graph,
                     const struct topo_made *made);
/* facts_of finds the facts of a graph as a family made it: every endpoint has one cable, to a
 * switch. Scratch memory comes from arena. */
void facts_of(struct arena *arena, const struct topo_graph *graph, const struct topo_made *made,
              struct facts *facts);

#endif
