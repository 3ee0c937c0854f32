/* test_cc_contract.c - every registered congestion control, and its variants, through one harness.
 *
 * The harness is a queue pair on one link: it paces, acknowledges, wakes, and says congestion in
 * every language that a control may listen to: marks, CNPs, delay, telemetry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/rng.h"
#include "tests/unit/cc_rig.h"

static const struct cc_link line100 = {
    .rate_bps = 100 * GBPS, .base_rtt_ps = 8 * US, .mtu_bytes = 4096};

/* All controls by themselves, and those variants that are laws of their own. reacts: false for what
 * leaves congestion to the fabric or the receiver. */
static const struct variant {
    const char *kind, *keys;
    bool reacts;
} variants[] = {
    {"none", "", false},
    {"receiver_credit", "", false},
    {"dcqcn", "", true},
    {"dcqcn", "profile: paper", true},
    {"dcqcn", "profile: firmware, window: bdp", true},
    {"dcqcn", "profile: scaled, window: varying", true},
    {"dctcp", "", true},
    {"hpcc", "", true},
    {"hpcc", "max_stage: 5, window: none", true},
    {"rtt_probe", "", true},
    {"rtt_probe", "law: template", true},
    {"rtt_probe", "law: ztr-like-ra1.3, window: bdp", true},
    {"rtt_probe", "law: ztr-like-ra2.2", true},
    {"swift", "", true},
    {"timely", "", true},
    {"timely", "segment: 64KB, window: varying", true},
    {"timely", "law: patched", true},
};
#define VARIANT_N ((int)(sizeof variants / sizeof *variants))

/* What is sent at best: the pace, or a window per round trip. */
static double effective_bps(const struct cc_rig *rig, int64_t rtt_ps)
{
    double rate = (double)rig->out.rate_bps;
    if (rig->out.window_bytes == 0) return rate;
    double by_window = (double)rig->out.window_bytes * 8e12 / (double)rtt_ps;
    return by_window < rate ? by_window : rate;
}

/* judge: what must hold after every step. */
static void judge(const struct cc_rig *rig)
{
    assert_true(rig->out.rate_bps >= 1);
    assert_true(rig->out.rate_bps <= rig->link.rate_bps);
    assert_true(rig->out.window_bytes >= 0);
    assert_true(rig->out.wake_ps == 0 || rig->out.wake_ps > rig->now_ps);
}

/* struct path: what the queue pair meets. */
struct path {
    bool congested;
    int64_t rtt_ps;
    struct cc_hop hop;
    int64_t cnp_ps; /* the last one */
};

/* send_one lets a packet's time pass, wakes the control in between, and acknowledges the packet. */
static void send_one(struct cc_rig *rig, struct path *path)
{
    int64_t mtu = rig->link.mtu_bytes;
    double rate = effective_bps(rig, path->rtt_ps);
    int64_t at_ps = rig->now_ps + 1 + (int64_t)((double)mtu * 8e12 / rate);
    while (rig->out.wake_ps && rig->out.wake_ps <= at_ps) {
        cc_rig_wake(rig);
        judge(rig);
    }
    rig->now_ps = at_ps;
    rig->acked_off += mtu;
    rig->sent_off = rig->acked_off + (int64_t)(rate * (double)path->rtt_ps / 8e12);
    /* a link as fast as the queue pair's and always full, or an empty one four times as fast */
    path->hop.rate_bps = path->congested ? rig->link.rate_bps : 4 * rig->link.rate_bps;
    path->hop.queue_bytes = path->congested ? 1000000 : 0;
    path->hop.tx_bytes +=
        path->congested ? units_carried_bytes(path->hop.rate_bps, at_ps - path->hop.at_ps) : mtu;
    path->hop.at_ps = at_ps;
    if (path->congested && at_ps - path->cnp_ps >= 50 * US && rig->ops->wants_cnp) {
        path->cnp_ps = at_ps;
        cc_rig_step(rig, (struct cc_signal){.event = CC_CNP});
        judge(rig);
    }
    cc_rig_step(rig, (struct cc_signal){.event = CC_ACK,
                                        .marked = path->congested,
                                        .rtt_ps = path->rtt_ps,
                                        .acked_bytes = mtu,
                                        .hop = rig->ops->wants_hops ? &path->hop : NULL,
                                        .hop_n = rig->ops->wants_hops ? 1 : 0});
    judge(rig);
}

