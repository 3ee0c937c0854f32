/* test_tuner.c - NCCL's choice: the worked table of the reference, and what each fact changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/coll/tuner.h"

#define GB 8000000000 /* bit/s of 1 GB/s */
#define NONE ((struct tuner_graph){0})

/* An all-reduce of H100 servers, as the reference assumes: 16 channels of 24 GB/s, Intel, no
 * in-network reduction. */
static struct tuner_facts hopper(int64_t bytes, int64_t gpus)
{
    const struct tuner_graph graph = {16, 24 * GB, 24 * GB, 0};
    return (struct tuner_facts){
        .op = COLL_ALL_REDUCE,
        .bytes = bytes,
        .nodes = gpus / 8,
        .ranks_per_node = 8,
        .generation = TUNER_HOPPER,
        .cpu = TUNER_INTEL,
        .graph = graph,
        .nvls = graph,
    };
}

static struct tuner_table choose(const struct tuner_facts *facts)
{
    struct tuner_table table;
    assert_true(tuner_choose(facts, &table));
    return table;
}

static double us(const struct tuner_table *table, enum tuner_algorithm a, enum coll_protocol p)
{
    return (double)table->time_ps[a][p] * 1e-6;
}

/* assert_us compares as the reference prints: to half a unit of its last digit. */
#define assert_us(got, expected, half)                                                             \
    assert_float_equal((float)(got), (float)(expected), (float)(half))

struct cell {
    int64_t bytes, gpus;
    enum tuner_algorithm algorithm;
    enum coll_protocol protocol;
    double us, half;
};

/* "178 MB" are the 44,564,480 parameters of LoRA in fp32. */
#define RESNET 51100000
#define LORA 178257920
static const struct cell worked[] = {
    {1 << 20, 8, TUNER_RING, COLL_LL, 28, .5},
    {1 << 20, 64, TUNER_TREE, COLL_LL128, 93, .5},
    {1 << 20, 256, TUNER_TREE, COLL_LL128, 127, .5},
    {1 << 20, 1024, TUNER_TREE, COLL_LL128, 161, .5},
    {RESNET, 8, TUNER_NVLS, COLL_SIMPLE, 258, .5},
    {RESNET, 64, TUNER_NVLS_TREE, COLL_SIMPLE, 412, .5},
    {RESNET, 256, TUNER_TREE, COLL_LL128, 459, .5},
    {RESNET, 1024, TUNER_TREE, COLL_LL128, 493, .5},
    {LORA, 8, TUNER_NVLS, COLL_SIMPLE, 837, .5},
    {LORA, 64, TUNER_NVLS_TREE, COLL_SIMPLE, 1064, .5},
    {LORA, 256, TUNER_NVLS_TREE, COLL_SIMPLE, 1159, .5},
    {LORA, 1024, TUNER_TREE, COLL_LL128, 1227, .5},
    {1 << 30, 8, TUNER_NVLS, COLL_SIMPLE, 4920, 5},
    {1 << 30, 64, TUNER_NVLS_TREE, COLL_SIMPLE, 5660, 5},
    {1 << 30, 256, TUNER_NVLS_TREE, COLL_SIMPLE, 5800, 5},
    {1 << 30, 1024, TUNER_NVLS_TREE, COLL_SIMPLE, 5900, 5},
};

static void choose__worked_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof worked / sizeof *worked; i++) {
        const struct cell *cell = &worked[i];
        struct tuner_facts facts = hopper(cell->bytes, cell->gpus);
        struct tuner_table table = choose(&facts);
        assert_int_equal(table.algorithm, cell->algorithm);
        assert_int_equal(table.protocol, cell->protocol);
        assert_us(us(&table, cell->algorithm, cell->protocol), cell->us, cell->half);
    }
}

/* Ring is beaten everywhere above 8 GPUs: by 9.6 at 1024 GPUs and 51 MB. */
static void choose__ring_is_beaten(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 30, 64);
    struct tuner_table table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE), 6320, 5);
    facts = hopper(RESNET, 1024);
    table = choose(&facts);
    double least = us(&table, TUNER_RING, COLL_LL128);
    assert_true(least > 4700 && us(&table, TUNER_RING, COLL_SIMPLE) > least &&
                us(&table, TUNER_RING, COLL_LL) > least);
    assert_us(least / us(&table, table.algorithm, table.protocol), 9.6, .05);
}

static void choose__ties_without_nvls(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 30, 64);
    facts.nvls = NONE;
    struct tuner_table table = choose(&facts);
    assert_us(us(&table, TUNER_TREE, COLL_SIMPLE), 6230, 5);
    assert_us(us(&table, TUNER_RING, COLL_LL128), 6270, 5);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE), 6320, 5);
    assert_int_equal(table.algorithm, TUNER_TREE);
    facts.nodes = 2;
    table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE), 5430, 5);
    assert_us(us(&table, TUNER_TREE, COLL_SIMPLE), 6170, 5);
    assert_int_equal(table.algorithm, TUNER_RING);
}

/* Which pairs are there: -1 elsewhere. */
static void choose__what_is_not_used(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 20, 8);
    struct tuner_table table = choose(&facts);
    assert_true(table.time_ps[TUNER_NVLS][COLL_SIMPLE] > 0);
    assert_int_equal(table.time_ps[TUNER_NVLS][COLL_LL], -1);
    assert_int_equal(table.time_ps[TUNER_NVLS_TREE][COLL_SIMPLE], -1); /* one node */
    assert_int_equal(table.time_ps[TUNER_PAT][COLL_SIMPLE], -1);
    facts.nodes = 2;
    table = choose(&facts);
    assert_int_equal(table.time_ps[TUNER_NVLS][COLL_SIMPLE], -1); /* two nodes */
    assert_true(table.time_ps[TUNER_NVLS_TREE][COLL_SIMPLE] > 0);
    facts.ranks_per_node = 1; /* an NVSwitch needs two */
    assert_int_equal(choose(&facts).time_ps[TUNER_NVLS_TREE][COLL_SIMPLE], -1);
    facts.ranks_per_node = 2;
    assert_true(choose(&facts).time_ps[TUNER_NVLS_TREE][COLL_SIMPLE] > 0);
    facts.version = TUNER_NCCL_2_20; /* which wants three */
    assert_int_equal(choose(&facts).time_ps[TUNER_NVLS_TREE][COLL_SIMPLE], -1);
    facts.ranks_per_node = 3;
    assert_true(choose(&facts).time_ps[TUNER_NVLS_TREE][COLL_SIMPLE] > 0);
    facts = hopper(1 << 20, 8);
    facts.nvls.channels = 1;
    facts.generation = TUNER_AMPERE;
    table = choose(&facts);
    assert_int_equal(table.time_ps[TUNER_NVLS][COLL_SIMPLE], -1);
    facts.nvls.channels = 16;
    table = choose(&facts);
    assert_int_equal(table.time_ps[TUNER_NVLS][COLL_SIMPLE], -1); /* no NVLS before Hopper */
}

static void choose__nothing_to_choose(void **state)
{
    (void)state;
    struct tuner_table table;
    struct tuner_facts facts = hopper(1 << 20, 8);
    facts.op = COLL_ALL_TO_ALL;
    assert_false(tuner_choose(&facts, &table));
    facts.op = COLL_SEND_RECV;
    assert_false(tuner_choose(&facts, &table));
    facts = hopper(1 << 20, 8);
    facts.ranks_per_node = 1;
    assert_false(tuner_choose(&facts, &table));
    facts = hopper(1 << 20, 8);
    facts.graph = facts.nvls = NONE;
    assert_false(tuner_choose(&facts, &table));
    facts = hopper(1 << 20, 8);
    facts.generation = TUNER_GENERATIONS;
    assert_false(tuner_choose(&facts, &table));
    assert_int_equal(table.time_ps[TUNER_RING][COLL_SIMPLE], -1);
}

/* Latencies by hand: 8 bytes cost nothing in bandwidth. */
static void choose__latencies(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(8, 64);
    struct tuner_table table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_LL), 6.6 + 112 * 1 + 14 * 2.7, .01);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE), 8.4 + 112 * 3.4 + 14 * 14, .01);
    assert_us(us(&table, TUNER_TREE, COLL_LL), 6.8 + 2 * (7 * .6 + 3 * 5), .01);
    assert_us(us(&table, TUNER_NVLS_TREE, COLL_SIMPLE), 25 + 6 * 20.9, .01);
    facts.cpu = TUNER_AMD;
    facts.graph.latency_inter_ps = 1000000;
    facts.nvls.latency_inter_ps = 1000000;
    table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_LL), 6.6 + 112 * 2 + 14 * 3.7, .01);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE), 8.4 + 112 * 6 + 14 * 16, .01);
    assert_us(us(&table, TUNER_TREE, COLL_LL), 6.8 + 2 * (7 * .6 + 3 * 6), .01);
    assert_us(us(&table, TUNER_NVLS_TREE, COLL_SIMPLE), 25 + 6 * 22.9, .01);
}

