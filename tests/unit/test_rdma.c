/* test_rdma.c - the transport between two NICs: what acknowledgements count and when they are sent,
 * classes, going back, and queue pairs that make room for others.
 *
 * Selective repeat: test_rdma_selective.c. Random loss: prop_rdma.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rdma_rig.h"

static struct rdma_rig the_rig;

/* ---- what an acknowledgement counts ---------------------------------------------------------- */

static int packets_of(int64_t bytes)
{
    return bytes ? (int)((bytes + RDMA_RIG_MTU - 1) / RDMA_RIG_MTU) : 1;
}

/* Bytes of payload, also of packets that are not full, under every kind of repetition. */
static void rdma_answer__counts_payload(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "delivery: in-order", "recovery: selective",
                                         "nic: {ack_every: 3}",
                                         "nic: {ack_every: 3}, recovery: selective"};
    static const int64_t sizes[] = {0, 1, 4095, 4096, 4097, 10000, 100000};
    for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            int64_t bytes;
            rdma_rig_open(&the_rig, bodies[b], 0);
            rdma_rig_send(&the_rig, sizes[i], 0);
            rdma_rig_run(&the_rig);
            assert_int_equal(the_rig.answered, packets_of(sizes[i]));
            rdma_rig_heard(&the_rig, CC_ACK, &bytes);
            assert_int_equal(bytes, sizes[i]);
            assert_int_equal(the_rig.log[the_rig.log_n - 1].acked_off, sizes[i]);
            rdma_rig_close(&the_rig);
        }
    }
}

static int check_class(struct rdma_rig *rig, struct packet *packet)
{
    int wanted = packet->type == PACKET_DATA ? 5 : 0;
    assert_int_equal(packet->flags >> PACKET_CLASS_SHIFT, wanted);
    rig->step++;
    return 0;
}

static void rdma_make__carries_the_class(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "", 0);
    the_rig.pass = check_class;
    rdma_rig_send(&the_rig, 20000, 0)->msg.traffic_class = 5;
    rdma_rig_run(&the_rig);
    assert_int_equal(the_rig.step, 10);
    rdma_rig_close(&the_rig);
}

/* ---- coalescing ------------------------------------------------------------------------------ */

