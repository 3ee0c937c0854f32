/* bundle.c - hop sets of all pairs of edge switches, and the partition they make (idea: bundle.h).
 *
 * The one idea: a hop set is what a set of switches, all equally far from the destination, has as
 * next links; the switches at their ends are the next such set. Sources that come together are one
 * from there on, and most destinations look alike from afar, so sets are kept once each (by the
 * lists of routes.h that they are made of) and a fabric of hundreds of leaves is walked in
 * milliseconds. The partition is refined by each new set.
 *
 * NOT modelled: weights that make uneven fabrics even; hop sets as they are after a fault.
 */
#include "models/flow/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "models/topo/routes.h"
#include "sim/base/check.h"

/* struct keys: sequences of numbers, each kept once and numbered. */
struct keys {
    int32_t *number;
    int64_t number_n, number_cap;
    int64_t *first; /* [n + 1] */
    int64_t n, first_cap;
    int32_t *table; /* [size] open addressing: key + 1 */
    int64_t size;
};

/* struct hop: a hop set: link[first .. first+n), as a number of keys. */
struct hop {
    int64_t first;
    int32_t n;
    int32_t heads; /* the set of switches at their ends; -1: not known yet */
    bool uneven;
};

struct search {
    const struct topo_graph *graph;
    const struct routes *routes;
    struct arena scratch;
    struct keys switches; /* sets of switches, rising */
    struct keys hops;     /* a set of switches, then the lists that they have */
    struct keys pairs;    /* two hop sets, one after the other */
    struct hop *hop;      /* [hops.n] */
    int64_t hop_cap;
    int32_t *link; /* of all hop sets */
    int64_t link_n, link_cap;
    int32_t *met; /* [switches.n] the destination for which it was looked at, + 1 */
    int64_t met_cap;
    int32_t *list;                     /* scratch, room for all links */
    double *in_bps;                    /* [node_n] scratch, 0 outside */
    int32_t *part, *size, *count, *to; /* of links: part; of parts: links, in the set, goes to */
    int32_t part_n;
    bool *single; /* [link_n] */
};

/* ---- keys ------------------------------------------------------------------------------------ */

