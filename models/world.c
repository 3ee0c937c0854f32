/* world.c - topology keys, and how nodes, line, storage and job are put together.
 *
 *   node (GPUs, page cache, storage client) -- NIC -- fabric -- WAN line -- storage server
 */
#include "models/world.h"

#include "models/flow/flow.h"
#include "models/storage/cache.h"
#include "models/storage/client.h"
#include "models/storage/session.h"
#include "models/storage/tcp_law.h"
#include "models/storage/wan.h"
#include "models/topo/topo.h"
#include "models/work/train.h"
#include "sim/base/units.h"

/* struct world_topology: root of a topology file. */
struct world_topology {
    const char *name;
    struct {
        int64_t count, gpus, gpu_link_bps;
        struct cache_cfg cache;
    } node;
    struct {
        int64_t rate_bps, delay_ps;
    } nic;
    struct schema_variant fabric;
    struct wan_cfg wan;
    struct {
        struct server_cfg server;
        struct schema_variant client;
    } storage;
};

#define AT(member) offsetof(struct world_topology, member)

static const struct schema_field node_fields[] = {
    {.key = "count",
     .type = SCHEMA_COUNT,
     .offset = AT(node.count) - AT(node),
     .fallback = "1",
     .min = "1",
     .max = "4096",
     .help = "Servers."},
    {.key = "gpus",
     .type = SCHEMA_COUNT,
     .offset = AT(node.gpus) - AT(node),
     .fallback = "8",
     .min = "1",
     .max = "1024",
     .help = "GPUs per server."},
    {.key = "gpu_link_rate",
     .type = SCHEMA_RATE,
     .offset = AT(node.gpu_link_bps) - AT(node),
     .fallback = "450GBps",
     .min = "1Mbps",
     .max = "1000Tbps",
     .help = "NVLink of one GPU, one way.",
     .source = "H100 SXM: 900 GB/s both ways together"},
    {.key = "cache",
     .type = SCHEMA_SECTION,
     .offset = AT(node.cache) - AT(node),
     .section = &cache_schema,
     .help = "The page cache of a server."},
    {.key = NULL},
};
static const struct schema node_schema = {
    .name = "node",
    .help = "The servers that train.",
    .size = sizeof(((struct world_topology *)0)->node),
    .fields = node_fields,
};

static const struct schema_field nic_fields[] = {
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = AT(nic.rate_bps) - AT(nic),
     .fallback = "100Gbps",
     .min = "1Mbps",
     .max = "100Tbps",
     .help = "Storage network ports of a server, together."},
    {.key = "delay",
     .type = SCHEMA_TIME,
     .offset = AT(nic.delay_ps) - AT(nic),
     .fallback = "1us",
     .max = "1s",
     .help = "From memory to wire, each way, cable included."},
    {.key = NULL},
};
static const struct schema nic_schema = {
    .name = "nic",
    .help = "A server's storage network ports.",
    .size = sizeof(((struct world_topology *)0)->nic),
    .fields = nic_fields,
};

static const struct schema_field storage_fields[] = {
    {.key = "server",
     .type = SCHEMA_SECTION,
     .offset = AT(storage.server) - AT(storage),
     .section = &server_schema,
     .help = "The storage system."},
    {.key = "client",
     .type = SCHEMA_VARIANT,
     .offset = AT(storage.client) - AT(storage),
     .kinds = client_kinds,
     .help = "How servers read and write it."},
    {.key = NULL},
};
static const struct schema storage_schema = {
    .name = "storage",
    .help = "Storage: the system and its client.",
    .size = sizeof(((struct world_topology *)0)->storage),
    .fields = storage_fields,
};

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    {.key = "node",
     .type = SCHEMA_SECTION,
     .offset = AT(node),
     .section = &node_schema,
     .help = "The servers that train."},
    {.key = "nic",
     .type = SCHEMA_SECTION,
     .offset = AT(nic),
     .section = &nic_schema,
     .help = "A server's storage network ports."},
    {.key = "fabric",
     .type = SCHEMA_VARIANT,
     .offset = AT(fabric),
     .fallback = "single-switch",
     .kinds = topo_kinds,
     .help = "What the servers are connected to."},
    {.key = "wan",
     .type = SCHEMA_SECTION,
     .offset = AT(wan),
     .section = &wan_schema,
     .help = "The line between the servers and the storage."},
    {.key = "storage",
     .type = SCHEMA_SECTION,
     .offset = AT(storage),
     .section = &storage_schema,
     .help = "Storage: the system and its client."},
    {.key = NULL},
};

const struct schema world_topology_schema = {
    .name = "topology",
    .help = "Servers, network and storage.",
    .size = sizeof(struct world_topology),
    .fields = fields,
};

const struct schema *const world_workload_kinds[] = {&train_schema, NULL};

/* ---- what can be plugged in ----------------------------------------------------------------- */

static const char *client_member(int i, const char **help)
{
    if (!client_list[i]) return NULL;
    *help = client_list[i]->help;
    return client_kinds[i]->name;
}

static const char *law_member(int i, const char **help)
{
    if (!tcp_law_list[i]) return NULL;
    *help = tcp_law_list[i]->help;
    return tcp_law_names[i];
}

