/* coll_halving.c - recursive halving and doubling (Rabenseifner): ring's bytes in 2 log2(n) hops.
 *
 * The one idea: in step k of the first half a rank keeps one half of what it still works on, sends
 * the other half to the rank whose number differs in the highest bit left, and adds what comes; the
 * second half of the algorithm goes back the same way, copying. Its halves alone are reduce-scatter
 * and all-gather.
 * Source: Thakur, Rabenseifner, Gropp 2005. Needs a power of two of ranks.
 */
#include "models/coll/hops.h"

static const char *halving_plan(struct coll_plan *plan, struct arena *arena)
{
    (void)arena;
    if (plan->ask.ranks & (plan->ask.ranks - 1)) return "it needs a power of two of ranks";
    if (plan->ask.op != COLL_ALL_REDUCE) plan->ask.channels = 1; /* parts stay in one piece */
    plan->blocks = plan->lanes = plan->ask.channels;
    return NULL;
}

/* Bytes of n ranks' parts from `first` on, in one channel. */
static struct coll_range parts_of(const struct coll_ask *ask, int32_t channel, int32_t first,
                                  int32_t n)
{
    struct coll_range all = coll_part((struct coll_range){0, ask->bytes}, ask->channels, channel);
    struct coll_range from = coll_part(all, ask->ranks, first);
    struct coll_range last = coll_part(all, ask->ranks, first + n - 1);
    return (struct coll_range){from.at, last.at + last.bytes - from.at};
}

static bool halving_step(const struct coll_plan *plan, int32_t rank, int32_t channel, int64_t index,
                         struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    int32_t depth = hops_tree_depth(ask->ranks), turn = (int32_t)(index / 2);
    int32_t down = ask->op == COLL_ALL_GATHER ? 0 : depth;
    int32_t up = ask->op == COLL_REDUCE_SCATTER ? 0 : depth;
    if (turn >= down + up) return false;
    bool reduce = turn < down;
    int32_t bit = reduce ? ask->ranks >> (turn + 1) : 1 << (turn - down);
    int32_t mine = rank & ~(bit - 1), theirs = mine ^ bit; /* first of `bit` parts */
    struct coll_range keep = parts_of(ask, channel, mine, bit);
    struct coll_range give = parts_of(ask, channel, theirs, bit);
    struct coll_range sends = reduce ? give : keep, takes = reduce ? keep : give;
    *step = COLL_STEP_NONE;
    if (index % 2 == 0)
        step->send_to = rank ^ bit;
    else
        step->recv_from = rank ^ bit;
    step->recv_lane = step->send_lane = channel;
    step->send_at = sends.at;
    step->send_bytes = sends.bytes;
    step->recv_at = takes.at;
    step->recv_bytes = takes.bytes;
    step->reduce = reduce;
    return true;
}

const struct coll_ops coll_halving = {
    .help = "recursive halving and doubling: as few bytes as a ring, 2 log2(n) hops",
    .can = COLL_BIT(COLL_ALL_REDUCE) | COLL_BIT(COLL_ALL_GATHER) | COLL_BIT(COLL_REDUCE_SCATTER),
    .plan = halving_plan,
    .step = halving_step,
};
