/* worker.c - runs tasks in forked children and hands their records to the parent.
 *
 * Apart from sweep.c because processes, pipes and signals are a concept of their own. The one idea:
 * a child does one task and leaves with _exit, so that a crash costs one point and nothing of the
 * parent (stdio buffers, database) is ever flushed or closed twice.
 *
 * Fork and SQLite: the parent may hold a connection while it forks. That is safe because the child
 * never uses nor closes it: its descriptors vanish with _exit, POSIX locks belong to the parent's
 * process id and are neither inherited nor released by that. https://sqlite.org/howtocorrupt.html,
 * on carrying a connection across fork(), forbids exactly the use and the close.
 *
 * Signals: SIGINT, SIGTERM, SIGHUP are blocked and read from a descriptor, so there is no handler
 * and no global. Children inherit the mask: a Ctrl-C at the terminal reaches them too, and would
 * else look like a crash; the parent stops them with SIGKILL, and the kernel does if it dies.
 * Not modelled: tasks that depend on each other.
 */
#include "sim/app/worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKER_TICK_MS 500
#define WORKER_ECHO_MS 100 /* a signal to the process group comes twice from some senders */

struct child {
    pid_t pid;
    int fd; /* read end of its pipe */
    int64_t index;
    double started_unix_s;
};

/* struct crew: one worker_run under way. poll[0] is the signals', poll[1 + i] child[i]'s. */
struct crew {
    const struct worker_plan *plan;
    struct err *err;
    struct child *child;
    struct pollfd *poll;
    int running;
    int64_t next;
    sigset_t signals, mask_before;
    int signal_fd, signal;
    bool refused;
};

double worker_unix_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* child_main does the task of the next index and never returns. */
static _Noreturn void child_main(const struct crew *crew, int fd, pid_t parent)
{
    struct record record;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* it died before prctl */
    crew->plan->work(crew->plan->self, crew->next, &record);
    _exit(record_write(&record, fd) ? 0 : 1);
}

static bool start_child(struct crew *crew)
{
    int fds[2];
    pid_t parent = getpid();
    if (pipe(fds) != 0) return err_io(crew->err, "cannot make a pipe: %s", strerror(errno));
    fflush(stdout);
    fflush(stderr);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child_main(crew, fds[1], parent);
    }
    int why = errno;
    close(fds[1]); /* before the next fork: only its own child may hold a pipe open */
    if (pid < 0) {
        close(fds[0]);
        return err_io(crew->err, "cannot start a process: %s", strerror(why));
    }
    crew->child[crew->running++] = (struct child){pid, fds[0], crew->next++, worker_unix_s()};
    return true;
}

/* crash_message says how the child died. */
static const char *crash_message(struct arena *arena, int status)
{
    if (!WIFSIGNALED(status))
        return arena_printf(arena, "the worker ended with exit code %d and no result",
                            WEXITSTATUS(status));
    int number = WTERMSIG(status);
    const char *name = sigabbrev_np(number), *text = sigdescr_np(number);
    return arena_printf(arena, "the worker was killed by SIG%s (%s)%s", name ? name : "?",
                        text ? text : "unknown signal",
                        number == SIGKILL ? "; the kernel does that when memory runs out" : "");
}

/* collect reads the record of child[at], waits for its end, and hands the result on. */
static void collect(struct crew *crew, int at)
{
    struct child child = crew->child[at];
    struct record record;
    int status = 0;
    bool complete = record_read(&record, child.fd);
    close(child.fd);
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {}
    crew->child[at] = crew->child[--crew->running];
    if (!complete || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        if (complete) record_free(&record);
        record_init(&record);
        record.status = "crashed";
        record.message = crash_message(&record.arena, status);
    }
    struct worker_result result = {child.index, &record, child.started_unix_s, worker_unix_s()};
    if (!crew->plan->done(crew->plan->self, &result)) crew->refused = true;
    record_free(&record);
}

/* wait_event returns the index of a child that has something to say, or -1 (tick or signal). */
static int wait_event(struct crew *crew)
{
    struct signalfd_siginfo info;
    crew->poll[0] = (struct pollfd){.fd = crew->signal_fd, .events = POLLIN};
    for (int i = 0; i < crew->running; i++)
        crew->poll[1 + i] = (struct pollfd){.fd = crew->child[i].fd, .events = POLLIN};
    if (poll(crew->poll, (nfds_t)(1 + crew->running), WORKER_TICK_MS) <= 0) return -1;
    if (crew->poll[0].revents && read(crew->signal_fd, &info, sizeof info) == sizeof info) {
        crew->signal = (int)info.ssi_signo;
        return -1;
    }
    for (int i = 0; i < crew->running; i++)
        if (crew->poll[1 + i].revents) return i;
    return -1;
}

static void stop_children(struct crew *crew)
{
    for (int i = 0; i < crew->running; i++)
        kill(crew->child[i].pid, SIGKILL);
    for (int i = 0; i < crew->running; i++) {
        while (waitpid(crew->child[i].pid, NULL, 0) < 0 && errno == EINTR) {}
        close(crew->child[i].fd);
    }
    crew->running = 0;
}

/* swallow_echo takes the copies of the signal that ended the run. */
static void swallow_echo(const struct crew *crew)
{
    struct signalfd_siginfo info;
    struct pollfd wait = {.fd = crew->signal_fd, .events = POLLIN};
    for (int i = 0; i < 4 && poll(&wait, 1, WORKER_ECHO_MS) > 0; i++)
        if (read(crew->signal_fd, &info, sizeof info) != sizeof info) return;
}

static bool crew_open(struct crew *crew)
{
    sigemptyset(&crew->signals);
    sigaddset(&crew->signals, SIGINT);
    sigaddset(&crew->signals, SIGTERM);
    sigaddset(&crew->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &crew->signals, &crew->mask_before);
    crew->signal_fd = signalfd(-1, &crew->signals, SFD_CLOEXEC);
    if (crew->signal_fd >= 0) return true;
    sigprocmask(SIG_SETMASK, &crew->mask_before, NULL);
    return err_io(crew->err, "cannot watch for signals: %s", strerror(errno));
}

static void crew_loop(struct crew *crew)
{
    const struct worker_plan *plan = crew->plan;
    int jobs = plan->jobs < WORKER_JOBS_MAX ? plan->jobs : WORKER_JOBS_MAX;
    while (!crew->refused && !crew->signal && (crew->running || crew->next < plan->n)) {
        while (crew->running < jobs && crew->next < plan->n)
            if (!start_child(crew)) {
                crew->refused = true;
                return;
            }
        int at = wait_event(crew);
        if (at >= 0) collect(crew, at);
        if (plan->tick) plan->tick(plan->self);
    }
}

int worker_run(const struct worker_plan *plan, struct err *err)
{
    struct arena arena = {0};
    struct crew crew = {.plan = plan, .err = err};
    crew.child = ARENA_ARRAY(&arena, struct child, WORKER_JOBS_MAX);
    crew.poll = ARENA_ARRAY(&arena, struct pollfd, WORKER_JOBS_MAX + 1);
    if (!crew_open(&crew)) {
        arena_free(&arena);
        return -1;
    }
    crew_loop(&crew);
    stop_children(&crew);
    if (crew.signal) swallow_echo(&crew);
    /* From here on a second signal ends the process at once. */
    sigprocmask(SIG_SETMASK, &crew.mask_before, NULL);
    close(crew.signal_fd);
    arena_free(&arena);
    return crew.signal ? crew.signal : crew.refused ? -1 : 0;
}

int worker_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}
