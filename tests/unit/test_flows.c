/* test_flows.c - patterns of traffic: who sends what to whom and when, and what is counted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/work/flows_live.h"
#include "tests/unit/flows_rig.h"

#define US INT64_C(1000000)

/* ---- permutation ------------------------------------------------------------------------------*/

static void permutation__runs_at_line_rate_on_one_switch(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: permutation, size: 1MB", 16, 1);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.stop, SIM_DONE);
    /* 1 MB at 1 GB/s and two links of 1 us */
    assert_int_equal(sim_now_ps(rig.sim), 1000 * US + 2 * US);
    assert_true(flows_rig_metric(&rig, "flows", "done") == 16);
    assert_true(flows_rig_metric(&rig, "flows", "unfinished") == 0);
    assert_true(fabs(flows_rig_metric(&rig, "flows", "slowdown_max") - 1) < 1e-9);
    assert_true(fabs(flows_rig_metric(&rig, "run", "makespan_s") - 1002e-6) < 1e-12);
    assert_true(fabs(flows_rig_metric(&rig, "run", "goodput") - 16 * 8e9 / 1.002) < 1);
    flows_rig_close(&rig);
}

/* Everyone sends once and receives once, nobody from itself or (between leaves) from its leaf. */
static void check_permutation(const struct flows_rig *rig, bool leaves)
{
    int from[FLOWS_RIG_MAX] = {0}, to[FLOWS_RIG_MAX] = {0};
    int32_t number[2 * FLOWS_RIG_MAX] = {0};
    for (int64_t i = 0; i < rig->hosts.n; i++)
        number[rig->endpoint[i]] = (int32_t)i;
    assert_int_equal(rig->fake.log_n, rig->hosts.n);
    for (int m = 0; m < rig->fake.log_n; m++) {
        int32_t src = number[rig->fake.log[m].src], dst = number[rig->fake.log[m].dst];
        from[src]++;
        to[dst]++;
        if (leaves) assert_int_not_equal(rig->edge_of[src], rig->edge_of[dst]);
    }
    for (int64_t i = 0; i < rig->hosts.n; i++) {
        assert_int_equal(from[i], 1);
        assert_int_equal(to[i], 1);
    }
}

static void permutation__is_one(void **state)
{
    (void)state;
    static const int shapes[][2] = {{2, 1}, {3, 1}, {16, 1}, {1, 2}, {5, 2}, {16, 8}, {7, 3}};
    for (unsigned s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (int leaves = 0; leaves <= (shapes[s][1] > 1); leaves++) {
            struct flows_rig rig;
            flows_rig_open(&rig,
                           leaves ? "pattern: permutation, size: 1kB, between: leaves"
                                  : "pattern: permutation, size: 1kB",
                           shapes[s][0], shapes[s][1]);
            flows_rig_fake(&rig);
            flows_rig_run(&rig, NULL);
            check_permutation(&rig, leaves);
            flows_rig_close(&rig);
        }
    }
}

/* Each of the 3 other leaves is as likely: over many endpoints a third each. */
static void permutation__is_random(void **state)
{
    (void)state;
    struct flows_rig rig;
    int64_t turned[4] = {0};
    flows_rig_open(&rig, "pattern: permutation, size: 1kB, between: leaves", 60, 4);
    flows_rig_fake(&rig);
    flows_rig_run(&rig, NULL);
    for (int m = 0; m < rig.fake.log_n; m++) /* nodes: spine, leaf, 60 hosts, leaf, ... */
        turned[((rig.fake.log[m].dst - 1) / 61 - (rig.fake.log[m].src - 1) / 61 + 4) % 4]++;
    assert_int_equal(turned[0], 0);
    for (int t = 1; t < 4; t++)
        assert_in_range(turned[t], 50, 110);
    flows_rig_close(&rig);
}

/* ---- incast -----------------------------------------------------------------------------------*/

static void incast__takes_the_wire_time_of_all(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: incast, size: 100kB, senders: 8, receiver: 3", 16, 1);
    flows_rig_run(&rig, NULL);
    /* 800 kB at 1 GB/s and two links of 1 us */
    assert_in_range(sim_now_ps(rig.sim), 802 * US, 802 * US + 10);
    assert_true(flows_rig_metric(&rig, "flows", "done") == 8);
    assert_true(fabs(flows_rig_metric(&rig, "flows", "slowdown_p50") - 802.0 / 102) < 1e-6);
    assert_true(flows_rig_metric(&rig, "flows/size<=114000", "done") == 8);
    flows_rig_close(&rig);
}

