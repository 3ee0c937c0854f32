/* topo_explicit.c - a network written out: lists of switches, hosts and links.
 *
 * Each link is a cable, or `count` of them, between two names. A host's port has one cable; a host
 * with several ports has the names host/nic0, host/nic1, ...
 *
 * NOT modelled: ports with several cables (give the host more ports).
 */
#include <stdlib.h>
#include <string.h>

#include "models/topo/facts.h"
#include "models/topo/parts.h"

struct explicit_switch {
    const char *name;
    int64_t latency_ps;
};
struct explicit_host {
    const char *name;
};
struct explicit_link {
    const char *from, *to;
    int64_t rate_bps, delay_ps, length_mm, count;
};
struct explicit_cfg {
    int64_t ports;
    struct schema_list switches, hosts, links;
};

static const struct schema_field switch_fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct explicit_switch, name),
     .help = "What links call it."},
    {.key = "latency",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct explicit_switch, latency_ps),
     .fallback = PARTS_LATENCY,
     .max = "1s",
     .help = "Time that it takes to pass a packet on.",
     .source = PARTS_LATENCY_SOURCE},
    {.key = NULL},
};
static const struct schema switch_schema = {
    .name = "switch",
    .help = "A switch.",
    .size = sizeof(struct explicit_switch),
    .fields = switch_fields,
};

static const struct schema_field host_fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct explicit_host, name),
     .help = "What links call it; with several ports: name/nic0, name/nic1, ..."},
    {.key = NULL},
};
static const struct schema host_schema = {
    .name = "host",
    .help = "A server.",
    .size = sizeof(struct explicit_host),
    .fields = host_fields,
};

static const struct schema_field link_fields[] = {
    {.key = "from",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct explicit_link, from),
     .help = "One end."},
    {.key = "to",
     .type = SCHEMA_STRING,
     .offset = offsetof(struct explicit_link, to),
     .help = "The other end."},
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = offsetof(struct explicit_link, rate_bps),
     .min = "1Mbps",
     .max = PARTS_RATE_MAX,
     .help = "Each way."},
    {.key = "delay",
     .type = SCHEMA_TIME,
     .offset = offsetof(struct explicit_link, delay_ps),
     .fallback = "0s",
     .max = "10s",
     .help = "One way, besides the length."},
    {.key = "length",
     .type = SCHEMA_LENGTH,
     .offset = offsetof(struct explicit_link, length_mm),
     .fallback = "0m",
     .max = "100000km",
     .help = "Of the cable; 5 ns per metre."},
    {.key = "count",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct explicit_link, count),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Parallel cables."},
    {.key = NULL},
};
static const struct schema link_schema = {
    .name = "link",
    .help = "A cable between a host and a switch, or between two switches.",
    .size = sizeof(struct explicit_link),
    .fields = link_fields,
};

static const struct schema_field fields[] = {
    {.key = "ports",
     .type = SCHEMA_COUNT,
     .offset = offsetof(struct explicit_cfg, ports),
     .fallback = "1",
     .min = "1",
     .max = "64",
     .help = "Network ports of each host."},
    {.key = "switches",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct explicit_cfg, switches),
     .section = &switch_schema,
     .min = "1",
     .max = "65536",
     .help = "All switches: [{name: s0}, {name: s1, latency: 500ns}]."},
    {.key = "hosts",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct explicit_cfg, hosts),
     .section = &host_schema,
     .min = "1",
     .max = "262144",
     .help = "All servers, in the order of their numbers: [{name: h0}, {name: h1}]."},
    {.key = "links",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct explicit_cfg, links),
     .section = &link_schema,
     .min = "1",
     .max = "1000000",
     .help = "All cables: [{from: h0, to: s0, rate: 100Gbps, delay: 1us}]."},
    {.key = NULL},
};

/* ---- names ----------------------------------------------------------------------------------- */

