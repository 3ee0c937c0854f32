/* port.h - an egress port and the link behind it: queues, transmission, packets in flight.
 *
 * The one idea: when a packet starts and arrives is settled by what is queued already, so nothing
 * has to happen at the moment of its start. Transmissions are committed lazily, whenever somebody
 * looks at the port (a packet comes, the next one arrives, a pause takes effect), in the order and
 * at the times at which they really began. So a packet costs one event per hop: its arrival.
 * Every enqueue commits first, therefore a commit sees exactly the packets that were queued at its
 * own time, and ECN marks what it would have marked.
 *
 * Only where somebody must act at the very moment of a start (a neighbour waits for room, a
 * message's owner wants to know that it was sent) the port is eager: a second timer commits on
 * time.
 */
#ifndef RAILSIM_MODELS_NET_PORT_H
#define RAILSIM_MODELS_NET_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/net/packet.h"
#include "models/net/port_queue.h"
#include "sim/engine/rng.h"
#include "sim/engine/sim.h"

#define PORT_PAUSE_WIRE_BYTES 84 /* 64 B frame, preamble, inter-packet gap */
#define PORT_CREDIT_WIRE_BYTES 8 /* flow control packet of InfiniBand */

struct port;

#define PORT_AHEAD_PS (INT64_C(1) << 40)
#define PORT_WHAT_BITS 24

/* struct port_ring: what happens when: size slots, 0 or a power of two. A slot has 40 bits of the
 * time, which is less than PORT_AHEAD_PS away, and 24 of what (a packet that arrives: its number).
 */
struct port_ring {
    uint64_t *slot;
    uint32_t head; /* runs on; its low bits count */
    uint32_t n, size;
};
static inline uint64_t *port_ring_at(const struct port_ring *ring, uint32_t i)
{
    return &ring->slot[(ring->head + i) & (ring->size - 1)];
}
/* port_what is what happens with the i-th slot, port_when_ps when: now_ps or later. */
static inline uint32_t port_what(const struct port_ring *ring, uint32_t i)
{
    return (uint32_t)*port_ring_at(ring, i) & ((1u << PORT_WHAT_BITS) - 1);
}
static inline int64_t port_when_ps(const struct port_ring *ring, uint32_t i, int64_t now_ps)
{
    uint64_t low = *port_ring_at(ring, i) >> PORT_WHAT_BITS;
    return now_ps + (int64_t)((low - (uint64_t)now_ps) & (PORT_AHEAD_PS - 1));
}

/* port_slot is a slot to be; port_ring_pop removes the first. */
static inline uint64_t port_slot(int64_t at_ps, uint32_t what)
{
    return (uint64_t)at_ps << PORT_WHAT_BITS | what;
}
static inline void port_ring_pop(struct port_ring *ring)
{
    ring->head = --ring->n ? ring->head + 1 : 0; /* a short one stays in one cache line */
}

/* struct port_net: what all ports of a network share, and what is done with their packets. */
struct port_net {
    struct sim *sim;
    struct packet_pool packets;
    struct port_chunks chunks; /* of the queues of all ports */
    /* leave: a data packet starts at at_ps from a switch's port (queue_bytes no longer counts it).
     */
    void (*leave)(struct port *port, const struct port_entry *entry, int64_t at_ps);
    /* deliver: packet arrives at the node behind this link. */
    void (*deliver_switch)(struct port *port, struct packet *packet);
    void (*deliver_nic)(struct port *port, struct packet *packet);
    /* A NIC makes data packets when their time comes: next returns the earliest start of one, >=
     * at_ps, or INT64_MAX; make makes it. */
    int64_t (*next)(struct port *port, int64_t at_ps);
    struct packet *(*make)(struct port *port, int64_t at_ps);
    sim_foresee_fn *foresee; /* of arrivals: self is the port, hint the packet; may be NULL */
    int64_t watchdog_ps;     /* a pause that lasts longer is a storm; 0 = none is */
    int64_t storms;          /* so far */
    uint32_t salt;           /* of this run: mixed into the hashes of flows */
    int64_t frame_bytes;     /* of the largest packet, all that it takes on the wire */
    int classes;             /* of data */
    int64_t weight[PACKET_CLASSES_MAX]; /* bytes per turn (DWRR); 0 = strict, before the others */
};

/* struct port_share: several data classes: their queues, and whose turn it is. */
struct port_share {
    struct port_queue queue[PACKET_CLASSES_MAX]; /* [0] stays empty: port.queue[1] */
    int64_t queue_bytes[PACKET_CLASSES_MAX];
    int64_t deficit_bytes[PACKET_CLASSES_MAX];
    int turn;
};

/* struct port_credit: link-level credits (InfiniBand): bytes that the other end has room for. */
struct port_credit {
    int64_t left_bytes[PACKET_CLASSES_MAX];
    int64_t frame_bytes; /* what a NIC's next packet may need */
};

#define PORT_FLIGHT_ROOM 16 /* slots that come from memory together with the port */
#define PORT_CHANGES_ROOM 4 /* slots of the ring of changes at first */

