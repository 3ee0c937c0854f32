/* test_schema.c - a made-up schema with every type, bound; every mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sim/io/tree.h"
#include "tests/unit/messages.h"
#include "tests/unit/schema_zoo.h"

struct fixture {
    struct arena arena;
    struct err err;
    struct tree_node *root;
    struct schema_rows rows;
    struct zoo zoo;
    bool ok;
};

static void drop(struct fixture *f)
{
    err_free(&f->err);
    arena_free(&f->arena);
}

/* bind reads text as dir/x.yaml, applies sets ("key=value", NULL-terminated or NULL), binds. */
static void bind(struct fixture *f, const char *text, const char *const *sets)
{
    *f = (struct fixture){0};
    f->root = tree_read_text(&f->arena, "dir/x.yaml", text, strlen(text), &f->err);
    assert_non_null(f->root);
    for (; sets && *sets; sets++) {
        char *key = arena_strdup(&f->arena, *sets), *value = strchr(key, '=');
        *value++ = 0;
        const struct tree_override override = {key, value, "--set", false};
        assert_true(tree_set(&f->arena, f->root, &override, &f->err));
    }
    const struct schema_into into = {&f->arena, "", &f->rows, &f->err};
    f->ok = schema_bind(&into, &zoo_schema, f->root, &f->zoo);
}

/* refused: binding text gives exactly these messages, without "dir/x.yaml:" and the source lines
 * ("2:8: error: ..."), each with a newline. */
static void refused(const char *text, const char *const *sets, const char *expected)
{
    struct fixture f;
    bind(&f, text, sets);
    char all[4096] = "";
    for (int i = 0; i < f.err.count && i < ERR_CAP; i++) {
        char *message = f.err.messages[i];
        if (strncmp(message, "dir/x.yaml:", 11) == 0) message += 11;
        int len = (int)strcspn(message, "\n");
        snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s\n", len, message);
    }
    assert_string_equal(all, expected);
    assert_false(f.ok);
    assert_int_equal(f.err.exit_code, 2);
    drop(&f);
}

static const struct schema_row *row(const struct fixture *f, const char *path)
{
    for (int64_t i = 0; i < f->rows.n; i++)
        if (strcmp(f->rows.row[i].path, path) == 0) return &f->rows.row[i];
    fail_msg("no row %s", path);
    return NULL;
}

static void assert_row(const struct fixture *f, const char *path, const char *value,
                       const char *origin)
{
    assert_string_equal(row(f, path)->value, value);
    assert_string_equal(row(f, path)->origin, origin);
}

/* ---- binding ----------------------------------------------------------------------------------*/

static void schema_bind__defaults(void **state)
{
    (void)state;
    struct fixture f;
    bind(&f, "", NULL);
    assert_messages(&f.err, "");
    assert_true(f.ok);
    assert_int_equal(f.zoo.wan.rtt_ps, 0);
    assert_int_equal(f.zoo.wan.rate_bps, INT64_C(100000000000));
    assert_int_equal(f.zoo.wan.buffer_bytes, 16 << 20);
    assert_true(f.zoo.wan.loss == 0.001);
    assert_true(f.zoo.wan.factor == -0.5);
    assert_string_equal(f.zoo.storage.client.kind, "lustre");
    assert_int_equal(((const struct lustre *)f.zoo.storage.client.config)->flights, 8);
    assert_int_equal(f.zoo.nodes.n, 0);
    assert_int_equal(f.zoo.ports.n, 2);
    assert_int_equal(f.zoo.ports.value[1], 7);
    assert_false(f.zoo.fast);
    assert_int_equal(f.zoo.cc, 0);
    assert_string_equal(f.zoo.title, "");
    assert_string_equal(f.zoo.trace, "");
    assert_int_equal(f.rows.n, 6 + 3 + 1 + 1 + 4);
    assert_row(&f, "wan.rtt", "0s", "default");
    assert_row(&f, "storage.client.kind", "lustre", "default");
    assert_row(&f, "storage.client.rpc_size", "4MiB", "default");
    assert_row(&f, "ports", "[3, 7]", "default");
    drop(&f);
}

