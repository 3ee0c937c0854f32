/* rdma.h - queue pairs: messages cut into packets, pacing, window, acknowledgement, completion.
 *
 * A queue pair serves one (source, destination, stream); it is made at its first message and stays.
 */
#ifndef RAILSIM_MODELS_NET_RDMA_H
#define RAILSIM_MODELS_NET_RDMA_H

#include "models/cc/cc.h"
#include "models/fabric.h"
#include "models/net/net_cfg.h"
#include "models/net/packet.h"
#include "sim/engine/sim.h"

struct nic;

/* struct rdma_msg: a fabric message under way. It stays until the sender knows that all of it
 * arrived; msg is its owner's again, and NULL here, from the moment of its completion. */
struct rdma_msg {
    struct fabric_msg *msg;
    int64_t bytes;
    struct rdma_msg *next;
    uint32_t first, packets; /* packet numbers */
    uint32_t arrived;        /* packets that are there */
    struct nic *nic;
    struct timer sent; /* the last byte left, if somebody wants to know */
};

struct rdma_qp {
    /* sender, hot */
    int64_t next_ps;  /* not before: pacing */
    uint64_t gap_q16; /* ps per wire byte, 16 fractional bits; 0 = line rate */
    uint32_t number;
    uint32_t sent, acked_below, queued; /* packet numbers */
    int64_t inflight_bytes, window_bytes;
    struct rdma_msg *send_at;      /* the message being sent */
    struct rdma_msg *first, *last; /* not acknowledged, in order */
    int32_t src, dst;
    bool active; /* in the NIC's list */
    struct nic *nic, *peer;
    struct cc_out cc, applied; /* what the control wants; what is in force */
    struct timer wake;         /* the control's */
    struct timer retransmit;
    int64_t progress_ps; /* the last acknowledgement of something new */
    /* receiver */
    uint32_t expected; /* all below have arrived */
    uint64_t *bitmap;  /* which of expected .. expected + RDMA_BITMAP - 1 have; NULL = none */
    uint32_t early_n;  /* bits set in it */
    int64_t cnp_ps;    /* when the last CNP was sent; -1 = never */
    bool nacked;       /* a gap was reported and is not closed yet */
    int64_t acked_bytes, sent_bytes, retransmitted;
    int64_t idle_ps;       /* one way, unloaded */
    struct rdma_qp *chain; /* hash */
    uint32_t stream;
    _Alignas(8) char state[CC_STATE_MAX];
};
#define RDMA_BITMAP 4096u /* packets that may arrive before the first missing one */

/* rdma_may_send tells whether qp has something to send and the window allows it. */
static inline bool rdma_may_send(const struct rdma_qp *qp)
{
    return qp->sent != qp->queued &&
           (qp->window_bytes == 0 || qp->inflight_bytes < qp->window_bytes);
}

#endif
