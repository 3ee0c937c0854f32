/* collective_cfg.c - keys of the workload kind `collective` and of a topology's `collectives`. */
#include <inttypes.h>

#include "models/cluster/collective.h"

/* ---- the workload ---------------------------------------------------------------------------- */

#define AT(member) offsetof(struct collective_cfg, member)

static const char *const protocol_words[] = {"auto", "ll", "ll128", "simple", NULL};

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    {.key = "op",
     .type = SCHEMA_ENUM,
     .offset = AT(op),
     .fallback = "all_reduce",
     .words = coll_op_names,
     .help = "The operation."},
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = AT(bytes),
     .min = "1B",
     .max = "1TiB",
     .help = "As nccl-tests counts: the whole buffer of a rank (all_gather: output; "
             "reduce_scatter, all_to_all: input)."},
    {.key = "algorithm",
     .type = SCHEMA_ENUM,
     .offset = AT(algorithm),
     .fallback = "auto",
     .words = coll_words,
     .help = "Who sends what to whom."},
    {.key = "file",
     .type = SCHEMA_PATH,
     .offset = AT(file),
     .fallback = "",
     .help = "An algorithm of MSCCL (XML) instead of a built-in one; says channels and protocol."},
    {.key = "protocol",
     .type = SCHEMA_ENUM,
     .offset = AT(protocol),
     .fallback = "auto",
     .words = protocol_words,
     .help =
         "How data are handed over: ll = a flag beside every 4 bytes, ll128 = beside every 120, "
         "simple = a fence."},
    {.key = "channels",
     .type = SCHEMA_COUNT,
     .offset = AT(channels),
     .fallback = "0",
     .max = "64",
     .help = "Parallel instances, each with its share of the data; 0 = collectives.channels, fewer "
             "for small sizes."},
    {.key = "chunk",
     .type = SCHEMA_SIZE,
     .offset = AT(chunk_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "Longest chunk; 0 = collectives.chunk."},
    {.key = "slices",
     .type = SCHEMA_COUNT,
     .offset = AT(slices),
     .fallback = "0",
     .max = "32",
     .help = "Messages of a chunk, one behind the other; 0 = 2 for long chunks, else 1."},
    {.key = "ranks",
     .type = SCHEMA_COUNT,
     .offset = AT(ranks),
     .fallback = "0",
     .max = "1000000",
     .help = "GPUs that take part, from the first on; 0 = all."},
    {.key = "root",
     .type = SCHEMA_COUNT,
     .offset = AT(root),
     .fallback = "0",
     .max = "1000000",
     .help = "Broadcast: the rank that has the data."},
    {.key = NULL},
};

/* C048: a file leaves no choice. C050: the root must be one of the ranks. */
static void check(const void *config, struct schema_check *check)
{
    const struct collective_cfg *cfg = config;
    struct err err = {0};
    if (collective_has_file(cfg)) collective_file_check(cfg, 0, &err);
    for (int e = 0; e < err.count && e < ERR_CAP; e++)
        schema_complain(check, "file", "C048: %s", err.messages[e]);
    err_free(&err);
    if (collective_has_file(cfg) && cfg->algorithm > 0)
        schema_complain(check, "algorithm", "C048: the file is the algorithm");
    if (collective_has_file(cfg) && (cfg->channels > 0 || cfg->slices > 0))
        schema_complain(check, cfg->channels > 0 ? "channels" : "slices",
                        "C048: the file says how many there are");
    if (cfg->root > 0 && cfg->op != COLL_BROADCAST)
        schema_complain(check, "root", "C050: only a broadcast has a root");
    if (cfg->ranks > 0 && cfg->root >= cfg->ranks)
        schema_complain(check, "root", "C050: rank %" PRId64 " of %" PRId64, cfg->root, cfg->ranks);
}

const struct schema collective_schema = {
    .name = "collective",
    .help = "One collective over the GPUs of the cluster, as nccl-tests runs it.",
    .size = sizeof(struct collective_cfg),
    .fields = fields,
    .check = check,
};

/* ---- what cannot run ------------------------------------------------------------------------- */

/* "ring, tree": the algorithms that can do an operation, NVSwitches that reduce or not. */
static const char *able(enum coll_op op, struct arena *arena)
{
    const char *names = "";
    for (int i = 0; coll_list[i]; i++)
        if (coll_list[i]->can & COLL_BIT(op))
            names = arena_printf(arena, "%s%s%s", names, *names ? ", " : "", coll_names[i]);
    return names;
}

