/* net.c - builds switches and NICs from a graph, and answers fabric.h (net.h).
 *
 * Every cable of the graph is two links, numbers 2k and 2k+1; a port is one of them at its sender.
 */
#include "models/net/net.h"

#include <string.h>

#include "models/net/buffers.h"
#include "models/net/idle.h"
#include "models/net/nic.h"
#include "models/net/switch.h"
#include "sim/base/units.h"

#define QP_BUCKETS 16384
#define CACHE_BYTES 1000000 /* ports that take more do not stay in a second-level cache */
/* Packets per link that are made at set-up, what a network under full load comes to need, and the
 * most that they may take: a long run then takes little more memory than a short one. */
#define PACKETS 40
#define PACKETS_BYTES ((int64_t)8 << 20)
#define CUT_BYTES 62 /* preamble, Ethernet, IPv4, UDP, BTH: enough to choose a way */

struct net {
    struct fabric fabric;
    struct topo_graph *graph;
    const struct net_cfg *cfg;
    const struct routes *routes; /* with all links up */
    struct net_switch **sw;      /* by graph node, NULL for endpoints */
    struct nic **nic;            /* by graph node, NULL for switches */
    struct port **port;          /* by link */
    struct nic_shared shared;
    struct rdma_qp *bucket[QP_BUCKETS];
    struct timer reroute; /* all switches know what is down */
    bool *down, *stormy;  /* [link_n] */
};

/* ---- fabric.h -------------------------------------------------------------------------------- */

/* One of the shortest paths: all are equally long. */
static int walk(struct net *net, int32_t src, int32_t dst, int32_t *path)
{
    return routes_path(net->routes, src, dst, 0, path);
}

static struct fabric_path net_path(struct fabric *base, int32_t src, int32_t dst)
{
    struct net *net = (struct net *)base;
    int32_t path[TOPO_PATH_MAX];
    int n = walk(net, src, dst, path);
    CHECK(n > 0, "no path from %s to %s", net->graph->nodes[src].name, net->graph->nodes[dst].name);
    struct fabric_path facts = {.bottleneck_bps = INT64_MAX};
    for (int i = 0; i < n; i++) {
        const struct topo_link *link = &net->graph->links[path[i]];
        facts.delay_ps += link->delay_ps;
        if (link->rate_bps < facts.bottleneck_bps) facts.bottleneck_bps = link->rate_bps;
    }
    facts.first_bps = net->graph->links[path[0]].rate_bps;
    return facts;
}

/* What packets take one way; the links are as they were built, whatever faults make of them. */
static int64_t way_ps(struct net *net, const int32_t ends[2], const struct idle_packets *packets)
{
    int32_t path[TOPO_PATH_MAX];
    struct idle_link link[TOPO_PATH_MAX];
    int n = walk(net, ends[0], ends[1], path);
    for (int i = 0; i < n; i++) {
        const struct topo_link *built = &net->graph->links[path[i]];
        link[i] =
            (struct idle_link){built->rate_bps, built->delay_ps, net->port[path[i]]->cut_bytes};
    }
    return idle_ps(link, n, packets);
}

static int64_t net_idle_ps(struct fabric *base, const struct fabric_msg *msg)
{
    struct net *net = (struct net *)base;
    const int64_t mtu_bytes = net->cfg->mtu_bytes, header_bytes = net->shared.header_bytes;
    struct idle_packets packets = {.n = msg->bytes > 0 ? (msg->bytes - 1) / mtu_bytes + 1 : 1};
    const int64_t last_bytes = msg->bytes - (packets.n - 1) * mtu_bytes + header_bytes;
    packets.middle_bytes = mtu_bytes + header_bytes;
    packets.last_bytes = last_bytes;
    packets.first_bytes =
        (packets.n > 1 ? packets.middle_bytes : last_bytes) + net->cfg->framing.first_bytes;
    int64_t time_ps = way_ps(net, (int32_t[]){msg->src, msg->dst}, &packets);
    if (!msg->confirm) return time_ps;
    const struct idle_packets ack = {.n = 1, .first_bytes = net->shared.ack_bytes};
    return time_ps + way_ps(net, (int32_t[]){msg->dst, msg->src}, &ack);
}

