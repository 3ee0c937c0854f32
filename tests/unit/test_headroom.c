/* test_headroom.c - Spectrum-4 headroom against the published table, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "models/net/headroom.h"

static struct headroom sonic(int64_t gbps, int64_t cable_m, int64_t lanes)
{
    struct headroom_port port = HEADROOM_PORT_SONIC;
    port.rate_bps = gbps * 1000000000;
    port.cable_mm = cable_m * 1000;
    port.lanes = lanes;
    return headroom_spectrum4(&port);
}

static void spectrum4__published_table(void **state)
{
    (void)state;
    char line[1024];
    int rows = 0;
    FILE *in = fopen("tests/validation/measured/spectrum4_pfc_headroom.csv", "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        long long gbps, cable_m, xoff_bytes;
        if (sscanf(line, "%lld,%lld,%lld", &gbps, &cable_m, &xoff_bytes) != 3) continue;
        struct headroom got = sonic(gbps, cable_m, 4);
        assert_int_equal(got.xoff_bytes, xoff_bytes);
        assert_int_equal(got.xon_bytes, 19456);
        rows++;
    }
    fclose(in);
    assert_int_equal(rows, 6);
}

static void spectrum4__sizes_at_400g(void **state)
{
    (void)state;
    assert_int_equal(sonic(400, 5, 4).size_bytes, 250880);
    assert_int_equal(sonic(400, 40, 4).size_bytes, 303104);
    assert_int_equal(sonic(400, 300, 4).size_bytes, 697344);
}

static void spectrum4__eight_lanes_at_800g(void **state)
{
    (void)state;
    assert_int_equal(sonic(800, 5, 8).xoff_bytes, 257024);
    assert_int_equal(sonic(800, 40, 8).xoff_bytes, 362496);
    assert_int_equal(sonic(800, 300, 8).xoff_bytes, 1150976);
    assert_int_equal(sonic(800, 5, 8).xon_bytes, 38912);
    assert_int_equal(sonic(800, 5, 8).size_bytes, 257024 + 38912 + 9216);
}

/* With large packets only, a third: "~77 KB at 5 m". */
static void spectrum4__without_small_packets(void **state)
{
    (void)state;
    struct headroom_port port = HEADROOM_PORT_SONIC;
    port.rate_bps = 400000000000;
    port.cable_mm = 5000;
    port.small_frac = 0;
    assert_int_equal(headroom_spectrum4(&port).xoff_bytes, 76 * 1024); /* 77.8 kB */
}

static void response__of_802_3(void **state)
{
    (void)state;
    assert_int_equal(headroom_response_bytes(400000000000), 57920);
    assert_int_equal(headroom_response_bytes(100000000000), 394 * 64);
    assert_int_equal(headroom_response_bytes(10000000000), 67 * 64);
    assert_int_equal(headroom_response_bytes(123), 3891);
}

/* 2 d rate = 50 B/ns * 1000 ns; two frames; response; the pause frame; one for the rounding. */
static void in_flight__adds_up(void **state)
{
    (void)state;
    struct headroom_link link = {
        .rate_bps = 400000000000, .delay_ps = 500000, .frame_bytes = 4178, .response_bytes = 57920};
    assert_int_equal(headroom_in_flight_bytes(&link), 50000 + 1 + 2 * 4178 + 57920 + 64);
    /* the published headroom covers it: 5 m of cable, frames of 9216 B */
    link = (struct headroom_link){400000000000, 25250, 9216, 57920};
    assert_true(headroom_in_flight_bytes(&link) < sonic(400, 5, 4).xoff_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectrum4__published_table),
        cmocka_unit_test(spectrum4__sizes_at_400g),
        cmocka_unit_test(spectrum4__eight_lanes_at_800g),
        cmocka_unit_test(spectrum4__without_small_packets),
        cmocka_unit_test(response__of_802_3),
        cmocka_unit_test(in_flight__adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
