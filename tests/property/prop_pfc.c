/* prop_pfc.c - losslessness: how much headroom is exactly enough, what an incast takes, whom pauses
 * hit that did nothing, and that end-to-end control takes the harm away.
 *
 * A packet that crosses the threshold at a moment t makes the switch pause its neighbour. The pause
 * frame waits w for what the port is sending, takes p = 84 B, the cable d, and the response r; each
 * packet of F bytes that starts until then still comes. With s = F / rate
 *     need = F (2 + floor((w + p + 2 d + r) / s)) <= 3 F + 84 B + (2 d + r) rate,   w <= s.
 * The shipped examples are run as they are; the victim flow is in tests/validation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/property/example.h"
#include "tests/unit/net_rig.h"

static struct net_rig the_rig; /* too large for a stack */

/* ---- headroom -------------------------------------------------------------------------------- */

#define FRAME (NET_RIG_MTU + NET_RIG_FRAME)
#define FRAME_PS (FRAME * NET_RIG_BYTE_PS)
#define PAUSE_PS (84 * NET_RIG_BYTE_PS)
#define RESPONSE_PS 100000
#define XOFF 50000

/* struct squeeze: host 0 sends into a switch that lets almost nothing out. One frame from host 2
 * occupies the port to host 0 since since_ps before the pause (-1: the port is idle); host 0 will
 * acknowledge it, which holds its data up by an ACK. */
struct squeeze {
    int64_t delay_ps, since_ps;
};
#define BLOCK_PS ((FRAME + NET_RIG_RETH) * NET_RIG_BYTE_PS)
#define ACK 86

/* When the packet that is one too many has arrived: the first one has gone on, the next 11 fit. */
static int64_t pause_at_ps(const struct squeeze *squeeze)
{
    int64_t n = 1 + XOFF / FRAME + 1;
    return PS_PER_US + (n * FRAME + NET_RIG_RETH) * NET_RIG_BYTE_PS + squeeze->delay_ps;
}

static int64_t drops(const struct squeeze *squeeze, int64_t headroom_bytes)
{
    struct arena scratch = {0};
    net_rig_open(&the_rig, 1,
                 arena_printf(&scratch,
                              "cc: {kind: none}, ecn: {on: false}, pfc: {xoff: %dB, xon: 10kB, "
                              "response: %dps, headroom: %lldB}",
                              XOFF, RESPONSE_PS, (long long)headroom_bytes));
    arena_free(&scratch);
    int32_t sw = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    net_rig_host(&the_rig, sw, NET_RIG_400G, squeeze->delay_ps);
    net_rig_host(&the_rig, sw, 1000000000, 0);
    net_rig_host(&the_rig, sw, NET_RIG_400G, 0);
    net_rig_wired(&the_rig);
    net_rig_send(&the_rig, (int[]){0, 1}, 60 * NET_RIG_MTU, PS_PER_US);
    if (squeeze->since_ps >= 0)
        net_rig_send(&the_rig, (int[]){2, 0}, NET_RIG_MTU,
                     pause_at_ps(squeeze) - squeeze->since_ps - BLOCK_PS);
    int64_t n = net_rig_run(&the_rig).drops;
    net_rig_close(&the_rig);
    return n;
}

/* The least headroom without a drop. */
static int64_t find_need(const struct squeeze *squeeze)
{
    int64_t low = 1, high = 400000; /* drops, does not */
    assert_true(drops(squeeze, low) > 0 && drops(squeeze, high) == 0);
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        *(drops(squeeze, middle) ? &low : &high) = middle;
    }
    return high;
}

/* need of the head comment. */
static int64_t formula(const struct squeeze *squeeze)
{
    int64_t time_ps = PAUSE_PS + 2 * squeeze->delay_ps + RESPONSE_PS;
    if (squeeze->since_ps >= 0) time_ps += BLOCK_PS - squeeze->since_ps - ACK * NET_RIG_BYTE_PS;
    return FRAME * (2 + time_ps / FRAME_PS);
}

static void headroom__need_is_exact_to_the_byte(void **state)
{
    (void)state;
    static const int64_t delays_ps[] = {0, 123457, 500000, 987654};
    for (size_t d = 0; d < sizeof delays_ps / sizeof delays_ps[0]; d++)
        for (int64_t since_ps = -1; since_ps < BLOCK_PS; since_ps += 12000) {
            struct squeeze squeeze = {delays_ps[d], since_ps};
            int64_t need = formula(&squeeze);
            if (drops(&squeeze, need) != 0 || drops(&squeeze, need - 1) == 0)
                fail_msg("delay %lld, frame since %lld: not %lld but %lld", (long long)delays_ps[d],
                         (long long)since_ps, (long long)need, (long long)find_need(&squeeze));
        }
    const struct squeeze found = {500000, 3};
    assert_int_equal(find_need(&found), formula(&found));
}

