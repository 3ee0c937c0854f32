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

/* What a packet takes with it of its queue; an acknowledgement among data takes nothing. */
static __attribute__((noinline)) void stamp(struct net_switch *sw, struct port *port,
                                            const struct port_entry *entry, int64_t at_ps)
{
    struct packet *packet = packet_at(&sw->net->packets, entry->packet);
    if (packet->type != PACKET_DATA) return;
    if (sw->hops) add_telemetry(port, packet, at_ps);
    if (sw->cfg->ecn.on) mark(sw, port, packet, port_class_bytes(port, PACKET_QUEUE(packet) - 1));
}

void switch_leave(struct port *port, const struct port_entry *entry, int64_t at_ps)
{
    struct net_switch *sw = port->node;
    if (port->queue_bytes > sw->quiet_bytes) stamp(sw, port, entry, at_ps);
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

/* The number of candidates; several: what the rule is to know of packet. */
static inline int32_t view_packet(struct net_switch *sw, const struct packet *packet)
{
    struct route_view *view = &sw->view;
    int32_t n = routes_from_next(&sw->ways, packet->dst, &view->link);
    view->slot = view->link + n;
    if (n <= 1) return n;
    view->n = n;
    view->now_ps = sim_now_ps(sw->net->sim);
    view->flow = (packet->qp ^ sw->net->salt) * 2654435761u;
    view->sequence = packet->seq;
    return n;
}

/* The egress port, NULL if there is no way. */
static inline struct port *route(struct net_switch *sw, const struct packet *packet)
{
    int32_t n = view_packet(sw, packet), i = 0;
    if (n == 0) return NULL;
    if (n > 1) i = sw->route->pick(sw->route_state, sw->cfg->routing.config, &sw->view, &sw->rng);
    return &sw->ports[sw->view.slot[i]];
}

/* The lines that an enqueue will touch come from memory at the same time. */
static inline __attribute__((always_inline)) void prefetch(const struct port *port)
{
    const char *line = (const char *)port;
    __builtin_prefetch(line + 64, 1);
    __builtin_prefetch(line + 128, 1);
    __builtin_prefetch(line + 192, 1);
    __builtin_prefetch(line + 256, 1);
}

void switch_foresee(const struct port *from, const struct packet *packet)
{
    struct net_switch *sw = from->peer;
    __builtin_prefetch(&sw->ingress[from->peer_slot * sw->net->classes], 1);
    int32_t n = view_packet(sw, packet), i = 0;
    if (n == 0 || (n > 1 && !sw->route->foresee)) return;
    if (n > 1)
        i = sw->route->foresee(sw->route_state, sw->cfg->routing.config, &sw->view, &sw->rng);
    prefetch(&sw->ports[sw->view.slot[i]]);
}

/* A packet that came from `from` is lost at port; the room that it was given is free again. */
static void refuse(struct port *from, struct port *port, struct packet *packet)
{
    int class_ = PACKET_QUEUE(packet) - 1;
    int64_t bytes = from->credit && packet->type == PACKET_DATA ? packet->wire_bytes : 0;
    port_drop(port, packet);
    if (bytes > 0) port_give(from, class_, bytes);
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
        refuse(from, port ? port : from, packet);
        return;
    }
    prefetch(port);
    if (packet->type != PACKET_DATA) {
        bool ack = packet->type == PACKET_ACK || packet->type == PACKET_NACK;
        if (!ack || sw->cfg->acks == NET_ACKS_CONTROL) {
            port_enqueue_control(port, packet);
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
        refuse(from, port, packet);
    }
}

/* ECN thresholds, for ports of per_bps and in proportion for others. */
static void init_marks(struct net_switch *sw)
{
    sw->quiet_bytes = sw->hops ? -1 : INT64_MAX;
    for (int i = 0; i < sw->port_n; i++) {
        struct port *port = &sw->ports[i];
        double per_bps = (double)sw->cfg->ecn.per_bps;
        double scale = per_bps > 0 ? (double)port->rate_bps / per_bps : 1;
        port->mark_bytes[0] = (int64_t)((double)sw->cfg->ecn.kmin_bytes * scale);
        port->mark_bytes[1] = (int64_t)((double)sw->cfg->ecn.kmax_bytes * scale);
        if (sw->cfg->ecn.on && port->mark_bytes[0] < sw->quiet_bytes)
            sw->quiet_bytes = port->mark_bytes[0];
    }
}

void switch_port_down(struct net_switch *sw, int slot, bool down)
{
    struct port *port = &sw->ports[slot];
    if (port->down == down) return;
    port_set_down(port, down);
    sw->down_n = (uint16_t)(down ? sw->down_n + 1 : sw->down_n - 1);
    sw->view.up = sw->down_n ? is_up : NULL;
}

void switch_set_routes(struct net_switch *sw, const struct routes *routes)
{
    sw->ways = routes_from(routes, sw->node);
}

void switch_init(struct net_switch *sw)
{
    struct sim *sim = sw->net->sim;
    struct arena *arena = sim_arena(sim);
    pfc_init(sw);
    init_marks(sw);
    sw->view = (struct route_view){.node = sw->node, .self = sw, .queue_bytes = queue_bytes};
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
