/* cluster_rig.h - for tests: a cluster whose times can be computed by hand.
 *
 * NVLink and NICs run at 8 Gb/s: a byte takes a nanosecond. Nodes are at one switch; a message over
 * the fabric is one packet: its bytes and CLUSTER_RIG_HEADER more. cmocka.h is included before.
 */
#ifndef RAILSIM_TESTS_CLUSTER_RIG_H
#define RAILSIM_TESTS_CLUSTER_RIG_H

#include "models/cluster/cluster.h"
#include "models/cluster/coll_run.h"
#include "models/flow/flow.h"
#include "sim/base/units.h"

#define CLUSTER_RIG_HEADER FRAMING_ROCE_BYTES
#define NS PS_PER_NS
#define GBPS8 INT64_C(8000000000)

struct cluster_rig {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct topo_made made;
    struct fabric *fabric;
    struct cluster *cluster;
};

/* struct cluster_rig_cfg: so many nodes of so many GPUs and NICs; delays of NVLink and of a NIC's
 * cable, each way. */
struct cluster_rig_cfg {
    int64_t nodes, gpus, ports, domain, link_delay_ps, cable_ps;
    bool pxn;
};

static inline void cluster_rig_open(struct cluster_rig *rig, const struct cluster_rig_cfg *cfg)
{
    *rig = (struct cluster_rig){0};
    rig->sim = sim_new(&rig->arena, 1, "a test");
    topo_init(&rig->graph, &rig->arena);
    int32_t hub = topo_node(&rig->graph, TOPO_SWITCH, "switch");
    int64_t n = cfg->nodes * cfg->ports;
    int32_t *endpoint = ARENA_ARRAY(&rig->arena, int32_t, n);
    for (int64_t i = 0; i < n; i++) {
        endpoint[i] = topo_node(&rig->graph, TOPO_HOST, arena_printf(&rig->arena, "nic%d", (int)i));
        topo_cable(&rig->graph, &(struct topo_link){.from = endpoint[i],
                                                    .to = hub,
                                                    .kind = TOPO_NIC,
                                                    .rate_bps = GBPS8,
                                                    .delay_ps = cfg->cable_ps});
    }
    rig->made = (struct topo_made){
        .nodes = cfg->nodes, .node_ports = cfg->ports, .endpoint = endpoint, .edge = hub};
    rig->fabric = flow_new(rig->sim, &rig->graph);
    rig->cluster = cluster_new(
        rig->sim,
        &(struct cluster_parts){.cfg = &(struct cluster_cfg){.gpus = cfg->gpus,
                                                             .domain = cfg->domain,
                                                             .link_bps = GBPS8,
                                                             .link_delay_ps = cfg->link_delay_ps,
                                                             .link_efficiency = 1,
                                                             .switch_efficiency = 1,
                                                             .pxn = cfg->pxn},
                                .graph = &rig->graph,
                                .made = &rig->made,
                                .fabric = rig->fabric,
                                .framing = {INT64_C(1) << 40, FRAMING_ROCE_BYTES}});
}

static inline void cluster_rig_close(struct cluster_rig *rig)
{
    arena_free(&rig->arena);
}

#endif
