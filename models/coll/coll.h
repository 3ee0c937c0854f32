/* coll.h - the contract of collective algorithms: what each rank sends, receives and waits for.
 *
 * Pure and lazy: no clock, no fabric, nothing stored per message. The model is NCCL's kernel and
 * MSCCL's IR: each rank has a number of blocks (thread blocks: one per channel and role); a block
 * is a sequential program, and a plan computes any step of it from its number. An algorithm is one
 * file coll_NAME.c with `const struct coll_ops coll_NAME`; the Makefile finds it.
 *
 * A step does, in this order: wait until another block of the same rank has finished a step (if
 * after_block >= 0); wait for the next message from recv_from (if >= 0) and put it down at recv_at,
 * or, if `reduce`, add it to what is there; do the same with copy_bytes of its own data, from
 * copy_at; wait for a free slot to send_to (if >= 0) and send the bytes at send_at. Sending does
 * not wait for arrival. Messages between two ranks on one lane arrive in order; a lane from one
 * rank to another has one block that sends and one that receives.
 *
 * Data are addressed per rank. All-reduce, all-gather, reduce-scatter, broadcast work in place in
 * [0, bytes). All-to-all reads input at [0, bytes), leaves output at [bytes, 2 * bytes), and may
 * use what follows as scratch; a part is bytes / ranks, and a rank's own part stays where it is;
 * send-recv likewise. Of an all-to-all nobody sends what has no bytes. Tests run schedules on real
 * data by these addresses.
 *
 * Agents are pseudo-ranks ranks .. ranks+agents-1 that run the same kind of program where no GPU
 * is: in an NVSwitch or in a switch of the network that reduces (NVLS, SHARP). Their data are zero
 * at the beginning.
 */
#ifndef RAILSIM_MODELS_COLL_COLL_H
#define RAILSIM_MODELS_COLL_COLL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

/* enum coll_op: what `bytes` of a plan counts is what nccl-tests counts: the whole buffer of a rank
 * (all-gather: the output; reduce-scatter, all-to-all: the input). */
enum coll_op {
    COLL_ALL_REDUCE,
    COLL_ALL_GATHER,
    COLL_REDUCE_SCATTER,
    COLL_BROADCAST,
    COLL_ALL_TO_ALL,
    COLL_SEND_RECV, /* every rank sends all its bytes to the next one (nccl-tests' sendrecv) */
    COLL_OPS
};
#define COLL_BIT(op) (1u << (op))
/* "all_reduce", ...; NULL-terminated. */
extern const char *const coll_op_names[];

/* enum coll_protocol: how NCCL moves data: LL has a flag of 4 bytes beside each 4, LL128 8 beside
 * each 120, Simple waits for a fence instead. */
enum coll_protocol { COLL_LL, COLL_LL128, COLL_SIMPLE, COLL_PROTOCOLS };
extern const char *const coll_protocol_names[]; /* "ll", "ll128", "simple"; NULL-terminated */
/* coll_wire_bytes returns what so many bytes of payload are on the wire. */
int64_t coll_wire_bytes(enum coll_protocol protocol, int64_t bytes);

/* struct coll_ask: what is to be done, on which ranks. Ranks are numbered domain by domain: those
 * of one NVLink domain are neighbours, `local` of each. */
struct coll_ask {
    enum coll_op op;
    enum coll_protocol protocol;
    int64_t bytes;
    int32_t ranks;
    int32_t local;       /* ranks of each NVLink domain; divides ranks */
    int32_t leaf;        /* domains next to one another that share their leaf switches; 0 = all */
    int32_t root;        /* broadcast */
    int32_t channels;    /* parallel instances, each with its share of the data */
    int32_t slices;      /* a chunk goes as so many messages, one behind the other; lanes need
                            slices + 1 slots */
    int64_t chunk_bytes; /* longest chunk; 0 = no limit: the algorithm goes round once */
    int64_t switch_chunk_bytes; /* NCCL_NVLS_CHUNKSIZE, what NVLS suits itself to; 0 = default */
};

struct coll_ops;

