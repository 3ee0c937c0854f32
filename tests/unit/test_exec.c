/* test_exec.c - streams, messages and meetings of programs whose times can be computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step/exec.h"
#include "tests/unit/cluster_rig.h"

enum { RANKS = 2, STREAMS = 2, OPS_MAX = 8 };

/* struct table: a program given as lists; `later` holds stream 1 of rank 0 back until an operation
 * with token 7 is over. */
struct table {
    struct exec_program program;
    struct exec_op op[RANKS][STREAMS][OPS_MAX];
    int n[RANKS][STREAMS];
    bool later, seven_over;
    int over;
};

static enum exec_next next(struct exec_program *self, int32_t rank, int32_t stream, int64_t index,
                           struct exec_op *op)
{
    const struct table *table = (const struct table *)(const void *)self;
    if (index >= table->n[rank][stream]) return EXEC_END;
    if (table->later && rank == 0 && stream == 1 && !table->seven_over) return EXEC_LATER;
    *op = table->op[rank][stream][index];
    return EXEC_OP;
}

static void over(struct exec_program *self, int32_t rank, const struct exec_op *op)
{
    (void)rank;
    struct table *table = (struct table *)(void *)self;
    table->over++;
    if (op->token == 7) table->seven_over = true;
}

static const struct exec_program_ops table_ops = {.next = next, .over = over};

static struct exec_op *add(struct table *table, int rank, int stream, enum exec_kind kind)
{
    struct exec_op *op = &table->op[rank][stream][table->n[rank][stream]++];
    *op = EXEC_OP_NONE;
    op->kind = kind;
    op->name = "an operation";
    return op;
}

static void add_busy(struct table *table, int rank, int stream, int64_t ns)
{
    add(table, rank, stream, EXEC_BUSY)->duration_ps = ns * NS;
}

struct bench {
    struct cluster_rig rig;
    struct collective_facts facts;
    struct device_facts device;
    struct exec *exec;
    int64_t end_ps;
    struct spans spans;
    int64_t drawn_ps[EXEC_CATEGORIES]; /* on the first lane of GPU 0 */
};

static void no_name(void *self, struct spans_lane at, const char *text)
{
    (void)self, (void)at, (void)text;
}

static void add_drawn(void *self, const struct span *span)
{
    struct bench *bench = self;
    for (int c = 0; c < EXEC_CATEGORIES; c++)
        if (span->at.lane == 0 && strcmp(span->category, exec_category_names[c]) == 0)
            bench->drawn_ps[c] += span->end_ps - span->start_ps;
}

static const struct spans_ops draws = {.name = no_name, .span = add_drawn};

static void done(struct exec *exec, void *owner)
{
    struct bench *bench = owner;
    bench->end_ps = sim_now_ps(exec_sim(exec));
    sim_finish(exec_sim(exec));
}

/* Two GPUs of one domain; NVLink takes a nanosecond per byte and nothing else. */
static enum sim_stop run(struct bench *bench, struct table *table)
{
    static const char *const names[] = {"first", "second", NULL};
    static const struct exec_group all = {.n = RANKS};
    *bench = (struct bench){.facts = {.slots = 8}, .device = {.generation = TUNER_GENERATIONS}};
    bench->spans = (struct spans){&draws, bench};
    cluster_rig_open(&bench->rig, &(struct cluster_rig_cfg){.nodes = 1, .gpus = 2, .ports = 2});
    table->program.ops = &table_ops;
    bench->exec = exec_new(&(struct exec_cfg){.cluster = bench->rig.cluster,
                                              .facts = &bench->facts,
                                              .device = &bench->device,
                                              .program = &table->program,
                                              .ranks = RANKS,
                                              .streams = STREAMS,
                                              .group = &all,
                                              .group_n = 1,
                                              .stream_names = names,
                                              .spans = &bench->spans,
                                              .done = done,
                                              .owner = bench});
    exec_start(bench->exec);
    return sim_run(bench->rig.sim, &(struct sim_limits){0});
}

static int64_t spent_ns(const struct bench *bench, int32_t rank, enum exec_category category)
{
    return exec_time_ps(bench->exec, rank, category) / NS;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void exec_start__streams_run_side_by_side(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    add_busy(&table, 0, 0, 10);
    struct exec_op *op = add(&table, 0, 1, EXEC_BUSY);
    op->duration_ps = 25 * NS;
    op->category = EXEC_FSDP;
    op = add(&table, 0, 0, EXEC_BUSY);
    op->duration_ps = 5 * NS;
    op->after_stream = 1;
    op->after_op = 0;
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 30 * NS);
    assert_int_equal(spent_ns(&bench, 0, EXEC_COMPUTE), 15);
    assert_int_equal(spent_ns(&bench, 0, EXEC_FSDP), 15); /* of 25, what compute did not hide */
    assert_int_equal(table.over, 3);
    cluster_rig_close(&bench.rig);
}

