/* flows.c - the life of flows: started, split over queue pairs, arrived, counted.
 *
 * Patterns (flows_pattern.c, flows_arrivals.c, flows_replay.c) only say which flow comes when. The
 * one idea: a flow exists only while it is on its way; what is to come is made when its time comes,
 * so that memory grows with the flows in flight (and 24 bytes per finished one, flows_stats.h).
 * The idle time of a flow is that of one message of its size (fabric_idle_ps), also where several
 * queue pairs share it.
 * NOT modelled: time that sender and receiver take before and after the network.
 */
#include "models/work/flows.h"

#include <inttypes.h>

#include "models/work/flows_live.h"
#include "sim/base/units.h"

enum { TIMER_PATTERN };

/* ---- one flow --------------------------------------------------------------------------------*/

static int64_t idle_ps(const struct flows *flows, const struct flows_flow *flow)
{
    struct fabric_msg whole = flow->msg[0];
    whole.bytes = flow->bytes;
    return fabric_idle_ps(flows->fabric, &whole);
}

static void arrived(struct sim *sim, struct fabric_msg *msg)
{
    struct flows_flow *flow = msg->owner;
    struct flows *flows = flow->flows;
    if (--flow->unarrived > 0) return;
    int64_t time_ps = sim_now_ps(sim) - flow->start_ps, ideal_ps = idle_ps(flows, flow);
    flows_stats_add(&flows->stats,
                    &(struct flows_sample){.bytes = flow->bytes,
                                           .time_ps = time_ps,
                                           .slowdown = (double)time_ps / (double)ideal_ps});
    flows->arrived++;
    flows->arrived_bytes += flow->bytes;
    flows->last_ps = sim_now_ps(sim);
    flow->next->prev = flow->prev;
    flow->prev->next = flow->next;
    if (flows->pattern->arrived) flows->pattern->arrived(flows, flow);
    pool_put(&flows->pool, flow);
    flows_live_settle(flows);
}

void flows_live_send(struct flows *flows, const struct flows_ask *ask)
{
    struct flows_flow *flow = pool_get(&flows->pool);
    int64_t now_ps = sim_now_ps(flows->sim), parts = flows->cfg->queue_pairs;
    if (parts > ask->bytes) parts = ask->bytes;
    flow->flows = flows;
    flow->bytes = ask->bytes;
    flow->start_ps = now_ps;
    flow->tag = ask->tag;
    flow->src = ask->src;
    flow->dst = ask->dst;
    flow->number = flows->started;
    flow->msg_n = flow->unarrived = (int32_t)parts;
    flow->prev = flows->live->prev;
    flow->next = flows->live;
    flow->prev->next = flow->next->prev = flow;
    if (flows->started++ == 0) flows->first_ps = now_ps;
    for (int64_t p = 0; p < parts; p++) {
        /* the first parts take what does not divide evenly */
        int64_t bytes = ask->bytes / parts + (p < ask->bytes % parts);
        flow->msg[p] = (struct fabric_msg){
            .src = flows->hosts.endpoint[ask->src],
            .dst = flows->hosts.endpoint[ask->dst],
            .bytes = bytes,
            .stream = ask->stream * (uint32_t)flows->cfg->queue_pairs + (uint32_t)p,
            .traffic_class = (uint8_t)(flows->cfg->traffic_class + ask->traffic_class),
            .framing = &flows->hosts.framing,
            .done = arrived,
            .confirm = flows->cfg->confirm || ask->confirm,
            .owner = flow,
        };
        fabric_send(flows->fabric, &flow->msg[p]);
    }
}

void flows_see(const struct flows *flows, flows_see_fn *see, void *self)
{
    for (const struct flows_flow *flow = flows->live->next; flow != flows->live; flow = flow->next)
        see(self, &(struct flows_seen){.number = flow->number,
                                       .bytes = flow->bytes,
                                       .msg = flow->msg,
                                       .msg_n = flow->msg_n});
}

void flows_live_settle(struct flows *flows)
{
    bool idle = flows->live->next == flows->live;
    if (idle && flows->started == flows->total) sim_finish(flows->sim);
}

/* ---- endpoints -------------------------------------------------------------------------------*/

