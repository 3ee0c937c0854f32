/* test_job_closed.c - times of whole steps that can be computed by hand: one GPU, pipelines, slow
 * GPUs, evaluation, time to train. Messages take no time beside compute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step/cnn.h"
#include "models/step/llm.h"
#include "tests/unit/cluster_rig.h"

#define TFLOPS 1e-6 /* a million FLOP a second */

static void assert_near(double got, double expected, double part)
{
    double error = got < expected ? expected - got : got - expected;
    if (error > part * expected) fail_msg("%.12g is not %.12g", got, expected);
}

struct bench {
    struct cluster_rig rig;
    struct collective_facts facts;
    struct device_facts device;
    struct record record;
};

static struct llm_cfg small(void)
{
    return (struct llm_cfg){
        .model = {.layers = 8, .hidden = 64, .ffn = 256, .heads = 4, .vocab = 1, .sequence = 16},
        .parallel =
            {.tensor = 1, .context = 1, .pipeline = 1, .chunks = 1, .expert = 1, .sequence = true},
        .training = {.micro_batch = 1,
                     .global_batch = 8,
                     .gradient_bytes = 2,
                     .bucket_bytes = INT64_C(1) << 40,
                     .overlap_gradients = true},
        .compute = {.gemm = 1, .attention = 1, .memory = 1},
        .job = {.steps = 1, .copies = 1}};
}

static void run_llm(struct bench *bench, const struct llm_cfg *cfg, int64_t nodes, int64_t gpus)
{
    struct err err = {0};
    *bench = (struct bench){.facts = {.slots = 8},
                            .device = {.generation = TUNER_GENERATIONS,
                                       .bf16_tflops = TFLOPS,
                                       .memory_bps = INT64_C(1) << 60}};
    record_init(&bench->record);
    cluster_rig_open(&bench->rig,
                     &(struct cluster_rig_cfg){.nodes = nodes, .gpus = gpus, .ports = gpus});
    const struct job_site site = {
        .cluster = bench->rig.cluster, .facts = &bench->facts, .device = &bench->device};
    const struct job_room room = {nodes * gpus, gpus, site.device, 1e12, 1e12, {0, 0, 0}};
    assert_true(llm_check(cfg, &room, &err));
    const struct job_spec spec = llm_job(cfg, &site, &bench->rig.arena);
    struct jobs *jobs = jobs_new(&cfg->job, &site, &spec);
    jobs_start(jobs);
    assert_int_equal(sim_run(bench->rig.sim, &(struct sim_limits){0}), SIM_DONE);
    jobs_record(jobs, &bench->record);
}

static double run_metric(const struct llm_cfg *cfg, int64_t nodes, int64_t gpus, const char *name)
{
    struct bench bench;
    double value = 0;
    run_llm(&bench, cfg, nodes, gpus);
    assert_true(record_find(&bench.record, "run", name, &value));
    record_free(&bench.record);
    cluster_rig_close(&bench.rig);
    return value;
}

static double run_s(const struct llm_cfg *cfg, int64_t nodes, int64_t gpus)
{
    return run_metric(cfg, nodes, gpus, "step_s");
}

/* A sequence forward: 2 FLOP per parameter and token, and attention: 4 s h, half of it. */
static double forward_s(const struct llm_cfg *cfg)
{
    double s = (double)cfg->model.sequence, h = (double)cfg->model.hidden;
    double layer = 2 * (4 * h * h + 2 * h * (double)cfg->model.ffn) + 4 * s * h / 2;
    return s * (double)cfg->model.layers * layer / (TFLOPS * 1e12);
}
/* Twice that backward; attention 2.5 times. */
static double backward_s(const struct llm_cfg *cfg)
{
    double s = (double)cfg->model.sequence, h = (double)cfg->model.hidden;
    double half = s * (double)cfg->model.layers * 0.5 * 4 * s * h / 2 / (TFLOPS * 1e12);
    return 2 * forward_s(cfg) + half;
}
static double head_s(const struct llm_cfg *cfg)
{
    return 2 * (double)(cfg->model.sequence * cfg->model.hidden * cfg->model.vocab) /
           (TFLOPS * 1e12);
}

static void llm_plan__one_gpu(void **state)
{
    (void)state;
    struct llm_cfg cfg = small();
    cfg.model.vocab = 1000;
    double once_s = forward_s(&cfg) + backward_s(&cfg) + 3 * head_s(&cfg);
    assert_near(run_s(&cfg, 1, 1), 8 * once_s, 1e-9);
    cfg.training.recompute = LLM_FULL;
    assert_near(run_s(&cfg, 1, 1), 8 * (once_s + forward_s(&cfg)), 1e-9);
    cfg.training.recompute = LLM_KEEP;
    cfg.training.micro_batch = 4;
    assert_near(run_s(&cfg, 1, 1), 8 * once_s, 1e-9);
    /* Half of the rate at as many tokens: all products take twice the time. */
    cfg.model.attention = LLM_FLASH;
    cfg.compute.attention = 1e6;
    cfg.compute.half_tokens = 4 * 16;
    double half_s = run_s(&cfg, 1, 1);
    cfg.compute.half_tokens = 0;
    assert_near(half_s, 2 * run_s(&cfg, 1, 1), 1e-5);
}