static void schema_bind__every_type(void **state)
{
    (void)state;
    struct fixture f;
    bind(&f,
         "wan: {rtt: 15ms, rate: 50GBps, buffer: 0.5MiB, loss: 1%, factor: 0.25}\n"
         "storage:\n  client:\n    kind: nfs\n    slots: 64\n  targets: 3\n"
         "nodes:\n  - name: a\n    gpus: 4\n  - {name: \"\"}\n"
         "ports: [1, 0, 100]\nfast: true\ncc: swift\ntitle: 'x: y'\ntrace: sub/t.csv\n",
         NULL);
    assert_messages(&f.err, "");
    assert_int_equal(f.zoo.wan.rtt_ps, INT64_C(15000000000));
    assert_int_equal(f.zoo.wan.rate_bps, INT64_C(400000000000));
    assert_int_equal(f.zoo.wan.buffer_bytes, 524288);
    assert_true(f.zoo.wan.loss == 0.01);
    assert_true(f.zoo.wan.factor == 0.25);
    assert_int_equal(f.zoo.storage.client.index, 1);
    assert_int_equal(((const struct nfs *)f.zoo.storage.client.config)->slots, 64);
    assert_int_equal(f.zoo.storage.targets, 3);
    const struct node *nodes = f.zoo.nodes.items;
    assert_int_equal(f.zoo.nodes.n, 2);
    assert_string_equal(nodes[0].name, "a");
    assert_int_equal(nodes[0].gpus, 4);
    assert_string_equal(nodes[1].name, "");
    assert_int_equal(nodes[1].gpus, 8);
    assert_int_equal(f.zoo.ports.n, 3);
    assert_int_equal(f.zoo.ports.value[2], 100);
    assert_true(f.zoo.fast);
    assert_int_equal(f.zoo.cc, 2);
    assert_string_equal(f.zoo.title, "x: y");
    assert_string_equal(f.zoo.trace, "dir/sub/t.csv");
    assert_row(&f, "wan.rate", "400Gbps", "dir/x.yaml:1:24");
    assert_row(&f, "wan.loss", "0.01", "dir/x.yaml:1:54");
    assert_row(&f, "storage.client.kind", "nfs", "dir/x.yaml:4:11");
    assert_row(&f, "nodes.1.gpus", "8", "default");
    assert_row(&f, "ports", "[1, 0, 100]", "dir/x.yaml:11:8");
    assert_row(&f, "fast", "true", "dir/x.yaml:12:7");
    assert_row(&f, "cc", "swift", "dir/x.yaml:13:5");
    assert_row(&f, "trace", "dir/sub/t.csv", "dir/x.yaml:15:8");
    drop(&f);
}

static void schema_bind__nothing_is_an_empty_section_or_list(void **state)
{
    (void)state;
    struct fixture f;
    bind(&f, "wan:\nstorage: {client: }\nnodes: ~\nports: null\n", NULL);
    assert_messages(&f.err, "");
    assert_int_equal(f.zoo.wan.buffer_bytes, 16 << 20);
    assert_string_equal(f.zoo.storage.client.kind, "lustre");
    assert_int_equal(f.zoo.ports.n, 0);
    assert_row(&f, "ports", "[]", "dir/x.yaml:4:8");
    drop(&f);
}

static void schema_bind__overrides(void **state)
{
    (void)state;
    struct fixture f;
    const char *const sets[] = {"wan.rtt=20ms", "ports=[5]",      "trace=t.csv",
                                "title=",       "nodes.0.gpus=1", NULL};
    bind(&f, "wan: {rtt: 1ms}\nnodes: [{name: a}]\n", sets);
    assert_messages(&f.err, "");
    assert_row(&f, "wan.rtt", "20ms", "--set");
    assert_row(&f, "ports", "[5]", "--set");
    assert_row(&f, "nodes.0.gpus", "1", "--set");
    assert_row(&f, "title", "", "--set");
    assert_string_equal(f.zoo.trace, "t.csv"); /* where the command line is */
    drop(&f);
}

