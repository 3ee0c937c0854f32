/* test_results_store.c - the results database: finished runs, what survives, views, queries. */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/results_fixture.h"

/* ---- store ----------------------------------------------------------------------------------- */

static void results_store__every_kind_of_row(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    assert_string_equal(ask(f, r,
                            "SELECT status, message, fingerprint, sim_time_ps, events,"
                            " data_hops, ack_hops, peak_rss_bytes, run_cpu_s, wall_s,"
                            " setup_cpu_s, started, ended FROM run WHERE run_id = 1"),
                        "ok||fedcba9876543210|5000000000000|1000|20|10|4096|0.25|0.5|0.125|"
                        "2025-11-20T21:43:20.250Z|2025-11-20T21:43:21.000Z\n");
    assert_string_equal(ask(f, r,
                            "SELECT run_id, topology, workload, params, entity, metric,"
                            " value, unit FROM v_metric"),
                        "1|t.yaml|w.yaml|{\"wan.rtt\":\"10ms\",\"wan.rate\":\"100Gbps\"}|run|"
                        "time_to_train_s|30|s\n"
                        "1|t.yaml|w.yaml|{\"wan.rtt\":\"10ms\",\"wan.rate\":\"100Gbps\"}|run|"
                        "first_epoch_s|10|s\n");
    assert_string_equal(ask(f, r,
                            "SELECT phase, name, bound, start_s, end_s, duration_s,"
                            " read_bytes FROM v_phase"),
                        "0|load||-2|0|2|0\n1|epoch 1|window|0|3|3|1048576\n");
    assert_string_equal(ask(f, r, "SELECT phase, category, bound, time_ps FROM share"),
                        "0|start|server|2000000000000\n1|compute|compute|1000000000000\n"
                        "1|read_stall|window|2000000000000\n");
    assert_string_equal(ask(f, r, "SELECT rtt_ms, category, bound, time_s FROM v_share"),
                        "10|compute|compute|1\n10|read_stall|window|2\n");
    assert_string_equal(ask(f, r, "SELECT entity, metric, unit, time_s, value FROM v_series"),
                        "wan.down|throughput|bit/s|0|1000000000\n"
                        "wan.down|throughput|bit/s|1|0.30000000000000004\n");
    assert_string_equal(ask(f, r, "SELECT entity, metric, unit, low, high, count FROM v_bin"),
                        "read|latency|s|0.001|0.002|7\n");
    must_close(f, r);
}

static void results_store__again_replaces(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    must_store(f, r, 0, 40);
    assert_string_equal(ask(f, r, "SELECT count(*), max(value) FROM metric"), "2|40\n");
    must_close(f, r);
}

static void results_store__unknown_run(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    f->plan[0].run_id = 77;
    struct record rec;
    make_record(&rec, 5);
    assert_false(try_store(f, r, 77, &rec));
    record_free(&rec);
    expect_error(f, "there is no run 77");
    must_close(f, r);
}

static void refuse(struct fixture *f, struct results *r, struct record *rec, const char *name)
{
    assert_false(try_store(f, r, 1, rec));
    record_free(rec);
    expect_error(f, name);
    assert_string_equal(ask(f, r, "SELECT count(*) FROM metric"), "0\n");
    assert_string_equal(ask(f, r, "SELECT count(*) FROM run WHERE status <> 'pending'"), "0\n");
}

static void results_store__nan_refused(void **state)
{
    struct fixture *f = *state;
    struct record rec;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    make_record(&rec, 5);
    rec.metrics[1].value = NAN;
    refuse(f, r, &rec, "'run first_epoch_s' is not a finite number");
    make_record(&rec, 5);
    rec.series[0].value[1] = INFINITY;
    refuse(f, r, &rec, "'wan.down throughput'");
    make_record(&rec, 5);
    rec.bins[0].high = NAN;
    refuse(f, r, &rec, "'read latency'");
    make_record(&rec, 5);
    rec.run_cpu_s = NAN;
    refuse(f, r, &rec, "CPU");
    must_close(f, r);
}

static void results_store__metric_twice_refused(void **state)
{
    struct fixture *f = *state;
    struct record rec;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    make_record(&rec, 5);
    record_metric(&rec, "run", "first_epoch_s", "s", 1);
    refuse(f, r, &rec, "metric.metric");
    must_close(f, r);
}

