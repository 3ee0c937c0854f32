/* test_maxmin.c - water-filling against nets that were computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/maxmin_net.h"

/* solve fills net from link_n capacities and the flows' links: "01 1" = one flow over links 0 and
 * 1, one over link 1. The results begin as garbage. */
static void solve(struct net *net, int32_t link_n, const double *cap_bps, const char *flows)
{
    memset(net, 0x5a, sizeof *net);
    int32_t flow_n = 0, hop_n = 0;
    net->first[0] = 0;
    for (; *flows; flows++) {
        if (*flows != ' ') net->hop[hop_n++] = *flows - '0';
        if (flows[1] == ' ' || flows[1] == 0) net->first[++flow_n] = hop_n;
        if (flows[1] == ' ') flows++;
    }
    memcpy(net->cap_bps, cap_bps, (size_t)link_n * sizeof(double));
    net_wire(net, flow_n, link_n);
    maxmin_solve(&net->problem);
}

/* flow: flow f runs at rate_bps (all of these nets come out exactly), settled by link. */
static void flow(const struct net *net, int32_t f, double rate_bps, int32_t link)
{
    assert_true(f < net->problem.flow_n);
    if (net->rate_bps[f] != rate_bps)
        fail_msg("flow %d: %.17g, not %.17g", f, net->rate_bps[f], rate_bps);
    if (net->limited_by[f] != link)
        fail_msg("flow %d: limited by link %d, not %d", f, net->limited_by[f], link);
}

static void maxmin_solve__no_flow(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 2, (double[]){1, 2}, "");
    assert_int_equal(net.problem.flow_n, 0);
    assert_int_equal(net.limited_by[0], 0x5a5a5a5a); /* nothing was written */
}

static void maxmin_solve__one_flow_takes_its_slowest_link(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 3, (double[]){9, 4, 7}, "012");
    flow(&net, 0, 4, 1);
}

static void maxmin_solve__single_link(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 1, (double[]){12}, "0 0 0");
    for (int32_t f = 0; f < 3; f++)
        flow(&net, f, 4, 0);
}

static void maxmin_solve__thirds_stay_below_the_capacity(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 1, (double[]){1}, "0 0 0");
    double sum = net.rate_bps[0] + net.rate_bps[1] + net.rate_bps[2];
    assert_true(sum <= 1 + 1e-15 && sum >= 1 - 1e-15);
    assert_true(net.rate_bps[0] == net.rate_bps[1]);
}

/* One flow over all links, one more on each: everybody gets half. */
static void maxmin_solve__parking_lot(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 3, (double[]){10, 10, 10}, "012 0 1 2");
    flow(&net, 0, 5, 0); /* of equal links the first */
    flow(&net, 1, 5, 0);
    flow(&net, 2, 5, 1);
    flow(&net, 3, 5, 2);
}

static void maxmin_solve__parking_lot_of_unequal_links(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 3, (double[]){10, 4, 6}, "0 012 1 2");
    flow(&net, 0, 8, 0);
    flow(&net, 1, 2, 1);
    flow(&net, 2, 2, 1);
    flow(&net, 3, 4, 2);
}

/* The first bottleneck holds three flows; what one of them leaves on the second goes to the other
 * there. */
static void maxmin_solve__two_bottlenecks(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 2, (double[]){9, 100}, "0 0 01 1");
    flow(&net, 0, 3, 0);
    flow(&net, 1, 3, 0);
    flow(&net, 2, 3, 0);
    flow(&net, 3, 97, 1);
}

/* Three levels, each settled by another link. */
static void maxmin_solve__three_levels(void **state)
{
    (void)state;
    struct net net;
    /* link 0: 2 flows share 2. link 1: 1 of them, two more, 7 -> (7 - 1) / 2 = 3. link 2: one of
     * those and one alone, 10 -> 10 - 3 = 7. */
    solve(&net, 3, (double[]){2, 7, 10}, "0 01 1 12 2");
    flow(&net, 0, 1, 0);
    flow(&net, 1, 1, 0);
    flow(&net, 2, 3, 1);
    flow(&net, 3, 3, 1);
    flow(&net, 4, 7, 2);
}

/* Each flow crosses two sides of a triangle. Side 0 (1) gives its two flows 1/2; side 1 (2) has
 * 3/2 left for the third; side 2 (3) is never full. */
static void maxmin_solve__triangle(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 3, (double[]){1, 2, 3}, "01 12 20");
    flow(&net, 0, 0.5, 0);
    flow(&net, 1, 1.5, 1);
    flow(&net, 2, 0.5, 0);
}

static void maxmin_solve__a_narrow_access_leaves_its_share(void **state)
{
    (void)state;
    struct net net;
    /* Of a link of 100 for four, one can take only 10 through its own link 1. */
    solve(&net, 2, (double[]){100, 10}, "0 10 0 0");
    flow(&net, 0, 30, 0);
    flow(&net, 1, 10, 1);
    flow(&net, 2, 30, 0);
    flow(&net, 3, 30, 0);
}

