/* test_nic.c - the adapter between wire and host: the gap between packets,
 * PCIe both ways, and the receive buffer that pauses its neighbour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rdma_rig.h"

#define WIRE (RDMA_RIG_MTU + FRAMING_ROCE_BYTES)
#define GBYTE INT64_C(8000000000) /* bit/s */

static struct rdma_rig the_rig;

/* ---- classes --------------------------------------------------------------------------------- */

static int done_n;
static void on_done(struct sim *sim, struct fabric_msg *msg)
{
    (void)sim;
    (void)msg;
    done_n++;
}

/* Where classes are paused one by one, queue pairs of the others go on. */
static void nic_next__skips_a_class_that_is_paused(void **state)
{
    (void)state;
    struct fabric_msg msg[2];
    rdma_rig_open(&the_rig, "", 0);
    struct port *port = &the_rig.nic[0].port;
    port->special = true;
    port_pause(port, 0, true);
    done_n = 0;
    for (int i = 0; i < 2; i++) {
        the_rig.qp = NULL;
        msg[i] = (struct fabric_msg){.dst = 1, .bytes = 100000, .done = on_done};
        msg[i].traffic_class = i ? 5 : 0;
        rdma_post(rdma_rig_qp(&the_rig), &msg[i]);
    }
    sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = PS_PER_MS});
    assert_int_equal(done_n, 1);
    assert_int_equal(the_rig.qp->acked_bytes, 100000);
    port_pause(port, 0, false);
    sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = 2 * PS_PER_MS});
    assert_int_equal(done_n, 2);
    rdma_rig_close(&the_rig);
}

/* ---- the gap --------------------------------------------------------------------------------- */

/* The table of framing: 4096 bytes of payload in packets at 400 Gbit/s. */
static void gate_after__goodput_of_the_reference_architectures(void **state)
{
    (void)state;
    static const struct {
        int gap;
        double gbps;
    } rows[] = {{12, 392.15}, {25, 390.93}, {33, 390.19}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[64];
        const int64_t packets = 5000;
        snprintf(body, sizeof body, "nic: {inter_packet_gap: %dB}", rows[i].gap);
        rdma_rig_open(&the_rig, body, 0);
        struct rdma_rig_msg *m = rdma_rig_send(&the_rig, packets * RDMA_RIG_MTU, 0);
        rdma_rig_run(&the_rig);
        int64_t each_ps = (WIRE + rows[i].gap - 12) * RDMA_RIG_BYTE_PS;
        /* The 16 bytes of the first packet delay all on the first link; on the second it is out of
         * the way when the gaps amount to them. The last packet has no gap behind it. */
        int64_t done_ps = (packets - 1) * each_ps + (2 * WIRE + 16) * RDMA_RIG_BYTE_PS +
                          2 * RDMA_RIG_DELAY_PS + (rows[i].gap == 12 ? 16 * RDMA_RIG_BYTE_PS : 0);
        assert_int_equal(m->done_ps, done_ps);
        double gbps = RDMA_RIG_MTU * 8 / ((double)each_ps / 1000);
        assert_true(gbps > rows[i].gbps - 0.01 && gbps < rows[i].gbps + 0.01);
        /* The gap is the sender's own: nobody else sees bytes of it. */
        assert_int_equal(the_rig.nic[0].port.tx_bytes, packets * WIRE + 16);
        rdma_rig_close(&the_rig);
    }
}

/* ---- PCIe ------------------------------------------------------------------------------------ */

