/* llm.c - sizes and shape of a transformer's training job, and whether it fits a cluster.
 *
 * Source: FLOPs of a token: 6 per parameter (2 forward, 2 for gradients of inputs, 2 for gradients
 * of weights; frozen weights have no third part) plus attention, Narayanan et al., SC'21.
 */
#include "models/step/llm.h"

#include <inttypes.h>

#include "models/step/cost.h"
#include "models/step/memory.h"
#include "sim/base/units.h"

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
    if (cfg->training.recompute == LLM_FULL) /* layers, not logits */
        size->again_flop += 2 * (double)(model->layers * active);
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

/* C092 .. C094: GPUs and batch are divided evenly. */
static bool check_division(const struct llm_cfg *cfg, int64_t gpus, struct err *err)
{
    const struct llm_parallel *parallel = &cfg->parallel;
    int64_t each = parallel->tensor * parallel->context * parallel->pipeline;
    if (gpus % each)
        return err_key(err, parallel->gpus > 0 ? "workload.parallel.gpus" : "workload.parallel",
                       "C092: %" PRId64 " GPUs are no multiple of tensor * context * pipeline = "
                       "%" PRId64,
                       gpus, each);
    const struct shape shape = llm_shape(cfg, gpus);
    int64_t batch = cfg->training.micro_batch * shape.data;
    if (cfg->training.global_batch % batch)
        return err_key(err, "workload.training.global_batch",
                       "C093: a global batch of %" PRId64 " is no multiple of micro_batch * data = "
                       "%" PRId64 " * %d (%" PRId64 " GPUs%s)",
                       cfg->training.global_batch, cfg->training.micro_batch, shape.data, gpus,
                       parallel->gpus > 0 ? "" : ": all that there are; parallel.gpus: fewer");
    if (parallel->chunks > 1 && cfg->training.global_batch / batch % shape.pipeline)
        return err_key(err, "workload.parallel.chunks",
                       "C093: with chunks > 1 the micro-batches of a step (%" PRId64
                       ") are a multiple of pipeline (%d)",
                       cfg->training.global_batch / batch, shape.pipeline);
    if (shape_size(&shape, SHAPE_REPLICAS) % shape.expert)
        return err_key(err, "workload.parallel.expert",
                       "C094: context * data = %d ranks are no multiple of expert = %d",
                       shape_size(&shape, SHAPE_REPLICAS), shape.expert);
    return true;
}

#define PASSES_MAX 1e7

/* C110: the list of a step is kept in memory. */
static bool check_passes(const struct llm_cfg *cfg, const struct shape *shape, struct err *err)
{
    double micro = (double)(cfg->training.global_batch / cfg->training.micro_batch / shape->data);
    double parts = cfg->parallel.shard == LLM_SHARD_PARAMETERS
                       ? (double)cfg->model.layers
                       : (double)(cfg->parallel.pipeline * cfg->parallel.chunks);
    return micro * parts <= PASSES_MAX ||
           err_key(err, "workload.training.global_batch",
                   "C110: a step of %.0f micro-batches through %.0f parts of the model; at most "
                   "%.0e in all: a larger micro_batch, fewer layers or chunks",
                   micro, parts, PASSES_MAX);
}

/* Of a layer forward and backward: what its collectives take at the rate of NVLink, or of a GPU's
 * part of the NICs, whichever is slower. */
static double exchange_s(const struct cost *cost, const struct job_room *room)
{
    double bytes = (double)cost->forward.tensor_sent + (double)cost->backward.tensor_sent +
                   (double)cost->forward.context_bytes + (double)cost->backward.context_bytes +
                   (double)cost->forward.expert_bytes * cost->forward.expert_calls +
                   (double)cost->backward.expert_bytes * cost->backward.expert_calls;
    double rate = room->gpu_link_bps > 0 && room->gpu_link_bps < room->nic_bps ? room->gpu_link_bps
                                                                               : room->nic_bps;
    return bytes < (double)COST_BYTES_MAX ? bytes * 8 / rate : 1e30;
}

