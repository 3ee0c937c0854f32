/* doctor.c - `railsim doctor`: what this installation has and lacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sim/app/cli.h"
#include "sim/app/verbs.h"
#include "sim/app/worker.h"

static const struct cli_option options[] = {{0}};

static const struct cli_verb verb = {
    .name = "doctor",
    .args = "",
    .help = "Says what this installation has and lacks; exit 1 if something needed is missing.",
    .example = "railsim doctor",
    .arg_min = 0,
    .arg_max = 0,
    .options = options,
};

/* print_row prints one finding and returns ok. */
static bool print_row(bool ok, const char *what, const char *found)
{
    printf("%-4s %-16s %s\n", ok ? "ok" : "LACK", what, found);
    return ok;
}

/* find_program returns the path of an executable in $PATH, or NULL. */
static const char *find_program(struct arena *arena, const char *name)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        int len = (int)strcspn(path, ":");
        const char *file = arena_printf(arena, "%.*s/%s", len, path, name);
        if (len && access(file, X_OK) == 0) return file;
        path += len + (path[len] == ':');
    }
    return NULL;
}

/* clock_step_ns returns the smallest step seen on the monotonic clock in 1000 readings. */
static long clock_step_ns(void)
{
    struct timespec before, now;
    long least = 1000000000;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 1000; i++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        long step = (now.tv_sec - before.tv_sec) * 1000000000L + now.tv_nsec - before.tv_nsec;
        if (step > 0 && step < least) least = step;
        before = now;
    }
    return least;
}

/* check_results opens a database in memory. */
static bool check_results(void)
{
    struct err err = {0};
    struct results *results = results_open(":memory:", RESULTS_MEMORY, &err);
    bool ok = results && results_close(results, &err);
    err_print(&err, stderr);
    err_free(&err);
    return print_row(ok, "database", ok ? "opens" : "cannot be opened");
}

static bool examine(struct arena *arena)
{
    static const char *const folders[] = {"topologies", "workloads", "plots", "tests/validation"};
    struct utsname host = {0};
    bool ok = print_row(true, "program", cli_version(arena));
    uname(&host);
    print_row(true, "system",
              arena_printf(arena, "%s %s %s", host.sysname, host.release, host.machine));
    print_row(true, "processors", arena_printf(arena, "%d x %s", worker_cpus(), cli_cpu(arena)));
    print_row(true, "clock", arena_printf(arena, "monotonic, step %ld ns", clock_step_ns()));
    ok &= check_results();
    const char *gnuplot = find_program(arena, "gnuplot");
    ok &= print_row(gnuplot, "gnuplot",
                    gnuplot ? gnuplot : "not in PATH: railsim plot needs it (gnuplot-nox)");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = cli_data_path(arena, folders[i]);
        ok &= print_row(access(path, R_OK | X_OK) == 0, folders[i], path);
    }
    return ok;
}

int doctor_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    int code = cli_parse(&verb, &line, &arena, NULL);
    if (code == CLI_GO) code = examine(&arena) ? CLI_OK : CLI_FAILED;
    arena_free(&arena);
    return code;
}
