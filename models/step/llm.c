/* llm.c - sizes and shape of a transformer's training job, and whether it fits a cluster.
 *
 * Source: FLOPs of a token: 6 per parameter (2 forward, 2 for gradients of inputs, 2 for gradients
 * of weights; frozen weights have no third part) plus attention, Narayanan et al., SC'21.
 */
#include "models/step/llm.h"

#include <inttypes.h>

#include "models/step/cost.h"

void llm_size(const struct llm_cfg *cfg, struct llm_size *size)
{
    const struct llm_model *model = &cfg->model;
    int64_t h = model->hidden, matrices = model->gated ? 3 : 2;
    int64_t kv = llm_kv_width(model);
    int64_t attention = 2 * h * h + 2 * h * kv; /* queries and output; keys and values */
    int64_t dense = model->experts > 0 ? model->shared_ffn : model->ffn;
    int64_t router = model->experts * h;
    size->layer_params = attention + matrices * h * dense + router;
    size->expert_params = model->experts * matrices * h * model->expert_ffn;
    size->embedding_params = (model->tied ? 1 : 2) * model->vocab * h;
    size->params =
        model->layers * (size->layer_params + size->expert_params) + size->embedding_params;
    int64_t active = size->layer_params + model->top_k * matrices * h * model->expert_ffn;
    size->active_params = model->layers * active + model->vocab * h; /* looking up is no product */
    /* scores and values: 4 s h forward per token, half of it if causality is made use of */
    double attention_flop = 4.0 * (double)model->sequence * (double)h * (double)model->layers;
    double attention_times = model->attention == LLM_FLASH ? (1 + 2.5) / 2 : 3;
    double once_flop = model->attention == LLM_FLASH ? attention_flop / 2 : attention_flop;
    double times = cfg->training.adapter_params > 0 ? 4 : 6;
    size->again_flop = cfg->training.recompute == LLM_KEEP ? 0 : once_flop;
    if (cfg->training.recompute == LLM_FULL) size->again_flop += 2 * (double)size->active_params;
    size->token_flop = times * (double)size->active_params +
                       6 * (double)cfg->training.adapter_params + attention_times * attention_flop;
}

#define WEIGHT_BYTES 2   /* BF16 */
#define TRAINED_BYTES 14 /* in a checkpoint: weight, FP32 master weight, two moments */

struct store_need llm_need(const struct llm_cfg *cfg)
{
    struct llm_size size;
    llm_size(cfg, &size);
    int64_t adapters = cfg->training.adapter_params;
    return (struct store_need){.sample_bytes = llm_sample_bytes(&cfg->model),
                               .samples = cfg->training.global_batch,
                               .weights_bytes = (size.params + adapters) * WEIGHT_BYTES,
                               .checkpoint_bytes =
                                   (adapters > 0 ? adapters : size.params) * TRAINED_BYTES};
}

struct shape llm_shape(const struct llm_cfg *cfg, int64_t gpus)
{
    const struct llm_parallel *parallel = &cfg->parallel;
    int64_t each = parallel->tensor * parallel->context * parallel->pipeline;
    return (struct shape){.tensor = (int32_t)parallel->tensor,
                          .context = (int32_t)parallel->context,
                          .data = (int32_t)(gpus / each),
                          .pipeline = (int32_t)parallel->pipeline,
                          .expert = (int32_t)parallel->expert,
                          .data_outermost = parallel->data_outermost};
}

bool llm_check(const struct llm_cfg *cfg, int64_t cluster_gpus, int64_t node_gpus, struct err *err)
{
    const struct err_pos nowhere = {0};
    const struct llm_parallel *parallel = &cfg->parallel;
    int64_t gpus = jobs_gpus(&cfg->job, cluster_gpus, parallel->gpus);
    int64_t each = parallel->tensor * parallel->context * parallel->pipeline;
    if (!jobs_check(&cfg->job, parallel->gpus, cluster_gpus, node_gpus, err)) return false;
    if (gpus % each)
        return err_add(err, nowhere,
                       "C092: %" PRId64 " GPUs are no multiple of tensor * context * pipeline = "
                       "%" PRId64,
                       gpus, each);
    const struct shape shape = llm_shape(cfg, gpus);
    int64_t batch = cfg->training.micro_batch * shape.data;
    if (cfg->training.global_batch % batch)
        return err_add(err, nowhere,
                       "C093: a global batch of %" PRId64 " is no multiple of micro_batch * data = "
                       "%" PRId64 " * %d",
                       cfg->training.global_batch, cfg->training.micro_batch, shape.data);
    if (parallel->chunks > 1 && cfg->training.global_batch / batch % shape.pipeline)
        return err_add(err, nowhere,
                       "C093: with chunks > 1 the micro-batches of a step (%" PRId64
                       ") are a multiple of pipeline (%d)",
                       cfg->training.global_batch / batch, shape.pipeline);
    if (shape_size(&shape, SHAPE_REPLICAS) % shape.expert)
        return err_add(err, nowhere,
                       "C094: context * data = %d ranks are no multiple of expert = %d",
                       shape_size(&shape, SHAPE_REPLICAS), shape.expert);
    if (!store_wanted(&cfg->store)) return true;
    const struct store_need need = llm_need(cfg);
    return store_fits(&cfg->store, &need, gpus, err);
}

struct job_spec llm_job(const struct llm_cfg *cfg, const struct job_site *site, struct arena *arena)
{
    struct job_spec spec = {.plan.arena = arena};
    struct llm_size size;
    struct cost cost;
    const struct llm_training *training = &cfg->training;
    llm_plan(cfg, site, &spec.plan);
    llm_size(cfg, &size);
    cost_of(cfg, &spec.plan.shape, site->device, &cost);
    spec.store = &cfg->store;
    spec.need = llm_need(cfg);
    spec.samples = (double)training->global_batch;
    spec.tokens = spec.samples * (double)cfg->model.sequence;
    spec.step_flop = spec.tokens * size.token_flop;
    spec.again_flop = spec.tokens * size.again_flop;
    spec.peak_flop_s = cost_peak(cfg, site->device);
    spec.run_steps = training->steps;
    spec.evaluations = training->evaluations;
    /* forward alone, the sequences divided among the replicas */
    double rounds = (double)training->evaluation_sequences /
                    (double)(training->micro_batch * spec.plan.shape.data);
    double forward_s = (cost.forward.compute_s + cost.forward.experts_s) *
                           (double)(cfg->model.layers / cfg->parallel.pipeline) +
                       cost.head_forward_s;
    spec.evaluation_ps = (int64_t)(rounds * forward_s * 1e12);
    return spec;
}
