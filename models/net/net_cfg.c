/* net_cfg.c - keys of the packet fabric. */
#include "models/net/net_cfg.h"

#include <string.h>

#include "models/cc/cc.h"
#include "models/net/buffers.h"
#include "models/route/route.h"

#define AT(member) offsetof(struct net_cfg, member)

static const char *const models[] = {"flow", "packet", NULL};
static const char *const link_layers[] = {"ethernet", "infiniband", NULL};
static const char *const forwardings[] = {"store-and-forward", "cut-through", NULL};
static const char *const deliveries[] = {"out-of-order", "in-order", NULL};
static const char *const recoveries[] = {"go-back-n", "selective", NULL};

static const char *const acks[] = {"control", "data", NULL};
static const char *const echoes[] = {"cnp", "ack", NULL};

static const struct schema_field ecn_fields[] = {
    {.key = "on",
     .type = SCHEMA_BOOL,
     .offset = AT(ecn.on) - AT(ecn),
     .fallback = "true",
     .help = "Mark packets at egress."},
    {.key = "kmin",
     .type = SCHEMA_SIZE,
     .offset = AT(ecn.kmin_bytes) - AT(ecn),
     .fallback = "800kB",
     .max = "1GB",
     .help = "Queue from which on packets are marked.",
     .source = "SimAI.conf for 400G: 800/3200 KB, 0.2"},
    {.key = "kmax",
     .type = SCHEMA_SIZE,
     .offset = AT(ecn.kmax_bytes) - AT(ecn),
     .fallback = "3200kB",
     .max = "1GB",
     .help = "Queue from which on all are marked.",
     .source = "SimAI.conf for 400G: 800/3200 KB, 0.2"},
    {.key = "pmax",
     .type = SCHEMA_FRACTION,
     .offset = AT(ecn.pmax) - AT(ecn),
     .fallback = "20%",
     .max = "100%",
     .help = "Probability just below kmax.",
     .source = "SimAI.conf for 400G: 800/3200 KB, 0.2"},
    {.key = "cnp_interval",
     .type = SCHEMA_TIME,
     .offset = AT(ecn.cnp_ps) - AT(ecn),
     .fallback = "4us",
     .max = "1s",
     .help = "Least time between two CNPs of a queue pair.",
     .source = "ConnectX: min_time_between_cnps 4 us"},
    {.key = "per",
     .type = SCHEMA_RATE,
     .offset = AT(ecn.per_bps) - AT(ecn),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "Port rate for which kmin and kmax hold, others in proportion; 0 = alike at all.",
     .source = "HPCC ns-3 run.py: KMIN_MAP and KMAX_MAP, in proportion to the rate"},
    {.key = "echo",
     .type = SCHEMA_ENUM,
     .offset = AT(ecn.echo) - AT(ecn),
     .fallback = "cnp",
     .words = echoes,
     .help = "How the receiver tells of marks to controls that know CNPs: cnp, or ack (in the "
             "acknowledgement of each packet).",
     .source = "SIGCOMM'15: CNPs; HPCC ns-3: acknowledgements"},
    {.key = NULL},
};

static const struct schema_field framing_fields[] = {
    {.key = "data",
     .type = SCHEMA_SIZE,
     .offset = AT(framing.data_bytes) - AT(framing),
     .fallback = "82B",
     .max = "1kB",
     .help = "Of each data packet: preamble 8, Ethernet 14, IPv4 20, UDP 8, BTH 12, ICRC 4, FCS 4, "
             "gap 12.",
     .source = "InfiniBand Architecture Specification, Annex A17"},
    {.key = "first",
     .type = SCHEMA_SIZE,
     .offset = AT(framing.first_bytes) - AT(framing),
     .fallback = "16B",
     .max = "1kB",
     .help = "More in the first packet of a message: RETH.",
     .source = "InfiniBand Architecture Specification, Annex A17"},
    {.key = "ack",
     .type = SCHEMA_SIZE,
     .offset = AT(framing.ack_bytes) - AT(framing),
     .fallback = "86B",
     .max = "1kB",
     .help = "An acknowledgement: as data, and AETH 4.",
     .source = "InfiniBand Architecture Specification, Annex A17"},
    {.key = "telemetry",
     .type = SCHEMA_SIZE,
     .offset = AT(framing.telemetry_bytes) - AT(framing),
     .fallback = "42B",
     .max = "1kB",
     .help = "More in data packets and acknowledgements if the control wants telemetry: five hops "
             "of 8 B, and their number.",
     .source = "HPCC ns-3, int-header.h"},
    {.key = NULL},
};

static const struct schema framing_schema = {
    .name = "framing",
    .help = "Bytes on the wire beside the payload; InfiniBand has its own: 26, 16, 30.",
    .size = sizeof(((struct net_cfg *)0)->framing),
    .fields = framing_fields,
};

static void check_ecn(const void *config, struct schema_check *check)
{
    const struct net_cfg *cfg = (const struct net_cfg *)((const char *)config - AT(ecn));
    if (cfg->ecn.kmin_bytes > cfg->ecn.kmax_bytes)
        schema_complain(check, "kmin", "C033: kmin is above kmax");
}

static const struct schema ecn_schema = {
    .name = "ecn",
    .help = "Explicit congestion notification: RED at egress, CNPs.",
    .size = sizeof(((struct net_cfg *)0)->ecn),
    .fields = ecn_fields,
    .check = check_ecn,
};

static const struct schema_field pfc_fields[] = {
    {.key = "on",
     .type = SCHEMA_BOOL,
     .offset = AT(pfc.on) - AT(pfc),
     .fallback = "true",
     .help = "Pause neighbours rather than drop."},
    {.key = "xoff",
     .type = SCHEMA_SIZE,
     .offset = AT(pfc.xoff_bytes) - AT(pfc),
     .fallback = "1GB",
     .max = "1GB",
     .help = "An ingress port that holds more pauses its neighbour (the dynamic threshold may be "
             "lower)."},
    {.key = "xon",
     .type = SCHEMA_SIZE,
     .offset = AT(pfc.xon_bytes) - AT(pfc),
     .fallback = "19456B",
     .max = "1GB",
     .help = "Below this it is let go.",
     .source = "SONiC, SN5600: xon 19456"},
    {.key = "alpha_shift",
     .type = SCHEMA_COUNT,
     .offset = AT(pfc.alpha_shift) - AT(pfc),
     .fallback = "3",
     .max = "20",
     .help = "Dynamic threshold: free buffer / 2^shift.",
     .source = "HPCC ns-3: pfc_a_shift 3"},
    {.key = "headroom",
     .type = SCHEMA_SIZE,
     .offset = AT(pfc.headroom_bytes) - AT(pfc),
     .fallback = "0B",
     .max = "1GB",
     .help = "What an ingress port takes in after it paused its neighbour; 0 = what its link needs "
             "(rate, delay, three frames, response)."},
    {.key = "response",
     .type = SCHEMA_TIME,
     .offset = AT(pfc.response_ps) - AT(pfc),
     .fallback = "100ns",
     .max = "1ms",
     .help = "From the arrival of a pause frame until it takes effect.",
     .source = "IEEE 802.3 31B.3.7 allows 1158 ns at 400G; hardware is faster [assumed]"},
    {.key = "watchdog",
     .type = SCHEMA_TIME,
     .offset = AT(pfc.watchdog_ps) - AT(pfc),
     .fallback = "200ms",
     .max = "1h",
     .help = "A port that is paused for so long takes it for a storm: it drops what waits and what "
             "comes until it is let go; 0 = never.",
     .source = "Meta, SIGCOMM 2024: a pause of more than 200 ms triggers it"},
    {.key = "deadlock_check",
     .type = SCHEMA_TIME,
     .offset = AT(pfc.deadlock_check_ps) - AT(pfc),
     .fallback = "1ms",
     .max = "1h",
     .help = "Look for a deadlock so often, less often in long runs: the second look that finds it "
             "ends the run; 0 = never (the watchdog may break it). Holds for credits, too."},
    {.key = NULL},
};
static void check_pfc(const void *config, struct schema_check *check)
{
    const struct net_cfg *cfg = (const struct net_cfg *)((const char *)config - AT(pfc));
    if (cfg->pfc.xon_bytes > cfg->pfc.xoff_bytes)
        schema_complain(check, "xon", "C034: xon is above xoff: a neighbour would never stop");
}

