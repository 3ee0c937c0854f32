/* route_adaptive.c - graded adaptive routing as Spectrum switches do it.
 *
 * Each egress port has a grade by what its queue holds: 0 below `low`, 1 below `medium`, 2 below
 * `high`, 3 above, 4 when it is down. Each packet takes one of the ports of the lowest grade, at
 * random, by the grades of this moment: were they kept for a while, all packets would go to the one
 * port that had the lowest grade alone. The one idea: most ports have grade 0, so a random one that
 * has it is found by drawing until it comes; only after DRAWS misses are all of them graded.
 * With a `period` a flow is sticky: it stays at its port for so long while the grade does not rise.
 * Source: Cumulus Linux documentation, adaptive routing (fabric.md section 4.1): per packet,
 * thresholds 100, 1000, 10000 cells, random among equals. It names a sticky period of 1 us, but not
 * what sticks; flows that stay at a port for 1 us collide more than random spray does, against the
 * 95 % of the bisection that is measured, so that 0 is the default.
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
     .fallback = "0s",
     .max = "1s",
     .help = "How long a flow stays at its port while the grade does not rise; 0 = every packet "
             "looks anew.",
     .source = "Cumulus Linux documentation: per packet; sticky period 1us"},
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

/* struct held: the port at which a flow stays. */
struct held {
    int64_t until_ps;
    uint32_t flow;
    uint16_t i;
    uint8_t grade; /* when it was chosen */
};

#define HELD_N 1024 /* flows that a switch can tell apart */
#define DRAWS 4     /* of ports, before all are graded */

/* The state: held [HELD_N], then room for the candidates that are equally good. */
static uint16_t *best_of(void *state)
{
    return (uint16_t *)((struct held *)state + HELD_N);
}

static size_t state_bytes(const void *config, const struct route_switch *facts)
{
    (void)config;
    return HELD_N * sizeof(struct held) + (size_t)facts->ports * sizeof(uint16_t);
}

static void init(void *state, const void *config, const struct route_switch *facts)
{
    memset(state, 0, state_bytes(config, facts));
}

static int32_t grade(const struct adaptive_cfg *cfg, const struct route_view *view, int32_t i)
{
    if (!route_is_up(view, i)) return GRADE_DOWN;
    int64_t queue_bytes = view->queue_bytes(view, i);
    return (queue_bytes >= cfg->low_cells * cfg->cell_bytes) +
           (queue_bytes >= cfg->medium_cells * cfg->cell_bytes) +
           (queue_bytes >= cfg->high_cells * cfg->cell_bytes);
}

static int32_t draw(struct rng *rng, int32_t n)
{
    return (int32_t)((rng_u64(rng) >> 32) * (uint32_t)n >> 32);
}

/* A random one of the lowest grade; *of is the grade. */
static int32_t decide(uint16_t *best, const struct adaptive_cfg *cfg, const struct route_view *view,
                      struct rng *rng, int32_t *of)
{
    for (int tries = 0; tries < DRAWS; tries++) {
        int32_t i = draw(rng, view->n);
        *of = grade(cfg, view, i);
        if (*of == 0) return i;
    }
    int32_t best_n = 0;
    *of = GRADE_DOWN;
    for (int32_t i = 0; i < view->n; i++) {
        int32_t of_i = grade(cfg, view, i);
        if (of_i > *of) continue;
        if (of_i < *of) best_n = 0;
        *of = of_i;
        best[best_n++] = (uint16_t)i;
    }
    return best[draw(rng, best_n)];
}

static bool stays(const struct held *held, const struct adaptive_cfg *cfg,
                  const struct route_view *view)
{
    return held->flow == view->flow && view->now_ps < held->until_ps && held->i < view->n &&
           grade(cfg, view, held->i) <= held->grade;
}

static int32_t pick(void *state, const void *config, const struct route_view *view, struct rng *rng)
{
    const struct adaptive_cfg *cfg = config;
    int32_t of;
    if (cfg->period_ps == 0) return decide(best_of(state), cfg, view, rng, &of);
    uint32_t hash = route_hash(view->flow, (uint32_t)view->slot[0]); /* data, or their answers */
    struct held *held = (struct held *)state + hash % HELD_N;
    if (stays(held, cfg, view)) return held->i;
    int32_t i = decide(best_of(state), cfg, view, rng, &of);
    *held = (struct held){.until_ps = view->now_ps + cfg->period_ps,
                          .flow = view->flow,
                          .i = (uint16_t)i,
                          .grade = (uint8_t)of};
    return i;
}

static int32_t foresee(const void *state, const void *config, const struct route_view *view,
                       const struct rng *rng)
{
    (void)state;
    (void)config;
    struct rng copy = *rng;
    return draw(&copy, view->n);
}

const struct route_ops route_adaptive = {
    .help = "a random one of the ports with the lowest queue grade (Spectrum)",
    .per_packet = true,
    .state_bytes = state_bytes,
    .init = init,
    .pick = pick,
    .foresee = foresee,
};
