/* json.c - writes JSON to a stream, without building the document in memory.
 *
 * Apart because every verb has --json, and escaping and number text must be right in one place.
 * The one idea: the writer keeps only the depth and whether a comma is due.
 * Source: RFC 8259; UTF-8 by table 3-7 of The Unicode Standard.
 * Not modelled: reading JSON (SQLite does that for params), write errors (ferror of the stream).
 */
#include "sim/io/json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/check.h"

#define LINES_DEPTH 2 /* members of the two outermost levels stand on lines of their own */

/* utf8_length returns the bytes of the well-formed character at text, 0 if there is none. */
static int utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        int n;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high) continue;
        if (forms[i].n > 1 && (text[1] < forms[i].second_low || text[1] > forms[i].second_high))
            return 0;
        for (int j = 2; j < forms[i].n; j++)
            if ((text[j] & 0xc0) != 0x80) return 0;
        return forms[i].n;
    }
    return 0;
}

static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        int n = utf8_length(c);
        const char *named = n == 1 ? strchr("\bb\ff\nn\rr\tt", *c) : NULL;
        if (n == 0)
            fputs("\xef\xbf\xbd", out);
        else if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (named && *c < 0x20)
            fprintf(out, "\\%c", named[1]);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fwrite(c, 1, (size_t)n, out);
        c += n ? n : 1;
    }
    fputc('"', out);
}

static void new_line(const struct json *json)
{
    fprintf(json->out, "\n%*s", 2 * json->depth, "");
}

/* begin writes what must stand before a value: comma, line, key. */
static void begin(struct json *json, const char *key)
{
    if (json->depth > 0) {
        bool *filled = &json->filled[json->depth - 1];
        if (*filled) fputc(',', json->out);
        if (json->depth <= LINES_DEPTH)
            new_line(json);
        else if (*filled)
            fputc(' ', json->out);
        *filled = true;
    }
    if (!key) return;
    write_text(json->out, key);
    fputs(": ", json->out);
}

static void open_bracket(struct json *json, const char *key, char bracket)
{
    CHECK(json->depth < JSON_DEPTH, "JSON nested deeper than %d", JSON_DEPTH);
    begin(json, key);
    fputc(bracket, json->out);
    json->filled[json->depth++] = false;
}

void json_object(struct json *json, const char *key)
{
    open_bracket(json, key, '{');
}

void json_array(struct json *json, const char *key)
{
    open_bracket(json, key, '[');
}

void json_end(struct json *json, char bracket)
{
    CHECK(json->depth > 0, "'%c' closes nothing", bracket);
    bool filled = json->filled[--json->depth];
    if (filled && json->depth < LINES_DEPTH) new_line(json);
    fputc(bracket, json->out);
    if (json->depth == 0) fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *text)
{
    begin(json, key);
    if (text)
        write_text(json->out, text);
    else
        fputs("null", json->out);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    begin(json, key);
    fprintf(json->out, "%" PRId64, value);
}

void json_double(struct json *json, const char *key, double value)
{
    char buf[JSON_NUMBER_MAX];
    json_raw(json, key, isfinite(value) ? json_number_text(value, buf) : "null");
}

void json_bool(struct json *json, const char *key, bool value)
{
    json_raw(json, key, value ? "true" : "false");
}

void json_raw(struct json *json, const char *key, const char *text)
{
    begin(json, key);
    fputs(text, json->out);
}

char *json_number_text(double value, char *buf)
{
    /* Up to DBL_DIG digits %g drops trailing zeros, so its text is the shortest; only subnormals
     * have less precision than that. */
    int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG;
    do
        snprintf(buf, JSON_NUMBER_MAX, "%.*g", digits, value);
    while (digits++ < DBL_DECIMAL_DIG && strtod(buf, NULL) != value);
    return buf;
}
