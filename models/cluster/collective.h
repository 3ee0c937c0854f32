/* collective.h - the workload kind `collective`: one collective over the GPUs of a cluster, as
 * nccl-tests runs it; and what NCCL's software costs, a section of the topology.
 */
#ifndef RAILSIM_MODELS_CLUSTER_COLLECTIVE_H
#define RAILSIM_MODELS_CLUSTER_COLLECTIVE_H

#include "models/cluster/cluster.h"
#include "models/cluster/coll_run.h"
#include "models/cluster/device.h"
#include "models/coll/coll.h"
#include "models/coll/tuner.h"
#include "sim/base/err.h"
#include "sim/base/record.h"
#include "sim/io/schema.h"

/* struct collective_cost: software time of a protocol. */
struct collective_cost {
    int64_t launch_ps, nvlink_ps, net_ps;
    int64_t channel_bps; /* what the thread blocks of a channel move; 0 = no limit */
};

/* struct collective_facts: section `collectives` of a topology. */
struct collective_facts {
    struct collective_cost cost[COLL_PROTOCOLS];
    struct collective_cost in_switch; /* of algorithms with agents, whatever the protocol */
    int64_t nic_ps;      /* of a message, by every protocol: what the NIC and its driver take */
    int64_t nic_told_ps; /* what NCCL's tuner is told of it; 0 = the same */
    int64_t slots, channels, chunk_bytes, nvls_chunk_bytes;
    int64_t share_bytes[COLL_PROTOCOLS]; /* the least of a channel */
    int64_t ll_bytes, ll128_bytes;       /* per rank: up to where, if not by NCCL's tuner */
    int version;                         /* enum tuner_version */
    int cpu;                             /* enum tuner_cpu: of the hosts */
    int protocol; /* the only one, where the workload has no wish: as collective_cfg.protocol */
};
extern const struct schema collective_facts_schema;

/* struct collective_cfg: the workload. */
struct collective_cfg {
    const char *name;
    int op;           /* enum coll_op */
    int algorithm;    /* 0 = auto; else 1 + index into coll_list */
    int protocol;     /* 0 = auto; else 1 + enum coll_protocol */
    const char *file; /* of MSCCL, instead of an algorithm; "" or NULL = none */
    int64_t bytes, ranks, root, channels, slices, chunk_bytes;
};
extern const struct schema collective_schema; /* its name is the workload kind: collective */

struct collective;

/* struct collective_site: where it runs. */
struct collective_site {
    struct cluster *cluster;
    const struct collective_facts *facts;
    const struct device_facts *device;
    const struct spans *spans; /* NULL = nobody draws */
    const int32_t *gpu; /* [ranks] of the cluster, those of an NVLink domain next to one another;
                           NULL: rank r is GPU r */
};

/* collective_choose settles what cfg leaves open, as NCCL's tuner does (models/coll/tuner.h), and
 * returns the index of the algorithm in coll_list. Of a group of a cluster's GPUs each brings its
 * share of its node's NICs. */
int collective_choose(const struct collective_cfg *cfg, const struct collective_site *site,
                      struct coll_ask *ask);
/* collective_pace sets what the software costs a run of a plan: lag, launch_ps, block_bps, slots;
 * plan->ops may be any, plan->ask must be as collective_choose (or a file) left it. */
void collective_pace(const struct collective_site *site, const struct coll_plan *plan,
                     struct coll_run_cfg *run);

/* Algorithms from files (collective_file.c): collective_file_check reads cfg->file and looks
 * whether it is for so many ranks and the rest of cfg (C048, and those of the reader), or, ranks 0,
 * not known yet, whether it delivers what it promises (C136, C137); collective_file_plan plans what
 * it has accepted, and returns NULL, or why it cannot. */
bool collective_file_check(const struct collective_cfg *cfg, int64_t ranks, struct err *err);
const char *collective_file_plan(const struct collective_cfg *cfg,
                                 const struct collective_site *site, struct coll_plan *plan);
static inline bool collective_has_file(const struct collective_cfg *cfg)
{
    return cfg->file && *cfg->file;
}

/* struct collective_place: a site before it is built. */
struct collective_place {
    int64_t gpus, domain; /* all of them; those of an NVLink domain */
    const struct collective_facts *facts;
    const struct device_facts *device;
    bool packets; /* on the packet fabric */
};
/* collective_check looks whether cfg can run there (C050, C051, C055, C056, C121 to C123, C140, and
 * what collective_file_check says). */
bool collective_check(const struct collective_cfg *cfg, const struct collective_place *place,
                      struct err *err);

/* collective_divisor returns the greatest common divisor; of 0 and n: n. */
int64_t collective_divisor(int64_t a, int64_t b);

/* collective_new plans the collective; cfg and what site names must outlive it. It calls sim_finish
 * when all ranks are done. Where the algorithm cannot do what is asked it makes one that starts
 * nothing: collective_waits_for says why. */
struct collective *collective_new(const struct collective_cfg *cfg,
                                  const struct collective_site *site);
/* collective_start arms the first events. */
void collective_start(struct collective *collective);
const char *collective_waits_for(const struct collective *collective, struct arena *arena);
/* collective_record stores a phase named "all_reduce ring simple" (operation, algorithm, protocol),
 * time, algbw, busbw, messages. */
void collective_record(const struct collective *collective, struct record *record);

#endif