/* Where frames fit just so, the bound is what is needed, but for the ACK: nothing less is safe. The
 * cable makes what follows the pause a whole number of frames, for a frame that began just now. */
static void headroom__bound_is_met(void **state)
{
    (void)state;
    struct squeeze squeeze = {.since_ps = 2};
    int64_t rest_ps = BLOCK_PS - 2 - ACK * NET_RIG_BYTE_PS + PAUSE_PS + RESPONSE_PS;
    squeeze.delay_ps = (12 * FRAME_PS - rest_ps) / 2;
    int64_t bound = 3 * FRAME + NET_RIG_RETH + 84 +
                    units_carried_bytes(NET_RIG_400G, 2 * squeeze.delay_ps + RESPONSE_PS);
    assert_int_equal(find_need(&squeeze), bound - ACK);
}

/* 20 acknowledgements come to the port just before the pause frame, from hosts at distances such
 * that all arrive at once. It must go before them: with a cable for which the bound leaves less
 * than they take to spare, waiting for them costs a packet. */
static void pause__does_not_wait_for_acknowledgements(void **state)
{
    (void)state;
    enum { ACKS = 20, FAR_PS = 3 * 1000000 };
    const struct squeeze squeeze = {.delay_ps = 323680};
    for (int64_t since_ps = 0; since_ps < BLOCK_PS; since_ps += 1000) {
        net_rig_open(&the_rig, 1,
                     "cc: {kind: none}, ecn: {on: false}, pfc: {xoff: 50000B, xon: 10kB, response: "
                     "100ns}");
        int32_t sw = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
        net_rig_host(&the_rig, sw, NET_RIG_400G, squeeze.delay_ps);
        net_rig_host(&the_rig, sw, 1000000000, 0);
        net_rig_host(&the_rig, sw, NET_RIG_400G, 0);
        for (int i = 0; i < ACKS; i++)
            net_rig_host(&the_rig, sw, NET_RIG_400G, FAR_PS - i * BLOCK_PS / 2);
        net_rig_wired(&the_rig);
        const int64_t later_ps = 20 * PS_PER_US, pause_ps = pause_at_ps(&squeeze) + later_ps;
        net_rig_send(&the_rig, (int[]){0, 1}, 60 * NET_RIG_MTU, PS_PER_US + later_ps);
        net_rig_send(&the_rig, (int[]){2, 0}, 40 * NET_RIG_MTU, pause_ps - since_ps - 8 * FRAME_PS);
        for (int i = 0; i < ACKS; i++) /* there, stored once, and back */
            net_rig_send(&the_rig, (int[]){0, 3 + i}, NET_RIG_MTU,
                         pause_ps - 200 - 2 * BLOCK_PS - squeeze.delay_ps - 2 * FAR_PS -
                             ACK * NET_RIG_BYTE_PS + i * BLOCK_PS);
        assert_int_equal(net_rig_run(&the_rig).drops, 0);
        net_rig_close(&the_rig);
    }
}

/* What the switch takes when it is left to it. */
static void headroom__default_never_drops(void **state)
{
    (void)state;
    for (int64_t delay_ps = 0; delay_ps < PS_PER_US; delay_ps += 43211)
        for (int64_t since_ps = -1; since_ps < BLOCK_PS; since_ps += 9000) {
            struct squeeze squeeze = {delay_ps, since_ps};
            assert_int_equal(drops(&squeeze, 0), 0);
        }
}

/* ---- shipped examples ------------------------------------------------------------------------ */

#define LEAF_SPINE "topologies/leaf-spine-128.yaml"
#define PACKETS "network.model=packet"
#define PFC_ONLY PACKETS, "network.cc.kind=none", "network.ecn.on=false"
#define DCQCN "network.cc.kind=dcqcn", "network.cc.profile=paper"

/* 64 MB through one port, and 2.25 us of path: four cables and three frames stored. With the
 * threshold out of reach, and where pauses hold everything back. */
