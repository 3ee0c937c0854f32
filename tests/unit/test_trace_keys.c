/* test_trace_keys.c - numbers by key: order of arrival, bytes that differ, memory used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/trace/trace_keys.h"

static void add__numbers_keys_in_order_of_arrival(void **state)
{
    (void)state;
    struct trace_keys keys = {0};
    for (int64_t i = 0; i < 10000; i++) {
        int64_t id = i * 1000003;
        assert_int_equal(trace_keys_find(&keys, &id, sizeof id), -1);
        assert_int_equal(trace_keys_add(&keys, &id, sizeof id), i);
    }
    for (int64_t i = 0; i < 10000; i++) {
        int64_t id = i * 1000003;
        assert_int_equal(trace_keys_find(&keys, &id, sizeof id), i);
        assert_int_equal(trace_keys_add(&keys, &id, sizeof id), i);
    }
    assert_int_equal(keys.n, 10000);
    trace_keys_free(&keys);
}

static void find__tells_bytes_and_lengths_apart(void **state)
{
    (void)state;
    struct trace_keys keys = {0};
    assert_int_equal(trace_keys_add(&keys, "ab", 2), 0);
    assert_int_equal(trace_keys_add(&keys, "a", 1), 1);
    assert_int_equal(trace_keys_add(&keys, "", 0), 2);
    assert_int_equal(trace_keys_add(&keys, "a\0", 2), 3);
    assert_int_equal(trace_keys_find(&keys, "", 0), 2);
    assert_int_equal(trace_keys_find(&keys, "b", 1), -1);
    size_t len;
    assert_memory_equal(trace_keys_text(&keys, 3, &len), "a\0", 2);
    assert_int_equal(len, 2);
    trace_keys_free(&keys);
}

static void clear__forgets_a_big_set_and_takes_a_small_one(void **state)
{
    (void)state;
    struct trace_keys keys = {0};
    for (int round = 0; round < 3; round++) {
        int32_t n = round == 0 ? 5000 : 3;
        for (int32_t i = 0; i < n; i++)
            assert_int_equal(trace_keys_add(&keys, &i, sizeof i), i);
        trace_keys_clear(&keys);
        assert_int_equal(keys.n, 0);
        for (int32_t i = 0; i < n; i++)
            assert_int_equal(trace_keys_find(&keys, &i, sizeof i), -1);
        for (int64_t i = 0; i < keys.slot_cap; i++)
            assert_int_equal(keys.slot[i], 0);
    }
    trace_keys_free(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__numbers_keys_in_order_of_arrival),
        cmocka_unit_test(find__tells_bytes_and_lengths_apart),
        cmocka_unit_test(clear__forgets_a_big_set_and_takes_a_small_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
