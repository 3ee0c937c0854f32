/* way.c - a hash table of paths (idea: way.h).
 *
 * The one idea: most messages take a way that was taken before, so it is looked up by source,
 * destination and stream. What the table keeps is bounded: past KEPT_MAX ways (an all-to-all of a
 * thousand has a million) a way is in it only while it is used.
 *
 * Links that fail change the state of all ways at once; each is looked at again when it is wanted,
 * and only those that lead over what is down are found anew, by routes without it.
 *
 * NOT modelled: the time that switches need to agree on other ways (network.convergence).
 */
#include "models/flow/way.h"

#include <string.h>

#include "models/topo/routes.h"
#include "sim/base/check.h"

#define KEPT_MAX (1 << 17)

struct ways {
    struct topo_graph *graph;
    const struct bundles *bundles;
    struct way **table; /* [size] open addressing; at most three quarters full */
    int64_t size, n, kept_n;
    struct pool pool[TOPO_PATH_MAX + 1]; /* ways by the length of their paths */
    bool *down;                          /* [link_n] */
    int32_t *up_n;                       /* [bundles->n] links of it that are up */
    uint32_t state, detour_state;        /* counted on as bundles go down and come back */
    const struct routes *detour;         /* without the links that were down at detour_state */
};

/* struct found: a path, as links and as bundles. */
struct found {
    int32_t link[TOPO_PATH_MAX], bundle[TOPO_PATH_MAX];
    int32_t link_n, bundle_n;
};

struct ways *ways_new(struct topo_graph *graph, const struct bundles *bundles)
{
    struct ways *ways = ARENA_NEW(graph->arena, struct ways);
    ways->graph = graph;
    ways->bundles = bundles;
    ways->down = ARENA_ARRAY(graph->arena, bool, graph->link_n);
    ways->up_n = ARENA_ARRAY(graph->arena, int32_t, bundles->n);
    for (int32_t b = 0; b < bundles->n; b++)
        ways->up_n[b] = bundles->bundle[b].n;
    for (size_t n = 0; n <= TOPO_PATH_MAX; n++)
        pool_init(&ways->pool[n], graph->arena, sizeof(struct way) + n * sizeof(int32_t));
    return ways;
}

/* ---- the table ------------------------------------------------------------------------------- */

static uint64_t hash_of(int32_t src, int32_t dst, uint32_t stream)
{
    uint64_t h = ((uint64_t)(uint32_t)src << 32 | (uint32_t)dst) * UINT64_C(0x9e3779b97f4a7c15);
    return (h ^ h >> 29 ^ stream) * UINT64_C(0xbf58476d1ce4e5b9);
}

static int64_t slot_of(const struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    return (int64_t)(hash_of(src, dst, stream) >> 32) & (ways->size - 1);
}

static struct way **look_up(struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    int64_t at = slot_of(ways, src, dst, stream);
    for (struct way *way; (way = ways->table[at]); at = (at + 1) & (ways->size - 1))
        if (way->src == src && way->dst == dst && way->stream == stream) break;
    return &ways->table[at];
}

static void grow(struct ways *ways)
{
    struct way **old = ways->table;
    int64_t old_size = ways->size;
    ways->size = old_size ? 4 * old_size : 64;
    ways->table = ARENA_ARRAY(ways->graph->arena, struct way *, ways->size);
    for (int64_t i = 0; i < old_size; i++)
        if (old[i]) *look_up(ways, old[i]->src, old[i]->dst, old[i]->stream) = old[i];
}

