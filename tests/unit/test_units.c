/* test_units.c - text to integers and back: exact, unit demanded, overflow refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/units.h"

struct row {
    enum unit_dim dim;
    const char *text;
    int64_t value;
};

static void units_parse__exact(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {UNIT_TIME, "1ps", 1},
        {UNIT_TIME, "0.1ns", 100},
        {UNIT_TIME, "80ns", 80000},
        {UNIT_TIME, "1.5us", 1500000},
        {UNIT_TIME, "1.5\u00b5s", 1500000},
        {UNIT_TIME, "1.5\u03bcs", 1500000},
        {UNIT_TIME, "15ms", 15 * PS_PER_MS},
        {UNIT_TIME, " 15 ms ", 15 * PS_PER_MS},
        {UNIT_TIME, "-2s", -2 * PS_PER_S},
        {UNIT_TIME, "+2s", 2 * PS_PER_S},
        {UNIT_TIME, "1e-3s", PS_PER_MS},
        {UNIT_TIME, "1E3 ns", PS_PER_US},
        {UNIT_TIME, "2min", 120 * PS_PER_S},
        {UNIT_TIME, "1h", 3600 * PS_PER_S},
        {UNIT_TIME, "0", 0},
        {UNIT_TIME, "0.000", 0},
        {UNIT_TIME, "0s", 0},
        {UNIT_TIME, ".5ns", 500},
        {UNIT_TIME, "5.ns", 5000},
        {UNIT_TIME, "9223372.036854775807s", INT64_MAX},
        {UNIT_TIME, "0.0000000000000000000000001h", 0},
        {UNIT_TIME, "1000000000000000000000000000000e-30s", PS_PER_S},
        {UNIT_SIZE, "1B", 1},
        {UNIT_SIZE, "16MiB", 16 << 20},
        {UNIT_SIZE, "16MB", 16000000},
        {UNIT_SIZE, "16kB", 16000},
        {UNIT_SIZE, "16KB", 16000},
        {UNIT_SIZE, "1.5KiB", 1536},
        {UNIT_SIZE, "1PiB", INT64_C(1) << 50},
        {UNIT_SIZE, "2TB", 2 * PS_PER_S},
        {UNIT_SIZE, "8191PiB", INT64_C(8191) << 50},
        {UNIT_RATE, "400Gbps", 400 * PS_PER_MS},
        {UNIT_RATE, "50GBps", 400 * PS_PER_MS},
        {UNIT_RATE, "1Bps", 8},
        {UNIT_RATE, "1KiBps", 8192},
        {UNIT_RATE, "1.6Tbps", 1600 * PS_PER_MS},
        {UNIT_RATE, "1Kbps", 1000},
        {UNIT_LENGTH, "1000km", 1000000000},
        {UNIT_LENGTH, "2.5m", 2500},
        {UNIT_LENGTH, "1cm", 10},
        {UNIT_COUNT, "8", 8},
        {UNIT_COUNT, "1e6", 1000000},
        {UNIT_COUNT, "1.5e3", 1500},
        {UNIT_COUNT, "-1", -1},
        {UNIT_COUNT, "9223372036854775807", INT64_MAX},
        {UNIT_COUNT, "0e999999999999", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union unit_value value = {.i = 42};
        const char *wrong = units_parse(rows[i].dim, rows[i].text, &value);
        if (wrong) fail_msg("%s: %s", rows[i].text, wrong);
        if (value.i != rows[i].value) fail_msg("%s gives %lld", rows[i].text, (long long)value.i);
    }
}

static void units_parse__rounds_to_nearest(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {UNIT_TIME, "0.4ps", 0},   {UNIT_TIME, "0.5ps", 1},     {UNIT_TIME, "1.4999ps", 1},
        {UNIT_TIME, "-1.5ps", -2}, {UNIT_TIME, "0.0004ns", 0},  {UNIT_TIME, "0.0006ns", 1},
        {UNIT_TIME, "1e-30s", 0},  {UNIT_TIME, "1e-99999s", 0}, {UNIT_SIZE, "0.3B", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union unit_value value = {.i = 42};
        assert_null(units_parse(rows[i].dim, rows[i].text, &value));
        if (value.i != rows[i].value) fail_msg("%s gives %lld", rows[i].text, (long long)value.i);
    }
}

static void units_parse__refused(void **state)
{
    (void)state;
    static const struct {
        enum unit_dim dim;
        const char *text, *part; /* of the message */
    } rows[] = {
        {UNIT_TIME, "15", "a time needs a unit: ps ns us ms s min h"},
        {UNIT_TIME, "0.001", "needs a unit"},
        {UNIT_TIME, "15Gbps", "a time takes: ps"},
        {UNIT_TIME, "15m", "a time takes"},
        {UNIT_TIME, "15MS", "a time takes"},
        {UNIT_TIME, "15ms x", "a time takes"},
        {UNIT_TIME, "", "expected a number"},
        {UNIT_TIME, "ms", "expected a number"},
        {UNIT_TIME, ".ms", "expected a number"},
        {UNIT_TIME, "--1ms", "expected a number"},
        {UNIT_TIME, "1e400s", "too large"},
        {UNIT_TIME, "9223372.036854775808s", "too large"},
        {UNIT_TIME, "12345678901234567890123s", "too many digits"},
        {UNIT_SIZE, "8192PiB", "too large"},
        {UNIT_SIZE, "1b", "a size takes: B"},
        {UNIT_RATE, "400", "a rate needs a unit"},
        {UNIT_RATE, "400GB", "a rate takes"},
        {UNIT_RATE, "1e19bps", "too large"},
        {UNIT_LENGTH, "3miles", "a length takes: mm cm m km"},
        {UNIT_COUNT, "1.5", "whole number"},
        {UNIT_COUNT, "8GPUs", "whole number"},
        {UNIT_COUNT, "1_000", "whole number"},
        {UNIT_COUNT, "0x10", "whole number"},
        {UNIT_COUNT, "18446744073709551616", "too large"},
        {UNIT_FRACTION, "1ms", "unit %"},
        {UNIT_FRACTION, "nan", "expected a number"},
        {UNIT_REAL, "1%", "no unit"},
        {UNIT_REAL, "inf", "expected a number"},
        {UNIT_REAL, "1e999", "too large"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union unit_value value = {.i = 42};
        const char *wrong = units_parse(rows[i].dim, rows[i].text, &value);
        if (!wrong) fail_msg("'%s' was accepted", rows[i].text);
        if (!strstr(wrong, rows[i].part)) fail_msg("'%s': %s", rows[i].text, wrong);
        assert_int_equal(value.i, 42);
    }
}

static void units_parse__doubles(void **state)
{
    (void)state;
    static const struct {
        enum unit_dim dim;
        const char *text;
        double value;
    } rows[] = {
        {UNIT_FRACTION, "1%", 0.01},    {UNIT_FRACTION, "0.01", 0.01},
        {UNIT_FRACTION, "0", 0},        {UNIT_FRACTION, "1e-7", 1e-7},
        {UNIT_FRACTION, "0.1%", 0.001}, {UNIT_FRACTION, "7 %", 0.07},
        {UNIT_FRACTION, "1e-1%", 1e-3}, {UNIT_REAL, "-0.3", -0.3},
        {UNIT_REAL, "2.5e3", 2500},     {UNIT_REAL, "1e-400", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union unit_value value = {.d = 42};
        assert_null(units_parse(rows[i].dim, rows[i].text, &value));
        if (value.d != rows[i].value) fail_msg("%s gives %.17g", rows[i].text, value.d);
    }
}

static void units_format__readable(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {UNIT_TIME, "0s", 0},
        {UNIT_TIME, "15ms", 15 * PS_PER_MS},
        {UNIT_TIME, "81.92us", 81920000},
        {UNIT_TIME, "1ps", 1},
        {UNIT_TIME, "90s", 90 * PS_PER_S},
        {UNIT_TIME, "2h", 7200 * PS_PER_S},
        {UNIT_TIME, "-1.5ns", -1500},
        {UNIT_TIME, "9223372036854775807ps", INT64_MAX},
        {UNIT_TIME, "-9223372036854775808ps", INT64_MIN},
        {UNIT_SIZE, "0B", 0},
        {UNIT_SIZE, "16MiB", 16 << 20},
        {UNIT_SIZE, "16MB", 16000000},
        {UNIT_SIZE, "1000MiB", 1000 << 20},
        {UNIT_SIZE, "1536B", 1536},
        {UNIT_SIZE, "1.5MiB", 1536 << 10},
        {UNIT_SIZE, "4097B", 4097},
        {UNIT_RATE, "0bps", 0},
        {UNIT_RATE, "400Gbps", 400 * PS_PER_MS},
        {UNIT_RATE, "1.6Tbps", 1600 * PS_PER_MS},
        {UNIT_LENGTH, "0m", 0},
        {UNIT_LENGTH, "1000km", 1000000000},
        {UNIT_COUNT, "0", 0},
        {UNIT_COUNT, "1000000", 1000000},
    };
    char buf[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(units_format(rows[i].dim, (union unit_value){rows[i].value}, buf),
                            rows[i].text);
    assert_string_equal(units_format(UNIT_FRACTION, (union unit_value){.d = 0.01}, buf), "0.01");
    assert_string_equal(units_format(UNIT_REAL, (union unit_value){.d = 1.0 / 3}, buf),
                        "0.3333333333333333");
    assert_string_equal(units_format(UNIT_REAL, (union unit_value){.d = -1e-300}, buf), "-1e-300");
}

/* Numbers of every size, round and not, come back as they were. */
static void units_format__reads_back(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 40000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        union unit_value value = {.i = (int64_t)random >> (i % 63)}, back = {0};
        if (i % 3 == 1) value.i = value.i / 1000000 * 1000000;
        if (value.i == INT64_MIN) continue;
        enum unit_dim dim = (enum unit_dim)(i / 64 % (UNIT_COUNT + 1));
        char buf[UNITS_TEXT_MAX];
        units_format(dim, value, buf);
        assert_true(strlen(buf) < UNITS_TEXT_MAX);
        assert_null(units_parse(dim, buf, &back));
        if (back.i != value.i) fail_msg("%lld -> %s", (long long)value.i, buf);
    }
}

static void units_dim_name__and_units(void **state)
{
    (void)state;
    assert_string_equal(units_dim_name(UNIT_TIME), "time");
    assert_string_equal(units_dim_units(UNIT_LENGTH), "mm cm m km");
    assert_string_equal(units_dim_units(UNIT_COUNT), "");
}

static void units_serialise_ps__rounds_up(void **state)
{
    (void)state;
    const int64_t g = 1000000000;
    assert_int_equal(units_serialise_ps(64, 400 * g), 1280);
    assert_int_equal(units_serialise_ps(0, 400 * g), 0);
    assert_int_equal(units_serialise_ps(1, 3 * g), 2667);   /* 8000 / 3 = 2666.67 */
    assert_int_equal(units_serialise_ps(64, 7200 * g), 72); /* 71.1: NVLink class */
    assert_int_equal(units_serialise_ps(4096, 100 * g), 327680);
    /* Past the 64-bit path: 1 TB at 8 Gb/s is 1000 s; the same rounding. */
    assert_int_equal(units_serialise_ps(1000 * g, 8 * g), 1000 * PS_PER_S);
    assert_int_equal(units_serialise_ps(3000000, 7 * g), INT64_C(3428571429));
    assert_int_equal(units_serialise_ps(INT64_MAX, 1), INT64_MAX);
    for (int64_t bytes = 1152920; bytes < 1152925; bytes++) /* where the paths meet */
        assert_int_equal(units_serialise_ps(bytes, 8 * PS_PER_S), bytes);
}

static void units_carried_bytes__rounds_down(void **state)
{
    (void)state;
    assert_int_equal(units_carried_bytes(INT64_C(400000000000), 1280), 64);
    assert_int_equal(units_carried_bytes(INT64_C(400000000000), 1279), 63);
    assert_int_equal(units_carried_bytes(INT64_C(100000000000), 1000 * PS_PER_S),
                     12500 * PS_PER_MS);
    assert_int_equal(units_carried_bytes(INT64_MAX, INT64_MAX), INT64_MAX);
    assert_int_equal(units_carried_bytes(0, INT64_MAX), 0);
}

static void units_s__and_back(void **state)
{
    (void)state;
    assert_true(units_s(15 * PS_PER_MS) == 0.015);
    assert_int_equal(units_ps(0.015), 15 * PS_PER_MS);
    assert_int_equal(units_ps(-0.0000000000014), -1);
    assert_int_equal(units_ps(1e30), INT64_MAX);
    assert_int_equal(units_ps(-1e30), INT64_MIN);
    assert_int_equal(units_ps(units_s(123456789012345)), 123456789012345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_parse__exact),
        cmocka_unit_test(units_parse__rounds_to_nearest),
        cmocka_unit_test(units_parse__refused),
        cmocka_unit_test(units_parse__doubles),
        cmocka_unit_test(units_format__readable),
        cmocka_unit_test(units_format__reads_back),
        cmocka_unit_test(units_dim_name__and_units),
        cmocka_unit_test(units_serialise_ps__rounds_up),
        cmocka_unit_test(units_carried_bytes__rounds_down),
        cmocka_unit_test(units_s__and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
