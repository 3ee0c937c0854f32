/* test_session.c - the way of a request: gates, connections, server, and the name of each wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rig.h"

#define REQUESTS_MAX 32

/* struct bench: a rig, requests, and when each came back. */
struct bench {
    struct rig rig;
    struct request request[REQUESTS_MAX];
    int64_t done_ps[REQUESTS_MAX];
    int order[REQUESTS_MAX], done_n, n;
};

/* A line without serialisation to speak of: 10 ms there and back. */
#define LINE "rate: 100Tbps, rtt: 10ms"
#define SERVER "peers: 2, targets: 4, stripe_size: 1MiB, service_time: 2ms, metadata_time: 1ms, "

static void on_done(struct sim *sim, struct request *request)
{
    struct bench *bench = request->owner;
    int i = (int)(request - bench->request);
    bench->done_ps[i] = sim_now_ps(sim);
    bench->order[bench->done_n++] = i;
}

static void bench_open(struct bench *bench, const char *client, const char *server)
{
    *bench = (struct bench){0};
    rig_open(&bench->rig, &(struct rig_cfg){.client = client,
                                            .server = server,
                                            .wan = LINE,
                                            .set = {{.files = 4, .file_bytes = 1 * GB}}});
}

/* A request for bytes on stripe number stripe: target stripe % 4, peer target % 2. */
static struct request *submit(struct bench *bench, enum request_kind kind, int64_t stripe,
                              int64_t bytes)
{
    struct request *request = &bench->request[bench->n++];
    *request = (struct request){
        .kind = kind, .off = stripe * MiB, .bytes = bytes, .done = on_done, .owner = bench};
    session_submit(bench->rig.session, request);
    return request;
}

static void run(struct bench *bench)
{
    rig_run(&bench->rig);
    assert_int_equal(bench->done_n, bench->n);
}

#define FIXED "kind: lustre, tcp_law: fixed, tcp_window: 0B, "

static void session_submit__one_request_takes_a_round_trip_and_the_service(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED, SERVER);
    submit(&bench, REQUEST_READ, 0, 4 * KiB);
    submit(&bench, REQUEST_WRITE, 1, 4 * KiB);
    submit(&bench, REQUEST_META, 0, 0);
    run(&bench);
    assert_near(bench.done_ps[0], 12 * PS_PER_MS, 1e-4);
    assert_near(bench.done_ps[1], 12 * PS_PER_MS, 1e-4);
    assert_near(bench.done_ps[2], 11 * PS_PER_MS, 1e-4);
    assert_int_equal(bench.request[0].target, 0);
    assert_int_equal(bench.request[1].target, 1);
    assert_int_equal(bench.request[1].peer, 1);
    rig_close(&bench.rig);
}

static void session_submit__latencies_of_requests_overlap(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED, SERVER);
    for (int i = 0; i < 16; i++)
        submit(&bench, REQUEST_READ, i, 4 * KiB);
    run(&bench);
    for (int i = 0; i < 16; i++)
        assert_near(bench.done_ps[i], 12 * PS_PER_MS, 1e-3);
    rig_close(&bench.rig);
}

static void session_submit__slots_are_counted_per_target(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "rpcs_in_flight: 2", SERVER);
    for (int i = 0; i < 6; i++)
        submit(&bench, REQUEST_READ, 0, 4 * KiB); /* three rounds of two */
    submit(&bench, REQUEST_READ, 1, 4 * KiB);     /* another target: at once */
    run(&bench);
    for (int i = 0; i < 6; i++)
        assert_near(bench.done_ps[i], (1 + i / 2) * 12 * PS_PER_MS, 1e-3);
    assert_near(bench.done_ps[6], 12 * PS_PER_MS, 1e-3);
    rig_close(&bench.rig);
}

static void session_submit__gates_are_first_come_first_served(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "rpcs_in_flight: 1", SERVER);
    for (int i = 0; i < 8; i++)
        submit(&bench, REQUEST_READ, 4 * i, 4 * KiB);
    run(&bench);
    for (int i = 0; i < 8; i++)
        assert_int_equal(bench.order[i], i);
    rig_close(&bench.rig);
}

