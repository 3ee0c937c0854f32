/* bundle.h - links that carry as one, because packets are spread over all of them. Pure: no clock.
 *
 * Where routing spreads the packets of a message, what counts at a hop is the set of links that
 * shortest paths use there, not the one that a hash picks. Such hop sets are equal or disjoint in
 * fabrics of the Clos family, and each becomes a bundle.
 */
#ifndef RAILSIM_MODELS_FLOW_BUNDLE_H
#define RAILSIM_MODELS_FLOW_BUNDLE_H

#include <stdint.h>

#include "models/topo/topo.h"

/* struct bundle: link[n], rising. */
struct bundle {
    const int32_t *link;
    int32_t n;
};

/* struct bundles: a partition of the links: each is in one bundle. */
struct bundles {
    const struct bundle *bundle; /* [n], by their first link */
    const int32_t *of;           /* [link_n] the bundle of a link */
    int32_t n;
};

/* bundles_single makes each link a bundle of its own number, in arena. */
struct bundles bundles_single(const struct topo_graph *graph, struct arena *arena);

/* bundles_find makes bundles of what spreading uses alike: two links between switches are in one
 * bundle if every hop set, of any two edge switches, has both or neither. Where hop sets overlap in
 * part a message so has several bundles at a hop; one of them is its own by the hash of its path.
 * Where packets spread in proportion to rates would leave a switch faster than they come, or
 * slower (unequal numbers of links), the links before and behind it stay single. */
struct bundles bundles_find(struct topo_graph *graph, struct arena *arena);

#endif
