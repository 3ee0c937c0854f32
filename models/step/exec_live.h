/* exec_live.h - what the files of the executor share: operations under way, streams, ranks. */
#ifndef RAILSIM_MODELS_STEP_EXEC_LIVE_H
#define RAILSIM_MODELS_STEP_EXEC_LIVE_H

#include "models/step/exec.h"

enum exec_state { EXEC_READY, EXEC_ASLEEP, EXEC_AFTER, EXEC_RUNNING, EXEC_ENDED };

/* struct exec_live: an operation that has started, or waits to. */
struct exec_live {
    struct exec_op op;
    struct timer timer; /* busy */
    struct exec_stream *stream;
    struct exec_live *next;      /* of those that wait in one place */
    int64_t start_ps, moving_ps; /* moving: nobody else is late any more */
};

struct exec_stream {
    struct exec_live live; /* attached: of the stream's current operation */
    struct exec *exec;
    struct exec_stream *next;    /* in the queue of ready ones, or behind `waiting` */
    struct exec_stream *waiting; /* streams of the rank that wait for this one */
    int64_t index;               /* of the operation that is current */
    int32_t rank, number;
    enum exec_state state;
    bool loaded; /* live.op is the operation `index` */
};

struct exec_message;

#define EXEC_LANES 4 /* of a timeline, for a rank's detached operations, which overlap */

/* struct exec_rank: since_ps: stream 0 has accounted for all before. */
struct exec_rank {
    int64_t time_ps[EXEC_CATEGORIES];
    int64_t since_ps;
    int64_t drawn_ps[EXEC_LANES];            /* until when; 0 = nothing yet */
    struct exec_message *inbox, **inbox_end; /* arrived, and nobody asked yet */
    struct exec_live *posted, **posted_end;  /* receives */
};

struct exec_run;
struct exec_pair;

struct exec {
    struct exec_cfg cfg;
    struct exec_rank *rank;     /* [ranks] */
    struct exec_stream *stream; /* [ranks][streams] */
    struct exec_stream *ready, **ready_end;
    struct exec_run **run;   /* [groups] lists */
    struct exec_pair **pair; /* hash of connections, open addressing, a power of two */
    int64_t pair_n, pair_cap;
    struct pool lives, messages;
    int64_t sent_bytes[EXEC_CATEGORIES]; /* by operations that are over */
    int64_t open;                        /* streams that have not ended */
    int64_t pending; /* detached operations under way, messages that nobody has received */
    uint32_t component;
    bool running;
};

enum { EXEC_TIMER_BUSY, EXEC_TIMER_MEET };

/* exec_over ends an operation: time is counted, the stream goes on, who waits is woken; call
 * exec_go_on afterwards, once. */
void exec_over(struct exec_live *live);
/* exec_go_on lets all ready streams run until they have to wait. */
void exec_go_on(struct exec *exec);

/* exec_enter: a member enters a collective or a meeting (exec_meet.c). */
void exec_enter(struct exec_live *live);
/* exec_meet_waits_for says what the group of an operation waits for. */
const char *exec_meet_waits_for(const struct exec_live *live, struct arena *arena);
/* exec_meet_bytes returns what the collectives of a category have sent. */
int64_t exec_meet_bytes(const struct exec *exec, enum exec_category category);

/* exec_send, exec_receive start a message's two ends (exec_message.c). */
void exec_send(struct exec_live *live);
void exec_receive(struct exec_live *live);
/* exec_unreceived names a message that nobody has received; "" = none. */
const char *exec_unreceived(const struct exec *exec, struct arena *arena);

#endif
