/* tree.c - YAML text to a tree of nodes with places, on libyaml's events.
 *
 * Apart from the schema because it knows no key: everything that can be wrong with a text whatever
 * it means is refused here. One idea: libyaml is only a tokenizer. It accepts duplicate keys,
 * cyclic aliases and several documents in silence, so every event passes through the limits below
 * before it becomes a node, and reading stops at the first event beyond one of them; hostile text
 * therefore costs no more than honest text of the same size.
 *
 * Lines are counted as libyaml counts them (YAML 1.1: also CR, NEL, LS and PS end a line).
 * Not modelled: tags, merge keys, keys that are no scalars, directives other than %YAML; all are
 * refused. Scalars stay text; what they mean is the schema's.
 *
 * Source: YAML 1.1; libyaml 0.2.5.
 */
#include "sim/io/tree.h"

#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "sim/base/check.h"
#include "sim/io/tree_text.h"

#define TREE_NODES_MAX 1000000
#define TREE_EXPANSIONS_MAX 1000
#define TREE_DEPTH_MAX 64

/* struct anchor: what *name stands for. inside = alias expansions within it, so that expanding it
 * counts as often as it does work. */
struct anchor {
    struct tree_node *node;
    bool open; /* its end has not been read yet: an alias to it would be a cycle */
    int before, inside;
};

/* struct slot: hash of (owner, name); owner 0 = anchors, else the serial number of a map. */
struct slot {
    int64_t owner;
    const char *name; /* NULL = free */
    void *value;      /* struct anchor or the struct tree_node of the first such key */
};

/* struct level: an open list or map. */
struct level {
    struct tree_node *node;
    int64_t serial;
    struct anchor *anchor; /* NULL if it has none */
    const char *key;       /* read, its value still to come; NULL otherwise */
    struct err_pos key_pos;
    bool key_dropped; /* the key is wrong (and reported): its value is not linked */
};

struct reader {
    struct arena *arena, scratch;
    struct err *err;
    const struct tree_text *text;
    yaml_parser_t parser;
    struct level level[TREE_DEPTH_MAX];
    int depth;
    struct tree_node *root;
    int nodes, expansions;
    int64_t serials;
    struct slot *slots;
    int64_t slot_n, slot_cap;
    int duplicates; /* keys refused, their values left out */
};

static uint64_t hash_name(int64_t owner, const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ ((uint64_t)owner * UINT64_C(0x9E3779B97F4A7C15));
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211); /* FNV-1a */
    return h ^ (h >> 29);
}

/* slot_of returns the slot of (owner, name), a free one if it is unknown. */
static struct slot *slot_of(const struct reader *r, int64_t owner, const char *name)
{
    uint64_t mask = (uint64_t)r->slot_cap - 1;
    for (uint64_t i = hash_name(owner, name) & mask;; i = (i + 1) & mask) {
        struct slot *slot = &r->slots[i];
        if (!slot->name) return slot;
        if (slot->owner == owner && strcmp(slot->name, name) == 0) return slot;
    }
}

/* slot_get is slot_of with room made for one more. */
static struct slot *slot_get(struct reader *r, int64_t owner, const char *name)
{
    if (2 * r->slot_n >= r->slot_cap) {
        const struct slot *old = r->slots;
        int64_t old_cap = r->slot_cap;
        r->slot_cap = old_cap ? 2 * old_cap : 256;
        r->slots = ARENA_ARRAY(&r->scratch, struct slot, r->slot_cap);
        for (int64_t i = 0; i < old_cap; i++)
            if (old[i].name) *slot_of(r, old[i].owner, old[i].name) = old[i];
    }
    return slot_of(r, owner, name);
}

static void slot_fill(struct reader *r, struct slot *slot, const struct slot *with)
{
    if (!slot->name) r->slot_n++;
    *slot = *with;
}

static struct err_pos pos_of(const struct reader *r, yaml_mark_t mark)
{
    return tree_text_pos(r->text, mark.line, mark.column);
}

/* count_nodes checks the limit on nodes; false beyond it. */
static bool count_nodes(struct reader *r, int n, struct err_pos pos)
{
    if (n > TREE_NODES_MAX - r->nodes)
        return err_add(r->err, pos, "more than %d values in one file", TREE_NODES_MAX);
    r->nodes += n;
    return true;
}

static void link_child(struct tree_node *parent, struct tree_node *node)
{
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->n++;
}

/* place_node makes node the value that the innermost open list or map waits for. */
static void place_node(struct reader *r, struct tree_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct level *top = &r->level[r->depth - 1];
    if (top->node->kind == TREE_MAP) {
        node->key = top->key;
        node->key_pos = top->key_pos;
        top->key = NULL;
        if (top->key_dropped) return;
        slot_of(r, top->serial, node->key)->value = node;
    }
    link_child(top->node, node);
}

static bool wants_key(const struct reader *r)
{
    if (r->depth == 0) return false;
    const struct level *top = &r->level[r->depth - 1];
    return top->node->kind == TREE_MAP && !top->key;
}

