/* tuner.c - NCCL's cost model: time = latency + bytes / bandwidth for each algorithm and protocol.
 *
 * The one idea: everything is a latency in microseconds and a bandwidth in GB/s (1000 bytes per
 * microsecond), both by formula from the size of the job and a few measured constants.
 *
 * Source: NVIDIA/nccl 2.30.7, src/graph/tuning.cc (2026-06-11), in the names used there. The
 * worked table of the project's reference (training-and-collectives.md 1.4) comes out to the last
 * digit; where its summary leaves a choice, the code of NCCL was followed:
 *   - sizes fall into classes by floor(log2(bytes / 64)); the correction of trees ends below class
 *     23, so that the last factor of each row is never used;
 *   - all-gather and reduce-scatter other than by ring are not scaled by ranks / steps, and NVLS
 *     then moves (ranks - 1) / ranks of a node's data instead of twice the data;
 *   - NVLS on one node is capped by the inter-node rate of its graph as well, which is the rate
 *     inside there: without a network both are one (src/graph/search.cc, ncclTopoCompute);
 *   - NVLS takes two GPUs of a node (src/transport/nvls.cc, ncclNvlsInit; 2.20: three);
 *   - with one rank per node every algorithm has the network latency of trees.
 *
 * NCCL 2.20 (2.20.5, NVIDIA/nccl ab2b89c4, the same file; as measured on AWS in 2024) differs:
 *   - a ring's all-reduce counts 2 nodes hops between nodes, not 2 (nodes - 1), which keeps it from
 *     jobs of two nodes;
 *   - trees by Simple have 28 us a hop and no start, NVLSTree 14 us between nodes;
 *   - NVLS and NVLSTree have 5/6 of their channels' rate, by whatever is slower inside and between
 *     nodes, of which NVLSTree has half over more than two nodes;
 *   - a ring by LL128 has 0.7 of its rate with one GPU per node; there is no PAT, and no Blackwell.
 *
 * NOT modelled: RCCL and other libraries; reduction in the network (CollNet), and so NVLS over
 * several nodes; GPUs without NVLink; rings that all visit the GPUs in one order; several
 * collectives in a launch; NCCL's single precision, which may turn a near tie; POWER systems; fewer
 * channels and threads for small messages; chunk sizes; NCCL_ALGO and NCCL_PROTO.
 */
#include "models/coll/tuner.h"

/* ---- constants: GB/s and us ----------------------------------------------------------------- */

enum hardware { NVLINK, NET, HARDWARES };
enum { SCALES = 3 }; /* 1 node, 2 nodes, more */

static const double base_us[TUNER_ALGORITHMS][COLL_PROTOCOLS] = {
    [TUNER_TREE] = {6.8, 14.0, 8.4},
    [TUNER_RING] = {6.6, 14.0, 8.4},
    [TUNER_PAT] = {8.0, 8.0, 8.0},
};
static const double hardware_us[HARDWARES][TUNER_ALGORITHMS][COLL_PROTOCOLS] = {
    [NVLINK] =
        {
            [TUNER_TREE] = {0.6, 1.25, 4.0},
            [TUNER_RING] = {0.6, 1.9, 3.4},
            [TUNER_NVLS] = {0, 0, 25},
            [TUNER_NVLS_TREE] = {0, 0, 25},
            [TUNER_PAT] = {0, 0, 4.0},
        },
    [NET] =
        {
            [TUNER_TREE] = {5.0, 8.5, 14},
            [TUNER_RING] = {2.7, 4.0, 14},
            [TUNER_NVLS_TREE] = {0, 0, 20.9},
            [TUNER_PAT] = {0, 0, 14},
        },
};
/* NCCL 2.20, where it differs. */
static const double old_tree_us = 28, old_nvls_tree_net_us = 14, old_nvls_share = 5.0 / 6.0;
static const double old_ring_ll128_alone = 0.7;

/* Of all channels together. On one node the row is the GPU's; on several, row 0 is for Intel and
 * ARM, row 1 for AMD. */
static const double ll_max[TUNER_GENERATIONS][SCALES] = {
    {39.0, 39.0, 20.4}, {87.7, 22.5, 19.0}, {141.0, 45.0, 35.0}, {282.0, 90.0, 70.0}};
/* Of one channel. */
static const double ring_ll128_max[TUNER_GENERATIONS] = {20.0, 20.0, 36.7, 40.0};
static const double tree_ll128_max[TUNER_GENERATIONS][SCALES] = {
    {20.0, 20.0, 20.0}, {20.0, 20.0, 20.0}, {36.7, 36.7, 29.0}, {55.6, 31.67, 20.0}};
