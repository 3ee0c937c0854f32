/* cc_dcqcn.c - DCQCN: rate cut on congestion notification packets, recovery by timer and bytes.
 *
 *   on CNP:   R_T = R_C;  R_C = R_C (1 - alpha/2);  alpha = (1-g) alpha + g
 *   without:  alpha = (1-g) alpha per alpha_timer
 *   increase: every `timer` (counter i_T) and every `byte_counter` sent bytes (i_B), counted anew
 *             from each cut, F = `recovery`:
 *               max(i_T, i_B) < F  R_C = (R_T + R_C)/2             fast recovery
 *               min(i_T, i_B) > F  R_T += R_HAI, then the same     hyper increase
 *               otherwise          R_T += R_AI, then the same      additive increase
 * with i_B = i_T where there is no byte counter.
 * With a decrease timer (profiles firmware, scaled) three clocks run from the first CNP on: alpha
 * takes (1-g) alpha + g [CNP seen in the window], cuts happen at decrease timer's ticks if a CNP
 * came since the last one, and R_T = R_C only if the rate was increased in between.
 *
 * A marked acknowledgement counts as a notification: where the receiver echoes marks in
 * acknowledgements it sends no CNPs (HPCC ns-3 does so).
 *
 * The one idea: alpha is only looked at when the rate is cut, so its windows are made up for then;
 * an acknowledgement costs one comparison.
 * Source: Zhu et al., SIGCOMM'15; Zhu et al., CoNEXT'16 (parameters at 40G); NVIDIA DOCA "DCQCN CC
 * Parameters" (firmware); HPCC ns-3 rdma-hw.cc and run.py (three clocks, scaled parameters).
 * NOT modelled: reaction to losses (the NIC resends at the same rate), rate limiters that are freed
 * at line rate and forget alpha. The receiver's CNP interval is the queue pair's.
 */
#include "models/cc/cc.h"
#include "models/cc/window.h"

enum dcqcn_profile { DCQCN_PAPER, DCQCN_FIRMWARE, DCQCN_SCALED };

static const char *const profile_words[] = {"paper", "firmware", "scaled", NULL};

struct dcqcn_cfg {
    int profile; /* enum dcqcn_profile */
    double g;    /* from here on 0 = of the profile */
    int64_t alpha_ps, decrease_ps, timer_ps, byte_counter_bytes, recovery;
    int64_t ai_bps, hai_bps, min_bps;
    bool clamp_target;
    struct window_cfg window;
};

/* struct law: a set of parameters; the increases are bps + line * line rate. */
struct law {
    double g, alpha_first;
    int64_t alpha_ps, decrease_ps, timer_ps, bytes, recovery;
    double ai_bps, ai_line, hai_bps, hai_line, min_bps;
};

static const struct law profiles[] = {
    [DCQCN_PAPER] = {.g = 1.0 / 256,
                     .alpha_first = 1,
                     .alpha_ps = 55 * INT64_C(1000000),
                     .timer_ps = 55 * INT64_C(1000000),
                     .bytes = 10000000,
                     .recovery = 5,
                     .ai_bps = 40e6,
                     .hai_bps = 400e6, /* not in the paper: the firmware's 10 R_AI */
                     .min_bps = 100e6},
    [DCQCN_FIRMWARE] = {.g = 5.0 / 1024,
                        .alpha_first = 1023.0 / 1024,
                        .alpha_ps = 1 * INT64_C(1000000),
                        .decrease_ps = 4 * INT64_C(1000000),
                        .timer_ps = 300 * INT64_C(1000000),
                        .bytes = 32767,
                        .recovery = 1,
                        .ai_bps = 5e6,
                        .hai_bps = 50e6,
                        .min_bps = 1e6},
    [DCQCN_SCALED] = {.g = 1.0 / 256,
                      .alpha_first = 1,
                      .alpha_ps = 1 * INT64_C(1000000),
                      .decrease_ps = 4 * INT64_C(1000000),
                      .timer_ps = 300 * INT64_C(1000000),
                      .recovery = 1,
                      .ai_line = 5e6 / 25e9, /* 5 Mb/s at 25 Gb/s */
                      .hai_line = 50e6 / 25e9,
                      .min_bps = 1000e6},
};

#define OF_PROFILE " 0 = of the profile: "

