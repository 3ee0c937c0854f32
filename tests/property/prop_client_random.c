/* prop_client_random.c - no random Lustre client ever exceeds one of the laws of its limits.
 *
 * prop_client_law.c makes one limit the smallest by far; here all are drawn, so that they meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/engine/rng.h"
#include "tests/property/client_law.h"

#define LAWS 5

/* struct draw: a Lustre client drawn at random, and what each law allows it (bytes/s). */
struct draw {
    int64_t readers, readahead, peers, targets, rpcs, rpc, credits, connections, window;
    int64_t wan_bps, rtt_us;
    double rate[LAWS];
};
static const char *const draw_bounds[LAWS] = {"read-ahead", "slots", "credits", "window", "wan"};

static int64_t pick(struct rng *rng, int64_t least, int doublings)
{
    return least << rng_below(rng, (uint64_t)doublings + 1);
}

static void draw_client(struct rng *rng, struct draw *d)
{
    d->readers = pick(rng, 1, 3);
    d->readahead = pick(rng, 4 * MiB, 5);
    d->peers = pick(rng, 1, 2);
    d->targets = d->peers * pick(rng, 1, 2);
    d->rpc = pick(rng, MiB, 2);
    d->rpcs = pick(rng, 1, 5);
    d->credits = d->rpc / MiB * pick(rng, 1, 6);
    d->connections = pick(rng, 1, 2);
    d->window = pick(rng, 256 * KiB, 6);
    d->wan_bps = pick(rng, GB, 7);
    d->rtt_us = pick(rng, 1000, 6);
    double rtt_s = (double)d->rtt_us * 1e-6, whole_s = rtt_s + 200e-6;
    double sockets = (double)(d->peers * d->connections);
    d->rate[0] = (double)(d->readers * d->readahead) / whole_s;
    d->rate[1] = (double)(d->targets * d->rpcs * d->rpc) / whole_s;
    d->rate[2] = (double)(d->peers * d->credits) * MIB / whole_s;
    d->rate[3] = sockets * (double)d->window / rtt_s;
    d->rate[4] = (double)d->wan_bps / 8 * TCP_SHARE;
}

static char *draw_text(struct arena *arena, const struct draw *d)
{
    char *client = arena_printf(
        arena,
        "kind: lustre, tcp_law: fixed, readahead_total: 0B, readahead_per_file: %lldB, "
        "rpcs_in_flight: %lld, rpc_size: %lldB, peer_credits: %lld, connections: %lld, "
        "tcp_window: %lldB",
        (long long)d->readahead, (long long)d->rpcs, (long long)d->rpc, (long long)d->credits,
        (long long)d->connections, (long long)d->window);
    return arena_printf(arena,
                        "node: {gpus: %lld}\n"
                        "nic: {rate: 100Tbps, delay: 0s}\n"
                        "fabric: {kind: single-switch, latency: 0s}\n"
                        "wan: {rate: %lldbps, rtt: %lldus}\n"
                        "storage:\n"
                        "  server: {nic_rate: 400Tbps, peers: %lld, targets: %lld}\n"
                        "  client: {%s}\n",
                        (long long)d->readers, (long long)d->wan_bps, (long long)d->rtt_us,
                        (long long)d->peers, (long long)d->targets, client);
}

/* The law that allows least; *margin is by how much the next one allows more. */
static int tightest(const struct draw *d, double *margin)
{
    int least = 0;
    for (int r = 1; r < LAWS; r++)
        if (d->rate[r] < d->rate[least]) least = r;
    *margin = 1e30;
    for (int r = 0; r < LAWS; r++)
        if (r != least && d->rate[r] / d->rate[least] < *margin)
            *margin = d->rate[r] / d->rate[least];
    return least;
}

#define DRAWS 100
#define CLEAR 6.0 /* a margin that leaves little doubt which limit binds */
#define WAN (LAWS - 1)

/* No law is ever exceeded. How much of the tightest is reached depends on the others, too: few
 * requests in flight use few of the sockets, meet at one target, or share the line in step and
 * then leave it idle together for a round trip. */
static void lustre__random_clients_obey_all_laws(void **state)
{
    (void)state;
    struct rng rng = rng_stream(1, "clients");
    int bad = 0, clear = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct arena arena = {0};
        struct draw d;
        draw_client(&rng, &d);
        double margin;
        int least = tightest(&d, &margin);
        struct law_case law = {.readers = (int)d.readers,
                               .rtt_s = (double)d.rtt_us * 1e-6,
                               .bytes_per_s = d.rate[least],
                               .brief = true};
        struct job job;
        job_run(&job, draw_text(&arena, &d), law_workload(&arena, &law), NULL);
        double ratio = job_run_metric(&job, "load_read_rate") / 8 / d.rate[least];
        const char *bound = law_bound(&job, "load", "load");
        bool ok = ratio < 1.01 && ratio > 0.15, is_clear = margin > CLEAR && least != WAN;
        if (is_clear) ok = ok && ratio > 0.6 && strcmp(bound, draw_bounds[least]) == 0;
        clear += is_clear;
        bad += !ok;
        if (!ok || getenv("VERBOSE"))
            print_message("%s: %.4f of the law, margin %.1f, bound %s, expected %s\n",
                          draw_text(&arena, &d), ratio, margin, bound, draw_bounds[least]);
        job_free(&job);
        arena_free(&arena);
    }
    assert_int_equal(bad, 0);
    assert_in_range(clear, DRAWS / 10, DRAWS); /* the draws are worth it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lustre__random_clients_obey_all_laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
