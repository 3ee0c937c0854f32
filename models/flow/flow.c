/* flow.c - the flow-level fabric: a message is a fluid that flows at its max-min fair rate.
 *
 * The one idea: when messages start or end, only the flows that this reaches (share.h) can change
 * their rate. So each instant with changes is solved once, after all of them, and only the ends of
 * flows whose rate did change are moved.
 *
 * A message leaves after wire_bits / rate (ends rounded up to whole ps, so that no link ever
 * carries more than its rate) and arrives one path delay later; arrivals overlap freely. On a link
 * that is down it stands still.
 *
 * NOT modelled: the order of packets (a few requests that share a link evenly also leave it idle
 * together, where real ones would take turns); queues, loss, reaction time of congestion control;
 * other ways when a link is down; senders that need windows or loss have them in their own
 * transport (models/storage/transport.h).
 */
#include "models/flow/flow.h"

#include "models/flow/share.h"
#include "models/flow/way.h"
#include "sim/base/units.h"

struct flow {
    struct share_flow share; /* first: a share_flow is a flow */
    struct timer timer;      /* end of transmission, then arrival */
    struct fabric_msg *msg;
    struct flow_fabric *fabric;
    const struct way *way;
    double left_bits;
    int64_t settled_ps; /* left_bits holds at this time */
    int64_t wire_bytes;
    int64_t ideal_ps; /* transmission alone on the path */
    int32_t named;    /* the link whose kind is msg->bound */
    int32_t place[];  /* [way->path_n] of share */
};

struct flow_fabric {
    struct fabric fabric;
    struct topo_graph *graph;
    struct ways *ways;
    struct share *share;
    struct pool flows[TOPO_PATH_MAX + 1]; /* by the length of their ways */
    struct timer solve;                   /* armed for the current instant after changes */
    uint32_t component;
};

enum { TIMER_SOLVE, TIMER_END, TIMER_ARRIVE };

static struct fabric_path flow_path(struct fabric *base, int32_t src, int32_t dst)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    const struct way *way = ways_find(fabric->ways, src, dst, 0);
    struct fabric_path path = {.delay_ps = way->delay_ps,
                               .bottleneck_bps = way->cap_bps,
                               .first_bps = fabric->graph->links[way->path[0]].rate_bps};
    ways_done(fabric->ways, way);
    return path;
}

/* A time past any run, 53 days: a rate so small is as good as none. */
#define NEVER_PS (INT64_C(1) << 62)

/* ceil(bits / rate) in ps. */
static int64_t transmission_ps(double bits, double rate_bps)
{
    double ps = bits / rate_bps * 1e12;
    if (!(ps < (double)NEVER_PS)) return NEVER_PS;
    int64_t whole = (int64_t)ps;
    return (double)whole < ps ? whole + 1 : whole;
}

static void solve_later(struct flow_fabric *fabric)
{
    if (!timer_armed(&fabric->solve)) timer_after(fabric->fabric.sim, &fabric->solve, 0);
}

/* Move the end of a flow that has left_bits now. */
static void move_end(struct sim *sim, struct flow *flow, double rate_bps)
{
    int64_t ps = transmission_ps(flow->left_bits, rate_bps);
    if (ps < NEVER_PS) {
        timer_after(sim, &flow->timer, ps);
    } else {
        timer_stop(sim, &flow->timer); /* until its rate changes */
    }
}

static void arrive(struct sim *sim, void *self)
{
    struct flow *flow = self;
    struct fabric_msg *msg = flow->msg;
    struct flow_fabric *fabric = flow->fabric;
    int32_t path_n = flow->way->path_n;
    msg->state = NULL;
    ways_done(fabric->ways, flow->way);
    pool_put(&fabric->flows[path_n], flow);
    msg->done(sim, msg);
}

