/* test_cc_dcqcn.c - the numbers of DCQCN, step by step; profiles and windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line40 = {
    .rate_bps = 40 * GBPS, .base_rtt_ps = 10 * US, .mtu_bytes = 1000};
static const struct cc_link line400 = {
    .rate_bps = 400 * GBPS, .base_rtt_ps = 10 * US, .mtu_bytes = 4096};

/* sent: an acknowledgement arrives when so much has been sent. */
static void sent(struct cc_rig *rig, int64_t sent_off)
{
    rig->sent_off = sent_off;
    rig->acked_off = sent_off - 1000;
    cc_rig_step(rig, (struct cc_signal){.event = CC_ACK, .acked_bytes = 1000, .rtt_ps = 10 * US});
}

/* ---- the paper's algorithm ------------------------------------------------------------------ */

static void paper__first_cnp_halves_then_five_recoveries(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn", "profile: paper", line40);
    cc_rig_rate(&rig, 40);
    cc_rig_cnp(&rig, PS_PER_MS);
    cc_rig_rate(&rig, 20); /* alpha = 1 */
    assert_int_equal(rig.out.wake_ps, PS_PER_MS + 55 * US);
    static const double recovery[] = {30, 35, 37.5, 38.75, 39.375};
    for (int i = 0; i < 5; i++) {
        cc_rig_wake(&rig);
        cc_rig_rate(&rig, recovery[i]);
    }
    assert_int_equal(rig.now_ps, PS_PER_MS + 5 * 55 * US);
    while (rig.out.wake_ps) /* the target is the line rate: it is reached, and the timer rests */
        cc_rig_wake(&rig);
    cc_rig_rate(&rig, 40);
    cc_rig_close(&rig);
}

/* Two cuts: R_T = 20, R_C = 10. Five recoveries, then 40 Mb/s per timer event. */
static void paper__additive_increase_after_recovery(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn", "profile: paper", line40);
    cc_rig_cnp(&rig, 0);
    cc_rig_cnp(&rig, 1 * US);
    cc_rig_rate(&rig, 10);
    assert_int_equal(rig.out.wake_ps, 56 * US); /* the cut restarts the timer */
    static const double rates[] = {15, 17.5, 18.75, 19.375, 19.6875, 19.86375, 19.971875};
    for (int i = 0; i < 7; i++) {
        cc_rig_wake(&rig);
        cc_rig_rate(&rig, rates[i]);
    }
    cc_rig_close(&rig);
}

/* After seven timer events: six byte events are additive (i_B = 0 .. 5), the seventh is hyper. */
static void paper__byte_counter_and_hyper_increase(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn", "profile: paper", line40);
    cc_rig_cnp(&rig, 0);
    cc_rig_cnp(&rig, 1 * US);
    sent(&rig, 5000000); /* the counter begins here */
    sent(&rig, 14999999);
    cc_rig_rate(&rig, 10);
    for (int i = 0; i < 7; i++)
        cc_rig_wake(&rig);
    double rt = 20.08, rc = 19.971875;
    cc_rig_rate(&rig, rc);
    for (int i = 1; i <= 8; i++) {
        sent(&rig, 5000000 + i * INT64_C(10000000) - 1);
        cc_rig_rate(&rig, rc);
        sent(&rig, 5000000 + i * INT64_C(10000000));
        rt += i <= 6 ? 0.04 : 0.4;
        rc = (rt + rc) / 2;
        cc_rig_rate(&rig, rc);
    }
    cc_rig_close(&rig);
}

/* Bytes alone: five recoveries, then additive, never hyper, since i_T stays below F. */
static void paper__byte_counter_alone(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn", "profile: paper, timer: 1s", line40);
    cc_rig_cnp(&rig, 0);
    cc_rig_cnp(&rig, 1 * US);
    sent(&rig, 0);
    double rt = 20, rc = 10;
    for (int i = 1; i <= 20; i++) {
        sent(&rig, i * INT64_C(10000000));
        if (i > 5) rt += 0.04;
        rc = (rt + rc) / 2;
        cc_rig_rate(&rig, rc);
    }
    cc_rig_close(&rig);
}

/* alpha = (1-g)^k after k windows of 55 us without a CNP; a CNP adds g and restarts the window. */
static void paper__alpha_decays_between_cnps(void **state)
{
    (void)state;
    struct cc_rig rig;
    double g = 1.0 / 256, alpha = 1, rate = 40e9;
    cc_rig_open(&rig, "dcqcn", "profile: paper, timer: 10s, rate_min: 1bps", line40);
    int64_t at_ps = 0;
    static const int64_t windows[] = {0, 10, 1, 0, 1000};
    for (int i = 0; i < 5; i++) {
        at_ps += windows[i] * 55 * US + 54 * US;
        if (i > 0)
            for (int64_t k = 0; k < windows[i]; k++)
                alpha *= 1 - g;
        cc_rig_cnp(&rig, at_ps);
        rate *= 1 - alpha / 2;
        alpha = (1 - g) * alpha + g;
        cc_rig_near((double)rig.out.rate_bps, rate, 1e-8);
    }
    cc_rig_close(&rig);
}

