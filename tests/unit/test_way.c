/* test_way.c - ways are those of the topology, found once; ranks follow paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/flow/way.h"

struct net {
    struct arena arena;
    struct topo_graph graph;
    int32_t host[4], leaf[2], spine[2], line, storage;
};

static int32_t cable(struct net *net, int32_t from, int32_t to, int64_t rate_bps)
{
    return topo_cable(
        &net->graph,
        &(struct topo_link){.from = from, .to = to, .rate_bps = rate_bps, .delay_ps = from + 1});
}

/* Two leaves with two hosts each, two spines; behind spine 0 a line to a storage. */
static void net_open(struct net *net)
{
    *net = (struct net){.line = 0};
    topo_init(&net->graph, &net->arena);
    for (int i = 0; i < 4; i++)
        net->host[i] = topo_node(&net->graph, TOPO_HOST, "h");
    for (int i = 0; i < 2; i++)
        net->leaf[i] = topo_node(&net->graph, TOPO_SWITCH, "l");
    for (int i = 0; i < 2; i++)
        net->spine[i] = topo_node(&net->graph, TOPO_SWITCH, "s");
    net->line = topo_node(&net->graph, TOPO_SWITCH, "w");
    net->storage = topo_node(&net->graph, TOPO_STORAGE, "f");
    for (int i = 0; i < 4; i++)
        cable(net, net->host[i], net->leaf[i / 2], 400);
    for (int i = 0; i < 4; i++)
        cable(net, net->leaf[i / 2], net->spine[i % 2], i == 0 ? 100 : 300);
    cable(net, net->spine[0], net->line, 200);
    cable(net, net->line, net->storage, 200);
}

static void ways_find__the_path_of_the_topology(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    const struct bundles bundles = bundles_single(&net.graph, &net.arena);
    struct ways *ways = ways_new(&net.graph, &bundles);
    int seen = 0;
    for (uint32_t stream = 0; stream < 32; stream++) {
        int32_t path[TOPO_PATH_MAX];
        struct way *way = ways_find(ways, net.host[0], net.host[3], stream);
        int n = topo_path(&net.graph, net.host[0], net.host[3], stream, path);
        int spine = net.graph.links[path[1]].to == net.spine[1];
        seen |= 1 << spine;
        assert_int_equal(way->path_n, n);
        assert_memory_equal(way->path, path, (size_t)n * sizeof *path);
        assert_int_equal(way->cap_bps, spine ? 300 : 100);
        assert_int_equal(way->delay_ps, 1 + 5 + 6 + 4);
        assert_int_equal(way->stream, stream);
        assert_ptr_equal(ways_find(ways, net.host[0], net.host[3], stream), way);
        ways_done(ways, way);
        ways_done(ways, way);
    }
    assert_int_equal(seen, 3);
    assert_int_equal(ways_find(ways, net.host[3], net.host[2], 0)->path_n, 2);
    arena_free(&net.arena);
}

/* Past what is kept each way is found again, and its memory used again. */
static void ways_find__more_than_are_kept(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    const struct bundles bundles = bundles_single(&net.graph, &net.arena);
    struct ways *ways = ways_new(&net.graph, &bundles);
    const uint32_t kept = 1 << 17;
    const struct way *first = ways_find(ways, net.host[0], net.host[3], 0);
    for (uint32_t stream = 1; stream < kept; stream++)
        assert_int_equal(ways_find(ways, net.host[0], net.host[3], stream)->stream, stream);
    size_t most = net.arena.bytes + 4096;
#ifdef RAILSIM_POOL_MALLOC /* there every allocation counts, and what is freed does not */
    most += 1000 * (sizeof *first + TOPO_PATH_MAX * sizeof(int32_t));
#endif
    for (uint32_t stream = kept; stream < kept + 1000; stream++) {
        struct way *way = ways_find(ways, net.host[0], net.host[3], stream);
        assert_int_equal(way->stream, stream);
        assert_int_equal(way->path_n, 4);
        ways_done(ways, way);
    }
    assert_true(net.arena.bytes < most);
    assert_ptr_equal(ways_find(ways, net.host[0], net.host[3], 0), first);
    arena_free(&net.arena);
}

/* Ranks rise along every path, up as well as down, and no two are equal. */
static void ways_rank__rises_along_paths(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    int32_t rank[64], path[TOPO_PATH_MAX], ends[5];
    bool taken[64] = {false};
    ways_rank(&net.graph, rank);
    for (int64_t l = 0; l < net.graph.link_n; l++) {
        assert_in_range(rank[l], 0, net.graph.link_n - 1);
        assert_false(taken[rank[l]]);
        taken[rank[l]] = true;
    }
    memcpy(ends, net.host, sizeof net.host);
    ends[4] = net.storage;
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) {
            int n = a == b ? 0 : topo_path(&net.graph, ends[a], ends[b], 0, path);
            for (int i = 1; i < n; i++)
                assert_true(rank[path[i - 1]] < rank[path[i]]);
        }
    arena_free(&net.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_find__the_path_of_the_topology),
        cmocka_unit_test(ways_find__more_than_are_kept),
        cmocka_unit_test(ways_rank__rises_along_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
