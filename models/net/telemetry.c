/* telemetry.c - windows and series of links and flows (telemetry.h).
 *
 * The one idea: all series share one grid of windows. When they are full, neighbours are merged and
 * the window doubles, for all; so memory is bounded, a run may be of any length, and sampling it
 * costs a number of windows that grows with the logarithm of its length.
 * Exact: what a transmission that straddles the end of a window has sent by then, to the ps.
 * A series that is 0 throughout is not stored, but for utilisation: idle links are of interest.
 * NOT modelled: what real counters lose (their own sampling, and the time to read them).
 */
#include "models/net/telemetry.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "models/flow/flow.h"
#include "models/net/net.h"
#include "models/net/nic.h"
#include "sim/base/units.h"

#define SAMPLES_MAX 5000000 /* of all series: 40 MB while it runs, 80 MB on the way to disk */

/* enum kind: of series of a link. */
enum kind { UTILISATION, QUEUE, QUEUE_MAX, MARKS, PAUSED, DROPS, KINDS };
enum merge { SUM, LAST, MAX };
static const struct {
    const char *name, *unit;
    enum merge merge;
} kinds[KINDS] = {
    [UTILISATION] = {"utilisation", "1", SUM}, [QUEUE] = {"queue", "bytes", LAST},
    [QUEUE_MAX] = {"queue_max", "bytes", MAX}, [MARKS] = {"ecn_marks", "1", SUM},
    [PAUSED] = {"paused", "1", SUM},           [DROPS] = {"drops", "1", SUM},
};

/* struct counts: of a link, since the start; bits on the wire, time in ps. */
struct counts {
    double bits, marks, paused_ps, drops;
};

/* struct link_watch: value[kind][samples], NULL = all are 0. */
struct link_watch {
    int32_t link;
    int64_t queue_peak_bytes; /* in closed windows */
    struct counts before;     /* when the open window began */
    double *value[KINDS];
};

/* struct flow_watch: payload that arrived per window, from window `first` on. */
struct flow_watch {
    int64_t number, bytes;
    double arrived_bytes;
    int32_t src, dst;
    bool over;
    int64_t first, last; /* windows: when it was seen first, when it arrived */
    double *bits;        /* [samples] */
};

struct telemetry {
    struct telemetry_of of;
    struct net_parts parts; /* of a packet fabric */
    int64_t window_ps, cap; /* cap: samples of a series, even */
    int64_t n, begin_ps;    /* closed windows; begin of the open one */
    struct link_watch *link;
    int64_t link_n;
    struct flow_watch *flow; /* by number */
    int64_t flow_n, flow_cap;
    int64_t flow_at; /* the next that telemetry_flow expects */
};

/* ---- which links ----------------------------------------------------------------------------- */

