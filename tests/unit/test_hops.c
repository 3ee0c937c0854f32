/* test_hops.c - rings' rounds and double binary trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/coll/hops.h"

/* What one position sends in a step is what the next one receives in the following step. */
static void hops_ring__neighbours_agree(void **state)
{
    (void)state;
    static const enum coll_op ops[] = {COLL_ALL_REDUCE, COLL_ALL_GATHER, COLL_REDUCE_SCATTER};
    for (int o = 0; o < 3; o++)
        for (int32_t n = 2; n <= 7; n++)
            for (int32_t p = 0; p < n; p++)
                for (int32_t j = 0; j + 1 < hops_ring_n(ops[o], n); j++) {
                    struct hops_ring a = hops_ring(ops[o], n, p, j);
                    struct hops_ring b = hops_ring(ops[o], n, (p + 1) % n, j + 1);
                    assert_true(a.send && b.recv);
                    assert_int_equal(a.piece, b.piece);
                }
}

static void hops_ring__ends(void **state)
{
    (void)state;
    assert_int_equal(hops_ring(COLL_REDUCE_SCATTER, 5, 3, 4).piece, 3); /* its own */
    assert_int_equal(hops_ring(COLL_ALL_GATHER, 5, 3, 0).piece, 3);
    assert_false(hops_ring(COLL_ALL_REDUCE, 5, 3, 8).send);
    assert_true(hops_ring(COLL_ALL_REDUCE, 5, 3, 4).reduce);
    assert_false(hops_ring(COLL_ALL_REDUCE, 5, 3, 5).reduce);
}

/* Both ends of an edge know it; every node but the root has a way up. */
static void hops_tree__is_a_tree(void **state)
{
    (void)state;
    for (int32_t n = 1; n <= 70; n++)
        for (int32_t t = 0; t < 2; t++) {
            int32_t roots = 0;
            for (int32_t v = 0; v < n; v++) {
                struct hops_tree tree = hops_tree(n, v, t);
                int32_t hops = 0, at = v;
                roots += tree.up < 0;
                for (; hops_tree(n, at, t).up >= 0; hops++)
                    at = hops_tree(n, at, t).up;
                assert_true(hops <= hops_tree_depth(n));
                for (int c = 0; c < 2; c++)
                    if (tree.down[c] >= 0) assert_int_equal(hops_tree(n, tree.down[c], t).up, v);
                if (tree.up < 0) continue;
                struct hops_tree above = hops_tree(n, tree.up, t);
                assert_true(above.down[0] == v || above.down[1] == v);
            }
            assert_int_equal(roots, 1);
        }
}

/* With an even number of nodes no node has two children in both trees. */
static void hops_tree__inner_nodes_of_one_are_leaves_of_the_other(void **state)
{
    (void)state;
    for (int32_t n = 2; n <= 64; n += 2)
        for (int32_t v = 0; v < n; v++) {
            struct hops_tree a = hops_tree(n, v, 0), b = hops_tree(n, v, 1);
            int children_a = (a.down[0] >= 0) + (a.down[1] >= 0);
            int children_b = (b.down[0] >= 0) + (b.down[1] >= 0);
            assert_true(children_a + children_b <= 2);
        }
}

static void hops_tree__known_shape(void **state)
{
    (void)state;
    const struct hops_tree four = hops_tree(8, 4, 0), zero = hops_tree(8, 0, 0);
    assert_int_equal(zero.up, -1);
    assert_int_equal(zero.down[0], 4);
    assert_int_equal(four.up, 0);
    assert_int_equal(four.down[0], 2);
    assert_int_equal(four.down[1], 6);
    assert_int_equal(hops_tree(8, 7, 1).up, -1);
    assert_int_equal(hops_tree_depth(8), 3);
    assert_int_equal(hops_tree_depth(9), 4);
    assert_int_equal(hops_tree_depth(1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hops_ring__neighbours_agree),
        cmocka_unit_test(hops_ring__ends),
        cmocka_unit_test(hops_tree__is_a_tree),
        cmocka_unit_test(hops_tree__inner_nodes_of_one_are_leaves_of_the_other),
        cmocka_unit_test(hops_tree__known_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
