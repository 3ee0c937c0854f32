/* llm_plan.c - the operations of a step, stage by stage: forward and backward of micro-batches in
 * the order of the pipeline, and the communication between them.
 *
 * The one idea: communication inside an NVLink domain shares its links with nobody else, so it is
 * a time: bytes / rate + software. What leaves the domain is left to the executor, message by
 * message.
 * - pipeline: one forward, one backward (1F1B); with chunks each stage has several parts of the
 *   model, which take turns (interleaved 1F1B). Narayanan et al., SC'21, section 2.2.
 * - gradients: in the backward pass of the last micro-batch, bucket by bucket, beside compute.
 * - sharded parameters (FSDP, ZeRO-3): gathered layer by layer ahead of compute, forward and again
 *   backward; gradients reduced and scattered. Zhao et al., VLDB'23.
 * - sharded optimiser (ZeRO-1): gradients reduced and scattered, parameters gathered at the end.
 * NOT modelled: the all-reduce of tied embeddings between first and last stage; activations that do
 * not fit; the check of gradient norms but for its meeting of all ranks.
 */
#include "models/step/cost.h"
#include "models/step/llm.h"

/* struct build: a plan in the making, for one stage at a time. */
struct build {
    const struct llm_cfg *cfg;
    const struct job_site *site;
    struct plan *plan;
    struct llm_size size;
    struct cost cost;
    int32_t stage;
    int64_t micro_batches, chunk_layers;
    struct plan_op wait; /* after_stream, after_op for the next operation of compute */
    int64_t last_reduce; /* of the stage's reduce stream; -1 = none */
};

static int64_t ps_of(double seconds)
{
    return (int64_t)(seconds * 1e12);
}

static int64_t add(struct build *build, struct plan_op op)
{
    op.after_stream = build->wait.after_stream;
    op.after_op = build->wait.after_op;
    build->wait = PLAN_OP_NONE;
    return plan_add(build->plan, build->stage, PLAN_COMPUTE, &op);
}

static int64_t add_busy(struct build *build, const char *name, enum exec_category category,
                        double seconds)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_BUSY;
    op.category = (int8_t)category;
    op.name = name;
    op.duration_ps = ps_of(seconds);
    return add(build, op);
}

static struct plan_op collective(const char *name, enum exec_category category,
                                 enum shape_group group, enum coll_op op, int64_t bytes)
{
    struct plan_op made = PLAN_OP_NONE;
    made.kind = EXEC_COLLECTIVE;
    made.category = (int8_t)category;
    made.group = (int8_t)group;
    made.op = (int8_t)op;
    made.name = name;
    made.bytes = bytes;
    return made;
}

/* ---- communication inside a layer ------------------------------------------------------------ */

/* Whether the groups of a kind stay inside NVLink domains. */
static bool inside(const struct build *build, enum shape_group kind)
{
    const struct shape *shape = &build->plan->shape;
    int64_t domain = cluster_facts(build->site->cluster)->domain;
    int64_t span = shape->tensor;
    if (shape_size(shape, kind) == 1) return true;
    if (kind == SHAPE_CONTEXT) span *= shape->context;
    if (kind == SHAPE_EXPERT) {
        span *= shape->expert;
        if (shape->data_outermost && shape->pipeline > 1 && shape->expert > shape->context)
            return false;
    }
    return span <= domain && domain % span == 0;
}

/* sent: bytes that a GPU sends, in so many collectives. */
static void add_local(struct build *build, const char *name, enum exec_category category,
                      const struct plan_op *of, double calls)
{
    const struct collective_cost *cost = &build->site->facts->cost[COLL_SIMPLE];
    int64_t ranks = shape_size(&build->plan->shape, (enum shape_group)of->group);
    double rate = (double)cluster_facts(build->site->cluster)->link_bps;
    double software = calls * (double)(cost->launch_ps + (ranks - 1) * cost->nvlink_ps) / 1e12;
    double shown = category == EXEC_TP   ? 1 - build->cfg->parallel.tensor_overlap
                   : category == EXEC_CP ? 1 - build->cfg->parallel.context_overlap
                                         : 1;
    if (of->bytes == 0) return;
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_BUSY;
    op.category = (int8_t)category;
    op.name = name;
    op.bytes = of->bytes;
    op.duration_ps = ps_of(shown * ((double)of->bytes * 8 / rate + software));
    add(build, op);
}

