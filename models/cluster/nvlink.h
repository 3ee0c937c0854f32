/* nvlink.h - GPUs behind an NVSwitch: one port out and one port in per GPU, messages take turns.
 *
 * Beside fabric.h, not behind it: between GPUs of one domain there is one path, of which nothing
 * can be left to chance, so a hop is settled when it begins, with one event (two if it had to
 * queue).
 */
#ifndef RAILSIM_MODELS_CLUSTER_NVLINK_H
#define RAILSIM_MODELS_CLUSTER_NVLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/sim.h"

struct nvlink_cfg {
    int64_t gpus;
    int64_t rate_bps;   /* of a GPU's port, each way, after framing */
    int64_t switch_bps; /* of the same port with operands of in-switch reductions */
    int64_t delay_ps;   /* GPU to GPU; half of it between a GPU and the switch */
};

struct nvlink;
struct nvlink_hop;
typedef void nvlink_fn(struct sim *sim, struct nvlink_hop *hop);

#define NVLINK_SWITCH (-1) /* as an end of a hop: the NVSwitch itself */

/* struct nvlink_queue: hops that share a place in the sender's port: its queues take turns, hop by
 * hop. Zero-initialised; the sender's, from one GPU. */
struct nvlink_queue {
    struct nvlink_hop *first, *last; /* behind the one that stands at the port */
    bool at_port;
};

/* struct nvlink_hop: a message inside a domain; the sender's, untouched by it until done. */
struct nvlink_hop {
    struct timer timer; /* free for the owner before nvlink_send and from done on */
    struct nvlink_queue *queue;
    int32_t src, dst; /* GPUs of one domain; one of them may be NVLINK_SWITCH */
    int64_t bytes;
    int64_t lag_ps;  /* done is called so much after the arrival of the last byte */
    nvlink_fn *done; /* never called from inside nvlink_send */
    /* ---- */
    struct nvlink *nvlink;
    struct nvlink_hop *next;
};

/* nvlink_new builds all ports in the simulation's arena. */
struct nvlink *nvlink_new(struct sim *sim, const struct nvlink_cfg *cfg);

/* nvlink_send takes the hop: it waits for its turn at the sender's port, then for the receiver's
 * (first come, first served), and takes bytes / rate on both. */
void nvlink_send(struct nvlink *nvlink, struct nvlink_hop *hop);

/* struct nvlink_count: bytes that a GPU's port has taken up so far. */
struct nvlink_count {
    int64_t out_bytes, in_bytes;
};
struct nvlink_count nvlink_count(const struct nvlink *nvlink, int32_t gpu);

#endif
