/* transport.c - one direction of a connection: windows, bursts, processing, loss (transport.h).
 *
 * The life of a burst: wire (fabric) -> receiver's processing -> acknowledgement, each a timer or a
 * fabric callback. Bursts of one direction stay in order, so the list in flight is a queue.
 */
#include "models/storage/transport.h"

#include <string.h>

#include "sim/base/units.h"

#define BURSTS_PER_WINDOW 16
#define BURST_BYTES_MAX (1 << 20)
#define RTO_MIN_PS (200 * PS_PER_MS) /* RFC 6298's floor as Linux sets it */

enum burst_state { BURST_WIRE, BURST_LOST, BURST_ARRIVED, BURST_PROCESSING };

struct burst {
    struct fabric_msg msg;
    struct timer timer; /* processing, loss detection, acknowledgement */
    struct timer sack;  /* acknowledgement of bytes that arrived before missing ones */
    struct transport *transport;
    struct burst *next;
    int64_t off, bytes, sent_ps, arrived_ps, acked_at_send;
    enum burst_state state;
    bool dropped; /* by the line's buffer: all of it is missing */
    bool in_pipe; /* counts against the congestion window */
    bool in_wan;
};

struct transport {
    struct transport_cfg cfg;
    struct sim *sim;
    struct rng rng;
    struct pool bursts;
    struct burst *first, *last;        /* in flight and not yet delivered, in order */
    struct transport_msg *head, *tail; /* not yet delivered */
    int64_t queued_off, sent_off, delivered_off, freed_off;
    int64_t pipe_bytes, cwnd_bytes, acked_bytes;
    int64_t recovery_off;  /* losses below this belong to a cut already made */
    int64_t cwnd_held_off; /* sent_off when the congestion window last held the sender */
    int64_t process_free_ps, ready_ps, last_send_ps;
    int64_t delay_ps, back_ps;         /* path there and back */
    int64_t first_bps, bottleneck_bps; /* the sender's port; the slowest link */
    struct fabric_msg *on_wire;        /* the burst being transmitted */
    struct timer pace;                 /* towards a buffer: the burst has left the sender's port */
    bool paced;
    struct bound_ledger holders, held; /* what bursts spend time on; what held the sender */
    int64_t held_since_ps;
    enum bound held_by;
    bool holding;
    int direction;
    uint32_t component;
    struct transport_stats stats;
    union {
        int64_t align;
        char bytes[TCP_LAW_STATE_MAX];
    } law;
};

enum { TIMER_PROCESSED, TIMER_ACK, TIMER_SACK, TIMER_LOSS, TIMER_PACE };

static void pump(struct transport *t);

static int64_t round_trip_ps(const struct transport *t)
{
    return t->delay_ps + t->back_ps;
}

/* Ledgers remember about this much. */
static int64_t memory_ps(const struct transport *t)
{
    return 32 * round_trip_ps(t) + PS_PER_MS;
}

/* ---- what holds the sender up ---------------------------------------------------------------- */

static void account(struct transport *t)
{
    int64_t now_ps = sim_now_ps(t->sim);
    if (t->holding && now_ps > t->held_since_ps) {
        enum bound bound = !t->on_wire ? t->held_by : t->paced ? BOUND_NIC : t->on_wire->bound;
        bound_add_fading(&t->held, bound, now_ps - t->held_since_ps, memory_ps(t));
    }
    t->held_since_ps = now_ps;
}

static enum bound window_bound(const struct transport *t)
{
    bool congestion = t->cfg.window_bytes == 0 || t->cwnd_bytes < t->cfg.window_bytes;
    return congestion ? BOUND_CONGESTION : BOUND_WINDOW;
}

/* ---- receiver -------------------------------------------------------------------------------- */

/* processing_ps: how long the last burst stood at the receiver; where that is most of a message's
 * wait, no window held the sender, but the socket's thread is the limit all the same. */
