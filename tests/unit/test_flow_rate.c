/* test_flow_rate.c - links that change their rate in the middle of a run, to the picosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/flow_rig.h"

/* Links of the star: 0 = a>e, 1 = e>a, 5 = e>c, ... */
static void flow_set_rate__slower_half_way(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[1];
    star(&rig);
    send(&rig, 0, "ab", 1000, 0);
    set_rate(&rig, turn, 0, GBPS8 / 4, 600);
    run(&rig); /* 600 B in 600 ns, 400 B in 1600 ns */
    got(&rig, 0, 2200, 3200, 1200);
    arena_free(&rig.arena);
}

/* The rate of the topology is no limit, and what is faster than that has no excess. */
static void flow_set_rate__faster_than_the_topology(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    star(&rig);
    send(&rig, 0, "ab", 1000, 1000);
    set_rate(&rig, &turn[0], 0, 2 * GBPS8, 0);
    set_rate(&rig, &turn[1], 3, 2 * GBPS8, 0);
    run(&rig);
    got(&rig, 0, 1500, 2500, 0);
    assert_int_equal(fabric_path(rig.fabric, 0, 1).bottleneck_bps, GBPS8);
    arena_free(&rig.arena);
}

/* Two share e>c; the link of one slows down, so the other has the rest. */
static void flow_set_rate__others_take_what_is_left(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    star(&rig);
    send(&rig, 0, "ac", 1500, 0);
    send(&rig, 1, "bc", 3250, 0);
    set_rate(&rig, &turn[0], 0, GBPS8 / 4, 1000);
    set_rate(&rig, &turn[1], 0, GBPS8, 3000);
    run(&rig);
    /* 500 B each by 1000 ns; then 1/4 and 3/4: 1000 and 2000 B by 3000 ns; then halves: 500 B of 0
     * last until 4000 ns, when 1 has 3250 - 2500 B left. */
    got(&rig, 0, 4000, 5000, 2500);
    got(&rig, 1, 4750, 5750, 1500);
    assert_int_equal(rig.m[0].msg.bound, BOUND_NIC);
    arena_free(&rig.arena);
}

static void flow_set_rate__down_and_up_again(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    star(&rig);
    send(&rig, 0, "ab", 1000, 0);
    set_rate(&rig, &turn[0], 0, 0, 300);
    set_rate(&rig, &turn[1], 0, GBPS8, 5300);
    static const struct {
        int64_t at_ns;
        double bytes;
    } cases[] = {{100, 100}, {300, 300}, {301, 300}, {5299, 300}, {5400, 400}, {6000, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim_run(rig.sim, &(struct sim_limits){.max_sim_ps = cases[i].at_ns * NS});
        assert_true(flow_link_bytes(rig.fabric, 0) == cases[i].bytes);
    }
    run(&rig);
    got(&rig, 0, 6000, 7000, 5000);
    arena_free(&rig.arena);
}

/* While the way of 0 is down 1 has the link that they share; 2 begins on a link that is down. */
static void flow_set_rate__what_meets_a_link_that_is_down(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    star(&rig);
    set_rate(&rig, &turn[0], 0, 0, 1000);
    send(&rig, 0, "ac", 1500, 0);
    send(&rig, 1, "bc", 2500, 0);
    send(&rig, 2, "ad", 500, 2000);
    set_rate(&rig, &turn[1], 0, GBPS8, 10000);
    run(&rig); /* 500 B each by 1000 ns, 1 the rest alone; 1000 and 500 B from 10 us on */
    got(&rig, 1, 3000, 4000, 500);
    got(&rig, 2, 11000, 12000, 8500);
    got(&rig, 0, 11500, 12500, 10000);
    arena_free(&rig.arena);
}

static void flow_set_rate__a_link_without_messages(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    star(&rig);
    set_rate(&rig, &turn[0], 4, GBPS8 / 2, 0);
    set_rate(&rig, &turn[1], 0, 0, 0);
    send(&rig, 0, "cb", 1000, 100);
    run(&rig);
    got(&rig, 0, 2100, 3100, 1000);
    assert_int_equal(strlen(flow_stuck(rig.fabric, &rig.arena)), 0);
    arena_free(&rig.arena);
}

/* A rate at which the end would lie past all time is as good as none. */
static void flow_set_rate__next_to_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    star(&rig);
    rig.framing.payload_bytes = INT64_C(1) << 40;
    send(&rig, 0, "ab", INT64_C(1000000000), 0);
    set_rate(&rig, &turn[0], 0, 1, 0);
    set_rate(&rig, &turn[1], 0, GBPS8, 1000);
    run(&rig);
    assert_in_range(rig.m[0].sent_ps, INT64_C(1000001000000) - 1, INT64_C(1000001000000) + 1);
    arena_free(&rig.arena);
}

static void flow_stuck__names_what_is_down(void **state)
{
    (void)state;
    static const struct {
        const char *flows;
        int n;
        int32_t link, other;
        const char *expected;
    } cases[] = {
        {"ab", 1, 0, 0, "1 message stands still: a>e is down"},
        {"ab", 3, 3, 3, "3 messages stand still: e>b is down"},
        {"ba", 2, 1, 0, "2 messages stand still: e>a is down"},
        {"ab", 2, 0, 4, "4 messages stand still: a>e and 1 other link are down"},
        {"ba", 2, 3, 4, "2 messages stand still: c>e is down"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        struct turn turn[2];
        star(&rig);
        set_rate(&rig, &turn[0], cases[i].link, 0, 100);
        set_rate(&rig, &turn[1], cases[i].other, 0, 100);
        for (int m = 0; m < cases[i].n; m++)
            send(&rig, m, cases[i].flows, 1000, 50 * m);
        for (int m = cases[i].n; m < 2 * cases[i].n && cases[i].other == 4; m++)
            send(&rig, m, "cd", 1000, 50 * m);
        run(&rig);
        assert_string_equal(flow_stuck(rig.fabric, &rig.arena), cases[i].expected);
        arena_free(&rig.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_set_rate__slower_half_way),
        cmocka_unit_test(flow_set_rate__faster_than_the_topology),
        cmocka_unit_test(flow_set_rate__others_take_what_is_left),
        cmocka_unit_test(flow_set_rate__down_and_up_again),
        cmocka_unit_test(flow_set_rate__what_meets_a_link_that_is_down),
        cmocka_unit_test(flow_set_rate__a_link_without_messages),
        cmocka_unit_test(flow_set_rate__next_to_nothing),
        cmocka_unit_test(flow_stuck__names_what_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
