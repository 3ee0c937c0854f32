/* test_flows_read.c - files of flows: what is read, and where the mistakes are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/work/flows_live.h"
#include "tests/unit/flows_rig.h"

enum kind { HPCC, HTSIM, SIZES };

struct reading {
    struct arena arena;
    struct err err;
    struct flows_plan plan;
    struct flows_sizes sizes;
    bool ok;
};

static void read_text(struct reading *reading, enum kind kind, const char *text, int64_t endpoints)
{
    *reading = (struct reading){0};
    struct flows_read *read = ARENA_NEW(&reading->arena, struct flows_read);
    *read = (struct flows_read){.file = "perm",
                                .arena = &reading->arena,
                                .err = &reading->err,
                                .endpoints = endpoints,
                                .unit = kind == HPCC ? FLOWS_S : FLOWS_PS,
                                .plan = &reading->plan};
    read->in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(read->in);
    if (kind == HPCC) reading->ok = flows_read_hpcc(read);
    if (kind == HTSIM) reading->ok = flows_read_htsim(read);
    if (kind == SIZES) reading->ok = flows_sizes_read(read, &reading->sizes);
    fclose(read->in);
}

static void done(struct reading *reading)
{
    err_free(&reading->err);
    arena_free(&reading->arena);
}

/* refused: text is not read, and the only error says so. */
static void refused(enum kind kind, const char *text, const char *expected)
{
    struct reading reading;
    read_text(&reading, kind, text, 16);
    assert_false(reading.ok);
    assert_int_equal(reading.err.count, 1);
    if (!strstr(reading.err.messages[0], expected))
        fail_msg("'%s' gave '%s', not '%s'", text, reading.err.messages[0], expected);
    done(&reading);
}

/* The column PG is the class where there are several, and means nothing where there is one. */
static void hpcc__classes(void **state)
{
    (void)state;
    static const struct {
        int64_t classes;
        int group, class_; /* -1: refused */
    } cases[] = {{0, 3, 0}, {1, 3, 0}, {2, 0, 0}, {2, 1, 1}, {2, 2, -1}, {8, 7, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flows_rig rig;
        flows_rig_open(&rig, "pattern: ring, size: 8B", 4, 1);
        char text[64];
        snprintf(text, sizeof text, "1\n0 1 %d 100 5 0\n", cases[i].group);
        const char *file = flows_rig_file(&rig.arena, text);
        struct flows_cfg cfg = {.file = file, .sizes = "", .queue_pairs = 1, .stride = 1};
        struct flows_loaded loaded = {0};
        struct err err = {0};
        rig.hosts.classes = cases[i].classes;
        bool ok = flows_live_load(&cfg, &rig.hosts, &loaded, &rig.arena, &err);
        assert_int_equal(ok, cases[i].class_ >= 0);
        if (ok) assert_int_equal(loaded.plan.item[0].traffic_class, cases[i].class_);
        if (!ok) assert_non_null(strstr(err.messages[0], ":2:5: error: priority group 2, but"));
        unlink(file);
        err_free(&err);
        flows_rig_close(&rig);
    }
}

static void hpcc__reads_columns_comments_and_blanks(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, HPCC,
              "# a comment\n 2 \r\n\n0 15 3 100 900719925474 2.000000001\r\n"
              "\t3  4 3 100 1 .5 # no comment here\n",
              0);
    assert_false(reading.ok); /* '#' is an id here, and none */
    assert_non_null(strstr(reading.err.messages[0], "perm:5:18: error: '#' is not an id"));
    done(&reading);
    read_text(&reading, HPCC, "2\n0 15 3 100 9007199254740 2.000000001\n3 4 3 100 1 .5", 0);
    assert_true(reading.ok);
    assert_int_equal(reading.plan.n, 2);
    assert_int_equal(reading.plan.item[0].bytes, 9007199254740);
    assert_int_equal(reading.plan.item[0].start_ps, INT64_C(2000000001000));
    assert_int_equal(reading.plan.item[0].dst, 15);
    assert_int_equal(reading.plan.item[1].start_ps, INT64_C(500000000000));
    assert_int_equal(reading.plan.item[1].trigger, -1);
    done(&reading);
}

