/* plan.h - a training step as lists of operations, one per stream and kind of rank; the program
 * that runs it on all ranks, step after step.
 *
 * Ranks of one pipeline stage do the same, with other partners: a list is made once per stage, and
 * groups and peers are found when an operation is due.
 */
#ifndef RAILSIM_MODELS_STEP_PLAN_H
#define RAILSIM_MODELS_STEP_PLAN_H

#include "models/step/exec.h"
#include "models/step/shape.h"

/* Streams of a rank: compute, with all that it waits for at once; gathering of parameters;
 * reduction of gradients; samples read ahead; checkpoints stored behind training's back. */
enum plan_stream { PLAN_COMPUTE, PLAN_GATHER, PLAN_REDUCE, PLAN_READ, PLAN_STORE, PLAN_STREAMS };
extern const char *const plan_stream_names[];

/* struct plan_op: an operation of one stage; `group` stands for exec_op.group and member, `hop`
 * (send, receive) for the peer: -1 the stage before, 1 the one behind, round the ends. after_op:
 * an operation of the same step, or of after_back steps before; -1 = the last one of the step
 * before that. every: only steps every, 2 every, ... have it; 0 = all. */
struct plan_op {
    int64_t duration_ps, bytes, tag;
    const char *name;
    int64_t after_op;
    int32_t after_stream; /* -1 = none */
    int64_t after_back, every;
    int8_t kind, category, idle, group, op, hop;
    bool detached;
};
#define PLAN_OP_NONE ((struct plan_op){.after_stream = -1})

struct plan_list {
    struct plan_op *op;
    int64_t n, cap;
};
struct plan_stage {
    struct plan_list stream[PLAN_STREAMS];
};

/* struct plan: zero-initialise with arena, shape and stage set. */
struct plan {
    struct arena *arena;
    struct shape shape;
    struct plan_stage *stage; /* [pipeline] */
    /* coupled: groups of this kind meet in every layer, in operations that are times of their own:
     * who computes slowly holds all members up. */
    bool coupled[SHAPE_GROUPS];
};

/* plan_add appends an operation and returns its number. */
int64_t plan_add(struct plan *plan, int32_t stage, enum plan_stream stream,
                 const struct plan_op *op);

/* plan_streams returns how many streams there are to run: those behind have no operations. */
int32_t plan_streams(const struct plan *plan);

/* struct plan_program: runs a plan; embeds what the executor asks for. */
struct plan_program {
    struct exec_program program;
    const struct plan *plan;
    const double *slowdown; /* [ranks] of compute; NULL = 1 */
    int64_t steps;
    int32_t group_first[SHAPE_GROUPS]; /* of a kind, in exec_cfg.group */
    /* step_over is told when a rank's step is over. */
    void (*step_over)(void *owner, int64_t step);
    void *owner;
};
extern const struct exec_program_ops plan_program_ops;

/* plan_groups makes the groups of all kinds and notes their first numbers; returns how many. */
int32_t plan_groups(struct plan_program *program, struct exec_group **groups);

#endif
