/* schema_value.c - what the text of one value means for its key, and how it is written.
 *
 * Apart from schema.c because it knows no tree: only a field's row and a text. One idea: limits and
 * defaults are text too and go through the same reader, so a table cannot state what a user could
 * not write. A row that is wrong in itself is our mistake: CHECK.
 * Not modelled: limits that depend on other keys (the section's check).
 */
#include "sim/io/schema_value.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/check.h"

/* What is said of a type; dim UNIT_DIMS: its values are no numbers. */
static const struct {
    enum unit_dim dim;
    const char *name; /* NULL: its dimension's */
    const char *example;
} types[] = {
    [SCHEMA_TIME] = {UNIT_TIME, NULL, ", such as 15ms"},
    [SCHEMA_SIZE] = {UNIT_SIZE, NULL, ", such as 16MiB"},
    [SCHEMA_RATE] = {UNIT_RATE, NULL, ", such as 400Gbps"},
    [SCHEMA_LENGTH] = {UNIT_LENGTH, NULL, ", such as 1000km"},
    [SCHEMA_COUNT] = {UNIT_COUNT, NULL, ""},
    [SCHEMA_FRACTION] = {UNIT_FRACTION, NULL, ", such as 1%"},
    [SCHEMA_REAL] = {UNIT_REAL, NULL, ""},
    [SCHEMA_BOOL] = {UNIT_DIMS, "boolean", ", such as true"},
    [SCHEMA_ENUM] = {UNIT_DIMS, "word", ""},
    [SCHEMA_STRING] = {UNIT_DIMS, "string", ""},
    [SCHEMA_PATH] = {UNIT_DIMS, "file", ""},
    [SCHEMA_COUNTS] = {UNIT_COUNT, "list of counts", ", such as [3, 7, 11]"},
    [SCHEMA_SECTION] = {UNIT_DIMS, "section", ""},
    [SCHEMA_LIST] = {UNIT_DIMS, "list of sections", ""},
    [SCHEMA_VARIANT] = {UNIT_DIMS, "section with a kind", ""},
};
_Static_assert(sizeof types / sizeof types[0] == SCHEMA_VARIANT + 1, "one per type");

/* What a number of each dimension may look like, for messages: number and unit. */
static const char *const usual_unit[UNIT_DIMS] = {
    [UNIT_TIME] = "ms", [UNIT_SIZE] = "MiB", [UNIT_RATE] = "Gbps", [UNIT_LENGTH] = "km"};

const char *schema_value_type(enum schema_type type)
{
    return types[type].name ? types[type].name : units_dim_name(types[type].dim);
}

const char *schema_value_example(enum schema_type type)
{
    return types[type].example;
}

bool schema_value_dim(enum schema_type type, enum unit_dim *dim)
{
    if (types[type].dim == UNIT_DIMS) return false;
    *dim = types[type].dim;
    return true;
}

static bool is_real(enum unit_dim dim)
{
    return dim == UNIT_FRACTION || dim == UNIT_REAL;
}

bool schema_value_limit(const struct schema_field *field, bool upper, union unit_value *out)
{
    enum unit_dim dim = UNIT_COUNT; /* of a list: its items */
    const char *text = upper ? field->max : field->min;
    schema_value_dim(field->type, &dim);
    if (!text && upper) return false;
    const char *wrong = units_parse(dim, text ? text : "0", out);
    CHECK(!wrong, "limit '%s' of key '%s': %s", text, field->key, wrong);
    return true;
}

const char *schema_value_limits(struct arena *arena, const struct schema_field *field)
{
    enum unit_dim dim = UNIT_COUNT;
    char zero[UNITS_TEXT_MAX];
    if (!schema_value_dim(field->type, &dim) && field->type != SCHEMA_LIST) return "";
    const char *min = field->min;
    if (!min)
        min = units_format(
            dim, is_real(dim) ? (union unit_value){.d = 0} : (union unit_value){.i = 0}, zero);
    if (field->max) return arena_printf(arena, "%s .. %s", min, field->max);
    return arena_printf(arena, "at least %s", min);
}

const char *schema_value_words(struct arena *arena, const char *const *words)
{
    size_t len = 1;
    for (int i = 0; words[i]; i++)
        len += strlen(words[i]) + 2;
    char *text = arena_alloc(arena, len), *at = text;
    for (int i = 0; words[i]; i++) {
        if (i > 0) at = stpcpy(at, ", ");
        at = stpcpy(at, words[i]);
    }
    return text;
}

