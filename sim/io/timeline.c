/* timeline.c - spans, arrows and levels as Chrome trace events, written as they come.
 *
 * Apart because the format is that of a viewer and no model should know it. The one idea: a viewer
 * takes events in any order, so none is kept or sorted, and a run of any length needs no memory;
 * the file has a cap instead. A large cluster reaches it within its first milliseconds: then hosts
 * are given up, not time (timeline_shrink.c), and names wait for the end, when it is known whose.
 * Source: "Trace Event Format" (X complete, s and f flow, C counter, M metadata, i instant).
 * Times are us with as many decimals as ps need; displayTimeUnit ns. Viewers read them as doubles
 * or round to ns: the text is exact. Node n is process n, lane l of it thread l + 1: 0 is for what
 * is told of the node as a whole. Not modelled: nesting (viewers find it), Perfetto's binary
 * format.
 */
#include "sim/io/timeline.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/check.h"
#include "sim/base/units.h"
#include "sim/io/json.h"
#include "sim/io/timeline_shrink.h"

#define TIME_TEXT_MAX 32

/* time_text writes ps as us: "12", "12.5", "0.000001". */
static const char *time_text(int64_t time_ps, char *buf)
{
    int n = snprintf(buf, TIME_TEXT_MAX, "%" PRId64, time_ps / PS_PER_US);
    int64_t rest = time_ps % PS_PER_US;
    if (rest == 0) return buf;
    buf[n++] = '.';
    for (int64_t unit = PS_PER_US / 10; rest > 0; unit /= 10) {
        buf[n++] = (char)('0' + rest / unit);
        rest %= unit;
    }
    buf[n] = 0;
    return buf;
}

/* Begins an event that happens in a lane; the caller adds what else it has, and ends it. */
static struct json begin(struct timeline *timeline, const char *name, const char *phase,
                         struct spans_lane at)
{
    struct json json = {.out = timeline->out, .depth = 2, .filled = {true, timeline->filled}};
    timeline->filled = true;
    json_object(&json, NULL);
    json_int(&json, "pid", at.node); /* first: timeline_shrink.c looks for it */
    json_int(&json, "tid", at.lane + 1);
    json_string(&json, "name", name);
    json_string(&json, "ph", phase);
    return json;
}

static bool is_drawn(const struct timeline *timeline, int32_t node)
{
    return node == timeline->run_node || node < timeline->drawn;
}

static bool is_full(const struct timeline *timeline, int64_t n)
{
    return timeline->events + n > timeline->events_max;
}

/* May `n` more events of a host, up to `node`, be written, which begin at time_ps? */
static bool has_room(struct timeline *timeline, int64_t n, int32_t node, int64_t time_ps)
{
    CHECK(time_ps >= 0, "an event at %" PRId64 " ps", time_ps);
    timeline->offered += n;
    if (!is_drawn(timeline, node)) return false;
    while (timeline->left_out == 0 && is_full(timeline, n) && timeline_shrink(timeline))
        if (!is_drawn(timeline, node)) return false;
    if (timeline->left_out == 0 && !is_full(timeline, n)) {
        timeline->events += n;
        if (node > timeline->top) timeline->top = node;
        return true;
    }
    if (timeline->left_out == 0 || time_ps < timeline->left_out_ps) timeline->left_out_ps = time_ps;
    timeline->left_out += n;
    return false;
}

static void keep_name(void *self, struct spans_lane at, const char *text)
{
    struct timeline *timeline = self;
    struct timeline_name *name = ARENA_NEW(&timeline->arena, struct timeline_name);
    *name = (struct timeline_name){.at = at, .text = arena_strdup(&timeline->arena, text)};
    if (timeline->last)
        timeline->last->next = name;
    else
        timeline->first = name;
    timeline->last = name;
    if (at.lane >= 0) return;
    if (strcmp(text, SPANS_RUN) == 0)
        timeline->run_node = at.node;
    else if (at.node >= timeline->nodes)
        timeline->nodes = at.node + 1;
}

static void write_name(struct timeline *timeline, const struct timeline_name *name)
{
    struct json json =
        begin(timeline, name->at.lane < 0 ? "process_name" : "thread_name", "M", name->at);
    json_object(&json, "args");
    json_string(&json, "name", name->text);
    json_end(&json, '}');
    json_end(&json, '}');
}

