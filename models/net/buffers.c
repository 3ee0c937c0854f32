/* buffers.c - headroom of a switch's ports against its buffer (buffers.h).
 *
 * The one idea: what switch.c and pfc.c set up follows from the graph, so it is known at load.
 * NOT modelled: headroom that ports share (SONiC's shared headroom pool).
 */
#include "models/net/buffers.h"

#include "models/cc/cc.h"
#include "models/net/pfc.h"

int64_t buffers_frame_bytes(const struct net_cfg *cfg)
{
    const bool telemetry = cc_list[cfg->cc.index]->wants_hops;
    return cfg->mtu_bytes + net_data_bytes(cfg) + cfg->framing.first_bytes +
           (telemetry ? cfg->framing.telemetry_bytes : 0);
}

/* Of one class, for what comes by link. */
static int64_t need_bytes(const struct topo_graph *graph, const struct net_cfg *cfg, int64_t l)
{
    const struct topo_link *in = &graph->links[l], *back = &graph->links[l ^ 1];
    if (cfg->pfc.headroom_bytes > 0) return cfg->pfc.headroom_bytes;
    /* a pause frame does not wait for the latency of the switch that it stops */
    int64_t way_ps = in->delay_ps + back->delay_ps - graph->nodes[in->from].latency_ps;
    return pfc_round_bytes(in->rate_bps, way_ps + cfg->pfc.response_ps, buffers_frame_bytes(cfg));
}

struct buffers buffers_of(const struct topo_graph *graph, const struct net_cfg *cfg, int32_t node)
{
    struct buffers sum = {.min_bytes = INT64_MAX};
    const int64_t classes = cfg->classes.n > 0 ? cfg->classes.n : 1;
    for (int64_t l = 0; l < graph->link_n; l++) {
        if (graph->links[l].to != node) continue;
        int64_t bytes = classes * need_bytes(graph, cfg, l);
        sum.ports++;
        sum.sum_bytes += bytes;
        if (bytes < sum.min_bytes) sum.min_bytes = bytes;
        if (bytes > sum.max_bytes) sum.max_bytes = bytes;
    }
    return sum;
}

bool buffers_check(const struct topo_graph *graph, const struct net_cfg *cfg, struct err *err)
{
    if (!cfg->pfc.on || cfg->link_layer == NET_INFINIBAND) return true;
    for (int32_t v = 0; v < graph->node_n; v++) {
        if (graph->nodes[v].kind != TOPO_SWITCH) continue;
        const struct buffers sum = buffers_of(graph, cfg, v);
        if (sum.sum_bytes > cfg->buffer_bytes)
            return err_key(
                err, "network.buffer",
                "C036: network.buffer: the headroom of the %lld ports of %s is %lld B "
                "together, its buffer %lld B: lossless it is not; give more buffer, less "
                "headroom, or pfc.on: false",
                (long long)sum.ports, graph->nodes[v].name, (long long)sum.sum_bytes,
                (long long)cfg->buffer_bytes);
    }
    return true;
}
