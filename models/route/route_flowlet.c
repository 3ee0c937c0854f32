/* route_flowlet.c - a flow that paused for longer than a gap may take another link.
 *
 * The one idea: after a gap longer than the paths' difference in delay, packets cannot overtake
 * each other. A new flowlet takes a random link; nothing has to be measured, since flowlets on
 * crowded links last longer in packets. A switch knows flows only by a table without tags: two
 * flows in one entry share its link.
 * Source: Vanini et al., "Let It Flow: Resilient Asymmetric Load Balancing with Flowlet
 * Switching", NSDI 2017, sections 3 and 4 (random choice, hashed table).
 * NOT modelled: ageing by sweeps of a clock bit (the paper's gap is coarse, ours exact).
 */
#include "models/route/route.h"

struct flowlet_cfg {
    int64_t gap_ps, entries;
};

static const struct schema_field fields[] = {
    {.key = "gap",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct flowlet_cfg, gap_ps),
     .fallback = "10us",
     .min = "1ps",
     .max = "1s",
     .help = "A flow that was silent for longer may take another link.",
     .source = "about one round trip of a 400G fabric; LetFlow took 500 us at 10-40G"},
    {.key = "entries",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct flowlet_cfg, entries),
     .fallback = "4096",
     .min = "1",
     .max = "1048576",
     .help = "Flows that a switch can tell apart (size of its table)."},
    {.key = NULL},
};

const struct schema route_flowlet_schema = {
    .name = "flowlet",
    .help = "Flowlet switching: a flow takes a random link again after a gap.",
    .size = sizeof(struct flowlet_cfg),
    .fields = fields,
};

struct entry {
    int64_t last_ps;
    int32_t link; /* taken last; -1 = none yet */
    int32_t i;    /* its index among the candidates */
};

static size_t state_bytes(const void *config, const struct route_switch *facts)
{
    (void)facts;
    const struct flowlet_cfg *cfg = config;
    return (size_t)cfg->entries * sizeof(struct entry);
}

static void init(void *state, const void *config, const struct route_switch *facts)
{
    (void)facts;
    const struct flowlet_cfg *cfg = config;
    struct entry *table = state;
    for (int64_t e = 0; e < cfg->entries; e++)
        table[e] = (struct entry){.link = -1};
}

static int32_t pick(void *state, const void *config, const struct route_view *view, struct rng *rng)
{
    const struct flowlet_cfg *cfg = config;
    uint64_t hash = route_hash(view->flow, (uint32_t)view->node);
    struct entry *entry = (struct entry *)state + (hash * (uint64_t)cfg->entries >> 32);
    bool goes_on = entry->link >= 0 && view->now_ps - entry->last_ps <= cfg->gap_ps &&
                   entry->i < view->n && view->link[entry->i] == entry->link &&
                   route_is_up(view, entry->i);
    entry->last_ps = view->now_ps;
    if (goes_on) return entry->i;
    uint64_t draw = rng_u64(rng);
    uint64_t i = (draw >> 32) * (uint32_t)view->n >> 32;
    entry->i = route_up(view, (int32_t)i, (uint32_t)draw);
    entry->link = view->link[entry->i];
    return entry->i;
}

const struct route_ops route_flowlet = {
    .help = "a flow takes a random link again after a gap",
    .state_bytes = state_bytes,
    .init = init,
    .pick = pick,
};
