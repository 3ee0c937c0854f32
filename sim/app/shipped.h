/* shipped.h - files that a workload names (traces, algorithms, flows), found by their shipped
 * names. */
#ifndef RAILSIM_APP_SHIPPED_H
#define RAILSIM_APP_SHIPPED_H

#include "sim/base/arena.h"
#include "sim/io/schema.h"
#include "sim/io/tree.h"

/* shipped_complete puts the path of the shipped file in place of each value of root that is a file
 * by the schema of its `kind`, if there is nothing where it points to, but a shipped file of that
 * name. */
void shipped_complete(struct arena *arena, struct tree_node *root,
                      const struct schema *const *kinds);

#endif
