/* tree_fixture.h - a tree and what was said while it was read, for the tests of sim/io/tree*.c. */
#ifndef RAILSIM_TESTS_TREE_FIXTURE_H
#define RAILSIM_TESTS_TREE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/io/tree.h"
#include "tests/unit/messages.h"

struct fixture {
    struct arena arena;
    struct err err;
    struct tree_node *root;
};

static inline void drop(struct fixture *f)
{
    err_free(&f->err);
    arena_free(&f->arena);
}

/* find returns the value of a key that must be there. */
static inline const struct tree_node *find(const struct tree_node *map, const char *key)
{
    const struct tree_node *node = tree_find(map, key);
    assert_non_null(node);
    return node;
}

#endif
