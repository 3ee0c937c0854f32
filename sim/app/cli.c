/* cli.c - reads the command line by a verb's option table; help, environment, error report.
 *
 * Apart from the verbs so that all of them have the same options, messages and exit codes. The one
 * idea: the table is the parser and the documentation, so that they cannot differ.
 * Not modelled: abbreviated long options (a later option would change their meaning).
 */
#include "sim/app/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/check.h"
#include "sim/base/units.h"
#include "sim/io/json.h"
#include "sim/io/tree.h"
#include "version.h"

/* struct parse: one cli_parse under way. */
struct parse {
    const struct cli_verb *verb;
    struct arena *arena;
    void *into;
    struct err err;
    bool help, names; /* --help, --options */
};

static const struct err_pos nowhere = {0};

/* ---- values ---------------------------------------------------------------------------------- */

/* texts_add appends text; room is doubled whenever the number is a power of two. */
static void texts_add(struct arena *arena, struct cli_texts *texts, const char *text)
{
    if ((texts->n & (texts->n - 1)) == 0) {
        const char **room = ARENA_ARRAY(arena, const char *, texts->n ? 2 * texts->n : 1);
        if (texts->n) memcpy(room, texts->text, (size_t)texts->n * sizeof *room);
        texts->text = room;
    }
    texts->text[texts->n++] = text;
}

static bool parse_flag(const char *text, bool *out)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "", NULL};
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0) return *out = i % 2 != 0, true;
    return false;
}

static bool parse_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end || errno) return false;
    *out = value;
    return true;
}

/* set_number parses a count, time or size; returns NULL or what is wrong. */
static const char *set_number(enum cli_kind kind, const char *text, int64_t *out)
{
    enum unit_dim dim = kind == CLI_TIME ? UNIT_TIME : kind == CLI_SIZE ? UNIT_SIZE : UNIT_COUNT;
    union unit_value value;
    const char *wrong = units_parse(dim, text, &value);
    if (wrong) return wrong;
    if (value.i < 0) return "must not be negative";
    *out = value.i;
    return NULL;
}

/* option_set stores text for option; shown is the option as the user wrote it. */
static void option_set(struct parse *parse, const struct cli_option *option, const char *shown,
                       const char *text)
{
    void *at = (char *)parse->into + option->offset;
    const char *wrong = NULL;
    switch (option->kind) {
    case CLI_FLAG:
        wrong = parse_flag(text, at) ? NULL : "takes 1 or 0";
        break;
    case CLI_TEXT:
        *(const char **)at = text;
        break;
    case CLI_TEXTS:
        texts_add(parse->arena, at, text);
        break;
    case CLI_SEED:
        wrong = parse_seed(text, at) ? NULL : "takes an integer from 0 to 2^64-1";
        break;
    case CLI_COUNT:
    case CLI_TIME:
    case CLI_SIZE:
        wrong = set_number(option->kind, text, at);
        break;
    }
    if (wrong) err_add(&parse->err, nowhere, "%s: '%s': %s", shown, text, wrong);
}

/* ---- environment ----------------------------------------------------------------------------- */

static const char *env_name(struct arena *arena, const char *option)
{
    char *name = arena_printf(arena, "RAILSIM_%s", option);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return name;
}

static void parse_environment(struct parse *parse)
{
    for (const struct cli_option *option = parse->verb->options; option->name; option++) {
        const char *name = env_name(parse->arena, option->name);
        const char *value = getenv(name);
        if (!value) continue;
        if (option->kind != CLI_TEXTS) {
            option_set(parse, option, name, value);
            continue;
        }
        char *save = NULL;
        for (char *word = strtok_r(arena_strdup(parse->arena, value), " \t\n", &save); word;
             word = strtok_r(NULL, " \t\n", &save))
            option_set(parse, option, name, word);
    }
}

/* ---- command line ---------------------------------------------------------------------------- */

static void unknown_option(struct parse *parse, const char *given)
{
    const char *words[64] = {"help"};
    int n = 1;
    for (const struct cli_option *option = parse->verb->options; option->name && n < 64; option++)
        words[n++] = option->name;
    const char *near = strncmp(given, "--", 2) == 0 ? err_suggest(given + 2, words, n) : NULL;
    if (near)
        err_add(&parse->err, nowhere, "unknown option '%s' (did you mean '--%s'?)", given, near);
    else
        err_add(&parse->err, nowhere, "unknown option '%s' (railsim %s --help lists them)", given,
                parse->verb->name);
}

/* option_find returns the option that arg names, and in *value what is glued to it ("--seed=7",
 * "-j2"), or NULL. */
