/* msccl_check.c - do the steps of an MSCCL algorithm fit together?
 *
 * Apart from the reader because it looks at all GPUs at once. The one idea: a step is an operation
 * that waits for the step before it in its block, for the step that depid and deps name, and, if it
 * receives, for the send that it takes; what is left when nothing can start any more is the
 * mistake. Not modelled: a runtime whose sends wait for free buffers may stall where this check
 * does not.
 */
#include <inttypes.h>

#include "models/trace/msccl.h"
#include "models/trace/trace_build.h"

/* struct connection: messages from a GPU to another on a channel. */
struct connection {
    int32_t from, to, channel;
};
/* struct end: the block at one end of a connection; gpu -1 = none. */
struct end {
    int32_t gpu, block;
};

struct check {
    const struct msccl_source *source;
    const struct msccl *algorithm;
    struct arena scratch;
    struct trace_keys connections;
    struct end *sender, *receiver; /* of each */
    int64_t sender_cap, receiver_cap;
    int64_t **first; /* number of the first step of block b of GPU g: first[g][b] */
    struct trace_edge *edge;
    int64_t edge_n, edge_cap;
};

static const struct msccl_block *block_at(const struct check *check, struct end at)
{
    return &check->algorithm->gpu[at.gpu].block[at.block];
}

static bool wrong(const struct check *check, uint32_t line, const char *text)
{
    return err_add(check->source->err,
                   (struct err_pos){.file = check->source->file, .line = (int)line, .col = 1}, "%s",
                   text);
}

static void add_edge(struct check *check, int64_t op, int64_t on)
{
    check->edge = mem_grow(check->edge, &check->edge_cap, check->edge_n + 1, sizeof *check->edge);
    check->edge[check->edge_n++] = (struct trace_edge){.op = (uint32_t)op, .on = (uint32_t)on};
}

/* The steps that are named exist; each waits for the one before it. */
static bool check_block(struct check *check, struct end at)
{
    const struct msccl_gpu *gpu = &check->algorithm->gpu[at.gpu];
    const struct msccl_block *block = block_at(check, at);
    int64_t first = check->first[at.gpu][at.block];
    for (int32_t i = 0; i < block->step_n; i++) {
        const struct msccl_step *step = &block->step[i];
        if (i > 0) add_edge(check, first + i, first + i - 1);
        if (step->dep_block < 0) continue;
        if (step->dep_block >= gpu->block_n || step->dep_step >= gpu->block[step->dep_block].step_n)
            return wrong(check, step->line,
                         arena_printf(&check->scratch,
                                      "C059: waits for step %d of tb %d, but gpu %d has none",
                                      step->dep_step, step->dep_block, at.gpu));
        if (step->dep_block == at.block && step->dep_step >= i)
            return wrong(check, step->line, "C059: waits for itself or a later step of its tb");
        add_edge(check, first + i, check->first[at.gpu][step->dep_block] + step->dep_step);
    }
    return true;
}

/* Notes that a block is one end of a connection; false if another one is it already. */
static bool note_end(struct check *check, struct end at, bool sends)
{
    const struct msccl_block *block = block_at(check, at);
    struct connection key = {at.gpu, block->send, block->channel};
    if (!sends) key = (struct connection){block->recv, at.gpu, block->channel};
    int64_t before = check->connections.n;
    int64_t i = trace_keys_add(&check->connections, &key, sizeof key);
    check->sender = mem_grow(check->sender, &check->sender_cap, i + 1, sizeof *check->sender);
    check->receiver = mem_grow(check->receiver, &check->receiver_cap, i + 1, sizeof(struct end));
    if (i == before) check->sender[i] = check->receiver[i] = (struct end){-1, -1};
    struct end *end = sends ? &check->sender[i] : &check->receiver[i];
    if (end->gpu >= 0)
        return wrong(check, block->line,
                     arena_printf(&check->scratch,
                                  "C059: tb %d already %s gpu %d on channel %d, so this tb cannot",
                                  end->block, sends ? "sends to" : "receives from",
                                  sends ? key.to : key.from, key.channel));
    *end = at;
    return true;
}

static bool note_ends(struct check *check, struct end at)
{
    const struct msccl_block *block = block_at(check, at);
    bool sends = false, receives = false;
    for (int32_t i = 0; i < block->step_n; i++) {
        sends = sends || msccl_sends(block->step[i].type);
        receives = receives || msccl_receives(block->step[i].type);
    }
    return (!sends || note_end(check, at, true)) && (!receives || note_end(check, at, false));
}

