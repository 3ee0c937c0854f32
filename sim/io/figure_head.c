/* figure_head.c - reads the head of a .gp file.
 *
 * A figure is one file that says where its data come from and how they look, so that a user adds
 * one without touching C. gnuplot has no idea of SQL; to it all this is comment.
 *
 * Not modelled: SQL is not parsed here; SQLite judges it.
 */
#include "sim/io/figure_head.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES_MAX (16 << 20)

static const char *const words[] = {"csv", "needs", "sql", "table"};
#define WORD_N ((int)(sizeof(words) / sizeof(words[0])))

char *figure_head_text(struct arena *arena, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        err_io(err, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    struct stat st;
    const char *why = NULL;
    char *text = NULL;
    if (fstat(fd, &st) != 0)
        why = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        why = "not a regular file";
    else if (st.st_size > TEXT_BYTES_MAX)
        why = "larger than 16 MiB";
    if (!why) {
        size_t size = (size_t)st.st_size, have = 0;
        text = arena_alloc(arena, size + 1);
        while (have < size) {
            ssize_t got = read(fd, text + have, size - have);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) why = strerror(errno);
            if (got <= 0) break;
            have += (size_t)got;
        }
    }
    close(fd);
    if (!why) return text;
    err_io(err, "cannot read %s: %s", path, why);
    return NULL;
}

/* struct line: one line of the head, cut into #WORD[+] NAME: TEXT. */
struct line {
    struct err_pos pos;
    const char *word, *name, *text;
    bool more; /* the + of a continuation */
};

static bool is_name(const char *text)
{
    if (*text < 'a' || *text > 'z') return false;
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* cut splits "#sql name: text" or "#sql+ text"; false + error if it is neither. */
static bool cut(char *text, struct line *line, struct err *err)
{
    char *at = text + 1 + strspn(text + 1, "abcdefghijklmnopqrstuvwxyz");
    line->word = text + 1;
    line->more = *at == '+';
    if (line->more) *at++ = '\0';
    if (*at != '\0' && *at != ' ')
        return err_add(err, line->pos, "expected '#sql NAME: SELECT ...' or a comment '# ...'");
    if (*at) *at++ = '\0';
    at += strspn(at, " ");
    line->name = "";
    line->text = at;
    if (line->more) return true;
    char *colon = strchr(at, ':');
    if (!colon) return err_add(err, line->pos, "'#%s' needs 'NAME: ...'", line->word);
    *colon = '\0';
    line->name = at;
    line->text = colon + 1 + strspn(colon + 1, " ");
    if (is_name(line->name)) return true;
    return err_add(err, line->pos, "a name here is [a-z][a-z0-9_]*, not '%s'", line->name);
}

static struct figure_head_part *find(const struct figure_head *head, enum figure_head_kind kind,
                                     const char *name)
{
    for (struct figure_head_part *part = head->first; part; part = part->next)
        if (part->kind == kind && strcmp(part->name, name) == 0) return part;
    return NULL;
}

static bool add_part(struct arena *arena, struct figure_head *head, const struct line *line,
                     struct err *err)
{
    enum figure_head_kind kind = strcmp(line->word, "csv") == 0     ? FIGURE_HEAD_CSV
                                 : strcmp(line->word, "table") == 0 ? FIGURE_HEAD_TABLE
                                                                    : FIGURE_HEAD_SQL;
    if (find(head, kind, line->name))
        return err_add(err, line->pos, "a second #%s '%s'", line->word, line->name);
    struct figure_head_part *part = ARENA_NEW(arena, struct figure_head_part);
    part->kind = kind;
    part->name = line->name;
    part->text = line->text;
    part->pos = line->pos;
    if (head->last)
        head->last->next = part;
    else
        head->first = part;
    head->last = part;
    return true;
}

/* take adds a line to the head; *open is the part that a continuation would continue. */
static bool take(struct arena *arena, struct figure_head *head, const struct line *line,
                 struct figure_head_part **open, struct err *err)
{
    const char *word = line->word;
    bool is_select = strcmp(word, "sql") == 0 || strcmp(word, "table") == 0;
    if (line->more) {
        bool fits = *open && is_select && ((*open)->kind == FIGURE_HEAD_SQL) == (*word == 's');
        if (!fits) return err_add(err, line->pos, "'#%s+' continues no '#%s NAME:'", word, word);
        (*open)->text = arena_printf(arena, "%s\n%s", (*open)->text, line->text);
        return true;
    }
    *open = NULL;
    if (strcmp(word, "needs") == 0) {
        struct figure_head_part *part = find(head, FIGURE_HEAD_SQL, line->name);
        if (!part) return err_add(err, line->pos, "no '#sql %s:' above", line->name);
        part->needs = line->text;
        return true;
    }
    if (!is_select && strcmp(word, "csv") != 0) {
        const char *near = err_suggest(word, words, WORD_N);
        return err_add(err, line->pos, "unknown '#%s'%s%s%s (comments begin with '# ')", word,
                       near ? " (did you mean '#" : "", near ? near : "", near ? "'?)" : "");
    }
    if (!add_part(arena, head, line, err)) return false;
    *open = head->last;
    return true;
}

bool figure_head_parse(struct arena *arena, const char *path, const char *text,
                       struct figure_head *head, struct err *err)
{
    char *at = arena_strdup(arena, text);
    struct figure_head_part *open = NULL;
    bool ok = true;
    if (!head->about) head->about = "";
    for (int number = 1; *at == '#'; number++) {
        size_t len = strcspn(at, "\n");
        char *next = at + len + (at[len] == '\n');
        at[len] = '\0';
        if (len > 0 && at[len - 1] == '\r') at[len - 1] = '\0';
        if (at[1] == ' ' || at[1] == '\0') {
            if (!*head->about && at[1]) head->about = at + 1 + strspn(at + 1, " ");
        } else {
            struct line line = {.pos = {.file = path, .line = number, .col = 1}};
            line.pos.line_text = arena_strdup(arena, at);
            ok = cut(at, &line, err) && take(arena, head, &line, &open, err) && ok;
        }
        at = next;
    }
    return ok;
}
