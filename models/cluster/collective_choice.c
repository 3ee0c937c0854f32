/* collective_choice.c - algorithm, protocol, channels, chunks, where the user has no wish.
 *
 * Apart from the life of a collective, so that those of a training step's groups come here too. The
 * one idea: NCCL's tuner is asked with what these GPUs have: channels share NVLink and NICs evenly,
 * which is what NCCL's search for rings comes to on such nodes; a group that has some GPUs of each
 * node has their part of its NICs, and two channels for each. Where the tuner has nothing to say
 * (another vendor's accelerators, operations without a choice) it is rings with protocol Simple,
 * and pairs for all-to-all and send-recv. NOT modelled: NCCL's fewer threads for small sizes; NICs
 * of GPUs that are not in the group.
 */
#include "models/cluster/collective.h"
#include "models/coll/tuner.h"

#define SLICE_BYTES_MIN 131072
#define CHANNELS_MAX 32

/* struct pair: indices into coll_list and enum coll_protocol; -1 = none, or no wish. */
struct pair {
    int algorithm, protocol;
};

/* ---- who takes part -------------------------------------------------------------------------- */

static int32_t domain_of(const struct collective_site *site, int32_t rank)
{
    int32_t gpu = site->gpu ? site->gpu[rank] : rank;
    return gpu / (int32_t)cluster_facts(site->cluster)->domain;
}

/* The ranks of each NVLink domain, if those of a domain stand next to one another and are
 * everywhere as many; else 1. */
static int32_t local_of(const struct collective_site *site, int32_t ranks)
{
    int32_t local = 1;
    while (local < ranks && domain_of(site, local) == domain_of(site, 0))
        local++;
    if (ranks % local) return 1;
    for (int32_t r = 0; r < ranks; r++) {
        int32_t first = r / local * local, next = first + local;
        if (domain_of(site, r) != domain_of(site, first)) return 1;
        if (next < ranks && domain_of(site, next) == domain_of(site, first)) return 1;
    }
    return local;
}

/* The cluster's `leaf`, if the ranks' domains follow one another from the first one of a leaf on;
 * else 0. */
static int32_t leaf_of(const struct collective_site *site, const struct coll_ask *ask)
{
    int64_t leaf = cluster_facts(site->cluster)->leaf, first = domain_of(site, 0);
    if (leaf == 0 || first % leaf) return 0;
    for (int32_t r = 0; r < ask->ranks; r += ask->local)
        if (domain_of(site, r) != first + r / ask->local) return 0;
    return (int32_t)leaf;
}

/* ---- the tuner ------------------------------------------------------------------------------- */

static int64_t channels_most(const struct collective_site *site, const struct coll_ask *ask)
{
    int64_t gpus = cluster_facts(site->cluster)->node_gpus;
    if (site->facts->channels > 0) return site->facts->channels;
    if (ask->ranks > ask->local && ask->local < gpus) gpus = ask->local;
    return 2 * gpus < CHANNELS_MAX ? 2 * gpus : CHANNELS_MAX;
}

static bool ask_tuner(const struct collective_site *site, const struct coll_ask *ask,
                      struct tuner_table *table)
{
    const struct cluster_facts *cluster = cluster_facts(site->cluster);
    const struct collective_facts *facts = site->facts;
    int64_t channels = channels_most(site, ask), told_ps = facts->nic_told_ps;
    int64_t inter_bps = cluster->nic_bps / cluster->node_gpus * ask->local;
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
                              .version = (enum tuner_version)facts->version,
                              .ring_bps = ask->ranks > ask->local ? inter_bps : 0,
                              .graph = graph,
                              .nvls = site->device->in_switch_reduction ? graph
                                                                        : (struct tuner_graph){0}},
        table);
}

/* The pair of the table that takes least, of those that the wish leaves; the algorithm is -1 if
 * there is none. */
static struct pair fastest(const struct tuner_table *table, struct pair wish)
{
    struct pair best = {-1, -1};
    int64_t best_ps = INT64_MAX;
    for (int a = 0; a < TUNER_ALGORITHMS; a++) {
        int algorithm = coll_find(tuner_algorithm_name((enum tuner_algorithm)a));
        if (algorithm < 0 || (wish.algorithm >= 0 && wish.algorithm != algorithm)) continue;
        for (int p = 0; p < COLL_PROTOCOLS; p++) {
            int64_t time_ps = table->time_ps[a][p];
            if (time_ps < 0 || time_ps >= best_ps) continue;
            if (wish.protocol >= 0 && wish.protocol != p) continue;
            best_ps = time_ps;
            best = (struct pair){algorithm, p};
        }
    }
    return best;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static int32_t choose_channels(const struct coll_ask *ask, const struct collective_facts *facts,
                               int64_t most)
{
    int64_t share = facts->share_bytes[ask->protocol], useful = share > 0 ? ask->bytes / share : 1;
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
    int64_t ranks = cfg->ranks ? cfg->ranks : cluster_facts(site->cluster)->gpus;
    struct tuner_table table;
    *ask = (struct coll_ask){
        .op = (enum coll_op)cfg->op,
        .bytes = cfg->bytes,
        .ranks = (int32_t)ranks,
        .local = local_of(site, (int32_t)ranks),
        .root = (int32_t)cfg->root,
        .chunk_bytes = cfg->chunk_bytes > 0 ? cfg->chunk_bytes : site->facts->chunk_bytes,
        .switch_chunk_bytes = site->facts->nvls_chunk_bytes,
    };
    ask->leaf = leaf_of(site, ask);
    const struct pair wish = {cfg->algorithm - 1,
                              (cfg->protocol ? cfg->protocol : site->facts->protocol) - 1};
    struct pair choice = {-1, -1};
    if (ask_tuner(site, ask, &table)) choice = fastest(&table, wish);
    if (choice.algorithm < 0) choice = wish;
    if (choice.algorithm < 0) {
        bool peers = ask->op == COLL_ALL_TO_ALL || ask->op == COLL_SEND_RECV;
        choice.algorithm = coll_find(peers ? "pairwise" : "ring");
    }
    ask->protocol =
        choice.protocol < 0 ? by_size(site->facts, ask) : (enum coll_protocol)choice.protocol;
    const struct coll_ops *ops = coll_list[choice.algorithm];
    ask->channels = cfg->channels > 0 ? (int32_t)cfg->channels
                                      : choose_channels(ask, site->facts, channels_most(site, ask));
    struct coll_ask suits = *ask;
    if (ops->suit) ops->suit(&suits);
    if (cfg->chunk_bytes == 0) ask->chunk_bytes = suits.chunk_bytes;
    if (cfg->channels == 0) ask->channels = suits.channels;
    ask->slices = choose_slices(ask, cfg->slices);
    return choice.algorithm;
}

void collective_pace(const struct collective_facts *facts, const struct coll_plan *plan,
                     struct coll_run_cfg *run)
{
    const struct coll_ask *ask = &plan->ask;
    const struct collective_cost *cost =
        plan->agents > 0 ? &facts->in_switch : &facts->cost[ask->protocol];
    /* Simple, and so NVLS, makes sure of its data by another trip to the NIC (flush). */
    int64_t trips = ask->protocol == COLL_SIMPLE ? 2 : 1;
    run->lag = (struct cluster_lag){cost->nvlink_ps, cost->net_ps + trips * facts->nic_ps};
    run->launch_ps = cost->launch_ps;
    run->block_bps = plan->at_once > 0 ? cost->channel_bps / plan->at_once : 0;
    run->slots = (int32_t)facts->slots > ask->slices ? (int32_t)facts->slots : ask->slices + 1;
}
