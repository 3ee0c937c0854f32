/* test_trace_chakra.c - Chakra traces: the wire format, what nodes mean, files and groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/trace/chakra.h"
#include "models/trace/protobuf.h"
#include "sim/base/units.h"
#include "tests/unit/trace_rig.h"

/* struct bytes: a message under construction. */
struct bytes {
    uint8_t at[4096];
    size_t n;
};

static void varint(struct bytes *to, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        to->at[to->n++] = (uint8_t)(value | 0x80);
    to->at[to->n++] = (uint8_t)value;
}
static void number(struct bytes *to, uint32_t field, uint64_t value)
{
    varint(to, (uint64_t)field << 3);
    varint(to, value);
}
static void data(struct bytes *to, uint32_t field, const void *from, size_t len)
{
    varint(to, (uint64_t)field << 3 | 2);
    varint(to, len);
    memcpy(to->at + to->n, from, len);
    to->n += len;
}
static void text(struct bytes *to, uint32_t field, const char *from)
{
    data(to, field, from, strlen(from));
}
/* An attribute of a node, whose value is field `type` of the oneof. */
static void attr(struct bytes *node, const char *name, uint32_t type, uint64_t value)
{
    struct bytes inside = {.n = 0};
    text(&inside, 1, name);
    number(&inside, type, value);
    data(node, 10, inside.at, inside.n);
}
static void message(struct bytes *file, const struct bytes *body)
{
    varint(file, body->n);
    memcpy(file->at + file->n, body->at, body->n);
    file->n += body->n;
}
/* A file that so far holds its metadata. */
static struct bytes new_file(void)
{
    struct bytes metadata = {.n = 0}, file = {.n = 0};
    text(&metadata, 1, "0.0.4");
    message(&file, &metadata);
    return file;
}
static struct bytes new_node(uint64_t id, uint64_t type)
{
    struct bytes node = {.n = 0};
    number(&node, 1, id);
    number(&node, 3, type);
    return node;
}

static void begin(struct trace_rig *rig, struct trace_build *build)
{
    *rig = (struct trace_rig){0};
    *build = (struct trace_build){.trace = &rig->trace, .arena = &rig->arena, .err = &rig->err};
    trace_build_begin(build, 4);
}

static void read_bytes(struct trace_rig *rig, const void *bytes, size_t len)
{
    struct trace_build build;
    begin(rig, &build);
    FILE *in = trace_rig_open(bytes, len);
    rig->ok = chakra_read_rank(&build, &(struct chakra_file){"c", in, 1});
    fclose(in);
    if (rig->ok) trace_build_end(&build);
    trace_build_free(&build);
    assert_int_equal(rig->ok, rig->err.count == 0);
}

static void refused(const struct bytes *file, const char *expected)
{
    struct trace_rig rig;
    read_bytes(&rig, file->at, file->n);
    trace_rig_said(&rig.err, expected, expected);
    trace_rig_end(&rig);
}

/* A file of this one node is refused. */
static void refused_node(const struct bytes *node, const char *expected)
{
    struct bytes file = new_file();
    message(&file, node);
    refused(&file, expected);
}

static void varint__reads_up_to_64_bits(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct bytes bytes = {.n = 0};
        uint64_t out = 0;
        varint(&bytes, values[i]);
        struct protobuf message_of = {.at = bytes.at, .end = bytes.at + bytes.n};
        assert_true(protobuf_varint(&message_of, &out));
        assert_int_equal(out, values[i]);
        assert_ptr_equal(message_of.at, message_of.end);
        message_of = (struct protobuf){.at = bytes.at, .end = bytes.at + bytes.n - 1};
        assert_false(protobuf_varint(&message_of, &out));
    }
    static const uint8_t many[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
    struct protobuf message_of = {.at = many, .end = many + sizeof many};
    uint64_t out;
    assert_false(protobuf_varint(&message_of, &out));
    assert_string_equal(message_of.wrong, "a number of more than 64 bits");
    assert_int_equal(protobuf_zigzag(0), 0);
    assert_int_equal(protobuf_zigzag(1), -1);
    assert_int_equal(protobuf_zigzag(UINT64_MAX), INT64_MIN);
}

