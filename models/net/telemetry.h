/* telemetry.h - series of what links and flows do, window by window; section `telemetry`.
 *
 * Works on both fabrics. Windows are closed from outside the event queue (world_run stops the run
 * at their ends): there are no sampling events, so a run with telemetry has the fingerprint of the
 * run without, and ends when it would have ended.
 */
#ifndef RAILSIM_MODELS_NET_TELEMETRY_H
#define RAILSIM_MODELS_NET_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/fabric.h"
#include "models/topo/topo.h"
#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/io/schema.h"

struct telemetry_cfg {
    int64_t window_ps; /* 0 = off */
    const char *links; /* patterns of names, separated by blanks */
    bool queues, marks, pauses, drops, flows;
    int64_t flows_max, samples;
};
extern const struct schema telemetry_schema;

/* telemetry_check looks whether cfg fits the links of a network: errors C066, C067 in err. */
bool telemetry_check(const struct telemetry_cfg *cfg, const struct topo_graph *graph,
                     struct err *err);

/* struct telemetry_of: what is watched; all outlives the telemetry. */
struct telemetry_of {
    const struct telemetry_cfg *cfg;
    const struct topo_graph *graph;
    const struct fabric *fabric;
    bool packets; /* it is the packet fabric (net.h), not that of flows (flow.h) */
};
struct telemetry;
/* telemetry_new begins the first window now; memory from the simulation's arena, bounded by
 * cfg->samples for each series. */
struct telemetry *telemetry_new(const struct telemetry_of *of);

/* telemetry_due_ps returns the end of the open window. */
int64_t telemetry_due_ps(const struct telemetry *telemetry);

/* struct telemetry_flow: a flow on its way, in messages (one per queue pair). */
struct telemetry_flow {
    int64_t number, bytes;
    const struct fabric_msg *msg; /* [msg_n] */
    int32_t msg_n;
};
/* telemetry_flow tells of each flow on its way, lowest number first, before telemetry_close. A flow
 * that is not told of any more has arrived. */
void telemetry_flow(struct telemetry *telemetry, const struct telemetry_flow *flow);
/* telemetry_close closes the open window, now, and begins the next. */
void telemetry_close(struct telemetry *telemetry);
/* telemetry_record closes what is open, a shorter window, and stores the series: "link/NAME"
 * utilisation, queue, queue_max, ecn_marks, paused, drops, and "flow/NUMBER SRC>DST" rate. Call it
 * once, at the end, after telemetry_flow. */
void telemetry_record(struct telemetry *telemetry, struct record *record);

#endif
