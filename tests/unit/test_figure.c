/* test_figure.c - heads of .gp files, quoting for gnuplot, figures end to end.
 *
 * Runs in the root of the repository (plots/, tests/validation/measured/) and needs gnuplot.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/io/figure.h"
#include "sim/io/figure_gnuplot.h"
#include "sim/io/figure_head.h"

/* What a name may look like in the worst case. */
#define EVIL "`touch pwned` $(touch pwned) '; system(\"touch pwned\") # \"; !touch pwned %s \\n <&>"

static const char *const shipped[] = {"fct-slowdown",     "link-utilisation", "queue-timeseries",
                                      "rate-convergence", "read-throughput",  "scaling",
                                      "slowdown-map",     "slowdown-vs-rtt",  "step-breakdown",
                                      "time-breakdown",   "time-vs-rtt"};
#define SHIPPED_N 11

/* A scratch folder with everything that a test may leave. */
struct scratch {
    struct arena arena;
    struct err err;
    char folder[64];
};

static int scratch_open(void **state)
{
    struct scratch *s = test_calloc(1, sizeof(*s));
    strcpy(s->folder, "/tmp/test_figure-XXXXXX");
    *state = s;
    return mkdtemp(s->folder) ? 0 : -1;
}

static int scratch_close(void **state)
{
    struct scratch *s = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", s->folder);
    int left = system(command);
    err_free(&s->err);
    arena_free(&s->arena);
    test_free(s);
    return left;
}

static const char *in_scratch(struct scratch *s, const char *name)
{
    return arena_printf(&s->arena, "%s/%s", s->folder, name);
}

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

/* said: does some message hold text? */
static bool said(const struct err *err, const char *text)
{
    for (int i = 0; i < err->count && i < ERR_CAP; i++)
        if (strstr(err->messages[i], text)) return true;
    return false;
}

static void figure_head_text__no_regular_file(void **state)
{
    struct scratch *s = *state;
    assert_null(figure_head_text(&s->arena, s->folder, &s->err));
    assert_true(said(&s->err, "not a regular file"));
    assert_null(figure_head_text(&s->arena, in_scratch(s, "none"), &s->err));
    assert_int_equal(s->err.exit_code, 3);
}

static void figure_head_parse__joins_lines_up_to_the_script(void **state)
{
    struct scratch *s = *state;
    struct figure_head head = {0};
    const char *text = "# About it.\n# More.\n#csv m: a.csv\n#sql rows: SELECT 1\n#sql+ , 2\r\n"
                       "#needs rows: finished point\nplot rows\n#sql late: SELECT 3\n";
    assert_true(figure_head_parse(&s->arena, "x.gp", text, &head, &s->err));
    assert_string_equal(head.about, "About it.");
    assert_int_equal(head.first->kind, FIGURE_HEAD_CSV);
    assert_string_equal(head.first->text, "a.csv");
    assert_ptr_equal(head.first->next, head.last);
    assert_string_equal(head.last->name, "rows");
    assert_string_equal(head.last->text, "SELECT 1\n, 2");
    assert_string_equal(head.last->needs, "finished point");
    assert_int_equal(head.last->pos.line, 4);
}

static void figure_head_parse__reports_every_wrong_line(void **state)
{
    struct scratch *s = *state;
    struct figure_head head = {0};
    const char *text = "#sqll a: SELECT 1\n#sql 1a: SELECT 1\n#sql b SELECT\n#sql+ x\n"
                       "#needs c: d\n#sql e: SELECT 1\n#sql e: SELECT 2\n#table+ x\n";
    assert_false(figure_head_parse(&s->arena, "x.gp", text, &head, &s->err));
    assert_int_equal(s->err.count, 7);
    assert_true(said(&s->err, "x.gp:1:1: error: unknown '#sqll' (did you mean '#sql'?)"));
    assert_true(said(&s->err, "x.gp:7:1: error: a second #sql 'e'"));
    assert_int_equal(s->err.exit_code, 2);
}

static void expect_quoted(const char *text, const char *expected)
{
    char *got = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&got, &bytes);
    figure_gnuplot_quote(out, text);
    fclose(out);
    assert_string_equal(got, expected);
    free(got);
}

