/* table.h - rows of text as an aligned table on a stream. */
#ifndef RAILSIM_APP_TABLE_H
#define RAILSIM_APP_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "sim/base/arena.h"

#define TABLE_COLUMNS 32

/* struct table: set arena, columns, heads and optional; table_add fills the rest. */
struct table {
    struct arena *arena;
    int columns;
    const char *heads[TABLE_COLUMNS]; /* the first NULL: no line of heads */
    int optional; /* columns from this one on are left out if no row has them; 0 = none */
    struct table_row *first, *last;
    int64_t n;
};

/* table_add copies one row of table->columns cells; NULL is shown as "-". */
void table_add(struct table *table, const char *const *cells);
/* table_print writes heads and rows, columns two blanks apart, numbers to the right; control
 * characters, which a terminal would obey, become '?'. */
void table_print(const struct table *table, FILE *out);

#endif
