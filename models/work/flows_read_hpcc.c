/* flows_read_hpcc.c - flow.txt of the HPCC simulator, with optional columns for dependencies.
 *
 *     COUNT
 *     SRC DST PG DPORT BYTES START [ID NEXT_ID]
 *
 * START is in seconds unless said otherwise. A flow starts when all flows that name its ID as their
 * NEXT_ID have arrived, and not before START; NEXT_ID -1 = none.
 * Source: alibaba-edu/High-Precision-Congestion-Control, simulation/scratch/third.cc.
 * PG is the class of traffic where the topology has several.
 * NOT modelled: DPORT (each flow is a queue pair of its own).
 */
#include <inttypes.h>

#include "models/work/flows_read.h"

static const struct flows_limits count_limits = {"a number of flows", 1, FLOWS_READ_MAX};
static const struct flows_limits size_limits = {"a size in bytes", 1, FLOWS_READ_BYTES_MAX};
static const struct flows_limits class_limits = {"a priority group", 0, 7};
static const struct flows_limits port_limits = {"a port number", 0, 65535};
static const struct flows_limits id_limits = {"an id", 0, INT64_MAX / 2};
static const struct flows_limits next_limits = {"an id, or -1 for none,", -1, INT64_MAX / 2};

static bool read_node(struct flows_read *read, const char *what, int32_t *out)
{
    if (!flows_read_word(read)) return flows_read_wrong(read, "missing: %s", what);
    return flows_read_node(read, read->word, read->word_len, out);
}

/* A flow's id is known as the trigger that its predecessors fire; `flows` knows which exist. */
static bool read_dependency(struct flows_read *read, struct flows_item *item)
{
    int64_t id = 0, next = -1;
    read->at = read->word;
    if (!flows_read_int(read, &id_limits, &id)) return false;
    int32_t *number = flows_read_number(&read->flows, read->arena, id);
    if (*number >= 0)
        return flows_read_wrong(read, "id %" PRId64 " is that of line %d, too", id, *number);
    *number = read->line;
    item->trigger = flows_read_trigger(read, id);
    if (!flows_read_int(read, &next_limits, &next)) return false;
    if (next == id) return flows_read_wrong(read, "a flow cannot follow itself");
    if (next < 0) return true;
    item->on_arrived = flows_read_trigger(read, next);
    read->plan->trigger[item->on_arrived].count++;
    return true;
}

static bool read_flow(struct flows_read *read)
{
    struct flows_item item = {.trigger = -1, .on_confirmed = -1, .on_arrived = -1};
    int64_t unused = 0, class_ = 0;
    if (!read_node(read, "the source", &item.src) || !read_node(read, "the destination", &item.dst))
        return false;
    if (item.src == item.dst) return flows_read_wrong(read, "source and destination are the same");
    if (!flows_read_int(read, &class_limits, &class_)) return false;
    if (read->classes > 1 && class_ >= read->classes)
        return flows_read_wrong(read,
                                "priority group %" PRId64 ", but the topology has %" PRId64
                                " classes of traffic, counted from 0",
                                class_, read->classes);
    if (read->classes > 1) item.traffic_class = (uint8_t)class_;
    if (!flows_read_int(read, &port_limits, &unused) ||
        !flows_read_int(read, &size_limits, &item.bytes) || !flows_read_start(read, &item.start_ps))
        return false;
    if (flows_read_word(read) && !read_dependency(read, &item)) return false;
    return flows_read_end(read) && flows_read_add(read, &item);
}

/* Ids that nobody names are no triggers; those that are named without being there are mistakes. */
static bool resolve(struct flows_read *read)
{
    struct flows_plan *plan = read->plan;
    for (int64_t t = 0; t < plan->trigger_n; t++) {
        struct flows_trigger *trigger = &plan->trigger[t];
        trigger->kind = FLOWS_BARRIER;
        if (*flows_read_number(&read->flows, read->arena, trigger->id) >= 0) continue;
        read->line = trigger->line;
        read->word = read->text;
        return flows_read_wrong(read, "flow %" PRId64 " shall follow, but no flow has that id",
                                trigger->id);
    }
    for (int64_t i = 0; i < plan->n; i++)
        if (plan->item[i].trigger >= 0 && plan->trigger[plan->item[i].trigger].count == 0)
            plan->item[i].trigger = -1;
    return true;
}

bool flows_read_hpcc(struct flows_read *read)
{
    int64_t count = 0;
    int before = read->err->count;
    read->word = read->at = read->text;
    if (!flows_read_line(read))
        return read->err->count > before ? false : flows_read_wrong(read, "an empty file");
    if (!flows_read_int(read, &count_limits, &count) || !flows_read_end(read)) return false;
    while (flows_read_line(read)) {
        if (read->plan->n == count)
            return flows_read_wrong(read, "one flow more than the %" PRId64 " of the first line",
                                    count);
        if (!read_flow(read)) return false;
    }
    if (read->err->count > before) return false;
    if (read->plan->n < count)
        return flows_read_wrong(read, "%" PRId64 " flows, but the first line says %" PRId64,
                                read->plan->n, count);
    return resolve(read) && flows_read_settle(read);
}
