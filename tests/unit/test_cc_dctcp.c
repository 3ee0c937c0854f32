/* test_cc_dctcp.c - DCTCP: alpha by share of marks, one cut per window, one packet of growth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line100 = {
    .rate_bps = 100 * GBPS, .base_rtt_ps = 10 * US, .mtu_bytes = 1000}; /* 125 packets */

static void ack(struct cc_rig *rig, int64_t packets, bool marked)
{
    rig->acked_off += packets * 1000;
    if (rig->sent_off < rig->acked_off) rig->sent_off = rig->acked_off;
    cc_rig_step(rig, (struct cc_signal){.event = CC_ACK,
                                        .acked_bytes = packets * 1000,
                                        .rtt_ps = 10 * US,
                                        .marked = marked});
}

/* window: all that was sent is acknowledged, marked of it with marks; then as much again is sent.
 * Returns the window in packets. */
static double window(struct cc_rig *rig, int64_t packets, int64_t marked)
{
    rig->sent_off = rig->acked_off + packets * 1000;
    if (packets > marked) ack(rig, packets - marked, false);
    if (marked) ack(rig, marked, true);
    return (double)rig->out.window_bytes / 1000;
}

static void dctcp__first_mark_halves_once(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dctcp", "", line100);
    assert_int_equal(rig.out.window_bytes, 125000);
    cc_rig_rate(&rig, 100);
    rig.sent_off = 125000;
    ack(&rig, 1, true); /* alpha = 15/16 + 1/16 */
    assert_int_equal(rig.out.window_bytes, 62500);
    cc_rig_rate(&rig, 50);
    for (int i = 1; i < 125; i++)
        ack(&rig, 1, true); /* sent before the cut */
    assert_int_equal(rig.out.window_bytes, 62500);
    rig.sent_off = 187500;
    ack(&rig, 1, true);
    assert_int_equal(rig.out.window_bytes, 31250);
    cc_rig_close(&rig);
}

/* No marks: one packet per round trip, up to the product; alpha fades by 15/16. */
static void dctcp__grows_by_a_packet_per_round_trip(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dctcp", "", line100);
    rig.sent_off = 125000;
    ack(&rig, 125, true);
    assert_int_equal(rig.out.window_bytes, 62500);
    double expected = 62.5, alpha = 1;
    for (int i = 0; i < 60; i++) {
        rig.sent_off = rig.acked_off + 62000;
        for (int packet = 0; packet < 62; packet++)
            ack(&rig, 1, false);
        expected += 1;
        alpha *= 15.0 / 16;
        cc_rig_near((double)rig.out.window_bytes, expected * 1000, 1e-9);
        cc_rig_near((double)rig.out.rate_bps, expected / 125 * 100e9, 1e-9);
    }
    rig.sent_off = rig.acked_off + 62000;
    ack(&rig, 1, true); /* one of 62, which is alpha's new sample */
    cc_rig_near((double)rig.out.window_bytes,
                expected * 1000 * (1 - (alpha * 15 / 16 + 1.0 / 62 / 16) / 2), 1e-5);
    for (int i = 0; i < 500; i++)
        window(&rig, 10, 0);
    assert_int_equal(rig.out.window_bytes, 125000);
    cc_rig_close(&rig);
}

/* A constant share F of marks: alpha -> F. */
static void dctcp__alpha_is_the_share_of_marks(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dctcp", "rate_min: 1bps", line100);
    double before = 0, after = 0;
    for (int i = 0; i < 400; i++) { /* 16 packets a window, 4 marked; +1 -1/8 of W: W -> 8 */
        before = (double)rig.out.window_bytes;
        after = window(&rig, 16, 4) * 1000;
    }
    cc_rig_near(after, before, 0.02);
    cc_rig_near(after, 7000, 0.03); /* (W + 1) (1 - 1/8) = W */
    cc_rig_close(&rig);
}

static void dctcp__losses(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "dctcp", "", line100);
    rig.sent_off = 125000;
    for (int i = 0; i < 3; i++) {
        cc_rig_step(&rig, (struct cc_signal){.event = CC_NACK});
        assert_int_equal(rig.out.window_bytes, 62500); /* once */
    }
    cc_rig_step(&rig, (struct cc_signal){.event = CC_TIMEOUT});
    assert_int_equal(rig.out.window_bytes, 1000);
    cc_rig_rate(&rig, 0.8);
    cc_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dctcp__first_mark_halves_once),
        cmocka_unit_test(dctcp__grows_by_a_packet_per_round_trip),
        cmocka_unit_test(dctcp__alpha_is_the_share_of_marks),
        cmocka_unit_test(dctcp__losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
