/* job_live.h - what the files of jobs share: jobs that run, what is noted at the end of a step. */
#ifndef RAILSIM_MODELS_STEP_JOB_LIVE_H
#define RAILSIM_MODELS_STEP_JOB_LIVE_H

#include "models/step/job.h"

/* struct job_snapshot: at the end of a step. */
struct job_snapshot {
    int64_t at_ps;
    int64_t time_ps[EXEC_CATEGORIES]; /* sum over ranks */
    int64_t sent_bytes[EXEC_CATEGORIES];
};

struct job {
    struct jobs *jobs;
    struct exec *exec;
    struct plan_program program;
    int64_t load_bytes;            /* read before the first step */
    struct store *store;           /* NULL = none is wanted */
    struct job_snapshot *snapshot; /* [steps + 1] */
    int64_t steps;                 /* that are over */
    int32_t ranks_over;            /* of the step under way */
};

struct jobs {
    const struct job_cfg *cfg;
    struct job_site site;
    struct job_spec spec;
    struct job *job; /* [copies] */
    int64_t left;
    int32_t ranks;
};

#endif
