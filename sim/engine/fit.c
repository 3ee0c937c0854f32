/* fit.c - least squares and root finding for calibration and analysis, by GSL.
 *
 * Why apart: the only file that includes GSL's fitting and root headers; results never feed events,
 * so that their last bits may differ between machines.
 * The one idea: parameters are handed to GSL divided by their start values, so that one
 * finite-difference step and one tolerance fit all of them.
 * Source: GSL 2.7 manual, "Nonlinear Least-Squares Fitting" (Levenberg-Marquardt trust region) and
 * "One Dimensional Root-Finding" (Brent). Not modelled: bounds, weights (the caller's residuals).
 */
#include "sim/engine/fit.h"

#include <math.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_roots.h>

#include "sim/base/arena.h"
#include "sim/base/check.h"

#define FIT_ITERATIONS 200
#define FIT_TOLERANCE 1e-6
#define ROOT_ITERATIONS 200
#define ROOT_TOLERANCE 1e-6

struct fit {
    struct fit_problem *problem; /* p stays at the start values while GSL works */
    double *residual;            /* n; GSL's own vectors may be columns of a matrix */
    bool gave_up;                /* GSL goes on after some failed evaluations */
};

/* residuals is the model as GSL calls it: x are the parameters divided by their start values. */
static int residuals(const gsl_vector *x, void *self, gsl_vector *f)
{
    struct fit *fit = self;
    const struct fit_problem *of = fit->problem;
    double p[FIT_PARAMS_MAX];
    for (int i = 0; i < of->k; i++)
        p[i] = gsl_vector_get(x, (size_t)i) * of->p[i];
    if (!fit->gave_up) fit->gave_up = !of->model(of->self, p, of->k, fit->residual, of->n);
    for (int i = 0; i < of->n && !fit->gave_up; i++) {
        fit->gave_up = !isfinite(fit->residual[i]);
        gsl_vector_set(f, (size_t)i, fit->residual[i]);
    }
    return fit->gave_up ? GSL_EBADFUNC : GSL_SUCCESS;
}

/* solve runs the iteration in an allocated workspace; the best parameters stay in it. */
static bool solve(gsl_multifit_nlinear_workspace *work, struct fit *fit)
{
    struct fit_problem *of = fit->problem;
    double one[FIT_PARAMS_MAX];
    for (int i = 0; i < of->k; i++)
        one[i] = 1;
    gsl_vector_const_view x = gsl_vector_const_view_array(one, (size_t)of->k);
    gsl_multifit_nlinear_fdf fdf = {
        .f = residuals,
        .n = (size_t)of->n,
        .p = (size_t)of->k,
        .params = fit,
    };
    if (gsl_multifit_nlinear_init(&x.vector, &fdf, work)) return false;
    /* GSL's own driver takes a start at the optimum for a failure. */
    int status = GSL_CONTINUE, info;
    while (status == GSL_CONTINUE && of->iterations++ < FIT_ITERATIONS) {
        status = gsl_multifit_nlinear_iterate(work);
        if (fit->gave_up) return false;
        if (status == GSL_ENOPROG) return true; /* no step is better */
        if (status == GSL_SUCCESS)
            status =
                gsl_multifit_nlinear_test(FIT_TOLERANCE, FIT_TOLERANCE, FIT_TOLERANCE, &info, work);
    }
    return status == GSL_SUCCESS;
}

bool fit_least_squares(struct fit_problem *problem)
{
    double *p = problem->p;
    int k = problem->k, n = problem->n;
    CHECK(k >= 1 && k <= FIT_PARAMS_MAX && n >= k, "%d residuals for %d parameters", n, k);
    for (int i = 0; i < k; i++)
        CHECK(p[i] != 0, "parameter %d starts at 0", i);
    struct arena scratch = {0};
    struct fit fit = {.problem = problem, .residual = ARENA_ARRAY(&scratch, double, n)};
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    how.trs = gsl_multifit_nlinear_trs_lm;
    how.h_df = problem->step;
    problem->iterations = 0;
    problem->rms = 0;

    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_multifit_nlinear_workspace *work =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, (size_t)n, (size_t)k);
    bool ok = work && solve(work, &fit);
    if (ok) {
        const gsl_vector *best = gsl_multifit_nlinear_position(work);
        const gsl_vector *f = gsl_multifit_nlinear_residual(work);
        double sum = 0;
        for (size_t i = 0; i < (size_t)n; i++)
            sum += gsl_vector_get(f, i) * gsl_vector_get(f, i);
        problem->rms = sqrt(sum / n);
        for (int i = 0; i < k; i++)
            p[i] *= gsl_vector_get(best, (size_t)i);
    }
    if (work) gsl_multifit_nlinear_free(work);
    arena_free(&scratch);
    gsl_set_error_handler(handler);
    return ok;
}

struct root {
    fit_root_fn *f;
    void *self;
};

static double root_value(double x, void *self)
{
    const struct root *root = self;
    return root->f(root->self, x);
}

bool fit_root(fit_root_fn *f, void *self, double low, double high, double *x)
{
    struct root root = {f, self};
    gsl_function function = {.function = root_value, .params = &root};
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    /* GSL refuses ends of one sign, and values that are not finite. */
    bool ok =
        solver && low < high && gsl_root_fsolver_set(solver, &function, low, high) == GSL_SUCCESS;
    int status = GSL_CONTINUE;
    for (int i = 0; ok && status == GSL_CONTINUE && i < ROOT_ITERATIONS; i++) {
        ok = gsl_root_fsolver_iterate(solver) == GSL_SUCCESS;
        *x = gsl_root_fsolver_root(solver);
        status = gsl_root_test_interval(gsl_root_fsolver_x_lower(solver),
                                        gsl_root_fsolver_x_upper(solver), 0, ROOT_TOLERANCE);
    }
    if (solver) gsl_root_fsolver_free(solver);
    gsl_set_error_handler(handler);
    return ok && status == GSL_SUCCESS;
}
