/* train.h - a training job as it runs on the machine, against the clock that its benchmark uses.
 *
 * Before the clock: the model is loaded. After it: start-up, then step after step; a step takes a
 * batch from the data loader (or stalls for it), computes, and pays for what of the gradient
 * all-reduce is not hidden behind compute. Between steps: serial operations (metadata, logs),
 * checkpoints, evaluations with data of their own.
 */
#ifndef RAILSIM_MODELS_WORK_TRAIN_H
#define RAILSIM_MODELS_WORK_TRAIN_H

#include "models/storage/session.h"
#include "models/work/checkpoint.h"
#include "sim/base/record.h"
#include "sim/io/schema.h"

/* struct dataset_cfg: a data set in storage; records 0 = none. */
struct dataset_cfg {
    int64_t size_bytes, files, records;
};

struct train_cfg {
    const char *name;
    struct {
        int64_t size_bytes, files, streams;
    } load;
    struct dataset_cfg dataset;
    struct {
        int64_t threads, prefetch, shuffle_records, decoded_cache_bytes, decoded_record_bytes;
        double decode_rate;
    } reader;
    struct {
        int64_t compute_ps, batch_per_gpu;
    } step;
    struct {
        int64_t size_bytes;
        double overlap;
    } all_reduce;
    struct {
        struct dataset_cfg dataset;
        int64_t compute_ps;
        struct schema_counts after_epochs, after_steps;
    } evaluation;
    struct checkpoint_cfg checkpoint;
    int64_t epochs, steps, startup_ps, serial_operations;
};
extern const struct schema train_schema; /* its name is the workload kind: training */

/* struct train_nodes: the machines that a job runs on. */
struct train_nodes {
    struct session *const *session; /* [n] one storage client per node */
    int64_t n, gpus;                /* gpus: per node */
    int64_t gpu_link_bps;           /* of one GPU towards the others, one way */
    const struct spans *spans;      /* NULL = nobody draws */
};

struct train;

/* train_sets fills sets[TRAIN_SETS_MAX] with the file sets that a workload reads or writes and
 * returns their number; the caller registers them with the caches before train_new. */
enum train_set {
    TRAIN_SET_LOAD,
    TRAIN_SET_DATA,
    TRAIN_SET_EVALUATION,
    TRAIN_SET_CHECKPOINT,
    TRAIN_SETS_MAX
};
int train_sets(const struct train_cfg *cfg, struct file_set *sets);

/* train_new builds the job; sets as registered. It calls sim_finish when it is done. */
struct train *train_new(struct sim *sim, const struct train_cfg *cfg,
                        const struct train_nodes *nodes, const struct file_set *sets);
/* train_start arms the first event. */
void train_start(struct train *train);
/* train_clock_ps returns when the clock started, from which phases are counted; 0 before. */
int64_t train_clock_ps(const struct train *train);
/* train_waits_for says in words what a job that is not done waits for. */
const char *train_waits_for(const struct train *train, struct arena *arena);
/* train_record stores phases, shares and metrics of a job that ran (to the end or not). */
void train_record(struct train *train, struct record *record);

#endif
