/* figure.c - from the SQL in the head of a .gp file to the data files and variables it draws.
 *
 * Here meets what comes from two sides: rows of SQL, and a gnuplot script that must not care how
 * many lines or panels there are. The one idea: a row belongs to the group of its `panel` and
 * `label` columns; numbers go to a data file with one data set per group, texts to arrays in a
 * generated preamble. So no text of a user's is ever in a data file. See docs/figures.md.
 *
 * Not modelled: axes, colours, wording: plots/.
 */
#include "sim/io/figure.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/io/figure_csv.h"
#include "sim/io/figure_gnuplot.h"
#include "sim/io/figure_head.h"

#define GROUP_MAX 1000
#define ROW_MAX 1000000
#define PANEL_MAX 100
#define BLOCK_MAX 16
#define LIST_MAX 200
#define IMAGE_CHARS 134  /* of small type on a line of an image */
#define PANEL_ROWS 12    /* of the terminal, more for each of the third and fourth panel */
#define SOURCE_INDENT 12 /* of them left for other words beside a source */

static const char style_name[] = "style.inc";

/* struct group: the rows of a block that share panel and label. */
struct group {
    const char *label;
    int panel; /* from 1; 0 = none */
    FILE *rows;
    char *text;
    size_t bytes;
};

struct block {
    const struct figure_head_part *part;
    struct group group[GROUP_MAX];
    int group_n, last; /* last: group of the last row */
    int64_t row_n;
};

/* struct drawing: everything of one figure_draw. */
struct drawing {
    const struct figure_request *request;
    struct arena arena;
    struct err *err;
    struct figure_head head;
    struct figure_csv csv;
    struct block *block[BLOCK_MAX];
    int block_n;
    const char *panel[PANEL_MAX];
    int panel_n;
};

/* struct reader: where a row goes. */
struct reader {
    struct drawing *drawing;
    struct block *block;
};

/* compare_names orders for qsort. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* list_names fills names with the stems of the .gp files of a folder, sorted; -1 + error. */
static int list_names(struct arena *arena, const char *plots, const char *names[LIST_MAX],
                      struct err *err)
{
    DIR *dir = opendir(plots);
    if (!dir) return err_io(err, "cannot read the folder %s: %s", plots, strerror(errno)), -1;
    int n = 0;
    for (const struct dirent *entry; n < LIST_MAX && (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (len <= 3 || entry->d_name[0] == '.' || strcmp(entry->d_name + len - 3, ".gp") != 0)
            continue;
        names[n++] = arena_printf(arena, "%.*s", (int)len - 3, entry->d_name);
    }
    closedir(dir);
    if (n > 0) qsort(names, (size_t)n, sizeof(*names), compare_names);
    return n;
}

bool figure_list(const char *plots, FILE *out, struct err *err)
{
    struct arena arena = {0};
    const char *names[LIST_MAX];
    int n = list_names(&arena, plots, names, err);
    bool ok = n >= 0;
    for (int i = 0; i < n; i++) {
        struct figure_head head = {0};
        const char *path = arena_printf(&arena, "%s/%s.gp", plots, names[i]);
        const char *text = figure_head_text(&arena, path, err);
        ok = text && figure_head_parse(&arena, path, text, &head, err) && ok;
        if (text) fprintf(out, "%-20s %s\n", names[i], head.about);
    }
    arena_free(&arena);
    return ok;
}

/* check_name accepts only names of the list, so that a name can be no path. */
static bool check_name(struct drawing *d)
{
    const char *names[LIST_MAX];
    int n = list_names(&d->arena, d->request->plots, names, d->err);
    if (n < 0) return false;
    const char *all = "";
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], d->request->name) == 0) return true;
        all = arena_printf(&d->arena, "%s%s%s", all, i ? ", " : "", names[i]);
    }
    const char *near = err_suggest(d->request->name, names, n);
    struct err_pos nowhere = {0};
    if (near)
        return err_add(d->err, nowhere, "unknown figure '%s' (did you mean '%s'?)",
                       d->request->name, near);
    return err_add(d->err, nowhere, "unknown figure '%s' (there are: %s)", d->request->name, all);
}

/* terminal returns gnuplot's terminal for the file name and the panels so far, NULL if the name's
 * ending is unknown. */
