/* msccl_deliver.c - does an MSCCL algorithm deliver what its collective promises?
 *
 * Apart from msccl_check.c because it looks at data, not at order. The one idea: the steps are run
 * once on data that know where they come from. What a place holds is a sum of chunks of inputs:
 * their number, and the sum of a 64-bit hash of each (GPU, chunk). Both are what they should be, or
 * the chunk is wrong: one that lacks a GPU, counts one twice or holds another chunk passes with a
 * chance of 2^-64. So a place takes 16 bytes for any number of GPUs. Of the first wrong chunk the
 * steps are then run backwards, which counts exactly what of each input it holds, for the message.
 *
 * inplace=1: `i` and `o` lie over one another, as in msccl_plan.c. inplace=0: they are apart, and
 * `o` is empty at first. `rrc` adds to its destination, as MSCCLang means it, or to its source, as
 * MSCCL's interpreter does; where the two differ, it is enough if one of them is right.
 * Source: msccl-tools, msccl/language/collectives.py (what must be where).
 * NOT modelled: races (msccl_replay.h).
 */
#include <inttypes.h>

#include "models/trace/msccl_replay.h"

#define TERMS_MAX 6 /* of a message */

struct delivery {
    const struct msccl_source *source;
    const struct msccl *algorithm;
    struct msccl_replay replay;
    int32_t part; /* chunks of a GPU's share */
};

/* ---- what must be where ---------------------------------------------------------------------- */

/* struct want: a chunk of the input of a GPU; gpu -1 = the sum over all. */
struct want {
    int32_t gpu, chunk;
};

static int32_t input_n(const struct delivery *delivery)
{
    const struct msccl *algorithm = delivery->algorithm;
    return algorithm->coll == COLL_ALL_GATHER ? delivery->part : algorithm->chunks_per_loop;
}

static int32_t output_n(const struct delivery *delivery)
{
    const struct msccl *algorithm = delivery->algorithm;
    return algorithm->coll == COLL_REDUCE_SCATTER ? delivery->part : algorithm->chunks_per_loop;
}

/* Does a GPU have input there? Of a broadcast, GPU 0 has. */
static bool has_input(const struct delivery *delivery, int32_t gpu, int32_t chunk)
{
    const struct msccl *algorithm = delivery->algorithm;
    if (algorithm->coll == COLL_BROADCAST && gpu > 0) return false;
    return algorithm->in_place || chunk < algorithm->gpu[gpu].chunks[MSCCL_INPUT];
}

static struct msccl_cell *input(struct delivery *delivery, int32_t gpu, int32_t chunk)
{
    return &delivery->replay.cell[delivery->replay.at[gpu][MSCCL_INPUT] + chunk];
}

static struct want wanted(const struct delivery *delivery, int32_t gpu, int32_t chunk)
{
    int32_t part = delivery->part;
    switch (delivery->algorithm->coll) {
    case COLL_ALL_REDUCE:
        return (struct want){-1, chunk};
    case COLL_REDUCE_SCATTER:
        return (struct want){-1, gpu * part + chunk};
    case COLL_ALL_GATHER:
        return (struct want){chunk / part, chunk % part};
    case COLL_ALL_TO_ALL:
        return (struct want){chunk / part, gpu * part + chunk % part};
    default:
        return (struct want){0, chunk}; /* COLL_BROADCAST */
    }
}

/* The finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t hash(int32_t gpu, int32_t chunk)
{
    uint64_t x = (((uint64_t)gpu << 32) | (uint32_t)chunk) + UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* struct verdict: how many chunks are wrong, and the first of them. */
struct verdict {
    int64_t wrong_n;
    int32_t gpu, chunk;
};

