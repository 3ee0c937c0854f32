/* test_device.c - the device catalogue: its figures, its sources, and what its checks refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "models/cluster/device.h"
#include "sim/app/devices.h"
#include "sim/io/tree.h"

struct shelf {
    struct arena arena;
    struct err err;
    struct device_catalogue catalogue;
};

/* bind reads a catalogue from text into shelf. */
static bool bind(struct shelf *shelf, const char *text)
{
    const struct schema_into into = {
        .arena = &shelf->arena, .prefix = "devices.", .err = &shelf->err};
    const struct tree_node *root =
        tree_read_text(&shelf->arena, "my.yaml", text, strlen(text), &shelf->err);
    return root && schema_bind(&into, &device_catalogue_schema, root, &shelf->catalogue);
}

static void clear(struct shelf *shelf)
{
    err_free(&shelf->err);
    arena_free(&shelf->arena);
}

/* assert_refused: text has one mistake, whose message contains expected. */
static void assert_refused(const char *text, const char *expected)
{
    struct shelf shelf = {0};
    assert_false(bind(&shelf, text));
    assert_int_equal(shelf.err.count, 1);
    if (!strstr(shelf.err.messages[0], expected)) fail_msg("%s", shelf.err.messages[0]);
    clear(&shelf);
}

static const struct device_catalogue *load(struct shelf *shelf)
{
    const struct device_catalogue *catalogue = devices_load(&shelf->arena, &shelf->err);
    if (!catalogue) err_print(&shelf->err, stderr);
    assert_non_null(catalogue);
    return catalogue;
}

static void load__what_issue_4_asks_for(void **state)
{
    (void)state;
    static const char *const accelerators[] = {"a100-sxm",  "h100-sxm",    "h200-sxm",    "b200",
                                               "b300",      "gb200-nvl72", "gb300-nvl72", "mi300x",
                                               "trainium1", "trainium2"};
    static const char *const nics[] = {"connectx-6", "connectx-7", "connectx-8", "bluefield-3"};
    struct shelf shelf = {0};
    const struct device_catalogue *catalogue = load(&shelf);
    for (size_t i = 0; i < sizeof accelerators / sizeof *accelerators; i++) {
        const struct device_accelerator *a = device_find(catalogue, accelerators[i]);
        assert_non_null(a);
        assert_true(a->facts.bf16_tflops > 0 && a->facts.memory_bps > 0 && a->link_bps > 0);
        assert_true(*a->source.compute && *a->source.memory && *a->source.link);
    }
    for (size_t i = 0; i < sizeof nics / sizeof *nics; i++)
        assert_non_null(device_find_nic(catalogue, nics[i]));
    for (int64_t i = 0; i < catalogue->nics.n; i++) {
        const struct device_nic *nic = (const struct device_nic *)catalogue->nics.items + i;
        assert_true(*nic->source && (!nic->host_bps || nic->host_bps > nic->rate_bps));
    }
    assert_null(device_find(catalogue, "h100"));
    assert_null(device_find_nic(catalogue, "h100-sxm"));
    clear(&shelf);
}

static void load__figures(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    const struct device_catalogue *catalogue = load(&shelf);
    const struct device_accelerator *a = device_find(catalogue, "h100-sxm");
    assert_int_equal(a->facts.generation, TUNER_HOPPER);
    assert_int_equal(a->link_bps, INT64_C(3600000000000)); /* 900 GB/s both ways */
    assert_int_equal(a->link_domain, 8);
    assert_true(a->facts.in_switch_reduction);
    a = device_find(catalogue, "gb200-nvl72");
    assert_int_equal(a->facts.generation, TUNER_BLACKWELL);
    assert_int_equal(a->link_domain, 72);
    assert_int_equal(a->link_bps, INT64_C(7200000000000)); /* 1.8 TB/s both ways */
    a = device_find(catalogue, "a100-sxm");
    assert_int_equal(a->facts.generation, TUNER_AMPERE);
    assert_false(a->facts.in_switch_reduction);
    assert_true(a->facts.fp8_tflops == 0);
    a = device_find(catalogue, "mi300x");
    assert_int_equal(a->facts.generation, TUNER_GENERATIONS);
    assert_int_equal(a->facts.link_shape, DEVICE_MESH);
    clear(&shelf);
}

/* The two measured efficiencies of H200 are what nccl_single_node.csv says: 8 GPUs, 450 GB/s. */
static void load__efficiencies_are_measured(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    const struct device_accelerator *a = device_find(load(&shelf), "h200-sxm");
    const double ring = 367.2, nvls = 480, n = 8, link = 450;
    double buffer = nvls * n / (2 * (n - 1)); /* busbw to bytes of the buffer per second */
    assert_float_equal((float)a->link_efficiency, (float)(ring / link), .0005f);
    assert_float_equal((float)a->reduction_efficiency, (float)(buffer * (n + 1) / n / link),
                       .0005f);
    clear(&shelf);
}

/* Network rate per server in Gb/s: the table of AWS, and NVIDIA's. P6e is 28.8 Tb/s for 72 GPUs. */
static void system_bps__published_tables(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t gbps, gpus;
    } table[] = {
        {"p4d.24xlarge", 400, 8},      {"p5.48xlarge", 3200, 8},      {"p5e.48xlarge", 3200, 8},
        {"p5en.48xlarge", 3200, 8},    {"p6-b200.48xlarge", 3200, 8}, {"dgx-h100", 3200, 8},
        {"p6-b300.48xlarge", 6400, 8}, {"p6e-gb200", 28800 / 18, 4},  {"trn1.32xlarge", 800, 16},
        {"trn2.48xlarge", 3200, 16},   {"dgx-a100", 1600, 8},         {"dgx-b300", 6400, 8},
    };
    struct shelf shelf = {0};
    const struct device_catalogue *catalogue = load(&shelf);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct device_system *found = NULL;
        for (int64_t k = 0; k < catalogue->systems.n; k++) {
            const struct device_system *s =
                (const struct device_system *)catalogue->systems.items + k;
            if (strcmp(s->name, table[i].name) == 0) found = s;
        }
        assert_non_null(found);
        assert_int_equal(device_system_bps(catalogue, found), table[i].gbps * 1000000000);
        assert_int_equal(found->gpus, table[i].gpus);
    }
    const struct device_system none = {.nic = "no such card", .nics = 8};
    assert_int_equal(device_system_bps(catalogue, &none), 0);
    clear(&shelf);
}

#define GPU                                                                                        \
    "accelerators:\n"                                                                              \
    "  - name: g\n"                                                                                \
    "    link_rate: 450GBps\n"                                                                     \
    "    link_domain: 8\n"                                                                         \
    "    source: {link: a}\n"
#define CARD "nics: [{name: c, rate: 400Gbps, source: a}]\n"

static void check__a_catalogue_of_ones_own(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    assert_true(bind(&shelf, GPU CARD "systems: [{name: s, accelerator: g, nic: c, nics: 4, "
                                      "source: mine}]\n"));
    const struct device_system *s = shelf.catalogue.systems.items;
    assert_int_equal(device_system_bps(&shelf.catalogue, s), INT64_C(1600000000000));
    clear(&shelf);
    assert_true(bind(&shelf, ""));
    clear(&shelf);
}

static void check__names(void **state)
{
    (void)state;
    assert_refused("nics:\n- {name: c, rate: 1Gbps, source: a}\n- {name: c, rate: 2Gbps, source: "
                   "a}\n",
                   "my.yaml:2:1: error: C060: two of nics are called 'c'");
    assert_refused("nics: [{rate: 1Gbps, source: a}]\n", "name");
    assert_refused(GPU CARD "systems: [{name: s, accelerator: gg, nic: c, nics: 4, source: a}]\n",
                   "C061: 'gg' of system 's' is not in the catalogue (did you mean 'g'?)");
    assert_refused(GPU CARD "systems: [{name: s, accelerator: g, nic: efa, nics: 4, source: a}]\n",
                   "C061: 'efa' of system 's' is not in the catalogue\n");
}

