/* test_topo_leaf_spine.c - two tiers: counts by hand, bisection, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

static void counts(const char *keys, int64_t leaves, int64_t hosts, int64_t spines)
{
    struct topo_fixture f;
    fixture_open(&f, keys);
    assert_string_equal(f.message, "");
    assert_int_equal(f.made.nodes, leaves * hosts);
    assert_int_equal(f.made.node_ports, 1);
    assert_int_equal(f.facts.tier_n[1], leaves);
    assert_int_equal(f.facts.tier_n[2], spines);
    assert_int_equal(f.facts.cable[0].n, leaves * hosts);
    assert_int_equal(f.facts.cable[1].n, leaves * spines);
    assert_int_equal(f.facts.bisection_bps, leaves * hosts / 2 * 400 * GBPS);
    double others = (double)(leaves * hosts - 1), near = (double)(hosts - 1);
    assert_true(f.facts.hops_mean == (near * 2 + (others - near) * 4) / others);
    fixture_close(&f);
}

static void topo_leaf_spine__counts(void **state)
{
    (void)state;
    counts("kind: leaf-spine", 8, 16, 16);
    counts("kind: leaf-spine, leaves: 32, hosts_per_leaf: 32, spines: 32", 32, 32, 32);
}

static void topo_leaf_spine__places_and_delays(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: leaf-spine, leaves: 3, hosts_per_leaf: 2, spines: 1, link_delay: 500ns,"
                     "link_length: 0m, uplink_length: 2m, switch_latency: 0s");
    assert_int_equal(fixture_links(&f, "node3", "leaf1", &link), 1);
    assert_int_equal(link->delay_ps, 500 * PS_PER_NS);
    assert_int_equal(fixture_links(&f, "node4", "leaf1", &link), 0);
    assert_int_equal(fixture_links(&f, "leaf2", "spine0", &link), 2);
    assert_int_equal(link->delay_ps, 510 * PS_PER_NS);
    for (int32_t i = 0; i < 6; i++)
        assert_int_equal(f.made.endpoint[i], i); /* endpoints are numbered first */
    fixture_close(&f);
}

/* 3 leaves of 2: the middle leaf is cut in two; its halves meet at the leaf itself. */
static void topo_leaf_spine__bisection_through_a_leaf(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, "kind: leaf-spine, leaves: 3, hosts_per_leaf: 2, spines: 1, links_per_pair: 1,"
                     "link_rate: 100Gbps");
    /* One sender of leaf 1 to its neighbour: 100; leaf 0 to leaf 2: one uplink, 100. */
    assert_int_equal(f.facts.half_bps, 300 * GBPS);
    assert_int_equal(f.facts.bisection_bps, 200 * GBPS);
    assert_true(f.facts.over[1] == 2.0);
    fixture_close(&f);
}

static void topo_leaf_spine__refused(void **state)
{
    (void)state;
    fixture_refused("kind: leaf-spine, spines: 5",
                    "C021: no whole number of cables per leaf and spine gives this "
                    "oversubscription: 16 endpoints per leaf, 5 spines");
    fixture_refused("kind: leaf-spine, leaves: 65536, hosts_per_leaf: 4, spines: 4",
                    "C020: 65540 switches; at most 65536");
    fixture_refused("kind: leaf-spine, leaves: 256, hosts_per_leaf: 1024, spines: 1024,"
                    "links_per_pair: 4",
                    "C020: 1310720 cables; at most 1048576");
    fixture_refused("kind: leaf-spine, leaves: 16384, hosts_per_leaf: 4, spines: 1",
                    "C020: 16385 switches times 16384 with endpoints; at most 67108864");
    fixture_refused("kind: leaf-spine, leaves: 4096, hosts_per_leaf: 64, spines: 64",
                    "C020: 524288 cables times 4096 switches with endpoints; at most 1073741824");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_leaf_spine__counts),
        cmocka_unit_test(topo_leaf_spine__places_and_delays),
        cmocka_unit_test(topo_leaf_spine__bisection_through_a_leaf),
        cmocka_unit_test(topo_leaf_spine__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
