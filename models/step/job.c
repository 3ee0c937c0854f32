/* job.c - jobs side by side on one cluster; steps timed, time divided, results.
 *
 * The one idea: a step ends when its last operation, the meeting of all ranks, is over for the last
 * rank; what each category took by then, summed over ranks, is written down, and the differences
 * are the step's shares. The first step is not like the others (nothing is ahead of it), so the
 * step time is the mean of those behind it.
 */
#include "models/step/job.h"

#include <inttypes.h>

#include "sim/base/units.h"

struct snapshot {
    int64_t at_ps;
    int64_t time_ps[EXEC_CATEGORIES]; /* sum over ranks */
    int64_t sent_bytes[EXEC_CATEGORIES];
};

struct job {
    struct jobs *jobs;
    struct exec *exec;
    struct plan_program program;
    struct store *store;       /* NULL = none is wanted */
    struct snapshot *snapshot; /* [steps + 1] */
    int64_t steps;             /* that are over */
    int32_t ranks_over;        /* of the step under way */
};

struct jobs {
    const struct job_cfg *cfg;
    struct job_site site;
    struct job_spec spec;
    struct job *job; /* [copies] */
    int64_t left;
    int32_t ranks;
};

/* ---- steps ----------------------------------------------------------------------------------- */

static void take_snapshot(const struct job *job, struct snapshot *to)
{
    to->at_ps = sim_now_ps(exec_sim(job->exec));
    for (int c = 0; c < EXEC_CATEGORIES; c++) {
        for (int32_t r = 0; r < job->jobs->ranks; r++)
            to->time_ps[c] += exec_time_ps(job->exec, r, (enum exec_category)c);
        to->sent_bytes[c] = exec_bytes(job->exec, (enum exec_category)c);
    }
}

static void step_over(void *owner, int64_t step)
{
    (void)step;
    struct job *job = owner;
    if (++job->ranks_over < job->jobs->ranks) return;
    job->ranks_over = 0;
    take_snapshot(job, &job->snapshot[++job->steps]);
}

static void job_over(struct exec *exec, void *owner)
{
    struct job *job = owner;
    if (--job->jobs->left == 0) sim_finish(exec_sim(exec));
}

/* ---- building -------------------------------------------------------------------------------- */

int64_t jobs_gpus(const struct job_cfg *cfg, int64_t cluster_gpus, int64_t wanted)
{
    return wanted > 0 ? wanted : cluster_gpus / cfg->copies;
}

bool jobs_check(const struct job_cfg *cfg, int64_t wanted, int64_t gpus, int64_t node_gpus,
                struct err *err)
{
    const struct err_pos nowhere = {0};
    const struct job_straggler *straggler = cfg->stragglers.items;
    int64_t each = jobs_gpus(cfg, gpus, wanted);
    if (each == 0 || each * cfg->copies > gpus)
        return err_add(err, nowhere,
                       "C091: run.copies = %" PRId64 " with %" PRId64
                       " GPUs each: the topology has %" PRId64 " GPUs",
                       cfg->copies, each, gpus);
    if (cfg->scattered && each % node_gpus)
        return err_add(err, nowhere,
                       "C098: run.scattered: %" PRId64 " GPUs do not fill nodes of %" PRId64, each,
                       node_gpus);
    for (int64_t s = 0; s < cfg->stragglers.n; s++)
        if (straggler[s].gpu >= gpus)
            return err_add(err, nowhere,
                           "C099: run.stragglers: the topology has GPUs 0 to %" PRId64
                           ", not %" PRId64,
                           gpus - 1, straggler[s].gpu);
    return true;
}

/* The GPU of a job's rank: the next free one, or the next in every copies-th node. */
static int32_t *place(const struct jobs *jobs, int64_t number)
{
    int64_t gpus = cluster_facts(jobs->site.cluster)->node_gpus;
    int32_t *gpu = ARENA_ARRAY(sim_arena(cluster_sim(jobs->site.cluster)), int32_t, jobs->ranks);
    for (int64_t r = 0; r < jobs->ranks; r++)
        gpu[r] = (int32_t)(jobs->cfg->scattered
                               ? (r / gpus * jobs->cfg->copies + number) * gpus + r % gpus
                               : number * jobs->ranks + r);
    return gpu;
}

