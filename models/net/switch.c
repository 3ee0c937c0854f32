/* switch.c - what a switch does with a packet: account, route, queue, mark, pause (switch.h).
 *
 * PFC (IEEE 802.1Qbb): a port whose account passes XOFF stops its neighbour; what arrives until the
 * neighbour obeys goes into headroom; below XON it is let go. The threshold is the smaller of a
 * fixed one and a share of the free buffer,  (buffer - used) / 2^shift  (Choudhury and Hahne 1998).
 * ECN (RED at dequeue):  p = Pmax (q - Kmin) / (Kmax - Kmin),  1 above Kmax.
 * NOT modelled: cells, crossbar contention, several data classes.
 */
#include "models/net/switch.h"

#include "models/net/headroom.h"
#include "models/net/nic.h"
#include "sim/base/units.h"

#define FRAME_BYTES_MAX (FRAMING_ROCE_BYTES + FRAMING_ROCE_RETH_BYTES)
#define PAUSE_WIRE_BYTES 84 /* 64 B frame, preamble, inter-packet gap */

/* ---- buffer and PFC -------------------------------------------------------------------------- */

/* Bring all ports up to date: counts become the truth. */
static void settle(struct net_switch *sw)
{
    int64_t now_ps = sim_now_ps(sw->sim);
    for (int i = 0; i < sw->port_n; i++)
        port_advance(&sw->ports[i], now_ps);
}

static int64_t xoff_bytes(const struct net_switch *sw)
{
    int64_t share = (sw->cfg->buffer_bytes - sw->bytes) >> sw->cfg->pfc.alpha_shift;
    return share < sw->cfg->pfc.xoff_bytes ? share : sw->cfg->pfc.xoff_bytes;
}

static void send_pause(struct net_switch *sw, int slot, bool pause)
{
    struct packet *frame = pool_get(sw->packets);
    frame->type = PACKET_PAUSE;
    frame->flags = pause ? PACKET_XOFF : 0;
    frame->wire_bytes = PAUSE_WIRE_BYTES;
    sw->pause_frames++;
    port_enqueue(&sw->ports[slot], frame, CLASS_CONTROL);
}

static void set_eager(struct net_switch *sw, bool eager)
{
    for (int i = 0; i < sw->port_n; i++)
        port_eager(&sw->ports[i], eager);
}

static void pause_neighbour(struct net_switch *sw, int slot)
{
    struct switch_ingress *in = &sw->ingress[slot];
    in->paused = true;
    in->limit_bytes = in->bytes + in->headroom_bytes;
    if (sw->paused_n++ == 0) set_eager(sw, true);
    send_pause(sw, slot, true);
}

static void resume_neighbour(struct net_switch *sw, int slot)
{
    sw->ingress[slot].paused = false;
    send_pause(sw, slot, false);
    if (--sw->paused_n == 0) set_eager(sw, false);
}

/* Does a packet of bytes fit? Pause frames are decided here as well. */
static bool admit(struct net_switch *sw, int slot, int64_t bytes)
{
    struct switch_ingress *in = &sw->ingress[slot];
    if (sw->cfg->pfc.on && !in->paused && in->bytes + bytes > xoff_bytes(sw)) {
        settle(sw);
        /* With nothing held of this neighbour, nothing would ever let it go again. */
        if (in->bytes > 0 && in->bytes + bytes > xoff_bytes(sw)) pause_neighbour(sw, slot);
    }
    bool full = sw->bytes + bytes > sw->cfg->buffer_bytes ||
                (in->paused && in->bytes + bytes > in->limit_bytes);
    if (full) {
        settle(sw);
        full = sw->bytes + bytes > sw->cfg->buffer_bytes ||
               (in->paused && in->bytes + bytes > in->limit_bytes);
    }
    return !full;
}

/* ---- leaving --------------------------------------------------------------------------------- */

/* A draw of this packet at this switch: depends on nothing else, in whatever order it is made. */
static double draw(const struct net_switch *sw, const struct packet *packet)
{
    struct rng rng = {sw->seed ^ ((uint64_t)packet->qp << 32 | packet->seq)};
    return rng_unit(&rng);
}

static void mark(struct net_switch *sw, struct port *port, struct packet *packet)
{
    int64_t q = port->queue_bytes;
    if (q <= sw->cfg->ecn.kmin_bytes) return;
    if (q <= sw->cfg->ecn.kmax_bytes) {
        double p = sw->cfg->ecn.pmax * (double)(q - sw->cfg->ecn.kmin_bytes) /
                   (double)(sw->cfg->ecn.kmax_bytes - sw->cfg->ecn.kmin_bytes);
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

static void leave(struct port *port, struct packet *packet, int64_t at_ps)
{
    struct net_switch *sw = port->node;
    struct switch_ingress *in = &sw->ingress[packet->ingress];
    in->bytes -= packet->wire_bytes;
    sw->bytes -= packet->wire_bytes;
    if (sw->hops) add_telemetry(port, packet, at_ps);
    if (sw->cfg->ecn.on) mark(sw, port, packet);
    if (in->paused && in->bytes <= sw->cfg->pfc.xon_bytes) resume_neighbour(sw, packet->ingress);
}

/* ---- arriving -------------------------------------------------------------------------------- */

static void on_response(struct sim *sim, void *self)
{
    (void)sim;
    struct switch_response *response = self;
    port_pause(response->port, response->pause);
}

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

static int route(struct net_switch *sw, const struct packet *packet)
{
    struct route_view view = {.node = sw->node, .self = sw};
    view.n = routes_next(sw->routes, sw->node, packet->dst, &view.link);
    view.slot = view.link + view.n;
    if (view.n == 1) return view.slot[0];
    view.now_ps = sim_now_ps(sw->sim);
    view.flow = packet->qp * 2654435761u;
    view.sequence = packet->seq;
    view.queue_bytes = queue_bytes;
    view.up = is_up;
    return view.slot[sw->route->pick(sw->route_state, sw->cfg->routing.config, &view, &sw->rng)];
}

static void deliver(struct port *from, struct packet *packet)
{
    struct net_switch *sw = from->peer;
    int slot = from->peer_slot;
    if (packet->type == PACKET_PAUSE) {
        struct switch_response *response = &sw->response[slot];
        response->pause = packet->flags & PACKET_XOFF;
        timer_after(sw->sim, &response->timer, sw->cfg->pfc.response_ps);
        pool_put(sw->packets, packet);
        return;
    }
    struct port *port = &sw->ports[route(sw, packet)];
    if (packet->type != PACKET_DATA) {
        port_enqueue(port, packet, CLASS_CONTROL);
        return;
    }
    if (port->down || !admit(sw, slot, packet->wire_bytes)) {
        port->drops++;
        sw->drops++;
        sw->drop_bytes += packet->wire_bytes;
        pool_put(sw->packets, packet);
        return;
    }
    struct switch_ingress *in = &sw->ingress[slot];
    in->bytes += packet->wire_bytes;
    sw->bytes += packet->wire_bytes;
    if (in->bytes > in->max_bytes) in->max_bytes = in->bytes;
    if (sw->bytes > sw->max_bytes) sw->max_bytes = sw->bytes;
    packet->ingress = (uint16_t)slot;
    port_enqueue(port, packet, CLASS_DATA);
}

const struct port_owner switch_owner = {.leave = leave, .deliver = deliver};

/* The least headroom without loss of the link that ends at port slot. */
static int64_t needed_headroom(const struct net_switch *sw, const struct port *port)
{
    const struct headroom_link link = {
        .rate_bps = port->rate_bps,
        .delay_ps = port->delay_ps, /* a switch's latency included: pause frames wait for it too */
        .frame_bytes = sw->cfg->mtu_bytes + FRAME_BYTES_MAX,
        .response_bytes = units_carried_bytes(port->rate_bps, sw->cfg->pfc.response_ps)};
    /* The packet that made us pause is not in flight any more and not in the account yet. */
    return headroom_in_flight_bytes(&link) + link.frame_bytes + PAUSE_WIRE_BYTES;
}

void switch_init(struct net_switch *sw)
{
    struct arena *arena = sim_arena(sw->sim);
    sw->ingress = ARENA_ARRAY(arena, struct switch_ingress, sw->port_n);
    sw->response = ARENA_ARRAY(arena, struct switch_response, sw->port_n);
    for (int i = 0; i < sw->port_n; i++) {
        sw->response[i].port = &sw->ports[i];
        sw->ingress[i].headroom_bytes = sw->cfg->pfc.headroom_bytes > 0
                                            ? sw->cfg->pfc.headroom_bytes
                                            : needed_headroom(sw, &sw->ports[i]);
        timer_init(&sw->response[i].timer, on_response, &sw->response[i], sw->ports[i].component,
                   2);
    }
    const struct route_switch facts = {
        .node = sw->node, .ports = sw->port_n, .port_bps = sw->ports[0].rate_bps};
    const void *config = sw->cfg->routing.config;
    sw->route = route_list[sw->cfg->routing.index];
    sw->route_state = arena_alloc(arena, sw->route->state_bytes(config, &facts) + 1);
    sw->route->init(sw->route_state, config, &facts);
    struct rng seed = rng_stream(sim_seed(sw->sim), arena_printf(arena, "switch/%d/ecn", sw->node));
    sw->seed = rng_u64(&seed);
    sw->rng = rng_stream(sim_seed(sw->sim), arena_printf(arena, "switch/%d/route", sw->node));
}
