/* test_record.c - rows of a run, and their way through a pipe: complete, or refused. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/base/record.h"

static void fill(struct record *r)
{
    record_init(r);
    r->status = "max-events";
    r->message = "stopped after 5 events";
    r->fingerprint = UINT64_C(0xfedcba9876543210);
    r->sim_time_ps = 123456789;
    r->events = 5;
    r->data_hops = 6;
    r->ack_hops = 7;
    r->peak_rss_bytes = 8;
    r->run_cpu_s = 0.1;
    r->run_wall_s = 1.0 / 3;
    r->setup_cpu_s = 1e-300;
    record_metric(r, "run", "time_to_train_s", "s", 1234.5);
    record_metric(r, "link/wan.down", "bytes", "bytes", 1e15);
    int load = record_phase(r, "load", 0, 100), epoch = record_phase(r, "epoch 1", 100, 500);
    r->phases[epoch].bound = "window";
    r->phases[epoch].read_bytes = 1 << 20;
    record_share(r, load, "serial", "", 100);
    record_share(r, epoch, "read_stall", "window", 400);
    int series = record_series(r, "storage", "read_rate", "bit/s", 1000);
    for (int i = 0; i < 20; i++)
        record_sample(r, series, i * 1000, i * 1.1);
    record_series(r, "storage", "empty", "1", 0);
    record_bin(r, &(struct record_bin){"nic", "latency", "s", 0.5, 1.5, 3});
}

static void record_metric__drops_what_is_no_number(void **state)
{
    (void)state;
    struct record r;
    record_init(&r);
    record_metric(&r, "run", "a", "1", NAN);
    record_metric(&r, "run", "b", "1", INFINITY);
    record_metric(&r, "run", "c", "1", 1);
    assert_int_equal(r.metric_n, 1);
    assert_string_equal(r.metrics[0].name, "c");
    record_free(&r);
    assert_int_equal(r.metric_n, 0);
}

static void record_metric__copies_its_strings(void **state)
{
    (void)state;
    struct record r;
    record_init(&r);
    char name[] = "name";
    record_metric(&r, name, name, name, 1);
    name[0] = 0;
    assert_string_equal(r.metrics[0].entity, "name");
    assert_string_equal(r.metrics[0].unit, "name");
    record_free(&r);
}

static void record_find__by_entity_and_name(void **state)
{
    (void)state;
    struct record r;
    fill(&r);
    double value = 0;
    assert_true(record_find(&r, "link/wan.down", "bytes", &value));
    assert_true(value == 1e15);
    assert_false(record_find(&r, "run", "bytes", &value));
    assert_false(record_find(&r, "link/wan.down", "time_to_train_s", &value));
    record_free(&r);
}

static void record_share__zero_is_left_out(void **state)
{
    (void)state;
    struct record r;
    record_init(&r);
    int phase = record_phase(&r, "load", 0, 100);
    record_share(&r, phase, "compute", "compute", 0);
    record_share(&r, phase, "compute", "compute", 1);
    assert_int_equal(r.share_n, 1);
    assert_string_equal(r.phases[phase].bound, "");
    record_free(&r);
}

static void record_sample__drops_what_is_no_number(void **state)
{
    (void)state;
    struct record r;
    record_init(&r);
    int series = record_series(&r, "a", "b", "1", 0);
    record_sample(&r, series, 0, NAN);
    record_sample(&r, series, 1, 2);
    assert_int_equal(r.series[series].n, 1);
    assert_int_equal(r.series[series].time_ps[0], 1);
    record_free(&r);
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_string_equal(a->status, b->status);
    assert_string_equal(a->message, b->message);
    assert_true(a->fingerprint == b->fingerprint);
    assert_int_equal(a->sim_time_ps, b->sim_time_ps);
    assert_int_equal(a->events, b->events);
    assert_int_equal(a->data_hops, b->data_hops);
    assert_int_equal(a->ack_hops, b->ack_hops);
    assert_int_equal(a->peak_rss_bytes, b->peak_rss_bytes);
    assert_true(a->run_cpu_s == b->run_cpu_s && a->run_wall_s == b->run_wall_s &&
                a->setup_cpu_s == b->setup_cpu_s);
    assert_int_equal(a->metric_n, b->metric_n);
    for (int i = 0; i < a->metric_n; i++) {
        assert_string_equal(a->metrics[i].entity, b->metrics[i].entity);
        assert_string_equal(a->metrics[i].name, b->metrics[i].name);
        assert_string_equal(a->metrics[i].unit, b->metrics[i].unit);
        assert_true(a->metrics[i].value == b->metrics[i].value);
    }
    assert_int_equal(a->phase_n, b->phase_n);
    for (int i = 0; i < a->phase_n; i++) {
        assert_string_equal(a->phases[i].name, b->phases[i].name);
        assert_string_equal(a->phases[i].bound, b->phases[i].bound);
        assert_memory_equal(&a->phases[i].start_ps, &b->phases[i].start_ps, 3 * 8);
    }
    assert_int_equal(a->share_n, b->share_n);
    for (int i = 0; i < a->share_n; i++) {
        assert_int_equal(a->shares[i].phase, b->shares[i].phase);
        assert_string_equal(a->shares[i].category, b->shares[i].category);
        assert_string_equal(a->shares[i].bound, b->shares[i].bound);
        assert_int_equal(a->shares[i].time_ps, b->shares[i].time_ps);
    }
    assert_int_equal(a->series_n, b->series_n);
    for (int i = 0; i < a->series_n; i++) {
        const struct record_series *s = &a->series[i], *t = &b->series[i];
        assert_string_equal(s->name, t->name);
        assert_int_equal(s->window_ps, t->window_ps);
        assert_int_equal(s->n, t->n);
        for (int k = 0; k < s->n; k++) {
            assert_int_equal(s->time_ps[k], t->time_ps[k]);
            assert_true(s->value[k] == t->value[k]);
        }
    }
    assert_int_equal(a->bin_n, b->bin_n);
    for (int i = 0; i < a->bin_n; i++) {
        assert_string_equal(a->bins[i].entity, b->bins[i].entity);
        assert_memory_equal(&a->bins[i].low, &b->bins[i].low, 3 * 8);
    }
}

static void record_read__gives_back_what_was_written(void **state)
{
    (void)state;
    struct record r, back, second;
    int ends[2];
    fill(&r);
    assert_int_equal(pipe(ends), 0);
    assert_true(record_write(&r, ends[1]));
    record_metric(&r, "run", "more", "1", 1);
    assert_true(record_write(&r, ends[1])); /* frames follow each other */
    assert_true(record_read(&back, ends[0]));
    assert_true(record_read(&second, ends[0]));
    assert_same(&r, &second);
    r.metric_n--;
    assert_same(&r, &back);
    record_free(&r);
    record_free(&back);
    record_free(&second);
    close(ends[0]);
    close(ends[1]);
}

