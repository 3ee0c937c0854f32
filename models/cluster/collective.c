/* collective.c - one collective: chosen, planned, run, timed.
 *
 * The one idea: nccl-tests' table line from a simulation: time from the common start to the last
 * rank's end; algbw = size / time; busbw = algbw times the operation's factor.
 * NOT modelled: iterations and their jitter (each would be the same).
 */
#include "models/cluster/collective.h"

#include "models/cluster/coll_draw.h"
#include "models/cluster/coll_run.h"
#include "models/trace/msccl_plan.h"
#include "sim/base/units.h"

struct collective {
    struct collective_site site;
    struct coll_plan plan;
    struct coll_run *run; /* NULL: wrong says why */
    const char *wrong;
    int64_t start_ps, end_ps;
    int32_t left; /* ranks that are not done */
};

/* ---- the run --------------------------------------------------------------------------------- */

static void draw_rank(const struct collective *collective, int32_t rank)
{
    const struct coll_ask *ask = &collective->plan.ask;
    const struct spans_lane at =
        coll_draw_lane(&(struct coll_draw_place){.cluster = collective->site.cluster,
                                                 .gpu = rank,
                                                 .block = -1,
                                                 .blocks = collective->plan.blocks});
    if (!collective->site.spans) return;
    spans_add(collective->site.spans,
              &(struct span){.at = at,
                             .name = coll_op_names[ask->op],
                             .category = "communication",
                             .start_ps = collective->start_ps,
                             .end_ps = sim_now_ps(cluster_sim(collective->site.cluster)),
                             .bytes = ask->bytes});
}

static void rank_done(struct sim *sim, struct coll_run *run, int32_t rank)
{
    struct collective *collective = coll_run_owner(run);
    draw_rank(collective, rank);
    if (--collective->left > 0) return;
    collective->end_ps = sim_now_ps(sim);
    sim_finish(sim);
}

/* Returns NULL, or why there is none. */
static const char *make_plan(const struct collective_cfg *cfg, const struct collective_site *site,
                             struct coll_plan *plan)
{
    struct arena *arena = sim_arena(cluster_sim(site->cluster));
    struct coll_ask ask;
    if (collective_has_file(cfg)) return collective_file_plan(cfg, site, plan);
    int algorithm = collective_choose(cfg, site, &ask);
    const char *wrong = coll_plan(plan, coll_list[algorithm], &ask, arena);
    return wrong ? arena_printf(arena, "algorithm %s cannot run: %s", coll_names[algorithm], wrong)
                 : NULL;
}

struct collective *collective_new(const struct collective_cfg *cfg,
                                  const struct collective_site *site)
{
    struct arena *arena = sim_arena(cluster_sim(site->cluster));
    struct collective *collective = ARENA_NEW(arena, struct collective);
    collective->site = *site;
    collective->wrong = make_plan(cfg, site, &collective->plan);
    if (collective->wrong) return collective;
    struct coll_run_cfg run = {.plan = &collective->plan,
                               .gpu = site->gpu,
                               .spans = site->spans,
                               .done = rank_done,
                               .owner = collective};
    collective_pace(site, &collective->plan, &run);
    collective->run = coll_run_new(site->cluster, &run);
    return collective;
}

void collective_start(struct collective *collective)
{
    if (!collective->run) return;
    collective->start_ps = sim_now_ps(cluster_sim(collective->site.cluster));
    collective->left = collective->plan.ask.ranks;
    coll_run_start(collective->run);
}

const char *collective_waits_for(const struct collective *collective, struct arena *arena)
{
    if (!collective->run) return arena_strdup(arena, collective->wrong);
    return coll_run_waits_for(collective->run, arena);
}

/* ---- results --------------------------------------------------------------------------------- */

static const char *algorithm_name(const struct coll_plan *plan)
{
    int i = 0;
    if (msccl_plan_name(plan)) return msccl_plan_name(plan);
    while (coll_list[i] != plan->ops)
        i++;
    return coll_names[i];
}

/* Payload that the busiest rank has sent. */
static int64_t most_sent(const struct collective *collective)
{
    int64_t most = 0;
    for (int32_t r = 0; r < collective->plan.ask.ranks; r++) {
        int64_t bytes = coll_run_sent_bytes(collective->run, r);
        if (bytes > most) most = bytes;
    }
    return most;
}

void collective_record(const struct collective *collective, struct record *record)
{
    const struct coll_ask *ask = &collective->plan.ask;
    if (!collective->run) return;
    const struct coll_run_count count = coll_run_count(collective->run);
    record_metric(record, "collective", "messages", "1", (double)count.sent);
    record_metric(record, "collective", "steps", "1", (double)count.steps);
    record_metric(record, "collective", "sent_bytes", "bytes", (double)count.bytes);
    record_metric(record, "collective", "rank_sent_bytes", "bytes", (double)most_sent(collective));
    record_metric(record, "collective", "channels", "1", (double)ask->channels);
    record_metric(record, "collective", "ranks", "1", (double)ask->ranks);
    record_metric(record, "collective", "size", "bytes", (double)ask->bytes);
    if (collective->left > 0) return;
    double time_s = units_s(collective->end_ps - collective->start_ps);
    record_phase(record,
                 arena_printf(&record->arena, "%s %s %s", coll_op_names[ask->op],
                              algorithm_name(&collective->plan),
                              coll_protocol_names[ask->protocol]),
                 collective->start_ps, collective->end_ps);
    record_metric(record, "run", "time_s", "s", time_s);
    if (time_s <= 0) return;
    double algbw = (double)ask->bytes / time_s;
    record_metric(record, "run", "algbw", "bytes/s", algbw);
    record_metric(record, "run", "busbw", "bytes/s", algbw * coll_bus_factor(ask->op, ask->ranks));
}