static const struct schema pfc_schema = {
    .name = "pfc",
    .help = "Priority flow control.",
    .size = sizeof(((struct net_cfg *)0)->pfc),
    .fields = pfc_fields,
    .check = check_pfc,
};

static const struct schema_field class_fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct net_class, name),
     .help = "What the class is called."},
    {.key = "weight",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct net_class, weight),
     .fallback = "1",
     .max = "1000",
     .help = "Share of a link relative to the other classes (deficit round robin); 0 = strict: "
             "before all others."},
    {.key = NULL},
};
static const struct schema class_schema = {
    .name = "class",
    .help = "A class of data with queues, pause and credits of its own.",
    .size = sizeof(struct net_class),
    .fields = class_fields,
};

static const struct schema_field transport_fields[] = {
    {.key = "reorder_window",
     .type = SCHEMA_TIME,
     .offset = AT(transport.reorder_ps) - AT(transport),
     .fallback = "0",
     .max = "1s",
     .help = "Selective repeat, out-of-order delivery: a packet is lost once another arrived that "
             "was sent so much later; 0 = a quarter of the unloaded round trip (all of it "
             "where every packet takes a way of its own), and more after each needless repetition.",
     .source = "RACK, RFC 8985 section 6.2"},
    {.key = NULL},
};

static const struct schema transport_schema = {
    .name = "transport",
    .help = "How queue pairs repeat what is lost.",
    .size = sizeof(((struct net_cfg *)0)->transport),
    .fields = transport_fields,
};

static const struct schema_field nic_fields[] = {
    {.key = "ack_every",
     .type = SCHEMA_COUNT,
     .offset = AT(nic.ack_every) - AT(nic),
     .fallback = "1",
     .min = "1",
     .max = "255",
     .help = "Packets per acknowledgement. The last of a message, a marked one, one out of place, "
             "and one that closes the window are acknowledged at once."},
    {.key = "inter_packet_gap",
     .type = SCHEMA_SIZE,
     .offset = AT(nic.gap_bytes) - AT(nic),
     .fallback = "12B",
     .min = "12B",
     .max = "9000B",
     .help = "Least distance of a data packet from the one before it, in bytes of line rate. 25B "
             "and 33B (with EVPN) are set by Spectrum-X reference architectures.",
     .source = "IEEE 802.3: 12; nic-configuration-operator, RA 1.3 to 2.2: 25 and 33"},
    {.key = "pcie_rate",
     .type = SCHEMA_RATE,
     .offset = AT(nic.pcie_bps) - AT(nic),
     .fallback = "0",
     .max = "100Tbps",
     .help = "Payload between NIC and host memory, each way; 0 = no limit. Gen5 x16 carries 55 to "
             "58 GB/s."},
    {.key = "rx_buffer",
     .type = SCHEMA_SIZE,
     .offset = AT(nic.rx_buffer_bytes) - AT(nic),
     .fallback = "262016B",
     .min = "10kB",
     .max = "1GB",
     .help = "Receive buffer of a NIC with a pcie_rate; what does not fit is dropped.",
     .source = "Mellanox community DOC-2933: port buffer size 262016"},
    {.key = "rx_xoff",
     .type = SCHEMA_SIZE,
     .offset = AT(nic.rx_xoff_bytes) - AT(nic),
     .fallback = "130944B",
     .max = "1GB",
     .help = "A NIC that holds more pauses its switch, if PFC is on.",
     .source = "half of rx_buffer, as DOC-2933 divides it [assumed]"},
    {.key = "rx_xon",
     .type = SCHEMA_SIZE,
     .offset = AT(nic.rx_xon_bytes) - AT(nic),
     .fallback = "65472B",
     .max = "1GB",
     .help = "Down to this it lets it go again.",
     .source = "half of rx_xoff [assumed]"},
    {.key = NULL},
};

