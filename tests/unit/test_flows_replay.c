/* test_flows_replay.c - flows of files start when they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/flows_rig.h"

#define US INT64_C(1000000)

static void replay(struct flows_rig *rig, const char *format, const char *text)
{
    struct arena arena = {0};
    const char *file = flows_rig_file(&arena, text);
    flows_rig_open(rig, arena_printf(&arena, "format: %s, file: %s", format, file), 8, 1);
    flows_rig_fake(rig);
    flows_rig_run(rig, NULL);
    unlink(file);
    arena_free(&arena);
}

static void expect_log(const struct flows_rig *rig, int m, struct fake_log log)
{
    assert_int_equal(rig->fake.log[m].src, rig->endpoint[log.src]);
    assert_int_equal(rig->fake.log[m].dst, rig->endpoint[log.dst]);
    assert_int_equal(rig->fake.log[m].bytes, log.bytes);
    assert_int_equal(rig->fake.log[m].at_ps, log.at_ps);
}

static void hpcc__flows_start_at_their_times(void **state)
{
    (void)state;
    struct flows_rig rig;
    replay(&rig, "hpcc", "3\n0 1 3 100 5000 0.000002\n2 3 3 100 70 0\n3 2 3 100 80 1e-6\n");
    assert_int_equal(rig.stop, SIM_DONE);
    assert_int_equal(rig.fake.log_n, 3);
    expect_log(&rig, 0, (struct fake_log){0, 70, 2, 3, 0});
    expect_log(&rig, 1, (struct fake_log){1 * US, 80, 3, 2, 0});
    expect_log(&rig, 2, (struct fake_log){2 * US, 5000, 0, 1, 0});
    flows_rig_close(&rig);
}

/* 10 and 11 before 12; 12 not before 5 us; 13 after 12. */
static void hpcc__dependencies(void **state)
{
    (void)state;
    struct flows_rig rig;
    replay(&rig, "hpcc, start_unit: us",
           "4\n"
           "0 1 3 100 10 0 10 12\n"
           "1 2 3 100 11 0.5 11 12\n"
           "2 3 3 100 12 5 12 13\n"
           "3 4 3 100 13 0 13 -1\n");
    assert_int_equal(rig.stop, SIM_DONE);
    assert_int_equal(rig.fake.log_n, 4);
    expect_log(&rig, 2, (struct fake_log){5 * US, 12, 2, 3, 0});
    expect_log(&rig, 3, (struct fake_log){6 * US, 13, 3, 4, 0});
    flows_rig_close(&rig);
    replay(&rig, "hpcc, start_unit: us", "2\n0 1 3 100 10 7 1 2\n1 2 3 100 11 0 2 -1\n");
    expect_log(&rig, 1, (struct fake_log){8 * US, 11, 1, 2, 0});
    flows_rig_close(&rig);
}

static void htsim__triggers(void **state)
{
    (void)state;
    struct flows_rig rig;
    replay(&rig, "htsim",
           "Nodes 8\nConnections 7\nTriggers 3\n"
           "0->1 id 1 start 1000 size 10 send_done_trigger 1\n"
           "2->3 id 2 trigger 1 size 20 recv_done_trigger 2\n"
           "4->5 id 3 trigger 1 size 30 recv_done_trigger 2\n"
           "5->6 id 4 trigger 2 size 40 recv_done_trigger 3\n"
           "6->7 id 5 start 0 size 50 recv_done_trigger 3\n"
           "1->0 id 6 size 60 trigger 3\n"
           "1->2 id 7 size 70 trigger 3\n"
           "trigger id 1 oneshot\n"
           "trigger id 2 barrier count 2\n"
           "trigger id 3 multishot\n");
    assert_int_equal(rig.stop, SIM_DONE);
    assert_int_equal(rig.fake.log_n, 7);
    expect_log(&rig, 0, (struct fake_log){0, 50, 6, 7, 0});
    expect_log(&rig, 1, (struct fake_log){1000, 10, 0, 1, 0});
    expect_log(&rig, 2, (struct fake_log){FAKE_PS, 60, 1, 0, 0});
    expect_log(&rig, 3, (struct fake_log){1000 + 2 * FAKE_PS, 20, 2, 3, 0});
    expect_log(&rig, 4, (struct fake_log){1000 + 2 * FAKE_PS, 30, 4, 5, 0});
    expect_log(&rig, 5, (struct fake_log){1000 + 3 * FAKE_PS, 40, 5, 6, 0});
    expect_log(&rig, 6, (struct fake_log){1000 + 4 * FAKE_PS, 70, 1, 2, 0});
    flows_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hpcc__flows_start_at_their_times),
        cmocka_unit_test(hpcc__dependencies),
        cmocka_unit_test(htsim__triggers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