static void read__fills_every_field_of_the_sample(void **state)
{
    (void)state;
    struct trace_rig rig = {0};
    const struct chakra_source source = {"tests/traces/ring", "tests/traces/ring.json", &rig.arena,
                                         &rig.err, 0};
    assert_true(chakra_read(&source, &rig.trace));
    assert_int_equal(rig.trace.rank_n, 4);
    assert_int_equal(rig.trace.group_n, 3);
    assert_int_equal(rig.trace.group[2].n, 2);
    assert_int_equal(trace_member(&rig.trace.group[2], 1), 3);
    const struct trace_rank *rank = &rig.trace.rank[3];
    assert_string_equal(rank->file, "tests/traces/ring.3.et");
    assert_int_equal(rank->op_n, 9);
    const struct trace_op *op = rank->op;
    assert_int_equal(op[0].stream, 0);
    assert_int_equal(op[1].kind, TRACE_COMPUTE);
    assert_int_equal(op[1].duration_ps, 1200 * PS_PER_US);
    assert_int_equal(op[1].flop, 1000000000000);
    assert_int_equal(op[1].bytes, 1 << 20);
    assert_int_equal(op[1].stream, 8);
    assert_int_equal(op[1].place, 2);
    assert_string_equal(rig.trace.name[op[1].name], "forward");
    assert_int_equal(op[2].kind, TRACE_SEND);
    assert_int_equal(op[2].peer, 0);
    assert_int_equal(op[2].tag, 3);
    assert_int_equal(op[2].stream, 2);
    assert_int_equal(op[3].kind, TRACE_RECV);
    assert_int_equal(op[3].peer, 2);
    assert_int_equal(op[3].name, op[2].name);
    assert_int_equal(op[5].collective, TRACE_ALL_REDUCE);
    assert_int_equal(op[5].group, 2);
    assert_int_equal(op[5].bytes, 1 << 26);
    assert_int_equal(op[6].collective, TRACE_ALL_GATHER);
    assert_int_equal(op[6].group, 0);
    assert_int_equal(op[6].bytes, 4 << 24);
    assert_int_equal(op[7].kind, TRACE_LOAD);
    assert_int_equal(op[7].bytes, 1 << 22);
    trace_rig_waits(rank, 1, 2);
    trace_rig_dep(rank, 1, 0, (struct trace_dep){.op = 0, .wait = TRACE_CALLED});
    trace_rig_dep(rank, 1, 1, (struct trace_dep){.op = 0, .wait = TRACE_END});
    trace_rig_dep(rank, 6, 0, (struct trace_dep){.op = 8, .wait = TRACE_END});
    assert_int_equal(rig.trace.lost_calls, 4); /* on node 99, in each rank */
    assert_true(trace_check(&rig.trace, &rig.err));
    trace_rig_end(&rig);
}

static void read__takes_attributes_of_any_number_type(void **state)
{
    (void)state;
    struct bytes file = new_file(), node = new_node(7, 5), inside = {.n = 0};
    const double size = 4096;
    attr(&node, "comm_dst", 15, 4); /* sint32: zigzag of 2 */
    attr(&node, "comm_tag", 11, 9);
    attr(&node, "unknown", 9, 9);
    text(&inside, 1, "comm_size");
    varint(&inside, 3 << 3 | 1);
    memcpy(inside.at + inside.n, &size, sizeof size);
    inside.n += sizeof size;
    data(&node, 10, inside.at, inside.n);
    data(&node, 4000, "later", 5);
    message(&file, &node);
    struct trace_rig rig;
    read_bytes(&rig, file.at, file.n);
    assert_true(rig.ok);
    const struct trace_op *op = &rig.trace.rank[1].op[0];
    assert_int_equal(op->peer, 2);
    assert_int_equal(op->bytes, 4096);
    assert_int_equal(op->tag, 9);
    trace_rig_end(&rig);
}

static void read__knows_reads_and_writes_of_storage(void **state)
{
    (void)state;
    const uint8_t operations[] = {5, 4, 1};
    const enum trace_kind kinds[] = {TRACE_LOAD, TRACE_STORE, TRACE_MARK};
    for (int i = 0; i < 3; i++) {
        struct bytes file = new_file(), node = new_node(7, 8), info = {.n = 0}, fs = {.n = 0};
        number(&fs, 1, operations[i]);
        number(&fs, 5, 123456);
        number(&info, 1, 1);
        data(&info, 10, fs.at, fs.n);
        data(&node, 11, info.at, info.n);
        message(&file, &node);
        struct trace_rig rig;
        read_bytes(&rig, file.at, file.n);
        assert_true(rig.ok);
        assert_int_equal(rig.trace.rank[1].op[0].kind, kinds[i]);
        assert_int_equal(rig.trace.rank[1].op[0].bytes, kinds[i] == TRACE_MARK ? 0 : 123456);
        trace_rig_end(&rig);
    }
}

