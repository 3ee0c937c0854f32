/* test_checkpoint.c - who waits for a checkpoint, for how long, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/work/checkpoint.h"
#include "tests/unit/rig.h"

/* struct bench: training that takes checkpoints on two nodes, and when it could go on. */
struct bench {
    struct rig rig;
    struct session *session[2];
    struct checkpoint_cfg cfg;
    struct checkpoint *checkpoint;
    struct timer due;
    int64_t resumed_ps;
    int resumes;
    enum bound bound;
};

static void on_resume(void *owner, enum bound bound)
{
    struct bench *bench = owner;
    bench->resumes++;
    bench->resumed_ps = sim_now_ps(bench->rig.sim);
    bench->bound = bound;
}

static void on_due(struct sim *sim, void *self)
{
    (void)sim;
    struct bench *bench = self;
    checkpoint_begin(bench->checkpoint);
}

/* A drive of 1 GB/s per node; a checkpoint of 1 GB in 8 files, half of them per node: 0.5 s. */
#define DRIVE "kind: local, drives: 1, drive_rate: 1GBps, drive_iops: 0, latency: 0s, dirty: 4MiB"
#define STORE_PS (500 * PS_PER_MS)

static void bench_draw(struct bench *bench, const char *config, int64_t nodes,
                       const struct spans *spans)
{
    *bench = (struct bench){0};
    timer_init(&bench->due, on_due, bench, 0, 0);
    struct rig_cfg rig = {.client = DRIVE, .set = {{8, 125 * MB, 0}}};
    rig_open(&bench->rig, &rig);
    struct rig *first = &bench->rig; /* a node; the other one has a drive of its own */
    bench->session[0] = first->session;
    struct server *drive = server_new(first->sim, &first->plan.device);
    bench->session[1] = session_new(first->sim, &(struct session_cfg){.plan = &first->plan,
                                                                      .server = drive,
                                                                      .cache = first->cache,
                                                                      .name = "storage/client1"});
    rig_bind(&first->arena, &checkpoint_schema, config, &bench->cfg);
    bench->checkpoint =
        checkpoint_new(first->sim, &bench->cfg, &first->set[0],
                       &(struct checkpoint_nodes){.session = bench->session,
                                                  .n = nodes,
                                                  .gpus = 4,
                                                  .resume = on_resume,
                                                  .owner = bench,
                                                  .draws = {spans, {0, 3}, "write"}});
}

static void bench_open(struct bench *bench, const char *config, int64_t nodes)
{
    bench_draw(bench, config, nodes, NULL);
}

static int64_t written(const struct bench *bench, int node)
{
    struct record record;
    record_init(&record);
    session_record(bench->session[node], &record);
    double bytes = -1;
    record_find(&record, node ? "storage/client1" : "storage/client0", "written_bytes", &bytes);
    record_free(&record);
    return (int64_t)bytes;
}

/* Begin a checkpoint at at_ps; the run goes on until training does. Returns the time it waited. */
static int64_t wait_at(struct bench *bench, int64_t at_ps)
{
    int resumes = bench->resumes;
    timer_arm(bench->rig.sim, &bench->due, at_ps);
    for (int64_t ms = 1; bench->resumes == resumes && ms < 10000; ms++)
        rig_run_until(&bench->rig, at_ps + ms * PS_PER_MS);
    assert_int_equal(bench->resumes, resumes + 1);
    return bench->resumed_ps - at_ps;
}

static void checkpoint_sync__waits_until_all_nodes_have_stored(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "size: 1GB, files: 8", 2);
    assert_near(wait_at(&bench, 0), STORE_PS, 0.001);
    assert_int_equal(written(&bench, 0), 500 * MB);
    assert_int_equal(written(&bench, 1), 500 * MB);
    assert_int_equal(bench.bound, BOUND_DEVICE);
    rig_close(&bench.rig);
}

static void checkpoint_sync__one_after_the_other(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "size: 1GB, files: 8", 2);
    for (int i = 0; i < 3; i++)
        assert_near(wait_at(&bench, i * PS_PER_S), STORE_PS, 0.001);
    assert_int_equal(written(&bench, 0), 1500 * MB);
    rig_close(&bench.rig);
}

static void checkpoint_sync__a_node_without_a_file_is_not_waited_for(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "size: 125MB, files: 1", 2);
    bench.rig.set[0].files = 1;
    bench.rig.set[0].total_bytes = 125 * MB;
    assert_near(wait_at(&bench, 0), 125 * PS_PER_MS, 0.001);
    assert_int_equal(written(&bench, 0) + written(&bench, 1), 125 * MB);
    rig_close(&bench.rig);
}

static void checkpoint_sync__the_resume_is_not_called_from_inside(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "size: 1GB, files: 8", 2);
    checkpoint_begin(bench.checkpoint);
    assert_int_equal(bench.resumes, 0);
    rig_run(&bench.rig);
    assert_int_equal(bench.resumes, 1);
    rig_close(&bench.rig);
    bench_open(&bench, "size: 1GB, files: 8, mode: async", 2);
    checkpoint_begin(bench.checkpoint);
    assert_int_equal(bench.resumes, 0);
    rig_run(&bench.rig);
    assert_int_equal(bench.resumes, 1);
    rig_close(&bench.rig);
}

