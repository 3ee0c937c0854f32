/* llm_build.h - what the files that plan a step share: a plan in the making, operations, layers. */
#ifndef RAILSIM_MODELS_STEP_LLM_BUILD_H
#define RAILSIM_MODELS_STEP_LLM_BUILD_H

#include "models/step/cost.h"
#include "models/step/llm.h"

/* struct build: a plan in the making, for one stage at a time. */
struct llm_build {
    const struct llm_cfg *cfg;
    const struct job_site *site;
    struct plan *plan;
    struct llm_size size;
    struct cost cost;
    int32_t stage;
    int64_t micro_batches, chunk_layers;
    struct plan_op wait; /* after_stream, after_op for the next operation of compute */
    int64_t last_reduce; /* of the stage's reduce stream; -1 = none */
};

/* llm_build_add appends an operation of compute, which waits as build->wait says; llm_build_busy
 * one that takes so long. They return its number. */
int64_t llm_build_add(struct llm_build *build, struct plan_op op);
int64_t llm_build_busy(struct llm_build *build, const char *name, enum exec_category category,
                       double seconds);
/* llm_build_collective returns a collective that has not been appended. */
struct plan_op llm_build_collective(const char *name, enum exec_category category,
                                    enum shape_group group, enum coll_op op, int64_t bytes);
/* llm_build_inside tells whether the groups of a kind stay inside NVLink domains. */
bool llm_build_inside(const struct llm_build *build, enum shape_group kind);
/* llm_build_layers appends so many layers, once forward or backward; returns the number of the last
 * operation. */
int64_t llm_build_layers(struct llm_build *build, const char *name, const struct cost_pass *pass,
                         int64_t layers);

#endif
