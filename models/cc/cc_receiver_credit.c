/* cc_receiver_credit.c - receiver-driven admission: send what the receiver cleared, at line rate.
 *
 * A sender may have `credit` bytes out; the receiver clears a further `chunk` when a whole chunk
 * has arrived. No marks, no delays: the queue at the receiver is at most credit x senders.
 * Source: Meta, SIGCOMM'24, section 5.3: DCQCN off, NCCL's clear-to-send messages admit traffic;
 * NCCL's buffer of a channel (NCCL_BUFFSIZE 4 MiB) in NCCL_STEPS = 8 parts.
 * Simplified: the clear-to-send rides on the acknowledgement that completes a chunk instead of a
 * message of its own. NOT modelled: a receiver that shares one credit among its senders, the
 * priority of clear-to-send messages.
 */
#include "models/cc/cc.h"

struct credit_cfg {
    int64_t credit_bytes, chunk_bytes;
};

struct credit {
    int64_t cleared_off; /* whole chunks that arrived */
};

static const struct schema_field fields[] = {
    {.key = "credit",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct credit_cfg, credit_bytes),
     .fallback = "4MiB",
     .min = "1KiB",
     .max = "1TiB",
     .help = "Bytes that a receiver clears in advance per queue pair.",
     .source = "NCCL: NCCL_BUFFSIZE 4 MiB"},
    {.key = "chunk",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct credit_cfg, chunk_bytes),
     .fallback = "512KiB",
     .min = "1B",
     .max = "1TiB",
     .help = "Bytes that one clear-to-send admits.",
     .source = "NCCL: 4 MiB in 8 steps"},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct credit_cfg *cfg = config;
    if (cfg->chunk_bytes > cfg->credit_bytes)
        schema_complain(check, "chunk", "C031: a chunk larger than the credit is never cleared");
}

const struct schema cc_receiver_credit_schema = {
    .name = "receiver_credit",
    .help = "Receiver-driven admission (clear-to-send).",
    .size = sizeof(struct credit_cfg),
    .fields = fields,
    .check = check,
};

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct credit_cfg *cfg = config;
    *(struct credit *)state = (struct credit){0};
    *out = (struct cc_out){.rate_bps = link->rate_bps, .window_bytes = cfg->credit_bytes};
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    const struct credit_cfg *cfg = config;
    struct credit *credit = state;
    if (signal->event != CC_ACK) return;
    int64_t open_bytes = signal->acked_off - credit->cleared_off; /* of chunks not complete */
    if (open_bytes >= cfg->chunk_bytes) {
        credit->cleared_off += open_bytes / cfg->chunk_bytes * cfg->chunk_bytes;
        open_bytes = signal->acked_off - credit->cleared_off;
    }
    /* cleared_off + credit may be sent, acked_off has arrived: chunk <= credit keeps this > 0 */
    out->window_bytes = cfg->credit_bytes - open_bytes;
}

const struct cc_ops cc_receiver_credit = {
    .help = "receiver-driven admission: a window cleared chunk by chunk, control off",
    .state_size = sizeof(struct credit),
    .init = init,
    .step = step,
};
_Static_assert(sizeof(struct credit) <= CC_STATE_MAX, "the state fits");
