/* transport_rig.h - for tests of a transport: connections over one line between two hosts, and
 * messages that are sent at given moments. cmocka.h is included before. */
#ifndef RAILSIM_TESTS_TRANSPORT_RIG_H
#define RAILSIM_TESTS_TRANSPORT_RIG_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/flow/flow.h"
#include "models/storage/transport.h"
#include "sim/base/units.h"

#define GBPS INT64_C(1000000000)
#define MiB (INT64_C(1) << 20)
#define MS PS_PER_MS
#define MSS 1000
#define MSGS 256
#define ENDS 4

/* struct setup: what a test asks for; 0 = none, no limit, or the default of rig_open. */
struct setup {
    const char *law;                   /* "fixed" */
    int64_t rate_bps, rtt_ps, nic_bps; /* 10 Gb/s; 10 ms; none: the line joins the hosts */
    int64_t window_bytes, process_bps, jitter_ps, buffer_bytes;
    double loss;
    uint64_t seed;
    int connections; /* 1 */
};

struct rig {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct fabric *fabric;
    struct wan wan;
    struct framing framing;
    struct transport *transport[ENDS];
    int connections;
    struct load {
        struct transport_msg msg;
        struct timer timer; /* when it is sent */
        struct rig *rig;
        struct transport *transport;
        int64_t done_ps; /* -1 = not yet */
        int order;       /* the how manyeth that was done */
    } load[MSGS];
    int loads, done;
    int64_t until_ps; /* loads that are done before are sent again */
    bool steady;
};

static inline void rig_open(struct rig *rig, const struct setup *setup)
{
    *rig = (struct rig){.framing = {.payload_bytes = MSS}, .connections = setup->connections};
    if (rig->connections == 0) rig->connections = 1;
    rig->sim = sim_new(&rig->arena, setup->seed, "test_transport");
    wan_init(&rig->wan, &(struct wan_cfg){.rate_bps = setup->rate_bps ? setup->rate_bps : 10 * GBPS,
                                          .rtt_ps = setup->rtt_ps ? setup->rtt_ps : 10 * MS,
                                          .jitter_ps = setup->jitter_ps,
                                          .buffer_bytes = setup->buffer_bytes,
                                          .loss = setup->loss});
    topo_init(&rig->graph, &rig->arena);
    int32_t a = topo_node(&rig->graph, TOPO_HOST, "a"), edge = a;
    if (setup->nic_bps > 0) {
        edge = topo_node(&rig->graph, TOPO_SWITCH, "edge");
        topo_cable(&rig->graph,
                   &(struct topo_link){
                       .from = a, .to = edge, .kind = TOPO_NIC, .rate_bps = setup->nic_bps});
    }
    int32_t b = topo_node(&rig->graph, TOPO_HOST, "b");
    topo_cable(&rig->graph, &(struct topo_link){.from = edge,
                                                .to = b,
                                                .kind = TOPO_WAN,
                                                .rate_bps = rig->wan.free_bps,
                                                .delay_ps = rig->wan.one_way_ps});
    rig->fabric = flow_new(rig->sim, &rig->graph);
    for (int i = 0; i < rig->connections; i++)
        rig->transport[i] = transport_new(
            &(struct transport_cfg){.fabric = rig->fabric,
                                    .wan = &rig->wan,
                                    .src = a,
                                    .dst = b,
                                    .framing = &rig->framing,
                                    .law = tcp_law_find(setup->law ? setup->law : "fixed"),
                                    .window_bytes = setup->window_bytes,
                                    .process_bps = setup->process_bps},
            arena_printf(&rig->arena, "test/%d", i));
}

static inline void on_done(struct sim *sim, struct transport_msg *msg)
{
    struct load *load = msg->owner;
    struct rig *rig = load->rig;
    load->done_ps = sim_now_ps(sim);
    load->order = rig->done++;
    if (rig->steady) transport_send(load->transport, msg);
}

static inline void on_start(struct sim *sim, void *self)
{
    (void)sim;
    struct load *load = self;
    transport_send(load->transport, &load->msg);
}

/* load has the next message, of `bytes`, sent over connection c at at_ps. */
static inline struct load *load(struct rig *rig, int c, int64_t bytes, int64_t at_ps)
{
    assert_true(rig->loads < MSGS);
    struct load *load = &rig->load[rig->loads++];
    *load = (struct load){.rig = rig, .transport = rig->transport[c], .done_ps = -1};
    load->msg = (struct transport_msg){.bytes = bytes, .done = on_done, .owner = load};
    timer_init(&load->timer, on_start, load, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &load->timer, at_ps);
    return load;
}

static inline void run(struct rig *rig)
{
    assert_int_equal(sim_run(rig->sim, &(struct sim_limits){0}), SIM_IDLE);
    for (int i = 0; i < rig->loads; i++)
        assert_true(rig->load[i].done_ps >= 0);
}

/* steady keeps each connection busy with messages of a MiB, a window and more of them. */
static inline void steady(struct rig *rig)
{
    rig->steady = true;
    for (int i = 0; i < MSGS; i++)
        load(rig, i % rig->connections, MiB, 0);
}

static inline int64_t delivered(const struct rig *rig)
{
    int64_t sum = 0;
    for (int i = 0; i < rig->connections; i++)
        sum += transport_stats(rig->transport[i]).delivered_bytes;
    return sum;
}

/* rate_bps returns the rate of delivery between two moments; not from 0, which is no limit. */
static inline double rate_bps(struct rig *rig, int64_t from_ps, int64_t to_ps)
{
    assert_true(from_ps > 0);
    sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = from_ps});
    int64_t before_bytes = delivered(rig);
    sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = to_ps});
    return (double)(delivered(rig) - before_bytes) * 8 / units_s(to_ps - from_ps);
}

static inline void within(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("%.9g, not %.9g within %g", got, expected, tolerance);
}

#endif