struct port {
    /* an arrival touches the first two of these four cache lines and one of the others */
    _Alignas(64) struct timer timer; /* arrival of the next packet */
    struct port_net *net;
    struct port_ring flight; /* packets on the link, in the order of their arrival */
    /* Nothing can start before: the end of the last committed transmission, or later if what waits
     * came, or was let go, when the link had nothing to do. INT64_MAX: the link is down. */
    int64_t busy_ps;
    int64_t delay_ps;
    uint16_t byte_ps;   /* of one byte, if that is a whole number of ps; else 0 */
    uint16_t peer_slot; /* the port of the same cable at peer */
    uint16_t cut_bytes; /* the node at the other end begins to act after so many; 0 = all */
    uint8_t paused;     /* data classes, a bit each */
    /* special: share or credit is set; source: of a NIC; to_nic: peer is one */
    bool eager : 1, down : 1, special : 1, source : 1, to_nic : 1, faulty : 1, storm : 1;
    int64_t queue_bytes; /* of data */
    void *peer;          /* switch or NIC at the other end */
    uint64_t flight_room[PORT_FLIGHT_ROOM];
    /* and a departure all but the first, and this one */
    struct port_queue queue[2]; /* control and the first data class */
    int64_t tx_bytes, data_packets;
    int64_t control_packets;
    void *node; /* switch or NIC at this end */
    /* the rest is rare */
    struct port_share *share;   /* several data classes; NULL: one */
    struct port_credit *credit; /* NULL: none are needed */
    int64_t data_acks;          /* acknowledgements among data_packets: came to a data queue */
    int64_t mark_bytes[2];      /* ECN: Kmin and Kmax of this port */
    int64_t queue_max_bytes, marks, drops, drop_bytes, pause_frames, pauses, paused_ps,
        paused_since;
    int64_t rate_bps;
    struct timer start;       /* eager: the next start */
    struct timer change;      /* a pause that takes effect */
    struct port_ring changes; /* when; what: class << 1 | pause */
    struct timer watchdog;    /* a pause that lasts too long */
    struct port *reverse;     /* the other direction of the cable */
    int64_t peer_latency_ps;  /* of delay_ps: what packets wait in the switch at the other end */
    struct rng rng;           /* faulty: of the draws */
    double bit_errors;        /* faulty: probability that a bit is wrong */
    int32_t link;             /* number in the graph */
    uint32_t component;
    uint16_t slot; /* at node */
};
_Static_assert(offsetof(struct port, flight) == 64 && offsetof(struct port, flight_room) == 128 &&
                   offsetof(struct port, queue) == 256 && offsetof(struct port, share) == 320,
               "what belongs together shares cache lines");

/* port_init: node, peer, net, link, slots, rate, delay, reverse are set before. */
void port_init(struct port *port);
/* port_advance commits every transmission that starts at now_ps or before. */
void port_commit(struct port *port, int64_t now_ps);
static inline void port_advance(struct port *port, int64_t now_ps)
{
    if (port->busy_ps <= now_ps) port_commit(port, now_ps);
}
/* port_enqueue queues packet now in queue PACKET_CONTROL or PACKET_QUEUE(packet), and keeps the
 * timers right; account is handed to leave. */
void port_enqueue(struct port *port, struct packet *packet, int queue, uint16_t account);
/* port_enqueue_control is port_enqueue for PACKET_CONTROL. */
void port_enqueue_control(struct port *port, struct packet *packet);
/* port_rearm: what the next packet is, or when, may have changed (after port_advance). */
void port_rearm(struct port *port);
/* port_pause stops (or lets go) a data class from now on. A pause of port_net.watchdog_ps makes a
 * storm: what waits is lost, and what comes (port.storm), until all classes are let go. */
void port_pause(struct port *port, int class_, bool pause);
/* port_send_pause sends a pause frame of bytes on the wire now, before all that waits; it takes
 * effect at the other end after_ps behind the arrival of its last bit. */
void port_send_pause(struct port *port, int class_, bool pause, int64_t after_ps);
/* port_eager makes the port commit on time, or lazily again. */
void port_eager(struct port *port, bool eager);
/* port_give adds credit. */
void port_give(struct port *port, int class_, int64_t bytes);
/* port_set_rate changes the rate of what starts from now on. */
void port_set_rate(struct port *port, int64_t rate_bps);
/* port_set_down: what waits or is in flight is lost, and nothing starts until the port is up. */
void port_set_down(struct port *port, bool down);
/* port_set_errors: each bit is wrong with this probability; seed names the draws. */
void port_set_errors(struct port *port, double bit_errors, uint64_t seed);
/* port_flush loses what waits in a data class. */
void port_flush(struct port *port, int class_);
/* port_drop counts a packet as lost here and gives it back. */
void port_drop(struct port *port, struct packet *packet);

/* port_may_send tells whether a NIC may start a data packet of a class now. */
static inline bool port_may_send(const struct port *port, int class_)
{
    return !(port->paused >> class_ & 1) &&
           (!port->credit || port->credit->left_bytes[class_] >= port->credit->frame_bytes);
}
/* port_class_bytes returns what waits of a data class. */
static inline int64_t port_class_bytes(const struct port *port, int class_)
{
    return port->share ? port->share->queue_bytes[class_] : port->queue_bytes;
}

/* port_serialise_ps returns ceil(bytes / rate). */
int64_t port_serialise_slow_ps(const struct port *port, int64_t bytes);
static inline int64_t port_serialise_ps(const struct port *port, int64_t bytes)
{
    return port->byte_ps ? bytes * port->byte_ps : port_serialise_slow_ps(port, bytes);
}

#endif
