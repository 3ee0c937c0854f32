/* arena.h - memory with the lifetime of a run: allocate forward, free all at once; and typed pools.
 *
 * The only file that calls malloc; elsewhere malloc, calloc, realloc, free, strdup are poisoned
 * (sim/base/poison.h). Out of memory ends the program here with a clear message and exit code 1.
 * In sanitizer builds (RAILSIM_POOL_MALLOC) every allocation is a malloc of its own, and pool_put
 * frees it.
 */
#ifndef RAILSIM_BASE_ARENA_H
#define RAILSIM_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

/* struct arena: zero-initialise ({0}). */
struct arena {
    struct arena_block *blocks;
    char *at, *end;
    size_t bytes; /* handed out so far */
};

/* arena_alloc returns size zeroed bytes, aligned to 16, valid until arena_free. */
void *arena_alloc(struct arena *arena, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_array((arena), sizeof(type), (int64_t)(n)))

/* arena_lines is arena_alloc that begins with a cache line. */
void *arena_lines(struct arena *arena, size_t size);

/* arena_array is arena_alloc of n * size bytes with the product checked. */
void *arena_array(struct arena *arena, size_t size, int64_t n);
/* arena_grow returns array (NULL at first) with room for at least need elements, doubling *cap; the
 * old array stays in the arena, so that a vector costs at most twice its size. */
void *arena_grow(struct arena *arena, void *array, int64_t *cap, int64_t need, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap);
void arena_free(struct arena *arena);

/* struct pool: equal-sized objects inside an arena, recycled through a free list (last in, first
 * out). pool_init before use; objects are zeroed by pool_get. */
struct pool {
    struct arena *arena;
    void *free;
    size_t size;
    int64_t live;
};
void pool_init(struct pool *pool, struct arena *arena, size_t size);
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *object);

/* mem_grow returns array (NULL at first) with room for at least need elements of size bytes,
 * doubling *cap; for vectors that outlive no owner: release with mem_free. */
void *mem_grow(void *array, int64_t *cap, int64_t need, size_t size);
void mem_free(void *array);

#endif