/* The next step from i on that sends (or receives); step_n if there is none. */
static int32_t next_step(const struct msccl_block *block, int32_t i, bool sends)
{
    while (i < block->step_n &&
           !(sends ? msccl_sends(block->step[i].type) : msccl_receives(block->step[i].type)))
        i++;
    return i;
}

/* Each send of a connection with its receive. */
static bool match(struct check *check, struct end sender, struct end receiver)
{
    static const struct msccl_block nobody;
    const struct msccl_block *from = sender.gpu < 0 ? &nobody : block_at(check, sender);
    const struct msccl_block *to = receiver.gpu < 0 ? &nobody : block_at(check, receiver);
    for (int32_t s = 0, r = 0;; s++, r++) {
        s = next_step(from, s, true);
        r = next_step(to, r, false);
        if (s == from->step_n && r == to->step_n) return true;
        if (r == to->step_n)
            return wrong(check, from->step[s].line,
                         arena_printf(&check->scratch,
                                      "C059: no receive at gpu %d takes what gpu %d sends here",
                                      from->send, sender.gpu));
        if (s == from->step_n)
            return wrong(check, to->step[r].line,
                         arena_printf(&check->scratch,
                                      "C059: gpu %d sends nothing that gpu %d could receive here",
                                      to->recv, receiver.gpu));
        if (from->step[s].count != to->step[r].count)
            return wrong(check, to->step[r].line,
                         arena_printf(&check->scratch,
                                      "C059: receives %d chunks, but the send in line %u has %d",
                                      to->step[r].count, from->step[s].line, from->step[s].count));
        add_edge(check, check->first[receiver.gpu][receiver.block] + r,
                 check->first[sender.gpu][sender.block] + s);
    }
}

/* Numbers all steps. */
static void number_steps(struct check *check)
{
    const struct msccl *algorithm = check->algorithm;
    int64_t n = 0;
    check->first = ARENA_ARRAY(&check->scratch, int64_t *, algorithm->gpu_n);
    for (int32_t g = 0; g < algorithm->gpu_n; g++) {
        check->first[g] = ARENA_ARRAY(&check->scratch, int64_t, algorithm->gpu[g].block_n);
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++) {
            check->first[g][b] = n;
            n += algorithm->gpu[g].block[b].step_n;
        }
    }
}

static bool check_stuck(struct check *check)
{
    const struct msccl *algorithm = check->algorithm;
    int64_t stuck =
        trace_build_stuck(&(struct trace_edges){check->edge, check->edge_n, algorithm->step_n});
    for (int32_t g = 0; stuck >= 0 && g < algorithm->gpu_n; g++)
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++) {
            const struct msccl_block *block = &algorithm->gpu[g].block[b];
            int64_t i = stuck - check->first[g][b];
            if (i < 0 || i >= block->step_n) continue;
            return wrong(check, block->step[i].line,
                         arena_printf(&check->scratch,
                                      "C059: step %" PRId64
                                      " of tb %d of gpu %d never runs: what it "
                                      "waits for waits for it, or for a step that does",
                                      i, b, g));
        }
    return true;
}

static bool check_all(struct check *check)
{
    const struct msccl *algorithm = check->algorithm;
    number_steps(check);
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        for (int32_t b = 0; b < algorithm->gpu[g].block_n; b++) {
            struct end at = {g, b};
            if (!check_block(check, at) || !note_ends(check, at)) return false;
        }
    for (int64_t i = 0; i < check->connections.n; i++)
        if (!match(check, check->sender[i], check->receiver[i])) return false;
    return check_stuck(check);
}

bool msccl_check(const struct msccl_source *source, const struct msccl *algorithm)
{
    struct check check = {.source = source, .algorithm = algorithm};
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        if (algorithm->gpu[g].line == 0)
            return err_add(source->err, (struct err_pos){.file = source->file},
                           "C058: ngpus is %d, but there is no gpu %d", algorithm->gpu_n, g);
    bool ok = check_all(&check);
    trace_keys_free(&check.connections);
    mem_free(check.sender);
    mem_free(check.receiver);
    mem_free(check.edge);
    arena_free(&check.scratch);
    return ok;
}
