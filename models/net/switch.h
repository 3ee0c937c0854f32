/* switch.h - an output-queued shared-buffer switch: routing, ingress accounts, PFC, ECN.
 *
 * Buffer use is counted at the ingress port (and data class) by which a packet came and freed when
 * it starts out. Ports commit lazily (port.h), so the counts at hand are never below the truth;
 * where a threshold seems to be crossed, all ports are brought up to date and the question is asked
 * again. Exact, and cheap as long as nothing is near a threshold. While a neighbour is paused, or
 * waits for credit, all ports are eager, so that it is let go on time.
 */
#ifndef RAILSIM_MODELS_NET_SWITCH_H
#define RAILSIM_MODELS_NET_SWITCH_H

#include "models/net/net_cfg.h"
#include "models/net/port.h"
#include "models/route/route.h"
#include "models/topo/routes.h"

/* struct switch_ingress: the account of the arrivals of one port and data class. */
struct switch_ingress {
    int64_t bytes, headroom_bytes;
    int64_t limit_bytes; /* what it may hold while its neighbour is paused */
    int64_t max_bytes;
    int64_t owed_bytes; /* credit: freed and not yet told */
    bool paused;
};

struct net_switch {
    struct port_net *net;
    const struct net_cfg *cfg;
    const struct routes *routes;
    const struct route_ops *route;
    void *route_state;
    struct port *ports;             /* [port_n] egress, numbered by slot */
    struct switch_ingress *ingress; /* [port_n * classes] */
    int64_t bytes;                  /* of data in the buffer */
    struct rng rng;
    uint64_t seed;      /* of the marking draws */
    bool hops;          /* packets carry telemetry */
    int64_t mark_bytes; /* the least Kmin of its ports */
    uint16_t port_n, down_n;
    int32_t node;     /* in the graph */
    int64_t paused_n; /* neighbours that are paused */
    int64_t latency_ps;
    int64_t max_bytes;
};

/* switch_init finishes a switch whose fields up to ports (initialised) are set. */
void switch_init(struct net_switch *sw);
/* switch_leave and switch_deliver are what ports do for switches (struct port_net). */
void switch_leave(struct port *port, const struct port_entry *entry, int64_t at_ps);
void switch_deliver(struct port *from, struct packet *packet);
/* switch_port_down: a port went down or came back. */
void switch_port_down(struct net_switch *sw, int slot, bool down);

#endif
