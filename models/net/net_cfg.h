/* net_cfg.h - section `network` of a topology file: which fabric, and the packet fabric's facts. */
#ifndef RAILSIM_MODELS_NET_NET_CFG_H
#define RAILSIM_MODELS_NET_NET_CFG_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/io/schema.h"

enum net_model { NET_FLOW, NET_PACKET };
enum net_link_layer { NET_ETHERNET, NET_INFINIBAND };
enum net_forwarding { NET_STORE_AND_FORWARD, NET_CUT_THROUGH };
enum net_delivery { NET_OUT_OF_ORDER, NET_IN_ORDER };
enum net_acks { NET_ACKS_CONTROL, NET_ACKS_DATA };
enum net_echo { NET_ECHO_CNP, NET_ECHO_ACK };
enum net_recovery { NET_GO_BACK_N, NET_SELECTIVE };

/* struct net_class: a class of data; weight 0 = strict. */
struct net_class {
    const char *name;
    int64_t weight;
};

struct net_cfg {
    int model; /* enum net_model */
    int64_t mtu_bytes;
    int delivery; /* enum net_delivery */
    int recovery; /* enum net_recovery */
    int acks;     /* enum net_acks */
    int64_t retransmit_ps;
    int64_t retries; /* 0 = for ever */
    struct {
        int64_t reorder_ps; /* 0 = adapts */
    } transport;
    struct {
        int64_t ack_every, gap_bytes;
        int64_t pcie_bps; /* 0 = no limit */
        int64_t rx_buffer_bytes, rx_xoff_bytes, rx_xon_bytes;
    } nic;
    struct {
        int64_t data_bytes, first_bytes, ack_bytes, telemetry_bytes;
    } framing; /* on the wire beside payload */
    struct schema_variant routing, cc;
    struct {
        bool on;
        int64_t kmin_bytes, kmax_bytes;
        double pmax;
        int64_t cnp_ps;
        int64_t per_bps; /* the thresholds are for this rate; 0 = for any */
        int echo;        /* enum net_echo */
    } ecn;
    struct {
        bool on;
        int64_t xoff_bytes, xon_bytes, headroom_bytes, response_ps, alpha_shift, watchdog_ps;
        int64_t deadlock_check_ps;
    } pfc;
    int64_t buffer_bytes, cell_bytes;
    int link_layer; /* enum net_link_layer */
    int forwarding; /* enum net_forwarding */
    int64_t credit_buffer_bytes, convergence_ps;
    struct schema_list classes; /* of struct net_class; none: one */
};
/* net_data_bytes, net_ack_bytes return what a data packet takes on the wire beside its payload, and
 * an acknowledgement. InfiniBand: LRH 8, BTH 12, ICRC 4, VCRC 2; AETH 4. */
static inline int64_t net_data_bytes(const struct net_cfg *cfg)
{
    return cfg->link_layer == NET_INFINIBAND ? 26 : cfg->framing.data_bytes;
}
static inline int64_t net_ack_bytes(const struct net_cfg *cfg)
{
    return cfg->link_layer == NET_INFINIBAND ? 30 : cfg->framing.ack_bytes;
}
extern const struct schema net_schema;

#endif
