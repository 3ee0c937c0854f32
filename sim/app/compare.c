/* compare.c - `railsim compare`: two runs of one database, or all points of two databases.
 *
 * The one idea: every simulated value of a run is a row (label, key, unit, value), sorted, so that
 * two runs are compared by walking both lists at once. Labels group what is told as one line: a
 * series is one label with a key per sample. Only simulated values count: time of day, CPU time,
 * memory and machine do not.
 * Not modelled: matching runs whose phases have other names (they are reported as missing).
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/table.h"
#include "sim/app/verbs.h"
#include "sim/base/check.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

struct compare {
    const char *tolerance_text;
    bool json;
    double tolerance_frac;
};

static const struct cli_option options[] = {
    {"tolerance", 't', CLI_TEXT, offsetof(struct compare, tolerance_text), "FRACTION",
     "relative difference that still counts as equal: 0.01, 1% (default 0)"},
    {"json", 0, CLI_FLAG, offsetof(struct compare, json), NULL, "print one JSON document"},
    {0}};

static const struct cli_verb verb = {
    .name = "compare",
    .args = "DATABASE RUN RUN, or compare DATABASE DATABASE",
    .help = "compare all simulated values of two runs, or of equal points of two databases;\n"
            "  exit code 4 if any differs by more than the tolerance",
    .example = "railsim compare results.db 1 2 --tolerance 1%\n"
               "railsim compare interrupted-and-resumed.db uninterrupted.db",
    .arg_min = 2,
    .arg_max = 3,
    .options = options};

/* ---- the values of a run --------------------------------------------------------------------- */

/* What is compared: label, key, unit, value; ?1 is the run. Numbers of a label and a key are
 * padded, so that their text sorts as they do. */
static const char values_sql[] =
    "WITH id(run_id) AS (SELECT CAST(?1 AS INTEGER))"
    " SELECT '1 status', '', '', status FROM run JOIN id USING(run_id)"
    " UNION ALL SELECT '1 fingerprint', '', '', fingerprint FROM run JOIN id USING(run_id)"
    " UNION ALL SELECT '1 simulated time', '', 'ps', sim_time_ps FROM run JOIN id USING(run_id)"
    " UNION ALL SELECT '1 events', '', '1', events FROM run JOIN id USING(run_id)"
    " UNION ALL SELECT '1 data hops', '', '1', data_hops FROM run JOIN id USING(run_id)"
    " UNION ALL SELECT '1 ack hops', '', '1', ack_hops FROM run JOIN id USING(run_id)"
    " UNION ALL SELECT '2 metric ' || entity || ' ' || metric, '', unit, value FROM metric"
    "   JOIN id USING(run_id)"
    " UNION ALL SELECT '3 phase ' || name || ', start', printf('%06d', phase), 'ps', start_ps"
    "   FROM phase JOIN id USING(run_id)"
    " UNION ALL SELECT '3 phase ' || name || ', end', printf('%06d', phase), 'ps', end_ps"
    "   FROM phase JOIN id USING(run_id)"
    " UNION ALL SELECT '3 phase ' || name || ', read', printf('%06d', phase), 'bytes', read_bytes"
    "   FROM phase JOIN id USING(run_id)"
    " UNION ALL SELECT '3 phase ' || name || ', bound', printf('%06d', phase), '', bound"
    "   FROM phase JOIN id USING(run_id)"
    " UNION ALL SELECT '4 share ' || category || ' ' || bound, printf('%06d', phase), 'ps',"
    "   sum(time_ps) FROM share JOIN id USING(run_id) GROUP BY phase, category, bound"
    " UNION ALL SELECT '5 series ' || entity || ' ' || metric || ', window',"
    "   printf('%06d', series), 'ps', window_ps FROM series JOIN id USING(run_id)"
    " UNION ALL SELECT '5 series ' || entity || ' ' || metric || ', time',"
    "   printf('%06d %09d', series, i), 'ps', time_ps FROM sample JOIN id USING(run_id)"
    "   JOIN series USING(run_id, series)"
    " UNION ALL SELECT '5 series ' || entity || ' ' || metric, printf('%06d %09d', series, i),"
    "   unit, value FROM sample JOIN id USING(run_id) JOIN series USING(run_id, series)"
    " UNION ALL SELECT '6 histogram ' || entity || ' ' || metric,"
    "   printf('%!.17g %!.17g', low, high), '1', count FROM bin JOIN id USING(run_id)"
    " ORDER BY 1, 2";

