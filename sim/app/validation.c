/* validation.c - reads validation files, runs their points, judges their rows (validation.h). */
#include "sim/app/validation.h"

#include <dirent.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/point.h"
#include "sim/app/validation_model.h"
#include "sim/base/units.h"
#include "sim/engine/fit.h"
#include "sim/io/tree.h"

#define ROW(member) offsetof(struct validation_row, member)
#define FILE_AT(member) offsetof(struct validation_file, member)
#define SETS_MAX 32

static const char *const kinds[] = {"calibrated", "predicted", NULL};

static const struct schema_field solve_fields[] = {
    {.key = "key",
     .type = SCHEMA_STRING,
     .offset = ROW(solve.key) - ROW(solve),
     .fallback = "",
     .help = "Configuration key (a time) whose value is looked for."},
    {.key = "low",
     .type = SCHEMA_TIME,
     .offset = ROW(solve.low_ps) - ROW(solve),
     .fallback = "0s",
     .max = "10s",
     .help = "Lower end of the search."},
    {.key = "high",
     .type = SCHEMA_TIME,
     .offset = ROW(solve.high_ps) - ROW(solve),
     .fallback = "0s",
     .max = "10s",
     .help = "Upper end of the search."},
    {.key = "target",
     .type = SCHEMA_REAL,
     .offset = ROW(solve.target) - ROW(solve),
     .fallback = "0",
     .help = "The metric's measured value."},
    {.key = "spread",
     .type = SCHEMA_REAL,
     .offset = ROW(solve.spread) - ROW(solve),
     .fallback = "0",
     .help = "Its uncertainty; gives the interval."},
    {.key = NULL},
};
static const struct schema solve_schema = {
    .name = "solve",
    .help = "Find the value of a key at which the metric takes a measured value.",
    .size = sizeof(((struct validation_row *)0)->solve),
    .fields = solve_fields,
};

static const struct schema_field row_fields[] = {
    {.key = "name", .type = SCHEMA_STRING, .offset = ROW(name), .help = "What the row is called."},
    {.key = "kind",
     .type = SCHEMA_ENUM,
     .offset = ROW(kind),
     .words = kinds,
     .help = "calibrated: used to find parameters; predicted: not."},
    {.key = "topology",
     .type = SCHEMA_STRING,
     .offset = ROW(topology),
     .fallback = "",
     .help = "Topology, if not the file's."},
    {.key = "model",
     .type = SCHEMA_VARIANT,
     .offset = ROW(model),
     .fallback = "run",
     .kinds = validation_model_kinds,
     .help = "Where the value comes from: a run of the workload, or a formula."},
    {.key = "workload",
     .type = SCHEMA_STRING,
     .offset = ROW(workload),
     .fallback = "",
     .help = "Workload of a run."},
    {.key = "set",
     .type = SCHEMA_STRING,
     .offset = ROW(set),
     .fallback = "",
     .help = "Overrides KEY=VALUE, separated by blanks."},
    {.key = "entity",
     .type = SCHEMA_STRING,
     .offset = ROW(entity),
     .fallback = "run",
     .help = "Whose metric."},
    {.key = "metric",
     .type = SCHEMA_STRING,
     .offset = ROW(metric),
     .fallback = "time_to_train_s",
     .help = "Which metric."},
    {.key = "unit",
     .type = SCHEMA_STRING,
     .offset = ROW(unit),
     .fallback = "s",
     .help = "Unit of expected and got."},
    {.key = "factor",
     .type = SCHEMA_REAL,
     .offset = ROW(factor),
     .fallback = "1",
     .help = "The metric times this is in the unit."},
    {.key = "expected",
     .type = SCHEMA_REAL,
     .offset = ROW(expected),
     .min = "-1000000000",
     .help = "Published value."},
    {.key = "tolerance",
     .type = SCHEMA_FRACTION,
     .offset = ROW(tolerance),
     .fallback = "0",
     .max = "100%",
     .help = "Relative error that passes."},
    {.key = "tolerance_absolute",
     .type = SCHEMA_REAL,
     .offset = ROW(tolerance_absolute),
     .fallback = "0",
     .help = "Error in the unit that passes."},
    {.key = "goal",
     .type = SCHEMA_FRACTION,
     .offset = ROW(goal),
     .fallback = "0",
     .max = "100%",
     .help = "Relative error that is wanted, of a row that is known to miss it: the table says so. "
             "The tolerance then only keeps it from growing; 0 = the tolerance is the goal."},
    {.key = "at_least",
     .type = SCHEMA_BOOL,
     .offset = ROW(at_least),
     .fallback = "false",
     .help = "The published value is a lower bound; no tolerance."},
    {.key = "minus",
     .type = SCHEMA_STRING,
     .offset = ROW(minus),
     .fallback = "",
     .help = "Overrides of a point whose metric is subtracted."},
    {.key = "solve",
     .type = SCHEMA_SECTION,
     .offset = ROW(solve),
     .section = &solve_schema,
     .help = "Find the value of a key instead."},
    {.key = "note",
     .type = SCHEMA_STRING,
     .offset = ROW(note),
     .fallback = "",
     .help = "What to know about it."},
    {.key = NULL},
};

