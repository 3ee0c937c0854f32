/* prop_client_law.c - the throughput laws of storage clients over distance, each with its name.
 *
 * Each case makes one limit the smallest by far, reads twice (a load before the clock, an epoch
 * through the data loader), and compares rate and named bound with the law:
 *   Lustre  readers * readahead_per_file / (RTT + S), targets * rpcs * rpc_size / (RTT + S),
 *           peers * peer_credits * 1 MiB / (RTT + S), peers * connections * tcp_window / RTT,
 *           peers * connections * socket_rate
 *   NFS     readers * readahead / (RTT + S), slots * rsize / (RTT + S), nconnect * tcp_window / RTT
 *   RDMA    queue_pairs * outstanding * message_size / (RTT + S)
 *   and the rates of line, ports and server, less the framing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/property/client_law.h"

#define TOLERANCE 0.02
#define ROCE_SHARE (4096.0 / 4178)

static char *topology_text(struct arena *arena, const struct law_case *law)
{
    return arena_printf(
        arena,
        "node: {gpus: %d}\n"
        "nic: {rate: %s, delay: 0s}\n"
        "fabric: {kind: single-switch, latency: 0s}\n"
        "wan: {rate: %s, rtt: %.6gms}\n"
        "storage:\n"
        "  server: {nic_rate: 400Tbps, service_time: %.6gms, metadata_time: 0s%s%s}\n"
        "  client: {%s}\n",
        law->readers, law->nic ? law->nic : "100Tbps", law->wan ? law->wan : "100Tbps",
        law->rtt_s * 1e3, law->service_s * 1e3, law->server ? ", " : "",
        law->server ? law->server : "", law->client);
}

static bool verify(const struct law_case *law)
{
    struct arena arena = {0};
    struct job job;
    job_run(&job, topology_text(&arena, law), law_workload(&arena, law), NULL);
    assert_int_equal(job.stop, SIM_DONE);
    const char *bound[] = {law_bound(&job, "load", "load"),
                           law_bound(&job, "epoch 1", "read_stall")};
    double ratio[] = {job_run_metric(&job, "load_read_rate") / 8 / law->bytes_per_s,
                      job_run_metric(&job, "first_epoch_read_rate") / 8 / law->bytes_per_s};
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        bool rate_ok = ratio[i] > 1 - TOLERANCE && ratio[i] < 1 + TOLERANCE;
        bool bound_ok = strcmp(bound[i], law->bound) == 0;
        if (!(rate_ok && bound_ok) || getenv("VERBOSE"))
            print_message("{%s} {%s}: %s: %.4f of the law (%.4g MB/s), bound %s, expected %s\n",
                          law->client, law->server ? law->server : "", i ? "epoch" : "load",
                          ratio[i], law->bytes_per_s / 1e6, bound[i], law->bound);
        ok = ok && rate_ok && bound_ok;
    }
    job_free(&job);
    arena_free(&arena);
    return ok;
}

static void verify_all(const struct law_case *laws, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad += !verify(&laws[i]);
    assert_int_equal(bad, 0);
}
#define VERIFY_ALL(laws) verify_all(laws, sizeof(laws) / sizeof((laws)[0]))

#define LUSTRE "kind: lustre, tcp_law: fixed, readahead_total: 0B, "
#define WIDE "rpcs_in_flight: 256, peer_credits: 65535, readahead_per_file: 256MiB, "

static void lustre__readahead_per_file(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = LUSTRE "tcp_window: 0B, rpcs_in_flight: 256, peer_credits: 65535, "
                          "readahead_per_file: 8MiB",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 4 * 8 * MIB / 21e-3,
         .bound = "read-ahead"},
        {.client = LUSTRE "tcp_window: 0B, rpcs_in_flight: 256, peer_credits: 65535, "
                          "readahead_per_file: 1MiB",
         .readers = 2,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 2 * 1 * MIB / 5.2e-3,
         .bound = "read-ahead"},
        /* 10 MiB are no whole number of RPCs of 4 MiB */
        {.client = LUSTRE "network: o2ib, rpcs_in_flight: 256, peer_credits: 65535, "
                          "readahead_per_file: 10MiB",
         .readers = 8,
         .rtt_s = 40e-3,
         .service_s = 0.5e-3,
         .bytes_per_s = 8 * 10 * MIB / 40.5e-3,
         .bound = "read-ahead"},
    };
    VERIFY_ALL(laws);
}