static void add_tensor(struct build *build, const struct cost_pass *pass, int64_t layers)
{
    int64_t tensor = build->plan->shape.tensor, sent = pass->tensor_sent * layers;
    if (tensor == 1) return;
    if (inside(build, SHAPE_TENSOR)) {
        add_local(build, "tensor", EXEC_TP, &(struct plan_op){.group = SHAPE_TENSOR, .bytes = sent},
                  (double)(pass->tensor_calls * layers));
        return;
    }
    /* as all-reduces, of twice the bytes of a gather */
    int64_t each = pass->tensor_sent / (tensor - 1) * tensor / 4;
    for (int64_t i = 0; i < 2 * layers; i++)
        add(build, collective("tensor", EXEC_TP, SHAPE_TENSOR, COLL_ALL_REDUCE, each));
}

static void add_context(struct build *build, const struct cost_pass *pass, int64_t layers)
{
    int64_t context = build->plan->shape.context;
    if (context == 1) return;
    if (inside(build, SHAPE_CONTEXT)) {
        int64_t sent = pass->context_bytes / context * (context - 1) * layers;
        add_local(build, "context", EXEC_CP,
                  &(struct plan_op){.group = SHAPE_CONTEXT, .bytes = sent},
                  (double)((context - 1) * layers));
        return;
    }
    for (int64_t i = 0; i < layers; i++)
        add(build,
            collective("context", EXEC_CP, SHAPE_CONTEXT, COLL_ALL_GATHER, pass->context_bytes));
}

/* Tokens go to their experts, or come back. */
static void add_exchange(struct build *build, const struct cost_pass *pass, int64_t layers)
{
    int64_t expert = build->plan->shape.expert;
    if (expert == 1) return;
    if (inside(build, SHAPE_EXPERT)) {
        int64_t sent = pass->expert_bytes / expert * (expert - 1) * layers;
        add_local(build, "experts", EXEC_EP,
                  &(struct plan_op){.group = SHAPE_EXPERT, .bytes = sent}, (double)layers);
        return;
    }
    for (int64_t i = 0; i < layers; i++)
        add(build,
            collective("experts", EXEC_EP, SHAPE_EXPERT, COLL_ALL_TO_ALL, pass->expert_bytes));
}

/* ---- layers ---------------------------------------------------------------------------------- */

/* add_layers appends so many layers; returns the number of the last operation. */
static int64_t add_layers(struct build *build, const char *name, const struct cost_pass *pass,
                          int64_t layers)
{
    bool whole =
        inside(build, SHAPE_TENSOR) && inside(build, SHAPE_CONTEXT) && inside(build, SHAPE_EXPERT);
    int64_t each = whole ? layers : 1;
    for (int64_t i = 0; i < layers; i += each) {
        add_busy(build, name, EXEC_COMPUTE, (double)each * pass->compute_s);
        add_tensor(build, pass, each);
        add_context(build, pass, each);
        add_exchange(build, pass, each);
        if (pass->experts_s > 0)
            add_busy(build, name, EXEC_COMPUTE, (double)each * pass->experts_s);
        add_exchange(build, pass, each);
    }
    return build->plan->stage[build->stage].stream[PLAN_COMPUTE].n - 1;
}

static bool is_last(const struct build *build, int64_t chunk)
{
    return build->stage == build->plan->shape.pipeline - 1 &&
           chunk == build->cfg->parallel.chunks - 1;
}

static bool is_first(const struct build *build, int64_t chunk)
{
    return build->stage == 0 && chunk == 0;
}

/* ---- gradients and sharded parameters -------------------------------------------------------- */

static void add_beside(struct build *build, enum plan_stream stream, struct plan_op op,
                       int64_t after_op)
{
    op.after_stream = PLAN_COMPUTE;
    op.after_op = after_op;
    int64_t at = plan_add(build->plan, build->stage, stream, &op);
    if (stream == PLAN_REDUCE) build->last_reduce = at;
}

static void add_reduction(struct build *build, enum shape_group group, int64_t bytes, int64_t after)
{
    enum coll_op op =
        build->cfg->parallel.shard == LLM_REPLICATE ? COLL_ALL_REDUCE : COLL_REDUCE_SCATTER;
    if (bytes == 0 || shape_size(&build->plan->shape, group) == 1) return;
    add_beside(build, PLAN_REDUCE, collective("gradients", EXEC_DP, group, op, bytes), after);
}

/* Parameters of a chunk that are the same on all replicas, on one GPU. */
static int64_t chunk_params(const struct build *build, int64_t chunk)
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

static int64_t chunk_expert_params(const struct build *build)
{
    const struct shape *shape = &build->plan->shape;
    if (build->cfg->training.adapter_params > 0) return 0;
    return build->chunk_layers * build->size.expert_params / shape->tensor / shape->expert;
}

