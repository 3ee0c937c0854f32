/* prop_loss_law.c - what random loss costs, against theory.
 *
 * Measured: delivered segments per round trip in steady state (after a quarter of the time, over
 * the rest), one connection without receive window on a line that is never full, averaged over
 * seeds. Expected for CUBIC is the larger of its own region, 1.054 (RTT / p)^0.75 segments, and the
 * Reno-friendly one, 1.22 / sqrt(p) (RFC 9438, sections 5.1 and 4.3): at 15 ms Reno's is the larger
 * for each p > 2e-6, at 40 ms for p > 4e-5. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "tests/property/line_run.h"

#define GBPS INT64_C(1000000000)
#define MSS 8948

static const struct framing framing = {.payload_bytes = MSS, .overhead_bytes = 90};

/* segments returns what arrives per round trip, on average over seeds. */
static double segments(const struct line *line, int64_t round_trips, uint64_t seeds)
{
    double sum = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct line_run run;
        line_run_open(&run, line, seed);
        sim_run(run.sim, &(struct sim_limits){.max_sim_ps = round_trips / 4 * line->rtt_ps});
        struct transport_stats before = transport_stats(run.transport);
        sim_run(run.sim, &(struct sim_limits){.max_sim_ps = round_trips * line->rtt_ps});
        struct transport_stats after = transport_stats(run.transport);
        int64_t counted = round_trips - round_trips / 4;
        sum += (double)(after.delivered_bytes - before.delivered_bytes) / MSS / (double)counted;
        assert_int_equal(after.sent_bytes, after.delivered_bytes + after.inflight_bytes);
        if (line->loss > 0) assert_true(after.losses > before.losses);
        arena_free(&run.arena);
    }
    return sum / (double)seeds;
}

static double cubic_segments(double rtt_s, double p)
{
    double own = 1.054 * pow(rtt_s / p, 0.75), reno = 1.22 / sqrt(p);
    return own > reno ? own : reno;
}

static void loss_law__cubic(void **state)
{
    (void)state;
    static const struct {
        int64_t rtt_ms;
        double p, losses; /* expected in each of two runs */
    } cases[] = {{15, 1e-4, 80}, {40, 1e-4, 80}, {200, 1e-4, 150},
                 {15, 1e-5, 35}, {40, 1e-5, 40}, {200, 1e-5, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line line = {.law = "cubic",
                            .framing = &framing,
                            .rtt_ps = cases[i].rtt_ms * PS_PER_MS,
                            .rate_bps = 100 * GBPS,
                            .loss = cases[i].p};
        double expected = cubic_segments(units_s(line.rtt_ps), line.loss);
        double got = segments(&line, (int64_t)(cases[i].losses / line.loss / expected), 2);
        if (fabs(got - expected) > 0.25 * expected)
            fail_msg("%lld ms, p = %g: %.0f segments a round trip, not %.0f",
                     (long long)cases[i].rtt_ms, line.loss, got, expected);
    }
}

/* The BBR-like law hardly notices: above 80 % of the line. */
static void loss_law__bbr_keeps_the_line(void **state)
{
    (void)state;
    static const int64_t rtts_ms[] = {15, 40};
    for (int i = 0; i < 2; i++) {
        struct line line = {.law = "bbr",
                            .framing = &framing,
                            .rtt_ps = rtts_ms[i] * PS_PER_MS,
                            .rate_bps = 10 * GBPS,
                            .loss = 1e-4};
        double full = 10e9 * units_s(line.rtt_ps) / 8 / (MSS + 90);
        double got = segments(&line, 500, 1);
        assert_true(got > 0.8 * full);
        assert_true(got < 1.01 * full);
        line.law = "cubic"; /* which does notice */
        assert_true(segments(&line, 500, 1) < 0.3 * full);
    }
}

/* More loss is slower, under CUBIC; so is the same loss on a longer line, in bit/s. */
static void loss_law__more_is_slower(void **state)
{
    (void)state;
    struct line line = {
        .law = "cubic", .framing = &framing, .rtt_ps = 20 * PS_PER_MS, .rate_bps = 100 * GBPS};
    double last = INFINITY;
    for (double p = 1e-5; p < 0.1; p *= 4) {
        line.loss = p;
        double got = segments(&line, 1500, 2);
        assert_true(got < 0.8 * last);
        assert_true(got > 1);
        last = got;
    }
    line.loss = 1e-4;
    double last_per_s = INFINITY;
    for (int64_t ms = 1; ms <= 256; ms *= 4) {
        line.rtt_ps = ms * PS_PER_MS;
        double per_s = segments(&line, 1500, 2) / units_s(line.rtt_ps);
        assert_true(per_s < 0.8 * last_per_s);
        last_per_s = per_s;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_law__cubic),
        cmocka_unit_test(loss_law__bbr_keeps_the_line),
        cmocka_unit_test(loss_law__more_is_slower),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
