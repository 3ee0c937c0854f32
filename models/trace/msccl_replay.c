/* msccl_replay.c - runs the steps of an MSCCL algorithm on data, forwards and backwards.
 *
 * Apart from msccl_deliver.c, which knows what should come out, because it knows what a step does.
 * The one idea: a block runs until it waits for another one or for a message; whoever ends the wait
 * lets it go on. The order in which steps ran is kept, to run them backwards.
 * Source: msccl, src/collectives/device/msccl_interpreter.h.
 * NOT modelled: races: of steps that nothing orders, but that touch one place, one order is taken.
 */
#include "models/trace/msccl_replay.h"

#include <inttypes.h>

#include "models/trace/trace_keys.h"
#include "sim/base/check.h"

/* struct msccl_wire: messages under way from one block to another, as cells [head, n). */
struct msccl_wire {
    struct msccl_cell *cell;
    int64_t head, n, cap;
    int32_t receiver; /* block */
    bool awaited;     /* the receiver waits for it */
};

/* struct msccl_runner: a block under way. */
struct msccl_runner {
    int32_t gpu, block, pc;
    int32_t wire_out, wire_in;     /* -1 = none */
    int32_t waiter, waiter_behind; /* who waits for us; who waits for the same one; -1 = nobody */
};

/* ---- data ------------------------------------------------------------------------------------ */

static void add(struct msccl_cell *to, struct msccl_cell more)
{
    uint64_t count = (uint64_t)to->count + more.count;
    to->sum += more.sum;
    to->count = count < MSCCL_NOTHING ? (uint32_t)count : MSCCL_NOTHING;
}

static struct msccl_cell take(struct msccl_cell *from)
{
    struct msccl_cell was = *from;
    *from = (struct msccl_cell){0};
    return was;
}

static void push(struct msccl_replay *replay, struct msccl_wire *wire, struct msccl_cell cell)
{
    if (wire->n == wire->cap && wire->head > wire->n / 2) {
        for (int64_t i = wire->head; i < wire->n; i++)
            wire->cell[i - wire->head] = wire->cell[i];
        wire->n -= wire->head;
        wire->head = 0;
    }
    wire->cell = mem_grow(wire->cell, &wire->cap, wire->n + 1, sizeof *wire->cell);
    wire->cell[wire->n++] = cell;
    replay->too_large = replay->too_large || ++replay->under_way_n > MSCCL_REPLAY_MAX;
}

static struct msccl_cell pop(struct msccl_replay *replay, struct msccl_wire *wire)
{
    replay->under_way_n--;
    return wire->cell[wire->head++];
}

/* struct act: one chunk of a step. */
struct act {
    enum msccl_type type;
    struct msccl_cell *src, *dst;
    struct msccl_wire *in, *out;
    uint32_t line;
};

static struct act act_of(const struct msccl_replay *replay, const struct msccl_runner *runner,
                         int32_t s, int32_t i)
{
    const struct msccl_gpu *gpu = &replay->algorithm->gpu[runner->gpu];
    const struct msccl_step *step = &gpu->block[runner->block].step[s];
    const int64_t *at = replay->at[runner->gpu];
    const enum msccl_type type = (enum msccl_type)step->type;
    struct act act = {.type = type, .line = step->line};
    bool within = step->src_offset >= 0 && step->src_offset + step->count <= gpu->chunks[step->src];
    if (type != MSCCL_SEND && type != MSCCL_RECV_REDUCE_SEND)
        act.dst = replay->cell + at[step->dst] + step->dst_offset + i;
    if (type == MSCCL_RECV_REDUCE_COPY && !(replay->rrc_source && within))
        act.src = act.dst;
    else if (type != MSCCL_RECV && type != MSCCL_RECV_COPY_SEND)
        act.src = replay->cell + at[step->src] + step->src_offset + i;
    if (msccl_receives(type)) act.in = &replay->wire[runner->wire_in];
    if (msccl_sends(type)) act.out = &replay->wire[runner->wire_out];
    return act;
}

static void act_forward(struct msccl_replay *replay, const struct act *act)
{
    const enum msccl_type type = act->type;
    struct msccl_cell cell = act->in ? pop(replay, act->in) : *act->src;
    if (type == MSCCL_RECV_REDUCE_COPY || type == MSCCL_RECV_REDUCE_SEND ||
        type == MSCCL_RECV_REDUCE_COPY_SEND)
        add(&cell, *act->src);
    if (type == MSCCL_REDUCE) add(&cell, *act->dst);
    if (act->out) push(replay, act->out, cell);
    if (type == MSCCL_SEND || type == MSCCL_RECV_REDUCE_SEND) return;
    *act->dst = cell;
    act->dst->line = act->line;
}