static const char *terminal(struct drawing *d)
{
    static const char *const known[][2] = {
        {".svg",
         "svg size 900,540 dynamic background '#ffffff' font 'sans-serif,10' fontscale 1.3"},
        {".png", "pngcairo size 900,540 background '#ffffff' font 'sans,10'"},
        {".pdf", "pdfcairo size 9in,5.4in background '#ffffff' font 'sans,10' fontscale 1.1"}};
    const char *out = d->request->out;
    const char *dot = out ? strrchr(out, '.') : ".txt";
    for (size_t i = 0; dot && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(dot, known[i][0]) == 0) return known[i][1];
    if (!dot || strcmp(dot, ".txt") != 0) return NULL;
    int more = d->panel_n < 3 ? 0 : d->panel_n < 4 ? 1 : 2;
    return arena_printf(&d->arena, "dumb size %d,%d", d->request->columns,
                        d->request->rows + PANEL_ROWS * more);
}

/* find_panel returns the number of a panel, from 1; 0 if there are too many. */
static int find_panel(struct drawing *d, const char *name)
{
    for (int i = 0; i < d->panel_n; i++)
        if (strcmp(d->panel[i], name) == 0) return i + 1;
    if (d->panel_n == PANEL_MAX) return 0;
    d->panel[d->panel_n++] = arena_strdup(&d->arena, name);
    return d->panel_n;
}

static bool same_group(const struct group *group, int panel, const char *label)
{
    return group->panel == panel && strcmp(group->label, label) == 0;
}

/* find_group returns the group of a row, which it makes if it is new; NULL if there are too many.
 * Rows mostly come in runs. */
static struct group *find_group(struct drawing *d, struct block *block, int panel,
                                const char *label)
{
    if (block->group_n > 0 && same_group(&block->group[block->last], panel, label))
        return &block->group[block->last];
    for (int i = 0; i < block->group_n; i++)
        if (same_group(&block->group[i], panel, label)) return &block->group[block->last = i];
    if (block->group_n == GROUP_MAX) return NULL;
    struct group *group = &block->group[block->last = block->group_n];
    group->label = arena_strdup(&d->arena, label);
    group->panel = panel;
    group->rows = open_memstream(&group->text, &group->bytes);
    if (!group->rows) return NULL;
    block->group_n++;
    return group;
}

/* take_row is a results_row_fn: one row into the data set of its group. */
static bool take_row(void *self, int n, const char *const *names, const char *const *values)
{
    const struct reader *reader = self;
    struct drawing *d = reader->drawing;
    struct err_pos pos = reader->block->part->pos;
    const char *name = reader->block->part->name, *label = "";
    int panel = 0;
    for (int i = 0; i < n; i++) {
        const char *value = values[i] ? values[i] : "";
        if (strcmp(names[i], "label") == 0) label = value;
        if (strcmp(names[i], "panel") == 0 && (panel = find_panel(d, value)) == 0)
            return err_add(d->err, pos, "'%s' has more than %d panels", name, PANEL_MAX);
    }
    struct group *group = find_group(d, reader->block, panel, label);
    if (!group) return err_add(d->err, pos, "'%s' has more than %d groups", name, GROUP_MAX);
    if (++reader->block->row_n > ROW_MAX)
        return err_add(d->err, pos, "'%s' has more than %d rows: let SQL thin them out", name,
                       ROW_MAX);
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], "label") == 0 || strcmp(names[i], "panel") == 0) continue;
        bool is_gap = !values[i] || strcmp(values[i], "Inf") == 0 || strcmp(values[i], "-Inf") == 0;
        if (!is_gap && !figure_csv_is_number(values[i]))
            return err_add(d->err, pos, "column '%s' of '%s' is text; only label and panel may be",
                           names[i], name);
        fprintf(group->rows, " %s", is_gap ? "NaN" : values[i]);
    }
    fputc('\n', group->rows);
    return true;
}

