/* route_jsq.c - join the shortest queue: every packet looks at all candidates, exactly and now.
 *
 * The bound of what adaptive routing could do with perfect, free knowledge; ties are broken at
 * random. NOT modelled: the time to compare many ports.
 */
#include "models/route/route.h"

/* struct jsq_cfg has no keys: one byte, since a struct needs a member. */
struct jsq_cfg {
    char none;
};

static const struct schema_field fields[] = {{.key = NULL}};

const struct schema route_jsq_schema = {
    .name = "jsq",
    .help = "Join the shortest queue: exact queue lengths, for every packet.",
    .size = sizeof(struct jsq_cfg),
    .fields = fields,
};

/* The state: room for the candidates that are equally good. */
static size_t state_bytes(const void *config, const struct route_switch *facts)
{
    (void)config;
    return (size_t)facts->ports * sizeof(uint16_t);
}

static void init(void *state, const void *config, const struct route_switch *facts)
{
    (void)state;
    (void)config;
    (void)facts;
}

static int32_t pick(void *state, const void *config, const struct route_view *view, struct rng *rng)
{
    (void)config;
    uint16_t *best = state;
    uint32_t best_n = 0;
    int64_t shortest = INT64_MAX;
    for (int32_t i = 0; i < view->n; i++) {
        int64_t queue_bytes = route_is_up(view, i) ? view->queue_bytes(view, i) : INT64_MAX;
        if (queue_bytes > shortest) continue;
        if (queue_bytes < shortest) best_n = 0;
        shortest = queue_bytes;
        best[best_n++] = (uint16_t)i;
    }
    if (best_n == 1) return best[0];
    return best[(rng_u64(rng) >> 32) * best_n >> 32];
}

const struct route_ops route_jsq = {
    .help = "the shortest queue, looked up for every packet",
    .per_packet = true,
    .state_bytes = state_bytes,
    .init = init,
    .pick = pick,
};
