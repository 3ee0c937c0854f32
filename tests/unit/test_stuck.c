/* test_stuck.c - deadlocks are found and named, also while timers go on; congestion is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/rng.h"
#include "tests/unit/net_rig.h"

#define G100 INT64_C(100000000000)
#define QUIET "cc: {kind: none}, ecn: {on: false}, buffer: 1MB, retransmit: 100us, "

static struct net_rig the_rig; /* too large for a stack */

/* A ring of n switches s0, s1, ... with a host each, hosts first among the cables. */
static void open_ring(int n, const char *body)
{
    int32_t sw[16];
    net_rig_open(&the_rig, 1, body);
    for (int i = 0; i < n; i++) {
        const char *name = arena_printf(&the_rig.arena, "s%d", i);
        sw[i] = topo_node(&the_rig.graph, TOPO_SWITCH, name);
        net_rig_host(&the_rig, sw[i], G100, 500000);
    }
    for (int i = 0; i < n; i++)
        net_rig_cable(&the_rig, (int32_t[]){sw[i], sw[(i + 1) % n]}, G100, 500000);
    net_rig_wired(&the_rig);
}

/* Every host sends to the host two further. */
static void send_two_further(int n, int64_t bytes)
{
    for (int i = 0; i < n; i++)
        net_rig_send(&the_rig, (int[]){i, (i + 2) % n}, bytes, 0);
}

/* Run with checks when they are due; true if one finds a deadlock. */
static bool run_checked(struct stuck *stuck, int64_t end_ps)
{
    stuck_init(stuck, the_rig.fabric, PS_PER_MS);
    while (stuck->due_ps < end_ps) {
        const struct sim_limits slice = {.max_sim_ps = stuck->due_ps};
        if (sim_run(the_rig.sim, &slice) == SIM_IDLE) return false;
        if (stuck_check(stuck)) return true;
    }
    return false;
}

static void stuck_check__ring_of_five_is_a_deadlock(void **state)
{
    (void)state;
    struct stuck stuck;
    open_ring(5, QUIET "pfc: {xoff: 40kB}");
    send_two_further(5, 10000000);
    assert_true(run_checked(&stuck, PS_PER_S));
    assert_int_equal(sim_now_ps(the_rig.sim), 2 * PS_PER_MS); /* seen at 1 ms, certain at 2 ms */
    assert_string_equal(stuck_text(the_rig.fabric, &the_rig.arena),
                        "PFC deadlock: 5 links wait for each other: s0>s1, s1>s2, s2>s3, s3>s4, "
                        "s4>s0");
    /* Timers of minutes may be armed, and nothing ever moves again. */
    struct net_totals before = net_totals(the_rig.fabric);
    const struct sim_limits second = {.max_sim_ps = PS_PER_S / 10};
    assert_int_equal(sim_run(the_rig.sim, &second), SIM_MAX_TIME);
    assert_int_equal(net_totals(the_rig.fabric).data_hops, before.data_hops);
    assert_int_equal(net_totals(the_rig.fabric).drops, 0);
    net_rig_close(&the_rig);
}

/* The same without PFC, by lack of credit. */
static void stuck_check__credits_wait_in_a_circle_too(void **state)
{
    (void)state;
    struct stuck stuck;
    open_ring(5, QUIET "link_layer: infiniband, pfc: {on: false}, credit_buffer: 9kB");
    send_two_further(5, 10000000);
    run_checked(&stuck, PS_PER_S); /* or no event is left before: the text is the same */
    assert_string_equal(stuck_text(the_rig.fabric, &the_rig.arena),
                        "credit deadlock: 5 links wait for each other: s0>s1, s1>s2, s2>s3, s3>s4, "
                        "s4>s0");
    net_rig_close(&the_rig);
    for (int64_t bytes = 1000; bytes < 200000; bytes *= 3) {
        open_ring(5, QUIET "link_layer: infiniband, pfc: {on: false}, credit_buffer: 500kB");
        send_two_further(5, bytes);
        assert_false(run_checked(&stuck, PS_PER_S));
        net_rig_run(&the_rig);
        net_rig_close(&the_rig);
    }
}

/* Only the class that is in the circle waits; another one goes on. */
static void stuck_check__one_class_of_two(void **state)
{
    (void)state;
    struct stuck stuck;
    open_ring(5, QUIET "classes: [{name: bulk}, {name: rest}], pfc: {xoff: 40kB}");
    send_two_further(5, 10000000);
    assert_true(run_checked(&stuck, PS_PER_S));
    assert_non_null(strstr(stuck_text(the_rig.fabric, &the_rig.arena), "s0>s1 class 0, s1>s2 "));
    net_rig_close(&the_rig);
}

static void stuck_text__a_long_circle_is_cut(void **state)
{
    (void)state;
    struct stuck stuck;
    open_ring(15, QUIET "pfc: {xoff: 40kB}");
    send_two_further(15, 10000000);
    assert_true(run_checked(&stuck, PS_PER_S));
    const char *text = stuck_text(the_rig.fabric, &the_rig.arena);
    assert_non_null(strstr(text, "15 links wait for each other: s0>s1, s1>s2, "));
    assert_non_null(strstr(text, ", s11>s12, ..."));
    net_rig_close(&the_rig);
}