/* read_block runs a block's SQL, which sees the tables so far as common table expressions. */
static bool read_block(struct drawing *d, struct results *results,
                       const struct figure_head_part *part, const char *tables)
{
    if (d->block_n == BLOCK_MAX)
        return err_add(d->err, part->pos, "more than %d #sql blocks", BLOCK_MAX);
    struct block *block = ARENA_NEW(&d->arena, struct block);
    block->part = part;
    d->block[d->block_n++] = block;
    struct reader reader = {d, block};
    const char *sql =
        arena_printf(&d->arena, "%s%s\n%s", *tables ? "WITH " : "", tables, part->text);
    int before = d->err->count;
    const struct results_query query = {
        .sql = sql, .params = d->csv.texts, .param_n = d->csv.n, .row = take_row, .self = &reader};
    bool ok = results_query(results, &query, d->err);
    for (int i = 0; i < block->group_n; i++)
        ok = fclose(block->group[i].rows) == 0 && ok;
    if (d->err->count > before || !ok)
        return err_add(d->err, part->pos, "this is the SQL that failed");
    if (block->row_n > 0 || !part->needs) return true;
    err_add(d->err, (struct err_pos){0}, "no %s in %s", part->needs, d->request->database);
    d->err->exit_code = FIGURE_EXIT_NO_ROWS;
    return false;
}

/* line_chars returns how many characters fit on a line of the figure. */
static int line_chars(const struct drawing *d)
{
    return d->request->out && !strstr(d->request->out, ".txt") ? IMAGE_CHARS : d->request->columns;
}

/* source_line returns how much of a source goes on a line: all, or up to an item's end in the last
 * two thirds of the line, or up to a blank. */
static size_t source_line(const char *source, size_t width)
{
    size_t blank = 0, item = 0, n = 0;
    for (; source[n] && n <= width; n++) {
        if (source[n] != ' ') continue;
        blank = n;
        if (n > width / 3 && source[n - 1] == ';') item = n;
    }
    if (!source[n]) return n;
    return item ? item : blank ? blank : strcspn(source, " ");
}

/* write_source writes NAME_source, broken into lines that fit, and NAME_source_lines. */
static void write_source(struct drawing *d, const char *name, const char *source, FILE *script)
{
    size_t width = (size_t)line_chars(d) - SOURCE_INDENT;
    int lines = 0;
    fprintf(script, "%s_source = ", name);
    do {
        size_t n = source_line(source, width);
        fputs(lines++ ? ".\"\\n\"." : "", script);
        figure_gnuplot_quote(script, arena_printf(&d->arena, "%.*s", (int)n, source));
        source += n + (source[n] == ' ');
    } while (*source);
    fprintf(script, "\n%s_source_lines = %d\n", name, lines);
}

/* add_csv returns the tables with those of a CSV file added, and writes its source for gnuplot. */
static const char *add_csv(struct drawing *d, const struct figure_head_part *part,
                           const char *tables, FILE *script)
{
    if (strchr(part->text, '/') || *part->text == '.') {
        err_add(d->err, part->pos, "'%s' is no file name", part->text);
        return NULL;
    }
    const char *path = arena_printf(&d->arena, "%s/%s", d->request->measured, part->text);
    char *sql = NULL;
    size_t bytes = 0;
    struct figure_csv_file file = {part->name, path, figure_head_text(&d->arena, path, d->err)};
    FILE *out = file.text ? open_memstream(&sql, &bytes) : NULL;
    if (!out) return NULL;
    bool ok = figure_csv_sql(&d->csv, &file, out, d->err);
    ok = fclose(out) == 0 && ok;
    if (ok) {
        tables = arena_printf(&d->arena, "%s%s%s", tables, *tables ? ",\n" : "", sql);
        write_source(d, part->name, figure_csv_source(&d->arena, file.text), script);
    }
    free(sql);
    return ok ? tables : NULL;
}

/* read_parts turns the head into blocks with rows. */
static bool read_parts(struct drawing *d, struct results *results, FILE *script)
{
    const char *tables = "";
    for (const struct figure_head_part *part = d->head.first; part; part = part->next) {
        if (part->kind == FIGURE_HEAD_CSV) {
            tables = add_csv(d, part, tables, script);
            if (!tables) return false;
        } else if (part->kind == FIGURE_HEAD_TABLE) {
            tables = arena_printf(&d->arena, "%s%s%s AS (\n%s)", tables, *tables ? ",\n" : "",
                                  part->name, part->text);
        } else if (!read_block(d, results, part, tables)) {
            return false;
        }
    }
    return true;
}

