/* test_tree_set.c - overrides by --set. */
#include <string.h>

#include "tests/unit/tree_fixture.h"

static struct fixture read_text(const char *text)
{
    struct fixture f = {0};
    f.root = tree_read_text(&f.arena, "x.yaml", text, strlen(text), &f.err);
    return f;
}

/* repeat appends word n times and returns the new end. */
static char *repeat(char *at, const char *word, int n)
{
    while (n-- > 0)
        at = stpcpy(at, word);
    return at;
}

static bool set(struct fixture *f, const char *path, const char *value)
{
    const struct tree_override override = {path, value, "--set", false};
    return tree_set(&f->arena, f->root, &override, &f->err);
}

static const char base[] = "wan:\n  rtt: 1ms\nnone:\nlist:\n  - {a: 1}\n  - {a: 2}\nempty: []\n";

static void set_refused(const char *path, const char *value, const char *expected)
{
    struct fixture f = read_text(base);
    assert_false(set(&f, path, value));
    assert_messages(&f.err, expected);
    drop(&f);
}

static void tree_set__replaces_and_creates(void **state)
{
    (void)state;
    struct fixture f = read_text(base);
    assert_true(set(&f, "wan.rtt", "15ms"));
    assert_true(set(&f, "wan.rate", ""));
    assert_true(set(&f, "none.x.y", "1"));
    assert_true(set(&f, "list.1.a", "3"));
    assert_true(set(&f, "empty", "[3, [7]]"));
    const struct tree_node *rtt = find(find(f.root, "wan"), "rtt");
    assert_string_equal(rtt->text, "15ms");
    assert_string_equal(rtt->pos.file, "--set");
    assert_int_equal(rtt->pos.line, 0);
    assert_string_equal(rtt->pos.line_text, "wan.rtt=15ms");
    assert_string_equal(find(find(f.root, "wan"), "rate")->text, "");
    assert_int_equal(find(f.root, "wan")->n, 2);
    assert_string_equal(find(find(find(f.root, "none"), "x"), "y")->text, "1");
    assert_string_equal(find(find(f.root, "list")->last, "a")->text, "3");
    const struct tree_node *list = find(f.root, "empty");
    assert_int_equal(list->kind, TREE_LIST);
    assert_string_equal(list->last->first->text, "7");
    assert_int_equal(list->first->pos.line, 0);
    assert_int_equal(f.root->n, 4);
    assert_ptr_equal(f.root->last, list);
    assert_null(list->next);
    drop(&f);
}

static void tree_set__does_not_reach_aliases(void **state)
{
    (void)state;
    struct fixture f = read_text("a: &p {x: 1}\nb: *p\n");
    assert_true(set(&f, "b.x", "2"));
    assert_string_equal(find(find(f.root, "a"), "x")->text, "1");
    assert_string_equal(find(find(f.root, "b"), "x")->text, "2");
    drop(&f);
}

static void tree_set__mistakes(void **state)
{
    (void)state;
    set_refused("", "1", "--set =1: error: an empty key in ''\n");
    set_refused("wan..rtt", "1", "--set wan..rtt=1: error: an empty key in 'wan..rtt'\n");
    set_refused("wan.rtt.x", "1", "--set wan.rtt.x=1: error: no key 'x' below the value '1ms'\n");
    set_refused("list.2.a", "1", "--set list.2.a=1: error: no element '2': the list has 0 .. 1\n");
    set_refused("list.01", "1", "--set list.01=1: error: no element '01': the list has 0 .. 1\n");
    set_refused("list.99999999999", "1",
                "--set list.99999999999=1: error: no element '99999999999': the list has 0 .. 1\n");
    set_refused("empty.0", "1", "--set empty.0=1: error: no element '0': the list is empty\n");
    set_refused("wan.rtt", "\x1b[31m",
                "--set wan.rtt=?[31m: error: a control character in a string\n");
    set_refused("wan.rtt", "\xff", "--set wan.rtt=?: error: broken UTF-8 in a string\n");
    set_refused("wan.rtt", "[1, 2",
                "--set wan.rtt=[1, 2: error: not a list; expected e.g. [3, 7]\n");
    set_refused("wan.rtt", "[1]: 2",
                "--set wan.rtt=[1]: 2: error: not a list; expected e.g. [3, 7]\n");
}

static void tree_set__deep(void **state)
{
    (void)state;
    char path[256] = "a", *end = repeat(path + 1, ".a", 63);
    struct fixture f = read_text(base);
    assert_true(set(&f, path, "1"));
    strcpy(end, ".a");
    assert_false(set(&f, path, "1"));
    drop(&f);
}

static void tree_shown__keeps_places_with_lines(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct err_pos pos = {.file = "x.yaml", .line = 3, .line_text = "a"};
    assert_string_equal(tree_shown(&arena, pos).file, "x.yaml");
    pos.line = 0;
    assert_string_equal(tree_shown(&arena, pos).file, "x.yaml a");
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_set__replaces_and_creates),
        cmocka_unit_test(tree_set__does_not_reach_aliases),
        cmocka_unit_test(tree_set__mistakes),
        cmocka_unit_test(tree_set__deep),
        cmocka_unit_test(tree_shown__keeps_places_with_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
