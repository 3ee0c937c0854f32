/* window.h - a bandwidth-delay product as window beside a control's rate ("+w").
 *
 * Inline, since several controls share it and it runs once per change of rate.
 * Source: HPCC ns-3 (HAS_WIN, VAR_WIN): W = line rate x base RTT, varying: rate x base RTT.
 */
#ifndef RAILSIM_MODELS_CC_WINDOW_H
#define RAILSIM_MODELS_CC_WINDOW_H

#include "models/cc/cc.h"

enum window_mode { WINDOW_NONE, WINDOW_BDP, WINDOW_VARYING };

static const char *const window_words[] = {"none", "bdp", "varying", NULL};

/* struct window_cfg: the keys `window` and `base_rtt` of a control. */
struct window_cfg {
    int mode; /* enum window_mode */
    int64_t rtt_ps;
};

/* Rows of a control's table, for its struct `owner` with a member `window`. */
#define WINDOW_FIELDS(owner, mode_default)                                                         \
    {.key = "window",                                                                              \
     .type = SCHEMA_ENUM,                                                                          \
     .offset = offsetof(struct owner, window.mode),                                                \
     .fallback = (mode_default),                                                                   \
     .words = window_words,                                                                        \
     .help = "Most bytes in flight: none, bdp (line rate x base_rtt), varying (with the rate).",   \
     .source = "HPCC ns-3: HAS_WIN, VAR_WIN"},                                                     \
    {                                                                                              \
        .key = "base_rtt", .type = SCHEMA_TIME, .offset = offsetof(struct owner, window.rtt_ps),   \
        .fallback = "0ps", .max = "10s",                                                           \
        .help = "Round trip that the window covers; 0 = of the queue pair's own path.",            \
    }

/* struct window: bytes = max(least, per_bps * rate). */
struct window {
    double per_bps;
    int64_t least_bytes;
};

/* window_rtt_ps returns the round trip to cover. */
static inline int64_t window_rtt_ps(const struct window_cfg *cfg, const struct cc_link *link)
{
    return cfg->rtt_ps > 0 ? cfg->rtt_ps : link->base_rtt_ps;
}

/* window_bdp_bytes returns the bandwidth-delay product, at least one packet. */
static inline int64_t window_bdp_bytes(const struct window_cfg *cfg, const struct cc_link *link)
{
    double bytes = (double)link->rate_bps * (double)window_rtt_ps(cfg, link) / 8e12 + 0.5;
    return bytes > (double)link->mtu_bytes ? (int64_t)bytes : link->mtu_bytes;
}

static inline struct window window_init(const struct window_cfg *cfg, const struct cc_link *link)
{
    switch ((enum window_mode)cfg->mode) {
    case WINDOW_BDP:
        return (struct window){0, window_bdp_bytes(cfg, link)};
    case WINDOW_VARYING:
        return (struct window){(double)window_rtt_ps(cfg, link) / 8e12, link->mtu_bytes};
    case WINDOW_NONE:
        break;
    }
    return (struct window){0};
}

/* window_bytes returns the window at a rate; 0 = none. */
static inline int64_t window_bytes(const struct window *window, double rate_bps)
{
    double bytes = window->per_bps * rate_bps + 0.5;
    return bytes > (double)window->least_bytes ? (int64_t)bytes : window->least_bytes;
}

#endif
