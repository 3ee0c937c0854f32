/* prop_storage_conservation.c - no byte of storage is lost, doubled or invented.
 *
 * Random jobs over all clients, lines with and without loss, stopped anywhere: what transports sent
 * is delivered or in flight; what was read is what the caches did not hold; what was written is
 * what checkpoints are; the metrics of nodes, links and phases agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/rng.h"
#include "tests/unit/rig.h"

#define JOBS 40
#define FILE_BYTES (4 * 3 * MiB) /* whole cache blocks, whole files: no two readers share one */

/* struct draw: one job and what it must move. */
struct draw {
    const char *client;
    int64_t nodes, gpus, epochs, evaluations, checkpoints, files, threads;
    bool cached, lossy;
    char topology[600], workload[600];
    int64_t dataset_bytes, evaluation_bytes;
};

static const char *const clients[] = {
    "kind: lustre",
    "kind: lustre, tcp_law: bbr, rpcs_in_flight: 2, readahead_total: 20MB",
    "kind: lustre, network: o2ib, peer_credits: 5, readahead: stop-and-wait",
    "kind: nfs, readahead: 3MiB, slots: 5",
    "kind: nfs, nconnect: 3, tcp_window: 0B, tcp_law: fixed, readahead: 20MiB",
    "kind: rdma, message_size: 700KB",
    "kind: local, drives: 3",
};
#define CLIENTS (sizeof(clients) / sizeof(clients[0]))
#define LOCAL (CLIENTS - 1)

static int64_t below(struct rng *rng, int64_t n)
{
    return (int64_t)rng_below(rng, (uint64_t)n);
}

static void draw_job(struct rng *rng, struct draw *d)
{
    size_t client = (size_t)below(rng, CLIENTS);
    d->client = clients[client];
    d->nodes = 1 + below(rng, 3);
    d->gpus = 1 + below(rng, 4);
    d->epochs = 1 + below(rng, 3);
    d->evaluations = below(rng, d->epochs + 1);
    d->checkpoints = below(rng, 3);
    d->threads = 1 + below(rng, 3);
    d->files = d->nodes * d->gpus * d->threads * (1 + below(rng, 3));
    d->evaluation_bytes = d->nodes * d->gpus * d->threads * 4 * MiB;
    d->cached = below(rng, 2) == 0;
    d->lossy = client != LOCAL && below(rng, 3) == 0;
    d->dataset_bytes = d->files * FILE_BYTES;
    snprintf(d->topology, sizeof(d->topology),
             "node: {count: %lld, gpus: %lld, cache: {size: %s}}\n"
             "wan: {rate: 40Gbps, rtt: %lldus%s}\n"
             "storage:\n"
             "  server: {rate: %lldGbps, peers: 3, targets: 6}\n"
             "  client: {%s}\n",
             (long long)d->nodes, (long long)d->gpus, d->cached ? "20GB" : "0B",
             (long long)(1 + below(rng, 5000)),
             d->lossy ? ", loss: 0.01%, jitter: 300us, buffer: 4MB" : "",
             (long long)below(rng, 3) * 10, d->client);
    char epochs[40] = "";
    for (int64_t e = 1; e <= d->evaluations; e++)
        snprintf(epochs + strlen(epochs), sizeof(epochs) - strlen(epochs), "%s%lld",
                 e > 1 ? ", " : "", (long long)e);
    snprintf(d->workload, sizeof(d->workload),
             "kind: training\n"
             "epochs: %lld\n"
             "load: {size: 33333333B, files: 5, streams: 2}\n"
             "dataset: {size: %lldB, files: %lld, records: %lld}\n"
             "reader: {threads: %lld}\n"
             "step: {compute: 1ms, batch_per_gpu: 7}\n"
             "evaluation: {after_epochs: [%s], dataset: {size: %lldB, files: %lld, records: 100}}\n"
             "checkpoint: {size: 54321001B, files: 7, every_steps: %lld, mode: %s}\n",
             (long long)d->epochs, (long long)d->dataset_bytes, (long long)d->files,
             (long long)d->files * 60, (long long)d->threads, epochs,
             (long long)d->evaluation_bytes, (long long)(d->nodes * d->gpus * d->threads),
             (long long)d->checkpoints * 4, below(rng, 2) ? "sync" : "async");
}

