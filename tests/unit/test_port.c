/* test_port.c - an egress port alone, between two stand-ins that write down what leaves and comes:
 * order, times, pauses, and when the lazy port looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/net/port.h"
#include "sim/base/units.h"

#define LOG 32
#define DELAY_PS 1000
#define BYTE_PS 20 /* at 400 Gbit/s */

struct rig {
    struct arena arena;
    struct sim *sim;
    struct port_net net;
    struct port port, reverse;
    int packet_n;
    struct event {
        int64_t at_ps, called_ps;
        uint32_t seq;
    } left[LOG], came[LOG];
    int left_n, came_n;
    /* the source: packets of 100 bytes that may start at `ready_ps`, each 5000 ps after another */
    int source_n;
    int64_t ready_ps;
    struct timer timer[4];
    void (*act[4])(struct rig *rig);
    int acts;
};

static void leave(struct port *port, const struct port_entry *entry, int64_t at_ps)
{
    struct rig *rig = port->node;
    rig->left[rig->left_n++] = (struct event){at_ps, sim_now_ps(rig->sim),
                                              packet_at(&rig->net.packets, entry->packet)->seq};
}

static void deliver(struct port *port, struct packet *packet)
{
    struct rig *rig = port->peer;
    rig->came[rig->came_n++] =
        (struct event){sim_now_ps(rig->sim), sim_now_ps(rig->sim), packet->seq};
}

static int64_t next(struct port *port, int64_t at_ps)
{
    const struct rig *rig = port->node;
    if (rig->source_n == 0) return INT64_MAX;
    return rig->ready_ps > at_ps ? rig->ready_ps : at_ps;
}

static struct packet *new_packet(struct rig *rig, uint16_t bytes)
{
    struct packet *packet = packet_get(&rig->net.packets);
    packet->seq = (uint32_t)rig->packet_n++;
    packet->wire_bytes = bytes;
    return packet;
}

static struct packet *make(struct port *port, int64_t at_ps)
{
    struct rig *rig = port->node;
    rig->source_n--;
    rig->ready_ps = at_ps + 5000;
    return new_packet(rig, 100);
}

static void rig_open_classes(struct rig *rig, int64_t rate_bps, int classes)
{
    *rig = (struct rig){0};
    rig->sim = sim_new(&rig->arena, 1, "test_port");
    rig->net = (struct port_net){.sim = rig->sim,
                                 .leave = leave,
                                 .deliver_switch = deliver,
                                 .deliver_nic = deliver,
                                 .next = next,
                                 .make = make,
                                 .classes = classes};
    packet_pool_init(&rig->net.packets, &rig->arena, 0);
    rig->port = (struct port){.node = rig,
                              .peer = rig,
                              .net = &rig->net,
                              .rate_bps = rate_bps,
                              .reverse = &rig->reverse,
                              .delay_ps = DELAY_PS};
    rig->reverse = rig->port;
    rig->reverse.reverse = &rig->port;
    if (classes > 1) {
        rig->port.share = ARENA_NEW(&rig->arena, struct port_share);
        rig->port.special = true;
    }
    port_init(&rig->port);
    port_init(&rig->reverse);
}

static void rig_open(struct rig *rig, int64_t rate_bps)
{
    rig_open_classes(rig, rate_bps, 1);
}

static void rig_open_source(struct rig *rig, int64_t rate_bps)
{
    rig_open(rig, rate_bps);
    rig->port.source = true;
}

static void on_act(struct sim *sim, void *self)
{
    (void)sim;
    struct rig *rig = self;
    rig->act[rig->acts++](rig);
}

/* at: act is done at at_ps; in the order of time. */
static void at(struct rig *rig, int64_t at_ps, void (*act)(struct rig *rig))
{
    int i = 0;
    while (rig->act[i])
        i++;
    rig->act[i] = act;
    timer_init(&rig->timer[i], on_act, rig, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &rig->timer[i], at_ps);
}

static void run(struct rig *rig)
{
    assert_int_equal(sim_run(rig->sim, &(struct sim_limits){0}), SIM_IDLE);
}

