/* store_cfg.c - keys of a job's storage, what they ask for, and the operations that it adds to a
 * step.
 *
 * Sources: a checkpoint holds per parameter the BF16 weight (2 B), and of Adam the FP32 master
 * weight and two moments (12 B): Rajbhandari et al., ZeRO, SC'20, section 3.1. The sizes of MLPerf
 * Storage v2.0, read as GiB, say the same: 105 GiB for 8.0e9 parameters are 14.0 B each.
 */
#include <inttypes.h>

#include "models/step/store_live.h"

/* ---- keys ------------------------------------------------------------------------------------ */

static const struct schema_field data_fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct store_data, size_bytes),
     .fallback = "0B",
     .max = "1000PB",
     .help = "Bytes of the data set in storage, read over and over; 0 = nothing is read."},
    {.key = "files",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct store_data, files),
     .fallback = "1",
     .min = "1",
     .max = "100000000",
     .help = "Files of equal size."},
    {.key = "sample",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct store_data, sample_bytes),
     .fallback = "0B",
     .max = "1TB",
     .help = "Bytes of a sample; 0 = llm: 4 B per token of a sequence; cnn: 114,660 B.",
     .source = "Megatron-LM, indexed_dataset: int32 for vocabularies from 65,500 on; MLPerf "
               "Storage, resnet50: record_length 114,660"},
    {.key = "prefetch",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct store_data, prefetch),
     .fallback = "2",
     .min = "1",
     .max = "100000",
     .help = "Steps whose samples are read ahead.",
     .source = "PyTorch DataLoader: prefetch_factor 2"},
    {.key = "threads",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct store_data, threads),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Sequential streams of a rank that reads."},
    {.key = NULL},
};
const struct schema store_data_schema = {
    .name = "data",
    .help = "Samples read while training, by one rank of each data-parallel replica.",
    .size = sizeof(struct store_data),
    .fields = data_fields,
};

static const char *const whats[] = {"nothing", "weights", "checkpoint", NULL};
static const char *const pers[] = {"job", "replica", NULL};

static const struct schema_field load_fields[] = {
    {.key = "what",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct store_load, what),
     .fallback = "nothing",
     .words = whats,
     .help = "weights: those of the model; checkpoint: all that a checkpoint holds (a restart)."},
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct store_load, size_bytes),
     .fallback = "0B",
     .max = "1000PB",
     .help = "Its bytes; 0 = weights: 2 B per parameter (cnn: 4 B); checkpoint: checkpoint.size."},
    {.key = "per",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct store_load, per),
     .fallback = "job",
     .words = pers,
     .help = "job: every rank reads an equal part, once in all; replica: every data-parallel "
             "replica reads all of it, each rank its tensor and pipeline part."},
    {.key = NULL},
};
const struct schema store_load_schema = {
    .name = "load",
    .help = "What is read before the first step.",
    .size = sizeof(struct store_load),
    .fields = load_fields,
};

static const struct schema_field checkpoint_fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct checkpoint_cfg, size_bytes),
     .fallback = "0B",
     .max = "1000PB",
     .help = "Bytes of one checkpoint over all ranks; 0 = llm: 14 B per parameter that is trained "
             "(LoRA: adapters only); cnn: 8 B.",
     .source = "ZeRO, SC'20, 3.1: BF16 weight 2, FP32 weight and Adam's moments 12; cnn: FP32 "
               "weight and momentum"},
    CHECKPOINT_FIELDS,
    {.key = NULL},
};
const struct schema store_checkpoint_schema = {
    .name = "checkpoint",
    .help = "Checkpoints of the training state: every rank writes an equal part.",
    .size = sizeof(struct checkpoint_cfg),
    .fields = checkpoint_fields,
};

/* ---- what they ask for ----------------------------------------------------------------------- */

bool store_wanted(const struct store_cfg *cfg)
{
    return cfg->data.size_bytes > 0 || cfg->load.what != STORE_NOTHING ||
           cfg->checkpoint.every_steps > 0;
}

