/* trace.h - a recorded workload in memory: per rank a list of operations and what each waits for.
 *
 * The neutral form to which the readers of Chakra and GOAL reduce a trace, so that one replayer
 * runs both. Compact: 56 bytes per operation and 4 per dependency; names are stored once.
 *
 * An operation starts when all that it waits for has happened. Compute operations of one stream of
 * a rank do not overlap; communication does not hold its stream, which is then only a place to draw
 * it. A send is over when the sender may go on, a receive when all bytes have arrived. The k-th
 * send from a to b with tag t meets the k-th receive at b from a with tag t.
 */
#ifndef RAILSIM_MODELS_TRACE_TRACE_H
#define RAILSIM_MODELS_TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/coll/coll.h"
#include "sim/base/arena.h"
#include "sim/base/err.h"

#define TRACE_RANKS_MAX (1 << 20)
#define TRACE_OPS_MAX ((1 << 30) - 1) /* of a rank */
#define TRACE_BYTES_MAX (INT64_C(1) << 50)
#define TRACE_ANY (-1) /* a peer or a tag: whatever comes; of a collective: no root said */

enum trace_kind {
    TRACE_MARK,    /* takes no time: only passes on what it waited for */
    TRACE_COMPUTE, /* duration_ps, or, if that is 0, flop and bytes on whatever the device can */
    TRACE_SEND,
    TRACE_RECV,
    TRACE_COLLECTIVE,
    TRACE_LOAD,  /* bytes from memory or storage */
    TRACE_STORE, /* bytes to it */
    TRACE_KINDS
};

/* enum trace_collective continues enum coll_op. `bytes` counts as there; for those that follow
 * it is what one rank gives (gather, reduce) or gets (scatter). */
enum trace_collective {
    TRACE_ALL_REDUCE = COLL_ALL_REDUCE,
    TRACE_ALL_GATHER = COLL_ALL_GATHER,
    TRACE_REDUCE_SCATTER = COLL_REDUCE_SCATTER,
    TRACE_BROADCAST = COLL_BROADCAST,
    TRACE_ALL_TO_ALL = COLL_ALL_TO_ALL,
    TRACE_REDUCE = COLL_OPS,
    TRACE_GATHER,
    TRACE_SCATTER,
    TRACE_BARRIER,
    TRACE_COLLECTIVES
};

struct trace_op {
    int64_t duration_ps; /* compute: its time. Others: as recorded, 0 = not recorded */
    int64_t bytes;
    int64_t flop;    /* compute, 0 = not recorded */
    int64_t tag;     /* send, receive (GOAL has some of 10 digits); TRACE_ANY only at a receive */
    int32_t peer;    /* send: to, receive: from, collective: the root; TRACE_ANY */
    int32_t group;   /* collective: index into trace.group */
    uint64_t place;  /* in the file: a line (GOAL), the id of the node (Chakra) */
    uint32_t name;   /* index into trace.name; 0 = none */
    uint16_t stream; /* Chakra: 0 = CPU, others GPU; GOAL: the cpu */
    uint8_t kind;    /* enum trace_kind */
    uint8_t collective; /* enum trace_collective */
};
_Static_assert(sizeof(struct trace_op) <= 56, "there are millions of them");

/* enum trace_wait: what of the other operation is waited for. TRACE_CALLED: the other one called
 * this one (Chakra's control dependencies); replayers of that format wait for data dependencies
 * alone, so trace_build_stuck does not follow these. */
enum trace_wait { TRACE_END, TRACE_START, TRACE_CALLED };
struct trace_dep {
    uint32_t op : 30;  /* of the same rank */
    uint32_t wait : 2; /* enum trace_wait */
};

/* struct trace_rank: operation i waits for dep[dep_first[i]] .. dep[dep_first[i + 1] - 1]. */
struct trace_rank {
    struct trace_op *op;
    uint32_t *dep_first; /* op_n + 1 of them */
    struct trace_dep *dep;
    int64_t op_n, dep_n;
    const char *file;
};

/* struct trace_group: ranks that take part in a collective, in its order; rank NULL = all n. */
struct trace_group {
    const char *name;
    int32_t *rank;
    int32_t n;
};

/* struct trace: all of it lives in the arena of the reader. group[0] is all ranks. */
struct trace {
    struct trace_rank *rank;
    struct trace_group *group;
    const char *const *name; /* name[0] is "" */
    int64_t rank_n, group_n, name_n;
    int64_t lost_calls; /* control dependencies on nodes that the trace does not hold */
    bool lines;         /* places are lines */
};

/* trace_kind_name, trace_collective_name return "compute", "all_reduce", ... */
const char *trace_kind_name(enum trace_kind kind);
const char *trace_collective_name(enum trace_collective collective);

/* trace_member returns rank i of a group. */
static inline int32_t trace_member(const struct trace_group *group, int32_t i)
{
    return group->rank ? group->rank[i] : i;
}

/* trace_place returns where an operation stands, for messages; a Chakra trace has no lines. */
struct err_pos trace_place(const struct trace *trace, int64_t rank, int64_t op);
/* trace_where says the same within a sentence: "ring.goal:7", "node 12 of step.1.et". */
const char *trace_where(const struct trace *trace, int64_t rank, int64_t op, struct arena *arena);
/* trace_which returns what an operation is known by: "operation 3" of its rank, from 0, or its id
 * in a Chakra trace, "node 12". */
const char *trace_which(const struct trace *trace, int64_t rank, int64_t op, struct arena *arena);

/* trace_check adds an error for each pair of ranks (up to ERR_CAP) of which one sends more messages
 * of a tag than the other receives (with wildcards: for each rank that receives more or fewer than
 * all others send it), or a message larger than any receive that is left for it; and for each group
 * whose members do not call the same collectives with the same sizes. False if there is one.
 * (C089) */
bool trace_check(const struct trace *trace, struct err *err);

#endif
