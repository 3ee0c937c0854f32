/* test_trace_check.c - do the ranks of a trace fit together? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/trace/trace_build.h"
#include "tests/unit/trace_rig.h"

struct call {
    int32_t rank, group;
    enum trace_kind kind;
    int32_t peer, tag;
    enum trace_collective collective;
};

/* A trace of three ranks, groups {0,1} and {2,0}, that calls these; bytes NULL: of 0 bytes. */
static void build(struct trace_rig *rig, const struct call *calls, int n, const int64_t *bytes)
{
    *rig = (struct trace_rig){0};
    struct trace_build build = {.trace = &rig->trace, .arena = &rig->arena, .err = &rig->err};
    static int32_t pairs[2][2] = {{0, 1}, {2, 0}};
    trace_build_begin(&build, 3);
    for (int i = 0; i < 2; i++) {
        struct trace_group *group = trace_build_group(&build, i ? "b" : "a", 1);
        group->rank = pairs[i];
        group->n = 2;
    }
    assert_null(trace_build_group(&build, "a", 1));
    for (int32_t rank = 0; rank < 3; rank++) {
        for (int i = 0; i < n; i++) {
            if (calls[i].rank != rank) continue;
            struct trace_op *op = trace_build_op(&build);
            op->kind = (uint8_t)calls[i].kind;
            op->bytes = bytes ? bytes[i] : 0;
            op->place = (uint64_t)i + (UINT64_C(1) << 33);
            op->peer = calls[i].peer;
            op->tag = calls[i].tag;
            op->group = calls[i].group;
            op->collective = (uint8_t)calls[i].collective;
        }
        assert_true(trace_build_rank(&build, rank, rank == 1 ? "one" : "file"));
    }
    trace_build_end(&build);
    trace_build_free(&build);
    rig->ok = trace_check(&rig->trace, &rig->err);
}
#define N(calls) (int)(sizeof(calls) / sizeof *(calls))
#define BUILD(rig, calls) build(rig, calls, N(calls), NULL)

static void check__accepts_what_fits(void **state)
{
    (void)state;
    struct trace_rig rig;
    const struct call calls[] = {
        {0, 0, TRACE_SEND, 1, 5, 0},
        {1, 0, TRACE_RECV, 0, 5, 0},
        {2, 0, TRACE_SEND, 0, 1, 0},
        {1, 0, TRACE_SEND, 0, 2, 0},
        {0, 0, TRACE_RECV, TRACE_ANY, 1, 0},
        {0, 0, TRACE_RECV, 1, TRACE_ANY, 0},
        {0, 1, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_REDUCE},
        {1, 1, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_REDUCE},
        {0, 2, TRACE_COLLECTIVE, 0, 0, TRACE_BARRIER},
        {2, 2, TRACE_COLLECTIVE, 0, 0, TRACE_BARRIER},
        {0, 0, TRACE_COLLECTIVE, 0, 0, TRACE_REDUCE},
        {1, 0, TRACE_COLLECTIVE, 0, 0, TRACE_REDUCE},
        {2, 0, TRACE_COLLECTIVE, 0, 0, TRACE_REDUCE},
    };
    BUILD(&rig, calls);
    assert_true(rig.ok);
    trace_rig_end(&rig);
}

static void check__counts_messages_by_pair_and_tag(void **state)
{
    (void)state;
    struct trace_rig rig;
    const struct call calls[] = {
        {0, 0, TRACE_SEND, 1, 5, 0}, {0, 0, TRACE_SEND, 1, 5, 0}, {1, 0, TRACE_RECV, 0, 5, 0}};
    BUILD(&rig, calls);
    trace_rig_said(&rig.err,
                   "one: error: C089: rank 1 receives 1 messages of tag 5 from rank 0, which sends "
                   "it 2",
                   "two sends");
    trace_rig_end(&rig);
    const struct call tags[] = {{0, 0, TRACE_SEND, 1, 5, 0}, {1, 0, TRACE_RECV, 0, 6, 0}};
    BUILD(&rig, tags);
    assert_int_equal(rig.err.count, 2);
    trace_rig_end(&rig);
}

static void check__counts_all_messages_where_wildcards_receive(void **state)
{
    (void)state;
    struct trace_rig rig;
    const struct call calls[] = {{0, 0, TRACE_SEND, 1, 5, 0},
                                 {1, 0, TRACE_RECV, TRACE_ANY, 5, 0},
                                 {1, 0, TRACE_RECV, 2, 5, 0}};
    BUILD(&rig, calls);
    trace_rig_said(&rig.err, "one: error: C089: rank 1 receives 2 messages, but is sent 1", "any");
    trace_rig_end(&rig);
}

