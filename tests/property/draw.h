/* draw.h - for tests of random cases: coins, numbers, and which seeds to try. */
#ifndef RAILSIM_TESTS_DRAW_H
#define RAILSIM_TESTS_DRAW_H

#include <stdlib.h>

#include "sim/engine/rng.h"

static inline bool draw_coin(struct rng *rng)
{
    return rng_below(rng, 2);
}
static inline int draw_from(struct rng *rng, int low, int high)
{
    return low + (int)rng_below(rng, (uint64_t)(high - low + 1));
}

/* draw_seeds gives the first and last seed: 1 and n, or what the environment says, as
 * RAILSIM_SEEDS="from to". */
static inline void draw_seeds(uint64_t n, uint64_t from_to[2])
{
    const char *text = getenv("RAILSIM_SEEDS");
    char *end = NULL;
    from_to[0] = text ? strtoull(text, &end, 10) : 1;
    from_to[1] = text ? strtoull(end, NULL, 10) : n;
}

#endif