/* About how long a step takes: compute and communication one after the other. */
static double estimate_s(const struct llm_cfg *cfg, const struct shape *shape,
                         const struct job_room *room)
{
    struct llm_size size;
    struct cost cost;
    llm_size(cfg, &size);
    cost_of(cfg, shape, room->device, &cost);
    double micro = (double)(cfg->training.global_batch / cfg->training.micro_batch / shape->data);
    double layer_s = cost.forward.compute_s + cost.forward.experts_s + cost.backward.compute_s +
                     cost.backward.experts_s + exchange_s(&cost, room);
    double layers = (double)cfg->model.layers / shape->pipeline;
    double pass_s = layers * layer_s + cost.head_forward_s + cost.head_backward_s +
                    units_s(cfg->compute.micro_batch_ps) * (double)cfg->parallel.chunks +
                    (double)cost.activation_bytes * 2 * 8 / room->nic_bps;
    double held = (double)size.params / shape->tensor / shape->pipeline;
    double moved = held * (double)(2 + cfg->training.gradient_bytes) * 2;
    double times = cfg->parallel.shard == LLM_SHARD_PARAMETERS ? micro : 1;
    return (micro + shape->pipeline) * pass_s + times * moved * 8 / room->nic_bps +
           cost_memory_s(cfg, room->device, held * (double)cfg->training.optimizer_bytes);
}

static bool check_memory(const struct llm_cfg *cfg, const struct shape *shape,
                         const struct job_room *room, struct err *err)
{
    static const char *const tries[] = {
        [LLM_REPLICATE] = "parallel.shard: optimizer or parameters, larger tensor or pipeline",
        [LLM_SHARD_OPTIMIZER] = "parallel.shard: parameters, larger tensor or pipeline",
        [LLM_SHARD_PARAMETERS] = "more GPUs, larger tensor",
    };
    struct arena scratch = {0};
    struct memory memory;
    memory_of(cfg, shape, &memory);
    const char *text =
        arena_printf(&scratch, "parameters (%.1f), gradients (%.1f) and optimiser (%.1f); try %s",
                     memory.parameters / 1e9, memory.gradients / 1e9, memory.optimizer / 1e9,
                     tries[cfg->parallel.shard]);
    bool good = jobs_check_memory(memory_state(&memory), room->device, text, err);
    arena_free(&scratch);
    return good;
}

bool llm_check(const struct llm_cfg *cfg, const struct job_room *room, struct err *err)
{
    const char *const key = "workload.parallel.gpus";
    int64_t gpus = jobs_gpus(&cfg->job, room->gpus, cfg->parallel.gpus);
    if (!jobs_check(&cfg->job, cfg->parallel.gpus, key, room, err)) return false;
    if (!check_division(cfg, gpus, err)) return false;
    const struct shape shape = llm_shape(cfg, gpus);
    if (!check_passes(cfg, &shape, err) ||
        !jobs_check_clock(&cfg->job, estimate_s(cfg, &shape, room), "workload.model", err) ||
        !check_memory(cfg, &shape, room, err))
        return false;
    const struct job_spec spec = {.plan.shape = shape, .store = &cfg->store, .need = llm_need(cfg)};
    return jobs_check_storage(&cfg->job, &spec, room, err);
}

struct job_spec llm_job(const struct llm_cfg *cfg, const struct job_site *site, struct arena *arena)
{
    struct job_spec spec = {.plan.arena = arena};
    struct llm_size size;
    const struct llm_training *training = &cfg->training;
    llm_plan(cfg, site, &spec.plan);
    llm_size(cfg, &size);
    spec.store = &cfg->store;
    spec.need = llm_need(cfg);
    spec.samples = (double)training->global_batch;
    spec.tokens = spec.samples * (double)cfg->model.sequence;
    spec.step_flop = spec.tokens * size.token_flop;
    spec.again_flop = spec.tokens * size.again_flop;
    spec.peak_flop_s = cost_peak(cfg, site->device);
    spec.run_steps = training->steps;
    spec.evaluations = training->evaluations;
    spec.evaluation_s = llm_evaluation_s(cfg, site, &spec.plan.shape);
    struct memory memory;
    memory_of(cfg, &spec.plan.shape, &memory);
    spec.memory_bytes = memory_state(&memory) + memory.activations;
    return spec;
}
