/* test_stream.c - read-ahead, pipelined or not, its budget, the page cache, writing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/storage/stream.h"
#include "tests/unit/rig.h"

/* struct app: reads (or writes) a stream; consumes chunk_bytes, works for work_ps, and goes on. */
struct app {
    struct rig *rig;
    struct stream stream;
    struct timer work;
    int64_t chunk_bytes, work_ps; /* work 0: takes everything at once */
    int64_t done_ps, most_ahead_bytes;
    int calls;
};

static void on_progress(struct sim *sim, struct stream *stream)
{
    struct app *app = stream->owner;
    app->calls++;
    assert_true(stream->at_off <= stream->end);
    if (!stream->write) assert_true(stream->at_off <= stream->limit_off);
    int64_t ahead = stream->issue_off - stream->at_off;
    if (ahead > app->most_ahead_bytes) app->most_ahead_bytes = ahead;
    if (stream->at_off == stream->end && app->work_ps == 0) app->done_ps = sim_now_ps(sim);
    if (stream->at_off == stream->limit_off && app->work_ps > 0)
        timer_after(sim, &app->work, app->work_ps);
}

static void on_worked(struct sim *sim, void *self)
{
    struct app *app = self;
    struct stream *stream = &app->stream;
    if (stream->at_off == stream->end) {
        app->done_ps = sim_now_ps(sim);
    } else {
        stream_limit(stream, stream->at_off + app->chunk_bytes);
    }
}

static void app_init(struct app *app, struct rig *rig, int64_t file, bool write)
{
    *app = (struct app){.rig = rig};
    stream_init(&app->stream, rig->session);
    app->stream.set = &rig->set[0];
    app->stream.write = write;
    app->stream.file = file;
    app->stream.end = file_set_bytes(&rig->set[0], file);
    app->stream.progress = on_progress;
    app->stream.owner = app;
    timer_init(&app->work, on_worked, app, sim_component(rig->sim), 0);
}

static void app_start(struct app *app)
{
    app->done_ps = -1;
    app->stream.limit_off = app->work_ps > 0 ? app->chunk_bytes : app->stream.end;
    stream_open(&app->stream);
}

#define LUSTRE                                                                                     \
    "kind: lustre, tcp_law: fixed, tcp_window: 0B, rpcs_in_flight: 256, peer_credits: 65535, "
#define SERVER "service_time: 1ms"

/* Time to read 256 MiB through a window of 16 MiB at rtt_ms, working a while on each 256 KiB. */
static int64_t read_256mib(const char *readahead, int rtt_ms, int64_t work_ps)
{
    struct rig rig;
    char client[400], wan[100];
    snprintf(client, sizeof(client),
             LUSTRE "rpc_size: 256KiB, readahead_per_file: 16MiB, "
                    "readahead: %s",
             readahead);
    snprintf(wan, sizeof(wan), "rate: 100Tbps, rtt: %dms", rtt_ms);
    rig_open(&rig, &(struct rig_cfg){.client = client,
                                     .wan = wan,
                                     .server = SERVER,
                                     .set = {{.files = 1, .file_bytes = 256 * MiB}}});
    struct app app;
    app_init(&app, &rig, 0, false);
    app.chunk_bytes = 256 * KiB;
    app.work_ps = work_ps;
    app_start(&app);
    rig_run(&rig);
    int64_t took_ps = app.done_ps;
    assert_int_equal(session_read_bytes(rig.session), 256 * MiB);
    assert_true(app.most_ahead_bytes <= 16 * MiB);
    rig_close(&rig);
    return took_ps;
}

/* k = 16 windows; the application alone needs 1024 * 0.25 ms. Measured: max(local, k (RTT + S)). */
static void stream_open__pipelined_readahead_is_a_hinge(void **state)
{
    (void)state;
    const int64_t local_ps = 256 * PS_PER_MS;
    for (int rtt_ms = 1; rtt_ms <= 64; rtt_ms *= 2) {
        int64_t window_ps = 16 * (rtt_ms + 1) * PS_PER_MS;
        int64_t first_ps = (rtt_ms + 1) * PS_PER_MS; /* before the first byte */
        int64_t took_ps = read_256mib("pipelined", rtt_ms, PS_PER_MS / 4);
        if (window_ps <= local_ps) {
            assert_near(took_ps, local_ps + first_ps, 0.01);
        } else {
            /* the last window is worked on after it came: at most 16 ms */
            assert_in_range(took_ps, window_ps, window_ps + window_ps / 50 + 16 * PS_PER_MS);
        }
    }
}

/* Measured: local + k (RTT + S). */
static void stream_open__stop_and_wait_is_additive(void **state)
{
    (void)state;
    const int64_t local_ps = 256 * PS_PER_MS;
    for (int rtt_ms = 1; rtt_ms <= 64; rtt_ms *= 2) {
        int64_t window_ps = 16 * (rtt_ms + 1) * PS_PER_MS;
        int64_t took_ps = read_256mib("stop-and-wait", rtt_ms, PS_PER_MS / 4);
        assert_near(took_ps, local_ps + window_ps, 0.02);
    }
}

static void stream_open__without_work_both_laws_are_the_window_law(void **state)
{
    (void)state;
    assert_near(read_256mib("pipelined", 20, 0), 16 * 21 * PS_PER_MS, 0.01);
    assert_near(read_256mib("stop-and-wait", 20, 0), 16 * 21 * PS_PER_MS, 0.01);
}

/* 240 MiB, 10 ms a window: requests are chosen so that no window is left partly unused. */
static void stream_open__whole_requests_fill_window_and_stripe(void **state)
{
    (void)state;
    static const struct {
        const char *client, *server;
        int windows, reads;
    } cases[] = {
        {LUSTRE "rpc_size: 4MiB, readahead_per_file: 16MiB", SERVER, 15, 60},
        {LUSTRE "rpc_size: 4MiB, readahead_per_file: 10MiB", SERVER, 24, 120}, /* 2 MiB each */
        {LUSTRE "rpc_size: 4MiB, readahead_per_file: 6MiB", SERVER, 40, 120},
        {LUSTRE "rpc_size: 4MiB, readahead_per_file: 16MiB", SERVER ", stripe_size: 1MiB", 15, 240},
    };
    for (int i = 0; i < 4; i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_cfg){.client = cases[i].client,
                                         .wan = "rate: 100Tbps, rtt: 9ms",
                                         .server = cases[i].server,
                                         .set = {{.files = 1, .file_bytes = 240 * MiB}}});
        struct app app;
        app_init(&app, &rig, 0, false);
        app_start(&app);
        rig_run(&rig);
        assert_near(app.done_ps, cases[i].windows * 10 * PS_PER_MS, 0.001);
        assert_int_equal(rig_count(&rig, "reads"), cases[i].reads);
        rig_close(&rig);
    }
}

static void stream_open__a_read_without_readahead_is_one_page_at_a_time(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = LUSTRE "readahead_per_file: 0B",
                                     .wan = "rtt: 9ms",
                                     .server = SERVER,
                                     .set = {{.files = 1, .file_bytes = 20 * 4096 + 1}}});
    struct app app;
    app_init(&app, &rig, 0, false);
    app_start(&app);
    rig_run(&rig);
    assert_int_equal(rig_count(&rig, "reads"), 21);
    assert_near(app.done_ps, 21 * 10 * PS_PER_MS, 0.001);
    rig_close(&rig);
}

static void stream_limit__holds_the_application(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = LUSTRE "readahead_per_file: 16MiB",
                                     .wan = "rtt: 9ms",
                                     .server = SERVER,
                                     .set = {{.files = 1, .file_bytes = 256 * MiB}}});
    struct app app;
    app_init(&app, &rig, 0, false);
    app_start(&app);
    stream_limit(&app.stream, 10000); /* moved back at once */
    rig_run(&rig);                    /* until nothing more happens */
    assert_int_equal(app.stream.at_off, 10000);
    assert_in_range(session_read_bytes(rig.session), 12 * MiB, 16 * MiB + 10000); /* ahead */
    int64_t before_ps = sim_now_ps(rig.sim);
    stream_limit(&app.stream, 8 * MiB); /* is there already: costs no time */
    rig_run_until(&rig, before_ps);
    assert_int_equal(app.stream.at_off, 8 * MiB);
    stream_limit(&app.stream, 256 * MiB);
    rig_run(&rig);
    assert_int_equal(app.stream.at_off, 256 * MiB);
    assert_int_equal(session_read_bytes(rig.session), 256 * MiB);
    rig_close(&rig);
}

