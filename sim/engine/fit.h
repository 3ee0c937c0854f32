/* fit.h - analysis: non-linear least squares and root finding (GSL). No event depends on it. */
#ifndef RAILSIM_ENGINE_FIT_H
#define RAILSIM_ENGINE_FIT_H

#include <stdbool.h>

#define FIT_PARAMS_MAX 8

/* fit_model_fn computes n residuals (got - expected, weighted by the caller) for the parameters
 * p[k]; returns false to give up (the fit then fails). */
typedef bool fit_model_fn(void *self, const double *p, int k, double *residual, int n);

/* fit_least_squares moves p[k] (start values in, best values out) so that the sum of squares of n
 * residuals is least: Levenberg-Marquardt with finite differences, parameters scaled by their
 * start values (which must not be 0). step is the relative finite-difference step. *iterations and
 * *rms are set. Returns false if the model gave up or the fit did not converge. */
bool fit_least_squares(fit_model_fn *model, void *self, double *p, int k, int n, double step,
                       int *iterations, double *rms);

/* fit_root finds x in [low, high] with f(x) = 0 to a relative 1e-6 (Brent); f(low) and f(high) must
 * differ in sign, else false. */
typedef double fit_root_fn(void *self, double x);
bool fit_root(fit_root_fn *f, void *self, double low, double high, double *x);

#endif
