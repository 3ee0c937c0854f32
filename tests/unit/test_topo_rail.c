/* test_topo_rail.c - scalable units: the published counts, rails, pods, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

/* The published numbers: per unit 4 leaves, 256 host links, 256 uplinks; 8 spines for all. */
static void topo_rail__one_to_four_units(void **state)
{
    (void)state;
    for (int units = 1; units <= 4; units++) {
        struct topo_fixture f;
        char keys[80];
        snprintf(keys, sizeof keys, "kind: rail, scalable_units: %d", units);
        fixture_open(&f, keys);
        assert_string_equal(f.message, "");
        assert_int_equal(f.made.nodes, 32 * units);
        assert_int_equal(f.made.node_ports, 8);
        assert_int_equal(f.facts.endpoints, 256 * units);
        assert_int_equal(f.facts.switches, 4 * units + 8);
        assert_int_equal(f.facts.tiers, 2);
        assert_int_equal(f.facts.tier_n[1], 4 * units);
        assert_int_equal(f.facts.tier_n[2], 8);
        assert_int_equal(f.facts.cable_n, 2);
        assert_int_equal(f.facts.cable[0].n, 256 * units);
        assert_int_equal(f.facts.cable[0].bps, 256 * units * 400 * GBPS);
        assert_int_equal(f.facts.cable[1].n, 256 * units);
        assert_int_equal(f.facts.bisection_bps, 128 * units * 400 * GBPS);
        assert_int_equal(f.facts.bisection_bps, f.facts.half_bps);
        assert_true(f.facts.over[1] == 1.0);
        assert_int_equal(f.facts.hops_min, 2);
        assert_int_equal(f.facts.hops_max, 4);
        /* 63 others at the same leaf, the rest two links further */
        double others = 256.0 * units - 1;
        assert_true(f.facts.hops_mean == (63 * 2 + (others - 63) * 4) / others);
        fixture_close(&f);
    }
}

/* Rails 2k and 2k+1 of all servers of a unit are at its leaf k. */
static void topo_rail__rails_of_a_unit_share_leaves(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, "kind: rail, scalable_units: 2, nodes_per_unit: 3");
    assert_string_equal(f.message, "C021: no whole number of cables per leaf and spine gives this "
                                   "oversubscription: 6 endpoints per leaf, 8 spines");
    fixture_close(&f);
    fixture_open(&f, "kind: rail, scalable_units: 2, nodes_per_unit: 4");
    const struct routes *routes = routes_new(&f.arena, &f.graph, NULL);
    for (int node = 0; node < 8; node++)
        for (int rail = 0; rail < 8; rail++) {
            char name[32], leaf[32];
            snprintf(name, sizeof name, "node%d/nic%d", node, rail);
            snprintf(leaf, sizeof leaf, "unit%d/leaf%d", node / 4, rail / 2);
            int32_t endpoint = f.made.endpoint[node * 8 + rail];
            assert_string_equal(f.graph.nodes[endpoint].name, name);
            assert_int_equal(routes->end[endpoint].home, fixture_node(&f, leaf));
        }
    assert_string_equal(f.graph.nodes[f.made.edge].name, "unit0/leaf0");
    fixture_close(&f);
}

static void topo_rail__delays_and_parallel_cables(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: rail, link_delay: 100ns, link_length: 3m, uplink_length: 40m,"
                     "switch_latency: 500ns, uplink_rate: 800Gbps");
    assert_int_equal(fixture_links(&f, "node31/nic7", "unit0/leaf3", &link), 1);
    assert_int_equal(link->kind, TOPO_NIC);
    assert_int_equal(link->rate_bps, 400 * GBPS);
    assert_int_equal(link->delay_ps, (100 + 15 + 500) * PS_PER_NS);
    assert_int_equal(fixture_links(&f, "unit0/leaf3", "node31/nic7", &link), 1);
    assert_int_equal(link->delay_ps, (100 + 15) * PS_PER_NS);
    /* Twice the rate above, so half the cables. */
    assert_int_equal(fixture_links(&f, "unit0/leaf3", "spine7", &link), 4);
    assert_int_equal(link->kind, TOPO_FABRIC);
    assert_int_equal(link->rate_bps, 800 * GBPS);
    assert_int_equal(link->delay_ps, (100 + 200 + 500) * PS_PER_NS);
    assert_string_equal(link->name, "unit0/leaf3>spine7#0");
    assert_int_equal(fixture_links(&f, "spine7", "unit0/leaf3", &link), 4);
    assert_string_equal(link->name, "spine7>unit0/leaf3#0");
    fixture_close(&f);
}