static void hpcc__mistakes(void **state)
{
    (void)state;
    refused(HPCC, "\n", "perm:1:1: error: an empty file");
    refused(HPCC, "x\n", "perm:1:1: error: 'x' is not a number of flows");
    refused(HPCC, "1 2\n", "perm:1:3: error: '2' is one word too many");
    refused(HPCC, "0\n", "perm:1:1: error: 0 is not a number of flows from 1 to 10000000");
    refused(HPCC, "99999999999999999999\n", "is not a number of flows from 1");
    refused(HPCC, "1\n", "0 flows, but the first line says 1");
    refused(HPCC, "1\n0 1 3 100 5 0\n1 2 3 100 5 0\n", "perm:3:1: error: one flow more than");
    refused(HPCC, "1\n0\n", "perm:2:2: error: missing: the destination");
    refused(HPCC, "1\n0 16 3 100 5 0\n", "perm:2:3: error: 16 is not an endpoint from 0 to 15");
    refused(HPCC, "1\n-1 2 3 100 5 0\n", "perm:2:1: error: -1 is not an endpoint");
    refused(HPCC, "1\n2 2 3 100 5 0\n", "perm:2:3: error: source and destination are the same");
    refused(HPCC, "1\n0 1 8 100 5 0\n", "perm:2:5: error: 8 is not a priority group");
    refused(HPCC, "1\n0 1 3 70000 5 0\n", "perm:2:7: error: 70000 is not a port number");
    refused(HPCC, "1\n0 1 3 100 0 0\n", "perm:2:11: error: 0 is not a size in bytes");
    refused(HPCC, "1\n0 1 3 100 1e6 0\n", "perm:2:11: error: '1e6' is not a size in bytes");
    refused(HPCC, "1\n0 1 3 100 5\n", "perm:2:12: error: missing: a start time");
    refused(HPCC, "1\n0 1 3 100 5 5ms\n", "perm:2:13: error: '5ms' is not a start time in s");
    refused(HPCC, "1\n0 1 3 100 5 -1\n", "'-1' is not a start time in s");
    refused(HPCC, "1\n0 1 3 100 5 nan\n", "'nan' is not a start time in s");
    refused(HPCC, "1\n0 1 3 100 5 1e30\n", "'1e30' is not a start time in s");
    refused(HPCC, "1\n0 1 3 100 5 0 1\n", "perm:2:16: error: missing: an id, or -1");
    refused(HPCC, "1\n0 1 3 100 5 0 1 -1 7\n", "perm:2:20: error: '7' is one word too many");
    refused(HPCC, "1\n0 1 3 100 5 0 1 1\n", "a flow cannot follow itself");
    refused(HPCC, "1\n0 1 3 100 5 0 1 2\n", "perm:2:1: error: flow 2 shall follow, but no flow");
    refused(HPCC, "2\n0 1 3 100 5 0 1 -1\n0 1 3 100 5 0 1 -1\n",
            "perm:3:15: error: id 1 is that of line 2, too");
    refused(HPCC, "2\n0 1 3 100 5 0 1 2\n0 1 3 100 5 0 2 1\n",
            "perm:2:1: error: this flow never starts");
    refused(HPCC, "1\n0 1 3 \x01 5 0\n", "perm:2:7: error: a byte that is no printable ASCII");
}

static void hpcc__long_line(void **state)
{
    (void)state;
    char text[3000];
    memset(text, ' ', sizeof text);
    text[sizeof text - 1] = 0;
    refused(HPCC, text, "perm:1:1024: error: the line is too long");
}

static void hpcc__many_dependencies(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct reading reading;
    enum { N = 3000 };
    char *text = arena_alloc(&arena, N * 64), *at = text;
    at += sprintf(at, "%d\n", N);
    for (int64_t i = 0; i < N; i++) /* a chain in the order of scattered ids */
        at += sprintf(at, "%d %d 3 100 5 0 %lld %lld\n", (int)(i % 16), (int)((i + 1) % 16),
                      (long long)(i * INT64_C(1000003)),
                      i + 1 < N ? (long long)((i + 1) * INT64_C(1000003)) : -1LL);
    read_text(&reading, HPCC, text, 16);
    assert_true(reading.ok);
    assert_int_equal(reading.plan.n, N);
    for (int i = 1; i < N; i++) {
        const struct flows_item *item = &reading.plan.item[i];
        assert_int_equal(item->trigger, reading.plan.item[i - 1].on_arrived);
        assert_int_equal(reading.plan.trigger[item->trigger].first, i);
    }
    done(&reading);
    arena_free(&arena);
}

#define HEAD "Nodes 8\nConnections 1\n"

static void htsim__mistakes(void **state)
{
    (void)state;
    refused(HTSIM, "\n", "missing: Connections");
    refused(HTSIM, "Nodes 8\nNodes 9\n", "perm:2:1: error: Nodes twice");
    refused(HTSIM, "Nodes 0\n", "perm:1:7: error: 0 is not a number of nodes");
    refused(HTSIM, "Node 8\n", "perm:1:1: error: expected Nodes, Connections");
    refused(HTSIM, "Connections 1\n0->1 start 0 size 5\n", "missing: Nodes");
    refused(HTSIM, "Nodes 8\nConnections 2\n0->1 start 0 size 5\n",
            "Connections 2, but the file "
            "has 1");
    refused(HTSIM, "Nodes 8\nConnections 0\n", "no connections");
    refused(HTSIM, HEAD "Triggers 1\n0->1 start 0 size 5\n", "Triggers 1, but the file has 0");
    refused(HTSIM, HEAD "Failures 1\n0->1 start 0 size 5\n", "Failures 1, but the file has 0");
    refused(HTSIM, HEAD "0->8 start 0 size 5\n",
            "perm:3:1: error: 8 is not an endpoint from 0 to "
            "7");
    refused(HTSIM, "Nodes 99\nConnections 1\n0->16 start 0 size 5\n", "16 is not an endpoint");
    refused(HTSIM, HEAD "0-> start 0 size 5\n", "'' is not an endpoint");
    refused(HTSIM, HEAD "->1 start 0 size 5\n", "'' is not an endpoint");
    refused(HTSIM, HEAD "3->3 start 0 size 5\n", "source and destination are the same");
    refused(HTSIM, HEAD "0->1 start 0\n", "perm:3:13: error: missing: size");
    refused(HTSIM, HEAD "0->1 size 5\n", "perm:3:12: error: missing: start or trigger");
    refused(HTSIM, HEAD "0->1 start 0 size\n", "perm:3:18: error: missing: a size in bytes");
    refused(HTSIM, HEAD "0->1 start 0 size 0\n", "0 is not a size in bytes");
    refused(HTSIM, HEAD "0->1 start 0 size 5 prio 3\n", "perm:3:21: error: 'prio' is not known");
    refused(HTSIM, HEAD "0->1 id 0 start 0 size 5\n", "0 is not an id");
    refused(HTSIM, "Nodes 8\nConnections 2\n0->1 id 1 start 0 size 5\n0->1 id 1 start 0 size 5\n",
            "perm:4:9: error: id 1 is that of line 3, too");
    refused(HTSIM, HEAD "0->1 id 3 id 3 start 0 size 5\n", "perm:3:11: error: 'id' twice");
    refused(HTSIM, HEAD "0->1 size 6 start 0 size 5\n", "perm:3:21: error: 'size' twice");
    refused(HTSIM, HEAD "failure switch_type TOR switch_id 0 link_id 1\n", "failures belong to");
}

static void htsim__mistakes_with_triggers(void **state)
{
    (void)state;
    refused(HTSIM, HEAD "0->1 trigger 7 size 5\n", "perm:3:1: error: trigger 7 is not declared");
    refused(HTSIM, HEAD "0->1 trigger 7 size 5\ntrigger id 7 oneshot\n",
            "perm:3:1: error: this flow never starts");
    refused(HTSIM, HEAD "0->1 trigger 7 size 5\ntrigger 7 oneshot\n",
            "perm:4:9: error: expected "
            "'id'");
    refused(HTSIM, HEAD "trigger id 7 twoshot\n", "perm:3:14: error: expected oneshot, barrier");
    refused(HTSIM, HEAD "trigger id 7\n", "perm:3:13: error: expected oneshot, barrier");
    refused(HTSIM, HEAD "trigger id 7 barrier\n", "a barrier needs a count");
    refused(HTSIM, HEAD "trigger id 7 barrier 2\n", "expected 'count'");
    refused(HTSIM, HEAD "trigger id 7 barrier count 2 3\n", "'3' is one word too many");
    refused(HTSIM, HEAD "trigger id 7 oneshot\ntrigger id 7 oneshot\n",
            "trigger 7 is declared "
            "twice");
    static const char two[] = "Nodes 8\nConnections 3\n"
                              "0->1 start 0 size 5 recv_done_trigger 7\n"
                              "1->2 start 0 size 5 send_done_trigger 7\n"
                              "2->3 trigger 7 size 5\n"
                              "trigger id 7 ";
    char text[256];
    snprintf(text, sizeof text, "%soneshot\n", two);
    refused(HTSIM, text, "perm:3:1: error: trigger 7 fires 2 times, but takes 1");
    snprintf(text, sizeof text, "%sbarrier count 3\n", two);
    refused(HTSIM, text, "perm:5:1: error: this flow never starts");
    struct reading reading;
    snprintf(text, sizeof text, "%smultishot\n", two);
    read_text(&reading, HTSIM, text, 8);
    assert_true(reading.ok);
    done(&reading);
}

