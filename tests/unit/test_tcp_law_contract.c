/* test_tcp_law_contract.c - every registered window law through one harness; then the numbers of
 * CUBIC (RFC 9438) and of the BBR-like law. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/storage/tcp_law.h"
#include "sim/base/units.h"
#include "sim/engine/rng.h"

#define MSS 1000
#define CANARY 0x5a

/* struct rig: a law with its state, and bytes behind that belong to others. */
struct rig {
    const struct tcp_law_ops *law;
    int64_t now_ps, rtt_ps, window;
    union {
        int64_t align;
        unsigned char bytes[TCP_LAW_STATE_MAX + 64];
    } law_state;
};

/* rig_open starts law as a transport does: init, then TCP_IDLE before the first byte. */
static void rig_open(struct rig *rig, const struct tcp_law_ops *law, int64_t rtt_ps)
{
    *rig = (struct rig){.law = law, .rtt_ps = rtt_ps};
    memset(&rig->law_state, CANARY, sizeof rig->law_state);
    law->init(&rig->law_state, MSS);
    rig->window =
        law->step(&rig->law_state,
                  &(struct tcp_signal){.event = TCP_IDLE, .rtt_ps = rtt_ps, .mss_bytes = MSS});
}

static int64_t step(struct rig *rig, struct tcp_signal signal)
{
    signal.now_ps = rig->now_ps;
    signal.mss_bytes = MSS;
    if (signal.rtt_ps == 0) signal.rtt_ps = rig->rtt_ps;
    return rig->window = rig->law->step(&rig->law_state, &signal);
}

/* ack: a whole window arrives one round trip later, the sender was held by the window. */
static int64_t ack_window(struct rig *rig)
{
    rig->now_ps += rig->rtt_ps;
    double bps = (double)rig->window * 8e12 / (double)rig->rtt_ps;
    return step(rig, (struct tcp_signal){.event = TCP_ACK,
                                         .window_limited = true,
                                         .acked_bytes = rig->window,
                                         .delivered_bps = bps < 9e18 ? (int64_t)bps : INT64_MAX});
}

static void near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("%.12g, not %.12g within %g", got, expected, tolerance);
}

/* ---- every law ------------------------------------------------------------------------------- */

static void tcp_law_list__names_and_help(void **state)
{
    (void)state;
    int n = 0;
    for (; tcp_law_list[n]; n++) {
        assert_non_null(tcp_law_names[n]);
        assert_true(strlen(tcp_law_names[n]) > 0);
        assert_true(strlen(tcp_law_list[n]->help) > 0);
        assert_ptr_equal(tcp_law_find(tcp_law_names[n]), tcp_law_list[n]);
        for (int i = 0; i < n; i++)
            assert_string_not_equal(tcp_law_names[i], tcp_law_names[n]);
    }
    assert_null(tcp_law_names[n]);
    assert_ptr_not_equal(tcp_law_find("cubic"), tcp_law_find("bbr"));
    assert_ptr_not_equal(tcp_law_find("cubic"), tcp_law_find("fixed"));
}

/* any_event: what a transport could say, and a little more. Acknowledged is never more than a
 * window, as nobody has more in flight. */
static struct tcp_signal any_event(struct rng *rng, int64_t window)
{
    uint64_t dice = rng_below(rng, 20);
    struct tcp_signal signal = {.event = dice == 0   ? TCP_IDLE
                                         : dice <= 3 ? TCP_LOSS
                                                     : TCP_ACK,
                                .window_limited = rng_below(rng, 3) > 0,
                                .rtt_ps = (int64_t)(rng_u64(rng) >> (20 + rng_below(rng, 43)))};
    if (signal.event != TCP_ACK) return signal;
    signal.acked_bytes = 1 + (int64_t)rng_below(rng, (uint64_t)window);
    if (rng_below(rng, 4))
        signal.delivered_bps = (int64_t)rng_below(rng, UINT64_C(100000000000000));
    return signal;
}

/* run hashes the windows after some thousand random events; the state is sized as the law says. */
static uint64_t run(const struct tcp_law_ops *law, uint64_t seed)
{
    struct rng rng = rng_stream(seed, "tcp law");
    struct rig rig;
    rig_open(&rig, law, PS_PER_MS);
    uint64_t hash = 0;
    for (int i = 0; i < 3000; i++) {
        rig.now_ps += (int64_t)(rng_u64(&rng) >> (20 + rng_below(&rng, 43)));
        int64_t window = step(&rig, any_event(&rng, rig.window));
        assert_true(window > 0);
        assert_true(window <= TCP_WINDOW_MAX);
        hash = hash * UINT64_C(6364136223846793005) + (uint64_t)window;
    }
    for (size_t i = law->state_size; i < sizeof rig.law_state.bytes; i++)
        assert_int_equal(rig.law_state.bytes[i], CANARY);
    return hash;
}

static void tcp_law_step__positive_window_own_state_same_again(void **state)
{
    (void)state;
    for (int n = 0; tcp_law_list[n]; n++) {
        assert_true(tcp_law_list[n]->state_size <= TCP_LAW_STATE_MAX);
        for (uint64_t seed = 1; seed <= 20; seed++)
            assert_true(run(tcp_law_list[n], seed) == run(tcp_law_list[n], seed));
    }
}

static void tcp_law_step__acknowledgements_never_shrink_a_limiting_window(void **state)
{
    (void)state;
    for (int n = 0; tcp_law_list[n]; n++)
        for (int64_t rtt_ps = 10 * PS_PER_US; rtt_ps <= PS_PER_S; rtt_ps *= 10) {
            struct rig rig;
            rig_open(&rig, tcp_law_list[n], rtt_ps);
            int64_t first = rig.window;
            for (int i = 0; i < 20; i++) {
                int64_t before = rig.window;
                assert_true(ack_window(&rig) >= before);
            }
            assert_true(rig.window == TCP_WINDOW_MAX || rig.window >= 1000 * first);
            for (int i = 0; i < 100; i++) { /* with a loss now and then */
                int64_t before = rig.window;
                if (before > INT64_C(1000000000000)) break; /* no line has such a product */
                assert_true(ack_window(&rig) >= before);
                if (i % 10 == 0) step(&rig, (struct tcp_signal){.event = TCP_LOSS});
            }
        }
}

/* An application that does not fill the window is no reason to open it. */
static void tcp_law_step__unused_window_does_not_grow(void **state)
{
    (void)state;
    for (int n = 0; tcp_law_list[n]; n++) {
        struct rig rig;
        rig_open(&rig, tcp_law_list[n], PS_PER_MS);
        int64_t first = rig.window;
        for (int i = 0; i < 100; i++) {
            rig.now_ps += PS_PER_MS;
            step(&rig, (struct tcp_signal){
                           .event = TCP_ACK, .acked_bytes = MSS, .delivered_bps = 8000000});
        }
        assert_int_equal(rig.window, first);
    }
}

static void fixed__never_limits(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, tcp_law_find("fixed"), PS_PER_MS);
    assert_true(rig.window == TCP_WINDOW_MAX);
    assert_true(step(&rig, (struct tcp_signal){.event = TCP_LOSS}) == TCP_WINDOW_MAX);
    assert_true(ack_window(&rig) == TCP_WINDOW_MAX);
}

/* ---- CUBIC ----------------------------------------------------------------------------------- */

/* cubic_at opens CUBIC and lets slow start take it to segments. */
static void cubic_at(struct rig *rig, int64_t segments, int64_t rtt_ps)
{
    rig_open(rig, tcp_law_find("cubic"), rtt_ps);
    assert_int_equal(rig->window, TCP_INITIAL_SEGMENTS * MSS);
    step(rig, (struct tcp_signal){.event = TCP_ACK,
                                  .window_limited = true,
                                  .acked_bytes = (segments - TCP_INITIAL_SEGMENTS) * MSS});
    assert_int_equal(rig->window, segments * MSS);
}

