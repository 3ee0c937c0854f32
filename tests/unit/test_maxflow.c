/* test_maxflow.c - maximum flow: by hand, and against the smallest cut of random networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/topo/maxflow.h"
#include "sim/base/arena.h"

struct arc {
    int32_t from, to;
    int64_t cap;
};

static int64_t run(int32_t node_n, const struct arc *arcs, int64_t n, int32_t sink)
{
    struct arena arena = {0};
    struct maxflow flow = {.arena = &arena, .node_n = node_n};
    for (int64_t i = 0; i < n; i++)
        maxflow_arc(&flow, arcs[i].from, arcs[i].to, arcs[i].cap);
    int64_t sum = maxflow_run(&flow, 0, sink);
    arena_free(&arena);
    return sum;
}

static void maxflow_run__by_hand(void **state)
{
    (void)state;
    assert_int_equal(run(2, NULL, 0, 1), 0);
    assert_int_equal(run(2, (struct arc[]){{0, 1, 7}, {1, 0, 9}, {0, 1, 5}}, 3, 1), 12);
    assert_int_equal(run(3, (struct arc[]){{0, 1, 7}, {1, 2, 4}}, 2, 2), 4);
    /* The way over the middle has to be taken back: both ways of 10 are used in the end. */
    assert_int_equal(
        run(4, (struct arc[]){{0, 1, 10}, {1, 2, 1}, {2, 3, 10}, {0, 2, 10}, {1, 3, 10}}, 5, 3),
        20);
    const int64_t big = INT64_C(4000000000000000000);
    assert_int_equal(
        run(4, (struct arc[]){{0, 1, big}, {0, 2, big}, {1, 3, big}, {2, 3, big}}, 4, 3), 2 * big);
}

/* The smallest cut, by trying all 2^(n-2). */
static int64_t smallest_cut(int32_t node_n, const struct arc *arcs, int64_t n)
{
    int64_t best = INT64_MAX;
    for (uint32_t set = 1; set < 1u << node_n; set += 2) { /* node 0 is in, the last is not */
        if (set >> (node_n - 1)) break;
        int64_t cut = 0;
        for (int64_t i = 0; i < n; i++)
            if ((set >> arcs[i].from & 1) && !(set >> arcs[i].to & 1)) cut += arcs[i].cap;
        if (cut < best) best = cut;
    }
    return best;
}

static void maxflow_run__equals_the_smallest_cut(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int trial = 0; trial < 300; trial++) {
        struct arc arcs[24];
        int32_t node_n = 3 + trial % 6;
        for (int i = 0; i < 24; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            arcs[i] = (struct arc){.from = (int32_t)((random >> 33) % (uint64_t)node_n),
                                   .to = (int32_t)((random >> 43) % (uint64_t)node_n),
                                   .cap = (int64_t)((random >> 53) % 20)};
        }
        assert_int_equal(run(node_n, arcs, 24, node_n - 1), smallest_cut(node_n, arcs, 24));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxflow_run__by_hand),
        cmocka_unit_test(maxflow_run__equals_the_smallest_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
