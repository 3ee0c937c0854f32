/* test_coll_run.c - collectives against their closed forms, to the picosecond, on ideal links.
 *
 * A byte takes a nanosecond, a hop `A` more. S bytes over n ranks; formulas: Thakur, Rabenseifner,
 * Gropp 2005. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coll_rig.h"

/* ---- closed forms ---------------------------------------------------------------------------- */

static void ring__closed_forms(void **state)
{
    (void)state;
    for (int32_t n = 2; n <= 9; n++) {
        int64_t c = 1000, S = c * n;
        struct coll_ask ask = ask_of(COLL_ALL_REDUCE, n, n, S);
        assert_int_equal(time_ns("ring", &ask), 2 * (n - 1) * (A + c));
        ask.op = COLL_ALL_GATHER;
        assert_int_equal(time_ns("ring", &ask), (n - 1) * (A + c));
        ask.op = COLL_REDUCE_SCATTER;
        assert_int_equal(time_ns("ring", &ask), (n - 1) * (A + c));
        ask = ask_of(COLL_ALL_REDUCE, n, 1, S); /* over NICs */
        assert_int_equal(time_ns("ring", &ask), 2 * (n - 1) * (A + c + HEADER));
    }
}

static void ring__broadcast_is_a_pipeline(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_BROADCAST, 5, 5, 12000);
    ask.root = 2;
    assert_int_equal(time_ns("ring", &ask), 4 * (A + 12000));
    ask.chunk_bytes = 1000; /* 12 pieces: the last one leaves after 11 others */
    assert_int_equal(time_ns("ring", &ask), 11 * 1000 + 4 * (A + 1000));
}

/* With slices a hop's software time hides behind the next slice. */
static void ring__slices_hide_the_hop(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 4, 4, 16000);
    ask.slices = 4; /* of 1000 ns each, more than A */
    assert_int_equal(time_ns("ring", &ask), 6 * 4000 + A);
    ask.slices = 1;
    assert_int_equal(time_ns("ring", &ask), 6 * (4000 + A));
}

static void ring__rounds_add_up(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 4, 4, 16000);
    ask.chunk_bytes = 1000;
    assert_int_equal(time_ns("ring", &ask), 4 * 6 * (1000 + A));
}

/* Channels share the ports of NVLink, and each has a rail of its own between nodes. */
static void ring__channels(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 8, 8, 16000);
    ask.channels = 2; /* 1000 bytes a piece: two by turns, A hidden behind the other's */
    assert_int_equal(time_ns("ring", &ask), 14 * 2000 + A);
}

static void doubling_and_halving__closed_forms(void **state)
{
    (void)state;
    for (int32_t k = 1; k <= 4; k++) {
        int32_t n = 1 << k;
        int64_t S = 1000 * n;
        struct coll_ask ask = ask_of(COLL_ALL_REDUCE, n, n, S);
        assert_int_equal(time_ns("doubling", &ask), k * (A + S));
        assert_int_equal(time_ns("halving", &ask), 2 * k * A + 2 * (S - 1000));
        ask.op = COLL_ALL_GATHER;
        assert_int_equal(time_ns("halving", &ask), k * A + S - 1000);
        ask.op = COLL_REDUCE_SCATTER;
        assert_int_equal(time_ns("halving", &ask), k * A + S - 1000);
    }
}

static void hierarchical__closed_form(void **state)
{
    (void)state;
    int64_t L = 4, D = 3, S = 12000, p = S / L;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 12, 4, S);
    assert_int_equal(time_ns("hierarchical", &ask),
                     2 * ((L - 1) * p + A) + 2 * (D - 1) * (p / D + HEADER + A));
    ask.ranks = 4; /* one domain: inside only */
    assert_int_equal(time_ns("hierarchical", &ask), 2 * ((L - 1) * p + A));
}

