/* world.h - from resolved configuration to a graph of objects that can run.
 *
 * The roots of both kinds of configuration file are here; the application binds files to them,
 * then builds, runs and finishes a world.
 */
#ifndef RAILSIM_MODELS_WORLD_H
#define RAILSIM_MODELS_WORLD_H

#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/base/spans.h"
#include "sim/engine/sim.h"
#include "sim/io/schema.h"

extern const struct schema world_topology_schema;
extern const struct schema *const world_workload_kinds[]; /* NULL-terminated */

/* struct world_family: what can be plugged in, for `railsim list`. */
struct world_family {
    const char *name; /* "clients"; NULL ends the list */
    const char *help;
    const char *(*member)(int i, const char **help); /* name of member i, NULL past the last */
};
extern const struct world_family world_families[];

/* world_check looks whether topology and workload fit each other; what does not is in err. */
bool world_check(const void *topology, const struct schema_variant *workload, struct err *err);

struct world;
/* world_build makes all objects of a simulation and arms its first events. What is handed over must
 * outlive it; everything else lives in the simulation's arena. spans: told what happens when; NULL
 * = nobody draws. */
struct world *world_build(struct sim *sim, const void *topology,
                          const struct schema_variant *workload, const struct spans *spans);
/* world_run is sim_run of the world's simulation, with telemetry; a fabric in a deadlock ends it
 * with SIM_IDLE, whatever timers are armed. */
enum sim_stop world_run(struct world *world, const struct sim_limits *limits);
/* world_finish stores what the run has to say; stop is what world_run returned. A run that got
 * stuck leaves in record->message what it waited for. */
void world_finish(struct world *world, enum sim_stop stop, struct record *record);

#endif
