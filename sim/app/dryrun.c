/* dryrun.c - lists the points of a run or sweep and estimates their cost.
 *
 * Apart from the verbs because both need it. The one idea: measure instead of guess; the first
 * point of each workload is simulated for at most DRYRUN_PROBE_PS of wall time, and stands for the
 * others of its workload. Where it was cut off, the estimate is a lower bound and says so.
 * Not modelled: how the cost depends on what is varied.
 */
#include "sim/app/dryrun.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/run_report.h"
#include "sim/app/worker.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

#define DRYRUN_PROBE_PS PS_PER_S

/* struct estimate: probe[k] is a point's index and stands for count[k] points. */
struct estimate {
    const struct dryrun *dryrun;
    int64_t *probe, *count;
    int64_t probe_n;
    int64_t events, rss_bytes;
    double wall_s;
    bool cut, failed;
};

static void probe_work(void *self, int64_t index, struct record *record)
{
    const struct estimate *estimate = self;
    const struct dryrun *dryrun = estimate->dryrun;
    int64_t at = estimate->probe[index];
    struct sim_limits limits = dryrun->point[at].limits;
    if (!limits.max_wall_ps || limits.max_wall_ps > DRYRUN_PROBE_PS)
        limits.max_wall_ps = DRYRUN_PROBE_PS;
    point_run(&dryrun->config[at], dryrun->point[at].seed, &limits, record);
}

static bool probe_done(void *self, const struct worker_result *result)
{
    struct estimate *estimate = self;
    const struct record *record = result->record;
    int64_t count = estimate->count[result->index];
    estimate->events += count * record->events;
    estimate->wall_s += (double)count * (result->ended_unix_s - result->started_unix_s);
    if (record->peak_rss_bytes > estimate->rss_bytes) estimate->rss_bytes = record->peak_rss_bytes;
    if (strcmp(record->status, sim_stop_name(SIM_MAX_WALL)) == 0) estimate->cut = true;
    if (strcmp(record->status, "crashed") == 0) estimate->failed = true;
    return true;
}

/* choose_probes takes the first point of each run of points with the same workload. */
static void choose_probes(struct arena *arena, struct estimate *estimate)
{
    const struct dryrun *dryrun = estimate->dryrun;
    estimate->probe = ARENA_ARRAY(arena, int64_t, dryrun->n);
    estimate->count = ARENA_ARRAY(arena, int64_t, dryrun->n);
    for (int64_t i = 0; i < dryrun->n; i++) {
        if (i == 0 || strcmp(dryrun->point[i].workload, dryrun->point[i - 1].workload) != 0)
            estimate->probe[estimate->probe_n++] = i;
        estimate->count[estimate->probe_n - 1]++;
    }
}

static void print_text(const struct estimate *estimate)
{
    const struct dryrun *dryrun = estimate->dryrun;
    char time[32];
    for (int64_t i = 0; i < dryrun->n; i++)
        printf("%6" PRId64 "  %s seed=%" PRIu64 "\n", i + 1, dryrun->config[i].label,
               dryrun->point[i].seed);
    printf("%" PRId64 " point%s; estimated%s: %.3g events, %.3g MB of memory, %s on %d worker%s\n",
           dryrun->n, dryrun->n == 1 ? "" : "s", estimate->cut ? " at least" : "",
           (double)estimate->events, (double)estimate->rss_bytes * dryrun->jobs / 1e6,
           run_report_time(estimate->wall_s / dryrun->jobs, time), dryrun->jobs,
           dryrun->jobs == 1 ? "" : "s");
    if (estimate->failed) printf("a point that was tried out crashed\n");
}

static void print_json(const struct estimate *estimate)
{
    const struct dryrun *dryrun = estimate->dryrun;
    struct json json = {.out = stdout};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(&json, "status", estimate->failed ? "crashed" : "dry-run");
    json_array(&json, "points");
    for (int64_t i = 0; i < dryrun->n; i++)
        json_string(&json, NULL, dryrun->config[i].label);
    json_end(&json, ']');
    json_bool(&json, "at_least", estimate->cut);
    json_int(&json, "events", estimate->events);
    json_int(&json, "memory_bytes", estimate->rss_bytes * dryrun->jobs);
    json_double(&json, "wall_s", estimate->wall_s / dryrun->jobs);
    json_end(&json, '}');
}

int dryrun_print(const struct dryrun *dryrun)
{
    struct arena arena = {0};
    struct err err = {0};
    struct estimate estimate = {.dryrun = dryrun};
    choose_probes(&arena, &estimate);
    const struct worker_plan plan = {.n = estimate.probe_n,
                                     .jobs = 1,
                                     .self = &estimate,
                                     .work = probe_work,
                                     .done = probe_done};
    int stopped = worker_run(&plan, &err);
    int code = estimate.failed ? CLI_FAILED : CLI_OK;
    if (stopped > 0)
        code = 128 + stopped;
    else if (stopped < 0)
        code = cli_report(&err, dryrun->json);
    else if (dryrun->json)
        print_json(&estimate);
    else
        print_text(&estimate);
    arena_free(&arena);
    return code;
}
