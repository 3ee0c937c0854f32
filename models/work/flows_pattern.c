/* flows_pattern.c - synthetic traffic: permutation, incast, all-to-all, ring all-reduce.
 *
 * A pattern numbers its endpoints as ranks (flows_live_rank) and sends flows; what follows on an
 * arrival is made then. NOT modelled: computation between messages, jitter of the start.
 */
#include <stdlib.h>

#include "models/work/flows_live.h"

/* ---- permutation -----------------------------------------------------------------------------*/

struct member {
    int32_t edge, place, endpoint;
};

static int by_edge(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->edge != y->edge) return x->edge < y->edge ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Ranks in random order, those of an edge switch together. Returns the size of the largest group;
 * where flows may go anywhere every rank is a group of its own. */
static int64_t shuffle(struct flows *flows, struct member *member, int64_t n)
{
    bool grouped = flows->cfg->between == FLOWS_LEAVES && flows->hosts.edge_of;
    for (int64_t i = 0; i < n; i++) {
        int64_t j = (int64_t)rng_below(&flows->rng, (uint64_t)i + 1);
        member[i] = member[j];
        member[j].endpoint = flows_live_rank(flows, i);
    }
    for (int64_t i = 0; i < n; i++) {
        member[i].place = (int32_t)i;
        member[i].edge = grouped ? flows->hosts.edge_of[member[i].endpoint] : (int32_t)i;
    }
    qsort(member, (size_t)n, sizeof *member, by_edge);
    int64_t largest = 1, size = 1;
    for (int64_t i = 1; i < n; i++) {
        size = member[i].edge == member[i - 1].edge ? size + 1 : 1;
        if (size > largest) largest = size;
    }
    return largest;
}

/* Turning the grouped order by the size of the largest group leaves nobody in its own group; random
 * exchanges that keep this so make it a random one of all such permutations. */
static void permute(struct flows *flows)
{
    int64_t n = flows_live_ranks(flows->cfg, flows->hosts.n);
    struct arena *arena = sim_arena(flows->sim);
    struct member *member = ARENA_ARRAY(arena, struct member, n);
    int32_t *dst = ARENA_ARRAY(arena, int32_t, n);
    int64_t turn = shuffle(flows, member, n);
    for (int64_t i = 0; i < n; i++)
        dst[i] = member[(i + turn) % n].endpoint;
    for (int64_t tries = 0; tries < 20 * n; tries++) {
        int64_t i = (int64_t)rng_below(&flows->rng, (uint64_t)n);
        int64_t j = (int64_t)rng_below(&flows->rng, (uint64_t)n);
        if (!flows_live_apart(flows->cfg, &flows->hosts, member[i].endpoint, dst[j]) ||
            !flows_live_apart(flows->cfg, &flows->hosts, member[j].endpoint, dst[i]))
            continue;
        int32_t other = dst[i];
        dst[i] = dst[j];
        dst[j] = other;
    }
    flows->total = n;
    for (int64_t i = 0; i < n; i++)
        flows_live_send(flows, &(struct flows_ask){.src = member[i].endpoint,
                                                   .dst = dst[i],
                                                   .stream = (uint32_t)i,
                                                   .bytes = flows->cfg->size_bytes});
}

const struct flows_pattern_ops flows_pattern_permutation = {.tick = permute};

/* ---- incast ----------------------------------------------------------------------------------*/

static void incast(struct flows *flows)
{
    const struct flows_cfg *cfg = flows->cfg;
    int64_t n = flows_live_ranks(cfg, flows->hosts.n), sender_n = 0;
    int32_t receiver = flows_live_rank(flows, cfg->receiver);
    int32_t *sender = ARENA_ARRAY(sim_arena(flows->sim), int32_t, n);
    for (int64_t r = 0; r < n; r++) {
        int32_t endpoint = flows_live_rank(flows, r);
        if (flows_live_apart(cfg, &flows->hosts, endpoint, receiver)) sender[sender_n++] = endpoint;
    }
    flows->total = cfg->senders > 0 ? cfg->senders : sender_n;
    for (int64_t s = 0; s < flows->total; s++) {
        if (cfg->choice == FLOWS_RANDOM) {
            int64_t other = s + (int64_t)rng_below(&flows->rng, (uint64_t)(sender_n - s));
            int32_t chosen = sender[other];
            sender[other] = sender[s];
            sender[s] = chosen;
        }
        flows_live_send(flows, &(struct flows_ask){.src = sender[s],
                                                   .dst = receiver,
                                                   .stream = (uint32_t)s,
                                                   .bytes = cfg->size_bytes});
    }
}

