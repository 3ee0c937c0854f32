/* reader.c - threads that stream pieces of a file set (reader.h). */
#include "models/work/reader.h"

static void next_piece(struct reader_thread *thread);

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
    thread->seen_off = stream->begin;
    int64_t end_off;
    if (!reader->write &&
        cache_hit(session_cache(reader->session), set, file, stream->begin, &end_off)) {
        thread->busy = true;
        stream_open(stream); /* its inode is cached as well */
        return;
    }
    thread->open = (struct request){.kind = REQUEST_META, .done = on_opened, .owner = thread};
    session_submit(reader->session, &thread->open);
}

void reader_init(struct reader *reader)
{
    struct arena *arena = sim_arena(session_sim(reader->session));
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
