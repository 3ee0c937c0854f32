/* rng.h - named streams of random numbers: stream = hash(seed, name), 64 bits of state.
 *
 * Two components never share a stream, so adding one changes no other's draws. Draws that decide
 * events use integer arithmetic and + - * / only, so that they are the same bits everywhere.
 * Source: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014).
 */
#ifndef RAILSIM_ENGINE_RNG_H
#define RAILSIM_ENGINE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

/* rng_stream returns the stream called name ("wan/loss") of a simulation seeded with seed. */
struct rng rng_stream(uint64_t seed, const char *name);
/* rng_derive returns the seed of repetition number index of a sweep: hash(seed, index);
 * index 0 gives seed itself. */
uint64_t rng_derive(uint64_t seed, uint64_t index);
/* rng_u64 returns 64 random bits. */
uint64_t rng_u64(struct rng *rng);
/* rng_below returns a uniform integer in [0, n), n > 0, without bias. */
uint64_t rng_below(struct rng *rng, uint64_t n);
/* rng_unit returns a uniform double in [0, 1) with 53 random bits. */
double rng_unit(struct rng *rng);

#endif
