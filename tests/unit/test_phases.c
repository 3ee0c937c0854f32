/* test_phases.c - the ledger of a job's time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/work/phases.h"

static void phases_begin__ends_the_one_before(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct phases phases = {.arena = &arena};
    phases_begin(&phases, "first", 100, 1000);
    phases_begin(&phases, "second", 250, 1700);
    phases_begin(&phases, "empty", 400, 1700);
    phases_end(&phases, 400, 1700);
    int64_t start[] = {100, 250, 400}, end[] = {250, 400, 400}, bytes[] = {700, 0, 0};
    assert_int_equal(phases.n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(phases.list[i].start_ps, start[i]);
        assert_int_equal(phases.list[i].end_ps, end[i]);
        assert_int_equal(phases.list[i].read_bytes, bytes[i]);
    }
    arena_free(&arena);
}

static void phases_begin__as_many_as_there_are(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct phases phases = {.arena = &arena};
    for (int i = 0; i < 1000; i++) {
        phases_begin(&phases, "p", i * 10, 0);
        phases_add(&phases, PHASE_COMPUTE, BOUND_COMPUTE, 0, i);
    }
    phases_end(&phases, 10000, 0);
    assert_int_equal(phases.n, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(phases.list[i].end_ps, (i + 1) * 10);
        assert_int_equal(phases.list[i].share[PHASE_COMPUTE].ps[BOUND_COMPUTE], i);
    }
    arena_free(&arena);
}

static void phases_end__of_nothing_is_nothing(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct phases phases = {.arena = &arena};
    phases_end(&phases, 400, 1700);
    assert_int_equal(phases.n, 0);
    assert_int_equal(phases_sum(&phases, PHASE_COMPUTE), 0);
}

static void phases_add__belongs_to_the_phase_under_way(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct phases phases = {.arena = &arena};
    phases_begin(&phases, "first", 0, 0);
    phases_add(&phases, PHASE_COMPUTE, BOUND_COMPUTE, 0, 30);
    phases_add(&phases, PHASE_READ_STALL, BOUND_WINDOW, 0, 50);
    phases_begin(&phases, "second", 100, 0);
    phases_add(&phases, PHASE_COMPUTE, BOUND_COMPUTE, 0, 7);
    phases_add(&phases, PHASE_READ_STALL, BOUND_WAN, 0, 2);
    phases_add(&phases, PHASE_READ_STALL, BOUND_WAN, 0, 3);
    assert_int_equal(phases.list[0].share[PHASE_READ_STALL].ps[BOUND_WINDOW], 50);
    assert_int_equal(phases.list[0].share[PHASE_READ_STALL].ps[BOUND_WAN], 0);
    assert_int_equal(phases.list[1].share[PHASE_READ_STALL].ps[BOUND_WAN], 5);
    assert_int_equal(phases_sum(&phases, PHASE_COMPUTE), 37);
    assert_int_equal(phases_sum(&phases, PHASE_READ_STALL), 55);
    assert_int_equal(phases_sum(&phases, PHASE_CHECKPOINT), 0);
    arena_free(&arena);
}

struct drawn {
    struct spans spans;
    int n;
    int64_t time_ps;
    char name[64];
};

static void see(void *self, const struct span *span)
{
    struct drawn *drawn = self;
    assert_int_equal(span->at.node, drawn->n % 2);
    assert_int_equal(span->at.lane, PHASES_LANE);
    drawn->n++;
    drawn->time_ps += span->end_ps - span->start_ps;
    snprintf(drawn->name, sizeof drawn->name, "%s %s", span->category, span->name);
}

static void phases_add__draws_what_it_charges_in_each_node(void **state)
{
    (void)state;
    static const struct spans_ops ops = {.span = see};
    struct arena arena = {0};
    struct drawn drawn = {.spans = {&ops, &drawn}};
    struct phases phases = {.arena = &arena, .spans = &drawn.spans, .nodes = 2};
    phases_begin(&phases, "first", 0, 0);
    phases_add(&phases, PHASE_LOAD, BOUND_WAN, 0, 9); /* its readers draw it */
    phases_add(&phases, PHASE_COMPUTE, BOUND_COMPUTE, 9, 0);
    assert_int_equal(drawn.n, 0);
    phases_add(&phases, PHASE_COMPUTE, BOUND_COMPUTE, 9, 30);
    assert_int_equal(drawn.n, 2);
    assert_int_equal(drawn.time_ps, 60);
    assert_string_equal(drawn.name, "compute compute");
    phases_add(&phases, PHASE_READ_STALL, BOUND_WAN, 39, 1);
    assert_string_equal(drawn.name, "wait waits for data: wan");
    arena_free(&arena);
}