static const struct schema_field fields[] = {
    {.key = "profile",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct dcqcn_cfg, profile),
     .fallback = "scaled",
     .words = profile_words,
     .help = "Set of parameters: paper (40G), firmware (ConnectX defaults), scaled (with the line "
             "rate).",
     .source = "CoNEXT'16 table; NVIDIA DOCA DCQCN CC Parameters; HPCC ns-3 run.py"},
    {.key = "g",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct dcqcn_cfg, g),
     .fallback = "0",
     .max = "1",
     .help = "Weight of a new sample in alpha." OF_PROFILE "1/256, 5/1024, 1/256.",
     .source = "CoNEXT'16; dce_tcp_g = 1019; HPCC ns-3 EWMA_GAIN"},
    {.key = "alpha_timer",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct dcqcn_cfg, alpha_ps),
     .fallback = "0ps",
     .max = "10s",
     .help = "Window of alpha." OF_PROFILE "55us, 1us, 1us.",
     .source = "CoNEXT'16; dce_tcp_rtt = 1; HPCC ns-3 ALPHA_RESUME_INTERVAL"},
    {.key = "decrease_timer",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct dcqcn_cfg, decrease_ps),
     .fallback = "0ps",
     .max = "10s",
     .help = "Cuts happen at ticks of this length." OF_PROFILE "at once with each CNP, 4us, 4us.",
     .source = "SIGCOMM'15; rate_reduce_monitor_period = 4; HPCC ns-3 RATE_DECREASE_INTERVAL"},
    {.key = "timer",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct dcqcn_cfg, timer_ps),
     .fallback = "0ps",
     .max = "10s",
     .help = "Timer of rate increases." OF_PROFILE "55us, 300us, 300us.",
     .source = "CoNEXT'16; rpg_time_reset = 300; HPCC ns-3 RP_TIMER"},
    {.key = "byte_counter",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct dcqcn_cfg, byte_counter_bytes),
     .fallback = "0B",
     .max = "1000PiB",
     .help = "Sent bytes between rate increases." OF_PROFILE "10MB, 32767B, none.",
     .source = "CoNEXT'16; rpg_byte_reset = 32767; HPCC ns-3 has none"},
    {.key = "recovery",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct dcqcn_cfg, recovery),
     .fallback = "0",
     .max = "1000000",
     .help = "Fast recovery steps F." OF_PROFILE "5, 1, 1.",
     .source = "CoNEXT'16; rpg_threshold = 1; HPCC ns-3 FAST_RECOVERY_TIMES"},
    {.key = "rate_ai",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct dcqcn_cfg, ai_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Additive increase." OF_PROFILE "40Mbps, 5Mbps, line rate / 5000.",
     .source = "CoNEXT'16; rpg_ai_rate = 5; HPCC ns-3 run.py 5 * bw / 25"},
    {.key = "rate_hai",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct dcqcn_cfg, hai_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Hyper increase." OF_PROFILE "400Mbps, 50Mbps, line rate / 500.",
     .source = "10 R_AI, as the firmware; rpg_hai_rate = 50; HPCC ns-3 run.py 50 * bw / 25"},
    {.key = "rate_min",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct dcqcn_cfg, min_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Least rate." OF_PROFILE "100Mbps, 1Mbps, 1Gbps.",
     .source = "HPCC ns-3 MinRate; rpg_min_rate = 1; HPCC ns-3 run.py MIN_RATE"},
    {.key = "clamp_target",
     .type = SCHEMA_BOOL,
     .offset = offsetof(struct dcqcn_cfg, clamp_target),
     .fallback = "false",
     .help = "With a decrease timer: R_T = R_C at each cut, also right after another one.",
     .source = "NVIDIA DOCA: clamp_tgt_rate = 0, clamp_tgt_rate_after_time_inc = 1"},
    WINDOW_FIELDS(dcqcn_cfg, "none"),
    {.key = NULL},
};

const struct schema cc_dcqcn_schema = {
    .name = "dcqcn",
    .help = "DCQCN: ECN marks, notification packets, rates.",
    .size = sizeof(struct dcqcn_cfg),
    .fields = fields,
};

#define BYTES_NEVER INT64_MAX /* byte_next_off: no byte counter runs */
#define BYTES_START INT64_MIN /* it begins at the next acknowledgement, which says where we are */