/* Take a way off the table: those behind it that would no longer be found move up. */
static void unlist(struct ways *ways, struct way *way)
{
    const int64_t mask = ways->size - 1;
    int64_t gap = look_up(ways, way->src, way->dst, way->stream) - ways->table;
    for (int64_t at = (gap + 1) & mask; ways->table[at]; at = (at + 1) & mask) {
        const struct way *other = ways->table[at];
        int64_t home = slot_of(ways, other->src, other->dst, other->stream);
        if (((at - home) & mask) < ((at - gap) & mask)) continue;
        ways->table[gap] = ways->table[at];
        gap = at;
    }
    ways->table[gap] = NULL;
    way->listed = false;
    ways->n--;
    ways->kept_n -= way->kept;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* The next link of a detour at node `at`; -1: there is none. */
static int32_t next_link(const struct ways *ways, int32_t at, int32_t dst, uint64_t hash)
{
    const struct routes *routes = ways->detour;
    const int32_t *links;
    if (routes->row[at] < 0) return routes->end[at].up;
    if (routes->end[dst].column < 0) return -1;
    int32_t n = routes_next(routes, at, dst, &links);
    if (n == 0) return -1;
    uint64_t turn = (hash ^ (uint32_t)at) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    return links[turn * (uint32_t)n >> 32];
}

/* A path without the links that are down; found stays as it is if there is none. */
static void find_detour(struct ways *ways, int32_t src, int32_t dst, uint64_t hash,
                        struct found *found)
{
    struct found other = {.link_n = 0};
    if (!ways->detour || ways->detour_state != ways->state)
        ways->detour = routes_new(ways->graph->arena, ways->graph, ways->down);
    ways->detour_state = ways->state;
    for (int32_t at = src; at != dst;) {
        bool forwards = at == src || ways->graph->nodes[at].kind == TOPO_SWITCH;
        int32_t link = forwards ? next_link(ways, at, dst, hash) : -1;
        if (link < 0 || other.link_n == TOPO_PATH_MAX) return;
        other.link[other.link_n++] = link;
        at = ways->graph->links[link].to;
    }
    *found = other;
}

static bool is_dead(const struct ways *ways, const struct found *found)
{
    for (int32_t i = 0; i < found->link_n; i++)
        if (ways->up_n[ways->bundles->of[found->link[i]]] == 0) return true;
    return false;
}

/* A detour may cross a bundle twice, which then counts once. */
static void name_bundles(const struct ways *ways, struct found *found)
{
    for (int32_t i = 0; i < found->link_n; i++) {
        int32_t bundle = ways->bundles->of[found->link[i]], at = 0;
        while (at < found->bundle_n && found->bundle[at] != bundle)
            at++;
        found->bundle[at] = bundle;
        if (at == found->bundle_n) found->bundle_n++;
    }
}

static void find_path(struct ways *ways, int32_t src, int32_t dst, uint32_t stream,
                      struct found *found)
{
    const struct topo_graph *graph = ways->graph;
    found->link_n = topo_path(ways->graph, src, dst, stream, found->link);
    CHECK(found->link_n > 0, "no path from %s to %s", graph->nodes[src].name,
          graph->nodes[dst].name);
    found->bundle_n = 0;
    if (is_dead(ways, found)) find_detour(ways, src, dst, hash_of(src, dst, stream), found);
    name_bundles(ways, found);
}

/* ---- ways ------------------------------------------------------------------------------------ */

static struct way *make_way(struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    struct found found;
    find_path(ways, src, dst, stream, &found);
    struct way *way = pool_get(&ways->pool[found.bundle_n]);
    *way = (struct way){.src = src,
                        .dst = dst,
                        .stream = stream,
                        .path_n = found.bundle_n,
                        .state = ways->state,
                        .kept = ways->kept_n < KEPT_MAX,
                        .listed = true};
    memcpy(way->path, found.bundle, (size_t)found.bundle_n * sizeof *way->path);
    way->cap_bps = INT64_MAX;
    for (int32_t i = 0; i < found.link_n; i++)
        way->delay_ps += ways->graph->links[found.link[i]].delay_ps;
    for (int32_t i = 0; i < found.bundle_n; i++) {
        const struct bundle *bundle = &ways->bundles->bundle[found.bundle[i]];
        int64_t cap_bps = 0;
        for (int32_t l = 0; l < bundle->n; l++)
            cap_bps += ways->graph->links[bundle->link[l]].rate_bps;
        if (cap_bps < way->cap_bps) way->cap_bps = cap_bps;
    }
    ways->n++;
    ways->kept_n += way->kept;
    return way;
}

bool ways_is_new(struct ways *ways, struct way *way)
{
    if (way->state == ways->state) return true;
    struct found found;
    find_path(ways, way->src, way->dst, way->stream, &found);
    if (found.bundle_n != way->path_n ||
        memcmp(found.bundle, way->path, (size_t)way->path_n * sizeof *way->path) != 0)
        return false;
    way->state = ways->state;
    return true;
}

static void drop_unused(struct ways *ways, struct way *way)
{
    if (way->users > 0 || (way->listed && way->kept)) return;
    if (way->listed) unlist(ways, way);
    pool_put(&ways->pool[way->path_n], way);
}

struct way *ways_find(struct ways *ways, int32_t src, int32_t dst, uint32_t stream)
{
    if (4 * ways->n >= 3 * ways->size) grow(ways);
    struct way **place = look_up(ways, src, dst, stream);
    if (*place && !(*place)->last && !ways_is_new(ways, *place)) {
        struct way *old = *place;
        unlist(ways, old);
        drop_unused(ways, old);
        place = look_up(ways, src, dst, stream);
    }
    if (!*place) *place = make_way(ways, src, dst, stream);
    (*place)->users++;
    return *place;
}

void ways_done(struct ways *ways, struct way *way)
{
    way->users--;
    drop_unused(ways, way);
}

bool ways_set_down(struct ways *ways, int32_t link, bool down)
{
    if (ways->down[link] == down) return false;
    int32_t *up_n = &ways->up_n[ways->bundles->of[link]];
    ways->down[link] = down;
    *up_n += down ? -1 : 1;
    bool changes = *up_n == (down ? 0 : 1);
    ways->state += changes;
    return changes;
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
