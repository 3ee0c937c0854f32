/* chakra_groups.c - process groups of a Chakra trace: {"name": [rank, rank, ...], ...} in JSON.
 *
 * Apart because it is text. The one idea: this is the only JSON that railsim reads, of one shape,
 * so it is read as that shape; anything else has a place and a message. Not modelled: other escapes
 * in names than \" \\ \/ (producers number their groups).
 * Source: astra-sim, examples of "comm-group-configuration".
 */
#include <inttypes.h>
#include <string.h>

#include "models/trace/chakra.h"
#include "models/trace/trace_text.h"

#define NAME_MAX_BYTES 255

static void skip(struct trace_text *text)
{
    while (text->c == ' ' || text->c == '\t' || text->c == '\r' || text->c == '\n')
        trace_text_next(text);
}

/* Goes behind c, which must come next. */
static bool take(struct trace_text *text, char c)
{
    char shown[TRACE_TEXT_SHOWN];
    skip(text);
    if (text->c != c) {
        const char *found = trace_text_shown(text, shown);
        return trace_text_wrong(text, trace_text_spot(text), "C087: expected '%c', found %s", c,
                                found);
    }
    trace_text_next(text);
    return true;
}

static bool read_name(struct trace_text *text, char *name, size_t *len)
{
    skip(text);
    struct trace_spot start = trace_text_spot(text);
    *len = 0;
    if (!take(text, '"')) return false;
    for (; text->c != '"'; trace_text_next(text)) {
        bool escaped = text->c == '\\';
        if (escaped) trace_text_next(text);
        if (text->c < ' ' || (escaped && !strchr("\"\\/", text->c)))
            return trace_text_wrong(text, trace_text_spot(text),
                                    "C087: no plain character in the name of a group");
        if (*len == NAME_MAX_BYTES)
            return trace_text_wrong(text, start, "C087: a name of more than %d bytes",
                                    NAME_MAX_BYTES);
        name[(*len)++] = (char)text->c;
    }
    trace_text_next(text);
    return *len > 0 || trace_text_wrong(text, start, "C087: a group without a name");
}

static bool read_rank(struct trace_text *text, int64_t rank_n, int32_t *out)
{
    int64_t rank = 0;
    char shown[TRACE_TEXT_SHOWN];
    skip(text);
    struct trace_spot start = trace_text_spot(text);
    if (text->c < '0' || text->c > '9') {
        const char *found = trace_text_shown(text, shown);
        return trace_text_wrong(text, start, "C087: expected a rank, found %s", found);
    }
    for (; text->c >= '0' && text->c <= '9'; trace_text_next(text))
        if (rank < rank_n) rank = rank * 10 + (text->c - '0');
    if (rank >= rank_n)
        return trace_text_wrong(text, start, "C087: no rank from 0 to %" PRId64, rank_n - 1);
    *out = (int32_t)rank;
    return true;
}

/* "name": [0, 1, ...] */
static bool read_group(struct trace_text *text, struct trace_build *build, bool *seen)
{
    char name[NAME_MAX_BYTES];
    size_t len;
    int64_t cap = 0, rank_n = build->trace->rank_n;
    skip(text);
    struct trace_spot start = trace_text_spot(text);
    if (!read_name(text, name, &len)) return false;
    struct trace_group *group = trace_build_group(build, name, len);
    if (!group) return trace_text_wrong(text, start, "C087: a second group '%.*s'", (int)len, name);
    if (!take(text, ':') || !take(text, '[')) return false;
    memset(seen, 0, (size_t)rank_n * sizeof *seen);
    do {
        int32_t rank = 0;
        skip(text);
        struct trace_spot at = trace_text_spot(text);
        if (!read_rank(text, rank_n, &rank)) return false;
        if (seen[rank]) return trace_text_wrong(text, at, "C087: rank %d twice in one group", rank);
        seen[rank] = true;
        group->rank = arena_grow(build->arena, group->rank, &cap, group->n + 1, sizeof rank);
        group->rank[group->n++] = rank;
        skip(text);
    } while (text->c == ',' && take(text, ','));
    return take(text, ']');
}

bool chakra_read_groups(struct trace_build *build, const char *file, FILE *in)
{
    struct arena scratch = {0};
    struct trace_text text = {.file = file, .in = in, .arena = &scratch, .err = build->err};
    bool *seen = ARENA_ARRAY(&scratch, bool, build->trace->rank_n);
    trace_text_begin(&text);
    bool ok = take(&text, '{');
    skip(&text);
    if (ok && text.c != '}') {
        do
            ok = read_group(&text, build, seen);
        while (ok && (skip(&text), text.c == ',') && take(&text, ','));
    }
    ok = ok && take(&text, '}');
    skip(&text);
    if (ok && text.c != EOF)
        ok = trace_text_wrong(&text, trace_text_spot(&text), "C087: something behind the last '}'");
    arena_free(&scratch);
    return ok;
}