static void phases_record__counts_from_the_clock_and_names_the_largest_bound(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct phases phases = {.arena = &arena};
    phases_begin(&phases, "load", 0, 0);
    phases_add(&phases, PHASE_LOAD, BOUND_NIC, 0, 100);
    phases_begin(&phases, "epoch 1", 100, 5000);
    phases_add(&phases, PHASE_COMPUTE, BOUND_COMPUTE, 0, 40);
    phases_add(&phases, PHASE_READ_STALL, BOUND_WINDOW, 0, 30);
    phases_add(&phases, PHASE_CHECKPOINT, BOUND_WINDOW, 0, 30);
    phases_end(&phases, 200, 9000);
    struct record record;
    record_init(&record);
    phases_record(&phases, 100, &record);
    assert_int_equal(record.phase_n, 2);
    assert_string_equal(record.phases[0].name, "load");
    assert_int_equal(record.phases[0].start_ps, -100); /* before the clock */
    assert_int_equal(record.phases[0].end_ps, 0);
    assert_string_equal(record.phases[0].bound, "nic");
    assert_int_equal(record.phases[0].read_bytes, 5000);
    assert_int_equal(record.phases[1].end_ps, 100);
    assert_string_equal(record.phases[1].bound, "window"); /* 60 over both categories */
    assert_int_equal(record.phases[1].read_bytes, 4000);
    static const char *const categories[] = {"load", "compute", "read_stall", "checkpoint"};
    int64_t times[] = {100, 40, 30, 30};
    assert_int_equal(record.share_n, 4); /* shares of no time are left out */
    for (int i = 0; i < 4; i++) {
        assert_string_equal(record.shares[i].category, categories[i]);
        assert_int_equal(record.shares[i].phase, i > 0);
        assert_int_equal(record.shares[i].time_ps, times[i]);
    }
    record_free(&record);
    arena_free(&arena);
}

static void phases_record__every_category_has_a_name_of_its_own(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct phases phases = {.arena = &arena};
    phases_begin(&phases, "all", 0, 0);
    for (int c = 0; c < PHASE_CATEGORIES; c++)
        phases_add(&phases, (enum phase_category)c, BOUND_COMPUTE, 0, 1 + c);
    phases_end(&phases, 36, 0);
    struct record record;
    record_init(&record);
    phases_record(&phases, 0, &record);
    assert_int_equal(record.share_n, PHASE_CATEGORIES);
    for (int64_t i = 0; i < record.share_n; i++)
        for (int64_t j = 0; j < i; j++)
            assert_string_not_equal(record.shares[i].category, record.shares[j].category);
    record_free(&record);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_begin__ends_the_one_before),
        cmocka_unit_test(phases_begin__as_many_as_there_are),
        cmocka_unit_test(phases_end__of_nothing_is_nothing),
        cmocka_unit_test(phases_add__belongs_to_the_phase_under_way),
        cmocka_unit_test(phases_add__draws_what_it_charges_in_each_node),
        cmocka_unit_test(phases_record__counts_from_the_clock_and_names_the_largest_bound),
        cmocka_unit_test(phases_record__every_category_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
