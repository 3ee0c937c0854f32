/* rdma.c - the transport of RoCEv2 as a NIC does it (rdma.h).
 *
 * One acknowledgement per data packet. With out-of-order delivery (direct data placement) packets
 * are placed as they come; in order, a gap is answered with one NACK and the sender goes back
 * (go-back-N), as ConnectX did before selective repeat. A timeout goes back as well.
 * Framing, bytes on the wire beside the payload: preamble 8, Ethernet 14, IPv4 20, UDP 8, BTH 12,
 * ICRC 4, FCS 4, inter-packet gap 12 = 82; RETH 16 in the first packet of a message, AETH 4 in an
 * ACK. Source: InfiniBand Architecture Specification, Annex A17.
 * NOT modelled: reads, atomics, selective acknowledgement to the sender after loss.
 */
#include <string.h>

#include "models/net/nic.h"
#include "sim/base/units.h"

#define CNP_WIRE_BYTES (FRAMING_ROCE_BYTES + 16)

enum { TIMER_WAKE, TIMER_RETRANSMIT, TIMER_SENT };

static int64_t payload_bytes(const struct rdma_qp *qp, const struct rdma_msg *msg, uint32_t seq)
{
    int64_t mtu = qp->nic->shared->cfg->mtu_bytes, before = (int64_t)(seq - msg->first) * mtu;
    int64_t left = msg->bytes - before;
    return left < mtu ? left : mtu;
}

/* ---- congestion control ---------------------------------------------------------------------- */

/* After port_advance, which may have put packets into flight even where nothing more may go. */
static void activate_or_rearm(struct rdma_qp *qp)
{
    if (rdma_may_send(qp)) {
        nic_activate(qp->nic, qp);
    } else {
        port_rearm(&qp->nic->port);
    }
}

/* Take over what the control wants; the port commits first what began under the old values. */
static void apply(struct rdma_qp *qp)
{
    struct port *port = &qp->nic->port;
    uint64_t gap_q16 = 0;
    if (qp->cc.rate_bps == qp->applied.rate_bps && qp->cc.wake_ps == qp->applied.wake_ps &&
        qp->cc.window_bytes == qp->applied.window_bytes)
        return;
    qp->applied = qp->cc;
    if (qp->cc.rate_bps < port->rate_bps)
        gap_q16 = (uint64_t)(8e12 * 65536.0 / (double)(qp->cc.rate_bps > 0 ? qp->cc.rate_bps : 1));
    if (qp->cc.wake_ps > 0 && (!timer_armed(&qp->wake) || qp->wake.at_ps != qp->cc.wake_ps)) {
        timer_arm(port->net->sim, &qp->wake, qp->cc.wake_ps);
    } else if (qp->cc.wake_ps == 0) {
        timer_stop(port->net->sim, &qp->wake);
    }
    if (gap_q16 == qp->gap_q16 && qp->cc.window_bytes == qp->window_bytes) return;
    port_advance(port, sim_now_ps(port->net->sim));
    qp->gap_q16 = gap_q16;
    qp->window_bytes = qp->cc.window_bytes;
    activate_or_rearm(qp);
}

static void control(struct rdma_qp *qp, struct cc_signal *signal)
{
    const struct nic_shared *shared = qp->nic->shared;
    signal->now_ps = sim_now_ps(shared->sim);
    signal->acked_off = qp->acked_bytes;
    signal->sent_off = qp->sent_bytes;
    shared->cc->step(qp->state, shared->cc_config, signal, &qp->cc);
    apply(qp);
}

static void on_wake(struct sim *sim, void *self)
{
    (void)sim;
    struct rdma_qp *qp = self;
    qp->cc.wake_ps = qp->applied.wake_ps = 0;
    control(qp, &(struct cc_signal){.event = CC_TIMER});
}

/* ---- going back ------------------------------------------------------------------------------ */

static void go_back(struct rdma_qp *qp, enum cc_event why)
{
    struct port *port = &qp->nic->port;
    if (!qp->first) return; /* everything arrived, the acknowledgements are on their way */
    port_advance(port, sim_now_ps(port->net->sim));
    uint32_t to = qp->acked_below;
    qp->nic->shared->retransmitted += qp->sent - to;
    qp->retransmitted += qp->sent - to;
    qp->sent = to;
    qp->inflight_bytes = 0;
    qp->send_at = qp->first;
    while (qp->send_at && (int32_t)(to - qp->send_at->first) >= (int32_t)qp->send_at->packets)
        qp->send_at = qp->send_at->next;
    qp->next_ps = sim_now_ps(port->net->sim);
    control(qp, &(struct cc_signal){.event = why});
    activate_or_rearm(qp);
}

