/* test_port_modes.c - a port with several classes, cut-through, credits, pause frames, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/port_rig.h"

/* ---- several classes ------------------------------------------------------------------------ */

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

/* ---- cut-through, credits, pause frames ----------------------------------------------------- */

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

/* ---- faults --------------------------------------------------------------------------------- */

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
