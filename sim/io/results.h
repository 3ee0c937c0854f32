/* results.h - the results database: the only SQLite file. Schema and views: docs/results.md.
 *
 * One process writes. Every finished point is one transaction (WAL, synchronous FULL; DELETE
 * journal where WAL cannot work and at close, so that the file is portable). kill -9 at any moment
 * loses at most points that were running. NaN never reaches the database.
 */
#ifndef RAILSIM_IO_RESULTS_H
#define RAILSIM_IO_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/io/schema.h"

struct results;

enum results_mode {
    RESULTS_READ,  /* must exist */
    RESULTS_WRITE, /* created if missing; another railsim's database is appended to */
    RESULTS_MEMORY /* never on disk, for a run without -o; path only names it in messages */
};

/* struct results_provenance: the same for all points of one command. */
struct results_provenance {
    const char *version, *git_hash, *compiler, *flags, *libraries, *cpu, *host, *argv;
};

/* struct results_plan: a point that shall be in the database. The key of a point is
 * (config_sha256, seed). Strings are the caller's. */
struct results_plan {
    const char *topology, *workload; /* names as the user gave them */
    const char *params;              /* JSON object of the varied keys: {"wan.rtt":"15ms"} */
    const char *overrides;           /* JSON array of all --set: ["wan.rate=10Gbps"] */
    uint64_t seed;
    const char *config_sha256;
    const struct schema_rows *config;
    int64_t run_id;     /* out: its row, old or new; equal points of one plan share it */
    bool done;          /* out: already finished with status ok */
    bool other_version; /* out: done, by another program version or git hash */
};

/* results_library returns "sqlite 3.40.1". */
const char *results_library(void);

/* results_open opens or creates path. Errors (exit code 3): not a railsim database, newer
 * user_version, no permission, damaged, ... NULL then. */
struct results *results_open(const char *path, enum results_mode mode, struct err *err);
/* results_close checkpoints, switches to the DELETE journal, closes; false if that failed (what was
 * stored is safe all the same). While another process has the file open, the journal stays WAL. */
bool results_close(struct results *results, struct err *err);

/* struct results_grid: what one command wants in the database. */
struct results_grid {
    struct results_plan *plan; /* n points, in the order of their ids */
    int64_t n;
    bool force; /* known points too run again */
    const struct results_provenance *provenance;
};
/* results_plan registers a grid in order in one transaction: those whose key is known keep their
 * run_id, the others get new ones with status 'pending'; so ids follow the grid, not the finish.
 * Known points that did not end with status ok, and with force all known ones, are emptied and set
 * to 'pending' again. A known point takes the names and params of the latest plan that varies
 * something, so that a sweep finds its whole grid under its own params. */
bool results_plan(struct results *results, const struct results_grid *grid, struct err *err);

/* struct results_finished: a point that ran. */
struct results_finished {
    int64_t run_id;
    const struct record *record;
    double started_unix_s, ended_unix_s;
};
/* results_store writes all rows of a finished point and its status in one transaction, in place of
 * what the point had. Refuses NaN and infinities. */
bool results_store(struct results *results, const struct results_finished *finished,
                   struct err *err);

/* results_row_fn gets one row of a query: n columns with their names, as text (NULL for SQL NULL;
 * reals as the shortest text that reads back to the same bits), valid until it returns; returns
 * false to stop. */
typedef bool results_row_fn(void *self, int n, const char *const *names, const char *const *values);
/* struct results_query: one SELECT; texts bound to ?1, ?2, ...; row is called with self. */
struct results_query {
    const char *sql;
    const char *const *params;
    int param_n;
    results_row_fn *row;
    void *self;
};
/* results_query hands all rows over; SQL that would change the database, or more than one
 * statement, is an error. */
bool results_query(struct results *results, const struct results_query *query, struct err *err);

#endif
