/* trace_build.h - for the readers: collects the operations of one rank after the other. */
#ifndef RAILSIM_MODELS_TRACE_TRACE_BUILD_H
#define RAILSIM_MODELS_TRACE_TRACE_BUILD_H

#include "models/trace/trace.h"
#include "models/trace/trace_keys.h"

/* struct trace_edge: `op` waits for `on`. */
struct trace_edge {
    uint32_t op, on;
    enum trace_wait wait;
};

/* struct trace_build: zero-initialise, set the first block; trace_build_free releases scratch. */
struct trace_build {
    struct trace *trace;
    struct arena *arena; /* for what the trace keeps */
    struct err *err;
    /* ---- scratch, of the present rank */
    struct trace_op *op;
    struct trace_edge *edge;
    int64_t op_n, op_cap, edge_n, edge_cap;
    /* ---- of all ranks */
    struct trace_keys names, groups; /* by name */
    int64_t group_cap;
};

/* trace_build_begin makes room for rank_n ranks without operations, and group 0. */
void trace_build_begin(struct trace_build *build, int64_t rank_n);
/* trace_build_op appends an operation to the present rank and returns it, with peer and tag
 * TRACE_ANY; NULL past TRACE_OPS_MAX. Valid until the next one. */
struct trace_op *trace_build_op(struct trace_build *build);
/* trace_build_wait lets an operation of the present rank wait for another one. */
void trace_build_wait(struct trace_build *build, const struct trace_edge *edge);
/* trace_build_name returns the number of a name. */
uint32_t trace_build_name(struct trace_build *build, const char *text, size_t len);
/* trace_build_group adds a group, whose members the caller sets; NULL if there is one of that name.
 * Valid until the next one. */
struct trace_group *trace_build_group(struct trace_build *build, const char *text, size_t len);
/* trace_build_rank stores the present rank as `rank`, read from file; false with a message if
 * operations wait for each other in a circle (C088). */
bool trace_build_rank(struct trace_build *build, int64_t rank, const char *file);
/* trace_build_stuck returns the first of op_n operations that can never start because of what
 * edges (of TRACE_END and TRACE_START) say, -1 if there is none. */
struct trace_edges {
    const struct trace_edge *edge;
    int64_t n, op_n;
};
int64_t trace_build_stuck(const struct trace_edges *edges);
/* trace_build_end gives the trace its names, once all ranks are stored. */
void trace_build_end(struct trace_build *build);
void trace_build_free(struct trace_build *build);

#endif