static void session_submit__credits_are_counted_per_peer_and_mebibyte(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "peer_credits: 4", SERVER);
    submit(&bench, REQUEST_READ, 0, 2 * MiB); /* peer 0: two credits */
    submit(&bench, REQUEST_READ, 2, MiB + 1); /* peer 0, another target: two more */
    submit(&bench, REQUEST_READ, 0, 4 * KiB); /* peer 0: none left */
    submit(&bench, REQUEST_READ, 1, 4 * MiB); /* peer 1: all four */
    run(&bench);
    assert_near(bench.done_ps[0], 12 * PS_PER_MS, 1e-2);
    assert_near(bench.done_ps[1], 12 * PS_PER_MS, 1e-2);
    assert_near(bench.done_ps[2], 24 * PS_PER_MS, 1e-2);
    assert_near(bench.done_ps[3], 12 * PS_PER_MS, 1e-2);
    assert_int_equal(bench.request[2].bound, BOUND_CREDITS);
    rig_close(&bench.rig);
}

static void session_submit__a_large_request_is_not_overtaken_at_its_gate(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "peer_credits: 4", SERVER);
    submit(&bench, REQUEST_READ, 0, 3 * MiB);
    submit(&bench, REQUEST_READ, 2, 4 * MiB); /* does not fit beside it */
    submit(&bench, REQUEST_READ, 0, 4 * KiB); /* would fit, but came later */
    run(&bench);
    assert_near(bench.done_ps[1], 24 * PS_PER_MS, 1e-2);
    assert_near(bench.done_ps[2], 36 * PS_PER_MS, 1e-2);
    rig_close(&bench.rig);
}

static void session_submit__a_request_larger_than_a_gate_passes_alone(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "peer_credits: 2", SERVER);
    submit(&bench, REQUEST_READ, 0, 4 * MiB);
    submit(&bench, REQUEST_READ, 2, 4 * MiB);
    run(&bench);
    assert_near(bench.done_ps[0], 12 * PS_PER_MS, 1e-2);
    assert_near(bench.done_ps[1], 24 * PS_PER_MS, 1e-2);
    rig_close(&bench.rig);
}

static void session_submit__metadata_passes_no_gate(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "rpcs_in_flight: 1, peer_credits: 1, socket_rate: 8Mbps", SERVER);
    for (int i = 0; i < 3; i++)
        submit(&bench, REQUEST_READ, 0, MiB); /* a second each to process */
    submit(&bench, REQUEST_META, 0, 0);
    run(&bench);
    assert_true(bench.done_ps[2] > 3 * PS_PER_S);
    assert_true(bench.done_ps[3] < 13 * PS_PER_MS);
    rig_close(&bench.rig);
}

static void session_submit__a_wait_for_slots_is_named_after_what_their_holders_do(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED "rpcs_in_flight: 2", SERVER);
    for (int i = 0; i < 6; i++)
        submit(&bench, REQUEST_READ, 0, 4 * KiB);
    run(&bench);
    assert_int_equal(bench.request[5].bound, BOUND_SLOTS); /* they only travel */
    assert_near(bench.request[5].wait_ps, 24 * PS_PER_MS, 1e-2);
    assert_true(bench.request[0].wait_ps < PS_PER_US);
    rig_close(&bench.rig);
    /* A target that takes a second for each is the limit, however few the slots are. */
    bench_open(&bench, FIXED "rpcs_in_flight: 4", SERVER "target_iops: 1");
    for (int i = 0; i < 12; i++)
        submit(&bench, REQUEST_READ, 0, 4 * KiB);
    run(&bench);
    assert_int_equal(bench.request[11].bound, BOUND_SERVER);
    assert_near(bench.done_ps[11], 12 * PS_PER_S, 0.01);
    rig_close(&bench.rig);
}

/* A request that occupies a station spends that time on the station, not on the way: slots are not
 * the limit where their holders keep something else busy. */
static void session_submit__occupation_is_not_latency(void **state)
{
    (void)state;
    static const struct {
        const char *topology, *bound;
    } cases[] = {
        /* 1 MiB takes 8.4 ms of the target, 1.2 ms of latency. */
        {"wan: {rtt: 1ms}\n"
         "storage: {server: {peers: 1, targets: 1, target_rate: 1Gbps}, "
         "client: {kind: nfs, slots: 1, readahead: 8MiB}}",
         "server"},
        /* Two of 8.5 ms on the line each, against 1.2 ms of latency. */
        {"wan: {rate: 1Gbps, rtt: 1ms}\n"
         "storage: {server: {peers: 1, targets: 1}, "
         "client: {kind: nfs, tcp_law: fixed, slots: 2, readahead: 8MiB}}",
         "wan"},
        /* One drive that is always busy: 10 ms for 1 MB, 80 us of latency. */
        {"storage: {client: {kind: local, drives: 1, drive_rate: 100MBps, queue_depth: 2}}",
         "device"},
        /* No window holds the sender, and the ports are far from full: the socket's thread. */
        {"wan: {rate: 400Gbps, rtt: 1ms}\n"
         "storage: {client: {kind: lustre, network: o2ib, socket_rate: 1Gbps}}",
         "client"},
    };
    for (int i = 0; i < 4; i++) {
        struct job job;
        job_run(&job, cases[i].topology,
                "{kind: training, load: {size: 2GB, files: 8}, steps: 1, step: {compute: 1ns}}",
                NULL);
        assert_string_equal(job_phase(&job, "load")->bound, cases[i].bound);
        job_free(&job);
    }
}

