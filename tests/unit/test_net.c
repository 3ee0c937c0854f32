/* test_net.c - the packet fabric against times computed by hand, to the picosecond, and against the
 * bounds of the wire where many meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/flow/flow.h"
#include "tests/unit/net_rig.h"

#define FULL (NET_RIG_MTU + NET_RIG_FRAME)
#define QUIET "cc: {kind: none}, ecn: {on: false}"

static struct net_rig the_rig; /* too large for a stack */

/* ---- store and forward ----------------------------------------------------------------------- */

static const int64_t delays_ps[] = {500000, 1234567, 0, 77, 1000000, 3};

static int64_t sum_ps(int links)
{
    int64_t sum = 0;
    for (int i = 0; i < links; i++)
        sum += delays_ps[i];
    return sum;
}

/* (H + 1) ser + sum of delays. */
static void net_send__one_packet_over_h_switches(void **state)
{
    (void)state;
    static const int64_t sizes[] = {0, 1, 64, 1500, 4095, 4096};
    for (int h = 1; h <= 5; h++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            net_rig_open(&the_rig, 1, "");
            net_rig_chain(&the_rig, h, NET_RIG_400G, delays_ps);
            net_rig_wired(&the_rig);
            struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, sizes[i], 7);
            m->msg.sent = net_rig_on_sent;
            struct net_totals sum = net_rig_run(&the_rig);
            int64_t ser_ps = (sizes[i] + NET_RIG_FRAME + NET_RIG_RETH) * NET_RIG_BYTE_PS;
            assert_int_equal(m->done_ps, 7 + (h + 1) * ser_ps + sum_ps(h + 1));
            assert_int_equal(m->sent_ps, 7 + ser_ps);
            assert_int_equal(m->sents, 1);
            assert_int_equal(sum.data_hops, h + 1);
            assert_int_equal(sum.ack_hops, h + 1);
            assert_int_equal(sum.injected_bytes, ser_ps / NET_RIG_BYTE_PS);
            net_rig_close(&the_rig);
        }
    }
}

/* With confirm a message is done when its sender knows: one acknowledgement's way later. */
static void net_send__confirmed_by_the_last_acknowledgement(void **state)
{
    (void)state;
    for (int64_t packets = 1; packets <= 8; packets += 7) {
        net_rig_open(&the_rig, 1, QUIET);
        net_rig_chain(&the_rig, 2, NET_RIG_400G, delays_ps);
        net_rig_wired(&the_rig);
        struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, packets * NET_RIG_MTU, 0);
        m->msg.confirm = true;
        net_rig_run(&the_rig);
        int64_t bytes = (packets + 2) * FULL + 3 * NET_RIG_RETH + 3 * FRAMING_ROCE_ACK_BYTES;
        assert_int_equal(m->done_ps, bytes * NET_RIG_BYTE_PS + 2 * sum_ps(3));
        assert_int_equal(m->dones, 1);
        net_rig_close(&the_rig);
    }
}

/* Other headers than those of RoCEv2; telemetry only under a control that wants it. */
static void net_send__framing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "cc: {kind: none}, framing: {data: 48B, first: 3B, ack: 60B, telemetry: 42B}",
        "cc: {kind: hpcc}, routing: {kind: ecmp}, framing: {data: 48B, first: 3B, ack: 60B, "
        "telemetry: 42B}"};
    for (int i = 0; i < 2; i++) {
        net_rig_open(&the_rig, 1, bodies[i]);
        net_rig_chain(&the_rig, 1, NET_RIG_400G, delays_ps);
        net_rig_wired(&the_rig);
        struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 1000, 0);
        m->msg.confirm = true;
        struct net_totals sum = net_rig_run(&the_rig);
        assert_int_equal(sum.injected_bytes, 1051 + 42 * i);
        assert_int_equal(m->done_ps,
                         2 * (1051 + 60 + 2 * 42 * i) * NET_RIG_BYTE_PS + 2 * sum_ps(2));
        net_rig_close(&the_rig);
    }
}