/* The transpose of act_forward: what a result counts is what it was made of counts. */
static void act_backward(struct msccl_replay *replay, const struct act *act)
{
    const enum msccl_type type = act->type;
    struct msccl_cell cell = {0};
    if (type != MSCCL_SEND && type != MSCCL_RECV_REDUCE_SEND) cell = take(act->dst);
    if (act->out) add(&cell, pop(replay, act->out));
    if (type == MSCCL_REDUCE) add(act->dst, cell);
    if (type != MSCCL_RECV && type != MSCCL_RECV_COPY_SEND) add(act->src, cell);
    if (act->in) push(replay, act->in, cell);
}

/* ---- running --------------------------------------------------------------------------------- */

static const struct msccl_block *block_of(const struct msccl_replay *replay,
                                          const struct msccl_runner *runner)
{
    return &replay->algorithm->gpu[runner->gpu].block[runner->block];
}

/* Whether a runner's next step can run; if not, whoever it waits for knows. */
static bool can_run(struct msccl_replay *replay, int32_t number)
{
    struct msccl_runner *runner = &replay->runner[number];
    const struct msccl_step *step = &block_of(replay, runner)->step[runner->pc];
    if (step->dep_block >= 0) {
        struct msccl_runner *before = &replay->runner[replay->first[runner->gpu] + step->dep_block];
        if (before->pc <= step->dep_step) {
            runner->waiter_behind = before->waiter;
            before->waiter = number;
            return false;
        }
    }
    if (!msccl_receives((enum msccl_type)step->type)) return true;
    struct msccl_wire *wire = &replay->wire[runner->wire_in];
    wire->awaited = wire->n - wire->head < step->count;
    return !wire->awaited;
}

static void run_step(struct msccl_replay *replay, struct msccl_runner *runner)
{
    const struct msccl_step *step = &block_of(replay, runner)->step[runner->pc];
    const enum msccl_type type = (enum msccl_type)step->type;
    for (int32_t i = 0; type != MSCCL_NOP && i < step->count; i++) {
        struct act act = act_of(replay, runner, runner->pc, i);
        act_forward(replay, &act);
    }
    runner->pc++;
    replay->order[replay->order_n++] = (int32_t)(runner - replay->runner);
    if (!msccl_sends(type)) return;
    struct msccl_wire *wire = &replay->wire[runner->wire_out];
    if (wire->awaited) replay->ready[replay->ready_n++] = wire->receiver;
    wire->awaited = false;
}

void msccl_replay_forward(struct msccl_replay *replay)
{
    for (int32_t r = replay->runner_n - 1; r >= 0; r--)
        replay->ready[replay->ready_n++] = r;
    while (replay->ready_n > 0 && !replay->too_large) {
        int32_t number = replay->ready[--replay->ready_n];
        struct msccl_runner *runner = &replay->runner[number];
        while (runner->pc < block_of(replay, runner)->step_n && can_run(replay, number))
            run_step(replay, runner);
        for (int32_t w = runner->waiter; w >= 0; w = replay->runner[w].waiter_behind)
            replay->ready[replay->ready_n++] = w;
        runner->waiter = -1;
    }
    CHECK(replay->too_large || replay->order_n == replay->algorithm->step_n,
          "%" PRId64 " of %" PRId64 " steps of %s have run", replay->order_n,
          replay->algorithm->step_n, replay->algorithm->name);
}

/* Chunks of a step backwards, too: they may overlap. Every message has been taken by then. */
void msccl_replay_backward(struct msccl_replay *replay)
{
    for (int64_t n = replay->order_n - 1; n >= 0; n--) {
        struct msccl_runner *runner = &replay->runner[replay->order[n]];
        const struct msccl_step *step = &block_of(replay, runner)->step[--runner->pc];
        for (int32_t i = step->count - 1; step->type != MSCCL_NOP && i >= 0; i--) {
            struct act act = act_of(replay, runner, runner->pc, i);
            act_backward(replay, &act);
        }
    }
}

/* ---- setting up ------------------------------------------------------------------------------ */

