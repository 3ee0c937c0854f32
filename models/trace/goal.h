/* goal.h - GOAL, the text of LogGOPSim and ATLAHS: sends, receives and computation per rank. */
#ifndef RAILSIM_MODELS_TRACE_GOAL_H
#define RAILSIM_MODELS_TRACE_GOAL_H

#include <stdbool.h>
#include <stdio.h>

#include "models/trace/trace.h"

/* goal_read reads file, opened as `in`, into *trace; false with one message, file:line:column
 * (C083, C084, C088). What trace holds lives in arena; file must, too. The ranks are not
 * compared with each other: trace_check does that. */
struct goal_source {
    const char *file;
    FILE *in; /* NULL = goal_read opens and closes it */
    struct arena *arena;
    struct err *err;
    int64_t ranks_max; /* more are an error; 0 = TRACE_RANKS_MAX */
};
bool goal_read(const struct goal_source *source, struct trace *trace);

#endif
