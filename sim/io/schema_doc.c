/* schema_doc.c - what a key means: `railsim explain` and docs/config.md, from the parser's tables.
 *
 * Apart from schema.c because it never sees a configuration. One idea: both walk the same tables
 * that bind a file, so the documentation cannot disagree with the parser.
 */
#include <string.h>

#include "sim/io/schema.h"
#include "sim/io/schema_value.h"
#include "sim/io/schema_walk.h"

/* default_text is the default as documentation shows it; "" for sections and lists. */
static const char *default_text(const struct schema_field *field)
{
    if (field->type == SCHEMA_SECTION || field->type == SCHEMA_LIST) return "";
    if (!field->fallback) return "required";
    return *field->fallback ? field->fallback : "\"\"";
}

/* range_text says which values are allowed; "" if all are. */
static const char *range_text(struct arena *arena, const struct schema_field *field)
{
    if (field->type == SCHEMA_ENUM) return schema_value_words(arena, field->words);
    if (field->type == SCHEMA_BOOL) return "true, false";
    if (field->type == SCHEMA_LIST && !field->min && !field->max) return "";
    const char *limits = schema_value_limits(arena, field);
    bool many = field->type == SCHEMA_LIST || field->type == SCHEMA_COUNTS;
    return many
               ? arena_printf(arena, "%s %s", limits, field->type == SCHEMA_LIST ? "items" : "each")
               : limits;
}

/* ---- explain --------------------------------------------------------------------------------- */

struct explain {
    struct arena *arena;
    const struct schema_root *root;
    const char *key; /* asked for; elements of lists are called N */
    FILE *out;
    int found;
    const char **paths; /* of everything seen, for a suggestion */
    int64_t path_n, path_cap;
};

static void print_line(FILE *out, const char *name, const char *text)
{
    if (text && *text) fprintf(out, "  %-9s %s\n", name, text);
}

static void explain_value(const struct explain *e, const struct schema_field *field)
{
    enum unit_dim dim;
    bool number = schema_value_dim(field->type, &dim);
    fprintf(e->out, "  %s\n", field->help);
    print_line(e->out, "units", number ? units_dim_units(dim) : "");
    print_line(e->out, field->type == SCHEMA_ENUM ? "words" : "range", range_text(e->arena, field));
    print_line(e->out, "default", default_text(field));
    print_line(e->out, "source", field->source);
}

/* explain_keys prints one line per key of a section. */
static void explain_keys(const struct explain *e, const struct schema *schema)
{
    int key_width = 0, type_width = 0, default_width = 0;
    for (const struct schema_field *f = schema->fields; f->key; f++) {
        int key = (int)strlen(f->key), type = (int)strlen(schema_value_type(f->type));
        int fallback = (int)strlen(default_text(f));
        if (key > key_width) key_width = key;
        if (type > type_width) type_width = type;
        if (fallback > default_width) default_width = fallback;
    }
    for (const struct schema_field *f = schema->fields; f->key; f++)
        fprintf(e->out, "  %-*s  %-*s  %-*s  %s\n", key_width, f->key, type_width,
                schema_value_type(f->type), default_width, default_text(f), f->help);
}

static void explain_kinds(const struct explain *e, const struct schema_visit *visit)
{
    int width = 0;
    if (visit->field) fprintf(e->out, "  %s\n", visit->field->help);
    for (int i = 0; visit->kinds[i]; i++)
        if ((int)strlen(visit->kinds[i]->name) > width) width = (int)strlen(visit->kinds[i]->name);
    for (int i = 0; visit->kinds[i]; i++)
        fprintf(e->out, "  kind: %-*s  %s\n", width, visit->kinds[i]->name, visit->kinds[i]->help);
    if (visit->field) print_line(e->out, "default", default_text(visit->field));
    if (visit->field) print_line(e->out, "source", visit->field->source);
}

static void explain_found(struct explain *e, const struct schema_visit *visit)
{
    const char *type = visit->field   ? schema_value_type(visit->field->type)
                       : visit->kinds ? "file with a kind"
                       : visit->kind  ? "section"
                                      : "file";
    fprintf(e->out, "%s%s  (%s, %s%s%s)\n", e->found++ ? "\n" : "",
            *visit->path ? visit->path : e->root->name, type, e->root->name,
            visit->kind ? ", kind " : "", visit->kind ? visit->kind : "");
    if (visit->kinds) {
        explain_kinds(e, visit);
    } else if (visit->schema) {
        fprintf(e->out, "  %s\n", visit->field ? visit->field->help : visit->schema->help);
        explain_keys(e, visit->schema);
    } else {
        explain_value(e, visit->field);
    }
}

/* is_kind_of: is key the key `kind` of the variant at path? */
static bool is_kind_of(const char *key, const char *path)
{
    size_t len = strlen(path);
    if (len == 0) return strcmp(key, "kind") == 0;
    return strncmp(key, path, len) == 0 && strcmp(key + len, ".kind") == 0;
}