struct store_need store_settle(const struct store_cfg *cfg, const struct store_need *need)
{
    struct store_need settled = *need;
    if (cfg->data.sample_bytes > 0) settled.sample_bytes = cfg->data.sample_bytes;
    if (cfg->checkpoint.size_bytes > 0) settled.checkpoint_bytes = cfg->checkpoint.size_bytes;
    return settled;
}

int64_t store_load_bytes(const struct store_cfg *cfg, const struct store_need *need)
{
    if (cfg->load.what == STORE_NOTHING) return 0;
    if (cfg->load.size_bytes > 0) return cfg->load.size_bytes;
    return cfg->load.what == STORE_WEIGHTS ? need->weights_bytes
                                           : store_settle(cfg, need).checkpoint_bytes;
}

void store_check(const struct store_cfg *cfg, const struct store_need *need, int64_t steps,
                 struct schema_check *check)
{
    const struct store_need settled = store_settle(cfg, need);
    if (cfg->checkpoint.every_steps > steps)
        schema_complain(check, "checkpoint",
                        "C102: a checkpoint every %" PRId64 " steps is never taken in run.steps = "
                        "%" PRId64,
                        cfg->checkpoint.every_steps, steps);
    if (cfg->checkpoint.size_bytes > 0 && cfg->checkpoint.every_steps == 0)
        schema_complain(check, "checkpoint", "C107: without every_steps it is never taken");
    if (cfg->load.size_bytes > 0 && cfg->load.what == STORE_NOTHING)
        schema_complain(check, "load", "C106: a size, but nothing is loaded: give load.what");
    if (cfg->data.size_bytes > 0 && cfg->data.size_bytes / settled.samples < settled.sample_bytes)
        schema_complain(check, "data",
                        "C103: a data set of less than a step's %" PRId64 " samples of %" PRId64
                        " bytes",
                        settled.samples, settled.sample_bytes);
    if (cfg->data.size_bytes > 0 && cfg->data.files > cfg->data.size_bytes)
        schema_complain(check, "data", "C103: more files than bytes");
}

int64_t store_step_bytes(const struct store_cfg *cfg, const struct store_need *need, int64_t data)
{
    return need->samples / data * store_settle(cfg, need).sample_bytes;
}

/* One file for each of n parts. */
struct file_set store_parts(int64_t bytes, int64_t n)
{
    const int64_t file_bytes = (bytes + n - 1) / n;
    return (struct file_set){.files = bytes > 0 ? (bytes + file_bytes - 1) / file_bytes : 0,
                             .file_bytes = file_bytes,
                             .total_bytes = bytes};
}

int store_sets(const struct store_cfg *cfg, const struct store_need *need,
               const struct shape *shape, struct file_set *sets)
{
    int64_t parts = cfg->load.per == STORE_PER_JOB ? shape_ranks(shape)
                                                   : (int64_t)shape->tensor * shape->pipeline;
    sets[STORE_SET_DATA] = store_parts(cfg->data.size_bytes, cfg->data.files);
    sets[STORE_SET_LOAD] = store_parts(store_load_bytes(cfg, need), parts);
    return STORE_SETS;
}

bool store_fits(const struct store_cfg *cfg, const struct store_need *need,
                const struct shape *shape, struct err *err)
{
    const int64_t gpus = shape_ranks(shape);
    struct file_set sets[STORE_SETS] = {{0}};
    const int64_t load_bytes = store_load_bytes(cfg, need);
    if (cfg->checkpoint.every_steps > 0 && store_settle(cfg, need).checkpoint_bytes < gpus)
        return err_key(err, "workload.checkpoint.size",
                       "C104: a checkpoint of less than a byte for each of %" PRId64 " GPUs", gpus);
    if (cfg->load.what != STORE_NOTHING && load_bytes < gpus)
        return err_key(err, "workload.load.size",
                       "C104: a load of less than a byte for each of %" PRId64 " GPUs", gpus);
    if (!cache_holds(sets, store_sets(cfg, need, shape, sets)))
        return err_key(err,
                       sets[STORE_SET_DATA].total_bytes >= sets[STORE_SET_LOAD].total_bytes
                           ? "workload.data.size"
                           : "workload.load.size",
                       "C141: data and load are more than 2^31 blocks of 4 MiB (9 PB, if files are "
                       "large): smaller ones, or fewer files");
    return true;
}

