/* trace.c - names of the neutral form, and where an operation stands.
 *
 * Apart because readers, the check and the replayer say the same words. Not modelled: replaying.
 */
#include "models/trace/trace.h"

#include <inttypes.h>

#include "sim/base/check.h"

const char *trace_kind_name(enum trace_kind kind)
{
    static const char *const names[] = {"mark",       "compute", "send", "receive",
                                        "collective", "load",    "store"};
    _Static_assert(sizeof names / sizeof *names == TRACE_KINDS, "a name for each kind");
    CHECK(kind < TRACE_KINDS, "kind %d", (int)kind);
    return names[kind];
}

const char *trace_collective_name(enum trace_collective collective)
{
    static const char *const names[] = {"reduce", "gather", "scatter", "barrier"};
    _Static_assert(COLL_OPS + sizeof names / sizeof *names == TRACE_COLLECTIVES,
                   "a name for each collective");
    CHECK(collective < TRACE_COLLECTIVES, "collective %d", (int)collective);
    int own = (int)collective - (int)COLL_OPS;
    return own >= 0 ? names[own] : coll_op_names[collective];
}

struct err_pos trace_place(const struct trace *trace, int64_t rank, int64_t op)
{
    struct err_pos pos = {.file = trace->rank[rank].file};
    if (trace->lines) {
        pos.line = (int)trace->rank[rank].op[op].place;
        pos.col = 1;
    }
    return pos;
}

const char *trace_where(const struct trace *trace, int64_t rank, int64_t op, struct arena *arena)
{
    const char *file = trace->rank[rank].file;
    uint64_t place = trace->rank[rank].op[op].place;
    if (trace->lines) return arena_printf(arena, "%s:%" PRIu64, file, place);
    return arena_printf(arena, "node %" PRIu64 " of %s", place, file);
}

const char *trace_which(const struct trace *trace, int64_t rank, int64_t op, struct arena *arena)
{
    if (trace->lines) return arena_printf(arena, "operation %" PRId64, op);
    return arena_printf(arena, "node %" PRIu64, trace->rank[rank].op[op].place);
}
