/* flow_rig.h - for tests: a small net on the flow-level fabric, messages with their times.
 *
 * Most nets run at 8 Gb/s: a byte takes a nanosecond. Include cmocka.h before. */
#ifndef RAILSIM_TESTS_FLOW_RIG_H
#define RAILSIM_TESTS_FLOW_RIG_H

#include "models/flow/flow.h"
#include "sim/base/units.h"

#define NS PS_PER_NS
#define GBPS8 INT64_C(8000000000)
#define MSGS 12

struct rig {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct fabric *fabric;
    struct framing framing;
    struct sent {
        struct fabric_msg msg;
        struct timer timer; /* when it is sent */
        struct rig *rig;
        int64_t sent_ps, done_ps; /* callbacks; -1 = not yet */
        int resend;               /* how often `done` sends it again */
    } m[MSGS];
};

/* rig_open: nodes a, b, ... of the kinds in text (h, s), links come later; rig_wired ends that. */
static inline void rig_open(struct rig *rig, const char *kinds)
{
    *rig = (struct rig){.framing = {.payload_bytes = 1000000}};
    rig->sim = sim_new(&rig->arena, 1, "test_flow");
    topo_init(&rig->graph, &rig->arena);
    for (int i = 0; kinds[i]; i++)
        topo_node(&rig->graph, kinds[i] == 's' ? TOPO_SWITCH : TOPO_HOST,
                  arena_printf(&rig->arena, "%c", 'a' + i));
}

static inline int32_t cable(struct rig *rig, const char *ends, enum topo_link_kind kind,
                            int64_t rate_bps, int64_t delay_ps)
{
    return topo_cable(&rig->graph, &(struct topo_link){.from = ends[0] - 'a',
                                                       .to = ends[1] - 'a',
                                                       .kind = kind,
                                                       .rate_bps = rate_bps,
                                                       .delay_ps = delay_ps});
}

static inline void on_sent(struct sim *sim, struct fabric_msg *msg)
{
    struct sent *sent = msg->owner;
    sent->sent_ps = sim_now_ps(sim);
}

static inline void on_done(struct sim *sim, struct fabric_msg *msg)
{
    struct sent *sent = msg->owner;
    sent->done_ps = sim_now_ps(sim);
    if (sent->resend-- > 0) fabric_send(sent->rig->fabric, msg);
}

static inline void on_start(struct sim *sim, void *self)
{
    (void)sim;
    struct sent *sent = self;
    fabric_send(sent->rig->fabric, &sent->msg);
}

static inline void rig_wired(struct rig *rig)
{
    rig->fabric = flow_new(rig->sim, &rig->graph);
}

/* send has message i, of a stream of its own, of `bytes` sent from ends[0] to ends[1] at at_ns. */
static inline void send(struct rig *rig, int i, const char *ends, int64_t bytes, int64_t at_ns)
{
    struct sent *sent = &rig->m[i];
    *sent = (struct sent){.rig = rig, .sent_ps = -1, .done_ps = -1};
    sent->msg = (struct fabric_msg){.src = ends[0] - 'a',
                                    .dst = ends[1] - 'a',
                                    .bytes = bytes,
                                    .stream = (uint32_t)i,
                                    .framing = &rig->framing,
                                    .sent = on_sent,
                                    .done = on_done,
                                    .owner = sent};
    timer_init(&sent->timer, on_start, sent, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &sent->timer, at_ns * NS);
}

static inline void run(struct rig *rig)
{
    assert_int_equal(sim_run(rig->sim, &(struct sim_limits){0}), SIM_IDLE);
}

/* got: message i left and arrived at these times, and was so much slower than alone. */
static inline void got(const struct rig *rig, int i, int64_t sent_ns, int64_t done_ns,
                       int64_t excess_ns)
{
    const struct sent *sent = &rig->m[i];
    if (sent->sent_ps != sent_ns * NS || sent->done_ps != done_ns * NS ||
        sent->msg.excess_ps != excess_ns * NS)
        fail_msg("message %d: sent %lld ps, done %lld ps, excess %lld ps", i,
                 (long long)sent->sent_ps, (long long)sent->done_ps,
                 (long long)sent->msg.excess_ps);
}

/* A star: hosts a, b, c, d at the switch e, 8 Gb/s and 500 ns a cable. Link of a = 0, 1; ... */
static inline void star(struct rig *rig)
{
    rig_open(rig, "hhhhs");
    cable(rig, "ae", TOPO_NIC, GBPS8, 500 * NS);
    cable(rig, "be", TOPO_NIC, GBPS8, 500 * NS);
    cable(rig, "ce", TOPO_NIC, GBPS8, 500 * NS);
    cable(rig, "de", TOPO_SERVER, GBPS8, 500 * NS);
    rig_wired(rig);
}

/* struct turn: at a time, a link gets another rate. */
struct turn {
    struct timer timer;
    struct rig *rig;
    int32_t link;
    int64_t rate_bps;
};

static inline void on_turn(struct sim *sim, void *self)
{
    (void)sim;
    struct turn *turn = self;
    flow_set_rate(turn->rig->fabric, turn->link, turn->rate_bps);
}

static inline void set_rate(struct rig *rig, struct turn *turn, int32_t link, int64_t rate_bps,
                            int64_t at_ns)
{
    *turn = (struct turn){.rig = rig, .link = link, .rate_bps = rate_bps};
    timer_init(&turn->timer, on_turn, turn, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &turn->timer, at_ns * NS);
}

#endif
