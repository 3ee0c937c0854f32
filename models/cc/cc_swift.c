/* cc_swift.c - Swift: a window that holds the round trip at a target delay.
 *
 *   target = base + max(0, min(a / sqrt(cwnd) + b, fs_range)),
 *            a = fs_range / (1/sqrt(fs_min) - 1/sqrt(fs_max)),  b = -a / sqrt(fs_max)
 *   delay < target:  cwnd += ai acked / cwnd   (cwnd >= 1; below: ai acked)
 *   else, once per round trip:  cwnd *= max(1 - beta (delay - target) / delay, 1 - max_mdf)
 * cwnd in packets, which may be less than 1: then one packet is paced over several round trips.
 * The terms base_target + hops x h of the paper are the path's own unloaded round trip plus
 * queue_target here, since the path knows its length.
 * Source: Kumar et al., SIGCOMM'20 (ai 1, beta 0.8, max_mdf 0.5, fs_min 0.1, fs_max 100).
 * NOT modelled: the second window for the end host's delay; pacing above one packet.
 */
#include <math.h>

#include "models/cc/cc.h"

struct swift_cfg {
    int64_t queue_ps, range_ps;
    double ai, beta, max_mdf;
    int64_t min_bps;
};

#define FLOW_SCALING_MIN 0.1 /* packets */
#define FLOW_SCALING_MAX 100.0

static const struct schema_field fields[] = {
    {.key = "queue_target",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct swift_cfg, queue_ps),
     .fallback = "6us",
     .min = "1ps",
     .max = "10s",
     .help = "Queueing delay to aim at, above the path's unloaded round trip.",
     .source = "as UET NSCC's target (htsim); Swift publishes none for 400G"},
    {.key = "flow_scaling",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct swift_cfg, range_ps),
     .fallback = "30us",
     .max = "10s",
     .help = "How much the target may grow for small windows (fs_range); 0 = not.",
     .source = "five queue targets; Swift publishes none for 400G"},
    {.key = "ai",
     .type = SCHEMA_REAL,
     .offset = offsetof(struct swift_cfg, ai),
     .fallback = "1",
     .max = "1000",
     .help = "Packets that a window grows per round trip.",
     .source = "SIGCOMM'20"},
    {.key = "beta",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct swift_cfg, beta),
     .fallback = "0.8",
     .max = "1",
     .help = "Multiplicative decrease.",
     .source = "SIGCOMM'20"},
    {.key = "max_mdf",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct swift_cfg, max_mdf),
     .fallback = "0.5",
     .max = "1",
     .help = "Largest decrease in one step.",
     .source = "SIGCOMM'20"},
    {.key = "rate_min",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct swift_cfg, min_bps),
     .fallback = "100Mbps",
     .min = "1bps",
     .max = "100Tbps",
     .help = "Least pace.",
     .source = "as the other controls"},
    {.key = NULL},
};

const struct schema cc_swift_schema = {
    .name = "swift",
    .help = "Swift: target delay.",
    .size = sizeof(struct swift_cfg),
    .fields = fields,
};

struct swift {
    double cwnd, most, least; /* packets */
    double mtu, line;         /* bytes, bit/s */
    double base_ps, a_ps, b_ps;
    int64_t decreased_ps; /* when */
};
_Static_assert(sizeof(struct swift) <= CC_STATE_MAX, "the state fits");

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct swift_cfg *cfg = config;
    struct swift *swift = state;
    double base_ps = (double)link->base_rtt_ps, range_ps = (double)cfg->range_ps;
    double per_ps = (double)link->rate_bps / 8e12 / (double)link->mtu_bytes; /* packets */
    double a_ps = range_ps / (1 / sqrt(FLOW_SCALING_MIN) - 1 / sqrt(FLOW_SCALING_MAX));
    *swift = (struct swift){
        .cwnd = base_ps * per_ps,
        .most = (base_ps + (double)cfg->queue_ps + range_ps) * per_ps,
        .mtu = (double)link->mtu_bytes,
        .line = (double)link->rate_bps,
        .base_ps = base_ps,
        .a_ps = a_ps,
        .b_ps = -a_ps / sqrt(FLOW_SCALING_MAX),
        .decreased_ps = -1,
    };
    double share = (double)cfg->min_bps / swift->line; /* the least pace, as a share of the line */
    swift->least = (share < 1 ? share : 1) * base_ps * per_ps;
    if (swift->cwnd < 1) swift->cwnd = 1;
    if (swift->most < 1) swift->most = 1;
    *out = (struct cc_out){.rate_bps = link->rate_bps,
                           .window_bytes = (int64_t)(swift->cwnd * swift->mtu)};
}

static double target_ps(const struct swift *swift, const struct swift_cfg *cfg)
{
    double scaling_ps = swift->a_ps / sqrt(swift->cwnd) + swift->b_ps;
    if (scaling_ps > (double)cfg->range_ps) scaling_ps = (double)cfg->range_ps;
    if (scaling_ps < 0) scaling_ps = 0;
    return swift->base_ps + (double)cfg->queue_ps + scaling_ps;
}

/* decrease multiplies the window, once per round trip. */
static void decrease(struct swift *swift, const struct cc_signal *signal, double factor)
{
    int64_t rtt_ps = signal->rtt_ps > 0 ? signal->rtt_ps : (int64_t)swift->base_ps;
    if (swift->decreased_ps >= 0 && signal->now_ps - swift->decreased_ps < rtt_ps) return;
    swift->cwnd *= factor;
    swift->decreased_ps = signal->now_ps;
}

static void acknowledge(struct swift *swift, const struct swift_cfg *cfg,
                        const struct cc_signal *signal)
{
    double delay_ps = (double)signal->rtt_ps, over_ps = delay_ps - target_ps(swift, cfg);
    double acked = (double)signal->acked_bytes / swift->mtu;
    if (over_ps < 0) {
        swift->cwnd += cfg->ai * (swift->cwnd >= 1 ? acked / swift->cwnd : acked);
    } else {
        double factor = 1 - cfg->beta * over_ps / delay_ps, least = 1 - cfg->max_mdf;
        decrease(swift, signal, factor > least ? factor : least);
    }
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    const struct swift_cfg *cfg = config;
    struct swift *swift = state;
    switch (signal->event) {
    case CC_ACK:
        if (signal->rtt_ps <= 0) return;
        acknowledge(swift, cfg, signal);
        break;
    case CC_NACK:
    case CC_TIMEOUT:
        decrease(swift, signal, 1 - cfg->max_mdf);
        break;
    case CC_START:
    case CC_CNP:
    case CC_TIMER:
    case CC_SENT:
        return;
    }
    if (swift->cwnd > swift->most) swift->cwnd = swift->most;
    if (swift->cwnd < swift->least) swift->cwnd = swift->least;
    /* at least a packet in flight; below one packet the pace makes the difference */
    double rtt_ps = signal->rtt_ps > 0 ? (double)signal->rtt_ps : swift->base_ps;
    double rate = swift->cwnd * swift->mtu * 8e12 / rtt_ps, least = (double)cfg->min_bps;
    if (rate < least) rate = least;
    out->rate_bps = (int64_t)(swift->cwnd >= 1 || rate > swift->line ? swift->line : rate);
    out->window_bytes = (int64_t)((swift->cwnd > 1 ? swift->cwnd : 1) * swift->mtu);
}

const struct cc_ops cc_swift = {
    .help = "Swift: window held at a target delay, less than one packet if need be",
    .state_size = sizeof(struct swift),
    .init = init,
    .step = step,
};
