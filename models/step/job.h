/* job.h - jobs that train step by step on a cluster, one or several side by side; what they say.
 *
 * What a step is made of comes as a plan (llm.c, cnn.c); here it runs so many times.
 */
#ifndef RAILSIM_MODELS_STEP_JOB_H
#define RAILSIM_MODELS_STEP_JOB_H

#include "models/step/exec.h"
#include "models/step/plan.h"
#include "models/step/store.h"
#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/io/schema.h"

/* struct job_straggler: a GPU that computes slower than the others. */
struct job_straggler {
    int64_t gpu;
    double slowdown;
};

/* struct job_cfg: keys that all kinds of training have. */
struct job_cfg {
    int64_t steps; /* to simulate */
    int64_t copies;
    bool scattered;
    int64_t messages_max;
    struct schema_list stragglers; /* of struct job_straggler */
};
extern const struct schema job_schema;

/* struct job_site: where jobs run. */
struct job_site {
    struct cluster *cluster;
    const struct collective_facts *facts;
    const struct device_facts *device;
    const struct spans *spans;      /* NULL = nobody draws */
    struct session *const *session; /* [nodes] storage clients; for jobs that want storage */
    const struct file_set *sets;    /* as store_sets made them, known to page caches */
};

/* struct job_spec: a step, and what its results are counted in. */
struct job_spec {
    struct plan plan;
    const struct store_cfg *store; /* what is read and stored */
    struct store_need need;        /* sizes that follow from the model */
    double step_flop;              /* of all GPUs, without what is recomputed */
    double again_flop;             /* that */
    double peak_flop_s;            /* of a GPU */
    double samples, tokens;        /* of a step; tokens 0 = samples are all there is */
    int64_t run_steps;             /* of a whole training; 0 = not said */
    int64_t evaluations;
    double evaluation_s;
    double memory_bytes; /* that a GPU needs; 0 = not known */
};

struct jobs;

/* jobs_gpus returns how many GPUs each job has, of a cluster with so many; wanted 0 = all that
 * there are for it. */
int64_t jobs_gpus(const struct job_cfg *cfg, int64_t cluster_gpus, int64_t wanted);

/* struct job_room: the cluster that a job is to run on. */
struct job_room {
    int64_t gpus, node_gpus;
    const struct device_facts *device;
    double gpu_link_bps, nic_bps; /* of a GPU, one way; its part of the server's NICs */
    struct store_way storage;
};

/* jobs_check looks whether the cluster has room for what is wanted, which key says. (C091, C098,
 * C099) */
bool jobs_check(const struct job_cfg *cfg, int64_t wanted, const char *key,
                const struct job_room *room, struct err *err);

/* jobs_check_clock looks whether a run whose steps take about so long ends before the clock does;
 * key: what makes steps long. (C108) */
bool jobs_check_clock(const struct job_cfg *cfg, double step_s, const char *key, struct err *err);

/* jobs_check_storage looks whether jobs can store and read what they want, and do so before the
 * clock ends; spec: of which plan.shape, store and need are there. (C104, C108, C141) */
bool jobs_check_storage(const struct job_cfg *cfg, const struct job_spec *spec,
                        const struct job_room *room, struct err *err);

/* jobs_check_memory looks whether state, what a GPU keeps from step to step, fits into it; text
 * says what it is made of and what to try. (C130) */
bool jobs_check_memory(double state_bytes, const struct device_facts *device, const char *text,
                       struct err *err);

/* jobs_new makes cfg->copies jobs of one spec; what is handed over must outlive them. They call
 * sim_finish when all are done. jobs_start arms the first events. */
struct jobs *jobs_new(const struct job_cfg *cfg, const struct job_site *site,
                      const struct job_spec *spec);
void jobs_start(struct jobs *jobs);
const char *jobs_waits_for(const struct jobs *jobs, struct arena *arena);
/* jobs_record stores a phase per step, divided by category (mean over a job's GPUs), step time,
 * throughput, bytes by category, memory_per_gpu: of the slowest job, if there are several; then
 * also step time and throughput of each. With storage what was loaded and stored, a quiet step,
 * what a checkpoint costs. time_to_train_s = load + steps * quiet step + checkpoints * cost of one
 * + evaluations. */
void jobs_record(const struct jobs *jobs, struct record *record);

#endif