static int64_t lose(struct rig *rig)
{
    return step(rig, (struct tcp_signal){.event = TCP_LOSS});
}

static void cubic__slow_start_doubles(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, tcp_law_find("cubic"), PS_PER_MS);
    for (int64_t segments = 20; segments <= 10240; segments *= 2)
        assert_int_equal(ack_window(&rig), segments * MSS);
}

static void cubic__loss_leaves_seven_tenths(void **state)
{
    (void)state;
    struct rig rig;
    cubic_at(&rig, 1000, PS_PER_MS);
    assert_int_equal(lose(&rig), 700 * MSS);
    assert_in_range(lose(&rig), 490 * MSS - 1, 490 * MSS);
    for (int i = 0; i < 50; i++)
        lose(&rig);
    assert_int_equal(rig.window, 2 * MSS); /* the least */
}

/* W(t + RTT) of RFC 9438 figure 1 after a loss at w_max: an acknowledged window brings the window
 * there. K is of libm here; the law has a cube root of its own. */
static void cubic_curve(double w_max, double w_loss, double t_s, struct rig *rig)
{
    double k_s = cbrt((w_max - w_loss) / 0.4);
    rig->now_ps = units_ps(t_s);
    step(rig,
         (struct tcp_signal){.event = TCP_ACK, .window_limited = true, .acked_bytes = rig->window});
    double d_s = t_s + units_s(rig->rtt_ps) - k_s;
    near((double)rig->window, (0.4 * d_s * d_s * d_s + w_max) * MSS, 2e-5);
}

static void cubic__curve_after_a_loss(void **state)
{
    (void)state;
    for (int64_t segments = 100; segments <= 100000000; segments *= 10) {
        /* A long round trip: CUBIC's own region. K = 4.2 s for 100 segments, 422 s for 1e8. */
        double k_s = cbrt((double)segments * 0.3 / 0.4);
        for (double t = 0.05; t < 1.5; t += 0.1) { /* up to the plateau, and beyond */
            struct rig rig;
            cubic_at(&rig, segments, 200 * PS_PER_MS);
            lose(&rig);
            cubic_curve((double)segments, 0.7 * (double)segments, t * k_s, &rig);
        }
    }
}

/* A loss below the last maximum: W_max = cwnd (1 + beta) / 2 (RFC 9438 4.7). */
static void cubic__fast_convergence(void **state)
{
    (void)state;
    struct rig rig;
    cubic_at(&rig, 1000, 200 * PS_PER_MS);
    lose(&rig);
    assert_in_range(lose(&rig), 490 * MSS - 1, 490 * MSS); /* at 700 */
    cubic_curve(595, 490, 3, &rig);
}

/* A short round trip: as Reno, + 3 (1 - beta) / (1 + beta) = 0.529 segments a round (RFC 9438 4.3),
 * which is far above the cubic curve here. */
static void cubic__reno_friendly_region(void **state)
{
    (void)state;
    struct rig rig;
    cubic_at(&rig, 1000, PS_PER_MS);
    lose(&rig);
    for (int i = 0; i < 500; i++)
        ack_window(&rig);
    near((double)rig.window, (700 + 500 * 0.9 / 1.7) * MSS, 1e-4);
}

/* In one step never to more than 1.5 times the window (RFC 9438 4.2). */
static void cubic__target_is_capped(void **state)
{
    (void)state;
    struct rig rig;
    cubic_at(&rig, 1000, 100 * PS_PER_MS);
    lose(&rig);
    rig.now_ps = 3600 * PS_PER_S;
    step(&rig,
         (struct tcp_signal){.event = TCP_ACK, .window_limited = true, .acked_bytes = rig.window});
    assert_int_equal(rig.window, 1050 * MSS);
}

