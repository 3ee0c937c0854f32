/* cluster.c - which way a message takes: NVLink, NIC, or both.
 *
 * The one idea: the way is found once per connection. Over the fabric a connection is a queue pair:
 * its next message starts when the last byte of the one before has left, so that messages of one
 * connection come in order and one by one, as a NIC sends them; different connections share a NIC
 * as the fabric lets them.
 *
 * PXN, source: NCCL, src/graph/paths.cc: the sender's side only ("receive locally, send remotely").
 * NOT modelled: PCIe between GPU and NIC (the NIC's rate is taken to be the slower one), copies in
 * the memory of a GPU, NICs that belong to no GPU of the node.
 */
#include "models/cluster/cluster.h"

#include <inttypes.h>

#include "sim/base/check.h"

enum { TIMER_LAG };

struct cluster {
    struct sim *sim;
    struct cluster_cfg cfg;
    const struct topo_made *made;
    struct fabric *fabric;
    struct nvlink *nvlink;
    struct framing framing;
    const int32_t *edge_of; /* [nodes of the graph] of an endpoint: its switch */
    struct cluster_facts facts;
    int64_t wire_msgs, wire_bytes, proxy_bytes, nvlink_msgs;
    uint32_t component;
};

/* ---- where things are ------------------------------------------------------------------------ */

/* The port of a GPU: its own, one that it shares, or one of several: by stream, such that those
 * that are a multiple of the GPUs apart, as a GPU's channels are, take turns. */
static int64_t port_of(const struct cluster *cluster, int32_t gpu, uint32_t stream)
{
    int64_t inside = gpu % cluster->cfg.gpus, ports = cluster->made->node_ports;
    if (ports <= cluster->cfg.gpus) return inside * ports / cluster->cfg.gpus;
    int64_t each = ports / cluster->cfg.gpus;
    return inside * each + (stream + stream / cluster->cfg.gpus) % each;
}

static int32_t endpoint_of(const struct cluster *cluster, int32_t gpu, uint32_t stream)
{
    int64_t node = gpu / cluster->cfg.gpus;
    return cluster->made
        ->endpoint[node * cluster->made->node_ports + port_of(cluster, gpu, stream)];
}

int32_t cluster_nvswitch(const struct cluster *cluster, int32_t gpu)
{
    return (int32_t)(cluster->facts.gpus + gpu / cluster->facts.domain);
}

static int32_t place_of_node(const struct cluster *cluster, int32_t node)
{
    return (int32_t)(cluster->facts.gpus + cluster->facts.gpus / cluster->facts.domain) + node;
}

int32_t cluster_edge(const struct cluster *cluster, int32_t gpu)
{
    return place_of_node(cluster, cluster->edge_of[endpoint_of(cluster, gpu, 0)]);
}

/* Domains next to one another at the same switch; 0 if that is no regular number. */
static int64_t find_leaf(const struct cluster *cluster)
{
    int64_t n = cluster->facts.gpus / cluster->facts.domain, each = 1;
    while (each < n && cluster_edge(cluster, 0) ==
                           cluster_edge(cluster, (int32_t)(each * cluster->facts.domain)))
        each++;
    for (int64_t d = each; d < n; d++)
        if (cluster_edge(cluster, (int32_t)(d * cluster->facts.domain)) !=
            cluster_edge(cluster, (int32_t)(d / each * each * cluster->facts.domain)))
            return 0;
    return each;
}

struct sim *cluster_sim(const struct cluster *cluster)
{
    return cluster->sim;
}

const struct cluster_facts *cluster_facts(const struct cluster *cluster)
{
    return &cluster->facts;
}

/* For each endpoint the switch at the other end of its cable; returns the payload rate of the ports
 * of the first node. */
static int64_t find_edges(struct cluster *cluster, const struct topo_graph *graph)
{
    const struct topo_made *made = cluster->made;
    int32_t *edge_of = ARENA_ARRAY(graph->arena, int32_t, graph->node_n);
    int64_t *rate_bps = ARENA_ARRAY(graph->arena, int64_t, graph->node_n);
    int64_t sum_bps = 0, mtu = cluster->framing.payload_bytes;
    for (int64_t l = 0; l < graph->link_n; l++) {
        edge_of[graph->links[l].from] = graph->links[l].to;
        rate_bps[graph->links[l].from] = graph->links[l].rate_bps;
    }
    for (int64_t port = 0; port < made->node_ports; port++)
        sum_bps += rate_bps[made->endpoint[port]];
    cluster->edge_of = edge_of;
    return sum_bps / (mtu + cluster->framing.overhead_bytes) * mtu;
}

bool cluster_check(int64_t gpus, int64_t ports, struct err *err)
{
    return ports <= gpus || ports % gpus == 0 ||
           err_key(err, "node.gpus",
                   "C124: %" PRId64 " GPUs of a server do not share its %" PRId64
                   " network ports evenly: fewer ports, or a multiple",
                   gpus, ports);
}

struct cluster *cluster_new(struct sim *sim, const struct cluster_parts *parts)
{
    struct arena *arena = sim_arena(sim);
    struct cluster *cluster = ARENA_NEW(arena, struct cluster);
    const struct topo_graph *graph = parts->graph;
    const struct cluster_cfg *cfg = parts->cfg;
    cluster->sim = sim;
    cluster->cfg = *cfg;
    cluster->made = parts->made;
    cluster->fabric = parts->fabric;
    cluster->framing = parts->framing;
    cluster->facts.gpus = parts->made->nodes * cfg->gpus;
    cluster->facts.node_gpus = cfg->gpus;
    cluster->facts.node_ports = parts->made->node_ports;
    cluster->facts.domain = cfg->domain ? cfg->domain : cfg->gpus;
    cluster->facts.link_bps = (int64_t)((double)cfg->link_bps * cfg->link_efficiency);
    cluster->component = sim_component(sim);
    cluster->nvlink =
        nvlink_new(sim, &(struct nvlink_cfg){
                            .gpus = cluster->facts.gpus,
                            .rate_bps = cluster->facts.link_bps,
                            .switch_bps = (int64_t)((double)cfg->link_bps * cfg->switch_efficiency),
                            .delay_ps = cfg->link_delay_ps});
    cluster->facts.nic_bps = find_edges(cluster, graph);
    cluster->facts.leaf = find_leaf(cluster);
    return cluster;
}

/* ---- connections ----------------------------------------------------------------------------- */

static bool is_gpu(const struct cluster *cluster, int32_t place)
{
    return place < cluster->facts.gpus;
}

/* The domain of a GPU or of an NVSwitch; -1: a node of the fabric. */
static int64_t domain_of(const struct cluster *cluster, int32_t place)
{
    if (is_gpu(cluster, place)) return place / cluster->facts.domain;
    int64_t nvswitch = place - cluster->facts.gpus;
    return nvswitch < cluster->facts.gpus / cluster->facts.domain ? nvswitch : -1;
}

static int32_t fabric_end(const struct cluster *cluster, int32_t place, uint32_t stream)
{
    if (is_gpu(cluster, place)) return endpoint_of(cluster, place, stream);
    CHECK(domain_of(cluster, place) < 0, "an NVSwitch has no way into the fabric");
    return place - place_of_node(cluster, 0);
}

/* The GPU next to src that has dst's rail; -1: src itself, or none that NVLink leads to. */
static int32_t find_proxy(const struct cluster *cluster, int32_t src, int32_t dst, uint32_t stream)
{
    if (!cluster->cfg.pxn || !is_gpu(cluster, src) || !is_gpu(cluster, dst)) return -1;
    if (port_of(cluster, src, stream) == port_of(cluster, dst, stream)) return -1;
    int64_t gpus = cluster->cfg.gpus;
    return (int32_t)(src - src % gpus + dst % gpus);
}

void cluster_connect(struct cluster *cluster, struct cluster_conn *conn, int32_t src, int32_t dst,
                     uint32_t stream)
{
    *conn = (struct cluster_conn){
        .cluster = cluster, .src = src, .dst = dst, .proxy = -1, .stream = stream};
    int64_t domain = domain_of(cluster, src);
    if (domain >= 0 && domain == domain_of(cluster, dst)) {
        conn->nvlink = true;
        conn->from = is_gpu(cluster, src) ? src : NVLINK_SWITCH;
        conn->to = is_gpu(cluster, dst) ? dst : NVLINK_SWITCH;
        return;
    }
    conn->proxy = find_proxy(cluster, src, dst, stream);
    conn->from = fabric_end(cluster, conn->proxy >= 0 ? conn->proxy : src, stream);
    conn->to = fabric_end(cluster, dst, stream);
}

