/* validation.h - rows of published values, and what the simulator says to them.
 *
 * A file tests/validation/NAME.yaml names its source, a topology, and rows: a workload and
 * overrides (or a formula), a metric, the published value, a tolerance. Files are found by looking;
 * no row is in the code.
 */
#ifndef RAILSIM_APP_VALIDATION_H
#define RAILSIM_APP_VALIDATION_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"
#include "sim/io/schema.h"

enum validation_kind { VALIDATION_CALIBRATED, VALIDATION_PREDICTED };

/* struct validation_row: one published value, and the simulation or formula that gives it, too. */
struct validation_row {
    const char *name;
    int kind;                        /* enum validation_kind */
    struct schema_variant model;     /* of validation_model.h; `run`: workload */
    const char *topology, *workload; /* paths; topology "" = the file's */
    const char *set;                 /* overrides, separated by blanks */
    const char *entity, *metric, *unit;
    double factor; /* from the metric's unit to unit */
    double expected;
    double tolerance;          /* relative; or */
    double tolerance_absolute; /* in unit; or */
    bool at_least;             /* expected is a lower bound */
    double goal; /* relative, where it is narrower than the tolerance: what is wanted, and known to
                    be missed; 0 = the tolerance is the goal */
    const char *minus; /* overrides of a point whose metric is subtracted; "" = none */
    struct { /* find the value of a time-valued key at which the metric is target; got is in ms */
        const char *key; /* "" = do not */
        int64_t low_ps, high_ps;
        double target, spread; /* the interval: target -+ spread */
    } solve;
    const char *note;
};

/* struct validation_file: a bound file. */
struct validation_file {
    const char *name; /* stem of the file */
    const char *title, *source, *topology;
    struct schema_list rows; /* struct validation_row */
    struct {
        const char *keys; /* separated by blanks; "" = nothing to calibrate */
    } calibrate;
};

/* struct validation_outcome: what came out for a row. */
struct validation_outcome {
    double got, error; /* error: relative, or absolute if the tolerance is or there is none */
    double low, high;  /* of a solved row: the interval */
    bool ok, solved;
    bool missed; /* ok, but not what is wanted */
};

/* struct validation: memory of points that ran already; zero-initialise with .arena, .err set. */
struct validation {
    struct arena *arena;
    struct err *err; /* what stops a row, of every function below */
    struct validation_memo *memo;
};

/* validation_load reads all files (path below the data folder) in order of their names; NULL on
 * error. *n is set to their number. */
const struct validation_file *validation_load(struct arena *arena, int *n, struct err *err);

/* validation_value runs (or remembers) the point of a row, and the one to subtract if there is one,
 * both with more overrides, separated by blanks, and returns the metric in the row's unit; of a
 * formula, what it gives. */
bool validation_value(struct validation *validation, const struct validation_file *file,
                      const struct validation_row *row, const char *more, double *value);

/* validation_free forgets all points. */
void validation_free(struct validation *validation);

/* validation_row_run fills outcome for a row. */
bool validation_row_run(struct validation *validation, const struct validation_file *file,
                        const struct validation_row *row, struct validation_outcome *outcome);

#endif
