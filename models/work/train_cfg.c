/* train_cfg.c - the keys of a training workload. */
#include "models/work/train.h"

#define AT(member) offsetof(struct train_cfg, member)

static const struct schema_field dataset_fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct dataset_cfg, size_bytes),
     .fallback = "0B",
     .max = "1000PB",
     .help = "Bytes of the data set in storage."},
    {.key = "files",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct dataset_cfg, files),
     .fallback = "1",
     .min = "1",
     .max = "100000000",
     .help = "Files of equal size."},
    {.key = "records",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct dataset_cfg, records),
     .fallback = "0",
     .max = "1000000000000",
     .help = "Samples; 0 = nothing is read while training."},
    {.key = NULL},
};

static void check_dataset(const void *config, struct schema_check *check)
{
    const struct dataset_cfg *cfg = config;
    if (cfg->records > 0 && cfg->size_bytes < cfg->records)
        schema_complain(check, "size", "C010: a data set of less than a byte per record");
    if (cfg->records == 0 && cfg->size_bytes > 0)
        schema_complain(check, "size", "C011: a data set without records is never read");
    if (cfg->size_bytes > 0 && cfg->files > cfg->size_bytes)
        schema_complain(check, "files", "C012: more files than bytes");
}

static const struct schema dataset_schema = {
    .name = "dataset",
    .help = "Training samples in storage.",
    .size = sizeof(struct dataset_cfg),
    .fields = dataset_fields,
    .check = check_dataset,
};

static const struct schema_field load_fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = AT(load.size_bytes) - AT(load),
     .fallback = "0B",
     .max = "1PB",
     .help = "Read by every node before the clock starts."},
    {.key = "files",
     .type = SCHEMA_COUNT,
     .offset = AT(load.files) - AT(load),
     .fallback = "1",
     .min = "1",
     .max = "100000000",
     .help = "Files of equal size."},
    {.key = "streams",
     .type = SCHEMA_COUNT,
     .offset = AT(load.streams) - AT(load),
     .fallback = "8",
     .min = "1",
     .max = "4096",
     .help = "Files read at a time."},
    {.key = NULL},
};
static const struct schema load_schema = {
    .name = "load",
    .help = "The model and whatever else is read before the clock starts.",
    .size = sizeof(((struct train_cfg *)0)->load),
    .fields = load_fields,
};

