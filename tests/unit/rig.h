/* rig.h - for tests: a node, a line and a storage server from a few words of YAML; whole jobs too.
 *
 * struct rig is what world.c builds for one node, without a job: what a session needs, open to the
 * test. struct job is a world that ran, with its record. cmocka.h is included before.
 */
#ifndef RAILSIM_TESTS_RIG_H
#define RAILSIM_TESTS_RIG_H

#include <stdio.h>
#include <string.h>

#include "models/flow/flow.h"
#include "models/storage/session.h"
#include "models/storage/wan.h"
#include "models/topo/topo.h"
#include "models/world.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define MB INT64_C(1000000)
#define GB INT64_C(1000000000)
#define MiB (INT64_C(1) << 20)
#define KiB INT64_C(1024)
#define RIG_SETS 2

/* rig_tree reads YAML; the test fails with the message if it cannot. */
static inline struct tree_node *rig_tree(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct tree_node *tree = tree_read_text(arena, "test.yaml", text, strlen(text), &err);
    if (!tree) err_print(&err, stderr);
    assert_non_null(tree);
    err_free(&err);
    return tree;
}

/* rig_bind fills config from the body of a flow map ("rate: 1Gbps, rtt: 2ms"); NULL = defaults. */
static inline void rig_bind(struct arena *arena, const struct schema *schema, const char *body,
                            void *config)
{
    struct err err = {0};
    struct tree_node *tree = rig_tree(arena, arena_printf(arena, "{%s}", body ? body : ""));
    struct schema_into into = {.arena = arena, .prefix = "", .err = &err};
    bool ok = schema_bind(&into, schema, tree, config);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
}

/* rig_plan fills plan from a client section ("kind: nfs, slots: 8"). */
static inline void rig_plan(struct arena *arena, const char *body, struct client_plan *plan)
{
    struct err err = {0};
    struct schema_variant client = {0};
    struct tree_node *tree = rig_tree(arena, arena_printf(arena, "{%s}", body));
    struct schema_into into = {.arena = arena, .prefix = "", .err = &err};
    bool ok = schema_bind_variant(&into, client_kinds, tree, &client);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
    client_list[client.index]->plan(client.config, plan);
}

/* struct rig_cfg: flow maps of the sections (NULL = defaults); plan, if set, instead of client. */
struct rig_cfg {
    const char *client, *server, *wan, *cache;
    const struct client_plan *plan;
    struct {
        int64_t files, file_bytes, total_bytes; /* total 0 = files * file_bytes */
    } set[RIG_SETS];
};

struct rig {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct fabric *fabric;
    struct wan wan;
    struct client_plan plan;
    struct server *server;
    struct cache *cache;
    struct session *session;
    struct file_set set[RIG_SETS];
};

/* The node's ports have no delay and as good as no limit: rtt is the line's alone. */
static inline void rig_network(struct rig *rig, int32_t *node, int32_t *storage)
{
    topo_init(&rig->graph, &rig->arena);
    *node = topo_node(&rig->graph, TOPO_HOST, "node0");
    *storage = topo_node(&rig->graph, TOPO_STORAGE, "storage");
    topo_cable(&rig->graph, &(struct topo_link){.from = *node,
                                                .to = *storage,
                                                .kind = TOPO_WAN,
                                                .rate_bps = rig->wan.free_bps,
                                                .delay_ps = rig->wan.one_way_ps});
    rig->fabric = flow_new(rig->sim, &rig->graph);
}

static inline void rig_sets(struct rig *rig, const struct rig_cfg *cfg)
{
    struct cache_cfg *cache = ARENA_NEW(&rig->arena, struct cache_cfg);
    rig_bind(&rig->arena, &cache_schema, cfg->cache, cache);
    rig->cache = cache_new(&rig->arena, cache);
    const struct file_set *sets[RIG_SETS];
    int n = 0;
    for (; n < RIG_SETS && cfg->set[n].files > 0; n++) {
        int64_t total = cfg->set[n].total_bytes;
        rig->set[n] = (struct file_set){
            .files = cfg->set[n].files, .file_bytes = cfg->set[n].file_bytes, .total_bytes = total};
        if (total == 0) rig->set[n].total_bytes = cfg->set[n].files * cfg->set[n].file_bytes;
        cache_add(rig->cache, &rig->set[n]);
        sets[n] = &rig->set[n];
    }
    cache_start(rig->cache, sets, n);
}