static void place_buffers(struct msccl_replay *replay)
{
    const struct msccl *algorithm = replay->algorithm;
    int64_t n = 0;
    replay->at = arena_alloc(&replay->arena, (size_t)algorithm->gpu_n * sizeof *replay->at);
    for (int32_t g = 0; g < algorithm->gpu_n; g++) {
        const int32_t *chunks = algorithm->gpu[g].chunks;
        int64_t *at = replay->at[g],
                share = (int64_t)(algorithm->chunks_per_loop / algorithm->gpu_n) * g;
        at[MSCCL_INPUT] = n + (algorithm->coll == COLL_ALL_GATHER ? share : 0);
        at[MSCCL_OUTPUT] = n + (algorithm->coll == COLL_REDUCE_SCATTER ? share : 0);
        at[MSCCL_SCRATCH] = n + algorithm->chunks_per_loop;
        if (!algorithm->in_place) {
            at[MSCCL_INPUT] = n;
            at[MSCCL_OUTPUT] = n + chunks[MSCCL_INPUT];
            at[MSCCL_SCRATCH] = at[MSCCL_OUTPUT] + chunks[MSCCL_OUTPUT];
        }
        n = at[MSCCL_SCRATCH] + chunks[MSCCL_SCRATCH];
    }
    replay->cell_n = n;
}

/* The number of the wire of a block; -1 if it has none. */
static int32_t wire_of(struct trace_keys *keys, int32_t from, int32_t to, int32_t channel)
{
    const int32_t key[] = {from, to, channel};
    return from < 0 || to < 0 ? -1 : (int32_t)trace_keys_add(keys, key, sizeof key);
}

static void lay_wires(struct msccl_replay *replay)
{
    const struct msccl *algorithm = replay->algorithm;
    struct trace_keys keys = {0};
    replay->first = ARENA_ARRAY(&replay->arena, int32_t, algorithm->gpu_n);
    for (int32_t g = 0; g < algorithm->gpu_n; g++) {
        replay->first[g] = replay->runner_n;
        replay->runner_n += algorithm->gpu[g].block_n;
    }
    replay->runner = ARENA_ARRAY(&replay->arena, struct msccl_runner, replay->runner_n);
    replay->ready = ARENA_ARRAY(&replay->arena, int32_t, replay->runner_n);
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++) {
            const struct msccl_block *block = &algorithm->gpu[g].block[b];
            struct msccl_runner *runner = &replay->runner[replay->first[g] + b];
            runner->gpu = g;
            runner->block = b;
            runner->wire_out = wire_of(&keys, g, block->send, block->channel);
            runner->wire_in = wire_of(&keys, block->recv, g, block->channel);
        }
    replay->wire_n = (int32_t)keys.n;
    replay->wire = ARENA_ARRAY(&replay->arena, struct msccl_wire, replay->wire_n);
    trace_keys_free(&keys);
    /* A block may name a GPU and yet never receive from it. */
    for (int32_t r = 0; r < replay->runner_n; r++) {
        const struct msccl_block *block = block_of(replay, &replay->runner[r]);
        for (int32_t s = 0; s < block->step_n; s++)
            if (msccl_receives((enum msccl_type)block->step[s].type))
                replay->wire[replay->runner[r].wire_in].receiver = r;
    }
}

void msccl_replay_rewind(struct msccl_replay *replay)
{
    replay->order_n = replay->under_way_n = 0;
    for (int32_t r = 0; r < replay->runner_n; r++) {
        replay->runner[r].pc = 0;
        replay->runner[r].waiter = -1;
    }
    for (int32_t w = 0; w < replay->wire_n; w++)
        replay->wire[w].head = replay->wire[w].n = 0;
    for (int64_t i = 0; i < replay->cell_n; i++)
        replay->cell[i] = (struct msccl_cell){.count = MSCCL_NOTHING};
}

static int64_t moves_of(const struct msccl *algorithm)
{
    int64_t n = 0;
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++)
            for (int32_t s = 0; s < algorithm->gpu[g].block[b].step_n; s++)
                n += algorithm->gpu[g].block[b].step[s].count;
    return n;
}

bool msccl_replay_begin(struct msccl_replay *replay)
{
    place_buffers(replay);
    replay->too_large = replay->cell_n > MSCCL_REPLAY_MAX ||
                        moves_of(replay->algorithm) > 64 * (int64_t)MSCCL_REPLAY_MAX;
    if (replay->too_large) return false;
    lay_wires(replay);
    replay->cell = ARENA_ARRAY(&replay->arena, struct msccl_cell, replay->cell_n);
    replay->order = ARENA_ARRAY(&replay->arena, int32_t, replay->algorithm->step_n);
    return true;
}

void msccl_replay_free(struct msccl_replay *replay)
{
    for (int32_t w = 0; w < replay->wire_n; w++)
        mem_free(replay->wire[w].cell);
    arena_free(&replay->arena);
}
