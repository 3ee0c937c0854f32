/* test_nvlink.c - hops between GPUs, by hand: 8 Gb/s, a byte takes a nanosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/cluster/nvlink.h"
#include "sim/base/units.h"

#define NS PS_PER_NS
#define HOPS 600

struct rig {
    struct arena arena;
    struct sim *sim;
    struct nvlink *nvlink;
    struct sent {
        struct nvlink_hop hop;
        struct timer timer;
        struct rig *rig;
        int64_t done_ps;
        struct nvlink_queue queue; /* its own, if no other is set */
    } m[HOPS];
    int n;
};

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){0};
    rig->sim = sim_new(&rig->arena, 1, "test_nvlink");
    rig->nvlink = nvlink_new(rig->sim, &(struct nvlink_cfg){.gpus = 8,
                                                            .rate_bps = 8000000000,
                                                            .switch_bps = 4000000000,
                                                            .delay_ps = 100 * NS});
}

static void on_done(struct sim *sim, struct nvlink_hop *hop)
{
    ((struct sent *)(void *)hop)->done_ps = sim_now_ps(sim);
}

static void on_time(struct sim *sim, void *self)
{
    (void)sim;
    struct sent *sent = self;
    nvlink_send(sent->rig->nvlink, &sent->hop);
}

static struct sent *put(struct rig *rig, int64_t at_ns, int32_t src, int32_t dst, int64_t bytes)
{
    struct sent *sent = &rig->m[rig->n++];
    *sent = (struct sent){.rig = rig, .done_ps = -1};
    sent->hop = (struct nvlink_hop){
        .src = src, .dst = dst, .bytes = bytes, .done = on_done, .queue = &sent->queue};
    timer_init(&sent->timer, on_time, sent, 0, 0);
    timer_arm(rig->sim, &sent->timer, at_ns * NS);
    return sent;
}

static void run(struct rig *rig)
{
    sim_run(rig->sim, &(struct sim_limits){0});
}

static void nvlink_send__alone(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    struct sent *a = put(&rig, 0, 0, 1, 1000), *b = put(&rig, 5000, 0, 1, 0);
    b->hop.lag_ps = 7 * NS;
    run(&rig);
    assert_int_equal(a->done_ps, 1100 * NS);
    assert_int_equal(b->done_ps, 5107 * NS); /* no bytes: the delay alone, and the lag */
    arena_free(&rig.arena);
}

static void nvlink_send__takes_turns_at_the_sender(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    struct sent *a = put(&rig, 0, 0, 1, 1000), *b = put(&rig, 10, 0, 2, 500);
    struct sent *c = put(&rig, 20, 0, 3, 300), *d = put(&rig, 1700, 0, 3, 300);
    run(&rig);
    assert_int_equal(a->done_ps, 1100 * NS);
    assert_int_equal(b->done_ps, 1600 * NS);
    assert_int_equal(c->done_ps, 1900 * NS);
    assert_int_equal(d->done_ps, 2200 * NS); /* after c, which left at 1500 */
    arena_free(&rig.arena);
}

static void nvlink_send__queues_take_turns(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    struct nvlink_queue queue = {0};
    struct sent *a[4], *b;
    for (int i = 0; i < 4; i++) {
        a[i] = put(&rig, 0, 0, 1, 1000);
        a[i]->hop.queue = &queue;
    }
    b = put(&rig, 10, 0, 2, 500);
    run(&rig);
    assert_int_equal(a[1]->done_ps, 2100 * NS);
    assert_int_equal(b->done_ps, 2600 * NS); /* before the third of the other queue */
    assert_int_equal(a[2]->done_ps, 3600 * NS);
    assert_int_equal(a[3]->done_ps, 4600 * NS);
    arena_free(&rig.arena);
}

static void nvlink_send__takes_turns_at_the_receiver(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    struct sent *a = put(&rig, 0, 0, 3, 1000), *b = put(&rig, 10, 1, 3, 500);
    struct sent *c = put(&rig, 20, 1, 2, 200); /* the port of 1 is free again at 510 */
    run(&rig);
    assert_int_equal(a->done_ps, 1100 * NS);
    assert_int_equal(b->done_ps, 1600 * NS);
    assert_int_equal(c->done_ps, 810 * NS);
    arena_free(&rig.arena);
}

static void nvlink_send__what_waits_at_its_sender_takes_no_turn_yet(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    put(&rig, 0, 0, 1, 1000);
    struct sent *b = put(&rig, 10, 0, 2, 500), *c = put(&rig, 20, 3, 2, 400);
    run(&rig);
    assert_int_equal(c->done_ps, 520 * NS);
    assert_int_equal(b->done_ps, 1600 * NS);
    arena_free(&rig.arena);
}

static void nvlink_send__with_the_switch_half_a_way_at_its_rate(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    struct sent *up = put(&rig, 0, 0, NVLINK_SWITCH, 1000);
    struct sent *down = put(&rig, 0, NVLINK_SWITCH, 1, 1000);
    struct sent *second = put(&rig, 0, NVLINK_SWITCH, 1, 1000);
    run(&rig);
    assert_int_equal(up->done_ps, 2050 * NS);
    assert_int_equal(down->done_ps, 2050 * NS);
    assert_int_equal(second->done_ps, 4050 * NS);
    arena_free(&rig.arena);
}

/* No port carries more than its rate: what a GPU takes in between any two arrivals fits between. */
static void nvlink_send__no_port_above_its_rate(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    uint32_t random = 1;
    int64_t at_ns = 0, bytes = 0;
    for (int i = 0; i < HOPS; i++) {
        random = random * 1664525u + 1013904223u;
        int32_t src = (int32_t)(random >> 28 & 7), dst = (int32_t)(random >> 24 & 7);
        if (src == dst) dst = (dst + 1) % 8;
        at_ns += random >> 20 & 63;
        bytes += 1 + (random >> 8 & 511);
        put(&rig, at_ns, src, dst, 1 + (random >> 8 & 511));
    }
    run(&rig);
    int64_t out = 0, in = 0;
    for (int32_t g = 0; g < 8; g++) {
        const struct nvlink_count count = nvlink_count(rig.nvlink, g);
        out += count.out_bytes;
        in += count.in_bytes;
        for (int i = 0; i < HOPS; i++) {
            if (rig.m[i].hop.dst != g) continue;
            int64_t since = rig.m[i].done_ps, sum = 0, first = INT64_MAX;
            for (int k = 0; k < HOPS; k++) { /* all that ended at or after i */
                if (rig.m[k].hop.dst != g || rig.m[k].done_ps < since) continue;
                sum += rig.m[k].hop.bytes;
                if (rig.m[k].done_ps - rig.m[k].hop.bytes * NS < first)
                    first = rig.m[k].done_ps - rig.m[k].hop.bytes * NS;
            }
            int64_t last = 0;
            for (int k = 0; k < HOPS; k++)
                if (rig.m[k].hop.dst == g && rig.m[k].done_ps > last) last = rig.m[k].done_ps;
            assert_true(sum * NS <= last - first);
        }
    }
    assert_int_equal(out, bytes);
    assert_int_equal(in, bytes);
    arena_free(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nvlink_send__alone),
        cmocka_unit_test(nvlink_send__takes_turns_at_the_sender),
        cmocka_unit_test(nvlink_send__queues_take_turns),
        cmocka_unit_test(nvlink_send__takes_turns_at_the_receiver),
        cmocka_unit_test(nvlink_send__what_waits_at_its_sender_takes_no_turn_yet),
        cmocka_unit_test(nvlink_send__with_the_switch_half_a_way_at_its_rate),
        cmocka_unit_test(nvlink_send__no_port_above_its_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
