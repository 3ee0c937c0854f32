/* fault.c - faults of links, from a list to the fabric (fault.h).
 *
 * The one idea: each link keeps what all faults make of it now; a fault that begins or ends says so
 * to the link, and the fabric hears of the sum. A cable is down in both directions at once; rates,
 * errors and storms are of one direction.
 * NOT modelled: nodes that fail as a whole (name their links: "leaf3>*" and "*>leaf3").
 */
#include "models/fault.h"

#include <fnmatch.h>

#include "sim/base/units.h"

#define SLOWEST_BPS 1000000 /* as slow as a link of a topology can be */

static const char *const kinds[] = {"down", "slow", "bit-errors", "pause-storm", NULL};

#define AT(member) offsetof(struct fault_cfg, member)
static const struct schema_field fields[] = {
    {.key = "link",
     .type = SCHEMA_STRING,
     .offset = AT(link),
     .help = "Links by name, with * and ? as in file names: \"leaf0>spine3\", a leaf's uplinks "
             "\"leaf0>*\", a server's network ports \"node3/nic2>*\", \"node3*>*\"."},
    {.key = "kind",
     .type = SCHEMA_ENUM,
     .offset = AT(kind),
     .words = kinds,
     .help = "down: the cable, both ways; slow: at `rate`; bit-errors: packets are lost; "
             "pause-storm: the far end pauses it without end."},
    {.key = "at",
     .type = SCHEMA_TIME,
     .offset = AT(at_ps),
     .fallback = "0s",
     .max = "1000h",
     .help = "When it begins."},
    {.key = "for",
     .type = SCHEMA_TIME,
     .offset = AT(for_ps),
     .fallback = "0s",
     .max = "1000h",
     .help = "How long it lasts; 0 = to the end of the run."},
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = AT(rate_bps),
     .fallback = "0bps",
     .max = "100Tbps",
     .help = "slow: what is left of the link's rate."},
    {.key = "bit_error_rate",
     .type = SCHEMA_REAL,
     .offset = AT(bit_errors),
     .fallback = "0",
     .max = "0.01",
     .help = "bit-errors: probability that a bit is wrong (after FEC); a packet with one is lost."},
    {.key = NULL},
};

static void check(const void *config, struct schema_check *check)
{
    const struct fault_cfg *cfg = config;
    if ((cfg->kind == FAULT_SLOW) != (cfg->rate_bps > 0))
        schema_complain(check, "rate",
                        cfg->kind == FAULT_SLOW
                            ? "C080: kind: slow needs a `rate`: what is left of the link's"
                            : "C080: `rate` belongs to kind: slow, and to no other");
    if ((cfg->kind == FAULT_ERRORS) != (cfg->bit_errors > 0))
        schema_complain(check, "bit_error_rate",
                        "C081: `bit_error_rate` belongs to kind: bit-errors, and to no other");
    if (cfg->kind == FAULT_SLOW && cfg->rate_bps > 0 && cfg->rate_bps < SLOWEST_BPS)
        schema_complain(check, "rate", "C076: a link at less than 1 Mbps: use kind: down");
}

const struct schema fault_schema = {
    .name = "fault",
    .help = "Something that goes wrong with links during a run.",
    .size = sizeof(struct fault_cfg),
    .fields = fields,
    .check = check,
};

/* struct fault: of one link. */
struct fault {
    struct timer timer;
    const struct fault_cfg *cfg;
    struct fault_link *link;
    bool on;
};

/* struct fault_link: what its faults make of a link. */
struct fault_link {
    struct fabric *fabric;
    int64_t rate_bps; /* without faults */
    int32_t number;
    int32_t fault_n;
    struct fault **fault;
};

static bool meets(const struct fault_cfg *cfg, const struct topo_graph *graph, int64_t link)
{
    if (fnmatch(cfg->link, graph->links[link].name, 0) == 0) return true;
    return cfg->kind == FAULT_DOWN && fnmatch(cfg->link, graph->links[link ^ 1].name, 0) == 0;
}

