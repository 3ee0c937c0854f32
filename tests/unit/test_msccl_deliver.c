/* test_msccl_deliver.c - algorithms of MSCCL that deliver what they promise, and such that do not.
 *
 * Texts are made step by step: a ring in which one thing is wrong is a ring but for one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/trace/msccl.h"
#include "tests/unit/trace_rig.h"

/* struct text: an algorithm that is being written; inside a tb unless block is 0. */
struct text {
    char at[16384];
    size_t n;
    int gpu, block, step;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text->n += (size_t)vsnprintf(text->at + text->n, sizeof text->at - text->n, format, args);
    va_end(args);
    assert_true(text->n < sizeof text->at);
}

static struct text begin(const char *coll, int gpus, int chunks, bool in_place)
{
    struct text text = {0};
    put(&text,
        "<algo proto='Simple' nchannels='1' nchunksperloop='%d' ngpus='%d' coll='%s' "
        "inplace='%d'>\n",
        chunks, gpus, coll, in_place);
    return text;
}

static void end_block(struct text *text)
{
    if (text->block > 0) put(text, "</tb>\n");
    text->step = 0;
}

static void gpu(struct text *text, int input, int output)
{
    end_block(text);
    if (text->gpu > 0) put(text, "</gpu>\n");
    put(text, "<gpu id='%d' i_chunks='%d' o_chunks='%d' s_chunks='1'>\n", text->gpu++, input,
        output);
    text->block = 0;
}

static void block(struct text *text, int send, int recv)
{
    end_block(text);
    put(text, "<tb id='%d' send='%d' recv='%d' chan='0'>\n", text->block++, send, recv);
}

/* "i0" is chunk 0 of the input. dep: a block whose first step must have ended, -1 = none. */
static void step(struct text *text, const char *type, const char *from, const char *to, int dep)
{
    put(text,
        "<step s='%d' type='%s' srcbuf='%c' srcoff='%s' dstbuf='%c' dstoff='%s' cnt='%d' "
        "depid='%d' deps='%d' hasdep='0'/>\n",
        text->step++, type, *from, from + 1, *to, to + 1, strcmp(type, "nop") != 0, dep,
        dep < 0 ? -1 : 0);
}

static const char *chunk(char *buffer, char name, int at)
{
    snprintf(buffer, 16, "%c%d", name, at);
    return buffer;
}

/* What msccl_deliver says: NULL = all is well. */
static void deliver(struct text *text, const char *expected)
{
    struct trace_rig rig = {0};
    struct msccl algorithm;
    bool skipped;
    end_block(text);
    put(text, "</gpu></algo>\n");
    FILE *in = trace_rig_open(text->at, text->n);
    const struct msccl_source source = {"x", in, &rig.arena, &rig.err};
    assert_true(msccl_read(&source, &algorithm));
    rig.ok = msccl_deliver(&source, &algorithm, &skipped);
    assert_false(skipped);
    if (expected)
        trace_rig_said(&rig.err, expected, "the text");
    else
        assert_int_equal(rig.err.count, 0);
    assert_int_equal(rig.ok, !expected);
    fclose(in);
    trace_rig_end(&rig);
}

#define N 4

/* What is wrong with a ring. */
enum fault { RIGHT, HOP_TOO_FEW, OTHER_CHUNK, NOT_COPIED, ADDED_TWICE, NOT_ADDED };

static struct text all_gather(bool in_place, enum fault fault)
{
    struct text text = begin("allgather", N, N, in_place);
    char own[16], at[16];
    int hops = fault == HOP_TOO_FEW ? N - 2 : N - 1;
    for (int g = 0; g < N; g++) {
        gpu(&text, in_place ? 0 : 1, N);
        block(&text, (g + 1) % N, (g + N - 1) % N);
        chunk(own, 'o', g);
        if (!in_place && fault != NOT_COPIED) step(&text, "cpy", "i0", own, -1);
        step(&text, "s", in_place ? own : "i0", own, -1);
        for (int h = 1; h <= hops; h++) {
            bool other = fault == OTHER_CHUNK && g == 2 && h == 2;
            chunk(at, 'o', other ? g : (g + N - h) % N);
            step(&text, h < hops ? "rcs" : "r", at, at, -1);
        }
    }
    return text;
}

static void all_gather__is_the_input_of_each(void **state)
{
    (void)state;
    struct text text = all_gather(true, RIGHT);
    deliver(&text, NULL);
    text = all_gather(false, RIGHT);
    deliver(&text, NULL);
    text = all_gather(true, HOP_TOO_FEW);
    deliver(&text, "x:2:1: error: C136: chunk 1 of the output of gpu 0 holds nothing; all_gather "
                   "wants chunk 0 of gpu 1; 3 more are wrong");
    text = all_gather(false, NOT_COPIED);
    deliver(&text, "x:2:1: error: C136: chunk 0 of the output of gpu 0 holds nothing; all_gather "
                   "wants chunk 0 of gpu 0 (inplace is 0: a step must copy it from `i` to `o`); 3 "
                   "more are wrong");
    /* GPU 2 writes what it gets from 0 over its own part, which it has sent before. */
    text = all_gather(true, OTHER_CHUNK);
    deliver(&text, "x:18:1: error: C136: chunk 0 of the output of gpu 2 holds nothing; all_gather "
                   "wants chunk 0 of gpu 0; 1 more are wrong");
}

/* As in place, and into an output of its own, where a reduction takes its own part from `i`. */
static struct text reduce_scatter(bool in_place, enum fault fault)
{
    struct text text = begin("reduce_scatter", N, N, in_place);
    char at[16];
    for (int g = 0; g < N; g++) {
        gpu(&text, N, 1);
        block(&text, (g + 1) % N, (g + N - 1) % N);
        step(&text, "s", chunk(at, 'i', (g + N - 1) % N), "o0", -1);
        for (int h = 2; h < N; h++) {
            bool wrong = g == 1 && h == 2;
            chunk(at, 'i', (g + N - h + (fault == OTHER_CHUNK && wrong)) % N);
            step(&text, fault == NOT_ADDED && wrong ? "rcs" : "rrs", at,
                 fault == NOT_ADDED && wrong ? at : "o0", -1);
        }
        step(&text, "rrc", chunk(at, 'i', g), "o0", -1);
        if (fault == ADDED_TWICE && g == 3) step(&text, "re", at, "o0", -1);
    }
    return text;
}

static void reduce_scatter__adds_each_once(void **state)
{
    (void)state;
    struct text text = reduce_scatter(true, RIGHT);
    deliver(&text, NULL);
    text = reduce_scatter(false, RIGHT); /* rrc adds to its source */
    deliver(&text, NULL);
    text = reduce_scatter(true, NOT_ADDED);
    deliver(&text,
            "error: C136: chunk 0 of the output of gpu 3 holds chunk 3 of gpu 0 + chunk 3 of "
            "gpus 2 to 3; reduce_scatter wants chunk 3 of gpus 0 to 3");
    text = reduce_scatter(false, ADDED_TWICE);
    deliver(&text, "x:32:1: error: C136: chunk 0 of the output of gpu 3 holds chunk 3 of gpus 0 to "
                   "2 + chunk 3 of gpu 3 (2 times); reduce_scatter wants");
    text = reduce_scatter(true, OTHER_CHUNK);
    deliver(&text,
            "error: C136: chunk 0 of the output of gpu 3 holds chunk 0 of gpu 1 + chunk 3 of "
            "gpu 0 + chunk 3 of gpus 2 to 3; reduce_scatter wants chunk 3 of gpus 0 to 3");
}

static struct text all_to_all(int chunks, enum fault fault)
{
    struct text text = begin("alltoall", N, chunks, false);
    char from[16], to[16];
    for (int g = 0; g < N; g++) {
        gpu(&text, chunks, chunks);
        block(&text, -1, -1);
        step(&text, "cpy", chunk(from, 'i', g), chunk(to, 'o', g), -1);
        for (int p = 0; p < N; p++) {
            if (p == g) continue;
            block(&text, p, p);
            bool other = fault == OTHER_CHUNK && g == 1 && p == 2;
            step(&text, "s", chunk(from, 'i', other ? 3 : p), chunk(to, 'o', g), -1);
            step(&text, "r", from, chunk(to, 'o', p), -1);
        }
    }
    return text;
}

static void all_to_all__is_a_part_for_each(void **state)
{
    (void)state;
    struct text text = all_to_all(N, RIGHT);
    deliver(&text, NULL);
    text = all_to_all(N, OTHER_CHUNK);
    deliver(&text, "error: C136: chunk 1 of the output of gpu 2 holds chunk 3 of gpu 1; all_to_all "
                   "wants chunk 2 of gpu 1");
    text = all_to_all(N + 1, RIGHT);
    deliver(&text, "x:2:1: error: C137: 5 chunks (nchunksperloop) are no equal shares of 4 GPUs");
}

/* From 0 to 1 by way of its scratch. */
static struct text broadcast(int output, const char *last)
{
    struct text text = begin("broadcast", 2, 1, false);
    gpu(&text, 1, output);
    block(&text, 1, -1);
    step(&text, "cpy", "i0", "o0", -1);
    step(&text, "s", "o0", "s0", -1);
    gpu(&text, 1, 1);
    block(&text, -1, 0);
    step(&text, "r", "o0", "s0", -1);
    block(&text, -1, -1);
    step(&text, "nop", "i-1", "o-1", -1);
    step(&text, last, "s0", "o0", 0);
    return text;
}

