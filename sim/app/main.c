/* main.c - picks the verb. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sim/app/cli.h"
#include "sim/app/verbs.h"
#include "sim/base/err.h"

struct verb {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *help;
};

static const struct verb verbs[] = {
    {"run", run_main, "simulate one workload on one topology"},
    {"sweep", sweep_main, "simulate a grid of points in parallel, into a database"},
    {"collective", collective_main, "simulate collectives by size: the table of nccl-tests"},
    {"plot", plot_main, "draw a figure from a database"},
    {"show", show_main, "print what a database holds"},
    {"compare", compare_main, "compare two runs of a database"},
    {"check", verb_check_main, "check a topology or workload file as run would"},
    {"topo", topo_main, "count a topology's switches and cables, measure it, draw it"},
    {"explain", explain_main, "say what a configuration key means"},
    {"list", explain_list_main, "list what can be named: topologies, workloads, plug-ins, figures"},
    {"schema", explain_schema_main, "print the JSON Schema of the configuration"},
    {"validate", validate_main, "compare the simulator with published measurements"},
    {"calibrate", calibrate_main, "find free parameters from a measured table"},
    {"fluid", fluid_main, "DCQCN as a fluid: fixed point, phase margin, evolution, thresholds"},
    {"headroom", headroom_main, "print the PFC headroom that a port needs"},
    {"bench", bench_main, "measure how fast the simulator is on this machine"},
    {"doctor", doctor_main, "say what this installation has and lacks"},
};
#define VERB_N ((int)(sizeof verbs / sizeof *verbs))

static int print_help(void)
{
    printf("railsim - how fast does a GPU cluster train, and what holds it up?\n\n"
           "Usage: railsim VERB [ARGUMENT...] [OPTION...]\n\n");
    for (int i = 0; i < VERB_N; i++)
        printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
    printf("\n`railsim VERB --help` explains a verb; `railsim --version` says what was built.\n\n"
           "Example:\n"
           "  railsim run topologies/remote-storage.yaml workloads/resnet50.yaml "
           "--set wan.rtt=15ms\n\n"
           "Exit codes: 0 ok, 1 a run failed, 2 usage or configuration, 3 I/O or database,\n"
           "4 out of tolerance, 128+N signal N\n");
    return CLI_OK;
}

static int print_version(void)
{
    struct arena arena = {0};
    printf("%s\n", cli_version(&arena));
    arena_free(&arena);
    return CLI_OK;
}

/* print_completion writes a bash completion that asks the program itself. */
static int print_completion(void)
{
    printf("_railsim()\n{\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} words\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words='");
    for (int i = 0; i < VERB_N; i++)
        printf("%s ", verbs[i].name);
    printf("--help --version'\n"
           "    else\n        words=$(\"$1\" \"${COMP_WORDS[1]}\" --options 2>/dev/null)\n    fi\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
           "    case $cur in -*) ;; *) [ \"$COMP_CWORD\" -gt 1 ] &&\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;; esac\n"
           "}\ncomplete -o filenames -F _railsim railsim\n");
    return CLI_OK;
}

/* print_man writes a manual page made of the help texts. */
static int print_man(void)
{
    printf(".TH RAILSIM 1\n.SH NAME\nrailsim \\- simulator of GPU clusters, their networks and "
           "storage\n.SH SYNOPSIS\n.nf\n");
    print_help();
    printf(".fi\n");
    for (int i = 0; i < VERB_N; i++) {
        char help[] = "--help", *argv[] = {(char *)(intptr_t)verbs[i].name, help, NULL};
        printf(".SH %s\n.nf\n", verbs[i].name);
        verbs[i].main(2, argv);
        printf(".fi\n");
    }
    return CLI_OK;
}

static const struct verb *find_verb(const char *name)
{
    for (int i = 0; i < VERB_N; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

static int unknown_verb(const char *given)
{
    const char *names[VERB_N];
    struct err err = {0};
    for (int i = 0; i < VERB_N; i++)
        names[i] = verbs[i].name;
    const char *near = err_suggest(given, names, VERB_N);
    if (near)
        err_add(&err, (struct err_pos){0}, "unknown verb '%s' (did you mean '%s'?)", given, near);
    else
        err_add(&err, (struct err_pos){0}, "unknown verb '%s' (railsim --help lists them)", given);
    return cli_report(&err, false);
}

static int dispatch(int argc, char **argv)
{
    const struct {
        const char *name, *letter;
        int (*print)(void);
    } globals[] = {{"--help", "-h", print_help},
                   {"--version", "-V", print_version},
                   {"--completion", "", print_completion},
                   {"--man", "", print_man}};
    if (argc < 2) return print_help(), CLI_USAGE;
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (strcmp(argv[1], globals[i].name) == 0 || strcmp(argv[1], globals[i].letter) == 0)
            return globals[i].print();
    if (strcmp(argv[1], "help") == 0 && argc == 2) return print_help();
    if (strcmp(argv[1], "help") == 0) {
        const struct verb *verb = find_verb(argv[2]);
        char help[] = "--help", *args[] = {argv[2], help, NULL};
        return verb ? verb->main(2, args) : unknown_verb(argv[2]);
    }
    const struct verb *verb = find_verb(argv[1]);
    return verb ? verb->main(argc - 1, argv + 1) : unknown_verb(argv[1]);
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file size limit shall be a write error, with a message: EFBIG */
    return cli_finish(dispatch(argc, argv));
}
