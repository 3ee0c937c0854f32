/* test_route_ecmp.c - collisions of hashed flows against the closed form (fabric.md 4.4). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/route_rig.h"

/* Mean throughput of n equal flows on n equal links: the share of links that are hit. */
static double permutation(int32_t n, int seeds)
{
    struct route_rig rig;
    int64_t hit_n = 0;
    route_rig_open(&rig, "kind: ecmp", n, 1);
    for (int s = 0; s < seeds; s++) {
        struct rng rng = rng_stream((uint64_t)s, "ports");
        bool hit[ROUTE_PORTS] = {false};
        for (int32_t f = 0; f < n; f++)
            hit[route_rig_pick(&rig, (uint32_t)rng_u64(&rng))] = true;
        for (int32_t i = 0; i < n; i++)
            hit_n += hit[i];
    }
    route_rig_close(&rig);
    return (double)hit_n / n / seeds;
}

static void near(double got, double expected, double tolerance)
{
    if (fabs(got - expected) > tolerance * expected) fail_msg("%g, expected %g", got, expected);
}

static void pick__permutation_reaches_the_closed_form(void **state)
{
    (void)state;
    near(permutation(8, 4000), 0.6564, 0.01);
    near(permutation(64, 1000), 0.6350, 0.01);
    near(permutation(16, 2000), 1 - pow(1 - 1.0 / 16, 16), 0.01);
}

/* Flows whose hashes are neighbours (as counters are) must spread as well as random ones. */
static void pick__spreads_consecutive_flows_like_random_ones(void **state)
{
    (void)state;
    struct route_rig rig;
    int64_t hit_n = 0;
    route_rig_open(&rig, "kind: ecmp", 8, 1);
    for (uint32_t s = 0; s < 4000; s++) {
        bool hit[8] = {false};
        for (uint32_t f = 0; f < 8; f++)
            hit[route_rig_pick(&rig, 8 * s + f)] = true;
        for (int i = 0; i < 8; i++)
            hit_n += hit[i];
    }
    route_rig_close(&rig);
    near((double)hit_n / 8 / 4000, 0.6564, 0.01);
}

/* Meta: with 16 links and 1000 flows the fullest link has 1.2 times the mean. */
static void pick__sixteen_links_and_1000_flows(void **state)
{
    (void)state;
    struct route_rig rig;
    double sum = 0;
    route_rig_open(&rig, "kind: ecmp", 16, 1);
    for (int s = 0; s < 1000; s++) {
        struct rng rng = rng_stream((uint64_t)s, "ports");
        int64_t count[16] = {0}, most = 0;
        for (int f = 0; f < 1000; f++) {
            int32_t i = route_rig_pick(&rig, (uint32_t)rng_u64(&rng));
            if (++count[i] > most) most = count[i];
        }
        sum += (double)most / (1000.0 / 16);
    }
    route_rig_close(&rig);
    near(sum / 1000, 1.230, 0.01);
}

/* Two stages: with a salt the second switch splits what the first one bundled, without not. */
static int second_stage(const char *body)
{
    struct route_rig rig;
    bool hit[8] = {false};
    int hit_n = 0;
    route_rig_open(&rig, body, 8, 1);
    for (uint32_t flow = 0; flow < 800; flow++) {
        rig.view.node = 1;
        if (route_rig_pick(&rig, flow) != 5) continue;
        rig.view.node = 2;
        hit[route_rig_pick(&rig, flow)] = true;
    }
    for (int i = 0; i < 8; i++)
        hit_n += hit[i];
    route_rig_close(&rig);
    return hit_n;
}

static void pick__polarises_only_without_salt(void **state)
{
    (void)state;
    assert_int_equal(second_stage("kind: ecmp"), 8);
    assert_int_equal(second_stage("kind: ecmp, salt: none"), 1);
}

static void pick__moves_only_the_flows_of_a_dead_link(void **state)
{
    (void)state;
    struct route_rig rig;
    int32_t before[1000];
    route_rig_open(&rig, "kind: ecmp", 8, 1);
    for (uint32_t f = 0; f < 1000; f++)
        before[f] = route_rig_pick(&rig, f);
    rig.down[2] = true;
    for (uint32_t f = 0; f < 1000; f++) {
        int32_t now = route_rig_pick(&rig, f);
        if (before[f] != 2) assert_int_equal(now, before[f]);
    }
    route_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pick__permutation_reaches_the_closed_form),
        cmocka_unit_test(pick__spreads_consecutive_flows_like_random_ones),
        cmocka_unit_test(pick__sixteen_links_and_1000_flows),
        cmocka_unit_test(pick__polarises_only_without_salt),
        cmocka_unit_test(pick__moves_only_the_flows_of_a_dead_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
