/* flows_rig.h - for tests of traffic: endpoints at switches, on the flow fabric or on a fake one
 * that delivers every message after a fixed time, and confirms it after as much again. cmocka.h is
 * included before. */
#ifndef RAILSIM_TESTS_FLOWS_RIG_H
#define RAILSIM_TESTS_FLOWS_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/flow/flow.h"
#include "models/topo/topo.h"
#include "models/work/flows.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define FLOWS_RIG_MAX 256 /* endpoints */
#define FLOWS_RIG_LOG 4096
#define FAKE_PS INT64_C(1000000) /* of every message on the fake fabric */

/* struct fake_msg: a message on its way in the fake fabric. */
struct fake_msg {
    struct timer timer;
    struct fabric_msg *msg;
};
struct fake_log {
    int64_t at_ps, bytes;
    int32_t src, dst;
    uint32_t stream;
};
struct fake_fabric {
    struct fabric fabric;
    struct fake_log log[FLOWS_RIG_LOG]; /* of all messages, as they were sent */
    int log_n;
    int lose; /* this message (counted from 0) never arrives; -1 = none */
    uint32_t component;
};

struct flows_rig {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct fake_fabric fake;
    struct fabric *fabric;
    int32_t endpoint[FLOWS_RIG_MAX], edge_of[FLOWS_RIG_MAX];
    struct flows_hosts hosts;
    const struct flows_cfg *cfg;
    struct flows *flows;
    enum sim_stop stop;
    struct record record;
};

static inline void fake_deliver(struct sim *sim, void *self)
{
    struct fake_msg *fake = self;
    fake->msg->done(sim, fake->msg);
}

static inline void fake_send(struct fabric *base, struct fabric_msg *msg)
{
    struct fake_fabric *fabric = (struct fake_fabric *)base;
    struct fake_msg *fake = ARENA_NEW(sim_arena(base->sim), struct fake_msg);
    int number = fabric->log_n++;
    assert_true(msg->bytes > 0 && msg->src != msg->dst);
    if (number < FLOWS_RIG_LOG)
        fabric->log[number] =
            (struct fake_log){sim_now_ps(base->sim), msg->bytes, msg->src, msg->dst, msg->stream};
    fake->msg = msg;
    if (number == fabric->lose) return;
    timer_init(&fake->timer, fake_deliver, fake, fabric->component, 0);
    timer_after(base->sim, &fake->timer, msg->confirm ? 2 * FAKE_PS : FAKE_PS);
}

static inline struct fabric_path fake_path(struct fabric *base, int32_t src, int32_t dst)
{
    (void)base, (void)src, (void)dst;
    return (struct fabric_path){
        .delay_ps = FAKE_PS / 2, .bottleneck_bps = 8000000000, .first_bps = 8000000000};
}

/* flows_rig_bind reads a workload from YAML; false with messages in err. */
static inline bool flows_rig_bind(struct arena *arena, const char *name, const char *text,
                                  const struct flows_cfg **cfg, struct err *err)
{
    static const struct schema *const kinds[] = {&flows_schema, NULL};
    struct schema_variant variant = {0};
    struct tree_node *tree = tree_read_text(arena, name, text, strlen(text), err);
    struct schema_into into = {.arena = arena, .prefix = "", .err = err};
    bool ok = tree && schema_bind_variant(&into, kinds, tree, &variant);
    *cfg = variant.config;
    return ok;
}

/* flows_rig_open: `leaves` switches of n endpoints each, 8 Gbit/s and 1 us to their switch, as
 * much as they need between switches, no headers. body: the workload without its kind. */
static inline void flows_rig_open(struct flows_rig *rig, const char *body, int n, int leaves)
{
    struct err err = {0};
    *rig = (struct flows_rig){0};
    record_init(&rig->record);
    rig->sim = sim_new(&rig->arena, 1, "a test");
    topo_init(&rig->graph, &rig->arena);
    int32_t spine = topo_node(&rig->graph, TOPO_SWITCH, "spine");
    for (int leaf = 0; leaf < leaves; leaf++) {
        int32_t edge = topo_node(&rig->graph, TOPO_SWITCH, "leaf");
        topo_cable(&rig->graph, &(struct topo_link){.from = edge,
                                                    .to = spine,
                                                    .kind = TOPO_FABRIC,
                                                    .rate_bps = INT64_C(8000000000) * n * 4});
        for (int i = 0; i < n; i++) {
            int32_t host = topo_node(&rig->graph, TOPO_HOST, "host");
            topo_cable(&rig->graph, &(struct topo_link){.from = host,
                                                        .to = edge,
                                                        .kind = TOPO_NIC,
                                                        .rate_bps = 8000000000,
                                                        .delay_ps = 1000000});
            rig->endpoint[rig->hosts.n] = host;
            rig->edge_of[rig->hosts.n++] = edge;
        }
    }
    rig->hosts.endpoint = rig->endpoint;
    rig->hosts.edge_of = rig->edge_of;
    rig->hosts.framing = (struct framing){4096, 0};
    bool ok = flows_rig_bind(&rig->arena, "test.yaml",
                             arena_printf(&rig->arena, "{kind: flows, %s}", body), &rig->cfg, &err);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
    rig->fabric = flow_new(rig->sim, &rig->graph);
}

/* flows_rig_fake puts the fake fabric in place of the flow fabric. */
static inline void flows_rig_fake(struct flows_rig *rig)
{
    static const struct fabric_ops ops = {.send = fake_send, .path = fake_path};
    rig->fake.fabric = (struct fabric){.ops = &ops, .sim = rig->sim};
    rig->fake.lose = -1;
    rig->fake.component = sim_component(rig->sim);
    rig->fabric = &rig->fake.fabric;
}

static inline void flows_rig_run(struct flows_rig *rig, const struct sim_limits *limits)
{
    rig->flows = flows_new(rig->sim, rig->cfg, rig->fabric, &rig->hosts);
    flows_start(rig->flows);
    rig->stop = sim_run(rig->sim, limits ? limits : &(struct sim_limits){0});
    flows_record(rig->flows, &rig->record);
}

static inline double flows_rig_metric(const struct flows_rig *rig, const char *entity,
                                      const char *name)
{
    double value = -1;
    if (!record_find(&rig->record, entity, name, &value)) fail_msg("no metric %s %s", entity, name);
    return value;
}

static inline void flows_rig_close(struct flows_rig *rig)
{
    record_free(&rig->record);
    arena_free(&rig->arena);
}

/* flows_rig_file writes text into a temporary file, whose name it returns. */
__attribute__((returns_nonnull)) static inline const char *flows_rig_file(struct arena *arena,
                                                                          const char *text)
{
    char *name = arena_strdup(arena, "/tmp/test_flows.XXXXXX");
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    size_t size = strlen(text);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
    return name;
}

#endif
