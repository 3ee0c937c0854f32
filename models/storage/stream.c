/* stream.c - read-ahead, write-behind and the page cache for one sequential file (stream.h). */
#include "models/storage/stream.h"

#define PAGE_BYTES 4096

enum { TIMER_WAKE };

static void pump(struct stream *stream);

/* The largest request of which a whole number fills the window (but for 1/32) and one stripe. */
static int64_t request_bytes(const struct stream *stream)
{
    const struct client_plan *plan = session_plan(stream->session);
    const struct server_cfg *server = server_cfg(session_server(stream->session));
    int64_t window = stream->write ? plan->dirty_bytes : plan->readahead_file_bytes;
    int64_t most = plan->request_bytes;
    if (most > server->stripe_bytes) most = server->stripe_bytes;
    if (window < PAGE_BYTES) window = PAGE_BYTES;
    if (window <= most) return window;
    for (int64_t n = 1; n <= 16; n++)
        if (window % (most / n) <= window / 32) return most / n;
    return most;
}

/* May bytes more be asked for? */
static bool window_allows(struct stream *stream, int64_t bytes)
{
    const struct client_plan *plan = session_plan(stream->session);
    if (stream->issue_off == stream->at_off) return true; /* demand */
    int64_t window = stream->write ? plan->dirty_bytes : plan->readahead_file_bytes;
    if (stream->write || !plan->stop_and_wait)
        return stream->issue_off + bytes - stream->at_off <= window;
    if (stream->issue_off < stream->batch_end) return true;
    return false;
}

/* The node's budget of bytes on their way: demand always passes, the rest waits in line. */
static bool budget_allows(struct stream *stream, int64_t bytes)
{
    struct readahead *budget = session_readahead(stream->session);
    if (stream->write || budget->limit_bytes == 0) return true;
    bool demand = stream->issue_off == stream->at_off;
    if (demand || budget->used_bytes + bytes <= budget->limit_bytes) {
        budget->used_bytes += bytes;
        return true;
    }
    if (stream->waiting) return false;
    stream->waiting = true;
    stream->next_waiting = NULL;
    if (budget->last_waiting) {
        budget->last_waiting->next_waiting = stream;
    } else {
        budget->waiting = stream;
    }
    budget->last_waiting = stream;
    return false;
}

static void return_budget(struct stream *stream, int64_t bytes)
{
    struct readahead *budget = session_readahead(stream->session);
    if (stream->write || budget->limit_bytes == 0) return;
    budget->used_bytes -= bytes;
    while (budget->waiting && budget->used_bytes < budget->limit_bytes) {
        struct stream *waiting = budget->waiting;
        budget->waiting = waiting->next_waiting;
        if (!budget->waiting) budget->last_waiting = NULL;
        waiting->waiting = false;
        pump(waiting);
        if (waiting->waiting) return; /* it did not fit, and stands last in line now */
    }
}

/* Read-ahead that bound nothing but latency is the limit itself: more would have hidden it. */
static enum bound bound_of(const struct request *request, int64_t now_ps)
{
    int64_t took_ps = now_ps - request->start_ps;
    return 2 * request->wait_ps > took_ps ? request->bound : BOUND_READAHEAD;
}

/* The application takes what is there and allowed. */
static void consume(struct stream *stream)
{
    int64_t to = stream->ready_off;
    if (!stream->write && to > stream->limit_off) to = stream->limit_off;
    stream->at_off = to > stream->at_off ? to : stream->at_off;
}

/* Tell the owner of progress from an event of its own: it may open other streams from there. */
static void wake_if_moved(struct stream *stream, int64_t at_before)
{
    if (stream->at_off != at_before && !timer_armed(&stream->wake))
        timer_after(session_sim(stream->session), &stream->wake, 0);
}

