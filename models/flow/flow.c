/* flow.c - the flow-level fabric: a message is a fluid that flows at its max-min fair rate.
 *
 * The one idea: when messages start or end, only the flows that share links with them, directly or
 * through others, can change their rate. So each instant with changes solves just those connected
 * sets, once, and moves the end timers only of flows whose rate did change.
 *
 * A message leaves after wire_bits / rate (ends rounded up to whole ps, so that no link ever
 * carries more than its rate) and arrives one path delay later; arrivals overlap freely.
 *
 * NOT modelled: the order of packets (a few requests that share a link evenly also leave it idle
 * together, where real ones would take turns); queues, loss, reaction time of congestion control;
 * senders that need windows or loss have them in their own transport (models/storage/transport.h).
 */
#include "models/flow/flow.h"

#include <string.h>

#include "models/flow/maxmin.h"
#include "sim/base/units.h"

struct flow {
    struct timer timer; /* end of transmission, then arrival */
    struct fabric_msg *msg;
    double left_bits, rate_bps;
    int64_t settled_ps; /* left_bits holds at this time */
    int64_t delay_ps;
    int64_t ideal_ps; /* transmission alone on the path */
    int32_t path_n, mark;
    int32_t path[TOPO_PATH_MAX];
    int32_t place[TOPO_PATH_MAX]; /* index in the member list of each link of the path */
};

struct flow_link {
    double cap_bps;
    double done_bits; /* of flows already taken off */
    struct flow **member;
    int32_t *member_hop; /* which hop of the member this link is */
    int64_t member_n, member_cap, hop_cap;
    int32_t number; /* in the set being solved, valid where mark is current */
    int32_t mark;
};

struct route {
    int32_t path_n;
    int64_t delay_ps;
    double cap_bps;
    int32_t path[TOPO_PATH_MAX];
};

struct flow_fabric {
    struct fabric fabric;
    struct topo_graph *graph;
    struct flow_link *links;
    struct pool flows;
    struct timer solve; /* armed for the current instant while links are dirty */
    int32_t *dirty;     /* links whose members changed in this instant */
    int64_t dirty_n, dirty_cap;
    uint32_t component;
    int32_t mark;
    /* the set being solved */
    struct flow **set;
    int32_t *set_link;
    int64_t set_n, set_cap, set_link_n, set_link_cap;
    struct maxmin problem;
    int64_t flow_cap, link_cap, hop_cap;
    int32_t *first, *hop;
    double *cap;
};

enum { TIMER_SOLVE, TIMER_END, TIMER_ARRIVE };

/* The way of a stream's messages: which of several equally short ones is the topology's choice. */
static struct route route_to(struct flow_fabric *fabric, int32_t src, int32_t dst, uint32_t stream)
{
    struct route route = {.cap_bps = 0};
    int n = topo_path(fabric->graph, src, dst, stream, route.path);
    CHECK(n > 0, "no path from %s to %s", fabric->graph->nodes[src].name,
          fabric->graph->nodes[dst].name);
    route.path_n = n;
    route.cap_bps = fabric->links[route.path[0]].cap_bps;
    for (int i = 0; i < n; i++) {
        double cap_bps = fabric->links[route.path[i]].cap_bps;
        if (cap_bps < route.cap_bps) route.cap_bps = cap_bps;
        route.delay_ps += fabric->graph->links[route.path[i]].delay_ps;
    }
    return route;
}

static struct fabric_path flow_path(struct fabric *base, int32_t src, int32_t dst)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    const struct route route = route_to(fabric, src, dst, 0);
    return (struct fabric_path){.delay_ps = route.delay_ps,
                                .bottleneck_bps = (int64_t)route.cap_bps,
                                .first_bps = (int64_t)fabric->links[route.path[0]].cap_bps};
}

/* ceil(bits / rate) in ps; the smallest rate share of a real link keeps this far below 2^63. */
static int64_t transmission_ps(double bits, double rate_bps)
{
    double ps = bits / rate_bps * 1e12;
    int64_t whole = (int64_t)ps;
    return (double)whole < ps ? whole + 1 : whole;
}

