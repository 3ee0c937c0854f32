/* test_server.c - targets as stations, the appliance behind them, latencies, striping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/messages.h"
#include "tests/unit/rig.h"

#define OPS_MAX 64

/* struct bench: a server, some operations, when each was done and in which order. */
struct bench {
    struct arena arena;
    struct sim *sim;
    struct server_cfg cfg;
    struct server *server;
    struct server_op op[OPS_MAX];
    int64_t done_ps[OPS_MAX];
    int order[OPS_MAX], done_n, n;
};

static void on_done(struct sim *sim, struct server_op *op)
{
    struct bench *bench = op->owner;
    int i = (int)(op - bench->op);
    bench->done_ps[i] = sim_now_ps(sim);
    bench->order[bench->done_n++] = i;
}

static void bench_open(struct bench *bench, const char *config)
{
    *bench = (struct bench){0};
    bench->sim = sim_new(&bench->arena, 1, "a test");
    rig_bind(&bench->arena, &server_schema, config, &bench->cfg);
    bench->server = server_new(bench->sim, &bench->cfg);
}

static void submit(struct bench *bench, int32_t target, int64_t bytes)
{
    struct server_op *op = &bench->op[bench->n++];
    *op = (struct server_op){.bytes = bytes, .target = target, .done = on_done, .owner = bench};
    server_submit(bench->server, op);
}

static void run(struct bench *bench)
{
    sim_run(bench->sim, &(struct sim_limits){0});
    assert_int_equal(bench->done_n, bench->n);
}

static void server_schema__refuses_more_stripes_or_peers_than_targets(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct err err = {0};
    struct server_cfg cfg;
    struct tree_node *tree = rig_tree(&arena, "peers: 5\ntargets: 4\nstripe_count: 6\n");
    struct schema_into into = {.arena = &arena, .prefix = "", .err = &err};
    assert_false(schema_bind(&into, &server_schema, tree, &cfg));
    assert_messages(&err,
                    "test.yaml:3:15: error: C003: more stripes than targets\n"
                    "  stripe_count: 6\n"
                    "                ^\n"
                    "test.yaml:1:8: error: C004: more peers than targets leaves peers without "
                    "any\n"
                    "  peers: 5\n"
                    "         ^\n");
    err_free(&err);
    arena_free(&arena);
}

static void server_submit__first_come_first_served_at_a_target(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "target_rate: 8Gbps, service_time: 200us");
    submit(&bench, 3, 1 * MB); /* 1 ms each */
    submit(&bench, 3, 3 * MB);
    submit(&bench, 3, 1 * MB);
    run(&bench);
    int64_t done_us[] = {1200, 4200, 5200}, wait_us[] = {1000, 4000, 5000};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bench.order[i], i);
        assert_int_equal(bench.done_ps[i], done_us[i] * PS_PER_US);
        assert_int_equal(bench.op[i].wait_ps, wait_us[i] * PS_PER_US);
    }
    arena_free(&bench.arena);
}

static void server_submit__targets_work_side_by_side(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "targets: 8, target_rate: 8Gbps, service_time: 200us");
    for (int32_t target = 0; target < 8; target++)
        submit(&bench, target, 1 * MB);
    run(&bench);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(bench.done_ps[i], 1200 * PS_PER_US);
        assert_int_equal(bench.op[i].wait_ps, PS_PER_MS); /* nobody before it: its own reading */
    }
    arena_free(&bench.arena);
}

/* Ten operations at one target, then one at another: that one is not served behind them. The
 * appliance passes each on in 8 us. */
static void server_submit__a_busy_target_holds_up_no_other(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "peers: 1, targets: 2, target_rate: 8Gbps, rate: 1000Gbps, "
                       "service_time: 0s");
    for (int i = 0; i < 11; i++)
        submit(&bench, i == 10, 1 * MB);
    run(&bench);
    assert_in_range(bench.done_ps[10], PS_PER_MS, PS_PER_MS + 8 * PS_PER_US);
    assert_in_range(bench.done_ps[9], 10 * PS_PER_MS, 10 * PS_PER_MS + 8 * PS_PER_US);
    arena_free(&bench.arena);
}

