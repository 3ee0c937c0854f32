/* point.c - loads a point (two files and overrides) and runs it.
 *
 * Apart from the verbs because run, sweep, check, validate and calibrate all do the same. The one
 * idea: a point is known by the sha256 of its resolved values, whatever files and overrides they
 * came from, so that a sweep can tell what a database already holds.
 */
#include "sim/app/point.h"

#include <inttypes.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "models/world.h"
#include "sim/app/cli.h"
#include "sim/app/devices.h"
#include "sim/app/shipped.h"
#include "sim/io/tree.h"

#define WORKLOAD_PREFIX "workload."

static const struct err_pos nowhere = {0};

/* ---- overrides ------------------------------------------------------------------------------- */

/* struct roots: the trees that overrides apply to; either may be NULL (then it could not be read,
 * and that has been said). */
struct roots {
    struct tree_node *topology, *workload;
    struct arena *arena;
    struct err *err;
};

bool point_is_workload(const char *key)
{
    return strncmp(key, WORKLOAD_PREFIX, strlen(WORKLOAD_PREFIX)) == 0;
}

/* set_workload is tree_set below a map that holds the workload under its name, so that messages
 * show the key as the user wrote it. */
static bool set_workload(const struct roots *roots, const struct tree_override *set)
{
    struct tree_node *root = roots->workload;
    struct tree_node above = {.kind = TREE_MAP, .first = root, .last = root, .n = 1};
    if (!root) return true;
    root->key = "workload";
    bool ok = tree_set(roots->arena, &above, set, roots->err);
    root->key = NULL;
    return ok;
}

static bool set_topology(const struct roots *roots, const struct tree_override *set)
{
    return !roots->topology || tree_set(roots->arena, roots->topology, set, roots->err);
}

/* apply puts a text "key=value" into the trees; option: what was typed for it, or NULL. */
static bool apply(const struct roots *roots, const char *text, const char *origin,
                  const char *option)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_add(roots->err, nowhere, "%s %s: expected KEY=VALUE", origin, text);
    const struct tree_override set = {
        .path = arena_printf(roots->arena, "%.*s", (int)(equals - text), text),
        .value = equals + 1,
        .origin = option ? option : origin,
        .alone = option,
    };
    return point_is_workload(set.path) ? set_workload(roots, &set) : set_topology(roots, &set);
}

static bool apply_all(const struct roots *roots, const struct point *point)
{
    bool ok = true;
    for (int i = 0; i < point->set_n; i++)
        ok &= apply(roots, point->sets[i], "--set", point->options ? point->options[i] : NULL);
    for (int i = 0; i < point->vary_n; i++)
        ok &= apply(roots, point->varies[i], "--vary", NULL);
    return ok;
}

/* ---- loading --------------------------------------------------------------------------------- */

static bool bind_topology(struct arena *arena, const struct tree_node *root, const void **topology,
                          struct schema_rows *rows, struct err *err)
{
    void *config = arena_alloc(arena, world_topology_schema.size);
    *topology = config;
    return schema_bind(&(struct schema_into){arena, "", rows, err}, &world_topology_schema, root,
                       config);
}

/* hash_rows writes the sha256 of all "path=value\n" into hex. */
static void hash_rows(const struct schema_rows *rows, char *hex)
{
    SHA2_CTX context;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&context);
    for (int64_t i = 0; i < rows->n; i++) {
        const struct schema_row *row = &rows->row[i];
        SHA256Update(&context, (const uint8_t *)row->path, strlen(row->path));
        SHA256Update(&context, (const uint8_t *)"=", 1);
        SHA256Update(&context, (const uint8_t *)row->value, strlen(row->value));
        SHA256Update(&context, (const uint8_t *)"\n", 1);
    }
    SHA256Final(digest, &context);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static const char *make_label(struct arena *arena, const struct point *point)
{
    const char *label = arena_printf(arena, "%s %s", point->topology, point->workload);
    for (int i = 0; i < point->set_n; i++)
        label = arena_printf(arena, "%s %s", label, point->sets[i]);
    for (int i = 0; i < point->vary_n; i++)
        label = arena_printf(arena, "%s %s", label, point->varies[i]);
    return label;
}

/* struct places: where the values of a point come from. */
struct places {
    struct err_keys keys;
    const struct schema_rows *rows;
};

/* The value of key; of a section or list, the first one in it. */
static struct err_pos find_place(const struct err_keys *keys, const char *key)
{
    const struct schema_rows *rows = ((const struct places *)keys)->rows;
    size_t len = strlen(key);
    for (int64_t i = 0; i < rows->n; i++) {
        const char *path = rows->row[i].path;
        if (strncmp(path, key, len) == 0 && (!path[len] || path[len] == '.'))
            return tree_shown(rows->arena, rows->row[i].pos);
    }
    return nowhere;
}

