/* step_random.h - for property tests: random jobs that train step by step on random small clusters,
 * as the two files that a user would write, and run as `railsim run` does.
 *
 * Sizes are powers of two, so that most ways of dividing a job fit. The accelerator is one that
 * NCCL's tuner knows nothing of (always rings), unless a test wants it otherwise: the choice of an
 * algorithm may jump where nothing else does. cmocka.h is included before. */
#ifndef RAILSIM_TESTS_STEP_RANDOM_H
#define RAILSIM_TESTS_STEP_RANDOM_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/app/point.h"
#include "sim/engine/rng.h"
#include "tests/property/draw.h"

#define STEP_EVENTS_MAX 20000000

/* struct step_case: what the two files say. Text is a literal or lives in an arena. */
struct step_case {
    uint64_t seed;
    /* topology */
    const char *accelerator, *network; /* network: the section, and anything else of a topology */
    int64_t units, unit_nodes, gpus, uplink_share;
    int64_t link_gbps, kernel_ns; /* kernel: time of a launch */
    bool only_bytes;              /* collectives take what their bytes take, and nothing else */
    /* workload */
    bool cnn;
    int64_t layers, hidden, ffn, heads, vocab, sequence, experts, top_k, expert_ffn;
    bool gated, tied, unfused;
    int64_t tensor, context, pipeline, chunks, expert, job_gpus, prefetch;
    bool sequence_parallel, data_outermost;
    const char *shard, *recompute;
    int64_t micro_batch, micro_batches, adapter_params, gradient_bytes, bucket_bytes;
    bool overlap;
    int64_t tensor_overlap_percent, context_overlap_percent;
    int64_t buckets, params; /* cnn */
    const char *run;         /* entries of the section `run` */
    const char *training;    /* more entries of `training` */
};

static inline int64_t step_gpus(const struct step_case *at)
{
    return at->job_gpus > 0 ? at->job_gpus : at->units * at->unit_nodes * at->gpus;
}
static inline int64_t step_data(const struct step_case *at)
{
    return step_gpus(at) / (at->tensor * at->context * at->pipeline);
}
static inline int64_t step_batch(const struct step_case *at)
{
    return at->micro_batch * at->micro_batches * (at->cnn ? step_gpus(at) : step_data(at));
}

/* ---- drawing --------------------------------------------------------------------------------- */

static inline int64_t step_from(struct rng *rng, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(rng, (uint64_t)(high - low + 1));
}
/* A power of two up to most. */
static inline int64_t step_power(struct rng *rng, int64_t most)
{
    int n = 0;
    while (INT64_C(2) << n <= most)
        n++;
    return INT64_C(1) << rng_below(rng, (uint64_t)n + 1);
}

static inline void step_draw_cluster(struct step_case *at, struct rng *rng)
{
    at->accelerator = "mi300x";
    at->network = "";
    at->units = step_power(rng, 2);
    at->unit_nodes = step_power(rng, 4);
    at->gpus = step_power(rng, 8);
    at->uplink_share = 1;
    at->link_gbps = step_from(rng, 1, 8) * 50;
    at->kernel_ns = draw_coin(rng) ? 0 : step_from(rng, 1, 20000);
}

static inline void step_draw_model(struct step_case *at, struct rng *rng)
{
    at->heads = step_power(rng, 16);
    at->hidden = at->heads * 64;
    at->ffn = at->hidden * step_from(rng, 1, 4);
    at->vocab = step_from(rng, 1, 40) * 256;
    at->sequence = 256 * step_power(rng, 8);
    at->gated = draw_coin(rng);
    at->tied = draw_coin(rng);
    at->unfused = draw_coin(rng);
    if (draw_coin(rng)) return;
    at->experts = 8 * step_power(rng, 4);
    at->top_k = step_from(rng, 1, 4);
    at->expert_ffn = at->hidden / 2;
}

