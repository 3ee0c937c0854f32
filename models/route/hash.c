/* hash.c - what the routing rules share: the hash of ECMP, and the way around ports that are down.
 *
 * The hash stands for the CRC that a switch computes over the five-tuple and a salt of its own:
 * two rounds of multiply and shift, so that every bit of both inputs reaches every bit of the
 * result. Source of the constants: MurmurHash3 finaliser (Appleby, public domain).
 * NOT modelled: the weak spots of real hash functions (polarisation is a key of route_ecmp).
 */
#include "models/route/route.h"

uint32_t route_hash(uint32_t flow, uint32_t salt)
{
    uint32_t z = flow ^ (salt + 1) * UINT32_C(0x9e3779b9);
    z = (z ^ z >> 16) * UINT32_C(0x85ebca6b);
    z = (z ^ z >> 13) * UINT32_C(0xc2b2ae35);
    return z ^ z >> 16;
}

int32_t route_up(const struct route_view *view, int32_t i, uint32_t number)
{
    if (__builtin_expect(route_is_up(view, i), 1)) return i;
    int32_t up_n = 0;
    for (int32_t c = 0; c < view->n; c++)
        up_n += route_is_up(view, c);
    if (up_n == 0) return i;
    int32_t wanted = (int32_t)((uint64_t)number * (uint32_t)up_n >> 32);
    for (int32_t c = 0; c < view->n; c++)
        if (route_is_up(view, c) && wanted-- == 0) return c;
    return i;
}
