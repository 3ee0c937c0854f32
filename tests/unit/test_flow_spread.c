/* test_flow_spread.c - messages over several equal links, as one or by a hash; links that fail;
 * streams, whose messages leave in turn. Times by hand, at 8 Gb/s a byte takes a nanosecond. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/flow_rig.h"

#define UP 4 /* the first link c>e; c>f is two more, e>d four and f>d six more */

/* Hosts a, b at leaves c, d with 16 Gb/s; spines e, f with 8 Gb/s a link; no delays. */
static void clos(struct rig *rig, bool spread)
{
    rig_open(rig, "hhssss");
    cable(rig, "ac", TOPO_NIC, 2 * GBPS8, 0);
    cable(rig, "bd", TOPO_NIC, 2 * GBPS8, 0);
    cable(rig, "ce", TOPO_FABRIC, GBPS8, 0);
    cable(rig, "cf", TOPO_FABRIC, GBPS8, 0);
    cable(rig, "ed", TOPO_FABRIC, GBPS8, 0);
    cable(rig, "fd", TOPO_FABRIC, GBPS8, 0);
    rig->fabric = spread ? flow_new_spread(rig->sim, &rig->graph) : flow_new(rig->sim, &rig->graph);
}

static void carried(const struct rig *rig, int32_t link, double bytes)
{
    double got_bytes = flow_link_bytes(rig->fabric, link);
    if (fabs(got_bytes - bytes) > 1e-6)
        fail_msg("%s: %.9g bytes, not %.9g", rig->graph.links[link].name, got_bytes, bytes);
}

static void flow_new_spread__all_links_of_a_hop(void **state)
{
    (void)state;
    struct rig rig;
    clos(&rig, true);
    assert_true(fabric_path(rig.fabric, 0, 1).bottleneck_bps == 2 * GBPS8);
    send(&rig, 0, "ab", 4000, 0);
    run(&rig);
    got(&rig, 0, 2000, 2000, 0);
    carried(&rig, 0, 4000);
    for (int32_t l = UP; l < UP + 8; l += 2)
        carried(&rig, l, 2000);
    for (int32_t l = UP + 1; l < UP + 8; l += 2)
        carried(&rig, l, 0);
    arena_free(&rig.arena);
}

/* 2000 B go at once; then one link of two is down for 1000 ns: 1000 B; the rest at full rate. */
static void flow_new_spread__a_link_of_several_is_down(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    clos(&rig, true);
    send(&rig, 0, "ab", 8000, 0);
    set_rate(&rig, &turn[0], UP, 0, 1000);
    set_rate(&rig, &turn[1], UP, GBPS8, 2000);
    run(&rig);
    got(&rig, 0, 4500, 4500, 500);
    carried(&rig, UP, 1000 + 2500);
    carried(&rig, UP + 2, 1000 + 1000 + 2500);
    carried(&rig, UP + 4, 4000);
    arena_free(&rig.arena);
}

/* One at half its rate, the other as it was: they carry 1 : 2. */
static void flow_new_spread__a_slow_link_carries_less(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn;
    clos(&rig, true);
    send(&rig, 0, "ab", 6000, 0);
    set_rate(&rig, &turn, UP + 2, GBPS8 / 2, 0);
    run(&rig);
    got(&rig, 0, 4000, 4000, 1000);
    carried(&rig, UP, 4000);
    carried(&rig, UP + 2, 2000);
    arena_free(&rig.arena);
}

static void flow_new_spread__stands_still_when_all_are_down(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[3];
    clos(&rig, true);
    send(&rig, 0, "ab", 4000, 0);
    set_rate(&rig, &turn[0], UP, 0, 1000);
    set_rate(&rig, &turn[1], UP + 2, 0, 1000);
    run(&rig);
    assert_int_equal(rig.m[0].sent_ps, -1);
    assert_string_equal(flow_stuck(rig.fabric, &rig.arena),
                        "1 message stands still: c>e and 1 other link are down");
    carried(&rig, UP, 1000);
    set_rate(&rig, &turn[2], UP, GBPS8, 9000);
    run(&rig);
    got(&rig, 0, 11000, 11000, 9000);
    carried(&rig, UP, 3000);
    carried(&rig, UP + 2, 1000);
    arena_free(&rig.arena);
}

/* A hashed message leaves the link that goes down for the other spine, with what is left; one that
 * comes later goes there at once; when it is back, new ones use it again. */
