/* llm.h - the workload kind `llm`: training steps of a transformer on the GPUs of a cluster. */
#ifndef RAILSIM_MODELS_STEP_LLM_H
#define RAILSIM_MODELS_STEP_LLM_H

#include "models/step/job.h"
#include "models/step/plan.h"
#include "models/step/store.h"
#include "sim/base/err.h"
#include "sim/io/schema.h"

enum llm_attention { LLM_FLASH, LLM_UNFUSED };
enum llm_recompute { LLM_KEEP, LLM_SELECTIVE, LLM_FULL };
enum llm_precision { LLM_BF16, LLM_FP8 };
enum llm_shard { LLM_REPLICATE, LLM_SHARD_OPTIMIZER, LLM_SHARD_PARAMETERS };

struct llm_model {
    int64_t layers, hidden, ffn, heads, kv_heads, vocab, sequence;
    bool gated, tied;
    int attention; /* enum llm_attention */
    int64_t experts, top_k, expert_ffn, shared_ffn;
};

struct llm_parallel {
    int64_t gpus, tensor, context, pipeline, chunks, expert;
    bool sequence, data_outermost;
    int shard; /* enum llm_shard */
    int64_t prefetch;
    double tensor_overlap, context_overlap;
};

struct llm_training {
    int64_t micro_batch, global_batch, adapter_params, gradient_bytes, bucket_bytes;
    int recompute, precision; /* enum llm_recompute, llm_precision */
    bool overlap_gradients;
    int64_t optimizer_bytes;
    int64_t steps, evaluations, evaluation_sequences; /* of a whole run; 0 = not said */
};

/* struct llm_compute: how fast a GPU computes, as parts of what its data sheet says. */
struct llm_compute {
    double gemm, attention, memory;
    int64_t half_tokens, micro_batch_ps;
};

struct llm_cfg {
    const char *name;
    struct llm_model model;
    struct llm_parallel parallel;
    struct llm_training training;
    struct llm_compute compute;
    struct store_cfg store;
    struct job_cfg job;
};
extern const struct schema llm_schema; /* its name is the workload kind: llm */

/* llm_kv_width returns the width of keys, and of values. */
static inline int64_t llm_kv_width(const struct llm_model *model)
{
    return model->hidden / model->heads * (model->kv_heads > 0 ? model->kv_heads : model->heads);
}

/* llm_sample_bytes returns the bytes of a sequence in a data set: 4 per token. */
static inline int64_t llm_sample_bytes(const struct llm_model *model)
{
    return model->sequence * 4;
}

/* struct llm_size: what follows from model and training alone. */
struct llm_size {
    int64_t layer_params;                            /* without experts */
    int64_t expert_params;                           /* of all experts of a layer */
    int64_t embedding_params, params, active_params; /* active: that a token meets */
    double token_flop; /* forward and backward, attention included, recompute not */
    double again_flop; /* of recompute, per token */
};
void llm_size(const struct llm_cfg *cfg, struct llm_size *size);

/* llm_need returns what a step and the model ask of storage. */
struct store_need llm_need(const struct llm_cfg *cfg);

/* llm_shape returns how a job of so many GPUs is divided. */
struct shape llm_shape(const struct llm_cfg *cfg, int64_t gpus);
/* llm_check looks whether cfg fits a cluster. (C091 .. C094, C098, C099, C104, C108,
 * C110, C130) */
bool llm_check(const struct llm_cfg *cfg, const struct job_room *room, struct err *err);

/* llm_plan makes the lists of a step into plan, whose arena is set. */
void llm_plan(const struct llm_cfg *cfg, const struct job_site *site, struct plan *plan);
/* llm_evaluation_s returns how long an evaluation takes: forward passes of its sequences. */
double llm_evaluation_s(const struct llm_cfg *cfg, const struct job_site *site,
                        const struct shape *shape);
/* llm_job describes a job for job_new. */
struct job_spec llm_job(const struct llm_cfg *cfg, const struct job_site *site,
                        struct arena *arena);

#endif
