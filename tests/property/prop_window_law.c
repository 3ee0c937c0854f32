/* prop_window_law.c - throughput = min(window / round trip, rate), over the whole range of windows,
 * round trips and rates, with nobody computing it.
 *
 * Within 1 % everywhere, with one allowance. A segment is acknowledged when its last bit is there,
 * so a window comes round in the round trip and the time of one segment on the line. That is the
 * model's granularity, not its error, and only counts where a segment is more than 1 % of what the
 * line holds in a round trip: there the rate may be as low as window / (round trip + segment). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "tests/property/line_run.h"

#define KiB INT64_C(1024)
#define GBPS INT64_C(1000000000)

/* Segments that divide every window here: none has a rest that is too small to send. */
static const struct framing framing = {.payload_bytes = 4096, .overhead_bytes = 82};

/* measured returns the payload rate in steady state: after a fifth, over the next span. */
static double measured(const struct line *line, int64_t span_ps)
{
    struct line_run run;
    line_run_open(&run, line, 1);
    sim_run(run.sim, &(struct sim_limits){.max_sim_ps = span_ps / 5});
    int64_t before_bytes = transport_stats(run.transport).delivered_bytes;
    sim_run(run.sim, &(struct sim_limits){.max_sim_ps = span_ps + span_ps / 5});
    int64_t bytes = transport_stats(run.transport).delivered_bytes - before_bytes;
    arena_free(&run.arena);
    return (double)bytes * 8 / units_s(span_ps);
}

static double payload_bps(const struct line *line)
{
    return (double)line->rate_bps * (double)framing.payload_bytes /
           (double)(framing.payload_bytes + framing.overhead_bytes);
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void check(const struct line *line)
{
    double rate_bps = payload_bps(line), window_bits = (double)line->window_bytes * 8;
    double rtt_s = units_s(line->rtt_ps), fill_s = window_bits / rate_bps;
    double segment_s = (double)framing.payload_bytes * 8 / rate_bps;
    double law_bps = least(window_bits / rtt_s, rate_bps), low_bps = law_bps * 0.99;
    if (segment_s > 0.01 * rtt_s)
        low_bps = least(window_bits / (rtt_s + segment_s), rate_bps) * 0.99;
    double cycle_s = rtt_s > fill_s ? rtt_s : fill_s;
    double got_bps = measured(line, units_ps(60 * cycle_s));
    if (got_bps < low_bps || got_bps > law_bps * 1.01)
        fail_msg("window %lld B, round trip %g s, rate %g bit/s: %g, not %g to %g bit/s",
                 (long long)line->window_bytes, rtt_s, (double)line->rate_bps, got_bps, low_bps,
                 law_bps * 1.01);
}

static const int64_t rtts_ps[] = {100 * PS_PER_US, PS_PER_MS, 10 * PS_PER_MS, 40 * PS_PER_MS,
                                  200 * PS_PER_MS};
static const int64_t rates_bps[] = {GBPS, 10 * GBPS, 100 * GBPS};

/* each visits all rates and round trips, and windows from 64 KiB to 64 MiB, times step each. */
static void each(void (*visit)(const struct line *line), const char *law, int step)
{
    for (size_t r = 0; r < sizeof rates_bps / sizeof rates_bps[0]; r++)
        for (size_t t = 0; t < sizeof rtts_ps / sizeof rtts_ps[0]; t++)
            for (int64_t window = 64 * KiB; window <= 64 * 1024 * KiB; window *= step)
                visit(&(struct line){.framing = &framing,
                                     .window_bytes = window,
                                     .rtt_ps = rtts_ps[t],
                                     .rate_bps = rates_bps[r],
                                     .law = law});
}

static void window_law__fixed(void **state)
{
    (void)state;
    each(check, "fixed", 2);
}

static void check_processing(const struct line *line)
{
    for (int part = 2; part <= 8; part *= 4) {
        struct line slow = *line;
        double law_bps =
            least((double)line->window_bytes * 8 / units_s(line->rtt_ps), payload_bps(line));
        slow.process_bps = (int64_t)(law_bps / part);
        double cycle_s = (double)line->window_bytes * 8 / (double)slow.process_bps;
        double got_bps = measured(&slow, units_ps(60 * cycle_s));
        if (got_bps < 0.99 * (double)slow.process_bps || got_bps > 1.01 * (double)slow.process_bps)
            fail_msg("window %lld B, round trip %g s, processing %g: %g bit/s",
                     (long long)line->window_bytes, units_s(line->rtt_ps), (double)slow.process_bps,
                     got_bps);
    }
}

/* A receiver that processes at a half or an eighth of that is the limit, exactly. */
static void window_law__processing_below_it_is_the_limit(void **state)
{
    (void)state;
    each(check_processing, "fixed", 4);
}

/* Without loss a congestion window opens until it does not matter. */
static void check_grown(const struct line *line)
{
    struct line fixed = *line;
    fixed.law = "fixed";
    int64_t cycle_ps = line->rtt_ps;
    int64_t fill_ps = units_serialise_ps(line->window_bytes, line->rate_bps);
    if (fill_ps > 16 * cycle_ps) return; /* small bursts for nothing new */
    if (fill_ps > cycle_ps) cycle_ps = fill_ps;
    double with_bps = measured(line, 100 * cycle_ps),
           without_bps = measured(&fixed, 100 * cycle_ps);
    if (with_bps < 0.99 * without_bps || with_bps > 1.01 * without_bps)
        fail_msg("%s, window %lld B, round trip %g s, rate %g: %g bit/s, not %g", line->law,
                 (long long)line->window_bytes, units_s(line->rtt_ps), (double)line->rate_bps,
                 with_bps, without_bps);
}

static void window_law__cubic_without_loss(void **state)
{
    (void)state;
    each(check_grown, "cubic", 4);
}

static void window_law__bbr_without_loss(void **state)
{
    (void)state;
    each(check_grown, "bbr", 4);
}

static void check_monotone(const struct line *line)
{
    int64_t fill_ps = units_serialise_ps(line->window_bytes, line->rate_bps);
    int64_t span_ps = 60 * (line->rtt_ps > fill_ps ? line->rtt_ps : fill_ps);
    struct line better[3] = {*line, *line, *line};
    better[0].rate_bps *= 2;
    better[1].rtt_ps /= 2;
    better[2].window_bytes *= 2;
    double got_bps = measured(line, span_ps);
    for (int i = 0; i < 3; i++) {
        double better_bps = measured(&better[i], span_ps);
        if (better_bps < 0.99 * got_bps)
            fail_msg("window %lld B, round trip %g s, rate %g, better at %d: %g bit/s, not %g",
                     (long long)line->window_bytes, units_s(line->rtt_ps), (double)line->rate_bps,
                     i, better_bps, got_bps);
    }
}

/* A faster or shorter line or a larger window never makes it slower. */
static void window_law__better_is_never_slower(void **state)
{
    (void)state;
    for (int64_t window = 64 * KiB; window <= 64 * 1024 * KiB; window *= 4)
        for (size_t t = 1; t < 5; t++)
            check_monotone(&(struct line){.framing = &framing,
                                          .window_bytes = window,
                                          .rtt_ps = rtts_ps[t],
                                          .rate_bps = 10 * GBPS,
                                          .law = "fixed"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_law__fixed),
        cmocka_unit_test(window_law__processing_below_it_is_the_limit),
        cmocka_unit_test(window_law__cubic_without_loss),
        cmocka_unit_test(window_law__bbr_without_loss),
        cmocka_unit_test(window_law__better_is_never_slower),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
