/* sim.c - the event queue and the run loop: a hierarchical timing wheel.
 *
 * Why apart: the hot loop of the program; nothing else knows how timers are kept.
 * The one idea: a timer's level is the highest digit (of LEVEL_BITS bits) in which its time differs
 * from the cursor, its slot is that digit. So every slot of a level lies later than all slots of
 * the levels below it, the next slot is found by counting trailing zeros, and the slots of a level
 * are filled from above only while they are empty: plain FIFOs then hold equal times in the order
 * of arming. Only the slot being fired is sorted by time, stably. Slots are chunks of (time,
 * timer): queueing and sorting read no timer, so that no cache miss waits for another one.
 * Source: Varghese, Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 7; sizes
 * measured in docs/decisions/0003-timing-wheel.md.
 * Not modelled: threads; time past 2^63 ps (106 days).
 */
#include "sim/engine/sim.h"

#include <sys/resource.h>
#include <time.h>

#include "sim/base/units.h"

#define SLOT_BITS 11  /* width of a slot of level 0: 2^11 ps */
#define LEVEL_BITS 12 /* slots per level: 2^12, so level 0 reaches 8 us ahead */
#define LEVEL_SLOTS (1 << LEVEL_BITS)
#define LEVELS ((63 - SLOT_BITS + LEVEL_BITS - 1) / LEVEL_BITS)
#define DIGIT_BITS ((SLOT_BITS + 1) / 2) /* of the times in a slot: sorted in two passes */
#define DIGITS (1 << DIGIT_BITS)
#define CHUNK 15          /* entries: a chunk is 256 bytes */
#define FEW 24            /* entries that are sorted by insertion */
#define AHEAD 10          /* entries between the one that fires and the one that is prefetched */
#define NEAR 4            /* and the one whose hint is */
#define DEAD_MIN 4096     /* entries of stopped timers that are not worth a sweep */
#define LOOK_EVENTS 65536 /* guards of wall time and memory */

/* struct timer_entry: a timer in the queue; timer NULL: it was stopped since. */
struct timer_entry {
    int64_t at_ps;
    struct timer *timer;
};

struct chunk {
    struct chunk *next;
    int64_t n;
    struct timer_entry entry[CHUNK];
};

/* struct slot: entries in the order of arming; first NULL: empty. */
struct slot {
    struct chunk *first, *last;
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
    struct check_context context; /* the clock is context.now_ps */
    uint64_t cursor_ps;  /* begin of the slot being fired: no timer in the wheel lies before */
    uint64_t current_ps; /* its end: what is earlier goes to `current` */
    struct timer_entry *current; /* [cap] the slot being fired: head..n - 1, in firing order */
    int64_t head, n, cap, spare_cap;
    struct timer_entry *spare; /* for sorting */
    struct slot present;       /* armed for this very moment, at this moment: after `current`'s */
    int64_t present_head;      /* in its first chunk */
    struct chunk *free;
    int64_t dead, dead_max; /* entries of stopped timers; past dead_max they are swept out */
    uint64_t fingerprint;
    int64_t events, look, guard_ps; /* look: when to look up next; guard: end of max_wall_ps */
    bool finished;
    uint32_t components;
    uint32_t levels; /* bit l: level l may hold timers */
    struct arena *arena;
    struct level level[LEVELS];
};

static void current_reserve(struct sim *sim, int64_t n)
{
    sim->current = arena_grow(sim->arena, sim->current, &sim->cap, n, sizeof *sim->current);
}

struct sim *sim_new(struct arena *arena, uint64_t seed, const char *label)
{
    struct sim *sim = ARENA_NEW(arena, struct sim);
    sim->arena = arena;
    sim->context = (struct check_context){.seed = seed, .label = label};
    sim->current_ps = UINT64_C(1) << SLOT_BITS;
    sim->dead_max = DEAD_MIN;
    current_reserve(sim, CHUNK);
    sim->fingerprint = UINT64_C(0x9e3779b97f4a7c15); /* from 0, an event of zeros would not show */
    return sim;
}

int64_t sim_now_ps(const struct sim *sim)
{
    return sim->context.now_ps;
}

struct arena *sim_arena(struct sim *sim)
{
    return sim->arena;
}

uint64_t sim_seed(const struct sim *sim)
{
    return sim->context.seed;
}

uint32_t sim_component(struct sim *sim)
{
    return sim->components++;
}

void timer_init(struct timer *timer, timer_fn *fn, void *self, uint32_t component, uint32_t kind)
{
    *timer = (struct timer){.fn = fn, .self = self, .component = component, .kind = kind};
}

/* ---- slots ---------------------------------------------------------------------------------- */

/* slot_put appends entry and tells its timer. */
static inline void slot_put(struct sim *sim, struct slot *slot, struct timer_entry entry)
{
    struct chunk *chunk = slot->last;
    if (!slot->first || chunk->n == CHUNK) {
        chunk = sim->free ? sim->free : ARENA_NEW(sim->arena, struct chunk);
        sim->free = chunk->next; /* NULL in a new one */
        chunk->next = NULL;
        chunk->n = 0;
        *(slot->first ? &slot->last->next : &slot->first) = chunk;
        slot->last = chunk;
    }
    struct timer_entry *place = &chunk->entry[chunk->n++];
    *place = entry;
    entry.timer->entry = place;
}

/* chunk_drop recycles chunk and returns the next one. */
static inline struct chunk *chunk_drop(struct sim *sim, struct chunk *chunk)
{
    struct chunk *next = chunk->next;
    chunk->next = sim->free;
    sim->free = chunk;
    return next;
}

/* wheel_put appends entry to its slot; needs at_ps >= cursor_ps. */
static inline void wheel_put(struct sim *sim, struct timer_entry entry)
{
    uint64_t at = (uint64_t)entry.at_ps;
    uint64_t differ = ((at ^ sim->cursor_ps) >> SLOT_BITS) | 1;
    int l = differ < LEVEL_SLOTS ? 0 : (63 - __builtin_clzll(differ)) / LEVEL_BITS;
    uint32_t i = (uint32_t)(at >> (SLOT_BITS + l * LEVEL_BITS)) % LEVEL_SLOTS;
    struct level *level = &sim->level[l];
    level->word[i / 64] |= UINT64_C(1) << (i % 64);
    level->words |= UINT64_C(1) << (i / 64);
    sim->levels |= 1u << l;
    slot_put(sim, &level->slot[i], entry);
}

/* ---- the slot being fired ------------------------------------------------------------------- */

/* current_tell tells the timers of `current`, which has no gaps, where they are: by independent
 * stores, whose cache misses overlap. */
static void current_tell(struct sim *sim)
{
    for (int64_t i = sim->head; i < sim->n; i++)
        sim->current[i].timer->entry = &sim->current[i];
}

/* current_compact closes the gaps. */
static void current_compact(struct sim *sim)
{
    int64_t n = 0;
    for (int64_t i = sim->head; i < sim->n; i++) {
        sim->current[n] = sim->current[i];
        n += sim->current[n].timer != NULL;
    }
    sim->dead -= sim->n - sim->head - n;
    sim->head = 0;
    sim->n = n;
}

/* current_put inserts entry behind its equals. */
static void current_put(struct sim *sim, struct timer_entry entry)
{
    if (sim->n == sim->cap) {
        current_compact(sim);
        current_reserve(sim, 2 * sim->n + 1);
        current_tell(sim);
    }
    struct timer_entry *place = &sim->current[sim->n++], *head = &sim->current[sim->head];
    for (; place > head && place[-1].at_ps > entry.at_ps; place--) {
        *place = place[-1];
        if (place->timer) place->timer->entry = place;
    }
    *place = entry;
    entry.timer->entry = place;
}

/* scatter moves n entries from -> to, stably sorted by the digit of their time above shift. */
static void scatter(const struct timer_entry *from, struct timer_entry *to, int64_t n, int shift)
{
    uint32_t place[DIGITS] = {0};
    for (int64_t i = 0; i < n; i++)
        place[(uint64_t)from[i].at_ps >> shift & (DIGITS - 1)]++;
    uint32_t sum = 0;
    for (int d = 0; d < DIGITS; d++) {
        uint32_t count = place[d];
        place[d] = sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i++)
        to[place[(uint64_t)from[i].at_ps >> shift & (DIGITS - 1)]++] = from[i];
}

/* current_sort sorts `current` stably by time: times of a slot differ in SLOT_BITS bits only, so
 * many are sorted by two passes of a digit each. */
static void current_sort(struct sim *sim)
{
    struct timer_entry *e = sim->current;
    if (sim->n > FEW) {
        sim->spare = arena_grow(sim->arena, sim->spare, &sim->spare_cap, sim->n, sizeof *e);
        scatter(e, sim->spare, sim->n, 0);
        scatter(sim->spare, e, sim->n, DIGIT_BITS);
        return;
    }
    for (int64_t i = 1; i < sim->n; i++) {
        struct timer_entry entry = e[i];
        int64_t k = i;
        for (; k > 0 && e[k - 1].at_ps > entry.at_ps; k--)
            e[k] = e[k - 1];
        e[k] = entry;
    }
}

/* current_take makes the chunks of a slot `current`, which is empty. */
static void current_take(struct sim *sim, struct chunk *chunk)
{
    sim->head = sim->n = 0;
    for (; chunk; chunk = chunk_drop(sim, chunk)) {
        if (sim->n + CHUNK > sim->cap) current_reserve(sim, sim->n + CHUNK);
        for (int64_t i = 0; i < chunk->n; i++)
            sim->current[sim->n++] = chunk->entry[i];
    }
    if (sim->dead) current_compact(sim);
    current_sort(sim);
    current_tell(sim);
}

/* ---- arming and stopping -------------------------------------------------------------------- */

/* slot_sweep closes the gaps of a slot whose first `head` entries are fired; returns the rest. */
static int64_t slot_sweep(struct sim *sim, struct slot *slot, int64_t head)
{
    struct chunk *chunk = slot->first;
    int64_t n = 0;
    *slot = (struct slot){0};
    for (; chunk; chunk = chunk_drop(sim, chunk), head = 0)
        for (int64_t i = head; i < chunk->n; i++)
            if (chunk->entry[i].timer) {
                slot_put(sim, slot, chunk->entry[i]);
                n++;
            }
    return n;
}

/* sweep removes all entries of stopped timers: there are never more of them than DEAD_MIN or than
 * timers were armed at the last sweep, whichever is more. */
static void sweep(struct sim *sim)
{
    current_compact(sim);
    current_tell(sim);
    int64_t n = sim->n + slot_sweep(sim, &sim->present, sim->present_head);
    sim->present_head = 0;
    for (struct level *level = sim->level; level < sim->level + LEVELS; level++)
        for (int w = 0; w < LEVEL_SLOTS / 64; w++)
            for (uint64_t bits = level->word[w]; bits; bits &= bits - 1)
                n += slot_sweep(sim, &level->slot[w * 64 + __builtin_ctzll(bits)], 0);
    sim->dead = 0;
    sim->dead_max = n > DEAD_MIN ? n : DEAD_MIN;
}

void timer_stop(struct sim *sim, struct timer *timer)
{
    if (!timer->entry) return;
    /* The slot's bit stays: wheel_take finds the slot empty and goes on. */
    timer->entry->timer = NULL;
    timer->entry = NULL;
    if (++sim->dead > sim->dead_max) sweep(sim);
}

