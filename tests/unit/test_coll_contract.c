/* test_coll_contract.c - every registered algorithm, run without a clock on real data
 * (coll_bench.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coll_bench.h"
#include "models/trace/msccl_plan.h"

/* ---- cases ----------------------------------------------------------------------------------- */

static const struct {
    int32_t ranks, local, leaf;
} groups[] = {{1, 1, 0}, {2, 1, 0}, {2, 2, 0},  {3, 1, 0},  {4, 2, 1}, {5, 1, 2},
              {8, 8, 0}, {8, 4, 0}, {16, 1, 4}, {12, 4, 2}, {9, 3, 2}, {18, 2, 4}};
#define GROUPS (sizeof groups / sizeof *groups)

static const struct {
    int64_t bytes, chunk_bytes;
    int32_t channels, slices;
} shapes[] = {{100, 0, 1, 1}, {100, 3, 1, 2}, {257, 7, 3, 1}, {3, 0, 2, 1}, {64, 4, 4, 3}};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* slots 0 = as few as the contract asks for. */
static int64_t verify_all(int algorithm, enum coll_op op, int32_t slots)
{
    int64_t done = 0;
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t s = 0; s < SHAPES; s++) {
            const struct coll_ask ask = {.op = op,
                                         .protocol = COLL_SIMPLE,
                                         .bytes = shapes[s].bytes,
                                         .ranks = groups[g].ranks,
                                         .local = groups[g].local,
                                         .leaf = groups[g].leaf,
                                         .root = op == COLL_BROADCAST ? groups[g].ranks / 2 : 0,
                                         .channels = shapes[s].channels,
                                         .slices = shapes[s].slices,
                                         .chunk_bytes = shapes[s].chunk_bytes};
            done += verify(algorithm, &ask, slots ? slots : shapes[s].slices + 1) >= 0;
        }
    return done;
}

static void every_algorithm__does_what_its_operations_promise(void **state)
{
    (void)state;
    for (int a = 0; coll_list[a]; a++)
        for (enum coll_op op = 0; op < COLL_OPS; op++)
            if (coll_list[a]->can & COLL_BIT(op)) assert_true(verify_all(a, op, 8) > 0);
}

static void every_algorithm__needs_one_slot_more_than_slices(void **state)
{
    (void)state;
    for (int a = 0; coll_list[a]; a++)
        for (enum coll_op op = 0; op < COLL_OPS; op++)
            if (coll_list[a]->can & COLL_BIT(op)) verify_all(a, op, 0);
}

static void every_algorithm__refuses_other_operations(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct coll_plan plan;
    for (int a = 0; coll_list[a]; a++)
        for (enum coll_op op = 0; op < COLL_OPS; op++) {
            const struct coll_ask ask = {
                .op = op, .bytes = 64, .ranks = 4, .local = 4, .channels = 1, .slices = 1};
            if (!(coll_list[a]->can & COLL_BIT(op)))
                assert_non_null(coll_plan(&plan, coll_list[a], &ask, &arena));
        }
    arena_free(&arena);
}

static void every_operation__has_an_algorithm(void **state)
{
    (void)state;
    unsigned can = 0;
    for (int a = 0; coll_list[a]; a++)
        can |= coll_list[a]->can;
    assert_int_equal(can, COLL_BIT(COLL_OPS) - 1);
}

/* Messages of an algorithm from a file (in NULL = path); operation, ranks as the file says. */
static int64_t verify_msccl(const char *path, FILE *in, int64_t bytes, int64_t chunk_bytes)
{
    struct bench bench = {.slots = 8};
    struct err err = {0};
    struct msccl algorithm;
    assert_true(msccl_read(
        &(struct msccl_source){.file = path, .in = in, .arena = &bench.arena, .err = &err},
        &algorithm));
    const struct coll_ask ask = {.op = (enum coll_op)algorithm.coll,
                                 .protocol = algorithm.protocol,
                                 .bytes = bytes,
                                 .ranks = algorithm.gpu_n,
                                 .local = 1,
                                 .channels = 1,
                                 .slices = 1,
                                 .chunk_bytes = chunk_bytes};
    set_title(&bench, path, &ask);
    assert_null(msccl_plan(&bench.plan, &algorithm, &ask, &bench.arena));
    verify_plan(&bench);
    arena_free(&bench.arena);
    return bench.messages;
}

