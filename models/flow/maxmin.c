/* maxmin.c - progressive filling over the links of one connected set of flows (maxmin.h). */
#include "models/flow/maxmin.h"

#include <string.h>

/* The flows of each link, as one array with an index (counting sort by link). */
static void index_members(struct maxmin *p)
{
    memset(p->open_n, 0, (size_t)p->link_n * sizeof(int32_t));
    for (int32_t i = 0; i < p->first[p->flow_n]; i++)
        p->open_n[p->hop[i]]++;
    p->begin[0] = 0;
    for (int32_t l = 0; l < p->link_n; l++)
        p->begin[l + 1] = p->begin[l] + p->open_n[l];
    memset(p->open_n, 0, (size_t)p->link_n * sizeof(int32_t));
    for (int32_t f = 0; f < p->flow_n; f++)
        for (int32_t i = p->first[f]; i < p->first[f + 1]; i++) {
            int32_t l = p->hop[i];
            p->member[p->begin[l] + p->open_n[l]++] = f;
        }
}

/* The link whose open flows get least; -1 when no flow is open. */
static int32_t tightest_link(const struct maxmin *p, double *share_bps)
{
    int32_t best = -1;
    for (int32_t l = 0; l < p->link_n; l++) {
        if (p->open_n[l] == 0) continue;
        double share = p->left_bps[l] / p->open_n[l];
        if (best >= 0 && share >= *share_bps) continue;
        best = l;
        *share_bps = share;
    }
    return best;
}

void maxmin_solve(struct maxmin *p)
{
    index_members(p);
    memcpy(p->left_bps, p->cap_bps, (size_t)p->link_n * sizeof(double));
    for (int32_t f = 0; f < p->flow_n; f++)
        p->limited_by[f] = -1;
    double share_bps = 0;
    for (int32_t tight; (tight = tightest_link(p, &share_bps)) >= 0;)
        for (int32_t m = p->begin[tight]; m < p->begin[tight + 1]; m++) {
            int32_t f = p->member[m];
            if (p->limited_by[f] >= 0) continue;
            p->limited_by[f] = tight;
            p->rate_bps[f] = share_bps;
            for (int32_t i = p->first[f]; i < p->first[f + 1]; i++) {
                int32_t l = p->hop[i];
                p->open_n[l]--;
                p->left_bps[l] = p->left_bps[l] > share_bps ? p->left_bps[l] - share_bps : 0;
            }
        }
}