static int64_t key_slot(const struct keys *keys, const int32_t *number, int64_t n)
{
    uint64_t h = (uint64_t)n;
    for (int64_t i = 0; i < n; i++)
        h = (h ^ (uint32_t)number[i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    int64_t at = (int64_t)(h >> 20) & (keys->size - 1);
    for (; keys->table[at]; at = (at + 1) & (keys->size - 1)) {
        const int64_t *first = keys->first + keys->table[at] - 1;
        if (first[1] - first[0] == n &&
            memcmp(keys->number + first[0], number, (size_t)n * sizeof *number) == 0)
            break;
    }
    return at;
}

static void keys_grow(struct keys *keys, struct arena *arena)
{
    keys->size = keys->size ? 4 * keys->size : 256;
    keys->table = ARENA_ARRAY(arena, int32_t, keys->size);
    for (int64_t k = 0; k < keys->n; k++) {
        const int64_t *first = keys->first + k;
        keys->table[key_slot(keys, keys->number + first[0], first[1] - first[0])] = (int32_t)k + 1;
    }
}

/* keys_find returns the number of a key, which may be new: then it is keys->n - 1, one more than
 * before. */
static int32_t keys_find(struct keys *keys, struct arena *arena, const int32_t *number, int64_t n)
{
    if (2 * keys->n >= keys->size) keys_grow(keys, arena);
    int64_t at = key_slot(keys, number, n);
    if (keys->table[at]) return keys->table[at] - 1;
    keys->number =
        arena_grow(arena, keys->number, &keys->number_cap, keys->number_n + n, sizeof *number);
    keys->first =
        arena_grow(arena, keys->first, &keys->first_cap, keys->n + 2, sizeof *keys->first);
    memcpy(keys->number + keys->number_n, number, (size_t)n * sizeof *number);
    keys->number_n += n;
    keys->first[++keys->n] = keys->number_n;
    CHECK(keys->n < INT32_MAX, "%lld sets of links", (long long)keys->n);
    return keys->table[at] = (int32_t)keys->n - 1;
}

/* ---- the partition --------------------------------------------------------------------------- */

/* Parts that a hop set has in part are cut in two. */
static void refine(struct search *s, const struct hop *hop)
{
    const int32_t *link = s->link + hop->first;
    for (int32_t i = 0; i < hop->n; i++)
        s->count[s->part[link[i]]]++;
    for (int32_t i = 0; i < hop->n; i++) {
        int32_t p = s->part[link[i]];
        if (s->count[p] == 0) continue; /* seen */
        s->to[p] = s->count[p] < s->size[p] ? s->part_n++ : p;
        if (s->to[p] != p) {
            s->size[s->to[p]] = s->count[p];
            s->size[p] -= s->count[p];
        }
        s->count[p] = 0;
    }
    for (int32_t i = 0; i < hop->n; i++)
        s->part[link[i]] = s->to[s->part[link[i]]];
}

static bool is_switch(const struct search *s, int32_t node)
{
    return s->graph->nodes[node].kind == TOPO_SWITCH;
}

/* ---- hop sets -------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The switches at the ends of a hop set. */
static int32_t find_heads(struct search *s, const struct hop *hop)
{
    int32_t n = 0;
    for (int32_t i = 0; i < hop->n; i++)
        s->list[i] = s->graph->links[s->link[hop->first + i]].to;
    qsort(s->list, (size_t)hop->n, sizeof *s->list, by_number);
    for (int32_t i = 0; i < hop->n; i++)
        if (i == 0 || s->list[i] != s->list[n - 1]) s->list[n++] = s->list[i];
    int32_t heads = keys_find(&s->switches, &s->scratch, s->list, n);
    s->met = arena_grow(&s->scratch, s->met, &s->met_cap, s->switches.n, sizeof *s->met);
    return heads;
}

/* A hop set that is met for the first time: the lists of its switches, one after the other. */
static void add_hop(struct search *s, int32_t switches, int32_t dst)
{
    struct hop hop = {.first = s->link_n};
    const int64_t *first = s->switches.first + switches;
    for (int64_t i = first[0]; i < first[1]; i++) {
        const int32_t *links;
        int32_t n = routes_next(s->routes, s->switches.number[i], dst, &links);
        s->link = arena_grow(&s->scratch, s->link, &s->link_cap, s->link_n + n, sizeof *s->link);
        memcpy(s->link + s->link_n, links, (size_t)n * sizeof *links);
        s->link_n += n;
    }
    hop.n = (int32_t)(s->link_n - hop.first);
    hop.heads = find_heads(s, &hop);
    s->hop = arena_grow(&s->scratch, s->hop, &s->hop_cap, s->hops.n, sizeof *s->hop);
    s->hop[s->hops.n - 1] = hop;
    refine(s, &hop);
}

/* The hop set of switches towards dst; -1: no way leads there. */
static int32_t find_hop(struct search *s, int32_t switches, int32_t dst)
{
    const int64_t *first = s->switches.first + switches;
    int32_t n = 0, known = (int32_t)s->hops.n;
    s->list[n++] = switches;
    for (int64_t i = first[0]; i < first[1]; i++) {
        const int32_t *links;
        if (routes_next(s->routes, s->switches.number[i], dst, &links) == 0) return -1;
        s->list[n++] = (int32_t)(links - s->routes->pool);
    }
    int32_t hop = keys_find(&s->hops, &s->scratch, s->list, n);
    if (hop == known) add_hop(s, switches, dst);
    return hop;
}

static double sum_bps(const struct search *s, const struct hop *hop)
{
    double bps = 0;
    for (int32_t i = 0; i < hop->n; i++)
        bps += (double)s->graph->links[s->link[hop->first + i]].rate_bps;
    return bps;
}

/* What reaches a switch over the hop set a has to leave it over b: the same part of both. */
static void check_even(struct search *s, struct hop *a, struct hop *b)
{
    const struct topo_link *links = s->graph->links;
    const double a_bps = sum_bps(s, a), b_bps = sum_bps(s, b);
    bool even = true;
    for (int32_t i = 0; i < a->n; i++) {
        const struct topo_link *link = &links[s->link[a->first + i]];
        s->in_bps[link->to] += (double)link->rate_bps * b_bps;
    }
    for (int32_t i = 0; i < b->n; i++) {
        const struct topo_link *link = &links[s->link[b->first + i]];
        s->in_bps[link->from] -= (double)link->rate_bps * a_bps;
    }
    for (int32_t i = 0; i < a->n; i++) {
        double *left = &s->in_bps[links[s->link[a->first + i]].to];
        even = even && *left<1e-9 * a_bps * b_bps && * left> - 1e-9 * a_bps * b_bps;
        *left = 0;
    }
    if (!even) a->uneven = b->uneven = true;
}

/* All hop sets from a set of switches to dst; `before` led there, -1: it is the source. */
static void walk(struct search *s, int32_t switches, int32_t dst, int32_t before)
{
    int32_t hop = find_hop(s, switches, dst);
    if (hop < 0) return;
    if (before >= 0) {
        int64_t known = s->pairs.n;
        keys_find(&s->pairs, &s->scratch, (const int32_t[]){before, hop}, 2);
        if (s->pairs.n > known) check_even(s, &s->hop[before], &s->hop[hop]);
    }
    if (s->met[switches] == dst + 1) return;
    s->met[switches] = dst + 1;
    int32_t heads = s->hop[hop].heads;
    if (s->switches.number[s->switches.first[heads]] != dst) walk(s, heads, dst, hop);
}

/* Edge switches, and endpoints with several cables: where spreading begins and ends. */
static bool is_end(const struct search *s, int32_t node)
{
    return s->routes->end[node].home < 0 && s->routes->end[node].column >= 0;
}

static void walk_all(struct search *s)
{
    const int32_t node_n = (int32_t)s->graph->node_n;
    for (int32_t dst = 0; dst < node_n; dst++)
        for (int32_t src = 0; is_end(s, dst) && src < node_n; src++) {
            if (src == dst || !is_end(s, src)) continue;
            int32_t at = keys_find(&s->switches, &s->scratch, &src, 1);
            s->met = arena_grow(&s->scratch, s->met, &s->met_cap, s->switches.n, sizeof *s->met);
            walk(s, at, dst, -1);
        }
}

/* Links of endpoints, of no hop set, and of uneven ones. */
static void find_single(struct search *s)
{
    for (int64_t l = 0; l < s->graph->link_n; l++)
        s->single[l] = true;
    for (int64_t i = 0; i < s->link_n; i++)
        s->single[s->link[i]] = false;
    for (int64_t h = 0; h < s->hops.n; h++)
        for (int32_t i = 0; s->hop[h].uneven && i < s->hop[h].n; i++)
            s->single[s->link[s->hop[h].first + i]] = true;
    for (int64_t l = 0; l < s->graph->link_n; l++) {
        const struct topo_link *link = &s->graph->links[l];
        if (!is_switch(s, link->from) || !is_switch(s, link->to)) s->single[l] = true;
    }
}

/* ---- the result ------------------------------------------------------------------------------ */

/* Bundles from of[], which is filled, with numbers that rise with their first links. */
static struct bundles collect(struct arena *arena, const int32_t *of, int64_t link_n, int32_t n)
{
    struct bundle *bundle = ARENA_ARRAY(arena, struct bundle, n);
    int32_t *link = ARENA_ARRAY(arena, int32_t, link_n), *at = link;
    for (int64_t l = 0; l < link_n; l++)
        bundle[of[l]].n++;
    for (int32_t b = 0; b < n; at += bundle[b].n, bundle[b++].n = 0)
        bundle[b].link = at;
    for (int32_t l = 0; l < link_n; l++)
        link[bundle[of[l]].link - link + bundle[of[l]].n++] = l;
    return (struct bundles){.bundle = bundle, .of = of, .n = n};
}

struct bundles bundles_single(const struct topo_graph *graph, struct arena *arena)
{
    int32_t *of = ARENA_ARRAY(arena, int32_t, graph->link_n);
    for (int32_t l = 0; l < graph->link_n; l++)
        of[l] = l;
    return collect(arena, of, graph->link_n, (int32_t)graph->link_n);
}

/* Numbers for the parts, but one of its own for each single link. */
static struct bundles number_parts(struct search *s, struct arena *arena)
{
    const int64_t link_n = s->graph->link_n;
    int32_t *of = ARENA_ARRAY(arena, int32_t, link_n), n = 0;
    for (int32_t p = 0; p < s->part_n; p++)
        s->to[p] = -1;
    for (int64_t l = 0; l < link_n; l++) {
        int32_t *number = &s->to[s->part[l]];
        if (s->single[l]) {
            of[l] = n++;
        } else {
            if (*number < 0) *number = n++;
            of[l] = *number;
        }
    }
    return collect(arena, of, link_n, n);
}

struct bundles bundles_find(struct topo_graph *graph, struct arena *arena)
{
    const int64_t link_n = graph->link_n, part_n = link_n + 1;
    if (!graph->routes) graph->routes = routes_new(graph->arena, graph, NULL);
    struct search s = {.graph = graph, .routes = graph->routes, .part_n = 1};
    s.list = ARENA_ARRAY(&s.scratch, int32_t, link_n + graph->node_n + 1);
    s.in_bps = ARENA_ARRAY(&s.scratch, double, graph->node_n);
    s.part = ARENA_ARRAY(&s.scratch, int32_t, link_n);
    s.size = ARENA_ARRAY(&s.scratch, int32_t, part_n);
    s.count = ARENA_ARRAY(&s.scratch, int32_t, part_n);
    s.to = ARENA_ARRAY(&s.scratch, int32_t, part_n);
    s.single = ARENA_ARRAY(&s.scratch, bool, link_n);
    s.size[0] = (int32_t)link_n;
    walk_all(&s);
    find_single(&s);
    struct bundles bundles = number_parts(&s, arena);
    arena_free(&s.scratch);
    return bundles;
}
