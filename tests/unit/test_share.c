/* test_share.c - who is told of what, on nets small enough to see it. (That the rates are right:
 * tests/property/prop_share.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/flow/share.h"

#define FLOWS 64
#define LINKS 8

struct net {
    struct arena arena;
    struct share *share;
    int32_t rank[LINKS];
    struct one {
        struct share_flow share;
        int32_t path[4], place[4];
    } one[FLOWS];
    char told[2 * FLOWS + 1]; /* '0' + number of each flow that was told */
    int told_n;
};

/* Links 0, 1, ... of 12, ranked by their numbers. */
static void net_open(struct net *net)
{
    *net = (struct net){.told = ""};
    for (int32_t l = 0; l < LINKS; l++)
        net->rank[l] = l;
    net->share = share_new(&net->arena, LINKS, net->rank);
    for (int32_t l = 0; l < LINKS; l++)
        share_set_cap(net->share, l, 12);
}

static bool join(struct net *net, int i, const char *path)
{
    struct one *one = &net->one[i];
    one->share = (struct share_flow){
        .path = one->path, .place = one->place, .path_n = (int32_t)strlen(path)};
    for (int32_t h = 0; path[h]; h++)
        one->path[h] = path[h] - '0';
    return share_join(net->share, &one->share);
}

static bool leave(struct net *net, int i)
{
    return share_leave(net->share, &net->one[i].share, 100);
}

static void tell(void *context, struct share_flow *flow, double rate_bps)
{
    struct net *net = context;
    (void)rate_bps;
    net->told[net->told_n++] = (char)('0' + ((struct one *)flow - net->one));
}

/* told: these flows are, in this order. */
static void told(struct net *net, const char *who)
{
    memset(net->told, 0, sizeof net->told);
    net->told_n = 0;
    share_solve(net->share, tell, net);
    assert_string_equal(net->told, who);
}

static void rate(const struct net *net, int i, double rate_bps, int32_t link)
{
    assert_true(net->one[i].share.rate_bps == rate_bps);
    assert_int_equal(net->one[i].share.limited_by, link);
}

static void share_join__alone_has_its_rate_at_once(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    share_set_cap(net.share, 3, 7);
    assert_true(join(&net, 0, "210"));
    rate(&net, 0, 12, 0); /* of equals the lowest rank */
    assert_true(join(&net, 1, "34"));
    rate(&net, 1, 7, 3);
    told(&net, "");
    arena_free(&net.arena);
}

static void share_join__others_wait_for_the_solution(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    assert_true(join(&net, 0, "02"));
    assert_false(join(&net, 1, "12"));
    rate(&net, 1, 0, -1);
    rate(&net, 0, 12, 0);
    told(&net, "10"); /* first the list of its first link */
    rate(&net, 0, 6, 2);
    rate(&net, 1, 6, 2);
    arena_free(&net.arena);
}

static void share_leave__says_whether_others_are_there(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    join(&net, 0, "02");
    join(&net, 1, "12");
    told(&net, "10");
    assert_true(leave(&net, 0));
    told(&net, "1");
    rate(&net, 1, 12, 1);
    assert_false(leave(&net, 1));
    assert_int_equal(share_link(net.share, 2)->carried_bytes, 200);
    assert_int_equal(share_link(net.share, 2)->used_bps, 0);
    assert_int_equal(share_link(net.share, 1)->carried_bytes, 100);
    arena_free(&net.arena);
}

/* Flows limited on their own links come to a link that all of them do not fill, and leave it. */
static void share_solve__a_link_with_room_joins_nobody(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    for (int32_t l = 0; l < 3; l++)
        share_set_cap(net.share, l, 3);
    share_set_cap(net.share, 5, 1e6); /* so large that a rounded-up rate does not fill it */
    join(&net, 0, "05");
    join(&net, 1, "15");
    told(&net, "1");
    join(&net, 2, "25");
    told(&net, "2");
    leave(&net, 1);
    told(&net, "");
    for (int i = 0; i < 3; i += 2)
        rate(&net, i, 3, i);
    arena_free(&net.arena);
}

/* 2 may be limited on link 1, by what 0 leaves there; 3 on link 2, by what 2 leaves. */
static void share_solve__reaches_from_link_to_link(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    share_set_cap(net.share, 0, 4);
    join(&net, 0, "01");
    join(&net, 1, "0");
    join(&net, 2, "12");
    join(&net, 3, "2");
    told(&net, "0123"); /* 0 had its 4 when it was alone */
    rate(&net, 0, 2, 0);
    rate(&net, 2, 6, 2);
    rate(&net, 3, 6, 2);
    share_set_cap(net.share, 1, 5);
    told(&net, "23");
    rate(&net, 2, 3, 1);
    rate(&net, 3, 9, 2);
    leave(&net, 1); /* 0 takes 2.5 on link 1, 2 gives way, 3 gains */
    told(&net, "023");
    rate(&net, 0, 2.5, 1);
    rate(&net, 2, 2.5, 1);
    rate(&net, 3, 9.5, 2);
    arena_free(&net.arena);
}

static void share_set_cap__down_and_up(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    join(&net, 0, "01");
    join(&net, 1, "1");
    told(&net, "01");
    share_set_cap(net.share, 0, 0);
    told(&net, "01");
    rate(&net, 0, 0, 0);
    rate(&net, 1, 12, 1);
    assert_false(join(&net, 2, "0"));
    told(&net, "2"); /* it had no rate, and has none */
    rate(&net, 2, 0, 0);
    share_set_cap(net.share, 0, 24);
    told(&net, "021");
    rate(&net, 0, 6, 1);
    rate(&net, 2, 18, 0);
    share_set_cap(net.share, 7, 1); /* nobody is there */
    told(&net, "");
    arena_free(&net.arena);
}

/* Many on link 0, which has room; five of them are limited by link 1. When the first of those
 * leaves, the last one has its place on link 0: they are told in that order. */
static void share_solve__few_of_many(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    share_set_cap(net.share, 0, 1e9);
    for (int i = 0; i < FLOWS; i++)
        join(&net, i, i % 16 == 5 || i == FLOWS - 1 ? "01" : "02");
    share_solve(net.share, tell, &net);
    rate(&net, 21, 12 / 5.0, 1);
    leave(&net, 5);
    told(&net, (char[]){'0' + FLOWS - 1, '0' + 21, '0' + 37, '0' + 53, 0});
    rate(&net, 21, 3, 1);
    arena_free(&net.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_join__alone_has_its_rate_at_once),
        cmocka_unit_test(share_join__others_wait_for_the_solution),
        cmocka_unit_test(share_leave__says_whether_others_are_there),
        cmocka_unit_test(share_solve__a_link_with_room_joins_nobody),
        cmocka_unit_test(share_solve__reaches_from_link_to_link),
        cmocka_unit_test(share_set_cap__down_and_up),
        cmocka_unit_test(share_solve__few_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
