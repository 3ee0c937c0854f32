/* collective_choice.c - algorithm, protocol, channels, chunks, where the user has no wish.
 *
 * Apart from the life of a collective, so that those of a training step's groups come here too. The
 * one idea: NCCL's tuner is asked with what these GPUs have: channels share NVLink and NICs evenly,
 * which is what NCCL's search for rings comes to on such nodes; a group that has some GPUs of each
 * node has their part of its NICs, and two channels for each. A group with different numbers of
 * GPUs in its domains (8 and 4) is one of smaller domains of the numbers' greatest common divisor,
 * without NVLS: rings and trees between the parts of one domain take NVLink all the same, so that
 * they cross the network as often as NCCL's. Where the tuner has nothing to say (another vendor's
 * accelerators, operations without a choice) it is rings with protocol Simple, and pairs for
 * all-to-all and send-recv.
 *
 * Links that are no switch (link_shape): rings over a mesh use all links of a GPU if each takes
 * another way round, and pairs in turn use them evenly, so that both are as behind a switch. A
 * send-recv has one link of a mesh, or of a torus: its blocks are held to that.
 *
 * NOT modelled: NCCL's fewer threads for small sizes; NICs of GPUs that are not in the group; more
 * NICs than the divisor for uneven groups (8 and 7 GPUs have one); rings that share a link of a
 * mesh, a torus' longer ways, single sends of a training step over either.
 */
#include "models/cluster/collective.h"
#include "models/coll/tuner.h"

#define SLICE_BYTES_MIN 131072
#define CHANNELS_MAX 32
#define TORUS_LINKS 4
/* NCCL, src/transport/nvls.cc: channels of NVLS by Blackwell: inside a domain and over many; over
 * two domains with NICs of 400 Gb/s. */
#define NVLS_CHANNELS 24
#define NVLS_CHANNELS_PAIR 32

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

/* Ranks from `first` on that stand in one domain. */
static int32_t run_of(const struct collective_site *site, int32_t ranks, int32_t first)
{
    int32_t next = first + 1;
    while (next < ranks && domain_of(site, next) == domain_of(site, first))
        next++;
    return next - first;
}

