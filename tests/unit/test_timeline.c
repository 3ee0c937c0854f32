/* test_timeline.c - Chrome trace JSON: the text of events, exact times, the cap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/base/units.h"
#include "sim/io/timeline.h"

struct rig {
    struct timeline timeline;
    char *text;
    size_t len;
    FILE *out;
};

static void begin(struct rig *rig, int64_t events_max)
{
    rig->out = open_memstream(&rig->text, &rig->len);
    assert_non_null(rig->out);
    timeline_begin(&rig->timeline, rig->out, events_max);
}

static const char *end(struct rig *rig)
{
    assert_true(timeline_end(&rig->timeline));
    fclose(rig->out);
    return rig->text;
}

static struct span span_at(int64_t start_ps, int64_t end_ps)
{
    return (struct span){{3, 1}, "forward", "compute", start_ps, end_ps, -1};
}

static int count_of(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static void end__writes_an_empty_document(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 10);
    assert_string_equal(end(&rig), "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n]}\n");
    free(rig.text);
}

static void events__are_written_as_they_come_and_names_at_the_end(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 10);
    const struct spans *to = &rig.timeline.spans;
    spans_name(to, (struct spans_lane){3, -1}, "node \"3\"");
    spans_name(to, (struct spans_lane){3, 1}, "GPU 1");
    spans_add(to, &(struct span){{3, 1}, "all_reduce", "communication", 0, 1, 4096});
    spans_arrow(to, &(struct spans_arrow){"message", {3, 1}, {4, 0}, PS_PER_US, 2 * PS_PER_US});
    spans_level(to, &(struct spans_level){3, "queue bytes", 1500 * PS_PER_NS, 0.5});
    assert_string_equal(
        end(&rig),
        "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n"
        "    {\"pid\": 3, \"tid\": 2, \"name\": \"all_reduce\", \"ph\": \"X\", "
        "\"cat\": \"communication\", \"ts\": 0, \"dur\": 0.000001, \"args\": {\"bytes\": 4096}},\n"
        "    {\"pid\": 3, \"tid\": 2, \"name\": \"message\", \"ph\": \"s\", \"cat\": \"arrow\", "
        "\"ts\": 1, \"id\": 1},\n"
        "    {\"pid\": 4, \"tid\": 1, \"name\": \"message\", \"ph\": \"f\", \"cat\": \"arrow\", "
        "\"ts\": 2, \"id\": 1, \"bp\": \"e\"},\n"
        "    {\"pid\": 3, \"tid\": 0, \"name\": \"queue bytes\", \"ph\": \"C\", \"ts\": 1.5, "
        "\"args\": {\"value\": 0.5}},\n"
        "    {\"pid\": 3, \"tid\": 0, \"name\": \"process_name\", \"ph\": \"M\", "
        "\"args\": {\"name\": \"node \\\"3\\\"\"}},\n"
        "    {\"pid\": 3, \"tid\": 2, \"name\": \"thread_name\", \"ph\": \"M\", "
        "\"args\": {\"name\": \"GPU 1\"}}\n"
        "]}\n");
    free(rig.text);
}

static void times__are_exact(void **state)
{
    (void)state;
    const struct {
        int64_t time_ps;
        const char *text;
    } cases[] = {{0, "\"ts\": 0, "},
                 {1, "\"ts\": 0.000001, "},
                 {999999, "\"ts\": 0.999999, "},
                 {1000000, "\"ts\": 1, "},
                 {1010100, "\"ts\": 1.0101, "},
                 {INT64_MAX, "\"ts\": 9223372036854.775807, "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        begin(&rig, 10);
        const struct span span = span_at(cases[i].time_ps, cases[i].time_ps);
        spans_add(&rig.timeline.spans, &span);
        assert_non_null(strstr(end(&rig), cases[i].text));
        free(rig.text);
    }
}

static void cap__says_what_is_left_out(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2);
    const struct spans *to = &rig.timeline.spans;
    for (int64_t i = 0; i < 4; i++) {
        const struct span span = span_at(i * PS_PER_US, (i + 1) * PS_PER_US);
        spans_add(to, &span);
    }
    spans_arrow(to, &(struct spans_arrow){"late", {0, 0}, {1, 0}, 9 * PS_PER_US, 9 * PS_PER_US});
    spans_name(to, (struct spans_lane){3, 1}, "named nevertheless");
    const char *text = end(&rig);
    assert_null(strstr(text, "\"ts\": 3"));
    assert_null(strstr(text, "late"));
    assert_non_null(strstr(text, "named nevertheless"));
    assert_non_null(strstr(text, "    {\"pid\": 0, \"tid\": 0, \"name\": \"4 events left out: the "
                                 "limit of 2 is reached\", \"ph\": \"i\", \"s\": \"g\", \"ts\": 2, "
                                 "\"args\": {\"left_out\": 4}}\n]}\n"));
    free(rig.text);
}

static void cap__splits_no_arrow_and_writes_nothing_later(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2);
    const struct span span = span_at(0, 1);
    spans_add(&rig.timeline.spans, &span);
    spans_arrow(&rig.timeline.spans, &(struct spans_arrow){"half", {0, 0}, {1, 0}, 5, 6});
    spans_add(&rig.timeline.spans, &span);
    const char *text = end(&rig);
    assert_null(strstr(text, "half"));
    assert_non_null(strstr(text, "\"name\": \"3 events left out"));
    assert_non_null(strstr(text, "\"ts\": 0, \"args\": {\"left_out\": 3}"));
    free(rig.text);
}

static void run__is_drawn_whatever_the_limit(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 1);
    const struct spans *to = &rig.timeline.spans;
    spans_name(to, (struct spans_lane){9, -1}, SPANS_RUN);
    for (int64_t i = 0; i < 2; i++) {
        const struct span span = span_at(i, i + 1);
        spans_add(to, &span);
    }
    for (int i = 0; i < 3; i++) {
        spans_add(to, &(struct span){{9, 0}, "epoch", "phase", i, i + 1, -1});
        spans_level(to, &(struct spans_level){9, "queue", i * PS_PER_US, 1});
    }
    const char *text = end(&rig);
    assert_int_equal(count_of(text, "\"epoch\""), 3);
    assert_int_equal(count_of(text, "\"queue\""), 1); /* levels have the limit to themselves */
    assert_int_equal(count_of(text, "\"forward\""), 1);
    free(rig.text);
}