/* A node that links can name. Endpoints are numbered first, then switches: graph numbers. */
struct place {
    const char *name; /* of the host, for endpoints */
    int32_t port;     /* of a host with several, else -1 */
    int32_t node;
    int32_t cables; /* counted by the check */
};

struct places {
    struct place *place; /* [n] by name and port; mem_free */
    int64_t n, cap, endpoints;
};

static int by_name(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->port > y->port) - (x->port < y->port);
}

static struct places places_of(const struct explicit_cfg *cfg)
{
    const struct explicit_switch *switches = cfg->switches.items;
    const struct explicit_host *hosts = cfg->hosts.items;
    struct places all = {.endpoints = cfg->hosts.n * cfg->ports};
    all.place = mem_grow(NULL, &all.cap, all.endpoints + cfg->switches.n, sizeof *all.place);
    for (; all.n < all.endpoints; all.n++)
        all.place[all.n] =
            (struct place){.name = hosts[all.n / cfg->ports].name,
                           .port = cfg->ports > 1 ? (int32_t)(all.n % cfg->ports) : -1};
    for (int64_t i = 0; i < cfg->switches.n; i++)
        all.place[all.n++] = (struct place){.name = switches[i].name, .port = -1};
    for (int32_t i = 0; i < all.n; i++)
        all.place[i].node = i;
    qsort(all.place, (size_t)all.n, sizeof *all.place, by_name);
    return all;
}

/* Split "h0/nic3" into "h0" and 3; false if the text does not end so. */
static bool split_port(const char *text, char *host, size_t size, int32_t *port)
{
    const char *slash = strrchr(text, '/');
    if (!slash || strncmp(slash, "/nic", 4) != 0 || (size_t)(slash - text) >= size) return false;
    size_t digits = strspn(slash + 4, "0123456789");
    if (digits < 1 || digits > 4 || slash[4 + digits] || (slash[4] == '0' && digits > 1))
        return false;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = 0;
    *port = (int32_t)strtol(slash + 4, NULL, 10);
    return true;
}

static struct place *find(const struct places *all, const char *text)
{
    char host[256];
    struct place key = {.name = text, .port = -1};
    struct place *found = bsearch(&key, all->place, (size_t)all->n, sizeof key, by_name);
    if (found || !split_port(text, host, sizeof host, &key.port)) return found;
    key.name = host;
    return bsearch(&key, all->place, (size_t)all->n, sizeof key, by_name);
}

/* ---- building -------------------------------------------------------------------------------- */

static void build(const void *config, const struct topo_ask *ask, struct topo_graph *graph,
                  struct topo_made *made)
{
    (void)ask; /* everything is written out */
    const struct explicit_cfg *cfg = config;
    const struct explicit_switch *switches = cfg->switches.items;
    const struct explicit_host *hosts = cfg->hosts.items;
    const struct explicit_link *links = cfg->links.items;
    parts_endpoints(graph, made, cfg->hosts.n, cfg->ports);
    for (int64_t i = 0; i < cfg->hosts.n * cfg->ports; i++)
        graph->nodes[i].name =
            cfg->ports > 1 ? arena_printf(graph->arena, "%s/nic%lld", hosts[i / cfg->ports].name,
                                          (long long)(i % cfg->ports))
                           : hosts[i].name;
    for (int64_t i = 0; i < cfg->switches.n; i++)
        topo_switch(graph, switches[i].name, switches[i].latency_ps);
    struct places all = places_of(cfg);
    made->edge = -1;
    for (int64_t l = 0; l < cfg->links.n; l++) {
        int32_t from = find(&all, links[l].from)->node, to = find(&all, links[l].to)->node;
        bool nic = from < all.endpoints || to < all.endpoints;
        if (nic && made->edge < 0) made->edge = from < all.endpoints ? to : from;
        topo_cables(
            graph,
            &(struct topo_link){.from = from,
                                .to = to,
                                .kind = nic ? TOPO_NIC : TOPO_FABRIC,
                                .rate_bps = links[l].rate_bps,
                                .delay_ps = parts_delay_ps(links[l].delay_ps, links[l].length_mm)},
            links[l].count);
    }
    mem_free(all.place);
}

