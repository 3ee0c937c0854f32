/* sweep_grid.h - the points of a sweep: workloads x varied keys x repeats, loaded and checked. */
#ifndef RAILSIM_APP_SWEEP_GRID_H
#define RAILSIM_APP_SWEEP_GRID_H

#include "sim/app/cli.h"
#include "sim/app/point.h"
#include "sim/app/vary.h"

/* struct sweep_request: what the command line asks for. */
struct sweep_request {
    const struct cli_texts *files; /* topology, workload... */
    const struct cli_texts *vary;
    const struct cli_launch *launch;
    int64_t repeat;
};

/* struct sweep_grid: n points, in command-line order: workloads outside, then the axes (the last
 * fastest), repeats inside. */
struct sweep_grid {
    struct vary_axis *axis;
    int axis_n, workload_n;
    int64_t repeat, n;
    struct point *point;
    struct point_config *config;
};

/* sweep_grid_load fills grid, everything in arena. Each mistake is reported once, however many
 * points have it; false if there is one. */
bool sweep_grid_load(struct sweep_grid *grid, const struct sweep_request *request,
                     struct arena *arena, struct err *err);

#endif
