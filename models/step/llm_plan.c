/* llm_plan.c - the operations of a step, stage by stage: forward and backward of micro-batches in
 * the order of the pipeline, and the communication between them.
 *
 * The one idea: what a stage does is a list (layers: llm_build.c), and what goes on beside compute
 * is a list of its own that waits for operations of the first.
 * - pipeline: one forward, one backward (1F1B); with chunks each stage has several parts of the
 *   model, which take turns (interleaved 1F1B). Narayanan et al., SC'21, section 2.2.
 * - gradients: in the backward pass of the last micro-batch, bucket by bucket, beside compute.
 * - sharded parameters (FSDP, ZeRO-3): gathered layer by layer ahead of compute, forward and again
 *   backward; gradients reduced and scattered. Zhao et al., VLDB'23.
 * - sharded optimiser (ZeRO-1): gradients reduced and scattered, parameters gathered at the end.
 * Judgement: sharded parameters overlap always, whatever overlap_gradients says.
 * NOT modelled: the all-reduce of tied embeddings between first and last stage; activations that do
 * not fit; the check of gradient norms but for its meeting of all ranks.
 */
#include "models/step/llm_build.h"
#include "sim/base/units.h"

static bool is_last(const struct llm_build *build, int64_t chunk)
{
    return build->stage == build->plan->shape.pipeline - 1 &&
           chunk == build->cfg->parallel.chunks - 1;
}

static bool is_first(const struct llm_build *build, int64_t chunk)
{
    return build->stage == 0 && chunk == 0;
}

/* ---- gradients and sharded parameters -------------------------------------------------------- */

static void add_beside(struct llm_build *build, enum plan_stream stream, struct plan_op op,
                       int64_t after_op)
{
    op.after_stream = PLAN_COMPUTE;
    op.after_op = after_op;
    int64_t at = plan_add(build->plan, build->stage, stream, &op);
    if (stream == PLAN_REDUCE) build->last_reduce = at;
}

static void add_reduction(struct llm_build *build, enum shape_group group, int64_t bytes,
                          int64_t after)
{
    enum coll_op op =
        build->cfg->parallel.shard == LLM_REPLICATE ? COLL_ALL_REDUCE : COLL_REDUCE_SCATTER;
    if (bytes == 0 || shape_size(&build->plan->shape, group) == 1) return;
    add_beside(build, PLAN_REDUCE, llm_build_collective("gradients", EXEC_DP, group, op, bytes),
               after);
}

/* Parameters of a chunk that are the same on all replicas, on one GPU. */
static int64_t chunk_params(const struct llm_build *build, int64_t chunk)
{
    const struct llm_model *model = &build->cfg->model;
    const struct llm_training *training = &build->cfg->training;
    int64_t tensor = build->plan->shape.tensor;
    if (training->adapter_params > 0)
        return training->adapter_params / model->layers * build->chunk_layers / tensor;
    int64_t params = build->chunk_layers * build->size.layer_params;
    if (is_first(build, chunk)) params += model->vocab * model->hidden;
    if (is_last(build, chunk) && !(model->tied && is_first(build, chunk)))
        params += model->vocab * model->hidden;
    return params / tensor;
}

static int64_t chunk_expert_params(const struct llm_build *build)
{
    const struct shape *shape = &build->plan->shape;
    if (build->cfg->training.adapter_params > 0) return 0;
    return build->chunk_layers * build->size.expert_params / shape->tensor / shape->expert;
}

/* Backward of the last micro-batch: in as many parts as there are buckets. */
static void add_last_backward(struct llm_build *build, int64_t chunk)
{
    const struct llm_training *training = &build->cfg->training;
    int64_t bytes = chunk_params(build, chunk) * training->gradient_bytes;
    int64_t experts = chunk_expert_params(build) * training->gradient_bytes;
    int64_t n = coll_parts_n(bytes + experts, training->bucket_bytes);
    if (!training->overlap_gradients) {
        llm_build_layers(build, "backward", &build->cost.backward, build->chunk_layers);
        return;
    }
    if (n > build->chunk_layers) n = build->chunk_layers;
    for (int64_t i = 0; i < n; i++) {
        int64_t layers =
            coll_part((struct coll_range){0, build->chunk_layers}, (int32_t)n, (int32_t)i).bytes;
        int64_t at = llm_build_layers(build, "backward", &build->cost.backward, layers);
        add_reduction(build, SHAPE_REPLICAS, bytes / n, at);
        add_reduction(build, SHAPE_TWINS, experts / n, at);
    }
}