static inline void step_draw_division(struct step_case *at, struct rng *rng)
{
    int64_t left = step_gpus(at);
    at->tensor = step_power(rng, left < 8 ? left : 8);
    left /= at->tensor;
    at->context = draw_coin(rng) ? 1 : step_power(rng, left < 4 ? left : 4);
    left /= at->context;
    at->pipeline = draw_coin(rng) ? 1 : step_power(rng, left < 4 ? left : 4);
    left /= at->pipeline;
    at->chunks = at->pipeline > 1 && draw_coin(rng) ? step_from(rng, 2, 3) : 1;
    at->expert = 1;
    if (at->experts > 0)
        at->expert = step_power(rng, left * at->context < 8 ? left * at->context : 8);
    at->layers = at->pipeline * at->chunks * step_from(rng, 1, 3);
    at->data_outermost = draw_coin(rng);
    at->sequence_parallel = draw_coin(rng);
    at->shard = draw_coin(rng) ? "nothing" : "optimizer";
    if (at->pipeline == 1 && at->experts == 0 && draw_coin(rng)) at->shard = "parameters";
    at->prefetch = step_from(rng, 0, 3);
    at->tensor_overlap_percent = draw_coin(rng) ? 0 : step_from(rng, 0, 100);
    at->context_overlap_percent = draw_coin(rng) ? 0 : step_from(rng, 0, 100);
}

static inline void step_draw_training(struct step_case *at, struct rng *rng)
{
    static const char *const recompute[] = {"none", "selective", "full"};
    at->micro_batch = step_power(rng, 2);
    at->micro_batches = at->chunks > 1 ? at->pipeline * step_from(rng, 1, 3) : step_from(rng, 1, 6);
    at->recompute = recompute[rng_below(rng, 3)];
    at->gradient_bytes = draw_coin(rng) ? 2 : 4;
    at->bucket_bytes = INT64_C(1) << step_from(rng, 18, 26);
    at->overlap = draw_coin(rng);
    if (rng_below(rng, 5) == 0) at->adapter_params = at->layers * at->tensor * 256;
    at->run = "";
    at->training = "";
}

/* step_draw draws a case; another seed, another one. */
static inline struct step_case step_draw(uint64_t seed)
{
    struct step_case at = {.seed = seed};
    struct rng rng = rng_stream(seed, "step");
    step_draw_cluster(&at, &rng);
    step_draw_model(&at, &rng);
    step_draw_division(&at, &rng);
    step_draw_training(&at, &rng);
    at.cnn = rng_below(&rng, 6) == 0;
    at.params = step_from(&rng, 1, 60) * 1000000;
    at.buckets = step_from(&rng, 1, 8);
    if (at.cnn) at.tensor = at.context = at.pipeline = at.chunks = at.expert = 1;
    return at;
}

/* ---- writing --------------------------------------------------------------------------------- */

static inline const char *step_yes(bool yes)
{
    return yes ? "true" : "false";
}

static inline const char *step_topology(struct arena *arena, const struct step_case *at)
{
    return arena_printf(
        arena,
        "node: {gpus: %" PRId64 ", accelerator: %s}\n"
        "fabric: {kind: rail, scalable_units: %" PRId64 ", nodes_per_unit: %" PRId64
        ", rails: %" PRId64 ", leaves_per_unit: %" PRId64 ", spines: 1, oversubscription: %" PRId64
        ", link_rate: %" PRId64 "Gbps%s}\n"
        "collectives: {simple: {launch: %" PRId64 "ns%s}}\n"
        "storage: {client: {kind: local}}\n%s\n",
        at->gpus, at->accelerator, at->units, at->unit_nodes, at->gpus, at->gpus, at->uplink_share,
        at->link_gbps,
        at->only_bytes
            ? ", link_delay: 0ns, link_length: 0m, uplink_length: 0m, switch_latency: 0ns"
            : "",
        at->only_bytes ? 0 : at->kernel_ns, at->only_bytes ? ", nvlink: 0ns, net: 0ns" : "",
        at->network);
}

static inline const char *step_model(struct arena *arena, const struct step_case *at)
{
    const char *experts = "";
    if (at->experts > 0)
        experts =
            arena_printf(arena, ", experts: %" PRId64 ", top_k: %" PRId64 ", expert_ffn: %" PRId64,
                         at->experts, at->top_k, at->expert_ffn);
    return arena_printf(
        arena,
        "model: {layers: %" PRId64 ", hidden: %" PRId64 ", ffn: %" PRId64 ", heads: %" PRId64
        ", vocab: %" PRId64 ", sequence: %" PRId64 ", gated: %s, tied: %s, attention: %s%s}\n",
        at->layers, at->hidden, at->ffn, at->heads, at->vocab, at->sequence, step_yes(at->gated),
        step_yes(at->tied), at->unfused ? "unfused" : "flash", experts);
}

