/* test_llm.c - closed forms of a training step: sizes, bytes of each kind, bubble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step/cnn.h"
#include "models/step/cost.h"
#include "models/step/llm.h"
#include "tests/unit/cluster_rig.h"

#define MICRO_FLOP_S 1e-6 /* TFLOP/s: so slow that messages take no time beside it */

static void assert_near(double got, double expected, double within)
{
    double error = got < expected ? expected - got : got - expected;
    if (error > within) fail_msg("%.12g is not %.12g", got, expected);
}

static const struct llm_cfg llama = {
    .model = {.layers = 80,
              .hidden = 8192,
              .ffn = 28672,
              .heads = 64,
              .kv_heads = 8,
              .vocab = 32000,
              .sequence = 8192,
              .gated = true},
    .parallel =
        {.tensor = 4, .context = 1, .pipeline = 1, .chunks = 1, .expert = 1, .sequence = true},
    .training = {.micro_batch = 1, .global_batch = 8, .adapter_params = 44564480},
    .compute = {.gemm = 1, .attention = 1, .memory = 1},
    .job = {.steps = 1, .copies = 1},
};

/* A small model on whatever the test says, the rest as it must be. */
static struct llm_cfg small(void)
{
    struct llm_cfg cfg = llama;
    cfg.model = (struct llm_model){
        .layers = 8, .hidden = 64, .ffn = 256, .heads = 4, .vocab = 1, .sequence = 16};
    cfg.parallel.tensor = 1;
    cfg.training = (struct llm_training){.micro_batch = 1,
                                         .global_batch = 8,
                                         .gradient_bytes = 2,
                                         .bucket_bytes = INT64_C(1) << 40,
                                         .overlap_gradients = true};
    return cfg;
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static void llm_size__llama2_70b(void **state)
{
    (void)state;
    struct llm_size size;
    llm_size(&llama, &size);
    assert_int_equal(size.layer_params, 855638016);
    assert_int_equal(size.params, 68975329280); /* 68.98 billion, without norms */
    /* LoRA: 4 per parameter that is multiplied, 6 per one of the adapters, attention */
    double attention = 4.0 * 8192 * 8192 * 80 * 3.5 / 2;
    double dense = size.token_flop - attention;
    assert_near(dense / (double)size.active_params, 4.004, 0.001);
    /* 2.56e15 per sample of 8192 tokens */
    assert_near(size.token_flop * 8192 / 1e15, 2.56, 0.01);
}

static void llm_size__experts_count_all_and_active(void **state)
{
    (void)state;
    struct llm_cfg cfg = small();
    struct llm_size size;
    cfg.model.experts = 8;
    cfg.model.top_k = 2;
    cfg.model.expert_ffn = 128;
    cfg.model.ffn = 0;
    llm_size(&cfg, &size);
    int64_t attention = 4 * 64 * 64, expert = 2 * 64 * 128, router = 8 * 64;
    assert_int_equal(size.layer_params, attention + router);
    assert_int_equal(size.expert_params, 8 * expert);
    assert_int_equal(size.active_params, 8 * (attention + router + 2 * expert) + 64);
}

static void cost_of__tensor_parallel_bytes_of_llama(void **state)
{
    (void)state;
    const struct shape shape = {.tensor = 4, .context = 1, .data = 2, .pipeline = 1, .expert = 1};
    const struct device_facts device = {.bf16_tflops = 1, .memory_bps = 1};
    struct cost cost;
    cost_of(&llama, &shape, &device, &cost);
    /* 8 times b s h * 2 bytes per layer, of which 3/4 leave a GPU: 64.4 GB */
    int64_t bytes = 80 * (cost.forward.tensor_sent + cost.backward.tensor_sent);
    assert_int_equal(bytes, INT64_C(80) * 8 * 134217728 * 3 / 4);
    assert_int_equal(cost.forward.tensor_calls, 4);
}

static void cost_of__recompute_adds_to_backward(void **state)
{
    (void)state;
    const struct shape shape = {.tensor = 1, .context = 1, .data = 1, .pipeline = 1, .expert = 1};
    const struct device_facts device = {.bf16_tflops = 1, .memory_bps = INT64_C(1) << 60};
    struct llm_cfg cfg = small();
    struct cost none, full;
    cost_of(&cfg, &shape, &device, &none);
    cfg.training.recompute = LLM_FULL;
    cost_of(&cfg, &shape, &device, &full);
    assert_near(full.backward.compute_s - none.backward.compute_s, none.forward.compute_s, 1e-12);
    /* 6 N of which forward is 2: backward twice forward, attention 2.5 times */
    assert_true(none.backward.compute_s > 2 * none.forward.compute_s);
    assert_true(none.backward.compute_s < 2.5 * none.forward.compute_s);
}

/* ---- steps ----------------------------------------------------------------------------------- */

struct bench {
    struct cluster_rig rig;
    struct collective_facts facts;
    struct device_facts device;
    struct jobs *jobs;
    struct record record;
};

static struct job_site open_site(struct bench *bench, int64_t nodes, int64_t gpus)
{
    *bench = (struct bench){
        .facts = {.slots = 8},
        .device = {.generation = TUNER_GENERATIONS,
                   .bf16_tflops = MICRO_FLOP_S,
                   .memory_bps = INT64_C(1) << 60},
    };
    record_init(&bench->record);
    cluster_rig_open(&bench->rig,
                     &(struct cluster_rig_cfg){.nodes = nodes, .gpus = gpus, .ports = gpus});
    return (struct job_site){
        .cluster = bench->rig.cluster, .facts = &bench->facts, .device = &bench->device};
}

static void run_jobs(struct bench *bench, const struct job_cfg *cfg, const struct job_site *site,
                     const struct job_spec *spec)
{
    bench->jobs = jobs_new(cfg, site, spec);
    jobs_start(bench->jobs);
    assert_int_equal(sim_run(bench->rig.sim, &(struct sim_limits){0}), SIM_DONE);
    assert_string_equal(jobs_waits_for(bench->jobs, &bench->rig.arena), "");
    jobs_record(bench->jobs, &bench->record);
}

static void run_llm(struct bench *bench, const struct llm_cfg *cfg, int64_t nodes, int64_t gpus)
{
    struct err err = {0};
    const struct job_site site = open_site(bench, nodes, gpus);
    const struct job_room room = {nodes * gpus, gpus, site.device, 1e12, 1e12, {0, 0, 0}};
    assert_true(llm_check(cfg, &room, &err));
    const struct job_spec spec = llm_job(cfg, &site, &bench->rig.arena);
    run_jobs(bench, &cfg->job, &site, &spec);
}

static double metric(const struct bench *bench, const char *entity, const char *name)
{
    double value = 0;
    record_find(&bench->record, entity, name, &value);
    return value;
}

static void close_bench(struct bench *bench)
{
    record_free(&bench->record);
    cluster_rig_close(&bench->rig);
}

/* (p - 1) / (m v + p - 1) */
static void llm_plan__bubble(void **state)
{
    (void)state;
    static const struct {
        int64_t chunks, batch;
        double bubble;
    } rows[] = {{1, 8, 3.0 / 11}, {1, 4, 3.0 / 7}, {2, 8, 3.0 / 19}, {2, 4, 3.0 / 11}};
    for (int i = 0; i < 4; i++) {
        struct bench bench;
        struct llm_cfg cfg = small();
        cfg.parallel.pipeline = 4;
        cfg.parallel.chunks = rows[i].chunks;
        cfg.training.global_batch = rows[i].batch;
        run_llm(&bench, &cfg, 2, 2);
        double share = metric(&bench, "step", "bubble_s") / metric(&bench, "run", "step_s");
        assert_near(share, rows[i].bubble, 0.001);
        close_bench(&bench);
    }
}

/* Gathered forward, gathered backward, reduced: 3 * 2 P * (n - 1) / n per GPU. */
static void llm_plan__sharded_parameters_bytes(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    struct llm_size size;
    cfg.parallel.shard = LLM_SHARD_PARAMETERS;
    cfg.parallel.prefetch = 1;
    llm_size(&cfg, &size);
    run_llm(&bench, &cfg, 4, 2);
    assert_near(metric(&bench, "step", "fsdp_bytes"), 3 * 2 * (double)size.params * 7 / 8, 1);
    /* compute hides all but the first gather and the last reduction */
    assert_true(metric(&bench, "step", "fsdp_s") < 0.001 * metric(&bench, "run", "step_s"));
    close_bench(&bench);
}

/* The same, in few long messages along the rails and inside the nodes. */
static void llm_plan__sharded_parameters_bytes_in_bulk(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    struct llm_size size;
    cfg.parallel.shard = LLM_SHARD_PARAMETERS;
    cfg.parallel.prefetch = 1;
    cfg.job.messages_max = 1;
    llm_size(&cfg, &size);
    run_llm(&bench, &cfg, 4, 2);
    double bytes = 3 * 2 * (double)size.params * 7 / 8;
    assert_near(metric(&bench, "step", "fsdp_bytes"), bytes, bytes / 1000);
    close_bench(&bench);
}

/* An all-reduce of the adapters' gradients: 2 (n - 1) / n * 2 bytes each, on every tensor rank. */
static void llm_plan__adapter_gradient_bytes(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    cfg.parallel.tensor = 2;
    cfg.training.adapter_params = 8000;
    run_llm(&bench, &cfg, 4, 2);
    assert_near(metric(&bench, "step", "dp_bytes"), 2 * 3.0 / 4 * 8000 * 2 / 2, 1);
    close_bench(&bench);
}

/* Gradients reduced and scattered, parameters gathered: as much as one all-reduce. */
static void llm_plan__sharded_optimizer_bytes(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    struct llm_size size;
    cfg.parallel.shard = LLM_SHARD_OPTIMIZER;
    cfg.training.bucket_bytes = 100000;
    llm_size(&cfg, &size);
    run_llm(&bench, &cfg, 4, 2);
    double bytes = 2 * 2 * (double)size.params * 7 / 8;
    assert_near(metric(&bench, "step", "dp_bytes"), bytes, 100);
    close_bench(&bench);
}

/* Four exchanges per layer and micro-batch, of top_k tokens each, (e - 1) / e of them leave. */
static void llm_plan__expert_bytes(void **state)
{
    (void)state;
    for (int64_t gpus = 2; gpus <= 8; gpus *= 4) { /* between nodes; inside one */
        struct bench bench;
        struct llm_cfg cfg = small();
        cfg.model.experts = 8;
        cfg.model.top_k = 2;
        cfg.model.expert_ffn = 64;
        cfg.parallel.expert = 8;
        run_llm(&bench, &cfg, 8 / gpus, gpus);
        assert_near(metric(&bench, "step", "ep_bytes"), 4 * 8 * (16 * 2 * 64 * 2) * 7.0 / 8, 1);
        close_bench(&bench);
    }
}

/* A GPU that is half as fast holds all others up. */
static void jobs_new__straggler(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    const struct job_straggler slow = {.gpu = 3, .slowdown = 2};
    run_llm(&bench, &cfg, 4, 2);
    double alone_s = metric(&bench, "run", "step_s");
    close_bench(&bench);
    cfg.job.stragglers = (struct schema_list){1, &slow};
    run_llm(&bench, &cfg, 4, 2);
    assert_near(metric(&bench, "run", "step_s") / alone_s, 2, 0.001);
    assert_true(metric(&bench, "step", "skew_s") > 0.4 * metric(&bench, "run", "step_s"));
    close_bench(&bench);
}

/* In bulk, too, nobody has what a late rank has not sent. */
static void jobs_new__straggler_in_bulk(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    const struct job_straggler slow = {.gpu = 3, .slowdown = 2};
    cfg.parallel.shard = LLM_SHARD_PARAMETERS;
    cfg.training.global_batch = 12;
    cfg.job.messages_max = 1;
    cfg.job.stragglers = (struct schema_list){1, &slow};
    run_llm(&bench, &cfg, 12, 1);
    assert_true(metric(&bench, "step", "skew_s") > 0.4 * metric(&bench, "run", "step_s"));
    assert_true(metric(&bench, "step", "fsdp_s") < 0.01 * metric(&bench, "run", "step_s"));
    close_bench(&bench);
}

static void jobs_new__two_jobs_side_by_side(void **state)
{
    (void)state;
    for (int scattered = 0; scattered < 2; scattered++) {
        struct bench bench;
        struct llm_cfg cfg = small();
        cfg.job.copies = 2;
        cfg.job.scattered = scattered;
        cfg.training.global_batch = 4;
        run_llm(&bench, &cfg, 4, 2);
        assert_true(metric(&bench, "run", "gpus") == 4);
        assert_near(metric(&bench, "job/0", "step_s"), metric(&bench, "job/1", "step_s"), 1e-6);
        close_bench(&bench);
    }
}

static void jobs_record__shares_add_up(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    cfg.parallel.pipeline = 2;
    cfg.job.steps = 3;
    run_llm(&bench, &cfg, 2, 2);
    assert_int_equal(bench.record.phase_n, 3);
    int64_t sum_ps[3] = {0};
    for (int64_t i = 0; i < bench.record.share_n; i++)
        sum_ps[bench.record.shares[i].phase] += bench.record.shares[i].time_ps;
    for (int i = 0; i < 3; i++)
        assert_int_equal(sum_ps[i],
                         bench.record.phases[i].end_ps - bench.record.phases[i].start_ps);
    close_bench(&bench);
}

/* Two chunks a stage: what is not overlapped begins when the second has had its backward pass. */
static void llm_plan__late_reduction_follows_all_chunks(void **state)
{
    (void)state;
    struct bench bench;
    struct llm_cfg cfg = small();
    cfg.parallel.pipeline = cfg.parallel.chunks = 2;
    cfg.training.overlap_gradients = false;
    const struct job_site site = open_site(&bench, 2, 2);
    struct plan plan = {.arena = &bench.rig.arena};
    llm_plan(&cfg, &site, &plan);
    for (int32_t stage = 0; stage < 2; stage++) {
        const struct plan_list *compute = &plan.stage[stage].stream[PLAN_COMPUTE];
        const struct plan_list *reduce = &plan.stage[stage].stream[PLAN_REDUCE];
        int64_t last = 0;
        for (int64_t i = 0; i < compute->n; i++)
            if (strcmp(compute->op[i].name, "backward") == 0) last = i;
        assert_int_equal(reduce->n, 2);
        for (int64_t i = 0; i < reduce->n; i++) {
            assert_int_equal(reduce->op[i].after_stream, PLAN_COMPUTE);
            assert_true(reduce->op[i].after_op >= last);
        }
    }
    close_bench(&bench);
}

static void llm_check__names_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        int64_t gpus, batch, tensor, expert, chunks;
        const char *text;
    } rows[] = {{16, 8, 1, 1, 1, "C091: 1 job of 16 GPUs: the topology has 8 GPUs"},
                {0, 8, 3, 1, 1, "C092: 8 GPUs are no multiple of tensor * context * pipeline = 6"},
                {0, 40000000, 1, 1, 1, "C110: a step of 10000000 micro-batches through 2 parts"},
                {0, 9, 1, 1, 1, "C093: a global batch of 9 is no multiple of micro_batch * data"},
                {0, 12, 1, 1, 2, "C093: with chunks > 1 the micro-batches of a step (3)"},
                {0, 8, 1, 3, 1, "C094: context * data = 4 ranks are no multiple of expert = 3"}};
    const struct device_facts device = {.bf16_tflops = 1, .memory_bps = INT64_C(1) << 40};
    const struct job_room room = {8, 8, &device, 1e12, 1e12, {0, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        struct llm_cfg cfg = small();
        cfg.parallel.pipeline = 2;
        cfg.parallel.gpus = rows[i].gpus;
        cfg.parallel.tensor = rows[i].tensor;
        cfg.parallel.expert = rows[i].expert;
        cfg.parallel.chunks = rows[i].chunks;
        cfg.training.global_batch = rows[i].batch;
        assert_false(llm_check(&cfg, &room, &err));
        assert_non_null(strstr(err.messages[0], rows[i].text));
        err_free(&err);
    }
}

