/* test_bundle.c - which links carry as one in small fabrics, even and uneven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/flow/bundle.h"

struct net {
    struct arena arena;
    struct topo_graph graph;
    struct bundles bundles;
};

/* Nodes a, b, ...: h a host, s a switch; "ab" a cable, "ab3" three of them, all of 100 bit/s. */
static void net_open(struct net *net, const char *kinds, const char *const *cables)
{
    *net = (struct net){.graph = {.arena = NULL}};
    topo_init(&net->graph, &net->arena);
    for (int i = 0; kinds[i]; i++)
        topo_node(&net->graph, kinds[i] == 's' ? TOPO_SWITCH : TOPO_HOST,
                  arena_printf(&net->arena, "%c", 'a' + i));
    for (; *cables; cables++) {
        const char *c = *cables;
        topo_cables(&net->graph,
                    &(struct topo_link){.from = c[0] - 'a', .to = c[1] - 'a', .rate_bps = 100},
                    c[2] ? c[2] - '0' : 1);
    }
    net->bundles = bundles_find(&net->graph, &net->arena);
}

/* How many links are in the bundle of the first link between two nodes; all of them are of it. */
static int32_t carry_as_one(const struct net *net, const char *ends)
{
    for (int32_t l = 0; l < net->graph.link_n; l++) {
        const struct topo_link *link = &net->graph.links[l];
        if (link->from != ends[0] - 'a' || link->to != ends[1] - 'a') continue;
        const struct bundle *bundle = &net->bundles.bundle[net->bundles.of[l]];
        for (int32_t i = 0; i < bundle->n; i++)
            assert_int_equal(net->bundles.of[bundle->link[i]], net->bundles.of[l]);
        return bundle->n;
    }
    fail_msg("no link %s", ends);
    return 0;
}

/* Each link is in one bundle; bundles are numbered by their first links. */
static void check_partition(const struct net *net)
{
    int32_t links = 0, last = -1;
    for (int32_t b = 0; b < net->bundles.n; b++) {
        const struct bundle *bundle = &net->bundles.bundle[b];
        assert_true(bundle->n > 0 && bundle->link[0] > last);
        last = bundle->link[0];
        links += bundle->n;
        for (int32_t i = 1; i < bundle->n; i++)
            assert_true(bundle->link[i] > bundle->link[i - 1]);
    }
    assert_int_equal(links, net->graph.link_n);
}

static void bundles_single__each_link(void **state)
{
    (void)state;
    struct net net;
    net_open(&net, "hhss", (const char *const[]){"ac", "bd", "cd4", NULL});
    struct bundles single = bundles_single(&net.graph, &net.arena);
    assert_int_equal(single.n, net.graph.link_n);
    for (int32_t l = 0; l < single.n; l++) {
        assert_int_equal(single.of[l], l);
        assert_int_equal(single.bundle[l].link[0], l);
    }
    arena_free(&net.arena);
}

/* Hosts a, b, c at leaves d, e, f; spines g, h. */
static void bundles_find__leaf_spine(void **state)
{
    (void)state;
    struct net net;
    net_open(
        &net, "hhhsssss",
        (const char *const[]){"ad", "be", "cf", "dg2", "dh2", "eg2", "eh2", "fg2", "fh2", NULL});
    check_partition(&net);
    assert_int_equal(carry_as_one(&net, "ad"), 1);
    assert_int_equal(carry_as_one(&net, "da"), 1);
    assert_int_equal(carry_as_one(&net, "dg"), 4);
    assert_int_equal(carry_as_one(&net, "he"), 4);
    assert_int_equal(net.bundles.n, 3 * 2 + 3 * 2);
    arena_free(&net.arena);
}

/* Two pods of two leaves (e, f; i, j) and two spines (g, h; k, l), two cores (m, n). */
static void bundles_find__three_tiers(void **state)
{
    (void)state;
    struct net net;
    net_open(&net, "hhhhssssssssss",
             (const char *const[]){"ae",  "bf",  "ci",  "dj",  "eg",  "eh",  "fg",
                                   "fh",  "ik",  "il",  "jk",  "jl",  "gm2", "gn2",
                                   "hm2", "hn2", "km2", "kn2", "lm2", "ln2", NULL});
    check_partition(&net);
    assert_int_equal(carry_as_one(&net, "eg"), 2);
    assert_int_equal(carry_as_one(&net, "hf"), 2);
    assert_int_equal(carry_as_one(&net, "gm"), 8);
    assert_int_equal(carry_as_one(&net, "nk"), 8);
    assert_int_equal(net.bundles.n, 4 * 2 + 4 * 2 + 2 * 2);
    arena_free(&net.arena);
}

/* Leaf d lacks spine h: what leads to and from it is apart from the rest. */
static void bundles_find__hop_sets_that_overlap_are_split(void **state)
{
    (void)state;
    struct net net;
    net_open(&net, "hhhsssss",
             (const char *const[]){"ad", "be", "cf", "dg", "eg", "eh", "fg", "fh", NULL});
    check_partition(&net);
    assert_int_equal(carry_as_one(&net, "dg"), 1);
    assert_int_equal(carry_as_one(&net, "eg"), 1); /* to d alone, and together with eh to f */
    assert_int_equal(carry_as_one(&net, "eh"), 1);
    assert_int_equal(carry_as_one(&net, "gf"), 1);
    arena_free(&net.arena);
}

/* Leaf c has two links to the first spine and one to the second, d one and two: three links' worth
 * of packets cannot pass spine e, so nothing is one; as soon as both have two and one it is. */
static void bundles_find__uneven_numbers_of_links_stay_single(void **state)
{
    (void)state;
    static const struct {
        const char *cables[7];
        int32_t up, down;
    } cases[] = {{{"ac", "bd", "ce2", "cf", "de", "df2", NULL}, 1, 1},
                 {{"ac", "bd", "ce2", "cf", "de2", "df", NULL}, 3, 3},
                 {{"ac", "bd", "ce2", "cf2", "de", "df", NULL}, 4, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct net net;
        net_open(&net, "hhssss", cases[i].cables);
        check_partition(&net);
        assert_int_equal(carry_as_one(&net, "ce"), cases[i].up);
        assert_int_equal(carry_as_one(&net, "fd"), cases[i].down);
        arena_free(&net.arena);
    }
}

/* A host with two cables: those stay single; the switches behind it are as good as one. */
static void bundles_find__endpoints_with_two_cables(void **state)
{
    (void)state;
    struct net net;
    net_open(&net, "hhssss", (const char *const[]){"ac", "ad", "be", "cf", "df", "fe2", NULL});
    check_partition(&net);
    assert_int_equal(carry_as_one(&net, "ac"), 1);
    assert_int_equal(carry_as_one(&net, "ca"), 1);
    assert_int_equal(carry_as_one(&net, "fe"), 2);
    arena_free(&net.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundles_single__each_link),
        cmocka_unit_test(bundles_find__leaf_spine),
        cmocka_unit_test(bundles_find__three_tiers),
        cmocka_unit_test(bundles_find__hop_sets_that_overlap_are_split),
        cmocka_unit_test(bundles_find__uneven_numbers_of_links_stay_single),
        cmocka_unit_test(bundles_find__endpoints_with_two_cables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