/* Backward of the last micro-batch: in as many parts as there are buckets. */
static void add_last_backward(struct build *build, int64_t chunk)
{
    const struct llm_training *training = &build->cfg->training;
    int64_t bytes = chunk_params(build, chunk) * training->gradient_bytes;
    int64_t experts = chunk_expert_params(build) * training->gradient_bytes;
    int64_t n =
        training->overlap_gradients ? coll_parts_n(bytes + experts, training->bucket_bytes) : 1;
    if (n > build->chunk_layers) n = build->chunk_layers;
    for (int64_t i = 0; i < n; i++) {
        int64_t layers =
            coll_part((struct coll_range){0, build->chunk_layers}, (int32_t)n, (int32_t)i).bytes;
        int64_t at = add_layers(build, "backward", &build->cost.backward, layers);
        add_reduction(build, SHAPE_REPLICAS, bytes / n, at);
        add_reduction(build, SHAPE_TWINS, experts / n, at);
    }
}

/* The parameters of layer `unit` on one tensor-parallel rank, with those of the embeddings. */
static int64_t unit_bytes(const struct build *build, int64_t unit)
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

static void gather_unit(struct build *build, const struct units *units, int64_t unit)
{
    int64_t back = units->n - build->cfg->parallel.prefetch - 1;
    int64_t after = back >= 0 ? units->last[back] : units->before;
    add_beside(build, PLAN_GATHER,
               collective("parameters", EXEC_FSDP, SHAPE_REPLICAS, COLL_ALL_GATHER,
                          unit_bytes(build, unit)),
               after);
    build->wait.after_stream = PLAN_GATHER;
    build->wait.after_op = build->plan->stage[build->stage].stream[PLAN_GATHER].n - 1;
}

/* A micro-batch with sharded parameters: the last layer is not given back between the passes. */
static void add_sharded(struct build *build)
{
    const struct llm_training *training = &build->cfg->training;
    int64_t layers = build->cfg->model.layers;
    bool many = shape_size(&build->plan->shape, SHAPE_REPLICAS) > 1;
    struct units units = {.last = ARENA_ARRAY(build->plan->arena, int64_t, 2 * layers)};
    units.before = build->plan->stage[build->stage].stream[PLAN_COMPUTE].n - 1;
    for (int64_t u = 0; u < layers; u++) {
        if (many) gather_unit(build, &units, u);
        units.last[units.n++] = add_layers(build, "forward", &build->cost.forward, 1);
    }
    add_busy(build, "head", EXEC_COMPUTE, build->cost.head_forward_s + build->cost.head_backward_s);
    for (int64_t u = layers - 1; u >= 0; u--) {
        if (many) gather_unit(build, &units, u);
        units.last[units.n++] = add_layers(build, "backward", &build->cost.backward, 1);
        if (!many || training->adapter_params > 0) continue;
        add_beside(build, PLAN_REDUCE,
                   collective("gradients", EXEC_FSDP, SHAPE_REPLICAS, COLL_REDUCE_SCATTER,
                              unit_bytes(build, u) / 2 * training->gradient_bytes),
                   units.last[units.n - 1]);
    }
}

/* ---- the pipeline ---------------------------------------------------------------------------- */

static void add_hop(struct build *build, enum exec_kind kind, int32_t hop, int64_t tag)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = (int8_t)kind;
    op.category = EXEC_PP;
    op.name = kind == EXEC_SEND ? "send" : "receive";
    op.bytes = build->cost.activation_bytes;
    op.hop = (int8_t)hop;
    op.tag = tag;
    op.detached = kind == EXEC_SEND;
    add(build, op);
}

static int64_t tag_of(const struct build *build, int64_t micro, int64_t part, bool backward)
{
    return 2 * (part * build->micro_batches + micro) + backward;
}

/* part: number of the chunk in the model; activations go to part + 1, gradients to part - 1. */
static int64_t part_of(const struct build *build, int64_t chunk)
{
    return chunk * build->plan->shape.pipeline + build->stage;
}

static void add_forward(struct build *build, int64_t micro, int64_t chunk)
{
    int64_t part = part_of(build, chunk);
    if (!is_first(build, chunk)) add_hop(build, EXEC_RECV, -1, tag_of(build, micro, part, false));
    add_busy(build, "micro-batch", EXEC_COMPUTE, (double)build->cfg->compute.micro_batch_ps / 1e12);
    add_layers(build, "forward", &build->cost.forward, build->chunk_layers);
    if (is_last(build, chunk))
        add_busy(build, "head", EXEC_COMPUTE, build->cost.head_forward_s);
    else
        add_hop(build, EXEC_SEND, 1, tag_of(build, micro, part + 1, false));
}

