/* rdma.c - the sender of RoCEv2's transport as a NIC does it (rdma.h).
 *
 * Messages become packets; acknowledgements open the window. What is lost is repeated by going back
 * to the first packet that is missing (go-back-N, as ConnectX did before selective repeat), after a
 * NACK or a timeout; or one by one (rdma_selective.c).
 * Framing, bytes on the wire beside the payload: preamble 8, Ethernet 14, IPv4 20, UDP 8, BTH 12,
 * ICRC 4, FCS 4, inter-packet gap 12 = 82; RETH 16 in the first packet of a message, AETH 4 in an
 * ACK. Source: InfiniBand Architecture Specification, Annex A17.
 * A rested queue pair is closed when another is opened: what its congestion control had learnt is
 * stale after a retransmission timeout (RFC 2861), unless a timer of it still runs.
 * NOT modelled: reads, atomics, the handshake of a connection.
 */
#include <string.h>

#include "models/net/nic.h"
#include "sim/base/units.h"

enum { TIMER_WAKE, TIMER_RETRANSMIT, TIMER_SENT };

#define REST_TRIES 4 /* rested queue pairs that an opening one looks at */

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

void rdma_control(struct rdma_qp *qp, struct cc_signal *signal)
{
    const struct nic_shared *shared = qp->nic->shared;
    signal->now_ps = sim_now_ps(shared->sim);
    port_advance(&qp->nic->port, signal->now_ps); /* so that sent_bytes is the truth */
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
    rdma_control(qp, &(struct cc_signal){.event = CC_TIMER});
}

/* ---- going back ------------------------------------------------------------------------------ */

/* What could start before now has started; what is decided from here on cannot. */
static void settle(struct rdma_qp *qp)
{
    int64_t now_ps = sim_now_ps(qp->nic->shared->sim);
    port_advance(&qp->nic->port, now_ps);
    if (qp->next_ps < now_ps) qp->next_ps = now_ps;
}

static RDMA_RARE void go_back(struct rdma_qp *qp, enum cc_event why)
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
    rdma_control(qp, &(struct cc_signal){.event = why});
    activate_or_rearm(qp);
}

/* An acknowledgement since the last timeout moved progress_ps. */
static void count_timeout(struct rdma_qp *qp, int64_t now_ps)
{
    struct nic_shared *shared = qp->nic->shared;
    const int64_t retries = shared->cfg->retries;
    shared->timeouts++;
    qp->timeouts = qp->timeouts && qp->progress_ps == qp->timeout_ps ? qp->timeouts + 1 : 1;
    qp->progress_ps = qp->timeout_ps = now_ps;
    if (retries == 0 || qp->timeouts <= retries || shared->broken) return;
    shared->broken = qp;
    sim_finish(shared->sim);
}

/* How long a queue pair waits for an acknowledgement: over distance two idle round trips at least,
 * which is what its NIC would have to be told there. */
static int64_t patience_ps(const struct rdma_qp *qp)
{
    int64_t wanted_ps = qp->nic->shared->cfg->retransmit_ps;
    return wanted_ps > 4 * qp->idle_ps ? wanted_ps : 4 * qp->idle_ps;
}

