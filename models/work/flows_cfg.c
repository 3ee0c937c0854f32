/* flows_cfg.c - keys of the workload kind `flows`, the files that they name, and what must fit.
 *
 * Apart from the life of flows. Keys are flat, so that three lines replay a file; each key belongs
 * to some patterns, and is refused with the others rather than ignored. Files are read here, once
 * to check a configuration and once for the run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/work/flows_live.h"

#define AT(member) offsetof(struct flows_cfg, member)
#define AT_ONCE_MAX 4000000 /* flows */

static const char *const pattern_words[] = {"file", "permutation", "incast", "all-to-all",
                                            "ring", "poisson",     NULL};
static const char *const format_words[] = {"hpcc", "htsim", NULL};
static const char *const unit_words[] = {"auto", "s", "ms", "us", "ns", "ps", NULL};
static const char *const between_words[] = {"any", "leaves", NULL};
static const char *const choice_words[] = {"first", "random", NULL};

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    {.key = "pattern",
     .type = SCHEMA_ENUM,
     .offset = AT(pattern),
     .fallback = "file",
     .words = pattern_words,
     .help = "Who sends to whom, and when."},
    {.key = "file",
     .type = SCHEMA_PATH,
     .offset = AT(file),
     .fallback = "",
     .help = "File: the flows."},
    {.key = "format",
     .type = SCHEMA_ENUM,
     .offset = AT(format),
     .fallback = "hpcc",
     .words = format_words,
     .help = "File: hpcc = flow.txt of HPCC (optionally with id and next_id), htsim = connection "
             "matrix (.cm)."},
    {.key = "start_unit",
     .type = SCHEMA_ENUM,
     .offset = AT(start_unit),
     .fallback = "auto",
     .words = unit_words,
     .help = "File: unit of start times; auto = that of the format (hpcc s, htsim ps)."},
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = AT(size_bytes),
     .fallback = "0B",
     .max = "1PB",
     .help =
         "Bytes of a flow (permutation, incast, all-to-all), or that each rank reduces (ring)."},
    {.key = "between",
     .type = SCHEMA_ENUM,
     .offset = AT(between),
     .fallback = "any",
     .words = between_words,
     .help = "Permutation, incast, poisson: leaves = only between endpoints of different edge "
             "switches."},
    {.key = "ranks",
     .type = SCHEMA_COUNT,
     .offset = AT(ranks),
     .fallback = "0",
     .max = "1000000",
     .help = "Endpoints that take part; 0 = all."},
    {.key = "stride",
     .type = SCHEMA_COUNT,
     .offset = AT(stride),
     .fallback = "1",
     .min = "1",
     .max = "1000000",
     .help = "Rank r is endpoint r * stride (beyond the last one, from the next on): with stride = "
             "ports of a node, neighbours are on one rail."},
    {.key = "senders",
     .type = SCHEMA_COUNT,
     .offset = AT(senders),
     .fallback = "0",
     .max = "1000000",
     .help = "Incast: how many send at once; 0 = all others."},
    {.key = "receiver",
     .type = SCHEMA_COUNT,
     .offset = AT(receiver),
     .fallback = "0",
     .max = "1000000",
     .help = "Incast: the rank to which they send."},
    {.key = "choice",
     .type = SCHEMA_ENUM,
     .offset = AT(choice),
     .fallback = "first",
     .words = choice_words,
     .help = "Incast: whether the first ranks send, or random ones."},
    {.key = "concurrent",
     .type = SCHEMA_COUNT,
     .offset = AT(concurrent),
     .fallback = "0",
     .max = "1000000",
     .help = "All-to-all: flows of one sender at a time; 0 = all at once."},
    {.key = "chunk",
     .type = SCHEMA_SIZE,
     .offset = AT(chunk_bytes),
     .fallback = "0B",
     .max = "1PB",
     .help = "Ring: size of the pieces that go round; 0 = size / ranks."},
    {.key = "sizes",
     .type = SCHEMA_PATH,
     .offset = AT(sizes),
     .fallback = "",
     .help = "Poisson: distribution of flow sizes, lines of bytes,cdf_percent."},
    {.key = "load",
     .type = SCHEMA_FRACTION,
     .offset = AT(load),
     .fallback = "0%",
     .max = "200%",
     .help = "Poisson: payload that arrives, as a part of the rate of the endpoints' links."},
    {.key = "duration",
     .type = SCHEMA_TIME,
     .offset = AT(duration_ps),
     .fallback = "0s",
     .max = "1h",
     .help = "Poisson: how long flows arrive; the run ends when all have finished."},
    {.key = "start",
     .type = SCHEMA_TIME,
     .offset = AT(start_ps),
     .fallback = "0s",
     .max = "1h",
     .help = "When it begins; times of a file count from here."},
    {.key = "confirm",
     .type = SCHEMA_BOOL,
     .offset = AT(confirm),
     .fallback = "false",
     .help = "A flow ends when its sender has the last acknowledgement, not when it arrived."},
    {.key = "traffic_class",
     .type = SCHEMA_COUNT,
     .offset = AT(traffic_class),
     .fallback = "0",
     .max = "7",
     .help =
         "Which of network.classes carries the flows, counted from 0. In an hpcc file the column "
         "PG says it for each flow, if the network has several."},
    {.key = "queue_pairs",
     .type = SCHEMA_COUNT,
     .offset = AT(queue_pairs),
     .fallback = "1",
     .min = "1",
     .max = "256",
     .help = "Queue pairs over which each flow is split evenly.",
     .source = "NCCL_IB_QPS_PER_CONNECTION, default 1"},
    {.key = NULL},
};

