/* nvls.c - shards that the NVSwitch adds up and hands out again.
 *
 * The one idea: the NVSwitch is an agent. Rank q of a domain owns shard q of a round; the agent
 * takes shard q from every rank, adds, and gives the sum to q; q (after a tree over all domains, if
 * there are several) gives the result to the agent, which hands it to every rank. A port carries S
 * (1 + 1/n) each way instead of a ring's 2 S (n-1)/n.
 *
 * Blocks of a channel on a rank: push shards; climb (take the sum, add the children's, send up);
 * descend (from above to the children and to the agent); take results. On an agent: add; hand out.
 * Source: NCCL, src/device/all_reduce.h (NVLS, NVLS_TREE).
 * NOT modelled: that it is the owner that asks for operands (multimem.ld_reduce), which costs a
 * round trip (it is in the launch time); registered buffers.
 */
#include "models/coll/nvls.h"

#include "models/coll/hops.h"

enum { PUSH, CLIMB, DESCEND, TAKE, ROLES };
enum { ADD, HAND_OUT, AGENT_ROLES };
enum { LANE_PUSH, LANE_SUM, LANE_RESULT, LANE_TAKE, LANE_UP, LANE_DOWN, LANES };

struct nvls {
    int64_t rounds; /* of each channel */
    int32_t domains, half;
};

/* struct at: where and when. */
struct at {
    int32_t channel, domain, inside;
    int64_t round;
};

/* struct limit: chunks longer than bytes are for buffers of so many rounds and more. */
struct limit {
    int64_t rounds, bytes;
};

static const struct limit alone[] = {{64, 65536}, {8, 32768}, {2, 16384}, {0, 0}};
static const struct limit trees[] = {{32, 262144}, {16, 131072}, {4, 65536}, {1, 32768}, {0, 0}};

void nvls_suit(struct coll_ask *ask)
{
    int64_t chunk = ask->switch_chunk_bytes, at_once = (int64_t)ask->channels * ask->local;
    int32_t domains = ask->ranks / ask->local;
    if (chunk == 0) chunk = domains >= 4 ? 65536 : 131072;
    if (chunk > ask->chunk_bytes) chunk = ask->chunk_bytes;
    for (const struct limit *limit = domains > 1 ? trees : alone; limit->rounds > 0; limit++)
        if (chunk > limit->bytes && ask->bytes < limit->rounds * at_once * chunk)
            chunk = limit->bytes;
    ask->chunk_bytes = chunk;
}

const char *nvls_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct nvls *nvls = ARENA_NEW(arena, struct nvls);
    int32_t shards = ask->op == COLL_ALL_REDUCE ? ask->local : ask->ranks;
    if (ask->local < 2) return "it needs at least two GPUs in an NVLink domain";
    nvls->domains = ask->ranks / ask->local;
    nvls->half = (ask->channels + 1) / 2;
    nvls->rounds =
        coll_parts_n(coll_most(coll_most(ask->bytes, ask->channels), shards), ask->chunk_bytes);
    plan->agents = nvls->domains;
    plan->blocks = ROLES * ask->channels;
    plan->agent_blocks = AGENT_ROLES * ask->channels;
    plan->lanes = LANES * ask->channels;
    plan->at_once = 2;
    plan->state = nvls;
    return NULL;
}

struct coll_seat nvls_seat(const struct coll_plan *plan, int32_t agent)
{
    return (struct coll_seat){COLL_IN_NVSWITCH, agent * plan->ask.local};
}

static struct coll_range shard_of(const struct coll_plan *plan, const struct at *at, int32_t shard)
{
    const struct coll_ask *ask = &plan->ask;
    const struct nvls *nvls = plan->state;
    struct coll_range range = {0, ask->bytes};
    if (ask->op != COLL_ALL_REDUCE) range = coll_part(range, ask->ranks, shard);
    range = coll_part(range, ask->channels, at->channel);
    range = coll_part(range, (int32_t)nvls->rounds, (int32_t)at->round);
    return ask->op == COLL_ALL_REDUCE ? coll_part(range, ask->local, shard) : range;
}

static void put_range(struct coll_step *step, struct coll_range range)
{
    step->recv_at = step->send_at = range.at;
    step->recv_bytes = step->send_bytes = range.bytes;
}

static void receive(struct coll_step *step, const struct at *at, int32_t from, int32_t lane)
{
    step->recv_from = from;
    step->recv_lane = at->channel * LANES + lane;
}

static void send(struct coll_step *step, const struct at *at, int32_t to, int32_t lane)
{
    step->send_to = to;
    step->send_lane = at->channel * LANES + lane;
}

/* The owners of a shard in all domains are the nodes of a tree. */
static struct hops_tree kin_of(const struct coll_plan *plan, const struct at *at)
{
    const struct nvls *nvls = plan->state;
    return hops_tree(nvls->domains, at->domain, at->channel >= nvls->half);
}