static void lustre__rpcs_in_flight_per_target(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = LUSTRE "tcp_window: 0B, rpcs_in_flight: 2, rpc_size: 1MiB, peer_credits: 65535, "
                          "readahead_per_file: 64MiB",
         .server = "peers: 2, targets: 4",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 4 * 2 * MIB / 21e-3,
         .bound = "slots"},
        {.client = LUSTRE "tcp_window: 0B, rpcs_in_flight: 8, rpc_size: 4MiB, peer_credits: 65535, "
                          "readahead_per_file: 1GiB",
         .server = "peers: 1, targets: 1",
         .readers = 2,
         .rtt_s = 10e-3,
         .service_s = 5e-3,
         .bytes_per_s = 8 * 4 * MIB / 15e-3,
         .bound = "slots"},
    };
    VERIFY_ALL(laws);
}

static void lustre__peer_credits(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = LUSTRE "tcp_window: 0B, rpcs_in_flight: 256, peer_credits: 8, "
                          "readahead_per_file: 256MiB",
         .server = "peers: 2, targets: 4",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 2 * 8 * MIB / 21e-3,
         .bound = "credits"},
        {.client = LUSTRE "network: o2ib, rpcs_in_flight: 256, rpc_size: 1MiB, peer_credits: 5, "
                          "readahead_per_file: 256MiB",
         .server = "peers: 4, targets: 8",
         .readers = 8,
         .rtt_s = 10e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 4 * 5 * MIB / 10.2e-3,
         .bound = "credits"},
    };
    VERIFY_ALL(laws);
}

static void lustre__tcp_window(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = LUSTRE WIDE "connections: 2, tcp_window: 4MiB",
         .server = "peers: 2, targets: 4",
         .readers = 8,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 2 * 2 * 4 * MIB / 20e-3,
         .bound = "window"},
        {.client = LUSTRE WIDE "connections: 1, tcp_window: 256KiB",
         .server = "peers: 1, targets: 1",
         .readers = 1,
         .rtt_s = 40e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 0.25 * MIB / 40e-3,
         .bound = "window"},
    };
    VERIFY_ALL(laws);
}

static void lustre__socket_rate(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = LUSTRE WIDE "connections: 2, tcp_window: 4MiB, socket_rate: 1Gbps",
         .server = "peers: 2, targets: 4",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 4 * 125e6,
         .bound = "client"},
        /* no window: the socket's thread is the limit, though nothing holds the sender */
        {.client = LUSTRE WIDE "connections: 1, tcp_window: 0B, socket_rate: 8Gbps",
         .server = "peers: 1, targets: 1",
         .readers = 2,
         .rtt_s = 1e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 1e9,
         .bound = "client"},
    };
    VERIFY_ALL(laws);
}

static void lustre__line_ports_and_server(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = LUSTRE WIDE "tcp_window: 0B",
         .wan = "10Gbps",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 1.25e9 * TCP_SHARE,
         .bound = "wan"},
        {.client = LUSTRE WIDE "tcp_window: 16MiB",
         .wan = "10Gbps",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 1.25e9 * TCP_SHARE,
         .bound = "wan"},
        {.client = LUSTRE WIDE "tcp_window: 16MiB",
         .nic = "10Gbps",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 1.25e9 * TCP_SHARE,
         .bound = "nic"},
        {.client = LUSTRE WIDE "tcp_window: 0B",
         .server = "rate: 8Gbps",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 1e9,
         .bound = "server"},
        {.client = LUSTRE WIDE "tcp_window: 0B",
         .server = "peers: 2, targets: 4, target_rate: 2Gbps",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 1e9,
         .bound = "server"},
        {.client = LUSTRE WIDE "tcp_window: 0B, rpc_size: 1MiB",
         .server = "peers: 2, targets: 4, target_iops: 200",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.2e-3,
         .bytes_per_s = 4 * 200 * MIB,
         .bound = "server"},
    };
    VERIFY_ALL(laws);
}

#define NFS "kind: nfs, tcp_law: fixed, "

static void nfs__readahead_slots_windows(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = NFS "tcp_window: 0B",
         .server = "peers: 1", /* 128 KiB */
         .readers = 8,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 8 * 0.125 * MIB / 21e-3,
         .bound = "read-ahead"},
        {.client = NFS "tcp_window: 0B, readahead: 3MiB",
         .server = "peers: 1",
         .readers = 2,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 2 * 3 * MIB / 21e-3,
         .bound = "read-ahead"},
        {.client = NFS "tcp_window: 0B, readahead: 64MiB, slots: 6",
         .server = "peers: 1",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 6 * MIB / 21e-3,
         .bound = "slots"},
        {.client = NFS "tcp_window: 1MiB, nconnect: 4, readahead: 64MiB, slots: 1024",
         .server = "peers: 1",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = 4 * MIB / 20e-3,
         .bound = "window"},
        {.client = NFS "tcp_window: 1MiB, nconnect: 1, readahead: 64MiB",
         .server = "peers: 1",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 1e-3,
         .bytes_per_s = MIB / 20e-3,
         .bound = "window"},
        {.client = NFS "tcp_window: 16MiB, nconnect: 2, readahead: 64MiB, connection_rate: 4Gbps",
         .server = "peers: 1",
         .readers = 4,
         .rtt_s = 5e-3,
         .service_s = 1e-3,
         .bytes_per_s = 1e9,
         .bound = "client"},
        {.client = NFS "tcp_window: 16MiB, nconnect: 4, readahead: 64MiB, slots: 1024",
         .server = "peers: 1",
         .wan = "10Gbps",
         .readers = 4,
         .rtt_s = 5e-3,
         .service_s = 1e-3,
         .bytes_per_s = 1.25e9 * TCP_SHARE,
         .bound = "wan"},
        {.client = NFS "tcp_window: 16MiB, nconnect: 4, readahead: 64MiB, slots: 1024",
         .server = "peers: 1, rate: 4Gbps",
         .readers = 4,
         .rtt_s = 5e-3,
         .service_s = 1e-3,
         .bytes_per_s = 5e8,
         .bound = "server"},
    };
    VERIFY_ALL(laws);
}

