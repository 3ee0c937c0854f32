/* loader.c - read, shuffle, decode, prefetch (loader.h).
 *
 * Batches are numbered through all passes; cumulative bytes decide what is possible:
 *   batch g of pass e can be decoded when  base(e) + min(L, (k+1) L/S + shuffle)  bytes are read.
 * NOT modelled: records one by one (a batch is the grain), augmentations that depend on content.
 */
#include "models/work/loader.h"

#include "sim/base/units.h"

struct process {
    struct loader *loader;
    struct reader reader;
    struct timer decode;
    int64_t begin, end;       /* slice of the set */
    int64_t pass, base_bytes; /* the reader's pass; bytes of all passes before it */
    bool reading, decoding;
    int64_t decoded, taken;    /* batches */
    int64_t raw_ready_ps;      /* when the bytes of the next batch were complete; -1 = not yet */
    struct bound_ledger waits; /* since somebody waits for us */
    int64_t waits_since_ps;
};

struct loader {
    struct loader_cfg cfg;
    struct sim *sim;
    struct process *process;
    int64_t process_n, ready_n; /* ready: with at least one batch */
    bool awaited;
    int64_t awaited_since_ps;
    enum bound bound;
};

static void advance(struct process *process);

/* First byte that a pass reads: decoded samples in memory are not read again. */
static int64_t pass_begin(const struct process *process, int64_t pass)
{
    if (pass == 0) return process->begin;
    int64_t bytes = process->end - process->begin;
    return process->begin + (int64_t)(process->loader->cfg.cached_fraction * (double)bytes);
}

static int64_t pass_bytes(const struct process *process, int64_t pass)
{
    return process->end - pass_begin(process, pass);
}

/* Bytes of all passes before pass. */
static int64_t base_bytes(const struct process *process, int64_t pass)
{
    if (pass == 0) return 0;
    return pass_bytes(process, 0) + (pass - 1) * pass_bytes(process, 1);
}

static int64_t mul_div(int64_t a, int64_t b, int64_t c)
{
    __extension__ typedef __int128 wide;
    return (int64_t)((wide)a * b / c);
}

/* Cumulative bytes that must be read before batch g can be decoded. */
static int64_t needed_bytes(const struct process *process, int64_t g)
{
    const struct loader_cfg *cfg = &process->loader->cfg;
    int64_t pass = g / cfg->steps, k = g % cfg->steps, all = pass_bytes(process, pass);
    int64_t shuffle = mul_div(cfg->shuffle_records, cfg->set->total_bytes, cfg->records);
    int64_t need = mul_div(all, k + 1, cfg->steps) + shuffle;
    return base_bytes(process, pass) + (need < all ? need : all);
}

static int64_t read_bytes(const struct process *process)
{
    return process->base_bytes + (process->reading ? process->reader.taken_bytes : 0);
}

/* One batch beyond the one that is being made may be read. */
static void allow(struct process *process)
{
    const struct loader_cfg *cfg = &process->loader->cfg;
    int64_t next = process->decoded + 1;
    if (next >= cfg->steps * cfg->passes) next = cfg->steps * cfg->passes - 1;
    int64_t allowed = needed_bytes(process, next);
    if (!process->reading && process->pass < cfg->passes && allowed > process->base_bytes) {
        process->reading = true;
        reader_start(&process->reader, pass_begin(process, process->pass), process->end);
    }
    if (process->reading) reader_allow(&process->reader, allowed - process->base_bytes);
}

static void become_ready(struct process *process, int64_t raw_ready_ps)
{
    struct loader *loader = process->loader;
    if (++loader->ready_n < loader->process_n || !loader->awaited) return;
    int64_t stalled_ps = sim_now_ps(loader->sim) - loader->awaited_since_ps;
    int64_t decode_ps = sim_now_ps(loader->sim) - raw_ready_ps;
    bool decode = 2 * decode_ps > stalled_ps;
    loader->bound = decode ? BOUND_DECODE : bound_largest(&process->waits, BOUND_READAHEAD);
    loader->awaited = false;
    loader->cfg.ready(loader->sim, loader);
}

static void on_decoded(struct sim *sim, void *self)
{
    (void)sim;
    struct process *process = self;
    process->decoding = false;
    int64_t raw_ready_ps = process->raw_ready_ps;
    process->raw_ready_ps = -1;
    bool first = process->decoded++ == process->taken;
    if (first) become_ready(process, raw_ready_ps);
    advance(process);
}

