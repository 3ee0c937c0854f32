/* test_coll_plan.c - plans of every registered algorithm: how they share NICs, what they refuse;
 * rounds and sizes of an all-to-all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coll_bench.h"

/* The most that a NIC of a domain carries one way, and the least. */
static void expect_even(struct bench *bench, const int64_t *carried, int32_t domain)
{
    int32_t local = bench->plan.ask.local;
    const int64_t *at = carried + domain * local;
    int64_t most = at[0], least = at[0];
    for (int32_t i = 1; i < local; i++) {
        if (at[i] > most) most = at[i];
        if (at[i] < least) least = at[i];
    }
    if (bench->plan.ask.op == COLL_BROADCAST) /* the way round ends before the root, wherever */
        EXPECT(bench, most <= bench->plan.ask.bytes / local, "a NIC of domain %d has %lld bytes",
               domain, (long long)most);
    else
        EXPECT(bench, most == least, "NICs of domain %d have %lld and %lld bytes", domain,
               (long long)most, (long long)least);
}

/* With two channels per GPU of a domain (trees come in pairs) no NIC of it has more to carry than
 * another: no domain waits for one of its NICs. Not where ranks speak by number alone; NCCL has PAT
 * for one GPU per node only. */
static void every_algorithm__shares_the_nics_of_a_domain(void **state)
{
    (void)state;
    for (int a = 0; coll_list[a]; a++)
        for (enum coll_op op = 0; op < COLL_OPS; op++) {
            const struct coll_ask ask = {.op = op,
                                         .bytes = 16 * 8 * 12,
                                         .ranks = 16,
                                         .local = 4,
                                         .leaf = 2,
                                         .root = op == COLL_BROADCAST ? 5 : 0,
                                         .channels = 8,
                                         .slices = 1};
            struct bench bench = {.slots = 8};
            if (op == COLL_SEND_RECV || a == coll_find("pat")) continue;
            if (!(coll_list[a]->can & COLL_BIT(op))) continue;
            set_title(&bench, coll_names[a], &ask);
            if (coll_plan(&bench.plan, coll_list[a], &ask, &bench.arena)) continue; /* nvls */
            verify_plan(&bench);
            for (int32_t domain = 0; domain < ask.ranks / ask.local; domain++) {
                expect_even(&bench, bench.out, domain);
                expect_even(&bench, bench.in, domain);
            }
            arena_free(&bench.arena);
        }
}

/* Every operation with the most messages that can be counted, its last step included; then one
 * chunk more. */
static void every_algorithm__refuses_what_it_cannot_count(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct coll_plan plan;
    for (int a = 0; coll_list[a]; a++)
        for (enum coll_op op = 0; op < COLL_OPS; op++) {
            struct coll_ask ask = {.op = op,
                                   .bytes = INT32_MAX,
                                   .ranks = 4,
                                   .local = 2,
                                   .channels = 1,
                                   .slices = 1,
                                   .chunk_bytes = 1};
            struct coll_step step;
            if (!(coll_list[a]->can & COLL_BIT(op))) continue;
            if (op == COLL_ALL_TO_ALL) ask.bytes *= ask.ranks;
            if (coll_plan(&plan, coll_list[a], &ask, &arena)) ask.local = ask.ranks; /* nvls */
            assert_null(coll_plan(&plan, coll_list[a], &ask, &arena));
            for (int32_t block = 0; block < plan.blocks; block++)
                plan.ops->step(&plan, 1, block, INT32_MAX - 1, &step);
            ask.bytes += ask.ranks;
            assert_non_null(coll_plan(&plan, coll_list[a], &ask, &arena));
            ask.chunk_bytes = 2;
            ask.slices = 3;
            assert_non_null(coll_plan(&plan, coll_list[a], &ask, &arena));
        }
    arena_free(&arena);
}

/* NCCL's example for 16 ranks, src/init.cc, ncclP2pSchedule. */
static void pairwise__goes_round_as_nccl(void **state)
{
    (void)state;
    static const int32_t peers[] = {1, 3, 6, 10, 15, 5, 12, 4, 13, 7, 2, 14, 11, 9, 8};
    struct arena arena = {0};
    struct coll_plan plan;
    struct coll_step step;
    const struct coll_ask ask = {
        .op = COLL_ALL_TO_ALL, .bytes = 1600, .ranks = 16, .local = 1, .channels = 1, .slices = 1};
    assert_null(coll_plan(&plan, coll_list[coll_find("pairwise")], &ask, &arena));
    for (int i = 0; i < 15; i++) {
        assert_true(plan.ops->step(&plan, 0, 0, i, &step));
        assert_int_equal(step.send_to, peers[i]);
    }
    assert_false(plan.ops->step(&plan, 0, 0, 15, &step));
    arena_free(&arena);
}

/* As nccl-tests: what the ranks divide evenly, and no empty messages. */
static void all_to_all__rounds_down(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct coll_plan plan;
    int pairwise = coll_find("pairwise");
    struct coll_ask ask = {
        .op = COLL_ALL_TO_ALL, .bytes = 259, .ranks = 10, .local = 5, .channels = 3, .slices = 1};
    assert_null(coll_plan(&plan, coll_list[pairwise], &ask, &arena));
    assert_int_equal(plan.ask.bytes, 250);
    assert_int_equal(verify(pairwise, &ask, 8), 10 * 9);
    ask.bytes = 9;
    assert_null(coll_plan(&plan, coll_list[pairwise], &ask, &arena));
    assert_int_equal(plan.ask.bytes, 0);
    assert_int_equal(verify(pairwise, &ask, 8), 0);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm__shares_the_nics_of_a_domain),
        cmocka_unit_test(every_algorithm__refuses_what_it_cannot_count),
        cmocka_unit_test(pairwise__goes_round_as_nccl),
        cmocka_unit_test(all_to_all__rounds_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
