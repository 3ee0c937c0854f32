/* coll_ring.c - rings: each rank receives from the one before it and sends to the one behind.
 *
 * The one idea: in step j of a round the rank at position p receives piece (p - j) mod n and, until
 * the piece has come far enough, sends it on. All-reduce goes round twice (first adding, then
 * copying), all-gather and reduce-scatter once; a broadcast is a pipeline from the root. Channel c
 * enters each NVLink domain at its rank c mod local, so that channels share the rails evenly.
 *
 * Source: NCCL, src/device/all_reduce.h (runRing) and its neighbours, for the order of steps.
 * NOT modelled: rings that turn round in every other node (NCCL_CROSS_NIC = 1).
 */
#include "models/coll/hops.h"

struct ring {
    int64_t rounds; /* of each channel */
    int32_t hops;   /* steps of a round, before slices */
};

/* A broadcast goes in chunks of one step of NCCL's buffers: an eighth of the one of Simple, of
 * which the chunk of an all-reduce is half (BROADCAST_CHUNKSTEPS 1, ALLREDUCE_CHUNKSTEPS 4); LL's
 * step has 64 KiB with flags, LL128's 614,400 bytes (src/enqueue.cc, calcCollChunking). */
static void ring_suit(struct coll_ask *ask)
{
    static const int64_t step_bytes[] = {[COLL_LL] = 32768, [COLL_LL128] = 576000};
    if (ask->op != COLL_BROADCAST) return;
    if (ask->protocol == COLL_SIMPLE)
        ask->chunk_bytes = coll_most(ask->chunk_bytes, 4);
    else if (ask->chunk_bytes > step_bytes[ask->protocol])
        ask->chunk_bytes = step_bytes[ask->protocol];
}

static const char *ring_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct ring *ring = ARENA_NEW(arena, struct ring);
    int64_t share = coll_most(ask->bytes, ask->channels); /* the longest share of a channel */
    if (ask->op == COLL_BROADCAST) {
        ring->rounds = coll_parts_n(share, ask->chunk_bytes);
        ring->hops = 1;
    } else {
        ring->rounds = coll_parts_n(coll_most(share, ask->ranks), ask->chunk_bytes);
        ring->hops = hops_ring_n(ask->op, ask->ranks);
    }
    if (ask->ranks == 1) ring->rounds = 0;
    plan->blocks = plan->lanes = ask->channels;
    plan->at_once = 1;
    plan->state = ring;
    return NULL;
}

/* Channel c's ring turns the order of ranks inside each domain by c. */
static int32_t rank_at(const struct coll_ask *ask, int32_t channel, int32_t position)
{
    int32_t inside = position % ask->local;
    return position - inside + (inside + channel) % ask->local;
}

static int32_t position_of(const struct coll_ask *ask, int32_t channel, int32_t rank)
{
    int32_t inside = rank % ask->local;
    return rank - inside + (inside + ask->local - channel % ask->local) % ask->local;
}

/* The bytes of a piece in one round of one channel. */
static struct coll_range piece_of(const struct coll_plan *plan, int32_t channel, int64_t round,
                                  int32_t piece)
{
    const struct coll_ask *ask = &plan->ask;
    const struct ring *ring = plan->state;
    struct coll_range range = {0, ask->bytes};
    if (ask->op == COLL_ALL_REDUCE) {
        range = coll_part(range, ask->channels, channel);
        range = coll_part(range, (int32_t)ring->rounds, (int32_t)round);
        return coll_part(range, ask->ranks, piece);
    }
    if (ask->op != COLL_BROADCAST)
        range = coll_part(range, ask->ranks, rank_at(ask, channel, piece));
    range = coll_part(range, ask->channels, channel);
    return coll_part(range, (int32_t)ring->rounds, (int32_t)round);
}

static struct hops_ring hop_of(const struct coll_ask *ask, int32_t channel, int32_t position,
                               int32_t j)
{
    int32_t n = ask->ranks;
    if (ask->op != COLL_BROADCAST) return hops_ring(ask->op, n, position, j);
    int32_t root = position_of(ask, channel, ask->root);
    return (struct hops_ring){.recv = position != root, .send = (position + 1) % n != root};
}

static bool ring_step(const struct coll_plan *plan, int32_t rank, int32_t channel, int64_t index,
                      struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    const struct ring *ring = plan->state;
    int32_t n = ask->ranks, slice = (int32_t)(index % ask->slices);
    int64_t whole = index / ask->slices, round = whole / ring->hops;
    if (round >= ring->rounds) return false;
    int32_t position = position_of(ask, channel, rank);
    struct hops_ring hop = hop_of(ask, channel, position, (int32_t)(whole % ring->hops));
    struct coll_range range =
        coll_part(piece_of(plan, channel, round, hop.piece), ask->slices, slice);
    *step = COLL_STEP_NONE;
    if (hop.recv) {
        step->recv_from = rank_at(ask, channel, position > 0 ? position - 1 : n - 1);
        step->recv_at = range.at;
        step->recv_bytes = range.bytes;
    }
    if (hop.send) {
        step->send_to = rank_at(ask, channel, position < n - 1 ? position + 1 : 0);
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    }
    step->recv_lane = step->send_lane = channel;
    step->reduce = hop.reduce;
    return true;
}

const struct coll_ops coll_ring = {
    .help = "rings: bandwidth-optimal, one round trip through all ranks",
    .can = COLL_BIT(COLL_ALL_REDUCE) | COLL_BIT(COLL_ALL_GATHER) | COLL_BIT(COLL_REDUCE_SCATTER) |
           COLL_BIT(COLL_BROADCAST),
    .plan = ring_plan,
    .step = ring_step,
    .suit = ring_suit,
};
