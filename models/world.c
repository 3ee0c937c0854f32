/* world.c - how nodes, network, storage and workload are put together.
 *
 *   node (GPUs, page cache, storage client) -- NIC -- fabric -- WAN line -- storage server
 *
 * Traffic as such (kind: flows) needs only the fabric; a training job brings storage with it;
 * collectives (kind: collective) have GPUs and NVLink on top of the fabric.
 * Telemetry and the search for deadlocks are no events: the run is stopped where they are due.
 */
#include "models/world.h"

#include <string.h>

#include "models/cluster/collective.h"
#include "models/flow/flow.h"
#include "models/net/buffers.h"
#include "models/net/net.h"
#include "models/net/stuck.h"
#include "models/replay/replay.h"
#include "models/route/route.h"
#include "models/step/cnn.h"
#include "models/step/llm.h"
#include "models/topo/topo.h"
#include "models/work/flows.h"
#include "models/work/train.h"
#include "models/world_cfg.h"
#include "models/world_storage.h"

#define PHASE_LANES 8 /* of a timeline */

/* ---- building -------------------------------------------------------------------------------- */

struct world {
    struct sim *sim;
    const struct world_topology *topology;
    const struct spans *spans; /* NULL: nobody draws */
    struct topo_graph graph;
    struct topo_made made;
    struct fabric *fabric;
    struct world_storage storage;
    struct file_set sets[TRAIN_SETS_MAX];
    struct train *train; /* or */
    struct flows *flows;
    struct cluster *cluster;       /* with */
    struct collective *collective; /* or */
    struct jobs *jobs;             /* or */
    struct replay *replay;
    struct telemetry *telemetry; /* NULL: none */
    struct stuck stuck;
};

/* Nodes at their switches. */
static void build_graph(const struct world_topology *cfg, struct arena *arena,
                        struct topo_graph *graph, struct topo_made *made)
{
    topo_init(graph, arena);
    topo_list[cfg->fabric.index]->build(cfg->fabric.config,
                                        &(struct topo_ask){.nodes = cfg->node.count,
                                                           .nic_bps = cfg->nic.rate_bps,
                                                           .nic_delay_ps = cfg->nic.delay_ps},
                                        graph, made);
}

static void build_fabric(struct world *world)
{
    const struct net_cfg *cfg = &world->topology->network;
    const bool spread = route_list[cfg->routing.index]->per_packet;
    world->fabric = cfg->model == NET_PACKET ? net_new(world->sim, &world->graph, cfg)
                    : spread                 ? flow_new_spread(world->sim, &world->graph)
                                             : flow_new(world->sim, &world->graph);
    fault_start(&world->topology->faults, &world->graph, world->fabric);
}

static void open_storage(struct world *world, int set_n)
{
    world_storage_open(&world->storage, world->topology,
                       &(struct world_storage_site){.sim = world->sim,
                                                    .fabric = world->fabric,
                                                    .nodes = world->made.nodes,
                                                    .sets = world->sets,
                                                    .set_n = set_n});
}

static void build_training(struct world *world, const struct train_cfg *cfg)
{
    const struct world_topology *topology = world->topology;
    world_storage_attach(&world->storage, topology, &world->graph, &world->made);
    build_fabric(world);
    open_storage(world, train_sets(cfg, world->sets));
    world->train = train_new(world->sim, cfg,
                             &(struct train_nodes){.session = world->storage.session,
                                                   .n = world->made.nodes,
                                                   .gpus = topology->node.gpus,
                                                   .gpu_link_bps = topology->node.gpu_link_bps,
                                                   .spans = world->spans},
                             world->sets);
    train_start(world->train);
}

/* Where flows may begin and end. */
static struct flows_hosts find_hosts(const struct world_topology *cfg,
                                     const struct topo_graph *graph, const struct topo_made *made)
{
    int64_t n = made->nodes * made->node_ports;
    int32_t *edge_of = ARENA_ARRAY(graph->arena, int32_t, n);
    int32_t *towards = ARENA_ARRAY(graph->arena, int32_t, graph->node_n);
    for (int64_t l = 0; l < graph->link_n; l++)
        towards[graph->links[l].from] = graph->links[l].to;
    for (int64_t i = 0; i < n; i++)
        edge_of[i] = towards[made->endpoint[i]];
    return (struct flows_hosts){.endpoint = made->endpoint,
                                .edge_of = edge_of,
                                .n = n,
                                .framing = {cfg->network.mtu_bytes, net_data_bytes(&cfg->network)},
                                .classes = cfg->network.classes.n};
}

