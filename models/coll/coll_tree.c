/* coll_tree.c - all-reduce over double binary trees: up adding, down copying, in a pipeline.
 *
 * The one idea: one GPU of each NVLink domain, the head, is a node of a binary tree over domains;
 * the others hang on it in a chain. A piece climbs from every rank to the root, each adding its
 * own, and comes back down. Channels of the second half use the second tree, in which the inner
 * nodes of the first are leaves, and the same heads: so that each NIC has a bit of both to carry.
 *
 * Blocks of a channel: 2 c climbs, 2 c + 1 descends; a step per child (or one), the last one of a
 * piece sends up, the first one receives from above.
 * Source: Sanders, Speck, Traeff 2009 (two trees); NCCL, src/device/all_reduce.h (runTreeSplit).
 * NOT modelled: balanced trees that enter a node at one GPU and leave it at another.
 */
#include "models/coll/hops.h"

#define CHILDREN_MAX 3

struct tree {
    int64_t pieces; /* of each channel */
    int32_t domains, half;
};

/* struct kin: neighbours of a rank in a channel's tree; up -1 = root. */
struct kin {
    int32_t up, down[CHILDREN_MAX], n;
};

static void tree_suit(struct coll_ask *ask)
{
    int64_t share = coll_most(ask->bytes, ask->channels), chunk = ask->chunk_bytes;
    int64_t depth = ask->local - 1 + hops_tree_depth(ask->ranks / ask->local);
    while (chunk > 131072 && share < depth * 8 * chunk)
        chunk /= 2;
    while (chunk > 65536 && share < depth * 4 * chunk)
        chunk /= 2;
    while (chunk > 32768 && share < depth * chunk)
        chunk /= 2;
    ask->chunk_bytes = chunk;
}

static const char *tree_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct tree *tree = ARENA_NEW(arena, struct tree);
    int64_t share = coll_most(ask->bytes, ask->channels);
    tree->domains = ask->ranks / ask->local;
    tree->half = (ask->channels + 1) / 2;
    tree->pieces = coll_parts_n(share, ask->chunk_bytes) * ask->slices;
    plan->blocks = plan->lanes = 2 * ask->channels;
    plan->at_once = 2;
    plan->state = tree;
    return NULL;
}

static struct kin kin_of(const struct coll_plan *plan, int32_t rank, int32_t channel)
{
    const struct tree *tree = plan->state;
    int32_t local = plan->ask.local, domain = rank / local, first = domain * local;
    int32_t head = channel % tree->half % local;
    int32_t place = (rank - first + local - head) % local; /* in the chain */
    struct kin kin = {.up = -1};
    if (place + 1 < local) kin.down[kin.n++] = first + (head + place + 1) % local;
    if (place > 0) {
        kin.up = first + (head + place - 1) % local;
        return kin;
    }
    struct hops_tree hops = hops_tree(tree->domains, domain, channel >= tree->half);
    if (hops.up >= 0) kin.up = hops.up * local + head;
    for (int c = 0; c < 2; c++)
        if (hops.down[c] >= 0) kin.down[kin.n++] = hops.down[c] * local + head;
    return kin;
}

static bool tree_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                      struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    const struct tree *tree = plan->state;
    int32_t channel = block / 2;
    bool climbs = block % 2 == 0;
    const struct kin kin = kin_of(plan, rank, channel);
    int32_t each = kin.n > 0 ? kin.n : 1, child = (int32_t)(index % each);
    int64_t piece = index / each;
    if (ask->ranks == 1 || piece >= tree->pieces) return false;
    struct coll_range range = coll_part((struct coll_range){0, ask->bytes}, ask->channels, channel);
    range = coll_part(range, (int32_t)tree->pieces, (int32_t)piece);
    *step = COLL_STEP_NONE;
    if (climbs) {
        if (kin.n > 0) step->recv_from = kin.down[child];
        if (child == each - 1) step->send_to = kin.up;
        step->reduce = true;
    } else {
        if (child == 0) step->recv_from = kin.up;
        if (child == 0 && kin.up < 0) { /* the root turns round */
            step->after_block = block - 1;
            step->after_step = index + each - 1;
        }
        if (kin.n > 0) step->send_to = kin.down[child];
    }
    step->recv_lane = step->send_lane = block;
    step->recv_at = step->send_at = range.at;
    step->recv_bytes = step->send_bytes = range.bytes;
    return true;
}

const struct coll_ops coll_tree = {
    .help = "double binary trees over NVLink domains, chains inside: few hops",
    .can = COLL_BIT(COLL_ALL_REDUCE),
    .plan = tree_plan,
    .step = tree_step,
    .suit = tree_suit,
};
