/* tree_text.h - a text file in memory, cut into lines: what stands where. For tree.c. */
#ifndef RAILSIM_IO_TREE_TEXT_H
#define RAILSIM_IO_TREE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

#define TREE_TEXT_MAX ((size_t)16 << 20) /* bytes */

/* struct tree_text: a copy of a text in which every line end is a 0. */
struct tree_text {
    const char *name; /* of the file, for messages */
    const char *text;
    size_t len;
    size_t skip;           /* length of a byte order mark at the front */
    const size_t *line_at; /* offset of each line, and one more entry: len + 1 */
    size_t line_n;
};

/* tree_text_load reads a regular file of at most TREE_TEXT_MAX bytes into arena; NULL if that
 * fails, with a suggestion if the file is missing. */
const char *tree_text_load(struct arena *arena, const char *path, size_t *len, struct err *err);

/* tree_text_split copies text[len] into arena and finds its lines as YAML 1.1 does. NULL if the
 * text is too long, holds a NUL byte, or a directive that railsim does not support. */
const struct tree_text *tree_text_split(struct arena *arena, const char *name, const char *text,
                                        size_t len, struct err *err);

/* tree_text_pos is the place of a 0-based line and column (in characters). */
struct err_pos tree_text_pos(const struct tree_text *text, size_t line, size_t column);
/* tree_text_pos_of_byte is the place of a byte, counted behind the byte order mark. */
struct err_pos tree_text_pos_of_byte(const struct tree_text *text, size_t offset);
/* tree_text_at returns the (first byte of the) character there, 0 at the end of a line. */
char tree_text_at(const struct tree_text *text, size_t line, size_t column);

/* tree_text_fault says what a string must not hold: control characters other than tab and newline,
 * broken UTF-8; NULL if all is well. */
const char *tree_text_fault(const char *value, size_t len);

#endif
