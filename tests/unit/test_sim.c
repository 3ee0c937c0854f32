/* test_sim.c - the clock, the order of timers, stop rules and guards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "sim/engine/sim.h"
#include "tests/unit/child.h"

#define LOG_MAX 64

/* struct rig: a simulation, some timers, and what fired when. */
struct rig {
    struct arena arena;
    struct sim *sim;
    struct probe {
        struct timer timer;
        struct rig *rig;
        int name;
        void (*then)(struct rig *);
    } probe[8];
    int fired[LOG_MAX], n;
    int64_t at_ps[LOG_MAX];
};

static void probe_fire(struct sim *sim, void *self)
{
    struct probe *probe = self;
    struct rig *rig = probe->rig;
    if (rig->n < LOG_MAX) {
        rig->fired[rig->n] = probe->name;
        rig->at_ps[rig->n] = sim_now_ps(sim);
    }
    rig->n++;
    if (probe->then) probe->then(rig);
}

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){0};
    rig->sim = sim_new(&rig->arena, 42, "a test");
    for (int i = 0; i < 8; i++) {
        rig->probe[i].rig = rig;
        rig->probe[i].name = i;
        timer_init(&rig->probe[i].timer, probe_fire, &rig->probe[i], sim_component(rig->sim), 0);
    }
}

static void arm(struct rig *rig, int i, int64_t at_ps)
{
    timer_arm(rig->sim, &rig->probe[i].timer, at_ps);
}

/* order expects that exactly the probes of text ("120") have fired, in that order. */
static void order(const struct rig *rig, const char *text)
{
    char got[LOG_MAX + 1] = "";
    for (int i = 0; i < rig->n && i < LOG_MAX; i++)
        got[i] = (char)('0' + rig->fired[i]);
    assert_string_equal(got, text);
}

static const struct sim_limits no_limits;

static void sim_new__state(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    assert_int_equal(sim_now_ps(rig.sim), 0);
    assert_int_equal(sim_seed(rig.sim), 42);
    assert_ptr_equal(sim_arena(rig.sim), &rig.arena);
    assert_int_equal(sim_component(rig.sim), 8); /* the probes took 0..7 */
    assert_int_equal(sim_component(rig.sim), 9);
    assert_int_equal(sim_events(rig.sim), 0);
    arena_free(&rig.arena);
}

static void timer_arm__by_time_then_by_order_of_arming(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    arm(&rig, 0, 5000);
    arm(&rig, 1, 1280);
    arm(&rig, 2, 5000);
    arm(&rig, 3, 1279);
    arm(&rig, 4, 5000);
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "31024");
    assert_int_equal(rig.at_ps[0], 1279);
    assert_int_equal(rig.at_ps[4], 5000);
    assert_int_equal(sim_now_ps(rig.sim), 5000);
    assert_int_equal(sim_events(rig.sim), 5);
    arena_free(&rig.arena);
}

static void timer_arm__every_distance(void **state)
{
    (void)state;
    static const int64_t at_ps[] = {INT64_C(1) << 62, 80000,           PS_PER_S,      0,
                                    PS_PER_MS,        3600 * PS_PER_S, INT64_MAX - 1, PS_PER_S + 1};
    struct rig rig;
    rig_open(&rig);
    for (int i = 0; i < 8; i++)
        arm(&rig, i, at_ps[i]);
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "31427506");
    for (int i = 0; i < 8; i++)
        assert_int_equal(rig.at_ps[i], at_ps[rig.fired[i]]);
    arena_free(&rig.arena);
}

static void timer_arm__moves_and_requeues(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    arm(&rig, 0, 100);
    arm(&rig, 1, 100);
    arm(&rig, 0, 100); /* now behind 1 */
    arm(&rig, 2, 1000000);
    arm(&rig, 2, 50); /* nearer */
    arm(&rig, 3, 60);
    arm(&rig, 3, PS_PER_S); /* farther */
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "2103");
    arena_free(&rig.arena);
}

static void timer_stop__removes(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    for (int i = 0; i < 4; i++)
        arm(&rig, i, 1000000 * i);
    assert_true(timer_armed(&rig.probe[2].timer));
    timer_stop(rig.sim, &rig.probe[2].timer);
    timer_stop(rig.sim, &rig.probe[2].timer); /* again: no effect */
    timer_stop(rig.sim, &rig.probe[0].timer);
    assert_false(timer_armed(&rig.probe[2].timer));
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "13");
    assert_false(timer_armed(&rig.probe[1].timer)); /* fired */
    arena_free(&rig.arena);
}

static void now_and_later(struct rig *rig)
{
    rig->probe[0].then = NULL;
    timer_after(rig->sim, &rig->probe[3].timer, 0);
    timer_after(rig->sim, &rig->probe[4].timer, 10);
    timer_after(rig->sim, &rig->probe[0].timer, 0); /* itself */
    timer_stop(rig->sim, &rig->probe[2].timer);     /* same moment, not yet fired */
}