static void record_read__larger_than_a_pipe(void **state)
{
    (void)state;
    struct record r, back;
    int ends[2];
    record_init(&r);
    int series = record_series(&r, "a", "b", "1", 0);
    for (int i = 0; i < 100000; i++)
        record_sample(&r, series, i, i * 0.5);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        _exit(record_write(&r, ends[1]) ? 0 : 1);
    }
    close(ends[1]);
    assert_true(record_read(&back, ends[0]));
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_same(&r, &back);
    record_free(&r);
    record_free(&back);
    close(ends[0]);
}

/* struct bytes: a frame as bytes: magic, hash, length, payload. */
struct bytes {
    char at[8192];
    size_t n;
};
#define FRAME_HEAD 24

static void frame_make(struct bytes *frame)
{
    struct record r;
    int ends[2];
    fill(&r);
    assert_int_equal(pipe(ends), 0);
    assert_true(record_write(&r, ends[1]));
    ssize_t n = read(ends[0], frame->at, sizeof frame->at);
    assert_true(n > FRAME_HEAD && n < (ssize_t)sizeof frame->at);
    frame->n = (size_t)n;
    record_free(&r);
    close(ends[0]);
    close(ends[1]);
}

/* frame_read feeds n bytes and the end of the stream to record_read. */
static bool frame_read(const char *bytes, size_t n)
{
    struct record r;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, n), n);
    close(ends[1]);
    errno = 0;
    bool ok = record_read(&r, ends[0]);
    if (!ok) assert_int_equal(errno, EBADMSG);
    record_free(&r);
    close(ends[0]);
    return ok;
}

