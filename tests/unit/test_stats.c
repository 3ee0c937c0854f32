/* test_stats.c - histograms against exact quantiles, time averages, windows that double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "sim/engine/stats.h"

static void stats_hist_add__exact_moments(void **state)
{
    (void)state;
    struct stats_hist hist = {0};
    assert_true(stats_hist_quantile(&hist, 0.5) == 0);
    static const int64_t values[] = {7, 1, INT64_MAX, 0, -5, 100};
    for (int i = 0; i < 6; i++)
        stats_hist_add(&hist, values[i]);
    assert_int_equal(hist.count, 6);
    assert_int_equal(hist.min, 0); /* negative values count as 0 */
    assert_int_equal(hist.max, INT64_MAX);
    assert_true(fabs(hist.sum / 9223372036854775915.0 - 1) < 1e-12);
    assert_true(stats_hist_quantile(&hist, 1) == (double)INT64_MAX);
    assert_true(stats_hist_quantile(&hist, 0) == 0);
}

/* Uniform, then geometric samples: the true quantile is known, the error is at most 6.25 %. */
static void stats_hist_quantile__near_the_true_one(void **state)
{
    (void)state;
    struct stats_hist uniform = {0}, geometric = {0};
    for (int i = 1; i <= 100000; i++) {
        stats_hist_add(&uniform, i);
        stats_hist_add(&geometric, (int64_t)pow(10, 12.0 * i / 100000));
    }
    for (double q = 0.01; q < 1; q += 0.01) {
        assert_true(fabs(stats_hist_quantile(&uniform, q) / (q * 100000) - 1) < 0.01);
        double got = stats_hist_quantile(&geometric, q), expected = pow(10, 12 * q);
        if (expected > 100) assert_true(fabs(got / expected - 1) < 0.0625);
    }
}

static void stats_hist_quantile__one_value(void **state)
{
    (void)state;
    struct stats_hist hist = {0};
    for (int i = 0; i < 10; i++)
        stats_hist_add(&hist, 1000003);
    for (double q = 0; q <= 1; q += 0.25)
        assert_true(stats_hist_quantile(&hist, q) == 1000003);
}

static const struct stats_name latency = {"nic/0", "latency", "s", 1e-12};
static const struct stats_name read_rate = {"storage", "read", "bit/s", 8};

static double metric(const struct record *r, const char *name)
{
    double value = NAN;
    assert_true(record_find(r, "nic/0", name, &value));
    return value;
}

static void stats_hist_record__metrics_and_bins(void **state)
{
    (void)state;
    struct stats_hist hist = {0};
    struct record r;
    record_init(&r);
    for (int i = 1; i <= 1000; i++)
        stats_hist_add(&hist, i * PS_PER_US);
    stats_hist_record(&hist, &r, &latency);
    assert_true(metric(&r, "latency_count") == 1000);
    assert_true(fabs(metric(&r, "latency_mean") - 500.5e-6) < 1e-15);
    assert_true(fabs(metric(&r, "latency_min") - 1e-6) < 1e-18);
    assert_true(fabs(metric(&r, "latency_max") - 1e-3) < 1e-15);
    assert_true(fabs(metric(&r, "latency_p50") - 500e-6) < 10e-6);
    assert_true(fabs(metric(&r, "latency_p95") - 950e-6) < 10e-6);
    assert_true(fabs(metric(&r, "latency_p99") - 990e-6) < 10e-6);
    int64_t count = 0;
    for (int i = 0; i < r.bin_n; i++) {
        assert_true(r.bins[i].count > 0 && r.bins[i].low < r.bins[i].high);
        if (i > 0) assert_true(r.bins[i].low >= r.bins[i - 1].high);
        count += r.bins[i].count;
    }
    assert_int_equal(count, 1000);
    record_free(&r);
}

static void stats_hist_record__empty(void **state)
{
    (void)state;
    struct stats_hist hist = {0};
    struct record r;
    record_init(&r);
    stats_hist_record(&hist, &r, &latency);
    assert_true(metric(&r, "latency_count") == 0);
    assert_true(metric(&r, "latency_mean") == 0);
    assert_int_equal(r.bin_n, 0);
    record_free(&r);
}

/* begin: 1000 at time 0, windows of 1 ms. */
static void begin(struct record *r, struct stats_rate *rate)
{
    record_init(r);
    stats_rate_init(rate, PS_PER_MS);
    stats_rate_add(rate, 0, 1000);
}

static void stats_rate_record__amounts_per_second(void **state)
{
    (void)state;
    static struct stats_rate rate;
    struct record r;
    begin(&r, &rate);
    stats_rate_add(&rate, PS_PER_MS - 1, 500);
    stats_rate_add(&rate, 5 * PS_PER_MS, 250);
    stats_rate_record(&rate, &r, &read_rate, 5 * PS_PER_MS + PS_PER_MS / 2);
    const struct record_series *s = &r.series[0];
    assert_int_equal(s->n, 3); /* 0, the idle stretch from 1 ms, 5 ms */
    assert_int_equal(s->window_ps, PS_PER_MS);
    assert_int_equal(s->time_ps[1], PS_PER_MS);
    assert_int_equal(s->time_ps[2], 5 * PS_PER_MS);
    assert_true(fabs(s->value[0] - 8 * 1500 / 1e-3) < 1);
    assert_true(s->value[1] == 0);
    assert_true(fabs(s->value[2] - 8 * 250 / 0.5e-3) < 1); /* the run ends in mid-window */
    record_free(&r);
}

static void stats_rate_record__idle_end(void **state)
{
    (void)state;
    static struct stats_rate rate;
    struct record r;
    begin(&r, &rate);
    stats_rate_record(&rate, &r, &read_rate, 100 * PS_PER_MS);
    assert_int_equal(r.series[0].n, 2);
    assert_int_equal(r.series[0].time_ps[1], PS_PER_MS);
    assert_true(r.series[0].value[1] == 0);
    record_free(&r);
}

static void stats_rate_add__windows_double(void **state)
{
    (void)state;
    static struct stats_rate rate;
    stats_rate_init(&rate, 1000);
    int64_t sum = 0;
    for (int64_t i = 0; i < 10 * STATS_RATE_WINDOWS; i++)
        stats_rate_add(&rate, i * 1000, i);
    assert_int_equal(rate.window_ps, 16000);
    assert_int_equal(rate.used, 10 * STATS_RATE_WINDOWS / 16);
    for (int i = 0; i < STATS_RATE_WINDOWS; i++)
        sum += rate.amount[i];
    assert_int_equal(sum, rate.total);
    assert_int_equal(rate.amount[0], 15 * 16 / 2); /* 0 + 1 + ... + 15 */
    assert_int_equal(rate.amount[100], 16 * 1600 + 15 * 16 / 2);
    stats_rate_add(&rate, 1000 * PS_PER_S, 1); /* far: doubles many times at once */
    sum = 0;
    for (int i = 0; i < STATS_RATE_WINDOWS; i++)
        sum += rate.amount[i];
    assert_int_equal(sum, rate.total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_hist_add__exact_moments),
        cmocka_unit_test(stats_hist_quantile__near_the_true_one),
        cmocka_unit_test(stats_hist_quantile__one_value),
        cmocka_unit_test(stats_hist_record__metrics_and_bins),
        cmocka_unit_test(stats_hist_record__empty),
        cmocka_unit_test(stats_rate_record__amounts_per_second),
        cmocka_unit_test(stats_rate_record__idle_end),
        cmocka_unit_test(stats_rate_add__windows_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
