/* test_results.c - the results database: opening it, planning points; what can go wrong there. */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/results_fixture.h"

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* ---- open ------------------------------------------------------------------------------------ */

/* journal_version returns 1 for a rollback journal, 2 for WAL (fileformat2.html 1.3.3). */
static int journal_version(struct fixture *f)
{
    char header[20] = {0};
    FILE *in = fopen(f->path, "r");
    assert_non_null(in);
    assert_int_equal(fread(header, sizeof header, 1, in), 1);
    fclose(in);
    return header[19];
}

static void results_open__creates_portable_file(void **state)
{
    struct fixture *f = *state;
    must_close(f, must_open(f, RESULTS_WRITE));
    struct results *r = must_open(f, RESULTS_READ);
    assert_string_equal(ask(f, r, "PRAGMA application_id"), "1918986604\n");
    assert_string_equal(ask(f, r, "PRAGMA user_version"), "1\n");
    must_close(f, r);
    assert_int_equal(journal_version(f), 1);
}

static void results_open__writes_ahead_with_full_sync(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    assert_string_equal(ask(f, r, "PRAGMA synchronous"), "2\n");
    assert_int_equal(journal_version(f), 2);
    must_close(f, r);
}

static void results_open__in_memory(void **state)
{
    struct fixture *f = *state;
    struct results *r = results_open(NULL, RESULTS_MEMORY, &f->err);
    assert_non_null(r);
    must_plan(f, r, false);
    must_store(f, r, 0, 5);
    assert_string_equal(ask(f, r, "SELECT count(*) FROM run WHERE status = 'ok'"), "1\n");
    must_close(f, r);
}

static void results_open__missing_or_not_a_file(void **state)
{
    struct fixture *f = *state;
    assert_null(results_open(f->path, RESULTS_READ, &f->err));
    expect_error(f, "No such file");
    assert_null(results_open(f->folder, RESULTS_WRITE, &f->err));
    expect_error(f, "not a file");
    assert_null(results_open("/dev/null", RESULTS_WRITE, &f->err));
    expect_error(f, "not a file");
    assert_null(results_open("", RESULTS_WRITE, &f->err));
    expect_error(f, "No such file");
}

static void results_open__foreign_files_stay_as_they_are(void **state)
{
    struct fixture *f = *state;
    write_file(f->path, "rtt,time\n0,1\n");
    assert_null(results_open(f->path, RESULTS_WRITE, &f->err));
    expect_error(f, "not a database");
    char command[256];
    snprintf(command, sizeof command, "rm %s; sqlite3 %s 'CREATE TABLE mine(x)'", f->path, f->path);
    if (system(command) != 0) skip(); /* no sqlite3 program */
    assert_null(results_open(f->path, RESULTS_WRITE, &f->err));
    expect_error(f, "another program");
    snprintf(command, sizeof command, "test \"$(sqlite3 %s .tables)\" = mine", f->path);
    assert_int_equal(system(command), 0);
}

/* poke overwrites bytes of the file. */
static void poke(const char *path, off_t at, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void results_open__newer_layout(void **state)
{
    struct fixture *f = *state;
    must_close(f, must_open(f, RESULTS_WRITE));
    poke(f->path, 60, "\0\0\0\x09", 4); /* user_version, fileformat2.html 1.3 */
    assert_null(results_open(f->path, RESULTS_READ, &f->err));
    expect_error(f, "newer railsim (layout 9, this one knows 1)");
}

static void results_open__damaged(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_close(f, r);
    char garbage[4096];
    memset(garbage, 0x5a, sizeof garbage);
    poke(f->path, 100, garbage, 3000); /* the schema's page, behind the header */
    assert_null(results_open(f->path, RESULTS_READ, &f->err));
    expect_error(f, "damaged");
    assert_int_equal(truncate(f->path, 50), 0);
    assert_null(results_open(f->path, RESULTS_WRITE, &f->err));
    expect_error(f, "damaged");
}

static void results_open__read_only_folder(void **state)
{
    struct fixture *f = *state;
    must_close(f, must_open(f, RESULTS_WRITE));
    char other[128];
    snprintf(other, sizeof other, "%s/new.db", f->folder);
    chmod(f->path, 0444);
    chmod(f->folder, 0555);
    bool root = geteuid() == 0;
    if (root && seteuid(65534) != 0) skip();
    struct results *made = results_open(other, RESULTS_WRITE, &f->err);
    struct err other_err = f->err;
    f->err = (struct err){0};
    struct results *writable = results_open(f->path, RESULTS_WRITE, &f->err);
    struct err write_err = f->err;
    f->err = (struct err){0};
    struct results *r = results_open(f->path, RESULTS_READ, &f->err);
    if (root) assert_int_equal(seteuid(0), 0);
    chmod(f->folder, 0755);
    assert_null(made);
    assert_null(writable);
    assert_non_null(r);
    must_close(f, r);
    f->err = other_err;
    expect_error(f, "Permission denied");
    f->err = write_err;
    expect_error(f, "Permission denied");
}

/* ---- plan ------------------------------------------------------------------------------------ */

static void results_plan__ids_follow_the_grid(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    for (int i = 0; i < POINTS; i++) {
        assert_int_equal(f->plan[i].run_id, i + 1);
        assert_false(f->plan[i].done);
    }
    assert_string_equal(ask(f, r, "SELECT run_id, status, seed, fingerprint FROM v_point LIMIT 1"),
                        "1|pending|18446744073709551615|NULL\n");
    assert_string_equal(ask(f, r, "SELECT * FROM param WHERE run_id = 1"),
                        "1|0|wan.rtt|10ms|0.01|s\n1|1|wan.rate|100Gbps|100000000000|bit/s\n");
    assert_string_equal(ask(f, r,
                            "SELECT path, value, num, unit, origin FROM v_config"
                            " WHERE run_id = 4"),
                        "wan.rate|10Gbps|10000000000|bit/s|t.yaml:3:9\n"
                        "wan.rtt|10ms|0.01|s|--vary\n"
                        "storage.kind|lustre|NULL|NULL|default\n"
                        "workload.loss|1%|0.01|1|default\n");
    assert_string_equal(ask(f, r, "SELECT version, git_hash, dirty, argv FROM provenance"),
                        "0.1.0|abc-dirty|1|railsim sweep\n");
    must_close(f, r);
}

static void results_plan__resume_keeps_ids_and_results(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 2, 30);
    must_close(f, r);
    for (int i = 0; i < POINTS; i++)
        f->plan[i].run_id = 99;
    r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    for (int i = 0; i < POINTS; i++) {
        assert_int_equal(f->plan[i].run_id, i + 1);
        assert_int_equal(f->plan[i].done, i == 2);
        assert_false(f->plan[i].other_version);
    }
    assert_string_equal(ask(f, r, "SELECT count(*) FROM provenance"), "1\n");
    assert_string_equal(ask(f, r,
                            "SELECT run_id, time_to_train_s FROM v_point"
                            " WHERE status = 'ok'"),
                        "3|30\n");
    must_close(f, r);
}

