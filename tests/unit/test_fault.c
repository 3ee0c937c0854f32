/* test_fault.c - faults of links: their keys, which links they meet, what the fabric hears, when;
 * and that the flow fabric takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/fault.h"
#include "models/flow/flow.h"
#include "sim/base/units.h"
#include "sim/io/tree.h"

#define RATE INT64_C(100000000000)
#define HEARD_MAX 64

/* struct rig: a - s - b, and s - c; a fabric that writes down what it hears. */
struct rig {
    struct fabric fabric; /* first: of the stand-in */
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct schema_list faults;
    struct err err;
    struct heard {
        int64_t at_ps;
        int32_t link;
        struct fabric_link state;
    } heard[HEARD_MAX];
    int heard_n;
};

static void hear(struct fabric *fabric, int32_t link, const struct fabric_link *state)
{
    struct rig *rig = (struct rig *)fabric;
    assert_true(rig->heard_n < HEARD_MAX);
    rig->heard[rig->heard_n++] =
        (struct heard){.at_ps = sim_now_ps(fabric->sim), .link = link, .state = *state};
}

static const struct fabric_ops ops = {.set_link = hear};

struct list {
    struct schema_list faults;
};
static const struct schema_field list_fields[] = {
    {.key = "faults", .type = SCHEMA_LIST, .section = &fault_schema, .help = "faults"},
    {.key = NULL},
};
static const struct schema list_schema = {
    .name = "list", .size = sizeof(struct list), .fields = list_fields};

/* Nodes a 0, b 1, c 2, s 3; links a>s 0, s>a 1, b>s 2, s>b 3, c>s 4, s>c 5. */
static bool open_rig(struct rig *rig, const char *faults)
{
    *rig = (struct rig){0};
    rig->sim = sim_new(&rig->arena, 1, "a test");
    rig->fabric = (struct fabric){.ops = &ops, .sim = rig->sim};
    topo_init(&rig->graph, &rig->arena);
    for (int i = 0; i < 3; i++)
        topo_node(&rig->graph, TOPO_HOST, arena_printf(&rig->arena, "%c", 'a' + i));
    topo_switch(&rig->graph, "s", 0);
    for (int32_t i = 0; i < 3; i++)
        topo_cable(&rig->graph,
                   &(struct topo_link){
                       .from = i, .to = 3, .kind = TOPO_NIC, .rate_bps = RATE, .delay_ps = 1000});
    const char *text = arena_printf(&rig->arena, "{faults: [%s]}", faults);
    struct tree_node *tree = tree_read_text(&rig->arena, "f", text, strlen(text), &rig->err);
    struct schema_into into = {.arena = &rig->arena, .prefix = "", .err = &rig->err};
    struct list list = {0};
    bool ok = tree && schema_bind(&into, &list_schema, tree, &list);
    rig->faults = list.faults;
    return ok;
}

static void close_rig(struct rig *rig)
{
    err_free(&rig->err);
    arena_free(&rig->arena);
}

static bool said(const struct rig *rig, const char *words)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    err_print(&rig->err, out);
    fclose(out);
    bool there = strstr(text, words) != NULL;
    if (!there) print_message("%s", text);
    free(text);
    return there;
}

static void run_rig(struct rig *rig, const char *faults)
{
    bool ok = open_rig(rig, faults);
    if (!ok) err_print(&rig->err, stderr);
    assert_true(ok);
    fault_start(&rig->faults, &rig->graph, &rig->fabric);
    sim_run(rig->sim, &(struct sim_limits){.max_sim_ps = PS_PER_S});
}