static const enum bound link_bounds[TOPO_LINK_KINDS] = {
    [TOPO_NIC] = BOUND_NIC,
    [TOPO_FABRIC] = BOUND_SWITCH,
    [TOPO_WAN] = BOUND_WAN,
    [TOPO_SERVER] = BOUND_SERVER,
};

static void end_transmission(struct sim *sim, void *self)
{
    struct flow *flow = self;
    struct fabric_msg *msg = flow->msg;
    struct flow_fabric *fabric = flow->fabric;
    if (share_leave(fabric->share, &flow->share, flow->wire_bytes)) solve_later(fabric);
    int64_t took_ps = sim_now_ps(sim) - msg->start_ps;
    msg->excess_ps = took_ps > flow->ideal_ps ? took_ps - flow->ideal_ps : 0;
    timer_init(&flow->timer, arrive, flow, fabric->component, TIMER_ARRIVE);
    timer_after(sim, &flow->timer, (msg->confirm ? 2 : 1) * flow->way->delay_ps);
    if (msg->sent) msg->sent(sim, msg);
}

static void name_bound(struct flow *flow)
{
    flow->named = flow->share.limited_by;
    flow->msg->bound = link_bounds[flow->fabric->graph->links[flow->share.limited_by].kind];
}

/* A flow gets a new rate: what flowed so far is settled, the end is moved. */
static void change_rate(void *context, struct share_flow *share, double rate_bps)
{
    struct flow *flow = (struct flow *)share;
    struct sim *sim = context;
    if (flow->named != share->limited_by) name_bound(flow);
    if (rate_bps == share->rate_bps) return;
    int64_t now_ps = sim_now_ps(sim);
    flow->left_bits -= share->rate_bps * ((double)(now_ps - flow->settled_ps) * 1e-12);
    if (flow->left_bits < 0) flow->left_bits = 0;
    flow->settled_ps = now_ps;
    move_end(sim, flow, rate_bps);
}

static void solve(struct sim *sim, void *self)
{
    struct flow_fabric *fabric = self;
    share_solve(fabric->share, change_rate, sim);
}

static void flow_send(struct fabric *base, struct fabric_msg *msg)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    const struct way *way = ways_find(fabric->ways, msg->src, msg->dst, msg->stream);
    struct flow *flow = pool_get(&fabric->flows[way->path_n]);
    msg->state = flow;
    msg->start_ps = sim_now_ps(base->sim);
    msg->excess_ps = 0;
    flow->msg = msg;
    flow->fabric = fabric;
    flow->way = way;
    flow->wire_bytes = framing_wire_bytes(msg->framing, msg->bytes);
    flow->left_bits = (double)flow->wire_bytes * 8;
    flow->settled_ps = msg->start_ps;
    flow->named = -1;
    flow->ideal_ps = transmission_ps(flow->left_bits, (double)way->cap_bps);
    flow->share =
        (struct share_flow){.path = way->path, .place = flow->place, .path_n = way->path_n};
    timer_init(&flow->timer, end_transmission, flow, fabric->component, TIMER_END);
    flow->timer.hint = share_link(fabric->share, way->path[0]);
    if (share_join(fabric->share, &flow->share)) {
        name_bound(flow); /* nothing to solve */
        move_end(base->sim, flow, flow->share.rate_bps);
    } else {
        solve_later(fabric);
    }
}

static void flow_set_link(struct fabric *base, int32_t link, const struct fabric_link *state)
{
    flow_set_rate(base, link, state->rate_bps);
}

static const struct fabric_ops ops = {
    .send = flow_send, .path = flow_path, .set_link = flow_set_link};