/* Ten spans of each of eight hosts in a file, which can be shrunk; returns its text. */
static char *shrink(int64_t events_max, bool keep, struct timeline *timeline)
{
    static char text[1 << 16];
    FILE *file = tmpfile();
    assert_non_null(file);
    timeline_begin(timeline, file, events_max);
    if (keep) timeline_keep_hosts(timeline);
    const struct spans *to = &timeline->spans;
    spans_name(to, (struct spans_lane){8, -1}, SPANS_RUN);
    for (int32_t node = 0; node < 8; node++) {
        spans_name(to, (struct spans_lane){node, -1}, "host");
        spans_name(to, (struct spans_lane){node, 0}, "GPU");
    }
    spans_level(to, &(struct spans_level){8, "early", 0, 1});
    for (int64_t i = 0; i < 10; i++)
        for (int32_t node = 0; node < 8; node++)
            spans_add(to, &(struct span){{node, 0}, "}, {\"pid\": 0,", "compute", i, i + 1, -1});
    spans_add(to, &(struct span){{8, 0}, "epoch", "phase", 0, 10, -1});
    assert_true(timeline_end(timeline));
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void limit__gives_up_hosts_not_time(void **state)
{
    (void)state;
    struct timeline timeline;
    const char *text = shrink(25, false, &timeline);
    assert_int_equal(timeline.drawn, 2);
    assert_int_equal(timeline.nodes, 8);
    assert_int_equal(timeline.events, 20);
    assert_int_equal(timeline.offered, 80);
    assert_int_equal(timeline.left_out, 0);
    assert_int_equal(count_of(text, "{\"pid\": 0, \"tid\": 1, \"name\": \"}"), 10);
    assert_int_equal(count_of(text, "{\"pid\": 1, \"tid\": 1, \"name\": \"}"), 10);
    assert_null(strstr(text, "{\"pid\": 2, "));
    assert_int_equal(count_of(text, "\"GPU\""), 2);
    assert_int_equal(count_of(text, "\"early\""), 1);
    assert_int_equal(count_of(text, "\"epoch\""), 1);
    assert_int_equal(count_of(text, "},\n") + 1, count_of(text, "\n    {\"pid\": "));
    assert_string_equal(text + strlen(text) - 5, "}\n]}\n");
}

static void limit__leaves_out_time_of_one_host_and_of_chosen_ones(void **state)
{
    (void)state;
    struct timeline timeline;
    shrink(8, false, &timeline);
    assert_int_equal(timeline.drawn, 1);
    assert_int_equal(timeline.events, 8);
    assert_int_equal(timeline.left_out, 2);
    assert_int_equal(timeline.left_out_ps, 8);
    shrink(25, true, &timeline);
    assert_int_equal(timeline.events, 25);
    assert_int_equal(timeline.left_out, 55);
    assert_int_equal(timeline.left_out_ps, 3);
}

static void end__reports_a_write_error(void **state)
{
    (void)state;
    struct timeline timeline;
    FILE *full = fopen("/dev/full", "w");
    if (!full) skip();
    timeline_begin(&timeline, full, 10);
    assert_false(timeline_end(&timeline));
    fclose(full);
}

static void nobody__listens(void **state)
{
    (void)state;
    const struct span span = span_at(0, 1);
    spans_add(NULL, &span);
    spans_name(NULL, span.at, "nobody");
    spans_level(NULL, &(struct spans_level){0, "x", 0, 1});
    spans_arrow(NULL, &(struct spans_arrow){"x", span.at, span.at, 0, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end__writes_an_empty_document),
        cmocka_unit_test(events__are_written_as_they_come_and_names_at_the_end),
        cmocka_unit_test(times__are_exact),
        cmocka_unit_test(cap__says_what_is_left_out),
        cmocka_unit_test(cap__splits_no_arrow_and_writes_nothing_later),
        cmocka_unit_test(run__is_drawn_whatever_the_limit),
        cmocka_unit_test(limit__gives_up_hosts_not_time),
        cmocka_unit_test(limit__leaves_out_time_of_one_host_and_of_chosen_ones),
        cmocka_unit_test(end__reports_a_write_error),
        cmocka_unit_test(nobody__listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
