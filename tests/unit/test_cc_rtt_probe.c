/* test_cc_rtt_probe.c - round-trip probes: the template's table, the ZTR-like law's numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line400 = {
    .rate_bps = 400 * GBPS, .base_rtt_ps = 8 * US, .mtu_bytes = 4096};

#define U (6553 / 65536.0)

static void sample(struct cc_rig *rig, double rtt_us)
{
    cc_rig_ack(rig, 4096, (int64_t)(rtt_us * 1e6 + 0.5), false);
}

static void say(struct cc_rig *rig, enum cc_event event)
{
    cc_rig_step(rig, (struct cc_signal){.event = event});
}

static void template__cases(void **state)
{
    (void)state;
    static const struct {
        bool cnp, nack;
        double rtt_us, factor, plus;
    } cases[] = {
        {false, false, 20, 1 - U, 0},      {false, false, 149, 1 - U, 0},
        {false, false, 150, 1 - 2 * U, 0}, {true, false, 5, 1 - 2 * U, 0},
        {true, false, 200, 1 - 2 * U, 0},  {false, true, 150, 1 - 5 * U, 0},
        {true, true, 150, 1 - 5 * U, 0},   {false, true, 20, 1 - U, 0},
        {false, true, 5, 1, 20e9},         {false, false, 13, 1, 20e9},
        {false, false, 13.1, 1 - U, 0},
    };
    struct cc_rig rig;
    cc_rig_open(&rig, "rtt_probe", "law: template", line400);
    double rate = 400e9;
    for (int i = 0; i < 11; i++) {
        if (cases[i].cnp) say(&rig, CC_CNP);
        if (cases[i].nack) say(&rig, CC_NACK);
        sample(&rig, cases[i].rtt_us);
        rate = rate * cases[i].factor + cases[i].plus;
        cc_rig_near((double)rig.out.rate_bps, rate, 1e-9);
    }
    for (int i = 0; i < 1000; i++)
        sample(&rig, 1000);
    assert_int_equal(rig.out.rate_bps, 400 * GBPS / 16384);
    cc_rig_close(&rig);
}

/* One probe at a time: acknowledgements of what was sent before the last sample are none. */
static void template__one_sample_per_round_trip(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "rtt_probe", "law: template, window: varying", line400);
    int samples = 0;
    rig.sent_off = 400000;
    for (int packet = 0; packet < 1000; packet++) {
        int64_t before = rig.out.rate_bps;
        rig.acked_off += 4000;
        rig.sent_off += 4000;
        cc_rig_step(&rig, (struct cc_signal){.event = CC_ACK, .rtt_ps = 20 * US});
        samples += rig.out.rate_bps != before;
    }
    assert_in_range(samples, 9, 10); /* 100 packets in flight */
    assert_in_range(rig.out.window_bytes, rig.out.rate_bps / 1000000,
                    rig.out.rate_bps / 1000000 + 1);
    cc_rig_close(&rig);
}

/* RA2.1: threshold 13 us, responsiveness 0.1, at most -3 % and +6 %, AI 96 / 2^20 of the line. */
static void ztr__numbers(void **state)
{
    (void)state;
    struct cc_rig rig;
    double ai = 400e9 * 96 / 1048576, hai = 400e9 * 1700 / 1048576;
    cc_rig_open(&rig, "rtt_probe", "law: ztr-like-ra2.1", line400);
    sample(&rig, 26); /* 0.9 -> 0.97, and the first congestion: half the line */
    cc_rig_rate(&rig, 200);
    double rate = 200e9;
    sample(&rig, 14.3);
    cc_rig_near((double)rig.out.rate_bps, rate *= 1 - U * 0.1, 1e-9);
    sample(&rig, 100);
    cc_rig_near((double)rig.out.rate_bps, rate *= 63570 / 65536.0, 1e-9);
    sample(&rig, 6.5);
    cc_rig_near((double)rig.out.rate_bps, rate = rate * (1 + U * 0.5) + ai, 1e-9);
    sample(&rig, 0.13); /* 1.099 -> 1.06 */
    cc_rig_near((double)rig.out.rate_bps, rate = rate * 69468 / 65536 + ai, 1e-9);
    say(&rig, CC_CNP); /* a CNP cuts whatever the round trip is */
    sample(&rig, 6.5);
    cc_rig_near((double)rig.out.rate_bps, rate *= 63570 / 65536.0, 1e-9);
    int64_t congested_ps = rig.now_ps;
    while (rig.now_ps + 13 * US < congested_ps + 2 * PS_PER_MS) {
        sample(&rig, 13);
        cc_rig_near((double)rig.out.rate_bps, rate += ai, 1e-9);
    }
    sample(&rig, 13); /* 2 ms without congestion */
    cc_rig_near((double)rig.out.rate_bps, rate += hai, 1e-9);
    cc_rig_close(&rig);
}

/* The published sets differ in threshold, steps and HAI period. */
static void ztr__parameter_sets(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        double threshold_us, ai, hai;
        int64_t hai_us;
    } sets[] = {{"law: ztr-like-ra1.3", 15, 36, 1200, 7000},
                {"law: ztr-like-ra2.0", 15, 36, 1200, 7000},
                {"law: ztr-like-ra2.1", 13, 96, 1700, 2000},
                {"law: ztr-like-ra2.2", 13, 96, 1700, 200}};
    for (int i = 0; i < 4; i++) {
        struct cc_rig rig;
        cc_rig_open(&rig, "rtt_probe", sets[i].keys, line400);
        sample(&rig, sets[i].threshold_us + 0.1);
        cc_rig_rate(&rig, 200);
        double rate = 200e9;
        sample(&rig, sets[i].threshold_us);
        cc_rig_near((double)rig.out.rate_bps, rate += 400e9 * sets[i].ai / 1048576, 1e-9);
        rig.now_ps += sets[i].hai_us * US;
        sample(&rig, sets[i].threshold_us);
        cc_rig_near((double)rig.out.rate_bps, rate += 400e9 * sets[i].hai / 1048576, 1e-9);
        cc_rig_close(&rig);
    }
}

/* A path of 100 us without load is not congested: its threshold is 110 us. */
static void threshold__never_below_the_path(void **state)
{
    (void)state;
    static const char *const keys[] = {"law: template", "law: ztr-like-ra2.1"};
    struct cc_link far = line400;
    far.base_rtt_ps = 100 * US;
    for (int i = 0; i < 2; i++) {
        struct cc_rig rig;
        cc_rig_open(&rig, "rtt_probe", keys[i], far);
        sample(&rig, 110);
        cc_rig_rate(&rig, 400);
        sample(&rig, 111);
        assert_true(rig.out.rate_bps < 390 * GBPS);
        cc_rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template__cases),
        cmocka_unit_test(template__one_sample_per_round_trip),
        cmocka_unit_test(ztr__numbers),
        cmocka_unit_test(ztr__parameter_sets),
        cmocka_unit_test(threshold__never_below_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
