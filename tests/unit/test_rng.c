/* test_rng.c - the generator's published outputs, independent streams, unbiased bounds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/rng.h"

/* Source: outputs of the authors' splitmix64.c for the seeds 0 and 1234567. */
static void rng_u64__published_values(void **state)
{
    (void)state;
    struct rng zero = {0}, other = {1234567};
    assert_true(rng_u64(&zero) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(rng_u64(&zero) == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(rng_u64(&zero) == UINT64_C(0x06c45d188009454f));
    assert_true(rng_u64(&other) == UINT64_C(6457827717110365317));
    assert_true(rng_u64(&other) == UINT64_C(3203168211198807973));
}

static void rng_stream__by_seed_and_name(void **state)
{
    (void)state;
    assert_true(rng_stream(1, "wan/loss").state == rng_stream(1, "wan/loss").state);
    assert_true(rng_stream(1, "wan/loss").state != rng_stream(2, "wan/loss").state);
    assert_true(rng_stream(1, "wan/loss").state != rng_stream(1, "wan/jitter").state);
    assert_true(rng_stream(1, "").state != rng_stream(1, "a").state);
    /* Neighbours in seed and name share no outputs near their start. */
    struct rng a = rng_stream(1, "gpu/1"), b = rng_stream(1, "gpu/2"), c = rng_stream(2, "gpu/1");
    int ones = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rng_u64(&a);
        ones += __builtin_popcountll(x ^ rng_u64(&b)) + __builtin_popcountll(x ^ rng_u64(&c));
    }
    assert_in_range(ones, 63000, 65000); /* 64,000 expected, sigma 179 */
}

static void rng_derive__repetitions(void **state)
{
    (void)state;
    assert_true(rng_derive(7, 0) == 7);
    assert_true(rng_derive(7, 1) != rng_derive(7, 2));
    assert_true(rng_derive(7, 1) != rng_derive(8, 1));
    assert_true(rng_derive(7, 1) != 7);
}

static void rng_below__uniform(void **state)
{
    (void)state;
    struct rng rng = rng_stream(3, "die");
    int seen[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t n = rng_below(&rng, 6);
        assert_true(n < 6);
        seen[n]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 9600, 10400); /* sigma 91 */
    assert_true(rng_below(&rng, 1) == 0);
    /* A bound of 3/4 of the range is where a biased method shows: the lower half of the results
     * would be twice as likely as the upper. */
    const uint64_t bound = UINT64_C(3) << 62;
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t n = rng_below(&rng, bound);
        assert_true(n < bound);
        low += n < bound / 2;
    }
    assert_in_range(low, 14600, 15400); /* sigma 87 */
}

static void rng_unit__mean_and_range(void **state)
{
    (void)state;
    struct rng rng = rng_stream(3, "unit");
    double sum = 0, least = 1, most = 0;
    for (int i = 0; i < 100000; i++) {
        double x = rng_unit(&rng);
        assert_true(x >= 0 && x < 1);
        sum += x;
        if (x < least) least = x;
        if (x > most) most = x;
    }
    assert_true(fabs(sum / 100000 - 0.5) < 0.005); /* sigma 0.0009 */
    assert_true(least < 1e-3 && most > 1 - 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_u64__published_values), cmocka_unit_test(rng_stream__by_seed_and_name),
        cmocka_unit_test(rng_derive__repetitions),   cmocka_unit_test(rng_below__uniform),
        cmocka_unit_test(rng_unit__mean_and_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
