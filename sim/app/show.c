/* show.c - `railsim show`: the points of a results database, or all of one run.
 *
 * The one idea: each part of the output is one SELECT with the types of its columns; the same row
 * becomes a line of a table or a JSON object.
 * Not shown: samples of series (SELECT * FROM v_series; `railsim plot`).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/columns.h"
#include "sim/app/table.h"
#include "sim/app/verbs.h"
#include "sim/base/check.h"
#include "sim/io/json.h"

struct show {
    int64_t run_id; /* 0: all */
    bool json;
};

static const struct cli_option options[] = {
    {"run", 'r', CLI_COUNT, offsetof(struct show, run_id), "ID", "all that is known of one run"},
    {"json", 0, CLI_FLAG, offsetof(struct show, json), NULL, "print one JSON document"},
    {0}};

static const struct cli_verb verb = {.name = "show",
                                     .args = "DATABASE",
                                     .help = "print the points of a results database, or one run",
                                     .example = "railsim show results.db\n"
                                                "railsim show results.db --run 3",
                                     .arg_min = 1,
                                     .arg_max = 1,
                                     .options = options};

/* struct part: one SELECT. types has a letter per column: s text, n number, j JSON, b truth value.
 * ?1 is the run. */
struct part {
    const char *name; /* key in the document, title in text */
    const char *types;
    const char *sql;
    bool single;  /* one object, not an array of objects; in text one line per column */
    int optional; /* text: columns from this one on appear if a row has them; 0 = none */
};

/* What `show DB` prints; names without folder and ".yaml". */
#define STEM(column)                                                                               \
    ", replace(replace(" column ", rtrim(" column ", replace(" column ", '/', '')), ''),"          \
    " '.yaml', '') AS " column
#define NAMES_SQL STEM("topology") STEM("workload")
#define FIXED(format, column, head)                                                                \
    ", iif(" column " IS NULL, NULL, printf('" format "', " column ")) AS \"" head "\""
#define TRAINING_SQL                                                                               \
    FIXED("%.1f", "time_to_train_s", "train [s]")                                                  \
    FIXED("%.3f", "slowdown", "slowdown") FIXED("%.1f", "first_epoch_s", "epoch 1 [s]")
/* Every topology has a WAN, if only by its defaults; it matters where storage was asked over one:
 * sessions record their connections. */
#define WAN_USED(column)                                                                           \
    ", iif(EXISTS (SELECT 1 FROM metric m WHERE m.run_id = v.run_id AND m.entity GLOB"             \
    " '*/transport' AND m.metric = 'sent_bytes'), " column ", NULL) AS " column
#define WAN_SQL WAN_USED("rtt_ms") WAN_USED("wan_rate_gbps")
static const struct part points_text = {
    "points", NULL, /* types are for JSON */
    "SELECT v.run_id AS run, status" NAMES_SQL
    ", (SELECT coalesce(group_concat(said, ' '), '') FROM"
    " (SELECT key || '=' || value AS said FROM param p WHERE p.run_id = v.run_id"
    "  UNION ALL SELECT value FROM json_each(overrides))) AS params" TRAINING_SQL
    ", first_epoch_bound AS \"held up by\"" COLUMNS_SQL " FROM v_point v ORDER BY v.run_id",
    false, 5};
static const struct part points_json = {
    "points", "nsssjssnnnnnsnnnnnnnjssss",
    "SELECT run_id, status, topology, workload, json(params) AS params, seed, fingerprint,"
    " time_to_train_s,"
    " slowdown" WAN_SQL ", first_epoch_s, first_epoch_bound, sim_time_s, events,"
    " data_hops, ack_hops, run_cpu_s, wall_s, peak_rss_bytes, json(overrides) AS overrides,"
    " config_sha256, started, ended, message FROM v_point v ORDER BY run_id",
    false, 0};

