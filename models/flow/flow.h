/* flow.h - the flow-level fabric: messages share links max-min fairly; no packets. */
#ifndef RAILSIM_MODELS_FLOW_FLOW_H
#define RAILSIM_MODELS_FLOW_FLOW_H

#include "models/fabric.h"
#include "models/topo/topo.h"
#include "sim/base/record.h"

/* flow_new builds the fabric over graph (which it keeps) in the simulation's arena. */
struct fabric *flow_new(struct sim *sim, struct topo_graph *graph);

/* flow_record stores per link: bytes on the wire, mean utilisation up to now. */
void flow_record(const struct fabric *fabric, struct record *record);

/* flow_link_bytes returns the wire bytes that crossed a link so far, for conservation tests. */
double flow_link_bytes(const struct fabric *fabric, int32_t link);

#endif
