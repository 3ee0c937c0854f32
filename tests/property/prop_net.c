/* prop_net.c - laws of the packet fabric in random small leaf-spine fabrics, with random messages
 * over all routing rules, congestion controls and kinds of delivery, lossless and lossy.
 *
 * Whenever one looks: what was injected was delivered, dropped, or is under way. In the end each
 * message came exactly once, whatever was dropped; and the same seed gives the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/cc/cc.h"
#include "models/route/route.h"
#include "sim/engine/rng.h"
#include "tests/unit/net_rig.h"

#define SEEDS 160
#define LOOKS 40 /* random moments at which a run is stopped and counted */

static struct net_rig the_rig; /* too large for a stack */

static int count(const struct schema *const *kinds)
{
    int n = 0;
    while (kinds[n])
        n++;
    return n;
}

static bool coin(struct rng *rng)
{
    return rng_below(rng, 2);
}

/* The rule and the control go round with the seed, so that all pairs of them come up. */
static const char *random_network(struct arena *arena, struct rng *rng, uint64_t seed)
{
    const uint64_t rules = (uint64_t)count(route_kinds), controls = (uint64_t)count(cc_kinds);
    return arena_printf(
        arena,
        "routing: {kind: %s}, cc: {kind: %s}, mtu: %s, delivery: %s, retransmit: %s, buffer: %dkB, "
        "ecn: {on: %s, kmin: %dkB, kmax: %dkB}, pfc: {on: %s, xoff: %dkB, xon: %dkB, headroom: %s}",
        route_kinds[seed % rules]->name, cc_kinds[seed / rules % controls]->name,
        coin(rng) ? "4096B" : "1000B", coin(rng) ? "in-order" : "out-of-order",
        coin(rng) ? "100us" : "400us", 200 + (int)rng_below(rng, 1000),
        coin(rng) ? "true" : "false", 10 + (int)rng_below(rng, 50), 60 + (int)rng_below(rng, 200),
        coin(rng) ? "true" : "false", 30 + (int)rng_below(rng, 60), 1 + (int)rng_below(rng, 20),
        coin(rng) ? "0B" : "12kB");
}

static void random_fabric(struct net_rig *rig, struct rng *rng)
{
    static const int64_t gbps[] = {100, 400, 300, 56};
    const struct net_rig_shape shape = {.leaves = 2 + (int)rng_below(rng, 2),
                                        .hosts = 2 + (int)rng_below(rng, 4),
                                        .spines = 1 + (int)rng_below(rng, 4),
                                        .host_bps = gbps[rng_below(rng, 4)] * 1000000000,
                                        .spine_bps = gbps[rng_below(rng, 4)] * 1000000000 +
                                                     (int64_t)rng_below(rng, 1000),
                                        .delay_ps = (int64_t)rng_below(rng, 2 * PS_PER_US)};
    net_rig_leaf_spine(rig, &shape);
    net_rig_wired(rig);
}

/* Half of the messages go to host 0; several of one pair and stream; some watch their sending. */
static void random_messages(struct net_rig *rig, struct rng *rng)
{
    uint64_t hosts = (uint64_t)rig->host_n;
    for (int i = 0; i < 24; i++) {
        int dst = coin(rng) ? 0 : (int)rng_below(rng, hosts), src = dst;
        while (src == dst)
            src = (int)rng_below(rng, hosts);
        struct net_rig_msg *m =
            net_rig_send(rig, (int[]){src, dst}, (int64_t)rng_below(rng, coin(rng) ? 5000 : 200000),
                         (int64_t)rng_below(rng, 20 * PS_PER_US));
        m->msg.stream = (uint32_t)rng_below(rng, 2);
        if (coin(rng)) m->msg.sent = net_rig_on_sent;
    }
}

static void open_random(struct net_rig *rig, struct rng *rng, uint64_t seed)
{
    struct arena scratch = {0};
    *rng = rng_stream(seed, "prop_net");
    net_rig_open(rig, seed, random_network(&scratch, rng, seed));
    arena_free(&scratch);
    random_fabric(rig, rng);
    random_messages(rig, rng);
}

