/* flows_read.h - files of flows: a plan of flows and of what starts them. */
#ifndef RAILSIM_MODELS_WORK_FLOWS_READ_H
#define RAILSIM_MODELS_WORK_FLOWS_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

#define FLOWS_READ_MAX 10000000 /* flows of one file */
#define FLOWS_READ_BYTES_MAX (INT64_C(1) << 50)
#define FLOWS_READ_LINE_MAX 1024

/* struct flows_item: a flow of a plan. Triggers are numbers in the plan, -1 = none. */
struct flows_item {
    int64_t bytes, start_ps; /* start: not before */
    int32_t src, dst;
    int32_t trigger;                  /* what it waits for */
    int32_t on_confirmed, on_arrived; /* what it fires */
    int32_t next;                     /* next item that waits for the same trigger, -1 = last */
    int32_t line;                     /* in the file */
    uint8_t traffic_class;
    bool started; /* while the plan is checked */
};

/* enum flows_trigger_kind: ONESHOT starts all that wait, once; BARRIER the same after `count`
 * firings; MULTISHOT starts one with each firing. */
enum flows_trigger_kind { FLOWS_UNDECLARED, FLOWS_ONESHOT, FLOWS_BARRIER, FLOWS_MULTISHOT };
struct flows_trigger {
    int64_t id; /* in the file */
    int64_t count, fired;
    int32_t first, last; /* items that wait */
    int32_t line;        /* where it is named first, or declared */
    enum flows_trigger_kind kind;
};

struct flows_plan {
    struct flows_item *item;
    struct flows_trigger *trigger;
    int64_t n, cap, trigger_n, trigger_cap;
};

/* struct flows_ids: numbers by id; zero-initialise. */
struct flows_ids {
    int64_t *id;
    int32_t *number;
    int64_t n, cap;
};

/* struct flows_read: a file being read. The caller sets the first block (in by flows_read_open). */
struct flows_read {
    const char *file; /* for messages */
    FILE *in;
    struct arena *arena;
    struct err *err;
    int64_t endpoints; /* 0 = not known */
    int64_t unit;      /* enum flows_unit of start times */
    int64_t classes;   /* of traffic; the columns for them count from 2 on */
    struct flows_plan *plan;
    /* ---- */
    struct flows_ids triggers; /* their numbers in the plan */
    struct flows_ids flows;    /* the lines where ids are given */
    int line;
    const char *word, *at; /* the current word; behind it */
    int word_len;
    char text[FLOWS_READ_LINE_MAX];
};

/* flows_read_open opens file if it is a regular one; false with a message in err (which says
 * "cannot read"). The caller closes read->in. */
bool flows_read_open(struct flows_read *read);
/* flows_read_hpcc, flows_read_htsim fill read->plan, which is empty; false with a message. Every
 * flow of a plan can start, provided that those before it arrive. */
bool flows_read_hpcc(struct flows_read *read);
bool flows_read_htsim(struct flows_read *read);

/* flows_read_fire fires a trigger and returns the first of the items to start (the others follow by
 * item->next), -1 if there is none. */
int32_t flows_read_fire(struct flows_plan *plan, int32_t trigger);

/* ---- for the readers of formats ---- */

/* flows_read_line goes to the next line that is neither blank nor a comment (#); false at the end
 * of the file or after an error (then err->count has grown). */
bool flows_read_line(struct flows_read *read);
/* flows_read_word goes to the next word of the line; false if there is none. */
bool flows_read_word(struct flows_read *read);
bool flows_read_is(const struct flows_read *read, const char *word);
/* flows_read_wrong reports an error at the current word; always false. */
bool flows_read_wrong(const struct flows_read *read, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* flows_read_int goes to the next word and reads it as a whole number within the limits. */
struct flows_limits {
    const char *what; /* "a size in bytes" */
    int64_t min, max;
};
bool flows_read_int(struct flows_read *read, const struct flows_limits *limits, int64_t *out);
/* flows_read_digits reads text[len] as such a number, as a part of the current word. */
bool flows_read_digits(const struct flows_read *read, const char *text, int len,
                       const struct flows_limits *limits, int64_t *out);
/* flows_read_start goes to the next word and reads it as a time in read->unit. */
bool flows_read_start(struct flows_read *read, int64_t *out_ps);
/* flows_read_end: nothing follows on the line. */
bool flows_read_end(struct flows_read *read);
/* flows_read_node is flows_read_digits of an endpoint's number. */
bool flows_read_node(const struct flows_read *read, const char *text, int len, int32_t *out);
/* flows_read_number returns the place of the number of an id, -1 at first. */
int32_t *flows_read_number(struct flows_ids *ids, struct arena *arena, int64_t id);
/* flows_read_trigger returns the number of a trigger, making it at first. */
int32_t flows_read_trigger(struct flows_read *read, int64_t id);
/* flows_read_add appends a flow (on the current line); false past FLOWS_READ_MAX. */
bool flows_read_add(struct flows_read *read, const struct flows_item *item);
/* flows_read_settle links waiting flows to their triggers and makes sure that each will start. */
bool flows_read_settle(struct flows_read *read);

#endif
