/* topo_fat_tree.c - three tiers: pods of top-of-rack and aggregation switches, cores between pods.
 *
 * By one number k (k pods, k/2 switches of each kind per pod, k/2 hosts per rack, k^2/4 cores: Al-
 * Fares, Loukissas, Vahdat, SIGCOMM 2008), or by counts. Aggregation switch a of every pod is
 * cabled to the same cores / aggs_per_pod cores.
 *
 * NOT modelled: servers with several ports (see rail, tor).
 */
#include "models/topo/parts.h"

struct fat_tree_cfg {
    int64_t k, pods, tors, aggs, hosts, cores, links_per_pair, core_links;
    struct parts_links links;
};

static const struct schema_field fields[] = {
    {.key = "k",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, k),
     .fallback = "0",
     .max = "256",
     .help = "Ports of each switch of a k-ary fat tree, even; 0 = the counts below."},
    {.key = "pods",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, pods),
     .fallback = "0",
     .max = "65536",
     .help = "Pods; 0 = by k. So are the other counts."},
    {.key = "tors_per_pod",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, tors),
     .fallback = "0",
     .max = "65536",
     .help = "Top-of-rack switches of a pod."},
    {.key = "aggs_per_pod",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, aggs),
     .fallback = "0",
     .max = "65536",
     .help = "Aggregation switches of a pod."},
    {.key = "hosts_per_tor",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, hosts),
     .fallback = "0",
     .max = "65536",
     .help = "Hosts of a rack, with one port each."},
    {.key = "cores",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, cores),
     .fallback = "0",
     .max = "65536",
     .help = "Core switches, a multiple of aggs_per_pod."},
    {.key = "links_per_pair",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, links_per_pair),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Parallel cables per top-of-rack and aggregation switch."},
    {.key = "core_links_per_pair",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct fat_tree_cfg, core_links),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Parallel cables per aggregation switch and core of its plane."},
    PARTS_LINK_FIELDS(struct fat_tree_cfg),
    {.key = NULL},
};

static const char *const tier_names[] = {"tor", "agg", "core"};

/* The counts, with those of k filled in. */
static struct fat_tree_cfg counts_of(const struct fat_tree_cfg *cfg)
{
    struct fat_tree_cfg counts = *cfg;
    if (!cfg->k) return counts;
    counts.pods = cfg->k;
    counts.tors = counts.aggs = counts.hosts = cfg->k / 2;
    counts.cores = cfg->k / 2 * (cfg->k / 2);
    return counts;
}

static struct parts_clos clos_of(const struct fat_tree_cfg *counts)
{
    return (struct parts_clos){.pods = counts->pods,
                               .leaves = counts->tors,
                               .spines = counts->aggs,
                               .links = counts->links_per_pair,
                               .cores = counts->cores,
                               .core_links = counts->core_links,
                               .group = counts->tors,
                               .group_name = "pod",
                               .tier_names = tier_names,
                               .link = &counts->links};
}

static void check(const void *config, struct schema_check *complaints)
{
    const struct fat_tree_cfg *cfg = config, counts = counts_of(cfg);
    bool any = cfg->pods || cfg->tors || cfg->aggs || cfg->hosts || cfg->cores;
    if (cfg->k && any)
        schema_complain(complaints, "k", "C025: give either k or the counts, not both");
    else if (cfg->k % 2)
        schema_complain(complaints, "k", "C025: k must be even");
    else if (!cfg->k && !(cfg->pods && cfg->tors && cfg->aggs && cfg->hosts))
        schema_complain(complaints, "pods",
                        "C025: needs k, or pods, tors_per_pod, aggs_per_pod and hosts_per_tor");
    else {
        struct parts_clos clos = clos_of(&counts);
        parts_check_clos(complaints, &clos, counts.hosts, 0);
    }
}

const struct schema topo_fat_tree_schema = {
    .name = "fat-tree",
    .help = "Three tiers: pods of top-of-rack and aggregation switches, cores between pods.",
    .size = sizeof(struct fat_tree_cfg),
    .fields = fields,
    .check = check,
};

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    (void)ask; /* all counts are keys here */
    const struct fat_tree_cfg counts = counts_of(config);
    struct parts_clos clos = clos_of(&counts);
    parts_endpoints(graph, made, counts.pods * counts.tors * counts.hosts, 1);
    int32_t tor = parts_clos_build(graph, &clos, made);
    for (int64_t i = 0; i < made->nodes; i++)
        parts_attach(graph, made, i, tor + (int32_t)(i / counts.hosts), &counts.links);
}

const struct topo_ops topo_fat_tree = {
    .help = "three tiers, by k or by counts of pods, racks and cores",
    .build = build,
};