/* Bytes of so many nodes, each with as many as the others. */
static double moving_s(const struct store_way *way, double bytes, double nodes)
{
    double all_s = way->all_bps > 0 ? bytes * 8 / way->all_bps : 0;
    double node_s = way->node_bps > 0 ? bytes * 8 / nodes / way->node_bps : 0;
    return all_s > node_s ? all_s : node_s;
}

struct store_times store_estimate(const struct store_cfg *cfg, const struct store_need *need,
                                  const struct shape *shape, const struct store_way *way,
                                  int64_t steps)
{
    const int64_t ranks = shape_ranks(shape), gpus = way->node_gpus > 0 ? way->node_gpus : 1;
    const double nodes = (double)((ranks + gpus - 1) / gpus);
    const double readers = (double)shape->data < nodes ? (double)shape->data : nodes;
    const struct checkpoint_cfg *checkpoint = &cfg->checkpoint;
    double load_bytes = (double)store_load_bytes(cfg, need);
    if (cfg->load.per == STORE_PER_REPLICA) load_bytes *= (double)shape->data;
    struct store_times times = {.load_s = moving_s(way, load_bytes, nodes)};
    if (cfg->data.size_bytes > 0)
        times.data_s = moving_s(way,
                                (double)need->samples * (double)steps *
                                    (double)store_settle(cfg, need).sample_bytes,
                                readers);
    if (checkpoint->every_steps == 0) return times;
    const double bytes = (double)store_settle(cfg, need).checkpoint_bytes;
    double each_s = moving_s(way, bytes, nodes);
    if (checkpoint->mode == CHECKPOINT_ASYNC)
        each_s += bytes * 8 / (double)ranks / (double)checkpoint->snapshot_bps;
    times.checkpoint_s = each_s * (double)(steps / checkpoint->every_steps);
    return times;
}

/* ---- operations of a step -------------------------------------------------------------------- */

static struct plan_op outside(const char *name, enum store_tag tag)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_OUTSIDE;
    op.category = EXEC_DATA;
    op.name = name;
    op.tag = tag;
    return op;
}

/* The samples of a step are read from when those of the `prefetch`-th step before were taken. */
void store_plan_begin(const struct store_cfg *cfg, const struct store_need *need, struct plan *plan,
                      int32_t stage)
{
    const struct shape *shape = &plan->shape;
    struct plan_op read = outside("read", STORE_READ), take = PLAN_OP_NONE;
    if (cfg->data.size_bytes == 0 || stage > 0) return;
    take.kind = EXEC_MARK;
    take.category = EXEC_DATA;
    take.name = "data";
    take.bytes =
        store_step_bytes(cfg, need, shape->data) / ((int64_t)shape->tensor * shape->context);
    take.after_stream = PLAN_READ;
    take.after_op = 0;
    read.idle = EXEC_DATA;
    read.after_stream = PLAN_COMPUTE;
    read.after_op = plan_add(plan, stage, PLAN_COMPUTE, &take);
    read.after_back = cfg->data.prefetch;
    plan_add(plan, stage, PLAN_READ, &read);
}

void store_plan_end(const struct store_cfg *cfg, struct plan *plan, int32_t stage)
{
    const bool sync = cfg->checkpoint.mode == CHECKPOINT_SYNC;
    struct plan_op halt = outside(sync ? "checkpoint" : "snapshot", sync ? STORE_SYNC : STORE_COPY);
    struct plan_op write = outside("checkpoint", STORE_WRITE);
    if (cfg->checkpoint.every_steps == 0) return;
    halt.every = write.every = cfg->checkpoint.every_steps;
    halt.idle = plan->shape.pipeline > 1 ? EXEC_BUBBLE : EXEC_SKEW;
    write.after_stream = PLAN_COMPUTE;
    write.after_op = plan_add(plan, stage, PLAN_COMPUTE, &halt);
    if (!sync) plan_add(plan, stage, PLAN_STORE, &write);
}
