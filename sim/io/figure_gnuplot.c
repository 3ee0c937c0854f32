/* figure_gnuplot.c - hands files to gnuplot, waits for it, moves what it drew into place.
 *
 * gnuplot is a program, not a library: it may be missing, hang, fail half-way, and it takes orders
 * from its input. Everything that follows from that is in this file. The one idea: it works in a
 * fresh folder under names that we made up, so that no path of the user's ever reaches it.
 *
 * Not modelled: gnuplot's own limits on memory and file size.
 */
#include "sim/io/figure_gnuplot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 60000
#define WORDS_BYTES 4096 /* of gnuplot's messages that are kept */
#define ENV_MAX 8

/* utf8_len returns the length of the character at text if it is well-formed UTF-8 and printable
 * (no C0, DEL, C1), else 0. */
static int utf8_len(const unsigned char *text)
{
    unsigned c = text[0];
    if (c < 0x80) return c >= 0x20 && c != 0x7f;
    int n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4) return 0;
    unsigned code = c & (0x7fU >> n);
    for (int i = 1; i < n; i++) {
        if ((text[i] & 0xc0U) != 0x80) return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    bool noncharacter = (code & 0xfffe) == 0xfffe;
    return overlong || surrogate || noncharacter || code > 0x10ffff || code < 0xa0 ? 0 : n;
}

void figure_gnuplot_quote(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                " .,:;()[]+-=/";
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        int n = utf8_len(at);
        if (*at == '\n' || *at == '\t' || *at == '\r') {
            fputc(' ', out);
            n = 1;
        } else if (n == 0) {
            fputs("\\357\\277\\275", out); /* U+FFFD */
            n = 1;
        } else if (n == 1 && strchr(plain, *at)) {
            fputc(*at, out);
        } else {
            for (int i = 0; i < n; i++)
                fprintf(out, "\\%03o", at[i]);
        }
        at += n;
    }
    fputc('"', out);
}

