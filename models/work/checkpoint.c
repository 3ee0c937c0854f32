/* checkpoint.c - keys and writers of checkpoints (checkpoint.h).
 *
 * NOT modelled: reading a checkpoint back, failures, several tiers.
 */
#include "models/work/checkpoint.h"

#include "sim/base/units.h"

const char *const checkpoint_modes[] = {"sync", "async", NULL};

static const struct schema_field fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct checkpoint_cfg, size_bytes),
     .fallback = "0B",
     .max = "1000PB",
     .help = "Bytes of one checkpoint over all nodes."},
    {.key = "files",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct checkpoint_cfg, files),
     .fallback = "8",
     .min = "1",
     .max = "100000000",
     .help = "Files of equal size, written in parallel, one per GPU at a time."},
    CHECKPOINT_FIELDS,
    {.key = NULL},
};
const struct schema checkpoint_schema = {
    .name = "checkpoint",
    .help = "Checkpoints in the run, on the clock.",
    .size = sizeof(struct checkpoint_cfg),
    .fields = fields,
};

struct checkpoint {
    const struct checkpoint_cfg *cfg;
    struct sim *sim;
    const struct file_set *set;
    struct checkpoint_nodes nodes;
    struct reader *writers; /* [nodes.n] */
    int64_t busy;           /* writers under way */
    bool awaited;           /* training waits for the writers */
    struct timer snapshot;
    enum bound snapshot_bound; /* of the wait that the snapshot ends */
};

static void start_writers(struct checkpoint *checkpoint)
{
    const struct file_set *set = checkpoint->set;
    int64_t n = checkpoint->nodes.n;
    for (int64_t i = 0; i < n; i++) {
        int64_t begin = set->files * i / n * set->file_bytes;
        int64_t end = set->files * (i + 1) / n * set->file_bytes;
        if (end > set->total_bytes) end = set->total_bytes;
        if (begin >= end) continue;
        checkpoint->busy++;
        reader_start(&checkpoint->writers[i], begin, end);
    }
}

static void begin_snapshot(struct checkpoint *checkpoint, enum bound bound)
{
    int64_t gpus = checkpoint->nodes.n * checkpoint->nodes.gpus;
    int64_t share_bytes = checkpoint->cfg->size_bytes / gpus;
    checkpoint->snapshot_bound = bound;
    timer_after(checkpoint->sim, &checkpoint->snapshot,
                units_serialise_ps(share_bytes, checkpoint->cfg->snapshot_bps));
}

static void on_snapshot(struct sim *sim, void *self)
{
    (void)sim;
    struct checkpoint *checkpoint = self;
    start_writers(checkpoint);
    checkpoint->nodes.resume(checkpoint->nodes.owner, checkpoint->snapshot_bound);
}

static void on_written(struct sim *sim, struct reader *writer)
{
    (void)sim;
    struct checkpoint *checkpoint = writer->owner;
    if (!reader_at_end(writer)) return;
    if (--checkpoint->busy > 0 || !checkpoint->awaited) return;
    checkpoint->awaited = false;
    if (checkpoint->cfg->mode == CHECKPOINT_SYNC) {
        checkpoint->nodes.resume(checkpoint->nodes.owner, writer->bound);
    } else {
        begin_snapshot(checkpoint, writer->bound);
    }
}

void checkpoint_begin(struct checkpoint *checkpoint)
{
    bool sync = checkpoint->cfg->mode == CHECKPOINT_SYNC;
    if (sync) start_writers(checkpoint);
    checkpoint->awaited = sync || checkpoint->busy > 0;
    if (!checkpoint->awaited) begin_snapshot(checkpoint, BOUND_COMPUTE);
}

struct checkpoint *checkpoint_new(struct sim *sim, const struct checkpoint_cfg *cfg,
                                  const struct file_set *set, const struct checkpoint_nodes *nodes)
{
    struct checkpoint *checkpoint = ARENA_NEW(sim_arena(sim), struct checkpoint);
    checkpoint->cfg = cfg;
    checkpoint->sim = sim;
    checkpoint->set = set;
    checkpoint->nodes = *nodes;
    checkpoint->writers = ARENA_ARRAY(sim_arena(sim), struct reader, nodes->n);
    timer_init(&checkpoint->snapshot, on_snapshot, checkpoint, sim_component(sim), 0);
    for (int64_t i = 0; i < nodes->n; i++) {
        struct reader_draws draws = nodes->draws;
        draws.at.node += (int32_t)i;
        checkpoint->writers[i] = (struct reader){.session = nodes->session[i],
                                                 .set = set,
                                                 .write = true,
                                                 .threads = nodes->gpus,
                                                 .progress = on_written,
                                                 .draws = draws,
                                                 .owner = checkpoint};
        reader_init(&checkpoint->writers[i]);
    }
    return checkpoint;
}
