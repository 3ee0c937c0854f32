/* test_replay.c - traces on a cluster whose times can be computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/replay/replay.h"
#include "models/trace/chakra.h"
#include "models/trace/goal.h"
#include "tests/unit/cluster_rig.h"
#include "tests/unit/trace_rig.h"

#define DELAY (100 * NS) /* of NVLink: GPU to GPU */
#define SPANS_MAX 64

static const struct collective_facts facts = {.slots = 8, .channels = 1, .chunk_bytes = 1 << 21};
static const struct device_facts no_device;
static const struct replay_cfg plain = {.compute_scale = 1, .memory = true};

/* struct bench: a node of 4 GPUs that are one domain, and a trace on it. */
struct bench {
    struct cluster_rig rig;
    struct trace_rig trace;
    struct replay_cfg cfg;
    struct device_facts device;
    struct replay *replay;
    struct span span[SPANS_MAX];
    int span_n;
    struct spans spans;
    bool drawn;
};

static void open_bench(struct bench *bench)
{
    *bench = (struct bench){.cfg = plain, .device = no_device};
    cluster_rig_open(&bench->rig, &(struct cluster_rig_cfg){
                                      .nodes = 1, .gpus = 4, .ports = 4, .link_delay_ps = DELAY});
}

static void close_bench(struct bench *bench)
{
    trace_rig_end(&bench->trace);
    cluster_rig_close(&bench->rig);
}

/* Runs bench->trace.trace; returns when it ended, in ps, -1 = it is stuck. */
static int64_t run_trace(struct bench *bench)
{
    const struct replay_site site = {.cluster = bench->rig.cluster,
                                     .facts = &facts,
                                     .device = &bench->device,
                                     .spans = bench->drawn ? &bench->spans : NULL};
    bench->replay = replay_of(&bench->cfg, &site, &bench->trace.trace);
    replay_start(bench->replay);
    enum sim_stop stop = sim_run(bench->rig.sim, &(struct sim_limits){0});
    return stop == SIM_DONE ? sim_now_ps(bench->rig.sim) : -1;
}

static int64_t run_goal(struct bench *bench, const char *text)
{
    FILE *in = trace_rig_open(text, strlen(text));
    const struct goal_source source = {"test.goal", in, &bench->trace.arena, &bench->trace.err, 0};
    assert_true(goal_read(&source, &bench->trace.trace));
    fclose(in);
    return run_trace(bench);
}

static int64_t goal_ends(const char *text)
{
    struct bench bench;
    open_bench(&bench);
    int64_t end_ps = run_goal(&bench, text);
    close_bench(&bench);
    return end_ps;
}

static double metric(const struct bench *bench, const char *entity, const char *name)
{
    struct record record;
    double value = -1;
    record_init(&record);
    replay_record(bench->replay, &record);
    record_find(&record, entity, name, &value);
    record_free(&record);
    return value;
}

/* ---- order ----------------------------------------------------------------------------------- */

static void replay_start__operations_follow_what_they_wait_for(void **state)
{
    (void)state;
    assert_int_equal(goal_ends("num_ranks 2\n"
                               "rank 0 {\na: calc 300\nb: send 1000b to 1\nb requires a\n}\n"
                               "rank 1 {\na: recv 1000b from 0\nb: calc 50\nb requires a\n}\n"),
                     1350 * NS + DELAY);
}

static void replay_start__a_stream_does_one_thing_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(goal_ends("num_ranks 1\nrank 0 {\ncalc 300\ncalc 200\ncalc 100\n}\n"),
                     600 * NS);
    assert_int_equal(
        goal_ends("num_ranks 1\nrank 0 {\ncalc 300\ncalc 200 cpu 1\ncalc 250 cpu 2\n}\n"),
        300 * NS);
}

/* b starts with a, in another stream; c waits for the end of a. */
static void replay_start__who_waits_for_a_start_does_not_wait_for_the_end(void **state)
{
    (void)state;
    assert_int_equal(goal_ends("num_ranks 1\nrank 0 {\nz: calc 10\na: calc 300\na requires z\n"
                               "b: calc 300 cpu 1\nb irequires a\nc: calc 7 cpu 2\n"
                               "c requires a\n}\n"),
                     317 * NS);
    assert_int_equal(
        goal_ends("num_ranks 2\nrank 0 {\na: recv 8b from 1\nb: send 1000b to 1\n"
                  "b irequires a\n}\n"
                  "rank 1 {\na: recv 1000b from 0\nb: send 8b to 0\nb requires a\n}\n"),
        1008 * NS + 2 * DELAY);
}