static bool explain_visit(void *self, const struct schema_visit *visit)
{
    struct explain *e = self;
    e->paths = arena_grow(e->arena, e->paths, &e->path_cap, e->path_n + 1, sizeof *e->paths);
    e->paths[e->path_n++] = *visit->path ? visit->path : e->root->name;
    bool same = strcmp(e->paths[e->path_n - 1], e->key) == 0;
    if (same || (visit->kinds && is_kind_of(e->key, visit->path))) explain_found(e, visit);
    return true;
}

/* without_numbers calls the elements of lists N: "nodes.0.rate" is "nodes.N.rate". */
static const char *without_numbers(struct arena *arena, const char *key)
{
    char *out = arena_alloc(arena, strlen(key) + 1), *to = out;
    for (const char *from = key; *from;) {
        size_t len = strcspn(from, "."), digits = strspn(from, "0123456789");
        if (from > key && digits > 0 && digits == len) {
            *to++ = 'N';
        } else {
            memcpy(to, from, len);
            to += len;
        }
        from += len;
        if (*from) *to++ = *from++;
    }
    return out;
}

static const char *suggest_path(const struct explain *e, const struct schema_root *roots, int n)
{
    const char *near = err_suggest(e->key, e->paths, (int)e->path_n);
    const char *dot = strrchr(e->key, '.'), *kind;
    for (int i = 0; i < n && !near; i++)
        near = schema_walk_find(e->arena, &roots[i], dot ? dot + 1 : e->key, &kind);
    return near;
}

bool schema_explain(const struct schema_root *roots, int n, const char *key, FILE *out,
                    struct err *err)
{
    struct arena arena = {0};
    struct explain e = {.arena = &arena, .key = without_numbers(&arena, key), .out = out};
    for (int i = 0; i < n; i++) {
        e.root = &roots[i];
        schema_walk(&arena, &roots[i], explain_visit, &e);
    }
    if (e.found == 0) {
        const char *near = suggest_path(&e, roots, n);
        if (near)
            err_add(err, (struct err_pos){0}, "unknown key '%s' (did you mean '%s'?)", key, near);
        else
            err_add(err, (struct err_pos){0}, "unknown key '%s'", key);
    }
    arena_free(&arena);
    return e.found > 0;
}

/* ---- Markdown -------------------------------------------------------------------------------- */

struct markdown {
    struct arena *arena;
    const struct schema_root *root;
    FILE *out;
};

/* print_cell writes text so that a table survives it. */
static void print_cell(FILE *out, const char *text)
{
    for (; text && *text; text++) {
        if (*text == '|' || *text == '<' || *text == '*' || *text == '_') fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
    fputs(" | ", out);
}

/* print_row writes a row whose first cell is code. */
static void print_row(const struct markdown *m, const struct schema_field *field)
{
    fprintf(m->out, "| `%s` | ", field->key);
    print_cell(m->out, schema_value_type(field->type));
    print_cell(m->out, default_text(field));
    print_cell(m->out, range_text(m->arena, field));
    print_cell(m->out, field->help);
    print_cell(m->out, field->source);
    fputc('\n', m->out);
}

static void print_heading(const struct markdown *m, const struct schema_visit *visit)
{
    const char *name = *visit->path ? visit->path : m->root->name;
    fprintf(m->out, "\n%s `%s`%s%s%s\n\n", visit->field || visit->kind ? "###" : "##", name,
            visit->kind ? " of kind `" : "", visit->kind ? visit->kind : "",
            visit->kind ? "`" : "");
}

static bool markdown_visit(void *self, const struct schema_visit *visit)
{
    const struct markdown *m = self;
    if (!visit->schema && !visit->kinds) return true; /* its row is in the section's table */
    print_heading(m, visit);
    if (visit->kinds) {
        if (visit->field) fprintf(m->out, "%s\n\n", visit->field->help);
        fprintf(m->out, "| `kind` | meaning |\n|---|---|\n");
        for (int i = 0; visit->kinds[i]; i++) {
            fprintf(m->out, "| `%s` | ", visit->kinds[i]->name);
            print_cell(m->out, visit->kinds[i]->help);
            fputc('\n', m->out);
        }
        return true;
    }
    fprintf(m->out, "%s\n\n", visit->field ? visit->field->help : visit->schema->help);
    fprintf(m->out, "| key | type | default | range | meaning | source |\n"
                    "|---|---|---|---|---|---|\n");
    for (const struct schema_field *field = visit->schema->fields; field->key; field++)
        print_row(m, field);
    return true;
}

void schema_markdown(const struct schema_root *roots, int n, FILE *out)
{
    struct arena arena = {0};
    fprintf(out, "# Configuration keys\n\nGenerated from the tables that the parser uses; "
                 "`railsim explain KEY` prints the same.\nA value with a dimension carries its "
                 "unit (`15ms`, `400Gbps`, `16MiB`, `1000km`); only 0 needs none.\n");
    for (int i = 0; i < n; i++) {
        struct markdown m = {&arena, &roots[i], out};
        schema_walk(&arena, &roots[i], markdown_visit, &m);
    }
    arena_free(&arena);
}
