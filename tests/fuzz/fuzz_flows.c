/* fuzz_flows.c - any text as a file of flows: refused with a message, or a plan in which every flow
 * starts exactly once. The first byte picks the format.
 *
 * Built as fuzz_tree.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "models/work/flows.h"
#include "models/work/flows_read.h"
#include "models/work/flows_sizes.h"
#include "sim/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(const struct flows_plan *plan, const struct flows_item *item)
{
    CHECK(item->src != item->dst && item->src >= 0 && item->src < 64, "src %d", item->src);
    CHECK(item->dst >= 0 && item->dst < 64, "dst %d", item->dst);
    CHECK(item->bytes > 0 && item->start_ps >= 0, "bytes, start");
    CHECK(item->trigger < plan->trigger_n && item->on_confirmed < plan->trigger_n &&
              item->on_arrived < plan->trigger_n,
          "triggers");
}

static int64_t fire(struct flows_plan *plan, int32_t trigger, int32_t *stack, int64_t n)
{
    if (trigger < 0) return n;
    for (int32_t i = flows_read_fire(plan, trigger); i >= 0; i = plan->item[i].next) {
        CHECK(n < plan->n, "a flow starts twice");
        stack[n++] = i;
    }
    return n;
}

/* Run the plan as a simulation would, flows arriving in another order than when it was checked. */
static void run_plan(struct arena *arena, struct flows_plan *plan)
{
    int32_t *queue = ARENA_ARRAY(arena, int32_t, plan->n);
    int64_t n = 0;
    for (int64_t i = 0; i < plan->n; i++) {
        check_item(plan, &plan->item[i]);
        if (plan->item[i].trigger < 0) queue[n++] = (int32_t)i;
    }
    for (int64_t at = 0; at < n; at++) {
        const struct flows_item *item = &plan->item[queue[at]];
        n = fire(plan, item->on_confirmed, queue, n);
        n = fire(plan, item->on_arrived, queue, n);
    }
    CHECK(n == plan->n, "%lld of %lld flows start", (long long)n, (long long)plan->n);
}

static void check_sizes(const struct flows_sizes *sizes)
{
    struct rng rng = {1};
    double most = sizes->bytes[sizes->n - 1];
    for (int i = 0; i < 100; i++) {
        int64_t bytes = flows_sizes_draw(sizes, &rng);
        CHECK(bytes >= 1 && (double)bytes <= most + 1, "%lld of at most %g", (long long)bytes,
              most);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct arena arena = {0};
    struct err err = {0};
    struct flows_plan plan = {0};
    struct flows_sizes sizes = {0};
    struct flows_read *read = ARENA_NEW(&arena, struct flows_read);
    *read = (struct flows_read){.file = "input",
                                .in = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r"),
                                .arena = &arena,
                                .err = &err,
                                .endpoints = 64,
                                .unit = FLOWS_NS,
                                .plan = &plan};
    CHECK(read->in, "fmemopen");
    bool ok;
    if (data[0] == 'c') {
        ok = flows_sizes_read(read, &sizes);
        if (ok) check_sizes(&sizes);
    } else {
        ok = data[0] == 'h' ? flows_read_hpcc(read) : flows_read_htsim(read);
        if (ok) run_plan(&arena, &plan);
    }
    CHECK(ok == (err.count == 0), "%d errors", err.count);
    fclose(read->in);
    err_free(&err);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif
