/* test_tree_text.c - YAML files: which are read, and what is said about the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tree_fixture.h"

static int make_folder(void **state)
{
    static char folder[64];
    strcpy(folder, "/tmp/test_tree.XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    return system(command);
}

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

/* cannot_read: path below folder is refused with "PATH: error: " and expected. */
static void cannot_read(const char *folder, const char *name, const char *expected)
{
    struct fixture f = {0};
    char path[128], message[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_null(tree_read_file(&f.arena, path, &f.err));
    snprintf(message, sizeof message, "%s: error: %s\n", path, expected);
    assert_messages(&f.err, message);
    assert_int_equal(f.err.exit_code, 2);
    drop(&f);
}

static void tree_read_file__reads(void **state)
{
    struct fixture f = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/rail.yaml", (const char *)*state);
    write_file(path, "a: 1\n", 5);
    const struct tree_node *root = tree_read_file(&f.arena, path, &f.err);
    assert_messages(&f.err, "");
    assert_string_equal(find(root, "a")->pos.file, path);
    drop(&f);
    f = (struct fixture){0};
    root = tree_read_file(&f.arena, "/proc/self/comm", &f.err); /* says that it is empty */
    assert_messages(&f.err, "");
    assert_memory_equal(root->text, "test_tree", 9);
    drop(&f);
}

static void tree_read_file__missing(void **state)
{
    char path[128], expected[256];
    cannot_read(*state, "zzzzzzzzzz", "cannot read: No such file or directory");
    snprintf(path, sizeof path, "%s/remote-storage.yaml", (const char *)*state);
    write_file(path, "", 0);
    snprintf(expected, sizeof expected,
             "cannot read: No such file or directory (did you mean '%s'?)", path);
    cannot_read(*state, "remote_storage.yaml", expected);
    cannot_read(*state, "none/x.yaml", "cannot read: No such file or directory");
    cannot_read(*state, "remote-storage.yaml/x", "cannot read: Not a directory");
}

static void tree_read_file__not_a_regular_file(void **state)
{
    char path[128];
    cannot_read(*state, "", "cannot read: a folder, not a regular file");
    snprintf(path, sizeof path, "%s/fifo", (const char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    cannot_read(*state, "fifo", "cannot read: a pipe, not a regular file");
    snprintf(path, sizeof path, "%s/zero", (const char *)*state);
    assert_int_equal(symlink("/dev/zero", path), 0);
    cannot_read(*state, "zero", "cannot read: a device, not a regular file");
}

static void tree_read_file__too_large(void **state)
{
    char path[128];
    snprintf(path, sizeof path, "%s/large", (const char *)*state);
    write_file(path, "# ", 2);
    assert_int_equal(truncate(path, (16 << 20) + 1), 0);
    cannot_read(*state, "large", "larger than 16 MiB");
}

static void tree_read_file__no_permission(void **state)
{
    char path[128];
    bool root = geteuid() == 0; /* who may read everything */
    snprintf(path, sizeof path, "%s/secret", (const char *)*state);
    write_file(path, "a: 1\n", 5);
    assert_int_equal(chmod(path, 0), 0);
    if (root) assert_int_equal(seteuid(65534), 0);
    cannot_read(*state, "secret", "cannot read: Permission denied");
    if (root) assert_int_equal(seteuid(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_read_file__reads),
        cmocka_unit_test(tree_read_file__missing),
        cmocka_unit_test(tree_read_file__not_a_regular_file),
        cmocka_unit_test(tree_read_file__too_large),
        cmocka_unit_test(tree_read_file__no_permission),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
