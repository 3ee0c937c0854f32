/* routes.c - breadth-first search backwards from each edge switch, then lists of next links.
 *
 * Apart from graph.c because a fabric wants this ready-made. The one idea: what matters of a
 * destination is only the switch that it hangs at. So the search starts once per such switch (and
 * from an endpoint itself only if it has several cables), and a switch's row of the table refers
 * to lists that its columns share: most columns of a leaf are "any uplink".
 *
 * NOT modelled: weights; paths that are longer than the shortest; what a routing protocol does
 * until it has found them.
 */
#include "models/topo/routes.h"

#include <string.h>

#include "sim/base/check.h"

#define FAR UINT16_MAX

/* struct build: routes_new under way. What is only needed for it lives in scratch. */
struct build {
    struct routes *routes;
    const struct topo_graph *graph;
    const bool *down;
    struct arena *arena, scratch;
    struct routes_end *end;
    int32_t *row;
    int32_t *node_of_row, *root; /* [row_n]; [column_n] where a column's search starts */
    int32_t *in_first, *in;      /* links by the node at their end */
    uint16_t *dist;              /* [column_n * row_n] links to go */
    int32_t *pool;
    int64_t pool_n, pool_cap;
    int32_t *seen; /* [seen_n] hash table of one row: where in pool its lists begin, 0 = free */
    int64_t seen_n;
    int32_t *list, *near; /* [ports] a list being made; links of one row that lead on */
    int64_t near_n;
};

static bool is_switch(const struct build *b, int32_t node)
{
    return b->graph->nodes[node].kind == TOPO_SWITCH;
}

static bool is_down(const struct build *b, int32_t link)
{
    return b->down && b->down[link];
}

/* Links by the node that they leave (or enter), in the order of their numbers. */
static int32_t *sort_links(const struct build *b, struct arena *arena, bool leave, int32_t **first)
{
    const struct topo_graph *graph = b->graph;
    int32_t *at = ARENA_ARRAY(arena, int32_t, graph->node_n + 2), *sorted;
    sorted = ARENA_ARRAY(arena, int32_t, graph->link_n);
    for (int64_t l = 0; l < graph->link_n; l++)
        at[(leave ? graph->links[l].from : graph->links[l].to) + 2]++;
    for (int64_t v = 0; v < graph->node_n; v++)
        at[v + 2] += at[v + 1];
    for (int32_t l = 0; l < graph->link_n; l++)
        sorted[at[(leave ? graph->links[l].from : graph->links[l].to) + 1]++] = l;
    *first = at;
    return sorted;
}

static void number_ports(struct build *b)
{
    struct routes *routes = b->routes;
    int32_t *first, *slot = ARENA_ARRAY(b->arena, int32_t, b->graph->link_n);
    routes->out = sort_links(b, b->arena, true, &first);
    routes->out_first = first;
    b->in = sort_links(b, &b->scratch, false, &b->in_first);
    int32_t most = 0;
    for (int32_t v = 0; v < routes->node_n; v++) {
        if (routes_ports(routes, v) > most) most = routes_ports(routes, v);
        for (int32_t s = 0; s < routes_ports(routes, v); s++)
            slot[routes_port(routes, v, s)] = s;
    }
    routes->slot = slot;
    b->list = ARENA_ARRAY(&b->scratch, int32_t, most);
    b->near = ARENA_ARRAY(&b->scratch, int32_t, most);
}

/* An endpoint with one cable, to a switch, shares that switch's column and needs no row. */
static void find_home(struct build *b, int32_t node)
{
    const struct routes *routes = b->routes;
    struct routes_end *end = &b->end[node];
    if (is_switch(b, node) || routes_ports(routes, node) != 1 ||
        b->in_first[node + 1] - b->in_first[node] != 1)
        return;
    int32_t up = routes_port(routes, node, 0), down = b->in[b->in_first[node]];
    int32_t home = b->graph->links[up].to;
    if (!is_switch(b, home) || b->graph->links[down].from != home) return;
    *end = (struct routes_end){.column = -1,
                               .home = home,
                               .up = is_down(b, up) ? -1 : up,
                               .n = !is_down(b, down),
                               .down = {down, routes->slot[down]}};
}