static const struct schema_field reader_fields[] = {
    {.key = "threads",
     .type = SCHEMA_COUNT,
     .offset = AT(reader.threads) - AT(reader),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Sequential streams per process; there is one process per GPU."},
    {.key = "prefetch",
     .type = SCHEMA_COUNT,
     .offset = AT(reader.prefetch) - AT(reader),
     .fallback = "2",
     .min = "1",
     .max = "100000",
     .help = "Decoded batches kept ahead per process."},
    {.key = "shuffle_records",
     .type = SCHEMA_COUNT,
     .offset = AT(reader.shuffle_records) - AT(reader),
     .fallback = "0",
     .max = "1000000000",
     .help = "Samples in the shuffle buffer of a process."},
    {.key = "decode_rate",
     .type = SCHEMA_REAL,
     .offset = AT(reader.decode_rate) - AT(reader),
     .fallback = "0",
     .max = "1e12",
     .help = "Samples per second that one process decodes; 0 = no limit."},
    {.key = "decoded_cache",
     .type = SCHEMA_SIZE,
     .offset = AT(reader.decoded_cache_bytes) - AT(reader),
     .fallback = "0B",
     .max = "1PB",
     .help = "Memory for decoded samples per process, reused from the second epoch on."},
    {.key = "decoded_size",
     .type = SCHEMA_SIZE,
     .offset = AT(reader.decoded_record_bytes) - AT(reader),
     .fallback = "150528B",
     .min = "1B",
     .max = "1TB",
     .help = "Size of a decoded sample.",
     .source = "224 x 224 x 3 B image"},
    {.key = NULL},
};
static const struct schema reader_schema = {
    .name = "reader",
    .help = "The data loader: one process per GPU.",
    .size = sizeof(((struct train_cfg *)0)->reader),
    .fields = reader_fields,
};

static const struct schema_field step_fields[] = {
    {.key = "compute",
     .type = SCHEMA_TIME,
     .offset = AT(step.compute_ps) - AT(step),
     .min = "1ns",
     .max = "1h",
     .help = "Time of one step without waiting for data."},
    {.key = "batch_per_gpu",
     .type = SCHEMA_COUNT,
     .offset = AT(step.batch_per_gpu) - AT(step),
     .fallback = "1",
     .min = "1",
     .max = "1000000000",
     .help = "Samples per GPU and step."},
    {.key = NULL},
};
static const struct schema step_schema = {
    .name = "step",
    .help = "One training step.",
    .size = sizeof(((struct train_cfg *)0)->step),
    .fields = step_fields,
};

static const struct schema_field all_reduce_fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = AT(all_reduce.size_bytes) - AT(all_reduce),
     .fallback = "0B",
     .max = "100TB",
     .help = "Gradient bytes that every GPU reduces per step."},
    {.key = "overlap",
     .type = SCHEMA_FRACTION,
     .offset = AT(all_reduce.overlap) - AT(all_reduce),
     .fallback = "100%",
     .max = "100%",
     .help = "Part of it that is hidden behind compute (or contained in step.compute)."},
    {.key = NULL},
};
static const struct schema all_reduce_schema = {
    .name = "all_reduce",
    .help = "The gradient all-reduce, as 2 (n-1)/n * size / rate of a GPU's link.",
    .size = sizeof(((struct train_cfg *)0)->all_reduce),
    .fields = all_reduce_fields,
};

