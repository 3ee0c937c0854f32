/* cc_timely.c - TIMELY: rates from the gradient of the round-trip time; and its patched version.
 *
 *   d = (1-a) d + a (rtt - rtt before),  gradient g = d / D_minRTT
 *   rtt < T_low:  R += delta          (5 delta after five increases in a row)
 *   rtt > T_high: R *= 1 - beta (1 - T_high / rtt)
 *   TIMELY:   g <= 0: R += delta;     else R *= 1 - beta g
 *   patched:  w = 0 .. 1 linear for g = -1/4 .. 1/4,
 *             R = delta (1 - w) + R (1 - beta w (rtt - T_low) / T_low)
 * once per `segment` of acknowledged bytes, or once per round trip.
 * Source: Mittal et al., SIGCOMM'15; Zhu et al., CoNEXT'16, algorithms 1, 2 (patched: beta 0.008,
 * segments of 16 KB, reference T_low); HPCC ns-3 rdma-hw.cc UpdateRateTimely.
 * NOT modelled: NIC segments as bursts (packets are paced one by one); reaction to losses.
 */
#include "models/cc/cc.h"
#include "models/cc/window.h"

enum timely_law { TIMELY_ORIGINAL, TIMELY_PATCHED };

static const char *const law_words[] = {"timely", "patched", NULL};

struct timely_cfg {
    int law; /* enum timely_law */
    double alpha, beta;
    int64_t low_ps, high_ps, least_rtt_ps, segment_bytes;
    int64_t ai_bps, hai_bps, min_bps;
    struct window_cfg window;
};

#define HYPER_AFTER 5 /* increases in a row */
#define BETA_TIMELY 0.8
#define BETA_PATCHED 0.008
#define SEGMENT_PATCHED 16000

static const struct schema_field fields[] = {
    {.key = "law",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct timely_cfg, law),
     .fallback = "timely",
     .words = law_words,
     .help = "timely, or patched: with a unique fixed point.",
     .source = "SIGCOMM'15; CoNEXT'16 section 4.3"},
    {.key = "alpha",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct timely_cfg, alpha),
     .fallback = "0.875",
     .max = "1",
     .help = "Weight of a new difference of round trips.",
     .source = "CoNEXT'16"},
    {.key = "beta",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct timely_cfg, beta),
     .fallback = "0",
     .max = "1",
     .help = "Multiplicative decrease; 0 = 0.8, patched: 0.008.",
     .source = "CoNEXT'16"},
    {.key = "t_low",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct timely_cfg, low_ps),
     .fallback = "50us",
     .min = "1ps",
     .max = "10s",
     .help = "Below this round trip the rate always grows.",
     .source = "SIGCOMM'15"},
    {.key = "t_high",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct timely_cfg, high_ps),
     .fallback = "500us",
     .max = "10s",
     .help = "Above this round trip the rate always shrinks.",
     .source = "SIGCOMM'15"},
    {.key = "min_rtt",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct timely_cfg, least_rtt_ps),
     .fallback = "20us",
     .min = "1ps",
     .max = "10s",
     .help = "Round trip that the gradient is divided by.",
     .source = "SIGCOMM'15"},
    {.key = "segment",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct timely_cfg, segment_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "Acknowledged bytes per update; 0 = one update per round trip, patched: 16KB.",
     .source = "HPCC ns-3: per round trip; CoNEXT'16: 16-64 KB"},
    {.key = "rate_ai",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct timely_cfg, ai_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Additive increase delta; 0 = line rate / 1000.",
     .source = "10 Mb/s at 10 Gb/s: SIGCOMM'15, HPCC ns-3 run.py"},
    {.key = "rate_hai",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct timely_cfg, hai_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Increase after five in a row; 0 = line rate / 200.",
     .source = "HPCC ns-3 run.py: 50 * bw / 10 Mb/s"},
    {.key = "rate_min",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct timely_cfg, min_bps),
     .fallback = "100Mbps",
     .min = "1bps",
     .max = "100Tbps",
     .help = "Least rate.",
     .source = "HPCC ns-3 MinRate"},
    WINDOW_FIELDS(timely_cfg, "none"),
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct timely_cfg *cfg = config;
    if (cfg->low_ps > cfg->high_ps)
        schema_complain(check, "t_low", "C032: t_low above t_high: no round trip lies between");
}

