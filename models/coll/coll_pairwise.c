/* coll_pairwise.c - everyone with everyone: all-to-all and send-recv.
 *
 * The one idea: in a round all ranks send so many domains and so many places inside further, and
 * receive from as far behind: so each rank has one peer each way, and each NIC (with PXN: that of
 * the target's rail, cluster.h) one message out and one in, whichever rounds are under way. Rounds
 * inside the domain go on beside those between domains: the ones take NVLink, the others NICs.
 *
 * Channel c does rounds c, c + channels, ..., a window of them at a time, piece by piece by turns.
 * Its blocks: 0 sends between domains, 1 receives; 2 and 3 inside. Sends do not wait for receives,
 * but are at most a window of messages ahead of them: as NCCL's kernel, which has up to 8 peers of
 * a channel in work.
 *
 * Source: NCCL 2.31, src/init.cc (ncclP2pSchedule: rounds, their order), src/include/channel.h
 * (ncclP2pChannelBaseForRound), NCCL_MAX_DEV_WORK_P2P_PER_BATCH = 8.
 * NOT modelled: NCCL's groups of 8 of a larger domain; its channels take 8 rounds in a row, and
 * wait for the slowest of them; its chunks of 128 KiB.
 */
#include "models/coll/hops.h"

enum { FAR_SEND, FAR_RECV, NEAR_SEND, NEAR_RECV, ROLES };

#define AT_ONCE 4096 /* messages of all ranks that are always allowed */
#define AT_ONCE_BYTES (INT64_C(4) << 20)
#define WINDOW 8       /* messages of a channel at a time, each way, inside and between domains */
#define WINDOW_RANK 16 /* ... of a rank, unless it has more channels */

/* struct pairwise: of an all-to-all. */
struct pairwise {
    int64_t each, pieces; /* bytes for each peer, and their messages */
    int64_t far, near;    /* rounds */
    int64_t window;       /* messages of a block under way */
    int32_t domains;
    const int32_t *away; /* [domains - 1] how many domains further, in the order of rounds */
};

/* All-to-all on many ranks: only as many channels as it takes to hide the software time of a
 * message (AT_ONCE_BYTES take a NIC of 400 Gb/s 84 us); NCCL has more, at a cost in the simulation
 * that grows with both. */
static void pairwise_suit(struct coll_ask *ask)
{
    int64_t each = ask->bytes / ask->ranks + 1, enough = 1 + AT_ONCE_BYTES / each;
    if (ask->op != COLL_ALL_TO_ALL) return;
    if (enough < AT_ONCE / ask->ranks) enough = AT_ONCE / ask->ranks;
    if (ask->channels > enough) ask->channels = (int32_t)enough;
}

/* For the same reason NCCL's window of a channel is here for few channels only. */
static int64_t window_of(const struct coll_ask *ask)
{
    int64_t window = coll_most(WINDOW_RANK, ask->channels);
    return window < WINDOW ? window : WINDOW;
}

/* Offsets 1 .. n-1: triangular numbers modulo a power of two, without those beyond n. Far and near
 * ones take turns, so that no part of the network has all of them at a time. */
static const int32_t *make_away(int32_t n, struct arena *arena)
{
    int32_t *away = ARENA_ARRAY(arena, int32_t, n), all = 1 << hops_tree_depth(n);
    int32_t offset = 0, made = 0;
    for (int32_t k = 1; k < all; k++) {
        offset = (offset + k) & (all - 1);
        if (offset < n) away[made++] = offset;
    }
    return away;
}

static const char *pairwise_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    plan->lanes = ask->channels;
    if (ask->op == COLL_SEND_RECV) {
        plan->blocks = 2 * ask->channels;
        return NULL;
    }
    struct pairwise *pairs = ARENA_NEW(arena, struct pairwise);
    pairs->domains = ask->ranks / ask->local;
    pairs->each = ask->bytes / ask->ranks;
    pairs->window = window_of(ask);
    pairs->pieces = coll_parts_n(pairs->each, ask->chunk_bytes);
    if (pairs->each > 0) {
        pairs->far = ask->ranks - ask->local;
        pairs->near = ask->local - 1;
    }
    pairs->away = make_away(pairs->domains, arena);
    plan->blocks = ROLES * ask->channels;
    plan->state = pairs;
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

/* struct turn: a message of a channel; round -1 = there is none. */
struct turn {
    int64_t round;
    int32_t piece;
};

/* As many rounds at a time as messages, piece by piece. */
static struct turn turn_of(const struct coll_plan *plan, int32_t channel, int64_t rounds,
                           int64_t index)
{
    const struct pairwise *pairs = plan->state;
    int64_t channels = plan->ask.channels, mine = (rounds - channel + channels - 1) / channels;
    int64_t first = index / (pairs->window * pairs->pieces) * pairs->window,
            together = mine - first;
    if (together <= 0) return (struct turn){.round = -1};
    if (together > pairs->window) together = pairs->window;
    int64_t turn = index - first * pairs->pieces, piece = turn / together;
    if (piece >= pairs->pieces) return (struct turn){.round = -1};
    return (struct turn){(first + turn % together) * channels + channel, (int32_t)piece};
}

/* The rank to which (back: from which) a rank sends in a round. */
static int32_t peer_of(const struct coll_plan *plan, int32_t rank, int64_t round, int32_t role)
{
    const struct pairwise *pairs = plan->state;
    int32_t local = plan->ask.local, domains = pairs->domains, further = 0, places;
    bool back = role == FAR_RECV || role == NEAR_RECV;
    if (role == FAR_SEND || role == FAR_RECV) {
        further = pairs->away[round / local];
        places = (int32_t)(round % local);
    } else {
        places = (int32_t)round + 1;
    }
    if (back) {
        further = domains - further;
        places = local - places;
    }
    return (rank / local + further) % domains * local + (rank % local + places) % local;
}

static bool all_to_all_step(const struct coll_plan *plan, int32_t rank, int32_t block,
                            int64_t index, struct coll_step *step)
{
    const struct pairwise *pairs = plan->state;
    int32_t role = block % ROLES, channel = block / ROLES;
    bool sends = role == FAR_SEND || role == NEAR_SEND, far = role == FAR_SEND || role == FAR_RECV;
    const struct turn turn = turn_of(plan, channel, far ? pairs->far : pairs->near, index);
    if (turn.round < 0) return false;
    int32_t peer = peer_of(plan, rank, turn.round, role);
    struct coll_range range = {pairs->each * peer, pairs->each};
    range = coll_part(range, (int32_t)pairs->pieces, turn.piece);
    *step = COLL_STEP_NONE;
    if (sends) {
        step->after_block = index < pairs->window ? -1 : block + 1;
        step->after_step = index - pairs->window;
        step->send_to = peer;
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    } else {
        step->recv_from = peer;
        step->recv_at = plan->ask.bytes + range.at;
        step->recv_bytes = range.bytes;
    }
    step->send_lane = step->recv_lane = channel;
    return true;
}

static bool pairwise_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                          struct coll_step *step)
{
    if (plan->ask.op == COLL_SEND_RECV) return send_recv_step(&plan->ask, rank, block, index, step);
    return all_to_all_step(plan, rank, block, index, step);
}

const struct coll_ops coll_pairwise = {
    .help = "every rank with every other, domain by domain; channels = rounds at a time",
    .can = COLL_BIT(COLL_ALL_TO_ALL) | COLL_BIT(COLL_SEND_RECV),
    .plan = pairwise_plan,
    .step = pairwise_step,
    .suit = pairwise_suit,
};
