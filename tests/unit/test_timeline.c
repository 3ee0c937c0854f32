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

static void end__writes_an_empty_document(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 10);
    assert_string_equal(end(&rig), "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n]}\n");
    free(rig.text);
}

static void events__are_written_as_they_come(void **state)
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
        "    {\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 3, \"tid\": 0, "
        "\"args\": {\"name\": \"node \\\"3\\\"\"}},\n"
        "    {\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 3, \"tid\": 2, "
        "\"args\": {\"name\": \"GPU 1\"}},\n"
        "    {\"name\": \"all_reduce\", \"ph\": \"X\", \"pid\": 3, \"tid\": 2, "
        "\"cat\": \"communication\", \"ts\": 0, \"dur\": 0.000001, \"args\": {\"bytes\": 4096}},\n"
        "    {\"name\": \"message\", \"ph\": \"s\", \"pid\": 3, \"tid\": 2, \"cat\": \"arrow\", "
        "\"ts\": 1, \"id\": 1},\n"
        "    {\"name\": \"message\", \"ph\": \"f\", \"pid\": 4, \"tid\": 1, \"cat\": \"arrow\", "
        "\"ts\": 2, \"id\": 1, \"bp\": \"e\"},\n"
        "    {\"name\": \"queue bytes\", \"ph\": \"C\", \"pid\": 3, \"tid\": 0, \"ts\": 1.5, "
        "\"args\": {\"value\": 0.5}}\n"
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
    assert_non_null(strstr(text, "    {\"name\": \"4 events left out: the limit of 2 is reached\", "
                                 "\"ph\": \"i\", \"pid\": 0, \"tid\": 0, \"s\": \"g\", \"ts\": 2, "
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
        cmocka_unit_test(events__are_written_as_they_come),
        cmocka_unit_test(times__are_exact),
        cmocka_unit_test(cap__says_what_is_left_out),
        cmocka_unit_test(cap__splits_no_arrow_and_writes_nothing_later),
        cmocka_unit_test(end__reports_a_write_error),
        cmocka_unit_test(nobody__listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
