/* test_cc_hpcc.c - HPCC: U of the links, the rate that follows, once per round trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cc_rig.h"

static const struct cc_link line100 = {
    .rate_bps = 100 * GBPS, .base_rtt_ps = 10 * US, .mtu_bytes = 1000};

/* struct sender: a control and the telemetry of two links; [0] is always idle. */
struct sender {
    struct cc_rig rig;
    struct cc_hop hop[2];
};

static void open_sender(struct sender *sender, const char *keys)
{
    *sender = (struct sender){.hop = {{.rate_bps = 400 * GBPS}, {.rate_bps = 100 * GBPS}}};
    cc_rig_open(&sender->rig, "hpcc", keys, line100);
}

/* ack: after dt the second link has sent so many bytes and holds so many. */
static void ack(struct sender *sender, int64_t dt_ps, int64_t sent_bytes, int64_t queue_bytes)
{
    for (int i = 0; i < 2; i++)
        sender->hop[i].at_ps += dt_ps;
    sender->hop[1].tx_bytes += sent_bytes;
    sender->hop[1].queue_bytes = queue_bytes;
    sender->rig.now_ps += dt_ps;
    cc_rig_step(&sender->rig, (struct cc_signal){.event = CC_ACK,
                                                 .rtt_ps = 10 * US,
                                                 .acked_bytes = 1000,
                                                 .hop = sender->hop,
                                                 .hop_n = 2});
}

/* T = 10 us, W = 125,000 B. First sample: nothing. Then 5 us at full rate over 125,000 B of queue:
 * u = 1 + 1 = 2, U = (1 + 2) / 2 = 1.5, R = 100 / (1.5 / 0.95) + 0.04. */
static void hpcc__u_by_hand(void **state)
{
    (void)state;
    struct sender sender;
    open_sender(&sender, "");
    sender.rig.sent_off = 125000;
    sender.rig.acked_off = 1000;
    ack(&sender, 1 * US, 0, 125000);
    cc_rig_rate(&sender.rig, 100);
    assert_int_equal(sender.rig.out.window_bytes, 125000);
    sender.rig.acked_off = 125001; /* a round trip later: the reference moves */
    sender.rig.sent_off = 250000;
    ack(&sender, 5 * US, 62500, 125000);
    double rate = 100 / (1.5 / 0.95) + 0.04;
    cc_rig_rate(&sender.rig, rate);
    assert_int_equal(sender.rig.out.window_bytes, (int64_t)(rate * 1250 + 0.5));
    /* the same round trip: from the reference again. The smaller queue of two counts: 0. */
    sender.rig.acked_off = 126000;
    ack(&sender, 5 * US, 62500, 0);
    cc_rig_rate(&sender.rig, rate / (1.25 / 0.95) + 0.04);
    ack(&sender, 5 * US, 62500, 125000);
    cc_rig_rate(&sender.rig, rate / (1.125 / 0.95) + 0.04);
    /* longer than T: U = u = 0.5 */
    sender.rig.acked_off = 250001;
    ack(&sender, 20 * US, 125000, 0);
    cc_rig_rate(&sender.rig, 100); /* 63.4 / 0.526 is above the line */
    cc_rig_close(&sender.rig);
}

/* Fixed point of one flow: u = R / B; R = R_c eta / u + R_AI = eta B + R_AI. */
static void hpcc__alone_converges_to_eta(void **state)
{
    (void)state;
    struct sender sender;
    open_sender(&sender, "");
    for (int i = 0; i < 200; i++) {
        sender.rig.acked_off = sender.rig.sent_off + 1;
        sender.rig.sent_off = sender.rig.acked_off + 1000;
        ack(&sender, 10 * US, units_carried_bytes(sender.rig.out.rate_bps, 10 * US), 0);
    }
    cc_rig_near((double)sender.rig.out.rate_bps, 95.04e9, 1e-4);
    cc_rig_close(&sender.rig);
}

/* With stages: below the target, R_AI per round trip, and only every third one multiplies. */
static void hpcc__stages(void **state)
{
    (void)state;
    struct sender sender;
    open_sender(&sender, "max_stage: 2, rate_ai: 1Gbps, eta: 50%");
    static const double rates[] = {51, 52, 53, 54};
    for (int i = 0; i < 6; i++) {
        sender.rig.acked_off = sender.rig.sent_off + 1;
        sender.rig.sent_off = sender.rig.acked_off + 1000;
        ack(&sender, 10 * US, i == 1 ? 125000 : 31250, 0); /* u = 1, then 1/4: k = 2, 1/2 */
        if (i == 1) cc_rig_rate(&sender.rig, rates[0]);
        if (i == 2) cc_rig_rate(&sender.rig, rates[1]);
        if (i == 3) cc_rig_rate(&sender.rig, rates[2]);
        if (i == 4) cc_rig_rate(&sender.rig, 100); /* 53 / 0.5 + 1 */
    }
    cc_rig_close(&sender.rig);
}

/* An acknowledgement without telemetry, and one with the same sample twice, say nothing. */
static void hpcc__nothing_new(void **state)
{
    (void)state;
    struct sender sender;
    open_sender(&sender, "");
    ack(&sender, 10 * US, 0, 125000);
    sender.rig.acked_off = sender.rig.sent_off + 1;
    ack(&sender, 0, 0, 125000);
    cc_rig_step(&sender.rig, (struct cc_signal){.event = CC_ACK, .marked = true});
    cc_rig_step(&sender.rig, (struct cc_signal){.event = CC_CNP});
    cc_rig_rate(&sender.rig, 100);
    cc_rig_close(&sender.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hpcc__u_by_hand),
        cmocka_unit_test(hpcc__alone_converges_to_eta),
        cmocka_unit_test(hpcc__stages),
        cmocka_unit_test(hpcc__nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