/* Does one of the patterns fit? */
static bool is_chosen(const struct telemetry_cfg *cfg, const char *name, struct arena *scratch)
{
    char *patterns = arena_strdup(scratch, cfg->links), *rest;
    for (const char *one = strtok_r(patterns, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
        if (fnmatch(one, name, 0) == 0) return true;
    return false;
}

/* Numbers of the chosen links into link (NULL: only count them). */
static int64_t choose(const struct telemetry_of *of, struct link_watch *watch)
{
    struct arena scratch = {0};
    int64_t n = 0;
    for (int32_t l = 0; l < of->graph->link_n; l++) {
        if (!is_chosen(of->cfg, of->graph->links[l].name, &scratch)) continue;
        if (watch) watch[n].link = l;
        n++;
    }
    arena_free(&scratch);
    return n;
}

static bool wants(const struct telemetry_cfg *cfg, enum kind kind)
{
    const bool wanted[KINDS] = {
        [UTILISATION] = true, [QUEUE] = cfg->queues,  [QUEUE_MAX] = cfg->queues,
        [MARKS] = cfg->marks, [PAUSED] = cfg->pauses, [DROPS] = cfg->drops,
    };
    return wanted[kind];
}

bool telemetry_check(const struct telemetry_cfg *cfg, const struct topo_graph *graph,
                     struct err *err)
{
    if (cfg->window_ps == 0) return true;
    int64_t links = choose(&(struct telemetry_of){.cfg = cfg, .graph = graph}, NULL), series = 0;
    if (links == 0 && *cfg->links)
        return err_key(err, "telemetry.links",
                       "C066: telemetry.links: no link is called '%s'; one is '%s'", cfg->links,
                       graph->link_n ? graph->links[0].name : "");
    for (enum kind k = 0; k < KINDS; k++)
        series += wants(cfg, k) ? links : 0;
    series += cfg->flows ? cfg->flows_max : 0;
    if (series > SAMPLES_MAX / cfg->samples)
        return err_key(
            err, "telemetry.samples",
            "C067: telemetry: %" PRId64 " series of %" PRId64
            " samples are more than %d: choose fewer links, or telemetry.samples=%" PRId64,
            series, cfg->samples, SAMPLES_MAX, SAMPLES_MAX / series);
    return true;
}

/* ---- what a link did ------------------------------------------------------------------------- */

/* The part of the last transmission that is still to come does not count yet. */
static struct counts port_counts(struct port *port, int64_t now_ps)
{
    port_advance(port, now_ps);
    int64_t ahead_ps = port->busy_ps > now_ps && !port->down ? port->busy_ps - now_ps : 0;
    int64_t paused_ps = port->paused ? now_ps - port->paused_since : 0;
    return (struct counts){.bits = (double)port->tx_bytes * 8 -
                                   (double)ahead_ps * 1e-12 * (double)port->rate_bps,
                           .marks = (double)port->marks,
                           .paused_ps = (double)(port->paused_ps + paused_ps),
                           .drops = (double)port->drops};
}

static struct counts link_counts(const struct telemetry *t, int32_t link, int64_t now_ps)
{
    if (t->of.packets) return port_counts(t->parts.port[link], now_ps);
    return (struct counts){.bits = flow_link_bytes(t->of.fabric, link) * 8};
}

static void put(struct telemetry *t, double **value, double x)
{
    if (!*value) {
        if (x == 0) return;
        *value = ARENA_ARRAY(sim_arena(t->of.fabric->sim), double, t->cap);
    }
    (*value)[t->n] = x;
}

/* The port's own maximum begins anew with each window; telemetry_record gives back what it was. */
static void close_queue(struct telemetry *t, struct link_watch *watch)
{
    struct port *port = t->parts.port[watch->link];
    if (port->queue_max_bytes > watch->queue_peak_bytes)
        watch->queue_peak_bytes = port->queue_max_bytes;
    put(t, &watch->value[QUEUE], (double)port->queue_bytes);
    put(t, &watch->value[QUEUE_MAX], (double)port->queue_max_bytes);
    port->queue_max_bytes = port->queue_bytes;
}

static void close_link(struct telemetry *t, struct link_watch *watch, int64_t now_ps)
{
    const struct telemetry_cfg *cfg = t->of.cfg;
    const struct counts now = link_counts(t, watch->link, now_ps), before = watch->before;
    put(t, &watch->value[UTILISATION], now.bits - before.bits);
    if (cfg->marks) put(t, &watch->value[MARKS], now.marks - before.marks);
    if (cfg->pauses) put(t, &watch->value[PAUSED], now.paused_ps - before.paused_ps);
    if (cfg->drops) put(t, &watch->value[DROPS], now.drops - before.drops);
    if (cfg->queues && t->of.packets) close_queue(t, watch);
    watch->before = now;
}

/* ---- what a flow did ------------------------------------------------------------------------- */

/* Payload of a message that has arrived; on the packet fabric in whole packets. A message that its
 * queue pair does not know any more is complete. */
static double arrived_bytes(const struct telemetry *t, const struct fabric_msg *msg)
{
    if (!t->of.packets) return flow_arrived_bytes(msg);
    const struct rdma_qp *qp = msg->state;
    for (const struct rdma_msg *posted = qp->first; posted; posted = posted->next) {
        if (posted->msg != msg) continue;
        int64_t bytes = (int64_t)posted->arrived * qp->nic->shared->cfg->mtu_bytes;
        return (double)(bytes < posted->bytes ? bytes : posted->bytes);
    }
    return (double)msg->bytes;
}

static void move_flow(struct telemetry *t, struct flow_watch *watch, double now_bytes)
{
    put(t, &watch->bits, (now_bytes - watch->arrived_bytes) * 8);
    watch->arrived_bytes = now_bytes;
    watch->last = t->n;
}

/* Flows that were not told of have arrived since the last window ended. */
static void end_flows(struct telemetry *t, int64_t below)
{
    for (; t->flow_at < t->flow_n && t->flow[t->flow_at].number < below; t->flow_at++) {
        struct flow_watch *watch = &t->flow[t->flow_at];
        if (!watch->over) move_flow(t, watch, (double)watch->bytes);
        watch->over = true;
    }
}

void telemetry_flow(struct telemetry *t, const struct telemetry_flow *flow)
{
    const struct telemetry_cfg *cfg = t->of.cfg;
    if (!cfg->flows || sim_now_ps(t->of.fabric->sim) == t->begin_ps) return;
    end_flows(t, flow->number);
    if (t->flow_at == t->flow_n) {
        if (t->flow_n == cfg->flows_max) return;
        t->flow = arena_grow(sim_arena(t->of.fabric->sim), t->flow, &t->flow_cap, t->flow_n + 1,
                             sizeof(struct flow_watch));
        t->flow[t->flow_n++] = (struct flow_watch){.number = flow->number,
                                                   .bytes = flow->bytes,
                                                   .src = flow->msg[0].src,
                                                   .dst = flow->msg[0].dst,
                                                   .first = t->n};
    } else if (t->flow[t->flow_at].number != flow->number) {
        return; /* one too many */
    }
    double bytes = 0;
    for (int32_t i = 0; i < flow->msg_n; i++)
        bytes += arrived_bytes(t, &flow->msg[i]);
    move_flow(t, &t->flow[t->flow_at++], bytes);
}

/* ---- windows --------------------------------------------------------------------------------- */

static void merge(double *value, int64_t n, enum merge how)
{
    if (!value) return;
    for (int64_t i = 0; i < n / 2; i++) {
        double a = value[2 * i], b = value[2 * i + 1];
        value[i] = how == SUM ? a + b : how == LAST ? b : a > b ? a : b;
    }
    memset(value + n / 2, 0, (size_t)(n - n / 2) * sizeof(double));
}

static void merge_all(struct telemetry *t)
{
    for (int64_t i = 0; i < t->link_n; i++)
        for (enum kind k = 0; k < KINDS; k++)
            merge(t->link[i].value[k], t->n, kinds[k].merge);
    for (int64_t i = 0; i < t->flow_n; i++) {
        merge(t->flow[i].bits, t->n, SUM);
        t->flow[i].first /= 2;
        t->flow[i].last /= 2;
    }
    t->n /= 2;
    t->window_ps *= 2;
}

int64_t telemetry_due_ps(const struct telemetry *t)
{
    return t->begin_ps + t->window_ps;
}

static void close_window(struct telemetry *t, int64_t now_ps)
{
    for (int64_t i = 0; i < t->link_n; i++)
        close_link(t, &t->link[i], now_ps);
    end_flows(t, INT64_MAX);
    t->flow_at = 0;
    t->n++;
    t->begin_ps = now_ps;
}

void telemetry_close(struct telemetry *t)
{
    close_window(t, sim_now_ps(t->of.fabric->sim));
    if (t->n == t->cap) merge_all(t);
}

struct telemetry *telemetry_new(const struct telemetry_of *of)
{
    struct arena *arena = sim_arena(of->fabric->sim);
    struct telemetry *t = ARENA_NEW(arena, struct telemetry);
    t->of = *of;
    if (of->packets) t->parts = net_parts(of->fabric);
    t->window_ps = of->cfg->window_ps;
    t->begin_ps = sim_now_ps(of->fabric->sim);
    t->cap = of->cfg->samples - of->cfg->samples % 2;
    t->link_n = choose(of, NULL);
    t->link = ARENA_ARRAY(arena, struct link_watch, t->link_n);
    choose(of, t->link);
    return t;
}

/* ---- results --------------------------------------------------------------------------------- */

/* struct row: a series on its way into a record; windows first .. end - 1. */
struct row {
    const char *entity, *name, *unit;
    const double *value; /* NULL = all 0 */
    int64_t first, end;
    double per_ps;   /* > 0: values become means, value / (window * per_ps); 0: they stay */
    int64_t last_ps; /* length of the last window of all */
};

static void record_row(const struct telemetry *t, struct record *record, const struct row *row)
{
    int series = record_series(record, row->entity, row->name, row->unit, t->window_ps);
    for (int64_t i = row->first; i < row->end; i++) {
        double x = row->value ? row->value[i] : 0;
        int64_t took_ps = i == t->n - 1 ? row->last_ps : t->window_ps;
        if (row->per_ps > 0) x /= (double)took_ps * row->per_ps;
        record_sample(record, series, i * t->window_ps, x);
    }
}

static void record_link(const struct telemetry *t, struct record *record,
                        const struct link_watch *watch, int64_t last_ps)
{
    const struct topo_link *link = &t->of.graph->links[watch->link];
    const char *entity = arena_printf(&record->arena, "link/%s", link->name);
    for (enum kind k = 0; k < KINDS; k++) {
        if (!watch->value[k] && k != UTILISATION) continue;
        const double per_ps[KINDS] = {[UTILISATION] = (double)link->rate_bps * 1e-12, [PAUSED] = 1};
        record_row(t, record,
                   &(struct row){.entity = entity,
                                 .name = kinds[k].name,
                                 .unit = kinds[k].unit,
                                 .value = watch->value[k],
                                 .end = t->n,
                                 .per_ps = per_ps[k],
                                 .last_ps = last_ps});
    }
}

static void record_flow(const struct telemetry *t, struct record *record,
                        const struct flow_watch *watch, int64_t last_ps)
{
    const struct topo_node *nodes = t->of.graph->nodes;
    const char *entity = arena_printf(&record->arena, "flow/%" PRId64 " %s>%s", watch->number,
                                      nodes[watch->src].name, nodes[watch->dst].name);
    record_row(t, record,
               &(struct row){.entity = entity,
                             .name = "rate",
                             .unit = "bit/s",
                             .value = watch->bits,
                             .first = watch->first,
                             .end = watch->last + 1,
                             .per_ps = 1e-12,
                             .last_ps = last_ps});
}

void telemetry_record(struct telemetry *t, struct record *record)
{
    const int64_t now_ps = sim_now_ps(t->of.fabric->sim);
    int64_t last_ps = t->window_ps;
    if (now_ps > t->begin_ps) {
        last_ps = now_ps - t->begin_ps;
        close_window(t, now_ps);
    }
    for (int64_t i = 0; i < t->link_n; i++) {
        record_link(t, record, &t->link[i], last_ps);
        if (t->of.packets && t->of.cfg->queues)
            t->parts.port[t->link[i].link]->queue_max_bytes = t->link[i].queue_peak_bytes;
    }
    for (int64_t i = 0; i < t->flow_n; i++)
        record_flow(t, record, &t->flow[i], last_ps);
}
