/* job.c - jobs side by side on one cluster: placed, run step by step; keys that all have.
 *
 * The one idea: a step ends when its last operation, the meeting of all ranks, is over for the last
 * rank; what each category took by then, summed over ranks, is written down (job_record.c takes the
 * differences).
 */
#include <inttypes.h>

#include "models/step/job_live.h"

/* ---- steps ----------------------------------------------------------------------------------- */

static void take_snapshot(const struct job *job, struct job_snapshot *to)
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

bool jobs_check(const struct job_cfg *cfg, int64_t wanted, const char *key,
                const struct job_room *room, struct err *err)
{
    struct arena scratch = {0};
    const struct job_straggler *straggler = cfg->stragglers.items;
    int64_t each = jobs_gpus(cfg, room->gpus, wanted);
    bool good = true;
    if (each == 0)
        return err_key(err, "workload.run.copies",
                       "C091: %" PRId64 " jobs do not each get one of the topology's %" PRId64
                       " GPUs",
                       cfg->copies, room->gpus);
    if (each > room->gpus / cfg->copies)
        return err_key(err, key,
                       "C091: %" PRId64 " %s %" PRId64 " GPUs: the topology has %" PRId64 " GPUs",
                       cfg->copies, cfg->copies == 1 ? "job of" : "jobs of", each, room->gpus);
    if (cfg->scattered && each % room->node_gpus)
        return err_key(err, "workload.run.scattered",
                       "C098: run.scattered: %" PRId64 " GPUs do not fill nodes of %" PRId64, each,
                       room->node_gpus);
    for (int64_t s = 0; s < cfg->stragglers.n; s++)
        if (straggler[s].gpu >= each * cfg->copies)
            good = err_key(
                err, arena_printf(&scratch, "workload.run.stragglers.%lld.gpu", (long long)s),
                "C099: run.stragglers: no job runs on GPU %" PRId64 ", only on 0 to %" PRId64,
                straggler[s].gpu, each * cfg->copies - 1);
    arena_free(&scratch);
    return good;
}

#define RUN_MAX_S 1e6 /* of simulated time; the clock goes to 9.2e6 s, in picoseconds */

bool jobs_check_clock(const struct job_cfg *cfg, double step_s, const char *key, struct err *err)
{
    double slowdown = 1;
    const struct job_straggler *straggler = cfg->stragglers.items;
    for (int64_t s = 0; s < cfg->stragglers.n; s++)
        if (straggler[s].slowdown > slowdown) slowdown = straggler[s].slowdown;
    double run_s = step_s * slowdown * (double)cfg->steps;
    if (run_s <= RUN_MAX_S) return true;
    return err_key(err, step_s > RUN_MAX_S ? key : "workload.run.steps",
                   "C108: %" PRId64 " %s of about %.3g s of simulated time: a run may take at most "
                   "%.0e s",
                   cfg->steps, cfg->steps == 1 ? "step" : "steps", step_s * slowdown, RUN_MAX_S);
}

bool jobs_check_storage(const struct job_cfg *cfg, const struct job_spec *spec,
                        const struct job_room *room, struct err *err)
{
    const struct shape *shape = &spec->plan.shape;
    struct store_way way = room->storage;
    if (!store_wanted(spec->store)) return true;
    if (!store_fits(spec->store, &spec->need, shape, err)) return false;
    way.all_bps /= (double)cfg->copies;
    const struct store_times times =
        store_estimate(spec->store, &spec->need, shape, &way, cfg->steps);
    const double run_s = times.load_s + times.data_s + times.checkpoint_s;
    if (run_s <= RUN_MAX_S) return true;
    const char *key = times.load_s > times.data_s ? "workload.load.size" : "workload.data.size";
    if (times.checkpoint_s > times.load_s && times.checkpoint_s > times.data_s)
        key = "workload.checkpoint.size";
    return err_key(err, key,
                   "C108: storage takes about %.3g s of simulated time (load %.3g, samples %.3g, "
                   "checkpoints %.3g): a run may take at most %.0e s",
                   run_s, times.load_s, times.data_s, times.checkpoint_s, RUN_MAX_S);
}

bool jobs_check_memory(double state_bytes, const struct device_facts *device, const char *text,
                       struct err *err)
{
    if (device->memory_bytes == 0 || state_bytes <= (double)device->memory_bytes) return true;
    return err_key(err, "node.accelerator",
                   "C130: a GPU has %.1f GB and needs %.1f GB, activations not counted: %s",
                   (double)device->memory_bytes / 1e9, state_bytes / 1e9, text);
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

/* All members of a group are as slow as the slowest. */
static void hold_up(const struct shape *shape, enum shape_group kind, double *slowdown)
{
    struct arena arena = {0};
    double *most = ARENA_ARRAY(&arena, double, shape_count(shape, kind));
    for (int32_t r = 0; r < shape_ranks(shape); r++) {
        int32_t group = shape_seat(shape, kind, r).group;
        if (slowdown[r] > most[group]) most[group] = slowdown[r];
    }
    for (int32_t r = 0; r < shape_ranks(shape); r++)
        slowdown[r] = most[shape_seat(shape, kind, r).group];
    arena_free(&arena);
}

/* A slow GPU holds up those with whom it is coupled in every layer. */
static double *slowdowns(const struct jobs *jobs, const int32_t *gpu)
{
    const struct job_straggler *straggler = jobs->cfg->stragglers.items;
    const struct plan *plan = &jobs->spec.plan;
    double *slowdown = ARENA_ARRAY(sim_arena(cluster_sim(jobs->site.cluster)), double, jobs->ranks);
    if (jobs->cfg->stragglers.n == 0) return NULL;
    for (int32_t r = 0; r < jobs->ranks; r++) {
        slowdown[r] = 1;
        for (int64_t s = 0; s < jobs->cfg->stragglers.n; s++)
            if (straggler[s].gpu == gpu[r] && straggler[s].slowdown > slowdown[r])
                slowdown[r] = straggler[s].slowdown;
    }
    for (int kind = 0; kind < SHAPE_GROUPS; kind++)
        if (plan->coupled[kind]) hold_up(&plan->shape, (enum shape_group)kind, slowdown);
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
    job->snapshot = ARENA_ARRAY(arena, struct job_snapshot, jobs->cfg->steps + 1);
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
    if (job->store) job->load_bytes = store_read_bytes(job->store);
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

/* ---- keys ------------------------------------------------------------------------------------ */

static const struct schema_field straggler_fields[] = {
    {.key = "gpu",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct job_straggler, gpu),
     .max = "1048576",
     .help = "Which one, by its number in the cluster; a job must run on it."},
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
     .help =
         "Steps to simulate; the step time is the mean of all but the first, so what happens in "
         "the first alone (a fault) is not in it: see the phases."},
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
     .help = "A collective of more messages goes in fewer, longer ones of the same bytes, which "
             "costs about 1 % of accuracy (workloads/mixtral-8x22b 1.0 %, gpt3-175b-fsdp 1.1 %, "
             "llama3-405b 1.3 % of the step); 0 = never."},
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
