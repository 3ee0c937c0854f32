/* server.c - targets as first-come-first-served stations, a common rate behind them.
 *
 * An operation occupies its target for max(bytes / rate, 1 / IOPS), then the appliance for
 * bytes / its rate, and is answered a service latency later; latencies overlap, occupations queue.
 * NOT modelled: the server's own cache, seek patterns, writes that interfere with reads.
 */
#include "models/storage/server.h"

#include "sim/base/units.h"

static const struct schema_field fields[] = {
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct server_cfg, rate_bps),
     .fallback = "0bps",
     .max = "1000Tbps",
     .help = "Rate of the whole appliance; 0 = the sum of its targets."},
    {.key = "nic_rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct server_cfg, nic_bps),
     .fallback = "800Gbps",
     .min = "1Mbps",
     .max = "1000Tbps",
     .help = "Rate of its network ports together.",
     .source = "DDN AI400X2 data sheet: 8 ports of 200 Gb/s; half of them towards this client"},
    {.key = "peers",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct server_cfg, peers),
     .fallback = "4",
     .min = "1",
     .max = "4096",
     .help = "Server processes (OSS), each a network peer of its own.",
     .source = "DDN AI400X2: four virtual object servers"},
    {.key = "targets",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct server_cfg, targets),
     .fallback = "8",
     .min = "1",
     .max = "65536",
     .help = "Object-storage targets, spread over the peers."},
    {.key = "target_rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct server_cfg, target_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Rate of one target; 0 = no limit."},
    {.key = "target_iops",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct server_cfg, target_iops),
     .fallback = "0",
     .max = "1000000000",
     .help = "Operations per second of one target; 0 = no limit."},
    {.key = "service_time",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct server_cfg, service_ps),
     .fallback = "200us",
     .max = "100s",
     .help = "Latency of a read or write in the server."},
    {.key = "metadata_time",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct server_cfg, meta_service_ps),
     .fallback = "100us",
     .max = "100s",
     .help = "Latency of a metadata operation in the server."},
    {.key = "stripe_size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct server_cfg, stripe_bytes),
     .fallback = "4MiB",
     .min = "64KiB",
     .max = "1PiB",
     .help = "Bytes of a file on one target before the next one takes over."},
    {.key = "stripe_count",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct server_cfg, stripe_count),
     .fallback = "0",
     .max = "65536",
     .help = "Targets that one file is spread over; 0 = all."},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct server_cfg *cfg = config;
    if (cfg->stripe_count > cfg->targets)
        schema_complain(check, "stripe_count", "C003: more stripes than targets");
    if (cfg->peers > cfg->targets)
        schema_complain(check, "peers", "C004: more peers than targets leaves peers without any");
}

const struct schema server_schema = {
    .name = "server",
    .help = "The storage system.",
    .size = sizeof(struct server_cfg),
    .fields = fields,
    .check = check,
};

struct server {
    struct sim *sim;
    const struct server_cfg *cfg;
    int64_t *target_free_ps; /* [targets] */
    int64_t free_ps;         /* of the appliance as a whole */
    uint32_t component;
};

struct server *server_new(struct sim *sim, const struct server_cfg *cfg)
{
    struct server *server = ARENA_NEW(sim_arena(sim), struct server);
    server->sim = sim;
    server->cfg = cfg;
    server->target_free_ps = ARENA_ARRAY(sim_arena(sim), int64_t, cfg->targets);
    server->component = sim_component(sim);
    return server;
}

const struct server_cfg *server_cfg(const struct server *server)
{
    return server->cfg;
}

static void on_served(struct sim *sim, void *self)
{
    struct server_op *op = self;
    op->done(sim, op);
}

/* Occupy a station that is free from *free_ps on for busy_ps, not before at_ps; returns the end. */
static int64_t occupy(int64_t *free_ps, int64_t at_ps, int64_t busy_ps)
{
    int64_t begin_ps = *free_ps > at_ps ? *free_ps : at_ps;
    *free_ps = begin_ps + busy_ps;
    return *free_ps;
}

/* The target has read the operation; now the appliance's common rate, which began to pass it on
 * while it was read (cut through). Operations reach it in the order in which targets end. */
static void on_target(struct sim *sim, void *self)
{
    struct server_op *op = self;
    struct server *server = op->server;
    const struct server_cfg *cfg = server->cfg;
    int64_t now_ps = sim_now_ps(sim), end_ps = now_ps;
    if (cfg->rate_bps > 0) {
        int64_t all_ps = units_serialise_ps(op->bytes, cfg->rate_bps);
        int64_t at_ps = now_ps - all_ps > op->start_ps ? now_ps - all_ps : op->start_ps;
        end_ps = occupy(&server->free_ps, at_ps, all_ps);
        if (end_ps < now_ps) end_ps = now_ps;
    }
    op->wait_ps = end_ps - op->start_ps;
    timer_init(&op->timer, on_served, op, server->component, 0);
    timer_arm(sim, &op->timer, end_ps + cfg->service_ps);
}

void server_submit(struct server *server, struct server_op *op)
{
    const struct server_cfg *cfg = server->cfg;
    int64_t now_ps = sim_now_ps(server->sim), busy_ps = 0;
    op->server = server;
    op->start_ps = now_ps;
    if (op->target < 0) {
        timer_init(&op->timer, on_served, op, server->component, 1);
        timer_after(server->sim, &op->timer, cfg->meta_service_ps);
        return;
    }
    if (cfg->target_bps > 0) busy_ps = units_serialise_ps(op->bytes, cfg->target_bps);
    if (cfg->target_iops > 0 && busy_ps < PS_PER_S / cfg->target_iops)
        busy_ps = PS_PER_S / cfg->target_iops;
    if (busy_ps == 0) {
        on_target(server->sim, op);
        return;
    }
    timer_init(&op->timer, on_target, op, server->component, 2);
    timer_arm(server->sim, &op->timer,
              occupy(&server->target_free_ps[op->target], now_ps, busy_ps));
}

int32_t server_target(const struct server *server, int64_t file, int64_t off, int64_t *run_bytes)
{
    const struct server_cfg *cfg = server->cfg;
    int64_t count = cfg->stripe_count > 0 ? cfg->stripe_count : cfg->targets;
    int64_t stripe = off / cfg->stripe_bytes;
    *run_bytes = count > 1 ? (stripe + 1) * cfg->stripe_bytes - off : INT64_MAX;
    return (int32_t)((file + stripe % count) % cfg->targets);
}
