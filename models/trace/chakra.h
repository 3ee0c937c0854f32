/* chakra.h - MLCommons Chakra execution traces: one file of protocol buffers per rank. */
#ifndef RAILSIM_MODELS_TRACE_CHAKRA_H
#define RAILSIM_MODELS_TRACE_CHAKRA_H

#include <stdbool.h>
#include <stdio.h>

#include "models/trace/trace_build.h"

/* chakra_read reads NAME.0.et, NAME.1.et, ... (as many as there are; a gap is an error) and, if
 * groups is not NULL, a JSON file of process groups, {"name": [rank, ...], ...}. False with one
 * message: file, byte and what is wrong there (C083, C085 to C088). The ranks are not compared
 * with each other: trace_check does that. What trace holds lives in arena. */
struct chakra_source {
    const char *name;   /* "path/NAME" */
    const char *groups; /* a file, or NULL: a process group other than "" is then an error */
    struct arena *arena;
    struct err *err;
    int64_t ranks_max; /* more are an error; 0 = TRACE_RANKS_MAX */
};
bool chakra_read(const struct chakra_source *source, struct trace *trace);

/* ---- the parts of it ---- */

/* struct chakra_file: a file that is open. */
struct chakra_file {
    const char *file;
    FILE *in;
    int64_t rank;
};
/* chakra_read_groups adds groups to build->trace, after trace_build_begin; false with a message
 * (C087). */
bool chakra_read_groups(struct trace_build *build, const char *file, FILE *in);
/* chakra_read_rank reads one rank; false with a message. */
bool chakra_read_rank(struct trace_build *build, const struct chakra_file *file);

#endif
