/* trace_rig.h - a trace read from a text or from bytes, and what was said of it. */
#ifndef RAILSIM_TEST_TRACE_RIG_H
#define RAILSIM_TEST_TRACE_RIG_H

#include <stdio.h>
#include <string.h>

#include "models/trace/trace_build.h"

struct trace_rig {
    struct arena arena;
    struct err err;
    struct trace trace;
    bool ok;
};

static inline FILE *trace_rig_open(const void *bytes, size_t len)
{
    /* fmemopen refuses an empty buffer */
    FILE *in = len > 0 ? fmemopen((void *)(uintptr_t)bytes, len, "r") : fopen("/dev/null", "r");
    assert_non_null(in);
    return in;
}

/* The only error says this. */
static inline void trace_rig_said(const struct err *err, const char *expected, const char *input)
{
    if (err->count != 1 || !strstr(err->messages[0], expected))
        fail_msg("'%s' gave %d errors, '%s', not '%s'", input, err->count,
                 err->count ? err->messages[0] : "", expected);
}

static inline void trace_rig_end(struct trace_rig *rig)
{
    err_free(&rig->err);
    arena_free(&rig->arena);
}

/* trace_rig_waits: operation `op` waits for exactly n others, the i-th of them is `on`. */
static inline void trace_rig_waits(const struct trace_rank *rank, uint32_t op, uint32_t n)
{
    assert_int_equal(rank->dep_first[op + 1] - rank->dep_first[op], n);
}
static inline void trace_rig_dep(const struct trace_rank *rank, uint32_t op, uint32_t i,
                                 struct trace_dep expected)
{
    struct trace_dep dep = rank->dep[rank->dep_first[op] + i];
    assert_int_equal(dep.op, expected.op);
    assert_int_equal(dep.wait, expected.wait);
}

#endif
