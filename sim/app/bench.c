/* bench.c - `railsim bench`: what a packet-hop, a message, a training run costs on this machine.
 *
 * The one idea: each case is a shipped topology and workload, run in a process of its own several
 * times; medians of CPU time of the run phase, and peak memory. A loop of dependent loads says how
 * fast the machine is, so that figures of two machines compare.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim/app/cli.h"
#include "sim/app/point.h"
#include "sim/app/verbs.h"
#include "sim/app/worker.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

#define RUNS_MAX 25

struct bench_case {
    const char *name, *topology, *workload;
    const char *sets[4];
    int set_n;
};

/* PFC + ECN + DCQCN, one acknowledgement per data packet, 4096 B, 500 ns links: as shipped. */
static const struct bench_case cases[] = {
    {"permutation 10 MB, 128 hosts",
     "topologies/leaf-spine-128.yaml",
     "workloads/permutation.yaml",
     {"network.model=packet"},
     1},
    {"permutation 10 MB, 1024 hosts",
     "topologies/leaf-spine-1024.yaml",
     "workloads/permutation.yaml",
     {"network.model=packet"},
     1},
    {"ring all-reduce 64 MB, 32 ranks",
     "topologies/leaf-spine-128.yaml",
     "workloads/ring.yaml",
     {"network.model=packet"},
     1},
    {"incast 64:1 of 1 MB",
     "topologies/leaf-spine-128.yaml",
     "workloads/incast.yaml",
     {"network.model=packet"},
     1},
    {"ResNet-50, storage at 20 ms",
     "topologies/remote-storage.yaml",
     "workloads/resnet50.yaml",
     {"wan.rtt=20ms"},
     1},
    {"all-to-all 1 MB at once, 512 ranks",
     "topologies/gmo-4su.yaml",
     "workloads/alltoall.yaml",
     {"network.model=flow", "workload.ranks=512", "workload.concurrent=0"},
     3},
    {"ring all-reduce 1 GiB, 1024 ranks",
     "topologies/gmo-64su.yaml",
     "workloads/all-reduce.yaml",
     {"workload.ranks=1024", "workload.algorithm=ring", "workload.channels=1", "workload.slices=1"},
     4},
    {"hierarchical 1 GiB, 16384 ranks",
     "topologies/gmo-64su.yaml",
     "workloads/all-reduce.yaml",
     {"workload.algorithm=hierarchical", "workload.channels=1"},
     2},
    {"Llama2-70B LoRA step, 8 GPUs",
     "topologies/dgx-h100-ndr.yaml",
     "workloads/llama2-70b-lora-step.yaml",
     {0},
     0},
    {"Llama2-70B full step, 768 GPUs",
     "topologies/gmo-3su.yaml",
     "workloads/llama2-70b-fsdp.yaml",
     {0},
     0},
};
#define CASES ((int64_t)(sizeof(cases) / sizeof(cases[0])))

struct bench {
    int64_t runs;
    bool json;
    struct point_config config[CASES];
    struct {
        double cpu_s[RUNS_MAX], messages;
        int64_t n, events, data_hops, peak_bytes;
    } result[CASES];
    struct err err;
};

