/* results_plan.c - puts points into the results database before they run.
 *
 * Apart from results_store.c because it decides what has to run at all. The one idea: a point has
 * its row before it runs and gets all its other rows in one transaction when it is done; so a
 * killed sweep leaves finished points and pending ones, nothing between, and ids that follow the
 * grid. The key of a point is what it simulates (resolved configuration and seed), not how the
 * user wrote it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/units.h"
#include "sim/io/results.h"
#include "sim/io/results_sql.h"

/* struct quantity: what a text with a unit means. */
struct quantity {
    double value;
    const char *unit; /* NULL: text is no number */
};

/* parse_quantity tries all dimensions; a number without unit has the unit "1". */
static struct quantity parse_quantity(const char *text)
{
    static const struct {
        enum unit_dim dim;
        const char *unit;
        double per_base;
    } tries[] = {{UNIT_REAL, "1", 1},     {UNIT_TIME, "s", 1e12},   {UNIT_SIZE, "bytes", 1},
                 {UNIT_RATE, "bit/s", 1}, {UNIT_LENGTH, "m", 1000}, {UNIT_FRACTION, "1", 1}};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        union unit_value v;
        if (units_parse(tries[i].dim, text, &v)) continue;
        bool real = tries[i].dim == UNIT_REAL || tries[i].dim == UNIT_FRACTION;
        double value = real ? v.d : (double)v.i / tries[i].per_base;
        if (isfinite(value)) return (struct quantity){value, tries[i].unit};
    }
    return (struct quantity){NAN, NULL}; /* SQLite stores NaN as NULL */
}

/* rest_hash is FNV-1a, 64 bits, over the configuration without the length of the line: runs that
 * agree in it differ in distance only. */
