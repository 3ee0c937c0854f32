/* client_lustre.c - the Lustre client: RPCs per target, LNet credits per peer, TCP sockets below.
 *
 * Limits in the order in which a read meets them: read-ahead per file and in total (llite), RPCs in
 * flight per object-storage target (osc), LNet credits per peer, 1 MiB each (ko2iblnd, ksocklnd),
 * then the sockets of the peer, each with a TCP window and a thread that copies what arrives.
 * Sources: Lustre Operations Manual, "Tuning a Lustre File System"; defaults as read in the
 * lustre-release sources (see `source` of each key).
 * NOT modelled: a credit for each 1 MiB message of an RPC by itself (an RPC takes all its credits
 * at once, so credits that are no multiple of the RPC size are not used up); locks, the metadata
 * server's own RPC slots, several network interfaces.
 */
#include "models/storage/client.h"
#include "models/storage/tcp_law.h"

struct lustre_cfg {
    int64_t rpc_bytes, rpcs_in_flight, peer_credits;
    int64_t connections, tcp_window_bytes, socket_bps;
    int64_t readahead_file_bytes, readahead_total_bytes, dirty_bytes;
    int tcp_law, network, readahead;
};

enum { NETWORK_TCP, NETWORK_O2IB };
static const char *const networks[] = {"tcp", "o2ib", NULL};
enum { PIPELINED, STOP_AND_WAIT };
static const char *const readaheads[] = {"pipelined", "stop-and-wait", NULL};

#define LNET_MTU_BYTES (INT64_C(1) << 20)
#define RPC_HEADER_BYTES 512

static const struct schema_field fields[] = {
    {.key = "rpc_size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct lustre_cfg, rpc_bytes),
     .fallback = "4MiB",
     .min = "4KiB",
     .max = "64MiB",
     .help = "Largest bulk read or write (osc max_pages_per_rpc).",
     .source = "lustre-release: 1024 pages"},
    {.key = "rpcs_in_flight",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct lustre_cfg, rpcs_in_flight),
     .fallback = "8",
     .min = "1",
     .max = "256",
     .help = "RPCs in flight per target (osc max_rpcs_in_flight).",
     .source = "lustre-release: 8"},
    {.key = "peer_credits",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct lustre_cfg, peer_credits),
     .fallback = "8",
     .min = "1",
     .max = "65535",
     .help = "LNet messages of up to 1 MiB in flight per peer.",
     .source = "lustre-release: 8"},
    {.key = "connections",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct lustre_cfg, connections),
     .fallback = "4",
     .min = "1",
     .max = "127",
     .help = "Sockets per peer (ksocklnd conns_per_peer).",
     .source = "lustre-release: 4 at 100 Gb/s"},
    {.key = "tcp_window",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct lustre_cfg, tcp_window_bytes),
     .fallback = "6MiB",
     .max = "1TiB",
     .help = "Receive window of one socket; 0 = no limit.",
     .source = "Linux net.ipv4.tcp_rmem: 6 MiB at most"},
    {.key = "socket_rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct lustre_cfg, socket_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "What one socket's thread can copy and check; 0 = no limit."},
    {.key = "tcp_law",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct lustre_cfg, tcp_law),
     .fallback = "cubic",
     .words = tcp_law_names,
     .help = "Law of the congestion window.",
     .source = "Linux: cubic"},
    {.key = "network",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct lustre_cfg, network),
     .fallback = "tcp",
     .words = networks,
     .help = "tcp, or o2ib (RDMA: no sockets, no windows, credits only)."},
    {.key = "readahead_per_file",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct lustre_cfg, readahead_file_bytes),
     .fallback = "64MiB",
     .max = "1TiB",
     .help = "Read-ahead of one open file (llite max_read_ahead_per_file_mb).",
     .source = "lustre-release: a quarter of the total, 256 MiB at most"},
    {.key = "readahead_total",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct lustre_cfg, readahead_total_bytes),
     .fallback = "1GiB",
     .max = "1TiB",
     .help = "Read-ahead on its way for all files of a node (llite max_read_ahead_mb); "
             "0 = no limit.",
     .source = "lustre-release: min(RAM/32, 1 GiB)"},
    {.key = "readahead",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct lustre_cfg, readahead),
     .fallback = "pipelined",
     .words = readaheads,
     .help = "pipelined: the window moves with every byte consumed; stop-and-wait: ask for a "
             "window, consume it, ask again."},
    {.key = "dirty",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct lustre_cfg, dirty_bytes),
     .fallback = "2000MiB",
     .min = "4KiB",
     .max = "1TiB",
     .help = "Written data on its way per file (osc max_dirty_mb).",
     .source = "Lustre Operations Manual: up to 2000 MiB"},
    {.key = NULL},
};

const struct schema client_lustre_schema = {
    .name = "lustre",
    .help = "Lustre client: read-ahead, RPCs in flight, LNet credits, sockets.",
    .size = sizeof(struct lustre_cfg),
    .fields = fields,
};

static void plan(const void *config, struct client_plan *plan)
{
    const struct lustre_cfg *cfg = config;
    bool tcp = cfg->network == NETWORK_TCP;
    *plan = (struct client_plan){
        .request_bytes = cfg->rpc_bytes,
        .readahead_file_bytes = cfg->readahead_file_bytes,
        .readahead_total_bytes = cfg->readahead_total_bytes,
        .stop_and_wait = cfg->readahead == STOP_AND_WAIT,
        .dirty_bytes = cfg->dirty_bytes,
        .gate = {{BOUND_SLOTS, CLIENT_PER_TARGET, cfg->rpcs_in_flight, 0},
                 {BOUND_CREDITS, CLIENT_PER_PEER, cfg->peer_credits, LNET_MTU_BYTES}},
        .gate_n = 2,
        .law = tcp ? tcp_law_names[cfg->tcp_law] : "fixed",
        .framing = tcp ? CLIENT_TCP_FRAMING : CLIENT_ROCE_FRAMING,
        .connections = cfg->connections,
        .window_bytes = tcp ? cfg->tcp_window_bytes : 0,
        .process_bps = cfg->socket_bps,
        .header_bytes = RPC_HEADER_BYTES,
    };
}

const struct client_ops client_lustre = {
    .help = "Lustre: RPCs in flight per target, LNet credits per peer, TCP sockets or RDMA",
    .plan = plan,
};