static struct verdict judge(struct delivery *delivery)
{
    const struct msccl *algorithm = delivery->algorithm;
    struct verdict verdict = {0};
    uint64_t *total = ARENA_ARRAY(&delivery->replay.arena, uint64_t, input_n(delivery));
    for (int32_t c = 0; c < input_n(delivery); c++)
        for (int32_t g = 0; g < algorithm->gpu_n; g++)
            total[c] += hash(g, c);
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        for (int32_t c = 0; c < output_n(delivery); c++) {
            const struct want want = wanted(delivery, g, c);
            const struct msccl_cell *cell =
                &delivery->replay.cell[delivery->replay.at[g][MSCCL_OUTPUT] + c];
            bool all = want.gpu < 0;
            if (cell->count == (all ? (uint32_t)algorithm->gpu_n : 1) &&
                cell->sum == (all ? total[want.chunk] : hash(want.gpu, want.chunk)))
                continue;
            if (verdict.wrong_n++ > 0) continue;
            verdict.gpu = g;
            verdict.chunk = c;
        }
    return verdict;
}

static const char *term(struct delivery *delivery, struct want first, int32_t last, uint32_t times)
{
    struct arena *arena = &delivery->replay.arena;
    const char *how_often = times > 1 ? arena_printf(arena, " (%" PRIu32 " times)", times) : "";
    if (last == first.gpu)
        return arena_printf(arena, "chunk %d of gpu %d%s", first.chunk, last, how_often);
    return arena_printf(arena, "chunk %d of gpus %d to %d%s", first.chunk, first.gpu, last,
                        how_often);
}

/* What the inputs count, after msccl_replay_backward; what is left counts what nobody wrote. */
static const char *holdings(struct delivery *delivery)
{
    const char *text = "";
    int terms = 0;
    for (int32_t c = 0; c < input_n(delivery); c++)
        for (int32_t g = 0; g < delivery->algorithm->gpu_n; g++) {
            if (!has_input(delivery, g, c)) continue;
            const struct want first = {g, c};
            uint32_t times = input(delivery, g, c)->count;
            if (times == 0) continue;
            input(delivery, g, c)->count = 0;
            while (g + 1 < delivery->algorithm->gpu_n && has_input(delivery, g + 1, c) &&
                   input(delivery, g + 1, c)->count == times)
                input(delivery, ++g, c)->count = 0;
            if (terms++ < TERMS_MAX)
                text = arena_printf(&delivery->replay.arena, "%s%s%s", text, *text ? " + " : "",
                                    term(delivery, first, g, times));
        }
    if (terms > TERMS_MAX)
        text = arena_printf(&delivery->replay.arena, "%s + %d others", text, terms - TERMS_MAX);
    for (int64_t i = 0; i < delivery->replay.cell_n; i++)
        if (delivery->replay.cell[i].count > 0)
            return *text ? arena_printf(&delivery->replay.arena, "%s + what nobody wrote", text)
                         : "nothing";
    return text;
}

static bool explain(struct delivery *delivery, struct verdict verdict)
{
    const struct msccl *algorithm = delivery->algorithm;
    const struct want want = wanted(delivery, verdict.gpu, verdict.chunk);
    const int64_t bad = delivery->replay.at[verdict.gpu][MSCCL_OUTPUT] + verdict.chunk;
    uint32_t line = delivery->replay.cell[bad].line;
    for (int64_t i = 0; i < delivery->replay.cell_n; i++)
        delivery->replay.cell[i] = (struct msccl_cell){0};
    delivery->replay.cell[bad].count = 1;
    msccl_replay_backward(&delivery->replay);
    const char *held = holdings(delivery), *hint = "", *more = "";
    if (line == 0 && !algorithm->in_place && want.gpu == verdict.gpu)
        hint = " (inplace is 0: a step must copy it from `i` to `o`)";
    if (verdict.wrong_n > 1)
        more = arena_printf(&delivery->replay.arena, "; %" PRId64 " more are wrong",
                            verdict.wrong_n - 1);
    int32_t last = want.gpu < 0 ? algorithm->gpu_n - 1 : want.gpu;
    return err_add(delivery->source->err,
                   (struct err_pos){
                       .file = delivery->source->file,
                       .line = (int)(line > 0 ? line : algorithm->gpu[verdict.gpu].line),
                       .col = 1,
                   },
                   "C136: chunk %d of the output of gpu %d holds %s; %s wants %s%s%s",
                   verdict.chunk, verdict.gpu, held, coll_op_names[algorithm->coll],
                   term(delivery, (struct want){want.gpu < 0 ? 0 : last, want.chunk}, last, 1),
                   hint, more);
}