/* ---- check ----------------------------------------------------------------------------------- */

static bool check_names(const struct places *all, struct schema_check *check)
{
    for (int64_t i = 0; i < all->n; i++) {
        const char *name = all->place[i].name;
        if (!*name)
            schema_complain(check, "hosts", "C026: a host or switch without a name");
        else if (i > 0 && by_name(&all->place[i - 1], &all->place[i]) == 0)
            schema_complain(check, "hosts", "C027: two are called '%s'", name);
        else
            continue;
        return false;
    }
    return true;
}

/* Both ends have names, and are two; counts the cables of each. */
static bool check_links(const struct explicit_cfg *cfg, struct places *all,
                        struct schema_check *check)
{
    const struct explicit_link *links = cfg->links.items;
    for (int64_t l = 0; l < cfg->links.n; l++) {
        struct place *from = find(all, links[l].from), *to = find(all, links[l].to);
        if (!from || !to) {
            schema_complain(check, "links", "C026: link %lld: no host or switch is called '%s'",
                            (long long)l, from ? links[l].to : links[l].from);
            return false;
        }
        if (from == to || (from->node < all->endpoints && to->node < all->endpoints)) {
            schema_complain(check, "links", "C028: link %lld: from '%s' to %s", (long long)l,
                            links[l].from, from == to ? "itself" : "another host");
            return false;
        }
        from->cables += (int32_t)links[l].count;
        to->cables += (int32_t)links[l].count;
    }
    for (int64_t i = 0; i < all->n; i++) {
        const struct place *place = &all->place[i];
        if (place->node >= all->endpoints || place->cables == 1) continue;
        schema_complain(check, "links", "C028: %s '%s' has %d cables; it needs one",
                        place->port < 0 ? "host" : "a port of host", place->name, place->cables);
        return false;
    }
    return true;
}

/* All reach each other, over not too many links: asked of the network itself. */
static void check_ways(const struct explicit_cfg *cfg, struct schema_check *check)
{
    struct arena scratch = {0};
    struct topo_graph graph;
    struct topo_made made = {0};
    struct facts facts;
    topo_init(&graph, &scratch);
    build(cfg, NULL, &graph, &made);
    facts_of(&scratch, &graph, &made, &facts);
    if (facts.unreached)
        schema_complain(check, "links", "C029: some hosts do not reach each other: %lld pairs",
                        (long long)facts.unreached / 2);
    else if (facts.hops_max > TOPO_PATH_MAX)
        schema_complain(check, "links", "C030: two hosts are %lld links apart; at most %d",
                        (long long)facts.hops_max, TOPO_PATH_MAX);
    arena_free(&scratch);
}

static void check(const void *config, struct schema_check *complaints)
{
    const struct explicit_cfg *cfg = config;
    const struct explicit_link *links = cfg->links.items;
    struct parts_size size = {.endpoints = (double)cfg->hosts.n * (double)cfg->ports,
                              .switches = (double)cfg->switches.n,
                              .edges = (double)cfg->switches.n};
    for (int64_t l = 0; l < cfg->links.n; l++)
        size.cables += (double)links[l].count;
    if (size.edges > size.endpoints) size.edges = size.endpoints;
    if (!parts_check_size(complaints, "links", &size)) return;
    struct places all = places_of(cfg);
    if (check_names(&all, complaints) && check_links(cfg, &all, complaints))
        check_ways(cfg, complaints);
    mem_free(all.place);
}

const struct schema topo_explicit_schema = {
    .name = "explicit",
    .help = "Switches, hosts and links, one by one.",
    .size = sizeof(struct explicit_cfg),
    .fields = fields,
    .check = check,
};

const struct topo_ops topo_explicit = {
    .help = "switches, hosts and links, one by one",
    .build = build,
};
