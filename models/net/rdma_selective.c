/* rdma_selective.c - selective repeat: only what is missing is sent again (rdma.h).
 *
 * Each acknowledgement names the packet that it answers besides the first that is missing (IRN,
 * Mittal et al., SIGCOMM 2018), so the sender knows of every packet whether it arrived. It tells
 * loss from reordering by the time of sending, as RACK does (RFC 8985): a packet is lost if another
 * one that was sent later, by the reordering window or more, has arrived. Where paths keep the
 * order (delivery: in-order) the window is zero: a gap is a loss at once. Else it is a quarter of
 * the unloaded round trip and grows by as much whenever a repetition proves needless, up to the
 * round trip; 16 recoveries without one bring it back (RFC 8985, section 6.2). Where every packet
 * takes a way of its own it begins with a whole round trip: their queues differ by more than RACK's
 * few late packets, and a tenth of all was sent again in vain before it had grown. A count of
 * packets, as IRN suggests for spraying, would depend on the rate; time does not. It also finds
 * repetitions that are lost again, where IRN waits for its timeout.
 * What nothing later overtakes (the end of a message) is left to the timeout: all that is not known
 * to have arrived is sent again then, and nothing else.
 * NOT modelled: tail loss probes; IRN's cap of a bandwidth-delay product in flight.
 */
#include <string.h>

#include "models/net/nic.h"
#include "models/route/route.h"

enum slot_state { SLOT_FLYING, SLOT_ARRIVED, SLOT_LOST };

/* struct slot: a packet from acked_below on. */
struct slot {
    int64_t sent_ps; /* last time */
    uint16_t payload_bytes, wire_bytes;
    uint8_t state, flags;
};

/* struct repeat: a packet that was sent again, unless its slot says that this is over. */
struct repeat {
    int64_t sent_ps;
    uint32_t seq;
};

#define RECOVERIES 16

struct rdma_repair {
    struct slot *slot; /* by packet number, modulo slot_n, a power of two or 0 */
    uint32_t slot_n;
    uint32_t judged;    /* first packet that was sent once and not concluded to be lost */
    uint32_t lost_from; /* none below is lost */
    uint32_t recovered; /* the recovery is over when all below have arrived */
    int64_t newest_ps;  /* of those that arrived: when the last sent was sent */
    int64_t rtt_ps;     /* its round trip */
    int64_t smooth_ps;  /* round trip, averaged as TCP does */
    int64_t reorder_ps, raise_ps;
    int64_t keep; /* recoveries that the raised window lives on */
    struct repeat *repeat;
    int64_t repeat_cap, repeat_from, repeat_n; /* those from .. n are in use, in order of time */
};

static inline struct slot *slot_of(const struct rdma_repair *repair, uint32_t seq)
{
    return &repair->slot[seq & (repair->slot_n - 1)];
}

static int64_t reorder_first_ps(const struct rdma_qp *qp)
{
    const struct net_cfg *cfg = qp->nic->shared->cfg;
    if (cfg->delivery == NET_IN_ORDER) return 0;
    if (cfg->transport.reorder_ps > 0) return cfg->transport.reorder_ps;
    return route_list[cfg->routing.index]->per_packet ? 2 * qp->idle_ps : qp->idle_ps / 2;
}

void rdma_selective_open(struct rdma_qp *qp)
{
    if (!qp->repair) qp->repair = ARENA_NEW(sim_arena(qp->nic->shared->sim), struct rdma_repair);
    struct rdma_repair *repair = qp->repair;
    *repair = (struct rdma_repair){.slot = repair->slot,
                                   .slot_n = repair->slot_n,
                                   .repeat = repair->repeat,
                                   .repeat_cap = repair->repeat_cap,
                                   .newest_ps = -1,
                                   .reorder_ps = reorder_first_ps(qp)};
}

/* ---- sending --------------------------------------------------------------------------------- */

static void grow(struct rdma_qp *qp)
{
    struct rdma_repair *repair = qp->repair, old = *repair;
    repair->slot_n = old.slot_n ? 2 * old.slot_n : 16;
    repair->slot = ARENA_ARRAY(sim_arena(qp->nic->shared->sim), struct slot, repair->slot_n);
    for (uint32_t i = 0; i < old.slot_n; i++)
        *slot_of(repair, qp->acked_below + i) = *slot_of(&old, qp->acked_below + i);
}

