/* schema.c - binds a tree to the tables: typed structs, all mistakes in one pass, all values
 * listed.
 *
 * Apart from tree.c (which knows no key) and schema_value.c (which knows no tree). One idea: the
 * table is walked, not the tree, so that every key gets a value and a row, given or not; the tree's
 * keys are looked up in the table only to find the unknown ones. Binding goes on after a mistake.
 * A section's own check runs only if the section is otherwise right: it may rely on its values.
 * Not modelled: keys whose presence depends on other keys; that is what variants are for.
 */
#include "sim/io/schema.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/check.h"
#include "sim/io/schema_value.h"
#include "sim/io/schema_walk.h"
#include "sim/io/tree.h"

#define FIELDS_MAX 64     /* keys of one section */
#define ITEMS_MAX 1000000 /* elements of one list */
#define SHOWN 60          /* bytes of a value that a message repeats */

struct bind {
    struct arena *arena;
    struct schema_rows *rows; /* may be NULL */
    struct err *err;
    struct schema_root root; /* for suggestions */
    size_t prefix_len;       /* of paths: left out in messages */
};

/* struct place: something in the tree, given or not. */
struct place {
    const char *path;             /* with the prefix; "" or the prefix at the root */
    const struct tree_node *node; /* NULL: not given */
    struct err_pos pos;           /* of its key; if not given, of the nearest section around it */
    const struct schema *const *kinds; /* if the section is a variant: `kind` is a key, too */
};

/* struct schema_check: what schema_complain needs. */
struct schema_check {
    const struct bind *bind;
    const struct place *place;
};

static bool bind_section(const struct bind *b, const struct schema *schema,
                         const struct place *place, char *config);

static void complain_v(const struct bind *b, struct err_pos pos, const char *fmt, va_list ap)
{
    if (b->err->count < ERR_CAP)
        err_add(b->err, tree_shown(b->arena, pos), "%s", arena_vprintf(b->arena, fmt, ap));
    else
        err_add(b->err, pos, "more"); /* only counted: not worth its wording */
}

