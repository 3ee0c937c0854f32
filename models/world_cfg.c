/* world_cfg.c - keys of a topology file, kinds of workload, and what can be plugged in. */
#include "models/world_cfg.h"

#include <inttypes.h>

#include "models/cc/cc.h"
#include "models/coll/coll.h"
#include "models/replay/replay.h"
#include "models/route/route.h"
#include "models/step/cnn.h"
#include "models/step/llm.h"
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
    {.key = "gpu_link_delay",
     .type = SCHEMA_TIME,
     .offset = AT(node.gpu_link_delay_ps) - AT(node),
     .fallback = "500ns",
     .max = "1ms",
     .help = "NVLink from GPU to GPU through the NVSwitch, one way."},
    {.key = "gpu_link_efficiency",
     .type = SCHEMA_FRACTION,
     .offset = AT(node.gpu_link_efficiency) - AT(node),
     .fallback = "0.816",
     .min = "1%",
     .max = "100%",
     .help = "Payload that NVLink carries, as a part of gpu_link_rate.",
     .source = "measured: ring all-reduce of 16 GiB, 8 x H200, 367.2 of 450 GB/s"},
    {.key = "in_switch_efficiency",
     .type = SCHEMA_FRACTION,
     .offset = AT(node.switch_efficiency) - AT(node),
     .fallback = "0.686",
     .min = "1%",
     .max = "100%",
     .help = "The same for reductions inside the NVSwitch (NVLS).",
     .source = "measured: NVLS all-reduce of 16 GiB, 8 x H200, 480 GB/s of bus bandwidth"},
    {.key = "nvlink_domain",
     .type = SCHEMA_COUNT,
     .offset = AT(node.domain) - AT(node),
     .fallback = "0",
     .max = "1048576",
     .help = "GPUs that reach each other by NVLink, a multiple of gpus (NVL72: 72); 0 = those of a "
             "server."},
    {.key = "pxn",
     .type = SCHEMA_BOOL,
     .offset = AT(node.pxn) - AT(node),
     .fallback = "true",
     .help = "Messages to another rail go by NVLink to the GPU that has it, then out.",
     .source = "NCCL_PXN_DISABLE=0"},
    {.key = "system",
     .type = SCHEMA_STRING,
     .offset = AT(node.system) - AT(node),
     .fallback = "",
     .help = "A server of the device catalogue: its accelerators and NICs (`railsim list "
             "devices`)."},
    {.key = "accelerator",
     .type = SCHEMA_STRING,
     .offset = AT(node.accelerator) - AT(node),
     .fallback = "",
     .help = "An accelerator of the device catalogue: gives device, gpu_link_rate, ..., where they "
             "are left out."},
    {.key = "device",
     .type = SCHEMA_SECTION,
     .offset = AT(node.device) - AT(node),
     .section = &device_facts_schema,
     .help = "What is known of the accelerators."},
    {.key = "cache",
     .type = SCHEMA_SECTION,
     .offset = AT(node.cache) - AT(node),
     .section = &cache_schema,
     .help = "The page cache of a server."},
    {.key = NULL},
};

/* C053: an NVLink domain is made of whole servers. */
static void check_node(const void *config, struct schema_check *check)
{
    const struct world_node *node = config;
    if (node->domain % node->gpus)
        schema_complain(check, "nvlink_domain",
                        "C053: a domain of %" PRId64 " GPUs is not made of servers of %" PRId64,
                        node->domain, node->gpus);
}

static const struct schema node_schema = {
    .name = "node",
    .help = "The servers that train.",
    .size = sizeof(struct world_node),
    .fields = node_fields,
    .check = check_node,
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

static const char *const storage_networks[] = {"shared", "own", NULL};

static const struct schema_field storage_fields[] = {
    {.key = "network",
     .type = SCHEMA_ENUM,
     .offset = AT(storage.network) - AT(storage),
     .fallback = "shared",
     .words = storage_networks,
     .help = "shared: through the servers' compute NICs and the fabric, to the switch where the "
             "line begins; own: each server has a storage NIC, at a storage switch where the line "
             "begins.",
     .source = "NVIDIA DGX SuperPOD reference architecture: a storage fabric of its own"},
    {.key = "nics",
     .type = SCHEMA_COUNT,
     .offset = AT(storage.nics) - AT(storage),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Compute NICs of a server that storage uses (network: shared), from port 0 on; "
             "connections take turns.",
     .source = "LNet Multi-Rail"},
    {.key = "nic_rate",
     .type = SCHEMA_RATE,
     .offset = AT(storage.nic_bps) - AT(storage),
     .fallback = "400Gbps",
     .min = "1Mbps",
     .max = "100Tbps",
     .help = "A server's storage NICs together (network: own).",
     .source = "DGX H100 user guide: two ports of ConnectX-7 for storage and in-band, 400 Gb/s"},
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
/* C105: what a storage network of its own has no use for. */
static void check_storage(const void *config, struct schema_check *check)
{
    const struct world_storage_cfg *storage = config;
    if (storage->network == WORLD_OWN && storage->nics > 1)
        schema_complain(check, "nics",
                        "C105: with network: own storage uses no compute NICs: give nic_rate");
}

static const struct schema storage_schema = {
    .name = "storage",
    .help = "Storage: the system and its client.",
    .size = sizeof(struct world_storage_cfg),
    .fields = storage_fields,
    .check = check_storage,
};

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    {.key = "devices",
     .type = SCHEMA_PATH,
     .offset = AT(devices),
     .fallback = "",
     .help = "A device catalogue of one's own, looked into before the built-in one."},
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
    {.key = "telemetry",
     .type = SCHEMA_SECTION,
     .offset = AT(telemetry),
     .section = &telemetry_schema,
     .help = "Series of links and flows, window by window."},
    {.key = "faults",
     .type = SCHEMA_LIST,
     .offset = AT(faults),
     .section = &fault_schema,
     .help = "What goes wrong with links during a run."},
    {.key = "collectives",
     .type = SCHEMA_SECTION,
     .offset = AT(collectives),
     .section = &collective_facts_schema,
     .help = "What the collectives' software takes beside the links."},
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

const struct schema *const world_workload_kinds[] = {&cnn_schema, &collective_schema, &flows_schema,
                                                     &llm_schema, &replay_schema,     &train_schema,
                                                     NULL};

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

static const char *coll_member(int i, const char **help)
{
    if (!coll_list[i]) return NULL;
    *help = coll_list[i]->help;
    return coll_names[i];
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
    {"collectives", "algorithms of collectives (workload.algorithm)", coll_member},
    {"routings", "routing rules (network.routing.kind)", route_member},
    {"tcp-laws", "laws of the congestion window (storage.client.tcp_law)", law_member},
    {"workload-kinds", "kinds of workload (kind)", workload_member},
    {NULL, NULL, NULL},
};
