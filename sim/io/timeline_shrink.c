/* timeline_shrink.c - takes hosts out of a timeline that is being written.
 *
 * Apart from timeline.c because that one only ever appends. The one idea: an event is a line that
 * begins with its process, so the file is copied onto itself without the lines of some; what is
 * read is always ahead of what is written. Each time half of the hosts go, so each line is copied
 * about once more than it is written.
 * Not modelled: the other half of an arrow that went; viewers draw none.
 */
#include "sim/io/timeline_shrink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define COPY_BYTES (1 << 14)

/* struct copy: kept lines on their way back into the file. */
struct copy {
    int fd;
    off_t at;
    size_t n;
    bool failed;
    char bytes[COPY_BYTES];
};

static void flush(struct copy *copy)
{
    for (size_t done = 0; done < copy->n && !copy->failed;) {
        ssize_t n = pwrite(copy->fd, copy->bytes + done, copy->n - done, copy->at);
        copy->failed = n <= 0;
        if (n <= 0) break;
        done += (size_t)n;
        copy->at += n;
    }
    copy->n = 0;
}

static void put(struct copy *copy, const char *text, size_t n)
{
    while (n > 0) {
        size_t some = COPY_BYTES - copy->n < n ? COPY_BYTES - copy->n : n;
        memcpy(copy->bytes + copy->n, text, some);
        copy->n += some;
        text += some;
        n -= some;
        if (copy->n == COPY_BYTES) flush(copy);
    }
}

/* The process of an event's line. */
static int32_t node_of(const char *line)
{
    static const char head[] = "{\"pid\": ";
    const char *at = strstr(line, head);
    return at ? (int32_t)strtol(at + sizeof head - 1, NULL, 10) : -1;
}

/* keep_lines copies what is behind the first line, without its separators. Returns how many lines
 * stay; counts those of hosts. */
static int64_t keep_lines(struct timeline *timeline, FILE *in, struct copy *copy)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = getline(&line, &cap, in);
    int64_t lines = 0;
    copy->at = len > 0 ? len - 1 : 0; /* each line comes with the newline before it */
    timeline->events = 0;
    timeline->top = -1;
    while ((len = getline(&line, &cap, in)) > 0) {
        const int32_t node = node_of(line);
        const bool run = node == timeline->run_node;
        if (!run && node >= timeline->drawn) continue;
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == ','))
            len--;
        put(copy, ",\n", lines > 0 ? 2 : 0);
        put(copy, "\n", lines > 0 ? 0 : 1);
        put(copy, line, (size_t)len);
        lines++;
        timeline->events += !run;
        if (!run && node > timeline->top) timeline->top = node;
    }
    flush(copy);
    free(line);
    return lines;
}

bool timeline_shrink(struct timeline *timeline)
{
    const int fd = fileno(timeline->out);
    if (!timeline->shrinks || timeline->top < 1 || fd < 0) return false;
    if (fflush(timeline->out) != 0 || lseek(fd, 0, SEEK_CUR) < 0) return false;
    const int other = dup(fd);
    FILE *in = other < 0 ? NULL : fdopen(other, "r");
    struct copy copy = {.fd = fd};
    const int64_t before = timeline->events;
    if (!in && other >= 0) close(other);
    if (!in) return false;
    rewind(in);
    timeline->drawn = (timeline->top + 1) / 2;
    timeline->filled = keep_lines(timeline, in, &copy) > 0;
    timeline->failed |= ferror(in) || copy.failed || ftruncate(fd, copy.at) != 0;
    fclose(in);
    timeline->failed |= fseeko(timeline->out, 0, SEEK_END) != 0;
    return !timeline->failed && (timeline->events < before || timeline->top >= 1);
}
