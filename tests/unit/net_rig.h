/* net_rig.h - for tests: a packet fabric from a few lines, and messages that say when they came.
 * cmocka.h is included before. */
#ifndef RAILSIM_TESTS_NET_RIG_H
#define RAILSIM_TESTS_NET_RIG_H

#include <stdio.h>
#include <string.h>

#include "models/net/net.h"
#include "models/net/stuck.h"
#include "models/topo/topo.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define NET_RIG_MSGS 128
#define NET_RIG_HOSTS 64
#define NET_RIG_400G INT64_C(400000000000)
#define NET_RIG_BYTE_PS 20 /* at 400 Gbit/s */
#define NET_RIG_FRAME 82   /* bytes on the wire beside the payload of a packet */
#define NET_RIG_RETH 16    /* and in the first packet of a message */
#define NET_RIG_MTU 4096

struct net_rig {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct net_cfg cfg;
    struct fabric *fabric;
    int32_t host[NET_RIG_HOSTS];
    int host_n;
    struct net_rig_msg {
        struct fabric_msg msg;
        struct timer timer;
        struct net_rig *rig;
        int64_t sent_ps, done_ps; /* -1 = not yet */
        int dones, sents;
    } m[NET_RIG_MSGS];
    int msg_n;
    struct record record;
};

static inline void net_rig_on_sent(struct sim *sim, struct fabric_msg *msg)
{
    struct net_rig_msg *m = msg->owner;
    m->sent_ps = sim_now_ps(sim);
    m->sents++;
}

static inline void net_rig_on_done(struct sim *sim, struct fabric_msg *msg)
{
    struct net_rig_msg *m = msg->owner;
    m->done_ps = sim_now_ps(sim);
    m->dones++;
}

static inline void net_rig_on_start(struct sim *sim, void *self)
{
    (void)sim;
    struct net_rig_msg *m = self;
    fabric_send(m->rig->fabric, &m->msg);
}

/* net_rig_open: body is the inside of the section network ("mtu: 1kB, pfc: {on: false}"). */
static inline void net_rig_open(struct net_rig *rig, uint64_t seed, const char *body)
{
    struct err err = {0};
    *rig = (struct net_rig){0};
    record_init(&rig->record);
    rig->sim = sim_new(&rig->arena, seed, "a test");
    topo_init(&rig->graph, &rig->arena);
    const char *text = arena_printf(&rig->arena, "{%s}", body);
    struct tree_node *tree = tree_read_text(&rig->arena, "net.yaml", text, strlen(text), &err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &err};
    bool ok = tree && schema_bind(&into, &net_schema, tree, &rig->cfg);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
}

static inline void net_rig_cable(struct net_rig *rig, const int32_t ends[2], int64_t rate_bps,
                                 int64_t delay_ps)
{
    topo_cable(&rig->graph, &(struct topo_link){.from = ends[0],
                                                .to = ends[1],
                                                .kind = TOPO_FABRIC,
                                                .rate_bps = rate_bps,
                                                .delay_ps = delay_ps});
}

/* net_rig_host adds an endpoint at a node. */
static inline int32_t net_rig_host(struct net_rig *rig, int32_t at, int64_t rate_bps,
                                   int64_t delay_ps)
{
    int32_t host = topo_node(&rig->graph, TOPO_HOST, "host");
    net_rig_cable(rig, (int32_t[]){host, at}, rate_bps, delay_ps);
    rig->host[rig->host_n++] = host;
    return host;
}

/* net_rig_chain: host 0, switches in a row, host 1; link i has the delay delay_ps[i]. */
static inline void net_rig_chain(struct net_rig *rig, int switches, int64_t rate_bps,
                                 const int64_t *delay_ps)
{
    int32_t before = topo_node(&rig->graph, TOPO_SWITCH, "s");
    net_rig_host(rig, before, rate_bps, delay_ps[0]);
    for (int i = 1; i < switches; i++) {
        int32_t here = topo_node(&rig->graph, TOPO_SWITCH, "s");
        net_rig_cable(rig, (int32_t[]){before, here}, rate_bps, delay_ps[i]);
        before = here;
    }
    net_rig_host(rig, before, rate_bps, delay_ps[switches]);
}

