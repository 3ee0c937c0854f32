/* results_sql.h - statements on an open results database, for results_plan.c and results_store.c.
 *
 * Apart from results.h because only these two write. The functions are in results.c, which alone
 * knows SQLite. Values are given by a string of types, one letter each: i int64_t, d double (NaN
 * becomes SQL NULL), t const char * (NULL becomes SQL NULL; must outlive the statement's use).
 */
#ifndef RAILSIM_IO_RESULTS_SQL_H
#define RAILSIM_IO_RESULTS_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/err.h"

struct results;
struct sqlite3_stmt;

/* results_prepare returns a statement with the values bound, NULL after reporting an error. */
struct sqlite3_stmt *results_prepare(struct results *r, struct err *err, const char *sql,
                                     const char *types, ...);
/* results_put_row runs a statement that returns no rows with these values, ready to run again. */
bool results_put_row(struct results *r, struct sqlite3_stmt *stmt, struct err *err,
                     const char *types, ...);
/* results_next steps to the next row; *row tells whether there is one. false on an error. */
bool results_next(struct results *r, struct sqlite3_stmt *stmt, bool *row, struct err *err);
int64_t results_int(struct sqlite3_stmt *stmt, int column);
const char *results_text(struct sqlite3_stmt *stmt, int column); /* valid until the next step */
/* results_end releases a statement (NULL: nothing) and returns ok. */
bool results_end(struct sqlite3_stmt *stmt, bool ok);

/* results_put prepares, runs and releases a statement that returns no rows. */
bool results_put(struct results *r, struct err *err, const char *sql, const char *types, ...);

int64_t results_last_id(struct results *r);        /* of the last INSERT into a table with ids */
int64_t results_changes(struct results *r);        /* rows that the last statement changed */
const char *results_path(const struct results *r); /* for messages */

bool results_begin(struct results *r, struct err *err);
/* results_commit ends the transaction: all of it if ok, else nothing. Returns whether it is in. */
bool results_commit(struct results *r, bool ok, struct err *err);
/* results_clear removes what a run has produced, except its line in table run. */
bool results_clear(struct results *r, int64_t run_id, struct err *err);

#endif