/* ---- three clocks --------------------------------------------------------------------------- */

/* ConnectX: nothing at the CNP; at the next 4 us tick the cut, by alpha after four windows. */
static void firmware__cut_at_the_tick(void **state)
{
    (void)state;
    struct cc_rig rig;
    double keep = 1 - 5.0 / 1024, alpha = 1023.0 / 1024;
    cc_rig_open(&rig, "dcqcn", "profile: firmware", line400);
    cc_rig_cnp(&rig, 100 * US);
    cc_rig_rate(&rig, 400);
    assert_int_equal(rig.out.wake_ps, 104 * US);
    cc_rig_wake(&rig);
    alpha *= keep * keep * keep * keep;
    double cut = 400 * (1 - alpha / 2);
    cc_rig_rate(&rig, cut);
    assert_int_equal(rig.out.wake_ps, 404 * US); /* rpg_time_reset */
    cc_rig_wake(&rig);
    cc_rig_rate(&rig, (400 + cut) / 2); /* one recovery: rpg_threshold */
    cc_rig_wake(&rig);
    cc_rig_rate(&rig, (400 + (400 + cut) / 2) / 2); /* additive, clamped to the line */
    cc_rig_close(&rig);
}

/* Two CNPs in different ticks without an increase between them: the target stays at the line. */
static void firmware__target_kept_by_cuts_in_a_row(void **state)
{
    (void)state;
    for (int clamp = 0; clamp <= 1; clamp++) {
        struct cc_rig rig;
        double keep = 1 - 5.0 / 1024, g = 5.0 / 1024, alpha = 1023.0 / 1024;
        cc_rig_open(&rig, "dcqcn",
                    clamp ? "profile: firmware, clamp_target: true" : "profile: firmware", line400);
        cc_rig_cnp(&rig, 0);
        cc_rig_wake(&rig);
        alpha *= keep * keep * keep * keep;
        double first = 400 * (1 - alpha / 2);
        cc_rig_rate(&rig, first);
        cc_rig_cnp(&rig, 5500000); /* in the window 5 .. 6 us: it counts there */
        assert_int_equal(rig.out.wake_ps, 8 * US);
        alpha = (alpha * keep * keep + g) * keep * keep;
        cc_rig_wake(&rig);
        double second = first * (1 - alpha / 2);
        cc_rig_rate(&rig, second);
        cc_rig_wake(&rig);
        assert_int_equal(rig.now_ps, 308 * US);
        cc_rig_rate(&rig, ((clamp ? first : 400) + second) / 2);
        cc_rig_close(&rig);
    }
}

/* A cut after an increase takes the rate as the new target. */
static void scaled__cut_after_increase_moves_the_target(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn", "profile: scaled, g: 0.000001", line400); /* alpha stays at 1 */
    cc_rig_cnp(&rig, 0);
    cc_rig_wake(&rig); /* 400 -> 200 */
    cc_rig_wake(&rig); /* -> 300 at 304 us */
    cc_rig_near((double)rig.out.rate_bps, 300e9, 1e-5);
    cc_rig_cnp(&rig, 305 * US);
    assert_int_equal(rig.out.wake_ps, 308 * US); /* ticks go on from the first CNP */
    cc_rig_wake(&rig);
    cc_rig_near((double)rig.out.rate_bps, 150e9, 1e-3); /* R_T = 300 */
    cc_rig_wake(&rig);
    cc_rig_near((double)rig.out.rate_bps, 225e9, 1e-3); /* recovery */
    cc_rig_wake(&rig);
    cc_rig_near((double)rig.out.rate_bps, (300.08e9 + 225e9) / 2, 1e-3);
    double rate = (double)rig.out.rate_bps;
    cc_rig_wake(&rig); /* hyper: + 0.8, no byte counter that holds it back */
    cc_rig_near((double)rig.out.rate_bps - rate, (300.88e9 - rate) / 2, 1e-2);
    cc_rig_close(&rig);
}

