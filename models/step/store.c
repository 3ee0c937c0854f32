/* store.c - reads samples and weights, writes checkpoints, for the ranks of one job.
 *
 * The one idea: the executor hands over an operation and waits; here it becomes a range of bytes
 * for a reader (or writer) on the storage client of the rank's server, and is over when the range
 * is. What comes of it - windows, shared NICs, the line - is the client's and the fabric's affair.
 * A checkpoint is one thing for all ranks: it begins when all have come.
 * NOT modelled: failures and restarts within a run, tiers on the way, the CPU that serialises
 * tensors, decoding of samples, how weights that were read once get to the other replicas.
 */
#include "models/step/store_live.h"

#include "models/work/reader.h"
#include "sim/base/units.h"

/* struct replica: samples of a data-parallel replica, which its first rank reads. */
struct replica {
    struct store *store;
    struct reader reader;
    int64_t begin, end, base_bytes; /* its slice of the set; read in the passes before this one */
    int32_t leader;
    bool begun;
};

struct rank {
    struct store *store;
    struct reader writer, loader;
    struct exec_live *live[STORE_TAGS]; /* what the executor waits for; NULL = nothing */
    int64_t need_bytes;                 /* samples: of the replica, in all steps so far */
};

struct store {
    const struct store_cfg *cfg;
    struct store_need need;
    struct store_site site;
    struct sim *sim;
    struct file_set checkpoint;
    struct rank *rank;
    struct replica *replica; /* [data] */
    int64_t ranks, step_bytes;
    int64_t came; /* ranks that are at the checkpoint */
    int64_t busy; /* writers, or before the first step readers, under way */
    bool loading; /* before the first step */
    bool halted;  /* all ranks wait: for the one before, for the copy, until all is stored */
    struct timer copy;
    struct store_span *span;
    int64_t span_n, span_cap, load_begin_ps, load_end_ps;
    store_loaded_fn *loaded;
    void *owner;
};

static int64_t now_ps(const struct store *store)
{
    return sim_now_ps(store->sim);
}

/* end_op ends what the executor waits for, if it does. */
static void end_op(struct rank *rank, enum store_tag tag, int64_t bytes)
{
    struct exec_live *live = rank->live[tag];
    rank->live[tag] = NULL;
    if (live) exec_outside_over(live, bytes);
}

/* ---- samples --------------------------------------------------------------------------------- */

static int64_t taken_bytes(const struct replica *replica)
{
    return replica->base_bytes + (replica->begun ? replica->reader.taken_bytes : 0);
}

/* Read on to need_bytes, through the slice over and over. */
static void read_on(struct replica *replica, int64_t need_bytes)
{
    if (replica->begun && reader_at_end(&replica->reader)) {
        replica->base_bytes += replica->reader.taken_bytes;
        replica->begun = false;
    }
    if (need_bytes <= replica->base_bytes) return;
    if (!replica->begun) {
        replica->begun = true;
        reader_start(&replica->reader, replica->begin, replica->end);
    }
    reader_allow(&replica->reader, need_bytes - replica->base_bytes);
}

/* The ranks that a replica reads for: tensor and context parallel ones of its first stage. */
static struct rank *member(const struct replica *replica, int32_t i)
{
    const struct shape *shape = replica->store->site.shape;
    struct shape_place place = shape_place(shape, replica->leader);
    place.tensor = i % shape->tensor;
    place.context = i / shape->tensor;
    return &replica->store->rank[shape_rank(shape, &place)];
}

/* Every rank that waits for samples that are there goes on; taking them counts their bytes. */
static void hand_out(struct replica *replica)
{
    const struct store *store = replica->store;
    const int32_t n = store->site.shape->tensor * store->site.shape->context;
    for (int32_t i = 0; i < n; i++) {
        struct rank *rank = member(replica, i);
        if (rank->live[STORE_READ] && rank->need_bytes <= taken_bytes(replica))
            end_op(rank, STORE_READ, 0);
    }
}

static void on_read(struct sim *sim, struct reader *reader)
{
    (void)sim;
    struct replica *replica = reader->owner;
    int64_t need_bytes = replica->store->rank[replica->leader].need_bytes;
    read_on(replica, need_bytes);
    hand_out(replica);
}

