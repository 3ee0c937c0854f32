/* test_reader.c - threads over files: pieces, opening, allowance, names of waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "models/work/reader.h"
#include "tests/unit/rig.h"

/* struct bench: one reader on a rig. */
struct bench {
    struct rig rig;
    struct reader reader;
    int64_t last_taken, end_ps;
    int ends;
};

static void on_progress(struct sim *sim, struct reader *reader)
{
    struct bench *bench = reader->owner;
    assert_true(reader->taken_bytes > bench->last_taken); /* only called when it has grown */
    if (!reader->write) assert_true(reader->taken_bytes <= reader->allowed_bytes);
    bench->last_taken = reader->taken_bytes;
    if (!reader_at_end(reader)) return;
    bench->ends++;
    bench->end_ps = sim_now_ps(sim);
}

static void bench_open(struct bench *bench, const struct rig_cfg *cfg, int64_t threads, bool write)
{
    *bench = (struct bench){0};
    rig_open(&bench->rig, cfg);
    bench->reader = (struct reader){.session = bench->rig.session,
                                    .set = &bench->rig.set[0],
                                    .write = write,
                                    .threads = threads,
                                    .progress = on_progress,
                                    .owner = bench};
    reader_init(&bench->reader);
}

/* Read [begin, end) to its end; returns the time that it took. */
static int64_t read_range(struct bench *bench, int64_t begin, int64_t end)
{
    int64_t start_ps = sim_now_ps(bench->rig.sim);
    int ends = bench->ends;
    bench->last_taken = 0;
    reader_start(&bench->reader, begin, end);
    reader_allow(&bench->reader, end - begin);
    rig_run(&bench->rig);
    assert_int_equal(bench->reader.taken_bytes, end - begin);
    assert_int_equal(bench->ends, ends + 1);
    return bench->end_ps - start_ps;
}

/* A drive that answers each request after 10 ms and knows no other limit. */
#define SLOW                                                                                       \
    "kind: local, drives: 1, drive_rate: 100Tbps, drive_iops: 0, latency: 10ms, "                  \
    "request_size: 1MiB, readahead: 1MiB"

static void reader_start__reads_a_range_that_begins_and_ends_inside_files(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{5, 10 * MB, 0}}}, 1, false);
    read_range(&bench, 3 * MB + 1, 34 * MB + 5);
    assert_int_equal(session_read_bytes(bench.rig.session), 31 * MB + 4);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 4); /* files 0 to 3 */
    rig_close(&bench.rig);
}

static void reader_start__the_last_file_may_be_short(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{3, 10 * MB, 20 * MB + 1}}}, 2,
               false);
    read_range(&bench, 0, 20 * MB + 1);
    assert_int_equal(session_read_bytes(bench.rig.session), 20 * MB + 1);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 3);
    rig_close(&bench.rig);
}

static void reader_start__a_range_of_one_byte(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{3, 10 * MB, 0}}}, 8, false);
    read_range(&bench, 10 * MB, 10 * MB + 1);
    assert_int_equal(session_read_bytes(bench.rig.session), 1);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 1);
    rig_close(&bench.rig);
}

/* 8 files of 8 MiB, 8 requests each: a thread does one file at a time. */
static void reader_start__threads_work_side_by_side(void **state)
{
    (void)state;
    for (int64_t threads = 1; threads <= 8; threads *= 2) {
        struct bench bench;
        bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{8, 8 * MiB, 0}}}, threads,
                   false);
        int64_t took_ps = read_range(&bench, 0, 64 * MiB);
        assert_near(took_ps, 8 / threads * 8 * 10 * PS_PER_MS, 0.01);
        assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 8);
        rig_close(&bench.rig);
    }
}

/* A file of 64 MiB for eight threads: eight ranges of 8 MiB, each opened. */
static void reader_start__fewer_files_than_threads_are_divided(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{1, 64 * MiB, 0}}}, 8, false);
    assert_near(read_range(&bench, 0, 64 * MiB), 8 * 10 * PS_PER_MS, 0.01);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 8);
    rig_close(&bench.rig);
}

static void reader_start__an_uncached_file_costs_a_metadata_operation(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               &(struct rig_cfg){.client = "kind: lustre, tcp_law: fixed, tcp_window: 0B",
                                 .server = "service_time: 0s, metadata_time: 3ms",
                                 .wan = "rate: 100Tbps, rtt: 7ms",
                                 .cache = "size: 1GB",
                                 .set = {{20, 1000, 0}}},
               1, false);
    assert_near(read_range(&bench, 0, 20 * 1000), 20 * (10 + 7) * PS_PER_MS, 0.001);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 20);
    /* Again: pages and inodes are cached. Nothing is asked for, no time passes. */
    assert_int_equal(read_range(&bench, 0, 20 * 1000), 0);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 20);
    assert_int_equal(session_read_bytes(bench.rig.session), 20 * 1000);
    rig_close(&bench.rig);
}

static void reader_allow__holds_the_process(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{4, 8 * MiB, 0}}}, 1, false);
    reader_start(&bench.reader, 0, 32 * MiB);
    rig_run(&bench.rig);
    assert_int_equal(bench.reader.taken_bytes, 0); /* nothing is allowed yet */
    int64_t steps[] = {1, 100 * KiB, 9 * MiB, 9 * MiB + 1, 31 * MiB, 32 * MiB};
    for (int i = 0; i < 6; i++) {
        reader_allow(&bench.reader, steps[i]);
        rig_run(&bench.rig);
        assert_int_equal(bench.reader.taken_bytes, steps[i]);
    }
    assert_int_equal(bench.ends, 1);
    rig_close(&bench.rig);
}

