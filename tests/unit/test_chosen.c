/* test_chosen.c - which nodes and times are passed on, and what is no choice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/app/chosen.h"
#include "sim/base/units.h"

/* struct heard: what came through. */
struct heard {
    struct spans spans;
    int names, spans_n, arrows, levels;
};

static void hear_name(void *self, struct spans_lane at, const char *text)
{
    (void)at, (void)text;
    ((struct heard *)self)->names++;
}

static void hear_span(void *self, const struct span *span)
{
    (void)span;
    ((struct heard *)self)->spans_n++;
}

static void hear_arrow(void *self, const struct spans_arrow *arrow)
{
    (void)arrow;
    ((struct heard *)self)->arrows++;
}

static void hear_level(void *self, const struct spans_level *level)
{
    (void)level;
    ((struct heard *)self)->levels++;
}

static const struct spans_ops ops = {hear_name, hear_span, hear_arrow, hear_level};

static void open_choice(struct chosen *chosen, struct heard *heard, const char *nodes,
                        const char *time)
{
    struct err err = {0};
    *heard = (struct heard){.spans = {&ops, heard}};
    assert_true(chosen_parse(chosen, nodes, time, &err));
    chosen_begin(chosen, &heard->spans);
}

/* Is a span of a node from start to end passed on? */
static bool passes(struct chosen *chosen, struct heard *heard, int32_t node, int64_t start_ps,
                   int64_t end_ps)
{
    int before = heard->spans_n;
    spans_add(&chosen->spans, &(struct span){{node, 0}, "x", "compute", start_ps, end_ps, -1});
    return heard->spans_n > before;
}

static void nodes__are_ranges_and_single_ones(void **state)
{
    (void)state;
    struct chosen chosen;
    struct heard heard;
    open_choice(&chosen, &heard, "1..2,5,7..", NULL);
    const bool expected[] = {false, true, true, false, false, true, false, true, true};
    for (int32_t node = 0; node < 9; node++)
        assert_int_equal(passes(&chosen, &heard, node, 0, 1), expected[node]);
    spans_name(&chosen.spans, (struct spans_lane){0, 3}, "GPU");
    assert_int_equal(heard.names, 0);
    spans_name(&chosen.spans, (struct spans_lane){1, 3}, "GPU");
    assert_int_equal(heard.names, 1);
}

static void time__takes_what_reaches_into_it(void **state)
{
    (void)state;
    struct chosen chosen;
    struct heard heard;
    open_choice(&chosen, &heard, NULL, "2us..3us");
    assert_false(passes(&chosen, &heard, 0, 0, 2 * PS_PER_US - 1));
    assert_true(passes(&chosen, &heard, 0, 0, 2 * PS_PER_US));
    assert_true(passes(&chosen, &heard, 0, 0, 9 * PS_PER_US));
    assert_true(passes(&chosen, &heard, 0, 3 * PS_PER_US, 9 * PS_PER_US));
    assert_false(passes(&chosen, &heard, 0, 3 * PS_PER_US + 1, 9 * PS_PER_US));
    open_choice(&chosen, &heard, NULL, "..3us");
    assert_true(passes(&chosen, &heard, 0, 0, 1));
    open_choice(&chosen, &heard, NULL, "3us..");
    assert_false(passes(&chosen, &heard, 0, 0, 1));
    assert_true(passes(&chosen, &heard, 0, INT64_MAX - 1, INT64_MAX));
}

static void run__is_always_passed_on(void **state)
{
    (void)state;
    struct chosen chosen;
    struct heard heard;
    open_choice(&chosen, &heard, "1", "2us..3us");
    spans_name(&chosen.spans, (struct spans_lane){4, -1}, SPANS_RUN);
    spans_name(&chosen.spans, (struct spans_lane){3, -1}, "node 3");
    assert_int_equal(heard.names, 1);
    assert_true(passes(&chosen, &heard, 4, 0, 1));
    assert_false(passes(&chosen, &heard, 3, 0, 9 * PS_PER_US));
    spans_level(&chosen.spans, &(struct spans_level){4, "queue", 9 * PS_PER_US, 1});
    spans_level(&chosen.spans, &(struct spans_level){1, "queue", 9 * PS_PER_US, 1});
    assert_int_equal(heard.levels, 1);
}

static void arrows__need_both_ends(void **state)
{
    (void)state;
    struct chosen chosen;
    struct heard heard;
    open_choice(&chosen, &heard, "0..1", NULL);
    spans_arrow(&chosen.spans, &(struct spans_arrow){"m", {0, 0}, {1, 0}, 0, 1});
    spans_arrow(&chosen.spans, &(struct spans_arrow){"m", {0, 0}, {2, 0}, 0, 1});
    assert_int_equal(heard.arrows, 1);
}

static void parse__refuses(void **state)
{
    (void)state;
    const struct {
        const char *nodes, *time, *said;
    } cases[] = {
        {"", NULL, "--timeline-nodes: '': a range is missing; expected e.g. 0..7,12"},
        {"1,", NULL, "a range is missing"},
        {"3..1", NULL, "the end is before the beginning"},
        {"-1", NULL, "must not be negative"},
        {"x", NULL, "expected a number"},
        {NULL, "1s", "--timeline-time: '1s': one time is no range; expected e.g. 2s..3s"},
        {NULL, "1..2", "a time needs a unit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chosen chosen;
        struct err err = {0};
        assert_false(chosen_parse(&chosen, cases[i].nodes, cases[i].time, &err));
        assert_int_equal(err.count, 1);
        if (!strstr(err.messages[0], cases[i].said)) fail_msg("%s", err.messages[0]);
        err_free(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes__are_ranges_and_single_ones),
        cmocka_unit_test(time__takes_what_reaches_into_it),
        cmocka_unit_test(run__is_always_passed_on),
        cmocka_unit_test(arrows__need_both_ends),
        cmocka_unit_test(parse__refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
