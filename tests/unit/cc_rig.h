/* cc_rig.h - for tests: a congestion control on a link, from a few words of YAML. cmocka.h is
 * included before. */
#ifndef RAILSIM_TESTS_CC_RIG_H
#define RAILSIM_TESTS_CC_RIG_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/cc/cc.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define CC_RIG_CANARY 0x5a
#define GBPS INT64_C(1000000000)
#define US PS_PER_US

/* struct cc_rig: a control with its state, and bytes behind that belong to others. */
struct cc_rig {
    struct arena arena;
    const struct cc_ops *ops;
    const void *config;
    struct cc_link link;
    struct cc_out out;
    int64_t now_ps, sent_off, acked_off;
    union {
        int64_t align;
        unsigned char bytes[CC_STATE_MAX + 64];
    } state;
};

/* cc_rig_open makes a control of a kind ("dcqcn") with keys ("profile: paper"; "" = defaults). */
static inline void cc_rig_open(struct cc_rig *rig, const char *kind, const char *keys,
                               struct cc_link link)
{
    *rig = (struct cc_rig){.link = link};
    const char *comma = *keys ? ", " : "";
    char *text = arena_printf(&rig->arena, "{kind: %s%s%s}", kind, comma, keys);
    struct err err = {0};
    struct schema_variant variant = {0};
    struct tree_node *tree = tree_read_text(&rig->arena, "test.yaml", text, strlen(text), &err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &err};
    bool ok = tree && schema_bind_variant(&into, cc_kinds, tree, &variant);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    err_free(&err);
    rig->ops = cc_list[variant.index];
    rig->config = variant.config;
    memset(&rig->state, CC_RIG_CANARY, sizeof rig->state);
    rig->ops->init(&rig->state, rig->config, &rig->link, &rig->out);
}

static inline void cc_rig_close(struct cc_rig *rig)
{
    for (size_t i = rig->ops->state_size; i < sizeof rig->state.bytes; i++)
        assert_int_equal(rig->state.bytes[i], CC_RIG_CANARY);
    arena_free(&rig->arena);
}

/* cc_rig_step hands one event to the control, with time and offsets of the rig. */
static inline void cc_rig_step(struct cc_rig *rig, struct cc_signal signal)
{
    signal.now_ps = rig->now_ps;
    signal.sent_off = rig->sent_off;
    signal.acked_off = rig->acked_off;
    rig->ops->step(&rig->state, rig->config, &signal, &rig->out);
}

static inline void cc_rig_cnp(struct cc_rig *rig, int64_t at_ps)
{
    rig->now_ps = at_ps;
    cc_rig_step(rig, (struct cc_signal){.event = CC_CNP});
}

/* cc_rig_wake lets the time pass that the control asked for. */
static inline void cc_rig_wake(struct cc_rig *rig)
{
    assert_true(rig->out.wake_ps > rig->now_ps);
    rig->now_ps = rig->out.wake_ps;
    cc_rig_step(rig, (struct cc_signal){.event = CC_TIMER});
}

/* cc_rig_ack acknowledges all that was sent, a round trip later, and sends as much again. */
static inline void cc_rig_ack(struct cc_rig *rig, int64_t bytes, int64_t rtt_ps, bool marked)
{
    rig->now_ps += rtt_ps;
    rig->acked_off = rig->sent_off + bytes;
    rig->sent_off = rig->acked_off + bytes - 1; /* the next one is past it */
    cc_rig_step(rig,
                (struct cc_signal){
                    .event = CC_ACK, .acked_bytes = bytes, .rtt_ps = rtt_ps, .marked = marked});
}

/* cc_rig_near: got is expected, to a relative tolerance. */
static inline void cc_rig_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("%.12g, not %.12g within %g", got, expected, tolerance);
}

/* cc_rig_rate: the control paces at gbps. */
static inline void cc_rig_rate(const struct cc_rig *rig, double gbps)
{
    if (fabs((double)rig->out.rate_bps - gbps * 1e9) > 2)
        fail_msg("%lld bit/s, not %.9f Gb/s", (long long)rig->out.rate_bps, gbps);
}

#endif
