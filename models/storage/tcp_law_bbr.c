/* tcp_law_bbr.c - a BBR-like law: window = gain * bottleneck bandwidth * shortest round trip.
 *
 * After Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14(5), 2016: the
 * bandwidth is the largest delivery rate of the last ten round trips, the window twice the product
 * of bandwidth and shortest round trip, the start doubles each round trip (gain 2/ln 2 = 2.885)
 * until the rate grows by less than 25 % in three round trips. Random loss changes nothing.
 *
 * NOT modelled: the pacing-gain cycle (a fair fluid fabric has no queue to probe), ProbeRTT,
 * BBRv2/v3's reaction to loss.
 */
#include "models/storage/tcp_law.h"

#define BBR_ROUNDS 10

struct bbr {
    int64_t rate_bps[BBR_ROUNDS]; /* largest delivery rate of each of the last rounds */
    int64_t round_end_ps, rtt_min_ps, full_bps, cwnd_bytes;
    int32_t round, flat_rounds;
};
_Static_assert(sizeof(struct bbr) <= TCP_LAW_STATE_MAX, "BBR state fits");

static void init(void *state, int64_t mss_bytes)
{
    struct bbr *bbr = state;
    *bbr = (struct bbr){.rtt_min_ps = INT64_MAX, .cwnd_bytes = TCP_INITIAL_SEGMENTS * mss_bytes};
}

static int64_t largest_bps(const struct bbr *bbr)
{
    int64_t best = 0;
    for (int i = 0; i < BBR_ROUNDS; i++)
        if (bbr->rate_bps[i] > best) best = bbr->rate_bps[i];
    return best;
}

static void end_round(struct bbr *bbr, const struct tcp_signal *signal)
{
    int64_t best_bps = largest_bps(bbr);
    if ((double)best_bps >= 1.25 * (double)bbr->full_bps) {
        bbr->full_bps = best_bps;
        bbr->flat_rounds = 0;
    } else if (signal->window_limited) {
        bbr->flat_rounds++;
    }
    bbr->round = (bbr->round + 1) % BBR_ROUNDS;
    bbr->rate_bps[bbr->round] = 0;
    bbr->round_end_ps = signal->now_ps + signal->rtt_ps;
}

static int64_t step(void *state, const struct tcp_signal *signal)
{
    struct bbr *bbr = state;
    if (signal->event != TCP_ACK) return bbr->cwnd_bytes; /* neither loss nor idleness matters */
    if (signal->rtt_ps < bbr->rtt_min_ps) bbr->rtt_min_ps = signal->rtt_ps;
    if (signal->delivered_bps > bbr->rate_bps[bbr->round])
        bbr->rate_bps[bbr->round] = signal->delivered_bps;
    if (signal->now_ps >= bbr->round_end_ps) end_round(bbr, signal);
    bool starting = bbr->flat_rounds < 3;
    /* BDP = BtlBw * RTprop */
    double bdp_bytes = (double)largest_bps(bbr) * ((double)bbr->rtt_min_ps * 1e-12) / 8;
    double target_bytes = (starting ? 2.885 : 2.0) * bdp_bytes;
    int64_t least = 4 * signal->mss_bytes;
    if (starting) {
        bbr->cwnd_bytes += signal->window_limited ? signal->acked_bytes : 0;
    } else if (target_bytes > (double)bbr->cwnd_bytes + (double)signal->acked_bytes) {
        bbr->cwnd_bytes += signal->acked_bytes;
    } else {
        bbr->cwnd_bytes = (int64_t)target_bytes;
    }
    if (bbr->cwnd_bytes < least) bbr->cwnd_bytes = least;
    if (bbr->cwnd_bytes > TCP_WINDOW_MAX) bbr->cwnd_bytes = TCP_WINDOW_MAX;
    return bbr->cwnd_bytes;
}

const struct tcp_law_ops tcp_law_bbr = {
    .help = "BBR-like: bandwidth and round trip set the window; random loss does not",
    .state_size = sizeof(struct bbr),
    .init = init,
    .step = step,
};