static void figure_gnuplot_quote__escapes_all_but_plain_bytes(void **state)
{
    (void)state;
    expect_quoted("aZ09 .,:;()[]+-=/", "\"aZ09 .,:;()[]+-=/\"");
    expect_quoted("`\"'\\@%$#{", "\"\\140\\042\\047\\134\\100\\045\\044\\043\\173\"");
    expect_quoted("\xc3\xa9", "\"\\303\\251\"");
    expect_quoted("a\n\tb", "\"a  b\"");
}

static void figure_gnuplot_quote__replaces_what_no_text_may_hold(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x1b", "\x7f", "\xff", "\xc2\x9b", "\xc0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_quoted(bad[i], strlen(bad[i]) == 1 ? "\"\\357\\277\\275\""
                                                  : "\"\\357\\277\\275\\357\\277\\275\"");
    expect_quoted("\xe2\x82", "\"\\357\\277\\275\\357\\277\\275\""); /* cut off */
}

static bool run_script(struct scratch *s, const char *text, const char *out)
{
    struct figure_gnuplot_file file = {"script.gp", text, strlen(text)};
    return figure_gnuplot_run(&file, 1, out, &s->err);
}

static void figure_gnuplot_run__failure_leaves_the_old_figure(void **state)
{
    struct scratch *s = *state;
    const char *out = in_scratch(s, "old.txt");
    put(out, "old");
    assert_false(run_script(s, "set terminal dumb\nset output 'figure.out'\nplot 1, (\n", out));
    assert_true(said(&s->err, "gnuplot failed: "));
    assert_true(said(&s->err, "\"script.gp\" line 3"));
    assert_false(run_script(s, "x = 1\n", out));
    assert_true(said(&s->err, "gnuplot drew nothing"));
    assert_int_equal(s->err.exit_code, 3);
    assert_string_equal(figure_head_text(&s->arena, out, &s->err), "old");
}

static void figure_gnuplot_run__keeps_link_and_mode(void **state)
{
    struct scratch *s = *state;
    static const char script[] = "set terminal dumb\nset output 'figure.out'\nplot 1\n";
    const char *out = in_scratch(s, "old.txt"), *link = in_scratch(s, "link.txt");
    struct stat st;
    put(out, "old");
    assert_int_equal(chmod(out, 0640), 0);
    assert_int_equal(symlink("old.txt", link), 0);
    assert_true(run_script(s, script, link));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(out, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_true(st.st_size > 100);
    assert_false(run_script(s, script, s->folder));
    assert_true(said(&s->err, "is not a regular file"));
}

static void figure_gnuplot_run__no_gnuplot(void **state)
{
    struct scratch *s = *state;
    const char *path = arena_strdup(&s->arena, getenv("PATH"));
    setenv("PATH", s->folder, 1);
    bool ok = run_script(s, "plot 1\n", in_scratch(s, "x.txt"));
    setenv("PATH", path, 1);
    assert_false(ok);
    assert_true(said(&s->err, "gnuplot is not installed: apt-get install gnuplot-nox"));
    assert_int_equal(s->err.exit_code, 3);
}

/* A link and a flow called name, and slowdowns of a size. */
static void store_telemetry(struct scratch *s, struct record *record, const char *name)
{
    static const char *const kinds[][2] = {
        {"utilisation", "slowdown_p50"}, {"queue_max", "slowdown_p95"}, {"rate", "slowdown_p99"}};
    for (int k = 0; k < 3; k++) {
        const char *entity = arena_printf(&s->arena, "%s/a>%s", k < 2 ? "link" : "flow", name);
        record_sample(record, record_series(record, entity, kinds[k][0], "1", 1000000), 0, 7);
        record_metric(record, "flows/size>30000000", kinds[k][1], "1", 2.5);
    }
}

/* A training step of 8 GPUs. */
static void store_step(struct record *record, int rtt_ms)
{
    record_metric(record, "run", "gpus", "1", 8);
    record_metric(record, "run", "step_s", "s", 1 + rtt_ms);
    record_metric(record, "run", "samples_per_s", "1/s", 8.0 / (1 + rtt_ms));
    record_metric(record, "step", "compute_s", "s", 0.75);
    record_metric(record, "step", "dp_s", "s", 0.25 + rtt_ms);
}

/* store_point puts one finished point of a workload called name into the database. */
static void store_point(struct scratch *s, struct results *results, const char *name, int rtt_ms)
{
    struct schema_row row[] = {
        {.path = "wan.rtt", .value = arena_printf(&s->arena, "%dms", rtt_ms), .origin = "--set"},
        {.path = "wan.rate", .value = "100Gbps", .origin = "default"},
        {.path = "workload.name", .value = name, .origin = "x.yaml:1:1"},
    };
    struct schema_rows rows = {.row = row, .n = 3};
    struct results_provenance provenance = {"", "", "", "", "", "", "", ""};
    struct results_plan plan = {.topology = name,
                                .workload = name,
                                .params = "{\"wan.rtt\":\"\",\"`touch pwned`\":\"%s\"}",
                                .overrides = "[]",
                                .config_sha256 = arena_printf(&s->arena, "%d", rtt_ms),
                                .config = &rows};
    struct record record;
    const struct results_grid grid = {&plan, 1, false, &provenance};
    assert_true(results_plan(results, &grid, &s->err));
    record_init(&record);
    record.status = "ok";
    record_metric(&record, "run", "time_to_train_s", "s", 100 + rtt_ms);
    int phase = record_phase(&record, "epoch 1", 0, 1000000);
    record_share(&record, phase, "compute", "compute", 900000);
    record_share(&record, phase, "read_stall", name, 100000);
    int series = record_series(&record, "storage/client", "read_rate", "bit/s", 1);
    for (int i = 0; i < 20; i++)
        record_sample(&record, series, i * INT64_C(1000000000000), 1e9 * (i % 5));
    store_telemetry(s, &record, name);
    store_step(&record, rtt_ms);
    const struct results_finished finished = {.run_id = plan.run_id, .record = &record};
    assert_true(results_store(results, &finished, &s->err));
    record_free(&record);
}

static struct results *open_points(struct scratch *s, const char *name)
{
    struct results *results = results_open(":memory:", RESULTS_MEMORY, &s->err);
    assert_non_null(results);
    for (int rtt_ms = 0; name && rtt_ms < 40; rtt_ms += 10)
        store_point(s, results, name, rtt_ms);
    return results;
}

static struct figure_request request_of(struct scratch *s, const char *name, const char *out)
{
    return (struct figure_request){.name = name,
                                   .plots = "plots",
                                   .measured = "tests/validation/measured",
                                   .database = "x.db",
                                   .out = in_scratch(s, out),
                                   .columns = 100,
                                   .rows = 30};
}

static void figure_draw__shipped_figures_in_all_formats(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, "workloads/resnet50.yaml");
    static const char *const outs[] = {"x.svg", "x.png", "x.pdf", "x.txt"};
    static const char *const magic[] = {"<?xml", "\x89PNG", "%PDF", " "};
    for (int i = 0; i < SHIPPED_N; i++) {
        struct figure_request request = request_of(s, shipped[i], outs[i % 4]);
        if (!figure_draw(results, &request, &s->err)) err_print(&s->err, stderr);
        assert_int_equal(s->err.count, 0);
        const char *text = figure_head_text(&s->arena, request.out, &s->err);
        assert_memory_equal(text, magic[i % 4], strlen(magic[i % 4]));
    }
    assert_true(results_close(results, &s->err));
}

static void figure_draw__hostile_names_are_text(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, EVIL);
    for (int i = 0; i < SHIPPED_N; i++) {
        struct figure_request request = request_of(s, shipped[i], "x.svg");
        request.title = EVIL;
        if (!figure_draw(results, &request, &s->err)) err_print(&s->err, stderr);
        assert_int_equal(s->err.count, 0);
        const char *svg = figure_head_text(&s->arena, request.out, &s->err);
        assert_non_null(strstr(svg, "`touch pwned` $(touch pwned) '; system(\"touch pwned\") # "
                                    "\"; !touch pwned %s \\n &lt;&amp;>"));
    }
    assert_true(results_close(results, &s->err));
}

