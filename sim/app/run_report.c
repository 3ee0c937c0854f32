/* run_report.c - prints one finished run.
 *
 * Apart from run.c because what a result looks like has nothing to do with how it came about. The
 * one idea: phases that differ only in their number ("epoch 2" ... "epoch 35") and have the same
 * bound are one line, so that 44 phases stay readable; --json holds them all.
 */
#include "sim/app/run_report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

static const char run_entity[] = "run"; /* of the metrics of the whole run */

char *run_report_time(double time_s, char *buf)
{
    if (time_s < 120)
        snprintf(buf, 32, "%.4g s", time_s);
    else
        snprintf(buf, 32, "%.2f min", time_s / 60);
    return buf;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* struct group: phases of one stem and bound, or shares of one category and bound. */
struct group {
    const char *name, *bound;
    size_t stem;      /* bytes of name that count */
    const char *last; /* name of the last phase */
    int64_t n, first_ps, time_ps;
};

/* group_add adds to the group of (name[stem], bound), which is appended if it is new. */
static void group_add(struct group *groups, int64_t *n, struct group add)
{
    struct group *group = groups;
    for (; group < groups + *n; group++)
        if (group->stem == add.stem && strncmp(group->name, add.name, add.stem) == 0 &&
            strcmp(group->bound, add.bound) == 0)
            break;
    if (group == groups + *n) {
        *group = add;
        (*n)++;
    } else {
        group->time_ps += add.time_ps;
    }
    group->n++;
    group->last = add.name;
}

/* stem_of returns the length of name without its number. */
static size_t stem_of(const char *name)
{
    size_t n = strlen(name);
    while (n > 1 && isdigit((unsigned char)name[n - 1]))
        n--;
    return name[n] && name[n - 1] != ' ' ? strlen(name) : n;
}

static void print_phases(const struct record *record, FILE *out)
{
    struct arena arena = {0};
    char time[32], name[96];
    int64_t n = 0;
    struct group *groups = ARENA_ARRAY(&arena, struct group, record->phase_n);
    for (int64_t i = 0; i < record->phase_n; i++) {
        const struct record_phase *phase = &record->phases[i];
        group_add(groups, &n,
                  (struct group){.name = phase->name,
                                 .bound = phase->bound ? phase->bound : "",
                                 .stem = stem_of(phase->name),
                                 .first_ps = phase->start_ps,
                                 .time_ps = phase->end_ps - phase->start_ps});
    }
    if (n) fprintf(out, "\n%-24s %12s %12s  %s\n", "phase", "start", "time", "bound by");
    for (int64_t i = 0; i < n; i++) {
        const struct group *group = &groups[i];
        snprintf(name, sizeof name, "%s", group->name);
        if (group->n > 1)
            snprintf(name, sizeof name, "%s .. %s (%" PRId64 ")", group->name,
                     group->last + group->stem, group->n);
        fprintf(out, "%-24s %12s", name, run_report_time(units_s(group->first_ps), time));
        fprintf(out, " %12s  %s\n", run_report_time(units_s(group->time_ps), time), group->bound);
    }
    arena_free(&arena);
}

static int by_time(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->time_ps != y->time_ps) return x->time_ps < y->time_ps ? 1 : -1;
    int names = strcmp(x->name, y->name);
    return names ? names : strcmp(x->bound, y->bound);
}

/* A training step is what is reported above; these are sums of all that were simulated. */
static const char *shares_title(const struct record *record, char *buf, size_t size)
{
    static const char step[] = "step ";
    int64_t steps = 0;
    while (steps < record->phase_n &&
           strncmp(record->phases[steps].name, step, sizeof step - 1) == 0)
        steps++;
    snprintf(buf, size, "where the time went");
    if (steps == record->phase_n && steps > 1)
        snprintf(buf, size, "where %" PRId64 " steps' time went", steps);
    return buf;
}

