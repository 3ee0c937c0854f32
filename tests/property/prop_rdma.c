/* prop_rdma.c - the transport under random loss, on one path and sprayed over four, with go-back-N
 * and selective repeat, answers lost as well: every byte comes exactly once, in finite time, and
 * selective repeat costs what is lost and no more: goodput 1 / (1 + p) of the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rdma_rig.h"

#define SEEDS 120

static struct rdma_rig the_rig;

static bool coin(struct rng *rng)
{
    return rng_below(rng, 2);
}

static int lose_some(struct rdma_rig *rig, struct packet *packet)
{
    if (rng_unit(&rig->rng) < rig->loss) return -1;
    if (packet->type == PACKET_DATA && rng_unit(&rig->rng) < 0.01) packet->flags |= PACKET_MARKED;
    return rig->step ? (int)rng_below(&rig->rng, RDMA_RIG_PATHS) : 0;
}

static const char *random_transport(struct arena *arena, struct rng *rng, bool *sprayed)
{
    static const char *const controls[] = {"none", "dcqcn", "dctcp", "swift", "timely"};
    bool in_order = coin(rng), selective = coin(rng);
    *sprayed = coin(rng) && (!in_order || selective);
    return arena_printf(
        arena,
        "delivery: %s, recovery: %s, cc: {kind: %s}, mtu: %s, retransmit: %s, nic: {ack_every: %d, "
        "inter_packet_gap: %s, pcie_rate: %s, rx_buffer: 2MB}, transport: {reorder_window: %s}",
        in_order ? "in-order" : "out-of-order", selective ? "selective" : "go-back-n",
        controls[rng_below(rng, 5)], coin(rng) ? "4096B" : "1000B", coin(rng) ? "50us" : "200us",
        coin(rng) ? 1 : 1 + (int)rng_below(rng, 15), coin(rng) ? "12B" : "25B",
        coin(rng) ? "0" : "45GBps", coin(rng) ? "0" : "2us");
}

static void rdma__every_byte_exactly_once(void **state)
{
    (void)state;
    int64_t lost = 0, timeouts = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct arena scratch = {0};
        struct rng rng = rng_stream(seed, "prop_rdma");
        bool sprayed;
        const char *body = random_transport(&scratch, &rng, &sprayed);
        rdma_rig_open(&the_rig, body, (int64_t)rng_below(&rng, PS_PER_US));
        rdma_rig_control(&the_rig);
        the_rig.rng = rng_stream(seed, "prop_rdma/crossing");
        the_rig.pass = lose_some;
        the_rig.loss = rng_unit(&rng) * (coin(&rng) ? 0.01 : 0.2);
        the_rig.step = sprayed;
        for (int i = 0; i < 10; i++)
            rdma_rig_send(&the_rig, (int64_t)rng_below(&rng, coin(&rng) ? 9000 : 200000),
                          (int64_t)rng_below(&rng, 100 * PS_PER_US));
        rdma_rig_run(&the_rig);
        lost += the_rig.lost_bytes;
        timeouts += the_rig.shared.timeouts;
        rdma_rig_close(&the_rig);
        arena_free(&scratch);
    }
    assert_true(lost > 0 && timeouts > 0);
}

/* goodput of 80 MB, of what the line carries without loss. */
static double goodput(const char *body, double loss, int64_t skew_ps, uint64_t seed)
{
    const int64_t bytes = 20000 * RDMA_RIG_MTU;
    rdma_rig_open(&the_rig, body, skew_ps);
    the_rig.rng = rng_stream(seed, "prop_rdma/goodput");
    the_rig.pass = lose_some;
    the_rig.loss = loss;
    the_rig.step = skew_ps > 0;
    struct rdma_rig_msg *m = rdma_rig_send(&the_rig, bytes, 0);
    rdma_rig_run(&the_rig);
    double least_ps = 20000.0 * (RDMA_RIG_MTU + FRAMING_ROCE_BYTES) * RDMA_RIG_BYTE_PS;
    double result = least_ps / (double)m->done_ps;
    rdma_rig_close(&the_rig);
    return result;
}

static void rdma__selective_repeat_costs_what_is_lost(void **state)
{
    (void)state;
    static const double losses[] = {0.0001, 0.001, 0.01, 0.05};
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        double p = losses[i], mean[3] = {0};
        for (uint64_t seed = 1; seed <= 3; seed++) {
            mean[0] +=
                goodput("recovery: selective, delivery: in-order, retransmit: 20us", p, 0, seed) /
                3;
            mean[1] += goodput("recovery: selective, retransmit: 20us", p, 100000, seed) / 3;
            mean[2] += goodput("delivery: in-order, retransmit: 20us", p, 0, seed) / 3;
        }
        print_message("loss %.4f: in order %.4f, sprayed %.4f, going back %.4f, 1/(1+p) %.4f\n", p,
                      mean[0], mean[1], mean[2], 1 / (1 + p));
        assert_true(mean[0] > 0.96 / (1 + p) && mean[0] <= 1);
        assert_true(mean[1] > 0.96 / (1 + p) && mean[1] <= 1);
        /* Going back repeats a round trip for each loss: 26 packets here. */
        if (p >= 0.001) assert_true(mean[2] < mean[0] - 10 * p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rdma__every_byte_exactly_once),
        cmocka_unit_test(rdma__selective_repeat_costs_what_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
