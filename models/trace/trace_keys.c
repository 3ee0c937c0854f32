/* trace_keys.c - a hash table from bytes to the order of their arrival.
 *
 * Apart because labels of GOAL, node ids and names of Chakra and the channels of the check all need
 * one. The one idea: the number is what callers index their own arrays with, so the table holds
 * keys only. Nothing is ever walked in the order of hashes. Not modelled: removal.
 * Source: FNV-1a for the hash, with the finaliser of MurmurHash3 for tables of a power of two.
 */
#include "models/trace/trace_keys.h"

#include <string.h>

#include "sim/base/arena.h"

static uint64_t hash_of(const void *key, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *at = key, *end = at + len; at < end; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 33;
}

const char *trace_keys_text(const struct trace_keys *keys, int64_t i, size_t *len)
{
    int64_t start = i > 0 ? keys->end[i - 1] : 0;
    *len = (size_t)(keys->end[i] - start);
    return keys->text + start;
}

/* The slot where a key is, or where it would go. There always is a free one. */
static int64_t slot_of(const struct trace_keys *keys, const void *key, size_t len, uint64_t hash)
{
    int64_t mask = keys->slot_cap - 1, slot = (int64_t)(hash >> 1) & mask;
    for (;; slot = (slot + 1) & mask) {
        int64_t i = keys->slot[slot] - 1;
        if (i < 0) return slot;
        if (keys->hash[i] != hash) continue;
        size_t found_len;
        const char *found = trace_keys_text(keys, i, &found_len);
        if (found_len == len && memcmp(found, key, len) == 0) return slot;
    }
}

int64_t trace_keys_find(const struct trace_keys *keys, const void *key, size_t len)
{
    if (keys->n == 0) return -1;
    return keys->slot[slot_of(keys, key, len, hash_of(key, len))] - 1;
}

static void rehash(struct trace_keys *keys)
{
    int64_t wanted = keys->slot_cap > 0 ? 2 * keys->slot_cap : 64;
    mem_free(keys->slot);
    keys->slot_cap = 0;
    keys->slot = mem_grow(NULL, &keys->slot_cap, wanted, sizeof *keys->slot);
    memset(keys->slot, 0, (size_t)keys->slot_cap * sizeof *keys->slot);
    for (int64_t i = 0; i < keys->n; i++) {
        int64_t mask = keys->slot_cap - 1, slot = (int64_t)(keys->hash[i] >> 1) & mask;
        while (keys->slot[slot] > 0)
            slot = (slot + 1) & mask;
        keys->slot[slot] = i + 1;
    }
}

int64_t trace_keys_add(struct trace_keys *keys, const void *key, size_t len)
{
    if (2 * (keys->n + 1) > keys->slot_cap) rehash(keys);
    uint64_t hash = hash_of(key, len);
    int64_t slot = slot_of(keys, key, len, hash), n = keys->n;
    if (keys->slot[slot] > 0) return keys->slot[slot] - 1;
    keys->text = mem_grow(keys->text, &keys->text_cap, keys->text_n + (int64_t)len + 1, 1);
    keys->end = mem_grow(keys->end, &keys->end_cap, n + 1, sizeof *keys->end);
    keys->hash = mem_grow(keys->hash, &keys->hash_cap, n + 1, sizeof *keys->hash);
    if (len) memcpy(keys->text + keys->text_n, key, len);
    keys->text_n += (int64_t)len;
    keys->end[n] = keys->text_n;
    keys->hash[n] = hash;
    keys->slot[slot] = n + 1;
    return keys->n++;
}

void trace_keys_clear(struct trace_keys *keys)
{
    /* A key was put behind those that came before it, so they go in reverse. Ranks may be many and
     * small after a big one: what is cleared is as much as there is. */
    for (int64_t i = keys->n - 1, mask = keys->slot_cap - 1; i >= 0; i--) {
        int64_t slot = (int64_t)(keys->hash[i] >> 1) & mask;
        while (keys->slot[slot] != i + 1)
            slot = (slot + 1) & mask;
        keys->slot[slot] = 0;
    }
    keys->n = keys->text_n = 0;
}

void trace_keys_free(struct trace_keys *keys)
{
    mem_free(keys->text);
    mem_free(keys->end);
    mem_free(keys->hash);
    mem_free(keys->slot);
    *keys = (struct trace_keys){0};
}
