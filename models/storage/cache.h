/* cache.h - the page cache of a node: blocks of file sets, least recently used goes first. */
#ifndef RAILSIM_MODELS_STORAGE_CACHE_H
#define RAILSIM_MODELS_STORAGE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/io/schema.h"

enum cache_policy { CACHE_LRU, CACHE_NO_REUSE };

/* struct cache_cfg: section `node.cache`. */
struct cache_cfg {
    int64_t size_bytes;
    int policy; /* enum cache_policy */
    bool warm;
};
extern const struct schema cache_schema;

/* struct file_set: files of equal size, described, not listed. cache_add fills what is below. */
struct file_set {
    int64_t files, file_bytes; /* the last file may be shorter: total_bytes decides */
    int64_t total_bytes;
    /* ---- */
    int64_t first_file;  /* number of its first file among all sets */
    int64_t first_block; /* of its first file */
    int64_t file_blocks; /* blocks per file */
};

struct cache;

/* cache_new makes an empty cache; add all sets with cache_add, then cache_start. */
struct cache *cache_new(struct arena *arena, const struct cache_cfg *cfg);
void cache_add(struct cache *cache, struct file_set *set);
/* cache_holds tells whether n sets are few enough blocks for one cache. */
bool cache_holds(const struct file_set *sets, int n);
/* cache_start sizes the tables; if the configuration says warm, fills the cache with the sets in
 * order until it is full. */
void cache_start(struct cache *cache, const struct file_set *const *sets, int n);

/* cache_hit looks whether byte off of file (0..set->files-1) is cached (and refreshes it); if so
 * *end_off is set to the end of its block. */
bool cache_hit(struct cache *cache, const struct file_set *set, int64_t file, int64_t off,
               int64_t *end_off);
/* cache_fill says that the bytes [from, to) of file have been read, in order: blocks whose last
 * byte lies in there become cached, the least recently used ones leave. */
void cache_fill(struct cache *cache, const struct file_set *set, int64_t file, int64_t from,
                int64_t to);
/* file_set_bytes returns the size of one file. */
int64_t file_set_bytes(const struct file_set *set, int64_t file);

#endif
