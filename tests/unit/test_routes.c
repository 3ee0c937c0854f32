/* test_routes.c - equal-cost next hops against a plain search, ports, links that are down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

#include <time.h>

/* A Clos of three tiers with parallel cables, small enough to search from everywhere. */
#define SMALL                                                                                      \
    "kind: rail, scalable_units: 4, nodes_per_unit: 2, rails: 2, leaves_per_unit: 2, spines: 2,"   \
    "uplinks_per_pair: 2, units_per_pod: 2, cores: 4"
#define HUGE "kind: rail, scalable_units: 64, units_per_pod: 4, spines: 16, cores: 128"

/* Links to dst from every node, by relaxing all links until nothing changes. */
static int *distances(const struct topo_fixture *f, int32_t dst, const bool *down)
{
    const struct topo_graph *graph = &f->graph;
    int *far = arena_array(graph->arena, sizeof *far, graph->node_n);
    for (int64_t v = 0; v < graph->node_n; v++)
        far[v] = 1000;
    far[dst] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (int64_t l = 0; l < graph->link_n; l++) {
            const struct topo_link *link = &graph->links[l];
            if (down && down[l]) continue;
            if (link->to != dst && graph->nodes[link->to].kind != TOPO_SWITCH) continue;
            if (far[link->to] + 1 >= far[link->from]) continue;
            far[link->from] = far[link->to] + 1;
            changed = true;
        }
    }
    return far;
}

/* The list at every switch towards every endpoint holds just the links that come nearer. */
static void compare(struct topo_fixture *f, const bool *down)
{
    const struct topo_graph *graph = &f->graph;
    const struct routes *routes = routes_new(&f->arena, graph, down);
    for (int64_t e = 0; e < f->facts.endpoints; e++) {
        int32_t dst = f->made.endpoint[e];
        const int *far = distances(f, dst, down);
        for (int32_t v = 0; v < graph->node_n; v++) {
            const int32_t *links;
            if (graph->nodes[v].kind != TOPO_SWITCH) continue;
            int32_t n = routes_next(routes, v, dst, &links), seen = 0;
            for (int32_t s = 0; s < routes_ports(routes, v); s++) {
                int32_t l = routes_port(routes, v, s), to = graph->links[l].to;
                if ((down && down[l]) || far[to] + 1 != far[v]) continue;
                if (to != dst && graph->nodes[to].kind != TOPO_SWITCH) continue;
                assert_true(seen < n);
                assert_int_equal(links[n + seen], s);
                assert_int_equal(links[seen++], l);
            }
            assert_int_equal(seen, n);
        }
    }
}

static void routes_new__all_shortest_ways(void **state)
{
    (void)state;
    static const char *const keys[] = {SMALL, "kind: fat-tree, k: 4", "kind: dumbbell",
                                       "kind: leaf-spine, leaves: 3, hosts_per_leaf: 2, spines: 1"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct topo_fixture f;
        fixture_open(&f, keys[i]);
        assert_string_equal(f.message, "");
        compare(&f, NULL);
        fixture_close(&f);
    }
}

/* Every n-th link between switches down, one way: up to whole parts that are cut off. */
static void routes_new__links_down(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, SMALL);
    bool *down = ARENA_ARRAY(&f.arena, bool, f.graph.link_n);
    for (int every = 2; every < 9; every++) {
        for (int64_t l = 0; l < f.graph.link_n; l++)
            down[l] = f.graph.links[l].kind == TOPO_FABRIC && (l * 7) % every == 0;
        compare(&f, down);
    }
    fixture_close(&f);
}

static void routes_new__ports_are_dense(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, SMALL);
    const struct routes *routes = routes_new(&f.arena, &f.graph, NULL);
    int64_t links = 0;
    for (int32_t v = 0; v < f.graph.node_n; v++) {
        for (int32_t s = 0; s < routes_ports(routes, v); s++) {
            int32_t l = routes_port(routes, v, s);
            assert_int_equal(f.graph.links[l].from, v);
            assert_int_equal(routes->slot[l], s);
            assert_true(s == 0 || routes_port(routes, v, s - 1) < l);
        }
        links += routes_ports(routes, v);
    }
    assert_int_equal(links, f.graph.link_n);
    fixture_close(&f);
}

static void routes_new__endpoints_know_their_switch(void **state)
{
    (void)state;
    struct topo_fixture f;
    const int32_t *links;
    fixture_open(&f, "kind: leaf-spine, leaves: 2, hosts_per_leaf: 2, spines: 1");
    bool *down = ARENA_ARRAY(&f.arena, bool, f.graph.link_n);
    const struct routes *routes = routes_new(&f.arena, &f.graph, NULL);
    const struct routes_end *end = &routes->end[f.made.endpoint[2]];
    assert_int_equal(end->home, fixture_node(&f, "leaf1"));
    assert_int_equal(f.graph.links[end->up].from, f.made.endpoint[2]);
    assert_int_equal(f.graph.links[end->up].to, end->home);
    assert_int_equal(f.graph.links[end->down[0]].to, f.made.endpoint[2]);
    assert_int_equal(routes->end[fixture_node(&f, "spine0")].column, -1);
    down[end->up] = down[end->down[0]] = true;
    routes = routes_new(&f.arena, &f.graph, down);
    assert_int_equal(routes->end[f.made.endpoint[2]].up, -1);
    assert_int_equal(routes_next(routes, end->home, f.made.endpoint[2], &links), 0);
    assert_int_equal(routes_next(routes, end->home, f.made.endpoint[3], &links), 1);
    fixture_close(&f);
}

