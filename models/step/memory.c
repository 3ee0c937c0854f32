/* memory.c - the memory that a transformer's training step needs on a GPU.
 *
 * The one idea: parameters (2 bytes), gradients, and optimiser (FP32 master weight and two moments)
 * are divided as the job divides them; activations are counted tensor by tensor, as bytes per token
 * of a layer, for as many micro-batches as are under way on a stage at a time.
 *
 * Source: Korthikanti et al., MLSys'23, sections 4 and 5: s b h (10 + 24 / t + 5 a s / (h t)) bytes
 * of a layer, (34 / t + ...) with sequence parallelism, 2 s b h with full recompute; its terms are
 * kept apart here, for gates, experts and fewer heads of keys and values. Rajbhandari et al., SC'20
 * (ZeRO) for what is sharded.
 * NOT modelled: fragmentation, buffers of NCCL and of the framework, experts that get more tokens
 * than others, parameters or optimiser on the host. Frozen matrices keep no inputs [inferred].
 */
#include "models/step/memory.h"

#define WEIGHT_BYTES 2.0
#define OPTIMIZER_BYTES 12.0

/* struct layer: bytes of a token in a layer, of what tensor parallelism divides and does not. */
struct layer {
    double divided, whole;
};

/* Without the scores of attention: 10 h whole and 24 h divided for two matrices of 4 h. */
static struct layer count_layer(const struct llm_cfg *cfg)
{
    const struct llm_model *model = &cfg->model;
    const bool frozen = cfg->training.adapter_params > 0;
    double h = (double)model->hidden, kv = (double)llm_kv_width(model);
    double ffn = model->experts > 0 ? (double)(model->top_k * model->expert_ffn + model->shared_ffn)
                                    : (double)model->ffn;
    /* queries, keys, values, what the output projection reads */
    double attention = 2 * h + 4 * kv + 2 * h;
    /* what goes into activation (and gate), what comes out for the last matrix */
    double inner = (model->gated ? 4 : 2) + (frozen ? 0 : 2);
    /* two norms, two masks of dropout, inputs of attention and of the MLP */
    double whole = 4 * h + 2 * h + 2 * h + (frozen ? 0 : 2 * h);
    if (model->experts > 0) whole += 2 * h * (double)model->top_k; /* tokens at their experts */
    return (struct layer){attention + inner * ffn, whole};
}

/* Scores, their softmax and its mask: 5 a s, unless they are computed again or never stored. */
static double score_bytes(const struct llm_cfg *cfg)
{
    if (cfg->model.attention == LLM_FLASH || cfg->training.recompute == LLM_SELECTIVE) return 0;
    return 5 * (double)cfg->model.heads * (double)cfg->model.sequence;
}

/* How many layers' activations the first stage holds at a time: of all micro-batches that have been
 * forward and not yet backward (llm_plan.c, add_pipeline). */
static double layers_held(const struct llm_cfg *cfg, const struct shape *shape)
{
    int64_t stages = shape->pipeline, chunks = cfg->parallel.chunks;
    int64_t micro = cfg->training.global_batch / cfg->training.micro_batch / shape->data;
    int64_t all = micro * chunks, held = stages;
    if (chunks > 1) held = micro == stages ? all : 2 * (stages - 1) + (chunks - 1) * stages + 1;
    if (held > all) held = all;
    return (double)held * (double)cfg->model.layers / (double)(stages * chunks);
}

static double activations(const struct llm_cfg *cfg, const struct shape *shape)
{
    const struct llm_model *model = &cfg->model;
    double tensor = shape->tensor;
    double tokens =
        (double)cfg->training.micro_batch * (double)model->sequence / (double)shape->context;
    double around = cfg->parallel.sequence ? tensor : 1;
    const struct layer layer = count_layer(cfg);
    double full = tokens * ((layer.divided + score_bytes(cfg)) / tensor + layer.whole / around);
    double held = layers_held(cfg, shape), bytes = held * full;
    /* with full recompute the inputs of all layers, and all of the one that is computed again */
    if (cfg->training.recompute == LLM_FULL)
        bytes = held * tokens * 2 * (double)model->hidden / around + full;
    /* logits in FP32, which the only stage has beside all this */
    if (shape->pipeline == 1) bytes += 4 * tokens * (double)model->vocab / tensor;
    return bytes;
}

/* The first stage has the embeddings, and most activations. */
void memory_of(const struct llm_cfg *cfg, const struct shape *shape, struct memory *memory)
{
    struct llm_size size;
    llm_size(cfg, &size);
    const double tensor = shape->tensor, adapters = (double)cfg->training.adapter_params;
    const double replicas = shape_size(shape, SHAPE_REPLICAS),
                 twins = shape_size(shape, SHAPE_TWINS);
    const double layers = (double)cfg->model.layers / shape->pipeline;
    double table = (double)(cfg->model.vocab * cfg->model.hidden);
    double embeddings = shape->pipeline == 1 ? (double)size.embedding_params : table;
    double dense = (layers * (double)size.layer_params + embeddings) / tensor;
    double experts = layers * (double)size.expert_params / tensor / shape->expert;
    double trained = adapters > 0 ? adapters / shape->pipeline / tensor : dense;
    double trained_experts = adapters > 0 ? 0 : experts;
    const int shard = cfg->parallel.shard;
    double kept = shard == LLM_SHARD_PARAMETERS ? 1 / replicas : 1;
    *memory = (struct memory){
        .parameters = WEIGHT_BYTES * kept * (dense + experts),
        .gradients = (double)cfg->training.gradient_bytes * kept * (trained + trained_experts),
        .optimizer = OPTIMIZER_BYTES * (shard == LLM_REPLICATE
                                            ? trained + trained_experts
                                            : trained / replicas + trained_experts / twins),
        .activations = activations(cfg, shape)};
    if (shard == LLM_SHARD_PARAMETERS && replicas > 1) /* layers that have been gathered */
        memory->activations += WEIGHT_BYTES * (double)(1 + cfg->parallel.prefetch) *
                               (double)size.layer_params / tensor;
}
