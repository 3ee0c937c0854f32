/* maxmin_net.h - for tests: room for a max-min problem and its results. */
#ifndef RAILSIM_TESTS_MAXMIN_NET_H
#define RAILSIM_TESTS_MAXMIN_NET_H

#include "models/flow/maxmin.h"

#define FLOWS_MAX 80
#define LINKS_MAX 40
#define PATH_MAX_HOPS 6
#define HOPS_MAX (FLOWS_MAX * PATH_MAX_HOPS)

struct net {
    struct maxmin problem;
    int32_t first[FLOWS_MAX + 1], hop[HOPS_MAX], limited_by[FLOWS_MAX];
    int32_t rank[LINKS_MAX], next[FLOWS_MAX], member[HOPS_MAX];
    struct maxmin_pin pin[1];
    double cap_bps[LINKS_MAX], rate_bps[FLOWS_MAX];
    struct maxmin_link link[LINKS_MAX + 1];
    struct maxmin_turn turn[LINKS_MAX + 1];
};

/* net_wire makes the problem one of flow_n free flows over link_n links, ranked by number. */
static inline void net_wire(struct net *net, int32_t flow_n, int32_t link_n)
{
    for (int32_t l = 0; l < link_n; l++)
        net->rank[l] = l;
    net->problem = (struct maxmin){.flow_n = flow_n,
                                   .free_n = flow_n,
                                   .link_n = link_n,
                                   .first = net->first,
                                   .hop = net->hop,
                                   .cap_bps = net->cap_bps,
                                   .rank = net->rank,
                                   .pin = net->pin,
                                   .next = net->next,
                                   .rate_bps = net->rate_bps,
                                   .limited_by = net->limited_by,
                                   .link = net->link,
                                   .member = net->member,
                                   .turn = net->turn};
}

#endif
