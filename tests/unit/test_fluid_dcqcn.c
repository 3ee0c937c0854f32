/* test_fluid_dcqcn.c - the fluid model against the published tables: fixed points, phase margins,
 * evolution, thresholds. Runs in the root of the repository (tests/validation/measured/). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "models/cc/fluid_dcqcn.h"

static void near(double got, double expected, double absolute)
{
    if (!(fabs(got - expected) <= absolute))
        fail_msg("%.12g, not %.12g within %g", got, expected, absolute);
}

/* The root of the published equation, to 0.5 %; at 40 Gb/s and the paper's parameters. */
static void fixed_point__table(void **state)
{
    (void)state;
    static const struct {
        double flows, mark, mark_approx, queue_kb, alpha;
    } rows[] = {{2, 7.770e-4, 9.247e-4, 20.15, 0.1014},  {4, 1.888e-3, 2.320e-3, 41.81, 0.1218},
                {8, 4.552e-3, 5.832e-3, 93.77, 0.1452},  {10, 6.032e-3, 7.849e-3, 122.62, 0.1533},
                {16, 1.087e-2, 1.468e-2, 217.0, 0.1713}, {64, 5.906e-2, 9.312e-2, 1156, 0.2301}};
    for (int i = 0; i < 6; i++) {
        struct fluid_dcqcn model = FLUID_DCQCN_PAPER;
        struct fluid_dcqcn_point point;
        model.flows = rows[i].flows;
        assert_true(fluid_dcqcn_fixed_point(&model, &point));
        near(point.mark, rows[i].mark, 0.005 * rows[i].mark);
        near(point.mark_approx, rows[i].mark_approx, 0.005 * rows[i].mark_approx);
        near(point.queue_bytes, 1e3 * rows[i].queue_kb, 5 * rows[i].queue_kb);
        near(point.alpha, rows[i].alpha, 0.005 * rows[i].alpha);
        near(point.rate_bps, 40e9 / rows[i].flows, 1);
        assert_true(point.target_bps > point.rate_bps);
    }
}

/* At the fixed point nothing moves: the evolution ends there. */
static void fixed_point__is_where_the_evolution_ends(void **state)
{
    (void)state;
    struct fluid_dcqcn model = FLUID_DCQCN_PAPER;
    struct fluid_dcqcn_point point;
    struct fluid_dcqcn_evolution evolution = {.duration_s = 0.4};
    model.flows = 4;
    model.delay_s = 4e-6;
    assert_true(fluid_dcqcn_fixed_point(&model, &point));
    fluid_dcqcn_evolve(&model, &evolution);
    near(evolution.queue_mean_bytes, point.queue_bytes, 1e-3 * point.queue_bytes);
    near(evolution.most.rate_bps, point.rate_bps, 1e-5 * point.rate_bps);
}

static void fixed_point__none(void **state)
{
    (void)state;
    struct fluid_dcqcn model = FLUID_DCQCN_PAPER;
    struct fluid_dcqcn_point point;
    model.flows = 1e6; /* 5 packets a second each */
    assert_false(fluid_dcqcn_fixed_point(&model, &point));
}

static void phase_margin__published_table(void **state)
{
    (void)state;
    char line[400];
    int rows = 0;
    FILE *in = fopen("tests/validation/measured/dcqcn_phase_margin.csv", "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        double delay_us, margin_deg;
        struct fluid_dcqcn model = FLUID_DCQCN_PAPER;
        if (sscanf(line, "%lf,%lf,%lf", &model.flows, &delay_us, &margin_deg) != 3) continue;
        struct fluid_dcqcn_margin margin;
        model.delay_s = delay_us * 1e-6;
        assert_true(fluid_dcqcn_phase_margin(&model, &margin));
        near(margin.margin_deg, margin_deg, 0.1);
        rows++;
    }
    fclose(in);
    assert_int_equal(rows, 18);
}

/* Other files of the authors, at 50 us: more flows, 100 Gb/s, smaller steps and a longer ramp
 * (where the gain crosses 1 more than once). */
static void phase_margin__other_published_files(void **state)
{
    (void)state;
    static const struct {
        double rate_bps, ai_bps, kmax_bytes, flows, margin_deg;
    } rows[] = {
        {40e9, 40e6, 200e3, 4, -0.75215},  {40e9, 40e6, 200e3, 40, 15.73},
        {40e9, 40e6, 200e3, 100, 39.811},  {100e9, 40e6, 200e3, 6, -7.9966},
        {100e9, 40e6, 200e3, 34, -16.582}, {100e9, 40e6, 200e3, 100, -3.7909},
        {40e9, 10e6, 1000e3, 2, 62.877},   {40e9, 10e6, 1000e3, 10, 53.724},
        {40e9, 10e6, 1000e3, 12, 20.392},  {40e9, 10e6, 1000e3, 100, 41.703},
    };
    for (int i = 0; i < 10; i++) {
        struct fluid_dcqcn model = FLUID_DCQCN_PAPER;
        struct fluid_dcqcn_margin margin;
        model.delay_s = 50e-6;
        model.rate_bps = rows[i].rate_bps;
        model.ai_bps = rows[i].ai_bps;
        model.kmax_bytes = rows[i].kmax_bytes;
        model.flows = rows[i].flows;
        assert_true(fluid_dcqcn_phase_margin(&model, &margin));
        near(margin.margin_deg, rows[i].margin_deg, 0.1);
    }
}

/* The margin falls with the delay by w tau*, the gain being the same. */
static void phase_margin__delay_costs_its_phase(void **state)
{
    (void)state;
    struct fluid_dcqcn near_by = FLUID_DCQCN_PAPER, far = FLUID_DCQCN_PAPER;
    struct fluid_dcqcn_margin a, b;
    far.delay_s = 30e-6;
    assert_true(fluid_dcqcn_phase_margin(&near_by, &a));
    assert_true(fluid_dcqcn_phase_margin(&far, &b));
    near(a.crossover_rad_s, b.crossover_rad_s, 1e-2);
    near(a.margin_deg - b.margin_deg, 30e-6 * a.crossover_rad_s * 180 / M_PI, 1e-3);
}

/* struct series: what a sink saw. */
struct series {
    int n;
    double last_s;
    struct fluid_dcqcn_sample first;
};

static void count(void *self, const struct fluid_dcqcn_sample *sample)
{
    struct series *series = self;
    if (series->n++ == 0) series->first = *sample;
    assert_true(series->n == 1 || sample->at_s > series->last_s);
    assert_true(sample->queue_bytes >= 0 && isfinite(sample->queue_bytes));
    assert_true(sample->rate_bps > 0 && sample->rate_bps <= 40e9);
    assert_true(sample->alpha >= 0 && sample->alpha <= 1);
    series->last_s = sample->at_s;
}

/* Unstable only for 10 flows at 85 us; queues as the delay-differential equations give them (slope
 * of the ramp continued: Kmax 2000 KB, Pmax 10 %). */
static void evolve__published_verdicts(void **state)
{
    (void)state;
    static const struct {
        double flows, delay_us, low_kb, high_kb;
        bool stable;
    } rows[] = {{2, 4, 20.5, 20.5, true},  {10, 4, 125.2, 125.2, true}, {64, 4, 1181, 1183, true},
                {2, 85, 20.0, 20.8, true}, {10, 85, 0, 276, false},     {64, 85, 1176, 1183, true}};
    for (int i = 0; i < 6; i++) {
        struct fluid_dcqcn model = FLUID_DCQCN_PAPER;
        struct series series = {0};
        struct fluid_dcqcn_evolution evolution = {
            .duration_s = 0.1, .every_s = 1e-3, .sink = count, .self = &series};
        model.flows = rows[i].flows;
        model.delay_s = rows[i].delay_us * 1e-6;
        model.kmax_bytes = 2000e3;
        model.pmax = 0.1;
        fluid_dcqcn_evolve(&model, &evolution);
        assert_int_equal(evolution.stable, rows[i].stable);
        near(evolution.least.queue_bytes / 1e3, rows[i].low_kb, 0.01 * rows[i].high_kb);
        near(evolution.most.queue_bytes / 1e3, rows[i].high_kb, 0.01 * rows[i].high_kb);
        assert_in_range(series.n, 99, 101);
        near(series.first.rate_bps, 40e9, 0);
        near(series.first.alpha, 1, 0);
        if (!rows[i].stable) {
            near(evolution.least.rate_bps, 3.70e9, 0.01e9);
            near(evolution.most.rate_bps, 4.30e9, 0.01e9);
        }
    }
}

/* B = 12 MB, 32 ports, 8 priorities, 22.4 KB of flight, beta 8. */
static void thresholds__of_the_paper(void **state)
{
    (void)state;
    struct fluid_dcqcn_buffer buffer = {12e6, 32, 8, 22.4e3, 8};
    near(fluid_dcqcn_pfc_bytes(&buffer), 24475, 1e-9);
    near(fluid_dcqcn_ecn_static_bytes(&buffer), 764.84375, 1e-9);
    near(fluid_dcqcn_ecn_dynamic_bytes(&buffer), 195800 / 9.0, 1e-9); /* 21.756 KB */
    assert_int_equal((int)(fluid_dcqcn_ecn_dynamic_bytes(&buffer) + 0.5), 21756);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_point__table),
        cmocka_unit_test(fixed_point__is_where_the_evolution_ends),
        cmocka_unit_test(fixed_point__none),
        cmocka_unit_test(phase_margin__published_table),
        cmocka_unit_test(phase_margin__other_published_files),
        cmocka_unit_test(phase_margin__delay_costs_its_phase),
        cmocka_unit_test(evolve__published_verdicts),
        cmocka_unit_test(thresholds__of_the_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