/* Decode the next batch if its bytes are there and there is room for it. */
static void advance(struct process *process)
{
    struct loader *loader = process->loader;
    const struct loader_cfg *cfg = &loader->cfg;
    allow(process);
    if (process->decoding || process->decoded == cfg->steps * cfg->passes) return;
    if (read_bytes(process) < needed_bytes(process, process->decoded)) return;
    if (process->raw_ready_ps < 0) process->raw_ready_ps = sim_now_ps(loader->sim);
    if (process->decoded - process->taken >= cfg->prefetch) return;
    double share = process->decoded < cfg->steps ? 1 : 1 - cfg->cached_fraction;
    double batch = (double)cfg->records / (double)(cfg->steps * loader->process_n);
    int64_t decode_ps = cfg->decode_rate > 0 ? units_ps(share * batch / cfg->decode_rate) : 0;
    process->decoding = true;
    timer_after(loader->sim, &process->decode, decode_ps);
}

static void on_read(struct sim *sim, struct reader *reader)
{
    struct process *process = reader->owner;
    int64_t now_ps = sim_now_ps(sim);
    bound_add(&process->waits, reader->bound, now_ps - process->waits_since_ps);
    process->waits_since_ps = now_ps;
    if (process->reading && reader_at_end(reader)) {
        process->base_bytes += reader->taken_bytes;
        process->reading = false;
        process->pass++;
    }
    advance(process);
}

/* Where process i draws: node by node, a lane for each of its threads. */
static struct reader_draws draws_of(const struct loader *loader, int64_t i, int64_t per_node)
{
    struct reader_draws draws = loader->cfg.draws;
    if (!draws.spans) return draws;
    draws.at.node = (int32_t)(i / per_node);
    draws.at.lane += (int32_t)(i % per_node * loader->cfg.threads);
    draws.name = arena_printf(sim_arena(loader->sim), "GPU %d %s", (int)(i % per_node), draws.name);
    return draws;
}

static void init_process(struct loader *loader, int64_t i, struct session *session,
                         int64_t per_node)
{
    const struct loader_cfg *cfg = &loader->cfg;
    struct process *process = &loader->process[i];
    process->loader = loader;
    process->begin = mul_div(cfg->set->total_bytes, i, loader->process_n);
    process->end = mul_div(cfg->set->total_bytes, i + 1, loader->process_n);
    process->reader = (struct reader){.session = session,
                                      .set = cfg->set,
                                      .threads = cfg->threads,
                                      .progress = on_read,
                                      .draws = draws_of(loader, i, per_node),
                                      .owner = process};
    reader_init(&process->reader);
    timer_init(&process->decode, on_decoded, process, sim_component(loader->sim), 0);
}

struct loader *loader_new(struct sim *sim, const struct loader_cfg *cfg,
                          struct session *const *sessions, int64_t n, int64_t processes_per_session)
{
    struct loader *loader = ARENA_NEW(sim_arena(sim), struct loader);
    loader->cfg = *cfg;
    loader->sim = sim;
    loader->process_n = n * processes_per_session;
    loader->process = ARENA_ARRAY(sim_arena(sim), struct process, loader->process_n);
    for (int64_t i = 0; i < loader->process_n; i++)
        init_process(loader, i, sessions[i / processes_per_session], processes_per_session);
    return loader;
}

void loader_start(struct loader *loader)
{
    loader->ready_n = 0;
    loader->awaited = false;
    for (int64_t i = 0; i < loader->process_n; i++) {
        struct process *process = &loader->process[i];
        process->pass = process->base_bytes = process->decoded = process->taken = 0;
        process->reading = process->decoding = false;
        process->raw_ready_ps = -1;
    }
    for (int64_t i = 0; i < loader->process_n; i++)
        advance(&loader->process[i]);
}

bool loader_ready(struct loader *loader)
{
    if (loader->ready_n == loader->process_n) return true;
    loader->awaited = true;
    loader->awaited_since_ps = sim_now_ps(loader->sim);
    for (int64_t i = 0; i < loader->process_n; i++) {
        loader->process[i].waits = (struct bound_ledger){{0}};
        loader->process[i].waits_since_ps = loader->awaited_since_ps;
    }
    return false;
}

void loader_take(struct loader *loader)
{
    CHECK(loader->ready_n == loader->process_n, "a batch is taken that is not there");
    loader->ready_n = 0;
    for (int64_t i = 0; i < loader->process_n; i++)
        loader->ready_n += ++loader->process[i].taken < loader->process[i].decoded;
    for (int64_t i = 0; i < loader->process_n; i++)
        advance(&loader->process[i]);
}

enum bound loader_bound(const struct loader *loader)
{
    return loader->bound;
}

void *loader_owner(const struct loader *loader)
{
    return loader->cfg.owner;
}
