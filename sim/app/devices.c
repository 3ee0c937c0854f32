/* devices.c - the built-in device catalogue: read, listed, applied to a topology.
 *
 * The one idea: the catalogue is an ordinary file of the configuration (its own schema, errors with
 * file:line:column) whose text the Makefile turns into a C string, so that an installed railsim
 * needs no path to it.
 */
#include "sim/app/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalogue.h"
#include "models/topo/topo.h"
#include "sim/app/table.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

const struct device_catalogue *devices_load(struct arena *arena, struct err *err)
{
    const struct schema_into into = {.arena = arena, .prefix = "devices.", .err = err};
    struct device_catalogue *catalogue = ARENA_NEW(arena, struct device_catalogue);
    const struct tree_node *root =
        tree_read_text(arena, DEVICES_FILE, devices_text, sizeof devices_text - 1, err);
    bool ok = root && schema_bind(&into, &device_catalogue_schema, root, catalogue);
    return ok ? catalogue : NULL;
}

/* ---- a topology that names devices ----------------------------------------------------------- */

/* cell returns a value with its unit; NULL, which a table shows as "-", if it is 0. */
static const char *cell(struct arena *arena, enum unit_dim dim, int64_t value)
{
    char text[UNITS_TEXT_MAX];
    if (!value) return NULL;
    return arena_strdup(arena, units_format(dim, (union unit_value){.i = value}, text));
}

/* Links of at most so many accelerators stay inside a server, however many of them it has. */
#define SERVER_DOMAIN 16

/* struct filler: a topology to complete, from what. */
struct filler {
    struct arena *arena;
    struct tree_node *root;
    struct err *err;
    const struct device_catalogue *catalogue[2]; /* the user's (or NULL), the built-in one */
    const char *origin;                          /* of what is added */
};

/* given returns the value of a dotted path that the topology has, or NULL. */
static const struct tree_node *given(const struct filler *f, const char *path)
{
    const struct tree_node *node = f->root;
    char *rest = arena_strdup(f->arena, path);
    while (rest && node)
        node = node->kind == TREE_MAP ? tree_find(node, strsep(&rest, ".")) : NULL;
    return node;
}

/* fits: all sections of the path that there are, are maps; where not, the schema will say so. */
static bool fits(const struct filler *f, const char *path)
{
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        const struct tree_node *node =
            given(f, arena_printf(f->arena, "%.*s", (int)(dot - path), path));
        if (node && node->kind != TREE_MAP) return false;
    }
    return true;
}

/* put adds a value unless it is given or text is NULL. */
static void put(const struct filler *f, const char *path, const char *text)
{
    const struct tree_override set = {.path = path, .value = text, .origin = f->origin};
    if (text && !given(f, path) && fits(f, path)) tree_set(f->arena, f->root, &set, f->err);
}

static void put_unit(const struct filler *f, const char *path, enum unit_dim dim, int64_t value)
{
    put(f, path, cell(f->arena, dim, value));
}

static void put_number(const struct filler *f, const char *path, double value)
{
    put(f, path, value > 0 ? arena_printf(f->arena, "%.15g", value) : NULL);
}

static void put_accelerator(struct filler *f, const struct device_accelerator *a)
{
    const struct device_facts *facts = &a->facts;
    f->origin = arena_printf(f->arena, "%s of the device catalogue", a->name);
    put(f, "node.device.generation", device_generation_name(facts->generation));
    put_number(f, "node.device.bf16_tflops", facts->bf16_tflops);
    put_number(f, "node.device.fp8_tflops", facts->fp8_tflops);
    put_number(f, "node.device.fp4_tflops", facts->fp4_tflops);
    put_unit(f, "node.device.memory", UNIT_SIZE, facts->memory_bytes);
    put_unit(f, "node.device.memory_rate", UNIT_RATE, facts->memory_bps);
    put(f, "node.device.link_shape", device_shape_name(facts->link_shape));
    put(f, "node.device.in_switch_reduction", facts->in_switch_reduction ? "true" : "false");
    put_unit(f, "node.gpu_link_rate", UNIT_RATE, a->link_bps);
    put_number(f, "node.gpu_link_efficiency", a->link_efficiency);
    put_number(f, "node.in_switch_efficiency", a->reduction_efficiency);
    put_unit(f, "collectives.ll.channel_rate", UNIT_RATE, a->channel_bps[COLL_LL]);
    put_unit(f, "collectives.ll128.channel_rate", UNIT_RATE, a->channel_bps[COLL_LL128]);
    put_unit(f, "collectives.simple.channel_rate", UNIT_RATE, a->channel_bps[COLL_SIMPLE]);
    put_unit(f, "collectives.in_switch.channel_rate", UNIT_RATE, a->switch_channel_bps);
    if (a->link_domain > SERVER_DOMAIN)
        put_unit(f, "node.nvlink_domain", UNIT_COUNT, a->link_domain);
}