struct dcqcn {
    int64_t byte_next_off; /* the next byte event is due when so much was sent */
    double rc, rt, alpha;  /* bit/s; alpha as of alpha_at_ps */
    int64_t alpha_at_ps;
    int64_t grid_at_ps;  /* a tick of the decrease timer */
    int64_t check_at_ps; /* the tick that cuts, 0 = no CNP since the last one */
    int64_t timer_at_ps; /* next increase by time, 0 = the timer rests */
    int64_t i_t, i_b;
    bool seen;       /* a CNP, ever */
    bool cnp_window; /* one in the current window of alpha */
    bool clamp_target;
    /* parameters */
    double g, alpha_first, line, least, ai, hai;
    int64_t alpha_ps, decrease_ps, timer_ps, bytes, recovery;
    struct window window;
};
_Static_assert(sizeof(struct dcqcn) <= CC_STATE_MAX, "the state fits");

static void emit(const struct dcqcn *dcqcn, struct cc_out *out)
{
    out->rate_bps = (int64_t)dcqcn->rc;
    out->window_bytes = window_bytes(&dcqcn->window, dcqcn->rc);
    int64_t wake_ps = dcqcn->timer_at_ps;
    if (dcqcn->check_at_ps && (wake_ps == 0 || dcqcn->check_at_ps < wake_ps))
        wake_ps = dcqcn->check_at_ps;
    out->wake_ps = wake_ps;
}

static void init(void *state, const void *config, const struct cc_link *link, struct cc_out *out)
{
    const struct dcqcn_cfg *cfg = config;
    const struct law *law = &profiles[cfg->profile];
    struct dcqcn *dcqcn = state;
    double line = (double)link->rate_bps;
    *dcqcn = (struct dcqcn){
        .byte_next_off = BYTES_NEVER,
        .rc = line,
        .rt = line,
        .clamp_target = cfg->clamp_target,
        .g = cfg->g > 0 ? cfg->g : law->g,
        .alpha_first = law->alpha_first,
        .line = line,
        .least = cfg->min_bps ? (double)cfg->min_bps : law->min_bps,
        .ai = cfg->ai_bps ? (double)cfg->ai_bps : law->ai_bps + law->ai_line * line,
        .hai = cfg->hai_bps ? (double)cfg->hai_bps : law->hai_bps + law->hai_line * line,
        .alpha_ps = cfg->alpha_ps ? cfg->alpha_ps : law->alpha_ps,
        .decrease_ps = cfg->decrease_ps ? cfg->decrease_ps : law->decrease_ps,
        .timer_ps = cfg->timer_ps ? cfg->timer_ps : law->timer_ps,
        .bytes = cfg->byte_counter_bytes ? cfg->byte_counter_bytes : law->bytes,
        .recovery = cfg->recovery ? cfg->recovery : law->recovery,
        .window = window_init(&cfg->window, link),
    };
    if (dcqcn->least > line) dcqcn->least = line;
    emit(dcqcn, out);
}

/* x^n by squaring: the same bits everywhere, unlike pow. */
static double power(double x, int64_t n)
{
    double y = 1;
    for (; n > 0; n /= 2) {
        if (n % 2) y *= x;
        x *= x;
    }
    return y;
}

/* settle brings alpha up to now: the window that saw a CNP, then those that saw none. */
static void settle(struct dcqcn *dcqcn, int64_t now_ps)
{
    int64_t windows = (now_ps - dcqcn->alpha_at_ps) / dcqcn->alpha_ps;
    if (windows <= 0) return;
    dcqcn->alpha *= power(1 - dcqcn->g, dcqcn->cnp_window ? 1 : windows);
    if (dcqcn->cnp_window) {
        dcqcn->alpha += dcqcn->g;
        dcqcn->alpha *= power(1 - dcqcn->g, windows - 1);
    }
    dcqcn->cnp_window = false;
    dcqcn->alpha_at_ps += windows * dcqcn->alpha_ps;
}

static void cut(struct dcqcn *dcqcn, int64_t now_ps)
{
    bool increased = dcqcn->i_t > 0 || dcqcn->i_b > 0;
    if (dcqcn->decrease_ps == 0 || dcqcn->clamp_target || increased) dcqcn->rt = dcqcn->rc;
    dcqcn->rc *= 1 - dcqcn->alpha / 2;
    if (dcqcn->rc < dcqcn->least) dcqcn->rc = dcqcn->least;
    dcqcn->i_t = dcqcn->i_b = 0;
    dcqcn->timer_at_ps = now_ps + dcqcn->timer_ps;
    dcqcn->byte_next_off = dcqcn->bytes ? BYTES_START : BYTES_NEVER;
}