/* Unloaded round trip of a full packet and its acknowledgement, stored and forwarded. */
static int64_t round_trip_ps(struct net *net, int32_t src, int32_t dst)
{
    int32_t path[TOPO_PATH_MAX];
    int n = walk(net, src, dst, path);
    int64_t sum_ps = 0;
    for (int i = 0; i < n; i++) {
        const struct port *port = net->port[path[i]];
        sum_ps += 2 * port->delay_ps +
                  port_serialise_ps(port, net->cfg->mtu_bytes + net->shared.header_bytes) +
                  port_serialise_ps(port, net->shared.ack_bytes);
    }
    return sum_ps;
}

static struct rdma_qp **bucket_of(struct net *net, int32_t src, int32_t dst, uint32_t stream)
{
    uint64_t key = ((uint64_t)(uint32_t)src * 2654435761u) ^
                   ((uint64_t)(uint32_t)dst * 2246822519u) ^ stream * 3266489917u;
    return &net->bucket[(key ^ key >> 17) % QP_BUCKETS];
}

static struct rdma_qp *find_qp(struct net *net, const struct fabric_msg *msg)
{
    struct rdma_qp **bucket = bucket_of(net, msg->src, msg->dst, msg->stream);
    for (struct rdma_qp *qp = *bucket; qp; qp = qp->chain)
        if (qp->src == msg->src && qp->dst == msg->dst && qp->stream == msg->stream) return qp;
    struct nic *src = net->nic[msg->src], *dst = net->nic[msg->dst];
    CHECK(src && dst, "a message from %d to %d, which are no endpoints", msg->src, msg->dst);
    struct rdma_qp *qp = rdma_open(src, dst, msg->stream, round_trip_ps(net, msg->src, msg->dst));
    qp->chain = *bucket; /* only now: opening one may have closed another of this chain */
    *bucket = qp;
    return qp;
}

static void on_closed(struct nic_shared *shared, struct rdma_qp *qp)
{
    struct net *net = (struct net *)(void *)((char *)shared - offsetof(struct net, shared));
    struct rdma_qp **at = bucket_of(net, qp->src, qp->dst, qp->stream);
    while (*at != qp)
        at = &(*at)->chain;
    *at = qp->chain;
}

static void net_send(struct fabric *base, struct fabric_msg *msg)
{
    rdma_post(find_qp((struct net *)base, msg), msg);
}

/* Bytes after which a switch can pass a packet on that comes by link: its headers; 0 = all. A
 * faster link than this one would run dry. */