static void rdma__outstanding_messages_and_the_line(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = "kind: rdma, queue_pairs: 2, outstanding: 4, message_size: 256KiB",
         .server = "peers: 1, targets: 4",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 0.1e-3,
         .bytes_per_s = 2 * 4 * 0.25 * MIB / 20.1e-3,
         .bound = "slots"},
        {.client = "kind: rdma, queue_pairs: 2, outstanding: 16",
         .server = "peers: 2, targets: 4",
         .readers = 8,
         .rtt_s = 40e-3,
         .service_s = 0.1e-3,
         .bytes_per_s = 2 * 2 * 16 * MIB / 40.1e-3,
         .bound = "slots"},
        {.client = "kind: rdma, readahead: 4MiB",
         .server = "peers: 1, targets: 4",
         .readers = 4,
         .rtt_s = 20e-3,
         .service_s = 0.1e-3,
         .bytes_per_s = 4 * 4 * MIB / 20.1e-3,
         .bound = "read-ahead"},
        {.client = "kind: rdma, queue_pairs: 64",
         .wan = "10Gbps",
         .server = "peers: 1",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.1e-3,
         .bytes_per_s = 1.25e9 * ROCE_SHARE,
         .bound = "wan"},
        {.client = "kind: rdma, queue_pairs: 64",
         .nic = "10Gbps",
         .server = "peers: 1",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.1e-3,
         .bytes_per_s = 1.25e9 * ROCE_SHARE,
         .bound = "nic"},
        {.client = "kind: rdma, queue_pairs: 64",
         .server = "peers: 1, rate: 8Gbps",
         .readers = 8,
         .rtt_s = 5e-3,
         .service_s = 0.1e-3,
         .bytes_per_s = 1e9,
         .bound = "server"},
    };
    VERIFY_ALL(laws);
}

static void local__queue_depth_readahead_and_drives(void **state)
{
    (void)state;
    static const struct law_case laws[] = {
        {.client = "kind: local, drives: 4, drive_rate: 2GBps, readahead: 64MiB",
         .readers = 8,
         .service_s = 0.08e-3,
         .bytes_per_s = 8e9,
         .bound = "device"},
        {.client = "kind: local, drives: 4, rate: 3GBps, readahead: 64MiB",
         .readers = 8,
         .service_s = 0.08e-3,
         .bytes_per_s = 3e9,
         .bound = "device"},
        {.client = "kind: local, drives: 4, drive_rate: 100Tbps, drive_iops: 0, queue_depth: 2, "
                   "latency: 10ms, readahead: 64MiB",
         .readers = 8,
         .service_s = 10e-3,
         .bytes_per_s = 4 * 2 * MIB / 10e-3,
         .bound = "slots"},
        {.client = "kind: local, drives: 4, drive_rate: 100Tbps, latency: 10ms, readahead: 4MiB",
         .readers = 8,
         .service_s = 10e-3,
         .bytes_per_s = 8 * 4 * MIB / 10e-3,
         .bound = "read-ahead"},
        {.client = "kind: local, drives: 2, drive_iops: 500, request_size: 256KiB",
         .readers = 8,
         .service_s = 0.08e-3,
         .bytes_per_s = 2 * 500 * 0.25 * MIB,
         .bound = "device"},
    };
    VERIFY_ALL(laws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lustre__readahead_per_file),
        cmocka_unit_test(lustre__rpcs_in_flight_per_target),
        cmocka_unit_test(lustre__peer_credits),
        cmocka_unit_test(lustre__tcp_window),
        cmocka_unit_test(lustre__socket_rate),
        cmocka_unit_test(lustre__line_ports_and_server),
        cmocka_unit_test(nfs__readahead_slots_windows),
        cmocka_unit_test(rdma__outstanding_messages_and_the_line),
        cmocka_unit_test(local__queue_depth_readahead_and_drives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