static void push_repeat(struct rdma_qp *qp, const struct repeat *repeat)
{
    struct rdma_repair *repair = qp->repair;
    if (repair->repeat_n == repair->repeat_cap && repair->repeat_from > repair->repeat_n / 2) {
        repair->repeat_n -= repair->repeat_from;
        memmove(repair->repeat, repair->repeat + repair->repeat_from,
                (size_t)repair->repeat_n * sizeof *repeat);
        repair->repeat_from = 0;
    }
    repair->repeat = arena_grow(sim_arena(qp->nic->shared->sim), repair->repeat,
                                &repair->repeat_cap, repair->repeat_n + 1, sizeof *repeat);
    repair->repeat[repair->repeat_n++] = *repeat;
}

void rdma_selective_sent(struct rdma_qp *qp, const struct packet *packet, int64_t payload_bytes)
{
    struct rdma_repair *repair = qp->repair;
    if (qp->sent - qp->acked_below > repair->slot_n) grow(qp);
    *slot_of(repair, packet->seq) = (struct slot){.sent_ps = packet->sent_ps,
                                                  .payload_bytes = (uint16_t)payload_bytes,
                                                  .wire_bytes = packet->wire_bytes,
                                                  .flags = packet->flags,
                                                  .state = SLOT_FLYING};
}

static uint32_t first_lost(const struct rdma_qp *qp)
{
    uint32_t seq = qp->repair->lost_from;
    if ((int32_t)(seq - qp->acked_below) < 0) seq = qp->acked_below;
    while (slot_of(qp->repair, seq)->state != SLOT_LOST)
        seq++;
    return seq;
}

int rdma_selective_class(const struct rdma_qp *qp)
{
    return slot_of(qp->repair, first_lost(qp))->flags >> PACKET_CLASS_SHIFT & 7;
}

int64_t rdma_selective_again(struct rdma_qp *qp, struct packet *packet)
{
    struct rdma_repair *repair = qp->repair;
    uint32_t seq = first_lost(qp);
    const struct slot *slot = slot_of(repair, seq);
    packet->seq = seq;
    packet->flags = slot->flags;
    packet->wire_bytes = slot->wire_bytes;
    repair->lost_from = seq + 1;
    qp->lost_n--;
    qp->retransmitted++;
    qp->nic->shared->retransmitted++;
    push_repeat(qp, &(struct repeat){.sent_ps = packet->sent_ps, .seq = seq});
    return slot->payload_bytes;
}

/* ---- what is lost ---------------------------------------------------------------------------- */

static void lose(struct rdma_qp *qp, uint32_t seq)
{
    struct rdma_repair *repair = qp->repair;
    struct slot *slot = slot_of(repair, seq);
    slot->state = SLOT_LOST;
    qp->inflight_bytes -= slot->payload_bytes;
    if (qp->lost_n++ == 0 || (int32_t)(seq - repair->lost_from) < 0) repair->lost_from = seq;
}

/* struct verdict: packets sent before newest_ps, and at limit_ps or before, are lost. */
struct verdict {
    int64_t newest_ps, limit_ps;
};
static bool is_lost(const struct verdict *verdict, int64_t sent_ps)
{
    return sent_ps < verdict->newest_ps && sent_ps <= verdict->limit_ps;
}

/* The oldest repetition under way that is not lost by verdict: when it was sent; INT64_MAX: none.
 */
static int64_t judge_repeats(struct rdma_qp *qp, const struct verdict *verdict)
{
    struct rdma_repair *repair = qp->repair;
    for (; repair->repeat_from < repair->repeat_n; repair->repeat_from++) {
        const struct repeat *repeat = &repair->repeat[repair->repeat_from];
        const struct slot *slot = slot_of(repair, repeat->seq);
        bool over = (int32_t)(repeat->seq - qp->acked_below) < 0 || slot->state != SLOT_FLYING ||
                    slot->sent_ps != repeat->sent_ps;
        if (over) continue;
        if (!is_lost(verdict, repeat->sent_ps)) return repeat->sent_ps;
        lose(qp, repeat->seq);
    }
    repair->repeat_from = repair->repeat_n = 0;
    return INT64_MAX;
}

/* The same of packets that were sent once. */
static int64_t judge_first(struct rdma_qp *qp, const struct verdict *verdict)
{
    struct rdma_repair *repair = qp->repair;
    if ((int32_t)(repair->judged - qp->acked_below) < 0) repair->judged = qp->acked_below;
    for (; repair->judged != qp->sent; repair->judged++) {
        const struct slot *slot = slot_of(repair, repair->judged);
        if (slot->state != SLOT_FLYING) continue;
        if (!is_lost(verdict, slot->sent_ps)) return slot->sent_ps;
        lose(qp, repair->judged);
    }
    return INT64_MAX;
}