static void record_read__cut_short(void **state)
{
    (void)state;
    struct bytes frame;
    frame_make(&frame);
    assert_true(frame_read(frame.at, frame.n));
    for (size_t n = 0; n < frame.n; n++)
        assert_false(frame_read(frame.at, n));
}

static void record_read__any_bit_flipped(void **state)
{
    (void)state;
    struct bytes frame;
    frame_make(&frame);
    for (size_t i = 0; i < frame.n; i++) {
        frame.at[i] = (char)(frame.at[i] ^ 1 << i % 8);
        assert_false(frame_read(frame.at, frame.n));
        frame.at[i] = (char)(frame.at[i] ^ 1 << i % 8);
    }
}

/* The hash of record.c: damage that it does not notice must be refused by the parser. */
static void frame_rehash(struct bytes *frame)
{
    int64_t n = (int64_t)frame->n - FRAME_HEAD;
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)n;
    for (int64_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, frame->at + FRAME_HEAD + i, n - i < 8 ? (size_t)(n - i) : 8);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    memcpy(frame->at + 8, &hash, 8);
    memcpy(frame->at + 16, &n, 8);
}

static void record_read__damage_behind_a_true_hash(void **state)
{
    (void)state;
    struct bytes frame, bad;
    frame_make(&frame);
    frame_rehash(&frame);
    assert_true(frame_read(frame.at, frame.n)); /* else the loop below tests nothing */
    uint64_t random = 7;
    int refused = 0;
    for (int i = 0; i < 4000; i++) {
        bad = frame;
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t at = FRAME_HEAD + (size_t)(random >> 33) % (frame.n - FRAME_HEAD);
        static const int64_t words[] = {-1, 0, 1, 5, 1 << 20, INT64_MAX, INT64_MIN};
        if (at + 8 > frame.n) at = frame.n - 8;
        if (i % 2)
            memcpy(bad.at + at, &words[i / 2 % 7], 8);
        else
            bad.at[at] = (char)(random >> 20);
        if (i % 5 == 0) bad.n -= (size_t)i % 100;
        frame_rehash(&bad);
        refused += !frame_read(bad.at, bad.n);
    }
    assert_in_range(refused, 1000, 3999);
}

static void record_read__absurd_length(void **state)
{
    (void)state;
    struct bytes frame;
    frame_make(&frame);
    static const int64_t lengths[] = {-1, INT64_MAX, INT64_C(1) << 40, INT64_C(1) << 30};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memcpy(frame.at + 16, &lengths[i], 8);
        assert_false(frame_read(frame.at, frame.n));
    }
}

static void record_write__errors(void **state)
{
    (void)state;
    struct record r;
    fill(&r);
    int full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0);
    assert_false(record_write(&r, full));
    assert_int_equal(errno, ENOSPC);
    close(full);
    assert_false(record_read(&(struct record){0}, -1));
    assert_int_equal(errno, EBADF);
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_metric__drops_what_is_no_number),
        cmocka_unit_test(record_metric__copies_its_strings),
        cmocka_unit_test(record_find__by_entity_and_name),
        cmocka_unit_test(record_share__zero_is_left_out),
        cmocka_unit_test(record_sample__drops_what_is_no_number),
        cmocka_unit_test(record_read__gives_back_what_was_written),
        cmocka_unit_test(record_read__larger_than_a_pipe),
        cmocka_unit_test(record_read__cut_short),
        cmocka_unit_test(record_read__any_bit_flipped),
        cmocka_unit_test(record_read__damage_behind_a_true_hash),
        cmocka_unit_test(record_read__absurd_length),
        cmocka_unit_test(record_write__errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
