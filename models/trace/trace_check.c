/* trace_check.c - do the ranks of a trace fit together?
 *
 * Apart because it looks at all ranks at once, whatever the format. The one idea: a replay of a
 * trace in which a message is sent that nobody takes, or a collective is called by some of its
 * group only, would stall long after the cause, so counts are compared before. Names like "tensor
 * parallel" are often reused for many groups, so a rank that is no member is an error, too. Sizes
 * are compared without order, which a trace leaves open: in order of size, each message must fit
 * into the receive of its place (receive buffers may be larger), and the calls of two members must
 * be the same. Not modelled: order across ranks.
 */
#include <inttypes.h>
#include <stdlib.h>
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
    uint64_t *sizes; /* sum of `mixed` sizes, of what is received taken off: the same sums mean the
                        same sizes, but for one case in 2^64 */
    int64_t n_cap, sent_cap, sizes_cap;
};

static int64_t add(struct count *count, const void *key, size_t len)
{
    int64_t before = count->keys.n, i = trace_keys_add(&count->keys, key, len);
    count->n = mem_grow(count->n, &count->n_cap, count->keys.n, sizeof *count->n);
    count->sent = mem_grow(count->sent, &count->sent_cap, count->keys.n, sizeof *count->sent);
    count->sizes = mem_grow(count->sizes, &count->sizes_cap, count->keys.n, sizeof *count->sizes);
    if (i == before) count->n[i] = count->sent[i] = 0;
    if (i == before) count->sizes[i] = 0;
    return i;
}

static void free_count(struct count *count)
{
    trace_keys_free(&count->keys);
    mem_free(count->n);
    mem_free(count->sent);
    mem_free(count->sizes);
}

/* The finaliser of splitmix64: sums of it tell sets apart. */
static uint64_t mixed(int64_t bytes)
{
    uint64_t x = (uint64_t)bytes + UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* ---- messages --------------------------------------------------------------------------------*/

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

static struct channel channel_of(const struct trace_op *op, int32_t rank, const bool *any)
{
    struct channel channel = {op->peer, rank, op->tag};
    if (op->kind == TRACE_SEND) channel = (struct channel){rank, op->peer, op->tag};
    if (!any[channel.dst]) return channel;
    return (struct channel){TRACE_ANY, channel.dst, TRACE_ANY};
}

static void count_messages(const struct trace *trace, const bool *any, struct count *count)
{
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind != TRACE_SEND && op->kind != TRACE_RECV) continue;
            bool sends = op->kind == TRACE_SEND;
            struct channel channel = channel_of(op, (int32_t)r, any);
            int64_t at = add(count, &channel, sizeof channel);
            count->n[at] += sends ? 1 : -1;
            count->sent[at] += sends;
            count->sizes[at] += sends ? mixed(op->bytes) : -mixed(op->bytes);
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

/* struct message: a send or a receive of a channel whose sizes differ. */
struct message {
    int64_t channel, bytes, op;
    int32_t rank;
    bool sends;
};

static int by_size(const void *a, const void *b)
{
    const struct message *x = a, *y = b;
    if (x->channel != y->channel) return x->channel < y->channel ? -1 : 1;
    if (x->sends != y->sends) return x->sends ? -1 : 1;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return (x->op > y->op) - (x->op < y->op);
}

/* list_messages returns those of channels with as many sends as receives, of other sizes. */
static struct message *list_messages(const struct trace *trace, const bool *any,
                                     const struct count *count, int64_t *n)
{
    struct message *list = NULL;
    int64_t cap = 0;
    *n = 0;
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind != TRACE_SEND && op->kind != TRACE_RECV) continue;
            struct channel channel = channel_of(op, (int32_t)r, any);
            int64_t at = trace_keys_find(&count->keys, &channel, sizeof channel);
            if (count->n[at] != 0 || count->sizes[at] == 0) continue;
            list = mem_grow(list, &cap, *n + 1, sizeof *list);
            list[(*n)++] = (struct message){at, op->bytes, i, (int32_t)r, op->kind == TRACE_SEND};
        }
    if (*n > 0) qsort(list, (size_t)*n, sizeof *list, by_size);
    return list;
}

