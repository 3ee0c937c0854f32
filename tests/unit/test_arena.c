/* test_arena.c - arenas, pools, growing vectors, and the one way out when memory ends. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sim/base/arena.h"
#include "tests/unit/child.h"

static bool all_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i]) return false;
    return true;
}

/* Sizes around the blocks' own: every piece aligned, zeroed, apart from all others. */
static void arena_alloc__aligned_zeroed_disjoint(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 65536, 65537, 40000, 200000, 3000000, 8};
    enum { N = sizeof sizes / sizeof sizes[0], ROUNDS = 40 };
    struct arena arena = {0};
    char *piece[ROUNDS][N];
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < N; i++) {
            piece[r][i] = arena_alloc(&arena, sizes[i]);
            assert_int_equal((uintptr_t)piece[r][i] % 16, 0);
            assert_true(all_zero(piece[r][i], sizes[i]));
            memset(piece[r][i], 1 + (r * N + i) % 251, sizes[i]);
        }
    }
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < N; i++)
            for (size_t b = 0; b<sizes[i]; b += sizes[i]> 4096 ? 997 : 1)
                assert_int_equal(piece[r][i][b], (char)(1 + (r * N + i) % 251));
    assert_true(arena.bytes >= ROUNDS * 3000000u);
    arena_free(&arena);
    assert_null(arena.blocks);
    assert_int_equal(arena.bytes, 0);
}

static void arena_array__typed(void **state)
{
    (void)state;
    struct arena arena = {0};
    int64_t *numbers = ARENA_ARRAY(&arena, int64_t, 1000);
    assert_true(all_zero((char *)numbers, 8000));
    assert_non_null(ARENA_ARRAY(&arena, int64_t, 0));
    arena_free(&arena);
}

static void arena_strdup__and_printf(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[] = "wan.rtt";
    char *copy = arena_strdup(&arena, text);
    text[0] = 0;
    assert_string_equal(copy, "wan.rtt");
    assert_string_equal(arena_printf(&arena, "%s=%d%s", copy, 15, "ms"), "wan.rtt=15ms");
    char *wide = arena_printf(&arena, "%100000d", 7);
    assert_int_equal(strlen(wide), 100000);
    arena_free(&arena);
}

static void pool_get__zeroed_and_reused(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct pool pool;
    pool_init(&pool, &arena, 40);
    char *objects[100];
    for (int i = 0; i < 100; i++) {
        objects[i] = pool_get(&pool);
        assert_true(all_zero(objects[i], 40));
        memset(objects[i], 0xff, 40);
    }
    assert_int_equal(pool.live, 100);
    for (int i = 0; i < 100; i++)
        pool_put(&pool, objects[i]);
    assert_int_equal(pool.live, 0);
#ifndef RAILSIM_POOL_MALLOC
    size_t bytes = arena.bytes;
    for (int i = 99; i >= 0; i--)
        assert_ptr_equal(pool_get(&pool), objects[i]); /* last in first */
    assert_int_equal(arena.bytes, bytes);
#endif
    for (int i = 0; i < 50; i++)
        assert_true(all_zero(pool_get(&pool), 40));
    arena_free(&arena);
}

static void pool_init__tiny_objects(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct pool pool;
    pool_init(&pool, &arena, 1); /* holds a link all the same */
    char *a = pool_get(&pool), *b = pool_get(&pool);
    pool_put(&pool, a);
    pool_put(&pool, b);
    assert_int_equal(*(char *)pool_get(&pool), 0);
    arena_free(&arena);
}

static void mem_grow__keeps_and_doubles(void **state)
{
    (void)state;
    int64_t cap = 0, moves = 0;
    int *numbers = NULL;
    for (int i = 0; i < 100000; i++) {
        int64_t before = cap;
        numbers = mem_grow(numbers, &cap, i + 1, sizeof *numbers);
        moves += cap != before;
        numbers[i] = i;
    }
    for (int i = 0; i < 100000; i++)
        assert_int_equal(numbers[i], i);
    assert_true(moves < 20);
    assert_ptr_equal(mem_grow(numbers, &cap, 5, sizeof *numbers), numbers);
    mem_free(numbers);
    mem_free(NULL);
}

static void ask_alloc(void)
{
    struct arena arena = {0};
    arena_alloc(&arena, SIZE_MAX - 8);
}

static void ask_array(void)
{
    struct arena arena = {0};
    arena_array(&arena, 16, INT64_MAX / 2);
}

static void ask_grow(void)
{
    int64_t cap = 0;
    mem_free(mem_grow(NULL, &cap, INT64_MAX, 16));
}

static void arena_alloc__out_of_memory(void **state)
{
    (void)state;
    static void (*const ask[])(void) = {ask_alloc, ask_array, ask_grow};
    for (size_t i = 0; i < sizeof ask / sizeof ask[0]; i++) {
        char text[256];
        int status = child_run(ask[i], text, sizeof text);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_non_null(strstr(text, "railsim: out of memory (asked for "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_alloc__aligned_zeroed_disjoint),
        cmocka_unit_test(arena_array__typed),
        cmocka_unit_test(arena_strdup__and_printf),
        cmocka_unit_test(pool_get__zeroed_and_reused),
        cmocka_unit_test(pool_init__tiny_objects),
        cmocka_unit_test(mem_grow__keeps_and_doubles),
        cmocka_unit_test(arena_alloc__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
