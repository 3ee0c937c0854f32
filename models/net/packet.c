/* packet.c - the pool of packets (packet.h): chunks that are never given back. */
#include "models/net/packet.h"

#include "sim/base/check.h"

#define NUMBERS_MAX (1u << 24)

void packet_pool_init(struct packet_pool *pool, struct arena *arena, size_t extra_bytes)
{
    *pool =
        (struct packet_pool){.n = 1, .stride = sizeof(struct packet) + extra_bytes, .arena = arena};
}

static void add_chunk(struct packet_pool *pool)
{
    int64_t c = pool->n >> PACKET_CHUNK_LOG;
    CHECK(pool->n < NUMBERS_MAX, "more than %u packets at a time", NUMBERS_MAX);
    pool->chunk =
        arena_grow(pool->arena, pool->chunk, &pool->chunk_cap, c + 1, sizeof *pool->chunk);
    pool->chunk[c] = arena_lines(pool->arena, pool->stride << PACKET_CHUNK_LOG);
}

/* A packet whose number was not in use yet. */
static struct packet *packet_new(struct packet_pool *pool)
{
    if (pool->n == 1 || !(pool->n & ((1u << PACKET_CHUNK_LOG) - 1))) add_chunk(pool);
    struct packet *packet = packet_at(pool, pool->n);
    packet->self = pool->n++ & (NUMBERS_MAX - 1);
    return packet;
}

void packet_pool_reserve(struct packet_pool *pool, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        packet_put(pool, packet_new(pool));
}

struct packet *packet_get(struct packet_pool *pool)
{
    uint32_t number = pool->free;
    if (number) {
        struct packet *packet = packet_at(pool, number);
        pool->free = packet->seq;
        *packet = (struct packet){.self = number & (NUMBERS_MAX - 1)};
        return packet;
    }
    return packet_new(pool);
}
