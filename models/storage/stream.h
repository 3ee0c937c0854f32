/* stream.h - one file read, or written, from begin to end by one thread.
 *
 * Reading: the application may consume up to a limit that its owner moves; the client reads ahead
 * of it by the plan's window, through the page cache. Pipelined read-ahead moves the window with
 * every byte consumed (the hinge max(local, window law)); stop-and-wait asks for a window, waits
 * until all of it is consumed, asks again (the additive law). Writing: the application has
 * everything ready; at most dirty_bytes are on their way at a time.
 */
#ifndef RAILSIM_MODELS_STORAGE_STREAM_H
#define RAILSIM_MODELS_STORAGE_STREAM_H

#include "models/storage/session.h"

struct stream;
/* stream_progress_fn is called when stream->at_off has grown, and at the end. It may move limits
 * and open other streams, not this one before it has ended. */
typedef void stream_progress_fn(struct sim *sim, struct stream *stream);

/* struct stream: owned by the caller; reusable after the end. */
struct stream {
    struct session *session;
    const struct file_set *set;
    bool write;
    int64_t file, begin, end; /* bytes of the file */
    stream_progress_fn *progress;
    void *owner;
    int64_t limit_off; /* the application may consume up to here */
    /* ---- */
    int64_t at_off;   /* consumed (read) or stored (written) up to here */
    enum bound bound; /* what the last progress waited for */
    int64_t issue_off, ready_off, batch_end;
    struct request *first, *last; /* in flight, in order */
    struct stream *next_waiting;  /* for the node's read-ahead budget */
    bool waiting;
    struct timer wake; /* progress without a request: cached data */
    uint32_t component;
};

/* stream_init prepares a stream once; stream_open starts it on [begin, end) of a file. */
void stream_init(struct stream *stream, struct session *session);
void stream_open(struct stream *stream);
/* stream_limit lets the application consume up to limit_off; it may move back as far as at_off. */
void stream_limit(struct stream *stream, int64_t limit_off);

#endif
