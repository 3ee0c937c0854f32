/* coll_run.h - runs a collective's schedule over a cluster, step by step.
 *
 * Many runs may be under way on one cluster, on any groups of ranks, each rank entering when it is
 * ready; a run that is done may be started again, at no cost in memory.
 */
#ifndef RAILSIM_MODELS_CLUSTER_COLL_RUN_H
#define RAILSIM_MODELS_CLUSTER_COLL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "models/cluster/cluster.h"
#include "models/coll/coll.h"
#include "sim/base/arena.h"
#include "sim/base/spans.h"

struct coll_run;
/* coll_run_fn is told that a rank is done; the last one may start the run again from inside. */
typedef void coll_run_fn(struct sim *sim, struct coll_run *run, int32_t rank);

/* struct coll_run_cfg: a plan and where its ranks are. */
struct coll_run_cfg {
    const struct coll_plan *plan;
    const int32_t *gpu;        /* [plan->ask.ranks] of the cluster; NULL: rank r is GPU r */
    struct cluster_lag lag;    /* software time of a hop */
    int64_t launch_ps;         /* from coll_run_enter to a rank's first step */
    int64_t block_bps;         /* what a rank's block moves: a step's time; 0 = no time */
    int32_t slots;             /* messages sent on a lane and not yet taken in; NCCL_STEPS */
    uint32_t stream;           /* first of the streams that it uses: stream + lane */
    const struct spans *spans; /* told of every step of a rank's blocks; NULL = nobody draws */
    coll_run_fn *done;
    void *owner;
};

/* coll_run_new makes a run in the simulation's arena; cfg is copied, what it points to must outlive
 * the run. */
struct coll_run *coll_run_new(struct cluster *cluster, const struct coll_run_cfg *cfg);
void *coll_run_owner(const struct coll_run *run);

/* coll_run_enter: a rank is ready to take part, now. Every rank enters once per round; a round ends
 * when all ranks are done. */
void coll_run_enter(struct coll_run *run, int32_t rank);
/* coll_run_start is coll_run_enter of all ranks. */
void coll_run_start(struct coll_run *run);

/* coll_run_waits_for says which rank, block and step are stuck, and on what; "" if the round has
 * ended. */
const char *coll_run_waits_for(const struct coll_run *run, struct arena *arena);

/* struct coll_run_count: of all rounds so far. sent = received once a round has ended. */
struct coll_run_count {
    int64_t rounds, steps, sent, received; /* messages */
    int64_t bytes;                         /* of payload sent */
};
struct coll_run_count coll_run_count(const struct coll_run *run);
/* coll_run_sent_bytes returns the payload that a rank (or an agent) has sent so far. */
int64_t coll_run_sent_bytes(const struct coll_run *run, int32_t rank);

#endif