static void touch(struct flow_fabric *fabric, int32_t link)
{
    fabric->dirty = arena_grow(fabric->graph->arena, fabric->dirty, &fabric->dirty_cap,
                               fabric->dirty_n + 1, sizeof(int32_t));
    fabric->dirty[fabric->dirty_n++] = link;
    if (!timer_armed(&fabric->solve)) timer_after(fabric->fabric.sim, &fabric->solve, 0);
}

static void join_link(struct flow_fabric *fabric, struct flow *flow, int32_t hop)
{
    struct flow_link *link = &fabric->links[flow->path[hop]];
    link->member = arena_grow(fabric->graph->arena, link->member, &link->member_cap,
                              link->member_n + 1, sizeof(struct flow *));
    link->member_hop = arena_grow(fabric->graph->arena, link->member_hop, &link->hop_cap,
                                  link->member_n + 1, sizeof(int32_t));
    link->member[link->member_n] = flow;
    link->member_hop[link->member_n] = hop;
    flow->place[hop] = (int32_t)link->member_n++;
}

/* The last member takes the leaver's place: no order is promised, and none matters. */
static void leave_link(struct flow_fabric *fabric, struct flow *flow, int32_t hop)
{
    struct flow_link *link = &fabric->links[flow->path[hop]];
    int32_t place = flow->place[hop];
    int64_t last = --link->member_n;
    link->member[place] = link->member[last];
    link->member_hop[place] = link->member_hop[last];
    link->member[place]->place[link->member_hop[place]] = place;
    link->done_bits += (double)framing_wire_bytes(flow->msg->framing, flow->msg->bytes) * 8;
}

static void arrive(struct sim *sim, void *self)
{
    struct flow *flow = self;
    struct fabric_msg *msg = flow->msg;
    struct flow_fabric *fabric = msg->state;
    pool_put(&fabric->flows, flow);
    msg->done(sim, msg);
}

static void end_transmission(struct sim *sim, void *self)
{
    struct flow *flow = self;
    struct fabric_msg *msg = flow->msg;
    struct flow_fabric *fabric = msg->state;
    bool alone = true;
    for (int32_t i = 0; i < flow->path_n; i++) {
        leave_link(fabric, flow, i);
        alone = alone && fabric->links[flow->path[i]].member_n == 0;
    }
    if (!alone) touch(fabric, flow->path[0]);
    for (int32_t i = 1; i < flow->path_n && !alone; i++)
        touch(fabric, flow->path[i]);
    int64_t took_ps = sim_now_ps(sim) - msg->start_ps;
    msg->excess_ps = took_ps > flow->ideal_ps ? took_ps - flow->ideal_ps : 0;
    timer_init(&flow->timer, arrive, flow, fabric->component, TIMER_ARRIVE);
    timer_after(sim, &flow->timer, flow->delay_ps);
    if (msg->sent) msg->sent(sim, msg);
}

static const enum bound link_bounds[TOPO_LINK_KINDS] = {
    [TOPO_NIC] = BOUND_NIC,
    [TOPO_FABRIC] = BOUND_SWITCH,
    [TOPO_WAN] = BOUND_WAN,
    [TOPO_SERVER] = BOUND_SERVER,
};

/* Give flow a new rate: what flowed so far is settled, the end is moved. */
static void set_rate(struct flow_fabric *fabric, struct flow *flow, double rate_bps, int32_t link)
{
    struct sim *sim = fabric->fabric.sim;
    flow->msg->bound = link_bounds[fabric->graph->links[link].kind];
    if (flow->rate_bps == rate_bps) return;
    int64_t now_ps = sim_now_ps(sim);
    flow->left_bits -= flow->rate_bps * ((double)(now_ps - flow->settled_ps) * 1e-12);
    if (flow->left_bits < 0) flow->left_bits = 0;
    flow->settled_ps = now_ps;
    flow->rate_bps = rate_bps;
    timer_after(sim, &flow->timer, transmission_ps(flow->left_bits, rate_bps));
}