static void add_backward(struct build *build, int64_t micro, int64_t chunk)
{
    int64_t part = part_of(build, chunk);
    if (is_last(build, chunk))
        add_busy(build, "head", EXEC_COMPUTE, build->cost.head_backward_s);
    else
        add_hop(build, EXEC_RECV, 1, tag_of(build, micro, part, true));
    if (micro == build->micro_batches - 1)
        add_last_backward(build, chunk);
    else
        add_layers(build, "backward", &build->cost.backward, build->chunk_layers);
    if (!is_first(build, chunk))
        add_hop(build, EXEC_SEND, -1, tag_of(build, micro, part - 1, true));
}

/* The k-th forward or backward of a stage: micro-batches go in groups of `pipeline` through chunk
 * after chunk. */
struct turn {
    int64_t micro, chunk;
};
static struct turn turn_of(const struct build *build, int64_t k, bool backward)
{
    int64_t stages = build->plan->shape.pipeline, chunks = build->cfg->parallel.chunks;
    if (chunks == 1) return (struct turn){k, 0};
    int64_t chunk = k % (stages * chunks) / stages;
    return (struct turn){k / (stages * chunks) * stages + k % stages,
                         backward ? chunks - 1 - chunk : chunk};
}

static void add_pipeline(struct build *build)
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

/* ---- the end of a step ----------------------------------------------------------------------- */

static void add_optimizer(struct build *build)
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
    add_busy(build, "optimizer", EXEC_COMPUTE,
             cost_memory_s(build->cfg, build->site->device,
                           mine * (double)build->cfg->training.optimizer_bytes));
    if (parallel->shard != LLM_SHARD_OPTIMIZER) return;
    if (params > 0 && replicas > 1)
        add(build, collective("parameters", EXEC_DP, SHAPE_REPLICAS, COLL_ALL_GATHER, 2 * params));
    if (experts > 0 && shape_size(shape, SHAPE_TWINS) > 1)
        add(build, collective("parameters", EXEC_DP, SHAPE_TWINS, COLL_ALL_GATHER, 2 * experts));
}

static void add_end(struct build *build)
{
    struct plan_op mark = PLAN_OP_NONE;
    mark.kind = EXEC_MARK;
    mark.category = EXEC_DP;
    mark.name = "gradients";
    if (build->last_reduce >= 0) {
        build->wait.after_stream = PLAN_REDUCE;
        build->wait.after_op = build->last_reduce;
        add(build, mark);
    }
    add_optimizer(build);
    store_plan_end(&build->cfg->store, build->plan, build->stage);
    struct plan_op meet = PLAN_OP_NONE;
    meet.kind = EXEC_MEET;
    meet.category = EXEC_OTHER;
    meet.idle = build->plan->shape.pipeline > 1 ? EXEC_BUBBLE : EXEC_SKEW;
    meet.group = SHAPE_ALL;
    meet.name = "end of step";
    add(build, meet);
}

void llm_plan(const struct llm_cfg *cfg, const struct job_site *site, struct plan *plan)
{
    int64_t gpus = jobs_gpus(&cfg->job, cluster_facts(site->cluster)->gpus, cfg->parallel.gpus);
    struct build build = {.cfg = cfg, .site = site, .plan = plan, .wait = PLAN_OP_NONE};
    plan->shape = llm_shape(cfg, gpus);
    plan->stage = ARENA_ARRAY(plan->arena, struct plan_stage, plan->shape.pipeline);
    llm_size(cfg, &build.size);
    cost_of(cfg, &plan->shape, site->device, &build.cost);
    build.micro_batches = cfg->training.global_batch / cfg->training.micro_batch / plan->shape.data;
    build.chunk_layers = cfg->model.layers / cfg->parallel.pipeline / cfg->parallel.chunks;
    const struct store_need need = llm_need(cfg);
    for (build.stage = 0; build.stage < plan->shape.pipeline; build.stage++) {
        build.last_reduce = -1;
        store_plan_begin(&cfg->store, &need, plan, build.stage);
        if (cfg->parallel.shard == LLM_SHARD_PARAMETERS)
            for (int64_t m = 0; m < build.micro_batches; m++)
                add_sharded(&build);
        else
            add_pipeline(&build);
        add_end(&build);
    }
}
