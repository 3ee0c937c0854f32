/* share.c - the flows that a change reaches, solved among others that stand (idea: share.h).
 *
 * The one idea: in the order of filling (maxmin.c) nothing depends on a link that never gets its
 * turn, and a flow that another link settles is to a link only a rate. So after a change only these
 * are free: flows that came; the flows limited by a link on which something changed; and so on from
 * each of those through the links that limit others. All other flows on their links are pinned to
 * the rates that they have. What was assumed is then looked at: had a pinned flow to give way, it
 * is free, too; is a link that was left out filled up, it takes part; and once more. What passes
 * agrees with the whole net on every link, and the filling is unique.
 *
 * A link is left out without a look at its flows while they fill it to less than 1 - 1e-9: then it
 * never gets its turn, whatever the last bits. Between ranks and groups of a non-blocking fabric
 * that is most links, which is why its flows are few even where all are connected.
 * NOT modelled: see maxmin.c.
 */
#include "models/flow/share.h"

#include <stdlib.h>

#include "models/flow/maxmin.h"
#include "sim/base/check.h"

#define FULL (1 - 1e-9)
#define FEW 32  /* flows of a link that are looked at rather than solved */
#define AHEAD 8 /* members between the one that is looked at and the one that is prefetched */

/* struct role: what a link is in the problem. */
struct role {
    int32_t part; /* its number there + 1; 0: it takes no part */
    int32_t pin;  /* if it takes none: the number of its pin, if there is one with its rank */
};

/* struct work: a link in the present solution. */
struct work {
    int64_t round; /* it was left out in this round, its flows would use tried_bps */
    int64_t tried_bps;
    int64_t told; /* its flows are told in this solution */
};

struct share {
    struct arena *arena;
    struct share_link *links;
    const int32_t *rank;
    struct role *role;
    struct work *work;
    int64_t solution, round; /* counted from 1; marks of flows: -solution free, solution pinned */
    struct share_flow **joined, **free, **pinned;
    int64_t joined_n, joined_cap, free_n, free_cap, pinned_n, pinned_cap;
    int32_t *changed, *part; /* links: on which something changed; that take part */
    int64_t changed_n, changed_cap, part_n, part_cap, closed_n;
    int32_t *touched, *queue; /* links: of all changes, in their order; to be looked at */
    int64_t touched_n, touched_cap, queue_n, queue_cap;
    int32_t *place; /* of flows in a list */
    int64_t place_cap;
    struct maxmin problem;
    int64_t cap, hop_cap; /* of the arrays of the problem: flows and links, hops */
    int64_t hop_n;        /* at most so many hops have the flows looked at */
};

struct share *share_new(struct arena *arena, int64_t link_n, const int32_t *rank)
{
    struct share *share = ARENA_NEW(arena, struct share);
    share->arena = arena;
    share->rank = rank;
    share->links = ARENA_ARRAY(arena, struct share_link, link_n);
    share->role = ARENA_ARRAY(arena, struct role, link_n);
    share->work = ARENA_ARRAY(arena, struct work, link_n);
    for (int64_t l = 0; l < link_n; l++) {
        share->links[l].member = &share->links[l].first;
        share->links[l].member_cap = 1;
    }
    return share;
}

const struct share_link *share_link(const struct share *share, int32_t l)
{
    return &share->links[l];
}

/* ---- joining and leaving --------------------------------------------------------------------- */

