/* telemetry_cfg.c - keys of telemetry. */
#include "models/net/telemetry.h"
#include "sim/base/units.h"

#define AT(member) offsetof(struct telemetry_cfg, member)

static const struct schema_field fields[] = {
    {.key = "window",
     .type = SCHEMA_TIME,
     .offset = AT(window_ps),
     .fallback = "0s",
     .max = "3600s",
     .help = "Record series, one sample per window of this length (1 us or more); 0 = none."},
    {.key = "links",
     .type = SCHEMA_STRING,
     .offset = AT(links),
     .fallback = "*",
     .help = "Which links (from>to): names with * and ?, several separated by blanks."},
    {.key = "queues",
     .type = SCHEMA_BOOL,
     .offset = AT(queues),
     .fallback = "true",
     .help = "Depth of the egress queue at the end of the window, and its maximum in it."},
    {.key = "marks",
     .type = SCHEMA_BOOL,
     .offset = AT(marks),
     .fallback = "true",
     .help = "Packets that were ECN-marked in the window."},
    {.key = "pauses",
     .type = SCHEMA_BOOL,
     .offset = AT(pauses),
     .fallback = "true",
     .help = "Part of the window for which PFC paused the link."},
    {.key = "drops",
     .type = SCHEMA_BOOL,
     .offset = AT(drops),
     .fallback = "true",
     .help = "Packets that were dropped before the link in the window."},
    {.key = "flows",
     .type = SCHEMA_BOOL,
     .offset = AT(flows),
     .fallback = "true",
     .help = "Rate of each flow (kind: flows): payload that arrived in the window."},
    {.key = "flows_max",
     .type = SCHEMA_COUNT,
     .offset = AT(flows_max),
     .fallback = "64",
     .max = "10000",
     .help = "Only so many flows, the first to be seen."},
    {.key = "samples",
     .type = SCHEMA_COUNT,
     .offset = AT(samples),
     .fallback = "1000",
     .min = "2",
     .max = "1000000",
     .help = "At most so many samples of a series: when they are full, windows are merged in "
             "pairs, and the window doubles."},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *complaints)
{
    const struct telemetry_cfg *cfg = config;
    if (cfg->window_ps > 0 && cfg->window_ps < PS_PER_US)
        schema_complain(complaints, "window", "C065: a window is 1 us or longer");
}

const struct schema telemetry_schema = {
    .name = "telemetry",
    .help = "Series of links and flows, window by window.",
    .size = sizeof(struct telemetry_cfg),
    .fields = fields,
    .check = check,
};
