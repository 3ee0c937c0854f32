/* topo_leaf_spine.c - hosts with one port each at leaves, every leaf cabled to every spine.
 *
 * NOT modelled: a third tier (see fat-tree), servers with several ports (see rail, tor).
 */
#include "models/topo/parts.h"

struct leaf_spine_cfg {
    int64_t leaves, hosts, spines, links_per_pair;
    double over;
    struct parts_links links;
};

static const struct schema_field fields[] = {
    {.key = "leaves",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct leaf_spine_cfg, leaves),
     .fallback = "8",
     .min = "1",
     .max = "65536",
     .help = "Leaf switches."},
    {.key = "hosts_per_leaf",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct leaf_spine_cfg, hosts),
     .fallback = "16",
     .min = "1",
     .max = "65536",
     .help = "Hosts at each leaf, with one port each."},
    {.key = "spines",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct leaf_spine_cfg, spines),
     .fallback = "16",
     .min = "1",
     .max = "65536",
     .help = "Spine switches."},
    {.key = "links_per_pair",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct leaf_spine_cfg, links_per_pair),
     .fallback = "0",
     .max = "1024",
     .help = "Parallel cables per leaf and spine; 0 = as oversubscription asks."},
    {.key = "oversubscription",
     .type = SCHEMA_REAL,
     .offset = offsetof(struct leaf_spine_cfg, over),
     .fallback = "1",
     .min = "0.01",
     .max = "1000",
     .help = "Rate of a leaf's hosts to that of its uplinks; 1 = full bisection."},
    PARTS_LINK_FIELDS(struct leaf_spine_cfg),
    {.key = NULL},
};

static const char *const tier_names[] = {"leaf", "spine", "core"};

static struct parts_clos clos_of(const struct leaf_spine_cfg *cfg)
{
    return (struct parts_clos){
        .pods = 1,
        .leaves = cfg->leaves,
        .spines = cfg->spines,
        .links = cfg->links_per_pair ? cfg->links_per_pair
                                     : parts_fit(&cfg->links, cfg->hosts, cfg->spines, cfg->over),
        .tier_names = tier_names,
        .link = &cfg->links};
}

static void check(const void *config, struct schema_check *complaints)
{
    const struct leaf_spine_cfg *cfg = config;
    struct parts_clos clos = clos_of(cfg);
    parts_check_clos(complaints, &clos, cfg->hosts, 0);
}

const struct schema topo_leaf_spine_schema = {
    .name = "leaf-spine",
    .help = "Two tiers: hosts at leaves, each leaf cabled to each spine.",
    .size = sizeof(struct leaf_spine_cfg),
    .fields = fields,
    .check = check,
};

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    (void)ask; /* all counts are keys here */
    const struct leaf_spine_cfg *cfg = config;
    struct parts_clos clos = clos_of(cfg);
    parts_endpoints(graph, made, cfg->leaves * cfg->hosts, 1);
    int32_t leaf = parts_clos_build(graph, &clos, made);
    for (int64_t i = 0; i < made->nodes; i++)
        parts_attach(graph, made, i, leaf + (int32_t)(i / cfg->hosts), &cfg->links);
}

const struct topo_ops topo_leaf_spine = {
    .help = "two tiers: hosts at leaves, each leaf cabled to each spine",
    .build = build,
};