static void broadcast__is_the_input_of_gpu_0(void **state)
{
    (void)state;
    struct text text = broadcast(1, "cpy");
    deliver(&text, NULL);
    text = broadcast(1, "re"); /* onto what nobody has written */
    deliver(&text, "x:14:1: error: C136: chunk 0 of the output of gpu 1 holds chunk 0 of gpu 0 + "
                   "what nobody wrote; broadcast wants chunk 0 of gpu 0");
}

static void an_output__is_needed(void **state)
{
    (void)state;
    struct text text = begin("allreduce", 2, 1, false);
    gpu(&text, 1, 1);
    gpu(&text, 1, 0);
    deliver(&text, "x:4:1: error: C137: gpu 1 has no output: o_chunks and inplace are 0");
}

/* `i` and `o` are one: GPU 1 adds before it sends; then both add, one of them twice. */
static void all_reduce__in_place(void **state)
{
    (void)state;
    struct text text = begin("allreduce", 2, 1, true);
    for (int g = 0; g < 2; g++) {
        gpu(&text, 1, 1);
        block(&text, 1 - g, 1 - g);
        step(&text, g == 0 ? "s" : "rrc", "i0", "o0", -1);
        step(&text, g == 0 ? "r" : "s", "i0", "o0", -1);
    }
    deliver(&text, NULL);
    text = begin("allreduce", 2, 1, true);
    for (int g = 0; g < 2; g++) {
        gpu(&text, 0, 1);
        block(&text, 1 - g, 1 - g);
        step(&text, "s", "o0", "o0", -1);
        step(&text, "rrc", "o0", "o0", -1);
        if (g == 1) step(&text, "re", "o0", "o0", -1);
    }
    deliver(&text,
            "x:12:1: error: C136: chunk 0 of the output of gpu 1 holds chunk 0 of gpus 0 to 1"
            " (2 times); all_reduce wants chunk 0 of gpus 0 to 1");
}

/* 70 times double: more than 2^64 times the input of GPU 0, and once GPU 1. */
static void a_count_without_end__is_no_sum(void **state)
{
    (void)state;
    struct text text = begin("allreduce", 1, 1, true);
    gpu(&text, 1, 1);
    block(&text, -1, -1);
    step(&text, "cpy", "i0", "s0", -1);
    for (int i = 0; i < 70; i++)
        step(&text, "re", "s0", "s0", -1);
    step(&text, "re", "s0", "o0", -1);
    deliver(&text, "x:75:1: error: C136: chunk 0 of the output of gpu 0 holds chunk 0 of gpu 0 (");
}

static void shipped_files__deliver(void **state)
{
    (void)state;
    static const char *const files[] = {"workloads/all-pairs.xml", "tests/traces/ring.xml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct trace_rig rig = {0};
        struct msccl algorithm;
        bool skipped = true;
        const struct msccl_source source = {files[i], NULL, &rig.arena, &rig.err};
        assert_true(msccl_read(&source, &algorithm));
        assert_true(msccl_deliver(&source, &algorithm, &skipped));
        assert_false(skipped);
        algorithm.coll = MSCCL_CUSTOM;
        assert_true(msccl_deliver(&source, &algorithm, &skipped));
        assert_true(skipped);
        trace_rig_end(&rig);
    }
}

static void what_is_too_large__is_skipped(void **state)
{
    (void)state;
    struct msccl_gpu gpus[1] = {{.chunks = {MSCCL_REPLAY_MAX / 2, MSCCL_REPLAY_MAX / 2, 1}}};
    const struct msccl algorithm = {
        .gpu = gpus, .gpu_n = 1, .chunks_per_loop = MSCCL_REPLAY_MAX / 2, .coll = COLL_ALL_REDUCE};
    struct err err = {0};
    bool skipped = false;
    assert_true(
        msccl_deliver(&(struct msccl_source){.file = "x", .err = &err}, &algorithm, &skipped));
    assert_true(skipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_gather__is_the_input_of_each),
        cmocka_unit_test(reduce_scatter__adds_each_once),
        cmocka_unit_test(all_to_all__is_a_part_for_each),
        cmocka_unit_test(broadcast__is_the_input_of_gpu_0),
        cmocka_unit_test(an_output__is_needed),
        cmocka_unit_test(all_reduce__in_place),
        cmocka_unit_test(a_count_without_end__is_no_sum),
        cmocka_unit_test(shipped_files__deliver),
        cmocka_unit_test(what_is_too_large__is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
