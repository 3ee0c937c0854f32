/* sim.c - the event queue and the run loop: a hierarchical timing wheel.
 *
 * Why apart: the hot loop of the program; nothing else knows how timers are kept.
 * The one idea: a timer's level is the highest digit (of LEVEL_BITS bits) in which its time differs
 * from the cursor, its slot is that digit. So every slot of a level lies later than all slots of
 * the levels below it, the next slot is found by counting trailing zeros, and the slots of a level
 * are filled from above only while they are empty: plain FIFO lists then hold equal times in the
 * order of arming. Only the slot being fired is sorted by time, stably.
 * Source: Varghese, Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 7; sizes
 * measured in docs/decisions/0003-timing-wheel.md.
 * Not modelled: threads; time past 2^63 ps (106 days).
 */
#include "sim/engine/sim.h"

#include <sys/resource.h>
#include <time.h>

#include "sim/base/units.h"

#define SLOT_BITS 10  /* width of a slot of level 0: 2^10 ps */
#define LEVEL_BITS 12 /* slots per level: 2^12, so level 0 reaches 4 us ahead */
#define LEVEL_SLOTS (1 << LEVEL_BITS)
#define LEVELS ((63 - SLOT_BITS + LEVEL_BITS - 1) / LEVEL_BITS)
#define SORT_STEPS 32     /* of insertion before a slot is merge-sorted */
#define LOOK_EVENTS 65536 /* guards of wall time and memory */

/* struct level: bit i of word w says that slot 64 w + i may hold timers (it may have been stopped
 * since), bit w of words that word w is not 0. */
struct level {
    uint64_t words;
    uint64_t word[LEVEL_SLOTS / 64];
    struct timer_link slot[LEVEL_SLOTS];
};
_Static_assert(LEVEL_SLOTS / 64 <= 64 && LEVEL_SLOTS >= 64, "one summary word per level");

struct sim {
    struct check_context context; /* the clock is context.now_ps */
    uint64_t cursor_ps;  /* begin of the slot being fired: no timer in the wheel lies before */
    uint64_t current_ps; /* its end: what is earlier goes to `current` */
    struct timer_link current; /* the slot being fired, in firing order */
    struct timer_link present; /* armed for this very moment, at this moment: after `current`'s */
    uint64_t fingerprint;
    int64_t events, look; /* look: when the run loop next has to look up */
    bool finished;
    uint32_t components;
    uint32_t levels; /* bit l: level l may hold timers */
    struct arena *arena;
    struct level level[LEVELS];
};

static void list_init(struct timer_link *list)
{
    list->next = list->prev = list;
}

static void link_before(struct timer_link *place, struct timer_link *link)
{
    struct timer_link *prev = place->prev;
    link->next = place;
    link->prev = prev;
    prev->next = link;
    place->prev = link;
}

static void unlink_from(const struct timer_link *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
}

static void unlink_timer(struct timer *timer)
{
    unlink_from(&timer->link);
    timer->link.next = NULL;
}

static struct timer *timer_of(struct timer_link *link)
{
    return (struct timer *)(void *)link;
}

