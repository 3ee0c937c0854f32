/* cli.h - the command line: one option table per verb is parser, help, environment, completion.
 *
 * Every long option --max-wall is also RAILSIM_MAX_WALL; the command line wins. A verb's main is
 * int f(int argc, char **argv) with argv[0] the verb, and returns the process's exit code.
 */
#ifndef RAILSIM_APP_CLI_H
#define RAILSIM_APP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/err.h"
#include "sim/engine/sim.h"
#include "sim/io/results.h"

/* Exit codes; signals give 128 + their number. */
enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_IO = 3, CLI_TOLERANCE = 4 };
#define CLI_GO (-1) /* cli_parse: go on */

#define CLI_JSON_SCHEMA_VERSION 1 /* of every --json document */

enum cli_kind {
    CLI_FLAG,  /* bool */
    CLI_TEXT,  /* const char *, NULL if not given */
    CLI_TEXTS, /* struct cli_texts; may be repeated; the environment's value is split at blanks */
    CLI_COUNT, /* int64_t >= 0 */
    CLI_SEED,  /* uint64_t */
    CLI_TIME,  /* int64_t ps, text with a unit */
    CLI_SIZE   /* int64_t bytes, text with a unit */
};

struct cli_texts {
    const char **text;
    int n;
};

/* struct cli_option: one option. The struct that offset points into is the verb's; set the
 * defaults there before cli_parse. */
struct cli_option {
    const char *name; /* "max-wall" */
    char letter;      /* 'o' for -o, 0 = none */
    enum cli_kind kind;
    size_t offset;
    const char *value; /* as shown in the help: "FILE"; NULL for flags */
    const char *help;  /* one line */
};

/* struct cli_verb: what --help prints and cli_parse reads. */
struct cli_verb {
    const char *name;                 /* "run" */
    const char *args;                 /* "TOPOLOGY WORKLOAD" */
    const char *help;                 /* one line */
    const char *example;              /* lines without indentation, with the program's name */
    int arg_min, arg_max;             /* positional arguments; arg_max -1 = any number */
    const struct cli_option *options; /* ends with name NULL; -h/--help is added */
};

/* struct cli_line: the command line; args is set by cli_parse to the positional arguments. */
struct cli_line {
    int argc;
    char **argv;
    struct cli_texts args;
};

/* cli_parse reads environment and command line into the struct `into`. Returns CLI_GO, or the exit
 * code to end with: after --help, or after reporting all mistakes. Texts live in arena or argv. */
int cli_parse(const struct cli_verb *verb, struct cli_line *line, struct arena *arena, void *into);

/* cli_report prints err to stderr and, if json, {"schema_version", "status", "errors"} to stdout;
 * frees err; returns its exit code (2 or 3). */
int cli_report(struct err *err, bool json);

/* cli_interrupted is the end of a verb that a signal stopped: with json, a document with status
 * "interrupted"; returns 128 + number. */
int cli_interrupted(int number, bool json);

/* cli_finish flushes stdout and returns code, or 3 with a message if stdout cannot be written. */
int cli_finish(int code);

/* cli_json_texts returns texts[n] as a compact JSON array, or, if pairs, "key=value" texts as a
 * JSON object; in arena. */
const char *cli_json_texts(struct arena *arena, const char *const *texts, int n, bool pairs);

/* struct cli_launch: the options that run and sweep share; CLI_LAUNCH_OPTIONS are their rows for a
 * verb's struct `type` with a member `launch`. */
struct cli_launch {
    struct cli_texts sets;
    const char **options; /* of struct point, for sets; by cli_launch_fold */
    const char *output, *fabric;
    uint64_t seed;
    struct sim_limits limits;
    bool json, quiet, verbose, force, dry_run;
};
#define CLI_SEED_DEFAULT 1
#define CLI_LAUNCH_AT(type, member) offsetof(type, launch) + offsetof(struct cli_launch, member)
#define CLI_LAUNCH_OPTIONS(type)                                                                   \
    {"set",       0,                                                                               \
     CLI_TEXTS,   CLI_LAUNCH_AT(type, sets),                                                       \
     "KEY=VALUE", "override a value of the topology, or of the workload (workload.KEY=VALUE)"},    \
        {"fabric",      0,                                                                         \
         CLI_TEXT,      CLI_LAUNCH_AT(type, fabric),                                               \
         "flow|packet", "how the network is simulated: --set network.model=..."},                  \
        {"output", 'o', CLI_TEXT, CLI_LAUNCH_AT(type, output), "FILE", "results database"},        \
        {"seed", 0, CLI_SEED, CLI_LAUNCH_AT(type, seed), "N", "random seed (default 1)"},          \
        {"max-events", 0,                                                                          \
         CLI_COUNT,    CLI_LAUNCH_AT(type, limits.max_events),                                     \
         "N",          "stop a point after N events"},                                             \
        {"max-sim-time", 0,                                                                        \
         CLI_TIME,       CLI_LAUNCH_AT(type, limits.max_sim_ps),                                   \
         "TIME",         "stop a point at this simulated time"},                                   \
        {"max-wall", 0,                                                                            \
         CLI_TIME,   CLI_LAUNCH_AT(type, limits.max_wall_ps),                                      \
         "TIME",     "stop a point after this time on the wall clock"},                            \
        {"max-mem", 0,                                                                             \
         CLI_SIZE,  CLI_LAUNCH_AT(type, limits.max_mem_bytes),                                     \
         "SIZE",    "stop a point that takes more memory"},                                        \
        {"json", 0, CLI_FLAG, CLI_LAUNCH_AT(type, json), NULL, "print one JSON document"},         \
        {"force",  0,                                                                              \
         CLI_FLAG, CLI_LAUNCH_AT(type, force),                                                     \
         NULL,     "simulate again what the database already holds, and replace it"},              \
        {"dry-run", 0,                                                                             \
         CLI_FLAG,  CLI_LAUNCH_AT(type, dry_run),                                                  \
         NULL,      "check everything, print the points and what they would cost"},                \
        {"quiet", 'q', CLI_FLAG, CLI_LAUNCH_AT(type, quiet), NULL, "no progress, no notices"},     \
    {                                                                                              \
        "verbose", 'v', CLI_FLAG, CLI_LAUNCH_AT(type, verbose), NULL, "say more"                   \
    }

/* cli_launch_fold turns --fabric into one more --set, whose option it notes. Call it once, after
 * cli_parse. */
void cli_launch_fold(struct arena *arena, struct cli_launch *launch);

/* cli_data_path returns the path of a shipped file or folder ("plots", "workloads/x.yaml"), below
 * $RAILSIM_DATA, or the executable's folder if that holds plots/, or its ../share/railsim. */
const char *cli_data_path(struct arena *arena, const char *name);
/* cli_file returns path if it exists, else the shipped file of that name if there is one, else
 * path. */
const char *cli_file(struct arena *arena, const char *path);

/* cli_version returns "railsim 0.1.0 (git HASH), gcc 12.2.0 -O2, sqlite ..., libyaml ...". */
const char *cli_version(struct arena *arena);
/* cli_cpu returns the model name of the processor. */
const char *cli_cpu(struct arena *arena);
/* cli_provenance fills what the database stores with each point; argv is joined with blanks. */
void cli_provenance(struct arena *arena, const struct cli_line *line,
                    struct results_provenance *provenance);

#endif
