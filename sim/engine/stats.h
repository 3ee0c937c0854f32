/* stats.h - statistics of a run: log histograms with quantiles, windowed series.
 * Plain structs, embedded by their owners; nothing allocates but the series' record rows. */
#ifndef RAILSIM_ENGINE_STATS_H
#define RAILSIM_ENGINE_STATS_H

#include <stdint.h>

#include "sim/base/record.h"

/* struct stats_name: what statistics are called in the record; values are multiplied by scale
 * (1e-12 turns ps into s). */
struct stats_name {
    const char *entity, *name, *unit;
    double scale;
};

/* struct stats_hist: counts of positive integers in bins 1/8 of an octave wide (relative error of a
 * quantile <= 6.25 %); zero-initialise. Exact count, sum, min and max beside it. */
#define STATS_HIST_BINS (64 * 8)
struct stats_hist {
    int64_t count, min, max;
    double sum;
    int64_t bin[STATS_HIST_BINS];
};
void stats_hist_add(struct stats_hist *hist, int64_t value);
/* stats_hist_quantile returns the value below which a fraction q of the samples lies, interpolated
 * inside the bin and clamped to [min, max]; 0 if there is none. */
double stats_hist_quantile(const struct stats_hist *hist, double q);
/* stats_hist_record stores count, mean, min, max, p50, p95, p99 as metrics name_mean, ... and the
 * non-empty bins. */
void stats_hist_record(const struct stats_hist *hist, struct record *record,
                       const struct stats_name *name);

/* struct stats_rate: amounts (bytes) summed per window of window_ps, written as a series of amounts
 * per second by window; neighbouring windows without traffic become one zero sample at their start.
 * When the run is longer than STATS_RATE_WINDOWS windows, the window doubles (neighbours merge):
 * memory stays bounded. */
#define STATS_RATE_WINDOWS 2048
struct stats_rate {
    int64_t window_ps, total;
    int64_t used; /* windows that hold something so far */
    int64_t amount[STATS_RATE_WINDOWS];
};
void stats_rate_init(struct stats_rate *rate, int64_t window_ps);
void stats_rate_add(struct stats_rate *rate, int64_t now_ps, int64_t amount);
/* stats_rate_record stores the series up to end_ps, each sample scale * amount / window seconds. */
void stats_rate_record(const struct stats_rate *rate, struct record *record,
                       const struct stats_name *name, int64_t end_ps);

#endif
