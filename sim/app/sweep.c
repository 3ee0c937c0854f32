/* sweep.c - `railsim sweep`: a grid of points, simulated by workers, stored one by one.
 *
 * The one idea: everything is loaded and checked, and every point has its row in the database,
 * before the first worker starts; after that each finished point is one transaction. So run ids
 * follow the grid whatever finishes first, and the same command again does only what is missing.
 * Grid: sweep_grid.c; the table at the end: sweep_table.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/dryrun.h"
#include "sim/app/progress.h"
#include "sim/app/sweep_grid.h"
#include "sim/app/sweep_table.h"
#include "sim/app/verbs.h"
#include "sim/app/worker.h"

/* struct sweep: one `railsim sweep` under way. */
struct sweep {
    struct cli_launch launch;
    struct cli_texts vary;
    int64_t jobs, repeat;
    struct sweep_grid grid;
    struct results *results;
    struct results_plan *plan;
    int64_t *todo; /* indices of the points to simulate */
    int64_t todo_n;
    struct progress progress;
    struct err err;
    int64_t failed;
};

static const struct cli_option options[] = {
    {"vary", 0, CLI_TEXTS, offsetof(struct sweep, vary), "KEY=VALUES",
     "values of a key: a,b,c or 0ms..40ms/9 or log:1ms..100ms/9; several make a grid"},
    {"jobs", 'j', CLI_COUNT, offsetof(struct sweep, jobs), "N",
     "points simulated at a time (default: number of processors)"},
    {"repeat", 0, CLI_COUNT, offsetof(struct sweep, repeat), "N",
     "simulate each point with N seeds, derived from --seed"},
    CLI_LAUNCH_OPTIONS(struct sweep),
    {0},
};

static const struct cli_verb verb = {
    .name = "sweep",
    .args = "TOPOLOGY WORKLOAD... --vary KEY=VALUES... [-j N] [-o results.db]",
    .help = "Simulates a grid of points in parallel and stores them; again, it resumes.",
    .example = "railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml "
               "--vary wan.rtt=0ms..40ms/9 -j 2 -o s.db\n"
               "railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml "
               "workloads/llama2-70b-lora.yaml --vary wan.rtt=0ms,15ms,40ms "
               "--vary wan.rate=log:10Gbps..400Gbps/5 --dry-run",
    .arg_min = 2,
    .arg_max = -1,
    .options = options,
};

/* ---- workers --------------------------------------------------------------------------------- */

static void sweep_work(void *self, int64_t index, struct record *record)
{
    const struct sweep *sweep = self;
    int64_t at = sweep->todo[index];
    const struct point *point = &sweep->grid.point[at];
    point_run(&sweep->grid.config[at], point->seed, &point->limits, record);
}

static bool sweep_done(void *self, const struct worker_result *result)
{
    struct sweep *sweep = self;
    const struct record *record = result->record;
    int64_t at = sweep->todo[result->index];
    progress_add(&sweep->progress, record);
    if (strcmp(record->status, sim_stop_name(SIM_DONE)) != 0) {
        sweep->failed++;
        progress_clear(&sweep->progress);
        fprintf(stderr, "%s: %s: %s\n", sweep->grid.config[at].label, record->status,
                record->message);
    }
    return results_store(sweep->results,
                         &(struct results_finished){.run_id = sweep->plan[at].run_id,
                                                    .record = record,
                                                    .started_unix_s = result->started_unix_s,
                                                    .ended_unix_s = result->ended_unix_s},
                         &sweep->err);
}

static void sweep_tick(void *self)
{
    struct sweep *sweep = self;
    progress_show(&sweep->progress);
}

/* simulate does what is to be done; returns 0, -1 or a signal, as worker_run. */
static int simulate(struct sweep *sweep)
{
    const struct worker_plan plan = {
        .n = sweep->todo_n,
        .jobs = sweep->jobs > INT32_MAX ? INT32_MAX : (int)sweep->jobs,
        .self = sweep,
        .work = sweep_work,
        .done = sweep_done,
        .tick = sweep_tick,
    };
    progress_begin(&sweep->progress, sweep->todo_n, sweep->launch.quiet, sweep->launch.verbose);
    int stopped = worker_run(&plan, &sweep->err);
    progress_clear(&sweep->progress);
    return stopped;
}

/* ---- database -------------------------------------------------------------------------------- */

