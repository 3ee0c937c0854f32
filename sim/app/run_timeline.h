/* run_timeline.h - the file of `railsim run --timeline`, opened here, written by the worker. */
#ifndef RAILSIM_APP_RUN_TIMELINE_H
#define RAILSIM_APP_RUN_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/app/chosen.h"
#include "sim/app/sketch.h"
#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/io/timeline.h"

/* struct run_timeline: set the first block: file (NULL = none is wanted), nodes and time as
 * chosen_parse takes them, events_max. */
struct run_timeline {
    const char *file, *nodes, *time;
    int64_t events_max;
    /* ---- */
    FILE *out;
    struct chosen chosen;
    struct timeline timeline;
    struct sketch sketch;
};

/* run_timeline_open reads the choice and makes the file; false with a message if it cannot. */
bool run_timeline_open(struct run_timeline *run, struct err *err);
/* run_timeline_begin begins to write, in the process that simulates, and returns whom models tell;
 * run_timeline_end ends it, stores its sketch and, if something is not drawn, how much. */
const struct spans *run_timeline_begin(struct run_timeline *run);
void run_timeline_end(struct run_timeline *run, struct record *record);
/* run_timeline_notice says on out what of the run is not drawn, and how to see it; nothing if all
 * that was asked for is. */
void run_timeline_notice(const struct run_timeline *run, const struct record *record, FILE *out);
/* run_timeline_close closes the file; false with a message if it should be complete, but is not. */
bool run_timeline_close(struct run_timeline *run, bool complete, struct err *err);

#endif
