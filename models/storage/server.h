/* server.h - the storage behind the network: metadata service and object targets. */
#ifndef RAILSIM_MODELS_STORAGE_SERVER_H
#define RAILSIM_MODELS_STORAGE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/sim.h"
#include "sim/io/schema.h"

/* struct server_cfg: section `storage.server`; a local drive is described by the same facts. */
struct server_cfg {
    int64_t rate_bps;                   /* of the whole appliance; 0 = the sum of its targets */
    int64_t nic_bps;                    /* of its network ports together */
    int64_t peers;                      /* server processes (OSS), each a network peer of its own */
    int64_t targets;                    /* object-storage targets, spread over the peers */
    int64_t target_bps;                 /* of one target; 0 = no limit */
    int64_t target_iops;                /* operations per second of one target; 0 = no limit */
    int64_t service_ps;                 /* latency of a read or write */
    int64_t meta_service_ps;            /* latency of a metadata operation */
    int64_t stripe_bytes, stripe_count; /* a file's layout; count 0 = all targets */
};
extern const struct schema server_schema;

struct server;
struct server_op;
typedef void server_done_fn(struct sim *sim, struct server_op *op);

/* struct server_op: owned by the caller until done. */
struct server_op {
    struct timer timer;
    int64_t bytes;
    int32_t target; /* -1 = metadata */
    server_done_fn *done;
    void *owner;
    /* ---- filled by the server */
    struct server *server;
    int64_t start_ps;
    int64_t wait_ps; /* all but the service latency: queued, or occupying a station */
};

/* server_new builds a server in the simulation's arena; cfg must outlive it. */
struct server *server_new(struct sim *sim, const struct server_cfg *cfg);
/* server_submit queues op; first come, first served per target. */
void server_submit(struct server *server, struct server_op *op);
/* server_target returns the target that holds byte off of file number file; *run_bytes is set to
 * the bytes from off to the end of its stripe (INT64_MAX if the file is not striped). */
int32_t server_target(const struct server *server, int64_t file, int64_t off, int64_t *run_bytes);
const struct server_cfg *server_cfg(const struct server *server);

#endif
