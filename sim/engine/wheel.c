/* wheel.c - the queue of timers: arming, stopping, and what comes next (wheel.h).
 *
 * Why apart: the hot half of the engine; nothing else knows how timers are kept.
 * Not modelled: time past 2^63 ps (106 days).
 */
#include "sim/engine/wheel.h"

#define DIGIT_BITS ((SLOT_BITS + 1) / 2) /* of the times in a slot: sorted in two passes */
#define DIGITS (1 << DIGIT_BITS)
#define BLOCK 16 /* chunks that are made at a time */
#define RUNS 8   /* ascending runs in a slot that are merged; more are sorted by digits */

void timer_init(struct timer *timer, timer_fn *fn, void *self, uint32_t component, uint32_t kind)
{
    *timer = (struct timer){.fn = fn, .self = self, .component = component, .kind = kind};
}

static void due_reserve(struct sim *sim, int64_t n)
{
    sim->due = arena_grow(sim->arena, sim->due, &sim->cap, n, sizeof *sim->due);
}

/* ---- slots ---------------------------------------------------------------------------------- */

static struct chunk *chunk_of(const struct timer_entry *entry)
{
    return (struct chunk *)((uintptr_t)entry & ~(sizeof(struct chunk) - 1));
}

/* chunks_end is the place behind the last entry of a chunk of slot. */
static inline struct timer_entry *chunk_end(const struct slot *slot, struct chunk *chunk)
{
    return chunk->next ? chunk->entry + CHUNK : slot->next;
}

static struct chunk *chunk_new(struct sim *sim)
{
    if (!sim->free) {
        const uintptr_t low = sizeof(struct chunk) - 1;
        uintptr_t block = (uintptr_t)arena_lines(sim->arena, BLOCK * sizeof(struct chunk) + low);
        struct chunk *chunk = (struct chunk *)((block + low) & ~low);
        for (int i = 0; i < BLOCK; i++)
            chunk[i].next = i + 1 < BLOCK ? &chunk[i + 1] : NULL;
        sim->free = chunk;
    }
    struct chunk *chunk = sim->free;
    sim->free = chunk->next;
    chunk->next = NULL;
    return chunk;
}

/* slot_extend adds a chunk to slot, which has no place left, and returns its first place. */
static __attribute__((noinline)) struct timer_entry *slot_extend(struct sim *sim, struct slot *slot)
{
    struct chunk *chunk = chunk_new(sim);
    *(slot->first ? &chunk_of(slot->next - 1)->next : &slot->first) = chunk;
    return chunk->entry;
}

/* slot_has_place: there is a place in the last chunk; not so in an empty slot. */
static inline bool slot_has_place(const struct slot *slot)
{
    return ((uintptr_t)slot->next & (sizeof(struct chunk) - 1)) != 0;
}

/* slot_put appends entry, tells its timer, and returns its place. */
static inline struct timer_entry *slot_put(struct sim *sim, struct slot *slot,
                                           struct timer_entry entry)
{
    struct timer_entry *place = slot_has_place(slot) ? slot->next : slot_extend(sim, slot);
    slot->next = place + 1;
    *place = entry;
    entry.timer->entry = place;
    return place;
}

/* slot_drop recycles the chunks of slot, which is then empty. */
static void slot_drop(struct sim *sim, struct slot *slot)
{
    if (!slot->first) return;
    chunk_of(slot->next - 1)->next = sim->free;
    sim->free = slot->first;
    *slot = (struct slot){0};
}

/* wheel_put_at appends entry to a slot of a level. */
static inline void wheel_put_at(struct sim *sim, struct timer_entry entry, int l)
{
    uint32_t i = (uint32_t)((uint64_t)entry.at_ps >> (SLOT_BITS + l * LEVEL_BITS)) % LEVEL_SLOTS;
    struct level *level = &sim->level[l];
    struct slot *slot = &level->slot[i];
    if (!slot->first) {
        level->word[i / 64] |= UINT64_C(1) << (i % 64);
        level->words |= UINT64_C(1) << (i / 64);
        sim->levels |= 1u << l;
    }
    slot_put(sim, slot, entry);
}

/* wheel_put appends entry to its slot; needs at_ps >= cursor_ps. */
static inline void wheel_put(struct sim *sim, struct timer_entry entry)
{
    uint64_t differ = ((uint64_t)entry.at_ps ^ sim->cursor_ps) >> SLOT_BITS;
    if (__builtin_expect(differ < LEVEL_SLOTS, 1)) {
        wheel_put_at(sim, entry, 0);
    } else {
        wheel_put_at(sim, entry, (63 - __builtin_clzll(differ)) / LEVEL_BITS);
    }
}

/* ---- the slot being fired ------------------------------------------------------------------- */

/* current_sweep removes what was fired or stopped. */
static void current_sweep(struct sim *sim)
{
    struct slot old = sim->current;
    int64_t n = 0;
    sim->current = (struct slot){0};
    for (int64_t i = sim->head; i < sim->n; i++) {
        struct timer_entry entry = *sim->due[i].entry;
        if (entry.timer)
            sim->due[n++] = (struct due){entry.at_ps, slot_put(sim, &sim->current, entry)};
        else
            sim->dead--;
    }
    sim->head = 0;
    sim->n = n;
    slot_drop(sim, &old);
}

/* current_put inserts entry behind its equals. */
static void current_put(struct sim *sim, struct timer_entry entry)
{
    if (sim->n == sim->cap) {
        current_sweep(sim);
        due_reserve(sim, 2 * sim->n + 1);
    }
    struct due *place = &sim->due[sim->n++], *head = &sim->due[sim->head];
    for (; place > head && place[-1].at_ps > entry.at_ps; place--)
        *place = place[-1];
    *place = (struct due){entry.at_ps, slot_put(sim, &sim->current, entry)};
}

/* scatter moves n entries from -> to, stably sorted by the digit of their time above shift. */
static void scatter(const struct due *from, struct due *to, int64_t n, int shift)
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

/* merge merges from[begin..middle - 1] with from[middle..end - 1], which come behind their equals,
 * into `to`. Without branches: which one is next cannot be foreseen. */
static void merge(const struct due *from, struct due *to, int64_t begin, int64_t middle,
                  int64_t end)
{
    const struct due *a = from + begin, *b = from + middle;
    const struct due *const a_end = b, *const b_end = from + end;
    to += begin;
    while (a < a_end && b < b_end) {
        int64_t later = b->at_ps < a->at_ps; /* a mask: of ?: the compiler would make a branch */
        *to++ = a[(b - a) & -later];
        b += later;
        a += 1 - later;
    }
    while (a < a_end)
        *to++ = *a++;
    while (b < b_end)
        *to++ = *b++;
}

/* due_sort sorts `due`, which consists of ascending runs (end[i] is the end of the i-th), stably by
 * time. Constant delays keep the order of what they delay, so there are few. Many are sorted by two
 * passes of a digit each: times of a slot differ in SLOT_BITS bits only. */
static void due_sort(struct sim *sim, int64_t *end, int64_t runs)
{
    sim->spare = arena_grow(sim->arena, sim->spare, &sim->spare_cap, sim->n, sizeof *sim->spare);
    if (runs > RUNS) {
        scatter(sim->due, sim->spare, sim->n, 0);
        scatter(sim->spare, sim->due, sim->n, DIGIT_BITS);
        return;
    }
    while (runs > 1) {
        int64_t k = 0, begin = 0;
        for (int64_t i = 0; i < runs; i += 2) {
            int64_t last = i + 1 < runs ? end[i + 1] : end[i];
            merge(sim->due, sim->spare, begin, end[i], last);
            end[k++] = begin = last;
        }
        struct due *sorted = sim->spare;
        int64_t cap = sim->spare_cap;
        sim->spare = sim->due;
        sim->spare_cap = sim->cap;
        sim->due = sorted;
        sim->cap = cap;
        runs = k;
    }
}

/* current_take makes slot, which is then empty, the one being fired; all of that is fired. */
static void current_take(struct sim *sim, struct slot *slot)
{
    int64_t end[RUNS + 1], runs = 0, n = 0, last_ps = INT64_MIN;
    slot_drop(sim, &sim->current);
    sim->current = *slot;
    *slot = (struct slot){0};
    for (struct chunk *chunk = sim->current.first; chunk; chunk = chunk->next) {
        if (n + CHUNK > sim->cap) due_reserve(sim, n + CHUNK);
        const struct timer_entry *behind = chunk_end(&sim->current, chunk);
        for (struct timer_entry *entry = chunk->entry; entry < behind; entry++) {
            if (!entry->timer) {
                sim->dead--;
                continue;
            }
            end[runs < RUNS ? runs : RUNS] = n;
            runs += entry->at_ps < last_ps;
            last_ps = entry->at_ps;
            sim->due[n++] = (struct due){last_ps, entry};
        }
    }
    sim->head = 0;
    sim->n = n;
    if (runs == 0) return;
    if (runs++ < RUNS) end[runs - 1] = n;
    due_sort(sim, end, runs);
}

/* ---- arming and stopping -------------------------------------------------------------------- */

/* slot_sweep removes the first `head` entries of a slot, which are fired, and those of stopped
 * timers; returns how many are left. */
static int64_t slot_sweep(struct sim *sim, struct slot *slot, int64_t head)
{
    struct slot old = *slot;
    int64_t n = 0;
    *slot = (struct slot){0};
    for (struct chunk *chunk = old.first; chunk; chunk = chunk->next, head = 0) {
        const struct timer_entry *behind = chunk_end(&old, chunk);
        for (const struct timer_entry *entry = chunk->entry + head; entry < behind; entry++)
            if (entry->timer) {
                slot_put(sim, slot, *entry);
                n++;
            }
    }
    slot_drop(sim, &old);
    return n;
}

