/* wan.c - the long line: keys, and who may put how many bytes into it.
 *
 * Other traffic is unresponsive: it takes its rate, the rest is shared. A line with a finite buffer
 * at its entrance holds rate * RTT + buffer bytes in flight; what comes on top is lost.
 * NOT modelled: bursts of the other traffic, several lines in a row.
 */
#include "models/storage/wan.h"

#include "sim/base/units.h"

static const struct schema_field fields[] = {
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct wan_cfg, rate_bps),
     .fallback = "100Gbps",
     .min = "1Mbps",
     .max = "100Tbps",
     .help = "Rate of the line, each way."},
    {.key = "rtt",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct wan_cfg, rtt_ps),
     .fallback = "0s",
     .max = "10s",
     .help = "Round-trip time of the line (an inserted delay counts here)."},
    {.key = "distance",
     .type = SCHEMA_LENGTH,
     .offset = offsetof(struct wan_cfg, distance_mm),
     .fallback = "0m",
     .max = "1000000km",
     .help = "Length of the fibre; an alternative to rtt."},
    {.key = "delay_per_km",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct wan_cfg, delay_per_km_ps),
     .fallback = "5us",
     .max = "1ms",
     .help = "One-way delay per km of fibre.",
     .source = "group index of fibre 1.47-1.5: 4.9-5.0 us/km (SONiC and Cisco use 5.05-5.13)"},
    {.key = "jitter",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct wan_cfg, jitter_ps),
     .fallback = "0s",
     .max = "1s",
     .help = "Each burst is up to this much later, uniformly; order is kept.",
     .source = "all-photonics line: none"},
    {.key = "loss",
     .type = SCHEMA_FRACTION,
     .offset = offsetof(struct wan_cfg, loss),
     .fallback = "0",
     .max = "0.5",
     .help = "Probability that a segment is lost.",
     .source = "all-photonics line: none"},
    {.key = "buffer",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct wan_cfg, buffer_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "Buffer at the entrance of the line; what exceeds rate x RTT + buffer is lost. "
             "0 = senders are held back instead (a rate-matched or lossless line)."},
    {.key = "cross_traffic",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct wan_cfg, cross_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Unresponsive traffic of others on the line, each way."},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct wan_cfg *cfg = config;
    if (cfg->rtt_ps > 0 && cfg->distance_mm > 0)
        schema_complain(check, "distance", "C001: give either rtt or distance, not both");
    if (cfg->cross_bps >= cfg->rate_bps)
        schema_complain(check, "cross_traffic",
                        "C002: other traffic leaves nothing of the line's rate");
}

const struct schema wan_schema = {
    .name = "wan",
    .help = "The line between the servers and the storage.",
    .size = sizeof(struct wan_cfg),
    .fields = fields,
    .check = check,
};

#define MM_PER_KM 1000000

void wan_init(struct wan *wan, const struct wan_cfg *cfg)
{
    int64_t rtt_ps = cfg->rtt_ps;
    if (cfg->distance_mm > 0) /* RTT = 2 * length * delay per length */
        rtt_ps =
            (int64_t)(2.0 * (double)cfg->distance_mm / MM_PER_KM * (double)cfg->delay_per_km_ps);
    *wan = (struct wan){.one_way_ps = rtt_ps / 2,
                        .free_bps = cfg->rate_bps - cfg->cross_bps,
                        .jitter_ps = cfg->jitter_ps,
                        .loss = cfg->loss};
    if (cfg->buffer_bytes > 0)
        wan->limit_bytes[0] = wan->limit_bytes[1] =
            units_carried_bytes(wan->free_bps, rtt_ps) + cfg->buffer_bytes;
}

bool wan_enter(struct wan *wan, int direction, int64_t bytes)
{
    int64_t limit = wan->limit_bytes[direction];
    if (limit > 0 && wan->inflight_bytes[direction] + bytes > limit) return false;
    wan->inflight_bytes[direction] += bytes;
    return true;
}

void wan_force(struct wan *wan, int direction, int64_t bytes)
{
    wan->inflight_bytes[direction] += bytes;
}

void wan_leave(struct wan *wan, int direction, int64_t bytes)
{
    wan->inflight_bytes[direction] -= bytes;
}
