/* test_wan.c - the long line: its delay, and who may put how much into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/storage/wan.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define KM INT64_C(1000000) /* mm */

static void wan_schema__default_is_a_perfect_line(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct err err = {0};
    struct wan_cfg cfg = {0};
    const struct tree_node *root = tree_read_text(&arena, "x.yaml", "", 0, &err);
    assert_true(schema_bind(&(struct schema_into){.arena = &arena, .prefix = "", .err = &err},
                            &wan_schema, root, &cfg));
    assert_int_equal(cfg.rate_bps, INT64_C(100000000000));
    assert_int_equal(cfg.delay_per_km_ps, 5 * PS_PER_US);
    struct wan wan;
    wan_init(&wan, &cfg);
    assert_int_equal(wan.one_way_ps, 0);
    assert_int_equal(wan.free_bps, INT64_C(100000000000));
    assert_int_equal(wan.jitter_ps, 0);
    assert_true(wan.loss == 0);
    assert_int_equal(wan.limit_bytes[0], 0);
    assert_int_equal(wan.limit_bytes[1], 0);
    err_free(&err);
    arena_free(&arena);
}

static void wan_init__rtt_is_there_and_back(void **state)
{
    (void)state;
    struct wan wan;
    wan_init(&wan, &(struct wan_cfg){.rate_bps = 1000, .rtt_ps = 15 * PS_PER_MS});
    assert_int_equal(wan.one_way_ps, 7500 * PS_PER_US);
}

static void wan_init__distance(void **state)
{
    (void)state;
    struct wan wan;
    struct wan_cfg cfg = {
        .rate_bps = 1000, .distance_mm = 1000 * KM, .delay_per_km_ps = 5 * PS_PER_US};
    wan_init(&wan, &cfg);
    assert_int_equal(wan.one_way_ps, 5 * PS_PER_MS); /* 1000 km: 10 ms there and back */
    cfg.distance_mm = 881 * KM;                      /* Tokyo-Fukuoka as the crow flies */
    wan_init(&wan, &cfg);
    assert_int_equal(wan.one_way_ps, 4405 * PS_PER_US);
    cfg.delay_per_km_ps = 4900 * PS_PER_NS;
    wan_init(&wan, &cfg);
    assert_in_range(wan.one_way_ps, 4316900 * PS_PER_NS - 1, 4316900 * PS_PER_NS);
    cfg.distance_mm = 1; /* a millimetre: 5 ps */
    cfg.delay_per_km_ps = 5 * PS_PER_US;
    wan_init(&wan, &cfg);
    assert_int_equal(wan.one_way_ps, 5);
    cfg.distance_mm = 1000000 * KM; /* the largest that is allowed: far from an overflow */
    cfg.delay_per_km_ps = PS_PER_MS;
    wan_init(&wan, &cfg);
    assert_int_equal(wan.one_way_ps, 1000 * PS_PER_S);
}

static void wan_init__other_traffic_takes_its_rate(void **state)
{
    (void)state;
    struct wan wan;
    wan_init(&wan, &(struct wan_cfg){.rate_bps = INT64_C(10000000000),
                                     .cross_bps = INT64_C(2000000000),
                                     .rtt_ps = 10 * PS_PER_MS,
                                     .buffer_bytes = 1000,
                                     .jitter_ps = 17,
                                     .loss = 0.25});
    assert_int_equal(wan.free_bps, INT64_C(8000000000));
    assert_int_equal(wan.limit_bytes[0], 10000000 + 1000); /* 8 Gb/s * 10 ms + buffer */
    assert_int_equal(wan.limit_bytes[1], 10000000 + 1000);
    assert_int_equal(wan.jitter_ps, 17);
    assert_true(wan.loss == 0.25);
}

static void wan_enter__up_to_bandwidth_delay_product_and_buffer(void **state)
{
    (void)state;
    struct wan wan;
    wan_init(&wan, &(struct wan_cfg){.rate_bps = 8000000000,
                                     .distance_mm = 1000 * KM,
                                     .delay_per_km_ps = 5 * PS_PER_US,
                                     .buffer_bytes = 500});
    assert_int_equal(wan.limit_bytes[0], 10000500);
    assert_true(wan_enter(&wan, 0, 10000000));
    assert_false(wan_enter(&wan, 0, 501));
    assert_int_equal(wan.inflight_bytes[0], 10000000); /* what was refused does not count */
    assert_true(wan_enter(&wan, 0, 500));              /* full to the last byte */
    assert_false(wan_enter(&wan, 0, 1));
    assert_true(wan_enter(&wan, 1, 10000500)); /* the other direction is another line */
    wan_leave(&wan, 0, 500);
    assert_false(wan_enter(&wan, 0, 501));
    assert_true(wan_enter(&wan, 0, 500));
    wan_leave(&wan, 0, 10000500);
    wan_leave(&wan, 1, 10000500);
    assert_int_equal(wan.inflight_bytes[0], 0);
    assert_int_equal(wan.inflight_bytes[1], 0);
}

static void wan_enter__without_a_buffer_nothing_is_dropped(void **state)
{
    (void)state;
    struct wan wan;
    wan_init(&wan, &(struct wan_cfg){.rate_bps = 1000, .rtt_ps = PS_PER_MS});
    assert_true(wan_enter(&wan, 0, INT64_C(1) << 50));
    assert_true(wan_enter(&wan, 0, INT64_C(1) << 50));
    assert_int_equal(wan.inflight_bytes[0], INT64_C(1) << 51);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wan_schema__default_is_a_perfect_line),
        cmocka_unit_test(wan_init__rtt_is_there_and_back),
        cmocka_unit_test(wan_init__distance),
        cmocka_unit_test(wan_init__other_traffic_takes_its_rate),
        cmocka_unit_test(wan_enter__up_to_bandwidth_delay_product_and_buffer),
        cmocka_unit_test(wan_enter__without_a_buffer_nothing_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