static void must_hear(const struct rig *rig, int i, int64_t at_ps, int32_t link,
                      struct fabric_link state)
{
    assert_true(i < rig->heard_n);
    const struct heard *heard = &rig->heard[i];
    assert_int_equal(heard->at_ps, at_ps);
    assert_int_equal(heard->link, link);
    assert_int_equal(heard->state.rate_bps, state.rate_bps);
    assert_true(heard->state.bit_errors == state.bit_errors);
    assert_int_equal(heard->state.storm, state.storm);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void schema__what_belongs_to_no_other_kind(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *words;
    } bad[] = {
        {"{link: a, kind: slow}", "C080"},
        {"{link: a, kind: down, rate: 1Gbps}", "C080"},
        {"{link: a, kind: bit-errors}", "C081"},
        {"{link: a, kind: pause-storm, bit_error_rate: 0.001}", "C081"},
        {"{link: a, kind: slow, rate: 999999bps}", "C076"},
        {"{link: a, kind: bit-errors, bit_error_rate: 0.02}", "bit_error_rate"},
        {"{kind: down}", "link"},
        {"{link: a, kind: up}", "kind"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rig rig;
        assert_false(open_rig(&rig, bad[i].fault));
        assert_true(said(&rig, bad[i].words));
        close_rig(&rig);
    }
}

static void fault_check__names_and_fabrics(void **state)
{
    (void)state;
    struct rig rig;
    assert_true(open_rig(&rig, "{link: \"a>s\", kind: down}, {link: \"?>s\", kind: down}"));
    assert_true(fault_check(&rig.faults, &rig.graph, true, &rig.err));
    assert_true(fault_check(&rig.faults, &rig.graph, false, &rig.err));
    close_rig(&rig);
    assert_true(open_rig(&rig, "{link: \"a>s\", kind: down}, {link: \"s>x\", kind: down}"));
    assert_false(fault_check(&rig.faults, &rig.graph, true, &rig.err));
    assert_true(said(&rig, "C082: faults: no link is called \"s>x\"; links are called \"a>s\""));
    close_rig(&rig);
    assert_true(open_rig(&rig, "{link: \"a>s\", kind: pause-storm}, "
                               "{link: \"*\", kind: bit-errors, bit_error_rate: 0.001}"));
    assert_true(fault_check(&rig.faults, &rig.graph, true, &rig.err));
    assert_false(fault_check(&rig.faults, &rig.graph, false, &rig.err));
    assert_true(said(&rig, "C077: faults: pause-storm at \"a>s\" needs packets"));
    assert_true(said(&rig, "C077: faults: bit-errors at \"*\" needs packets"));
    close_rig(&rig);
}

/* ---- what the fabric hears ------------------------------------------------------------------ */

static void fault_start__none(void **state)
{
    (void)state;
    struct rig rig;
    run_rig(&rig, "");
    assert_int_equal(rig.heard_n, 0);
    close_rig(&rig);
}

static void fault_start__a_cable_is_down_both_ways(void **state)
{
    (void)state;
    struct rig rig;
    run_rig(&rig, "{link: \"b>s\", kind: down, at: 2us, for: 3us}");
    assert_int_equal(rig.heard_n, 4);
    must_hear(&rig, 0, 2 * PS_PER_US, 2, (struct fabric_link){0});
    must_hear(&rig, 1, 2 * PS_PER_US, 3, (struct fabric_link){0});
    must_hear(&rig, 2, 5 * PS_PER_US, 2, (struct fabric_link){.rate_bps = RATE});
    must_hear(&rig, 3, 5 * PS_PER_US, 3, (struct fabric_link){.rate_bps = RATE});
    close_rig(&rig);
}

static void fault_start__others_are_of_one_direction(void **state)
{
    (void)state;
    struct rig rig;
    run_rig(&rig, "{link: \"b>s\", kind: slow, rate: 10Gbps}, "
                  "{link: \"s>b\", kind: bit-errors, bit_error_rate: 0.001, at: 1us}, "
                  "{link: \"s>c\", kind: pause-storm, at: 2us, for: 1us}");
    assert_int_equal(rig.heard_n, 4);
    must_hear(&rig, 0, 0, 2, (struct fabric_link){.rate_bps = RATE / 10});
    must_hear(&rig, 1, PS_PER_US, 3, (struct fabric_link){.rate_bps = RATE, .bit_errors = 0.001});
    must_hear(&rig, 2, 2 * PS_PER_US, 5, (struct fabric_link){.rate_bps = RATE, .storm = true});
    must_hear(&rig, 3, 3 * PS_PER_US, 5, (struct fabric_link){.rate_bps = RATE});
    close_rig(&rig);
}

/* The worst of each counts, and what is left when one ends. */
static void fault_start__several_at_one_link(void **state)
{
    (void)state;
    struct rig rig;
    run_rig(&rig, "{link: \"a>s\", kind: slow, rate: 10Gbps, at: 1us, for: 5us}, "
                  "{link: \"a*\", kind: slow, rate: 20Gbps, at: 2us, for: 6us}, "
                  "{link: \"s>a\", kind: down, at: 3us, for: 1us}, "
                  "{link: \"a>s\", kind: slow, rate: 900Gbps, at: 7us}");
    static const struct {
        int64_t at_us, gbps;
    } expected[] = {{1, 10}, {2, 10}, {3, 0}, {4, 10}, {6, 20}, {7, 20}, {8, 100}};
    int n = 0;
    for (int i = 0; i < rig.heard_n; i++) {
        if (rig.heard[i].link != 0) continue;
        must_hear(&rig, i, expected[n].at_us * PS_PER_US, 0,
                  (struct fabric_link){.rate_bps = expected[n].gbps * 1000000000});
        n++;
    }
    assert_int_equal(n, 7);
    assert_int_equal(rig.heard_n - n, 2); /* s>a was down, too */
    close_rig(&rig);
}

/* ---- on the flow fabric ---------------------------------------------------------------------- */

static void on_done(struct sim *sim, struct fabric_msg *msg)
{
    *(int64_t *)msg->owner = sim_now_ps(sim);
}

/* 1 MB takes 80 us at 100 Gbit/s. A quarter of it at full rate, then nothing for 100 us, a quarter
 * at a tenth, the rest at full rate. */
static void flow_fabric__stands_still_and_goes_on(void **state)
{
    (void)state;
    static const struct framing framing = {4096, 0};
    struct rig rig;
    int64_t done_ps = 0;
    assert_true(open_rig(&rig, "{link: \"s>b\", kind: down, at: 20us, for: 100us}, "
                               "{link: \"a>s\", kind: slow, rate: 10Gbps, at: 120us, for: 200us}"));
    struct fabric *fabric = flow_new(rig.sim, &rig.graph);
    fault_start(&rig.faults, &rig.graph, fabric);
    struct fabric_msg msg = {.src = 0,
                             .dst = 1,
                             .bytes = 1000000,
                             .framing = &framing,
                             .done = on_done,
                             .owner = &done_ps};
    fabric_send(fabric, &msg);
    sim_run(rig.sim, &(struct sim_limits){.max_sim_ps = PS_PER_S});
    assert_in_range(done_ps, 360 * PS_PER_US, 360 * PS_PER_US + 2002);
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema__what_belongs_to_no_other_kind),
        cmocka_unit_test(fault_check__names_and_fabrics),
        cmocka_unit_test(fault_start__none),
        cmocka_unit_test(fault_start__a_cable_is_down_both_ways),
        cmocka_unit_test(fault_start__others_are_of_one_direction),
        cmocka_unit_test(fault_start__several_at_one_link),
        cmocka_unit_test(flow_fabric__stands_still_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
