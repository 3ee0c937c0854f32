/* coll_pat.c - parallel aggregated trees: all-gather and reduce-scatter in log2(n) waves.
 *
 * The one idea: every rank's part spreads over a binomial tree of its own, all trees alike but
 * turned by a rank. At offset x from its origin a part goes on to x + 2^j for every 2^j below the
 * lowest bit of x, the farthest first: so the long ways are gone while there is little to send.
 * Wave j (far to near) moves the parts of all origins whose offset is an odd multiple of 2^j, and
 * begins when all before it have come. Reduce-scatter is the same backwards, adding. So the time of
 * what fits into a chunk is log2(n) alpha + (n-1)/n S/B.
 *
 * Source: NCCL 2.23, "PAT: a new algorithm for all-gather and reduce-scatter operations at scale"
 * (2025). NOT modelled: limits of the buffer that make NCCL split waves; parts of a wave are
 * messages of their own, one behind the other, where NCCL makes one message of them.
 */
#include "models/coll/hops.h"

struct pat {
    int64_t pieces;  /* of each part and channel */
    int32_t waves;   /* ceil(log2 n) */
    int64_t *before; /* [waves + 1] parts moved before the wave that is done as k-th */
};

/* Odd multiples of 2^j below n. */
static int32_t wave_n(int32_t n, int32_t j)
{
    return (int32_t)(((int64_t)n - 1 + (INT64_C(1) << j)) >> (j + 1));
}

/* All-gather begins with the farthest wave, reduce-scatter ends with it. */
static int32_t bit_of(const struct coll_plan *plan, int32_t k)
{
    const struct pat *pat = plan->state;
    return plan->ask.op == COLL_ALL_GATHER ? pat->waves - 1 - k : k;
}

static const char *pat_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct pat *pat = ARENA_NEW(arena, struct pat);
    plan->state = pat;
    pat->waves = hops_tree_depth(ask->ranks);
    pat->before = ARENA_ARRAY(arena, int64_t, pat->waves + 1);
    for (int32_t k = 0; k < pat->waves; k++)
        pat->before[k + 1] = pat->before[k] + wave_n(ask->ranks, bit_of(plan, k));
    pat->pieces =
        coll_parts_n(coll_most(coll_most(ask->bytes, ask->ranks), ask->channels), ask->chunk_bytes);
    plan->blocks = 2 * ask->channels;
    plan->lanes = ask->channels;
    return NULL;
}

/* The wave in whose turn a part is moved. */
static int32_t wave_at(const struct pat *pat, int64_t part)
{
    int32_t k = 0;
    while (part >= pat->before[k + 1])
        k++;
    return k;
}

static bool pat_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                     struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    const struct pat *pat = plan->state;
    int32_t n = ask->ranks, channel = block / 2;
    int64_t piece = index / (n - 1 > 0 ? n - 1 : 1), part = index % (n - 1 > 0 ? n - 1 : 1);
    if (n == 1 || piece >= pat->pieces) return false;
    int32_t k = wave_at(pat, part), bit = 1 << bit_of(plan, k);
    int32_t y = (int32_t)(2 * (part - pat->before[k]) + 1) * bit; /* the farther end's offset */
    bool sends = block % 2 == 0, gathers = ask->op == COLL_ALL_GATHER;
    int32_t mine = sends == gathers ? y - bit : y; /* my offset from the origin */
    struct coll_range range =
        coll_part((struct coll_range){0, ask->bytes}, n, (rank + n - mine) % n);
    range = coll_part(range, ask->channels, channel);
    range = coll_part(range, (int32_t)pat->pieces, (int32_t)piece);
    *step = COLL_STEP_NONE;
    if (sends) {
        step->send_to = gathers ? (rank + bit) % n : (rank + n - bit) % n;
        step->after_block = k == 0 ? -1 : block + 1;
        step->after_step = pat->before[k] - 1 + piece * (n - 1);
    } else {
        step->recv_from = gathers ? (rank + n - bit) % n : (rank + bit) % n;
    }
    step->recv_lane = step->send_lane = channel;
    step->recv_at = step->send_at = range.at;
    step->recv_bytes = step->send_bytes = range.bytes;
    step->reduce = !gathers;
    return true;
}

const struct coll_ops coll_pat = {
    .help = "parallel aggregated trees: log2(n) waves, the far ones first",
    .can = COLL_BIT(COLL_ALL_GATHER) | COLL_BIT(COLL_REDUCE_SCATTER),
    .plan = pat_plan,
    .step = pat_step,
};
