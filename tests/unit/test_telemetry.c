/* test_telemetry.c - series against hand-made sums, and that looking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/flow/flow.h"
#include "models/net/telemetry.h"
#include "tests/unit/net_rig.h"

/* The last timer, for retransmission, ends the run. */
#define PAIR "cc: {kind: none}, ecn: {on: false}, retransmit: 30us"

static struct net_rig the_rig; /* too large for a stack */

static struct telemetry_cfg cfg_of(int64_t window_ps, int64_t samples)
{
    return (struct telemetry_cfg){.window_ps = window_ps,
                                  .links = "*",
                                  .queues = true,
                                  .marks = true,
                                  .pauses = true,
                                  .drops = true,
                                  .flows = true,
                                  .flows_max = 64,
                                  .samples = samples};
}

static struct telemetry *watch(const struct telemetry_cfg *cfg, bool packets)
{
    return telemetry_new(&(struct telemetry_of){
        .cfg = cfg, .graph = &the_rig.graph, .fabric = the_rig.fabric, .packets = packets});
}

/* Tell of the messages that have started and not arrived: each is a flow. */
static void tell(struct telemetry *telemetry)
{
    for (int i = 0; i < the_rig.msg_n; i++) {
        const struct net_rig_msg *m = &the_rig.m[i];
        if (m->dones || timer_armed(&m->timer)) continue;
        telemetry_flow(telemetry,
                       &(struct telemetry_flow){
                           .number = i, .bytes = m->msg.bytes, .msg = &m->msg, .msg_n = 1});
    }
}

/* Run window by window until nothing happens any more; the series are in the_rig.record. */
static void run_windows(struct telemetry *telemetry)
{
    while (sim_run(the_rig.sim, &(struct sim_limits){.max_sim_ps = telemetry_due_ps(telemetry)}) ==
           SIM_MAX_TIME) {
        tell(telemetry);
        telemetry_close(telemetry);
    }
    tell(telemetry);
    telemetry_record(telemetry, &the_rig.record);
}

static const struct record_series *find(const char *entity, const char *name)
{
    for (int64_t i = 0; i < the_rig.record.series_n; i++) {
        const struct record_series *s = &the_rig.record.series[i];
        if (strcmp(s->entity, entity) == 0 && strcmp(s->name, name) == 0) return s;
    }
    return NULL;
}

/* Sum of value x length of window in s, or of values alone. */
static double sum(const struct record_series *s, bool by_time)
{
    double all = 0;
    for (int64_t i = 0; s && i < s->n; i++) {
        int64_t end_ps = s->time_ps[i] + s->window_ps, now_ps = sim_now_ps(the_rig.sim);
        double took_s = units_s((end_ps < now_ps ? end_ps : now_ps) - s->time_ps[i]);
        all += s->value[i] * (by_time ? took_s : 1);
    }
    return all;
}

/* Host a, host b at switch s. */
static void open_pair(const char *body)
{
    net_rig_open(&the_rig, 1, body);
    int32_t sw = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    for (int i = 0; i < 2; i++) {
        the_rig.host[i] = topo_node(&the_rig.graph, TOPO_HOST, i ? "b" : "a");
        net_rig_cable(&the_rig, (int32_t[]){the_rig.host[i], sw}, NET_RIG_400G, 500000);
    }
    the_rig.host_n = 2;
}

/* A full packet takes 83.56 ns, so a window of 1 us ends in the middle of one: without splitting,
 * utilisation would be 12 / 11.97 or 11 / 11.97. */
static void telemetry__splits_what_straddles_a_window(void **state)
{
    (void)state;
    open_pair(PAIR);
    net_rig_wired(&the_rig);
    const struct telemetry_cfg cfg = cfg_of(PS_PER_US, 1000);
    struct telemetry *telemetry = watch(&cfg, true);
    net_rig_send(&the_rig, (int[]){0, 1}, 1000000, 0);
    run_windows(telemetry);
    const struct record_series *s = find("link/a>s", "utilisation");
    int64_t busy_ps = net_rig_wire_bytes(1000000) * NET_RIG_BYTE_PS;
    for (int64_t i = 0; i < busy_ps / PS_PER_US; i++)
        assert_true(s->value[i] > 1 - 1e-12 && s->value[i] < 1 + 1e-12);
    double rest = (double)(busy_ps % PS_PER_US) / PS_PER_US;
    assert_true(s->value[busy_ps / PS_PER_US] > rest - 1e-9);
    assert_true(s->value[busy_ps / PS_PER_US] < rest + 1e-9);
    /* Behind the switch the same, one packet and one delay later. */
    const struct record_series *behind = find("link/s>b", "utilisation");
    double first = 1 - (500000 + (NET_RIG_MTU + NET_RIG_FRAME + NET_RIG_RETH) * 20) / 1e6;
    assert_true(behind->value[0] > first - 1e-9 && behind->value[0] < first + 1e-9);
    assert_true(behind->value[1] > 1 - 1e-9 && behind->value[1] < 1 + 1e-9);
    assert_null(find("link/s>b", "drops")); /* 0 throughout */
    net_rig_close(&the_rig);
}

static void telemetry__merges_windows_when_full(void **state)
{
    (void)state;
    for (int64_t samples = 2; samples <= 17; samples += 5) {
        open_pair(PAIR);
        net_rig_wired(&the_rig);
        const struct telemetry_cfg cfg = cfg_of(PS_PER_US, samples);
        struct telemetry *telemetry = watch(&cfg, true);
        net_rig_send(&the_rig, (int[]){0, 1}, 3000000, 3 * PS_PER_US);
        run_windows(telemetry);
        const struct record_series *s = find("link/a>s", "utilisation");
        assert_in_range(s->n, samples / 2, samples);
        assert_true(s->window_ps >= 8 * PS_PER_US);
        int64_t us = s->window_ps / PS_PER_US;
        assert_int_equal(us & (us - 1), 0); /* doubled, and doubled again */
        for (int64_t i = 0; i < s->n; i++)
            assert_int_equal(s->time_ps[i], i * s->window_ps);
        double bits = (double)net_rig_wire_bytes(3000000) * 8;
        double got = sum(s, true) * NET_RIG_400G;
        assert_true(got > bits * (1 - 1e-9) && got < bits * (1 + 1e-9));
        got = sum(find("flow/0 a>b", "rate"), true);
        assert_true(got > 24e6 * (1 - 1e-9) && got < 24e6 * (1 + 1e-9));
        net_rig_close(&the_rig);
    }
}

/* struct outcome: of a run. */
struct outcome {
    uint64_t fingerprint;
    struct net_totals totals;
    int64_t done_ps[16];
    double queue_max_bytes;
};

/* 15 to 1, with everything that a lossless (or lossy) fabric does; cfg NULL: without telemetry. */
static void incast_with(const char *body, const struct telemetry_cfg *cfg)
{
    net_rig_open(&the_rig, 1, body);
    net_rig_leaf_spine(&the_rig, &(struct net_rig_shape){.leaves = 4,
                                                         .hosts = 4,
                                                         .spines = 2,
                                                         .host_bps = NET_RIG_400G,
                                                         .spine_bps = NET_RIG_400G,
                                                         .delay_ps = 500000});
    net_rig_wired(&the_rig);
    for (int i = 0; i < 15; i++)
        net_rig_send(&the_rig, (int[]){i, 15}, 500000, i * PS_PER_US);
    if (cfg) {
        run_windows(watch(cfg, true));
    } else {
        sim_run(the_rig.sim, &(struct sim_limits){0});
    }
}

static struct outcome incast(const char *body, int64_t window_ps)
{
    const struct telemetry_cfg cfg = cfg_of(window_ps, 1000);
    struct outcome outcome = {0};
    incast_with(body, window_ps > 0 ? &cfg : NULL);
    for (int i = 0; i < 15; i++) {
        assert_int_equal(the_rig.m[i].dones, 1);
        outcome.done_ps[i] = the_rig.m[i].done_ps;
    }
    outcome.fingerprint = sim_fingerprint(the_rig.sim);
    outcome.totals = net_totals(the_rig.fabric);
    net_record(the_rig.fabric, &the_rig.record);
    record_find(&the_rig.record, "link/leaf>host", "queue_max_bytes", &outcome.queue_max_bytes);
    return outcome;
}

static void telemetry__changes_no_completion_time(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "ecn: {kmin: 50kB, kmax: 200kB}, pfc: {xoff: 100kB}",
        "cc: {kind: swift}, pfc: {xoff: 60kB}, routing: {kind: adaptive}",
        "cc: {kind: hpcc}, routing: {kind: ecmp}",
        "cc: {kind: none}, pfc: {on: false}, buffer: 300kB, retransmit: 100us",
        "cc: {kind: none}, pfc: {on: false}, buffer: 300kB, delivery: in-order, retransmit: 50us",
    };
    for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
        struct outcome without = incast(bodies[b], 0);
        net_rig_close(&the_rig);
        for (int64_t window_ps = PS_PER_US; window_ps < PS_PER_MS; window_ps *= 37) {
            struct outcome with = incast(bodies[b], window_ps);
            assert_int_equal(with.fingerprint, without.fingerprint);
            assert_memory_equal(with.done_ps, without.done_ps, sizeof with.done_ps);
            assert_true(with.queue_max_bytes == without.queue_max_bytes);
            assert_int_equal(with.totals.pauses, without.totals.pauses);
            assert_int_equal(with.totals.drops, without.totals.drops);
            net_rig_close(&the_rig);
        }
    }
}