static inline void rig_open(struct rig *rig, const struct rig_cfg *cfg)
{
    *rig = (struct rig){0};
    rig->sim = sim_new(&rig->arena, 1, "a test");
    struct wan_cfg *wan = ARENA_NEW(&rig->arena, struct wan_cfg);
    struct server_cfg *server = ARENA_NEW(&rig->arena, struct server_cfg);
    rig_bind(&rig->arena, &wan_schema, cfg->wan, wan);
    rig_bind(&rig->arena, &server_schema, cfg->server, server);
    wan_init(&rig->wan, wan);
    int32_t node, storage;
    rig_network(rig, &node, &storage);
    if (cfg->plan) {
        rig->plan = *cfg->plan;
    } else {
        rig_plan(&rig->arena, cfg->client, &rig->plan);
    }
    rig->server = server_new(rig->sim, rig->plan.local ? &rig->plan.device : server);
    rig_sets(rig, cfg);
    rig->session = session_new(rig->sim, &(struct session_cfg){.plan = &rig->plan,
                                                               .fabric = rig->fabric,
                                                               .wan = &rig->wan,
                                                               .server = rig->server,
                                                               .cache = rig->cache,
                                                               .port = &node,
                                                               .port_n = 1,
                                                               .server_node = storage,
                                                               .name = "storage/client0"});
}

static inline void rig_close(struct rig *rig)
{
    arena_free(&rig->arena);
}

/* rig_run runs to the end of events, or to sim_finish. */
static inline int64_t rig_run(struct rig *rig)
{
    sim_run(rig->sim, &(struct sim_limits){0});
    return sim_now_ps(rig->sim);
}

/* rig_run_until runs up to at_ps. */
static inline void rig_run_until(struct rig *rig, int64_t at_ps)
{
    sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = at_ps});
}

/* rig_metric returns a metric of the session. */
static inline int64_t rig_metric(const struct rig *rig, const char *entity, const char *name)
{
    struct record record;
    record_init(&record);
    session_record(rig->session, &record);
    double value = -1;
    assert_true(record_find(&record, entity, name, &value));
    record_free(&record);
    return (int64_t)value;
}

static inline int64_t rig_count(const struct rig *rig, const char *name)
{
    return rig_metric(rig, "storage/client0", name);
}

/* ---- whole jobs ------------------------------------------------------------------------------ */

struct job {
    struct arena arena;
    struct sim *sim;
    enum sim_stop stop;
    struct record record;
};

/* job_run builds a world from two YAML texts and runs it; job_free when done with the record. */
static inline void job_run(struct job *job, const char *topology, const char *workload,
                           const struct sim_limits *limits)
{
    *job = (struct job){0};
    struct err err = {0};
    void *config = arena_alloc(&job->arena, world_topology_schema.size);
    struct schema_variant variant = {0};
    struct schema_into into = {.arena = &job->arena, .prefix = "", .err = &err};
    bool ok = schema_bind(&into, &world_topology_schema, rig_tree(into.arena, topology), config);
    ok &=
        schema_bind_variant(&into, world_workload_kinds, rig_tree(into.arena, workload), &variant);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
    record_init(&job->record);
    job->sim = sim_new(&job->arena, 1, "a test");
    struct world *world = world_build(job->sim, config, &variant, NULL);
    job->stop = sim_run(job->sim, limits ? limits : &(struct sim_limits){0});
    world_finish(world, job->stop, &job->record);
}

static inline void job_free(struct job *job)
{
    record_free(&job->record);
    arena_free(&job->arena);
}

static inline double job_metric(const struct job *job, const char *entity, const char *name)
{
    double value = -1;
    if (!record_find(&job->record, entity, name, &value)) fail_msg("no metric %s %s", entity, name);
    return value;
}

static inline double job_run_metric(const struct job *job, const char *name)
{
    return job_metric(job, "run", name);
}

/* job_phase returns the phase called name. */
static inline const struct record_phase *job_phase(const struct job *job, const char *name)
{
    for (int64_t p = 0; p < job->record.phase_n; p++)
        if (strcmp(job->record.phases[p].name, name) == 0) return &job->record.phases[p];
    fail_msg("no phase %s", name);
    return NULL;
}

/* job_share returns the time of a phase in a category held up by bound; NULL = any. */
static inline int64_t job_share(const struct job *job, const char *phase, const char *category,
                                const char *bound)
{
    int64_t sum_ps = 0;
    for (int64_t s = 0; s < job->record.share_n; s++) {
        const struct record_share *share = &job->record.shares[s];
        if (phase && strcmp(job->record.phases[share->phase].name, phase) != 0) continue;
        if (category && strcmp(share->category, category) != 0) continue;
        if (bound && strcmp(share->bound, bound) != 0) continue;
        sum_ps += share->time_ps;
    }
    return sum_ps;
}

/* assert_near: got is expected within a relative tolerance. */
#define assert_near(got, expected, tolerance)                                                      \
    do {                                                                                           \
        double got_ = (double)(got), expected_ = (double)(expected);                               \
        double off_ = got_ - expected_, most_ = (tolerance)*expected_;                             \
        if (off_ > most_ || -off_ > most_)                                                         \
            fail_msg("%s is %.9g, expected %.9g within %g", #got, got_, expected_,                 \
                     (double)(tolerance));                                                         \
    } while (0)

#endif
