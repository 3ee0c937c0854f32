/* timeline.h - writes what happened in a run as Chrome trace JSON, for ui.perfetto.dev or
 * chrome://tracing. */
#ifndef RAILSIM_IO_TIMELINE_H
#define RAILSIM_IO_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/spans.h"

#define TIMELINE_EVENTS_MAX 1000000 /* a usual limit: about 150 MB */

/* struct timeline: timeline_begin before, timeline_end after. Nothing is kept but counts. */
struct timeline {
    struct spans spans; /* to be handed to models */
    FILE *out;
    int64_t events_max, events, left_out;
    int64_t left_out_ps; /* when the first of those that were left out began */
    int64_t arrows;
    bool filled; /* is a comma due? */
};

/* timeline_begin writes the beginning to out, which stays the caller's. Beyond events_max spans,
 * levels and halves of arrows, they are counted instead of written; names are always written. The
 * timeline must not move afterwards. */
void timeline_begin(struct timeline *timeline, FILE *out, int64_t events_max);
/* timeline_end writes, if something was left out, a last event that says how much, and the end
 * of the document. False if a write failed (errno says why). Does not close out. */
bool timeline_end(struct timeline *timeline);

#endif
