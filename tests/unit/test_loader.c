/* test_loader.c - batches: what must be read and decoded before one is there, and what holds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/work/loader.h"
#include "tests/unit/rig.h"

/* struct bench: a loader on a rig, and a consumer that can take batches as fast as they come. */
struct bench {
    struct rig rig;
    struct loader *loader;
    int64_t ready_ps;
    int calls;
    int64_t to_take, taken; /* by on_ready, without any work */
};

static void take_all(struct bench *bench)
{
    while (bench->taken < bench->to_take && loader_ready(bench->loader)) {
        loader_take(bench->loader);
        bench->taken++;
    }
}

static void on_ready(struct sim *sim, struct loader *loader)
{
    struct bench *bench = loader_owner(loader);
    bench->calls++;
    bench->ready_ps = sim_now_ps(sim);
    take_all(bench);
}

/* 100 records of 1 MB in ten batches, one process; a drive of 100 MB/s: a batch takes 100 ms. */
#define DRIVE                                                                                      \
    "kind: local, drives: 1, drive_rate: 100MBps, drive_iops: 0, latency: 0s, "                    \
    "request_size: 500KB, readahead: 4MB"
#define BATCH_PS (100 * PS_PER_MS)

static struct loader_cfg one_process(const struct bench *bench)
{
    return (struct loader_cfg){.set = &bench->rig.set[0],
                               .records = 100,
                               .steps = 10,
                               .passes = 1,
                               .threads = 1,
                               .prefetch = 2,
                               .ready = on_ready};
}

static void bench_open(struct bench *bench, const char *client, const char *cache)
{
    *bench = (struct bench){0};
    rig_open(&bench->rig, &(struct rig_cfg){.client = client ? client : DRIVE,
                                            .cache = cache,
                                            .set = {{1, 100 * MB, 0}}});
}

static void make(struct bench *bench, const struct loader_cfg *cfg, int64_t processes)
{
    struct loader_cfg copy = *cfg;
    copy.owner = bench;
    bench->loader = loader_new(bench->rig.sim, &copy, &bench->rig.session, 1, processes);
    loader_start(bench->loader);
}

static int64_t read_bytes(const struct bench *bench)
{
    return session_read_bytes(bench->rig.session);
}

static void loader_ready__after_the_first_batch_is_read(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    make(&bench, &cfg, 1);
    assert_false(loader_ready(bench.loader));
    rig_run_until(&bench.rig, 3 * BATCH_PS / 2);
    assert_int_equal(bench.calls, 1);
    assert_near(bench.ready_ps, BATCH_PS, 0.001);
    assert_true(loader_ready(bench.loader));
    rig_close(&bench.rig);
}

static void loader_ready__calls_back_once_and_only_when_awaited(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    make(&bench, &cfg, 1);
    rig_run_until(&bench.rig, 3 * BATCH_PS);
    assert_int_equal(bench.calls, 0); /* nobody asked */
    assert_true(loader_ready(bench.loader));
    loader_take(bench.loader);
    assert_true(loader_ready(bench.loader)); /* the second is there as well */
    loader_take(bench.loader);
    assert_false(loader_ready(bench.loader));
    assert_false(loader_ready(bench.loader)); /* asked twice */
    rig_run(&bench.rig);
    assert_int_equal(bench.calls, 1);
    rig_close(&bench.rig);
}

/* Nobody takes: `prefetch` decoded batches, one raw batch, and the read-ahead of the file. */
static void loader__the_prefetch_depth_holds_the_reader(void **state)
{
    (void)state;
    for (int64_t prefetch = 1; prefetch <= 5; prefetch++) {
        struct bench bench;
        bench_open(&bench, NULL, NULL);
        struct loader_cfg cfg = one_process(&bench);
        cfg.prefetch = prefetch;
        make(&bench, &cfg, 1);
        rig_run(&bench.rig);
        int64_t ahead = (prefetch + 2) * 10 * MB;
        assert_in_range(read_bytes(&bench), (prefetch + 1) * 10 * MB, ahead + 4 * MB);
        int64_t before = read_bytes(&bench);
        assert_true(loader_ready(bench.loader));
        loader_take(bench.loader); /* makes room for one more */
        rig_run(&bench.rig);
        assert_int_equal(read_bytes(&bench) - before, 10 * MB);
        rig_close(&bench.rig);
    }
}