static void congest(struct cc_rig *rig, struct path *path, int64_t for_ps)
{
    path->congested = true;
    path->rtt_ps = rig->link.base_rtt_ps + 600 * US;
    for (int64_t end_ps = rig->now_ps + for_ps; rig->now_ps < end_ps;)
        send_one(rig, path);
}

static void cc_list__names_help_and_state(void **state)
{
    (void)state;
    int n = 0;
    for (; cc_list[n]; n++) {
        assert_non_null(cc_kinds[n]);
        assert_true(cc_kinds[n]->name[0] != 0);
        assert_true(cc_list[n]->help[0] != 0);
        assert_true(cc_list[n]->state_size <= CC_STATE_MAX);
        for (int i = 0; i < n; i++)
            assert_string_not_equal(cc_kinds[i]->name, cc_kinds[n]->name);
        bool tried = false;
        for (int i = 0; i < VARIANT_N; i++)
            tried |= strcmp(variants[i].kind, cc_kinds[n]->name) == 0;
        if (!tried) fail_msg("no variant of %s is tested here", cc_kinds[n]->name);
    }
    assert_null(cc_kinds[n]);
    assert_true(n >= 8);
}

static void cc_init__starts_at_line_rate(void **state)
{
    (void)state;
    for (int i = 0; i < VARIANT_N; i++) {
        struct cc_rig rig;
        cc_rig_open(&rig, variants[i].kind, variants[i].keys, line100);
        assert_int_equal(rig.out.rate_bps, line100.rate_bps);
        assert_true(effective_bps(&rig, line100.base_rtt_ps) >= 0.99 * (double)line100.rate_bps);
        assert_int_equal(rig.out.wake_ps, 0);
        cc_rig_close(&rig);
    }
}

static void cc_step__without_congestion_keeps_line_rate(void **state)
{
    (void)state;
    for (int i = 0; i < VARIANT_N; i++) {
        struct cc_rig rig;
        struct path path = {.rtt_ps = line100.base_rtt_ps};
        cc_rig_open(&rig, variants[i].kind, variants[i].keys, line100);
        for (int packet = 0; packet < 3000; packet++) {
            send_one(&rig, &path);
            assert_true(effective_bps(&rig, path.rtt_ps) >= 0.98 * (double)line100.rate_bps);
        }
        cc_rig_close(&rig);
    }
}

static void cc_step__congestion_lowers_and_its_end_restores(void **state)
{
    (void)state;
    for (int i = 0; i < VARIANT_N; i++) {
        struct cc_rig rig;
        struct path path = {0};
        cc_rig_open(&rig, variants[i].kind, variants[i].keys, line100);
        congest(&rig, &path, 5 * PS_PER_MS);
        /* compared at the unloaded round trip: what the control does, not what the delay does */
        double low = effective_bps(&rig, line100.base_rtt_ps), line = (double)line100.rate_bps;
        if (variants[i].reacts != (low <= 0.51 * line))
            fail_msg("%s %s: %g bit/s", variants[i].kind, variants[i].keys, low);
        path.congested = false;
        path.rtt_ps = line100.base_rtt_ps;
        int64_t end_ps = rig.now_ps + 2 * PS_PER_S;
        while (rig.now_ps < end_ps && effective_bps(&rig, path.rtt_ps) < 0.99 * line)
            send_one(&rig, &path);
        if (rig.now_ps >= end_ps)
            fail_msg("%s %s: %g bit/s after 2 s", variants[i].kind, variants[i].keys,
                     effective_bps(&rig, path.rtt_ps));
        cc_rig_close(&rig);
    }
}

static bool has_key(const char *kind, const char *key)
{
    for (int i = 0; cc_kinds[i]; i++)
        for (const struct schema_field *f = cc_kinds[i]->fields;
             f->key && strcmp(cc_kinds[i]->name, kind) == 0; f++)
            if (strcmp(f->key, key) == 0) return true;
    return false;
}