/* The mean that the data files state. */
static void sizes__means_of_the_distributions(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        double mean_bytes;
    } cases[] = {{"tests/validation/measured/flow_sizes_websearch.csv", 1711250},
                 {"tests/validation/measured/flow_sizes_fb_hadoop.csv", 120421}};
    for (int c = 0; c < 2; c++) {
        struct reading reading = {0};
        struct rng rng = rng_stream(1, "sizes");
        struct flows_read *read = ARENA_NEW(&reading.arena, struct flows_read);
        *read = (struct flows_read){.file = cases[c].file,
                                    .arena = &reading.arena,
                                    .err = &reading.err,
                                    .plan = &reading.plan};
        assert_true(flows_read_open(read) && flows_sizes_read(read, &reading.sizes));
        fclose(read->in);
        assert_true(fabs(flows_sizes_mean_bytes(&reading.sizes) - cases[c].mean_bytes) < 1);
        double sum = 0;
        int64_t most = 0;
        for (int i = 0; i < 200000; i++) {
            int64_t bytes = flows_sizes_draw(&reading.sizes, &rng);
            assert_true(bytes >= 1);
            sum += (double)bytes;
            if (bytes > most) most = bytes;
        }
        assert_true(fabs(sum / 200000 / cases[c].mean_bytes - 1) < 0.02);
        assert_true(most <= (c == 0 ? 30000000 : 10000000));
        done(&reading);
    }
}

static void sizes__mistakes(void **state)
{
    (void)state;
    refused(SIZES, "\n", "the last of at least two points must be 100 percent");
    refused(SIZES, "bytes,cdf_percent\n0,0\n5,50\n", "must be 100 percent");
    refused(SIZES, "0,0\n5;100\n", "perm:2:1: error: expected two numbers");
    refused(SIZES, "0,0\n5,100 7\n", "perm:2:7: error: '7' is one word too many");
    refused(SIZES, "0,0\n5,\n", "perm:2:1: error: expected two numbers");
    refused(SIZES, "0,0\n5,101\n", "perm:2:1: error: more than 100 percent");
    refused(SIZES, "0,5\n5,100\n", "perm:1:1: error: the first point is 0 percent");
    refused(SIZES, "0,0\n5,50\n4,100\n", "perm:3:1: error: sizes and percentages must grow");
    refused(SIZES, "0,0\n-5,100\n", "expected two numbers");
    refused(SIZES, "0,0\n0,100\n", "sizes of no bytes");
    refused(SIZES, "words,x\nwords,x\n", "perm:2:1: error: expected two numbers");
}

/* ---- a workload: what `railsim check` says ----------------------------------------------------*/

static void complains(const char *text, const char *expected)
{
    struct arena arena = {0};
    struct err err = {0};
    const struct flows_cfg *cfg;
    assert_false(flows_rig_bind(&arena, "w.yaml", text, &cfg, &err));
    for (int e = 0; e < err.count; e++)
        if (strstr(err.messages[e], expected)) expected = NULL;
    if (expected) fail_msg("'%s' gave '%s', not '%s'", text, err.messages[0], expected);
    err_free(&err);
    arena_free(&arena);
}

static void schema__complains(void **state)
{
    (void)state;
    complains("kind: flows\n", "C043: pattern 'file' needs 'file'");
    complains("kind: flows\nfile: /tmp\n", "w.yaml:2:7: error: C041: /tmp: error: is no regular");
    complains("kind: flows\nfile: /nowhere/x\n", "C041: /nowhere/x: error: cannot read: No such");
    complains("kind: flows\npattern: ring\n", "C043: pattern 'ring' needs 'size'");
    complains("kind: flows\npattern: ring\nsize: 1kB\nload: 3%\n",
              "w.yaml:4:7: error: C042: pattern 'ring' does not use 'load'");
    complains("kind: flows\npattern: ring\nsize: 1kB\nranks: 1\n", "C044: one rank has no peer");
    complains("kind: flows\npattern: incast\nsize: 1kB\nranks: 3\nreceiver: 3\n",
              "C044: rank 3 of 3");
    complains("kind: flows\npattern: poisson\nload: 3%\nduration: 1s\nsizes: /nowhere/x\n",
              "w.yaml:5:8: error: C041: /nowhere/x");
}