/* Windows that were merged are the windows that a longer one would have been. */
static void telemetry__merged_is_as_long_windows(void **state)
{
    (void)state;
    const char *body = "cc: {kind: none}, pfc: {xoff: 100kB}, retransmit: 100us";
    struct telemetry_cfg cfg = cfg_of(PS_PER_US, 64);
    incast_with(body, &cfg);
    struct record merged = the_rig.record;
    record_init(&the_rig.record);
    net_rig_close(&the_rig);
    cfg.window_ps = merged.series[0].window_ps;
    assert_true(cfg.window_ps > PS_PER_US);
    incast_with(body, &cfg);
    const struct record *direct = &the_rig.record;
    assert_int_equal(direct->series_n, merged.series_n);
    for (int64_t i = 0; i < direct->series_n; i++) {
        const struct record_series *a = &merged.series[i], *b = &direct->series[i];
        assert_string_equal(a->entity, b->entity);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->n, b->n);
        for (int64_t k = 0; k < a->n; k++) {
            assert_int_equal(a->time_ps[k], b->time_ps[k]);
            assert_true(a->value[k] > b->value[k] * (1 - 1e-9) - 1e-9);
            assert_true(a->value[k] < b->value[k] * (1 + 1e-9) + 1e-9);
        }
    }
    record_free(&merged);
    net_rig_close(&the_rig);
}

/* The series of all links with a name add up to what the fabric counted. */
static double sum_all(const char *name, bool by_time)
{
    double all = 0;
    for (int64_t i = 0; i < the_rig.record.series_n; i++)
        if (strcmp(the_rig.record.series[i].name, name) == 0)
            all += sum(&the_rig.record.series[i], by_time);
    return all;
}

static void telemetry__adds_up_to_the_counters(void **state)
{
    (void)state;
    struct outcome lossless = incast(
        "cc: {kind: none}, ecn: {kmin: 50kB, kmax: 200kB}, pfc: {xoff: 100kB}, retransmit: 200us",
        PS_PER_US);
    assert_true(lossless.totals.marks > 100 && lossless.totals.pauses > 10);
    assert_true(sum_all("ecn_marks", false) == (double)lossless.totals.marks);
    double paused_s = 0, got = sum_all("paused", true), deepest = 0;
    for (int64_t i = 0; i < the_rig.record.metric_n; i++)
        if (strcmp(the_rig.record.metrics[i].name, "paused_s") == 0)
            paused_s += the_rig.record.metrics[i].value;
    assert_true(paused_s > 0 && got > paused_s * (1 - 1e-9) && got < paused_s * (1 + 1e-9));
    for (int64_t i = 0; i < the_rig.record.series_n; i++) {
        const struct record_series *s = &the_rig.record.series[i];
        for (int64_t k = 0; strcmp(s->name, "queue_max") == 0 && k < s->n; k++) {
            assert_true(s->value[k] >= s[-1].value[k]); /* the depth at the end */
            if (s->value[k] > deepest) deepest = s->value[k];
        }
        if (strcmp(s->name, "queue_max") == 0) assert_true(s->value[s->n - 1] == 0); /* empty */
        for (int64_t k = 0; strcmp(s->unit, "1") == 0 && s->name[0] != 'e' && k < s->n; k++)
            assert_true(s->value[k] <= 1 + 1e-9);
    }
    double most = 0;
    for (int64_t i = 0; i < the_rig.record.metric_n; i++)
        if (strcmp(the_rig.record.metrics[i].name, "queue_max_bytes") == 0 &&
            the_rig.record.metrics[i].value > most)
            most = the_rig.record.metrics[i].value;
    assert_true(deepest == most && most > 0);
    net_rig_close(&the_rig);
    struct outcome lossy = incast("cc: {kind: none}, pfc: {on: false}, buffer: 300kB,"
                                  "retransmit: 100us",
                                  2 * PS_PER_US);
    assert_true(lossy.totals.drops > 10);
    assert_true(sum_all("drops", false) == (double)lossy.totals.drops);
    net_rig_close(&the_rig);
}

/* On the flow fabric: two flows share a link, then one has it alone. */
static void telemetry__of_flows(void **state)
{
    (void)state;
    open_pair("");
    the_rig.fabric = flow_new(the_rig.sim, &the_rig.graph);
    const struct telemetry_cfg cfg = cfg_of(10 * PS_PER_US, 1000);
    struct telemetry *telemetry = watch(&cfg, false);
    net_rig_send(&the_rig, (int[]){0, 1}, 2000000, 0);
    net_rig_send(&the_rig, (int[]){0, 1}, 1000000, 0)->msg.stream = 1;
    run_windows(telemetry);
    const struct record_series *link = find("link/a>s", "utilisation");
    const struct record_series *one = find("flow/0 a>b", "rate"), *two = find("flow/1 a>b", "rate");
    double payload_bps = NET_RIG_400G * 2e6 / (2e6 + 489 * NET_RIG_FRAME);
    for (int i = 0; i < 4; i++) {
        assert_true(link->value[i] > 1 - 1e-9 && link->value[i] < 1 + 1e-9);
        assert_true(one->value[i] > 0.499 * payload_bps && one->value[i] < 0.501 * payload_bps);
        assert_true(two->value[i] > 0.499 * payload_bps && two->value[i] < 0.501 * payload_bps);
    }
    assert_int_equal(two->n, 5); /* 40.8 us and 0.5 us to arrive */
    assert_true(one->value[5] > 0.99 * payload_bps);
    double bits = sum(one, true) + sum(two, true);
    assert_true(bits > 24e6 * (1 - 1e-9) && bits < 24e6 * (1 + 1e-9));
    assert_null(find("link/a>s", "queue"));
    net_rig_close(&the_rig);
}

static void telemetry__watches_what_was_asked_for(void **state)
{
    (void)state;
    open_pair(PAIR);
    net_rig_wired(&the_rig);
    struct telemetry_cfg cfg = cfg_of(PS_PER_US, 1000);
    cfg.links = " s>*  x";
    cfg.flows_max = 1;
    struct telemetry *telemetry = watch(&cfg, true);
    net_rig_send(&the_rig, (int[]){0, 1}, 100000, 5 * PS_PER_US);
    net_rig_send(&the_rig, (int[]){0, 1}, 100000, 5 * PS_PER_US);
    run_windows(telemetry);
    assert_null(find("link/a>s", "utilisation"));
    assert_non_null(find("link/s>a", "utilisation"));
    assert_non_null(find("link/s>b", "utilisation"));
    const struct record_series *flow = find("flow/0 a>b", "rate");
    assert_int_equal(flow->time_ps[0], 4 * PS_PER_US); /* the first window that saw it */
    assert_null(find("flow/1 a>b", "rate"));
    net_rig_close(&the_rig);
}

static bool checks(const struct telemetry_cfg *cfg, const char *says)
{
    struct err err = {0};
    bool ok = telemetry_check(cfg, &the_rig.graph, &err);
    assert_int_equal(ok, err.count == 0);
    if (!ok) assert_non_null(strstr(err.messages[0], says));
    err_free(&err);
    return ok;
}

static void telemetry_check__links_and_samples(void **state)
{
    (void)state;
    open_pair("");
    struct telemetry_cfg cfg = cfg_of(PS_PER_US, 1000);
    assert_true(checks(&cfg, ""));
    cfg.links = "leaf* b>s";
    assert_true(checks(&cfg, ""));
    cfg.links = "leaf*";
    assert_false(checks(&cfg, "C066: telemetry.links: no link is called 'leaf*'; one is 'a>s'"));
    cfg.links = ""; /* flows alone */
    assert_true(checks(&cfg, ""));
    cfg.links = "*";
    cfg.samples = 1000000;
    assert_false(checks(&cfg, "C067: telemetry: 88 series of 1000000 samples are more than 5000000"
                              ": choose fewer links, or telemetry.samples=56818"));
    cfg.window_ps = 0; /* off: nothing to complain about */
    assert_true(checks(&cfg, ""));
    net_rig_close(&the_rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telemetry__splits_what_straddles_a_window),
        cmocka_unit_test(telemetry__merges_windows_when_full),
        cmocka_unit_test(telemetry__changes_no_completion_time),
        cmocka_unit_test(telemetry__merged_is_as_long_windows),
        cmocka_unit_test(telemetry__adds_up_to_the_counters),
        cmocka_unit_test(telemetry__of_flows),
        cmocka_unit_test(telemetry__watches_what_was_asked_for),
        cmocka_unit_test(telemetry_check__links_and_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