static uint16_t cut_bytes(const struct net *net, int32_t link)
{
    const struct net_switch *sw = net->sw[net->graph->links[link].to];
    const int64_t rate_bps = net->port[link]->rate_bps; /* a fault may have made it slow */
    if (!sw || net->cfg->forwarding != NET_CUT_THROUGH) return 0;
    for (int i = 0; i < sw->port_n; i++) {
        int32_t out = routes_port(net->routes, sw->node, i);
        if (net->graph->links[out].rate_bps > rate_bps) return 0;
    }
    return CUT_BYTES;
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void on_reroute(struct sim *sim, void *self)
{
    struct net *net = self;
    /* net->routes stay: facts of paths are those of the topology. */
    const struct routes *routes = routes_new(sim_arena(sim), net->graph, net->down);
    for (int32_t v = 0; v < net->graph->node_n; v++)
        if (net->sw[v]) switch_set_routes(net->sw[v], routes);
}

/* The two ends of a cable know at once that it is down; the others after net_cfg.convergence_ps,
 * but of what is down from the first all have known for long. */
static void set_down(struct net *net, struct port *port, bool down)
{
    struct net_switch *sw = net->sw[net->graph->links[port->link].from];
    if (port->down == down) return;
    if (sw) {
        switch_port_down(sw, port->slot, down);
    } else {
        port_set_down(port, down);
    }
    net->down[port->link] = down;
    const bool at_first = sim_now_ps(net->fabric.sim) == 0;
    timer_after(net->fabric.sim, &net->reroute, at_first ? 0 : net->cfg->convergence_ps);
}

/* Links by name, as all random streams: seeds a step apart would give one sequence, shifted. */
static uint64_t errors_seed(const struct net *net, int32_t link)
{
    struct arena scratch = {0};
    const char *name = arena_printf(&scratch, "link/%s/errors", net->graph->links[link].name);
    struct rng rng = rng_stream(sim_seed(net->fabric.sim), name);
    arena_free(&scratch);
    return rng_u64(&rng);
}

static void net_set_link(struct fabric *base, int32_t link, const struct fabric_link *state)
{
    struct net *net = (struct net *)base;
    struct port *port = net->port[link];
    set_down(net, port, state->rate_bps == 0);
    if (state->rate_bps > 0 && state->rate_bps != port->rate_bps) {
        port_set_rate(port, state->rate_bps);
        port->cut_bytes = cut_bytes(net, link);
        port_rearm(port);
    }
    if (state->bit_errors != port->bit_errors)
        port_set_errors(port, state->bit_errors, errors_seed(net, link));
    bool stormy = net->stormy[link];
    if (state->storm == stormy) return;
    net->stormy[link] = state->storm;
    for (int c = 0; c < port->net->classes; c++)
        port_send_pause(port->reverse, c, state->storm, net->cfg->pfc.response_ps);
}

static const struct fabric_ops ops = {
    .send = net_send, .path = net_path, .idle_ps = net_idle_ps, .set_link = net_set_link};

/* ---- building -------------------------------------------------------------------------------- */

static bool is_switch(const struct net *net, int32_t node)
{
    return net->graph->nodes[node].kind == TOPO_SWITCH;
}

static void build_port(struct net *net, int32_t l)
{
    struct topo_graph *graph = net->graph;
    const struct topo_link *link = &graph->links[l];
    struct net_switch *sw = net->sw[link->from];
    struct port *port = net->port[l];
    port->net = &net->shared.net;
    port->link = l;
    port->slot = (uint16_t)net->routes->slot[l];
    port->peer_slot = (uint16_t)net->routes->slot[l ^ 1];
    port->reverse = net->port[l ^ 1];
    port->rate_bps = link->rate_bps;
    port->delay_ps = link->delay_ps;
    port->cut_bytes = cut_bytes(net, l);
    port->node = sw ? (void *)sw : (void *)net->nic[link->from];
    port->source = !sw;
    port->to_nic = !is_switch(net, link->to);
    port->peer = port->to_nic ? (void *)net->nic[link->to] : (void *)net->sw[link->to];
    port->peer_latency_ps = graph->nodes[link->to].latency_ps;
    if (net->shared.net.classes > 1) {
        port->share = ARENA_NEW(sim_arena(net->fabric.sim), struct port_share);
        port->special = true;
    }
    port_init(port);
}

static void build_ports(struct net *net)
{
    const struct topo_graph *graph = net->graph;
    for (int32_t l = 0; l < graph->link_n; l++) {
        int32_t from = graph->links[l].from, slot = net->routes->slot[l];
        CHECK(net->sw[from] || slot == 0, "endpoint %s has several ports", graph->nodes[from].name);
        net->port[l] = net->sw[from] ? &net->sw[from]->ports[slot] : &net->nic[from]->port;
    }
    for (int32_t l = 0; l < graph->link_n; l++)
        build_port(net, l);
}

static void build_nodes(struct net *net)
{
    struct arena *arena = sim_arena(net->fabric.sim);
    for (int32_t v = 0; v < net->graph->node_n; v++) {
        if (!is_switch(net, v)) {
            net->nic[v] = arena_lines(arena, sizeof(struct nic));
            net->nic[v]->shared = &net->shared;
            net->nic[v]->node = v;
            continue;
        }
        struct net_switch *sw = net->sw[v] = arena_lines(arena, sizeof(struct net_switch));
        *sw = (struct net_switch){.net = &net->shared.net,
                                  .cfg = net->cfg,
                                  .hops = net->shared.cc->wants_hops,
                                  .node = v,
                                  .port_n = (uint16_t)routes_ports(net->routes, v)};
        sw->ports = arena_lines(arena, sw->port_n * sizeof(struct port));
        switch_set_routes(sw, net->routes);
    }
}

static void on_foresee(const void *self, const void *hint)
{
    const struct port *port = self;
    const struct packet *packet = hint;
    if (packet->type == PACKET_CREDIT) return; /* it goes nowhere from here */
    if (port->to_nic) {
        nic_foresee(port, packet);
    } else {
        switch_foresee(port, packet);
    }
}

static void build_shared(struct net *net)
{
    struct nic_shared *shared = &net->shared;
    const struct net_cfg *cfg = net->cfg;
    struct arena *arena = sim_arena(net->fabric.sim);
    const struct net_class *class_ = cfg->classes.items;
    shared->sim = net->fabric.sim;
    shared->cfg = cfg;
    shared->cc = cc_list[cfg->cc.index];
    shared->cc_config = cfg->cc.config;
    shared->closed = on_closed;
    int64_t telemetry_bytes = shared->cc->wants_hops ? cfg->framing.telemetry_bytes : 0;
    shared->header_bytes = net_data_bytes(cfg) + telemetry_bytes;
    shared->ack_bytes = net_ack_bytes(cfg) + telemetry_bytes;
    struct rng salt = rng_stream(sim_seed(net->fabric.sim), "network/flows");
    shared->net = (struct port_net){.sim = net->fabric.sim,
                                    .leave = switch_leave,
                                    .deliver_switch = switch_deliver,
                                    .deliver_nic = nic_deliver,
                                    .next = nic_next,
                                    .make = nic_make,
                                    .frame_bytes = buffers_frame_bytes(cfg),
                                    .salt = (uint32_t)rng_u64(&salt),
                                    .watchdog_ps = cfg->pfc.watchdog_ps,
                                    .classes = cfg->classes.n > 0 ? (int)cfg->classes.n : 1};
    if (net->graph->link_n * (int64_t)sizeof(struct port) > CACHE_BYTES)
        shared->net.foresee = on_foresee;
    for (int64_t c = 0; c < cfg->classes.n; c++)
        shared->net.weight[c] = class_[c].weight * shared->net.frame_bytes;
    packet_pool_init(&shared->net.packets, arena,
                     shared->cc->wants_hops ? sizeof(struct nic_telemetry) : 0);
    int64_t most = PACKETS_BYTES / (int64_t)shared->net.packets.stride;
    int64_t packets = PACKETS * (int64_t)net->graph->link_n;
    packet_pool_reserve(&shared->net.packets, packets < most ? packets : most);
    pool_init(&shared->messages, arena, sizeof(struct rdma_msg));
}

struct fabric *net_new(struct sim *sim, struct topo_graph *graph, const struct net_cfg *cfg)
{
    struct arena *arena = sim_arena(sim);
    struct net *net = ARENA_NEW(arena, struct net);
    net->fabric = (struct fabric){.ops = &ops, .sim = sim};
    net->graph = graph;
    net->cfg = cfg;
    net->routes = routes_new(arena, graph, NULL);
    net->sw = ARENA_ARRAY(arena, struct net_switch *, graph->node_n);
    net->nic = ARENA_ARRAY(arena, struct nic *, graph->node_n);
    net->port = ARENA_ARRAY(arena, struct port *, graph->link_n);
    net->down = ARENA_ARRAY(arena, bool, graph->link_n);
    net->stormy = ARENA_ARRAY(arena, bool, graph->link_n);
    build_shared(net);
    build_nodes(net);
    build_ports(net);
    for (int32_t v = 0; v < graph->node_n; v++)
        if (net->sw[v]) switch_init(net->sw[v]);
    timer_init(&net->reroute, on_reroute, net, sim_component(sim), 0);
    return &net->fabric;
}

/* ---- results --------------------------------------------------------------------------------- */

static int64_t bytes_in(const struct port *port)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < port->flight.n; i++) {
        const struct packet *packet = packet_at(&port->net->packets, port_what(&port->flight, i));
        if (packet->type == PACKET_DATA) bytes += packet->wire_bytes;
    }
    for (int c = 0; c < port->net->classes; c++) {
        const struct port_queue *queue = c ? &port->share->queue[c] : &port->queue[1];
        for (const struct port_entry *entry = queue->first; entry != queue->behind;
             entry = port_queue_next(queue, entry)) {
            const struct packet *packet = packet_at(&port->net->packets, entry->packet);
            if (packet->type == PACKET_DATA) bytes += packet->wire_bytes;
        }
    }
    return bytes;
}

