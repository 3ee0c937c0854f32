/* llm_cfg.c - keys of the workload kind `llm`. */
#include <inttypes.h>

#include "models/step/llm.h"

#define COUNT(key_, at, fallback_, min_, max_, help_)                                              \
    {                                                                                              \
        .key = key_, .type = SCHEMA_COUNT, .offset = at, .fallback = fallback_, .min = min_,       \
        .max = max_, .help = help_                                                                 \
    }
#define FRACTION(key_, at, fallback_, min_, help_, source_)                                        \
    {                                                                                              \
        .key = key_, .type = SCHEMA_FRACTION, .offset = at, .fallback = fallback_, .min = min_,    \
        .max = "100%", .help = help_, .source = source_                                            \
    }
#define FLAG(key_, at, fallback_, help_)                                                           \
    {                                                                                              \
        .key = key_, .type = SCHEMA_BOOL, .offset = at, .fallback = fallback_, .help = help_       \
    }
#define CHOICE(key_, at, fallback_, words_, help_)                                                 \
    {                                                                                              \
        .key = key_, .type = SCHEMA_ENUM, .offset = at, .fallback = fallback_, .words = words_,    \
        .help = help_                                                                              \
    }

/* ---- the model ------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct llm_model, member)
static const char *const attention_words[] = {"flash", "unfused", NULL};

static const struct schema_field model_fields[] = {
    COUNT("layers", AT(layers), NULL, "1", "10000", "Transformer layers."),
    COUNT("hidden", AT(hidden), NULL, "1", "1000000", "Width of the model."),
    COUNT("ffn", AT(ffn), "0", "0", "10000000", "Width of the MLP; not of experts."),
    COUNT("heads", AT(heads), NULL, "1", "10000", "Heads of attention."),
    COUNT("kv_heads", AT(kv_heads), "0", "0", "10000",
          "Heads of keys and values (grouped queries); 0 = heads."),
    COUNT("vocab", AT(vocab), NULL, "1", "10000000", "Entries of the vocabulary."),
    COUNT("sequence", AT(sequence), NULL, "1", "100000000", "Tokens of a sequence."),
    FLAG("gated", AT(gated), "true", "The MLP has a gate: three matrices instead of two."),
    FLAG("tied", AT(tied), "false", "Input and output embeddings are one matrix."),
    CHOICE("attention", AT(attention), "flash", attention_words,
           "flash: scores are never stored, and those that causality makes 0 not computed."),
    COUNT("experts", AT(experts), "0", "0", "100000",
          "Experts of each layer instead of one MLP; 0 = none."),
    COUNT("top_k", AT(top_k), "0", "0", "1000", "Experts that a token goes to."),
    COUNT("expert_ffn", AT(expert_ffn), "0", "0", "10000000", "Width of an expert."),
    COUNT("shared_ffn", AT(shared_ffn), "0", "0", "10000000",
          "With experts: width of the MLP that all tokens go through beside them; 0 = none."),
    {.key = NULL},
};

/* C090: what the model needs to be complete. */
static void check_model(const void *config, struct schema_check *check)
{
    const struct llm_model *model = config;
    if (model->hidden % model->heads)
        schema_complain(check, "heads", "C090: %" PRId64 " heads do not divide hidden = %" PRId64,
                        model->heads, model->hidden);
    if (model->experts > 0 && (model->top_k == 0 || model->expert_ffn == 0))
        schema_complain(check, "experts", "C090: experts need top_k and expert_ffn");
    if (model->top_k > model->experts)
        schema_complain(check, "top_k", "C090: a token goes to %" PRId64 " of %" PRId64 " experts",
                        model->top_k, model->experts);
    if (model->experts == 0 && model->ffn == 0)
        schema_complain(check, "ffn", "C090: a model without experts needs ffn");
}

static const struct schema model_schema = {
    .name = "model",
    .help = "The transformer.",
    .size = sizeof(struct llm_model),
    .fields = model_fields,
    .check = check_model,
};
#undef AT

/* ---- parallelism ----------------------------------------------------------------------------- */

#define AT(member) offsetof(struct llm_parallel, member)
static const char *const shard_words[] = {"nothing", "optimizer", "parameters", NULL};