static void came(const struct rig *rig, int i, uint32_t seq, int64_t at_ps)
{
    assert_in_range(i, 0, rig->came_n - 1);
    assert_int_equal(rig->came[i].seq, seq);
    assert_int_equal(rig->came[i].at_ps, at_ps);
}

static void data(struct rig *rig)
{
    port_enqueue(&rig->port, new_packet(rig, 100), 1, 0);
}

static void three_data(struct rig *rig)
{
    for (int i = 0; i < 3; i++)
        data(rig);
}

static void control(struct rig *rig)
{
    port_enqueue(&rig->port, new_packet(rig, 10), PACKET_CONTROL, 0);
}

static void pause_it(struct rig *rig)
{
    port_pause(&rig->port, 0, true);
}

static void let_go(struct rig *rig)
{
    port_pause(&rig->port, 0, false);
}

static void port_serialise_ps__whole_and_rounded_up(void **state)
{
    (void)state;
    static const struct {
        int64_t rate_bps, bytes, expected_ps;
    } cases[] = {{400000000000, 1, 20},       {400000000000, 4178, 83560}, {300000000000, 1, 27},
                 {300000000000, 3, 80},       {16000000000000, 3, 2},      {1000000, 1, 8000000},
                 {123456789, 1000, 64800001}, {100000000, 9098, 727840000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        rig_open(&rig, cases[i].rate_bps);
        assert_int_equal(port_serialise_ps(&rig.port, cases[i].bytes), cases[i].expected_ps);
        assert_int_equal(port_serialise_slow_ps(&rig.port, cases[i].bytes), cases[i].expected_ps);
        arena_free(&rig.arena);
    }
}

static void port_enqueue__idle_starts_at_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 7, data);
    run(&rig);
    came(&rig, 0, 0, 7 + 100 * BYTE_PS + DELAY_PS);
    assert_int_equal(rig.left_n, 1);
    assert_int_equal(rig.left[0].at_ps, 7);
    assert_int_equal(rig.port.tx_bytes, 100);
    assert_int_equal(rig.port.queue_max_bytes, 0);
    assert_int_equal(sim_events(rig.sim), 2); /* the test's own, and the arrival */
    arena_free(&rig.arena);
}

/* They follow without a gap, and cost one event each. */
static void port_enqueue__back_to_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    run(&rig);
    for (int i = 0; i < 3; i++) {
        came(&rig, i, (uint32_t)i, (i + 1) * 100 * BYTE_PS + DELAY_PS);
        assert_int_equal(rig.left[i].at_ps, i * 100 * BYTE_PS);
    }
    assert_int_equal(rig.port.queue_max_bytes, 200);
    assert_int_equal(rig.port.queue_bytes, 0);
    assert_int_equal(rig.port.data_packets, 3);
    assert_int_equal(sim_events(rig.sim), 4);
    arena_free(&rig.arena);
}

/* Control overtakes what waits, not what is being sent. */
static void port_enqueue__control_goes_first(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 500, control);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 3, 2200 + DELAY_PS);
    came(&rig, 2, 1, 4200 + DELAY_PS);
    came(&rig, 3, 2, 6200 + DELAY_PS);
    assert_int_equal(rig.port.control_packets, 1);
    arena_free(&rig.arena);
}

/* More than the first ring takes, all in order. */
static void port_enqueue__many(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    for (int i = 0; i < LOG; i++)
        data(&rig);
    assert_int_equal(rig.port.queue_bytes, (LOG - 1) * 100);
    run(&rig);
    assert_int_equal(rig.came_n, LOG);
    for (int i = 0; i < LOG; i++)
        came(&rig, i, (uint32_t)i, (i + 1) * 100 * BYTE_PS + DELAY_PS);
    arena_free(&rig.arena);
}

