/* topo.h - the contract of topology families: turn a few keys into a graph of nodes and links.
 *
 * Pure: no clock, no packets. A family is one file topo_NAME.c with `const struct schema
 * topo_NAME_schema` (its keys) and `const struct topo_ops topo_NAME`; the Makefile finds it. Links are directed; topo_cable adds both directions.
 */
#ifndef RAILSIM_MODELS_TOPO_H
#define RAILSIM_MODELS_TOPO_H

#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/io/schema.h"

enum topo_node_kind { TOPO_HOST, TOPO_SWITCH, TOPO_STORAGE };

/* enum topo_link_kind: which part of the network a link is, for naming a bottleneck. */
enum topo_link_kind { TOPO_NIC, TOPO_FABRIC, TOPO_WAN, TOPO_SERVER, TOPO_LINK_KINDS };

struct topo_node {
    const char *name;
    enum topo_node_kind kind;
};

/* struct topo_link: delay_ps is propagation plus the latency of the node at its end. */
struct topo_link {
    int32_t from, to;
    enum topo_link_kind kind;
    int64_t rate_bps, delay_ps;
    const char *name;
};

/* struct topo_graph: topo_init before. Nodes and links are numbered densely from 0. */
struct topo_graph {
    struct arena *arena;
    struct topo_node *nodes;
    struct topo_link *links;
    int64_t node_n, node_cap, link_n, link_cap;
    int32_t **tree; /* per source node: the link by which BFS entered each node; made on demand */
    int32_t *out_first, *out; /* links by the node they leave; made with the first tree */
};

/* struct topo_ask: what the world wants from a family. */
struct topo_ask {
    int64_t hosts;   /* to create, named node0, node1, ... */
    int64_t nic_bps; /* of the link between a host and its switch */
    int64_t nic_delay_ps;
};

/* struct topo_made: where the world finds things in the graph. */
struct topo_made {
    const int32_t *host; /* [hosts] */
    int32_t edge;        /* the switch where storage or the WAN line is attached */
};

struct topo_ops {
    const char *help;
    void (*build)(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made);
};

/* The registered families and their keys, NULL-terminated, same order. */
extern const struct topo_ops *const topo_list[];
extern const struct schema *const topo_kinds[];

void topo_init(struct topo_graph *graph, struct arena *arena);
int32_t topo_node(struct topo_graph *graph, enum topo_node_kind kind, const char *name);
/* topo_cable adds a link in both directions with the facts of link (from, to as given); returns the
 * number of the forward one, the reverse is the next. */
int32_t topo_cable(struct topo_graph *graph, const struct topo_link *link);

#define TOPO_PATH_MAX 16
/* topo_path writes the links of a shortest path from src to dst into path[TOPO_PATH_MAX] and returns
 * their number; 0 if src is dst, -1 if there is no path. Ties go to the lower link number. */
int topo_path(struct topo_graph *graph, int32_t src, int32_t dst, int32_t *path);

#endif
