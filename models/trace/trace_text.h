/* trace_text.h - a text file, character by character, with the place of the present one. */
#ifndef RAILSIM_MODELS_TRACE_TRACE_TEXT_H
#define RAILSIM_MODELS_TRACE_TRACE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

#define TRACE_TEXT_BUFFER ((size_t)1 << 16)

/* struct trace_text: the caller sets the first block. */
struct trace_text {
    const char *file; /* for messages */
    FILE *in;
    struct arena *arena;
    struct err *err;
    /* ---- */
    int c;         /* the present character, EOF behind the last one, and after a failure to read */
    int line, col; /* of it, from 1; columns count UTF-8 characters */
    unsigned char *at, *end, *buffer;
};

/* trace_text_open opens a file of a trace if it is a regular one; NULL with a message in err. */
FILE *trace_text_open(const char *file, struct err *err);
/* trace_text_begin goes to the first character. */
void trace_text_begin(struct trace_text *text);
/* trace_text_fill is for trace_text_next: reads on; false at the end. */
bool trace_text_fill(struct trace_text *text);

/* trace_text_next goes to the next character and returns it. */
static inline int trace_text_next(struct trace_text *text)
{
    if (text->c == '\n') {
        text->line++;
        text->col = 0;
    }
    if (text->at == text->end && !trace_text_fill(text)) {
        text->col++;
        return text->c = EOF;
    }
    text->c = *text->at++;
    text->col += (text->c & 0xc0) != 0x80;
    return text->c;
}

/* struct trace_spot: a place to come back to in a message. */
struct trace_spot {
    int line, col;
};
static inline struct trace_spot trace_text_spot(const struct trace_text *text)
{
    return (struct trace_spot){text->line, text->col};
}
/* trace_text_wrong reports an error at a place; always false. */
bool trace_text_wrong(const struct trace_text *text, struct trace_spot at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* trace_text_shown returns the present character for a message: "'x'", "the end of the file",
 * ... in buf[TRACE_TEXT_SHOWN]. */
#define TRACE_TEXT_SHOWN 32
const char *trace_text_shown(const struct trace_text *text, char *buf);

#endif
