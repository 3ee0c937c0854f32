/* sim.h - the clock, the timers, the run loop, its stop rules and guards.
 *
 * An event is a `struct timer` embedded in the component that it wakes: none is ever allocated,
 * arming again moves it, stopping removes it. Timers fire in the total order (at_ps, order of
 * arming). Behind timer_arm stands a hierarchical timing wheel of FIFO slots
 * (docs/decisions/0003-timing-wheel.md).
 */
#ifndef RAILSIM_ENGINE_SIM_H
#define RAILSIM_ENGINE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/check.h"

struct sim;
typedef void timer_fn(struct sim *sim, void *self);

/* struct timer: timer_init once, before anything else; it must not move while it is armed. Fields
 * are the engine's, but at_ps may be read. */
struct timer {
    struct timer_entry *entry; /* its place in the queue; NULL = not armed */
    int64_t at_ps;
    timer_fn *fn;
    void *self;
    const void *hint,
        *hint_too;      /* what fn will read besides: its owner may set it; sim only prefetches */
    uint32_t component; /* for fingerprint and trace: dense id of the owner */
    uint32_t kind;      /* which of the owner's timers */
};
_Static_assert(sizeof(struct timer) == 56, "a timer is less than a cache line");

/* enum sim_stop: why sim_run returned. */
enum sim_stop {
    SIM_DONE,       /* sim_finish was called */
    SIM_IDLE,       /* no timer is armed and nobody called sim_finish: the run is stuck */
    SIM_MAX_EVENTS, /* guards */
    SIM_MAX_TIME,
    SIM_MAX_WALL,
    SIM_MAX_MEM,
    SIM_STOPS
};

/* struct sim_limits: guards; 0 = none. Wall time, which counts from the first sim_run that limits
 * it, and memory are looked at every 65,536 events, and when sim_run begins. */
struct sim_limits {
    int64_t max_events, max_sim_ps, max_wall_ps, max_mem_bytes;
};

/* sim_new builds a simulation inside arena (which also serves its models). label is for messages
 * and must outlive the simulation. */
struct sim *sim_new(struct arena *arena, uint64_t seed, const char *label);

/* sim_now_ps returns the clock: the first field of a simulation. */
static inline int64_t sim_now_ps(const struct sim *sim)
{
    return ((const struct check_context *)sim)->now_ps;
}
struct arena *sim_arena(struct sim *sim);
uint64_t sim_seed(const struct sim *sim);

/* sim_component returns the next dense component id (0, 1, ...), in the order of building. */
uint32_t sim_component(struct sim *sim);

void timer_init(struct timer *timer, timer_fn *fn, void *self, uint32_t component, uint32_t kind);
/* timer_arm makes timer fire at at_ps (>= now); an armed timer is moved, behind those already armed
 * for the same moment. */
void timer_arm(struct sim *sim, struct timer *timer, int64_t at_ps);
/* timer_after is timer_arm at now + delay_ps. */
void timer_after(struct sim *sim, struct timer *timer, int64_t delay_ps);
/* timer_stop disarms timer; no effect if it is not armed. */
void timer_stop(struct sim *sim, struct timer *timer);
static inline bool timer_armed(const struct timer *timer)
{
    return timer->entry != NULL;
}

/* sim_foresee makes foresee be called shortly before a timer of fn fires (if it is known by then),
 * with its self and hint (if that is set), to prefetch what fn will touch besides. It must change
 * nothing. Worth its time only if much of that is not in the second-level cache. */
typedef void sim_foresee_fn(const void *self, const void *hint);
void sim_foresee(struct sim *sim, timer_fn *fn, sim_foresee_fn *foresee);

/* sim_finish makes sim_run return SIM_DONE after the current event. */
void sim_finish(struct sim *sim);
/* sim_run fires timers until a stop rule holds. No timer later than max_sim_ps fires (the clock
 * then stands at max_sim_ps); exactly max_events fire. It may be called again to go on. */
enum sim_stop sim_run(struct sim *sim, const struct sim_limits *limits);
/* sim_stop_name returns "ok", "deadlock", "max-events", "max-sim-time", "max-wall", "max-mem". */
const char *sim_stop_name(enum sim_stop stop);

int64_t sim_events(const struct sim *sim);
/* sim_fingerprint returns the running hash of (at_ps, component, kind) over all events fired. */
uint64_t sim_fingerprint(const struct sim *sim);

#endif