static bool has_endpoint(const struct build *b, int32_t node)
{
    for (int32_t s = 0; s < routes_ports(b->routes, node); s++)
        if (!is_switch(b, b->graph->links[routes_port(b->routes, node, s)].to)) return true;
    return false;
}

static void number_rows_and_columns(struct build *b)
{
    struct routes *routes = b->routes;
    int32_t n = routes->node_n;
    b->end = ARENA_ARRAY(b->arena, struct routes_end, n);
    b->row = ARENA_ARRAY(b->arena, int32_t, n);
    b->node_of_row = ARENA_ARRAY(&b->scratch, int32_t, n);
    b->root = ARENA_ARRAY(&b->scratch, int32_t, n);
    for (int32_t v = 0; v < n; v++) {
        b->end[v] = (struct routes_end){.column = -1, .home = -1, .up = -1};
        b->row[v] = -1;
        find_home(b, v);
        if (b->end[v].home >= 0) continue;
        b->row[v] = routes->row_n;
        b->node_of_row[routes->row_n++] = v;
        if (is_switch(b, v) && !has_endpoint(b, v)) continue;
        b->end[v].column = routes->column_n;
        b->root[routes->column_n++] = v;
    }
    for (int32_t v = 0; v < n; v++)
        if (b->end[v].home >= 0) b->end[v].column = b->end[b->end[v].home].column;
    routes->end = b->end;
    routes->row = b->row;
}

/* Links to go from each row's node to the root of a column. Endpoints do not forward. */
static void search(struct build *b, int32_t column, int32_t *queue)
{
    uint16_t *dist = b->dist + (int64_t)column * b->routes->row_n;
    int32_t root = b->root[column];
    int64_t queue_n = 1;
    queue[0] = root;
    dist[b->row[root]] = 0;
    for (int64_t head = 0; head < queue_n; head++) {
        int32_t at = queue[head];
        uint16_t next = (uint16_t)(dist[b->row[at]] + 1);
        CHECK(next < FAR, "a path of %d links", next);
        for (int32_t i = b->in_first[at]; i < b->in_first[at + 1]; i++) {
            int32_t from = b->graph->links[b->in[i]].from, row = b->row[from];
            if (row < 0 || dist[row] != FAR || is_down(b, b->in[i])) continue;
            dist[row] = next;
            if (is_switch(b, from)) queue[queue_n++] = from;
        }
    }
}

static void search_all(struct build *b)
{
    int64_t n = (int64_t)b->routes->column_n * b->routes->row_n;
    int32_t *queue = ARENA_ARRAY(&b->scratch, int32_t, b->routes->row_n);
    b->dist = ARENA_ARRAY(&b->scratch, uint16_t, n);
    memset(b->dist, 0xff, (size_t)n * sizeof *b->dist);
    for (int32_t c = 0; c < b->routes->column_n; c++)
        search(b, c, queue);
}

/* Put list[n] of a row, with its slots, into the pool, unless the row has it already. */
static int32_t keep_list(struct build *b, int32_t n)
{
    uint64_t hash = (uint64_t)n;
    for (int32_t i = 0; i < n; i++)
        hash = (hash ^ (uint64_t)b->list[i]) * UINT64_C(0x9e3779b97f4a7c15);
    int64_t at = (int64_t)(hash >> 32) & (b->seen_n - 1);
    for (; b->seen[at]; at = (at + 1) & (b->seen_n - 1)) {
        const int32_t *old = b->pool + b->seen[at];
        if (old[0] == n && memcmp(old + 1, b->list, (size_t)n * sizeof *old) == 0)
            return b->seen[at];
    }
    CHECK(b->pool_n + 1 + 2 * n <= INT32_MAX, "routes of more than 8 GB");
    b->pool = mem_grow(b->pool, &b->pool_cap, b->pool_n + 1 + 2 * n, sizeof *b->pool);
    b->seen[at] = (int32_t)b->pool_n;
    b->pool[b->pool_n++] = n;
    for (int32_t i = 0; i < n; i++)
        b->pool[b->pool_n + i] = b->list[i];
    for (int32_t i = 0; i < n; i++)
        b->pool[b->pool_n + n + i] = b->routes->slot[b->list[i]];
    b->pool_n += 2 * n;
    return b->seen[at];
}

