/* port.h - an egress port and the link behind it: queues, transmission, packets in flight.
 *
 * The one idea: when a packet starts and arrives is settled by what is queued already, so nothing
 * has to happen at the moment of its start. Transmissions are committed lazily, whenever somebody
 * looks at the port (a packet comes, the next one arrives, a pause takes effect), in the order and
 * at the times at which they really began. So a packet costs one event per hop: its arrival.
 * Every enqueue commits first, therefore a commit sees exactly the packets that were queued at its
 * own time, and ECN marks what it would have marked.
 *
 * Only where somebody must act at the very moment of a start (a paused neighbour waits for room,
 * a message's owner wants to know that it was sent) the port is eager: a second timer commits on
 * time.
 */
#ifndef RAILSIM_MODELS_NET_PORT_H
#define RAILSIM_MODELS_NET_PORT_H

#include <stdbool.h>
#include <stddef.h>

#include "models/net/packet.h"
#include "sim/engine/sim.h"

struct port;

/* struct port_entry: in a queue, at_ps is when it came; in flight, when it arrives. */
struct port_entry {
    int64_t at_ps;
    struct packet *packet;
};

/* struct port_ring: a queue of 2^log entries at most; slot NULL at first. */
struct port_ring {
    struct port_entry *slot;
    uint32_t head; /* runs on; its low bits count */
    uint32_t n : 27, log : 5;
};
static inline struct port_entry *port_ring_at(const struct port_ring *ring, uint32_t i)
{
    return &ring->slot[(ring->head + i) & ((1u << ring->log) - 1)];
}

/* struct port_owner: what a switch or NIC does for its ports. */
struct port_owner {
    /* leave: packet starts at at_ps from class (queue_bytes no longer counts it). */
    void (*leave)(struct port *port, struct packet *packet, int64_t at_ps);
    /* deliver: packet arrives at the node behind this link, whose owner this is. */
    void (*deliver)(struct port *port, struct packet *packet);
    /* A NIC makes data packets when their time comes; NULL for switches. next returns the earliest
     * start of one, >= at_ps, or INT64_MAX; make makes it. */
    int64_t (*next)(struct port *port, int64_t at_ps);
    struct packet *(*make)(struct port *port, int64_t at_ps);
};

struct port {
    /* what an arrival touches: two cache lines */
    struct timer timer; /* arrival of the next packet */
    int64_t busy_ps;    /* end of the last committed transmission */
    int64_t delay_ps;
    struct port_ring flight;
    struct port_ring queue[CLASSES];
    void *peer;         /* switch or NIC at the other end */
    uint16_t peer_slot; /* the port of the same cable at peer */
    uint16_t byte_ps;   /* of one byte, if that is a whole number of ps; else 0 */
    bool paused, eager, down;
    /* and a departure */
    void *node; /* switch or NIC at this end */
    struct sim *sim;
    int64_t queue_bytes; /* of data */
    int64_t tx_bytes, data_packets, control_packets, queue_max_bytes;
    const struct port_owner *owner;
    /* the rest is rare */
    const struct port_owner *peer_owner;
    int64_t ready_ps; /* data may not start before: the end of the last pause */
    int64_t marks, drops, pauses, paused_ps, paused_since;
    int64_t rate_bps;
    struct timer start; /* eager: the next start */
    int32_t link;       /* number in the graph */
    uint32_t component;
    uint16_t slot; /* at node */
};
_Static_assert(sizeof(struct port) % 64 == 0 && offsetof(struct port, node) == 128,
               "an arrival touches two cache lines");

/* port_init: node, peer, owners, link, slots, rate, delay and sim are set before. */
void port_init(struct port *port);
/* port_advance commits every transmission that starts at now_ps or before. */
void port_advance(struct port *port, int64_t now_ps);
/* port_enqueue queues packet now and keeps the timers right. */
void port_enqueue(struct port *port, struct packet *packet, enum packet_class class_);
/* port_rearm: what the next packet is, or when, may have changed (after port_advance). */
void port_rearm(struct port *port);
/* port_pause stops (or lets go) data from now on. */
void port_pause(struct port *port, bool pause);
/* port_eager makes the port commit on time, or lazily again. */
void port_eager(struct port *port, bool eager);

/* port_serialise_ps returns ceil(bytes / rate). */
int64_t port_serialise_slow_ps(const struct port *port, int64_t bytes);
static inline int64_t port_serialise_ps(const struct port *port, int64_t bytes)
{
    return port->byte_ps ? bytes * port->byte_ps : port_serialise_slow_ps(port, bytes);
}

#endif
