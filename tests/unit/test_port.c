/* test_port.c - an egress port alone, between two stand-ins that write down what leaves and comes:
 * order, times, pauses, and when the lazy port looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/port_rig.h"

static void port_serialise_ps__whole_and_rounded_up(void **state)
{
    (void)state;
    static const struct {
        int64_t rate_bps, bytes, expected_ps;
    } cases[] = {{400000000000, 1, 20},       {400000000000, 4178, 83560}, {300000000000, 1, 27},
                 {300000000000, 3, 80},       {16000000000000, 3, 2},      {1000000, 1, 8000000},
                 {123456789, 1000, 64800001}, {100000000, 9098, 727840000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        rig_open(&rig, cases[i].rate_bps);
        assert_int_equal(port_serialise_ps(&rig.port, cases[i].bytes), cases[i].expected_ps);
        assert_int_equal(port_serialise_slow_ps(&rig.port, cases[i].bytes), cases[i].expected_ps);
        arena_free(&rig.arena);
    }
}

static void port_enqueue__idle_starts_at_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 7, data);
    run(&rig);
    came(&rig, 0, 0, 7 + 100 * BYTE_PS + DELAY_PS);
    assert_int_equal(rig.left_n, 1);
    assert_int_equal(rig.left[0].at_ps, 7);
    assert_int_equal(rig.port.tx_bytes, 100);
    assert_int_equal(rig.port.queue_max_bytes, 0);
    assert_int_equal(sim_events(rig.sim), 2); /* the test's own, and the arrival */
    arena_free(&rig.arena);
}

/* They follow without a gap, and cost one event each. */
static void port_enqueue__back_to_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    run(&rig);
    for (int i = 0; i < 3; i++) {
        came(&rig, i, (uint32_t)i, (i + 1) * 100 * BYTE_PS + DELAY_PS);
        assert_int_equal(rig.left[i].at_ps, i * 100 * BYTE_PS);
    }
    assert_int_equal(rig.port.queue_max_bytes, 200);
    assert_int_equal(rig.port.queue_bytes, 0);
    assert_int_equal(rig.port.data_packets, 3);
    assert_int_equal(sim_events(rig.sim), 4);
    arena_free(&rig.arena);
}

/* Control overtakes what waits, not what is being sent. */
static void port_enqueue__control_goes_first(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 500, control);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 3, 2200 + DELAY_PS);
    came(&rig, 2, 1, 4200 + DELAY_PS);
    came(&rig, 3, 2, 6200 + DELAY_PS);
    assert_int_equal(rig.port.control_packets, 1);
    arena_free(&rig.arena);
}

/* More than the first ring takes, all in order. */
static void port_enqueue__many(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    for (int i = 0; i < LOG; i++)
        data(&rig);
    assert_int_equal(rig.port.queue_bytes, (LOG - 1) * 100);
    run(&rig);
    assert_int_equal(rig.came_n, LOG);
    for (int i = 0; i < LOG; i++)
        came(&rig, i, (uint32_t)i, (i + 1) * 100 * BYTE_PS + DELAY_PS);
    arena_free(&rig.arena);
}

/* What began goes out; what waits stays, control does not; it goes on from the end of the pause. */
static void port_pause__stops_data_only(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 2500, pause_it); /* 0 is out, 1 has begun */
    at(&rig, 6000, control);
    at(&rig, 10001, let_go);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 4000 + DELAY_PS);
    came(&rig, 2, 3, 6200 + DELAY_PS);
    came(&rig, 3, 2, 12001 + DELAY_PS);
    assert_int_equal(rig.left[2].at_ps, 10001);
    assert_int_equal(rig.port.pauses, 1);
    assert_int_equal(rig.port.paused_ps, 10001 - 2500);
    arena_free(&rig.arena);
}

