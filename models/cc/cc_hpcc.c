/* cc_hpcc.c - HPCC: rates from in-band telemetry of each link on the way.
 *
 * With each acknowledgement, per link i:
 *   u_i = txRate_i / B_i + min(q_i, q_i before) R_max / (B_i W),   W = R_max T
 *   U   = (1 - tau/T) U + (tau/T) max u_i,    tau = min(time between the two samples, T)
 *   k   = U / eta
 *   R   = R_c / k + R_AI  if k >= 1 or incStage >= maxStage,  else R_c + R_AI, incStage++
 * R_c, the reference, becomes R once per round trip: when a packet is acknowledged that was sent
 * after the last time.
 * Source: Li et al., SIGCOMM'19; HPCC ns-3 rdma-hw.cc UpdateRateHp, run.py (eta 95 %, maxStage 0,
 * R_AI 10 Mb/s at 25 Gb/s).
 * NOT modelled: per-hop rates (MULTI_RATE), PINT's compression; packets of one queue pair that take
 * different ways (their samples are taken for one link's).
 */
#include "models/cc/cc.h"
#include "models/cc/window.h"

struct hpcc_cfg {
    double eta;
    int64_t stages, ai_bps, min_bps;
    struct window_cfg window;
};

static const struct schema_field fields[] = {
    {.key = "eta",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct hpcc_cfg, eta),
     .fallback = "95%",
     .min = "1%",
     .max = "1",
     .help = "Target utilisation.",
     .source = "HPCC ns-3 U_TARGET 95"},
    {.key = "max_stage",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct hpcc_cfg, stages),
     .fallback = "0",
     .max = "1000000",
     .help = "Additive increases before the next multiplicative one.",
     .source = "HPCC ns-3 MI_THRESH 0 (its authors: the paper's 5 is a misprint)"},
    {.key = "rate_ai",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct hpcc_cfg, ai_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Additive increase; 0 = line rate / 2500.",
     .source = "HPCC ns-3 run.py: 10 * bw / 25 Mb/s"},
    {.key = "rate_min",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct hpcc_cfg, min_bps),
     .fallback = "100Mbps",
     .min = "1bps",
     .max = "100Tbps",
     .help = "Least rate.",
     .source = "HPCC ns-3 MinRate"},
    WINDOW_FIELDS(hpcc_cfg, "varying"),
    {.key = NULL},
};

const struct schema cc_hpcc_schema = {
    .name = "hpcc",
    .help = "HPCC: in-band telemetry.",
    .size = sizeof(struct hpcc_cfg),
    .fields = fields,
};

struct hpcc {
    double rc, u;         /* reference rate, bit/s; U */
    double line, base_ps; /* R_max, T */
    int64_t updated_off;  /* R_c changes when more than this is acknowledged */
    int32_t stage, hops;  /* hops sampled so far, 0 = no sample yet */
    struct window window;
    /* the last sample of each link */
    int64_t tx_bytes[CC_HOPS_MAX], at_ps[CC_HOPS_MAX];
    int32_t queue_bytes[CC_HOPS_MAX];
};
_Static_assert(sizeof(struct hpcc) <= CC_STATE_MAX, "the state fits");

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct hpcc_cfg *cfg = config;
    struct hpcc *hpcc = state;
    *hpcc = (struct hpcc){.rc = (double)link->rate_bps,
                          .u = 1,
                          .line = (double)link->rate_bps,
                          .base_ps = (double)window_rtt_ps(&cfg->window, link),
                          .window = window_init(&cfg->window, link)};
    *out = (struct cc_out){.rate_bps = link->rate_bps,
                           .window_bytes = window_bytes(&hpcc->window, hpcc->line)};
}

/* sample takes in the telemetry; false if it does not lead to a new U. */
static bool sample(struct hpcc *hpcc, const struct cc_signal *signal)
{
    double u_most = 0, tau_ps = 0;
    int hops = signal->hop_n < CC_HOPS_MAX ? signal->hop_n : CC_HOPS_MAX;
    for (int i = 0; i < hops; i++) {
        const struct cc_hop *hop = &signal->hop[i];
        int64_t dt_ps = hop->at_ps - hpcc->at_ps[i], sent_bytes = hop->tx_bytes - hpcc->tx_bytes[i];
        int32_t queue_bytes = hop->queue_bytes < INT32_MAX ? (int32_t)hop->queue_bytes : INT32_MAX;
        if (i < hpcc->hops && dt_ps > 0 && sent_bytes >= 0) {
            int32_t q = queue_bytes < hpcc->queue_bytes[i] ? queue_bytes : hpcc->queue_bytes[i];
            /* u = (8 sent / dt) / B + 8 q / (B T), both in bit per ps of B */
            double per_bit = 8e12 / (double)hop->rate_bps;
            double u = per_bit * ((double)sent_bytes / (double)dt_ps + (double)q / hpcc->base_ps);
            if (u > u_most) {
                u_most = u;
                tau_ps = (double)dt_ps;
            }
        }
        hpcc->tx_bytes[i] = hop->tx_bytes;
        hpcc->at_ps[i] = hop->at_ps;
        hpcc->queue_bytes[i] = queue_bytes;
    }
    hpcc->hops = hops;
    if (tau_ps <= 0) return false;
    if (tau_ps > hpcc->base_ps) tau_ps = hpcc->base_ps;
    double share = tau_ps / hpcc->base_ps;
    hpcc->u = (1 - share) * hpcc->u + share * u_most;
    return true;
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    const struct hpcc_cfg *cfg = config;
    struct hpcc *hpcc = state;
    if (signal->event != CC_ACK || signal->hop_n == 0) return;
    if (hpcc->hops == 0) { /* the first sample: from here on there are differences */
        sample(hpcc, signal);
        hpcc->updated_off = signal->sent_off;
        return;
    }
    bool round_trip = signal->acked_off > hpcc->updated_off;
    if (round_trip) hpcc->updated_off = signal->sent_off;
    if (!sample(hpcc, signal)) return;

    double ai = cfg->ai_bps ? (double)cfg->ai_bps : hpcc->line / 2500;
    double k = hpcc->u / cfg->eta;
    bool multiply = k >= 1 || hpcc->stage >= cfg->stages;
    double rate = hpcc->rc + ai, least = (double)cfg->min_bps;
    if (multiply)
        rate = k * hpcc->line > hpcc->rc ? hpcc->rc / k + ai : hpcc->line; /* k may be 0 */
    if (rate < least) rate = least;
    if (rate > hpcc->line) rate = hpcc->line;
    if (round_trip) {
        hpcc->rc = rate;
        hpcc->stage = multiply ? 0 : hpcc->stage + 1;
    }
    out->rate_bps = (int64_t)rate;
    out->window_bytes = window_bytes(&hpcc->window, rate);
}

const struct cc_ops cc_hpcc = {
    .help = "HPCC: rate from the load that each link reports in every packet",
    .state_size = sizeof(struct hpcc),
    .wants_hops = true,
    .init = init,
    .step = step,
};
