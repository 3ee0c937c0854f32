/* reader.h - one process that reads (or writes) a range of a file set with one or more threads.
 *
 * The set is one long row of bytes, file after file. Each thread takes the next piece (to the end
 * of a file, or an equal share of the range if there are fewer files than threads), opens the file
 * with a metadata operation unless its pages are cached, and streams it.
 */
#ifndef RAILSIM_MODELS_WORK_READER_H
#define RAILSIM_MODELS_WORK_READER_H

#include "models/storage/stream.h"
#include "sim/base/spans.h"

struct reader;
/* reader_progress_fn is called when reader->taken_bytes has grown; in the end it is the range. */
typedef void reader_progress_fn(struct sim *sim, struct reader *reader);

struct reader_thread {
    struct reader *reader;
    struct stream stream;
    struct request open; /* the metadata operation */
    int64_t seen_off;    /* of the stream, counted into taken_bytes */
    bool busy;           /* the stream is open */
    bool drawing;        /* a span has begun, at since_ps */
    int64_t since_ps, drawn_off;
};

/* struct reader_draws: for a timeline, a lane per thread, from `at` on, called by name and number.
 * Spans: opening, and reading as long as it may go on; spans NULL = nobody draws. */
struct reader_draws {
    const struct spans *spans;
    struct spans_lane at;
    const char *name;
};

/* struct reader: owned by the caller; reader_init once, then reader_start as often as wanted. */
struct reader {
    struct session *session;
    const struct file_set *set;
    bool write;
    int64_t threads;
    reader_progress_fn *progress;
    void *owner;
    struct reader_draws draws;
    /* ---- */
    int64_t begin, end, cursor; /* bytes of the set */
    int64_t taken_bytes, allowed_bytes;
    enum bound bound; /* what the last progress waited for */
    struct reader_thread *thread;
};

/* reader_init makes the threads in the simulation's arena; the fields above the line are set. */
void reader_init(struct reader *reader);
/* reader_start begins with [begin, end); nothing is consumed before reader_allow. */
void reader_start(struct reader *reader, int64_t begin, int64_t end);
/* reader_allow lets the process take allowed_bytes of the range in all (it never shrinks). */
void reader_allow(struct reader *reader, int64_t allowed_bytes);
static inline bool reader_at_end(const struct reader *reader)
{
    return reader->taken_bytes == reader->end - reader->begin;
}

#endif