/* With confirm a flow ends when its sender knows: a way back later, which is no slowdown. */
static void incast__confirmed(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: incast, size: 100kB, senders: 1, confirm: true", 16, 1);
    flows_rig_run(&rig, NULL);
    assert_in_range(sim_now_ps(rig.sim), 104 * US, 104 * US + 10);
    assert_true(fabs(flows_rig_metric(&rig, "flows", "slowdown_p50") - 1) < 1e-6);
    flows_rig_close(&rig);
}

static void incast__senders(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int n;
    } cases[] = {{"senders: 0", 31},
                 {"senders: 5", 5},
                 {"senders: 5, choice: random", 5},
                 {"between: leaves", 24},
                 {"between: leaves, senders: 24, choice: random", 24}};
    for (unsigned c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct flows_rig rig;
        char body[128];
        bool seen[FLOWS_RIG_MAX] = {false};
        snprintf(body, sizeof body, "pattern: incast, size: 1kB, receiver: 9, %s", cases[c].body);
        flows_rig_open(&rig, body, 8, 4);
        flows_rig_fake(&rig);
        flows_rig_run(&rig, NULL);
        assert_int_equal(rig.fake.log_n, cases[c].n);
        for (int m = 0; m < rig.fake.log_n; m++) {
            assert_int_equal(rig.fake.log[m].dst, rig.endpoint[9]);
            assert_false(seen[rig.fake.log[m].src]);
            seen[rig.fake.log[m].src] = true;
        }
        flows_rig_close(&rig);
    }
}

/* ---- all-to-all -------------------------------------------------------------------------------*/

static void all_to_all__each_to_each_some_at_a_time(void **state)
{
    (void)state;
    struct flows_rig rig;
    bool seen[16][16] = {{false}};
    flows_rig_open(&rig, "pattern: all-to-all, size: 1kB, ranks: 10, concurrent: 2", 16, 1);
    flows_rig_fake(&rig);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.fake.log_n, 90);
    for (int m = 0; m < 90; m++) {
        bool *pair = &seen[rig.fake.log[m].src - 2][rig.fake.log[m].dst - 2];
        assert_false(*pair);
        *pair = true;
        assert_int_equal(rig.fake.log[m].at_ps, m / 20 * FAKE_PS); /* 2 of each of 10 at a time */
    }
    assert_int_equal(sim_now_ps(rig.sim), 5 * FAKE_PS);
    flows_rig_close(&rig);
}

static void all_to_all__takes_the_wire_time(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: all-to-all, size: 100kB", 8, 1);
    flows_rig_run(&rig, NULL);
    assert_in_range(sim_now_ps(rig.sim), 702 * US, 702 * US + 10); /* (n-1) S/B + alpha */
    flows_rig_close(&rig);
}

/* ---- ring -------------------------------------------------------------------------------------*/

static void ring__closed_form(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: ring, size: 800kB", 8, 1);
    flows_rig_run(&rig, NULL);
    /* 2 (n-1)/n S/B + 2 (n-1) alpha: 1400 us + 14 * 2 us */
    assert_int_equal(sim_now_ps(rig.sim), 1428 * US);
    assert_true(flows_rig_metric(&rig, "flows", "done") == 8 * 14);
    assert_true(flows_rig_metric(&rig, "flows", "bytes") == 14 * 800e3);
    flows_rig_close(&rig);
}

/* A chunk moves on when it has arrived, from each rank to the next, 2(n-1) steps. */
static void ring__steps_follow_each_other(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: ring, size: 1000B, ranks: 4, stride: 2", 8, 1);
    flows_rig_fake(&rig);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.fake.log_n, 4 * 6);
    for (int m = 0; m < 24; m++) {
        int32_t src = rig.fake.log[m].src - 2, dst = rig.fake.log[m].dst - 2;
        assert_int_equal(src % 2, 0);
        assert_int_equal(dst, (src + 2) % 8);
        assert_int_equal(rig.fake.log[m].bytes, 250);
        assert_int_equal(rig.fake.log[m].stream, src / 2);
        assert_int_equal(rig.fake.log[m].at_ps, m / 4 * FAKE_PS);
    }
    flows_rig_close(&rig);
}

static void ring__bytes_add_up_whatever_the_chunks(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int chunks;
    } cases[] = {{"size: 1003B", 7}, {"size: 1003B, chunk: 100B", 11}, {"size: 7B", 7}};
    for (unsigned c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct flows_rig rig;
        char body[128];
        int64_t bytes = 0;
        snprintf(body, sizeof body, "pattern: ring, %s", cases[c].body);
        flows_rig_open(&rig, body, 7, 1);
        flows_rig_fake(&rig);
        flows_rig_run(&rig, NULL);
        assert_int_equal(rig.fake.log_n, cases[c].chunks * 12);
        for (int m = 0; m < rig.fake.log_n; m++)
            bytes += rig.fake.log[m].bytes;
        assert_int_equal(bytes, 12 * rig.cfg->size_bytes);
        flows_rig_close(&rig);
    }
}

/* With stride = ports per node, neighbours of the ring sit on one rail. */
static void ring__stride_wraps_to_the_next_rail(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: ring, size: 1000B, stride: 4", 12, 1);
    flows_rig_fake(&rig);
    flows_rig_run(&rig, NULL);
    static const int32_t order[] = {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11};
    for (int r = 0; r < 12; r++) {
        assert_int_equal(rig.fake.log[r].src - 2, order[r]);
        assert_int_equal(rig.fake.log[r].dst - 2, order[(r + 1) % 12]);
    }
    flows_rig_close(&rig);
}

/* ---- Poisson ----------------------------------------------------------------------------------*/

static void log__is_the_natural_one(void **state)
{
    (void)state;
    struct rng rng = rng_stream(1, "log");
    double most = 0;
    for (int i = 0; i < 100000; i++) {
        double x = i % 2 ? 1 - rng_unit(&rng) : exp(-40 * rng_unit(&rng));
        double off = fabs(flows_sizes_log(x) - log(x));
        double relative = log(x) != 0 ? off / fabs(log(x)) : off;
        if (relative > most) most = relative;
    }
    assert_true(flows_sizes_log(1) == 0);
    assert_true(most < 1e-15);
}

static void gap__is_exponential(void **state)
{
    (void)state;
    struct rng rng = rng_stream(1, "gaps");
    double sum = 0, squares = 0, above = 0;
    const int n = 200000;
    for (int i = 0; i < n; i++) {
        double gap = (double)flows_sizes_gap_ps(&rng, 1e6);
        sum += gap;
        squares += gap * gap;
        above += gap > 2e6;
    }
    assert_true(fabs(sum / n / 1e6 - 1) < 0.01);
    assert_true(fabs(squares / n / 2e12 - 1) < 0.02);
    assert_true(fabs(above / n / exp(-2) - 1) < 0.02);
}

static void poisson__load_sizes_and_pairs(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig,
                   "pattern: poisson, load: 30%, duration: 100s, between: leaves, "
                   "sizes: tests/validation/measured/flow_sizes_fb_hadoop.csv",
                   4, 2);
    flows_rig_fake(&rig);
    flows_rig_run(&rig, &(struct sim_limits){.max_events = 400000});
    /* 0.3 * 8 * 1 GB/s / 120421 B */
    double rate = flows_rig_metric(&rig, "flows", "done") / units_s(sim_now_ps(rig.sim));
    assert_true(fabs(rate / (0.3 * 8e9 / 120421) - 1) < 0.01);
    double mean =
        flows_rig_metric(&rig, "flows", "bytes") / flows_rig_metric(&rig, "flows", "done");
    assert_true(fabs(mean / 120421 - 1) < 0.02);
    assert_true(flows_rig_metric(&rig, "flows", "unfinished") > 0);
    int64_t from[2] = {0};
    for (int m = 0; m < FLOWS_RIG_LOG; m++) {
        assert_int_not_equal(rig.fake.log[m].src / 6, rig.fake.log[m].dst / 6);
        from[rig.fake.log[m].src / 6]++;
    }
    assert_in_range(from[0], FLOWS_RIG_LOG * 2 / 5, FLOWS_RIG_LOG * 3 / 5);
    flows_rig_close(&rig);
}

static void poisson__ends_when_all_have_arrived(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig,
                   "pattern: poisson, load: 50%, duration: 20ms, start: 5ms, "
                   "sizes: tests/validation/measured/flow_sizes_websearch.csv",
                   8, 2);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.stop, SIM_DONE);
    assert_true(flows_rig_metric(&rig, "flows", "done") > 10);
    assert_true(flows_rig_metric(&rig, "flows", "unfinished") == 0);
    assert_true(flows_rig_metric(&rig, "flows", "slowdown_min") > 0.999999);
    assert_true(flows_rig_metric(&rig, "flows", "slowdown_p99") > 1.1);
    flows_rig_close(&rig);
}

static void poisson__without_any_arrival_ends(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig,
                   "pattern: poisson, load: 1%, duration: 1ps, "
                   "sizes: tests/validation/measured/flow_sizes_websearch.csv",
                   2, 1);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.stop, SIM_DONE);
    assert_true(flows_rig_metric(&rig, "flows", "done") == 0);
    flows_rig_close(&rig);
}

