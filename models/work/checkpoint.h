/* checkpoint.h - writes checkpoints of a job: all nodes in parallel, one file per GPU at a time.
 *
 * sync: training waits until everything is stored. async: it waits for the checkpoint before, if
 * that is still under way, and for a snapshot in host memory; storing goes on behind its back.
 */
#ifndef RAILSIM_MODELS_WORK_CHECKPOINT_H
#define RAILSIM_MODELS_WORK_CHECKPOINT_H

#include "models/work/reader.h"

enum checkpoint_mode { CHECKPOINT_SYNC, CHECKPOINT_ASYNC };

/* struct checkpoint_cfg: section `checkpoint` of a training workload. */
struct checkpoint_cfg {
    int64_t size_bytes, files, every_steps, snapshot_bps;
    int mode; /* enum checkpoint_mode */
};
extern const struct schema checkpoint_schema;
extern const char *const checkpoint_modes[];

/* CHECKPOINT_FIELDS are the keys that all kinds of training share. */
#define CHECKPOINT_FIELDS                                                                          \
    {.key = "every_steps",                                                                         \
     .type = SCHEMA_COUNT,                                                                         \
     .offset = offsetof(struct checkpoint_cfg, every_steps),                                       \
     .fallback = "0",                                                                              \
     .max = "1000000000000",                                                                       \
     .help = "A checkpoint after so many steps; 0 = never."},                                      \
        {.key = "mode",                                                                            \
         .type = SCHEMA_ENUM,                                                                      \
         .offset = offsetof(struct checkpoint_cfg, mode),                                          \
         .fallback = "sync",                                                                       \
         .words = checkpoint_modes,                                                                \
         .help = "sync: training waits until all is stored; async: only for a snapshot in "        \
                 "memory, and for the one before."},                                               \
    {                                                                                              \
        .key = "snapshot_rate", .type = SCHEMA_RATE,                                               \
        .offset = offsetof(struct checkpoint_cfg, snapshot_bps), .fallback = "50GBps",             \
        .min = "1Mbps", .max = "1000Tbps",                                                         \
        .help = "Rate of a GPU's copy into host memory (async).",                                  \
        .source = "PCIe 5.0 x16: 63 GB/s raw, 50-55 GB/s of payload"                               \
    }

/* checkpoint_resume_fn: training may go on; bound is what the wait was held up by. */
typedef void checkpoint_resume_fn(void *owner, enum bound bound);

/* struct checkpoint_nodes: who writes, and whom to tell. */
struct checkpoint_nodes {
    struct session *const *session; /* [n] */
    int64_t n, gpus;                /* gpus: per node */
    checkpoint_resume_fn *resume;
    void *owner;
    struct reader_draws draws; /* of the first node; those behind it draw the same lanes there */
};

struct checkpoint;
struct checkpoint *checkpoint_new(struct sim *sim, const struct checkpoint_cfg *cfg,
                                  const struct file_set *set, const struct checkpoint_nodes *nodes);
/* checkpoint_begin takes a checkpoint; resume comes from a later event. */
void checkpoint_begin(struct checkpoint *checkpoint);

#endif