/* ---- meaning ---------------------------------------------------------------------------------*/

#define BIT(pattern) (1u << (pattern))
#define SIZED (BIT(FLOWS_PERMUTATION) | BIT(FLOWS_INCAST) | BIT(FLOWS_ALL_TO_ALL) | BIT(FLOWS_RING))
#define RANDOM_PEERS (BIT(FLOWS_PERMUTATION) | BIT(FLOWS_INCAST) | BIT(FLOWS_POISSON))

/* C042: a key that its pattern does not use; C043: one that it needs. */
static void check_keys(const struct flows_cfg *cfg, struct schema_check *check)
{
    const struct {
        const char *key;
        bool given;
        unsigned patterns;
        bool needed;
    } keys[] = {
        {"file", *cfg->file, BIT(FLOWS_FILE), true},
        {"format", cfg->format != FLOWS_HPCC, BIT(FLOWS_FILE), false},
        {"start_unit", cfg->start_unit != FLOWS_UNIT_AUTO, BIT(FLOWS_FILE), false},
        {"size", cfg->size_bytes > 0, SIZED, true},
        {"between", cfg->between != FLOWS_ANY, RANDOM_PEERS, false},
        {"ranks", cfg->ranks > 0, SIZED | BIT(FLOWS_POISSON), false},
        {"stride", cfg->stride > 1, SIZED | BIT(FLOWS_POISSON), false},
        {"senders", cfg->senders > 0, BIT(FLOWS_INCAST), false},
        {"receiver", cfg->receiver > 0, BIT(FLOWS_INCAST), false},
        {"choice", cfg->choice != FLOWS_FIRST, BIT(FLOWS_INCAST), false},
        {"concurrent", cfg->concurrent > 0, BIT(FLOWS_ALL_TO_ALL), false},
        {"chunk", cfg->chunk_bytes > 0, BIT(FLOWS_RING), false},
        {"sizes", *cfg->sizes, BIT(FLOWS_POISSON), true},
        {"load", cfg->load > 0, BIT(FLOWS_POISSON), true},
        {"duration", cfg->duration_ps > 0, BIT(FLOWS_POISSON), true},
    };
    for (unsigned k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        bool used = keys[k].patterns & BIT(cfg->pattern);
        if (keys[k].given && !used)
            schema_complain(check, keys[k].key, "C042: pattern '%s' does not use '%s'",
                            pattern_words[cfg->pattern], keys[k].key);
        if (!keys[k].given && used && keys[k].needed)
            schema_complain(check, keys[k].key, "C043: pattern '%s' needs '%s'",
                            pattern_words[cfg->pattern], keys[k].key);
    }
    if (cfg->traffic_class > 0 && cfg->pattern == FLOWS_FILE && cfg->format == FLOWS_HPCC)
        schema_complain(check, "traffic_class",
                        "C042: the column PG of an hpcc file says the class of each flow");
    if (cfg->ranks == 1) schema_complain(check, "ranks", "C044: one rank has no peer");
    if (cfg->ranks > 0 && cfg->receiver >= cfg->ranks)
        schema_complain(check, "receiver", "C044: rank %" PRId64 " of %" PRId64, cfg->receiver,
                        cfg->ranks);
}

