/* test_compare.c - `railsim compare` and `railsim show` on small databases: text, exit codes. */
#include <fcntl.h>

#include "sim/app/verbs.h"
#include "tests/unit/results_fixture.h"

/* run_verb calls a verb with its output in *out (arena) and stderr dropped; returns its exit code.
 * words ends with NULL. */
static int run_verb(struct fixture *f, int verb(int, char **), const char *const *words,
                    const char **out)
{
    char *argv[8], path[128];
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = arena_strdup(&f->arena, words[argc]);
    argv[argc] = NULL;
    snprintf(path, sizeof path, "%s/out", f->folder);
    fflush(stdout);
    int old_out = dup(1), old_err = dup(2);
    int to_file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600),
        to_null = open("/dev/null", O_WRONLY);
    dup2(to_file, 1);
    dup2(to_null, 2);
    int code = verb(argc, argv);
    fflush(stdout);
    dup2(old_out, 1);
    dup2(old_err, 2);
    char *text = arena_alloc(&f->arena, 65536);
    assert_true(pread(to_file, text, 65535, 0) >= 0);
    close(to_file), close(to_null), close(old_out), close(old_err);
    *out = text;
    return code;
}

/* make_database stores all four points; first_s is the time of the first one. */
static const char *make_database(struct fixture *f, const char *name, double first_s, int n)
{
    snprintf(f->path, sizeof f->path, "%s/%s", f->folder, name);
    struct results *r = must_open(f, RESULTS_WRITE);
    assert_true(try_plan(f, r, n, false));
    for (int i = 0; i < n; i++)
        must_store(f, r, i, i ? 20 + i : first_s);
    must_close(f, r);
    return arena_strdup(&f->arena, f->path);
}

static int compare(struct fixture *f, const char *const words[4], const char **out)
{
    const char *const argv[] = {"compare", words[0], words[1], words[2], words[3], NULL};
    return run_verb(f, compare_main, argv, out);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("no \"%s\" in:\n%s", part, text);
}

static void compare_main__equal_databases(void **state)
{
    struct fixture *f = *state;
    const char *out, *a = make_database(f, "a", 30, POINTS);
    f->provenance.host = "elsewhere"; /* no simulated value */
    const char *b = make_database(f, "b", 30, POINTS);
    assert_int_equal(compare(f, (const char *const[4]){a, b}, &out), 0);
    assert_string_equal(out, "4 pairs of runs, 100 simulated values compared: equal\n");
}

static void compare_main__databases_matched_by_point(void **state)
{
    struct fixture *f = *state;
    const char *out, *a = make_database(f, "a", 30, POINTS);
    struct results_plan first = f->plan[0];
    f->plan[0] = f->plan[2]; /* other order, other ids */
    f->plan[2] = first;
    const char *b = make_database(f, "b", 22, 3);
    assert_int_equal(compare(f, (const char *const[4]){a, b}, &out), 4);
    assert_has(out, "only in ");
    assert_has(out, "wan.rate=10Gbps");
    assert_has(out, "3 pairs of runs, 75 simulated values compared: different pairs: 1, missing "
                    "points: 1, tolerance 0\n");
    assert_has(out, "metric run time_to_train_s  s     30                 22  ");
}

static void compare_main__runs_and_tolerance(void **state)
{
    struct fixture *f = *state;
    const char *out, *a = make_database(f, "a", 20.2, 2);
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "2"}, &out), 4);
    assert_has(out, "config wan.rtt");
    assert_has(out, "10ms");
    assert_has(out, "metric run time_to_train_s  s     20.2");
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "2", "--tolerance=5%"}, &out), 0);
    assert_has(out, "equal within 0.05");
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "2", "--tolerance=3%"}, &out), 4);
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "1"}, &out), 0);
}

static void compare_main__fingerprint_is_no_number(void **state)
{
    struct fixture *f = *state;
    const char *out, *a = make_database(f, "a", 20, 2);
    struct results *r = must_open(f, RESULTS_WRITE);
    struct record rec;
    make_record(&rec, 20);
    rec.fingerprint = 0x1000000000000001;
    assert_true(try_store(f, r, 1, &rec));
    rec.fingerprint = 0x1000000000000002;
    rec.series[0].n = 1; /* and a sample is missing */
    assert_true(try_store(f, r, 2, &rec));
    record_free(&rec);
    must_close(f, r);
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "2", "-t1"}, &out), 4);
    assert_has(out, "1000000000000001     1000000000000002         -");
    assert_has(out, "series wan.down throughput ");
}

static void compare_main__wrong_usage(void **state)
{
    struct fixture *f = *state;
    const char *out, *a = make_database(f, "a", 20, 2);
    assert_int_equal(compare(f, (const char *const[4]){a}, &out), 2);
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "x"}, &out), 2);
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "9"}, &out), 2);
    assert_int_equal(compare(f, (const char *const[4]){a, "1", "2", "-t-1"}, &out), 2);
    assert_int_equal(compare(f, (const char *const[4]){a, "/nowhere"}, &out), 3);
    assert_string_equal(out, "");
    assert_int_equal(compare(f, (const char *const[4]){a, "/nowhere", "--json"}, &out), 3);
    assert_has(out, "\"status\": \"io-error\"");
    assert_int_equal(compare(f, (const char *const[4]){"--help"}, &out), 0);
    assert_has(out, "railsim compare results.db 1 2");
}

static void show_main__points(void **state)
{
    struct fixture *f = *state;
    f->plan[1].params = "{}";
    f->plan[1].topology = "to\033polo/gies.d/\u6771.yaml";
    const char *out, *a = make_database(f, "a", 30, 2);
    assert_int_equal(run_verb(f, show_main, (const char *const[]){"show", a, NULL}, &out), 0);
    assert_string_equal(
        out,
        "run  status  topology  workload  params                                    train [s]  "
        "slowdown  epoch 1 [s]  held up by\n"
        "  1  ok      t         w         wan.rtt=10ms wan.rate=100Gbps wan.loss=0       30.0     "
        "1.429         10.0  window\n"
        "  2  ok      \u6771         w         wan.loss=0                                     21.0 "
        "    "
        "1.000          7.0  window\n");
}

static void show_main__one_run(void **state)
{
    struct fixture *f = *state;
    const char *out, *a = make_database(f, "a", 30, 2);
    const char *const words[] = {"show", a, "--run=1", NULL};
    assert_int_equal(run_verb(f, show_main, words, &out), 0);
    assert_has(out, "time_to_train_s    30\n");
    assert_has(out, "\nprovenance\nversion    0.1.0\n");
    assert_has(out, "run     time_to_train_s     30  s\n");
    assert_has(out, "    1  epoch 1  window        0      3           3     1048576\n");
    const char *const json[] = {"show", a, "--run=1", "--json", NULL};
    assert_int_equal(run_verb(f, show_main, json, &out), 0);
    assert_has(out, "{\"phase\": 1, \"name\": \"epoch 1\", \"category\": \"read_stall\", "
                    "\"bound\": \"window\", \"time_s\": 2}");
    const char *const missing[] = {"show", a, "--run=9", "--json", NULL};
    assert_int_equal(run_verb(f, show_main, missing, &out), 2);
    assert_has(out, "there is no run 9; the runs are 1 to 2");
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(compare_main__equal_databases),
        WITH_FILE(compare_main__databases_matched_by_point),
        WITH_FILE(compare_main__runs_and_tolerance),
        WITH_FILE(compare_main__fingerprint_is_no_number),
        WITH_FILE(compare_main__wrong_usage),
        WITH_FILE(show_main__points),
        WITH_FILE(show_main__one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