#define RUN_COLUMNS                                                                                \
    "run_id, status, message, topology, workload, json(params) AS params,"                         \
    " json(overrides) AS overrides, seed, config_sha256,"                                          \
    " fingerprint, time_to_train_s, slowdown" WAN_SQL ", first_epoch_s,"                           \
    " first_epoch_bound, sim_time_s, events, data_hops, ack_hops, peak_rss_bytes, run_cpu_s,"      \
    " wall_s, setup_cpu_s, started, ended"
static const struct part run_parts[] = {
    {"run", "nssssjjsssnnnnnsnnnnnnnnss",
     "SELECT " RUN_COLUMNS " FROM v_point v WHERE run_id = CAST(?1 AS INTEGER)", true, 0},
    {"provenance", "ssbssssss",
     "SELECT version, git_hash, dirty, compiler, flags, libraries, cpu, host, argv"
     " FROM provenance JOIN run USING(provenance_id) WHERE run_id = ?1",
     true, 0},
    {"params", "ssns", "SELECT key, value, num, unit FROM param WHERE run_id = ?1 ORDER BY ord",
     false, 0},
    {"metrics", "ssns",
     "SELECT entity, metric, value, unit FROM metric WHERE run_id = ?1 ORDER BY ord", false, 0},
    {"phases", "nssnnnn",
     "SELECT phase, name, bound, start_s, end_s, duration_s, read_bytes FROM v_phase"
     " WHERE run_id = CAST(?1 AS INTEGER) ORDER BY phase",
     false, 0},
    {"shares", "nsssn",
     "SELECT s.phase, name, category, s.bound AS bound, time_ps / 1e12 AS time_s FROM share s"
     " JOIN phase USING(run_id, phase) WHERE run_id = ?1 ORDER BY s.phase, time_ps DESC, s.ord",
     false, 0},
    {"series", "sssnn",
     "SELECT entity, metric, unit, window_ps / 1e12 AS window_s, (SELECT count(*) FROM sample x"
     " WHERE x.run_id = s.run_id AND x.series = s.series) AS samples FROM series s"
     " WHERE run_id = ?1 ORDER BY series",
     false, 0},
    {"histograms", "sssnnn",
     "SELECT entity, metric, unit, low, high, count FROM bin WHERE run_id = ?1 ORDER BY ord", false,
     0},
    {"config", "ssnss",
     "SELECT path, value, num, unit, origin FROM config WHERE run_id = ?1 ORDER BY ord", false, 0},
};
#define RUN_PARTS (sizeof run_parts / sizeof *run_parts)

/* struct printer: a part on its way out, as json or into a table. */
struct printer {
    const struct part *part;
    struct json *json; /* NULL: text */
    struct table table;
    int64_t rows;
};

static void json_cell(struct json *json, char type, const char *name, const char *value)
{
    bool number = value && *value && !value[strspn(value, "0123456789+-.e")];
    if (!value || type == 's' || (type == 'n' && !number)) /* a REAL can be "inf" */
        json_string(json, name, value);
    else if (type == 'b')
        json_bool(json, name, strcmp(value, "0") != 0);
    else
        json_raw(json, name, value);
}

/* take_row is a results_row_fn. */
static bool take_row(void *self, int n, const char *const *names, const char *const *values)
{
    struct printer *printer = self;
    const struct part *part = printer->part;
    struct table *table = &printer->table;
    printer->rows++;
    if (printer->json) {
        json_object(printer->json, part->single ? part->name : NULL);
        for (int i = 0; i < n; i++)
            json_cell(printer->json, part->types[i], names[i], values[i]);
        json_end(printer->json, '}');
    } else if (part->single) {
        for (int i = 0; i < n; i++)
            if (values[i] && *values[i])
                table_add(table,
                          (const char *const[]){arena_strdup(table->arena, names[i]), values[i]});
    } else {
        for (int i = 0; i < n && !table->n; i++)
            table->heads[i] = arena_strdup(table->arena, names[i]);
        table->columns = n;
        table_add(table, values);
    }
    return true;
}

