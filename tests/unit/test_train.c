/* test_train.c - the training loop on small worlds: where each picosecond goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rig.h"

/* Drives that take no time worth mentioning; a line of 9 ms with a server of 1 ms. */
#define LOCAL "node: {gpus: 2}\nstorage: {client: {kind: local}}\n"
#define REMOTE                                                                                     \
    "node: {gpus: 2, cache: {size: 10GB}}\n"                                                       \
    "nic: {delay: 0s}\n"                                                                           \
    "fabric: {kind: single-switch, latency: 0s}\n"                                                 \
    "wan: {rtt: 9ms}\n"                                                                            \
    "storage:\n"                                                                                   \
    "  server: {service_time: 1ms, metadata_time: 1ms}\n"                                          \
    "  client: {kind: lustre, tcp_law: fixed}\n"

/* Every phase begins where the one before ends, and its shares add up to its length exactly. */
static void assert_complete(const struct job *job)
{
    const struct record *record = &job->record;
    assert_true(record->phase_n > 0);
    for (int64_t p = 0; p < record->phase_n; p++) {
        const struct record_phase *phase = &record->phases[p];
        if (p > 0) assert_int_equal(phase->start_ps, record->phases[p - 1].end_ps);
        int64_t sum_ps = 0;
        for (int64_t s = 0; s < record->share_n; s++)
            if (record->shares[s].phase == p) sum_ps += record->shares[s].time_ps;
        assert_int_equal(sum_ps, phase->end_ps - phase->start_ps);
    }
}

static int64_t time_to_train_ps(const struct job *job)
{
    return units_ps(job_run_metric(job, "time_to_train_s"));
}

static void run_all(struct job *job, const char *topology, const char *workload)
{
    job_run(job, topology, workload, NULL);
    assert_int_equal(job->stop, SIM_DONE);
    assert_complete(job);
    int64_t n = job->record.phase_n;
    assert_int_equal(job->record.phases[n - 1].end_ps, time_to_train_ps(job));
}

static void train__steps_without_data_take_their_time(void **state)
{
    (void)state;
    struct job job;
    run_all(&job, LOCAL,
            "{kind: training, steps: 10, epochs: 3, startup: 2s, step: {compute: 70ms}}");
    assert_int_equal(time_to_train_ps(&job), 2 * PS_PER_S + 30 * 70 * PS_PER_MS);
    assert_int_equal(job.record.phase_n, 4);
    assert_int_equal(job_phase(&job, "start")->end_ps, 2 * PS_PER_S);
    assert_int_equal(job_phase(&job, "from step 11")->start_ps, 2700 * PS_PER_MS);
    assert_int_equal(job_share(&job, NULL, "compute", "compute"), 30 * 70 * PS_PER_MS);
    assert_int_equal(job_share(&job, "start", "start", "start-up"), 2 * PS_PER_S);
    assert_int_equal((int)job_run_metric(&job, "steps"), 30);
    assert_near(job_run_metric(&job, "accelerator_utilisation"), 2.1 / 4.1, 1e-9);
    job_free(&job);
}

static void train__without_a_start_up_there_is_no_such_phase(void **state)
{
    (void)state;
    struct job job;
    run_all(&job, LOCAL, "{kind: training, steps: 1, step: {compute: 5ms}}");
    assert_int_equal(job.record.phase_n, 1);
    assert_int_equal(time_to_train_ps(&job), 5 * PS_PER_MS);
    job_free(&job);
}

#define RICH                                                                                       \
    "kind: training\n"                                                                             \
    "epochs: 3\n"                                                                                  \
    "startup: 1s\n"                                                                                \
    "load: {size: 500MB, files: 10, streams: 4}\n"                                                 \
    "dataset: {size: 1GB, files: 7, records: 10007}\n"                                             \
    "reader: {threads: 2, prefetch: 3, shuffle_records: 100, decode_rate: 5000}\n"                 \
    "step: {compute: 13ms, batch_per_gpu: 50}\n"                                                   \
    "all_reduce: {size: 100MB, overlap: 70%%}\n"                                                   \
    "evaluation:\n"                                                                                \
    "  dataset: {size: 100MB, files: 3, records: 1001}\n"                                          \
    "  compute: 100ms\n"                                                                           \
    "  after_epochs: [1, 3]\n"                                                                     \
    "  after_steps: [30, 150]\n"                                                                   \
    "checkpoint: {size: 80MB, files: 5, every_steps: 37, mode: %s}\n"                              \
    "serial_operations: 41\n"

static void train__phases_of_a_rich_job_add_up(void **state)
{
    (void)state;
    static const char *const modes[] = {"sync", "async"};
    static const char *const topologies[] = {LOCAL, REMOTE};
    for (int i = 0; i < 4; i++) {
        char workload[2000];
        snprintf(workload, sizeof(workload), RICH, modes[i % 2]);
        struct job job;
        run_all(&job, topologies[i / 2], workload);
        const struct record *record = &job.record;
        assert_string_equal(record->phases[0].name, "load");
        assert_int_equal(record->phases[0].end_ps, 0); /* the clock starts when it is over */
        assert_int_equal((int)job_run_metric(&job, "steps"), 3 * 101);
        int64_t compute_ps = 303 * 13 * PS_PER_MS;
        assert_int_equal(job_share(&job, NULL, "compute", NULL), compute_ps);
        for (int e = 1; e <= 4; e++) {
            char name[40];
            snprintf(name, sizeof(name), "evaluation %d", e);
            assert_near(job_share(&job, name, "evaluation", NULL), 100 * PS_PER_MS, 1e-9);
        }
        assert_true(job_share(&job, NULL, "checkpoint", NULL) > 0);
        job_free(&job);
    }
}

/* The name says which limit; the time is what reading takes, all passes from storage. */
static void train__read_stalls_are_what_compute_does_not_hide(void **state)
{
    (void)state;
    struct job job;
    run_all(&job,
            "node: {gpus: 2}\n"
            "storage: {client: {kind: local, drives: 1, drive_rate: 100MBps, drive_iops: 0}}\n",
            "{kind: training, epochs: 2, dataset: {size: 1GB, records: 1000}, "
            "step: {compute: 40ms, batch_per_gpu: 5}}");
    /* 100 steps of 10 MB: 100 ms to read, 40 ms to compute */
    assert_near(time_to_train_ps(&job), 20 * PS_PER_S, 0.01);
    assert_near(job_run_metric(&job, "first_epoch_s"), 10, 0.01);
    assert_near(job_run_metric(&job, "later_epoch_s"), 10, 0.01);
    assert_near(job_run_metric(&job, "read_stall_s"), 12, 0.02);
    assert_near(job_share(&job, NULL, "read_stall", "device"), 12 * PS_PER_S, 0.03);
    assert_near(job_run_metric(&job, "first_epoch_read_rate"), 800e6, 0.02);
    assert_string_equal(job_phase(&job, "epoch 2")->bound, "device");
    job_free(&job);
    /* Where reading is faster than compute there is only the first batch to wait for. */
    run_all(&job,
            "node: {gpus: 2}\n"
            "storage: {client: {kind: local, drives: 1, drive_rate: 1GBps, drive_iops: 0}}\n",
            "{kind: training, epochs: 2, dataset: {size: 1GB, records: 1000}, "
            "step: {compute: 40ms, batch_per_gpu: 5}}");
    assert_near(time_to_train_ps(&job), 8 * PS_PER_S, 0.01);
    assert_string_equal(job_phase(&job, "epoch 2")->bound, "compute");
    job_free(&job);
}

static void train__serial_operations_cost_a_round_trip_each(void **state)
{
    (void)state;
    static const int counts[] = {0, 1, 7, 10, 95};
    for (int i = 0; i < 5; i++) {
        char workload[200];
        snprintf(workload, sizeof(workload),
                 "{kind: training, steps: 10, step: {compute: 50ms}, serial_operations: %d}",
                 counts[i]);
        struct job job;
        run_all(&job, REMOTE, workload);
        int64_t serial_ps = job_share(&job, NULL, "serial", "metadata");
        assert_near(serial_ps, counts[i] * 10 * PS_PER_MS, 1e-4);
        assert_int_equal(time_to_train_ps(&job), 500 * PS_PER_MS + serial_ps);
        assert_int_equal((int)job_metric(&job, "storage/client0", "metadata_operations"),
                         counts[i]);
        job_free(&job);
    }
}

static void train__evaluations_after_epochs(void **state)
{
    (void)state;
    struct job job;
    run_all(&job, LOCAL,
            "{kind: training, steps: 4, epochs: 6, step: {compute: 10ms}, "
            "evaluation: {compute: 5ms, after_epochs: [1, 4, 6]}}");
    assert_int_equal(time_to_train_ps(&job), (24 * 10 + 3 * 5) * PS_PER_MS);
    int64_t start_ms[] = {40, 165, 250};
    for (int e = 0; e < 3; e++) {
        char name[40];
        snprintf(name, sizeof(name), "evaluation %d", e + 1);
        assert_int_equal(job_phase(&job, name)->start_ps, start_ms[e] * PS_PER_MS);
        assert_int_equal(job_phase(&job, name)->end_ps, (start_ms[e] + 5) * PS_PER_MS);
    }
    assert_near(job_run_metric(&job, "evaluation_s"), 0.015, 1e-9);
    assert_int_equal(job.record.phase_n, 6 + 3);
    job_free(&job);
}

static void train__evaluations_after_steps(void **state)
{
    (void)state;
    struct job job;
    run_all(&job, LOCAL,
            "{kind: training, steps: 20, step: {compute: 10ms}, "
            "evaluation: {compute: 5ms, after_steps: [1, 12, 20]}}");
    assert_int_equal(time_to_train_ps(&job), (20 * 10 + 3 * 5) * PS_PER_MS);
    assert_int_equal(job_phase(&job, "from step 1")->end_ps, 10 * PS_PER_MS);
    assert_int_equal(job_phase(&job, "evaluation 1")->end_ps, 15 * PS_PER_MS);
    assert_int_equal(job_phase(&job, "from step 2")->end_ps, 125 * PS_PER_MS);
    assert_int_equal(job_phase(&job, "from step 13")->start_ps, 130 * PS_PER_MS);
    assert_int_equal(job.record.phase_n, 6); /* nothing after the last evaluation */
    job_free(&job);
}

static void train__an_evaluation_reads_its_own_data(void **state)
{
    (void)state;
    struct job job;
    run_all(&job, "node: {gpus: 2, cache: {size: 1GB}}\nstorage: {client: {kind: local}}\n",
            "{kind: training, steps: 4, epochs: 3, step: {compute: 10ms, batch_per_gpu: 10}, "
            "evaluation: {compute: 20ms, after_epochs: [1, 2, 3], "
            "dataset: {size: 300MB, files: 2, records: 200}}}");
    assert_int_equal(job_phase(&job, "evaluation 1")->read_bytes, 300 * MB);
    assert_int_equal(job_phase(&job, "evaluation 2")->read_bytes, 0); /* cached by now */
    assert_int_equal((int64_t)job_metric(&job, "storage/client0", "read_bytes"), 300 * MB);
    assert_int_equal(job_share(&job, "evaluation 2", "evaluation", NULL), 20 * PS_PER_MS);
    assert_true(job_share(&job, "evaluation 1", "read_stall", NULL) > 0);
    job_free(&job);
}

static void train__checkpoints_every_n_steps(void **state)
{
    (void)state;
    static const struct {
        int every, count;
    } cases[] = {{0, 0}, {1, 20}, {6, 3}, {10, 2}, {20, 1}, {21, 0}};
    for (int i = 0; i < 6; i++) {
        char workload[300];
        snprintf(workload, sizeof(workload),
                 "{kind: training, steps: 10, epochs: 2, step: {compute: 10ms}, "
                 "checkpoint: {size: 10MB, files: 2, every_steps: %d}}",
                 cases[i].every);
        struct job job;
        run_all(&job,
                "node: {gpus: 2}\n"
                "storage: {client: {kind: local, drives: 1, drive_rate: 1GBps, drive_iops: 0, "
                "latency: 0s}}\n",
                workload);
        int64_t wrote = (int64_t)job_metric(&job, "storage/client0", "written_bytes");
        assert_int_equal(wrote, cases[i].count * 10 * MB);
        int64_t waited_ps = job_share(&job, NULL, "checkpoint", NULL);
        assert_near(waited_ps, cases[i].count * 10 * PS_PER_MS, 0.005);
        assert_int_equal(time_to_train_ps(&job), 200 * PS_PER_MS + waited_ps);
        job_free(&job);
    }
}

