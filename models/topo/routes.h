/* routes.h - equal-cost next hops: at each switch, the links on shortest paths to a destination.
 *
 * Pure. All endpoints behind one switch share that switch's column of the table, and equal lists of
 * links are stored once, so that 16,384 endpoints take a few MB and a look-up touches two small
 * tables. A table is made for one set of links that are down; after a change make another.
 */
#ifndef RAILSIM_MODELS_TOPO_ROUTES_H
#define RAILSIM_MODELS_TOPO_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "models/topo/topo.h"
#include "sim/base/arena.h"

/* struct routes_end: a node as destination. */
struct routes_end {
    int32_t column;  /* in the table, for ways that lead here; -1: a switch without endpoints */
    int32_t home;    /* of an endpoint with one cable: its switch; else -1 */
    int32_t up;      /* with home: the link to there; -1 if it is down */
    int32_t n;       /* with home: links from there that are up, 0 or 1 */
    int32_t down[2]; /* with home: that link and its slot */
};

/* struct routes: read it through the functions below. All of it lives in the arena. */
struct routes {
    const struct topo_graph *graph;
    const struct routes_end *end;   /* [node_n] */
    const int32_t *row;             /* [node_n] in the table; -1: an endpoint with a home */
    const int32_t *table;           /* [row_n * column_n] where in pool a list begins */
    const int32_t *pool;            /* lists: n, n links, their n slots; at 0 the empty list */
    const int32_t *out_first, *out; /* links by the node that they leave: see routes_port */
    const int32_t *slot;            /* [link_n] egress port of a link at its node */
    int32_t node_n, row_n, column_n, pool_n;
};

/* routes_new finds the shortest paths of graph, which must stay as it is. down[link_n] are links
 * that cannot be used; NULL: none. One between an endpoint and its home is noticed only at its two
 * ends: packets go to the home, and no further. */
const struct routes *routes_new(struct arena *arena, const struct topo_graph *graph,
                                const bool *down);

/* struct routes_from: what routes_next needs for one node, for those that ask often. */
struct routes_from {
    const struct routes_end *end;
    const int32_t *row, *pool; /* row: of the table; NULL: of an endpoint with a home */
    int32_t node;
};
static inline struct routes_from routes_from(const struct routes *routes, int32_t node)
{
    int64_t row = routes->row[node];
    const int32_t *begin = row < 0 ? NULL : routes->table + row * routes->column_n;
    return (struct routes_from){routes->end, begin, routes->pool, node};
}
/* routes_from_next is routes_next. */
static inline int32_t routes_from_next(const struct routes_from *from, int32_t dst,
                                       const int32_t **links)
{
    const struct routes_end *end = &from->end[dst];
    if (end->home == from->node) {
        *links = end->down;
        return end->n;
    }
    const int32_t *list = &from->pool[from->row[end->column]];
    *links = list + 1;
    return list[0];
}

/* routes_next gives the links on which a packet at switch `node` gets nearer to the endpoint dst by
 * the shortest way, in *links[n], and their slots in (*links)[n .. 2n-1]; returns n, 0 = there is
 * no way. node may also be an endpoint without routes_end.home. */
static inline int32_t routes_next(const struct routes *routes, int32_t node, int32_t dst,
                                  const int32_t **links)
{
    const struct routes_from from = routes_from(routes, node);
    return routes_from_next(&from, dst, links);
}

/* routes_ports returns how many links leave node; their slots are 0 .. ports-1, in the order of the
 * link numbers. */
static inline int32_t routes_ports(const struct routes *routes, int32_t node)
{
    return routes->out_first[node + 1] - routes->out_first[node];
}
/* routes_port returns the link at a slot; routes->slot[link] is the reverse. */
static inline int32_t routes_port(const struct routes *routes, int32_t node, int32_t slot)
{
    return routes->out[routes->out_first[node] + slot];
}

/* routes_path is topo_path on these routes. */
int routes_path(const struct routes *routes, int32_t src, int32_t dst, uint32_t stream,
                int32_t *path);

#endif