static void loader__the_shuffle_buffer_must_fill_first(void **state)
{
    (void)state;
    for (int64_t records = 0; records <= 80; records += 20) {
        struct bench bench;
        bench_open(&bench, NULL, NULL);
        struct loader_cfg cfg = one_process(&bench);
        cfg.shuffle_records = records;
        make(&bench, &cfg, 1);
        assert_false(loader_ready(bench.loader));
        rig_run(&bench.rig);
        assert_near(bench.ready_ps, BATCH_PS + records * BATCH_PS / 10, 0.001);
        rig_close(&bench.rig);
    }
}

static void loader__a_shuffle_buffer_beyond_the_data_waits_for_all_of_it(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    cfg.shuffle_records = 1000;
    make(&bench, &cfg, 1);
    assert_false(loader_ready(bench.loader));
    rig_run(&bench.rig);
    assert_near(bench.ready_ps, 10 * BATCH_PS, 0.001);
    rig_close(&bench.rig);
}

/* Take all batches of all passes without work; returns the time of the last. */
static int64_t drain(struct bench *bench, const struct loader_cfg *cfg, int64_t processes)
{
    bench->to_take = cfg->steps * cfg->passes;
    make(bench, cfg, processes);
    take_all(bench);
    rig_run(&bench->rig);
    assert_int_equal(bench->taken, bench->to_take);
    return bench->ready_ps;
}

static void loader__reading_bounds_a_greedy_consumer(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    assert_near(drain(&bench, &cfg, 1), 10 * BATCH_PS, 0.001);
    assert_int_equal(read_bytes(&bench), 100 * MB);
    assert_int_equal(loader_bound(bench.loader), BOUND_DEVICE);
    rig_close(&bench.rig);
}

static void loader__decoding_bounds_where_it_is_slower(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    cfg.decode_rate = 40; /* a batch of ten records in 250 ms */
    assert_near(drain(&bench, &cfg, 1), BATCH_PS + 10 * 250 * PS_PER_MS, 0.001);
    assert_int_equal(loader_bound(bench.loader), BOUND_DECODE);
    rig_close(&bench.rig);
    /* Where reading is slower, decoding hides behind it but for the last batch. */
    bench_open(&bench, NULL, NULL);
    cfg = one_process(&bench);
    cfg.decode_rate = 400;
    assert_near(drain(&bench, &cfg, 1), 10 * BATCH_PS + 25 * PS_PER_MS, 0.001);
    assert_int_equal(loader_bound(bench.loader), BOUND_DEVICE);
    rig_close(&bench.rig);
}

static void loader__processes_decode_side_by_side(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "kind: local", NULL); /* fast */
    struct loader_cfg cfg = one_process(&bench);
    cfg.decode_rate = 10; /* 100 records: 10 s for one process, 2.5 s for four */
    assert_near(drain(&bench, &cfg, 4), 2500 * PS_PER_MS, 0.02);
    rig_close(&bench.rig);
}

static void loader__each_process_reads_a_slice_of_its_own(void **state)
{
    (void)state;
    for (int64_t processes = 1; processes <= 7; processes++) {
        struct bench bench;
        bench_open(&bench, "kind: local", NULL);
        struct loader_cfg cfg = one_process(&bench);
        drain(&bench, &cfg, processes);
        assert_int_equal(read_bytes(&bench), 100 * MB); /* nothing twice, nothing left out */
        rig_close(&bench.rig);
    }
}

