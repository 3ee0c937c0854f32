/* sim.c - the clock and the run loop: fires what the wheel hands out until a stop rule holds.
 *
 * Why apart: what a run is and when it ends; how timers are kept is wheel.c's.
 * Not modelled: threads.
 */
#include <sys/resource.h>
#include <time.h>

#include "sim/base/units.h"
#include "sim/engine/wheel.h"

#define LOOK_EVENTS 65536 /* guards of wall time and memory */

struct sim *sim_new(struct arena *arena, uint64_t seed, const char *label)
{
    struct sim *sim = ARENA_NEW(arena, struct sim);
    sim->arena = arena;
    sim->context = (struct check_context){.seed = seed, .label = label};
    sim->current_ps = UINT64_C(1) << SLOT_BITS;
    sim->dead_max = DEAD_MIN;
    sim->fingerprint = UINT64_C(0x9e3779b97f4a7c15); /* from 0, an event of zeros would not show */
    return sim;
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

void sim_foresee(struct sim *sim, timer_fn *fn, sim_foresee_fn *foresee)
{
    sim->foreseen = fn;
    sim->foresee = foresee;
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

/* fire wakes the owner of entry, which was taken out of the queue. */
static void fire(struct sim *sim, const struct timer_entry *entry)
{
    struct timer *timer = entry->timer;
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
        struct timer_entry *entry = wheel_next(sim);
        if (!entry) {
            stop = SIM_IDLE;
        } else if (entry->at_ps > last_ps) {
            wheel_put_back(sim, entry);
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
