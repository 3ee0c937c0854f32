/* store_live.h - what the files of a job's storage share. */
#ifndef RAILSIM_MODELS_STEP_STORE_LIVE_H
#define RAILSIM_MODELS_STEP_STORE_LIVE_H

#include "models/step/store.h"

/* enum store_tag: exec_op.tag of an operation of storage. */
enum store_tag {
    STORE_READ,  /* the samples of a step */
    STORE_SYNC,  /* a checkpoint that training waits for */
    STORE_COPY,  /* its copy into host memory */
    STORE_WRITE, /* storing that beside training */
    STORE_TAGS
};

enum { STORE_SET_DATA, STORE_SET_LOAD };

/* store_settle returns need with the sizes that cfg gives. */
struct store_need store_settle(const struct store_cfg *cfg, const struct store_need *need);
/* store_load_bytes returns what is read before the first step, by one that reads all of it. */
int64_t store_load_bytes(const struct store_cfg *cfg, const struct store_need *need);
/* store_step_bytes returns what one of `data` replicas reads for a step. */
int64_t store_step_bytes(const struct store_cfg *cfg, const struct store_need *need, int64_t data);
/* store_parts describes bytes in n files. */
struct file_set store_parts(int64_t bytes, int64_t n);

#endif
