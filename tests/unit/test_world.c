/* test_world.c - how configurations become objects: who shares what, what is told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rig.h"

#define LOAD "{kind: training, load: {size: 1GB, files: 8}, steps: 1, step: {compute: 1ns}}"

/* Nodes that load 1 GB over a line of wan_gbps, from a server of server_gbps (0 = no limit). */
static double load_s(int nodes, int wan_gbps, int server_gbps)
{
    char topology[600];
    snprintf(topology, sizeof(topology),
             "node: {count: %d}\n"
             "nic: {rate: 10Gbps}\n"
             "wan: {rate: %dGbps, rtt: 1ms}\n"
             "storage:\n"
             "  server: {rate: %dGbps}\n"
             "  client: {kind: rdma, queue_pairs: 64}\n",
             nodes, wan_gbps, server_gbps);
    struct job job;
    job_run(&job, topology, LOAD, NULL);
    assert_int_equal(job.stop, SIM_DONE);
    double took_s = job_run_metric(&job, "load_s");
    for (int i = 0; i < nodes; i++) {
        char name[40];
        snprintf(name, sizeof(name), "storage/client%d", i);
        assert_int_equal((int64_t)job_metric(&job, name, "read_bytes"), GB);
    }
    job_free(&job);
    return took_s;
}

#define WIRE (4178.0 / 4096) /* RoCE framing */

static void world_build__nodes_share_the_line_and_the_server(void **state)
{
    (void)state;
    assert_near(load_s(1, 100, 0), 0.8 * WIRE, 0.02);  /* its own port */
    assert_near(load_s(4, 100, 0), 0.8 * WIRE, 0.02);  /* each its own port */
    assert_near(load_s(4, 20, 0), 1.6 * WIRE, 0.02);   /* 4 GB over one line */
    assert_near(load_s(4, 100, 16), 2.0, 0.02);        /* from one server */
    assert_near(load_s(4, 10, 100), 3.2 * WIRE, 0.02); /* all over one line again */
}

static void world_build__local_drives_are_not_shared(void **state)
{
    (void)state;
    for (int nodes = 1; nodes <= 4; nodes *= 2) {
        char topology[200];
        snprintf(topology, sizeof(topology),
                 "node: {count: %d}\n"
                 "storage: {client: {kind: local, drives: 1, drive_rate: 1GBps}}\n",
                 nodes);
        struct job job;
        job_run(&job, topology, LOAD, NULL);
        assert_near(job_run_metric(&job, "load_s"), 1, 0.01);
        job_free(&job);
    }
}

static void world_build__a_warm_cache_reads_nothing(void **state)
{
    (void)state;
    static const char *const caches[] = {"size: 10GB, warm: true", "size: 10GB", "size: 0B"};
    int64_t expected[] = {0, 2 * GB, 4 * GB}; /* two epochs of 2 GB */
    for (int i = 0; i < 3; i++) {
        char topology[300];
        snprintf(topology, sizeof(topology),
                 "node: {gpus: 2, cache: {%s}}\nstorage: {client: {kind: local}}\n", caches[i]);
        struct job job;
        job_run(&job, topology,
                "{kind: training, epochs: 2, dataset: {size: 2GB, files: 2, records: 1000}, "
                "step: {compute: 10ms, batch_per_gpu: 10}}",
                NULL);
        assert_int_equal((int64_t)job_metric(&job, "storage/client0", "read_bytes"), expected[i]);
        job_free(&job);
    }
}

/* Eight processes begin inside blocks that others end: what one has read at the end of a block
 * spares no one its beginning. */
static void world_build__a_cold_pass_reads_every_byte(void **state)
{
    (void)state;
    struct job job;
    job_run(&job, "node: {gpus: 8, cache: {size: 10GB}}\nstorage: {client: {kind: local}}\n",
            "{kind: training, dataset: {size: 1GB, records: 1000}, step: {compute: 1ms}}", NULL);
    assert_int_equal((int64_t)job_metric(&job, "storage/client0", "read_bytes"), GB);
    job_free(&job);
}

static void world_build__caches_belong_to_nodes(void **state)
{
    (void)state;
    struct job job;
    job_run(&job,
            "node: {count: 3, gpus: 1, cache: {size: 10GB}}\nstorage: {client: {kind: local}}\n",
            "{kind: training, epochs: 4, dataset: {size: 3GB, files: 3, records: 300}, "
            "step: {compute: 1ms}}",
            NULL);
    for (int i = 0; i < 3; i++) {
        char name[40];
        snprintf(name, sizeof(name), "storage/client%d", i);
        assert_int_equal((int64_t)job_metric(&job, name, "read_bytes"), GB);
    }
    job_free(&job);
}