static struct anchor *add_anchor(struct reader *r, const yaml_char_t *name, struct tree_node *node)
{
    if (!name) return NULL;
    struct anchor *anchor = ARENA_NEW(&r->scratch, struct anchor);
    *anchor = (struct anchor){.node = node, .before = r->expansions};
    const char *text = arena_strdup(&r->scratch, (const char *)name);
    /* YAML lets a later anchor take over the name of an earlier one. */
    slot_fill(r, slot_get(r, 0, text), &(struct slot){0, text, anchor});
    return anchor;
}

static void check_tag(struct reader *r, const yaml_char_t *tag, struct err_pos pos)
{
    if (tag) err_add(r->err, pos, "tags ('%s') are not supported", (const char *)tag);
}

/* read_key takes a scalar as the key of the innermost map. What is wrong with it is reported, and
 * reading goes on: there may be more to report. */
static void read_key(struct reader *r, const yaml_event_t *event, const char *text)
{
    struct level *top = &r->level[r->depth - 1];
    struct err_pos pos = pos_of(r, event->start_mark);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    top->key = text;
    top->key_pos = pos;
    top->key_dropped = true;
    if (!*text) {
        err_add(r->err, pos, "a key must not be empty");
        return;
    }
    if (strchr(text, '\n')) {
        err_add(r->err, pos, "a key must not contain a line break");
        return;
    }
    if (plain && strcmp(text, "<<") == 0) {
        err_add(r->err, pos, "merge keys ('<<') are not supported; write the keys out");
        return;
    }
    struct slot *slot = slot_get(r, top->serial, text);
    if (slot->name) {
        const struct tree_node *first = slot->value;
        err_add(r->err, pos, "duplicate key '%s' (first on line %d)", text, first->key_pos.line);
        r->duplicates++;
        return;
    }
    slot_fill(r, slot, &(struct slot){top->serial, text, NULL}); /* value: place_node */
    top->key_dropped = false;
}

static bool read_scalar(struct reader *r, const yaml_event_t *event)
{
    struct err_pos pos = pos_of(r, event->start_mark);
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    check_tag(r, event->data.scalar.tag, pos);
    const char *fault = tree_text_fault(value, len);
    if (fault) {
        err_add(r->err, pos, "%s", fault);
        value = "?"; /* stands in, so that reading can go on */
    }
    const char *text = arena_strdup(r->arena, value);
    if (wants_key(r)) {
        read_key(r, event, text);
        return true;
    }
    if (!count_nodes(r, 1, pos)) return false;
    struct tree_node *node = ARENA_NEW(r->arena, struct tree_node);
    node->kind = TREE_SCALAR;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = text;
    node->pos = pos;
    add_anchor(r, event->data.scalar.anchor, node);
    place_node(r, node);
    return true;
}

static bool open_node(struct reader *r, const yaml_event_t *event, enum tree_kind kind)
{
    struct err_pos pos = pos_of(r, event->start_mark);
    bool list = kind == TREE_LIST;
    if (wants_key(r)) return err_add(r->err, pos, "a key must be a word, not a list or a section");
    if (r->depth == TREE_DEPTH_MAX)
        return err_add(r->err, pos, "nested deeper than %d levels", TREE_DEPTH_MAX);
    if (!count_nodes(r, 1, pos)) return false;
    check_tag(r, list ? event->data.sequence_start.tag : event->data.mapping_start.tag, pos);
    struct tree_node *node = ARENA_NEW(r->arena, struct tree_node);
    node->kind = kind;
    node->pos = pos;
    place_node(r, node);
    struct level *level = &r->level[r->depth++];
    *level = (struct level){.node = node, .serial = ++r->serials};
    level->anchor = add_anchor(
        r, list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor, node);
    if (level->anchor) level->anchor->open = true;
    return true;
}

static bool close_node(struct reader *r)
{
    struct anchor *anchor = r->level[--r->depth].anchor;
    if (anchor) {
        anchor->open = false;
        anchor->inside = r->expansions - anchor->before;
    }
    return true;
}

/* copy_node copies a finished subtree to the given depth; NULL (reported at pos) at a limit. */
static struct tree_node *copy_node(struct reader *r, const struct tree_node *from, int depth,
                                   struct err_pos pos)
{
    if (depth > TREE_DEPTH_MAX) {
        err_add(r->err, pos, "nested deeper than %d levels", TREE_DEPTH_MAX);
        return NULL;
    }
    if (!count_nodes(r, 1, pos)) return NULL;
    struct tree_node *node = ARENA_NEW(r->arena, struct tree_node);
    *node = *from;
    node->first = node->last = node->next = NULL;
    node->n = 0;
    for (const struct tree_node *child = from->first; child; child = child->next) {
        struct tree_node *copy = copy_node(r, child, depth + (child->kind != TREE_SCALAR), pos);
        if (!copy) return NULL;
        link_child(node, copy);
    }
    return node;
}