/* 2 (n-1)/n * size / rate, less what is hidden. */
static void train__the_exposed_part_of_the_all_reduce_is_added(void **state)
{
    (void)state;
    static const struct {
        const char *node, *overlap;
        double step_ms;
    } cases[] = {
        {"count: 1, gpus: 8", "0%", 2 * 7.0 / 8},
        {"count: 4, gpus: 8", "0%", 2 * 31.0 / 32},
        {"count: 1, gpus: 8", "75%", 2 * 7.0 / 32},
        {"count: 1, gpus: 8", "100%", 0},
        {"count: 1, gpus: 1", "0%", 0},
    };
    for (int i = 0; i < 5; i++) {
        char topology[200], workload[200];
        snprintf(topology, sizeof(topology),
                 "node: {%s, gpu_link_rate: 100GBps}\nstorage: {client: {kind: local}}\n",
                 cases[i].node);
        snprintf(workload, sizeof(workload),
                 "{kind: training, steps: 50, step: {compute: 10ms}, "
                 "all_reduce: {size: 100MB, overlap: %s}}",
                 cases[i].overlap);
        struct job job;
        run_all(&job, topology, workload);
        double reduce_s = units_s(job_share(&job, NULL, "all_reduce", "nvlink"));
        assert_near(reduce_s, 50 * cases[i].step_ms * 1e-3, 1e-6);
        assert_near(job_run_metric(&job, "time_to_train_s"), 0.5 + reduce_s, 1e-9);
        job_free(&job);
    }
}

static void train__the_load_comes_before_the_clock(void **state)
{
    (void)state;
    struct job job;
    run_all(&job,
            "node: {gpus: 1, count: 3}\n"
            "storage: {client: {kind: local, drives: 1, drive_rate: 1GBps, latency: 0s}}\n",
            "{kind: training, load: {size: 1GB, files: 4, streams: 2}, startup: 1s, steps: 1, "
            "step: {compute: 1s}}");
    assert_near(job_run_metric(&job, "load_s"), 1, 0.001); /* each node has a drive of its own */
    assert_int_equal(time_to_train_ps(&job), 2 * PS_PER_S);
    assert_int_equal(job_phase(&job, "load")->read_bytes, 3 * GB);
    assert_near(job_run_metric(&job, "load_read_rate"), 24e9, 0.001);
    job_free(&job);
}

static void train__a_guard_stops_it_where_it_stands(void **state)
{
    (void)state;
    static const char workload[] = "{kind: training, steps: 1000, step: {compute: 10ms}}";
    struct job job;
    job_run(&job, LOCAL, workload, &(struct sim_limits){.max_sim_ps = 995 * PS_PER_MS});
    assert_int_equal(job.stop, SIM_MAX_TIME);
    assert_int_equal((int)job_run_metric(&job, "steps"), 99);
    double none;
    assert_false(record_find(&job.record, "run", "time_to_train_s", &none));
    assert_int_equal(job_phase(&job, "from step 1")->end_ps, 995 * PS_PER_MS);
    job_free(&job);
    job_run(&job, LOCAL, workload, &(struct sim_limits){.max_events = 500});
    assert_int_equal(job.stop, SIM_MAX_EVENTS);
    assert_int_equal((int)sim_events(job.sim), 500);
    assert_false(record_find(&job.record, "run", "time_to_train_s", &none));
    job_free(&job);
}

static void train__steps_per_epoch_come_from_the_records(void **state)
{
    (void)state;
    static const struct {
        int records, batch, steps;
    } cases[] = {{1000, 10, 50}, {1001, 10, 51}, {1, 10, 1}, {20, 10, 1}, {21, 10, 2}};
    for (int i = 0; i < 5; i++) {
        char workload[200];
        snprintf(workload, sizeof(workload),
                 "{kind: training, epochs: 2, dataset: {size: 10MB, records: %d}, "
                 "step: {compute: 1ms, batch_per_gpu: %d}}",
                 cases[i].records, cases[i].batch);
        struct job job;
        run_all(&job, LOCAL, workload);
        assert_int_equal((int)job_run_metric(&job, "steps"), 2 * cases[i].steps);
        assert_int_equal((int64_t)job_metric(&job, "storage/client0", "read_bytes"), 20 * MB);
        job_free(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train__steps_without_data_take_their_time),
        cmocka_unit_test(train__without_a_start_up_there_is_no_such_phase),
        cmocka_unit_test(train__phases_of_a_rich_job_add_up),
        cmocka_unit_test(train__read_stalls_are_what_compute_does_not_hide),
        cmocka_unit_test(train__serial_operations_cost_a_round_trip_each),
        cmocka_unit_test(train__evaluations_after_epochs),
        cmocka_unit_test(train__evaluations_after_steps),
        cmocka_unit_test(train__an_evaluation_reads_its_own_data),
        cmocka_unit_test(train__checkpoints_every_n_steps),
        cmocka_unit_test(train__the_exposed_part_of_the_all_reduce_is_added),
        cmocka_unit_test(train__the_load_comes_before_the_clock),
        cmocka_unit_test(train__a_guard_stops_it_where_it_stands),
        cmocka_unit_test(train__steps_per_epoch_come_from_the_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
