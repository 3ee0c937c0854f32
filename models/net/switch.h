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

/* struct switch_ingress: the account of the arrivals of one port and data class; a cache line. */
struct switch_ingress {
    int64_t bytes;
    int64_t calm_bytes; /* no packet that leaves no more than this in it needs a closer look */
    int64_t tell_bytes; /* the neighbour may have to be told if a packet leaves no more than this */
    int64_t max_bytes;
    int64_t headroom_bytes;
    int64_t limit_bytes; /* what it may hold while its neighbour is paused */
    int64_t owed_bytes;  /* credit: freed and not yet told */
    bool paused;
};
_Static_assert(sizeof(struct switch_ingress) == 64, "a cache line");

struct net_switch {
    /* what every packet needs */
    struct port_net *net;
    struct port *ports;             /* [port_n] egress, numbered by slot */
    struct switch_ingress *ingress; /* [port_n * classes] */
    int64_t bytes, max_bytes;       /* of data in the buffer */
    int64_t buffer_bytes;           /* as configured; alpha_shift and cell_bytes likewise */
    int64_t quiet_bytes; /* a queue that is no longer than this leaves no trace in packets */
    uint8_t alpha_shift;
    uint32_t cell_bytes;
    struct routes_from ways; /* from here */
    const struct route_ops *route;
    void *route_state;
    struct rng rng;
    struct route_view view; /* what is the same for all packets is set */
    /* the rest is rare */
    const struct net_cfg *cfg;
    uint64_t seed; /* of the marking draws */
    bool hops;     /* packets carry telemetry */
    uint16_t port_n, down_n;
    int32_t node;               /* in the graph */
    int64_t paused_n;           /* neighbours that are paused */
    int64_t headroom_max_bytes; /* most that came after a pause, of one account */
    int64_t latency_ps;
};

/* switch_init finishes a switch whose net, cfg, hops, node, port_n, ports (initialised) and routes
 * (switch_set_routes) are set. */
void switch_init(struct net_switch *sw);
/* switch_leave and switch_deliver are what ports do for switches (struct port_net). */
void switch_leave(struct port *port, const struct port_entry *entry, int64_t at_ps);
void switch_deliver(struct port *from, struct packet *packet);
/* switch_foresee prefetches what switch_deliver will touch. */
void switch_foresee(const struct port *from, const struct packet *packet);
/* switch_set_routes: from now on packets take these ways. */
void switch_set_routes(struct net_switch *sw, const struct routes *routes);
/* switch_port_down: a port went down or came back. */
void switch_port_down(struct net_switch *sw, int slot, bool down);

#endif