static void tree__closed_forms(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 5, 5, 1000); /* a chain */
    assert_int_equal(time_ns("tree", &ask), 2 * 4 * (1000 + A));
    ask = ask_of(COLL_ALL_REDUCE, 2, 1, 1000);
    assert_int_equal(time_ns("tree", &ask), 2 * (1000 + HEADER + A));
    /* 4 nodes: 0 - 2 - {1, 3}: both children arrive by one NIC and leave by one NIC */
    ask = ask_of(COLL_ALL_REDUCE, 4, 1, 1000);
    int64_t c = 1000 + HEADER;
    assert_int_equal(time_ns("tree", &ask), (2 * c + A) + 2 * (c + A) + (2 * c + A));
}

/* Pipelined over two trees: twice the bytes over each NIC, as a ring, and few hops. */
static void tree__pipelined_is_near_two_S(void **state)
{
    (void)state;
    int64_t S = INT64_C(64) << 20;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 16, 1, S);
    ask.channels = 2;
    ask.chunk_bytes = 65536;
    int64_t ns = run_ns("tree", &ask, true);
    assert_true(ns > 2 * S * 15 / 16);
    assert_true(ns < 2 * S * 11 / 10);
}

static void nvls__closed_form(void **state)
{
    (void)state;
    for (int32_t n = 2; n <= 6; n++) {
        int64_t s = 1000; /* a shard: n are pushed, a sum comes, it goes back, n results come */
        int64_t sum = 2 * s + 2 * A, pushed = n * s;
        struct coll_ask ask = ask_of(COLL_ALL_REDUCE, n, n, s * n);
        assert_int_equal(time_ns("nvls", &ask),
                         (sum > pushed ? sum : pushed) + (n + 1) * s + 2 * A);
        ask.op = COLL_REDUCE_SCATTER;
        assert_int_equal(time_ns("nvls", &ask), (n + 1) * s + 2 * A);
        ask.op = COLL_ALL_GATHER;
        assert_int_equal(time_ns("nvls", &ask), (n + 1) * s + 2 * A);
    }
}

static void nvls__pipelined_carries_S_and_a_shard(void **state)
{
    (void)state;
    int64_t S = INT64_C(8) << 20;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 8, 8, S);
    ask.chunk_bytes = 4096;
    ask.channels = 2;
    int64_t ns = time_ns("nvls", &ask);
    assert_true(ns > S * 9 / 8);
    assert_true(ns < S * 9 / 8 * 102 / 100);
}

static void sharp__closed_form(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 6, 1, 1000);
    assert_int_equal(time_ns("sharp", &ask), 2 * (1000 + HEADER + A));
    ask = ask_of(COLL_ALL_REDUCE, 6, 2, 1000); /* one more in a chain at each node */
    assert_int_equal(time_ns("sharp", &ask), 2 * (1000 + HEADER + A) + 2 * (1000 + A));
}

static void pat__closed_form(void **state)
{
    (void)state;
    const struct coll_run_cfg no_lag = {.slots = 8};
    int64_t waves = 0, c = 1000;
    for (int32_t n = 2; n <= 24; n++) {
        while (1 << waves < n)
            waves++;
        for (enum coll_op op = COLL_ALL_GATHER; op <= COLL_REDUCE_SCATTER; op++) {
            struct coll_ask ask = ask_of(op, n, n, c * n);
            assert_int_equal(time_ns("pat", &ask), waves * A + (n - 1) * c);
            struct job job;
            job_open(&job, "pat", &ask, &no_lag);
            assert_int_equal(job_ns(&job), (n - 1) * c);
            job_close(&job);
        }
    }
}

/* ---- laws ------------------------------------------------------------------------------------ */

static void coll_run__slots_beyond_need_change_nothing(void **state)
{
    (void)state;
    const char *const names[] = {"ring", "tree", "hierarchical", "nvls"};
    for (int i = 0; i < 4; i++) {
        int64_t before_ns = 0;
        for (int32_t slots = 8; slots <= 32; slots *= 2) {
            struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 8, 8, 64000);
            ask.chunk_bytes = 500;
            struct coll_run_cfg cfg = plain;
            cfg.slots = slots;
            struct job job;
            job_open(&job, names[i], &ask, &cfg);
            int64_t ns = job_ns(&job);
            if (slots > 8) assert_in_range(ns, before_ns * 98 / 100, before_ns);
            before_ns = ns;
            job_close(&job);
        }
    }
}