static bool read_alias(struct reader *r, const yaml_event_t *event)
{
    struct err_pos pos = pos_of(r, event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    if (wants_key(r)) return err_add(r->err, pos, "a key must be a word, not an alias");
    const struct slot *slot = slot_get(r, 0, name);
    if (!slot->name) return err_add(r->err, pos, "unknown alias '*%s'", name);
    const struct anchor *anchor = slot->value;
    if (anchor->open) return err_add(r->err, pos, "alias '*%s' contains itself", name);
    if (anchor->inside >= TREE_EXPANSIONS_MAX - r->expansions)
        return err_add(r->err, pos, "more than %d alias expansions", TREE_EXPANSIONS_MAX);
    r->expansions += 1 + anchor->inside;
    int depth = r->depth + (anchor->node->kind != TREE_SCALAR);
    struct tree_node *node = copy_node(r, anchor->node, depth, pos);
    if (!node) return false;
    node->key = NULL;
    place_node(r, node);
    return true;
}

/* read_event turns one event into nodes; false ends reading (after an error). */
static bool read_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return read_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(r, event, TREE_LIST);
    case YAML_MAPPING_START_EVENT:
        return open_node(r, event, TREE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_node(r);
    case YAML_DOCUMENT_START_EVENT:
        if (!r->root) return true;
        return err_add(r->err, pos_of(r, event->start_mark),
                       "a second document; one file holds one document");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return true;
}

/* report_syntax passes on what libyaml complains about. */
static void report_syntax(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_READER_ERROR) {
        /* problem_mark is not set here; the byte's offset is, or that of the byte which should have
         * continued a character: then the character is shown. */
        size_t at = p->problem_offset;
        const char *bytes = r->text->text + r->text->skip;
        if (strstr(p->problem, "trailing")) {
            while (at > 0 && (bytes[at - 1] & 0xc0) == 0x80)
                at--;
            if (at > 0) at--;
        }
        err_add(r->err, tree_text_pos_of_byte(r->text, at), "%s", p->problem);
        return;
    }
    if (!p->problem) {
        err_add(r->err, tree_text_pos(r->text, 0, 0), "out of memory");
        return;
    }
    struct err_pos pos = pos_of(r, p->problem_mark);
    const char *hint = "";
    if (tree_text_at(r->text, p->problem_mark.line, p->problem_mark.column) == '\t')
        hint = "; this is a tab: indent with spaces";
    if (p->context && p->context_mark.line != p->problem_mark.line)
        err_add(r->err, pos, "%s (%s, line %zu)%s", p->problem, p->context,
                p->context_mark.line + 1, hint);
    else if (p->context)
        err_add(r->err, pos, "%s (%s)%s", p->problem, p->context, hint);
    else
        err_add(r->err, pos, "%s%s", p->problem, hint);
}

static void read_events(struct reader *r)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            report_syntax(r);
            return;
        }
        more = read_event(r, &event) && event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
}

static bool is_null(const struct tree_node *node)
{
    return node->kind == TREE_SCALAR && !node->quoted && !*node->text;
}

struct tree_node *tree_read_text(struct arena *arena, const char *name, const char *text,
                                 size_t len, struct err *err)
{
    int errors = err->count;
    struct reader *r = NULL;
    struct arena scratch = {0};
    const struct tree_text *lines = tree_text_split(arena, name, text, len, err);
    if (!lines) return NULL;
    r = ARENA_NEW(&scratch, struct reader);
    *r = (struct reader){.arena = arena, .err = err, .text = lines};
    CHECK(yaml_parser_initialize(&r->parser), "libyaml: out of memory");
    /* Stated, because libyaml would follow a UTF-16 mark. */
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text + lines->skip,
                                 len - lines->skip);
    read_events(r);
    yaml_parser_delete(&r->parser);
    struct tree_node *root = r->root;
    errors += r->duplicates; /* the rest of the tree is whole: what is wrong in there is told too */
    arena_free(&r->scratch);
    arena_free(&scratch);
    if (err->count != errors) return NULL;
    if (!root) {
        root = ARENA_NEW(arena, struct tree_node);
        *root = (struct tree_node){.kind = TREE_MAP, .pos = tree_text_pos(lines, 0, 0)};
    } else if (is_null(root)) {
        root->kind = TREE_MAP;
        root->text = NULL;
    }
    return root;
}

struct tree_node *tree_read_file(struct arena *arena, const char *path, struct err *err)
{
    size_t len = 0;
    const char *text = tree_text_load(arena, path, &len, err);
    return text ? tree_read_text(arena, path, text, len, err) : NULL;
}

const struct tree_node *tree_find(const struct tree_node *map, const char *key)
{
    if (map->kind != TREE_MAP) return NULL;
    for (const struct tree_node *child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0) return child;
    return NULL;
}

const char *tree_library(void)
{
    /* The limits above are written for this version. */
    return strcmp(yaml_get_version_string(), "0.2.5") == 0 ? "libyaml 0.2.5"
                                                           : "libyaml (not 0.2.5)";
}
