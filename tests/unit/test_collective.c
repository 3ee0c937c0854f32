/* test_collective.c - the workload kind `collective`: choices, results, both fabrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define HOPPER "device: {generation: hopper, in_switch_reduction: true}"
#define NODES(n)                                                                                   \
    "fabric: {kind: rail, leaves_per_unit: 8, spines: 1, nodes_per_unit: " #n                      \
    "}\nstorage: {client: {kind: local}}\n"

static void run(struct job *job, const char *topology, const char *workload)
{
    job_run(job, topology, workload, NULL);
    if (job->stop != SIM_DONE) fail_msg("%s", job->record.message);
}

static void collective__rates_follow_from_time(void **state)
{
    (void)state;
    struct job job;
    run(&job,
        "node: {gpu_link_rate: 100GBps, gpu_link_efficiency: 1, gpu_link_delay: 0}\n"
        "collectives: {simple: {launch: 0, nvlink: 0, channel_rate: 0}}\n" NODES(1),
        "{kind: collective, size: 8MB, algorithm: ring, protocol: simple}");
    /* 14/8 of 8 MB by 100 GB/s */
    assert_near(job_run_metric(&job, "time_s"), 140e-6, 1e-9);
    assert_near(job_run_metric(&job, "algbw"), 8e6 / 140e-6, 1e-9);
    assert_near(job_run_metric(&job, "busbw"), 100e9, 1e-9);
    assert_int_equal((int64_t)job_metric(&job, "cluster", "nvlink_busiest_bytes"), 14000000);
    assert_non_null(job_phase(&job, "all_reduce ring simple"));
    job_free(&job);
}

static void expect_choice(const char *topology, const char *size, const char *phase)
{
    struct arena arena = {0};
    struct job job;
    run(&job, topology, arena_printf(&arena, "{kind: collective, size: %s}", size));
    assert_non_null(job_phase(&job, phase));
    job_free(&job);
    arena_free(&arena);
}

static void collective__what_nccl_would_choose(void **state)
{
    (void)state;
    expect_choice("node: {" HOPPER "}\n" NODES(1), "64MiB", "all_reduce nvls simple");
    expect_choice("node: {" HOPPER "}\n" NODES(8), "64MiB", "all_reduce nvls_tree simple");
    expect_choice("node: {" HOPPER "}\n" NODES(8), "64KiB", "all_reduce tree ll");
    expect_choice("node: {device: {generation: hopper}}\n" NODES(1), "64MiB",
                  "all_reduce ring simple");
    expect_choice(NODES(2), "1MiB", "all_reduce ring simple"); /* unknown accelerators */
}

/* With 75 us told, a ring of 2.20 is too far round for 32 MiB; NCCL_PROTO leaves one protocol,
 * unless the workload names another. */
static void collective__software_has_a_say(void **state)
{
    (void)state;
    struct job job;
    expect_choice("node: {" HOPPER "}\ncollectives: {nic_latency: 75us}\n" NODES(2), "32MiB",
                  "all_reduce ring ll128");
    expect_choice("node: {" HOPPER "}\ncollectives: {nic_latency: 75us, nccl: '2.20'}\n" NODES(2),
                  "32MiB", "all_reduce tree ll128");
    expect_choice("node: {" HOPPER "}\ncollectives: {protocol: simple}\n" NODES(2), "64KiB",
                  "all_reduce nvls_tree simple");
    run(&job, "node: {" HOPPER "}\ncollectives: {protocol: simple}\n" NODES(2),
        "{kind: collective, size: 64KiB, protocol: ll, algorithm: ring}");
    assert_non_null(job_phase(&job, "all_reduce ring ll"));
    job_free(&job);
}

static void collective__wishes_are_kept(void **state)
{
    (void)state;
    struct job job;
    run(&job, "node: {" HOPPER "}\n" NODES(2),
        "{kind: collective, size: 1MiB, protocol: ll, channels: 3, algorithm: ring}");
    assert_non_null(job_phase(&job, "all_reduce ring ll"));
    assert_int_equal((int)job_metric(&job, "collective", "channels"), 3);
    job_free(&job);
    run(&job, "node: {" HOPPER "}\n" NODES(2), "{kind: collective, size: 1MiB, protocol: ll}");
    const char *name = job.record.phases[0].name;
    assert_string_equal(name + strlen(name) - 3, " ll");
    job_free(&job);
}

/* Rail-wise all-reduce: what NICs carry is what the algorithm says, on both fabrics alike. */
static void collective__both_fabrics_agree(void **state)
{
    (void)state;
    double time_s[2];
    for (int packet = 0; packet < 2; packet++) {
        struct arena arena = {0};
        struct job job;
        run(&job,
            arena_printf(&arena, "network: {model: %s}\n" NODES(2), packet ? "packet" : "flow"),
            "{kind: collective, size: 64MiB, algorithm: hierarchical}");
        time_s[packet] = job_run_metric(&job, "time_s");
        /* 2 (D-1)/D of each rail's part, D = 2 domains: the size over 8 rails and 2 nodes */
        assert_near(job_metric(&job, "cluster", "network_bytes"), 2 * 64 * 1048576.0, 1e-9);
        job_free(&job);
        arena_free(&arena);
    }
    assert_near(time_s[1], time_s[0], 0.02);
}

/* RCCL's way: by bytes per rank; 16 ranks. */
static void collective__protocol_by_size(void **state)
{
    (void)state;
    const char *topology = "collectives: {ll_bytes: 4KiB, ll128_bytes: 64KiB}\n" NODES(2);
    expect_choice(topology, "64KiB", "all_reduce ring ll");
    expect_choice(topology, "65KiB", "all_reduce ring ll128");
    expect_choice(topology, "1MiB", "all_reduce ring ll128");
    expect_choice(topology, "2MiB", "all_reduce ring simple");
}