void timer_arm(struct sim *sim, struct timer *timer, int64_t at_ps)
{
    CHECK(at_ps >= sim->context.now_ps, "timer %u of component %u armed for %lld ps, in the past",
          timer->kind, timer->component, (long long)at_ps);
    timer_stop(sim, timer);
    timer->at_ps = at_ps;
    struct timer_entry entry = {at_ps, timer};
    if ((uint64_t)at_ps >= sim->current_ps)
        wheel_put(sim, entry);
    else if (at_ps == sim->context.now_ps)
        slot_put(sim, &sim->present, entry);
    else
        current_put(sim, entry);
}

void timer_after(struct sim *sim, struct timer *timer, int64_t delay_ps)
{
    /* Past 2^63 the sum is negative and timer_arm refuses it. */
    timer_arm(sim, timer, (int64_t)((uint64_t)sim->context.now_ps + (uint64_t)delay_ps));
}

/* ---- firing --------------------------------------------------------------------------------- */

/* wheel_take empties the earliest slot: from level 0 to `current`, from above down a level. Returns
 * false if the wheel is empty. */
static bool wheel_take(struct sim *sim)
{
    if (!sim->levels) return false;
    int l = __builtin_ctz(sim->levels);
    struct level *level = &sim->level[l];
    int w = __builtin_ctzll(level->words);
    int bit = __builtin_ctzll(level->word[w]);
    level->word[w] &= level->word[w] - 1;
    if (!level->word[w]) level->words &= level->words - 1;
    if (!level->words) sim->levels &= sim->levels - 1;

    struct slot *slot = &level->slot[w * 64 + bit];
    struct chunk *chunk = slot->first;
    slot->first = NULL;
    int shift = SLOT_BITS + l * LEVEL_BITS;
    uint64_t digits = (uint64_t)(w * 64 + bit) << shift;
    uint64_t below = (uint64_t)(LEVEL_SLOTS - 1) << shift | ((UINT64_C(1) << shift) - 1);
    sim->cursor_ps = (sim->cursor_ps & ~below) | digits;
    /* A lone timer needs no walk down the levels. */
    bool lone = chunk && chunk->n == 1 && !chunk->next;
    if (lone) sim->cursor_ps = (uint64_t)chunk->entry[0].at_ps >> SLOT_BITS << SLOT_BITS;
    sim->current_ps = sim->cursor_ps + (UINT64_C(1) << SLOT_BITS);
    if (l == 0 || lone) {
        current_take(sim, chunk);
        return true;
    }
    for (; chunk; chunk = chunk_drop(sim, chunk)) {
        for (int64_t i = 0; i < chunk->n; i++)
            if (chunk->entry[i].timer)
                wheel_put(sim, chunk->entry[i]);
            else
                sim->dead--;
    }
    return true;
}

/* present_first returns the first of `present`, or NULL. */
static struct timer_entry *present_first(struct sim *sim)
{
    struct slot *present = &sim->present;
    for (; present->first; present->first = chunk_drop(sim, present->first)) {
        for (; sim->present_head < present->first->n; sim->present_head++, sim->dead--) {
            struct timer_entry *entry = &present->first->entry[sim->present_head];
            if (entry->timer) return entry;
        }
        sim->present_head = 0;
    }
    return NULL;
}

/* next_entry returns the entry to fire next, still in its place; NULL if no timer is armed. */
static inline struct timer_entry *next_entry(struct sim *sim)
{
    for (;;) {
        for (; sim->head < sim->n && !sim->current[sim->head].timer; sim->head++)
            sim->dead--;
        struct timer_entry *entry = &sim->current[sim->head];
        bool more = sim->head < sim->n;
        if (more && entry->at_ps == sim->context.now_ps) return entry;
        struct timer_entry *present = sim->present.first ? present_first(sim) : NULL;
        if (present) return present;
        if (more) return entry;
        if (!wheel_take(sim)) return NULL;
    }
}

void sim_finish(struct sim *sim)
{
    sim->finished = true;
    sim->look = 0;
}

static int64_t wall_ps(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * PS_PER_S + t.tv_nsec * PS_PER_NS;
}

static int64_t peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

/* look_up decides whether the run goes on (SIM_STOPS) and when it has to be asked again. */
static enum sim_stop look_up(struct sim *sim, const struct sim_limits *limits)
{
    if (sim->finished) return SIM_DONE;
    if (limits->max_events && sim->events >= limits->max_events) return SIM_MAX_EVENTS;
    if (limits->max_wall_ps && wall_ps() >= sim->guard_ps) return SIM_MAX_WALL;
    if (limits->max_mem_bytes && peak_bytes() > limits->max_mem_bytes) return SIM_MAX_MEM;
    sim->look = sim->events + LOOK_EVENTS;
    if (limits->max_events && limits->max_events < sim->look) sim->look = limits->max_events;
    return SIM_STOPS;
}

/* fire takes the entry of next_entry out of the queue and wakes its owner. */
static void fire(struct sim *sim, struct timer_entry *entry)
{
    struct timer *timer = entry->timer;
    if (sim->head < sim->n && entry == &sim->current[sim->head])
        sim->head++;
    else
        sim->present_head++;
    /* Ask for the memory of an owner that wakes soon: the misses of several overlap. (In a function
     * of its own it does nothing: gcc 12 drops calls of what only prefetches.) */
    int64_t i = sim->head + AHEAD;
    const struct timer *soon = i < sim->n ? sim->current[i].timer : NULL;
    if (soon) {
        __builtin_prefetch(soon);
        __builtin_prefetch((const char *)soon + 64);
        __builtin_prefetch((const char *)soon + 128);
        __builtin_prefetch((const char *)soon + 192);
    }
    i = sim->head + NEAR; /* by now its hint can be read */
    soon = i < sim->n ? sim->current[i].timer : NULL;
    if (soon) __builtin_prefetch(soon->hint);
    /* x = kind : component; h = (h xor at xor x c1) c2, folded. Each step is a bijection of h, so
     * two runs that differ in one event keep different hashes until a second one differs. */
    uint64_t x = (uint64_t)timer->kind << 32 | timer->component;
    uint64_t h = sim->fingerprint ^ (uint64_t)entry->at_ps ^ x * UINT64_C(0x9e3779b97f4a7c15);
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    sim->fingerprint = h ^ h >> 32;
    timer->entry = NULL;
    sim->context.now_ps = entry->at_ps;
    sim->events++;
    timer->fn(sim, timer->self);
}

enum sim_stop sim_run(struct sim *sim, const struct sim_limits *limits)
{
    const int64_t last_ps = limits->max_sim_ps ? limits->max_sim_ps : INT64_MAX;
    if (limits->max_wall_ps && !sim->guard_ps) sim->guard_ps = wall_ps() + limits->max_wall_ps;
    enum sim_stop stop = SIM_STOPS;
    sim->look = 0;
    check_lend(&sim->context);
    while (stop == SIM_STOPS) {
        if (sim->events >= sim->look) {
            stop = look_up(sim, limits);
            continue;
        }
        struct timer_entry *entry = next_entry(sim);
        if (!entry) {
            stop = SIM_IDLE;
        } else if (entry->at_ps > last_ps) {
            sim->context.now_ps = last_ps;
            stop = SIM_MAX_TIME;
        } else {
            fire(sim, entry);
        }
    }
    check_lend(NULL);
    return stop;
}

const char *sim_stop_name(enum sim_stop stop)
{
    static const char *const names[] = {
        [SIM_DONE] = "ok",
        [SIM_IDLE] = "deadlock",
        [SIM_MAX_EVENTS] = "max-events",
        [SIM_MAX_TIME] = "max-sim-time",
        [SIM_MAX_WALL] = "max-wall",
        [SIM_MAX_MEM] = "max-mem",
    };
    _Static_assert(sizeof names / sizeof names[0] == SIM_STOPS, "one name per stop");
    return names[stop];
}

int64_t sim_events(const struct sim *sim)
{
    return sim->events;
}

uint64_t sim_fingerprint(const struct sim *sim)
{
    return sim->fingerprint;
}