/* What began goes out; what waits stays, control does not; it goes on from the end of the pause. */
static void port_pause__stops_data_only(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 2500, pause_it); /* 0 is out, 1 has begun */
    at(&rig, 6000, control);
    at(&rig, 10001, let_go);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 4000 + DELAY_PS);
    came(&rig, 2, 3, 6200 + DELAY_PS);
    came(&rig, 3, 2, 12001 + DELAY_PS);
    assert_int_equal(rig.left[2].at_ps, 10001);
    assert_int_equal(rig.port.pauses, 1);
    assert_int_equal(rig.port.paused_ps, 10001 - 2500);
    arena_free(&rig.arena);
}

static void port_pause__twice_is_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, pause_it);
    at(&rig, 100, pause_it);
    at(&rig, 200, data);
    at(&rig, 1000, let_go);
    run(&rig);
    came(&rig, 0, 0, 1000 + 2000 + DELAY_PS);
    assert_int_equal(rig.port.pauses, 1);
    assert_int_equal(rig.port.paused_ps, 1000);
    let_go(&rig);
    assert_int_equal(rig.port.paused_ps, 1000);
    arena_free(&rig.arena);
}

static void make_eager(struct rig *rig)
{
    port_eager(&rig->port, true);
}

static void make_lazy(struct rig *rig)
{
    port_eager(&rig->port, false);
}

/* Both say the same times; only the eager one says so on time. */
static void port_eager__tells_of_each_start_on_time(void **state)
{
    (void)state;
    struct rig lazy, eager;
    rig_open(&lazy, 400000000000);
    rig_open(&eager, 400000000000);
    lazy.port.delay_ps = eager.port.delay_ps = 100000;
    make_eager(&eager);
    at(&lazy, 0, three_data);
    at(&eager, 0, three_data);
    run(&lazy);
    run(&eager);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lazy.left[i].at_ps, i * 2000);
        assert_int_equal(eager.left[i].at_ps, i * 2000);
        assert_int_equal(eager.left[i].called_ps, i * 2000);
        came(&lazy, i, (uint32_t)i, (i + 1) * 2000 + 100000);
        came(&eager, i, (uint32_t)i, (i + 1) * 2000 + 100000);
    }
    assert_true(lazy.left[2].called_ps > 4000);
    arena_free(&lazy.arena);
    arena_free(&eager.arena);
}

static void port_eager__and_lazily_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    rig.port.delay_ps = 100000;
    at(&rig, 0, three_data);
    at(&rig, 500, make_eager);
    at(&rig, 2500, make_lazy);
    run(&rig);
    assert_int_equal(rig.left[1].called_ps, 2000);
    assert_int_equal(rig.left[2].at_ps, 4000);
    assert_true(rig.left[2].called_ps > 4000);
    came(&rig, 2, 2, 6000 + 100000);
    arena_free(&rig.arena);
}

static void rearm(struct rig *rig)
{
    port_advance(&rig->port, sim_now_ps(rig->sim));
    rig->source_n = 3;
    port_rearm(&rig->port);
}

/* A source's packets start when they may: its pace, not the port's. */
static void port_rearm__a_source_that_paces(void **state)
{
    (void)state;
    struct rig rig;
    rig_open_source(&rig, 400000000000);
    rig.ready_ps = 300;
    at(&rig, 100, rearm);
    run(&rig);
    for (int i = 0; i < 3; i++)
        came(&rig, i, (uint32_t)i, 300 + i * 5000 + 2000 + DELAY_PS);
    assert_int_equal(rig.port.data_packets, 3);
    arena_free(&rig.arena);
}

static void port_pause__holds_the_source_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_open_source(&rig, 400000000000);
    at(&rig, 0, rearm);
    at(&rig, 1000, pause_it);
    at(&rig, 2500, control);
    at(&rig, 9000, let_go);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 2700 + DELAY_PS);
    came(&rig, 2, 2, 9000 + 2000 + DELAY_PS);
    came(&rig, 3, 3, 14000 + 2000 + DELAY_PS);
    arena_free(&rig.arena);
}

/* ---- several classes ------------------------------------------------------------------------- */

static void of_class(struct rig *rig, int class_, int n)
{
    for (int i = 0; i < n; i++)
        port_enqueue(&rig->port, new_packet(rig, 100), class_ + 1, 0);
}

