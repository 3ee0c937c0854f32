/* test_rdma_selective.c - selective repeat: what is sent again, when, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rdma_rig.h"

#define KEEPING "recovery: selective, delivery: in-order"
#define SPRAYED "recovery: selective, delivery: out-of-order"
#define WIRE (RDMA_RIG_MTU + FRAMING_ROCE_BYTES)
#define PACKETS 100

static struct rdma_rig the_rig;

/* Of the packets numbered in `lost` (a negative one ends them) each is lost `times` times. */
static const int *lost;
static int times;
static int lost_n[PACKETS + 1];
static int lose_these(struct rdma_rig *rig, struct packet *packet)
{
    (void)rig;
    if (packet->type != PACKET_DATA) return 0;
    for (const int *at = lost; *at >= 0; at++)
        if (packet->seq == (uint32_t)*at && lost_n[*at]++ < times) return -1;
    return 0;
}

static struct rdma_rig_msg *send_lossy(const char *body, const int *these, int how_often)
{
    lost = these;
    times = how_often;
    memset(lost_n, 0, sizeof lost_n);
    rdma_rig_open(&the_rig, body, 0);
    the_rig.pass = lose_these;
    struct rdma_rig_msg *m = rdma_rig_send(&the_rig, PACKETS * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    return m;
}

/* Without loss: store and forward over two links. */
static int64_t clean_ps(int packets)
{
    return ((packets + 1) * WIRE + 2 * 16) * RDMA_RIG_BYTE_PS + 2 * RDMA_RIG_DELAY_PS;
}

static void look__in_order_a_gap_is_a_loss(void **state)
{
    (void)state;
    static const int one[] = {40, -1}, several[] = {0, 7, 8, 9, 41, 98, -1};
    /* The repetitions fit in between: the message is longer by them, and nobody waits. */
    struct rdma_rig_msg *m = send_lossy(KEEPING, one, 1);
    assert_int_equal(the_rig.shared.retransmitted, 1);
    assert_int_equal(the_rig.shared.timeouts + the_rig.shared.duplicates, 0);
    assert_int_equal(rdma_rig_heard(&the_rig, CC_NACK, NULL), 1);
    /* The 16 bytes that the first packet is longer find room where the lost one is missing. */
    assert_int_equal(m->done_ps, clean_ps(PACKETS + 1) - 16 * RDMA_RIG_BYTE_PS);
    rdma_rig_close(&the_rig);
    m = send_lossy(KEEPING, several, 1);
    assert_int_equal(the_rig.shared.retransmitted, 6);
    assert_int_equal(the_rig.shared.timeouts + the_rig.shared.duplicates, 0);
    assert_true(m->done_ps < clean_ps(PACKETS + 1) + 2 * rdma_rig_rtt_ps());
    rdma_rig_close(&the_rig);
}

/* 20 losses within a window: the control hears of one recovery. */
static void look__one_notice_per_recovery(void **state)
{
    (void)state;
    static const int burst[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                12, 13, 14, 15, 16, 17, 18, 19, 20, -1};
    send_lossy(KEEPING, burst, 1);
    assert_int_equal(the_rig.shared.retransmitted, 20);
    assert_int_equal(rdma_rig_heard(&the_rig, CC_NACK, NULL), 1);
    rdma_rig_close(&the_rig);
}

/* A repetition that is lost is found by what was sent after it. The message goes on long enough. */
static void look__lost_repetitions(void **state)
{
    (void)state;
    static const int twice[] = {1, 3, -1};
    send_lossy(KEEPING ", retransmit: 100ms", twice, 2);
    assert_int_equal(the_rig.shared.retransmitted, 4);
    assert_int_equal(the_rig.shared.timeouts + the_rig.shared.duplicates, 0);
    rdma_rig_close(&the_rig);
}

/* The end of a message has nothing behind it: the timeout sends again what is missing, no more. */
static void timeout__only_what_is_missing(void **state)
{
    (void)state;
    static const int tail[] = {98, 99, -1};
    static const char *const bodies[] = {KEEPING ", retransmit: 100us",
                                         SPRAYED ", retransmit: 100us"};
    for (int i = 0; i < 2; i++) {
        send_lossy(bodies[i], tail, 1);
        assert_int_equal(the_rig.shared.timeouts, 1);
        assert_int_equal(the_rig.shared.retransmitted, 2);
        assert_int_equal(the_rig.shared.duplicates, 0);
        assert_int_equal(rdma_rig_heard(&the_rig, CC_TIMEOUT, NULL), 1);
        rdma_rig_close(&the_rig);
    }
}

/* One repetition under way tells of all that was sent before it. */
static void look__a_repetition_is_a_probe(void **state)
{
    (void)state;
    static const int tail[] = {97, 99, -1};
    static const char *const bodies[] = {KEEPING ", retransmit: 100ms",
                                         SPRAYED ", retransmit: 100ms"};
    for (int i = 0; i < 2; i++) {
        struct rdma_rig_msg *m = send_lossy(bodies[i], tail, 1);
        assert_int_equal(the_rig.shared.timeouts, 0);
        assert_int_equal(the_rig.shared.retransmitted, 2);
        assert_true(m->done_ps < clean_ps(PACKETS) + 5 * rdma_rig_rtt_ps());
        rdma_rig_close(&the_rig);
    }
}

/* ---- spraying -------------------------------------------------------------------------------- */

/* Near the end only time can tell: a round trip and the window after its sending. */
static void look__sprayed_waits_for_the_window(void **state)
{
    (void)state;
    static const int near_end[] = {97, -1};
    struct rdma_rig_msg *m = send_lossy(SPRAYED ", transport: {reorder_window: 3us}", near_end, 1);
    assert_int_equal(the_rig.shared.timeouts, 0);
    assert_int_equal(the_rig.shared.retransmitted, 1);
    int64_t sent_ps = (97 * WIRE + 16) * RDMA_RIG_BYTE_PS;
    int64_t again_ps = sent_ps + rdma_rig_rtt_ps() + 3 * PS_PER_US;
    int64_t way_ps = 2 * WIRE * RDMA_RIG_BYTE_PS + 2 * RDMA_RIG_DELAY_PS;
    assert_true(m->done_ps >= again_ps + way_ps - 100000);
    assert_true(m->done_ps <= again_ps + way_ps + 100000);
    rdma_rig_close(&the_rig);
}

static int spray(struct rdma_rig *rig, struct packet *packet)
{
    return packet->type == PACKET_DATA ? (int)rng_below(&rig->rng, RDMA_RIG_PATHS) : 0;
}

/* 3 x skew between the slowest and the fastest path. */
static void send_sprayed(const char *body, int64_t skew_ps)
{
    rdma_rig_open(&the_rig, body, skew_ps);
    the_rig.pass = spray;
    rdma_rig_send(&the_rig, 20 * PACKETS * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
}

static void look__reordering_is_no_loss(void **state)
{
    (void)state;
    send_sprayed(SPRAYED ", routing: {kind: ecmp}",
                 150000); /* 0.45 us, the window is a quarter of 2.2 us */
    assert_true(the_rig.shared.out_of_order > PACKETS);
    assert_int_equal(the_rig.shared.retransmitted, 0);
    rdma_rig_close(&the_rig);
    send_sprayed(SPRAYED ", transport: {reorder_window: 10us}", 3000000);
    assert_int_equal(the_rig.shared.retransmitted, 0);
    rdma_rig_close(&the_rig);
}

/* More reordering than the window at first: needless repetitions widen it, and then they end. A
 * window that is fixed goes on. */
static void raise_window__after_needless_repetitions(void **state)
{
    (void)state;
    send_sprayed(SPRAYED,
                 300000); /* 0.9 us: a fabric that sprays is known to need the round trip */
    assert_int_equal(the_rig.shared.retransmitted, 0);
    rdma_rig_close(&the_rig);
    send_sprayed(SPRAYED ", routing: {kind: ecmp}", 300000);
    int64_t adapted = the_rig.shared.duplicates;
    assert_true(adapted > 0 && adapted < 20 * PACKETS / 20);
    assert_int_equal(adapted, the_rig.shared.retransmitted);
    rdma_rig_close(&the_rig);
    send_sprayed(SPRAYED ", transport: {reorder_window: 550ns}", 300000);
    assert_true(the_rig.shared.duplicates > 4 * adapted);
    rdma_rig_close(&the_rig);
}

/* In-order paths that are sprayed after all: needless repetitions, but everything comes. */
static void look__in_order_is_a_promise(void **state)
{
    (void)state;
    send_sprayed(KEEPING, 300000);
    assert_true(the_rig.shared.duplicates > PACKETS);
    rdma_rig_close(&the_rig);
}

/* ---- window ---------------------------------------------------------------------------------- */

/* What is lost does not fill the window. */
static void acked__window_counts_what_is_under_way(void **state)
{
    (void)state;
    static const int all[] = {0, 1, 2, 3, -1};
    lost = all;
    times = 1;
    memset(lost_n, 0, sizeof lost_n);
    rdma_rig_open(&the_rig, KEEPING ", nic: {ack_every: 2}", 0);
    the_rig.pass = lose_these;
    the_rig.window_bytes = 6 * RDMA_RIG_MTU;
    rdma_rig_send(&the_rig, PACKETS * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    assert_int_equal(the_rig.shared.timeouts, 0);
    assert_int_equal(the_rig.shared.retransmitted, 4);
    rdma_rig_close(&the_rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look__in_order_a_gap_is_a_loss),
        cmocka_unit_test(look__one_notice_per_recovery),
        cmocka_unit_test(look__lost_repetitions),
        cmocka_unit_test(timeout__only_what_is_missing),
        cmocka_unit_test(look__a_repetition_is_a_probe),
        cmocka_unit_test(look__sprayed_waits_for_the_window),
        cmocka_unit_test(look__reordering_is_no_loss),
        cmocka_unit_test(raise_window__after_needless_repetitions),
        cmocka_unit_test(look__in_order_is_a_promise),
        cmocka_unit_test(acked__window_counts_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
