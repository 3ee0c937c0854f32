/* trace_check.c - do the ranks of a trace fit together?
 *
 * Apart because it looks at all ranks at once, whatever the format. The one idea: a replay of a
 * trace in which a message is sent that nobody takes, or a collective is called by some of its
 * group only, would stall long after the cause, so counts are compared before. Names like "tensor
 * parallel" are often reused for many groups, so a rank that is no member is an error, too. Not
 * modelled: the sizes of matching messages (receive buffers may be larger), order across ranks.
 */
#include <inttypes.h>
#include <string.h>

#include "models/trace/trace.h"
#include "models/trace/trace_keys.h"

/* struct channel: what distinguishes messages; src and tag TRACE_ANY: all of a receiver. */
struct channel {
    int32_t src, dst;
    int64_t tag;
};
struct use {
    int32_t rank, group, collective;
};

struct count {
    struct trace_keys keys;
    int64_t *n; /* of each key; channels: sent minus received */
    int64_t *sent;
    int64_t n_cap, sent_cap;
};

static int64_t add(struct count *count, const void *key, size_t len)
{
    int64_t before = count->keys.n, i = trace_keys_add(&count->keys, key, len);
    count->n = mem_grow(count->n, &count->n_cap, count->keys.n, sizeof *count->n);
    count->sent = mem_grow(count->sent, &count->sent_cap, count->keys.n, sizeof *count->sent);
    if (i == before) count->n[i] = count->sent[i] = 0;
    return i;
}

static void free_count(struct count *count)
{
    trace_keys_free(&count->keys);
    mem_free(count->n);
    mem_free(count->sent);
}

/* any[r]: rank r takes messages from anybody or of any tag. */
static bool *find_wildcards(const struct trace *trace, struct arena *scratch)
{
    bool *any = ARENA_ARRAY(scratch, bool, trace->rank_n);
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind == TRACE_RECV && (op->peer == TRACE_ANY || op->tag == TRACE_ANY))
                any[r] = true;
        }
    return any;
}

static void count_messages(const struct trace *trace, const bool *any, struct count *count)
{
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind != TRACE_SEND && op->kind != TRACE_RECV) continue;
            bool sends = op->kind == TRACE_SEND;
            struct channel channel = {op->peer, (int32_t)r, op->tag};
            if (sends) channel = (struct channel){(int32_t)r, op->peer, op->tag};
            if (any[channel.dst]) {
                channel.src = TRACE_ANY;
                channel.tag = TRACE_ANY;
            }
            int64_t at = add(count, &channel, sizeof channel);
            count->n[at] += sends ? 1 : -1;
            count->sent[at] += sends;
        }
}

static void report_messages(const struct trace *trace, const struct count *count, struct err *err)
{
    for (int64_t i = 0; i < count->keys.n; i++) {
        struct channel channel;
        size_t len;
        if (count->n[i] == 0) continue;
        memcpy(&channel, trace_keys_text(&count->keys, i, &len), sizeof channel);
        int64_t sent = count->sent[i], received = sent - count->n[i];
        struct err_pos file = {.file = trace->rank[channel.dst].file};
        if (channel.src == TRACE_ANY)
            err_add(err, file, "C089: rank %d receives %" PRId64 " messages, but is sent %" PRId64,
                    channel.dst, received, sent);
        else
            err_add(err, file,
                    "C089: rank %d receives %" PRId64 " messages of tag %" PRId64
                    " from rank %d, which "
                    "sends it %" PRId64,
                    channel.dst, received, channel.tag, channel.src, sent);
    }
}

static bool is_member(const struct trace_group *group, int32_t rank)
{
    for (int32_t i = 0; i < group->n && group->rank; i++)
        if (group->rank[i] == rank) return true;
    return !group->rank;
}

static void count_collectives(const struct trace *trace, struct count *count, struct err *err)
{
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind != TRACE_COLLECTIVE) continue;
            struct use use = {(int32_t)r, op->group, op->collective};
            int64_t at = add(count, &use, sizeof use);
            if (count->n[at]++ == 0 && !is_member(&trace->group[op->group], use.rank))
                err_add(err, trace_place(trace, r, i),
                        "C089: rank %d calls %s of group '%s', but is no member of it", use.rank,
                        trace_collective_name(op->collective), trace->group[op->group].name);
        }
}

static int64_t calls(const struct count *count, const struct use *use)
{
    int64_t at = trace_keys_find(&count->keys, use, sizeof *use);
    return at < 0 ? 0 : count->n[at];
}

/* Each member calls what the first one calls, as often. */
static void compare_group(const struct trace *trace, int32_t number, const struct count *count,
                          struct err *err)
{
    const struct trace_group *group = &trace->group[number];
    for (int32_t c = 0; c < TRACE_COLLECTIVES; c++) {
        struct use first = {trace_member(group, 0), number, c};
        int64_t expected = calls(count, &first);
        for (int32_t m = 1; m < group->n; m++) {
            struct use other = {trace_member(group, m), number, c};
            int64_t got = calls(count, &other);
            if (got == expected) continue;
            err_add(err, (struct err_pos){.file = trace->rank[other.rank].file},
                    "C089: rank %d calls %s of group '%s' %" PRId64 " times, rank %d %" PRId64
                    " times",
                    other.rank, trace_collective_name((enum trace_collective)c), group->name, got,
                    first.rank, expected);
            break;
        }
    }
}

bool trace_check(const struct trace *trace, struct err *err)
{
    struct arena scratch = {0};
    struct count messages = {0}, collectives = {0};
    int before = err->count;
    count_messages(trace, find_wildcards(trace, &scratch), &messages);
    report_messages(trace, &messages, err);
    count_collectives(trace, &collectives, err);
    for (int32_t g = 0; g < trace->group_n && collectives.keys.n > 0; g++)
        compare_group(trace, g, &collectives, err);
    free_count(&messages);
    free_count(&collectives);
    arena_free(&scratch);
    return err->count == before;
}
