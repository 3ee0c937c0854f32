/* test_net_modes.c - the packet fabric in other modes: cut-through, InfiniBand credits, several
 * classes, faults of links. Times by hand, to the picosecond; conservation in each run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/net/port.h"
#include "tests/unit/net_rig.h"

#define FULL (NET_RIG_MTU + NET_RIG_FRAME)
#define HEADERS 62
#define IB_HEADERS 26
#define QUIET "cc: {kind: none}, ecn: {on: false}"

static struct net_rig the_rig;
static const int64_t delays_ps[] = {500000, 1234567, 0, 77, 1000000, 3};

static int64_t sum_ps(int links)
{
    int64_t sum = 0;
    for (int i = 0; i < links; i++)
        sum += delays_ps[i];
    return sum;
}

/* ---- cut-through ---------------------------------------------------------------------------- */

/* ser + H headers + sum of delays. */
static void cut_through__one_packet_over_h_switches(void **state)
{
    (void)state;
    for (int h = 1; h <= 5; h++) {
        net_rig_open(&the_rig, 1, QUIET ", forwarding: cut-through");
        net_rig_chain(&the_rig, h, NET_RIG_400G, delays_ps);
        net_rig_wired(&the_rig);
        struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 4080, 7);
        net_rig_run(&the_rig);
        assert_int_equal(m->done_ps, 7 + FULL * NET_RIG_BYTE_PS + h * HEADERS * NET_RIG_BYTE_PS +
                                         sum_ps(h + 1));
        net_rig_close(&the_rig);
    }
}

/* Where the next link is faster the packet would run dry: it is stored first. */
static void cut_through__not_towards_a_faster_link(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", forwarding: cut-through");
    int32_t sw = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    net_rig_host(&the_rig, sw, NET_RIG_400G / 2, 0);
    net_rig_host(&the_rig, sw, NET_RIG_400G, 0);
    net_rig_wired(&the_rig);
    struct net_rig_msg *up = net_rig_send(&the_rig, (int[]){0, 1}, 4080, 0);
    struct net_rig_msg *down = net_rig_send(&the_rig, (int[]){1, 0}, 4080, 0);
    net_rig_run(&the_rig);
    assert_int_equal(up->done_ps, 3 * FULL * NET_RIG_BYTE_PS);
    assert_int_equal(down->done_ps, (2 * FULL + HEADERS) * NET_RIG_BYTE_PS);
    net_rig_close(&the_rig);
}

/* ---- InfiniBand ----------------------------------------------------------------------------- */

/* 16 to 1 over two tiers with next to no buffer: nothing is lost, nothing paused, and the link of
 * the receiver is never idle. */
static void infiniband__incast_loses_nothing(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", link_layer: infiniband");
    net_rig_leaf_spine(&the_rig, &(struct net_rig_shape){.leaves = 4,
                                                         .hosts = 8,
                                                         .spines = 4,
                                                         .host_bps = NET_RIG_400G,
                                                         .spine_bps = NET_RIG_400G,
                                                         .delay_ps = 500000});
    net_rig_wired(&the_rig);
    for (int i = 0; i < 16; i++)
        net_rig_send(&the_rig, (int[]){8 + i, 0}, 1000000, 0);
    struct net_totals sum = net_rig_run(&the_rig);
    int64_t last_ps = 0, wire = 16 * (1000000 + 245 * IB_HEADERS + NET_RIG_RETH);
    for (int i = 0; i < 16; i++)
        if (the_rig.m[i].done_ps > last_ps) last_ps = the_rig.m[i].done_ps;
    assert_int_equal(sum.drops + sum.pauses + sum.timeouts, 0);
    assert_in_range(last_ps, wire * NET_RIG_BYTE_PS, wire * NET_RIG_BYTE_PS * 101 / 100 + 5000000);
    net_rig_close(&the_rig);
}

