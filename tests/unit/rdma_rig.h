/* rdma_rig.h - for tests: two NICs with a crossing between them that a test governs: it loses,
 * marks, and delays packets as the test says. cmocka.h is included before. */
#ifndef RAILSIM_TESTS_RDMA_RIG_H
#define RAILSIM_TESTS_RDMA_RIG_H

#include <stdio.h>
#include <string.h>

#include "models/net/nic.h"
#include "sim/base/units.h"
#include "sim/engine/rng.h"
#include "sim/io/tree.h"

#define RDMA_RIG_MSGS 64
#define RDMA_RIG_PATHS 4
#define RDMA_RIG_LOG 512
#define RDMA_RIG_BPS INT64_C(400000000000)
#define RDMA_RIG_BYTE_PS 20
#define RDMA_RIG_DELAY_PS INT64_C(500000)
#define RDMA_RIG_MTU 4096

struct rdma_rig {
    struct nic nic[2]; /* 0 sends, 1 receives */
    struct port path[RDMA_RIG_PATHS], back;
    struct arena arena;
    struct sim *sim;
    struct net_cfg cfg;
    struct nic_shared shared;
    struct rdma_qp *qp;
    struct rng rng;
    /* the way of a packet over the crossing, either direction: a path, or -1 = lost */
    int (*pass)(struct rdma_rig *rig, struct packet *packet);
    int64_t lost_bytes; /* of data */
    int acks, nacks;
    int answered; /* packets that ACKs and NACKs counted */
    double loss;
    int step; /* of pass, as it likes */
    struct rdma_rig_msg {
        struct fabric_msg msg;
        struct timer timer;
        struct rdma_rig *rig;
        int64_t done_ps;
        int dones;
    } m[RDMA_RIG_MSGS];
    int msg_n;
    /* the recording control */
    struct cc_signal log[RDMA_RIG_LOG];
    int log_n;
    int64_t window_bytes;
};

/* ---- a control that writes down what it is told ---------------------------------------------- */

static inline void rdma_rig_cc_init(void *state, const void *config, const struct cc_link *link,
                                    struct cc_out *out)
{
    const struct rdma_rig *rig = config;
    (void)state;
    out->rate_bps = link->rate_bps;
    out->window_bytes = rig->window_bytes;
}

static inline void rdma_rig_cc_step(void *state, const void *config, const struct cc_signal *signal,
                                    struct cc_out *out)
{
    struct rdma_rig *rig = (struct rdma_rig *)(uintptr_t)config;
    (void)state;
    (void)out;
    if (rig->log_n < RDMA_RIG_LOG) rig->log[rig->log_n++] = *signal;
}

static const struct cc_ops rdma_rig_cc = {.init = rdma_rig_cc_init, .step = rdma_rig_cc_step};

/* rdma_rig_heard counts events of a kind, and sums their acked_bytes. */
static inline int rdma_rig_heard(const struct rdma_rig *rig, enum cc_event event, int64_t *bytes)
{
    int n = 0;
    int64_t sum = 0;
    for (int i = 0; i < rig->log_n; i++) {
        if (rig->log[i].event != event) continue;
        n++;
        sum += rig->log[i].acked_bytes;
    }
    if (bytes) *bytes = sum;
    return n;
}

/* ---- the crossing ---------------------------------------------------------------------------- */

static inline void rdma_rig_leave(struct port *port, const struct port_entry *entry, int64_t at_ps)
{
    (void)port;
    (void)entry;
    (void)at_ps;
}

static inline void rdma_rig_cross(struct port *from, struct packet *packet)
{
    struct rdma_rig *rig = from->peer;
    bool data = packet->type == PACKET_DATA;
    rig->acks += packet->type == PACKET_ACK;
    rig->nacks += packet->type == PACKET_NACK;
    if (packet->type == PACKET_ACK || packet->type == PACKET_NACK) rig->answered += packet->acked_n;
    int path = rig->pass ? rig->pass(rig, packet) : 0;
    if (path < 0) {
        if (data) rig->lost_bytes += packet->wire_bytes;
        packet_put(&rig->shared.net.packets, packet);
        return;
    }
    port_enqueue(data ? &rig->path[path] : &rig->back, packet, data ? 1 : PACKET_CONTROL, 0);
}

/* The cable from node to peer; a NIC is at one end. */
static inline void rdma_rig_wire(struct rdma_rig *rig, struct port *port, struct nic *to)
{
    port->net = &rig->shared.net;
    port->rate_bps = RDMA_RIG_BPS;
    port->delay_ps = RDMA_RIG_DELAY_PS;
    port->node = port->peer = rig;
    if (!to) return;
    port->peer = to;
    port->to_nic = true;
    port->reverse = &to->port;
}

static inline void rdma_rig_nics(struct rdma_rig *rig)
{
    for (int i = 0; i < 2; i++) {
        struct nic *nic = &rig->nic[i];
        rdma_rig_wire(rig, &nic->port, NULL);
        nic->port.node = nic;
        nic->port.source = true;
        nic->port.reverse = i ? &rig->path[0] : &rig->back;
        nic->shared = &rig->shared;
        nic->node = i;
        port_init(&nic->port);
        nic_init(nic);
    }
}

/* rdma_rig_open: body is the inside of the section network; skew_ps: path i takes i times as much
 * longer. The control is the recording one, see rdma_rig_control. */
