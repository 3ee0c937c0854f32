/* sweep_table.h - what a sweep prints at its end: one row per point. */
#ifndef RAILSIM_APP_SWEEP_TABLE_H
#define RAILSIM_APP_SWEEP_TABLE_H

#include "sim/app/columns.h"
#include "sim/app/sweep_grid.h"
#include "sim/io/results.h"

/* struct sweep_row: of a point, as texts from the database; NULL for SQL NULL. */
struct sweep_row {
    const char *status, *message, *fingerprint, *time_to_train_s, *slowdown, *bound;
    const char *columns[COLUMNS_N];
};

/* struct sweep_table: set grid, plan and status, then sweep_table_read. */
struct sweep_table {
    const struct sweep_grid *grid;
    const struct results_plan *plan; /* one per point */
    const char *status;              /* of the whole sweep: "ok", "failed", "interrupted" */
    struct sweep_row *row;           /* one per point */
    const char *heads[COLUMNS_N];    /* of row->columns */
};

/* sweep_table_read reads the rows of all points from the database into arena. */
bool sweep_table_read(struct sweep_table *table, struct results *results, struct arena *arena,
                      struct err *err);
/* sweep_table_done returns how many points ended with status ok. */
int64_t sweep_table_done(const struct sweep_table *table);
/* sweep_table_text and sweep_table_json print the table to stdout. */
void sweep_table_text(const struct sweep_table *table);
void sweep_table_json(const struct sweep_table *table);

#endif