static void maxmin_solve__components_do_not_meet(void **state)
{
    (void)state;
    struct net net;
    /* Link 2 has no flow and the least capacity: it limits nobody. */
    solve(&net, 5, (double[]){6, 8, 1, 3, 50}, "0 34 0 1 4");
    flow(&net, 0, 3, 0);
    flow(&net, 1, 3, 3);
    flow(&net, 2, 3, 0);
    flow(&net, 3, 8, 1);
    flow(&net, 4, 47, 4);
}

/* Many orders of magnitude: nothing is left for nobody. */
static void maxmin_solve__capacities_far_apart(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 2, (double[]){1e14, 1e6}, "01 0 0");
    flow(&net, 0, 1e6, 1);
    flow(&net, 1, (1e14 - 1e6) / 2, 0);
    flow(&net, 2, (1e14 - 1e6) / 2, 0);
}

/* Of links that are as tight the one of the lowest rank settles the flows that cross both. */
static void maxmin_solve__rank_decides_among_equals(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 3, (double[]){10, 10, 10}, "012 0 1 2");
    net.rank[0] = 2;
    net.rank[2] = 0;
    assert_true(maxmin_solve(&net.problem));
    flow(&net, 0, 5, 2);
    flow(&net, 1, 5, 0);
    flow(&net, 2, 5, 1);
    flow(&net, 3, 5, 2);
}

static void maxmin_solve__a_link_that_is_down(void **state)
{
    (void)state;
    struct net net;
    solve(&net, 2, (double[]){0, 10}, "01 1 0");
    flow(&net, 0, 0, 0);
    flow(&net, 1, 10, 1);
    flow(&net, 2, 0, 0);
}

/* The last pinned_n flows are pinned to what another link, ranked 7, gives each. */
static bool solve_pinned(struct net *net, const char *flows, int32_t pinned_n, double pinned_bps)
{
    const double cap_bps = 12;
    solve(net, 1, &cap_bps, flows);
    net->problem.free_n -= pinned_n;
    net->problem.pin_n = 1;
    net->pin[0] = (struct maxmin_pin){pinned_bps, 7, net->problem.free_n};
    for (int32_t f = net->problem.free_n; f < net->problem.flow_n; f++)
        net->next[f] = f + 1 < net->problem.flow_n ? f + 1 : -1;
    return maxmin_solve(&net->problem);
}

static void maxmin_solve__pinned_flows_leave_the_rest(void **state)
{
    (void)state;
    struct net net;
    assert_true(solve_pinned(&net, "0 0 0", 1, 2));
    flow(&net, 0, 5, 0);
    flow(&net, 1, 5, 0);
    assert_int_equal(net.limited_by[2], MAXMIN_OUTSIDE);
    assert_true(solve_pinned(&net, "0 0 0", 2, 2)); /* two of the same link */
    flow(&net, 0, 8, 0);
    assert_true(solve_pinned(&net, "0", 1, 2)); /* nobody is free */
}

/* Who has more than his share here is told: by how much shows only when he is free. */
static void maxmin_solve__pinned_flows_that_have_too_much(void **state)
{
    (void)state;
    struct net net;
    assert_false(solve_pinned(&net, "0 0 0", 1, 5));
    flow(&net, 2, 4, 0);
    assert_false(solve_pinned(&net, "0 0 0", 1, 4)); /* rank 0 comes before 7 */
    flow(&net, 2, 4, 0);
    assert_true(solve_pinned(&net, "0 0 0", 1, 3.5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxmin_solve__no_flow),
        cmocka_unit_test(maxmin_solve__one_flow_takes_its_slowest_link),
        cmocka_unit_test(maxmin_solve__single_link),
        cmocka_unit_test(maxmin_solve__thirds_stay_below_the_capacity),
        cmocka_unit_test(maxmin_solve__parking_lot),
        cmocka_unit_test(maxmin_solve__parking_lot_of_unequal_links),
        cmocka_unit_test(maxmin_solve__two_bottlenecks),
        cmocka_unit_test(maxmin_solve__three_levels),
        cmocka_unit_test(maxmin_solve__triangle),
        cmocka_unit_test(maxmin_solve__a_narrow_access_leaves_its_share),
        cmocka_unit_test(maxmin_solve__components_do_not_meet),
        cmocka_unit_test(maxmin_solve__capacities_far_apart),
        cmocka_unit_test(maxmin_solve__rank_decides_among_equals),
        cmocka_unit_test(maxmin_solve__a_link_that_is_down),
        cmocka_unit_test(maxmin_solve__pinned_flows_leave_the_rest),
        cmocka_unit_test(maxmin_solve__pinned_flows_that_have_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
