/* test_cache.c - the page cache: what is found again, and what had to leave for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rig.h"

#define BLOCK (4 * MiB)

/* struct shelf: a cache and the sets that it knows. */
struct shelf {
    struct arena arena;
    struct cache_cfg cfg;
    struct cache *cache;
    struct file_set set[3];
    int n;
};

static void shelf_open(struct shelf *shelf, const char *config)
{
    *shelf = (struct shelf){0};
    rig_bind(&shelf->arena, &cache_schema, config, &shelf->cfg);
    shelf->cache = cache_new(&shelf->arena, &shelf->cfg);
}

static void add_set(struct shelf *shelf, int64_t files, int64_t file_bytes, int64_t total_bytes)
{
    struct file_set *set = &shelf->set[shelf->n++];
    *set = (struct file_set){.files = files, .file_bytes = file_bytes, .total_bytes = total_bytes};
    cache_add(shelf->cache, set);
}

static void start(struct shelf *shelf)
{
    const struct file_set *sets[] = {&shelf->set[0], &shelf->set[1], &shelf->set[2]};
    cache_start(shelf->cache, sets, shelf->n);
}

/* One file of n blocks in a cache of capacity blocks. */
static void open_simple(struct shelf *shelf, int64_t n, int64_t capacity)
{
    shelf_open(shelf, NULL);
    shelf->cfg.size_bytes = capacity * BLOCK;
    shelf->cache = cache_new(&shelf->arena, &shelf->cfg);
    add_set(shelf, 1, n * BLOCK, n * BLOCK);
    start(shelf);
}

static void fill(struct shelf *shelf, int64_t block)
{
    cache_fill(shelf->cache, &shelf->set[0], 0, block * BLOCK, (block + 1) * BLOCK);
}

static bool hit(struct shelf *shelf, int64_t block)
{
    int64_t end_off = -1;
    bool found = cache_hit(shelf->cache, &shelf->set[0], 0, block * BLOCK + 17, &end_off);
    if (found) assert_int_equal(end_off, (block + 1) * BLOCK);
    return found;
}

static void file_set_bytes__the_last_file_is_shorter(void **state)
{
    (void)state;
    struct file_set set = {.files = 4, .file_bytes = 30, .total_bytes = 101};
    assert_int_equal(file_set_bytes(&set, 0), 30);
    assert_int_equal(file_set_bytes(&set, 2), 30);
    assert_int_equal(file_set_bytes(&set, 3), 11);
}

static void cache_add__numbers_files_across_sets(void **state)
{
    (void)state;
    struct shelf shelf;
    shelf_open(&shelf, "size: 1GB");
    add_set(&shelf, 3, 10 * MB, 30 * MB);
    add_set(&shelf, 0, 0, 0);
    add_set(&shelf, 2, 1, 2);
    assert_int_equal(shelf.set[0].first_file, 0);
    assert_int_equal(shelf.set[2].first_file, 3);
    arena_free(&shelf.arena);
}

static void cache_hit__finds_nothing_in_an_empty_cache(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 4, 4);
    for (int64_t block = 0; block < 4; block++)
        assert_false(hit(&shelf, block));
    arena_free(&shelf.arena);
}

static void cache_fill__a_block_counts_from_its_last_byte_on(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 4, 4);
    const struct file_set *set = &shelf.set[0];
    cache_fill(shelf.cache, set, 0, 0, 1000);
    assert_false(hit(&shelf, 0));
    cache_fill(shelf.cache, set, 0, 1000, BLOCK - 1);
    assert_false(hit(&shelf, 0));
    cache_fill(shelf.cache, set, 0, BLOCK - 1, BLOCK + 5);
    assert_true(hit(&shelf, 0));
    assert_false(hit(&shelf, 1));
    cache_fill(shelf.cache, set, 0, BLOCK + 5, 3 * BLOCK + 1);
    assert_true(hit(&shelf, 1));
    assert_true(hit(&shelf, 2));
    assert_false(hit(&shelf, 3));
    arena_free(&shelf.arena);
}

/* A process that begins inside a block has not read its beginning. */
static void cache_fill__a_block_read_only_at_its_end_is_not_cached(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 2, 2);
    cache_fill(shelf.cache, &shelf.set[0], 0, 3 * MiB, BLOCK);
    assert_false(hit(&shelf, 0));
    cache_fill(shelf.cache, &shelf.set[0], 0, 0, 3 * MiB);
    assert_true(hit(&shelf, 0));
    assert_false(hit(&shelf, 1));
    arena_free(&shelf.arena);
}

