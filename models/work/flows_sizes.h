/* flows_sizes.h - random flow sizes from a measured distribution, and exponential gaps. */
#ifndef RAILSIM_MODELS_WORK_FLOWS_SIZES_H
#define RAILSIM_MODELS_WORK_FLOWS_SIZES_H

#include "models/work/flows_read.h"
#include "sim/engine/rng.h"

#define FLOWS_SIZES_MAX 4096 /* points of a distribution */

/* struct flows_sizes: a cumulative distribution, linear between its points. */
struct flows_sizes {
    const double *bytes, *cdf_percent; /* [n] */
    int64_t n;
};

/* flows_sizes_read fills sizes from lines "bytes,cdf_percent" (a head line of words is allowed),
 * in growing order, ending with 100; false with file:line:column in read->err. */
bool flows_sizes_read(struct flows_read *read, struct flows_sizes *sizes);
double flows_sizes_mean_bytes(const struct flows_sizes *sizes);
/* flows_sizes_draw returns a size of at least one byte. */
int64_t flows_sizes_draw(const struct flows_sizes *sizes, struct rng *rng);

/* flows_sizes_gap_ps draws an exponential time of the given mean: the same bits everywhere. */
int64_t flows_sizes_gap_ps(struct rng *rng, double mean_ps);
/* flows_sizes_log is the natural logarithm of x in (0, 1], from + - * / alone. */
double flows_sizes_log(double x);

#endif