static void schema__names_the_place_in_the_file(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *file = flows_rig_file(&arena, "1\n0 x 3 100 5 0\n");
    complains(arena_printf(&arena, "kind: flows\nformat: hpcc\nfile: %s\n", file),
              arena_printf(&arena, "w.yaml:3:7: error: C041: %s:2:3: error: 'x' is not an endpoint",
                           file));
    unlink(file);
    arena_free(&arena);
}

/* The three lines of a replay, with a path next to the YAML file. */
static void schema__three_lines_are_enough(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct err err = {0};
    const struct flows_cfg *cfg;
    const char *file = flows_rig_file(&arena, "1\n0 1 3 100 5 0\n");
    const char *text =
        arena_printf(&arena, "kind: flows\nformat: hpcc\nfile: %s\n", file + sizeof "/tmp");
    assert_true(flows_rig_bind(&arena, "/tmp/w.yaml", text, &cfg, &err));
    assert_string_equal(cfg->file, file);
    assert_int_equal(cfg->pattern, FLOWS_FILE);
    assert_int_equal(err.count, 0);
    unlink(file);
    err_free(&err);
    arena_free(&arena);
}

/* unfit: body cannot run on 2 leaves of 4; flows_new then says so instead of starting. */
static void unfit(const char *body, const char *expected)
{
    struct flows_rig rig;
    struct err err = {0};
    flows_rig_open(&rig, body, 4, 2);
    assert_false(flows_check(rig.cfg, &rig.hosts, &err));
    assert_int_equal(err.count, 1);
    if (!strstr(err.messages[0], expected))
        fail_msg("'%s' gave '%s', not '%s'", body, err.messages[0], expected);
    flows_rig_run(&rig, NULL);
    assert_int_equal(rig.stop, SIM_IDLE);
    assert_non_null(strstr(flows_waits_for(rig.flows, &rig.arena), expected));
    err_free(&err);
    flows_rig_close(&rig);
}

static void check__what_does_not_fit_the_topology(void **state)
{
    (void)state;
    unfit("pattern: permutation, size: 1B, ranks: 9", "C045: the workload needs 9 endpoints, the "
                                                      "topology has 8");
    unfit("pattern: permutation, size: 1B, ranks: 3, between: leaves", "3 of 3 endpoints are at "
                                                                       "one");
    unfit("pattern: permutation, size: 1B, ranks: 5, between: leaves", "4 of 5 endpoints are at "
                                                                       "one");
    unfit("pattern: ring, size: 100B, stride: 3", "8 endpoints cannot be numbered with stride 3");
    unfit("pattern: ring, size: 7B", "C046: less than a byte for each of 8 ranks");
    unfit("pattern: ring, size: 1GB, chunk: 1B", "C046: 1000000000 chunks at once");
    unfit("pattern: incast, size: 1B, senders: 8", "8 senders, but 7 endpoints can send");
    unfit("pattern: incast, size: 1B, senders: 5, between: leaves", "5 senders, but 4 endpoints");
    unfit("pattern: ring, size: 8B, traffic_class: 2",
          "C045: traffic_class 2, but the topology has 1 in network.classes");
    unfit("pattern: incast, size: 1B, receiver: 8", "the receiver is rank 8 of 8");
    struct arena arena = {0};
    const char *file = flows_rig_file(&arena, "1\n0 8 3 100 5 0\n");
    unfit(arena_printf(&arena, "file: %s", file), ":2:3: error: 8 is not an endpoint from 0 to 7");
    unlink(file);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hpcc__reads_columns_comments_and_blanks),
        cmocka_unit_test(hpcc__mistakes),
        cmocka_unit_test(hpcc__classes),
        cmocka_unit_test(hpcc__long_line),
        cmocka_unit_test(hpcc__many_dependencies),
        cmocka_unit_test(htsim__mistakes),
        cmocka_unit_test(htsim__mistakes_with_triggers),
        cmocka_unit_test(sizes__means_of_the_distributions),
        cmocka_unit_test(sizes__mistakes),
        cmocka_unit_test(schema__complains),
        cmocka_unit_test(schema__names_the_place_in_the_file),
        cmocka_unit_test(schema__three_lines_are_enough),
        cmocka_unit_test(check__what_does_not_fit_the_topology),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
