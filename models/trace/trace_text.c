/* trace_text.c - opening, buffering and places for the readers of text.
 *
 * Apart because GOAL, XML and JSON share it. The one idea: nothing is kept but one buffer, so that
 * a file may be larger than memory. Not modelled: encodings; bytes are handed on as they are.
 */
#include "models/trace/trace_text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/* Of compressed files, whose bytes would otherwise be refused for something else. */
static const char *packed_by(FILE *in)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    unsigned char bytes[4] = {0};
    fread(bytes, 1, sizeof bytes, in);
    rewind(in);
    if (memcmp(bytes, gzip, sizeof gzip) == 0) return "gzip";
    return memcmp(bytes, zstd, sizeof zstd) == 0 ? "zstd" : NULL;
}

FILE *trace_text_open(const char *file, struct err *err)
{
    struct stat stat_of;
    struct err_pos whole = {.file = file};
    FILE *in = NULL;
    if (stat(file, &stat_of) != 0)
        err_add(err, whole, "C083: cannot read: %s", strerror(errno));
    else if (!S_ISREG(stat_of.st_mode))
        err_add(err, whole, "C083: is no regular file");
    else if (!(in = fopen(file, "rb")))
        err_add(err, whole, "C083: cannot read: %s", strerror(errno));
    const char *packed = in ? packed_by(in) : NULL;
    if (!packed) return in;
    err_add(err, whole, "C083: is compressed with %s: unpack it first", packed);
    fclose(in);
    return NULL;
}

void trace_text_begin(struct trace_text *text)
{
    text->buffer = text->at = text->end = arena_alloc(text->arena, TRACE_TEXT_BUFFER);
    text->line = 1;
    text->col = 0;
    text->c = ' ';
    trace_text_next(text);
}

bool trace_text_fill(struct trace_text *text)
{
    if (feof(text->in) || ferror(text->in)) return false;
    size_t n = fread(text->buffer, 1, TRACE_TEXT_BUFFER, text->in);
    if (ferror(text->in))
        err_add(text->err, (struct err_pos){.file = text->file}, "C083: cannot read: %s",
                strerror(errno));
    text->at = text->buffer;
    text->end = text->buffer + n;
    return n > 0 && !ferror(text->in);
}

bool trace_text_wrong(const struct trace_text *text, struct trace_spot at, const char *fmt, ...)
{
    va_list ap;
    if (ferror(text->in)) return false; /* said already, and the cause of this */
    va_start(ap, fmt);
    const char *message = arena_vprintf(text->arena, fmt, ap);
    va_end(ap);
    return err_add(text->err, (struct err_pos){text->file, at.line, at.col, NULL}, "%s", message);
}

const char *trace_text_shown(const struct trace_text *text, char *buf)
{
    if (text->c == EOF) return "the end of the file";
    if (text->c == '\n') return "the end of the line";
    if (text->c < ' ' || text->c > '~')
        snprintf(buf, TRACE_TEXT_SHOWN, "the byte 0x%02x", (unsigned)text->c);
    else
        snprintf(buf, TRACE_TEXT_SHOWN, "'%c'", text->c);
    return buf;
}
