/* switch.c - what a switch does with a packet: route, admit, queue, mark (switch.h).
 *
 * ECN (RED at dequeue):  p = Pmax (q - Kmin) / (Kmax - Kmin),  1 above Kmax.
 * NOT modelled: crossbar contention (a queue sits at its egress).
 */
#include "models/net/switch.h"

#include "models/net/nic.h"
#include "models/net/pfc.h"

/* ---- leaving --------------------------------------------------------------------------------- */

/* A draw of this packet at this switch: depends on nothing else, in whatever order it is made. */
static double draw(const struct net_switch *sw, const struct packet *packet)
{
    struct rng rng = {sw->seed ^ ((uint64_t)packet->qp << 32 | packet->seq)};
    return rng_unit(&rng);
}

static void mark(struct net_switch *sw, struct port *port, struct packet *packet, int64_t q)
{
    int64_t kmin = port->mark_bytes[0], kmax = port->mark_bytes[1];
    if (q <= kmin) return;
    if (q <= kmax) {
        double p = sw->cfg->ecn.pmax * (double)(q - kmin) / (double)(kmax - kmin);
        if (draw(sw, packet) >= p) return;
    }
    packet->flags |= PACKET_MARKED;
    port->marks++;
}

static void add_telemetry(const struct port *port, struct packet *packet, int64_t at_ps)
{
    struct nic_telemetry *telemetry = nic_telemetry(packet);
    if (telemetry->n == CC_HOPS_MAX) return;
    telemetry->hop[telemetry->n++] = (struct cc_hop){.rate_bps = port->rate_bps,
                                                     .queue_bytes = port->queue_bytes,
                                                     .tx_bytes = port->tx_bytes,
                                                     .at_ps = at_ps};
}

void switch_leave(struct port *port, const struct port_entry *entry, int64_t at_ps)
{
    struct net_switch *sw = port->node;
    bool crowded = sw->cfg->ecn.on && port->queue_bytes > sw->mark_bytes;
    if (sw->hops || crowded) {
        struct packet *packet = packet_at(&sw->net->packets, entry->packet);
        bool data = packet->type == PACKET_DATA; /* else an acknowledgement among data */
        if (sw->hops && data) add_telemetry(port, packet, at_ps);
        if (crowded && data)
            mark(sw, port, packet, port_class_bytes(port, PACKET_QUEUE(packet) - 1));
    }
    pfc_free(sw, entry->account, entry->wire_bytes);
}

/* ---- arriving -------------------------------------------------------------------------------- */

static int64_t queue_bytes(const struct route_view *view, int32_t i)
{
    const struct net_switch *sw = view->self;
    struct port *port = &sw->ports[view->slot[i]];
    port_advance(port, view->now_ps);
    return port->queue_bytes;
}

static bool is_up(const struct route_view *view, int32_t i)
{
    const struct net_switch *sw = view->self;
    return !sw->ports[view->slot[i]].down;
}

/* The egress port, NULL if there is no way. */
static struct port *route(struct net_switch *sw, const struct packet *packet)
{
    struct route_view view;
    view.n = routes_next(sw->routes, sw->node, packet->dst, &view.link);
    if (view.n == 0) return NULL;
    view.slot = view.link + view.n;
    if (view.n == 1) return &sw->ports[view.slot[0]];
    view.node = sw->node;
    view.self = sw;
    view.now_ps = sim_now_ps(sw->net->sim);
    view.flow = (packet->qp ^ sw->net->salt) * 2654435761u;
    view.sequence = packet->seq;
    view.queue_bytes = queue_bytes;
    view.up = sw->down_n ? is_up : NULL;
    int32_t i = sw->route->pick(sw->route_state, sw->cfg->routing.config, &view, &sw->rng);
    return &sw->ports[view.slot[i]];
}

/* The lines that an enqueue will touch come from memory at the same time. */
static inline __attribute__((always_inline)) void prefetch(const struct port *port)
{
    const char *line = (const char *)port;
    __builtin_prefetch(line, 1);
    __builtin_prefetch(line + 64, 1);
    __builtin_prefetch(line + 128, 1);
    __builtin_prefetch(line + 192, 1);
    __builtin_prefetch(line + 256, 1);
    __builtin_prefetch(line + 320, 1);
}

void switch_deliver(struct port *from, struct packet *packet)
{
    struct net_switch *sw = from->peer;
    if (packet->type == PACKET_CREDIT) {
        port_give(from->reverse, PACKET_QUEUE(packet) - 1, packet->ack);
        packet_put(&sw->net->packets, packet);
        return;
    }
    struct port *port = route(sw, packet);
    if (!port || port->down || port->storm) {
        port_drop(port ? port : from, packet);
        return;
    }
    prefetch(port);
    if (packet->type != PACKET_DATA) {
        bool ack = packet->type == PACKET_ACK || packet->type == PACKET_NACK;
        if (!ack || sw->cfg->acks == NET_ACKS_CONTROL) {
            port_enqueue(port, packet, PACKET_CONTROL, 0);
            return;
        }
        port->data_acks++;
    }
    int queue = PACKET_QUEUE(packet);
    if (queue > sw->net->classes) queue = sw->net->classes;
    int account = from->peer_slot * sw->net->classes + queue - 1;
    if (pfc_admit(sw, account, packet->wire_bytes)) {
        port_enqueue(port, packet, queue, (uint16_t)account);
    } else {
        port->data_acks -= packet->type != PACKET_DATA;
        port_drop(port, packet);
    }
}

/* ECN thresholds, for ports of per_bps and in proportion for others. */
static void init_marks(struct net_switch *sw)
{
    sw->mark_bytes = INT64_MAX;
    for (int i = 0; i < sw->port_n; i++) {
        struct port *port = &sw->ports[i];
        double per_bps = (double)sw->cfg->ecn.per_bps;
        double scale = per_bps > 0 ? (double)port->rate_bps / per_bps : 1;
        port->mark_bytes[0] = (int64_t)((double)sw->cfg->ecn.kmin_bytes * scale);
        port->mark_bytes[1] = (int64_t)((double)sw->cfg->ecn.kmax_bytes * scale);
        if (port->mark_bytes[0] < sw->mark_bytes) sw->mark_bytes = port->mark_bytes[0];
    }
}

void switch_port_down(struct net_switch *sw, int slot, bool down)
{
    struct port *port = &sw->ports[slot];
    if (port->down == down) return;
    port_set_down(port, down);
    sw->down_n = (uint16_t)(down ? sw->down_n + 1 : sw->down_n - 1);
}

void switch_init(struct net_switch *sw)
{
    struct sim *sim = sw->net->sim;
    struct arena *arena = sim_arena(sim);
    pfc_init(sw);
    init_marks(sw);
    const struct route_switch facts = {
        .node = sw->node, .ports = sw->port_n, .port_bps = sw->ports[0].rate_bps};
    const void *config = sw->cfg->routing.config;
    sw->route = route_list[sw->cfg->routing.index];
    sw->route_state = arena_alloc(arena, sw->route->state_bytes(config, &facts) + 1);
    sw->route->init(sw->route_state, config, &facts);
    struct rng seed = rng_stream(sim_seed(sim), arena_printf(arena, "switch/%d/ecn", sw->node));
    sw->seed = rng_u64(&seed);
    sw->rng = rng_stream(sim_seed(sim), arena_printf(arena, "switch/%d/route", sw->node));
}
