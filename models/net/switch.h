/* switch.h - an output-queued shared-buffer switch: routing, ingress accounts, PFC, ECN.
 *
 * Buffer use is counted at the ingress port by which a packet came and freed when it starts out.
 * Ports commit lazily (port.h), so the counts at hand are never below the truth; where a threshold
 * seems to be crossed, all ports are brought up to date and the question is asked again. Exact, and
 * cheap as long as nothing is near a threshold. While a neighbour is paused all ports are eager,
 * so that it is let go on time.
 */
#ifndef RAILSIM_MODELS_NET_SWITCH_H
#define RAILSIM_MODELS_NET_SWITCH_H

#include "models/net/net_cfg.h"
#include "models/net/port.h"
#include "models/route/route.h"
#include "models/topo/routes.h"

/* struct switch_ingress: the account of one port's arrivals. */
struct switch_ingress {
    int64_t bytes, headroom_bytes;
    int64_t limit_bytes; /* what it may hold while its neighbour is paused */
    bool paused;
    int64_t max_bytes;
};

/* struct switch_response: a pause frame that arrived and takes effect a response time later. */
struct switch_response {
    struct timer timer;
    struct port *port;
    bool pause;
};

struct net_switch {
    struct sim *sim;
    const struct net_cfg *cfg;
    const struct routes *routes;
    const struct route_ops *route;
    void *route_state;
    struct rng rng;
    struct pool *packets;
    bool hops;    /* packets carry telemetry */
    int32_t node; /* in the graph */
    uint16_t port_n;
    struct port *ports;             /* [port_n] egress, numbered by slot */
    struct switch_ingress *ingress; /* [port_n] */
    int64_t bytes;                  /* of data in the buffer */
    int64_t paused_n;               /* neighbours that are paused */
    uint64_t seed;                  /* of the marking draws */
    int64_t drops, drop_bytes, pause_frames, max_bytes;
    struct switch_response *response; /* [port_n] */
};

extern const struct port_owner switch_owner;

/* switch_init finishes a switch whose fields up to ports (initialised) are set. */
void switch_init(struct net_switch *sw);

#endif
