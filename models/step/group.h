/* group.h - a collective of some of a cluster's GPUs: chosen and planned as one of all of them. */
#ifndef RAILSIM_MODELS_STEP_GROUP_H
#define RAILSIM_MODELS_STEP_GROUP_H

#include "models/cluster/cluster.h"
#include "models/cluster/collective.h"
#include "models/cluster/device.h"

/* struct group_site: where it runs. */
struct group_site {
    struct cluster *cluster;
    const struct collective_facts *facts;
    const struct device_facts *device;
    const int32_t *gpu; /* [n] of the members; NULL = 0 .. n-1 */
    int32_t n;
    int64_t messages_max; /* see exec_cfg */
};

/* struct group_ask: what is to be done; algorithm 0 = auto. */
struct group_ask {
    enum coll_op op;
    int64_t bytes;
    int32_t algorithm, root;
};

/* struct group_made: how coll_run is to run the plan. */
struct group_made {
    struct coll_run_cfg run; /* lag, launch_ps, block_bps, slots; the rest is the caller's */
    bool together;           /* no member leaves before the last one is done */
};

/* group_plan chooses (as collective_choose does, so that the workload kind `collective` takes the
 * same time) and plans, in bulk where that would be more than messages_max messages; the plan lives
 * in the simulation's arena. Returns NULL, or why it cannot. */
const char *group_plan(const struct group_site *site, const struct group_ask *ask,
                       struct coll_plan *plan, struct group_made *made);

#endif
