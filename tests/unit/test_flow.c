/* test_flow.c - the flow-level fabric against times computed by hand, to the picosecond.
 *
 * Most nets run at 8 Gb/s: a byte takes a nanosecond. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/flow_rig.h"

static void fabric_path__delay_and_slowest_link(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "hssh");
    cable(&rig, "ab", TOPO_NIC, 3000, 100);
    cable(&rig, "bc", TOPO_WAN, 1000, 20);
    cable(&rig, "cd", TOPO_SERVER, 2000, 3);
    rig_wired(&rig);
    struct fabric_path path = fabric_path(rig.fabric, 0, 3);
    assert_int_equal(path.delay_ps, 123);
    assert_int_equal(path.bottleneck_bps, 1000);
    assert_int_equal(path.first_bps, 3000);
    path = fabric_path(rig.fabric, 3, 0);
    assert_int_equal(path.delay_ps, 123);
    assert_int_equal(path.first_bps, 2000);
    assert_int_equal(fabric_path(rig.fabric, 3, 2).bottleneck_bps, 2000);
    arena_free(&rig.arena);
}

static void fabric_send__alone(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ab", 1000, 7);
    rig.m[0].msg.excess_ps = 77;
    run(&rig);
    got(&rig, 0, 1007, 2007, 0);
    assert_int_equal(rig.m[0].msg.start_ps, 7 * NS);
    assert_int_equal(rig.m[0].msg.bound, BOUND_NIC);
    arena_free(&rig.arena);
}

/* ceil(8000 bit / 7 Gb/s) = 1142857.14.. ps -> 1142858; and where it divides, nothing is added. */
static void fabric_send__ends_are_rounded_up(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes, rate_bps, expected_ps;
    } cases[] = {
        {1000, INT64_C(7000000000), 1142858}, {7000, INT64_C(7000000000), 8000000},
        {1, INT64_C(400000000000), 20},       {1, INT64_C(300000000000), 27},
        {64, INT64_C(400000000000), 1280},    {1000000, INT64_C(3000000000), 2666666667},
        {1, INT64_C(16000000000000), 1},      {999999999, INT64_C(100000000000), 79999999920},
        {1, 1000000, INT64_C(8000000)}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        rig_open(&rig, "hh");
        rig.framing.payload_bytes = INT64_C(1) << 40;
        cable(&rig, "ab", TOPO_NIC, cases[i].rate_bps, 11);
        rig_wired(&rig);
        send(&rig, 0, "ab", cases[i].bytes, 0);
        run(&rig);
        assert_int_equal(rig.m[0].sent_ps, cases[i].expected_ps);
        assert_int_equal(rig.m[0].done_ps, cases[i].expected_ps + 11);
        arena_free(&rig.arena);
    }
}

static void fabric_send__framing(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes, wire_bytes;
    } cases[] = {{0, 82}, {1, 83}, {4096, 4178}, {4097, 4261}, {10000, 10246}, {40960, 41780}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        star(&rig);
        rig.framing = (struct framing){.payload_bytes = 4096, .overhead_bytes = 82};
        send(&rig, 0, "ab", cases[i].bytes, 0);
        run(&rig);
        got(&rig, 0, cases[i].wire_bytes, cases[i].wire_bytes + 1000, 0);
        assert_true(flow_link_bytes(rig.fabric, 0) == (double)cases[i].wire_bytes);
        arena_free(&rig.arena);
    }
}

/* Two to c: half each; when the small one has left, the other runs at full rate. */
static void fabric_send__two_share_then_one_leaves(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ac", 1000, 0);
    send(&rig, 1, "bc", 3000, 0);
    run(&rig);
    got(&rig, 0, 2000, 3000, 1000);
    got(&rig, 1, 4000, 5000, 1000); /* 2000 ns for 1000 B, then 2000 B at full rate */
    arena_free(&rig.arena);
}

static void fabric_send__late_joiner(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ac", 3000, 0);
    send(&rig, 1, "bc", 1000, 1000);
    run(&rig);
    got(&rig, 1, 3000, 4000, 1000); /* both at half rate from 1000 to 3000 ns */
    got(&rig, 0, 4000, 5000, 1000);
    arena_free(&rig.arena);
}

/* Four from one host, joining one after another: 1, 1/2, 1/4 of the rate. */
static void fabric_send__several_join_and_leave(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ab", 2600, 0);
    send(&rig, 1, "ac", 1600, 1000);
    send(&rig, 2, "ad", 600, 3000);
    send(&rig, 3, "ad", 700, 3000);
    run(&rig); /* 600 B are left of 0 and 1 at 3000 ns; the last has 100 B for itself */
    got(&rig, 0, 5400, 6400, 5400 - 2600);
    got(&rig, 1, 5400, 6400, 4400 - 1600);
    got(&rig, 2, 5400, 6400, 2400 - 600);
    got(&rig, 3, 5500, 6500, 2500 - 700);
    arena_free(&rig.arena);
}

