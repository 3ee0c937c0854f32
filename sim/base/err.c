/* err.c - collects the user's mistakes and shows them as a compiler would.
 *
 * Why apart: every reader of user input reports in one form, and all mistakes appear in one pass.
 * The one idea: a message is complete text from the moment it is added (place, message, source
 * line, caret), so nothing has to outlive it. User text may hold anything: bytes that a terminal
 * would obey are shown as '?'. Columns count characters, as libyaml does.
 * Not modelled: double-width characters (the caret is then a little to the left).
 */
#include "sim/base/err.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/arena.h"

#define LINE_COLUMNS 100 /* of a source line that are shown */
#define LINE_BEFORE 60   /* of them, before the caret, if the line is longer */
#define WORD_MAX 64      /* longer words get no suggestion */

/* struct text: a string under construction. */
struct text {
    char *at;
    int64_t n, cap;
};

static void text_bytes(struct text *text, const char *bytes, size_t n)
{
    text->at = mem_grow(text->at, &text->cap, text->n + (int64_t)n + 1, 1);
    memcpy(text->at + text->n, bytes, n);
    text->n += (int64_t)n;
    text->at[text->n] = 0;
}

/* utf8_length returns the bytes of the well-formed, printable character at s; 0 if it is none. */
static size_t utf8_length(const char *s)
{
    unsigned char lead = (unsigned char)s[0];
    if (lead < 0x80) return lead >= 0x20 && lead != 0x7f;
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    uint32_t code = lead & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if (n == 3 && code < 0x800) return 0;
    if (n == 4 && (code < 0x10000 || code > 0x10ffff)) return 0;
    if (code < 0xa0) return 0;                      /* C1 controls */
    if (code >= 0xd800 && code <= 0xdfff) return 0; /* surrogates */
    if (code >= 0x2028 && code <= 0x202e) return 0; /* line breaks, overrides of */
    if (code >= 0x2066 && code <= 0x2069) return 0; /* the writing direction */
    return n;
}

/* text_char appends the character at s, or '?', and returns the bytes consumed. */
static size_t text_char(struct text *text, const char *s)
{
    size_t n = utf8_length(s);
    if (n)
        text_bytes(text, s, n);
    else
        text_bytes(text, *s == '\t' ? " " : "?", 1);
    return n ? n : 1;
}

static void text_safe(struct text *text, const char *s)
{
    while (*s) {
        if (*s == '\n')
            text_bytes(text, s++, 1);
        else
            s += text_char(text, s);
    }
}

static void text_printf(struct text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void text_vprintf(struct text *text, const char *fmt, va_list ap)
{
    struct arena scratch = {0};
    text_safe(text, arena_vprintf(&scratch, fmt, ap));
    arena_free(&scratch);
}

static void text_printf(struct text *text, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(text, fmt, ap);
    va_end(ap);
}

/* text_caret appends the source line, cut around column col if it is long, and a caret below. */
static void text_caret(struct text *text, const char *line, int col)
{
    struct text shown = {0}; /* scanned for its characters only */
    int columns = 0;
    for (const char *s = line; *s; columns++)
        s += text_char(&shown, s);
    mem_free(shown.at);
    if (col > columns + 1) col = columns + 1;
    int first = 0;
    if (columns > LINE_COLUMNS && col - 1 > LINE_BEFORE) first = col - 1 - LINE_BEFORE;
    int last = columns - first > LINE_COLUMNS ? first + LINE_COLUMNS : columns;

    text_printf(text, "\n  %s", first > 0 ? "..." : "");
    int at = 0;
    for (const char *s = line; *s && at < last; at++) {
        size_t n = utf8_length(s);
        if (at >= first)
            s += text_char(text, s);
        else
            s += n ? n : 1;
    }
    text_printf(text, "%s\n  %*s", last < columns ? "..." : "", (first > 0 ? 3 : 0) + col - first,
                "^");
}

static void add(struct err *err, struct err_pos pos, const char *fmt, va_list ap)
{
    if (err->count++ >= ERR_CAP) return;
    struct text text = {0};
    if (pos.file && pos.line > 0)
        text_printf(&text, "%s:%d:%d: ", pos.file, pos.line, pos.col);
    else if (pos.file)
        text_printf(&text, "%s: ", pos.file);
    text_printf(&text, "error: ");
    text_vprintf(&text, fmt, ap);
    if (pos.file && pos.line > 0 && pos.col > 0 && pos.line_text)
        text_caret(&text, pos.line_text, pos.col);
    err->messages[err->count - 1] = text.at;
}

bool err_add(struct err *err, struct err_pos pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(err, pos, fmt, ap);
    va_end(ap);
    if (!err->exit_code) err->exit_code = 2;
    return false;
}

bool err_key(struct err *err, const char *key, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(err, err->keys ? err->keys->find(err->keys, key) : (struct err_pos){0}, fmt, ap);
    va_end(ap);
    if (!err->exit_code) err->exit_code = 2;
    return false;
}

bool err_io(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(err, (struct err_pos){0}, fmt, ap);
    va_end(ap);
    err->exit_code = 3;
    return false;
}

void err_print(const struct err *err, FILE *out)
{
    for (int i = 0; i < err->count && i < ERR_CAP; i++)
        fprintf(out, "%s\n", err->messages[i]);
    if (err->count > ERR_CAP) fprintf(out, "... and %d more\n", err->count - ERR_CAP);
}

void err_free(struct err *err)
{
    for (int i = 0; i < err->count && i < ERR_CAP; i++)
        mem_free(err->messages[i]);
    *err = (struct err){0};
}

static int min3(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* distance is the optimal string alignment distance: insert, delete, replace, swap neighbours. */
static int distance(const char *a, const char *b, int an, int bn)
{
    int row[3][WORD_MAX + 1];
    int *before = row[0], *above = row[1], *now = row[2];
    for (int j = 0; j <= bn; j++)
        above[j] = j;
    for (int i = 1; i <= an; i++) {
        now[0] = i;
        for (int j = 1; j <= bn; j++) {
            now[j] = min3(above[j] + 1, now[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < now[j]) now[j] = before[j - 2] + 1;
        }
        int *spare = before;
        before = above;
        above = now;
        now = spare;
    }
    return above[bn];
}

const char *err_suggest(const char *given, const char *const *words, int n)
{
    size_t length = strlen(given);
    if (length == 0 || length > WORD_MAX) return NULL;
    int best = (int)length / 3 > 1 ? (int)length / 3 : 1;
    const char *found = NULL;
    for (int i = 0; i < n; i++) {
        size_t word_length = strlen(words[i]);
        if (word_length > WORD_MAX) continue;
        int d = distance(given, words[i], (int)length, (int)word_length);
        if (d < best || (d == best && !found)) {
            best = d;
            found = words[i];
        }
    }
    return found;
}
