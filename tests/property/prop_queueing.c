/* prop_queueing.c - one egress port under Poisson arrivals, against queueing theory; and what the
 * framing leaves of a link.
 *
 * Each packet waits exactly as Lindley says, to the picosecond, and the mean wait is that of the
 * laws (sim/app/validation_queue.c): both from the port as it is in every switch, with its queue,
 * its rate, its lazy commits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/app/validation_queue.h"
#include "tests/unit/net_rig.h"

/* The closer to 1 the load, the longer the queue remembers: more packets for the same error. */
static const struct {
    double rho, md1, mm1;
    int64_t packets;
} laws[] = {
    {0.3, 0.2143, 0.4286, 500000},
    {0.5, 0.5000, 1.0000, 500000},
    {0.7, 1.1667, 2.3333, 1000000},
    {0.8, 2.0000, 4.0000, 2000000},
};

static void check_law(const char *name, bool exponential)
{
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        const struct validation_queue queue = {
            .load = laws[i].rho, .exponential = exponential, .packets = laws[i].packets};
        double expected = exponential ? laws[i].mm1 : laws[i].md1;
        struct validation_wait got = validation_queue_wait(&queue);
        print_message("%s rho %.1f: waits %.4f services, expected %.4f (%+.2f %%)\n", name,
                      laws[i].rho, got.services, expected, (got.services / expected - 1) * 100);
        assert_int_equal(got.wrong_n, 0);
        assert_true(got.services > 0.98 * expected && got.services < 1.02 * expected);
    }
}

static void port__waits_of_md1(void **state)
{
    (void)state;
    check_law("M/D/1", false);
}

static void port__waits_of_mm1(void **state)
{
    (void)state;
    check_law("M/M/1", true);
}

static struct net_rig the_rig; /* too large for a stack */

/* 4096 of every 4178 bytes: 392.15 of 400 Gb/s. */
static void framing__goodput_of_a_long_flow(void **state)
{
    (void)state;
    static const int64_t delays_ps[] = {500000, 500000};
    const int64_t bytes = 100 * INT64_C(1000000);
    net_rig_open(&the_rig, 1, "cc: {kind: none}");
    net_rig_chain(&the_rig, 1, NET_RIG_400G, delays_ps);
    net_rig_wired(&the_rig);
    const struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, bytes, 0);
    net_rig_run(&the_rig);
    double gbps = (double)bytes * 8e3 / (double)m->done_ps;
    print_message("goodput of 100 MB: %.3f Gb/s\n", gbps);
    assert_true(gbps > 392.15 * 0.999 && gbps < 392.15 * 1.001);
    net_rig_close(&the_rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port__waits_of_md1),
        cmocka_unit_test(port__waits_of_mm1),
        cmocka_unit_test(framing__goodput_of_a_long_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