static void loader__passes_go_on_by_themselves(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    cfg.passes = 4;
    assert_near(drain(&bench, &cfg, 1), 40 * BATCH_PS, 0.001);
    assert_int_equal(read_bytes(&bench), 400 * MB);
    rig_close(&bench.rig);
}

static void loader__later_passes_come_from_the_page_cache(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, "size: 1GB");
    struct loader_cfg cfg = one_process(&bench);
    cfg.passes = 4;
    assert_near(drain(&bench, &cfg, 1), 10 * BATCH_PS, 0.001);
    assert_int_equal(read_bytes(&bench), 100 * MB);
    rig_close(&bench.rig);
}

static void loader__decoded_samples_in_memory_are_not_read_again(void **state)
{
    (void)state;
    static const double fractions[] = {0, 0.25, 0.5, 1};
    for (int i = 0; i < 4; i++) {
        struct bench bench;
        bench_open(&bench, NULL, NULL);
        struct loader_cfg cfg = one_process(&bench);
        cfg.passes = 3;
        cfg.cached_fraction = fractions[i];
        double factor = 1 + 2 * (1 - fractions[i]);
        assert_near(drain(&bench, &cfg, 1), factor * 10 * (double)BATCH_PS, 0.001);
        assert_near(read_bytes(&bench), factor * 100e6, 1e-6);
        rig_close(&bench.rig);
    }
}

static void loader__decoded_samples_in_memory_are_not_decoded_again(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "kind: local", NULL);
    struct loader_cfg cfg = one_process(&bench);
    cfg.passes = 3;
    cfg.cached_fraction = 0.75;
    cfg.decode_rate = 100; /* a pass: 1 s */
    assert_near(drain(&bench, &cfg, 1), 1500 * PS_PER_MS, 0.01);
    rig_close(&bench.rig);
}

static void loader_start__begins_again(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL, NULL);
    struct loader_cfg cfg = one_process(&bench);
    drain(&bench, &cfg, 1);
    int64_t start_ps = sim_now_ps(bench.rig.sim);
    bench.taken = 0;
    loader_start(bench.loader);
    take_all(&bench);
    rig_run(&bench.rig);
    assert_int_equal(bench.taken, 10);
    assert_near(bench.ready_ps - start_ps, 10 * BATCH_PS, 0.001);
    assert_int_equal(read_bytes(&bench), 200 * MB);
    rig_close(&bench.rig);
}

static void loader__more_steps_than_records_or_bytes_per_step(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "kind: local", NULL);
    struct loader_cfg cfg = one_process(&bench);
    cfg.records = 3;
    cfg.steps = 1000; /* a third of a record for 333 steps */
    cfg.passes = 2;
    drain(&bench, &cfg, 3);
    assert_int_equal(read_bytes(&bench), 200 * MB);
    rig_close(&bench.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loader_ready__after_the_first_batch_is_read),
        cmocka_unit_test(loader_ready__calls_back_once_and_only_when_awaited),
        cmocka_unit_test(loader__the_prefetch_depth_holds_the_reader),
        cmocka_unit_test(loader__the_shuffle_buffer_must_fill_first),
        cmocka_unit_test(loader__a_shuffle_buffer_beyond_the_data_waits_for_all_of_it),
        cmocka_unit_test(loader__reading_bounds_a_greedy_consumer),
        cmocka_unit_test(loader__decoding_bounds_where_it_is_slower),
        cmocka_unit_test(loader__processes_decode_side_by_side),
        cmocka_unit_test(loader__each_process_reads_a_slice_of_its_own),
        cmocka_unit_test(loader__passes_go_on_by_themselves),
        cmocka_unit_test(loader__later_passes_come_from_the_page_cache),
        cmocka_unit_test(loader__decoded_samples_in_memory_are_not_read_again),
        cmocka_unit_test(loader__decoded_samples_in_memory_are_not_decoded_again),
        cmocka_unit_test(loader_start__begins_again),
        cmocka_unit_test(loader__more_steps_than_records_or_bytes_per_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