static void check(const void *config, struct schema_check *check)
{
    const struct flows_cfg *cfg = config;
    struct err err = {0};
    check_keys(cfg, check);
    flows_check(cfg, NULL, &err);
    const char *key = cfg->pattern == FLOWS_POISSON ? "sizes" : "file";
    for (int e = 0; e < err.count && e < ERR_CAP; e++)
        schema_complain(check, key, "C041: %s", err.messages[e]);
    err_free(&err);
}

const struct schema flows_schema = {
    .name = "flows",
    .help = "Traffic as such: a pattern of flows, or a file of them.",
    .size = sizeof(struct flows_cfg),
    .fields = fields,
    .check = check,
};

/* ---- does it fit the topology? ---------------------------------------------------------------*/

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int32_t edge_of_rank(const struct flows_cfg *cfg, const struct flows_hosts *hosts, int64_t r)
{
    int64_t at = r * cfg->stride;
    return hosts->edge_of[at % hosts->n + at / hosts->n];
}

/* Ranks at the edge switch that has most of them. */
static int64_t largest_edge(const struct flows_cfg *cfg, const struct flows_hosts *hosts)
{
    struct arena scratch = {0};
    int64_t n = flows_live_ranks(cfg, hosts->n), largest = 1, size = 1;
    int32_t *edge = ARENA_ARRAY(&scratch, int32_t, n);
    for (int64_t r = 0; r < n; r++)
        edge[r] = edge_of_rank(cfg, hosts, r);
    qsort(edge, (size_t)n, sizeof *edge, ascending);
    for (int64_t i = 1; i < n; i++) {
        size = edge[i] == edge[i - 1] ? size + 1 : 1;
        if (size > largest) largest = size;
    }
    arena_free(&scratch);
    return largest;
}

/* Ranks that may send to the receiver. */
static int64_t possible_senders(const struct flows_cfg *cfg, const struct flows_hosts *hosts)
{
    int64_t n = flows_live_ranks(cfg, hosts->n), possible = 0;
    if (cfg->between == FLOWS_ANY || !hosts->edge_of) return n - 1;
    for (int64_t r = 0; r < n; r++)
        possible += edge_of_rank(cfg, hosts, r) != edge_of_rank(cfg, hosts, cfg->receiver);
    return possible;
}

/* C046: what starts at once must fit into memory; no chunk without a byte. */
static bool check_amount(const struct flows_cfg *cfg, int64_t n, struct err *err)
{
    int64_t at_once = cfg->concurrent > 0 && cfg->concurrent < n ? cfg->concurrent : n - 1;
    if (cfg->pattern == FLOWS_ALL_TO_ALL && n * at_once > AT_ONCE_MAX)
        return err_key(err, "workload.concurrent",
                       "C046: %" PRId64 " flows at once; allowed: %d (see concurrent)", n * at_once,
                       AT_ONCE_MAX);
    if (cfg->pattern != FLOWS_RING) return true;
    if (cfg->chunk_bytes == 0 && cfg->size_bytes < n)
        return err_key(err, "workload.size", "C046: less than a byte for each of %" PRId64 " ranks",
                       n);
    if (cfg->chunk_bytes > 0 && cfg->size_bytes / cfg->chunk_bytes >= AT_ONCE_MAX)
        return err_key(err, "workload.chunk", "C046: %" PRId64 " chunks at once; allowed: %d",
                       cfg->size_bytes / cfg->chunk_bytes, AT_ONCE_MAX);
    return true;
}