static void check_row(const void *config, struct schema_check *check)
{
    const struct validation_row *row = config;
    if ((row->tolerance > 0) + (row->tolerance_absolute > 0) + row->at_least != 1)
        schema_complain(check, "tolerance",
                        "C100: give one of tolerance and tolerance_absolute, not 0, or at_least");
    if (row->tolerance > 0 && row->expected == 0)
        schema_complain(check, "expected", "C101: a relative tolerance of nothing");
    if (row->goal > 0 && row->goal >= row->tolerance)
        schema_complain(check, "goal", "C115: a goal is narrower than the relative tolerance");
    if (validation_model_is_run(&row->model) != (*row->workload != 0))
        schema_complain(check, "workload", "C102: a row has a workload or the model of a formula");
}

static const struct schema row_schema = {
    .name = "row",
    .help = "A measured value.",
    .size = sizeof(struct validation_row),
    .fields = row_fields,
    .check = check_row,
};

static const struct schema_field calibrate_fields[] = {
    {.key = "keys",
     .type = SCHEMA_STRING,
     .offset = FILE_AT(calibrate.keys) - FILE_AT(calibrate),
     .fallback = "",
     .help = "Free parameters, separated by blanks."},
    {.key = NULL},
};
static const struct schema calibrate_schema = {
    .name = "calibrate",
    .help = "What `railsim calibrate` may move to meet the calibrated rows.",
    .size = sizeof(((struct validation_file *)0)->calibrate),
    .fields = calibrate_fields,
};

static const struct schema_field file_fields[] = {
    {.key = "title", .type = SCHEMA_STRING, .offset = FILE_AT(title), .help = "Headline."},
    {.key = "source",
     .type = SCHEMA_STRING,
     .offset = FILE_AT(source),
     .help = "Where the measured values were published."},
    {.key = "topology", .type = SCHEMA_STRING, .offset = FILE_AT(topology), .help = "Topology."},
    {.key = "calibrate",
     .type = SCHEMA_SECTION,
     .offset = FILE_AT(calibrate),
     .section = &calibrate_schema,
     .help = "Free parameters."},
    {.key = "rows",
     .type = SCHEMA_LIST,
     .offset = FILE_AT(rows),
     .section = &row_schema,
     .help = "Measured values."},
    {.key = NULL},
};
static const struct schema file_schema = {
    .name = "validation",
    .help = "Measured values and how to simulate them.",
    .size = sizeof(struct validation_file),
    .fields = file_fields,
};

/* ---- files ----------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the .yaml files of a folder, sorted: a directory promises no order. */
static char **list_files(struct arena *arena, const char *folder, int64_t *n, struct err *err)
{
    char **names = NULL;
    int64_t cap = 0;
    DIR *dir = opendir(folder);
    *n = 0;
    if (!dir) {
        err_io(err, "cannot read %s", folder);
        return NULL;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0) continue;
        names = arena_grow(arena, names, &cap, *n + 1, sizeof(char *));
        names[(*n)++] = arena_strdup(arena, entry->d_name);
    }
    closedir(dir);
    if (*n) qsort(names, (size_t)*n, sizeof(char *), by_name);
    return names;
}

const struct validation_file *validation_load(struct arena *arena, int *n, struct err *err)
{
    const struct schema_into into = {arena, "", NULL, err};
    const char *folder = cli_data_path(arena, "tests/validation");
    int64_t file_n;
    char **names = list_files(arena, folder, &file_n, err);
    struct validation_file *files = ARENA_ARRAY(arena, struct validation_file, file_n + 1);
    for (int64_t i = 0; i < file_n; i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, names[i]);
        const struct tree_node *root = tree_read_file(arena, path, err);
        if (!root || !schema_bind(&into, &file_schema, root, &files[i])) continue;
        files[i].name = arena_printf(arena, "%.*s", (int)strlen(names[i]) - 5, names[i]);
    }
    *n = (int)file_n;
    return err->count ? NULL : files;
}

/* ---- points ---------------------------------------------------------------------------------- */

struct validation_memo {
    struct validation_memo *next;
    char sha256[POINT_SHA256_MAX];
    struct record *record;
};

/* Split sets at blanks into texts behind the n that are there; returns how many there are now. */
static int split(struct arena *arena, const char *sets, const char **texts, int n)
{
    char *rest = NULL, *copy = arena_strdup(arena, sets);
    for (char *one = strtok_r(copy, " ", &rest); one && n < SETS_MAX;
         one = strtok_r(NULL, " ", &rest))
        texts[n++] = one;
    return n;
}

