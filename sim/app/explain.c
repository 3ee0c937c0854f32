/* explain.c - `railsim explain`, `list` and `schema`: the configuration, described by its tables.
 *
 * The one idea: nothing here is written down twice; keys come from the schema tables, plug-ins from
 * the generated lists, files and figures from the data folder.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/world.h"
#include "sim/app/cli.h"
#include "sim/app/devices.h"
#include "sim/app/verbs.h"

static const struct err_pos nowhere = {0};

/* The kinds of configuration file. */
static const struct schema_root roots[] = {
    {.name = "topology", .prefix = "", .schema = &world_topology_schema},
    {.name = "workload", .prefix = "workload.", .kinds = world_workload_kinds},
    {.name = "devices", .prefix = "devices.", .schema = &device_catalogue_schema},
};
#define ROOT_N ((int)(sizeof roots / sizeof *roots))

/* ---- explain --------------------------------------------------------------------------------- */

static const struct cli_option no_options[] = {{0}};

static const struct cli_verb explain_verb = {
    .name = "explain",
    .args = "KEY...",
    .help = "Says what a configuration key means: type, unit, limits, default, source.",
    .example = "railsim explain wan.rtt\nrailsim explain storage.client\n"
               "railsim explain workload.epochs",
    .arg_min = 1,
    .arg_max = -1,
    .options = no_options,
};

int explain_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct err err = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    int code = cli_parse(&explain_verb, &line, &arena, NULL);
    if (code == CLI_GO) {
        for (int i = 0; i < line.args.n; i++)
            schema_explain(roots, ROOT_N, line.args.text[i], stdout, &err);
        code = err.count ? cli_report(&err, false) : CLI_OK;
    }
    arena_free(&arena);
    return code;
}

/* ---- list ------------------------------------------------------------------------------------ */

#define DEVICES "devices"

/* What is listed from the data folder. */
static const struct folder {
    const char *name, *suffix, *help;
    bool stem; /* show the name without its suffix */
} folders[] = {
    {"topologies", ".yaml", "shipped topologies", false},
    {"workloads", ".yaml", "shipped workloads", false},
    {"plots", ".gp", "figures that `railsim plot` draws", true},
};
#define FOLDER_N ((int)(sizeof folders / sizeof *folders))

static const struct cli_verb list_verb = {
    .name = "list",
    .args = "[KIND]",
    .help = "Lists what can be named; without KIND, everything.",
    .example = "railsim list workloads\nrailsim list",
    .arg_min = 0,
    .arg_max = 1,
    .options = no_options,
};

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

/* print_about prints the first comment line of a file that is no editor's or schema's line. */
static void print_about(const char *path)
{
    char line[256];
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in) && line[0] == '#') {
        char *text = line + strspn(line, "# ");
        text[strcspn(text, "\n")] = 0;
        if (!*text || strncmp(text, "yaml-language-server", 20) == 0) continue;
        printf("  %s", text);
        break;
    }
    if (in) fclose(in);
}

static void list_folder(struct arena *arena, const struct folder *folder)
{
    struct dirent **entry = NULL;
    const char *path = cli_data_path(arena, folder->name);
    int n = scandir(path, &entry, NULL, alphasort);
    printf("%s: %s\n", folder->name, folder->help);
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        bool devices = strcmp(name, DEVICES ".yaml") == 0; /* a kind of its own */
        if (ends_with(name, folder->suffix) && name[0] != '.' && !devices) {
            int len = (int)(strlen(name) - (folder->stem ? strlen(folder->suffix) : 0));
            const char *shown = arena_printf(arena, "%s%s%.*s", folder->stem ? "" : folder->name,
                                             folder->stem ? "" : "/", len, name);
            printf("  %-32s", shown);
            print_about(arena_printf(arena, "%s/%s", path, name));
            printf("\n");
        }
        free(entry[i]);
    }
    if (n < 0) printf("  (no folder %s)\n", path);
    free(entry);
}

