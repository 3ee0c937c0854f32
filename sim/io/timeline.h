/* timeline.h - writes what happened in a run as Chrome trace JSON, for ui.perfetto.dev or
 * chrome://tracing. */
#ifndef RAILSIM_IO_TIMELINE_H
#define RAILSIM_IO_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/arena.h"
#include "sim/base/spans.h"

#define TIMELINE_EVENTS_MAX 1000000 /* a usual limit: about 150 MB */

struct timeline_name {
    struct timeline_name *next;
    struct spans_lane at;
    const char *text;
};

/* struct timeline: timeline_begin before, timeline_end after. Names are kept, of events counts. */
struct timeline {
    struct spans spans; /* to be handed to models */
    FILE *out;
    struct arena arena;
    struct timeline_name *first, *last;
    int64_t events_max, events; /* events: of hosts, that the file has */
    int64_t offered;            /* that there were */
    int64_t levels, left_out;   /* of the run as a whole; left out because of their time */
    int64_t left_out_ps;        /* when the first of those began */
    int64_t arrows;
    int32_t run_node; /* SPANS_RUN; -1 = not named */
    int32_t nodes;    /* hosts that have a name */
    int32_t drawn;    /* of these the first ones are */
    int32_t top;      /* hosts up to here have events in the file */
    bool filled;      /* is a comma due? */
    bool shrinks, failed;
};

/* timeline_begin writes the beginning to out, which stays the caller's. When a spans or an arrow's
 * half would be one more than events_max, the upper half of the hosts is taken out of the file and
 * not drawn any more, again and again, down to one host: so the first ones are drawn to the end.
 * What one host alone has beyond events_max is counted instead of written; likewise of all hosts
 * if out is no file, or with timeline_keep_hosts. Spans of the run as a whole are always written,
 * levels up to events_max. The timeline must not move afterwards. */
void timeline_begin(struct timeline *timeline, FILE *out, int64_t events_max);
/* timeline_keep_hosts keeps all hosts, whatever the limit leaves out: they have been chosen. */
void timeline_keep_hosts(struct timeline *timeline);
/* timeline_end writes names, if something was left out because of its time an event that says how
 * much, and the end of the document. False if a write failed (errno says why). Does not close out.
 * Counts stay. */
bool timeline_end(struct timeline *timeline);

#endif