static void fabric_send__directions_do_not_meet(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ab", 5000, 0);
    send(&rig, 1, "ba", 3000, 1000);
    run(&rig);
    got(&rig, 0, 5000, 6000, 0);
    got(&rig, 1, 4000, 5000, 0);
    arena_free(&rig.arena);
}

/* What happens between c and d is nothing to a and b: the same times, the same events of theirs. */
static void fabric_send__disjoint_sets_are_not_touched(void **state)
{
    (void)state;
    for (int others = 0; others <= 1; others++) {
        struct rig rig;
        star(&rig);
        rig.framing.payload_bytes = 1000;
        rig.framing.overhead_bytes = 7; /* a rate share of thirds: ends that are no whole ps */
        send(&rig, 0, "ab", 1000, 0);
        send(&rig, 1, "ab", 3000, 100);
        send(&rig, 2, "ab", 7000, 200);
        for (int i = 3; i < MSGS && others; i++)
            send(&rig, i, i % 2 ? "cd" : "dc", 500, 30 * i);
        run(&rig);
        /* 2: 100 ns alone, 100 ns of a half, a third until 0 has its 1007 B at 200 + 3 * 857 ns;
         * then halves: 1 has 3021 - 50 - 857 = 2114 B left; the rest alone. */
        got(&rig, 0, 2771, 3771, 2771 - 1007);
        got(&rig, 1, 2771 + 2 * 2114, 2771 + 2 * 2114 + 1000, 2671 + 2 * 2114 - 3021);
        got(&rig, 2, 6999 + 7049 - 857 - 2114, 7999 + 7049 - 857 - 2114,
            6799 + 7049 - 857 - 2114 - 7049);
        arena_free(&rig.arena);
    }
}

/* x and y share a link of 8 Gb/s, y and z one of 16 Gb/s. When x leaves, y
 * doubles and z, which shares nothing with x, slows down. */
static void fabric_send__the_effect_travels_through_shared_links(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "hshshh");
    cable(&rig, "ab", TOPO_FABRIC, GBPS8, 0);     /* x and y */
    cable(&rig, "bc", TOPO_FABRIC, 4 * GBPS8, 0); /* x to c */
    cable(&rig, "bd", TOPO_FABRIC, 2 * GBPS8, 0); /* y and z */
    cable(&rig, "de", TOPO_FABRIC, 4 * GBPS8, 0); /* both to e */
    cable(&rig, "bf", TOPO_FABRIC, 4 * GBPS8, 0); /* z comes from f */
    rig_wired(&rig);
    send(&rig, 0, "ac", 1000, 0); /* x: 1/2 byte per ns */
    send(&rig, 1, "ae", 2000, 0); /* y: 1/2, then 1 */
    send(&rig, 2, "fe", 4000, 0); /* z: 3/2, then 1 */
    run(&rig);
    got(&rig, 0, 2000, 2000, 1000);
    got(&rig, 1, 3000, 3000, 1000); /* 1000 B in 2000 ns, 1000 B in 1000 ns */
    got(&rig, 2, 3000, 3000, 1000); /* 3000 B in 2000 ns, 1000 B in 1000 ns */
    arena_free(&rig.arena);
}

/* Each kind of link names its bound; the bound is of the link that limits when the message ends. */
static void fabric_send__bound_is_the_link_that_limits(void **state)
{
    (void)state;
    static const struct {
        int64_t nic_bps, switch_bps, wan_bps, server_bps;
        enum bound bound;
    } cases[] = {{1000, 2000, 3000, 4000, BOUND_NIC},
                 {4000, 1000, 3000, 2000, BOUND_SWITCH},
                 {4000, 3000, 1000, 2000, BOUND_WAN},
                 {4000, 3000, 2000, 1000, BOUND_SERVER}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        rig_open(&rig, "hsssh");
        cable(&rig, "ab", TOPO_NIC, cases[i].nic_bps, 1);
        cable(&rig, "bc", TOPO_FABRIC, cases[i].switch_bps, 1);
        cable(&rig, "cd", TOPO_WAN, cases[i].wan_bps, 1);
        cable(&rig, "de", TOPO_SERVER, cases[i].server_bps, 1);
        rig_wired(&rig);
        send(&rig, 0, "ae", 1, 0);
        run(&rig);
        assert_int_equal(rig.m[0].msg.bound, cases[i].bound);
        arena_free(&rig.arena);
    }
}

