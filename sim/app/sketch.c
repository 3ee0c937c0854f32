/* sketch.c - spans of the first lanes, merged, as steps between 0 and 1.
 *
 * Apart from the timeline because a database is not the place for a million spans. The one idea:
 * what a figure can show is a few lanes and what kind of thing goes on in them, so spans of a
 * category that touch are one, names are dropped, and a lane that is full is full. Spans end in
 * order within a lane, except those that hold others: of these, what begins before the last end is
 * already there. NOT kept: arrows, levels, lanes without a name, phases of the run as a whole.
 */
#include "sim/app/sketch.h"

#include <string.h>

static struct sketch_lane *find_lane(struct sketch *sketch, struct spans_lane at)
{
    for (int i = 0; i < sketch->lane_n; i++)
        if (sketch->lane[i].at.node == at.node && sketch->lane[i].at.lane == at.lane)
            return &sketch->lane[i];
    return NULL;
}

static struct sketch_row *find_row(struct sketch *sketch, struct sketch_lane *lane,
                                   const char *category)
{
    for (int i = 0; i < SKETCH_CATEGORIES; i++) {
        struct sketch_row *row = &lane->row[i];
        if (!row->category) row->category = arena_strdup(&sketch->arena, category);
        if (strcmp(row->category, category) == 0) return row;
    }
    return NULL;
}

static bool is_before(struct spans_lane a, struct spans_lane b)
{
    return a.node < b.node || (a.node == b.node && a.lane < b.lane);
}

/* The lanes of the lowest numbers stay, whenever they are named. */
static void keep_name(void *self, struct spans_lane at, const char *text)
{
    struct sketch *sketch = self;
    spans_name(sketch->next, at, text);
    if (at.lane < 0) return;
    int place = sketch->lane_n;
    while (place > 0 && is_before(at, sketch->lane[place - 1].at))
        place--;
    if (place == SKETCH_LANES) return;
    if (sketch->lane_n < SKETCH_LANES) sketch->lane_n++;
    for (int i = sketch->lane_n - 1; i > place; i--)
        sketch->lane[i] = sketch->lane[i - 1];
    sketch->lane[place] = (struct sketch_lane){
        .at = at, .name = arena_printf(&sketch->arena, "node %d %s", at.node, text)};
}

static void keep_span(void *self, const struct span *span)
{
    struct sketch *sketch = self;
    struct sketch_lane *lane = find_lane(sketch, span->at);
    spans_add(sketch->next, span);
    if (!lane || strcmp(span->category, "phase") == 0) return;
    struct sketch_row *row = find_row(sketch, lane, span->category);
    if (!row || row->n >= SKETCH_TIMES) {
        if (span->start_ps < sketch->until_ps) sketch->until_ps = span->start_ps;
        return;
    }
    int64_t last_ps = row->n > 0 ? row->time_ps[row->n - 1] : -1;
    if (span->end_ps <= last_ps) return;
    if (span->start_ps <= last_ps) {
        row->time_ps[row->n - 1] = span->end_ps;
        return;
    }
    row->time_ps =
        arena_grow(&sketch->arena, row->time_ps, &row->cap, row->n + 2, sizeof *row->time_ps);
    row->time_ps[row->n++] = span->start_ps;
    row->time_ps[row->n++] = span->end_ps;
}

static void pass_arrow(void *self, const struct spans_arrow *arrow)
{
    const struct sketch *sketch = self;
    spans_arrow(sketch->next, arrow);
}

static void pass_level(void *self, const struct spans_level *level)
{
    const struct sketch *sketch = self;
    spans_level(sketch->next, level);
}

void sketch_begin(struct sketch *sketch, const struct spans *next)
{
    static const struct spans_ops ops = {
        .name = keep_name, .span = keep_span, .arrow = pass_arrow, .level = pass_level};
    *sketch = (struct sketch){
        .spans = {.ops = &ops, .self = sketch}, .next = next, .until_ps = INT64_MAX};
}

void sketch_record(struct sketch *sketch, struct record *record)
{
    for (int l = 0; l < sketch->lane_n; l++)
        for (int c = 0; c < SKETCH_CATEGORIES && sketch->lane[l].row[c].n > 0; c++) {
            const struct sketch_row *row = &sketch->lane[l].row[c];
            const char *entity =
                arena_printf(&record->arena, "timeline/%02d %s", l, sketch->lane[l].name);
            int series = record_series(record, entity, row->category, "1", 0);
            for (int64_t i = 0; i < row->n; i++)
                record_sample(record, series, row->time_ps[i], i % 2 ? 0 : 1);
        }
    if (sketch->until_ps < INT64_MAX)
        record_metric(record, "timeline", "until_s", "s", (double)sketch->until_ps * 1e-12);
    arena_free(&sketch->arena);
}
