/* replay_live.h - what the files of the replayer share: the graph of each rank, and its queues. */
#ifndef RAILSIM_MODELS_REPLAY_REPLAY_LIVE_H
#define RAILSIM_MODELS_REPLAY_REPLAY_LIVE_H

#include "models/replay/replay.h"
#include "models/step/exec.h"

/* enum replay_state: ANNOUNCED: started as far as others that wait for its start are concerned. */
enum replay_state { REPLAY_WAITING, REPLAY_ANNOUNCED, REPLAY_STARTED, REPLAY_OVER };

/* struct replay_queue: operations of a stream that may start, in the order in which they became so.
 * Numbers are + 1: 0 = none. */
struct replay_queue {
    uint32_t first, last;
    uint32_t left; /* of the stream that have not started, ready or not */
    int32_t part;  /* of the first: parts that have started */
};

struct replay_seat {
    int32_t group, member;
};

/* struct replay_rank: follower[follower_first[i]] .. wait for operation i. */
struct replay_rank {
    const struct trace_rank *trace;
    uint32_t *follower_first;
    struct trace_dep *follower;
    uint32_t *wait_n; /* before it starts: what it still waits for; then: parts under way */
    uint32_t *next;   /* in its queue: number + 1 */
    uint8_t *state;   /* enum replay_state */
    struct replay_queue *queue; /* [streams]; the last: all but compute */
    struct replay_queue marks;  /* over as soon as they may start */
    struct replay_seat *seat;   /* [seat_n] in groups of which it is a member */
    int32_t seat_n;
};

/* struct replay_graph: who waits for whom in all ranks. */
struct replay_graph {
    const struct trace *trace;
    struct replay_rank *rank;
    int32_t *stream_of; /* [65536] of the trace's streams of compute */
    int32_t streams;
    bool memory; /* loads and stores take time */
};

/* replay_graph_new prepares a trace; all of it lives in arena. Stream 0 is the one that computes
 * longest. */
void replay_graph_new(struct replay_graph *graph, const struct trace *trace, bool memory,
                      struct arena *arena);
/* replay_graph_release tells those that wait for operation i: it has started, or ended. */
void replay_graph_release(struct replay_graph *graph, struct replay_rank *rank, uint32_t i,
                          enum trace_wait what);
/* replay_graph_member returns a rank's place in a group, -1 if it has none. */
int32_t replay_graph_member(const struct replay_graph *graph, int32_t rank, int32_t group);

/* replay_load reads what replay_check has accepted. */
void replay_load(const struct replay_cfg *cfg, struct arena *arena, struct trace *trace);

/* replay_why says what keeps a rank, its operation and those that it waits for from ending; NULL if
 * nothing has started that is not over. */
const char *replay_why(const struct replay_graph *graph, struct arena *arena);

/* struct replay_drawing: what has been drawn of each rank; spans NULL = nothing is. */
struct replay_drawing {
    const struct spans *spans;
    const struct replay_graph *graph;
    int64_t **start_ps; /* [ranks][operations] */
    uint8_t **lane;     /* the same */
    uint64_t *busy;     /* [ranks] a bit per lane of communication */
    uint64_t *named;    /* the same */
    int32_t node_gpus;
};
void replay_draw_new(struct replay_drawing *drawing, struct arena *arena);
void replay_draw_start(const struct replay_drawing *drawing, int32_t rank, uint32_t i,
                       int64_t now_ps);
void replay_draw_over(const struct replay_drawing *drawing, int32_t rank, uint32_t i,
                      int64_t now_ps);
/* replay_name returns what an operation is called: its own name, or what it does. */
const char *replay_name(const struct trace *trace, const struct trace_op *op);

#endif
