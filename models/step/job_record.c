/* job_record.c - what jobs say: a phase per step, shares by category, throughput, time to train.
 *
 * The one idea: the differences between the ends of steps. The first step is not like the others
 * (nothing is ahead of it), so the step time is the mean of those behind it. Of several jobs the
 * slowest one is the run's: step time, phases and shares are its own, so that they belong together;
 * each job has a step time and throughput of its own.
 */
#include "models/step/job_live.h"
#include "sim/base/units.h"

/* ---- results --------------------------------------------------------------------------------- */

/* Shares are means over ranks; what rounding loses goes to the last one. */
static void record_step(const struct job *job, int64_t step, struct record *record)
{
    const struct job_snapshot *from = &job->snapshot[step - 1], *to = &job->snapshot[step];
    int phase = record_phase(record, arena_printf(&record->arena, "step %lld", (long long)step),
                             from->at_ps, to->at_ps);
    int64_t most_ps = -1, left_ps = to->at_ps - from->at_ps, share_ps[EXEC_CATEGORIES];
    int most = 0;
    for (int c = 0; c < EXEC_CATEGORIES; c++) {
        share_ps[c] = (to->time_ps[c] - from->time_ps[c]) / job->jobs->ranks;
        left_ps -= share_ps[c];
        if (share_ps[c] <= most_ps) continue;
        most_ps = share_ps[c];
        most = c;
    }
    share_ps[most] += left_ps;
    for (int c = 0; c < EXEC_CATEGORIES; c++)
        record_share(record, phase, exec_category_names[c],
                     c == EXEC_COMPUTE ? "compute"
                     : c < EXEC_DATA   ? "network"
                     : c == EXEC_DATA  ? "storage"
                                       : "waiting",
                     share_ps[c]);
    record->phases[phase].bound = exec_category_names[most];
}

/* struct range: steps that count: all but the first, if there is more than one. */
static const struct job_snapshot *first_of(const struct job *job)
{
    return &job->snapshot[job->steps > 1];
}

static double step_s(const struct job *job)
{
    int64_t n = job->steps > 1 ? job->steps - 1 : 1;
    return units_s(job->snapshot[job->steps].at_ps - first_of(job)->at_ps) / (double)n;
}

/* struct quiet: what checkpoints cost, from all steps but the first. A step is quiet if none was
 * being stored meanwhile; where training stood still is taken off the step in which it did. One
 * that is stored beside training for longer than its interval holds up the next: in the long run it
 * costs at least what storing takes more than the quiet steps of an interval, however few of these
 * waits a short run has seen. */
struct quiet {
    double step_s;  /* of a quiet step; if there is none, of the others */
    double extra_s; /* what a checkpoint adds to training: standing still, and slower steps */
    double slow_s;  /* of a step while one was being stored; 0 = there was none */
};

/* How long of [from_ps, to_ps] lies in a step. */
static int64_t common_ps(const struct job_snapshot *step, int64_t from_ps, int64_t to_ps)
{
    int64_t begin_ps = from_ps > step[-1].at_ps ? from_ps : step[-1].at_ps;
    int64_t end_ps = to_ps < step->at_ps ? to_ps : step->at_ps;
    return end_ps > begin_ps ? end_ps - begin_ps : 0;
}

