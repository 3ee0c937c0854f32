/* test_json.c - JSON text: layout, escapes, broken UTF-8, numbers that read back exactly. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/io/json.h"

/* A document in memory. */
struct doc {
    struct json json;
    char *text;
    size_t len;
};

static void doc_open(struct doc *doc)
{
    *doc = (struct doc){0};
    doc->json.out = open_memstream(&doc->text, &doc->len);
    assert_non_null(doc->json.out);
}

static void doc_expect(struct doc *doc, const char *expected)
{
    fclose(doc->json.out);
    assert_string_equal(doc->text, expected);
    free(doc->text);
}

static void json_object__nested_document(void **state)
{
    (void)state;
    struct doc doc;
    doc_open(&doc);
    json_object(&doc.json, NULL);
    json_string(&doc.json, "status", "ok");
    json_object(&doc.json, "metrics");
    json_double(&doc.json, "time_s", 1.5);
    json_end(&doc.json, '}');
    json_array(&doc.json, "rows");
    json_object(&doc.json, NULL);
    json_bool(&doc.json, "pass", true);
    json_int(&doc.json, "n", INT64_MIN);
    json_end(&doc.json, '}');
    json_array(&doc.json, NULL);
    json_end(&doc.json, ']');
    json_end(&doc.json, ']');
    json_raw(&doc.json, "params", "{\"wan.rtt\":\"15ms\"}");
    json_end(&doc.json, '}');
    doc_expect(&doc, "{\n"
                     "  \"status\": \"ok\",\n"
                     "  \"metrics\": {\n"
                     "    \"time_s\": 1.5\n"
                     "  },\n"
                     "  \"rows\": [\n"
                     "    {\"pass\": true, \"n\": -9223372036854775808},\n"
                     "    []\n"
                     "  ],\n"
                     "  \"params\": {\"wan.rtt\":\"15ms\"}\n"
                     "}\n");
}

static void json_object__empty(void **state)
{
    (void)state;
    struct doc doc;
    doc_open(&doc);
    json_object(&doc.json, NULL);
    json_end(&doc.json, '}');
    doc_expect(&doc, "{}\n");
}

static void expect_text(const char *text, const char *expected)
{
    struct doc doc;
    doc_open(&doc);
    json_string(&doc.json, NULL, text);
    doc_expect(&doc, expected);
}

static void json_string__escapes(void **state)
{
    (void)state;
    expect_text("a\"b\\c/", "\"a\\\"b\\\\c/\"");
    expect_text("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    expect_text("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
    expect_text("bfnrt", "\"bfnrt\"");
    expect_text("", "\"\"");
    expect_text(NULL, "null");
}

static void json_string__utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"\u00b5s",      "\u6771\u4eac",     "\U0001f600",
                                       "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", NULL};
    for (int i = 0; good[i]; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "\"%s\"", good[i]);
        expect_text(good[i], expected);
    }
}

#define FFFD "\xef\xbf\xbd"
static void json_string__broken_utf8(void **state)
{
    (void)state;
    expect_text("a\xffz", "\"a" FFFD "z\"");
    expect_text("\xc0\x80", "\"" FFFD FFFD "\"");                   /* overlong NUL */
    expect_text("\xe0\x80\xaf", "\"" FFFD FFFD FFFD "\"");          /* overlong / */
    expect_text("\xed\xa0\x80", "\"" FFFD FFFD FFFD "\"");          /* surrogate */
    expect_text("\xf4\x90\x80\x80", "\"" FFFD FFFD FFFD FFFD "\""); /* > U+10FFFF */
    expect_text("\xe6\x9d", "\"" FFFD FFFD "\"");                   /* cut off at the end */
    expect_text("\xf0\x9f\x98", "\"" FFFD FFFD FFFD "\"");
    expect_text("\xe6\"", "\"" FFFD "\\\"\""); /* does not swallow the quote */
}

static void json_double__no_number(void **state)
{
    (void)state;
    struct doc doc;
    doc_open(&doc);
    json_array(&doc.json, NULL);
    json_double(&doc.json, NULL, NAN);
    json_double(&doc.json, NULL, INFINITY);
    json_double(&doc.json, NULL, -INFINITY);
    json_end(&doc.json, ']');
    doc_expect(&doc, "[\n  null,\n  null,\n  null\n]\n");
}

static void json_number_text__shortest(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"},
                {-0.0, "-0"},
                {0.1, "0.1"},
                {1e20, "1e+20"},
                {123456789, "123456789"},
                {1.0 / 3, "0.3333333333333333"},
                {0.1 + 0.2, "0.30000000000000004"},
                {5e-324, "5e-324"},
                {DBL_MAX, "1.7976931348623157e+308"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buf[JSON_NUMBER_MAX];
        assert_string_equal(json_number_text(rows[i].value, buf), rows[i].text);
    }
}

static void json_number_text__reads_back(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double value, back;
        char buf[JSON_NUMBER_MAX];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        back = strtod(json_number_text(value, buf), NULL);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_object__nested_document),
        cmocka_unit_test(json_object__empty),
        cmocka_unit_test(json_string__escapes),
        cmocka_unit_test(json_string__utf8),
        cmocka_unit_test(json_string__broken_utf8),
        cmocka_unit_test(json_double__no_number),
        cmocka_unit_test(json_number_text__shortest),
        cmocka_unit_test(json_number_text__reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