static void check_nic(const void *config, struct schema_check *check)
{
    const struct net_cfg *cfg = (const struct net_cfg *)((const char *)config - AT(nic));
    if (cfg->nic.rx_xon_bytes > cfg->nic.rx_xoff_bytes)
        schema_complain(check, "rx_xon", "C071: rx_xon is above rx_xoff");
    if (cfg->nic.rx_xoff_bytes > cfg->nic.rx_buffer_bytes)
        schema_complain(check, "rx_xoff",
                        "C072: rx_xoff is above rx_buffer: the NIC would drop and never pause");
}

static const struct schema nic_schema = {
    .name = "nic",
    .help = "The network adapters of the endpoints.",
    .size = sizeof(((struct net_cfg *)0)->nic),
    .fields = nic_fields,
    .check = check_nic,
};

static const struct schema_field fields[] = {
    {.key = "model",
     .type = SCHEMA_ENUM,
     .offset = AT(model),
     .fallback = "flow",
     .words = models,
     .help = "flow: messages share links; packet: every packet (RoCEv2). `--fabric` sets it."},
    {.key = "mtu",
     .type = SCHEMA_SIZE,
     .offset = AT(mtu_bytes),
     .fallback = "4096B",
     .min = "256B",
     .max = "9000B",
     .help = "Payload of a full packet."},
    {.key = "delivery",
     .type = SCHEMA_ENUM,
     .offset = AT(delivery),
     .fallback = "out-of-order",
     .words = deliveries,
     .help = "out-of-order: packets are placed as they come (direct data placement); in-order: a "
             "gap is a loss."},
    {.key = "recovery",
     .type = SCHEMA_ENUM,
     .offset = AT(recovery),
     .fallback = "go-back-n",
     .words = recoveries,
     .help = "go-back-n: what follows a lost packet is sent again with it; selective: the receiver "
             "keeps what came early, and only what is missing is sent again."},
    {.key = "acks",
     .type = SCHEMA_ENUM,
     .offset = AT(acks),
     .fallback = "control",
     .words = acks,
     .help =
         "Class of acknowledgements in switches: control (ahead of data, never paused), or data "
         "(they queue with it).",
     .source = "Cumulus roce: their own class; HPCC ns-3: with data"},
    {.key = "retransmit",
     .type = SCHEMA_TIME,
     .offset = AT(retransmit_ps),
     .fallback = "4ms",
     .min = "1us",
     .max = "100s",
     .help = "Packets are sent again after so long (two idle round trips at least) unanswered."},
    {.key = "retries",
     .type = SCHEMA_COUNT,
     .offset = AT(retries),
     .fallback = "7",
     .max = "1000000",
     .help = "Timeouts in a row that a queue pair survives; the next ends the run; 0 = all.",
     .source = "InfiniBand Architecture Specification, 9.7.5: retry_cnt, 3 bits; NCCL: 7"},
    {.key = "buffer",
     .type = SCHEMA_SIZE,
     .offset = AT(buffer_bytes),
     .fallback = "158229504B",
     .min = "10kB",
     .max = "100GB",
     .help = "Packet buffer of a switch.",
     .source = "SONiC, SN5600: egress_lossless_pool"},
    {.key = "cell",
     .type = SCHEMA_SIZE,
     .offset = AT(cell_bytes),
     .fallback = "1B",
     .min = "1B",
     .max = "10kB",
     .help = "Packets take whole cells of the buffer; Spectrum-4: 192 B."},
    {.key = "forwarding",
     .type = SCHEMA_ENUM,
     .offset = AT(forwarding),
     .fallback = "store-and-forward",
     .words = forwardings,
     .help = "cut-through: a switch passes a packet on once it has its headers, if no link of the "
             "switch is faster than the one that it comes by."},
    {.key = "link_layer",
     .type = SCHEMA_ENUM,
     .offset = AT(link_layer),
     .fallback = "ethernet",
     .words = link_layers,
     .help = "infiniband: credits per virtual lane in place of PFC, 26 B of headers per packet."},
    {.key = "credit_buffer",
     .type = SCHEMA_SIZE,
     .offset = AT(credit_buffer_bytes),
     .fallback = "0B",
     .max = "1GB",
     .help =
         "infiniband: room of a switch for each port and virtual lane; 0 = an equal part of its "
         "buffer, at least what its link needs (rate, delay there and back, four frames).",
     .source = "assumed: buffers of InfiniBand switches are not published"},
    {.key = "classes",
     .type = SCHEMA_LIST,
     .offset = AT(classes),
     .section = &class_schema,
     .max = "8",
     .help = "Classes of data (virtual lanes); none given = one. Messages name theirs by number."},
    {.key = "convergence",
     .type = SCHEMA_TIME,
     .offset = AT(convergence_ps),
     .fallback = "10ms",
     .max = "1h",
     .help = "A link goes down or comes back: its two ends know at once, all other switches after "
             "this time. What is down from the beginning, all know.",
     .source = "assumed: BGP with fast fail-over within a fabric"},
    {.key = "framing",
     .type = SCHEMA_SECTION,
     .offset = AT(framing),
     .section = &framing_schema,
     .help = "Bytes on the wire beside the payload."},
    {.key = "routing",
     .type = SCHEMA_VARIANT,
     .offset = AT(routing),
     .fallback = "spray",
     .kinds = route_kinds,
     .help = "Which of several equal links a packet takes; model: flow: those that spread packets "
             "make one link of them, the others hash streams."},
    {.key = "cc",
     .type = SCHEMA_VARIANT,
     .offset = AT(cc),
     .fallback = "dcqcn",
     .kinds = cc_kinds,
     .help = "End-to-end congestion control."},
    {.key = "transport",
     .type = SCHEMA_SECTION,
     .offset = AT(transport),
     .section = &transport_schema,
     .help = "How queue pairs repeat what is lost."},
    {.key = "nic",
     .type = SCHEMA_SECTION,
     .offset = AT(nic),
     .section = &nic_schema,
     .help = "The network adapters of the endpoints."},
    {.key = "ecn",
     .type = SCHEMA_SECTION,
     .offset = AT(ecn),
     .section = &ecn_schema,
     .help = "Explicit congestion notification."},
    {.key = "pfc",
     .type = SCHEMA_SECTION,
     .offset = AT(pfc),
     .section = &pfc_schema,
     .help = "Priority flow control."},
    {.key = NULL},
};