static const struct cli_option *option_find(const struct cli_verb *verb, const char *arg,
                                            const char **value)
{
    *value = NULL;
    for (const struct cli_option *option = verb->options; option->name; option++) {
        if (arg[1] != '-') {
            if (arg[1] != option->letter) continue;
            if (arg[2]) *value = arg + 2;
            return option;
        }
        size_t len = strlen(option->name);
        if (strncmp(arg + 2, option->name, len) != 0) continue;
        if (arg[2 + len] == '=') return *value = arg + len + 3, option;
        if (!arg[2 + len]) return option;
    }
    return NULL;
}

/* parse_option reads the option at argv[i] and returns the index of its last word. */
static int parse_option(struct parse *parse, const struct cli_line *line, int i)
{
    const char *arg = line->argv[i], *value;
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) return parse->help = true, i;
    if (strcmp(arg, "--options") == 0) return parse->names = true, i;
    const struct cli_option *option = option_find(parse->verb, arg, &value);
    if (!option) {
        char *cut = arena_strdup(parse->arena, arg);
        cut[strcspn(cut, "=")] = 0;
        unknown_option(parse, cut);
        return i;
    }
    const char *shown = arg[1] == '-' ? arena_printf(parse->arena, "--%s", option->name)
                                      : arena_printf(parse->arena, "-%c", option->letter);
    if (option->kind == CLI_FLAG) {
        option_set(parse, option, shown, value ? value : "1");
        return i;
    }
    if (!value && i + 1 >= line->argc) {
        err_add(&parse->err, nowhere, "%s needs a value: %s", shown, option->value);
        return i;
    }
    option_set(parse, option, shown, value ? value : line->argv[i + 1]);
    return value ? i : i + 1;
}

static void parse_line(struct parse *parse, struct cli_line *line)
{
    bool options = true;
    for (int i = 1; i < line->argc; i++) {
        const char *arg = line->argv[i];
        if (options && strcmp(arg, "--") == 0)
            options = false;
        else if (options && arg[0] == '-' && arg[1])
            i = parse_option(parse, line, i);
        else
            texts_add(parse->arena, &line->args, arg);
    }
}

static void check_args(struct parse *parse, const struct cli_texts *args)
{
    const struct cli_verb *verb = parse->verb;
    const char *usage = arena_printf(parse->arena, "railsim %s%s%s", verb->name,
                                     *verb->args ? " " : "", verb->args);
    if (args->n < verb->arg_min) err_add(&parse->err, nowhere, "missing argument: %s", usage);
    if (verb->arg_max >= 0 && args->n > verb->arg_max)
        err_add(&parse->err, nowhere, "unexpected argument '%s': %s", args->text[verb->arg_max],
                usage);
}

void cli_launch_fold(struct arena *arena, struct cli_launch *launch)
{
    if (!launch->fabric) return;
    struct cli_texts *sets = &launch->sets;
    const char **text = ARENA_ARRAY(arena, const char *, sets->n + 1);
    launch->options = ARENA_ARRAY(arena, const char *, sets->n + 1);
    for (int i = 0; i < sets->n; i++)
        text[i] = sets->text[i];
    launch->options[sets->n] = "--fabric";
    text[sets->n++] = arena_printf(arena, "network.model=%s", launch->fabric);
    sets->text = text;
}

/* ---- output ---------------------------------------------------------------------------------- */

static void print_help(const struct cli_verb *verb)
{
    printf("railsim %s %s\n  %s\n\n", verb->name, verb->args, verb->help);
    printf("Options (each also as RAILSIM_<OPTION>):\n");
    for (const struct cli_option *option = verb->options; option->name; option++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter ? ", " : "  ", option->name,
                 option->value ? " " : "", option->value ? option->value : "");
        printf("  %-28s %s\n", left, option->help);
    }
    printf("  %-28s %s\n\nExample:\n", "-h, --help", "this text");
    for (const char *at = verb->example; *at;) {
        int len = (int)strcspn(at, "\n");
        printf("  %.*s\n", len, at);
        at += len + (at[len] == '\n');
    }
}

/* print_names lists the options for the shell's completion. */
static void print_names(const struct cli_verb *verb)
{
    for (const struct cli_option *option = verb->options; option->name; option++)
        printf("--%s\n", option->name);
    printf("--help\n");
}

static bool wants_json(const struct cli_verb *verb, const void *into)
{
    for (const struct cli_option *option = verb->options; option->name; option++)
        if (strcmp(option->name, "json") == 0)
            return *(const bool *)((const char *)into + option->offset);
    return false;
}

int cli_parse(const struct cli_verb *verb, struct cli_line *line, struct arena *arena, void *into)
{
    struct parse parse = {.verb = verb, .arena = arena, .into = into};
    line->args = (struct cli_texts){0};
    parse_environment(&parse);
    parse_line(&parse, line);
    if (!parse.help && !parse.names) check_args(&parse, &line->args);
    if (parse.help || parse.names) {
        if (parse.help)
            print_help(verb);
        else
            print_names(verb);
        err_free(&parse.err);
        return CLI_OK;
    }
    if (parse.err.count) return cli_report(&parse.err, wants_json(verb, into));
    err_free(&parse.err);
    return CLI_GO;
}

