/* pfc.c - buffer, ingress accounts, pause frames and credits of a switch (pfc.h).
 *
 * PFC (IEEE 802.1Qbb): an account that passes XOFF stops its neighbour's class; what arrives until
 * the neighbour obeys goes into headroom; below XON it is let go. The threshold is the smaller of a
 * fixed one and a share of the free buffer,  (buffer - used) / 2^shift  (Choudhury and Hahne 1998).
 * InfiniBand: the neighbour sends only what it has credit for; what leaves here is told back in
 * flow control packets, some frames at a time (InfiniBand Architecture Specification, 7.9).
 * NOT modelled: pause frames that are lost; pause quanta that run out.
 */
#include "models/net/pfc.h"

#include "sim/base/units.h"

#define CREDIT_FRAMES 2 /* of room are collected before the neighbour is told */

/* Bring all ports up to date: counts become the truth. */
static void settle(struct net_switch *sw)
{
    int64_t now_ps = sim_now_ps(sw->net->sim);
    for (int i = 0; i < sw->port_n; i++)
        port_advance(&sw->ports[i], now_ps);
}

static int64_t xoff_bytes(const struct net_switch *sw)
{
    int64_t share = (sw->cfg->buffer_bytes - sw->bytes) >> sw->cfg->pfc.alpha_shift;
    return share < sw->cfg->pfc.xoff_bytes ? share : sw->cfg->pfc.xoff_bytes;
}

static void set_eager(struct net_switch *sw, bool eager)
{
    for (int i = 0; i < sw->port_n; i++)
        port_eager(&sw->ports[i], eager);
}

/* A pause frame does not wait for the latency of the switch at the other end, which is part of the
 * link's delay. */
static void send_pause(struct net_switch *sw, int account, bool pause)
{
    struct port *port = &sw->ports[account / sw->net->classes];
    port_send_pause(port, account % sw->net->classes, pause,
                    sw->cfg->pfc.response_ps - port->peer_latency_ps);
}

/* InfiniBand has credits in place of PFC, whatever pfc.on says. */
static bool pauses(const struct net_cfg *cfg)
{
    return cfg->pfc.on && cfg->link_layer != NET_INFINIBAND;
}

/* What needs a closer look; the share of the free buffer, which moves, is looked at by itself. */
static void set_marks(const struct net_switch *sw, struct switch_ingress *in)
{
    const struct net_cfg *cfg = sw->cfg;
    in->calm_bytes = in->paused ? -1 : pauses(cfg) ? cfg->pfc.xoff_bytes : INT64_MAX;
    in->tell_bytes = cfg->link_layer == NET_INFINIBAND ? INT64_MAX
                     : in->paused                      ? cfg->pfc.xon_bytes
                                                       : -1;
}

static void pause_neighbour(struct net_switch *sw, int account)
{
    struct switch_ingress *in = &sw->ingress[account];
    in->paused = true;
    in->limit_bytes = in->bytes + in->headroom_bytes;
    set_marks(sw, in);
    if (sw->paused_n++ == 0) set_eager(sw, true);
    send_pause(sw, account, true);
}

static void resume_neighbour(struct net_switch *sw, int account)
{
    sw->ingress[account].paused = false;
    set_marks(sw, &sw->ingress[account]);
    send_pause(sw, account, false);
    if (--sw->paused_n == 0) set_eager(sw, false);
}

static bool is_full(const struct net_switch *sw, const struct switch_ingress *in, int64_t bytes)
{
    return sw->bytes + bytes > sw->cfg->buffer_bytes ||
           (in->paused && in->bytes + bytes > in->limit_bytes);
}

bool pfc_decide(struct net_switch *sw, int account, int64_t bytes)
{
    struct switch_ingress *in = &sw->ingress[account];
    if (sw->cfg->link_layer == NET_INFINIBAND) return true; /* who has credit finds room */
    if (pauses(sw->cfg) && !in->paused && in->bytes + bytes > xoff_bytes(sw)) {
        settle(sw);
        /* With nothing held of this neighbour, nothing would ever let it go again. */
        if (in->bytes > 0 && in->bytes + bytes > xoff_bytes(sw)) pause_neighbour(sw, account);
    }
    bool full = is_full(sw, in, bytes);
    if (full) {
        settle(sw);
        full = is_full(sw, in, bytes);
    }
    int64_t used_bytes = in->bytes + bytes - (in->limit_bytes - in->headroom_bytes);
    if (in->paused && !full && used_bytes > sw->headroom_max_bytes)
        sw->headroom_max_bytes = used_bytes;
    return !full;
}

static void send_credit(struct net_switch *sw, int account)
{
    struct switch_ingress *in = &sw->ingress[account];
    struct packet *frame = packet_get(&sw->net->packets);
    frame->type = PACKET_CREDIT;
    frame->flags = (uint8_t)(account % sw->net->classes << PACKET_CLASS_SHIFT);
    frame->wire_bytes = PORT_CREDIT_WIRE_BYTES;
    frame->ack = (uint32_t)in->owed_bytes;
    in->owed_bytes = 0;
    port_enqueue_control(&sw->ports[account / sw->net->classes], frame);
}

