/* route_spray.c - every packet takes another link, whatever the queues are: at random or in turn.
 *
 * In turn, each group of candidates has a pointer of its own (known by its first port), which
 * starts where a hash of the switch says, so that switches do not walk in step.
 * NOT modelled: weights for links of unequal rate.
 */
#include "models/route/route.h"

enum spray_mode { SPRAY_RANDOM, SPRAY_ROUND_ROBIN };

struct spray_cfg {
    int mode; /* enum spray_mode */
};

static const char *const mode_words[] = {"random", "round-robin", NULL};

static const struct schema_field fields[] = {
    {.key = "mode",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct spray_cfg, mode),
     .fallback = "random",
     .words = mode_words,
     .help = "Whether packets take links at random or in turn.",
     .source = "Spectrum picks at random; in turn with ar.psm=1 (Cumulus Linux documentation)"},
    {.key = NULL},
};

const struct schema route_spray_schema = {
    .name = "spray",
    .help = "Per-packet spraying: every packet takes another link.",
    .size = sizeof(struct spray_cfg),
    .fields = fields,
};

/* The state: the next candidate of each group, by the group's first port. */
static size_t state_bytes(const void *config, const struct route_switch *facts)
{
    (void)config;
    return (size_t)facts->ports * sizeof(uint32_t);
}

static void init(void *state, const void *config, const struct route_switch *facts)
{
    (void)config;
    uint32_t *next = state;
    for (int32_t p = 0; p < facts->ports; p++)
        next[p] = route_hash((uint32_t)p, (uint32_t)facts->node) >> 1;
}

static int32_t pick(void *state, const void *config, const struct route_view *view, struct rng *rng)
{
    const struct spray_cfg *cfg = config;
    uint32_t n = (uint32_t)view->n;
    if (cfg->mode == SPRAY_RANDOM) {
        uint64_t draw = rng_u64(rng);
        uint64_t i = (draw >> 32) * n >> 32;
        return route_up(view, (int32_t)i, (uint32_t)draw);
    }
    uint32_t *next = (uint32_t *)state + view->slot[0];
    int32_t i = (int32_t)(*next < n ? *next : *next % n);
    for (int32_t tries = 1; tries < view->n && !route_is_up(view, i); tries++)
        i = i + 1 < view->n ? i + 1 : 0;
    *next = (uint32_t)i + 1;
    return i;
}

static int32_t foresee(const void *state, const void *config, const struct route_view *view,
                       const struct rng *rng)
{
    const struct spray_cfg *cfg = config;
    struct rng copy = *rng;
    if (cfg->mode == SPRAY_RANDOM)
        return (int32_t)((rng_u64(&copy) >> 32) * (uint32_t)view->n >> 32);
    return (int32_t)(((const uint32_t *)state)[view->slot[0]] % (uint32_t)view->n);
}

const struct route_ops route_spray = {
    .help = "every packet takes another link, at random or in turn",
    .per_packet = true,
    .state_bytes = state_bytes,
    .init = init,
    .pick = pick,
    .foresee = foresee,
};