static void complete_messages(struct transport *t, int64_t processing_ps)
{
    struct sim *sim = t->sim;
    while (t->head && t->head->end_off <= t->delivered_off) {
        struct transport_msg *msg = t->head;
        t->head = msg->next;
        if (!t->head) t->tail = NULL;
        int64_t took_ps = sim_now_ps(sim) - msg->start_ps;
        msg->wait_ps = took_ps > t->delay_ps ? took_ps - t->delay_ps : 0;
        msg->bound = 2 * processing_ps > msg->wait_ps ? BOUND_CLIENT
                                                      : bound_largest(&t->held, window_bound(t));
        msg->done(sim, msg);
    }
}

static void law_step(struct transport *t, struct tcp_signal *signal)
{
    signal->now_ps = sim_now_ps(t->sim);
    signal->mss_bytes = t->cfg.framing->payload_bytes;
    t->cwnd_bytes = t->cfg.law->step(&t->law, signal);
}

/* Beyond the receive window the congestion window is no limit, whatever held a round trip ago. */
static bool cwnd_counts(const struct transport *t)
{
    return t->cfg.window_bytes == 0 || t->cwnd_bytes <= t->cfg.window_bytes;
}

/* The sender learns that the bytes of burst arrived: they leave the congestion window. */
static void acknowledge(struct transport *t, struct burst *burst)
{
    if (!burst->in_pipe) return;
    burst->in_pipe = false;
    t->pipe_bytes -= burst->bytes;
    t->acked_bytes += burst->bytes;
    if (burst->in_wan) wan_leave(t->cfg.wan, t->direction, burst->bytes);
    int64_t took_ps = sim_now_ps(t->sim) - burst->sent_ps;
    int64_t acked_bytes = t->acked_bytes - burst->acked_at_send;
    law_step(t, &(struct tcp_signal){
                    .event = TCP_ACK,
                    .window_limited = t->cwnd_held_off >= burst->off && cwnd_counts(t),
                    .rtt_ps = took_ps,
                    .acked_bytes = burst->bytes,
                    .delivered_bps =
                        took_ps > 0 ? (int64_t)((double)acked_bytes * 8e12 / (double)took_ps) : 0});
}

static void on_sack(struct sim *sim, void *self)
{
    (void)sim;
    struct burst *burst = self;
    account(burst->transport);
    acknowledge(burst->transport, burst);
    pump(burst->transport);
}

static void on_ack(struct sim *sim, void *self)
{
    (void)sim;
    struct burst *burst = self;
    struct transport *t = burst->transport;
    account(t);
    timer_stop(sim, &burst->sack);
    acknowledge(t, burst);
    t->freed_off += burst->bytes;
    pool_put(&t->bursts, burst);
    pump(t);
}

/* Segments are acknowledged, and room for others made, as they come through the slower of wire and
 * processing: a whole burst is late by all but its last one. */
static int64_t acknowledgement_ps(const struct transport *t, const struct burst *burst)
{
    int64_t more = burst->bytes - t->cfg.framing->payload_bytes;
    if (more <= 0) return t->back_ps;
    int64_t early_ps =
        units_serialise_ps(framing_wire_bytes(t->cfg.framing, more), t->bottleneck_bps);
    int64_t process_ps = t->cfg.process_bps > 0 ? units_serialise_ps(more, t->cfg.process_bps) : 0;
    if (early_ps < process_ps) early_ps = process_ps;
    return t->back_ps > early_ps ? t->back_ps - early_ps : 0;
}

static void on_processed(struct sim *sim, void *self)
{
    struct burst *burst = self;
    struct transport *t = burst->transport;
    int64_t now_ps = sim_now_ps(sim);
    int64_t keep_ps = BURSTS_PER_WINDOW * memory_ps(t);
    bound_add_fading(&t->holders, BOUND_CLIENT, now_ps - burst->arrived_ps, keep_ps);
    bound_add_fading(&t->holders, burst->msg.bound, burst->msg.excess_ps, keep_ps);
    bound_add_fading(&t->holders, window_bound(t), round_trip_ps(t), keep_ps);
    t->delivered_off += burst->bytes;
    t->stats.delivered_bytes += burst->bytes;
    CHECK(t->first == burst, "a burst was processed before one that was sent earlier");
    t->first = burst->next;
    if (!t->first) t->last = NULL;
    timer_init(&burst->timer, on_ack, burst, t->component, TIMER_ACK);
    timer_after(sim, &burst->timer, acknowledgement_ps(t, burst));
    complete_messages(t, now_ps - burst->arrived_ps);
}

/* Process in order whatever is there; the thread of the socket takes one burst after another. */
static void process(struct transport *t)
{
    int64_t now_ps = sim_now_ps(t->sim);
    for (struct burst *burst = t->first; burst; burst = burst->next) {
        if (burst->state == BURST_PROCESSING) continue;
        if (burst->state != BURST_ARRIVED) return;
        burst->state = BURST_PROCESSING;
        int64_t ready_ps = burst->arrived_ps > now_ps ? burst->arrived_ps : now_ps; /* jitter */
        int64_t at_ps = ready_ps;
        if (t->cfg.process_bps > 0) { /* segment by segment while the burst arrives */
            int64_t mss = t->cfg.framing->payload_bytes, first_ps = burst->sent_ps + t->delay_ps;
            int64_t begin_ps = t->process_free_ps > first_ps ? t->process_free_ps : first_ps;
            at_ps = begin_ps + units_serialise_ps(burst->bytes, t->cfg.process_bps);
            int64_t last = burst->bytes < mss ? burst->bytes : mss;
            ready_ps += units_serialise_ps(last, t->cfg.process_bps);
        }
        if (at_ps < ready_ps) at_ps = ready_ps;
        if (at_ps < t->process_free_ps) at_ps = t->process_free_ps;
        t->process_free_ps = at_ps;
        timer_init(&burst->timer, on_processed, burst, t->component, TIMER_PROCESSED);
        timer_arm(t->sim, &burst->timer, at_ps);
    }
}

/* ---- loss ------------------------------------------------------------------------------------ */

/* 1 - (1 - p)^n by repeated squaring: libm's pow differs between machines. */
static double loses_one(double p, int64_t n)
{
    double keep = 1, factor = 1 - p;
    for (; n > 0; n >>= 1, factor *= factor)
        if (n & 1) keep *= factor;
    return 1 - keep;
}

static bool draw_loss(struct transport *t, int64_t bytes)
{
    if (!t->cfg.wan || t->cfg.wan->loss <= 0) return false;
    int64_t mss = t->cfg.framing->payload_bytes;
    return rng_unit(&t->rng) < loses_one(t->cfg.wan->loss, (bytes + mss - 1) / mss);
}

/* Put burst into the line; false if the line's buffer has no room for it. */
static bool enter_line(struct transport *t, struct burst *burst)
{
    burst->in_wan = t->cfg.wan && wan_enter(t->cfg.wan, t->direction, burst->bytes);
    burst->dropped = t->cfg.wan && !burst->in_wan;
    return !burst->dropped;
}

static void on_loss_found(struct sim *sim, void *self);

/* The sender learns after delay_ps that bytes of burst are missing. */
static void wait_for_loss(struct burst *burst, int64_t delay_ps)
{
    struct transport *t = burst->transport;
    burst->state = BURST_LOST;
    timer_init(&burst->timer, on_loss_found, burst, t->component, TIMER_LOSS);
    timer_after(t->sim, &burst->timer, delay_ps);
}