/* A slow GPU holds up those of its tensor-parallel group in every layer. */
static double *slowdowns(const struct jobs *jobs, const int32_t *gpu)
{
    const struct job_straggler *straggler = jobs->cfg->stragglers.items;
    int32_t tensor = jobs->spec.plan.shape.tensor;
    double *slowdown = ARENA_ARRAY(sim_arena(cluster_sim(jobs->site.cluster)), double, jobs->ranks);
    if (jobs->cfg->stragglers.n == 0) return NULL;
    for (int32_t r = 0; r < jobs->ranks; r++)
        slowdown[r] = 1;
    for (int32_t r = 0; r < jobs->ranks; r++)
        for (int64_t s = 0; s < jobs->cfg->stragglers.n; s++)
            for (int32_t t = r / tensor * tensor; t < r / tensor * tensor + tensor; t++)
                if (straggler[s].gpu == gpu[r] && straggler[s].slowdown > slowdown[t])
                    slowdown[t] = straggler[s].slowdown;
    return slowdown;
}

static struct store *open_store(const struct jobs *jobs, int64_t number, const int32_t *gpu)
{
    if (!store_wanted(jobs->spec.store)) return NULL;
    return store_new(jobs->spec.store,
                     &(struct store_site){.session = jobs->site.session,
                                          .need = &jobs->spec.need,
                                          .shape = &jobs->spec.plan.shape,
                                          .gpu = gpu,
                                          .node_gpus = cluster_facts(jobs->site.cluster)->node_gpus,
                                          .sets = jobs->site.sets,
                                          .number = number});
}

static void build_job(struct jobs *jobs, int64_t number)
{
    struct job *job = &jobs->job[number];
    struct arena *arena = sim_arena(cluster_sim(jobs->site.cluster));
    const int32_t *gpu = place(jobs, number);
    struct exec_group *group;
    job->jobs = jobs;
    job->store = open_store(jobs, number, gpu);
    job->snapshot = ARENA_ARRAY(arena, struct snapshot, jobs->cfg->steps + 1);
    job->program = (struct plan_program){.program = {&plan_program_ops},
                                         .plan = &jobs->spec.plan,
                                         .slowdown = slowdowns(jobs, gpu),
                                         .steps = jobs->cfg->steps,
                                         .step_over = step_over,
                                         .owner = job};
    int32_t groups = plan_groups(&job->program, &group);
    job->exec = exec_new(
        &(struct exec_cfg){.cluster = jobs->site.cluster,
                           .facts = jobs->site.facts,
                           .device = jobs->site.device,
                           .program = &job->program.program,
                           .agent = job->store ? store_agent(job->store) : (struct exec_agent){0},
                           .ranks = jobs->ranks,
                           .streams = plan_streams(&jobs->spec.plan),
                           .gpu = gpu,
                           .group = group,
                           .group_n = groups,
                           .messages_max = jobs->cfg->messages_max,
                           .stream_names = plan_stream_names,
                           .spans = jobs->site.spans,
                           .done = job_over,
                           .owner = job});
}

struct jobs *jobs_new(const struct job_cfg *cfg, const struct job_site *site,
                      const struct job_spec *spec)
{
    struct arena *arena = sim_arena(cluster_sim(site->cluster));
    struct jobs *jobs = ARENA_NEW(arena, struct jobs);
    jobs->cfg = cfg;
    jobs->site = *site;
    jobs->spec = *spec;
    jobs->ranks = shape_ranks(&spec->plan.shape);
    jobs->left = cfg->copies;
    jobs->job = ARENA_ARRAY(arena, struct job, cfg->copies);
    for (int64_t j = 0; j < cfg->copies; j++)
        build_job(jobs, j);
    return jobs;
}

static void start(void *owner)
{
    struct job *job = owner;
    job->snapshot[0].at_ps = sim_now_ps(exec_sim(job->exec));
    exec_start(job->exec);
}

void jobs_start(struct jobs *jobs)
{
    for (int64_t j = 0; j < jobs->cfg->copies; j++) {
        struct job *job = &jobs->job[j];
        if (!job->store || !store_load(job->store, start, job)) start(job);
    }
}

const char *jobs_waits_for(const struct jobs *jobs, struct arena *arena)
{
    for (int64_t j = 0; j < jobs->cfg->copies; j++) {
        const struct job *job = &jobs->job[j];
        const char *text = job->store && store_loading(job->store)
                               ? "the first step waits for storage: the model is being loaded"
                               : exec_waits_for(job->exec, arena);
        if (!*text) continue;
        return jobs->cfg->copies == 1 ? text
                                      : arena_printf(arena, "job %lld: %s", (long long)j, text);
    }
    return "";
}

/* ---- results --------------------------------------------------------------------------------- */