static void schema_bind__paths(void **state)
{
    (void)state;
    struct fixture f;
    bind(&f, "trace: /abs/t.csv\n", NULL);
    assert_string_equal(f.zoo.trace, "/abs/t.csv");
    drop(&f);
    f = (struct fixture){0};
    f.root = tree_read_text(&f.arena, "x.yaml", "trace: t.csv", 12, &f.err);
    const struct schema_into into = {&f.arena, "", NULL, &f.err};
    assert_true(schema_bind(&into, &zoo_schema, f.root, &f.zoo));
    assert_string_equal(f.zoo.trace, "t.csv");
    drop(&f);
}

static void schema_bind__message_with_line_and_caret(void **state)
{
    (void)state;
    struct fixture f;
    bind(&f, "wan:\n  raet: 1Gbps\n", NULL);
    assert_messages(&f.err, "dir/x.yaml:2:3: error: unknown key 'raet' under 'wan' (did you mean "
                            "'rate'?)\n    raet: 1Gbps\n    ^\n");
    drop(&f);
}

static void schema_bind__unknown_keys(void **state)
{
    (void)state;
    refused("wam: {rtt: 1ms}\n", NULL, "1:1: error: unknown key 'wam' (did you mean 'wan'?)\n");
    refused("rtt: 1ms\n", NULL, "1:1: error: unknown key 'rtt' (did you mean 'wan.rtt'?)\n");
    refused("gpus: 1\n", NULL, "1:1: error: unknown key 'gpus' (did you mean 'nodes.N.gpus'?)\n");
    refused("rpc_size: 1\n", NULL,
            "1:1: error: unknown key 'rpc_size' (did you mean 'storage.client.rpc_size' of kind "
            "'lustre'?)\n");
    refused(
        "storage: {client: {kind: nfs, slots: 1, rpc_size: 1MiB, knd: 2}}\n", NULL,
        "1:41: error: unknown key 'rpc_size' under 'storage.client': kind 'lustre' has it, 'nfs' "
        "does not\n"
        "1:57: error: unknown key 'knd' under 'storage.client' (did you mean 'kind'?)\n");
    refused("nodes: [{name: a, qqqqqq: 1}]\n", NULL,
            "1:19: error: unknown key 'qqqqqq' under 'nodes.0'; keys: name, gpus\n");
}

static void schema_bind__unknown_override(void **state)
{
    (void)state;
    const char *const sets[] = {"wan.rt=1ms", "wan.loss=2", "cc=swft", NULL};
    refused(
        "", sets,
        "--set wan.rt=1ms: error: unknown key 'rt' under 'wan' (did you mean 'rtt'?)\n"
        "--set wan.loss=2: error: 'wan.loss' cannot be '2': allowed: 0 .. 50%\n"
        "--set cc=swft: error: 'cc' cannot be 'swft': allowed: none, dcqcn, swift (did you mean "
        "'swift'?)\n");
}

static void schema_bind__missing(void **state)
{
    (void)state;
    refused("nodes:\n  - gpus: 1\nstorage:\n  client: {kind: nfs}\n", NULL,
            "4:3: error: missing 'storage.client.slots' (a count): Session slots.\n"
            "2:5: error: missing 'nodes.0.name' (a string): Name of the node.\n");
}

