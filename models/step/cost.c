/* cost.c - what a transformer layer costs a GPU.
 *
 * The one idea: three kinds of work, each with an efficiency of its own: matrix products (peak *
 * gemm * x / (x + half), x the tokens of a micro-batch on the GPU: what is lost on every
 * micro-batch, whatever its size), attention (peak * attention), and what only moves memory
 * (memory rate * memory). They follow one another.
 *
 * Source of the counts: Narayanan et al., SC'21, section 5.1 (FLOPs); Korthikanti et al., MLSys'23,
 * sections 4 and 5 (what sequence parallelism divides, selective recompute); NVIDIA Megatron-LM for
 * the order of kernels.
 * NOT modelled: efficiency by the other two sizes of a product, experts that get more tokens than
 * others, memory that runs out.
 */
#include "models/step/cost.h"

/* Words of two bytes per token and hidden unit that the element-wise kernels around attention and
 * MLP move, forward: two norms (read, write), two of dropout and residual (read twice, write, half
 * a mask). */
#define NORM_WORDS 11.0
/* The same per unit of the MLP: activation (read, write); with a gate one more read. */
#define ACTIVATION_WORDS 2.0
#define GATED_WORDS 3.0
/* Of unfused attention, per entry of the matrix of scores: softmax and dropout read and write each,
 * and a mask. */
#define SCORE_WORDS 4.5

/* struct work: sizes that the passes have in common. */
struct work {
    const struct llm_cfg *cfg;
    const struct device_facts *device;
    double tokens; /* of a micro-batch on a GPU */
    double tensor, context;
};

double cost_peak(const struct llm_cfg *cfg, const struct device_facts *device)
{
    double tflops = cfg->training.precision == LLM_FP8 && device->fp8_tflops > 0
                        ? device->fp8_tflops
                        : device->bf16_tflops;
    return tflops * 1e12;
}

double cost_memory_s(const struct llm_cfg *cfg, const struct device_facts *device, double bytes)
{
    return bytes * 8 / ((double)device->memory_bps * cfg->compute.memory);
}

/* rows: tokens that one matrix product sees. t = flop / (peak * gemm) * (1 + half / rows) */
static double gemm_s(const struct work *work, double flop, double rows)
{
    const struct llm_compute *compute = &work->cfg->compute;
    double rate = cost_peak(work->cfg, work->device) * compute->gemm;
    return flop / rate * (1 + (double)compute->half_tokens / rows);
}

/* Causal attention that knows that half of the scores are 0 does not compute them. */
static double attention_flop(const struct work *work)
{
    const struct llm_model *model = &work->cfg->model;
    double flop = 4 * work->tokens * (double)model->sequence * (double)model->hidden / work->tensor;
    return model->attention == LLM_FLASH ? flop / 2 : flop;
}

/* Scores, softmax, values: what selective recompute does twice. */
static double core_s(const struct work *work, double times)
{
    const struct llm_model *model = &work->cfg->model;
    double flop = times * attention_flop(work);
    double time_s = flop / (work->device->bf16_tflops * 1e12 * work->cfg->compute.attention);
    if (model->attention == LLM_UNFUSED) {
        double scores =
            work->tokens * (double)model->sequence * (double)model->heads / work->tensor;
        time_s += cost_memory_s(work->cfg, work->device, times * 2 * SCORE_WORDS * scores);
    }
    return time_s;
}

/* Such that sums over layers are numbers; llm_check refuses what is cut. */
static int64_t bytes_of(double bytes)
{
    return bytes < (double)COST_BYTES_MAX ? (int64_t)bytes : COST_BYTES_MAX;
}

static double elements_s(const struct work *work)
{
    const struct llm_model *model = &work->cfg->model;
    double ffn = model->experts > 0 ? (double)(model->top_k * model->expert_ffn + model->shared_ffn)
                                    : (double)model->ffn;
    double around = NORM_WORDS * work->tokens * (double)model->hidden;
    double inside = (model->gated ? GATED_WORDS : ACTIVATION_WORDS) * work->tokens * ffn;
    if (work->cfg->parallel.sequence) around /= work->tensor;
    return cost_memory_s(work->cfg, work->device, 2 * (around + inside / work->tensor));
}

