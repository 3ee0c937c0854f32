/* flows_arrivals.c - Poisson arrivals: independent flows with sizes from a measured distribution.
 *
 * One process for the whole network, each flow between two random endpoints: the same as one
 * process per endpoint. `load` is payload against the rate of an endpoint's link (the first one's:
 * they are taken to be alike). Each flow is a queue pair of its own.
 * Source: traffic generator of HPCC (traffic_gen.py).
 * NOT modelled: bursts and other correlations.
 */
#include "models/work/flows_live.h"

struct arrivals {
    double mean_gap_ps;
    int64_t end_ps;
};

static struct arrivals *begin(struct flows *flows)
{
    struct arrivals *arrivals = ARENA_NEW(sim_arena(flows->sim), struct arrivals);
    int64_t n = flows_live_ranks(flows->cfg, flows->hosts.n);
    int32_t first = flows->hosts.endpoint[flows_live_rank(flows, 0)];
    int32_t other = flows->hosts.endpoint[flows_live_rank(flows, 1)];
    double rate_bps = (double)fabric_path(flows->fabric, first, other).first_bps;
    /* lambda = load n rate / (8 mean) */
    arrivals->mean_gap_ps = flows_sizes_mean_bytes(&flows->loaded.sizes) * 8e12 /
                            (flows->cfg->load * rate_bps * (double)n);
    arrivals->end_ps = sim_now_ps(flows->sim) + flows->cfg->duration_ps;
    return arrivals;
}

static void send_one(struct flows *flows)
{
    uint64_t n = (uint64_t)flows_live_ranks(flows->cfg, flows->hosts.n);
    int32_t src = flows_live_rank(flows, (int64_t)rng_below(&flows->rng, n)), dst;
    do
        dst = flows_live_rank(flows, (int64_t)rng_below(&flows->rng, n));
    while (!flows_live_apart(flows->cfg, &flows->hosts, src, dst));
    flows_live_send(
        flows, &(struct flows_ask){.src = src,
                                   .dst = dst,
                                   .stream = (uint32_t)flows->started,
                                   .bytes = flows_sizes_draw(&flows->loaded.sizes, &flows->rng)});
}

static void tick(struct flows *flows)
{
    struct arrivals *arrivals = flows->state;
    if (arrivals) {
        send_one(flows);
    } else {
        flows->state = arrivals = begin(flows);
    }
    int64_t gap_ps = flows_sizes_gap_ps(&flows->rng, arrivals->mean_gap_ps);
    if (gap_ps <= arrivals->end_ps - sim_now_ps(flows->sim)) {
        timer_after(flows->sim, &flows->timer, gap_ps);
    } else {
        flows->total = flows->started;
        flows_live_settle(flows);
    }
}

const struct flows_pattern_ops flows_arrivals = {.tick = tick};
