/* lanes.c - a hash table of lanes that grows by doubling. */
#include "models/cluster/lanes.h"

static uint64_t hash_of(struct lane_id id)
{
    uint64_t h = (uint64_t)(uint32_t)id.src << 32 | (uint32_t)id.dst;
    h = (h ^ (uint64_t)(uint32_t)id.number << 17) * UINT64_C(0x9e3779b97f4a7c15);
    return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 20;
}

/* Where the lane is, or would be. */
static struct lane **find_place(const struct lanes *lanes, struct lane_id id)
{
    uint64_t mask = (uint64_t)lanes->table_n - 1, at = hash_of(id) & mask;
    for (;; at = (at + 1) & mask) {
        struct lane *lane = lanes->table[at];
        if (!lane || (lane->src == id.src && lane->dst == id.dst && lane->number == id.number))
            return &lanes->table[at];
    }
}

static void grow(struct lanes *lanes)
{
    struct lane **old = lanes->table;
    int64_t old_n = lanes->table_n;
    lanes->table_n = old_n ? 2 * old_n : 64;
    lanes->table = ARENA_ARRAY(lanes->arena, struct lane *, lanes->table_n);
    for (int64_t i = 0; i < old_n; i++)
        if (old[i])
            *find_place(lanes, (struct lane_id){old[i]->src, old[i]->dst, old[i]->number}) = old[i];
}

struct lane *lanes_find(const struct lanes *lanes, struct lane_id id)
{
    return lanes->table_n > 0 ? *find_place(lanes, id) : NULL;
}

struct lane *lanes_add(struct lanes *lanes, struct lane_id id)
{
    if (2 * lanes->n >= lanes->table_n) grow(lanes);
    struct lane *lane = ARENA_NEW(lanes->arena, struct lane);
    *find_place(lanes, id) = lane;
    lanes->n++;
    lane->src = id.src;
    lane->dst = id.dst;
    lane->number = id.number;
    return lane;
}
