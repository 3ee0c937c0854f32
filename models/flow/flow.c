/* flow.c - the flow-level fabric: a message is a fluid that flows at its max-min fair rate.
 *
 * The one idea: when messages start or end, only the flows that this reaches (share.h) can change
 * their rate. So each instant with changes is solved once, after all of them, and only the ends of
 * flows whose rate did change are moved.
 *
 * A message leaves after wire_bits / rate (ends rounded up to whole ps, so that no link ever
 * carries more than its rate) and arrives one path delay later; arrivals overlap freely. Messages
 * of one stream between the same two nodes leave in turn, as from a queue pair: the next has the
 * place of the one before, and nothing is to be solved. What links share is what bundles of them
 * (bundle.h) share: one link each, or all that packets are spread over at a hop.
 *
 * NOT modelled: the order of packets (a few requests that share a link evenly also leave it idle
 * together, where real ones would take turns); queues, loss, reaction time of congestion control;
 * the time in which routing notices that links are down; that spreading without a look at queues
 * gives a slower link of a bundle as much as the others; senders that need windows or loss have
 * them in their own transport (models/storage/transport.h).
 */
#include "models/flow/flow.h"

#include "models/flow/bundle.h"
#include "models/flow/share.h"
#include "models/flow/way.h"
#include "sim/base/units.h"

struct flow {
    struct share_flow share; /* first: a share_flow is a flow */
    struct timer timer;      /* end of transmission, then arrival */
    struct fabric_msg *msg;
    struct flow_fabric *fabric;
    struct way *way;
    struct flow *next; /* of its stream: begins when this one has left */
    double left_bits;
    int64_t settled_ps; /* left_bits holds at this time */
    int64_t wire_bytes;
    int64_t gone_bytes;           /* of those: by ways that it had before this one */
    int64_t ideal_ps;             /* transmission alone on the path */
    int32_t named;                /* the bundle whose kind is msg->bound */
    int32_t place[TOPO_PATH_MAX]; /* of share */
};

struct flow_fabric {
    struct fabric fabric;
    struct topo_graph *graph;
    struct bundles bundles;
    struct ways *ways;
    struct share *share; /* of bundles */
    struct pool flows;
    struct timer solve; /* armed for the current instant after changes */
    bool reroute;       /* ways are not what they were: then, flows that stand still look for one */
    uint32_t component;
    int64_t *rate_bps;      /* [link_n] now */
    double *settled_bytes;  /* [link_n] that it carried before the rates of its bundle changed, */
    double *settled_bundle; /* [bundles.n] and all its links together */
};

enum { TIMER_SOLVE, TIMER_END, TIMER_ARRIVE };

static struct fabric_path flow_path(struct fabric *base, int32_t src, int32_t dst)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    struct way *way = ways_find(fabric->ways, src, dst, 0);
    int32_t first = fabric->bundles.bundle[way->path[0]].link[0];
    struct fabric_path path = {.delay_ps = way->delay_ps,
                               .bottleneck_bps = way->cap_bps,
                               .first_bps = fabric->graph->links[first].rate_bps};
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
    msg->state = NULL;
    ways_done(fabric->ways, flow->way);
    pool_put(&fabric->flows, flow);
    msg->done(sim, msg);
}

static const enum bound link_bounds[TOPO_LINK_KINDS] = {
    [TOPO_NIC] = BOUND_NIC,
    [TOPO_FABRIC] = BOUND_SWITCH,
    [TOPO_WAN] = BOUND_WAN,
    [TOPO_SERVER] = BOUND_SERVER,
};