static bool same_name(const struct schema_list *classes)
{
    const struct net_class *class_ = classes->items;
    for (int64_t a = 0; a < classes->n; a++)
        for (int64_t b = 0; b < a; b++)
            if (strcmp(class_[a].name, class_[b].name) == 0) return true;
    return false;
}

static const char *per_flow_kind(void)
{
    int i = 0;
    while (route_list[i] && !route_list[i]->per_flow)
        i++;
    return route_list[i] ? route_kinds[i]->name : "none";
}

static void check_net(const void *config, struct schema_check *check)
{
    const struct net_cfg *cfg = config;
    const int64_t frame_bytes = buffers_frame_bytes(cfg);
    if (cc_list[cfg->cc.index]->wants_hops && !route_list[cfg->routing.index]->per_flow)
        schema_complain(check, "routing",
                        "C035: %s compares what the hops of one path tell from packet to packet: "
                        "it needs a routing that keeps a flow on its path, like %s, not %s",
                        cfg->cc.kind, per_flow_kind(), cfg->routing.kind);
    if (same_name(&cfg->classes)) schema_complain(check, "classes", "C078: two have one name");
    if (cfg->link_layer != NET_INFINIBAND) return;
    if (cfg->acks == NET_ACKS_DATA)
        schema_complain(check, "acks",
                        "C073: infiniband: acknowledgements among data would need credit to give "
                        "credit back");
    if (cfg->cell_bytes > 1)
        schema_complain(check, "cell", "C074: infiniband: credit counts bytes, not cells");
    if (cfg->credit_buffer_bytes > 0 && cfg->credit_buffer_bytes < frame_bytes)
        schema_complain(check, "credit_buffer",
                        "C075: a packet of %lld B would never have credit: give room for one, or 0",
                        (long long)frame_bytes);
}

const struct schema net_schema = {
    .name = "network",
    .help = "How the network is simulated.",
    .size = sizeof(struct net_cfg),
    .fields = fields,
    .check = check_net,
};
