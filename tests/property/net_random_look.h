/* net_random_look.h - for property tests: the books of a random packet fabric (net_random.h),
 * kept a second time from what lies in its queues and on its links. */
#ifndef RAILSIM_TESTS_NET_RANDOM_LOOK_H
#define RAILSIM_TESTS_NET_RANDOM_LOOK_H

#include "tests/property/net_random.h"

/* struct net_random_sums: of what lies in one port. */
struct net_random_sums {
    int64_t queue_bytes[PACKET_CLASSES_MAX], flight_bytes;
    int64_t flying_bytes[PACKET_CLASSES_MAX]; /* data */
    int64_t credit_bytes[PACKET_CLASSES_MAX]; /* that flies or waits to be told */
};

static inline void net_random_count(const struct net_random *random, const struct packet *packet,
                                    struct net_random_sums *sums)
{
    int c = PACKET_QUEUE(packet) - 1;
    NET_RANDOM_MUST(random, c < random->classes, "a packet of class %d", c);
    if (packet->type == PACKET_CREDIT) sums->credit_bytes[c] += packet->ack;
}

static inline struct net_random_sums net_random_sum(const struct net_random *random,
                                                    const struct port *port)
{
    struct net_random_sums sums = {0};
    for (uint32_t i = 0; i < port->flight.n; i++) {
        const struct packet *packet = packet_at(&random->net->packets, port_what(&port->flight, i));
        sums.flight_bytes += packet->wire_bytes;
        if (packet->type == PACKET_DATA)
            sums.flying_bytes[PACKET_QUEUE(packet) - 1] += packet->wire_bytes;
        net_random_count(random, packet, &sums);
    }
    const struct port_queue *control = &port->queue[PACKET_CONTROL];
    for (const struct port_entry *entry = control->first; entry != control->behind;
         entry = port_queue_next(control, entry))
        net_random_count(random, packet_at(&random->net->packets, entry->packet), &sums);
    for (int c = 0; c < random->classes; c++) {
        const struct port_queue *queue = c ? &port->share->queue[c] : &port->queue[1];
        for (const struct port_entry *entry = queue->first; entry != queue->behind;
             entry = port_queue_next(queue, entry))
            sums.queue_bytes[c] += entry->wire_bytes;
    }
    return sums;
}

/* Per link: what went in came out, is in flight, or was lost by a fault. */
static inline void net_random_look_link(const struct net_random *random, int64_t l,
                                        const struct net_random_sums *sums)
{
    const struct port *port = random->parts.port[l];
    const char *name = random->rig.graph.links[l].name;
    int64_t in = port->tx_bytes - port->pause_frames * PORT_PAUSE_WIRE_BYTES;
    int64_t out = random->arrived_bytes[l] + sums->flight_bytes, all = 0;
    NET_RANDOM_MUST(random, in == out || (random->broken[l] && in > out),
                    "%s: %" PRId64 " bytes in, %" PRId64 " out", name, in, out);
    for (int c = 0; c < random->classes; c++) {
        all += sums->queue_bytes[c];
        NET_RANDOM_MUST(random, port_class_bytes(port, c) == sums->queue_bytes[c] || !port->share,
                        "%s class %d: a queue of %" PRId64 " bytes", name, c,
                        port_class_bytes(port, c));
    }
    NET_RANDOM_MUST(random, port->queue_bytes == all,
                    "%s: a queue of %" PRId64 " bytes, not %" PRId64, name, port->queue_bytes, all);
}