static void acknowledge__every_nth_and_the_last(void **state)
{
    (void)state;
    static const struct {
        int every, packets, acks;
    } cases[] = {{1, 20, 20}, {2, 20, 10}, {8, 20, 3}, {8, 16, 2}, {15, 3, 1}, {15, 31, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[64];
        snprintf(body, sizeof body, "nic: {ack_every: %d}", cases[i].every);
        rdma_rig_open(&the_rig, body, 0);
        rdma_rig_send(&the_rig, cases[i].packets * RDMA_RIG_MTU, 0);
        rdma_rig_run(&the_rig);
        assert_int_equal(the_rig.acks, cases[i].acks);
        assert_int_equal(rdma_rig_heard(&the_rig, CC_ACK, NULL), cases[i].acks);
        assert_int_equal(the_rig.log[1].acked_bytes,
                         (cases[i].every < cases[i].packets ? cases[i].every : cases[i].packets) *
                             RDMA_RIG_MTU);
        rdma_rig_close(&the_rig);
    }
}

static int mark_fifth(struct rdma_rig *rig, struct packet *packet)
{
    (void)rig;
    if (packet->type == PACKET_DATA && packet->seq == 5) packet->flags |= PACKET_MARKED;
    return 0;
}

/* 8 packets: 0 to 4 wait, 5 is marked: the five are acknowledged without a mark, it with one. */
static void acknowledge__mark_counts_its_own_bytes(void **state)
{
    (void)state;
    static const char *const bodies[] = {"nic: {ack_every: 8}",
                                         "nic: {ack_every: 8}, recovery: selective"};
    for (int i = 0; i < 2; i++) {
        rdma_rig_open(&the_rig, bodies[i], 0);
        the_rig.pass = mark_fifth;
        rdma_rig_send(&the_rig, 8 * RDMA_RIG_MTU, 0);
        rdma_rig_run(&the_rig);
        assert_int_equal(the_rig.log_n, 4);
        assert_int_equal(the_rig.log[1].acked_bytes, 5 * RDMA_RIG_MTU);
        assert_false(the_rig.log[1].marked);
        assert_int_equal(the_rig.log[2].acked_bytes, RDMA_RIG_MTU);
        assert_true(the_rig.log[2].marked);
        assert_int_equal(the_rig.log[3].acked_bytes, 2 * RDMA_RIG_MTU);
        assert_false(the_rig.log[3].marked);
        rdma_rig_close(&the_rig);
    }
}

/* A window of two packets, acknowledgements of eight: the sender asks when its window is full. */
static void acknowledge__window_smaller_than_the_group(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "nic: {ack_every: 8}", 0);
    the_rig.window_bytes = 2 * RDMA_RIG_MTU;
    struct rdma_rig_msg *m = rdma_rig_send(&the_rig, 40 * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    assert_int_equal(the_rig.shared.timeouts, 0);
    assert_int_equal(the_rig.acks, 20);
    assert_true(m->done_ps < 21 * rdma_rig_rtt_ps());
    rdma_rig_close(&the_rig);
}

/* ---- going back ------------------------------------------------------------------------------ */

static int lose_fourth_once(struct rdma_rig *rig, struct packet *packet)
{
    return packet->type == PACKET_DATA && packet->seq == 4 && rig->step++ == 0 ? -1 : 0;
}

/* One NACK, which also counts what was held back; everything from the gap on comes again. */
static void go_back__one_nack_per_gap(void **state)
{
    (void)state;
    for (int every = 1; every <= 8; every += 7) {
        char body[64];
        snprintf(body, sizeof body, "delivery: in-order, nic: {ack_every: %d}", every);
        rdma_rig_open(&the_rig, body, 0);
        the_rig.pass = lose_fourth_once;
        rdma_rig_send(&the_rig, 20 * RDMA_RIG_MTU, 0);
        rdma_rig_run(&the_rig);
        assert_int_equal(the_rig.nacks, 1);
        assert_int_equal(the_rig.answered, 20);
        assert_int_equal(the_rig.shared.retransmitted, 16);
        assert_int_equal(the_rig.shared.timeouts, 0);
        assert_int_equal(rdma_rig_heard(&the_rig, CC_NACK, NULL), 1);
        rdma_rig_close(&the_rig);
    }
}

static int lose_all_once(struct rdma_rig *rig, struct packet *packet)
{
    return packet->type == PACKET_DATA && rig->step++ < 3 ? -1 : 0;
}

static void on_retransmit__counts_from_the_last_acknowledgement(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "retransmit: 50us", 0);
    the_rig.pass = lose_all_once;
    struct rdma_rig_msg *m = rdma_rig_send(&the_rig, 3 * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    assert_int_equal(the_rig.shared.timeouts, 1);
    int64_t bytes = 4 * 4178 + 2 * 16;
    assert_int_equal(m->done_ps, 50 * PS_PER_US + bytes * RDMA_RIG_BYTE_PS + 2 * RDMA_RIG_DELAY_PS);
    rdma_rig_close(&the_rig);
}

/* ---- early packets --------------------------------------------------------------------------- */

static int delay_first(struct rdma_rig *rig, struct packet *packet)
{
    (void)rig;
    return packet->type == PACKET_DATA && packet->seq == 0 ? 1 : 0;
}

/* However many come before the first, they are kept: 2,000 packets in 170 us. */
static void accept__keeps_all_that_comes_early(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "", 160 * PS_PER_US);
    the_rig.pass = delay_first;
    rdma_rig_send(&the_rig, 2000 * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    assert_int_equal(the_rig.shared.duplicates + the_rig.shared.retransmitted, 0);
    assert_true(the_rig.shared.out_of_order > 1900);
    rdma_rig_close(&the_rig);
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void on_closed(struct nic_shared *shared, struct rdma_qp *qp)
{
    assert_true(shared->qp[rdma_place(qp->number)] == qp);
    the_rig.step++;
}

static struct fabric_msg brief;
static void on_brief(struct sim *sim, struct fabric_msg *msg)
{
    (void)sim;
    assert_ptr_equal(msg, &brief);
}

static void on_end(struct sim *sim, void *self)
{
    (void)sim;
    (void)self;
}

/* One short flow on a queue pair of its own; afterwards the clock stands at until_ps. */
static struct rdma_qp *one_flow(struct rdma_rig *rig, int64_t until_ps)
{
    struct timer end;
    timer_init(&end, on_end, NULL, 0, 0);
    timer_arm(rig->sim, &end, until_ps);
    rig->qp = NULL;
    struct rdma_qp *qp = rdma_rig_qp(rig);
    brief = (struct fabric_msg){.dst = 1, .bytes = 5000, .done = on_brief};
    rdma_post(qp, &brief);
    sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = until_ps});
    assert_int_equal(qp->acked_bytes, 5000);
    return qp;
}