void cluster_lag(struct cluster_conn *conn, const struct cluster_lag *lag)
{
    conn->lag_ps = conn->nvlink ? lag->nvlink_ps : lag->net_ps;
}

/* ---- messages -------------------------------------------------------------------------------- */

#define MSG_OF_HOP(hop_) ((struct cluster_msg *)(void *)(hop_)) /* its first member */

static void nvlink_done(struct sim *sim, struct nvlink_hop *hop)
{
    struct cluster_msg *msg = MSG_OF_HOP(hop);
    msg->done(sim, msg);
}

static void lag_over(struct sim *sim, void *self)
{
    struct cluster_msg *msg = self;
    msg->done(sim, msg);
}

static void wire_done(struct sim *sim, struct fabric_msg *wire)
{
    struct cluster_msg *msg = wire->owner;
    int64_t lag_ps = msg->conn->lag_ps;
    if (lag_ps == 0) {
        msg->done(sim, msg);
        return;
    }
    timer_init(&msg->hop.timer, lag_over, msg, msg->conn->cluster->component, TIMER_LAG);
    timer_after(sim, &msg->hop.timer, lag_ps);
}

static void wire_send(struct cluster_conn *conn, struct cluster_msg *msg)
{
    struct cluster *cluster = conn->cluster;
    cluster->wire_msgs++;
    cluster->wire_bytes += msg->bytes;
    msg->wire = (struct fabric_msg){.src = conn->from,
                                    .dst = conn->to,
                                    .bytes = msg->bytes,
                                    .stream = conn->stream,
                                    .framing = &cluster->framing,
                                    .done = wire_done,
                                    .owner = msg};
    fabric_send(cluster->fabric, &msg->wire);
}

static void at_proxy(struct sim *sim, struct nvlink_hop *hop)
{
    (void)sim;
    struct cluster_msg *msg = MSG_OF_HOP(hop);
    wire_send(msg->conn, msg);
}

static void hop_send(struct cluster_conn *conn, struct cluster_msg *msg, int32_t dst)
{
    struct cluster *cluster = conn->cluster;
    struct nvlink_hop *hop = &msg->hop;
    cluster->nvlink_msgs++;
    hop->queue = &conn->queue;
    hop->dst = dst;
    hop->bytes = msg->bytes;
    nvlink_send(cluster->nvlink, hop);
}

void cluster_send(struct cluster_conn *conn, struct cluster_msg *msg)
{
    msg->conn = conn;
    if (conn->nvlink) {
        msg->hop.src = conn->from;
        msg->hop.lag_ps = conn->lag_ps;
        msg->hop.done = nvlink_done;
        hop_send(conn, msg, conn->to);
    } else if (conn->proxy >= 0) {
        conn->cluster->proxy_bytes += msg->bytes;
        msg->hop.src = conn->src;
        msg->hop.lag_ps = 0;
        msg->hop.done = at_proxy;
        hop_send(conn, msg, conn->proxy);
    } else {
        wire_send(conn, msg);
    }
}

/* ---- results --------------------------------------------------------------------------------- */

void cluster_record(const struct cluster *cluster, struct record *record)
{
    int64_t nvlink_bytes = 0, busiest = 0;
    for (int32_t g = 0; g < cluster->facts.gpus; g++) {
        const struct nvlink_count count = nvlink_count(cluster->nvlink, g);
        int64_t most = count.out_bytes > count.in_bytes ? count.out_bytes : count.in_bytes;
        nvlink_bytes += count.out_bytes;
        if (most > busiest) busiest = most;
    }
    record_metric(record, "cluster", "nvlink_messages", "1", (double)cluster->nvlink_msgs);
    record_metric(record, "cluster", "nvlink_bytes", "bytes", (double)nvlink_bytes);
    record_metric(record, "cluster", "nvlink_busiest_bytes", "bytes", (double)busiest);
    record_metric(record, "cluster", "network_messages", "1", (double)cluster->wire_msgs);
    record_metric(record, "cluster", "network_bytes", "bytes", (double)cluster->wire_bytes);
    record_metric(record, "cluster", "pxn_bytes", "bytes", (double)cluster->proxy_bytes);
}
