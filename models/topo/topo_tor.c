/* topo_tor.c - one switch per rack, all ports of its servers at it, a Clos above.
 *
 * The one idea: what rail-optimised units spread over several leaves hangs at one switch here, so
 * that a server's ports share their first hop and traffic of any rail leaves the rack.
 *
 * NOT modelled: several switches per rack (see rail).
 */
#include "models/topo/parts.h"

struct tor_cfg {
    int64_t racks, nodes, ports, pod;
    struct parts_above above;
    struct parts_links links;
};

static const struct schema_field fields[] = {
    {.key = "racks",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct tor_cfg, racks),
     .fallback = "8",
     .min = "1",
     .max = "65536",
     .help = "Racks, each with a switch of its own."},
    {.key = "nodes_per_rack",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct tor_cfg, nodes),
     .fallback = "4",
     .min = "1",
     .max = "4096",
     .help = "Servers of a rack."},
    {.key = "ports",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct tor_cfg, ports),
     .fallback = "8",
     .min = "1",
     .max = "64",
     .help = "Network ports of a server."},
    {.key = "racks_per_pod",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct tor_cfg, pod),
     .fallback = "0",
     .max = "65536",
     .help = "Racks that share spines; 0 = all. Several pods are joined by cores."},
    PARTS_ABOVE_FIELDS(struct tor_cfg),
    PARTS_LINK_FIELDS(struct tor_cfg),
    {.key = NULL},
};

static const char *const tier_names[] = {"tor", "spine", "core"};

static struct parts_clos clos_of(const struct tor_cfg *cfg)
{
    int64_t pod = cfg->pod ? cfg->pod : cfg->racks;
    struct parts_clos clos = {.pods = cfg->racks / pod,
                              .leaves = pod,
                              .group = cfg->racks > pod ? pod : 0,
                              .group_name = "pod",
                              .tier_names = tier_names,
                              .link = &cfg->links};
    parts_above_fit(&clos, &cfg->above, cfg->nodes * cfg->ports);
    return clos;
}

static void check(const void *config, struct schema_check *complaints)
{
    const struct tor_cfg *cfg = config;
    if (cfg->pod && cfg->racks % cfg->pod) {
        schema_complain(complaints, "racks_per_pod", "C024: %lld racks do not fill pods of %lld",
                        (long long)cfg->racks, (long long)cfg->pod);
        return;
    }
    struct parts_clos clos = clos_of(cfg);
    parts_check_clos(complaints, &clos, cfg->nodes * cfg->ports, cfg->above.switch_ports);
}

const struct schema topo_tor_schema = {
    .name = "tor",
    .help = "Racks: all ports of their servers at one switch; spines and cores above.",
    .size = sizeof(struct tor_cfg),
    .fields = fields,
    .check = check,
};

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    (void)ask; /* all counts are keys here */
    const struct tor_cfg *cfg = config;
    struct parts_clos clos = clos_of(cfg);
    parts_endpoints(graph, made, cfg->racks * cfg->nodes, cfg->ports);
    int32_t tor = parts_clos_build(graph, &clos, made);
    for (int64_t i = 0; i < made->nodes * cfg->ports; i++)
        parts_attach(graph, made, i, tor + (int32_t)(i / (cfg->nodes * cfg->ports)), &cfg->links);
}

const struct topo_ops topo_tor = {
    .help = "racks with one switch each for all ports of their servers; a Clos above",
    .build = build,
};