/* Algorithms that NCCL has, and those with agents, which are of its kind, may be of Simple only. */
static bool has_pair(const struct coll_plan *plan, int algorithm, enum coll_protocol protocol)
{
    for (int a = 0; a < TUNER_ALGORITHMS; a++)
        if (coll_find(tuner_algorithm_name((enum tuner_algorithm)a)) == algorithm)
            return tuner_has_pair((enum tuner_algorithm)a, protocol);
    return plan->agents == 0 || protocol == COLL_SIMPLE;
}

/* C121, C123: NVSwitches have to be able to add, each the same number of ranks; C056: switches of
 * the packet fabric cannot. */
static bool check_agents(const struct coll_plan *plan, const char *name,
                         const struct collective_place *place, struct err *err)
{
    if (plan->agents == 0) return true;
    bool leaf = plan->ops->seat(plan, 0).place == COLL_IN_LEAF;
    if (leaf && place->packets)
        return err_key(err, "workload.algorithm",
                       "C056: algorithm %s adds in switches: only with network.model: flow", name);
    if (!leaf && !place->device->in_switch_reduction)
        return err_key(err, "workload.algorithm",
                       "C121: algorithm %s adds in NVSwitches; those of these accelerators cannot "
                       "(node.device.in_switch_reduction)",
                       name);
    if (!leaf && plan->ask.ranks > place->domain && plan->ask.local < place->domain)
        return err_key(err, "workload.algorithm",
                       "C123: algorithm %s: %d ranks do not fill NVLink domains of %" PRId64, name,
                       (int)plan->ask.ranks, place->domain);
    return true;
}

/* C055: the algorithm asked for can do that; C122: with that protocol. */
static bool check_algorithm(const struct collective_cfg *cfg, const struct collective_place *place,
                            const struct coll_ask *ask, struct err *err)
{
    const int algorithm = cfg->algorithm - 1;
    const char *name = coll_names[algorithm];
    int protocol = (cfg->protocol ? cfg->protocol : place->facts->protocol) - 1;
    struct arena arena = {0};
    struct coll_plan plan;
    bool ok = true;
    const char *wrong = coll_plan(&plan, coll_list[algorithm], ask, &arena);
    if (wrong)
        ok = err_key(err, "workload.algorithm", "C055: algorithm %s: %s%s", name, wrong,
                     coll_list[algorithm]->can & COLL_BIT(ask->op)
                         ? ""
                         : arena_printf(&arena, "; those that can: %s", able(ask->op, &arena)));
    else if (protocol >= 0 && !has_pair(&plan, algorithm, (enum coll_protocol)protocol))
        ok = err_key(err, cfg->protocol ? "workload.protocol" : "collectives.protocol",
                     "C122: algorithm %s has no protocol %s, only simple", name,
                     coll_protocol_names[protocol]);
    else
        ok = check_agents(&plan, name, place, err);
    arena_free(&arena);
    return ok;
}

bool collective_check(const struct collective_cfg *cfg, const struct collective_place *place,
                      struct err *err)
{
    int64_t ranks = cfg->ranks ? cfg->ranks : place->gpus, domain = place->domain;
    if (ranks > place->gpus)
        return err_key(err, "workload.ranks",
                       "C051: the workload needs %" PRId64 " GPUs, the topology has %" PRId64,
                       ranks, place->gpus);
    if (cfg->root >= ranks)
        return err_key(err, "workload.root", "C050: root %" PRId64 " of %" PRId64 " ranks",
                       cfg->root, ranks);
    if (collective_has_file(cfg)) return collective_file_check(cfg, ranks, err);
    const struct coll_ask most = {.op = (enum coll_op)cfg->op,
                                  .bytes = cfg->bytes,
                                  .ranks = (int32_t)ranks,
                                  .channels = cfg->channels > 0 ? (int32_t)cfg->channels : 1,
                                  .slices = cfg->slices > 0 ? (int32_t)cfg->slices : 1,
                                  .chunk_bytes = cfg->chunk_bytes > 0 ? cfg->chunk_bytes
                                                                      : place->facts->chunk_bytes};
    if (!coll_countable(&most))
        return err_key(err, "workload.chunk",
                       "C140: a channel may have more than 2^31 messages; give longer chunks");
    if (cfg->algorithm == 0) return true;
    const struct coll_ask ask = {
        .op = (enum coll_op)cfg->op,
        .bytes = cfg->bytes,
        .ranks = (int32_t)ranks,
        .local = (int32_t)(ranks < domain ? ranks : collective_divisor(domain, ranks % domain)),
        .channels = 1,
        .slices = 1};
    return check_algorithm(cfg, place, &ask, err);
}

/* ---- facts of the software ------------------------------------------------------------------- */

