/* cnn.c - the operations of a data-parallel step; keys of the workload kind `cnn`.
 *
 * The one idea: forward, then backward in as many equal parts as there are gradient buckets, each
 * bucket all-reduced beside what is still to be computed (Li et al., VLDB'20). Compute per sample
 * falls with the batch of a GPU: time = flop / (peak * efficiency) * (1 + half / batch).
 * NOT modelled: layers of different sizes; decoding of images (workload kind training has it).
 */
#include "models/step/cnn.h"

#include <inttypes.h>

static double samples_of(const struct cnn_cfg *cfg, int64_t gpus)
{
    return (double)cfg->global_batch / (double)gpus;
}

/* The time of a step's compute on one GPU. */
static double compute_s(const struct cnn_cfg *cfg, const struct device_facts *device, double batch)
{
    double rate = device->bf16_tflops * 1e12 * cfg->efficiency;
    return batch * cfg->sample_gflop * 1e9 / rate * (1 + cfg->half_samples / batch);
}

/* Forward alone, in batches like those of training. */
static double evaluation_s(const struct cnn_cfg *cfg, const struct device_facts *device,
                           int64_t gpus)
{
    double batch = samples_of(cfg, gpus);
    double rounds = (double)coll_parts_n(cfg->evaluation_samples, cfg->global_batch);
    return cfg->evaluation_samples > 0 ? rounds * cfg->forward * compute_s(cfg, device, batch) : 0;
}

static int64_t add_busy(struct plan *plan, const char *name, double seconds)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_BUSY;
    op.category = EXEC_COMPUTE;
    op.name = name;
    op.duration_ps = (int64_t)(seconds * 1e12);
    return plan_add(plan, 0, PLAN_COMPUTE, &op);
}

static void add_bucket(struct plan *plan, int64_t bytes, int64_t after)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_COLLECTIVE;
    op.category = EXEC_DP;
    op.group = SHAPE_REPLICAS;
    op.op = COLL_ALL_REDUCE;
    op.name = "gradients";
    op.bytes = bytes;
    op.after_stream = PLAN_COMPUTE;
    op.after_op = after;
    plan_add(plan, 0, PLAN_REDUCE, &op);
}

static void add_end(const struct cnn_cfg *cfg, struct plan *plan, double optimizer_s)
{
    struct plan_op mark = PLAN_OP_NONE, meet = PLAN_OP_NONE;
    mark.kind = EXEC_MARK;
    mark.category = EXEC_DP;
    mark.name = "gradients";
    mark.after_stream = PLAN_REDUCE;
    mark.after_op = plan->stage[0].stream[PLAN_REDUCE].n - 1;
    if (mark.after_op >= 0) plan_add(plan, 0, PLAN_COMPUTE, &mark);
    add_busy(plan, "optimizer", optimizer_s);
    store_plan_end(&cfg->store, plan, 0);
    meet.kind = EXEC_MEET;
    meet.category = EXEC_OTHER;
    meet.group = SHAPE_ALL;
    meet.name = "end of step";
    plan_add(plan, 0, PLAN_COMPUTE, &meet);
}

#define IMAGE_BYTES 114660 /* mean of ImageNet: MLPerf Storage, resnet50 */
#define WEIGHT_BYTES 4     /* FP32 */
#define TRAINED_BYTES 8    /* in a checkpoint: FP32 weight and momentum */

static struct store_need cnn_need(const struct cnn_cfg *cfg)
{
    return (struct store_need){.sample_bytes = IMAGE_BYTES,
                               .samples = cfg->global_batch,
                               .weights_bytes = cfg->params * WEIGHT_BYTES,
                               .checkpoint_bytes = cfg->params * TRAINED_BYTES};
}

static struct shape cnn_shape(int64_t gpus)
{
    return (struct shape){
        .tensor = 1, .context = 1, .data = (int32_t)gpus, .pipeline = 1, .expert = 1};
}

struct job_spec cnn_job(const struct cnn_cfg *cfg, const struct job_site *site, struct arena *arena)
{
    int64_t gpus = jobs_gpus(&cfg->job, cluster_facts(site->cluster)->gpus, cfg->gpus);
    struct job_spec spec = {.plan.arena = arena};
    struct plan *plan = &spec.plan;
    double step_s = compute_s(cfg, site->device, samples_of(cfg, gpus));
    const struct coll_range all = {0, cfg->params * cfg->gradient_bytes};
    plan->shape = cnn_shape(gpus);
    plan->stage = ARENA_NEW(arena, struct plan_stage);
    const struct store_need need = cnn_need(cfg);
    store_plan_begin(&cfg->store, &need, plan, 0);
    add_busy(plan, "forward", step_s * cfg->forward);
    int64_t last = 0;
    for (int64_t b = 0; b < cfg->buckets; b++) {
        last = add_busy(plan, "backward", step_s * (1 - cfg->forward) / (double)cfg->buckets);
        if (gpus > 1 && cfg->overlap_gradients)
            add_bucket(plan, coll_part(all, (int32_t)cfg->buckets, (int32_t)b).bytes, last);
    }
    if (gpus > 1 && !cfg->overlap_gradients) add_bucket(plan, all.bytes, last);
    add_end(cfg, plan,
            (double)(cfg->params * cfg->optimizer_bytes) * 8 / (double)site->device->memory_bps);
    spec.store = &cfg->store;
    spec.need = need;
    spec.samples = (double)cfg->global_batch;
    spec.step_flop = spec.samples * cfg->sample_gflop * 1e9;
    spec.peak_flop_s = site->device->bf16_tflops * 1e12;
    spec.run_steps = cfg->steps;
    spec.evaluations = cfg->evaluations;
    spec.evaluation_s = evaluation_s(cfg, site->device, gpus);
    return spec;
}

