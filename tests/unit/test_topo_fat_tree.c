/* test_topo_fat_tree.c - three tiers: k-ary counts, the 320 hosts of HPCC, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

/* k = 4: 16 hosts, 8 + 8 + 4 switches, 3 x 16 cables (Al-Fares et al., figure 3). */
static void topo_fat_tree__four_ary(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: fat-tree, k: 4");
    assert_string_equal(f.message, "");
    assert_int_equal(f.facts.endpoints, 16);
    assert_int_equal(f.facts.tier_n[1], 8);
    assert_int_equal(f.facts.tier_n[2], 8);
    assert_int_equal(f.facts.tier_n[3], 4);
    assert_int_equal(f.facts.cables, 48);
    assert_int_equal(f.facts.bisection_bps, 8 * 400 * GBPS);
    /* of 15 others: 1 in the rack, 2 in the pod, 12 beyond */
    assert_true(f.facts.hops_mean == (2 + 2 * 4 + 12 * 6) / 15.0);
    assert_int_equal(fixture_links(&f, "node15", "pod3/tor1", &link), 1);
    assert_int_equal(fixture_links(&f, "pod3/tor1", "pod3/agg0", &link), 1);
    assert_int_equal(fixture_links(&f, "pod3/tor1", "pod2/agg0", &link), 0);
    assert_int_equal(fixture_links(&f, "pod3/agg1", "core2", &link), 1);
    assert_int_equal(fixture_links(&f, "pod3/agg1", "core1", &link), 0);
    fixture_close(&f);
}

static void topo_fat_tree__hpcc_320(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, "kind: fat-tree, pods: 5, tors_per_pod: 4, aggs_per_pod: 4, hosts_per_tor: 16,"
                     "cores: 16, link_rate: 100Gbps, uplink_rate: 400Gbps, link_delay: 1us,"
                     "link_length: 0m, uplink_length: 0m, switch_latency: 0s");
    assert_int_equal(f.facts.endpoints, 320);
    assert_int_equal(f.facts.switches, 56);
    assert_int_equal(f.facts.tier_n[1], 20);
    assert_int_equal(f.facts.tier_n[2], 20);
    assert_int_equal(f.facts.tier_n[3], 16);
    assert_int_equal(f.facts.cable[0].n, 320);
    assert_int_equal(f.facts.cable[0].bps, 320 * 100 * GBPS);
    assert_int_equal(f.facts.cable[1].n + f.facts.cable[2].n, 160);
    assert_int_equal(f.facts.cable[1].max_bps, 400 * GBPS);
    assert_int_equal(f.facts.bisection_bps, 160 * 100 * GBPS);
    assert_true(f.facts.over[1] == 1.0 && f.facts.over[2] == 1.0);
    for (int64_t l = 0; l < f.graph.link_n; l++)
        assert_int_equal(f.graph.links[l].delay_ps, PS_PER_US);
    fixture_close(&f);
}

static void topo_fat_tree__refused(void **state)
{
    (void)state;
    fixture_refused("kind: fat-tree",
                    "C025: needs k, or pods, tors_per_pod, aggs_per_pod and hosts_per_tor");
    fixture_refused("kind: fat-tree, k: 4, pods: 2", "C025: give either k or the counts, not both");
    fixture_refused("kind: fat-tree, k: 5", "C025: k must be even");
    fixture_refused("kind: fat-tree, pods: 2, tors_per_pod: 1, aggs_per_pod: 2, hosts_per_tor: 1,"
                    "cores: 3",
                    "C024: 3 cores are no multiple of the 2 aggs of a pod");
    fixture_refused("kind: fat-tree, k: 256", "C020: 4194304 endpoints; at most 262144");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_fat_tree__four_ary),
        cmocka_unit_test(topo_fat_tree__hpcc_320),
        cmocka_unit_test(topo_fat_tree__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