static void llm_plan__gpus_times_sequences(void **state)
{
    (void)state;
    for (int shard = LLM_REPLICATE; shard <= LLM_SHARD_PARAMETERS; shard++) {
        struct llm_cfg cfg = small();
        cfg.parallel.shard = shard;
        cfg.training.global_batch = 2;
        double one_s = run_s(&cfg, 1, 1);
        cfg.training.global_batch = 2 * 8;
        assert_near(run_s(&cfg, 4, 2), one_s, 1e-3);
    }
}

/* What each forward pass takes beside its work, whatever is sharded. */
static void llm_plan__micro_batch_time(void **state)
{
    (void)state;
    for (int shard = LLM_REPLICATE; shard <= LLM_SHARD_PARAMETERS; shard++) {
        struct llm_cfg cfg = small();
        cfg.parallel.shard = shard;
        double none_s = run_s(&cfg, 2, 1);
        cfg.compute.micro_batch_ps = PS_PER_S;
        assert_near(run_s(&cfg, 2, 1), none_s + 4, 1e-5);
    }
}

/* m micro-batches through p stages of v parts: (m + (p - 1) / v) / m of the time without bubble. */
static void llm_plan__pipelines(void **state)
{
    (void)state;
    static const struct {
        int64_t pipeline, chunks, micro_batches;
    } rows[] = {{2, 1, 1}, {2, 1, 5}, {4, 1, 2}, {4, 1, 9}, {8, 1, 8}, {2, 2, 2},
                {2, 4, 6}, {4, 2, 8}, {8, 1, 3}, {2, 2, 8}, {4, 2, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct llm_cfg cfg = small();
        cfg.model.layers = 16;
        cfg.parallel.pipeline = rows[i].pipeline;
        cfg.parallel.chunks = rows[i].chunks;
        cfg.training.global_batch = rows[i].micro_batches;
        double m = (double)rows[i].micro_batches, p = (double)rows[i].pipeline;
        double once_s = (forward_s(&cfg) + backward_s(&cfg)) / p;
        assert_near(run_s(&cfg, rows[i].pipeline, 1),
                    once_s * (m + (p - 1) / (double)rows[i].chunks), 1e-3);
    }
}

/* Slow GPUs of two stages, in rows of the sequence that are not the same: as context parallelism
 * meets in every layer, both stages are slow for all. */
static void jobs_new__stragglers_hold_their_groups_up(void **state)
{
    (void)state;
    static const struct job_straggler slow[] = {{0, 2}, {3, 2}};
    struct llm_cfg cfg = small();
    cfg.parallel.pipeline = cfg.parallel.context = 2;
    double none_s = run_s(&cfg, 1, 4);
    cfg.job.stragglers = (struct schema_list){2, slow};
    assert_near(run_s(&cfg, 1, 4), 2 * none_s, 1e-3);
    cfg.job.stragglers.n = 1;
    assert_true(run_s(&cfg, 1, 4) < 1.99 * none_s);
}

/* 10 of 2 sequences a time on 2 replicas are 3 rounds; and through 2 stages one more. */
static void llm_job__evaluation(void **state)
{
    (void)state;
    struct llm_cfg cfg = small();
    cfg.model.vocab = 1000;
    cfg.training.micro_batch = 2;
    cfg.training.evaluation_sequences = 10;
    cfg.training.evaluations = 7;
    cfg.training.steps = 100;
    double step_s = run_s(&cfg, 2, 1), got_s = run_metric(&cfg, 2, 1, "time_to_train_s");
    double round_s = 2 * (forward_s(&cfg) + head_s(&cfg));
    assert_near(got_s, 100 * step_s + 7 * 3 * round_s, 1e-9);
    cfg.compute.micro_batch_ps = PS_PER_S;
    step_s = run_s(&cfg, 2, 1);
    got_s = run_metric(&cfg, 2, 1, "time_to_train_s");
    assert_near(got_s, 100 * step_s + 7 * 3 * (round_s + 1), 1e-9);
    cfg.parallel.pipeline = 2;
    step_s = run_s(&cfg, 4, 1);
    got_s = run_metric(&cfg, 4, 1, "time_to_train_s");
    double evaluation_s = (3 + 1) * (forward_s(&cfg) + 1) + 3 * 2 * head_s(&cfg);
    assert_near(got_s, 100 * step_s + 7 * evaluation_s, 1e-9);
    cfg.training.evaluation_sequences = 0;
    assert_near(run_metric(&cfg, 4, 1, "time_to_train_s"), 100 * step_s, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llm_plan__one_gpu),
        cmocka_unit_test(llm_plan__gpus_times_sequences),
        cmocka_unit_test(llm_plan__micro_batch_time),
        cmocka_unit_test(llm_plan__pipelines),
        cmocka_unit_test(jobs_new__stragglers_hold_their_groups_up),
        cmocka_unit_test(llm_job__evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
