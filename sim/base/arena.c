/* arena.c - the only file that asks the C library for memory.
 *
 * Why apart: one place decides what happens when memory runs out (a message, exit code 1: the
 * results database is committed point by point, so nothing finished is lost), and one macro,
 * RAILSIM_POOL_MALLOC, turns every allocation into a malloc of its own for AddressSanitizer.
 * The one idea: allocate forward in big zeroed blocks, give everything back at once.
 * Not modelled: shrinking, moving, threads.
 */
#include "sim/base/arena.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/check.h"

#define ALIGN 16
#define LINE 64 /* bytes of a cache line */
#define BLOCK_MIN ((size_t)64 << 10)
#define BLOCK_MAX ((size_t)1 << 20)

/* Blocks are doubly linked so that a pool can give one back in malloc mode. */
struct arena_block {
    struct arena_block *next, *prev;
    size_t size; /* of data */
    size_t pad;
    char data[];
};
_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "data must stay aligned");

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "railsim: out of memory (asked for %zu bytes)\n", size);
    exit(1);
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct arena_block)) out_of_memory(size);
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block) out_of_memory(size);
    block->size = size;
    block->next = arena->blocks;
    if (block->next) block->next->prev = block;
    arena->blocks = block;
    return block;
}

#ifdef RAILSIM_POOL_MALLOC

void *arena_alloc(struct arena *arena, size_t size)
{
    arena->bytes += size;
    return block_new(arena, size)->data;
}

static void block_free(struct arena *arena, void *data)
{
    struct arena_block *block =
        (struct arena_block *)(void *)((char *)data - offsetof(struct arena_block, data));
    if (block->prev)
        block->prev->next = block->next;
    else
        arena->blocks = block->next;
    if (block->next) block->next->prev = block->prev;
    free(block);
}

#else

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGN) out_of_memory(size);
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size > (size_t)(arena->end - arena->at)) {
        /* Blocks double from 64 KiB to 1 MiB; what is big gets a block of its own size, and the
         * rest of the present block stays in use if that is the longer one. */
        size_t grown = arena->blocks ? 2 * arena->blocks->size : BLOCK_MIN;
        if (grown > BLOCK_MAX) grown = BLOCK_MAX;
        struct arena_block *block = block_new(arena, size > grown ? size : grown);
        if (block->size - size < (size_t)(arena->end - arena->at)) {
            arena->bytes += size;
            return block->data;
        }
        arena->at = block->data;
        arena->end = block->data + block->size;
    }
    void *data = arena->at;
    arena->at += size;
    arena->bytes += size;
    return data;
}

#endif

void *arena_lines(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - LINE) out_of_memory(size);
    return (void *)(((uintptr_t)arena_alloc(arena, size + LINE - 1) + LINE - 1) &
                    ~(uintptr_t)(LINE - 1));
}

void *arena_array(struct arena *arena, size_t size, int64_t n)
{
    size_t total;
    CHECK(n >= 0, "array of %lld elements", (long long)n);
    if (__builtin_mul_overflow(size, (size_t)n, &total)) out_of_memory(SIZE_MAX);
    return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, void *array, int64_t *cap, int64_t need, size_t size)
{
    if (need <= *cap) return array;
    int64_t old = *cap;
    *cap = 2 * old > need ? 2 * old : need;
    if (*cap < 8) *cap = 8;
    void *grown = arena_array(arena, size, *cap);
    if (old) memcpy(grown, array, (size_t)old * size);
    return grown;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size), text, size);
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
    va_list measure;
    va_copy(measure, ap);
    int n = vsnprintf(NULL, 0, fmt, measure);
    va_end(measure);
    CHECK(n >= 0, "cannot format \"%s\"", fmt);
    size_t size = (size_t)n + 1;
    char *text = arena_alloc(arena, size);
    vsnprintf(text, size, fmt, ap);
    return text;
}

void arena_free(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena){0};
}

void pool_init(struct pool *pool, struct arena *arena, size_t size)
{
    *pool = (struct pool){.arena = arena, .size = size < sizeof(void *) ? sizeof(void *) : size};
}

void *pool_get(struct pool *pool)
{
    pool->live++;
    void *object = pool->free;
    if (!object) return arena_alloc(pool->arena, pool->size);
    memcpy(&pool->free, object, sizeof pool->free); /* its first word is the link */
    return memset(object, 0, pool->size);
}

void pool_put(struct pool *pool, void *object)
{
    CHECK(pool->live > 0, "more objects put into a pool than taken");
    pool->live--;
#ifdef RAILSIM_POOL_MALLOC
    block_free(pool->arena, object);
#else
    memcpy(object, &pool->free, sizeof pool->free);
    pool->free = object;
#endif
}

void *mem_grow(void *array, int64_t *cap, int64_t need, size_t size)
{
    if (need <= *cap) return array;
    int64_t wanted = *cap < 8 ? 8 : *cap;
    while (wanted < need)
        wanted = wanted > INT64_MAX / 2 ? need : 2 * wanted;
    size_t total;
    if (__builtin_mul_overflow(size, (size_t)wanted, &total)) out_of_memory(SIZE_MAX);
    void *grown = realloc(array, total);
    if (!grown) out_of_memory(total);
    *cap = wanted;
    return grown;
}

void mem_free(void *array)
{
    free(array);
}
