/* hops.c - double binary trees.
 *
 * The one idea: number the nodes in order from 0; a node's lowest bit is its height, so that leaves
 * are the odd numbers and every node is between its two children; node 0 is on top. The second tree
 * is the first one shifted by a node (n odd) or mirrored (n even).
 */
#include "models/coll/hops.h"

static int32_t top_bit(int32_t n)
{
    int32_t bit = 1;
    while (bit < n)
        bit <<= 1;
    return bit;
}

static struct hops_tree first_tree(int32_t n, int32_t node)
{
    if (node == 0) return (struct hops_tree){-1, {n > 1 ? top_bit(n) >> 1 : -1, -1}};
    int32_t bit = node & -node;
    struct hops_tree tree = {(node ^ bit) | bit << 1, {-1, -1}};
    if (tree.up >= n) tree.up = node ^ bit;
    if (bit == 1) return tree;
    tree.down[0] = node - (bit >> 1);
    for (int32_t low = bit >> 1; low > 0 && tree.down[1] < 0; low >>= 1)
        if (node + low < n) tree.down[1] = node + low;
    return tree;
}

/* A node's number in the first tree, or back from it. */
static int32_t turned(int32_t n, int32_t node, int32_t by)
{
    if (node < 0) return -1;
    return n % 2 == 0 ? n - 1 - node : (node + n + by) % n;
}

struct hops_tree hops_tree(int32_t n, int32_t node, int32_t tree)
{
    if (tree == 0) return first_tree(n, node);
    struct hops_tree first = first_tree(n, turned(n, node, -1));
    return (struct hops_tree){turned(n, first.up, 1),
                              {turned(n, first.down[0], 1), turned(n, first.down[1], 1)}};
}

int32_t hops_tree_depth(int32_t n)
{
    int32_t depth = 0;
    for (int32_t bit = 1; bit < n; bit <<= 1)
        depth++;
    return depth;
}
