/* coll_nvls_tree.c - reduction in the NVSwitch, double binary trees between domains; see nvls.c. */
#include "models/coll/nvls.h"

static const char *plan_domains(struct coll_plan *plan, struct arena *arena)
{
    if (plan->ask.ranks == plan->ask.local)
        return "it joins several NVLink domains; nvls is for one";
    return nvls_plan(plan, arena);
}

const struct coll_ops coll_nvls_tree = {
    .help = "reduction in NVSwitches, double binary trees per rail between them",
    .can = COLL_BIT(COLL_ALL_REDUCE),
    .plan = plan_domains,
    .step = nvls_step,
    .seat = nvls_seat,
    .suit = nvls_suit,
};