/* A metric over all nodes. */
static int64_t over_nodes(const struct job *job, const struct draw *d, const char *suffix,
                          const char *name)
{
    double sum = 0;
    for (int64_t i = 0; i < d->nodes; i++) {
        char entity[60];
        snprintf(entity, sizeof(entity), "storage/client%lld%s", (long long)i, suffix);
        sum += job_metric(job, entity, name);
    }
    return (int64_t)sum;
}

static int64_t phase_bytes(const struct job *job)
{
    int64_t sum = 0;
    for (int64_t p = 0; p < job->record.phase_n; p++)
        sum += job->record.phases[p].read_bytes;
    return sum;
}

/* Laws that hold at any moment. */
static void verify_moment(const struct job *job, const struct draw *d)
{
    assert_int_equal(phase_bytes(job), over_nodes(job, d, "", "read_bytes"));
    if (d->client == clients[LOCAL]) return;
    int64_t sent = over_nodes(job, d, "/transport", "sent_bytes");
    int64_t delivered = over_nodes(job, d, "/transport", "delivered_bytes");
    int64_t inflight = over_nodes(job, d, "/transport", "inflight_bytes");
    assert_int_equal(sent, delivered + inflight);
    assert_true(inflight >= 0);
    int64_t moved = over_nodes(job, d, "", "read_bytes") + over_nodes(job, d, "", "written_bytes");
    assert_true(moved <= delivered);
    double wire = job_metric(job, "link/wan>storage", "wire_bytes") +
                  job_metric(job, "link/storage>wan", "wire_bytes");
    assert_true(wire >= (double)delivered);
}

/* Laws of a run that came to its end. */
static void verify_end(const struct job *job, const struct draw *d)
{
    int64_t load = d->nodes * 33333333;
    int64_t passes = d->cached ? 1 : d->epochs;
    int64_t evaluations = d->cached && d->evaluations > 0 ? 1 : d->evaluations;
    int64_t read = over_nodes(job, d, "", "read_bytes");
    /* A job ends with its last step: the loader has read all by then. */
    assert_int_equal(read, load + passes * d->dataset_bytes + evaluations * d->evaluation_bytes);
    if (d->checkpoints == 0) assert_int_equal(over_nodes(job, d, "", "written_bytes"), 0);
    int64_t steps = (int64_t)job_run_metric(job, "steps");
    int64_t due = d->checkpoints > 0 ? steps / (4 * d->checkpoints) : 0;
    int64_t written = over_nodes(job, d, "", "written_bytes");
    assert_true(written <= due * 54321001); /* async: the last one may be under way */
    assert_true(written >= (due - 1) * 54321001);
}

static void storage__every_byte_is_accounted_for(void **state)
{
    (void)state;
    struct rng rng = rng_stream(4, "conservation");
    for (int i = 0; i < JOBS; i++) {
        struct draw d;
        struct job job;
        draw_job(&rng, &d);
        job_run(&job, d.topology, d.workload, NULL);
        assert_int_equal(job.stop, SIM_DONE);
        verify_moment(&job, &d);
        verify_end(&job, &d);
        int64_t end_ps = sim_now_ps(job.sim);
        job_free(&job);
        for (int stop = 0; stop < 3; stop++) { /* anywhere */
            struct sim_limits limits = {.max_sim_ps = 1 + below(&rng, end_ps)};
            job_run(&job, d.topology, d.workload, &limits);
            verify_moment(&job, &d);
            job_free(&job);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage__every_byte_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
