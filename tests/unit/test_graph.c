/* test_graph.c - nodes, cables and shortest paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/topo/topo.h"

struct rig {
    struct arena arena;
    struct topo_graph graph;
};

/* rig_open makes nodes named a, b, c, ...: h = host, s = switch, S = storage. */
static void rig_open(struct rig *rig, const char *kinds)
{
    *rig = (struct rig){0};
    topo_init(&rig->graph, &rig->arena);
    for (int32_t i = 0; kinds[i]; i++) {
        const char *name = arena_printf(&rig->arena, "%c", 'a' + i);
        enum topo_node_kind kind = kinds[i] == 's'   ? TOPO_SWITCH
                                   : kinds[i] == 'h' ? TOPO_HOST
                                                     : TOPO_STORAGE;
        assert_int_equal(topo_node(&rig->graph, kind, name), i);
    }
}

/* cables: "ab bc" = a cable between a and b, one between b and c. */
static void cables(struct rig *rig, const char *text)
{
    for (; *text; text += text[2] ? 3 : 2)
        topo_cable(&rig->graph, &(struct topo_link){.from = text[0] - 'a',
                                                    .to = text[1] - 'a',
                                                    .rate_bps = 1000,
                                                    .delay_ps = 7});
}

/* path expects that a shortest path from the first to the last of nodes visits just these ("abd"),
 * over links that follow one another; "" = none. */
static void path(struct rig *rig, char src, char dst, const char *nodes)
{
    int32_t links[TOPO_PATH_MAX];
    int n = topo_path(&rig->graph, src - 'a', dst - 'a', 0, links);
    char got[TOPO_PATH_MAX + 2] = "";
    if (n >= 0) got[0] = src;
    for (int i = 0; i < n; i++) {
        const struct topo_link *link = &rig->graph.links[links[i]];
        assert_int_equal(link->from, got[i] - 'a');
        got[i + 1] = (char)('a' + link->to);
    }
    assert_string_equal(got, nodes);
}

static void topo_cable__two_links_with_names(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "hs");
    int32_t forward = topo_cable(&rig.graph, &(struct topo_link){.from = 0,
                                                                 .to = 1,
                                                                 .kind = TOPO_WAN,
                                                                 .rate_bps = 5,
                                                                 .delay_ps = 6,
                                                                 .name = "long line"});
    assert_int_equal(forward, 0);
    assert_int_equal(rig.graph.link_n, 2);
    const struct topo_link *there = &rig.graph.links[0], *back = &rig.graph.links[1];
    assert_int_equal(there->from, 0);
    assert_int_equal(there->to, 1);
    assert_string_equal(there->name, "long line");
    assert_int_equal(back->from, 1);
    assert_int_equal(back->to, 0);
    assert_string_equal(back->name, "b>a");
    assert_int_equal(back->kind, TOPO_WAN);
    assert_int_equal(back->rate_bps, 5);
    assert_int_equal(back->delay_ps, 6);
    cables(&rig, "ba");
    assert_int_equal(rig.graph.link_n, 4);
    assert_string_equal(rig.graph.links[2].name, "b>a");
    assert_string_equal(rig.graph.links[3].name, "a>b");
    arena_free(&rig.arena);
}

static void topo_path__to_itself(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "hs");
    cables(&rig, "ab");
    path(&rig, 'a', 'a', "a");
    path(&rig, 'b', 'b', "b");
    arena_free(&rig.arena);
}

static void topo_path__shortest(void **state)
{
    (void)state;
    struct rig rig;
    /* a - b - c - d - g, and the short cut b - e - g */
    rig_open(&rig, "hssssSh");
    cables(&rig, "ab bc cd dg be eg ef");
    path(&rig, 'a', 'g', "abeg");
    path(&rig, 'g', 'a', "geba");
    path(&rig, 'a', 'f', "abef");
    path(&rig, 'f', 'd', "febcd"); /* over g it were shorter, but g is a host */
    arena_free(&rig.arena);
}

static void topo_path__hosts_and_storage_do_not_forward(void **state)
{
    (void)state;
    struct rig rig;
    /* a - b - c over the host b is shorter than over the switches d, e; g hangs behind storage. */
    rig_open(&rig, "hhhssSh");
    cables(&rig, "ab bc ad de ec ef fg");
    path(&rig, 'a', 'b', "ab");
    path(&rig, 'a', 'c', "adec");
    path(&rig, 'b', 'c', "bc");
    path(&rig, 'e', 'f', "ef");
    path(&rig, 'f', 'g', "fg");
    path(&rig, 'e', 'g', "");
    arena_free(&rig.arena);
}

static void topo_path__none(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "hshsh");
    cables(&rig, "ab bc de");
    path(&rig, 'a', 'd', "");
    path(&rig, 'e', 'c', "");
    arena_free(&rig.arena);
}

/* Streams spread over equally short ways, each by itself always on the same one. */
static void topo_path__ties_go_by_stream(void **state)
{
    (void)state;
    struct rig rig;
    int32_t links[TOPO_PATH_MAX], again[TOPO_PATH_MAX];
    int over[8] = {0};
    /* Three ways from a to f: over c, and over d, which has two cables to b. */
    rig_open(&rig, "hssssh");
    cables(&rig, "ab bc bd bd ce de ef");
    for (uint32_t stream = 0; stream < 600; stream++) {
        assert_int_equal(topo_path(&rig.graph, 0, 5, stream, links), 4);
        assert_int_equal(topo_path(&rig.graph, 0, 5, stream, again), 4);
        assert_memory_equal(links, again, 4 * sizeof *links);
        over[links[1]]++;
    }
    for (int i = 2; i < 8; i += 2) /* links b>c, b>d, b>d; odd numbers are the way back */
        assert_in_range(over[i], 160, 240);
    arena_free(&rig.arena);
    /* Two cables in parallel between endpoints. */
    rig_open(&rig, "hh");
    cables(&rig, "ab ab");
    assert_int_equal(topo_path(&rig.graph, 0, 1, 0, links), 1);
    assert_int_equal(rig.graph.links[links[0]].to, 1);
    assert_int_equal(topo_path(&rig.graph, 1, 0, 0, links), 1);
    assert_int_equal(rig.graph.links[links[0]].to, 0);
    arena_free(&rig.arena);
}

/* A chain of switches: the longest path that is allowed, each way, and from the middle. */
static void topo_path__long(void **state)
{
    (void)state;
    struct rig rig;
    char kinds[TOPO_PATH_MAX + 2] = "h", all[TOPO_PATH_MAX + 2] = "a";
    for (int i = 1; i <= TOPO_PATH_MAX; i++) {
        kinds[i] = i < TOPO_PATH_MAX ? 's' : 'h';
        all[i] = (char)('a' + i);
    }
    rig_open(&rig, kinds);
    for (int i = 0; i < TOPO_PATH_MAX; i++)
        cables(&rig, (char[]){(char)('a' + i), (char)('b' + i), 0});
    path(&rig, 'a', all[TOPO_PATH_MAX], all);
    path(&rig, 'd', all[TOPO_PATH_MAX], all + 3);
    path(&rig, all[TOPO_PATH_MAX], 'p', "qp");
    arena_free(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_cable__two_links_with_names),
        cmocka_unit_test(topo_path__to_itself),
        cmocka_unit_test(topo_path__shortest),
        cmocka_unit_test(topo_path__hosts_and_storage_do_not_forward),
        cmocka_unit_test(topo_path__none),
        cmocka_unit_test(topo_path__ties_go_by_stream),
        cmocka_unit_test(topo_path__long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
