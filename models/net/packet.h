/* packet.h - a packet on its way: 32 bytes, one pool per network, addressed by a number.
 *
 * A data packet becomes its own acknowledgement at the receiver (same memory, other type).
 */
#ifndef RAILSIM_MODELS_NET_PACKET_H
#define RAILSIM_MODELS_NET_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"

enum packet_type { PACKET_DATA, PACKET_ACK, PACKET_NACK, PACKET_CNP, PACKET_CREDIT };

/* Queues of a port. Control (acknowledgements, CNPs, credits) goes first, is never paused and not
 * counted against ingress buffers: it is little. Behind it the data classes; with
 * `acks: data` acknowledgements go there in switches. */
#define PACKET_CONTROL 0
#define PACKET_CLASSES_MAX 8
/* The queue of a data packet, 1 .. PACKET_CLASSES_MAX. */
#define PACKET_QUEUE(packet) (1 + ((packet)->flags >> PACKET_CLASS_SHIFT & 7))

#define PACKET_MARKED 1u /* ECN congestion experienced; in an ACK: its echo */
#define PACKET_LAST 2u   /* last of its message */
#define PACKET_CLASS_SHIFT 4

struct packet {
    int64_t sent_ps; /* when its data packet left the sender */
    uint32_t qp;     /* number of the queue pair */
    uint32_t seq;    /* of the packet in its queue pair; ACK: of the acknowledged one */
    int32_t dst;     /* graph node of the endpoint that it goes to */
    uint32_t ack;    /* ACK, NACK: all packets below this number have arrived; CREDIT: bytes */
    uint32_t self : 24, acked_n : 8; /* number in the pool; ACK: how many packets it answers */
    uint16_t wire_bytes;
    uint8_t type, flags;
};
_Static_assert(sizeof(struct packet) == 32, "a packet is half a cache line");

/* struct packet_pool: packets in chunks; packet_pool_init before. Queues hold a packet's number
 * rather than its address, so that there is room beside it for what a queue needs to know. */
#define PACKET_CHUNK_LOG 10
struct packet_pool {
    char **chunk;
    uint32_t free; /* the first of a chain through seq; 0 = none: number 0 is never given out */
    uint32_t n;    /* numbers in use so far */
    size_t stride;
    struct arena *arena;
    int64_t chunk_cap;
};

/* packet_pool_init: each packet is followed by extra_bytes of its user's, not cleared by get. */
void packet_pool_init(struct packet_pool *pool, struct arena *arena, size_t extra_bytes);
/* packet_pool_reserve makes n packets in advance, right after packet_pool_init. */
void packet_pool_reserve(struct packet_pool *pool, int64_t n);
static inline struct packet *packet_at(const struct packet_pool *pool, uint32_t number)
{
    return (struct packet *)(void *)(pool->chunk[number >> PACKET_CHUNK_LOG] +
                                     (number & ((1u << PACKET_CHUNK_LOG) - 1)) * pool->stride);
}
/* packet_get returns a packet that is all zero but for its number. */
struct packet *packet_get(struct packet_pool *pool);
static inline void packet_put(struct packet_pool *pool, struct packet *packet)
{
    packet->seq = pool->free;
    pool->free = packet->self;
}

#endif