static void cc_step__never_below_rate_min(void **state)
{
    (void)state;
    for (int i = 0; i < VARIANT_N; i++) {
        if (!has_key(variants[i].kind, "rate_min")) continue;
        struct cc_rig rig;
        struct path path = {0};
        char keys[200];
        snprintf(keys, sizeof keys, "rate_min: 2Gbps%s%s", *variants[i].keys ? ", " : "",
                 variants[i].keys);
        cc_rig_open(&rig, variants[i].kind, keys, line100);
        for (int burst = 0; burst < 50; burst++) {
            congest(&rig, &path, PS_PER_MS);
            if (rig.out.rate_bps < 2 * GBPS - 1)
                fail_msg("%s %s: %lld bit/s", variants[i].kind, keys, (long long)rig.out.rate_bps);
        }
        cc_rig_close(&rig);
    }
}

/* any_event: what a queue pair could say, in any order. */
static struct cc_signal any_event(struct rng *rng, struct cc_hop *hops)
{
    static const enum cc_event rare[] = {CC_START, CC_CNP, CC_CNP, CC_NACK, CC_TIMEOUT, CC_TIMER};
    uint64_t dice = rng_below(rng, 30);
    struct cc_signal signal = {.event = dice < 6 ? rare[dice] : CC_ACK};
    if (signal.event != CC_ACK) return signal;
    signal.acked_bytes = 1 + (int64_t)rng_below(rng, 100000);
    signal.rtt_ps = (int64_t)(rng_u64(rng) >> (20 + rng_below(rng, 40)));
    signal.marked = rng_below(rng, 2);
    signal.hop = hops;
    signal.hop_n = (int)rng_below(rng, CC_HOPS_MAX + 1);
    for (int i = 0; i < CC_HOPS_MAX; i++) {
        hops[i].rate_bps = 1 + (int64_t)rng_below(rng, 800000000000);
        hops[i].queue_bytes = (int64_t)rng_below(rng, 100000000);
        hops[i].tx_bytes += (int64_t)rng_below(rng, 1000000);
        hops[i].at_ps += (int64_t)rng_below(rng, 10000000);
    }
    return signal;
}

static uint64_t run(const struct variant *variant, uint64_t seed)
{
    struct rng rng = rng_stream(seed, "congestion control");
    struct cc_hop hops[CC_HOPS_MAX] = {{0}};
    struct cc_rig rig;
    uint64_t hash = 0;
    cc_rig_open(&rig, variant->kind, variant->keys, line100);
    for (int i = 0; i < 20000; i++) {
        struct cc_signal signal = any_event(&rng, hops);
        int64_t at_ps = rig.now_ps + (int64_t)rng_below(&rng, 20 * US);
        while (rig.out.wake_ps && rig.out.wake_ps <= at_ps)
            cc_rig_wake(&rig);
        rig.now_ps = at_ps;
        rig.acked_off += signal.acked_bytes;
        rig.sent_off = rig.acked_off + (int64_t)rng_below(&rng, 200000);
        cc_rig_step(&rig, signal);
        judge(&rig);
        hash = hash * UINT64_C(6364136223846793005) + (uint64_t)rig.out.rate_bps +
               (uint64_t)rig.out.window_bytes * 31 + (uint64_t)rig.out.wake_ps * 961;
    }
    cc_rig_close(&rig);
    return hash;
}

static void cc_step__any_events_sane_and_same_again(void **state)
{
    (void)state;
    for (int i = 0; i < VARIANT_N; i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            assert_true(run(&variants[i], seed) == run(&variants[i], seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cc_list__names_help_and_state),
        cmocka_unit_test(cc_init__starts_at_line_rate),
        cmocka_unit_test(cc_step__without_congestion_keeps_line_rate),
        cmocka_unit_test(cc_step__congestion_lowers_and_its_end_restores),
        cmocka_unit_test(cc_step__never_below_rate_min),
        cmocka_unit_test(cc_step__any_events_sane_and_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
