/* route_rig.h - for tests of routing rules: a switch whose queues and ports the test sets.
 * cmocka.h is included before. */
#ifndef RAILSIM_TESTS_ROUTE_RIG_H
#define RAILSIM_TESTS_ROUTE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "models/route/route.h"
#include "sim/base/arena.h"
#include "sim/io/tree.h"

#define ROUTE_PORTS 64
#define ROUTE_CANARY 0x5a

struct route_rig {
    struct arena arena;
    const struct route_ops *rule;
    struct schema_variant config;
    void *state;
    size_t state_bytes;
    struct rng rng;
    struct route_view view;
    int32_t link[ROUTE_PORTS], slot[ROUTE_PORTS];
    int64_t queue_bytes[ROUTE_PORTS]; /* by candidate */
    bool down[ROUTE_PORTS];
    int64_t looks; /* how often a queue was looked at */
};

static inline int64_t route_rig_queue(const struct route_view *view, int32_t i)
{
    struct route_rig *rig = view->self;
    assert_in_range(i, 0, view->n - 1);
    rig->looks++;
    return rig->queue_bytes[i];
}

static inline bool route_rig_up(const struct route_view *view, int32_t i)
{
    const struct route_rig *rig = view->self;
    assert_in_range(i, 0, view->n - 1);
    return !rig->down[i];
}

/* route_rig_open makes the rule of a flow map ("kind: ecmp") with n candidates. */
static inline void route_rig_open(struct route_rig *rig, const char *body, int32_t n, uint64_t seed)
{
    struct err err = {0};
    *rig = (struct route_rig){.rng = rng_stream(seed, "switch/0/route")};
    char *text = arena_printf(&rig->arena, "{%s}", body);
    struct tree_node *tree = tree_read_text(&rig->arena, "test.yaml", text, strlen(text), &err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &err};
    bool ok = tree && schema_bind_variant(&into, route_kinds, tree, &rig->config);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
    rig->rule = route_list[rig->config.index];
    const struct route_switch facts = {.node = 7, .ports = ROUTE_PORTS, .port_bps = 400000000000};
    rig->state_bytes = rig->rule->state_bytes(rig->config.config, &facts);
    rig->state = arena_alloc(&rig->arena, rig->state_bytes + 64);
    memset(rig->state, ROUTE_CANARY, rig->state_bytes + 64);
    rig->rule->init(rig->state, rig->config.config, &facts);
    for (int32_t i = 0; i < n; i++) {
        rig->slot[i] = i;
        rig->link[i] = 100 + i;
    }
    rig->view = (struct route_view){.node = 7,
                                    .n = n,
                                    .link = rig->link,
                                    .slot = rig->slot,
                                    .queue_bytes = route_rig_queue,
                                    .up = route_rig_up,
                                    .self = rig};
}

/* route_rig_pick routes the next packet of a flow, 10 ns after the one before. */
static inline int32_t route_rig_pick(struct route_rig *rig, uint32_t flow)
{
    rig->view.flow = flow;
    rig->view.sequence++;
    rig->view.now_ps += 10000;
    int32_t i = rig->rule->pick(rig->state, rig->config.config, &rig->view, &rig->rng);
    assert_in_range(i, 0, rig->view.n - 1);
    return i;
}

/* route_rig_close makes sure that nothing was written behind the state. */
static inline void route_rig_close(struct route_rig *rig)
{
    const unsigned char *behind = (unsigned char *)rig->state + rig->state_bytes;
    for (int i = 0; i < 64; i++)
        assert_int_equal(behind[i], ROUTE_CANARY);
    arena_free(&rig->arena);
}

/* route_rig_spread: the most and the least that a candidate got of 1000 packets each. */
static inline void route_rig_spread(const int64_t *count, int32_t n, double most)
{
    for (int32_t i = 0; i < n; i++)
        if ((double)count[i] > 1000 * (1 + most) || (double)count[i] < 1000 * (1 - most))
            fail_msg("candidate %d got %lld of 1000", i, (long long)count[i]);
}

#endif