static const double tree_max[TUNER_GENERATIONS][SCALES] = {
    {26.5, 18.5, 10.0}, {24.0, 23.6, 17.8}, {38.7, 41.4, 36.0}, {70.0, 42.8, 24.0}};
static const double nvls_tree_max[TUNER_GENERATIONS][SCALES] = {
    {26.5, 18.5, 10.0}, {24.0, 23.6, 17.8}, {0, 57.7, 45.5}, {0, 96.0, 80.0}};
static const double nvls_efficiency[TUNER_GENERATIONS] = {0, 0, 0.85, 0.74};

/* Trees miss the model at medium sizes: measured factors for 64 B, 128 B, ... */
enum { TREE_CLASSES = 23, NVLS_TREE_CLASSES = 24 };
static const double tree_factor[COLL_PROTOCOLS][NVLS_TREE_CLASSES] = {
    {1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1, 1},
    {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1, 1},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5,
     .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9, .9},
};

/* ---- the job -------------------------------------------------------------------------------- */

/* struct job: one pair of the table under computation. */
struct job {
    const struct tuner_facts *facts;
    const struct tuner_graph *graph;
    enum tuner_generation generation;
    enum tuner_algorithm a;
    enum coll_protocol p;
    double ranks, nodes, per_node;
    double steps; /* nsteps: of a ring */
    int scale;
    bool old; /* NCCL 2.20 */
};

static double least(double a, double b)
{
    return a < b ? a : b;
}

static int log2_floor(int64_t n)
{
    return n > 0 ? 63 - __builtin_clzll((unsigned long long)n) : -1;
}

static double gb_per_s(int64_t rate_bps)
{
    return (double)rate_bps / 8e9;
}

static bool in_switch(enum tuner_algorithm a)
{
    return a == TUNER_NVLS || a == TUNER_NVLS_TREE;
}

/* gathers: of an all-gather or a reduce-scatter each rank moves all but its own part, once. */
static bool gathers(const struct tuner_facts *facts)
{
    return facts->op == COLL_ALL_GATHER || facts->op == COLL_REDUCE_SCATTER;
}

/* has_algorithm: NCCL has a kernel of a for the operation. */
static bool has_algorithm(enum coll_op op, enum tuner_algorithm a)
{
    if (op == COLL_ALL_TO_ALL || op == COLL_SEND_RECV) return false;
    if (a == TUNER_RING) return true;
    if (op == COLL_ALL_REDUCE) return a != TUNER_PAT;
    return op != COLL_BROADCAST && (a == TUNER_PAT || a == TUNER_NVLS);
}

bool tuner_has_pair(enum tuner_algorithm a, enum coll_protocol p)
{
    return p == COLL_SIMPLE || a == TUNER_TREE || a == TUNER_RING;
}

/* works: the machine and the size of the job allow the pair. */
static bool works(const struct job *job)
{
    const struct tuner_facts *facts = job->facts;
    if (!has_algorithm(facts->op, job->a) || job->graph->channels < 1) return false;
    if (!tuner_has_pair(job->a, job->p)) return false;
    if (in_switch(job->a) &&
        (job->graph->channels < 2 || facts->ranks_per_node < (job->old ? 3 : 2)))
        return false;
    if (job->a == TUNER_NVLS) return facts->nodes == 1;
    if (job->a == TUNER_NVLS_TREE) return facts->nodes > 1;
    if (job->a == TUNER_PAT) return facts->ranks_per_node == 1 && !job->old;
    return true;
}

/* ---- bandwidth ------------------------------------------------------------------------------ */

/* nvls_bw returns what one channel carries through the NVSwitch: an all-reduce pipelines two
 * operations. */
static double nvls_bw(const struct job *job)
{
    const struct tuner_facts *facts = job->facts;
    double channels = (double)job->graph->channels;
    double intra = gb_per_s(job->graph->intra_bps) * nvls_efficiency[job->generation] *
                   (channels - 1) / channels;
    double inter = gb_per_s(job->graph->inter_bps);
    if (job->old) {
        bool half = job->a == TUNER_NVLS_TREE && facts->nodes > 2;
        return least(gb_per_s(job->graph->intra_bps), half ? inter / 2 : inter);
    }
    intra *= facts->op == COLL_ALL_REDUCE ? 2 : (job->per_node - 1) / job->per_node;
    if (job->a == TUNER_NVLS) return least(intra, inter);
    if (facts->nodes <= 2) inter *= 2;
    return least(least(intra, inter), nvls_tree_max[job->generation][job->scale]);
}

