/* test_tree.c - YAML text to nodes with places, and everything that is refused. */
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

#define BOMB_MS 100 /* in which hostile input must be refused */

struct fixture {
    struct arena arena;
    struct err err;
    struct tree_node *root;
    double ms;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct fixture read_bytes(const char *text, size_t len)
{
    struct fixture f = {0};
    double start = now_ms();
    f.root = tree_read_text(&f.arena, "x.yaml", text, len, &f.err);
    f.ms = now_ms() - start;
    return f;
}

static struct fixture read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void drop(struct fixture *f)
{
    err_free(&f->err);
    arena_free(&f->arena);
}

/* There is a tree beside errors exactly where all of them are duplicate keys. */
static void assert_root(const struct fixture *f)
{
    bool duplicates = true;
    for (int i = 0; i < f->err.count && i < ERR_CAP; i++)
        duplicates = duplicates && strstr(f->err.messages[i], "error: duplicate key '");
    assert_int_equal(f->root != NULL, duplicates);
}

/* refused: text is refused with exactly these messages (every line with its newline). */
static void refused_bytes(const char *text, size_t len, const char *expected)
{
    struct fixture f = read_bytes(text, len);
    assert_messages(&f.err, expected);
    assert_root(&f);
    assert_int_equal(f.err.exit_code, 2);
    assert_true(f.ms < BOMB_MS);
    drop(&f);
}

static void refused(const char *text, const char *expected)
{
    refused_bytes(text, strlen(text), expected);
}

/* refused_at checks only the first line of the only message. */
static void refused_at(const char *text, size_t len, const char *expected)
{
    struct fixture f = read_bytes(text, len);
    assert_root(&f);
    assert_int_equal(f.err.count, 1);
    f.err.messages[0][strcspn(f.err.messages[0], "\n")] = 0;
    assert_string_equal(f.err.messages[0], expected);
    assert_true(f.ms < BOMB_MS);
    drop(&f);
}

static const struct tree_node *find(const struct tree_node *map, const char *key)
{
    const struct tree_node *node = tree_find(map, key);
    assert_non_null(node);
    return node;
}

static void tree_read_text__nodes_with_places(void **state)
{
    (void)state;
    struct fixture f = read_text("wan:\n  rtt: 15ms  # comment\n  \"n\xc3\xa4me\": 'a: b'\n"
                                 "list: [1, {x: 2}]\nnone:\ntext: |\n  two\n  lines\n");
    assert_messages(&f.err, "");
    assert_int_equal(f.root->kind, TREE_MAP);
    assert_int_equal(f.root->n, 4);
    const struct tree_node *rtt = find(find(f.root, "wan"), "rtt");
    assert_string_equal(rtt->text, "15ms");
    assert_false(rtt->quoted);
    assert_string_equal(rtt->pos.file, "x.yaml");
    assert_int_equal(rtt->pos.line, 2);
    assert_int_equal(rtt->pos.col, 8);
    assert_int_equal(rtt->key_pos.col, 3);
    assert_string_equal(rtt->pos.line_text, "  rtt: 15ms  # comment");
    const struct tree_node *name = find(find(f.root, "wan"), "n\xc3\xa4me");
    assert_ptr_equal(rtt->next, name);
    assert_true(name->quoted);
    assert_int_equal(name->pos.col, 11); /* in characters */
    const struct tree_node *list = find(f.root, "list");
    assert_int_equal(list->kind, TREE_LIST);
    assert_int_equal(list->n, 2);
    assert_string_equal(find(list->last, "x")->text, "2");
    assert_string_equal(find(f.root, "none")->text, "");
    assert_string_equal(find(f.root, "text")->text, "two\nlines\n");
    drop(&f);
}

static void tree_read_text__empty_is_an_empty_map(void **state)
{
    (void)state;
    const char *const texts[] = {"", "# only a comment\n", "---\n", "%YAML 1.1\n---\n",
                                 "\xEF\xBB\xBF"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fixture f = read_text(texts[i]);
        assert_messages(&f.err, "");
        assert_int_equal(f.root->kind, TREE_MAP);
        assert_int_equal(f.root->n, 0);
        drop(&f);
    }
}

static void tree_read_text__duplicate_keys_all_reported(void **state)
{
    (void)state;
    refused("a: 1\nb: 2\na: {p: 3}\nc:\n  x: 1\n  y: 2\n  x: 3\n",
            "x.yaml:3:1: error: duplicate key 'a' (first on line 1)\n  a: {p: 3}\n  ^\n"
            "x.yaml:7:3: error: duplicate key 'x' (first on line 5)\n    x: 3\n    ^\n");
    struct fixture f = read_text("a: {x: 1}\nb: {x: 1}\nx: 1\n"); /* different maps: fine */
    assert_messages(&f.err, "");
    drop(&f);
}

static void tree_read_text__alias_copies(void **state)
{
    (void)state;
    struct fixture f = read_text("a: &p {x: 1}\nb: *p\nc: [*p, &p 5, *p]\n");
    assert_messages(&f.err, "");
    const struct tree_node *b = find(f.root, "b");
    assert_ptr_not_equal(b, find(f.root, "a"));
    assert_string_equal(find(b, "x")->text, "1");
    assert_int_equal(b->key_pos.line, 2);
    assert_int_equal(find(b, "x")->pos.line, 1); /* where it is written */
    assert_string_equal(find(f.root, "c")->last->text,
                        "5"); /* a later anchor takes the name over */
    assert_string_equal(find(find(f.root, "c")->first, "x")->text, "1");
    drop(&f);
}

static void tree_read_text__alias_mistakes(void **state)
{
    (void)state;
    refused("a: *b\n", "x.yaml:1:4: error: unknown alias '*b'\n  a: *b\n     ^\n");
    refused("a: &a\n  b: [1, *a]\n",
            "x.yaml:2:10: error: alias '*a' contains itself\n    b: [1, *a]\n           ^\n");
    refused("a: &a x\n*a : 2\n",
            "x.yaml:2:1: error: a key must be a word, not an alias\n  *a : 2\n  ^\n");
    refused("x: &x {a: 1}\ny:\n  <<: *x\n",
            "x.yaml:3:3: error: merge keys ('<<') are not supported; write the keys out\n"
            "    <<: *x\n    ^\n");
}

static void tree_read_text__alias_bomb(void **state)
{
    (void)state;
    char text[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) {
            len = strlen(text);
            snprintf(text + len, sizeof text - len, "*a%d%s", i - 1, j < 9 ? ", " : "]\n");
        }
    }
    refused_at(text, strlen(text), "x.yaml:4:45: error: more than 1000 alias expansions");
}

