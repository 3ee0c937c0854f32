/* prop_monotone.c - more distance never helps, more bandwidth never hurts, and units do not matter.
 *
 * Small random jobs over lossless lines: time to train does not fall when the round trip grows,
 * does not grow when a rate or a window grows; twice all rates and half of all times is half the
 * time. Nearly always to the grain: requests that came apart at a slow station stay in step behind
 * a fast one and then share the line, where the first of them would have been served alone (as in
 * Graham's scheduling anomalies), so a few comparisons may fail, by a few per cent.
 * The congestion window is left out (tcp_law fixed): slow start after idle knows 200 ms, and a
 * faster line idles more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/engine/rng.h"
#include "tests/unit/rig.h"

#define JOBS 20
#define SLACK 0.001    /* requests and batches are grains */
#define ANOMALY 0.05   /* the most that an anomaly may cost ... */
#define ANOMALIES 0.03 /* ... in this part of all comparisons; a third of it with one reader */

enum client { LUSTRE, NFS, RDMA, CLIENTS };

/* struct draw: one job. Rates in Mbit/s, times in us, sizes in KiB. */
struct draw {
    enum client client;
    int64_t nodes, gpus, threads, files, prefetch;
    int64_t wan, nic, socket, target, server; /* rates */
    int64_t rtt, service, compute;            /* times */
    int64_t window, readahead, credits, slots, peers, connections;
    int64_t decode; /* records per second */
    bool cached;
};

static int64_t pick(struct rng *rng, int64_t least, int doublings)
{
    return least << rng_below(rng, (uint64_t)doublings + 1);
}

static void draw_job(struct rng *rng, struct draw *d)
{
    d->client = (enum client)rng_below(rng, CLIENTS);
    d->nodes = pick(rng, 1, 1);
    d->gpus = pick(rng, 1, 2);
    d->threads = pick(rng, 1, 1);
    d->files = pick(rng, 1, 6);
    d->prefetch = pick(rng, 1, 2);
    d->wan = pick(rng, 2000, 6);
    d->nic = pick(rng, 2000, 6);
    d->socket = pick(rng, 1000, 5);
    d->target = pick(rng, 1000, 5);
    d->server = rng_below(rng, 2) ? pick(rng, 4000, 5) : 0;
    d->rtt = pick(rng, 100, 8);
    d->service = pick(rng, 50, 5);
    d->compute = pick(rng, 250, 6);
    d->window = pick(rng, 256, 7);
    d->readahead = pick(rng, 1024, 6);
    d->credits = pick(rng, 8, 6);
    d->slots = pick(rng, 2, 6);
    d->peers = pick(rng, 1, 2);
    d->connections = pick(rng, 1, 2);
    d->decode = rng_below(rng, 4) ? 0 : pick(rng, 2000, 5);
    d->cached = rng_below(rng, 2) == 0;
}

static char *client_text(struct arena *arena, const struct draw *d)
{
    switch (d->client) {
    case LUSTRE:
        return arena_printf(arena,
                            "kind: lustre, tcp_law: fixed, connections: %lld, tcp_window: %lldKiB, "
                            "socket_rate: %lldMbps, peer_credits: %lld, rpcs_in_flight: %lld, "
                            "readahead_per_file: %lldKiB, readahead_total: 0B",
                            (long long)d->connections, (long long)d->window, (long long)d->socket,
                            (long long)d->credits, (long long)d->slots, (long long)d->readahead);
    case NFS:
        return arena_printf(arena,
                            "kind: nfs, tcp_law: fixed, nconnect: %lld, tcp_window: %lldKiB, "
                            "connection_rate: %lldMbps, slots: %lld, readahead: %lldKiB",
                            (long long)d->connections, (long long)d->window, (long long)d->socket,
                            (long long)d->slots, (long long)d->readahead);
    default:
        return arena_printf(
            arena, "kind: rdma, queue_pairs: %lld, outstanding: %lld, readahead: %lldKiB",
            (long long)d->connections, (long long)d->slots, (long long)d->readahead);
    }
}

static char *topology_text(struct arena *arena, const struct draw *d)
{
    return arena_printf(arena,
                        "node: {count: %lld, gpus: %lld, cache: {size: %s}}\n"
                        "nic: {rate: %lldMbps, delay: 0s}\n"
                        "fabric: {kind: single-switch, latency: 0s}\n"
                        "wan: {rate: %lldMbps, rtt: %lldus}\n"
                        "storage:\n"
                        "  server: {nic_rate: 400Gbps, rate: %lldMbps, target_rate: %lldMbps, "
                        "peers: %lld, targets: %lld, service_time: %lldus, metadata_time: %lldus}\n"
                        "  client: {%s}\n",
                        (long long)d->nodes, (long long)d->gpus, d->cached ? "10GB" : "0B",
                        (long long)d->nic, (long long)d->wan, (long long)d->rtt,
                        (long long)d->server, (long long)d->target, (long long)d->peers,
                        2 * (long long)d->peers, (long long)d->service, (long long)d->service,
                        client_text(arena, d));
}

