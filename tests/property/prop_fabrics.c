/* prop_fabrics.c - the packet fabric and the flow fabric say the same of what both can simulate:
 * long flows, which share links evenly and fill them.
 *
 * The flow fabric has no acknowledgements: 86 of 4264 bytes on the wire where data goes both ways,
 * the 2 % that remain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/property/example.h"

/* Metrics of the run (up to a NULL) with messages as flows, and with packets. */
static void check_agree(struct example *example, const char *const *names, double tolerance)
{
    struct record flow, packet;
    example->sets[0] = "network.model=flow";
    example_run(example, &flow);
    example->sets[0] = "network.model=packet";
    example_run(example, &packet);
    assert_true(flow.data_hops == 0 && packet.data_hops > 0);
    for (; *names; names++)
        example_near(*names, example_metric(&packet, "run", *names),
                     example_metric(&flow, "run", *names), tolerance);
    record_free(&flow);
    record_free(&packet);
}

static void fabrics__agree_on_a_ring_of_64(void **state)
{
    (void)state;
    struct example example = {"topologies/leaf-spine-128.yaml",
                              "workloads/ring.yaml",
                              {NULL, "workload.ranks=64", "workload.stride=1",
                               "workload.size=32MiB", "workload.chunk=512KiB"}};
    check_agree(&example, (const char *const[]){"makespan_s", NULL}, 0.03);
}

/* Every hop crosses the spines, all links are full: only a fabric that spreads messages over all of
 * them carries that. Then one uplink of four is down, and its leaf has three quarters; on hashed
 * paths messages would take two or three times as long, or stand still. */
static void fabrics__agree_on_a_ring_across_all_spines(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        double tolerance, makespan_s;
    } cases[] = {{NULL, 0.03, 5.137e-3},
                 {"faults=[{link: \"leaf0>spine1\", kind: down}]", 0.035, 5.137e-3 * 4 / 3}};
    for (int i = 0; i < 2; i++) {
        struct example example = {"topologies/leaf-spine-16.yaml",
                                  "workloads/ring.yaml",
                                  {"network.model=flow", "workload.ranks=16", "workload.stride=4",
                                   "workload.size=32MiB", "workload.chunk=1MiB",
                                   "network.routing.kind=adaptive", "network.cc.kind=none",
                                   cases[i].fault}};
        struct record record;
        example_run(&example, &record);
        example_near("by flows", example_metric(&record, "run", "makespan_s"), cases[i].makespan_s,
                     0.001);
        record_free(&record);
        check_agree(&example, (const char *const[]){"makespan_s", NULL}, cases[i].tolerance);
    }
}

/* Three epochs of a fiftieth of the data: storage next door, and behind a line of 20 ms. */
static void fabrics__agree_on_resnet50(void **state)
{
    (void)state;
    static const char *const lines[] = {"wan.rtt=0ms", "wan.rtt=20ms"};
    for (int i = 0; i < 2; i++) {
        struct example example = {
            "topologies/remote-storage.yaml",
            "workloads/resnet50.yaml",
            {NULL, lines[i], "workload.epochs=3", "workload.dataset.size=3GB",
             "workload.dataset.records=26163", "workload.evaluation.after_epochs=[3]",
             "workload.evaluation.dataset.size=1GB", "workload.evaluation.dataset.records=7463"}};
        check_agree(&example, (const char *const[]){"time_to_train_s", "first_epoch_s", NULL},
                    0.03);
    }
}

/* The ring: 62 steps of 2 MiB, each held up by its path and its neighbour's ACKs. */
static void ring__sprayed_over_32(void **state)
{
    (void)state;
    struct example example = {
        "topologies/leaf-spine-128.yaml", "workloads/ring.yaml", {"network.model=packet"}};
    struct record record;
    example_run(&example, &record);
    example_near("ring of 64 MiB over 32, ms", example_metric(&record, "run", "makespan_s") * 1e3,
                 2.8, 0.05 / 2.8);
    record_free(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fabrics__agree_on_a_ring_of_64),
        cmocka_unit_test(fabrics__agree_on_a_ring_across_all_spines),
        cmocka_unit_test(fabrics__agree_on_resnet50),
        cmocka_unit_test(ring__sprayed_over_32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
