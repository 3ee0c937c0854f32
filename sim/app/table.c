/* table.c - rows of text as an aligned table.
 *
 * Apart because show and compare print the same way. The one idea: a column's width is known only
 * when all rows are, so rows are kept until they are printed.
 * Not modelled: characters that are wider or narrower than one column of the terminal.
 */
#include "sim/app/table.h"

#include <stdbool.h>
#include <stdlib.h>

#include "sim/base/check.h"

struct table_row {
    struct table_row *next;
    const char *cells[TABLE_COLUMNS];
};

void table_add(struct table *table, const char *const *cells)
{
    CHECK(table->columns <= TABLE_COLUMNS, "%d columns", table->columns);
    struct table_row *row = ARENA_NEW(table->arena, struct table_row);
    for (int i = 0; i < table->columns; i++) {
        char *cell = arena_strdup(table->arena, cells[i] ? cells[i] : "-");
        for (char *c = cell; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
        row->cells[i] = cell;
    }
    if (table->last)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
    table->n++;
}

/* text_width counts characters, not bytes of UTF-8. */
static int text_width(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static bool is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end != text && *end == 0;
}

/* struct column: numbers: all cells that say something are numbers. */
struct column {
    int width;
    bool numbers, hidden;
};

static void print_cells(const struct table *table, const struct column *columns,
                        const char *const *cells, FILE *out)
{
    int end = table->columns;
    while (end > 0 && columns[end - 1].hidden)
        end--;
    for (int i = 0; i < end; i++) {
        int pad = columns[i].width - text_width(cells[i]);
        bool last = i + 1 == end;
        if (columns[i].hidden) continue;
        if (columns[i].numbers)
            fprintf(out, "%*s%s%s", pad, "", cells[i], last ? "" : "  ");
        else
            fprintf(out, "%s%*s", cells[i], last ? 0 : pad + 2, "");
    }
    fputc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
    struct column columns[TABLE_COLUMNS];
    for (int i = 0; i < table->columns; i++) {
        columns[i] = (struct column){.width = table->heads[0] ? text_width(table->heads[i]) : 0,
                                     .numbers = true,
                                     .hidden = table->optional && i >= table->optional};
        for (const struct table_row *row = table->first; row; row = row->next) {
            int width = text_width(row->cells[i]);
            if (width > columns[i].width) columns[i].width = width;
            bool nothing = row->cells[i][0] == '-' && !row->cells[i][1];
            columns[i].numbers = columns[i].numbers && (nothing || is_number(row->cells[i]));
            columns[i].hidden = columns[i].hidden && nothing;
        }
    }
    if (table->heads[0]) print_cells(table, columns, table->heads, out);
    for (const struct table_row *row = table->first; row; row = row->next)
        print_cells(table, columns, row->cells, out);
}
