/* collective_choice.c - algorithm, protocol, channels, chunks, where the user has no wish.
 *
 * Apart from the life of a collective. The one idea: NCCL's tuner is asked with what this cluster
 * has: channels share NVLink and NICs evenly, which is what NCCL's search for rings comes to on
 * such nodes. Where the tuner has nothing to say (another vendor's accelerators, operations without
 * a choice) it is rings with protocol Simple, and pairs for all-to-all and send-recv. NOT modelled:
 * NCCL's fewer threads for small sizes.
 */
#include <string.h>

#include "models/cluster/collective.h"
#include "models/coll/tuner.h"

#define SLICE_BYTES_MIN 131072

static int64_t channels_most(const struct collective_site *site)
{
    if (site->facts->channels > 0) return site->facts->channels;
    int64_t each = 2 * cluster_facts(site->cluster)->node_gpus;
    return each < 32 ? each : 32;
}

static bool ask_tuner(const struct collective_site *site, const struct coll_ask *ask,
                      struct tuner_table *table)
{
    const struct cluster_facts *cluster = cluster_facts(site->cluster);
    const struct collective_facts *facts = site->facts;
    int64_t channels = channels_most(site), nodes = cluster->domain / cluster->node_gpus;
    int64_t told_ps = facts->nic_told_ps, inter_bps = nodes * cluster->nic_bps;
    const struct tuner_graph graph = {.channels = channels,
                                      .intra_bps = cluster->link_bps / channels,
                                      .inter_bps = inter_bps / channels,
                                      .latency_inter_ps = told_ps ? told_ps : facts->nic_ps};
    return tuner_choose(
        &(struct tuner_facts){.op = ask->op,
                              .bytes = ask->bytes,
                              .nodes = ask->ranks / ask->local,
                              .ranks_per_node = ask->local,
                              .generation = (enum tuner_generation)site->device->generation,
                              .cpu = TUNER_INTEL,
                              .ring_bps = ask->ranks > ask->local ? inter_bps : 0,
                              .graph = graph,
                              .nvls = site->device->in_switch_reduction ? graph
                                                                        : (struct tuner_graph){0}},
        table);
}

struct collective_pair collective_fastest(const struct tuner_table *table,
                                          const struct collective_pair *wish)
{
    struct collective_pair best = {-1, -1};
    int64_t best_ps = INT64_MAX;
    for (int a = 0; a < TUNER_ALGORITHMS; a++) {
        int algorithm = coll_find(tuner_algorithm_name((enum tuner_algorithm)a));
        if (algorithm < 0 || (wish->algorithm >= 0 && wish->algorithm != algorithm)) continue;
        for (int p = 0; p < COLL_PROTOCOLS; p++) {
            int64_t time_ps = table->time_ps[a][p];
            if (time_ps < 0 || time_ps >= best_ps) continue;
            if (wish->protocol >= 0 && wish->protocol != p) continue;
            best_ps = time_ps;
            best = (struct collective_pair){algorithm, p};
        }
    }
    return best;
}

static int32_t choose_channels(const struct coll_ask *ask, const struct collective_facts *facts,
                               int64_t most)
{
    int64_t useful = ask->bytes / facts->share_bytes[ask->protocol];
    if (ask->op == COLL_ALL_TO_ALL) useful = most; /* a channel is a peer, not a share */
    if (useful < 1) useful = 1;
    return (int32_t)(most < useful ? most : useful);
}

static int32_t choose_slices(const struct coll_ask *ask, int64_t wanted)
{
    if (wanted > 0) return (int32_t)wanted;
    int64_t chunk = ask->bytes / ask->channels / ask->ranks;
    if (ask->chunk_bytes > 0 && chunk > ask->chunk_bytes) chunk = ask->chunk_bytes;
    return ask->protocol == COLL_SIMPLE && chunk >= 2 * SLICE_BYTES_MIN ? 2 : 1;
}

/* The protocol where the tuner has nothing to say. */
static enum coll_protocol by_size(const struct collective_facts *facts, const struct coll_ask *ask)
{
    int64_t each = coll_most(ask->bytes, ask->ranks);
    if (each <= facts->ll_bytes) return COLL_LL;
    return each <= facts->ll128_bytes ? COLL_LL128 : COLL_SIMPLE;
}

int collective_choose(const struct collective_cfg *cfg, const struct collective_site *site,
                      struct coll_ask *ask)
{
    const struct cluster_facts *cluster = cluster_facts(site->cluster);
    int64_t ranks = cfg->ranks ? cfg->ranks : cluster->gpus;
    struct tuner_table table;
    *ask = (struct coll_ask){
        .op = (enum coll_op)cfg->op,
        .bytes = cfg->bytes,
        .ranks = (int32_t)ranks,
        .local = (int32_t)(ranks < cluster->domain ? ranks : cluster->domain),
        .leaf = (int32_t)cluster->leaf,
        .root = (int32_t)cfg->root,
        .chunk_bytes = cfg->chunk_bytes > 0 ? cfg->chunk_bytes : site->facts->chunk_bytes,
        .switch_chunk_bytes = site->facts->nvls_chunk_bytes,
    };
    const struct collective_pair wish = {cfg->algorithm - 1, cfg->protocol - 1};
    struct collective_pair choice = {-1, -1};
    if (ask_tuner(site, ask, &table)) choice = collective_fastest(&table, &wish);
    if (choice.algorithm < 0) choice = wish;
    if (choice.algorithm < 0) {
        bool peers = ask->op == COLL_ALL_TO_ALL || ask->op == COLL_SEND_RECV;
        choice.algorithm = coll_find(peers ? "pairwise" : "ring");
    }
    ask->protocol =
        choice.protocol < 0 ? by_size(site->facts, ask) : (enum coll_protocol)choice.protocol;
    const struct coll_ops *ops = coll_list[choice.algorithm];
    ask->channels = cfg->channels > 0 ? (int32_t)cfg->channels
                                      : choose_channels(ask, site->facts, channels_most(site));
    struct coll_ask suits = *ask;
    if (ops->suit) ops->suit(&suits);
    if (cfg->chunk_bytes == 0) ask->chunk_bytes = suits.chunk_bytes;
    if (cfg->channels == 0) ask->channels = suits.channels;
    ask->slices = choose_slices(ask, cfg->slices);
    return choice.algorithm;
}
