/* test_figure_csv.c - measured tables as SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/io/figure_csv.h"

struct scratch {
    struct arena arena;
    struct err err;
};

static int scratch_open(void **state)
{
    *state = test_calloc(1, sizeof(struct scratch));
    return 0;
}

static int scratch_close(void **state)
{
    struct scratch *s = *state;
    arena_free(&s->arena);
    err_free(&s->err);
    test_free(s);
    return 0;
}

/* said: does some message hold text? */
static bool said(const struct err *err, const char *text)
{
    for (int i = 0; i < err->count && i < ERR_CAP; i++)
        if (strstr(err->messages[i], text)) return true;
    return false;
}

/* csv_sql returns the SQL of a CSV text, or NULL. */
static const char *csv_sql(struct scratch *s, struct figure_csv *csv, const char *text)
{
    char *sql = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&sql, &bytes);
    *csv = (struct figure_csv){.arena = &s->arena};
    struct figure_csv_file file = {"m", "m.csv", text};
    bool ok = figure_csv_sql(csv, &file, out, &s->err);
    fclose(out);
    const char *kept = ok ? arena_strdup(&s->arena, sql) : NULL;
    free(sql);
    return kept;
}

static void figure_csv_sql__numbers_texts_quotes_gaps(void **state)
{
    struct scratch *s = *state;
    struct figure_csv csv;
    const char *sql = csv_sql(s, &csv, "# Source: x\na,b_2\n1.5,\r\n\"q\"\"',q\",-2e3\n1e,.\n");
    assert_string_equal(sql, "m(a,b_2) AS (VALUES (1.5,NULL),(?1,-2e3),(?2,?3))");
    assert_int_equal(csv.n, 3);
    assert_string_equal(csv.texts[0], "q\"',q");
    assert_string_equal(csv.texts[1], "1e");
}

static void figure_csv_sql__wrong_lines(void **state)
{
    struct scratch *s = *state;
    static const char *const texts[] = {"a,b\n1\n",     "a,b\n1,2,3\n", "a\n\"x\n", "a\n\"x\"y\n",
                                        "a; DROP\n1\n", "1a\n1\n",      "a\n",      ""};
    struct figure_csv csv;
    for (int i = 0; i < 8; i++) {
        int before = s->err.count;
        assert_null(csv_sql(s, &csv, texts[i]));
        assert_int_equal(s->err.count, before + 1);
    }
    assert_true(said(&s->err, "m.csv:2:1: error: expected 2 fields"));
}

static void figure_csv_source__up_to_the_end_of_the_sentence(void **state)
{
    struct scratch *s = *state;
    const char *text = "# A table.\n# Source: A. B: title, 2025. Cite it.\na\n# Source: late\n";
    assert_string_equal(figure_csv_source(&s->arena, text), "A");
    assert_string_equal(figure_csv_source(&s->arena, "# Source: all of it\na\n"), "all of it");
    assert_string_equal(figure_csv_source(&s->arena, "a\n# Source: late\n"), "");
}

static void figure_csv_is_number__what_sql_may_hold_bare(void **state)
{
    (void)state;
    static const char *const yes[] = {"0", "-1", "+1.5", ".5", "5.", "1e9", "1.25E-3"};
    static const char *const no[] = {"", "-", ".", "1e", "1 ", "0x1", "nan", "inf", "1;", "1-1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        assert_true(figure_csv_is_number(yes[i]));
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        assert_false(figure_csv_is_number(no[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(figure_csv_sql__numbers_texts_quotes_gaps),
        TEST(figure_csv_sql__wrong_lines),
        TEST(figure_csv_source__up_to_the_end_of_the_sentence),
        TEST(figure_csv_is_number__what_sql_may_hold_bare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
