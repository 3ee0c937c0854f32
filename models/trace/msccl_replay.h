/* msccl_replay.h - runs the steps of an MSCCL algorithm on data, forwards and backwards. */
#ifndef RAILSIM_MODELS_TRACE_MSCCL_REPLAY_H
#define RAILSIM_MODELS_TRACE_MSCCL_REPLAY_H

#include "models/trace/msccl.h"

/* MSCCL_NOTHING, as a count: nobody has written there, or more than can be counted. */
#define MSCCL_NOTHING UINT32_MAX

/* struct msccl_cell: what one chunk of a buffer holds: a sum of `count` chunks of inputs; `sum` is
 * that of a number for each of them. line: of the step that wrote it last, 0 = none. */
struct msccl_cell {
    uint64_t sum;
    uint32_t count, line;
};

struct msccl_wire;
struct msccl_runner;

/* struct msccl_replay: set algorithm, msccl_replay_begin; msccl_replay_free in the end. */
struct msccl_replay {
    const struct msccl *algorithm;
    bool rrc_source; /* rrc adds to its source, if that is within its buffer, not its destination */
    /* ---- */
    struct arena arena;
    struct msccl_cell *cell;
    int64_t (*at)[MSCCL_BUFFERS]; /* [gpus] where the buffers begin in cell */
    int64_t cell_n;
    bool too_large;
    /* ---- scratch */
    struct msccl_wire *wire;
    struct msccl_runner *runner;
    int32_t *first; /* [gpus] runner of its first block */
    int32_t *ready; /* stack of runners */
    int32_t *order; /* [step_n] whose step was run */
    int64_t under_way_n, order_n;
    int32_t runner_n, wire_n, ready_n;
};

/* msccl_replay_begin makes room; false if it were too much (MSCCL_REPLAY_MAX). In place, an
 * all-gather's input is its GPU's part of the output, a reduce-scatter's output its part of the
 * input; of others they are one. */
bool msccl_replay_begin(struct msccl_replay *replay);
/* msccl_replay_rewind lets no step have run and every cell hold MSCCL_NOTHING. */
void msccl_replay_rewind(struct msccl_replay *replay);
/* msccl_replay_forward runs all steps, unless too_large becomes true. */
void msccl_replay_forward(struct msccl_replay *replay);
/* msccl_replay_backward, after it, runs them from the last to the first, transposed: counts that
 * say how often a result takes what a cell holds at the end become how often it takes what the cell
 * held at the beginning. */
void msccl_replay_backward(struct msccl_replay *replay);
void msccl_replay_free(struct msccl_replay *replay);

#endif
