/* sweep_table.c - reads the points of a sweep back from the database and prints them.
 *
 * Apart from sweep.c because a table has nothing to do with running. The one idea: what is printed
 * comes from the database, also for points that an earlier command simulated; so the table of a
 * resumed sweep equals that of an uninterrupted one.
 */
#include "sim/app/sweep_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app/table.h"
#include "sim/io/json.h"

_Static_assert(VARY_AXES_MAX + 6 + COLUMNS_N <= TABLE_COLUMNS, "workload, axes, seed, results");

/* ---- reading --------------------------------------------------------------------------------- */

/* struct reader: index holds the points in the order of their run ids. */
struct reader {
    struct sweep_table *table;
    struct arena *arena;
    const struct results_plan **sorted;
};

static int by_run_id(const void *a, const void *b)
{
    const struct results_plan *x = *(const struct results_plan *const *)a;
    const struct results_plan *y = *(const struct results_plan *const *)b;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

/* read_row fills the rows of all points that have the run id values[0]. */
static bool read_row(void *self, int n, const char *const *names, const char *const *values)
{
    const struct reader *reader = self;
    struct sweep_table *table = reader->table;
    const struct results_plan key = {.run_id = strtoll(values[0], NULL, 10)}, *wanted = &key;
    const struct results_plan **found =
        bsearch(&wanted, reader->sorted, (size_t)table->grid->n, sizeof *reader->sorted, by_run_id);
    if (!found) return true;
    struct sweep_row row = {
        .status = copy(reader->arena, values[1]),
        .message = copy(reader->arena, values[2]),
        .fingerprint = copy(reader->arena, values[3]),
        .time_to_train_s = copy(reader->arena, values[4]),
        .slowdown = copy(reader->arena, values[5]),
        .bound = copy(reader->arena, values[6]),
    };
    for (int c = 0; c < COLUMNS_N; c++) {
        row.columns[c] = copy(reader->arena, values[n - COLUMNS_N + c]);
        if (!table->heads[c]) table->heads[c] = copy(reader->arena, names[n - COLUMNS_N + c]);
    }
    while (found > reader->sorted && found[-1]->run_id == key.run_id)
        found--;
    const struct results_plan **end = reader->sorted + table->grid->n;
    for (; found < end && (*found)->run_id == key.run_id; found++)
        table->row[*found - table->plan] = row;
    return true;
}

bool sweep_table_read(struct sweep_table *table, struct results *results, struct arena *arena,
                      struct err *err)
{
    int64_t n = table->grid->n;
    struct reader reader = {.table = table, .arena = arena};
    reader.sorted = ARENA_ARRAY(arena, const struct results_plan *, n);
    table->row = ARENA_ARRAY(arena, struct sweep_row, n);
    for (int64_t i = 0; i < n; i++)
        reader.sorted[i] = &table->plan[i];
    qsort(reader.sorted, (size_t)n, sizeof *reader.sorted, by_run_id);
    const struct results_query query = {
        .sql = "SELECT run_id, status, message, fingerprint, time_to_train_s, slowdown,"
               " first_epoch_bound" COLUMNS_SQL " FROM v_point v",
        .row = read_row,
        .self = &reader};
    return results_query(results, &query, err);
}

static bool row_ok(const struct sweep_row *row)
{
    return row->status && strcmp(row->status, sim_stop_name(SIM_DONE)) == 0;
}

int64_t sweep_table_done(const struct sweep_table *table)
{
    int64_t done = 0;
    for (int64_t i = 0; table->row && i < table->grid->n; i++)
        done += row_ok(&table->row[i]);
    return done;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* file_stem returns "resnet50" of "workloads/resnet50.yaml", in arena. */
static const char *file_stem(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *stem = arena_strdup(arena, slash ? slash + 1 : path);
    char *dot = strrchr(stem, '.');
    if (dot && dot > stem) *dot = 0;
    return stem;
}

/* rounded shows a number of the database with fewer digits; NULL stays NULL. */
static const char *rounded(struct arena *arena, const char *number, int decimals)
{
    return number ? arena_printf(arena, "%.*f", decimals, strtod(number, NULL)) : NULL;
}

/* add_row fills cells with what the heads of sweep_table_text announce. */
static void add_row(struct table *out, const struct sweep_table *table, int64_t i)
{
    const struct sweep_grid *grid = table->grid;
    const struct point *point = &grid->point[i];
    const struct sweep_row *row = &table->row[i];
    const char *cells[TABLE_COLUMNS];
    int n = 0;
    if (grid->workload_n > 1) cells[n++] = file_stem(out->arena, point->workload);
    for (int k = 0; k < grid->axis_n; k++)
        cells[n++] = strchr(point->varies[k], '=') + 1;
    if (grid->repeat > 1) cells[n++] = arena_printf(out->arena, "%" PRIu64, point->seed);
    cells[n++] = row->status;
    cells[n++] = rounded(out->arena, row_ok(row) ? row->time_to_train_s : NULL, 2);
    cells[n++] = rounded(out->arena, row->slowdown, 4);
    cells[n++] = row->bound;
    for (int c = 0; c < COLUMNS_N; c++)
        cells[n++] = row_ok(row) ? row->columns[c] : NULL;
    table_add(out, cells);
}

void sweep_table_text(const struct sweep_table *table)
{
    struct arena arena = {0};
    const struct sweep_grid *grid = table->grid;
    struct table out = {.arena = &arena};
    if (grid->workload_n > 1) out.heads[out.columns++] = "workload";
    for (int k = 0; k < grid->axis_n; k++)
        out.heads[out.columns++] = grid->axis[k].key;
    if (grid->repeat > 1) out.heads[out.columns++] = "seed";
    out.heads[out.columns++] = "status";
    out.optional = out.columns;
    out.heads[out.columns++] = "time_to_train_s";
    out.heads[out.columns++] = "slowdown";
    out.heads[out.columns++] = "first_epoch_bound";
    for (int c = 0; c < COLUMNS_N; c++)
        out.heads[out.columns++] = table->heads[c] ? table->heads[c] : "";
    for (int64_t i = 0; i < grid->n; i++)
        add_row(&out, table, i);
    table_print(&out, stdout);
    arena_free(&arena);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_point(struct json *json, const struct sweep_table *table, int64_t i)
{
    const struct results_plan *plan = &table->plan[i];
    const struct sweep_row *row = &table->row[i];
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, plan->seed);
    json_object(json, NULL);
    json_int(json, "run_id", plan->run_id);
    json_string(json, "status", row->status);
    json_string(json, "message", row->message);
    json_string(json, "topology", plan->topology);
    json_string(json, "workload", plan->workload);
    json_raw(json, "params", plan->params);
    json_raw(json, "overrides", plan->overrides);
    json_raw(json, "seed", seed); /* may be above 2^63 */
    json_string(json, "fingerprint", row->fingerprint);
    json_raw(json, "time_to_train_s", row->time_to_train_s ? row->time_to_train_s : "null");
    json_raw(json, "slowdown", row->slowdown ? row->slowdown : "null");
    json_string(json, "first_epoch_bound", row->bound);
    json_end(json, '}');
}

void sweep_table_json(const struct sweep_table *table)
{
    struct json json = {.out = stdout};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(&json, "status", table->status);
    json_array(&json, "points");
    for (int64_t i = 0; table->row && i < table->grid->n; i++)
        json_point(&json, table, i);
    json_end(&json, ']');
    json_end(&json, '}');
}
