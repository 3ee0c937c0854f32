/* msccl_plan.c - steps of an MSCCL algorithm as steps of coll.h.
 *
 * Apart from the reader because it is about one size of buffer. The one idea: the two are the same
 * machine (coll.h is made after MSCCL's interpreter), so a step of a thread block is a step of a
 * block, a channel is a lane, and only places remain: chunk c of a buffer begins at c times the
 * length of a chunk. As in MSCCL's interpreter, a chunk that is too long goes in slices, the whole
 * algorithm running once for each; a step of several chunks is then one step per chunk, because a
 * slice of each does not lie next to the next one's.
 *
 * coll.h works in place, so buffers `i` and `o` lie over one another: an all-gather's input is its
 * rank's part of the output, a reduce-scatter's output its part of the input; all-to-all has two.
 * `rrc` adds to what is at its destination, `rrs` to what is at its source.
 * Source: msccl, src/collectives/device/msccl_interpreter.h.
 * NOT modelled: the time of copies inside a GPU; an algorithm for separate buffers that overwrites
 * input which it still needs takes the right time, but would compute something else.
 */
#include "models/trace/msccl_plan.h"

#include <inttypes.h>

#define UNITS_MAX (1 << 24) /* of a block */

/* struct program: a block's steps, one or several units each. */
struct program {
    int32_t *first;   /* [steps + 1] unit of a step */
    int32_t *step_of; /* [units] */
};

struct state {
    const struct msccl *algorithm;
    const char *name;
    struct program **program; /* [gpus][blocks] */
    int64_t chunk_bytes, rounds;
};

static const struct state *state_of(const struct coll_plan *plan)
{
    return plan->state;
}

/* ---- places ---------------------------------------------------------------------------------- */

/* struct slice: the part of each chunk that a round moves, and how much of it a unit does. */
struct slice {
    int64_t at, bytes;
};

static struct slice slice_of(const struct state *state, int64_t round, int32_t count)
{
    int64_t each = state->chunk_bytes / state->rounds, more = state->chunk_bytes % state->rounds;
    if (state->rounds == 1) return (struct slice){0, count * state->chunk_bytes};
    return (struct slice){each * round + (round < more ? round : more), each + (round < more)};
}

/* Where a chunk of a buffer begins in the data of a rank. */
static int64_t place(const struct coll_plan *plan, int32_t rank, int buffer, int64_t chunk)
{
    const struct state *state = state_of(plan);
    const enum coll_op op = plan->ask.op;
    int64_t at = chunk * state->chunk_bytes, bytes = plan->ask.bytes;
    bool two = op == COLL_ALL_TO_ALL;
    if (buffer == MSCCL_SCRATCH) return at + (two ? 2 * bytes : bytes);
    if (buffer == MSCCL_OUTPUT && two) return at + bytes;
    bool part = (op == COLL_ALL_GATHER && buffer == MSCCL_INPUT) ||
                (op == COLL_REDUCE_SCATTER && buffer == MSCCL_OUTPUT);
    return part ? at + bytes / plan->ask.ranks * rank : at;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int32_t units_n(const struct msccl_block *block, const struct program *program)
{
    return block->step_n ? program->first[block->step_n] : 0;
}

/* Waits for the last unit of the step that `from` names, in the same round. */
static void add_wait(const struct state *state, int32_t rank, const struct msccl_step *from,
                     int64_t round, struct coll_step *step)
{
    if (from->dep_block < 0) return;
    const struct program *before = &state->program[rank][from->dep_block];
    const struct msccl_block *block = &state->algorithm->gpu[rank].block[from->dep_block];
    step->after_block = from->dep_block;
    step->after_step = round * units_n(block, before) + before->first[from->dep_step + 1] - 1;
}

static bool reduces(enum msccl_type type)
{
    return type == MSCCL_RECV_REDUCE_COPY || type == MSCCL_RECV_REDUCE_SEND ||
           type == MSCCL_RECV_REDUCE_COPY_SEND || type == MSCCL_REDUCE;
}

static bool msccl_step(const struct coll_plan *plan, int32_t rank, int32_t number, int64_t index,
                       struct coll_step *step)
{
    const struct state *state = state_of(plan);
    const struct msccl_gpu *gpu = &state->algorithm->gpu[rank];
    if (number >= gpu->block_n || gpu->block[number].step_n == 0) return false;
    const struct msccl_block *block = &gpu->block[number];
    const struct program *program = &state->program[rank][number];
    const int64_t units = units_n(block, program), round = index / units;
    if (round >= state->rounds) return false;
    const int32_t unit = (int32_t)(index % units), s = program->step_of[unit];
    const struct msccl_step *from = &block->step[s];
    const int32_t within = unit - program->first[s];
    const struct slice slice = slice_of(state, round, from->count);
    const enum msccl_type type = (enum msccl_type)from->type;
    const int64_t source = place(plan, rank, from->src, from->src_offset + within) + slice.at;
    const int64_t target = place(plan, rank, from->dst, from->dst_offset + within) + slice.at;
    *step = COLL_STEP_NONE;
    if (within == 0) add_wait(state, rank, from, round, step);
    if (type == MSCCL_NOP) return true;
    step->reduce = reduces(type);
    step->recv_at = type == MSCCL_RECV_REDUCE_SEND ? source : target;
    if (type == MSCCL_COPY || type == MSCCL_REDUCE) {
        step->copy_at = source;
        step->copy_bytes = slice.bytes;
    }
    if (msccl_receives(type)) {
        step->recv_bytes = slice.bytes;
        step->recv_from = block->recv;
        step->recv_lane = block->channel;
    }
    if (msccl_sends(type)) {
        step->send_to = block->send;
        step->send_lane = block->channel;
        step->send_at = type == MSCCL_SEND ? source : step->recv_at;
        step->send_bytes = slice.bytes;
    }
    return true;
}

static const struct coll_ops ops = {.help = "an algorithm of MSCCL, from a file",
                                    .can = COLL_BIT(COLL_OPS) - 1,
                                    .step = msccl_step};

/* ---- planning -------------------------------------------------------------------------------- */

static int64_t chunks_of(const struct msccl_block *block)
{
    int64_t n = 0;
    for (int32_t s = 0; s < block->step_n; s++)
        n += block->step[s].count;
    return n;
}

/* number_units divides the steps of a block; single: a step is one unit. */
static void number_units(const struct msccl_block *block, bool single, struct program *program,
                         struct arena *arena)
{
    int32_t n = 0;
    program->first = ARENA_ARRAY(arena, int32_t, block->step_n + 1);
    for (int32_t s = 0; s < block->step_n; s++) {
        program->first[s] = n;
        n += single || block->step[s].count == 0 ? 1 : block->step[s].count;
    }
    program->first[block->step_n] = n;
    program->step_of = ARENA_ARRAY(arena, int32_t, n);
    for (int32_t s = 0; s < block->step_n; s++)
        for (int32_t u = program->first[s]; u < program->first[s + 1]; u++)
            program->step_of[u] = s;
}

/* The first step that this form has not; NULL = none. */
static const struct msccl_step *find_unable(const struct msccl *algorithm)
{
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++)
            for (int32_t s = 0; s < algorithm->gpu[g].block[b].step_n; s++) {
                const struct msccl_step *step = &algorithm->gpu[g].block[b].step[s];
                if (step->type == MSCCL_RECV_REDUCE_COPY_SEND &&
                    (step->src != step->dst || step->src_offset != step->dst_offset))
                    return step;
            }
    return NULL;
}

