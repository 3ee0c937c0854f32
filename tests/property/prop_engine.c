/* prop_engine.c - laws of the engine under random timers: many seeds, dense and sparse.
 *
 * A mirror keeps, for every timer, when it is due and its place in the order of arming. Whatever
 * callbacks arm, move and stop: each firing is the one the mirror has, at its time, and the pairs
 * (time, order) only grow. With "nothing is left armed at the end" that is a complete description
 * of the sorted order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "sim/engine/rng.h"
#include "sim/engine/sim.h"

#define TIMERS_MAX 3000

struct law;

/* struct mirrored: a timer and what the engine ought to know of it. */
struct mirrored {
    struct timer timer;
    struct law *law;
    bool armed;
    int64_t at_ps;
    uint64_t order;
};

struct law {
    struct arena arena;
    struct sim *sim;
    struct rng rng;
    int timers;
    int64_t span_ps; /* 0: delays of every size, else below this */
    int64_t left;    /* firings that may still arm something */
    uint64_t acts;   /* at each of them, at most */
    uint64_t orders, last_order;
    int64_t last_ps, armed;
    struct mirrored mirror[TIMERS_MAX];
};

static int64_t any_delay_ps(struct law *law)
{
    static const int64_t typical[] = {0, 0, 80000, 500000, 600000, 1000000, PS_PER_MS, PS_PER_S};
    if (law->span_ps) return (int64_t)rng_below(&law->rng, (uint64_t)law->span_ps);
    uint64_t dice = rng_below(&law->rng, 100);
    if (dice < 60) return typical[dice % 8];
    int bits = (int)rng_below(&law->rng, 50);
    /* Up to 10^15 ps: every level of the wheel, and the borders of its slots. */
    int64_t power = INT64_C(1) << bits;
    return dice < 70 ? power - 1 + (int64_t)rng_below(&law->rng, 3)
                     : (int64_t)rng_below(&law->rng, (uint64_t)power);
}

static void law_arm(struct law *law, struct mirrored *mirrored, int64_t delay_ps)
{
    law->armed += !mirrored->armed;
    mirrored->armed = true;
    mirrored->at_ps = sim_now_ps(law->sim) + delay_ps;
    mirrored->order = ++law->orders;
    if (law->orders % 2)
        timer_after(law->sim, &mirrored->timer, delay_ps);
    else
        timer_arm(law->sim, &mirrored->timer, mirrored->at_ps);
}

static void law_stop(struct law *law, struct mirrored *mirrored)
{
    law->armed -= mirrored->armed;
    mirrored->armed = false;
    timer_stop(law->sim, &mirrored->timer);
}

/* act arms, moves or stops a few timers; enough to keep a part of them armed. */
static void act(struct law *law)
{
    for (uint64_t n = 1 + rng_below(&law->rng, law->acts); n > 0; n--) {
        struct mirrored *mirrored = &law->mirror[rng_below(&law->rng, (uint64_t)law->timers)];
        uint64_t dice = rng_below(&law->rng, 8);
        if (dice == 0)
            law_stop(law, mirrored);
        else if (dice == 1)
            law_arm(law, mirrored, 0);
        else
            law_arm(law, mirrored, any_delay_ps(law));
    }
}

static void law_fire(struct sim *sim, void *self)
{
    struct mirrored *mirrored = self;
    struct law *law = mirrored->law;
    assert_true(mirrored->armed);
    assert_int_equal(mirrored->at_ps, sim_now_ps(sim));
    assert_true(mirrored->at_ps >= law->last_ps); /* the clock is monotone */
    if (mirrored->at_ps == law->last_ps) assert_true(mirrored->order > law->last_order);
    law->last_ps = mirrored->at_ps;
    law->last_order = mirrored->order;
    mirrored->armed = false;
    law->armed--;
    assert_false(timer_armed(&mirrored->timer));
    if (law->left-- > 0) act(law);
}

static struct law the_law; /* too large for a stack */

static struct law *law_open(uint64_t seed, int timers, int64_t span_ps, int64_t firings)
{
    struct law *law = &the_law;
    *law = (struct law){.timers = timers, .span_ps = span_ps, .left = firings, .acts = 3};
    law->sim = sim_new(&law->arena, seed, "prop_engine");
    law->rng = rng_stream(seed, "prop_engine");
    for (int i = 0; i < timers; i++) {
        law->mirror[i].law = law;
        timer_init(&law->mirror[i].timer, law_fire, &law->mirror[i], sim_component(law->sim), 0);
        law_arm(law, &law->mirror[i], any_delay_ps(law));
    }
    return law;
}