int cli_report(struct err *err, bool json)
{
    int code = err->exit_code ? err->exit_code : CLI_USAGE;
    fflush(stdout);
    err_print(err, stderr);
    if (json) {
        struct json doc = {.out = stdout};
        json_object(&doc, NULL);
        json_int(&doc, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_string(&doc, "status", code == CLI_USAGE ? "config-error" : "io-error");
        json_array(&doc, "errors");
        for (int i = 0; i < err->count && i < ERR_CAP; i++)
            json_string(&doc, NULL, err->messages[i]);
        json_end(&doc, ']');
        json_end(&doc, '}');
    }
    err_free(err);
    return code;
}

int cli_interrupted(int number, bool json)
{
    if (json) {
        struct json doc = {.out = stdout};
        json_object(&doc, NULL);
        json_int(&doc, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_string(&doc, "status", "interrupted");
        json_end(&doc, '}');
    }
    return 128 + number;
}

int cli_finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    fprintf(stderr, "error: cannot write the standard output: %s\n", strerror(errno));
    return CLI_IO;
}

/* compact removes the blanks between the tokens of a JSON text, in place. */
static void compact(char *text)
{
    bool quoted = false;
    char *to = text;
    for (const char *c = text; *c; c++) {
        if (quoted && *c == '\\')
            *to++ = *c++; /* what is escaped ends no string */
        else if (*c == '"')
            quoted = !quoted;
        if (quoted || !isspace((unsigned char)*c)) *to++ = *c;
    }
    *to = 0;
}

const char *cli_json_texts(struct arena *arena, const char *const *texts, int n, bool pairs)
{
    char *text = NULL;
    size_t size = 0;
    struct json json = {.out = open_memstream(&text, &size)};
    CHECK(json.out, "out of memory");
    if (pairs)
        json_object(&json, NULL);
    else
        json_array(&json, NULL);
    for (int i = 0; i < n; i++) {
        size_t key = pairs ? strcspn(texts[i], "=") : 0;
        json_string(&json, pairs ? arena_printf(arena, "%.*s", (int)key, texts[i]) : NULL,
                    texts[i] + key + pairs);
    }
    json_end(&json, pairs ? '}' : ']');
    fclose(json.out);
    compact(text);
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

/* ---- installation ---------------------------------------------------------------------------- */

/* data_folder returns where the shipped files are. */
static const char *data_folder(struct arena *arena)
{
    const char *given = getenv("RAILSIM_DATA");
    if (given && *given) return given;
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n < 0) return ".";
    exe[n] = 0;
    *strrchr(exe, '/') = 0;
    if (access(arena_printf(arena, "%s/plots", exe), F_OK) == 0) return arena_strdup(arena, exe);
    return arena_printf(arena, "%s/../share/railsim", exe);
}

const char *cli_data_path(struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s", data_folder(arena), name);
}

const char *cli_file(struct arena *arena, const char *path)
{
    if (path[0] == '/' || access(path, F_OK) == 0) return path;
    const char *shipped = cli_data_path(arena, path);
    return access(shipped, F_OK) == 0 ? shipped : path;
}

static const char *compiler(void)
{
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

static const char *libraries(struct arena *arena)
{
    return arena_printf(arena, "%s, %s", results_library(), tree_library());
}

const char *cli_version(struct arena *arena)
{
    return arena_printf(arena, "railsim %s (git %s), %s %s, %s", VERSION_TEXT, VERSION_GIT,
                        compiler(), VERSION_FLAGS, libraries(arena));
}

const char *cli_cpu(struct arena *arena)
{
    char line[512];
    const char *cpu = "unknown";
    FILE *in = fopen("/proc/cpuinfo", "r");
    if (!in) return cpu;
    while (fgets(line, sizeof line, in)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, "model name", 10) != 0) continue;
        line[strcspn(line, "\n")] = 0;
        cpu = arena_strdup(arena, colon + 1 + (colon[1] == ' '));
        break;
    }
    fclose(in);
    return cpu;
}

void cli_provenance(struct arena *arena, const struct cli_line *line,
                    struct results_provenance *provenance)
{
    char host[256] = "unknown";
    gethostname(host, sizeof host - 1);
    const char *argv = "railsim";
    for (int i = 0; i < line->argc; i++)
        argv = arena_printf(arena, "%s %s", argv, line->argv[i]);
    *provenance = (struct results_provenance){
        .version = VERSION_TEXT,
        .git_hash = VERSION_GIT,
        .compiler = compiler(),
        .flags = VERSION_FLAGS,
        .libraries = libraries(arena),
        .cpu = cli_cpu(arena),
        .host = arena_strdup(arena, host),
        .argv = argv,
    };
}