#define NCCL_SOURCE "NCCL 2.30.7, src/graph/tuning.cc, ring"

#define NCCL_CHANNEL_SOURCE                                                                        \
    "NCCL, the same, Hopper: llMaxBws 141 GB/s by 16 channels, perChMaxRingLL128Bws, "             \
    "perChMaxTreeBws, perChMaxNVLSTreeBws"

#define COST_FIELDS(launch, nvlink, net, channel)                                                  \
    {.key = "launch",                                                                              \
     .type = SCHEMA_TIME,                                                                          \
     .offset = offsetof(struct collective_cost, launch_ps),                                        \
     .fallback = launch,                                                                           \
     .max = "1s",                                                                                  \
     .help = "From the call to the first step.",                                                   \
     .source = NCCL_SOURCE},                                                                       \
        {.key = "nvlink",                                                                          \
         .type = SCHEMA_TIME,                                                                      \
         .offset = offsetof(struct collective_cost, nvlink_ps),                                    \
         .fallback = nvlink,                                                                       \
         .max = "1s",                                                                              \
         .help = "Of a message by NVLink, beyond what the link takes.",                            \
         .source = NCCL_SOURCE},                                                                   \
        {.key = "net",                                                                             \
         .type = SCHEMA_TIME,                                                                      \
         .offset = offsetof(struct collective_cost, net_ps),                                       \
         .fallback = net,                                                                          \
         .max = "1s",                                                                              \
         .help = "Of a message by the network, beyond what NICs and switches take.",               \
         .source = NCCL_SOURCE},                                                                   \
        {.key = "channel_rate",                                                                    \
         .type = SCHEMA_RATE,                                                                      \
         .offset = offsetof(struct collective_cost, channel_bps),                                  \
         .fallback = channel,                                                                      \
         .max = "1000Tbps",                                                                        \
         .help = "What a channel moves at most: its blocks' time of a message (rings, trees, "     \
                 "NVLS; up "                                                                       \
                 "and down a tree have half each); 0 = no limit.",                                 \
         .source = NCCL_CHANNEL_SOURCE},                                                           \
    {                                                                                              \
        .key = NULL                                                                                \
    }

static const struct schema_field ll_fields[] = {COST_FIELDS("6.6us", "0.6us", "2.7us", "8.8GBps")};
static const struct schema_field ll128_fields[] = {COST_FIELDS("14us", "1.9us", "4us", "36.7GBps")};
static const struct schema_field simple_fields[] = {
    COST_FIELDS("8.4us", "3.4us", "14us", "41.4GBps")};
static const struct schema_field in_switch_fields[] = {
    COST_FIELDS("25us", "0s", "20.9us", "57.7GBps")};

#define COST_SCHEMA(which, text)                                                                   \
    static const struct schema which##_schema = {.name = #which,                                   \
                                                 .help = text,                                     \
                                                 .size = sizeof(struct collective_cost),           \
                                                 .fields = which##_fields}
#define LL_HELP "Software time of protocol LL."
#define LL128_HELP "Software time of protocol LL128."
#define SIMPLE_HELP "Software time of protocol Simple."
#define IN_SWITCH_HELP "Software time of reductions inside switches (NVLS, NVLSTree)."
COST_SCHEMA(ll, LL_HELP);
COST_SCHEMA(ll128, LL128_HELP);
COST_SCHEMA(simple, SIMPLE_HELP);
COST_SCHEMA(in_switch, IN_SWITCH_HELP);

#define FACT(member) offsetof(struct collective_facts, member)
#define COST_SECTION(which, text, at)                                                              \
    {                                                                                              \
        .key = #which, .type = SCHEMA_SECTION, .offset = at, .section = &which##_schema,           \
        .help = text                                                                               \
    }

static const char *const version_words[] = {"2.30", "2.20", NULL}; /* enum tuner_version */

