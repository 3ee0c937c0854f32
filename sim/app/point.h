/* point.h - one point of a sweep: two files and overrides, loaded, checked, run. */
#ifndef RAILSIM_APP_POINT_H
#define RAILSIM_APP_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/base/spans.h"
#include "sim/engine/sim.h"
#include "sim/io/schema.h"

#define POINT_SHA256_MAX 65 /* hex digits and the final 0 */

/* struct point: what the user asked for. Strings are the caller's. */
struct point {
    const char *topology, *workload; /* paths; a shipped file is found by its name below the data
                                        folder too (cli_file) */
    const char *const *sets;         /* "wan.rtt=15ms"; "workload.epochs=2" for the workload */
    int set_n;
    const char *const *options; /* NULL, or [set_n]: the option that was typed for a set ("--op"),
                                   NULL = --set itself */
    uint64_t seed;
    struct sim_limits limits;
    const char *const *varies; /* as sets, applied after them; their origin is "--vary" */
    int vary_n;
};

/* struct point_config: the same, resolved. */
struct point_config {
    const void *topology;           /* struct world_topology */
    struct schema_variant workload; /* kind and its struct */
    struct schema_rows rows;        /* every value with its origin */
    char sha256[POINT_SHA256_MAX];  /* of all "path=value\n" rows in order */
    const char *label;              /* for messages and CHECK */
    const struct spans *spans;      /* point_run tells what happens when; NULL = nobody draws */
};

/* point_load reads both files, applies the overrides, checks everything. All errors in one pass.
 * Everything lives in arena. */
bool point_load(struct arena *arena, const struct point *point, struct point_config *config,
                struct err *err);

/* point_check reads and checks one file alone: point->topology, with point->sets. Its root's
 * `kind` decides whether it is a workload. *what is "topology", "workload" or
 * "devices". */
bool point_check(struct arena *arena, const struct point *point, struct schema_rows *rows,
                 const char **what, struct err *err);

/* point_is_workload tells whether an override's key ("workload.epochs") is the workload's. */
bool point_is_workload(const char *key);

/* point_run simulates a loaded point into record (which it initialises). Never fails: how the run
 * ended is record->status. */
void point_run(const struct point_config *config, uint64_t seed, const struct sim_limits *limits,
               struct record *record);

#endif
