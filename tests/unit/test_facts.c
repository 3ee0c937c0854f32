/* test_facts.c - counts, tiers and ways of a small network by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

/* Three tiers and a cable between leaves: a, b at s0; c at s1; s0, s1 at s2; s2 at s3. */
#define KEYS                                                                                       \
    "kind: explicit, hosts: [{name: a}, {name: b}, {name: c}],"                                    \
    "switches: [{name: s0}, {name: s1}, {name: s2}, {name: s3}],"                                  \
    "links: [{from: a, to: s0, rate: 10Gbps}, {from: b, to: s0, rate: 30Gbps},"                    \
    "{from: s1, to: c, rate: 20Gbps}, {from: s2, to: s0, rate: 5Gbps, count: 2},"                  \
    "{from: s1, to: s2, rate: 5Gbps}, {from: s0, to: s1, rate: 1Gbps},"                            \
    "{from: s2, to: s3, rate: 3Gbps}]"

static void facts_of__by_hand(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, KEYS);
    const struct facts *facts = &f.facts;
    assert_string_equal(f.message, "");
    assert_int_equal(facts->endpoints, 3);
    assert_int_equal(facts->switches, 4);
    assert_int_equal(facts->cables, 8);
    assert_int_equal(facts->tiers, 3);
    assert_int_equal(facts->tier_n[0], 3);
    assert_int_equal(facts->tier_n[1], 2);
    assert_int_equal(facts->tier_n[2], 1);
    assert_int_equal(facts->tier_n[3], 1);
    static const struct facts_cables rows[] = {
        {0, 1, 3, 60 * GBPS, 10 * GBPS, 30 * GBPS},
        {1, 1, 1, GBPS, GBPS, GBPS},
        {1, 2, 3, 15 * GBPS, 5 * GBPS, 5 * GBPS},
        {2, 3, 1, 3 * GBPS, 3 * GBPS, 3 * GBPS},
    };
    assert_int_equal(facts->cable_n, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(facts->cable[i].low, rows[i].low);
        assert_int_equal(facts->cable[i].high, rows[i].high);
        assert_int_equal(facts->cable[i].n, rows[i].n);
        assert_int_equal(facts->cable[i].bps, rows[i].bps);
        assert_int_equal(facts->cable[i].min_bps, rows[i].min_bps);
        assert_int_equal(facts->cable[i].max_bps, rows[i].max_bps);
    }
    assert_true(facts->over[1] == 4.0 && facts->over[2] == 5.0 && facts->over[3] == 0);
    assert_int_equal(facts->hops_min, 2);
    assert_int_equal(facts->hops_max, 3);
    assert_true(facts->hops_mean == (2 * 2 + 4 * 3) / 6.0);
    /* One of the three sends: half of the rate at s0, 20, to its neighbour (20) and to c. */
    assert_int_equal(facts->half_bps, 20 * GBPS);
    assert_int_equal(facts->bisection_bps, 20 * GBPS);
    const int32_t *tier = facts_tiers(&f.arena, &f.graph, &f.made);
    assert_int_equal(tier[fixture_node(&f, "c")], 0);
    assert_int_equal(tier[fixture_node(&f, "s1")], 1);
    assert_int_equal(tier[fixture_node(&f, "s3")], 3);
    fixture_close(&f);
}

static void facts_of__one_endpoint(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, "kind: single-switch");
    assert_int_equal(f.facts.endpoints, 1);
    assert_int_equal(f.facts.hops_max, 0);
    assert_true(f.facts.hops_mean == 0);
    assert_int_equal(f.facts.bisection_bps, 0);
    assert_int_equal(f.facts.unreached, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of__by_hand),
        cmocka_unit_test(facts_of__one_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