static uint64_t rest_hash(const struct schema_rows *rows)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < rows->n; i++) {
        const char *texts[] = {rows->row[i].path, "=", rows->row[i].value, "\n"};
        if (strcmp(texts[0], "wan.rtt") == 0 || strcmp(texts[0], "wan.distance") == 0) continue;
        for (int t = 0; t < 4; t++)
            for (const char *c = texts[t]; *c; c++)
                hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* plan_provenance finds or makes the row of provenance p. */
static bool plan_provenance(struct results *r, const struct results_provenance *p, int64_t *id,
                            struct err *err)
{
    struct sqlite3_stmt *stmt = results_prepare(
        r, err,
        "SELECT provenance_id FROM provenance WHERE (version, git_hash, compiler, flags,"
        " libraries, cpu, host, argv) = (?, ?, ?, ?, ?, ?, ?, ?)",
        "tttttttt", p->version, p->git_hash, p->compiler, p->flags, p->libraries, p->cpu, p->host,
        p->argv);
    if (!stmt) return false;
    bool row, ok = results_next(r, stmt, &row, err);
    *id = row ? results_int(stmt, 0) : 0;
    if (!results_end(stmt, ok) || *id) return ok;
    ok = results_put(r, err,
                     "INSERT INTO provenance VALUES(NULL, ?1, ?2, ?2 LIKE '%-dirty', ?3, ?4, ?5,"
                     " ?6, ?7, ?8)",
                     "tttttttt", p->version, p->git_hash, p->compiler, p->flags, p->libraries,
                     p->cpu, p->host, p->argv);
    *id = results_last_id(r);
    return ok;
}

/* plan_find looks a point up by its key: run_id (0 = unknown), done, other_version. */
static bool plan_find(struct results *r, struct results_plan *plan, const char *seed,
                      const struct results_provenance *p, struct err *err)
{
    plan->run_id = 0;
    plan->done = plan->other_version = false;
    struct sqlite3_stmt *stmt =
        results_prepare(r, err,
                        "SELECT run_id, status = 'ok', version <> ? OR git_hash <> ?"
                        " FROM run JOIN provenance USING(provenance_id)"
                        " WHERE config_sha256 = ? AND seed = ?",
                        "tttt", p->version, p->git_hash, plan->config_sha256, seed);
    if (!stmt) return false;
    bool row, ok = results_next(r, stmt, &row, err);
    if (row) {
        plan->run_id = results_int(stmt, 0);
        plan->done = results_int(stmt, 1);
        plan->other_version = plan->done && results_int(stmt, 2);
    }
    return results_end(stmt, ok);
}

static bool plan_config(struct results *r, const struct results_plan *plan, struct err *err)
{
    struct sqlite3_stmt *stmt =
        results_prepare(r, err, "INSERT INTO config VALUES(?, ?, ?, ?, ?, ?, ?)", "");
    bool ok = stmt != NULL;
    for (int64_t i = 0; ok && i < plan->config->n; i++) {
        const struct schema_row *row = &plan->config->row[i];
        struct quantity q = parse_quantity(row->value);
        ok = results_put_row(r, stmt, err, "ititdtt", plan->run_id, row->path, i, row->value,
                             q.value, q.unit, row->origin);
    }
    return results_end(stmt, ok);
}

/* plan_name gives a point its names and params: always a new one, a known one only if the plan
 * varies something. */
static bool plan_name(struct results *r, const struct results_plan *plan, struct err *err)
{
    const char *clear = "DELETE FROM param WHERE run_id = ?";
    const char *name = "UPDATE run SET topology = ?, workload = ?, params = ?, overrides = ?"
                       " WHERE run_id = ?";
    if (!results_put(r, err, clear, "i", plan->run_id) ||
        !results_put(r, err, name, "tttti", plan->topology, plan->workload, plan->params,
                     plan->overrides, plan->run_id))
        return false;
    struct sqlite3_stmt *each =
        results_prepare(r, err, "SELECT key, value FROM json_each(?)", "t", plan->params);
    struct sqlite3_stmt *stmt =
        each ? results_prepare(r, err, "INSERT INTO param VALUES(?, ?, ?, ?, ?, ?)", "") : NULL;
    bool ok = stmt != NULL, row;
    for (int64_t i = 0; ok && (ok = results_next(r, each, &row, err)) && row; i++) {
        const char *value = results_text(each, 1);
        struct quantity q = parse_quantity(value ? value : "");
        ok = results_put_row(r, stmt, err, "iittdt", plan->run_id, i, results_text(each, 0), value,
                             q.value, q.unit);
    }
    ok = results_end(each, ok);
    return results_end(stmt, ok);
}

/* struct planner: what the points of one plan share. */
struct planner {
    struct results *results;
    const struct results_grid *grid;
    int64_t provenance_id;
};

static bool plan_new(const struct planner *planner, struct results_plan *plan, const char *seed,
                     struct err *err)
{
    char rest[17];
    snprintf(rest, sizeof rest, "%016" PRIx64, rest_hash(plan->config));
    bool ok = results_put(planner->results, err,
                          "INSERT INTO run(topology, workload, params, overrides, seed,"
                          " config_sha256, config_rest, provenance_id)"
                          " VALUES('', '', '', '', ?, ?, ?, ?)",
                          "ttti", seed, plan->config_sha256, rest, planner->provenance_id);
    plan->run_id = results_last_id(planner->results);
    return ok && plan_config(planner->results, plan, err) && plan_name(planner->results, plan, err);
}

/* plan_again makes a known point pending, as if it had never run. */
static bool plan_again(const struct planner *planner, int64_t run_id, struct err *err)
{
    return results_clear(planner->results, run_id, err) &&
           results_put(planner->results, err,
                       "UPDATE run SET status = 'pending', message = '', fingerprint = NULL,"
                       " sim_time_ps = NULL, events = NULL, data_hops = NULL, ack_hops = NULL,"
                       " peak_rss_bytes = NULL, run_cpu_s = NULL, wall_s = NULL,"
                       " setup_cpu_s = NULL, started = NULL, ended = NULL, provenance_id = ?"
                       " WHERE run_id = ?",
                       "ii", planner->provenance_id, run_id);
}

static bool plan_point(const struct planner *planner, struct results_plan *plan, struct err *err)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, plan->seed);
    if (!plan_find(planner->results, plan, seed, planner->grid->provenance, err)) return false;
    if (plan->run_id == 0) return plan_new(planner, plan, seed, err);
    if (planner->grid->force) plan->done = plan->other_version = false;
    if (!plan->done && !plan_again(planner, plan->run_id, err)) return false;
    bool varies = strcmp(plan->params, "{}") != 0;
    return !varies || plan_name(planner->results, plan, err);
}

bool results_plan(struct results *r, const struct results_grid *grid, struct err *err)
{
    struct planner planner = {.results = r, .grid = grid};
    if (!results_begin(r, err)) return false;
    bool ok = plan_provenance(r, grid->provenance, &planner.provenance_id, err);
    for (int64_t i = 0; ok && i < grid->n; i++)
        ok = plan_point(&planner, &grid->plan[i], err);
    return results_commit(r, ok, err);
}