static void print_shares(const struct record *record, FILE *out)
{
    struct arena arena = {0};
    char time[32], title[64];
    int64_t n = 0, total_ps = 0;
    struct group *groups = ARENA_ARRAY(&arena, struct group, record->share_n);
    for (int64_t i = 0; i < record->share_n; i++) {
        const struct record_share *share = &record->shares[i];
        group_add(groups, &n,
                  (struct group){.name = share->category,
                                 .bound = share->bound ? share->bound : "",
                                 .stem = strlen(share->category),
                                 .time_ps = share->time_ps});
        total_ps += share->time_ps;
    }
    if (n) {
        qsort(groups, (size_t)n, sizeof *groups, by_time);
        fprintf(out, "\n%-24s %12s %12s  %s\n", shares_title(record, title, sizeof title), "share",
                "time", "bound by");
    }
    for (int64_t i = 0; i < n; i++)
        fprintf(out, "%-24s %10.2f %% %12s  %s\n", groups[i].name,
                100 * (double)groups[i].time_ps / (double)total_ps,
                run_report_time(units_s(groups[i].time_ps), time), groups[i].bound);
    arena_free(&arena);
}

static void print_metric(const struct record *record, const char *label, const char *name,
                         FILE *out)
{
    double value;
    char time[32];
    if (!record_find(record, run_entity, name, &value)) return;
    fprintf(out, "%-16s %s", label, run_report_time(value, time));
    if (value >= 120) fprintf(out, " (%.1f s)", value);
    fprintf(out, "\n");
}

/* What a training step comes to; nothing of other workloads. */
static void print_throughput(const struct record *record, FILE *out)
{
    double tokens, samples, tflops, mfu, hardware;
    print_metric(record, "step", "step_s", out);
    if (!record_find(record, run_entity, "samples_per_s", &samples)) return;
    if (record_find(record, run_entity, "tokens_per_s", &tokens))
        fprintf(out, "%-16s %.4g tokens/s\n", "throughput", tokens);
    else
        fprintf(out, "%-16s %.4g samples/s\n", "throughput", samples);
    if (record_find(record, run_entity, "tflops_per_gpu", &tflops) &&
        record_find(record, run_entity, "mfu", &mfu))
        fprintf(out, "%-16s %.4g TFLOP/s, %.1f %% of the peak", "per GPU", tflops, 100 * mfu);
    else
        return;
    if (record_find(record, run_entity, "hardware_tflops_per_gpu", &hardware) && hardware > tflops)
        fprintf(out, " (%.4g with what is recomputed)", hardware);
    fprintf(out, "\n");
}

/* Several jobs side by side: all else that is said is of the slowest one. */
static void print_jobs(const struct record *record, FILE *out)
{
    double jobs, slowest, step_s;
    char name[32], time[32];
    if (!record_find(record, run_entity, "jobs", &jobs) ||
        !record_find(record, run_entity, "slowest_job", &slowest))
        return;
    fprintf(out, "\n");
    for (int j = 0; j < (int)jobs; j++) {
        snprintf(name, sizeof name, "job/%d", j);
        if (!record_find(record, name, "step_s", &step_s)) continue;
        snprintf(name, sizeof name, "job %d", j);
        fprintf(out, "%-16s step %s%s\n", name, run_report_time(step_s, time),
                j == (int)slowest ? ", which the rest is about" : "");
    }
}

/* struct line: a value of the run, `factor` times what is recorded. */
struct line {
    const char *label, *entity, *metric;
    double factor;
    const char *unit;
};