static const struct schema_field parallel_fields[] = {
    COUNT("gpus", AT(gpus), "0", "0", "1048576",
          "GPUs of a job, from the first on; 0 = all that there are."),
    COUNT("tensor", AT(tensor), "1", "1", "4096",
          "GPUs among which each layer is divided; neighbours."),
    COUNT("context", AT(context), "1", "1", "4096", "GPUs among which each sequence is divided."),
    COUNT("pipeline", AT(pipeline), "1", "1", "4096", "Stages among which the layers are divided."),
    COUNT("chunks", AT(chunks), "1", "1", "1000",
          "Parts of the model that a stage has (interleaved pipeline)."),
    COUNT("expert", AT(expert), "1", "1", "4096",
          "GPUs among which the experts of a layer are divided."),
    FLAG("sequence", AT(sequence), "true",
         "Sequence parallelism: what tensor parallelism leaves whole is divided by tokens."),
    FLAG("data_outermost", AT(data_outermost), "false",
         "The stages of a pipeline are nearer to one another than data-parallel replicas."),
    CHOICE("shard", AT(shard), "nothing", shard_words,
           "What replicas divide instead of each keeping it: optimizer (ZeRO-1), parameters "
           "(FSDP, ZeRO-3)."),
    COUNT("prefetch", AT(prefetch), "1", "0", "1000",
          "shard: parameters: layers that are gathered ahead of compute."),
    FRACTION("tensor_overlap", AT(tensor_overlap), "0%", NULL,
             "Part of tensor-parallel communication that is hidden behind compute, of groups "
             "inside an NVLink domain.",
             "Megatron-LM without --tp-comm-overlap"),
    FRACTION("context_overlap", AT(context_overlap), "0%", NULL,
             "The same of context-parallel communication, of groups inside an NVLink domain.",
             NULL),
    {.key = NULL},
};

/* C095: combinations that are not modelled. */
static void check_parallel(const void *config, struct schema_check *check)
{
    const struct llm_parallel *parallel = config;
    if (parallel->shard == LLM_SHARD_PARAMETERS && parallel->pipeline > 1)
        schema_complain(check, "shard", "C095: parameters are sharded without a pipeline only");
    if (parallel->shard == LLM_SHARD_PARAMETERS && parallel->expert > 1)
        schema_complain(check, "shard",
                        "C095: parameters are sharded without expert parallelism only");
    if (parallel->chunks > 1 && parallel->pipeline == 1)
        schema_complain(check, "chunks", "C095: chunks need a pipeline");
}

static const struct schema parallel_schema = {
    .name = "parallel",
    .help = "How the work is divided among GPUs.",
    .size = sizeof(struct llm_parallel),
    .fields = parallel_fields,
    .check = check_parallel,
};
#undef AT

/* ---- training -------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct llm_training, member)
static const char *const recompute_words[] = {"none", "selective", "full", NULL};
static const char *const precision_words[] = {"bf16", "fp8", NULL};

static const struct schema_field training_fields[] = {
    COUNT("micro_batch", AT(micro_batch), "1", "1", "1000000",
          "Sequences that a replica computes at a time."),
    COUNT("global_batch", AT(global_batch), NULL, "1", "100000000", "Sequences of a step."),
    COUNT("adapter_params", AT(adapter_params), "0", "0", "1000000000000",
          "LoRA: parameters that are trained, all others are frozen; 0 = all are trained."),
    COUNT("gradient_bytes", AT(gradient_bytes), "2", "1", "8", "Bytes of a gradient on the wire."),
    {.key = "bucket",
     .type = SCHEMA_SIZE,
     .offset = AT(bucket_bytes),
     .fallback = "256MiB",
     .min = "1B",
     .max = "1PiB",
     .help = "Gradients that are reduced together."},
    FLAG("overlap_gradients", AT(overlap_gradients), "true",
         "Gradients are reduced beside the backward pass; false = after it (shard: parameters: "
         "always beside it)."),
    CHOICE("recompute", AT(recompute), "none", recompute_words,
           "What is computed again in the backward pass: selective = the core of attention."),
    CHOICE("precision", AT(precision), "bf16", precision_words, "Of the matrix products."),
    COUNT("optimizer_bytes", AT(optimizer_bytes), "30", "0", "1000",
          "Memory traffic of the optimiser per parameter: Adam reads a gradient (4), reads and "
          "writes master weight and two moments (24), writes the weight (2)."),
    COUNT(
        "steps", AT(steps), "0", "0", "1000000000",
        "Steps of the whole training, for time_to_train_s (steps, evaluations, load, checkpoints); "
        "0 = not said."),
    COUNT("evaluations", AT(evaluations), "0", "0", "1000000",
          "Evaluations of the whole training."),
    COUNT("evaluation_sequences", AT(evaluation_sequences), "0", "0", "1000000000",
          "Sequences of an evaluation."),
    {.key = NULL},
};

static const struct schema training_schema = {
    .name = "training",
    .help = "Batch, precision, what is trained.",
    .size = sizeof(struct llm_training),
    .fields = training_fields,
};
#undef AT

/* ---- compute --------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct llm_compute, member)
#define FITTED "calibrated: Megatron-LM 22B and 175B on A100, Korthikanti et al., MLSys'23, table 5"

static const struct schema_field compute_fields[] = {
    FRACTION(
        "gemm", AT(gemm), "77.8%", "1%",
        "Matrix products, as a part of the peak, for large micro-batches; H100 under its power "
        "limit reaches about 65 % of BF16.",
        FITTED),
    COUNT("half_tokens", AT(half_tokens), "100", "0", "1000000000",
          "Tokens of a micro-batch on a GPU at which matrix products reach half of gemm."),
    FRACTION("attention", AT(attention), "21.4%", "1%",
             "Scores and values, as a part of the BF16 peak.", FITTED),
    FRACTION("memory", AT(memory), "87.2%", "1%",
             "Element-wise kernels, as a part of the memory's rate.", FITTED),
    {.key = "micro_batch",
     .type = SCHEMA_TIME,
     .offset = AT(micro_batch_ps),
     .fallback = "0s",
     .max = "1h",
     .help = "What each forward pass of a stage takes beside its work."},
    {.key = NULL},
};

static const struct schema compute_schema = {
    .name = "compute",
    .help = "How fast a GPU computes, as parts of its data sheet.",
    .size = sizeof(struct llm_compute),
    .fields = compute_fields,
};
#undef AT

/* ---- the workload ---------------------------------------------------------------------------- */