/* 1 GB over 8 GPUs at 1 GB/s each: a snapshot takes 125 ms. */
#define ASYNC "size: 1GB, files: 8, mode: async, snapshot_rate: 1GBps"
#define SNAPSHOT_PS (125 * PS_PER_MS)

static void checkpoint_async__waits_for_the_snapshot_only(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, ASYNC, 2);
    assert_int_equal(wait_at(&bench, 0), SNAPSHOT_PS);
    assert_true(written(&bench, 0) < 10 * MB); /* storing has only begun */
    rig_run(&bench.rig);
    assert_int_equal(written(&bench, 0), 500 * MB);
    assert_int_equal(bench.resumes, 1);
    /* stored 0.5 s after the snapshot */
    assert_near(sim_now_ps(bench.rig.sim), SNAPSHOT_PS + STORE_PS, 0.001);
    rig_close(&bench.rig);
}

static void checkpoint_async__overlaps_with_training(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, ASYNC, 2);
    for (int i = 0; i < 4; i++) /* each is stored before the next begins */
        assert_int_equal(wait_at(&bench, i * PS_PER_S), SNAPSHOT_PS);
    rig_run(&bench.rig);
    assert_int_equal(written(&bench, 0) + written(&bench, 1), 4 * GB);
    rig_close(&bench.rig);
}

static void checkpoint_async__waits_for_the_one_before(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, ASYNC, 2);
    assert_int_equal(wait_at(&bench, 0), SNAPSHOT_PS);
    /* Stored at 625 ms: a checkpoint at 300 ms waits 325 ms for it, then takes its snapshot. */
    assert_near(wait_at(&bench, 300 * PS_PER_MS), 325 * PS_PER_MS + SNAPSHOT_PS, 0.002);
    assert_int_equal(bench.bound, BOUND_DEVICE);
    rig_run(&bench.rig);
    assert_int_equal(written(&bench, 0), 1 * GB);
    assert_int_equal(bench.resumes, 2);
    rig_close(&bench.rig);
}

static void checkpoint__one_file_per_gpu_at_a_time(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "size: 1GB, files: 8", 1);
    checkpoint_begin(bench.checkpoint);
    rig_run_until(&bench.rig, 100 * PS_PER_MS);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 4); /* four are open */
    rig_run(&bench.rig);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 8);
    rig_close(&bench.rig);
}

/* struct drawn: what a timeline was told: bytes and files of each GPU of each node. */
struct drawn {
    struct spans spans;
    int names, writes[2][4];
    int64_t bytes[2], end_ps;
};

static void see_name(void *self, struct spans_lane at, const char *text)
{
    static const char *const names[] = {"write 0", "write 1", "write 2", "write 3"};
    struct drawn *drawn = self;
    assert_in_range(at.lane, 3, 6);
    assert_string_equal(text, names[at.lane - 3]);
    drawn->names++;
}

static void see_span(void *self, const struct span *span)
{
    struct drawn *drawn = self;
    assert_in_range(span->at.node, 0, 1);
    assert_in_range(span->at.lane, 3, 6);
    bool write = strcmp(span->name, "write") == 0;
    drawn->writes[span->at.node][span->at.lane - 3] += write;
    if (write) drawn->bytes[span->at.node] += span->bytes;
    if (span->end_ps > drawn->end_ps) drawn->end_ps = span->end_ps;
}

static void checkpoint__draws_what_each_node_writes(void **state)
{
    (void)state;
    static const struct spans_ops ops = {.name = see_name, .span = see_span};
    struct drawn drawn = {.spans = {&ops, &drawn}};
    struct bench bench;
    bench_draw(&bench, "size: 1GB, files: 8", 2, &drawn.spans);
    assert_int_equal(drawn.names, 2 * 4);
    assert_near(wait_at(&bench, 0), STORE_PS, 0.001);
    assert_int_equal(drawn.end_ps, bench.resumed_ps);
    for (int node = 0; node < 2; node++) {
        assert_int_equal(drawn.bytes[node], 500 * MB);
        for (int gpu = 0; gpu < 4; gpu++)
            assert_int_equal(drawn.writes[node][gpu], 1); /* a file each */
    }
    rig_close(&bench.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoint_sync__waits_until_all_nodes_have_stored),
        cmocka_unit_test(checkpoint_sync__one_after_the_other),
        cmocka_unit_test(checkpoint_sync__a_node_without_a_file_is_not_waited_for),
        cmocka_unit_test(checkpoint_sync__the_resume_is_not_called_from_inside),
        cmocka_unit_test(checkpoint_async__waits_for_the_snapshot_only),
        cmocka_unit_test(checkpoint_async__overlaps_with_training),
        cmocka_unit_test(checkpoint_async__waits_for_the_one_before),
        cmocka_unit_test(checkpoint__one_file_per_gpu_at_a_time),
        cmocka_unit_test(checkpoint__draws_what_each_node_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
