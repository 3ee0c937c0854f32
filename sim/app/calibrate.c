/* calibrate.c - `railsim calibrate`: find free parameters that meet the calibrated rows of a file.
 *
 * Least squares (GSL, Levenberg-Marquardt) over whole simulations; only rows of kind calibrated
 * enter. Prints which rows it used and the values for the YAML, with whole base units.
 */
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/point.h"
#include "sim/app/validation.h"
#include "sim/app/verbs.h"
#include "sim/base/units.h"
#include "sim/engine/fit.h"
#include "sim/io/json.h"

#define STEP 0.02 /* relative finite difference: well above the grain of a simulation */

/* struct free_key: a parameter; its value is counted in base units of its dimension. */
struct free_key {
    const char *key;
    enum unit_dim dim;
    double start, best;
};

struct calibrate {
    bool json;
    struct validation validation;
    const struct validation_file *file;
    const struct validation_row *row[64]; /* the calibrated ones */
    int row_n, key_n;
    struct free_key key[FIT_PARAMS_MAX];
    struct err err;
};

static const struct cli_option options[] = {
    {"json", 0, CLI_FLAG, offsetof(struct calibrate, json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "calibrate",
    .args = "NAME",
    .help = "Fits the free parameters of a file of tests/validation to its calibrated rows.",
    .example = "railsim calibrate remote-storage-resnet50",
    .arg_min = 1,
    .arg_max = 1,
    .options = options,
};

/* Is it a number with digits behind the point, not a count of base units? */
static bool is_real(const struct free_key *key)
{
    return key->dim == UNIT_FRACTION || key->dim == UNIT_REAL;
}

/* "storage.client.tcp_window=16252928B" for all keys, separated by blanks. */
static const char *overrides(struct calibrate *calibrate, const double *p)
{
    static const char *const base_units[UNIT_DIMS] = {
        [UNIT_TIME] = "ps", [UNIT_SIZE] = "B",    [UNIT_RATE] = "bps", [UNIT_LENGTH] = "mm",
        [UNIT_COUNT] = "",  [UNIT_FRACTION] = "", [UNIT_REAL] = "",
    };
    const char *text = "";
    for (int k = 0; k < calibrate->key_n; k++) {
        const struct free_key *key = &calibrate->key[k];
        struct arena *arena = calibrate->validation.arena;
        text = is_real(key) ? arena_printf(arena, "%s %s=%.17g", text, key->key, p[k])
                            : arena_printf(arena, "%s %s=%.0f%s", text, key->key, p[k],
                                           base_units[key->dim]);
    }
    return text;
}

/* Residuals (got - expected) / expected of all calibrated rows. */
static bool residuals(void *self, const double *p, int k, double *residual, int n)
{
    struct calibrate *calibrate = self;
    const char *free_sets = overrides(calibrate, p);
    (void)k;
    for (int i = 0; i < n; i++) {
        const struct validation_row *row = calibrate->row[i];
        double got;
        if (!validation_value(&calibrate->validation, calibrate->file, row, free_sets, &got))
            return false;
        residual[i] = (got - row->expected) / row->expected;
    }
    return true;
}

/* The first calibrated row as its file has it, with its own overrides, which a workload may need,
 * and one more, unless that is "". */
static bool load_first(struct calibrate *calibrate, const char *more, struct point_config *config,
                       struct err *err)
{
    struct arena *arena = calibrate->validation.arena;
    const struct validation_row *row = calibrate->row[0];
    char *rest = NULL, *text = arena_strdup(arena, row->set);
    const char **sets = ARENA_ARRAY(arena, const char *, strlen(text) / 2 + 2);
    struct point point = {.topology = *row->topology ? row->topology : calibrate->file->topology,
                          .workload = row->workload,
                          .sets = sets,
                          .seed = CLI_SEED_DEFAULT};
    for (char *one = strtok_r(text, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
        sets[point.set_n++] = one;
    if (*more) sets[point.set_n++] = more;
    return point_load(arena, &point, config, err);
}

/* Is a key whose value is a whole number without a unit a count? Others may be a bit less. */
static bool is_count(struct calibrate *calibrate, const char *key, double value)
{
    struct err err = {0};
    struct point_config config;
    const char *less =
        arena_printf(calibrate->validation.arena, "%s=%.17g", key, value - STEP * value / 10);
    bool real = load_first(calibrate, less, &config, &err);
    err_free(&err);
    return !real;
}

/* The dimension and value of a key as the files give it. */
static bool find_key(struct calibrate *calibrate, const struct schema_rows *rows, const char *key)
{
    struct free_key *found = &calibrate->key[calibrate->key_n];
    for (int64_t i = 0; i < rows->n; i++) {
        if (strcmp(rows->row[i].path, key) != 0) continue;
        static const enum unit_dim dims[] = {UNIT_COUNT, UNIT_TIME,   UNIT_SIZE,
                                             UNIT_RATE,  UNIT_LENGTH, UNIT_REAL};
        for (size_t d = 0; d < sizeof(dims) / sizeof(dims[0]); d++) {
            union unit_value value;
            if (units_parse(dims[d], rows->row[i].value, &value)) continue;
            if (dims[d] == UNIT_COUNT && !is_count(calibrate, key, (double)value.i)) continue;
            found->key = key;
            found->dim = dims[d];
            found->start = dims[d] == UNIT_REAL ? value.d : (double)value.i;
            if (found->start == 0)
                return err_add(&calibrate->err, (struct err_pos){0},
                               "%s is 0: a fit needs a start value other than 0", key);
            calibrate->key_n++;
            return true;
        }
    }
    return err_add(&calibrate->err, (struct err_pos){0}, "no number is called '%s'", key);
}

static bool prepare(struct calibrate *calibrate, struct arena *arena)
{
    const struct validation_file *file = calibrate->file;
    const struct validation_row *rows = file->rows.items;
    for (int64_t i = 0; i < file->rows.n && calibrate->row_n < 64; i++)
        if (rows[i].kind == VALIDATION_CALIBRATED) calibrate->row[calibrate->row_n++] = &rows[i];
    if (calibrate->row_n == 0 || !*file->calibrate.keys)
        return err_add(&calibrate->err, (struct err_pos){0},
                       "%s names no keys to calibrate, or no calibrated rows", file->name);
    struct point_config config;
    if (!load_first(calibrate, "", &config, &calibrate->err)) return false;
    char *rest = NULL, *keys = arena_strdup(arena, file->calibrate.keys);
    bool ok = true;
    for (char *one = strtok_r(keys, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        if (calibrate->key_n == FIT_PARAMS_MAX)
            return err_add(&calibrate->err, (struct err_pos){0}, "more than %d free parameters",
                           FIT_PARAMS_MAX);
        ok &= find_key(calibrate, &config.rows, one);
    }
    return ok;
}

static void print(struct calibrate *calibrate, const struct fit_problem *problem)
{
    char text[UNITS_TEXT_MAX];
    struct json json = {.out = stdout};
    if (calibrate->json) {
        json_object(&json, NULL);
        json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_array(&json, "used");
        for (int i = 0; i < calibrate->row_n; i++)
            json_string(&json, NULL, calibrate->row[i]->name);
        json_end(&json, ']');
        json_object(&json, "values");
    } else {
        printf("%s\n  source: %s\n  used:\n", calibrate->file->title, calibrate->file->source);
        for (int i = 0; i < calibrate->row_n; i++)
            printf("    %s: %g %s\n", calibrate->row[i]->name, calibrate->row[i]->expected,
                   calibrate->row[i]->unit);
        printf("  found in %d iterations, relative rms error %.2g:\n", problem->iterations,
               problem->rms);
    }
    for (int k = 0; k < calibrate->key_n; k++) {
        const struct free_key *key = &calibrate->key[k];
        union unit_value value = {.i = (int64_t)(key->best + 0.5)};
        if (is_real(key)) value.d = key->best;
        units_format(key->dim, value, text);
        if (calibrate->json)
            json_string(&json, key->key, text);
        else
            printf(is_real(key) ? "    %s: %s   # files have %.4g, this is %.4g\n"
                                : "    %s: %s   # files have %.0f, this is %.0f\n",
                   key->key, text, key->start, key->best);
    }
    if (!calibrate->json) return;
    json_end(&json, '}');
    json_int(&json, "iterations", problem->iterations);
    json_double(&json, "relative_rms", problem->rms);
    json_end(&json, '}');
}

static int run(struct calibrate *calibrate, const char *name, struct arena *arena)
{
    int n;
    double p[FIT_PARAMS_MAX];
    const struct validation_file *files = validation_load(arena, &n, &calibrate->err);
    for (int f = 0; files && f < n; f++)
        if (strcmp(files[f].name, name) == 0) calibrate->file = &files[f];
    if (files && !calibrate->file)
        err_add(&calibrate->err, (struct err_pos){0}, "no validation file is called '%s'", name);
    calibrate->validation = (struct validation){.arena = arena, .err = &calibrate->err};
    if (!calibrate->file || !prepare(calibrate, arena))
        return cli_report(&calibrate->err, calibrate->json);
    for (int k = 0; k < calibrate->key_n; k++)
        p[k] = calibrate->key[k].start;
    struct fit_problem problem = {.model = residuals,
                                  .self = calibrate,
                                  .p = p,
                                  .k = calibrate->key_n,
                                  .n = calibrate->row_n,
                                  .step = STEP};
    if (!fit_least_squares(&problem)) {
        err_add(&calibrate->err, (struct err_pos){0}, "the fit of %s did not converge", name);
        int code = cli_report(&calibrate->err, calibrate->json);
        return code == CLI_USAGE ? CLI_FAILED : code;
    }
    for (int k = 0; k < calibrate->key_n; k++)
        calibrate->key[k].best = p[k];
    print(calibrate, &problem);
    return CLI_OK;
}

int calibrate_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct calibrate calibrate = {0};
    int code = cli_parse(&verb, &line, &arena, &calibrate);
    if (code == CLI_GO) code = run(&calibrate, line.args.text[0], &arena);
    validation_free(&calibrate.validation);
    arena_free(&arena);
    return code;
}
