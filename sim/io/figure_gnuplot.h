/* figure_gnuplot.h - the only file that starts gnuplot.
 *
 * gnuplot executes backticks in double quotes, '< command' as a file to read, '|command' as one to
 * write, and ~/.gnuplot. So: it runs by posix_spawn (no shell) with -d in a fresh folder where all
 * files have generated names, with a small environment, and user text reaches it only through
 * figure_gnuplot_quote.
 */
#ifndef RAILSIM_IO_FIGURE_GNUPLOT_H
#define RAILSIM_IO_FIGURE_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sim/base/err.h"

#define FIGURE_GNUPLOT_OUT "figure.out" /* the script writes its figure to this file */

/* struct figure_gnuplot_file: a file to put into the folder. */
struct figure_gnuplot_file {
    const char *name; /* generated: no '/' */
    const char *text;
    size_t bytes;
};

/* figure_gnuplot_quote writes text as a gnuplot string: in double quotes, every byte outside
 * [A-Za-z0-9 .,:;()[]+-=/] as an octal escape. Newlines and tabs become spaces; other control
 * characters and broken UTF-8 become U+FFFD (SVG cannot hold them, a terminal would obey them). */
void figure_gnuplot_quote(FILE *out, const char *text);

/* figure_gnuplot_run writes the n files, runs `gnuplot -d files[0].name` there for at most 60 s and
 * moves FIGURE_GNUPLOT_OUT to out: first a temporary file beside it, then rename; NULL: to stdout.
 * Removes the folder, also on SIGINT, SIGTERM, SIGHUP. Warnings of gnuplot go to stderr. Errors
 * (exit code 3): no gnuplot, its message, no figure, files. */
bool figure_gnuplot_run(const struct figure_gnuplot_file *files, int n, const char *out,
                        struct err *err);

#endif
