/* test_route_adaptive.c - grades, flows that stay, and the rules that look at queues or gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/route_rig.h"

#define US 1000000

/* Counts of 16000 packets, step_ps and more apart. */
static void count_picks(struct route_rig *rig, int64_t step_ps, int64_t count[16])
{
    memset(count, 0, 16 * sizeof *count);
    for (int p = 0; p < 16000; p++) {
        rig->view.now_ps += step_ps;
        count[route_rig_pick(rig, 1)]++;
    }
}

static void adaptive__takes_only_the_lowest_grade(void **state)
{
    (void)state;
    struct route_rig rig;
    int64_t count[16];
    route_rig_open(&rig, "kind: adaptive", 16, 1);
    for (int i = 0; i < 16; i++) /* grades 3 2 1 0 3 2 1 0 ... */
        rig.queue_bytes[i] = (const int64_t[]){1920000, 192000, 19200, 19199}[i % 4];
    count_picks(&rig, US, count);
    for (int i = 0; i < 16; i++)
        if (i % 4 == 3)
            assert_in_range(count[i], 3700, 4300);
        else
            assert_int_equal(count[i], 0);
    for (int i = 3; i < 16; i += 4)
        rig.queue_bytes[i] = 1919999; /* grade 2 */
    count_picks(&rig, US, count);
    for (int i = 0; i < 16; i++)
        if (i % 4 == 2)
            assert_in_range(count[i], 3700, 4300);
        else
            assert_int_equal(count[i], 0);
    route_rig_close(&rig);
}

/* Where a port is free, hardly more than one queue is looked at; nobody follows an old grade. */
static void adaptive__decides_by_the_grades_of_the_moment(void **state)
{
    (void)state;
    struct route_rig rig;
    route_rig_open(&rig, "kind: adaptive", 16, 1);
    for (int p = 0; p < 1000; p++) {
        int32_t only = p % 16;
        for (int i = 0; i < 16; i++)
            rig.queue_bytes[i] = i == only ? 0 : 19200;
        assert_int_equal(route_rig_pick(&rig, 1), only);
    }
    for (int i = 0; i < 16; i++)
        rig.queue_bytes[i] = i < 8 ? 0 : 19200;
    rig.looks = 0;
    for (int p = 0; p < 1000; p++)
        assert_in_range(route_rig_pick(&rig, 1), 0, 7);
    assert_in_range(rig.looks, 1800, 3500);
    route_rig_close(&rig);
}

static void adaptive__flows_stay_for_a_period(void **state)
{
    (void)state;
    struct route_rig rig;
    route_rig_open(&rig, "kind: adaptive, period: 1us", 16, 1);
    int64_t moves = 0;
    for (int turn = 0; turn < 100; turn++) {
        int32_t first = route_rig_pick(&rig, 1);
        for (int p = 0; p < 99; p++) /* 10 ns each */
            assert_int_equal(route_rig_pick(&rig, 1), first);
        rig.view.now_ps += 10000;
        moves += route_rig_pick(&rig, 1) != first;
        rig.view.now_ps += US;
    }
    assert_in_range(moves, 85, 100); /* 15 of 16 */
    int32_t at = route_rig_pick(&rig, 1);
    rig.queue_bytes[at] = 19200;
    assert_int_not_equal(route_rig_pick(&rig, 1), at); /* at once: the grade rose */
    route_rig_close(&rig);
}

static void adaptive__thresholds_must_grow(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct err err = {0};
    struct schema_variant config;
    static const char text[] = "{kind: adaptive, medium: 99}";
    struct tree_node *tree = tree_read_text(&arena, "x.yaml", text, sizeof text - 1, &err);
    struct schema_into into = {.arena = &arena, .prefix = "", .err = &err};
    assert_false(schema_bind_variant(&into, route_kinds, tree, &config));
    assert_non_null(strstr(err.messages[0], "C040"));
    err_free(&err);
    arena_free(&arena);
}

static void jsq__takes_the_shortest_queue(void **state)
{
    (void)state;
    struct route_rig rig;
    struct rng rng = rng_stream(1, "queues");
    route_rig_open(&rig, "kind: jsq", 16, 1);
    for (int p = 0; p < 1000; p++) {
        int64_t least = INT64_MAX;
        for (int i = 0; i < 16; i++) {
            rig.queue_bytes[i] = (int64_t)rng_below(&rng, 5);
            if (rig.queue_bytes[i] < least) least = rig.queue_bytes[i];
        }
        assert_int_equal(rig.queue_bytes[route_rig_pick(&rig, 1)], least);
    }
    route_rig_close(&rig);
}

static void flowlet__moves_only_after_a_gap(void **state)
{
    (void)state;
    struct route_rig rig;
    route_rig_open(&rig, "kind: flowlet, gap: 5us", 16, 1);
    int64_t moves = 0;
    for (int p = 0; p < 160; p++) {
        int32_t before = route_rig_pick(&rig, 42);
        rig.view.now_ps += 5 * US - 10000; /* the next comes after exactly the gap */
        assert_int_equal(route_rig_pick(&rig, 42), before);
        rig.view.now_ps += 5 * US - 10000 + 1;
        moves += route_rig_pick(&rig, 42) != before;
    }
    assert_in_range(moves, 130, 160); /* 15 of 16 */
    route_rig_close(&rig);
}

static void flowlet__forgets_a_link_that_is_no_candidate(void **state)
{
    (void)state;
    struct route_rig rig;
    route_rig_open(&rig, "kind: flowlet", 4, 1);
    int32_t others[4] = {900, 901, 902, 903};
    route_rig_pick(&rig, 42);
    rig.view.link = others;
    int32_t now = route_rig_pick(&rig, 42);
    assert_int_equal(route_rig_pick(&rig, 42), now);
    route_rig_close(&rig);
}

static void spray__in_turn_visits_all(void **state)
{
    (void)state;
    struct route_rig rig;
    route_rig_open(&rig, "kind: spray, mode: round-robin", 7, 1);
    int32_t before = route_rig_pick(&rig, 1);
    for (int p = 0; p < 50; p++) {
        int32_t now = route_rig_pick(&rig, 1);
        assert_int_equal(now, (before + 1) % 7);
        before = now;
    }
    route_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adaptive__takes_only_the_lowest_grade),
        cmocka_unit_test(adaptive__decides_by_the_grades_of_the_moment),
        cmocka_unit_test(adaptive__flows_stay_for_a_period),
        cmocka_unit_test(adaptive__thresholds_must_grow),
        cmocka_unit_test(jsq__takes_the_shortest_queue),
        cmocka_unit_test(flowlet__moves_only_after_a_gap),
        cmocka_unit_test(flowlet__forgets_a_link_that_is_no_candidate),
        cmocka_unit_test(spray__in_turn_visits_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
