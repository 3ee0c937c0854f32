/* plot.c - `railsim plot`: a figure of a results database, into a file or the terminal. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sim/app/cli.h"
#include "sim/app/verbs.h"
#include "sim/io/figure.h"

#define COLUMNS_DEFAULT 100
#define ROWS_PER_COLUMN 0.32 /* a character is about twice as high as wide */

struct plot {
    const char *output, *title;
    bool list;
};

static const struct cli_option options[] = {
    {"output", 'o', CLI_TEXT, offsetof(struct plot, output), "FILE",
     "draw into FILE.svg, .png, .pdf or .txt (default: in the terminal)"},
    {"title", 0, CLI_TEXT, offsetof(struct plot, title), "TEXT", "instead of the figure's own"},
    {"list", 0, CLI_FLAG, offsetof(struct plot, list), NULL, "list the figures"},
    {0}};

static const struct cli_verb verb = {.name = "plot",
                                     .args = "DATABASE FIGURE",
                                     .help = "draw a figure from a database",
                                     .example =
                                         "railsim plot results.db slowdown-vs-rtt -o slowdown.svg\n"
                                         "railsim plot --list",
                                     .arg_min = 0,
                                     .arg_max = 2,
                                     .options = options};

/* terminal_columns returns the width from COLUMNS, the terminal, or the default; 60 to 300. */
static int terminal_columns(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize size = {0};
    long n = text ? strtol(text, NULL, 10) : 0;
    if (n <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) n = size.ws_col;
    if (n <= 0) n = COLUMNS_DEFAULT;
    return n < 60 ? 60 : n > 300 ? 300 : (int)n;
}

static bool plot_figure(const struct cli_line *line, const struct figure_request *request,
                        struct err *err)
{
    struct results *results = results_open(line->args.text[0], RESULTS_READ, err);
    if (!results) return false;
    bool ok = figure_draw(results, request, err);
    ok = results_close(results, err) && ok;
    return ok;
}

int plot_main(int argc, char **argv)
{
    struct plot plot = {0};
    struct arena arena = {0};
    struct err err = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    int code = cli_parse(&verb, &line, &arena, &plot);
    if (code == CLI_GO) {
        int columns = terminal_columns();
        struct figure_request request = {.plots = cli_data_path(&arena, "plots"),
                                         .measured =
                                             cli_data_path(&arena, "tests/validation/measured"),
                                         .out = plot.output,
                                         .title = plot.title,
                                         .columns = columns,
                                         .rows = 4 + (int)(columns * ROWS_PER_COLUMN)};
        bool ok;
        if (plot.list) {
            ok = figure_list(request.plots, stdout, &err);
        } else if (line.args.n < 2) {
            ok = err_add(&err, (struct err_pos){0},
                         "expected DATABASE and FIGURE (railsim plot --list shows the figures)");
        } else {
            request.database = line.args.text[0];
            request.name = line.args.text[1];
            ok = plot_figure(&line, &request, &err);
        }
        code = ok ? CLI_OK : cli_report(&err, false);
    }
    err_free(&err);
    arena_free(&arena);
    return code;
}
