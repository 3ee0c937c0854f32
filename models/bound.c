/* bound.c - names of the limits, and the ledger (idea: bound.h). */
#include "models/bound.h"

static const char *const names[] = {
    [BOUND_COMPUTE] = "compute",
    [BOUND_DECODE] = "decode",
    [BOUND_READAHEAD] = "read-ahead",
    [BOUND_SLOTS] = "slots",
    [BOUND_CREDITS] = "credits",
    [BOUND_WINDOW] = "window",
    [BOUND_CLIENT] = "client",
    [BOUND_CONGESTION] = "congestion",
    [BOUND_NIC] = "nic",
    [BOUND_SWITCH] = "switch",
    [BOUND_WAN] = "wan",
    [BOUND_SERVER] = "server",
    [BOUND_DEVICE] = "device",
    [BOUND_METADATA] = "metadata",
    [BOUND_NVLINK] = "nvlink",
    [BOUND_STARTUP] = "start-up",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == BOUND_N, "every bound has a name");

const char *bound_name(enum bound bound)
{
    return names[bound];
}

void bound_add_fading(struct bound_ledger *ledger, enum bound bound, int64_t ps, int64_t keep_ps)
{
    ledger->ps[bound] += ps;
    int64_t sum_ps = 0;
    for (int i = 0; i < BOUND_N; i++)
        sum_ps += ledger->ps[i];
    if (sum_ps <= keep_ps) return;
    for (int i = 0; i < BOUND_N; i++)
        ledger->ps[i] /= 2;
}

enum bound bound_largest(const struct bound_ledger *ledger, enum bound fallback)
{
    enum bound best = fallback;
    int64_t most_ps = 0;
    for (int i = 0; i < BOUND_N; i++) {
        if (ledger->ps[i] <= most_ps) continue;
        most_ps = ledger->ps[i];
        best = (enum bound)i;
    }
    return best;
}