static void check__sources(void **state)
{
    (void)state;
    assert_refused("accelerators:\n  - {name: g, bf16_tflops: 1}\n",
                   "my.yaml:2:5: error: C062: source.compute is missing");
    assert_refused("accelerators:\n  - {name: g, memory: 1GB, source: {link: a}}\n",
                   "my.yaml:2:36: error: C062: source.memory is missing");
    assert_refused("accelerators: [{name: g, link_rate: 1GBps}]\n", "C062: source.link");
    assert_refused("accelerators: [{name: g, link_domain: 8, in_switch_reduction: true,"
                   " reduction_efficiency: 0.5}]\n",
                   "C062: source.reduction");
    assert_refused("nics: [{name: c, rate: 1Gbps}]\n", "source");
}

static void check__reduction_and_domains(void **state)
{
    (void)state;
    assert_refused("accelerators: [{name: g, link_domain: 8, link_shape: mesh,"
                   " in_switch_reduction: true, source: {reduction: a}}]\n",
                   "C063: only the switches");
    assert_refused("accelerators: [{name: g, in_switch_reduction: true, source: {reduction: a}}]\n",
                   "C063: only the switches");
    assert_refused("accelerators: [{name: g, link_domain: 8, in_switch_reduction: true,"
                   " source: {reduction: a}}]\n",
                   "C063: in_switch_reduction needs a reduction_efficiency");
    assert_refused(GPU CARD "systems: [{name: s, accelerator: g, gpus: 6, nic: c, nics: 4, source: "
                            "a}]\n",
                   "C064: system 's': servers of 6 do not make up link domains of 8");
}

/* complete reads a topology and completes it. */
static struct tree_node *complete(struct shelf *shelf, const char *text)
{
    struct tree_node *root =
        tree_read_text(&shelf->arena, "t.yaml", text, strlen(text), &shelf->err);
    assert_non_null(root);
    if (!devices_complete(&shelf->arena, root, &shelf->err)) return NULL;
    return root;
}

static const char *value(const struct tree_node *root, const char *section, const char *key)
{
    const struct tree_node *map = tree_find(root, section);
    const struct tree_node *node = map ? tree_find(map, key) : NULL;
    return node ? node->text : "";
}

static void complete__what_is_given_stays(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    const struct tree_node *root = complete(
        &shelf, "node: {accelerator: h100-sxm, gpu_link_rate: 400GBps, device: {memory: 1GB}}\n");
    assert_non_null(root);
    assert_string_equal(value(root, "node", "gpu_link_rate"), "400GBps");
    assert_string_equal(value(root, "node", "gpu_link_efficiency"), "0.816");
    assert_string_equal(value(root, "node", "nvlink_domain"), ""); /* inside a server */
    const struct tree_node *node = tree_find(root, "node");
    assert_string_equal(value(node, "device", "memory"), "1GB");
    assert_string_equal(value(node, "device", "memory_rate"), "26.8Tbps");
    assert_string_equal(value(node, "device", "generation"), "hopper");
    clear(&shelf);
}

static void complete__a_server(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    const struct tree_node *root =
        complete(&shelf, "node: {system: p6e-gb200}\nfabric: {kind: rail}\n");
    assert_non_null(root);
    assert_string_equal(value(root, "node", "accelerator"), "gb200-nvl72");
    assert_string_equal(value(root, "node", "gpus"), "4");
    assert_string_equal(value(root, "node", "nvlink_domain"), "72");
    assert_string_equal(value(root, "fabric", "link_rate"), "200Gbps"); /* 8 rails */
    assert_string_equal(value(root, "collectives", "cpu"), "arm");
    const struct tree_node *software = tree_find(root, "collectives");
    assert_string_equal(value(software, "simple", "channel_rate"), "560Gbps");
    assert_string_equal(value(software, "in_switch", "channel_rate"), "768Gbps");
    root = complete(&shelf, "node: {system: p4d.24xlarge}\nfabric: {kind: single-switch}\n");
    assert_string_equal(value(root, "node", "gpus"), "8");
    assert_string_equal(value(root, "fabric", "link_rate"), ""); /* it has no such key */
    clear(&shelf);
}

