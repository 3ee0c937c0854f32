/* coll_draw.h - a collective's steps as spans: a lane per rank, and one per block of it. */
#ifndef RAILSIM_MODELS_CLUSTER_COLL_DRAW_H
#define RAILSIM_MODELS_CLUSTER_COLL_DRAW_H

#include "models/cluster/cluster.h"
#include "models/coll/coll.h"
#include "sim/base/spans.h"

/* struct coll_draw_place: block `block` (-1 = the rank as a whole) of `blocks` on a GPU. */
struct coll_draw_place {
    const struct cluster *cluster;
    int32_t gpu, block, blocks;
};
struct spans_lane coll_draw_lane(const struct coll_draw_place *place);

/* coll_draw_name names a block's lane; with that of the first block the rank's, too. */
void coll_draw_name(const struct spans *to, const struct coll_draw_place *place);

/* coll_draw_step draws what a block has waited for and moved since start_ps; nothing, if that took
 * no time, or moved nothing. */
void coll_draw_step(const struct spans *to, const struct coll_draw_place *place,
                    const struct coll_step *step, int64_t start_ps);

#endif
