/* test_shape.c - every rank has one seat in one group of each kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "models/step/shape.h"

static const struct shape shapes[] = {
    {.tensor = 1, .context = 1, .data = 1, .pipeline = 1, .expert = 1},
    {.tensor = 4, .context = 2, .data = 3, .pipeline = 2, .expert = 1},
    {.tensor = 2, .context = 2, .data = 4, .pipeline = 3, .expert = 4},
    {.tensor = 2, .context = 1, .data = 4, .pipeline = 3, .expert = 2, .data_outermost = true},
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

static void shape_rank__undoes_place(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int32_t r = 0; r < shape_ranks(&shapes[s]); r++) {
            const struct shape_place place = shape_place(&shapes[s], r);
            assert_int_equal(shape_rank(&shapes[s], &place), r);
        }
}

static void shape_place__tensor_is_innermost_pipeline_outermost(void **state)
{
    (void)state;
    const struct shape_place next = shape_place(&shapes[1], 1), last = shape_place(&shapes[1], 47);
    assert_int_equal(next.tensor, 1);
    assert_int_equal(next.stage, 0);
    assert_int_equal(last.stage, 1);
    assert_int_equal(shape_place(&shapes[1], 24).stage, 1);
    /* data_outermost: stages are two ranks apart */
    assert_int_equal(shape_place(&shapes[3], 2).stage, 1);
    assert_int_equal(shape_place(&shapes[3], 6).data, 1);
}

static void shape_seat__each_seat_is_taken_once(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int kind = 0; kind < SHAPE_GROUPS; kind++) {
            bool taken[64] = {false};
            int32_t size = shape_size(&shapes[s], (enum shape_group)kind);
            assert_int_equal(size * shape_count(&shapes[s], (enum shape_group)kind),
                             shape_ranks(&shapes[s]));
            for (int32_t r = 0; r < shape_ranks(&shapes[s]); r++) {
                const struct shape_seat seat = shape_seat(&shapes[s], (enum shape_group)kind, r);
                assert_in_range(seat.member, 0, size - 1);
                assert_false(taken[seat.group * size + seat.member]);
                taken[seat.group * size + seat.member] = true;
            }
        }
}

static void shape_seat__replicas_hold_the_same_parameters(void **state)
{
    (void)state;
    const struct shape *shape = &shapes[2];
    for (int32_t a = 0; a < shape_ranks(shape); a++)
        for (int32_t b = 0; b < shape_ranks(shape); b++) {
            const struct shape_place p = shape_place(shape, a), q = shape_place(shape, b);
            bool same = p.tensor == q.tensor && p.stage == q.stage;
            assert_int_equal(shape_seat(shape, SHAPE_REPLICAS, a).group ==
                                 shape_seat(shape, SHAPE_REPLICAS, b).group,
                             same);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_rank__undoes_place),
        cmocka_unit_test(shape_place__tensor_is_innermost_pipeline_outermost),
        cmocka_unit_test(shape_seat__each_seat_is_taken_once),
        cmocka_unit_test(shape_seat__replicas_hold_the_same_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
