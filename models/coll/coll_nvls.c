/* coll_nvls.c - reduction and multicast in the NVSwitch of one domain; see nvls.c. */
#include "models/coll/nvls.h"

static const char *plan_one_domain(struct coll_plan *plan, struct arena *arena)
{
    if (plan->ask.ranks != plan->ask.local)
        return "it works inside one NVLink domain; nvls_tree joins several";
    return nvls_plan(plan, arena);
}

const struct coll_ops coll_nvls = {
    .help = "reduction and multicast in the NVSwitch of one domain",
    .can = COLL_BIT(COLL_ALL_REDUCE) | COLL_BIT(COLL_ALL_GATHER) | COLL_BIT(COLL_REDUCE_SCATTER),
    .plan = plan_one_domain,
    .step = nvls_step,
    .seat = nvls_seat,
    .suit = nvls_suit,
};
