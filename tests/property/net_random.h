/* net_random.h - for property tests: random packet fabrics over all their options, with random
 * messages and faults (net_random_look.h: laws that they keep).
 *
 * What a seed gives never depends on what another part of it drew: each part has its own stream.
 * cmocka.h is included before. */
#ifndef RAILSIM_TESTS_NET_RANDOM_H
#define RAILSIM_TESTS_NET_RANDOM_H

#include <inttypes.h>
#include <stdlib.h>

#include "models/cc/cc.h"
#include "models/fault.h"
#include "models/net/switch.h"
#include "models/route/route.h"
#include "sim/engine/rng.h"
#include "tests/property/draw.h"
#include "tests/unit/net_rig.h"

#define NET_RANDOM_LINKS 512
#define NET_RANDOM_FAULTS_MAX 6

struct net_random {
    struct net_rig rig;
    uint64_t seed;
    int classes;
    struct net_parts parts;
    struct port_net *net;
    /* The books, by link: wire bytes that came to its end, pause frames apart; what the fabric's
     * own functions were before net_random_books put its own before them. */
    int64_t arrived_bytes[NET_RANDOM_LINKS];
    bool broken[NET_RANDOM_LINKS]; /* a fault that loses packets may meet it, or the other way */
    struct port_net own;
    int64_t credit_bytes[NET_RANDOM_LINKS][PACKET_CLASSES_MAX]; /* at first */
    bool eager;                                                 /* all ports, all the time */
    struct fault_cfg fault[NET_RANDOM_FAULTS_MAX];
    struct schema_list faults;
    const char *network, *family; /* as text, to be printed where a law is broken */
};

/* ---- drawing ------------------------------------------------------------------------------- */

static inline bool net_random_one_in(struct rng *rng, uint64_t n)
{
    return rng_below(rng, n) == 0;
}
static inline const char *net_random_word(struct rng *rng, const char *a, const char *b)
{
    return draw_coin(rng) ? a : b;
}
static inline uint64_t net_random_kinds(const struct schema *const *kinds)
{
    uint64_t n = 0;
    while (kinds[n])
        n++;
    return n;
}

/* ---- the section network ------------------------------------------------------------------- */

static inline const char *net_random_classes(struct arena *arena, struct rng *rng)
{
    const int n = draw_from(rng, 1, 4);
    const char *text = "";
    for (int c = 0; c < n; c++)
        text = arena_printf(arena, "%s{name: c%d, weight: %d}, ", text, c, draw_from(rng, 0, 3));
    return text;
}

static inline const char *net_random_transport(struct arena *arena, struct rng *rng)
{
    const int xoff = draw_from(rng, 20, 200), xon = draw_from(rng, 1, xoff);
    return arena_printf(
        arena,
        "mtu: %dB, delivery: %s, recovery: %s, retransmit: %dus, transport: {reorder_window: %dns},"
        "nic: {ack_every: %d, inter_packet_gap: %dB, pcie_rate: %dGbps, rx_buffer: %dkB, "
        "rx_xoff: %dkB, rx_xon: %dkB}, framing: {data: %dB, first: %dB, ack: %dB, telemetry: %dB}",
        draw_coin(rng) ? 4096 : draw_from(rng, 256, 9000),
        net_random_word(rng, "in-order", "out-of-order"),
        net_random_word(rng, "selective", "go-back-n"), draw_from(rng, 60, 500),
        draw_coin(rng) ? 0 : draw_from(rng, 1, 20000), draw_coin(rng) ? 1 : draw_from(rng, 1, 40),
        draw_coin(rng) ? 12 : draw_from(rng, 12, 400), draw_coin(rng) ? 0 : draw_from(rng, 20, 500),
        draw_from(rng, xoff, 400), xoff, xon, draw_coin(rng) ? 82 : draw_from(rng, 20, 200),
        draw_from(rng, 0, 40), draw_coin(rng) ? 86 : draw_from(rng, 1, 200), draw_from(rng, 0, 80));
}

