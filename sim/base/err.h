/* err.h - the user's mistakes: messages with file:line:column, collected, all shown in one pass.
 *
 * A function that can meet one returns bool (or a pointer, NULL on failure) and takes
 * `struct err *`. Messages say what is wrong, what is allowed, and suggest.
 */
#ifndef RAILSIM_BASE_ERR_H
#define RAILSIM_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define ERR_CAP 20 /* messages kept; further ones are only counted */

/* struct err_pos: a place in a text; file NULL = no place; line 0 = the whole file. 1-based. */
struct err_pos {
    const char *file;      /* must outlive the err */
    int line, col;         /* columns count characters, not bytes */
    const char *line_text; /* the source line without newline, for the caret; may be NULL */
};

/* struct err_keys: knows where a key of the configuration ("wan.rtt") was given; whoever has one
 * embeds it. */
struct err_keys {
    struct err_pos (*find)(const struct err_keys *keys, const char *key);
};

/* struct err: zero-initialise ({0}); err_free releases what it collected. */
struct err {
    const struct err_keys *keys; /* for err_key; NULL = places are not known */
    int count;                   /* all errors, also those past the cap */
    int exit_code; /* what the process should exit with: 2 unless set (3 = I/O or database) */
    char *messages[ERR_CAP]; /* owned, without trailing newline */
};

/* err_add appends "file:line:col: error: message" (and line and caret, if line_text is given).
 * Always returns false, so that `return err_add(...)` reads well. */
bool err_add(struct err *err, struct err_pos pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* err_key is err_add at the place where key was given; for those who see values, not files. */
bool err_key(struct err *err, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* err_io is err_add without a place and with exit_code 3 ("cannot write results.db: ..."). */
bool err_io(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* err_print writes all messages, and "... and N more" past the cap, to out. */
void err_print(const struct err *err, FILE *out);

void err_free(struct err *err);

/* err_suggest returns the word of words[n] nearest to given by edit distance (at most a third of
 * its length, at least 1), or NULL. Ties go to the first. */
const char *err_suggest(const char *given, const char *const *words, int n);

#endif