/* Credit for B bytes on a link with a round trip of T carries at most B / T, and comes close. */
static void infiniband__credit_limits_a_long_link(void **state)
{
    (void)state;
    const int64_t delay_ps = 10000000, bytes = 40 * FULL;
    net_rig_open(&the_rig, 1, QUIET ", link_layer: infiniband, credit_buffer: 167120B");
    int32_t near = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    int32_t far = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    net_rig_host(&the_rig, near, NET_RIG_400G, 0);
    net_rig_cable(&the_rig, (int32_t[]){near, far}, NET_RIG_400G, delay_ps);
    net_rig_host(&the_rig, far, NET_RIG_400G, 0);
    net_rig_wired(&the_rig);
    struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 10000 * NET_RIG_MTU, 0);
    net_rig_run(&the_rig);
    double rate = 10000.0 * FULL / (double)m->done_ps,
           limit = (double)bytes / (2.0 * (double)delay_ps);
    assert_true(rate <= limit * 1.001);
    assert_true(rate >= limit * 0.9);
    net_rig_close(&the_rig);
}

/* What a port holds is never more than the room that its neighbour has credit for. */
static void infiniband__room_is_never_exceeded(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", link_layer: infiniband, credit_buffer: 60kB");
    net_rig_star(&the_rig, 9, NET_RIG_400G, 300000);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 8; i++)
        net_rig_send(&the_rig, (int[]){1 + i, 0}, 500000, i * 1000);
    struct net_totals sum = net_rig_run(&the_rig);
    assert_int_equal(sum.drops, 0);
    assert_in_range(sum.ingress_max_bytes, 30000, 60000);
    net_rig_close(&the_rig);
}

/* Unless said otherwise a port has its part of the buffer, but never less than its link needs. */
static void infiniband__room_for_a_queue(void **state)
{
    (void)state;
    for (int small = 0; small < 2; small++) {
        net_rig_open(&the_rig, 1,
                     small ? QUIET ", link_layer: infiniband, buffer: 10kB"
                           : QUIET ", link_layer: infiniband, buffer: 1MB");
        net_rig_star(&the_rig, 4, NET_RIG_400G, 100000);
        net_rig_wired(&the_rig);
        const struct net_parts parts = net_parts(the_rig.fabric);
        for (int32_t l = 0; l < parts.graph->link_n; l++) {
            const struct port_credit *credit = parts.port[l]->credit;
            if (!credit) continue;
            assert_int_equal(credit->left_bytes[0], small ? 10000 + 4 * (4096 + 26 + 16) : 250000);
        }
        net_rig_close(&the_rig);
    }
}

/* ---- classes -------------------------------------------------------------------------------- */

/* Two messages over one link, 3 : 1. The heavy one is done when 4/3 of it have passed. */
static void classes__share_a_link_by_weight(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", classes: [{name: a, weight: 3}, {name: b, weight: 1}]");
    net_rig_star(&the_rig, 3, NET_RIG_400G, 0);
    net_rig_wired(&the_rig);
    struct net_rig_msg *a = net_rig_send(&the_rig, (int[]){0, 2}, 3000 * NET_RIG_MTU, 0);
    struct net_rig_msg *b = net_rig_send(&the_rig, (int[]){1, 2}, 3000 * NET_RIG_MTU, 0);
    b->msg.traffic_class = 1;
    struct net_totals sum = net_rig_run(&the_rig);
    assert_int_equal(sum.drops, 0);
    assert_in_range(a->done_ps, (int64_t)3980 * FULL * NET_RIG_BYTE_PS,
                    (int64_t)4040 * FULL * NET_RIG_BYTE_PS);
    assert_in_range(b->done_ps, (int64_t)6000 * FULL * NET_RIG_BYTE_PS,
                    (int64_t)6010 * FULL * NET_RIG_BYTE_PS);
    net_rig_close(&the_rig);
}