/* key_of returns the key of the kind of fabric that the topology names; NULL = it has none. */
static const struct schema_field *key_of(const struct filler *f, const char *key)
{
    const struct tree_node *kind = given(f, "fabric.kind");
    for (int i = 0; kind && kind->kind == TREE_SCALAR && topo_kinds[i]; i++) {
        if (strcmp(topo_kinds[i]->name, kind->text) != 0) continue;
        for (const struct schema_field *field = topo_kinds[i]->fields; field->key; field++)
            if (strcmp(field->key, key) == 0) return field;
    }
    return NULL;
}

/* ports_of returns the network ports of a server: as many as the kind of fabric has a key for, or
 * one; 0: the topology gives a number that is none, which its schema will say. */
static int64_t ports_of(const struct filler *f)
{
    const char *key = key_of(f, "rails") ? "rails" : "ports";
    const struct schema_field *field = key_of(f, key);
    const struct tree_node *node = given(f, arena_printf(f->arena, "fabric.%s", key));
    union unit_value ports = {.i = 0};
    if (!field) return 1;
    const char *text = node ? node->kind == TREE_SCALAR ? node->text : "" : field->fallback;
    return units_parse(UNIT_COUNT, text, &ports) ? 0 : ports.i;
}

static void put_system(struct filler *f, const struct device_catalogue *catalogue,
                       const struct device_system *system)
{
    f->origin = arena_printf(f->arena, "%s of the device catalogue", system->name);
    put(f, "node.accelerator", system->accelerator);
    put_unit(f, "node.gpus", UNIT_COUNT, system->gpus);
    put(f, "collectives.cpu", device_cpu_name(system->cpu));
    int64_t ports = ports_of(f);
    if (key_of(f, "link_rate") && ports > 0)
        put_unit(f, "fabric.link_rate", UNIT_RATE, device_system_bps(catalogue, system) / ports);
}

static const struct device_catalogue *read_file(struct filler *f, const struct tree_node *name)
{
    const struct schema_into into = {.arena = f->arena, .prefix = "devices.", .err = f->err};
    struct device_catalogue *catalogue = ARENA_NEW(f->arena, struct device_catalogue);
    const char *path = name->text;
    const char *slash = name->pos.line > 0 ? strrchr(name->pos.file, '/') : NULL;
    if (slash && *path != '/')
        path =
            arena_printf(f->arena, "%.*s/%s", (int)(slash - name->pos.file), name->pos.file, path);
    const struct tree_node *root = tree_read_file(f->arena, path, f->err);
    bool ok = root && schema_bind(&into, &device_catalogue_schema, root, catalogue);
    return ok ? catalogue : NULL;
}

/* no_such complains about a name in neither catalogue. */
static bool no_such(const struct filler *f, const struct tree_node *name, const char *what,
                    const char *near)
{
    struct err_pos pos = tree_shown(f->arena, name->pos);
    if (near)
        return err_add(f->err, pos, "C061: unknown %s '%s' (did you mean '%s'?)", what, name->text,
                       near);
    return err_add(f->err, pos, "C061: unknown %s '%s' (`railsim list devices` names them)", what,
                   name->text);
}

static bool fill_system(struct filler *f, const struct tree_node *name)
{
    const char *near = NULL;
    for (int i = 0; i < 2; i++) {
        if (!f->catalogue[i]) continue;
        const struct schema_list *list = &f->catalogue[i]->systems;
        const struct device_system *system = device_find_system(f->catalogue[i], name->text);
        if (system) return put_system(f, f->catalogue[i], system), true;
        if (!near) near = device_near(list, sizeof(struct device_system), name->text);
    }
    return no_such(f, name, "system", near);
}

static bool fill_accelerator(struct filler *f, const struct tree_node *name)
{
    const char *near = NULL;
    for (int i = 0; i < 2; i++) {
        if (!f->catalogue[i]) continue;
        const struct schema_list *list = &f->catalogue[i]->accelerators;
        const struct device_accelerator *a = device_find(f->catalogue[i], name->text);
        if (a) return put_accelerator(f, a), true;
        if (!near) near = device_near(list, sizeof(struct device_accelerator), name->text);
    }
    return no_such(f, name, "accelerator", near);
}

