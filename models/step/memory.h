/* memory.h - the memory that a transformer's training step needs on a GPU. Pure. */
#ifndef RAILSIM_MODELS_STEP_MEMORY_H
#define RAILSIM_MODELS_STEP_MEMORY_H

#include "models/step/llm.h"

/* struct memory: bytes on the GPU that needs most. */
struct memory {
    double parameters, gradients, optimizer; /* kept from step to step */
    double activations;                      /* at their most, gathered parameters included */
};

/* memory_of fills memory for a job of that shape. */
void memory_of(const struct llm_cfg *cfg, const struct shape *shape, struct memory *memory);
/* memory_state returns what is kept from step to step. */
static inline double memory_state(const struct memory *memory)
{
    return memory->parameters + memory->gradients + memory->optimizer;
}

#endif
