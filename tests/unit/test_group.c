/* test_group.c - a collective of a step's group is the one that the workload kind `collective`
 * runs: the same choice, the same time to the picosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/cluster/collective.h"
#include "models/step/exec.h"
#include "models/step/group.h"
#include "tests/unit/cluster_rig.h"
#include "tests/unit/rig.h"

enum { GPUS = 4, NODES = 3, RANKS = GPUS * NODES };

/* struct software: what collectives go by, of a topology's section and of a device. */
struct software {
    struct arena arena;
    struct collective_facts facts;
    struct device_facts device;
};

static void software_open(struct software *software, const char *section, bool hopper)
{
    *software =
        (struct software){.device = {.generation = hopper ? TUNER_HOPPER : TUNER_GENERATIONS,
                                     .in_switch_reduction = hopper}};
    rig_bind(&software->arena, &collective_facts_schema, section, &software->facts);
}

static void nodes_open(struct cluster_rig *rig, int64_t ports)
{
    cluster_rig_open(rig, &(struct cluster_rig_cfg){.nodes = NODES, .gpus = GPUS, .ports = ports});
}

/* ---- the two ways ---------------------------------------------------------------------------- */

static int64_t alone_ps(const struct software *software, int64_t ports,
                        const struct collective_cfg *cfg)
{
    struct cluster_rig rig;
    nodes_open(&rig, ports);
    struct collective *collective = collective_new(
        cfg, &(struct collective_site){
                 .cluster = rig.cluster, .facts = &software->facts, .device = &software->device});
    collective_start(collective);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){0}), SIM_DONE);
    int64_t end_ps = sim_now_ps(rig.sim);
    cluster_rig_close(&rig);
    return end_ps;
}

/* struct one: a program in which every rank calls one collective of all. */
struct one {
    struct exec_program program;
    struct exec_op op;
};

static enum exec_next next(struct exec_program *self, int32_t rank, int32_t stream, int64_t index,
                           struct exec_op *op)
{
    (void)stream;
    if (index > 0) return EXEC_END;
    *op = ((const struct one *)(const void *)self)->op;
    op->member = rank;
    return EXEC_OP;
}

static const struct exec_program_ops one_ops = {.next = next};

static void done(struct exec *exec, void *owner)
{
    (void)owner;
    sim_finish(exec_sim(exec));
}

static int64_t in_step_ps(const struct software *software, int64_t ports,
                          const struct collective_cfg *cfg)
{
    static const char *const names[] = {"only", NULL};
    int32_t ranks[RANKS];
    const struct exec_group all = {.rank = ranks, .n = RANKS};
    struct one one = {.program.ops = &one_ops, .op = EXEC_OP_NONE};
    struct cluster_rig rig;
    for (int32_t r = 0; r < RANKS; r++)
        ranks[r] = r;
    one.op.kind = EXEC_COLLECTIVE;
    one.op.op = (enum coll_op)cfg->op;
    one.op.bytes = cfg->bytes;
    nodes_open(&rig, ports);
    struct exec *exec = exec_new(&(struct exec_cfg){.cluster = rig.cluster,
                                                    .facts = &software->facts,
                                                    .device = &software->device,
                                                    .program = &one.program,
                                                    .ranks = RANKS,
                                                    .streams = 1,
                                                    .group = &all,
                                                    .group_n = 1,
                                                    .stream_names = names,
                                                    .done = done});
    exec_start(exec);
    assert_int_equal(sim_run(rig.sim, &(struct sim_limits){0}), SIM_DONE);
    int64_t end_ps = sim_now_ps(rig.sim);
    cluster_rig_close(&rig);
    return end_ps;
}

/* All operations, sizes from a few bytes to many chunks of every channel. */
static void expect_same(const char *section, bool hopper, int64_t ports)
{
    static const int64_t sizes[] = {8, 100000, 1000000, 32000000};
    struct software software;
    software_open(&software, section, hopper);
    for (int op = 0; op < COLL_OPS; op++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const struct collective_cfg cfg = {.op = op, .bytes = sizes[s]};
            int64_t step_ps = in_step_ps(&software, ports, &cfg);
            assert_true(step_ps > 0);
            assert_int_equal(step_ps, alone_ps(&software, ports, &cfg));
        }
    arena_free(&software.arena);
}

static void group_plan__takes_as_long_as_the_collective(void **state)
{
    (void)state;
    expect_same(NULL, true, GPUS);
    expect_same(NULL, false, GPUS / 2);
}

/* Facts that cost time, or that the tuner goes by: each must come through on either way. */
static void group_plan__knows_every_fact_of_the_software(void **state)
{
    (void)state;
    expect_same("nic_latency: 20us, nic_latency_told: 75us", true, GPUS);
    expect_same("nvls_chunk: 512KiB, chunk: 4MiB, slots: 4", true, GPUS);
    expect_same("simple: {channel_rate: 50MBps}, ll: {channel_rate: 20MBps}", true, GPUS);
    expect_same("simple_share: 1MiB, ll_share: 64KiB, channels: 6", true, GPUS);
    expect_same("nccl: 2.20, protocol: simple", true, GPUS);
    expect_same("ll_bytes: 10KB, ll128_bytes: 1MB", false, GPUS);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static struct coll_ask ask_of(struct cluster_rig *rig, const int32_t *gpu, int32_t n)
{
    struct software software;
    struct coll_plan plan;
    struct group_made made;
    software_open(&software, NULL, true);
    const struct group_site site = {.cluster = rig->cluster,
                                    .facts = &software.facts,
                                    .device = &software.device,
                                    .gpu = gpu,
                                    .n = n};
    assert_null(group_plan(&site, &(struct group_ask){.op = COLL_ALL_REDUCE, .bytes = 64 * MiB},
                           &plan, &made));
    arena_free(&software.arena);
    return plan.ask;
}

/* One GPU of each node has two channels for its NIC; a domain by itself has all of its own. */
static void group_plan__channels_go_by_the_group(void **state)
{
    (void)state;
    struct cluster_rig rig;
    static const int32_t rail[] = {1, 5, 9}, pairs[] = {0, 1, 4, 5, 8, 9}, odd[] = {0, 1, 4, 8, 9},
                         tensor[] = {2, 3};
    nodes_open(&rig, GPUS);
    struct coll_ask ask = ask_of(&rig, rail, 3);
    assert_int_equal(ask.local, 1);
    assert_int_equal(ask.channels, 2);
    ask = ask_of(&rig, pairs, 6);
    assert_int_equal(ask.local, 2);
    assert_int_equal(ask.channels, 4);
    assert_int_equal(ask_of(&rig, odd, 5).local, 1); /* domains of different sizes */
    ask = ask_of(&rig, tensor, 2);
    assert_int_equal(ask.local, 2);
    assert_int_equal(ask.channels, 8);
    cluster_rig_close(&rig);
}

/* Domains with 8 and 4 GPUs are as three of 4: each ring crosses the network twice, by 4 NICs; with
 * 4 and 3 the only divisor is 1. */
static void group_plan__uneven_domains_have_a_divisor(void **state)
{
    (void)state;
    struct cluster_rig rig;
    cluster_rig_open(&rig, &(struct cluster_rig_cfg){.nodes = 3, .gpus = 8, .ports = 8});
    struct coll_ask ask = ask_of(&rig, NULL, 12);
    assert_int_equal(ask.local, 4);
    assert_int_equal(ask.channels, 8);
    assert_int_equal(ask_of(&rig, NULL, 20).local, 4);
    assert_int_equal(ask_of(&rig, NULL, 22).local, 2);
    assert_int_equal(ask_of(&rig, NULL, 15).local, 1);
    assert_int_equal(ask_of(&rig, NULL, 24).local, 8);
    cluster_rig_close(&rig);
}

/* Four ports for each GPU have two channels each, as far as there are channels. */
static void group_plan__channels_go_by_the_ports(void **state)
{
    (void)state;
    struct cluster_rig rig;
    static const int32_t rail[] = {1, 5, 9};
    nodes_open(&rig, 4 * GPUS);
    assert_int_equal(ask_of(&rig, rail, 3).channels, 8);
    assert_int_equal(ask_of(&rig, NULL, RANKS).channels, 32);
    assert_int_equal(ask_of(&rig, NULL, GPUS).channels, 8); /* a node by itself */
    cluster_rig_close(&rig);
}

/* expect_plans: whatever is chosen for so many GPUs of each node can be planned. */
static void expect_plans(struct cluster_rig *rig, const struct software *software, int32_t n,
                         int32_t each)
{
    static const int64_t sizes[] = {8, 1000000, 300000000};
    int32_t gpu[64];
    for (int32_t r = 0; r < n; r++)
        gpu[r] = r / each * 8 + r % each;
    const struct group_site site = {.cluster = rig->cluster,
                                    .facts = &software->facts,
                                    .device = &software->device,
                                    .gpu = gpu,
                                    .n = n};
    for (int op = 0; op < COLL_OPS; op++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct coll_plan plan;
            struct group_made made;
            const char *wrong =
                group_plan(&site, &(struct group_ask){.op = (enum coll_op)op, .bytes = sizes[s]},
                           &plan, &made);
            if (wrong)
                fail_msg("%s of %d, %d a node: %s", coll_op_names[op], (int)n, (int)each, wrong);
        }
}

static void group_plan__what_is_chosen_can_run(void **state)
{
    (void)state;
    static const int generations[] = {TUNER_HOPPER, TUNER_BLACKWELL, TUNER_GENERATIONS};
    static const char *const versions[] = {NULL, "nccl: 2.20"};
    for (int v = 0; v < 2; v++) {
        struct cluster_rig rig;
        struct software software;
        cluster_rig_open(&rig, &(struct cluster_rig_cfg){.nodes = 64, .gpus = 8, .ports = 8});
        software_open(&software, versions[v], true);
        for (size_t g = 0; g < sizeof generations / sizeof *generations; g++) {
            software.device.generation = generations[g];
            for (int32_t each = 1; each <= 8; each++)
                for (int32_t n = 2; n <= 64; n++)
                    expect_plans(&rig, &software, n, each);
        }
        arena_free(&software.arena);
        cluster_rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_plan__takes_as_long_as_the_collective),
        cmocka_unit_test(group_plan__knows_every_fact_of_the_software),
        cmocka_unit_test(group_plan__channels_go_by_the_group),
        cmocka_unit_test(group_plan__uneven_domains_have_a_divisor),
        cmocka_unit_test(group_plan__channels_go_by_the_ports),
        cmocka_unit_test(group_plan__what_is_chosen_can_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