static void topo_rail__oversubscription(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, "kind: rail, scalable_units: 3, oversubscription: 2");
    assert_int_equal(f.facts.cable[1].n, 384);
    assert_true(f.facts.over[1] == 2.0);
    assert_int_equal(f.facts.bisection_bps, 384 * 400 * GBPS / 2);
    assert_int_equal(f.facts.bisection_bps * 2, f.facts.half_bps);
    fixture_close(&f);
    fixture_open(&f, "kind: rail, uplinks_per_pair: 3");
    assert_int_equal(f.facts.cable[1].n, 96);
    fixture_close(&f);
}

/* 64 units: 16 pods of 4 units and 16 spines, 128 cores of 128 ports. */
static void topo_rail__cores_join_pods(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: rail, scalable_units: 64, units_per_pod: 4, spines: 16, cores: 128");
    assert_string_equal(f.message, "");
    assert_int_equal(f.facts.endpoints, 16384);
    assert_int_equal(f.facts.tier_n[1], 256);
    assert_int_equal(f.facts.tier_n[2], 256);
    assert_int_equal(f.facts.tier_n[3], 128);
    assert_int_equal(f.facts.cable[1].n, 16384);
    assert_int_equal(f.facts.cable[2].n, 16384);
    assert_int_equal(f.facts.bisection_bps, 8192 * 400 * GBPS);
    assert_int_equal(f.facts.hops_max, 6);
    assert_int_equal(fixture_links(&f, "unit5/leaf1", "pod1/spine15", &link), 4);
    assert_int_equal(fixture_links(&f, "unit5/leaf1", "pod0/spine15", &link), 0);
    assert_int_equal(fixture_links(&f, "pod3/spine2", "core16", &link), 8);
    assert_int_equal(fixture_links(&f, "pod3/spine2", "core23", &link), 8);
    assert_int_equal(fixture_links(&f, "pod3/spine2", "core24", &link), 0);
    fixture_close(&f);
}

static void topo_rail__refused(void **state)
{
    (void)state;
    fixture_refused("kind: rail, leaves_per_unit: 3",
                    "C022: 8 rails do not spread evenly over 3 leaves");
    fixture_refused("kind: rail, scalable_units: 5", "C023: a spine needs 160 ports; it has 128");
    fixture_refused("kind: rail, nodes_per_unit: 64", "C023: a leaf needs 256 ports; it has 128");
    fixture_refused("kind: rail, scalable_units: 6, units_per_pod: 4",
                    "C024: 6 units do not fill pods of 4");
    fixture_refused("kind: rail, scalable_units: 8, units_per_pod: 4",
                    "C024: 2 pods need cores that join them");
    fixture_refused("kind: rail, cores: 8", "C024: one pod needs no cores");
    fixture_refused("kind: rail, scalable_units: 2, units_per_pod: 1, cores: 12",
                    "C024: 12 cores are no multiple of the 8 spines of a pod");
    fixture_refused("kind: rail, scalable_units: 2, units_per_pod: 1, cores: 24",
                    "C021: no whole number of cables per spine and core carries what the leaves of "
                    "a pod send; give it");
    fixture_refused("kind: rail, oversubscription: 3",
                    "C021: no whole number of cables per leaf and spine gives this "
                    "oversubscription: 64 endpoints per leaf, 8 spines");
    fixture_refused("kind: rail, scalable_units: 4096, switch_ports: 0",
                    "C020: 1048576 endpoints; at most 262144");
    fixture_refused("kind: rail, scalable_units: 4096, nodes_per_unit: 65536, rails: 64,"
                    "uplinks_per_pair: 1024, switch_ports: 0",
                    "C020: 17179869184 endpoints; at most 262144");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_rail__one_to_four_units),
        cmocka_unit_test(topo_rail__rails_of_a_unit_share_leaves),
        cmocka_unit_test(topo_rail__delays_and_parallel_cables),
        cmocka_unit_test(topo_rail__oversubscription),
        cmocka_unit_test(topo_rail__cores_join_pods),
        cmocka_unit_test(topo_rail__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
