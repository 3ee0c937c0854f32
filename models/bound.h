/* bound.h - what held something up: the names of the limits, and a ledger that finds the largest.
 *
 * The one idea: waiting at a gate is charged to what the holders of the gate were doing. A request
 * that waits for a free slot waits, in truth, for whatever the requests in the slots wait for; only
 * where those merely travel (pure latency) is the gate itself the limit, since one more slot would
 * have overlapped that latency. So each gate keeps a ledger of its holders' time by bound.
 */
#ifndef RAILSIM_MODELS_BOUND_H
#define RAILSIM_MODELS_BOUND_H

#include <stdint.h>

enum bound {
    BOUND_COMPUTE,    /* the accelerator */
    BOUND_DECODE,     /* decoding of samples */
    BOUND_READAHEAD,  /* bytes that a client reads ahead of the application */
    BOUND_SLOTS,      /* requests in flight (RPCs per target, NFS slots) */
    BOUND_CREDITS,    /* LNet credits per peer */
    BOUND_WINDOW,     /* TCP receive window, RDMA outstanding bytes */
    BOUND_CONGESTION, /* TCP congestion window: slow start, loss */
    BOUND_CLIENT,     /* processing of received data in the client */
    BOUND_NIC,
    BOUND_SWITCH,
    BOUND_WAN,
    BOUND_SERVER,
    BOUND_DEVICE,   /* a local drive */
    BOUND_METADATA, /* serial round trips */
    BOUND_NVLINK,
    BOUND_STARTUP,
    BOUND_N
};

/* bound_name returns "compute", "read-ahead", "window", ... */
const char *bound_name(enum bound bound);

/* struct bound_ledger: picoseconds by bound; zero-initialise. */
struct bound_ledger {
    int64_t ps[BOUND_N];
};
static inline void bound_add(struct bound_ledger *ledger, enum bound bound, int64_t ps)
{
    ledger->ps[bound] += ps;
}
/* bound_add_fading adds to a ledger that shall forget: all halve when the sum passes keep_ps. */
void bound_add_fading(struct bound_ledger *ledger, enum bound bound, int64_t ps, int64_t keep_ps);
/* bound_largest returns the bound with most time (the first of equals), fallback if all are 0. */
enum bound bound_largest(const struct bound_ledger *ledger, enum bound fallback);

#endif