/* One round trip after a burst with a missing segment: cut once per window, send it again. */
static void on_loss_found(struct sim *sim, void *self)
{
    (void)sim;
    struct burst *burst = self;
    struct transport *t = burst->transport;
    account(t);
    t->stats.losses++;
    if (burst->off >= t->recovery_off) {
        t->recovery_off = t->sent_off;
        law_step(t, &(struct tcp_signal){.event = TCP_LOSS, .rtt_ps = round_trip_ps(t)});
    }
    int64_t mss = t->cfg.framing->payload_bytes;
    int64_t again = burst->dropped || burst->bytes < mss ? burst->bytes : mss;
    if (burst->dropped) { /* old bytes before new ones, or the head of the stream starves */
        wan_force(t->cfg.wan, t->direction, burst->bytes);
        burst->in_wan = true;
        burst->dropped = false;
    }
    burst->state = draw_loss(t, again) ? BURST_LOST : BURST_WIRE;
    burst->msg.bytes = again;
    burst->msg.sent = NULL;
    t->stats.retransmitted_bytes += again;
    fabric_send(t->cfg.fabric, &burst->msg);
    pump(t);
}

/* ---- sender ---------------------------------------------------------------------------------- */

static void on_arrival(struct sim *sim, struct fabric_msg *msg)
{
    struct burst *burst = msg->owner;
    struct transport *t = burst->transport;
    int64_t now_ps = sim_now_ps(sim);
    if (burst->state == BURST_LOST) {
        wait_for_loss(burst, t->back_ps);
        return;
    }
    burst->state = BURST_ARRIVED;
    burst->arrived_ps = now_ps;
    if (t->cfg.wan && t->cfg.wan->jitter_ps > 0)
        burst->arrived_ps += (int64_t)rng_below(&t->rng, (uint64_t)t->cfg.wan->jitter_ps + 1);
    bool in_order = true;
    for (struct burst *b = t->first; b != burst && in_order; b = b->next)
        in_order = b->state >= BURST_ARRIVED;
    if (in_order) {
        process(t);
    } else { /* the gap holds delivery, not the congestion window */
        timer_init(&burst->sack, on_sack, burst, t->component, TIMER_SACK);
        timer_after(sim, &burst->sack, t->back_ps);
    }
}

static void on_sent(struct sim *sim, struct fabric_msg *msg)
{
    (void)sim;
    struct burst *burst = msg->owner;
    account(burst->transport);
    burst->transport->on_wire = NULL;
    pump(burst->transport);
}

static void on_pace(struct sim *sim, void *self)
{
    (void)sim;
    struct transport *t = self;
    account(t);
    t->on_wire = NULL;
    pump(t);
}

static void send_burst(struct transport *t, int64_t bytes)
{
    struct burst *burst = pool_get(&t->bursts);
    burst->transport = t;
    burst->off = t->sent_off;
    burst->bytes = bytes;
    burst->sent_ps = sim_now_ps(t->sim);
    burst->acked_at_send = t->acked_bytes;
    burst->in_pipe = true;
    if (t->last) {
        t->last->next = burst;
    } else {
        t->first = burst;
    }
    t->last = burst;
    t->sent_off += bytes;
    t->pipe_bytes += bytes;
    t->last_send_ps = burst->sent_ps;
    t->stats.sent_bytes += bytes;
    t->stats.bursts++;
    burst->msg = (struct fabric_msg){.src = t->cfg.src,
                                     .dst = t->cfg.dst,
                                     .bytes = bytes,
                                     .stream = t->cfg.stream,
                                     .framing = t->cfg.framing,
                                     .sent = t->paced ? NULL : on_sent,
                                     .done = on_arrival,
                                     .owner = burst};
    t->on_wire = &burst->msg;
    int64_t wire_bytes = framing_wire_bytes(t->cfg.framing, bytes);
    if (t->paced) timer_after(t->sim, &t->pace, units_serialise_ps(wire_bytes, t->first_bps));
    if (!enter_line(t, burst)) {
        wait_for_loss(burst, round_trip_ps(t));
        return;
    }
    burst->state = draw_loss(t, bytes) ? BURST_LOST : BURST_WIRE;
    fabric_send(t->cfg.fabric, &burst->msg);
}

static void restart_after_idle(struct transport *t)
{
    int64_t rto_ps = 2 * round_trip_ps(t) > RTO_MIN_PS ? 2 * round_trip_ps(t) : RTO_MIN_PS;
    if (t->sent_off != t->freed_off || t->sent_off == 0) return;
    if (sim_now_ps(t->sim) - t->last_send_ps > rto_ps)
        law_step(t, &(struct tcp_signal){.event = TCP_IDLE, .rtt_ps = round_trip_ps(t)});
}

