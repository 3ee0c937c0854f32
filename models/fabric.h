/* fabric.h - the seam: send this message from a to b, tell me when it is done.
 *
 * Whoever moves data (storage, collectives, training) talks to this and never sees a packet, so
 * that every workload runs on any fabric. Nodes are numbers in the topology's graph.
 */
#ifndef RAILSIM_MODELS_FABRIC_H
#define RAILSIM_MODELS_FABRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "models/bound.h"
#include "sim/base/units.h"
#include "sim/engine/sim.h"

struct fabric_msg;
struct fabric;
typedef void fabric_msg_fn(struct sim *sim, struct fabric_msg *msg);

/* struct framing: how payload is packed on the wire: each packet of up to payload_bytes costs
 * overhead_bytes more (headers, preamble, inter-packet gap). */
struct framing {
    int64_t payload_bytes, overhead_bytes;
};
/* RoCEv2 on the wire beside the payload: preamble 8, Ethernet 14, IPv4 20, UDP 8, BTH 12, ICRC 4,
 * FCS 4, inter-packet gap 12; RETH in the first packet of a message; an ACK with its AETH. */
#define FRAMING_ROCE_BYTES 82
#define FRAMING_ROCE_RETH_BYTES 16
#define FRAMING_ROCE_ACK_BYTES (FRAMING_ROCE_BYTES + 4)
/* framing_wire_bytes returns bytes with all packet overheads; at least one packet. */
static inline int64_t framing_wire_bytes(const struct framing *framing, int64_t bytes)
{
    int64_t packets = (bytes + framing->payload_bytes - 1) / framing->payload_bytes;
    return bytes + (packets > 0 ? packets : 1) * framing->overhead_bytes;
}

/* struct fabric_msg: owned by the sender, embedded in its state, untouched by it from fabric_send
 * until done. The fabric fills the part below the line. */
struct fabric_msg {
    int32_t src, dst;
    int64_t bytes;         /* payload */
    uint32_t stream;       /* queue pair or connection: messages of one stream share a path */
    uint8_t traffic_class; /* 0 to 7: the priority of its packets, where a fabric knows several */
    const struct framing *framing;
    fabric_msg_fn *sent; /* the last byte left src; may be NULL */
    fabric_msg_fn *done; /* the last byte arrived at dst */
    bool confirm;        /* done is called when src knows that: after the way back */
    void *owner;
    /* ---- */
    int64_t start_ps;  /* when fabric_send was called */
    int64_t excess_ps; /* longer than on an idle fabric; valid from `sent` on */
    enum bound bound;  /* the kind of link that limited it; valid from `sent` on */
    void *state;       /* the fabric's */
};

/* struct fabric_path: facts of an idle path, for senders that pace or keep windows. */
struct fabric_path {
    int64_t delay_ps;       /* propagation and latencies, one way */
    int64_t bottleneck_bps; /* slowest link */
    int64_t first_bps;      /* the sender's own link */
};

/* struct fabric_link: the state of a link of the graph, as a fault makes it. */
struct fabric_link {
    int64_t rate_bps;  /* 0 = down */
    double bit_errors; /* probability that a bit is wrong; fabrics without packets ignore it */
    bool storm;        /* the far end pauses it all the time; needs packets, too */
};

struct fabric_ops {
    void (*send)(struct fabric *fabric, struct fabric_msg *msg);
    struct fabric_path (*path)(struct fabric *fabric, int32_t src, int32_t dst);
    int64_t (*idle_ps)(struct fabric *fabric, const struct fabric_msg *msg); /* NULL: see below */
    void (*set_link)(struct fabric *fabric, int32_t link, const struct fabric_link *state);
};

/* struct fabric: a fabric embeds it as its first member. */
struct fabric {
    const struct fabric_ops *ops;
    struct sim *sim;
};

/* fabric_send takes msg into the fabric; callbacks come from later events, never from inside. */
static inline void fabric_send(struct fabric *fabric, struct fabric_msg *msg)
{
    fabric->ops->send(fabric, msg);
}
/* fabric_path returns the facts of the path that a message from src to dst takes. */
static inline struct fabric_path fabric_path(struct fabric *fabric, int32_t src, int32_t dst)
{
    return fabric->ops->path(fabric, src, dst);
}
/* fabric_idle_ps returns how long msg would take from fabric_send to done if all were idle; without
 * packets its bytes pass at the rate of the slowest link. */
static inline int64_t fabric_idle_ps(struct fabric *fabric, const struct fabric_msg *msg)
{
    if (fabric->ops->idle_ps) return fabric->ops->idle_ps(fabric, msg);
    struct fabric_path path = fabric_path(fabric, msg->src, msg->dst);
    return (msg->confirm ? 2 : 1) * path.delay_ps +
           units_serialise_ps(framing_wire_bytes(msg->framing, msg->bytes), path.bottleneck_bps);
}

/* fabric_set_link changes a link during a run. */
static inline void fabric_set_link(struct fabric *fabric, int32_t link,
                                   const struct fabric_link *state)
{
    fabric->ops->set_link(fabric, link, state);
}

#endif
