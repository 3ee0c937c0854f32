/* test_fit.c - least squares on laws with known parameters, roots of known functions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/fit.h"

/* struct law: y = a exp(-b x) sampled at x = 0 ... n-1, with an error that no parameters remove. */
struct law {
    double a, b, error;
    int calls, give_up_at;
};

static bool exponential(void *self, const double *p, int k, double *residual, int n)
{
    struct law *law = self;
    assert_int_equal(k, 2);
    if (++law->calls == law->give_up_at) return false;
    for (int i = 0; i < n; i++) {
        double y = law->a * exp(-law->b * i) + (i % 2 ? law->error : -law->error);
        residual[i] = p[0] * exp(-p[1] * i) - y;
    }
    return true;
}

/* problem_of: find p[2] of a law from n samples. */
static struct fit_problem problem_of(struct law *law, double *p, int n)
{
    return (struct fit_problem){
        .model = exponential, .self = law, .p = p, .k = 2, .n = n, .step = 1e-6};
}

/* Parameters of very different size: they are scaled by their start values. */
static void fit_least_squares__finds_the_parameters(void **state)
{
    (void)state;
    struct law law = {.a = 5e9, .b = 0.25};
    double p[2] = {1e9, 1};
    struct fit_problem problem = problem_of(&law, p, 12);
    assert_true(fit_least_squares(&problem));
    assert_true(fabs(p[0] / 5e9 - 1) < 1e-6 && fabs(p[1] / 0.25 - 1) < 1e-6);
    assert_true(problem.iterations > 0 && problem.rms < 1e3);
}

static void fit_least_squares__reports_the_rms(void **state)
{
    (void)state;
    struct law law = {.a = 100, .b = 0.1, .error = 1};
    double p[2] = {80, 0.2};
    struct fit_problem problem = problem_of(&law, p, 40);
    assert_true(fit_least_squares(&problem));
    assert_true(fabs(p[0] / 100 - 1) < 0.05 && fabs(p[1] / 0.1 - 1) < 0.05);
    assert_true(problem.rms > 0.9 && problem.rms <= 1);
}

static void fit_least_squares__as_many_residuals_as_parameters(void **state)
{
    (void)state;
    struct law law = {.a = 3, .b = 0.5};
    double p[2] = {1, 1};
    struct fit_problem problem = problem_of(&law, p, 2);
    assert_true(fit_least_squares(&problem));
    assert_true(fabs(p[0] - 3) < 1e-6 && fabs(p[1] - 0.5) < 1e-6);
}

static void fit_least_squares__started_at_the_optimum(void **state)
{
    (void)state;
    struct law law = {.a = 3, .b = 0.5};
    double p[2] = {3, 0.5};
    struct fit_problem problem = problem_of(&law, p, 5);
    assert_true(fit_least_squares(&problem));
    assert_true(fabs(p[0] - 3) < 1e-9 && fabs(p[1] - 0.5) < 1e-9 && problem.rms < 1e-9);
}

/* The model gives up at the start, in the finite differences, and later: always false, p kept. */
static void fit_least_squares__model_gives_up(void **state)
{
    (void)state;
    for (int at = 1; at <= 4; at++) {
        struct law law = {.a = 3, .b = 0.5, .give_up_at = at};
        double p[2] = {1, 1};
        struct fit_problem problem = problem_of(&law, p, 5);
        assert_false(fit_least_squares(&problem));
        assert_true(p[0] == 1 && p[1] == 1);
    }
}

static bool not_finite(void *self, const double *p, int k, double *residual, int n)
{
    (void)self;
    (void)k;
    for (int i = 0; i < n; i++)
        residual[i] = p[0] / 0.0;
    return true;
}

static void fit_least_squares__not_finite(void **state)
{
    (void)state;
    double p[1] = {1};
    assert_false(fit_least_squares(
        &(struct fit_problem){.model = not_finite, .p = p, .k = 1, .n = 3, .step = 1e-6}));
}

static double square_minus(void *self, double x)
{
    return x * x - *(double *)self;
}

static void fit_root__found(void **state)
{
    (void)state;
    double two = 2, x = 0;
    assert_true(fit_root(square_minus, &two, 0, 10, &x));
    assert_true(fabs(x / sqrt(2) - 1) < 1e-6);
    assert_true(fit_root(square_minus, &two, -10, 0, &x));
    assert_true(fabs(x / -sqrt(2) - 1) < 1e-6);
    double tiny = 1e-20;
    assert_true(fit_root(square_minus, &tiny, 0, 1, &x)); /* relative, not absolute */
    assert_true(fabs(x / 1e-10 - 1) < 1e-5);
}

static void fit_root__refused(void **state)
{
    (void)state;
    double two = 2, x = 42;
    assert_false(fit_root(square_minus, &two, 2, 10, &x)); /* one sign */
    assert_false(fit_root(square_minus, &two, 10, 0, &x)); /* ends exchanged */
    two = NAN;
    assert_false(fit_root(square_minus, &two, 0, 10, &x));
    assert_true(x == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_least_squares__finds_the_parameters),
        cmocka_unit_test(fit_least_squares__reports_the_rms),
        cmocka_unit_test(fit_least_squares__as_many_residuals_as_parameters),
        cmocka_unit_test(fit_least_squares__started_at_the_optimum),
        cmocka_unit_test(fit_least_squares__model_gives_up),
        cmocka_unit_test(fit_least_squares__not_finite),
        cmocka_unit_test(fit_root__found),
        cmocka_unit_test(fit_root__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