static bool run_point(struct validation *validation, const struct validation_file *file,
                      const struct validation_row *row, const char *const sets[2], double *value)
{
    struct arena *arena = validation->arena;
    struct err *err = validation->err;
    const char *texts[SETS_MAX];
    int n = split(arena, sets[1], texts, split(arena, sets[0], texts, 0));
    struct point point = {.topology = *row->topology ? row->topology : file->topology,
                          .workload = row->workload,
                          .sets = texts,
                          .set_n = n,
                          .seed = CLI_SEED_DEFAULT};
    struct point_config config;
    if (!point_load(arena, &point, &config, err)) return false;
    struct validation_memo *memo = validation->memo;
    while (memo && strcmp(memo->sha256, config.sha256) != 0)
        memo = memo->next;
    if (!memo) {
        memo = ARENA_NEW(arena, struct validation_memo);
        memo->record = ARENA_NEW(arena, struct record);
        memcpy(memo->sha256, config.sha256, sizeof(memo->sha256));
        memo->next = validation->memo;
        validation->memo = memo;
        point_run(&config, point.seed, &point.limits, memo->record);
    }
    if (strcmp(memo->record->status, "ok") != 0)
        return err_add(err, (struct err_pos){0}, "%s: %s: %s", config.label, memo->record->status,
                       memo->record->message);
    if (!record_find(memo->record, row->entity, row->metric, value))
        return err_add(err, (struct err_pos){0}, "%s: no metric %s of %s", config.label,
                       row->metric, row->entity);
    return true;
}

void validation_free(struct validation *validation)
{
    for (struct validation_memo *memo = validation->memo; memo; memo = memo->next)
        record_free(memo->record);
    validation->memo = NULL;
}

bool validation_value(struct validation *validation, const struct validation_file *file,
                      const struct validation_row *row, const char *more, double *value)
{
    const char *const sets[2] = {row->set, more}, *const base[2] = {row->minus, more};
    double base_value = 0;
    if (!validation_model_is_run(&row->model)) {
        bool ok = validation_model_value(&row->model, row->metric, value);
        *value *= row->factor;
        return ok || err_add(validation->err, (struct err_pos){0}, "%s: the model has no %s",
                             row->name, row->metric);
    }
    if (!run_point(validation, file, row, sets, value)) return false;
    if (*row->minus && !run_point(validation, file, row, base, &base_value)) return false;
    *value = (*value - base_value) * row->factor;
    return true;
}

/* ---- solving for a key ----------------------------------------------------------------------- */

struct search {
    struct validation *validation;
    const struct validation_file *file;
    const struct validation_row *row;
    double target;
};

/* Trial values are rounded to this: answers are printed to a tenth of a millisecond, and values
 * that round alike are one remembered point, not many simulations that differ by nothing. */
#define SEARCH_GRAIN_PS (10 * PS_PER_US)

/* metric(x picoseconds) - target */
static double search_fn(void *self, double x)
{
    struct search *search = self;
    double value = 0;
    int64_t grains = (int64_t)(x / SEARCH_GRAIN_PS + 0.5);
    const char *set = arena_printf(search->validation->arena, "%s=%lldps", search->row->solve.key,
                                   (long long)(grains * SEARCH_GRAIN_PS));
    validation_value(search->validation, search->file, search->row, set, &value);
    return value - search->target;
}

static bool solve(struct search *search, double target, double *seconds)
{
    double x;
    struct err *err = search->validation->err;
    search->target = target;
    const struct validation_row *row = search->row;
    if (!fit_root(search_fn, search, (double)row->solve.low_ps, (double)row->solve.high_ps, &x))
        return err_add(err, (struct err_pos){0}, "%s: no value of %s gives %g", row->name,
                       row->solve.key, target);
    *seconds = x * 1e-12;
    return err->count == 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool judge(const struct validation_row *row, struct validation_outcome *outcome)
{
    outcome->error = outcome->got - row->expected;
    if (row->tolerance > 0) outcome->error /= row->expected;
    double limit = row->tolerance > 0 ? row->tolerance : row->tolerance_absolute;
    outcome->ok = (outcome->error <= limit || row->at_least) && outcome->error >= -limit;
    outcome->missed =
        outcome->ok && row->goal > 0 && (outcome->error > row->goal || outcome->error < -row->goal);
    return true;
}

bool validation_row_run(struct validation *validation, const struct validation_file *file,
                        const struct validation_row *row, struct validation_outcome *outcome)
{
    *outcome = (struct validation_outcome){0};
    if (*row->solve.key) {
        struct search search = {validation, file, row, 0};
        double middle_s = 0, low_s = 0, high_s = 0;
        bool ok = solve(&search, row->solve.target, &middle_s) &&
                  solve(&search, row->solve.target - row->solve.spread, &low_s) &&
                  solve(&search, row->solve.target + row->solve.spread, &high_s);
        outcome->solved = true;
        outcome->got = middle_s * 1e3;
        outcome->low = low_s * 1e3;
        outcome->high = high_s * 1e3;
        return ok && judge(row, outcome);
    }
    return validation_value(validation, file, row, "", &outcome->got) && judge(row, outcome);
}