static void write_span(void *self, const struct span *span)
{
    struct timeline *timeline = self;
    char buf[TIME_TEXT_MAX];
    CHECK(span->end_ps >= span->start_ps, "'%s' ends before it begins", span->name);
    if (span->at.node != timeline->run_node &&
        !has_room(timeline, 1, span->at.node, span->start_ps))
        return;
    struct json json = begin(timeline, span->name, "X", span->at);
    json_string(&json, "cat", span->category);
    json_raw(&json, "ts", time_text(span->start_ps, buf));
    json_raw(&json, "dur", time_text(span->end_ps - span->start_ps, buf));
    if (span->bytes >= 0) {
        json_object(&json, "args");
        json_int(&json, "bytes", span->bytes);
        json_end(&json, '}');
    }
    json_end(&json, '}');
}

/* The two halves have one id; the second one is bound to the span that encloses it ("bp": "e"). */
static void write_arrow(void *self, const struct spans_arrow *arrow)
{
    struct timeline *timeline = self;
    char buf[TIME_TEXT_MAX];
    const int32_t from = arrow->from.node, to = arrow->to.node;
    if (!has_room(timeline, 2, from > to ? from : to, arrow->from_ps)) return;
    CHECK(arrow->to_ps >= arrow->from_ps, "'%s' goes back in time", arrow->name);
    timeline->arrows++;
    for (int half = 0; half < 2; half++) {
        struct json json =
            begin(timeline, arrow->name, half ? "f" : "s", half ? arrow->to : arrow->from);
        json_string(&json, "cat", "arrow");
        json_raw(&json, "ts", time_text(half ? arrow->to_ps : arrow->from_ps, buf));
        json_int(&json, "id", timeline->arrows);
        if (half) json_string(&json, "bp", "e");
        json_end(&json, '}');
    }
}

static void write_level(void *self, const struct spans_level *level)
{
    struct timeline *timeline = self;
    char buf[TIME_TEXT_MAX];
    const bool run = level->node == timeline->run_node;
    if (run ? timeline->levels++ >= timeline->events_max
            : !has_room(timeline, 1, level->node, level->at_ps))
        return;
    struct json json = begin(timeline, level->name, "C", (struct spans_lane){level->node, -1});
    json_raw(&json, "ts", time_text(level->at_ps, buf));
    json_object(&json, "args");
    json_double(&json, "value", level->value);
    json_end(&json, '}');
    json_end(&json, '}');
}

void timeline_begin(struct timeline *timeline, FILE *out, int64_t events_max)
{
    static const struct spans_ops ops = {
        .name = keep_name, .span = write_span, .arrow = write_arrow, .level = write_level};
    *timeline = (struct timeline){
        .spans = {.ops = &ops, .self = timeline},
        .out = out,
        .events_max = events_max,
        .run_node = -1,
        .drawn = INT32_MAX,
        .top = -1,
        .shrinks = true,
    };
    fputs("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [", out);
}

void timeline_keep_hosts(struct timeline *timeline)
{
    timeline->shrinks = false;
}

bool timeline_end(struct timeline *timeline)
{
    for (const struct timeline_name *at = timeline->first; at; at = at->next)
        if (is_drawn(timeline, at->at.node)) write_name(timeline, at);
    timeline->first = timeline->last = NULL;
    arena_free(&timeline->arena);
    char name[120], buf[TIME_TEXT_MAX];
    if (timeline->left_out > 0) {
        snprintf(name, sizeof name,
                 "%" PRId64 " events left out: the limit of %" PRId64 " is reached",
                 timeline->left_out, timeline->events_max);
        struct json json = begin(timeline, name, "i", (struct spans_lane){0, -1});
        json_string(&json, "s", "g"); /* drawn across all processes */
        json_raw(&json, "ts", time_text(timeline->left_out_ps, buf));
        json_object(&json, "args");
        json_int(&json, "left_out", timeline->left_out);
        json_end(&json, '}');
        json_end(&json, '}');
    }
    fputs("\n]}\n", timeline->out);
    return fflush(timeline->out) == 0 && !ferror(timeline->out) && !timeline->failed;
}
