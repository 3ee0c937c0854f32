/* flows.h - traffic as such: flows between endpoints, by a pattern or from a file of others.
 *
 * Patterns: permutation, incast, all-to-all, ring all-reduce, Poisson arrivals with sizes from a
 * distribution, and files of flows (HPCC flow.txt, htsim .cm). Counts and times of all flows, with
 * slowdown = completion time / time on the idle path.
 */
#ifndef RAILSIM_MODELS_WORK_FLOWS_H
#define RAILSIM_MODELS_WORK_FLOWS_H

#include "models/fabric.h"
#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/io/schema.h"

enum flows_pattern {
    FLOWS_FILE,
    FLOWS_PERMUTATION,
    FLOWS_INCAST,
    FLOWS_ALL_TO_ALL,
    FLOWS_RING,
    FLOWS_POISSON
};
enum flows_format { FLOWS_HPCC, FLOWS_HTSIM };
enum flows_unit { FLOWS_UNIT_AUTO, FLOWS_S, FLOWS_MS, FLOWS_US, FLOWS_NS, FLOWS_PS };
enum flows_between { FLOWS_ANY, FLOWS_LEAVES };
enum flows_choice { FLOWS_FIRST, FLOWS_RANDOM };

struct flows_cfg {
    const char *name;
    int pattern; /* enum flows_pattern */
    const char *file, *sizes;
    int format, start_unit, between, choice; /* enums above */
    int64_t size_bytes, chunk_bytes, start_ps, duration_ps;
    int64_t ranks, stride, senders, receiver, concurrent;
    double load;
    int64_t queue_pairs, traffic_class;
    bool confirm; /* a flow ends when its sender knows */
};
extern const struct schema flows_schema; /* its name is the workload kind: flows */

/* struct flows_hosts: where flows may begin and end. */
struct flows_hosts {
    const int32_t *endpoint; /* [n] graph nodes */
    const int32_t *edge_of;  /* [n] their edge switches; NULL = all at one */
    int64_t n;
    struct framing framing; /* of their network */
    int64_t classes;        /* of traffic in their network; 0 counts as 1 */
};

struct flows;

/* flows_check looks whether cfg can run on hosts (NULL: on any), reading the files that it names;
 * what is wrong with a file is reported with its line and column. */
bool flows_check(const struct flows_cfg *cfg, const struct flows_hosts *hosts, struct err *err);

/* flows_new builds the traffic; cfg, fabric and hosts' arrays must outlive it. It calls sim_finish
 * when all flows have arrived. Where flows_check would fail it makes a workload that starts
 * nothing: flows_waits_for says why. */
struct flows *flows_new(struct sim *sim, const struct flows_cfg *cfg, struct fabric *fabric,
                        const struct flows_hosts *hosts);
/* flows_start arms the first event. */
void flows_start(struct flows *flows);
/* struct flows_seen: a flow on its way, in messages (one per queue pair). */
struct flows_seen {
    int64_t number, bytes;        /* numbers count from 0 in the order of starting */
    const struct fabric_msg *msg; /* [msg_n] */
    int32_t msg_n;
};
typedef void flows_see_fn(void *self, const struct flows_seen *flow);
/* flows_see tells see of each flow on its way, lowest number first. */
void flows_see(const struct flows *flows, flows_see_fn *see, void *self);
/* flows_waits_for says in words what traffic that is not done waits for. */
const char *flows_waits_for(const struct flows *flows, struct arena *arena);
/* flows_record stores counts, makespan, goodput, completion times and slowdowns of a run (to the
 * end or not). */
void flows_record(const struct flows *flows, struct record *record);

#endif