/* A sender fetches no faster, and a receiver that is as slow never holds more than a packet. */
static void gate_after__pcie_bounds_a_sender(void **state)
{
    (void)state;
    rdma_rig_open(&the_rig, "nic: {pcie_rate: 40GBps}", 0);
    const int64_t packets = 1000;
    struct rdma_rig_msg *m = rdma_rig_send(&the_rig, packets * RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    int64_t each_ps = units_serialise_ps(RDMA_RIG_MTU, 40 * GBYTE);
    int64_t first_ps = units_serialise_ps(RDMA_RIG_MTU + 16, 40 * GBYTE);
    int64_t way_ps = 2 * (WIRE + 16) * RDMA_RIG_BYTE_PS + 2 * RDMA_RIG_DELAY_PS;
    /* The first packet takes its way, then PCIe of the receiver has no break. */
    assert_int_equal(m->done_ps, way_ps + first_ps + (packets - 1) * each_ps);
    assert_true(the_rig.shared.rx_max_bytes <= RDMA_RIG_MTU + 32);
    assert_int_equal(m->msg.bound, BOUND_NIC);
    assert_int_equal(the_rig.nic[1].port.pause_frames, 0);
    rdma_rig_close(&the_rig);
}

/* Faster than the wire it shows only in the last packet's way into memory. */
static void gate_after__pcie_of_gen5_is_no_limit(void **state)
{
    (void)state;
    int64_t done_ps[2];
    static const char *const bodies[] = {"", "nic: {pcie_rate: 55GBps}"};
    for (int i = 0; i < 2; i++) {
        rdma_rig_open(&the_rig, bodies[i], 0);
        struct rdma_rig_msg *m = rdma_rig_send(&the_rig, 1000 * RDMA_RIG_MTU, 0);
        rdma_rig_run(&the_rig);
        done_ps[i] = m->done_ps;
        rdma_rig_close(&the_rig);
    }
    assert_int_equal(done_ps[1], done_ps[0] + units_serialise_ps(RDMA_RIG_MTU, 55 * GBYTE));
}

/* A receiver that is slower than its sender: make the sender fast by hand. */
static void open_slow_receiver(const char *body)
{
    rdma_rig_open(&the_rig, body, 0);
    the_rig.nic[0].spaced = false;
}

/* 20 GB/s into memory, 49 GB/s from the wire: the NIC pauses the crossing and lets it go; nothing
 * is lost; everything is there when PCIe has carried it. */
static void take__slow_receiver_pauses(void **state)
{
    (void)state;
    open_slow_receiver("nic: {pcie_rate: 20GBps, rx_buffer: 300kB, rx_xoff: 150kB, rx_xon: 100kB}");
    const int64_t bytes = 1000 * RDMA_RIG_MTU;
    struct rdma_rig_msg *m = rdma_rig_send(&the_rig, bytes, 0);
    rdma_rig_run(&the_rig);
    assert_int_equal(the_rig.shared.rx_drops, 0);
    assert_true(the_rig.path[0].pauses > 10);
    assert_int_equal(the_rig.nic[1].port.pause_frames, 2 * the_rig.path[0].pauses);
    assert_true(the_rig.shared.rx_max_bytes > 150000);
    /* in flight when the pause frame leaves: the cable both ways, and two packets */
    assert_true(the_rig.shared.rx_max_bytes < 150000 + 2 * 25000 + 3 * WIRE);
    int64_t carry_ps = 1000 * units_serialise_ps(RDMA_RIG_MTU, 20 * GBYTE);
    int64_t first_ps = 2 * (WIRE + 16) * RDMA_RIG_BYTE_PS + 2 * RDMA_RIG_DELAY_PS;
    assert_int_equal(m->done_ps, first_ps + carry_ps + units_serialise_ps(16, 20 * GBYTE));
    assert_false(the_rig.nic[1].pausing);
    rdma_rig_close(&the_rig);
}

/* Messages are complete in order, each when its own bytes are in memory. */
static void place__messages_one_after_the_other(void **state)
{
    (void)state;
    open_slow_receiver("nic: {pcie_rate: 10GBps}");
    for (int i = 0; i < 4; i++)
        rdma_rig_send(&the_rig, RDMA_RIG_MTU, 0);
    rdma_rig_run(&the_rig);
    int64_t each_ps = units_serialise_ps(RDMA_RIG_MTU + 16, 10 * GBYTE);
    for (int i = 1; i < 4; i++)
        assert_int_equal(the_rig.m[i].done_ps - the_rig.m[i - 1].done_ps, each_ps);
    /* Acknowledged long before. */
    assert_int_equal(the_rig.qp->draining, 0);
    assert_true(the_rig.qp->progress_ps < the_rig.m[3].done_ps + rdma_rig_rtt_ps());
    rdma_rig_close(&the_rig);
}

/* Without PFC what does not fit is lost, and repeated. */
static void take__drops_without_pfc(void **state)
{
    (void)state;
    static const char *const recovery[] = {"go-back-n", "selective"};
    int64_t dropped[2];
    for (int i = 0; i < 2; i++) {
        char body[160];
        snprintf(body, sizeof body,
                 "pfc: {on: false}, retransmit: 50us, recovery: %s, nic: {pcie_rate: 20GBps, "
                 "rx_buffer: 100kB, rx_xoff: 50kB, rx_xon: 50kB}",
                 recovery[i]);
        open_slow_receiver(body);
        rdma_rig_send(&the_rig, 500 * RDMA_RIG_MTU, 0);
        rdma_rig_run(&the_rig);
        dropped[i] = the_rig.shared.rx_drops;
        assert_true(dropped[i] > 100);
        assert_int_equal(the_rig.nic[1].port.pause_frames, 0);
        assert_true(the_rig.shared.rx_max_bytes <= 100000);
        rdma_rig_close(&the_rig);
    }
    assert_true(dropped[1] < dropped[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nic_next__skips_a_class_that_is_paused),
        cmocka_unit_test(gate_after__goodput_of_the_reference_architectures),
        cmocka_unit_test(gate_after__pcie_bounds_a_sender),
        cmocka_unit_test(gate_after__pcie_of_gen5_is_no_limit),
        cmocka_unit_test(take__slow_receiver_pauses),
        cmocka_unit_test(place__messages_one_after_the_other),
        cmocka_unit_test(take__drops_without_pfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
