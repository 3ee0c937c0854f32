/* cache.c - page cache in blocks of 4 MiB: a table of blocks and one LRU list through it.
 *
 * A block counts as cached from the moment that its last byte was read. A sequential pass over more
 * than the cache holds finds nothing in the next pass: that is what LRU does, and no special case.
 * NOT modelled: dirty pages, single pages, memory taken by the training job itself.
 */
#include "models/storage/cache.h"

#include "sim/base/check.h"

#define BLOCK_BYTES (INT64_C(4) << 20)

static const char *const policies[] = {"lru", "no-reuse", NULL};

static const struct schema_field fields[] = {
    {.key = "size",
     .type = SCHEMA_SIZE,
     .offset = offsetof(struct cache_cfg, size_bytes),
     .fallback = "0B",
     .max = "1PB",
     .help = "Memory of a node that the page cache may take; 0 = none."},
    {.key = "policy",
     .type = SCHEMA_ENUM,
     .offset = offsetof(struct cache_cfg, policy),
     .fallback = "lru",
     .words = policies,
     .help = "lru, or no-reuse: what was read is never found again (direct I/O)."},
    {.key = "warm",
     .type = SCHEMA_BOOL,
     .offset = offsetof(struct cache_cfg, warm),
     .fallback = "false",
     .help = "The data is in the cache already when the run begins."},
    {.key = NULL},
};

const struct schema cache_schema = {
    .name = "cache",
    .help = "The page cache of a node.",
    .size = sizeof(struct cache_cfg),
    .fields = fields,
};

struct block {
    int32_t newer, older; /* -1 = none; newer == NOT_CACHED: not in the list */
    int32_t have_bytes;   /* read so far; all of them: cached */
};
#define NOT_CACHED (-2)

struct cache {
    struct arena *arena;
    const struct cache_cfg *cfg;
    struct block *blocks;
    int64_t block_n, file_n, used_bytes, capacity_bytes;
    int32_t newest, oldest;
};

struct cache *cache_new(struct arena *arena, const struct cache_cfg *cfg)
{
    struct cache *cache = ARENA_NEW(arena, struct cache);
    cache->arena = arena;
    cache->cfg = cfg;
    cache->capacity_bytes = cfg->policy == CACHE_NO_REUSE ? 0 : cfg->size_bytes;
    cache->newest = cache->oldest = -1;
    return cache;
}

static int64_t file_blocks(const struct file_set *set)
{
    return set->file_bytes / BLOCK_BYTES + (set->file_bytes % BLOCK_BYTES > 0);
}

bool cache_holds(const struct file_set *sets, int n)
{
    int64_t blocks = 0;
    for (int s = 0; s < n; s++)
        blocks += file_blocks(&sets[s]) * sets[s].files;
    return blocks < INT32_MAX;
}

void cache_add(struct cache *cache, struct file_set *set)
{
    set->file_blocks = file_blocks(set);
    set->first_block = cache->block_n;
    set->first_file = cache->file_n;
    cache->block_n += set->file_blocks * set->files;
    cache->file_n += set->files;
}

int64_t file_set_bytes(const struct file_set *set, int64_t file)
{
    int64_t rest = set->total_bytes - file * set->file_bytes;
    return rest < set->file_bytes ? rest : set->file_bytes;
}

static void unlink_block(struct cache *cache, int32_t b)
{
    struct block *block = &cache->blocks[b];
    if (block->newer >= 0) {
        cache->blocks[block->newer].older = block->older;
    } else {
        cache->newest = block->older;
    }
    if (block->older >= 0) {
        cache->blocks[block->older].newer = block->newer;
    } else {
        cache->oldest = block->newer;
    }
    block->newer = NOT_CACHED;
}

static void push_newest(struct cache *cache, int32_t b)
{
    struct block *block = &cache->blocks[b];
    block->newer = -1;
    block->older = cache->newest;
    if (cache->newest >= 0) cache->blocks[cache->newest].newer = b;
    cache->newest = b;
    if (cache->oldest < 0) cache->oldest = b;
}

static void evict_oldest(struct cache *cache)
{
    int32_t b = cache->oldest;
    unlink_block(cache, b);
    cache->used_bytes -= cache->blocks[b].have_bytes;
    cache->blocks[b].have_bytes = 0;
}

/* Block b of size_bytes is complete: it becomes the newest, the oldest ones make room. */
static void insert(struct cache *cache, int32_t b, int64_t size_bytes)
{
    if (size_bytes > cache->capacity_bytes) return;
    while (cache->used_bytes + size_bytes > cache->capacity_bytes)
        evict_oldest(cache);
    cache->blocks[b].have_bytes = (int32_t)size_bytes;
    cache->used_bytes += size_bytes;
    push_newest(cache, b);
}

static int32_t block_of(const struct file_set *set, int64_t file, int64_t off)
{
    return (int32_t)(set->first_block + file * set->file_blocks + off / BLOCK_BYTES);
}

/* Bytes of the block that begins at byte at of file. */
static int64_t block_bytes(const struct file_set *set, int64_t file, int64_t at)
{
    int64_t rest = file_set_bytes(set, file) - at;
    return rest < BLOCK_BYTES ? rest : BLOCK_BYTES;
}

static void warm_up(struct cache *cache, const struct file_set *set)
{
    for (int64_t file = 0; file < set->files; file++)
        for (int64_t at = 0; at < file_set_bytes(set, file); at += BLOCK_BYTES) {
            int64_t bytes = block_bytes(set, file, at);
            if (cache->used_bytes + bytes > cache->capacity_bytes) return;
            insert(cache, block_of(set, file, at), bytes);
        }
}

void cache_start(struct cache *cache, const struct file_set *const *sets, int n)
{
    CHECK(cache->block_n < INT32_MAX, "%lld blocks to cache", (long long)cache->block_n);
    if (cache->capacity_bytes == 0) return;
    cache->blocks = ARENA_ARRAY(cache->arena, struct block, cache->block_n);
    for (int64_t b = 0; b < cache->block_n; b++)
        cache->blocks[b].newer = NOT_CACHED;
    for (int s = 0; s < n && cache->cfg->warm; s++)
        warm_up(cache, sets[s]);
}

bool cache_hit(struct cache *cache, const struct file_set *set, int64_t file, int64_t off,
               int64_t *end_off)
{
    if (cache->capacity_bytes == 0) return false;
    int32_t b = block_of(set, file, off);
    if (cache->blocks[b].newer == NOT_CACHED) return false;
    unlink_block(cache, b);
    push_newest(cache, b);
    *end_off = (off / BLOCK_BYTES + 1) * BLOCK_BYTES;
    return true;
}

void cache_fill(struct cache *cache, const struct file_set *set, int64_t file, int64_t from,
                int64_t to)
{
    if (cache->capacity_bytes == 0) return;
    for (int64_t at = from / BLOCK_BYTES * BLOCK_BYTES; at < to; at += BLOCK_BYTES) {
        int64_t bytes = block_bytes(set, file, at), end = at + bytes;
        int64_t read = (to < end ? to : end) - (from > at ? from : at);
        int32_t b = block_of(set, file, at);
        struct block *block = &cache->blocks[b];
        if (read <= 0) continue;
        if (block->newer != NOT_CACHED) { /* read again: younger */
            unlink_block(cache, b);
            push_newest(cache, b);
        } else if (block->have_bytes + read >= bytes) {
            insert(cache, b, bytes);
        } else {
            block->have_bytes += (int32_t)read;
        }
    }
}