static void build_flows(struct world *world, const struct flows_cfg *cfg)
{
    build_fabric(world);
    const struct flows_hosts hosts = find_hosts(world->topology, &world->graph, &world->made);
    world->flows = flows_new(world->sim, cfg, world->fabric, &hosts);
    flows_start(world->flows);
}

/* The GPUs on top of the fabric. */
static void build_cluster(struct world *world)
{
    const struct world_node *node = &world->topology->node;
    build_fabric(world);
    world->cluster = cluster_new(
        world->sim, &(struct cluster_parts){
                        .cfg = &(struct cluster_cfg){.gpus = node->gpus,
                                                     .domain = node->domain,
                                                     .link_bps = node->gpu_link_bps,
                                                     .link_delay_ps = node->gpu_link_delay_ps,
                                                     .link_efficiency = node->gpu_link_efficiency,
                                                     .switch_efficiency = node->switch_efficiency,
                                                     .pxn = node->pxn},
                        .graph = &world->graph,
                        .made = &world->made,
                        .fabric = world->fabric,
                        .framing = {world->topology->network.mtu_bytes,
                                    net_data_bytes(&world->topology->network)}});
}

static void build_collective(struct world *world, const struct collective_cfg *cfg)
{
    build_cluster(world);
    world->collective =
        collective_new(cfg, &(struct collective_site){.cluster = world->cluster,
                                                      .facts = &world->topology->collectives,
                                                      .device = &world->topology->node.device,
                                                      .spans = world->spans});
    collective_start(world->collective);
}

static bool is_job(const struct schema_variant *workload)
{
    return strcmp(workload->kind, llm_schema.name) == 0 ||
           strcmp(workload->kind, cnn_schema.name) == 0;
}

static const struct store_cfg *store_of(const struct schema_variant *workload)
{
    return strcmp(workload->kind, llm_schema.name) == 0
               ? &((const struct llm_cfg *)workload->config)->store
               : &((const struct cnn_cfg *)workload->config)->store;
}

/* Storage, if the jobs want any; the files they read are known only then. */
static void build_store(struct world *world, const struct job_spec *spec, struct job_site *site)
{
    if (!store_wanted(spec->store)) return;
    open_storage(world, store_sets(spec->store, &spec->need, &spec->plan.shape, world->sets));
    site->session = world->storage.session;
    site->sets = world->sets;
}

static void build_jobs(struct world *world, const struct schema_variant *workload)
{
    struct arena *arena = sim_arena(world->sim);
    if (store_wanted(store_of(workload)))
        world_storage_attach(&world->storage, world->topology, &world->graph, &world->made);
    build_cluster(world);
    struct job_site site = {.cluster = world->cluster,
                            .facts = &world->topology->collectives,
                            .device = &world->topology->node.device,
                            .spans = world->spans};
    const bool llm = strcmp(workload->kind, llm_schema.name) == 0;
    const struct job_cfg *cfg = llm ? &((const struct llm_cfg *)workload->config)->job
                                    : &((const struct cnn_cfg *)workload->config)->job;
    const struct job_spec spec =
        llm ? llm_job(workload->config, &site, arena) : cnn_job(workload->config, &site, arena);
    build_store(world, &spec, &site);
    world->jobs = jobs_new(cfg, &site, &spec);
    jobs_start(world->jobs);
}

static void build_replay(struct world *world, const struct replay_cfg *cfg)
{
    build_cluster(world);
    world->replay = replay_new(cfg, &(struct replay_site){.cluster = world->cluster,
                                                          .facts = &world->topology->collectives,
                                                          .device = &world->topology->node.device,
                                                          .spans = world->spans});
    replay_start(world->replay);
}

static int64_t domain_of(const struct world_topology *topology)
{
    return topology->node.domain ? topology->node.domain : topology->node.gpus;
}

