/* nic.h - an endpoint's network adapter: its port, its queue pairs, both ends of the transport,
 * and the way into the memory of its host. */
#ifndef RAILSIM_MODELS_NET_NIC_H
#define RAILSIM_MODELS_NET_NIC_H

#include "models/net/port.h"
#include "models/net/rdma.h"

/* struct nic_shared: what all NICs of a network share. */
struct nic_shared {
    struct port_net net; /* of all ports, switches' as well */
    struct sim *sim;
    const struct net_cfg *cfg;
    const struct cc_ops *cc;
    const void *cc_config;
    struct pool messages;
    struct rdma_qp **qp; /* by place */
    int64_t qp_n, qp_cap;
    int64_t header_bytes, ack_bytes; /* of a data packet and of an ACK, telemetry included */
    /* closed: rdma_open is about to take the memory of qp, which is known no more. NULL: queue
     * pairs are never closed. */
    void (*closed)(struct nic_shared *shared, struct rdma_qp *qp);
    struct rdma_qp *rest_first, *rest_last; /* had nothing to do when they were put here */
    struct rdma_qp *broken;                 /* the first that gave up */
    int64_t delivered_packets, out_of_order, duplicates, cnps, timeouts, retransmitted;
    int64_t injected_bytes, delivered_bytes; /* wire bytes of data */
    /* receive buffers: what is dropped there is not delivered */
    int64_t rx_drops, rx_dropped_bytes, rx_max_bytes;
};

struct nic {
    struct port port; /* first: its timers are the hot part */
    struct nic_shared *shared;
    int32_t node;
    int32_t active_n, turn;
    bool ready;   /* nic_init was here */
    bool spaced;  /* gate_ps moves: a larger inter-packet gap, or PCIe */
    bool drains;  /* what arrives goes through a receive buffer and PCIe */
    bool pausing; /* the neighbour is paused */
    int64_t active_cap;
    struct rdma_qp **active; /* those that may send */
    int64_t gate_ps;         /* no data packet starts before */
    int64_t watched;         /* messages whose owner wants to know when they are sent */
    int64_t drained_ps;      /* the receive buffer is empty then */
    struct rdma_msg *arrived_first, *arrived_last; /* not in the host's memory yet, in order */
    struct timer placed, resume;
};

/* nic_init finishes a NIC whose port, shared and node are set, if that was not done before. */
void nic_init(struct nic *nic);
/* nic_deliver, nic_next and nic_make are what ports do for NICs (struct port_net). */
void nic_deliver(struct port *from, struct packet *packet);
/* nic_foresee prefetches what nic_deliver will touch. */
void nic_foresee(const struct port *from, const struct packet *packet);
int64_t nic_next(struct port *port, int64_t at_ps);
struct packet *nic_make(struct port *port, int64_t at_ps);
/* nic_hops returns the telemetry that travels with a packet (only if the control wants it). */
struct nic_telemetry {
    int32_t n;
    struct cc_hop hop[CC_HOPS_MAX];
};
static inline struct nic_telemetry *nic_telemetry(struct packet *packet)
{
    return (struct nic_telemetry *)(packet + 1);
}

/* rdma_open makes a queue pair between two NICs; base_rtt_ps is its unloaded round trip. It may
 * call shared->closed. */
struct rdma_qp *rdma_open(struct nic *src, struct nic *dst, uint32_t stream, int64_t base_rtt_ps);
/* rdma_post queues a message. */
void rdma_post(struct rdma_qp *qp, struct fabric_msg *msg);
/* rdma_make makes the next packet of qp, which starts at at_ps. */
struct packet *rdma_make(struct rdma_qp *qp, int64_t at_ps);
/* rdma_receive takes a data packet at its destination; answers with the same packet or frees it. */
void rdma_receive(struct rdma_qp *qp, struct packet *packet);
/* rdma_answer takes an ACK, NACK or CNP at the sender. */
void rdma_answer(struct rdma_qp *qp, struct packet *packet);
/* rdma_complete: all of a message is in the memory of its destination. */
void rdma_complete(struct rdma_msg *done);
/* nic_deactivate takes qp from those that may send. */
void nic_deactivate(struct nic *nic, struct rdma_qp *qp);
/* nic_activate puts qp among those that may send (after port_advance), and rearms the port. */
void nic_activate(struct nic *nic, struct rdma_qp *qp);
/* nic_place calls rdma_complete when all that arrived so far is in the host's memory. */
void nic_place(struct nic *nic, struct rdma_msg *arrived);

#endif