/* Flows 1 ms apart: after the timeout of 4 ms each takes the place of one before it. */
static void rdma_open__takes_the_place_of_a_rested_one(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "recovery: selective", "nic: {ack_every: 4}"};
    for (int b = 0; b < 3; b++) {
        rdma_rig_open(&the_rig, bodies[b], 0);
        the_rig.shared.closed = on_closed;
        for (int i = 0; i < 2000; i++) {
            one_flow(&the_rig, (i + 1) * PS_PER_MS);
        }
        assert_true(the_rig.shared.qp_n <= 6);
        assert_int_equal(the_rig.step, 2000 - the_rig.shared.qp_n);
        rdma_rig_close(&the_rig);
    }
}

static void rdma_open__takes_none_where_nobody_forgets(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "", 0);
    for (int i = 0; i < 10; i++)
        one_flow(&the_rig, (i + 1) * 10 * PS_PER_MS);
    assert_int_equal(the_rig.shared.qp_n, 10);
    rdma_rig_close(&the_rig);
}

/* A packet of the queue pair that was there before changes nothing. */
static void deliver__too_late(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "", 0);
    the_rig.shared.closed = on_closed;
    struct rdma_qp *first = one_flow(&the_rig, 10 * PS_PER_MS);
    uint32_t number = first->number;
    struct rdma_qp *second = one_flow(&the_rig, 20 * PS_PER_MS);
    assert_ptr_equal(first, second);
    assert_true(number != second->number && rdma_place(number) == rdma_place(second->number));
    for (int type = PACKET_DATA; type <= PACKET_CNP; type++) {
        struct packet *late = packet_get(&the_rig.shared.net.packets);
        late->type = (uint8_t)type;
        late->qp = number;
        late->seq = 2;
        late->ack = 3;
        late->wire_bytes = 1000;
        nic_deliver(type == PACKET_DATA ? &the_rig.path[0] : &the_rig.back, late);
    }
    assert_int_equal(second->expected, 2);
    assert_int_equal(second->acked_below, 2);
    assert_int_equal(second->early_n, 0);
    assert_int_equal(rdma_rig_live(&the_rig), 0);
    assert_int_equal(the_rig.shared.duplicates, 1);
    rdma_rig_close(&the_rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rdma_answer__counts_payload),
        cmocka_unit_test(rdma_make__carries_the_class),
        cmocka_unit_test(acknowledge__every_nth_and_the_last),
        cmocka_unit_test(acknowledge__mark_counts_its_own_bytes),
        cmocka_unit_test(acknowledge__window_smaller_than_the_group),
        cmocka_unit_test(go_back__one_nack_per_gap),
        cmocka_unit_test(on_retransmit__counts_from_the_last_acknowledgement),
        cmocka_unit_test(accept__keeps_all_that_comes_early),
        cmocka_unit_test(rdma_open__takes_the_place_of_a_rested_one),
        cmocka_unit_test(rdma_open__takes_none_where_nobody_forgets),
        cmocka_unit_test(deliver__too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
