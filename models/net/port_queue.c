/* port_queue.c - the pool of chunks (port_queue.h); they are never given back to the arena. */
#include "models/net/port_queue.h"

#define CHUNKS 32 /* are made at a time */

static struct port_chunk *chunk_before(const struct port_entry *behind)
{
    return (struct port_chunk *)(((uintptr_t)behind - 1) & ~(sizeof(struct port_chunk) - 1));
}

static struct port_chunk *chunk_new(struct port_chunks *chunks)
{
    if (!chunks->free) {
        const uintptr_t low = sizeof(struct port_chunk) - 1;
        uintptr_t block =
            (uintptr_t)arena_lines(chunks->arena, CHUNKS * sizeof(struct port_chunk) + low);
        struct port_chunk *chunk = (struct port_chunk *)((block + low) & ~low);
        for (int i = 0; i < CHUNKS; i++)
            chunk[i].next = i + 1 < CHUNKS ? &chunk[i + 1] : NULL;
        chunks->free = chunk;
    }
    struct port_chunk *chunk = chunks->free;
    chunks->free = chunk->next;
    return chunk;
}

struct port_entry *port_queue_extend(struct port_chunks *chunks, struct port_queue *queue)
{
    struct port_chunk *chunk = chunk_new(chunks);
    if (queue->behind) {
        chunk_before(queue->behind)->next = chunk;
    } else {
        queue->first = chunk->entry;
    }
    return chunk->entry;
}

void port_queue_leave(struct port_chunks *chunks, struct port_queue *queue)
{
    struct port_chunk *chunk = chunk_before(queue->first);
    if (!port_queue_waits(queue)) {
        queue->first = queue->behind = chunk->entry;
        return;
    }
    queue->first = chunk->next->entry;
    chunk->next = chunks->free;
    chunks->free = chunk;
}

const struct port_entry *port_queue_next(const struct port_queue *queue,
                                         const struct port_entry *entry)
{
    entry++;
    return port_chunk_ends(entry) && entry != queue->behind ? chunk_before(entry)->next->entry
                                                            : entry;
}