/* C054: servers fill NVLink domains. */
static bool check_domains(const struct world_topology *topology, int64_t gpus, struct err *err)
{
    int64_t domain = domain_of(topology);
    return gpus % domain == 0 ||
           err_key(err, "node.domain", "C054: %lld GPUs do not fill NVLink domains of %lld",
                   (long long)gpus, (long long)domain);
}

/* The NICs of a server, one way. */
static int64_t nics_bps(const struct topo_graph *graph, const struct topo_made *made)
{
    int64_t sum_bps = 0;
    for (int64_t l = 0; l < graph->link_n; l++)
        for (int64_t p = 0; p < made->node_ports; p++)
            if (graph->links[l].from == made->endpoint[p]) sum_bps += graph->links[l].rate_bps;
    return sum_bps;
}

/* C097: how long compute takes follows from the accelerator. */
static bool check_jobs(const struct world_topology *topology, const struct topo_graph *graph,
                       const struct topo_made *made, const struct schema_variant *workload,
                       struct err *err)
{
    const struct world_node *node = &topology->node;
    const struct job_room room = {.gpus = made->nodes * node->gpus,
                                  .node_gpus = node->gpus,
                                  .device = &node->device,
                                  .gpu_link_bps = (double)node->gpu_link_bps,
                                  .nic_bps = (double)nics_bps(graph, made) / (double)node->gpus,
                                  .storage = world_storage_way(topology)};
    if (node->device.bf16_tflops <= 0 || node->device.memory_bps == 0)
        return err_key(err, "node.accelerator",
                       "C097: the topology does not say how fast its GPUs are: give "
                       "node.accelerator (`railsim list devices`)");
    if (!check_domains(topology, room.gpus, err)) return false;
    return strcmp(workload->kind, llm_schema.name) == 0 ? llm_check(workload->config, &room, err)
                                                        : cnn_check(workload->config, &room, err);
}

static bool check_collective(const struct world_topology *topology, int64_t gpus,
                             const struct collective_cfg *cfg, struct err *err)
{
    const struct collective_place place = {.gpus = gpus,
                                           .domain = domain_of(topology),
                                           .facts = &topology->collectives,
                                           .device = &topology->node.device,
                                           .packets = topology->network.model == NET_PACKET};
    return check_domains(topology, gpus, err) && collective_check(cfg, &place, err);
}

static bool uses_gpus(const struct schema_variant *workload)
{
    return is_job(workload) || strcmp(workload->kind, collective_schema.name) == 0 ||
           strcmp(workload->kind, replay_schema.name) == 0;
}

static bool check_workload(const void *topology, const struct schema_variant *workload,
                           struct err *err)
{
    if (strcmp(workload->kind, train_schema.name) == 0) return true;
    struct arena arena = {0};
    struct topo_graph graph;
    struct topo_made made;
    bool ok;
    build_graph(topology, &arena, &graph, &made);
    const struct world_node *node = &((const struct world_topology *)topology)->node;
    const int64_t gpus = made.nodes * node->gpus;
    if (uses_gpus(workload) && !cluster_check(node->gpus, made.node_ports, err)) {
        ok = false;
    } else if (strcmp(workload->kind, collective_schema.name) == 0) {
        ok = check_collective(topology, gpus, workload->config, err);
    } else if (is_job(workload)) {
        ok = check_jobs(topology, &graph, &made, workload, err);
    } else if (strcmp(workload->kind, replay_schema.name) == 0) {
        ok = check_domains(topology, gpus, err) &&
             replay_check(workload->config, gpus, &node->device, err);
    } else {
        const struct flows_hosts hosts = find_hosts(topology, &graph, &made);
        ok = flows_check(workload->config, &hosts, err);
    }
    arena_free(&arena);
    return ok;
}

/* C037: who does not listen to pauses cannot be paused. */
static bool check_storms(const struct world_topology *topology, struct err *err)
{
    const struct fault_cfg *fault = topology->faults.items;
    if (topology->network.pfc.on || topology->network.link_layer == NET_INFINIBAND) return true;
    for (int64_t f = 0; f < topology->faults.n; f++)
        if (fault[f].kind == FAULT_STORM)
            return err_key(err, "network.pfc.on",
                           "C037: faults: pause-storm at \"%s\" needs network.pfc.on: true",
                           fault[f].link);
    return true;
}