static const struct cli_option options[] = {
    {"runs", 'n', CLI_COUNT, offsetof(struct bench, runs), "N", "runs of each case (default 3)"},
    {"json", 0, CLI_FLAG, offsetof(struct bench, json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "bench",
    .args = "",
    .help = "Measures packet-hops, messages and events per CPU-second, and memory.",
    .example = "railsim bench\nrailsim bench --runs 9",
    .arg_min = 0,
    .arg_max = 0,
    .options = options,
};

static void work(void *self, int64_t index, struct record *record)
{
    const struct bench *bench = self;
    const struct sim_limits limits = {0};
    point_run(&bench->config[index % CASES], CLI_SEED_DEFAULT, &limits, record);
}

static bool done(void *self, const struct worker_result *result)
{
    struct bench *bench = self;
    int64_t at = result->index % CASES;
    const struct record *record = result->record;
    if (strcmp(record->status, sim_stop_name(SIM_DONE)) != 0)
        return err_add(&bench->err, (struct err_pos){0}, "%s: %s: %s", cases[at].name,
                       record->status, record->message);
    bench->result[at].cpu_s[bench->result[at].n++] = record->run_cpu_s;
    bench->result[at].events = record->events;
    bench->result[at].data_hops = record->data_hops;
    if (!record_find(record, "collective", "messages", &bench->result[at].messages))
        record_find(record, "flows", "done", &bench->result[at].messages);
    if (record->peak_rss_bytes > bench->result[at].peak_bytes)
        bench->result[at].peak_bytes = record->peak_rss_bytes;
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* machine_ns returns the time of one step through a random cycle over 1 MiB: what a miss of the
 * first-level cache costs, which is what bounds an event loop. */
static double machine_ns(struct arena *arena)
{
    enum { CELLS = 1 << 14, STEPS = 1 << 22, LINE = 16 };
    uint32_t *cell = ARENA_ARRAY(arena, uint32_t, CELLS * LINE);
    uint32_t at = 0;
    for (uint32_t i = 0; i < CELLS; i++) /* a full cycle: x -> 5 x + 1 mod 2^14 */
        cell[i * LINE] = (5 * i + 1) % CELLS * LINE;
    double start_s = cpu_s();
    for (int i = 0; i < STEPS; i++)
        at = cell[at];
    return (cpu_s() - start_s + at * 1e-30) * 1e9 / STEPS;
}

static void print_text(struct bench *bench, double miss_ns)
{
    printf("%-34s %12s %12s %12s %10s %10s %10s\n", "case (median)", "events/s", "data-hops/s",
           "messages/s", "ns/event", "CPU s", "peak MB");
    for (int64_t i = 0; i < CASES; i++) {
        double median_s = bench->result[i].cpu_s[bench->result[i].n / 2];
        double events = (double)bench->result[i].events, hops = (double)bench->result[i].data_hops;
        printf("%-34s %10.2f M %10.2f M %10.2f M %10.1f %10.4f %10.1f\n", cases[i].name,
               events / median_s * 1e-6, hops / median_s * 1e-6,
               bench->result[i].messages / median_s * 1e-6, median_s / events * 1e9, median_s,
               (double)bench->result[i].peak_bytes * 1e-6);
    }
    printf("machine: %.2f ns per dependent load from 1 MiB\n", miss_ns);
}

static void print_json(struct bench *bench, double miss_ns)
{
    struct json json = {.out = stdout};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_double(&json, "machine_load_ns", miss_ns);
    json_array(&json, "cases");
    for (int64_t i = 0; i < CASES; i++) {
        double median_s = bench->result[i].cpu_s[bench->result[i].n / 2];
        json_object(&json, NULL);
        json_string(&json, "name", cases[i].name);
        json_int(&json, "events", bench->result[i].events);
        json_int(&json, "data_hops", bench->result[i].data_hops);
        json_double(&json, "run_cpu_s", median_s);
        json_double(&json, "data_hops_per_cpu_s", (double)bench->result[i].data_hops / median_s);
        json_double(&json, "messages_per_cpu_s", bench->result[i].messages / median_s);
        json_int(&json, "peak_rss_bytes", bench->result[i].peak_bytes);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
}

static int run(struct bench *bench, struct arena *arena)
{
    if (bench->runs < 1 || bench->runs > RUNS_MAX) {
        err_add(&bench->err, (struct err_pos){0}, "--runs: 1 to %d", RUNS_MAX);
        return cli_report(&bench->err, bench->json);
    }
    for (int64_t i = 0; i < CASES; i++) {
        const struct point point = {.topology = cases[i].topology,
                                    .workload = cases[i].workload,
                                    .sets = cases[i].sets,
                                    .set_n = cases[i].set_n,
                                    .seed = CLI_SEED_DEFAULT};
        if (!point_load(arena, &point, &bench->config[i], &bench->err))
            return cli_report(&bench->err, bench->json);
    }
    const struct worker_plan plan = {
        .n = CASES * bench->runs, .jobs = 1, .self = bench, .work = work, .done = done};
    int stopped = worker_run(&plan, &bench->err);
    if (stopped > 0) return cli_interrupted(stopped, bench->json);
    if (bench->err.count) return cli_report(&bench->err, bench->json);
    for (int64_t i = 0; i < CASES; i++)
        qsort(bench->result[i].cpu_s, (size_t)bench->result[i].n, sizeof(double), by_size);
    double miss_ns = machine_ns(arena);
    if (bench->json)
        print_json(bench, miss_ns);
    else
        print_text(bench, miss_ns);
    return CLI_OK;
}

int bench_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct bench bench = {.runs = 3};
    int code = cli_parse(&verb, &line, &arena, &bench);
    if (code == CLI_GO) code = run(&bench, &arena);
    err_free(&bench.err);
    arena_free(&arena);
    return code;
}