static void world_build__distance_is_a_round_trip(void **state)
{
    (void)state;
    static const char *const lines[] = {"rtt: 10ms", "distance: 1000km",
                                        "distance: 2000km, delay_per_km: 2.5us"};
    double took_s[3];
    for (int i = 0; i < 3; i++) {
        char topology[300];
        snprintf(topology, sizeof(topology), "wan: {%s}\nstorage: {client: {kind: nfs}}\n",
                 lines[i]);
        struct job job;
        job_run(&job, topology,
                "{kind: training, steps: 10, step: {compute: 1ms}, serial_operations: 100}", NULL);
        took_s[i] = job_run_metric(&job, "serial_s");
        job_free(&job);
    }
    assert_near(took_s[0], 1.01, 0.01); /* 100 * (10 ms + 0.1 ms and a few us) */
    assert_near(took_s[1], took_s[0], 1e-9);
    assert_near(took_s[2], took_s[0], 1e-9);
}

static void world_build__cross_traffic_takes_its_share(void **state)
{
    (void)state;
    static const char *const lines[] = {"rate: 5Gbps", "rate: 20Gbps, cross_traffic: 15Gbps"};
    double took_s[2];
    for (int i = 0; i < 2; i++) {
        char topology[300];
        snprintf(topology, sizeof(topology), "wan: {%s}\nstorage: {client: {kind: rdma}}\n",
                 lines[i]);
        struct job job;
        job_run(&job, topology, LOAD, NULL);
        took_s[i] = job_run_metric(&job, "load_s");
        job_free(&job);
    }
    assert_near(took_s[0], 1.6 * WIRE, 0.01);
    assert_near(took_s[1], took_s[0], 1e-9);
}

static void world__the_same_run_twice_is_the_same(void **state)
{
    (void)state;
    struct job job[2];
    for (int i = 0; i < 2; i++)
        job_run(&job[i],
                "node: {count: 2}\n"
                "wan: {rate: 10Gbps, rtt: 5ms, loss: 0.001%, jitter: 100us}\n"
                "storage: {client: {kind: lustre}}\n",
                "{kind: training, dataset: {size: 1GB, files: 3, records: 5000}, "
                "step: {compute: 1ms, batch_per_gpu: 10}}",
                NULL);
    assert_true(sim_fingerprint(job[0].sim) == sim_fingerprint(job[1].sim));
    assert_true(sim_events(job[0].sim) == sim_events(job[1].sim));
    assert_int_equal(job[0].record.metric_n, job[1].record.metric_n);
    for (int64_t m = 0; m < job[0].record.metric_n; m++)
        assert_memory_equal(&job[0].record.metrics[m].value, &job[1].record.metrics[m].value,
                            sizeof(double));
    job_free(&job[0]);
    job_free(&job[1]);
}

static void world_finish__keeps_the_books_of_an_unfinished_run(void **state)
{
    (void)state;
    struct job job;
    job_run(&job, "wan: {rtt: 20ms}\nstorage: {client: {kind: lustre}}\n",
            "{kind: training, dataset: {size: 10GB, records: 10000}, step: {compute: 1ms}}",
            &(struct sim_limits){.max_sim_ps = 345 * PS_PER_MS});
    assert_int_equal(job.stop, SIM_MAX_TIME);
    double sent = job_metric(&job, "storage/client0/transport", "sent_bytes");
    double delivered = job_metric(&job, "storage/client0/transport", "delivered_bytes");
    double inflight = job_metric(&job, "storage/client0/transport", "inflight_bytes");
    assert_true(inflight > 0);
    assert_true(sent == delivered + inflight);
    assert_true(job_metric(&job, "storage/client0", "read_bytes") <= delivered);
    double wire = job_metric(&job, "link/storage>wan", "wire_bytes");
    assert_true(wire > delivered - job_metric(&job, "link/wan>storage", "wire_bytes"));
    assert_true(job_metric(&job, "link/storage>wan", "utilisation") < 1.0000001);
    job_free(&job);
}

/* A member of a family, by name; every member has help. */
static bool has_member(const char *family, const char *name)
{
    bool found = false;
    for (const struct world_family *f = world_families; f->name; f++) {
        const char *help = NULL, *member;
        for (int i = 0; (member = f->member(i, &help)); i++) {
            assert_true(help && help[0]);
            found = found || (strcmp(f->name, family) == 0 && strcmp(member, name) == 0);
        }
    }
    return found;
}

static void world_families__list_every_member_with_help(void **state)
{
    (void)state;
    assert_true(has_member("clients", "lustre"));
    assert_true(has_member("clients", "local"));
    assert_true(has_member("fabrics", "single-switch"));
    assert_true(has_member("tcp-laws", "cubic"));
    assert_true(has_member("workload-kinds", "training"));
    assert_false(has_member("clients", "cubic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(world_build__nodes_share_the_line_and_the_server),
        cmocka_unit_test(world_build__local_drives_are_not_shared),
        cmocka_unit_test(world_build__a_warm_cache_reads_nothing),
        cmocka_unit_test(world_build__a_cold_pass_reads_every_byte),
        cmocka_unit_test(world_build__caches_belong_to_nodes),
        cmocka_unit_test(world_build__distance_is_a_round_trip),
        cmocka_unit_test(world_build__cross_traffic_takes_its_share),
        cmocka_unit_test(world__the_same_run_twice_is_the_same),
        cmocka_unit_test(world_finish__keeps_the_books_of_an_unfinished_run),
        cmocka_unit_test(world_families__list_every_member_with_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
