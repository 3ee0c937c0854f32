/* collective.c - `railsim collective`: nccl-tests' table, simulated.
 *
 * The one idea: nothing of its own: each line is a point (workloads/all-reduce.yaml with overrides)
 * as `railsim run` would simulate it, so that every number can be had by run and sweep as well.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/point.h"
#include "sim/app/verbs.h"
#include "sim/app/worker.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

#define WORKLOAD "workloads/all-reduce.yaml"
#define SIZES_MAX 64

struct collective_cli {
    const char *topology;
    const char *op, *algorithm, *protocol, *channels, *slices, *ranks, *fabric;
    int64_t bytes, from_bytes, to_bytes, factor;
    struct cli_texts sets;
    uint64_t seed;
    struct sim_limits limits;
    bool json;
    int64_t size[SIZES_MAX], size_n;
    struct point_config config[SIZES_MAX];
    struct json out;
    struct err err;
    bool failed, begun;
};

#define AT(member) offsetof(struct collective_cli, member)
static const struct cli_option options[] = {
    {"op", 0, CLI_TEXT, AT(op), "OP",
     "all_reduce all_gather reduce_scatter broadcast all_to_all send_recv"},
    {"algorithm", 0, CLI_TEXT, AT(algorithm), "NAME",
     "of `railsim list collectives`, auto (default), or FILE.xml of MSCCL"},
    {"protocol", 0, CLI_TEXT, AT(protocol), "NAME", "ll, ll128, simple or auto (default)"},
    {"channels", 0, CLI_TEXT, AT(channels), "N", "parallel instances (default: as the size asks)"},
    {"slices", 0, CLI_TEXT, AT(slices), "N", "messages of a chunk (default: as the size asks)"},
    {"ranks", 0, CLI_TEXT, AT(ranks), "N", "GPUs that take part (default: all)"},
    {"bytes", 'b', CLI_SIZE, AT(bytes), "SIZE", "one size (default 1GiB)"},
    {"from", 0, CLI_SIZE, AT(from_bytes), "SIZE", "first size (default 8B, if --to is given)"},
    {"to", 0, CLI_SIZE, AT(to_bytes), "SIZE", "last size"},
    {"factor", 0, CLI_COUNT, AT(factor), "N", "from size to size (default 2)"},
    {"fabric", 0, CLI_TEXT, AT(fabric), "flow|packet", "how the network is simulated"},
    {"set", 0, CLI_TEXTS, AT(sets), "KEY=VALUE", "override a value of the topology"},
    {"seed", 0, CLI_SEED, AT(seed), "N", "random seed (default 1)"},
    {"max-events", 0, CLI_COUNT, AT(limits.max_events), "N", "stop a size after N events"},
    {"max-wall", 0, CLI_TIME, AT(limits.max_wall_ps), "TIME", "stop a size after this time"},
    {"json", 0, CLI_FLAG, AT(json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "collective",
    .args = "TOPOLOGY [--op OP] [--bytes SIZE | --from SIZE --to SIZE]",
    .help = "Simulates collectives by size and prints nccl-tests' table.",
    .example = "railsim collective topologies/gmo-1su.yaml --op all_reduce --from 1MiB --to 1GiB",
    .arg_min = 1,
    .arg_max = 1,
    .options = options,
};

/* ---- points ---------------------------------------------------------------------------------- */

