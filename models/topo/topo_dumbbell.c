/* topo_dumbbell.c - two switches and one line between them: the bench of congestion control.
 *
 * NOT modelled: several lines between the switches (see explicit).
 */
#include "models/topo/parts.h"

struct dumbbell_cfg {
    int64_t left, right;
    struct parts_links links;
};

static const struct schema_field fields[] = {
    {.key = "left",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct dumbbell_cfg, left),
     .fallback = "2",
     .min = "1",
     .max = "65536",
     .help = "Hosts at the left switch: the first numbers."},
    {.key = "right",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct dumbbell_cfg, right),
     .fallback = "2",
     .min = "1",
     .max = "65536",
     .help = "Hosts at the right switch."},
    PARTS_LINK_FIELDS(struct dumbbell_cfg),
    {.key = NULL},
};

const struct schema topo_dumbbell_schema = {
    .name = "dumbbell",
    .help = "Two switches with hosts, joined by one cable (uplink_rate, uplink_length).",
    .size = sizeof(struct dumbbell_cfg),
    .fields = fields,
};

static const char *const tier_names[] = {"switch"};

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    (void)ask; /* all counts are keys here */
    const struct dumbbell_cfg *cfg = config;
    parts_endpoints(graph, made, cfg->left + cfg->right, 1);
    int32_t left = topo_switch(graph, "left", cfg->links.latency_ps);
    int32_t right = topo_switch(graph, "right", cfg->links.latency_ps);
    struct topo_link line = parts_link(&cfg->links, TOPO_FABRIC);
    line.from = left;
    line.to = right;
    topo_cable(graph, &line);
    for (int64_t i = 0; i < made->nodes; i++)
        parts_attach(graph, made, i, i < cfg->left ? left : right, &cfg->links);
    made->edge = left;
    made->tiers = 1;
    made->tier_names = tier_names;
}

const struct topo_ops topo_dumbbell = {
    .help = "two switches with hosts and one cable between them",
    .build = build,
};
