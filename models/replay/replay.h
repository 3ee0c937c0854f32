/* replay.h - the workload kind `trace`: what was recorded, or generated, runs again on a cluster.
 *
 * Rank r of the trace is GPU r. Operations, dependencies and matching: models/trace/trace.h.
 */
#ifndef RAILSIM_MODELS_REPLAY_REPLAY_H
#define RAILSIM_MODELS_REPLAY_REPLAY_H

#include "models/cluster/cluster.h"
#include "models/cluster/collective.h"
#include "models/cluster/device.h"
#include "models/trace/trace.h"
#include "sim/base/record.h"
#include "sim/base/spans.h"
#include "sim/io/schema.h"

enum replay_format { REPLAY_GOAL, REPLAY_CHAKRA };

struct replay_cfg {
    const char *name;
    int format; /* enum replay_format */
    const char *file, *groups;
    double compute_scale;
    bool memory;
    int64_t messages_max;
};
extern const struct schema replay_schema; /* its name is the workload kind: trace */

/* replay_check reads the trace and looks whether it fits a cluster of so many GPUs; errors with
 * file and line (C047, and those of the readers). */
bool replay_check(const struct replay_cfg *cfg, int64_t gpus, const struct device_facts *device,
                  struct err *err);

struct replay;

/* struct replay_site: where it runs. */
struct replay_site {
    struct cluster *cluster;
    const struct collective_facts *facts;
    const struct device_facts *device;
    const struct spans *spans; /* NULL = nobody draws */
};

/* replay_new reads the trace, which replay_check has accepted, and prepares it; cfg and what site
 * names must outlive it. It calls sim_finish when all operations are over. */
struct replay *replay_new(const struct replay_cfg *cfg, const struct replay_site *site);
/* replay_of is replay_new for a trace that is in memory, and outlives it. */
struct replay *replay_of(const struct replay_cfg *cfg, const struct replay_site *site,
                         const struct trace *trace);
/* replay_start begins with what waits for nothing. */
void replay_start(struct replay *replay);
/* replay_waits_for names a rank and an operation that have started and cannot end, and why. */
const char *replay_waits_for(const struct replay *replay, struct arena *arena);
/* replay_record stores makespan, one phase with the mean over ranks of what their time went to, the
 * largest of a rank, messages and bytes. */
void replay_record(const struct replay *replay, struct record *record);

#endif
