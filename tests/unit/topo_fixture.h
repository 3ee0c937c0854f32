/* topo_fixture.h - for tests: a topology family built from the text of its keys. */
#ifndef RAILSIM_TESTS_TOPO_FIXTURE_H
#define RAILSIM_TESTS_TOPO_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "models/topo/facts.h"
#include "models/topo/routes.h"
#include "models/topo/topo.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define GBPS INT64_C(1000000000)

/* cmocka.h is included before. */
struct topo_fixture {
    struct arena arena;
    struct topo_graph graph;
    struct topo_made made;
    struct facts facts;
    char message[4000]; /* of the first error; "" = it was built */
};

/* fixture_bind reads "{kind: rail, ...}" (without the braces); the index of its family, or -1. */
static inline int fixture_bind(struct topo_fixture *f, const char *keys, const void **config)
{
    struct err err = {0};
    struct schema_variant variant;
    const char *text = arena_printf(&f->arena, "{%s}", keys);
    const struct tree_node *root = tree_read_text(&f->arena, "x", text, strlen(text), &err);
    struct schema_into into = {.arena = &f->arena, .prefix = "", .err = &err};
    bool ok = root && schema_bind_variant(&into, topo_kinds, root, &variant);
    if (!ok) {
        const char *from = err.messages[0] ? strstr(err.messages[0], "error: ") : NULL;
        from = from ? from + strlen("error: ") : "?";
        snprintf(f->message, sizeof f->message, "%.*s", (int)strcspn(from, "\n"), from);
    }
    err_free(&err);
    *config = ok ? variant.config : NULL;
    return ok ? variant.index : -1;
}

static inline void fixture_open(struct topo_fixture *f, const char *keys)
{
    const void *config;
    *f = (struct topo_fixture){0};
    int family = fixture_bind(f, keys, &config);
    if (family < 0) return;
    topo_init(&f->graph, &f->arena);
    const struct topo_ask ask = {
        .nodes = 1, .nic_bps = 77 * GBPS, .nic_delay_ps = 77 * PS_PER_US}; /* not to be used */
    topo_list[family]->build(config, &ask, &f->graph, &f->made);
    facts_of(&f->arena, &f->graph, &f->made, &f->facts);
}

static inline void fixture_close(struct topo_fixture *f)
{
    arena_free(&f->arena);
}

/* fixture_refused expects that keys are refused with this message. */
static inline void fixture_refused(const char *keys, const char *message)
{
    struct topo_fixture f = {0};
    const void *config;
    assert_int_equal(fixture_bind(&f, keys, &config), -1);
    assert_string_equal(f.message, message);
    arena_free(&f.arena);
}

static inline int32_t fixture_node(const struct topo_fixture *f, const char *name)
{
    for (int32_t v = 0; v < f->graph.node_n; v++)
        if (strcmp(f->graph.nodes[v].name, name) == 0) return v;
    fail_msg("no node %s", name);
    return -1;
}

/* fixture_links counts the links from one node to another, and gives the first. */
static inline int64_t fixture_links(const struct topo_fixture *f, const char *from, const char *to,
                                    const struct topo_link **first)
{
    int32_t a = fixture_node(f, from), b = fixture_node(f, to);
    int64_t n = 0;
    *first = NULL;
    for (int64_t l = f->graph.link_n - 1; l >= 0; l--) {
        const struct topo_link *link = &f->graph.links[l];
        if (link->from != a || link->to != b) continue;
        *first = link;
        n++;
    }
    return n;
}

#endif
