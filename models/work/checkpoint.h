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

/* checkpoint_resume_fn: training may go on; bound is what the wait was held up by. */
typedef void checkpoint_resume_fn(void *owner, enum bound bound);

/* struct checkpoint_nodes: who writes, and whom to tell. */
struct checkpoint_nodes {
    struct session *const *session; /* [n] */
    int64_t n, gpus;                /* gpus: per node */
    checkpoint_resume_fn *resume;
    void *owner;
};

struct checkpoint;
struct checkpoint *checkpoint_new(struct sim *sim, const struct checkpoint_cfg *cfg,
                                  const struct file_set *set, const struct checkpoint_nodes *nodes);
/* checkpoint_begin takes a checkpoint; resume comes from a later event. */
void checkpoint_begin(struct checkpoint *checkpoint);

#endif