static void figure_draw__names_measured_source(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, "workloads/resnet50.yaml");
    struct figure_request request = request_of(s, "slowdown-vs-rtt", "x.svg");
    assert_true(figure_draw(results, &request, &s->err));
    const char *svg = figure_head_text(&s->arena, request.out, &s->err);
    assert_non_null(strstr(svg, "resnet, measured"));
    assert_null(strstr(svg, "llama2-70b-lora, measured")); /* not simulated here */
    assert_non_null(strstr(svg, "Measured: GMO Internet, NTT East"));
    assert_non_null(strstr(svg, "WAN round-trip time (ms)"));
    assert_true(results_close(results, &s->err));
}

/* Exposed communication is not compute; scaling shows how far the step is from ideal. */
static void figure_draw__training_steps(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, "workloads/resnet50.yaml");
    struct figure_request request = request_of(s, "step-breakdown", "x.svg");
    assert_true(figure_draw(results, &request, &s->err));
    const char *svg = figure_head_text(&s->arena, request.out, &s->err);
    assert_non_null(strstr(svg, "exposed dp"));
    assert_null(strstr(svg, "exposed tp"));
    assert_non_null(strstr(svg, "time of a step, mean of the GPUs (s)"));
    request = request_of(s, "scaling", "y.svg");
    assert_true(figure_draw(results, &request, &s->err));
    svg = figure_head_text(&s->arena, request.out, &s->err);
    assert_non_null(strstr(svg, ">ideal<"));
    assert_non_null(strstr(svg, "number of GPUs"));
    assert_null(strstr(svg, "measured")); /* no accelerator is known here */
    assert_true(results_close(results, &s->err));
}

static void figure_draw__nothing_to_show(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, NULL);
    struct figure_request request = request_of(s, "slowdown-vs-rtt", "x.svg");
    assert_false(figure_draw(results, &request, &s->err));
    assert_true(said(&s->err, "no finished point with wan.rtt in x.db"));
    assert_int_equal(s->err.exit_code, FIGURE_EXIT_NO_ROWS);
    assert_int_not_equal(access(request.out, F_OK), 0);
    assert_true(results_close(results, &s->err));
}

/* Half a figure is none, also where the program ignores SIGXFSZ. */
static void figure_draw__file_size_limit(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, "workloads/resnet50.yaml");
    struct figure_request request = request_of(s, "slowdown-vs-rtt", "x.svg");
    struct rlimit old, small = {.rlim_cur = 8192};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool drawn = figure_draw(results, &request, &s->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(drawn);
    assert_true(said(&s->err, "gnuplot was ended by signal 25"));
    assert_int_equal(s->err.exit_code, 3);
    assert_int_not_equal(access(request.out, F_OK), 0);
    assert_true(results_close(results, &s->err));
}

static void figure_draw__unknown_name_or_ending(void **state)
{
    struct scratch *s = *state;
    struct results *results = open_points(s, NULL);
    struct figure_request request = request_of(s, "slowdown-vs-rt", "x.svg");
    assert_false(figure_draw(results, &request, &s->err));
    assert_true(said(&s->err, "(did you mean 'slowdown-vs-rtt'?)"));
    request.name = "../plots/slowdown-vs-rtt";
    assert_false(figure_draw(results, &request, &s->err));
    assert_true(said(&s->err, "unknown figure '../plots/slowdown-vs-rtt'"));
    request = request_of(s, "slowdown-vs-rtt", "x.jpg");
    assert_false(figure_draw(results, &request, &s->err));
    assert_true(said(&s->err, "a figure ends in .svg .png .pdf .txt"));
    assert_int_equal(s->err.exit_code, 2);
    assert_true(results_close(results, &s->err));
}

