/* schema_walk.h - visits every key of a kind of file, named as the user names it. */
#ifndef RAILSIM_IO_SCHEMA_WALK_H
#define RAILSIM_IO_SCHEMA_WALK_H

#include "sim/io/schema.h"

/* struct schema_visit: what stands at a path. Exactly one of these:
 *   field, schema and kinds NULL    a value
 *   schema                          a section, the elements of a list, a kind of a variant (field
 *                                   NULL: a kind, or the root)
 *   kinds                           a variant; its kinds follow, with the same path (field NULL:
 *                                   the root) */
struct schema_visit {
    const char *path; /* with the root's prefix: "wan.rtt", "list.N.key"; "" or "workload": root */
    const char *kind; /* inside a kind of a variant: its name (the innermost), else NULL */
    const struct schema_field *field;
    const struct schema *schema;
    const struct schema *const *kinds;
};
typedef bool schema_visit_fn(void *self, const struct schema_visit *visit);

/* schema_walk calls fn for everything, sections before their keys; stops when it returns false.
 * Paths live in arena. */
void schema_walk(struct arena *arena, const struct schema_root *root, schema_visit_fn *fn,
                 void *self);

/* schema_walk_find returns the path of the first key of that name, wherever it stands (and the kind
 * around it in *kind, or NULL); NULL if there is none. */
const char *schema_walk_find(struct arena *arena, const struct schema_root *root, const char *key,
                             const char **kind);

/* schema_walk_kind_with returns the name of the first of kinds (which may be NULL) with such a key,
 * or NULL. */
const char *schema_walk_kind_with(const struct schema *const *kinds, const char *key);

#endif
