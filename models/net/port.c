/* port.c - lazily committed transmissions, one event per packet and hop (port.h). */
#include "models/net/port.h"

#include "sim/base/units.h"

enum { TIMER_ARRIVAL, TIMER_START, TIMER_CHANGE, TIMER_WATCHDOG };
enum { SOURCE = -1 }; /* in place of a queue: a data packet that the NIC would make */

/* ---- small parts ----------------------------------------------------------------------------- */

int64_t port_serialise_slow_ps(const struct port *port, int64_t bytes)
{
    return units_serialise_ps(bytes, port->rate_bps);
}

static __attribute__((noinline)) void grow(struct port *port, struct port_ring *ring)
{
    uint32_t size = ring->slot ? 2 * ring->size : PORT_CHANGES_ROOM;
    uint64_t *bigger = arena_lines(sim_arena(port->net->sim), size * sizeof *bigger);
    for (uint32_t i = 0; i < ring->n; i++)
        bigger[i] = *port_ring_at(ring, i);
    *ring = (struct port_ring){.slot = bigger, .n = ring->n, .size = size};
}

static inline void push(struct port *port, struct port_ring *ring, uint64_t slot)
{
    if (__builtin_expect(ring->n == ring->size, 0)) grow(port, ring);
    *port_ring_at(ring, ring->n++) = slot;
}

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline struct port_queue *queue_of(struct port *port, int queue)
{
    return __builtin_expect(queue <= 1, 1) ? &port->queue[queue] : &port->share->queue[queue - 1];
}

static inline struct port_entry pop_queue(struct port *port, struct port_queue *queue)
{
    return port_queue_pop(&port->net->chunks, queue);
}

static inline struct packet *first_in_flight(const struct port *port)
{
    return packet_at(&port->net->packets, port_what(&port->flight, 0));
}

/* Takes the next packet off the link. */
static inline struct packet *land(struct port *port)
{
    struct packet *packet = first_in_flight(port);
    port_ring_pop(&port->flight);
    return packet;
}

/* ---- several classes, credits ---------------------------------------------------------------- */

/* Could the head of a data class start now? */
static bool is_able(const struct port *port, int class_)
{
    const struct port_queue *queue = class_ ? &port->share->queue[class_] : &port->queue[1];
    if (!port_queue_waits(queue) || port->paused >> class_ & 1) return false;
    return !port->credit || port->credit->left_bytes[class_] >= queue->first->wire_bytes;
}

/* Which of the classes in `able` goes first: strict ones in their order, then deficit round robin
 * (Shreedhar and Varghese 1995; a turn may overdraw by one packet and pays it back in the next).
 * turn and deficit are moved on as far as that takes. */
static int whose_turn(const struct port_net *net, unsigned able, struct port_share *share)
{
    for (int c = 0; c < net->classes; c++)
        if (net->weight[c] == 0 && able >> c & 1) return c;
    while (!(able >> share->turn & 1) || share->deficit_bytes[share->turn] <= 0) {
        if (!(able >> share->turn & 1)) share->deficit_bytes[share->turn] = 0;
        do
            share->turn = share->turn + 1 < net->classes ? share->turn + 1 : 0;
        while (net->weight[share->turn] == 0);
        share->deficit_bytes[share->turn] += net->weight[share->turn];
    }
    return share->turn;
}

/* The queue whose data starts next, and when. after: turn and deficit when it has; may be NULL. */
static int next_special(const struct port *port, int64_t *start_ps, struct port_share *after)
{
    unsigned able = 0;
    for (int c = 0; c < port->net->classes; c++)
        able |= (unsigned)is_able(port, c) << c;
    if (able == 0 && port->source) {
        *start_ps = port->net->next((struct port *)(uintptr_t)port, port->busy_ps);
        return SOURCE;
    }
    *start_ps = able ? port->busy_ps : INT64_MAX;
    if (!port->share || able == 0) return 1;
    struct port_share moved = *port->share;
    int class_ = whose_turn(port->net, able, &moved);
    if (after) *after = moved;
    return class_ + 1;
}

/* ---- committing ------------------------------------------------------------------------------ */

/* Which queue's packet starts next, and when; INT64_MAX if none can. Control goes first. */
static inline int next_start(const struct port *port, int64_t *start_ps)
{
    *start_ps = port->busy_ps;
    if (port_queue_waits(&port->queue[PACKET_CONTROL])) return PACKET_CONTROL;
    if (__builtin_expect(port->special, 0)) return next_special(port, start_ps, NULL);
    if (!port->paused) { /* the only class there is */
        if (port_queue_waits(&port->queue[1])) return 1;
        if (port->source) {
            *start_ps = port->net->next((struct port *)(uintptr_t)port, port->busy_ps);
            return SOURCE;
        }
    }
    *start_ps = INT64_MAX;
    return 1;
}

static inline void transmit(struct port *port, struct port_entry entry, int64_t start_ps)
{
    port->tx_bytes += entry.wire_bytes;
    port->busy_ps = start_ps + port_serialise_ps(port, entry.wire_bytes);
    int64_t at_ps = port->busy_ps + port->delay_ps;
    if (port->cut_bytes && entry.wire_bytes > port->cut_bytes)
        at_ps -= port_serialise_ps(port, entry.wire_bytes - port->cut_bytes);
    DCHECK(at_ps >= sim_now_ps(port->net->sim) &&
               at_ps - sim_now_ps(port->net->sim) < PORT_AHEAD_PS,
           "link %d: a packet is to arrive at %lld ps", port->link, (long long)at_ps);
    push(port, &port->flight, port_slot(at_ps, entry.packet));
}

static void make(struct port *port, int64_t start_ps)
{
    const struct packet *packet = port->net->make(port, start_ps);
    port->data_packets++;
    if (port->credit) port->credit->left_bytes[PACKET_QUEUE(packet) - 1] -= packet->wire_bytes;
    transmit(port, (struct port_entry){.packet = packet->self, .wire_bytes = packet->wire_bytes},
             start_ps);
}

/* A data packet starts that is in no queue (any more). */
static inline void send_data(struct port *port, struct port_entry entry, int64_t start_ps)
{
    port->data_packets++;
    /* Before leave, which may let a neighbour go and come back to this port. */
    transmit(port, entry, start_ps);
    port->net->leave(port, &entry, start_ps);
}

static void take_from_class(struct port *port, int class_, int64_t bytes)
{
    if (port->credit) port->credit->left_bytes[class_] -= bytes;
    if (!port->share) return;
    struct port_share after = {0};
    int64_t start_ps;
    next_special(port, &start_ps, &after);
    port->share->turn = after.turn;
    for (int c = 0; c < port->net->classes; c++)
        port->share->deficit_bytes[c] = after.deficit_bytes[c];
    if (port->net->weight[class_]) port->share->deficit_bytes[class_] -= bytes;
    port->share->queue_bytes[class_] -= bytes;
}

void port_commit(struct port *port, int64_t now_ps)
{
    do {
        int64_t start_ps;
        int which = next_start(port, &start_ps);
        if (start_ps > now_ps) return;
        if (which == SOURCE) {
            make(port, start_ps);
            continue;
        }
        struct port_queue *queue = queue_of(port, which);
        if (which == PACKET_CONTROL) {
            port->control_packets++;
            transmit(port, pop_queue(port, queue), start_ps);
            continue;
        }
        if (port->special) take_from_class(port, which - 1, queue->first->wire_bytes);
        struct port_entry entry = pop_queue(port, queue);
        port->queue_bytes -= entry.wire_bytes;
        send_data(port, entry, start_ps);
    } while (port->busy_ps <= now_ps);
}

/* ---- timers ---------------------------------------------------------------------------------- */

/* on_arrival will take the packet from the hint, and look when the one after it comes. */
static inline void arm_arrival(struct port *port, int64_t at_ps)
{
    port->timer.hint = first_in_flight(port);
    port->timer.hint_too = port_ring_at(&port->flight, 1);
    timer_arm(port->net->sim, &port->timer, at_ps);
}

void port_rearm(struct port *port)
{
    struct sim *sim = port->net->sim;
    int64_t start_ps;
    if (port->eager) {
        next_start(port, &start_ps);
        if (start_ps == INT64_MAX) {
            timer_stop(sim, &port->start);
        } else {
            timer_arm(sim, &port->start, later(start_ps, sim_now_ps(sim)));
        }
    }
    if (port->flight.n) {
        int64_t at_ps = port_when_ps(&port->flight, 0, sim_now_ps(sim));
        if (!timer_armed(&port->timer) || port->timer.at_ps != at_ps) arm_arrival(port, at_ps);
        return;
    }
    int queue = next_start(port, &start_ps);
    if (start_ps == INT64_MAX) {
        timer_stop(sim, &port->timer);
        return;
    }
    /* No later than anything can arrive. What a NIC's packet is, or which class's turn it is, is
     * not known yet: wake at the start, commit, and arm again. */
    int64_t at_ps = start_ps;
    if (queue != SOURCE && !port->special && !port->cut_bytes)
        at_ps += port_serialise_ps(port, port->queue[queue].first->wire_bytes) + port->delay_ps;
    port->timer.hint = port->timer.hint_too = NULL;
    timer_arm(sim, &port->timer, at_ps);
}

/* Idle: the packet starts at once, and is never in a queue. */
static inline void start_at_once(struct port *port, struct port_entry entry, int queue,
                                 int64_t now_ps)
{
    if (queue == PACKET_CONTROL) {
        port->control_packets++;
        transmit(port, entry, now_ps);
    } else {
        send_data(port, entry, now_ps);
    }
}

static inline void wait(struct port *port, struct port_entry entry, int queue)
{
    port_queue_push(&port->net->chunks, queue_of(port, queue), entry);
    if (queue == PACKET_CONTROL) return;
    port->queue_bytes += entry.wire_bytes;
    if (port->queue_bytes > port->queue_max_bytes) port->queue_max_bytes = port->queue_bytes;
    if (port->share) port->share->queue_bytes[queue - 1] += entry.wire_bytes;
}

static inline __attribute__((always_inline)) void
enqueue(struct port *port, const struct packet *packet, int queue, uint16_t account)
{
    int64_t now_ps = sim_now_ps(port->net->sim);
    const struct port_entry entry = {packet->self, packet->wire_bytes, account};
    port_advance(port, now_ps);
    if (port->busy_ps > now_ps) {
        wait(port, entry, queue);
    } else if (!port->eager && !port->special && (queue == PACKET_CONTROL || !port->paused)) {
        start_at_once(port, entry, queue, now_ps);
    } else {
        port->busy_ps = now_ps;
        wait(port, entry, queue);
        port_advance(port, now_ps);
    }
    if (port->eager || port->flight.n <= 1) port_rearm(port);
}

void port_enqueue(struct port *port, struct packet *packet, int queue, uint16_t account)
{
    enqueue(port, packet, queue, account);
}

void port_enqueue_control(struct port *port, struct packet *packet)
{
    enqueue(port, packet, PACKET_CONTROL, 0);
}

void port_drop(struct port *port, struct packet *packet)
{
    if (packet->type == PACKET_DATA) {
        port->drops++;
        port->drop_bytes += packet->wire_bytes;
    }
    packet_put(&port->net->packets, packet);
}

void port_give(struct port *port, int class_, int64_t bytes)
{
    int64_t now_ps = sim_now_ps(port->net->sim);
    port_advance(port, now_ps);
    port->credit->left_bytes[class_] += bytes;
    /* What waited for it could not have started before. */
    if (port->busy_ps < now_ps) port->busy_ps = now_ps;
    port_advance(port, now_ps);
    port_rearm(port);
}

/* Credit that a lost packet carries or holds is not lost: InfiniBand sends totals. */
static void lose(struct port *port, struct packet *packet)
{
    int class_ = PACKET_QUEUE(packet) - 1;
    if (packet->type == PACKET_DATA && port->credit) port_give(port, class_, packet->wire_bytes);
    if (packet->type == PACKET_CREDIT) port_give(port->reverse, class_, packet->ack);
    port_drop(port, packet);
}

/* Was a bit of it wrong? (1 - p)^bits by squaring: no pow, the same bits everywhere. */
static __attribute__((noinline)) bool is_lost(struct port *port, struct packet *packet)
{
    double whole = 1, power = 1 - port->bit_errors;
    for (int64_t bits = packet->wire_bytes * 8; bits; bits >>= 1, power *= power)
        if (bits & 1) whole *= power;
    if (packet->type == PACKET_CREDIT || rng_unit(&port->rng) < whole) return false;
    lose(port, packet);
    return true;
}

/* The timer was armed without a hint, when nothing was in flight: what has come? NULL: nothing. */
static __attribute__((noinline)) struct packet *look(struct port *port, int64_t now_ps)
{
    if (!port->flight.n) port_advance(port, now_ps);
    if (port->flight.n && port_when_ps(&port->flight, 0, now_ps) == now_ps) return land(port);
    return NULL;
}

static void on_arrival(struct sim *sim, void *self)
{
    struct port *port = self;
    int64_t now_ps = sim_now_ps(sim);
    struct packet *packet = (struct packet *)(uintptr_t)port->timer.hint;
    if (__builtin_expect(packet != NULL, 1))
        port_ring_pop(&port->flight);
    else
        packet = look(port, now_ps);
    if (port->flight.n) { /* the rest can wait: nobody is looking */
        arm_arrival(port, port_when_ps(&port->flight, 0, now_ps));
    } else {
        port_advance(port, now_ps);
        port_rearm(port);
    }
    if (!packet) return;
    if (__builtin_expect(port->faulty, 0) && is_lost(port, packet)) return;
    if (port->to_nic) {
        port->net->deliver_nic(port, packet);
    } else {
        port->net->deliver_switch(port, packet);
    }
}

static void on_start(struct sim *sim, void *self)
{
    struct port *port = self;
    port_advance(port, sim_now_ps(sim));
    port_rearm(port);
}

void port_eager(struct port *port, bool eager)
{
    if (port->eager == eager) return;
    port->eager = eager;
    port_advance(port, sim_now_ps(port->net->sim));
    if (eager) {
        port_rearm(port);
    } else {
        timer_stop(port->net->sim, &port->start);
    }
}

/* ---- pause and credit ------------------------------------------------------------------------ */

void port_pause(struct port *port, int class_, bool pause)
{
    int64_t now_ps = sim_now_ps(port->net->sim);
    uint8_t bit = (uint8_t)(1u << class_), paused = (uint8_t)(port->paused & ~bit);
    if (pause) paused |= bit;
    port_advance(port, now_ps);
    port->pauses += pause && !(port->paused & bit);
    if (paused && !port->paused) {
        port->paused_since = now_ps;
        if (port->net->watchdog_ps > 0)
            timer_after(port->net->sim, &port->watchdog, port->net->watchdog_ps);
    } else if (!paused && port->paused) {
        port->paused_ps += now_ps - port->paused_since;
        port->storm = false;
        timer_stop(port->net->sim, &port->watchdog);
    }
    /* What it held back could not have started before. */
    if (!pause && port->busy_ps < now_ps) port->busy_ps = now_ps;
    port->paused = paused;
    port_advance(port, now_ps);
    port_rearm(port);
}

static void on_change(struct sim *sim, void *self)
{
    struct port *port = self;
    struct port_ring *changes = &port->changes;
    int64_t now_ps = sim_now_ps(sim);
    while (changes->n && port_when_ps(changes, 0, now_ps) == now_ps) {
        uint32_t what = port_what(changes, 0);
        port_ring_pop(changes);
        port_pause(port, (int)(what >> 1), what & 1);
    }
    if (changes->n) timer_arm(sim, &port->change, port_when_ps(changes, 0, now_ps));
}

void port_send_pause(struct port *port, int class_, bool pause, int64_t after_ps)
{
    struct sim *sim = port->net->sim;
    struct port *to = port->reverse;
    int64_t now_ps = sim_now_ps(sim);
    if (port->down) return;
    port_advance(port, now_ps);
    port->busy_ps = later(port->busy_ps, now_ps) + port_serialise_ps(port, PORT_PAUSE_WIRE_BYTES);
    port->tx_bytes += PORT_PAUSE_WIRE_BYTES;
    port->pause_frames++;
    int64_t at_ps = later(port->busy_ps + port->delay_ps + after_ps, now_ps);
    push(to, &to->changes, port_slot(at_ps, (uint32_t)class_ << 1 | (uint32_t)pause));
    if (to->changes.n == 1) timer_arm(sim, &to->change, at_ps);
}

/* ---- faults ---------------------------------------------------------------------------------- */

void port_flush(struct port *port, int class_)
{
    struct port_queue *queue = queue_of(port, class_ + 1);
    int64_t now_ps = sim_now_ps(port->net->sim);
    while (port_queue_waits(queue)) {
        struct port_entry entry = pop_queue(port, queue);
        port->queue_bytes -= entry.wire_bytes;
        if (port->share) port->share->queue_bytes[class_] -= entry.wire_bytes;
        port->net->leave(port, &entry, now_ps);
        port_drop(port, packet_at(&port->net->packets, entry.packet));
    }
}

static void on_watchdog(struct sim *sim, void *self)
{
    struct port *port = self;
    port_advance(port, sim_now_ps(sim));
    port->storm = true;
    port->net->storms++;
    for (int c = 0; c < port->net->classes; c++)
        port_flush(port, c);
}

void port_set_rate(struct port *port, int64_t rate_bps)
{
    CHECK(rate_bps > 0, "a port without a rate");
    if (port->timer.fn) port_advance(port, sim_now_ps(port->net->sim));
    int64_t whole = 8 * PS_PER_S / rate_bps;
    bool exact = whole * rate_bps == 8 * PS_PER_S && whole <= UINT16_MAX;
    port->rate_bps = rate_bps;
    port->byte_ps = exact ? (uint16_t)whole : 0;
}

void port_set_errors(struct port *port, double bit_errors, uint64_t seed)
{
    port->faulty = bit_errors > 0;
    port->bit_errors = bit_errors;
    port->rng = (struct rng){seed};
}

void port_set_down(struct port *port, bool down)
{
    int64_t now_ps = sim_now_ps(port->net->sim);
    if (port->down == down) return;
    port_advance(port, now_ps);
    port->down = down;
    port->busy_ps = down ? INT64_MAX : now_ps;
    while (port->flight.n)
        lose(port, land(port));
    while (port_queue_waits(&port->queue[PACKET_CONTROL]))
        lose(port,
             packet_at(&port->net->packets, pop_queue(port, &port->queue[PACKET_CONTROL]).packet));
    for (int c = 0; c < port->net->classes; c++) {
        port_flush(port, c);
        if (port->paused >> c & 1) port_pause(port, c, false);
    }
    port->changes.n = 0;
    timer_stop(port->net->sim, &port->change);
    port_rearm(port);
}

void port_init(struct port *port)
{
    CHECK(port->delay_ps < PORT_AHEAD_PS / 2, "a link of %lld ps", (long long)port->delay_ps);
    port_set_rate(port, port->rate_bps);
    port->flight = (struct port_ring){.slot = port->flight_room, .size = PORT_FLIGHT_ROOM};
    port->net->chunks.arena = sim_arena(port->net->sim);
    port->component = sim_component(port->net->sim);
    if (port->net->foresee) sim_foresee(port->net->sim, on_arrival, port->net->foresee);
    timer_init(&port->timer, on_arrival, port, port->component, TIMER_ARRIVAL);
    timer_init(&port->start, on_start, port, port->component, TIMER_START);
    timer_init(&port->change, on_change, port, port->component, TIMER_CHANGE);
    timer_init(&port->watchdog, on_watchdog, port, port->component, TIMER_WATCHDOG);
}