static void server_submit__a_free_target_has_no_memory_of_its_queue(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "target_rate: 8Gbps, service_time: 0s");
    submit(&bench, 0, 1 * MB);
    run(&bench);
    submit(&bench, 0, 1 * MB);
    run(&bench);
    assert_int_equal(bench.done_ps[1], 2 * PS_PER_MS);
    assert_int_equal(bench.op[1].wait_ps, PS_PER_MS); /* from 1 ms to 2 ms */
    arena_free(&bench.arena);
}

static void server_submit__iops_bound_small_operations(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "target_rate: 8Gbps, target_iops: 1000, service_time: 0s");
    for (int i = 0; i < 10; i++)
        submit(&bench, 0, 4 * KiB);
    submit(&bench, 0, 5 * MB); /* longer than 1/IOPS: its bytes count */
    run(&bench);
    for (int i = 0; i < 10; i++)
        assert_int_equal(bench.done_ps[i], (i + 1) * PS_PER_MS);
    assert_int_equal(bench.done_ps[10], 15 * PS_PER_MS);
    arena_free(&bench.arena);
}

static void server_submit__iops_bound_without_a_target_rate(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "target_iops: 500, service_time: 0s");
    for (int i = 0; i < 5; i++)
        submit(&bench, 0, 1 * GB);
    run(&bench);
    assert_int_equal(bench.done_ps[4], 10 * PS_PER_MS);
    arena_free(&bench.arena);
}

static void server_submit__appliance_rate_is_shared_by_all_targets(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "targets: 8, rate: 16Gbps, service_time: 0s");
    for (int i = 0; i < 40; i++)
        submit(&bench, i % 8, 1 * MB); /* 0.5 ms each */
    run(&bench);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(bench.done_ps[i], (i + 1) * PS_PER_MS / 2);
        assert_int_equal(bench.op[i].wait_ps, (i + 1) * PS_PER_MS / 2);
    }
    arena_free(&bench.arena);
}

static void server_submit__the_slower_of_target_and_appliance_decides(void **state)
{
    (void)state;
    struct bench bench;
    /* Two targets of 8 Gb/s: 10 operations each take 10 ms. The appliance never waits. */
    bench_open(&bench, "peers: 1, targets: 2, target_rate: 8Gbps, rate: 32Gbps, service_time: 0s");
    for (int i = 0; i < 20; i++)
        submit(&bench, i % 2, 1 * MB);
    run(&bench);
    assert_near(bench.done_ps[19], 10 * PS_PER_MS, 0.03);
    arena_free(&bench.arena);
    /* At 8 Gb/s it needs 20 ms for them, whatever the targets could do. */
    bench_open(&bench, "peers: 1, targets: 2, target_rate: 8Gbps, rate: 8Gbps, service_time: 0s");
    for (int i = 0; i < 20; i++)
        submit(&bench, i % 2, 1 * MB);
    run(&bench);
    assert_near(bench.done_ps[19], 20 * PS_PER_MS, 0.001);
    arena_free(&bench.arena);
}

static void server_submit__cuts_through_target_and_appliance(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "target_rate: 8Gbps, rate: 80Gbps, service_time: 300us");
    submit(&bench, 0, 1 * MB);
    run(&bench);
    assert_int_equal(bench.done_ps[0], 1300 * PS_PER_US); /* not 1400 */
    assert_int_equal(bench.op[0].wait_ps, PS_PER_MS);     /* all but the service latency */
    arena_free(&bench.arena);
}

static void server_submit__service_latencies_overlap(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "service_time: 7ms");
    for (int i = 0; i < OPS_MAX; i++)
        submit(&bench, 0, 1 * GB);
    run(&bench);
    for (int i = 0; i < OPS_MAX; i++) {
        assert_int_equal(bench.done_ps[i], 7 * PS_PER_MS);
        assert_int_equal(bench.op[i].wait_ps, 0); /* no station has a rate */
        assert_int_equal(bench.order[i], i);
    }
    arena_free(&bench.arena);
}

static void server_submit__metadata_waits_for_nobody(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "target_rate: 8Gbps, rate: 8Gbps, target_iops: 10, service_time: 5ms, "
                       "metadata_time: 60us");
    submit(&bench, 0, 1 * GB);
    submit(&bench, -1, 0);
    submit(&bench, -1, 0);
    run(&bench);
    assert_int_equal(bench.done_ps[1], 60 * PS_PER_US);
    assert_int_equal(bench.done_ps[2], 60 * PS_PER_US);
    assert_int_equal(bench.done_ps[0], PS_PER_S + 5 * PS_PER_MS);
    arena_free(&bench.arena);
}