/* Reduction that is not hidden: when all chunks have had their backward pass. */
static void add_late_reduction(struct llm_build *build)
{
    const struct llm_training *training = &build->cfg->training;
    int64_t after = build->plan->stage[build->stage].stream[PLAN_COMPUTE].n - 1;
    for (int64_t c = build->cfg->parallel.chunks - 1; c >= 0; c--) {
        add_reduction(build, SHAPE_REPLICAS, chunk_params(build, c) * training->gradient_bytes,
                      after);
        add_reduction(build, SHAPE_TWINS, chunk_expert_params(build) * training->gradient_bytes,
                      after);
    }
}

/* The parameters of layer `unit` on one tensor-parallel rank, with those of the embeddings. */
static int64_t unit_bytes(const struct llm_build *build, int64_t unit)
{
    const struct llm_model *model = &build->cfg->model;
    int64_t params = build->size.layer_params;
    if (unit == 0) params += model->vocab * model->hidden;
    if (unit == model->layers - 1 && !model->tied) params += model->vocab * model->hidden;
    return 2 * params / build->plan->shape.tensor;
}

/* gather: the u-th of a pass may begin when compute is `prefetch` units behind it. starts: the last
 * operations of the units that came before, in their order. */
struct units {
    int64_t *last; /* [2 layers] of a micro-batch */
    int64_t n;
    int64_t before; /* last operation before the micro-batch */
};

static void gather_unit(struct llm_build *build, const struct units *units, int64_t unit)
{
    int64_t back = units->n - build->cfg->parallel.prefetch - 1;
    int64_t after = back >= 0 ? units->last[back] : units->before;
    add_beside(build, PLAN_GATHER,
               llm_build_collective("parameters", EXEC_FSDP, SHAPE_REPLICAS, COLL_ALL_GATHER,
                                    unit_bytes(build, unit)),
               after);
    build->wait.after_stream = PLAN_GATHER;
    build->wait.after_op = build->plan->stage[build->stage].stream[PLAN_GATHER].n - 1;
}

/* The gradients of a layer's trained parameters on one tensor-parallel rank, with those of the
 * embeddings. */
static int64_t unit_gradient_bytes(const struct llm_build *build, int64_t unit)
{
    const struct llm_training *training = &build->cfg->training;
    int64_t params = unit_bytes(build, unit) / 2;
    if (training->adapter_params > 0)
        params = training->adapter_params / build->cfg->model.layers / build->plan->shape.tensor;
    return params * training->gradient_bytes;
}

/* A micro-batch with sharded parameters. */
static void add_sharded(struct llm_build *build)
{
    int64_t layers = build->cfg->model.layers;
    bool many = shape_size(&build->plan->shape, SHAPE_REPLICAS) > 1;
    struct units units = {.last = ARENA_ARRAY(build->plan->arena, int64_t, 2 * layers)};
    units.before = build->plan->stage[build->stage].stream[PLAN_COMPUTE].n - 1;
    if (build->cfg->compute.micro_batch_ps > 0)
        llm_build_busy(build, "micro-batch", EXEC_COMPUTE,
                       (double)build->cfg->compute.micro_batch_ps / 1e12);
    for (int64_t u = 0; u < layers; u++) {
        if (many) gather_unit(build, &units, u);
        units.last[units.n++] = llm_build_layers(build, "forward", &build->cost.forward, 1);
    }
    llm_build_busy(build, "head", EXEC_COMPUTE,
                   build->cost.head_forward_s + build->cost.head_backward_s);
    for (int64_t u = layers - 1; u >= 0; u--) {
        if (many) gather_unit(build, &units, u);
        units.last[units.n++] = llm_build_layers(build, "backward", &build->cost.backward, 1);
        int64_t bytes = unit_gradient_bytes(build, u);
        if (!many || bytes == 0) continue;
        add_beside(build, PLAN_REDUCE,
                   llm_build_collective("gradients", EXEC_FSDP, SHAPE_REPLICAS, COLL_REDUCE_SCATTER,
                                        bytes),
                   units.last[units.n - 1]);
    }
}

/* ---- the pipeline ---------------------------------------------------------------------------- */

static void add_hop(struct llm_build *build, enum exec_kind kind, int32_t hop, int64_t tag)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = (int8_t)kind;
    op.category = EXEC_PP;
    op.name = kind == EXEC_SEND ? "send" : "receive";
    op.bytes = build->cost.activation_bytes;
    op.hop = (int8_t)hop;
    op.tag = tag;
    op.detached = kind == EXEC_SEND;
    llm_build_add(build, op);
}