/* Equal lists are stored once: a leaf has just "all uplinks". */
static void routes_new__lists_are_shared(void **state)
{
    (void)state;
    struct topo_fixture f;
    fixture_open(&f, "kind: leaf-spine, leaves: 32, hosts_per_leaf: 32, spines: 32");
    const struct routes *routes = routes_new(&f.arena, &f.graph, NULL);
    /* 32 leaves: n, 32 links, 32 slots; 32 spines: 32 lists of one link; the empty list */
    assert_int_equal(routes->pool_n, 32 * 65 + 32 * 32 * 3 + 1);
    assert_int_equal(routes->row_n, 64);
    assert_int_equal(routes->column_n, 32);
    fixture_close(&f);
}

/* 16,384 endpoints: what a packet fabric can afford. */
static void routes_new__large(void **state)
{
    (void)state;
    struct topo_fixture f;
    struct arena arena = {0};
    const int32_t *links;
    fixture_open(&f, HUGE);
    assert_string_equal(f.message, "");
    clock_t start = clock();
    const struct routes *routes = routes_new(&arena, &f.graph, NULL);
    double took_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("16,384 endpoints: %.1f MB in %.3f s\n", (double)arena.bytes * 1e-6, took_s);
    assert_true(arena.bytes < 16000000);
    assert_true(took_s < 10); /* 0.1 s; sanitizers and valgrind take longer */
    int32_t leaf = fixture_node(&f, "unit0/leaf0");
    assert_int_equal(routes_next(routes, leaf, f.made.endpoint[16383], &links), 64);
    int32_t spine = fixture_node(&f, "pod0/spine3");
    assert_int_equal(routes_next(routes, spine, f.made.endpoint[16383], &links), 64);
    assert_int_equal(routes_next(routes, spine, f.made.endpoint[0], &links), 4);
    arena_free(&arena);
    fixture_close(&f);
}

/* Streams use all ways about equally, at each stage. */
static void routes_path__spreads(void **state)
{
    (void)state;
    struct topo_fixture f;
    int32_t path[TOPO_PATH_MAX];
    fixture_open(&f, "kind: rail, scalable_units: 2");
    const struct routes *routes = routes_new(&f.arena, &f.graph, NULL);
    int32_t src = f.made.endpoint[0], dst = f.made.endpoint[511];
    int *used = ARENA_ARRAY(&f.arena, int, f.graph.link_n);
    for (uint32_t stream = 0; stream < 64000; stream++) {
        assert_int_equal(routes_path(routes, src, dst, stream, path), 4);
        assert_int_equal(f.graph.links[path[0]].from, src);
        for (int i = 0; i < 3; i++)
            assert_int_equal(f.graph.links[path[i]].to, f.graph.links[path[i + 1]].from);
        assert_int_equal(f.graph.links[path[3]].to, dst);
        used[path[1]]++;
        used[path[2]]++;
    }
    int n = 0;
    for (int64_t l = 0; l < f.graph.link_n; l++) {
        if (!used[l]) continue;
        assert_in_range(used[l], 850, 1150); /* 1,000 on each of 64 up and 64 down */
        n++;
    }
    assert_int_equal(n, 128);
    fixture_close(&f);
}

static void routes_path__around_a_failure(void **state)
{
    (void)state;
    struct topo_fixture f;
    int32_t path[TOPO_PATH_MAX];
    const struct topo_link *link;
    fixture_open(&f,
                 "kind: leaf-spine, leaves: 3, hosts_per_leaf: 1, spines: 2, links_per_pair: 1");
    bool *down = ARENA_ARRAY(&f.arena, bool, f.graph.link_n);
    int32_t src = f.made.endpoint[0], dst = f.made.endpoint[1];
    fixture_links(&f, "spine0", "leaf1", &link);
    down[link - f.graph.links] = true;
    const struct routes *routes = routes_new(&f.arena, &f.graph, down);
    for (uint32_t stream = 0; stream < 32; stream++) {
        assert_int_equal(routes_path(routes, src, dst, stream, path), 4);
        assert_int_equal(f.graph.links[path[1]].to, fixture_node(&f, "spine1"));
    }
    /* With leaf0 cut from spine1 as well: over the third leaf. */
    fixture_links(&f, "leaf0", "spine1", &link);
    down[link - f.graph.links] = true;
    routes = routes_new(&f.arena, &f.graph, down);
    assert_int_equal(routes_path(routes, src, dst, 1, path), 6);
    assert_int_equal(routes_path(routes, dst, src, 1, path), 4);
    fixture_links(&f, "node0", "leaf0", &link);
    down[link - f.graph.links] = true;
    routes = routes_new(&f.arena, &f.graph, down);
    assert_int_equal(routes_path(routes, src, dst, 1, path), -1);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_new__all_shortest_ways),
        cmocka_unit_test(routes_new__links_down),
        cmocka_unit_test(routes_new__ports_are_dense),
        cmocka_unit_test(routes_new__endpoints_know_their_switch),
        cmocka_unit_test(routes_new__lists_are_shared),
        cmocka_unit_test(routes_new__large),
        cmocka_unit_test(routes_path__spreads),
        cmocka_unit_test(routes_path__around_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
