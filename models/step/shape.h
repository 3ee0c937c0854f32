/* shape.h - how a job's ranks are divided: tensor, context, data, pipeline; the groups that follow.
 *
 * Pure. Ranks are numbered with tensor parallelism innermost, then context; then data and pipeline
 * in either order. Expert parallelism divides the ranks of data and context parallelism.
 * Source: Megatron-LM, core/parallel_state.py (order "tp-cp-ep-dp-pp").
 */
#ifndef RAILSIM_MODELS_STEP_SHAPE_H
#define RAILSIM_MODELS_STEP_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

struct shape {
    int32_t tensor, context, data, pipeline, expert;
    bool data_outermost; /* else pipeline */
};

/* struct shape_place: where a rank is. replica counts the ranks that hold the same parameters:
 * context + context parallelism * data. */
struct shape_place {
    int32_t tensor, context, data, stage, replica;
};

/* enum shape_group: kinds of groups. Replicas: those that share gradients; twins: the same of
 * experts' parameters. */
enum shape_group {
    SHAPE_ALL,
    SHAPE_TENSOR,
    SHAPE_CONTEXT,
    SHAPE_REPLICAS,
    SHAPE_EXPERT,
    SHAPE_TWINS,
    SHAPE_GROUPS
};

int32_t shape_ranks(const struct shape *shape);
struct shape_place shape_place(const struct shape *shape, int32_t rank);
int32_t shape_rank(const struct shape *shape, const struct shape_place *place);

/* shape_size returns the members of a group of a kind; shape_count how many groups there are. */
int32_t shape_size(const struct shape *shape, enum shape_group kind);
int32_t shape_count(const struct shape *shape, enum shape_group kind);
/* struct shape_seat: the group of a kind that a rank is in, and its place there. */
struct shape_seat {
    int32_t group, member;
};
struct shape_seat shape_seat(const struct shape *shape, enum shape_group kind, int32_t rank);

#endif
