/* fuzz_tree.c - any bytes as a YAML file: refused or read, never a crash or a hang.
 *
 * clang -DFUZZ -fsanitize=fuzzer,address,undefined, or without FUZZ a program that runs the files
 * on its command line (the corpus, a crash found elsewhere).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/check.h"
#include "sim/io/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* check_node: every node is what tree.h says. */
static int check_node(const struct tree_node *node, const struct tree_node *parent, int depth)
{
    int n = 0;
    CHECK(depth <= 65, "deeper than the cap");
    CHECK(node->pos.line > 0 && node->pos.col > 0, "no place");
    CHECK((node->kind == TREE_SCALAR) == (node->text != NULL), "text only in scalars");
    CHECK((parent && parent->kind == TREE_MAP) == (node->key != NULL), "keys only in maps");
    if (node->key) CHECK(tree_find(parent, node->key) == node || parent->n > 100, "found by key");
    for (const struct tree_node *child = node->first; child; child = child->next, n++) {
        check_node(child, node, depth + 1);
        if (!child->next) CHECK(node->last == child, "last");
    }
    CHECK(n == node->n, "%d children, not %d", n, node->n);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct err err = {0};
    const struct tree_node *root =
        tree_read_text(&arena, "fuzz.yaml", (const char *)data, size, &err);
    bool duplicates = true; /* beside these alone there is a tree */
    for (int i = 0; i < err.count && i < ERR_CAP; i++)
        duplicates = duplicates && strstr(err.messages[i], "error: duplicate key '");
    CHECK((root != NULL) == duplicates || err.count > ERR_CAP, "either a tree or errors");
    if (root) check_node(root, NULL, 1);
    err_free(&err);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif
