/* client_nfs.c - the Linux NFS client: read-ahead, RPC slots, one or more TCP connections.
 *
 * Source: nfs(5) (rsize, wsize, nconnect), Linux sunrpc (tcp_max_slot_table_entries), Linux
 * read_ahead_kb. NOT modelled: attribute caching, delegations, pNFS layouts.
 */
#include "models/storage/client.h"
#include "models/storage/tcp_law.h"

struct nfs_cfg {
    int64_t rsize_bytes, readahead_bytes, nconnect, slots, tcp_window_bytes, connection_bps;
    int64_t dirty_bytes;
    int tcp_law;
};

#define RPC_HEADER_BYTES 200

static const struct schema_field fields[] = {
    {.key = "rsize",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct nfs_cfg, rsize_bytes),
     .fallback = "1MiB",
     .min = "1KiB",
     .max = "4MiB",
     .help = "Largest READ or WRITE (mount options rsize, wsize).",
     .source = "nfs(5): 1 MiB where the server allows it"},
    {.key = "readahead",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct nfs_cfg, readahead_bytes),
     .fallback = "128KiB",
     .max = "1TiB",
     .help = "Read-ahead of one open file (read_ahead_kb of the mount).",
     .source = "Linux >= 5.4: 128 KiB"},
    {.key = "nconnect",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct nfs_cfg, nconnect),
     .fallback = "1",
     .min = "1",
     .max = "16",
     .help = "TCP connections per server (mount option nconnect).",
     .source = "nfs(5): 1, at most 16"},
    {.key = "slots",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct nfs_cfg, slots),
     .fallback = "64",
     .min = "1",
     .max = "65536",
     .help = "RPCs in flight per server (NFSv4.1 session slots).",
     .source = "Linux NFSv4.1: max_session_slots 64"},
    {.key = "tcp_window",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct nfs_cfg, tcp_window_bytes),
     .fallback = "6MiB",
     .max = "1TiB",
     .help = "Receive window of one connection; 0 = no limit.",
     .source = "Linux net.ipv4.tcp_rmem: 6 MiB at most"},
    {.key = "connection_rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct nfs_cfg, connection_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "What the client can process of one connection; 0 = no limit."},
    {.key = "tcp_law",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct nfs_cfg, tcp_law),
     .fallback = "cubic",
     .words = tcp_law_names,
     .help = "Law of the congestion window.",
     .source = "Linux: cubic"},
    {.key = "dirty",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct nfs_cfg, dirty_bytes),
     .fallback = "1GiB",
     .min = "4KiB",
     .max = "1TiB",
     .help = "Written data on its way per file."},
    {.key = NULL},
};

const struct schema client_nfs_schema = {
    .name = "nfs",
    .help = "NFS client: read-ahead, slots, connections.",
    .size = sizeof(struct nfs_cfg),
    .fields = fields,
};

static void plan(const void *config, struct client_plan *plan)
{
    const struct nfs_cfg *cfg = config;
    *plan = (struct client_plan){
        .request_bytes = cfg->rsize_bytes,
        .readahead_file_bytes = cfg->readahead_bytes,
        .dirty_bytes = cfg->dirty_bytes,
        .gate = {{BOUND_SLOTS, CLIENT_PER_PEER, cfg->slots, 0}},
        .gate_n = 1,
        .law = tcp_law_names[cfg->tcp_law],
        .framing = CLIENT_TCP_FRAMING,
        .connections = cfg->nconnect,
        .window_bytes = cfg->tcp_window_bytes,
        .process_bps = cfg->connection_bps,
        .header_bytes = RPC_HEADER_BYTES,
    };
}

const struct client_ops client_nfs = {
    .help = "NFS: read-ahead per file, slots per server, nconnect TCP connections",
    .plan = plan,
};