static double experts_s(const struct work *work)
{
    const struct llm_model *model = &work->cfg->model;
    if (model->experts == 0) return 0;
    double matrices = model->gated ? 3 : 2;
    double params = matrices * (double)model->hidden * (double)model->expert_ffn;
    double flop = 2 * work->tokens * (double)model->top_k * params / work->tensor;
    double rows =
        work->tokens * (double)(model->top_k * work->cfg->parallel.expert) / (double)model->experts;
    return gemm_s(work, flop, rows);
}

/* In both directions a layer gathers twice and reduces twice (all-reduces without sequence
 * parallelism, of the same bytes), each of the activations of a micro-batch. */
static void set_tensor(const struct work *work, struct cost *cost)
{
    const struct llm_cfg *cfg = work->cfg;
    int64_t tensor = cfg->parallel.tensor;
    double size = work->tokens * (double)cfg->model.hidden * 2;
    if (tensor == 1) return;
    int64_t each = bytes_of(size * (double)(tensor - 1) / (double)tensor);
    int32_t calls = cfg->parallel.sequence ? 4 : 2;
    cost->forward.tensor_sent = cost->backward.tensor_sent = 4 * each;
    cost->forward.tensor_calls = cost->backward.tensor_calls = calls;
    if (cfg->training.recompute == LLM_FULL) {
        cost->backward.tensor_sent += 4 * each;
        cost->backward.tensor_calls += calls;
    } else if (cfg->parallel.sequence && cfg->training.adapter_params == 0) {
        cost->backward.tensor_sent += 2 * each; /* inputs gathered again for gradients of weights */
        cost->backward.tensor_calls += 2;
    }
}

static void set_others(const struct work *work, struct cost *cost)
{
    const struct llm_model *model = &work->cfg->model;
    const struct llm_parallel *parallel = &work->cfg->parallel;
    double kv = 2 * (double)llm_kv_width(model);
    double row = (double)model->hidden * 2; /* bytes of a token */
    double seat_tokens = parallel->sequence ? work->tokens / work->tensor : work->tokens;
    bool full = work->cfg->training.recompute == LLM_FULL; /* forward's once more */
    if (parallel->context > 1) {
        cost->forward.context_bytes =
            bytes_of(work->tokens * work->context * kv / work->tensor * 2);
        cost->forward.context_calls = 1;
        cost->backward.context_calls = full ? 3 : 2;
        cost->backward.context_bytes = cost->backward.context_calls * cost->forward.context_bytes;
    }
    cost->forward.expert_calls = 2;
    cost->backward.expert_calls = full ? 4 : 2;
    if (parallel->expert > 1)
        cost->forward.expert_bytes = cost->backward.expert_bytes =
            bytes_of(seat_tokens * (double)model->top_k * row);
    cost->activation_bytes = bytes_of(work->tokens * row / work->tensor);
}

void cost_of(const struct llm_cfg *cfg, const struct shape *shape,
             const struct device_facts *device, struct cost *cost)
{
    const struct llm_model *model = &cfg->model;
    const struct llm_training *training = &cfg->training;
    struct llm_size size;
    const struct work work = {.cfg = cfg,
                              .device = device,
                              .tokens = (double)(training->micro_batch * model->sequence) /
                                        (double)shape->context,
                              .tensor = (double)shape->tensor,
                              .context = (double)shape->context};
    llm_size(cfg, &size);
    *cost = (struct cost){0};
    /* Backward: gradients of inputs, and of weights unless they are frozen. */
    double back = training->adapter_params > 0 ? 1 : 2;
    double core_back = model->attention == LLM_FLASH ? 2.5 : 2; /* flash computes scores again */
    double gemm =
        gemm_s(&work, 2 * work.tokens * (double)size.layer_params / work.tensor, work.tokens);
    double elements = elements_s(&work);
    cost->forward.compute_s = gemm + elements + core_s(&work, 1);
    cost->forward.experts_s = experts_s(&work);
    cost->backward.compute_s = back * gemm + 2 * elements + core_s(&work, core_back);
    cost->backward.experts_s = back * cost->forward.experts_s;
    if (training->recompute == LLM_SELECTIVE) cost->backward.compute_s += core_s(&work, 1);
    if (training->recompute == LLM_FULL) {
        cost->backward.compute_s += cost->forward.compute_s;
        cost->backward.experts_s += cost->forward.experts_s;
    }
    double head = 2 * work.tokens * (double)(model->hidden * model->vocab) / work.tensor;
    cost->head_forward_s = gemm_s(&work, head, work.tokens);
    cost->head_backward_s = back * cost->head_forward_s;
    set_tensor(&work, cost);
    set_others(&work, cost);
}
