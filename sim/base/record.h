/* record.h - what one run has to say: metrics, phases, series, histograms, as plain rows.
 *
 * Models fill a record, the results writer stores it, a sweep worker sends it through a pipe
 * (record_write / record_read). It knows nothing of simulation.
 */
#ifndef RAILSIM_BASE_RECORD_H
#define RAILSIM_BASE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

/* A metric: one number of one entity ("run", "storage/client", "link/wan.down"). */
struct record_metric {
    const char *entity, *name, *unit; /* unit: "s", "bytes", "bit/s", "1", ... */
    double value;                     /* never NaN nor infinite (record_metric drops those) */
};

/* A share of a phase: time_ps of the phase spent in category, held up by bound. The shares of a
 * phase add up to end_ps - start_ps. category: compute, read_stall, evaluation, serial,
 * checkpoint, all_reduce, start. bound: compute, decode, window, credits, ... */
struct record_share {
    int phase; /* index into phases */
    const char *category, *bound;
    int64_t time_ps;
};

struct record_phase {
    const char *name;  /* "load", "epoch 1", "evaluation 1", ... */
    const char *bound; /* the bound with the largest share */
    int64_t start_ps, end_ps;
    int64_t read_bytes; /* from storage (not from a cache) during the phase */
};

/* A series: value[i] holds from time_ps[i] on (or is the mean over the window that begins there,
 * where window_ps > 0). */
struct record_series {
    const char *entity, *name, *unit;
    int64_t window_ps;
    int64_t n, cap;
    int64_t *time_ps;
    double *value;
};

struct record_bin {
    const char *entity, *name, *unit; /* the histogram */
    double low, high;                 /* [low, high) */
    int64_t count;
};

/* struct record: record_init before, record_free after; strings and rows live in the arena. */
struct record {
    struct arena arena;
    const char *status;  /* "ok", "deadlock", "max-events", "max-sim-time", "max-wall", "max-mem" */
    const char *message; /* why, if status is not ok; "" otherwise */
    uint64_t fingerprint;
    int64_t sim_time_ps, events, data_hops, ack_hops, peak_rss_bytes;
    double run_cpu_s, run_wall_s, setup_cpu_s;
    struct record_metric *metrics;
    struct record_phase *phases;
    struct record_share *shares;
    struct record_series *series;
    struct record_bin *bins;
    int64_t metric_n, phase_n, share_n, series_n, bin_n;
    int64_t metric_cap, phase_cap, share_cap, series_cap, bin_cap;
};

void record_init(struct record *record);
void record_free(struct record *record);

/* record_metric adds a metric; a NaN or infinite value is left out. Strings are copied. */
void record_metric(struct record *r, const char *entity, const char *name, const char *unit,
                   double value);
/* record_find returns the value of a metric in *out; false if there is none. */
bool record_find(const struct record *r, const char *entity, const char *name, double *out);
/* record_phase adds a phase and returns its index. bound and read_bytes may be set later. */
int record_phase(struct record *r, const char *name, int64_t start_ps, int64_t end_ps);
/* record_share adds a share of a phase; time_ps 0 is left out. */
void record_share(struct record *r, int phase, const char *category, const char *bound,
                  int64_t time_ps);
/* record_series adds an empty series and returns its index; record_sample appends to it. */
int record_series(struct record *r, const char *entity, const char *name, const char *unit,
                  int64_t window_ps);
void record_sample(struct record *r, int series, int64_t time_ps, double value);
void record_bin(struct record *r, const struct record_bin *bin);

/* record_write sends the record to a file descriptor; record_read fills a fresh record from one.
 * Both return false on a short or damaged stream (errno says why for I/O errors). Doubles travel
 * as their bits: nothing is rounded. */
bool record_write(const struct record *r, int fd);
bool record_read(struct record *r, int fd);

#endif
