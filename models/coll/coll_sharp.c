/* coll_sharp.c - all-reduce in the switches of the network, in the manner of SHARP.
 *
 * The one idea: a tree whose inner nodes are switches. One GPU of each NVLink domain, the head,
 * sends to the agent in the leaf switch of its NIC; agents of leaves send to the agent of the first
 * leaf; what comes back down is handed out by the agents. Inside a domain the others hang on the
 * head in a chain. So each NIC carries S up and S down instead of a ring's 2 S (n-1)/n each way.
 *
 * Channel c has its head at rank c mod local of each domain, and agent c * leaves + leaf. Blocks of
 * a rank: 2 c climbs, 2 c + 1 descends; of an agent the same with c = 0. A step per child, or one.
 * Source: Graham et al., "Scalable Hierarchical Aggregation Protocol" (COMHPC 2016); NCCL's
 * CollNetChain. NOT modelled: a tree over several tiers (leaves meet at one of them, by way of the
 * spine), limits of the switch's arithmetic and memory.
 */
#include "models/coll/coll.h"

struct sharp {
    int64_t pieces;                   /* of each channel */
    int32_t domains, members, leaves; /* domains at a leaf; leaves of a rail */
};

/* struct kin: neighbours in a channel's tree; up -1 = on top. Children: n, the i-th by child_of. */
struct kin {
    int32_t up, n;
    int32_t first, stride, near; /* first + i * stride for i < near; */
    int32_t far;                 /* then far, far + 1, ... */
};

static const char *sharp_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct sharp *sharp = ARENA_NEW(arena, struct sharp);
    sharp->domains = ask->ranks / ask->local;
    sharp->members = ask->leaf > 0 && ask->leaf < sharp->domains ? ask->leaf : sharp->domains;
    sharp->leaves = (sharp->domains + sharp->members - 1) / sharp->members;
    sharp->pieces = coll_parts_n(coll_most(ask->bytes, ask->channels), ask->chunk_bytes);
    if (sharp->domains < 2) return "it needs several NVLink domains";
    plan->agents = sharp->leaves * ask->channels;
    plan->blocks = plan->lanes = 2 * ask->channels;
    plan->agent_blocks = 2;
    plan->state = sharp;
    return NULL;
}

static struct coll_seat sharp_seat(const struct coll_plan *plan, int32_t agent)
{
    const struct sharp *sharp = plan->state;
    int32_t channel = agent / sharp->leaves, leaf = agent % sharp->leaves;
    int32_t head = channel % plan->ask.local;
    return (struct coll_seat){COLL_IN_LEAF, leaf * sharp->members * plan->ask.local + head};
}

static struct kin kin_of_agent(const struct coll_plan *plan, int32_t agent)
{
    const struct sharp *sharp = plan->state;
    int32_t channel = agent / sharp->leaves, leaf = agent % sharp->leaves, local = plan->ask.local;
    int32_t first = leaf * sharp->members, members = sharp->domains - first;
    if (members > sharp->members) members = sharp->members;
    struct kin kin = {.up = -1,
                      .n = members,
                      .first = first * local + channel % local,
                      .stride = local,
                      .near = members,
                      .far = plan->ask.ranks + agent + 1};
    if (leaf > 0)
        kin.up = plan->ask.ranks + channel * sharp->leaves;
    else
        kin.n += sharp->leaves - 1;
    return kin;
}

static struct kin kin_of_rank(const struct coll_plan *plan, int32_t rank, int32_t channel)
{
    const struct sharp *sharp = plan->state;
    int32_t local = plan->ask.local, domain = rank / local, first = domain * local;
    int32_t head = channel % local, place = (rank - first + local - head) % local;
    struct kin kin = {.near = 1};
    if (place + 1 < local) {
        kin.n = 1;
        kin.first = first + (head + place + 1) % local;
    }
    kin.up = place > 0 ? first + (head + place - 1) % local
                       : plan->ask.ranks + channel * sharp->leaves + domain / sharp->members;
    return kin;
}

static int32_t child_of(const struct kin *kin, int32_t i)
{
    return i < kin->near ? kin->first + i * kin->stride : kin->far + i - kin->near;
}

static bool sharp_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                       struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    const struct sharp *sharp = plan->state;
    int32_t agent = rank - ask->ranks, channel = agent < 0 ? block / 2 : agent / sharp->leaves;
    const struct kin kin = agent < 0 ? kin_of_rank(plan, rank, channel) : kin_of_agent(plan, agent);
    int32_t each = kin.n > 0 ? kin.n : 1, child = (int32_t)(index % each);
    int64_t piece = index / each;
    bool climbs = block % 2 == 0;
    if (piece >= sharp->pieces) return false;
    struct coll_range range = coll_part((struct coll_range){0, ask->bytes}, ask->channels, channel);
    range = coll_part(range, (int32_t)sharp->pieces, (int32_t)piece);
    *step = COLL_STEP_NONE;
    if (climbs) {
        if (kin.n > 0) step->recv_from = child_of(&kin, child);
        if (child == each - 1) step->send_to = kin.up;
        step->reduce = true;
    } else {
        if (child == 0) step->recv_from = kin.up;
        if (child == 0 && kin.up < 0) { /* the agent on top turns round */
            step->after_block = block - 1;
            step->after_step = index + each - 1;
        }
        if (kin.n > 0) step->send_to = child_of(&kin, child);
    }
    step->recv_lane = step->send_lane = 2 * channel + !climbs;
    step->recv_at = step->send_at = range.at;
    step->recv_bytes = step->send_bytes = range.bytes;
    return true;
}

const struct coll_ops coll_sharp = {
    .help = "reduction in the leaf switches of the network (SHARP); flow fabric only",
    .can = COLL_BIT(COLL_ALL_REDUCE),
    .plan = sharp_plan,
    .step = sharp_step,
    .seat = sharp_seat,
};
