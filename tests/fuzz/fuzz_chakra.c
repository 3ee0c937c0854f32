/* fuzz_chakra.c - any bytes as one rank of a Chakra trace of four; behind a '{', as its file of
 * process groups. Refused with one message, or a trace whose every index exists.
 *
 * Built as fuzz_tree.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "models/trace/chakra.h"
#include "tests/fuzz/fuzz_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RANKS 4

static void check_groups(const struct trace *trace)
{
    for (int64_t g = 1; g < trace->group_n; g++) {
        const struct trace_group *group = &trace->group[g];
        CHECK(group->n > 0 && group->n <= RANKS && *group->name, "group");
        for (int32_t i = 0; i < group->n; i++)
            CHECK(group->rank[i] >= 0 && group->rank[i] < RANKS, "member");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    static const char groups[] = "{\"1\": [0, 2], \"2\": [1, 3]}";
    struct arena arena = {0};
    struct err err = {0};
    struct trace trace;
    struct trace_build build = {.trace = &trace, .arena = &arena, .err = &err};
    trace_build_begin(&build, RANKS);
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
    FILE *known = fmemopen((void *)(uintptr_t)groups, sizeof groups - 1, "r");
    CHECK(in && known, "fmemopen");
    bool is_json = data[0] == '{';
    bool ok = chakra_read_groups(&build, "groups", is_json ? in : known);
    if (ok && !is_json) ok = chakra_read_rank(&build, &(struct chakra_file){"input", in, 1});
    CHECK(ok ? err.count == 0 : err.count == 1, "%d errors", err.count);
    trace_build_end(&build);
    for (int64_t r = 0; r < RANKS; r++)
        if (!trace.rank[r].file) trace.rank[r].file = "other";
    if (ok) {
        check_groups(&trace);
        fuzz_trace(&trace);
    }
    fclose(in);
    fclose(known);
    trace_build_free(&build);
    err_free(&err);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif
