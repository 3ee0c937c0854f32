/* rng.c - SplitMix64 streams, one per name.
 *
 * Why apart: every random bit of a simulation comes from here. The one idea: a stream is nothing
 * but a 64-bit counter behind a strong mix; where it starts is a hash of the seed and the stream's
 * name, so a stream does not depend on which others exist, nor on the order in which they are made.
 * Source: Steele, Lea, Flood, OOPSLA 2014, figure 13 (finaliser: Stafford's variant 13); names are
 * hashed by FNV-1a (Fowler, Noll, Vo), bounded integers drawn by Lemire, ACM TOMACS 29(1), 2019.
 * Not modelled: cryptographic strength.
 */
#include "sim/engine/rng.h"

#include "sim/base/check.h"

__extension__ typedef unsigned __int128 u128;

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct rng rng_stream(uint64_t seed, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *s = name; *s; s++)
        hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    /* Mixed twice, so that neighbouring seeds do not start at neighbouring states. */
    return (struct rng){mix(mix(seed + GOLDEN) ^ hash)};
}

uint64_t rng_derive(uint64_t seed, uint64_t index)
{
    return index == 0 ? seed : mix(mix(seed + GOLDEN) + index * GOLDEN);
}

uint64_t rng_u64(struct rng *rng)
{
    rng->state += GOLDEN;
    return mix(rng->state);
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
    CHECK(n > 0, "a random number below 0");
    /* The high word of a 64 x 64 bit product; the 2^64 mod n products with the smallest low words
     * are one too many for some results and are drawn again. */
    u128 product = (u128)rng_u64(rng) * n;
    if ((uint64_t)product < n) {
        uint64_t surplus = (0 - n) % n;
        while ((uint64_t)product < surplus)
            product = (u128)rng_u64(rng) * n;
    }
    return (uint64_t)(product >> 64);
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}