static void incast__wire_bound_without_loss(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        int64_t xoff_bytes; /* 0: no pauses */
    } cases[] = {{"network.pfc.xoff=1GB", 0},
                 {"network.pfc.xoff=1MB", 1000000},
                 {"network.pfc.xoff=100kB", 100000}};
    const int64_t need_bytes =
        3 * (FRAME + NET_RIG_RETH) + 84 + units_carried_bytes(NET_RIG_400G, 2 * 500000 + 100000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct example example = {LEAF_SPINE, "workloads/incast.yaml", {PFC_ONLY, cases[i].set}};
        struct record record;
        example_run(&example, &record);
        example_near("incast 64 x 1 MB, us", example_metric(&record, "run", "makespan_s") * 1e6,
                     1305.6 + 2.25, 0.01);
        double held = example_metric(&record, "network", "ingress_max_bytes");
        print_message("  pauses %.0f, an ingress port held at most %.0f bytes\n",
                      example_metric(&record, "network", "pauses"), held);
        assert_true(example_metric(&record, "network", "drops") == 0);
        assert_true((example_metric(&record, "network", "pauses") > 0) ==
                    (cases[i].xoff_bytes > 0));
        if (cases[i].xoff_bytes) assert_true(held <= (double)(cases[i].xoff_bytes + need_bytes));
        record_free(&record);
    }
}

static void permutation__sprayed_median(void **state)
{
    (void)state;
    struct example example = {LEAF_SPINE, "workloads/permutation.yaml", {PACKETS}};
    struct record record;
    example_run(&example, &record);
    double median_us = example_metric(&record, "flows", "fct_p50") * 1e6;
    print_message("sprayed permutation of 10 MB: median %.1f us\n", median_us);
    assert_true(median_us > 10e6 * 8 / 392.15e3 && median_us <= 230);
    record_free(&record);
}

#define FAIR_GBPS (40.0 * 1024 / (1024 + NET_RIG_FRAME) / 3) /* of three flows at a port */

/* Zhu et al., figures 3 and 8: the local sender gets twice as much; with DCQCN all get the same. */
static void unfairness__two_to_one_until_dcqcn(void **state)
{
    (void)state;
    struct example example = {
        "topologies/pfc-unfairness.yaml", "workloads/pfc-unfairness.yaml", {PACKETS}};
    struct record record;
    example_run(&example, &record);
    double least = example_metric(&record, "flows", "goodput_min");
    example_near("PFC alone, local to remote",
                 example_metric(&record, "flows", "goodput_max") / least, 2, 0.001);
    example_near("  a remote flow, Gb/s", least / 1e9, FAIR_GBPS * 3 / 4, 0.01);
    record_free(&record);
    example = (struct example){
        "topologies/pfc-unfairness.yaml", "workloads/pfc-unfairness.yaml", {PACKETS, DCQCN}};
    example_run(&example, &record);
    example_near("DCQCN, a remote flow, Gb/s",
                 example_metric(&record, "flows", "goodput_min") / 1e9, FAIR_GBPS, 0.05);
    assert_true(example_metric(&record, "network", "pauses") == 0);
    record_free(&record);
}

/* 1 GB instead of 50: the same rates. Pauses take half of what the bystander could have. */
static void slide__bystander_suffers_without_control(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        double bystander_gbps;
    } cases[] = {{"network.cc.kind=none", 196.1},
                 {"network.cc.kind=rtt_probe", 392.15},
                 {"network.cc.kind=dcqcn", 392.15}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct example example = {
            "topologies/slide-congestion-control.yaml",
            "workloads/slide-congestion-control.yaml",
            {PACKETS, "workload.file=tests/property/slide-1GB.flow", cases[i].set}};
        struct record record;
        example_run(&example, &record);
        print_message("%s\n", cases[i].set);
        example_near("  bystander, Gb/s", example_metric(&record, "flows", "goodput_max") / 1e9,
                     cases[i].bystander_gbps, 0.02);
        example_near("  the two senders, Gb/s",
                     example_metric(&record, "flows", "goodput_min") / 1e9, 196.1, 0.05);
        assert_true(example_metric(&record, "network", "drops") == 0);
        record_free(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headroom__need_is_exact_to_the_byte),
        cmocka_unit_test(headroom__bound_is_met),
        cmocka_unit_test(pause__does_not_wait_for_acknowledgements),
        cmocka_unit_test(headroom__default_never_drops),
        cmocka_unit_test(incast__wire_bound_without_loss),
        cmocka_unit_test(permutation__sprayed_median),
        cmocka_unit_test(unfairness__two_to_one_until_dcqcn),
        cmocka_unit_test(slide__bystander_suffers_without_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