static void exec_start__detached_lets_the_stream_go_on(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    for (int i = 0; i < 3; i++) {
        struct exec_op *op = add(&table, 0, 0, EXEC_BUSY);
        op->duration_ps = 20 * NS;
        op->detached = true;
    }
    add_busy(&table, 0, 0, 5);
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 20 * NS);
    assert_int_equal(table.over, 4);
    cluster_rig_close(&bench.rig);
}

static void exec_start__asks_again_after_later(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {.later = true};
    add_busy(&table, 0, 0, 10);
    table.op[0][0][0].token = 7;
    add_busy(&table, 0, 1, 4);
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 14 * NS);
    cluster_rig_close(&bench.rig);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void exec_receive__waiting_is_bubble_until_the_message_leaves(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    add_busy(&table, 0, 0, 100);
    struct exec_op *op = add(&table, 0, 0, EXEC_SEND);
    *op = EXEC_OP_NONE;
    op->kind = EXEC_SEND;
    op->category = EXEC_PP;
    op->bytes = 50;
    op->peer = 1;
    op->tag = 3;
    op->detached = true;
    op = add(&table, 1, 0, EXEC_RECV);
    op->category = EXEC_PP;
    op->peer = 0;
    op->tag = 3;
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 150 * NS);
    assert_int_equal(spent_ns(&bench, 1, EXEC_BUBBLE), 100);
    assert_int_equal(spent_ns(&bench, 1, EXEC_PP), 50);
    assert_int_equal(exec_bytes(bench.exec, EXEC_PP), 50);
    cluster_rig_close(&bench.rig);
}

/* Two messages wait; receives take them by tag, a wildcard the first that came. */
static void exec_receive__takes_what_waits(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    for (int tag = 1; tag <= 3; tag++) {
        struct exec_op *op = add(&table, 0, 0, EXEC_SEND);
        op->bytes = 10;
        op->peer = 1;
        op->tag = tag;
    }
    add_busy(&table, 1, 0, 100);
    static const int64_t wanted[] = {2, EXEC_ANY, 3};
    for (int i = 0; i < 3; i++) {
        struct exec_op *op = add(&table, 1, 0, EXEC_RECV);
        op->peer = i == 1 ? EXEC_ANY : 0;
        op->tag = wanted[i];
    }
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 100 * NS);
    cluster_rig_close(&bench.rig);
}

static void exec_waits_for__names_rank_and_message(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    struct exec_op *op = add(&table, 1, 0, EXEC_RECV);
    op->peer = 0;
    op->tag = 9;
    assert_int_equal(run(&bench, &table), SIM_IDLE);
    assert_string_equal(exec_waits_for(bench.exec, &bench.rig.arena),
                        "rank 1, stream first, operation 0 (an operation) waits for a message from "
                        "rank 0 with tag 9");
    cluster_rig_close(&bench.rig);
}

static void exec_waits_for__names_a_message_that_nobody_takes(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    struct exec_op *op = add(&table, 0, 0, EXEC_SEND);
    op->peer = 1;
    op->bytes = 1;
    op->tag = 4;
    assert_int_equal(run(&bench, &table), SIM_IDLE);
    assert_string_equal(exec_waits_for(bench.exec, &bench.rig.arena),
                        "a message from rank 0 to rank 1 with tag 4 has no receive that matches");
    cluster_rig_close(&bench.rig);
}

/* ---- meetings -------------------------------------------------------------------------------- */

static void add_all_reduce(struct table *table, int rank, int64_t bytes)
{
    struct exec_op *op = add(table, rank, 0, EXEC_COLLECTIVE);
    op->category = EXEC_DP;
    op->op = COLL_ALL_REDUCE;
    op->bytes = bytes;
    op->member = rank;
}

/* A ring of two: 2 * 1/2 * 1000 bytes each way. */
static void exec_enter__waiting_for_the_late_is_skew(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    add_busy(&table, 1, 0, 70);
    for (int r = 0; r < RANKS; r++)
        add_all_reduce(&table, r, 1000);
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 1070 * NS);
    assert_int_equal(spent_ns(&bench, 0, EXEC_SKEW), 70);
    assert_int_equal(spent_ns(&bench, 0, EXEC_DP), 1000);
    assert_int_equal(spent_ns(&bench, 1, EXEC_DP), 1000);
    assert_int_equal(bench.drawn_ps[EXEC_SKEW], 70 * NS);
    assert_int_equal(bench.drawn_ps[EXEC_DP], 1000 * NS);
    assert_int_equal(exec_bytes(bench.exec, EXEC_DP), 2000);
    cluster_rig_close(&bench.rig);
}

