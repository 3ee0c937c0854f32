/* route.h - the contract of routing rules: which of several equally short links a packet takes.
 *
 * Pure but for its random stream. A rule is one file route_NAME.c with `const struct schema
 * route_NAME_schema` (its keys; its name is the kind) and `const struct route_ops route_NAME`; the
 * Makefile finds it. The switch calls pick only where there is more than one candidate.
 */
#ifndef RAILSIM_MODELS_ROUTE_ROUTE_H
#define RAILSIM_MODELS_ROUTE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/engine/rng.h"
#include "sim/io/schema.h"

/* struct route_view: what a switch knows about a packet and its candidates. */
struct route_view {
    int64_t now_ps;
    uint32_t flow;       /* hash of the five-tuple: same for all packets of a queue pair */
    uint32_t sequence;   /* of the packet in its queue pair */
    int32_t node;        /* the switch */
    int32_t n;           /* candidates */
    const int32_t *link; /* [n] their link numbers */
    const int32_t *slot; /* [n] their egress ports, dense per switch, 0 .. ports-1 */
    /* queue_bytes of candidate i: asked for one by one, since most rules look at few */
    int64_t (*queue_bytes)(const struct route_view *view, int32_t i);
    bool (*up)(const struct route_view *view, int32_t i); /* NULL: all are; see route_is_up */
    void *self;                                           /* of the two functions above */
};
static inline bool route_is_up(const struct route_view *view, int32_t i)
{
    return !view->up || view->up(view, i);
}

/* struct route_switch: facts for init. */
struct route_switch {
    int32_t node, ports;
    int64_t port_bps;
};

struct route_ops {
    const char *help;
    bool per_packet; /* packets of one queue pair may overtake each other */
    bool per_flow;   /* a queue pair keeps its links for as long as they are up */
    /* state_bytes returns the size of the state of one switch. */
    size_t (*state_bytes)(const void *config, const struct route_switch *facts);
    void (*init)(void *state, const void *config, const struct route_switch *facts);
    /* pick returns the index (0 .. n-1) of the candidate to take; one that is up, if any is. */
    int32_t (*pick)(void *state, const void *config, const struct route_view *view,
                    struct rng *rng);
    /* foresee returns what pick would return now, most likely, and changes nothing: it decides what
     * is prefetched. NULL: there is no cheap way to know. */
    int32_t (*foresee)(const void *state, const void *config, const struct route_view *view,
                       const struct rng *rng);
};

/* route_hash mixes a flow's hash with a salt (the switch), for ECMP: every bit of both counts. */
uint32_t route_hash(uint32_t flow, uint32_t salt);
/* route_up returns candidate i if it is up, else one of those that are, picked by the random or
 * hashed number; i again if none is. */
int32_t route_up(const struct route_view *view, int32_t i, uint32_t number);

/* The registered rules and their keys, NULL-terminated, same order. */
extern const struct route_ops *const route_list[];
extern const struct schema *const route_kinds[];

#endif