static inline const char *net_random_switching(struct arena *arena, struct rng *rng,
                                               bool infiniband)
{
    const bool ecn_per = net_random_one_in(rng, 3);
    const int xoff = draw_from(rng, 5, 120), kmin = draw_from(rng, 0, 60);
    const char *text = arena_printf(
        arena,
        "forwarding: %s, convergence: %dus, buffer: %dkB, ecn: {on: %s, kmin: %dkB, kmax: %dkB, "
        "pmax: %d%%, cnp_interval: %dus, per: %dGbps, echo: %s}, classes: [%s]",
        net_random_word(rng, "cut-through", "store-and-forward"), draw_from(rng, 0, 60),
        draw_coin(rng) ? 100000 : draw_from(rng, 200, 1200), net_random_word(rng, "true", "false"),
        kmin, draw_from(rng, kmin, 200), draw_from(rng, 0, 100), draw_from(rng, 0, 10),
        ecn_per ? draw_from(rng, 50, 400) : 0, net_random_word(rng, "cnp", "ack"),
        net_random_classes(arena, rng));
    if (infiniband)
        return arena_printf(arena, "%s, link_layer: infiniband, credit_buffer: %dkB", text,
                            draw_coin(rng) ? 0 : draw_from(rng, 10, 100));
    return arena_printf(
        arena,
        "%s, acks: %s, cell: %dB, pfc: {on: %s, xoff: %dkB, xon: %dkB, alpha_shift: %d, "
        "headroom: %dkB, response: %dns, watchdog: %dus}",
        text, net_random_word(rng, "control", "data"), draw_coin(rng) ? 1 : draw_from(rng, 2, 300),
        net_random_one_in(rng, 3) ? "false" : "true", xoff, draw_from(rng, 0, xoff),
        draw_from(rng, 0, 5), net_random_one_in(rng, 3) ? draw_from(rng, 1, 40) : 0,
        draw_from(rng, 0, 2000), draw_coin(rng) ? 0 : draw_from(rng, 30, 300));
}

/* The rule and the control go round with the seed, so that all pairs of them come up. */
static inline const char *net_random_network(struct arena *arena, uint64_t seed)
{
    const uint64_t rules = net_random_kinds(route_kinds), controls = net_random_kinds(cc_kinds);
    struct rng transport = rng_stream(seed, "net_random/transport");
    struct rng switching = rng_stream(seed, "net_random/switching");
    const bool infiniband = net_random_one_in(&switching, 4);
    const uint64_t control = seed / rules % controls;
    uint64_t rule = seed % rules;
    while (cc_list[control]->wants_hops && !route_list[rule]->per_flow)
        rule = (rule + 1) % rules;
    return arena_printf(arena, "routing: {kind: %s}, cc: {kind: %s}, retries: 0, %s, %s",
                        route_kinds[rule]->name, cc_kinds[control]->name,
                        net_random_transport(arena, &transport),
                        net_random_switching(arena, &switching, infiniband));
}

/* ---- the graph ----------------------------------------------------------------------------- */

/* A ring of switches: the shortest ways round it can wait for each other in a circle. */
static inline const char *net_random_ring(struct arena *arena, int n)
{
    const char *switches = "", *hosts = "", *links = "";
    for (int i = 0; i < n; i++) {
        switches = arena_printf(arena, "%s{name: s%d, latency: 0s}, ", switches, i);
        hosts = arena_printf(arena, "%s{name: a%d}, {name: b%d}, ", hosts, i, i);
        links = arena_printf(arena,
                             "%s{from: a%d, to: s%d, rate: 400Gbps}, {from: b%d, to: s%d, "
                             "rate: 400Gbps}, {from: s%d, to: s%d, rate: 200Gbps}, ",
                             links, i, i, i, i, i, (i + 1) % n);
    }
    return arena_printf(arena, "kind: explicit, switches: [%s], hosts: [%s], links: [%s]", switches,
                        hosts, links);
}

static inline const char *net_random_family(struct arena *arena, struct rng *rng)
{
    switch (rng_below(rng, 7)) {
    case 0:
        return "kind: single-switch, latency: 300ns";
    case 1:
        return arena_printf(arena, "kind: dumbbell, left: %d, right: %d, uplink_rate: %dGbps",
                            draw_from(rng, 1, 6), draw_from(rng, 1, 6), draw_from(rng, 50, 800));
    case 2:
        return "kind: fat-tree, k: 4";
    case 3:
        return arena_printf(arena,
                            "kind: rail, scalable_units: 2, nodes_per_unit: 2, rails: 4, "
                            "leaves_per_unit: 2, spines: %d, uplinks_per_pair: 1",
                            draw_from(rng, 1, 4));
    case 4:
        return "kind: tor, racks: 3, nodes_per_rack: 2, ports: 2, spines: 2, uplinks_per_pair: 1";
    case 5:
        return net_random_ring(arena, draw_from(rng, 3, 6));
    default:
        return arena_printf(arena,
                            "kind: leaf-spine, leaves: %d, hosts_per_leaf: %d, spines: %d, "
                            "links_per_pair: %d, uplink_rate: %dGbps",
                            draw_from(rng, 2, 4), draw_from(rng, 1, 5), draw_from(rng, 1, 4),
                            draw_from(rng, 1, 2), draw_from(rng, 40, 400));
    }
}

