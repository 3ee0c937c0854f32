/* test_check.c - a failed CHECK aborts and says where, what and when. */
#include "sim/base/check.h"
#include "tests/unit/child.h"

static void fail_plain(void)
{
    int lanes = 3;
    CHECK(lanes == 4, "got %d lanes", lanes);
}

static const struct check_context context = {INT64_C(15000000000007), 42, "a.yaml b.yaml"};

static void fail_lent(void)
{
    check_lend(&context);
    CHECK(1 > 2, "impossible");
}

static void fail_taken_back(void)
{
    check_lend(&context);
    check_lend(NULL);
    CHECK(1 > 2, "impossible");
}

static void check_fail__says_where_and_what(void **state)
{
    (void)state;
    char text[512];
    child_aborts(fail_plain, text, sizeof text);
    assert_non_null(strstr(text, "tests/unit/test_check.c:"));
    assert_non_null(strstr(text, ": check failed: lanes == 4: got 3 lanes\n"));
    assert_null(strstr(text, "simulated time"));
}

static void check_lend__adds_the_moment(void **state)
{
    (void)state;
    char text[512];
    child_aborts(fail_lent, text, sizeof text);
    assert_non_null(
        strstr(text, "\n  at simulated time 15.000000000007 s, seed 42, run a.yaml b.yaml\n"));
    child_aborts(fail_taken_back, text, sizeof text);
    assert_null(strstr(text, "simulated time"));
}

static void check__holds(void **state)
{
    (void)state;
    int evaluated = 0;
    CHECK(++evaluated == 1, "evaluated %d times", evaluated);
    assert_int_equal(evaluated, 1);
#ifndef RAILSIM_DEBUG
    DCHECK(++evaluated == 0, "never evaluated");
    assert_int_equal(evaluated, 1);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_fail__says_where_and_what),
        cmocka_unit_test(check_lend__adds_the_moment),
        cmocka_unit_test(check__holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
