/* chosen.c - which nodes, and which part of the time, a timeline shows.
 *
 * Apart from the timeline and the sketch because both show the same choice. The one idea: a span
 * that reaches into the chosen time is shown as a whole, so nothing looks shorter than it was; and
 * what concerns the run as a whole (its phases) says where one is, so it is always there.
 * Not modelled: single GPUs of a node.
 */
#include "sim/app/chosen.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"

static const struct err_pos nowhere = {0};

/* ---- reading --------------------------------------------------------------------------------- */

/* read_end reads text[len] as a value; "" leaves *out as it is. */
static const char *read_end(enum unit_dim dim, const char *text, size_t len, int64_t *out)
{
    char word[64];
    union unit_value value;
    if (len == 0) return NULL;
    if (len >= sizeof word) return "too long";
    memcpy(word, text, len);
    word[len] = 0;
    const char *wrong = units_parse(dim, word, &value);
    if (!wrong && value.i < 0) wrong = "must not be negative";
    if (!wrong) *out = value.i;
    return wrong;
}

/* read_range reads "a..b", "a..", "..b" or "a". */
static const char *read_range(enum unit_dim dim, const char *text, size_t len,
                              struct chosen_range *range)
{
    const char *dots = memmem(text, len, "..", 2);
    *range = (struct chosen_range){0, INT64_MAX};
    if (len == 0) return "a range is missing";
    if (!dots) {
        const char *wrong = read_end(dim, text, len, &range->from);
        range->to = range->from;
        return wrong;
    }
    const char *wrong = read_end(dim, text, (size_t)(dots - text), &range->from);
    if (!wrong) wrong = read_end(dim, dots + 2, len - (size_t)(dots + 2 - text), &range->to);
    if (wrong) return wrong;
    return range->from <= range->to ? NULL : "the end is before the beginning";
}

static bool parse_nodes(struct chosen *chosen, const char *text, struct err *err)
{
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        if (chosen->node_n == CHOSEN_RANGES)
            return err_add(err, nowhere, "--timeline-nodes: more than %d ranges", CHOSEN_RANGES);
        const char *wrong = read_range(UNIT_COUNT, at, len, &chosen->nodes[chosen->node_n++]);
        if (wrong)
            return err_add(err, nowhere, "--timeline-nodes: '%s': %s; expected e.g. 0..7,12", text,
                           wrong);
        at += len;
        if (!*at) return true;
    }
}

bool chosen_parse(struct chosen *chosen, const char *nodes, const char *time, struct err *err)
{
    *chosen = (struct chosen){.time_ps = {0, INT64_MAX}, .run_node = -1};
    bool ok = !nodes || parse_nodes(chosen, nodes, err);
    const char *wrong = time ? read_range(UNIT_TIME, time, strlen(time), &chosen->time_ps) : NULL;
    if (!wrong && time && !strstr(time, "..")) wrong = "one time is no range";
    if (wrong)
        ok = err_add(err, nowhere, "--timeline-time: '%s': %s; expected e.g. 2s..3s", time, wrong);
    return ok;
}

/* ---- passing on ------------------------------------------------------------------------------ */

static bool has_node(const struct chosen *chosen, int32_t node)
{
    if (chosen->node_n == 0 || node == chosen->run_node) return true;
    for (int i = 0; i < chosen->node_n; i++)
        if (node >= chosen->nodes[i].from && node <= chosen->nodes[i].to) return true;
    return false;
}

static bool has(const struct chosen *chosen, int32_t node, int64_t start_ps, int64_t end_ps)
{
    if (node == chosen->run_node) return true;
    return has_node(chosen, node) && end_ps >= chosen->time_ps.from &&
           start_ps <= chosen->time_ps.to;
}

static void pass_name(void *self, struct spans_lane at, const char *text)
{
    struct chosen *chosen = self;
    if (at.lane < 0 && strcmp(text, SPANS_RUN) == 0) chosen->run_node = at.node;
    if (has_node(chosen, at.node)) spans_name(chosen->next, at, text);
}

static void pass_span(void *self, const struct span *span)
{
    const struct chosen *chosen = self;
    if (has(chosen, span->at.node, span->start_ps, span->end_ps)) spans_add(chosen->next, span);
}

static void pass_arrow(void *self, const struct spans_arrow *arrow)
{
    const struct chosen *chosen = self;
    if (has(chosen, arrow->from.node, arrow->from_ps, arrow->to_ps) &&
        has(chosen, arrow->to.node, arrow->from_ps, arrow->to_ps))
        spans_arrow(chosen->next, arrow);
}

static void pass_level(void *self, const struct spans_level *level)
{
    const struct chosen *chosen = self;
    if (has(chosen, level->node, level->at_ps, level->at_ps)) spans_level(chosen->next, level);
}

void chosen_begin(struct chosen *chosen, const struct spans *next)
{
    static const struct spans_ops ops = {
        .name = pass_name, .span = pass_span, .arrow = pass_arrow, .level = pass_level};
    chosen->spans = (struct spans){.ops = &ops, .self = chosen};
    chosen->next = next;
}
