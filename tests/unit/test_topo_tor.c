/* test_topo_tor.c - racks with one switch: all ports of a server at it, pods, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

static void topo_tor__one_pod(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: tor");
    assert_string_equal(f.message, "");
    assert_int_equal(f.made.nodes, 32);
    assert_int_equal(f.made.node_ports, 8);
    assert_int_equal(f.facts.tier_n[1], 8);
    assert_int_equal(f.facts.tier_n[2], 8);
    assert_int_equal(f.facts.cable[0].n, 256);
    assert_int_equal(f.facts.cable[1].n, 256);
    assert_int_equal(f.facts.bisection_bps, 128 * 400 * GBPS);
    for (int port = 0; port < 8; port++) {
        char name[32];
        snprintf(name, sizeof name, "node7/nic%d", port);
        assert_int_equal(fixture_links(&f, name, "tor1", &link), 1);
    }
    fixture_close(&f);
}

static void topo_tor__pods(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: tor, racks: 32, racks_per_pod: 8, cores: 16, switch_ports: 64");
    assert_string_equal(f.message, "");
    assert_int_equal(f.facts.endpoints, 1024);
    assert_int_equal(f.facts.tier_n[1], 32);
    assert_int_equal(f.facts.tier_n[2], 32);
    assert_int_equal(f.facts.tier_n[3], 16);
    assert_int_equal(f.facts.cable[2].n, 1024);
    assert_int_equal(f.facts.bisection_bps, 512 * 400 * GBPS);
    assert_int_equal(f.facts.hops_max, 6);
    assert_int_equal(fixture_links(&f, "pod1/tor0", "pod1/spine3", &link), 4);
    assert_int_equal(fixture_links(&f, "pod1/spine3", "core7", &link), 16);
    fixture_close(&f);
}

static void topo_tor__refused(void **state)
{
    (void)state;
    fixture_refused("kind: tor, racks_per_pod: 3", "C024: 8 racks do not fill pods of 3");
    fixture_refused("kind: tor, nodes_per_rack: 16", "C023: a tor needs 256 ports; it has 128");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_tor__one_pod),
        cmocka_unit_test(topo_tor__pods),
        cmocka_unit_test(topo_tor__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
