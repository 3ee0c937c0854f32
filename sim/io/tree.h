/* tree.h - a YAML text as a tree of nodes, each with its place; the only libyaml reader (events).
 *
 * Refused with file:line:column: duplicate keys, second documents, depth > 64, > 16 MiB, > 1e6
 * nodes, > 1,000 alias expansions, broken UTF-8 (at its true place), anything but a regular file.
 */
#ifndef RAILSIM_IO_TREE_H
#define RAILSIM_IO_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

/* struct tree_node: children are linked in the order of the text; in a map each child has a key. */
struct tree_node {
    enum tree_kind kind;
    bool quoted;            /* a scalar in quotes */
    const char *text;       /* scalars */
    const char *key;        /* in a map, else NULL */
    struct err_pos pos;     /* of the value */
    struct err_pos key_pos; /* of the key */
    struct tree_node *first, *last, *next;
    int n; /* children */
};

/* tree_read_file reads path; NULL on failure (all errors in err). An empty file is an empty map.
 * With nothing wrong but duplicate keys, the tree without them is returned, and err has the errors.
 * The tree, and everything that it points to, lives in arena. */
struct tree_node *tree_read_file(struct arena *arena, const char *path, struct err *err);
/* tree_read_text is the same for text[len] called name in messages. */
struct tree_node *tree_read_text(struct arena *arena, const char *name, const char *text,
                                 size_t len, struct err *err);
/* struct tree_override: "wan.rtt" = "15ms", said by "--set". alone: by an option that stands for
 * this path ("--fabric packet"), so that messages show the value alone behind it. */
struct tree_override {
    const char *path, *value, *origin;
    bool alone;
};
/* tree_set replaces or creates the scalar (or flow-style list, "[3, 7]") at a dotted path below
 * root; "list.0.key" addresses the first element of an existing list. The origin becomes the file
 * of its place, line 0; line_text of the place is "path=value" (alone: "value"), so that errors
 * can show it: see tree_shown. A value without brackets counts as quoted. */
bool tree_set(struct arena *arena, struct tree_node *root, const struct tree_override *set,
              struct err *err);
/* tree_shown turns the place of an override into one that err_add can show: "--set wan.rtt=15".
 * Other places are returned as they are. */
struct err_pos tree_shown(struct arena *arena, struct err_pos pos);
/* tree_find returns the child of a map called key, or NULL. */
const struct tree_node *tree_find(const struct tree_node *map, const char *key);
/* tree_library names the YAML library in use, for --version and provenance. */
const char *tree_library(void);

#endif
