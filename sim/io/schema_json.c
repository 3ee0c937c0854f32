/* schema_json.c - the tables as a JSON Schema, for editors and other checkers.
 *
 * Apart from schema_doc.c because its structure is nested where text is flat. One idea: each type
 * becomes the strictest JSON Schema that accepts whatever the parser accepts in YAML.
 * Source: JSON Schema draft 2020-12.
 * Not modelled: limits of values with units (a pattern cannot compare), a section's own checks.
 */
#include <ctype.h>
#include <string.h>

#include "sim/io/json.h"
#include "sim/io/schema.h"
#include "sim/io/schema_value.h"

#define NUMBER "([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?"
#define ITEMS_MAX 1000000

struct writer {
    struct json json;
    struct arena arena;
};

static void write_section(struct writer *w, const struct schema *schema, const char *kind,
                          bool kind_optional);

/* needs: must a section be given, because a key of it must? */
static bool needs(const struct schema *schema);

static bool needs_field(const struct schema_field *field)
{
    union unit_value min;
    if (field->type == SCHEMA_SECTION) return needs(field->section);
    if (field->type == SCHEMA_LIST) return schema_value_limit(field, false, &min) && min.i > 0;
    if (!field->fallback) return true;
    for (int i = 0; field->type == SCHEMA_VARIANT && field->kinds[i]; i++)
        if (strcmp(field->kinds[i]->name, field->fallback) == 0) return needs(field->kinds[i]);
    return false;
}

static bool needs(const struct schema *schema)
{
    for (const struct schema_field *field = schema->fields; field->key; field++)
        if (needs_field(field)) return true;
    return false;
}

/* write_types writes "type": type, or a list of both. */
static void write_types(struct writer *w, const char *type, const char *other)
{
    if (!other) {
        json_string(&w->json, "type", type);
        return;
    }
    json_array(&w->json, "type");
    json_string(&w->json, NULL, type);
    json_string(&w->json, NULL, other);
    json_end(&w->json, ']');
}

/* unit_pattern makes "ps|ns|us" of "ps ns us (explained), ms". */
static const char *unit_pattern(struct arena *arena, enum unit_dim dim)
{
    const char *units = units_dim_units(dim);
    char *out = arena_alloc(arena, 2 * strlen(units) + 1), *to = out;
    for (const char *from = units; *from;) {
        if (*from == '(') from += strcspn(from, ")");
        size_t len = 0;
        while (isalpha((unsigned char)from[len]))
            len++;
        if (len > 0 && to > out) *to++ = '|';
        memcpy(to, from, len);
        to += len;
        from += len > 0 ? len : 1;
    }
    return out;
}

static void write_limits(struct writer *w, const struct schema_field *field, bool real)
{
    static const char *const names[] = {"minimum", "maximum"};
    for (int upper = 0; upper < 2; upper++) {
        union unit_value limit;
        if (!schema_value_limit(field, upper, &limit)) continue;
        if (real)
            json_double(&w->json, names[upper], limit.d);
        else
            json_int(&w->json, names[upper], limit.i);
    }
}

/* sign_pattern: a minus only where the limits allow one. */
static const char *sign_pattern(const struct schema_field *field, enum unit_dim dim)
{
    union unit_value min;
    schema_value_limit(field, false, &min);
    bool real = dim == UNIT_FRACTION || dim == UNIT_REAL;
    return (real ? min.d < 0 : min.i < 0) ? "[+-]?" : "\\+?";
}

/* write_quantity: a number with a unit, or 0. */
static void write_quantity(struct writer *w, const struct schema_field *field, enum unit_dim dim)
{
    write_types(w, "string", "number");
    json_string(&w->json, "pattern",
                arena_printf(&w->arena, "^[ \t]*(%s" NUMBER "[ \t]*(%s)|[+-]?0+)[ \t]*$",
                             sign_pattern(field, dim), unit_pattern(&w->arena, dim)));
    json_int(&w->json, "minimum", 0); /* says nothing about strings: bare numbers must be 0 */
    json_int(&w->json, "maximum", 0);
    if (field->fallback) json_string(&w->json, "default", field->fallback);
}

static void write_number(struct writer *w, const struct schema_field *field, enum unit_dim dim)
{
    union schema_value value = {.unit.i = 0};
    if (dim != UNIT_COUNT && dim != UNIT_FRACTION && dim != UNIT_REAL) {
        write_quantity(w, field, dim);
        return;
    }
    bool real = dim != UNIT_COUNT;
    write_types(w, real ? "number" : "integer", dim == UNIT_FRACTION ? "string" : NULL);
    if (dim == UNIT_FRACTION)
        json_string(&w->json, "pattern",
                    arena_printf(&w->arena, "^[ \t]*%s" NUMBER "[ \t]*%%?[ \t]*$",
                                 sign_pattern(field, dim)));
    write_limits(w, field, real);
    if (!field->fallback) return;
    schema_value_read(&w->arena, field, field->fallback, &value);
    if (real)
        json_double(&w->json, "default", value.unit.d);
    else
        json_int(&w->json, "default", value.unit.i);
}

