/* facts.c - counts, distances and capacities of a network.
 *
 * Apart from the verb that prints them so that tests and checks can ask, too. The one idea:
 * parallel cables and the endpoints of a switch are added up first, what is left is small.
 *
 * The bisection: endpoints are taken in the order of their switches, the first half may send, the
 * other half receive, and what the network can carry between the halves is a maximum flow. In a
 * rail-optimised fabric this puts the leaves of half of the rails against the others: the cut that
 * all traffic has to cross over the spines.
 *
 * NOT modelled: that the worst of all cuts may be another one (finding it is NP-hard).
 */
#include "models/topo/facts.h"

#include "models/topo/maxflow.h"
#include "sim/base/check.h"

/* struct arc: all links from one switch to another. */
struct arc {
    int32_t to;
    int64_t bps;
};

/* struct net: the switches that remain. */
struct net {
    int32_t n;
    int32_t *number; /* [graph nodes] of a switch, else -1 */
    int64_t *first;  /* [n + 1] */
    struct arc *arc;
    int64_t *ends, *ends_bps; /* [n] endpoints at a switch and the rate of their cables */
};

/* ---- the switches ---------------------------------------------------------------------------- */

/* The endpoints of each switch. */
static void add_endpoints(struct net *net, const struct topo_graph *graph)
{
    for (int64_t l = 0; l < graph->link_n; l++) {
        const struct topo_link *link = &graph->links[l];
        int32_t to = net->number[link->to];
        if (graph->nodes[link->from].kind != TOPO_HOST || to < 0) continue;
        net->ends[to]++;
        net->ends_bps[to] += link->rate_bps;
    }
}

/* Links between two switches, consecutive in the graph, become one arc. */
static struct net make_net(struct arena *arena, const struct topo_graph *graph)
{
    struct net net = {.number = ARENA_ARRAY(arena, int32_t, graph->node_n)};
    for (int64_t v = 0; v < graph->node_n; v++)
        net.number[v] = graph->nodes[v].kind == TOPO_SWITCH ? net.n++ : -1;
    net.first = ARENA_ARRAY(arena, int64_t, net.n + 2);
    net.ends = ARENA_ARRAY(arena, int64_t, net.n);
    net.ends_bps = ARENA_ARRAY(arena, int64_t, net.n);
    add_endpoints(&net, graph);
    for (int pass = 0; pass < 2; pass++) {                  /* count, then fill */
        int32_t *last = ARENA_ARRAY(arena, int32_t, net.n); /* where the newest arc leads, + 1 */
        for (int64_t l = 0; l < graph->link_n; l++) {
            int32_t from = net.number[graph->links[l].from], to = net.number[graph->links[l].to];
            if (from < 0 || to < 0) continue;
            int64_t *at = &net.first[pass ? from + 1 : from + 2];
            if (last[from] != to + 1) ++*at;
            last[from] = to + 1;
            if (!pass) continue;
            net.arc[*at - 1].to = to;
            net.arc[*at - 1].bps += graph->links[l].rate_bps;
        }
        if (pass) break;
        for (int32_t v = 0; v < net.n; v++)
            net.first[v + 2] += net.first[v + 1];
        net.arc = ARENA_ARRAY(arena, struct arc, net.first[net.n + 1]);
    }
    return net;
}

/* Distances from the queue[queue_n] of nodes whose dist is set; the others must be -1 and stay so
 * where there is no way. */
static void search(const struct net *net, int32_t *queue, int32_t queue_n, int32_t *dist)
{
    for (int32_t i = 0; i < queue_n; i++)
        for (int64_t a = net->first[queue[i]]; a < net->first[queue[i] + 1]; a++) {
            int32_t to = net->arc[a].to;
            if (dist[to] >= 0) continue;
            dist[to] = dist[queue[i]] + 1;
            queue[queue_n++] = to;
        }
}

/* ---- tiers and cables ------------------------------------------------------------------------ */

int32_t *facts_tiers(struct arena *arena, const struct topo_graph *graph,
                     const struct topo_made *made)
{
    struct net net = make_net(arena, graph);
    int32_t *queue = ARENA_ARRAY(arena, int32_t, net.n), *dist = ARENA_ARRAY(arena, int32_t, net.n);
    int32_t *tier = ARENA_ARRAY(arena, int32_t, graph->node_n), queue_n = 0;
    for (int32_t v = 0; v < net.n; v++) {
        dist[v] = net.ends[v] ? 1 : -1;
        if (net.ends[v]) queue[queue_n++] = v;
    }
    search(&net, queue, queue_n, dist);
    for (int64_t v = 0; v < graph->node_n; v++) {
        int32_t t = net.number[v] < 0 ? -1 : dist[net.number[v]];
        tier[v] = t > FACTS_TIERS ? FACTS_TIERS : t;
    }
    for (int64_t i = 0; i < made->nodes * made->node_ports; i++)
        tier[made->endpoint[i]] = 0;
    return tier;
}

