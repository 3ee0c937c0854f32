/* test_bound.c - the names of the limits, and the ledger that finds the largest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/bound.h"

static void bound_name__each_has_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < BOUND_N; i++) {
        assert_non_null(bound_name((enum bound)i));
        assert_true(strlen(bound_name((enum bound)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(bound_name((enum bound)i), bound_name((enum bound)j));
    }
    assert_string_equal(bound_name(BOUND_READAHEAD), "read-ahead");
    assert_string_equal(bound_name(BOUND_WINDOW), "window");
    assert_string_equal(bound_name(BOUND_WAN), "wan");
    assert_string_equal(bound_name(BOUND_STARTUP), "start-up");
}

static void bound_largest__of_nothing_is_the_fallback(void **state)
{
    (void)state;
    struct bound_ledger ledger = {0};
    assert_int_equal(bound_largest(&ledger, BOUND_WINDOW), BOUND_WINDOW);
    bound_add(&ledger, BOUND_NIC, 0);
    assert_int_equal(bound_largest(&ledger, BOUND_CREDITS), BOUND_CREDITS);
}

static void bound_largest__the_most_time_the_first_of_equals(void **state)
{
    (void)state;
    struct bound_ledger ledger = {0};
    bound_add(&ledger, BOUND_SERVER, 5);
    bound_add(&ledger, BOUND_WAN, 3);
    assert_int_equal(bound_largest(&ledger, BOUND_COMPUTE), BOUND_SERVER);
    bound_add(&ledger, BOUND_WAN, 2);
    assert_int_equal(bound_largest(&ledger, BOUND_COMPUTE), BOUND_WAN); /* equal, and before */
    bound_add(&ledger, BOUND_SERVER, 1);
    assert_int_equal(bound_largest(&ledger, BOUND_COMPUTE), BOUND_SERVER);
}

static void bound_add_fading__keeps_until_the_sum_is_passed(void **state)
{
    (void)state;
    struct bound_ledger ledger = {0};
    bound_add_fading(&ledger, BOUND_WINDOW, 60, 100);
    bound_add_fading(&ledger, BOUND_NIC, 40, 100); /* 100 is not past 100 */
    assert_int_equal(ledger.ps[BOUND_WINDOW], 60);
    assert_int_equal(ledger.ps[BOUND_NIC], 40);
    bound_add_fading(&ledger, BOUND_NIC, 2, 100);
    assert_int_equal(ledger.ps[BOUND_WINDOW], 30);
    assert_int_equal(ledger.ps[BOUND_NIC], 21);
    assert_int_equal(ledger.ps[BOUND_WAN], 0);
}

/* What held long ago loses against what holds now, however long it held. */
static void bound_add_fading__forgets(void **state)
{
    (void)state;
    struct bound_ledger ledger = {0};
    for (int i = 0; i < 1000; i++)
        bound_add_fading(&ledger, BOUND_WINDOW, 10, 100);
    assert_int_equal(bound_largest(&ledger, BOUND_COMPUTE), BOUND_WINDOW);
    for (int i = 0; i < 15; i++)
        bound_add_fading(&ledger, BOUND_WAN, 10, 100);
    assert_int_equal(bound_largest(&ledger, BOUND_COMPUTE), BOUND_WAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bound_name__each_has_its_own),
        cmocka_unit_test(bound_largest__of_nothing_is_the_fallback),
        cmocka_unit_test(bound_largest__the_most_time_the_first_of_equals),
        cmocka_unit_test(bound_add_fading__keeps_until_the_sum_is_passed),
        cmocka_unit_test(bound_add_fading__forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
