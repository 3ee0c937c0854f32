/* topo_rail.c - rail-optimised scalable units: GPU r of every node of a unit at the same leaf.
 *
 * The one idea: network port r of a server (its rail r) goes to the leaf of its unit that serves
 * rail r, so that the same GPUs of different servers are one switch apart. Spines join the leaves
 * of all units of a pod, cores the pods. Numbers by default: 32 servers of 8 ports, 4 leaves and 8
 * spines of 128 ports, 8 parallel cables per leaf and spine: one to four units fill the spines.
 * Those are the numbers of a Spectrum-X unit with SN5600 switches of 128 x 400G.
 *
 * NOT modelled: a storage or management fabric beside it; links between GPUs inside a server.
 */
#include "models/topo/parts.h"

struct rail_cfg {
    int64_t units, nodes, rails, leaves, pod;
    struct parts_above above;
    struct parts_links links;
};

static const struct schema_field fields[] = {
    {.key = "scalable_units",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rail_cfg, units),
     .fallback = "1",
     .min = "1",
     .max = "4096",
     .help = "Units of servers with leaves of their own."},
    {.key = "nodes_per_unit",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rail_cfg, nodes),
     .fallback = "32",
     .min = "1",
     .max = "65536",
     .help = "Servers of a unit."},
    {.key = "rails",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rail_cfg, rails),
     .fallback = "8",
     .min = "1",
     .max = "64",
     .help = "Network ports of a server, one per GPU."},
    {.key = "leaves_per_unit",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rail_cfg, leaves),
     .fallback = "4",
     .min = "1",
     .max = "64",
     .help = "Leaf switches of a unit; each serves rails / leaves_per_unit rails."},
    {.key = "units_per_pod",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rail_cfg, pod),
     .fallback = "0",
     .max = "4096",
     .help = "Units that share spines; 0 = all. Several pods are joined by cores."},
    PARTS_ABOVE_FIELDS(struct rail_cfg),
    PARTS_LINK_FIELDS(struct rail_cfg),
    {.key = NULL},
};

static const char *const tier_names[] = {"leaf", "spine", "core"};

static struct parts_clos clos_of(const struct rail_cfg *cfg)
{
    int64_t pod = cfg->pod ? cfg->pod : cfg->units;
    struct parts_clos clos = {.pods = cfg->units / pod,
                              .leaves = pod * cfg->leaves,
                              .group = cfg->leaves,
                              .group_name = "unit",
                              .tier_names = tier_names,
                              .link = &cfg->links};
    parts_above_fit(&clos, &cfg->above, cfg->nodes * cfg->rails / cfg->leaves);
    return clos;
}

static void check(const void *config, struct schema_check *complaints)
{
    const struct rail_cfg *cfg = config;
    if (cfg->rails % cfg->leaves)
        schema_complain(complaints, "leaves_per_unit",
                        "C022: %lld rails do not spread evenly over %lld leaves",
                        (long long)cfg->rails, (long long)cfg->leaves);
    else if (cfg->pod && cfg->units % cfg->pod)
        schema_complain(complaints, "units_per_pod", "C024: %lld units do not fill pods of %lld",
                        (long long)cfg->units, (long long)cfg->pod);
    else {
        struct parts_clos clos = clos_of(cfg);
        parts_check_clos(complaints, &clos, cfg->nodes * cfg->rails / cfg->leaves,
                         cfg->above.switch_ports);
    }
}

const struct schema topo_rail_schema = {
    .name = "rail",
    .help = "Rail-optimised scalable units: port r of each server at its unit's leaf for rail r.",
    .size = sizeof(struct rail_cfg),
    .fields = fields,
    .check = check,
};

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    (void)ask; /* all counts are keys here */
    const struct rail_cfg *cfg = config;
    struct parts_clos clos = clos_of(cfg);
    parts_endpoints(graph, made, cfg->units * cfg->nodes, cfg->rails);
    int32_t leaf = parts_clos_build(graph, &clos, made);
    for (int64_t node = 0; node < made->nodes; node++)
        for (int64_t rail = 0; rail < cfg->rails; rail++) {
            int64_t at = node / cfg->nodes * cfg->leaves + rail * cfg->leaves / cfg->rails;
            parts_attach(graph, made, node * cfg->rails + rail, leaf + (int32_t)at, &cfg->links);
        }
}

const struct topo_ops topo_rail = {
    .help = "rail-optimised scalable units of servers, leaves and spines; cores for many",
    .build = build,
};