static void write_counts(struct writer *w, const struct schema_field *field)
{
    write_types(w, "array", "null");
    json_object(&w->json, "items");
    json_string(&w->json, "type", "integer");
    write_limits(w, field, false);
    json_end(&w->json, '}');
    json_int(&w->json, "maxItems", ITEMS_MAX);
    if (!field->fallback) return;
    struct schema_counts counts = schema_value_items(&w->arena, field);
    json_array(&w->json, "default");
    for (int64_t i = 0; i < counts.n; i++)
        json_int(&w->json, NULL, counts.value[i]);
    json_end(&w->json, ']');
}

static void write_list(struct writer *w, const struct schema_field *field)
{
    union unit_value min, max;
    schema_value_limit(field, false, &min);
    write_types(w, "array", min.i > 0 ? NULL : "null");
    json_int(&w->json, "minItems", min.i);
    json_int(&w->json, "maxItems", schema_value_limit(field, true, &max) ? max.i : ITEMS_MAX);
    json_object(&w->json, "items");
    write_section(w, field->section, NULL, false);
    json_end(&w->json, '}');
}

static void write_kinds(struct writer *w, const struct schema *const *kinds, const char *fallback)
{
    json_array(&w->json, "oneOf");
    for (; *kinds; kinds++) {
        json_object(&w->json, NULL);
        json_string(&w->json, "description", (*kinds)->help);
        write_section(w, *kinds, (*kinds)->name, fallback && strcmp(fallback, (*kinds)->name) == 0);
        json_end(&w->json, '}');
    }
    json_end(&w->json, ']');
}

static void write_word(struct writer *w, const struct schema_field *field)
{
    json_array(&w->json, "enum");
    for (int i = 0; field->words[i]; i++)
        json_string(&w->json, NULL, field->words[i]);
    json_end(&w->json, ']');
    if (field->fallback) json_string(&w->json, "default", field->fallback);
}

static void write_string(struct writer *w, const struct schema_field *field)
{
    json_array(&w->json, "type"); /* plain scalars that look like something else */
    json_string(&w->json, NULL, "string");
    json_string(&w->json, NULL, "number");
    json_string(&w->json, NULL, "boolean");
    json_end(&w->json, ']');
    if (field->fallback) json_string(&w->json, "default", field->fallback);
}

static void write_field(struct writer *w, const struct schema_field *field)
{
    enum unit_dim dim;
    const char *help = field->help;
    if (field->source) help = arena_printf(&w->arena, "%s Source: %s", help, field->source);
    json_object(&w->json, field->key);
    json_string(&w->json, "description", help);
    if (field->type == SCHEMA_COUNTS) {
        write_counts(w, field);
    } else if (schema_value_dim(field->type, &dim)) {
        write_number(w, field, dim);
    } else if (field->type == SCHEMA_BOOL) {
        json_string(&w->json, "type", "boolean");
        if (field->fallback) json_bool(&w->json, "default", *field->fallback == 't');
    } else if (field->type == SCHEMA_ENUM) {
        write_word(w, field);
    } else if (field->type == SCHEMA_SECTION) {
        write_section(w, field->section, NULL, false);
    } else if (field->type == SCHEMA_LIST) {
        write_list(w, field);
    } else if (field->type == SCHEMA_VARIANT) {
        write_kinds(w, field->kinds, field->fallback);
    } else {
        write_string(w, field);
    }
    json_end(&w->json, '}');
}

/* write_section writes the members of an object schema; kind: its name, if it is one. */
static void write_section(struct writer *w, const struct schema *schema, const char *kind,
                          bool kind_optional)
{
    bool null = !needs(schema) && (!kind || kind_optional);
    write_types(w, "object", null ? "null" : NULL);
    json_object(&w->json, "properties");
    if (kind) {
        json_object(&w->json, "kind");
        json_string(&w->json, "const", kind);
        json_end(&w->json, '}');
    }
    for (const struct schema_field *field = schema->fields; field->key; field++)
        write_field(w, field);
    json_end(&w->json, '}');
    json_array(&w->json, "required");
    if (kind && !kind_optional) json_string(&w->json, NULL, "kind");
    for (const struct schema_field *field = schema->fields; field->key; field++)
        if (needs_field(field)) json_string(&w->json, NULL, field->key);
    json_end(&w->json, ']');
    json_bool(&w->json, "additionalProperties", false);
}

void schema_json(const struct schema_root *root, FILE *out)
{
    struct writer w = {.json.out = out};
    json_object(&w.json, NULL);
    json_string(&w.json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_string(&w.json, "title", root->name);
    if (root->kinds) {
        write_kinds(&w, root->kinds, NULL);
    } else {
        json_string(&w.json, "description", root->schema->help);
        write_section(&w, root->schema, NULL, false);
    }
    json_end(&w.json, '}');
    arena_free(&w.arena);
}