static void port_pause__twice_is_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, pause_it);
    at(&rig, 100, pause_it);
    at(&rig, 200, data);
    at(&rig, 1000, let_go);
    run(&rig);
    came(&rig, 0, 0, 1000 + 2000 + DELAY_PS);
    assert_int_equal(rig.port.pauses, 1);
    assert_int_equal(rig.port.paused_ps, 1000);
    let_go(&rig);
    assert_int_equal(rig.port.paused_ps, 1000);
    arena_free(&rig.arena);
}

static void make_eager(struct rig *rig)
{
    port_eager(&rig->port, true);
}

static void make_lazy(struct rig *rig)
{
    port_eager(&rig->port, false);
}

/* Both say the same times; only the eager one says so on time. */
static void port_eager__tells_of_each_start_on_time(void **state)
{
    (void)state;
    struct rig lazy, eager;
    rig_open(&lazy, 400000000000);
    rig_open(&eager, 400000000000);
    lazy.port.delay_ps = eager.port.delay_ps = 100000;
    make_eager(&eager);
    at(&lazy, 0, three_data);
    at(&eager, 0, three_data);
    run(&lazy);
    run(&eager);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lazy.left[i].at_ps, i * 2000);
        assert_int_equal(eager.left[i].at_ps, i * 2000);
        assert_int_equal(eager.left[i].called_ps, i * 2000);
        came(&lazy, i, (uint32_t)i, (i + 1) * 2000 + 100000);
        came(&eager, i, (uint32_t)i, (i + 1) * 2000 + 100000);
    }
    assert_true(lazy.left[2].called_ps > 4000);
    arena_free(&lazy.arena);
    arena_free(&eager.arena);
}

static void port_eager__and_lazily_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    rig.port.delay_ps = 100000;
    at(&rig, 0, three_data);
    at(&rig, 500, make_eager);
    at(&rig, 2500, make_lazy);
    run(&rig);
    assert_int_equal(rig.left[1].called_ps, 2000);
    assert_int_equal(rig.left[2].at_ps, 4000);
    assert_true(rig.left[2].called_ps > 4000);
    came(&rig, 2, 2, 6000 + 100000);
    arena_free(&rig.arena);
}

static void rearm(struct rig *rig)
{
    port_advance(&rig->port, sim_now_ps(rig->sim));
    rig->source_n = 3;
    port_rearm(&rig->port);
}

/* A source's packets start when they may: its pace, not the port's. */
static void port_rearm__a_source_that_paces(void **state)
{
    (void)state;
    struct rig rig;
    rig_open_source(&rig, 400000000000);
    rig.ready_ps = 300;
    at(&rig, 100, rearm);
    run(&rig);
    for (int i = 0; i < 3; i++)
        came(&rig, i, (uint32_t)i, 300 + i * 5000 + 2000 + DELAY_PS);
    assert_int_equal(rig.port.data_packets, 3);
    arena_free(&rig.arena);
}

static void port_pause__holds_the_source_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_open_source(&rig, 400000000000);
    at(&rig, 0, rearm);
    at(&rig, 1000, pause_it);
    at(&rig, 2500, control);
    at(&rig, 9000, let_go);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 2700 + DELAY_PS);
    came(&rig, 2, 2, 9000 + 2000 + DELAY_PS);
    came(&rig, 3, 3, 14000 + 2000 + DELAY_PS);
    arena_free(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_serialise_ps__whole_and_rounded_up),
        cmocka_unit_test(port_enqueue__idle_starts_at_once),
        cmocka_unit_test(port_enqueue__back_to_back),
        cmocka_unit_test(port_enqueue__control_goes_first),
        cmocka_unit_test(port_enqueue__many),
        cmocka_unit_test(port_pause__stops_data_only),
        cmocka_unit_test(port_pause__twice_is_once),
        cmocka_unit_test(port_pause__holds_the_source_back),
        cmocka_unit_test(port_eager__tells_of_each_start_on_time),
        cmocka_unit_test(port_eager__and_lazily_again),
        cmocka_unit_test(port_rearm__a_source_that_paces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