/* A mark passes on what it waited for: calc 0 does, whatever its stream. */
static void replay_start__nothing_to_do_takes_no_time(void **state)
{
    (void)state;
    assert_int_equal(goal_ends("num_ranks 2\nrank 0 {\n}\nrank 1 {\n}\n"), 0);
    assert_int_equal(goal_ends("num_ranks 1\nrank 0 {\na: calc 5\nb: calc 0 cpu 1\nb requires a\n"
                               "c: calc 3 cpu 2\nc requires b\n}\n"),
                     8 * NS);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* The long message has tag 1, the short one tag 2; rank 1 asks for the short one first. */
static void replay_start__messages_match_by_tag_and_order(void **state)
{
    (void)state;
    static const char text[] = "num_ranks 2\nrank 0 {\nsend 1000b to 1 tag 1\n"
                               "send 100b to 1 tag 2\n}\n"
                               "rank 1 {\na: recv 100b from 0 tag %d\nb: calc 500\nb requires a\n"
                               "recv 1000b from 0 tag %d\n}\n";
    char both[300];
    snprintf(both, sizeof both, text, 2, 1);
    assert_int_equal(goal_ends(both), 1600 * NS + DELAY);
    snprintf(both, sizeof both, text, -1, -1); /* whatever comes first */
    assert_int_equal(goal_ends(both), 1500 * NS + DELAY);
}

static void replay_start__a_message_to_oneself_arrives(void **state)
{
    (void)state;
    assert_true(goal_ends("num_ranks 1\nrank 0 {\nsend 10b to 0\nrecv 10b from 0\n"
                          "send 0b to 0\nrecv 0b from 0\n}\n") >= 0);
}

static void replay_record__counts_messages_and_time(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    run_goal(&bench, "num_ranks 2\nrank 0 {\na: calc 400\nb: send 600b to 1\nb requires a\n}\n"
                     "rank 1 {\na: calc 100\nb: recv 600b from 0\nb requires a\n}\n");
    assert_int_equal((int64_t)metric(&bench, "run", "messages"), 1);
    assert_int_equal((int64_t)metric(&bench, "run", "message_bytes"), 600);
    assert_int_equal((int64_t)metric(&bench, "run", "operations"), 4);
    assert_float_equal(metric(&bench, "run", "makespan_s"), 1100e-9, 1e-12);
    assert_float_equal(metric(&bench, "rank", "compute_s"), 250e-9, 1e-12);
    assert_float_equal(metric(&bench, "rank", "compute_max_s"), 400e-9, 1e-12);
    assert_float_equal(metric(&bench, "rank", "late_send_max_s"), 300e-9, 1e-12);
    assert_float_equal(metric(&bench, "rank", "messages_s"), 700e-9, 1e-12);
    close_bench(&bench);
}

/* ---- compute --------------------------------------------------------------------------------- */

static void replay_start__compute_is_scaled(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    bench.cfg.compute_scale = 1.5;
    assert_int_equal(run_goal(&bench, "num_ranks 1\nrank 0 {\ncalc 300\n}\n"), 450 * NS);
    close_bench(&bench);
}

/* struct single: a trace of one rank and one operation. */
static int64_t single_ends(const struct trace_op *op, const struct device_facts *device,
                           bool memory)
{
    struct bench bench;
    struct trace_op ops[] = {*op};
    uint32_t dep_first[] = {0, 0};
    struct trace_rank rank = {.op = ops, .dep_first = dep_first, .op_n = 1, .file = "x"};
    struct trace_group all = {.name = "", .n = 1};
    static const char *const names[] = {""};
    open_bench(&bench);
    bench.device = *device;
    bench.cfg.memory = memory;
    bench.trace.trace = (struct trace){
        .rank = &rank, .group = &all, .name = names, .rank_n = 1, .group_n = 1, .name_n = 1};
    int64_t end_ps = run_trace(&bench);
    close_bench(&bench);
    return end_ps;
}

static void replay_start__flop_and_bytes_take_what_the_device_needs(void **state)
{
    (void)state;
    const struct device_facts device = {.bf16_tflops = 10, .memory_bps = 8 * INT64_C(1000000000)};
    struct trace_op op = {.kind = TRACE_COMPUTE, .flop = 2000000, .bytes = 100};
    assert_int_equal(single_ends(&op, &device, true), 200 * NS);
    op.bytes = 300; /* memory is slower */
    assert_int_equal(single_ends(&op, &device, true), 300 * NS);
    op.duration_ps = 70 * NS; /* recorded */
    assert_int_equal(single_ends(&op, &device, true), 70 * NS);
}

static void replay_start__memory_takes_time_if_wanted(void **state)
{
    (void)state;
    const struct device_facts device = {.memory_bps = 8 * INT64_C(1000000000)};
    struct trace_op op = {.kind = TRACE_LOAD, .bytes = 300};
    assert_int_equal(single_ends(&op, &device, true), 300 * NS);
    assert_int_equal(single_ends(&op, &device, false), 0);
    assert_int_equal(single_ends(&op, &no_device, true), 0); /* nobody knows */
}

/* ---- collectives ----------------------------------------------------------------------------- */

/* Ranks 0 to 3 of a node; those of `group` call one collective; rank r is ready after 100 r ns. */
static int64_t collective_ends(enum trace_collective collective, int64_t bytes, int32_t root,
                               int64_t *sent_bytes)
{
    struct bench bench;
    struct trace_op ops[4][2];
    static uint32_t dep_first[] = {0, 0, 1};
    static struct trace_dep dep[] = {{0, TRACE_END}};
    struct trace_rank rank[4];
    int32_t members[] = {2, 1, 3};
    struct trace_group group[] = {{.name = "", .n = 4}, {.name = "g", .rank = members, .n = 3}};
    static const char *const names[] = {""};
    open_bench(&bench);
    for (int32_t r = 0; r < 4; r++) {
        ops[r][0] = (struct trace_op){.kind = TRACE_COMPUTE, .duration_ps = 100 * r * NS};
        ops[r][1] = (struct trace_op){.kind = TRACE_COLLECTIVE,
                                      .collective = (uint8_t)collective,
                                      .bytes = bytes,
                                      .peer = root,
                                      .group = 1};
        rank[r] = (struct trace_rank){.op = ops[r],
                                      .dep_first = dep_first,
                                      .dep = dep,
                                      .op_n = r > 0 ? 2 : 1,
                                      .dep_n = r > 0,
                                      .file = "x"};
    }
    bench.trace.trace = (struct trace){
        .rank = rank, .group = group, .name = names, .rank_n = 4, .group_n = 2, .name_n = 1};
    int64_t end_ps = run_trace(&bench);
    *sent_bytes = (int64_t)metric(&bench, "run", "collective_bytes");
    assert_int_equal((int64_t)metric(&bench, "run", "collectives"), 1);
    close_bench(&bench);
    return end_ps;
}

static void replay_start__collectives_of_a_group_run_on_its_ranks(void **state)
{
    (void)state;
    int64_t bytes;
    assert_true(collective_ends(TRACE_ALL_REDUCE, 3000, TRACE_ANY, &bytes) > 4000 * NS);
    assert_int_equal(bytes, 12000); /* 2 (n - 1) / n each */
    assert_true(collective_ends(TRACE_BARRIER, 0, TRACE_ANY, &bytes) > 300 * NS);
    assert_true(bytes > 0 && bytes <= 48);
    assert_true(collective_ends(TRACE_REDUCE, 3000, 1, &bytes) > 3000 * NS);
    assert_int_equal(bytes, 6000);
}

/* Ranks 2 and 3 send 1000 bytes to rank 1, which is ready before them: the one port of rank 1 takes
 * one after the other. */
static void replay_start__gather_and_scatter_are_messages(void **state)
{
    (void)state;
    int64_t bytes;
    assert_int_equal(collective_ends(TRACE_GATHER, 1000, 1, &bytes), 2200 * NS + DELAY);
    assert_int_equal(bytes, 2000);
    assert_int_equal(collective_ends(TRACE_SCATTER, 1000, 1, &bytes), 2100 * NS + DELAY);
    assert_int_equal(bytes, 2000);
}

static void replay_start__a_chakra_trace_ends(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    const struct chakra_source source = {"tests/traces/ring", "tests/traces/ring.json",
                                         &bench.trace.arena, &bench.trace.err, 0};
    assert_true(chakra_read(&source, &bench.trace.trace));
    assert_true(run_trace(&bench) > 3905000 * NS); /* its compute alone */
    assert_int_equal((int64_t)metric(&bench, "run", "messages"), 4);
    assert_int_equal((int64_t)metric(&bench, "run", "collectives"), 3);
    close_bench(&bench);
}

/* ---- stalls ---------------------------------------------------------------------------------- */

static void stalls(const char *text, const char *said)
{
    struct bench bench;
    open_bench(&bench);
    assert_int_equal(run_goal(&bench, text), -1);
    assert_string_equal(replay_waits_for(bench.replay, &bench.trace.arena), said);
    close_bench(&bench);
}

static void replay_waits_for__names_who_waits_for_whom(void **state)
{
    (void)state;
    stalls("num_ranks 2\nrank 0 {\na: recv 8b from 1 tag 4\nb: send 8b to 1\nb requires a\n}\n"
           "rank 1 {\nz: calc 9\na: recv 8b from 0\na requires z\nb: send 8b to 0 tag 4\n"
           "b requires a\n}\n",
           "rank 0, operation 0 (receive, test.goal:3) waits for a message from rank 1 with tag 4; "
           "rank 1, operation 1 (receive, test.goal:9) waits for a message from rank 0 with tag 0");
    stalls("num_ranks 2\nrank 0 {\nsend 8b to 1 tag 3\n}\nrank 1 {\nrecv 8b from -1 tag 2\n}\n",
           "rank 1, operation 0 (receive, test.goal:6) waits for a message from any rank");
    stalls("num_ranks 2\nrank 0 {\nsend 8b to 1 tag 3\n}\nrank 1 {\n}\n",
           "a message from rank 0 to rank 1 with tag 3 has no receive that matches");
}

static void replay_waits_for__names_who_has_not_come(void **state)
{
    (void)state;
    struct bench bench;
    uint32_t dep_first[] = {0, 0};
    struct trace_op call = {.kind = TRACE_COLLECTIVE, .bytes = 8, .peer = TRACE_ANY, .place = 7};
    struct trace_op receive = {.kind = TRACE_RECV, .bytes = 8, .tag = 5, .place = 2};
    struct trace_rank rank[] = {
        {.op = &call, .dep_first = dep_first, .op_n = 1, .file = "a"},
        {.op = &receive, .dep_first = dep_first, .op_n = 1, .file = "b"},
    };
    struct trace_group all = {.name = "", .n = 2};
    static const char *const names[] = {""};
    open_bench(&bench);
    bench.trace.trace = (struct trace){
        .rank = rank, .group = &all, .name = names, .rank_n = 2, .group_n = 1, .name_n = 1};
    assert_int_equal(run_trace(&bench), -1);
    assert_string_equal(
        replay_waits_for(bench.replay, &bench.trace.arena),
        "rank 0, node 7 (all_reduce, a) waits for rank 1, which has not come to "
        "group ''; rank 1, node 2 (receive, b) waits for a message from rank 0 with tag 5");
    close_bench(&bench);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void ignore_name(void *self, struct spans_lane at, const char *text)
{
    (void)self, (void)at;
    assert_true(*text);
}

static void note_span(void *self, const struct span *span)
{
    struct bench *bench = self;
    assert_true(bench->span_n < SPANS_MAX);
    bench->span[bench->span_n++] = *span;
}

static void replay_start__draws_lanes_without_overlap(void **state)
{
    (void)state;
    static const struct spans_ops ops = {.name = ignore_name, .span = note_span};
    struct bench bench;
    int64_t drawn_ps = 0;
    open_bench(&bench);
    bench.spans = (struct spans){.ops = &ops, .self = &bench};
    bench.drawn = true;
    run_goal(&bench, "num_ranks 2\nrank 0 {\ncalc 700\nsend 100b to 1\nsend 200b to 1 tag 1\n"
                     "calc 900 cpu 1\n}\n"
                     "rank 1 {\nrecv 100b from 0\nrecv 200b from 0 tag 1\ncalc 0\n}\n");
    assert_int_equal(bench.span_n, 6);
    for (int a = 0; a < bench.span_n; a++)
        for (int b = 0; b < bench.span_n; b++) {
            const struct span *x = &bench.span[a], *y = &bench.span[b];
            if (a == b || x->at.node != y->at.node || x->at.lane != y->at.lane) continue;
            assert_true(x->end_ps <= y->start_ps || y->end_ps <= x->start_ps);
        }
    for (int a = 0; a < bench.span_n; a++)
        if (strcmp(bench.span[a].category, "compute") == 0)
            drawn_ps += bench.span[a].end_ps - bench.span[a].start_ps;
    assert_int_equal(drawn_ps, 1600 * NS);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_start__operations_follow_what_they_wait_for),
        cmocka_unit_test(replay_start__a_stream_does_one_thing_at_a_time),
        cmocka_unit_test(replay_start__who_waits_for_a_start_does_not_wait_for_the_end),
        cmocka_unit_test(replay_start__nothing_to_do_takes_no_time),
        cmocka_unit_test(replay_start__messages_match_by_tag_and_order),
        cmocka_unit_test(replay_start__a_message_to_oneself_arrives),
        cmocka_unit_test(replay_record__counts_messages_and_time),
        cmocka_unit_test(replay_start__compute_is_scaled),
        cmocka_unit_test(replay_start__flop_and_bytes_take_what_the_device_needs),
        cmocka_unit_test(replay_start__memory_takes_time_if_wanted),
        cmocka_unit_test(replay_start__collectives_of_a_group_run_on_its_ranks),
        cmocka_unit_test(replay_start__gather_and_scatter_are_messages),
        cmocka_unit_test(replay_start__a_chakra_trace_ends),
        cmocka_unit_test(replay_waits_for__names_who_waits_for_whom),
        cmocka_unit_test(replay_waits_for__names_who_has_not_come),
        cmocka_unit_test(replay_start__draws_lanes_without_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