/* Add a link to the set being collected. */
static void collect_link(struct flow_fabric *fabric, int32_t l)
{
    struct flow_link *link = &fabric->links[l];
    if (link->mark == fabric->mark) return;
    link->mark = fabric->mark;
    link->number = (int32_t)fabric->set_link_n;
    fabric->set_link = arena_grow(fabric->graph->arena, fabric->set_link, &fabric->set_link_cap,
                                  fabric->set_link_n + 1, sizeof(int32_t));
    fabric->set_link[fabric->set_link_n++] = l;
}

/* All flows and links connected with link l through shared links. */
static void collect(struct flow_fabric *fabric, int32_t l)
{
    fabric->set_n = fabric->set_link_n = 0;
    collect_link(fabric, l);
    for (int64_t at = 0; at < fabric->set_link_n; at++) {
        const struct flow_link *link = &fabric->links[fabric->set_link[at]];
        for (int64_t m = 0; m < link->member_n; m++) {
            struct flow *flow = link->member[m];
            if (flow->mark == fabric->mark) continue;
            flow->mark = fabric->mark;
            fabric->set = arena_grow(fabric->graph->arena, fabric->set, &fabric->set_cap,
                                     fabric->set_n + 1, sizeof(struct flow *));
            fabric->set[fabric->set_n++] = flow;
            for (int32_t i = 0; i < flow->path_n; i++)
                collect_link(fabric, flow->path[i]);
        }
    }
}

/* Arrays of the solver for the collected set; they only grow. */
static void size_problem(struct flow_fabric *fabric, int64_t hop_n)
{
    struct maxmin *p = &fabric->problem;
    struct arena *arena = fabric->graph->arena;
    if (fabric->set_n > fabric->flow_cap) {
        fabric->flow_cap = 2 * fabric->set_n;
        fabric->first = ARENA_ARRAY(arena, int32_t, fabric->flow_cap + 1);
        p->rate_bps = ARENA_ARRAY(arena, double, fabric->flow_cap);
        p->limited_by = ARENA_ARRAY(arena, int32_t, fabric->flow_cap);
    }
    if (fabric->set_link_n > fabric->link_cap) {
        fabric->link_cap = 2 * fabric->set_link_n;
        fabric->cap = ARENA_ARRAY(arena, double, fabric->link_cap);
        p->left_bps = ARENA_ARRAY(arena, double, fabric->link_cap);
        p->open_n = ARENA_ARRAY(arena, int32_t, fabric->link_cap);
        p->begin = ARENA_ARRAY(arena, int32_t, fabric->link_cap + 1);
    }
    if (hop_n > fabric->hop_cap) {
        fabric->hop_cap = 2 * hop_n;
        fabric->hop = ARENA_ARRAY(arena, int32_t, fabric->hop_cap);
        p->member = ARENA_ARRAY(arena, int32_t, fabric->hop_cap);
    }
}

static void solve_set(struct flow_fabric *fabric)
{
    if (fabric->set_n == 0) return;
    int64_t hop_n = 0;
    for (int64_t f = 0; f < fabric->set_n; f++)
        hop_n += fabric->set[f]->path_n;
    size_problem(fabric, hop_n);
    int32_t at = 0;
    for (int64_t f = 0; f < fabric->set_n; f++) {
        const struct flow *flow = fabric->set[f];
        fabric->first[f] = at;
        for (int32_t i = 0; i < flow->path_n; i++)
            fabric->hop[at++] = fabric->links[flow->path[i]].number;
    }
    fabric->first[fabric->set_n] = at;
    for (int64_t l = 0; l < fabric->set_link_n; l++)
        fabric->cap[l] = fabric->links[fabric->set_link[l]].cap_bps;
    struct maxmin *p = &fabric->problem;
    p->flow_n = (int32_t)fabric->set_n;
    p->link_n = (int32_t)fabric->set_link_n;
    p->first = fabric->first;
    p->hop = fabric->hop;
    p->cap_bps = fabric->cap;
    maxmin_solve(p);
    for (int64_t f = 0; f < fabric->set_n; f++)
        set_rate(fabric, fabric->set[f], p->rate_bps[f], fabric->set_link[p->limited_by[f]]);
}

