/* test_transport.c - one direction of a connection over a line: order, processing, sharing, start,
 * jitter, and what it says held it up.
 *
 * Loss and buffers: test_transport_loss.c. The laws of throughput have property tests
 * (prop_window_law.c, prop_loss_law.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/transport_rig.h"

/* ---- messages -------------------------------------------------------------------------------- */

/* 500 B at 10 Gb/s: 400 ns, and 5 ms to get there; processing at 1 Gb/s takes 4 us. All but the
 * way counts as waiting: it occupies what others might have used. */
static void transport_send__small_message(void **state)
{
    (void)state;
    for (int64_t process_us = 0; process_us <= 4; process_us += 4) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.process_bps = process_us ? GBPS : 0});
        struct load *small = load(&rig, 0, 500, 3 * MS);
        run(&rig);
        assert_int_equal(small->done_ps, 8 * MS + 400 * PS_PER_NS + process_us * PS_PER_US);
        assert_int_equal(small->msg.start_ps, 3 * MS);
        assert_int_equal(small->msg.wait_ps, 400 * PS_PER_NS + process_us * PS_PER_US);
        assert_int_equal(transport_stats(rig.transport[0]).bursts, 1);
        arena_free(&rig.arena);
    }
}

/* Far apart, small messages do not meet: each takes the idle path's time, under every law. */
static void transport_send__small_messages_apart(void **state)
{
    (void)state;
    static const char *const laws[] = {"fixed", "cubic", "bbr"};
    for (int i = 0; i < 3; i++) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.law = laws[i], .window_bytes = 65536});
        for (int m = 0; m < 40; m++)
            load(&rig, 0, 1 + 50 * m, m * 13 * MS);
        run(&rig);
        for (int m = 0; m < 40; m++)
            assert_int_equal(rig.load[m].done_ps - rig.load[m].msg.start_ps,
                             5 * MS + (1 + 50 * m) * 800);
        arena_free(&rig.arena);
    }
}

/* Mixed sizes, sent together and apart, over a line that loses, drops and jitters: done in the
 * order of sending, each once. */
static void transport_send__in_order(void **state)
{
    (void)state;
    static const char *const laws[] = {"fixed", "cubic", "bbr"};
    for (uint64_t seed = 1; seed <= 9; seed++) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.law = laws[seed % 3],
                                       .window_bytes = 400000,
                                       .loss = seed < 7 ? 0.01 : 0,
                                       .jitter_ps = seed % 2 ? 3 * MS : 0,
                                       .process_bps = seed > 4 ? GBPS : 0,
                                       .seed = seed});
        struct rng rng = rng_stream(seed, "test_transport");
        int64_t at_ps = 0, bytes = 0;
        for (int i = 0; i < 200; i++) {
            if (rng_below(&rng, 3) == 0) at_ps += (int64_t)rng_below(&rng, 3 * MS);
            load(&rig, 0, 1 + (int64_t)rng_below(&rng, i % 2 ? 100 : 100000), at_ps);
            bytes += rig.load[i].msg.bytes;
        }
        run(&rig);
        for (int i = 0; i < 200; i++) {
            assert_int_equal(rig.load[i].order, i);
            assert_int_equal(rig.load[i].msg.end_off,
                             (i ? rig.load[i - 1].msg.end_off : 0) + rig.load[i].msg.bytes);
        }
        struct transport_stats stats = transport_stats(rig.transport[0]);
        assert_int_equal(stats.delivered_bytes, bytes);
        assert_int_equal(stats.sent_bytes, bytes);
        assert_int_equal(stats.losses > 0, seed < 7);
        assert_int_equal(stats.retransmitted_bytes > 0, seed < 7);
        arena_free(&rig.arena);
    }
}

/* At every moment: sent = delivered + in flight; in flight never more than the receive window nor,
 * beyond what overshoots by a burst, than the line holds; in the end nothing is left anywhere. */
