/* port_queue.h - the queues of ports: chains of small chunks that all ports share.
 *
 * The one idea: queues are not all long at the same time, so what one has outgrown serves another.
 * A queue that was ever used keeps one chunk.
 */
#ifndef RAILSIM_MODELS_NET_PORT_QUEUE_H
#define RAILSIM_MODELS_NET_PORT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"

/* struct port_entry: a packet in a queue; what a commit needs of it is beside it, the packet itself
 * may be long out of the cache. */
struct port_entry {
    uint32_t packet; /* its number */
    uint16_t wire_bytes;
    uint16_t account; /* of the switch's ingress accounts */
};

/* struct port_chunk: aligned to its size, so that the place behind the last entry tells that it is.
 */
#define PORT_CHUNK_ENTRIES 15
struct port_chunk {
    struct port_chunk *next; /* in the last one of a queue it means nothing */
    struct port_entry entry[PORT_CHUNK_ENTRIES];
};
_Static_assert(sizeof(struct port_chunk) == 128, "a power of two");
static inline bool port_chunk_ends(const struct port_entry *behind)
{
    return ((uintptr_t)behind & (sizeof(struct port_chunk) - 1)) == 0;
}

/* struct port_chunks: those not in use; arena is set before. */
struct port_chunks {
    struct port_chunk *free;
    struct arena *arena;
};

/* struct port_queue: all zero at first; empty if first == behind. */
struct port_queue {
    struct port_entry *first;  /* never behind a chunk */
    struct port_entry *behind; /* the place for one more, perhaps behind a chunk */
};
static inline bool port_queue_waits(const struct port_queue *queue)
{
    return queue->first != queue->behind;
}

/* For port_queue_push and port_queue_pop. extend: a chunk is needed; returns its first place.
 * leave: the first chunk is done with, queue->first is behind it. */
struct port_entry *port_queue_extend(struct port_chunks *chunks, struct port_queue *queue);
void port_queue_leave(struct port_chunks *chunks, struct port_queue *queue);

static inline void port_queue_push(struct port_chunks *chunks, struct port_queue *queue,
                                   struct port_entry entry)
{
    struct port_entry *place = queue->behind;
    if (__builtin_expect(port_chunk_ends(place), 0)) place = port_queue_extend(chunks, queue);
    *place = entry;
    queue->behind = place + 1;
}
/* port_queue_pop takes the first of a queue that is not empty. */
static inline struct port_entry port_queue_pop(struct port_chunks *chunks, struct port_queue *queue)
{
    struct port_entry entry = *queue->first++;
    if (__builtin_expect(port_chunk_ends(queue->first), 0)) port_queue_leave(chunks, queue);
    return entry;
}
/* port_queue_next returns the entry after one of queue; they go from queue->first to before
 * queue->behind. */
const struct port_entry *port_queue_next(const struct port_queue *queue,
                                         const struct port_entry *entry);

#endif
