/* graph.c - nodes and links of a topology; its paths come from routes.c. */
#include "models/topo/routes.h"
#include "models/topo/topo.h"
#include "sim/base/check.h"

void topo_init(struct topo_graph *graph, struct arena *arena)
{
    *graph = (struct topo_graph){.arena = arena};
}

int32_t topo_node(struct topo_graph *graph, enum topo_node_kind kind, const char *name)
{
    CHECK(!graph->routes, "a node is added after a path was asked for");
    graph->nodes = arena_grow(graph->arena, graph->nodes, &graph->node_cap, graph->node_n + 1,
                              sizeof(struct topo_node));
    graph->nodes[graph->node_n] = (struct topo_node){.name = name, .kind = kind};
    return (int32_t)graph->node_n++;
}

int32_t topo_switch(struct topo_graph *graph, const char *name, int64_t latency_ps)
{
    int32_t node = topo_node(graph, TOPO_SWITCH, name);
    graph->nodes[node].latency_ps = latency_ps;
    return node;
}

/* Add one direction; a link without a name is called from>to and suffix. */
static void add_link(struct topo_graph *graph, const struct topo_link *link, const char *suffix)
{
    CHECK(!graph->routes, "a link is added after a path was asked for");
    graph->links = arena_grow(graph->arena, graph->links, &graph->link_cap, graph->link_n + 1,
                              sizeof(struct topo_link));
    struct topo_link *added = &graph->links[graph->link_n++];
    *added = *link;
    added->delay_ps += graph->nodes[link->to].latency_ps;
    if (!added->name)
        added->name = arena_printf(graph->arena, "%s>%s%s", graph->nodes[link->from].name,
                                   graph->nodes[link->to].name, suffix);
}

static void add_cable(struct topo_graph *graph, const struct topo_link *link, const char *suffix)
{
    struct topo_link reverse = *link;
    reverse.from = link->to;
    reverse.to = link->from;
    reverse.name = NULL;
    add_link(graph, link, suffix);
    add_link(graph, &reverse, suffix);
}

int32_t topo_cable(struct topo_graph *graph, const struct topo_link *link)
{
    int32_t forward = (int32_t)graph->link_n;
    add_cable(graph, link, "");
    return forward;
}

void topo_cables(struct topo_graph *graph, const struct topo_link *link, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        add_cable(graph, link, n > 1 ? arena_printf(graph->arena, "#%lld", (long long)i) : "");
}

int topo_path(struct topo_graph *graph, int32_t src, int32_t dst, uint32_t stream, int32_t *path)
{
    if (!graph->routes) graph->routes = routes_new(graph->arena, graph, NULL);
    return routes_path(graph->routes, src, dst, stream, path);
}
