/* cc.h - the contract of end-to-end congestion controls: facts in, rate and window out.
 *
 * Pure: no clock, no packets, no memory of its own. A control is one file cc_NAME.c with
 * `const struct schema cc_NAME_schema` (its keys; its name is the kind) and `const struct cc_ops
 * cc_NAME`; the Makefile finds it. The queue pair (models/net/rdma.c) allocates the state, calls
 * step for each event, paces at the rate, keeps the window, and wakes the control when it asks.
 * Only + - * / and sqrt on doubles: the same bits must come out everywhere.
 */
#ifndef RAILSIM_MODELS_CC_CC_H
#define RAILSIM_MODELS_CC_CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/io/schema.h"

enum cc_event {
    CC_START,   /* the queue pair begins to send */
    CC_ACK,     /* acked_bytes more are known to have arrived */
    CC_CNP,     /* a congestion notification packet */
    CC_NACK,    /* a gap was reported: go-back-N or selective repeat under way */
    CC_TIMEOUT, /* nothing was heard for a retransmission timeout */
    CC_TIMER,   /* the time asked for in cc_out.wake_ps */
    CC_SENT     /* bytes left the queue pair (only if cc_ops.wants_sent) */
};

/* struct cc_hop: in-band telemetry of one link on the way of the acknowledged packet, as it was
 * when the packet left (HPCC). tx_bytes counts all bytes sent on the link so far. */
struct cc_hop {
    int64_t rate_bps, queue_bytes, tx_bytes, at_ps;
};
#define CC_HOPS_MAX 8

/* struct cc_signal: an event and what is known with it; fields that do not apply are 0. */
struct cc_signal {
    enum cc_event event;
    bool marked; /* ACK: the acknowledged packet carried ECN congestion experienced */
    int64_t now_ps;
    int64_t rtt_ps;           /* ACK: of the acknowledged packet, from its sending */
    int64_t acked_bytes;      /* ACK: newly acknowledged; SENT: sent */
    int64_t acked_off;        /* ACK: cumulative */
    int64_t sent_off;         /* sent so far, cumulative */
    const struct cc_hop *hop; /* ACK with telemetry, else NULL */
    int hop_n;
};

/* struct cc_link: facts of the queue pair's way, for init. */
struct cc_link {
    int64_t rate_bps;    /* of its port */
    int64_t base_rtt_ps; /* unloaded, of a full packet and its acknowledgement */
    int64_t mtu_bytes;   /* payload of a full packet */
};

/* struct cc_out: what the queue pair shall do from now on; kept between calls, so a control only
 * writes what changes. */
struct cc_out {
    int64_t rate_bps;     /* pacing */
    int64_t window_bytes; /* most bytes in flight; 0 = no window */
    int64_t wake_ps;      /* absolute time of the next CC_TIMER; 0 = none */
};

struct cc_ops {
    const char *help;
    size_t state_size; /* <= CC_STATE_MAX */
    bool wants_cnp;    /* the receiver sends CNPs (else ECN is echoed in each ACK) */
    bool wants_hops;   /* packets carry telemetry */
    bool wants_sent;
    /* init sets up state and out for a queue pair that is about to start. */
    void (*init)(void *state, const void *config, const struct cc_link *link, struct cc_out *out);
    /* step takes one event. */
    void (*step)(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out);
};
#define CC_STATE_MAX 256

/* The registered controls and their keys, NULL-terminated, same order. */
extern const struct cc_ops *const cc_list[];
extern const struct schema *const cc_kinds[];

#endif