/* Hosts 2 and 3 fill the queue to host 0 when the acknowledgement for it comes by. */
static int64_t ack_through_a_queue_ps(const char *acks)
{
    char body[100];
    snprintf(body, sizeof body, "%s, acks: %s", QUIET, acks);
    net_rig_open(&the_rig, 1, body);
    net_rig_star(&the_rig, 4, NET_RIG_400G, 1000);
    net_rig_wired(&the_rig);
    net_rig_send(&the_rig, (int[]){2, 0}, 10 * NET_RIG_MTU, 0);
    net_rig_send(&the_rig, (int[]){3, 0}, 10 * NET_RIG_MTU, 0);
    struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 8 * NET_RIG_MTU, 0);
    m->msg.confirm = true;
    struct net_totals sum = net_rig_run(&the_rig);
    assert_int_equal(sum.data_hops, 2 * 28);
    assert_int_equal(sum.ack_hops, 2 * 28);
    assert_int_equal(sum.inflight_bytes, 0);
    net_rig_close(&the_rig);
    return m->done_ps;
}

static void net_send__acks_ahead_of_data_or_with_it(void **state)
{
    (void)state;
    int64_t ahead_ps = ack_through_a_queue_ps("control"), with_ps = ack_through_a_queue_ps("data");
    assert_in_range(ahead_ps, 9 * FULL * NET_RIG_BYTE_PS, 11 * FULL * NET_RIG_BYTE_PS);
    assert_in_range(with_ps, 16 * FULL * NET_RIG_BYTE_PS, 20 * FULL * NET_RIG_BYTE_PS);
}

/* A queue of some 40 kB at 400 Gbit/s: above thresholds of 10 kB, below those of 10 kB per 40G. */
static void net_send__ecn_thresholds_in_proportion_to_the_rate(void **state)
{
    (void)state;
    static const char *const per[] = {"0bps", "400Gbps", "40Gbps"};
    for (int i = 0; i < 3; i++) {
        char body[100];
        snprintf(body, sizeof body, "cc: {kind: none}, ecn: {kmin: 10kB, kmax: 10kB, per: %s}",
                 per[i]);
        net_rig_open(&the_rig, 1, body);
        net_rig_star(&the_rig, 3, NET_RIG_400G, 1000);
        net_rig_wired(&the_rig);
        net_rig_send(&the_rig, (int[]){1, 0}, 10 * NET_RIG_MTU, 0);
        net_rig_send(&the_rig, (int[]){2, 0}, 10 * NET_RIG_MTU, 0);
        int64_t marks = net_rig_run(&the_rig).marks;
        assert_true(i < 2 ? marks > 10 : marks == 0);
        net_rig_close(&the_rig);
    }
}

/* Where marks are echoed, no CNPs are sent, and DCQCN slows down all the same. */
static void net_send__marks_echoed_in_acknowledgements(void **state)
{
    (void)state;
    static const char *const echo[] = {"cnp", "ack"};
    for (int i = 0; i < 2; i++) {
        char body[120];
        snprintf(body, sizeof body,
                 "cc: {kind: dcqcn}, ecn: {kmin: 10kB, kmax: 10kB, cnp_interval: 0s, echo: %s}",
                 echo[i]);
        net_rig_open(&the_rig, 1, body);
        net_rig_star(&the_rig, 3, NET_RIG_400G, 1000);
        net_rig_wired(&the_rig);
        struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){1, 0}, 1000 * NET_RIG_MTU, 0);
        net_rig_send(&the_rig, (int[]){2, 0}, 1000 * NET_RIG_MTU, 0);
        struct net_totals sum = net_rig_run(&the_rig);
        assert_true(sum.marks > 10);
        assert_true(i == 0 ? sum.ack_hops > sum.data_hops : sum.ack_hops == sum.data_hops);
        assert_true(m->done_ps > 2200 * (int64_t)FULL * NET_RIG_BYTE_PS);
        net_rig_close(&the_rig);
    }
}

/* Telemetry begins anew in packets that were used before: the second flow keeps to eta as well. */
static void net_send__telemetry_of_used_packets(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, "cc: {kind: hpcc, eta: 50%}, routing: {kind: ecmp}");
    net_rig_chain(&the_rig, 2, NET_RIG_400G, delays_ps);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 2; i++) {
        struct net_rig_msg *m =
            net_rig_send(&the_rig, (int[]){0, 1}, 2000 * NET_RIG_MTU, i * PS_PER_MS);
        m->msg.stream = (uint32_t)i;
    }
    net_rig_run(&the_rig);
    for (int i = 0; i < 2; i++) {
        int64_t took_ps = the_rig.m[i].done_ps - i * PS_PER_MS;
        assert_in_range(took_ps, 3600 * FULL * NET_RIG_BYTE_PS, 4400 * FULL * NET_RIG_BYTE_PS);
    }
    net_rig_close(&the_rig);
}