static void on_retransmit(struct sim *sim, void *self)
{
    struct rdma_qp *qp = self;
    int64_t rto_ps = qp->nic->shared->cfg->retransmit_ps;
    if (qp->acked_below == qp->queued) return;
    int64_t due_ps = qp->progress_ps + rto_ps;
    if (due_ps <= sim_now_ps(sim)) {
        qp->nic->shared->timeouts++;
        qp->progress_ps = sim_now_ps(sim);
        due_ps = qp->progress_ps + rto_ps;
        go_back(qp, CC_TIMEOUT);
    }
    timer_arm(sim, &qp->retransmit, due_ps);
}

/* ---- sending --------------------------------------------------------------------------------- */

struct packet *rdma_make(struct rdma_qp *qp, int64_t at_ps)
{
    struct nic_shared *shared = qp->nic->shared;
    struct rdma_msg *msg = qp->send_at;
    struct packet *packet = packet_get(&shared->net.packets);
    int64_t payload = payload_bytes(qp, msg, qp->sent);
    bool last = qp->sent - msg->first + 1 == msg->packets;
    packet->type = PACKET_DATA;
    packet->qp = qp->number;
    packet->seq = qp->sent;
    packet->dst = qp->dst;
    packet->sent_ps = at_ps;
    packet->flags = last ? PACKET_LAST : 0;
    packet->wire_bytes = (uint16_t)(payload + FRAMING_ROCE_BYTES +
                                    (qp->sent == msg->first ? FRAMING_ROCE_RETH_BYTES : 0));
    qp->sent++;
    qp->inflight_bytes += payload;
    qp->sent_bytes += payload;
    shared->injected_bytes += packet->wire_bytes;
    if (qp->gap_q16) qp->next_ps = at_ps + (int64_t)(packet->wire_bytes * qp->gap_q16 >> 16);
    if (last) qp->send_at = msg->next;
    if (!timer_armed(&qp->retransmit)) {
        qp->progress_ps = sim_now_ps(shared->sim);
        timer_after(shared->sim, &qp->retransmit, shared->cfg->retransmit_ps);
    }
    if (last && msg->msg && msg->msg->sent) {
        timer_arm(shared->sim, &msg->sent,
                  at_ps + port_serialise_ps(&qp->nic->port, packet->wire_bytes));
    }
    return packet;
}

static void on_sent(struct sim *sim, void *self)
{
    struct rdma_msg *msg = self;
    struct nic *nic = msg->nic;
    struct fabric_msg *owner = msg->msg;
    fabric_msg_fn *sent = owner->sent;
    if (--nic->watched == 0) port_eager(&nic->port, false);
    owner->sent = NULL; /* once, also after going back */
    sent(sim, owner);
}