/* No two cables are alike, to the picosecond: what comes from several sides comes at several
 * moments, so that no result hangs on the order of events of one moment. */
static inline void net_random_bend(struct topo_graph *graph, struct rng *rng)
{
    const int64_t host_bps = draw_coin(rng) ? 400 : draw_from(rng, 30, 400);
    for (int64_t l = 0; l < graph->link_n; l += 2) {
        struct topo_link *there = &graph->links[l], *back = &graph->links[l + 1];
        bool host = graph->nodes[there->from].kind != TOPO_SWITCH ||
                    graph->nodes[there->to].kind != TOPO_SWITCH;
        if (host) there->rate_bps = host_bps * 1000000000;
        if (net_random_one_in(rng, 4)) there->rate_bps -= (int64_t)rng_below(rng, 5000000000);
        back->rate_bps = there->rate_bps;
        int64_t more_ps = (int64_t)rng_below(rng, draw_coin(rng) ? 2 * PS_PER_US : 10000);
        there->delay_ps += more_ps;
        back->delay_ps += more_ps;
    }
}

static inline void net_random_graph(struct net_random *random)
{
    struct rng rng = rng_stream(random->seed, "net_random/graph");
    struct net_rig *rig = &random->rig;
    struct err err = {0};
    struct schema_variant family = {0};
    struct topo_made made;
    random->family = net_random_family(&rig->arena, &rng);
    const char *text = arena_printf(&rig->arena, "{%s}", random->family);
    struct tree_node *tree = tree_read_text(&rig->arena, "topo.yaml", text, strlen(text), &err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &err};
    bool ok = tree && schema_bind_variant(&into, topo_kinds, tree, &family);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
    topo_list[family.index]->build(family.config,
                                   &(struct topo_ask){.nodes = draw_from(&rng, 2, 8),
                                                      .nic_bps = NET_RIG_400G,
                                                      .nic_delay_ps = 100000},
                                   &rig->graph, &made);
    assert_true(made.nodes * made.node_ports <= NET_RIG_HOSTS);
    assert_true(rig->graph.link_n <= NET_RANDOM_LINKS);
    for (; rig->host_n < made.nodes * made.node_ports; rig->host_n++)
        rig->host[rig->host_n] = made.endpoint[rig->host_n];
    net_random_bend(&rig->graph, &rng);
}

/* ---- messages and faults ------------------------------------------------------------------- */

/* Half of them go to one host; several of one pair and stream; some watch their sending, some wait
 * for the way back. */
static inline void net_random_messages(struct net_random *random)
{
    struct rng rng = rng_stream(random->seed, "net_random/messages");
    struct net_rig *rig = &random->rig;
    const uint64_t hosts = (uint64_t)rig->host_n;
    const int hot = (int)rng_below(&rng, hosts), n = draw_from(&rng, 1, 40);
    for (int i = 0; i < n; i++) {
        int dst = draw_coin(&rng) ? hot : (int)rng_below(&rng, hosts), src = dst;
        while (src == dst)
            src = (int)rng_below(&rng, hosts);
        const uint64_t most = draw_coin(&rng) ? 5000 : 250000;
        struct net_rig_msg *m = net_rig_send(rig, (int[]){src, dst}, (int64_t)rng_below(&rng, most),
                                             (int64_t)rng_below(&rng, 40 * PS_PER_US));
        m->msg.stream = (uint32_t)rng_below(&rng, 2);
        m->msg.traffic_class = (uint8_t)rng_below(&rng, (uint64_t)random->classes);
        m->msg.confirm = net_random_one_in(&rng, 3);
        if (net_random_one_in(&rng, 3)) m->msg.sent = net_rig_on_sent;
    }
}

