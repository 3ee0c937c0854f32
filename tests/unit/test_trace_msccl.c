/* test_trace_msccl.c - MSCCL XML: the subset of XML, the tables, and what does not fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/trace/msccl.h"
#include "models/trace/xml.h"
#include "tests/unit/trace_rig.h"

struct reading {
    struct trace_rig rig;
    struct msccl algorithm;
};

static void read_text(struct reading *reading, const char *text)
{
    *reading = (struct reading){0};
    FILE *in = trace_rig_open(text, strlen(text));
    const struct msccl_source source = {"x", in, &reading->rig.arena, &reading->rig.err};
    reading->rig.ok = msccl_read(&source, &reading->algorithm);
    fclose(in);
    assert_int_equal(reading->rig.ok, reading->rig.err.count == 0);
}

static void refused(const char *text, const char *expected)
{
    struct reading reading;
    read_text(&reading, text);
    trace_rig_said(&reading.rig.err, expected, text);
    trace_rig_end(&reading.rig);
}

#define ALGO                                                                                       \
    "<algo name=\"a\" proto=\"LL\" nchannels=\"2\" nchunksperloop=\"2\" ngpus=\"2\" "              \
    "coll=\"allreduce\" inplace=\"0\">\n"
#define GPU(id) "<gpu id=\"" id "\" i_chunks=\"2\" o_chunks=\"2\" s_chunks=\"1\">\n"
#define TB(id, send, recv) "<tb id=\"" id "\" send=\"" send "\" recv=\"" recv "\" chan=\"0\">\n"
#define STEP(s, type, at, dep)                                                                     \
    "<step s=\"" s "\" type=\"" type "\" srcbuf=\"i\" srcoff=\"" at "\" dstbuf=\"o\" dstoff=\"" at \
    "\" cnt=\"1\" " dep " hasdep=\"0\"/>\n"
#define NO "depid=\"-1\" deps=\"-1\""
#define END_TB "</tb>"
#define END_GPU "</tb></gpu>"
#define END "</tb></gpu></algo>"

static void read__fills_the_tables_of_the_sample(void **state)
{
    (void)state;
    struct trace_rig rig = {0};
    struct msccl algorithm;
    assert_true(msccl_read(
        &(struct msccl_source){"tests/traces/ring.xml", NULL, &rig.arena, &rig.err}, &algorithm));
    assert_string_equal(algorithm.name, "ring");
    assert_int_equal(algorithm.gpu_n, 4);
    assert_int_equal(algorithm.step_n, 28);
    assert_int_equal(algorithm.coll, COLL_ALL_REDUCE);
    assert_int_equal(algorithm.protocol, COLL_SIMPLE);
    assert_true(algorithm.in_place);
    assert_int_equal(algorithm.bytes_max, INT64_MAX);
    const struct msccl_block *block = &algorithm.gpu[2].block[0];
    assert_int_equal(algorithm.gpu[2].chunks[MSCCL_OUTPUT], 4);
    assert_int_equal(block->send, 3);
    assert_int_equal(block->recv, 1);
    assert_int_equal(block->step_n, 7);
    assert_int_equal(block->step[1].type, MSCCL_RECV_REDUCE_SEND);
    assert_int_equal(block->step[1].src, MSCCL_OUTPUT);
    assert_int_equal(block->step[1].src_offset, 1);
    assert_int_equal(block->step[6].type, MSCCL_RECV);
    assert_int_equal(block->step[6].dep_block, -1);
    assert_int_equal(block->step[0].line, 26);
    trace_rig_end(&rig);
}

/* Two GPUs exchange; tb 1 of each adds up what tb 0 has received. */
static void read__knows_dependencies(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading,
              "<?xml version=\"1.0\"?><!-- two - of them -->" ALGO GPU("1") TB("0", "0", "0")
                  STEP("0", "s", "0", NO) STEP("1", "r", "0", NO) END_TB TB("1", "-1", "-1")
                      STEP("0", "re", "1", "depid='0' deps=\"1\"") END_GPU GPU("0")
                          TB("0", "1", "1") STEP("0", "s", "0", NO) STEP("1", "rrc", "0", NO) END);
    assert_true(reading.rig.ok);
    const struct msccl_step *step = &reading.algorithm.gpu[1].block[1].step[0];
    assert_int_equal(step->dep_block, 0);
    assert_int_equal(step->dep_step, 1);
    assert_int_equal(step->type, MSCCL_REDUCE);
    assert_int_equal(reading.algorithm.gpu[0].block[0].step[1].type, MSCCL_RECV_REDUCE_COPY);
    trace_rig_end(&reading.rig);
}

