/* coll_hierarchical.c - first inside the NVLink domain, then along the rails, then inside again.
 *
 * The one idea: rank l of each domain is answerable for part l of the data. An all-reduce is:
 * inside the domain everyone sends part l to rank l (a reduce-scatter in one hop); the ranks l of
 * all domains, which are on one rail, make a ring for it; then each spreads its part inside its
 * domain. Reduce-scatter and all-gather are its halves. Rounds follow one another in a pipeline:
 * three stages are at work at the same time.
 *
 * Blocks of a channel: 0 sends inside (scatter), 1 receives and adds; 2 is the rail's ring; 3 sends
 * inside (gather), 4 receives. An op has those that it needs; the others are empty.
 * Source: hierarchical all-reduce as in BlueConnect (Cho et al., MLSys'19), with direct exchange
 * inside the domain because an NVSwitch has no neighbours.
 */
#include "models/coll/hops.h"

enum { SCATTER_SEND, SCATTER_RECV, RAIL, GATHER_SEND, GATHER_RECV, ROLES };
enum { LANE_SCATTER, LANE_RAIL, LANE_GATHER, LANES };

struct hierarchy {
    int64_t rounds;  /* of each channel */
    int32_t domains; /* D: ranks of a rail's ring */
    int32_t batches; /* messages to each peer inside per round: all-reduce 1, else D */
    bool scatter, gather;
};

/* struct at: who and when. */
struct at {
    int32_t channel, domain, inside; /* rank = domain * local + inside */
    int64_t round;
};

/* Eight rounds or more, so that the three stages overlap, but no smaller pieces than 128 KiB. */
static void hierarchical_suit(struct coll_ask *ask)
{
    int64_t chunk = ask->chunk_bytes;
    int64_t piece = coll_most(coll_most(ask->bytes, ask->channels), ask->ranks);
    while (chunk > 131072 && piece < 8 * chunk)
        chunk /= 2;
    ask->chunk_bytes = chunk;
}

static const char *hierarchical_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct hierarchy *h = ARENA_NEW(arena, struct hierarchy);
    int64_t share = coll_most(ask->bytes, ask->channels);
    h->domains = ask->ranks / ask->local;
    h->rounds = coll_parts_n(coll_most(share, ask->ranks), ask->chunk_bytes);
    h->batches = ask->op == COLL_ALL_REDUCE ? 1 : h->domains;
    h->scatter = ask->local > 1 && ask->op != COLL_ALL_GATHER;
    h->gather = ask->local > 1 && ask->op != COLL_REDUCE_SCATTER;
    plan->blocks = ROLES * ask->channels;
    plan->lanes = LANES * ask->channels;
    plan->state = h;
    return NULL;
}

/* Part l of a round, and of that the piece of a domain (-1: all of it). */
static struct coll_range range_of(const struct coll_plan *plan, const struct at *at, int32_t part,
                                  int32_t piece)
{
    const struct coll_ask *ask = &plan->ask;
    const struct hierarchy *h = plan->state;
    struct coll_range range = {0, ask->bytes};
    if (ask->op != COLL_ALL_REDUCE) range = coll_part(range, ask->ranks, piece * ask->local + part);
    range = coll_part(range, ask->channels, at->channel);
    range = coll_part(range, (int32_t)h->rounds, (int32_t)at->round);
    if (ask->op != COLL_ALL_REDUCE) return range;
    range = coll_part(range, ask->local, part);
    return piece < 0 ? range : coll_part(range, h->domains, piece);
}

/* Steps of the rail's ring per round, with slices. */
static int64_t rail_steps(const struct coll_plan *plan)
{
    const struct hierarchy *h = plan->state;
    return (int64_t)hops_ring_n(plan->ask.op, h->domains) * plan->ask.slices;
}

/* Steps of a block that speaks to all others of the domain, per round. */
static int64_t inside_steps(const struct coll_plan *plan)
{
    const struct hierarchy *h = plan->state;
    return (int64_t)h->batches * (plan->ask.local - 1);
}

/* The domain whose piece batch b is about: in the order in which the ring takes or gives them. */
static int32_t piece_of(const struct coll_plan *plan, const struct at *at, int32_t batch)
{
    const struct hierarchy *h = plan->state;
    if (plan->ask.op == COLL_ALL_REDUCE) return -1;
    return hops_ring(plan->ask.op, h->domains, at->domain, batch).piece;
}

/* The rail's step after which the gathering of batch b may begin. */
static int64_t rail_gives(const struct coll_plan *plan, const struct at *at, int32_t batch)
{
    int64_t each = rail_steps(plan), before = at->round * each;
    if (plan->ask.op == COLL_ALL_REDUCE) return before + each - 1;
    return before + (int64_t)(batch + 1) * plan->ask.slices - 1;
}

