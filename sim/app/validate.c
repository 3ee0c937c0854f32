/* validate.c - `railsim validate`: every published value beside what the simulator says.
 *
 * The one idea: nothing is hidden. Each row shows its residual, whether it was used to find
 * parameters (calibrated) or not (predicted), and whether it misses what is wanted of it, even if
 * that is known; each file the mean of its rows' errors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/validation.h"
#include "sim/app/verbs.h"
#include "sim/io/json.h"

struct validate {
    bool json, markdown;
    struct validation validation;
    struct json out;
    int passed, failed, missed;
    FILE *details; /* of Markdown: printed behind the summary of all files */
};

/* struct mean: of the size of relative errors. */
struct mean {
    double sum;
    int n;
};

/* struct summary: of a file's rows. */
struct summary {
    int kind_n[2]; /* by enum validation_kind */
    int failed, missed;
    const struct validation_row *worst; /* predicted row nearest to its goal, or past it */
    struct validation_outcome outcome;  /* its */
    double share;                       /* of the goal */
    struct mean mean[2];                /* by enum validation_kind */
};

static const struct cli_option options[] = {
    {"json", 0, CLI_FLAG, offsetof(struct validate, json), NULL, "print one JSON document"},
    {"markdown", 0, CLI_FLAG, offsetof(struct validate, markdown), NULL,
     "print the tables as Markdown: a line per file, then all rows (docs/validation.md)"},
    {0},
};

static const struct cli_verb verb = {
    .name = "validate",
    .args = "[NAME]...",
    .help = "Simulates published values and compares; NAME picks files of tests/validation (or "
            "their beginnings).",
    .example = "railsim validate\nrailsim validate remote-storage",
    .arg_min = 0,
    .arg_max = -1,
    .options = options,
};

static const char *const kind_names[] = {"calibrated", "predicted"};

/* "+0.14 %" or "+0.35 s"; tolerance: what is wanted */
static void format_error(const struct validation_row *row, const struct validation_outcome *outcome,
                         char *error, char *tolerance)
{
    if (row->tolerance > 0) {
        snprintf(error, 32, "%+.2f %%", outcome->error * 100);
        snprintf(tolerance, 32, "%.3g %%", (row->goal > 0 ? row->goal : row->tolerance) * 100);
    } else {
        snprintf(error, 32, "%+.*f %s", row->at_least ? 3 : 2, outcome->error, row->unit);
        snprintf(tolerance, 32, "%.3g %s", row->tolerance_absolute, row->unit);
        if (row->at_least) snprintf(tolerance, 32, "at least");
    }
}

static void format_got(const struct validation_outcome *outcome, const char *unit, char *got)
{
    if (outcome->solved)
        snprintf(got, 64, "%.1f %s (%.1f..%.1f)", outcome->got, unit, outcome->low, outcome->high);
    else
        snprintf(got, 64, "%.6g %s", outcome->got, unit);
}

static const char *verdict(const struct validation_outcome *outcome)
{
    return !outcome->ok ? "FAILED" : outcome->missed ? "missed" : "ok";
}

static void print_text(const struct validation_row *row, const struct validation_outcome *outcome)
{
    char error[32], tolerance[32], got[64], expected[32];
    format_error(row, outcome, error, tolerance);
    format_got(outcome, row->unit, got);
    snprintf(expected, sizeof(expected), "%.6g %s", row->expected, row->unit);
    printf("  %-44s %-10s %12s %22s %10s %9s  %s\n", row->name, kind_names[row->kind], expected,
           got, error, tolerance, verdict(outcome));
    if (*row->note) printf("    (%s)\n", row->note);
    fflush(stdout);
}

static void print_markdown(FILE *out, const struct validation_row *row,
                           const struct validation_outcome *outcome)
{
    char error[32], tolerance[32], got[64];
    format_error(row, outcome, error, tolerance);
    format_got(outcome, row->unit, got);
    fprintf(out, "| %s | %s | %.6g %s | %s | %s | %s | %s%s%s |\n", row->name,
            kind_names[row->kind], row->expected, row->unit, got, error, tolerance,
            outcome->ok && !outcome->missed ? "ok"
            : outcome->ok                   ? "**missed**"
                                            : "**failed**",
            *row->note ? ": " : "", row->note);
}