static bool check_hosts(const struct flows_cfg *cfg, const struct flows_hosts *hosts,
                        struct err *err)
{
    int64_t n = flows_live_ranks(cfg, hosts->n);
    if (cfg->traffic_class > 0 && cfg->traffic_class >= hosts->classes)
        return err_key(err, "workload.traffic_class",
                       "C045: traffic_class %" PRId64 ", but the topology has %" PRId64
                       " in network.classes, counted from 0",
                       cfg->traffic_class, hosts->classes > 1 ? hosts->classes : 1);
    if (cfg->pattern == FLOWS_FILE) return true;
    if (n < 2 || n > hosts->n)
        return err_key(err, "workload.ranks",
                       "C045: the workload needs %" PRId64 " endpoints, the topology has %" PRId64,
                       n < 2 ? 2 : n, hosts->n);
    bool wraps = (n - 1) * cfg->stride >= hosts->n;
    if (wraps && hosts->n % cfg->stride != 0)
        return err_key(err, "workload.stride",
                       "C045: %" PRId64 " endpoints cannot be numbered with stride %" PRId64,
                       hosts->n, cfg->stride);
    if (!check_amount(cfg, n, err)) return false;
    if (cfg->pattern == FLOWS_INCAST) {
        if (cfg->receiver >= n)
            return err_key(err, "workload.receiver",
                           "C045: the receiver is rank %" PRId64 " of %" PRId64, cfg->receiver, n);
        int64_t possible = possible_senders(cfg, hosts);
        if (possible == 0 || cfg->senders > possible)
            return err_key(err, "workload.senders",
                           "C045: %" PRId64 " senders, but %" PRId64 " endpoints can send",
                           cfg->senders, possible);
    }
    if (cfg->between == FLOWS_LEAVES && hosts->edge_of) {
        int64_t largest = largest_edge(cfg, hosts);
        bool fits = cfg->pattern != FLOWS_PERMUTATION ? largest < n : 2 * largest <= n;
        if (!fits)
            return err_key(err, "workload.between",
                           "C045: traffic between leaves, but %" PRId64 " of %" PRId64
                           " endpoints are at one",
                           largest, n);
    }
    return true;
}

/* ---- files -----------------------------------------------------------------------------------*/

bool flows_live_load(const struct flows_cfg *cfg, const struct flows_hosts *hosts,
                     struct flows_loaded *loaded, struct arena *arena, struct err *err)
{
    bool poisson = cfg->pattern == FLOWS_POISSON;
    if (hosts && !check_hosts(cfg, hosts, err)) return false;
    if (cfg->pattern != FLOWS_FILE && !poisson) return true;
    struct flows_read *read = ARENA_NEW(arena, struct flows_read);
    *read = (struct flows_read){.file = poisson ? cfg->sizes : cfg->file,
                                .arena = arena,
                                .err = err,
                                .endpoints = hosts ? hosts->n : 0,
                                .unit = cfg->start_unit,
                                .classes = hosts ? hosts->classes : 0,
                                .plan = &loaded->plan};
    if (!*read->file) return true; /* check_keys complains */
    if (!flows_read_open(read)) return false;
    bool htsim = cfg->format == FLOWS_HTSIM, ok;
    if (read->unit == FLOWS_UNIT_AUTO) read->unit = htsim ? FLOWS_PS : FLOWS_S;
    if (poisson) {
        ok = flows_sizes_read(read, &loaded->sizes);
    } else {
        ok = htsim ? flows_read_htsim(read) : flows_read_hpcc(read);
    }
    fclose(read->in);
    return ok;
}

bool flows_check(const struct flows_cfg *cfg, const struct flows_hosts *hosts, struct err *err)
{
    struct arena scratch = {0};
    struct flows_loaded loaded = {0};
    bool ok = flows_live_load(cfg, hosts, &loaded, &scratch, err);
    arena_free(&scratch);
    return ok;
}