/* The list of a row's node towards a column: links to a node that is one link nearer. */
static int32_t make_list(struct build *b, int32_t row, int32_t column)
{
    const uint16_t *dist = b->dist + (int64_t)column * b->routes->row_n;
    int32_t n = 0;
    if (dist[row] == FAR || dist[row] == 0) return 0;
    for (int64_t i = 0; i < b->near_n; i++) {
        int32_t to = b->graph->links[b->near[i]].to;
        if (dist[b->row[to]] + 1 != dist[row]) continue;
        if (is_switch(b, to) || dist[b->row[to]] == 0) b->list[n++] = b->near[i];
    }
    return keep_list(b, n);
}

static void fill_table(struct build *b)
{
    struct routes *routes = b->routes;
    int32_t *table = ARENA_ARRAY(b->arena, int32_t, (int64_t)routes->row_n * routes->column_n);
    b->seen_n = 2;
    while (b->seen_n < 2 * routes->column_n)
        b->seen_n *= 2;
    b->seen = ARENA_ARRAY(&b->scratch, int32_t, b->seen_n);
    b->pool = mem_grow(b->pool, &b->pool_cap, 1, sizeof *b->pool);
    b->pool[b->pool_n++] = 0;
    for (int32_t r = 0; r < routes->row_n; r++) {
        int32_t node = b->node_of_row[r];
        b->near_n = 0;
        for (int32_t s = 0; s < routes_ports(routes, node); s++) {
            int32_t link = routes_port(routes, node, s);
            if (b->row[b->graph->links[link].to] >= 0 && !is_down(b, link))
                b->near[b->near_n++] = link;
        }
        memset(b->seen, 0, (size_t)b->seen_n * sizeof *b->seen);
        for (int32_t c = 0; c < routes->column_n; c++)
            table[(int64_t)r * routes->column_n + c] = make_list(b, r, c);
    }
    routes->table = table;
    int32_t *pool = ARENA_ARRAY(b->arena, int32_t, b->pool_n);
    memcpy(pool, b->pool, (size_t)b->pool_n * sizeof *pool);
    mem_free(b->pool);
    routes->pool = pool;
    routes->pool_n = (int32_t)b->pool_n;
}

const struct routes *routes_new(struct arena *arena, const struct topo_graph *graph,
                                const bool *down)
{
    CHECK(graph->node_n < INT32_MAX - 2 && graph->link_n < INT32_MAX, "a graph of 2^31 nodes");
    struct build b = {
        .routes = ARENA_NEW(arena, struct routes), .graph = graph, .down = down, .arena = arena};
    b.routes->graph = graph;
    b.routes->node_n = (int32_t)graph->node_n;
    number_ports(&b);
    number_rows_and_columns(&b);
    search_all(&b);
    fill_table(&b);
    arena_free(&b.scratch);
    return b.routes;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* The finaliser of MurmurHash3: each bit of h reaches all of the result. */
static uint32_t mix(uint32_t h)
{
    h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
    h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
    return h ^ h >> 16;
}

/* The next link of a packet of stream at node `at`; -1: there is no way. */
static int32_t choose(const struct routes *routes, int32_t at, int32_t dst, uint32_t hash)
{
    const int32_t *links;
    if (routes->row[at] < 0) return routes->end[at].up;
    if (routes->end[dst].column < 0) return -1;
    int32_t n = routes_next(routes, at, dst, &links);
    if (n <= 1) return n ? links[0] : -1;
    return links[(uint64_t)mix(hash ^ mix((uint32_t)at)) * (uint32_t)n >> 32];
}

int routes_path(const struct routes *routes, int32_t src, int32_t dst, uint32_t stream,
                int32_t *path)
{
    uint32_t hash = mix(mix(mix((uint32_t)src) + (uint32_t)dst) + stream);
    int n = 0;
    for (int32_t at = src; at != dst; n++) {
        bool forwards = at == src || routes->graph->nodes[at].kind == TOPO_SWITCH;
        int32_t link = forwards ? choose(routes, at, dst, hash) : -1;
        if (link < 0) return -1;
        CHECK(n < TOPO_PATH_MAX, "a path of more than %d links", TOPO_PATH_MAX);
        path[n] = link;
        at = routes->graph->links[link].to;
    }
    return n;
}