static bool complain(const struct bind *b, struct err_pos pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* complain adds an error; always false. */
static bool complain(const struct bind *b, struct err_pos pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain_v(b, pos, fmt, ap);
    va_end(ap);
    return false;
}

void schema_complain(struct schema_check *check, const char *key, const char *fmt, ...)
{
    const struct place *place = check->place;
    const struct tree_node *given = place->node ? tree_find(place->node, key) : NULL;
    va_list ap;
    va_start(ap, fmt);
    complain_v(check->bind, given ? given->pos : place->pos, fmt, ap);
    va_end(ap);
}

/* shown is a path as the file has it. */
static const char *shown(const struct bind *b, const char *path)
{
    return strlen(path) >= b->prefix_len ? path + b->prefix_len : "";
}

static bool is_root(const struct bind *b, const struct place *place)
{
    return !*shown(b, place->path);
}

/* under words where a key stands: " under 'wan'", "" at the root. */
static const char *under(const struct bind *b, const struct place *place)
{
    if (is_root(b, place)) return "";
    return arena_printf(b->arena, " under '%s'", shown(b, place->path));
}

static const char *join(const struct bind *b, const char *path, const char *key)
{
    size_t len = strlen(path);
    bool dot = len > 0 && path[len - 1] != '.';
    return arena_printf(b->arena, "%s%s%s", path, dot ? "." : "", key);
}

/* is_null: "key:" with nothing, "~" or "null". */
static bool is_null(const struct tree_node *node)
{
    if (node->kind != TREE_SCALAR || node->quoted) return false;
    return !*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

static void add_row(const struct bind *b, const struct place *place, const char *value)
{
    struct schema_rows *rows = b->rows;
    if (!rows) return;
    if (!rows->arena) rows->arena = b->arena;
    rows->row = arena_grow(rows->arena, rows->row, &rows->cap, rows->n + 1, sizeof *rows->row);
    const struct err_pos pos = place->node ? place->node->pos : place->pos;
    const char *origin = "default";
    if (place->node && pos.line > 0)
        origin = arena_printf(rows->arena, "%s:%d:%d", pos.file, pos.line, pos.col);
    else if (place->node)
        origin = pos.file;
    rows->row[rows->n++] = (struct schema_row){place->path, value, origin, pos};
}

/* ---- unknown keys ---------------------------------------------------------------------------- */

/* unknown_key reports a key that schema does not have, with the best guess at what was meant. */
static void unknown_key(const struct bind *b, const struct schema *schema,
                        const struct place *place, const struct tree_node *node)
{
    const char *words[FIELDS_MAX + 2] = {0};
    int n = 0;
    if (b->err->count >= ERR_CAP) { /* only counted, so not worth a search */
        complain(b, node->key_pos, "unknown key");
        return;
    }
    for (const struct schema_field *field = schema->fields; field->key; field++)
        words[n++] = field->key;
    if (place->kinds) words[n++] = "kind";
    const char *text = arena_printf(b->arena, "unknown key '%s'%s", node->key, under(b, place));
    const char *near = err_suggest(node->key, words, n);
    const char *kind = schema_walk_kind_with(place->kinds, node->key);
    const char *inside = NULL;
    if (kind) {
        complain(b, node->key_pos, "%s: kind '%s' has it, '%s' does not", text, kind, schema->name);
        return;
    }
    if (near) {
        complain(b, node->key_pos, "%s (did you mean '%s'?)", text, near);
        return;
    }
    const char *path = schema_walk_find(b->arena, &b->root, node->key, &inside);
    if (path && inside)
        complain(b, node->key_pos, "%s (did you mean '%s' of kind '%s'?)", text, shown(b, path),
                 inside);
    else if (path)
        complain(b, node->key_pos, "%s (did you mean '%s'?)", text, shown(b, path));
    else
        complain(b, node->key_pos, "%s; keys: %s", text, schema_value_words(b->arena, words));
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool wrong_kind(const struct bind *b, const struct schema_field *field,
                       const struct place *place)
{
    static const char *const given[] = {
        [TREE_SCALAR] = "a single value", [TREE_LIST] = "a list", [TREE_MAP] = "a section"};
    return complain(b, place->node->pos, "'%s' is a %s%s, not %s", shown(b, place->path),
                    schema_value_type(field->type), schema_value_example(field->type),
                    given[place->node->kind]);
}

static bool no_value(const struct bind *b, const struct schema_field *field,
                     const struct place *place)
{
    return complain(b, place->node->pos, "no value for '%s' (a %s%s)", shown(b, place->path),
                    schema_value_type(field->type), schema_value_example(field->type));
}

static bool missing(const struct bind *b, const struct schema_field *field,
                    const struct place *place)
{
    return complain(b, place->pos, "missing '%s' (a %s): %s", shown(b, place->path),
                    schema_value_type(field->type), field->help);
}

/* read_text reads a given scalar; false after an error. */
static bool read_text(const struct bind *b, const struct schema_field *field,
                      const struct place *place, union schema_value *out)
{
    const struct tree_node *node = place->node;
    bool may_be_empty = field->type == SCHEMA_STRING || field->type == SCHEMA_PATH;
    if (is_null(node) || (node->kind == TREE_SCALAR && !*node->text && !may_be_empty))
        return no_value(b, field, place);
    if (node->kind != TREE_SCALAR) return wrong_kind(b, field, place);
    const char *wrong = schema_value_read(b->arena, field, node->text, out);
    if (!wrong) return true;
    int len = (int)strcspn(node->text, "\n");
    bool cut = len > SHOWN || node->text[len];
    return complain(b, node->pos, "'%s' cannot be '%.*s%s': %s", shown(b, place->path),
                    len > SHOWN ? SHOWN : len, node->text, cut ? "..." : "", wrong);
}

/* resolve makes a path relative to the folder of the file that names it. */
static const char *resolve(const struct bind *b, const struct tree_node *node)
{
    const char *slash = node->pos.line > 0 ? strrchr(node->pos.file, '/') : NULL;
    if (!slash || !*node->text || *node->text == '/') return node->text;
    return arena_printf(b->arena, "%.*s/%s", (int)(slash - node->pos.file), node->pos.file,
                        node->text);
}

static void store(const struct schema_field *field, union schema_value value, char *config)
{
    enum unit_dim dim;
    char *at = config + field->offset;
    if (field->type == SCHEMA_BOOL)
        memcpy(at, &value.b, sizeof value.b);
    else if (field->type == SCHEMA_ENUM)
        memcpy(at, &value.word, sizeof value.word);
    else if (!schema_value_dim(field->type, &dim))
        memcpy(at, &value.text, sizeof value.text);
    else if (dim == UNIT_FRACTION || dim == UNIT_REAL)
        memcpy(at, &value.unit.d, sizeof value.unit.d);
    else
        memcpy(at, &value.unit.i, sizeof value.unit.i);
}

static bool bind_value(const struct bind *b, const struct schema_field *field,
                       const struct place *place, char *config)
{
    union schema_value value;
    if (place->node) {
        if (!read_text(b, field, place, &value)) return false;
        if (field->type == SCHEMA_PATH) value.text = resolve(b, place->node);
    } else {
        if (!field->fallback) return missing(b, field, place);
        const char *wrong = schema_value_read(b->arena, field, field->fallback, &value);
        CHECK(!wrong, "default '%s' of '%s' %s", field->fallback, place->path, wrong);
    }
    store(field, value, config);
    add_row(b, place, schema_value_text(b->arena, field, value));
    return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static struct place element(const struct bind *b, const struct place *list, int64_t index,
                            const struct tree_node *node)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, index);
    return (struct place){.path = join(b, list->path, number), .node = node, .pos = node->pos};
}

/* read_counts reads the items of a given list of counts. */
static bool read_counts(const struct bind *b, const struct schema_field *field,
                        const struct place *place, struct schema_counts *counts)
{
    const struct tree_node *node = place->node;
    if (is_null(node)) return true;
    if (node->kind != TREE_LIST) return wrong_kind(b, field, place);
    if (node->n > ITEMS_MAX)
        return complain(b, node->pos, "'%s' has %d items; allowed: at most %d",
                        shown(b, place->path), node->n, ITEMS_MAX);
    struct schema_field item = *field;
    item.type = SCHEMA_COUNT;
    int64_t *value = ARENA_ARRAY(b->arena, int64_t, node->n);
    bool ok = true;
    counts->value = value;
    for (const struct tree_node *child = node->first; child; child = child->next) {
        if (b->err->count > ERR_CAP) return false; /* a long list of nonsense: enough */
        union schema_value number = {.unit.i = 0};
        const char *text = child->kind == TREE_SCALAR && *child->text ? child->text : "?";
        if (schema_value_read(b->arena, &item, text, &number)) { /* once more, for the message */
            struct place at = element(b, place, counts->n, child);
            ok &= read_text(b, &item, &at, &number);
        }
        value[counts->n++] = number.unit.i;
    }
    return ok;
}

static bool bind_counts(const struct bind *b, const struct schema_field *field,
                        const struct place *place, char *config)
{
    struct schema_counts counts = {0};
    if (place->node) {
        if (!read_counts(b, field, place, &counts)) return false;
    } else {
        if (!field->fallback) return missing(b, field, place);
        counts = schema_value_items(b->arena, field);
    }
    memcpy(config + field->offset, &counts, sizeof counts);
    char *text = ARENA_ARRAY(b->arena, char, counts.n * 22 + 3), *at = text;
    *at++ = '[';
    for (int64_t i = 0; i < counts.n; i++)
        at += sprintf(at, "%s%" PRId64, i > 0 ? ", " : "", counts.value[i]);
    *at = ']';
    add_row(b, place, text);
    return true;
}

static bool bind_list(const struct bind *b, const struct schema_field *field,
                      const struct place *place, char *config)
{
    const struct tree_node *node = place->node && !is_null(place->node) ? place->node : NULL;
    struct schema_list list = {.n = node ? node->n : 0};
    union unit_value min, max = {.i = ITEMS_MAX};
    if (node && node->kind != TREE_LIST) return wrong_kind(b, field, place);
    schema_value_limit(field, false, &min);
    schema_value_limit(field, true, &max);
    if (list.n < min.i || list.n > max.i || list.n > ITEMS_MAX)
        return complain(b, node ? node->pos : place->pos, "'%s' has %" PRId64 " items; allowed: %s",
                        shown(b, place->path), list.n, schema_value_limits(b->arena, field));
    const struct schema *schema = field->section;
    char *items = arena_array(b->arena, schema->size, list.n);
    bool ok = true;
    int64_t i = 0;
    list.items = items;
    for (const struct tree_node *child = node ? node->first : NULL; child; child = child->next) {
        struct place at = element(b, place, i, child);
        ok &= bind_section(b, schema, &at, items + (size_t)i++ * schema->size);
    }
    memcpy(config + field->offset, &list, sizeof list);
    return ok;
}

/* ---- sections -------------------------------------------------------------------------------- */

/* is_section: may the place be a section (also one that is not given)? Complains if not. */
static bool is_section(const struct bind *b, const struct place *place)
{
    const struct tree_node *node = place->node;
    if (!node || node->kind == TREE_MAP || is_null(node)) return true;
    const char *given = node->kind == TREE_LIST ? "a list" : "a single value";
    const char *path = shown(b, place->path);
    if (!*path) return complain(b, node->pos, "expected keys with values, not %s", given);
    return complain(b, node->pos, "'%s' is a section, not %s", path, given);
}

/* find_kind picks the kind of a variant: by its key `kind`, or fallback. -1 after an error. */
static int find_kind(const struct bind *b, const char *fallback, const struct place *place,
                     const struct tree_node *given)
{
    const char *names[FIELDS_MAX + 1] = {0};
    int n = 0;
    for (; place->kinds[n]; n++) {
        CHECK(n < FIELDS_MAX, "'%s' has too many kinds", place->path);
        names[n] = place->kinds[n]->name;
    }
    const char *path = join(b, shown(b, place->path), "kind");
    const char *all = schema_value_words(b->arena, names);
    if (!given && !fallback) {
        complain(b, place->pos, "missing '%s'; allowed: %s", path, all);
        return -1;
    }
    if (given && (given->kind != TREE_SCALAR || is_null(given))) {
        complain(b, given->pos, "'%s' must be one word; allowed: %s", path, all);
        return -1;
    }
    const char *name = given ? given->text : fallback;
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return i;
    CHECK(given, "default kind '%s' of '%s' does not exist", name, place->path);
    const char *near = err_suggest(name, names, n);
    if (near)
        complain(b, given->pos, "unknown kind '%.*s' of '%s'; allowed: %s (did you mean '%s'?)",
                 SHOWN, name, path, all, near);
    else
        complain(b, given->pos, "unknown kind '%.*s' of '%s'; allowed: %s", SHOWN, name, path, all);
    return -1;
}

static bool bind_variant(const struct bind *b, const char *fallback, struct place *place,
                         struct schema_variant *out)
{
    if (!is_section(b, place)) return false;
    const struct tree_node *given = place->node ? tree_find(place->node, "kind") : NULL;
    int index = find_kind(b, fallback, place, given);
    if (index < 0) return false;
    const struct schema *schema = place->kinds[index];
    struct place kind = {.path = join(b, place->path, "kind"), .node = given, .pos = place->pos};
    add_row(b, &kind, schema->name);
    char *config = arena_alloc(b->arena, schema->size);
    *out = (struct schema_variant){index, schema->name, config};
    return bind_section(b, schema, place, config);
}

static bool bind_field(const struct bind *b, const struct schema_field *field, struct place *place,
                       char *config)
{
    struct schema_variant variant = {0};
    switch (field->type) {
    case SCHEMA_SECTION:
        return bind_section(b, field->section, place, config + field->offset);
    case SCHEMA_LIST:
        return bind_list(b, field, place, config);
    case SCHEMA_COUNTS:
        return bind_counts(b, field, place, config);
    case SCHEMA_VARIANT:
        place->kinds = field->kinds;
        if (!bind_variant(b, field->fallback, place, &variant)) return false;
        memcpy(config + field->offset, &variant, sizeof variant);
        return true;
    case SCHEMA_TIME:
    case SCHEMA_SIZE:
    case SCHEMA_RATE:
    case SCHEMA_LENGTH:
    case SCHEMA_COUNT:
    case SCHEMA_FRACTION:
    case SCHEMA_REAL:
    case SCHEMA_BOOL:
    case SCHEMA_ENUM:
    case SCHEMA_STRING:
    case SCHEMA_PATH:
        break;
    }
    return bind_value(b, field, place, config);
}

/* match_keys finds the node of each field in given[], and reports keys that are no field. */
static bool match_keys(const struct bind *b, const struct schema *schema, const struct place *place,
                       const struct tree_node **given)
{
    bool ok = true;
    const struct tree_node *child = place->node ? place->node->first : NULL;
    for (; child; child = child->next) {
        int i = 0;
        if (place->kinds && strcmp(child->key, "kind") == 0) continue;
        while (schema->fields[i].key && strcmp(schema->fields[i].key, child->key) != 0)
            i++;
        if (schema->fields[i].key) {
            given[i] = child;
        } else {
            unknown_key(b, schema, place, child);
            ok = false;
        }
    }
    return ok;
}

static bool bind_section(const struct bind *b, const struct schema *schema,
                         const struct place *place, char *config)
{
    const struct tree_node *given[FIELDS_MAX] = {0};
    int n = 0;
    if (!is_section(b, place)) return false;
    while (schema->fields[n].key)
        n++;
    CHECK(n <= FIELDS_MAX, "section '%s' has %d keys", schema->name, n);
    bool ok = match_keys(b, schema, place, given);
    for (int i = 0; i < n; i++) {
        const struct schema_field *field = &schema->fields[i];
        struct place child = {.path = join(b, place->path, field->key),
                              .node = given[i],
                              .pos = given[i] ? given[i]->key_pos : place->pos};
        ok &= bind_field(b, field, &child, config);
    }
    if (!ok || !schema->check) return ok;
    int errors = b->err->count;
    schema->check(config, &(struct schema_check){b, place});
    return b->err->count == errors;
}

/* root_place: the file itself; what is missing there is missing in the file, not on a line. */
static struct place root_place(const struct tree_node *node, const char *prefix)
{
    return (struct place){.path = prefix, .node = node, .pos = {.file = node->pos.file}};
}

bool schema_bind(const struct schema_into *into, const struct schema *schema,
                 const struct tree_node *node, void *config)
{
    struct bind b = {into->arena,
                     into->rows,
                     into->err,
                     {.schema = schema, .prefix = into->prefix},
                     strlen(into->prefix)};
    struct place place = root_place(node, into->prefix);
    memset(config, 0, schema->size);
    return bind_section(&b, schema, &place, config);
}

bool schema_bind_variant(const struct schema_into *into, const struct schema *const *kinds,
                         const struct tree_node *node, struct schema_variant *config)
{
    struct bind b = {into->arena,
                     into->rows,
                     into->err,
                     {.kinds = kinds, .prefix = into->prefix},
                     strlen(into->prefix)};
    struct place place = root_place(node, into->prefix);
    place.kinds = kinds;
    *config = (struct schema_variant){0};
    return bind_variant(&b, NULL, &place, config);
}
