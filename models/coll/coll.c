/* coll.c - names, sizes on the wire, bandwidth factors; where an ask becomes a plan. */
#include "models/coll/coll.h"

#include <inttypes.h>
#include <string.h>

const char *const coll_op_names[] = {
    "all_reduce", "all_gather", "reduce_scatter", "broadcast", "all_to_all", "send_recv", NULL};
const char *const coll_protocol_names[] = {"ll", "ll128", "simple", NULL};

int64_t coll_wire_bytes(enum coll_protocol protocol, int64_t bytes)
{
    switch (protocol) {
    case COLL_LL: /* 4 bytes of data, 4 of flag */
        return (bytes + 3) / 4 * 8;
    case COLL_LL128: /* 120 bytes of data, 8 of flag */
        return (bytes + 119) / 120 * 128;
    default:
        return bytes;
    }
}

int coll_find(const char *name)
{
    for (int i = 0; coll_names[i]; i++)
        if (strcmp(coll_names[i], name) == 0) return i;
    return -1;
}

bool coll_countable(const struct coll_ask *ask)
{
    int32_t n = ask->op == COLL_ALL_TO_ALL ? ask->ranks : ask->channels;
    return coll_parts_n(coll_most(ask->bytes, n), ask->chunk_bytes) <= INT32_MAX / ask->slices;
}

const char *coll_plan(struct coll_plan *plan, const struct coll_ops *ops,
                      const struct coll_ask *ask, struct arena *arena)
{
    *plan = (struct coll_plan){.ask = *ask, .ops = ops};
    if (!(ops->can & COLL_BIT(ask->op)))
        return arena_printf(arena, "it cannot do %s", coll_op_names[ask->op]);
    if (!coll_countable(ask))
        return arena_printf(arena,
                            "%" PRId64 " bytes in chunks of %" PRId64
                            " are more than 2^31 messages of a channel",
                            ask->bytes, ask->chunk_bytes);
    if (ask->op == COLL_ALL_TO_ALL) plan->ask.bytes -= ask->bytes % ask->ranks;
    return ops->plan(plan, arena);
}

double coll_bus_factor(enum coll_op op, int32_t ranks)
{
    double n = (double)ranks;
    switch (op) {
    case COLL_ALL_REDUCE:
        return 2 * (n - 1) / n;
    case COLL_ALL_GATHER:
    case COLL_REDUCE_SCATTER:
    case COLL_ALL_TO_ALL:
        return (n - 1) / n;
    default:
        return 1;
    }
}