/* 1000 files of 100 kB fit into 100 MB, though each has a block of its own; one more does not. */
static void cache_fill__a_small_file_takes_its_size_not_a_block(void **state)
{
    (void)state;
    struct shelf shelf;
    shelf_open(&shelf, "size: 100MB");
    add_set(&shelf, 1001, 100000, 100100000);
    start(&shelf);
    const struct file_set *set = &shelf.set[0];
    int64_t end_off;
    for (int64_t file = 0; file < 1000; file++)
        cache_fill(shelf.cache, set, file, 0, 100000);
    for (int64_t file = 0; file < 1000; file++) /* full to the byte */
        assert_true(cache_hit(shelf.cache, set, file, 0, &end_off));
    cache_fill(shelf.cache, set, 1000, 0, 100000);
    assert_false(cache_hit(shelf.cache, set, 0, 0, &end_off));
    assert_true(cache_hit(shelf.cache, set, 1, 0, &end_off));
    assert_true(cache_hit(shelf.cache, set, 1000, 0, &end_off));
    arena_free(&shelf.arena);
}

static void cache_fill__nothing_read_caches_nothing(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 4, 4);
    cache_fill(shelf.cache, &shelf.set[0], 0, BLOCK, BLOCK);
    cache_fill(shelf.cache, &shelf.set[0], 0, 0, 0);
    for (int64_t block = 0; block < 4; block++)
        assert_false(hit(&shelf, block));
    arena_free(&shelf.arena);
}

static void cache_fill__the_last_block_of_a_file_may_be_partial(void **state)
{
    (void)state;
    struct shelf shelf;
    shelf_open(&shelf, "size: 64MiB");
    add_set(&shelf, 2, BLOCK + 1000, 2 * BLOCK + 1500); /* the second file: BLOCK + 500 */
    start(&shelf);
    int64_t end_off;
    const struct file_set *set = &shelf.set[0];
    cache_fill(shelf.cache, set, 0, 0, BLOCK + 999);
    assert_false(cache_hit(shelf.cache, set, 0, BLOCK, &end_off));
    cache_fill(shelf.cache, set, 0, BLOCK + 999, BLOCK + 1000);
    assert_true(cache_hit(shelf.cache, set, 0, BLOCK, &end_off));
    cache_fill(shelf.cache, set, 1, 0, BLOCK + 499);
    assert_false(cache_hit(shelf.cache, set, 1, BLOCK, &end_off));
    cache_fill(shelf.cache, set, 1, BLOCK + 499, BLOCK + 500);
    assert_true(cache_hit(shelf.cache, set, 1, BLOCK + 100, &end_off));
    assert_true(end_off >= BLOCK + 500);
    arena_free(&shelf.arena);
}

static void cache_fill__the_least_recently_used_leaves(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 6, 3);
    fill(&shelf, 0);
    fill(&shelf, 1);
    fill(&shelf, 2);
    assert_true(hit(&shelf, 0)); /* now 1 is the oldest */
    fill(&shelf, 3);
    assert_false(hit(&shelf, 1));
    fill(&shelf, 2); /* read again: younger than 0 */
    fill(&shelf, 4);
    assert_false(hit(&shelf, 0));
    assert_true(hit(&shelf, 3));
    assert_true(hit(&shelf, 2));
    assert_true(hit(&shelf, 4));
    arena_free(&shelf.arena);
}

static void cache_fill__a_cache_of_one_block_keeps_the_last(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 4, 1);
    for (int64_t block = 0; block < 4; block++) {
        fill(&shelf, block);
        assert_true(hit(&shelf, block));
        fill(&shelf, block);
        assert_true(hit(&shelf, block));
        if (block > 0) assert_false(hit(&shelf, block - 1));
    }
    arena_free(&shelf.arena);
}

/* Read all blocks in order, passes times; returns the hits after the first pass. */
static int hits_of_passes(struct shelf *shelf, int64_t blocks, int passes)
{
    int hits = 0;
    for (int pass = 0; pass < passes; pass++)
        for (int64_t block = 0; block < blocks; block++) {
            bool found = hit(shelf, block);
            if (!found) fill(shelf, block);
            if (pass == 0) assert_false(found);
            hits += found;
        }
    return hits;
}

static void cache__a_pass_over_more_than_it_holds_finds_nothing_again(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 101, 100);
    assert_int_equal(hits_of_passes(&shelf, 101, 5), 0);
    arena_free(&shelf.arena);
}