static void coll_run__bytes_sent_and_carried(void **state)
{
    (void)state;
    struct job job;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 8, 8, 8000);
    job_open(&job, "ring", &ask, &plain);
    job_ns(&job);
    for (int32_t r = 0; r < 8; r++)
        assert_int_equal(coll_run_sent_bytes(job.run, r), 2 * 7000);
    struct record record;
    double carried;
    record_init(&record);
    cluster_record(job.rig.cluster, &record);
    assert_true(record_find(&record, "cluster", "nvlink_bytes", &carried));
    assert_int_equal((int64_t)carried, 8 * 2 * 7000);
    assert_int_equal(coll_run_count(job.run).bytes, 8 * 2 * 7000);
    record_free(&record);
    job_close(&job);
}

static void coll_run__protocols_take_their_part_of_the_link(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 4, 4, 4800);
    ask.protocol = COLL_LL;
    assert_int_equal(time_ns("ring", &ask), 6 * (A + 2400));
    ask.protocol = COLL_LL128;
    assert_int_equal(time_ns("ring", &ask), 6 * (A + 1280));
}

static void coll_run__again_without_new_memory(void **state)
{
    (void)state;
    struct job job;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 4, 4, 4000);
    job_open(&job, "ring", &ask, &plain);
    assert_int_equal(job_ns(&job), 6 * (A + 1000));
    size_t bytes = job.rig.arena.bytes;
    job.rounds = 3;
    job.done = 0;
    int64_t start_ns = job.end_ps / NS;
    assert_int_equal(job_ns(&job) - start_ns, 3 * 6 * (A + 1000));
    assert_int_equal(coll_run_count(job.run).rounds, 4);
#ifndef RAILSIM_POOL_MALLOC
    assert_true(job.rig.arena.bytes < bytes + 64); /* the text "" of job_ns */
#endif
    assert_true(bytes > 0);
    job_close(&job);
}

/* Ranks that enter late hold up those that need them; launch time counts from the entrance. */
static void coll_run__ranks_enter_one_by_one(void **state)
{
    (void)state;
    struct job job;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 2, 2, 2000);
    struct coll_run_cfg cfg = plain;
    cfg.launch_ps = 50 * NS;
    job_open(&job, "ring", &ask, &cfg);
    coll_run_enter(job.run, 0);
    assert_int_equal(sim_run(job.rig.sim, &(struct sim_limits){0}), SIM_IDLE);
    assert_int_equal(job.done, 0);
    assert_string_equal(coll_run_waits_for(job.run, &job.rig.arena),
                        "rank 0, block 0, step 1 waits for message 0 from rank 1 on lane 0 (0 "
                        "sent)");
    coll_run_enter(job.run, 1);
    sim_run(job.rig.sim, &(struct sim_limits){0});
    /* the clock stood still when rank 0's message had arrived */
    assert_int_equal(job.end_ps, (50 + A + 1000 + 50 + 2 * (A + 1000)) * NS);
    job_close(&job);
}

/* Two collectives at a time on one cluster: apart they do not meet, on the same GPUs they share. */
static void coll_run__two_at_a_time(void **state)
{
    (void)state;
    static const int32_t low[] = {0, 1, 2, 3}, high[] = {7, 6, 5, 4};
    const struct {
        const int32_t *second;
        int64_t ns;
    } cases[] = {{high, 6 * (A + 1000)}, {low, 6 * 2000 + A}};
    for (int i = 0; i < 2; i++) {
        struct job job;
        struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 8, 8, 4000);
        job_open(&job, "ring", &ask, &plain);
        ask.ranks = ask.local = 4;
        coll_plan(&job.plan, coll_list[coll_find("ring")], &ask, &job.rig.arena);
        struct coll_run_cfg cfg = plain;
        cfg.plan = &job.plan;
        cfg.done = rank_done;
        cfg.owner = &job;
        cfg.gpu = low;
        struct coll_run *first = coll_run_new(job.rig.cluster, &cfg);
        cfg.gpu = cases[i].second;
        struct coll_run *second = coll_run_new(job.rig.cluster, &cfg);
        job.rounds = 0;
        coll_run_start(first);
        coll_run_start(second);
        sim_run(job.rig.sim, &(struct sim_limits){0});
        assert_int_equal(job.done, 8);
        assert_int_equal(job.end_ps, cases[i].ns * NS);
        job_close(&job);
    }
}