static inline const char *step_workload(struct arena *arena, const struct step_case *at)
{
    if (at->cnn)
        return arena_printf(arena,
                            "kind: cnn\nparams: %" PRId64 "\nglobal_batch: %" PRId64
                            "\ngpus: %" PRId64 "\ngradient_bytes: %" PRId64 "\nbuckets: %" PRId64
                            "\nsample_gflop: 24.6\nefficiency: 40%%\noverlap_gradients: %s\n"
                            "run: {%s}\n",
                            at->params, step_batch(at), at->job_gpus, at->gradient_bytes,
                            at->buckets, step_yes(at->overlap), at->run);
    const char *parallel =
        arena_printf(arena,
                     "parallel: {gpus: %" PRId64 ", tensor: %" PRId64 ", context: %" PRId64
                     ", pipeline: %" PRId64 ", chunks: %" PRId64 ", expert: %" PRId64
                     ", sequence: %s, data_outermost: %s, shard: %s, prefetch: %" PRId64
                     ", tensor_overlap: %" PRId64 "%%, context_overlap: %" PRId64 "%%}\n",
                     at->job_gpus, at->tensor, at->context, at->pipeline, at->chunks, at->expert,
                     step_yes(at->sequence_parallel), step_yes(at->data_outermost), at->shard,
                     at->prefetch, at->tensor_overlap_percent, at->context_overlap_percent);
    const char *training =
        arena_printf(arena,
                     "training: {micro_batch: %" PRId64 ", global_batch: %" PRId64
                     ", adapter_params: %" PRId64 ", gradient_bytes: %" PRId64 ", bucket: %" PRId64
                     "B, overlap_gradients: %s, recompute: %s%s}\n",
                     at->micro_batch, step_batch(at), at->adapter_params, at->gradient_bytes,
                     at->bucket_bytes, step_yes(at->overlap), at->recompute, at->training);
    return arena_printf(arena, "kind: llm\n%s%s%srun: {%s}\n", step_model(arena, at), parallel,
                        training, at->run);
}

/* STEP_MUST fails with the two files of a case, by which it can be run by hand. */
#define STEP_MUST(at, condition, ...)                                                              \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            struct arena text_ = {0};                                                              \
            print_error("seed %" PRIu64 ": " #condition "\n---\n%s---\n%s---\n", (at)->seed,       \
                        step_topology(&text_, at), step_workload(&text_, at));                     \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

/* ---- running --------------------------------------------------------------------------------- */

static inline const char *step_file(struct arena *arena, const char *text)
{
    char *name = arena_strdup(arena, "/tmp/prop_step.XXXXXX");
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return name;
}

/* step_run_how fills record, which the caller frees; sees the run's status itself. */
static inline void step_run_how(const struct step_case *at, const char *set, struct record *record)
{
    struct arena arena = {0};
    struct err err = {0};
    const char *const sets[] = {set};
    const struct point point = {.topology = step_file(&arena, step_topology(&arena, at)),
                                .workload = step_file(&arena, step_workload(&arena, at)),
                                .sets = sets,
                                .set_n = set != NULL,
                                .seed = at->seed,
                                .limits = {.max_events = STEP_EVENTS_MAX}};
    struct point_config config;
    bool ok = point_load(&arena, &point, &config, &err);
    unlink(point.topology);
    unlink(point.workload);
    if (!ok) err_print(&err, stderr);
    STEP_MUST(at, ok, "a case that does not fit");
    point_run(&config, point.seed, &point.limits, record);
    err_free(&err);
    arena_free(&arena);
}

/* step_run: the run must end well. */
static inline void step_run(const struct step_case *at, struct record *record)
{
    step_run_how(at, NULL, record);
    STEP_MUST(at, strcmp(record->status, "ok") == 0, "%s: %s", record->status, record->message);
}

static inline double step_metric(const struct record *record, const char *entity, const char *name)
{
    double value = 0;
    record_find(record, entity, name, &value);
    return value;
}

/* step_s returns the time of a step of a case. */
static inline double step_s(const struct step_case *at)
{
    struct record record;
    step_run(at, &record);
    double time_s = step_metric(&record, "run", "step_s");
    record_free(&record);
    return time_s;
}

static inline void step_each(uint64_t n, void (*law)(uint64_t seed))
{
    uint64_t at[2];
    draw_seeds(n, at);
    for (; at[0] <= at[1]; at[0]++)
        law(at[0]);
}

#endif