static void figure_draw__own_figure_groups_and_gaps(void **state)
{
    struct scratch *s = *state;
    put(in_scratch(s, "style.inc"), "#table t: SELECT 'b' AS l, 1 AS y UNION SELECT 'a', NULL\n");
    put(in_scratch(s, "own.gp"),
        "# Own.\n#sql rows: SELECT l AS label, 'p' || l AS panel, 1, y FROM t ORDER BY l\n"
        "set print 'figure.out'\nprint rows_n, ' ', rows_label[1], rows_label[2], ' ', panels, ' "
        "', "
        "panel[rows_panel[2]]\nset print\n");
    struct results *results = open_points(s, NULL);
    struct figure_request request = request_of(s, "own", "x.txt");
    request.plots = s->folder;
    assert_true(figure_draw(results, &request, &s->err));
    const char *text = figure_head_text(&s->arena, request.out, &s->err);
    assert_string_equal(text, "2   a b   2   pb\n");
    assert_true(results_close(results, &s->err));
}

/* A line of a source ends with an item where that leaves no short line. */
static void figure_draw__breaks_a_source_between_items(void **state)
{
    struct scratch *s = *state;
    put(in_scratch(s, "style.inc"), "");
    put(in_scratch(s, "m.csv"),
        "# Source: the first item, with words; the second item of some length "
        "and more\nx\n1\n");
    put(in_scratch(s, "own.gp"), "# Own.\n#csv m: m.csv\n#sql rows: SELECT x FROM m\n"
                                 "set print 'figure.out'\nprint m_source\n"
                                 "print m_source_lines, line_chars\nset print\n");
    struct results *results = open_points(s, NULL);
    struct figure_request request = request_of(s, "own", "x.txt");
    request.plots = request.measured = s->folder;
    request.columns = 60;
    assert_true(figure_draw(results, &request, &s->err));
    const char *text = figure_head_text(&s->arena, request.out, &s->err);
    assert_string_equal(text, "the first item, with words;\n"
                              "the second item of some length and more\n2 60\n");
    assert_true(results_close(results, &s->err));
}

static void figure_draw__text_among_the_numbers(void **state)
{
    struct scratch *s = *state;
    put(in_scratch(s, "style.inc"), "");
    put(in_scratch(s, "own.gp"), "# Own.\n#sql rows: SELECT 1 AS x, '`id`' AS y\nplot rows\n");
    struct results *results = open_points(s, NULL);
    struct figure_request request = request_of(s, "own", "x.txt");
    request.plots = s->folder;
    assert_false(figure_draw(results, &request, &s->err));
    assert_true(said(&s->err, "own.gp:2:1: error: column 'y' of 'rows' is text"));
    assert_true(results_close(results, &s->err));
}

static void figure_list__shipped_figures_say_what_they_show(void **state)
{
    struct scratch *s = *state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_true(figure_list("plots", out, &s->err));
    fclose(out);
    const char *at = text;
    for (int i = 0; i < SHIPPED_N; i++) {
        const char *found = strstr(at, shipped[i]);
        assert_non_null(found);
        assert_true(strcspn(found, "\n") > 40);
        at = found;
    }
    free(text);
    assert_false(figure_list(in_scratch(s, "none"), stdout, &s->err));
    assert_int_equal(s->err.exit_code, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(figure_head_text__no_regular_file),
        TEST(figure_head_parse__joins_lines_up_to_the_script),
        TEST(figure_head_parse__reports_every_wrong_line),
        TEST(figure_gnuplot_quote__escapes_all_but_plain_bytes),
        TEST(figure_gnuplot_quote__replaces_what_no_text_may_hold),
        TEST(figure_gnuplot_run__failure_leaves_the_old_figure),
        TEST(figure_gnuplot_run__keeps_link_and_mode),
        TEST(figure_gnuplot_run__no_gnuplot),
        TEST(figure_draw__shipped_figures_in_all_formats),
        TEST(figure_draw__hostile_names_are_text),
        TEST(figure_draw__names_measured_source),
        TEST(figure_draw__training_steps),
        TEST(figure_draw__nothing_to_show),
        TEST(figure_draw__file_size_limit),
        TEST(figure_draw__unknown_name_or_ending),
        TEST(figure_draw__own_figure_groups_and_gaps),
        TEST(figure_draw__breaks_a_source_between_items),
        TEST(figure_draw__text_among_the_numbers),
        TEST(figure_list__shipped_figures_say_what_they_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