/* Rates at which a byte takes no whole number of ps: each hop is rounded up on its own. */
static void net_send__each_hop_rounds_up(void **state)
{
    (void)state;
    static const int64_t rates[] = {300000000000, 7000000000, 123456789, 999999999999};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        net_rig_open(&the_rig, 1, QUIET);
        net_rig_chain(&the_rig, 2, rates[i], delays_ps);
        net_rig_wired(&the_rig);
        struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 1000, 0);
        net_rig_run(&the_rig);
        assert_int_equal(m->done_ps, 3 * units_serialise_ps(1098, rates[i]) + sum_ps(3));
        net_rig_close(&the_rig);
    }
}

/* (M + H) ser(full), and 16 bytes once per link: the first packet is longer by them, and holds up
 * those behind it on each. */
static void net_send__m_packets_over_equal_links(void **state)
{
    (void)state;
    for (int h = 1; h <= 4; h++) {
        for (int64_t packets = 1; packets <= 300; packets = packets * 7 + 1) {
            net_rig_open(&the_rig, 1, "");
            net_rig_chain(&the_rig, h, NET_RIG_400G, delays_ps);
            net_rig_wired(&the_rig);
            struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, packets * NET_RIG_MTU, 0);
            struct net_totals sum = net_rig_run(&the_rig);
            int64_t bytes = (packets + h) * FULL + (h + 1) * NET_RIG_RETH;
            assert_int_equal(m->done_ps, bytes * NET_RIG_BYTE_PS + sum_ps(h + 1));
            assert_int_equal(sum.data_hops, packets * (h + 1));
            assert_int_equal(sum.drops + sum.marks + sum.timeouts + sum.pauses, 0);
            net_rig_close(&the_rig);
        }
    }
}

static void net_send__messages_of_a_stream_follow_each_other(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, "");
    net_rig_chain(&the_rig, 1, NET_RIG_400G, delays_ps);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 3; i++)
        net_rig_send(&the_rig, (int[]){0, 1}, 100, 0);
    net_rig_run(&the_rig);
    for (int i = 0; i < 3; i++)
        assert_int_equal(the_rig.m[i].done_ps, (i + 2) * 198 * NET_RIG_BYTE_PS + sum_ps(2));
    net_rig_close(&the_rig);
}

/* 4096 of 4178 bytes are payload: 392.15 Gbit/s of 400. */
static void net_send__goodput_of_a_long_message(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", QUIET, "delivery: in-order, routing: {kind: ecmp}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        net_rig_open(&the_rig, 1, bodies[i]);
        net_rig_star(&the_rig, 2, NET_RIG_400G, 500000);
        net_rig_wired(&the_rig);
        struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, 20000000, 0);
        net_rig_run(&the_rig);
        double gbps = (double)m->msg.bytes * 8 / ((double)(m->done_ps - 1000000) / 1000);
        assert_true(gbps > 392.15 * 0.999 && gbps < 392.15 * 1.001);
        net_rig_close(&the_rig);
    }
}

/* ---- many to one ----------------------------------------------------------------------------- */

static void net_send__two_share_a_port_evenly(void **state)
{
    (void)state;
    const int64_t bytes = 4096000;
    net_rig_open(&the_rig, 1, QUIET);
    net_rig_star(&the_rig, 3, NET_RIG_400G, 500000);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 2; i++)
        net_rig_send(&the_rig, (int[]){i, 2}, bytes, 0);
    net_rig_run(&the_rig);
    int64_t a_ps = the_rig.m[0].done_ps, b_ps = the_rig.m[1].done_ps;
    int64_t apart_ps = a_ps > b_ps ? a_ps - b_ps : b_ps - a_ps;
    int64_t last_ps = a_ps > b_ps ? a_ps : b_ps;
    /* The shared port sends from the arrival of the first packet on, without a gap. */
    int64_t first_ps = 2 * 500000 + (FULL + NET_RIG_RETH) * NET_RIG_BYTE_PS;
    assert_int_equal(last_ps, first_ps + 2 * net_rig_wire_bytes(bytes) * NET_RIG_BYTE_PS);
    assert_true(apart_ps <= 2 * FULL * NET_RIG_BYTE_PS);
    net_rig_close(&the_rig);
}