static void tree_read_text__alias_count(void **state)
{
    (void)state;
    char text[8192] = "a: &a 1\nb: [";
    for (int i = 0; i < 1000; i++)
        strcat(text, "*a, ");
    strcat(text, "]\n");
    struct fixture f = read_text(text);
    assert_messages(&f.err, "");
    assert_int_equal(find(f.root, "b")->n, 1000);
    drop(&f);
    strcpy(strrchr(text, ']'), "*a]\n");
    refused_at(text, strlen(text), "x.yaml:2:4005: error: more than 1000 alias expansions");
}

/* repeat appends word n times and returns the new end. */
static char *repeat(char *at, const char *word, int n)
{
    while (n-- > 0)
        at = stpcpy(at, word);
    return at;
}

static void tree_read_text__deep_nesting(void **state)
{
    (void)state;
    static char text[100100];
    char *end = repeat(text, "[", 50000);
    refused_at(text, (size_t)(end - text), "x.yaml:1:65: error: nested deeper than 64 levels");
    end = repeat(text, "- ", 50000);
    refused_at(text, (size_t)(end - text), "x.yaml:1:129: error: nested deeper than 64 levels");
    end = repeat(text, "{a: ", 20000);
    refused_at(text, (size_t)(end - text), "x.yaml:1:257: error: nested deeper than 64 levels");
    end = repeat(text, "[\n", 50000);
    refused_at(text, (size_t)(end - text), "x.yaml:65:1: error: nested deeper than 64 levels");
    end = repeat(repeat(text, "[", 64), "]", 64);
    struct fixture f = read_bytes(text, (size_t)(end - text));
    assert_messages(&f.err, "");
    drop(&f);
}

static void tree_read_text__deep_by_alias(void **state)
{
    (void)state;
    char text[512] = "a: &a ";
    strcpy(repeat(repeat(text + strlen(text), "[", 40), "]", 40), "\nb: ");
    char *end = stpcpy(repeat(text + strlen(text), "[", 23), "*a"); /* 1 + 23 + 40 = 64 */
    repeat(end, "]", 23);
    struct fixture f = read_text(text);
    assert_messages(&f.err, "");
    drop(&f);
    end = stpcpy(repeat(strchr(text, 'b') + 3, "[", 24), "*a");
    repeat(end, "]", 24);
    refused_at(text, strlen(text), "x.yaml:2:28: error: nested deeper than 64 levels");
}

static void tree_read_text__too_many_nodes(void **state)
{
    (void)state;
    size_t len = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &len); /* 1,000 values, then 1,000 copies of them */
    fprintf(out, "a: &a [0");
    for (int i = 1; i < 1000; i++)
        fprintf(out, ", %d", i);
    fprintf(out, "]\nb: [*a");
    for (int i = 1; i < 1000; i++)
        fprintf(out, ", *a");
    fprintf(out, "]\n");
    fclose(out);
    struct fixture f = read_bytes(text, len);
    assert_null(f.root);
    f.err.messages[0][strcspn(f.err.messages[0], "\n")] = 0;
    /* 1 + 1 + 1,000 before b, 1 for b, 1,001 for each copy: the 998th alias is too much */
    assert_string_equal(f.err.messages[0],
                        "x.yaml:2:3993: error: more than 1000000 values in one file");
    drop(&f);
    free(text);
}

static void tree_read_text__broken_utf8(void **state)
{
    (void)state;
    refused("wan:\n  rtt: 15ms\n  n\xc3\xa4me: x\xff\n",
            "x.yaml:3:10: error: invalid leading UTF-8 octet\n    n\xc3\xa4me: x?\n           ^\n");
    refused("\xEF\xBB\xBF"
            "a: \xc0\x80\n",
            "x.yaml:1:4: error: invalid length of a UTF-8 sequence\n  a: ??\n     ^\n");
    refused("a: b\xe2\x82\n",
            "x.yaml:1:5: error: invalid trailing UTF-8 octet\n  a: b??\n      ^\n");
    refused("a: \x1b[31m\n",
            "x.yaml:1:4: error: control characters are not allowed\n  a: ?[31m\n     ^\n");
}

static void tree_read_text__not_a_text(void **state)
{
    (void)state;
    refused_bytes("a: 1\nb: 2\0003\n", 12,
                  "x.yaml:2:5: error: a NUL byte; is this a text file?\n  b: 2\n      ^\n");
    refused_bytes("\xff\xfe"
                  "a\0:\0",
                  6, "x.yaml:1:4: error: a NUL byte; is this a text file?\n  ??a\n     ^\n");
    refused_bytes("\xEF\xBB\xBF\0", 4,
                  "x.yaml:1:1: error: a NUL byte; is this a text file?\n  \n  ^\n");
}

static void tree_read_text__control_characters_by_escape(void **state)
{
    (void)state;
    refused("a: \"x\\0y\"\n\"\\e[31m\": 2\nb: \"\\x85\"\n",
            "x.yaml:1:4: error: a control character in a string\n  a: \"x\\0y\"\n     ^\n"
            "x.yaml:2:1: error: a control character in a string\n  \"\\e[31m\": 2\n  ^\n"
            "x.yaml:3:4: error: a control character in a string\n  b: \"\\x85\"\n     ^\n");
    struct fixture f = read_text("a: \"x\\ty\\n\\u00e4\"\n");
    assert_string_equal(find(f.root, "a")->text, "x\ty\n\xc3\xa4");
    drop(&f);
}

static void tree_read_text__syntax(void **state)
{
    (void)state;
    refused(
        "wan:\n\trtt: 15ms\n",
        "x.yaml:2:1: error: found character that cannot start any token (while scanning for the "
        "next token); this is a tab: indent with spaces\n   rtt: 15ms\n  ^\n");
    refused("wan:\n  rtt: 1\n rate: 2\n",
            "x.yaml:3:2: error: did not find expected key (while parsing a block mapping, line 1)\n"
            "   rate: 2\n   ^\n");
    refused("a: [1, 2\nb: 3\n",
            "x.yaml:2:2: error: did not find expected ',' or ']' (while parsing a flow sequence, "
            "line 1)\n  b: 3\n   ^\n");
    refused("a: \"never closed\nb: 3\n",
            "x.yaml:3:1: error: found unexpected end of stream (while scanning a quoted scalar, "
            "line 1)\n  \n  ^\n");
    refused("a: b: c\n", "x.yaml:1:5: error: mapping values are not allowed in this context\n"
                         "  a: b: c\n      ^\n");
    refused("a: 1\na: 2\nb: [\n", /* what came before is reported, too */
            "x.yaml:2:1: error: duplicate key 'a' (first on line 1)\n  a: 2\n  ^\n"
            "x.yaml:4:1: error: did not find expected node content (while parsing a flow node)\n"
            "  \n  ^\n");
}

