/* net.c - builds switches and NICs from a graph, and answers fabric.h (net.h).
 *
 * Every cable of the graph is two links, numbers 2k and 2k+1; a port is one of them at its sender.
 */
#include "models/net/net.h"

#include <string.h>

#include "models/net/nic.h"
#include "models/net/switch.h"
#include "sim/base/units.h"

#define QP_BUCKETS 16384

struct net {
    struct fabric fabric;
    struct topo_graph *graph;
    const struct net_cfg *cfg;
    const struct routes *routes;
    struct net_switch **sw; /* by graph node, NULL for endpoints */
    struct nic **nic;       /* by graph node, NULL for switches */
    struct port **port;     /* by link */
    struct nic_shared shared;
    struct rdma_qp *bucket[QP_BUCKETS];
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

/* Unloaded round trip of a full packet and its acknowledgement, stored and forwarded. */
static int64_t round_trip_ps(struct net *net, int32_t src, int32_t dst)
{
    int32_t path[TOPO_PATH_MAX];
    int n = walk(net, src, dst, path);
    int64_t sum_ps = 0;
    for (int i = 0; i < n; i++) {
        const struct port *port = net->port[path[i]];
        sum_ps += 2 * port->delay_ps +
                  port_serialise_ps(port, net->cfg->mtu_bytes + FRAMING_ROCE_BYTES) +
                  port_serialise_ps(port, FRAMING_ROCE_ACK_BYTES);
    }
    return sum_ps;
}

static struct rdma_qp *find_qp(struct net *net, const struct fabric_msg *msg)
{
    uint64_t key = ((uint64_t)(uint32_t)msg->src * 2654435761u) ^
                   ((uint64_t)(uint32_t)msg->dst * 2246822519u) ^ msg->stream * 3266489917u;
    struct rdma_qp **at = &net->bucket[(key ^ key >> 17) % QP_BUCKETS];
    for (; *at; at = &(*at)->chain)
        if ((*at)->src == msg->src && (*at)->dst == msg->dst && (*at)->stream == msg->stream)
            return *at;
    struct nic *src = net->nic[msg->src], *dst = net->nic[msg->dst];
    CHECK(src && dst, "a message from %d to %d, which are no endpoints", msg->src, msg->dst);
    *at = rdma_open(src, dst, msg->stream, round_trip_ps(net, msg->src, msg->dst));
    return *at;
}

static void net_send(struct fabric *base, struct fabric_msg *msg)
{
    rdma_post(find_qp((struct net *)base, msg), msg);
}

static const struct fabric_ops ops = {.send = net_send, .path = net_path};

/* ---- building -------------------------------------------------------------------------------- */

static void build_ports(struct net *net)
{
    struct topo_graph *graph = net->graph;
    for (int32_t l = 0; l < graph->link_n; l++) {
        const struct topo_link *link = &graph->links[l];
        uint16_t slot = (uint16_t)net->routes->slot[l];
        struct net_switch *sw = net->sw[link->from];
        struct port *port = sw ? &sw->ports[slot] : &net->nic[link->from]->port;
        CHECK(sw || slot == 0, "endpoint %s has several ports", graph->nodes[link->from].name);
        net->port[l] = port;
        port->sim = net->fabric.sim;
        port->link = l;
        port->slot = slot;
        port->peer_slot = (uint16_t)net->routes->slot[l ^ 1];
        port->rate_bps = link->rate_bps;
        port->delay_ps = link->delay_ps;
        port->owner = sw ? &switch_owner : &nic_owner;
        port->node = sw ? (void *)sw : (void *)net->nic[link->from];
        port->peer_owner = net->sw[link->to] ? &switch_owner : &nic_owner;
        port->peer = net->sw[link->to] ? (void *)net->sw[link->to] : (void *)net->nic[link->to];
        port_init(port);
    }
}

/* Memory that begins with a cache line. */
static void *alloc_lines(struct arena *arena, size_t bytes)
{
    return (void *)(((uintptr_t)arena_alloc(arena, bytes + 63) + 63) & ~(uintptr_t)63);
}

static void build_nodes(struct net *net)
{
    struct arena *arena = sim_arena(net->fabric.sim);
    for (int32_t v = 0; v < net->graph->node_n; v++) {
        if (net->graph->nodes[v].kind != TOPO_SWITCH) {
            net->nic[v] = alloc_lines(arena, sizeof(struct nic));
            net->nic[v]->shared = &net->shared;
            net->nic[v]->node = v;
            continue;
        }
        struct net_switch *sw = net->sw[v] = ARENA_NEW(arena, struct net_switch);
        *sw = (struct net_switch){.sim = net->fabric.sim,
                                  .cfg = net->cfg,
                                  .routes = net->routes,
                                  .packets = &net->shared.packets,
                                  .hops = net->shared.cc->wants_hops,
                                  .node = v,
                                  .port_n = (uint16_t)routes_ports(net->routes, v)};
        sw->ports = alloc_lines(arena, sw->port_n * sizeof(struct port));
    }
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
    net->shared.sim = sim;
    net->shared.cfg = cfg;
    net->shared.cc = cc_list[cfg->cc.index];
    net->shared.cc_config = cfg->cc.config;
    pool_init(&net->shared.packets, arena, nic_packet_bytes(net->shared.cc));
    pool_init(&net->shared.messages, arena, sizeof(struct rdma_msg));
    build_nodes(net);
    build_ports(net);
    for (int32_t v = 0; v < graph->node_n; v++) {
        if (net->sw[v]) switch_init(net->sw[v]);
        if (net->nic[v] && net->nic[v]->port.rate_bps) nic_init(net->nic[v]);
    }
    return &net->fabric;
}

/* ---- results --------------------------------------------------------------------------------- */

static int64_t bytes_in(const struct port *port)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < port->flight.n; i++) {
        const struct packet *packet = port_ring_at(&port->flight, i)->packet;
        if (packet->type == PACKET_DATA) bytes += packet->wire_bytes;
    }
    return bytes + port->queue_bytes;
}

struct net_totals net_totals(const struct fabric *base)
{
    const struct net *net = (const struct net *)base;
    struct net_totals sum = {.injected_bytes = net->shared.injected_bytes,
                             .delivered_bytes = net->shared.delivered_bytes,
                             .timeouts = net->shared.timeouts,
                             .retransmitted = net->shared.retransmitted};
    for (int32_t l = 0; l < net->graph->link_n; l++) {
        const struct port *port = net->port[l];
        sum.data_hops += port->data_packets;
        sum.ack_hops += port->control_packets;
        sum.pauses += port->pauses;
        sum.marks += port->marks;
        sum.inflight_bytes += bytes_in(port);
    }
    for (int32_t v = 0; v < net->graph->node_n; v++) {
        const struct net_switch *sw = net->sw[v];
        if (!sw) continue;
        sum.drops += sw->drops;
        sum.dropped_bytes += sw->drop_bytes;
        for (int i = 0; i < sw->port_n; i++)
            if (sw->ingress[i].max_bytes > sum.headroom_max_bytes)
                sum.headroom_max_bytes = sw->ingress[i].max_bytes;
    }
    return sum;
}

/* Follow paused ports from link to link: the port of a switch that is paused waits for the switch
 * behind it, which waits for its own paused ports. A link met twice closes the cycle. */
static bool find_cycle(const struct net *net, int32_t start, int32_t *cycle, int *n)
{
    const struct topo_graph *graph = net->graph;
    int32_t at = start;
    for (*n = 0; *n < TOPO_PATH_MAX;) {
        cycle[(*n)++] = at;
        const struct net_switch *sw = net->sw[graph->links[at].to];
        int32_t next = -1;
        for (int i = 0; sw && i < sw->port_n && next < 0; i++)
            if (sw->ports[i].paused && sw->ports[i].queue_bytes > 0) next = sw->ports[i].link;
        if (next < 0) return false;
        if (next == start) return true;
        at = next;
    }
    return false;
}

const char *net_stuck(const struct fabric *base, struct arena *arena)
{
    const struct net *net = (const struct net *)base;
    int32_t cycle[TOPO_PATH_MAX];
    int n, paused = 0;
    for (int32_t l = 0; l < net->graph->link_n; l++) {
        if (!net->port[l]->paused) continue;
        paused++;
        if (!find_cycle(net, l, cycle, &n)) continue;
        const char *text = "PFC deadlock: ";
        for (int i = 0; i < n; i++)
            text = arena_printf(arena, "%s%s%s", text, i ? ", " : "",
                                net->graph->links[cycle[i]].name);
        return arena_printf(arena, "%s wait for each other", text);
    }
    return paused ? arena_printf(arena, "%d ports are paused", paused) : "";
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
    record_metric(record, "network", "timeouts", "1", (double)sum.timeouts);
    record_metric(record, "network", "retransmitted_packets", "1", (double)sum.retransmitted);
    record_metric(record, "network", "out_of_order_packets", "1", (double)net->shared.out_of_order);
    record_metric(record, "network", "ingress_max_bytes", "bytes", (double)sum.headroom_max_bytes);
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
                          (double)port->tx_bytes * 8 / (double)port->rate_bps / now_s);
    }
}
