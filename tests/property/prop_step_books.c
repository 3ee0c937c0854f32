/* prop_step_books.c - training steps of random jobs (step_random.h): every run ends; each step's
 * time is divided without a rest; bytes of each kind are those of the closed forms; no link carries
 * more than it can; the same again gives the same.
 *
 * Closed forms: rings of n ranks, 2 (n - 1) / n of an all-reduce's bytes from each, half of it for
 * a gather or a scatter; activations once per boundary and direction; of an all-to-all (e - 1) / e
 * leave. Narayanan et al., SC'21; Korthikanti et al., MLSys'23. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "tests/property/step_random.h"

#define SEEDS 150

/* ---- time and links -------------------------------------------------------------------------- */

static void look_shares(const struct step_case *at, const struct record *record)
{
    int64_t sum_ps[8] = {0}, end_ps = 0;
    STEP_MUST(at, record->phase_n > 0 && record->phase_n < 8, "%d phases", (int)record->phase_n);
    for (int64_t s = 0; s < record->share_n; s++) {
        STEP_MUST(at, record->shares[s].time_ps > 0, "%s: %" PRId64, record->shares[s].category,
                  record->shares[s].time_ps);
        sum_ps[record->shares[s].phase] += record->shares[s].time_ps;
    }
    for (int64_t p = 0; p < record->phase_n; p++) {
        const struct record_phase *phase = &record->phases[p];
        STEP_MUST(at, sum_ps[p] == phase->end_ps - phase->start_ps,
                  "%s: %" PRId64 " ps, shares %" PRId64, phase->name,
                  phase->end_ps - phase->start_ps, sum_ps[p]);
        STEP_MUST(at, phase->start_ps == end_ps, "%s begins at %" PRId64, phase->name,
                  phase->start_ps);
        end_ps = phase->end_ps;
    }
    STEP_MUST(at, end_ps == record->sim_time_ps, "%" PRId64 ", run %" PRId64, end_ps,
              record->sim_time_ps);
}

/* All links of these clusters have one rate. */
static void look_links(const struct step_case *at, const struct record *record)
{
    double most = (double)at->link_gbps * 1e9 / 8 * units_s(record->sim_time_ps);
    for (int64_t m = 0; m < record->metric_n; m++) {
        const struct record_metric *metric = &record->metrics[m];
        if (strcmp(metric->name, "wire_bytes") != 0) continue;
        STEP_MUST(at, metric->value <= most + 1, "%s carries %g bytes, can %g", metric->entity,
                  metric->value, most);
    }
}

static void books(uint64_t seed)
{
    struct step_case at = step_draw(seed);
    struct record record;
    at.run = "steps: 3";
    if (seed % 3 == 0) at.accelerator = "h100-sxm";
    if (seed % 4 == 0) at.run = "steps: 3, messages_max: 1";
    if (seed % 5 == 0) at.run = "steps: 2, stragglers: [{gpu: 0, slowdown: 1.7}]";
    step_run(&at, &record);
    look_shares(&at, &record);
    look_links(&at, &record);
    record_free(&record);
}