/* Faults and telemetry name links; the fabric's switches need room for what PFC cannot stop. */
static bool check_links(const struct world_topology *topology, bool stores, struct err *err)
{
    const bool packets = topology->network.model == NET_PACKET;
    struct world world = {.topology = topology};
    struct arena arena = {0};
    if (topology->telemetry.window_ps == 0 && topology->faults.n == 0 && !packets && !stores)
        return true;
    build_graph(topology, &arena, &world.graph, &world.made);
    bool ok = !packets || buffers_check(&world.graph, &topology->network, err);
    if (stores) {
        if (!world_storage_check(topology, &world.made, err)) {
            arena_free(&arena);
            return false;
        }
        world_storage_attach(&world.storage, topology, &world.graph, &world.made);
    }
    ok &= fault_check(&topology->faults, &world.graph, packets, err);
    ok &= check_storms(topology, err);
    if (topology->telemetry.window_ps > 0)
        ok &= telemetry_check(&topology->telemetry, &world.graph, err);
    arena_free(&arena);
    return ok;
}

bool world_check(const void *topology, const struct schema_variant *workload, struct err *err)
{
    const bool stores = strcmp(workload->kind, train_schema.name) == 0 ||
                        (is_job(workload) && store_wanted(store_of(workload)));
    return check_workload(topology, workload, err) && check_links(topology, stores, err);
}

/* ---- running --------------------------------------------------------------------------------- */

static void watch(struct world *world)
{
    const bool packets = world->topology->network.model == NET_PACKET;
    stuck_init(&world->stuck, world->fabric,
               packets ? world->topology->network.pfc.deadlock_check_ps : 0);
    if (world->topology->telemetry.window_ps == 0) return;
    world->telemetry = telemetry_new(&(struct telemetry_of){.cfg = &world->topology->telemetry,
                                                            .graph = &world->graph,
                                                            .fabric = world->fabric,
                                                            .packets = packets});
}

static void see_flow(void *self, const struct flows_seen *flow)
{
    telemetry_flow(self, &(struct telemetry_flow){.number = flow->number,
                                                  .bytes = flow->bytes,
                                                  .msg = flow->msg,
                                                  .msg_n = flow->msg_n});
}

/* Why the fabric gave up, NULL: it did not. */
static const char *broken(const struct world *world, struct arena *arena)
{
    if (world->topology->network.model != NET_PACKET) return NULL;
    return net_broken(world->fabric, arena);
}

enum sim_stop world_run(struct world *world, const struct sim_limits *limits)
{
    struct telemetry *telemetry = world->telemetry;
    for (;;) {
        struct sim_limits slice = *limits;
        int64_t window_ps = telemetry ? telemetry_due_ps(telemetry) : INT64_MAX;
        int64_t due_ps = window_ps < world->stuck.due_ps ? window_ps : world->stuck.due_ps;
        bool whole = slice.max_sim_ps > 0 && slice.max_sim_ps < due_ps;
        if (!whole) slice.max_sim_ps = due_ps;
        enum sim_stop stop = sim_run(world->sim, &slice);
        if (stop == SIM_DONE && broken(world, sim_arena(world->sim))) return SIM_IDLE;
        if (stop != SIM_MAX_TIME || whole) return stop;
        if (due_ps == window_ps) {
            if (world->flows) flows_see(world->flows, see_flow, telemetry);
            telemetry_close(telemetry);
        }
        if (due_ps == world->stuck.due_ps && stuck_check(&world->stuck)) return SIM_IDLE;
    }
}

/* Names nodes; behind the last one there is the run as a whole. */
static void name_nodes(const struct world *world)
{
    struct arena scratch = {0};
    const int32_t nodes = (int32_t)world->made.nodes;
    for (int32_t i = 0; world->spans && i < nodes; i++)
        spans_name(world->spans, (struct spans_lane){i, -1}, arena_printf(&scratch, "node %d", i));
    spans_name(world->spans, (struct spans_lane){nodes, -1}, SPANS_RUN);
    arena_free(&scratch);
}