static void three_classes(struct rig *rig)
{
    of_class(rig, 2, 8); /* seq 0 .. 7, the first starts at once */
    of_class(rig, 1, 4); /* 8 .. 11 */
    of_class(rig, 0, 2); /* 12, 13 */
}

/* Class 0 is strict; of the others class 1 gets two packets for each of class 2. */
static void classes__strict_then_by_weight(void **state)
{
    (void)state;
    static const uint32_t order[] = {0, 12, 13, 8, 9, 1, 10, 11, 2, 3, 4, 5, 6, 7};
    struct rig rig;
    rig_open_classes(&rig, 400000000000, 3);
    rig.net.weight[1] = 200;
    rig.net.weight[2] = 100;
    at(&rig, 0, three_classes);
    run(&rig);
    assert_int_equal(rig.came_n, 14);
    for (int i = 0; i < 14; i++)
        came(&rig, i, order[i], (i + 1) * 2000 + DELAY_PS);
    for (int c = 0; c < 3; c++)
        assert_int_equal(rig.port.share->queue_bytes[c], 0);
    arena_free(&rig.arena);
}

static void pause_class_one(struct rig *rig)
{
    port_pause(&rig->port, 1, true);
}

static void let_class_one_go(struct rig *rig)
{
    port_pause(&rig->port, 1, false);
}

/* A class that is paused leaves the link to the others. */
static void classes__pause_stops_one(void **state)
{
    (void)state;
    struct rig rig;
    rig_open_classes(&rig, 400000000000, 3);
    rig.net.weight[1] = 200;
    rig.net.weight[2] = 100;
    at(&rig, 0, pause_class_one);
    at(&rig, 1, three_classes);
    at(&rig, 90001, let_class_one_go);
    run(&rig);
    for (int i = 0; i < 10; i++)
        came(&rig, i,
             i == 0  ? 0
             : i < 3 ? (uint32_t)i + 11
                     : (uint32_t)i - 2,
             1 + (i + 1) * 2000 + DELAY_PS);
    for (int i = 0; i < 4; i++)
        came(&rig, 10 + i, (uint32_t)i + 8, 90001 + (i + 1) * 2000 + DELAY_PS);
    arena_free(&rig.arena);
}

/* ---- cut-through, credits, pause frames -------------------------------------------------------- */

/* The node at the other end acts when the headers are there; the link is as busy as ever. */
static void cut_through__arrives_by_its_headers(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    rig.port.cut_bytes = 62;
    at(&rig, 0, three_data);
    at(&rig, 100, control); /* 10 bytes: shorter than headers */
    run(&rig);
    came(&rig, 0, 0, 62 * BYTE_PS + DELAY_PS);
    came(&rig, 1, 3, 2000 + 10 * BYTE_PS + DELAY_PS);
    came(&rig, 2, 1, 2200 + 62 * BYTE_PS + DELAY_PS);
    came(&rig, 3, 2, 4200 + 62 * BYTE_PS + DELAY_PS);
    arena_free(&rig.arena);
}

static void give_150(struct rig *rig)
{
    port_give(&rig->port, 0, 150);
}

/* 250 bytes of credit are two packets; the third starts when there is enough again. */
static void credit__is_waited_for(void **state)
{
    (void)state;
    struct port_credit credit = {.left_bytes = {250}, .frame_bytes = 100};
    struct rig rig;
    rig_open(&rig, 400000000000);
    rig.port.credit = &credit;
    rig.port.special = true;
    at(&rig, 0, three_data);
    at(&rig, 5000, control); /* needs none */
    at(&rig, 7001, give_150);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 4000 + DELAY_PS);
    came(&rig, 2, 3, 5200 + DELAY_PS);
    came(&rig, 3, 2, 7001 + 2000 + DELAY_PS);
    assert_int_equal(credit.left_bytes[0], 100);
    arena_free(&rig.arena);
}

static void stop_other_end(struct rig *rig)
{
    port_send_pause(&rig->port, 0, true, 500);
}

static void let_other_end_go(struct rig *rig)
{
    port_send_pause(&rig->port, 0, false, 500);
}