static void stream_limit__never_takes_back_what_was_consumed(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = "kind: local",
                                     .set = {{.files = 1, .file_bytes = 64 * MiB}}});
    struct app app;
    app_init(&app, &rig, 0, false);
    app_start(&app);
    stream_limit(&app.stream, 5 * MiB);
    rig_run(&rig);
    stream_limit(&app.stream, MiB);
    rig_run(&rig);
    assert_int_equal(app.stream.at_off, 5 * MiB);
    assert_int_equal(app.stream.limit_off, 5 * MiB);
    rig_close(&rig);
}

static void stream_open__cached_bytes_cost_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = LUSTRE,
                                     .cache = "size: 1GB",
                                     .wan = "rtt: 9ms",
                                     .set = {{.files = 2, .file_bytes = 99 * MB + 7}}});
    struct app app;
    app_init(&app, &rig, 1, false);
    app_start(&app);
    rig_run(&rig);
    assert_true(app.done_ps > 10 * PS_PER_MS);
    int64_t again_ps = sim_now_ps(rig.sim);
    assert_int_equal(session_read_bytes(rig.session), 99 * MB + 7);
    app_start(&app); /* again, the same file */
    rig_run(&rig);
    assert_int_equal(app.stream.at_off, 99 * MB + 7);
    assert_int_equal(app.done_ps, again_ps);
    assert_int_equal(session_read_bytes(rig.session), 99 * MB + 7);
    rig_close(&rig);
}

static void stream_open__reads_only_the_blocks_that_are_missing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = "kind: local",
                                     .cache = "size: 1GB",
                                     .set = {{.files = 1, .file_bytes = 64 * MiB}}});
    for (int64_t block = 0; block < 16; block += 4) /* one of four is there */
        cache_fill(rig.cache, &rig.set[0], 0, block * 4 * MiB, (block + 1) * 4 * MiB);
    struct app app;
    app_init(&app, &rig, 0, false);
    app_start(&app);
    rig_run(&rig);
    assert_int_equal(app.stream.at_off, 64 * MiB);
    assert_int_equal(session_read_bytes(rig.session), 48 * MiB);
    rig_close(&rig);
}

static void stream_open__a_range_inside_a_file(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = "kind: local",
                                     .set = {{.files = 1, .file_bytes = 64 * MiB}}});
    struct app app;
    app_init(&app, &rig, 0, false);
    app.stream.begin = 3 * MiB + 17;
    app.stream.end = 9 * MiB + 18;
    app_start(&app);
    rig_run(&rig);
    assert_int_equal(session_read_bytes(rig.session), 6 * MiB + 1);
    assert_int_equal(app.stream.at_off, 9 * MiB + 18);
    rig_close(&rig);
}

/* Four files, a window of 16 MiB each, 24 MiB in all: each goes at a quarter of 24 MiB / 10 ms. */
static void stream_open__the_total_budget_is_shared_fairly(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = LUSTRE "readahead_per_file: 16MiB, rpc_size: 1MiB, "
                                                      "readahead_total: 24MiB",
                                     .wan = "rate: 100Tbps, rtt: 9ms",
                                     .server = SERVER,
                                     .set = {{.files = 4, .file_bytes = 1 * GB}}});
    struct app app[4];
    for (int i = 0; i < 4; i++) {
        app_init(&app[i], &rig, i, false);
        app_start(&app[i]);
    }
    for (int ms = 50; ms <= 500; ms += 50) {
        rig_run_until(&rig, ms * PS_PER_MS);
        int64_t ahead = 0;
        for (int i = 0; i < 4; i++)
            ahead += app[i].stream.issue_off - app[i].stream.ready_off;
        assert_true(ahead <= (24 + 4) * MiB); /* demand always passes: one request per file */
    }
    int64_t sum = 0;
    for (int i = 0; i < 4; i++)
        sum += app[i].stream.at_off;
    assert_near(sum, 50 * 24 * MiB, 0.03);
    for (int i = 0; i < 4; i++)
        assert_near(app[i].stream.at_off, sum / 4, 0.05);
    rig_close(&rig);
}

