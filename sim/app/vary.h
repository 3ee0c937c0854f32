/* vary.h - the grid of a sweep: --vary KEY=list, range or logarithmic range. */
#ifndef RAILSIM_APP_VARY_H
#define RAILSIM_APP_VARY_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

#define VARY_AXES_MAX 6
#define VARY_VALUES_MAX 10000
#define VARY_POINTS_MAX 100000

/* struct vary_axis: one varied key and its values, as texts with units. */
struct vary_axis {
    const char *key;
    int64_t n;
    const char **value;
};

/* vary_parse reads "wan.rtt=0ms,15ms,20ms", "wan.rtt=0ms..40ms/9" (9 values, equal steps) or
 * "wan.rtt=log:1ms..100ms/9" (equal ratios, 4 significant digits). The values live in arena.
 * Adds every mistake to err; false if there is one. A value that would occur twice is one. */
bool vary_parse(struct arena *arena, const char *spec, struct vary_axis *axis, struct err *err);

/* vary_points returns how many points axes[n] span (times `times`, >= 1), or -1 if they are more
 * than VARY_POINTS_MAX. */
int64_t vary_points(const struct vary_axis *axes, int n, int64_t times);

/* vary_pick sets choice[n], the value of each axis at point index; the last axis runs fastest. */
void vary_pick(const struct vary_axis *axes, int n, int64_t index, int64_t *choice);

#endif
