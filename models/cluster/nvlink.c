/* nvlink.c - hops between GPUs of one domain over their ports to the NVSwitch.
 *
 * The one idea: a hop's whole course is known when it gets the sender's port: it leaves from now
 * on, and the receiver's port takes it in at the same rate, from now or as soon as that port is
 * free. So a hop is one event, its arrival; one that finds the sender's port taken costs a second.
 *
 * Two hops to one GPU take turns whole, in the order in which they left; the switch holds what
 * waits. Source of rates: NVLink 4 of H100, 18 links x 25 GB/s each way.
 * NOT modelled: credits on NVLink (a full port of the receiver does not stop the sender), single
 * links of a port, the switch's own limits, headers of packets (they are in the efficiency); links
 * that are a mesh or a torus (collective_choice.c: what of it is).
 */
#include "models/cluster/nvlink.h"

#include "sim/base/units.h"

enum { TIMER_PORT, TIMER_ARRIVE };

struct port {
    int64_t out_free_ps, in_free_ps;
    struct nvlink_hop *first, *last; /* waiting to leave, one of each queue */
    struct nvlink_count count;
    struct timer timer;
};

struct nvlink {
    struct sim *sim;
    struct nvlink_cfg cfg;
    struct port *port; /* [gpus] */
    uint32_t component;
    int64_t bytes, bytes_ps, switch_bytes, switch_ps; /* the last sizes and their times */
};

/* Time of so many bytes on a port; most hops are as long as the one before. */
static int64_t port_ps(struct nvlink *nvlink, int64_t bytes, bool in_switch)
{
    if (in_switch) {
        if (bytes != nvlink->switch_bytes) {
            nvlink->switch_bytes = bytes;
            nvlink->switch_ps = units_serialise_ps(bytes, nvlink->cfg.switch_bps);
        }
        return nvlink->switch_ps;
    }
    if (bytes != nvlink->bytes) {
        nvlink->bytes = bytes;
        nvlink->bytes_ps = units_serialise_ps(bytes, nvlink->cfg.rate_bps);
    }
    return nvlink->bytes_ps;
}

static void arrive(struct sim *sim, void *self)
{
    struct nvlink_hop *hop = self;
    hop->done(sim, hop);
}

/* The sender's port is free. */
static void begin(struct nvlink *nvlink, struct nvlink_hop *hop)
{
    bool in_switch = hop->src == NVLINK_SWITCH || hop->dst == NVLINK_SWITCH;
    int64_t now_ps = sim_now_ps(nvlink->sim), takes_ps = port_ps(nvlink, hop->bytes, in_switch);
    int64_t end_ps = now_ps + takes_ps;
    if (hop->src != NVLINK_SWITCH) {
        struct port *port = &nvlink->port[hop->src];
        port->out_free_ps = end_ps;
        port->count.out_bytes += hop->bytes;
    }
    if (hop->dst != NVLINK_SWITCH) {
        struct port *port = &nvlink->port[hop->dst];
        if (port->in_free_ps > now_ps) end_ps = port->in_free_ps + takes_ps;
        port->in_free_ps = end_ps;
        port->count.in_bytes += hop->bytes;
    }
    int64_t delay_ps = in_switch ? nvlink->cfg.delay_ps / 2 : nvlink->cfg.delay_ps;
    timer_init(&hop->timer, arrive, hop, nvlink->component, TIMER_ARRIVE);
    timer_arm(nvlink->sim, &hop->timer, end_ps + delay_ps + hop->lag_ps);
}

static void append(struct nvlink_hop **first, struct nvlink_hop **last, struct nvlink_hop *hop)
{
    hop->next = NULL;
    if (*first)
        (*last)->next = hop;
    else
        *first = hop;
    *last = hop;
}

/* The first one leaves; the next of its queue goes to the end of the line. */
static void port_free(struct sim *sim, void *self)
{
    struct port *port = self;
    struct nvlink_hop *hop = port->first;
    struct nvlink_queue *queue = hop->queue;
    struct nvlink_hop *next = queue->first;
    port->first = hop->next;
    if (next) {
        queue->first = next->next;
        append(&port->first, &port->last, next);
    }
    queue->at_port = next != NULL;
    begin(hop->nvlink, hop);
    if (port->first) timer_arm(sim, &port->timer, port->out_free_ps);
}

void nvlink_send(struct nvlink *nvlink, struct nvlink_hop *hop)
{
    if (hop->src == NVLINK_SWITCH) {
        begin(nvlink, hop);
        return;
    }
    struct port *port = &nvlink->port[hop->src];
    struct nvlink_queue *queue = hop->queue;
    if (!port->first && port->out_free_ps <= sim_now_ps(nvlink->sim)) {
        begin(nvlink, hop);
        return;
    }
    hop->nvlink = nvlink;
    if (queue->at_port) {
        append(&queue->first, &queue->last, hop);
        return;
    }
    queue->at_port = true;
    if (!port->first) timer_arm(nvlink->sim, &port->timer, port->out_free_ps);
    append(&port->first, &port->last, hop);
}

struct nvlink *nvlink_new(struct sim *sim, const struct nvlink_cfg *cfg)
{
    struct nvlink *nvlink = ARENA_NEW(sim_arena(sim), struct nvlink);
    nvlink->sim = sim;
    nvlink->cfg = *cfg;
    nvlink->component = sim_component(sim);
    nvlink->bytes = nvlink->switch_bytes = -1;
    nvlink->port = ARENA_ARRAY(sim_arena(sim), struct port, cfg->gpus);
    for (int64_t g = 0; g < cfg->gpus; g++)
        timer_init(&nvlink->port[g].timer, port_free, &nvlink->port[g], nvlink->component,
                   TIMER_PORT);
    return nvlink;
}

struct nvlink_count nvlink_count(const struct nvlink *nvlink, int32_t gpu)
{
    return nvlink->port[gpu].count;
}