/* Per account: what is charged is what lies in the queues. */
static inline void net_random_look_switch(const struct net_random *random,
                                          const struct net_switch *sw)
{
    int64_t account[64 * PACKET_CLASSES_MAX] = {0}, sum = 0;
    const bool ib = sw->cfg->link_layer == NET_INFINIBAND;
    const int64_t cell = sw->cfg->cell_bytes;
    assert_true(sw->port_n <= 64);
    for (int i = 0; i < sw->port_n; i++)
        for (int c = 0; c < random->classes; c++) {
            const struct port *port = &sw->ports[i];
            const struct port_queue *queue = c ? &port->share->queue[c] : &port->queue[1];
            for (const struct port_entry *entry = queue->first; entry != queue->behind;
                 entry = port_queue_next(queue, entry))
                account[entry->account] += (entry->wire_bytes + cell - 1) / cell * cell;
        }
    int64_t paused = 0;
    for (int a = 0; a < sw->port_n * random->classes; a++) {
        const struct switch_ingress *in = &sw->ingress[a];
        NET_RANDOM_MUST(random, in->bytes == account[a] && in->bytes >= 0,
                        "%s: account %d has %" PRId64 " bytes, not %" PRId64,
                        random->rig.graph.nodes[sw->node].name, a, in->bytes, account[a]);
        sum += in->bytes;
        paused += in->paused;
    }
    NET_RANDOM_MUST(random, sum == sw->bytes && (sw->max_bytes <= sw->cfg->buffer_bytes || ib),
                    "a buffer of %" PRId64 " bytes", sw->bytes);
    NET_RANDOM_MUST(random, paused == sw->paused_n, "%" PRId64 " neighbours are paused", paused);
}

/* Per lane of InfiniBand: credit is with the sender, or on its way as data, in the buffer, not told
 * yet, or on its way back. */
static inline void net_random_look_credit(const struct net_random *random, int64_t l,
                                          const struct net_random_sums *sums)
{
    const struct port *port = random->parts.port[l];
    if (!port->credit) return;
    const struct net_switch *sw = port->peer;
    struct net_random_sums back = net_random_sum(random, port->reverse);
    for (int c = 0; c < random->classes; c++) {
        const struct switch_ingress *in = &sw->ingress[port->peer_slot * random->classes + c];
        int64_t left = port->credit->left_bytes[c];
        int64_t all =
            left + sums->flying_bytes[c] + in->bytes + in->owed_bytes + back.credit_bytes[c];
        NET_RANDOM_MUST(random, left >= 0 && all == random->credit_bytes[l][c],
                        "%s class %d: %" PRId64 " bytes of credit left, %" PRId64
                        " in all of %" PRId64,
                        random->rig.graph.links[l].name, c, left, all, random->credit_bytes[l][c]);
    }
}

/* net_random_look: all laws that hold at any moment. */
static inline void net_random_look(const struct net_random *random)
{
    const struct net_totals sum = net_totals(random->rig.fabric);
    NET_RANDOM_MUST(
        random, sum.injected_bytes == sum.delivered_bytes + sum.dropped_bytes + sum.inflight_bytes,
        "%" PRId64 " bytes injected, %" PRId64 " delivered, %" PRId64 " dropped, %" PRId64
        " in flight",
        sum.injected_bytes, sum.delivered_bytes, sum.dropped_bytes, sum.inflight_bytes);
    for (int64_t l = 0; l < random->rig.graph.link_n; l++) {
        const struct net_random_sums sums = net_random_sum(random, random->parts.port[l]);
        net_random_look_link(random, l, &sums);
        net_random_look_credit(random, l, &sums);
    }
    for (int64_t v = 0; v < random->rig.graph.node_n; v++)
        if (random->parts.sw[v]) net_random_look_switch(random, random->parts.sw[v]);
    for (int i = 0; i < random->rig.msg_n; i++) {
        const struct net_rig_msg *m = &random->rig.m[i];
        NET_RANDOM_MUST(random, m->dones <= 1 && m->sents <= 1, "message %d: %d times", i,
                        m->dones);
    }
}

/* ---- running -------------------------------------------------------------------------------- */

/* net_random_run goes on to at_ps, or to the end, and returns why it stopped: SIM_IDLE also where
 * a deadlock was found (*deadlock). */
static inline enum sim_stop net_random_run(struct net_random *random, struct stuck *stuck,
                                           int64_t at_ps, bool *deadlock)
{
    for (;;) {
        int64_t next_ps = at_ps < stuck->due_ps ? at_ps : stuck->due_ps;
        struct sim_limits limits = {.max_sim_ps = next_ps, .max_events = 100000000};
        enum sim_stop stop = sim_run(random->rig.sim, &limits);
        if (stop != SIM_MAX_TIME) return stop;
        if (next_ps == stuck->due_ps && stuck_check(stuck)) {
            *deadlock = true;
            return SIM_IDLE;
        }
        if (next_ps == at_ps) return SIM_MAX_TIME;
    }
}

#endif