/* The plateau of rings begins at 64 bytes per rank and channel, and is higher before Ampere. */
static void choose__plateau(void **state)
{
    (void)state;
    const int64_t edge = 64 * 16 * 64;
    const double lat = 8.4 + 112 * 3.4 + 14 * 14;
    struct tuner_facts facts = hopper(edge - 1, 64);
    struct tuner_table below = choose(&facts);
    facts.bytes = edge;
    struct tuner_table at = choose(&facts);
    assert_us(us(&at, TUNER_RING, COLL_SIMPLE) - us(&below, TUNER_RING, COLL_SIMPLE), .4 * lat,
              .01);
    facts.generation = TUNER_VOLTA;
    at = choose(&facts);
    assert_us(us(&at, TUNER_RING, COLL_SIMPLE) - us(&below, TUNER_RING, COLL_SIMPLE), .9 * lat,
              .01);
}

/* A ring has one rate inside nodes and between them; trees may have two. */
static void choose__rings_are_as_fast_as_nics(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 30, 16);
    struct tuner_table fast = choose(&facts);
    facts.ring_bps = 48 * GB;
    struct tuner_table slow = choose(&facts);
    double us_fast = (1 << 30) / (384e3 * 16 / 30), us_slow = (1 << 30) / (48e3 * 16 / 30);
    assert_us(us(&slow, TUNER_RING, COLL_SIMPLE) - us(&fast, TUNER_RING, COLL_SIMPLE),
              us_slow - us_fast, .01);
    assert_int_equal(slow.time_ps[TUNER_TREE][COLL_SIMPLE], fast.time_ps[TUNER_TREE][COLL_SIMPLE]);
}

/* The last class of sizes with a factor for trees is 22: 256 MiB up to 512 MiB. */
static void choose__tree_factor_ends(void **state)
{
    (void)state;
    const double lat = 8.4 + 14 * 4, gb = 16 * 24 * .92 / 2;
    struct tuner_facts facts = hopper((1 << 29) - 1, 8);
    struct tuner_table below = choose(&facts);
    facts.bytes = 1 << 29;
    struct tuner_table above = choose(&facts);
    assert_us(us(&below, TUNER_TREE, COLL_SIMPLE), lat + (1 << 29) / (1000 * gb * .9), .1);
    assert_us(us(&above, TUNER_TREE, COLL_SIMPLE), lat + (1 << 29) / (1000 * gb), .1);
}

/* Blackwell corrects NVLSTree like a tree, unless the host is a Grace. */
static void choose__blackwell(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 26, 64); /* class 20: factor 0.8 */
    facts.generation = TUNER_BLACKWELL;
    facts.nvls = (struct tuner_graph){32, 24 * GB, 24 * GB, 0};
    struct tuner_table x86 = choose(&facts);
    facts.cpu = TUNER_ARM;
    struct tuner_table arm = choose(&facts);
    const double lat = 25 + 6 * 20.9;
    double slow = us(&x86, TUNER_NVLS_TREE, COLL_SIMPLE) - lat;
    double fast = us(&arm, TUNER_NVLS_TREE, COLL_SIMPLE) - lat;
    assert_us(fast / slow, .8, 1e-6);
    assert_us(fast, (1 << 26) / (1000 * 32 * 24 * 64.0 / 126), .01);
}

/* Gathers: rings move each byte once, NVLS all but a rank's own; PAT with one GPU per node. */
static void choose__gathers(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 30, 8);
    facts.op = COLL_ALL_GATHER;
    struct tuner_table table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE),
              8.4 + 7 * 3.4 + (1 << 30) / (1000 * 16 * 24 * 8.0 / 7), .01);
    assert_us(us(&table, TUNER_NVLS, COLL_SIMPLE),
              25 + (1 << 30) / (1000 * 16 * (24 * .85 * 15 / 16 * 7 / 8)), .1);
    assert_int_equal(table.time_ps[TUNER_TREE][COLL_SIMPLE], -1);
    facts = hopper(1 << 20, 64);
    facts.op = COLL_REDUCE_SCATTER;
    facts.nodes = 64;
    facts.ranks_per_node = 1;
    table = choose(&facts);
    assert_us(us(&table, TUNER_PAT, COLL_SIMPLE),
              8 + 6 * 14 / 3.5 + 64 * 2.8 + (1 << 20) / (1000 * 16 * 24 * .75), .01);
}

static void choose__broadcast(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(8, 64);
    facts.op = COLL_BROADCAST;
    struct tuner_table table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_LL), 6.6 + 64 * 2.7, .01);
    assert_int_equal(table.algorithm, TUNER_RING);
    facts.bytes = 1 << 30; /* each byte passes each link once */
    table = choose(&facts);
    assert_us(us(&table, TUNER_RING, COLL_SIMPLE), 8.4 + 64 * 14 + (1 << 30) / (1000 * 16 * 24.0),
              .01);
}

/* NCCL 2.20 lets a ring of two nodes cross the network four times: with 75 us told it is a tree
 * that carries 32 MiB, where 2.30 takes the ring. */
static void choose__of_2_20(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 25, 16);
    const double mib32 = 1 << 25, told = 75;
    facts.graph.latency_inter_ps = facts.nvls.latency_inter_ps = 75000000;
    assert_int_equal(choose(&facts).algorithm, TUNER_RING);
    facts.version = TUNER_NCCL_2_20;
    struct tuner_table table = choose(&facts);
    assert_int_equal(table.algorithm, TUNER_TREE);
    assert_int_equal(table.protocol, COLL_LL128);
    assert_us(us(&table, TUNER_RING, COLL_LL128),
              14 + 26 * 1.9 + 4 * (4 + told) + mib32 / (1000 * 16 * 24 * .92 * 16 / 30), .01);
    assert_us(us(&table, TUNER_TREE, COLL_SIMPLE),
              2 * (7 * 28 + 28 + 2 * told) + mib32 / (1000 * 16 * 24 * .92 / 2 * .7), .01);
    assert_us(us(&table, TUNER_NVLS_TREE, COLL_SIMPLE),
              25 + 2 * (14 + 2 * told) + mib32 / (1000 * 16 * 24 * 5.0 / 6), .01);
    facts.bytes = 1 << 26; /* the next size is NVLSTree's */
    assert_int_equal(choose(&facts).algorithm, TUNER_NVLS_TREE);
}

/* Over more nodes NVLSTree has half its NICs; with one GPU each, rings by LL128 lose a part and PAT
 * is not there; Blackwell is a Hopper. */
static void choose__of_2_20_at_scale(void **state)
{
    (void)state;
    struct tuner_facts facts = hopper(1 << 25, 64);
    facts.version = TUNER_NCCL_2_20;
    struct tuner_table table = choose(&facts);
    double lat = 25 + 6 * 14, time = us(&table, TUNER_NVLS_TREE, COLL_SIMPLE);
    assert_us(time - lat, (1 << 25) / (1000 * 16 * 12 * 5.0 / 6), .01);
    facts.generation = TUNER_BLACKWELL;
    table = choose(&facts);
    assert_us(us(&table, TUNER_NVLS_TREE, COLL_SIMPLE), time, .01);
    facts = hopper(1 << 20, 64);
    facts.op = COLL_ALL_GATHER;
    facts.nodes = 64;
    facts.ranks_per_node = 1;
    assert_true(choose(&facts).time_ps[TUNER_PAT][COLL_SIMPLE] > 0);
    facts.version = TUNER_NCCL_2_20;
    table = choose(&facts);
    assert_int_equal(table.time_ps[TUNER_PAT][COLL_SIMPLE], -1);
    assert_us(us(&table, TUNER_RING, COLL_LL128),
              14 + 63 * 4 + (1 << 20) / (1000 * 16 * 24 * .7 * 64 / 63), .01);
}

static void name__of_algorithms(void **state)
{
    (void)state;
    assert_string_equal(tuner_algorithm_name(TUNER_NVLS_TREE), "nvls_tree");
    assert_string_equal(tuner_algorithm_name(TUNER_PAT), "pat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choose__worked_table),
        cmocka_unit_test(choose__ring_is_beaten),
        cmocka_unit_test(choose__ties_without_nvls),
        cmocka_unit_test(choose__what_is_not_used),
        cmocka_unit_test(choose__nothing_to_choose),
        cmocka_unit_test(choose__latencies),
        cmocka_unit_test(choose__plateau),
        cmocka_unit_test(choose__rings_are_as_fast_as_nics),
        cmocka_unit_test(choose__tree_factor_ends),
        cmocka_unit_test(choose__blackwell),
        cmocka_unit_test(choose__gathers),
        cmocka_unit_test(choose__broadcast),
        cmocka_unit_test(choose__of_2_20),
        cmocka_unit_test(choose__of_2_20_at_scale),
        cmocka_unit_test(name__of_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
