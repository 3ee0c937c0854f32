/* net.h - the packet-level fabric: switches, NICs and cables of a graph behind fabric.h. */
#ifndef RAILSIM_MODELS_NET_NET_H
#define RAILSIM_MODELS_NET_NET_H

#include "models/fabric.h"
#include "models/net/net_cfg.h"
#include "models/topo/topo.h"
#include "sim/base/record.h"

/* net_new builds the fabric over graph (which it keeps) in the simulation's arena. */
struct fabric *net_new(struct sim *sim, struct topo_graph *graph, const struct net_cfg *cfg);

/* struct net_totals: conservation: injected = delivered + dropped + in flight (wire bytes of data,
 * each transmission of a packet counted). */
struct net_totals {
    int64_t data_hops, ack_hops;
    int64_t injected_bytes, delivered_bytes, dropped_bytes, inflight_bytes;
    int64_t drops, pauses, marks, timeouts, retransmitted;
    int64_t ingress_max_bytes;  /* most that a class of an ingress port held */
    int64_t headroom_max_bytes; /* most of its headroom that one used */
};
struct net_totals net_totals(const struct fabric *fabric);

/* net_broken says which queue pair gave up (network.retries), which ended the run; NULL: none did.
 * Lives in arena. */
const char *net_broken(const struct fabric *fabric, struct arena *arena);

/* struct net_parts: what a fabric consists of, for those that look at all of it. */
struct port;
struct net_switch;
struct net_parts {
    const struct topo_graph *graph;
    struct port *const *port;     /* by link: at its sender */
    struct net_switch *const *sw; /* by node, NULL for endpoints */
    int classes;                  /* of data */
};
struct net_parts net_parts(const struct fabric *fabric);

/* net_record stores totals and per-link counters, and fills record->data_hops and ack_hops. */
void net_record(const struct fabric *fabric, struct record *record);

#endif