static void print_json(struct json *json, const struct validation_file *file,
                       const struct validation_row *row, const struct validation_outcome *outcome)
{
    json_object(json, NULL);
    json_string(json, "file", file->name);
    json_string(json, "name", row->name);
    json_string(json, "source", file->source);
    json_string(json, "kind", kind_names[row->kind]);
    json_string(json, "workload", row->workload);
    json_string(json, "set", row->set);
    json_string(json, "metric", *row->solve.key ? row->solve.key : row->metric);
    json_string(json, "unit", row->unit);
    json_double(json, "expected", row->expected);
    json_double(json, "got", outcome->got);
    json_double(json, "error", outcome->error);
    json_bool(json, "relative", row->tolerance > 0);
    json_bool(json, "at_least", row->at_least);
    json_double(json, "tolerance", row->tolerance > 0 ? row->tolerance : row->tolerance_absolute);
    json_bool(json, "goal_met", outcome->ok && !outcome->missed);
    if (row->goal > 0) json_double(json, "goal", row->goal);
    if (outcome->solved) {
        json_double(json, "low", outcome->low);
        json_double(json, "high", outcome->high);
    }
    json_string(json, "note", row->note);
    json_bool(json, "pass", outcome->ok);
    json_end(json, '}');
}

static void print_head(const struct validate *validate, const struct validation_file *file)
{
    if (validate->markdown) {
        fprintf(validate->details,
                "\n## %s\n%s\n\n| row | kind | published | simulated | error | goal | |\n"
                "|---|---|---|---|---|---|---|\n",
                file->title, file->source);
    } else if (!validate->json) {
        printf("%s\n  source: %s\n  %-44s %-10s %12s %22s %10s %9s\n", file->title, file->source,
               "row", "kind", "published", "simulated", "error", "goal");
    }
}

static void sum_up(struct summary *sum, const struct validation_row *row,
                   const struct validation_outcome *outcome)
{
    double goal = row->goal > 0 ? row->goal : row->tolerance;
    double off = outcome->error < 0 ? -outcome->error : outcome->error;
    double share = row->at_least ? !outcome->ok : off / (goal > 0 ? goal : row->tolerance_absolute);
    sum->failed += !outcome->ok;
    sum->missed += outcome->missed;
    sum->kind_n[row->kind]++;
    if (row->tolerance > 0) {
        sum->mean[row->kind].sum += off;
        sum->mean[row->kind].n++;
    }
    if (row->kind == VALIDATION_CALIBRATED || (sum->worst && share <= sum->share)) return;
    sum->worst = row;
    sum->outcome = *outcome;
    sum->share = share;
}

/* "mean error: 1.1 % of calibrated rows, 2.3 % of predicted rows"; nothing of a single row. */
static void print_mean(FILE *out, const struct summary *sum, const char *indent)
{
    const char *before = "mean error: ";
    for (int kind = 0; kind < 2; kind++) {
        if (sum->mean[kind].n < 2) continue;
        fprintf(out, "%s%s%.2f %% of %s rows", indent, before,
                100 * sum->mean[kind].sum / sum->mean[kind].n, kind_names[kind]);
        before = ", ";
        indent = "";
    }
    if (*before == ',') fprintf(out, "\n");
}

static void print_summary(const struct validation_file *file, const struct summary *sum)
{
    char error[32] = "", tolerance[32] = "", missed[32] = "";
    if (sum->worst) format_error(sum->worst, &sum->outcome, error, tolerance);
    if (sum->missed) snprintf(missed, sizeof(missed), "; goals **missed**: %d", sum->missed);
    printf("| %s | %d | %d | %s%s%s%s | %s%s |\n", file->title, sum->kind_n[VALIDATION_CALIBRATED],
           sum->kind_n[VALIDATION_PREDICTED], error, sum->worst ? " (" : "",
           sum->worst ? sum->worst->name : "", sum->worst ? ")" : "",
           sum->failed ? "**failed**" : "passed", missed);
}

