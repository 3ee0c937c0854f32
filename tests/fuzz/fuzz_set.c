/* fuzz_set.c - any lines "key=value" as overrides of a small configuration, then bound.
 *
 * Built as fuzz_tree.c. The text before a line "---" (if there is one) replaces the configuration.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sim/base/check.h"
#include "sim/io/schema.h"
#include "sim/io/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kind {
    int64_t rpc_bytes;
    const char *path;
};
struct item {
    const char *name;
    int64_t n;
};
struct config {
    int64_t rtt_ps, rate_bps, length_mm;
    double loss, factor;
    bool fast;
    int word;
    struct schema_counts ports;
    struct schema_list nodes;
    struct schema_variant client;
};

#define FIELD(struct_name, member, ...)                                                            \
    {                                                                                              \
        .offset = offsetof(struct struct_name, member), .help = "help", __VA_ARGS__                \
    }

static const struct schema_field kind_fields[] = {
    FIELD(kind, rpc_bytes, .key = "rpc_size", .type = SCHEMA_SIZE, .fallback = "4MiB"),
    FIELD(kind, path, .key = "path", .type = SCHEMA_PATH, .fallback = ""),
    {.key = NULL},
};
static const struct schema_field item_fields[] = {
    FIELD(item, name, .key = "name", .type = SCHEMA_STRING),
    FIELD(item, n, .key = "n", .type = SCHEMA_COUNT, .fallback = "1", .max = "1000000"),
    {.key = NULL},
};
static const struct schema kind_a = {"a", "help", sizeof(struct kind), kind_fields, NULL};
static const struct schema kind_b = {"b", "help", sizeof(struct item), item_fields, NULL};
static const struct schema item_schema = {"item", "help", sizeof(struct item), item_fields, NULL};
static const struct schema *const kinds[] = {&kind_a, &kind_b, NULL};
static const char *const words[] = {"none", "dcqcn", NULL};

static const struct schema_field config_fields[] = {
    FIELD(config, rtt_ps, .key = "rtt", .type = SCHEMA_TIME, .fallback = "0s", .max = "10s"),
    FIELD(config, rate_bps, .key = "rate", .type = SCHEMA_RATE, .fallback = "1Gbps"),
    FIELD(config, length_mm, .key = "length", .type = SCHEMA_LENGTH, .fallback = "0m"),
    FIELD(config, loss, .key = "loss", .type = SCHEMA_FRACTION, .fallback = "1%", .max = "1"),
    FIELD(config, factor, .key = "factor", .type = SCHEMA_REAL, .fallback = "1", .min = "-1"),
    FIELD(config, fast, .key = "fast", .type = SCHEMA_BOOL, .fallback = "true"),
    FIELD(config, word, .key = "word", .type = SCHEMA_ENUM, .fallback = "none", .words = words),
    FIELD(config, ports, .key = "ports", .type = SCHEMA_COUNTS, .fallback = "[1]"),
    FIELD(config, nodes, .key = "nodes", .type = SCHEMA_LIST, .section = &item_schema),
    FIELD(config, client, .key = "client", .type = SCHEMA_VARIANT, .fallback = "a", .kinds = kinds),
    {.key = NULL},
};
static const struct schema schema = {"config", "help", sizeof(struct config), config_fields, NULL};

static const char base[] = "rtt: 1ms\nnodes: [{name: x}, {name: y, n: 2}]\nclient: {kind: a}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct err err = {0};
    struct config config;
    struct schema_rows rows = {.arena = &arena};
    char *text = arena_alloc(&arena, size + 1);
    if (size) memcpy(text, data, size);
    const char *yaml = base;
    char *split = strstr(text, "\n---\n");
    if (split) {
        yaml = text;
        *split = 0;
        text = split + 5;
    }
    struct tree_node *root = tree_read_text(&arena, "d/x.yaml", yaml, strlen(yaml), &err);
    for (char *rest = text, *line; root && (line = strsep(&rest, "\n"));) {
        char *value = strchr(line, '=');
        if (value) *value++ = 0;
        if (value)
            tree_set(&arena, root, &(struct tree_override){line, value, "--set", false}, &err);
    }
    int errors = err.count;
    if (root) {
        const struct schema_into into = {&arena, "", &rows, &err};
        bool ok = schema_bind(&into, &schema, root, &config);
        CHECK(ok == (err.count == errors), "either bound or errors");
        CHECK(!ok || (config.client.config && config.rtt_ps >= 0 && rows.n >= 10), "all bound");
    }
    err_free(&err);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif
