/* plan.c - lists of operations of a step, handed to the executor rank by rank.
 *
 * The one idea: operation `index` of a stream is operation index mod n of step index / n, with the
 * stage's list; only partners differ from rank to rank.
 */
#include "models/step/plan.h"

const char *const plan_stream_names[] = {"compute", "gather", "reduce", "read", "store", NULL};

int64_t plan_add(struct plan *plan, int32_t stage, enum plan_stream stream,
                 const struct plan_op *op)
{
    struct plan_list *list = &plan->stage[stage].stream[stream];
    list->op = arena_grow(plan->arena, list->op, &list->cap, list->n + 1, sizeof *list->op);
    list->op[list->n] = *op;
    return list->n++;
}

static const char *const group_kinds[] = {"all-GPU", "tensor", "context",
                                          "replica", "expert", "expert-replica"};
_Static_assert(sizeof group_kinds / sizeof *group_kinds == SHAPE_GROUPS, "a name for each kind");

int32_t plan_streams(const struct plan *plan)
{
    int32_t n = PLAN_REDUCE + 1;
    for (int32_t stage = 0; stage < plan->shape.pipeline; stage++)
        for (int32_t s = n; s < PLAN_STREAMS; s++)
            if (plan->stage[stage].stream[s].n > 0) n = s + 1;
    return n;
}

int32_t plan_groups(struct plan_program *program, struct exec_group **groups)
{
    const struct plan *plan = program->plan;
    const struct shape *shape = &plan->shape;
    int32_t ranks = shape_ranks(shape), n = 0;
    for (int kind = 0; kind < SHAPE_GROUPS; kind++) {
        program->group_first[kind] = n;
        n += shape_count(shape, (enum shape_group)kind);
    }
    *groups = ARENA_ARRAY(plan->arena, struct exec_group, n);
    for (int kind = 0; kind < SHAPE_GROUPS; kind++) {
        int32_t size = shape_size(shape, (enum shape_group)kind);
        int32_t *rank = ARENA_ARRAY(plan->arena, int32_t, ranks);
        struct exec_group *group = *groups + program->group_first[kind];
        for (int32_t g = 0; g < ranks / size; g++)
            group[g] = (struct exec_group){.rank = rank + (int64_t)g * size,
                                           .n = size,
                                           .number = g,
                                           .kind = group_kinds[kind]};
        for (int32_t r = 0; r < ranks; r++) {
            const struct shape_seat seat = shape_seat(shape, (enum shape_group)kind, r);
            rank[(int64_t)seat.group * size + seat.member] = r;
        }
    }
    return n;
}

static int32_t peer_of(const struct shape *shape, int32_t rank, int32_t hop)
{
    struct shape_place place = shape_place(shape, rank);
    place.stage = (place.stage + hop + shape->pipeline) % shape->pipeline;
    return shape_rank(shape, &place);
}

static enum exec_next next(struct exec_program *self, int32_t rank, int32_t stream, int64_t index,
                           struct exec_op *op)
{
    const struct plan_program *program = (const struct plan_program *)(const void *)self;
    const struct plan *plan = program->plan;
    const struct plan_stage *stage = &plan->stage[shape_place(&plan->shape, rank).stage];
    const struct plan_list *list = &stage->stream[stream];
    if (list->n == 0 || index >= list->n * program->steps) return EXEC_END;
    const struct plan_op *from = &list->op[index % list->n];
    const enum shape_group group = (enum shape_group)from->group;
    const int64_t step = index / list->n;
    if (from->every > 0 && (step + 1) % from->every) return EXEC_OP; /* a mark */
    op->kind = (enum exec_kind)from->kind;
    op->category = (enum exec_category)from->category;
    op->idle = (enum exec_category)from->idle;
    op->op = (enum coll_op)from->op;
    op->name = from->name;
    op->duration_ps = from->duration_ps;
    op->bytes = from->bytes;
    op->tag = from->tag;
    op->detached = from->detached;
    op->token = (uint64_t)step;
    if (from->after_stream >= 0) {
        op->after_stream = from->after_stream;
        op->after_op =
            (step - from->after_back) * stage->stream[from->after_stream].n + from->after_op;
    }
    if (op->kind == EXEC_COLLECTIVE || op->kind == EXEC_MEET) {
        const struct shape_seat seat = shape_seat(&plan->shape, group, rank);
        op->group = program->group_first[group] + seat.group;
        op->member = seat.member;
    }
    if (op->kind == EXEC_SEND || op->kind == EXEC_RECV)
        op->peer = peer_of(&plan->shape, rank, from->hop);
    if (op->kind == EXEC_BUSY && op->category == EXEC_COMPUTE && program->slowdown)
        op->duration_ps = (int64_t)((double)op->duration_ps * program->slowdown[rank]);
    return EXEC_OP;
}

/* The step's last operation is the meeting of all ranks. */
static void over(struct exec_program *self, int32_t rank, const struct exec_op *op)
{
    (void)rank;
    const struct plan_program *program = (const struct plan_program *)(const void *)self;
    if (op->kind == EXEC_MEET && op->group == program->group_first[SHAPE_ALL])
        program->step_over(program->owner, (int64_t)op->token);
}

const struct exec_program_ops plan_program_ops = {.next = next, .over = over};
