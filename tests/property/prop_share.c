/* prop_share.c - the share against the whole net, at every instant.
 *
 * Flows join and leave at random, links change their rate and go down, in batches; after each
 * share_solve every flow must have the rate and the limiting link that maxmin_solve gives for all
 * flows on all links at once: the same bits, whatever came before. Nets of three kinds: random
 * paths, a fabric of equal links (where nearly everything is tied), a few links of many flows; and
 * an all-to-all of such a fabric, all posted at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/flow/maxmin.h"
#include "models/flow/share.h"
#include "sim/engine/rng.h"

#define HOSTS 16
#define FLOWS (HOSTS * (HOSTS - 1))
#define FLOWS_FEW 160
#define LINKS 64
#define HOPS 6
#define SEEDS 120
#define BATCHES 60

struct one {
    struct share_flow share;
    int32_t path[HOPS], place[HOPS];
    bool on;
    double told_bps; /* what it was told last, and by which link */
    int32_t told_by;
};

struct law {
    struct arena arena;
    struct share *share;
    struct rng rng;
    int kind;
    int32_t link_n, flow_n;
    int32_t rank[LINKS];
    double cap_bps[LINKS], full_bps[LINKS];
    struct one one[FLOWS];
    /* the whole net */
    struct maxmin whole;
    int32_t who[FLOWS], first[FLOWS + 1], hop[FLOWS * HOPS], limited_by[FLOWS];
    int32_t member[FLOWS * HOPS];
    double rate_bps[FLOWS];
    struct maxmin_link link[LINKS + 1];
    struct maxmin_turn turn[LINKS];
};

static int32_t below(struct law *law, int32_t n)
{
    return (int32_t)rng_below(&law->rng, (uint64_t)n);
}

/* Links 0..15 leave hosts, 16..31 come to them, then 4 x 4 links up and 4 x 4 down between leaves
 * of four hosts and four spines. */
static void fabric_path_of(struct law *law, struct one *one, int32_t src, int32_t dst)
{
    int32_t spine = below(law, 4), n = 0;
    one->path[n++] = src;
    if (src / 4 != dst / 4) {
        one->path[n++] = 32 + src / 4 * 4 + spine;
        one->path[n++] = 48 + dst / 4 * 4 + spine;
    }
    one->path[n++] = 16 + dst;
    one->share.path_n = n;
}

static void random_path_of(struct law *law, struct one *one)
{
    int32_t most = law->link_n < HOPS ? law->link_n : HOPS, n = 1 + below(law, most);
    one->share.path_n = 0;
    while (one->share.path_n < n) {
        int32_t l = below(law, law->link_n);
        bool again = false;
        for (int32_t i = 0; i < one->share.path_n; i++)
            again = again || one->path[i] == l;
        if (!again) one->path[one->share.path_n++] = l;
    }
}

static void law_open(struct law *law, uint64_t seed)
{
    *law = (struct law){.rng = rng_stream(seed, "prop_share"), .kind = (int)(seed % 3)};
    law->link_n = law->kind == 1 ? LINKS
                  : law->kind    ? 3 + below(law, 6)
                                 : 8 + below(law, LINKS - 8);
    law->flow_n = law->kind == 2 ? FLOWS_FEW : 10 + below(law, 50);
    bool few_sizes = law->kind == 1 || below(law, 2);
    for (int32_t l = 0; l < law->link_n; l++) {
        int32_t at = below(law, l + 1);
        law->rank[l] = law->rank[at];
        law->rank[at] = l;
        law->full_bps[l] = few_sizes ? 1e11 * (1 + (law->kind == 1 ? 0 : below(law, 3)))
                                     : 1e6 * (1 + rng_unit(&law->rng)) * (1 << below(law, 16));
    }
    law->share = share_new(&law->arena, law->link_n, law->rank);
    for (int32_t l = 0; l < law->link_n; l++)
        share_set_cap(law->share, l, law->cap_bps[l] = law->full_bps[l]);
}

static void enter(struct law *law, struct one *one)
{
    one->on = true;
    one->told_bps = share_join(law->share, &one->share) ? one->share.rate_bps : 0;
    one->told_by = one->share.limited_by;
}

static void join(struct law *law, struct one *one)
{
    one->share = (struct share_flow){.path = one->path, .place = one->place};
    if (law->kind == 1)
        fabric_path_of(law, one, below(law, HOSTS), below(law, HOSTS));
    else
        random_path_of(law, one);
    enter(law, one);
}

