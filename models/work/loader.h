/* loader.h - the data loader of a training job: per process read, shuffle, decode, prefetch.
 *
 * Each process owns a slice of the data set and produces one batch per step: it must have read the
 * batch and a shuffle buffer beyond it, decodes at its rate, and keeps at most `prefetch` decoded
 * batches and one undecoded batch ahead. It goes on into the next pass by itself. A step can begin
 * when every process has a batch.
 */
#ifndef RAILSIM_MODELS_WORK_LOADER_H
#define RAILSIM_MODELS_WORK_LOADER_H

#include "models/work/reader.h"

struct loader;
typedef void loader_ready_fn(struct sim *sim, struct loader *loader);

/* struct loader_cfg: what a loader is built from. */
struct loader_cfg {
    const struct file_set *set;
    int64_t records;           /* in the set */
    int64_t steps;             /* batches per process and pass */
    int64_t passes;            /* epochs */
    int64_t threads, prefetch; /* per process; batches */
    int64_t shuffle_records;
    double decode_rate;     /* records per second and process; 0 = takes no time */
    double cached_fraction; /* of decoded samples kept in memory from the first pass on */
    loader_ready_fn *ready; /* called when loader_ready turns true while it is awaited */
    void *owner;
    struct reader_draws draws; /* at.lane: of the first process of each node; the others follow */
};

/* loader_new makes processes_per_session processes on each of n sessions. */
struct loader *loader_new(struct sim *sim, const struct loader_cfg *cfg,
                          struct session *const *sessions, int64_t n,
                          int64_t processes_per_session);
/* loader_start begins with the first pass (again). */
void loader_start(struct loader *loader);
/* loader_ready tells whether every process has a batch; if not, the ready callback is due. */
bool loader_ready(struct loader *loader);
/* loader_take removes one batch of every process; needs loader_ready. */
void loader_take(struct loader *loader);
/* loader_bound returns what the last wait for loader_ready was held up by. */
enum bound loader_bound(const struct loader *loader);
void *loader_owner(const struct loader *loader);

#endif