static void server_target__goes_round_all_targets_stripe_by_stripe(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "targets: 4, stripe_size: 1MiB");
    int64_t run_bytes;
    for (int64_t stripe = 0; stripe < 9; stripe++) {
        int64_t off = stripe * MiB;
        assert_int_equal(server_target(bench.server, 0, off, &run_bytes), stripe % 4);
        assert_int_equal(run_bytes, MiB);
        assert_int_equal(server_target(bench.server, 0, off + 1000, &run_bytes), stripe % 4);
        assert_int_equal(run_bytes, MiB - 1000);
        assert_int_equal(server_target(bench.server, 0, off + MiB - 1, &run_bytes), stripe % 4);
        assert_int_equal(run_bytes, 1);
    }
    arena_free(&bench.arena);
}

/* Readers that begin files together do not all begin at target 0. */
static void server_target__striped_files_begin_one_target_further_each(void **state)
{
    (void)state;
    struct bench bench;
    static const char *const configs[] = {"targets: 4, stripe_size: 1MiB",
                                          "targets: 6, stripe_size: 1MiB, stripe_count: 4"};
    for (int c = 0; c < 2; c++) {
        bench_open(&bench, configs[c]);
        int64_t run_bytes, targets = bench.cfg.targets;
        for (int64_t file = 0; file < 13; file++)
            for (int64_t stripe = 0; stripe < 4; stripe++)
                assert_int_equal(server_target(bench.server, file, stripe * MiB, &run_bytes),
                                 (file + stripe) % targets);
        arena_free(&bench.arena);
    }
}

static void server_target__unstriped_files_take_turns(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "targets: 4, stripe_count: 1");
    for (int64_t file = 0; file < 9; file++) {
        int64_t run_bytes;
        assert_int_equal(server_target(bench.server, file, 0, &run_bytes), file % 4);
        assert_true(run_bytes == INT64_MAX);
        assert_int_equal(server_target(bench.server, file, 77 * GB, &run_bytes), file % 4);
    }
    arena_free(&bench.arena);
}

static void server_target__some_stripes_spread_files_evenly(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "targets: 6, stripe_count: 2, stripe_size: 1MiB");
    int uses[6] = {0};
    for (int64_t file = 0; file < 30; file++) {
        int32_t seen[8];
        for (int64_t stripe = 0; stripe < 8; stripe++) {
            int64_t run_bytes;
            seen[stripe] = server_target(bench.server, file, stripe * MiB, &run_bytes);
            assert_in_range(seen[stripe], 0, 5);
            uses[seen[stripe]]++;
            if (stripe >= 2) assert_int_equal(seen[stripe], seen[stripe - 2]);
        }
        assert_int_not_equal(seen[0], seen[1]);
    }
    for (int target = 0; target < 6; target++)
        assert_int_equal(uses[target], 30 * 8 / 6);
    arena_free(&bench.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_schema__refuses_more_stripes_or_peers_than_targets),
        cmocka_unit_test(server_submit__first_come_first_served_at_a_target),
        cmocka_unit_test(server_submit__targets_work_side_by_side),
        cmocka_unit_test(server_submit__a_busy_target_holds_up_no_other),
        cmocka_unit_test(server_submit__a_free_target_has_no_memory_of_its_queue),
        cmocka_unit_test(server_submit__iops_bound_small_operations),
        cmocka_unit_test(server_submit__iops_bound_without_a_target_rate),
        cmocka_unit_test(server_submit__appliance_rate_is_shared_by_all_targets),
        cmocka_unit_test(server_submit__the_slower_of_target_and_appliance_decides),
        cmocka_unit_test(server_submit__cuts_through_target_and_appliance),
        cmocka_unit_test(server_submit__service_latencies_overlap),
        cmocka_unit_test(server_submit__metadata_waits_for_nobody),
        cmocka_unit_test(server_target__goes_round_all_targets_stripe_by_stripe),
        cmocka_unit_test(server_target__striped_files_begin_one_target_further_each),
        cmocka_unit_test(server_target__unstriped_files_take_turns),
        cmocka_unit_test(server_target__some_stripes_spread_files_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