const struct schema cc_timely_schema = {
    .name = "timely",
    .help = "TIMELY: gradient of the round trip.",
    .size = sizeof(struct timely_cfg),
    .fields = fields,
    .check = check,
};

struct timely {
    double rate, line, least, ai, hai, beta;
    double rtt_ps, difference_ps; /* the last one; its filtered difference */
    int64_t update_off;           /* acknowledged bytes at which the next update is due */
    int64_t segment_bytes;        /* 0 = a round trip */
    int32_t increases;            /* in a row */
    bool sampled;
    struct window window;
};
_Static_assert(sizeof(struct timely) <= CC_STATE_MAX, "the state fits");

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct timely_cfg *cfg = config;
    struct timely *timely = state;
    bool patched = cfg->law == TIMELY_PATCHED;
    double line = (double)link->rate_bps;
    *timely = (struct timely){
        .rate = line,
        .line = line,
        .least = (double)cfg->min_bps < line ? (double)cfg->min_bps : line,
        .ai = cfg->ai_bps ? (double)cfg->ai_bps : line / 1000,
        .hai = cfg->hai_bps ? (double)cfg->hai_bps : line / 200,
        .beta = cfg->beta > 0 ? cfg->beta
                : patched     ? BETA_PATCHED
                              : BETA_TIMELY,
        .segment_bytes = cfg->segment_bytes || !patched ? cfg->segment_bytes : SEGMENT_PATCHED,
        .window = window_init(&cfg->window, link),
    };
    *out = (struct cc_out){.rate_bps = link->rate_bps,
                           .window_bytes = window_bytes(&timely->window, line)};
}

/* grow is an increase: delta, or the hyper increase after five in a row. */
static double grow(struct timely *timely)
{
    double by = timely->increases < HYPER_AFTER ? timely->ai : timely->hai;
    timely->increases++;
    return timely->rate + by;
}

static void update(struct timely *timely, const struct timely_cfg *cfg, double rtt_ps)
{
    timely->difference_ps =
        (1 - cfg->alpha) * timely->difference_ps + cfg->alpha * (rtt_ps - timely->rtt_ps);
    double gradient = timely->difference_ps / (double)cfg->least_rtt_ps;
    double low_ps = (double)cfg->low_ps, high_ps = (double)cfg->high_ps, rate;
    int32_t before = timely->increases;
    if (rtt_ps < low_ps) {
        rate = grow(timely);
    } else if (rtt_ps > high_ps) {
        rate = timely->rate * (1 - timely->beta * (1 - high_ps / rtt_ps));
    } else if (cfg->law == TIMELY_PATCHED) {
        double w = gradient <= -0.25 ? 0 : gradient >= 0.25 ? 1 : 2 * gradient + 0.5;
        double error = (rtt_ps - low_ps) / low_ps;
        rate = timely->ai * (1 - w) + timely->rate * (1 - timely->beta * w * error);
    } else if (gradient <= 0) {
        rate = grow(timely);
    } else {
        rate = timely->rate * (1 - timely->beta * gradient);
    }
    if (timely->increases == before) timely->increases = 0;
    if (rate < timely->least) rate = timely->least;
    if (rate > timely->line) rate = timely->line;
    timely->rate = rate;
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    struct timely *timely = state;
    if (signal->event != CC_ACK || signal->rtt_ps <= 0) return;
    if (timely->sampled && signal->acked_off <= timely->update_off) return;
    double rtt_ps = (double)signal->rtt_ps;
    if (timely->sampled) {
        update(timely, config, rtt_ps);
        out->rate_bps = (int64_t)timely->rate;
        out->window_bytes = window_bytes(&timely->window, timely->rate);
    }
    timely->sampled = true;
    timely->rtt_ps = rtt_ps;
    timely->update_off =
        timely->segment_bytes ? signal->acked_off + timely->segment_bytes - 1 : signal->sent_off;
}

const struct cc_ops cc_timely = {
    .help = "TIMELY: rate from the gradient of the round-trip time; law: patched",
    .state_size = sizeof(struct timely),
    .init = init,
    .step = step,
};
