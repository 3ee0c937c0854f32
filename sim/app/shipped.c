/* shipped.c - gives the files that a workload names the lookup that workloads themselves have.
 *
 * Apart from the schema, which makes paths relative to the file that names them and knows no data
 * folder. The one idea: what is there stays as it is, so only what would be "cannot read" changes.
 * A Chakra trace is named by what its files begin with: that of rank 0 stands for it.
 * Not modelled: files named below sections of a workload (there are none).
 */
#include "sim/app/shipped.h"

#include <string.h>
#include <unistd.h>

#include "sim/app/cli.h"

static const char *const endings[] = {"", ".0.et"};
#define ENDINGS (sizeof endings / sizeof *endings)

static bool is_there(struct arena *arena, const char *path)
{
    for (size_t i = 0; i < ENDINGS; i++)
        if (access(arena_printf(arena, "%s%s", path, endings[i]), F_OK) == 0) return true;
    return false;
}

/* Where the schema will look: an option is relative to the present folder. */
static const char *place_of(struct arena *arena, const struct tree_node *node)
{
    const char *slash = node->pos.line > 0 ? strrchr(node->pos.file, '/') : NULL;
    if (!slash) return node->text;
    return arena_printf(arena, "%.*s/%s", (int)(slash - node->pos.file), node->pos.file,
                        node->text);
}

static void complete(struct arena *arena, struct tree_node *node)
{
    if (node->kind != TREE_SCALAR || !*node->text || *node->text == '/') return;
    if (is_there(arena, place_of(arena, node))) return;
    const char *shipped = cli_data_path(arena, node->text);
    if (is_there(arena, shipped)) node->text = shipped;
}

static bool is_path(const struct schema *schema, const char *key)
{
    for (const struct schema_field *field = schema->fields; field->key; field++)
        if (field->type == SCHEMA_PATH && strcmp(field->key, key) == 0) return true;
    return false;
}

void shipped_complete(struct arena *arena, struct tree_node *root,
                      const struct schema *const *kinds)
{
    const struct tree_node *kind = root->kind == TREE_MAP ? tree_find(root, "kind") : NULL;
    if (!kind || kind->kind != TREE_SCALAR) return;
    for (; *kinds; kinds++) {
        if (strcmp((*kinds)->name, kind->text) != 0) continue;
        for (struct tree_node *child = root->first; child; child = child->next)
            if (is_path(*kinds, child->key)) complete(arena, child);
    }
}