/* What flows, a collective and the network under any workload come to. */
static void print_lines(const struct record *record, FILE *out)
{
    static const struct line lines[] = {
        {"makespan", "run", "makespan_s", 1e6, " us"},
        {"time", "run", "time_s", 1e6, " us"},
        {"algbw", "run", "algbw", 1e-9, " GB/s"},
        {"busbw", "run", "busbw", 1e-9, " GB/s"},
        {"goodput", "run", "goodput", 1e-9, " Gb/s"},
        {"flows done", "flows", "done", 1, ""},
        {"... unfinished", "flows", "unfinished", 1, ""},
        {"... not started", "flows", "unstarted", 1, ""},
        {"drops", "network", "drops", 1, ""},
        {"pauses", "network", "pauses", 1, ""},
        {"ECN marks", "network", "ecn_marks", 1, ""},
        {"retransmitted", "network", "retransmitted_packets", 1, " packets"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        double value;
        if (!record_find(record, lines[i].entity, lines[i].metric, &value)) continue;
        if (value == 0 && lines[i].label[0] == '.') continue;
        fprintf(out, "%-16s %.*f%s\n", lines[i].label, lines[i].factor == 1 ? 0 : 3,
                value * lines[i].factor, lines[i].unit);
    }
}

/* Completion times and slowdowns of flows. */
static void print_percentiles(const struct record *record, FILE *out)
{
    static const char *const quantiles[] = {"p50", "p95", "p99", "max"};
    static const struct line lines[] = {{"completion time", "flows", "fct", 1e6, "us"},
                                        {"slowdown", "flows", "slowdown", 1, ""}};
    double value;
    char name[32];
    if (!record_find(record, "flows", "fct_p50", &value)) return;
    fprintf(out, "\n%-16s", "of flows");
    for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++)
        fprintf(out, " %12s", quantiles[q]);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        fprintf(out, "\n%-16s", lines[i].label);
        for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++) {
            snprintf(name, sizeof name, "%s_%s", lines[i].metric, quantiles[q]);
            record_find(record, lines[i].entity, name, &value);
            fprintf(out, " %12.3f", value * lines[i].factor);
        }
        fprintf(out, "%s%s", *lines[i].unit ? " " : "", lines[i].unit);
    }
    fprintf(out, "\n");
}

/* The link that carried most, of runs that are about the network; none if all went over NVLink. */
static void print_busiest(const struct record *record, FILE *out)
{
    double value;
    const struct record_metric *most = NULL;
    for (int64_t i = 0; i < record->metric_n; i++) {
        const struct record_metric *metric = &record->metrics[i];
        if (strncmp(metric->entity, "link/", 5) == 0 && strcmp(metric->name, "utilisation") == 0 &&
            (!most || metric->value > most->value))
            most = metric;
    }
    bool traffic = record_find(record, run_entity, "makespan_s", &value) ||
                   record_find(record, run_entity, "time_s", &value);
    if (most && most->value > 0 && traffic)
        fprintf(out, "%-16s %s, %.1f %% of the run\n", "most loaded link", most->entity + 5,
                100 * most->value);
}

