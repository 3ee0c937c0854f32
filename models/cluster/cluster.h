/* cluster.h - GPUs in NVLink domains, their NICs, the fabric: send this from GPU a to GPU b.
 *
 *   GPU - NVSwitch - GPU            inside a domain
 *   GPU - NIC - fabric - NIC - GPU  between domains; GPU g of a node has the port of its rail
 *   GPU - NVSwitch - GPU' - NIC - fabric - NIC - GPU   with PXN, where the rails differ: GPU' is
 *                                   the one of the sender's node that has the receiver's rail
 *
 * Many jobs may use one cluster at a time: they meet in ports and links.
 */
#ifndef RAILSIM_MODELS_CLUSTER_CLUSTER_H
#define RAILSIM_MODELS_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/cluster/nvlink.h"
#include "models/fabric.h"
#include "models/topo/topo.h"
#include "sim/base/err.h"
#include "sim/base/record.h"

struct cluster_cfg {
    int64_t gpus;             /* of a node */
    int64_t domain;           /* GPUs of an NVLink domain: of one node, or of several; 0 = a node */
    int64_t link_bps;         /* NVLink of a GPU, one way */
    int64_t link_delay_ps;    /* GPU to GPU */
    double link_efficiency;   /* payload / link_bps */
    double switch_efficiency; /* the same of in-switch reductions */
    bool pxn;
};

/* struct cluster_parts: what a cluster is made of; graph and made must outlive it. */
struct cluster_parts {
    const struct cluster_cfg *cfg;
    const struct topo_graph *graph;
    const struct topo_made *made;
    struct fabric *fabric;
    struct framing framing; /* of packets on the fabric */
};

struct cluster;

/* cluster_check looks whether a node's ports spread over its GPUs: none idle (C124). */
bool cluster_check(int64_t gpus, int64_t ports, struct err *err);

/* cluster_new builds a cluster in the simulation's arena. */
struct cluster *cluster_new(struct sim *sim, const struct cluster_parts *parts);

struct sim *cluster_sim(const struct cluster *cluster);
/* struct cluster_facts: what algorithms and their choice go by. */
struct cluster_facts {
    int64_t gpus;       /* all of them */
    int64_t node_gpus;  /* of a node */
    int64_t node_ports; /* its network ports */
    int64_t domain;     /* of an NVLink domain */
    int64_t leaf;       /* domains next to one another with their NICs at the same switches; 0 = no
                          regular number */
    int64_t link_bps;   /* NVLink of a GPU, one way: what it carries of payload */
    int64_t nic_bps;    /* NICs of a node, one way, together: what they carry of payload */
};
const struct cluster_facts *cluster_facts(const struct cluster *cluster);

/* Places: where messages begin and end: a GPU is its own number; then come the NVSwitches of the
 * domains, then the nodes of the fabric's graph. */
int32_t cluster_nvswitch(const struct cluster *cluster, int32_t gpu);
/* cluster_edge is the switch to which gpu's NIC is connected. */
int32_t cluster_edge(const struct cluster *cluster, int32_t gpu);

struct cluster_msg;
typedef void cluster_fn(struct sim *sim, struct cluster_msg *msg);

/* struct cluster_conn: a queue pair from one place to another: its messages leave one after the
 * other (a stream of the fabric; NVLink's queue). cluster_connect before; the sender's. */
struct cluster_conn {
    struct cluster *cluster;
    struct nvlink_queue queue; /* its turn at the NVLink port */
    int64_t lag_ps;            /* software: done comes so much after the last byte */
    int32_t src, dst;          /* as asked for */
    int32_t from, to;          /* NVLink: GPUs; else nodes of the fabric */
    int32_t proxy;             /* PXN: by NVLink to this GPU first; -1 = none */
    uint32_t stream;
    bool nvlink; /* nothing but NVLink */
};

/* struct cluster_msg: the sender's, untouched by it until done; set bytes, done, owner. */
struct cluster_msg {
    struct nvlink_hop hop;
    struct fabric_msg wire;
    struct cluster_conn *conn;
    int64_t bytes; /* on the wire, before framing */
    cluster_fn *done;
    void *owner;
};

/* struct cluster_lag: software time of a hop beyond what the links take. */
struct cluster_lag {
    int64_t nvlink_ps, net_ps;
};

/* cluster_connect makes conn lead from place src to place dst. Messages of one stream share a path
 * through the fabric. */
void cluster_connect(struct cluster *cluster, struct cluster_conn *conn, int32_t src, int32_t dst,
                     uint32_t stream);
/* cluster_lag sets the software time of conn's messages by the kind of its path. */
void cluster_lag(struct cluster_conn *conn, const struct cluster_lag *lag);
/* cluster_send takes msg on its way over conn; done comes from a later event. */
void cluster_send(struct cluster_conn *conn, struct cluster_msg *msg);

/* cluster_record stores what NVLink and NICs carried: in all, and the busiest GPU's share. */
void cluster_record(const struct cluster *cluster, struct record *record);

#endif
