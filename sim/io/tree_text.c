/* tree_text.c - loads a text file and finds its lines.
 *
 * Apart from tree.c because it knows nothing of YAML but what ends a line. One idea: one copy of
 * the text with a 0 at each line end gives every error its source line at no further cost.
 * Only regular files are read: opening a fifo or a device could wait for ever or do something.
 * Not modelled: other encodings than UTF-8.
 */
#include "sim/io/tree_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUGGEST_FILES 4096 /* of a folder that are looked at for a suggestion */
#define LINE_SHOWN 4096    /* bytes; longer lines are not shown in messages */

/* suggest_file returns the path of a file with a similar name in the same folder, or NULL. */
static const char *suggest_file(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    int folder_len = (int)(base - path);
    DIR *dir = opendir(slash ? arena_printf(arena, "%.*s", folder_len, path) : ".");
    if (!dir) return NULL;
    const char **names = ARENA_ARRAY(arena, const char *, SUGGEST_FILES);
    int n = 0;
    for (const struct dirent *entry; n < SUGGEST_FILES && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') names[n++] = arena_strdup(arena, entry->d_name);
    closedir(dir);
    const char *found = err_suggest(base, names, n);
    return found ? arena_printf(arena, "%.*s%s", folder_len, path, found) : NULL;
}

static bool cannot_read(struct arena *arena, const char *path, int error, struct err *err)
{
    struct err_pos pos = {.file = path};
    const char *found = error == ENOENT ? suggest_file(arena, path) : NULL;
    if (found)
        return err_add(err, pos, "cannot read: %s (did you mean '%s'?)", strerror(error), found);
    return err_add(err, pos, "cannot read: %s", strerror(error));
}

static const char *kind_of_file(mode_t mode)
{
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

/* load_open reads all of an open file. */
static const char *load_open(struct arena *arena, int fd, const char *path, size_t *len,
                             struct err *err)
{
    struct stat st;
    struct err_pos pos = {.file = path};
    if (fstat(fd, &st) != 0) {
        cannot_read(arena, path, errno, err);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        err_add(err, pos, "cannot read: %s, not a regular file", kind_of_file(st.st_mode));
        return NULL;
    }
    /* Files of /proc say that they are empty, others grow: read to the end, whatever st says. */
    int64_t cap = 0;
    bool sized = st.st_size > 0 && (uintmax_t)st.st_size < TREE_TEXT_MAX;
    char *text = arena_grow(arena, NULL, &cap, sized ? st.st_size + 1 : 4096, 1);
    size_t have = 0;
    while (have <= TREE_TEXT_MAX) {
        if (have == (size_t)cap) text = arena_grow(arena, text, &cap, cap + 1, 1);
        ssize_t got = read(fd, text + have, (size_t)cap - have);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            cannot_read(arena, path, errno, err);
            return NULL;
        }
        have += (size_t)got;
    }
    *len = have; /* past TREE_TEXT_MAX: tree_text_split refuses it */
    return text;
}

const char *tree_text_load(struct arena *arena, const char *path, size_t *len, struct err *err)
{
    /* O_NONBLOCK: a fifo without a writer must not hold us up before we see what it is. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        cannot_read(arena, path, errno, err);
        return NULL;
    }
    const char *text = load_open(arena, fd, path, len, err);
    close(fd);
    return text;
}

/* line_end returns the length of the line end at text[at], 0 if there is none: LF, CR, CR LF, NEL
 * (C2 85), LS (E2 80 A8), PS (E2 80 A9). */
static size_t line_end(const char *text, size_t at, size_t len)
{
    const unsigned char *s = (const unsigned char *)text + at;
    size_t left = len - at;
    if (s[0] == '\n') return 1;
    if (s[0] == '\r') return left > 1 && s[1] == '\n' ? 2 : 1;
    if (s[0] == 0xc2) return left > 1 && s[1] == 0x85 ? 2 : 0;
    if (s[0] == 0xe2) return left > 2 && s[1] == 0x80 && (s[2] & 0xfe) == 0xa8 ? 3 : 0;
    return 0;
}

/* refuse_bytes reports NUL bytes and %TAG lines; libyaml compares each %TAG with all before it, so
 * that a file of them would take hours. */
static bool refuse_bytes(const struct tree_text *t, const char *text, struct err *err)
{
    const char *nul = t->len ? memchr(text, 0, t->len) : NULL;
    if (nul)
        return err_add(err, tree_text_pos_of_byte(t, (size_t)(nul - text) - t->skip),
                       "a NUL byte; is this a text file?");
    for (size_t i = 0; i < t->line_n; i++)
        if (strncmp(t->text + t->line_at[i], "%TAG", 4) == 0)
            return err_add(err, tree_text_pos(t, i, 0), "directives are not supported");
    return true;
}

const struct tree_text *tree_text_split(struct arena *arena, const char *name, const char *text,
                                        size_t len, struct err *err)
{
    if (len > TREE_TEXT_MAX) {
        err_add(err, (struct err_pos){.file = name}, "larger than %zu MiB", TREE_TEXT_MAX >> 20);
        return NULL;
    }
    struct tree_text *t = ARENA_NEW(arena, struct tree_text);
    char *copy = arena_alloc(arena, len + 1);
    size_t lines = 1, end;
    for (size_t i = 0; i < len; i++)
        lines += line_end(text, i, len) != 0;
    size_t *line_at = ARENA_ARRAY(arena, size_t, lines + 1);
    if (len) memcpy(copy, text, len);
    bool bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    *t = (struct tree_text){arena_strdup(arena, name), copy, len, bom ? 3 : 0, line_at, 0};
    line_at[t->line_n++] = t->skip;
    for (size_t i = 0; i < len; i += end ? end : 1) {
        end = line_end(text, i, len);
        if (!end) continue;
        copy[i] = 0;
        line_at[t->line_n++] = i + end;
    }
    line_at[t->line_n] = len + 1;
    return refuse_bytes(t, text, err) ? t : NULL;
}

struct err_pos tree_text_pos(const struct tree_text *text, size_t line, size_t column)
{
    struct err_pos pos = {text->name, (int)line + 1, (int)column + 1, ""};
    if (line >= text->line_n) return pos; /* the end of the text */
    bool shown = text->line_at[line + 1] - text->line_at[line] <= LINE_SHOWN;
    pos.line_text = shown ? text->text + text->line_at[line] : NULL;
    return pos;
}

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

struct err_pos tree_text_pos_of_byte(const struct tree_text *text, size_t offset)
{
    offset += text->skip;
    size_t low = 0, high = text->line_n; /* line_at[low] <= offset < line_at[high] */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (text->line_at[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    size_t column = 0;
    for (size_t i = text->line_at[low]; i < offset && i < text->len; i++)
        column += starts_character(text->text[i]);
    return tree_text_pos(text, low, column);
}

char tree_text_at(const struct tree_text *text, size_t line, size_t column)
{
    if (line >= text->line_n) return 0;
    const char *s = text->text + text->line_at[line];
    for (; *s; s++) {
        if (!starts_character(*s)) continue;
        if (column-- == 0) return *s;
    }
    return 0;
}

/* utf8_next returns the length of the well-formed character at s[n], 0 if it is broken. */
static size_t utf8_next(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80) return 1;
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;  /* could be shorter */
    if (s[0] == 0xed && s[1] >= 0xa0) return 0; /* surrogates */
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] >= 0x90) return 0; /* beyond U+10FFFF */
    return len;
}

const char *tree_text_fault(const char *value, size_t len)
{
    const unsigned char *s = (const unsigned char *)value;
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_next(s + i, len - i);
        if (!step) return "broken UTF-8 in a string";
        bool control = s[i] < 0x20 ? s[i] != '\t' && s[i] != '\n' : s[i] == 0x7f;
        if (control || (s[i] == 0xc2 && s[i + 1] < 0xa0)) return "a control character in a string";
    }
    return NULL;
}