static struct facts_cables *cables_of(struct facts *facts, int low, int high)
{
    int at = 0;
    while (at < facts->cable_n && (facts->cable[at].low < low ||
                                   (facts->cable[at].low == low && facts->cable[at].high < high)))
        at++;
    struct facts_cables *row = &facts->cable[at];
    if (at < facts->cable_n && row->low == low && row->high == high) return row;
    CHECK(facts->cable_n < FACTS_CABLES, "cables between more than %d tiers", FACTS_CABLES);
    for (int i = facts->cable_n++; i > at; i--)
        facts->cable[i] = facts->cable[i - 1];
    *row = (struct facts_cables){.low = low, .high = high, .min_bps = INT64_MAX};
    return row;
}

static void count(const struct topo_graph *graph, const int32_t *tier, struct facts *facts)
{
    double below[FACTS_TIERS + 1] = {0}, above[FACTS_TIERS + 1] = {0};
    for (int64_t v = 0; v < graph->node_n; v++) {
        facts->switches += graph->nodes[v].kind == TOPO_SWITCH;
        if (tier[v] < 0) continue;
        facts->tier_n[tier[v]]++;
        if (tier[v] > facts->tiers) facts->tiers = tier[v];
    }
    for (int64_t l = 0; l < graph->link_n; l += 2) { /* a cable is two links */
        const struct topo_link *link = &graph->links[l];
        int a = tier[link->from], b = tier[link->to];
        facts->cables++;
        if (a < 0 || b < 0) continue;
        struct facts_cables *row = cables_of(facts, a < b ? a : b, a < b ? b : a);
        row->n++;
        row->bps += link->rate_bps;
        if (link->rate_bps < row->min_bps) row->min_bps = link->rate_bps;
        if (link->rate_bps > row->max_bps) row->max_bps = link->rate_bps;
        if (a == b) continue;
        above[row->low] += (double)link->rate_bps;
        below[row->high] += (double)link->rate_bps;
    }
    for (int t = 1; t <= facts->tiers; t++)
        facts->over[t] = above[t] > 0 ? below[t] / above[t] : 0;
}

/* ---- ways ------------------------------------------------------------------------------------ */

/* Links between all ordered pairs of endpoints: one up, those between the switches, one down. */
static void measure_hops(struct arena *arena, const struct net *net, struct facts *facts)
{
    int32_t *queue = ARENA_ARRAY(arena, int32_t, net->n);
    int32_t *dist = ARENA_ARRAY(arena, int32_t, net->n);
    double pairs = 0, sum = 0;
    for (int32_t v = 0; v < net->n; v++) {
        if (net->ends[v] == 0) continue;
        for (int32_t w = 0; w < net->n; w++)
            dist[w] = -1;
        dist[v] = 0;
        queue[0] = v;
        search(net, queue, 1, dist);
        for (int32_t w = 0; w < net->n; w++) {
            int64_t n = net->ends[v] * (net->ends[w] - (v == w));
            if (n == 0) continue;
            if (dist[w] < 0) {
                facts->unreached += n;
                continue;
            }
            int64_t hops = dist[w] + 2;
            pairs += (double)n;
            sum += (double)n * (double)hops;
            if (hops > facts->hops_max) facts->hops_max = hops;
            if (hops < facts->hops_min || facts->hops_min == 0) facts->hops_min = hops;
        }
    }
    facts->hops_mean = pairs > 0 ? sum / pairs : 0;
}

/* ---- bisection ------------------------------------------------------------------------------- */

/* Senders hang at node n of the flow, receivers at n + 1. A switch in the middle has both: its rate
 * is divided by their numbers. */
static void measure_bisection(struct arena *arena, const struct net *net, struct facts *facts)
{
    struct maxflow flow = {.arena = arena, .node_n = net->n + 2};
    int64_t half = facts->endpoints / 2, seen = 0, to_bps = 0;
    for (int32_t v = 0; v < net->n; v++) {
        if (net->ends[v] == 0) continue;
        int64_t left = half - seen;
        int64_t senders = left <= 0 ? 0 : left < net->ends[v] ? left : net->ends[v];
        int64_t from_bps = net->ends_bps[v] / net->ends[v] * senders;
        if (senders == net->ends[v]) from_bps = net->ends_bps[v];
        maxflow_arc(&flow, net->n, v, from_bps);
        maxflow_arc(&flow, v, net->n + 1, net->ends_bps[v] - from_bps);
        facts->half_bps += from_bps;
        to_bps += net->ends_bps[v] - from_bps;
        seen += net->ends[v];
    }
    if (to_bps < facts->half_bps) facts->half_bps = to_bps;
    for (int32_t v = 0; v < net->n; v++)
        for (int64_t a = net->first[v]; a < net->first[v + 1]; a++)
            maxflow_arc(&flow, v, net->arc[a].to, net->arc[a].bps);
    facts->bisection_bps = maxflow_run(&flow, net->n, net->n + 1);
}

void facts_of(struct arena *arena, const struct topo_graph *graph, const struct topo_made *made,
              struct facts *facts)
{
    *facts = (struct facts){.endpoints = made->nodes * made->node_ports};
    count(graph, facts_tiers(arena, graph, made), facts);
    struct net net = make_net(arena, graph);
    measure_hops(arena, &net, facts);
    measure_bisection(arena, &net, facts);
}