/* The content may not depend on which run finished first (-j 1, -j 2). */
static void results_store__order_of_finish_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    static const char sql[] =
        "SELECT run_id, 'm', ord, metric, value FROM metric UNION ALL"
        " SELECT run_id, 's', i, time_ps, value FROM sample UNION ALL"
        " SELECT run_id, status, fingerprint, params, config_rest FROM run UNION ALL"
        " SELECT run_id, 'c', ord, path, value FROM config";
    const char *texts[2];
    for (int pass = 0; pass < 2; pass++) {
        struct results *r = results_open(NULL, RESULTS_MEMORY, &f->err);
        must_plan(f, r, false);
        for (int i = 0; i < POINTS; i++) {
            int point = pass ? POINTS - 1 - i : i;
            must_store(f, r, point, 10 + point);
        }
        texts[pass] = ask(f, r, sql);
        must_close(f, r);
    }
    assert_string_equal(texts[0], texts[1]);
}

static void results_store__killed_between_points(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct results *r = results_open(f->path, RESULTS_WRITE, &f->err);
        struct record rec;
        make_record(&rec, 30);
        bool ok = r && try_plan(f, r, POINTS, false) && try_store(f, r, 1, &rec);
        raise(ok ? SIGKILL : SIGTERM);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    struct results *r = must_open(f, RESULTS_READ); /* with what was left of the journal */
    assert_string_equal(
        ask(f, r, "SELECT run_id, time_to_train_s FROM v_point WHERE status = 'ok'"), "1|30\n");
    must_close(f, r);
    r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    for (int i = 0; i < POINTS; i++)
        assert_int_equal(f->plan[i].done, i == 0);
    assert_string_equal(ask(f, r, "PRAGMA integrity_check"), "ok\n");
    must_close(f, r);
}

/* A file size limit fails writes as a full disk does. */
static void results_store__disk_full(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    struct record rec;
    make_record(&rec, 40);
    for (int i = 0; i < 50000; i++)
        record_sample(&rec, 0, (2 + i) * INT64_C(1000000000000), i);
    struct rlimit old, small = {.rlim_cur = 1 << 18};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool stored = try_store(f, r, 2, &rec);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(stored);
    expect_error(f, "cannot write: disk I/O error");
    assert_string_equal(
        ask(f, r, "SELECT run_id, time_to_train_s FROM v_point WHERE status = 'ok'"), "1|30\n");
    assert_true(try_store(f, r, 2, &rec)); /* room again */
    record_free(&rec);
    must_close(f, r);
    r = must_open(f, RESULTS_READ);
    assert_string_equal(ask(f, r, "SELECT count(*) FROM sample"), "50004\n");
    must_close(f, r);
}

static void results_close__while_another_reads(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    struct results *reader = must_open(f, RESULTS_READ);
    must_store(f, r, 0, 30);
    assert_string_equal(ask(f, reader, "SELECT count(*) FROM metric"), "2\n");
    must_close(f, r);
    assert_string_equal(ask(f, reader, "SELECT count(*) FROM metric"), "2\n");
    must_close(f, reader);
}

/* ---- views ----------------------------------------------------------------------------------- */

static void v_point__slowdown_against_smallest_rtt(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    must_store(f, r, 1, 20);
    must_store(f, r, 3, 60);
    /* 10 ms: 30 / 20. 20 ms is pending. With 10 Gb/s there is only the 10 ms point itself. */
    assert_string_equal(ask(f, r,
                            "SELECT run_id, slowdown, rtt_ms, wan_rate_gbps, first_epoch_s,"
                            " first_epoch_bound FROM v_point"),
                        "1|1.5|10|100|10|window\n2|1|0|100|6.666666666666667|window\n"
                        "3|NULL|20|100|NULL|NULL\n4|1|10|10|20|window\n");
    must_close(f, r);
}