void pfc_tell(struct net_switch *sw, int account, uint32_t wire_bytes)
{
    struct switch_ingress *in = &sw->ingress[account];
    if (in->paused && in->bytes <= sw->cfg->pfc.xon_bytes) resume_neighbour(sw, account);
    if (sw->cfg->link_layer != NET_INFINIBAND) return;
    in->owed_bytes += wire_bytes;
    if (in->bytes == 0 || in->owed_bytes >= CREDIT_FRAMES * sw->net->frame_bytes)
        send_credit(sw, account);
}

int64_t pfc_round_bytes(int64_t rate_bps, int64_t way_ps, int64_t frame_bytes)
{
    int64_t on_way = units_carried_bytes(rate_bps, way_ps);
    on_way += units_serialise_ps(on_way, rate_bps) < way_ps; /* rounded up */
    return 3 * frame_bytes + PORT_PAUSE_WIRE_BYTES + on_way;
}

/* bytes of packets of any size take no more than this in the buffer: worst are the smallest, or the
 * smallest that needs one cell more. */
static int64_t worst_bytes(const struct net_switch *sw, int64_t bytes)
{
    const int64_t cell = sw->cell_bytes;
    int64_t small = net_data_bytes(sw->cfg);
    if (cell == 1) return bytes;
    if (sw->cfg->acks == NET_ACKS_DATA && net_ack_bytes(sw->cfg) < small)
        small = net_ack_bytes(sw->cfg);
    const int64_t odd = (small - 1 + cell - 1) / cell * cell + 1;
    int64_t first = (bytes * pfc_cells_bytes(sw, (uint32_t)small) + small - 1) / small;
    int64_t other = (bytes * pfc_cells_bytes(sw, (uint32_t)odd) + odd - 1) / odd;
    return first > other ? first : other;
}

int64_t pfc_need_bytes(const struct net_switch *sw, int slot)
{
    const struct port *port = &sw->ports[slot];
    /* Three frames: the one that made us pause, one that the pause frame waits for here, one that
     * has begun there when it takes effect. A pause frame does not wait for the latency of the
     * switch at its end, data do. tests/property/prop_pfc.c finds the same by bisection. */
    int64_t way_ps =
        port->delay_ps - port->peer_latency_ps + port->reverse->delay_ps + sw->cfg->pfc.response_ps;
    return worst_bytes(sw, pfc_round_bytes(port->rate_bps, way_ps, sw->net->frame_bytes));
}

/* Room for a queue: an equal part of the buffer. At least for what a neighbour can send until it
 * hears of the room that its first byte left behind. */
static int64_t credit_bytes(const struct net_switch *sw, int slot)
{
    const struct port *port = &sw->ports[slot];
    int64_t round_trip_ps = port->delay_ps + port->reverse->delay_ps;
    int64_t need_bytes = units_carried_bytes(port->rate_bps, round_trip_ps) +
                         (CREDIT_FRAMES + 2) * sw->net->frame_bytes;
    int64_t part_bytes = sw->cfg->buffer_bytes / (sw->port_n * sw->net->classes);
    return part_bytes > need_bytes ? part_bytes : need_bytes;
}

void pfc_init(struct net_switch *sw)
{
    struct arena *arena = sim_arena(sw->net->sim);
    int classes = sw->net->classes;
    sw->ingress =
        arena_lines(arena, sizeof(struct switch_ingress) * (size_t)(sw->port_n * classes));
    sw->buffer_bytes = sw->cfg->buffer_bytes;
    sw->alpha_shift = pauses(sw->cfg) ? (uint8_t)sw->cfg->pfc.alpha_shift : 0;
    sw->cell_bytes = (uint32_t)sw->cfg->cell_bytes;
    for (int i = 0; i < sw->port_n * classes; i++) {
        sw->ingress[i].headroom_bytes = sw->cfg->pfc.headroom_bytes > 0
                                            ? sw->cfg->pfc.headroom_bytes
                                            : pfc_need_bytes(sw, i / classes);
        set_marks(sw, &sw->ingress[i]);
    }
    if (sw->cfg->link_layer != NET_INFINIBAND) return;
    for (int i = 0; i < sw->port_n; i++) {
        struct port_credit *credit = ARENA_NEW(arena, struct port_credit);
        credit->frame_bytes = sw->net->frame_bytes;
        for (int c = 0; c < classes; c++)
            credit->left_bytes[c] = sw->cfg->credit_buffer_bytes > 0 ? sw->cfg->credit_buffer_bytes
                                                                     : credit_bytes(sw, i);
        sw->ports[i].reverse->credit = credit;
        sw->ports[i].reverse->special = true;
        sw->ports[i].eager = true;
    }
}
