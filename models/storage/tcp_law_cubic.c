/* tcp_law_cubic.c - CUBIC (RFC 9438): the window is a cubic function of the time since a loss.
 *
 *   W(t) = C (t - K)^3 + W_max,  K = cbrt(W_max (1 - beta) / C),  C = 0.4,  beta = 0.7
 * in segments and seconds, with fast convergence, slow start below ssthresh, and the Reno-friendly
 * region
 *   W_est += 3 (1 - beta)/(1 + beta) * acked / cwnd.
 * Its average under a random loss of p per segment is 1.054 (RTT / p)^0.75 segments.
 *
 * NOT modelled: HyStart, ECN, pacing; recovery itself is the transport's.
 */
#include "models/storage/tcp_law.h"

#define CUBIC_C 0.4
#define CUBIC_BETA 0.7

struct cubic {
    double cwnd, ssthresh, w_max, w_est, k_s; /* segments; s */
    int64_t epoch_ps;                         /* start of the current growth, -1 = none yet */
};
_Static_assert(sizeof(struct cubic) <= TCP_LAW_STATE_MAX, "CUBIC state fits");

static void init(void *state, int64_t mss_bytes)
{
    (void)mss_bytes;
    struct cubic *cubic = state;
    *cubic = (struct cubic){
        .cwnd = TCP_INITIAL_SEGMENTS, .ssthresh = (double)TCP_WINDOW_MAX, .epoch_ps = -1};
}

/* Cube root by Newton's method: libm's differs between machines. */
static double cube_root(double x)
{
    if (x <= 0) return 0;
    double root = x > 1 ? x : 1;
    for (int i = 0; i < 200; i++) {
        double next = (2 * root + x / (root * root)) / 3;
        if (next >= root) break; /* converges from above */
        root = next;
    }
    return root;
}

static void begin_epoch(struct cubic *cubic, int64_t now_ps)
{
    cubic->epoch_ps = now_ps;
    if (cubic->w_max < cubic->cwnd) cubic->w_max = cubic->cwnd;
    /* K = cbrt((W_max - cwnd) / C): with cwnd = beta W_max the formula of the head. */
    cubic->k_s = cube_root((cubic->w_max - cubic->cwnd) / CUBIC_C);
    cubic->w_est = cubic->cwnd;
}

static void grow(struct cubic *cubic, const struct tcp_signal *signal)
{
    double acked = (double)signal->acked_bytes / (double)signal->mss_bytes;
    if (cubic->cwnd < cubic->ssthresh) { /* slow start */
        cubic->cwnd += acked;
        if (cubic->cwnd > cubic->ssthresh) cubic->cwnd = cubic->ssthresh;
        return;
    }
    if (cubic->epoch_ps < 0) begin_epoch(cubic, signal->now_ps);
    double t_s = (double)(signal->now_ps - cubic->epoch_ps + signal->rtt_ps) * 1e-12;
    double d_s = t_s - cubic->k_s;
    double target = CUBIC_C * d_s * d_s * d_s + cubic->w_max;
    cubic->w_est += 3 * (1 - CUBIC_BETA) / (1 + CUBIC_BETA) * acked / cubic->cwnd;
    if (target > 1.5 * cubic->cwnd) target = 1.5 * cubic->cwnd;
    /* cwnd += (target - cwnd) / cwnd per acknowledged segment */
    double step = target > cubic->cwnd ? (target - cubic->cwnd) / cubic->cwnd * acked : 0;
    if (cubic->cwnd + step > target && target > cubic->cwnd) step = target - cubic->cwnd;
    cubic->cwnd += step;
    if (cubic->w_est > cubic->cwnd) cubic->cwnd = cubic->w_est;
}

static int64_t step(void *state, const struct tcp_signal *signal)
{
    struct cubic *cubic = state;
    switch (signal->event) {
    case TCP_ACK:
        if (signal->window_limited) grow(cubic, signal);
        break;
    case TCP_LOSS:
        /* fast convergence: a flow that lost below its last maximum makes room for others */
        cubic->w_max =
            cubic->cwnd < cubic->w_max ? cubic->cwnd * (1 + CUBIC_BETA) / 2 : cubic->cwnd;
        cubic->cwnd *= CUBIC_BETA;
        if (cubic->cwnd < 2) cubic->cwnd = 2;
        cubic->ssthresh = cubic->cwnd;
        begin_epoch(cubic, signal->now_ps);
        break;
    case TCP_IDLE: /* RFC 5681 4.1: restart from the initial window */
        if (cubic->ssthresh < cubic->cwnd * 0.75) cubic->ssthresh = cubic->cwnd * 0.75;
        if (cubic->cwnd > TCP_INITIAL_SEGMENTS) cubic->cwnd = TCP_INITIAL_SEGMENTS;
        cubic->epoch_ps = -1;
        break;
    }
    double bytes = cubic->cwnd * (double)signal->mss_bytes;
    return bytes < (double)TCP_WINDOW_MAX ? (int64_t)bytes : TCP_WINDOW_MAX;
}

const struct tcp_law_ops tcp_law_cubic = {
    .help = "CUBIC, RFC 9438: Linux's default; loss halves its hopes over distance",
    .state_size = sizeof(struct cubic),
    .init = init,
    .step = step,
};
