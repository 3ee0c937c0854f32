/* idle.c - how long a message takes with nothing else on its path (idle.h).
 *
 * The one idea: all that counts of a packet is when it starts on each link: when it has come there
 * (all of it, or its headers where the switch cuts through) and the one before it has left. For
 * equal packets these recurrences have a sum, so that a long message costs no more than a short.
 * NOT modelled: what the NICs add (gaps, PCIe); that the last acknowledgement waits for the one
 * before it, if the last packet is shorter than it (some 3 bytes' time); that
 * the last packet overtakes others where each packet takes a way of its own, which is quicker.
 */
#include "models/net/idle.h"

#include "sim/base/check.h"
#include "sim/base/units.h"

static int64_t wire_ps(const struct idle_link *link, int64_t bytes)
{
    return units_serialise_ps(bytes, link->rate_bps);
}

/* From the start on one link to the earliest start on the next. */
static int64_t pass_ps(const struct idle_link *link, int64_t bytes)
{
    int64_t left_bytes = link->cut_bytes && bytes > link->cut_bytes ? bytes - link->cut_bytes : 0;
    return wire_ps(link, bytes) - wire_ps(link, left_bytes) + link->delay_ps;
}

/* The starts of a packet of `bytes` on all links, from those of the packet before it. */
static void follow(const struct idle_link *link, int n, int64_t before_bytes, int64_t bytes,
                   int64_t *start_ps)
{
    for (int k = 0; k < n; k++) {
        int64_t free_ps = start_ps[k] + wire_ps(&link[k], before_bytes);
        int64_t there_ps = k ? start_ps[k - 1] + pass_ps(&link[k - 1], bytes) : 0;
        start_ps[k] = free_ps > there_ps ? free_ps : there_ps;
    }
}

/* The same for the last of `more` packets, all as large as the one before them: it waits for the
 * slowest of the links on the way from where it is held up. */
static void follow_equals(const struct idle_link *link, int n, int64_t bytes, int64_t more,
                          int64_t *start_ps)
{
    for (int to = n - 1; to >= 0; to--) {
        int64_t latest_ps = 0, slowest_ps = 0, way_ps = 0;
        for (int from = to; from >= 0; from--) {
            int64_t here_ps = wire_ps(&link[from], bytes);
            if (here_ps > slowest_ps) slowest_ps = here_ps;
            if (from < to) way_ps += pass_ps(&link[from], bytes);
            int64_t at_ps = start_ps[from] + more * slowest_ps + way_ps;
            if (at_ps > latest_ps) latest_ps = at_ps;
        }
        start_ps[to] = latest_ps;
    }
}

int64_t idle_ps(const struct idle_link *link, int n, const struct idle_packets *packets)
{
    int64_t start_ps[IDLE_LINKS_MAX] = {0}, bytes = packets->first_bytes;
    CHECK(n > 0 && n <= IDLE_LINKS_MAX, "a path of %d links", n);
    for (int k = 1; k < n; k++)
        start_ps[k] = start_ps[k - 1] + pass_ps(&link[k - 1], bytes);
    if (packets->n > 2) {
        follow(link, n, bytes, packets->middle_bytes, start_ps);
        follow_equals(link, n, packets->middle_bytes, packets->n - 3, start_ps);
        bytes = packets->middle_bytes;
    }
    if (packets->n > 1) {
        follow(link, n, bytes, packets->last_bytes, start_ps);
        bytes = packets->last_bytes;
    }
    return start_ps[n - 1] + wire_ps(&link[n - 1], bytes) + link[n - 1].delay_ps;
}
