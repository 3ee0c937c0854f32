/* test_plots.c - what figures of collectives, timelines and telemetry say: titles, names of lines,
 * which measured points stand beside them.
 *
 * Runs in the root of the repository (plots/, tests/validation/measured/) and needs gnuplot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/io/figure.h"
#include "sim/io/figure_head.h"

struct scratch {
    struct arena arena;
    struct err err;
    struct results *results;
    char folder[64];
    int points;
};

static int scratch_open(void **state)
{
    struct scratch *s = test_calloc(1, sizeof(*s));
    strcpy(s->folder, "/tmp/test_plots-XXXXXX");
    s->results = results_open(":memory:", RESULTS_MEMORY, &s->err);
    *state = s;
    return mkdtemp(s->folder) && s->results ? 0 : -1;
}

static int scratch_close(void **state)
{
    struct scratch *s = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", s->folder);
    int left = system(command);
    results_close(s->results, &s->err);
    err_free(&s->err);
    arena_free(&s->arena);
    test_free(s);
    return left;
}

/* store puts a finished run of a topology with these parameters (JSON) into the database. */
static void store(struct scratch *s, const char *topology, const char *params, const char *op,
                  struct record *record)
{
    struct schema_row row[] = {{.path = "workload.op", .value = op, .origin = "x.yaml:1:1"}};
    struct schema_rows rows = {.row = row, .n = 1};
    struct results_provenance provenance = {"", "", "", "", "", "", "", ""};
    struct results_plan plan = {.topology = topology,
                                .workload = "x/load.yaml",
                                .params = params,
                                .overrides = "[]",
                                .config_sha256 = arena_printf(&s->arena, "%d", s->points++),
                                .config = &rows};
    const struct results_grid grid = {&plan, 1, false, &provenance};
    assert_true(results_plan(s->results, &grid, &s->err));
    record->status = "ok";
    const struct results_finished finished = {.run_id = plan.run_id, .record = record};
    assert_true(results_store(s->results, &finished, &s->err));
    record_free(record);
}

/* A collective of 1 GiB over 16 GPUs. */
static void store_collective(struct scratch *s, const char *topology, const char *params,
                             const char *op)
{
    struct record record;
    record_init(&record);
    record_metric(&record, "collective", "size", "bytes", 1 << 30);
    record_metric(&record, "collective", "ranks", "1", 16);
    record_metric(&record, "run", "busbw", "bytes/s", 4e11);
    record_metric(&record, "run", "time_s", "s", 0.005);
    store(s, topology, params, op, &record);
}

/* A series of two samples. */
static void add_series(struct record *record, const char *entity, const char *metric, double value)
{
    int series = record_series(record, entity, metric, "1", 1000000);
    record_sample(record, series, 0, value);
    record_sample(record, series, 1000000, 0);
}

/* drawn returns the figure as SVG. */
static const char *drawn(struct scratch *s, const char *name)
{
    struct figure_request request = {.name = name,
                                     .plots = "plots",
                                     .measured = "tests/validation/measured",
                                     .database = "x.db",
                                     .out = arena_printf(&s->arena, "%s/x.svg", s->folder),
                                     .columns = 100,
                                     .rows = 30};
    if (!figure_draw(s->results, &request, &s->err)) err_print(&s->err, stderr);
    assert_int_equal(s->err.count, 0);
    return figure_head_text(&s->arena, request.out, &s->err);
}

static void busbw__names_what_varies(void **state)
{
    struct scratch *s = *state;
    store_collective(s, "t/aws-p5-2.yaml", "{\"workload.algorithm\":\"ring\"}", "all_reduce");
    store_collective(s, "t/aws-p5-2.yaml", "{\"workload.algorithm\":\"tree\"}", "all_reduce");
    const char *svg = drawn(s, "busbw-vs-size");
    assert_non_null(strstr(svg, ">all_reduce by size, 16 GPUs, aws-p5-2<"));
    assert_non_null(strstr(svg, ">algorithm=ring<"));
    assert_non_null(strstr(svg, ">algorithm=tree<"));
    assert_null(strstr(svg, "time (us)")); /* nothing is small */
}