static const struct schema_field evaluation_fields[] = {
    {.key = "dataset",
     .type = SCHEMA_SECTION,
     .offset = AT(evaluation.dataset) - AT(evaluation),
     .section = &dataset_schema,
     .help = "Samples of the evaluation."},
    {.key = "compute",
     .type = SCHEMA_TIME,
     .offset = AT(evaluation.compute_ps) - AT(evaluation),
     .fallback = "0s",
     .max = "100h",
     .help = "Time of one evaluation without waiting for data."},
    {.key = "after_epochs",
     .type = SCHEMA_COUNTS,
     .offset = AT(evaluation.after_epochs) - AT(evaluation),
     .fallback = "[]",
     .min = "1",
     .help = "Epochs after which it runs."},
    {.key = "after_steps",
     .type = SCHEMA_COUNTS,
     .offset = AT(evaluation.after_steps) - AT(evaluation),
     .fallback = "[]",
     .min = "1",
     .help = "Steps (of the whole run) after which it runs."},
    {.key = NULL},
};
static const struct schema evaluation_schema = {
    .name = "evaluation",
    .help = "Evaluations in the run, on the clock.",
    .size = sizeof(((struct train_cfg *)0)->evaluation),
    .fields = evaluation_fields,
};

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    {.key = "load",
     .type = SCHEMA_SECTION,
     .offset = AT(load),
     .section = &load_schema,
     .help = "What is read before the clock starts."},
    {.key = "dataset",
     .type = SCHEMA_SECTION,
     .offset = AT(dataset),
     .section = &dataset_schema,
     .help = "Training samples in storage."},
    {.key = "reader",
     .type = SCHEMA_SECTION,
     .offset = AT(reader),
     .section = &reader_schema,
     .help = "The data loader: one process per GPU."},
    {.key = "step",
     .type = SCHEMA_SECTION,
     .offset = AT(step),
     .section = &step_schema,
     .help = "One training step."},
    {.key = "all_reduce",
     .type = SCHEMA_SECTION,
     .offset = AT(all_reduce),
     .section = &all_reduce_schema,
     .help = "The gradient all-reduce."},
    {.key = "evaluation",
     .type = SCHEMA_SECTION,
     .offset = AT(evaluation),
     .section = &evaluation_schema,
     .help = "Evaluations in the run, on the clock."},
    {.key = "checkpoint",
     .type = SCHEMA_SECTION,
     .offset = AT(checkpoint),
     .section = &checkpoint_schema,
     .help = "Checkpoints in the run, on the clock."},
    {.key = "epochs",
     .type = SCHEMA_COUNT,
     .offset = AT(epochs),
     .fallback = "1",
     .min = "1",
     .max = "1000000",
     .help = "Passes over the data set."},
    {.key = "steps",
     .type = SCHEMA_COUNT,
     .offset = AT(steps),
     .fallback = "0",
     .max = "1000000000",
     .help = "Steps per epoch; 0 = records / (GPUs x batch_per_gpu), rounded up."},
    {.key = "startup",
     .type = SCHEMA_TIME,
     .offset = AT(startup_ps),
     .fallback = "0s",
     .max = "100h",
     .help = "From the start of the clock to the first step, and gaps."},
    {.key = "serial_operations",
     .type = SCHEMA_COUNT,
     .offset = AT(serial_operations),
     .fallback = "0",
     .max = "1000000000",
     .help = "Round trips to storage one after another in the run (metadata, logs, page faults), "
             "spread evenly over the steps."},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct train_cfg *cfg = config;
    if (cfg->dataset.records == 0 && cfg->steps == 0)
        schema_complain(check, "steps", "C013: without a data set the number of steps is needed");
    if (cfg->checkpoint.every_steps > 0 && cfg->checkpoint.size_bytes < cfg->checkpoint.files)
        schema_complain(check, "checkpoint", "C014: checkpoints of less than a byte per file");
    if (cfg->load.size_bytes > 0 && cfg->load.size_bytes < cfg->load.files)
        schema_complain(check, "load", "C015: less than a byte per file");
    struct file_set sets[TRAIN_SETS_MAX];
    if (!cache_holds(sets, train_sets(cfg, sets)))
        schema_complain(check, cache_holds(&sets[TRAIN_SET_DATA], 1) ? "checkpoint" : "dataset",
                        "C141: the files of data sets, load and checkpoint are more than 2^31 "
                        "blocks of 4 MiB (9 PB, if files are large): smaller ones, or fewer files");
    for (int64_t i = 0; i < cfg->evaluation.after_epochs.n; i++)
        if (cfg->evaluation.after_epochs.value[i] > cfg->epochs)
            schema_complain(check, "evaluation", "C016: an evaluation after epoch %lld of %lld",
                            (long long)cfg->evaluation.after_epochs.value[i],
                            (long long)cfg->epochs);
}

const struct schema train_schema = {
    .name = "training",
    .help = "A training job: loader, steps, evaluations, checkpoints.",
    .size = sizeof(struct train_cfg),
    .fields = fields,
    .check = check,
};

/* ---- what it reads and writes ---------------------------------------------------------------- */

static struct file_set describe(int64_t size_bytes, int64_t files)
{
    int64_t file_bytes = files > 0 ? (size_bytes + files - 1) / files : 0;
    if (file_bytes > 0) files = (size_bytes + file_bytes - 1) / file_bytes;
    return (struct file_set){
        .files = size_bytes > 0 ? files : 0, .file_bytes = file_bytes, .total_bytes = size_bytes};
}

int train_sets(const struct train_cfg *cfg, struct file_set *sets)
{
    sets[TRAIN_SET_LOAD] = describe(cfg->load.size_bytes, cfg->load.files);
    sets[TRAIN_SET_DATA] = describe(cfg->dataset.size_bytes, cfg->dataset.files);
    sets[TRAIN_SET_EVALUATION] =
        describe(cfg->evaluation.dataset.size_bytes, cfg->evaluation.dataset.files);
    sets[TRAIN_SET_CHECKPOINT] = describe(cfg->checkpoint.size_bytes, cfg->checkpoint.files);
    return TRAIN_SETS_MAX;
}
