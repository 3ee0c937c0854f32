/* coll_pairwise.c - everyone with everyone: all-to-all and send-recv.
 *
 * The one idea: in round i a rank sends to the one i places further and receives from the one i
 * places before, so that in each round every rank has one peer each way. Channel c does rounds c+1,
 * c+1+channels, ...: as many rounds as there are channels are under way at a time. With PXN
 * (cluster.h) each message crosses the network on the rail of its target.
 *
 * Source: NCCL's p2p schedule in outline (src/enqueue.cc); its order of peers is another.
 */
#include "models/coll/coll.h"

#define AT_ONCE 4096 /* messages of all ranks that are always allowed */
#define AT_ONCE_BYTES (INT64_C(4) << 20)

/* All-to-all on many ranks: only as many peers at a time as it takes to hide the software time of
 * one behind the messages of others; NCCL has more, at a cost in the simulation that grows with
 * both. */
static void pairwise_suit(struct coll_ask *ask)
{
    int64_t each = ask->bytes / ask->ranks + 1, enough = 1 + AT_ONCE_BYTES / each;
    if (enough < AT_ONCE / ask->ranks) enough = AT_ONCE / ask->ranks;
    if (ask->op == COLL_ALL_TO_ALL && ask->channels > enough) ask->channels = (int32_t)enough;
}

static const char *pairwise_plan(struct coll_plan *plan, struct arena *arena)
{
    (void)arena;
    plan->lanes = plan->ask.channels;
    plan->blocks = plan->ask.op == COLL_SEND_RECV ? 2 * plan->lanes : plan->lanes;
    return NULL;
}

/* Sends and receives are blocks of their own: nobody waits for its own receive. */
static bool send_recv_step(const struct coll_ask *ask, int32_t rank, int32_t block, int64_t index,
                           struct coll_step *step)
{
    int32_t n = ask->ranks, channel = block / 2;
    int64_t longest = coll_most(ask->bytes, ask->channels);
    int64_t pieces = coll_parts_n(longest, ask->chunk_bytes);
    if (index >= pieces * ask->slices || n == 1) return false;
    struct coll_range range = coll_part((struct coll_range){0, ask->bytes}, ask->channels, channel);
    range = coll_part(range, (int32_t)pieces, (int32_t)(index / ask->slices));
    range = coll_part(range, ask->slices, (int32_t)(index % ask->slices));
    *step = COLL_STEP_NONE;
    if (block % 2 == 0) {
        step->send_to = (rank + 1) % n;
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    } else {
        step->recv_from = (rank + n - 1) % n;
        step->recv_at = ask->bytes + range.at;
        step->recv_bytes = range.bytes;
    }
    step->send_lane = step->recv_lane = channel;
    return true;
}

/* Two steps per message: send, then receive what comes meanwhile. */
static bool all_to_all_step(const struct coll_ask *ask, int32_t rank, int32_t channel,
                            int64_t index, struct coll_step *step)
{
    int32_t n = ask->ranks;
    int64_t each = ask->bytes / n, pieces = coll_parts_n(each, ask->chunk_bytes);
    int64_t turn = index / 2 / pieces, piece = index / 2 % pieces;
    int64_t away = turn * ask->channels + channel + 1;
    if (away >= n) return false;
    int32_t to = (int32_t)((rank + away) % n), from = (int32_t)((rank + n - away) % n);
    *step = COLL_STEP_NONE;
    struct coll_range range = {each * (index % 2 == 0 ? to : from), each};
    range = coll_part(range, (int32_t)pieces, (int32_t)piece);
    if (index % 2 == 0) {
        step->send_to = to;
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    } else {
        step->recv_from = from;
        step->recv_at = ask->bytes + range.at;
        step->recv_bytes = range.bytes;
    }
    step->send_lane = step->recv_lane = channel;
    return true;
}

static bool pairwise_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                          struct coll_step *step)
{
    if (plan->ask.op == COLL_SEND_RECV) return send_recv_step(&plan->ask, rank, block, index, step);
    return all_to_all_step(&plan->ask, rank, block, index, step);
}

const struct coll_ops coll_pairwise = {
    .help = "every rank with every other in turn; channels = peers at a time",
    .can = COLL_BIT(COLL_ALL_TO_ALL) | COLL_BIT(COLL_SEND_RECV),
    .plan = pairwise_plan,
    .step = pairwise_step,
    .suit = pairwise_suit,
};