static void tree_read_text__second_document(void **state)
{
    (void)state;
    refused("a: 1\n---\na: 2\n",
            "x.yaml:2:1: error: a second document; one file holds one document\n  ---\n  ^\n");
    struct fixture f = read_text("---\na: 1\n...\n");
    assert_messages(&f.err, "");
    drop(&f);
}

static void tree_read_text__unsupported(void **state)
{
    (void)state;
    refused("a: !!int 5\nb: !x [1]\n",
            "x.yaml:1:4: error: tags ('tag:yaml.org,2002:int') are not supported\n"
            "  a: !!int 5\n     ^\n"
            "x.yaml:2:4: error: tags ('!x') are not supported\n  b: !x [1]\n     ^\n");
    refused("%TAG !x! tag:x,2000:\n---\na: 1\n",
            "x.yaml:1:1: error: directives are not supported\n  %TAG !x! tag:x,2000:\n  ^\n");
    refused("[a, b]: 1\n", "x.yaml:1:1: error: a key must be a word, not a list or a section\n"
                           "  [a, b]: 1\n  ^\n");
    refused("\"\": 1\n\"a\\nb\": 3\n",
            "x.yaml:1:1: error: a key must not be empty\n  \"\": 1\n  ^\n"
            "x.yaml:2:1: error: a key must not contain a line break\n  \"a\\nb\": 3\n  ^\n");
}

static void tree_read_text__line_ends(void **state)
{
    (void)state;
    refused("a: 1\r\nb: 2\r\na: 3\r\n",
            "x.yaml:3:1: error: duplicate key 'a' (first on line 1)\n  a: 3\n  ^\n");
    refused("a: 1\xc2\x85"
            "b: 2\xe2\x80\xa8"
            "a: 3\r",
            "x.yaml:3:1: error: duplicate key 'a' (first on line 1)\n  a: 3\n  ^\n");
}

static void tree_read_text__hash_of_many_keys(void **state)
{
    (void)state;
    static char text[200000];
    char *at = text;
    for (int i = 0; i < 10000; i++)
        at += sprintf(at, "key%d: %d\n", i, i);
    struct fixture f = read_bytes(text, (size_t)(at - text));
    assert_messages(&f.err, "");
    assert_int_equal(f.root->n, 10000);
    drop(&f);
    at += sprintf(at, "key5000: 1\n");
    refused_at(text, (size_t)(at - text),
               "x.yaml:10001:1: error: duplicate key 'key5000' (first on line 5001)");
}

static void tree_find__only_in_maps(void **state)
{
    (void)state;
    struct fixture f = read_text("a: [b]\n");
    assert_null(tree_find(f.root, "b"));
    assert_null(tree_find(find(f.root, "a"), "b"));
    drop(&f);
}

static void tree_library__names_the_version(void **state)
{
    (void)state;
    assert_string_equal(tree_library(), "libyaml 0.2.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_read_text__nodes_with_places),
        cmocka_unit_test(tree_read_text__empty_is_an_empty_map),
        cmocka_unit_test(tree_read_text__duplicate_keys_all_reported),
        cmocka_unit_test(tree_read_text__alias_copies),
        cmocka_unit_test(tree_read_text__alias_mistakes),
        cmocka_unit_test(tree_read_text__alias_bomb),
        cmocka_unit_test(tree_read_text__alias_count),
        cmocka_unit_test(tree_read_text__deep_nesting),
        cmocka_unit_test(tree_read_text__deep_by_alias),
        cmocka_unit_test(tree_read_text__too_many_nodes),
        cmocka_unit_test(tree_read_text__broken_utf8),
        cmocka_unit_test(tree_read_text__not_a_text),
        cmocka_unit_test(tree_read_text__control_characters_by_escape),
        cmocka_unit_test(tree_read_text__syntax),
        cmocka_unit_test(tree_read_text__second_document),
        cmocka_unit_test(tree_read_text__unsupported),
        cmocka_unit_test(tree_read_text__line_ends),
        cmocka_unit_test(tree_read_text__hash_of_many_keys),
        cmocka_unit_test(tree_find__only_in_maps),
        cmocka_unit_test(tree_library__names_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