/* Send while the windows allow; where they do not, note which one holds. */
static void pump(struct transport *t)
{
    int64_t mss = t->cfg.framing->payload_bytes;
    t->holding = t->sent_off < t->queued_off;
    if (!t->holding || t->on_wire) return;
    restart_after_idle(t);
    int64_t window = t->cfg.window_bytes > 0 ? t->cfg.window_bytes : TCP_WINDOW_MAX;
    int64_t free_window = window - (t->sent_off - t->freed_off);
    int64_t free_cwnd = t->cwnd_bytes - t->pipe_bytes;
    int64_t room = free_window < free_cwnd ? free_window : free_cwnd;
    int64_t most = (window < t->cwnd_bytes ? window : t->cwnd_bytes) / BURSTS_PER_WINDOW;
    if (most < mss) most = mss;
    if (most < room / 2) most = room / 2; /* the line holds us, not the window: no need for grain */
    if (most > BURST_BYTES_MAX) most = BURST_BYTES_MAX;
    most -= most % mss; /* whole segments: part of one costs a header all the same */
    int64_t bytes = t->queued_off - t->sent_off;
    if (bytes > most) bytes = most;
    if (bytes > room && room < mss && t->sent_off != t->freed_off) {
        if (free_cwnd <= free_window) t->cwnd_held_off = t->sent_off;
        t->held_by = bound_largest(&t->holders, window_bound(t));
        return;
    }
    if (bytes > room && room >= mss) bytes = room;
    send_burst(t, bytes);
    t->holding = t->sent_off < t->queued_off;
}

void transport_send(struct transport *t, struct transport_msg *msg)
{
    account(t);
    msg->next = NULL;
    msg->start_ps = sim_now_ps(t->sim);
    t->queued_off += msg->bytes;
    msg->end_off = t->queued_off;
    if (t->tail) {
        t->tail->next = msg;
    } else {
        t->head = msg;
    }
    t->tail = msg;
    pump(t);
}

struct transport *transport_new(const struct transport_cfg *cfg, const char *name)
{
    struct sim *sim = cfg->fabric->sim;
    struct transport *t = ARENA_NEW(sim_arena(sim), struct transport);
    t->cfg = *cfg;
    t->sim = sim;
    t->rng = rng_stream(sim_seed(sim), name);
    t->component = sim_component(sim);
    t->direction = cfg->src > cfg->dst;
    struct fabric_path there = fabric_path(cfg->fabric, cfg->src, cfg->dst);
    t->delay_ps = there.delay_ps;
    t->first_bps = there.first_bps;
    t->bottleneck_bps = there.bottleneck_bps;
    t->paced = cfg->wan && cfg->wan->limit_bytes[t->direction] > 0;
    timer_init(&t->pace, on_pace, t, t->component, TIMER_PACE);
    t->back_ps = fabric_path(cfg->fabric, cfg->dst, cfg->src).delay_ps;
    t->cwnd_held_off = -1;
    pool_init(&t->bursts, sim_arena(sim), sizeof(struct burst));
    CHECK(cfg->law->state_size <= TCP_LAW_STATE_MAX, "the state of a law: %s", cfg->law->help);
    cfg->law->init(&t->law, cfg->framing->payload_bytes);
    t->cwnd_bytes =
        cfg->law->step(&t->law, &(struct tcp_signal){.event = TCP_IDLE,
                                                     .rtt_ps = round_trip_ps(t),
                                                     .mss_bytes = cfg->framing->payload_bytes});
    return t;
}

struct transport_stats transport_stats(const struct transport *t)
{
    struct transport_stats stats = t->stats;
    stats.inflight_bytes = t->sent_off - t->delivered_off;
    stats.cwnd_bytes = t->cwnd_bytes;
    return stats;
}