/* About how long a step takes: compute and communication one after the other. */
static double estimate_s(const struct cnn_cfg *cfg, const struct job_room *room, int64_t gpus)
{
    double moved = 2 * (double)cfg->params * (double)cfg->gradient_bytes;
    double touched = (double)cfg->params * (double)cfg->optimizer_bytes;
    return compute_s(cfg, room->device, samples_of(cfg, gpus)) + moved * 8 / room->nic_bps +
           touched * 8 / (double)room->device->memory_bps;
}

bool cnn_check(const struct cnn_cfg *cfg, const struct job_room *room, struct err *err)
{
    int64_t gpus = jobs_gpus(&cfg->job, room->gpus, cfg->gpus);
    double state = (double)cfg->params * (double)(TRAINED_BYTES + cfg->gradient_bytes);
    if (!jobs_check(&cfg->job, cfg->gpus, "workload.gpus", room, err)) return false;
    if (cfg->global_batch % gpus)
        return err_key(err, "workload.global_batch",
                       "C093: a global batch of %" PRId64 " is no multiple of %" PRId64 " GPUs%s",
                       cfg->global_batch, gpus,
                       cfg->gpus > 0 ? "" : " (all that there are; gpus: fewer)");
    if (!jobs_check_clock(&cfg->job, estimate_s(cfg, room, gpus), "workload.sample_gflop", err) ||
        !jobs_check_memory(state, room->device, "parameters, gradients and optimiser", err))
        return false;
    const struct job_spec spec = {
        .plan.shape = cnn_shape(gpus), .store = &cfg->store, .need = cnn_need(cfg)};
    return jobs_check_storage(&cfg->job, &spec, room, err);
}

/* ---- keys ------------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct cnn_cfg, member)
#define COUNT(key_, at, fallback_, min_, max_, help_)                                              \
    {                                                                                              \
        .key = key_, .type = SCHEMA_COUNT, .offset = at, .fallback = fallback_, .min = min_,       \
        .max = max_, .help = help_                                                                 \
    }

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    COUNT("params", AT(params), NULL, "1", "10000000000000", "Parameters."),
    COUNT("global_batch", AT(global_batch), NULL, "1", "1000000000", "Samples of a step."),
    COUNT("gpus", AT(gpus), "0", "0", "1048576",
          "GPUs of a job, from the first on; 0 = all that there are."),
    COUNT("gradient_bytes", AT(gradient_bytes), "2", "1", "8", "Bytes of a gradient on the wire."),
    COUNT("buckets", AT(buckets), "4", "1", "10000", "Parts in which gradients are all-reduced."),
    COUNT("optimizer_bytes", AT(optimizer_bytes), "20", "0", "1000",
          "Memory traffic of the optimiser per parameter."),
    {.key = "sample_gflop",
     .type = SCHEMA_REAL,
     .offset = AT(sample_gflop),
     .min = "0",
     .max = "1000000000",
     .help = "GFLOP of a sample, forward and backward."},
    {.key = "forward",
     .type = SCHEMA_FRACTION,
     .offset = AT(forward),
     .fallback = "33.3%",
     .max = "100%",
     .help = "The part of compute that is forward."},
    {.key = "efficiency",
     .type = SCHEMA_FRACTION,
     .offset = AT(efficiency),
     .min = "0.1%",
     .max = "100%",
     .help = "Compute, as a part of the accelerator's BF16 peak, for large batches."},
    {.key = "half_samples",
     .type = SCHEMA_REAL,
     .offset = AT(half_samples),
     .fallback = "0",
     .max = "1000000000",
     .help = "Samples per GPU at which compute reaches half of efficiency."},
    {.key = "overlap_gradients",
     .type = SCHEMA_BOOL,
     .offset = AT(overlap_gradients),
     .fallback = "true",
     .help = "Gradients are reduced beside the backward pass; false = after it."},
    COUNT("steps", AT(steps), "0", "0", "1000000000",
          "Steps of the whole training, for time_to_train_s (steps, evaluations, load, "
          "checkpoints); 0 = not said."),
    COUNT("evaluations", AT(evaluations), "0", "0", "1000000",
          "Evaluations of the whole training."),
    COUNT("evaluation_samples", AT(evaluation_samples), "0", "0", "1000000000",
          "Samples of an evaluation."),
    STORE_FIELDS(struct cnn_cfg),
    {.key = "run",
     .type = SCHEMA_SECTION,
     .offset = AT(job),
     .section = &job_schema,
     .help = "How often, how many, and what is wrong with some."},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct cnn_cfg *cfg = config;
    const struct store_need need = cnn_need(cfg);
    store_check(&cfg->store, &need, cfg->job.steps, check);
}

const struct schema cnn_schema = {
    .name = "cnn",
    .help = "Data-parallel training steps of a network given by its sizes.",
    .size = sizeof(struct cnn_cfg),
    .fields = fields,
    .check = check,
};