/* is_bare: a number without a unit? */
static bool is_bare(const char *text)
{
    return *text && strspn(text, "0123456789.+-") == strlen(text);
}

static bool in_range(const struct schema_field *field, enum unit_dim dim, union unit_value value)
{
    union unit_value min, max;
    schema_value_limit(field, false, &min);
    bool has_max = schema_value_limit(field, true, &max);
    if (is_real(dim)) return value.d >= min.d && (!has_max || value.d <= max.d);
    return value.i >= min.i && (!has_max || value.i <= max.i);
}

static const char *read_number(struct arena *arena, const struct schema_field *field,
                               enum unit_dim dim, const char *text, union schema_value *out)
{
    union unit_value value;
    const char *wrong = units_parse(dim, text, &value);
    if (!wrong) {
        if (!in_range(field, dim, value))
            return arena_printf(arena, "allowed: %s", schema_value_limits(arena, field));
        out->unit = value;
        return NULL;
    }
    bool bare = is_bare(text);
    if (bare && usual_unit[dim] && strstr(wrong, "needs a unit"))
        return arena_printf(arena, "%s; e.g. %s%s", wrong, text, usual_unit[dim]);
    if (bare)
        return arena_printf(arena, "%s (allowed: %s)", wrong, schema_value_limits(arena, field));
    return wrong;
}

static const char *read_bool(const char *text, union schema_value *out)
{
    static const char *const yes[] = {"yes", "on", "True", "TRUE", "y", "1"};
    static const char *const no[] = {"no", "off", "False", "FALSE", "n", "0"};
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        out->b = *text == 't';
        return NULL;
    }
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0) return "allowed: true, false (did you mean 'true'?)";
        if (strcmp(text, no[i]) == 0) return "allowed: true, false (did you mean 'false'?)";
    }
    return "allowed: true, false";
}

static const char *read_word(struct arena *arena, const struct schema_field *field,
                             const char *text, union schema_value *out)
{
    int n = 0;
    for (; field->words[n]; n++) {
        if (strcmp(text, field->words[n]) != 0) continue;
        out->word = n;
        return NULL;
    }
    const char *near = err_suggest(text, field->words, n);
    const char *all = schema_value_words(arena, field->words);
    if (near) return arena_printf(arena, "allowed: %s (did you mean '%s'?)", all, near);
    return arena_printf(arena, "allowed: %s", all);
}

const char *schema_value_read(struct arena *arena, const struct schema_field *field,
                              const char *text, union schema_value *out)
{
    enum unit_dim dim;
    if (schema_value_dim(field->type, &dim)) return read_number(arena, field, dim, text, out);
    if (field->type == SCHEMA_BOOL) return read_bool(text, out);
    if (field->type == SCHEMA_ENUM) return read_word(arena, field, text, out);
    CHECK(field->type == SCHEMA_STRING || field->type == SCHEMA_PATH, "key '%s'", field->key);
    out->text = arena_strdup(arena, text);
    return NULL;
}

const char *schema_value_text(struct arena *arena, const struct schema_field *field,
                              union schema_value value)
{
    enum unit_dim dim;
    char text[UNITS_TEXT_MAX];
    if (schema_value_dim(field->type, &dim))
        return arena_strdup(arena, units_format(dim, value.unit, text));
    if (field->type == SCHEMA_BOOL) return value.b ? "true" : "false";
    if (field->type == SCHEMA_ENUM) return field->words[value.word];
    return value.text;
}

struct schema_counts schema_value_items(struct arena *arena, const struct schema_field *field)
{
    char *rest = arena_strdup(arena, field->fallback + strspn(field->fallback, "[ "));
    rest[strcspn(rest, "]")] = 0;
    int64_t n = 1;
    for (const char *s = rest; *s; s++)
        n += *s == ',';
    int64_t *value = ARENA_ARRAY(arena, int64_t, n);
    struct schema_counts counts = {.value = value};
    if (!*rest) return counts;
    while (rest) {
        union schema_value item;
        const char *text = strsep(&rest, ",");
        const char *wrong = schema_value_read(arena, field, text, &item);
        CHECK(!wrong, "default '%s' of key '%s': %s", field->fallback, field->key, wrong);
        value[counts.n++] = item.unit.i;
    }
    return counts;
}