int64_t flows_live_ranks(const struct flows_cfg *cfg, int64_t endpoints)
{
    return cfg->ranks > 0 ? cfg->ranks : endpoints;
}

/* Rank r sits at r * stride; past the last endpoint it begins anew, one further. */
int32_t flows_live_rank(const struct flows *flows, int64_t rank)
{
    int64_t at = rank * flows->cfg->stride;
    return (int32_t)(at % flows->hosts.n + at / flows->hosts.n);
}

bool flows_live_apart(const struct flows_cfg *cfg, const struct flows_hosts *hosts, int32_t src,
                      int32_t dst)
{
    if (src == dst) return false;
    return cfg->between == FLOWS_ANY || !hosts->edge_of ||
           hosts->edge_of[src] != hosts->edge_of[dst];
}

/* ---- a workload ------------------------------------------------------------------------------*/

static const struct flows_pattern_ops *const patterns[] = {
    [FLOWS_FILE] = &flows_replay,           [FLOWS_PERMUTATION] = &flows_pattern_permutation,
    [FLOWS_INCAST] = &flows_pattern_incast, [FLOWS_ALL_TO_ALL] = &flows_pattern_all_to_all,
    [FLOWS_RING] = &flows_pattern_ring,     [FLOWS_POISSON] = &flows_arrivals,
};

static void on_timer(struct sim *sim, void *self)
{
    (void)sim;
    struct flows *flows = self;
    flows->pattern->tick(flows);
}

struct flows *flows_new(struct sim *sim, const struct flows_cfg *cfg, struct fabric *fabric,
                        const struct flows_hosts *hosts)
{
    struct arena *arena = sim_arena(sim);
    struct flows *flows = ARENA_NEW(arena, struct flows);
    struct err err = {0};
    flows->sim = sim;
    flows->cfg = cfg;
    flows->fabric = fabric;
    flows->hosts = *hosts;
    flows->pattern = patterns[cfg->pattern];
    flows->rng = rng_stream(sim_seed(sim), "flows");
    flows->live = ARENA_NEW(arena, struct flows_flow);
    flows->live->next = flows->live->prev = flows->live;
    flows->total = -1;
    flows->stats.arena = arena;
    pool_init(&flows->pool, arena,
              sizeof(struct flows_flow) + (size_t)cfg->queue_pairs * sizeof(struct fabric_msg));
    timer_init(&flows->timer, on_timer, flows, sim_component(sim), TIMER_PATTERN);
    if (!flows_live_load(cfg, hosts, &flows->loaded, arena, &err))
        flows->wrong = arena_strdup(arena, err.messages[0]);
    err_free(&err);
    return flows;
}

void flows_start(struct flows *flows)
{
    if (!flows->wrong) timer_after(flows->sim, &flows->timer, flows->cfg->start_ps);
}

/* ---- results ---------------------------------------------------------------------------------*/

const char *flows_waits_for(const struct flows *flows, struct arena *arena)
{
    const struct flows_flow *flow = flows->live->next;
    if (flows->wrong) return arena_printf(arena, "no flow can start: %s", flows->wrong);
    if (flow != flows->live)
        return arena_printf(arena,
                            "%" PRId64 " flows have not arrived; the oldest goes from endpoint %d "
                            "to %d, %" PRId64 " bytes, started at %.9g s",
                            flows->started - flows->arrived, flow->src, flow->dst, flow->bytes,
                            units_s(flow->start_ps));
    return "no flow has started yet";
}

void flows_record(const struct flows *flows, struct record *record)
{
    int64_t unstarted = flows->total > flows->started ? flows->total - flows->started : 0;
    double makespan_s = units_s(flows->last_ps - flows->first_ps);
    record_metric(record, "flows", "done", "1", (double)flows->arrived);
    record_metric(record, "flows", "unfinished", "1", (double)(flows->started - flows->arrived));
    record_metric(record, "flows", "unstarted", "1", (double)unstarted);
    record_metric(record, "flows", "bytes", "bytes", (double)flows->arrived_bytes);
    if (flows->arrived > 0) {
        record_metric(record, "run", "makespan_s", "s", makespan_s);
        record_metric(record, "run", "goodput", "bit/s",
                      (double)flows->arrived_bytes * 8 / makespan_s);
    }
    flows_stats_record(&flows->stats, record);
}
