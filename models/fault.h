/* fault.h - what goes wrong with links during a run: down, slow, bit errors, pause storms.
 *
 * The list `faults` of a topology file; both fabrics take it by fabric_set_link, but bit errors
 * and storms need packets.
 */
#ifndef RAILSIM_MODELS_FAULT_H
#define RAILSIM_MODELS_FAULT_H

#include "models/fabric.h"
#include "models/topo/topo.h"
#include "sim/base/err.h"
#include "sim/io/schema.h"

enum fault_kind { FAULT_DOWN, FAULT_SLOW, FAULT_ERRORS, FAULT_STORM };

/* struct fault_cfg: an entry of the list. */
struct fault_cfg {
    const char *link; /* pattern of link names, as `railsim topo --dot` and results show them */
    int kind;         /* enum fault_kind */
    int64_t at_ps, for_ps; /* for 0 = to the end */
    int64_t rate_bps;
    double bit_errors;
};
extern const struct schema fault_schema;

/* fault_check looks whether every pattern meets a link of graph, and whether the fabric (packets:
 * that of packets, else of flows) knows such faults. */
bool fault_check(const struct schema_list *faults, const struct topo_graph *graph, bool packets,
                 struct err *err);
/* fault_start arms the faults of a run. */
void fault_start(const struct schema_list *faults, const struct topo_graph *graph,
                 struct fabric *fabric);

#endif
