/* figure_csv.c - published measurements as a table of SQL.
 *
 * The file stays as its source published it, comment lines and all; choosing and scaling its rows
 * is SQL in the head of the figure, as for simulated ones. No table is created: the rows become a
 * common table expression, so that the database is only read.
 *
 * Not modelled: fields with line breaks.
 */
#include "sim/io/figure_csv.h"

#include <string.h>

#define COLUMN_MAX 64

bool figure_csv_is_number(const char *text)
{
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '-' || *text == '+');
    size_t whole = strspn(at, digits), part = 0;
    at += whole;
    if (*at == '.') {
        part = strspn(at + 1, digits);
        at += 1 + part;
    }
    if (whole + part == 0) return false;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '-' || at[1] == '+');
        size_t power = strspn(at, digits);
        if (power == 0) return false;
        at += power;
    }
    return *at == '\0';
}

/* next_field cuts the field at *at out of its line in place, leaves *at behind its comma, or NULL
 * after the last. Returns NULL if a quote is not closed. */
static char *next_field(char **at)
{
    char *from = *at;
    if (*from != '"') {
        char *comma = strchr(from, ',');
        *at = comma ? comma + 1 : NULL;
        if (comma) *comma = '\0';
        return from;
    }
    char *to = from, *read = from + 1;
    for (;; read++) {
        if (*read == '\0') return NULL;
        if (*read == '"' && *++read != '"') break;
        *to++ = *read;
    }
    if (*read != '\0' && *read != ',') return NULL;
    *at = *read ? read + 1 : NULL;
    *to = '\0';
    return from;
}

/* write_cell writes a field as SQL. Numbers are literals: as text parameters they would not compare
 * equal to numbers. */
static bool write_cell(struct figure_csv *csv, const char *field, FILE *sql)
{
    if (*field == '\0') {
        fputs("NULL", sql);
    } else if (figure_csv_is_number(field)) {
        fprintf(sql, "%s", field);
    } else {
        if (csv->n == FIGURE_CSV_TEXTS) return false;
        csv->texts[csv->n++] = field;
        fprintf(sql, "?%d", csv->n);
    }
    return true;
}

static bool write_header(char *line, int *columns, struct err_pos pos, FILE *sql, struct err *err)
{
    *columns = 0;
    for (char *at = line; at;) {
        char *name = next_field(&at);
        size_t good = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
        if (good == 0 || name[good] != '\0' || (*name >= '0' && *name <= '9'))
            return err_add(err, pos, "a column name is [a-z][a-z0-9_]*, not '%s'",
                           name ? name : line);
        if (++*columns > COLUMN_MAX) return err_add(err, pos, "more than %d columns", COLUMN_MAX);
        fprintf(sql, "%s%s", *columns > 1 ? "," : "", name);
    }
    return true;
}

static bool write_row(struct figure_csv *csv, char *line, int columns, FILE *sql)
{
    int n = 0;
    for (char *at = line; at; n++) {
        char *field = next_field(&at);
        if (!field || n >= columns) return false;
        fputs(n ? "," : "", sql);
        if (!write_cell(csv, field, sql)) return false;
    }
    return n == columns;
}

bool figure_csv_sql(struct figure_csv *csv, const struct figure_csv_file *file, FILE *sql,
                    struct err *err)
{
    char *at = arena_strdup(csv->arena, file->text);
    int columns = 0, rows = 0;
    struct err_pos pos = {.file = file->path, .col = 1};
    fprintf(sql, "%s(", file->table);
    while (*at) {
        size_t len = strcspn(at, "\n");
        char *line = at;
        at += len + (at[len] == '\n');
        line[len] = '\0';
        if (len > 0 && line[len - 1] == '\r') line[len - 1] = '\0';
        pos.line++;
        if (*line == '#' || *line == '\0') continue;
        if (columns == 0) {
            if (!write_header(line, &columns, pos, sql, err)) return false;
            fputs(") AS (VALUES ", sql);
            continue;
        }
        fputs(rows++ ? ",(" : "(", sql);
        if (!write_row(csv, line, columns, sql))
            return err_add(err, pos, "expected %d fields, quotes closed, at most %d texts in all",
                           columns, FIGURE_CSV_TEXTS);
        fputs(")", sql);
    }
    fputs(")", sql);
    pos.line = 0;
    return rows > 0 || err_add(err, pos, "no rows");
}

const char *figure_csv_source(struct arena *arena, const char *text)
{
    static const char word[] = "Source:";
    for (const char *line = text; *line == '#';) {
        size_t len = strcspn(line, "\n");
        const char *at = memmem(line, len, word, sizeof(word) - 1);
        if (at) {
            at += sizeof(word) - 1;
            at += strspn(at, " ");
            size_t n = (size_t)(line + len - at);
            const char *stop = memmem(at, n, ". ", 2);
            if (stop) n = (size_t)(stop - at);
            return arena_printf(arena, "%.*s", (int)n, at);
        }
        line += len + (line[len] == '\n');
    }
    return "";
}
