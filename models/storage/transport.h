/* transport.h - one direction of a connection over distance: bytes in, bytes out, in order.
 *
 * A sender may have min(receive window, congestion window) bytes in flight. Bytes travel in bursts
 * of up to a sixteenth of that window (at least one segment, at most 1 MiB), one burst at a time on
 * the wire; the receiver's processing (copies, checksums of one socket's thread) takes time and
 * frees the window when it is done, as a socket buffer does. So throughput = min(window / round
 * trip, processing rate, share of the path) comes out; nothing computes it.
 *
 * Loss: each burst may lose a segment; it is found one round trip later, sent again, and everything
 * behind it waits (in-order delivery); the law cuts its window. Towards a line with a finite buffer
 * a sender does not wait for the line but only for its own port; the line drops bursts that exceed
 * its bandwidth-delay product plus buffer.
 *
 * NOT modelled: the bytes of acknowledgements, delayed acknowledgements, reordering.
 */
#ifndef RAILSIM_MODELS_STORAGE_TRANSPORT_H
#define RAILSIM_MODELS_STORAGE_TRANSPORT_H

#include "models/bound.h"
#include "models/fabric.h"
#include "models/storage/tcp_law.h"
#include "models/storage/wan.h"
#include "sim/engine/rng.h"

struct transport;
struct transport_msg;
typedef void transport_done_fn(struct sim *sim, struct transport_msg *msg);

/* struct transport_msg: bytes to deliver; owned by the sender until done. */
struct transport_msg {
    struct transport_msg *next;
    int64_t bytes;
    transport_done_fn *done; /* the last byte was delivered and processed */
    void *owner;
    /* ---- filled by the transport */
    int64_t start_ps, end_off;
    int64_t wait_ps;  /* in the transport, beyond the idle path's time */
    enum bound bound; /* of the wait */
};

/* struct transport_cfg: facts of a connection. */
struct transport_cfg {
    struct fabric *fabric;
    struct wan *wan; /* the shared line on the path, or NULL */
    int32_t src, dst;
    uint32_t stream;
    const struct framing *framing;
    const struct tcp_law_ops *law;
    int64_t window_bytes; /* receive window; 0 = none */
    int64_t process_bps;  /* receiver's processing rate; 0 = no limit */
};

/* transport_new makes one direction of a connection in the simulation's arena. name is that of its
 * random stream. */
struct transport *transport_new(const struct transport_cfg *cfg, const char *name);

/* transport_send queues msg behind what is queued already. */
void transport_send(struct transport *transport, struct transport_msg *msg);

/* struct transport_stats: totals since the start. */
struct transport_stats {
    int64_t sent_bytes, delivered_bytes, inflight_bytes;
    int64_t bursts, losses, retransmitted_bytes;
    int64_t cwnd_bytes;
};
struct transport_stats transport_stats(const struct transport *transport);

#endif
