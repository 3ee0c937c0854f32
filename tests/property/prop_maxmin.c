/* prop_maxmin.c - the laws of max-min fairness on random nets.
 *
 * No link carries more than its capacity, and no flow can grow without shrinking one that is not
 * larger: each crosses a full link on which nobody has more. The allocation with these two
 * properties is unique, so names and order change nothing, and rates scale with capacities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/engine/rng.h"
#include "tests/unit/maxmin_net.h"

#define SEEDS 400
#define EPS 1e-12 /* relative */

/* shuffled fills order[n] with a random permutation of 0 .. n-1. */
static void shuffled(struct rng *rng, int32_t *order, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        int32_t j = (int32_t)rng_below(rng, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

/* Capacities of a few sizes (many ties), or of six orders of magnitude. */
static void random_net(struct net *net, struct rng *rng)
{
    int32_t link_n = 1 + (int32_t)rng_below(rng, LINKS_MAX);
    int32_t flow_n = 1 + (int32_t)rng_below(rng, FLOWS_MAX);
    bool few_sizes = rng_below(rng, 2) == 0;
    for (int32_t l = 0; l < link_n; l++)
        net->cap_bps[l] = few_sizes ? 1e9 * (double)(1 + rng_below(rng, 4))
                                    : 1e6 * (1 + rng_unit(rng)) * (double)(1 << rng_below(rng, 20));
    int32_t order[LINKS_MAX];
    net->first[0] = 0;
    for (int32_t f = 0; f < flow_n; f++) {
        int32_t most = link_n < PATH_MAX_HOPS ? link_n : PATH_MAX_HOPS;
        int32_t hops = 1 + (int32_t)rng_below(rng, (uint64_t)most);
        shuffled(rng, order, link_n);
        memcpy(net->hop + net->first[f], order, (size_t)hops * sizeof(int32_t));
        net->first[f + 1] = net->first[f] + hops;
    }
    net_wire(net, flow_n, link_n);
}

static void maxmin__no_link_above_capacity_no_flow_can_grow(void **state)
{
    (void)state;
    static struct net net;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = rng_stream(seed, "prop_maxmin");
        random_net(&net, &rng);
        maxmin_solve(&net.problem);
        double sum[LINKS_MAX] = {0}, largest[LINKS_MAX] = {0};
        for (int32_t f = 0; f < net.problem.flow_n; f++)
            for (int32_t i = net.first[f]; i < net.first[f + 1]; i++) {
                sum[net.hop[i]] += net.rate_bps[f];
                if (net.rate_bps[f] > largest[net.hop[i]]) largest[net.hop[i]] = net.rate_bps[f];
            }
        for (int32_t l = 0; l < net.problem.link_n; l++)
            assert_true(sum[l] <= net.cap_bps[l] * (1 + EPS));
        for (int32_t f = 0; f < net.problem.flow_n; f++) {
            int32_t link = net.limited_by[f];
            bool crosses = false;
            for (int32_t i = net.first[f]; i < net.first[f + 1]; i++)
                crosses = crosses || net.hop[i] == link;
            assert_true(crosses);
            assert_true(net.rate_bps[f] > 0);
            assert_true(sum[link] >= net.cap_bps[link] * (1 - EPS));
            assert_true(net.rate_bps[f] >= largest[link] * (1 - EPS));
        }
    }
}

/* Other numbers for the flows and links, other order of the hops: the same rates. */
static void maxmin__renaming_changes_nothing(void **state)
{
    (void)state;
    static struct net net, other;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = rng_stream(seed, "prop_maxmin/rename");
        random_net(&net, &rng);
        maxmin_solve(&net.problem);
        int32_t flow_n = net.problem.flow_n, link_n = net.problem.link_n;
        int32_t flow_of[FLOWS_MAX], name[LINKS_MAX];
        shuffled(&rng, flow_of, flow_n);
        shuffled(&rng, name, link_n);
        for (int32_t l = 0; l < link_n; l++)
            other.cap_bps[name[l]] = net.cap_bps[l];
        other.first[0] = 0;
        for (int32_t f = 0; f < flow_n; f++) {
            int32_t at = other.first[f];
            for (int32_t i = net.first[flow_of[f] + 1] - 1; i >= net.first[flow_of[f]]; i--)
                other.hop[at++] = name[net.hop[i]];
            other.first[f + 1] = at;
        }
        net_wire(&other, flow_n, link_n);
        maxmin_solve(&other.problem);
        for (int32_t f = 0; f < flow_n; f++) {
            double rate_bps = net.rate_bps[flow_of[f]];
            assert_true(other.rate_bps[f] >= rate_bps * (1 - EPS));
            assert_true(other.rate_bps[f] <= rate_bps * (1 + EPS));
        }
    }
}

static void maxmin__rates_scale_with_capacities(void **state)
{
    (void)state;
    static struct net net;
    static double before_bps[FLOWS_MAX];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = rng_stream(seed, "prop_maxmin/scale");
        random_net(&net, &rng);
        maxmin_solve(&net.problem);
        memcpy(before_bps, net.rate_bps, sizeof before_bps);
        for (int32_t l = 0; l < net.problem.link_n; l++)
            net.cap_bps[l] *= 2;
        maxmin_solve(&net.problem);
        for (int32_t f = 0; f < net.problem.flow_n; f++)
            assert_true(net.rate_bps[f] == 2 * before_bps[f]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxmin__no_link_above_capacity_no_flow_can_grow),
        cmocka_unit_test(maxmin__renaming_changes_nothing),
        cmocka_unit_test(maxmin__rates_scale_with_capacities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
