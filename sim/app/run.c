/* run.c - `railsim run`: one point, printed, and stored if a database is named.
 *
 * The one idea: the point runs in a worker as in a sweep, so that a crash is a result with a
 * message (and one JSON document), and Ctrl-C leaves a clean database.
 */
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/dryrun.h"
#include "sim/app/point.h"
#include "sim/app/progress.h"
#include "sim/app/run_report.h"
#include "sim/app/run_timeline.h"
#include "sim/app/verbs.h"
#include "sim/app/worker.h"
#include "sim/io/json.h"

/* struct run: one `railsim run` under way. */
struct run {
    struct cli_launch launch; /* first: the options */
    bool no_fork;
    struct run_timeline timeline;
    struct point point;
    struct point_config config;
    struct results *results; /* NULL without -o */
    struct results_plan plan;
    struct progress progress;
    struct err err;
    bool failed, printed;
};

static const struct cli_option options[] = {
    CLI_LAUNCH_OPTIONS(struct run),
    {"no-fork", 0, CLI_FLAG, offsetof(struct run, no_fork), NULL,
     "simulate in this process, for debuggers and profilers"},
    {"timeline", 0, CLI_TEXT, offsetof(struct run, timeline.file), "FILE",
     "write what every GPU does when as JSON, for ui.perfetto.dev"},
    {"timeline-events", 0, CLI_COUNT, offsetof(struct run, timeline.events_max), "N",
     "write at most so many events (default 1000000): of the first nodes, if not of all"},
    {"timeline-nodes", 0, CLI_TEXT, offsetof(struct run, timeline.nodes), "NODES",
     "draw these nodes, counted from 0: 0..7,12"},
    {"timeline-time", 0, CLI_TEXT, offsetof(struct run, timeline.time), "FROM..TO",
     "draw what happens then: 2s..3s"},
    {0},
};

static const struct cli_verb verb = {
    .name = "run",
    .args = "TOPOLOGY WORKLOAD [--set KEY=VALUE]... [-o results.db]",
    .help = "Simulates one workload on one topology and prints the result.",
    .example = "railsim run topologies/remote-storage.yaml workloads/resnet50.yaml "
               "--set wan.rtt=15ms\n"
               "railsim run topologies/remote-storage.yaml workloads/resnet50.yaml "
               "--set wan.rate=10Gbps --json -o results.db",
    .arg_min = 2,
    .arg_max = 2,
    .options = options,
};

static void run_work(void *self, int64_t index, struct record *record)
{
    struct run *run = self;
    (void)index; /* there is one */
    run->config.spans = run_timeline_begin(&run->timeline);
    point_run(&run->config, run->point.seed, &run->point.limits, record);
    run_timeline_end(&run->timeline, record);
}

static bool run_done(void *self, const struct worker_result *result)
{
    struct run *run = self;
    const struct record *record = result->record;
    bool stored = true;
    progress_clear(&run->progress);
    run->failed = strcmp(record->status, sim_stop_name(SIM_DONE)) != 0;
    if (run->results && run->plan.done)
        fprintf(stderr, "%s already holds this point as run %lld; nothing stored (--force does)\n",
                run->launch.output, (long long)run->plan.run_id);
    else if (run->results)
        stored = results_store(run->results,
                               &(struct results_finished){.run_id = run->plan.run_id,
                                                          .record = record,
                                                          .started_unix_s = result->started_unix_s,
                                                          .ended_unix_s = result->ended_unix_s},
                               &run->err);
    if (!stored && run->launch.json) return false; /* the one document is the error's */
    run->printed = true;
    if (run->launch.json)
        run_report_json(&run->point, record, stdout);
    else
        run_report_text(&run->point, record, stdout);
    if (run->failed)
        fprintf(stderr, "%s: %s: %s\n", run->config.label, record->status, record->message);
    if (!run->launch.quiet) run_timeline_notice(&run->timeline, record, stderr);
    return stored;
}

static void run_tick(void *self)
{
    struct run *run = self;
    progress_show(&run->progress);
}

/* open_results registers the point in the database. */
static bool open_results(struct run *run, struct arena *arena, const struct cli_line *line)
{
    struct results_provenance provenance;
    cli_provenance(arena, line, &provenance);
    run->results = results_open(run->launch.output, RESULTS_WRITE, &run->err);
    if (!run->results) return false;
    run->plan = (struct results_plan){
        .topology = run->point.topology,
        .workload = run->point.workload,
        .params = "{}",
        .overrides = cli_json_texts(arena, run->point.sets, run->point.set_n, false),
        .seed = run->point.seed,
        .config_sha256 = run->config.sha256,
        .config = &run->config.rows,
    };
    return results_plan(
        run->results,
        &(struct results_grid){
            .plan = &run->plan, .n = 1, .force = run->launch.force, .provenance = &provenance},
        &run->err);
}

/* simulate runs the point; returns 0, -1 or a signal, as worker_run. */
static int simulate(struct run *run)
{
    const struct worker_plan plan = {
        .n = 1, .jobs = 1, .self = run, .work = run_work, .done = run_done, .tick = run_tick};
    progress_begin(&run->progress, 1, run->launch.quiet, run->launch.verbose);
    if (!run->no_fork) return worker_run(&plan, &run->err);
    struct record record;
    struct worker_result result = {.record = &record, .started_unix_s = worker_unix_s()};
    run_work(run, 0, &record);
    result.ended_unix_s = worker_unix_s();
    bool ok = run_done(run, &result);
    record_free(&record);
    return ok ? 0 : -1;
}

static int run_point(struct run *run, struct arena *arena, const struct cli_line *line)
{
    if (!point_load(arena, &run->point, &run->config, &run->err))
        return cli_report(&run->err, run->launch.json);
    if (run->launch.dry_run) {
        struct dryrun dryrun = {&run->point, &run->config, 1, 1, run->launch.json};
        return dryrun_print(&dryrun);
    }
    int stopped = 0;
    if (run_timeline_open(&run->timeline, &run->err) &&
        (!run->launch.output || open_results(run, arena, line)))
        stopped = simulate(run);
    progress_clear(&run->progress);
    run_timeline_close(&run->timeline, run->printed && !run->failed, &run->err);
    if (run->results) results_close(run->results, &run->err);
    if (run->err.count) return cli_report(&run->err, run->launch.json && !run->printed);
    if (stopped > 0) return cli_interrupted(stopped, run->launch.json);
    return run->failed ? CLI_FAILED : CLI_OK;
}

int run_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct run run = {.launch.seed = CLI_SEED_DEFAULT, .timeline.events_max = TIMELINE_EVENTS_MAX};
    int code = cli_parse(&verb, &line, &arena, &run);
    if (code == CLI_GO) {
        cli_launch_fold(&arena, &run.launch);
        run.point = (struct point){
            .topology = line.args.text[0],
            .workload = line.args.text[1],
            .sets = run.launch.sets.text,
            .set_n = run.launch.sets.n,
            .options = run.launch.options,
            .seed = run.launch.seed,
            .limits = run.launch.limits,
        };
        code = run_point(&run, &arena, &line);
    }
    err_free(&run.err);
    arena_free(&arena);
    return code;
}