static void schema_bind__units(void **state)
{
    (void)state;
    refused(
        "wan:\n  rtt: 15\n  rate: 100\n  length: 3\n  buffer: 7\n", NULL,
        "2:8: error: 'wan.rtt' cannot be '15': a time needs a unit: ps ns us ms s min h; e.g. "
        "15ms\n"
        "3:9: error: 'wan.rate' cannot be '100': a rate needs a unit: bps kbps Mbps Gbps Tbps "
        "(bits), Bps kBps MBps GBps TBps KiBps MiBps GiBps (bytes); e.g. 100Gbps\n"
        "4:11: error: 'wan.length' cannot be '3': a length needs a unit: mm cm m km; e.g. 3km\n"
        "5:11: error: 'wan.buffer' cannot be '7': a size needs a unit: B kB MB GB TB PB KiB MiB "
        "GiB TiB PiB; e.g. 7MiB\n");
    refused(
        "wan: {rtt: 15Gbps, loss: x}\n", NULL,
        "1:12: error: 'wan.rtt' cannot be '15Gbps': unknown unit; a time takes: ps ns us ms s min "
        "h\n"
        "1:26: error: 'wan.loss' cannot be 'x': expected a number\n");
}

static void schema_bind__out_of_range(void **state)
{
    (void)state;
    refused("wan: {rtt: 11s, rate: 1kbps, length: -1m, factor: -1.5, loss: 51%}\n", NULL,
            "1:12: error: 'wan.rtt' cannot be '11s': allowed: 0s .. 10s\n"
            "1:23: error: 'wan.rate' cannot be '1kbps': allowed: 1Mbps .. 1Tbps\n"
            "1:38: error: 'wan.length' cannot be '-1m': allowed: at least 0m\n"
            "1:63: error: 'wan.loss' cannot be '51%': allowed: 0 .. 50%\n"
            "1:51: error: 'wan.factor' cannot be '-1.5': allowed: -1 .. 1\n");
    refused(
        "nodes:\n  - {name: a, gpus: 1000000000000}\n  - {name: b, gpus: 99999999999999999999}\n"
        "  - {name: c, gpus: 1.5}\n",
        NULL,
        "2:21: error: 'nodes.0.gpus' cannot be '1000000000000': allowed: 1 .. 16384\n"
        "3:21: error: 'nodes.1.gpus' cannot be '99999999999999999999': too large for 63 bits "
        "(allowed: 1 .. 16384)\n"
        "4:21: error: 'nodes.2.gpus' cannot be '1.5': a count is a whole number without a unit "
        "(allowed: 1 .. 16384)\n");
}

static void schema_bind__at_the_limits(void **state)
{
    (void)state;
    struct fixture f;
    bind(&f, "wan: {rtt: 10s, rate: 1Mbps, loss: 50%, factor: -1}\nports: [0, 100]\n", NULL);
    assert_messages(&f.err, "");
    drop(&f);
}

static void schema_bind__words(void **state)
{
    (void)state;
    refused("cc: dcqnc\nfast: yes\n", NULL,
            "2:7: error: 'fast' cannot be 'yes': allowed: true, false (did you mean 'true'?)\n"
            "1:5: error: 'cc' cannot be 'dcqnc': allowed: none, dcqcn, swift (did you mean "
            "'dcqcn'?)\n");
    refused("cc: tcp\nfast: off\n", NULL,
            "2:7: error: 'fast' cannot be 'off': allowed: true, false (did you mean 'false'?)\n"
            "1:5: error: 'cc' cannot be 'tcp': allowed: none, dcqcn, swift\n");
    refused("fast: maybe\n", NULL, "1:7: error: 'fast' cannot be 'maybe': allowed: true, false\n");
}

static void schema_bind__kinds(void **state)
{
    (void)state;
    refused("storage: {client: {kind: lstre, flights: 3}}\n", NULL,
            "1:26: error: unknown kind 'lstre' of 'storage.client.kind'; allowed: lustre, nfs (did "
            "you mean 'lustre'?)\n");
    refused("storage: {client: {kind: smb}}\n", NULL,
            "1:26: error: unknown kind 'smb' of 'storage.client.kind'; allowed: lustre, nfs\n");
    refused("storage: {client: {kind: [nfs]}}\n", NULL,
            "1:26: error: 'storage.client.kind' must be one word; allowed: lustre, nfs\n");
    refused("storage: {client: nfs}\n", NULL,
            "1:19: error: 'storage.client' is a section, not a single value\n");
}