struct fabric *flow_new(struct sim *sim, struct topo_graph *graph)
{
    struct arena *arena = sim_arena(sim);
    struct flow_fabric *fabric = ARENA_NEW(arena, struct flow_fabric);
    fabric->fabric = (struct fabric){.ops = &ops, .sim = sim};
    fabric->graph = graph;
    fabric->component = sim_component(sim);
    fabric->ways = ways_new(graph);
    int32_t *rank = ARENA_ARRAY(arena, int32_t, graph->link_n);
    ways_rank(graph, rank);
    fabric->share = share_new(arena, graph->link_n, rank);
    for (int32_t l = 0; l < graph->link_n; l++)
        share_set_cap(fabric->share, l, (double)graph->links[l].rate_bps);
    for (size_t n = 0; n <= TOPO_PATH_MAX; n++)
        pool_init(&fabric->flows[n], arena, sizeof(struct flow) + n * sizeof(int32_t));
    timer_init(&fabric->solve, solve, fabric, fabric->component, TIMER_SOLVE);
    return &fabric->fabric;
}

void flow_set_rate(struct fabric *base, int32_t link, int64_t rate_bps)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    share_set_cap(fabric->share, link, (double)rate_bps);
    solve_later(fabric);
}

/* What stands still, of the flows on link l that it limits: without an end. */
static int64_t standing(const struct share_link *link, int32_t l)
{
    int64_t n = 0;
    for (int32_t m = 0; m < link->member_n; m++) {
        const struct flow *flow = (const struct flow *)link->member[m].flow;
        n += flow->share.limited_by == l && !timer_armed(&flow->timer);
    }
    return n;
}

const char *flow_stuck(const struct fabric *base, struct arena *arena)
{
    const struct flow_fabric *fabric = (const struct flow_fabric *)base;
    int64_t links = 0, n = 0;
    const char *name = NULL;
    for (int32_t l = 0; l < fabric->graph->link_n; l++) {
        int64_t here = standing(share_link(fabric->share, l), l);
        if (here && !links++) name = fabric->graph->links[l].name;
        n += here;
    }
    if (!n) return "";
    const char *more = links > 1 ? arena_printf(arena, " and %lld other link%s",
                                                (long long)links - 1, links > 2 ? "s" : "")
                                 : "";
    return arena_printf(arena, "%lld message%s still: %s%s %s down", (long long)n,
                        n > 1 ? "s stand" : " stands", name, more, links > 1 ? "are" : "is");
}

static double left_bits(const struct flow *flow, int64_t now_ps)
{
    double flowing = flow->share.rate_bps * ((double)(now_ps - flow->settled_ps) * 1e-12);
    return flow->left_bits > flowing ? flow->left_bits - flowing : 0;
}

double flow_arrived_bytes(const struct fabric_msg *msg)
{
    const struct flow *flow = msg->state;
    if (!flow) return (double)msg->bytes;
    double all = (double)flow->wire_bytes * 8;
    return (double)msg->bytes * (1 - left_bits(flow, sim_now_ps(flow->fabric->fabric.sim)) / all);
}

double flow_link_bytes(const struct fabric *base, int32_t l)
{
    const struct flow_fabric *fabric = (const struct flow_fabric *)base;
    const struct share_link *link = share_link(fabric->share, l);
    double bits = (double)link->carried_bytes * 8;
    int64_t now_ps = sim_now_ps(base->sim);
    for (int32_t m = 0; m < link->member_n; m++) {
        const struct flow *flow = (const struct flow *)link->member[m].flow;
        bits += (double)flow->wire_bytes * 8 - left_bits(flow, now_ps);
    }
    return bits / 8;
}

void flow_record(const struct fabric *base, struct record *record)
{
    const struct flow_fabric *fabric = (const struct flow_fabric *)base;
    double now_s = units_s(sim_now_ps(base->sim));
    for (int32_t l = 0; l < fabric->graph->link_n; l++) {
        const struct topo_link *link = &fabric->graph->links[l];
        const char *entity = arena_printf(&record->arena, "link/%s", link->name);
        double bytes = flow_link_bytes(base, l);
        record_metric(record, entity, "wire_bytes", "bytes", bytes);
        if (now_s > 0)
            record_metric(record, entity, "utilisation", "1",
                          bytes * 8 / (double)link->rate_bps / now_s);
    }
}
