/* route_adaptive.c - graded adaptive routing as Spectrum switches do it.
 *
 * Each egress port has a grade by what its queue holds: 0 below `low`, 1 below `medium`, 2 below
 * `high`, 3 above, 4 when it is down. A packet takes one of the ports of the lowest grade, at
 * random. The one idea: grades are not exact but as old as `period`, so the ports of the lowest
 * grade are collected once per period and group of candidates; in between a pick is one random
 * number. A group is known by its first port; a period of a group begins with the first packet
 * after the end of the last one, so that switches do not decide in step.
 * Source: Cumulus Linux documentation, adaptive routing (fabric.md section 4.1): thresholds 100,
 * 1000, 10000 cells, sticky period 1 us, random among equals.
 * NOT modelled: grading by link utilisation (off by default), extended grades of Spectrum-6;
 * thresholds of Spectrum-4's profile 2 are not published, the older default stands for them.
 */
#include <string.h>

#include "models/route/route.h"

struct adaptive_cfg {
    int64_t low_cells, medium_cells, high_cells, cell_bytes, period_ps;
};

#define AR_SOURCE "Cumulus Linux documentation: Spectrum's default profile"

static const struct schema_field fields[] = {
    {.key = "low",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct adaptive_cfg, low_cells),
     .fallback = "100",
     .min = "1",
     .max = "1000000000",
     .help = "Cells in the egress queue from which on a port has grade 1.",
     .source = AR_SOURCE},
    {.key = "medium",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct adaptive_cfg, medium_cells),
     .fallback = "1000",
     .min = "1",
     .max = "1000000000",
     .help = "Cells from which on it has grade 2.",
     .source = AR_SOURCE},
    {.key = "high",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct adaptive_cfg, high_cells),
     .fallback = "10000",
     .min = "1",
     .max = "1000000000",
     .help = "Cells from which on it has grade 3.",
     .source = AR_SOURCE},
    {.key = "cell",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct adaptive_cfg, cell_bytes),
     .fallback = "192B",
     .min = "1B",
     .max = "64KiB",
     .help = "Buffer cell.",
     .source = "SONiC, buffer_headroom_mellanox.lua: Spectrum-4"},
    {.key = "period",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct adaptive_cfg, period_ps),
     .fallback = "1us",
     .max = "1s",
     .help = "How long a choice of ports stands; 0 = every packet looks anew.",
     .source = "Cumulus Linux documentation: sticky period, not configurable"},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct adaptive_cfg *cfg = config;
    if (cfg->low_cells > cfg->medium_cells || cfg->medium_cells > cfg->high_cells)
        schema_complain(check, "medium",
                        "C040: thresholds must grow: low %lld, medium %lld, high "
                        "%lld cells",
                        (long long)cfg->low_cells, (long long)cfg->medium_cells,
                        (long long)cfg->high_cells);
}

const struct schema route_adaptive_schema = {
    .name = "adaptive",
    .help = "Graded adaptive routing: a random one of the least occupied ports.",
    .size = sizeof(struct adaptive_cfg),
    .fields = fields,
    .check = check,
};

enum { GRADE_DOWN = 4 };

/* struct group: candidates that begin with the same port; best[] holds those of the lowest grade
 * until until_ps. */
struct group {
    int64_t until_ps;
    int32_t n, best_n; /* n: of all candidates; 0 = not graded yet */
};

/* The state: groups [ports], then the lists of all groups, [ports] candidates each. */
struct switch_state {
    int32_t ports;
    struct group group[];
};

static uint16_t *best_of(struct switch_state *sw, int32_t first)
{
    return (uint16_t *)(sw->group + sw->ports) + (size_t)first * (size_t)sw->ports;
}

static size_t state_bytes(const void *config, const struct route_switch *facts)
{
    (void)config;
    size_t ports = (size_t)facts->ports;
    return sizeof(struct switch_state) + ports * sizeof(struct group) +
           ports * ports * sizeof(uint16_t);
}

static void init(void *state, const void *config, const struct route_switch *facts)
{
    struct switch_state *sw = state;
    memset(state, 0, state_bytes(config, facts));
    sw->ports = facts->ports;
}

static int32_t grade(const struct adaptive_cfg *cfg, const struct route_view *view, int32_t i)
{
    if (!route_is_up(view, i)) return GRADE_DOWN;
    int64_t queue_bytes = view->queue_bytes(view, i);
    return (queue_bytes >= cfg->low_cells * cfg->cell_bytes) +
           (queue_bytes >= cfg->medium_cells * cfg->cell_bytes) +
           (queue_bytes >= cfg->high_cells * cfg->cell_bytes);
}

/* Collect the candidates of the lowest grade. */
static void refresh(struct group *group, uint16_t *best, const struct adaptive_cfg *cfg,
                    const struct route_view *view)
{
    int32_t lowest = GRADE_DOWN;
    group->best_n = 0;
    for (int32_t i = 0; i < view->n; i++) {
        int32_t of_i = grade(cfg, view, i);
        if (of_i > lowest) continue;
        if (of_i < lowest) group->best_n = 0;
        lowest = of_i;
        best[group->best_n++] = (uint16_t)i;
    }
    group->n = view->n;
    group->until_ps = view->now_ps + cfg->period_ps;
}

static int32_t pick(void *state, const void *config, const struct route_view *view, struct rng *rng)
{
    struct switch_state *sw = state;
    int32_t first = view->slot[0];
    struct group *group = &sw->group[first];
    uint16_t *best = best_of(sw, first);
    if (view->now_ps >= group->until_ps || group->n != view->n) refresh(group, best, config, view);
    int32_t i = best[(rng_u64(rng) >> 32) * (uint32_t)group->best_n >> 32];
    if (__builtin_expect(route_is_up(view, i), 1)) return i;
    refresh(group, best, config, view); /* it went down in this period */
    return best[(rng_u64(rng) >> 32) * (uint32_t)group->best_n >> 32];
}

const struct route_ops route_adaptive = {
    .help = "a random one of the ports with the lowest queue grade (Spectrum)",
    .per_packet = true,
    .state_bytes = state_bytes,
    .init = init,
    .pick = pick,
};