static void schema_bind__wrong_kind_of_node(void **state)
{
    (void)state;
    refused("- 1\n", NULL, "1:1: error: expected keys with values, not a list\n");
    refused("hello\n", NULL, "1:1: error: expected keys with values, not a single value\n");
    refused("wan: 5\nstorage: [1]\nnodes: {a: 1}\nports: 3\nfast: []\ntitle: {}\n", NULL,
            "1:6: error: 'wan' is a section, not a single value\n"
            "2:10: error: 'storage' is a section, not a list\n"
            "3:8: error: 'nodes' is a list of sections, not a section\n"
            "4:8: error: 'ports' is a list of counts, such as [3, 7, 11], not a single value\n"
            "5:7: error: 'fast' is a boolean, such as true, not a list\n"
            "6:8: error: 'title' is a string, not a section\n");
    refused("wan: {rtt: [1ms]}\nports: [1, [2], 101, -1]\nnodes: [5, ]\n", NULL,
            "1:12: error: 'wan.rtt' is a time, such as 15ms, not a list\n"
            "3:9: error: 'nodes.0' is a section, not a single value\n"
            "2:12: error: 'ports.1' is a count, not a list\n"
            "2:17: error: 'ports.2' cannot be '101': allowed: 0 .. 100\n"
            "2:22: error: 'ports.3' cannot be '-1': allowed: 0 .. 100\n");
}

static void schema_bind__no_value(void **state)
{
    (void)state;
    refused("wan:\n  rtt:\n  rate: ~\n  loss: ''\ntitle:\nfast: null\nports: [1, ~]\n", NULL,
            "2:7: error: no value for 'wan.rtt' (a time, such as 15ms)\n"
            "3:9: error: no value for 'wan.rate' (a rate, such as 400Gbps)\n"
            "4:9: error: no value for 'wan.loss' (a fraction, such as 1%)\n"
            "7:12: error: no value for 'ports.1' (a count)\n"
            "6:7: error: no value for 'fast' (a boolean, such as true)\n"
            "5:7: error: no value for 'title' (a string)\n");
}

static void schema_bind__checks(void **state)
{
    (void)state;
    refused("wan:\n  rtt: 1ms\n  length: 1km\n  buffer: 0\n", NULL,
            "3:11: error: C001: rtt or length, not both (2)\n"
            "1:1: error: C002: no buffer, much loss\n");
    refused("wan: {rtt: 1ms, length: 1km, rate: 5}\n", NULL, /* not while values are wrong */
            "1:36: error: 'wan.rate' cannot be '5': a rate needs a unit: bps kbps Mbps Gbps Tbps "
            "(bits), Bps kBps MBps GBps TBps KiBps MiBps GiBps (bytes); e.g. 5Gbps\n");
}

static void schema_bind__long_and_hostile_values(void **state)
{
    (void)state;
    refused(
        "cc: \"a\\nb\"\nwan: {rtt: 1234567890123456789012345678901234567890123456789012345678"
        "901234567890x}\n",
        NULL,
        "2:12: error: 'wan.rtt' cannot be "
        "'123456789012345678901234567890123456789012345678901234567890...': too many digits (at "
        "most 22 count)\n"
        "1:5: error: 'cc' cannot be 'a...': allowed: none, dcqcn, swift\n");
    refused("cc: '%s%n'\n", NULL,
            "1:5: error: 'cc' cannot be '%s%n': allowed: none, dcqcn, swift\n");
}

static void schema_bind__lists_are_limited(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    fprintf(out, "nodes: [{name: a}");
    for (int i = 0; i < 1000; i++)
        fprintf(out, ", {name: a}");
    fprintf(out, "]\n");
    fclose(out);
    refused(text, NULL, "1:8: error: 'nodes' has 1001 items; allowed: 0 .. 1000\n");
    free(text);
}