/* ---- schedules that are wrong ---------------------------------------------------------------- */

static const char *no_plan(struct coll_plan *plan, struct arena *arena)
{
    (void)arena;
    plan->blocks = plan->lanes = 1;
    return NULL;
}

/* Rank 0 sends twice, rank 1 receives once; or rank 1 waits for a third message. */
static bool wrong_step(const struct coll_plan *plan, int32_t rank, int32_t block, int64_t index,
                       struct coll_step *step)
{
    (void)block;
    *step = COLL_STEP_NONE;
    if (rank == 0)
        step->send_to = 1;
    else
        step->recv_from = 0;
    return index < (rank == 0 ? 2 : plan->ask.root);
}

static const struct coll_ops wrong_ops = {
    .can = COLL_BIT(COLL_ALL_REDUCE), .plan = no_plan, .step = wrong_step};

static const char *run_wrong(struct job *job, int32_t receives)
{
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, 2, 2, 8);
    ask.root = receives;
    *job = (struct job){.rounds = 1};
    cluster_rig_open(&job->rig, &(struct cluster_rig_cfg){.nodes = 1, .gpus = 2, .ports = 1});
    coll_plan(&job->plan, &wrong_ops, &ask, &job->rig.arena);
    struct coll_run_cfg cfg = plain;
    cfg.plan = &job->plan;
    cfg.done = rank_done;
    cfg.owner = job;
    job->run = coll_run_new(job->rig.cluster, &cfg);
    coll_run_start(job->run);
    assert_int_equal(sim_run(job->rig.sim, &(struct sim_limits){0}), SIM_IDLE);
    assert_true(job->done < 2);
    return coll_run_waits_for(job->run, &job->rig.arena);
}

static void coll_run__names_the_rank_that_is_stuck(void **state)
{
    (void)state;
    struct job job;
    assert_string_equal(run_wrong(&job, 3),
                        "rank 1, block 0, step 2 waits for message 2 from rank 0 on lane 0 (2 "
                        "sent)");
    job_close(&job);
}

static void coll_run__names_messages_that_nobody_takes(void **state)
{
    (void)state;
    struct job job;
    assert_string_equal(run_wrong(&job, 1),
                        "1 messages from rank 0 to rank 1 on lane 0 have no receive that matches");
    job_close(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring__closed_forms),
        cmocka_unit_test(ring__broadcast_is_a_pipeline),
        cmocka_unit_test(ring__slices_hide_the_hop),
        cmocka_unit_test(ring__rounds_add_up),
        cmocka_unit_test(ring__channels),
        cmocka_unit_test(doubling_and_halving__closed_forms),
        cmocka_unit_test(hierarchical__closed_form),
        cmocka_unit_test(tree__closed_forms),
        cmocka_unit_test(tree__pipelined_is_near_two_S),
        cmocka_unit_test(nvls__closed_form),
        cmocka_unit_test(nvls__pipelined_carries_S_and_a_shard),
        cmocka_unit_test(sharp__closed_form),
        cmocka_unit_test(pat__closed_form),
        cmocka_unit_test(coll_run__slots_beyond_need_change_nothing),
        cmocka_unit_test(coll_run__bytes_sent_and_carried),
        cmocka_unit_test(coll_run__protocols_take_their_part_of_the_link),
        cmocka_unit_test(coll_run__again_without_new_memory),
        cmocka_unit_test(coll_run__ranks_enter_one_by_one),
        cmocka_unit_test(coll_run__two_at_a_time),
        cmocka_unit_test(coll_run__names_the_rank_that_is_stuck),
        cmocka_unit_test(coll_run__names_messages_that_nobody_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
