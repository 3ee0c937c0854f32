/* rdma_receive.c - the receiver of RoCEv2's transport: what is new, what to answer, what is
 * complete (rdma.h).
 *
 * Packets are placed as they come (direct data placement), and a bitmap remembers which came early;
 * only with in-order delivery and go-back-N is what follows a gap thrown away, and the gap answered
 * with one NACK. A data packet becomes its own acknowledgement. With coalescing the last of those
 * that are not acknowledged is held, and goes out alone just before a marked one, so that the echo
 * of a mark covers exactly the marked bytes (RFC 8257, section 3.2).
 * Acknowledgements are sent when packets arrive, before PCIe has them: the InfiniBand
 * Architecture asks for no more. NOT modelled: receiver-not-ready.
 */
#include <string.h>

#include "models/net/nic.h"
#include "sim/base/units.h"

#define CNP_WIRE_BYTES (FRAMING_ROCE_BYTES + 16)
#define BITMAP_BITS_MIN 512u

/* ---- what arrived ---------------------------------------------------------------------------- */

static inline uint64_t *word_of(const struct rdma_qp *qp, uint32_t seq)
{
    return &qp->bitmap[(seq & (qp->bitmap_bits - 1)) / 64];
}

/* Room for bits up to `ahead` after expected. */
static RDMA_RARE void grow(struct rdma_qp *qp, uint32_t ahead)
{
    const struct rdma_qp old = *qp;
    uint32_t bits = old.bitmap_bits ? old.bitmap_bits : BITMAP_BITS_MIN;
    while (bits <= ahead)
        bits *= 2;
    qp->bitmap_bits = bits;
    qp->bitmap = ARENA_ARRAY(sim_arena(qp->nic->shared->sim), uint64_t, bits / 64);
    for (uint32_t i = 0; i < old.bitmap_bits; i += 64) {
        uint32_t seq = (qp->expected & ~63u) + i;
        *word_of(qp, seq) = *word_of(&old, seq);
    }
}

/* A packet `ahead` > 0 after expected; was it there? */
static bool came_early(struct rdma_qp *qp, uint32_t seq, uint32_t ahead)
{
    if (ahead + 64 >= qp->bitmap_bits) grow(qp, ahead + 64); /* a word is not shared by two ends */
    uint64_t *word = word_of(qp, seq), bit = UINT64_C(1) << (seq % 64);
    bool was = *word & bit;
    *word |= bit;
    qp->early_n += !was;
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
        if (qp->strict) return false;
        bool was = came_early(qp, seq, (uint32_t)ahead);
        shared->duplicates += was;
        return !was;
    }
    qp->expected++;
    qp->nacked = false;
    while (qp->early_n) {
        uint64_t *word = word_of(qp, qp->expected), bit = UINT64_C(1) << (qp->expected % 64);
        if (!(*word & bit)) break;
        *word &= ~bit;
        qp->early_n--;
        qp->expected++;
    }
    return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

static RDMA_RARE void send_cnp(struct rdma_qp *qp)
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
    port_enqueue_control(&qp->peer->port, cnp);
}

/* packet, a data packet made an answer to n new ones, goes back. */
static void answer(struct rdma_qp *qp, struct packet *packet, uint32_t n)
{
    packet->acked_n = n & 255;
    packet->dst = qp->src;
    packet->wire_bytes = (uint16_t)qp->nic->shared->ack_bytes;
    port_enqueue_control(&qp->peer->port, packet);
}

/* May this answer wait for the next packet? `flags` are those of the data packet. */
static bool may_wait(const struct rdma_qp *qp, const struct packet *packet, uint8_t flags)
{
    const struct net_cfg *cfg = qp->nic->shared->cfg;
    bool early = (int32_t)(packet->seq - packet->ack) >= 0;
    /* Selective repeat needs the names of all that came early. */
    return packet->type == PACKET_ACK && !(flags & (PACKET_ASK | PACKET_LAST | PACKET_MARKED)) &&
           !(packet->flags & PACKET_AGAIN) && !(early && qp->selective) &&
           qp->held_n + 1 < cfg->nic.ack_every;
}

/* hold: packet is not answered now (true), or *n, the new packets that it answers, counts those
 * that were held back as well. */
static RDMA_RARE bool hold(struct rdma_qp *qp, struct packet *packet, uint8_t flags, uint32_t *n)
{
    struct packet_pool *packets = &qp->nic->shared->net.packets;
    if (may_wait(qp, packet, flags)) {
        if (qp->held) packet_put(packets, qp->held);
        qp->held = packet;
        qp->held_n++;
        return true;
    }
    if (!qp->held) return false;
    if (flags & PACKET_MARKED) {
        answer(qp, qp->held, qp->held_n);
    } else {
        *n += qp->held_n;
        packet_put(packets, qp->held);
    }
    qp->held = NULL;
    qp->held_n = 0;
    return false;
}

static void acknowledge(struct rdma_qp *qp, struct packet *packet, bool fresh)
{
    uint8_t flags = packet->flags;
    uint32_t n = fresh;
    packet->type = qp->nacked ? PACKET_NACK : PACKET_ACK;
    packet->ack = qp->expected;
    packet->flags = flags & (PACKET_MARKED | PACKET_LAST);
    if (!fresh) packet->flags |= PACKET_AGAIN;
    if (qp->nic->shared->cfg->nic.ack_every > 1 && hold(qp, packet, flags, &n)) return;
    answer(qp, packet, n);
}

/* ---- receiving ------------------------------------------------------------------------------- */

void rdma_complete(struct rdma_msg *done)
{
    struct rdma_qp *qp = done->qp;
    struct nic *nic = qp->nic;
    struct sim *sim = nic->shared->sim;
    struct fabric_msg *msg = done->msg;
    int64_t pcie_bps = nic->shared->cfg->nic.pcie_bps, rate_bps = nic->port.rate_bps;
    bool slow = pcie_bps > 0 && pcie_bps < rate_bps;
    int64_t took_ps = sim_now_ps(sim) - msg->start_ps;
    int64_t ideal_ps = (msg->confirm ? 2 : 1) * qp->idle_ps +
                       units_serialise_ps(msg->bytes, slow ? pcie_bps : rate_bps);
    msg->excess_ps = took_ps > ideal_ps ? took_ps - ideal_ps : 0;
    msg->bound = slow ? BOUND_NIC : BOUND_SWITCH;
    done->msg = NULL;
    msg->done(sim, msg);
}

void rdma_receive(struct rdma_qp *qp, struct packet *packet)
{
    struct nic_shared *shared = qp->nic->shared;
    uint32_t seq = packet->seq;
    bool gap = qp->strict && (int32_t)(seq - qp->expected) > 0;
    bool fresh = accept(qp, seq);
    bool cnps = shared->cc->wants_cnp && shared->cfg->ecn.echo == NET_ECHO_CNP;
    if (packet->flags & PACKET_MARKED && cnps) {
        send_cnp(qp);
        packet->flags &= (uint8_t)~PACKET_MARKED;
    }
    if (gap && qp->nacked) {
        packet_put(&shared->net.packets, packet);
        return;
    }
    qp->nacked = gap;
    acknowledge(qp, packet, fresh);
    if (!fresh) return;
    struct rdma_msg *msg = qp->first;
    while (seq - msg->first >= msg->packets)
        msg = msg->next;
    if (++msg->arrived != msg->packets || msg->msg->confirm) return;
    if (qp->peer->drains) {
        nic_place(qp->peer, msg);
    } else {
        rdma_complete(msg);
    }
}
