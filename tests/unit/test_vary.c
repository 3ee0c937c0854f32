/* test_vary.c - lists, ranges and grids of --vary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim/app/vary.h"

/* joined returns the values of spec with blanks between them, or the first line of the error. */
static const char *joined(struct arena *arena, const char *spec)
{
    struct err err = {0};
    struct vary_axis axis;
    const char *text = "";
    if (!vary_parse(arena, spec, &axis, &err)) {
        assert_true(err.count > 0);
        text = arena_strdup(arena, err.messages[0]);
    } else {
        assert_int_equal(err.count, 0);
        for (int64_t i = 0; i < axis.n; i++)
            text = arena_printf(arena, "%s%s%s", text, i ? " " : "", axis.value[i]);
    }
    err_free(&err);
    return text;
}

static void assert_values(const char *spec, const char *expected)
{
    struct arena arena = {0};
    assert_string_equal(joined(&arena, spec), expected);
    arena_free(&arena);
}

/* assert_refused checks that spec is an error whose message holds part. */
static void assert_refused(const char *spec, const char *part)
{
    struct arena arena = {0};
    const char *text = joined(&arena, spec);
    if (strncmp(text, "error: ", 7) != 0 || !strstr(text, part))
        fail_msg("%s: expected '%s', got '%s'", spec, part, text);
    arena_free(&arena);
}

static void vary_parse__list_keeps_texts(void **state)
{
    (void)state;
    assert_values("wan.rtt=0ms,15ms,20ms", "0ms 15ms 20ms");
    assert_values("storage.client.kind=nfs", "nfs");
}

static void vary_parse__commas_in_brackets_and_quotes_do_not_separate(void **state)
{
    (void)state;
    assert_values("a=[3, 7],[1]", "[3, 7] [1]");
    assert_values("a=\"x,y\",z", "\"x,y\" z");
}

static void vary_parse__linear_range_is_exact(void **state)
{
    (void)state;
    assert_values("wan.rtt=0ms..40ms/9", "0s 5ms 10ms 15ms 20ms 25ms 30ms 35ms 40ms");
    assert_values("wan.rtt=40ms..0/3", "40ms 20ms 0s");
    assert_values("n=1..9/5", "1 3 5 7 9");
    assert_values("n=0..1/2", "0 1");
    assert_values("t=0s..1s/4", "0s 333333333333ps 666666666667ps 1s");
    assert_values("r=100Gbps..400Gbps/4", "100Gbps 200Gbps 300Gbps 400Gbps");
    assert_values("t=0ps..9223372036854775807ps/3",
                  "0s 4611686018427387904ps 9223372036854775807ps");
}

static void vary_parse__range_of_fractions_and_reals(void **state)
{
    (void)state;
    assert_values("wan.loss=0..1%/5", "0% 0.25% 0.5% 0.75% 1%");
    assert_values("x=0.1..0.5/5", "0.1 0.2 0.3 0.4 0.5");
    assert_values("wan.loss=log:0.01%..1%/3", "0.01% 0.1% 1%");
}

static void vary_parse__log_range_has_four_digits(void **state)
{
    (void)state;
    assert_values("wan.rtt=log:1ms..100ms/5", "1ms 3162us 10ms 31.62ms 100ms");
    assert_values("wan.rtt=log:100ms..1ms/3", "100ms 10ms 1ms");
    assert_values("n=log:1..64/7", "1 2 4 8 16 32 64");
    assert_values("r=log:1bps..1000000Gbps/4", "1bps 100kbps 10Gbps 1000Tbps");
}

static void vary_parse__log_range_of_binary_sizes_stays_binary(void **state)
{
    (void)state;
    assert_values("w=log:1MiB..64MiB/7", "1MiB 2MiB 4MiB 8MiB 16MiB 32MiB 64MiB");
    assert_values("w=log:1MB..100MB/3", "1MB 10MB 100MB");
}

static void vary_parse__refuses_what_is_no_list_or_range(void **state)
{
    (void)state;
    assert_refused("wan.rtt", "expected KEY=VALUE");
    assert_refused("=1", "expected KEY=VALUE");
    assert_refused("a=", "expected KEY=VALUE");
    assert_refused("a=1,,2", "empty value");
    assert_refused("a=1,2,", "empty value");
    assert_refused("a=1..5", "FROM..TO/NUMBER");
    assert_refused("a=log:5", "FROM..TO/NUMBER");
    assert_refused("a=1ms..5Gbps/3", "no two values of one kind");
    assert_refused("a=1ms..5/3", "no two values of one kind");
    assert_refused("a=1ms..5ms/x", "no number of values");
    assert_refused("a=1ms..5ms/1", "2 to 10000 values");
    assert_refused("a=1ms..5ms/10001", "2 to 10000 values");
    assert_refused("a=log:0ms..5ms/3", "above 0");
}

static void vary_parse__refuses_a_value_twice(void **state)
{
    (void)state;
    assert_refused("a=1ms,2ms,1ms", "1ms occurs twice");
    assert_refused("n=1..3/5", "occurs twice");
    assert_refused("a=5ms..5ms/2", "5ms occurs twice");
}

static void vary_points__multiplies_and_refuses_too_many(void **state)
{
    (void)state;
    struct vary_axis axes[] = {{.n = 5}, {.n = 4}, {.n = 10000}};
    assert_int_equal(vary_points(axes, 0, 3), 3);
    assert_int_equal(vary_points(axes, 2, 1), 20);
    assert_int_equal(vary_points(axes, 2, 5000), VARY_POINTS_MAX);
    assert_int_equal(vary_points(axes, 2, 5001), -1);
    assert_int_equal(vary_points(axes, 3, 1), -1);
    assert_int_equal(vary_points(axes, 0, INT64_MAX), -1);
}

static void vary_pick__last_axis_runs_fastest(void **state)
{
    (void)state;
    struct vary_axis axes[] = {{.n = 2}, {.n = 3}};
    int64_t choice[2];
    for (int64_t i = 0; i < 6; i++) {
        vary_pick(axes, 2, i, choice);
        assert_int_equal(choice[0], i / 3);
        assert_int_equal(choice[1], i % 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vary_parse__list_keeps_texts),
        cmocka_unit_test(vary_parse__commas_in_brackets_and_quotes_do_not_separate),
        cmocka_unit_test(vary_parse__linear_range_is_exact),
        cmocka_unit_test(vary_parse__range_of_fractions_and_reals),
        cmocka_unit_test(vary_parse__log_range_has_four_digits),
        cmocka_unit_test(vary_parse__log_range_of_binary_sizes_stays_binary),
        cmocka_unit_test(vary_parse__refuses_what_is_no_list_or_range),
        cmocka_unit_test(vary_parse__refuses_a_value_twice),
        cmocka_unit_test(vary_points__multiplies_and_refuses_too_many),
        cmocka_unit_test(vary_pick__last_axis_runs_fastest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
