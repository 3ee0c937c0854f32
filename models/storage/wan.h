/* wan.h - the line between training and storage: rate, delay, jitter, loss, buffer, other traffic.
 *
 * The default is an all-photonics line: fixed delay, no jitter, no loss, nobody else on it.
 */
#ifndef RAILSIM_MODELS_STORAGE_WAN_H
#define RAILSIM_MODELS_STORAGE_WAN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/io/schema.h"

/* struct wan_cfg: section `wan` of a topology file. */
struct wan_cfg {
    int64_t rate_bps, rtt_ps, distance_mm, delay_per_km_ps;
    int64_t jitter_ps, buffer_bytes, cross_bps;
    double loss;
};
extern const struct schema wan_schema;

/* struct wan: the line at run time, shared by all connections that cross it. */
struct wan {
    int64_t one_way_ps;
    int64_t free_bps; /* rate less the other traffic */
    int64_t jitter_ps;
    double loss;            /* per segment */
    int64_t limit_bytes[2]; /* in flight per direction before drops: BDP + buffer; 0 = never */
    int64_t inflight_bytes[2];
};

/* wan_init fills wan from cfg. */
void wan_init(struct wan *wan, const struct wan_cfg *cfg);

/* wan_enter takes bytes into the line, direction 0 or 1; false, and dropped, if its buffer has no
 * room. */
bool wan_enter(struct wan *wan, int direction, int64_t bytes);
/* wan_force is wan_enter for bytes that are sent again: they come first and always find room. */
void wan_force(struct wan *wan, int direction, int64_t bytes);
/* wan_leave gives bytes back when the sender knows that they arrived. */
void wan_leave(struct wan *wan, int direction, int64_t bytes);

#endif
