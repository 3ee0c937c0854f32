/* test_coll_block.c - blocks that take their time to move a step's bytes: here a byte takes a block
 * as long as a link, a nanosecond, and a hop `A` more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_rig.h"

#define A 700 /* ns: software time of a hop */

static void rank_done(struct sim *sim, struct coll_run *run, int32_t rank)
{
    (void)rank;
    int64_t *end_ps = coll_run_owner(run);
    *end_ps = sim_now_ps(sim);
}

/* An all-reduce of n pieces of c bytes in an NVLink domain of n. */
static int64_t time_ns(const char *name, int32_t n, int64_t c, int64_t block_bps)
{
    struct cluster_rig rig;
    struct coll_plan plan;
    int64_t end_ps = 0;
    cluster_rig_open(&rig, &(struct cluster_rig_cfg){.nodes = 1, .gpus = n, .ports = n});
    const struct coll_ask ask = {.protocol = COLL_SIMPLE,
                                 .bytes = n * c,
                                 .ranks = n,
                                 .local = n,
                                 .channels = 1,
                                 .slices = 1};
    const char *wrong = coll_plan(&plan, coll_list[coll_find(name)], &ask, &rig.arena);
    if (wrong) fail_msg("%s: %s", name, wrong);
    coll_run_start(coll_run_new(rig.cluster, &(struct coll_run_cfg){.plan = &plan,
                                                                    .lag = {A * NS, A * NS},
                                                                    .block_bps = block_bps,
                                                                    .slots = 8,
                                                                    .done = rank_done,
                                                                    .owner = &end_ps}));
    sim_run(rig.sim, &(struct sim_limits){0});
    cluster_rig_close(&rig);
    return end_ps / NS;
}

static void block__ring(void **state)
{
    (void)state;
    for (int32_t n = 2; n <= 8; n++) {
        int64_t c = 1000;
        assert_int_equal(time_ns("ring", n, c, 0), 2 * (n - 1) * (A + c));
        /* before each piece leaves, and for the last one when it has come */
        assert_int_equal(time_ns("ring", n, c, GBPS8), 2 * (n - 1) * (A + 2 * c) + c);
        assert_int_equal(time_ns("ring", n, c, GBPS8 / 2), 2 * (n - 1) * (A + 3 * c) + 2 * c);
    }
}

/* A rank copies all n shards before the first leaves, and when the last has come; in between its
 * owner adds a shard and hands it out, while others are on their way. Switches take no time. */
static void block__nvls(void **state)
{
    (void)state;
    for (int32_t n = 2; n <= 8; n++) {
        int64_t c = 1000;
        int64_t more = time_ns("nvls", n, c, GBPS8) - time_ns("nvls", n, c, 0);
        assert_in_range(more, 2 * (n - 1) * c, (2 * n + 2) * c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block__ring),
        cmocka_unit_test(block__nvls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
