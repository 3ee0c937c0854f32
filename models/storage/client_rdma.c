/* client_rdma.c - one-sided or message RDMA storage (NVMe-oF, NFS/RDMA, GPUDirect): queue pairs.
 *
 *   throughput = min(queue pairs * outstanding * message / RTT, line)
 * NOT modelled: the fabric's congestion control (the packet fabric has it), registration costs.
 */
#include "models/storage/client.h"

struct rdma_cfg {
    int64_t queue_pairs, outstanding, message_bytes, readahead_bytes, dirty_bytes;
};

#define CAPSULE_BYTES 64 /* an NVMe-oF command capsule */

static const struct schema_field fields[] = {
    {.key = "queue_pairs",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rdma_cfg, queue_pairs),
     .fallback = "8",
     .min = "1",
     .max = "4096",
     .help = "Queue pairs per peer."},
    {.key = "outstanding",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct rdma_cfg, outstanding),
     .fallback = "16",
     .min = "1",
     .max = "65535",
     .help = "Requests in flight per queue pair.",
     .source = "ConnectX: 16 outstanding RDMA reads per queue pair"},
    {.key = "message_size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct rdma_cfg, message_bytes),
     .fallback = "1MiB",
     .min = "512B",
     .max = "1GiB",
     .help = "Data of one request."},
    {.key = "readahead",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct rdma_cfg, readahead_bytes),
     .fallback = "64MiB",
     .max = "1TiB",
     .help = "Bytes that the application keeps asked for per open file."},
    {.key = "dirty",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct rdma_cfg, dirty_bytes),
     .fallback = "64MiB",
     .min = "4KiB",
     .max = "1TiB",
     .help = "Written data on its way per file."},
    {.key = NULL},
};

const struct schema client_rdma_schema = {
    .name = "rdma",
    .help = "RDMA storage client: queue pairs and outstanding requests.",
    .size = sizeof(struct rdma_cfg),
    .fields = fields,
};

static void plan(const void *config, struct client_plan *plan)
{
    const struct rdma_cfg *cfg = config;
    *plan = (struct client_plan){
        .request_bytes = cfg->message_bytes,
        .readahead_file_bytes = cfg->readahead_bytes,
        .dirty_bytes = cfg->dirty_bytes,
        .gate = {{BOUND_SLOTS, CLIENT_PER_PEER, cfg->queue_pairs * cfg->outstanding, 0}},
        .gate_n = 1,
        .law = "fixed",
        .framing = CLIENT_ROCE_FRAMING,
        .connections = cfg->queue_pairs,
        .header_bytes = CAPSULE_BYTES,
    };
}

const struct client_ops client_rdma = {
    .help = "RDMA: queue pairs, outstanding requests, message size",
    .plan = plan,
};
