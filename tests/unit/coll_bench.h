/* coll_bench.h - for tests: a plan run without a clock on real data.
 *
 * Each rank's buffer holds a value per byte; a schedule is right if every rank ends with what the
 * operation promises, every message is taken, sizes match, nobody is stuck, and a lane has one
 * block that sends and one that receives. cmocka.h is included before.
 */
#ifndef RAILSIM_TESTS_COLL_BENCH_H
#define RAILSIM_TESTS_COLL_BENCH_H

#include <stdio.h>
#include <string.h>

#include "models/coll/coll.h"
#include "sim/base/arena.h"

#define MESSAGES_MAX 64

struct lane {
    int32_t src, dst, number;
    int64_t sender, receiver; /* blocks; -1 = none yet */
    struct message {
        uint64_t *value;
        int64_t bytes;
    } queue[MESSAGES_MAX];
    int64_t sent, taken;
};

struct bench {
    struct arena arena;
    struct coll_plan plan;
    uint64_t **data;   /* per rank and agent: 3 * bytes values */
    int64_t *at;       /* per rank and block */
    int64_t *out, *in; /* per rank: bytes to and from other domains */
    struct lane *lanes;
    int64_t lane_n, lane_cap, messages;
    int32_t slots;
    char title[200];
};

#define EXPECT(bench, condition, ...)                                                              \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("%s: ", (bench)->title);                                                   \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

static inline int32_t ranks_n(const struct bench *bench)
{
    return bench->plan.ask.ranks + bench->plan.agents;
}

static inline int32_t blocks_n(const struct bench *bench, int32_t rank)
{
    return rank < bench->plan.ask.ranks ? bench->plan.blocks : bench->plan.agent_blocks;
}

static inline int64_t block_number(const struct bench *bench, int32_t rank, int32_t block)
{
    int32_t most = bench->plan.blocks > bench->plan.agent_blocks ? bench->plan.blocks
                                                                 : bench->plan.agent_blocks;
    return (int64_t)rank * most + block;
}

static inline struct lane *find_lane(struct bench *bench, int32_t src, int32_t dst, int32_t number)
{
    EXPECT(bench, number >= 0 && number < bench->plan.lanes, "lane %d of %d", number,
           bench->plan.lanes);
    EXPECT(bench, src >= 0 && src < ranks_n(bench) && dst >= 0 && dst < ranks_n(bench),
           "a message from %d to %d", src, dst);
    EXPECT(bench, src != dst, "rank %d sends to itself", src);
    for (int64_t i = 0; i < bench->lane_n; i++)
        if (bench->lanes[i].src == src && bench->lanes[i].dst == dst &&
            bench->lanes[i].number == number)
            return &bench->lanes[i];
    bench->lanes = arena_grow(&bench->arena, bench->lanes, &bench->lane_cap, bench->lane_n + 1,
                              sizeof(struct lane));
    struct lane *lane = &bench->lanes[bench->lane_n++];
    *lane = (struct lane){.src = src, .dst = dst, .number = number, .sender = -1, .receiver = -1};
    return lane;
}

/* ---- one step -------------------------------------------------------------------------------- */

/* An end of a lane is where its domain's NVLink is, or in the network (-1). */
static inline int32_t domain_of(const struct bench *bench, int32_t rank)
{
    const struct coll_plan *plan = &bench->plan;
    if (rank < plan->ask.ranks) return rank / plan->ask.local;
    const struct coll_seat seat = plan->ops->seat(plan, rank - plan->ask.ranks);
    return seat.place == COLL_IN_NVSWITCH ? seat.rank / plan->ask.local : -1;
}

/* The sender's NIC has something to carry, and the receiver's. */
static inline void carry(struct bench *bench, const struct lane *lane, int64_t bytes)
{
    if (domain_of(bench, lane->src) == domain_of(bench, lane->dst)) return;
    bench->out[lane->src] += bytes;
    bench->in[lane->dst] += bytes;
}

static inline void take(struct bench *bench, struct lane *lane, int32_t rank,
                        const struct coll_step *step)
{
    const struct message *message = &lane->queue[lane->taken++ % MESSAGES_MAX];
    EXPECT(bench, message->bytes == step->recv_bytes, "%d takes %lld bytes from %d, sent were %lld",
           rank, (long long)step->recv_bytes, lane->src, (long long)message->bytes);
    EXPECT(bench,
           step->recv_at >= 0 && step->recv_at + step->recv_bytes <= 3 * bench->plan.ask.bytes,
           "out of the buffer");
    uint64_t *into = bench->data[rank] + step->recv_at;
    for (int64_t i = 0; i < message->bytes; i++)
        into[i] = message->value[i] + (step->reduce ? into[i] : 0);
}