struct sim *sim_new(struct arena *arena, uint64_t seed, const char *label)
{
    struct sim *sim = ARENA_NEW(arena, struct sim);
    sim->arena = arena;
    sim->context = (struct check_context){.seed = seed, .label = label};
    sim->current_ps = UINT64_C(1) << SLOT_BITS;
    sim->fingerprint = UINT64_C(0x9e3779b97f4a7c15); /* from 0, an event of zeros would not show */
    list_init(&sim->current);
    list_init(&sim->present);
    for (int l = 0; l < LEVELS; l++)
        for (int i = 0; i < LEVEL_SLOTS; i++)
            list_init(&sim->level[l].slot[i]);
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

/* wheel_put appends timer to its slot; needs at_ps >= cursor_ps. */
static inline void wheel_put(struct sim *sim, struct timer *timer)
{
    uint64_t at = (uint64_t)timer->at_ps;
    uint64_t differ = ((at ^ sim->cursor_ps) >> SLOT_BITS) | 1;
    int l = differ < LEVEL_SLOTS ? 0 : (63 - __builtin_clzll(differ)) / LEVEL_BITS;
    uint32_t i = (uint32_t)(at >> (SLOT_BITS + l * LEVEL_BITS)) % LEVEL_SLOTS;
    struct level *level = &sim->level[l];
    level->word[i / 64] |= UINT64_C(1) << (i % 64);
    level->words |= UINT64_C(1) << (i / 64);
    sim->levels |= 1u << l;
    link_before(&level->slot[i], &timer->link);
}

/* current_put inserts timer into the slot being fired, behind its equals. */
static void current_put(struct sim *sim, struct timer *timer)
{
    if (timer->at_ps == sim->context.now_ps) {
        link_before(&sim->present, &timer->link);
        return;
    }
    struct timer_link *place = &sim->current;
    while (place->prev != &sim->current && timer_of(place->prev)->at_ps > timer->at_ps)
        place = place->prev;
    link_before(place, &timer->link);
}

void timer_arm(struct sim *sim, struct timer *timer, int64_t at_ps)
{
    CHECK(at_ps >= sim->context.now_ps, "timer %u of component %u armed for %lld ps, in the past",
          timer->kind, timer->component, (long long)at_ps);
    if (timer->link.next) unlink_timer(timer);
    timer->at_ps = at_ps;
    if ((uint64_t)at_ps < sim->current_ps)
        current_put(sim, timer);
    else
        wheel_put(sim, timer);
}

void timer_after(struct sim *sim, struct timer *timer, int64_t delay_ps)
{
    /* Past 2^63 the sum is negative and timer_arm refuses it. */
    timer_arm(sim, timer, (int64_t)((uint64_t)sim->context.now_ps + (uint64_t)delay_ps));
}

void timer_stop(struct sim *sim, struct timer *timer)
{
    (void)sim; /* the slot's bit stays: wheel_take finds the slot empty and goes on */
    if (timer->link.next) unlink_timer(timer);
}

/* run_merge merges two chains (linked by next, ended by NULL) by time; equals from a first. */
static struct timer_link *run_merge(struct timer_link *a, struct timer_link *b)
{
    struct timer_link *head, **tail = &head;
    while (a && b) {
        struct timer_link **least = timer_of(a)->at_ps <= timer_of(b)->at_ps ? &a : &b;
        *tail = *least;
        tail = &(*least)->next;
        *least = *tail;
    }
    *tail = a ? a : b;
    return head;
}

/* run_cut cuts the longest ascending run off the front of *rest and returns it. */
static struct timer_link *run_cut(struct timer_link **rest)
{
    struct timer_link *head = *rest, *last = head;
    while (last->next && timer_of(last->next)->at_ps >= timer_of(last)->at_ps)
        last = last->next;
    *rest = last->next;
    last->next = NULL;
    return head;
}

/* list_merge_sort sorts list stably by time: a natural merge sort, because constant delays leave a
 * few long runs. */
static void list_merge_sort(struct timer_link *list)
{
    struct timer_link *run[64]; /* run[k], k < top: 2^k runs merged or NULL; the last come first */
    int top = 0;
    struct timer_link *rest = list->next;
    list->prev->next = NULL;
    while (rest) {
        struct timer_link *merged = run_cut(&rest);
        int k = 0;
        for (; k < top && run[k]; k++) {
            merged = run_merge(run[k], merged);
            run[k] = NULL;
        }
        run[k] = merged;
        if (k == top) top++;
    }
    struct timer_link *all = NULL;
    for (int k = 0; k < top; k++)
        if (run[k]) all = run_merge(run[k], all);
    struct timer_link *prev = list;
    for (struct timer_link *link = all; link; prev = link, link = link->next) {
        prev->next = link;
        link->prev = prev;
    }
    prev->next = list;
    list->prev = prev;
}

/* list_sort sorts list stably by time: most are short or in order already, and a few steps of
 * insertion do; past SORT_STEPS of them it is merged. */
static void list_sort(struct timer_link *list)
{
    int steps = 0;
    for (struct timer_link *link = list->next->next, *next; link != list; link = next) {
        next = link->next;
        struct timer_link *place = link->prev;
        int64_t at_ps = timer_of(link)->at_ps;
        if (timer_of(place)->at_ps <= at_ps) continue;
        unlink_from(link);
        for (; place != list && timer_of(place)->at_ps > at_ps; steps++)
            place = place->prev;
        link_before(place->next, link);
        if (steps > SORT_STEPS) {
            list_merge_sort(list);
            return;
        }
    }
}

/* list_move appends all of a list that is not empty to the empty list `to`. */
static void list_move(struct timer_link *from, struct timer_link *to)
{
    *to = *from;
    to->next->prev = to->prev->next = to;
    list_init(from);
}

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

