/* record.c - the rows of one run, and their way through a pipe.
 *
 * Why apart: models, the database writer and sweep workers share it and nothing else.
 * The one idea: a record travels as one frame (magic, length, hash, payload) of this machine's own
 * byte order, because both ends are the same program; the reader believes nothing: it reads what
 * arrives, checks the hash, then parses with every bound checked.
 */
#include "sim/base/record.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAGIC UINT64_C(0x31637264727372) /* "rsrdrc1" */
#define FRAME_MAX (INT64_C(1) << 30)           /* bytes of payload */
#define CHUNK ((size_t)1 << 16)                /* read at once: a false length costs no memory */

void record_init(struct record *record)
{
    *record = (struct record){.status = "ok", .message = ""};
}

void record_free(struct record *record)
{
    for (int64_t i = 0; i < record->series_n; i++) {
        mem_free(record->series[i].time_ps);
        mem_free(record->series[i].value);
    }
    mem_free(record->metrics);
    mem_free(record->phases);
    mem_free(record->shares);
    mem_free(record->series);
    mem_free(record->bins);
    arena_free(&record->arena);
    record_init(record);
}

/* PUSH returns a pointer to a new last element of a vector of the record. */
#define PUSH(r, array, one)                                                                        \
    ((r)->array = mem_grow((r)->array, &(r)->one##_cap, (r)->one##_n + 1, sizeof *(r)->array),     \
     &(r)->array[(r)->one##_n++])

void record_metric(struct record *r, const char *entity, const char *name, const char *unit,
                   double value)
{
    if (!isfinite(value)) return;
    *PUSH(r, metrics, metric) = (struct record_metric){
        .entity = arena_strdup(&r->arena, entity),
        .name = arena_strdup(&r->arena, name),
        .unit = arena_strdup(&r->arena, unit),
        .value = value,
    };
}

bool record_find(const struct record *r, const char *entity, const char *name, double *out)
{
    for (int64_t i = 0; i < r->metric_n; i++) {
        const struct record_metric *metric = &r->metrics[i];
        if (strcmp(metric->name, name) != 0 || strcmp(metric->entity, entity) != 0) continue;
        *out = metric->value;
        return true;
    }
    return false;
}

int record_phase(struct record *r, const char *name, int64_t start_ps, int64_t end_ps)
{
    *PUSH(r, phases, phase) = (struct record_phase){
        .name = arena_strdup(&r->arena, name),
        .bound = "",
        .start_ps = start_ps,
        .end_ps = end_ps,
    };
    return (int)r->phase_n - 1;
}

void record_share(struct record *r, int phase, const char *category, const char *bound,
                  int64_t time_ps)
{
    if (time_ps == 0) return;
    *PUSH(r, shares, share) = (struct record_share){
        .phase = phase,
        .category = arena_strdup(&r->arena, category),
        .bound = arena_strdup(&r->arena, bound),
        .time_ps = time_ps,
    };
}

int record_series(struct record *r, const char *entity, const char *name, const char *unit,
                  int64_t window_ps)
{
    *PUSH(r, series, series) = (struct record_series){
        .entity = arena_strdup(&r->arena, entity),
        .name = arena_strdup(&r->arena, name),
        .unit = arena_strdup(&r->arena, unit),
        .window_ps = window_ps,
    };
    return (int)r->series_n - 1;
}

static void series_reserve(struct record_series *series, int64_t need)
{
    int64_t cap = series->cap;
    series->time_ps = mem_grow(series->time_ps, &cap, need, sizeof *series->time_ps);
    series->value = mem_grow(series->value, &series->cap, need, sizeof *series->value);
}

void record_sample(struct record *r, int series, int64_t time_ps, double value)
{
    struct record_series *s = &r->series[series];
    if (!isfinite(value)) return;
    series_reserve(s, s->n + 1);
    s->time_ps[s->n] = time_ps;
    s->value[s->n++] = value;
}

void record_bin(struct record *r, const struct record_bin *bin)
{
    struct record_bin *copy = PUSH(r, bins, bin);
    *copy = *bin;
    copy->entity = arena_strdup(&r->arena, bin->entity);
    copy->name = arena_strdup(&r->arena, bin->name);
    copy->unit = arena_strdup(&r->arena, bin->unit);
}

/* ---- the frame --------------------------------------------------------------------------------
 * One walk over the fields serves both directions: struct wire either appends to or takes from
 * `bytes`. */
struct frame_head {
    uint64_t magic, hash;
    int64_t length;
};

struct wire {
    bool reading, failed;
    char *bytes;
    int64_t n, cap, at; /* at: read so far */
    struct arena *arena;
};

/* FNV-1a over 64-bit words: against damage, not against an enemy. */
static uint64_t hash_bytes(const char *bytes, int64_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)n;
    for (int64_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, n - i < 8 ? (size_t)(n - i) : 8);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

static void wire_bytes(struct wire *w, void *data, int64_t size)
{
    if (!w->reading) {
        w->bytes = mem_grow(w->bytes, &w->cap, w->n + size, 1);
        if (size > 0) memcpy(w->bytes + w->n, data, (size_t)size);
        w->n += size;
    } else if (w->failed || size > w->n - w->at) {
        w->failed = true;
        if (size > 0) memset(data, 0, (size_t)size);
    } else {
        if (size > 0) memcpy(data, w->bytes + w->at, (size_t)size);
        w->at += size;
    }
}

static void wire_int(struct wire *w, int64_t *value)
{
    wire_bytes(w, value, sizeof *value);
}

static void wire_double(struct wire *w, double *value)
{
    wire_bytes(w, value, sizeof *value);
    if (!isfinite(*value)) w->failed = true;
}

static void wire_text(struct wire *w, const char **text)
{
    int64_t n = w->reading ? 0 : (int64_t)strlen(*text);
    wire_int(w, &n);
    if (!w->reading) {
        wire_bytes(w, (void *)(uintptr_t)*text, n);
        return;
    }
    *text = "";
    if (n < 0 || n > w->n - w->at) w->failed = true;
    if (w->failed || n == 0) return;
    char *copy = arena_alloc(w->arena, (size_t)n + 1);
    wire_bytes(w, copy, n);
    if (memchr(copy, 0, (size_t)n)) w->failed = true;
    *text = copy;
}

/* wire_count carries the number of elements; every element takes at least min bytes, so that a
 * false count cannot ask for more memory than arrived. */
static int64_t wire_count(struct wire *w, int64_t n, int64_t min)
{
    wire_int(w, &n);
    if (w->reading && (n < 0 || n > (w->n - w->at) / min)) w->failed = true;
    return w->failed ? 0 : n;
}

static void wire_names(struct wire *w, const char **entity, const char **name, const char **unit)
{
    wire_text(w, entity);
    wire_text(w, name);
    wire_text(w, unit);
}

static void wire_head(struct wire *w, struct record *r)
{
    wire_text(w, &r->status);
    wire_text(w, &r->message);
    wire_bytes(w, &r->fingerprint, sizeof r->fingerprint);
    wire_int(w, &r->sim_time_ps);
    wire_int(w, &r->events);
    wire_int(w, &r->data_hops);
    wire_int(w, &r->ack_hops);
    wire_int(w, &r->peak_rss_bytes);
    wire_double(w, &r->run_cpu_s);
    wire_double(w, &r->run_wall_s);
    wire_double(w, &r->setup_cpu_s);
}

static void wire_phases(struct wire *w, struct record *r)
{
    int64_t n = wire_count(w, r->phase_n, 5 * 8);
    for (int64_t i = 0; i < n && !w->failed; i++) {
        if (w->reading) record_phase(r, "", 0, 0); /* may move r->phases */
        struct record_phase *phase = &r->phases[i];
        wire_text(w, &phase->name);
        wire_text(w, &phase->bound);
        wire_int(w, &phase->start_ps);
        wire_int(w, &phase->end_ps);
        wire_int(w, &phase->read_bytes);
    }
    n = wire_count(w, r->share_n, 4 * 8);
    for (int64_t i = 0; i < n && !w->failed; i++) {
        struct record_share *share = w->reading ? PUSH(r, shares, share) : &r->shares[i];
        int64_t phase = share->phase;
        wire_int(w, &phase);
        wire_text(w, &share->category);
        wire_text(w, &share->bound);
        wire_int(w, &share->time_ps);
        if (phase < 0 || phase >= r->phase_n)
            w->failed = true;
        else
            share->phase = (int)phase;
    }
}

static void wire_series(struct wire *w, struct record *r)
{
    int64_t n = wire_count(w, r->series_n, 5 * 8);
    for (int64_t i = 0; i < n && !w->failed; i++) {
        if (w->reading) record_series(r, "", "", "", 0); /* may move r->series */
        struct record_series *s = &r->series[i];
        wire_names(w, &s->entity, &s->name, &s->unit);
        wire_int(w, &s->window_ps);
        int64_t samples = wire_count(w, s->n, 2 * 8);
        if (w->reading) series_reserve(s, samples);
        s->n = samples;
        wire_bytes(w, s->time_ps, samples * (int64_t)sizeof *s->time_ps);
        for (int64_t k = 0; k < samples; k++)
            wire_double(w, &s->value[k]);
    }
}

static void wire_record(struct wire *w, struct record *r)
{
    wire_head(w, r);
    int64_t n = wire_count(w, r->metric_n, 4 * 8);
    for (int64_t i = 0; i < n && !w->failed; i++) {
        struct record_metric *metric = w->reading ? PUSH(r, metrics, metric) : &r->metrics[i];
        wire_names(w, &metric->entity, &metric->name, &metric->unit);
        wire_double(w, &metric->value);
    }
    wire_phases(w, r);
    wire_series(w, r);
    n = wire_count(w, r->bin_n, 6 * 8);
    for (int64_t i = 0; i < n && !w->failed; i++) {
        struct record_bin *bin = w->reading ? PUSH(r, bins, bin) : &r->bins[i];
        wire_names(w, &bin->entity, &bin->name, &bin->unit);
        wire_double(w, &bin->low);
        wire_double(w, &bin->high);
        wire_int(w, &bin->count);
    }
}

static bool write_all(int fd, const char *bytes, int64_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, (size_t)n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        bytes += done;
        n -= done;
    }
    return true;
}

/* read_all returns false at the end of the stream (errno EBADMSG) and on errors. */
static bool read_all(int fd, char *bytes, int64_t n)
{
    while (n > 0) {
        ssize_t done = read(fd, bytes, (size_t)n);
        if (done < 0 && errno == EINTR) continue;
        if (done == 0) errno = EBADMSG;
        if (done <= 0) return false;
        bytes += done;
        n -= done;
    }
    return true;
}

bool record_write(const struct record *r, int fd)
{
    struct wire w = {0};
    struct record *fields = (struct record *)(uintptr_t)r; /* writing changes nothing in it */
    wire_record(&w, fields);
    struct frame_head head = {FRAME_MAGIC, hash_bytes(w.bytes, w.n), w.n};
    bool ok = !w.failed && w.n <= FRAME_MAX;
    if (!ok) errno = EOVERFLOW;
    ok = ok && write_all(fd, (const char *)&head, sizeof head) && write_all(fd, w.bytes, w.n);
    mem_free(w.bytes);
    return ok;
}

static bool read_frame(struct wire *w, int fd)
{
    struct frame_head head;
    if (!read_all(fd, (char *)&head, sizeof head)) return false;
    errno = EBADMSG;
    if (head.magic != FRAME_MAGIC || head.length < 0 || head.length > FRAME_MAX) return false;
    while (w->n < head.length) {
        int64_t part = head.length - w->n < (int64_t)CHUNK ? head.length - w->n : (int64_t)CHUNK;
        w->bytes = mem_grow(w->bytes, &w->cap, w->n + part, 1);
        if (!read_all(fd, w->bytes + w->n, part)) return false;
        w->n += part;
    }
    errno = EBADMSG;
    return hash_bytes(w->bytes, w->n) == head.hash;
}

bool record_read(struct record *r, int fd)
{
    record_init(r);
    struct wire w = {.reading = true, .arena = &r->arena};
    bool ok = read_frame(&w, fd);
    if (ok) {
        wire_record(&w, r);
        ok = !w.failed && w.at == w.n;
        if (!ok) errno = EBADMSG;
    }
    mem_free(w.bytes);
    if (!ok) record_free(r);
    return ok;
}
