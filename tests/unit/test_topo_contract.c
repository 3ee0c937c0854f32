/* test_topo_contract.c - every registered topology family through one harness: with its defaults,
 * or where it has none or should be seen otherwise too, with the keys of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/topo/topo.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define NIC_BPS INT64_C(25000000000)
#define NIC_DELAY_PS (600 * PS_PER_NS)

/* Families that need keys; the others are built with their defaults. */
static const struct {
    const char *kind, *keys;
} keys_of[] = {
    {"explicit", "switches: [{name: s}, {name: t}], hosts: [{name: a}, {name: b}],"
                 "links: [{from: a, to: s, rate: 1Gbps}, {from: b, to: t, rate: 2Gbps},"
                 "{from: s, to: t, rate: 3Gbps, count: 2}]"},
    {"fat-tree", "k: 4"},
};

struct rig {
    struct arena arena;
    struct topo_graph graph;
    struct topo_made made;
    int64_t endpoints;
};

static void rig_open(struct rig *rig, int family, int64_t nodes)
{
    *rig = (struct rig){0};
    const char *kind = topo_kinds[family]->name, *keys = "";
    for (size_t i = 0; i < sizeof keys_of / sizeof keys_of[0]; i++)
        if (strcmp(kind, keys_of[i].kind) == 0) keys = keys_of[i].keys;
    struct err err = {0};
    struct schema_variant config;
    const char *text = arena_printf(&rig->arena, "{kind: %s, %s}", kind, keys);
    const struct tree_node *root = tree_read_text(&rig->arena, kind, text, strlen(text), &err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &err};
    bool ok = root && schema_bind_variant(&into, topo_kinds, root, &config);
    err_print(&err, stderr);
    assert_true(ok);
    assert_int_equal(config.index, family);
    err_free(&err);
    topo_init(&rig->graph, &rig->arena);
    struct topo_ask ask = {.nodes = nodes, .nic_bps = NIC_BPS, .nic_delay_ps = NIC_DELAY_PS};
    topo_list[family]->build(config.config, &ask, &rig->graph, &rig->made);
    rig->endpoints = rig->made.nodes * rig->made.node_ports;
}

static void each(void (*check)(struct rig *rig))
{
    static const int64_t nodes[] = {1, 2, 7, 64};
    assert_non_null(topo_list[0]);
    for (int family = 0; topo_list[family]; family++)
        for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
            struct rig rig;
            rig_open(&rig, family, nodes[i]);
            check(&rig);
            arena_free(&rig.arena);
        }
}

static void topo_list__names_and_help(void **state)
{
    (void)state;
    int n = 0;
    for (; topo_list[n]; n++) {
        assert_non_null(topo_kinds[n]);
        assert_true(strlen(topo_kinds[n]->name) > 0);
        assert_true(strlen(topo_list[n]->help) > 0);
        for (int i = 0; i < n; i++)
            assert_string_not_equal(topo_kinds[i]->name, topo_kinds[n]->name);
    }
    assert_true(n > 0);
    assert_null(topo_kinds[n]);
}

/* As many servers as the world asks for, or as its own keys say; nothing in between. */
static void topo_build__number_of_nodes(void **state)
{
    (void)state;
    for (int family = 0; topo_list[family]; family++) {
        struct rig one, seven;
        rig_open(&one, family, 1);
        rig_open(&seven, family, 7);
        assert_int_equal(one.made.node_ports, seven.made.node_ports);
        bool asked = one.made.nodes == 1 && seven.made.nodes == 7;
        assert_true(asked || one.made.nodes == seven.made.nodes);
        arena_free(&one.arena);
        arena_free(&seven.arena);
    }
}

static void check_endpoints(struct rig *rig)
{
    assert_true(rig->made.nodes > 0);
    assert_true(rig->made.node_ports > 0);
    bool *seen = ARENA_ARRAY(&rig->arena, bool, rig->graph.node_n);
    for (int64_t i = 0; i < rig->endpoints; i++) {
        int32_t node = rig->made.endpoint[i];
        assert_in_range(node, 0, rig->graph.node_n - 1);
        assert_int_equal(rig->graph.nodes[node].kind, TOPO_HOST);
        assert_false(seen[node]);
        seen[node] = true;
    }
    int64_t hosts = 0;
    for (int64_t v = 0; v < rig->graph.node_n; v++)
        hosts += rig->graph.nodes[v].kind == TOPO_HOST;
    assert_int_equal(hosts, rig->endpoints);
}

static void topo_build__endpoints(void **state)
{
    (void)state;
    each(check_endpoints);
}

