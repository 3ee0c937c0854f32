/* figure_csv.h - a table of published measurements, as SQL can use it.
 *
 * The file: comment lines "# ...", one of which says "Source: ..."; a line of column names
 * ([a-z][a-z0-9_]*); then rows. A field may stand in double quotes ("" is a quote), but not span
 * lines. An empty field is NULL, a field that is a number is one.
 */
#ifndef RAILSIM_IO_FIGURE_CSV_H
#define RAILSIM_IO_FIGURE_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

#define FIGURE_CSV_TEXTS 2000 /* text fields of all tables of a figure */

/* struct figure_csv: the text parameters of SQL, which its tables add to. */
struct figure_csv {
    struct arena *arena;
    const char *texts[FIGURE_CSV_TEXTS];
    int n;
};

/* struct figure_csv_file: a table and where it comes from. */
struct figure_csv_file {
    const char *table; /* its name in SQL */
    const char *path;  /* for messages */
    const char *text;
};

/* figure_csv_sql writes "table(columns) AS (VALUES (...), ...)" to sql; text fields become the
 * parameters ?1, ?2, ... in csv->texts. Reports every wrong line. */
bool figure_csv_sql(struct figure_csv *csv, const struct figure_csv_file *file, FILE *sql,
                    struct err *err);

/* figure_csv_source returns what stands after "Source:" in a comment line, up to the end of the
 * sentence; "" if nothing does. */
const char *figure_csv_source(struct arena *arena, const char *text);

/* figure_csv_is_number: is text a plain decimal number, [+-]digits[.digits][e[+-]digits]? */
bool figure_csv_is_number(const char *text);

#endif