static inline void send(struct bench *bench, struct lane *lane, int32_t rank,
                        const struct coll_step *step)
{
    struct message *message = &lane->queue[lane->sent++ % MESSAGES_MAX];
    EXPECT(bench,
           step->send_at >= 0 && step->send_at + step->send_bytes <= 3 * bench->plan.ask.bytes,
           "out of the buffer");
    message->bytes = step->send_bytes;
    message->value = ARENA_ARRAY(&bench->arena, uint64_t, step->send_bytes + 1);
    memcpy(message->value, bench->data[rank] + step->send_at,
           (size_t)step->send_bytes * sizeof(uint64_t));
    carry(bench, lane, step->send_bytes);
    bench->messages++;
}

static inline void copy(struct bench *bench, int32_t rank, const struct coll_step *step)
{
    for (int64_t i = 0; i < step->copy_bytes; i++) {
        uint64_t *into = bench->data[rank] + step->recv_at + i;
        *into = bench->data[rank][step->copy_at + i] + (step->reduce ? *into : 0);
    }
}

/* Do the next step of a block, if it can be done. */
static inline bool advance(struct bench *bench, int32_t rank, int32_t block, bool *ended)
{
    struct coll_step step;
    int64_t me = block_number(bench, rank, block);
    struct lane *in = NULL, *out = NULL;
    *ended = !bench->plan.ops->step(&bench->plan, rank, block, bench->at[me], &step);
    if (*ended) return false;
    if (step.after_block >= 0) {
        EXPECT(bench, step.after_block < blocks_n(bench, rank), "waits for block %d",
               step.after_block);
        if (bench->at[block_number(bench, rank, step.after_block)] <= step.after_step) return false;
    }
    if (step.recv_from >= 0) {
        in = find_lane(bench, step.recv_from, rank, step.recv_lane);
        EXPECT(bench, in->receiver < 0 || in->receiver == me, "two blocks of %d receive", rank);
        in->receiver = me;
        if (in->sent == in->taken) return false;
    }
    int64_t in_at = in ? in - bench->lanes : 0;
    if (step.send_to >= 0) {
        out = find_lane(bench, rank, step.send_to, step.send_lane);
        EXPECT(bench, out->sender < 0 || out->sender == me, "two blocks of %d send", rank);
        out->sender = me;
        if (out->sent - out->taken >= bench->slots) return false;
    }
    if (in) take(bench, &bench->lanes[in_at], rank, &step);
    EXPECT(bench, !in || step.copy_bytes == 0, "a step receives and copies");
    copy(bench, rank, &step);
    if (out) send(bench, out, rank, &step);
    bench->at[me]++;
    return true;
}

static inline void run(struct bench *bench)
{
    bool moved = true, all = false, ended;
    while (moved) {
        moved = false;
        all = true;
        for (int32_t r = 0; r < ranks_n(bench); r++)
            for (int32_t b = 0; b < blocks_n(bench, r); b++) {
                while (advance(bench, r, b, &ended))
                    moved = true;
                all = all && ended;
            }
    }
    EXPECT(bench, all, "it is stuck");
    for (int64_t i = 0; i < bench->lane_n; i++)
        EXPECT(bench, bench->lanes[i].sent == bench->lanes[i].taken, "%d to %d: %lld not taken",
               bench->lanes[i].src, bench->lanes[i].dst,
               (long long)(bench->lanes[i].sent - bench->lanes[i].taken));
}

/* ---- what an operation promises -------------------------------------------------------------- */

/* The value of byte i of rank r before. A sum of 1 << r tells who was added, and how often. */
static inline uint64_t before(const struct coll_ask *ask, int32_t r, int64_t i)
{
    const struct coll_range all = {0, ask->bytes};
    struct coll_range mine = coll_part(all, ask->ranks, r);
    switch (ask->op) {
    case COLL_ALL_REDUCE:
    case COLL_REDUCE_SCATTER:
        return UINT64_C(1) << r;
    case COLL_ALL_GATHER:
        return i >= mine.at && i < mine.at + mine.bytes ? (uint64_t)i + 1 : 0;
    case COLL_BROADCAST:
        return r == ask->root ? (uint64_t)i + 1 : 0;
    default:
        return (uint64_t)r * 1000000 + (uint64_t)i + 1;
    }
}