/* A server's rate over its ports, whatever the GPUs and the cards behind them. */
static void complete__link_rate_goes_by_the_ports(void **state)
{
    (void)state;
    static const char *const table[][3] = {
        {"p5.48xlarge", "{kind: rail, rails: 32}", "100Gbps"},
        {"p5.48xlarge", "{kind: rail, rails: 8}", "400Gbps"},
        {"p5.48xlarge", "{kind: rail}", "400Gbps"},
        {"p4d.24xlarge", "{kind: rail, rails: 4}", "100Gbps"},
        {"p4d.24xlarge", "{kind: tor, ports: 4}", "100Gbps"},
        {"trn1.32xlarge", "{kind: rail, rails: 8}", "100Gbps"},
        {"trn1.32xlarge", "{kind: rail, rails: 16}", "50Gbps"},
        {"dgx-a100", "{kind: leaf-spine}", "1.6Tbps"},
        {"dgx-a100", "{kind: rail, rails: 8, link_rate: 1Gbps}", "1Gbps"},
        {"dgx-a100", "{kind: rail, rails: 0}", ""}, /* the schema complains, not this */
        {"dgx-a100", "{kind: rail, rails: x}", ""},
        {"dgx-a100", "{kind: rail, rails: [8]}", ""},
    };
    struct shelf shelf = {0};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct tree_node *root =
            complete(&shelf, arena_printf(&shelf.arena, "node: {system: %s}\nfabric: %s\n",
                                          table[i][0], table[i][1]));
        assert_non_null(root);
        assert_string_equal(value(root, "fabric", "link_rate"), table[i][2]);
    }
    clear(&shelf);
}

static void complete__nothing_named(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    const struct tree_node *root = complete(&shelf, "node: {gpus: 4}\n");
    assert_int_equal(tree_find(root, "node")->n, 1);
    root = complete(&shelf, "node: {accelerator: b200, device: 3}\nfabric: 3\n");
    assert_non_null(root); /* the schema complains, not this */
    assert_non_null(complete(&shelf, "node: {accelerator: b200}\ncollectives: 3\n"));
    clear(&shelf);
}

static void complete__unknown_name(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    assert_null(complete(&shelf, "node: {accelerator: h100-sxn}\n"));
    assert_non_null(strstr(shelf.err.messages[0], "t.yaml:1:21: error: C061: unknown accelerator "
                                                  "'h100-sxn' (did you mean 'h100-sxm'?)"));
    assert_null(complete(&shelf, "node: {system: xyz}\n"));
    assert_non_null(strstr(shelf.err.messages[1], "C061: unknown system 'xyz' (`railsim list"));
    clear(&shelf);
}

static void complete__a_file_of_ones_own(void **state)
{
    (void)state;
    char path[] = "/tmp/railsim-devices-XXXXXX";
    int file = mkstemp(path);
    const char *text = GPU;
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    struct shelf shelf = {0};
    const char *topology =
        arena_printf(&shelf.arena, "devices: %s\nnode: {accelerator: g}\n", path);
    const struct tree_node *root = complete(&shelf, topology);
    assert_non_null(root);
    assert_string_equal(value(root, "node", "gpu_link_rate"), "3.6Tbps");
    assert_true(devices_is_catalogue(
        tree_read_text(&shelf.arena, "my.yaml", text, strlen(text), &shelf.err)));
    assert_false(devices_is_catalogue(root));
    unlink(path);
    assert_null(complete(&shelf, topology)); /* the file is gone */
    clear(&shelf);
}

static void names__of_words(void **state)
{
    (void)state;
    assert_string_equal(device_generation_name(TUNER_BLACKWELL), "blackwell");
    assert_string_equal(device_generation_name(TUNER_GENERATIONS), "other");
    assert_string_equal(device_shape_name(DEVICE_TORUS), "torus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__what_issue_4_asks_for),
        cmocka_unit_test(load__figures),
        cmocka_unit_test(load__efficiencies_are_measured),
        cmocka_unit_test(system_bps__published_tables),
        cmocka_unit_test(check__a_catalogue_of_ones_own),
        cmocka_unit_test(check__names),
        cmocka_unit_test(check__sources),
        cmocka_unit_test(check__reduction_and_domains),
        cmocka_unit_test(complete__what_is_given_stays),
        cmocka_unit_test(complete__a_server),
        cmocka_unit_test(complete__link_rate_goes_by_the_ports),
        cmocka_unit_test(complete__nothing_named),
        cmocka_unit_test(complete__unknown_name),
        cmocka_unit_test(complete__a_file_of_ones_own),
        cmocka_unit_test(names__of_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