static struct quiet find_quiet(const struct job *job)
{
    const struct store_span *span = NULL;
    const int64_t spans = job->store ? store_spans(job->store, &span) : 0;
    int64_t quiet = 0, quiet_ps = 0, slow = 0, slow_ps = 0, all_ps = 0, checkpoints = 0;
    for (int64_t s = 1 + (job->steps > 1); s <= job->steps; s++) {
        const struct job_snapshot *step = &job->snapshot[s];
        int64_t moving_ps = step->at_ps - step[-1].at_ps, storing_ps = 0;
        all_ps += moving_ps;
        for (int64_t i = 0; i < spans; i++) {
            if (span[i].came_ps >= step->at_ps) continue;
            const bool stored = span[i].end_ps > 0;
            moving_ps -= common_ps(step, span[i].came_ps, span[i].resume_ps);
            storing_ps += common_ps(step, span[i].resume_ps, stored ? span[i].end_ps : step->at_ps);
            checkpoints += span[i].came_ps > step[-1].at_ps;
        }
        *(storing_ps > 0 ? &slow_ps : &quiet_ps) += moving_ps;
        *(storing_ps > 0 ? &slow : &quiet) += 1;
    }
    struct quiet found = {.slow_s = slow > 0 ? units_s(slow_ps) / (double)slow : 0};
    found.step_s = quiet > 0 ? units_s(quiet_ps) / (double)quiet : found.slow_s;
    if (checkpoints > 0)
        found.extra_s =
            (units_s(all_ps) - (double)(quiet + slow) * found.step_s) / (double)checkpoints;
    if (spans > 0 && job->jobs->spec.store->checkpoint.mode == CHECKPOINT_ASYNC) {
        const int64_t every = job->jobs->spec.store->checkpoint.every_steps;
        double over_s = store_checkpoint_s(job->store) - (double)every * found.step_s;
        if (over_s > found.extra_s) found.extra_s = over_s;
    }
    return found;
}

/* Of a GPU and step, by category: what stream 0 spent, what was sent. */
static void record_categories(const struct job *job, struct record *record)
{
    const struct job_snapshot *from = first_of(job), *to = &job->snapshot[job->steps];
    double n = (double)(job->steps > 1 ? job->steps - 1 : 1) * (double)job->jobs->ranks;
    double exposed_s = 0, idle_s = 0;
    for (int c = 0; c < EXEC_CATEGORIES; c++) {
        double time_s = units_s(to->time_ps[c] - from->time_ps[c]) / n;
        double bytes = (double)(to->sent_bytes[c] - from->sent_bytes[c]) / n;
        const char *name = exec_category_names[c];
        if (c > EXEC_COMPUTE && c < EXEC_DATA) exposed_s += time_s;
        if (c >= EXEC_BUBBLE) idle_s += time_s;
        if (time_s > 0)
            record_metric(record, "step", arena_printf(&record->arena, "%s_s", name), "s", time_s);
        if (bytes > 0)
            record_metric(record, "step", arena_printf(&record->arena, "%s_bytes", name), "bytes",
                          bytes);
    }
    record_metric(record, "run", "exposed_share", "1", exposed_s / step_s(job));
    record_metric(record, "run", "idle_share", "1", idle_s / step_s(job));
}

static void record_throughput(const struct jobs *jobs, double time_s, struct record *record)
{
    const struct job_spec *spec = &jobs->spec;
    double flop_s = spec->step_flop / time_s / (double)jobs->ranks;
    record_metric(record, "run", "step_s", "s", time_s);
    record_metric(record, "run", "samples_per_s", "1/s", spec->samples / time_s);
    if (spec->tokens > 0)
        record_metric(record, "run", "tokens_per_s", "1/s", spec->tokens / time_s);
    double again_s = spec->again_flop / time_s / (double)jobs->ranks;
    record_metric(record, "run", "tflops_per_gpu", "TFLOP/s", flop_s / 1e12);
    record_metric(record, "run", "hardware_tflops_per_gpu", "TFLOP/s", (flop_s + again_s) / 1e12);
    if (spec->peak_flop_s > 0) record_metric(record, "run", "mfu", "1", flop_s / spec->peak_flop_s);
}

/* time_to_train = load + steps * quiet step + checkpoints * what one adds + evaluations, of the
 * slowest job; without storage a quiet step is a step. */