static const struct schema_field facts_fields[] = {
    COST_SECTION(ll, LL_HELP, FACT(cost[COLL_LL])),
    COST_SECTION(ll128, LL128_HELP, FACT(cost[COLL_LL128])),
    COST_SECTION(simple, SIMPLE_HELP, FACT(cost[COLL_SIMPLE])),
    COST_SECTION(in_switch, IN_SWITCH_HELP, FACT(in_switch)),
    {.key = "slots",
     .type = SCHEMA_COUNT,
     .offset = FACT(slots),
     .fallback = "8",
     .min = "1",
     .max = "64",
     .help = "Messages that a rank may have sent to another before that one takes them in.",
     .source = "NCCL_STEPS"},
    {.key = "channels",
     .type = SCHEMA_COUNT,
     .offset = FACT(channels),
     .fallback = "0",
     .max = "64",
     .help = "Channels of large collectives; 0 = two per GPU of a node."},
    {.key = "chunk",
     .type = SCHEMA_SIZE,
     .offset = FACT(chunk_bytes),
     .fallback = "2MiB",
     .min = "1B",
     .max = "1TiB",
     .help = "Longest chunk that a rank sends before it goes on to the next step.",
     .source = "NCCL_BUFFSIZE 4 MiB, of which a ring's chunk is half"},
    {.key = "nvls_chunk",
     .type = SCHEMA_SIZE,
     .offset = FACT(nvls_chunk_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "The same of reductions inside switches, and what they go by for less data; 0 = "
             "128KiB, 64KiB over four domains and more.",
     .source = "NCCL_NVLS_CHUNKSIZE, NCCL_NVLSTREE_MAX_CHUNKSIZE"},
    {.key = "nic_latency",
     .type = SCHEMA_TIME,
     .offset = FACT(nic_ps),
     .fallback = "0s",
     .max = "1s",
     .help = "Of a message by the network, by every protocol, beyond the protocol's own net time: "
             "what the NIC and its driver take.",
     .source = "NCCL's name is latencyInter; its own figures are of InfiniBand"},
    {.key = "nic_latency_told",
     .type = SCHEMA_TIME,
     .offset = FACT(nic_told_ps),
     .fallback = "0s",
     .max = "1s",
     .help = "What the network's plugin tells NCCL instead, which goes by it when it chooses an "
             "algorithm; 0 = nic_latency."},
    {.key = "nccl",
     .type = SCHEMA_ENUM,
     .offset = FACT(version),
     .fallback = "2.30",
     .words = version_words,
     .help = "Whose tuner chooses algorithm and protocol: versions of NCCL differ in what they "
             "take a ring's hops between nodes to cost.",
     .source = "NVIDIA/nccl, src/graph/tuning.cc, 2.30.7 and 2.20.5"},
    {.key = "cpu",
     .type = SCHEMA_ENUM,
     .offset = FACT(cpu),
     .fallback = "intel",
     .words = device_cpus,
     .help = "The hosts' processors, which the tuner goes by: AMD's take longer for a message to "
             "the network.",
     .source = "NCCL, src/graph/tuning.cc: netOverhead, llMaxBws, NVLSTree on Grace"},
    {.key = "protocol",
     .type = SCHEMA_ENUM,
     .offset = FACT(protocol),
     .fallback = "auto",
     .words = protocol_words,
     .help = "The only protocol, unless the workload names one; auto = all.",
     .source = "NCCL_PROTO, which plugins of networks set that do not keep order inside 128 bytes"},
    {.key = "ll_share",
     .type = SCHEMA_SIZE,
     .offset = FACT(share_bytes[COLL_LL]),
     .fallback = "8KiB",
     .min = "1B",
     .max = "1TiB",
     .help = "Protocol LL: fewer channels work than there are, if one had less than this.",
     .source = "assumed: as LL128; NCCL allows 4 KiB. Seen with 64 KiB on aws-p5 in view"},
    {.key = "ll128_share",
     .type = SCHEMA_SIZE,
     .offset = FACT(share_bytes[COLL_LL128]),
     .fallback = "8KiB",
     .min = "1B",
     .max = "1TiB",
     .help = "The same for LL128.",
     .source = "NCCL src/enqueue.cc, MinTrafficPerChannel: 16 KiB of an all-reduce's traffic"},
    {.key = "simple_share",
     .type = SCHEMA_SIZE,
     .offset = FACT(share_bytes[COLL_SIMPLE]),
     .fallback = "32KiB",
     .min = "1B",
     .max = "1TiB",
     .help = "The same for Simple.",
     .source = "NCCL: 64 bytes for each of 512 threads"},
    {.key = "ll_bytes",
     .type = SCHEMA_SIZE,
     .offset = FACT(ll_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "Where NCCL's tuner does not choose: protocol LL up to so many bytes per rank."},
    {.key = "ll128_bytes",
     .type = SCHEMA_SIZE,
     .offset = FACT(ll128_bytes),
     .fallback = "0B",
     .max = "1TiB",
     .help = "The same for LL128, above ll_bytes.",
     .source = "RCCL, src/graph/tuning.cc, llProtoRanges"},
    {.key = NULL},
};

const struct schema collective_facts_schema = {
    .name = "collectives",
    .help = "What the collectives' software takes beside the links.",
    .size = sizeof(struct collective_facts),
    .fields = facts_fields,
};
