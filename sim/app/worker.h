/* worker.h - forked workers: one child per task, its record comes back through a pipe. */
#ifndef RAILSIM_APP_WORKER_H
#define RAILSIM_APP_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/err.h"
#include "sim/base/record.h"

#define WORKER_JOBS_MAX 1024 /* children at a time */

/* struct worker_result: one finished task, in the parent. */
struct worker_result {
    int64_t index;
    struct record *record; /* status "crashed" with the reason if the child died; freed after */
    double started_unix_s, ended_unix_s;
};

/* struct worker_plan: n tasks, at most jobs children at a time, started in order. */
struct worker_plan {
    int64_t n;
    int jobs;
    void *self;
    /* work runs in the child and fills record, which it initialises. It must not touch a database
     * connection of the parent. */
    void (*work)(void *self, int64_t index, struct record *record);
    /* done gets each result in the parent, in the order of finishing; false stops the rest. */
    bool (*done)(void *self, const struct worker_result *result);
    /* tick, if set, is called in the parent twice a second and after each result. */
    void (*tick)(void *self);
};

/* worker_run runs the plan. Returns 0, or the signal (SIGINT, SIGTERM, SIGHUP) that ended it: the
 * children are then gone and done has seen every result that was complete; a second signal, more
 * than 0.1 s later, ends the process at once. Returns -1 if done refused or a child could not be
 * started (in err). */
int worker_run(const struct worker_plan *plan, struct err *err);

/* worker_unix_s returns the time of day in Unix seconds. */
double worker_unix_s(void);

/* worker_cpus returns the number of processors this process may use (at least 1). */
int worker_cpus(void);

#endif
