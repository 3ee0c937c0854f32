/* test_coll_suit.c - all-to-all against its links, and what algorithms suit themselves to: chunks
 * and channels where the user has no wish.
 *
 * On ideal links as test_coll_run.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coll_rig.h"

/* ---- all-to-all ------------------------------------------------------------------------------ */

/* Sends wait for no receive, as long as no more than 8 messages of a channel are ahead. */
static void pairwise__closed_forms(void **state)
{
    (void)state;
    struct coll_ask ask = ask_of(COLL_ALL_TO_ALL, 6, 6, 6000);
    for (ask.channels = 1; ask.channels <= 5; ask.channels++)
        assert_int_equal(time_ns("pairwise", &ask), 5 * 1000 + A);
    ask = ask_of(COLL_ALL_TO_ALL, 18, 18, 18); /* 8, 8 and 1 of a byte: three trips */
    assert_int_equal(time_ns("pairwise", &ask), 3 * (1 + A));
    ask = ask_of(COLL_SEND_RECV, 6, 6, 6000);
    assert_int_equal(time_ns("pairwise", &ask), 6000 + A);
}

/* Each rank's NIC carries a part for each rank of other domains, its port a part for each of its
 * own; with PXN also parts on their way to the NIC of the target's rail. */
static void expect_pairwise_at_its_bound(const struct coll_ask *ask, bool pxn)
{
    int64_t c = ask->bytes / ask->ranks, domains = ask->ranks / ask->local;
    int64_t nic_ns = (ask->ranks - ask->local) * (c + HEADER);
    int64_t port_ns = (ask->local - 1) * c * (pxn ? domains : 1);
    int64_t bound_ns = nic_ns > port_ns ? nic_ns : port_ns;
    struct job job;
    job_open_pxn(&job, "pairwise", ask, &plain, pxn);
    int64_t ns = job_ns(&job);
    if (ns < bound_ns || ns > bound_ns * 102 / 100)
        fail_msg("%d ranks of %d, %d channels, pxn %d: %lld ns, bound %lld", ask->ranks, ask->local,
                 ask->channels, pxn, (long long)ns, (long long)bound_ns);
    job_close(&job);
}

static void pairwise__takes_what_its_busiest_link_takes(void **state)
{
    (void)state;
    for (int32_t ranks = 16; ranks <= 64; ranks *= 2)
        for (int32_t domains = 2; domains <= 8; domains += domains < 4 ? 1 : 4)
            for (int32_t channels = 1; channels <= 16; channels += channels < 13 ? 4 : 3) {
                int32_t n = ranks / domains * domains;
                struct coll_ask ask =
                    ask_of(COLL_ALL_TO_ALL, n, n / domains, (INT64_C(64) << 20) / n * n);
                ask.channels = channels;
                expect_pairwise_at_its_bound(&ask, false);
            }
    struct coll_ask ask = ask_of(COLL_ALL_TO_ALL, 32, 2, 32 << 20);
    ask.chunk_bytes = 1 << 18; /* the NIC begins when NVLink has brought a chunk */
    expect_pairwise_at_its_bound(&ask, true);
    ask = ask_of(COLL_ALL_TO_ALL, 256, 64, 256 << 17);
    expect_pairwise_at_its_bound(&ask, false);
}

/* A message of each channel is 4 MiB of a rank (a NIC of 400 Gb/s has sent them after 84 us, more
 * than a message's software takes) and one more, or 4,096 of all ranks; or no channel is left. */
static void pairwise_suit__enough_on_the_way(void **state)
{
    (void)state;
    for (int64_t each = 1000; each < INT64_C(1) << 32; each *= 3)
        for (int32_t ranks = 8; ranks <= 4096; ranks *= 8) {
            struct coll_ask ask = ask_of(COLL_ALL_TO_ALL, ranks, 8, each * ranks);
            ask.channels = 32;
            coll_list[coll_find("pairwise")]->suit(&ask);
            int64_t most = (4 << 20) / each > 4096 / ranks ? (4 << 20) / each : 4096 / ranks;
            assert_in_range(ask.channels, most < 32 ? most : 32, most < 32 ? most + 1 : 32);
        }
    struct coll_ask ask = ask_of(COLL_SEND_RECV, 512, 8, INT64_C(1) << 30);
    ask.channels = 32;
    coll_list[coll_find("pairwise")]->suit(&ask);
    assert_int_equal(ask.channels, 32);
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* A pipeline of n ranks takes (pieces + n - 2) pieces: with NCCL's 8 chunks of 512 KiB for 4 MiB,
 * not an all-reduce's 2 of 2 MiB. */
static void ring_suit__broadcast_fills_the_pipeline(void **state)
{
    (void)state;
    const struct coll_ops *ring = coll_list[coll_find("ring")];
    int64_t chunk = 512 << 10, S = 8 * chunk;
    struct coll_ask ask = ask_of(COLL_BROADCAST, 6, 6, S);
    ask.chunk_bytes = 2 << 20;
    ring->suit(&ask);
    assert_int_equal(time_ns("ring", &ask), 7 * chunk + 5 * (A + chunk));
    const int64_t wants[] = {[COLL_LL] = 32768, [COLL_LL128] = 576000, [COLL_SIMPLE] = chunk};
    for (int p = 0; p < COLL_PROTOCOLS; p++) {
        ask = ask_of(COLL_BROADCAST, 6, 6, S);
        ask.protocol = (enum coll_protocol)p;
        ask.chunk_bytes = 2 << 20;
        ring->suit(&ask);
        assert_int_equal(ask.chunk_bytes, wants[p]);
        ask.op = COLL_ALL_REDUCE;
        ask.chunk_bytes = 2 << 20;
        ring->suit(&ask);
        assert_int_equal(ask.chunk_bytes, 2 << 20);
    }
}

/* A port of NVLink carries 2 (L-1)/L S: with stages that overlap that is the time. */
static void hierarchical_suit__stages_overlap(void **state)
{
    (void)state;
    int64_t L = 2, D = 8, S = INT64_C(16) << 20, port_ns = 2 * (L - 1) * S / L;
    struct coll_ask ask = ask_of(COLL_ALL_REDUCE, (int32_t)(L * D), (int32_t)L, S);
    ask.chunk_bytes = 2 << 20;
    coll_list[coll_find("hierarchical")]->suit(&ask);
    assert_in_range(run_ns("hierarchical", &ask, true), port_ns, port_ns * 102 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairwise__closed_forms),
        cmocka_unit_test(pairwise__takes_what_its_busiest_link_takes),
        cmocka_unit_test(pairwise_suit__enough_on_the_way),
        cmocka_unit_test(ring_suit__broadcast_fills_the_pipeline),
        cmocka_unit_test(hierarchical_suit__stages_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
