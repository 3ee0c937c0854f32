/* prop_step_order.c - what must not make a training step of a random job (step_random.h) longer, or
 * shorter: slow GPUs, faster networks, overlap, company.
 *
 * Orders that are exact on paper are held to SLACK here: flows that meet at other moments share a
 * link in another way, by which the last of them may end a little later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/property/step_random.h"

#define SEEDS 12
#define SLACK 1.05
#define BUCKET_MIN (INT64_C(1) << 25)

static void must_order(const struct step_case *at, const char *what, double less, double more)
{
    STEP_MUST(at, less <= more * SLACK, "%s: %.9g s must not be more than %.9g s (%+.2f %%)", what,
              less, more, (less / more - 1) * 100);
}

static struct step_case draw(uint64_t seed)
{
    struct step_case at = step_draw(seed);
    at.run = "steps: 2";
    return at;
}

/* A GPU that computes f times slower: not shorter, at most f times as long. */
static void straggler(uint64_t seed)
{
    static const char *const runs[] = {"steps: 2, stragglers: [{gpu: 0, slowdown: 1.5}]",
                                       "steps: 2, stragglers: [{gpu: 0, slowdown: 3}]"};
    struct step_case at = draw(seed);
    double none_s = step_s(&at);
    at.run = runs[0];
    double some_s = step_s(&at);
    at.run = runs[1];
    double more_s = step_s(&at);
    must_order(&at, "none, 1.5", none_s, some_s);
    must_order(&at, "1.5, 3", some_s, more_s);
    must_order(&at, "1.5, at most", some_s, 1.5 * none_s);
    must_order(&at, "3, at most", more_s, 3 * none_s);
}

static void step__straggler(void **state)
{
    (void)state;
    step_each(SEEDS, straggler);
}

/* All GPUs slow: as if compute took so much longer, and never shorter than one slow GPU. */
static void stragglers(uint64_t seed)
{
    struct step_case at = draw(seed);
    struct arena arena = {0};
    const char *list = "";
    at.run = "steps: 2, stragglers: [{gpu: 0, slowdown: 2}]";
    double one_s = step_s(&at);
    for (int64_t gpu = 0; gpu < step_gpus(&at); gpu++)
        list =
            arena_printf(&arena, "%s%s{gpu: %d, slowdown: 2}", list, gpu > 0 ? ", " : "", (int)gpu);
    at.run = arena_printf(&arena, "steps: 2, stragglers: [%s]", list);
    /* Rings in which one comes late run in waves, by which they may take longer than together. */
    must_order(&at, "one, all", one_s, 1.2 * step_s(&at));
    arena_free(&arena);
}

static void step__all_stragglers(void **state)
{
    (void)state;
    step_each(SEEDS, stragglers);
}

static void network(uint64_t seed)
{
    struct step_case slow = draw(seed), fast = slow;
    fast.link_gbps *= 2;
    double slow_s = step_s(&slow), fast_s = step_s(&fast);
    must_order(&fast, "twice the rate", fast_s, slow_s);
    must_order(&fast, "half the rate, at most twice", slow_s, 2 * fast_s);
}

static void step__faster_network(void **state)
{
    (void)state;
    step_each(SEEDS, network);
}

static void overlap(uint64_t seed)
{
    struct step_case less = draw(seed), more;
    less.only_bytes = true; /* buckets take more of the rest, and of small ones' rates, than one */
    less.vocab *= 16;
    less.params *= 16;
    if (less.bucket_bytes < BUCKET_MIN) less.bucket_bytes = BUCKET_MIN;
    more = less;
    less.overlap = false;
    more.overlap = true;
    must_order(&more, "gradients", step_s(&more), step_s(&less));
    more = less;
    less.tensor_overlap_percent = 20;
    more.tensor_overlap_percent = 90;
    must_order(&more, "tensor", step_s(&more), step_s(&less));
    more = less;
    less.context_overlap_percent = 20;
    more.context_overlap_percent = 90;
    must_order(&more, "context", step_s(&more), step_s(&less));
    more = less;
    less.prefetch = 0;
    more.prefetch = 2;
    must_order(&more, "prefetch", step_s(&more), step_s(&less));
}

static void step__more_overlap(void **state)
{
    (void)state;
    step_each(SEEDS, overlap);
}

static void work(uint64_t seed)
{
    struct step_case less = draw(seed), more = less;
    more.micro_batches *= 2;
    must_order(&less, "twice the micro-batches", step_s(&less), step_s(&more));
    if (less.cnn) return;
    more = less;
    less.recompute = "none";
    more.recompute = "selective";
    must_order(&more, "recompute selective", step_s(&less), step_s(&more));
    less.recompute = "full";
    must_order(&more, "recompute full", step_s(&more), step_s(&less));
}

static void step__more_work(void **state)
{
    (void)state;
    step_each(SEEDS, work);
}

/* ---- several jobs ---------------------------------------------------------------------------- */

/* Two scalable units, a job for each: their parallel groups never leave their unit. */
static struct step_case draw_half(uint64_t seed)
{
    struct step_case at = step_draw(seed);
    at.units = 2;
    at.unit_nodes = at.unit_nodes < 4 ? 4 : at.unit_nodes;
    at.job_gpus = at.unit_nodes * at.gpus;
    while (at.tensor * at.context * at.pipeline > at.job_gpus || step_data(&at) % at.expert) {
        at.pipeline = at.chunks = at.context = at.expert = 1;
        at.layers = 2;
        if (at.tensor > at.job_gpus) at.tensor = at.job_gpus;
    }
    while (at.experts > 0 && step_data(&at) * at.context % at.expert)
        at.expert /= 2;
    return at;
}

static void side_by_side(uint64_t seed)
{
    struct step_case at = draw_half(seed);
    struct record record;
    at.run = "steps: 2";
    double alone_s = step_s(&at);
    at.run = "steps: 2, copies: 2";
    step_run(&at, &record);
    for (int job = 0; job < 2; job++) {
        double time_s = step_metric(&record, job ? "job/1" : "job/0", "step_s");
        STEP_MUST(&at, time_s > alone_s * (1 - 1e-9) && time_s < alone_s * (1 + 1e-9),
                  "job %d: %.12g s, alone %.12g s", job, time_s, alone_s);
    }
    record_free(&record);
}

static void step__two_jobs_that_share_nothing(void **state)
{
    (void)state;
    step_each(SEEDS, side_by_side);
}

static void scattered(uint64_t seed)
{
    struct step_case at = draw_half(seed);
    at.uplink_share = 4;
    at.run = "steps: 2, copies: 2";
    double near_s = step_s(&at);
    at.run = "steps: 2, copies: 2, scattered: true";
    must_order(&at, "neighbours, scattered", near_s, step_s(&at));
}

static void step__scattered_jobs(void **state)
{
    (void)state;
    step_each(SEEDS, scattered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__straggler),      cmocka_unit_test(step__all_stragglers),
        cmocka_unit_test(step__faster_network), cmocka_unit_test(step__more_overlap),
        cmocka_unit_test(step__more_work),      cmocka_unit_test(step__two_jobs_that_share_nothing),
        cmocka_unit_test(step__scattered_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