static void read__names_the_byte_of_a_damage(void **state)
{
    (void)state;
    struct bytes file = {.n = 0}, node = new_node(1, 4);
    refused(&file, "c: error: C085: at byte 0: the file is empty");
    file = new_file(); /* 8 bytes */
    varint(&file, 100);
    number(&file, 1, 1);
    refused(&file, "C085: at byte 9: a message of 100 bytes, but the file ends 2 bytes later");
    file = new_file();
    file.at[file.n++] = 0x80;
    refused(&file, "C085: at byte 8: the file ends in a length");
    file = new_file();
    varint(&file, UINT32_MAX);
    refused(&file, "C085: at byte 8: a message of more than 64 MiB");
    file = new_file();
    varint(&file, UINT64_MAX);
    refused(&file, "C085: at byte 8: the length of a message has more than 32 bits");
    node.at[node.n++] = 0x80; /* 4 bytes before it */
    refused_node(&node, "C085: at byte 13: a number is cut off");
    node = new_node(1, 4);
    varint(&node, 2 << 3 | 2);
    varint(&node, 50);
    refused_node(&node, "C085: at byte 13: a field is longer than what holds it");
    node = new_node(1, 4);
    varint(&node, 9 << 3 | 3);
    refused_node(&node, "C085: at byte 13: a field of a type that is not used any more");
    node = new_node(1, 4);
    text(&node, 7, "soon");
    refused_node(&node, "C085: at byte 13: a field of a node has another type");
    node = new_node(1, 4);
    varint(&node, 0 << 3);
    refused_node(&node, "C085: at byte 13: no field has this number");
    node = new_node(1, 4);
    data(&node, 10, "\x0a\x09num", 5); /* a name of 9 bytes, of which there are 3 */
    refused_node(&node, "C085: at byte 15: a field is longer than what holds it");
}

static void read__lists_the_groups_where_one_is_missing(void **state)
{
    (void)state;
    struct trace_rig rig;
    struct trace_build build;
    struct bytes node = new_node(UINT64_C(1) << 40, 7), group = {.n = 0}, file = new_file();
    static int32_t members[] = {0, 1};
    attr(&node, "comm_type", 9, 0);
    attr(&node, "comm_size", 9, 8);
    text(&group, 1, "pg_name");
    text(&group, 29, "tp");
    data(&node, 10, group.at, group.n);
    message(&file, &node);
    begin(&rig, &build);
    for (int i = 0; i < 2; i++) {
        struct trace_group *added = trace_build_group(&build, i ? "pp" : "dp", 2);
        added->rank = members;
        added->n = 2;
    }
    FILE *in = trace_rig_open(file.at, file.n);
    assert_false(chakra_read_rank(&build, &(struct chakra_file){"c", in, 1}));
    trace_rig_said(&rig.err,
                   "node 1099511627776: no group 'tp' among the process groups: 'dp', 'pp'", "tp");
    fclose(in);
    trace_build_free(&build);
    trace_rig_end(&rig);
}

static void read__names_the_node_of_a_mistake(void **state)
{
    (void)state;
    struct bytes node = new_node(7, 11);
    refused_node(&node, "C086: at byte 9: node 7 is of type 11; known are 0 to 10");
    node = new_node(7, 5);
    refused_node(&node, "C086: at byte 9: node 7 has no comm_dst");
    attr(&node, "comm_dst", 9, 4);
    refused_node(&node, "node 7: comm_dst 4 is not from 0 to 3");
    node = new_node(7, 7);
    refused_node(&node, "node 7 has no comm_type");
    attr(&node, "comm_type", 9, 10);
    refused_node(&node, "node 7: comm_type 10 is not from 0 to 9");
    node = new_node(7, 7);
    attr(&node, "comm_type", 9, 0);
    refused_node(&node, "node 7 has no comm_size");
    struct bytes group = {.n = 0};
    text(&group, 1, "pg_name");
    text(&group, 29, "dp");
    data(&node, 10, group.at, group.n);
    refused_node(&node, "node 7: no file of process groups says who is in 'dp'");
    node = new_node(7, 4);
    number(&node, 7, UINT64_MAX);
    refused_node(&node, "node 7: lasts longer than 106 days");
    node = new_node(7, 4);
    number(&node, 5, 8);
    refused_node(&node, "c: error: C086: node 7 waits for node 8, which is not in the file");
    node = new_node(7, 4);
    number(&node, 5, 7);
    refused_node(&node, "c: error: C088: node 7 of rank 1 never starts");
    struct bytes file = new_file();
    node = new_node(7, 4);
    message(&file, &node);
    message(&file, &node);
    refused(&file, "C086: at byte 14: node 7: an earlier node has this id");
    node = new_node(7, 7);
    attr(&node, "comm_type", 9, 2);
    attr(&node, "comm_size", 9, UINT64_C(1) << 49);
    refused_node(&node, "node 7: all ranks together gather more than 2^50 bytes");
    node = new_node(7, 4);
    group.n = 0;
    text(&group, 1, "num_ops");
    text(&group, 29, "many");
    data(&node, 10, group.at, group.n);
    refused_node(&node, "an attribute that should be a whole number is none");
}

