/* llm_build.c - the layers of a step: compute, and the communication inside them.
 *
 * The one idea: communication inside an NVLink domain shares its links with nobody else, so it is
 * a time: bytes / rate + software. What leaves the domain is left to the executor, message by
 * message.
 * Judgement: tensor_overlap and context_overlap shorten times, so they do nothing for groups that
 * leave the domain, whose collectives are simulated in full.
 */
#include "models/step/llm_build.h"

static int64_t ps_of(double seconds)
{
    return (int64_t)(seconds * 1e12);
}

int64_t llm_build_add(struct llm_build *build, struct plan_op op)
{
    op.after_stream = build->wait.after_stream;
    op.after_op = build->wait.after_op;
    build->wait = PLAN_OP_NONE;
    return plan_add(build->plan, build->stage, PLAN_COMPUTE, &op);
}

int64_t llm_build_busy(struct llm_build *build, const char *name, enum exec_category category,
                       double seconds)
{
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_BUSY;
    op.category = (int8_t)category;
    op.name = name;
    op.duration_ps = ps_of(seconds);
    return llm_build_add(build, op);
}

struct plan_op llm_build_collective(const char *name, enum exec_category category,
                                    enum shape_group group, enum coll_op op, int64_t bytes)
{
    struct plan_op made = PLAN_OP_NONE;
    made.kind = EXEC_COLLECTIVE;
    made.category = (int8_t)category;
    made.group = (int8_t)group;
    made.op = (int8_t)op;
    made.name = name;
    made.bytes = bytes;
    return made;
}

/* ---- communication inside a layer ------------------------------------------------------------ */

/* Whether the groups of a kind stay inside NVLink domains. Of a scattered job only the ranks of a
 * node are sure to be neighbours. */
bool llm_build_inside(const struct llm_build *build, enum shape_group kind)
{
    const struct shape *shape = &build->plan->shape;
    const struct cluster_facts *cluster = cluster_facts(build->site->cluster);
    int64_t domain = build->cfg->job.scattered && build->cfg->job.copies > 1 ? cluster->node_gpus
                                                                             : cluster->domain;
    int64_t span = shape->tensor;
    if (shape_size(shape, kind) == 1) return true;
    if (kind == SHAPE_CONTEXT) span *= shape->context;
    if (kind == SHAPE_EXPERT) {
        span *= shape->expert;
        if (shape->data_outermost && shape->pipeline > 1 && shape->context % shape->expert)
            return false;
    }
    return span <= domain && domain % span == 0;
}

/* sent: bytes that a GPU sends, in so many collectives. */
static void add_local(struct llm_build *build, const char *name, enum exec_category category,
                      const struct plan_op *of, double calls)
{
    const struct collective_cost *cost = &build->site->facts->cost[COLL_SIMPLE];
    int64_t ranks = shape_size(&build->plan->shape, (enum shape_group)of->group);
    double rate = (double)cluster_facts(build->site->cluster)->link_bps;
    double software = calls * (double)(cost->launch_ps + (ranks - 1) * cost->nvlink_ps) / 1e12;
    double shown = category == EXEC_TP   ? 1 - build->cfg->parallel.tensor_overlap
                   : category == EXEC_CP ? 1 - build->cfg->parallel.context_overlap
                                         : 1;
    if (of->bytes == 0) return;
    struct plan_op op = PLAN_OP_NONE;
    op.kind = EXEC_BUSY;
    op.category = (int8_t)category;
    op.name = name;
    op.bytes = of->bytes;
    op.duration_ps = ps_of(shown * ((double)of->bytes * 8 / rate + software));
    llm_build_add(build, op);
}

static void add_tensor(struct llm_build *build, const struct cost_pass *pass, int64_t layers)
{
    int64_t tensor = build->plan->shape.tensor, sent = pass->tensor_sent * layers;
    if (tensor == 1) return;
    if (llm_build_inside(build, SHAPE_TENSOR)) {
        add_local(build, "tensor", EXEC_TP, &(struct plan_op){.group = SHAPE_TENSOR, .bytes = sent},
                  (double)(pass->tensor_calls * layers));
        return;
    }
    /* as all-reduces, of twice the bytes of a gather */
    int64_t each = pass->tensor_sent / (tensor - 1) * tensor / 4;
    for (int64_t i = 0; i < 2 * layers; i++)
        llm_build_add(build,
                      llm_build_collective("tensor", EXEC_TP, SHAPE_TENSOR, COLL_ALL_REDUCE, each));
}

static void add_context(struct llm_build *build, const struct cost_pass *pass, int64_t layers)
{
    int64_t context = build->plan->shape.context;
    if (context == 1) return;
    if (llm_build_inside(build, SHAPE_CONTEXT)) {
        int64_t sent = pass->context_bytes / context * (context - 1) * layers;
        add_local(build, "context", EXEC_CP,
                  &(struct plan_op){.group = SHAPE_CONTEXT, .bytes = sent},
                  (double)(pass->context_calls * layers));
        return;
    }
    for (int64_t i = 0; i < layers; i++)
        llm_build_add(build, llm_build_collective("context", EXEC_CP, SHAPE_CONTEXT,
                                                  COLL_ALL_GATHER, pass->context_bytes));
}

/* Tokens go to their experts, or come back; in a pass that computes again, once more. */
static void add_exchange(struct llm_build *build, const struct cost_pass *pass, int64_t layers)
{
    int64_t expert = build->plan->shape.expert, calls = layers * pass->expert_calls / 2;
    if (expert == 1) return;
    if (llm_build_inside(build, SHAPE_EXPERT)) {
        int64_t sent = pass->expert_bytes / expert * (expert - 1) * calls;
        add_local(build, "experts", EXEC_EP,
                  &(struct plan_op){.group = SHAPE_EXPERT, .bytes = sent}, (double)calls);
        return;
    }
    for (int64_t i = 0; i < calls; i++)
        llm_build_add(build, llm_build_collective("experts", EXEC_EP, SHAPE_EXPERT, COLL_ALL_TO_ALL,
                                                  pass->expert_bytes));
}

/* ---- layers ---------------------------------------------------------------------------------- */

/* add_layers appends so many layers; returns the number of the last operation. */
int64_t llm_build_layers(struct llm_build *build, const char *name, const struct cost_pass *pass,
                         int64_t layers)
{
    bool whole = llm_build_inside(build, SHAPE_TENSOR) && llm_build_inside(build, SHAPE_CONTEXT) &&
                 llm_build_inside(build, SHAPE_EXPERT);
    int64_t each = whole ? layers : 1;
    for (int64_t i = 0; i < layers; i += each) {
        llm_build_busy(build, name, EXEC_COMPUTE, (double)each * pass->compute_s);
        add_tensor(build, pass, each);
        add_context(build, pass, each);
        add_exchange(build, pass, each);
        if (pass->experts_s > 0)
            llm_build_busy(build, name, EXEC_COMPUTE, (double)each * pass->experts_s);
        add_exchange(build, pass, each);
    }
    return build->plan->stage[build->stage].stream[PLAN_COMPUTE].n - 1;
}