static char *workload_text(struct arena *arena, const struct draw *d)
{
    return arena_printf(arena,
                        "kind: training\n"
                        "epochs: 2\n"
                        "dataset: {size: 1GB, files: %lld, records: 10000}\n"
                        "reader: {threads: %lld, prefetch: %lld, decode_rate: %lld}\n"
                        "step: {compute: %lldus, batch_per_gpu: 50}\n"
                        "serial_operations: 20\n",
                        (long long)d->files, (long long)d->threads, (long long)d->prefetch,
                        (long long)d->decode, (long long)d->compute);
}

static double time_to_train_s(const struct draw *d)
{
    struct arena arena = {0};
    struct job job;
    job_run(&job, topology_text(&arena, d), workload_text(&arena, d), NULL);
    assert_int_equal(job.stop, SIM_DONE);
    double took_s = job_run_metric(&job, "time_to_train_s");
    job_free(&job);
    arena_free(&arena);
    return took_s;
}

/* struct change: one parameter, doubled; sign 1: the time may only grow, -1: only shrink. */
static const struct change {
    const char *name;
    size_t offset;
    int sign;
} changes[] = {
    {"wan.rtt", offsetof(struct draw, rtt), 1},
    {"wan.rate", offsetof(struct draw, wan), -1},
    {"nic.rate", offsetof(struct draw, nic), -1},
    {"socket_rate", offsetof(struct draw, socket), -1},
    {"tcp_window", offsetof(struct draw, window), -1},
    {"target_rate", offsetof(struct draw, target), -1},
    {"server.rate", offsetof(struct draw, server), -1},
};
#define CHANGES (int)(sizeof(changes) / sizeof(changes[0]))

static int64_t *member(struct draw *d, const struct change *change)
{
    return (int64_t *)(void *)((char *)d + change->offset);
}

/* struct tally: how far comparisons were from what they should be. */
struct tally {
    double worst;
    int beyond, n; /* beyond SLACK */
};

static void add(struct tally *tally, double off)
{
    tally->n++;
    tally->beyond += off > SLACK;
    if (off > tally->worst) tally->worst = off;
}

/* Double each parameter of the job in turn. */
static void compare(const struct draw *base, struct tally *tally)
{
    double base_s = time_to_train_s(base);
    for (int c = 0; c < CHANGES; c++) {
        struct draw more = *base;
        *member(&more, &changes[c]) *= 2;
        double more_s = time_to_train_s(&more);
        double wrong = changes[c].sign * (base_s - more_s) / base_s;
        add(tally, wrong);
        if (wrong <= SLACK || !getenv("VERBOSE")) continue;
        struct arena arena = {0};
        print_message("%s doubled: %.6f s -> %.6f s (%.3f %%) with\n%s%s", changes[c].name, base_s,
                      more_s, 100 * wrong, topology_text(&arena, base),
                      workload_text(&arena, base));
        arena_free(&arena);
    }
}

static void report(const struct tally *tally)
{
    print_message("# worst of %d: %.3f %%; beyond %.1f %%: %d\n", tally->n, 100 * tally->worst,
                  100 * SLACK, tally->beyond);
}

static void monotone_with_one_reader(void **state)
{
    (void)state;
    struct rng rng = rng_stream(1, "monotone");
    struct tally tally = {0};
    for (int i = 0; i < JOBS; i++) {
        struct draw job;
        draw_job(&rng, &job);
        job.nodes = job.gpus = job.threads = job.peers = job.connections = 1;
        /* bursts are a sixteenth of the window, up to 1 MiB: another grain */
        job.window = 16 * KiB;
        compare(&job, &tally);
    }
    report(&tally);
    assert_true(tally.worst < ANOMALY);
    assert_true(tally.beyond < ANOMALIES / 3 * tally.n);
}

static void monotone_with_several_readers(void **state)
{
    (void)state;
    struct rng rng = rng_stream(2, "monotone");
    struct tally tally = {0};
    for (int i = 0; i < JOBS; i++) {
        struct draw job;
        draw_job(&rng, &job);
        compare(&job, &tally);
    }
    report(&tally);
    assert_true(tally.worst < ANOMALY);
    assert_true(tally.beyond < ANOMALIES * tally.n);
}

/* Multiply all rates and all times. */
static struct draw scaled(const struct draw *base, int64_t rates, int64_t times)
{
    struct draw d = *base;
    d.wan *= rates;
    d.nic *= rates;
    d.socket *= rates;
    d.target *= rates;
    d.server *= rates;
    d.decode *= rates;
    d.rtt *= times;
    d.service *= times;
    d.compute *= times;
    return d;
}

/* Rounding to whole picoseconds decides ties, and with them the turns of several readers. */
static void twice_as_fast_is_half_the_time(void **state)
{
    (void)state;
    struct rng rng = rng_stream(3, "scaling");
    struct tally tally = {0};
    for (int i = 0; i < JOBS; i++) {
        struct draw base;
        draw_job(&rng, &base);
        struct draw fast = scaled(&base, 2, 1), slow = scaled(&base, 1, 2);
        double off = time_to_train_s(&fast) * 2 / time_to_train_s(&slow) - 1;
        add(&tally, off < 0 ? -off : off);
    }
    report(&tally);
    assert_true(tally.worst < ANOMALY / 5);
    assert_true(tally.beyond < ANOMALIES * tally.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotone_with_one_reader),
        cmocka_unit_test(monotone_with_several_readers),
        cmocka_unit_test(twice_as_fast_is_half_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
