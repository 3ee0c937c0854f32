/* group.c - which algorithm a collective of some of a cluster's GPUs takes, and with what.
 *
 * The one idea: as collective_choice.c asks NCCL's tuner for all GPUs, this asks it for a group
 * that may have one GPU per node (data parallelism), a few, or all; each GPU brings its share of
 * the node's NICs. Where a collective would be more messages than the limit it goes in bulk.
 * NOT modelled: NICs of GPUs that are not in the group.
 */
#include "models/step/group.h"

#include <string.h>

#include "models/coll/tuner.h"
#include "models/step/bulk.h"

#define CHANNEL_BYTES_MIN 65536 /* a channel of its own is for more than this */

static int32_t gpu_of(const struct group_site *site, int32_t member)
{
    return site->gpu ? site->gpu[member] : member;
}

/* The members of each NVLink domain, if those of a domain stand next to one another and are
 * everywhere as many; else 1. */
static int32_t local_of(const struct group_site *site)
{
    int32_t domain = (int32_t)cluster_facts(site->cluster)->domain, local = 1;
    while (local < site->n && gpu_of(site, local) / domain == gpu_of(site, 0) / domain)
        local++;
    if (site->n % local) return 1;
    for (int32_t m = 0; m < site->n; m++) {
        bool same = gpu_of(site, m) / domain == gpu_of(site, m / local * local) / domain;
        bool next = m + local < site->n &&
                    gpu_of(site, m) / domain == gpu_of(site, m / local * local + local) / domain;
        if (!same || next) return 1;
    }
    return local;
}

/* Channels share NVLink and NICs evenly; a rail has one at least. */
static int32_t channels_of(const struct group_site *site, const struct coll_ask *ask)
{
    int64_t most = site->facts->channels > 0 ? site->facts->channels
                   : ask->local > 1          ? ask->local
                                             : 2;
    int64_t useful = ask->bytes / CHANNEL_BYTES_MIN;
    if (useful < 1) useful = 1;
    return (int32_t)(most < useful ? most : useful);
}

static bool ask_tuner(const struct group_site *site, const struct coll_ask *ask,
                      struct tuner_table *table)
{
    const struct cluster_facts *cluster = cluster_facts(site->cluster);
    const int64_t channels = 2 * (int64_t)ask->local < 32 ? 2 * (int64_t)ask->local : 32;
    const struct tuner_graph graph = {.channels = channels,
                                      .intra_bps = cluster->link_bps / channels,
                                      .inter_bps = cluster->nic_bps / cluster->node_gpus *
                                                   ask->local / channels};
    return tuner_choose(
        &(struct tuner_facts){.op = ask->op,
                              .bytes = ask->bytes,
                              .nodes = ask->ranks / ask->local,
                              .ranks_per_node = ask->local,
                              .generation = (enum tuner_generation)site->device->generation,
                              .cpu = TUNER_INTEL,
                              .graph = graph,
                              .nvls = site->device->in_switch_reduction ? graph
                                                                        : (struct tuner_graph){0}},
        table);
}

/* The fastest pair that the wish (-1 = none) leaves; false if the tuner has nothing to say. */
static bool choose(const struct group_site *site, int wish, struct coll_ask *ask, int *algorithm)
{
    struct tuner_table table;
    if (!ask_tuner(site, ask, &table)) return false;
    const struct collective_pair pair =
        collective_fastest(&table, &(struct collective_pair){wish, -1});
    if (pair.algorithm < 0) return false;
    *algorithm = pair.algorithm;
    ask->protocol = (enum coll_protocol)pair.protocol;
    return true;
}

static bool is_tree(int algorithm)
{
    return strstr(coll_names[algorithm], "tree") != NULL;
}

/* What all ranks together send, about: in rings and pairs a piece to each other rank, or twice; in
 * trees all data up and down. */
static int64_t messages_of(const struct coll_ask *ask, int algorithm)
{
    int64_t n = ask->ranks, share = coll_most(ask->bytes, ask->channels);
    if (is_tree(algorithm)) return 2 * n * ask->channels * coll_parts_n(share, ask->chunk_bytes);
    int64_t each = ask->op == COLL_ALL_REDUCE ? 2 * (n - 1) : n - 1;
    return n * each * ask->channels * coll_parts_n(coll_most(share, ask->ranks), ask->chunk_bytes);
}

/* Hops between nodes that follow one another: once or twice round the rail, or up and down. */
static int64_t net_hops(const struct coll_ask *ask, int algorithm)
{
    int64_t nodes = ask->ranks / ask->local, depth = 0;
    if (!is_tree(algorithm)) return (ask->op == COLL_ALL_REDUCE ? 2 : 1) * (nodes - 1);
    while ((INT64_C(1) << depth) < nodes)
        depth++;
    return 2 * depth;
}

static const char *plan_bulk(const struct group_site *site, const struct coll_ask *ask,
                             int algorithm, struct coll_plan *plan, struct group_made *made)
{
    const struct collective_cost *cost = &site->facts->cost[ask->protocol];
    made->together = true;
    made->launch_ps = cost->launch_ps;
    made->lag.net_ps = cost->net_ps * net_hops(ask, algorithm) / bulk_messages();
    made->lag.nvlink_ps = cost->nvlink_ps * (ask->local - 1) / bulk_messages();
    return coll_plan(plan, &bulk_ops, ask, sim_arena(cluster_sim(site->cluster)));
}

const char *group_plan(const struct group_site *site, const struct group_ask *wanted,
                       struct coll_plan *plan, struct group_made *made)
{
    const struct collective_facts *facts = site->facts;
    struct arena *arena = sim_arena(cluster_sim(site->cluster));
    bool peers = wanted->op == COLL_ALL_TO_ALL || wanted->op == COLL_SEND_RECV;
    int algorithm = wanted->algorithm - 1;
    struct coll_ask ask = {.op = wanted->op,
                           .protocol = COLL_SIMPLE,
                           .bytes = wanted->bytes,
                           .ranks = site->n,
                           .local = local_of(site),
                           .root = wanted->root,
                           .slices = 1,
                           .chunk_bytes = facts->chunk_bytes};
    ask.channels = peers ? 1 : channels_of(site, &ask);
    *made = (struct group_made){.slots = (int32_t)facts->slots};
    if (!choose(site, algorithm, &ask, &algorithm) && algorithm < 0)
        algorithm = coll_find(peers ? "pairwise" : "ring");
    const struct coll_ops *ops = coll_list[algorithm];
    if (ops->suit) ops->suit(&ask);
    if (wanted->algorithm == 0 && !peers && ask.op != COLL_BROADCAST && site->messages_max > 0 &&
        messages_of(&ask, algorithm) > site->messages_max)
        return plan_bulk(site, &ask, algorithm, plan, made);
    const char *wrong = coll_plan(plan, ops, &ask, arena);
    if (wrong)
        return arena_printf(arena, "algorithm %s cannot run: %s", coll_names[algorithm], wrong);
    const struct collective_cost *cost =
        plan->agents > 0 ? &facts->in_switch : &facts->cost[ask.protocol];
    made->launch_ps = cost->launch_ps;
    made->lag = (struct cluster_lag){cost->nvlink_ps, cost->net_ps};
    return NULL;
}
