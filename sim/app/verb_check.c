/* verb_check.c - `railsim check FILE`: the checks of run, for one file.
 *
 * (Named verb_check because sim/base/check.c has the shorter name.)
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/point.h"
#include "sim/app/verbs.h"
#include "sim/io/json.h"

struct verb_check {
    struct cli_texts sets;
    bool resolved, json;
};

static const struct cli_option options[] = {
    {"set", 0, CLI_TEXTS, offsetof(struct verb_check, sets), "KEY=VALUE", "override a value"},
    {"resolved", 'v', CLI_FLAG, offsetof(struct verb_check, resolved), NULL,
     "print every value in effect and where it comes from"},
    {"json", 0, CLI_FLAG, offsetof(struct verb_check, json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "check",
    .args = "FILE...",
    .help = "Checks topology or workload files as run would.",
    .example = "railsim check topologies/remote-storage.yaml --resolved --set wan.rtt=15ms",
    .arg_min = 1,
    .arg_max = -1,
    .options = options,
};

static void print_text(const char *file, const char *what, const struct schema_rows *rows,
                       bool resolved)
{
    int path = 0, value = 0;
    printf("%s: ok (%s)\n", file, what);
    if (!resolved) return;
    for (int64_t i = 0; i < rows->n; i++) {
        int a = (int)strlen(rows->row[i].path), b = (int)strlen(rows->row[i].value);
        if (a > path) path = a;
        if (b > value) value = b;
    }
    if (value > 40) value = 40;
    for (int64_t i = 0; i < rows->n; i++)
        printf("  %-*s  %-*s  %s\n", path, rows->row[i].path, value, rows->row[i].value,
               rows->row[i].origin);
}

static void add_json(struct json *json, const char *file, const char *what,
                     const struct schema_rows *rows)
{
    json_object(json, NULL);
    json_string(json, "file", file);
    json_string(json, "kind", what);
    json_array(json, "values");
    for (int64_t i = 0; i < rows->n; i++) {
        json_object(json, NULL);
        json_string(json, "path", rows->row[i].path);
        json_string(json, "value", rows->row[i].value);
        json_string(json, "origin", rows->row[i].origin);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

/* check_sets refuses an override that no file could take. */
static void check_sets(const struct cli_texts *sets, const char *const *what, int n,
                       struct err *err)
{
    for (int i = 0; i < sets->n; i++) {
        const char *wanted = point_is_workload(sets->text[i]) ? "workload" : "topology";
        bool found = false;
        for (int k = 0; k < n; k++)
            found |= strcmp(what[k], wanted) == 0;
        if (!found)
            err_add(err, (struct err_pos){0}, "--set %s: no %s is among the files", sets->text[i],
                    wanted);
    }
}

/* check_files checks all files; the results of those that are right are printed at the end. */
static int check_files(const struct verb_check *args, const struct cli_texts *files,
                       struct arena *arena)
{
    struct err err = {0};
    struct schema_rows *rows = ARENA_ARRAY(arena, struct schema_rows, files->n);
    const char **what = ARENA_ARRAY(arena, const char *, files->n);
    bool *ok = ARENA_ARRAY(arena, bool, files->n);
    for (int i = 0; i < files->n; i++) {
        const struct point point = {
            .topology = files->text[i], .sets = args->sets.text, .set_n = args->sets.n};
        ok[i] = point_check(arena, &point, &rows[i], &what[i], &err);
    }
    if (!err.count) check_sets(&args->sets, what, files->n, &err);
    for (int i = 0; !args->json && i < files->n; i++)
        if (ok[i]) print_text(files->text[i], what[i], &rows[i], args->resolved);
    if (err.count) return cli_report(&err, args->json);
    if (!args->json) return CLI_OK;
    struct json json = {.out = stdout};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(&json, "status", "ok");
    json_array(&json, "files");
    for (int i = 0; i < files->n; i++)
        add_json(&json, files->text[i], what[i], &rows[i]);
    json_end(&json, ']');
    json_end(&json, '}');
    return CLI_OK;
}

int verb_check_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct verb_check args = {0};
    int code = cli_parse(&verb, &line, &arena, &args);
    if (code == CLI_GO) code = check_files(&args, &line.args, &arena);
    arena_free(&arena);
    return code;
}
