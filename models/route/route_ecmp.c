/* route_ecmp.c - equal-cost multipath: the hash of the five-tuple picks the link, for good.
 *
 * Packets of a queue pair stay in order; two large flows that hash alike share a link however idle
 * the others are: n flows on n links reach 1-(1-1/n)^n of the links (fabric.md section 4.4).
 * A flow whose link is down is hashed again over those that are up; all other flows stay.
 * NOT modelled: unequal weights, limits on the number of members of a group.
 */
#include "models/route/route.h"

enum ecmp_salt { SALT_SWITCH, SALT_NONE };

struct ecmp_cfg {
    int salt; /* enum ecmp_salt */
};

static const char *const salt_words[] = {"switch", "none", NULL};

static const struct schema_field fields[] = {
    {.key = "salt",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct ecmp_cfg, salt),
     .fallback = "switch",
     .words = salt_words,
     .help = "What is hashed besides the flow: the switch, or nothing (all switches then choose "
             "alike: hash polarisation)."},
    {.key = NULL},
};

const struct schema route_ecmp_schema = {
    .name = "ecmp",
    .help = "Equal-cost multipath: the link is a hash of the flow and the switch.",
    .size = sizeof(struct ecmp_cfg),
    .fields = fields,
};

static size_t state_bytes(const void *config, const struct route_switch *facts)
{
    (void)config;
    (void)facts;
    return 0;
}

static void init(void *state, const void *config, const struct route_switch *facts)
{
    (void)state;
    (void)config;
    (void)facts;
}

static int32_t pick(void *state, const void *config, const struct route_view *view, struct rng *rng)
{
    (void)state;
    (void)rng;
    const struct ecmp_cfg *cfg = config;
    uint32_t salt = cfg->salt == SALT_SWITCH ? (uint32_t)view->node : 0;
    uint32_t hash = route_hash(view->flow, salt);
    int32_t i = (int32_t)((uint64_t)hash * (uint32_t)view->n >> 32);
    return route_up(view, i,
                    hash * UINT32_C(0x9e3779b1)); /* the lower bits choose among the rest */
}

static int32_t foresee(const void *state, const void *config, const struct route_view *view,
                       const struct rng *rng)
{
    (void)state;
    (void)rng;
    return pick(NULL, config, view, NULL);
}

const struct route_ops route_ecmp = {
    .help = "the hash of a flow picks its link",
    .per_flow = true,
    .state_bytes = state_bytes,
    .init = init,
    .pick = pick,
    .foresee = foresee,
};