/* The allowance is the process's, not each thread's. */
static void reader_allow__holds_all_threads_together(void **state)
{
    (void)state;
    for (int64_t threads = 2; threads <= 4; threads++) {
        struct bench bench;
        bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{4, 8 * MiB, 0}}}, threads,
                   false);
        reader_start(&bench.reader, 0, 32 * MiB);
        rig_run(&bench.rig);
        int64_t steps[] = {3 * MiB, 3 * MiB + 1, 10 * MiB + 7, 31 * MiB, 32 * MiB};
        for (int i = 0; i < 5; i++) {
            reader_allow(&bench.reader, steps[i]);
            rig_run(&bench.rig);
            assert_int_equal(bench.reader.taken_bytes, steps[i]);
        }
        assert_int_equal(bench.ends, 1);
        rig_close(&bench.rig);
    }
}

static void reader_allow__never_shrinks(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{4, 8 * MiB, 0}}}, 1, false);
    reader_start(&bench.reader, 0, 32 * MiB);
    reader_allow(&bench.reader, 5 * MiB);
    reader_allow(&bench.reader, 2 * MiB);
    rig_run(&bench.rig);
    assert_int_equal(bench.reader.taken_bytes, 5 * MiB);
    rig_close(&bench.rig);
}

/* struct drawn: what the timeline was told of one reader of two threads. */
struct drawn {
    struct spans spans;
    int names, opens, reads;
    int64_t bytes, end_ps[2];
};

static void see_name(void *self, struct spans_lane at, const char *text)
{
    struct drawn *drawn = self;
    assert_int_equal(at.node, 3);
    assert_string_equal(text, at.lane == 5 ? "load 0" : "load 1");
    drawn->names++;
}

static void see_span(void *self, const struct span *span)
{
    struct drawn *drawn = self;
    assert_in_range(span->at.lane, 5, 6);
    int64_t *end_ps = &drawn->end_ps[span->at.lane - 5];
    assert_true(span->start_ps >= *end_ps); /* they do not overlap */
    assert_string_equal(span->category, "io");
    *end_ps = span->end_ps;
    drawn->opens += strcmp(span->name, "open") == 0;
    if (strcmp(span->name, "read") != 0) return;
    drawn->reads++;
    drawn->bytes += span->bytes;
}

static void reader_draws__all_bytes_and_pauses_while_none_are_allowed(void **state)
{
    (void)state;
    static const struct spans_ops ops = {.name = see_name, .span = see_span};
    struct drawn drawn = {.spans = {&ops, &drawn}};
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{4, 8 * MiB, 0}}}, 2, false);
    bench.reader.draws = (struct reader_draws){&drawn.spans, {3, 5}, "load"};
    reader_init(&bench.reader);
    assert_int_equal(drawn.names, 2);
    reader_start(&bench.reader, 0, 32 * MiB);
    reader_allow(&bench.reader, 3 * MiB);
    rig_run(&bench.rig);
    assert_int_equal(drawn.bytes, 3 * MiB); /* ended when nothing more was allowed */
    int reads = drawn.reads;
    reader_allow(&bench.reader, 32 * MiB);
    rig_run(&bench.rig);
    assert_int_equal(drawn.bytes, 32 * MiB);
    assert_int_equal(drawn.reads, reads + 4);
    rig_close(&bench.rig);
}

static void reader_start__again_after_the_end(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{4, 8 * MiB, 0}}}, 3, false);
    for (int pass = 1; pass <= 3; pass++) {
        read_range(&bench, MiB, 31 * MiB);
        assert_int_equal(session_read_bytes(bench.rig.session), pass * 30 * MiB);
    }
    rig_close(&bench.rig);
}

static void reader_start__writes_without_an_allowance(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{4, 8 * MiB, 0}}}, 2, true);
    reader_start(&bench.reader, 8 * MiB, 32 * MiB);
    rig_run(&bench.rig);
    assert_int_equal(bench.reader.taken_bytes, 24 * MiB);
    assert_int_equal(rig_count(&bench.rig, "written_bytes"), 24 * MiB);
    assert_int_equal(rig_count(&bench.rig, "read_bytes"), 0);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 3);
    assert_int_equal(bench.ends, 1);
    rig_close(&bench.rig);
}

static void reader__names_readahead_where_it_binds(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &(struct rig_cfg){.client = SLOW, .set = {{1, 8 * MiB, 0}}}, 1, false);
    read_range(&bench, 0, 8 * MiB);
    assert_int_equal(bench.reader.bound, BOUND_READAHEAD);
    rig_close(&bench.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_start__reads_a_range_that_begins_and_ends_inside_files),
        cmocka_unit_test(reader_start__the_last_file_may_be_short),
        cmocka_unit_test(reader_start__a_range_of_one_byte),
        cmocka_unit_test(reader_start__threads_work_side_by_side),
        cmocka_unit_test(reader_start__fewer_files_than_threads_are_divided),
        cmocka_unit_test(reader_start__an_uncached_file_costs_a_metadata_operation),
        cmocka_unit_test(reader_allow__holds_the_process),
        cmocka_unit_test(reader_allow__holds_all_threads_together),
        cmocka_unit_test(reader_allow__never_shrinks),
        cmocka_unit_test(reader_draws__all_bytes_and_pauses_while_none_are_allowed),
        cmocka_unit_test(reader_start__again_after_the_end),
        cmocka_unit_test(reader_start__writes_without_an_allowance),
        cmocka_unit_test(reader__names_readahead_where_it_binds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
