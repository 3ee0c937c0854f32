/* topo.h - the contract of topology families: turn a few keys into a graph of nodes and links.
 *
 * Pure: no clock, no packets. A family is one file topo_NAME.c with `const struct schema
 * topo_NAME_schema` (its keys) and `const struct topo_ops topo_NAME`; the Makefile finds it. Links
 * are directed; topo_cable adds both directions.
 */
#ifndef RAILSIM_MODELS_TOPO_H
#define RAILSIM_MODELS_TOPO_H

#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/io/schema.h"

enum topo_node_kind { TOPO_HOST, TOPO_SWITCH, TOPO_STORAGE };

/* enum topo_link_kind: which part of the network a link is, for naming a bottleneck. */
enum topo_link_kind { TOPO_NIC, TOPO_FABRIC, TOPO_WAN, TOPO_SERVER, TOPO_LINK_KINDS };

/* struct topo_node: latency_ps is how long a switch takes to pass a packet on; topo_cable puts it
 * into the delay of the links that end here. A name "unit0/leaf3" is drawn inside "unit0". */
struct topo_node {
    const char *name;
    enum topo_node_kind kind;
    int64_t latency_ps;
};

/* struct topo_link: delay_ps is propagation plus the latency of the node at its end; what is no
 * packet (a pause frame) takes delay_ps - nodes[to].latency_ps. */
struct topo_link {
    int32_t from, to;
    enum topo_link_kind kind;
    int64_t rate_bps, delay_ps;
    const char *name;
};

struct routes;

/* struct topo_graph: topo_init before. Nodes and links are numbered densely from 0. */
struct topo_graph {
    struct arena *arena;
    struct topo_node *nodes;
    struct topo_link *links;
    int64_t node_n, node_cap, link_n, link_cap;
    const struct routes *routes; /* with all links up; made by the first topo_path */
};

/* struct topo_ask: what the world wants from a family that has no counts of its own. */
struct topo_ask {
    int64_t nodes;        /* servers to create */
    int64_t nic_bps;      /* of the link between an endpoint and its switch */
    int64_t nic_delay_ps; /* one way */
};

/* struct topo_made: where the world finds things in the graph. An endpoint (TOPO_HOST) is one
 * network port: of a whole server, or of one GPU; endpoint number node * node_ports + port. */
struct topo_made {
    int64_t nodes, node_ports;     /* servers; endpoints of each */
    const int32_t *endpoint;       /* [nodes * node_ports] graph nodes */
    int32_t edge;                  /* the switch where storage or the WAN line is attached */
    int64_t tiers;                 /* of switches */
    const char *const *tier_names; /* [tiers] "leaf", "spine"; NULL: they have none */
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
/* topo_switch is topo_node of a switch with a latency. */
int32_t topo_switch(struct topo_graph *graph, const char *name, int64_t latency_ps);
/* topo_cable adds a link in both directions with the facts of link (from, to as given); delay_ps is
 * the propagation: the latency of the node at the end is added here. Returns the number of the
 * forward link, the reverse is the next. */
int32_t topo_cable(struct topo_graph *graph, const struct topo_link *link);
/* topo_cables is n topo_cable in parallel; of several the names end in "#0", "#1", ... */
void topo_cables(struct topo_graph *graph, const struct topo_link *link, int64_t n);

#define TOPO_PATH_MAX 16
/* topo_path writes the links of a shortest path from src to dst into path[TOPO_PATH_MAX] and
 * returns their number; 0 if src is dst, -1 if there is no path. Among equally short ones a hash of
 * src, dst and stream decides, at each node. dst is an endpoint, or a switch next to one. */
int topo_path(struct topo_graph *graph, int32_t src, int32_t dst, uint32_t stream, int32_t *path);

#endif
