/* child.h - for tests: runs what ends its process in a child, and keeps its last words. */
#ifndef RAILSIM_TESTS_CHILD_H
#define RAILSIM_TESTS_CHILD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* child_run runs f in a child and returns its status (of waitpid; exit code 0 if f returned); what
 * it wrote to stderr is in text[size]. */
static inline int child_run(void (*f)(void), char *text, size_t size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        dup2(ends[1], 2);
        f();
        _exit(0);
    }
    close(ends[1]);
    memset(text, 0, size);
    size_t n = 0;
    for (ssize_t got; n + 1 < size && (got = read(ends[0], text + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* child_aborts: f ends its process by SIGABRT. */
static inline void child_aborts(void (*f)(void), char *text, size_t size)
{
    int status = child_run(f, text, size);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

#endif
