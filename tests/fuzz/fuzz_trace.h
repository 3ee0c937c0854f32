/* fuzz_trace.h - what must hold of every trace that a reader accepts. */
#ifndef RAILSIM_FUZZ_TRACE_H
#define RAILSIM_FUZZ_TRACE_H

#include "models/trace/trace.h"
#include "sim/base/check.h"

static inline void fuzz_trace_op(const struct trace *trace, const struct trace_op *op)
{
    CHECK(op->kind < TRACE_KINDS && op->collective < TRACE_COLLECTIVES, "kind");
    CHECK(op->bytes >= 0 && op->bytes <= TRACE_BYTES_MAX, "bytes");
    CHECK(op->duration_ps >= 0 && op->flop >= 0, "duration, flop");
    CHECK(op->peer >= (op->kind == TRACE_SEND ? 0 : TRACE_ANY) && op->peer < trace->rank_n, "peer");
    CHECK(op->tag >= TRACE_ANY && (op->tag >= 0 || op->kind != TRACE_SEND), "tag");
    CHECK(op->group >= 0 && op->group < trace->group_n, "group");
    CHECK(op->name < trace->name_n && op->place > 0, "name, place");
}

/* Indexes exist, and the operations of each rank can all end if messages arrive. */
static inline void fuzz_trace(const struct trace *trace)
{
    struct err err = {0};
    for (int64_t r = 0; r < trace->rank_n; r++) {
        const struct trace_rank *rank = &trace->rank[r];
        CHECK(rank->dep_first[0] == 0 && rank->dep_first[rank->op_n] == rank->dep_n,
              "dependencies");
        for (int64_t i = 0; i < rank->op_n; i++) {
            fuzz_trace_op(trace, &rank->op[i]);
            for (uint32_t d = rank->dep_first[i]; d < rank->dep_first[i + 1]; d++)
                CHECK(rank->dep[d].op < rank->op_n && rank->dep[d].wait <= TRACE_CALLED,
                      "dependency");
        }
    }
    CHECK(trace_check(trace, &err) == (err.count == 0), "either fits or errors");
    err_free(&err);
}

#endif