/* A 1,000-key file binds in well under 10 ms; a long list of unknown keys stays linear. */
static void schema_bind__is_fast(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    fprintf(out, "nodes:\n");
    for (int i = 0; i < 500; i++)
        fprintf(out, "  - {name: n%d, gpus: 4}\n", i);
    fclose(out);
    struct fixture f;
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    bind(&f, text, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_true(f.ok);
    assert_int_equal(f.rows.n, 15 + 1000);
    double ms =
        (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
    assert_true(ms < 100); /* 2 ms alone; the margin is for sanitizers and busy machines */
    drop(&f);
    free(text);
}

static void schema_bind__errors_past_the_cap_are_counted(void **state)
{
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), "unknown%d: 1\n", i);
    struct fixture f;
    bind(&f, text, NULL);
    assert_int_equal(f.err.count, 100);
    drop(&f);
}

static void schema_bind_variant__root(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct schema_variant variant;
    f.root = tree_read_text(&f.arena, "w.yaml", "kind: nfs\nslots: 3\n", 19, &f.err);
    const struct schema_into into = {&f.arena, "workload.", &f.rows, &f.err};
    assert_true(schema_bind_variant(&into, client_kinds, f.root, &variant));
    assert_int_equal(variant.index, 1);
    assert_int_equal(((const struct nfs *)variant.config)->slots, 3);
    assert_int_equal(f.rows.n, 2);
    assert_row(&f, "workload.kind", "nfs", "w.yaml:1:7");
    assert_row(&f, "workload.slots", "3", "w.yaml:2:8");
    drop(&f);
}

static void schema_bind_variant__mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"slots: 3\n", "w.yaml: error: missing 'kind'; allowed: lustre, nfs\n"},
        {"kind: nfs\n", "w.yaml: error: missing 'slots' (a count): Session slots.\n"},
        {"kind: nf\n", "w.yaml:1:7: error: unknown kind 'nf' of 'kind'; allowed: lustre, nfs (did "
                       "you mean 'nfs'?)\n  kind: nf\n        ^\n"},
        {"kind: lustre\nflight: 3\n", "w.yaml:2:1: error: unknown key 'flight' (did you mean "
                                      "'flights'?)\n  flight: 3\n  ^\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = {0};
        struct schema_variant variant;
        f.root = tree_read_text(&f.arena, "w.yaml", cases[i].text, strlen(cases[i].text), &f.err);
        const struct schema_into into = {&f.arena, "workload.", &f.rows, &f.err};
        assert_false(schema_bind_variant(&into, client_kinds, f.root, &variant));
        assert_messages(&f.err, cases[i].message);
        drop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_bind__defaults),
        cmocka_unit_test(schema_bind__every_type),
        cmocka_unit_test(schema_bind__nothing_is_an_empty_section_or_list),
        cmocka_unit_test(schema_bind__overrides),
        cmocka_unit_test(schema_bind__paths),
        cmocka_unit_test(schema_bind__message_with_line_and_caret),
        cmocka_unit_test(schema_bind__unknown_keys),
        cmocka_unit_test(schema_bind__unknown_override),
        cmocka_unit_test(schema_bind__missing),
        cmocka_unit_test(schema_bind__units),
        cmocka_unit_test(schema_bind__out_of_range),
        cmocka_unit_test(schema_bind__at_the_limits),
        cmocka_unit_test(schema_bind__words),
        cmocka_unit_test(schema_bind__kinds),
        cmocka_unit_test(schema_bind__wrong_kind_of_node),
        cmocka_unit_test(schema_bind__no_value),
        cmocka_unit_test(schema_bind__checks),
        cmocka_unit_test(schema_bind__long_and_hostile_values),
        cmocka_unit_test(schema_bind__lists_are_limited),
        cmocka_unit_test(schema_bind__is_fast),
        cmocka_unit_test(schema_bind__errors_past_the_cap_are_counted),
        cmocka_unit_test(schema_bind_variant__root),
        cmocka_unit_test(schema_bind_variant__mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