#define AT(member) offsetof(struct llm_cfg, member)
#define SECTION(key_, at, section_, help_)                                                         \
    {                                                                                              \
        .key = key_, .type = SCHEMA_SECTION, .offset = at, .section = section_, .help = help_      \
    }

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    SECTION("model", AT(model), &model_schema, "The transformer."),
    SECTION("parallel", AT(parallel), &parallel_schema, "How the work is divided among GPUs."),
    SECTION("training", AT(training), &training_schema, "Batch, precision, what is trained."),
    SECTION("compute", AT(compute), &compute_schema,
            "How fast a GPU computes, as parts of its data sheet."),
    STORE_FIELDS(struct llm_cfg),
    SECTION("run", AT(job), &job_schema, "How often, how many, and what is wrong with some."),
    {.key = NULL},
};

#define PARAMS_MAX 1e15

/* C109: sizes whose products are numbers. */
static bool check_size(const struct llm_model *model, struct schema_check *check)
{
    double h = (double)model->hidden, matrices = model->gated ? 3 : 2;
    double kv = model->kv_heads > 0 ? (double)model->kv_heads / (double)model->heads : 1;
    double layer = (2 + 2 * kv) * h * h + matrices * h * (double)(model->ffn + model->shared_ffn);
    layer += (double)model->experts * h * (1 + matrices * (double)model->expert_ffn);
    double params = (double)model->layers * layer + 2 * (double)model->vocab * h;
    if (params > PARAMS_MAX)
        schema_complain(check, "model", "C109: a model of %.2g parameters; at most %.0e", params,
                        PARAMS_MAX);
    return params <= PARAMS_MAX;
}

/* C096: layers are divided evenly; C095: what goes with what. */
static void check(const void *config, struct schema_check *check)
{
    const struct llm_cfg *cfg = config;
    int64_t parts = cfg->parallel.pipeline * cfg->parallel.chunks;
    if (cfg->model.layers % parts)
        schema_complain(check, "parallel",
                        "C096: %" PRId64 " layers are not divided evenly by pipeline * chunks = "
                        "%" PRId64,
                        cfg->model.layers, parts);
    if (cfg->parallel.expert > 1 && cfg->model.experts == 0)
        schema_complain(check, "parallel", "C095: expert parallelism is for models with experts");
    if (cfg->parallel.expert > 1 && cfg->model.experts % cfg->parallel.expert)
        schema_complain(check, "parallel",
                        "C096: %" PRId64 " experts are not divided evenly by expert = %" PRId64,
                        cfg->model.experts, cfg->parallel.expert);
    if (cfg->parallel.shard == LLM_SHARD_PARAMETERS && cfg->model.experts > 0)
        schema_complain(check, "parallel", "C095: parameters are sharded without experts only");
    if (!check_size(&cfg->model, check)) return;
    const struct store_need need = {.sample_bytes = llm_sample_bytes(&cfg->model),
                                    .samples = cfg->training.global_batch};
    store_check(&cfg->store, &need, cfg->job.steps, check);
}

const struct schema llm_schema = {
    .name = "llm",
    .help = "Training steps of a transformer: compute, parallelism, communication.",
    .size = sizeof(struct llm_cfg),
    .fields = fields,
    .check = check,
};