static void results_plan__other_version_is_told(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    f->provenance.git_hash = "def";
    must_plan(f, r, false);
    assert_true(f->plan[0].done && f->plan[0].other_version);
    assert_false(f->plan[1].other_version);
    assert_string_equal(ask(f, r,
                            "SELECT run_id, git_hash, dirty FROM run"
                            " JOIN provenance USING(provenance_id) WHERE run_id < 3"),
                        "1|abc-dirty|1\n2|def|0\n");
    must_close(f, r);
}

static void results_plan__force_empties(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    must_store(f, r, 0, 30);
    must_plan(f, r, true);
    assert_int_equal(f->plan[0].run_id, 1);
    assert_false(f->plan[0].done);
    assert_string_equal(ask(f, r,
                            "SELECT status, fingerprint, events, ended FROM run"
                            " WHERE run_id = 1"),
                        "pending|NULL|NULL|NULL\n");
    assert_string_equal(ask(f, r,
                            "SELECT (SELECT count(*) FROM metric) + (SELECT count(*) FROM"
                            " sample) + (SELECT count(*) FROM share) + (SELECT count(*) FROM"
                            " phase) + (SELECT count(*) FROM bin) + (SELECT count(*) FROM"
                            " series)"),
                        "0\n");
    must_close(f, r);
}

static void results_plan__failed_points_run_again(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    must_plan(f, r, false);
    struct record rec;
    make_record(&rec, 5);
    rec.status = "max-events";
    rec.message = "1000 events";
    assert_true(try_store(f, r, 1, &rec));
    record_free(&rec);
    assert_string_equal(ask(f, r, "SELECT status, message, slowdown FROM v_point LIMIT 1"),
                        "max-events|1000 events|NULL\n");
    must_plan(f, r, false);
    assert_false(f->plan[0].done);
    assert_string_equal(ask(f, r, "SELECT status, message FROM run LIMIT 1"), "pending|\n");
    must_close(f, r);
}

static void results_plan__latest_sweep_names_the_point(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    f->plan[0].params = "{}";
    assert_true(try_plan(f, r, 1, false));
    must_store(f, r, 0, 30);
    f->plan[0].params = points[0].params;
    must_plan(f, r, false);
    f->plan[0].params = "{}";
    assert_true(try_plan(f, r, 1, false));
    assert_true(f->plan[0].done);
    assert_string_equal(ask(f, r, "SELECT params FROM run WHERE run_id = 1"),
                        "{\"wan.rtt\":\"10ms\",\"wan.rate\":\"100Gbps\"}\n");
    assert_string_equal(ask(f, r, "SELECT count(*) FROM param WHERE run_id = 1"), "2\n");
    must_close(f, r);
}

static void results_plan__broken_params_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct results *r = must_open(f, RESULTS_WRITE);
    f->plan[3].params = "{\"wan.rtt\":";
    assert_false(try_plan(f, r, POINTS, false));
    expect_error(f, "malformed JSON");
    assert_string_equal(ask(f, r, "SELECT count(*) FROM run"), "0\n");
    must_close(f, r);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(results_open__creates_portable_file),
        WITH_FILE(results_open__writes_ahead_with_full_sync),
        WITH_FILE(results_open__in_memory),
        WITH_FILE(results_open__missing_or_not_a_file),
        WITH_FILE(results_open__foreign_files_stay_as_they_are),
        WITH_FILE(results_open__newer_layout),
        WITH_FILE(results_open__damaged),
        WITH_FILE(results_open__read_only_folder),
        WITH_FILE(results_plan__ids_follow_the_grid),
        WITH_FILE(results_plan__resume_keeps_ids_and_results),
        WITH_FILE(results_plan__other_version_is_told),
        WITH_FILE(results_plan__force_empties),
        WITH_FILE(results_plan__failed_points_run_again),
        WITH_FILE(results_plan__latest_sweep_names_the_point),
        WITH_FILE(results_plan__broken_params_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