static void name_bound(struct flow *flow)
{
    const struct flow_fabric *fabric = flow->fabric;
    int32_t link = fabric->bundles.bundle[flow->share.limited_by].link[0];
    flow->named = flow->share.limited_by;
    flow->msg->bound = link_bounds[fabric->graph->links[link].kind];
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

/* ---- leaving in turn ------------------------------------------------------------------------- */

static void end_transmission(struct sim *sim, void *self);

/* A flow whose turn it is gets ready for its way. */
static void prepare(struct flow *flow)
{
    struct flow_fabric *fabric = flow->fabric;
    const struct way *way = flow->way;
    flow->settled_ps = sim_now_ps(fabric->fabric.sim);
    flow->named = -1;
    flow->share =
        (struct share_flow){.path = way->path, .place = flow->place, .path_n = way->path_n};
    timer_init(&flow->timer, end_transmission, flow, fabric->component, TIMER_END);
    flow->timer.hint = share_link(fabric->share, way->path[0]);
}

static void begin(struct flow *flow)
{
    struct flow_fabric *fabric = flow->fabric;
    prepare(flow);
    if (share_join(fabric->share, &flow->share)) {
        name_bound(flow); /* nothing to solve */
        move_end(fabric->fabric.sim, flow, flow->share.rate_bps);
    } else {
        solve_later(fabric);
    }
}

/* A flow, not on its way, and those that wait for it take the way that is right now. */
static void renew(struct flow *flow)
{
    struct ways *ways = flow->fabric->ways;
    struct way *way = flow->way;
    struct flow *last = way->last;
    way->last = NULL;
    for (struct flow *f = flow; f; f = f->next) {
        f->way = ways_find(ways, f->msg->src, f->msg->dst, f->msg->stream);
        ways_done(ways, way);
    }
    flow->way->last = last;
}

/* What a flow has still to do for its way, once it has left. */
static void leave(struct flow *flow)
{
    struct flow_fabric *fabric = flow->fabric;
    struct flow *next = flow->next;
    int64_t bytes = flow->wire_bytes - flow->gone_bytes;
    if (next && ways_is_new(fabric->ways, flow->way)) {
        prepare(next);
        share_follow(fabric->share, &flow->share, &next->share, bytes);
        name_bound(next);
        move_end(fabric->fabric.sim, next, next->share.rate_bps);
        return;
    }
    if (share_leave(fabric->share, &flow->share, bytes)) solve_later(fabric);
    if (!next) {
        flow->way->last = NULL;
        return;
    }
    renew(next);
    begin(next);
}

static void end_transmission(struct sim *sim, void *self)
{
    struct flow *flow = self;
    struct fabric_msg *msg = flow->msg;
    leave(flow);
    int64_t took_ps = sim_now_ps(sim) - msg->start_ps;
    msg->excess_ps = took_ps > flow->ideal_ps ? took_ps - flow->ideal_ps : 0;
    timer_init(&flow->timer, arrive, flow, flow->fabric->component, TIMER_ARRIVE);
    timer_after(sim, &flow->timer, (msg->confirm ? 2 : 1) * flow->way->delay_ps);
    if (msg->sent) msg->sent(sim, msg);
}

/* ---- other ways ------------------------------------------------------------------------------ */

/* A flow that stands still takes another way, if there is one. */
static void detour(struct flow *flow)
{
    struct flow_fabric *fabric = flow->fabric;
    if (ways_is_new(fabric->ways, flow->way)) return;
    int64_t gone_bytes = flow->wire_bytes - (int64_t)(flow->left_bits / 8);
    if (share_leave(fabric->share, &flow->share, gone_bytes - flow->gone_bytes))
        solve_later(fabric);
    flow->gone_bytes = gone_bytes;
    renew(flow);
    begin(flow);
}

static void detour_all(struct flow_fabric *fabric)
{
    struct arena scratch = {0};
    for (int32_t b = 0; b < fabric->bundles.n; b++) {
        const struct share_link *link = share_link(fabric->share, b);
        int32_t n = link->cap_bps > 0 ? 0 : link->member_n;
        struct flow **standing = ARENA_ARRAY(&scratch, struct flow *, n);
        for (int32_t m = 0; m < n; m++)
            standing[m] = (struct flow *)link->member[m].flow;
        for (int32_t m = 0; m < n; m++)
            detour(standing[m]);
    }
    arena_free(&scratch);
}

static void solve(struct sim *sim, void *self)
{
    struct flow_fabric *fabric = self;
    share_solve(fabric->share, change_rate, sim);
    if (fabric->reroute) detour_all(fabric);
    fabric->reroute = false;
}

/* ---- the fabric ------------------------------------------------------------------------------ */

static void flow_send(struct fabric *base, struct fabric_msg *msg)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    struct way *way = ways_find(fabric->ways, msg->src, msg->dst, msg->stream);
    struct flow *flow = pool_get(&fabric->flows), *before = way->last;
    msg->state = flow;
    msg->start_ps = sim_now_ps(base->sim);
    msg->excess_ps = 0;
    flow->msg = msg;
    flow->fabric = fabric;
    flow->way = way;
    flow->wire_bytes = framing_wire_bytes(msg->framing, msg->bytes);
    flow->left_bits = (double)flow->wire_bytes * 8;
    flow->ideal_ps = transmission_ps(flow->left_bits, (double)way->cap_bps);
    way->last = flow;
    if (before) {
        before->next = flow;
    } else {
        begin(flow);
    }
}