bool devices_is_catalogue(const struct tree_node *root)
{
    for (const struct schema_field *field = device_catalogue_schema.fields; field->key; field++)
        if (root->kind == TREE_MAP && tree_find(root, field->key)) return true;
    return false;
}

bool devices_complete(struct arena *arena, struct tree_node *root, struct err *err)
{
    struct filler f = {.arena = arena, .root = root, .err = err};
    const struct tree_node *file = given(&f, "devices"), *name = given(&f, "node.system");
    const int errors = err->count;
    bool own = file && file->kind == TREE_SCALAR && *file->text;
    if (!own && !name && !given(&f, "node.accelerator")) return true;
    f.catalogue[0] = own ? read_file(&f, file) : NULL;
    f.catalogue[1] = devices_load(arena, err);
    if (err->count != errors) return false;
    if (name && name->kind == TREE_SCALAR && *name->text && !fill_system(&f, name)) return false;
    name = given(&f, "node.accelerator");
    if (name && name->kind == TREE_SCALAR && *name->text) fill_accelerator(&f, name);
    return err->count == errors;
}

/* ---- listing --------------------------------------------------------------------------------- */

static const char *number(struct arena *arena, double value)
{
    return value > 0 ? arena_printf(arena, "%g", value) : NULL;
}

/* rate returns bit/s as GB/s, as the data sheets of accelerators have it. */
static const char *rate(struct arena *arena, int64_t rate_bps)
{
    return number(arena, (double)rate_bps / 8e9);
}

static void print_accelerators(const struct schema_list *list, struct arena *arena)
{
    const struct device_accelerator *items = list->items;
    struct table table = {.arena = arena,
                          .columns = 11,
                          .heads = {"accelerator", "generation", "bf16 [TFLOP/s]", "fp8", "fp4",
                                    "memory", "[GB/s]", "link [GB/s]", "shape", "domain", "NVLS"}};
    for (int64_t i = 0; i < list->n; i++) {
        const struct device_accelerator *a = &items[i];
        const struct device_facts *facts = &a->facts;
        table_add(&table, (const char *[]){
                              a->name,
                              device_generation_name(facts->generation),
                              number(arena, facts->bf16_tflops),
                              number(arena, facts->fp8_tflops),
                              number(arena, facts->fp4_tflops),
                              cell(arena, UNIT_SIZE, facts->memory_bytes),
                              rate(arena, facts->memory_bps),
                              rate(arena, a->link_bps),
                              device_shape_name(facts->link_shape),
                              arena_printf(arena, "%" PRId64, a->link_domain),
                              facts->in_switch_reduction ? "yes" : "no",
                          });
    }
    table_print(&table, stdout);
}

static void print_nics(const struct schema_list *list, struct arena *arena)
{
    const struct device_nic *items = list->items;
    struct table table = {.arena = arena, .columns = 3, .heads = {"NIC", "rate", "host rate"}};
    for (int64_t i = 0; i < list->n; i++)
        table_add(&table, (const char *[]){items[i].name, cell(arena, UNIT_RATE, items[i].rate_bps),
                                           cell(arena, UNIT_RATE, items[i].host_bps)});
    table_print(&table, stdout);
}

static void print_systems(const struct device_catalogue *catalogue, struct arena *arena)
{
    const struct device_system *items = catalogue->systems.items;
    struct table table = {
        .arena = arena, .columns = 4, .heads = {"system", "accelerators", "NICs", "network"}};
    for (int64_t i = 0; i < catalogue->systems.n; i++) {
        const struct device_system *s = &items[i];
        table_add(&table,
                  (const char *[]){s->name,
                                   arena_printf(arena, "%" PRId64 " x %s", s->gpus, s->accelerator),
                                   arena_printf(arena, "%" PRId64 " x %s", s->nics, s->nic),
                                   cell(arena, UNIT_RATE, device_system_bps(catalogue, s))});
    }
    table_print(&table, stdout);
}

void devices_print(const struct device_catalogue *catalogue, struct arena *arena)
{
    print_accelerators(&catalogue->accelerators, arena);
    printf("\n");
    print_nics(&catalogue->nics, arena);
    printf("\n");
    print_systems(catalogue, arena);
}