struct world *world_build(struct sim *sim, const void *topology,
                          const struct schema_variant *workload, const struct spans *spans)
{
    struct world *world = ARENA_NEW(sim_arena(sim), struct world);
    world->sim = sim;
    world->topology = topology;
    world->spans = spans;
    build_graph(topology, sim_arena(sim), &world->graph, &world->made);
    if (strcmp(workload->kind, train_schema.name) == 0) {
        build_training(world, workload->config);
    } else if (strcmp(workload->kind, collective_schema.name) == 0) {
        build_collective(world, workload->config);
    } else if (is_job(workload)) {
        build_jobs(world, workload);
    } else if (strcmp(workload->kind, replay_schema.name) == 0) {
        build_replay(world, workload->config);
    } else {
        build_flows(world, workload->config);
    }
    name_nodes(world);
    watch(world);
    return world;
}

static const char *waits_for(const struct world *world, struct arena *arena)
{
    const char *job = world->train        ? train_waits_for(world->train, arena)
                      : world->collective ? collective_waits_for(world->collective, arena)
                      : world->jobs       ? jobs_waits_for(world->jobs, arena)
                      : world->replay     ? replay_waits_for(world->replay, arena)
                                          : flows_waits_for(world->flows, arena);
    const char *gave_up = broken(world, arena);
    if (gave_up) return arena_printf(arena, "%s; %s", gave_up, job);
    const char *stuck = world->topology->network.model == NET_PACKET
                            ? stuck_text(world->fabric, arena)
                            : flow_stuck(world->fabric, arena);
    return *stuck ? arena_printf(arena, "%s; %s", job, stuck) : job;
}

/* Draws what has been recorded of the run as a whole: phases, in as many lanes as overlap; series
 * of telemetry. */
static void draw_record(const struct world *world, const struct record *record)
{
    const int32_t run = (int32_t)world->made.nodes;
    const int64_t clock_ps = world->train ? train_clock_ps(world->train) : 0;
    int64_t end_ps[PHASE_LANES] = {0};
    for (int64_t p = 0; world->spans && p < record->phase_n; p++) {
        const struct record_phase *phase = &record->phases[p];
        int32_t lane = 0;
        while (lane < PHASE_LANES && phase->start_ps + clock_ps < end_ps[lane])
            lane++;
        if (lane == PHASE_LANES) continue;
        if (end_ps[lane] == 0) spans_name(world->spans, (struct spans_lane){run, lane}, "phases");
        end_ps[lane] = phase->end_ps + clock_ps;
        spans_add(world->spans,
                  &(struct span){.at = {run, lane},
                                 .name = phase->name,
                                 .category = "phase",
                                 .start_ps = phase->start_ps + clock_ps,
                                 .end_ps = phase->end_ps + clock_ps,
                                 .bytes = phase->read_bytes ? phase->read_bytes : -1});
    }
    struct arena scratch = {0};
    for (int64_t s = 0; world->spans && s < record->series_n; s++) {
        const struct record_series *series = &record->series[s];
        const char *name = arena_printf(&scratch, "%s %s", series->entity, series->name);
        for (int64_t i = 0; i < series->n; i++)
            spans_level(world->spans, &(struct spans_level){.node = run,
                                                            .name = name,
                                                            .at_ps = series->time_ps[i],
                                                            .value = series->value[i]});
    }
    arena_free(&scratch);
}

void world_finish(struct world *world, enum sim_stop stop, struct record *record)
{
    if (stop == SIM_IDLE) record->message = waits_for(world, &record->arena);
    if (world->train) train_record(world->train, record);
    if (world->flows) flows_record(world->flows, record);
    if (world->collective) collective_record(world->collective, record);
    if (world->jobs) jobs_record(world->jobs, record);
    if (world->replay) replay_record(world->replay, record);
    if (world->cluster) cluster_record(world->cluster, record);
    for (int64_t i = 0; world->storage.session && i < world->made.nodes; i++)
        session_record(world->storage.session[i], record);
    if (world->telemetry) {
        if (world->flows) flows_see(world->flows, see_flow, world->telemetry);
        telemetry_record(world->telemetry, record);
    }
    if (world->topology->network.model == NET_PACKET) {
        net_record(world->fabric, record);
    } else {
        flow_record(world->fabric, record);
    }
    draw_record(world, record);
}
