/* schema.h - one table per configuration section: key, type, unit, limits, default, help, source.
 *
 * The table is the parser, the documentation (`railsim explain`, docs/config.md) and the JSON
 * Schema. schema_bind turns a tree into a const struct, complains about everything that is wrong
 * in one pass, and lists every value with its origin.
 */
#ifndef RAILSIM_IO_SCHEMA_H
#define RAILSIM_IO_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"

enum schema_type {
    SCHEMA_TIME,     /* int64_t ps */
    SCHEMA_SIZE,     /* int64_t bytes */
    SCHEMA_RATE,     /* int64_t bit/s */
    SCHEMA_LENGTH,   /* int64_t mm */
    SCHEMA_COUNT,    /* int64_t */
    SCHEMA_FRACTION, /* double */
    SCHEMA_REAL,     /* double */
    SCHEMA_BOOL,     /* bool; true false */
    SCHEMA_ENUM,     /* int: index into words */
    SCHEMA_STRING,   /* const char *, "" if the default is "" */
    SCHEMA_PATH,     /* const char *: a file; relative to the file that names it */
    SCHEMA_COUNTS,   /* struct schema_counts: list of counts, [3, 7, 11] */
    SCHEMA_SECTION,  /* the struct itself, embedded at offset; table: section */
    SCHEMA_LIST,     /* struct schema_list of structs; table: section */
    SCHEMA_VARIANT   /* struct schema_variant; the key `kind` of the section picks one of kinds */
};

struct schema_counts {
    int64_t n;
    const int64_t *value;
};
struct schema_list {
    int64_t n;
    const void *items; /* n structs of section->size */
};
struct schema_variant {
    int index;          /* into kinds */
    const char *kind;   /* its name */
    const void *config; /* struct of that kind's table */
};

struct schema;
struct schema_check;

/* struct schema_field: one key. Text limits are written with units ("0", "1Tbps"). */
struct schema_field {
    const char *key;
    enum schema_type type;
    size_t offset;            /* in the section's struct */
    const char *fallback;     /* default as text; NULL = the user must give it (for SECTION and
                                   LIST: NULL = may be left out; SECTION then takes its defaults);
                                   COUNTS: "[3, 7]"; VARIANT: the kind to take */
    const char *min, *max;    /* inclusive; NULL = 0 resp. none; of COUNTS: of each item; of LIST:
                                   number of items. Both have at most 1e6 items */
    const char *const *words; /* ENUM: NULL-terminated */
    const struct schema *section;      /* SECTION, LIST */
    const struct schema *const *kinds; /* VARIANT: NULL-terminated; schema->name is the kind */
    const char *help;                  /* one line: effect, and what 0 means if that is special */
    const char *source; /* where the default comes from; NULL if it is only neutral */
};

/* struct schema: a section. check, if set, looks at the bound struct for meaning (Kmin > Kmax, ...)
 * and calls schema_complain. */
struct schema {
    const char *name;                  /* "wan"; for a kind of a variant: the kind */
    const char *help;                  /* one line */
    size_t size;                       /* of the struct */
    const struct schema_field *fields; /* ends with key NULL */
    void (*check)(const void *config, struct schema_check *check);
};

/* schema_complain adds an error at the place of key (in the section under check), or at the section
 * if the key was not given. Message as in err_add; begin it with the check's number "C012: ". */
void schema_complain(struct schema_check *check, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* struct schema_row: a resolved value. */
struct schema_row {
    const char *path;   /* "wan.rtt" */
    const char *value;  /* as text with its unit */
    const char *origin; /* "topologies/x.yaml:17:9", "default", "--set" */
    struct err_pos pos; /* of the value; if it was not given, of the section around it */
};
struct schema_rows {
    struct schema_row *row;
    int64_t n, cap;
    struct arena *arena;
};

struct tree_node;

/* struct schema_into: where schema_bind puts what it makes. */
struct schema_into {
    struct arena *arena;
    const char *prefix;       /* of every path: "" or "workload." */
    struct schema_rows *rows; /* all values with their origins are appended; may be NULL */
    struct err *err;
};

/* schema_bind fills config (schema->size bytes, zeroed before) from node and reports every error;
 * false if anything is wrong. */
bool schema_bind(const struct schema_into *into, const struct schema *schema,
                 const struct tree_node *node, void *config);
/* schema_bind_variant is the same where the root itself has a `kind`. */
bool schema_bind_variant(const struct schema_into *into, const struct schema *const *kinds,
                         const struct tree_node *node, struct schema_variant *config);

/* struct schema_root: a kind of file, for explain, docs and JSON Schema. */
struct schema_root {
    const char *name;                  /* "topology", "workload" */
    const char *prefix;                /* of its keys on the command line: "", "workload." */
    const struct schema *schema;       /* or */
    const struct schema *const *kinds; /* the root is a variant */
};

/* schema_explain prints what a dotted key means: type, unit, limits, default, source, help; for a
 * section its keys. Keys inside variants are found under every kind. false + suggestion in err. */
bool schema_explain(const struct schema_root *roots, int n, const char *key, FILE *out,
                    struct err *err);
/* schema_json prints the JSON Schema (draft 2020-12) of one root. */
void schema_json(const struct schema_root *root, FILE *out);
/* schema_markdown prints docs/config.md for all roots. */
void schema_markdown(const struct schema_root *roots, int n, FILE *out);

#endif