struct net_totals net_totals(const struct fabric *base)
{
    const struct net *net = (const struct net *)base;
    struct net_totals sum = {.injected_bytes = net->shared.injected_bytes,
                             .delivered_bytes = net->shared.delivered_bytes,
                             .drops = net->shared.rx_drops,
                             .dropped_bytes = net->shared.rx_dropped_bytes,
                             .timeouts = net->shared.timeouts,
                             .retransmitted = net->shared.retransmitted};
    for (int32_t l = 0; l < net->graph->link_n; l++) {
        const struct port *port = net->port[l];
        sum.data_hops += port->data_packets - port->data_acks;
        sum.ack_hops += port->control_packets + port->data_acks;
        sum.pauses += port->pauses;
        sum.marks += port->marks;
        sum.inflight_bytes += bytes_in(port);
        sum.drops += port->drops;
        sum.dropped_bytes += port->drop_bytes;
    }
    for (int32_t v = 0; v < net->graph->node_n; v++) {
        const struct net_switch *sw = net->sw[v];
        if (!sw) continue;
        if (sw->headroom_max_bytes > sum.headroom_max_bytes)
            sum.headroom_max_bytes = sw->headroom_max_bytes;
        for (int i = 0; i < sw->port_n * net->shared.net.classes; i++)
            if (sw->ingress[i].max_bytes > sum.ingress_max_bytes)
                sum.ingress_max_bytes = sw->ingress[i].max_bytes;
    }
    return sum;
}