static void look(const struct net_rig *rig, uint64_t seed)
{
    struct net_totals sum = net_totals(rig->fabric);
    if (sum.injected_bytes != sum.delivered_bytes + sum.dropped_bytes + sum.inflight_bytes)
        fail_msg("seed %llu: %lld injected, %lld delivered, %lld dropped, %lld in flight",
                 (unsigned long long)seed, (long long)sum.injected_bytes,
                 (long long)sum.delivered_bytes, (long long)sum.dropped_bytes,
                 (long long)sum.inflight_bytes);
    for (int i = 0; i < rig->msg_n; i++)
        assert_true(rig->m[i].dones <= 1 && rig->m[i].sents <= 1);
}

static void net__all_bytes_accounted_at_any_time_each_message_once(void **state)
{
    (void)state;
    int lossy = 0, pausing = 0, marking = 0, underway = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng;
        struct net_rig *rig = &the_rig;
        open_random(rig, &rng, seed);
        for (int64_t i = 0, at_ps = 0; i < LOOKS; i++) {
            at_ps += 1 + (int64_t)rng_below(&rng, 3 * PS_PER_US);
            if (sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = at_ps}) == SIM_IDLE) break;
            look(rig, seed);
            underway += net_totals(rig->fabric).inflight_bytes > 0;
        }
        enum sim_stop stop = sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = PS_PER_S});
        if (stop != SIM_IDLE)
            fail_msg("seed %llu: %s, %s", (unsigned long long)seed, sim_stop_name(stop),
                     stuck_text(rig->fabric, &rig->arena));
        look(rig, seed);
        struct net_totals sum = net_totals(rig->fabric);
        assert_int_equal(sum.inflight_bytes, 0);
        for (int i = 0; i < rig->msg_n; i++) {
            if (rig->m[i].dones != 1)
                fail_msg("seed %llu message %d: %d times", (unsigned long long)seed, i,
                         rig->m[i].dones);
            assert_int_equal(rig->m[i].sents, rig->m[i].sent_ps >= 0);
            assert_true(rig->m[i].sent_ps <= rig->m[i].done_ps);
        }
        lossy += sum.drops > 0;
        pausing += sum.pauses > 0;
        marking += sum.marks > 0;
        net_rig_close(rig);
    }
    /* The law was put to the test in all ways. */
    assert_true(lossy > SEEDS / 20 && pausing > SEEDS / 10 && marking > SEEDS / 10);
    assert_true(underway > SEEDS);
}

/* Packets of a queue pair that all take one way cannot overtake each other. */
static void net__ecmp_keeps_the_order_of_a_queue_pair(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        struct rng rng = rng_stream(seed, "prop_net/order");
        net_rig_open(&the_rig, seed,
                     coin(&rng) ? "routing: {kind: ecmp}, delivery: in-order, "
                                  "pfc: {xoff: 50kB}"
                                : "routing: {kind: ecmp}, delivery: in-order, ecn: {kmin: 20kB}");
        random_fabric(&the_rig, &rng);
        random_messages(&the_rig, &rng);
        struct net_totals sum = net_rig_run(&the_rig);
        assert_int_equal(sum.drops, 0);
        assert_int_equal(sum.retransmitted, 0);
        assert_true(net_rig_metric(&the_rig, "out_of_order_packets") == 0);
        net_rig_close(&the_rig);
    }
}

static void net__same_again(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        uint64_t fingerprint[2];
        for (int i = 0; i < 2; i++) {
            struct rng rng;
            open_random(&the_rig, &rng, seed);
            sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = PS_PER_MS});
            fingerprint[i] = sim_fingerprint(the_rig.sim);
            net_rig_close(&the_rig);
        }
        assert_true(fingerprint[0] == fingerprint[1]);
        assert_true(fingerprint[0] != last);
        last = fingerprint[0];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net__all_bytes_accounted_at_any_time_each_message_once),
        cmocka_unit_test(net__ecmp_keeps_the_order_of_a_queue_pair),
        cmocka_unit_test(net__same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
