/* parts.c - endpoints, cables and a Clos of two or three tiers, for the families.
 *
 * Apart from the families because most of them differ only in which endpoint hangs at which leaf.
 * The one idea: a Clos is pods of leaves and spines, and planes of cores: spine s of every pod is
 * cabled to the same cores, so that any leaf has as many shortest ways to any other pod.
 */
#include "models/topo/parts.h"

#include <math.h>

#include "sim/base/units.h"

#define PS_PER_MM 5 /* 5 ns per metre of fibre or copper */

int64_t parts_delay_ps(int64_t delay_ps, int64_t length_mm)
{
    return delay_ps + length_mm * PS_PER_MM;
}

static int64_t up_bps(const struct parts_links *links)
{
    return links->up_rate_bps ? links->up_rate_bps : links->rate_bps;
}

struct topo_link parts_link(const struct parts_links *links, enum topo_link_kind kind)
{
    bool nic = kind == TOPO_NIC;
    return (struct topo_link){
        .kind = kind,
        .rate_bps = nic ? links->rate_bps : up_bps(links),
        .delay_ps = parts_delay_ps(links->delay_ps, nic ? links->length_mm : links->up_length_mm)};
}

int64_t parts_fit(const struct parts_links *links, int64_t down, int64_t n, double over)
{
    double fit =
        (double)down * (double)links->rate_bps / (over * (double)n * (double)up_bps(links));
    double whole = floor(fit + 0.5);
    return whole >= 1 && whole < 1e6 && fabs(fit - whole) <= 1e-9 * whole ? (int64_t)whole : 0;
}

void parts_above_fit(struct parts_clos *clos, const struct parts_above *above, int64_t down)
{
    clos->spines = above->spines;
    clos->cores = above->cores;
    clos->links =
        above->links ? above->links : parts_fit(clos->link, down, above->spines, above->over);
    clos->core_links = above->core_links;
    if (clos->cores == 0 || clos->core_links) return;
    /* leaves * links = cores / spines * core_links */
    int64_t below = clos->leaves * clos->links * clos->spines;
    clos->core_links = below % clos->cores ? 0 : below / clos->cores;
}

/* ---- checks ---------------------------------------------------------------------------------- */

bool parts_check_size(struct schema_check *check, const char *key, const struct parts_size *size)
{
    if (size->endpoints > PARTS_ENDPOINTS_MAX)
        schema_complain(check, key, "C020: %.0f endpoints; at most %d", size->endpoints,
                        PARTS_ENDPOINTS_MAX);
    else if (size->switches > PARTS_SWITCHES_MAX)
        schema_complain(check, key, "C020: %.0f switches; at most %d", size->switches,
                        PARTS_SWITCHES_MAX);
    else if (size->cables > PARTS_CABLES_MAX)
        schema_complain(check, key, "C020: %.0f cables; at most %d", size->cables,
                        PARTS_CABLES_MAX);
    else if (size->switches * size->edges > PARTS_ROUTES_MAX)
        schema_complain(check, key, "C020: %.0f switches times %.0f with endpoints; at most %d",
                        size->switches, size->edges, PARTS_ROUTES_MAX);
    else if (size->cables * size->edges > PARTS_SEARCH_MAX)
        schema_complain(check, key,
                        "C020: %.0f cables times %.0f switches with endpoints; at most %d",
                        size->cables, size->edges, PARTS_SEARCH_MAX);
    else
        return true;
    return false;
}

static void check_ports(struct schema_check *check, const char *name, double need, int64_t ports)
{
    if (ports && need > (double)ports)
        schema_complain(check, "switch_ports", "C023: a %s needs %.0f ports; it has %lld", name,
                        need, (long long)ports);
}

/* Cores are needed by several pods, and only by them, and come in as many planes as there are
 * spines. Returns whether that is so. */
static bool check_cores(struct schema_check *check, const struct parts_clos *clos)
{
    long long cores = (long long)clos->cores, spines = (long long)clos->spines;
    if (clos->pods > 1 && cores == 0)
        schema_complain(check, "cores", "C024: %lld pods need cores that join them",
                        (long long)clos->pods);
    else if (clos->pods == 1 && cores > 0)
        schema_complain(check, "cores", "C024: one pod needs no cores");
    else if (cores % spines)
        schema_complain(check, "cores", "C024: %lld cores are no multiple of the %lld %ss of a pod",
                        cores, spines, clos->tier_names[1]);
    else if (cores && clos->core_links < 1)
        schema_complain(check, "core_links_per_pair",
                        "C021: no whole number of cables per spine and core carries what the leaves"
                        " of a pod send; give it");
    else
        return true;
    return false;
}

