/* port.c - lazily committed transmissions, one event per packet and hop (port.h). */
#include "models/net/port.h"

#include "sim/base/units.h"

enum { TIMER_ARRIVAL, TIMER_START };
enum { CLASS_SOURCE = CLASSES }; /* a data packet that the NIC would make */

int64_t port_serialise_slow_ps(const struct port *port, int64_t bytes)
{
    return units_serialise_ps(bytes, port->rate_bps);
}

static void grow(struct port *port, struct port_ring *ring)
{
    uint32_t log = ring->slot ? ring->log + 1u : 3u;
    struct port_entry *bigger = ARENA_ARRAY(sim_arena(port->sim), struct port_entry, 1u << log);
    for (uint32_t i = 0; i < ring->n; i++)
        bigger[i] = *port_ring_at(ring, i);
    *ring = (struct port_ring){.slot = bigger, .n = ring->n, .log = log & 31};
}

static inline void push(struct port *port, struct port_ring *ring, int64_t at_ps,
                        struct packet *packet)
{
    if (!ring->slot || ring->n >> ring->log) grow(port, ring);
    *port_ring_at(ring, ring->n++) = (struct port_entry){at_ps, packet};
}

static inline struct port_entry pop(struct port_ring *ring)
{
    struct port_entry entry = *port_ring_at(ring, 0);
    ring->head++;
    ring->n--;
    return entry;
}

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Which class starts next, and when; INT64_MAX if none can. Control goes first if it is there by
 * the time that data could start. */
static inline int next_start(const struct port *port, int64_t *start_ps)
{
    int64_t data_ps = INT64_MAX;
    int class_ = CLASS_DATA;
    if (port->queue[CLASS_DATA].n && !port->paused) {
        const struct port_ring *ring = &port->queue[CLASS_DATA];
        int64_t came_ps = port_ring_at(ring, 0)->at_ps;
        data_ps = later(later(port->busy_ps, came_ps), port->ready_ps);
    } else if (port->owner->next && !port->paused) {
        class_ = CLASS_SOURCE;
        data_ps =
            port->owner->next((struct port *)(uintptr_t)port, later(port->busy_ps, port->ready_ps));
    }
    if (port->queue[CLASS_CONTROL].n) {
        const struct port_ring *ring = &port->queue[CLASS_CONTROL];
        int64_t came_ps = port_ring_at(ring, 0)->at_ps;
        int64_t control_ps = later(port->busy_ps, came_ps);
        if (control_ps <= data_ps) {
            *start_ps = control_ps;
            return CLASS_CONTROL;
        }
    }
    *start_ps = data_ps;
    return class_;
}

static inline void transmit(struct port *port, struct packet *packet, int64_t start_ps)
{
    port->tx_bytes += packet->wire_bytes;
    port->busy_ps = start_ps + port_serialise_ps(port, packet->wire_bytes);
    push(port, &port->flight, port->busy_ps + port->delay_ps, packet);
}

/* A packet that finds the port idle; ready_ps is in the past then. */
static inline void start(struct port *port, struct packet *packet, enum packet_class class_,
                         int64_t start_ps)
{
    transmit(port, packet, start_ps);
    if (class_ == CLASS_DATA) {
        port->data_packets++;
        port->owner->leave(port, packet, start_ps);
    } else {
        port->control_packets++;
    }
}

static inline void commit(struct port *port, int class_, int64_t start_ps)
{
    if (class_ == CLASS_SOURCE) {
        port->data_packets++;
        transmit(port, port->owner->make(port, start_ps), start_ps);
        return;
    }
    struct packet *packet = pop(&port->queue[class_]).packet;
    /* Before leave, which may let a neighbour go and come back to this port. */
    transmit(port, packet, start_ps);
    if (class_ == CLASS_DATA) {
        port->queue_bytes -= packet->wire_bytes;
        port->data_packets++;
        port->owner->leave(port, packet, start_ps);
    } else {
        port->control_packets++;
    }
}

void port_advance(struct port *port, int64_t now_ps)
{
    if (port->busy_ps > now_ps) return;
    for (;;) {
        int64_t start_ps;
        int class_ = next_start(port, &start_ps);
        if (start_ps > now_ps) return;
        commit(port, class_, start_ps);
        if (port->busy_ps > now_ps) return;
    }
}

