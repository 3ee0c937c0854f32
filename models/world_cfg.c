/* world_cfg.c - keys of a topology file, kinds of workload, and what can be plugged in. */
#include "models/world_cfg.h"

#include "models/cc/cc.h"
#include "models/route/route.h"
#include "models/storage/client.h"
#include "models/storage/tcp_law.h"
#include "models/topo/topo.h"
#include "models/work/flows.h"
#include "models/work/train.h"
#include "models/world.h"

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
    {.key = "network",
     .type = SCHEMA_SECTION,
     .offset = AT(network),
     .section = &net_schema,
     .help = "How the network is simulated: flows or packets."},
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

const struct schema *const world_workload_kinds[] = {&flows_schema, &train_schema, NULL};

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

static const char *cc_member(int i, const char **help)
{
    if (!cc_list[i]) return NULL;
    *help = cc_list[i]->help;
    return cc_kinds[i]->name;
}

static const char *route_member(int i, const char **help)
{
    if (!route_list[i]) return NULL;
    *help = route_list[i]->help;
    return route_kinds[i]->name;
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
    {"congestion-controls", "end-to-end congestion controls (network.cc.kind)", cc_member},
    {"routings", "routing rules (network.routing.kind)", route_member},
    {"tcp-laws", "laws of the congestion window (storage.client.tcp_law)", law_member},
    {"workload-kinds", "kinds of workload (kind)", workload_member},
    {NULL, NULL, NULL},
};
