/* collective_file.c - a collective whose algorithm is a file: MSCCL's XML.
 *
 * Apart from collective_choice.c because there is nothing to choose: the file says who sends what
 * to whom, on which channels, by which protocol. NOT modelled: NCCL's fall-back to an algorithm of
 * its own where the file does not fit; that is an error.
 */
#include "models/cluster/collective.h"
#include "models/trace/msccl_plan.h"
#include "sim/base/check.h"

static bool read_file(const struct collective_cfg *cfg, struct arena *arena, struct err *err,
                      struct msccl *algorithm)
{
    return msccl_read(&(struct msccl_source){.file = cfg->file, .arena = arena, .err = err},
                      algorithm);
}

/* A wrong algorithm is an error, one that is too large to try only a note. */
static bool check_delivery(const struct collective_cfg *cfg, const struct msccl *algorithm,
                           struct err *err)
{
    bool skipped;
    if (!msccl_deliver(&(struct msccl_source){.file = cfg->file, .err = err}, algorithm, &skipped))
        return false;
    if (skipped && algorithm->coll < COLL_OPS)
        fprintf(stderr, "note: %s is too large to check what it delivers\n", cfg->file);
    return true;
}

static struct coll_ask make_ask(const struct collective_cfg *cfg, const struct msccl *algorithm,
                                int64_t ranks)
{
    return (struct coll_ask){.op = (enum coll_op)cfg->op,
                             .protocol = cfg->protocol > 0 ? (enum coll_protocol)(cfg->protocol - 1)
                                                           : algorithm->protocol,
                             .bytes = cfg->bytes,
                             .ranks = (int32_t)ranks,
                             .local = 1,
                             .root = (int32_t)cfg->root,
                             .channels = 1,
                             .slices = 1,
                             .chunk_bytes = cfg->chunk_bytes};
}

bool collective_file_check(const struct collective_cfg *cfg, int64_t ranks, struct err *err)
{
    struct arena scratch = {0};
    struct msccl algorithm;
    struct coll_plan plan;
    bool ok = read_file(cfg, &scratch, err, &algorithm);
    if (ok && ranks == 0) ok = check_delivery(cfg, &algorithm, err);
    if (ok && ranks > 0) {
        const struct coll_ask ask = make_ask(cfg, &algorithm, ranks);
        const char *wrong = msccl_plan(&plan, &algorithm, &ask, &scratch);
        if (wrong) ok = err_add(err, (struct err_pos){.file = cfg->file}, "%s", wrong);
    }
    arena_free(&scratch);
    return ok;
}

const char *collective_file_plan(const struct collective_cfg *cfg,
                                 const struct collective_site *site, struct coll_plan *plan)
{
    struct arena *arena = sim_arena(cluster_sim(site->cluster));
    struct msccl *algorithm = ARENA_NEW(arena, struct msccl);
    struct err err = {0};
    bool ok = read_file(cfg, arena, &err, algorithm);
    CHECK(ok, "%s, which has been read before: %s", cfg->file, err.count ? err.messages[0] : "");
    err_free(&err);
    struct coll_ask ask =
        make_ask(cfg, algorithm, cfg->ranks ? cfg->ranks : cluster_facts(site->cluster)->gpus);
    if (ask.chunk_bytes == 0) ask.chunk_bytes = site->facts->chunk_bytes;
    return msccl_plan(plan, algorithm, &ask, arena);
}