static void on_retransmit(struct sim *sim, void *self)
{
    struct rdma_qp *qp = self;
    int64_t now_ps = sim_now_ps(sim), look_ps = INT64_MAX;
    if (qp->sent == qp->acked_below) return; /* nothing is under way; the next packet arms again */
    int64_t due_ps = qp->progress_ps + patience_ps(qp);
    if (qp->selective) settle(qp);
    if (due_ps <= now_ps) {
        count_timeout(qp, now_ps);
        due_ps = now_ps + patience_ps(qp);
        if (qp->selective) {
            rdma_selective_timeout(qp);
        } else {
            go_back(qp, CC_TIMEOUT);
        }
    } else if (qp->selective) {
        look_ps = rdma_selective_look(qp);
    }
    if (qp->selective) activate_or_rearm(qp);
    timer_arm(sim, &qp->retransmit, look_ps < due_ps ? look_ps : due_ps);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The next packet in order, new or after going back; returns its payload. */
static inline int64_t fill(struct rdma_qp *qp, struct packet *packet, int64_t at_ps)
{
    struct nic_shared *shared = qp->nic->shared;
    struct rdma_msg *msg = qp->send_at;
    int64_t payload = rdma_payload_bytes(msg, shared->cfg->mtu_bytes, qp->sent);
    bool last = qp->sent - msg->first + 1 == msg->packets;
    packet->seq = qp->sent;
    packet->flags = (uint8_t)(msg->flags | (last ? PACKET_LAST : 0));
    packet->wire_bytes =
        (uint16_t)(payload + shared->header_bytes +
                   (qp->sent == msg->first ? shared->cfg->framing.first_bytes : 0));
    if (qp->sent++ == qp->fresh) {
        qp->fresh++;
        qp->sent_bytes += payload;
    }
    if (last) qp->send_at = msg->next;
    if (last && msg->msg && msg->msg->sent) {
        timer_arm(shared->sim, &msg->sent,
                  at_ps + port_serialise_ps(&qp->nic->port, packet->wire_bytes));
    }
    return payload;
}

/* The receiver may keep an acknowledgement back, but not the one that the sender waits for: its
 * window is full, or it is so slow that a timeout would come before ack_every packets. */
static RDMA_RARE bool must_ask(const struct rdma_qp *qp, int64_t at_ps)
{
    const struct net_cfg *cfg = qp->nic->shared->cfg;
    return !rdma_may_send(qp) || qp->next_ps - at_ps > patience_ps(qp) / (4 * cfg->nic.ack_every);
}

/* The packet may have left some time ago (port.h). */
static RDMA_RARE void wait_for_answer(struct rdma_qp *qp, int64_t at_ps)
{
    struct sim *sim = qp->nic->shared->sim;
    int64_t now_ps = sim_now_ps(sim), due_ps = at_ps + patience_ps(qp);
    timer_arm(sim, &qp->retransmit, due_ps > now_ps ? due_ps : now_ps);
}

struct packet *rdma_make(struct rdma_qp *qp, int64_t at_ps)
{
    struct nic_shared *shared = qp->nic->shared;
    const struct net_cfg *cfg = shared->cfg;
    struct packet *packet = packet_get(&shared->net.packets);
    packet->type = PACKET_DATA;
    packet->qp = qp->number;
    packet->dst = qp->dst;
    packet->sent_ps = at_ps;
    if (shared->cc->wants_hops) nic_telemetry(packet)->n = 0; /* packet_get leaves that as it was */
    if (qp->fresh == qp->acked_below) qp->progress_ps = at_ps; /* nothing was to be answered */
    int64_t payload = qp->lost_n ? rdma_selective_again(qp, packet) : fill(qp, packet, at_ps);
    qp->inflight_bytes += payload;
    shared->injected_bytes += packet->wire_bytes;
    if (qp->gap_q16) qp->next_ps = at_ps + (int64_t)(packet->wire_bytes * qp->gap_q16 >> 16);
    if (qp->selective) rdma_selective_sent(qp, packet, payload);
    if (cfg->nic.ack_every > 1 && must_ask(qp, at_ps)) packet->flags |= PACKET_ASK;
    if (!timer_armed(&qp->retransmit)) wait_for_answer(qp, at_ps);
    return packet;
}

static void on_sent(struct sim *sim, void *self)
{
    struct rdma_msg *msg = self;
    struct nic *nic = msg->qp->nic;
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
    CHECK(msg->traffic_class < 8, "traffic class %d", msg->traffic_class);
    port_advance(&nic->port, sim_now_ps(shared->sim));
    posted->msg = msg;
    posted->bytes = msg->bytes;
    posted->qp = qp;
    posted->flags = (uint8_t)(msg->traffic_class << PACKET_CLASS_SHIFT);
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
    if (qp->sent_bytes == 0) rdma_control(qp, &(struct cc_signal){.event = CC_START});
    if (rdma_may_send(qp)) nic_activate(nic, qp);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* qp has nothing to do. */
static RDMA_RARE void rest(struct nic_shared *shared, struct rdma_qp *qp)
{
    if (qp->resting) return;
    qp->resting = true;
    qp->rest_next = NULL;
    if (shared->rest_first) {
        shared->rest_last->rest_next = qp;
    } else {
        shared->rest_first = qp;
    }
    shared->rest_last = qp;
}

void rdma_forget(struct rdma_qp *qp)
{
    struct nic_shared *shared = qp->nic->shared;
    while (qp->first && (int32_t)(qp->acked_below - qp->first->first - qp->first->packets) >= 0) {
        struct rdma_msg *msg = qp->first;
        qp->first = msg->next;
        if (qp->send_at == msg) qp->send_at = msg->next;
        msg->acked = true;
        if (msg->msg && msg->msg->confirm) rdma_complete(msg);
        if (!msg->msg) pool_put(&shared->messages, msg);
    }
    if (qp->first) return;
    qp->last = NULL;
    if (shared->closed) rest(shared, qp);
}

/* The sender of go-back-N knows that all packets below ack arrived. */
static void acknowledge_below(struct rdma_qp *qp, uint32_t ack)
{
    if (qp->retransmitted) port_advance(&qp->nic->port, sim_now_ps(qp->nic->shared->sim));
    qp->acked_below = ack;
    rdma_forget(qp);
    if ((int32_t)(ack - qp->sent) <= 0) return;
    qp->sent = ack; /* it was going back over packets that had arrived */
    if (qp->active && !rdma_may_send(qp)) nic_deactivate(qp->nic, qp);
}

/* What the last packet of a message, which is answered at once, is short of a full one. */
static RDMA_RARE int64_t short_of_full(const struct rdma_qp *qp, const struct packet *packet)
{
    int64_t mtu = qp->nic->shared->cfg->mtu_bytes;
    const struct rdma_msg *msg = qp->first;
    while (msg && packet->seq - msg->first >= msg->packets)
        msg = msg->next;
    return msg ? mtu - rdma_payload_bytes(msg, mtu, packet->seq) : 0;
}

/* Returns the bytes that are newly known to have arrived. */
static inline int64_t take_in(struct rdma_qp *qp, const struct packet *packet)
{
    const struct net_cfg *cfg = qp->nic->shared->cfg;
    if (qp->selective) return rdma_selective_acked(qp, packet);
    int64_t bytes = packet->acked_n * cfg->mtu_bytes;
    if ((packet->flags & (PACKET_LAST | PACKET_AGAIN)) == PACKET_LAST)
        bytes -= short_of_full(qp, packet);
    if ((int32_t)(packet->ack - qp->acked_below) > 0) acknowledge_below(qp, packet->ack);
    /* Answers may be lost or overtake each other: where all has arrived, the count is the truth. */
    int64_t left = qp->sent_bytes - qp->acked_bytes;
    if (bytes > left || !qp->first) bytes = left;
    qp->inflight_bytes = qp->retransmitted ? (int64_t)(qp->sent - qp->acked_below) * cfg->mtu_bytes
                                           : qp->inflight_bytes - bytes;
    if (qp->inflight_bytes < 0) qp->inflight_bytes = 0;
    return bytes;
}

static void acknowledged(struct rdma_qp *qp, struct packet *packet)
{
    struct nic_shared *shared = qp->nic->shared;
    int64_t now_ps = sim_now_ps(shared->sim);
    const bool special = qp->nic->port.special; /* its next packet may be of another class now */
    if (qp->window_bytes || qp->selective || special) settle(qp);
    struct cc_signal signal = {.event = CC_ACK,
                               .marked = packet->flags & PACKET_MARKED,
                               .rtt_ps = now_ps - packet->sent_ps,
                               .acked_bytes = take_in(qp, packet)};
    qp->progress_ps = now_ps;
    qp->acked_bytes += signal.acked_bytes;
    if (shared->cc->wants_hops) {
        signal.hop = nic_telemetry(packet)->hop;
        signal.hop_n = nic_telemetry(packet)->n;
    }
    rdma_control(qp, &signal);
    if ((!qp->active || special) && rdma_may_send(qp)) nic_activate(qp->nic, qp);
}

void rdma_answer(struct rdma_qp *qp, struct packet *packet)
{
    if (packet->type == PACKET_ACK) {
        acknowledged(qp, packet);
    } else if (packet->type == PACKET_CNP) {
        rdma_control(qp, &(struct cc_signal){.event = CC_CNP});
    } else {
        CHECK(packet->type == PACKET_NACK, "not an answer: packet type %d", packet->type);
        qp->acked_bytes += take_in(qp, packet);
        go_back(qp, CC_NACK);
    }
    packet_put(&qp->nic->shared->net.packets, packet);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* One that rested for long, or NULL. Those that are not ready go to the end of the list, those
 * that are at work come back to it by themselves. */
static struct rdma_qp *take_rested(struct nic_shared *shared)
{
    int64_t before_ps = sim_now_ps(shared->sim) - shared->cfg->retransmit_ps;
    for (int tries = REST_TRIES; tries > 0 && shared->rest_first; tries--) {
        struct rdma_qp *qp = shared->rest_first;
        shared->rest_first = qp->rest_next;
        qp->resting = false;
        if (qp->first) continue;
        if (!qp->draining && !timer_armed(&qp->wake) && qp->progress_ps <= before_ps) return qp;
        rest(shared, qp);
    }
    return NULL;
}

/* As new, but for its place and for arrays that are empty. */
static void reopen(struct nic_shared *shared, struct rdma_qp *qp)
{
    struct rdma_qp old = *qp;
    shared->closed(shared, qp);
    timer_stop(shared->sim, &qp->retransmit);
    memset(qp, 0, sizeof *qp + shared->cc->state_size);
    qp->number = old.number + (1u << RDMA_PLACE_BITS);
    qp->bitmap = old.bitmap;
    qp->bitmap_bits = old.bitmap_bits;
    qp->repair = old.repair;
    qp->wake.component = old.wake.component;
}

static struct rdma_qp *create(struct nic_shared *shared)
{
    struct arena *arena = sim_arena(shared->sim);
    struct rdma_qp *qp = arena_lines(arena, sizeof *qp + shared->cc->state_size);
    CHECK(shared->qp_n >> RDMA_PLACE_BITS == 0, "more than 2^%d queue pairs", RDMA_PLACE_BITS);
    shared->qp =
        arena_grow(arena, shared->qp, &shared->qp_cap, shared->qp_n + 1, sizeof(struct rdma_qp *));
    qp->number = (uint32_t)shared->qp_n;
    shared->qp[shared->qp_n++] = qp;
    qp->wake.component = sim_component(shared->sim);
    return qp;
}

struct rdma_qp *rdma_open(struct nic *src, struct nic *dst, uint32_t stream, int64_t base_rtt_ps)
{
    struct nic_shared *shared = src->shared;
    struct rdma_qp *qp = take_rested(shared);
    if (qp) {
        reopen(shared, qp);
    } else {
        qp = create(shared);
    }
    qp->nic = src;
    qp->peer = dst;
    nic_init(src);
    nic_init(dst);
    qp->src = src->node;
    qp->dst = dst->node;
    qp->stream = stream;
    qp->cnp_ps = -1;
    qp->idle_ps = base_rtt_ps / 2;
    uint32_t component = qp->wake.component;
    timer_init(&qp->wake, on_wake, qp, component, TIMER_WAKE);
    timer_init(&qp->retransmit, on_retransmit, qp, component, TIMER_RETRANSMIT);
    qp->selective = shared->cfg->recovery == NET_SELECTIVE;
    qp->strict = shared->cfg->delivery == NET_IN_ORDER && !qp->selective;
    if (qp->selective) rdma_selective_open(qp);
    const struct cc_link link = {.rate_bps = src->port.rate_bps,
                                 .base_rtt_ps = base_rtt_ps,
                                 .mtu_bytes = shared->cfg->mtu_bytes};
    qp->cc.rate_bps = src->port.rate_bps;
    shared->cc->init(qp->state, shared->cc_config, &link, &qp->cc);
    apply(qp);
    return qp;
}
