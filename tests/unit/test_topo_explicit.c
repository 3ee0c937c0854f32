/* test_topo_explicit.c - a network written out, and all that can be wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

#define SWITCHES "kind: explicit, switches: [{name: s0, latency: 2us}, {name: s1, latency: 0s}],"
#define HOSTS "hosts: [{name: a}, {name: b}],"

static void topo_explicit__as_written(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, SWITCHES "hosts: [{name: z}, {name: x}, {name: y}],"
                              "links: [{from: s1, to: x, rate: 100Gbps, delay: 1us},"
                              "{from: y, to: s1, rate: 25Gbps},"
                              "{from: s0, to: s1, rate: 50Gbps, length: 1km, delay: 3us, count: 2},"
                              "{from: z, to: s0, rate: 100Gbps}]");
    assert_string_equal(f.message, "");
    assert_int_equal(f.made.nodes, 3);
    assert_int_equal(f.made.node_ports, 1);
    assert_string_equal(f.graph.nodes[f.made.endpoint[0]].name, "z");
    assert_string_equal(f.graph.nodes[f.made.endpoint[2]].name, "y");
    assert_int_equal(f.made.edge, fixture_node(&f, "s1"));
    assert_int_equal(fixture_links(&f, "x", "s1", &link), 1);
    assert_int_equal(link->kind, TOPO_NIC);
    assert_int_equal(link->rate_bps, 100 * GBPS);
    assert_int_equal(link->delay_ps, PS_PER_US);
    assert_int_equal(fixture_links(&f, "s0", "s1", &link), 2);
    assert_int_equal(link->kind, TOPO_FABRIC);
    assert_int_equal(link->delay_ps, 8 * PS_PER_US);
    assert_int_equal(fixture_links(&f, "s1", "s0", &link), 2);
    assert_int_equal(link->delay_ps, 10 * PS_PER_US);
    assert_int_equal(f.facts.cables, 5);
    assert_int_equal(f.facts.bisection_bps, 100 * GBPS);
    fixture_close(&f);
}

static void topo_explicit__servers_with_ports(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f,
                 SWITCHES "ports: 2," HOSTS "links: [{from: a/nic1, to: s0, rate: 1Gbps},"
                          "{from: b/nic0, to: s0, rate: 1Gbps},"
                          "{from: b/nic1, to: s1, rate: 1Gbps},"
                          "{from: a/nic0, to: s1, rate: 1Gbps}, {from: s0, to: s1, rate: 1Gbps}]");
    assert_string_equal(f.message, "");
    assert_int_equal(f.made.nodes, 2);
    assert_int_equal(f.made.node_ports, 2);
    assert_string_equal(f.graph.nodes[f.made.endpoint[3]].name, "b/nic1");
    assert_int_equal(fixture_links(&f, "b/nic1", "s1", &link), 1);
    assert_int_equal(fixture_links(&f, "a/nic1", "s0", &link), 1);
    fixture_close(&f);
}

static void topo_explicit__wrong_names(void **state)
{
    (void)state;
    fixture_refused(SWITCHES HOSTS "links: [{from: a, to: s2, rate: 1Gbps}]",
                    "C026: link 0: no host or switch is called 's2'");
    fixture_refused(SWITCHES HOSTS "links: [{from: a/nic0, to: s1, rate: 1Gbps}]",
                    "C026: link 0: no host or switch is called 'a/nic0'");
    fixture_refused(SWITCHES "ports: 2," HOSTS "links: [{from: a/nic2, to: s1, rate: 1Gbps}]",
                    "C026: link 0: no host or switch is called 'a/nic2'");
    fixture_refused(SWITCHES "ports: 2," HOSTS "links: [{from: a/nic01, to: s1, rate: 1Gbps}]",
                    "C026: link 0: no host or switch is called 'a/nic01'");
    fixture_refused(SWITCHES "hosts: [{name: ''}], links: [{from: a, to: s1, rate: 1Gbps}]",
                    "C026: a host or switch without a name");
    fixture_refused(SWITCHES "hosts: [{name: a}, {name: s1}],"
                             "links: [{from: a, to: s1, rate: 1Gbps}]",
                    "C027: two are called 's1'");
}

static void topo_explicit__wrong_cables(void **state)
{
    (void)state;
    fixture_refused(SWITCHES HOSTS "links: [{from: a, to: b, rate: 1Gbps}]",
                    "C028: link 0: from 'a' to another host");
    fixture_refused(SWITCHES HOSTS "links: [{from: s1, to: s1, rate: 1Gbps}]",
                    "C028: link 0: from 's1' to itself");
    fixture_refused(SWITCHES HOSTS "links: [{from: a, to: s0, rate: 1Gbps, count: 2},"
                                   "{from: b, to: s0, rate: 1Gbps}]",
                    "C028: host 'a' has 2 cables; it needs one");
    fixture_refused(SWITCHES HOSTS "links: [{from: a, to: s0, rate: 1Gbps}]",
                    "C028: host 'b' has 0 cables; it needs one");
    fixture_refused(SWITCHES HOSTS "links: [{from: a, to: s0, rate: 1Gbps},"
                                   "{from: b, to: s1, rate: 1Gbps}]",
                    "C029: some hosts do not reach each other: 1 pairs");
    fixture_refused(SWITCHES HOSTS "links: []", "'links' has 0 items; allowed: 1 .. 1000000");
}

/* A chain of n switches with a host at each end. */
static void chain(char *text, size_t size, int n)
{
    size_t at = (size_t)snprintf(text, size,
                                 "kind: explicit, hosts: [{name: a}, {name: b}],"
                                 "links: [{from: a, to: s0, rate: 1Gbps},"
                                 "{from: b, to: s%d, rate: 1Gbps}",
                                 n - 1);
    for (int i = 1; i < n; i++)
        at +=
            (size_t)snprintf(text + at, size - at, ",{from: s%d, to: s%d, rate: 1Gbps}", i - 1, i);
    at += (size_t)snprintf(text + at, size - at, "], switches: [{name: s0}");
    for (int i = 1; i < n; i++)
        at += (size_t)snprintf(text + at, size - at, ",{name: s%d}", i);
    snprintf(text + at, size - at, "]");
}

static void topo_explicit__too_long(void **state)
{
    (void)state;
    char text[4096];
    struct topo_fixture f;
    chain(text, sizeof text, TOPO_PATH_MAX - 1);
    fixture_open(&f, text);
    assert_string_equal(f.message, "");
    assert_int_equal(f.facts.hops_max, TOPO_PATH_MAX);
    fixture_close(&f);
    chain(text, sizeof text, TOPO_PATH_MAX);
    fixture_refused(text, "C030: two hosts are 17 links apart; at most 16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_explicit__as_written),
        cmocka_unit_test(topo_explicit__servers_with_ports),
        cmocka_unit_test(topo_explicit__wrong_names),
        cmocka_unit_test(topo_explicit__wrong_cables),
        cmocka_unit_test(topo_explicit__too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
