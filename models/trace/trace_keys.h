/* trace_keys.h - numbers by key: labels, names, ids of 64 bits, or whatever bytes tell apart. */
#ifndef RAILSIM_MODELS_TRACE_TRACE_KEYS_H
#define RAILSIM_MODELS_TRACE_TRACE_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* struct trace_keys: zero-initialise; trace_keys_free releases it. Keys are numbered 0, 1, ...
 * in the order in which they are added. */
struct trace_keys {
    char *text;        /* all keys, one behind the other */
    int64_t *end;      /* where key i ends in text */
    uint64_t *hash;    /* of key i */
    int64_t *slot;     /* open addressing: number + 1, 0 = free */
    int64_t n, text_n; /* keys, bytes of text */
    int64_t text_cap, end_cap, hash_cap, slot_cap;
};

/* trace_keys_find returns the number of a key, -1 if it is not there. */
int64_t trace_keys_find(const struct trace_keys *keys, const void *key, size_t len);
/* trace_keys_add returns the number of a key, adding it if it is not there: then keys->n grows. */
int64_t trace_keys_add(struct trace_keys *keys, const void *key, size_t len);
/* trace_keys_text returns key i, not terminated, and its length; valid until the next addition. */
const char *trace_keys_text(const struct trace_keys *keys, int64_t i, size_t *len);
/* trace_keys_clear forgets all keys and keeps the memory. */
void trace_keys_clear(struct trace_keys *keys);
void trace_keys_free(struct trace_keys *keys);

#endif