static void solve(struct sim *sim, void *self)
{
    (void)sim;
    struct flow_fabric *fabric = self;
    fabric->mark++;
    for (int64_t d = 0; d < fabric->dirty_n; d++) {
        if (fabric->links[fabric->dirty[d]].mark == fabric->mark) continue;
        collect(fabric, fabric->dirty[d]);
        solve_set(fabric);
    }
    fabric->dirty_n = 0;
}

static void flow_send(struct fabric *base, struct fabric_msg *msg)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    struct sim *sim = base->sim;
    const struct route route = route_to(fabric, msg->src, msg->dst, msg->stream);
    struct flow *flow = pool_get(&fabric->flows);
    msg->state = fabric;
    msg->start_ps = sim_now_ps(sim);
    msg->excess_ps = 0;
    flow->msg = msg;
    flow->left_bits = (double)framing_wire_bytes(msg->framing, msg->bytes) * 8;
    flow->settled_ps = msg->start_ps;
    flow->ideal_ps = transmission_ps(flow->left_bits, route.cap_bps);
    flow->delay_ps = route.delay_ps;
    flow->path_n = route.path_n;
    memcpy(flow->path, route.path, (size_t)route.path_n * sizeof(int32_t));
    timer_init(&flow->timer, end_transmission, flow, fabric->component, TIMER_END);
    bool alone = true;
    int32_t slowest = flow->path[0];
    for (int32_t i = 0; i < flow->path_n; i++) {
        const struct flow_link *link = &fabric->links[flow->path[i]];
        alone = alone && link->member_n == 0;
        if (link->cap_bps < fabric->links[slowest].cap_bps) slowest = flow->path[i];
        join_link(fabric, flow, i);
    }
    if (alone) {
        set_rate(fabric, flow, route.cap_bps, slowest); /* nothing to solve */
    } else {
        touch(fabric, flow->path[0]); /* connected with all others of the path through flow */
    }
}

static const struct fabric_ops ops = {.send = flow_send, .path = flow_path};

struct fabric *flow_new(struct sim *sim, struct topo_graph *graph)
{
    struct arena *arena = sim_arena(sim);
    struct flow_fabric *fabric = ARENA_NEW(arena, struct flow_fabric);
    fabric->fabric = (struct fabric){.ops = &ops, .sim = sim};
    fabric->graph = graph;
    fabric->component = sim_component(sim);
    fabric->links = ARENA_ARRAY(arena, struct flow_link, graph->link_n);
    for (int64_t l = 0; l < graph->link_n; l++)
        fabric->links[l].cap_bps = (double)graph->links[l].rate_bps;
    pool_init(&fabric->flows, arena, sizeof(struct flow));
    timer_init(&fabric->solve, solve, fabric, fabric->component, TIMER_SOLVE);
    return &fabric->fabric;
}

double flow_link_bytes(const struct fabric *base, int32_t l)
{
    const struct flow_fabric *fabric = (const struct flow_fabric *)base;
    const struct flow_link *link = &fabric->links[l];
    double bits = link->done_bits;
    int64_t now_ps = sim_now_ps(base->sim);
    for (int64_t m = 0; m < link->member_n; m++) {
        const struct flow *flow = link->member[m];
        double all = (double)framing_wire_bytes(flow->msg->framing, flow->msg->bytes) * 8;
        double flowing = flow->rate_bps * ((double)(now_ps - flow->settled_ps) * 1e-12);
        bits += all - (flow->left_bits > flowing ? flow->left_bits - flowing : 0);
    }
    return bits / 8;
}

void flow_record(const struct fabric *base, struct record *record)
{
    const struct flow_fabric *fabric = (const struct flow_fabric *)base;
    double now_s = units_s(sim_now_ps(base->sim));
    for (int32_t l = 0; l < fabric->graph->link_n; l++) {
        const char *entity = arena_printf(&record->arena, "link/%s", fabric->graph->links[l].name);
        double bytes = flow_link_bytes(base, l);
        record_metric(record, entity, "wire_bytes", "bytes", bytes);
        if (now_s > 0)
            record_metric(record, entity, "utilisation", "1",
                          bytes * 8 / fabric->links[l].cap_bps / now_s);
    }
}
