/* test_memory.c - a GPU's memory against the formulas of the papers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step/memory.h"

static void assert_near(double got, double expected)
{
    double error = got < expected ? expected - got : got - expected;
    if (error > 1e-9 * expected) fail_msg("%.12g is not %.12g", got, expected);
}

/* Two matrices of 4 h, as in Korthikanti et al. */
static struct llm_cfg gpt(void)
{
    return (struct llm_cfg){
        .model = {.layers = 8,
                  .hidden = 64,
                  .ffn = 256,
                  .heads = 4,
                  .vocab = 100,
                  .sequence = 16,
                  .attention = LLM_UNFUSED},
        .parallel = {.tensor = 2, .context = 1, .pipeline = 2, .chunks = 1, .expert = 1},
        .training = {.micro_batch = 1, .global_batch = 8, .gradient_bytes = 2}};
}

static double activations(const struct llm_cfg *cfg)
{
    struct memory memory;
    const struct shape shape = llm_shape(cfg, 8);
    memory_of(cfg, &shape, &memory);
    return memory.activations;
}

/* s b h (10 + 24 / t + 5 a s / (h t)), and what takes away from it; all layers, whatever p is. */
static void memory_of__activations_of_korthikanti(void **state)
{
    (void)state;
    const double sbh = 16 * 64, scores = 5.0 * 4 * 16 / 64, t = 2, layers = 8;
    struct llm_cfg cfg = gpt();
    assert_near(activations(&cfg), layers * sbh * (10 + 24 / t + scores / t));
    cfg.parallel.sequence = true;
    assert_near(activations(&cfg), layers * sbh * (34 / t + scores / t));
    cfg.training.recompute = LLM_SELECTIVE;
    assert_near(activations(&cfg), layers * sbh * 34 / t);
    cfg.parallel.chunks = 2; /* 1 + (p - 1) / (p m) */
    assert_near(activations(&cfg), layers * sbh * 34 / t * (1 + 1.0 / 4));
    cfg.parallel.chunks = 1;
    cfg.training.recompute = LLM_FULL;
    assert_near(activations(&cfg), layers * sbh * 2 / t + sbh * (34 / t + scores / t));
}

/* 2, 2 and 12 bytes of a parameter; ZeRO divides the last by the replicas, then all of them. */
static void memory_of__state_of_zero(void **state)
{
    (void)state;
    struct memory memory;
    struct llm_cfg cfg = gpt();
    cfg.parallel.tensor = cfg.parallel.pipeline = 1;
    cfg.training.global_batch = 8;
    const struct shape shape = llm_shape(&cfg, 8);
    const double params = 8 * (4.0 * 64 * 64 + 2 * 64 * 256) + 2 * 100 * 64;
    memory_of(&cfg, &shape, &memory);
    assert_near(memory_state(&memory), 16 * params);
    cfg.parallel.shard = LLM_SHARD_OPTIMIZER;
    memory_of(&cfg, &shape, &memory);
    assert_near(memory_state(&memory), (4 + 12.0 / 8) * params);
    cfg.parallel.shard = LLM_SHARD_PARAMETERS;
    memory_of(&cfg, &shape, &memory);
    assert_near(memory_state(&memory), 2 * params);
    cfg.training.adapter_params = 800;
    memory_of(&cfg, &shape, &memory);
    assert_near(memory_state(&memory), (2 * params + 14 * 800) / 8);
}

static void llm_check__memory_and_clock(void **state)
{
    (void)state;
    struct err err = {0};
    struct llm_cfg cfg = gpt();
    cfg.compute = (struct llm_compute){.gemm = 1, .attention = 1, .memory = 1};
    cfg.job = (struct job_cfg){.steps = 1, .copies = 1};
    struct device_facts device = {.bf16_tflops = 1, .memory_bps = INT64_C(1) << 40};
    const struct job_room room = {8, 8, &device, 1e12, 1e12, {0, 0, 0}};
    const struct shape shape = llm_shape(&cfg, 8);
    struct memory memory;
    memory_of(&cfg, &shape, &memory);
    device.memory_bytes = (int64_t)memory_state(&memory);
    assert_true(llm_check(&cfg, &room, &err));
    device.memory_bytes--;
    assert_false(llm_check(&cfg, &room, &err));
    assert_non_null(strstr(err.messages[0], "C130: a GPU has 0.0 GB and needs 0.0 GB"));
    assert_non_null(strstr(err.messages[0], "try parallel.shard: optimizer or parameters"));
    device.memory_bytes = 0;
    cfg.compute.micro_batch_ps = INT64_C(200000000000000000); /* 200,000 s, 8 / 2 times and more */
    assert_false(llm_check(&cfg, &room, &err));
    assert_non_null(strstr(err.messages[1], "C108: 1 step of about"));
    err_free(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of__activations_of_korthikanti),
        cmocka_unit_test(memory_of__state_of_zero),
        cmocka_unit_test(llm_check__memory_and_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
