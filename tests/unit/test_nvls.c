/* test_nvls.c - chunks of reductions in NVSwitches against NCCL's table (src/enqueue.cc). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/coll/nvls.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

/* 16 channels on domains of 8: 128 pieces at once. */
static int64_t chunk_of(int64_t bytes, int32_t domains, int64_t switch_chunk_bytes)
{
    struct coll_ask ask = {.bytes = bytes,
                           .ranks = 8 * domains,
                           .local = 8,
                           .channels = 16,
                           .chunk_bytes = 2 * MIB,
                           .switch_chunk_bytes = switch_chunk_bytes};
    nvls_suit(&ask);
    return ask.chunk_bytes;
}

static void suit__one_domain(void **state)
{
    (void)state;
    assert_int_equal(chunk_of(1024 * MIB, 1, 0), 128 * KIB);
    assert_int_equal(chunk_of(1024 * MIB - 1, 1, 0), 64 * KIB);
    assert_int_equal(chunk_of(64 * MIB, 1, 0), 64 * KIB);
    assert_int_equal(chunk_of(64 * MIB - 1, 1, 0), 32 * KIB);
    assert_int_equal(chunk_of(8 * MIB - 1, 1, 0), 16 * KIB);
    assert_int_equal(chunk_of(1, 1, 0), 16 * KIB);
}

static void suit__trees(void **state)
{
    (void)state;
    assert_int_equal(chunk_of(2048 * MIB, 2, 512 * KIB), 512 * KIB);
    assert_int_equal(chunk_of(2048 * MIB - 1, 2, 512 * KIB), 256 * KIB);
    assert_int_equal(chunk_of(512 * MIB - 1, 2, 512 * KIB), 128 * KIB);
    assert_int_equal(chunk_of(64 * MIB, 2, 0), 128 * KIB);
    assert_int_equal(chunk_of(64 * MIB - 1, 2, 0), 64 * KIB);
    assert_int_equal(chunk_of(8 * MIB - 1, 2, 0), 32 * KIB);
    assert_int_equal(chunk_of(1024 * MIB, 4, 0), 64 * KIB);
    assert_int_equal(chunk_of(1024 * MIB, 4, 512 * KIB), 256 * KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suit__one_domain),
        cmocka_unit_test(suit__trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
