/* hops.h - the shapes from which algorithms are made: a round of a ring, double binary trees. Pure.
 *
 * Source of the trees' shape: NCCL, src/graph/trees.cc (ncclGetBtree, ncclGetDtree).
 */
#ifndef RAILSIM_MODELS_COLL_HOPS_H
#define RAILSIM_MODELS_COLL_HOPS_H

#include "models/coll/coll.h"

/* struct hops_ring: what the rank at one position of a ring does in one step of a round. */
struct hops_ring {
    int32_t piece; /* 0 .. n-1: the one that it receives, and then sends on */
    bool recv, send, reduce;
};

/* hops_ring_n returns the steps of a round: all-reduce 2 n - 1, all-gather and reduce-scatter n. */
static inline int32_t hops_ring_n(enum coll_op op, int32_t n)
{
    return op == COLL_ALL_REDUCE ? 2 * n - 1 : n;
}

/* hops_ring is step j: piece (position - j) mod n; in a reduce-scatter one further, so that each
 * position ends with its own piece. */
static inline struct hops_ring hops_ring(enum coll_op op, int32_t n, int32_t position, int32_t j)
{
    int32_t piece = position - j - (op == COLL_REDUCE_SCATTER);
    if (piece < 0) piece += n;
    if (piece < 0) piece += n;
    int32_t last = hops_ring_n(op, n) - 1;
    return (struct hops_ring){piece, j > 0, j < last, op != COLL_ALL_GATHER && j < n};
}

/* struct hops_tree: the neighbours of a node; -1 = none. */
struct hops_tree {
    int32_t up;
    int32_t down[2];
};

/* hops_tree gives node's place in one of the two trees over n nodes: each node but the roots is a
 * leaf of one tree and inside the other. */
struct hops_tree hops_tree(int32_t n, int32_t node, int32_t tree);
/* hops_tree_depth returns the most hops from a node to the root. */
int32_t hops_tree_depth(int32_t n);

#endif