static void step__ends_and_adds_up(void **state)
{
    (void)state;
    step_each(SEEDS, books);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

struct sizes {
    double layer, experts; /* parameters of a layer: not of experts, of all experts */
    double embedding;      /* one of the two */
};

static struct sizes sizes_of(const struct step_case *at)
{
    double h = (double)at->hidden, matrices = at->gated ? 3 : 2;
    return (struct sizes){.layer = 4 * h * h + (at->experts > 0 ? (double)at->experts * h
                                                                : matrices * h * (double)at->ffn),
                          .experts = (double)at->experts * matrices * h * (double)at->expert_ffn,
                          .embedding = (double)at->vocab * h};
}

/* Bytes of the first dimension of a micro-batch's activations on one GPU. */
static double activations(const struct step_case *at)
{
    return (double)(at->micro_batch * at->sequence / at->context) * (double)at->hidden * 2;
}

/* Layer passes of a GPU in a step: each micro-batch goes through each of its layers. */
static double passes(const struct step_case *at)
{
    return (double)at->micro_batches * (double)at->layers / (double)at->pipeline;
}

static double part(int64_t n) /* (n - 1) / n */
{
    return (double)(n - 1) / (double)n;
}

/* A layer forward: two gathers, two scatters (or two all-reduces); as much backward; once more what
 * is computed again, and the inputs of products whose weights have gradients. */
static double tensor_bytes(const struct step_case *at)
{
    double calls = 8;
    if (strcmp(at->recompute, "full") == 0)
        calls += 4;
    else if (at->sequence_parallel && at->adapter_params == 0)
        calls += 2;
    return passes(at) * calls * activations(at) * part(at->tensor);
}

static double context_bytes(const struct step_case *at)
{
    double calls = strcmp(at->recompute, "full") == 0 ? 4 : 3;
    return passes(at) * calls * 2 * activations(at) / (double)at->tensor *
           (double)(at->context - 1);
}

static double expert_bytes(const struct step_case *at)
{
    double calls = strcmp(at->recompute, "full") == 0 ? 6 : 4;
    double each = activations(at) * (double)at->top_k;
    if (at->sequence_parallel) each /= (double)at->tensor;
    return at->experts > 0 ? passes(at) * calls * each * part(at->expert) : 0;
}

static double pipeline_bytes(const struct step_case *at)
{
    double boundaries = (double)(at->pipeline * at->chunks - 1);
    return 2 * boundaries / (double)at->pipeline * (double)at->micro_batches * activations(at) /
           (double)at->tensor;
}

/* All-reduce, or scatter and gather of what is 2 bytes again, mean over the stages. */
static double gradient_bytes(const struct step_case *at)
{
    const struct sizes size = sizes_of(at);
    int64_t replicas = step_data(at) * at->context;
    double shared =
        (double)at->layers * size.layer + (at->tied && at->pipeline == 1 ? 1 : 2) * size.embedding;
    double experts = (double)at->layers * size.experts / (double)at->expert;
    double width = 2 * (double)at->gradient_bytes;
    if (strcmp(at->shard, "optimizer") == 0) width = (double)at->gradient_bytes + 2;
    if (at->adapter_params > 0) {
        shared = (double)at->adapter_params;
        experts = 0;
    }
    return width / (double)(at->tensor * at->pipeline) *
           (shared * part(replicas) + experts * part(replicas / at->expert));
}

/* Gathered forward and backward, gradients scattered, micro-batch by micro-batch. */
static double sharded_bytes(const struct step_case *at)
{
    const struct sizes size = sizes_of(at);
    double params = (double)at->layers * size.layer + (at->tied ? 1 : 2) * size.embedding;
    double trained = at->adapter_params > 0 ? (double)at->adapter_params : params;
    return (4 * params + (double)at->gradient_bytes * trained) / (double)at->tensor *
           part(step_data(at) * at->context) * (double)at->micro_batches;
}

static void must_be(const struct step_case *at, const struct record *record, const char *name,
                    double expected)
{
    double got = step_metric(record, "step", name);
    double off = got < expected ? expected - got : got - expected;
    STEP_MUST(at, off <= 0.001 * expected + 8, "%s: %.0f, closed form %.0f", name, got, expected);
}

static void bytes(uint64_t seed)
{
    struct step_case at = step_draw(seed);
    struct record record;
    at.run = seed % 4 == 0 ? "steps: 2, messages_max: 1" : "steps: 2";
    if (seed % 3 == 0) at.run = "steps: 1";
    step_run(&at, &record);
    if (at.cnn) {
        must_be(&at, &record, "dp_bytes",
                2 * part(step_gpus(&at)) * (double)(at.params * at.gradient_bytes));
    } else {
        bool sharded = strcmp(at.shard, "parameters") == 0;
        must_be(&at, &record, "tp_bytes", tensor_bytes(&at));
        must_be(&at, &record, "cp_bytes", context_bytes(&at));
        must_be(&at, &record, "ep_bytes", expert_bytes(&at));
        must_be(&at, &record, "pp_bytes", pipeline_bytes(&at));
        must_be(&at, &record, "fsdp_bytes", sharded ? sharded_bytes(&at) : 0);
        if (!sharded) must_be(&at, &record, "dp_bytes", gradient_bytes(&at));
    }
    record_free(&record);
}

static void step__bytes_of_the_closed_forms(void **state)
{
    (void)state;
    step_each(SEEDS, bytes);
}

/* ---- the same -------------------------------------------------------------------------------- */

static void again(uint64_t seed)
{
    struct step_case at = step_draw(seed);
    struct record a, b;
    at.run = "steps: 2, stragglers: [{gpu: 0, slowdown: 1.25}]";
    step_run(&at, &a);
    step_run(&at, &b);
    STEP_MUST(&at, a.fingerprint == b.fingerprint && a.sim_time_ps == b.sim_time_ps,
              "%" PRId64 " and %" PRId64 " ps", a.sim_time_ps, b.sim_time_ps);
    STEP_MUST(&at, a.metric_n == b.metric_n, "%d metrics", (int)a.metric_n);
    for (int64_t m = 0; m < a.metric_n; m++)
        STEP_MUST(&at, a.metrics[m].value == b.metrics[m].value, "%s", a.metrics[m].name);
    record_free(&a);
    record_free(&b);
}

static void step__same_again(void **state)
{
    (void)state;
    step_each(SEEDS / 5, again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__ends_and_adds_up),
        cmocka_unit_test(step__bytes_of_the_closed_forms),
        cmocka_unit_test(step__same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
