/* graph.c - nodes, links and shortest paths of a topology. */
#include "models/topo/topo.h"
#include "sim/base/check.h"

void topo_init(struct topo_graph *graph, struct arena *arena)
{
    *graph = (struct topo_graph){.arena = arena};
}

int32_t topo_node(struct topo_graph *graph, enum topo_node_kind kind, const char *name)
{
    CHECK(!graph->tree, "a node is added after a path was asked for");
    graph->nodes = arena_grow(graph->arena, graph->nodes, &graph->node_cap, graph->node_n + 1,
                              sizeof(struct topo_node));
    graph->nodes[graph->node_n] = (struct topo_node){.name = name, .kind = kind};
    return (int32_t)graph->node_n++;
}

static void add_link(struct topo_graph *graph, const struct topo_link *link)
{
    graph->links = arena_grow(graph->arena, graph->links, &graph->link_cap, graph->link_n + 1,
                              sizeof(struct topo_link));
    struct topo_link *added = &graph->links[graph->link_n++];
    *added = *link;
    if (!added->name)
        added->name = arena_printf(graph->arena, "%s>%s", graph->nodes[link->from].name,
                                   graph->nodes[link->to].name);
}

int32_t topo_cable(struct topo_graph *graph, const struct topo_link *link)
{
    CHECK(!graph->tree, "a link is added after a path was asked for");
    int32_t forward = (int32_t)graph->link_n;
    struct topo_link reverse = *link;
    reverse.from = link->to;
    reverse.to = link->from;
    reverse.name = NULL;
    add_link(graph, link);
    add_link(graph, &reverse);
    return forward;
}

/* The links that leave each node, in the order of their numbers. */
static void index_links(struct topo_graph *graph)
{
    graph->out_first = ARENA_ARRAY(graph->arena, int32_t, graph->node_n + 1);
    graph->out = ARENA_ARRAY(graph->arena, int32_t, graph->link_n);
    for (int64_t l = 0; l < graph->link_n; l++)
        graph->out_first[graph->links[l].from + 1]++;
    for (int64_t v = 0; v < graph->node_n; v++)
        graph->out_first[v + 1] += graph->out_first[v];
    int32_t *filled = ARENA_ARRAY(graph->arena, int32_t, graph->node_n);
    for (int32_t l = 0; l < graph->link_n; l++) {
        int32_t from = graph->links[l].from;
        graph->out[graph->out_first[from] + filled[from]++] = l;
    }
}

/* Breadth-first search from src; tree[v] = the link that entered v, -1 where none did. */
static int32_t *search(struct topo_graph *graph, int32_t src)
{
    int64_t n = graph->node_n;
    int32_t *tree = ARENA_ARRAY(graph->arena, int32_t, n);
    for (int64_t v = 0; v < n; v++)
        tree[v] = -1;
    int64_t queue_n = 1;
    int32_t *queue = ARENA_ARRAY(graph->arena, int32_t, n);
    queue[0] = src;
    for (int64_t head = 0; head < queue_n; head++) {
        int32_t at = queue[head];
        if (at != src && graph->nodes[at].kind != TOPO_SWITCH) continue; /* hosts do not forward */
        for (int32_t i = graph->out_first[at]; i < graph->out_first[at + 1]; i++) {
            int32_t to = graph->links[graph->out[i]].to;
            if (to == src || tree[to] >= 0) continue;
            tree[to] = graph->out[i];
            queue[queue_n++] = to;
        }
    }
    return tree;
}

int topo_path(struct topo_graph *graph, int32_t src, int32_t dst, int32_t *path)
{
    if (src == dst) return 0;
    if (!graph->tree) {
        graph->tree = ARENA_ARRAY(graph->arena, int32_t *, graph->node_n);
        index_links(graph);
    }
    if (!graph->tree[src]) graph->tree[src] = search(graph, src);
    const int32_t *tree = graph->tree[src];
    int n = 0;
    for (int32_t at = dst; at != src; at = graph->links[tree[at]].from) {
        if (tree[at] < 0) return -1;
        n++;
    }
    CHECK(n <= TOPO_PATH_MAX, "a path of %d links", n);
    int i = n;
    for (int32_t at = dst; at != src; at = graph->links[tree[at]].from)
        path[--i] = tree[at];
    return n;
}