/* incast: 16 hosts send to one at once; the end against the bound of its port, in 1/1000. */
static struct net_totals incast(const char *body, int64_t bytes, double *over)
{
    net_rig_open(&the_rig, 1, body);
    net_rig_star(&the_rig, 17, NET_RIG_400G, 500000);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 16; i++)
        net_rig_send(&the_rig, (int[]){i, 16}, bytes, 0);
    struct net_totals sum = net_rig_run(&the_rig);
    int64_t last_ps = 0;
    for (int i = 0; i < 16; i++)
        if (the_rig.m[i].done_ps > last_ps) last_ps = the_rig.m[i].done_ps;
    int64_t bound_ps = 16 * net_rig_wire_bytes(bytes) * NET_RIG_BYTE_PS + 1000000;
    assert_true(last_ps >= bound_ps);
    *over = (double)last_ps / (double)bound_ps;
    return sum;
}

static void net_send__incast_with_pfc_is_lossless(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t xoff;
    } cases[] = {{QUIET ", pfc: {xoff: 40kB}", 40000},
                 {QUIET ", pfc: {xoff: 100kB, xon: 90kB}", 100000},
                 {QUIET ", pfc: {xoff: 100kB}, delivery: in-order", 100000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double over;
        struct net_totals sum = incast(cases[i].text, 1000000, &over);
        assert_int_equal(sum.drops, 0);
        assert_int_equal(sum.timeouts, 0);
        assert_int_equal(sum.retransmitted, 0);
        assert_true(sum.pauses > 0);
        assert_true(over < 1.01);
        /* headroom: the cable both ways, two frames, 100 ns of response, the pause frame */
        int64_t headroom = 2 * 25000 + 1 + 2 * (NET_RIG_MTU + 98) + 5000 + 64;
        assert_true(sum.ingress_max_bytes > cases[i].xoff);
        assert_true(sum.ingress_max_bytes <= cases[i].xoff + headroom);
        assert_in_range(sum.headroom_max_bytes, 1, headroom);
        net_rig_close(&the_rig);
    }
}

static void net_send__incast_with_dcqcn_marks(void **state)
{
    (void)state;
    double over;
    struct net_totals sum = incast("pfc: {xoff: 200kB}", 1000000, &over);
    assert_int_equal(sum.drops, 0);
    assert_int_equal(sum.timeouts, 0);
    assert_true(sum.marks > 0);
    assert_true(net_rig_metric(&the_rig, "cnps") > 0);
    net_rig_close(&the_rig);
}

static void net_send__too_little_headroom_drops_and_recovers(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        QUIET ", pfc: {xoff: 40kB, headroom: 20kB}, retransmit: 100us",
        QUIET ", pfc: {xoff: 40kB, headroom: 20kB}, retransmit: 100us, delivery: in-order",
        QUIET ", pfc: {on: false}, buffer: 300kB, retransmit: 100us",
        QUIET ", pfc: {on: false}, buffer: 300kB, retransmit: 100us, delivery: in-order"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        double over;
        struct net_totals sum = incast(bodies[i], 300000, &over);
        assert_true(sum.drops > 0);
        assert_true(sum.retransmitted > 0);
        assert_true(sum.delivered_bytes >= 16 * net_rig_wire_bytes(300000));
        net_rig_close(&the_rig);
    }
}

/* Packets overtake each other and are placed as they come: nobody asks for them again. */
static void net_send__sprayed_packets_may_overtake(void **state)
{
    (void)state;
    const struct net_rig_shape shape = {.leaves = 2,
                                        .hosts = 4,
                                        .spines = 4,
                                        .host_bps = NET_RIG_400G,
                                        .spine_bps = NET_RIG_400G,
                                        .delay_ps = 500000};
    net_rig_open(&the_rig, 1, QUIET);
    net_rig_leaf_spine(&the_rig, &shape);
    net_rig_wired(&the_rig);
    for (int i = 0; i < 4; i++)
        net_rig_send(&the_rig, (int[]){i, 4 + i}, 2000000, 0);
    struct net_totals sum = net_rig_run(&the_rig);
    assert_true(net_rig_metric(&the_rig, "out_of_order_packets") > 0);
    assert_int_equal(sum.drops + sum.timeouts + sum.retransmitted, 0);
    net_rig_close(&the_rig);
}

