/* tree_set.c - overrides one value of a tree: --set wan.rtt=15ms.
 *
 * Apart from tree.c because it reads command lines, not files. One idea: the override becomes a
 * node like any other, with "--set" for its place, so the schema checks and words it the same way.
 * Not modelled: creating list elements, deleting keys.
 */
#include <string.h>

#include "sim/io/tree.h"
#include "sim/io/tree_text.h"

#define DEPTH_MAX 64

static bool is_empty(const struct tree_node *node)
{
    return node->kind == TREE_SCALAR && !node->quoted && !*node->text;
}

struct err_pos tree_shown(struct arena *arena, struct err_pos pos)
{
    if (!pos.file || pos.line > 0 || !pos.line_text) return pos;
    return (struct err_pos){.file = arena_printf(arena, "%s %s", pos.file, pos.line_text)};
}

static struct tree_node *add_child(struct arena *arena, struct tree_node *map, const char *key,
                                   struct err_pos pos)
{
    struct tree_node *node = ARENA_NEW(arena, struct tree_node);
    *node =
        (struct tree_node){.kind = TREE_SCALAR, .text = "", .key = key, .pos = pos, .key_pos = pos};
    if (map->last)
        map->last->next = node;
    else
        map->first = node;
    map->last = node;
    map->n++;
    return node;
}

/* element returns the element of a list that the decimal number word names, or NULL. */
static struct tree_node *element(const struct tree_node *list, const char *word)
{
    int index = 0;
    if (!*word || (word[0] == '0' && word[1])) return NULL;
    for (; *word; word++) {
        if (*word < '0' || *word > '9' || index > list->n) return NULL;
        index = index * 10 + (*word - '0');
    }
    if (index >= list->n) return NULL;
    struct tree_node *node = list->first;
    while (index-- > 0)
        node = node->next;
    return node;
}

/* step goes one word of the path down. */
static struct tree_node *step(struct arena *arena, struct tree_node *node, const char *word,
                              struct err_pos pos, struct err *err)
{
    if (is_empty(node)) {
        node->kind = TREE_MAP;
        node->text = NULL;
    }
    if (node->kind == TREE_MAP) {
        for (struct tree_node *child = node->first; child; child = child->next)
            if (strcmp(child->key, word) == 0) return child;
        return add_child(arena, node, word, pos);
    }
    if (node->kind == TREE_LIST) {
        struct tree_node *found = element(node, word);
        if (!found && node->n == 0)
            err_add(err, tree_shown(arena, pos), "no element '%s': the list is empty", word);
        else if (!found)
            err_add(err, tree_shown(arena, pos), "no element '%s': the list has 0 .. %d", word,
                    node->n - 1);
        return found;
    }
    err_add(err, tree_shown(arena, pos), "no key '%s' below the value '%s'", word, node->text);
    return NULL;
}

/* move_to gives a parsed value the place of the override. */
static void move_to(struct tree_node *node, struct err_pos pos)
{
    node->pos = pos;
    if (node->key) node->key_pos = pos;
    for (struct tree_node *child = node->first; child; child = child->next)
        move_to(child, pos);
}

/* set_value puts value in place of whatever node is; its key and neighbours stay. */
static bool set_value(struct arena *arena, struct tree_node *node, const char *value,
                      struct err_pos pos, struct err *err)
{
    struct tree_node new = {
        .kind = TREE_SCALAR, .quoted = true, .text = arena_strdup(arena, value)};
    const char *fault = tree_text_fault(value, strlen(value));
    if (fault) return err_add(err, tree_shown(arena, pos), "%s", fault);
    if (*value == '[') {
        struct err inner = {0}; /* its places mean nothing on a command line */
        const struct tree_node *list =
            tree_read_text(arena, pos.file, value, strlen(value), &inner);
        err_free(&inner);
        if (!list || list->kind != TREE_LIST)
            return err_add(err, tree_shown(arena, pos), "not a list; expected e.g. [3, 7]");
        new = *list;
    }
    new.key = node->key;
    new.next = node->next;
    move_to(&new, pos);
    new.key_pos = node->key_pos;
    *node = new;
    return true;
}

bool tree_set(struct arena *arena, struct tree_node *root, const struct tree_override *set,
              struct err *err)
{
    struct err_pos pos = {.file = arena_strdup(arena, set->origin),
                          .line_text = set->alone
                                           ? arena_strdup(arena, set->value)
                                           : arena_printf(arena, "%s=%s", set->path, set->value)};
    struct tree_node *node = root;
    char *rest = arena_strdup(arena, set->path);
    for (int depth = 0; rest; depth++) {
        char *word = strsep(&rest, ".");
        if (!*word) return err_add(err, tree_shown(arena, pos), "an empty key in '%s'", set->path);
        if (depth == DEPTH_MAX)
            return err_add(err, tree_shown(arena, pos), "nested deeper than %d levels", DEPTH_MAX);
        node = step(arena, node, word, pos, err);
        if (!node) return false;
    }
    return set_value(arena, node, set->value, pos, err);
}