static void read__names_the_place_of_an_xml_error(void **state)
{
    (void)state;
    refused("", "x:1:1: error: C058: the file holds no 'algo'");
    refused("algo", "x:1:1: error: C057: expected '<', found 'a'");
    refused("<!DOCTYPE algo>", "x:1:1: error: C057: no comment; DOCTYPE and CDATA are not read");
    refused("<!-- algo", "x:1:1: error: C057: this comment does not end");
    refused("<!-- a -- b -->", "x:1:10: error: C057: expected '>', found ' '");
    refused("<?xml", "x:1:6: error: C057: expected '?>', found the end of the file");
    refused("<algo a=1>", "x:1:9: error: C057: expected a value in quotes, found '1'");
    refused("<algo a=\"1\"b=\"2\">",
            "x:1:12: error: C057: expected a blank, '>' or '/>', found 'b'");
    refused("<algo\n a=\"1\" a=\"2\">", "x:2:8: error: C057: a second 'a'");
    refused("<algo a=\"&nbsp;\">", "x:1:10: error: C057: '&' stands for no character");
    refused("<algo a=\"&#0;\">", "x:1:10: error: C057: '&' stands for no character");
    refused("<algo a=\"<\">", "x:1:10: error: C057: expected the end of a value, found '<'");
    refused("<algo a=\"1", "x:1:11: error: C057: expected the end of a value, found the end of");
    refused(ALGO "</algorithm>", "x:2:1: error: C057: </algorithm> closes nothing; open is <algo>");
    refused(ALGO GPU("0"), "x:3:1: error: C057: the file ends, but <gpu> is open");
    refused("<algo/ >", "x:1:7: error: C057: expected '>', found ' '");
}

static void next__reads_entities_and_limits_depth(void **state)
{
    (void)state;
    static const char text[] = "<a v='&lt;&#65;&#x42;&amp;\n&quot;'><b/></a> <a><a><a><a><a><a><a>"
                               "<a><a><a><a><a><a><a><a><a><a>";
    struct trace_rig rig = {0};
    FILE *in = trace_rig_open(text, strlen(text));
    struct xml xml = {.text = {.file = "x", .in = in, .arena = &rig.arena, .err = &rig.err}};
    xml_begin(&xml);
    assert_int_equal(xml_next(&xml), XML_OPEN);
    assert_string_equal(xml.attr[0].value, "<AB& \"");
    assert_int_equal(xml_next(&xml), XML_OPEN);
    assert_string_equal(xml.name, "b");
    assert_int_equal(xml_next(&xml), XML_CLOSE);
    assert_string_equal(xml.name, "b");
    assert_int_equal(xml_next(&xml), XML_CLOSE);
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        assert_int_equal(xml_next(&xml), XML_OPEN);
    assert_int_equal(xml_next(&xml), XML_WRONG);
    trace_rig_said(&rig.err, "C057: elements are nested deeper than 16", "deep");
    fclose(in);
    trace_rig_end(&rig);
}