static void scatter_step(const struct coll_plan *plan, const struct at *at, int32_t role,
                         int32_t peer, struct coll_step *step)
{
    int32_t batch = peer / (plan->ask.local - 1), local = plan->ask.local;
    int32_t away = peer % (plan->ask.local - 1) + 1, lane = at->channel * LANES + LANE_SCATTER;
    int32_t first = at->domain * local, piece = piece_of(plan, at, batch);
    if (role == SCATTER_SEND) {
        int32_t part = (at->inside + away) % local;
        struct coll_range range = range_of(plan, at, part, piece);
        step->send_to = first + part;
        step->send_lane = lane;
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    } else {
        struct coll_range range = range_of(plan, at, at->inside, piece);
        step->recv_from = first + (at->inside + local - away) % local;
        step->recv_lane = lane;
        step->recv_at = range.at;
        step->recv_bytes = range.bytes;
        step->reduce = true;
    }
}

static void gather_step(const struct coll_plan *plan, const struct at *at, int32_t role,
                        int32_t peer, struct coll_step *step)
{
    int32_t batch = peer / (plan->ask.local - 1), local = plan->ask.local;
    int32_t away = peer % (plan->ask.local - 1) + 1, lane = at->channel * LANES + LANE_GATHER;
    int32_t first = at->domain * local, piece = piece_of(plan, at, batch);
    if (role == GATHER_SEND) {
        struct coll_range range = range_of(plan, at, at->inside, piece);
        step->after_block = at->channel * ROLES + RAIL;
        step->after_step = rail_gives(plan, at, batch);
        step->send_to = first + (at->inside + away) % local;
        step->send_lane = lane;
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    } else {
        int32_t part = (at->inside + local - away) % local;
        struct coll_range range = range_of(plan, at, part, piece);
        step->recv_from = first + part;
        step->recv_lane = lane;
        step->recv_at = range.at;
        step->recv_bytes = range.bytes;
    }
}

/* A ring of one domain still passes the turn on: a step without a message. */
static void rail_step(const struct coll_plan *plan, const struct at *at, int32_t j, int32_t slice,
                      struct coll_step *step)
{
    const struct hierarchy *h = plan->state;
    int32_t local = plan->ask.local, lane = at->channel * LANES + LANE_RAIL;
    struct hops_ring hop = hops_ring(plan->ask.op, h->domains, at->domain, j);
    struct coll_range range =
        coll_part(range_of(plan, at, at->inside, hop.piece), plan->ask.slices, slice);
    if (h->scatter && j < h->batches) {
        step->after_block = at->channel * ROLES + SCATTER_RECV;
        step->after_step = at->round * inside_steps(plan) + (int64_t)(j + 1) * (local - 1) - 1;
    }
    if (h->domains == 1) return;
    if (hop.recv) {
        step->recv_from = (at->domain + h->domains - 1) % h->domains * local + at->inside;
        step->recv_at = range.at;
        step->recv_bytes = range.bytes;
    }
    if (hop.send) {
        step->send_to = (at->domain + 1) % h->domains * local + at->inside;
        step->send_at = range.at;
        step->send_bytes = range.bytes;
    }
    step->recv_lane = step->send_lane = lane;
    step->reduce = hop.reduce;
}

static bool hierarchical_step(const struct coll_plan *plan, int32_t rank, int32_t block,
                              int64_t index, struct coll_step *step)
{
    const struct hierarchy *h = plan->state;
    int32_t role = block % ROLES;
    bool scatter = role == SCATTER_SEND || role == SCATTER_RECV;
    int64_t each = role == RAIL ? rail_steps(plan) : inside_steps(plan);
    if (role != RAIL && !(scatter ? h->scatter : h->gather)) return false;
    if (plan->ask.ranks == 1 || index >= h->rounds * each) return false;
    const struct at at = {.channel = block / ROLES,
                          .domain = rank / plan->ask.local,
                          .inside = rank % plan->ask.local,
                          .round = index / each};
    int32_t turn = (int32_t)(index % each);
    *step = COLL_STEP_NONE;
    if (role == RAIL)
        rail_step(plan, &at, turn / plan->ask.slices, turn % plan->ask.slices, step);
    else if (scatter)
        scatter_step(plan, &at, role, turn, step);
    else
        gather_step(plan, &at, role, turn, step);
    return true;
}

const struct coll_ops coll_hierarchical = {
    .help = "inside the NVLink domain, then a ring per rail, then inside again",
    .can = COLL_BIT(COLL_ALL_REDUCE) | COLL_BIT(COLL_ALL_GATHER) | COLL_BIT(COLL_REDUCE_SCATTER),
    .plan = hierarchical_plan,
    .step = hierarchical_step,
    .suit = hierarchical_suit,
};