/* Two queue pairs of one port take turns: a short message does not wait for a long one. */
static void net_send__queue_pairs_of_a_port_take_turns(void **state)
{
    (void)state;
    net_rig_open(&the_rig, 1, QUIET);
    net_rig_star(&the_rig, 3, NET_RIG_400G, 500000);
    net_rig_wired(&the_rig);
    net_rig_send(&the_rig, (int[]){0, 1}, 4096000, 0);
    struct net_rig_msg *brief = net_rig_send(&the_rig, (int[]){0, 2}, 409600, 0);
    net_rig_run(&the_rig);
    int64_t alone_ps = net_rig_wire_bytes(409600) * NET_RIG_BYTE_PS;
    assert_true(brief->done_ps > 2 * alone_ps - FULL * NET_RIG_BYTE_PS);
    assert_true(brief->done_ps < 2 * alone_ps + 1000000 + 3 * FULL * NET_RIG_BYTE_PS);
    net_rig_close(&the_rig);
}

/* ---- beside the flow fabric ------------------------------------------------------------------ */

/* The same messages on both fabrics, long enough to share: three to one, and three beside. */
static void net_send__agrees_with_the_flow_fabric(void **state)
{
    (void)state;
    static const int pairs[][2] = {{0, 5}, {1, 5}, {2, 5}, {3, 4}, {4, 0}, {5, 1}};
    static const int64_t sizes[] = {8000000, 8000000, 8000000, 8000000, 4000000, 2000000};
    static int64_t done_ps[2][6];
    for (int flow = 0; flow < 2; flow++) {
        net_rig_open(&the_rig, 1, QUIET);
        net_rig_star(&the_rig, 6, NET_RIG_400G, 500000);
        if (flow) {
            the_rig.fabric = flow_new(the_rig.sim, &the_rig.graph);
        } else {
            net_rig_wired(&the_rig);
        }
        for (int i = 0; i < 6; i++)
            net_rig_send(&the_rig, pairs[i], sizes[i], 0);
        assert_int_equal(sim_run(the_rig.sim, &(struct sim_limits){0}), SIM_IDLE);
        for (int i = 0; i < the_rig.msg_n; i++)
            done_ps[flow][i] = the_rig.m[i].done_ps;
        net_rig_close(&the_rig);
    }
    for (int i = 0; i < 6; i++) {
        double ratio = (double)done_ps[0][i] / (double)done_ps[1][i];
        if (!(ratio > 0.97 && ratio < 1.03)) fail_msg("message %d: %.4f", i, ratio);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_send__one_packet_over_h_switches),
        cmocka_unit_test(net_send__confirmed_by_the_last_acknowledgement),
        cmocka_unit_test(net_send__framing),
        cmocka_unit_test(net_send__acks_ahead_of_data_or_with_it),
        cmocka_unit_test(net_send__ecn_thresholds_in_proportion_to_the_rate),
        cmocka_unit_test(net_send__marks_echoed_in_acknowledgements),
        cmocka_unit_test(net_send__telemetry_of_used_packets),
        cmocka_unit_test(net_send__each_hop_rounds_up),
        cmocka_unit_test(net_send__m_packets_over_equal_links),
        cmocka_unit_test(net_send__messages_of_a_stream_follow_each_other),
        cmocka_unit_test(net_send__goodput_of_a_long_message),
        cmocka_unit_test(net_send__two_share_a_port_evenly),
        cmocka_unit_test(net_send__incast_with_pfc_is_lossless),
        cmocka_unit_test(net_send__incast_with_dcqcn_marks),
        cmocka_unit_test(net_send__too_little_headroom_drops_and_recovers),
        cmocka_unit_test(net_send__sprayed_packets_may_overtake),
        cmocka_unit_test(net_send__queue_pairs_of_a_port_take_turns),
        cmocka_unit_test(net_send__agrees_with_the_flow_fabric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