static inline void rdma_rig_open(struct rdma_rig *rig, const char *body, int64_t skew_ps)
{
    struct err err = {0};
    *rig = (struct rdma_rig){.rng = rng_stream(1, "rdma_rig")};
    rig->sim = sim_new(&rig->arena, 1, "a test");
    const char *text = arena_printf(&rig->arena, "{%s}", body);
    struct tree_node *tree = tree_read_text(&rig->arena, "net.yaml", text, strlen(text), &err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &err};
    bool ok = tree && schema_bind(&into, &net_schema, tree, &rig->cfg);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    rig->shared.sim = rig->sim;
    rig->shared.cfg = &rig->cfg;
    rig->shared.header_bytes = FRAMING_ROCE_BYTES;
    rig->shared.ack_bytes = FRAMING_ROCE_ACK_BYTES;
    rig->shared.cc = &rdma_rig_cc;
    rig->shared.cc_config = rig;
    rig->shared.net = (struct port_net){.sim = rig->sim,
                                        .leave = rdma_rig_leave,
                                        .deliver_switch = rdma_rig_cross,
                                        .deliver_nic = nic_deliver,
                                        .next = nic_next,
                                        .make = nic_make,
                                        .classes = 1};
    rdma_rig_nics(rig);
    for (int i = 0; i < RDMA_RIG_PATHS; i++) {
        rdma_rig_wire(rig, &rig->path[i], &rig->nic[1]);
        rig->path[i].delay_ps += i * skew_ps;
        port_init(&rig->path[i]);
    }
    rdma_rig_wire(rig, &rig->back, &rig->nic[0]);
    port_init(&rig->back);
}

/* rdma_rig_control: another control than the recording one; before the first message. */
static inline void rdma_rig_control(struct rdma_rig *rig)
{
    rig->shared.cc = cc_list[rig->cfg.cc.index];
    rig->shared.cc_config = rig->cfg.cc.config;
}

static inline int64_t rdma_rig_rtt_ps(void)
{
    return 4 * RDMA_RIG_DELAY_PS + 2 * RDMA_RIG_BYTE_PS * (4178 + 86);
}

static inline struct rdma_qp *rdma_rig_qp(struct rdma_rig *rig)
{
    if (!rig->shared.net.packets.arena) {
        packet_pool_init(&rig->shared.net.packets, &rig->arena,
                         rig->shared.cc->wants_hops ? sizeof(struct nic_telemetry) : 0);
        pool_init(&rig->shared.messages, &rig->arena, sizeof(struct rdma_msg));
    }
    if (!rig->qp) rig->qp = rdma_open(&rig->nic[0], &rig->nic[1], 0, rdma_rig_rtt_ps());
    return rig->qp;
}

/* rdma_rig_live returns how many packets are not given back. */
static inline int rdma_rig_live(const struct rdma_rig *rig)
{
    const struct packet_pool *packets = &rig->shared.net.packets;
    int n = (int)packets->n - 1;
    for (uint32_t i = packets->free; i; i = packet_at(packets, i)->seq)
        n--;
    return n;
}

static inline void rdma_rig_on_done(struct sim *sim, struct fabric_msg *msg)
{
    struct rdma_rig_msg *m = msg->owner;
    m->done_ps = sim_now_ps(sim);
    m->dones++;
}

static inline void rdma_rig_on_start(struct sim *sim, void *self)
{
    (void)sim;
    struct rdma_rig_msg *m = self;
    rdma_post(rdma_rig_qp(m->rig), &m->msg);
}

static inline struct rdma_rig_msg *rdma_rig_send(struct rdma_rig *rig, int64_t bytes, int64_t at_ps)
{
    assert_true(rig->msg_n < RDMA_RIG_MSGS);
    struct rdma_rig_msg *m = &rig->m[rig->msg_n++];
    *m = (struct rdma_rig_msg){.rig = rig, .done_ps = -1};
    m->msg = (struct fabric_msg){.dst = 1, .bytes = bytes, .done = rdma_rig_on_done, .owner = m};
    timer_init(&m->timer, rdma_rig_on_start, m, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &m->timer, at_ps);
    return m;
}

/* rdma_rig_run: everything comes, once, to the byte; nothing is left over. */
static inline void rdma_rig_run(struct rdma_rig *rig)
{
    int64_t bytes = 0;
    enum sim_stop stop = sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = 20 * PS_PER_S});
    assert_int_equal(stop, SIM_IDLE);
    for (int i = 0; i < rig->msg_n; i++) {
        assert_int_equal(rig->m[i].dones, 1);
        bytes += rig->m[i].msg.bytes;
    }
    const struct rdma_qp *qp = rig->qp;
    assert_int_equal(qp->acked_bytes, bytes);
    assert_int_equal(qp->sent_bytes, bytes);
    assert_int_equal(qp->inflight_bytes, 0);
    assert_true(qp->acked_below == qp->queued && qp->expected == qp->queued);
    assert_int_equal(qp->early_n, 0);
    assert_int_equal(qp->lost_n, 0);
    assert_int_equal(rdma_rig_live(rig), 0);
    assert_int_equal(rig->shared.messages.live, 0);
    assert_int_equal(rig->shared.injected_bytes,
                     rig->shared.delivered_bytes + rig->lost_bytes + rig->shared.rx_dropped_bytes);
}

static inline void rdma_rig_close(struct rdma_rig *rig)
{
    arena_free(&rig->arena);
}

#endif
