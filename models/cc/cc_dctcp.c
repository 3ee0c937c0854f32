/* cc_dctcp.c - DCTCP: the window shrinks with the share of marked bytes; paced.
 *
 * Once per window (when a packet is acknowledged that was sent after the last time):
 *   alpha = (1-g) alpha + g F,  F = marked share of the bytes acknowledged;  W += 1 MTU
 * and at most once per window, on a marked acknowledgement:  W = W (1 - alpha/2), no increase then.
 * Paced at W / base RTT, at most the line rate; starts with one bandwidth-delay product, as queue
 * pairs do, not with TCP's slow start.
 * Source: Alizadeh et al., SIGCOMM'10; Linux tcp_dctcp.c (g = 1/16, alpha starts at 1); HPCC ns-3
 * rdma-hw.cc HandleAckDctcp (pacing, window with the rate).
 * NOT modelled: slow start; a loss halves the window, a timeout leaves one packet.
 */
#include "models/cc/cc.h"
#include "models/cc/window.h"

struct dctcp_cfg {
    double g;
    int64_t min_bps;
    struct window_cfg window; /* only its round trip */
};

static const struct schema_field fields[] = {
    {.key = "g",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct dctcp_cfg, g),
     .fallback = "0.0625",
     .min = "0.000001",
     .max = "1",
     .help = "Weight of a new share of marks in alpha.",
     .source = "Linux tcp_dctcp.c: 1/16"},
    {.key = "rate_min",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct dctcp_cfg, min_bps),
     .fallback = "100Mbps",
     .min = "1bps",
     .max = "100Tbps",
     .help = "Least pace.",
     .source = "HPCC ns-3 MinRate"},
    {.key = "base_rtt",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct dctcp_cfg, window.rtt_ps),
     .fallback = "0ps",
     .max = "10s",
     .help = "Round trip of pacing and of the largest window; 0 = of the queue pair's own path."},
    {.key = NULL},
};

const struct schema cc_dctcp_schema = {
    .name = "dctcp",
    .help = "DCTCP: share of ECN marks.",
    .size = sizeof(struct dctcp_cfg),
    .fields = fields,
};

struct dctcp {
    double window, most, least, mtu; /* bytes */
    double alpha, bps_per_byte, line;
    int64_t acked_bytes, marked_bytes; /* in this window */
    int64_t window_off;                /* the window ends when more than this is acknowledged */
    int64_t cut_off;                   /* no further cut up to there */
};
_Static_assert(sizeof(struct dctcp) <= CC_STATE_MAX, "the state fits");

static void emit(struct dctcp *dctcp, struct cc_out *out)
{
    if (dctcp->window > dctcp->most) dctcp->window = dctcp->most;
    if (dctcp->window < dctcp->least) dctcp->window = dctcp->least;
    double rate = dctcp->window * dctcp->bps_per_byte;
    out->rate_bps = (int64_t)(rate < dctcp->line ? rate : dctcp->line);
    out->window_bytes = (int64_t)(dctcp->window > dctcp->mtu ? dctcp->window : dctcp->mtu);
}

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct dctcp_cfg *cfg = config;
    struct dctcp *dctcp = state;
    double rtt_ps = (double)window_rtt_ps(&cfg->window, link);
    double most = (double)window_bdp_bytes(&cfg->window, link), line = (double)link->rate_bps;
    double least = (double)cfg->min_bps * rtt_ps / 8e12;
    *dctcp = (struct dctcp){.window = most,
                            .most = most,
                            .least = least < most ? least : most,
                            .mtu = (double)link->mtu_bytes,
                            .alpha = 1,
                            .bps_per_byte = line / most,
                            .line = line,
                            .cut_off = -1};
    *out = (struct cc_out){0};
    emit(dctcp, out);
}

/* cut shrinks the window by a factor, once until all that is under way now is acknowledged. */
static void cut(struct dctcp *dctcp, const struct cc_signal *signal, double factor)
{
    if (signal->acked_off <= dctcp->cut_off) return;
    dctcp->window *= factor;
    dctcp->cut_off = signal->sent_off;
}

static void acknowledge(struct dctcp *dctcp, const struct cc_signal *signal, double g)
{
    dctcp->acked_bytes += signal->acked_bytes;
    if (signal->marked) dctcp->marked_bytes += signal->acked_bytes;
    bool round_trip = signal->acked_off > dctcp->window_off;
    if (round_trip) {
        double all = (double)dctcp->acked_bytes, marked = (double)dctcp->marked_bytes;
        if (all > 0) dctcp->alpha = (1 - g) * dctcp->alpha + g * marked / all;
        dctcp->acked_bytes = dctcp->marked_bytes = 0;
        dctcp->window_off = signal->sent_off;
    }
    if (signal->marked) cut(dctcp, signal, 1 - dctcp->alpha / 2);
    if (round_trip && signal->acked_off > dctcp->cut_off) dctcp->window += dctcp->mtu;
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    const struct dctcp_cfg *cfg = config;
    struct dctcp *dctcp = state;
    switch (signal->event) {
    case CC_ACK:
        acknowledge(dctcp, signal, cfg->g);
        break;
    case CC_NACK:
        cut(dctcp, signal, 0.5);
        break;
    case CC_TIMEOUT:
        dctcp->window = dctcp->mtu;
        break;
    case CC_START:
    case CC_CNP:
    case CC_TIMER:
    case CC_SENT:
        return;
    }
    emit(dctcp, out);
}

const struct cc_ops cc_dctcp = {
    .help = "DCTCP: window from the share of marked bytes, paced",
    .state_size = sizeof(struct dctcp),
    .init = init,
    .step = step,
};
