/* test_worker.c - forked workers: results, crashes, signals, orphans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/app/worker.h"

#define TASKS 12

/* struct seen: what the parent got, per task; and what the tasks shall do. */
struct seen {
    int64_t results, refuse_at; /* refuse_at: done returns false at this result; -1 never */
    char status[TASKS][16], message[TASKS][120];
    double value[TASKS];
    int64_t samples[TASKS];
    int pipe[2];   /* tasks that sleep first write their pid there */
    int signal_at; /* the parent signals itself at this number of results; -1 never */
};

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void task_ok(void *self, int64_t index, struct record *record)
{
    (void)self;
    record_init(record);
    record->status = "ok";
    record->message = "";
    record_metric(record, "run", "square", "1", (double)(index * index));
    int series = record_series(record, "run", "big", "1", 0);
    for (int64_t i = 0; i < index * 3000; i++)
        record_sample(record, series, i, 0.5);
}

/* task_mixed: 0 aborts, 1 leaves without a result, 2 kills itself in mid-run, the rest are ok. */
static void task_mixed(void *self, int64_t index, struct record *record)
{
    signal(SIGSEGV, SIG_DFL); /* cmocka and sanitizers catch it */
    if (index == 0) raise(SIGSEGV);
    if (index == 1) _exit(7);
    if (index == 2) raise(SIGKILL);
    task_ok(self, index, record);
}

/* task_sleepy: 0 is ok at once, the rest say who they are and sleep. */
static void task_sleepy(void *self, int64_t index, struct record *record)
{
    const struct seen *seen = self;
    pid_t me = getpid();
    if (index > 0) {
        if (write(seen->pipe[1], &me, sizeof me) != sizeof me) _exit(9);
        nap_ms(60000);
    }
    task_ok(self, index, record);
}

static bool on_done(void *self, const struct worker_result *result)
{
    struct seen *seen = self;
    const struct record *record = result->record;
    int64_t at = result->index;
    snprintf(seen->status[at], sizeof seen->status[at], "%s", record->status);
    snprintf(seen->message[at], sizeof seen->message[at], "%s", record->message);
    record_find(record, "run", "square", &seen->value[at]);
    if (record->series_n) seen->samples[at] = record->series[0].n;
    assert_true(result->ended_unix_s >= result->started_unix_s);
    return seen->results++ != seen->refuse_at;
}

/* on_tick raises SIGTERM, once: a second one would end the process. */
static void on_tick(void *self)
{
    struct seen *seen = self;
    if (seen->results != seen->signal_at) return;
    seen->signal_at = -1;
    raise(SIGTERM);
}

static int run(struct seen *seen, void (*work)(void *, int64_t, struct record *), int jobs)
{
    struct err err = {0};
    const struct worker_plan plan = {
        .n = TASKS, .jobs = jobs, .self = seen, .work = work, .done = on_done, .tick = on_tick};
    int stopped = worker_run(&plan, &err);
    assert_int_equal(err.count, 0);
    err_free(&err);
    return stopped;
}

static void worker_run__brings_every_record(void **state)
{
    (void)state;
    for (int jobs = 1; jobs <= 5; jobs += 2) {
        struct seen seen = {.refuse_at = -1, .signal_at = -1};
        assert_int_equal(run(&seen, task_ok, jobs), 0);
        assert_int_equal(seen.results, TASKS);
        for (int i = 0; i < TASKS; i++) {
            assert_string_equal(seen.status[i], "ok");
            assert_true(seen.value[i] == i * i);
            assert_int_equal(seen.samples[i], i * 3000);
        }
    }
}

static void worker_run__a_crash_costs_one_task(void **state)
{
    (void)state;
    struct seen seen = {.refuse_at = -1, .signal_at = -1};
    assert_int_equal(run(&seen, task_mixed, 2), 0);
    assert_int_equal(seen.results, TASKS);
    for (int i = 0; i < 3; i++)
        assert_string_equal(seen.status[i], "crashed");
    for (int i = 3; i < TASKS; i++)
        assert_string_equal(seen.status[i], "ok");
    assert_non_null(strstr(seen.message[0], "SIGSEGV (Segmentation fault)"));
    assert_non_null(strstr(seen.message[1], "exit code 7"));
    assert_non_null(strstr(seen.message[2], "SIGKILL"));
}

static void worker_run__refusal_stops_the_rest(void **state)
{
    (void)state;
    struct seen seen = {.refuse_at = 4, .signal_at = -1};
    assert_int_equal(run(&seen, task_ok, 1), -1);
    assert_int_equal(seen.results, 5);
}

static void worker_run__a_signal_ends_it_and_the_children(void **state)
{
    (void)state;
    struct seen seen = {.refuse_at = -1, .signal_at = 1};
    pid_t child;
    assert_int_equal(pipe(seen.pipe), 0);
    assert_int_equal(run(&seen, task_sleepy, 2), SIGTERM);
    assert_int_equal(seen.results, 1);
    assert_string_equal(seen.status[0], "ok");
    /* No child is left, and signals are as they were. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(seen.pipe[1]);
    while (read(seen.pipe[0], &child, sizeof child) == sizeof child)
        assert_int_equal(kill(child, 0), -1);
    close(seen.pipe[0]);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
}

static void worker_run__children_end_with_a_killed_parent(void **state)
{
    (void)state;
    struct seen seen = {.refuse_at = -1, .signal_at = -1};
    pid_t child = 0;
    assert_int_equal(pipe(seen.pipe), 0);
    pid_t parent = fork();
    if (parent == 0) {
        run(&seen, task_sleepy, 1);
        _exit(0);
    }
    close(seen.pipe[1]);
    assert_int_equal(read(seen.pipe[0], &child, sizeof child), sizeof child);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    /* The write end of the pipe is closed when the last process that holds it is gone. */
    assert_int_equal(read(seen.pipe[0], &child, 1), 0);
    close(seen.pipe[0]);
}

static void worker_cpus__is_at_least_one(void **state)
{
    (void)state;
    assert_true(worker_cpus() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_run__brings_every_record),
        cmocka_unit_test(worker_run__a_crash_costs_one_task),
        cmocka_unit_test(worker_run__refusal_stops_the_rest),
        cmocka_unit_test(worker_run__a_signal_ends_it_and_the_children),
        cmocka_unit_test(worker_run__children_end_with_a_killed_parent),
        cmocka_unit_test(worker_cpus__is_at_least_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