static void v_point__other_seed_or_failed_run_is_no_base(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    f->plan[1].seed = 7; /* the 0 ms point */
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    must_store(f, r, 1, 20);
    must_store(f, r, 2, 45);
    assert_string_equal(ask(f, r, "SELECT run_id, slowdown FROM v_point WHERE run_id < 4"),
                        "1|1\n2|1\n3|1.5\n");
    struct record rec;
    make_record(&rec, 1);
    rec.status = "max-wall";
    assert_true(try_store(f, r, 1, &rec));
    record_free(&rec);
    assert_string_equal(ask(f, r, "SELECT run_id, slowdown FROM v_point WHERE run_id < 4"),
                        "1|NULL\n2|1\n3|1\n");
    must_close(f, r);
}

static void v_point__length_of_the_line(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    static const char *const distance[] = {"0m", "1000km"};
    for (int i = 0; i < 2; i++) {
        f->rows[i][1] = (struct schema_row){.path = "wan.rtt", .value = "0s", .origin = "default"};
        f->rows[i][2] =
            (struct schema_row){.path = "wan.distance", .value = distance[i], .origin = "--vary"};
        f->rows[i][3] =
            (struct schema_row){.path = "wan.delay_per_km", .value = "5us", .origin = "default"};
    }
    must_plan(f, r, false);
    must_store(f, r, 0, 20);
    must_store(f, r, 1, 25);
    assert_string_equal(ask(f, r, "SELECT rtt_ms, slowdown FROM v_point LIMIT 2"),
                        "0|1\n10|1.25\n");
    must_close(f, r);
}

static void v_point__no_line_no_slowdown(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    f->rows[0][1].path = "storage.rtt";
    must_plan(f, r, false);
    must_store(f, r, 0, 20);
    assert_string_equal(ask(f, r, "SELECT rtt_ms, slowdown, time_to_train_s FROM v_point LIMIT 1"),
                        "NULL|NULL|20\n");
    must_close(f, r);
}

/* ---- query ----------------------------------------------------------------------------------- */

static bool stop_at_once(void *self, int n, const char *const *names, const char *const *values)
{
    int *rows = self;
    assert_int_equal(n, 2);
    assert_string_equal(names[1], "b");
    assert_string_equal(values[0], "x'\"");
    ++*rows;
    return false;
}

static void results_query__parameters_and_stop(void **state)
{
    struct fixture *f = *state;
    struct results *r = results_open(NULL, RESULTS_MEMORY, &f->err);
    const char *const params[] = {"x'\"", "2"};
    int rows = 0;
    const struct results_query query = {.sql = "SELECT ?1 AS a, 1 AS b UNION ALL SELECT ?2, 2;\n",
                                        .params = params,
                                        .param_n = 2,
                                        .row = stop_at_once,
                                        .self = &rows};
    assert_true(results_query(r, &query, &f->err));
    assert_int_equal(rows, 1);
    must_close(f, r);
}

static void results_query__only_one_select(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    static const struct {
        const char *sql, *error;
    } cases[] = {{"DELETE FROM run", "not a single SELECT"},
                 {"SELECT 1; SELECT 2", "not a single SELECT"},
                 {"DROP TABLE run", "not a single SELECT"},
                 {"-- nothing", "not a single SELECT"},
                 {"SELECT nowhere FROM run", "no such column: nowhere"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct results_query query = {.sql = cases[i].sql, .row = stop_at_once};
        assert_false(results_query(r, &query, &f->err));
        expect_error(f, cases[i].error);
    }
    must_close(f, r);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(results_store__every_kind_of_row),
        WITH_FILE(results_store__again_replaces),
        WITH_FILE(results_store__unknown_run),
        WITH_FILE(results_store__nan_refused),
        WITH_FILE(results_store__metric_twice_refused),
        WITH_FILE(results_store__order_of_finish_leaves_no_trace),
        WITH_FILE(results_store__killed_between_points),
        WITH_FILE(results_store__disk_full),
        WITH_FILE(results_close__while_another_reads),
        WITH_FILE(v_point__slowdown_against_smallest_rtt),
        WITH_FILE(v_point__other_seed_or_failed_run_is_no_base),
        WITH_FILE(v_point__length_of_the_line),
        WITH_FILE(v_point__no_line_no_slowdown),
        WITH_FILE(results_query__parameters_and_stop),
        WITH_FILE(results_query__only_one_select),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
