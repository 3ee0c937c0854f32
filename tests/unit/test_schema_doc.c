/* test_schema_doc.c - explain, Markdown and JSON Schema of the made-up schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/messages.h"
#include "tests/unit/schema_zoo.h"

static void explained(const char *key, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    struct err err = {0};
    FILE *out = open_memstream(&text, &len);
    assert_true(schema_explain(roots, 2, key, out, &err));
    fclose(out);
    assert_string_equal(text, expected);
    assert_int_equal(err.count, 0);
    free(text);
}

static void schema_explain__values(void **state)
{
    (void)state;
    explained("wan.rtt", "wan.rtt  (time, topology)\n"
                         "  Round-trip time of the line.\n"
                         "  units     ps ns us ms s min h\n"
                         "  range     0s .. 10s\n"
                         "  default   0s\n");
    explained(
        "wan.rate",
        "wan.rate  (rate, topology)\n"
        "  Rate of the line.\n"
        "  units     bps kbps Mbps Gbps Tbps (bits), Bps kBps MBps GBps TBps KiBps MiBps GiBps "
        "(bytes)\n"
        "  range     1Mbps .. 1Tbps\n"
        "  default   100Gbps\n"
        "  source    a data sheet\n");
    explained("cc", "cc  (word, topology)\n"
                    "  Congestion control.\n"
                    "  words     none, dcqcn, swift\n"
                    "  default   none\n");
    explained("title", "title  (string, topology)\n  A title.\n  default   \"\"\n");
    explained("nodes.3.name", "nodes.N.name  (string, topology)\n  Name of the node.\n"
                              "  default   required\n");
    explained("ports", "ports  (list of counts, topology)\n  Port numbers.\n"
                       "  range     0 .. 100 each\n  default   [3, 7]\n");
}

static void schema_explain__sections(void **state)
{
    (void)state;
    explained("storage", "storage  (section, topology)\n"
                         "  Where the data is.\n"
                         "  client   section with a kind  lustre  How it is read.\n"
                         "  targets  count                24      Object targets.\n");
    explained("nodes", "nodes  (list of sections, topology)\n"
                       "  The nodes.\n"
                       "  name  string  required  Name of the node.\n"
                       "  gpus  count   8         GPUs in it.\n");
}

static void schema_explain__variants(void **state)
{
    (void)state;
    explained("storage.client.rpc_size", "storage.client.rpc_size  (size, topology, kind lustre)\n"
                                         "  Bytes of one RPC.\n"
                                         "  units     B kB MB GB TB PB KiB MiB GiB TiB PiB\n"
                                         "  range     at least 0B\n"
                                         "  default   4MiB\n");
    explained("storage.client.kind", "storage.client  (section with a kind, topology)\n"
                                     "  How it is read.\n"
                                     "  kind: lustre  Lustre.\n"
                                     "  kind: nfs     NFS.\n"
                                     "  default   lustre\n");
    explained("workload", "workload  (file with a kind, workload)\n"
                          "  kind: lustre  Lustre.\n"
                          "  kind: nfs     NFS.\n"
                          "\n"
                          "workload  (section, workload, kind lustre)\n"
                          "  Lustre.\n"
                          "  rpc_size  size   4MiB  Bytes of one RPC.\n"
                          "  flights   count  8     RPCs in flight.\n"
                          "\n"
                          "workload  (section, workload, kind nfs)\n"
                          "  NFS.\n"
                          "  slots  count  required  Session slots.\n");
}

static void schema_explain__unknown(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"wan.rt", "error: unknown key 'wan.rt' (did you mean 'wan.rtt'?)\n"},
        {"slots", "error: unknown key 'slots' (did you mean 'storage.client.slots'?)\n"},
        {"qqqqqqqqqq", "error: unknown key 'qqqqqqqqqq'\n"},
        {"", "error: unknown key ''\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        assert_false(schema_explain(roots, 2, cases[i][0], stdout, &err));
        assert_messages(&err, cases[i][1]);
        assert_int_equal(err.exit_code, 2);
        err_free(&err);
    }
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("%s\nlacks\n%s", text, part);
}

static void schema_json__has_every_rule(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    schema_json(&roots[0], out);
    fclose(out);
    assert_contains(text, "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"");
    assert_contains(text, "(ps|ns|us|ms|s|min|h)");
    assert_contains(text, "\"enum\": [\"none\", \"dcqcn\", \"swift\"], \"default\": \"none\"");
    assert_contains(text, "\"kind\": {\"const\": \"nfs\"}");
    assert_contains(text, "\"required\": [\"kind\", \"slots\"]");
    assert_contains(text, "\"additionalProperties\": false");
    assert_contains(text, "\"minimum\": 1, \"maximum\": 16384, \"default\": 8");
    assert_contains(text, "Rate of the line. Source: a data sheet");
    free(text);
}

static void schema_markdown__has_every_key(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    schema_markdown(roots, 2, out);
    fclose(out);
    assert_contains(text, "\n## `topology`\n\nA zoo of types.\n\n| key | type | default | range |");
    assert_contains(text, "\n### `wan`\n\nThe line to the storage.\n");
    assert_contains(text,
                    "\n| `rtt` | time | 0s | 0s .. 10s | Round-trip time of the line. |  | \n");
    assert_contains(text, "\n| `trace` | file | \"\" |  | A file \\| of traces. |  | \n");
    assert_contains(text, "\n### `storage.client` of kind `nfs`\n\nNFS.\n");
    assert_contains(text, "\n### `storage.client`\n\nHow it is read.\n\n| `kind` | meaning |");
    assert_contains(text, "\n## `workload`\n\n| `kind` | meaning |");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_explain__values),
        cmocka_unit_test(schema_explain__sections),
        cmocka_unit_test(schema_explain__variants),
        cmocka_unit_test(schema_explain__unknown),
        cmocka_unit_test(schema_json__has_every_rule),
        cmocka_unit_test(schema_markdown__has_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
