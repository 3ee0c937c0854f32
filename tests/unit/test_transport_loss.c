/* test_transport_loss.c - what a transport does about lost segments and full buffers: what it sends
 * again and when, what a loss costs behind a receive window, lines with a small buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/transport_rig.h"

/* ---- loss ------------------------------------------------------------------------------------ */

/* A lost segment is found a round trip after it was sent and takes the way again. */
static void transport__loss_costs_round_trips(void **state)
{
    (void)state;
    int lost = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.loss = 0.5, .seed = seed});
        struct load *one = load(&rig, 0, MSS, 0);
        run(&rig);
        struct transport_stats stats = transport_stats(rig.transport[0]);
        /* 1000 B take 800 ns on the wire, each time */
        int64_t wire_ps = 800 * PS_PER_NS, wait_ps = stats.losses * (10 * MS + wire_ps) + wire_ps;
        assert_int_equal(one->done_ps, wait_ps + 5 * MS);
        assert_int_equal(one->msg.wait_ps, wait_ps);
        assert_int_equal(stats.retransmitted_bytes, stats.losses * MSS);
        lost += (int)stats.losses;
        arena_free(&rig.arena);
    }
    assert_in_range(lost, 320, 480); /* one each on average, standard deviation 28 */
}

/* Only as much as is lost is sent again: about one segment of p each. */
static void transport__retransmits_what_was_lost(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct setup){.law = "bbr", .loss = 1e-3, .seed = 1});
    steady(&rig);
    rate_bps(&rig, 1, 1000 * MS);
    struct transport_stats stats = transport_stats(rig.transport[0]);
    assert_true(stats.losses > 500);
    assert_int_equal(stats.retransmitted_bytes, stats.losses * MSS);
    arena_free(&rig.arena);
}

/* What the receive window holds back is no reason to open the congestion window: else a loss cuts a
 * window that nobody felt. 4 MiB over 40 ms are 4194 segments; CUBIC alone has 530 at p = 1e-5. */
static void transport__loss_counts_behind_a_receive_window(void **state)
{
    (void)state;
    double sum_bps = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.law = "cubic",
                                       .rate_bps = 100 * GBPS,
                                       .rtt_ps = 40 * MS,
                                       .window_bytes = 4 * MiB,
                                       .loss = 1e-5,
                                       .seed = seed});
        steady(&rig);
        rate_bps(&rig, 1, 2000 * MS);
        assert_true(transport_stats(rig.transport[0]).cwnd_bytes <= 5 * MiB);
        sum_bps += rate_bps(&rig, 5000 * MS, 12000 * MS);
        arena_free(&rig.arena);
    }
    assert_true(sum_bps / 5 < 0.6 * 4 * MiB * 8 / 0.040);
}

/* ---- buffer ---------------------------------------------------------------------------------- */

/* A line with a buffer of its bandwidth-delay product: CUBIC fills the line, overflows the buffer
 * now and then, and goes on. Four with a buffer of a sixth do nearly as well. */
static void transport__cubic_and_a_finite_buffer(void **state)
{
    (void)state;
    static const struct {
        int connections;
        int64_t buffer_bytes;
    } cases[] = {{1, 12500000}, {4, 2000000}};
    for (int i = 0; i < 2; i++) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.law = "cubic",
                                       .nic_bps = 100 * GBPS,
                                       .buffer_bytes = cases[i].buffer_bytes,
                                       .connections = cases[i].connections});
        steady(&rig);
        double bps = rate_bps(&rig, 2000 * MS, 20000 * MS);
        assert_true(bps <= 10e9 * 1.01);
        assert_true(bps >= 10e9 * 0.85);
        int64_t losses = 0;
        for (int c = 0; c < rig.connections; c++)
            losses += transport_stats(rig.transport[c]).losses;
        assert_true(losses > 0);
        assert_true(rig.wan.inflight_bytes[0] <= rig.wan.limit_bytes[0] + MiB);
        arena_free(&rig.arena);
    }
}

/* BBR keeps up to twice the line's product in flight, so it overflows a buffer of a sixth of it all
 * the time: what is dropped is sent again, and the line stays full, for one and for four. */
static void transport__bbr_and_a_finite_buffer(void **state)
{
    (void)state;
    for (int connections = 1; connections <= 4; connections += 3) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.law = "bbr",
                                       .nic_bps = 100 * GBPS,
                                       .buffer_bytes = 2000000,
                                       .connections = connections});
        steady(&rig);
        double bps = rate_bps(&rig, 1000 * MS, 5000 * MS);
        assert_true(bps > 0.8 * 10e9);
        assert_true(bps < 1.01 * 10e9);
        arena_free(&rig.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transport__loss_costs_round_trips),
        cmocka_unit_test(transport__retransmits_what_was_lost),
        cmocka_unit_test(transport__loss_counts_behind_a_receive_window),
        cmocka_unit_test(transport__cubic_and_a_finite_buffer),
        cmocka_unit_test(transport__bbr_and_a_finite_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