static void busbw__measured_beside_the_same_operation_and_system(void **state)
{
    struct scratch *s = *state;
    store_collective(s, "t/aws-p5-2.yaml", "{}", "all_gather");
    assert_null(strstr(drawn(s, "busbw-vs-size"), "easured"));
    store_collective(s, "t/aws-p50.yaml", "{}", "all_reduce");
    assert_null(strstr(drawn(s, "busbw-vs-size"), "easured"));
    store_collective(s, "t/aws-p5-2.yaml", "{\"workload.op\":\"all_reduce\"}", "all_reduce");
    const char *svg = drawn(s, "busbw-vs-size");
    assert_non_null(strstr(svg, ">Collectives by size, 16 GPUs<"));
    assert_non_null(strstr(svg, ">aws-p5-2 all_gather<"));
    assert_non_null(strstr(svg, ">all_reduce, aws-p5, measured<"));
    assert_non_null(strstr(svg, "Measured, aws-p5: 2 x p5.48xlarge"));
    assert_null(strstr(svg, "Oracle"));
}

static void busbw__hostile_names_are_text(void **state)
{
    struct scratch *s = *state;
    store_collective(s, "`pwn` \"; system('pwn') #.yaml", "{}", "$(pwn)");
    const char *svg = drawn(s, "busbw-vs-size");
    assert_non_null(strstr(svg, ">$(pwn) by size, 16 GPUs, `pwn` \"; system('pwn') #<"));
}

static void timeline__names_the_run_and_what_waits(void **state)
{
    struct scratch *s = *state;
    struct record record;
    record_init(&record);
    add_series(&record, "timeline/00 node 0 GPU 0 compute", "compute", 1);
    add_series(&record, "timeline/00 node 0 GPU 0 compute", "bubble", 1);
    add_series(&record, "timeline/01 node 0 GPU 0 messages", "pp", 1);
    add_series(&record, "timeline/02 node 0 GPU 0 network 0", "receive", 1);
    store(s, "t/net.yaml", "{}", "", &record);
    const char *svg = drawn(s, "timeline");
    assert_non_null(strstr(svg, ">load on net: what the first GPUs do when<"));
    assert_non_null(strstr(svg, ">waiting (bubble)<"));
    assert_non_null(strstr(svg, ">waiting (receive)<"));
    assert_non_null(strstr(svg, ">pp<"));
}

/* A run with shallow queues is not left out beside one with deep ones. Of a key the last word is
 * enough, unless it is that of two, or says little. */
static void queues__every_run_has_a_panel(void **state)
{
    struct scratch *s = *state;
    static const char *const params[] = {
        "{\"network.cc.kind\":\"swift\",\"a.b.size\":1,\"a.x\":1,\"b.x\":1,\"a.same\":1}",
        "{\"network.cc.kind\":\"none\",\"a.b.size\":2,\"a.x\":2,\"b.x\":2,\"a.same\":1}"};
    for (int i = 0; i < 2; i++) {
        struct record record;
        record_init(&record);
        add_series(&record, "link/a>b", "queue_max", i == 0 ? 1000 : 1e6);
        store(s, "t/net.yaml", params[i], "", &record);
    }
    const char *svg = drawn(s, "queue-timeseries");
    const char *swift = strstr(svg, "cc.kind=swift"), *none = strstr(svg, "cc.kind=none");
    assert_non_null(swift);
    assert_non_null(none);
    assert_non_null(strstr(swift, ", at most 1 kB<"));
    assert_non_null(strstr(none, ", at most 1 MB<"));
    assert_null(strstr(svg, "network"));
    assert_null(strstr(svg, "same"));
    assert_non_null(strstr(svg, " size=1"));
    assert_non_null(strstr(svg, "a.x=1"));
    assert_non_null(strstr(svg, "b.x=1"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(busbw__names_what_varies),
        TEST(busbw__measured_beside_the_same_operation_and_system),
        TEST(busbw__hostile_names_are_text),
        TEST(timeline__names_the_run_and_what_waits),
        TEST(queues__every_run_has_a_panel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
