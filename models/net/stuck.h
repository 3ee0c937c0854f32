/* stuck.h - finds the deadlock of a lossless fabric, and names it.
 *
 * Links that PFC has paused, or that have no credit, can wait for each other in a circle: then none
 * of them ever sends again, and timers (retransmission) may keep the run going forever.
 */
#ifndef RAILSIM_MODELS_NET_STUCK_H
#define RAILSIM_MODELS_NET_STUCK_H

#include <stdbool.h>
#include <stdint.h>

#include "models/fabric.h"
#include "sim/base/arena.h"

/* stuck_text says in words what keeps a packet fabric from making progress: the links of a circle
 * (deadlock), or how many ports are paused, or "". Lives in arena. */
const char *stuck_text(const struct fabric *fabric, struct arena *arena);

/* struct stuck: looks for deadlocks while a packet fabric runs. */
struct stuck {
    const struct fabric *fabric;
    int64_t every_ps, due_ps; /* due: when stuck_check wants to be called next */
    int32_t suspect;          /* what stood still at the last check, -1 = nothing did */
    uint64_t front;           /* tells the packet in front of its queue */
};
/* stuck_init: looks every every_ps, less often in long runs; 0 = never. */
void stuck_init(struct stuck *stuck, const struct fabric *fabric, int64_t every_ps);
/* stuck_check, called at due_ps, tells whether the fabric is in a deadlock: true from the second
 * check on that finds the same queue in it. It changes nothing but stuck and costs next to nothing
 * while no switch pauses a neighbour. */
bool stuck_check(struct stuck *stuck);

#endif
