/* phases.h - where the time of a job goes, phase by phase, divided by category and bound; and drawn
 * in the same words. */
#ifndef RAILSIM_MODELS_WORK_PHASES_H
#define RAILSIM_MODELS_WORK_PHASES_H

#include "models/bound.h"
#include "sim/base/record.h"
#include "sim/base/spans.h"

enum phase_category {
    PHASE_START,
    PHASE_LOAD,
    PHASE_COMPUTE,
    PHASE_ALL_REDUCE,
    PHASE_READ_STALL,
    PHASE_EVALUATION,
    PHASE_SERIAL,
    PHASE_CHECKPOINT,
    PHASE_CATEGORIES
};

struct phase {
    const char *name;
    int64_t start_ps, end_ps, read_bytes;
    struct bound_ledger share[PHASE_CATEGORIES];
};

/* struct phases: zero-initialise with .arena set. If spans is set, too, what is added is drawn in
 * lane PHASES_LANE of nodes 0 .. nodes-1, which all do the same. */
#define PHASES_LANE 0
struct phases {
    struct arena *arena;
    const struct spans *spans;
    int64_t nodes;
    struct phase *list;
    int64_t n, cap;
};

/* phases_begin ends the phase under way and begins one; read_bytes: the storage counter now. */
void phases_begin(struct phases *phases, const char *name, int64_t now_ps, int64_t read_bytes);
/* phases_end ends the phase under way. */
void phases_end(struct phases *phases, int64_t now_ps, int64_t read_bytes);
/* phases_add gives time_ps, from start_ps on, of the phase under way to a category and bound. */
void phases_add(struct phases *phases, enum phase_category category, enum bound bound,
                int64_t start_ps, int64_t time_ps);
/* phases_sum returns the time of a category over all phases. */
int64_t phases_sum(const struct phases *phases, enum phase_category category);
/* phases_record writes all phases and shares, with time counted from clock_ps on. */
void phases_record(const struct phases *phases, int64_t clock_ps, struct record *record);

#endif