const struct flows_pattern_ops flows_pattern_incast = {.tick = incast};

/* ---- all-to-all ------------------------------------------------------------------------------*/

/* The state: how many flows each rank has sent; the next goes to the rank that many places further,
 * so that at no time all send to the same one. The tag is the sender's rank. */
static void send_next(struct flows *flows, int64_t rank)
{
    int64_t *sent_n = flows->state, n = flows_live_ranks(flows->cfg, flows->hosts.n);
    if (sent_n[rank] == n - 1) return;
    int64_t peer = (rank + ++sent_n[rank]) % n;
    flows_live_send(flows, &(struct flows_ask){.src = flows_live_rank(flows, rank),
                                               .dst = flows_live_rank(flows, peer),
                                               .stream = (uint32_t)(rank * n + peer),
                                               .bytes = flows->cfg->size_bytes,
                                               .tag = rank});
}

static void all_to_all(struct flows *flows)
{
    int64_t n = flows_live_ranks(flows->cfg, flows->hosts.n);
    int64_t at_once = flows->cfg->concurrent > 0 ? flows->cfg->concurrent : n - 1;
    flows->state = ARENA_ARRAY(sim_arena(flows->sim), int64_t, n);
    flows->total = n * (n - 1);
    for (int64_t i = 0; i < at_once && i < n - 1; i++)
        for (int64_t r = 0; r < n; r++)
            send_next(flows, r);
}

static void all_to_all_arrived(struct flows *flows, const struct flows_flow *flow)
{
    send_next(flows, flow->tag);
}

const struct flows_pattern_ops flows_pattern_all_to_all = {
    .tick = all_to_all,
    .arrived = all_to_all_arrived,
};

/* ---- ring all-reduce -------------------------------------------------------------------------*/

/* Chunk c begins at rank c mod n and makes 2(n-1) steps round the ring: n-1 that add it up, n-1
 * that hand the sum on. A rank sends 2(n-1)/n of all bytes. The tag is chunk * 2n + step; all
 * chunks between two ranks share a queue pair. */
static int64_t ring_chunks(const struct flows_cfg *cfg, int64_t n)
{
    if (cfg->chunk_bytes == 0) return n;
    return (cfg->size_bytes + cfg->chunk_bytes - 1) / cfg->chunk_bytes;
}

/* Without a size of chunks, n of them that differ by at most a byte; else the last one is short. */
static int64_t ring_chunk_bytes(const struct flows_cfg *cfg, int64_t n, int64_t chunk)
{
    if (cfg->chunk_bytes == 0) return cfg->size_bytes / n + (chunk < cfg->size_bytes % n);
    int64_t left = cfg->size_bytes - chunk * cfg->chunk_bytes;
    return left < cfg->chunk_bytes ? left : cfg->chunk_bytes;
}

static void ring_step(struct flows *flows, int64_t chunk, int64_t step)
{
    int64_t n = flows_live_ranks(flows->cfg, flows->hosts.n);
    int64_t rank = (chunk + step) % n;
    flows_live_send(flows, &(struct flows_ask){.src = flows_live_rank(flows, rank),
                                               .dst = flows_live_rank(flows, (rank + 1) % n),
                                               .stream = (uint32_t)rank,
                                               .bytes = ring_chunk_bytes(flows->cfg, n, chunk),
                                               .tag = chunk * 2 * n + step});
}

static void ring(struct flows *flows)
{
    int64_t n = flows_live_ranks(flows->cfg, flows->hosts.n);
    int64_t chunks = ring_chunks(flows->cfg, n);
    flows->total = chunks * 2 * (n - 1);
    for (int64_t c = 0; c < chunks; c++)
        ring_step(flows, c, 0);
}

static void ring_arrived(struct flows *flows, const struct flows_flow *flow)
{
    int64_t n = flows_live_ranks(flows->cfg, flows->hosts.n);
    int64_t chunk = flow->tag / (2 * n), step = flow->tag % (2 * n);
    if (step + 1 < 2 * (n - 1)) ring_step(flows, chunk, step + 1);
}

const struct flows_pattern_ops flows_pattern_ring = {.tick = ring, .arrived = ring_arrived};