/* ring_bw and tree_bw refine the bandwidth of all channels together by protocol. */
static double ring_bw(const struct job *job, double bus)
{
    const struct tuner_facts *facts = job->facts;
    if (facts->ring_bps > 0) bus = least(bus, gb_per_s(facts->ring_bps));
    int row = facts->nodes == 1 ? (int)job->generation : facts->cpu == TUNER_AMD;
    if (job->p == COLL_LL) return least(ll_max[row][job->scale], bus * 0.5);
    double packed = job->old && facts->ranks_per_node == 1 ? old_ring_ll128_alone : 0.92;
    if (job->p == COLL_LL128)
        return least(bus * packed, (double)job->graph->channels * ring_ll128_max[job->generation]);
    return bus;
}

static double tree_bw(const struct job *job, double bus)
{
    const struct tuner_facts *facts = job->facts;
    int row = facts->nodes == 1 ? (int)job->generation : facts->cpu == TUNER_AMD;
    double channels = (double)job->graph->channels;
    bus = least(bus * 0.92, channels * tree_max[job->generation][job->scale]);
    if (job->p == COLL_LL) bus = least(bus / 3.8, ll_max[row][job->scale]);
    if (job->p == COLL_LL128)
        bus = least(bus * (facts->nodes == 1 ? 7.0 / 9.0 : 120.0 / 128.0),
                    channels * tree_ll128_max[job->generation][job->scale]);
    return bus;
}

/* bandwidth returns the algorithm bandwidth in GB/s: bytes of the buffer per time. */
static double bandwidth(const struct job *job)
{
    const struct tuner_graph *graph = job->graph;
    double bw = gb_per_s(job->facts->nodes <= 2 ? graph->intra_bps : graph->inter_bps);
    double bus = (double)graph->channels * (in_switch(job->a) ? nvls_bw(job) : bw);
    if (job->a == TUNER_RING) return ring_bw(job, bus) * job->ranks / job->steps;
    if (job->a == TUNER_TREE) return tree_bw(job, bus) * 0.5;
    if (job->a == TUNER_PAT) return bus * 0.75;
    if (in_switch(job->a) && job->old) return bus * old_nvls_share;
    if (gathers(job->facts)) return bus;
    return bus * job->ranks / job->steps;
}

/* correction returns the factor on the bandwidth of trees at this size. */
static double correction(const struct job *job)
{
    const struct tuner_facts *facts = job->facts;
    int class = log2_floor(facts->bytes >> 6);
    bool nvls =
        job->a == TUNER_NVLS_TREE && job->generation >= TUNER_BLACKWELL && facts->cpu != TUNER_ARM;
    if (class < 0 || facts->op != COLL_ALL_REDUCE) return 1;
    if (job->a == TUNER_TREE && class < TREE_CLASSES) return tree_factor[job->p][class];
    return nvls && class < NVLS_TREE_CLASSES ? tree_factor[job->p][class] : 1;
}

/* ---- latency -------------------------------------------------------------------------------- */

/* hop_us returns what a hop costs. */
static double hop_us(const struct job *job, enum hardware hw, enum tuner_algorithm a)
{
    if (job->old && a == TUNER_TREE && job->p == COLL_SIMPLE) return old_tree_us;
    if (job->old && a == TUNER_NVLS_TREE && hw == NET) return old_nvls_tree_net_us;
    return hardware_us[hw][a][job->p];
}

/* ring_us: a step costs at least the overhead of posting to the network, and the steps between
 * nodes cost the network. */
static double ring_us(const struct job *job, double intra_us, double inter_us)
{
    const struct tuner_facts *facts = job->facts;
    double post_us = facts->cpu == TUNER_AMD ? 2 : 1;
    double hops = facts->op == COLL_ALL_REDUCE ? 2 * (job->nodes - 1) : job->nodes - 1;
    if (job->old && facts->op == COLL_ALL_REDUCE && facts->nodes > 1) hops = 2 * job->nodes;
    if (facts->op == COLL_BROADCAST) {
        enum hardware hw = facts->nodes > 1 ? NET : NVLINK;
        enum tuner_algorithm like = job->p == COLL_SIMPLE ? TUNER_TREE : TUNER_RING;
        return job->steps * hop_us(job, hw, like);
    }
    if (job->p == COLL_SIMPLE) post_us *= 3;
    if (facts->nodes > 1 && intra_us < post_us) intra_us = post_us;
    return (job->steps - hops) * intra_us + hops * inter_us;
}