void rdma_post(struct rdma_qp *qp, struct fabric_msg *msg)
{
    struct nic *nic = qp->nic;
    struct nic_shared *shared = nic->shared;
    struct rdma_msg *posted = pool_get(&shared->messages);
    int64_t mtu = shared->cfg->mtu_bytes;
    port_advance(&nic->port, sim_now_ps(shared->sim));
    posted->msg = msg;
    posted->bytes = msg->bytes;
    posted->nic = nic;
    posted->first = qp->queued;
    posted->packets = (uint32_t)((msg->bytes + mtu - 1) / mtu);
    if (posted->packets == 0) posted->packets = 1;
    timer_init(&posted->sent, on_sent, posted, nic->port.component, TIMER_SENT);
    msg->state = qp;
    msg->start_ps = sim_now_ps(shared->sim);
    qp->queued += posted->packets;
    if (qp->last) {
        qp->last->next = posted;
    } else {
        qp->first = posted;
    }
    qp->last = posted;
    if (!qp->send_at) qp->send_at = posted;
    if (qp->next_ps < msg->start_ps) qp->next_ps = msg->start_ps;
    if (msg->sent && nic->watched++ == 0) port_eager(&nic->port, true);
    if (qp->sent_bytes == 0) control(qp, &(struct cc_signal){.event = CC_START});
    if (rdma_may_send(qp)) nic_activate(nic, qp);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* The last missing packet of a message is there. */
static void complete(struct rdma_qp *qp, struct rdma_msg *done)
{
    struct sim *sim = qp->nic->shared->sim;
    struct fabric_msg *msg = done->msg;
    int64_t took_ps = sim_now_ps(sim) - msg->start_ps;
    int64_t ideal_ps = qp->idle_ps + units_serialise_ps(msg->bytes, qp->nic->port.rate_bps);
    msg->excess_ps = took_ps > ideal_ps ? took_ps - ideal_ps : 0;
    msg->bound = BOUND_SWITCH;
    done->msg = NULL;
    msg->done(sim, msg);
}

/* The sender knows that all packets below qp->acked_below arrived: it forgets their messages. */
static void forget_messages(struct rdma_qp *qp)
{
    while (qp->first && (int32_t)(qp->acked_below - qp->first->first - qp->first->packets) >= 0) {
        struct rdma_msg *msg = qp->first;
        qp->first = msg->next;
        if (!qp->first) qp->last = NULL;
        if (qp->send_at == msg) qp->send_at = msg->next;
        pool_put(&qp->nic->shared->messages, msg);
    }
    if ((int32_t)(qp->acked_below - qp->sent) <= 0) return;
    qp->sent = qp->acked_below; /* it was going back over packets that had arrived */
    if (qp->active && !rdma_may_send(qp)) nic_deactivate(qp->nic, qp);
}

static bool test_and_set(struct rdma_qp *qp, uint32_t seq)
{
    if (!qp->bitmap)
        qp->bitmap = ARENA_ARRAY(sim_arena(qp->nic->shared->sim), uint64_t, RDMA_BITMAP / 64);
    uint64_t *word = &qp->bitmap[seq % RDMA_BITMAP / 64], bit = UINT64_C(1) << (seq % 64);
    bool was = *word & bit;
    *word |= bit;
    return was;
}

/* Is this packet new? Moves expected on over packets that came early. */
static bool accept(struct rdma_qp *qp, uint32_t seq)
{
    struct nic_shared *shared = qp->nic->shared;
    int32_t ahead = (int32_t)(seq - qp->expected);
    if (ahead < 0) {
        shared->duplicates++;
        return false;
    }
    if (ahead > 0) {
        shared->out_of_order++;
        if (shared->cfg->delivery == NET_IN_ORDER || ahead >= (int32_t)RDMA_BITMAP) return false;
        bool was = test_and_set(qp, seq);
        qp->early_n += !was;
        shared->duplicates += was;
        return !was;
    }
    qp->expected++;
    qp->nacked = false;
    while (qp->early_n) {
        uint64_t *word = &qp->bitmap[qp->expected % RDMA_BITMAP / 64];
        uint64_t bit = UINT64_C(1) << (qp->expected % 64);
        if (!(*word & bit)) break;
        *word &= ~bit;
        qp->early_n--;
        qp->expected++;
    }
    return true;
}

static void send_cnp(struct rdma_qp *qp)
{
    struct nic_shared *shared = qp->nic->shared;
    int64_t now_ps = sim_now_ps(shared->sim);
    if (qp->cnp_ps >= 0 && now_ps - qp->cnp_ps < shared->cfg->ecn.cnp_ps) return;
    struct packet *cnp = packet_get(&shared->net.packets);
    qp->cnp_ps = now_ps;
    shared->cnps++;
    cnp->type = PACKET_CNP;
    cnp->qp = qp->number;
    cnp->dst = qp->src;
    cnp->wire_bytes = CNP_WIRE_BYTES;
    port_enqueue(&qp->peer->port, cnp, PACKET_CONTROL, 0);
}

void rdma_receive(struct rdma_qp *qp, struct packet *packet)
{
    struct nic_shared *shared = qp->nic->shared;
    uint32_t seq = packet->seq;
    bool gap = shared->cfg->delivery == NET_IN_ORDER && (int32_t)(seq - qp->expected) > 0;
    bool fresh = accept(qp, seq);
    if (packet->flags & PACKET_MARKED && shared->cc->wants_cnp) {
        send_cnp(qp);
        packet->flags &= (uint8_t)~PACKET_MARKED;
    }
    if (gap && qp->nacked) {
        packet_put(&shared->net.packets, packet);
    } else {
        qp->nacked = gap;
        packet->type = gap ? PACKET_NACK : PACKET_ACK;
        packet->ack = qp->expected;
        packet->dst = qp->src;
        packet->wire_bytes = FRAMING_ROCE_ACK_BYTES;
        port_enqueue(&qp->peer->port, packet, PACKET_CONTROL, 0);
    }
    if (!fresh) return;
    struct rdma_msg *msg = qp->first;
    while (seq - msg->first >= msg->packets)
        msg = msg->next;
    if (++msg->arrived == msg->packets) complete(qp, msg);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void acknowledge_below(struct rdma_qp *qp, uint32_t ack)
{
    if (qp->retransmitted) port_advance(&qp->nic->port, sim_now_ps(qp->nic->shared->sim));
    qp->acked_below = ack;
    forget_messages(qp);
}

static void acknowledged(struct rdma_qp *qp, struct packet *packet)
{
    struct nic_shared *shared = qp->nic->shared;
    int64_t mtu = shared->cfg->mtu_bytes, now_ps = sim_now_ps(shared->sim);
    if (qp->window_bytes) port_advance(&qp->nic->port, now_ps);
    if ((int32_t)(packet->ack - qp->acked_below) > 0) acknowledge_below(qp, packet->ack);
    qp->progress_ps = now_ps;
    qp->acked_bytes += mtu;
    qp->inflight_bytes =
        qp->retransmitted ? (int64_t)(qp->sent - qp->acked_below) * mtu : qp->inflight_bytes - mtu;
    if (qp->inflight_bytes < 0) qp->inflight_bytes = 0;
    struct cc_signal signal = {.event = CC_ACK,
                               .marked = packet->flags & PACKET_MARKED,
                               .rtt_ps = now_ps - packet->sent_ps,
                               .acked_bytes = mtu};
    if (shared->cc->wants_hops) {
        signal.hop = nic_telemetry(packet)->hop;
        signal.hop_n = nic_telemetry(packet)->n;
    }
    control(qp, &signal);
    if (!qp->active && rdma_may_send(qp)) nic_activate(qp->nic, qp);
}

void rdma_answer(struct rdma_qp *qp, struct packet *packet)
{
    switch ((enum packet_type)packet->type) {
    case PACKET_ACK:
        acknowledged(qp, packet);
        break;
    case PACKET_NACK:
        if ((int32_t)(packet->ack - qp->acked_below) > 0) acknowledge_below(qp, packet->ack);
        go_back(qp, CC_NACK);
        break;
    case PACKET_CNP:
        control(qp, &(struct cc_signal){.event = CC_CNP});
        break;
    case PACKET_DATA:
    case PACKET_CREDIT:
        CHECK(false, "not an answer: packet type %d", packet->type);
    }
    packet_put(&qp->nic->shared->net.packets, packet);
}

/* ---- opening --------------------------------------------------------------------------------- */

struct rdma_qp *rdma_open(struct nic *src, struct nic *dst, uint32_t stream, int64_t base_rtt_ps)
{
    struct nic_shared *shared = src->shared;
    struct arena *arena = sim_arena(shared->sim);
    struct rdma_qp *qp = ARENA_NEW(arena, struct rdma_qp);
    shared->qp =
        arena_grow(arena, shared->qp, &shared->qp_cap, shared->qp_n + 1, sizeof(struct rdma_qp *));
    qp->number = (uint32_t)shared->qp_n;
    shared->qp[shared->qp_n++] = qp;
    qp->nic = src;
    qp->peer = dst;
    qp->src = src->node;
    qp->dst = dst->node;
    qp->stream = stream;
    qp->cnp_ps = -1;
    qp->idle_ps = base_rtt_ps / 2;
    uint32_t component = sim_component(shared->sim);
    timer_init(&qp->wake, on_wake, qp, component, TIMER_WAKE);
    timer_init(&qp->retransmit, on_retransmit, qp, component, TIMER_RETRANSMIT);
    const struct cc_link link = {.rate_bps = src->port.rate_bps,
                                 .base_rtt_ps = base_rtt_ps,
                                 .mtu_bytes = shared->cfg->mtu_bytes};
    qp->cc.rate_bps = src->port.rate_bps;
    shared->cc->init(qp->state, shared->cc_config, &link, &qp->cc);
    apply(qp);
    return qp;
}
