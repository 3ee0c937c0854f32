/* validation_ecmp.c - flows on the paths of a hash, their rates by progressive filling.
 *
 * One stage of n links:  1 - (1 - 1/n)^n  of them are used. NOT modelled: queues, finite flows.
 */
#include "sim/app/validation_ecmp.h"

#include <string.h>

#include "models/flow/maxmin.h"
#include "models/route/route.h"
#include "models/topo/routes.h"
#include "sim/base/arena.h"
#include "sim/base/units.h"

#define HOPS 4 /* host, leaf, spine, leaf, host */

struct hashing {
    const struct validation_ecmp *ecmp;
    struct arena arena;
    struct topo_graph graph;
    const struct routes *routes;
    const struct route_ops *rule;
    const void *config;
    int32_t *host, *dst; /* [n]; dst: which host */
    int32_t n;
    struct rng rng;
};

static void cable(struct hashing *h, int32_t from, int32_t to, int64_t n)
{
    topo_cables(&h->graph,
                &(struct topo_link){.from = from, .to = to, .kind = TOPO_FABRIC, .rate_bps = 1}, n);
}

/* Hosts are numbered by leaf. */
static void build(struct hashing *h)
{
    const struct validation_ecmp *ecmp = h->ecmp;
    h->n = (int32_t)(ecmp->leaves * ecmp->hosts);
    h->host = ARENA_ARRAY(&h->arena, int32_t, h->n);
    h->dst = ARENA_ARRAY(&h->arena, int32_t, h->n);
    topo_init(&h->graph, &h->arena);
    int32_t *spine = ARENA_ARRAY(&h->arena, int32_t, ecmp->spines), n = 0;
    for (int64_t s = 0; s < ecmp->spines; s++)
        spine[s] = topo_node(&h->graph, TOPO_SWITCH, "spine");
    for (int64_t l = 0; l < ecmp->leaves; l++) {
        int32_t leaf = topo_node(&h->graph, TOPO_SWITCH, "leaf");
        for (int64_t i = 0; i < ecmp->hosts; i++) {
            h->host[n] = topo_node(&h->graph, TOPO_HOST, "host");
            cable(h, h->host[n++], leaf, 1);
        }
        for (int64_t s = 0; s < ecmp->spines; s++)
            cable(h, leaf, spine[s], ecmp->links);
    }
    h->routes = routes_new(&h->arena, &h->graph, NULL);
    int kind = 0;
    while (strcmp(route_kinds[kind]->name, "ecmp") != 0)
        kind++;
    h->rule = route_list[kind];
    h->config = arena_alloc(&h->arena, route_kinds[kind]->size); /* all zero: the default */
}

static bool is_up(const struct route_view *view, int32_t i)
{
    (void)view;
    (void)i;
    return true;
}

/* The links of a queue pair whose five-tuple has this hash; as a switch asks its rule. */
static void walk(struct hashing *h, const int32_t ends[2], uint32_t flow, int32_t *hop)
{
    int32_t n = 0;
    hop[n++] = h->routes->end[ends[0]].up;
    while (h->graph.links[hop[n - 1]].to != ends[1]) {
        struct route_view view = {.node = h->graph.links[hop[n - 1]].to, .flow = flow, .up = is_up};
        view.n = routes_next(h->routes, view.node, ends[1], &view.link);
        view.slot = view.link + view.n;
        hop[n++] = view.link[h->rule->pick(NULL, h->config, &view, &h->rng)];
    }
}

/* Random exchanges that leave nobody at its own leaf. */
static void permute(struct hashing *h)
{
    int32_t at_leaf = (int32_t)h->ecmp->hosts;
    for (int32_t i = 0; i < h->n; i++)
        h->dst[i] = (i + at_leaf) % h->n;
    for (int32_t tries = 0; tries < 20 * h->n; tries++) {
        int32_t i = (int32_t)rng_below(&h->rng, (uint64_t)h->n);
        int32_t j = (int32_t)rng_below(&h->rng, (uint64_t)h->n);
        if (h->dst[i] / at_leaf == j / at_leaf || h->dst[j] / at_leaf == i / at_leaf) continue;
        int32_t other = h->dst[i];
        h->dst[i] = h->dst[j];
        h->dst[j] = other;
    }
}

static double water_fill(struct hashing *h)
{
    struct arena scratch = {0};
    const int32_t pairs = (int32_t)h->ecmp->pairs, flow_n = h->n * pairs;
    const int32_t link_n = (int32_t)h->graph.link_n;
    int32_t *first = ARENA_ARRAY(&scratch, int32_t, flow_n + 1);
    int32_t *hop = ARENA_ARRAY(&scratch, int32_t, flow_n * HOPS);
    double *cap_bps = ARENA_ARRAY(&scratch, double, link_n);
    int32_t *rank = ARENA_ARRAY(&scratch, int32_t, link_n);
    permute(h);
    for (int32_t l = 0; l < link_n; l++) {
        cap_bps[l] = 1;
        rank[l] = l;
    }
    for (int32_t f = 0; f < flow_n; f++) {
        int32_t ends[2] = {h->host[f / pairs], h->host[h->dst[f / pairs]]};
        first[f + 1] = first[f] + HOPS;
        walk(h, ends, (uint32_t)rng_u64(&h->rng), hop + first[f]);
    }
    struct maxmin problem = {.flow_n = flow_n,
                             .free_n = flow_n,
                             .link_n = link_n,
                             .first = first,
                             .hop = hop,
                             .cap_bps = cap_bps,
                             .rank = rank,
                             .rate_bps = ARENA_ARRAY(&scratch, double, flow_n),
                             .limited_by = ARENA_ARRAY(&scratch, int32_t, flow_n),
                             .link = ARENA_ARRAY(&scratch, struct maxmin_link, link_n + 1),
                             .member = ARENA_ARRAY(&scratch, int32_t, flow_n * HOPS),
                             .turn = ARENA_ARRAY(&scratch, struct maxmin_turn, link_n)};
    maxmin_solve(&problem);
    double sum = 0;
    for (int32_t f = 0; f < flow_n; f++)
        sum += problem.rate_bps[f];
    arena_free(&scratch);
    return sum / h->n;
}

double validation_ecmp_rate(const struct validation_ecmp *ecmp)
{
    struct hashing h = {.ecmp = ecmp, .rng = rng_stream(1, "validation/ecmp")};
    double sum = 0;
    build(&h);
    for (int64_t p = 0; p < ecmp->permutations; p++)
        sum += water_fill(&h);
    arena_free(&h.arena);
    return sum / (double)ecmp->permutations;
}