/* A name of each kind of link that there is. */
static const char *examples(const struct topo_graph *graph, struct arena *arena)
{
    bool shown[TOPO_LINK_KINDS] = {0};
    const char *text = "";
    for (int64_t l = 0; l < graph->link_n; l++) {
        const struct topo_link *link = &graph->links[l];
        if (shown[link->kind]) continue;
        shown[link->kind] = true;
        text = arena_printf(arena, "%s%s\"%s\"", text, *text ? ", " : "", link->name);
    }
    return text;
}

bool fault_check(const struct schema_list *faults, const struct topo_graph *graph, bool packets,
                 struct err *err)
{
    const struct fault_cfg *cfg = faults->items;
    struct arena scratch = {0};
    bool good = true;
    for (int64_t f = 0; f < faults->n; f++) {
        bool met = false;
        for (int64_t l = 0; l < graph->link_n && !met; l++)
            met = meets(&cfg[f], graph, l);
        if (!met)
            good = err_key(err, arena_printf(&scratch, "faults.%lld.link", (long long)f),
                           "C082: faults: no link is called \"%s\"; links are called %s",
                           cfg[f].link, examples(graph, &scratch));
        if (!packets && (cfg[f].kind == FAULT_ERRORS || cfg[f].kind == FAULT_STORM))
            good = err_key(err, arena_printf(&scratch, "faults.%lld.kind", (long long)f),
                           "C077: faults: %s at \"%s\" needs packets: network.model: packet",
                           kinds[cfg[f].kind], cfg[f].link);
    }
    arena_free(&scratch);
    return good;
}

static void tell(const struct fault_link *link)
{
    struct fabric_link state = {.rate_bps = link->rate_bps};
    for (int32_t i = 0; i < link->fault_n; i++) {
        const struct fault *fault = link->fault[i];
        const struct fault_cfg *cfg = fault->cfg;
        if (!fault->on) continue;
        if (cfg->kind == FAULT_DOWN) state.rate_bps = 0;
        if (cfg->kind == FAULT_SLOW && cfg->rate_bps < state.rate_bps)
            state.rate_bps = cfg->rate_bps;
        if (cfg->kind == FAULT_ERRORS && cfg->bit_errors > state.bit_errors)
            state.bit_errors = cfg->bit_errors;
        if (cfg->kind == FAULT_STORM) state.storm = true;
    }
    fabric_set_link(link->fabric, link->number, &state);
}

static void on_change(struct sim *sim, void *self)
{
    struct fault *fault = self;
    fault->on = !fault->on;
    tell(fault->link);
    if (fault->on && fault->cfg->for_ps > 0) timer_after(sim, &fault->timer, fault->cfg->for_ps);
}

static void add(struct fault_link *link, const struct fault_cfg *cfg)
{
    struct sim *sim = link->fabric->sim;
    struct fault *fault = ARENA_NEW(sim_arena(sim), struct fault);
    fault->cfg = cfg;
    fault->link = link;
    link->fault[link->fault_n++] = fault;
    timer_init(&fault->timer, on_change, fault, sim_component(sim), 0);
    timer_arm(sim, &fault->timer, cfg->at_ps);
}

void fault_start(const struct schema_list *faults, const struct topo_graph *graph,
                 struct fabric *fabric)
{
    const struct fault_cfg *cfg = faults->items;
    struct arena *arena = sim_arena(fabric->sim);
    for (int64_t l = 0; l < graph->link_n && faults->n > 0; l++) {
        struct fault_link *link = NULL;
        for (int64_t f = 0; f < faults->n; f++) {
            if (!meets(&cfg[f], graph, l)) continue;
            if (!link) {
                link = ARENA_NEW(arena, struct fault_link);
                *link = (struct fault_link){.fabric = fabric,
                                            .rate_bps = graph->links[l].rate_bps,
                                            .number = (int32_t)l,
                                            .fault = ARENA_ARRAY(arena, struct fault *, faults->n)};
            }
            add(link, &cfg[f]);
        }
    }
}