/* A class that is paused because its receiver is slow does not stop another one. */
static void classes__pause_is_of_one_class(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1,
                 QUIET ", pfc: {xoff: 50kB, xon: 20kB}, classes: [{name: a}, {name: b}]");
    int32_t one = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    int32_t two = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    net_rig_host(&the_rig, one, NET_RIG_400G, 0);
    net_rig_host(&the_rig, one, NET_RIG_400G, 0);
    net_rig_cable(&the_rig, (int32_t[]){one, two}, NET_RIG_400G, 100000);
    net_rig_host(&the_rig, two, NET_RIG_400G / 10, 0);
    net_rig_host(&the_rig, two, NET_RIG_400G, 0);
    net_rig_wired(&the_rig);
    net_rig_send(&the_rig, (int[]){0, 2}, 400 * NET_RIG_MTU, 0);
    struct net_rig_msg *b = net_rig_send(&the_rig, (int[]){1, 3}, 400 * NET_RIG_MTU, 20000000);
    b->msg.traffic_class = 1;
    struct net_totals sum = net_rig_run(&the_rig);
    assert_true(sum.pauses > 0);
    assert_int_equal(sum.drops, 0);
    /* Ten per cent of its link are taken by the other class. */
    assert_in_range(b->done_ps - 20000000, 0, (int64_t)460 * FULL * NET_RIG_BYTE_PS);
    net_rig_close(&the_rig);
}

/* ---- faults --------------------------------------------------------------------------------- */

struct switching {
    struct timer timer;
    int32_t link;
    struct fabric_link state;
};

static void on_switch(struct sim *sim, void *self)
{
    (void)sim;
    const struct switching *change = self;
    fabric_set_link(the_rig.fabric, change->link, &change->state);
}

static void change_link(struct switching *change, int64_t at_ps)
{
    timer_init(&change->timer, on_switch, change, sim_component(the_rig.sim), 0);
    timer_arm(the_rig.sim, &change->timer, at_ps);
}

static const struct net_rig_shape two_by_two = {.leaves = 2,
                                                .hosts = 2,
                                                .spines = 2,
                                                .host_bps = NET_RIG_400G,
                                                .spine_bps = NET_RIG_400G,
                                                .delay_ps = 500000};

/* One of two uplinks fails under way: what was lost is sent again, over the other one. */
static void link_down__traffic_goes_round_it(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", retransmit: 200us, convergence: 50us");
    net_rig_leaf_spine(&the_rig, &two_by_two);
    net_rig_wired(&the_rig);
    struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 2}, 1000 * NET_RIG_MTU, 0);
    struct switching down[2] = {{.link = 0}, {.link = 1}};
    change_link(&down[0], 20000000);
    change_link(&down[1], 20000000);
    struct net_totals sum = net_rig_run(&the_rig);
    assert_true(sum.drops > 0);
    assert_true(sum.timeouts > 0);
    assert_in_range(m->done_ps, (int64_t)1000 * FULL * NET_RIG_BYTE_PS, 1000000000);
    net_rig_close(&the_rig);
}

/* Both uplinks of the way back fail where nobody near sees it: until all know, packets die at the
 * spine; then there is no way, until it is back. */
static void link_down__no_way_until_it_is_back(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", retransmit: 100us, retries: 0, convergence: 10us");
    net_rig_leaf_spine(&the_rig, &two_by_two);
    net_rig_wired(&the_rig);
    struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 2}, 100 * NET_RIG_MTU, 0);
    struct switching change[8] = {0};
    for (int i = 0; i < 8; i++) { /* the cables of leaf 1 are links 8 to 11 */
        change[i].link = 8 + i % 4;
        change[i].state.rate_bps = i < 4 ? 0 : NET_RIG_400G;
        change_link(&change[i], i < 4 ? 1000000 : 1000000000);
    }
    struct net_totals sum = net_rig_run(&the_rig);
    assert_true(sum.drops > 0);
    assert_in_range(m->done_ps, 1000000000, 1300000000);
    net_rig_close(&the_rig);
}

static void link_slow__is_the_bottleneck(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET);
    net_rig_chain(&the_rig, 1, NET_RIG_400G, delays_ps);
    net_rig_wired(&the_rig);
    struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 1000 * NET_RIG_MTU, 0);
    struct switching slow = {.link = 2, .state.rate_bps = NET_RIG_400G / 4};
    change_link(&slow, 0);
    if (the_rig.graph.links[2].from == the_rig.host[1]) slow.link = 3;
    net_rig_run(&the_rig);
    assert_in_range(m->done_ps, (int64_t)4000 * FULL * NET_RIG_BYTE_PS,
                    (int64_t)4002 * FULL * NET_RIG_BYTE_PS + sum_ps(2));
    net_rig_close(&the_rig);
}