static void read_samples(struct store *store, struct rank *rank, uint64_t step)
{
    const int32_t number = (int32_t)(rank - store->rank);
    struct replica *replica = &store->replica[shape_place(store->site.shape, number).data];
    rank->need_bytes = ((int64_t)step + 1) * store->step_bytes;
    if (number == replica->leader) read_on(replica, rank->need_bytes);
    hand_out(replica);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static struct store_span *last_span(const struct store *store)
{
    return &store->span[store->span_n - 1];
}

/* Rank number's file; false: there are fewer. */
static bool part_of(const struct file_set *set, int64_t number, int64_t *begin, int64_t *end)
{
    *begin = number * set->file_bytes;
    if (number >= set->files) return false;
    *end = *begin + file_set_bytes(set, number);
    return true;
}

/* Training goes on: what all ranks wait for is over. */
static void resume(struct store *store, enum store_tag tag)
{
    store->halted = false;
    last_span(store)->resume_ps = now_ps(store);
    for (int64_t r = 0; r < store->ranks; r++) {
        int64_t begin, end = 0;
        bool has = tag == STORE_SYNC && part_of(&store->checkpoint, r, &begin, &end);
        end_op(&store->rank[r], tag, has ? end - begin : 0);
    }
}

static void write_part(struct store *store, struct rank *rank)
{
    int64_t begin, end;
    if (part_of(&store->checkpoint, rank - store->rank, &begin, &end))
        reader_start(&rank->writer, begin, end);
    else
        end_op(rank, STORE_WRITE, 0);
}

/* A copy takes as long as the largest part does over a GPU's way to host memory. */
static void begin_copy(struct store *store)
{
    last_span(store)->begin_ps = now_ps(store);
    timer_after(
        store->sim, &store->copy,
        units_serialise_ps(store->checkpoint.file_bytes, store->cfg->checkpoint.snapshot_bps));
}

static void on_copied(struct sim *sim, void *self)
{
    (void)sim;
    struct store *store = self;
    store->busy = store->checkpoint.files;
    resume(store, STORE_COPY);
}

static void on_written(struct sim *sim, struct reader *writer)
{
    (void)sim;
    struct rank *rank = writer->owner;
    struct store *store = rank->store;
    if (!reader_at_end(writer)) return;
    end_op(rank, STORE_WRITE, writer->end - writer->begin);
    if (--store->busy > 0) return;
    const bool sync = store->cfg->checkpoint.mode == CHECKPOINT_SYNC;
    struct store_span *span = last_span(store);
    if (!sync && store->halted) { /* the next one waits for this */
        span[-1].end_ps = now_ps(store);
        begin_copy(store);
        return;
    }
    span->end_ps = now_ps(store);
    if (sync) resume(store, STORE_SYNC);
}

/* A rank is at the checkpoint; the last one starts it. */
static void arrive(struct store *store, enum store_tag tag)
{
    if (++store->came < store->ranks) return;
    store->came = 0;
    store->halted = true;
    store->span = arena_grow(sim_arena(store->sim), store->span, &store->span_cap,
                             store->span_n + 1, sizeof *store->span);
    store->span[store->span_n++] = (struct store_span){.came_ps = now_ps(store)};
    for (int64_t r = 0; r < store->ranks; r++)
        exec_outside_moves(store->rank[r].live[tag]);
    if (tag == STORE_SYNC) {
        last_span(store)->begin_ps = now_ps(store);
        store->busy = store->checkpoint.files;
        for (int64_t r = 0; r < store->ranks; r++)
            write_part(store, &store->rank[r]);
    } else if (store->busy == 0) {
        begin_copy(store);
    }
}

static void begin(void *owner, struct exec_live *live, int32_t number, const struct exec_op *op)
{
    struct store *store = owner;
    struct rank *rank = &store->rank[number];
    const enum store_tag tag = (enum store_tag)op->tag;
    rank->live[tag] = live;
    switch (tag) {
    case STORE_READ:
        read_samples(store, rank, op->token);
        break;
    case STORE_WRITE:
        write_part(store, rank);
        break;
    default:
        arrive(store, tag);
        break;
    }
}

struct exec_agent store_agent(struct store *store)
{
    return (struct exec_agent){.begin = begin, .name = "storage", .owner = store};
}

/* ---- before the first step ------------------------------------------------------------------- */

static void on_loaded(struct sim *sim, struct reader *reader)
{
    struct rank *rank = reader->owner;
    struct store *store = rank->store;
    if (!reader_at_end(reader) || --store->busy > 0) return;
    store->loading = false;
    store->load_end_ps = sim_now_ps(sim);
    store->loaded(store->owner);
}

bool store_load(struct store *store, store_loaded_fn *loaded, void *owner)
{
    const struct file_set *set = &store->site.sets[STORE_SET_LOAD];
    const struct shape *shape = store->site.shape;
    store->loaded = loaded;
    store->owner = owner;
    store->load_begin_ps = now_ps(store);
    for (int32_t r = 0; r < store->ranks && set->files > 0; r++) {
        const struct shape_place place = shape_place(shape, r);
        int64_t begin, end, part = r;
        if (store->cfg->load.per == STORE_PER_REPLICA)
            part = place.tensor + (int64_t)shape->tensor * place.stage;
        if (!part_of(set, part, &begin, &end)) continue;
        store->busy++;
        reader_start(&store->rank[r].loader, begin, end);
        reader_allow(&store->rank[r].loader, end - begin);
    }
    store->loading = store->busy > 0;
    return store->loading;
}

/* Ranks of a server follow one another. */
int64_t store_read_bytes(const struct store *store)
{
    int64_t bytes = 0, last = -1;
    for (int64_t r = 0; r < store->ranks; r++) {
        const int64_t node = store->site.gpu[r] / store->site.node_gpus;
        if (node != last) bytes += session_read_bytes(store->site.session[node]);
        last = node;
    }
    return bytes;
}

bool store_loading(const struct store *store)
{
    return store->loading;
}

/* ---- building -------------------------------------------------------------------------------- */

static void open_replica(struct store *store, int32_t d)
{
    const struct shape *shape = store->site.shape;
    const struct file_set *set = &store->site.sets[STORE_SET_DATA];
    struct replica *replica = &store->replica[d];
    const struct coll_range all = {0, set->total_bytes};
    const struct coll_range slice = coll_part(all, shape->data, d);
    replica->store = store;
    replica->begin = slice.at;
    replica->end = slice.at + slice.bytes;
    replica->leader = shape_rank(shape, &(struct shape_place){.data = d});
    int64_t node = store->site.gpu[replica->leader] / store->site.node_gpus;
    replica->reader = (struct reader){.session = store->site.session[node],
                                      .set = set,
                                      .threads = store->cfg->data.threads,
                                      .progress = on_read,
                                      .owner = replica};
    reader_init(&replica->reader);
}

static void open_rank(struct store *store, int32_t r)
{
    struct rank *rank = &store->rank[r];
    const struct reader base = {.session =
                                    store->site.session[store->site.gpu[r] / store->site.node_gpus],
                                .threads = 1,
                                .owner = rank};
    rank->store = store;
    rank->writer = rank->loader = base;
    rank->writer.set = &store->checkpoint;
    rank->writer.write = true;
    rank->writer.progress = on_written;
    rank->loader.set = &store->site.sets[STORE_SET_LOAD];
    rank->loader.progress = on_loaded;
    if (store->checkpoint.files > 0) reader_init(&rank->writer);
    if (rank->loader.set->files > 0) reader_init(&rank->loader);
}

struct store *store_new(const struct store_cfg *cfg, const struct store_site *site)
{
    struct sim *sim = session_sim(site->session[0]);
    struct store *store = ARENA_NEW(sim_arena(sim), struct store);
    const struct file_set *last = &site->sets[STORE_SETS - 1];
    store->cfg = cfg;
    store->need = store_settle(cfg, site->need);
    store->site = *site;
    store->sim = sim;
    store->ranks = shape_ranks(site->shape);
    if (cfg->data.size_bytes > 0)
        store->step_bytes = store_step_bytes(cfg, site->need, site->shape->data);
    if (cfg->checkpoint.every_steps > 0)
        store->checkpoint = store_parts(store->need.checkpoint_bytes, store->ranks);
    /* written, never read: page caches need not know it, but its files have numbers of their own */
    store->checkpoint.first_file = last->first_file + last->files + site->number * store->ranks;
    store->rank = ARENA_ARRAY(sim_arena(sim), struct rank, store->ranks);
    store->replica = ARENA_ARRAY(sim_arena(sim), struct replica, site->shape->data);
    timer_init(&store->copy, on_copied, store, sim_component(sim), 0);
    for (int32_t r = 0; r < store->ranks; r++)
        open_rank(store, r);
    for (int32_t d = 0; d < site->shape->data && cfg->data.size_bytes > 0; d++)
        open_replica(store, d);
    return store;
}

/* ---- results --------------------------------------------------------------------------------- */

int64_t store_spans(const struct store *store, const struct store_span **list)
{
    *list = store->span;
    return store->span_n;
}

double store_checkpoint_s(const struct store *store)
{
    int64_t took_ps = 0, stored = 0;
    for (int64_t i = 0; i < store->span_n; i++) {
        if (store->span[i].end_ps == 0) continue;
        took_ps += store->span[i].end_ps - store->span[i].begin_ps;
        stored++;
    }
    return stored > 0 ? units_s(took_ps) / (double)stored : 0;
}

void store_record(const struct store *store, const char *entity, struct record *record)
{
    int64_t stall_ps = 0, stored = 0, resumed = 0;
    const double took_s = store_checkpoint_s(store);
    if (store->load_end_ps > 0)
        record_metric(record, entity, "load_s", "s",
                      units_s(store->load_end_ps - store->load_begin_ps));
    for (int64_t i = 0; i < store->span_n; i++) {
        const struct store_span *span = &store->span[i];
        stored += span->end_ps > 0;
        resumed += span->resume_ps > 0;
        if (span->resume_ps > 0) stall_ps += span->resume_ps - span->came_ps;
    }
    if (store->cfg->checkpoint.every_steps == 0) return;
    record_metric(record, entity, "checkpoints", "1", (double)stored);
    record_metric(record, entity, "checkpoint_bytes", "bytes",
                  (double)store->need.checkpoint_bytes);
    if (resumed > 0)
        record_metric(record, entity, "checkpoint_stall_s", "s",
                      units_s(stall_ps) / (double)resumed);
    if (stored == 0) return;
    record_metric(record, entity, "checkpoint_s", "s", took_s);
    record_metric(record, entity, "checkpoint_rate", "bit/s",
                  (double)store->need.checkpoint_bytes * 8 / took_s);
}