/* sweep removes all entries of stopped timers: there are never more of them than DEAD_MIN or than
 * timers were armed at the last sweep, whichever is more. */
static __attribute__((noinline)) void sweep(struct sim *sim)
{
    current_sweep(sim);
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

/* arm_any is timer_arm wherever it goes. */
static __attribute__((noinline)) void arm_any(struct sim *sim, struct timer *timer, int64_t at_ps)
{
    const struct timer_entry entry = {at_ps, timer};
    CHECK(at_ps >= sim->context.now_ps, "timer %u of component %u armed for %lld ps, in the past",
          timer->kind, timer->component, (long long)at_ps);
    if (timer->entry) timer_stop(sim, timer);
    timer->at_ps = at_ps;
    if ((uint64_t)at_ps >= sim->current_ps)
        wheel_put(sim, entry);
    else if (at_ps == sim->context.now_ps)
        slot_put(sim, &sim->present, entry);
    else
        current_put(sim, entry);
}

void timer_arm(struct sim *sim, struct timer *timer, int64_t at_ps)
{
    /* The short way needs no call: a place in a slot of level 0 behind the one being fired. */
    uint64_t differ = ((uint64_t)at_ps ^ sim->cursor_ps) >> SLOT_BITS;
    struct slot *slot = &sim->level[0].slot[(uint64_t)at_ps >> SLOT_BITS & (LEVEL_SLOTS - 1)];
    if (__builtin_expect((uint64_t)at_ps < sim->current_ps || differ >= LEVEL_SLOTS ||
                             timer->entry || !slot_has_place(slot),
                         0)) {
        arm_any(sim, timer, at_ps);
        return;
    }
    struct timer_entry *place = slot->next++;
    *place = (struct timer_entry){at_ps, timer};
    timer->at_ps = at_ps;
    timer->entry = place;
}

void timer_after(struct sim *sim, struct timer *timer, int64_t delay_ps)
{
    /* Past 2^63 the sum is negative and timer_arm refuses it. */
    timer_arm(sim, timer, (int64_t)((uint64_t)sim->context.now_ps + (uint64_t)delay_ps));
}

/* ---- firing --------------------------------------------------------------------------------- */

/* The earliest slot: from level 0 to `current`, from above down a level. */
bool wheel_take(struct sim *sim)
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
    int shift = SLOT_BITS + l * LEVEL_BITS;
    uint64_t digits = (uint64_t)(w * 64 + bit) << shift;
    uint64_t below = (uint64_t)(LEVEL_SLOTS - 1) << shift | ((UINT64_C(1) << shift) - 1);
    sim->cursor_ps = (sim->cursor_ps & ~below) | digits;
    /* A lone timer needs no walk down the levels. */
    bool lone = slot->first && slot->next == slot->first->entry + 1;
    if (lone) sim->cursor_ps = (uint64_t)slot->first->entry[0].at_ps >> SLOT_BITS << SLOT_BITS;
    sim->current_ps = sim->cursor_ps + (UINT64_C(1) << SLOT_BITS);
    if (l == 0 || lone) {
        current_take(sim, slot);
        return true;
    }
    struct slot old = *slot;
    *slot = (struct slot){0};
    for (struct chunk *chunk = old.first; chunk; chunk = chunk->next) {
        const struct timer_entry *behind = chunk_end(&old, chunk);
        for (const struct timer_entry *entry = chunk->entry; entry < behind; entry++)
            if (entry->timer)
                wheel_put(sim, *entry);
            else
                sim->dead--;
    }
    slot_drop(sim, &old);
    return true;
}

/* present_first takes the first of `present`, or NULL. */
static struct timer_entry *present_first(struct sim *sim)
{
    struct slot *present = &sim->present;
    while (present->first) {
        struct chunk *chunk = present->first;
        struct timer_entry *entry = chunk->entry + sim->present_head;
        const struct timer_entry *behind = chunk_end(present, chunk);
        for (; entry < behind; entry++, sim->dead--) {
            sim->present_head++;
            if (entry->timer) return entry;
        }
        sim->present_head = 0;
        present->first = chunk->next;
        if (!chunk->next) present->next = NULL;
        chunk->next = sim->free;
        sim->free = chunk;
    }
    return NULL;
}

struct timer_entry *wheel_present(struct sim *sim)
{
    while (sim->head < sim->n && sim->due[sim->head].at_ps == sim->context.now_ps) {
        struct timer_entry *entry = sim->due[sim->head++].entry;
        if (entry->timer) return entry;
        sim->dead--;
    }
    return present_first(sim);
}

void wheel_put_back(struct sim *sim, const struct timer_entry *entry)
{
    if (sim->head > 0 && entry == sim->due[sim->head - 1].entry)
        sim->head--;
    else
        sim->present_head--;
}