static const char config_sql[] =
    "SELECT '0 config ' || path, '', '', value FROM config WHERE run_id = ?1 ORDER BY path";

enum value_column { VALUE_LABEL, VALUE_KEY, VALUE_UNIT, VALUE_TEXT, VALUE_COLUMNS };

/* struct value: one row. */
struct value {
    const char *text[VALUE_COLUMNS];
};

/* struct values: all rows of a run; release with mem_free and arena_free. */
struct values {
    struct arena arena;
    struct value *value;
    int64_t n, cap;
};

/* take_value is a results_row_fn. */
static bool take_value(void *self, int n, const char *const *names, const char *const *texts)
{
    struct values *values = self;
    (void)names;
    CHECK(n == VALUE_COLUMNS, "%d columns", n);
    values->value = mem_grow(values->value, &values->cap, values->n + 1, sizeof *values->value);
    struct value *value = &values->value[values->n++];
    for (int i = 0; i < n; i++) {
        /* Labels repeat for each sample: share the text of the row before. */
        const char *before = values->n > 1 ? value[-1].text[i] : NULL;
        const char *text = texts[i] ? texts[i] : "";
        value->text[i] =
            before && strcmp(before, text) == 0 ? before : arena_strdup(&values->arena, text);
    }
    return true;
}

static void values_free(struct values *values)
{
    mem_free(values->value);
    arena_free(&values->arena);
    *values = (struct values){0};
}

/* ---- differences ----------------------------------------------------------------------------- */

/* struct difference: what differs under one label. */
struct difference {
    struct difference *next;
    const char *label, *unit;
    const char *a, *b; /* where it is largest; NULL: not there */
    double relative;   /* there; NaN if the two are not numbers */
    int64_t n;         /* values that differ */
};

/* struct side: a run of a database. */
struct side {
    struct results *results;
    const char *path;
    const char *run; /* NULL: not one of them yet */
};

/* side_values reads the rows of sql, of the side's run (?1) if it has one. */
static bool side_values(const struct side *side, const char *sql, struct values *values,
                        struct err *err)
{
    const struct results_query query = {.sql = sql,
                                        .params = &side->run,
                                        .param_n = side->run ? 1 : 0,
                                        .row = take_value,
                                        .self = values};
    return results_query(side->results, &query, err);
}

/* struct pair: two runs and how they differ. */
struct pair {
    struct arena *arena;
    struct side a, b;
    struct difference *first, *last;
    double tolerance_frac;
    int64_t compared;
};

/* struct report: what has been found so far, and where it goes. */
struct report {
    const struct compare *compare;
    struct json *json; /* its stream also takes the text */
    int64_t pairs, different, missing, compared;
};

/* relative_difference returns |a - b| / max(|a|, |b|), 0 for equal texts, NaN if one of them is not
 * a number. */
static double relative_difference(const char *a, const char *b)
{
    char *a_end, *b_end;
    if (strcmp(a, b) == 0) return 0;
    double x = strtod(a, &a_end), y = strtod(b, &b_end);
    if (!*a || !*b || *a_end || *b_end) return NAN;
    double scale = fmax(fabs(x), fabs(y));
    return scale > 0 ? fabs(x - y) / scale : 0;
}

/* is_text: fingerprints may look like numbers, but near is not equal. */
static bool is_text(const struct value *value)
{
    return !*value->text[VALUE_UNIT];
}