/* write_all writes to a descriptor; false with errno. */
static bool write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, text, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text += n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool fill_folder(int folder, const struct figure_gnuplot_file *files, int n, struct err *err)
{
    for (int i = 0; i < n; i++) {
        int fd = openat(folder, files[i].name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        bool ok = fd >= 0 && write_all(fd, files[i].text, files[i].bytes);
        int why = errno;
        if (fd >= 0 && close(fd) != 0 && ok) {
            why = errno;
            ok = false;
        }
        if (!ok) return err_io(err, "cannot write a temporary file: %s", strerror(why));
    }
    return true;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* hear reads gnuplot's messages until it closes the pipe or ends_ms, keeping the first bytes. */
static void hear(int fd, int64_t ends_ms, char said[WORDS_BYTES])
{
    size_t have = 0;
    for (;;) {
        char spill[512];
        size_t room = WORDS_BYTES - 1 - have;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left_ms = ends_ms - now_ms();
        if (left_ms <= 0 || (poll(&wait, 1, (int)left_ms) <= 0 && errno != EINTR)) break;
        if (!wait.revents) continue;
        ssize_t n = room ? read(fd, said + have, room) : read(fd, spill, sizeof(spill));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        if (room) have += (size_t)n;
    }
    said[have] = '\0';
}

/* reap waits for the child until ends_ms, then kills it. Returns its wait status, -1 if killed. */
static int reap(pid_t pid, int64_t ends_ms)
{
    for (;;) {
        int status = 0;
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid) return status;
        if (got < 0 && errno != EINTR) return -1;
        if (now_ms() >= ends_ms) break;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    return -1;
}

/* spawn starts gnuplot with its words going to the pipe; returns posix_spawn's error. */
static int spawn(pid_t *pid, const char *folder, const char *script, int pipe_fd)
{
    /* Only these: GNUTERM, GNUPLOT_* and the like would change the figure. */
    static const char *const kept[] = {
        "PATH=", "HOME=", "TMPDIR=", "XDG_CACHE_HOME=", "FONTCONFIG_FILE=", "FONTCONFIG_PATH="};
    char *env[ENV_MAX], locale[] = "LC_ALL=C.UTF-8";
    int n = 0;
    env[n++] = locale;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        for (char **at = environ; *at; at++)
            if (strncmp(*at, kept[i], strlen(kept[i])) == 0) {
                env[n++] = *at;
                break;
            }
    env[n] = NULL;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd, 1);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd, 2);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawnattr_init(&attr);
    sigset_t none, deadly;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    /* We ignore SIGXFSZ and check our writes; gnuplot does not: half a figure with exit code 0. */
    sigemptyset(&deadly);
    sigaddset(&deadly, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attr, &deadly);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char program[] = "gnuplot", no_rc[] = "-d";
    char *argv[] = {program, no_rc, (char *)(uintptr_t)script, NULL};
    int why = posix_spawnp(pid, program, &actions, &attr, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return why;
}

/* run_gnuplot runs the script in the folder to its end. */
static bool run_gnuplot(const char *folder, const char *script, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return err_io(err, "cannot open a pipe: %s", strerror(errno));
    pid_t pid = 0;
    int why = spawn(&pid, folder, script, ends[1]);
    close(ends[1]);
    if (why != 0) {
        close(ends[0]);
        if (why != ENOENT) return err_io(err, "cannot start gnuplot: %s", strerror(why));
        return err_io(err, "gnuplot is not installed: apt-get install gnuplot-nox");
    }
    char said[WORDS_BYTES];
    int64_t ends_ms = now_ms() + TIMEOUT_MS;
    hear(ends[0], ends_ms, said);
    close(ends[0]);
    int status = reap(pid, ends_ms);
    const char *text = said + strspn(said, " \n");
    if (status == -1) return err_io(err, "gnuplot did not finish in %d s", TIMEOUT_MS / 1000);
    if (WIFSIGNALED(status))
        return err_io(err, "gnuplot was ended by signal %d (%s)", WTERMSIG(status), text);
    if (WEXITSTATUS(status) != 0) return err_io(err, "gnuplot failed: %s", text);
    if (*text) fprintf(stderr, "gnuplot: %s", text);
    return true;
}

/* copy moves all bytes; false with errno. */
static bool copy(int from, int to)
{
    char buf[65536];
    for (;;) {
        ssize_t n = read(from, buf, sizeof(buf));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        if (!write_all(to, buf, (size_t)n)) return false;
    }
}

/* put_file copies the figure to a new file beside out and renames it: readers see the old figure or
 * the new one. A symbolic link stays one. */
static bool put_file(int from, const char *out, struct err *err)
{
    char target[PATH_MAX], beside[PATH_MAX];
    struct stat st;
    bool there = stat(out, &st) == 0;
    if (there && !S_ISREG(st.st_mode)) return err_io(err, "%s is not a regular file", out);
    if (there ? !realpath(out, target)
              : snprintf(target, sizeof(target), "%s", out) >= (int)sizeof(target))
        return err_io(err, "cannot write %s: the path is too long", out);
    const char *slash = strrchr(target, '/');
    int folder_len = slash ? (int)(slash - target) + 1 : 0;
    int n = snprintf(beside, sizeof(beside), "%.*s.railsim-XXXXXX", folder_len, target);
    int fd = n < (int)sizeof(beside) ? mkostemp(beside, O_CLOEXEC) : -1;
    if (fd < 0) return err_io(err, "cannot write %s: %s", out, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    bool ok = copy(from, fd) && fchmod(fd, there ? st.st_mode & 0777 : 0666 & ~mask) == 0;
    int why = errno;
    if (close(fd) != 0 && ok) {
        why = errno;
        ok = false;
    }
    if (ok && rename(beside, target) != 0) {
        why = errno;
        ok = false;
    }
    if (ok) return true;
    unlink(beside);
    return err_io(err, "cannot write %s: %s", out, strerror(why));
}

static bool deliver(int folder, const char *out, struct err *err)
{
    int from = openat(folder, FIGURE_GNUPLOT_OUT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    bool ok = from >= 0 && fstat(from, &st) == 0 && st.st_size > 0;
    char first = 0; /* text begins with a form feed, even after `set terminal dumb nofeed` */
    if (ok && read(from, &first, 1) == 1 && first != '\f') lseek(from, 0, SEEK_SET);
    if (!ok)
        err_io(err, "gnuplot drew nothing");
    else if (out)
        ok = put_file(from, out, err);
    else if (fflush(stdout) != 0 || !copy(from, STDOUT_FILENO))
        ok = err_io(err, "cannot write to standard output: %s", strerror(errno));
    if (from >= 0) close(from);
    return ok;
}

/* sweep removes the folder and all files in it. */
static void sweep(const char *path)
{
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0); /* fails for . and .. */
    if (dir) closedir(dir);
    rmdir(path);
}

bool figure_gnuplot_run(const struct figure_gnuplot_file *files, int n, const char *out,
                        struct err *err)
{
    const char *parent = getenv("TMPDIR");
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/railsim-figure-XXXXXX",
                       parent && *parent ? parent : "/tmp");
    /* A signal waits until the folder is gone; gnuplot, in the same process group, gets it. */
    sigset_t later, before;
    sigemptyset(&later);
    sigaddset(&later, SIGINT);
    sigaddset(&later, SIGTERM);
    sigaddset(&later, SIGHUP);
    sigprocmask(SIG_BLOCK, &later, &before);
    bool ok = false;
    if (len >= (int)sizeof(path) || !mkdtemp(path)) {
        err_io(err, "cannot make a temporary folder: %s", strerror(errno));
    } else {
        int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok = folder >= 0 || err_io(err, "cannot open %s: %s", path, strerror(errno));
        ok = ok && fill_folder(folder, files, n, err) && run_gnuplot(path, files[0].name, err) &&
             deliver(folder, out, err);
        if (folder >= 0) close(folder);
        sweep(path);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}