static double latency_us(const struct job *job)
{
    const struct tuner_facts *facts = job->facts;
    enum tuner_algorithm a = job->a;
    enum tuner_algorithm net = facts->ranks_per_node == 1 && !job->old ? TUNER_TREE : a;
    bool no_base = job->old && a == TUNER_TREE && job->p == COLL_SIMPLE;
    double base = no_base ? 0 : base_us[a][job->p];
    double intra = hop_us(job, NVLINK, a);
    /* Simple waits for a flush as well, which costs another trip to the NIC. */
    double inter = hop_us(job, NET, net) +
                   (double)job->graph->latency_inter_ps * 1e-6 * (job->p == COLL_SIMPLE ? 2 : 1);
    double levels = log2_floor(facts->nodes), others = job->per_node - 1;
    switch (a) {
    case TUNER_RING:
        return base + ring_us(job, intra, inter);
    case TUNER_TREE:
        return base + 2 * (others * intra + levels * inter);
    case TUNER_NVLS:
        return intra;
    case TUNER_NVLS_TREE:
        return base + intra + 2 * levels * inter;
    case TUNER_PAT:
        return base + levels * (inter / 3.5) + job->ranks * 2.8;
    case TUNER_ALGORITHMS:
        break;
    }
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* time_ps returns the predicted time of a pair, -1 if it is not used. */
static int64_t time_ps(const struct job *job)
{
    const struct tuner_facts *facts = job->facts;
    double bw = works(job) ? bandwidth(job) * correction(job) : 0;
    if (bw <= 0) return -1;
    double us = latency_us(job);
    /* Rings of several nodes reach a plateau: chunks of at least 64 bytes per rank and channel. */
    bool chunked =
        facts->bytes / (job->graph->channels * facts->nodes * facts->ranks_per_node) >= 64;
    if (job->a == TUNER_RING && job->p == COLL_SIMPLE && facts->nodes > 1 &&
        facts->op == COLL_ALL_REDUCE && chunked)
        us *= job->generation < TUNER_AMPERE ? 1.9 : 1.4;
    us += (double)facts->bytes / (1000 * bw);
    return us < 9e12 ? (int64_t)(us * 1e6 + 0.5) : -1;
}

static const struct tuner_graph *graph_of(const struct tuner_facts *facts, enum tuner_algorithm a)
{
    return in_switch(a) ? &facts->nvls : &facts->graph;
}

bool tuner_choose(const struct tuner_facts *facts, struct tuner_table *table)
{
    int64_t ranks = facts->nodes * facts->ranks_per_node, best_ps = -1;
    bool known = facts->generation < TUNER_GENERATIONS;
    struct job job = {
        .facts = facts,
        .generation = facts->generation,
        .old = facts->version == TUNER_NCCL_2_20,
        .ranks = (double)ranks,
        .nodes = (double)facts->nodes,
        .per_node = (double)facts->ranks_per_node,
        .steps = (double)(facts->op == COLL_ALL_REDUCE ? 2 * (ranks - 1)
                          : gathers(facts)             ? ranks - 1
                                                       : ranks),
        .scale = facts->nodes <= 2 ? (int)facts->nodes - 1 : 2,
    };
    if (job.old && job.generation == TUNER_BLACKWELL) job.generation = TUNER_HOPPER;
    *table = (struct tuner_table){0};
    for (int a = 0; a < TUNER_ALGORITHMS; a++) {
        for (int p = 0; p < COLL_PROTOCOLS; p++) {
            job.a = (enum tuner_algorithm)a;
            job.p = (enum coll_protocol)p;
            job.graph = graph_of(facts, job.a);
            int64_t t_ps = known && ranks > 1 ? time_ps(&job) : -1;
            table->time_ps[a][p] = t_ps;
            if (t_ps < 0 || (best_ps >= 0 && t_ps >= best_ps)) continue;
            best_ps = t_ps;
            table->algorithm = job.a;
            table->protocol = job.p;
        }
    }
    return best_ps >= 0;
}

const char *tuner_algorithm_name(enum tuner_algorithm algorithm)
{
    static const char *const names[TUNER_ALGORITHMS] = {"tree", "ring", "nvls", "nvls_tree", "pat"};
    return names[algorithm];
}