/* After idleness: from ten segments, in slow start up to where the loss was. */
static void cubic__idle_restarts_from_ten(void **state)
{
    (void)state;
    struct rig rig;
    cubic_at(&rig, 40, PS_PER_MS);
    assert_int_equal(step(&rig, (struct tcp_signal){.event = TCP_IDLE}), 10 * MSS);
    assert_int_equal(ack_window(&rig), 20 * MSS); /* never a loss: no end of slow start */
    assert_int_equal(ack_window(&rig), 40 * MSS);
    assert_int_equal(ack_window(&rig), 80 * MSS);
}

/* Idleness is no loss: the end of slow start stays where it was (Linux tcp_cwnd_restart: ssthresh =
 * max(ssthresh, 3/4 cwnd)). */
static void cubic__idle_does_not_lower_ssthresh(void **state)
{
    (void)state;
    struct rig rig;
    cubic_at(&rig, 1000, PS_PER_MS);
    lose(&rig); /* ssthresh = 700 */
    assert_int_equal(step(&rig, (struct tcp_signal){.event = TCP_IDLE}), 10 * MSS);
    for (int i = 0; i < 6; i++)
        ack_window(&rig); /* 20 .. 640 */
    assert_int_equal(rig.window, 640 * MSS);
    assert_int_equal(ack_window(&rig), 700 * MSS);
}

/* ---- BBR-like -------------------------------------------------------------------------------- */

/* A line of 80 Mb/s, 10 ms: BDP 100 kB. The window grows until the rate does not, then stays at
 * twice the product; neither losses nor a queue change that. */
static void bbr__twice_the_bandwidth_delay_product(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, tcp_law_find("bbr"), 10 * PS_PER_MS);
    assert_int_equal(rig.window, TCP_INITIAL_SEGMENTS * MSS);
    for (int i = 0; i < 40; i++) {
        rig.now_ps += rig.rtt_ps;
        int64_t fair = rig.window < 100000 ? rig.window : 100000;
        step(&rig, (struct tcp_signal){.event = TCP_ACK,
                                       .window_limited = true,
                                       .rtt_ps = rig.window > 100000 ? rig.window * 100000 : 0,
                                       .acked_bytes = fair,
                                       .delivered_bps = fair * 800});
        if (i > 30) near((double)rig.window, 200000, 1e-3);
        if (i > 20) assert_int_equal(lose(&rig), rig.window);
    }
}

/* A line that holds less than a segment still gets four of them. */
static void bbr__four_segments_at_least(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, tcp_law_find("bbr"), 10 * PS_PER_US);
    for (int i = 0; i < 40; i++) {
        rig.now_ps += 1000 * rig.rtt_ps; /* 800 kb/s: a byte in flight */
        step(&rig, (struct tcp_signal){.event = TCP_ACK,
                                       .window_limited = true,
                                       .acked_bytes = MSS,
                                       .delivered_bps = 800000});
    }
    assert_int_equal(rig.window, 4 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_law_list__names_and_help),
        cmocka_unit_test(tcp_law_step__positive_window_own_state_same_again),
        cmocka_unit_test(tcp_law_step__acknowledgements_never_shrink_a_limiting_window),
        cmocka_unit_test(tcp_law_step__unused_window_does_not_grow),
        cmocka_unit_test(fixed__never_limits),
        cmocka_unit_test(cubic__slow_start_doubles),
        cmocka_unit_test(cubic__loss_leaves_seven_tenths),
        cmocka_unit_test(cubic__curve_after_a_loss),
        cmocka_unit_test(cubic__fast_convergence),
        cmocka_unit_test(cubic__reno_friendly_region),
        cmocka_unit_test(cubic__target_is_capped),
        cmocka_unit_test(cubic__idle_restarts_from_ten),
        cmocka_unit_test(cubic__idle_does_not_lower_ssthresh),
        cmocka_unit_test(bbr__twice_the_bandwidth_delay_product),
        cmocka_unit_test(bbr__four_segments_at_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
