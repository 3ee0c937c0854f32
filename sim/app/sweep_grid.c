/* sweep_grid.c - lays out and loads the points of a sweep.
 *
 * Apart from sweep.c because it ends before anything runs. The one idea: a mistake in one value
 * shows in the points that differ from the first point in one axis only, so those are loaded first;
 * a grid of a thousand wrong points is refused after a dozen.
 */
#include "sim/app/sweep_grid.h"

#include <string.h>

#include "sim/engine/rng.h"

static const struct err_pos nowhere = {0};

/* ---- axes ------------------------------------------------------------------------------------ */

static bool same_key(const char *set, const char *key)
{
    size_t n = strlen(key);
    return strncmp(set, key, n) == 0 && set[n] == '=';
}

/* check_axes refuses a key that is varied twice, or varied and set. */
static void check_axes(const struct sweep_grid *grid, const struct cli_launch *launch,
                       struct err *err)
{
    const struct cli_texts *sets = &launch->sets;
    for (int i = 0; i < grid->axis_n; i++) {
        const char *key = grid->axis[i].key;
        if (!key) continue;
        for (int k = 0; k < i; k++)
            if (grid->axis[k].key && strcmp(grid->axis[k].key, key) == 0)
                err_add(err, nowhere, "--vary %s: the key is varied twice", key);
        for (int k = 0; k < sets->n; k++)
            if (same_key(sets->text[k], key))
                err_add(err, nowhere, "--vary %s: the key is also fixed by %s %s", key,
                        launch->options && launch->options[k] ? launch->options[k] : "--set",
                        launch->options && launch->options[k] ? strchr(sets->text[k], '=') + 1
                                                              : sets->text[k]);
    }
}

static bool parse_axes(struct sweep_grid *grid, const struct sweep_request *request,
                       struct arena *arena, struct err *err)
{
    grid->axis_n = request->vary->n;
    grid->axis = ARENA_ARRAY(arena, struct vary_axis, grid->axis_n);
    for (int i = 0; i < grid->axis_n; i++)
        vary_parse(arena, request->vary->text[i], &grid->axis[i], err);
    check_axes(grid, request->launch, err);
    if (grid->axis_n > VARY_AXES_MAX)
        err_add(err, nowhere, "--vary is given %d times; a grid has at most %d keys", grid->axis_n,
                VARY_AXES_MAX);
    if (request->repeat < 1) err_add(err, nowhere, "--repeat: '0': must be at least 1");
    for (int i = 1; i < request->files->n; i++)
        for (int k = 1; k < i; k++)
            if (strcmp(request->files->text[i], request->files->text[k]) == 0)
                err_add(err, nowhere, "%s is given twice", request->files->text[i]);
    if (err->count) return false;
    grid->workload_n = request->files->n - 1;
    grid->repeat = request->repeat;
    int64_t points = vary_points(grid->axis, grid->axis_n, request->repeat);
    if (points < 0 || points > VARY_POINTS_MAX / grid->workload_n)
        return err_add(err, nowhere, "the sweep has more than %d points", VARY_POINTS_MAX);
    grid->n = points * grid->workload_n;
    return true;
}

/* ---- points ---------------------------------------------------------------------------------- */

static void lay_out(struct sweep_grid *grid, const struct sweep_request *request,
                    struct arena *arena)
{
    struct arena scratch = {0};
    int64_t *choice = ARENA_ARRAY(&scratch, int64_t, grid->axis_n);
    int64_t per_workload = grid->n / grid->workload_n;
    grid->point = ARENA_ARRAY(arena, struct point, grid->n);
    grid->config = ARENA_ARRAY(arena, struct point_config, grid->n);
    for (int64_t i = 0; i < grid->n; i++) {
        int64_t rest = i % per_workload;
        const char **varies = ARENA_ARRAY(arena, const char *, grid->axis_n);
        vary_pick(grid->axis, grid->axis_n, rest / grid->repeat, choice);
        for (int k = 0; k < grid->axis_n; k++)
            varies[k] =
                arena_printf(arena, "%s=%s", grid->axis[k].key, grid->axis[k].value[choice[k]]);
        grid->point[i] = (struct point){
            .topology = request->files->text[0],
            .workload = request->files->text[1 + i / per_workload],
            .sets = request->launch->sets.text,
            .set_n = request->launch->sets.n,
            .options = request->launch->options,
            .varies = varies,
            .vary_n = grid->axis_n,
            .seed = rng_derive(request->launch->seed, (uint64_t)(rest % grid->repeat)),
            .limits = request->launch->limits,
        };
    }
    arena_free(&scratch);
}

/* is_star tells whether point index is a first repeat that differs from the first point of its
 * workload in one axis at most. */
static bool is_star(const struct sweep_grid *grid, int64_t index, int64_t *choice)
{
    int64_t rest = index % (grid->n / grid->workload_n);
    int moved = 0;
    if (rest % grid->repeat) return false;
    vary_pick(grid->axis, grid->axis_n, rest / grid->repeat, choice);
    for (int k = 0; k < grid->axis_n; k++)
        moved += choice[k] != 0;
    return moved <= 1;
}

/* same_mistake compares two messages: all of their first lines, or, where the place is an option
 * ("--vary KEY=VALUE: error: ..."), without the value that was tried. */
static bool same_mistake(const char *a, const char *b)
{
    size_t line_a = strcspn(a, "\n"), line_b = strcspn(b, "\n");
    if (line_a == line_b && strncmp(a, b, line_a) == 0) return true;
    size_t key = strcspn(a, "=");
    const char *text_a = strstr(a, ": error: "), *text_b = strstr(b, ": error: ");
    return strncmp(a, "--", 2) == 0 && strncmp(a, b, key + 1) == 0 && text_a && text_b &&
           strcmp(text_a, text_b) == 0;
}

/* merge moves the messages of from that err does not hold to err. */
static void merge(struct err *err, struct err *from)
{
    for (int i = 0; i < from->count && i < ERR_CAP; i++) {
        bool known = false;
        for (int k = 0; !known && k < err->count && k < ERR_CAP; k++)
            known = same_mistake(err->messages[k], from->messages[i]);
        if (known) continue;
        if (err->count < ERR_CAP) {
            err->messages[err->count] = from->messages[i];
            from->messages[i] = NULL;
        }
        err->count++;
    }
    if (from->exit_code > err->exit_code) err->exit_code = from->exit_code;
    err_free(from);
}

/* load_points loads the star, or all the others. */
static void load_points(struct sweep_grid *grid, bool star, struct arena *arena, struct err *err)
{
    struct arena scratch = {0};
    int64_t *choice = ARENA_ARRAY(&scratch, int64_t, grid->axis_n);
    for (int64_t i = 0; i < grid->n && err->count <= ERR_CAP; i++) {
        struct err own = {0};
        if (is_star(grid, i, choice) != star) continue;
        if (i % grid->repeat) {
            grid->config[i] = grid->config[i - 1]; /* repeats differ in their seed only */
            continue;
        }
        if (!point_load(arena, &grid->point[i], &grid->config[i], &own)) merge(err, &own);
    }
    arena_free(&scratch);
}

bool sweep_grid_load(struct sweep_grid *grid, const struct sweep_request *request,
                     struct arena *arena, struct err *err)
{
    if (!parse_axes(grid, request, arena, err)) return false;
    lay_out(grid, request, arena);
    load_points(grid, true, arena, err);
    if (!err->count) load_points(grid, false, arena, err);
    return err->count == 0;
}
