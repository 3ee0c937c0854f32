/* test_cc_none.c - no control, and receiver-driven credit: what does not react to congestion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line400 = {
    .rate_bps = 400 * GBPS, .base_rtt_ps = 10 * US, .mtu_bytes = 4096};

static void none__line_rate_whatever_happens(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "none", "", line400);
    for (int event = CC_START; event <= CC_SENT; event++) {
        cc_rig_step(&rig, (struct cc_signal){.event = (enum cc_event)event, .marked = true});
        cc_rig_rate(&rig, 400);
        assert_int_equal(rig.out.window_bytes, 0);
        assert_int_equal(rig.out.wake_ps, 0);
    }
    cc_rig_close(&rig);
}

static void none__fixed_pace_and_window(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "none", "rate: 100Gbps, window: 1MB", line400);
    cc_rig_rate(&rig, 100);
    assert_int_equal(rig.out.window_bytes, 1000000);
    cc_rig_close(&rig);
    cc_rig_open(&rig, "none", "rate: 800Gbps", line400);
    cc_rig_rate(&rig, 400); /* never above the line */
    cc_rig_close(&rig);
}

static void acknowledge(struct cc_rig *rig, int64_t acked_off)
{
    rig->acked_off = acked_off;
    cc_rig_step(rig, (struct cc_signal){.event = CC_ACK, .marked = true, .rtt_ps = PS_PER_S});
}

/* Credit 4 MB in chunks of 500 kB: what may have been sent in all moves by whole chunks. */
static void receiver_credit__clears_whole_chunks(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "receiver_credit", "credit: 4MB, chunk: 500kB", line400);
    static const struct {
        int64_t acked_off, cleared_off;
    } steps[] = {{0, 4000000},       {1, 4000000},       {499999, 4000000},
                 {500000, 4500000},  {999999, 4500000},  {1000000, 5000000},
                 {2700000, 6500000}, {2999999, 6500000}, {3000000, 7000000}};
    assert_int_equal(rig.out.window_bytes, 4000000);
    for (int i = 0; i < 9; i++) {
        acknowledge(&rig, steps[i].acked_off);
        assert_int_equal(steps[i].acked_off + rig.out.window_bytes, steps[i].cleared_off);
        cc_rig_rate(&rig, 400);
    }
    cc_rig_close(&rig);
}

/* One chunk is the whole credit: stop and wait, but never a window of 0, which would mean none. */
static void receiver_credit__one_chunk(void **state)
{
    (void)state;
    struct cc_rig rig;
    cc_rig_open(&rig, "receiver_credit", "credit: 512KiB, chunk: 512KiB", line400);
    for (int64_t off = 0; off < 3000000; off += 4096) {
        acknowledge(&rig, off);
        assert_true(rig.out.window_bytes > 0);
        assert_int_equal((off + rig.out.window_bytes) % (512 << 10), 0);
    }
    cc_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none__line_rate_whatever_happens),
        cmocka_unit_test(none__fixed_pace_and_window),
        cmocka_unit_test(receiver_credit__clears_whole_chunks),
        cmocka_unit_test(receiver_credit__one_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