/* write_block declares a block's variables and returns its data file. */
static struct figure_gnuplot_file write_block(struct drawing *d, const struct block *block,
                                              FILE *script)
{
    const char *name = block->part->name;
    struct figure_gnuplot_file file = {.name = arena_printf(&d->arena, "%s.dat", name)};
    int size = block->group_n > 0 ? block->group_n : 1;
    fprintf(script, "%s = '%s'\n%s_n = %d\narray %s_label[%d]\narray %s_panel[%d]\n", name,
            file.name, name, block->group_n, name, size, name, size);
    for (int i = 0; i < block->group_n; i++) {
        fprintf(script, "%s_panel[%d] = %d\n%s_label[%d] = ", name, i + 1, block->group[i].panel,
                name, i + 1);
        figure_gnuplot_quote(script, block->group[i].label);
        fputc('\n', script);
        file.bytes += block->group[i].bytes + 2;
    }
    if (block->group_n == 0) { /* gnuplot complains about a file without a row, and of no label */
        fprintf(script, "%s_label[1] = ''\n", name);
        file.text = "NaN NaN\n";
        file.bytes = strlen(file.text);
        return file;
    }
    char *at = arena_alloc(&d->arena, file.bytes + 1);
    file.text = at;
    for (int i = 0; i < block->group_n; i++) {
        memcpy(at, block->group[i].text, block->group[i].bytes);
        at += block->group[i].bytes;
        memcpy(at, "\n\n", 2);
        at += 2;
    }
    return file;
}

/* write_frame writes what every figure knows: terminal, title, panels. */
static void write_frame(const struct drawing *d, const char *term, FILE *script)
{
    bool is_text = strncmp(term, "dumb", 4) == 0;
    fprintf(script,
            "set encoding utf8\nset terminal %s noenhanced\nset output '%s'\n"
            "dumb = %d\nline_chars = %d\ntitle = ",
            term, FIGURE_GNUPLOT_OUT, is_text, line_chars(d));
    figure_gnuplot_quote(script, d->request->title ? d->request->title : "");
    fprintf(script, "\npanels = %d\narray panel[%d]\n", d->panel_n, d->panel_n ? d->panel_n : 1);
    for (int i = 0; i < d->panel_n; i++) {
        fprintf(script, "panel[%d] = ", i + 1);
        figure_gnuplot_quote(script, d->panel[i]);
        fputc('\n', script);
    }
}

/* prepare reads heads and rows and fills files; returns their number, 0 + error. The text of the
 * first, the script, is the caller's. */
static int prepare(struct drawing *d, struct results *results, FILE *script,
                   struct figure_gnuplot_file *files)
{
    const char *names[] = {style_name, arena_printf(&d->arena, "%s.gp", d->request->name)};
    const char *generated[] = {style_name, "figure.gp"};
    int n = 0;
    if (!terminal(d)) {
        err_add(d->err, (struct err_pos){0},
                "cannot draw '%s': a figure ends in .svg .png .pdf .txt", d->request->out);
        return 0;
    }
    files[n++].name = "script.gp";
    for (int i = 0; i < 2; i++) {
        const char *path = arena_printf(&d->arena, "%s/%s", d->request->plots, names[i]);
        const char *text = figure_head_text(&d->arena, path, d->err);
        if (!text || !figure_head_parse(&d->arena, path, text, &d->head, d->err)) return 0;
        files[n++] = (struct figure_gnuplot_file){generated[i], text, strlen(text)};
    }
    if (!read_parts(d, results, script)) return 0;
    write_frame(d, terminal(d), script);
    for (int i = 0; i < d->block_n; i++)
        files[n++] = write_block(d, d->block[i], script);
    fprintf(script, "load '%s'\nload '%s'\nset output\n", generated[0], generated[1]);
    return n;
}

bool figure_draw(struct results *results, const struct figure_request *request, struct err *err)
{
    struct drawing d = {.request = request, .err = err};
    struct figure_gnuplot_file files[BLOCK_MAX + 3] = {0};
    char *text = NULL;
    size_t bytes = 0;
    d.csv.arena = &d.arena;
    FILE *script = open_memstream(&text, &bytes);
    if (!script) return err_io(err, "cannot prepare the figure: %s", strerror(errno));
    int n = check_name(&d) ? prepare(&d, results, script, files) : 0;
    bool ok = fclose(script) == 0 && n > 0;
    files[0].text = text;
    files[0].bytes = bytes;
    ok = ok && figure_gnuplot_run(files, n, request->out, err);
    for (int b = 0; b < d.block_n; b++)
        for (int g = 0; g < d.block[b]->group_n; g++)
            free(d.block[b]->group[g].text);
    free(text);
    arena_free(&d.arena);
    return ok;
}
