/* test_net_faults.c - what a packet fabric does about what is broken: for good, or at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "models/net/port.h"
#include "tests/unit/net_rig.h"

#define QUIET "cc: {kind: none}, ecn: {on: false}"

static struct net_rig the_rig;
static const struct fabric_link down = {0};

/* Two leaves, two spines, a host at each leaf. Returns the link from spine 0 to leaf 1. */
static int32_t two_ways(struct net_rig *rig)
{
    int32_t leaf[2], spine[2];
    for (int i = 0; i < 2; i++)
        leaf[i] = topo_node(&rig->graph, TOPO_SWITCH, i ? "leaf1" : "leaf0");
    for (int i = 0; i < 2; i++) {
        spine[i] = topo_node(&rig->graph, TOPO_SWITCH, i ? "spine1" : "spine0");
        for (int l = 0; l < 2; l++)
            net_rig_cable(rig, (int32_t[]){spine[i], leaf[l]}, NET_RIG_400G, 100000);
    }
    for (int l = 0; l < 2; l++)
        net_rig_host(rig, leaf[l], NET_RIG_400G, 100000);
    for (int32_t l = 0; l < rig->graph.link_n; l++)
        if (rig->graph.links[l].from == spine[0] && rig->graph.links[l].to == leaf[1]) return l;
    fail();
    return -1;
}

static void down_from_the_first__all_know(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        net_rig_open(&the_rig, 1, QUIET ", retransmit: 50us, convergence: 10us");
        int32_t link = two_ways(&the_rig);
        net_rig_wired(&the_rig);
        net_rig_send(&the_rig, (int[]){0, 1}, 100 * NET_RIG_MTU, 0);
        if (late) sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = 300000});
        fabric_set_link(the_rig.fabric, link, &down);
        fabric_set_link(the_rig.fabric, link ^ 1, &down);
        struct net_totals sum = net_rig_run(&the_rig);
        if (late)
            assert_true(sum.drops > 0);
        else
            assert_int_equal(sum.drops + sum.timeouts, 0);
        net_rig_close(&the_rig);
    }
}

/* The first timeout comes 4 ms after the packets, then one after the other: 7 times again. */
static void retries__who_is_cut_off_gives_up(void **state)
{
    (void)state;
    static const char *const bodies[] = {QUIET ", recovery: go-back-n",
                                         QUIET ", recovery: selective",
                                         QUIET ", recovery: selective, retries: 3"};
    for (int i = 0; i < 3; i++) {
        const int64_t tries = i == 2 ? 4 : 8;
        net_rig_open(&the_rig, 1, bodies[i]);
        two_ways(&the_rig);
        net_rig_wired(&the_rig);
        for (int32_t l = 0; l < the_rig.graph.link_n; l++)
            if (the_rig.graph.links[l].to == the_rig.host[1])
                fabric_set_link(the_rig.fabric, l, &down);
        net_rig_send(&the_rig, (int[]){0, 1}, 10 * NET_RIG_MTU, 0);
        assert_null(net_broken(the_rig.fabric, &the_rig.arena));
        assert_int_equal(sim_run(the_rig.sim, &(struct sim_limits){0}), SIM_DONE);
        assert_in_range(sim_now_ps(the_rig.sim), tries * 4000000000, tries * 4000000000 + 1000000);
        const char *text = net_broken(the_rig.fabric, &the_rig.arena);
        assert_non_null(text);
        assert_non_null(strstr(text, "no acknowledgement"));
        assert_non_null(strstr(text, i == 2 ? "3 retries" : "7 retries"));
        net_rig_close(&the_rig);
    }
}

/* Half of the packets are lost: many timeouts, but few of them one after the other. */
static void retries__an_acknowledgement_counts_anew(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET ", retransmit: 50us, recovery: go-back-n, retries: 4");
    two_ways(&the_rig);
    net_rig_wired(&the_rig);
    for (int32_t l = 0; l < the_rig.graph.link_n; l++)
        if (the_rig.graph.links[l].to == the_rig.host[1])
            fabric_set_link(the_rig.fabric, l,
                            &(struct fabric_link){.rate_bps = NET_RIG_400G, .bit_errors = 2e-5});
    net_rig_send(&the_rig, (int[]){0, 1}, 500 * NET_RIG_MTU, 0);
    struct net_totals sum = net_rig_run(&the_rig);
    assert_true(sum.timeouts > 4);
    assert_null(net_broken(the_rig.fabric, &the_rig.arena));
    net_rig_close(&the_rig);
}

/* No link draws what another drew some packets before. */
static void bit_errors__links_draw_apart(void **state)
{
    (void)state;
    uint64_t drawn[4][64];
    net_rig_open(&the_rig, 1, QUIET);
    two_ways(&the_rig);
    net_rig_wired(&the_rig);
    for (int32_t l = 0; l < 4; l++) {
        fabric_set_link(the_rig.fabric, l,
                        &(struct fabric_link){.rate_bps = NET_RIG_400G, .bit_errors = 1e-6});
        struct rng rng = net_parts(the_rig.fabric).port[l]->rng;
        for (int i = 0; i < 64; i++)
            drawn[l][i] = rng_u64(&rng);
    }
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < a; b++)
            for (int i = 0; i < 64 * 64; i++)
                assert_true(drawn[a][i / 64] != drawn[b][i % 64]);
    net_rig_close(&the_rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(down_from_the_first__all_know),
        cmocka_unit_test(retries__who_is_cut_off_gives_up),
        cmocka_unit_test(retries__an_acknowledgement_counts_anew),
        cmocka_unit_test(bit_errors__links_draw_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