static int64_t tag_of(const struct llm_build *build, int64_t micro, int64_t part, bool backward)
{
    return 2 * (part * build->micro_batches + micro) + backward;
}

/* part: number of the chunk in the model; activations go to part + 1, gradients to part - 1. */
static int64_t part_of(const struct llm_build *build, int64_t chunk)
{
    return chunk * build->plan->shape.pipeline + build->stage;
}

static void add_forward(struct llm_build *build, int64_t micro, int64_t chunk)
{
    int64_t part = part_of(build, chunk);
    if (!is_first(build, chunk)) add_hop(build, EXEC_RECV, -1, tag_of(build, micro, part, false));
    llm_build_busy(build, "micro-batch", EXEC_COMPUTE,
                   (double)build->cfg->compute.micro_batch_ps / 1e12);
    llm_build_layers(build, "forward", &build->cost.forward, build->chunk_layers);
    if (is_last(build, chunk))
        llm_build_busy(build, "head", EXEC_COMPUTE, build->cost.head_forward_s);
    else
        add_hop(build, EXEC_SEND, 1, tag_of(build, micro, part + 1, false));
}

static void add_backward(struct llm_build *build, int64_t micro, int64_t chunk)
{
    int64_t part = part_of(build, chunk);
    if (is_last(build, chunk))
        llm_build_busy(build, "head", EXEC_COMPUTE, build->cost.head_backward_s);
    else
        add_hop(build, EXEC_RECV, 1, tag_of(build, micro, part, true));
    if (micro == build->micro_batches - 1)
        add_last_backward(build, chunk);
    else
        llm_build_layers(build, "backward", &build->cost.backward, build->chunk_layers);
    if (!is_first(build, chunk))
        add_hop(build, EXEC_SEND, -1, tag_of(build, micro, part - 1, true));
}

/* The k-th forward or backward of a stage: micro-batches go in groups of `pipeline` through chunk
 * after chunk. */
struct turn {
    int64_t micro, chunk;
};
static struct turn turn_of(const struct llm_build *build, int64_t k, bool backward)
{
    int64_t stages = build->plan->shape.pipeline, chunks = build->cfg->parallel.chunks;
    if (chunks == 1) return (struct turn){k, 0};
    int64_t chunk = k % (stages * chunks) / stages;
    return (struct turn){k / (stages * chunks) * stages + k % stages,
                         backward ? chunks - 1 - chunk : chunk};
}

static void add_pipeline(struct llm_build *build)
{
    int64_t stages = build->plan->shape.pipeline, chunks = build->cfg->parallel.chunks;
    int64_t all = build->micro_batches * chunks, ahead = stages - 1 - build->stage;
    if (chunks > 1)
        ahead = build->micro_batches == stages ? all : 2 * ahead + (chunks - 1) * stages;
    if (ahead > all) ahead = all;
    for (int64_t k = 0; k < all + ahead; k++) {
        if (k < all) {
            const struct turn turn = turn_of(build, k, false);
            add_forward(build, turn.micro, turn.chunk);
        }
        if (k >= ahead) {
            const struct turn turn = turn_of(build, k - ahead, true);
            add_backward(build, turn.micro, turn.chunk);
        }
    }
}

/* Forward alone: the stages follow one another once, then every micro-batch takes as long as the
 * longest of them, the last one. Collectives that leave the domain are left out, as are those of
 * sharded parameters. */
double llm_evaluation_s(const struct llm_cfg *cfg, const struct job_site *site,
                        const struct shape *shape)
{
    struct arena arena = {0};
    struct plan plan = {.arena = &arena, .shape = *shape};
    struct llm_build build = {.cfg = cfg, .site = site, .plan = &plan, .wait = PLAN_OP_NONE};
    int64_t batch = cfg->training.micro_batch * shape->data, stage_ps = 0;
    int64_t rounds = coll_parts_n(cfg->training.evaluation_sequences, batch);
    if (cfg->training.evaluation_sequences == 0) return 0;
    plan.stage = ARENA_NEW(&arena, struct plan_stage);
    cost_of(cfg, shape, site->device, &build.cost);
    llm_build_layers(&build, "forward", &build.cost.forward, cfg->model.layers / shape->pipeline);
    for (int64_t i = 0; i < plan.stage->stream[PLAN_COMPUTE].n; i++)
        stage_ps += plan.stage->stream[PLAN_COMPUTE].op[i].duration_ps;
    stage_ps += cfg->compute.micro_batch_ps * cfg->parallel.chunks;
    arena_free(&arena);
    return (double)(rounds + shape->pipeline - 1) * units_s(stage_ps) +
           (double)rounds * build.cost.head_forward_s;
}

