/* validation_model.c - what a row of a validation file can be besides the run of a workload: the
 * formulas of `railsim headroom` and `railsim fluid dcqcn`, one port by itself, hashed paths. Their
 * inputs are keys like all others. */
#include "sim/app/validation_model.h"

#include <string.h>

#include "models/cc/fluid_dcqcn.h"
#include "models/net/headroom.h"
#include "sim/app/validation_ecmp.h"
#include "sim/app/validation_queue.h"
#include "sim/base/units.h"

/* struct run_cfg has no keys: one byte, since a struct needs a member. */
struct run_cfg {
    char none;
};
static const struct schema_field run_fields[] = {{.key = NULL}};
static const struct schema run_schema = {
    .name = "run",
    .help = "Simulate the row's workload.",
    .size = sizeof(struct run_cfg),
    .fields = run_fields,
};

struct headroom_cfg {
    int64_t rate_bps, cable_mm, lanes;
};
static const struct schema_field headroom_fields[] = {
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct headroom_cfg, rate_bps),
     .min = "1Gbps",
     .max = "10Tbps",
     .help = "Of the port."},
    {.key = "cable",
     .type = SCHEMA_LENGTH,
     .offset = offsetof(struct headroom_cfg, cable_mm),
     .max = "100km",
     .help = "Its length."},
    {.key = "lanes",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct headroom_cfg, lanes),
     .fallback = "4",
     .min = "1",
     .max = "8",
     .help = "Of the port; of 8 it keeps twice the XON."},
    {.key = NULL},
};
static const struct schema headroom_schema = {
    .name = "headroom",
    .help = "PFC headroom of a Spectrum-4 port: xoff, xon, size.",
    .size = sizeof(struct headroom_cfg),
    .fields = headroom_fields,
};

struct dcqcn_cfg {
    int64_t flows, delay_ps;
};
static const struct schema_field dcqcn_fields[] = {
    {.key = "flows",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct dcqcn_cfg, flows),
     .min = "1",
     .max = "1000000",
     .help = "Through the bottleneck."},
    {.key = "delay",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct dcqcn_cfg, delay_ps),
     .fallback = "0s",
     .max = "1s",
     .help = "Of the feedback."},
    {.key = NULL},
};
static const struct schema dcqcn_schema = {
    .name = "dcqcn",
    .help = "DCQCN as a fluid, 40 Gb/s: phase_margin, queue.",
    .size = sizeof(struct dcqcn_cfg),
    .fields = dcqcn_fields,
};

enum sizes { SIZES_FIXED, SIZES_EXPONENTIAL };
static const char *const sizes_words[] = {"fixed", "exponential", NULL};
struct queue_cfg {
    double load;
    int sizes; /* enum sizes */
    int64_t packets;
};
static const struct schema_field queue_fields[] = {
    {.key = "load",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct queue_cfg, load),
     .min = "1%",
     .max = "99%",
     .help = "Share of the port's rate."},
    {.key = "sizes",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct queue_cfg, sizes),
     .fallback = "fixed",
     .words = sizes_words,
     .help = "Of the packets."},
    {.key = "packets",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct queue_cfg, packets),
     .fallback = "1000000",
     .min = "1",
     .max = "100000000",
     .help = "How many are simulated."},
    {.key = NULL},
};
static const struct schema queue_schema = {
    .name = "queue",
    .help = "An egress port under Poisson arrivals: wait.",
    .size = sizeof(struct queue_cfg),
    .fields = queue_fields,
};

#define ECMP_FIELD(name, member, otherwise, most, text)                                            \
    {                                                                                              \
        .key = name, .type = SCHEMA_COUNT, .offset = offsetof(struct validation_ecmp, member),     \
        .fallback = otherwise, .min = "1", .max = most, .help = text                               \
    }
