/* msccl_plan.h - an algorithm of MSCCL as a plan of coll.h, to be run like any other. */
#ifndef RAILSIM_MODELS_TRACE_MSCCL_PLAN_H
#define RAILSIM_MODELS_TRACE_MSCCL_PLAN_H

#include "models/coll/coll.h"
#include "models/trace/msccl.h"

/* msccl_plan applies algorithm, which must outlive the plan, to ask, whose channels it sets: the
 * file says how many. Returns NULL, or why it cannot (C048). The plan lives as long as arena. */
const char *msccl_plan(struct coll_plan *plan, const struct msccl *algorithm,
                       const struct coll_ask *ask, struct arena *arena);

/* msccl_plan_name returns what the algorithm of a plan is called, in one word; NULL if the plan is
 * not msccl_plan's. */
const char *msccl_plan_name(const struct coll_plan *plan);

#endif