/* A receiver pauses its switch without end. The watchdog lets what is meant for it go, so that the
 * others, whose packets waited behind, go on; when it stops, all is delivered. */
static void pause_storm__the_watchdog_frees_the_others(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        net_rig_open(&the_rig, 1,
                     on ? QUIET ", pfc: {xoff: 50kB, xon: 20kB, watchdog: 100us}, retransmit: 1ms"
                        : QUIET ", pfc: {xoff: 50kB, xon: 20kB, watchdog: 0s}, retransmit: 1ms");
        int32_t one = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
        int32_t two = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
        net_rig_host(&the_rig, one, NET_RIG_400G, 0);
        net_rig_cable(&the_rig, (int32_t[]){one, two}, NET_RIG_400G, 100000);
        net_rig_host(&the_rig, two, NET_RIG_400G, 0); /* the one that storms: links 4, 5 */
        net_rig_host(&the_rig, two, NET_RIG_400G, 0);
        net_rig_wired(&the_rig);
        int32_t storming = the_rig.graph.links[4].to == the_rig.host[1] ? 4 : 5;
        struct switching storm[2] = {
            {.link = storming, .state = {.rate_bps = NET_RIG_400G, .storm = true}},
            {.link = storming, .state = {.rate_bps = NET_RIG_400G}}};
        change_link(&storm[0], 0);
        change_link(&storm[1], 5000000000);
        net_rig_send(&the_rig, (int[]){0, 1}, 100 * NET_RIG_MTU, 1000000);
        struct net_rig_msg *victim =
            net_rig_send(&the_rig, (int[]){0, 2}, 100 * NET_RIG_MTU, 50000000);
        struct net_totals sum = net_rig_run(&the_rig);
        if (on) {
            assert_in_range(victim->done_ps, 100000000, 250000000);
            assert_true(sum.drops > 0);
            assert_true(net_rig_metric(&the_rig, "pause_storms") >= 1);
        } else {
            assert_in_range(victim->done_ps, 5000000000, 5100000000);
            assert_int_equal(sum.drops, 0);
        }
        net_rig_close(&the_rig);
    }
}

/* Lost packets are sent again until all are there. */
static void bit_errors__all_arrives_in_the_end(void **state)
{
    (void)state;
    static const char *const bodies[] = {QUIET ", retransmit: 50us",
                                         QUIET ", retransmit: 50us, delivery: in-order"};
    for (int i = 0; i < 2; i++) {
        net_rig_open(&the_rig, 1, bodies[i]);
        net_rig_chain(&the_rig, 1, NET_RIG_400G, delays_ps);
        net_rig_wired(&the_rig);
        for (int32_t l = 0; l < 4; l++)
            fabric_set_link(the_rig.fabric, l,
                            &(struct fabric_link){.rate_bps = NET_RIG_400G, .bit_errors = 1e-6});
        net_rig_send(&the_rig, (int[]){0, 1}, 500 * NET_RIG_MTU, 0);
        struct net_totals sum = net_rig_run(&the_rig);
        assert_true(sum.drops > 10);
        net_rig_close(&the_rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_through__one_packet_over_h_switches),
        cmocka_unit_test(cut_through__not_towards_a_faster_link),
        cmocka_unit_test(infiniband__incast_loses_nothing),
        cmocka_unit_test(infiniband__credit_limits_a_long_link),
        cmocka_unit_test(infiniband__room_is_never_exceeded),
        cmocka_unit_test(infiniband__room_for_a_queue),
        cmocka_unit_test(classes__share_a_link_by_weight),
        cmocka_unit_test(classes__pause_is_of_one_class),
        cmocka_unit_test(link_down__traffic_goes_round_it),
        cmocka_unit_test(link_down__no_way_until_it_is_back),
        cmocka_unit_test(link_slow__is_the_bottleneck),
        cmocka_unit_test(pause_storm__the_watchdog_frees_the_others),
        cmocka_unit_test(bit_errors__all_arrives_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
