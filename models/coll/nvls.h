/* nvls.h - reductions in the NVSwitch, alone (coll_nvls.c) or with trees between
 * (coll_nvls_tree.c). Pure; the functions of struct coll_ops. */
#ifndef RAILSIM_MODELS_COLL_NVLS_H
#define RAILSIM_MODELS_COLL_NVLS_H

#include "models/coll/coll.h"

const char *nvls_plan(struct coll_plan *plan, struct arena *arena);
bool nvls_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
               struct coll_step *step);
struct coll_seat nvls_seat(const struct coll_plan *plan, int32_t agent);
void nvls_suit(struct coll_ask *ask);

#endif
