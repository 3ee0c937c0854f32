/* sketch.h - the beginning of a run's timeline as series of a record, for the figure `timeline`. */
#ifndef RAILSIM_APP_SKETCH_H
#define RAILSIM_APP_SKETCH_H

#include "sim/base/arena.h"
#include "sim/base/record.h"
#include "sim/base/spans.h"

#define SKETCH_LANES 24
#define SKETCH_CATEGORIES 12 /* of a lane */
#define SKETCH_TIMES 4000    /* of a lane and category: when it begins and when it ends, in turn */

struct sketch_row {
    const char *category;
    int64_t *time_ps;
    int64_t n, cap;
};
struct sketch_lane {
    struct spans_lane at;
    const char *name;
    struct sketch_row row[SKETCH_CATEGORIES];
};

/* struct sketch: listens to a run, hands everything on. sketch_begin before, sketch_record after;
 * it must not move in between. */
struct sketch {
    struct spans spans; /* to be handed to models */
    const struct spans *next;
    struct arena arena;
    struct sketch_lane lane[SKETCH_LANES];
    int lane_n;
    int64_t until_ps; /* from there on something is missing; INT64_MAX = nowhere */
};
void sketch_begin(struct sketch *sketch, const struct spans *next);
/* sketch_record stores a series per lane and category, 1 while it lasts, else 0; and, if something
 * is missing, until when all is there. Frees the sketch. */
void sketch_record(struct sketch *sketch, struct record *record);

#endif