/* net_rig_star: n hosts at one switch. */
static inline void net_rig_star(struct net_rig *rig, int n, int64_t rate_bps, int64_t delay_ps)
{
    int32_t sw = topo_node(&rig->graph, TOPO_SWITCH, "s");
    for (int i = 0; i < n; i++)
        net_rig_host(rig, sw, rate_bps, delay_ps);
}

/* struct net_rig_shape: of a leaf-spine fabric. */
struct net_rig_shape {
    int leaves, hosts, spines; /* hosts per leaf */
    int64_t host_bps, spine_bps, delay_ps;
};
static inline void net_rig_leaf_spine(struct net_rig *rig, const struct net_rig_shape *shape)
{
    int32_t spine[16];
    assert_true(shape->spines <= 16 && shape->leaves * shape->hosts <= NET_RIG_HOSTS);
    for (int i = 0; i < shape->spines; i++)
        spine[i] = topo_node(&rig->graph, TOPO_SWITCH, "spine");
    for (int i = 0; i < shape->leaves; i++) {
        int32_t leaf = topo_node(&rig->graph, TOPO_SWITCH, "leaf");
        for (int s = 0; s < shape->spines; s++)
            net_rig_cable(rig, (int32_t[]){leaf, spine[s]}, shape->spine_bps, shape->delay_ps);
        for (int h = 0; h < shape->hosts; h++)
            net_rig_host(rig, leaf, shape->host_bps, shape->delay_ps);
    }
}

/* net_rig_wired: the graph is complete. */
static inline void net_rig_wired(struct net_rig *rig)
{
    rig->fabric = net_new(rig->sim, &rig->graph, &rig->cfg);
}

/* net_rig_send sends bytes from host src to host dst at at_ps. */
static inline struct net_rig_msg *net_rig_send(struct net_rig *rig, const int ends[2],
                                               int64_t bytes, int64_t at_ps)
{
    static const struct framing framing = {NET_RIG_MTU, NET_RIG_FRAME};
    assert_true(rig->msg_n < NET_RIG_MSGS);
    struct net_rig_msg *m = &rig->m[rig->msg_n++];
    *m = (struct net_rig_msg){.rig = rig, .sent_ps = -1, .done_ps = -1};
    m->msg = (struct fabric_msg){.src = rig->host[ends[0]],
                                 .dst = rig->host[ends[1]],
                                 .bytes = bytes,
                                 .framing = &framing,
                                 .done = net_rig_on_done,
                                 .owner = m};
    timer_init(&m->timer, net_rig_on_start, m, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &m->timer, at_ps);
    return m;
}

/* net_rig_run runs until nothing happens any more; all messages have come, once, and nothing is
 * left in the fabric. */
static inline struct net_totals net_rig_run(struct net_rig *rig)
{
    enum sim_stop stop = sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = 2 * PS_PER_S});
    if (stop != SIM_IDLE) print_message("stuck: %s\n", stuck_text(rig->fabric, &rig->arena));
    assert_int_equal(stop, SIM_IDLE);
    for (int i = 0; i < rig->msg_n; i++)
        assert_int_equal(rig->m[i].dones, 1);
    struct net_totals sum = net_totals(rig->fabric);
    assert_int_equal(sum.inflight_bytes, 0);
    assert_int_equal(sum.injected_bytes, sum.delivered_bytes + sum.dropped_bytes);
    return sum;
}

static inline double net_rig_metric(struct net_rig *rig, const char *name)
{
    double value = -1;
    net_record(rig->fabric, &rig->record);
    if (!record_find(&rig->record, "network", name, &value)) fail_msg("no metric %s", name);
    return value;
}

/* net_rig_wire_bytes returns what a message takes on the wire at an MTU of 4096. */
static inline int64_t net_rig_wire_bytes(int64_t bytes)
{
    int64_t packets = bytes > 0 ? (bytes + NET_RIG_MTU - 1) / NET_RIG_MTU : 1;
    return bytes + packets * NET_RIG_FRAME + NET_RIG_RETH;
}

static inline void net_rig_close(struct net_rig *rig)
{
    record_free(&rig->record);
    arena_free(&rig->arena);
}

#endif