static bool run_file(struct validate *validate, const struct validation_file *file)
{
    const struct validation_row *rows = file->rows.items;
    struct summary sum = {0};
    print_head(validate, file);
    for (int64_t i = 0; i < file->rows.n; i++) {
        struct validation_outcome outcome;
        if (!validation_row_run(&validate->validation, file, &rows[i], &outcome)) return false;
        if (outcome.ok) {
            validate->passed++;
        } else {
            validate->failed++;
        }
        validate->missed += outcome.missed;
        if (validate->json) {
            print_json(&validate->out, file, &rows[i], &outcome);
        } else if (validate->markdown) {
            print_markdown(validate->details, &rows[i], &outcome);
        } else {
            print_text(&rows[i], &outcome);
        }
        sum_up(&sum, &rows[i], &outcome);
    }
    if (validate->markdown) {
        print_mean(validate->details, &sum, "\n");
        print_summary(file, &sum);
    } else if (!validate->json) {
        print_mean(stdout, &sum, "  ");
    }
    return true;
}

static bool is_wanted(const struct validation_file *file, const struct cli_texts *names)
{
    for (int i = 0; i < names->n; i++)
        if (strncmp(file->name, names->text[i], strlen(names->text[i])) == 0) return true;
    return names->n == 0;
}

/* Every name must pick something. */
static bool check_names(const struct validation_file *files, int n, const struct cli_texts *names,
                        struct arena *arena, struct err *err)
{
    const char **known = ARENA_ARRAY(arena, const char *, n + 1);
    for (int f = 0; f < n; f++)
        known[f] = files[f].name;
    for (int i = 0; i < names->n; i++) {
        const struct cli_texts one = {&names->text[i], 1};
        bool found = false;
        for (int f = 0; f < n && !found; f++)
            found = is_wanted(&files[f], &one);
        if (found) continue;
        const char *near = err_suggest(names->text[i], known, n);
        err_add(err, (struct err_pos){0}, "no validation file is called '%s' (did you mean '%s'?)",
                names->text[i], near ? near : known[0]);
    }
    return err->count == 0;
}

/* The summary goes out at once, file by file; all rows behind it. */
static bool run_files(struct validate *validate, const struct validation_file *files, int n,
                      const struct cli_texts *names)
{
    char *text = NULL;
    size_t size = 0;
    bool ok = true;
    if (validate->markdown) {
        validate->details = open_memstream(&text, &size);
        if (!validate->details) return err_io(validate->validation.err, "no memory");
        printf("| what was published | calibrated rows | predicted rows | predicted row nearest to "
               "its bar, or past it | |\n"
               "|---|---|---|---|---|\n");
    }
    for (int f = 0; f < n && ok; f++)
        if (is_wanted(&files[f], names)) ok = run_file(validate, &files[f]);
    if (validate->markdown) {
        fclose(validate->details);
        fputs(text, stdout);
        free(text);
    }
    return ok;
}

static int run_all(struct validate *validate, const struct cli_line *line, struct arena *arena)
{
    struct err err = {0};
    int n;
    const struct validation_file *files = validation_load(arena, &n, &err);
    if (!files || !check_names(files, n, &line->args, arena, &err))
        return cli_report(&err, validate->json);
    validate->validation = (struct validation){.arena = arena, .err = &err};
    validate->out.out = stdout;
    if (validate->json) {
        json_object(&validate->out, NULL);
        json_int(&validate->out, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_array(&validate->out, "rows");
    }
    bool ok = run_files(validate, files, n, &line->args);
    if (validate->json) {
        json_end(&validate->out, ']');
        json_int(&validate->out, "passed", validate->passed);
        json_int(&validate->out, "failed", validate->failed);
        json_int(&validate->out, "missed", validate->missed);
        json_end(&validate->out, '}');
    } else if (!validate->markdown) {
        printf("%d passed, %d failed", validate->passed, validate->failed);
        if (validate->missed) printf("; %d of those that passed miss a goal", validate->missed);
        printf("\n");
    }
    validation_free(&validate->validation);
    if (!ok) return cli_report(&err, false);
    return validate->failed ? CLI_TOLERANCE : CLI_OK;
}

int validate_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct validate validate = {0};
    int code = cli_parse(&verb, &line, &arena, &validate);
    if (code == CLI_GO) code = run_all(&validate, &line, &arena);
    arena_free(&arena);
    return code;
}
