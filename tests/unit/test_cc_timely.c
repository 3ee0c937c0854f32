/* test_cc_timely.c - TIMELY: gradient, thresholds, hyper increase; patched law's fixed point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line10 = {
    .rate_bps = 10 * GBPS, .base_rtt_ps = 20 * US, .mtu_bytes = 1000};

static void round_trip(struct cc_rig *rig, double rtt_us)
{
    cc_rig_ack(rig, 16000, (int64_t)(rtt_us * 1e6 + 0.5), false);
}

/* 100 -> 110 us: d = 0.875 * 10 us, g = 8.75 / 20 = 0.4375, R *= 1 - 0.8 g. */
static void timely__gradient_by_hand(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "timely", "", line10);
    round_trip(&rig, 100);
    cc_rig_rate(&rig, 10); /* one round trip has no gradient */
    round_trip(&rig, 110);
    cc_rig_rate(&rig, 6.5);
    round_trip(&rig, 100); /* d = 8.75 / 8 - 8.75 < 0 */
    cc_rig_rate(&rig, 6.51);
    round_trip(&rig, 101); /* d = -7.65625 / 8 + 0.875 us < 0 still */
    cc_rig_rate(&rig, 6.52);
    round_trip(&rig, 102); /* d = -0.08203125 / 8 + 0.875 us, g = 0.0432373 */
    cc_rig_near((double)rig.out.rate_bps, 6.52e9 * (1 - 0.8 * 0.043237304687), 1e-9);
    cc_rig_close(&rig);
}

/* Below T_low it grows although the gradient is steep; above T_high it shrinks though it falls. */
static void timely__thresholds(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "timely", "", line10);
    round_trip(&rig, 2000);
    round_trip(&rig, 1000); /* 1 - 0.8 (1 - 500/1000) */
    cc_rig_rate(&rig, 6);
    round_trip(&rig, 20);
    cc_rig_rate(&rig, 6.01);
    round_trip(&rig, 49.9);
    cc_rig_rate(&rig, 6.02);
    cc_rig_close(&rig);
}

/* Five steps of delta = 10 Mb/s, then 50; a decrease starts anew. */
static void timely__hyper_increase_after_five(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "timely", "", line10);
    round_trip(&rig, 1000);
    round_trip(&rig, 1000);
    for (int i = 1; i <= 7; i++) {
        round_trip(&rig, 30);
        cc_rig_rate(&rig, 6 + 0.01 * i + (i > 5 ? 0.04 * (i - 5) : 0));
    }
    round_trip(&rig, 1000);
    double rate = 6.15 * 0.6;
    cc_rig_rate(&rig, rate);
    round_trip(&rig, 30);
    cc_rig_rate(&rig, rate + 0.01);
    cc_rig_close(&rig);
}

/* One update per segment of acknowledged bytes, else one per round trip. */
static void timely__updates_per_segment_or_round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        int updates;
    } cases[] = {{"rate_min: 1bps", 4},
                 {"rate_min: 1bps, segment: 16KB", 25},
                 {"law: patched", 25},
                 {"segment: 64KB", 6}};
    for (int i = 0; i < 4; i++) {
        struct cc_rig rig;
        cc_rig_open(&rig, "timely", cases[i].keys, line10);
        int updates = 0;
        rig.sent_off = 100000; /* 100 kB in flight, packets of 1 kB, 401 of them */
        for (int packet = 0; packet <= 400; packet++) {
            int64_t before = rig.out.rate_bps;
            rig.acked_off += 1000;
            rig.sent_off += 1000;
            cc_rig_step(&rig, (struct cc_signal){
                                  .event = CC_ACK, .acked_bytes = 1000, .rtt_ps = PS_PER_MS});
            updates += rig.out.rate_bps != before;
        }
        assert_in_range(updates, cases[i].updates - 1, cases[i].updates);
        cc_rig_close(&rig);
    }
}

/* N flows at C / N: R stays where delta / 2 = R beta / 2 (rtt - T_low) / T_low, that is
 * rtt = T_low (1 + N delta / (beta C)) = 112.5 us for 10 of them. */
static void patched__fixed_point(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "timely", "law: patched, rate_ai: 10Mbps", line10);
    double rate = 10;
    round_trip(&rig, 600);
    while (rate > 1.001) { /* down to C / 10 */
        round_trip(&rig, 1e6);
        rate *= 1 - 0.008 * (1 - 500 / 1e6);
        cc_rig_rate(&rig, rate);
    }
    for (int i = 0; i < 30; i++) /* the filtered gradient fades */
        round_trip(&rig, 112.5);
    for (int i = 0; i < 3000; i++)
        round_trip(&rig, 112.5);
    cc_rig_near((double)rig.out.rate_bps, 1e9, 1e-4);
    round_trip(&rig, 112.5 + 4); /* g = 0.175, w = 0.85 */
    cc_rig_near((double)rig.out.rate_bps, 0.15 * 10e6 + 1e9 * (1 - 0.008 * 0.85 * 66.5 / 50), 1e-4);
    cc_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timely__gradient_by_hand),
        cmocka_unit_test(timely__thresholds),
        cmocka_unit_test(timely__hyper_increase_after_five),
        cmocka_unit_test(timely__updates_per_segment_or_round_trip),
        cmocka_unit_test(patched__fixed_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