/* Up to a handful of changes, mostly one, before the next solution. */
static void change(struct law *law)
{
    int32_t n = below(law, 3) ? 1 : 1 + below(law, 8);
    for (int32_t i = 0; i < n; i++) {
        struct one *one = &law->one[below(law, law->flow_n)];
        int32_t l = below(law, law->link_n);
        if (below(law, 16) == 0) {
            static const double part[] = {0, 0.25, 1.0 / 3, 1, 1};
            law->cap_bps[l] = law->full_bps[l] * part[below(law, 5)];
            share_set_cap(law->share, l, law->cap_bps[l]);
        } else if (!one->on) {
            join(law, one);
        } else if (one->share.limited_by >= 0) {
            one->on = false;
            share_leave(law->share, &one->share, 1);
        }
    }
}

static void told(void *context, struct share_flow *flow, double rate_bps)
{
    struct one *one = (struct one *)flow;
    (void)context;
    assert_true(one->on);
    assert_true(flow->rate_bps == one->told_bps); /* the old one still */
    assert_true(rate_bps != one->told_bps || flow->limited_by != one->told_by);
    one->told_bps = rate_bps;
    one->told_by = flow->limited_by;
}

static void solve_whole(struct law *law)
{
    struct maxmin *p = &law->whole;
    *p = (struct maxmin){.link_n = law->link_n,
                         .first = law->first,
                         .hop = law->hop,
                         .cap_bps = law->cap_bps,
                         .rank = law->rank,
                         .rate_bps = law->rate_bps,
                         .limited_by = law->limited_by,
                         .link = law->link,
                         .member = law->member,
                         .turn = law->turn};
    for (int32_t f = 0; f < law->flow_n; f++) {
        if (!law->one[f].on) continue;
        law->who[p->flow_n++] = f;
        memcpy(&law->hop[law->first[p->flow_n - 1]], law->one[f].path,
               (size_t)law->one[f].share.path_n * sizeof(int32_t));
        law->first[p->flow_n] = law->first[p->flow_n - 1] + law->one[f].share.path_n;
    }
    p->free_n = p->flow_n;
    assert_true(maxmin_solve(p));
}

static void compare(struct law *law, uint64_t seed, int batch)
{
    int64_t used_bps[LINKS] = {0};
    int32_t member_n[LINKS] = {0}, limits_n[LINKS] = {0};
    solve_whole(law);
    for (int32_t i = 0; i < law->whole.flow_n; i++) {
        const struct one *one = &law->one[law->who[i]];
        if (one->share.rate_bps != law->rate_bps[i] || one->told_bps != law->rate_bps[i] ||
            one->share.limited_by != law->limited_by[i] || one->told_by != law->limited_by[i])
            fail_msg("seed %d batch %d flow %d: %.17g by %d, not %.17g by %d", (int)seed, batch,
                     law->who[i], one->share.rate_bps, one->share.limited_by, law->rate_bps[i],
                     law->limited_by[i]);
        limits_n[one->share.limited_by]++;
        for (int32_t h = 0; h < one->share.path_n; h++) {
            used_bps[one->path[h]] += (int64_t)one->share.rate_bps + 1;
            member_n[one->path[h]]++;
        }
    }
    for (int32_t l = 0; l < law->link_n; l++) {
        const struct share_link *link = share_link(law->share, l);
        assert_int_equal(link->used_bps, used_bps[l]);
        assert_int_equal(link->member_n, member_n[l]);
        assert_int_equal(link->limits_n, limits_n[l]);
    }
}

static struct law the_law; /* too large for a stack */

static void share__every_instant_is_that_of_the_whole_net(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct law *law = &the_law;
        law_open(law, seed);
        for (int batch = 0; batch < BATCHES; batch++) {
            change(law);
            share_solve(law->share, told, law);
            compare(law, seed, batch);
        }
        arena_free(&law->arena);
    }
}

/* Everybody to everybody at once over a fabric where hashing makes some links tighter than others;
 * then they leave, at first one by one, later many at a time. */
static void share__an_all_to_all_posted_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3 * 4; seed += 3) {
        struct law *law = &the_law;
        law_open(law, seed);
        law->flow_n = FLOWS;
        for (int32_t f = 0; f < FLOWS; f++) {
            int32_t src = f / (HOSTS - 1), away = 1 + f % (HOSTS - 1);
            struct one *one = &law->one[f];
            one->share = (struct share_flow){.path = one->path, .place = one->place};
            fabric_path_of(law, one, src, (src + away) % HOSTS);
            enter(law, one);
        }
        for (int batch = 0, left = FLOWS; left > 0; batch++) {
            share_solve(law->share, told, law);
            compare(law, seed, batch);
            for (int i = 0; i < 1 + batch / 16 && left > 0; i++, left--) {
                int32_t f = below(law, FLOWS);
                while (!law->one[f].on)
                    f = (f + 1) % FLOWS;
                law->one[f].on = false;
                share_leave(law->share, &law->one[f].share, 1);
            }
        }
        arena_free(&law->arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share__every_instant_is_that_of_the_whole_net),
        cmocka_unit_test(share__an_all_to_all_posted_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