static void cache__a_pass_over_what_fits_finds_everything_again(void **state)
{
    (void)state;
    struct shelf shelf;
    open_simple(&shelf, 100, 100);
    assert_int_equal(hits_of_passes(&shelf, 100, 5), 400);
    arena_free(&shelf.arena);
}

static void cache__no_reuse_and_no_memory_find_nothing(void **state)
{
    (void)state;
    static const char *const configs[] = {"size: 1GB, policy: no-reuse", "size: 0B", NULL,
                                          "size: 1GB, policy: no-reuse, warm: true"};
    for (int i = 0; i < 4; i++) {
        struct shelf shelf;
        shelf_open(&shelf, configs[i]);
        add_set(&shelf, 1, 10 * BLOCK, 10 * BLOCK);
        start(&shelf);
        assert_int_equal(hits_of_passes(&shelf, 10, 3), 0);
        arena_free(&shelf.arena);
    }
}

static void cache__files_and_sets_have_blocks_of_their_own(void **state)
{
    (void)state;
    struct shelf shelf;
    shelf_open(&shelf, "size: 1GB");
    add_set(&shelf, 3, 2 * BLOCK, 6 * BLOCK);
    add_set(&shelf, 1, BLOCK, BLOCK);
    add_set(&shelf, 2, 100, 150);
    start(&shelf);
    cache_fill(shelf.cache, &shelf.set[0], 1, 0, BLOCK);
    cache_fill(shelf.cache, &shelf.set[2], 1, 0, 50);
    int found = 0;
    int64_t end_off;
    for (int s = 0; s < 3; s++)
        for (int64_t file = 0; file < shelf.set[s].files; file++)
            for (int64_t off = 0; off < file_set_bytes(&shelf.set[s], file); off += BLOCK)
                found += cache_hit(shelf.cache, &shelf.set[s], file, off, &end_off);
    assert_int_equal(found, 2);
    assert_true(cache_hit(shelf.cache, &shelf.set[0], 1, 5, &end_off));
    assert_true(cache_hit(shelf.cache, &shelf.set[2], 1, 5, &end_off));
    arena_free(&shelf.arena);
}

static void cache_start__warm_holds_the_sets_in_order_until_it_is_full(void **state)
{
    (void)state;
    struct shelf shelf;
    shelf_open(&shelf, "size: 20MiB, warm: true"); /* 5 blocks */
    add_set(&shelf, 1, 3 * BLOCK, 3 * BLOCK);
    add_set(&shelf, 1, 3 * BLOCK, 3 * BLOCK);
    start(&shelf);
    int64_t end_off;
    for (int64_t block = 0; block < 3; block++) {
        assert_true(cache_hit(shelf.cache, &shelf.set[0], 0, block * BLOCK, &end_off));
        assert_int_equal(cache_hit(shelf.cache, &shelf.set[1], 0, block * BLOCK, &end_off),
                         block < 2);
    }
    arena_free(&shelf.arena);
}

static void cache_start__cold_unless_warm(void **state)
{
    (void)state;
    struct shelf shelf;
    shelf_open(&shelf, "size: 20MiB");
    add_set(&shelf, 1, 3 * BLOCK, 3 * BLOCK);
    start(&shelf);
    for (int64_t block = 0; block < 3; block++)
        assert_false(hit(&shelf, block));
    arena_free(&shelf.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_set_bytes__the_last_file_is_shorter),
        cmocka_unit_test(cache_add__numbers_files_across_sets),
        cmocka_unit_test(cache_hit__finds_nothing_in_an_empty_cache),
        cmocka_unit_test(cache_fill__a_block_counts_from_its_last_byte_on),
        cmocka_unit_test(cache_fill__a_block_read_only_at_its_end_is_not_cached),
        cmocka_unit_test(cache_fill__a_small_file_takes_its_size_not_a_block),
        cmocka_unit_test(cache_fill__nothing_read_caches_nothing),
        cmocka_unit_test(cache_fill__the_last_block_of_a_file_may_be_partial),
        cmocka_unit_test(cache_fill__the_least_recently_used_leaves),
        cmocka_unit_test(cache_fill__a_cache_of_one_block_keeps_the_last),
        cmocka_unit_test(cache__a_pass_over_more_than_it_holds_finds_nothing_again),
        cmocka_unit_test(cache__a_pass_over_what_fits_finds_everything_again),
        cmocka_unit_test(cache__no_reuse_and_no_memory_find_nothing),
        cmocka_unit_test(cache__files_and_sets_have_blocks_of_their_own),
        cmocka_unit_test(cache_start__warm_holds_the_sets_in_order_until_it_is_full),
        cmocka_unit_test(cache_start__cold_unless_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