/* R_AI = 5 Mb/s, R_HAI = 50 Mb/s at 25 Gb/s: 16 times that at 400. Seen from a low target. */
static void scaled__increases_grow_with_the_line(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn", "profile: scaled, clamp_target: true", line400);
    for (int i = 0; i < 40; i++) {
        cc_rig_cnp(&rig, i * 4 * US + 1);
        cc_rig_wake(&rig);
    }
    cc_rig_rate(&rig, 1); /* MIN_RATE */
    cc_rig_wake(&rig);    /* recovery: the target is 1 as well */
    cc_rig_rate(&rig, 1);
    cc_rig_wake(&rig);
    cc_rig_rate(&rig, 1.04); /* R_T = 1.08 */
    cc_rig_wake(&rig);
    cc_rig_rate(&rig, (1.88 + 1.04) / 2);
    cc_rig_close(&rig);
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* Echoes of marks in acknowledgements do what CNPs do, at the same times. */
static void ack__a_mark_is_a_notification(void **state)
{
    (void)state;
    struct cc_rig cnp, echo;
    cc_rig_open(&cnp, "dcqcn", "profile: scaled", line400);
    cc_rig_open(&echo, "dcqcn", "profile: scaled", line400);
    static const int64_t at_us[] = {10, 11, 15, 400, 401};
    for (size_t i = 0; i < sizeof at_us / sizeof at_us[0]; i++) {
        while (cnp.out.wake_ps && cnp.out.wake_ps < at_us[i] * US) {
            cc_rig_wake(&cnp);
            cc_rig_wake(&echo);
        }
        cc_rig_cnp(&cnp, at_us[i] * US);
        echo.now_ps = at_us[i] * US;
        struct cc_out before = echo.out;
        cc_rig_step(&echo, (struct cc_signal){.event = CC_ACK, .acked_bytes = 4096});
        assert_memory_equal(&echo.out, &before, sizeof before); /* no mark, no news */
        cc_rig_step(&echo,
                    (struct cc_signal){.event = CC_ACK, .acked_bytes = 4096, .marked = true});
        assert_int_equal(echo.out.rate_bps, cnp.out.rate_bps);
        assert_int_equal(echo.out.wake_ps, cnp.out.wake_ps);
    }
    cc_rig_wake(&cnp);
    cc_rig_wake(&echo);
    assert_true(echo.out.rate_bps < 400 * GBPS);
    assert_int_equal(echo.out.rate_bps, cnp.out.rate_bps);
    cc_rig_close(&cnp);
    cc_rig_close(&echo);
}

static void window__bdp_and_varying(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        int64_t at_line, after_cut;
    } cases[] = {{"profile: paper", 0, 0},
                 {"profile: paper, window: bdp", 50000, 50000},
                 {"profile: paper, window: varying", 50000, 25000},
                 {"profile: paper, window: varying, base_rtt: 13us", 65000, 32500},
                 {"profile: paper, window: varying, base_rtt: 300ns", 1500, 1000}};
    for (int i = 0; i < 5; i++) {
        struct cc_rig rig;
        cc_rig_open(&rig, "dcqcn", cases[i].keys, line40);
        assert_int_equal(rig.out.window_bytes, cases[i].at_line);
        cc_rig_cnp(&rig, 0);
        assert_int_equal(rig.out.window_bytes, cases[i].after_cut);
        cc_rig_close(&rig);
    }
}

static void keys__override_the_profile(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dcqcn",
                "profile: paper, recovery: 1, rate_ai: 1Gbps, rate_hai: 2Gbps, byte_counter: 2MB, "
                "timer: 10us",
                line40);
    cc_rig_cnp(&rig, 0);
    cc_rig_cnp(&rig, 1 * US);
    sent(&rig, 0);
    assert_int_equal(rig.out.wake_ps, 11 * US);
    cc_rig_wake(&rig);
    cc_rig_rate(&rig, 15); /* one recovery */
    cc_rig_wake(&rig);
    cc_rig_rate(&rig, 18); /* R_T = 21 */
    sent(&rig, 4000000);   /* two byte events: R_T = 22, 23 */
    cc_rig_rate(&rig, 21.5);
    sent(&rig, 6000000);
    cc_rig_rate(&rig, 23.25); /* hyper: 25, then (25 + 21.5) / 2 */
    cc_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper__first_cnp_halves_then_five_recoveries),
        cmocka_unit_test(paper__additive_increase_after_recovery),
        cmocka_unit_test(paper__byte_counter_and_hyper_increase),
        cmocka_unit_test(paper__byte_counter_alone),
        cmocka_unit_test(paper__alpha_decays_between_cnps),
        cmocka_unit_test(firmware__cut_at_the_tick),
        cmocka_unit_test(firmware__target_kept_by_cuts_in_a_row),
        cmocka_unit_test(scaled__cut_after_increase_moves_the_target),
        cmocka_unit_test(scaled__increases_grow_with_the_line),
        cmocka_unit_test(ack__a_mark_is_a_notification),
        cmocka_unit_test(window__bdp_and_varying),
        cmocka_unit_test(keys__override_the_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