static const struct schema_field ecmp_fields[] = {
    ECMP_FIELD("leaves", leaves, "2", "256", "Leaf switches."),
    ECMP_FIELD("hosts_per_leaf", hosts, "16", "256", "Hosts at each."),
    ECMP_FIELD("spines", spines, "16", "256", "Spine switches."),
    ECMP_FIELD("links_per_pair", links, "1", "64", "Parallel cables of leaf and spine."),
    ECMP_FIELD("queue_pairs", pairs, "1", "64", "Of each flow."),
    ECMP_FIELD("permutations", permutations, "1", "100000", "Over how many the mean is taken."),
    {.key = NULL},
};
static const struct schema ecmp_schema = {
    .name = "ecmp",
    .help = "Max-min fair rates of hashed random permutations in a leaf-spine fabric: rate.",
    .size = sizeof(struct validation_ecmp),
    .fields = ecmp_fields,
};

enum model { MODEL_RUN, MODEL_HEADROOM, MODEL_DCQCN, MODEL_QUEUE, MODEL_ECMP };
const struct schema *const validation_model_kinds[] = {
    [MODEL_RUN] = &run_schema,     [MODEL_HEADROOM] = &headroom_schema,
    [MODEL_DCQCN] = &dcqcn_schema, [MODEL_QUEUE] = &queue_schema,
    [MODEL_ECMP] = &ecmp_schema,   NULL,
};

static bool headroom_value(const struct headroom_cfg *cfg, const char *metric, double *value)
{
    struct headroom_port port = HEADROOM_PORT_SONIC;
    port.rate_bps = cfg->rate_bps;
    port.cable_mm = cfg->cable_mm;
    port.lanes = cfg->lanes;
    struct headroom headroom = headroom_spectrum4(&port);
    const struct {
        const char *name;
        int64_t bytes;
    } metrics[] = {
        {"xoff", headroom.xoff_bytes}, {"xon", headroom.xon_bytes}, {"size", headroom.size_bytes}};
    for (unsigned m = 0; m < sizeof metrics / sizeof metrics[0]; m++) {
        if (strcmp(metric, metrics[m].name) != 0) continue;
        *value = (double)metrics[m].bytes;
        return true;
    }
    return false;
}

static bool dcqcn_value(const struct dcqcn_cfg *cfg, const char *metric, double *value)
{
    struct fluid_dcqcn fluid = FLUID_DCQCN_PAPER;
    fluid.flows = (double)cfg->flows;
    fluid.delay_s = units_s(cfg->delay_ps);
    if (strcmp(metric, "phase_margin") == 0) {
        struct fluid_dcqcn_margin margin;
        bool ok = fluid_dcqcn_phase_margin(&fluid, &margin);
        if (ok) *value = margin.margin_deg;
        return ok;
    }
    struct fluid_dcqcn_point point;
    if (strcmp(metric, "queue") != 0 || !fluid_dcqcn_fixed_point(&fluid, &point)) return false;
    *value = point.queue_bytes;
    return true;
}

bool validation_model_is_run(const struct schema_variant *model)
{
    return model->index == MODEL_RUN;
}

static bool queue_value(const struct queue_cfg *cfg, const char *metric, double *value)
{
    if (strcmp(metric, "wait") != 0) return false;
    const struct validation_queue queue = {
        .load = cfg->load, .exponential = cfg->sizes == SIZES_EXPONENTIAL, .packets = cfg->packets};
    *value = validation_queue_wait(&queue).services;
    return true;
}

static bool ecmp_value(const struct validation_ecmp *ecmp, const char *metric, double *value)
{
    if (strcmp(metric, "rate") != 0) return false;
    *value = validation_ecmp_rate(ecmp);
    return true;
}

bool validation_model_value(const struct schema_variant *model, const char *metric, double *value)
{
    switch ((enum model)model->index) {
    case MODEL_RUN:
        return false;
    case MODEL_HEADROOM:
        return headroom_value(model->config, metric, value);
    case MODEL_DCQCN:
        return dcqcn_value(model->config, metric, value);
    case MODEL_QUEUE:
        return queue_value(model->config, metric, value);
    case MODEL_ECMP:
        return ecmp_value(model->config, metric, value);
    }
    return false;
}
