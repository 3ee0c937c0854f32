/* world_storage.c - storage at the edge of the fabric, or on a network of its own.
 *
 * NOT modelled: a storage network of several switches; storage at more than one switch of the
 * fabric.
 */
#include "models/world_storage.h"

#include <inttypes.h>

bool world_storage_check(const struct world_topology *cfg, const struct topo_made *made,
                         struct err *err)
{
    if (cfg->storage.network == WORLD_OWN || cfg->storage.nics <= made->node_ports) return true;
    return err_key(err, "storage.nics",
                   "C101: storage.nics: a server has %" PRId64 " compute NICs, not %" PRId64,
                   made->node_ports, cfg->storage.nics);
}

/* The slower of two rates; 0 = no limit. */
static double slower_bps(double a_bps, double b_bps)
{
    return a_bps > 0 && (b_bps == 0 || a_bps < b_bps) ? a_bps : b_bps;
}

static double server_bps(const struct server_cfg *server)
{
    return slower_bps((double)server->rate_bps,
                      (double)server->targets * (double)server->target_bps);
}

struct store_way world_storage_way(const struct world_topology *cfg)
{
    const struct schema_variant *client = &cfg->storage.client;
    struct client_plan plan;
    struct wan wan;
    struct store_way way = {.node_gpus = cfg->node.gpus};
    client_list[client->index]->plan(client->config, &plan);
    if (plan.local) {
        way.node_bps = server_bps(&plan.device);
        return way;
    }
    wan_init(&wan, &cfg->wan);
    way.all_bps = slower_bps((double)wan.free_bps, (double)cfg->storage.server.nic_bps);
    way.all_bps = slower_bps(way.all_bps, server_bps(&cfg->storage.server));
    way.node_bps = cfg->storage.network == WORLD_OWN
                       ? (double)cfg->storage.nic_bps
                       : (double)cfg->storage.nics * (double)cfg->nic.rate_bps;
    return way;
}

/* A switch, and a NIC of each node there. Returns the switch. */
static int32_t attach_own(struct world_storage *storage, const struct world_topology *cfg,
                          struct topo_graph *graph, int64_t nodes)
{
    int32_t hub = topo_node(graph, TOPO_SWITCH, "storage-switch");
    for (int64_t i = 0; i < nodes; i++) {
        storage->port[i] = topo_node(graph, TOPO_HOST,
                                     arena_printf(graph->arena, "node%lld/storage", (long long)i));
        topo_cable(graph, &(struct topo_link){.from = storage->port[i],
                                              .to = hub,
                                              .kind = TOPO_NIC,
                                              .rate_bps = cfg->storage.nic_bps,
                                              .delay_ps = cfg->nic.delay_ps});
    }
    return hub;
}

/* Where the nodes' traffic leaves them. Returns the switch where the line begins. */
static int32_t find_ports(struct world_storage *storage, const struct world_topology *cfg,
                          struct topo_graph *graph, const struct topo_made *made)
{
    const bool own = cfg->storage.network == WORLD_OWN;
    const int64_t n = own ? 1 : cfg->storage.nics;
    storage->port_n = n;
    storage->port = ARENA_ARRAY(graph->arena, int32_t, made->nodes * n);
    if (own) return attach_own(storage, cfg, graph, made->nodes);
    for (int64_t i = 0; i < made->nodes * n; i++)
        storage->port[i] = made->endpoint[i / n * made->node_ports + i % n];
    return made->edge;
}

void world_storage_attach(struct world_storage *storage, const struct world_topology *cfg,
                          struct topo_graph *graph, const struct topo_made *made)
{
    int32_t edge = find_ports(storage, cfg, graph, made);
    wan_init(&storage->wan, &cfg->wan);
    int32_t far_end = topo_node(graph, TOPO_SWITCH, "wan");
    storage->node = topo_node(graph, TOPO_STORAGE, "storage");
    topo_cable(graph, &(struct topo_link){.from = edge,
                                          .to = far_end,
                                          .kind = TOPO_WAN,
                                          .rate_bps = storage->wan.free_bps,
                                          .delay_ps = storage->wan.one_way_ps});
    topo_cable(graph, &(struct topo_link){.from = far_end,
                                          .to = storage->node,
                                          .kind = TOPO_SERVER,
                                          .rate_bps = cfg->storage.server.nic_bps,
                                          .delay_ps = cfg->nic.delay_ps});
}

/* A node's page cache knows every file that is read. */
static struct cache *open_cache(const struct world_topology *cfg,
                                const struct world_storage_site *site)
{
    struct arena *arena = sim_arena(site->sim);
    struct cache *cache = cache_new(arena, &cfg->node.cache);
    const struct file_set **sets = ARENA_ARRAY(arena, const struct file_set *, site->set_n);
    for (int s = 0; s < site->set_n; s++) {
        cache_add(cache, &site->sets[s]);
        sets[s] = &site->sets[s];
    }
    cache_start(cache, sets, site->set_n);
    return cache;
}

void world_storage_open(struct world_storage *storage, const struct world_topology *cfg,
                        const struct world_storage_site *site)
{
    struct arena *arena = sim_arena(site->sim);
    const struct schema_variant *client = &cfg->storage.client;
    client_list[client->index]->plan(client->config, &storage->plan);
    storage->server = server_new(site->sim, &cfg->storage.server);
    storage->session = ARENA_ARRAY(arena, struct session *, site->nodes);
    for (int64_t i = 0; i < site->nodes; i++) {
        struct server *server =
            storage->plan.local ? server_new(site->sim, &storage->plan.device) : storage->server;
        storage->session[i] = session_new(
            site->sim,
            &(struct session_cfg){.plan = &storage->plan,
                                  .fabric = site->fabric,
                                  .wan = &storage->wan,
                                  .server = server,
                                  .cache = open_cache(cfg, site),
                                  .port = &storage->port[i * storage->port_n],
                                  .port_n = storage->port_n,
                                  .server_node = storage->node,
                                  .name = arena_printf(arena, "storage/client%lld", (long long)i)});
    }
}
