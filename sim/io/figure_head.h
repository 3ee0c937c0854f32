/* figure_head.h - the comment lines at the head of a .gp file, which say where its data come from.
 *
 *   # One line that `railsim plot --list` shows.
 *   #csv published: remote_storage_gpu_2025.csv
 *   #table fast: SELECT * FROM v_point WHERE rtt_ms < 10
 *   #sql simulated: SELECT workload AS label, rtt_ms, slowdown
 *   #sql+ FROM fast ORDER BY rtt_ms
 *   #needs simulated: finished point with wan.rtt
 *
 * The head ends at the first line that does not begin with '#'.
 */
#ifndef RAILSIM_IO_FIGURE_HEAD_H
#define RAILSIM_IO_FIGURE_HEAD_H

#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

enum figure_head_kind {
    FIGURE_HEAD_CSV,   /* text: name of a file; SQL sees it as a table */
    FIGURE_HEAD_TABLE, /* text: a SELECT; later SQL sees it as a table */
    FIGURE_HEAD_SQL    /* text: a SELECT whose rows become a data file */
};

/* struct figure_head_part: one #csv, #table or #sql with its #sql+ lines joined. */
struct figure_head_part {
    enum figure_head_kind kind;
    const char *name;   /* [a-z][a-z0-9_]* */
    const char *text;   /* after the colon */
    const char *needs;  /* what to say is missing when there are no rows; NULL: none is fine */
    struct err_pos pos; /* of its first line */
    struct figure_head_part *next;
};

struct figure_head {
    const char *about; /* first comment line, "" if there is none */
    struct figure_head_part *first, *last;
};

/* figure_head_text returns the text of a regular file of at most 16 MiB, NULL (exit code 3) if it
 * cannot be read. Lives in arena. */
char *figure_head_text(struct arena *arena, const char *path, struct err *err);

/* figure_head_parse appends the parts in the head of text to head; path is for messages. Every
 * wrong line is reported. */
bool figure_head_parse(struct arena *arena, const char *path, const char *text,
                       struct figure_head *head, struct err *err);

#endif
