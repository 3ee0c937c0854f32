/* dryrun.h - what run and sweep would do, and what it would cost. */
#ifndef RAILSIM_APP_DRYRUN_H
#define RAILSIM_APP_DRYRUN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/app/point.h"

/* struct dryrun: n loaded points in order. */
struct dryrun {
    const struct point *point;
    const struct point_config *config;
    int64_t n;
    int jobs;
    bool json;
};

/* dryrun_print prints the points, their number, and the estimated events, memory and wall time. The
 * estimate simulates the first point of each workload for at most a second. Returns the exit
 * code. */
int dryrun_print(const struct dryrun *dryrun);

#endif