/* pair_differ notes a difference; a or b NULL: the other has no such value. */
static void pair_differ(struct pair *pair, const struct value *a, const struct value *b,
                        double relative)
{
    const struct value *some = a ? a : b;
    const char *label = some->text[VALUE_LABEL];
    struct difference *d = pair->last;
    if (!d || strcmp(d->label, label) != 0) {
        d = ARENA_NEW(pair->arena, struct difference);
        *d = (struct difference){.label = arena_strdup(pair->arena, label), .relative = -1};
        if (pair->last)
            pair->last->next = d;
        else
            pair->first = d;
        pair->last = d;
    }
    d->n++;
    /* NaN (missing, or text) is the largest; of equal ones the first stays. */
    if (isnan(d->relative) || relative <= d->relative) return;
    d->relative = relative;
    d->unit = arena_strdup(pair->arena, some->text[VALUE_UNIT]);
    d->a = a ? arena_strdup(pair->arena, a->text[VALUE_TEXT]) : NULL;
    d->b = b ? arena_strdup(pair->arena, b->text[VALUE_TEXT]) : NULL;
}

static void pair_compare(struct pair *pair, const struct value *a, const struct value *b)
{
    double relative = relative_difference(a->text[VALUE_TEXT], b->text[VALUE_TEXT]);
    pair->compared++;
    if (relative > 0 && is_text(a)) relative = NAN;
    if (strcmp(a->text[VALUE_UNIT], b->text[VALUE_UNIT]) != 0) relative = NAN;
    if (!(relative <= pair->tolerance_frac)) pair_differ(pair, a, b, relative);
}

static int value_order(const struct value *a, const struct value *b)
{
    int order = strcmp(a->text[VALUE_LABEL], b->text[VALUE_LABEL]);
    return order ? order : strcmp(a->text[VALUE_KEY], b->text[VALUE_KEY]);
}

/* pair_walk compares what sql says about both runs. */
static bool pair_walk(struct pair *pair, const char *sql, struct err *err)
{
    struct values a = {0}, b = {0};
    bool ok = side_values(&pair->a, sql, &a, err) && side_values(&pair->b, sql, &b, err);
    for (int64_t i = 0, j = 0; ok && (i < a.n || j < b.n);) {
        int order = i == a.n ? 1 : j == b.n ? -1 : value_order(&a.value[i], &b.value[j]);
        if (order < 0)
            pair_differ(pair, &a.value[i++], NULL, NAN);
        else if (order > 0)
            pair_differ(pair, NULL, &b.value[j++], NAN);
        else
            pair_compare(pair, &a.value[i++], &b.value[j++]);
    }
    values_free(&a);
    values_free(&b);
    return ok;
}

/* ---- report ---------------------------------------------------------------------------------- */

static const char *relative_text(struct arena *arena, double relative)
{
    return isnan(relative) ? NULL : arena_printf(arena, "%.3g", relative);
}

static void print_differences(const struct pair *pair, const char *title, FILE *out)
{
    struct table table = {.arena = pair->arena,
                          .columns = 6,
                          .heads = {"differs", "unit", "a", "b", "relative", "values"}};
    fprintf(out, "%s\n  a: run %s of %s\n  b: run %s of %s\n", title, pair->a.run, pair->a.path,
            pair->b.run, pair->b.path);
    for (const struct difference *d = pair->first; d; d = d->next)
        table_add(&table, (const char *const[]){d->label + 2, d->unit, d->a, d->b,
                                                relative_text(pair->arena, d->relative),
                                                arena_printf(pair->arena, "%" PRId64, d->n)});
    if (table.n) table_print(&table, out);
    fputc('\n', out);
}

