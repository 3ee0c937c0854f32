/* nic.c - which queue pair sends next, and what to do with what arrives (nic.h).
 *
 * Queue pairs that may send take turns; each is paced by its congestion control, all together by
 * the inter-packet gap and by PCIe, which fetches the payload of one packet while another is on
 * the wire. What arrives goes through a receive buffer that PCIe empties in order: above XOFF the
 * NIC pauses its switch, as a slow receiver does (Guo et al., RDMA over Commodity Ethernet at
 * Scale, SIGCOMM 2016, section 4.4); what does not fit is dropped. Over PCIe goes what is behind
 * the framing: payload, and the RETH of a first packet.
 * NOT modelled: latency of PCIe, gaps beside control packets, the number of queue pairs that fit
 * into the NIC's cache.
 */
#include "models/net/nic.h"

#include "sim/base/units.h"

#define IPG_BYTES 12 /* what the framing counts */

enum { TIMER_PLACED = 8, TIMER_RESUME }; /* beside those of the port */

/* ---- sending --------------------------------------------------------------------------------- */

void nic_activate(struct nic *nic, struct rdma_qp *qp)
{
    int64_t now_ps = sim_now_ps(nic->shared->sim);
    if (!qp->active) {
        port_advance(&nic->port, now_ps);               /* turns before now were taken without it */
        if (qp->next_ps < now_ps) qp->next_ps = now_ps; /* it could not have started before */
        nic->active = arena_grow(sim_arena(nic->shared->sim), nic->active, &nic->active_cap,
                                 nic->active_n + 1, sizeof(struct rdma_qp *));
        nic->active[nic->active_n++] = qp;
        qp->active = true;
    }
    port_advance(&nic->port, now_ps);
    port_rearm(&nic->port);
}

void nic_deactivate(struct nic *nic, struct rdma_qp *qp)
{
    int32_t i = 0;
    while (nic->active[i] != qp)
        i++;
    qp->active = false;
    nic->active[i] = nic->active[--nic->active_n];
}

/* Several classes or credits: is that of qp's next packet let through? */
static bool is_let(const struct port *port, const struct rdma_qp *qp)
{
    return !port->special || port_may_send(port, rdma_next_class(qp));
}

static RDMA_RARE int64_t next_special(const struct port *port, int64_t at_ps)
{
    const struct nic *nic = port->node;
    int64_t best_ps = INT64_MAX;
    for (int32_t i = 0; i < nic->active_n; i++) {
        int64_t ready_ps = nic->active[i]->next_ps;
        if (ready_ps < best_ps && is_let(port, nic->active[i])) best_ps = ready_ps;
    }
    return best_ps > at_ps ? best_ps : at_ps;
}

/* Earliest start of a data packet at at_ps or later. */
int64_t nic_next(struct port *port, int64_t at_ps)
{
    const struct nic *nic = port->node;
    int64_t best_ps = INT64_MAX;
    if (at_ps < nic->gate_ps) at_ps = nic->gate_ps;
    if (__builtin_expect(port->special, 0)) return next_special(port, at_ps);
    for (int32_t i = 0; i < nic->active_n; i++) {
        int64_t ready_ps = nic->active[i]->next_ps;
        if (ready_ps <= at_ps) return at_ps;
        if (ready_ps < best_ps) best_ps = ready_ps;
    }
    return best_ps;
}

static int64_t pcie_ps(const struct nic *nic, const struct packet *packet)
{
    return units_serialise_ps(packet->wire_bytes - nic->shared->header_bytes,
                              nic->shared->cfg->nic.pcie_bps);
}

/* When the packet after this one may start. */
static RDMA_RARE int64_t gate_after(const struct nic *nic, const struct packet *packet,
                                    int64_t at_ps)
{
    const struct net_cfg *cfg = nic->shared->cfg;
    int64_t gap_ps =
        port_serialise_ps(&nic->port, packet->wire_bytes + cfg->nic.gap_bytes - IPG_BYTES);
    int64_t fetch_ps = cfg->nic.pcie_bps ? pcie_ps(nic, packet) : 0;
    return at_ps + (gap_ps > fetch_ps ? gap_ps : fetch_ps);
}

/* The next in turn that may start at at_ps, from i on; there is one. */
static RDMA_RARE int32_t pass_over(const struct nic *nic, int32_t i, int64_t at_ps)
{
    while (nic->active[i]->next_ps > at_ps || !is_let(&nic->port, nic->active[i]))
        i = i + 1 < nic->active_n ? i + 1 : 0;
    return i;
}

struct packet *nic_make(struct port *port, int64_t at_ps)
{
    struct nic *nic = port->node;
    int32_t i = nic->turn < nic->active_n ? nic->turn : 0;
    if (port->special || nic->active[i]->next_ps > at_ps) i = pass_over(nic, i, at_ps);
    struct rdma_qp *qp = nic->active[i];
    struct packet *packet = rdma_make(qp, at_ps);
    nic->turn = i + 1;
    if (nic->spaced) nic->gate_ps = gate_after(nic, packet, at_ps);
    if (!rdma_may_send(qp)) {
        qp->active = false;
        nic->active[i] = nic->active[--nic->active_n];
        nic->turn = i;
    }
    return packet;
}

/* ---- receive buffer -------------------------------------------------------------------------- */

/* PCIe works without a break until drained_ps. */
static int64_t held_bytes(const struct nic *nic, int64_t now_ps)
{
    if (nic->drained_ps <= now_ps) return 0;
    return units_carried_bytes(nic->shared->cfg->nic.pcie_bps, nic->drained_ps - now_ps);
}

