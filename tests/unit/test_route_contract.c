/* test_route_contract.c - every registered routing rule through one harness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/route_rig.h"

/* All rules with their defaults, and the second mode of spray. */
static int bodies(struct arena *arena, const char *out[32])
{
    int n = 0;
    for (; route_list[n]; n++)
        out[n] = arena_printf(arena, "kind: %s", route_kinds[n]->name);
    out[n++] = "kind: spray, mode: round-robin";
    out[n++] = "kind: ecmp, salt: none";
    out[n++] = "kind: adaptive, period: 0s";
    return n;
}

static void for_each(void (*test)(struct route_rig *rig), int32_t candidates)
{
    struct arena arena = {0};
    const char *body[32];
    int n = bodies(&arena, body);
    for (int b = 0; b < n; b++) {
        struct route_rig rig;
        route_rig_open(&rig, body[b], candidates, 1);
        test(&rig);
        route_rig_close(&rig);
    }
    arena_free(&arena);
}

static void list__has_the_rules(void **state)
{
    (void)state;
    static const char *const wanted[] = {"adaptive", "ecmp", "flowlet", "jsq", "spray"};
    for (unsigned w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        int found = 0;
        for (int i = 0; route_list[i]; i++)
            found += strcmp(route_kinds[i]->name, wanted[w]) == 0;
        assert_int_equal(found, 1);
    }
    for (int i = 0; route_list[i]; i++) {
        assert_non_null(route_list[i]->help);
        assert_non_null(route_kinds[i]);
    }
}

/* Many flows: every candidate gets its share. */
static void spreads(struct route_rig *rig)
{
    int64_t count[ROUTE_PORTS] = {0};
    struct rng flows = rng_stream(5, "flows");
    for (int64_t p = 0; p < 1000 * rig->view.n; p++)
        count[route_rig_pick(rig, (uint32_t)rng_u64(&flows))]++;
    route_rig_spread(count, rig->view.n, 0.17); /* over 5 sigma */
}

static void pick__spreads_many_flows_evenly(void **state)
{
    (void)state;
    for_each(spreads, 16);
    for_each(spreads, 3);
}

static void keeps(struct route_rig *rig)
{
    if (rig->rule->per_packet) return;
    for (uint32_t flow = 0; flow < 50; flow++) {
        int32_t first = route_rig_pick(rig, flow);
        for (int p = 0; p < 20; p++)
            assert_int_equal(route_rig_pick(rig, flow), first);
    }
}

static void pick__keeps_a_flow_on_its_link_unless_per_packet(void **state)
{
    (void)state;
    for_each(keeps, 16);
}

static void uses_all_links(struct route_rig *rig)
{
    if (!rig->rule->per_packet) return;
    int64_t count[ROUTE_PORTS] = {0};
    for (int p = 0; p < 16000; p++)
        count[route_rig_pick(rig, 42)]++;
    route_rig_spread(count, 16, 0.17);
}

static void pick__sprays_one_flow_if_per_packet(void **state)
{
    (void)state;
    for_each(uses_all_links, 16);
}

/* Ports go down and come back in between: at once, none of them is taken. */
static void avoids_down(struct route_rig *rig)
{
    struct rng rng = rng_stream(3, "failures");
    for (int round = 0; round < 200; round++) {
        int32_t up_n = 0;
        for (int32_t i = 0; i < rig->view.n; i++)
            up_n += !(rig->down[i] = rng_below(&rng, 4) != 0);
        if (up_n == 0) rig->down[rng_below(&rng, (uint64_t)rig->view.n)] = false;
        for (int p = 0; p < 30; p++)
            assert_false(rig->down[route_rig_pick(rig, (uint32_t)rng_below(&rng, 100))]);
    }
}

static void pick__never_takes_a_port_that_is_down(void **state)
{
    (void)state;
    for_each(avoids_down, 8);
    for_each(avoids_down, 2);
}

static void shares_the_rest(struct route_rig *rig)
{
    int64_t count[ROUTE_PORTS] = {0};
    struct rng flows = rng_stream(5, "flows");
    rig->down[3] = true;
    for (int p = 0; p < 7000; p++)
        count[route_rig_pick(rig, (uint32_t)rng_u64(&flows))]++;
    assert_int_equal(count[3], 0);
    count[3] = 1000;
    for (int i = 0; i < 8; i++)
        assert_in_range(count[i], 700, 1300);
}

static void pick__shares_what_a_dead_port_leaves(void **state)
{
    (void)state;
    for_each(shares_the_rest, 8);
}

static void takes_any(struct route_rig *rig)
{
    memset(rig->down, true, sizeof rig->down);
    for (uint32_t p = 0; p < 100; p++)
        route_rig_pick(rig, p); /* asserts the range */
}

static void pick__survives_when_all_ports_are_down(void **state)
{
    (void)state;
    for_each(takes_any, 4);
}

/* Candidates change from packet to packet, as with destinations behind different links. */
static void changes_groups(struct route_rig *rig)
{
    int32_t links[ROUTE_PORTS], slots[ROUTE_PORTS];
    struct rng rng = rng_stream(9, "groups");
    for (int p = 0; p < 2000; p++) {
        int32_t from = (int32_t)rng_below(&rng, 32), n = 2 + (int32_t)rng_below(&rng, 31);
        for (int32_t i = 0; i < n; i++) {
            slots[i] = from + i;
            links[i] = 100 + from + i;
        }
        rig->view.n = n;
        rig->view.link = links;
        rig->view.slot = slots;
        route_rig_pick(rig, (uint32_t)rng_below(&rng, 64));
    }
}

static void pick__stays_in_range_when_candidates_change(void **state)
{
    (void)state;
    for_each(changes_groups, 8);
}

static void repeats(struct route_rig *rig)
{
    struct route_rig again;
    char *body = arena_printf(&rig->arena, "kind: %s", rig->config.kind);
    struct route_rig first;
    route_rig_open(&first, body, 16, 77);
    route_rig_open(&again, body, 16, 77);
    for (uint32_t p = 0; p < 500; p++) {
        first.queue_bytes[p % 16] = again.queue_bytes[p % 16] = (int64_t)p * 977 % 40000;
        assert_int_equal(route_rig_pick(&first, p % 5), route_rig_pick(&again, p % 5));
    }
    route_rig_close(&first);
    route_rig_close(&again);
}

static void pick__repeats_with_the_same_seed(void **state)
{
    (void)state;
    for_each(repeats, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list__has_the_rules),
        cmocka_unit_test(pick__spreads_many_flows_evenly),
        cmocka_unit_test(pick__keeps_a_flow_on_its_link_unless_per_packet),
        cmocka_unit_test(pick__sprays_one_flow_if_per_packet),
        cmocka_unit_test(pick__never_takes_a_port_that_is_down),
        cmocka_unit_test(pick__shares_what_a_dead_port_leaves),
        cmocka_unit_test(pick__survives_when_all_ports_are_down),
        cmocka_unit_test(pick__stays_in_range_when_candidates_change),
        cmocka_unit_test(pick__repeats_with_the_same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
