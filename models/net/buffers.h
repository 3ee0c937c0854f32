/* buffers.h - how much of a switch's buffer its ports need as headroom, before it is built. */
#ifndef RAILSIM_MODELS_NET_BUFFERS_H
#define RAILSIM_MODELS_NET_BUFFERS_H

#include "models/net/net_cfg.h"
#include "models/topo/topo.h"
#include "sim/base/err.h"

/* buffers_frame_bytes returns what the largest packet takes on the wire. */
int64_t buffers_frame_bytes(const struct net_cfg *cfg);

/* struct buffers: of one switch; headroom is per port and class, as configured or needed. */
struct buffers {
    int64_t ports;
    int64_t min_bytes, max_bytes; /* headroom of a port, all classes */
    int64_t sum_bytes;
};
/* buffers_of returns what the ports of a switch (node of graph) need. */
struct buffers buffers_of(const struct topo_graph *graph, const struct net_cfg *cfg, int32_t node);
/* buffers_check looks whether the headroom of all ports fits into each switch, if PFC is on. */
bool buffers_check(const struct topo_graph *graph, const struct net_cfg *cfg, struct err *err);

#endif