/* In order of size each message has a receive; whose turn is when is left open. */
static void check__compares_sizes_of_messages_without_their_order(void **state)
{
    (void)state;
    struct trace_rig rig;
    const struct call calls[] = {{0, 0, TRACE_SEND, 1, 5, 0},
                                 {0, 0, TRACE_SEND, 1, 5, 0},
                                 {1, 0, TRACE_RECV, 0, 5, 0},
                                 {1, 0, TRACE_RECV, 0, 5, 0}};
    build(&rig, calls, N(calls), (const int64_t[]){20, 8, 8, 20});
    assert_true(rig.ok);
    trace_rig_end(&rig);
    build(&rig, calls, N(calls), (const int64_t[]){20, 8, 9, 30}); /* larger buffers */
    assert_true(rig.ok);
    trace_rig_end(&rig);
    build(&rig, calls, N(calls), (const int64_t[]){8, 20, 19, 9});
    trace_rig_said(&rig.err,
                   "file: error: C089: rank 0 sends 20 bytes (node 8589934593 of file) to rank 1, "
                   "which takes 19 bytes (node 8589934594 of one)",
                   "19 < 20");
    trace_rig_end(&rig);
    const struct call any[] = {{0, 0, TRACE_SEND, 1, 5, 0},
                               {2, 0, TRACE_SEND, 1, 6, 0},
                               {1, 0, TRACE_RECV, TRACE_ANY, 5, 0},
                               {1, 0, TRACE_RECV, 2, TRACE_ANY, 0}};
    build(&rig, any, N(any), (const int64_t[]){5, 6, 6, 5});
    assert_true(rig.ok);
    trace_rig_end(&rig);
    build(&rig, any, N(any), (const int64_t[]){5, 6, 5, 5});
    trace_rig_said(&rig.err, "rank 2 sends 6 bytes", "wildcards");
    trace_rig_end(&rig);
}

static void check__compares_sizes_of_collectives(void **state)
{
    (void)state;
    struct trace_rig rig;
    const struct call calls[] = {{0, 1, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_REDUCE},
                                 {0, 1, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_REDUCE},
                                 {1, 1, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_REDUCE},
                                 {1, 1, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_REDUCE}};
    build(&rig, calls, N(calls), (const int64_t[]){4, 8, 8, 4});
    assert_true(rig.ok);
    trace_rig_end(&rig);
    build(&rig, calls, N(calls), (const int64_t[]){4, 8, 9, 4});
    trace_rig_said(&rig.err,
                   "one: error: C089: rank 1 calls all_reduce of group 'a' with 9 bytes (node "
                   "8589934594 of one), rank 0 with 8 bytes (node 8589934593 of file)",
                   "9, not 8");
    trace_rig_end(&rig);
    const struct call gather[] = {{0, 1, TRACE_COLLECTIVE, 0, 0, TRACE_GATHER},
                                  {1, 1, TRACE_COLLECTIVE, 0, 0, TRACE_GATHER}};
    build(&rig, gather, N(gather), (const int64_t[]){4, 8}); /* each gives what it has */
    assert_true(rig.ok);
    trace_rig_end(&rig);
}

static void check__compares_the_calls_of_a_group(void **state)
{
    (void)state;
    struct trace_rig rig;
    const struct call calls[] = {{0, 2, TRACE_COLLECTIVE, 0, 0, TRACE_ALL_GATHER}};
    BUILD(&rig, calls);
    trace_rig_said(
        &rig.err, "file: error: C089: rank 0 calls all_gather of group 'b' 1 times, rank 2 0 times",
        "one of two");
    trace_rig_end(&rig);
    const struct call stranger[] = {{2, 1, TRACE_COLLECTIVE, 0, 0, TRACE_SCATTER}};
    BUILD(&rig, stranger);
    trace_rig_said(&rig.err, "C089: rank 2 calls scatter of group 'a', but is no member of it",
                   "stranger");
    trace_rig_end(&rig);
}

static void stuck__finds_circles_of_any_length(void **state)
{
    (void)state;
    const struct trace_edge edges[] = {{1, 0, TRACE_END},
                                       {0, 2, TRACE_CALLED},
                                       {2, 3, TRACE_START},
                                       {3, 4, TRACE_END},
                                       {4, 2, TRACE_END}};
    assert_int_equal(trace_build_stuck(&(struct trace_edges){edges, 5, 5}), 2);
    assert_int_equal(trace_build_stuck(&(struct trace_edges){edges, 4, 5}), -1);
    assert_int_equal(trace_build_stuck(&(struct trace_edges){edges, 2, 5}), -1);
    assert_int_equal(trace_build_stuck(&(struct trace_edges){NULL, 0, 5}), -1);
    const struct trace_edge self = {1, 1, TRACE_END};
    assert_int_equal(trace_build_stuck(&(struct trace_edges){&self, 1, 2}), 1);
}

static void names__are_those_of_coll_h_and_more(void **state)
{
    (void)state;
    assert_string_equal(trace_collective_name(TRACE_ALL_TO_ALL), "all_to_all");
    assert_string_equal(trace_collective_name(TRACE_BARRIER), "barrier");
    assert_string_equal(trace_kind_name(TRACE_STORE), "store");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check__accepts_what_fits),
        cmocka_unit_test(check__counts_messages_by_pair_and_tag),
        cmocka_unit_test(check__counts_all_messages_where_wildcards_receive),
        cmocka_unit_test(check__compares_sizes_of_messages_without_their_order),
        cmocka_unit_test(check__compares_sizes_of_collectives),
        cmocka_unit_test(check__compares_the_calls_of_a_group),
        cmocka_unit_test(stuck__finds_circles_of_any_length),
        cmocka_unit_test(names__are_those_of_coll_h_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