static bool open_results(struct sweep *sweep, struct arena *arena, const struct cli_line *line)
{
    struct results_provenance provenance;
    const struct sweep_grid *grid = &sweep->grid;
    const char *overrides =
        cli_json_texts(arena, sweep->launch.sets.text, sweep->launch.sets.n, false);
    cli_provenance(arena, line, &provenance);
    sweep->results = results_open(sweep->launch.output, RESULTS_WRITE, &sweep->err);
    if (!sweep->results) return false;
    sweep->plan = ARENA_ARRAY(arena, struct results_plan, grid->n);
    for (int64_t i = 0; i < grid->n; i++) {
        const struct point *point = &grid->point[i];
        sweep->plan[i] = (struct results_plan){
            .topology = point->topology,
            .workload = point->workload,
            .params = cli_json_texts(arena, point->varies, point->vary_n, true),
            .overrides = overrides,
            .seed = point->seed,
            .config_sha256 = grid->config[i].sha256,
            .config = &grid->config[i].rows,
        };
    }
    return results_plan(sweep->results,
                        &(struct results_grid){.plan = sweep->plan,
                                               .n = grid->n,
                                               .force = sweep->launch.force,
                                               .provenance = &provenance},
                        &sweep->err);
}

/* choose_todo lists the points that are not done; of equal points, only the first. */
static void choose_todo(struct sweep *sweep, struct arena *arena)
{
    const struct sweep_grid *grid = &sweep->grid;
    int64_t done = 0, other = 0, most = 0;
    for (int64_t i = 0; i < grid->n; i++)
        if (sweep->plan[i].run_id > most) most = sweep->plan[i].run_id;
    bool *seen = ARENA_ARRAY(arena, bool, most + 1);
    sweep->todo = ARENA_ARRAY(arena, int64_t, grid->n);
    for (int64_t i = 0; i < grid->n; i++) {
        const struct results_plan *plan = &sweep->plan[i];
        done += plan->done;
        other += plan->done && plan->other_version;
        if (!plan->done && !seen[plan->run_id]) sweep->todo[sweep->todo_n++] = i;
        seen[plan->run_id] = true;
    }
    if (sweep->launch.quiet) return;
    if (done)
        fprintf(stderr, "%" PRId64 " of %" PRId64 " points already in %s\n", done, grid->n,
                sweep->launch.output);
    if (other)
        fprintf(stderr, "%" PRId64 " of them by another version of railsim (--force redoes all)\n",
                other);
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* finish reads the table, closes the database, prints, and returns the exit code. */
static int finish(struct sweep *sweep, struct arena *arena, int stopped)
{
    struct sweep_table table = {
        .grid = &sweep->grid, .plan = sweep->plan, .status = stopped > 0 ? "interrupted" : "ok"};
    bool json = sweep->launch.json;
    if (sweep->results) {
        if (!sweep->err.count) sweep_table_read(&table, sweep->results, arena, &sweep->err);
        results_close(sweep->results, &sweep->err);
    }
    if (sweep->err.count) return cli_report(&sweep->err, json);
    if (stopped > 0) {
        fprintf(stderr,
                "interrupted: %" PRId64 " of %" PRId64 " points are in %s; the same "
                "command completes it\n",
                sweep_table_done(&table), sweep->grid.n, sweep->launch.output);
        if (json) sweep_table_json(&table);
        return 128 + stopped;
    }
    if (sweep->failed) table.status = "failed";
    if (json)
        sweep_table_json(&table);
    else
        sweep_table_text(&table);
    return sweep->failed ? CLI_FAILED : CLI_OK;
}

static int sweep_points(struct sweep *sweep, struct arena *arena, const struct cli_line *line)
{
    const struct sweep_request request = {.files = &line->args,
                                          .vary = &sweep->vary,
                                          .launch = &sweep->launch,
                                          .repeat = sweep->repeat};
    if (!sweep_grid_load(&sweep->grid, &request, arena, &sweep->err))
        return cli_report(&sweep->err, sweep->launch.json);
    if (sweep->launch.dry_run) {
        struct dryrun dryrun = {sweep->grid.point, sweep->grid.config, sweep->grid.n,
                                (int)sweep->jobs, sweep->launch.json};
        return dryrun_print(&dryrun);
    }
    int stopped = 0;
    if (open_results(sweep, arena, line)) {
        choose_todo(sweep, arena);
        stopped = simulate(sweep);
    }
    return finish(sweep, arena, stopped);
}

int sweep_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct sweep sweep = {.launch = {.seed = CLI_SEED_DEFAULT, .output = "results.db"},
                          .jobs = worker_cpus(),
                          .repeat = 1};
    int code = cli_parse(&verb, &line, &arena, &sweep);
    if (code == CLI_GO) {
        cli_launch_fold(&arena, &sweep.launch);
        if (sweep.jobs < 1) sweep.jobs = 1;
        if (sweep.jobs > WORKER_JOBS_MAX) sweep.jobs = WORKER_JOBS_MAX;
        code = sweep_points(&sweep, &arena, &line);
    }
    err_free(&sweep.err);
    arena_free(&arena);
    return code;
}
