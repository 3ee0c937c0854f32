/* flow_law.h - for prop_flow.c: a random net with random messages, sent and seen to arrive.
 *
 * Some messages are of one stream and so leave in turn. Include cmocka.h before. */
#ifndef RAILSIM_TESTS_FLOW_LAW_H
#define RAILSIM_TESTS_FLOW_LAW_H

#include "models/flow/flow.h"
#include "sim/base/units.h"
#include "sim/engine/rng.h"
#include "tests/unit/maxmin_net.h"

#define HOSTS 6
#define SWITCHES 4
#define MSGS 60
#define SEEDS 60
#define FAULTS 12

struct law {
    struct arena arena;
    struct sim *sim;
    struct rng rng;
    struct topo_graph graph;
    struct fabric *fabric;
    struct framing framing;
    int scale; /* rates times this, times divided by it */
    struct sent {
        struct fabric_msg msg;
        struct timer timer;
        struct law *law;
        int32_t path[TOPO_PATH_MAX];
        int path_n;
        struct sent *before; /* of its stream: leaves first */
        int64_t start_ps, delay_ps, sent_ps, done_ps;
        double left_bits, rate_bps, end_s; /* of the second simulator */
        bool flowing, frozen, gone;
        int64_t settled_ps, end_ps; /* of the third one */
    } m[MSGS];
    struct fault {
        struct timer timer;
        struct law *law;
        int64_t at_ps, rate_bps;
        int32_t link;
    } fault[FAULTS];
    struct timer sampler;
    int64_t sampled_ps, samples;
    double sampled_bytes[LINKS_MAX];
};

static inline void on_sent(struct sim *sim, struct fabric_msg *msg)
{
    ((struct sent *)msg->owner)->sent_ps = sim_now_ps(sim);
}

static inline void on_done(struct sim *sim, struct fabric_msg *msg)
{
    ((struct sent *)msg->owner)->done_ps = sim_now_ps(sim);
}

static inline void on_start(struct sim *sim, void *self)
{
    (void)sim;
    struct sent *sent = self;
    fabric_send(sent->law->fabric, &sent->msg);
}

/* A ring of switches with a chord, hosts at random switches; rates of 1 to 16 Gb/s, even numbers
 * of ps of delay so that they can be halved. */
static inline void random_graph(struct law *law)
{
    topo_init(&law->graph, &law->arena);
    for (int i = 0; i < SWITCHES; i++)
        topo_node(&law->graph, TOPO_SWITCH, arena_printf(&law->arena, "s%d", i));
    for (int i = 0; i < HOSTS; i++)
        topo_node(&law->graph, TOPO_HOST, arena_printf(&law->arena, "h%d", i));
    for (int32_t i = 0; i < SWITCHES + 1 + HOSTS; i++) {
        struct topo_link link = {.from = i, .to = (i + 1) % SWITCHES, .kind = TOPO_FABRIC};
        if (i == SWITCHES) link.from = 0, link.to = SWITCHES / 2;
        if (i > SWITCHES) {
            link.from = i - 1;
            link.to = (int32_t)rng_below(&law->rng, SWITCHES);
        }
        link.rate_bps = INT64_C(1000000000) << rng_below(&law->rng, 5);
        if (rng_below(&law->rng, 2)) link.rate_bps += (int64_t)rng_below(&law->rng, 1000000007);
        link.rate_bps *= law->scale;
        link.delay_ps = 2 * (int64_t)rng_below(&law->rng, 10 * PS_PER_US) / law->scale;
        topo_cable(&law->graph, &link);
    }
    assert_true(law->graph.link_n <= LINKS_MAX);
}

static inline void random_message(struct law *law, struct sent *sent)
{
    int32_t src = (int32_t)rng_below(&law->rng, HOSTS), dst = src;
    while (dst == src)
        dst = (int32_t)rng_below(&law->rng, HOSTS);
    *sent = (struct sent){.law = law, .sent_ps = -1, .done_ps = -1};
    /* Some at the same moment, some apart; some equal, most not. */
    sent->start_ps = rng_below(&law->rng, 3) ? 2 * (int64_t)rng_below(&law->rng, 10 * PS_PER_MS)
                                             : PS_PER_MS * (int64_t)(2 * rng_below(&law->rng, 10));
    sent->start_ps /= law->scale;
    sent->msg = (struct fabric_msg){
        .src = SWITCHES + src,
        .dst = SWITCHES + dst,
        .bytes = rng_below(&law->rng, 4) ? (int64_t)rng_below(&law->rng, 2000000) : 100000,
        .stream = (uint32_t)rng_below(&law->rng, 4),
        .framing = &law->framing,
        .sent = on_sent,
        .done = on_done,
        .owner = sent};
    sent->left_bits = (double)framing_wire_bytes(&law->framing, sent->msg.bytes) * 8;
    sent->path_n =
        topo_path(&law->graph, sent->msg.src, sent->msg.dst, sent->msg.stream, sent->path);
    assert_true(sent->path_n > 1);
    for (int i = 0; i < sent->path_n; i++)
        sent->delay_ps += law->graph.links[sent->path[i]].delay_ps;
    timer_init(&sent->timer, on_start, sent, sim_component(law->sim), 0);
    timer_arm(law->sim, &sent->timer, sent->start_ps);
}

/* The last one before sent of the same two ends and stream; of equal starts the lower number. */
static inline struct sent *find_before(struct law *law, const struct sent *sent)
{
    struct sent *before = NULL;
    for (struct sent *m = law->m; m < law->m + MSGS; m++) {
        bool earlier = m->start_ps < sent->start_ps || (m->start_ps == sent->start_ps && m < sent);
        if (!earlier || m->msg.src != sent->msg.src || m->msg.dst != sent->msg.dst ||
            m->msg.stream != sent->msg.stream)
            continue;
        if (!before || m->start_ps >= before->start_ps) before = m;
    }
    return before;
}

static inline void law_open(struct law *law, uint64_t seed, int scale)
{
    *law = (struct law){.framing = {.payload_bytes = 4096, .overhead_bytes = 82}, .scale = scale};
    law->sim = sim_new(&law->arena, seed, "prop_flow");
    law->rng = rng_stream(seed, "prop_flow");
    random_graph(law);
    law->fabric = flow_new(law->sim, &law->graph);
    for (int i = 0; i < MSGS; i++)
        random_message(law, &law->m[i]);
    for (int i = 0; i < MSGS; i++)
        law->m[i].before = find_before(law, &law->m[i]);
}

static inline uint64_t law_run(struct law *law)
{
    assert_int_equal(sim_run(law->sim, &(struct sim_limits){0}), SIM_IDLE);
    for (int i = 0; i < MSGS; i++) {
        assert_true(law->m[i].sent_ps >= law->m[i].start_ps);
        assert_int_equal(law->m[i].done_ps, law->m[i].sent_ps + law->m[i].delay_ps);
    }
    return sim_fingerprint(law->sim);
}

#endif