/* Shares are means over ranks; what rounding loses goes to the last one. */
static void record_step(const struct job *job, int64_t step, struct record *record)
{
    const struct snapshot *from = &job->snapshot[step - 1], *to = &job->snapshot[step];
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
static const struct snapshot *first_of(const struct job *job)
{
    return &job->snapshot[job->steps > 1];
}

static double step_s(const struct job *job)
{
    int64_t n = job->steps > 1 ? job->steps - 1 : 1;
    return units_s(job->snapshot[job->steps].at_ps - first_of(job)->at_ps) / (double)n;
}

/* struct quiet: what checkpoints cost, from all steps but the first. A step is quiet if none was
 * being stored meanwhile; where training stood still is taken off the step in which it did. */
struct quiet {
    double step_s;  /* of a quiet step; if there is none, of the others */
    double extra_s; /* what a checkpoint adds to training: standing still, and slower steps */
    double slow_s;  /* of a step while one was being stored; 0 = there was none */
};

/* How long of [from_ps, to_ps] lies in a step. */
static int64_t common_ps(const struct snapshot *step, int64_t from_ps, int64_t to_ps)
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
        const struct snapshot *step = &job->snapshot[s];
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
    return found;
}

/* Of a GPU and step, by category: what stream 0 spent, what was sent. */
static void record_categories(const struct job *job, struct record *record)
{
    const struct snapshot *from = first_of(job), *to = &job->snapshot[job->steps];
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
                      slowest_s + (double)spec->evaluations * units_s(spec->evaluation_ps));
}

/* Before the first step: the whole time belongs to storage. */
static void record_load(const struct job *job, struct record *record)
{
    const int64_t took_ps = job->snapshot[0].at_ps;
    if (took_ps == 0) return;
    int phase = record_phase(record, "load", 0, took_ps);
    record_share(record, phase, exec_category_names[EXEC_DATA], "storage", took_ps);
    record->phases[phase].bound = exec_category_names[EXEC_DATA];
}

void jobs_record(const struct jobs *jobs, struct record *record)
{
    const struct job *first = &jobs->job[0];
    double slowest_s = 0;
    record_load(first, record);
    for (int64_t step = 1; step <= first->steps; step++)
        record_step(first, step, record);
    for (int64_t j = 0; j < jobs->cfg->copies; j++) {
        const struct job *job = &jobs->job[j];
        if (job->steps == 0) return;
        if (step_s(job) > slowest_s) slowest_s = step_s(job);
        if (jobs->cfg->copies > 1)
            record_metric(record, arena_printf(&record->arena, "job/%lld", (long long)j), "step_s",
                          "s", step_s(job));
    }
    record_throughput(jobs, slowest_s, record);
    record_training(jobs, record);
    record_metric(record, "run", "gpus", "1", (double)jobs->ranks);
    record_categories(first, record);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static const struct schema_field straggler_fields[] = {
    {.key = "gpu",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct job_straggler, gpu),
     .max = "1048576",
     .help = "Which one, by its number in the cluster."},
    {.key = "slowdown",
     .type = SCHEMA_REAL,
     .offset = offsetof(struct job_straggler, slowdown),
     .min = "1",
     .max = "1000",
     .help = "Its compute takes so many times as long."},
    {.key = NULL},
};
static const struct schema straggler_schema = {
    .name = "straggler",
    .help = "A GPU that computes slower than the others.",
    .size = sizeof(struct job_straggler),
    .fields = straggler_fields,
};

#define AT(member) offsetof(struct job_cfg, member)
static const struct schema_field fields[] = {
    {.key = "steps",
     .type = SCHEMA_COUNT,
     .offset = AT(steps),
     .fallback = "2",
     .min = "1",
     .max = "10000",
     .help = "Steps to simulate; the step time is the mean of all but the first."},
    {.key = "copies",
     .type = SCHEMA_COUNT,
     .offset = AT(copies),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Jobs of this kind that run side by side on GPUs of their own."},
    {.key = "scattered",
     .type = SCHEMA_BOOL,
     .offset = AT(scattered),
     .fallback = "false",
     .help = "Jobs take nodes in turn instead of neighbours."},
    {.key = "messages_max",
     .type = SCHEMA_COUNT,
     .offset = AT(messages_max),
     .fallback = "300000",
     .max = "1000000000000",
     .help = "A collective of more messages goes in fewer, longer ones of the same bytes; 0 = "
             "never."},
    {.key = "stragglers",
     .type = SCHEMA_LIST,
     .offset = AT(stragglers),
     .section = &straggler_schema,
     .help = "GPUs that compute slower than the others."},
    {.key = NULL},
};
const struct schema job_schema = {
    .name = "run",
    .help = "How often, how many, and what is wrong with some.",
    .size = sizeof(struct job_cfg),
    .fields = fields,
};