static double latency_us(const char *collectives, const char *protocol)
{
    struct arena arena = {0};
    struct job job;
    run(&job, arena_printf(&arena, "collectives: {%s}\n" NODES(2), collectives),
        arena_printf(&arena, "{kind: collective, size: 8B, algorithm: tree, protocol: %s}",
                     protocol));
    double us = job_run_metric(&job, "time_s") * 1e6;
    job_free(&job);
    arena_free(&arena);
    return us;
}

/* A tree over two nodes crosses the network twice; Simple goes to the NIC once more each time. */
static void collective__nic_latency(void **state)
{
    (void)state;
    double ll = latency_us("nic_latency: 100us", "ll") - latency_us("nic_latency: 0s", "ll");
    double simple =
        latency_us("nic_latency: 100us", "simple") - latency_us("nic_latency: 0s", "simple");
    assert_near(ll, 200, 1e-6);
    assert_near(simple, 400, 1e-6);
}

/* The choice goes by what NCCL is told, the time by what is. */
static void collective__nic_latency_told(void **state)
{
    (void)state;
    expect_choice("node: {" HOPPER "}\n" NODES(2), "16MiB", "all_reduce nvls_tree simple");
    expect_choice("node: {" HOPPER "}\ncollectives: {nic_latency_told: 75us}\n" NODES(2), "16MiB",
                  "all_reduce tree ll128");
    assert_near(latency_us("nic_latency_told: 75us", "ll"), latency_us("nic_latency: 0s", "ll"),
                1e-12);
}

static void collective__domain_of_several_nodes(void **state)
{
    (void)state;
    struct job job;
    run(&job, "node: {nvlink_domain: 32}\n" NODES(4), "{kind: collective, size: 8MiB}");
    assert_int_equal((int64_t)job_metric(&job, "cluster", "network_bytes"), 0);
    job_free(&job);
}

/* On one node the NICs have no say: NVLS, however slow they are. */
static void collective__one_node_has_no_nics(void **state)
{
    (void)state;
    expect_choice("node: {" HOPPER "}\n" NODES(1), "1GiB", "all_reduce nvls simple");
    expect_choice("node: {" HOPPER "}\nfabric: {kind: rail, nodes_per_unit: 1, leaves_per_unit: 8,"
                  " spines: 1, link_rate: 100Gbps}\nstorage: {client: {kind: local}}\n",
                  "1GiB", "all_reduce nvls simple");
}

static int channels_of(const char *topology, const char *workload)
{
    struct job job;
    run(&job, topology, workload);
    int channels = (int)job_metric(&job, "collective", "channels");
    job_free(&job);
    return channels;
}

/* NCCL's numbers: alone 32, and 24 for NVLS; over two nodes 16 and 32, over more 16 and 24. */
static void collective__channels_of_blackwell(void **state)
{
    (void)state;
#define BLACKWELL "node: {device: {generation: blackwell, in_switch_reduction: true}}\n"
#define LONG "{kind: collective, size: 64MiB, algorithm: "
    assert_int_equal(channels_of(BLACKWELL NODES(1), LONG "ring}"), 32);
    assert_int_equal(channels_of(BLACKWELL NODES(1), LONG "nvls}"), 24);
    assert_int_equal(channels_of(BLACKWELL NODES(2), LONG "ring}"), 16);
    assert_int_equal(channels_of(BLACKWELL NODES(2), LONG "nvls_tree}"), 32);
    assert_int_equal(channels_of(BLACKWELL NODES(4), LONG "nvls_tree}"), 24);
    assert_int_equal(channels_of(BLACKWELL "collectives: {channels: 6}\n" NODES(1), LONG "nvls}"),
                     6);
    assert_int_equal(channels_of("node: {" HOPPER "}\n" NODES(1), LONG "nvls}"), 16);
}

/* Send-recv of 8 MB between GPUs with links of 100 GB/s together, in us. */
static double neighbours_us(const char *shape)
{
    struct arena arena = {0};
    struct job job;
    run(&job,
        arena_printf(&arena,
                     "node: {gpu_link_rate: 100GBps, gpu_link_efficiency: 1, gpu_link_delay: 0,"
                     " device: {link_shape: %s}}\n"
                     "collectives: {simple: {launch: 0, nvlink: 0}}\n" NODES(1),
                     shape),
        "{kind: collective, size: 8MB, op: send_recv, chunk: 10KB, slices: 1, protocol: simple}");
    double us = job_run_metric(&job, "time_s") * 1e6;
    job_free(&job);
    arena_free(&arena);
    return us;
}

/* Behind a switch all links, of a mesh the one to that neighbour, of a torus one of four. */
static void collective__neighbours_have_a_link(void **state)
{
    (void)state;
    assert_near(neighbours_us("switch"), 80, 0.05);
    assert_near(neighbours_us("mesh"), 7 * 80, 0.05);
    assert_near(neighbours_us("torus"), 4 * 80, 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collective__rates_follow_from_time),
        cmocka_unit_test(collective__what_nccl_would_choose),
        cmocka_unit_test(collective__software_has_a_say),
        cmocka_unit_test(collective__wishes_are_kept),
        cmocka_unit_test(collective__both_fabrics_agree),
        cmocka_unit_test(collective__protocol_by_size),
        cmocka_unit_test(collective__nic_latency),
        cmocka_unit_test(collective__nic_latency_told),
        cmocka_unit_test(collective__domain_of_several_nodes),
        cmocka_unit_test(collective__one_node_has_no_nics),
        cmocka_unit_test(collective__channels_of_blackwell),
        cmocka_unit_test(collective__neighbours_have_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