static inline void check_rank(struct bench *bench, int32_t r)
{
    const struct coll_ask *ask = &bench->plan.ask;
    struct coll_range mine = coll_part((struct coll_range){0, ask->bytes}, ask->ranks, r);
    int64_t each = ask->bytes / ask->ranks;
    for (int64_t i = 0; i < ask->bytes; i++) {
        uint64_t in_place = bench->data[r][i], out = bench->data[r][ask->bytes + i];
        uint64_t sum = (UINT64_C(1) << ask->ranks) - 1;
        int32_t peer = each > 0 ? (int32_t)(i / each) : 0;
        switch (ask->op) {
        case COLL_REDUCE_SCATTER:
            if (i < mine.at || i >= mine.at + mine.bytes) break;
            /* fall through */
        case COLL_ALL_REDUCE:
            EXPECT(bench, in_place == sum, "rank %d, byte %lld: %#llx", r, (long long)i,
                   (unsigned long long)in_place);
            break;
        case COLL_ALL_TO_ALL:
            if (each == 0 || peer >= ask->ranks || peer == r) break;
            EXPECT(bench, out == before(ask, peer, r * each + i % each), "rank %d, byte %lld: %llu",
                   r, (long long)i, (unsigned long long)out);
            break;
        case COLL_SEND_RECV:
            if (ask->ranks == 1) break;
            EXPECT(bench, out == before(ask, (r + ask->ranks - 1) % ask->ranks, i), "rank %d", r);
            break;
        default:
            EXPECT(bench, in_place == (uint64_t)i + 1, "rank %d, byte %lld: %llu", r, (long long)i,
                   (unsigned long long)in_place);
        }
    }
}

static inline void set_title(struct bench *bench, const char *name, const struct coll_ask *ask)
{
    snprintf(bench->title, sizeof bench->title,
             "%s %s: %d ranks of %d, %d channels, %d slices, chunk %lld, %lld bytes, %d slots",
             name, coll_op_names[ask->op], ask->ranks, ask->local, ask->channels, ask->slices,
             (long long)ask->chunk_bytes, (long long)ask->bytes, bench->slots);
}

/* Runs the plan on data, and looks at what has become of them. */
static inline void verify_plan(struct bench *bench)
{
    const struct coll_ask *ask = &bench->plan.ask;
    bench->data = ARENA_ARRAY(&bench->arena, uint64_t *, ranks_n(bench));
    bench->out = ARENA_ARRAY(&bench->arena, int64_t, ranks_n(bench));
    bench->in = ARENA_ARRAY(&bench->arena, int64_t, ranks_n(bench));
    bench->at =
        ARENA_ARRAY(&bench->arena, int64_t,
                    (int64_t)ranks_n(bench) * (bench->plan.blocks + bench->plan.agent_blocks));
    for (int32_t r = 0; r < ranks_n(bench); r++) {
        bench->data[r] = ARENA_ARRAY(&bench->arena, uint64_t, 3 * ask->bytes + 1);
        for (int64_t i = 0; i < ask->bytes && r < ask->ranks; i++)
            bench->data[r][i] = before(ask, r, i);
    }
    for (int32_t a = 0; a < bench->plan.agents; a++) {
        const struct coll_seat seat = bench->plan.ops->seat(&bench->plan, a);
        EXPECT(bench, seat.rank >= 0 && seat.rank < ask->ranks, "agent %d at %d", a, seat.rank);
    }
    run(bench);
    for (int32_t r = 0; r < ask->ranks; r++)
        check_rank(bench, r);
}

/* Returns the messages sent, or -1 if the algorithm cannot do that. */
static inline int64_t verify(int algorithm, const struct coll_ask *ask, int32_t slots)
{
    struct bench bench = {.slots = slots};
    set_title(&bench, coll_names[algorithm], ask);
    if (coll_plan(&bench.plan, coll_list[algorithm], ask, &bench.arena)) {
        arena_free(&bench.arena);
        return -1;
    }
    verify_plan(&bench);
    arena_free(&bench.arena);
    return bench.messages;
}

#endif