/* A recovery begins, and ends when all that was sent by now has arrived (IRN); the control hears
 * of it once. */
static void begin_recovery(struct rdma_qp *qp, enum cc_event why)
{
    struct rdma_repair *repair = qp->repair;
    repair->recovered = qp->sent;
    if (repair->keep > 0 && --repair->keep == 0) repair->reorder_ps = reorder_first_ps(qp);
    rdma_control(qp, &(struct cc_signal){.event = why});
}

int64_t rdma_selective_look(struct rdma_qp *qp)
{
    struct rdma_repair *repair = qp->repair;
    int64_t now_ps = sim_now_ps(qp->nic->shared->sim), seen_ps = now_ps - repair->rtt_ps;
    struct verdict verdict = {.newest_ps = repair->newest_ps};
    verdict.limit_ps =
        (seen_ps > repair->newest_ps ? seen_ps : repair->newest_ps) - repair->reorder_ps;
    uint32_t before = qp->lost_n;
    int64_t again_ps = judge_repeats(qp, &verdict), first_ps = judge_first(qp, &verdict);
    int64_t oldest_ps = again_ps < first_ps ? again_ps : first_ps;
    bool recovering = (int32_t)(qp->acked_below - repair->recovered) < 0;
    if (qp->lost_n > before && !recovering) begin_recovery(qp, CC_NACK);
    if (oldest_ps >= repair->newest_ps) return INT64_MAX;
    return oldest_ps + repair->reorder_ps + repair->rtt_ps;
}

void rdma_selective_timeout(struct rdma_qp *qp)
{
    struct rdma_repair *repair = qp->repair;
    for (uint32_t seq = qp->acked_below; seq != qp->sent; seq++)
        if (slot_of(repair, seq)->state == SLOT_FLYING) lose(qp, seq);
    repair->judged = qp->sent;
    repair->repeat_from = repair->repeat_n = 0;
    begin_recovery(qp, CC_TIMEOUT);
}

/* ---- what arrived ---------------------------------------------------------------------------- */

static int64_t arrived(struct rdma_qp *qp, struct slot *slot)
{
    int64_t bytes = slot->state == SLOT_ARRIVED ? 0 : slot->payload_bytes;
    if (slot->state == SLOT_FLYING) qp->inflight_bytes -= slot->payload_bytes;
    if (slot->state == SLOT_LOST) qp->lost_n--;
    slot->state = SLOT_ARRIVED;
    return bytes;
}

/* A repetition came after all: the window was too small, once per round trip. */
static void raise_window(struct rdma_qp *qp, int64_t now_ps)
{
    const struct net_cfg *cfg = qp->nic->shared->cfg;
    struct rdma_repair *repair = qp->repair;
    int64_t step_ps = qp->idle_ps / 2;
    repair->keep = RECOVERIES;
    if (cfg->delivery == NET_IN_ORDER || cfg->transport.reorder_ps > 0) return;
    if (now_ps < repair->raise_ps || repair->reorder_ps + step_ps > repair->smooth_ps) return;
    repair->reorder_ps += step_ps;
    repair->raise_ps = now_ps + repair->rtt_ps;
}

int64_t rdma_selective_acked(struct rdma_qp *qp, const struct packet *packet)
{
    struct rdma_repair *repair = qp->repair;
    int64_t now_ps = sim_now_ps(qp->nic->shared->sim), rtt_ps = now_ps - packet->sent_ps, bytes = 0;
    bool ahead = (int32_t)(packet->ack - qp->acked_below) > 0;
    while ((int32_t)(packet->ack - qp->acked_below) > 0)
        bytes += arrived(qp, slot_of(repair, qp->acked_below++));
    if ((int32_t)(packet->seq - qp->acked_below) >= 0)
        bytes += arrived(qp, slot_of(repair, packet->seq));
    if (ahead) rdma_forget(qp);
    if (qp->active && !rdma_may_send(qp)) nic_deactivate(qp->nic, qp);
    repair->smooth_ps += (rtt_ps - repair->smooth_ps) / (repair->smooth_ps ? 8 : 1);
    if (packet->sent_ps > repair->newest_ps) {
        repair->newest_ps = packet->sent_ps;
        repair->rtt_ps = rtt_ps;
    }
    if (packet->flags & PACKET_AGAIN) raise_window(qp, now_ps);
    int64_t look_ps = rdma_selective_look(qp);
    if (timer_armed(&qp->retransmit) && look_ps < qp->retransmit.at_ps)
        timer_arm(qp->nic->shared->sim, &qp->retransmit, look_ps > now_ps ? look_ps : now_ps);
    return bytes;
}