static uint64_t law_close(struct law *law)
{
    uint64_t fingerprint = sim_fingerprint(law->sim);
    assert_int_equal(law->armed, 0);
    for (int i = 0; i < law->timers; i++)
        assert_false(timer_armed(&law->mirror[i].timer));
    arena_free(&law->arena);
    return fingerprint;
}

static const struct sim_limits no_limits;

static uint64_t run_whole(uint64_t seed, int timers, int64_t span_ps, int64_t firings)
{
    struct law *law = law_open(seed, timers, span_ps, firings);
    assert_int_equal(sim_run(law->sim, &no_limits), SIM_IDLE);
    assert_true(law->left <= 0); /* it did not die out */
    return law_close(law);
}

static void engine__order_of_few_timers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        run_whole(seed, 40, 0, 1500);
}

/* Slots with many timers: insertion gives way to digits. */
static void engine__order_of_dense_timers(void **state)
{
    (void)state;
    static const int64_t spans_ps[] = {1, 3, 900, 5000, 100000, 10000000};
    for (uint64_t i = 0; i < sizeof spans_ps / sizeof spans_ps[0]; i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            run_whole(seed, TIMERS_MAX, spans_ps[i], 6000);
}

/* So many moves and stops that what they leave in the queue is swept out, many times: the order
 * stays, and the memory does not grow with them. */
static void engine__order_under_many_moves(void **state)
{
    (void)state;
    static const int64_t spans_ps[] = {2, 900, 3000, 1000000, 0};
    for (uint64_t i = 0; i < sizeof spans_ps / sizeof spans_ps[0]; i++) {
        struct law *law = law_open(i + 1, 400, spans_ps[i], 4000);
        law->acts = 60;
        assert_int_equal(sim_run(law->sim, &no_limits), SIM_IDLE);
        assert_true(law->left <= 0 && law->orders > 80000);
        assert_true(law->arena.bytes < 2000000);
        law_close(law);
    }
}

static void engine__same_seed_same_fingerprint(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t fingerprint = run_whole(seed, 40, 0, 500);
        assert_true(run_whole(seed, 40, 0, 500) == fingerprint);
        assert_true(fingerprint != last);
        last = fingerprint;
    }
}

/* Stopping at any event or moment and going on changes nothing. */
static void engine__pauses_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t whole = run_whole(seed, 40, 0, 500);
        struct law *law = law_open(seed, 40, 0, 500);
        struct rng pauses = rng_stream(seed, "pauses");
        enum sim_stop stop = SIM_MAX_TIME;
        while (stop != SIM_IDLE) {
            struct sim_limits limits = {.max_sim_ps = sim_now_ps(law->sim) + 1};
            limits.max_sim_ps += (int64_t)(rng_u64(&pauses) >> (13 + rng_below(&pauses, 50)));
            if (rng_below(&pauses, 2)) {
                limits.max_sim_ps = 0;
                limits.max_events = sim_events(law->sim) + 1 + (int64_t)rng_below(&pauses, 5);
            }
            stop = sim_run(law->sim, &limits);
        }
        assert_true(law_close(law) == whole);
    }
}

/* Timers armed, moved and stopped between runs, while the wheel has looked ahead. */
static void engine__acts_between_runs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct law *law = law_open(seed, 40, 0, 300);
        for (int i = 0; i < 200; i++) {
            int64_t ahead_ps = any_delay_ps(law) / 1000;
            sim_run(law->sim,
                    &(struct sim_limits){.max_sim_ps = sim_now_ps(law->sim) + 1 + ahead_ps});
            act(law);
        }
        assert_int_equal(sim_run(law->sim, &no_limits), SIM_IDLE);
        law_close(law);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine__order_of_few_timers),
        cmocka_unit_test(engine__order_of_dense_timers),
        cmocka_unit_test(engine__order_under_many_moves),
        cmocka_unit_test(engine__same_seed_same_fingerprint),
        cmocka_unit_test(engine__pauses_change_nothing),
        cmocka_unit_test(engine__acts_between_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
