/* chosen.h - passes on what of a run is to be drawn: some nodes, some of the time. */
#ifndef RAILSIM_APP_CHOSEN_H
#define RAILSIM_APP_CHOSEN_H

#include "sim/base/arena.h"
#include "sim/base/err.h"
#include "sim/base/spans.h"

#define CHOSEN_RANGES 64

struct chosen_range {
    int64_t from, to; /* both inclusive */
};

/* struct chosen: chosen_parse first, then chosen_begin; it must not move afterwards. */
struct chosen {
    struct spans spans; /* to be handed to models */
    const struct spans *next;
    struct chosen_range nodes[CHOSEN_RANGES];
    int node_n; /* ranges; 0 = all nodes */
    struct chosen_range time_ps;
    int32_t run_node;
};

/* chosen_parse reads "0..7,12" (nodes, from 0) and "2s..3s" (an end may be left out: from the
 * beginning, to the end). NULL = all. False with a message. */
bool chosen_parse(struct chosen *chosen, const char *nodes, const char *time, struct err *err);
/* chosen_begin passes on to next: what lies in chosen nodes and overlaps with the chosen time, and
 * all of the run as a whole. */
void chosen_begin(struct chosen *chosen, const struct spans *next);

#endif