static void transport_stats__bytes_are_conserved(void **state)
{
    (void)state;
    static const struct setup setups[] = {
        {.law = "fixed", .window_bytes = 2 * MiB, .nic_bps = 40 * GBPS},
        {.law = "fixed", .window_bytes = 2 * MiB, .loss = 1e-3, .jitter_ps = MS, .seed = 3},
        {.law = "cubic", .loss = 1e-4, .process_bps = 3 * GBPS, .seed = 4},
        {.law = "cubic", .nic_bps = 100 * GBPS, .buffer_bytes = 2 * MiB, .connections = 4},
        {.law = "cubic", .window_bytes = 64 * MiB, .buffer_bytes = 12 * MiB, .loss = 1e-5},
        {.law = "bbr", .loss = 1e-3, .jitter_ps = 5 * MS, .connections = 2, .seed = 5},
    };
    for (size_t s = 0; s < sizeof setups / sizeof setups[0]; s++) {
        struct rig rig;
        rig_open(&rig, &setups[s]);
        for (int i = 0; i < 160; i++)
            load(&rig, i % rig.connections, (1 + i % 7) * MiB / 3, i / 40 * 500 * MS);
        enum sim_stop stop = SIM_MAX_TIME;
        for (int64_t at_ps = 0; stop != SIM_IDLE; at_ps += 1777 * PS_PER_US) {
            stop = sim_run(rig.sim, &(struct sim_limits){.max_sim_ps = at_ps + 1});
            for (int c = 0; c < rig.connections; c++) {
                struct transport_stats stats = transport_stats(rig.transport[c]);
                assert_int_equal(stats.sent_bytes, stats.delivered_bytes + stats.inflight_bytes);
                assert_true(stats.inflight_bytes >= 0);
                if (setups[s].window_bytes > 0)
                    assert_true(stats.inflight_bytes <= setups[s].window_bytes);
            }
            assert_true(rig.wan.inflight_bytes[0] >= 0);
            assert_int_equal(rig.wan.inflight_bytes[1], 0);
        }
        run(&rig);
        assert_int_equal(rig.wan.inflight_bytes[0], 0);
        for (int c = 0; c < rig.connections; c++)
            assert_int_equal(transport_stats(rig.transport[c]).inflight_bytes, 0);
        arena_free(&rig.arena);
    }
}

static void transport_new__same_seed_same_run(void **state)
{
    (void)state;
    uint64_t fingerprint[3];
    for (uint64_t i = 0; i < 3; i++) {
        struct rig rig;
        rig_open(&rig,
                 &(struct setup){.law = "cubic", .loss = 1e-3, .jitter_ps = MS, .seed = 7 + i / 2});
        for (int m = 0; m < 20; m++)
            load(&rig, 0, MiB, 0);
        run(&rig);
        fingerprint[i] = sim_fingerprint(rig.sim);
        arena_free(&rig.arena);
    }
    assert_true(fingerprint[0] == fingerprint[1]);
    assert_true(fingerprint[0] != fingerprint[2]);
}

/* ---- sharing --------------------------------------------------------------------------------- */

/* Four connections with 16 MiB each and a line of half what they could: a quarter each. */
static void transport__connections_share_the_line(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct setup){.window_bytes = 16 * MiB, .connections = 4});
    steady(&rig);
    within(rate_bps(&rig, 500 * MS, 1500 * MS), 10e9, 0.01);
    int64_t all = delivered(&rig);
    for (int c = 0; c < 4; c++)
        within((double)transport_stats(rig.transport[c]).delivered_bytes, (double)all / 4, 0.02);
    arena_free(&rig.arena);
}

/* ---- start and restart ----------------------------------------------------------------------- */

/* Ten segments, doubled each round trip: 10 (2^k - 1) segments are there after k - 1 round trips
 * and the way there. A tenth less, as what is left of a window below a segment is not used. */
static void transport__slow_start_doubles_each_round_trip(void **state)
{
    (void)state;
    static const char *const laws[] = {"cubic", "bbr"};
    for (int i = 0; i < 2; i++)
        for (int rounds = 1; rounds <= 10; rounds++) {
            struct rig rig;
            rig_open(&rig, &(struct setup){.law = laws[i], .rate_bps = 400 * GBPS});
            struct load *all = load(&rig, 0, 9 * ((INT64_C(1) << rounds) - 1) * MSS, 0);
            run(&rig);
            within((double)all->done_ps, (double)((rounds - 1) * 10 * MS + 5 * MS), 0.02);
            if (rounds > 2) assert_int_equal(all->msg.bound, BOUND_CONGESTION);
            arena_free(&rig.arena);
        }
}

/* Idle for longer than a retransmission timeout (200 ms at least): from ten segments again.
 * Shorter, the window is still open. Without a congestion window there is no start. */