static void read__names_the_place_of_a_mistake(void **state)
{
    (void)state;
    refused("<algorithm/>", "x:1:1: error: C058: <algorithm> has no place here; expected <algo>");
    refused("<algo/>", "x:1:1: error: C058: <algo> needs proto");
    refused("<algo proto=\"LL12\"/>",
            "x:1:7: error: C058: proto 'LL12' is not known (did you mean 'LL");
    refused(ALGO "</algo>", "x: error: C058: ngpus is 2, but there is no gpu 0");
    refused(ALGO "</algo>" ALGO, "x:2:8: error: C058: a second outermost element: 'algo'");
    refused(ALGO GPU("2"), "x:2:6: error: C058: id is no number from 0 to 1");
    refused(ALGO GPU("0") "</gpu>" GPU("0"), "x:3:7: error: C058: a second gpu '0'");
    refused(ALGO "<gpu id=\"0\" i_chunks=\"3\" o_chunks=\"2\" s_chunks=\"1\"/>",
            "x:2:1: error: C058: i_chunks does not fit nchunksperloop 2 (of 1 GPUs)");
    refused(ALGO "<gpu id=\"0\" i_chunks=\"2\" o_chunks=\"2\" s_chunks=\"1\" rails=\"1\"/>",
            "x:2:52: error: C058: unknown attribute 'rails' of <gpu>");
    refused(ALGO GPU("0") TB("1", "1", "1"), "x:3:5: error: C058: id is no number from 0 to 0");
    refused(ALGO GPU("0") TB("0", "0", "1"),
            "x:3:1: error: C058: a GPU that exchanges with itself: '0'");
    refused(ALGO GPU("0") TB("0", "1", "2"), "x:3:21: error: C058: recv is no number from -1 to 1");
    refused(ALGO GPU("0") TB("0", "1", "1") STEP("1", "s", "0", NO),
            "C058: s is no number from 0 to 0");
    refused(ALGO GPU("0") TB("0", "1", "1") STEP("0", "ra", "0", NO),
            "C058: type 'ra' is not known");
    refused(ALGO GPU("0") TB("0", "1", "1") STEP("0", "s", "2", NO),
            "srcoff to srcoff + cnt is not");
    refused(ALGO GPU("0") TB("0", "1", "1") STEP("0", "r", "-1", NO),
            "dstoff to dstoff + cnt is not");
    refused(ALGO GPU("0") TB("0", "-1", "1") STEP("0", "s", "0", NO), "the tb sends to no GPU");
    refused(ALGO GPU("0") TB("0", "1", "-1") STEP("0", "rcs", "0", NO),
            "the tb receives from no GPU");
    refused(ALGO GPU("0") TB("0", "1", "1") STEP("0", "s", "0", "depid=\"-1\" deps=\"0\""),
            "only one of depid and deps is -1");
    refused(ALGO GPU("0") TB("0", "1", "1") "<step></step><step/>", "C058: <step> needs s");
    refused(ALGO GPU("0") TB("0", "1", "1") STEP("0", "s", "0", NO) "<gpu/>",
            "C058: <gpu> has no place here; expected <step>");
}

static void check__finds_what_does_not_fit_together(void **state)
{
    (void)state;
#define PAIR(steps0, steps1)                                                                       \
    ALGO GPU("0") TB("0", "1", "1") steps0 END_GPU GPU("1") TB("0", "0", "0") steps1 END
    refused(PAIR(STEP("0", "s", "0", NO), ""),
            "x:4:1: error: C059: no receive at gpu 1 takes what gpu 0 sends here");
    refused(PAIR("", STEP("0", "r", "0", NO)),
            "error: C059: gpu 0 sends nothing that gpu 1 could receive here");
    refused(PAIR(STEP("0", "nop", "0", "depid=\"1\" deps=\"0\""), ""),
            "x:4:1: error: C059: waits for step 0 of tb 1, but gpu 0 has none");
    refused(PAIR(STEP("0", "nop", "0", "depid=\"0\" deps=\"1\""), ""),
            "x:4:1: error: C059: waits for step 1 of tb 0, but gpu 0 has none");
    refused(PAIR(STEP("0", "nop", "0", "depid=\"0\" deps=\"0\""), ""),
            "x:4:1: error: C059: waits for itself or a later step of its tb");
    refused(PAIR(STEP("0", "r", "0", NO) STEP("1", "s", "0", NO),
                 STEP("0", "r", "0", NO) STEP("1", "s", "0", NO)),
            "x:4:1: error: C059: step 0 of tb 0 of gpu 0 never runs");
    refused(PAIR(STEP("0", "s", "0", NO) END_TB TB("1", "1", "-1") STEP("0", "s", "0", NO), ""),
            "x:5:1: error: C059: tb 0 already sends to gpu 1 on channel 0");
    static const char two[] =
        "<step s=\"0\" type=\"r\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"o\" dstoff=\"0\" cnt=\"2\" " NO
        " hasdep=\"0\"/>";
    char text[2048];
    snprintf(text, sizeof text, PAIR(STEP("0", "s", "0", NO), "%s"), two);
    refused(text, "error: C059: receives 2 chunks, but the send in line 4 has 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__fills_the_tables_of_the_sample),
        cmocka_unit_test(read__knows_dependencies),
        cmocka_unit_test(read__names_the_place_of_an_xml_error),
        cmocka_unit_test(next__reads_entities_and_limits_depth),
        cmocka_unit_test(read__names_the_place_of_a_mistake),
        cmocka_unit_test(check__finds_what_does_not_fit_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