/* What one file alone cannot get wrong. */
static bool check_world(const struct point_config *config, struct err *err)
{
    const struct places places = {{find_place}, &config->rows};
    err->keys = &places.keys;
    bool ok = world_check(config->topology, &config->workload, err);
    err->keys = NULL;
    return ok;
}

bool point_load(struct arena *arena, const struct point *point, struct point_config *config,
                struct err *err)
{
    const int errors = err->count;
    *config = (struct point_config){.rows.arena = arena, .label = make_label(arena, point)};
    struct roots roots = {
        .topology = tree_read_file(arena, cli_file(arena, point->topology), err),
        .workload = tree_read_file(arena, cli_file(arena, point->workload), err),
        .arena = arena,
        .err = err,
    };
    bool ok = apply_all(&roots, point) && roots.topology && roots.workload;
    if (roots.topology && tree_find(roots.topology, "kind")) {
        struct err_pos pos = tree_find(roots.topology, "kind")->key_pos;
        return err_add(err, pos, "this is a workload (it has a kind); the topology comes first");
    }
    if (roots.topology) ok &= devices_complete(arena, roots.topology, err);
    if (roots.topology)
        ok &= bind_topology(arena, roots.topology, &config->topology, &config->rows, err);
    if (roots.workload) shipped_complete(arena, roots.workload, world_workload_kinds);
    if (roots.workload)
        ok &= schema_bind_variant(&(struct schema_into){arena, WORKLOAD_PREFIX, &config->rows, err},
                                  world_workload_kinds, roots.workload, &config->workload);
    ok = ok && err->count == errors && check_world(config, err);
    if (ok) hash_rows(&config->rows, config->sha256);
    return ok;
}

bool point_check(struct arena *arena, const struct point *point, struct schema_rows *rows,
                 const char **what, struct err *err)
{
    const int errors = err->count;
    struct tree_node *root = tree_read_file(arena, cli_file(arena, point->topology), err);
    struct roots roots = {.arena = arena, .err = err};
    struct schema_variant workload;
    const void *topology;
    *rows = (struct schema_rows){.arena = arena};
    *what = root && tree_find(root, "kind") ? "workload" : "topology";
    if (!root) return false;
    if (tree_find(root, "kind")) {
        roots.workload = root;
        bool ok = apply_all(&roots, point);
        shipped_complete(arena, root, world_workload_kinds);
        return schema_bind_variant(&(struct schema_into){arena, WORKLOAD_PREFIX, rows, err},
                                   world_workload_kinds, root, &workload) &&
               ok && err->count == errors;
    }
    if (devices_is_catalogue(root)) {
        *what = "devices";
        return schema_bind(&(struct schema_into){arena, "devices.", rows, err},
                           &device_catalogue_schema, root,
                           arena_alloc(arena, device_catalogue_schema.size)) &&
               err->count == errors;
    }
    roots.topology = root;
    bool ok = apply_all(&roots, point) && devices_complete(arena, root, err);
    return bind_topology(arena, root, &topology, rows, err) && ok && err->count == errors;
}

/* ---- running --------------------------------------------------------------------------------- */

static double clock_s(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* guard_message says which guard ended the run; "" if none did. */
static const char *guard_message(struct record *record, enum sim_stop stop)
{
    static const char *const options[SIM_STOPS] = {
        [SIM_MAX_EVENTS] = "--max-events",
        [SIM_MAX_TIME] = "--max-sim-time",
        [SIM_MAX_WALL] = "--max-wall",
        [SIM_MAX_MEM] = "--max-mem",
    };
    if (!options[stop]) return "";
    return arena_printf(&record->arena,
                        "stopped by %s at %.6g s simulated, after %" PRId64 " events",
                        options[stop], (double)record->sim_time_ps * 1e-12, record->events);
}

void point_run(const struct point_config *config, uint64_t seed, const struct sim_limits *limits,
               struct record *record)
{
    struct arena arena = {0};
    struct rusage usage;
    record_init(record);
    double wall_s = clock_s(CLOCK_MONOTONIC), start_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    struct sim *sim = sim_new(&arena, seed, config->label);
    struct world *world = world_build(sim, config->topology, &config->workload, config->spans);
    double built_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    enum sim_stop stop = world_run(world, limits);
    record->run_cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - built_s;
    record->run_wall_s = clock_s(CLOCK_MONOTONIC) - wall_s;
    record->setup_cpu_s = built_s - start_s;
    record->status = sim_stop_name(stop);
    record->fingerprint = sim_fingerprint(sim);
    record->events = sim_events(sim);
    record->sim_time_ps = sim_now_ps(sim);
    world_finish(world, stop, record);
    if (!record->message || !*record->message) record->message = guard_message(record, stop);
    getrusage(RUSAGE_SELF, &usage);
    record->peak_rss_bytes = (int64_t)usage.ru_maxrss * 1024;
    arena_free(&arena);
}
