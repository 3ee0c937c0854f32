/* cnn.h - the workload kind `cnn`: data-parallel training steps of a network given by its sizes. */
#ifndef RAILSIM_MODELS_STEP_CNN_H
#define RAILSIM_MODELS_STEP_CNN_H

#include "models/step/job.h"
#include "sim/base/err.h"
#include "sim/io/schema.h"

struct cnn_cfg {
    const char *name;
    int64_t params, global_batch, gradient_bytes, buckets, optimizer_bytes, gpus;
    int64_t steps, evaluations, evaluation_samples; /* of a whole run; 0 = not said */
    double sample_gflop;                            /* forward and backward */
    double forward;                                 /* part of the time that is forward */
    double efficiency;
    double half_samples;
    bool overlap_gradients;
    struct store_cfg store;
    struct job_cfg job;
};
extern const struct schema cnn_schema; /* its name is the workload kind: cnn */

/* cnn_check looks whether cfg fits a cluster. (C091, C093, C098, C099, C104, C108, C130) */
bool cnn_check(const struct cnn_cfg *cfg, const struct job_room *room, struct err *err);
/* cnn_job describes a job for jobs_new. */
struct job_spec cnn_job(const struct cnn_cfg *cfg, const struct job_site *site,
                        struct arena *arena);

#endif
