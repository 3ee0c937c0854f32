/* test_cc_swift.c - Swift: target, growth per acknowledgement, one bounded cut per round trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line100 = {
    .rate_bps = 100 * GBPS, .base_rtt_ps = 10 * US, .mtu_bytes = 1000}; /* 125 packets */

static double ack(struct cc_rig *rig, double delay_us)
{
    rig->acked_off += 1000;
    cc_rig_step(rig, (struct cc_signal){.event = CC_ACK,
                                        .acked_bytes = 1000,
                                        .rtt_ps = (int64_t)(delay_us * 1e6 + 0.5)});
    return (double)rig->out.window_bytes / 1000;
}

/* Target 16 us. 20 us: 1 - 0.8 * 4 / 20 = 0.84; not again before a round trip has passed. */
static void swift__decrease_by_hand(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "swift", "flow_scaling: 0ps", line100);
    cc_rig_near(ack(&rig, 20), 105, 1e-9);
    rig.now_ps = 20 * US - 1;
    cc_rig_near(ack(&rig, 20), 105, 1e-9);
    rig.now_ps = 20 * US;
    cc_rig_near(ack(&rig, 20), 88.2, 1e-9);
    rig.now_ps = 5 * PS_PER_MS;
    cc_rig_near(ack(&rig, 1000), 44.1, 1e-9); /* max_mdf */
    cc_rig_rate(&rig, 100);                   /* the window does it all */
    cc_rig_close(&rig);
}

/* + 1 / cwnd per packet below the target, that is 1 per round trip. */
static void swift__increase_by_hand(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "swift", "flow_scaling: 0ps", line100);
    ack(&rig, 20);
    double cwnd = 105;
    for (int i = 0; i < 105; i++) {
        cwnd += 1 / cwnd;
        cc_rig_near(ack(&rig, 15.9), cwnd, 1e-4);
    }
    cc_rig_near(cwnd, 106, 1e-3);
    for (int i = 0; i < 20000; i++)
        ack(&rig, 15.9);
    cc_rig_near(ack(&rig, 15.9), 16 * 12.5, 1e-9); /* no more than the target holds */
    cc_rig_close(&rig);
}

/* fs_range 30 us: a = 30 / (1/sqrt(0.1) - 0.1) = 9.7967 us; at one packet the target is higher by
 * 9 / 10 a = 8.8170 us, at 0.1 packets by all 30 us. */
static void swift__small_windows_get_a_higher_target(void **state)
{
    (void)state;
    static const struct {
        double cwnd, target_us;
    } cases[] = {{1, 24.8170}, {0.1, 46}, {0.25, 34.6137}, {100, 16}, {25, 16.9797}};
    for (int i = 0; i < 5; i++) {
        struct cc_rig rig;
        cc_rig_open(&rig, "swift", "rate_min: 1bps", line100);
        double cwnd = 125; /* brought there by one exact cut after another */
        while (cwnd > cases[i].cwnd * 1.0001) {
            double factor = cases[i].cwnd / cwnd > 0.5 ? cases[i].cwnd / cwnd : 0.5;
            double target_us = 16, high = 1e5; /* delay with 1 - 0.8 (1 - target/delay) = factor */
            double scaling = 9.7967 / sqrt(cwnd) - 0.97967;
            target_us += scaling < 0 ? 0 : scaling > 30 ? 30 : scaling;
            rig.now_ps += PS_PER_S;
            ack(&rig, factor == 0.5 ? high : target_us / (1 - (1 - factor) / 0.8));
            cwnd *= factor;
        }
        struct cc_rig other = rig; /* a little below the target it grows, above it shrinks */
        rig.now_ps += PS_PER_S;
        other.now_ps += PS_PER_S;
        for (int packet = 0; packet < 50; packet++)
            ack(&rig, cases[i].target_us * 0.998);
        ack(&other, cases[i].target_us * 1.05);
        double grown = (double)rig.out.window_bytes / 1000;
        assert_true(grown > cases[i].cwnd);
        assert_true(grown >= 1);
        if (cases[i].cwnd > 1) assert_true((double)other.out.window_bytes / 1000 < cases[i].cwnd);
        if (cases[i].cwnd < 1) assert_true(other.out.rate_bps < 100 * GBPS);
        cc_rig_close(&rig);
    }
}

/* Half a packet per round trip of 1 ms: 1000 B in 2 ms. */
static void swift__below_one_packet_it_paces(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "swift", "rate_min: 1bps", line100);
    for (int i = 0; i < 8; i++) {
        rig.now_ps += PS_PER_S;
        ack(&rig, 1000);
    }
    assert_int_equal(rig.out.window_bytes, 1000);
    cc_rig_near((double)rig.out.rate_bps, 125.0 / 256 * 8e6, 1e-6);
    cc_rig_close(&rig);
}

static void swift__losses_count_as_the_largest_decrease(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "swift", "", line100);
    cc_rig_step(&rig, (struct cc_signal){.event = CC_NACK});
    cc_rig_step(&rig, (struct cc_signal){.event = CC_TIMEOUT});
    assert_int_equal(rig.out.window_bytes, 62500);
    rig.now_ps = 10 * US;
    cc_rig_step(&rig, (struct cc_signal){.event = CC_TIMEOUT});
    assert_int_equal(rig.out.window_bytes, 31250);
    cc_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swift__decrease_by_hand),
        cmocka_unit_test(swift__increase_by_hand),
        cmocka_unit_test(swift__small_windows_get_a_higher_target),
        cmocka_unit_test(swift__below_one_packet_it_paces),
        cmocka_unit_test(swift__losses_count_as_the_largest_decrease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
