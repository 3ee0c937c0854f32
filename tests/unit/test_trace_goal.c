/* test_trace_goal.c - GOAL text: what is read, and where the mistakes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/trace/goal.h"
#include "sim/base/units.h"
#include "tests/unit/trace_rig.h"

static void read_text(struct trace_rig *rig, const char *text)
{
    *rig = (struct trace_rig){0};
    FILE *in = trace_rig_open(text, strlen(text));
    rig->ok = goal_read(&(struct goal_source){"g", in, &rig->arena, &rig->err, 0}, &rig->trace);
    fclose(in);
    assert_int_equal(rig->ok, rig->err.count == 0);
}

static void refused(const char *text, const char *expected)
{
    struct trace_rig rig;
    read_text(&rig, text);
    trace_rig_said(&rig.err, expected, text);
    trace_rig_end(&rig);
}

static void read__fills_every_field(void **state)
{
    (void)state;
    struct trace_rig rig = {0};
    const struct goal_source source = {"tests/traces/pingpong.goal", NULL, &rig.arena, &rig.err, 0};
    assert_true(goal_read(&source, &rig.trace));
    assert_int_equal(rig.trace.rank_n, 3);
    assert_int_equal(rig.trace.group_n, 1);
    assert_int_equal(rig.trace.group[0].n, 3);
    const struct trace_rank *zero = &rig.trace.rank[0], *one = &rig.trace.rank[1];
    assert_int_equal(zero->op_n, 3);
    assert_int_equal(zero->op[0].kind, TRACE_COMPUTE);
    assert_int_equal(zero->op[0].duration_ps, 1500 * PS_PER_NS);
    assert_int_equal(zero->op[1].kind, TRACE_SEND);
    assert_int_equal(zero->op[1].bytes, 4096);
    assert_int_equal(zero->op[1].peer, 1);
    assert_int_equal(zero->op[1].tag, 7);
    assert_int_equal(zero->op[1].place, 6);
    trace_rig_waits(zero, 0, 0);
    trace_rig_waits(zero, 1, 1);
    trace_rig_dep(zero, 1, 0, (struct trace_dep){.op = 0, .wait = TRACE_END});
    trace_rig_dep(zero, 2, 0, (struct trace_dep){.op = 1, .wait = TRACE_START});
    assert_int_equal(one->op_n, 4);
    assert_int_equal(one->op[1].stream, 1);
    assert_int_equal(one->op[3].bytes, 16);
    assert_int_equal(one->op[3].tag, 0);
    const struct trace_op *any = &rig.trace.rank[2].op[0];
    assert_int_equal(any->kind, TRACE_RECV);
    assert_int_equal(any->peer, TRACE_ANY);
    assert_int_equal(any->tag, TRACE_ANY);
    assert_true(trace_check(&rig.trace, &rig.err));
    trace_rig_end(&rig);
}

static void read__takes_ranks_in_any_order_and_options_too(void **state)
{
    (void)state;
    struct trace_rig rig;
    read_text(&rig, "/* two\nlines */ num_ranks 3 // of which\r\nrank 2 {\n"
                    "send: recv 1b from 0 nic 3 cpu 2 tag 9\n}\nrank 0 {}\n");
    assert_int_equal(rig.err.count, 1); /* "send" is no label */
    trace_rig_end(&rig);
    read_text(&rig, "/* two\nlines */ num_ranks 3 // of which\r\nrank 2 {\n"
                    "sender:recv 1b from 0 nic 3 cpu 2 tag 9999990005\n}\nrank 0 {}\n");
    assert_true(rig.ok);
    assert_int_equal(rig.trace.rank[0].op_n, 0);
    assert_int_equal(rig.trace.rank[1].op_n, 0);
    assert_string_equal(rig.trace.rank[1].file, "g");
    assert_int_equal(rig.trace.rank[2].op[0].place, 4);
    assert_int_equal(rig.trace.rank[2].op[0].stream, 2);
    assert_int_equal(rig.trace.rank[2].op[0].tag, 9999990005);
    trace_rig_end(&rig);
}

static void read__keeps_labels_of_ranks_apart(void **state)
{
    (void)state;
    struct trace_rig rig;
    read_text(&rig, "num_ranks 2\nrank 0 {\na: calc 1\nb: calc 2\nb requires a\n}\n"
                    "rank 1 {\nb: calc 1\na: calc 2\na requires b\na irequires b\n}\n");
    assert_true(rig.ok);
    trace_rig_waits(&rig.trace.rank[1], 0, 0);
    trace_rig_waits(&rig.trace.rank[1], 1, 2);
    trace_rig_dep(&rig.trace.rank[1], 1, 1, (struct trace_dep){.op = 0, .wait = TRACE_START});
    trace_rig_end(&rig);
    refused("num_ranks 2\nrank 0 {\na: calc 1\n}\nrank 1 {\nb: calc 1\nb requires a\n}\n",
            "g:7:12: error: C084: no operation of this rank above has the label 'a'");
}

static void read__names_the_place_of_a_syntax_error(void **state)
{
    (void)state;
    refused("", "g:1:1: error: C083: expected num_ranks, found the end of the file");
    refused("rank 0 {}", "g:1:1: error: C083: expected num_ranks, found 'rank'");
    refused("num_ranks 1\nrank 0 {\n", "g:3:1: error: C083: the file ends within rank 0");
    refused("num_ranks 1\nrank 0 {\ncalc 1\nrank 1 {\n", "g:4:1: error: C083: '}' of rank 0");
    refused("num_ranks 1\nrank 0\n{ }", "g:2:7: error: C083: expected '{', found the end of the");
    refused("num_ranks 1\nrank 0 {\n  snd 1b to 0\n}",
            "g:3:7: error: C083: expected ':', requires");
    refused("num_ranks 1\nrank 0 {\nl1: snd 1b to 0\n}",
            "g:3:5: error: C083: expected send, recv or");
    refused("num_ranks 1\nrank 0 {\nsend 1 to 0\n}", "g:3:8: error: C083: expected b, found 'to'");
    refused("num_ranks 1\nrank 0 {\nsend 1b from 0\n}", "g:3:9: error: C083: expected to, found");
    refused("num_ranks 1\nrank 0 {\ncalc 1 tag 2\n}", "g:3:8: error: C083: expected cpu, nic or");
    refused("num_ranks 1\nrank 0 {\ncalc 1 cpu 2 cpu 3\n}", "g:3:14: error: C083: a second 'cpu'");
    refused("num_ranks 1\nrank 0 {\ncalc 1 calc 2\n}",
            "g:3:8: error: C083: expected cpu, nic or the");
    refused("num_ranks 1\nrank 0 {\ncalc 1.5\n}",
            "g:3:7: error: C083: expected the end of the line");
    refused("num_ranks 1\nrank 0 {\n\xc3\xa4\xc3\xa4 ! \n}",
            "g:3:1: error: C083: expected a label");
    refused("num_ranks 1 / 2", "g:1:13: error: C083: '/' begins no comment");
    refused("num_ranks 1 /* 2", "g:1:13: error: C083: this comment does not end");
}

static void read__names_the_place_of_a_mistake(void **state)
{
    (void)state;
    refused("num_ranks 0", "g:1:11: error: C084: not a number of ranks from 1 to 1048576");
    refused("num_ranks 99999999999999999999", "g:1:11: error: C084: not a number of ranks");
    refused("num_ranks 2\nrank 2 {}", "g:2:6: error: C084: not a rank from 0 to 1");
    refused("num_ranks 2\nrank 1 {}\nrank 1 {}", "g:3:6: error: C084: a second rank 1");
    refused("num_ranks 2\nrank 0 {\nsend 1b to -1\n}",
            "g:3:12: error: C084: not a rank from 0 to 1");
    refused("num_ranks 2\nrank 0 {\nrecv 1b from -2\n}",
            "g:3:14: error: C084: not a rank (-1 = any)");
    refused("num_ranks 2\nrank 0 {\nsend 1b to 1 tag -1\n}",
            "g:3:18: error: C084: not a tag from 0");
    refused("num_ranks 2\nrank 0 {\ncalc 1 cpu 65536\n}",
            "g:3:12: error: C084: not the number of a");
    refused("num_ranks 2\nrank 0 {\nsend 1125899906842625b to 1\n}",
            "g:3:6: error: C084: not a size");
    refused("num_ranks 2\nrank 0 {\ncalc 9223372036854776\n}",
            "g:3:6: error: C084: not a time in ns");
    refused("num_ranks 2\nrank 0 {\na: calc 1\na: calc 2\n}",
            "g:4:1: error: C084: label 'a' is that of line 3, too");
    refused("num_ranks 2\nrank 0 {\na: calc 1\na requires a\n}",
            "g:4:12: error: C088: 'a' waits for itself");
    refused("num_ranks 2\nrank 0 {\na: calc 1\nb: calc 2\nc: calc 3\na requires c\nb requires a\n"
            "c irequires b\n}",
            "g:3:1: error: C088: operation 0 of rank 0 never starts");
}

static void read__takes_as_many_ranks_as_allowed(void **state)
{
    (void)state;
    struct trace_rig rig = {0};
    const struct goal_source source = {"tests/traces/pingpong.goal", NULL, &rig.arena, &rig.err, 2};
    assert_false(goal_read(&source, &rig.trace));
    trace_rig_said(&rig.err, ":2:11: error: C084: not a number of ranks from 1 to 2", "3 ranks");
    trace_rig_end(&rig);
}

static void read__says_why_a_file_cannot_be_read(void **state)
{
    (void)state;
    struct trace_rig rig = {0};
    const struct goal_source source = {"tests/traces", NULL, &rig.arena, &rig.err, 0};
    assert_false(goal_read(&source, &rig.trace));
    trace_rig_said(&rig.err, "tests/traces: error: C083: is no regular file", "a folder");
    trace_rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__fills_every_field),
        cmocka_unit_test(read__takes_ranks_in_any_order_and_options_too),
        cmocka_unit_test(read__keeps_labels_of_ranks_apart),
        cmocka_unit_test(read__names_the_place_of_a_syntax_error),
        cmocka_unit_test(read__names_the_place_of_a_mistake),
        cmocka_unit_test(read__takes_as_many_ranks_as_allowed),
        cmocka_unit_test(read__says_why_a_file_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
