/* prop_ecmp.c - what hashing flows onto links costs, and spraying does not: against closed forms
 * and water-filling (fabric.md 4.4 and 9).
 *
 * Paths are walked with the routes and the ECMP rule that the switches use, their max-min rates
 * come from the solver of the flow fabric (sim/app/validation_ecmp.c). One stage as packets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/app/validation_ecmp.h"
#include "tests/unit/net_rig.h"
#include "tests/unit/rig.h"

static void check_within(const char *what, double got, double expected, double most)
{
    print_message("%-46s %.4f, expected %.4f (%+.4f)\n", what, got, expected, got - expected);
    assert_true(got >= expected - most && got <= expected + most);
}

/* ---- paths and water-filling ----------------------------------------------------------------- */

static double one_stage(int64_t n, int64_t permutations)
{
    const struct validation_ecmp ecmp = {
        .leaves = 2, .hosts = n, .spines = n, .links = 1, .pairs = 1, .permutations = permutations};
    return validation_ecmp_rate(&ecmp);
}

/* 16 leaves of 64 hosts, 8 spines, 8 parallel cables of leaf and spine. */
static double two_stages(int64_t pairs, int64_t permutations)
{
    const struct validation_ecmp ecmp = {.leaves = 16,
                                         .hosts = 64,
                                         .spines = 8,
                                         .links = 8,
                                         .pairs = pairs,
                                         .permutations = permutations};
    return validation_ecmp_rate(&ecmp);
}

/* Of two leaves only one stage hashes: what goes down goes where it went up. 1 - (1 - 1/n)^n. */
static void ecmp__one_stage_leaves_links_idle(void **state)
{
    (void)state;
    check_within("1 stage, 8 links", one_stage(8, 8000), 0.6564, 0.0065);
    check_within("1 stage, 16 links", one_stage(16, 2000), 0.6439, 0.0064);
    check_within("1 stage, 64 links", one_stage(64, 200), 0.6350, 0.0063);
}

static void ecmp__two_stages_and_queue_pairs(void **state)
{
    (void)state;
    check_within("2 stages, 1 queue pair", two_stages(1, 6), 0.502, 0.02);
    check_within("2 stages, 4 queue pairs", two_stages(4, 4), 0.805, 0.02);
    check_within("2 stages, 16 queue pairs", two_stages(16, 2), 0.95, 0.02);
}

/* ---- packets --------------------------------------------------------------------------------- */

#define LINKS 16
#define ROUNDS 3200
#define PACKETS 24 /* of a flow */

static struct net_rig the_rig; /* too large for a stack */

/* LINKS hosts of one leaf send to those of the other, all at once, ROUNDS times with new queue
 * pairs. k flows on a link all take k times as long as one alone, but for a packet: their rates 1/k
 * add up to the number of links that are used. */
static double packet_rounds(const char *body)
{
    const struct net_rig_shape shape = {.leaves = 2,
                                        .hosts = LINKS,
                                        .spines = LINKS,
                                        .host_bps = NET_RIG_400G,
                                        .spine_bps = NET_RIG_400G,
                                        .delay_ps = 500000};
    const int64_t bytes = PACKETS * NET_RIG_MTU;
    const double wire_ps = (double)(net_rig_wire_bytes(bytes) * NET_RIG_BYTE_PS);
    const double path_ps = 4 * 500000 + 3 * (NET_RIG_MTU + NET_RIG_FRAME) * NET_RIG_BYTE_PS;
    double sum = 0;
    net_rig_open(&the_rig, 1, body);
    net_rig_leaf_spine(&the_rig, &shape);
    net_rig_wired(&the_rig);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        int64_t start_ps = sim_now_ps(the_rig.sim) + 1;
        the_rig.msg_n = 0;
        for (int i = 0; i < LINKS; i++)
            net_rig_send(&the_rig, (int[]){i, LINKS + i}, bytes, start_ps)->msg.stream = round;
        assert_int_equal(net_rig_run(&the_rig).drops, 0);
        for (int i = 0; i < LINKS; i++)
            sum += 1 / nearbyint(((double)(the_rig.m[i].done_ps - start_ps) - path_ps) / wire_ps);
    }
    net_rig_close(&the_rig);
    return sum / ROUNDS / LINKS;
}

static void packets__ecmp_leaves_links_idle(void **state)
{
    (void)state;
    check_within("packets, 1 stage, 16 links",
                 packet_rounds("routing: {kind: ecmp}, cc: {kind: none}, retransmit: 300us"),
                 0.6439, 0.0064);
}

/* Each packet takes another link: what is left of the line is queueing at the end of a flow. */
static void packets__spray_uses_all(void **state)
{
    (void)state;
    static const char *const rules[] = {"spray", "adaptive"};
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        struct job job;
        char topology[300];
        snprintf(topology, sizeof topology,
                 "node: {gpus: 1}\n"
                 "fabric: {kind: leaf-spine, leaves: 4, hosts_per_leaf: 8, spines: 8, link_delay: "
                 "500ns, switch_latency: 0ns}\n"
                 "network: {model: packet, cc: {kind: none}, routing: {kind: %s}}\n"
                 "storage: {client: {kind: local}}\n",
                 rules[r]);
        job_run(&job, topology, "{kind: flows, pattern: permutation, between: leaves, size: 40MB}",
                NULL);
        double line = job_metric(&job, "flows", "goodput_mean") / 392.15e9;
        print_message("sprayed permutation, %s: %.4f of the line\n", rules[r], line);
        assert_true(line >= 0.95 && line < 1);
        job_free(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecmp__one_stage_leaves_links_idle),
        cmocka_unit_test(ecmp__two_stages_and_queue_pairs),
        cmocka_unit_test(packets__ecmp_leaves_links_idle),
        cmocka_unit_test(packets__spray_uses_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