static void record_training(const struct jobs *jobs, struct record *record)
{
    const struct job_spec *spec = &jobs->spec;
    const int64_t every = spec->store->checkpoint.every_steps;
    double slowest_s = 0;
    for (int64_t j = 0; j < jobs->cfg->copies; j++) {
        const struct job *job = &jobs->job[j];
        const struct quiet quiet = find_quiet(job);
        double run_s = (double)spec->run_steps * quiet.step_s;
        if (every > 0) run_s += (double)(spec->run_steps / every) * quiet.extra_s;
        run_s += units_s(job->snapshot[0].at_ps);
        if (run_s > slowest_s) slowest_s = run_s;
        const char *entity =
            jobs->cfg->copies == 1 ? "run" : arena_printf(&record->arena, "job/%lld", (long long)j);
        if (job->store) store_record(job->store, entity, record);
        if (every == 0) continue;
        record_metric(record, entity, "quiet_step_s", "s", quiet.step_s);
        if (quiet.slow_s > 0) record_metric(record, entity, "storing_step_s", "s", quiet.slow_s);
        record_metric(record, entity, "checkpoint_cost_s", "s", quiet.extra_s);
    }
    if (spec->run_steps > 0)
        record_metric(record, "run", "time_to_train_s", "s",
                      slowest_s + (double)spec->evaluations * spec->evaluation_s);
}

/* Before the first step: the whole time belongs to storage. */
static void record_load(const struct job *job, struct record *record)
{
    const int64_t took_ps = job->snapshot[0].at_ps;
    if (took_ps == 0) return;
    int phase = record_phase(record, "load", 0, took_ps);
    record_share(record, phase, exec_category_names[EXEC_DATA], "storage", took_ps);
    record->phases[phase].bound = exec_category_names[EXEC_DATA];
    record->phases[phase].read_bytes = job->load_bytes;
}

/* The job of the longest step; those that have not ended one do not count. */
static const struct job *find_slowest(const struct jobs *jobs)
{
    const struct job *slowest = &jobs->job[0];
    for (int64_t j = 1; j < jobs->cfg->copies; j++) {
        const struct job *job = &jobs->job[j];
        if (job->steps > 0 && (slowest->steps == 0 || step_s(job) > step_s(slowest))) slowest = job;
    }
    return slowest;
}

/* Of several jobs: each one's step and throughput, and all together. */
static void record_each(const struct jobs *jobs, struct record *record)
{
    const struct job_spec *spec = &jobs->spec;
    double steps_per_s = 0;
    for (int64_t j = 0; j < jobs->cfg->copies; j++) {
        const double time_s = step_s(&jobs->job[j]);
        const char *entity = arena_printf(&record->arena, "job/%lld", (long long)j);
        steps_per_s += 1 / time_s;
        record_metric(record, entity, "step_s", "s", time_s);
        record_metric(record, entity, "samples_per_s", "1/s", spec->samples / time_s);
        if (spec->tokens > 0)
            record_metric(record, entity, "tokens_per_s", "1/s", spec->tokens / time_s);
    }
    record_metric(record, "run", "jobs", "1", (double)jobs->cfg->copies);
    record_metric(record, "run", "slowest_job", "1", (double)(find_slowest(jobs) - jobs->job));
    record_metric(record, "run", "all_samples_per_s", "1/s", spec->samples * steps_per_s);
    if (spec->tokens > 0)
        record_metric(record, "run", "all_tokens_per_s", "1/s", spec->tokens * steps_per_s);
}

void jobs_record(const struct jobs *jobs, struct record *record)
{
    const struct job *slowest = find_slowest(jobs);
    record_load(slowest, record);
    for (int64_t step = 1; step <= slowest->steps; step++)
        record_step(slowest, step, record);
    for (int64_t j = 0; j < jobs->cfg->copies; j++)
        if (jobs->job[j].steps == 0) return;
    if (jobs->cfg->copies > 1) record_each(jobs, record);
    record_throughput(jobs, step_s(slowest), record);
    record_training(jobs, record);
    record_metric(record, "run", "gpus", "1", (double)jobs->ranks);
    if (jobs->spec.memory_bytes > 0)
        record_metric(record, "run", "memory_per_gpu", "bytes", jobs->spec.memory_bytes);
    record_categories(slowest, record);
}
