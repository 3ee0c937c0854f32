/* client.h - the contract of storage-client families: configuration in, plan out.
 *
 * Pure: a family only says which limits a request meets, in which order; session.c runs them all.
 * A family is one file client_NAME.c with `const struct schema client_NAME_schema` (its keys; its
 * name is the kind) and `const struct client_ops client_NAME`; the Makefile finds it.
 */
#ifndef RAILSIM_MODELS_STORAGE_CLIENT_H
#define RAILSIM_MODELS_STORAGE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "models/bound.h"
#include "models/fabric.h"
#include "models/storage/server.h"
#include "sim/io/schema.h"

/* enum client_scope: what a gate counts per. */
enum client_scope { CLIENT_ALL, CLIENT_PER_PEER, CLIENT_PER_TARGET };

/* struct client_gate: at most capacity units held at a time; a request takes one unit, or one per
 * unit_bytes of its data. Passed in order; waiting is first come, first served. */
struct client_gate {
    enum bound bound; /* how the limit is called */
    enum client_scope scope;
    int64_t capacity;
    int64_t unit_bytes; /* 0 = one unit per request */
};
#define CLIENT_GATES_MAX 4

/* struct client_plan: what a family makes of its keys. */
struct client_plan {
    int64_t request_bytes;         /* one read or write request carries at most this */
    int64_t readahead_file_bytes;  /* ahead of the application, per open file */
    int64_t readahead_total_bytes; /* and over all files of a node; 0 = no limit */
    bool stop_and_wait;            /* ask for a window, wait until it is consumed */
    int64_t dirty_bytes;           /* written, not yet stored, per open file */
    struct client_gate gate[CLIENT_GATES_MAX];
    int gate_n;
    /* the way to the server; none if local */
    bool local; /* no way to go: drives in the node, as `device` describes them */
    struct server_cfg device;
    const char *law; /* name of a tcp_law */
    struct framing framing;
    int64_t connections;  /* per peer */
    int64_t window_bytes; /* per connection and direction; 0 = none */
    int64_t process_bps;  /* per connection: copying, checksums; 0 = no limit */
    int64_t header_bytes; /* of a request, and of a reply beside the data */
};

struct client_ops {
    const char *help;
    void (*plan)(const void *config, struct client_plan *plan);
};

/* Ethernet with 9000-byte frames carrying TCP: 8948 B of payload in 9038 B + preamble of 38 B
 * Ethernet overhead, 20 B IPv4, 32 B TCP with timestamps. */
#define CLIENT_TCP_FRAMING ((struct framing){.payload_bytes = 8948, .overhead_bytes = 90})
/* RoCEv2, 4096-byte MTU: 82 B per packet. Source: fabric table of InfiniBand Annex A17 framing. */
#define CLIENT_ROCE_FRAMING                                                                        \
    ((struct framing){.payload_bytes = 4096, .overhead_bytes = FRAMING_ROCE_BYTES})

/* The registered families and their keys, NULL-terminated, same order. */
extern const struct client_ops *const client_list[];
extern const struct schema *const client_kinds[];

#endif
