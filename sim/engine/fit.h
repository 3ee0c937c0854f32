/* fit.h - analysis: non-linear least squares and root finding (GSL). No event depends on it. */
#ifndef RAILSIM_ENGINE_FIT_H
#define RAILSIM_ENGINE_FIT_H

#include <stdbool.h>

#define FIT_PARAMS_MAX 8

/* fit_model_fn computes n residuals (got - expected, weighted by the caller) for the parameters
 * p[k]; returns false to give up (the fit then fails). */
typedef bool fit_model_fn(void *self, const double *p, int k, double *residual, int n);

/* struct fit_problem: n residuals of a model with k parameters. */
struct fit_problem {
    fit_model_fn *model;
    void *self;
    double *p; /* k start values, none of them 0; out: the best ones */
    int k, n;
    double step;    /* relative, of the finite differences */
    int iterations; /* out */
    double rms;     /* out: of the residuals */
};
/* fit_least_squares moves p so that the sum of squares of the residuals is least:
 * Levenberg-Marquardt with finite differences, parameters scaled by their start values. Returns
 * false if the model gave up or the fit did not converge; p is then as it was. */
bool fit_least_squares(struct fit_problem *problem);

/* fit_root finds x in [low, high] with f(x) = 0 to a relative 1e-6 (Brent); f(low) and f(high) must
 * differ in sign, else false. */
typedef double fit_root_fn(void *self, double x);
bool fit_root(fit_root_fn *f, void *self, double low, double high, double *x);

#endif
