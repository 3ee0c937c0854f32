/* schema_zoo.h - a made-up schema with a key of every type. */
#ifndef RAILSIM_TESTS_SCHEMA_ZOO_H
#define RAILSIM_TESTS_SCHEMA_ZOO_H

#include "sim/io/schema.h"

struct wan {
    int64_t rtt_ps, rate_bps, length_mm, buffer_bytes;
    double loss, factor;
};
struct node {
    const char *name;
    int64_t gpus;
};
struct lustre {
    int64_t rpc_bytes, flights;
};
struct nfs {
    int64_t slots;
};
struct storage {
    struct schema_variant client;
    int64_t targets;
};
struct zoo {
    struct wan wan;
    struct storage storage;
    struct schema_list nodes;
    struct schema_counts ports;
    bool fast;
    int cc;
    const char *title, *trace;
};

static const struct schema_field wan_fields[] = {
    {.key = "rtt",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct wan, rtt_ps),
     .fallback = "0s",
     .max = "10s",
     .help = "Round-trip time of the line."},
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct wan, rate_bps),
     .fallback = "100Gbps",
     .min = "1Mbps",
     .max = "1Tbps",
     .help = "Rate of the line.",
     .source = "a data sheet"},
    {.key = "length",
     .type = SCHEMA_LENGTH,
     .offset = offsetof(struct wan, length_mm),
     .fallback = "0m",
     .help = "Length of the line."},
    {.key = "buffer",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct wan, buffer_bytes),
     .fallback = "16MiB",
     .help = "Buffer at its entrance."},
    {.key = "loss",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct wan, loss),
     .fallback = "0.1%",
     .max = "50%",
     .help = "Part lost."},
    {.key = "factor",
     .type = SCHEMA_REAL,
     .offset = offsetof(struct wan, factor),
     .fallback = "-0.5",
     .min = "-1",
     .max = "1",
     .help = "A real."},
    {.key = NULL},
};

static void check_wan(const void *config, struct schema_check *check)
{
    const struct wan *wan = config;
    if (wan->rtt_ps > 0 && wan->length_mm > 0)
        schema_complain(check, "length", "C001: rtt or length, not both (%d)", 2);
    if (wan->buffer_bytes == 0) schema_complain(check, "loss", "C002: no buffer, much loss");
}

static const struct schema wan_schema = {"wan", "The line.", sizeof(struct wan), wan_fields,
                                         check_wan};

static const struct schema_field node_fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct node, name),
     .help = "Name of the node."},
    {.key = "gpus",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct node, gpus),
     .fallback = "8",
     .min = "1",
     .max = "16384",
     .help = "GPUs in it."},
    {.key = NULL},
};
static const struct schema node_schema = {"node", "One node.", sizeof(struct node), node_fields,
                                          NULL};

static const struct schema_field lustre_fields[] = {
    {.key = "rpc_size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct lustre, rpc_bytes),
     .fallback = "4MiB",
     .help = "Bytes of one RPC."},
    {.key = "flights",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct lustre, flights),
     .fallback = "8",
     .help = "RPCs in flight."},
    {.key = NULL},
};
static const struct schema_field nfs_fields[] = {
    {.key = "slots",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct nfs, slots),
     .help = "Session slots."},
    {.key = NULL},
};
static const struct schema lustre_schema = {"lustre", "Lustre.", sizeof(struct lustre),
                                            lustre_fields, NULL};
static const struct schema nfs_schema = {"nfs", "NFS.", sizeof(struct nfs), nfs_fields, NULL};
static const struct schema *const client_kinds[] = {&lustre_schema, &nfs_schema, NULL};

static const struct schema_field storage_fields[] = {
    {.key = "client",
     .type = SCHEMA_VARIANT,
     .offset = offsetof(struct storage, client),
     .fallback = "lustre",
     .kinds = client_kinds,
     .help = "How it is read."},
    {.key = "targets",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct storage, targets),
     .fallback = "24",
     .min = "1",
     .help = "Object targets."},
    {.key = NULL},
};
static const struct schema storage_schema = {"storage", "The storage.", sizeof(struct storage),
                                             storage_fields, NULL};

static const char *const cc_words[] = {"none", "dcqcn", "swift", NULL};
static const struct schema_field zoo_fields[] = {
    {.key = "wan",
     .type = SCHEMA_SECTION,
     .offset = offsetof(struct zoo, wan),
     .section = &wan_schema,
     .help = "The line to the storage."},
    {.key = "storage",
     .type = SCHEMA_SECTION,
     .offset = offsetof(struct zoo, storage),
     .section = &storage_schema,
     .help = "Where the data is."},
    {.key = "nodes",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct zoo, nodes),
     .max = "1000",
     .section = &node_schema,
     .help = "The nodes."},
    {.key = "ports",
     .type = SCHEMA_COUNTS,
     .offset = offsetof(struct zoo, ports),
     .fallback = "[3, 7]",
     .max = "100",
     .help = "Port numbers."},
    {.key = "fast",
     .type = SCHEMA_BOOL,
     .offset = offsetof(struct zoo, fast),
     .fallback = "false",
     .help = "Fast or not."},
    {.key = "cc",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct zoo, cc),
     .fallback = "none",
     .words = cc_words,
     .help = "Congestion control."},
    {.key = "title",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct zoo, title),
     .fallback = "",
     .help = "A title."},
    {.key = "trace",
     .type = SCHEMA_PATH,
     .offset = offsetof(struct zoo, trace),
     .fallback = "",
     .help = "A file | of traces."},
    {.key = NULL},
};
static const struct schema zoo_schema = {"zoo", "A zoo of types.", sizeof(struct zoo), zoo_fields,
                                         NULL};
static const struct schema_root roots[] = {
    {.name = "topology", .prefix = "", .schema = &zoo_schema},
    {.name = "workload", .prefix = "workload.", .kinds = client_kinds},
};

#endif