/* increase is one event of the timer or the byte counter, counted in *counter. */
static void increase(struct dcqcn *dcqcn, int64_t *counter)
{
    int64_t i_b = dcqcn->bytes ? dcqcn->i_b : dcqcn->i_t;
    int64_t most = dcqcn->i_t > i_b ? dcqcn->i_t : i_b;
    int64_t least = dcqcn->i_t < i_b ? dcqcn->i_t : i_b;
    if (least > dcqcn->recovery)
        dcqcn->rt += dcqcn->hai;
    else if (most >= dcqcn->recovery)
        dcqcn->rt += dcqcn->ai;
    if (dcqcn->rt > dcqcn->line) dcqcn->rt = dcqcn->line;
    dcqcn->rc = (dcqcn->rt + dcqcn->rc) / 2;
    ++*counter;
    if (dcqcn->rc > dcqcn->line - 1) { /* nothing left to recover: the clocks rest */
        dcqcn->rc = dcqcn->rt = dcqcn->line;
        dcqcn->timer_at_ps = 0;
        dcqcn->byte_next_off = BYTES_NEVER;
    }
}

/* expire does what the clocks owe up to now, in the order of time; a cut restarts the timer. */
static void expire(struct dcqcn *dcqcn, int64_t now_ps)
{
    for (;;) {
        int64_t check_ps = dcqcn->check_at_ps, timer_ps = dcqcn->timer_at_ps;
        if (check_ps && check_ps <= now_ps && (timer_ps == 0 || check_ps <= timer_ps)) {
            dcqcn->check_at_ps = 0;
            settle(dcqcn, check_ps);
            cut(dcqcn, check_ps);
        } else if (timer_ps && timer_ps <= now_ps) {
            dcqcn->timer_at_ps += dcqcn->timer_ps;
            increase(dcqcn, &dcqcn->i_t);
        } else {
            return;
        }
    }
}

static void notified(struct dcqcn *dcqcn, int64_t now_ps)
{
    expire(dcqcn, now_ps);
    if (dcqcn->seen) {
        settle(dcqcn, now_ps);
        dcqcn->cnp_window = dcqcn->decrease_ps > 0;
    } else {
        dcqcn->seen = true;
        dcqcn->alpha = dcqcn->alpha_first;
        dcqcn->alpha_at_ps = dcqcn->grid_at_ps = now_ps;
    }
    if (dcqcn->decrease_ps == 0) {
        cut(dcqcn, now_ps);
        dcqcn->alpha = (1 - dcqcn->g) * dcqcn->alpha + dcqcn->g;
        dcqcn->alpha_at_ps = now_ps;
    } else if (dcqcn->check_at_ps == 0) {
        int64_t ticks = (now_ps - dcqcn->grid_at_ps) / dcqcn->decrease_ps;
        dcqcn->check_at_ps = dcqcn->grid_at_ps + (ticks + 1) * dcqcn->decrease_ps;
    }
}

static void count_bytes(struct dcqcn *dcqcn, int64_t sent_off)
{
    if (dcqcn->byte_next_off == BYTES_START) {
        dcqcn->byte_next_off = sent_off + dcqcn->bytes;
        return;
    }
    while (sent_off >= dcqcn->byte_next_off) {
        dcqcn->byte_next_off += dcqcn->bytes;
        increase(dcqcn, &dcqcn->i_b);
    }
}

static void step(void *state, const void *config, const struct cc_signal *signal,
                 struct cc_out *out)
{
    struct dcqcn *dcqcn = state;
    (void)config;
    switch (signal->event) {
    case CC_ACK:
        if (signal->sent_off < dcqcn->byte_next_off && !signal->marked) return;
        if (signal->sent_off >= dcqcn->byte_next_off) count_bytes(dcqcn, signal->sent_off);
        if (signal->marked) notified(dcqcn, signal->now_ps);
        break;
    case CC_CNP:
        notified(dcqcn, signal->now_ps);
        break;
    case CC_TIMER:
        expire(dcqcn, signal->now_ps);
        break;
    case CC_START:
    case CC_NACK:
    case CC_TIMEOUT:
    case CC_SENT:
        return;
    }
    emit(dcqcn, out);
}

const struct cc_ops cc_dcqcn = {
    .help = "DCQCN: rate cut on ECN notifications, recovery by timer and byte counter",
    .state_size = sizeof(struct dcqcn),
    .wants_cnp = true,
    .init = init,
    .step = step,
};