/* Appends to a list of a share: `list`, `list`_n of `list`_cap. */
#define PUSH(share, list, what)                                                                    \
    do {                                                                                           \
        if ((share)->list##_n == (share)->list##_cap)                                              \
            (share)->list = arena_grow((share)->arena, (share)->list, &(share)->list##_cap,        \
                                       (share)->list##_n + 1, sizeof *(share)->list);              \
        (share)->list[(share)->list##_n++] = (what);                                               \
    } while (0)

/* What a flow counts on its links: its rate, rounded up so that sums stay exact. */
static int64_t use_bps(const struct share_flow *flow)
{
    return flow->limited_by < 0 ? 0 : (int64_t)flow->rate_bps + 1;
}

static void grow_members(struct share *share, struct share_link *link)
{
    int64_t cap = link->member_cap;
    link->member = arena_grow(share->arena, link->member, &cap, cap + 1, sizeof *link->member);
    CHECK(cap <= INT32_MAX, "%lld messages on a link", (long long)cap);
    link->member_cap = (int32_t)cap;
}

bool share_join(struct share *share, struct share_flow *flow)
{
    bool alone = true;
    int32_t slowest = flow->path[0];
    flow->limited_by = -1;
    flow->rate_bps = 0;
    flow->mark = 0;
    for (int32_t i = 0; i < flow->path_n; i++) {
        int32_t l = flow->path[i];
        struct share_link *link = &share->links[l];
        double least_bps = share->links[slowest].cap_bps;
        if (link->cap_bps < least_bps ||
            (link->cap_bps == least_bps && share->rank[l] < share->rank[slowest]))
            slowest = l;
        if (link->member_n == link->member_cap) grow_members(share, link);
        alone = alone && link->member_n == 0;
        flow->place[i] = link->member_n;
        link->member[link->member_n++] = (struct share_member){flow, i};
    }
    if (!alone) {
        PUSH(share, touched, flow->path[0]);
        PUSH(share, joined, flow);
        return false;
    }
    flow->limited_by = slowest;
    flow->rate_bps = share->links[slowest].cap_bps;
    share->links[slowest].limits_n++;
    for (int32_t i = 0; i < flow->path_n; i++)
        share->links[flow->path[i]].used_bps += use_bps(flow);
    return true;
}

bool share_leave(struct share *share, struct share_flow *flow, int64_t bytes)
{
    bool others = false;
    CHECK(flow->limited_by >= 0, "a flow leaves before it has a rate");
    share->links[flow->limited_by].limits_n--;
    for (int32_t i = 0; i < flow->path_n; i++) {
        int32_t l = flow->path[i];
        struct share_link *link = &share->links[l];
        struct share_member last = link->member[--link->member_n];
        link->used_bps -= use_bps(flow);
        link->carried_bytes += bytes;
        if (link->member_n == 0) continue;
        others = true;
        /* The last one takes the leaver's place: no order is promised, and none matters. */
        link->member[flow->place[i]] = last;
        last.flow->place[last.hop] = flow->place[i];
        if (link->limits_n) PUSH(share, changed, l);
    }
    for (int32_t i = 0; i < flow->path_n && others; i++)
        PUSH(share, touched, flow->path[i]);
    return others;
}

void share_follow(struct share *share, struct share_flow *flow, struct share_flow *next,
                  int64_t bytes)
{
    CHECK(flow->limited_by >= 0, "a flow is followed before it has a rate");
    next->limited_by = flow->limited_by;
    next->rate_bps = flow->rate_bps;
    next->mark = 0;
    for (int32_t i = 0; i < flow->path_n; i++) {
        struct share_link *link = &share->links[flow->path[i]];
        link->member[next->place[i] = flow->place[i]].flow = next;
        link->carried_bytes += bytes;
    }
}

void share_set_cap(struct share *share, int32_t l, double cap_bps)
{
    share->links[l].cap_bps = cap_bps;
    if (share->links[l].member_n == 0) return;
    PUSH(share, changed, l);
    PUSH(share, touched, l);
}

/* ---- who takes part -------------------------------------------------------------------------- */

static void take_part(struct share *share, int32_t l)
{
    if (share->role[l].part) return;
    PUSH(share, part, l);
    share->role[l].part = (int32_t)share->part_n;
}

/* The rate of flow is open again; what it takes or leaves is felt on links that limit. A flow that
 * no link has limited yet begins with the one that has least left. */
static void set_free(struct share *share, struct share_flow *flow)
{
    if (flow->mark == -share->solution) return;
    flow->mark = -share->solution;
    flow->index = (int32_t)share->free_n;
    PUSH(share, free, flow);
    share->hop_n += flow->path_n;
    int32_t least = flow->path[0];
    bool held = false;
    for (int32_t i = 0; i < flow->path_n; i++) {
        int32_t l = flow->path[i];
        const struct share_link *link = &share->links[l], *tight = &share->links[least];
        if (link->limits_n) take_part(share, l);
        held = held || share->role[l].part;
        if (link->cap_bps - (double)link->used_bps < tight->cap_bps - (double)tight->used_bps)
            least = l;
    }
    if (!held) take_part(share, least);
}

/* Free the flows that links taking part limit, and those that links of theirs limit, ...; all
 * others on those links are pinned, as long as nothing frees them. */
static void close_set(struct share *share)
{
    for (; share->closed_n < share->part_n; share->closed_n++) {
        int32_t l = share->part[share->closed_n];
        const struct share_link *link = &share->links[l];
        for (int32_t m = 0; m < link->member_n; m++) {
            struct share_flow *flow = link->member[m].flow;
            if (m + AHEAD < link->member_n) __builtin_prefetch(link->member[m + AHEAD].flow);
            if (flow->mark == -share->solution) continue;
            if (flow->limited_by == l) {
                set_free(share, flow);
            } else if (flow->mark != share->solution) {
                flow->mark = share->solution;
                PUSH(share, pinned, flow);
                share->hop_n += flow->path_n;
            }
        }
    }
    int64_t n = 0;
    for (int64_t f = 0; f < share->pinned_n; f++)
        if (share->pinned[f]->mark == share->solution) share->pinned[n++] = share->pinned[f];
    share->pinned_n = n;
}

/* ---- one round ------------------------------------------------------------------------------- */

/* Arrays of the solver; they only grow. */
static void size_problem(struct share *share)
{
    struct maxmin *p = &share->problem;
    struct arena *arena = share->arena;
    int64_t flow_n = share->free_n + share->pinned_n, hop_n = share->hop_n;
    CHECK(hop_n <= INT32_MAX / 2, "%lld messages share their links", (long long)flow_n);
    if (flow_n + share->part_n >= share->cap) {
        int64_t cap = share->cap = 2 * (flow_n + share->part_n) + 8;
        p->first = ARENA_ARRAY(arena, int32_t, cap);
        p->next = ARENA_ARRAY(arena, int32_t, cap);
        p->pin = ARENA_ARRAY(arena, struct maxmin_pin, cap);
        p->rate_bps = ARENA_ARRAY(arena, double, cap);
        p->limited_by = ARENA_ARRAY(arena, int32_t, cap);
        p->cap_bps = ARENA_ARRAY(arena, double, cap);
        p->rank = ARENA_ARRAY(arena, int32_t, cap);
        p->link = ARENA_ARRAY(arena, struct maxmin_link, cap);
        p->turn = ARENA_ARRAY(arena, struct maxmin_turn, cap);
    }
    if (hop_n > share->hop_cap) {
        share->hop_cap = 2 * hop_n;
        p->hop = ARENA_ARRAY(arena, int32_t, share->hop_cap);
        p->member = ARENA_ARRAY(arena, int32_t, share->hop_cap);
    }
}

/* Flow f of the problem is pinned by the link that limits it. */
static void pin_flow(struct share *share, int32_t f, const struct share_flow *flow)
{
    struct maxmin *p = &share->problem;
    struct role *role = &share->role[flow->limited_by];
    int32_t rank = share->rank[flow->limited_by];
    if (role->pin >= p->pin_n || p->pin[role->pin].rank != rank) {
        role->pin = p->pin_n++;
        p->pin[role->pin] = (struct maxmin_pin){flow->rate_bps, rank, -1};
    }
    p->next[f] = p->pin[role->pin].flow;
    p->pin[role->pin].flow = f;
}

/* The links of flow f that take part, from hop[at] on; returns where they end. */
static int32_t pose_flow(struct share *share, int32_t f, const struct share_flow *flow, int32_t at)
{
    struct maxmin *p = &share->problem;
    p->first[f] = at;
    for (int32_t i = 0; i < flow->path_n; i++) {
        int32_t part = share->role[flow->path[i]].part;
        if (part) p->hop[at++] = part - 1;
    }
    return at;
}

static void pose(struct share *share)
{
    struct maxmin *p = &share->problem;
    size_problem(share);
    p->free_n = (int32_t)share->free_n;
    p->flow_n = p->free_n + (int32_t)share->pinned_n;
    p->link_n = (int32_t)share->part_n;
    p->pin_n = 0;
    int32_t at = 0, f = 0;
    for (; f < p->free_n; f++)
        at = pose_flow(share, f, share->free[f], at);
    for (; f < p->flow_n; f++) {
        const struct share_flow *flow = share->pinned[f - p->free_n];
        at = pose_flow(share, f, flow, at);
        pin_flow(share, f, flow);
    }
    p->first[f] = at;
    for (int64_t l = 0; l < share->part_n; l++) {
        p->cap_bps[l] = share->links[share->part[l]].cap_bps;
        p->rank[l] = share->rank[share->part[l]];
    }
}

/* struct settled: when a flow is settled in the order of filling. */
struct settled {
    double rate_bps;
    int32_t rank;
};

static bool is_before(struct settled a, struct settled b)
{
    return a.rate_bps < b.rate_bps || (a.rate_bps == b.rate_bps && a.rank < b.rank);
}

static struct settled settled_at(const struct share *share, const struct share_flow *flow)
{
    if (flow->mark != -share->solution)
        return (struct settled){flow->rate_bps, share->rank[flow->limited_by]};
    const struct maxmin *p = &share->problem;
    return (struct settled){p->rate_bps[flow->index], p->rank[p->limited_by[flow->index]]};
}

/* Whether link l, left out and about full, would have had its turn before its flows were settled:
 * the filling of that link alone. */
static bool has_turn(const struct share *share, int32_t l)
{
    const struct share_link *link = &share->links[l];
    struct settled order[FEW];
    if (link->member_n > FEW) return true; /* at worst it takes part for nothing */
    for (int32_t m = 0; m < link->member_n; m++) {
        struct settled one = settled_at(share, link->member[m].flow);
        int32_t at = m;
        for (; at > 0 && is_before(one, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = one;
    }
    double left_bps = link->cap_bps;
    struct settled turn = {0, share->rank[l]};
    for (int32_t m = 0; m < link->member_n; m++) {
        double share_bps = left_bps / (link->member_n - m);
        if (share_bps > turn.rate_bps) turn.rate_bps = share_bps;
        if (is_before(turn, order[m])) return true;
        left_bps = left_bps > order[m].rate_bps ? left_bps - order[m].rate_bps : 0;
    }
    return false;
}

/* The links of the free flows that were left out: with the new rates on them, have they room? */
static void try_left_out(struct share *share)
{
    const struct maxmin *p = &share->problem;
    share->queue_n = 0;
    for (int32_t f = 0; f < p->free_n; f++) {
        const struct share_flow *flow = share->free[f];
        int64_t more_bps = (int64_t)p->rate_bps[f] + 1 - use_bps(flow);
        for (int32_t i = 0; i < flow->path_n; i++) {
            struct work *work = &share->work[flow->path[i]];
            if (share->role[flow->path[i]].part) continue;
            if (work->round != share->round) {
                work->round = share->round;
                work->tried_bps = share->links[flow->path[i]].used_bps;
                PUSH(share, queue, flow->path[i]);
            }
            work->tried_bps += more_bps;
        }
    }
    for (int64_t i = 0; i < share->queue_n; i++) {
        int32_t l = share->queue[i];
        bool full = (double)share->work[l].tried_bps >= share->links[l].cap_bps * FULL;
        if (full && has_turn(share, l)) take_part(share, l);
    }
}

/* Returns whether the rates of the round are those of the whole net. */
static bool play_round(struct share *share)
{
    const struct maxmin *p = &share->problem;
    share->round++;
    close_set(share);
    pose(share);
    int64_t part_n = share->part_n;
    bool stand = maxmin_solve(&share->problem);
    try_left_out(share);
    for (int32_t f = p->free_n; f < p->flow_n && !stand; f++)
        if (p->limited_by[f] != MAXMIN_OUTSIDE) set_free(share, share->pinned[f - p->free_n]);
    return stand && share->part_n == part_n;
}

/* ---- the outcome ----------------------------------------------------------------------------- */

/* struct telling: who is told of new rates, and how many free flows are still to be told. */
struct telling {
    share_fn *fn;
    void *context;
    int64_t left;
};

static void queue_link(struct share *share, int32_t l)
{
    if (share->work[l].told == share->solution) return;
    share->work[l].told = share->solution;
    PUSH(share, queue, l);
}

static void give(struct share *share, struct share_flow *flow, struct telling *telling)
{
    double rate_bps = share->problem.rate_bps[flow->index];
    int32_t link = share->part[share->problem.limited_by[flow->index]];
    int64_t more_bps = (int64_t)rate_bps + 1 - use_bps(flow);
    bool same = rate_bps == flow->rate_bps && link == flow->limited_by;
    flow->mark = 0;
    telling->left--;
    if (flow->limited_by >= 0) share->links[flow->limited_by].limits_n--;
    share->links[link].limits_n++;
    flow->limited_by = link;
    for (int32_t i = 0; i < flow->path_n; i++) {
        share->links[flow->path[i]].used_bps += more_bps;
        queue_link(share, flow->path[i]);
    }
    if (same) return;
    telling->fn(telling->context, flow, rate_bps);
    flow->rate_bps = rate_bps;
}

static int by_place(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The places of the free flows in the list of link l, sorted; returns how many. */
static int64_t find_places(struct share *share, int32_t l)
{
    int64_t n = 0;
    share->place =
        arena_grow(share->arena, share->place, &share->place_cap, share->free_n, sizeof(int32_t));
    for (int64_t f = 0; f < share->free_n; f++) {
        const struct share_flow *flow = share->free[f];
        for (int32_t i = 0; i < flow->path_n; i++)
            if (flow->path[i] == l) share->place[n++] = flow->place[i];
    }
    if (n) qsort(share->place, (size_t)n, sizeof *share->place, by_place);
    return n;
}

/* The free flows of link l, in the order of its list: by a walk through that, unless a walk through
 * the free flows is much shorter. */
static void tell_link(struct share *share, int32_t l, struct telling *telling)
{
    const struct share_link *link = &share->links[l];
    bool all = link->member_n <= 8 * share->free_n;
    int64_t n = all ? link->member_n : find_places(share, l);
    for (int64_t m = 0; m < n && telling->left; m++) {
        struct share_flow *flow = link->member[all ? m : share->place[m]].flow;
        if (all && m + AHEAD < n) __builtin_prefetch(link->member[m + AHEAD].flow);
        if (flow->mark == -share->solution) give(share, flow, telling);
    }
}

static void tell_all(struct share *share, struct telling *telling)
{
    share->queue_n = 0;
    for (int64_t i = 0, at = 0; i < share->touched_n && telling->left; i++) {
        queue_link(share, share->touched[i]);
        for (; at < share->queue_n && telling->left; at++)
            tell_link(share, share->queue[at], telling);
    }
    CHECK(telling->left == 0, "%lld flows are free that no change reaches",
          (long long)telling->left);
}

void share_solve(struct share *share, share_fn *fn, void *context)
{
    share->solution++;
    share->free_n = share->pinned_n = share->hop_n = share->part_n = share->closed_n = 0;
    for (int64_t i = 0; i < share->changed_n; i++)
        take_part(share, share->changed[i]);
    for (int64_t i = 0; i < share->joined_n; i++)
        set_free(share, share->joined[i]);
    if (share->part_n) {
        while (!play_round(share))
            continue;
        tell_all(share, &(struct telling){fn, context, share->free_n});
    }
    for (int64_t l = 0; l < share->part_n; l++)
        share->role[share->part[l]].part = 0;
    share->changed_n = share->joined_n = share->touched_n = 0;
}