int64_t collective_divisor(int64_t a, int64_t b)
{
    while (b > 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The ranks that stand together in each NVLink domain; where that differs, what divides all. */
static int32_t local_of(const struct collective_site *site, int32_t ranks)
{
    int64_t local = 0;
    for (int32_t r = 0, n; r < ranks; r += n) {
        n = run_of(site, ranks, r);
        local = collective_divisor(local, n);
    }
    return (int32_t)local;
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

/* struct means: what the ranks have together. */
struct means {
    bool alone;                      /* nothing but NVLink */
    bool in_switch;                  /* NVSwitches that can reduce for all of them */
    int64_t channels, nvls_channels; /* of long messages */
    int64_t inter_bps;               /* from node to node; alone as inside */
};

/* Alone, Blackwell's GPUs have twice as many channels: NCCL finds rings of 90 GB/s, each of which
 * it divides in two and then doubles (src/graph/search.cc, ncclTopoDupChannels; connect.cc). */
static struct means find_means(const struct collective_site *site, const struct coll_ask *ask)
{
    const struct cluster_facts *cluster = cluster_facts(site->cluster);
    bool blackwell = site->device->generation == TUNER_BLACKWELL;
    int64_t pairs = cluster->domain, domains = ask->ranks / ask->local;
    struct means means = {.alone = run_of(site, ask->ranks, 0) == ask->ranks,
                          .in_switch = site->device->in_switch_reduction,
                          .inter_bps = cluster->nic_bps / cluster->node_gpus * ask->local};
    for (int32_t r = 0; r < ask->ranks; r += ask->local)
        if (run_of(site, ask->ranks, r) != ask->local) means.in_switch = false;
    if (means.alone) means.inter_bps = cluster->link_bps;
    if (!means.alone && ask->local < pairs) pairs = ask->local;
    if (!means.alone && cluster->node_ports > cluster->node_gpus)
        pairs *= cluster->node_ports / cluster->node_gpus;
    if (means.alone && blackwell) pairs = CHANNELS_MAX;
    means.channels = means.nvls_channels = 2 * pairs < CHANNELS_MAX ? 2 * pairs : CHANNELS_MAX;
    if (blackwell) means.nvls_channels = domains == 2 ? NVLS_CHANNELS_PAIR : NVLS_CHANNELS;
    if (site->facts->channels > 0) means.channels = means.nvls_channels = site->facts->channels;
    return means;
}

static struct tuner_graph graph_of(const struct collective_site *site, const struct means *means,
                                   int64_t channels)
{
    int64_t told_ps = site->facts->nic_told_ps;
    return (struct tuner_graph){.channels = channels,
                                .intra_bps = cluster_facts(site->cluster)->link_bps / channels,
                                .inter_bps = means->inter_bps / channels,
                                .latency_inter_ps = told_ps ? told_ps : site->facts->nic_ps};
}

static bool ask_tuner(const struct collective_site *site, const struct coll_ask *ask,
                      const struct means *means, struct tuner_table *table)
{
    const struct collective_facts *facts = site->facts;
    struct tuner_graph nvls = graph_of(site, means, means->nvls_channels);
    if (!means->in_switch) nvls.channels = 0;
    return tuner_choose(
        &(struct tuner_facts){.op = ask->op,
                              .bytes = ask->bytes,
                              .nodes = ask->ranks / ask->local,
                              .ranks_per_node = ask->local,
                              .generation = (enum tuner_generation)site->device->generation,
                              .cpu = (enum tuner_cpu)facts->cpu,
                              .version = (enum tuner_version)facts->version,
                              .ring_bps = means->alone ? 0 : means->inter_bps,
                              .graph = graph_of(site, means, means->channels),
                              .nvls = nvls},
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

static bool is_nvls(int algorithm)
{
    return algorithm == coll_find(tuner_algorithm_name(TUNER_NVLS)) ||
           algorithm == coll_find(tuner_algorithm_name(TUNER_NVLS_TREE));
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
    const struct means means = find_means(site, ask);
    const struct pair wish = {cfg->algorithm - 1,
                              (cfg->protocol ? cfg->protocol : site->facts->protocol) - 1};
    struct pair choice = {-1, -1};
    if (ask_tuner(site, ask, &means, &table)) choice = fastest(&table, wish);
    if (choice.algorithm < 0) choice = wish;
    if (choice.algorithm < 0) {
        bool peers = ask->op == COLL_ALL_TO_ALL || ask->op == COLL_SEND_RECV;
        choice.algorithm = coll_find(peers ? "pairwise" : "ring");
    }
    ask->protocol =
        choice.protocol < 0 ? by_size(site->facts, ask) : (enum coll_protocol)choice.protocol;
    const struct coll_ops *ops = coll_list[choice.algorithm];
    ask->channels = (int32_t)cfg->channels;
    if (cfg->channels == 0)
        ask->channels = choose_channels(
            ask, site->facts, is_nvls(choice.algorithm) ? means.nvls_channels : means.channels);
    struct coll_ask suits = *ask;
    if (ops->suit) ops->suit(&suits);
    if (cfg->chunk_bytes == 0) ask->chunk_bytes = suits.chunk_bytes;
    if (cfg->channels == 0) ask->channels = suits.channels;
    ask->slices = choose_slices(ask, cfg->slices);
    return choice.algorithm;
}

/* What an accelerator can send to its neighbour, if that is less than to all; 0 = no less. */
static int64_t neighbour_bps(const struct collective_site *site)
{
    const struct cluster_facts *cluster = cluster_facts(site->cluster);
    if (cluster->domain < 2 || site->device->link_shape == DEVICE_SWITCH) return 0;
    bool mesh = site->device->link_shape == DEVICE_MESH;
    return cluster->link_bps / (mesh ? cluster->domain - 1 : TORUS_LINKS);
}

void collective_pace(const struct collective_site *site, const struct coll_plan *plan,
                     struct coll_run_cfg *run)
{
    const struct coll_ask *ask = &plan->ask;
    const struct collective_facts *facts = site->facts;
    const struct collective_cost *cost =
        plan->agents > 0 ? &facts->in_switch : &facts->cost[ask->protocol];
    /* Simple, and so NVLS, makes sure of its data by another trip to the NIC (flush). */
    int64_t trips = ask->protocol == COLL_SIMPLE ? 2 : 1;
    run->lag = (struct cluster_lag){cost->nvlink_ps, cost->net_ps + trips * facts->nic_ps};
    run->launch_ps = cost->launch_ps;
    run->block_bps = plan->at_once > 0 ? cost->channel_bps / plan->at_once : 0;
    if (ask->op == COLL_SEND_RECV) run->block_bps = neighbour_bps(site) / ask->channels;
    run->slots = (int32_t)facts->slots > ask->slices ? (int32_t)facts->slots : ask->slices + 1;
}