const char *net_broken(const struct fabric *base, struct arena *arena)
{
    const struct net *net = (const struct net *)base;
    const struct rdma_qp *qp = net->shared.broken;
    if (!qp) return NULL;
    return arena_printf(arena, "%s: no acknowledgement from %s after %lld retries",
                        net->graph->nodes[qp->src].name, net->graph->nodes[qp->dst].name,
                        (long long)net->cfg->retries);
}

struct net_parts net_parts(const struct fabric *base)
{
    const struct net *net = (const struct net *)base;
    return (struct net_parts){
        .graph = net->graph, .port = net->port, .sw = net->sw, .classes = net->shared.net.classes};
}

void net_record(const struct fabric *base, struct record *record)
{
    const struct net *net = (const struct net *)base;
    const double now_s = units_s(sim_now_ps(base->sim));
    struct net_totals sum = net_totals(base);
    record->data_hops = sum.data_hops;
    record->ack_hops = sum.ack_hops;
    record_metric(record, "network", "injected_bytes", "bytes", (double)sum.injected_bytes);
    record_metric(record, "network", "delivered_bytes", "bytes", (double)sum.delivered_bytes);
    record_metric(record, "network", "dropped_bytes", "bytes", (double)sum.dropped_bytes);
    record_metric(record, "network", "inflight_bytes", "bytes", (double)sum.inflight_bytes);
    record_metric(record, "network", "drops", "1", (double)sum.drops);
    record_metric(record, "network", "ecn_marks", "1", (double)sum.marks);
    record_metric(record, "network", "cnps", "1", (double)net->shared.cnps);
    record_metric(record, "network", "pauses", "1", (double)sum.pauses);
    record_metric(record, "network", "pause_storms", "1", (double)net->shared.net.storms);
    record_metric(record, "network", "timeouts", "1", (double)sum.timeouts);
    record_metric(record, "network", "retransmitted_packets", "1", (double)sum.retransmitted);
    record_metric(record, "network", "out_of_order_packets", "1", (double)net->shared.out_of_order);
    record_metric(record, "network", "ingress_max_bytes", "bytes", (double)sum.ingress_max_bytes);
    record_metric(record, "network", "headroom_max_bytes", "bytes", (double)sum.headroom_max_bytes);
    for (int32_t l = 0; l < net->graph->link_n; l++) {
        const struct port *port = net->port[l];
        if (port->tx_bytes == 0) continue;
        const char *entity = arena_printf(&record->arena, "link/%s", net->graph->links[l].name);
        record_metric(record, entity, "wire_bytes", "bytes", (double)port->tx_bytes);
        record_metric(record, entity, "queue_max_bytes", "bytes", (double)port->queue_max_bytes);
        record_metric(record, entity, "ecn_marks", "1", (double)port->marks);
        record_metric(record, entity, "paused_s", "s", units_s(port->paused_ps));
        if (now_s > 0)
            record_metric(record, entity, "utilisation", "1",
                          (double)port->tx_bytes * 8 / (double)net->graph->links[l].rate_bps /
                              now_s);
    }
}