static void jobs_check__nodes_and_stragglers(void **state)
{
    (void)state;
    struct err err = {0};
    const struct job_straggler slow = {.gpu = 16, .slowdown = 2};
    struct job_cfg cfg = {.steps = 1, .copies = 2, .scattered = true};
    const struct job_room room = {.gpus = 24, .node_gpus = 8};
    assert_true(jobs_check(&cfg, 8, "workload.gpus", &room, &err));
    assert_false(jobs_check(&cfg, 4, "workload.gpus", &room, &err));
    cfg.stragglers = (struct schema_list){1, &slow};
    assert_false(jobs_check(&cfg, 8, "workload.gpus", &room, &err));
    assert_non_null(strstr(err.messages[0], "C098: run.scattered: 4 GPUs do not fill nodes of 8"));
    assert_non_null(
        strstr(err.messages[1], "C099: run.stragglers: no job runs on GPU 16, only on 0 to 15"));
    err_free(&err);
}

/* Compute at 10 samples of 10 is 1 + half / batch; buckets are hidden but for the last. */
static void cnn_job__overlaps_gradients(void **state)
{
    (void)state;
    struct bench bench;
    const struct cnn_cfg cfg = {.params = 1000,
                                .global_batch = 80,
                                .gradient_bytes = 2,
                                .buckets = 4,
                                .sample_gflop = 0.001,
                                .forward = 0.5,
                                .efficiency = 1,
                                .half_samples = 5,
                                .overlap_gradients = true,
                                .job = {.steps = 1, .copies = 1}};
    const struct job_site site = open_site(&bench, 4, 2);
    const struct job_spec spec = cnn_job(&cfg, &site, &bench.rig.arena);
    run_jobs(&bench, &cfg.job, &site, &spec);
    assert_near(metric(&bench, "step", "compute_s"), 10 * 1e6 / 1e6 * 1.5, 1e-6);
    assert_near(metric(&bench, "step", "dp_bytes"), 2 * 7.0 / 8 * 2000, 1);
    assert_true(metric(&bench, "step", "dp_s") < 2e-6);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llm_size__llama2_70b),
        cmocka_unit_test(llm_size__experts_count_all_and_active),
        cmocka_unit_test(cost_of__tensor_parallel_bytes_of_llama),
        cmocka_unit_test(cost_of__recompute_adds_to_backward),
        cmocka_unit_test(llm_plan__bubble),
        cmocka_unit_test(llm_plan__sharded_parameters_bytes),
        cmocka_unit_test(llm_plan__sharded_parameters_bytes_in_bulk),
        cmocka_unit_test(llm_plan__adapter_gradient_bytes),
        cmocka_unit_test(llm_plan__sharded_optimizer_bytes),
        cmocka_unit_test(llm_plan__expert_bytes),
        cmocka_unit_test(jobs_new__straggler),
        cmocka_unit_test(jobs_new__straggler_in_bulk),
        cmocka_unit_test(jobs_new__two_jobs_side_by_side),
        cmocka_unit_test(jobs_record__shares_add_up),
        cmocka_unit_test(llm_plan__late_reduction_follows_all_chunks),
        cmocka_unit_test(llm_check__names_what_does_not_fit),
        cmocka_unit_test(jobs_check__nodes_and_stragglers),
        cmocka_unit_test(cnn_job__overlaps_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
