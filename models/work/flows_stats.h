/* flows_stats.h - what became of flows: exact percentiles of times, rates and slowdowns. */
#ifndef RAILSIM_MODELS_WORK_FLOWS_STATS_H
#define RAILSIM_MODELS_WORK_FLOWS_STATS_H

#include "sim/base/record.h"

/* struct flows_sample: one flow that has arrived. */
struct flows_sample {
    int64_t bytes, time_ps; /* from start to arrival */
    double slowdown;
};

struct flows_samples;

/* struct flows_stats: zero-initialise, then set arena. Samples are kept in blocks: 24 bytes each,
 * nothing is moved. */
struct flows_stats {
    struct arena *arena;
    struct flows_samples *first, *last;
    int64_t n;
};

void flows_stats_add(struct flows_stats *stats, const struct flows_sample *sample);
/* flows_stats_record stores completion times, goodput and slowdown of all flows (entity "flows")
 * and counts and slowdowns by size ("flows/size<=10000", ...). */
void flows_stats_record(const struct flows_stats *stats, struct record *record);

#endif
