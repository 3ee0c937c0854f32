/* port_rig.h - for tests: an egress port alone, between two stand-ins that write down what leaves
 * and comes. cmocka.h is included before. */
#ifndef RAILSIM_TESTS_PORT_RIG_H
#define RAILSIM_TESTS_PORT_RIG_H

#include <stdio.h>
#include <string.h>

#include "models/net/port.h"
#include "sim/base/units.h"

#define LOG 32
#define DELAY_PS 1000
#define BYTE_PS 20 /* at 400 Gbit/s */

struct rig {
    struct arena arena;
    struct sim *sim;
    struct port_net net;
    struct port port, reverse;
    int packet_n;
    struct event {
        int64_t at_ps, called_ps;
        uint32_t seq;
    } left[LOG], came[LOG];
    int left_n, came_n;
    /* the source: packets of 100 bytes that may start at `ready_ps`, each 5000 ps after another */
    int source_n;
    int64_t ready_ps;
    struct timer timer[4];
    void (*act[4])(struct rig *rig);
    int acts;
};

static inline void leave(struct port *port, const struct port_entry *entry, int64_t at_ps)
{
    struct rig *rig = port->node;
    rig->left[rig->left_n++] = (struct event){at_ps, sim_now_ps(rig->sim),
                                              packet_at(&rig->net.packets, entry->packet)->seq};
}

static inline void deliver(struct port *port, struct packet *packet)
{
    struct rig *rig = port->peer;
    rig->came[rig->came_n++] =
        (struct event){sim_now_ps(rig->sim), sim_now_ps(rig->sim), packet->seq};
}

static inline int64_t next(struct port *port, int64_t at_ps)
{
    const struct rig *rig = port->node;
    if (rig->source_n == 0) return INT64_MAX;
    return rig->ready_ps > at_ps ? rig->ready_ps : at_ps;
}

static inline struct packet *new_packet(struct rig *rig, uint16_t bytes)
{
    struct packet *packet = packet_get(&rig->net.packets);
    packet->seq = (uint32_t)rig->packet_n++;
    packet->wire_bytes = bytes;
    return packet;
}

static inline struct packet *make(struct port *port, int64_t at_ps)
{
    struct rig *rig = port->node;
    rig->source_n--;
    rig->ready_ps = at_ps + 5000;
    return new_packet(rig, 100);
}

static inline void rig_open_classes(struct rig *rig, int64_t rate_bps, int classes)
{
    *rig = (struct rig){0};
    rig->sim = sim_new(&rig->arena, 1, "test_port");
    rig->net = (struct port_net){.sim = rig->sim,
                                 .leave = leave,
                                 .deliver_switch = deliver,
                                 .deliver_nic = deliver,
                                 .next = next,
                                 .make = make,
                                 .classes = classes};
    packet_pool_init(&rig->net.packets, &rig->arena, 0);
    rig->port = (struct port){.node = rig,
                              .peer = rig,
                              .net = &rig->net,
                              .rate_bps = rate_bps,
                              .reverse = &rig->reverse,
                              .delay_ps = DELAY_PS};
    rig->reverse = rig->port;
    rig->reverse.reverse = &rig->port;
    if (classes > 1) {
        rig->port.share = ARENA_NEW(&rig->arena, struct port_share);
        rig->port.special = true;
    }
    port_init(&rig->port);
    port_init(&rig->reverse);
}

static inline void rig_open(struct rig *rig, int64_t rate_bps)
{
    rig_open_classes(rig, rate_bps, 1);
}

static inline void rig_open_source(struct rig *rig, int64_t rate_bps)
{
    rig_open(rig, rate_bps);
    rig->port.source = true;
}

static inline void on_act(struct sim *sim, void *self)
{
    (void)sim;
    struct rig *rig = self;
    rig->act[rig->acts++](rig);
}

/* at: act is done at at_ps; in the order of time. */
static inline void at(struct rig *rig, int64_t at_ps, void (*act)(struct rig *rig))
{
    int i = 0;
    while (rig->act[i])
        i++;
    rig->act[i] = act;
    timer_init(&rig->timer[i], on_act, rig, sim_component(rig->sim), 0);
    timer_arm(rig->sim, &rig->timer[i], at_ps);
}

static inline void run(struct rig *rig)
{
    assert_int_equal(sim_run(rig->sim, &(struct sim_limits){0}), SIM_IDLE);
}

static inline void came(const struct rig *rig, int i, uint32_t seq, int64_t at_ps)
{
    assert_in_range(i, 0, rig->came_n - 1);
    assert_int_equal(rig->came[i].seq, seq);
    assert_int_equal(rig->came[i].at_ps, at_ps);
}

static inline void data(struct rig *rig)
{
    port_enqueue(&rig->port, new_packet(rig, 100), 1, 0);
}

static inline void three_data(struct rig *rig)
{
    for (int i = 0; i < 3; i++)
        data(rig);
}

static inline void control(struct rig *rig)
{
    port_enqueue(&rig->port, new_packet(rig, 10), PACKET_CONTROL, 0);
}

static inline void pause_it(struct rig *rig)
{
    port_pause(&rig->port, 0, true);
}

static inline void let_go(struct rig *rig)
{
    port_pause(&rig->port, 0, false);
}

#endif