/* show_part prints one part to json->out, as JSON or text. */
static bool show_part(struct results *results, const struct part *part, const struct show *show,
                      struct json *json, struct err *err)
{
    FILE *out = json->out;
    char run[24];
    const char *params[] = {run};
    struct arena arena = {0};
    struct printer printer = {.part = part,
                              .json = show->json ? json : NULL,
                              .table = {.arena = &arena, .columns = 2, .optional = part->optional}};
    snprintf(run, sizeof run, "%" PRId64, show->run_id);
    bool list = show->json && !part->single;
    if (list) json_array(json, part->name);
    const struct results_query query = {.sql = part->sql,
                                        .params = params,
                                        .param_n = show->run_id ? 1 : 0,
                                        .row = take_row,
                                        .self = &printer};
    bool ok = results_query(results, &query, err);
    if (list) json_end(json, ']');
    if (!show->json && printer.rows) {
        if (show->run_id) fprintf(out, "%s%s\n", part == run_parts ? "" : "\n", part->name);
        table_print(&printer.table, out);
    }
    if (!show->json && !printer.rows && !show->run_id) fputs("no points\n", out);
    arena_free(&arena);
    return ok;
}

/* first_value is a results_row_fn: copies the first column of one row. */
struct first {
    struct arena *arena;
    const char *values[3];
};
static bool first_value(void *self, int n, const char *const *names, const char *const *values)
{
    struct first *first = self;
    (void)names;
    for (int i = 0; i < n; i++)
        first->values[i] = arena_strdup(first->arena, values[i] ? values[i] : "");
    return false;
}

/* check_run says which runs there are if the one asked for is not. */
static bool check_run(struct results *results, const struct show *show, struct arena *arena,
                      struct err *err)
{
    const char *run = arena_printf(arena, "%" PRId64, show->run_id);
    struct first first = {.arena = arena};
    const struct results_query query = {
        .sql = "SELECT count(*) FILTER (WHERE run_id = ?1), min(run_id), max(run_id) FROM run",
        .params = &run,
        .param_n = 1,
        .row = first_value,
        .self = &first};
    if (!results_query(results, &query, err)) return false;
    if (strcmp(first.values[0], "0") != 0) return true;
    if (!*first.values[1]) return err_add(err, (struct err_pos){0}, "the database has no runs");
    return err_add(err, (struct err_pos){0}, "there is no run %s; the runs are %s to %s", run,
                   first.values[1], first.values[2]);
}

static bool show_all(struct results *results, const struct show *show, struct json *json,
                     struct err *err)
{
    if (!show->run_id)
        return show_part(results, show->json ? &points_json : &points_text, show, json, err);
    for (size_t i = 0; i < RUN_PARTS; i++)
        if (!show_part(results, &run_parts[i], show, json, err)) return false;
    return true;
}

static bool show_database(struct results *results, const char *path, const struct show *show,
                          struct json *json, struct err *err)
{
    struct arena arena = {0};
    bool ok = !show->run_id || check_run(results, show, &arena, err);
    arena_free(&arena);
    if (!ok || !show->json) return ok && show_all(results, show, json, err);
    json_object(json, NULL);
    json_int(json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(json, "status", "ok");
    json_string(json, "database", path);
    ok = show_all(results, show, json, err);
    json_end(json, '}');
    return ok;
}

int show_main(int argc, char **argv)
{
    struct show show = {0};
    struct arena arena = {0};
    struct err err = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    int code = cli_parse(&verb, &line, &arena, &show);
    if (code == CLI_GO) {
        /* The text goes out when all of it is there: after an error --json must print only that. */
        char *text = NULL;
        size_t len = 0;
        struct json json = {.out = open_memstream(&text, &len)};
        CHECK(json.out, "no memory for the output");
        const char *path = line.args.text[0];
        struct results *results = results_open(path, RESULTS_READ, &err);
        bool ok = results && show_database(results, path, &show, &json, &err);
        if (results) ok = results_close(results, &err) && ok;
        fclose(json.out);
        if (ok) fwrite(text, 1, len, stdout);
        free(text);
        code = ok ? CLI_OK : cli_report(&err, show.json);
    }
    arena_free(&arena);
    return code;
}