/* ---- the check ------------------------------------------------------------------------------- */

/* C137: the shares of the GPUs are whole chunks, and there is an output. */
static bool check_buffers(const struct msccl_source *source, const struct msccl *algorithm)
{
    struct err_pos pos = {.file = source->file, .line = (int)algorithm->gpu[0].line, .col = 1};
    bool shares = algorithm->coll != COLL_ALL_REDUCE && algorithm->coll != COLL_BROADCAST;
    if (shares && algorithm->chunks_per_loop % algorithm->gpu_n)
        return err_add(source->err, pos,
                       "C137: %d chunks (nchunksperloop) are no equal shares of "
                       "%d GPUs",
                       algorithm->chunks_per_loop, algorithm->gpu_n);
    for (int32_t g = 0; g < algorithm->gpu_n && !algorithm->in_place; g++) {
        pos.line = (int)algorithm->gpu[g].line;
        if (algorithm->gpu[g].chunks[MSCCL_OUTPUT] == 0)
            return err_add(source->err, pos,
                           "C137: gpu %d has no output: o_chunks and inplace are 0", g);
    }
    return true;
}

/* Has any rrc a source that is not its destination? */
static bool has_two_meanings(const struct msccl *algorithm)
{
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++)
            for (int32_t s = 0; s < algorithm->gpu[g].block[b].step_n; s++) {
                const struct msccl_step *step = &algorithm->gpu[g].block[b].step[s];
                if (step->type == MSCCL_RECV_REDUCE_COPY &&
                    (step->src != step->dst || step->src_offset != step->dst_offset))
                    return true;
            }
    return false;
}

static void run(struct delivery *delivery)
{
    struct msccl_replay *replay = &delivery->replay;
    msccl_replay_rewind(replay);
    for (int32_t g = 0; g < delivery->algorithm->gpu_n; g++)
        for (int32_t c = 0; c < input_n(delivery); c++)
            if (has_input(delivery, g, c))
                *input(delivery, g, c) = (struct msccl_cell){.sum = hash(g, c), .count = 1};
    msccl_replay_forward(replay);
}

static bool try_meanings(struct delivery *delivery)
{
    struct verdict verdict[2];
    const int last = has_two_meanings(delivery->algorithm);
    int best = 0;
    for (int meaning = 0; meaning <= last; meaning++) {
        delivery->replay.rrc_source = meaning == 1;
        run(delivery);
        if (delivery->replay.too_large) return true;
        verdict[meaning] = judge(delivery);
        if (verdict[meaning].wrong_n == 0) return true;
        if (verdict[meaning].wrong_n < verdict[best].wrong_n) best = meaning;
    }
    if (best < last) {
        delivery->replay.rrc_source = false;
        run(delivery);
    }
    return explain(delivery, verdict[best]);
}

bool msccl_deliver(const struct msccl_source *source, const struct msccl *algorithm, bool *skipped)
{
    *skipped = algorithm->coll >= COLL_OPS;
    if (*skipped) return true;
    if (!check_buffers(source, algorithm)) return false;
    struct delivery delivery = {
        .source = source,
        .algorithm = algorithm,
        .replay.algorithm = algorithm,
        .part = algorithm->chunks_per_loop / algorithm->gpu_n,
    };
    bool ok = !msccl_replay_begin(&delivery.replay) || try_meanings(&delivery);
    *skipped = ok && delivery.replay.too_large;
    msccl_replay_free(&delivery.replay);
    return ok;
}