static void stream_open__the_budget_comes_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = LUSTRE "readahead_per_file: 64MiB, "
                                                      "readahead_total: 10MB",
                                     .wan = "rtt: 9ms",
                                     .set = {{.files = 3, .file_bytes = 100 * MB}}});
    struct app app[3];
    for (int i = 0; i < 3; i++) {
        app_init(&app[i], &rig, i, false);
        app_start(&app[i]);
    }
    rig_run(&rig);
    for (int i = 0; i < 3; i++)
        assert_int_equal(app[i].stream.at_off, 100 * MB);
    assert_int_equal(session_readahead(rig.session)->used_bytes, 0);
    assert_null(session_readahead(rig.session)->waiting);
    rig_close(&rig);
}

static void stream_open__writing_is_bounded_by_dirty_bytes(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.client = LUSTRE "dirty: 8MiB, rpc_size: 1MiB",
                                     .wan = "rate: 100Tbps, rtt: 9ms",
                                     .server = SERVER,
                                     .cache = "size: 1GB",
                                     .set = {{.files = 1, .file_bytes = 256 * MiB}}});
    struct app app;
    app_init(&app, &rig, 0, true);
    app.stream.limit_off = 0; /* says nothing to a writer */
    app.done_ps = -1;
    stream_open(&app.stream);
    rig_run(&rig);
    assert_int_equal(app.stream.at_off, 256 * MiB);
    assert_true(app.most_ahead_bytes <= 8 * MiB);
    assert_near(app.done_ps, 32 * 10 * PS_PER_MS, 0.02);
    assert_int_equal(rig_count(&rig, "written_bytes"), 256 * MiB);
    assert_int_equal(rig_count(&rig, "read_bytes"), 0);
    rig_close(&rig);
}

static void stream__names_readahead_or_the_slower_part(void **state)
{
    (void)state;
    static const struct {
        const char *client;
        enum bound bound;
    } cases[] = {
        {"kind: local, drives: 1, latency: 10ms, readahead: 4MiB", BOUND_READAHEAD},
        {"kind: local, drives: 1, latency: 10ms, readahead: 1GiB, queue_depth: 1", BOUND_SLOTS},
        {"kind: local, drives: 1, drive_rate: 100MBps, readahead: 64MiB", BOUND_DEVICE},
    };
    for (int i = 0; i < 3; i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_cfg){.client = cases[i].client,
                                         .set = {{.files = 1, .file_bytes = 200 * MiB}}});
        struct app app;
        app_init(&app, &rig, 0, false);
        app_start(&app);
        rig_run(&rig);
        assert_string_equal(bound_name(app.stream.bound), bound_name(cases[i].bound));
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_open__pipelined_readahead_is_a_hinge),
        cmocka_unit_test(stream_open__stop_and_wait_is_additive),
        cmocka_unit_test(stream_open__without_work_both_laws_are_the_window_law),
        cmocka_unit_test(stream_open__whole_requests_fill_window_and_stripe),
        cmocka_unit_test(stream_open__a_read_without_readahead_is_one_page_at_a_time),
        cmocka_unit_test(stream_limit__holds_the_application),
        cmocka_unit_test(stream_limit__never_takes_back_what_was_consumed),
        cmocka_unit_test(stream_open__cached_bytes_cost_nothing),
        cmocka_unit_test(stream_open__reads_only_the_blocks_that_are_missing),
        cmocka_unit_test(stream_open__a_range_inside_a_file),
        cmocka_unit_test(stream_open__the_total_budget_is_shared_fairly),
        cmocka_unit_test(stream_open__the_budget_comes_back),
        cmocka_unit_test(stream_open__writing_is_bounded_by_dirty_bytes),
        cmocka_unit_test(stream__names_readahead_or_the_slower_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