static int32_t children(const struct hops_tree *kin)
{
    return (kin->down[0] >= 0) + (kin->down[1] >= 0);
}

static int32_t child_of(const struct coll_plan *plan, const struct at *at,
                        const struct hops_tree *kin, int32_t i)
{
    int32_t domain = kin->down[0] >= 0 ? kin->down[i] : kin->down[1];
    return domain * plan->ask.local + at->inside;
}

/* Step 0 takes the domain's sum, each further one a child's; the last one sends up. */
static void climb_step(const struct coll_plan *plan, const struct at *at, int32_t turn,
                       struct coll_step *step)
{
    const struct hops_tree kin = kin_of(plan, at);
    int32_t agent = plan->ask.ranks + at->domain;
    put_range(step, shard_of(plan, at, at->inside));
    step->reduce = turn > 0;
    if (turn == 0)
        receive(step, at, agent, LANE_SUM);
    else
        receive(step, at, child_of(plan, at, &kin, turn - 1), LANE_UP);
    if (turn == children(&kin) && kin.up >= 0)
        send(step, at, kin.up * plan->ask.local + at->inside, LANE_UP);
}

/* Step 0 receives from above, or waits for the climb at the root; each sends to a child, the last
 * one to the agent. */
static void descend_step(const struct coll_plan *plan, const struct at *at, int32_t turn,
                         struct coll_step *step)
{
    const struct hops_tree kin = kin_of(plan, at);
    int32_t agent = plan->ask.ranks + at->domain, n = children(&kin);
    put_range(step, shard_of(plan, at, at->inside));
    if (turn == 0 && kin.up >= 0) {
        receive(step, at, kin.up * plan->ask.local + at->inside, LANE_DOWN);
    } else if (turn == 0 && plan->ask.op == COLL_ALL_REDUCE) {
        step->after_block = at->channel * ROLES + CLIMB;
        step->after_step = at->round * (n + 1) + n;
    }
    if (turn < n)
        send(step, at, child_of(plan, at, &kin, turn), LANE_DOWN);
    else
        send(step, at, agent, LANE_RESULT);
}

static bool agent_step(const struct coll_plan *plan, int32_t domain, int32_t block, int64_t index,
                       struct coll_step *step)
{
    const struct nvls *nvls = plan->state;
    int32_t local = plan->ask.local, turn = (int32_t)(index % ((int64_t)local * local));
    const struct at at = {.channel = block / AGENT_ROLES,
                          .domain = domain,
                          .round = index / ((int64_t)local * local)};
    int32_t shard = turn / local, peer = turn % local, first = domain * local;
    bool adds = block % AGENT_ROLES == ADD;
    if (at.round >= nvls->rounds) return false;
    if (plan->ask.op == (adds ? COLL_ALL_GATHER : COLL_REDUCE_SCATTER)) return false;
    *step = COLL_STEP_NONE;
    put_range(step, shard_of(plan, &at, shard));
    if (adds) {
        receive(step, &at, first + peer, LANE_PUSH);
        step->reduce = true;
        if (peer == local - 1) send(step, &at, first + shard, LANE_SUM);
    } else {
        if (peer == 0) receive(step, &at, first + shard, LANE_RESULT);
        send(step, &at, first + peer, LANE_TAKE);
    }
    return true;
}

bool nvls_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
               struct coll_step *step)
{
    const struct coll_ask *ask = &plan->ask;
    const struct nvls *nvls = plan->state;
    if (rank >= ask->ranks) return agent_step(plan, rank - ask->ranks, block, index, step);
    struct at at = {
        .channel = block / ROLES, .domain = rank / ask->local, .inside = rank % ask->local};
    int32_t role = block % ROLES, agent = ask->ranks + at.domain, each = ask->local;
    if (ask->op == COLL_ALL_GATHER && (role == PUSH || role == CLIMB)) return false;
    if (ask->op == COLL_REDUCE_SCATTER && (role == DESCEND || role == TAKE)) return false;
    if (role == CLIMB || role == DESCEND) {
        const struct hops_tree kin = kin_of(plan, &at);
        each = 1 + children(&kin);
    }
    at.round = index / each;
    int32_t turn = (int32_t)(index % each);
    if (at.round >= nvls->rounds) return false;
    *step = COLL_STEP_NONE;
    if (role == CLIMB) {
        climb_step(plan, &at, turn, step);
    } else if (role == DESCEND) {
        descend_step(plan, &at, turn, step);
    } else {
        put_range(step, shard_of(plan, &at, turn));
        if (role == PUSH)
            send(step, &at, agent, LANE_PUSH);
        else
            receive(step, &at, agent, LANE_TAKE);
        /* Shards are copied all in one go: before the first leaves, after the last has come. */
        step->work_bytes = turn == (role == PUSH ? 0 : each - 1) ? each * step->send_bytes : -1;
    }
    return true;
}