/* All classes: they share the buffer. On InfiniBand this stands for credits held back. */
static void send_pause(struct nic *nic, bool pause)
{
    nic->pausing = pause;
    for (int c = 0; c < nic->port.net->classes; c++)
        port_send_pause(&nic->port, c, pause, nic->shared->cfg->pfc.response_ps);
}

/* When no more than XON will be held, if nothing else comes. */
static int64_t xon_ps(const struct nic *nic)
{
    const struct net_cfg *cfg = nic->shared->cfg;
    return nic->drained_ps - units_serialise_ps(cfg->nic.rx_xon_bytes, cfg->nic.pcie_bps);
}

static void on_resume(struct sim *sim, void *self)
{
    struct nic *nic = self;
    int64_t at_ps = xon_ps(nic);
    if (at_ps > sim_now_ps(sim)) {
        timer_arm(sim, &nic->resume, at_ps);
    } else {
        send_pause(nic, false);
    }
}

/* take puts packet into the receive buffer; false if it does not fit. */
static RDMA_RARE bool take(struct nic *nic, const struct packet *packet)
{
    struct nic_shared *shared = nic->shared;
    int64_t now_ps = sim_now_ps(shared->sim);
    int64_t bytes = held_bytes(nic, now_ps) + packet->wire_bytes - shared->header_bytes;
    if (bytes > shared->cfg->nic.rx_buffer_bytes) return false;
    if (bytes > shared->rx_max_bytes) shared->rx_max_bytes = bytes;
    if (nic->drained_ps < now_ps) nic->drained_ps = now_ps;
    nic->drained_ps += pcie_ps(nic, packet);
    bool lossless = shared->cfg->pfc.on || shared->cfg->link_layer == NET_INFINIBAND;
    if (bytes > shared->cfg->nic.rx_xoff_bytes && lossless && !nic->pausing) {
        send_pause(nic, true);
        timer_arm(shared->sim, &nic->resume, xon_ps(nic));
    }
    return true;
}

static void on_placed(struct sim *sim, void *self)
{
    struct nic *nic = self;
    struct rdma_msg *msg = nic->arrived_first;
    nic->arrived_first = msg->after_it;
    if (nic->arrived_first) timer_arm(sim, &nic->placed, nic->arrived_first->placed_ps);
    msg->qp->draining--;
    rdma_complete(msg);
    if (msg->acked) pool_put(&nic->shared->messages, msg);
}

void nic_place(struct nic *nic, struct rdma_msg *arrived)
{
    arrived->placed_ps = nic->drained_ps;
    arrived->qp->draining++;
    if (nic->arrived_first) {
        nic->arrived_last->after_it = arrived;
    } else {
        nic->arrived_first = arrived;
        timer_arm(nic->shared->sim, &nic->placed, arrived->placed_ps);
    }
    nic->arrived_last = arrived;
}

/* ---- arriving -------------------------------------------------------------------------------- */

static RDMA_RARE void drop(struct nic_shared *shared, struct packet *packet)
{
    shared->rx_drops++;
    shared->rx_dropped_bytes += packet->wire_bytes;
    packet_put(&shared->net.packets, packet);
}

/* Credit; or a packet of a queue pair that is closed: everything had arrived. */
static RDMA_RARE void other(struct port *from, struct packet *packet)
{
    struct nic_shared *shared = ((struct nic *)from->peer)->shared;
    if (packet->type == PACKET_CREDIT)
        port_give(from->reverse, PACKET_QUEUE(packet) - 1, packet->ack);
    shared->duplicates += packet->type == PACKET_DATA;
    packet_put(&shared->net.packets, packet);
}

void nic_deliver(struct port *from, struct packet *packet)
{
    struct nic *nic = from->peer;
    struct nic_shared *shared = nic->shared;
    if (packet->type == PACKET_DATA) {
        if (nic->drains && !take(nic, packet)) {
            drop(shared, packet);
            return;
        }
        shared->delivered_bytes += packet->wire_bytes;
        shared->delivered_packets++;
        struct rdma_qp *qp = shared->qp[rdma_place(packet->qp)];
        if (qp->number == packet->qp) {
            rdma_receive(qp, packet);
            return;
        }
    } else if (packet->type != PACKET_CREDIT) {
        struct rdma_qp *qp = shared->qp[rdma_place(packet->qp)];
        if (qp->number == packet->qp) {
            rdma_answer(qp, packet);
            return;
        }
    }
    other(from, packet);
}

void nic_foresee(const struct port *from, const struct packet *packet)
{
    const struct nic *nic = from->peer;
    const struct rdma_qp *qp = nic->shared->qp[rdma_place(packet->qp)];
    const char *line =
        packet->type == PACKET_DATA ? (const char *)&qp->expected : (const char *)&qp->next_ps;
    __builtin_prefetch(line, 1);
    __builtin_prefetch(line + 64, 1);
    __builtin_prefetch(line + 128, 1);
}

void nic_init(struct nic *nic)
{
    const struct net_cfg *cfg = nic->shared->cfg;
    if (nic->ready) return;
    nic->ready = true;
    nic->drains = cfg->nic.pcie_bps > 0;
    nic->spaced = nic->drains || cfg->nic.gap_bytes > IPG_BYTES;
    timer_init(&nic->placed, on_placed, nic, nic->port.component, TIMER_PLACED);
    timer_init(&nic->resume, on_resume, nic, nic->port.component, TIMER_RESUME);
}
