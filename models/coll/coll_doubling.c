/* coll_doubling.c - recursive doubling: all-reduce in log2(n) exchanges of everything.
 *
 * The one idea: in step k a rank exchanges its sum with the one whose number differs in bit k.
 * Source: Thakur, Rabenseifner, Gropp 2005. Needs a power of two of ranks.
 */
#include "models/coll/hops.h"

static const char *doubling_plan(struct coll_plan *plan, struct arena *arena)
{
    (void)arena;
    if (plan->ask.ranks & (plan->ask.ranks - 1)) return "it needs a power of two of ranks";
    plan->blocks = plan->lanes = plan->ask.channels;
    return NULL;
}

/* Per exchange and piece two steps, all sends before the first receive: what is sent is not yet
 * changed. */
static bool doubling_step(const struct coll_plan *plan, int32_t rank, int32_t channel,
                          int64_t index, struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    int64_t turn = index / 2;
    if (turn >= hops_tree_depth(ask->ranks)) return false;
    struct coll_range range = coll_part((struct coll_range){0, ask->bytes}, ask->channels, channel);
    int32_t peer = rank ^ 1 << turn;
    *step = COLL_STEP_NONE;
    if (index % 2 == 0)
        step->send_to = peer;
    else
        step->recv_from = peer;
    step->recv_lane = step->send_lane = channel;
    step->recv_at = step->send_at = range.at;
    step->recv_bytes = step->send_bytes = range.bytes;
    step->reduce = true;
    return true;
}

const struct coll_ops coll_doubling = {
    .help = "recursive doubling: log2(n) exchanges of everything, for small sizes",
    .can = COLL_BIT(COLL_ALL_REDUCE),
    .plan = doubling_plan,
    .step = doubling_step,
};
