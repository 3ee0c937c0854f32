/* test_bulk.c - collectives in few, long messages: bytes of closed forms, sends that are received,
 * times near those of the algorithm that they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "models/step/bulk.h"
#include "models/step/group.h"
#include "tests/unit/cluster_rig.h"

static const enum coll_op ops[] = {COLL_ALL_REDUCE, COLL_ALL_GATHER, COLL_REDUCE_SCATTER};

static struct coll_plan make(struct arena *arena, enum coll_op op, int32_t ranks, int32_t local)
{
    struct coll_plan plan;
    const struct coll_ask ask = {.op = op,
                                 .protocol = COLL_SIMPLE,
                                 .bytes = 4800000,
                                 .ranks = ranks,
                                 .local = local,
                                 .channels = 1,
                                 .slices = 1};
    assert_null(coll_plan(&plan, &bulk_ops, &ask, arena));
    return plan;
}

/* In all a rank sends what an optimal algorithm sends: (n - 1) / n of the buffer, or twice that. */
static void bulk_step__sends_the_optimum(void **state)
{
    (void)state;
    static const int32_t shapes[][2] = {{8, 1}, {8, 8}, {24, 4}, {6, 2}};
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct arena arena = {0};
            int32_t ranks = shapes[s][0];
            const struct coll_plan plan = make(&arena, ops[o], ranks, shapes[s][1]);
            int64_t sent = 0, received = 0;
            for (int32_t block = 0; block < plan.blocks; block++) {
                struct coll_step step;
                for (int64_t i = 0; plan.ops->step(&plan, 0, block, i, &step); i++) {
                    sent += step.send_to >= 0 ? step.send_bytes : 0;
                    received += step.recv_from >= 0 ? step.recv_bytes : 0;
                }
            }
            int64_t times = ops[o] == COLL_ALL_REDUCE ? 2 : 1;
            assert_int_equal(sent, times * 4800000 / ranks * (ranks - 1));
            assert_int_equal(sent, received);
            arena_free(&arena);
        }
}

/* The i-th message that a rank sends on a lane is the i-th that its neighbour waits for. */
static void bulk_step__sends_meet_receives(void **state)
{
    (void)state;
    struct arena arena = {0};
    const struct coll_plan plan = make(&arena, COLL_ALL_REDUCE, 24, 4);
    for (int32_t rank = 0; rank < 24; rank++)
        for (int32_t block = 0; block < plan.blocks; block++) {
            struct coll_step send, recv;
            for (int64_t i = 0; i < bulk_messages(); i++) {
                assert_true(plan.ops->step(&plan, rank, block, i, &send));
                assert_true(plan.ops->step(&plan, send.send_to, block, i + 1, &recv));
                assert_int_equal(recv.recv_from, rank);
                assert_int_equal(recv.recv_lane, send.send_lane);
                assert_int_equal(recv.recv_bytes, send.send_bytes);
            }
        }
    arena_free(&arena);
}

/* The time of a collective over four nodes of two, by group_plan with this limit of messages. */
static int64_t time_ps(enum coll_op op, const char *algorithm, int64_t messages_max)
{
    struct cluster_rig rig;
    const struct collective_facts facts = {
        .cost[COLL_SIMPLE] = {.nvlink_ps = 100 * NS, .net_ps = 1000 * NS},
        .share_bytes = {65536, 65536, 65536},
        .slots = 8};
    const struct device_facts device = {.generation = TUNER_GENERATIONS};
    struct coll_plan plan;
    struct group_made made;
    cluster_rig_open(&rig, &(struct cluster_rig_cfg){.nodes = 4, .gpus = 2, .ports = 2});
    const struct group_site site = {.cluster = rig.cluster,
                                    .facts = &facts,
                                    .device = &device,
                                    .n = 8,
                                    .messages_max = messages_max};
    const struct group_ask ask = {
        .op = op, .bytes = 8000000, .algorithm = algorithm ? 1 + coll_find(algorithm) : 0};
    assert_null(group_plan(&site, &ask, &plan, &made));
    assert_int_equal(made.together, messages_max > 0);
    made.run.plan = &plan;
    struct coll_run *run = coll_run_new(rig.cluster, &made.run);
    coll_run_start(run);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){0}), SIM_IDLE);
    assert_string_equal(coll_run_waits_for(run, &rig.arena), "");
    int64_t end_ps = sim_now_ps(rig.sim);
    cluster_rig_close(&rig);
    return end_ps;
}

/* Rails and NVLink are as fast here: 3/4 of half of the buffer by rail, half by NVLink, and what
 * the pipeline takes to fill. */
static void group_plan__bulk_takes_what_hierarchical_takes(void **state)
{
    (void)state;
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++) {
        int64_t exact_ps = time_ps(ops[o], "hierarchical", 0), bulk_ps = time_ps(ops[o], NULL, 1);
        assert_in_range(bulk_ps, exact_ps * 2 / 3, exact_ps * 3 / 2);
    }
    /* all-gather: 4 MB by NVLink, 1/8 of 3 MB by rail before its first piece */
    int64_t pieces_ps = (4000000 + 375000) * NS;
    assert_in_range(time_ps(COLL_ALL_GATHER, NULL, 1), pieces_ps, pieces_ps + pieces_ps / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_step__sends_the_optimum),
        cmocka_unit_test(bulk_step__sends_meet_receives),
        cmocka_unit_test(group_plan__bulk_takes_what_hierarchical_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