/* ---- the end of a step ----------------------------------------------------------------------- */

static void add_optimizer(struct llm_build *build)
{
    const struct llm_parallel *parallel = &build->cfg->parallel;
    const struct shape *shape = &build->plan->shape;
    int64_t params = 0, experts = 0, replicas = shape_size(shape, SHAPE_REPLICAS);
    for (int64_t c = 0; c < parallel->chunks; c++) {
        params += chunk_params(build, c);
        experts += chunk_expert_params(build);
    }
    double mine = (double)params + (double)experts;
    if (parallel->shard != LLM_REPLICATE)
        mine = (double)params / (double)replicas +
               (double)experts / (double)shape_size(shape, SHAPE_TWINS);
    llm_build_busy(build, "optimizer", EXEC_COMPUTE,
                   cost_memory_s(build->cfg, build->site->device,
                                 mine * (double)build->cfg->training.optimizer_bytes));
    if (parallel->shard != LLM_SHARD_OPTIMIZER) return;
    if (params > 0 && replicas > 1)
        llm_build_add(build, llm_build_collective("parameters", EXEC_DP, SHAPE_REPLICAS,
                                                  COLL_ALL_GATHER, 2 * params));
    if (experts > 0 && shape_size(shape, SHAPE_TWINS) > 1)
        llm_build_add(build, llm_build_collective("parameters", EXEC_DP, SHAPE_TWINS,
                                                  COLL_ALL_GATHER, 2 * experts));
}

static void add_end(struct llm_build *build)
{
    struct plan_op mark = PLAN_OP_NONE;
    mark.kind = EXEC_MARK;
    mark.category = EXEC_DP;
    mark.name = "gradients";
    if (build->last_reduce >= 0) {
        build->wait.after_stream = PLAN_REDUCE;
        build->wait.after_op = build->last_reduce;
        llm_build_add(build, mark);
    }
    add_optimizer(build);
    store_plan_end(&build->cfg->store, build->plan, build->stage);
    struct plan_op meet = PLAN_OP_NONE;
    meet.kind = EXEC_MEET;
    meet.category = EXEC_OTHER;
    meet.idle = build->plan->shape.pipeline > 1 ? EXEC_BUBBLE : EXEC_SKEW;
    meet.group = SHAPE_ALL;
    meet.name = "end of step";
    llm_build_add(build, meet);
}

void llm_plan(const struct llm_cfg *cfg, const struct job_site *site, struct plan *plan)
{
    int64_t gpus = jobs_gpus(&cfg->job, cluster_facts(site->cluster)->gpus, cfg->parallel.gpus);
    struct llm_build build = {.cfg = cfg, .site = site, .plan = plan, .wait = PLAN_OP_NONE};
    plan->shape = llm_shape(cfg, gpus);
    plan->stage = ARENA_ARRAY(plan->arena, struct plan_stage, plan->shape.pipeline);
    llm_size(cfg, &build.size);
    cost_of(cfg, &plan->shape, site->device, &build.cost);
    build.micro_batches = cfg->training.global_batch / cfg->training.micro_batch / plan->shape.data;
    build.chunk_layers = cfg->model.layers / cfg->parallel.pipeline / cfg->parallel.chunks;
    plan->coupled[SHAPE_TENSOR] = llm_build_inside(&build, SHAPE_TENSOR);
    plan->coupled[SHAPE_CONTEXT] = llm_build_inside(&build, SHAPE_CONTEXT);
    plan->coupled[SHAPE_EXPERT] = llm_build_inside(&build, SHAPE_EXPERT);
    const struct store_need need = llm_need(cfg);
    for (build.stage = 0; build.stage < plan->shape.pipeline; build.stage++) {
        build.last_reduce = -1;
        store_plan_begin(&cfg->store, &need, plan, build.stage);
        if (cfg->parallel.shard == LLM_SHARD_PARAMETERS)
            for (int64_t m = 0; m < build.micro_batches; m++)
                add_sharded(&build);
        else
            add_pipeline(&build);
        if (!cfg->training.overlap_gradients && cfg->parallel.shard != LLM_SHARD_PARAMETERS)
            add_late_reduction(&build);
        add_end(&build);
    }
}