static void json_differences(const struct pair *pair, const char *title, struct json *json)
{
    json_object(json, NULL);
    json_string(json, "point", title);
    json_raw(json, "run_a", pair->a.run);
    json_raw(json, "run_b", pair->b.run);
    json_array(json, "differences");
    for (const struct difference *d = pair->first; d; d = d->next) {
        json_object(json, NULL);
        json_string(json, "what", d->label + 2);
        json_string(json, "unit", d->unit);
        json_string(json, "a", d->a);
        json_string(json, "b", d->b);
        json_double(json, "relative", d->relative);
        json_int(json, "values", d->n);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

/* report_pair compares two runs. with_config also tells what was configured differently, which is
 * no difference of the results. */
static bool report_pair(struct report *report, const struct side sides[2], const char *title,
                        bool with_config, struct err *err)
{
    struct arena arena = {0};
    struct pair pair = {.arena = &arena,
                        .a = sides[0],
                        .b = sides[1],
                        .tolerance_frac = report->compare->tolerance_frac};
    bool ok = !with_config || pair_walk(&pair, config_sql, err);
    const struct difference *config = pair.last;
    pair.compared = 0;
    ok = ok && pair_walk(&pair, values_sql, err);
    bool different = pair.last != config;
    report->pairs++;
    report->different += different;
    report->compared += pair.compared;
    if (ok && report->compare->json)
        json_differences(&pair, title, report->json);
    else if (ok && pair.last)
        print_differences(&pair, title, report->json->out);
    arena_free(&arena);
    return ok;
}

static void report_missing(struct report *report, const struct value *point, const char *path)
{
    report->missing++;
    if (report->compare->json) {
        json_object(report->json, NULL);
        json_string(report->json, "point", point->text[VALUE_UNIT]);
        json_string(report->json, "only_in", path);
        json_end(report->json, '}');
    } else {
        fprintf(report->json->out, "only in %s: run %s, %s\n\n", path, point->text[VALUE_TEXT],
                point->text[VALUE_UNIT]);
    }
}

/* Points of a database: what identifies them, title, run. */
#define TITLE_SQL                                                                                  \
    "topology || ' ' || workload || coalesce((SELECT group_concat(' ' || key || '=' || value, '')" \
    " FROM param p WHERE p.run_id = r.run_id), '')"

/* report_databases compares the points that have the same configuration and seed. */
static bool report_databases(struct report *report, struct side sides[2], struct err *err)
{
    static const char sql[] = "SELECT config_sha256, seed, " TITLE_SQL ", run_id FROM run r"
                              " ORDER BY 1, 2";
    struct values a = {0}, b = {0};
    bool ok = side_values(&sides[0], sql, &a, err) && side_values(&sides[1], sql, &b, err);
    for (int64_t i = 0, j = 0; ok && (i < a.n || j < b.n);) {
        int order = i == a.n ? 1 : j == b.n ? -1 : value_order(&a.value[i], &b.value[j]);
        if (order < 0) {
            report_missing(report, &a.value[i++], sides[0].path);
        } else if (order > 0) {
            report_missing(report, &b.value[j++], sides[1].path);
        } else {
            const char *title = a.value[i].text[VALUE_UNIT];
            sides[0].run = a.value[i++].text[VALUE_TEXT];
            sides[1].run = b.value[j++].text[VALUE_TEXT];
            ok = report_pair(report, sides, title, false, err);
        }
    }
    values_free(&a);
    values_free(&b);
    return ok;
}

/* report_runs compares two runs of one database. */
static bool report_runs(struct report *report, const struct side sides[2], struct err *err)
{
    static const char sql[] = "SELECT '', '', " TITLE_SQL ", run_id FROM run r WHERE run_id = ?1";
    struct values found[2] = {0};
    bool ok = true;
    for (int i = 0; i < 2 && ok; i++) {
        ok = side_values(&sides[i], sql, &found[i], err);
        if (ok && found[i].n == 0)
            ok = err_add(err, (struct err_pos){0}, "there is no run %s in %s", sides[i].run,
                         sides[i].path);
    }
    if (ok) {
        const char *a = found[0].value->text[VALUE_UNIT], *b = found[1].value->text[VALUE_UNIT];
        const char *title =
            arena_printf(&found[0].arena, "%s%s%s", a, strcmp(a, b) != 0 ? " and " : "",
                         strcmp(a, b) != 0 ? b : "");
        ok = report_pair(report, sides, title, true, err);
    }
    values_free(&found[0]);
    values_free(&found[1]);
    return ok;
}

/* report_end says how it all went. */
static void report_end(const struct report *report)
{
    struct json *json = report->json;
    if (report->compare->json) {
        json_end(json, ']');
        json_int(json, "compared_pairs", report->pairs);
        json_int(json, "compared_values", report->compared);
        json_int(json, "different_pairs", report->different);
        json_int(json, "missing_points", report->missing);
        json_end(json, '}');
        return;
    }
    fprintf(json->out, "%" PRId64 " %s, %" PRId64 " simulated values compared: ", report->pairs,
            report->pairs == 1 ? "pair of runs" : "pairs of runs", report->compared);
    if (report->different || report->missing)
        fprintf(json->out,
                "different pairs: %" PRId64 ", missing points: %" PRId64 ", tolerance %g\n",
                report->different, report->missing, report->compare->tolerance_frac);
    else if (report->compare->tolerance_frac > 0)
        fprintf(json->out, "equal within %g\n", report->compare->tolerance_frac);
    else
        fputs("equal\n", json->out);
}

/* ---- verb ------------------------------------------------------------------------------------ */

static bool compare_files(struct report *report, const struct cli_texts *args, struct err *err)
{
    bool runs = args->n == 3;
    struct side sides[2];
    for (int i = 0; i < 2; i++)
        sides[i] =
            (struct side){.path = args->text[runs ? 0 : i], .run = runs ? args->text[i + 1] : NULL};
    sides[0].results = results_open(sides[0].path, RESULTS_READ, err);
    if (!sides[0].results) return false;
    sides[1].results = results_open(sides[1].path, RESULTS_READ, err);
    if (report->compare->json) {
        json_object(report->json, NULL);
        json_int(report->json, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_string(report->json, "status", "ok");
        json_double(report->json, "tolerance", report->compare->tolerance_frac);
        json_array(report->json, "pairs");
    }
    bool ok = sides[1].results != NULL;
    if (ok) ok = runs ? report_runs(report, sides, err) : report_databases(report, sides, err);
    if (ok) report_end(report);
    ok = results_close(sides[0].results, err) && ok;
    if (sides[1].results) ok = results_close(sides[1].results, err) && ok;
    return ok;
}

static bool check_args(struct compare *compare, const struct cli_texts *args, struct err *err)
{
    union unit_value value = {.d = 0};
    const char *text = compare->tolerance_text;
    const char *wrong = text ? units_parse(UNIT_FRACTION, text, &value) : NULL;
    if (!wrong && value.d < 0) wrong = "must not be negative";
    if (wrong) err_add(err, (struct err_pos){0}, "--tolerance: '%s': %s", text, wrong);
    compare->tolerance_frac = value.d;
    for (int i = 1; args->n == 3 && i < 3; i++)
        if (!*args->text[i] || args->text[i][strspn(args->text[i], "0123456789")])
            err_add(err, (struct err_pos){0}, "'%s' is not the number of a run (railsim show %s)",
                    args->text[i], args->text[0]);
    return err->count == 0;
}

/* compare_print returns the exit code; the output goes out only when all of it is there. */
static int compare_print(const struct compare *compare, const struct cli_texts *args,
                         struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    struct json json = {.out = open_memstream(&text, &len)};
    CHECK(json.out, "no memory for the output");
    struct report report = {.compare = compare, .json = &json};
    bool ok = compare_files(&report, args, err);
    fclose(json.out);
    if (ok) fwrite(text, 1, len, stdout);
    free(text);
    if (!ok) return cli_report(err, compare->json);
    return report.different || report.missing ? CLI_TOLERANCE : CLI_OK;
}

int compare_main(int argc, char **argv)
{
    struct compare compare = {0};
    struct arena arena = {0};
    struct err err = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    int code = cli_parse(&verb, &line, &arena, &compare);
    if (code == CLI_GO && !check_args(&compare, &line.args, &err))
        code = cli_report(&err, compare.json);
    if (code == CLI_GO) code = compare_print(&compare, &line.args, &err);
    arena_free(&arena);
    return code;
}
