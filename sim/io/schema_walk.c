/* schema_walk.c - the tables of a kind of file as one list of paths.
 *
 * Apart from schema.c because suggestions, explain and the documentation all need it. One idea: a
 * key inside a variant is named as the user writes it, whatever kind it belongs to.
 */
#include "sim/io/schema_walk.h"

#include <string.h>

struct walk {
    struct arena *arena;
    schema_visit_fn *fn;
    void *self;
};

static bool walk_schema(const struct walk *w, const struct schema_visit *at);

/* walk_kinds visits a variant and all its kinds. */
static bool walk_kinds(const struct walk *w, const struct schema_visit *at)
{
    if (!w->fn(w->self, at)) return false;
    for (int i = 0; at->kinds[i]; i++) {
        struct schema_visit kind = {
            .path = at->path, .kind = at->kinds[i]->name, .schema = at->kinds[i]};
        if (!walk_schema(w, &kind)) return false;
    }
    return true;
}

/* walk_schema visits a section and its keys. */
static bool walk_schema(const struct walk *w, const struct schema_visit *at)
{
    if (!w->fn(w->self, at)) return false;
    bool list = at->field && at->field->type == SCHEMA_LIST;
    for (const struct schema_field *field = at->schema->fields; field->key; field++) {
        const char *dot = *at->path ? "." : "";
        struct schema_visit child = {
            .path = arena_printf(w->arena, "%s%s%s%s", at->path, dot, list ? "N." : "", field->key),
            .kind = at->kind,
            .field = field,
            .schema = field->section,
            .kinds = field->kinds,
        };
        bool more = child.kinds    ? walk_kinds(w, &child)
                    : child.schema ? walk_schema(w, &child)
                                   : w->fn(w->self, &child);
        if (!more) return false;
    }
    return true;
}

void schema_walk(struct arena *arena, const struct schema_root *root, schema_visit_fn *fn,
                 void *self)
{
    struct walk w = {arena, fn, self};
    char *path = arena_strdup(arena, root->prefix);
    path[strcspn(path, ".")] = 0; /* "workload." names the root "workload" */
    struct schema_visit at = {.path = path, .schema = root->schema, .kinds = root->kinds};
    if (root->kinds)
        walk_kinds(&w, &at);
    else
        walk_schema(&w, &at);
}

struct search {
    const char *key, *path, *kind; /* path: found, NULL so far */
};

static bool same_key(void *self, const struct schema_visit *visit)
{
    struct search *search = self;
    if (!visit->field || strcmp(visit->field->key, search->key) != 0) return true;
    search->path = visit->path;
    search->kind = visit->kind;
    return false;
}

const char *schema_walk_find(struct arena *arena, const struct schema_root *root, const char *key,
                             const char **kind)
{
    struct search search = {.key = key};
    schema_walk(arena, root, same_key, &search);
    *kind = search.kind;
    return search.path;
}

const char *schema_walk_kind_with(const struct schema *const *kinds, const char *key)
{
    for (; kinds && *kinds; kinds++)
        for (const struct schema_field *field = (*kinds)->fields; field->key; field++)
            if (strcmp(field->key, key) == 0) return (*kinds)->name;
    return NULL;
}