static inline void net_random_fault(struct net_random *random, struct rng *rng)
{
    struct topo_graph *graph = &random->rig.graph;
    struct fault_cfg *fault = &random->fault[random->faults.n++];
    const uint64_t link = rng_below(rng, (uint64_t)graph->link_n);
    *fault = (struct fault_cfg){.link = graph->links[link].name,
                                .kind = (int)rng_below(rng, 4),
                                .at_ps = (int64_t)rng_below(rng, 60 * PS_PER_US),
                                .for_ps = 1 + (int64_t)rng_below(rng, 200 * PS_PER_US)};
    if (net_random_one_in(rng, 4)) /* all cables of a node */
        fault->link =
            arena_printf(&random->rig.arena, "%s>*", graph->nodes[graph->links[link].from].name);
    if (fault->kind == FAULT_SLOW) fault->rate_bps = draw_from(rng, 1, 100) * 1000000000LL;
    if (fault->kind == FAULT_ERRORS)
        fault->bit_errors = draw_coin(rng) ? 1e-7 : 1e-5 * draw_from(rng, 1, 5);
}

/* All faults end. */
static inline void net_random_faults(struct net_random *random)
{
    struct rng rng = rng_stream(random->seed, "net_random/faults");
    struct topo_graph *graph = &random->rig.graph;
    random->faults.items = random->fault;
    for (int n = draw_from(&rng, 1, NET_RANDOM_FAULTS_MAX); n > 0; n--)
        net_random_fault(random, &rng);
    for (int64_t l = 0; l < graph->link_n; l++)
        random->broken[l] = true;
    fault_start(&random->faults, graph, random->rig.fabric);
}

/* ---- books of our own ----------------------------------------------------------------------- */

/* There is one network at a time; the functions of struct port_net know only ports. */
static struct net_random *net_random_now;

/* The fabric makes ports lazy again when no neighbour is paused any more. */
static inline void net_random_set_eager(void)
{
    if (!net_random_now->eager) return;
    for (int64_t l = 0; l < net_random_now->rig.graph.link_n; l++)
        if (!net_random_now->parts.port[l]->eager) port_eager(net_random_now->parts.port[l], true);
}
static inline void net_random_deliver_switch(struct port *port, struct packet *packet)
{
    net_random_now->arrived_bytes[port->link] += packet->wire_bytes;
    net_random_now->own.deliver_switch(port, packet);
    net_random_set_eager();
}
static inline void net_random_deliver_nic(struct port *port, struct packet *packet)
{
    net_random_now->arrived_bytes[port->link] += packet->wire_bytes;
    net_random_now->own.deliver_nic(port, packet);
    net_random_set_eager();
}
static inline void net_random_books(struct net_random *random)
{
    net_random_now = random;
    random->parts = net_parts(random->rig.fabric);
    random->net = random->parts.port[0]->net;
    random->own = *random->net;
    random->net->deliver_switch = net_random_deliver_switch;
    random->net->deliver_nic = net_random_deliver_nic;
    for (int64_t l = 0; l < random->rig.graph.link_n; l++)
        for (int c = 0; c < random->classes && random->parts.port[l]->credit; c++)
            random->credit_bytes[l][c] = random->parts.port[l]->credit->left_bytes[c];
    net_random_set_eager();
}

/* ---- opening -------------------------------------------------------------------------------- */

enum { NET_RANDOM_FAULTS = 1, NET_RANDOM_EAGER = 2 };

static inline void net_random_open(struct net_random *random, uint64_t seed, unsigned how)
{
    struct arena scratch = {0};
    memset(random, 0, sizeof *random);
    random->seed = seed;
    random->eager = how & NET_RANDOM_EAGER;
    const char *network = net_random_network(&scratch, seed);
    net_rig_open(&random->rig, seed, network);
    random->network = arena_printf(&random->rig.arena, "%s", network);
    arena_free(&scratch);
    random->classes = random->rig.cfg.classes.n > 0 ? (int)random->rig.cfg.classes.n : 1;
    net_random_graph(random);
    net_rig_wired(&random->rig);
    net_random_books(random);
    net_random_messages(random);
    if (how & NET_RANDOM_FAULTS) net_random_faults(random);
}

static inline void net_random_close(struct net_random *random)
{
    net_rig_close(&random->rig);
}

/* net_random_must fails with the seed, the time, and what was simulated. */
#define NET_RANDOM_MUST(random, condition, format, ...)                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %" PRIu64 " at %" PRId64 " ps: " format "\n{%s}\n{%s}", (random)->seed, \
                     sim_now_ps((random)->rig.sim), __VA_ARGS__, (random)->network,                \
                     (random)->family);                                                            \
    } while (0)

#endif