static const char *topo_member(int i, const char **help)
{
    if (!topo_list[i]) return NULL;
    *help = topo_list[i]->help;
    return topo_kinds[i]->name;
}

static const char *workload_member(int i, const char **help)
{
    if (!world_workload_kinds[i]) return NULL;
    *help = world_workload_kinds[i]->help;
    return world_workload_kinds[i]->name;
}

const struct world_family world_families[] = {
    {"clients", "storage clients (storage.client.kind)", client_member},
    {"fabrics", "topology families (fabric.kind)", topo_member},
    {"tcp-laws", "laws of the congestion window (storage.client.tcp_law)", law_member},
    {"workload-kinds", "kinds of workload (kind)", workload_member},
    {NULL, NULL, NULL},
};

/* ---- building --------------------------------------------------------------------------------- */

struct world {
    struct sim *sim;
    const struct world_topology *topology;
    struct topo_graph graph;
    struct topo_made made;
    struct fabric *fabric;
    struct wan wan;
    struct client_plan plan;
    struct server *server;
    struct session **session; /* [nodes] */
    struct file_set sets[TRAIN_SETS_MAX];
    struct train *train;
};

/* Nodes at their switches, then the line, then the storage's ports. Returns the storage's node. */
static int32_t build_graph(struct world *world)
{
    const struct world_topology *cfg = world->topology;
    struct topo_graph *graph = &world->graph;
    topo_init(graph, sim_arena(world->sim));
    topo_list[cfg->fabric.index]->build(cfg->fabric.config,
                                        &(struct topo_ask){.hosts = cfg->node.count,
                                                           .nic_bps = cfg->nic.rate_bps,
                                                           .nic_delay_ps = cfg->nic.delay_ps},
                                        graph, &world->made);
    wan_init(&world->wan, &cfg->wan);
    int32_t far_end = topo_node(graph, TOPO_SWITCH, "wan");
    int32_t storage = topo_node(graph, TOPO_STORAGE, "storage");
    topo_cable(graph, &(struct topo_link){.from = world->made.edge,
                                          .to = far_end,
                                          .kind = TOPO_WAN,
                                          .rate_bps = world->wan.free_bps,
                                          .delay_ps = world->wan.one_way_ps});
    topo_cable(graph, &(struct topo_link){.from = far_end,
                                          .to = storage,
                                          .kind = TOPO_SERVER,
                                          .rate_bps = cfg->storage.server.nic_bps,
                                          .delay_ps = cfg->nic.delay_ps});
    return storage;
}

/* The node's page cache knows every file of the workload. */
static struct cache *build_cache(struct world *world, int set_n)
{
    struct cache *cache = cache_new(sim_arena(world->sim), &world->topology->node.cache);
    const struct file_set *sets[TRAIN_SETS_MAX];
    for (int s = 0; s < set_n; s++) {
        cache_add(cache, &world->sets[s]);
        sets[s] = &world->sets[s];
    }
    cache_start(cache, sets, set_n);
    return cache;
}

static void build_sessions(struct world *world, int32_t storage, int set_n)
{
    const struct world_topology *cfg = world->topology;
    struct arena *arena = sim_arena(world->sim);
    int64_t n = cfg->node.count;
    world->session = ARENA_ARRAY(arena, struct session *, n);
    for (int64_t i = 0; i < n; i++) {
        struct server *server =
            world->plan.local ? server_new(world->sim, &world->plan.device) : world->server;
        world->session[i] = session_new(
            world->sim,
            &(struct session_cfg){.plan = &world->plan,
                                  .fabric = world->fabric,
                                  .wan = &world->wan,
                                  .server = server,
                                  .cache = build_cache(world, set_n),
                                  .node = world->made.host[i],
                                  .server_node = storage,
                                  .name = arena_printf(arena, "storage/client%lld", (long long)i)});
    }
}

struct world *world_build(struct sim *sim, const void *topology,
                          const struct schema_variant *workload)
{
    struct world *world = ARENA_NEW(sim_arena(sim), struct world);
    const struct world_topology *cfg = topology;
    const struct train_cfg *train = workload->config;
    world->sim = sim;
    world->topology = cfg;
    int32_t storage = build_graph(world);
    world->fabric = flow_new(sim, &world->graph);
    client_list[cfg->storage.client.index]->plan(cfg->storage.client.config, &world->plan);
    world->server = server_new(sim, &cfg->storage.server);
    int set_n = train_sets(train, world->sets);
    build_sessions(world, storage, set_n);
    world->train = train_new(sim, train,
                             &(struct train_nodes){.session = world->session,
                                                   .n = cfg->node.count,
                                                   .gpus = cfg->node.gpus,
                                                   .gpu_link_bps = cfg->node.gpu_link_bps},
                             world->sets);
    train_start(world->train);
    return world;
}

void world_finish(struct world *world, enum sim_stop stop, struct record *record)
{
    if (stop == SIM_IDLE) record->message = train_waits_for(world->train, &record->arena);
    train_record(world->train, record);
    for (int64_t i = 0; i < world->topology->node.count; i++)
        session_record(world->session[i], record);
    flow_record(world->fabric, record);
}
