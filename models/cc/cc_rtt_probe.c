/* cc_rtt_probe.c - rates from round-trip probes: NVIDIA's public template, and a ZTR-like law.
 *
 * One probe is under way at a time: a sample is the first acknowledgement of a packet that was sent
 * after the last sample. CNPs and NACKs count for the sample that follows them.
 *   template: NACK and rtt >= max_delay   R *= 1 - 5u
 *             CNP or rtt >= max_delay     R *= 1 - 2u
 *             rtt > threshold             R *= 1 - u
 *             else                        R += AI
 *   ztr-like: R *= clamp(1 - a (rtt - threshold) / threshold, 0.97, 1.06);  0.97 with a CNP;
 *             below the threshold also R += AI, or HAI after a HAI period without congestion;
 *             the first congestion sets R to half the line rate at most
 * Source: template: NVIDIA DOCA PCC rtt_template (u = 6553/2^16, AI 5 % of the line rate, 13 us,
 * 150 us, least rate 2^-14). ztr-like: the law of Spectrum-X's ZTR-RTTCC is not public; its shape
 * is inferred from the names and values of the parameters that NVIDIA's reference architectures set
 * (nic-configuration-operator, bindata/spectrum-x/RA1.3 .. RA2.2).
 * Where a path is longer than the threshold, the threshold is a tenth above the path's unloaded
 * round trip ("topology awareness").
 * NOT modelled: probe packets and their aborts, doubled factors above 85 % port load, rate feedback
 * of the receiver.
 */
#include "models/cc/cc.h"
#include "models/cc/window.h"

enum probe_law { PROBE_TEMPLATE, PROBE_RA13, PROBE_RA20, PROBE_RA21, PROBE_RA22 };

static const char *const law_words[] = {"template",       "ztr-like-ra1.3", "ztr-like-ra2.0",
                                        "ztr-like-ra2.1", "ztr-like-ra2.2", NULL};

struct probe_cfg {
    int law; /* enum probe_law */
    double u;
    int64_t threshold_ps, max_delay_ps, ai_bps, min_bps;
    struct window_cfg window;
};

#define FXP16 65536.0
#define FXP20 1048576.0

/* struct law: numbers as published; ai and hai are shares of the line rate. RA1.3 publishes the
 * threshold only and takes the others' defaults: those of RA2.0. */
struct law {
    double u, ai, hai;
    int64_t threshold_ps, hai_period_ps;
};
#define US INT64_C(1000000)

static const struct law laws[] = {
    [PROBE_TEMPLATE] = {6553 / FXP16, 0.05, 0, 13 * US, 0},
    [PROBE_RA13] = {6553 / FXP16, 36 / FXP20, 1200 / FXP20, 15 * US, 7000 * US},
    [PROBE_RA20] = {6553 / FXP16, 36 / FXP20, 1200 / FXP20, 15 * US, 7000 * US},
    [PROBE_RA21] = {6553 / FXP16, 96 / FXP20, 1700 / FXP20, 13 * US, 2000 * US},
    [PROBE_RA22] = {6553 / FXP16, 96 / FXP20, 1700 / FXP20, 13 * US, 200 * US},
};
#define MAX_DECREASE (63570 / FXP16)
#define MAX_INCREASE (69468 / FXP16)
#define RATE_FIRST_CONGESTION 0.5
#define RATE_MIN (1 / 16384.0)

static const struct schema_field fields[] = {
    {.key = "law",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct probe_cfg, law),
     .fallback = "ztr-like-ra2.1",
     .words = law_words,
     .help = "template: public reference law; ztr-like-*: inferred law with the published values.",
     .source = "NVIDIA DOCA rtt_template; NVIDIA nic-configuration-operator RA1.3 .. RA2.2"},
    {.key = "factor",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct probe_cfg, u),
     .fallback = "0",
     .max = "0.2",
     .help = "Decrease u of the template, responsiveness of ztr-like; 0 = 0.1.",
     .source = "6553 / 2^16 in both"},
    {.key = "threshold",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct probe_cfg, threshold_ps),
     .fallback = "0ps",
     .max = "10s",
     .help = "Round trip above which a path is congested; 0 = of the law: 13us, 15us, 15us, 13us, "
             "13us.",
     .source = "rtt_template BASE_RTT; parameter 7 of RA1.3 .. RA2.2"},
    {.key = "max_delay",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct probe_cfg, max_delay_ps),
     .fallback = "150us",
     .min = "1ps",
     .max = "10s",
     .help = "Round trip above which the template cuts twice as much.",
     .source = "rtt_template MAX_DELAY"},
    {.key = "rate_ai",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct probe_cfg, ai_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Additive increase; 0 = of the law: line rate / 20, or 36 or 96 parts of 2^20.",
     .source = "rtt_template AI; parameter 4 of RA2.0, RA2.1"},
    {.key = "rate_min",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct probe_cfg, min_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Least rate; 0 = line rate / 16384.",
     .source = "rtt_template MIN_RATE"},
    WINDOW_FIELDS(probe_cfg, "none"),
    {.key = NULL},
};

