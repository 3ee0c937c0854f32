/* train.c - the training loop as a chain of small steps, each going on to the next (train.h).
 *
 *   load -> start-up -> { step -> serial operations -> checkpoint -> evaluation } ... -> done
 *
 * Every wait is charged to a category and to the bound that caused it, so that the phases add up
 * to the time on the clock exactly.
 * NOT modelled: jitter between GPUs (the step time is that of the slowest), restarts.
 */
#include "models/work/train.h"

#include <string.h>

#include "models/work/loader.h"
#include "models/work/phases.h"
#include "sim/base/units.h"

/* Lanes of a node: the phases, streams of the load, then those of each GPU's readers. */
enum { LANE_LOAD = PHASES_LANE + 1 };

enum { TIMER_STARTUP, TIMER_STEP, TIMER_EVALUATION };

struct train {
    const struct train_cfg *cfg;
    struct sim *sim;
    struct train_nodes nodes;
    const struct file_set *sets;
    struct loader *data, *evaluation;
    struct timer startup, compute, evaluate;
    struct request serial;
    struct reader *readers; /* per node: the load */
    struct checkpoint *checkpoint;
    int64_t busy_readers;
    struct phases phases;
    const char *waits_for;
    int64_t epoch_steps, epoch, step; /* epoch from 0; step of the whole run, finished ones */
    int64_t evaluation_steps, evaluation_step, evaluations;
    int64_t serial_done;
    int64_t clock_ps, wait_ps; /* start of the clock; of the wait under way */
    int64_t first_epoch_ps, epoch_start_ps, later_epochs_ps, evaluation_ps, evaluation_start_ps;
    bool done;
};

static void begin_step(struct train *train);
static void begin_segment(struct train *train);
static void after_serial(struct train *train);

static int64_t now_ps(const struct train *train)
{
    return sim_now_ps(train->sim);
}

static int64_t storage_bytes(const struct train *train)
{
    int64_t bytes = 0;
    for (int64_t i = 0; i < train->nodes.n; i++)
        bytes += session_read_bytes(train->nodes.session[i]);
    return bytes;
}

static void phase(struct train *train, const char *name)
{
    phases_begin(&train->phases, name, now_ps(train), storage_bytes(train));
}