void parts_check_clos(struct schema_check *check, const struct parts_clos *clos, int64_t leaf_ports,
                      int64_t ports)
{
    double pods = (double)clos->pods, leaves = (double)clos->leaves, spines = (double)clos->spines;
    double links = (double)clos->links, cores = (double)clos->cores;
    if (clos->links < 1) {
        schema_complain(check, "oversubscription",
                        "C021: no whole number of cables per %s and %s gives this oversubscription:"
                        " %lld endpoints per %s, %.0f %ss",
                        clos->tier_names[0], clos->tier_names[1], (long long)leaf_ports,
                        clos->tier_names[0], spines, clos->tier_names[1]);
        return;
    }
    if (!check_cores(check, clos)) return;
    double planes = cores / spines, core_links = (double)clos->core_links;
    check_ports(check, clos->tier_names[0], (double)leaf_ports + spines * links, ports);
    check_ports(check, clos->tier_names[1], leaves * links + planes * core_links, ports);
    check_ports(check, clos->tier_names[2], cores > 0 ? pods * core_links : 0, ports);
    parts_check_size(check, "cores",
                     &(struct parts_size){.endpoints = pods * leaves * (double)leaf_ports,
                                          .switches = pods * (leaves + spines) + cores,
                                          .edges = pods * leaves,
                                          .cables = pods * leaves * (double)leaf_ports +
                                                    pods * leaves * spines * links +
                                                    pods * cores * core_links});
}

/* ---- building -------------------------------------------------------------------------------- */

void parts_endpoints(struct topo_graph *graph, struct topo_made *made, int64_t nodes, int64_t ports)
{
    int32_t *endpoint = ARENA_ARRAY(graph->arena, int32_t, nodes * ports);
    for (int64_t i = 0; i < nodes * ports; i++) {
        long long node = i / ports, port = i % ports;
        const char *name = ports > 1 ? arena_printf(graph->arena, "node%lld/nic%lld", node, port)
                                     : arena_printf(graph->arena, "node%lld", node);
        endpoint[i] = topo_node(graph, TOPO_HOST, name);
    }
    made->endpoint = endpoint;
    made->nodes = nodes;
    made->node_ports = ports;
}

/* n switches of a tier; group of them share the first part of their name (0 = none). Returns the
 * first. */
static int32_t make_switches(struct topo_graph *graph, const struct parts_clos *clos, int tier,
                             int64_t n, int64_t group)
{
    int32_t first = (int32_t)graph->node_n;
    const char *name = clos->tier_names[tier];
    for (int64_t i = 0; i < n; i++) {
        const char *full =
            group ? arena_printf(graph->arena, "%s%lld/%s%lld", tier ? "pod" : clos->group_name,
                                 (long long)(i / group), name, (long long)(i % group))
                  : arena_printf(graph->arena, "%s%lld", name, (long long)i);
        topo_switch(graph, full, clos->link->latency_ps);
    }
    return first;
}

int32_t parts_clos_build(struct topo_graph *graph, const struct parts_clos *clos,
                         struct topo_made *made)
{
    int64_t leaf_n = clos->pods * clos->leaves, spine_n = clos->pods * clos->spines;
    int32_t leaf = make_switches(graph, clos, 0, leaf_n, clos->group);
    int32_t spine = make_switches(graph, clos, 1, spine_n, clos->pods > 1 ? clos->spines : 0);
    int32_t core = make_switches(graph, clos, 2, clos->cores, 0);
    struct topo_link link = parts_link(clos->link, TOPO_FABRIC);
    for (int64_t l = 0; l < leaf_n; l++)
        for (int64_t s = 0; s < clos->spines; s++) {
            link.from = leaf + (int32_t)l;
            link.to = spine + (int32_t)(l / clos->leaves * clos->spines + s);
            topo_cables(graph, &link, clos->links);
        }
    int64_t plane = clos->cores / clos->spines;
    for (int64_t s = 0; s < spine_n; s++)
        for (int64_t c = 0; c < plane; c++) {
            link.from = spine + (int32_t)s;
            link.to = core + (int32_t)(s % clos->spines * plane + c);
            topo_cables(graph, &link, clos->core_links);
        }
    made->edge = leaf;
    made->tiers = clos->cores ? 3 : 2;
    made->tier_names = clos->tier_names;
    return leaf;
}

void parts_attach(struct topo_graph *graph, const struct topo_made *made, int64_t endpoint,
                  int32_t to, const struct parts_links *links)
{
    struct topo_link link = parts_link(links, TOPO_NIC);
    link.from = made->endpoint[endpoint];
    link.to = to;
    topo_cable(graph, &link);
}
