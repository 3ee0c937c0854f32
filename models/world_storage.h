/* world_storage.h - storage in a world: where its traffic leaves the nodes, the line, the servers,
 * a client on every node.
 *
 *   node -- compute NICs -- fabric -- edge --+
 *   node -- storage NIC -- storage switch ---+-- line -- ports of the storage
 */
#ifndef RAILSIM_MODELS_WORLD_STORAGE_H
#define RAILSIM_MODELS_WORLD_STORAGE_H

#include "models/step/store.h"
#include "models/storage/client.h"
#include "models/storage/session.h"
#include "models/topo/topo.h"
#include "models/world_cfg.h"
#include "sim/base/err.h"

/* struct world_storage: world_storage_attach, then world_storage_open, once the fabric is there. */
struct world_storage {
    struct wan wan;
    struct client_plan plan;
    struct server *server;
    struct session **session; /* [nodes]; NULL = none is wanted */
    int32_t node;             /* of the graph: the storage */
    int32_t *port;            /* [nodes * port_n] of the graph: where a node's traffic leaves it */
    int64_t port_n;
};

/* world_storage_check looks whether nodes have the NICs that storage is to use. (C101) */
bool world_storage_check(const struct world_topology *cfg, const struct topo_made *made,
                         struct err *err);
/* world_storage_way returns how fast bytes get to the storage and back at most. */
struct store_way world_storage_way(const struct world_topology *cfg);
/* world_storage_attach adds the storage, and the way there, to graph. */
void world_storage_attach(struct world_storage *storage, const struct world_topology *cfg,
                          struct topo_graph *graph, const struct topo_made *made);

/* struct world_storage_site: what clients are built on; sets: the files that page caches know. */
struct world_storage_site {
    struct sim *sim;
    struct fabric *fabric;
    int64_t nodes;
    struct file_set *sets;
    int set_n;
};
void world_storage_open(struct world_storage *storage, const struct world_topology *cfg,
                        const struct world_storage_site *site);

#endif