static void groups(const char *json, const char *expected)
{
    struct trace_rig rig;
    struct trace_build build;
    begin(&rig, &build);
    FILE *in = trace_rig_open(json, strlen(json));
    rig.ok = chakra_read_groups(&build, "j", in);
    fclose(in);
    trace_build_free(&build);
    if (expected) {
        assert_false(rig.ok);
        trace_rig_said(&rig.err, expected, json);
    } else {
        assert_true(rig.ok);
        assert_int_equal(rig.err.count, 0);
    }
    trace_rig_end(&rig);
}

static void groups__read_one_shape_of_json(void **state)
{
    (void)state;
    groups("{}", NULL);
    groups(" { \"a\\\"b\" : [ 3 ,0 ] ,\n\"1\":[1]}\n", NULL);
    groups("", "j:1:1: error: C087: expected '{', found the end of the file");
    groups("{\"a\": [0],}", "j:1:11: error: C087: expected '\"', found '}'");
    groups("{\"a\": [4]}", "j:1:8: error: C087: no rank from 0 to 3");
    groups("{\"a\": [99999999999999999999]}", "j:1:8: error: C087: no rank from 0 to 3");
    groups("{\"a\": [0, 0]}", "j:1:11: error: C087: rank 0 twice in one group");
    groups("{\"a\": []}", "j:1:8: error: C087: expected a rank, found ']'");
    groups("{\"a\": 0}", "j:1:7: error: C087: expected '[', found '0'");
    groups("{\"a\": [0],\n\"a\": [1]}", "j:2:1: error: C087: a second group 'a'");
    groups("{\"\": [0]}", "j:1:2: error: C087: a group without a name");
    groups("{\"\\u0041\": [0]}", "j:1:4: error: C087: no plain character");
    groups("{\"a", "j:1:4: error: C087: no plain character");
    groups("{\"a\": [0]} x", "j:1:12: error: C087: something behind the last '}'");
}

static void files__are_counted(void **state)
{
    (void)state;
    struct trace_rig rig = {0};
    struct chakra_source source = {"tests/traces/none", NULL, &rig.arena, &rig.err, 0};
    assert_false(chakra_read(&source, &rig.trace));
    trace_rig_said(&rig.err, "tests/traces/none: error: C083: there is no file tests/traces/none.0",
                   "none");
    trace_rig_end(&rig);
    rig = (struct trace_rig){0};
    source.name = "tests/nowhere/ring";
    assert_false(chakra_read(&source, &rig.trace));
    trace_rig_said(&rig.err, "tests/nowhere/: error: C083: cannot read: No such file", "nowhere");
    trace_rig_end(&rig);
    rig = (struct trace_rig){0};
    source.name = "tests/traces/ring";
    assert_false(chakra_read(&source, &rig.trace));
    trace_rig_said(&rig.err, "tests/traces/ring.0.et: error: C086: at byte", "no groups");
    trace_rig_end(&rig);
    rig = (struct trace_rig){0};
    source.ranks_max = 3;
    assert_false(chakra_read(&source, &rig.trace));
    trace_rig_said(&rig.err,
                   "C083: 4 files, but the last one is tests/traces/ring.3.et: ranks "
                   "count 0, 1, 2, ..., here up to 2",
                   "too many");
    trace_rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varint__reads_up_to_64_bits),
        cmocka_unit_test(read__fills_every_field_of_the_sample),
        cmocka_unit_test(read__takes_attributes_of_any_number_type),
        cmocka_unit_test(read__knows_reads_and_writes_of_storage),
        cmocka_unit_test(read__names_the_byte_of_a_damage),
        cmocka_unit_test(read__lists_the_groups_where_one_is_missing),
        cmocka_unit_test(read__names_the_node_of_a_mistake),
        cmocka_unit_test(groups__read_one_shape_of_json),
        cmocka_unit_test(files__are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
