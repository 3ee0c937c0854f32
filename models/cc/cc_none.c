/* cc_none.c - no end-to-end control: line rate, the fabric's flow control does the rest.
 *
 * What Meta and DeepSeek run on 400G fabrics, and the base line of every comparison.
 * Source: Meta, SIGCOMM'24 ("DCQCN off"); DeepEP ("congestion control disabled").
 * NOT modelled: nothing is left out; losses are the transport's business.
 */
#include "models/cc/cc.h"

struct none_cfg {
    int64_t rate_bps, window_bytes;
};

static const struct schema_field fields[] = {
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct none_cfg, rate_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Fixed pace of each queue pair; 0 = line rate."},
    {.key = "window",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct none_cfg, window_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "Fixed window of each queue pair; 0 = none."},
    {.key = NULL},
};

const struct schema cc_none_schema = {
    .name = "none",
    .help = "No congestion control: line rate.",
    .size = sizeof(struct none_cfg),
    .fields = fields,
};

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct none_cfg *cfg = config;
    (void)state;
    bool paced = cfg->rate_bps > 0 && cfg->rate_bps < link->rate_bps;
    *out = (struct cc_out){.rate_bps = paced ? cfg->rate_bps : link->rate_bps,
                           .window_bytes = cfg->window_bytes};
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    (void)state, (void)config, (void)signal, (void)out;
}

const struct cc_ops cc_none = {
    .help = "line rate; PFC or credits keep the fabric from losing packets",
    .init = init,
    .step = step,
};
