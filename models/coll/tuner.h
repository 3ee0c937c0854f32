/* tuner.h - which algorithm and protocol NCCL would choose for a collective, and the times that it
 * compares. A selector, not a predictor: choose with it, then simulate the steps.
 *
 * Pure: facts in, table out. Formulas and constants: tuner.c.
 */
#ifndef RAILSIM_MODELS_COLL_TUNER_H
#define RAILSIM_MODELS_COLL_TUNER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/coll/coll.h"

/* NCCL's algorithms in its order: of equal times the first is taken. */
enum tuner_algorithm {
    TUNER_TREE, /* double binary tree over nodes, a chain inside a node */
    TUNER_RING,
    TUNER_NVLS,      /* reduced in the NVSwitch of the only node */
    TUNER_NVLS_TREE, /* reduced in the NVSwitch; between nodes by trees */
    TUNER_PAT,       /* parallel aggregated trees, one GPU per node */
    TUNER_ALGORITHMS
};
enum tuner_generation {
    TUNER_VOLTA,
    TUNER_AMPERE,
    TUNER_HOPPER,
    TUNER_BLACKWELL,
    TUNER_GENERATIONS /* another vendor's: nothing is known of it */
};
enum tuner_cpu { TUNER_INTEL, TUNER_AMD, TUNER_ARM };
enum tuner_version { TUNER_NCCL_2_30, TUNER_NCCL_2_20 };

/* struct tuner_graph: what NCCL's search found for a kind of algorithm (NCCL_GRAPH_DUMP_FILE); of
 * one node both rates are the one inside. */
struct tuner_graph {
    int64_t channels;             /* 0: the algorithms of this graph are not available */
    int64_t intra_bps, inter_bps; /* of one channel: inside a node, between nodes */
    int64_t latency_inter_ps;     /* of the network device, beyond NCCL's own figure */
};

struct tuner_facts {
    enum coll_op op; /* all-to-all and send-recv have nothing to choose */
    int64_t bytes;   /* of the larger buffer of a rank: what nccl-tests calls size */
    int64_t nodes, ranks_per_node;
    enum tuner_generation generation;
    enum tuner_cpu cpu;
    enum tuner_version version;
    struct tuner_graph graph; /* of ring, tree and PAT */
    int64_t ring_bps; /* of all channels of the ring, which has one rate inside a node and between
                         nodes; 0 = as graph */
    struct tuner_graph nvls; /* of NVLS and NVLSTree: at least 2 channels */
};

/* struct tuner_table: predicted times; -1 where NCCL would not use that pair. */
struct tuner_table {
    int64_t time_ps[TUNER_ALGORITHMS][COLL_PROTOCOLS];
    enum tuner_algorithm algorithm; /* of the least time */
    enum coll_protocol protocol;
};

/* tuner_choose fills the table; false if there is nothing to choose (fewer than two ranks, no
 * graph, an operation without choice, another vendor). */
bool tuner_choose(const struct tuner_facts *facts, struct tuner_table *table);

/* tuner_has_pair tells whether NCCL has the algorithm with the protocol at all. */
bool tuner_has_pair(enum tuner_algorithm algorithm, enum coll_protocol protocol);

/* NCCL's name in lower case: "nvls_tree". */
const char *tuner_algorithm_name(enum tuner_algorithm algorithm);

#endif