static void flow_set_rate__other_ways_for_hashed_messages(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    int32_t path[TOPO_PATH_MAX];
    clos(&rig, false);
    send(&rig, 0, "ab", 4000, 0);
    send(&rig, 1, "ab", 500, 5000);
    send(&rig, 2, "ab", 700, 9000);
    for (int i = 1; i < 3; i++)
        rig.m[i].msg.stream = 0;
    assert_int_equal(topo_path(&rig.graph, 0, 1, 0, path), 4);
    const int32_t mine = path[1], other = path[1] == UP ? UP + 2 : UP;
    set_rate(&rig, &turn[0], mine, 0, 1000);
    set_rate(&rig, &turn[1], mine, GBPS8, 8000);
    run(&rig);
    got(&rig, 0, 4000, 4000, 0);
    got(&rig, 1, 5500, 5500, 0);
    got(&rig, 2, 9700, 9700, 0);
    carried(&rig, mine, 1000 + 700);
    carried(&rig, other, 3000 + 500);
    carried(&rig, 0, 4000 + 500 + 700);
    assert_int_equal(strlen(flow_stuck(rig.fabric, &rig.arena)), 0);
    arena_free(&rig.arena);
}

/* What waits for a message that takes another way goes that way, too, while its own is down. */
static void flow_set_rate__what_waits_goes_along(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[2];
    int32_t path[TOPO_PATH_MAX];
    clos(&rig, false);
    topo_path(&rig.graph, 0, 1, 0, path);
    for (int i = 0; i < 3; i++) {
        send(&rig, i, "ab", 2000, 0);
        rig.m[i].msg.stream = 0;
    }
    set_rate(&rig, &turn[0], path[1], 0, 1000);
    set_rate(&rig, &turn[1], path[1], GBPS8, 3000);
    run(&rig);
    got(&rig, 0, 2000, 2000, 0);
    got(&rig, 1, 4000, 4000, 2000);
    got(&rig, 2, 6000, 6000, 4000);
    carried(&rig, path[1], 1000 + 2000); /* the third found it back */
    arena_free(&rig.arena);
}

/* Both spines are lost to c: no way is left, and none of the hosts' own links has another. */
static void flow_set_rate__no_other_way(void **state)
{
    (void)state;
    struct rig rig;
    struct turn turn[3];
    clos(&rig, false);
    send(&rig, 0, "ab", 4000, 0);
    set_rate(&rig, &turn[0], UP, 0, 1000);
    set_rate(&rig, &turn[1], UP + 2, 0, 2000);
    set_rate(&rig, &turn[2], UP, GBPS8, 7000);
    run(&rig);
    got(&rig, 0, 9000, 9000, 5000);
    arena_free(&rig.arena);
}

/* Same two ends and stream: one after the other, each at the full rate, and beside another stream
 * each at half of it. */
static void fabric_send__messages_of_a_stream_leave_in_turn(void **state)
{
    (void)state;
    struct rig rig;
    star(&rig);
    for (int i = 0; i < 3; i++) {
        send(&rig, i, "ab", 1000, 0);
        rig.m[i].msg.stream = 7;
    }
    run(&rig);
    for (int i = 0; i < 3; i++)
        got(&rig, i, 1000 + 1000 * i, 2000 + 1000 * i, 1000 * i);
    arena_free(&rig.arena);
    star(&rig);
    send(&rig, 0, "ab", 1000, 0);
    send(&rig, 1, "ab", 1000, 500);
    rig.m[1].msg.stream = 0;
    send(&rig, 2, "ac", 1000, 0);
    rig.m[2].msg.stream = 0;
    run(&rig);
    got(&rig, 0, 2000, 3000, 1000);
    got(&rig, 1, 3000, 4000, 1500);
    got(&rig, 2, 2000, 3000, 1000);
    assert_true(flow_link_bytes(rig.fabric, 0) == 3000);
    arena_free(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_new_spread__all_links_of_a_hop),
        cmocka_unit_test(flow_new_spread__a_link_of_several_is_down),
        cmocka_unit_test(flow_new_spread__a_slow_link_carries_less),
        cmocka_unit_test(flow_new_spread__stands_still_when_all_are_down),
        cmocka_unit_test(flow_set_rate__other_ways_for_hashed_messages),
        cmocka_unit_test(flow_set_rate__what_waits_goes_along),
        cmocka_unit_test(flow_set_rate__no_other_way),
        cmocka_unit_test(fabric_send__messages_of_a_stream_leave_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
