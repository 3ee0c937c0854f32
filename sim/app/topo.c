/* topo.c - `railsim topo FILE`: what a network is made of and what it can carry; or its drawing.
 *
 * Text and JSON print the facts of models/topo/facts.h. The drawing is Graphviz source: one box per
 * switch and per server, one line per bundle of parallel cables, one frame per unit or pod.
 */
#include <stdio.h>
#include <string.h>

#include "models/net/buffers.h"
#include "models/topo/facts.h"
#include "models/world.h"
#include "models/world_cfg.h"
#include "sim/app/cli.h"
#include "sim/app/verbs.h"
#include "sim/base/units.h"
#include "sim/io/json.h"
#include "sim/io/tree.h"

struct topo_args {
    struct cli_texts sets;
    bool dot, json;
};

static const struct cli_option options[] = {
    {"set", 0, CLI_TEXTS, offsetof(struct topo_args, sets), "KEY=VALUE", "override a value"},
    {"dot", 0, CLI_FLAG, offsetof(struct topo_args, dot), NULL,
     "print the network for Graphviz instead"},
    {"json", 0, CLI_FLAG, offsetof(struct topo_args, json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "topo",
    .args = "FILE",
    .help =
        "Counts switches and cables; hops are links between endpoints; bisection is the maximum "
        "flow\n  (one way) between the halves of the endpoints in the order of their switches. "
        "Headroom is what\n  PFC needs of a switch's buffer, of the switch of each tier that needs "
        "most.",
    .example = "railsim topo topologies/gmo-3su.yaml\n"
               "railsim topo topologies/gmo-1su.yaml --set fabric.oversubscription=2\n"
               "railsim topo topologies/gmo-1su.yaml --dot | dot -Tsvg -o gmo-1su.svg",
    .arg_min = 1,
    .arg_max = 1,
    .options = options,
};

/* struct built: the network of a file, without storage. */
struct built {
    struct arena *arena;
    const char *file, *kind;
    struct topo_graph graph;
    struct topo_made made;
    const int32_t *tier; /* [node_n] */
    struct facts facts;
    struct net_cfg network;
    struct buffers *buffers; /* [tiers + 1] of the switch that needs most; NULL: no headroom */
};

/* ---- reading ---------------------------------------------------------------------------------*/

static void build(struct built *built, const struct world_topology *cfg)
{
    const struct topo_ask ask = {
        .nodes = cfg->node.count, .nic_bps = cfg->nic.rate_bps, .nic_delay_ps = cfg->nic.delay_ps};
    built->kind = cfg->fabric.kind;
    topo_init(&built->graph, built->arena);
    topo_list[cfg->fabric.index]->build(cfg->fabric.config, &ask, &built->graph, &built->made);
    built->tier = facts_tiers(built->arena, &built->graph, &built->made);
}

static void find_buffers(struct built *built)
{
    const struct net_cfg *cfg = &built->network;
    if (!cfg->pfc.on || cfg->link_layer == NET_INFINIBAND) return;
    built->buffers = ARENA_ARRAY(built->arena, struct buffers, built->facts.tiers + 1);
    for (int32_t v = 0; v < built->graph.node_n; v++) {
        if (built->graph.nodes[v].kind != TOPO_SWITCH) continue;
        const struct buffers need = buffers_of(&built->graph, cfg, v);
        struct buffers *most = &built->buffers[built->tier[v]];
        if (need.sum_bytes > most->sum_bytes) *most = need;
    }
}

/* load reads and checks the file as run would; false after errors. */
static bool load(struct built *built, const struct cli_texts *sets, struct err *err)
{
    struct arena *arena = built->arena;
    struct tree_node *root = tree_read_file(arena, cli_file(arena, built->file), err);
    if (!root) return false;
    if (tree_find(root, "kind"))
        return err_add(err, tree_find(root, "kind")->key_pos,
                       "this is a workload (it has a kind), not a topology");
    for (int i = 0; i < sets->n; i++) {
        const char *equals = strchr(sets->text[i], '=');
        if (!equals || equals == sets->text[i]) {
            err_add(err, (struct err_pos){0}, "--set %s: expected KEY=VALUE", sets->text[i]);
            continue;
        }
        int len = (int)(equals - sets->text[i]);
        tree_set(arena, root,
                 &(struct tree_override){.path = arena_printf(arena, "%.*s", len, sets->text[i]),
                                         .value = equals + 1,
                                         .origin = "--set"},
                 err);
    }
    struct world_topology topology;
    const struct schema_into into = {.arena = arena, .prefix = "", .err = err};
    bool ok = schema_bind(&into, &world_topology_schema, root, &topology);
    if (!ok || err->count) return false;
    build(built, &topology);
    built->network = topology.network;
    return true;
}

/* ---- text ------------------------------------------------------------------------------------*/

static const char *tier_name(const struct built *built, int tier)
{
    if (tier == 0) return "NIC";
    if (built->made.tier_names && tier <= built->made.tiers)
        return built->made.tier_names[tier - 1];
    return arena_printf(built->arena, "tier-%d", tier);
}

static const char *rate_text(const struct built *built, int64_t bps)
{
    char text[UNITS_TEXT_MAX];
    return arena_strdup(built->arena, units_format(UNIT_RATE, (union unit_value){.i = bps}, text));
}

static double bisection_share(const struct facts *facts)
{
    return facts->half_bps ? (double)facts->bisection_bps / (double)facts->half_bps : 0;
}

static void print_cables(const struct built *built, const struct facts_cables *row)
{
    const char *min = rate_text(built, row->min_bps), *max = rate_text(built, row->max_bps);
    bool same = row->min_bps == row->max_bps;
    printf("  %-18s  %7lld at %s%s%s, together %s\n",
           arena_printf(built->arena, "%s-%s", tier_name(built, row->low),
                        tier_name(built, row->high)),
           (long long)row->n, min, same ? "" : " to ", same ? "" : max, rate_text(built, row->bps));
}

/* Of each tier the switch whose ports need most. */
static void print_buffers(const struct built *built)
{
    printf("buffer             %10lld B a switch\n", (long long)built->network.buffer_bytes);
    for (int t = 1; built->buffers && t <= built->facts.tiers; t++) {
        const struct buffers *need = &built->buffers[t];
        bool same = need->min_bytes == need->max_bytes;
        printf("  %-18s  headroom of a port %lld%s B, of %lld port%s %lld B\n", tier_name(built, t),
               (long long)need->min_bytes,
               same ? "" : arena_printf(built->arena, " to %lld", (long long)need->max_bytes),
               (long long)need->ports, need->ports == 1 ? "" : "s", (long long)need->sum_bytes);
    }
}

static void print_text(const struct built *built)
{
    const struct facts *facts = &built->facts;
    printf("%s: %s\n", built->file, built->kind);
    printf("servers               %7lld with %lld network port%s each\n",
           (long long)built->made.nodes, (long long)built->made.node_ports,
           built->made.node_ports == 1 ? "" : "s");
    printf("endpoints             %7lld\n", (long long)facts->endpoints);
    printf("switches              %7lld\n", (long long)facts->switches);
    for (int t = 1; t <= facts->tiers; t++)
        printf("  %-18s  %7lld\n", tier_name(built, t), (long long)facts->tier_n[t]);
    printf("cables                %7lld\n", (long long)facts->cables);
    for (int i = 0; i < facts->cable_n; i++)
        print_cables(built, &facts->cable[i]);
    print_buffers(built);
    if (facts->endpoints < 2) return;
    printf("bisection             %7s one way, %.4g %% of what half of the endpoints can send\n",
           rate_text(built, facts->bisection_bps), 100 * bisection_share(facts));
    printf("hops                  min %lld, mean %.4f, max %lld\n", (long long)facts->hops_min,
           facts->hops_mean, (long long)facts->hops_max);
    for (int t = 1; t <= facts->tiers; t++)
        if (facts->over[t] > 0)
            printf("oversubscription      %s %.4g\n", tier_name(built, t), facts->over[t]);
}

static void print_json(const struct built *built)
{
    const struct facts *facts = &built->facts;
    struct json json = {.out = stdout};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(&json, "status", "ok");
    json_string(&json, "file", built->file);
    json_string(&json, "kind", built->kind);
    json_int(&json, "servers", built->made.nodes);
    json_int(&json, "ports_per_server", built->made.node_ports);
    json_int(&json, "endpoints", facts->endpoints);
    json_int(&json, "switches", facts->switches);
    json_array(&json, "tiers");
    for (int t = 1; t <= facts->tiers; t++) {
        json_object(&json, NULL);
        json_string(&json, "name", tier_name(built, t));
        json_int(&json, "switches", facts->tier_n[t]);
        if (facts->over[t] > 0) json_double(&json, "oversubscription", facts->over[t]);
        if (built->buffers) {
            json_int(&json, "port_headroom_min_bytes", built->buffers[t].min_bytes);
            json_int(&json, "port_headroom_max_bytes", built->buffers[t].max_bytes);
            json_int(&json, "headroom_bytes", built->buffers[t].sum_bytes);
        }
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_int(&json, "switch_buffer_bytes", built->network.buffer_bytes);
    json_int(&json, "cables", facts->cables);
    json_array(&json, "cables_by_tier");
    for (int i = 0; i < facts->cable_n; i++) {
        json_object(&json, NULL);
        json_string(&json, "low", tier_name(built, facts->cable[i].low));
        json_string(&json, "high", tier_name(built, facts->cable[i].high));
        json_int(&json, "cables", facts->cable[i].n);
        json_int(&json, "rate_bps", facts->cable[i].bps);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_int(&json, "bisection_bps", facts->bisection_bps);
    json_double(&json, "bisection_share", bisection_share(facts));
    json_int(&json, "hops_min", facts->hops_min);
    json_double(&json, "hops_mean", facts->hops_mean);
    json_int(&json, "hops_max", facts->hops_max);
    json_end(&json, '}');
}

/* ---- drawing ---------------------------------------------------------------------------------*/

/* quoted is a name as Graphviz wants it. */
static const char *quoted(struct arena *arena, const char *name)
{
    char *text = ARENA_ARRAY(arena, char, 2 * strlen(name) + 3), *at = text;
    *at++ = '"';
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') *at++ = '\\';
        *at++ = *name;
    }
    *at = '"';
    return text;
}

/* before_slash returns "unit0" of "unit0/leaf3", "" of "spine1". */
static const char *before_slash(struct arena *arena, const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? arena_printf(arena, "%.*s", (int)(slash - name), name) : "";
}

/* node_line prints a box, inside its frame if it has one. */
static void node_line(struct arena *arena, const char *frame, const char *name, const char *shape)
{
    if (*frame)
        printf("  subgraph %s { label=%s; %s [shape=%s]; }\n",
               quoted(arena, arena_printf(arena, "cluster_%s", frame)), quoted(arena, frame),
               quoted(arena, name), shape);
    else
        printf("  %s [shape=%s];\n", quoted(arena, name), shape);
}

static void edge_line(const struct built *built, const char *from, const char *to, int64_t n,
                      int64_t bps)
{
    const char *times = n > 1 ? arena_printf(built->arena, "%lld x ", (long long)n) : "";
    printf("  %s -- %s [label=\"%s%s\"];\n", quoted(built->arena, from), quoted(built->arena, to),
           times, rate_text(built, bps));
}

static const char *server_name(const struct built *built, int64_t server)
{
    int64_t ports = built->made.node_ports;
    const char *name = built->graph.nodes[built->made.endpoint[server * ports]].name;
    return ports > 1 ? before_slash(built->arena, name) : name;
}

/* draw_server draws a server at its switches; switch_of: of each graph node, the link to it. */
static void draw_server(const struct built *built, int64_t server, const int32_t *link_of)
{
    const struct topo_graph *graph = &built->graph;
    int64_t ports = built->made.node_ports;
    const int32_t *endpoint = &built->made.endpoint[server * ports];
    const char *name = server_name(built, server), *frame = NULL;
    for (int64_t p = 0; p < ports; p++) {
        int32_t to = graph->links[link_of[endpoint[p]]].to;
        const char *around = before_slash(built->arena, graph->nodes[to].name);
        frame = !frame || strcmp(frame, around) == 0 ? around : "";
    }
    node_line(built->arena, frame, name, "ellipse");
    for (int64_t p = 0, n; p < ports; p += n) {
        const struct topo_link *link = &graph->links[link_of[endpoint[p]]];
        for (n = 1; p + n < ports; n++)
            if (graph->links[link_of[endpoint[p + n]]].to != link->to) break;
        edge_line(built, name, graph->nodes[link->to].name, n, link->rate_bps);
    }
}

static void print_dot(const struct built *built)
{
    const struct topo_graph *graph = &built->graph;
    int32_t *link_of = ARENA_ARRAY(built->arena, int32_t, graph->node_n);
    printf("graph %s {\n  rankdir=BT;\n", quoted(built->arena, built->file));
    for (int64_t v = 0; v < graph->node_n; v++)
        if (graph->nodes[v].kind == TOPO_SWITCH)
            node_line(built->arena, before_slash(built->arena, graph->nodes[v].name),
                      graph->nodes[v].name, "box");
    for (int32_t l = 0; l < graph->link_n; l++)
        if (graph->nodes[graph->links[l].from].kind == TOPO_HOST) link_of[graph->links[l].from] = l;
    for (int64_t server = 0; server < built->made.nodes; server++)
        draw_server(built, server, link_of);
    for (int64_t l = 0, n; l < graph->link_n; l += 2 * n) {
        const struct topo_link *link = &graph->links[l];
        for (n = 1; l + 2 * n < graph->link_n; n++)
            if (link[2 * n].from != link->from || link[2 * n].to != link->to) break;
        bool upwards = built->tier[link->from] <= built->tier[link->to];
        if (link->kind != TOPO_FABRIC) continue;
        edge_line(built, graph->nodes[upwards ? link->from : link->to].name,
                  graph->nodes[upwards ? link->to : link->from].name, n, link->rate_bps);
    }
    printf("}\n");
}

int topo_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct err err = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct topo_args args = {0};
    int code = cli_parse(&verb, &line, &arena, &args);
    if (code == CLI_GO) {
        struct built built = {.arena = &arena, .file = line.args.text[0]};
        if (args.dot && args.json)
            err_add(&err, (struct err_pos){0}, "give either --dot or --json, not both");
        if (err.count || !load(&built, &args.sets, &err)) {
            code = cli_report(&err, args.json);
        } else {
            if (!args.dot) facts_of(&arena, &built.graph, &built.made, &built.facts);
            if (!args.dot) find_buffers(&built);
            args.dot ? print_dot(&built) : args.json ? print_json(&built) : print_text(&built);
            code = CLI_OK;
        }
    }
    arena_free(&arena);
    return code;
}
