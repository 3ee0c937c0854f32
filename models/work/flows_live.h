/* flows_live.h - flows on their way: what patterns stand on; internal to flows*.c. */
#ifndef RAILSIM_MODELS_WORK_FLOWS_LIVE_H
#define RAILSIM_MODELS_WORK_FLOWS_LIVE_H

#include "models/work/flows.h"
#include "models/work/flows_read.h"
#include "models/work/flows_sizes.h"
#include "models/work/flows_stats.h"
#include "sim/engine/rng.h"

/* struct flows_ask: a flow that a pattern wants to start now. tag comes back when it arrives;
 * flows of one src, dst and stream share queue pairs. */
struct flows_ask {
    int32_t src, dst; /* endpoints */
    uint32_t stream;
    uint8_t traffic_class; /* beyond that of the configuration */
    bool confirm;          /* it ends when its sender knows, whatever the configuration says */
    int64_t bytes, tag;
};

/* struct flows_flow: from a pool; its messages, one per queue pair, follow. */
struct flows_flow {
    struct flows_flow *next, *prev; /* among those on their way */
    struct flows *flows;
    int64_t bytes, start_ps, tag, number;
    int32_t src, dst;
    int32_t msg_n, unarrived; /* messages */
    struct fabric_msg msg[];
};

/* struct flows_loaded: what the files of a configuration say. */
struct flows_loaded {
    struct flows_plan plan;
    struct flows_sizes sizes;
};

/* struct flows_pattern_ops: tick sends flows at the start and whenever flows->timer, which it may
 * arm, fires; arrived (NULL = nothing to do) is told about flows and may send more. */
struct flows_pattern_ops {
    void (*tick)(struct flows *flows);
    void (*arrived)(struct flows *flows, const struct flows_flow *flow);
};
extern const struct flows_pattern_ops flows_pattern_permutation, flows_pattern_incast;
extern const struct flows_pattern_ops flows_pattern_all_to_all, flows_pattern_ring;
extern const struct flows_pattern_ops flows_arrivals, flows_replay;

struct flows {
    struct sim *sim;
    const struct flows_cfg *cfg;
    struct fabric *fabric;
    struct flows_hosts hosts;
    struct flows_loaded loaded;
    const struct flows_pattern_ops *pattern;
    void *state;       /* the pattern's, NULL before its first tick */
    const char *wrong; /* why nothing can start; NULL = all is well */
    struct rng rng;
    struct pool pool;
    struct flows_flow *live; /* head of the list, itself no flow */
    struct timer timer;      /* the pattern's own */
    int64_t total;           /* flows that there will be, -1 = not known yet */
    int64_t started, arrived, arrived_bytes;
    int64_t first_ps, last_ps; /* first start, last arrival */
    struct flows_stats stats;
};

/* flows_live_send starts a flow now. */
void flows_live_send(struct flows *flows, const struct flows_ask *ask);
/* flows_live_settle ends the run if nothing is on its way or to come. */
void flows_live_settle(struct flows *flows);
/* flows_live_rank returns the endpoint of a rank, flows_live_ranks their number. */
int32_t flows_live_rank(const struct flows *flows, int64_t rank);
int64_t flows_live_ranks(const struct flows_cfg *cfg, int64_t endpoints);
/* flows_live_apart: may a flow go from one endpoint to the other? */
bool flows_live_apart(const struct flows_cfg *cfg, const struct flows_hosts *hosts, int32_t src,
                      int32_t dst);
/* flows_live_load reads the files that cfg names and looks whether cfg can run on hosts (NULL: on
 * any); false with messages in err. Strings and arrays live in arena. */
bool flows_live_load(const struct flows_cfg *cfg, const struct flows_hosts *hosts,
                     struct flows_loaded *loaded, struct arena *arena, struct err *err);

#endif