/* What is armed for the present moment fires after all that were armed for it before. */
static void timer_after__in_a_callback(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = now_and_later;
    for (int i = 0; i < 3; i++)
        arm(&rig, i, 7000);
    arm(&rig, 5, 7005);
    arm(&rig, 6, 7010);
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "0130564");
    assert_int_equal(rig.at_ps[3], 7000);
    arena_free(&rig.arena);
}

/* All within a nanosecond: the slot that is being fired. */
static void stop_and_move(struct rig *rig)
{
    timer_stop(rig->sim, &rig->probe[1].timer);
    timer_stop(rig->sim, &rig->probe[5].timer);
    arm(rig, 2, 7020); /* behind 4, which is armed for then already */
    arm(rig, 3, 7001); /* before all */
    arm(rig, 6, PS_PER_MS);
    arm(rig, 1, 7015);
}

static void timer_arm__and_stop_in_the_slot_being_fired(void **state)
{
    (void)state;
    static const int64_t at_ps[] = {7000, 7000, 7010, 7030, 7020, 7020, 7025, 7030};
    static const int64_t fired_ps[] = {7000, 7001, 7015, 7020, 7020, 7030, PS_PER_MS};
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = stop_and_move;
    for (int i = 0; i < 8; i++)
        arm(&rig, i, at_ps[i]);
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "0314276");
    assert_memory_equal(rig.at_ps, fired_ps, sizeof fired_ps);
    arena_free(&rig.arena);
}

/* What a timer leaves behind when it is moved is reclaimed, in whichever part of the queue. */
static void timer_arm__moved_often_takes_no_memory(void **state)
{
    (void)state;
    static const int64_t delays_ps[] = {0, 500, 80000, PS_PER_MS, 3600 * PS_PER_S};
    for (int d = 0; d < 5; d++) {
        struct rig rig;
        rig_open(&rig);
        arm(&rig, 1, delays_ps[d]); /* what stays is not lost, nor its place */
        size_t before_bytes = rig.arena.bytes;
        for (int i = 0; i < 50000; i++)
            arm(&rig, 0, delays_ps[d]);
        arm(&rig, 2, delays_ps[d]);
        assert_true(rig.arena.bytes < before_bytes + 400000);
        assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
        order(&rig, "102");
        arena_free(&rig.arena);
    }
}

static void again(struct rig *rig)
{
    timer_after(rig->sim, &rig->probe[0].timer, 1000);
}

/* Chunks go round: a thousand slots, one after the other, take no more memory than one. */
static void timer_arm__recycles(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = again;
    arm(&rig, 0, 0);
    sim_run(rig.sim, &(struct sim_limits){.max_events = 10});
    size_t before_bytes = rig.arena.bytes;
    sim_run(rig.sim, &(struct sim_limits){.max_events = 10000});
    assert_int_equal(rig.arena.bytes, before_bytes);
    arena_free(&rig.arena);
}

static void finish(struct rig *rig)
{
    sim_finish(rig->sim);
}

static void sim_finish__after_this_event(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.probe[1].then = finish;
    for (int i = 0; i < 3; i++)
        arm(&rig, i, 500);
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_DONE);
    order(&rig, "01");
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_DONE); /* it stays finished */
    order(&rig, "01");
    arena_free(&rig.arena);
}

static void sim_run__max_events_exactly(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = again;
    arm(&rig, 0, 0);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){.max_events = 10}), SIM_MAX_EVENTS);
    assert_int_equal(rig.n, 10);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){.max_events = 100000}), SIM_MAX_EVENTS);
    assert_int_equal(rig.n, 100000);
    assert_int_equal(sim_events(rig.sim), 100000);
    assert_int_equal(sim_now_ps(rig.sim), 99999000);
    arena_free(&rig.arena);
}

static void sim_run__max_sim_time_exactly(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = again;
    arm(&rig, 0, 0);
    struct sim_limits limits = {.max_sim_ps = 5000};
    assert_int_equal(sim_run(rig.sim, &limits), SIM_MAX_TIME);
    assert_int_equal(rig.n, 6); /* also the one at 5000 */
    limits.max_sim_ps = 10500;
    assert_int_equal(sim_run(rig.sim, &limits), SIM_MAX_TIME);
    assert_int_equal(rig.n, 11);
    assert_int_equal(sim_now_ps(rig.sim), 10500);
    /* The wheel has looked ahead; what is armed now for before that still fires first. */
    arm(&rig, 1, 10600);
    arm(&rig, 2, 10500);
    limits.max_sim_ps = 11000;
    assert_int_equal(sim_run(rig.sim, &limits), SIM_MAX_TIME);
    order(&rig, "00000000000210");
    arena_free(&rig.arena);
}

