/* flow.h - the flow-level fabric: messages share links max-min fairly; no packets. */
#ifndef RAILSIM_MODELS_FLOW_FLOW_H
#define RAILSIM_MODELS_FLOW_FLOW_H

#include "models/fabric.h"
#include "models/topo/topo.h"
#include "sim/base/record.h"

/* flow_new builds the fabric over graph (which it keeps) in the simulation's arena: each message
 * takes one of several equally short paths, by a hash. */
struct fabric *flow_new(struct sim *sim, struct topo_graph *graph);
/* flow_new_spread is flow_new where the packets of a message spread over all of them: the links of
 * a hop carry as one (bundle.h). */
struct fabric *flow_new_spread(struct sim *sim, struct topo_graph *graph);

/* flow_set_rate changes the rate of a link from this instant on, which reaches all messages that
 * share links with its own; 0: the link is down. Where nothing is left of a hop its messages take
 * another way at once, if there is one, and else stand still until it comes back; new messages then
 * use it again. What the topology says stays what utilisation, excess_ps and fabric_path refer to.
 */
void flow_set_rate(struct fabric *fabric, int32_t link, int64_t rate_bps);

/* flow_stuck says for a run that cannot go on which messages stand still, "" if none: "2 messages
 * stand still: a>b is down"; in arena. */
const char *flow_stuck(const struct fabric *fabric, struct arena *arena);

/* flow_record stores per link: bytes on the wire, mean utilisation up to now. */
void flow_record(const struct fabric *fabric, struct record *record);

/* flow_arrived_bytes returns how much of the payload of a message, which was sent and whose owner
 * has not used it again, has left its sender (what is under way counts as there). */
double flow_arrived_bytes(const struct fabric_msg *msg);

/* flow_link_bytes returns the wire bytes that crossed a link up to this moment; of links that carry
 * as one each has its part, in proportion to its rate. */
double flow_link_bytes(const struct fabric *fabric, int32_t link);

#endif
