/* test_err.c - messages in compiler form, carets, hostile bytes, the cap, suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/err.h"

static void err_add__place_line_and_caret(void **state)
{
    (void)state;
    struct err err = {0};
    struct err_pos pos = {"rail.yaml", 12, 9, "fabric: {ral_count: 8}"};
    assert_false(err_add(&err, pos, "unknown key '%s'", "ral_count"));
    assert_string_equal(err.messages[0], "rail.yaml:12:9: error: unknown key 'ral_count'\n"
                                         "  fabric: {ral_count: 8}\n"
                                         "          ^");
    assert_int_equal(err.count, 1);
    assert_int_equal(err.exit_code, 2);
    err_free(&err);
    assert_int_equal(err.count, 0);
}

static void err_add__without_line_or_file(void **state)
{
    (void)state;
    struct err err = {0};
    err_add(&err, (struct err_pos){.file = "a.yaml"}, "empty");
    err_add(&err, (struct err_pos){0}, "no file");
    err_add(&err, (struct err_pos){"a.yaml", 3, 1, NULL}, "no text");
    err_add(&err, (struct err_pos){"a.yaml", 3, 1, ""}, "empty line");
    err_add(&err, (struct err_pos){"a.yaml", 3, 0, "text"}, "no column");
    assert_string_equal(err.messages[0], "a.yaml: error: empty");
    assert_string_equal(err.messages[1], "error: no file");
    assert_string_equal(err.messages[2], "a.yaml:3:1: error: no text");
    assert_string_equal(err.messages[3], "a.yaml:3:1: error: empty line\n  \n  ^");
    assert_string_equal(err.messages[4], "a.yaml:3:0: error: no column");
    err_free(&err);
}

static void err_add__long_line_is_cut(void **state)
{
    (void)state;
    char line[1001];
    for (int i = 0; i < 1000; i++)
        line[i] = (char)('a' + i % 26);
    line[1000] = 0;
    struct err err = {0};
    for (int col = 1; col <= 1001; col += 100) {
        err_add(&err, (struct err_pos){"f", 1, col, line}, "x");
        const char *shown = strchr(err.messages[err.count - 1], '\n') + 1;
        const char *caret = strchr(shown, '\n') + 1;
        assert_true(caret - shown <= 110);
        size_t at = strlen(caret) - 1; /* the caret stands under the character of the column */
        assert_int_equal(caret[at], '^');
        if (col <= 1000) assert_int_equal(shown[at], line[col - 1]);
        assert_int_equal(memcmp(shown, "  ...", 5) == 0, col > 61);
    }
    err_add(&err, (struct err_pos){"f", 1, INT32_MAX, line}, "column past the end");
    assert_true(strlen(err.messages[err.count - 1]) < 300);
    err_free(&err);
}

static void err_add__hostile_bytes(void **state)
{
    (void)state;
    struct err err = {0};
    /* Escape, C1, broken UTF-8, a writing-direction override; a tab is a blank. */
    struct err_pos pos = {"f", 1, 5, "\tk\u00e9y\033[31m\xff\u202e\xc3"};
    err_add(&err, pos, "key '%s'",
            "a\033]0;x\007\xc2\x85"
            "b\u00e9");
    assert_string_equal(err.messages[0], "f:1:5: error: key 'a?]0;x???b\u00e9'\n"
                                         "   k\u00e9y?[31m?????\n"
                                         "      ^");
    err_free(&err);
}

static void err_add__utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}, /* four bytes */
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xc0\x80", "??"}, /* overlong */
        {"\xe0\x80\x80", "???"},
        {"\xf0\x80\x80\x80", "????"},
        {"\xf4\x90\x80\x80", "????"}, /* past U+10FFFF */
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xe2\x82", "??"},           /* cut off */
        {"\xe2\x81\xa6", "???"},      /* U+2066 */
        {"\x7f", "?"},
    };
    struct err err = {0};
    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        err_add(&err, (struct err_pos){0}, "%s", rows[i].text);
        assert_string_equal(err.messages[i] + strlen("error: "), rows[i].shown);
    }
    err_free(&err);
}

static void err_io__exit_code(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(err_io(&err, "cannot write %s: %s", "r.db", "disk full"));
    assert_string_equal(err.messages[0], "error: cannot write r.db: disk full");
    assert_int_equal(err.exit_code, 3);
    err_add(&err, (struct err_pos){0}, "later");
    assert_int_equal(err.exit_code, 3);
    err_free(&err);
}

static void err_print__counts_past_the_cap(void **state)
{
    (void)state;
    struct err err = {0};
    for (int i = 0; i < ERR_CAP + 5; i++)
        err_add(&err, (struct err_pos){0}, "no %d", i);
    assert_int_equal(err.count, ERR_CAP + 5);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    err_print(&err, out);
    fclose(out);
    assert_non_null(strstr(text, "error: no 0\nerror: no 1\n"));
    assert_non_null(strstr(text, "error: no 19\n... and 5 more\n"));
    free(text);
    err_free(&err);
}

static void err_suggest__nearest(void **state)
{
    (void)state;
    static const char *const words[] = {"rail_count", "rate", "rtt", "rail_size", "loss"};
    assert_string_equal(err_suggest("ral_count", words, 5), "rail_count");
    assert_string_equal(err_suggest("rat", words, 5), "rate");
    assert_string_equal(err_suggest("rtf", words, 5), "rtt");
    assert_string_equal(err_suggest("arte", words, 5), "rate"); /* neighbours swapped */
    assert_string_equal(err_suggest("rail_count", words, 5), "rail_count");
    assert_null(err_suggest("bandwidth", words, 5));
    assert_null(err_suggest("x", words, 5));
    assert_null(err_suggest("", words, 5));
    assert_null(err_suggest("rate", words, 0));
    char enormous[4096];
    memset(enormous, 'r', sizeof enormous - 1);
    enormous[sizeof enormous - 1] = 0;
    assert_null(err_suggest(enormous, words, 5));
    const char *const one[] = {enormous};
    assert_null(err_suggest("rrr", one, 1));
}

static void err_suggest__ties_go_to_the_first(void **state)
{
    (void)state;
    static const char *const words[] = {"abcx", "abcy", "abcd"};
    assert_string_equal(err_suggest("abcz", words, 2), "abcx");
    assert_string_equal(err_suggest("abcd", words, 3), "abcd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_add__place_line_and_caret),
        cmocka_unit_test(err_add__without_line_or_file),
        cmocka_unit_test(err_add__long_line_is_cut),
        cmocka_unit_test(err_add__hostile_bytes),
        cmocka_unit_test(err_add__utf8),
        cmocka_unit_test(err_io__exit_code),
        cmocka_unit_test(err_print__counts_past_the_cap),
        cmocka_unit_test(err_suggest__nearest),
        cmocka_unit_test(err_suggest__ties_go_to_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