    int shift = SLOT_BITS + l * LEVEL_BITS;
    uint64_t digits = (uint64_t)(w * 64 + bit) << shift;
    uint64_t below = (uint64_t)(LEVEL_SLOTS - 1) << shift | ((UINT64_C(1) << shift) - 1);
    sim->cursor_ps = (sim->cursor_ps & ~below) | digits;
    sim->current_ps = sim->cursor_ps + (UINT64_C(1) << SLOT_BITS);

    struct timer_link *slot = &level->slot[w * 64 + bit];
    struct timer_link *link = slot->next;
    if (link == slot) return true;
    if (link->next == slot) {
        /* A lone timer needs no walk down the levels. */
        sim->cursor_ps = (uint64_t)timer_of(link)->at_ps >> SLOT_BITS << SLOT_BITS;
        sim->current_ps = sim->cursor_ps + (UINT64_C(1) << SLOT_BITS);
        list_init(slot);
        link_before(&sim->current, link);
    } else if (l == 0) {
        list_sort(slot);
        list_move(slot, &sim->current);
    } else {
        list_init(slot);
        for (struct timer_link *next; link != slot; link = next) {
            next = link->next;
            wheel_put(sim, timer_of(link));
        }
    }
    return true;
}

/* next_timer returns the timer to fire next, still linked; NULL if none is armed. */
static inline struct timer *next_timer(struct sim *sim)
{
    for (;;) {
        struct timer_link *link = sim->current.next;
        bool more = link != &sim->current;
        if (more && timer_of(link)->at_ps == sim->context.now_ps) return timer_of(link);
        if (sim->present.next != &sim->present) return timer_of(sim->present.next);
        if (more) return timer_of(link);
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
static enum sim_stop look_up(struct sim *sim, const struct sim_limits *limits, int64_t end_wall_ps)
{
    if (sim->finished) return SIM_DONE;
    if (limits->max_events && sim->events >= limits->max_events) return SIM_MAX_EVENTS;
    if (limits->max_wall_ps && wall_ps() >= end_wall_ps) return SIM_MAX_WALL;
    if (limits->max_mem_bytes && peak_bytes() > limits->max_mem_bytes) return SIM_MAX_MEM;
    sim->look = sim->events + LOOK_EVENTS;
    if (limits->max_events && limits->max_events < sim->look) sim->look = limits->max_events;
    return SIM_STOPS;
}

static void fire(struct sim *sim, struct timer *timer)
{
    /* x = kind : component; h = (h xor at xor x c1) c2, folded. Each step is a bijection of h, so
     * two runs that differ in one event keep different hashes until a second one differs. */
    uint64_t x = (uint64_t)timer->kind << 32 | timer->component;
    uint64_t h = sim->fingerprint ^ (uint64_t)timer->at_ps ^ x * UINT64_C(0x9e3779b97f4a7c15);
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    sim->fingerprint = h ^ h >> 32;
    unlink_timer(timer);
    sim->context.now_ps = timer->at_ps;
    sim->events++;
    timer->fn(sim, timer->self);
}

enum sim_stop sim_run(struct sim *sim, const struct sim_limits *limits)
{
    const int64_t last_ps = limits->max_sim_ps ? limits->max_sim_ps : INT64_MAX;
    const int64_t end_wall_ps = limits->max_wall_ps ? wall_ps() + limits->max_wall_ps : 0;
    enum sim_stop stop = SIM_STOPS;
    sim->look = 0;
    check_lend(&sim->context);
    while (stop == SIM_STOPS) {
        if (sim->events >= sim->look) {
            stop = look_up(sim, limits, end_wall_ps);
            continue;
        }
        struct timer *timer = next_timer(sim);
        if (!timer) {
            stop = SIM_IDLE;
        } else if (timer->at_ps > last_ps) {
            sim->context.now_ps = last_ps;
            stop = SIM_MAX_TIME;
        } else {
            fire(sim, timer);
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