static void sim_run__after_idle(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    arm(&rig, 0, PS_PER_S);
    timer_stop(rig.sim, &rig.probe[0].timer); /* its slot is found empty */
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    assert_int_equal(sim_now_ps(rig.sim), 0);
    arm(&rig, 2, 2 * PS_PER_S);
    arm(&rig, 1, 20);
    arm(&rig, 0, 10);
    arm(&rig, 3, PS_PER_S);
    assert_int_equal(sim_run(rig.sim, &no_limits), SIM_IDLE);
    order(&rig, "0132");
    arena_free(&rig.arena);
}

static void sim_run__wall_and_memory_guards(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = again;
    arm(&rig, 0, 0);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){.max_mem_bytes = 4096}), SIM_MAX_MEM);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){.max_wall_ps = 5 * PS_PER_MS}),
                     SIM_MAX_WALL);
    assert_true(rig.n > 0);
    arena_free(&rig.arena);
}

static uint64_t fingerprint_of(int64_t second_ps, uint32_t kind)
{
    struct rig rig;
    rig_open(&rig);
    rig.probe[1].timer.kind = kind;
    arm(&rig, 0, 1000);
    arm(&rig, 1, second_ps);
    sim_run(rig.sim, &no_limits);
    uint64_t fingerprint = sim_fingerprint(rig.sim);
    arena_free(&rig.arena);
    return fingerprint;
}

static void sim_fingerprint__of_time_component_kind_and_order(void **state)
{
    (void)state;
    uint64_t expected = fingerprint_of(2000, 0);
    assert_true(fingerprint_of(2000, 0) == expected);
    assert_true(fingerprint_of(2001, 0) != expected);
    assert_true(fingerprint_of(2000, 1) != expected);
    struct rig rig;
    rig_open(&rig); /* the same events of the two components exchanged */
    arm(&rig, 1, 1000);
    arm(&rig, 0, 2000);
    sim_run(rig.sim, &no_limits);
    assert_true(sim_fingerprint(rig.sim) != expected);
    arena_free(&rig.arena);
    /* A constant: the same on every compiler, optimisation level and machine. */
    assert_int_equal(expected, UINT64_C(0xd5312a9d51e588d8));
}

static void sim_stop_name__all(void **state)
{
    (void)state;
    static const char *const names[] = {"ok",           "deadlock", "max-events",
                                        "max-sim-time", "max-wall", "max-mem"};
    for (int i = 0; i < SIM_STOPS; i++)
        assert_string_equal(sim_stop_name((enum sim_stop)i), names[i]);
}

static void past(struct rig *rig)
{
    arm(rig, 1, sim_now_ps(rig->sim) - 1);
}

static void overflow(struct rig *rig)
{
    timer_after(rig->sim, &rig->probe[1].timer, INT64_MAX);
}

static void run_with(void (*mistake)(struct rig *))
{
    struct rig rig;
    rig_open(&rig);
    rig.probe[0].then = mistake;
    arm(&rig, 0, 2000);
    sim_run(rig.sim, &no_limits);
}

static void run_past(void)
{
    run_with(past);
}

static void run_overflow(void)
{
    run_with(overflow);
}

static void timer_arm__in_the_past_aborts(void **state)
{
    (void)state;
    static void (*const mistakes[])(void) = {run_past, run_overflow};
    for (int i = 0; i < 2; i++) {
        char text[512];
        child_aborts(mistakes[i], text, sizeof text);
        assert_non_null(strstr(text, "timer 0 of component 1 armed for"));
        assert_non_null(strstr(text, "at simulated time 0.000000002000 s, seed 42, run a test"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_new__state),
        cmocka_unit_test(timer_arm__by_time_then_by_order_of_arming),
        cmocka_unit_test(timer_arm__every_distance),
        cmocka_unit_test(timer_arm__moves_and_requeues),
        cmocka_unit_test(timer_stop__removes),
        cmocka_unit_test(timer_after__in_a_callback),
        cmocka_unit_test(timer_arm__and_stop_in_the_slot_being_fired),
        cmocka_unit_test(timer_arm__moved_often_takes_no_memory),
        cmocka_unit_test(timer_arm__recycles),
        cmocka_unit_test(sim_finish__after_this_event),
        cmocka_unit_test(sim_run__max_events_exactly),
        cmocka_unit_test(sim_run__max_sim_time_exactly),
        cmocka_unit_test(sim_run__after_idle),
        cmocka_unit_test(sim_run__wall_and_memory_guards),
        cmocka_unit_test(sim_fingerprint__of_time_component_kind_and_order),
        cmocka_unit_test(sim_stop_name__all),
        cmocka_unit_test(timer_arm__in_the_past_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