void run_report_text(const struct point *point, const struct record *record, FILE *out)
{
    fprintf(out, "%-16s %s\n%-16s %s\n", "topology", point->topology, "workload", point->workload);
    for (int i = 0; i < point->set_n; i++)
        fprintf(out, "%-16s %s\n", i ? "" : "overrides", point->sets[i]);
    fprintf(out, "%-16s %s%s%s\n", "status", record->status, *record->message ? ": " : "",
            record->message);
    print_metric(record, "time to train", "time_to_train_s", out);
    print_metric(record, "first epoch", "first_epoch_s", out);
    print_throughput(record, out);
    print_jobs(record, out);
    print_lines(record, out);
    print_busiest(record, out);
    print_percentiles(record, out);
    print_phases(record, out);
    print_shares(record, out);
    fprintf(out, "\n%-16s %" PRIu64 "\n%-16s %016" PRIx64 "\n", "seed", point->seed, "fingerprint",
            record->fingerprint);
    fprintf(out, "%-16s %" PRId64 " in %.3f s CPU", "events", record->events, record->run_cpu_s);
    if (record->run_cpu_s > 0)
        fprintf(out, " (%.3g events/s)", (double)record->events / record->run_cpu_s);
    fprintf(out, "\n");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static int by_entity(const void *a, const void *b)
{
    const struct record_metric *x = *(const struct record_metric *const *)a;
    const struct record_metric *y = *(const struct record_metric *const *)b;
    int order = strcmp(x->entity, y->entity);
    return order ? order : (x > y) - (x < y); /* both in one array: the order of recording */
}

/* json_metrics writes "metrics" (of the run) and "entities" (all others, by name). */
static void json_metrics(struct json *json, const struct record *record)
{
    struct arena arena = {0};
    const struct record_metric **sorted =
        ARENA_ARRAY(&arena, const struct record_metric *, record->metric_n);
    int64_t n = 0;
    json_object(json, "metrics");
    for (int64_t i = 0; i < record->metric_n; i++) {
        const struct record_metric *metric = &record->metrics[i];
        if (strcmp(metric->entity, run_entity) == 0)
            json_double(json, metric->name, metric->value);
        else
            sorted[n++] = metric;
    }
    json_end(json, '}');
    if (n) qsort(sorted, (size_t)n, sizeof *sorted, by_entity);
    json_object(json, "entities");
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(sorted[i]->entity, sorted[i - 1]->entity) != 0)
            json_object(json, sorted[i]->entity);
        json_double(json, sorted[i]->name, sorted[i]->value);
        if (i + 1 == n || strcmp(sorted[i]->entity, sorted[i + 1]->entity) != 0)
            json_end(json, '}');
    }
    json_end(json, '}');
    arena_free(&arena);
}

static void json_phases(struct json *json, const struct record *record)
{
    json_array(json, "phases");
    for (int64_t i = 0; i < record->phase_n; i++) {
        const struct record_phase *phase = &record->phases[i];
        json_object(json, NULL);
        json_string(json, "name", phase->name);
        json_double(json, "start_s", units_s(phase->start_ps));
        json_double(json, "end_s", units_s(phase->end_ps));
        json_string(json, "bound", phase->bound);
        json_int(json, "read_bytes", phase->read_bytes);
        json_array(json, "shares");
        for (int64_t k = 0; k < record->share_n; k++) {
            const struct record_share *share = &record->shares[k];
            if (share->phase != i) continue;
            json_object(json, NULL);
            json_string(json, "category", share->category);
            json_string(json, "bound", share->bound);
            json_double(json, "time_s", units_s(share->time_ps));
            json_end(json, '}');
        }
        json_end(json, ']');
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void json_engine(struct json *json, const struct record *record)
{
    json_object(json, "engine");
    json_int(json, "events", record->events);
    json_int(json, "data_hops", record->data_hops);
    json_int(json, "ack_hops", record->ack_hops);
    json_double(json, "run_cpu_s", record->run_cpu_s);
    json_double(json, "setup_cpu_s", record->setup_cpu_s);
    json_int(json, "peak_rss_bytes", record->peak_rss_bytes);
    json_double(json, "events_per_cpu_s", (double)record->events / record->run_cpu_s);
    json_end(json, '}');
}

void run_report_json(const struct point *point, const struct record *record, FILE *out)
{
    char text[24];
    struct json json = {.out = out};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(&json, "status", record->status);
    json_string(&json, "message", record->message);
    snprintf(text, sizeof text, "%016" PRIx64, record->fingerprint);
    json_string(&json, "fingerprint", text);
    json_string(&json, "topology", point->topology);
    json_string(&json, "workload", point->workload);
    json_array(&json, "overrides");
    for (int i = 0; i < point->set_n; i++)
        json_string(&json, NULL, point->sets[i]);
    json_end(&json, ']');
    snprintf(text, sizeof text, "%" PRIu64, point->seed);
    json_raw(&json, "seed", text); /* may be above 2^63 */
    json_double(&json, "sim_time_s", units_s(record->sim_time_ps));
    json_metrics(&json, record);
    json_phases(&json, record);
    json_engine(&json, record);
    json_end(&json, '}');
}