static bool make_sizes(struct collective_cli *cli)
{
    const struct err_pos nowhere = {0};
    bool range = cli->from_bytes >= 0 || cli->to_bytes >= 0;
    if (range && cli->bytes >= 0)
        return err_add(&cli->err, nowhere, "--bytes is one size, --from and --to are several");
    if (cli->factor < 2) return err_add(&cli->err, nowhere, "--factor: 2 or more");
    int64_t from = range ? cli->from_bytes : cli->bytes, to = range ? cli->to_bytes : cli->bytes;
    if (range && to < 0)
        return err_add(&cli->err, nowhere,
                       "--to is missing: --from is the first of several sizes, --to the last "
                       "(--bytes is one size)");
    if (range && from < 0) from = 8;
    if (!range && from < 0) from = to = INT64_C(1) << 30;
    if (from == 0)
        return err_add(&cli->err, nowhere, "%s: at least 1B", range ? "--from" : "--bytes");
    if (to < from) return err_add(&cli->err, nowhere, "--to must be at least --from");
    for (int64_t size = from; size <= to; size *= cli->factor) {
        if (cli->size_n == SIZES_MAX)
            return err_add(&cli->err, nowhere, "more than %d sizes", SIZES_MAX);
        cli->size[cli->size_n++] = size;
        if (size > to / cli->factor) break;
    }
    return true;
}

/* An algorithm that is no name, but a file of MSCCL. */
static bool is_file(const char *algorithm)
{
    size_t len = algorithm ? strlen(algorithm) : 0;
    return len > 4 && strcmp(algorithm + len - 4, ".xml") == 0;
}

/* make_sets gives a point the overrides of one size: the options as keys of the workload, then the
 * user's --set. */
static void make_sets(const struct collective_cli *cli, int64_t size, struct arena *arena,
                      struct point *point)
{
    const char *first = cli->to_bytes < 0 ? "--bytes" : "--from";
    const struct {
        const char *option, *key, *value;
    } given[] = {
        {size == cli->size[0] ? first : "--to", "workload.size",
         arena_printf(arena, "%" PRId64 "B", size)},
        {"--fabric", "network.model", cli->fabric},
        {"--op", "workload.op", cli->op},
        {"--algorithm", is_file(cli->algorithm) ? "workload.file" : "workload.algorithm",
         cli->algorithm},
        {"--protocol", "workload.protocol", cli->protocol},
        {"--channels", "workload.channels", cli->channels},
        {"--slices", "workload.slices", cli->slices},
        {"--ranks", "workload.ranks", cli->ranks},
    };
    const int given_n = (int)(sizeof given / sizeof *given);
    const char **sets = ARENA_ARRAY(arena, const char *, given_n + cli->sets.n);
    const char **typed = ARENA_ARRAY(arena, const char *, given_n + cli->sets.n);
    int n = 0;
    for (int i = 0; i < given_n; i++) {
        if (!given[i].value) continue;
        typed[n] = given[i].option;
        sets[n++] = arena_printf(arena, "%s=%s", given[i].key, given[i].value);
    }
    for (int i = 0; i < cli->sets.n; i++)
        sets[n++] = cli->sets.text[i];
    point->sets = sets;
    point->options = typed;
    point->set_n = n;
}

static bool load(struct collective_cli *cli, struct arena *arena)
{
    for (int64_t i = 0; i < cli->size_n; i++) {
        struct point point = {.topology = cli->topology, .workload = WORKLOAD, .seed = cli->seed};
        make_sets(cli, cli->size[i], arena, &point);
        if (!point_load(arena, &point, &cli->config[i], &cli->err)) return false;
    }
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static double metric(const struct record *record, const char *entity, const char *name)
{
    double value = 0;
    record_find(record, entity, name, &value);
    return value;
}

/* Word i (0, 1, 2) of the phase's name: operation, algorithm, protocol. */
static const char *word(const struct record *record, int i, char *buf, size_t size)
{
    const char *at = record->phase_n > 0 ? record->phases[0].name : "";
    for (; i > 0 && *at; i--)
        at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' ');
    snprintf(buf, size, "%.*s", (int)strcspn(at, " "), at);
    return buf;
}

/* What was moved: an all-to-all of fewer bytes than ranks rounds down, as nccl-tests do. */
static int64_t size_of(const struct collective_cli *cli, const struct worker_result *result)
{
    double moved;
    return record_find(result->record, "collective", "size", &moved) ? (int64_t)moved
                                                                     : cli->size[result->index];
}

