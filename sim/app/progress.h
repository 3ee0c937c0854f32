/* progress.h - one line on the terminal while points are simulated. */
#ifndef RAILSIM_APP_PROGRESS_H
#define RAILSIM_APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/record.h"

/* struct progress: set by progress_begin. */
struct progress {
    bool line;  /* redraw one line: stderr is a terminal that can */
    bool plain; /* else print a line every 30 s */
    int64_t done, total, events, sim_ps;
    double cpu_s, start_s, shown_s;
};

/* progress_begin prepares for total points. Nothing is shown if quiet; where stderr is no terminal
 * (or TERM=dumb), only if verbose. */
void progress_begin(struct progress *progress, int64_t total, bool quiet, bool verbose);
/* progress_add counts a finished point. */
void progress_add(struct progress *progress, const struct record *record);
/* progress_show draws the line if it is due. */
void progress_show(struct progress *progress);
/* progress_clear removes the line, before a message or at the end. */
void progress_clear(const struct progress *progress);

#endif