static void session_submit__connections_take_turns(void **state)
{
    (void)state;
    struct bench bench;
    /* 1 MB takes 1 s in a socket; four sockets to peer 0 take four at a time. */
    bench_open(&bench, FIXED "connections: 4, socket_rate: 8Mbps, peer_credits: 64", SERVER);
    for (int i = 0; i < 8; i++)
        submit(&bench, REQUEST_READ, 0, 1 * MB);
    run(&bench);
    for (int i = 0; i < 8; i++)
        assert_near(bench.done_ps[i], (1 + i / 4) * PS_PER_S, 0.02);
    rig_close(&bench.rig);
}

static void session_submit__a_local_drive_has_no_way_to_go(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "kind: local, drives: 1, drive_rate: 1GBps, latency: 100us", NULL);
    for (int i = 0; i < 3; i++)
        submit(&bench, REQUEST_READ, i, 1 * MB);
    submit(&bench, REQUEST_META, 0, 0);
    run(&bench);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bench.done_ps[i], (i + 1) * PS_PER_MS + 100 * PS_PER_US);
    assert_true(bench.done_ps[3] < 100 * PS_PER_US);
    assert_int_equal(bench.request[2].bound, BOUND_DEVICE);
    /* 2 ms behind the others, 1 ms of its own: the drive was busy all the time. */
    assert_int_equal(bench.request[2].wait_ps, 3 * PS_PER_MS);
    rig_close(&bench.rig);
}

static void session_record__counts_what_passed(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, FIXED, SERVER);
    submit(&bench, REQUEST_READ, 0, 1000);
    submit(&bench, REQUEST_READ, 1, 234);
    submit(&bench, REQUEST_WRITE, 2, 5000);
    for (int i = 0; i < 3; i++)
        submit(&bench, REQUEST_META, 0, 0);
    rig_run_until(&bench.rig, 6500 * PS_PER_US); /* metadata on its way back, data in the server */
    assert_int_equal(rig_count(&bench.rig, "read_bytes"), 0);
    const char *transport = "storage/client0/transport";
    int64_t sent = rig_metric(&bench.rig, transport, "sent_bytes");
    int64_t delivered = rig_metric(&bench.rig, transport, "delivered_bytes");
    assert_int_equal(sent, 6 * 512 + 5000 + 3 * 512); /* six there, metadata back */
    assert_int_equal(delivered, 6 * 512 + 5000);
    assert_int_equal(rig_metric(&bench.rig, transport, "inflight_bytes"), sent - delivered);
    run(&bench);
    assert_int_equal(rig_count(&bench.rig, "read_bytes"), 1234);
    assert_int_equal(session_read_bytes(bench.rig.session), 1234);
    assert_int_equal(rig_count(&bench.rig, "written_bytes"), 5000);
    assert_int_equal(rig_count(&bench.rig, "reads"), 2);
    assert_int_equal(rig_count(&bench.rig, "writes"), 1);
    assert_int_equal(rig_count(&bench.rig, "metadata_operations"), 3);
    assert_int_equal(rig_metric(&bench.rig, transport, "delivered_bytes"), 12 * 512 + 6234);
    rig_close(&bench.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_submit__one_request_takes_a_round_trip_and_the_service),
        cmocka_unit_test(session_submit__latencies_of_requests_overlap),
        cmocka_unit_test(session_submit__slots_are_counted_per_target),
        cmocka_unit_test(session_submit__gates_are_first_come_first_served),
        cmocka_unit_test(session_submit__credits_are_counted_per_peer_and_mebibyte),
        cmocka_unit_test(session_submit__a_large_request_is_not_overtaken_at_its_gate),
        cmocka_unit_test(session_submit__a_request_larger_than_a_gate_passes_alone),
        cmocka_unit_test(session_submit__metadata_passes_no_gate),
        cmocka_unit_test(session_submit__a_wait_for_slots_is_named_after_what_their_holders_do),
        cmocka_unit_test(session_submit__occupation_is_not_latency),
        cmocka_unit_test(session_submit__connections_take_turns),
        cmocka_unit_test(session_submit__a_local_drive_has_no_way_to_go),
        cmocka_unit_test(session_record__counts_what_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
