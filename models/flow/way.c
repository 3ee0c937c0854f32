/* way.c - a hash table of paths (idea: way.h).
 *
 * The one idea: most messages take a way that was taken before, so it is looked up by source,
 * destination and stream. The table is bounded: past KEPT_MAX ways (an all-to-all of a thousand
 * has a million) a way is found for one message and forgotten.
 *
 * NOT modelled: other ways when links fail.
 */
#include "models/flow/way.h"

#include <string.h>

#include "sim/base/check.h"

#define KEPT_MAX (1 << 17)

struct ways {
    struct topo_graph *graph;
    const struct way **table; /* [size] open addressing; at most half full */
    int64_t size, n;
    struct pool once; /* ways that are not kept */
};

struct ways *ways_new(struct topo_graph *graph)
{
    struct ways *ways = ARENA_NEW(graph->arena, struct ways);
    ways->graph = graph;
    pool_init(&ways->once, graph->arena, sizeof(struct way) + TOPO_PATH_MAX * sizeof(int32_t));
    return ways;
}

static int64_t slot_of(const struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    uint64_t h = ((uint64_t)(uint32_t)src << 32 | (uint32_t)dst) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ stream) * UINT64_C(0xbf58476d1ce4e5b9);
    return (int64_t)(h >> 32) & (ways->size - 1);
}

static const struct way **look_up(struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    int64_t at = slot_of(ways, src, dst, stream);
    for (const struct way *way; (way = ways->table[at]); at = (at + 1) & (ways->size - 1))
        if (way->src == src && way->dst == dst && way->stream == stream) break;
    return &ways->table[at];
}

static void grow(struct ways *ways)
{
    const struct way **old = ways->table;
    int64_t old_size = ways->size;
    ways->size = old_size ? 4 * old_size : 64;
    ways->table = ARENA_ARRAY(ways->graph->arena, const struct way *, ways->size);
    for (int64_t i = 0; i < old_size; i++)
        if (old[i]) *look_up(ways, old[i]->src, old[i]->dst, old[i]->stream) = old[i];
}

static const struct way *find(struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    const struct topo_graph *graph = ways->graph;
    int32_t path[TOPO_PATH_MAX];
    int n = topo_path(ways->graph, src, dst, stream, path);
    CHECK(n > 0, "no path from %s to %s", graph->nodes[src].name, graph->nodes[dst].name);
    bool kept = ways->n < KEPT_MAX;
    struct way *way = kept ? arena_alloc(graph->arena, sizeof *way + (size_t)n * sizeof *path)
                           : pool_get(&ways->once);
    *way = (struct way){.src = src, .dst = dst, .stream = stream, .path_n = n, .kept = kept};
    memcpy(way->path, path, (size_t)n * sizeof *path);
    way->cap_bps = INT64_MAX;
    for (int i = 0; i < n; i++) {
        const struct topo_link *link = &graph->links[path[i]];
        if (link->rate_bps < way->cap_bps) way->cap_bps = link->rate_bps;
        way->delay_ps += link->delay_ps;
    }
    return way;
}

const struct way *ways_find(struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    if (2 * ways->n >= ways->size && ways->n < KEPT_MAX) grow(ways);
    const struct way **place = look_up(ways, src, dst, stream);
    if (*place) return *place;
    const struct way *way = find(ways, src, dst, stream);
    if (!way->kept) return way;
    ways->n++;
    return *place = way;
}

void ways_done(struct ways *ways, const struct way *way)
{
    if (!way->kept) pool_put(&ways->once, (struct way *)(uintptr_t)way);
}

/* ---- ranks ----------------------------------------------------------------------------------- */

static bool is_switch(const struct topo_graph *graph, int32_t node)
{
    return graph->nodes[node].kind == TOPO_SWITCH;
}

/* Distance of each node from the nearest endpoint, by rounds over all links: few, as paths are
 * short. Returns the largest. */
static int32_t find_distances(const struct topo_graph *graph, int32_t *distance)
{
    for (int32_t v = 0; v < graph->node_n; v++)
        distance[v] = is_switch(graph, v) ? INT32_MAX : 0;
    int32_t round = 0;
    for (bool more = true; more; round++) {
        more = false;
        for (int64_t l = 0; l < graph->link_n; l++) {
            const struct topo_link *link = &graph->links[l];
            if (distance[link->from] != round || distance[link->to] <= round + 1) continue;
            distance[link->to] = round + 1;
            more = true;
        }
    }
    return round;
}

void ways_rank(const struct topo_graph *graph, int32_t *rank)
{
    struct arena scratch = {0};
    int32_t *distance = ARENA_ARRAY(&scratch, int32_t, graph->node_n);
    int32_t last = find_distances(graph, distance), at = 0;
    for (int32_t v = 0; v < graph->node_n; v++)
        if (distance[v] > last) distance[v] = last; /* nothing leads there */
    for (int32_t d = 0; d <= last + 1; d++)
        for (int64_t l = 0; l < graph->link_n; l++) {
            const struct topo_link *link = &graph->links[l];
            int32_t place = is_switch(graph, link->to) ? distance[link->from] : last + 1;
            if (place == d) rank[l] = at++;
        }
    arena_free(&scratch);
}
