/* maxmin.c - progressive filling in the order of levels (maxmin.h).
 *
 * The one idea: the level of a link, what each of its open flows would get, only rises while flows
 * are settled elsewhere. So links wait in a heap by the level that they had when they were last
 * looked at, and only the first is looked at again. Of all levels that a link has had the highest
 * counts: in doubles a later share may come out smaller by a last bit. With that the order of
 * settlement is the order of (level, rank), and what happens on a link depends on nothing but the
 * rates of its own flows in that order; pinned flows take part by theirs.
 *
 * NOT modelled: weights; flows with a greatest rate (give them a link of their own).
 */
#include "models/flow/maxmin.h"

#include <string.h>

enum { OPEN = -1 };

/* The flows of each link, as one array with an index (counting sort by link). */
static void index_members(struct maxmin *p)
{
    memset(p->link, 0, (size_t)(p->link_n + 1) * sizeof *p->link);
    for (int32_t i = 0; i < p->first[p->flow_n]; i++)
        p->link[p->hop[i]].open_n++;
    for (int32_t l = 0; l < p->link_n; l++) {
        p->link[l + 1].begin = p->link[l].begin + p->link[l].open_n;
        p->link[l].open_n = 0;
    }
    for (int32_t f = 0; f < p->flow_n; f++)
        for (int32_t i = p->first[f]; i < p->first[f + 1]; i++) {
            struct maxmin_link *link = &p->link[p->hop[i]];
            p->member[link->begin + link->open_n++] = f;
        }
    for (int32_t l = 0; l < p->link_n; l++) {
        struct maxmin_link *link = &p->link[l];
        link->left_bps = p->cap_bps[l];
        if (link->open_n) link->level_bps = link->left_bps / link->open_n;
    }
}

static inline bool before(const struct maxmin_turn *a, const struct maxmin_turn *b)
{
    return a->level_bps < b->level_bps || (a->level_bps == b->level_bps && a->rank < b->rank);
}

/* Put turn where `at` is empty, and restore the heap below. */
static void sink(struct maxmin_turn *heap, int32_t n, int32_t at, struct maxmin_turn turn)
{
    for (int32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(&heap[child + 1], &heap[child])) child++;
        if (!before(&heap[child], &turn)) break;
        heap[at] = heap[child];
    }
    heap[at] = turn;
}

/* Links with flows, and pins; returns how many. */
static int32_t line_up(struct maxmin *p)
{
    int32_t n = 0;
    for (int32_t l = 0; l < p->link_n; l++)
        if (p->link[l].open_n)
            p->turn[n++] = (struct maxmin_turn){p->link[l].level_bps, p->rank[l], l};
    for (int32_t i = 0; i < p->pin_n; i++)
        p->turn[n++] = (struct maxmin_turn){p->pin[i].rate_bps, p->pin[i].rank, p->link_n + i};
    for (int32_t at = n / 2 - 1; at >= 0; at--)
        sink(p->turn, n, at, p->turn[at]);
    return n;
}

/* Flow f gets rate_bps, and its links have so much less for the others. */
static void settle(struct maxmin *p, int32_t f, double rate_bps, int32_t by)
{
    p->limited_by[f] = by;
    for (int32_t i = p->first[f]; i < p->first[f + 1]; i++) {
        struct maxmin_link *link = &p->link[p->hop[i]];
        link->left_bps = link->left_bps > rate_bps ? link->left_bps - rate_bps : 0;
        if (--link->open_n == 0) continue;
        double share_bps = link->left_bps / link->open_n;
        if (share_bps > link->level_bps) link->level_bps = share_bps;
    }
}

/* The turn of link l has come; returns whether all its open flows were free. */
static bool settle_link(struct maxmin *p, int32_t l)
{
    double share_bps = p->link[l].level_bps;
    bool all_free = true;
    for (int32_t m = p->link[l].begin; m < p->link[l + 1].begin; m++) {
        int32_t f = p->member[m];
        if (p->limited_by[f] != OPEN) continue;
        if (f >= p->free_n) all_free = false;
        p->rate_bps[f] = share_bps;
        settle(p, f, share_bps, l);
    }
    return all_free;
}

/* The turn of a pin has come: of its flows those are settled that no link has claimed. */
static void settle_pin(struct maxmin *p, const struct maxmin_pin *pin)
{
    for (int32_t f = pin->flow; f >= 0; f = p->next[f])
        if (p->limited_by[f] == OPEN) settle(p, f, pin->rate_bps, MAXMIN_OUTSIDE);
}

bool maxmin_solve(struct maxmin *p)
{
    index_members(p);
    for (int32_t f = 0; f < p->flow_n; f++)
        p->limited_by[f] = OPEN;
    int32_t n = line_up(p);
    bool all_free = true;
    while (n > 0) {
        struct maxmin_turn turn = p->turn[0];
        if (turn.what >= p->link_n) {
            settle_pin(p, &p->pin[turn.what - p->link_n]);
        } else if (p->link[turn.what].open_n) {
            if (p->link[turn.what].level_bps > turn.level_bps) {
                turn.level_bps = p->link[turn.what].level_bps;
                sink(p->turn, n, 0, turn);
                continue;
            }
            if (!settle_link(p, turn.what)) all_free = false;
        }
        sink(p->turn, n - 1, 0, p->turn[n - 1]);
        n--;
    }
    return all_free;
}
