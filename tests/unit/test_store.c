/* test_store.c - what jobs that train step by step read and write: bytes, closed forms, what they
 * share with collectives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "models/step/store.h"
#include "tests/unit/rig.h"

#define WIRE (4178.0 / 4096) /* RoCE framing */

/* Two servers of two GPUs with one NIC of 100 Gb/s each; storage over RDMA, a connection each. */
#define NODE                                                                                       \
    "node: {count: 2, gpus: 2, device: {bf16_tflops: 100, memory_rate: 1000GBps}}\n"               \
    "nic: {rate: 100Gbps}\n"
#define CLIENT "client: {kind: rdma, queue_pairs: 1, outstanding: 64}"

static void run(struct job *job, const char *line, const char *storage, const char *workload)
{
    char topology[800];
    snprintf(topology, sizeof topology, NODE "%s\nstorage: {server: {peers: 1}, " CLIENT "%s}\n",
             line, storage);
    job_run(job, topology, workload, NULL);
    assert_int_equal(job->stop, SIM_DONE);
}

/* A step of 100 ms on four GPUs: 16 samples; 40 MB of gradients; what else is wanted. */
#define CNN                                                                                        \
    "{kind: cnn, params: 10000000, global_batch: 16, sample_gflop: 2500, efficiency: 1, "          \
    "optimizer_bytes: 0, gradient_bytes: 4, "
#define STEP_S 0.1

static int64_t all_nodes(const struct job *job, const char *what)
{
    return (int64_t)(job_metric(job, "storage/client0", what) +
                     job_metric(job, "storage/client1", what));
}

static bool has(const struct job *job, const char *entity, const char *name)
{
    double value;
    return record_find(&job->record, entity, name, &value);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static void sync_checkpoint__takes_the_lines_time(void **state)
{
    (void)state;
    struct job job;
    run(&job, "wan: {rate: 20Gbps, rtt: 10ms}", "",
        CNN "checkpoint: {size: 1GB, every_steps: 2}, run: {steps: 4}}");
    /* 1 GB over 20 Gb/s, a round trip to open the file, and one for the last write */
    double took_s = job_run_metric(&job, "checkpoint_s");
    assert_near(took_s, 0.4 * WIRE + 2 * 0.010, 0.005);
    assert_near(job_run_metric(&job, "checkpoint_stall_s"), took_s, 0);
    assert_near(job_run_metric(&job, "checkpoint_cost_s"), took_s, 1e-9);
    assert_near(job_run_metric(&job, "quiet_step_s"), STEP_S, 0.03);
    assert_false(has(&job, "run", "storing_step_s"));
    assert_int_equal((int64_t)job_run_metric(&job, "checkpoints"), 2);
    assert_int_equal(all_nodes(&job, "written_bytes"), 2 * GB);
    assert_near((double)job_share(&job, "step 2", "data", NULL) / 1e12, took_s, 1e-6);
    assert_int_equal(job_share(&job, "step 3", "data", NULL), 0);
    job_free(&job);
}

static void sync_checkpoint__takes_the_servers_time(void **state)
{
    (void)state;
    struct job job;
    job_run(&job, NODE "wan: {rate: 400Gbps}\nstorage: {server: {rate: 2GBps}, " CLIENT "}\n",
            CNN "checkpoint: {size: 1GB, every_steps: 1}, run: {steps: 1}}", NULL);
    assert_near(job_run_metric(&job, "checkpoint_s"), 0.5, 0.01);
    job_free(&job);
}

static void async_checkpoint__hides_all_but_the_copy(void **state)
{
    (void)state;
    struct job job;
    run(&job, "wan: {rate: 20Gbps}", ", network: own",
        CNN "checkpoint: {size: 1GB, every_steps: 6, mode: async, snapshot_rate: 10GBps}, "
            "run: {steps: 12}}");
    double copy_s = 0.25 / 10; /* a quarter of a GB per GPU */
    assert_near(job_run_metric(&job, "checkpoint_stall_s"), copy_s, 1e-6);
    assert_near(job_run_metric(&job, "checkpoint_cost_s"), copy_s, 1e-6);
    assert_near(job_run_metric(&job, "checkpoint_s"), copy_s + 0.4 * WIRE, 0.01);
    assert_near(job_run_metric(&job, "storing_step_s"), job_run_metric(&job, "quiet_step_s"), 1e-9);
    assert_int_equal(all_nodes(&job, "written_bytes"), 2 * GB); /* the last one, too, is stored */
    job_free(&job);
}

static void async_checkpoint__waits_for_the_one_before(void **state)
{
    (void)state;
    struct job job;
    run(&job, "wan: {rate: 20Gbps}", ", network: own",
        CNN "checkpoint: {size: 1GB, every_steps: 1, mode: async, snapshot_rate: 10GBps}, "
            "run: {steps: 3}}");
    double copy_s = 0.25 / 10, store_s = 0.4 * WIRE;
    double first_s = copy_s, others_s = store_s - STEP_S + copy_s;
    assert_near(job_run_metric(&job, "checkpoint_stall_s"), (first_s + 2 * others_s) / 3, 0.03);
    assert_near(job_run_metric(&job, "checkpoint_s"), copy_s + store_s, 0.01);
    /* however few of the waits were seen: in the long run a step takes as long as storing */
    assert_near(job_run_metric(&job, "checkpoint_cost_s") + job_run_metric(&job, "quiet_step_s"),
                job_run_metric(&job, "checkpoint_s"), 1e-9);
    job_free(&job);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void estimate__slowest_of_the_way(void **state)
{
    (void)state;
    const struct shape shape = {.tensor = 1, .context = 1, .data = 4, .pipeline = 1, .expert = 1};
    const struct store_need need = {.sample_bytes = 1000, .samples = 8};
    struct store_cfg cfg = {
        .data = {.size_bytes = GB, .files = 1},
        .load = {.what = STORE_WEIGHTS, .per = STORE_PER_REPLICA, .size_bytes = GB},
        .checkpoint = {.every_steps = 3, .size_bytes = 2 * GB, .snapshot_bps = 1000}};
    struct store_way way = {.all_bps = 8e9, .node_bps = 8e9, .node_gpus = 2};
    struct store_times times = store_estimate(&cfg, &need, &shape, &way, 10);
    assert_near(times.load_s, 4, 1e-9); /* four replicas */
    assert_near(times.data_s, 8e4 / 1e9, 1e-12);
    assert_near(times.checkpoint_s, 3 * 2, 1e-9);
    way.node_bps = 1e9; /* two nodes */
    assert_near(store_estimate(&cfg, &need, &shape, &way, 10).load_s, 16, 1e-9);
    cfg.checkpoint.mode = CHECKPOINT_ASYNC; /* copies of 0.5 GB at 1 kbit/s */
    assert_near(store_estimate(&cfg, &need, &shape, &way, 10).checkpoint_s, 3 * (8 + 4e6), 1e-6);
}

static void fits__blocks_of_page_caches(void **state)
{
    (void)state;
    const struct shape shape = {.tensor = 1, .context = 1, .data = 4, .pipeline = 1, .expert = 1};
    const struct store_need need = {.sample_bytes = 1000, .samples = 8};
    struct store_cfg cfg = {.data = {.size_bytes = 5000000 * (int64_t)GB, .files = 1},
                            .load = {.what = STORE_WEIGHTS, .size_bytes = 4000000 * (int64_t)GB}};
    struct err err = {0};
    assert_true(store_fits(&cfg, &need, &shape, &err));
    cfg.load.size_bytes += 10000 * (int64_t)GB;
    assert_false(store_fits(&cfg, &need, &shape, &err));
    assert_non_null(strstr(err.messages[0], "C141"));
    err_free(&err);
}

static void checkpoint__size_follows_from_the_model(void **state)
{
    (void)state;
    static const char *const llm =
        "{kind: llm, model: {layers: 2, hidden: 512, heads: 8, ffn: 2048, vocab: 1000, "
        "sequence: 512}, training: {global_batch: 4%s}, parallel: {tensor: 2}, "
        "checkpoint: {every_steps: 1}, run: {steps: 1}}";
    const int64_t params = 2 * (4 * 512 * 512 + 3 * 512 * 2048) + 2 * 1000 * 512;
    char text[400];
    struct job job;
    snprintf(text, sizeof text, llm, "");
    run(&job, "", "", text);
    assert_int_equal((int64_t)job_run_metric(&job, "checkpoint_bytes"), 14 * params);
    assert_int_equal(all_nodes(&job, "written_bytes"), 14 * params);
    job_free(&job);
    snprintf(text, sizeof text, llm, ", adapter_params: 10000"); /* LoRA */
    run(&job, "", "", text);
    assert_int_equal(all_nodes(&job, "written_bytes"), 140000);
    job_free(&job);
    run(&job, "", "", CNN "checkpoint: {every_steps: 1}, run: {steps: 1}}");
    assert_int_equal(all_nodes(&job, "written_bytes"), 80000000);
    job_free(&job);
}

/* ---- samples and weights --------------------------------------------------------------------- */

static void data__is_read_once_per_pass(void **state)
{
    (void)state;
    struct job job; /* 5 steps x 16 samples of 1 MB: a whole number of passes */
    run(&job, "", "", CNN "data: {size: 40MB, files: 3, sample: 1MB}, run: {steps: 5}}");
    assert_int_equal(all_nodes(&job, "read_bytes"), 80 * MB);
    assert_near(job_metric(&job, "step", "data_bytes"), 4 * MB, 1e-9); /* of a GPU and step */
    assert_near(job_run_metric(&job, "step_s"), STEP_S, 0.03);
    job_free(&job);
}

static void data__slow_line_sets_the_step(void **state)
{
    (void)state;
    struct job job; /* 16 samples of 10 MB over 4 Gb/s: 0.32 s */
    run(&job, "wan: {rate: 4Gbps, rtt: 10ms}", "",
        CNN "data: {size: 100GB, files: 4, sample: 10MB}, run: {steps: 6}}");
    assert_near(job_run_metric(&job, "step_s"), 0.32 * WIRE, 0.02);
    /* a replica whose samples come first waits for the others */
    double waited_s = job_metric(&job, "step", "data_s") + job_metric(&job, "step", "skew_s");
    assert_near(waited_s, 0.32 * WIRE - STEP_S, 0.05);
    assert_true(job_metric(&job, "step", "data_s") > waited_s / 2);
    job_free(&job);
}

static void data__one_rank_reads_for_its_replica(void **state)
{
    (void)state;
    struct job job; /* two replicas of two GPUs; 5 steps x 4 sequences x 512 tokens x 4 B */
    run(&job, "", "",
        "{kind: llm, model: {layers: 2, hidden: 512, heads: 8, ffn: 2048, vocab: 1000, "
        "sequence: 512}, training: {global_batch: 4}, parallel: {tensor: 2}, "
        "data: {size: 40960B}, run: {steps: 5}}");
    assert_int_equal(all_nodes(&job, "read_bytes"), 40960);
    assert_near(job_metric(&job, "step", "data_bytes"), 4 * 512 * 4 / 4.0, 1e-9);
    job_free(&job);
}

static void load__once_or_per_replica(void **state)
{
    (void)state;
    static const char *const per[] = {"job", "replica"};
    for (int i = 0; i < 2; i++) {
        char text[300];
        struct job job;
        snprintf(text, sizeof text,
                 CNN "load: {what: weights, size: 1GB, per: %s}, run: {steps: 2}}", per[i]);
        run(&job, "wan: {rate: 20Gbps}", "", text);
        assert_int_equal(all_nodes(&job, "read_bytes"), i ? 4 * GB : GB);
        double load_s = job_run_metric(&job, "load_s");
        assert_near(load_s, (i ? 1.6 : 0.4) * WIRE, 0.01);
        assert_int_equal(job_phase(&job, "load")->read_bytes, i ? 4 * GB : GB);
        assert_near((double)job_phase(&job, "step 1")->start_ps / 1e12, load_s, 1e-9);
        assert_near(job_run_metric(&job, "step_s"), STEP_S, 0.03);
        job_free(&job);
    }
}

static void storage__none_is_wanted(void **state)
{
    (void)state;
    struct job job;
    run(&job, "", "", CNN "run: {steps: 2}}");
    assert_false(has(&job, "storage/client0", "read_bytes"));
    assert_false(has(&job, "run", "checkpoints"));
    assert_false(has(&job, "run", "quiet_step_s"));
    job_free(&job);
}

/* ---- what is shared -------------------------------------------------------------------------- */

/* Nothing but communication: all-reduces of 2 GB between two servers of one GPU, a checkpoint
 * stored meanwhile that outlasts them. */
static void run_beside(struct job *job, const char *network)
{
    char topology[500];
    snprintf(topology, sizeof topology,
             "node: {count: 2, gpus: 1, device: {bf16_tflops: 100, memory_rate: 1000GBps}}\n"
             "nic: {rate: 100Gbps}\nwan: {rate: 800Gbps}\n"
             "collectives: {channels: 1}\n"
             "storage: {server: {peers: 1}, network: %s, nic_rate: 100Gbps, " CLIENT "}\n",
             network);
    job_run(job, topology,
            "{kind: cnn, params: 500000000, global_batch: 2, sample_gflop: 1, efficiency: 1, "
            "gradient_bytes: 4, optimizer_bytes: 0, buckets: 1, run: {steps: 4}, "
            "checkpoint: {size: 40GB, every_steps: 3, mode: async, snapshot_rate: 1000Tbps}}",
            NULL);
    assert_int_equal(job->stop, SIM_DONE);
}

static void shared_nic__halves_what_collectives_get(void **state)
{
    (void)state;
    struct job shared, own;
    run_beside(&shared, "shared");
    run_beside(&own, "own");
    double quiet_s = job_run_metric(&own, "quiet_step_s");
    assert_true(quiet_s > 0.16 * WIRE); /* 2 GB at 100 Gb/s */
    assert_near(job_run_metric(&own, "storing_step_s"), quiet_s, 1e-9);
    assert_near(job_run_metric(&shared, "quiet_step_s"), quiet_s, 1e-9);
    /* half of the NIC: what is sent takes twice as long, what else a step takes stays */
    double slower_s = job_run_metric(&shared, "storing_step_s") - quiet_s;
    assert_near(slower_s, 0.16 * WIRE, 0.12);
    /* no byte is lost or carried twice: the checkpoint is late by what the step sent meanwhile */
    double late_s = job_run_metric(&shared, "checkpoint_s") - job_run_metric(&own, "checkpoint_s");
    assert_near(late_s, 0.16 * WIRE, 0.02);
    job_free(&shared);
    job_free(&own);
}

static void storage_nics__take_turns(void **state)
{
    (void)state;
    double took_s[2];
    for (int i = 0; i < 2; i++) {
        char topology[500];
        snprintf(topology, sizeof topology,
                 "node: {gpus: 4, device: {bf16_tflops: 100, memory_rate: 1000GBps}}\n"
                 "wan: {rate: 1600Gbps}\n"
                 "fabric: {kind: rail, nodes_per_unit: 1, rails: 4, leaves_per_unit: 4, spines: 1, "
                 "link_rate: 100Gbps, uplinks_per_pair: 4}\n"
                 "storage: {server: {nic_rate: 1600Gbps}, nics: %d, client: {kind: rdma}}\n",
                 i ? 4 : 1);
        struct job job;
        job_run(&job, topology, CNN "checkpoint: {size: 4GB, every_steps: 1}, run: {steps: 1}}",
                NULL);
        took_s[i] = job_run_metric(&job, "checkpoint_s");
        job_free(&job);
    }
    assert_near(took_s[0], 0.32 * WIRE, 0.02);
    assert_near(took_s[1], 0.08 * WIRE, 0.15);
}

static void copies__store_each_their_own(void **state)
{
    (void)state;
    struct job job;
    run(&job, "wan: {rate: 20Gbps}", "",
        CNN "checkpoint: {size: 1GB, every_steps: 1}, run: {steps: 1, copies: 2}}");
    assert_int_equal(all_nodes(&job, "written_bytes"), 2 * GB);
    for (int i = 0; i < 2; i++) /* they share the line */
        assert_near(job_metric(&job, i ? "job/1" : "job/0", "checkpoint_s"), 0.8 * WIRE, 0.02);
    job_free(&job);
}

static void fabrics__agree(void **state)
{
    (void)state;
    double took_s[2];
    for (int i = 0; i < 2; i++) {
        struct job job;
        run(&job,
            i ? "network: {model: packet, cc: {kind: none}}\nwan: {rate: 40Gbps, rtt: 100us}"
              : "wan: {rate: 40Gbps, rtt: 100us}",
            "", CNN "checkpoint: {size: 200MB, every_steps: 1}, run: {steps: 1}}");
        assert_int_equal(all_nodes(&job, "written_bytes"), 200 * MB);
        took_s[i] = job_run_metric(&job, "checkpoint_s");
        job_free(&job);
    }
    assert_near(took_s[1], took_s[0], 0.04);
}

static void runs__repeat_to_the_bit(void **state)
{
    (void)state;
    uint64_t print[2];
    for (int i = 0; i < 2; i++) {
        struct job job;
        run(&job, "wan: {rate: 20Gbps, rtt: 5ms}", "",
            CNN "checkpoint: {size: 1GB, every_steps: 2, mode: async}, run: {steps: 4}, "
                "data: {size: 1GB}, load: {what: checkpoint}}");
        print[i] = sim_fingerprint(job.sim);
        job_free(&job);
    }
    assert_true(print[0] == print[1]);
}

/* ---- results --------------------------------------------------------------------------------- */

static void time_to_train__counts_load_and_checkpoints(void **state)
{
    (void)state;
    struct job job;
    run(&job, "wan: {rate: 20Gbps}", "",
        "{kind: llm, model: {layers: 2, hidden: 512, heads: 8, ffn: 2048, vocab: 1000, "
        "sequence: 512}, training: {global_batch: 4, steps: 1000}, run: {steps: 4}, "
        "load: {what: checkpoint, size: 1GB}, checkpoint: {size: 1GB, every_steps: 3}}");
    double expected = job_run_metric(&job, "load_s") + 1000 * job_run_metric(&job, "quiet_step_s") +
                      333 * job_run_metric(&job, "checkpoint_cost_s");
    assert_near(job_run_metric(&job, "time_to_train_s"), expected, 1e-9);
    assert_near(job_run_metric(&job, "checkpoint_cost_s"), 0.4 * WIRE, 0.02);
    job_free(&job);
}

static void stuck__names_the_storage(void **state)
{
    (void)state;
    static const char *const work[][2] = {
        {CNN "checkpoint: {size: 1GB, every_steps: 1}, run: {steps: 1}}",
         "rank 0, stream compute, operation 7 (checkpoint) waits for storage"},
        {CNN "data: {size: 1GB}, run: {steps: 1}}",
         "rank 0, stream read, operation 0 (read) waits for storage"},
        {CNN "load: {what: weights}, run: {steps: 1}}",
         "the first step waits for storage: the model is being loaded"}};
    for (int i = 0; i < 3; i++) {
        struct job job;
        job_run(&job,
                NODE "faults: [{link: \"*>wan\", kind: down, at: 0s}]\n"
                     "storage: {server: {peers: 1}, " CLIENT "}\n",
                work[i][0], NULL);
        assert_int_equal(job.stop, SIM_IDLE);
        assert_non_null(strstr(job.record.message, work[i][1]));
        job_free(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_checkpoint__takes_the_lines_time),
        cmocka_unit_test(sync_checkpoint__takes_the_servers_time),
        cmocka_unit_test(async_checkpoint__hides_all_but_the_copy),
        cmocka_unit_test(async_checkpoint__waits_for_the_one_before),
        cmocka_unit_test(estimate__slowest_of_the_way),
        cmocka_unit_test(fits__blocks_of_page_caches),
        cmocka_unit_test(checkpoint__size_follows_from_the_model),
        cmocka_unit_test(data__is_read_once_per_pass),
        cmocka_unit_test(data__slow_line_sets_the_step),
        cmocka_unit_test(data__one_rank_reads_for_its_replica),
        cmocka_unit_test(load__once_or_per_replica),
        cmocka_unit_test(storage__none_is_wanted),
        cmocka_unit_test(shared_nic__halves_what_collectives_get),
        cmocka_unit_test(storage_nics__take_turns),
        cmocka_unit_test(copies__store_each_their_own),
        cmocka_unit_test(fabrics__agree),
        cmocka_unit_test(runs__repeat_to_the_bit),
        cmocka_unit_test(time_to_train__counts_load_and_checkpoints),
        cmocka_unit_test(stuck__names_the_storage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