/* Of each channel the first message that is too long: sends come first, then as many receives. */
static void compare_sizes(const struct trace *trace, const bool *any, const struct count *count,
                          struct err *err)
{
    struct arena scratch = {0};
    int64_t n = 0;
    bool differ = false;
    for (int64_t i = 0; i < count->keys.n && !differ; i++)
        differ = count->n[i] == 0 && count->sizes[i] != 0;
    struct message *list = differ ? list_messages(trace, any, count, &n) : NULL;
    for (int64_t first = 0; first < n;) {
        int64_t half = count->sent[list[first].channel], i = 0;
        while (i < half && list[first + i].bytes <= list[first + half + i].bytes)
            i++;
        const struct message *send = &list[first + i], *recv = send + half;
        first += 2 * half;
        if (i == half) continue;
        err_add(err, trace_place(trace, send->rank, send->op),
                "C089: rank %d sends %" PRId64 " bytes (%s) to rank %d, which takes %" PRId64
                " bytes (%s)",
                send->rank, send->bytes, trace_where(trace, send->rank, send->op, &scratch),
                recv->rank, recv->bytes, trace_where(trace, recv->rank, recv->op, &scratch));
    }
    mem_free(list);
    arena_free(&scratch);
}

/* ---- collectives -----------------------------------------------------------------------------*/

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
            count->sizes[at] += mixed(op->bytes);
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

static uint64_t sizes(const struct count *count, const struct use *use)
{
    int64_t at = trace_keys_find(&count->keys, use, sizeof *use);
    return at < 0 ? 0 : count->sizes[at];
}

/* Do all members give and get the same in a call? Not where each has a part of its own. */
static bool is_even(int32_t collective)
{
    return collective != TRACE_GATHER && collective != TRACE_SCATTER && collective != TRACE_BARRIER;
}

/* list_calls returns the calls of a use by size; n as count says. */
static struct message *list_calls(const struct trace *trace, const struct use *use, int64_t n,
                                  struct arena *scratch)
{
    struct message *list = ARENA_ARRAY(scratch, struct message, n);
    int64_t at = 0;
    for (int64_t i = 0; i < trace->rank[use->rank].op_n; i++) {
        const struct trace_op *op = &trace->rank[use->rank].op[i];
        if (op->kind == TRACE_COLLECTIVE && op->group == use->group &&
            op->collective == use->collective)
            list[at++] = (struct message){0, op->bytes, i, use->rank, true};
    }
    qsort(list, (size_t)n, sizeof *list, by_size);
    return list;
}

/* Names the first two calls, in order of size, that differ. */
static void report_sizes(const struct trace *trace, const struct use *first,
                         const struct use *other, int64_t n, struct err *err)
{
    struct arena scratch = {0};
    const struct message *a = list_calls(trace, first, n, &scratch);
    const struct message *b = list_calls(trace, other, n, &scratch);
    while (a->bytes == b->bytes)
        a++, b++;
    err_add(err, trace_place(trace, b->rank, b->op),
            "C089: rank %d calls %s of group '%s' with %" PRId64
            " bytes (%s), rank %d with %" PRId64 " bytes (%s)",
            b->rank, trace_collective_name((enum trace_collective)first->collective),
            trace->group[first->group].name, b->bytes, trace_where(trace, b->rank, b->op, &scratch),
            a->rank, a->bytes, trace_where(trace, a->rank, a->op, &scratch));
    arena_free(&scratch);
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
            if (got == expected && (!is_even(c) || sizes(count, &first) == sizes(count, &other)))
                continue;
            if (got == expected) {
                report_sizes(trace, &first, &other, got, err);
                break;
            }
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
    const bool *any = find_wildcards(trace, &scratch);
    count_messages(trace, any, &messages);
    report_messages(trace, &messages, err);
    compare_sizes(trace, any, &messages, err);
    count_collectives(trace, &collectives, err);
    for (int32_t g = 0; g < trace->group_n && collectives.keys.n > 0; g++)
        compare_group(trace, g, &collectives, err);
    free_count(&messages);
    free_count(&collectives);
    arena_free(&scratch);
    return err->count == before;
}