static void flow_set_link(struct fabric *base, int32_t link, const struct fabric_link *state)
{
    flow_set_rate(base, link, state->rate_bps);
}

static const struct fabric_ops ops = {
    .send = flow_send, .path = flow_path, .set_link = flow_set_link};

/* ---- bytes of links -------------------------------------------------------------------------- */

static double left_bits(const struct flow *flow, int64_t now_ps)
{
    double flowing = flow->share.rate_bps * ((double)(now_ps - flow->settled_ps) * 1e-12);
    return flow->left_bits > flowing ? flow->left_bits - flowing : 0;
}

/* What crossed a bundle up to this moment. */
static double bundle_bytes(const struct flow_fabric *fabric, int32_t b)
{
    const struct share_link *link = share_link(fabric->share, b);
    double bits = (double)link->carried_bytes * 8;
    int64_t now_ps = sim_now_ps(fabric->fabric.sim);
    for (int32_t m = 0; m < link->member_n; m++) {
        const struct flow *flow = (const struct flow *)link->member[m].flow;
        bits += (double)(flow->wire_bytes - flow->gone_bytes) * 8 - left_bits(flow, now_ps);
    }
    return bits / 8;
}

/* Of the bytes of a bundle those of one link: since its rates last changed, in proportion. */
static double link_bytes(const struct flow_fabric *fabric, int32_t l, double bytes)
{
    int32_t b = fabric->bundles.of[l];
    double cap_bps = share_link(fabric->share, b)->cap_bps;
    if (fabric->bundles.bundle[b].n == 1) return bytes;
    if (cap_bps == 0) return fabric->settled_bytes[l];
    return fabric->settled_bytes[l] +
           (bytes - fabric->settled_bundle[b]) * ((double)fabric->rate_bps[l] / cap_bps);
}

/* ---- building, faults, records --------------------------------------------------------------- */

/* Of equally tight the one whose first link paths meet first. */
static int32_t *rank_bundles(const struct flow_fabric *fabric, struct arena *arena)
{
    int32_t *of_link = ARENA_ARRAY(arena, int32_t, fabric->graph->link_n);
    int32_t *rank = ARENA_ARRAY(arena, int32_t, fabric->bundles.n);
    ways_rank(fabric->graph, of_link);
    for (int32_t b = 0; b < fabric->bundles.n; b++)
        rank[b] = of_link[fabric->bundles.bundle[b].link[0]];
    return rank;
}

static int64_t bundle_bps(const struct flow_fabric *fabric, int32_t b)
{
    const struct bundle *bundle = &fabric->bundles.bundle[b];
    int64_t bps = 0;
    for (int32_t l = 0; l < bundle->n; l++)
        bps += fabric->rate_bps[bundle->link[l]];
    return bps;
}