/* Alone the NIC of 8 Gb/s limits; three together meet at d, whose link is a server's. */
static void fabric_send__bound_of_a_shared_link(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ad", 1000, 0);
    send(&rig, 1, "bd", 2000, 0);
    send(&rig, 2, "cd", 2000, 0);
    send(&rig, 3, "ab", 1000, 10000);
    run(&rig);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig.m[i].msg.bound, BOUND_SERVER);
    got(&rig, 0, 3000, 4000, 2000);
    got(&rig, 1, 5000, 6000, 3000);
    assert_int_equal(rig.m[3].msg.bound, BOUND_NIC);
    arena_free(&rig.arena);
}

/* `done` may send again at once, the same struct; `sent` may be left out. */
static void fabric_send__again_from_done(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ab", 1000, 0);
    rig.m[0].msg.sent = NULL;
    rig.m[0].resend = 3;
    run(&rig);
    assert_int_equal(rig.m[0].done_ps, 4 * 2000 * NS);
    assert_int_equal(rig.m[0].sent_ps, -1);
    assert_true(flow_link_bytes(rig.fabric, 0) == 4000);
    arena_free(&rig.arena);
}

/* Transmission ends, the next begins: messages of one instant after another see no trace of it. */
static void fabric_send__one_leaves_as_another_comes(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ac", 1000, 0);
    send(&rig, 1, "bc", 1000, 1000);
    send(&rig, 2, "ac", 1000, 2000);
    run(&rig);
    for (int i = 0; i < 3; i++)
        got(&rig, i, 1000 * (i + 1), 1000 * (i + 2), 0);
    arena_free(&rig.arena);
}

static void fabric_send__many_equal_end_together(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    for (int i = 0; i < MSGS; i++)
        send(&rig, i, "ab", 1000, 50);
    run(&rig);
    for (int i = 0; i < MSGS; i++)
        got(&rig, i, 50 + 1000 * MSGS, 1050 + 1000 * MSGS, 1000 * (MSGS - 1));
    arena_free(&rig.arena);
}

static void flow_link_bytes__while_they_flow(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ac", 1000, 0);
    send(&rig, 1, "bc", 3000, 0);
    static const struct {
        int64_t at_ns;
        double from_a, to_c;
    } cases[] = {
        {0, 0, 0}, {1000, 500, 1000}, {2000, 1000, 2000}, {3500, 1000, 3500}, {9000, 1000, 4000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim_run(rig.sim, &(struct sim_limits){.max_sim_ps = cases[i].at_ns * NS + 1});
        assert_true(fabs(flow_link_bytes(rig.fabric, 0) - cases[i].from_a) < 0.01);
        assert_true(fabs(flow_link_bytes(rig.fabric, 5) - cases[i].to_c) < 0.01);
        assert_true(flow_link_bytes(rig.fabric, 4) == 0);
    }
    arena_free(&rig.arena);
}

static double metric(const struct record *record, const char *entity, const char *name)
{
    double value = 0;
    if (!record_find(record, entity, name, &value)) fail_msg("no metric %s of %s", name, entity);
    return value;
}

static void flow_record__bytes_and_utilisation(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    send(&rig, 0, "ac", 1000, 0);
    run(&rig); /* until 2000 ns */
    struct record record;
    record_init(&record);
    flow_record(rig.fabric, &record);
    assert_true(metric(&record, "link/a>e", "wire_bytes") == 1000);
    assert_true(fabs(metric(&record, "link/a>e", "utilisation") - 0.5) < 1e-12);
    assert_true(metric(&record, "link/e>c", "wire_bytes") == 1000);
    assert_true(metric(&record, "link/c>e", "wire_bytes") == 0);
    record_free(&record);
    arena_free(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fabric_path__delay_and_slowest_link),
        cmocka_unit_test(fabric_send__alone),
        cmocka_unit_test(fabric_send__ends_are_rounded_up),
        cmocka_unit_test(fabric_send__framing),
        cmocka_unit_test(fabric_send__two_share_then_one_leaves),
        cmocka_unit_test(fabric_send__late_joiner),
        cmocka_unit_test(fabric_send__several_join_and_leave),
        cmocka_unit_test(fabric_send__directions_do_not_meet),
        cmocka_unit_test(fabric_send__disjoint_sets_are_not_touched),
        cmocka_unit_test(fabric_send__the_effect_travels_through_shared_links),
        cmocka_unit_test(fabric_send__bound_is_the_link_that_limits),
        cmocka_unit_test(fabric_send__bound_of_a_shared_link),
        cmocka_unit_test(fabric_send__again_from_done),
        cmocka_unit_test(fabric_send__one_leaves_as_another_comes),
        cmocka_unit_test(fabric_send__many_equal_end_together),
        cmocka_unit_test(flow_link_bytes__while_they_flow),
        cmocka_unit_test(flow_record__bytes_and_utilisation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