/* struct coll_plan: an algorithm applied to an ask; read-only once coll_plan made it. */
struct coll_plan {
    struct coll_ask ask;
    const struct coll_ops *ops;
    int32_t agents;
    int32_t blocks, agent_blocks; /* of a rank, of an agent */
    int32_t lanes;                /* lanes are numbered 0 .. lanes-1 */
    int32_t at_once; /* blocks of a channel that share what it can move, as up and down a tree; 0 =
                        blocks take no time: who lets messages be long moves them in slices */
    const void *state; /* the algorithm's */
};

/* struct coll_step: see above. coll_step_none has nothing to do. */
struct coll_step {
    int32_t after_block;
    int64_t after_step;
    int32_t recv_from, recv_lane, send_to, send_lane;
    int64_t recv_at, recv_bytes, send_at, send_bytes;
    int64_t copy_at, copy_bytes; /* copy_bytes > 0 only where nothing is received */
    int64_t work_bytes; /* that the block moves for it; 0 = the longer of these, -1 = none */
    bool reduce;
};
#define COLL_STEP_NONE ((struct coll_step){.after_block = -1, .recv_from = -1, .send_to = -1})

/* struct coll_seat: where an agent is: in the NVSwitch of a rank's domain, or in the switch to
 * which the rank's NIC is connected. */
enum coll_place { COLL_IN_NVSWITCH, COLL_IN_LEAF };
struct coll_seat {
    enum coll_place place;
    int32_t rank;
};

struct coll_ops {
    const char *help; /* one line */
    uint32_t can;     /* COLL_BIT(op) of those that it can */
    /* plan fills agents, blocks, agent_blocks, lanes and state (from arena) for plan->ask. Returns
     * NULL, or why it cannot ("needs a power of two of ranks"). */
    const char *(*plan)(struct coll_plan *plan, struct arena *arena);
    /* step writes step `index` (0, 1, ...) of a block; false if the block has ended before it.
     * Steps of one block are asked for in any order. */
    bool (*step)(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                 struct coll_step *step);
    struct coll_seat (*seat)(const struct coll_plan *plan, int32_t agent); /* NULL = no agents */
    /* suit lowers ask's chunk_bytes and channels to what suits the algorithm; asked only where the
     * user has no wish. NULL = as they are. */
    void (*suit)(struct coll_ask *ask);
};

/* The registered algorithms, NULL-terminated, same order; "ring" is coll_ring.c. */
extern const struct coll_ops *const coll_list[];
extern const char *const coll_names[];
extern const char *const coll_words[]; /* "auto", then coll_names */
/* coll_find returns the index of a name, -1 if there is none. */
int coll_find(const char *name);

/* coll_countable tells whether a channel's chunks, with slices, are few enough for algorithms to
 * count: no more than 2^31 - 1. */
bool coll_countable(const struct coll_ask *ask);

/* coll_plan applies an algorithm; plan lives as long as arena. Of an all-to-all plan->ask.bytes is
 * what the ranks divide evenly, as nccl-tests rounds it down. Returns NULL, or why it cannot. */
const char *coll_plan(struct coll_plan *plan, const struct coll_ops *ops,
                      const struct coll_ask *ask, struct arena *arena);

/* coll_bus_factor is busbw / algbw (nccl-tests, PERFORMANCE.md): 2 (n-1)/n for all-reduce, ... */
double coll_bus_factor(enum coll_op op, int32_t ranks);

/* struct coll_range: bytes [at, at + bytes). */
struct coll_range {
    int64_t at, bytes;
};
/* coll_part is part i of n of a range, as even as whole bytes allow: the first ones take more. */
static inline struct coll_range coll_part(struct coll_range range, int32_t n, int32_t i)
{
    if (n == 1) return range;
    int64_t each = range.bytes / n, more = range.bytes % n;
    return (struct coll_range){range.at + each * i + (i < more ? i : more), each + (i < more)};
}
/* coll_most is the length of the longest of n parts. */
static inline int64_t coll_most(int64_t bytes, int32_t n)
{
    return (bytes + n - 1) / n;
}
/* coll_parts_n returns how many parts of at most longest bytes a range makes; at least 1; longest 0
 * = 1 part. */
static inline int64_t coll_parts_n(int64_t bytes, int64_t longest)
{
    return longest > 0 && bytes > longest ? (bytes + longest - 1) / longest : 1;
}

#endif