const struct schema cc_rtt_probe_schema = {
    .name = "rtt_probe",
    .help = "Round-trip probes: DOCA's template and a ZTR-like law.",
    .size = sizeof(struct probe_cfg),
    .fields = fields,
};

struct probe {
    int64_t probe_off; /* a sample is due when more than this is acknowledged */
    double rate, line, least, u, ai, threshold_ps;
    int64_t congested_ps; /* when the last congestion was seen, or the start */
    bool cnp, nack;       /* since the last sample */
    bool congested;       /* ever */
    struct window window;
};
_Static_assert(sizeof(struct probe) <= CC_STATE_MAX, "the state fits");

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct probe_cfg *cfg = config;
    const struct law *law = &laws[cfg->law];
    struct probe *probe = state;
    double line = (double)link->rate_bps, base_ps = (double)link->base_rtt_ps;
    *probe = (struct probe){
        .rate = line,
        .line = line,
        .least = cfg->min_bps ? (double)cfg->min_bps : line * RATE_MIN,
        .u = cfg->u > 0 ? cfg->u : law->u,
        .ai = cfg->ai_bps ? (double)cfg->ai_bps : law->ai * line,
        .threshold_ps = (double)(cfg->threshold_ps ? cfg->threshold_ps : law->threshold_ps),
        .window = window_init(&cfg->window, link),
    };
    if (probe->least > line) probe->least = line;
    if (probe->threshold_ps < base_ps) probe->threshold_ps = 1.1 * base_ps;
    *out = (struct cc_out){.rate_bps = link->rate_bps,
                           .window_bytes = window_bytes(&probe->window, line)};
}

static double by_template(const struct probe *probe, const struct probe_cfg *cfg, double rtt_ps)
{
    bool late = rtt_ps >= (double)cfg->max_delay_ps;
    if (probe->nack && late) return probe->rate * (1 - 5 * probe->u);
    if (probe->cnp || late) return probe->rate * (1 - 2 * probe->u);
    if (rtt_ps > probe->threshold_ps) return probe->rate * (1 - probe->u);
    return probe->rate + probe->ai;
}

static double like_ztr(struct probe *probe, const struct law *law, int64_t now_ps, double rtt_ps)
{
    bool congested = probe->cnp || rtt_ps > probe->threshold_ps;
    double over = (rtt_ps - probe->threshold_ps) / probe->threshold_ps;
    double factor = 1 - probe->u * over;
    if (factor > MAX_INCREASE) factor = MAX_INCREASE;
    if (factor < MAX_DECREASE || probe->cnp) factor = MAX_DECREASE;
    double rate = probe->rate * factor;
    if (!congested) {
        bool calm = now_ps - probe->congested_ps >= law->hai_period_ps;
        return rate + (calm ? law->hai * probe->line : probe->ai);
    }
    probe->congested_ps = now_ps;
    double first = RATE_FIRST_CONGESTION * probe->line;
    if (!probe->congested && rate > first) rate = first;
    probe->congested = true;
    return rate;
}

static void acknowledge(struct probe *probe, const struct probe_cfg *cfg,
                        const struct cc_signal *signal)
{
    double rtt_ps = (double)signal->rtt_ps, rate;
    if (cfg->law == PROBE_TEMPLATE)
        rate = by_template(probe, cfg, rtt_ps);
    else
        rate = like_ztr(probe, &laws[cfg->law], signal->now_ps, rtt_ps);
    if (rate < probe->least) rate = probe->least;
    if (rate > probe->line) rate = probe->line;
    probe->rate = rate;
    probe->cnp = probe->nack = false;
    probe->probe_off = signal->sent_off;
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    struct probe *probe = state;
    switch (signal->event) {
    case CC_ACK:
        if (signal->acked_off <= probe->probe_off || signal->rtt_ps <= 0) return;
        acknowledge(probe, config, signal);
        out->rate_bps = (int64_t)probe->rate;
        out->window_bytes = window_bytes(&probe->window, probe->rate);
        return;
    case CC_CNP:
        probe->cnp = true;
        return;
    case CC_NACK:
    case CC_TIMEOUT:
        probe->nack = true;
        return;
    case CC_START:
    case CC_TIMER:
    case CC_SENT:
        return;
    }
}

const struct cc_ops cc_rtt_probe = {
    .help = "round-trip probes: DOCA's rtt_template or a ZTR-like law (Spectrum-X)",
    .state_size = sizeof(struct probe),
    .wants_cnp = true,
    .init = init,
    .step = step,
};
