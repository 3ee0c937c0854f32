/* client_local.c - drives in the node: no network, a device rate, a latency, a queue depth.
 *
 * NOT modelled: the file system's own limits, wear, thermal throttling.
 */
#include "models/storage/client.h"

struct local_cfg {
    struct server_cfg device; /* as a server: each drive is a target */
    int64_t queue_depth, request_bytes, readahead_bytes, dirty_bytes;
};

static const struct schema_field fields[] = {
    {.key = "drives",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct local_cfg, device.targets),
     .fallback = "8",
     .min = "1",
     .max = "1024",
     .help = "Drives that the data is striped over."},
    {.key = "drive_rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct local_cfg, device.target_bps),
     .fallback = "6.8GBps",
     .min = "1MBps",
     .max = "100Tbps",
     .help = "Sequential rate of one drive.",
     .source = "3.84 TB PCIe 4 NVMe drive data sheets: 6.8-7.0 GB/s"},
    {.key = "drive_iops",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct local_cfg, device.target_iops),
     .fallback = "1000000",
     .max = "1000000000",
     .help = "Operations per second of one drive; 0 = no limit."},
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct local_cfg, device.rate_bps),
     .fallback = "0bps",
     .max = "1000Tbps",
     .help = "Rate of all drives together (RAID, file system); 0 = their sum."},
    {.key = "latency",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct local_cfg, device.service_ps),
     .fallback = "80us",
     .max = "1s",
     .help = "Latency of a read or write."},
    {.key = "queue_depth",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct local_cfg, queue_depth),
     .fallback = "128",
     .min = "1",
     .max = "65535",
     .help = "Requests in flight per drive."},
    {.key = "request_size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct local_cfg, request_bytes),
     .fallback = "1MiB",
     .min = "4KiB",
     .max = "64MiB",
     .help = "Largest request."},
    {.key = "readahead",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct local_cfg, readahead_bytes),
     .fallback = "8MiB",
     .max = "1TiB",
     .help = "Read-ahead of one open file."},
    {.key = "dirty",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct local_cfg, dirty_bytes),
     .fallback = "1GiB",
     .min = "4KiB",
     .max = "1TiB",
     .help = "Written data on its way per file."},
    {.key = NULL},
};

const struct schema client_local_schema = {
    .name = "local",
    .help = "NVMe drives in the node.",
    .size = sizeof(struct local_cfg),
    .fields = fields,
};

#define DRIVE_STRIPE_BYTES (INT64_C(1) << 20)
#define OPEN_PS (INT64_C(10) * 1000 * 1000) /* 10 us: a cached inode of a local file system */

static void plan(const void *config, struct client_plan *plan)
{
    const struct local_cfg *cfg = config;
    *plan = (struct client_plan){
        .request_bytes = cfg->request_bytes,
        .readahead_file_bytes = cfg->readahead_bytes,
        .dirty_bytes = cfg->dirty_bytes,
        .gate = {{BOUND_SLOTS, CLIENT_PER_TARGET, cfg->queue_depth, 0}},
        .gate_n = 1,
        .local = true,
        .device = cfg->device,
    };
    plan->device.peers = 1;
    plan->device.stripe_bytes = DRIVE_STRIPE_BYTES;
    plan->device.meta_service_ps = OPEN_PS;
}

const struct client_ops client_local = {
    .help = "NVMe drives in the node",
    .plan = plan,
};