static void transport__restart_after_idle(void **state)
{
    (void)state;
    for (int longer = 0; longer <= 1; longer++) {
        struct rig rig;
        rig_open(&rig, &(struct setup){.law = "cubic", .rate_bps = 400 * GBPS});
        struct load *first = load(&rig, 0, 9 * 127 * MSS, 0); /* seven rounds */
        int64_t again_ps = (longer ? 270 : 255) * MS;
        struct load *second = load(&rig, 0, 9 * 63 * MSS, again_ps); /* six, or at once */
        run(&rig);
        within((double)first->done_ps, 65.0 * MS, 0.01);
        within((double)(second->done_ps - again_ps), (longer ? 55.0 : 5.0) * MS, 0.02);
        arena_free(&rig.arena);
    }
    struct rig rig;
    rig_open(&rig, &(struct setup){.law = "fixed", .rate_bps = 400 * GBPS});
    struct load *only = load(&rig, 0, 9 * 127 * MSS, 0);
    run(&rig);
    within((double)only->done_ps, 5.0 * MS, 0.01);
    arena_free(&rig.arena);
}

/* ---- jitter ---------------------------------------------------------------------------------- */

/* Jitter delays each burst by up to its size, in the order of sending, and costs no bytes. */
static void transport__jitter_keeps_order(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct setup){.jitter_ps = 2 * MS});
    for (int i = 0; i < MSGS; i++)
        load(&rig, 0, 500, i * 100 * PS_PER_US);
    run(&rig);
    int64_t earliest_ps = INT64_MAX, latest_ps = 0, idle_ps = 5 * MS + 400 * PS_PER_NS;
    for (int i = 0; i < MSGS; i++) {
        int64_t took_ps = rig.load[i].done_ps - rig.load[i].msg.start_ps;
        assert_int_equal(rig.load[i].order, i);
        assert_in_range(took_ps, idle_ps, idle_ps + 2 * MS);
        assert_int_equal(rig.load[i].msg.wait_ps, took_ps - 5 * MS);
        if (took_ps < earliest_ps) earliest_ps = took_ps;
        if (took_ps > latest_ps) latest_ps = took_ps;
    }
    assert_true(latest_ps > idle_ps + 1900 * PS_PER_US); /* it does use its range */
    assert_true(earliest_ps < idle_ps + 1500 * PS_PER_US);
    arena_free(&rig.arena);
}

/* ---- what it says held it up ----------------------------------------------------------------- */

static void transport_msg__names_its_bound(void **state)
{
    (void)state;
    static const struct {
        enum bound bound;
        struct setup setup;
    } cases[] = {
        {BOUND_WINDOW, {.window_bytes = MiB}},
        {BOUND_WINDOW, {.window_bytes = MiB, .process_bps = 20 * GBPS}},
        {BOUND_WINDOW, {.window_bytes = MiB, .law = "cubic"}},
        {BOUND_CONGESTION, {.law = "cubic", .loss = 1e-4}},
        {BOUND_CONGESTION, {.law = "cubic", .loss = 1e-4, .window_bytes = 64 * MiB}},
        {BOUND_WAN, {.window_bytes = 32 * MiB}},
        {BOUND_WAN, {.law = "bbr"}},
        {BOUND_WAN, {.window_bytes = 32 * MiB, .nic_bps = 40 * GBPS}},
        {BOUND_NIC, {.window_bytes = 32 * MiB, .nic_bps = 5 * GBPS}},
        {BOUND_CLIENT, {.window_bytes = 16 * MiB, .process_bps = GBPS}},
        {BOUND_CLIENT, {.window_bytes = 16 * MiB, .process_bps = GBPS, .law = "cubic"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        rig_open(&rig, &cases[i].setup);
        steady(&rig);
        rate_bps(&rig, 1, 6000 * MS);
        assert_true(rig.done > MSGS / 8);
        for (int m = 0; m < MSGS; m++) {
            if (rig.load[m].done_ps < 3000 * MS) continue; /* not yet, or in the beginning */
            if (rig.load[m].msg.bound != cases[i].bound)
                fail_msg("case %zu: %s, not %s", i, bound_name(rig.load[m].msg.bound),
                         bound_name(cases[i].bound));
            assert_true(rig.load[m].msg.wait_ps > 0);
        }
        arena_free(&rig.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transport_send__small_message),
        cmocka_unit_test(transport_send__small_messages_apart),
        cmocka_unit_test(transport_send__in_order),
        cmocka_unit_test(transport_stats__bytes_are_conserved),
        cmocka_unit_test(transport_new__same_seed_same_run),
        cmocka_unit_test(transport__connections_share_the_line),
        cmocka_unit_test(transport__slow_start_doubles_each_round_trip),
        cmocka_unit_test(transport__restart_after_idle),
        cmocka_unit_test(transport__jitter_keeps_order),
        cmocka_unit_test(transport_msg__names_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
