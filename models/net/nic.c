/* nic.c - which queue pair sends next, and what to do with what arrives (nic.h).
 *
 * Queue pairs that may send take turns; each is paced by its congestion control.
 * NOT modelled: PCIe, the host's memory, the number of queue pairs that fit into the NIC's cache.
 */
#include "models/net/nic.h"

void nic_activate(struct nic *nic, struct rdma_qp *qp)
{
    int64_t now_ps = sim_now_ps(nic->shared->sim);
    if (!qp->active) {
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

/* Earliest start of a data packet at at_ps or later. */
int64_t nic_next(struct port *port, int64_t at_ps)
{
    const struct nic *nic = port->node;
    int64_t best_ps = INT64_MAX;
    for (int32_t i = 0; i < nic->active_n; i++) {
        int64_t ready_ps = nic->active[i]->next_ps;
        if (ready_ps <= at_ps) return at_ps;
        if (ready_ps < best_ps) best_ps = ready_ps;
    }
    return best_ps;
}

struct packet *nic_make(struct port *port, int64_t at_ps)
{
    struct nic *nic = port->node;
    int32_t i = nic->turn < nic->active_n ? nic->turn : 0;
    while (nic->active[i]->next_ps > at_ps)
        i = i + 1 < nic->active_n ? i + 1 : 0;
    struct rdma_qp *qp = nic->active[i];
    struct packet *packet = rdma_make(qp, at_ps);
    nic->turn = i + 1;
    if (!rdma_may_send(qp)) {
        qp->active = false;
        nic->active[i] = nic->active[--nic->active_n];
        nic->turn = i;
    }
    return packet;
}

void nic_deliver(struct port *from, struct packet *packet)
{
    struct nic *nic = from->peer;
    struct nic_shared *shared = nic->shared;
    switch ((enum packet_type)packet->type) {
    case PACKET_DATA:
        shared->delivered_bytes += packet->wire_bytes;
        shared->delivered_packets++;
        rdma_receive(shared->qp[packet->qp], packet);
        return;
    case PACKET_CREDIT:
        port_give(from->reverse, PACKET_QUEUE(packet) - 1, packet->ack);
        packet_put(&shared->net.packets, packet);
        return;
    case PACKET_ACK:
    case PACKET_NACK:
    case PACKET_CNP:
        rdma_answer(shared->qp[packet->qp], packet);
        return;
    }
}
