/* exec.h - runs a program on the GPUs of a cluster: compute, collectives, messages, in streams.
 *
 * A program is asked for its operations one by one, when they are due: nothing is stored for those
 * that are over or still to come. Each rank has a few streams; operations of a stream follow one
 * another, streams run side by side. An operation may wait for one of another stream of its rank
 * (`after`), may let its stream go on at once (`detached`), and a program that knows better when
 * what may start (a graph) says EXEC_LATER until it may.
 *
 * Ranks meet in collectives: the k-th call of a member of a group with the same operation, size,
 * algorithm and category meets the k-th calls of the others. The k-th send from a to b with a tag
 * meets the k-th receive; messages wait at the receiver if nobody asks for them yet.
 *
 * Stream 0 is where a rank's time is counted: every moment is busy with a category, or waits for
 * one (exposed communication), or waits for another rank that is late (bubble, skew). Timelines
 * draw the same: what an operation waits for others is a span of category bubble or skew.
 */
#ifndef RAILSIM_MODELS_STEP_EXEC_H
#define RAILSIM_MODELS_STEP_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "models/cluster/cluster.h"
#include "models/cluster/collective.h"
#include "models/cluster/device.h"
#include "sim/base/spans.h"

enum exec_kind {
    EXEC_MARK,       /* takes no time: waits for `after`, and is done */
    EXEC_BUSY,       /* duration_ps */
    EXEC_COLLECTIVE, /* of a group: messages over the cluster */
    EXEC_MEET,       /* a group meets; all go on duration_ps after the last one has come */
    EXEC_SEND,       /* bytes to a peer; over when the last byte has arrived */
    EXEC_RECV,       /* over when a message that matches has arrived */
    EXEC_OUTSIDE     /* exec_cfg.agent does it, and says when it is over */
};

/* enum exec_category: what time is spent on; the last two are never an operation's own: waiting for
 * a message that has not been sent, for members of a group that have not come. */
enum exec_category {
    EXEC_COMPUTE,
    EXEC_TP,
    EXEC_CP,
    EXEC_EP,
    EXEC_PP,
    EXEC_FSDP,
    EXEC_DP,
    EXEC_DATA, /* storage */
    EXEC_OTHER,
    EXEC_BUBBLE,
    EXEC_SKEW,
    EXEC_CATEGORIES
};
/* "compute", "tp", ...; NULL-terminated. */
extern const char *const exec_category_names[];

#define EXEC_ANY (-1)

/* struct exec_op: an operation; EXEC_OP_NONE sets what must not be 0. */
struct exec_op {
    enum exec_kind kind;
    enum exec_category category;
    const char *name;      /* for timelines and messages; must outlive the run */
    int64_t duration_ps;   /* busy, meet */
    int64_t bytes;         /* collective: as enum coll_op counts; send: payload; busy, meet: what
                            the rank is taken to have sent meanwhile, only counted */
    int32_t group, member; /* collective, meet: index into exec_cfg.group; the rank's place in it */
    enum coll_op op;       /* collective */
    int32_t algorithm;     /* collective: 0 = auto, else 1 + index into coll_list */
    int32_t root;          /* broadcast: a member */
    int32_t peer;          /* send, receive; receive: EXEC_ANY */
    int64_t tag;           /* the same */
    int32_t after_stream;  /* -1 = none: starts when operation after_op of that stream is over */
    int64_t after_op;
    enum exec_category idle; /* what waiting for others counts as; 0 = bubble for a receive, skew
                                for the others */
    uint64_t token;          /* the program's */
    bool detached; /* its stream goes on when it has started; `after` sees it as over then */
};
#define EXEC_OP_NONE ((struct exec_op){.after_stream = -1, .name = ""})

enum exec_next {
    EXEC_OP,    /* op is filled */
    EXEC_LATER, /* nothing now: asked again, same index, when an operation of the rank is over */
    EXEC_END    /* the stream has ended */
};

struct exec_program;
/* struct exec_program_ops: ranks, streams, indices count from 0. */
struct exec_program_ops {
    enum exec_next (*next)(struct exec_program *program, int32_t rank, int32_t stream,
                           int64_t index, struct exec_op *op);
    /* over is told of every operation that is over, before anybody is asked for more; NULL = not
     * interested. */
    void (*over)(struct exec_program *program, int32_t rank, const struct exec_op *op);
};
/* struct exec_program: a program embeds it as its first member. */
struct exec_program {
    const struct exec_program_ops *ops;
};

/* struct exec_group: ranks that call collectives together, those of an NVLink domain next to one
 * another. kind, number: how messages name it ("tensor" group 3); NULL = by its index alone. */
struct exec_group {
    const int32_t *rank; /* NULL = all, 0 .. n-1 */
    int32_t n, number;
    const char *kind;
};

struct exec;
struct exec_live; /* an operation that is under way */
typedef void exec_fn(struct exec *exec, void *owner);

/* struct exec_agent: who does operations of kind EXEC_OUTSIDE (storage). begin takes one over; it
 * lives until the agent calls exec_outside_over, which may be at once. */
struct exec_agent {
    void (*begin)(void *owner, struct exec_live *live, int32_t rank, const struct exec_op *op);
    const char *name; /* what a stuck run waits for */
    void *owner;
};
/* exec_outside_moves: nobody else is late any more: what the operation takes from now on is its
 * own category's time; before, waiting for others (exec_op.idle). */
void exec_outside_moves(struct exec_live *live);
/* exec_outside_over ends the operation, for which bytes were moved. */
void exec_outside_over(struct exec_live *live, int64_t bytes);

struct exec_cfg {
    struct cluster *cluster;
    const struct collective_facts *facts;
    const struct device_facts *device;
    struct exec_program *program;
    struct exec_agent agent; /* for programs with EXEC_OUTSIDE */
    int32_t ranks, streams;
    const int32_t *gpu; /* [ranks] of the cluster; NULL = rank r is GPU r */
    const struct exec_group *group;
    int32_t group_n;
    int64_t messages_max; /* algorithm auto: a collective of more messages goes in fewer, longer
                             ones (models/step/bulk.c); 0 = never */
    const char *const *stream_names; /* [streams], for timelines and messages */
    const struct spans *spans;       /* NULL = nobody draws */
    exec_fn *done;                   /* all streams have ended, every message was received */
    void *owner;
};

/* exec_new makes a run in the simulation's arena; cfg is copied, what it points to must outlive it.
 * exec_start asks every stream for its first operation. */
struct exec *exec_new(const struct exec_cfg *cfg);
void exec_start(struct exec *exec);
struct sim *exec_sim(const struct exec *exec);

/* exec_waits_for says which rank, stream and operation of a run that is stuck wait for what. */
const char *exec_waits_for(const struct exec *exec, struct arena *arena);

/* exec_time_ps returns how much of a rank's time went to a category so far (stream 0). */
int64_t exec_time_ps(const struct exec *exec, int32_t rank, enum exec_category category);
/* exec_bytes returns what all ranks sent so far for a category. */
int64_t exec_bytes(const struct exec *exec, enum exec_category category);

#endif
