/* rdma.h - queue pairs: messages cut into packets, pacing, window, acknowledgement, completion.
 *
 * A queue pair serves one (source, destination, stream). It is made at its first message; when it
 * has rested for a retransmission timeout and its congestion control asks for nothing any more,
 * the next queue pair to be made takes its memory (nic_shared.closed).
 */
#ifndef RAILSIM_MODELS_NET_RDMA_H
#define RAILSIM_MODELS_NET_RDMA_H

#include "models/cc/cc.h"
#include "models/fabric.h"
#include "models/net/net_cfg.h"
#include "models/net/packet.h"
#include "sim/engine/sim.h"

struct nic;

/* For what is rare: inlined, it would cost the common way its registers. */
#define RDMA_RARE __attribute__((noinline))

/* Flags of packets that are the transport's alone. */
#define PACKET_ASK 4u   /* data: the sender waits for the acknowledgement */
#define PACKET_AGAIN 4u /* ACK, NACK: of a packet that is not new */

/* The number of a queue pair: its place in nic_shared.qp, and above how often that was taken, so
 * that a packet which comes too late is told from those of the next one there. */
#define RDMA_PLACE_BITS 24
static inline uint32_t rdma_place(uint32_t number)
{
    return number & ((1u << RDMA_PLACE_BITS) - 1);
}

/* struct rdma_msg: a fabric message under way. It stays until the sender knows that all of it
 * arrived and it is complete; msg is its owner's again, and NULL here, from its completion on. */
struct rdma_msg {
    struct fabric_msg *msg;
    int64_t bytes;
    struct rdma_msg *next;
    uint32_t first, packets; /* packet numbers */
    uint32_t arrived;        /* packets that are there */
    uint8_t flags;           /* of its packets: the class */
    bool acked; /* the sender has forgotten it, the receiving host does not have all of it yet */
    struct rdma_qp *qp;
    struct timer sent;         /* the last byte left, if somebody wants to know */
    int64_t placed_ps;         /* when its last byte is in the memory of the receiving host */
    struct rdma_msg *after_it; /* the next to be complete at that NIC */
};

/* rdma_payload_bytes returns what packet seq of msg carries. */
static inline int64_t rdma_payload_bytes(const struct rdma_msg *msg, int64_t mtu, uint32_t seq)
{
    int64_t left = msg->bytes - (int64_t)(seq - msg->first) * mtu;
    return left < mtu ? left : mtu;
}

/* struct rdma_qp: begins with a cache line, as do its groups. */
struct rdma_qp {
    /* sending */
    int64_t next_ps;  /* not before: pacing */
    uint64_t gap_q16; /* ps per wire byte, 16 fractional bits; 0 = line rate */
    uint32_t number;
    uint32_t sent, acked_below, queued; /* packet numbers */
    int64_t inflight_bytes, window_bytes;
    struct rdma_msg *send_at; /* the message being sent */
    int32_t dst;
    uint32_t lost_n; /* selective repeat: packets to be sent again */
    /* both ends */
    struct nic *nic, *peer;
    struct rdma_msg *first, *last; /* not acknowledged, in order */
    int32_t src;
    uint32_t fresh;      /* the first packet never sent */
    int64_t progress_ps; /* the last acknowledgement */
    int64_t acked_bytes; /* payload, each byte once */
    bool active;         /* in the NIC's list */
    bool resting;        /* in the list of those that may be closed */
    bool nacked;         /* receiver: a gap was reported and is not closed yet */
    bool selective;      /* repeat; else going back */
    bool strict;         /* receiver: what follows a gap is thrown away */
    /* control */
    int64_t sent_bytes; /* payload, each byte once */
    int64_t retransmitted;
    struct cc_out cc, applied; /* what the control wants; what is in force */
    /* receiver */
    uint32_t expected;    /* all below have arrived */
    uint32_t bitmap_bits; /* a power of two, 0 at first */
    uint64_t *bitmap;     /* which of expected .. expected + bitmap_bits - 1 have */
    uint32_t early_n;     /* bits set in it */
    uint32_t draining;    /* messages that arrived and are not in the host's memory yet */
    int64_t cnp_ps;       /* when the last CNP was sent; -1 = never */
    struct packet *held;  /* the last of those that are not acknowledged yet, NULL = none */
    uint32_t held_n;
    uint32_t stream;
    int64_t idle_ps;            /* one way, unloaded */
    struct rdma_repair *repair; /* selective repeat, else NULL */
    /* rare */
    struct timer wake; /* the control's */
    struct timer retransmit;
    int64_t timeout_ps;    /* the last one */
    int64_t timeouts;      /* one after the other, no acknowledgement between them */
    struct rdma_qp *chain; /* hash */
    struct rdma_qp *rest_next;
    _Alignas(8) char state[]; /* of the control */
};
_Static_assert(offsetof(struct rdma_qp, nic) == 64 && offsetof(struct rdma_qp, sent_bytes) == 128 &&
                   offsetof(struct rdma_qp, expected) == 192 &&
                   offsetof(struct rdma_qp, wake) == 256,
               "groups are cache lines");

/* rdma_may_send tells whether qp has something to send and the window allows it. */
static inline bool rdma_may_send(const struct rdma_qp *qp)
{
    return (qp->sent != qp->queued || qp->lost_n) &&
           (qp->window_bytes == 0 || qp->inflight_bytes < qp->window_bytes);
}

/* rdma_selective_class returns the class of the first lost packet (qp->lost_n > 0). */
int rdma_selective_class(const struct rdma_qp *qp);
/* rdma_next_class returns the class of the packet that rdma_make would make. */
static inline int rdma_next_class(const struct rdma_qp *qp)
{
    if (qp->lost_n) return rdma_selective_class(qp);
    return qp->send_at->flags >> PACKET_CLASS_SHIFT & 7;
}

/* ---- within the transport (rdma.c, rdma_receive.c, rdma_selective.c) ------------------------- */

/* rdma_control tells the congestion control of an event and does what it wants. */
void rdma_control(struct rdma_qp *qp, struct cc_signal *signal);
/* rdma_forget lets go of the messages below qp->acked_below. */
void rdma_forget(struct rdma_qp *qp);

/* rdma_selective_open gives qp what selective repeat needs; that of a queue pair which was at the
 * same place before is used again. */
void rdma_selective_open(struct rdma_qp *qp);
/* rdma_selective_sent: packet, new, leaves with payload_bytes. */
void rdma_selective_sent(struct rdma_qp *qp, const struct packet *packet, int64_t payload_bytes);
/* rdma_selective_again fills packet with the first lost one (qp->lost_n > 0); returns its payload.
 */
int64_t rdma_selective_again(struct rdma_qp *qp, struct packet *packet);
/* rdma_selective_acked takes in an ACK, finds what is lost, and returns the bytes that are newly
 * known to have arrived. The port is at now. */
int64_t rdma_selective_acked(struct rdma_qp *qp, const struct packet *packet);
/* rdma_selective_look concludes losses that only time shows, and returns when to look again
 * (INT64_MAX: nothing to be seen). The port is at now. */
int64_t rdma_selective_look(struct rdma_qp *qp);
/* rdma_selective_timeout: all that is not known to have arrived is lost. */
void rdma_selective_timeout(struct rdma_qp *qp);

#endif