/* ---- counting ---------------------------------------------------------------------------------*/

static void queue_pairs__split_a_flow(void **state)
{
    (void)state;
    struct flows_rig rig;
    int64_t bytes[2] = {0};
    flows_rig_open(&rig, "pattern: permutation, size: 1003B, queue_pairs: 4", 2, 1);
    flows_rig_fake(&rig);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.fake.log_n, 8);
    for (int m = 0; m < 8; m++) {
        bytes[m / 4] += rig.fake.log[m].bytes;
        assert_in_range(rig.fake.log[m].bytes, 250, 251);
        for (int o = 0; o < m; o++)
            assert_int_not_equal(rig.fake.log[m].stream, rig.fake.log[o].stream);
    }
    assert_true(bytes[0] == 1003 && bytes[1] == 1003);
    assert_true(flows_rig_metric(&rig, "flows", "done") == 2);
    flows_rig_close(&rig);
}

static void unfinished__are_counted_and_named(void **state)
{
    (void)state;
    struct flows_rig rig;
    flows_rig_open(&rig, "pattern: ring, size: 400B", 4, 1);
    flows_rig_fake(&rig);
    rig.fake.lose = 5;
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.stop, SIM_IDLE);
    assert_true(flows_rig_metric(&rig, "flows", "unfinished") == 1);
    assert_true(flows_rig_metric(&rig, "flows", "unstarted") == 4); /* its chunk was at step 1 */
    assert_true(flows_rig_metric(&rig, "flows", "done") == 4 * 6 - 5);
    const char *words = flows_waits_for(rig.flows, &rig.arena);
    assert_non_null(strstr(words, "1 flows have not arrived; the oldest goes from endpoint "));
    assert_non_null(strstr(words, "100 bytes"));
    flows_rig_close(&rig);
}

static void stats__exact_percentiles(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct flows_rig rig = {0};
    struct flows_stats stats = {.arena = &arena};
    record_init(&rig.record);
    for (int64_t i = 0; i <= 5000; i++) {
        int64_t k = i * 2467 % 5001; /* each number once, in disorder */
        flows_stats_add(&stats, &(struct flows_sample){.bytes = k < 5000 ? 6700 : 30000001,
                                                       .time_ps = (k + 1) * 1000,
                                                       .slowdown = (double)k});
    }
    flows_stats_record(&stats, &rig.record);
    assert_true(flows_rig_metric(&rig, "flows", "slowdown_p50") == 2500);
    assert_true(flows_rig_metric(&rig, "flows", "slowdown_p95") == 4750);
    assert_true(flows_rig_metric(&rig, "flows", "slowdown_max") == 5000);
    assert_true(flows_rig_metric(&rig, "flows", "slowdown_mean") == 2500);
    assert_true(fabs(flows_rig_metric(&rig, "flows", "fct_p50") - 2501e-9) < 1e-18);
    assert_true(flows_rig_metric(&rig, "flows/size<=6700", "done") == 5000);
    assert_true(flows_rig_metric(&rig, "flows/size>30000000", "slowdown_p50") == 5000);
    double none;
    assert_false(record_find(&rig.record, "flows/size<=20000", "done", &none));
    record_free(&rig.record);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permutation__runs_at_line_rate_on_one_switch),
        cmocka_unit_test(permutation__is_one),
        cmocka_unit_test(permutation__is_random),
        cmocka_unit_test(incast__takes_the_wire_time_of_all),
        cmocka_unit_test(incast__confirmed),
        cmocka_unit_test(incast__senders),
        cmocka_unit_test(all_to_all__each_to_each_some_at_a_time),
        cmocka_unit_test(all_to_all__takes_the_wire_time),
        cmocka_unit_test(ring__closed_form),
        cmocka_unit_test(ring__steps_follow_each_other),
        cmocka_unit_test(ring__bytes_add_up_whatever_the_chunks),
        cmocka_unit_test(ring__stride_wraps_to_the_next_rail),
        cmocka_unit_test(log__is_the_natural_one),
        cmocka_unit_test(gap__is_exponential),
        cmocka_unit_test(poisson__load_sizes_and_pairs),
        cmocka_unit_test(poisson__ends_when_all_have_arrived),
        cmocka_unit_test(poisson__without_any_arrival_ends),
        cmocka_unit_test(queue_pairs__split_a_flow),
        cmocka_unit_test(unfinished__are_counted_and_named),
        cmocka_unit_test(stats__exact_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