static void list_family(const struct world_family *family)
{
    const char *help;
    printf("%s: %s\n", family->name, family->help);
    for (int i = 0; family->member(i, &help); i++)
        printf("  %-16s  %s\n", family->member(i, &help), help);
}

/* list_devices prints the built-in catalogue; a mistake in it is ours, and shown all the same. */
static void list_devices(struct arena *arena)
{
    struct err err = {0};
    const struct device_catalogue *catalogue = devices_load(arena, &err);
    printf(DEVICES ": accelerators, network cards and servers (" DEVICES_FILE ")\n");
    if (catalogue)
        devices_print(catalogue, arena);
    else
        err_print(&err, stderr);
    err_free(&err);
}

/* list_kind prints the kinds called name, or all if it is NULL; returns how many. */
static int list_kind(struct arena *arena, const char *name)
{
    int found = 0;
    for (int i = 0; i < FOLDER_N; i++) {
        if (name && strcmp(folders[i].name, name) != 0) continue;
        if (found++) printf("\n");
        list_folder(arena, &folders[i]);
    }
    for (const struct world_family *family = world_families; family->name; family++) {
        if (name && strcmp(family->name, name) != 0) continue;
        if (found++) printf("\n");
        list_family(family);
    }
    if (!name || strcmp(name, DEVICES) == 0) {
        if (found++) printf("\n");
        list_devices(arena);
    }
    return found;
}

static int unknown_kind(struct arena *arena, const char *name)
{
    struct err err = {0};
    const char *names[64], *all = "";
    int n = 0;
    for (int i = 0; i < FOLDER_N; i++)
        names[n++] = folders[i].name;
    for (const struct world_family *family = world_families; family->name && n < 63; family++)
        names[n++] = family->name;
    names[n++] = DEVICES;
    for (int i = 0; i < n; i++)
        all = arena_printf(arena, "%s%s%s", all, i ? ", " : "", names[i]);
    const char *near = err_suggest(name, names, n);
    if (near)
        err_add(&err, nowhere, "nothing is called '%s' (did you mean '%s'?)", name, near);
    else
        err_add(&err, nowhere, "nothing is called '%s'; there are: %s", name, all);
    return cli_report(&err, false);
}

int explain_list_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    int code = cli_parse(&list_verb, &line, &arena, NULL);
    if (code == CLI_GO) {
        const char *name = line.args.n ? line.args.text[0] : NULL;
        code = list_kind(&arena, name) ? CLI_OK : unknown_kind(&arena, name);
    }
    arena_free(&arena);
    return code;
}

/* ---- schema ---------------------------------------------------------------------------------- */

static const struct cli_option schema_options[] = {
    {"markdown", 0, CLI_FLAG, 0, NULL, "print docs/config.md, for all kinds of file"},
    {0},
};

static const struct cli_verb schema_verb = {
    .name = "schema",
    .args = "topology|workload|devices",
    .help = "Prints the JSON Schema of a kind of configuration file.",
    .example = "railsim schema topology > topology.schema.json\n"
               "railsim schema --markdown > docs/config.md",
    .arg_min = 0,
    .arg_max = 1,
    .options = schema_options,
};

/* print_schema prints the JSON Schema of the root called name (NULL if none was given). */
static int print_schema(const char *name)
{
    struct err err = {0};
    for (int i = 0; name && i < ROOT_N; i++)
        if (strcmp(roots[i].name, name) == 0) return schema_json(&roots[i], stdout), CLI_OK;
    if (name)
        err_add(&err, nowhere, "no kind of file is called '%s': topology, workload or devices",
                name);
    else
        err_add(&err, nowhere, "missing argument: railsim schema %s", schema_verb.args);
    return cli_report(&err, false);
}

int explain_schema_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    bool markdown = false;
    int code = cli_parse(&schema_verb, &line, &arena, &markdown);
    if (code == CLI_GO && markdown) {
        schema_markdown(roots, ROOT_N, stdout);
        code = CLI_OK;
    } else if (code == CLI_GO) {
        code = print_schema(line.args.n ? line.args.text[0] : NULL);
    }
    arena_free(&arena);
    return code;
}
