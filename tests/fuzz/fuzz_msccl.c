/* fuzz_msccl.c - any text as MSCCL XML: refused with one message, or tables in which every peer,
 * buffer and dependency exists.
 *
 * Built as fuzz_tree.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "models/trace/msccl.h"
#include "sim/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHUNKS_MAX 1024 /* more only take longer */

static void check_block(const struct msccl *algorithm, const struct msccl_gpu *gpu,
                        const struct msccl_block *block)
{
    CHECK(block->send >= -1 && block->send < algorithm->gpu_n, "send");
    CHECK(block->recv >= -1 && block->recv < algorithm->gpu_n, "recv");
    CHECK(block->channel >= 0 && block->channel < algorithm->channels, "channel");
    for (int32_t i = 0; i < block->step_n; i++) {
        const struct msccl_step *step = &block->step[i];
        CHECK(step->type < MSCCL_TYPES && step->src < MSCCL_BUFFERS && step->dst < MSCCL_BUFFERS,
              "words");
        CHECK(!msccl_sends(step->type) || block->send >= 0, "sends to nobody");
        CHECK(!msccl_receives(step->type) || block->recv >= 0, "receives from nobody");
        CHECK(
            step->type != MSCCL_SEND ||
                (step->src_offset >= 0 && step->src_offset + step->count <= gpu->chunks[step->src]),
            "source");
        if (step->dep_block < 0) continue;
        CHECK(step->dep_block < gpu->block_n, "depid");
        CHECK(step->dep_step >= 0 && step->dep_step < gpu->block[step->dep_block].step_n, "deps");
    }
}

/* All of it runs, forwards and, where it is wrong, backwards. */
static void check_delivery(const struct msccl *algorithm)
{
    const struct msccl_gpu *gpu = algorithm->gpu;
    for (int32_t g = 0; g < algorithm->gpu_n; g++)
        if (gpu[g].chunks[MSCCL_SCRATCH] > CHUNKS_MAX) return;
    struct err err = {0};
    bool skipped;
    bool ok =
        msccl_deliver(&(struct msccl_source){.file = "input", .err = &err}, algorithm, &skipped);
    CHECK(ok ? err.count == 0 : err.count == 1, "%d errors of what it delivers", err.count);
    err_free(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct arena arena = {0};
    struct err err = {0};
    struct msccl algorithm;
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
    CHECK(in, "fmemopen");
    bool ok = msccl_read(&(struct msccl_source){"input", in, &arena, &err}, &algorithm);
    CHECK(ok ? err.count == 0 : err.count == 1, "%d errors", err.count);
    for (int32_t g = 0; ok && g < algorithm.gpu_n; g++)
        for (int32_t b = 0; b < algorithm.gpu[g].block_n; b++)
            check_block(&algorithm, &algorithm.gpu[g], &algorithm.gpu[g].block[b]);
    if (ok && algorithm.chunks_per_loop <= CHUNKS_MAX) check_delivery(&algorithm);
    fclose(in);
    err_free(&err);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif
