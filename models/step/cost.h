/* cost.h - what a transformer layer costs a GPU: time of compute, bytes to the others. Pure. */
#ifndef RAILSIM_MODELS_STEP_COST_H
#define RAILSIM_MODELS_STEP_COST_H

#include "models/cluster/device.h"
#include "models/step/llm.h"

/* struct cost_pass: a layer, once forward or once backward, one micro-batch. Recompute belongs to
 * backward. Bytes: what a collective counts, or what a GPU sends to the next. */
struct cost_pass {
    double compute_s; /* all but the experts */
    double experts_s;
    int64_t tensor_sent;   /* bytes that a GPU sends to its tensor-parallel group */
    int32_t tensor_calls;  /* in so many collectives */
    int64_t context_bytes; /* all-gather of keys and values; backward with reduce-scatter */
    int32_t context_calls; /* in so many collectives */
    int64_t expert_bytes;  /* of one all-to-all */
    int32_t expert_calls;  /* so many, half of them on the way to the experts */
};

/* Bytes of a pass are at most this, far beyond what the clock of a run allows. */
#define COST_BYTES_MAX INT64_C(100000000000000)

struct cost {
    struct cost_pass forward, backward;
    double head_forward_s, head_backward_s; /* logits and loss */
    int64_t activation_bytes;               /* a GPU to its partner of the next stage */
};

/* cost_of fills cost for a job of that shape on that accelerator. */
void cost_of(const struct llm_cfg *cfg, const struct shape *shape,
             const struct device_facts *device, struct cost *cost);
/* cost_memory_s returns the time that so many bytes of memory traffic take. */
double cost_memory_s(const struct llm_cfg *cfg, const struct device_facts *device, double bytes);
/* cost_peak returns FLOP/s of the data sheet for the precision of the run. */
double cost_peak(const struct llm_cfg *cfg, const struct device_facts *device);

#endif