static void check_edge(struct rig *rig)
{
    assert_in_range(rig->made.edge, 0, rig->graph.node_n - 1);
    assert_int_equal(rig->graph.nodes[rig->made.edge].kind, TOPO_SWITCH);
    assert_true(rig->made.tiers >= 0); /* 0: no tiers that have a name */
    for (int64_t t = 0; rig->made.tier_names && t < rig->made.tiers; t++)
        assert_true(strlen(rig->made.tier_names[t]) > 0);
}

static void topo_build__edge_and_tiers(void **state)
{
    (void)state;
    each(check_edge);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void assert_unique(const char **names, int64_t n)
{
    qsort(names, (size_t)n, sizeof *names, by_text);
    for (int64_t i = 1; i < n; i++)
        assert_string_not_equal(names[i - 1], names[i]);
}

static void check_names(struct rig *rig)
{
    const char **names = ARENA_ARRAY(&rig->arena, const char *, rig->graph.node_n);
    for (int64_t v = 0; v < rig->graph.node_n; v++)
        names[v] = rig->graph.nodes[v].name;
    assert_unique(names, rig->graph.node_n);
    names = ARENA_ARRAY(&rig->arena, const char *, rig->graph.link_n);
    for (int64_t l = 0; l < rig->graph.link_n; l++)
        names[l] = rig->graph.links[l].name;
    assert_unique(names, rig->graph.link_n);
}

static void topo_build__unique_names(void **state)
{
    (void)state;
    each(check_names);
}

/* Each link has a way back as fast as it is; what ends at a server is a NIC's, the rest fabric. */
static void check_links(struct rig *rig)
{
    const struct topo_graph *graph = &rig->graph;
    assert_true(graph->link_n % 2 == 0);
    for (int64_t l = 0; l < graph->link_n; l++) {
        const struct topo_link *link = &graph->links[l], *back = &graph->links[l ^ 1];
        assert_true(link->from != link->to);
        assert_true(link->from == back->to && link->to == back->from);
        assert_int_equal(link->rate_bps, back->rate_bps);
        assert_true(link->rate_bps > 0);
        assert_true(link->delay_ps >= graph->nodes[link->to].latency_ps);
        assert_int_equal(link->delay_ps - graph->nodes[link->to].latency_ps,
                         back->delay_ps - graph->nodes[back->to].latency_ps);
        bool of_host =
            graph->nodes[link->from].kind == TOPO_HOST || graph->nodes[link->to].kind == TOPO_HOST;
        assert_int_equal(link->kind, of_host ? TOPO_NIC : TOPO_FABRIC);
    }
}

static void topo_build__links(void **state)
{
    (void)state;
    each(check_links);
}

/* The world hangs its storage at the edge: a path from and to every endpoint, as long there as
 * back, over switches only; and every endpoint reaches every other. */
static void check_reach(struct rig *rig)
{
    struct topo_graph *graph = &rig->graph;
    int32_t storage = topo_node(graph, TOPO_STORAGE, "storage"), path[TOPO_PATH_MAX];
    topo_cable(graph,
               &(struct topo_link){
                   .from = rig->made.edge, .to = storage, .kind = TOPO_SERVER, .rate_bps = 1});
    for (int64_t i = 0; i < rig->endpoints; i++) {
        int32_t from = rig->made.endpoint[i];
        int n = topo_path(graph, from, storage, (uint32_t)i, path);
        assert_true(n > 1);
        assert_int_equal(graph->links[path[0]].from, from);
        for (int h = 1; h < n; h++) {
            assert_int_equal(graph->links[path[h]].from, graph->links[path[h - 1]].to);
            assert_int_equal(graph->nodes[graph->links[path[h]].from].kind, TOPO_SWITCH);
        }
        assert_int_equal(graph->links[path[n - 1]].to, storage);
        assert_int_equal(topo_path(graph, storage, from, (uint32_t)i, path), n);
        for (int64_t j = 0; j < rig->endpoints; j += 1 + rig->endpoints / 16)
            assert_true(i == j || topo_path(graph, from, rig->made.endpoint[j], 0, path) > 1);
    }
}

static void topo_build__every_endpoint_reaches_the_edge(void **state)
{
    (void)state;
    each(check_reach);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_list__names_and_help),
        cmocka_unit_test(topo_build__number_of_nodes),
        cmocka_unit_test(topo_build__endpoints),
        cmocka_unit_test(topo_build__edge_and_tiers),
        cmocka_unit_test(topo_build__unique_names),
        cmocka_unit_test(topo_build__links),
        cmocka_unit_test(topo_build__every_endpoint_reaches_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