void port_rearm(struct port *port)
{
    if (port->eager) {
        int64_t start_ps;
        next_start(port, &start_ps);
        if (start_ps == INT64_MAX) {
            timer_stop(port->sim, &port->start);
        } else {
            timer_arm(port->sim, &port->start, later(start_ps, sim_now_ps(port->sim)));
        }
    }
    if (port->flight.n) {
        port->timer.hint = port_ring_at(&port->flight, 0)->packet;
        int64_t at_ps = port_ring_at(&port->flight, 0)->at_ps;
        if (!timer_armed(&port->timer) || port->timer.at_ps != at_ps)
            timer_arm(port->sim, &port->timer, at_ps);
        return;
    }
    int64_t start_ps;
    int class_ = next_start(port, &start_ps);
    if (start_ps == INT64_MAX) {
        timer_stop(port->sim, &port->timer);
        return;
    }
    /* The earliest that anything can arrive: a packet of the size that is next. A NIC's packet is
     * not made yet: wake at its start, commit, and arm again. */
    int64_t at_ps = start_ps;
    if (class_ != CLASS_SOURCE) {
        const struct port_ring *ring = &port->queue[class_];
        const struct packet *packet = port_ring_at(ring, 0)->packet;
        at_ps += port_serialise_ps(port, packet->wire_bytes) + port->delay_ps;
    }
    timer_arm(port->sim, &port->timer, at_ps);
}

void port_enqueue(struct port *port, struct packet *packet, enum packet_class class_)
{
    int64_t now_ps = sim_now_ps(port->sim);
    port_advance(port, now_ps);
    if (port->busy_ps <= now_ps && !port->eager && (class_ == CLASS_CONTROL || !port->paused)) {
        /* Idle: it starts at once, and was never in a queue. */
        start(port, packet, class_, now_ps);
        if (port->flight.n == 1) port_rearm(port);
        return;
    }
    push(port, &port->queue[class_], now_ps, packet);
    if (class_ == CLASS_DATA) {
        port->queue_bytes += packet->wire_bytes;
        if (port->queue_bytes > port->queue_max_bytes) port->queue_max_bytes = port->queue_bytes;
    }
    port_advance(port, now_ps);
    if (port->eager || port->flight.n <= 1) port_rearm(port);
}

static void on_arrival(struct sim *sim, void *self)
{
    struct port *port = self;
    int64_t now_ps = sim_now_ps(sim);
    if (!port->flight.n) port_advance(port, now_ps);
    struct packet *packet = NULL;
    if (port->flight.n && port_ring_at(&port->flight, 0)->at_ps == now_ps)
        packet = pop(&port->flight).packet;
    if (port->flight.n) { /* the rest can wait: nobody is looking */
        port->timer.hint = port_ring_at(&port->flight, 0)->packet;
        timer_arm(sim, &port->timer, port_ring_at(&port->flight, 0)->at_ps);
    } else {
        port_advance(port, now_ps);
        port_rearm(port);
    }
    if (packet) port->peer_owner->deliver(port, packet);
}

static void on_start(struct sim *sim, void *self)
{
    struct port *port = self;
    port_advance(port, sim_now_ps(sim));
    port_rearm(port);
}

void port_pause(struct port *port, bool pause)
{
    int64_t now_ps = sim_now_ps(port->sim);
    port_advance(port, now_ps);
    if (pause && !port->paused) {
        port->pauses++;
        port->paused_since = now_ps;
    } else if (!pause && port->paused) {
        port->paused_ps += now_ps - port->paused_since;
        port->ready_ps = now_ps;
    }
    port->paused = pause;
    port_advance(port, now_ps);
    port_rearm(port);
}

void port_eager(struct port *port, bool eager)
{
    if (port->eager == eager) return;
    port->eager = eager;
    port_advance(port, sim_now_ps(port->sim));
    if (eager) {
        port_rearm(port);
    } else {
        timer_stop(port->sim, &port->start);
    }
}

void port_init(struct port *port)
{
    CHECK(port->rate_bps > 0, "a port without a rate");
    int64_t whole = 8 * PS_PER_S / port->rate_bps;
    port->byte_ps = whole * port->rate_bps == 8 * PS_PER_S ? (uint16_t)whole : 0;
    if (whole > UINT16_MAX) port->byte_ps = 0;
    port->component = sim_component(port->sim);
    timer_init(&port->timer, on_arrival, port, port->component, TIMER_ARRIVAL);
    timer_init(&port->start, on_start, port, port->component, TIMER_START);
}
