/* msccl.h - collective algorithms of MSCCL: an XML file as tables per GPU, block, step. */
#ifndef RAILSIM_MODELS_TRACE_MSCCL_H
#define RAILSIM_MODELS_TRACE_MSCCL_H

#include <stdbool.h>
#include <stdio.h>

#include "models/coll/coll.h"
#include "sim/base/arena.h"
#include "sim/base/err.h"

#define MSCCL_GPUS_MAX 65536
#define MSCCL_CHUNKS_MAX (1 << 24)

enum msccl_type {
    MSCCL_NOP,                   /* nop: only waits */
    MSCCL_SEND,                  /* s */
    MSCCL_RECV,                  /* r */
    MSCCL_RECV_COPY_SEND,        /* rcs */
    MSCCL_RECV_REDUCE_COPY,      /* rrc */
    MSCCL_RECV_REDUCE_SEND,      /* rrs */
    MSCCL_RECV_REDUCE_COPY_SEND, /* rrcs */
    MSCCL_COPY,                  /* cpy */
    MSCCL_REDUCE,                /* re */
    MSCCL_TYPES
};
enum msccl_buffer { MSCCL_INPUT, MSCCL_OUTPUT, MSCCL_SCRATCH, MSCCL_BUFFERS };

/* enum msccl_coll: those that coll.h has, by its numbers; and those that it has not. */
enum msccl_coll { MSCCL_CUSTOM = COLL_OPS, MSCCL_REDUCE_TO_ROOT };

/* struct msccl_step: offsets and count are chunks. Before it does anything, step dep_step of block
 * dep_block of the same GPU must have ended, if dep_block >= 0. */
struct msccl_step {
    int32_t src_offset, dst_offset; /* -1 = none */
    int32_t count;
    int32_t dep_block, dep_step;
    uint32_t line;
    uint8_t type, src, dst; /* enum msccl_type, msccl_buffer */
    bool has_dep;           /* another block waits for this step */
};

/* struct msccl_block: a thread block: its steps run one after the other, sending to GPU send and
 * receiving from GPU recv (-1 = it never does) on a channel. The k-th send from a to b on a channel
 * is taken by the k-th receive at b from a on that channel. */
struct msccl_block {
    struct msccl_step *step;
    int32_t step_n, send, recv, channel;
    uint32_t line;
};

struct msccl_gpu {
    struct msccl_block *block;
    int32_t block_n;
    int32_t chunks[MSCCL_BUFFERS]; /* of each buffer; input 0 in place */
    uint32_t line;
};

struct msccl {
    const char *name;
    struct msccl_gpu *gpu;
    int64_t bytes_min, bytes_max; /* for which it was made; INT64_MAX = no limit said */
    int64_t step_n;               /* of all blocks */
    int32_t gpu_n, channels;
    int32_t chunks_per_loop; /* the buffer is cut into so many */
    int coll;                /* enum coll_op or msccl_coll */
    enum coll_protocol protocol;
    bool in_place;
};

struct msccl_source {
    const char *file;
    FILE *in; /* NULL = msccl_read opens and closes it */
    struct arena *arena;
    struct err *err;
};
/* msccl_read reads and checks an algorithm; false with messages, file:line:column (C083, C057 to
 * C059). What algorithm holds lives in arena. When it returns true, peers, blocks, steps and
 * buffers that steps name exist, every send has its receive of the same count, and all steps can
 * end if sends do not wait for receives. */
bool msccl_read(const struct msccl_source *source, struct msccl *algorithm);

/* msccl_sends, msccl_receives: does a step do that? */
bool msccl_sends(enum msccl_type type);
bool msccl_receives(enum msccl_type type);

/* msccl_check is the last part of msccl_read: whether sends, receives and dependencies fit together
 * (C059). */
bool msccl_check(const struct msccl_source *source, const struct msccl *algorithm);

/* msccl_deliver replays an algorithm that msccl_read has read on data that know where they come
 * from: whether each GPU ends with what its collective promises, each contribution once; false with
 * a message: the line, the chunk, what it holds and should hold (C136), or what is wrong with the
 * buffers (C137). *skipped: it was not looked at, being custom or a reduce to a root, whose result
 * the file does not say, or larger than this: chunks of all buffers, or of messages under way at
 * once, at 16 bytes each; or 64 times as many chunks moved. */
#define MSCCL_REPLAY_MAX (1 << 24)
bool msccl_deliver(const struct msccl_source *source, const struct msccl *algorithm, bool *skipped);

#endif
