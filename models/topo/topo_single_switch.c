/* topo_single_switch.c - all nodes at one switch: a rack, or one server and its uplink.
 *
 * NOT modelled here: tiers above the switch (other families).
 */
#include "models/topo/topo.h"
#include "sim/base/units.h"

struct single_switch_cfg {
    int64_t latency_ps;
};

static const struct schema_field fields[] = {
    {.key = "latency",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct single_switch_cfg, latency_ps),
     .fallback = "1us",
     .max = "1s",
     .help = "Time that the switch takes to pass a packet on.",
     .source = "Arista 7050X3 data sheet: about 0.8-1 us cut-through"},
    {.key = NULL},
};

const struct schema topo_single_switch_schema = {
    .name = "single-switch",
    .help = "All nodes and the storage at one switch.",
    .size = sizeof(struct single_switch_cfg),
    .fields = fields,
};

static const char *const tier_names[] = {"switch"};

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    const struct single_switch_cfg *cfg = config;
    int32_t *host = ARENA_ARRAY(graph->arena, int32_t, ask->nodes);
    made->edge = topo_node(graph, TOPO_SWITCH, "switch");
    for (int64_t i = 0; i < ask->nodes; i++) {
        host[i] = topo_node(graph, TOPO_HOST, arena_printf(graph->arena, "node%lld", (long long)i));
        topo_cable(graph, &(struct topo_link){.from = host[i],
                                              .to = made->edge,
                                              .kind = TOPO_NIC,
                                              .rate_bps = ask->nic_bps,
                                              .delay_ps = ask->nic_delay_ps + cfg->latency_ps / 2});
    }
    made->endpoint = host;
    made->nodes = ask->nodes;
    made->node_ports = 1;
    made->tiers = 1;
    made->tier_names = tier_names;
}

const struct topo_ops topo_single_switch = {
    .help = "all nodes and the storage at one switch",
    .build = build,
};