static int64_t verify_file(const char *path, int64_t bytes, int64_t chunk_bytes)
{
    return verify_msccl(path, NULL, bytes, chunk_bytes);
}

#define STEP(number, type, from, to)                                                               \
    "<step s='" number "' type='" type "' " from " " to " cnt='1' depid='-1' deps='-1' "           \
    "hasdep='0'/>"
#define FROM(buffer, at) "srcbuf='" buffer "' srcoff='" at "'"
#define TO(buffer, at) "dstbuf='" buffer "' dstoff='" at "'"
#define GPU(id, other, input, output, steps)                                                       \
    "<gpu id='" id "' i_chunks='" input "' o_chunks='" output "' s_chunks='0'>"                    \
    "<tb id='0' send='" other "' recv='" other "' chan='0'>" steps "</tb></gpu>"
#define ALGO(coll, chunks, gpus)                                                                   \
    "<algo name='x' proto='Simple' nchannels='1' nchunksperloop='" chunks                          \
    "' ngpus='2' coll='" coll "' inplace='0'>" gpus "</algo>"

/* Where buffers `i` and `o` are, of each operation; own input is copied to where it already is. */
static void an_algorithm_of_a_file__works_in_place(void **state)
{
    (void)state;
#define GATHER(id, other)                                                                          \
    GPU(id, other, "1", "2",                                                                       \
        STEP("0", "cpy", FROM("i", "0"), TO("o", id)) STEP("1", "s", FROM("i", "0"), TO("o", id))  \
            STEP("2", "r", FROM("i", "0"), TO("o", other)))
#define SCATTER(id, other)                                                                         \
    GPU(id, other, "2", "1",                                                                       \
        STEP("0", "s", FROM("i", other), TO("o", "0"))                                             \
            STEP("1", "rrc", FROM("i", id), TO("o", "0")))
#define EXCHANGE(id, other)                                                                        \
    GPU(id, other, "2", "2",                                                                       \
        STEP("0", "cpy", FROM("i", id), TO("o", id)) STEP("1", "s", FROM("i", other), TO("o", id)) \
            STEP("2", "r", FROM("i", id), TO("o", other)))
    static const char *const texts[] = {
        ALGO("allgather", "2", GATHER("0", "1") GATHER("1", "0")),
        ALGO("reduce_scatter", "2", SCATTER("0", "1") SCATTER("1", "0")),
        ALGO("alltoall", "2", EXCHANGE("0", "1") EXCHANGE("1", "0")),
        ALGO("broadcast", "1",
             GPU("0", "1", "1", "1", STEP("0", "s", FROM("i", "0"), TO("o", "0")))
                 GPU("1", "0", "1", "1", STEP("0", "r", FROM("i", "0"), TO("o", "0")))),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int64_t chunk_bytes = 0; chunk_bytes <= 30; chunk_bytes += 15) {
            FILE *in = fmemopen((void *)(uintptr_t)texts[i], strlen(texts[i]), "r");
            assert_true(verify_msccl("a text", in, 80, chunk_bytes) > 0);
            fclose(in);
        }
}

static void an_algorithm_of_a_file__does_what_its_operation_promises(void **state)
{
    (void)state;
    static const char ring[] = "tests/traces/ring.xml", all_pairs[] = "workloads/all-pairs.xml";
    assert_int_equal(verify_file(ring, 400, 0), 4 * 6);
    assert_int_equal(verify_file(ring, 400, 30), 4 * 4 * 6); /* in 4 slices of 25 */
    assert_int_equal(verify_file(all_pairs, 400, 0), 4 * 6);
    assert_int_equal(verify_file(all_pairs, 400, 50), 4 * 6);         /* chunks of 50 */
    assert_int_equal(verify_file(all_pairs, 400, 20), 3 * 2 * 4 * 6); /* chunk by chunk */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm__does_what_its_operations_promise),
        cmocka_unit_test(every_algorithm__needs_one_slot_more_than_slices),
        cmocka_unit_test(every_algorithm__refuses_other_operations),
        cmocka_unit_test(every_operation__has_an_algorithm),
        cmocka_unit_test(an_algorithm_of_a_file__works_in_place),
        cmocka_unit_test(an_algorithm_of_a_file__does_what_its_operation_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