/* A pause frame goes before what waits, after what is being sent, and takes effect after the
 * response; one that lets go may follow it within that time. */
static void port_send_pause__takes_effect_after_the_response(void **state)
{
    (void)state;
    const int64_t frame_ps = PORT_PAUSE_WIRE_BYTES * BYTE_PS;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 100, stop_other_end);
    at(&rig, 200, let_other_end_go);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 2000 + 2 * frame_ps + 2000 + DELAY_PS);
    assert_int_equal(rig.reverse.pauses, 1);
    assert_int_equal(rig.reverse.paused_ps, frame_ps);
    assert_int_equal(rig.reverse.busy_ps, 2000 + 2 * frame_ps + DELAY_PS + 500);
    assert_int_equal(rig.port.pause_frames, 2);
    arena_free(&rig.arena);
}

/* ---- faults ------------------------------------------------------------------------------------ */

static void go_down(struct rig *rig)
{
    port_set_down(&rig->port, true);
}

static void come_up(struct rig *rig)
{
    port_set_down(&rig->port, false);
}

/* What is queued or on the link is lost and counted; what comes when it is up again goes. */
static void port_set_down__loses_what_it_has(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 2500, go_down); /* 0 and 1 on the link, 2 waits */
    at(&rig, 8000, come_up);
    at(&rig, 9000, data);
    run(&rig);
    assert_int_equal(rig.came_n, 1);
    came(&rig, 0, 3, 9000 + 2000 + DELAY_PS);
    assert_int_equal(rig.port.drops, 3);
    assert_int_equal(rig.port.drop_bytes, 300);
    assert_int_equal(rig.port.queue_bytes, 0);
    arena_free(&rig.arena);
}

static void at_half_rate(struct rig *rig)
{
    port_set_rate(&rig->port, 200000000000);
}

static void port_set_rate__for_what_starts_later(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 400000000000);
    at(&rig, 0, three_data);
    at(&rig, 500, at_half_rate);
    run(&rig);
    came(&rig, 0, 0, 2000 + DELAY_PS);
    came(&rig, 1, 1, 6000 + DELAY_PS);
    came(&rig, 2, 2, 10000 + DELAY_PS);
    arena_free(&rig.arena);
}

/* 100 B of 1e-3 wrong bits: (1 - 1e-3)^800 = 0.449 arrive. */
static void port_set_errors__loses_its_share(void **state)
{
    (void)state;
    const int n = 20000;
    struct rig rig;
    rig_open(&rig, 400000000000);
    port_set_errors(&rig.port, 1e-3, 7);
    for (int i = 0; i < n; i++) {
        rig.left_n = rig.came_n = 0;
        port_enqueue(&rig.port, new_packet(&rig, 100), 1, 0);
        run(&rig);
    }
    assert_in_range(n - rig.port.drops, (int)(0.435 * n), (int)(0.463 * n));
    arena_free(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_serialise_ps__whole_and_rounded_up),
        cmocka_unit_test(port_enqueue__idle_starts_at_once),
        cmocka_unit_test(port_enqueue__back_to_back),
        cmocka_unit_test(port_enqueue__control_goes_first),
        cmocka_unit_test(port_enqueue__many),
        cmocka_unit_test(port_pause__stops_data_only),
        cmocka_unit_test(port_pause__twice_is_once),
        cmocka_unit_test(port_pause__holds_the_source_back),
        cmocka_unit_test(port_eager__tells_of_each_start_on_time),
        cmocka_unit_test(port_eager__and_lazily_again),
        cmocka_unit_test(port_rearm__a_source_that_paces),
        cmocka_unit_test(classes__strict_then_by_weight),
        cmocka_unit_test(classes__pause_stops_one),
        cmocka_unit_test(cut_through__arrives_by_its_headers),
        cmocka_unit_test(credit__is_waited_for),
        cmocka_unit_test(port_send_pause__takes_effect_after_the_response),
        cmocka_unit_test(port_set_down__loses_what_it_has),
        cmocka_unit_test(port_set_rate__for_what_starts_later),
        cmocka_unit_test(port_set_errors__loses_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
