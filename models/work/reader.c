/* reader.c - threads that stream pieces of a file set (reader.h). */
#include "models/work/reader.h"

static void next_piece(struct reader_thread *thread);

/* ---- drawing --------------------------------------------------------------------------------- */

static int64_t now_ps(const struct reader *reader)
{
    return sim_now_ps(session_sim(reader->session));
}

static void draw(const struct reader_thread *thread, const char *name, int64_t bytes)
{
    const struct reader *reader = thread->reader;
    struct spans_lane at = reader->draws.at;
    at.lane += (int32_t)(thread - reader->thread);
    if (!reader->draws.spans || thread->since_ps == now_ps(reader)) return;
    spans_add(reader->draws.spans, &(struct span){.at = at,
                                                  .name = name,
                                                  .category = "io",
                                                  .start_ps = thread->since_ps,
                                                  .end_ps = now_ps(reader),
                                                  .bytes = bytes});
}

/* A span lasts from when a thread may go on until it may not. */
static void watch(struct reader_thread *thread)
{
    const struct stream *stream = &thread->stream;
    if (!thread->reader->draws.spans) return;
    bool moves = thread->busy && (stream->write || stream->limit_off > stream->at_off);
    if (moves == thread->drawing) return;
    thread->drawing = moves;
    if (!moves) {
        draw(thread, stream->write ? "write" : "read", stream->at_off - thread->drawn_off);
        thread->drawn_off = stream->at_off;
    }
    thread->since_ps = now_ps(thread->reader);
}

static void name_lanes(const struct reader *reader)
{
    struct arena scratch = {0};
    for (int64_t i = 0; reader->draws.spans && i < reader->threads; i++) {
        struct spans_lane at = reader->draws.at;
        at.lane += (int32_t)i;
        const char *name = reader->threads == 1
                               ? reader->draws.name
                               : arena_printf(&scratch, "%s %d", reader->draws.name, (int)i);
        spans_name(reader->draws.spans, at, name);
    }
    arena_free(&scratch);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What is left of the allowance is open to each thread: whoever has data first takes it. What a
 * stream has taken and not yet reported counts. */
static void set_limits(struct reader *reader)
{
    int64_t left = reader->allowed_bytes - reader->taken_bytes;
    for (int64_t i = 0; i < reader->threads; i++) {
        const struct reader_thread *thread = &reader->thread[i];
        if (thread->busy) left -= thread->stream.at_off - thread->seen_off;
    }
    for (int64_t i = 0; i < reader->threads; i++) {
        struct reader_thread *thread = &reader->thread[i];
        if (!thread->busy || thread->stream.write) continue;
        int64_t at_off = thread->stream.at_off;
        stream_limit(&thread->stream, at_off + (left > 0 ? left : 0));
        left -= thread->stream.at_off - at_off;
    }
    for (int64_t i = 0; reader->draws.spans && i < reader->threads; i++)
        watch(&reader->thread[i]);
}

static void on_progress(struct sim *sim, struct stream *stream)
{
    struct reader_thread *thread = stream->owner;
    struct reader *reader = thread->reader;
    reader->taken_bytes += stream->at_off - thread->seen_off;
    thread->seen_off = stream->at_off;
    reader->bound = stream->bound;
    if (stream->at_off == stream->end) {
        thread->busy = false;
        watch(thread);
        next_piece(thread);
    }
    set_limits(reader);
    reader->progress(sim, reader);
}

static void on_opened(struct sim *sim, struct request *request)
{
    (void)sim;
    struct reader_thread *thread = request->owner;
    thread->reader->bound = BOUND_METADATA;
    draw(thread, "open", -1);
    thread->busy = true;
    stream_open(&thread->stream);
    set_limits(thread->reader);
}

static void next_piece(struct reader_thread *thread)
{
    struct reader *reader = thread->reader;
    if (reader->cursor >= reader->end) return;
    const struct file_set *set = reader->set;
    int64_t share = (reader->end - reader->begin + reader->threads - 1) / reader->threads;
    int64_t file = reader->cursor / set->file_bytes, base = file * set->file_bytes;
    int64_t to = base + file_set_bytes(set, file);
    if (to > reader->end) to = reader->end;
    if (to > reader->cursor + share) to = reader->cursor + share;
    struct stream *stream = &thread->stream;
    stream->file = file;
    stream->begin = reader->cursor - base;
    stream->end = to - base;
    stream->limit_off = stream->begin;
    reader->cursor = to;
    thread->seen_off = thread->drawn_off = stream->begin;
    int64_t end_off;
    if (!reader->write &&
        cache_hit(session_cache(reader->session), set, file, stream->begin, &end_off)) {
        thread->busy = true;
        stream_open(stream); /* its inode is cached as well */
        return;
    }
    if (reader->draws.spans) thread->since_ps = now_ps(reader);
    thread->open = (struct request){.kind = REQUEST_META, .done = on_opened, .owner = thread};
    session_submit(reader->session, &thread->open);
}

void reader_init(struct reader *reader)
{
    struct arena *arena = sim_arena(session_sim(reader->session));
    name_lanes(reader);
    reader->thread = ARENA_ARRAY(arena, struct reader_thread, reader->threads);
    for (int64_t i = 0; i < reader->threads; i++) {
        struct reader_thread *thread = &reader->thread[i];
        thread->reader = reader;
        stream_init(&thread->stream, reader->session);
        thread->stream.set = reader->set;
        thread->stream.write = reader->write;
        thread->stream.progress = on_progress;
        thread->stream.owner = thread;
    }
}

void reader_start(struct reader *reader, int64_t begin, int64_t end)
{
    reader->begin = reader->cursor = begin;
    reader->end = end;
    reader->taken_bytes = reader->allowed_bytes = 0;
    for (int64_t i = 0; i < reader->threads; i++)
        next_piece(&reader->thread[i]);
    set_limits(reader);
}

void reader_allow(struct reader *reader, int64_t allowed_bytes)
{
    if (allowed_bytes <= reader->allowed_bytes) return;
    reader->allowed_bytes = allowed_bytes;
    set_limits(reader);
}