/* C048: what is asked must be what the file is for. */
static const char *misfit(const struct msccl *algorithm, const struct coll_ask *ask,
                          struct arena *arena)
{
    const struct msccl_step *step = find_unable(algorithm);
    if (algorithm->coll >= COLL_OPS)
        return arena_printf(arena, "C048: its operation is %s, which railsim has not",
                            algorithm->coll == MSCCL_CUSTOM ? "custom" : "reduce");
    if (algorithm->coll != (int)ask->op)
        return arena_printf(arena, "C048: it is for %s, not for %s", coll_op_names[algorithm->coll],
                            coll_op_names[ask->op]);
    if (algorithm->gpu_n != ask->ranks)
        return arena_printf(arena, "C048: it is for %d GPUs, not for %d", algorithm->gpu_n,
                            ask->ranks);
    if (ask->root > 0) return "C048: it has no other root than GPU 0";
    if (ask->bytes < algorithm->bytes_min)
        return arena_printf(arena, "C048: it is for %" PRId64 " bytes and more",
                            algorithm->bytes_min);
    if (ask->bytes > algorithm->bytes_max)
        return arena_printf(arena, "C048: it is for %" PRId64 " bytes and less",
                            algorithm->bytes_max);
    if (ask->bytes % algorithm->chunks_per_loop)
        return arena_printf(arena, "C048: %" PRId64 " bytes do not make %d equal chunks",
                            ask->bytes, algorithm->chunks_per_loop);
    if (algorithm->in_place && ask->op == COLL_ALL_TO_ALL)
        return "C048: an all-to-all in place is not supported";
    if (step)
        return arena_printf(arena,
                            "C048: line %u: rrcs from one place to another is not supported; "
                            "only where srcbuf, srcoff are dstbuf, dstoff",
                            step->line);
    return NULL;
}

/* A name of one word, as tables want it. */
static const char *one_word(const char *name, struct arena *arena)
{
    char *word = arena_strdup(arena, *name ? name : "msccl");
    for (char *c = word; *c; c++)
        if (*c == ' ' || *c == '\t' || *c == '\n') *c = '_';
    return word;
}

const char *msccl_plan(struct coll_plan *plan, const struct msccl *algorithm,
                       const struct coll_ask *ask, struct arena *arena)
{
    const char *wrong = misfit(algorithm, ask, arena);
    if (wrong) return wrong;
    struct state *state = ARENA_NEW(arena, struct state);
    *state = (struct state){.algorithm = algorithm,
                            .name = one_word(algorithm->name, arena),
                            .chunk_bytes = ask->bytes / algorithm->chunks_per_loop};
    state->rounds = coll_parts_n(state->chunk_bytes, ask->chunk_bytes);
    *plan =
        (struct coll_plan){.ask = *ask, .ops = &ops, .lanes = algorithm->channels, .state = state};
    plan->ask.channels = algorithm->channels;
    state->program = ARENA_ARRAY(arena, struct program *, algorithm->gpu_n);
    for (int32_t g = 0; g < algorithm->gpu_n; g++) {
        const struct msccl_gpu *gpu = &algorithm->gpu[g];
        state->program[g] = ARENA_ARRAY(arena, struct program, gpu->block_n);
        if (gpu->block_n > plan->blocks) plan->blocks = gpu->block_n;
        for (int32_t b = 0; b < gpu->block_n; b++) {
            if (state->rounds > 1 && chunks_of(&gpu->block[b]) > UNITS_MAX)
                return arena_printf(
                    arena, "C048: more than %d chunks in a tb: give a longer `chunk`", UNITS_MAX);
            number_units(&gpu->block[b], state->rounds == 1, &state->program[g][b], arena);
        }
    }
    return NULL;
}

const char *msccl_plan_name(const struct coll_plan *plan)
{
    return plan->ops == &ops ? state_of(plan)->name : NULL;
}
