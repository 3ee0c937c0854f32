/* group.c - a collective of some of a cluster's GPUs, message by message or in bulk.
 *
 * The one idea: what to run is collective_choose's affair, for a group as for all GPUs; here is
 * only the question whether that would be more messages than the limit, and what the long ones that
 * take their place cost in software.
 */
#include "models/step/group.h"

#include <string.h>

#include "models/step/bulk.h"

static bool is_tree(int algorithm)
{
    return strstr(coll_names[algorithm], "tree") != NULL;
}

/* What all ranks together send, about: in rings and pairs a piece to each other rank, or twice; in
 * trees all data up and down. */
static int64_t messages_of(const struct coll_ask *ask, int algorithm)
{
    int64_t n = ask->ranks, share = coll_most(ask->bytes, ask->channels);
    int64_t all = n * ask->channels * ask->slices;
    if (is_tree(algorithm)) return 2 * all * coll_parts_n(share, ask->chunk_bytes);
    int64_t each = ask->op == COLL_ALL_REDUCE ? 2 * (n - 1) : n - 1;
    return all * each * coll_parts_n(coll_most(share, ask->ranks), ask->chunk_bytes);
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

static bool in_bulk(const struct group_site *site, const struct coll_ask *ask, int algorithm)
{
    if (!(bulk_ops.can & COLL_BIT(ask->op)) || site->messages_max == 0) return false;
    return messages_of(ask, algorithm) > site->messages_max;
}

/* The software time of the hops that are left out goes to those that stay. */
static void slow_down(const struct coll_ask *ask, int algorithm, struct cluster_lag *lag)
{
    lag->net_ps = lag->net_ps * net_hops(ask, algorithm) / bulk_messages();
    lag->nvlink_ps = lag->nvlink_ps * (ask->local - 1) / bulk_messages();
}

const char *group_plan(const struct group_site *site, const struct group_ask *wanted,
                       struct coll_plan *plan, struct group_made *made)
{
    struct arena *arena = sim_arena(cluster_sim(site->cluster));
    const struct collective_cfg cfg = {.op = (int)wanted->op,
                                       .algorithm = wanted->algorithm,
                                       .bytes = wanted->bytes,
                                       .ranks = site->n,
                                       .root = wanted->root};
    const struct collective_site where = {
        .cluster = site->cluster, .facts = site->facts, .device = site->device, .gpu = site->gpu};
    struct coll_ask ask;
    int algorithm = collective_choose(&cfg, &where, &ask);
    *made =
        (struct group_made){.together = wanted->algorithm == 0 && in_bulk(site, &ask, algorithm)};
    if (made->together) ask.chunk_bytes = 0; /* which bulk_ops ignores, but not who counts chunks */
    const char *wrong =
        coll_plan(plan, made->together ? &bulk_ops : coll_list[algorithm], &ask, arena);
    if (wrong)
        return arena_printf(arena, "algorithm %s cannot run: %s", coll_names[algorithm], wrong);
    collective_pace(&where, plan, &made->run);
    if (made->together) slow_down(&ask, algorithm, &made->run.lag);
    return NULL;
}
