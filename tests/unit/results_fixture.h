/* results_fixture.h - a database in a folder of its own, for the tests of sim/io/results*.c. */
#ifndef RAILSIM_TESTS_RESULTS_FIXTURE_H
#define RAILSIM_TESTS_RESULTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/io/results.h"

#define POINTS 4

/* struct fixture: a folder of its own, and a plan of four points: RTT 0, 10, 20 ms, and 10 ms with
 * another rate. */
struct fixture {
    char folder[64], path[96];
    struct arena arena;
    struct err err;
    struct results_provenance provenance;
    struct results_plan plan[POINTS];
    char sha[POINTS][16];
    struct schema_row rows[POINTS][4];
    struct schema_rows config[POINTS];
};

static const struct {
    const char *rtt, *rate, *params;
} points[POINTS] = {{"10ms", "100Gbps", "{\"wan.rtt\":\"10ms\",\"wan.rate\":\"100Gbps\"}"},
                    {"0ms", "100Gbps", "{\"wan.rtt\":\"0ms\",\"wan.rate\":\"100Gbps\"}"},
                    {"20ms", "100Gbps", "{\"wan.rtt\":\"20ms\",\"wan.rate\":\"100Gbps\"}"},
                    {"10ms", "10Gbps", "{\"wan.rtt\":\"10ms\",\"wan.rate\":\"10Gbps\"}"}};

static inline int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/railsim-results-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->path, sizeof f->path, "%s/r.db", f->folder);
    f->provenance = (struct results_provenance){"0.1.0",  "abc-dirty", "gcc",  "-O2",
                                                "sqlite", "cpu",       "host", "railsim sweep"};
    for (int i = 0; i < POINTS; i++) {
        struct schema_row rows[] = {
            {.path = "wan.rate", .value = points[i].rate, .origin = "t.yaml:3:9"},
            {.path = "wan.rtt", .value = points[i].rtt, .origin = "--vary"},
            {.path = "storage.kind", .value = "lustre", .origin = "default"},
            {.path = "workload.loss", .value = "1%", .origin = "default"}};
        memcpy(f->rows[i], rows, sizeof rows);
        f->config[i] = (struct schema_rows){.row = f->rows[i], .n = 4};
        snprintf(f->sha[i], sizeof f->sha[i], "sha%d", i);
        f->plan[i] = (struct results_plan){.topology = "t.yaml",
                                           .workload = "w.yaml",
                                           .params = points[i].params,
                                           .overrides = "[\"wan.loss=0\"]",
                                           .seed = UINT64_MAX,
                                           .config_sha256 = f->sha[i],
                                           .config = &f->config[i]};
    }
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->folder);
    int status = system(command);
    arena_free(&f->arena);
    err_free(&f->err);
    test_free(f);
    return status;
}

static inline struct results *must_open(struct fixture *f, enum results_mode mode)
{
    struct results *r = results_open(f->path, mode, &f->err);
    if (!r) err_print(&f->err, stderr);
    assert_non_null(r);
    return r;
}

static inline void must_close(struct fixture *f, struct results *r)
{
    assert_true(results_close(r, &f->err));
    assert_int_equal(f->err.count, 0);
}

static inline bool try_plan(struct fixture *f, struct results *r, int n, bool force)
{
    const struct results_grid grid = {f->plan, n, force, &f->provenance};
    return results_plan(r, &grid, &f->err);
}

static inline void must_plan(struct fixture *f, struct results *r, bool force)
{
    assert_true(try_plan(f, r, POINTS, force));
}

/* make_record: a run of so many seconds with one row of every kind. */
static inline void make_record(struct record *rec, double train_s)
{
    record_init(rec);
    rec->status = "ok";
    rec->message = "";
    rec->fingerprint = UINT64_C(0xfedcba9876543210);
    rec->sim_time_ps = INT64_C(5000000000000);
    rec->events = 1000;
    rec->data_hops = 20;
    rec->ack_hops = 10;
    rec->peak_rss_bytes = 4096;
    rec->run_cpu_s = 0.25;
    rec->run_wall_s = 0.5;
    rec->setup_cpu_s = 0.125;
    record_metric(rec, "run", "time_to_train_s", "s", train_s);
    record_metric(rec, "run", "first_epoch_s", "s", train_s / 3);
    int load = record_phase(rec, "load", -2000000000000, 0);
    int epoch = record_phase(rec, "epoch 1", 0, 3000000000000);
    rec->phases[epoch].bound = "window";
    rec->phases[epoch].read_bytes = 1 << 20;
    record_share(rec, load, "start", "server", 2000000000000);
    record_share(rec, epoch, "compute", "compute", 1000000000000);
    record_share(rec, epoch, "read_stall", "window", 2000000000000);
    int series = record_series(rec, "wan.down", "throughput", "bit/s", 1000000000000);
    record_sample(rec, series, 0, 1e9);
    record_sample(rec, series, 1000000000000, 0.1 + 0.2);
    record_bin(rec, &(struct record_bin){"read", "latency", "s", 0.001, 0.002, 7});
}

static inline bool try_store(struct fixture *f, struct results *r, int64_t run_id,
                             const struct record *rec)
{
    const struct results_finished finished = {run_id, rec, 1763675000.25, 1763675001};
    return results_store(r, &finished, &f->err);
}

static inline void must_store(struct fixture *f, struct results *r, int point, double train_s)
{
    struct record rec;
    make_record(&rec, train_s);
    assert_true(try_store(f, r, f->plan[point].run_id, &rec));
    record_free(&rec);
}

/* struct gather: all rows of a query as "a|b|c\n". */
struct gather {
    struct arena *arena;
    const char *text;
};

static inline bool take_row(void *self, int n, const char *const *names, const char *const *values)
{
    struct gather *g = self;
    (void)names;
    for (int i = 0; i < n; i++)
        g->text = arena_printf(g->arena, "%s%s%s", g->text, values[i] ? values[i] : "NULL",
                               i + 1 < n ? "|" : "\n");
    return true;
}

static inline const char *ask(struct fixture *f, struct results *r, const char *sql)
{
    struct gather g = {&f->arena, ""};
    const struct results_query query = {.sql = sql, .row = take_row, .self = &g};
    if (!results_query(r, &query, &f->err)) err_print(&f->err, stderr);
    assert_int_equal(f->err.count, 0);
    return g.text;
}

static inline void expect_error(struct fixture *f, const char *part)
{
    assert_int_equal(f->err.count, 1);
    assert_int_equal(f->err.exit_code, 3);
    if (!strstr(f->err.messages[0], part)) fail_msg("\"%s\" in: %s", part, f->err.messages[0]);
    err_free(&f->err);
    f->err = (struct err){0};
}

#endif