static struct fabric *make(struct sim *sim, struct topo_graph *graph, bool spread)
{
    struct arena *arena = sim_arena(sim);
    struct flow_fabric *fabric = ARENA_NEW(arena, struct flow_fabric);
    fabric->fabric = (struct fabric){.ops = &ops, .sim = sim};
    fabric->graph = graph;
    fabric->component = sim_component(sim);
    fabric->bundles = spread ? bundles_find(graph, arena) : bundles_single(graph, arena);
    fabric->ways = ways_new(graph, &fabric->bundles);
    fabric->rate_bps = ARENA_ARRAY(arena, int64_t, graph->link_n);
    fabric->settled_bytes = ARENA_ARRAY(arena, double, graph->link_n);
    fabric->settled_bundle = ARENA_ARRAY(arena, double, fabric->bundles.n);
    fabric->share = share_new(arena, fabric->bundles.n, rank_bundles(fabric, arena));
    for (int32_t l = 0; l < graph->link_n; l++)
        fabric->rate_bps[l] = graph->links[l].rate_bps;
    for (int32_t b = 0; b < fabric->bundles.n; b++)
        share_set_cap(fabric->share, b, (double)bundle_bps(fabric, b));
    pool_init(&fabric->flows, arena, sizeof(struct flow));
    timer_init(&fabric->solve, solve, fabric, fabric->component, TIMER_SOLVE);
    return &fabric->fabric;
}

struct fabric *flow_new(struct sim *sim, struct topo_graph *graph)
{
    return make(sim, graph, false);
}

struct fabric *flow_new_spread(struct sim *sim, struct topo_graph *graph)
{
    return make(sim, graph, true);
}

void flow_set_rate(struct fabric *base, int32_t link, int64_t rate_bps)
{
    struct flow_fabric *fabric = (struct flow_fabric *)base;
    int32_t b = fabric->bundles.of[link];
    const struct bundle *bundle = &fabric->bundles.bundle[b];
    double bytes = bundle_bytes(fabric, b);
    for (int32_t l = 0; l < bundle->n && bundle->n > 1; l++)
        fabric->settled_bytes[bundle->link[l]] = link_bytes(fabric, bundle->link[l], bytes);
    fabric->settled_bundle[b] = bytes;
    fabric->rate_bps[link] = rate_bps;
    share_set_cap(fabric->share, b, (double)bundle_bps(fabric, b));
    if (ways_set_down(fabric->ways, link, rate_bps == 0)) fabric->reroute = true;
    solve_later(fabric);
}

/* What stands still, of the flows on bundle b that it limits: without an end; and what waits for
 * them. */
static int64_t standing(const struct share_link *link, int32_t b)
{
    int64_t n = 0;
    for (int32_t m = 0; m < link->member_n; m++) {
        const struct flow *flow = (const struct flow *)link->member[m].flow;
        if (flow->share.limited_by != b || timer_armed(&flow->timer)) continue;
        for (; flow; flow = flow->next)
            n++;
    }
    return n;
}

const char *flow_stuck(const struct fabric *base, struct arena *arena)
{
    const struct flow_fabric *fabric = (const struct flow_fabric *)base;
    int64_t links = 0, n = 0;
    const char *name = NULL;
    for (int32_t b = 0; b < fabric->bundles.n; b++) {
        const struct bundle *bundle = &fabric->bundles.bundle[b];
        int64_t here = standing(share_link(fabric->share, b), b);
        if (here && !links) name = fabric->graph->links[bundle->link[0]].name;
        if (here) links += bundle->n;
        n += here;
    }
    if (!n) return "";
    const char *more = links > 1 ? arena_printf(arena, " and %lld other link%s",
                                                (long long)links - 1, links > 2 ? "s" : "")
                                 : "";
    return arena_printf(arena, "%lld message%s still: %s%s %s down", (long long)n,
                        n > 1 ? "s stand" : " stands", name, more, links > 1 ? "are" : "is");
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
    return link_bytes(fabric, l, bundle_bytes(fabric, fabric->bundles.of[l]));
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
