/* fuzz_goal.c - any text as GOAL: refused with one message, or a trace whose every index exists.
 *
 * Built as fuzz_tree.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "models/trace/goal.h"
#include "tests/fuzz/fuzz_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct arena arena = {0};
    struct err err = {0};
    struct trace trace;
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
    CHECK(in, "fmemopen");
    bool ok = goal_read(&(struct goal_source){"input", in, &arena, &err, 64}, &trace);
    CHECK(ok ? err.count == 0 : err.count == 1, "%d errors", err.count);
    if (ok) fuzz_trace(&trace);
    fclose(in);
    err_free(&err);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif
