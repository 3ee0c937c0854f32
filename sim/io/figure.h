/* figure.h - draws a figure of a results database: plots/NAME.gp, its SQL in its head.
 *
 * How a .gp file is written: docs/figures.md. What user text and gnuplot do to each other:
 * figure_gnuplot.h.
 */
#ifndef RAILSIM_IO_FIGURE_H
#define RAILSIM_IO_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/base/err.h"
#include "sim/io/results.h"

#define FIGURE_EXIT_NO_ROWS 1 /* err->exit_code when the database has nothing to show */

/* struct figure_request: which figure of a database, and where to. */
struct figure_request {
    const char *name;     /* stem of plots/NAME.gp */
    const char *plots;    /* folder of the .gp files and style.inc */
    const char *measured; /* folder of measured CSV files that a figure may overlay */
    const char *database; /* what messages call the database */
    const char *out;      /* *.svg, *.png, *.pdf, *.txt, or NULL: on stdout as text */
    const char *title;    /* user text, NULL: the figure's own */
    int columns, rows;    /* of the terminal, for text */
};

/* figure_draw runs the SQL in the head of the .gp file, hands data and user text to gnuplot and
 * moves what it drew to request->out, which is never left half-written. Errors: unknown figure or
 * file name ending (exit code 2, with a suggestion), no rows (FIGURE_EXIT_NO_ROWS), no gnuplot,
 * gnuplot's own message, files (3). */
bool figure_draw(struct results *results, const struct figure_request *request, struct err *err);

/* figure_list prints "name  what it shows" for each .gp file in the folder, sorted. */
bool figure_list(const char *plots, FILE *out, struct err *err);

#endif
