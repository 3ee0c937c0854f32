/* wheel.h - the insides of a simulation: its queue of timers, and what sim.c keeps beside it.
 *
 * Private to sim/engine. The one idea: a timer's level is the highest digit (of LEVEL_BITS bits) in
 * which its time differs from the cursor, its slot is that digit. So every slot of a level lies
 * later than all slots of the levels below it, the next slot is found by counting trailing zeros,
 * and the slots of a level are filled from above only while they are empty: plain FIFOs then hold
 * equal times in the order of arming. Only the slot being fired is sorted by time, stably. Slots
 * are chunks of (time, timer): queueing and sorting read no timer, so that no cache miss waits for
 * another one.
 * Source: Varghese, Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 7; sizes
 * measured in docs/decisions/0003-timing-wheel.md.
 */
#ifndef RAILSIM_ENGINE_WHEEL_H
#define RAILSIM_ENGINE_WHEEL_H

#include "sim/engine/sim.h"

#define SLOT_BITS 11  /* width of a slot of level 0: 2^11 ps */
#define LEVEL_BITS 12 /* slots per level: 2^12, so level 0 reaches 8 us ahead */
#define LEVEL_SLOTS (1 << LEVEL_BITS)
#define LEVELS ((63 - SLOT_BITS + LEVEL_BITS - 1) / LEVEL_BITS)
#define CHUNK 15      /* entries: a chunk is 256 bytes */
#define AHEAD 10      /* entries between the one that fires and the one that is prefetched */
#define NEAR 4        /* and the one whose hint is */
#define NEXT 2        /* and the one that is foreseen */
#define DEAD_MIN 4096 /* entries of stopped timers that are not worth a sweep */

/* struct timer_entry: a timer in the queue; timer NULL: it was stopped since. */
struct timer_entry {
    int64_t at_ps;
    struct timer *timer;
};

/* struct chunk: aligned to its size, so that the place behind the last entry tells that it is. */
struct chunk {
    struct chunk *next;
    int64_t unused;
    struct timer_entry entry[CHUNK];
};
_Static_assert(sizeof(struct chunk) == 256, "a power of two");

/* struct slot: entries in the order of arming, in chunks that are full but for the last; next:
 * the place for one more; NULL, as first, in an empty slot. */
struct slot {
    struct timer_entry *next;
    struct chunk *first;
};

/* struct due: an entry of the slot being fired. */
struct due {
    int64_t at_ps;
    struct timer_entry *entry;
};

/* struct level: bit i of word w says that slot 64 w + i is not empty (but all its timers may have
 * been stopped since), bit w of words that word w is not 0. */
struct level {
    uint64_t words;
    uint64_t word[LEVEL_SLOTS / 64];
    struct slot slot[LEVEL_SLOTS];
};
_Static_assert(LEVEL_SLOTS / 64 <= 64 && LEVEL_SLOTS >= 64, "one summary word per level");

struct sim {
    struct check_context context; /* first; the clock is context.now_ps */
    uint64_t cursor_ps;  /* begin of the slot being fired: no timer in the wheel lies before */
    uint64_t current_ps; /* its end: what is earlier goes to `due` */
    struct due *due;     /* [cap] of the slot being fired: head..n - 1, in firing order */
    int64_t head, n, cap, spare_cap;
    struct due *spare;    /* for sorting */
    struct slot current;  /* the slot being fired: where the entries of `due` are */
    struct slot present;  /* armed for this very moment, at this moment: after `due`'s */
    int64_t present_head; /* in its first chunk */
    struct chunk *free;
    int64_t dead, dead_max; /* entries of stopped timers; past dead_max they are swept out */
    uint64_t fingerprint;
    int64_t events, look, guard_ps; /* look: when to look up next; guard: end of max_wall_ps */
    bool finished;
    uint32_t components;
    uint32_t levels; /* bit l: level l may hold timers */
    struct arena *arena;
    timer_fn *foreseen; /* NULL: nothing is */
    sim_foresee_fn *foresee;
    struct level level[LEVELS];
};
_Static_assert(offsetof(struct sim, context) == 0 && offsetof(struct check_context, now_ps) == 0,
               "sim_now_ps looks there");

/* wheel_take makes the earliest slot the one being fired, or moves it down a level; all that was
 * being fired is. Returns false if the wheel is empty. */
bool wheel_take(struct sim *sim);
/* wheel_present is wheel_next while `present` is not empty; NULL: nothing is left for this moment.
 */
struct timer_entry *wheel_present(struct sim *sim);
/* wheel_put_back: the entry that was taken last is in the queue again; nothing was fired since. */
void wheel_put_back(struct sim *sim, const struct timer_entry *entry);

/* prefetch_after asks for the memory of owners that wake soon after the due number `at`: the misses
 * of several overlap. Behind the last one it asks for that again: cheaper than a branch that cannot
 * be foreseen. */
static inline __attribute__((always_inline)) void prefetch_after(const struct sim *sim, int64_t at)
{
    int64_t last = sim->n - 1;
    const struct timer *far = sim->due[at + AHEAD < last ? at + AHEAD : last].entry->timer;
    if (__builtin_expect(far != NULL, 1)) {
        __builtin_prefetch(far);
        __builtin_prefetch((const char *)far + 64);
    }
    const struct timer *near = sim->due[at + NEAR < last ? at + NEAR : last].entry->timer;
    if (__builtin_expect(near == NULL, 0)) return;
    __builtin_prefetch(near->hint); /* by now they can be read */
    __builtin_prefetch(near->hint_too);
    if (!sim->foreseen) return;
    const struct timer *next = sim->due[at + NEXT < last ? at + NEXT : last].entry->timer;
    if (next && next->hint && next->fn == sim->foreseen) sim->foresee(next->self, next->hint);
}

/* wheel_next takes the entry to fire next out of the queue; NULL if no timer is armed. */
static inline struct timer_entry *wheel_next(struct sim *sim)
{
    do {
        if (__builtin_expect(sim->present.first != NULL, 0)) {
            struct timer_entry *entry = wheel_present(sim);
            if (entry) return entry;
        }
        while (sim->head < sim->n) {
            struct timer_entry *entry = sim->due[sim->head++].entry;
            if (__builtin_expect(entry->timer != NULL, 1)) {
                prefetch_after(sim, sim->head - 1);
                return entry;
            }
            sim->dead--;
        }
    } while (wheel_take(sim));
    return NULL;
}

#endif