/* Random traffic on the ring: sometimes it comes to a deadlock, mostly to paused links only. What
 * is called a deadlock stays one; where all arrives, nothing ever was. */
static void stuck_check__a_verdict_is_final(void **state)
{
    (void)state;
    int dead = 0, paused_only = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rng rng = rng_stream(seed, "test");
        struct stuck stuck;
        int paused = 0, called = 0, done = 0;
        open_ring(6, QUIET "pfc: {xoff: 60kB, xon: 55kB}");
        for (int i = 0; i < 18; i++)
            net_rig_send(&the_rig, (int[]){i % 6, (i + 1 + (rng_u64(&rng) % 4 > 0)) % 6},
                         (int64_t)(rng_u64(&rng) % 500000), (int64_t)(rng_u64(&rng) % 10000000));
        stuck_init(&stuck, the_rig.fabric, PS_PER_MS);
        for (int us = 1; us < 120; us++) {
            sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = us * PS_PER_US});
            const char *text = stuck_text(the_rig.fabric, &the_rig.arena);
            bool deadlock = strstr(text, "deadlock") != NULL;
            assert_false(called && !deadlock);
            called += deadlock;
            paused += *text != '\0' && !deadlock;
        }
        bool certain = run_checked(&stuck, PS_PER_S);
        for (int i = 0; i < the_rig.msg_n; i++)
            done += the_rig.m[i].dones;
        assert_int_equal(certain, called > 0);
        assert_int_equal(certain, done < the_rig.msg_n);
        dead += certain;
        paused_only += !certain && paused > 0;
        net_rig_close(&the_rig);
    }
    assert_true(dead >= 5 && paused_only >= 5);
}

/* Four switches in a row: links fill up behind each other, none waits for itself. */
static void stuck_text__a_row_of_paused_links_is_none(void **state)
{
    (void)state;
    int32_t sw[4];
    int paused = 0;
    net_rig_open(&the_rig, 1, QUIET "pfc: {xoff: 40kB}");
    for (int i = 0; i < 4; i++) {
        sw[i] = topo_node(&the_rig.graph, TOPO_SWITCH, arena_printf(&the_rig.arena, "s%d", i));
        net_rig_host(&the_rig, sw[i], G100, 500000);
    }
    for (int i = 0; i < 3; i++)
        net_rig_cable(&the_rig, (int32_t[]){sw[i], sw[i + 1]}, G100, 500000);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 3; i++)
        net_rig_send(&the_rig, (int[]){i, 3}, 4000000, 0);
    for (int us = 20; us < 900; us += 20) {
        sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = us * PS_PER_US});
        const char *text = stuck_text(the_rig.fabric, &the_rig.arena);
        assert_null(strstr(text, "deadlock"));
        paused += strstr(text, "paused") != NULL;
    }
    assert_true(paused > 20);
    net_rig_run(&the_rig);
    net_rig_close(&the_rig);
}

/* Up and down a leaf-spine fabric nothing is circular, however little buffer there is. */
static void stuck_check__leaf_spine_never(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "cc: {kind: none}, buffer: 300kB",
        "cc: {kind: none}, pfc: {xoff: 20kB, xon: 10kB}, routing: {kind: ecmp}",
        "buffer: 500kB, pfc: {xoff: 30kB}",
    };
    int64_t pauses = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct rng rng = rng_stream(seed, "test");
        struct stuck stuck;
        net_rig_open(&the_rig, seed, bodies[seed % 3]);
        net_rig_leaf_spine(&the_rig, &(struct net_rig_shape){.leaves = 4,
                                                             .hosts = 4,
                                                             .spines = 2,
                                                             .host_bps = NET_RIG_400G,
                                                             .spine_bps = NET_RIG_400G,
                                                             .delay_ps = 500000});
        net_rig_wired(&the_rig);
        for (int i = 0; i < 48; i++) {
            int src = (int)(rng_u64(&rng) % 16), dst = (int)(rng_u64(&rng) % 4);
            if (src != dst) net_rig_send(&the_rig, (int[]){src, dst}, 400000, 0);
        }
        for (int us = 5; us < 400; us += 5) {
            sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = us * PS_PER_US});
            const char *text = stuck_text(the_rig.fabric, &the_rig.arena);
            assert_null(strstr(text, "deadlock"));
        }
        assert_false(run_checked(&stuck, PS_PER_S));
        pauses += net_rig_run(&the_rig).pauses;
        net_rig_close(&the_rig);
    }
    assert_true(pauses > 1000);
}

static void stuck_init__off_is_never_due(void **state)
{
    (void)state;
    struct stuck stuck;
    stuck_init(&stuck, NULL, 0);
    assert_int_equal(stuck.due_ps, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stuck_check__ring_of_five_is_a_deadlock),
        cmocka_unit_test(stuck_check__credits_wait_in_a_circle_too),
        cmocka_unit_test(stuck_check__one_class_of_two),
        cmocka_unit_test(stuck_text__a_long_circle_is_cut),
        cmocka_unit_test(stuck_check__a_verdict_is_final),
        cmocka_unit_test(stuck_text__a_row_of_paused_links_is_none),
        cmocka_unit_test(stuck_check__leaf_spine_never),
        cmocka_unit_test(stuck_init__off_is_never_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