static int64_t gpus(const struct train *train)
{
    return train->nodes.n * train->nodes.gpus;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void finish(struct train *train)
{
    phases_end(&train->phases, now_ps(train), storage_bytes(train));
    train->done = true;
    sim_finish(train->sim);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

static bool is_in(const struct schema_counts *counts, int64_t value)
{
    for (int64_t i = 0; i < counts->n; i++)
        if (counts->value[i] == value) return true;
    return false;
}

/* Go on after step `step` (and an evaluation, if one was due): next step, next epoch, or end. */
static void go_on(struct train *train)
{
    if (train->step == train->epoch_steps * train->cfg->epochs) {
        finish(train);
        return;
    }
    train->epoch = train->step / train->epoch_steps;
    begin_segment(train);
    begin_step(train);
}

static void end_evaluation(struct train *train)
{
    train->evaluation_ps += now_ps(train) - train->evaluation_start_ps;
    go_on(train);
}

static void begin_evaluation_step(struct train *train)
{
    if (train->evaluation) {
        train->wait_ps = now_ps(train);
        train->waits_for = "evaluation data";
        if (!loader_ready(train->evaluation)) return;
        loader_take(train->evaluation);
    }
    int64_t step_ps = train->cfg->evaluation.compute_ps / train->evaluation_steps;
    phases_add(&train->phases, PHASE_EVALUATION, BOUND_COMPUTE, now_ps(train), step_ps);
    timer_after(train->sim, &train->evaluate, step_ps);
}

static void on_evaluation_data(struct sim *sim, struct loader *loader)
{
    (void)sim;
    struct train *train = loader_owner(loader);
    phases_add(&train->phases, PHASE_READ_STALL, loader_bound(loader), train->wait_ps,
               now_ps(train) - train->wait_ps);
    begin_evaluation_step(train);
}

static void on_evaluated(struct sim *sim, void *self)
{
    (void)sim;
    struct train *train = self;
    if (++train->evaluation_step < train->evaluation_steps) {
        begin_evaluation_step(train);
    } else {
        end_evaluation(train);
    }
}

static void begin_evaluation(struct train *train)
{
    phase(train,
          arena_printf(train->phases.arena, "evaluation %lld", (long long)++train->evaluations));
    train->evaluation_start_ps = now_ps(train);
    train->evaluation_step = 0;
    if (train->evaluation) loader_start(train->evaluation);
    begin_evaluation_step(train);
}

/* ---- after a step: checkpoint, then evaluation or the next step ------------------------------ */

static bool evaluation_due(const struct train *train)
{
    const struct train_cfg *cfg = train->cfg;
    bool epoch_ends = train->step % train->epoch_steps == 0;
    return is_in(&cfg->evaluation.after_steps, train->step) ||
           (epoch_ends && is_in(&cfg->evaluation.after_epochs, train->step / train->epoch_steps));
}

static void after_checkpoint(struct train *train)
{
    bool epoch_ends = train->step % train->epoch_steps == 0;
    if (epoch_ends) {
        int64_t took_ps = now_ps(train) - train->epoch_start_ps;
        if (train->epoch == 0) {
            train->first_epoch_ps = took_ps;
        } else {
            train->later_epochs_ps += took_ps;
        }
    }
    if (evaluation_due(train)) {
        begin_evaluation(train);
    } else if (epoch_ends) {
        go_on(train);
    } else {
        begin_step(train);
    }
}

/* ---- serial operations ----------------------------------------------------------------------- */

static void next_serial(struct train *train)
{
    int64_t steps = train->epoch_steps * train->cfg->epochs;
    __extension__ typedef __int128 wide;
    int64_t due = (int64_t)((wide)train->cfg->serial_operations * train->step / steps);
    if (train->serial_done == due) {
        after_serial(train);
        return;
    }
    train->serial_done++;
    train->wait_ps = now_ps(train);
    train->waits_for = "a metadata operation";
    session_submit(train->nodes.session[0], &train->serial);
}

static void on_serial(struct sim *sim, struct request *request)
{
    (void)sim;
    struct train *train = request->owner;
    phases_add(&train->phases, PHASE_SERIAL, BOUND_METADATA, train->wait_ps,
               now_ps(train) - train->wait_ps);
    next_serial(train);
}

static void on_checkpoint(void *owner, enum bound bound)
{
    struct train *train = owner;
    phases_add(&train->phases, PHASE_CHECKPOINT, bound, train->wait_ps,
               now_ps(train) - train->wait_ps);
    after_checkpoint(train);
}

static void after_serial(struct train *train)
{
    if (train->checkpoint && train->step % train->cfg->checkpoint.every_steps == 0) {
        train->wait_ps = now_ps(train);
        train->waits_for = "a checkpoint to be stored";
        checkpoint_begin(train->checkpoint);
    } else {
        after_checkpoint(train);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Ring or tree, the bytes are the same: 2 (n-1)/n * size through each GPU's link. */
static int64_t exposed_all_reduce_ps(const struct train *train)
{
    int64_t n = gpus(train);
    if (n < 2 || train->cfg->all_reduce.size_bytes == 0) return 0;
    int64_t size = train->cfg->all_reduce.size_bytes;
    int64_t all_ps = units_serialise_ps(2 * (size - size / n), train->nodes.gpu_link_bps);
    return (int64_t)((1 - train->cfg->all_reduce.overlap) * (double)all_ps);
}

static void compute(struct train *train)
{
    if (train->data) loader_take(train->data);
    int64_t from_ps = now_ps(train), compute_ps = train->cfg->step.compute_ps;
    int64_t reduce_ps = exposed_all_reduce_ps(train);
    phases_add(&train->phases, PHASE_COMPUTE, BOUND_COMPUTE, from_ps, compute_ps);
    phases_add(&train->phases, PHASE_ALL_REDUCE, BOUND_NVLINK, from_ps + compute_ps, reduce_ps);
    timer_after(train->sim, &train->compute, compute_ps + reduce_ps);
}

static void on_data(struct sim *sim, struct loader *loader)
{
    (void)sim;
    struct train *train = loader_owner(loader);
    phases_add(&train->phases, PHASE_READ_STALL, loader_bound(loader), train->wait_ps,
               now_ps(train) - train->wait_ps);
    compute(train);
}

static void begin_step(struct train *train)
{
    train->wait_ps = now_ps(train);
    train->waits_for = "training data";
    if (train->data && !loader_ready(train->data)) return;
    compute(train);
}

static void on_step(struct sim *sim, void *self)
{
    (void)sim;
    struct train *train = self;
    train->step++;
    next_serial(train);
}

/* A phase is an epoch, or the steps between two evaluations where those fall inside epochs. */
static void begin_segment(struct train *train)
{
    struct arena *arena = train->phases.arena;
    bool whole = train->step % train->epoch_steps == 0;
    if (whole) train->epoch_start_ps = now_ps(train);
    for (int64_t s = train->step + 1; whole && s < train->step + train->epoch_steps; s++)
        whole = train->cfg->evaluation.after_steps.n == 0 ||
                !is_in(&train->cfg->evaluation.after_steps, s);
    if (whole && train->data) {
        phase(train, arena_printf(arena, "epoch %lld", (long long)train->epoch + 1));
    } else {
        phase(train, arena_printf(arena, "from step %lld", (long long)train->step + 1));
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void on_startup(struct sim *sim, void *self)
{
    (void)sim;
    struct train *train = self;
    if (train->data) loader_start(train->data);
    begin_segment(train);
    begin_step(train);
}

static void start_clock(struct train *train)
{
    train->clock_ps = now_ps(train);
    if (train->cfg->startup_ps > 0) {
        phase(train, "start");
        phases_add(&train->phases, PHASE_START, BOUND_STARTUP, now_ps(train),
                   train->cfg->startup_ps);
    }
    timer_after(train->sim, &train->startup, train->cfg->startup_ps);
}

static void on_loaded(struct sim *sim, struct reader *reader)
{
    (void)sim;
    struct train *train = reader->owner;
    phases_add(&train->phases, PHASE_LOAD, reader->bound, train->wait_ps,
               now_ps(train) - train->wait_ps);
    train->wait_ps = now_ps(train);
    if (reader_at_end(reader) && --train->busy_readers == 0) start_clock(train);
}

void train_start(struct train *train)
{
    if (train->cfg->load.size_bytes == 0) {
        start_clock(train);
        return;
    }
    phase(train, "load");
    train->waits_for = "the model to be loaded";
    train->wait_ps = now_ps(train);
    train->busy_readers = train->nodes.n;
    for (int64_t i = 0; i < train->nodes.n; i++) {
        reader_start(&train->readers[i], 0, train->sets[TRAIN_SET_LOAD].total_bytes);
        reader_allow(&train->readers[i], train->sets[TRAIN_SET_LOAD].total_bytes);
    }
}

/* ---- building -------------------------------------------------------------------------------- */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Part of a process's decoded samples that its memory holds. */
static double cached_fraction(const struct train *train, int64_t records)
{
    const struct train_cfg *cfg = train->cfg;
    double all = (double)records / (double)gpus(train) * (double)cfg->reader.decoded_record_bytes;
    double part = (double)cfg->reader.decoded_cache_bytes / all;
    return part < 1 ? part : 1;
}

static struct loader *make_loader(struct train *train, int set, int64_t records,
                                  const struct loader_cfg *some)
{
    const struct train_cfg *cfg = train->cfg;
    struct loader_cfg loader = *some;
    loader.set = &train->sets[set];
    loader.records = records;
    loader.threads = cfg->reader.threads;
    loader.prefetch = cfg->reader.prefetch;
    loader.shuffle_records = cfg->reader.shuffle_records;
    loader.decode_rate = cfg->reader.decode_rate;
    loader.owner = train;
    loader.draws.spans = train->nodes.spans;
    return loader_new(train->sim, &loader, train->nodes.session, train->nodes.n, train->nodes.gpus);
}

static void make_readers(struct train *train)
{
    int64_t n = train->nodes.n;
    train->readers = ARENA_ARRAY(sim_arena(train->sim), struct reader, n);
    for (int64_t i = 0; i < n; i++) {
        train->readers[i] = (struct reader){
            .session = train->nodes.session[i],
            .set = &train->sets[TRAIN_SET_LOAD],
            .threads = train->cfg->load.streams,
            .progress = on_loaded,
            .draws = {.spans = train->nodes.spans, .at = {(int32_t)i, LANE_LOAD}, .name = "load"},
            .owner = train};
        reader_init(&train->readers[i]);
    }
}

static void make_loaders(struct train *train)
{
    const struct train_cfg *cfg = train->cfg;
    int64_t batch = gpus(train) * cfg->step.batch_per_gpu;
    const int32_t lane = LANE_LOAD + (int32_t)cfg->load.streams;
    const int32_t lanes = (int32_t)(train->nodes.gpus * cfg->reader.threads); /* per node */
    train->epoch_steps = cfg->steps > 0 ? cfg->steps : ceil_div(cfg->dataset.records, batch);
    train->evaluation_steps = 1;
    if (cfg->dataset.records > 0)
        train->data = make_loader(
            train, TRAIN_SET_DATA, cfg->dataset.records,
            &(struct loader_cfg){.steps = train->epoch_steps,
                                 .passes = cfg->epochs,
                                 .cached_fraction = cached_fraction(train, cfg->dataset.records),
                                 .ready = on_data,
                                 .draws = {.at.lane = lane, .name = "read"}});
    if (cfg->evaluation.dataset.records == 0) return;
    train->evaluation_steps = ceil_div(cfg->evaluation.dataset.records, batch);
    train->evaluation = make_loader(
        train, TRAIN_SET_EVALUATION, cfg->evaluation.dataset.records,
        &(struct loader_cfg){.steps = train->evaluation_steps,
                             .passes = 1,
                             .ready = on_evaluation_data,
                             .draws = {.at.lane = lane + lanes, .name = "read to evaluate"}});
}

struct train *train_new(struct sim *sim, const struct train_cfg *cfg,
                        const struct train_nodes *nodes, const struct file_set *sets)
{
    struct train *train = ARENA_NEW(sim_arena(sim), struct train);
    train->cfg = cfg;
    train->sim = sim;
    train->nodes = *nodes;
    train->sets = sets;
    train->phases =
        (struct phases){.arena = sim_arena(sim), .spans = nodes->spans, .nodes = nodes->n};
    for (int64_t i = 0; nodes->spans && i < nodes->n; i++)
        spans_name(nodes->spans, (struct spans_lane){(int32_t)i, PHASES_LANE}, "training");
    const int32_t readers =
        (int32_t)(cfg->load.streams + 2 * nodes->gpus * cfg->reader.threads); /* that draw */
    train->waits_for = "nothing";
    make_loaders(train);
    if (cfg->load.size_bytes > 0) make_readers(train);
    if (cfg->checkpoint.every_steps > 0 && cfg->checkpoint.size_bytes > 0)
        train->checkpoint = checkpoint_new(
            sim, &cfg->checkpoint, &sets[TRAIN_SET_CHECKPOINT],
            &(struct checkpoint_nodes){nodes->session,
                                       nodes->n,
                                       nodes->gpus,
                                       on_checkpoint,
                                       train,
                                       {nodes->spans, {0, LANE_LOAD + readers}, "write"}});
    train->serial = (struct request){.kind = REQUEST_META, .done = on_serial, .owner = train};
    uint32_t component = sim_component(sim);
    timer_init(&train->startup, on_startup, train, component, TIMER_STARTUP);
    timer_init(&train->compute, on_step, train, component, TIMER_STEP);
    timer_init(&train->evaluate, on_evaluated, train, component, TIMER_EVALUATION);
    return train;
}

/* ---- results --------------------------------------------------------------------------------- */

int64_t train_clock_ps(const struct train *train)
{
    return train->clock_ps;
}

const char *train_waits_for(const struct train *train, struct arena *arena)
{
    return arena_printf(arena, "the job waits for %s (step %lld of epoch %lld)", train->waits_for,
                        (long long)(train->step % train->epoch_steps) + 1,
                        (long long)train->epoch + 1);
}

static void record_rates(const struct train *train, struct record *record)
{
    for (int64_t p = 0; p < train->phases.n; p++) {
        const struct phase *phase = &train->phases.list[p];
        int64_t took_ps = phase->end_ps - phase->start_ps;
        if (took_ps == 0) continue;
        double rate_bps = (double)phase->read_bytes * 8 / units_s(took_ps);
        if (strcmp(phase->name, "load") == 0)
            record_metric(record, "run", "load_read_rate", "bit/s", rate_bps);
        if (strcmp(phase->name, "epoch 1") == 0)
            record_metric(record, "run", "first_epoch_read_rate", "bit/s", rate_bps);
    }
}

void train_record(struct train *train, struct record *record)
{
    if (!train->done) phases_end(&train->phases, now_ps(train), storage_bytes(train));
    const struct phases *phases = &train->phases;
    double total_s = units_s(now_ps(train) - train->clock_ps);
    double compute_s = units_s(phases_sum(phases, PHASE_COMPUTE));
    if (train->done) record_metric(record, "run", "time_to_train_s", "s", total_s);
    record_metric(record, "run", "load_s", "s", units_s(train->clock_ps));
    if (train->data && train->first_epoch_ps > 0)
        record_metric(record, "run", "first_epoch_s", "s", units_s(train->first_epoch_ps));
    if (train->later_epochs_ps > 0)
        record_metric(record, "run", "later_epoch_s", "s",
                      units_s(train->later_epochs_ps) / (double)(train->cfg->epochs - 1));
    record_metric(record, "run", "steps", "1", (double)train->step);
    record_metric(record, "run", "compute_s", "s", compute_s);
    record_metric(record, "run", "all_reduce_s", "s",
                  units_s(phases_sum(phases, PHASE_ALL_REDUCE)));
    record_metric(record, "run", "read_stall_s", "s",
                  units_s(phases_sum(phases, PHASE_READ_STALL)));
    record_metric(record, "run", "serial_s", "s", units_s(phases_sum(phases, PHASE_SERIAL)));
    record_metric(record, "run", "checkpoint_s", "s",
                  units_s(phases_sum(phases, PHASE_CHECKPOINT)));
    record_metric(record, "run", "evaluation_s", "s", units_s(train->evaluation_ps));
    if (total_s > 0)
        record_metric(record, "run", "accelerator_utilisation", "1", compute_s / total_s);
    record_rates(train, record);
    phases_record(phases, train->clock_ps, record);
}