/* The ring runs beside 1040 ns of compute: had rank 1 not come 70 ns late, rank 0 would have waited
 * for nothing, so the 30 ns that it waits are skew. */
static void exec_enter__waiting_later_for_the_late_is_skew(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    add_busy(&table, 1, 0, 70);
    add_busy(&table, 0, 0, 1040);
    for (int r = 0; r < RANKS; r++) {
        struct exec_op *op = add(&table, r, 1, EXEC_COLLECTIVE);
        op->category = EXEC_DP;
        op->op = COLL_ALL_REDUCE;
        op->bytes = 1000;
        op->member = r;
        op->after_stream = r == 1 ? 0 : -1;
    }
    struct exec_op *mark = add(&table, 0, 0, EXEC_MARK);
    mark->after_stream = 1;
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 1070 * NS);
    assert_int_equal(spent_ns(&bench, 0, EXEC_SKEW), 30);
    assert_int_equal(spent_ns(&bench, 0, EXEC_DP), 0);
    cluster_rig_close(&bench.rig);
}

/* Rank 0 is back at the door before rank 1 has left the first one. */
static void exec_enter__rounds_follow_one_another(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    for (int i = 0; i < 3; i++)
        for (int r = 0; r < RANKS; r++) {
            add_all_reduce(&table, r, 1000);
            if (r == 1) add_busy(&table, r, 0, 10);
        }
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 3030 * NS);
    assert_int_equal(exec_bytes(bench.exec, EXEC_DP), 6000);
    cluster_rig_close(&bench.rig);
}

static void exec_enter__all_leave_a_meeting_together(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    add_busy(&table, 1, 0, 30);
    for (int r = 0; r < RANKS; r++) {
        struct exec_op *op = add(&table, r, 0, EXEC_MEET);
        op->category = EXEC_OTHER;
        op->member = r;
        op->duration_ps = 4 * NS;
    }
    assert_int_equal(run(&bench, &table), SIM_DONE);
    assert_int_equal(bench.end_ps, 34 * NS);
    assert_int_equal(spent_ns(&bench, 0, EXEC_SKEW), 30);
    assert_int_equal(spent_ns(&bench, 0, EXEC_OTHER), 4);
    cluster_rig_close(&bench.rig);
}

static void exec_waits_for__names_who_has_not_come(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    add_all_reduce(&table, 0, 1000);
    assert_int_equal(run(&bench, &table), SIM_IDLE);
    assert_string_equal(exec_waits_for(bench.exec, &bench.rig.arena),
                        "rank 0, stream first, operation 0 (an operation) waits for group 0: rank "
                        "1 has not come (1 of 2 have)");
    cluster_rig_close(&bench.rig);
}

static void exec_waits_for__an_algorithm_that_cannot(void **state)
{
    (void)state;
    struct bench bench;
    struct table table = {0};
    for (int r = 0; r < RANKS; r++) {
        add_all_reduce(&table, r, 1000);
        table.op[r][0][0].algorithm = 1 + coll_find("pairwise");
    }
    assert_int_equal(run(&bench, &table), SIM_IDLE);
    assert_non_null(strstr(exec_waits_for(bench.exec, &bench.rig.arena),
                           "algorithm pairwise cannot run: it cannot do all_reduce"));
    cluster_rig_close(&bench.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exec_start__streams_run_side_by_side),
        cmocka_unit_test(exec_start__detached_lets_the_stream_go_on),
        cmocka_unit_test(exec_start__asks_again_after_later),
        cmocka_unit_test(exec_receive__waiting_is_bubble_until_the_message_leaves),
        cmocka_unit_test(exec_receive__takes_what_waits),
        cmocka_unit_test(exec_waits_for__names_rank_and_message),
        cmocka_unit_test(exec_waits_for__names_a_message_that_nobody_takes),
        cmocka_unit_test(exec_enter__waiting_for_the_late_is_skew),
        cmocka_unit_test(exec_enter__waiting_later_for_the_late_is_skew),
        cmocka_unit_test(exec_enter__rounds_follow_one_another),
        cmocka_unit_test(exec_enter__all_leave_a_meeting_together),
        cmocka_unit_test(exec_waits_for__names_who_has_not_come),
        cmocka_unit_test(exec_waits_for__an_algorithm_that_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
