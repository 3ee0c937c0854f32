/* store.h - what a job that trains step by step wants of storage: samples, weights, checkpoints.
 *
 * A job's ranks read and write through the storage client of their server, so that what they move
 * meets the collectives in NICs and switches, if the topology says so, and on the line.
 * - samples: one rank of each data-parallel replica reads for all of its first stage, `prefetch`
 *   steps ahead; a step begins when its samples are there.
 * - checkpoints: every rank writes an equal part, a file of its own; nothing is written twice.
 *   sync: begins when all ranks have come, and all go on when the last byte is stored. async: they
 *   wait for the checkpoint before, and for a copy in host memory; storing goes on beside training.
 * - weights: read before the first step.
 */
#ifndef RAILSIM_MODELS_STEP_STORE_H
#define RAILSIM_MODELS_STEP_STORE_H

#include "models/step/exec.h"
#include "models/step/plan.h"
#include "models/storage/session.h"
#include "models/work/checkpoint.h"
#include "sim/base/err.h"
#include "sim/base/record.h"

enum store_what { STORE_NOTHING, STORE_WEIGHTS, STORE_CHECKPOINT };
enum store_per { STORE_PER_JOB, STORE_PER_REPLICA };

/* struct store_cfg: the sections data, load, checkpoint of a workload. */
struct store_cfg {
    struct store_data {
        int64_t size_bytes, files, sample_bytes, prefetch, threads;
    } data;
    struct store_load {
        int what, per; /* enum store_what, store_per */
        int64_t size_bytes;
    } load;
    struct checkpoint_cfg checkpoint; /* files is not a key here: one per rank */
};
extern const struct schema store_data_schema, store_load_schema, store_checkpoint_schema;

/* STORE_FIELDS are the rows for a struct `cfg_` with a member `store`. */
#define STORE_FIELDS(cfg_)                                                                         \
    {.key = "data",                                                                                \
     .type = SCHEMA_SECTION,                                                                       \
     .offset = offsetof(cfg_, store.data),                                                         \
     .section = &store_data_schema,                                                                \
     .help = "Samples read while training."},                                                      \
        {.key = "load",                                                                            \
         .type = SCHEMA_SECTION,                                                                   \
         .offset = offsetof(cfg_, store.load),                                                     \
         .section = &store_load_schema,                                                            \
         .help = "What is read before the first step."},                                           \
    {                                                                                              \
        .key = "checkpoint", .type = SCHEMA_SECTION, .offset = offsetof(cfg_, store.checkpoint),   \
        .section = &store_checkpoint_schema, .help = "Checkpoints of the training state."          \
    }

/* struct store_need: what follows from model and batch; keys of store_cfg overrule it. */
struct store_need {
    int64_t sample_bytes;
    int64_t samples;                         /* of a step, of all replicas */
    int64_t weights_bytes, checkpoint_bytes; /* of the whole model */
};

/* store_wanted tells whether storage is used at all. */
bool store_wanted(const struct store_cfg *cfg);
/* store_check complains of keys that do not go together; steps: that are simulated. (C102, C103,
 * C106, C107) */
void store_check(const struct store_cfg *cfg, const struct store_need *need, int64_t steps,
                 struct schema_check *check);
/* store_fits looks whether a job's ranks can divide what it stores, and page caches can know what
 * it reads. (C104, C141) */
bool store_fits(const struct store_cfg *cfg, const struct store_need *need,
                const struct shape *shape, struct err *err);

/* struct store_way: how fast bytes can get to storage and back at most; 0 = nothing limits it. */
struct store_way {
    double all_bps;  /* of all nodes together: the line, the storage */
    double node_bps; /* of a node: its NICs for storage, or its drives */
    int64_t node_gpus;
};
/* struct store_times: what storage takes in a run of so many steps, if that is all it does. */
struct store_times {
    double load_s, data_s, checkpoint_s;
};
/* store_estimate returns about that: bytes at the slowest rate of the way; what page caches save is
 * not known yet. */
struct store_times store_estimate(const struct store_cfg *cfg, const struct store_need *need,
                                  const struct shape *shape, const struct store_way *way,
                                  int64_t steps);

/* store_plan_begin appends the operations with which a step of a stage begins, store_plan_end those
 * between the optimiser and the end of the step. */
void store_plan_begin(const struct store_cfg *cfg, const struct store_need *need, struct plan *plan,
                      int32_t stage);
void store_plan_end(const struct store_cfg *cfg, struct plan *plan, int32_t stage);

/* store_sets describes the files that are read, for page caches; returns how many sets. All copies
 * of a job read the same. */
#define STORE_SETS 2
int store_sets(const struct store_cfg *cfg, const struct store_need *need,
               const struct shape *shape, struct file_set *sets);

/* struct store_site: where a job stores; all of it outlives the store, need is copied. */
struct store_site {
    struct session *const *session; /* [nodes] */
    const struct store_need *need;
    const struct shape *shape;
    const int32_t *gpu; /* [ranks] of the cluster */
    int64_t node_gpus;
    const struct file_set *sets; /* [STORE_SETS] */
    int64_t number;              /* of the job */
};

struct store;
/* store_new makes a job's storage in the simulation's arena. */
struct store *store_new(const struct store_cfg *cfg, const struct store_site *site);
/* store_agent is who does the plan's operations of storage. */
struct exec_agent store_agent(struct store *store);

/* store_load reads what is wanted before the first step, then calls loaded, from a later event;
 * false: nothing is wanted. */
typedef void store_loaded_fn(void *owner);
bool store_load(struct store *store, store_loaded_fn *loaded, void *owner);
/* store_loading tells whether that is under way. */
bool store_loading(const struct store *store);

/* store_read_bytes returns what the servers of the job have read from storage so far. */
int64_t store_read_bytes(const struct store *store);

/* struct store_span: a checkpoint: all ranks have come; the one before was stored, too, so that it
 * began; training went on; all of it was stored. */
struct store_span {
    int64_t came_ps, begin_ps, resume_ps, end_ps; /* 0 = not yet */
};
/* store_spans returns the checkpoints begun so far in *list. */
int64_t store_spans(const struct store *store, const struct store_span **list);
/* store_checkpoint_s returns how long one took, from begin to end; 0 = none has been stored. */
double store_checkpoint_s(const struct store *store);
/* store_record stores sizes and times of what was loaded and stored, as metrics of entity. */
void store_record(const struct store *store, const char *entity, struct record *record);

#endif