static void print_line(struct collective_cli *cli, int64_t size, const struct record *record)
{
    char algorithm[64], protocol[64];
    if (!cli->begun)
        printf("%14s %12s %12s %12s  %-12s %-8s %12s\n", "size", "time(us)", "algbw(GB/s)",
               "busbw(GB/s)", "algorithm", "protocol", "messages");
    cli->begun = true;
    printf("%14" PRId64 " %12.2f %12.3f %12.3f  %-12s %-8s %12.0f\n", size,
           metric(record, "run", "time_s") * 1e6, metric(record, "run", "algbw") * 1e-9,
           metric(record, "run", "busbw") * 1e-9, word(record, 1, algorithm, sizeof algorithm),
           word(record, 2, protocol, sizeof protocol), metric(record, "collective", "messages"));
    fflush(stdout);
}

static void print_json(struct collective_cli *cli, int64_t size, const struct record *record)
{
    char text[64];
    struct json *json = &cli->out;
    if (!cli->begun) {
        json_object(json, NULL);
        json_int(json, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_array(json, "sizes");
    }
    cli->begun = true;
    json_object(json, NULL);
    json_int(json, "bytes", size);
    json_string(json, "status", record->status);
    json_string(json, "message", record->message);
    json_string(json, "op", word(record, 0, text, sizeof text));
    json_string(json, "algorithm", word(record, 1, text, sizeof text));
    json_string(json, "protocol", word(record, 2, text, sizeof text));
    json_double(json, "time_s", metric(record, "run", "time_s"));
    json_double(json, "algbw_Bps", metric(record, "run", "algbw"));
    json_double(json, "busbw_Bps", metric(record, "run", "busbw"));
    json_double(json, "messages", metric(record, "collective", "messages"));
    json_int(json, "events", record->events);
    json_double(json, "run_cpu_s", record->run_cpu_s);
    json_int(json, "peak_rss_bytes", record->peak_rss_bytes);
    json_end(json, '}');
}

static void work(void *self, int64_t index, struct record *record)
{
    const struct collective_cli *cli = self;
    point_run(&cli->config[index], cli->seed, &cli->limits, record);
}

static bool done(void *self, const struct worker_result *result)
{
    struct collective_cli *cli = self;
    const struct record *record = result->record;
    bool ok = strcmp(record->status, sim_stop_name(SIM_DONE)) == 0;
    if (cli->json)
        print_json(cli, size_of(cli, result), record);
    else if (ok)
        print_line(cli, size_of(cli, result), record);
    if (!ok)
        fprintf(stderr, "%s: %s: %s\n", cli->config[result->index].label, record->status,
                record->message);
    cli->failed |= !ok;
    return true;
}

static int run(struct collective_cli *cli, struct arena *arena)
{
    if (!make_sizes(cli) || !load(cli, arena)) return cli_report(&cli->err, cli->json);
    const struct worker_plan plan = {
        .n = cli->size_n, .jobs = 1, .self = cli, .work = work, .done = done};
    int stopped = worker_run(&plan, &cli->err);
    if (cli->json && cli->begun) {
        json_end(&cli->out, ']');
        json_end(&cli->out, '}');
    }
    if (cli->err.count) return cli_report(&cli->err, cli->json && !cli->begun);
    if (stopped > 0) return cli_interrupted(stopped, cli->json && !cli->begun);
    return cli->failed ? CLI_FAILED : CLI_OK;
}

int collective_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct collective_cli cli = {.bytes = -1,
                                 .from_bytes = -1,
                                 .to_bytes = -1,
                                 .factor = 2,
                                 .seed = CLI_SEED_DEFAULT,
                                 .out = {.out = stdout}};
    int code = cli_parse(&verb, &line, &arena, &cli);
    if (code == CLI_GO) {
        cli.topology = line.args.text[0];
        code = run(&cli, &arena);
    }
    err_free(&cli.err);
    arena_free(&arena);
    return code;
}
