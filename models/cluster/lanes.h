/* lanes.h - the lanes of a run: messages from one rank to another, by a number; made when asked
 * for. */
#ifndef RAILSIM_MODELS_CLUSTER_LANES_H
#define RAILSIM_MODELS_CLUSTER_LANES_H

#include <stdint.h>

#include "models/cluster/cluster.h"
#include "sim/base/arena.h"

struct block; /* coll_run.c's */

/* struct lane: messages from one rank to another. */
struct lane {
    struct cluster_conn conn;
    struct block *receiver, *sender; /* waiting here */
    uint64_t early;                  /* arrived beyond `arrived`: bit i is arrived + i */
    uint32_t sent, arrived, taken;
    int32_t src, dst, number;
};

/* struct lanes: a hash table, open addressing; set arena, the rest zero. */
struct lanes {
    struct arena *arena;
    struct lane **table; /* [table_n], a power of two; NULL = free */
    int64_t table_n, n;
};

/* struct lane_id: ranks (or agents) of a run, and the lane's number. */
struct lane_id {
    int32_t src, dst, number;
};

/* lanes_find returns the lane, NULL if there is none yet. */
struct lane *lanes_find(const struct lanes *lanes, struct lane_id id);
/* lanes_add makes one that is not there. */
struct lane *lanes_add(struct lanes *lanes, struct lane_id id);

#endif
