/* test_topo_dumbbell.c - two switches and one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo_fixture.h"

static void topo_dumbbell__sides_and_line(void **state)
{
    (void)state;
    struct topo_fixture f;
    const struct topo_link *link;
    fixture_open(&f, "kind: dumbbell, left: 3, right: 1, link_rate: 40Gbps, uplink_rate: 10Gbps,"
                     "link_delay: 1us, link_length: 0m, uplink_length: 200m, switch_latency: 0s");
    assert_string_equal(f.message, "");
    assert_int_equal(f.facts.endpoints, 4);
    assert_int_equal(f.facts.switches, 2);
    assert_int_equal(f.facts.tiers, 1);
    assert_int_equal(f.facts.cables, 5);
    assert_int_equal(fixture_links(&f, "node2", "left", &link), 1);
    assert_int_equal(link->delay_ps, PS_PER_US);
    assert_int_equal(fixture_links(&f, "node3", "right", &link), 1);
    assert_int_equal(fixture_links(&f, "left", "right", &link), 1);
    assert_int_equal(link->rate_bps, 10 * GBPS);
    assert_int_equal(link->delay_ps, 2 * PS_PER_US);
    /* Two of the left send: to the third one 40, over the line 10. */
    assert_int_equal(f.facts.half_bps, 80 * GBPS);
    assert_int_equal(f.facts.bisection_bps, 50 * GBPS);
    assert_true(f.facts.hops_mean == (6 * 2 + 6 * 3) / 12.0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topo_dumbbell__sides_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
