/* world_cfg.h - what a topology file says, as one struct. */
#ifndef RAILSIM_MODELS_WORLD_CFG_H
#define RAILSIM_MODELS_WORLD_CFG_H

#include "models/cluster/collective.h"
#include "models/fault.h"
#include "models/net/net_cfg.h"
#include "models/net/telemetry.h"
#include "models/storage/cache.h"
#include "models/storage/server.h"
#include "models/storage/wan.h"
#include "sim/io/schema.h"

/* enum world_storage_network: what storage traffic shares with the others. */
enum world_storage_network { WORLD_SHARED, WORLD_OWN };

/* struct world_topology: root of a topology file. */
struct world_topology {
    const char *name, *devices;
    struct world_node {
        int64_t count, gpus, gpu_link_bps;
        int64_t domain, gpu_link_delay_ps;
        double gpu_link_efficiency, switch_efficiency;
        bool pxn;
        const char *system, *accelerator; /* names that stand for the values of others */
        struct device_facts device;
        struct cache_cfg cache;
    } node;
    struct {
        int64_t rate_bps, delay_ps;
    } nic;
    struct schema_variant fabric;
    struct net_cfg network;
    struct telemetry_cfg telemetry;
    struct schema_list faults; /* of struct fault_cfg */
    struct collective_facts collectives;
    struct wan_cfg wan;
    struct world_storage_cfg {
        int network; /* enum world_storage_network */
        int64_t nics, nic_bps;
        struct server_cfg server;
        struct schema_variant client;
    } storage;
};

#endif