static void on_request_done(struct sim *sim, struct request *request)
{
    struct stream *stream = request->owner;
    request->complete = true;
    if (request != stream->first) return;
    int64_t from = stream->ready_off, at_before = stream->at_off;
    stream->bound = bound_of(request, sim_now_ps(sim));
    while (stream->first && stream->first->complete) {
        struct request *done = stream->first;
        stream->first = done->next;
        if (!stream->first) stream->last = NULL;
        return_budget(stream, done->bytes);
        pool_put(session_pool(stream->session), done);
    }
    stream->ready_off = stream->first ? stream->first->off : stream->issue_off;
    if (!stream->write)
        cache_fill(session_cache(stream->session), stream->set, stream->file, from,
                   stream->ready_off);
    consume(stream);
    pump(stream);
    wake_if_moved(stream, at_before);
}

static void issue(struct stream *stream, int64_t bytes)
{
    struct request *request = pool_get(session_pool(stream->session));
    request->kind = stream->write ? REQUEST_WRITE : REQUEST_READ;
    request->file = stream->set->first_file + stream->file;
    request->off = stream->issue_off;
    request->bytes = bytes;
    request->done = on_request_done;
    request->owner = stream;
    if (stream->last) {
        stream->last->next = request;
    } else {
        stream->first = request;
    }
    stream->last = request;
    stream->issue_off += bytes;
    session_submit(stream->session, request);
}

/* Go over cached bytes at issue_off, as far as the window reaches; true if there were any. */
static bool skip_cached(struct stream *stream)
{
    const struct client_plan *plan = session_plan(stream->session);
    int64_t end_off;
    if (stream->write || stream->issue_off - stream->at_off > plan->readahead_file_bytes ||
        !cache_hit(session_cache(stream->session), stream->set, stream->file, stream->issue_off,
                   &end_off))
        return false;
    stream->issue_off = end_off < stream->end ? end_off : stream->end;
    if (!stream->first) {
        stream->ready_off = stream->issue_off;
        consume(stream);
    }
    return true;
}

static void pump(struct stream *stream)
{
    const struct client_plan *plan = session_plan(stream->session);
    int64_t at_before = stream->at_off;
    int64_t most = request_bytes(stream);
    while (stream->issue_off < stream->end) {
        if (skip_cached(stream)) continue;
        if (stream->issue_off == stream->at_off)
            stream->batch_end = stream->at_off + plan->readahead_file_bytes;
        int64_t run_bytes, bytes = stream->end - stream->issue_off;
        server_target(session_server(stream->session), stream->set->first_file + stream->file,
                      stream->issue_off, &run_bytes);
        if (bytes > most) bytes = most;
        if (bytes > run_bytes) bytes = run_bytes;
        if (!window_allows(stream, bytes) || !budget_allows(stream, bytes)) break;
        issue(stream, bytes);
    }
    wake_if_moved(stream, at_before);
}

static void on_wake(struct sim *sim, void *self)
{
    struct stream *stream = self;
    stream->progress(sim, stream);
}

void stream_init(struct stream *stream, struct session *session)
{
    *stream = (struct stream){.session = session};
    stream->component = sim_component(session_sim(session));
    timer_init(&stream->wake, on_wake, stream, stream->component, TIMER_WAKE);
}

void stream_open(struct stream *stream)
{
    stream->at_off = stream->issue_off = stream->ready_off = stream->begin;
    stream->batch_end = stream->begin;
    stream->bound = BOUND_READAHEAD;
    CHECK(!stream->first, "a stream is opened while it is busy");
    if (stream->limit_off < stream->begin) stream->limit_off = stream->begin;
    pump(stream);
}

void stream_limit(struct stream *stream, int64_t limit_off)
{
    bool more = limit_off > stream->limit_off;
    stream->limit_off = limit_off > stream->at_off ? limit_off : stream->at_off;
    if (!more) return;
    int64_t at_before = stream->at_off;
    consume(stream);
    pump(stream);
    wake_if_moved(stream, at_before);
}
