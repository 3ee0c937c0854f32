/* replay_cfg.c - keys of the workload kind `trace`, and what must fit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/replay/replay_live.h"
#include "models/trace/chakra.h"
#include "models/trace/goal.h"
#include "sim/base/check.h"

#define AT(member) offsetof(struct replay_cfg, member)

static const char *const format_words[] = {"goal", "chakra", NULL};

static const struct schema_field fields[] = {
    {.key = "name",
     .type = SCHEMA_STRING,
     .offset = AT(name),
     .fallback = "",
     .help = "What to call it."},
    {.key = "format",
     .type = SCHEMA_ENUM,
     .offset = AT(format),
     .words = format_words,
     .help = "goal = text of LogGOPSim and ATLAHS; chakra = execution traces of MLCommons, a file "
             "per rank."},
    {.key = "file",
     .type = SCHEMA_PATH,
     .offset = AT(file),
     .help = "The GOAL file; of Chakra NAME, if the files are NAME.0.et, NAME.1.et, ..."},
    {.key = "groups",
     .type = SCHEMA_PATH,
     .offset = AT(groups),
     .fallback = "",
     .help = "Chakra: a JSON file of process groups, {\"name\": [rank, ...]}."},
    {.key = "compute_scale",
     .type = SCHEMA_REAL,
     .offset = AT(compute_scale),
     .fallback = "1",
     .max = "1000000",
     .help = "Compute takes so many times as long as recorded."},
    {.key = "memory",
     .type = SCHEMA_BOOL,
     .offset = AT(memory),
     .fallback = "true",
     .help = "Loads and stores take time: as recorded, or what the accelerator's memory needs."},
    {.key = "messages_max",
     .type = SCHEMA_COUNT,
     .offset = AT(messages_max),
     .fallback = "20000",
     .max = "1000000000000",
     .help = "A collective of more messages goes in fewer, longer ones of the same bytes; 0 = "
             "never."},
    {.key = NULL},
};

/* C047: groups are Chakra's; the file is there. What is in it is read when its cluster is known. */
static void check(const void *config, struct schema_check *check)
{
    const struct replay_cfg *cfg = config;
    struct arena scratch = {0};
    const char *first =
        cfg->format == REPLAY_CHAKRA ? arena_printf(&scratch, "%s.0.et", cfg->file) : cfg->file;
    FILE *in = fopen(first, "r");
    if (!in) schema_complain(check, "file", "C047: cannot read %s: %s", first, strerror(errno));
    if (in) fclose(in);
    arena_free(&scratch);
    if (*cfg->groups && cfg->format != REPLAY_CHAKRA)
        schema_complain(check, "groups", "C047: only `format: chakra` has process groups");
}

const struct schema replay_schema = {
    .name = "trace",
    .help = "A recorded or generated trace, replayed: GOAL or Chakra.",
    .size = sizeof(struct replay_cfg),
    .fields = fields,
    .check = check,
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_trace(const struct replay_cfg *cfg, struct arena *arena, struct err *err,
                       struct trace *trace)
{
    if (cfg->format == REPLAY_GOAL)
        return goal_read(&(struct goal_source){.file = cfg->file, .arena = arena, .err = err},
                         trace);
    return chakra_read(&(struct chakra_source){.name = cfg->file,
                                               .groups = *cfg->groups ? cfg->groups : NULL,
                                               .arena = arena,
                                               .err = err},
                       trace);
}

void replay_load(const struct replay_cfg *cfg, struct arena *arena, struct trace *trace)
{
    struct err err = {0};
    bool ok = read_trace(cfg, arena, &err, trace);
    CHECK(ok, "%s, which has been read before: %s", cfg->file, err.count ? err.messages[0] : "");
    err_free(&err);
}

/* C047: operations that say how much they compute, not how long, need to know the device. */
static bool check_device(const struct trace *trace, const struct device_facts *device,
                         struct arena *scratch, struct err *err)
{
    if (device->bf16_tflops > 0) return true;
    for (int64_t r = 0; r < trace->rank_n; r++)
        for (int64_t i = 0; i < trace->rank[r].op_n; i++) {
            const struct trace_op *op = &trace->rank[r].op[i];
            if (op->kind != TRACE_COMPUTE || op->duration_ps > 0 || op->flop == 0) continue;
            return err_add(err, trace_place(trace, r, i),
                           "C047: %s of rank %" PRId64
                           " has FLOPs but no time, and the topology does not say how fast its "
                           "GPUs are: give node.accelerator (`railsim list devices`)",
                           trace_which(trace, r, i, scratch), r);
        }
    return true;
}

/* C047: a GPU for each rank. */
bool replay_check(const struct replay_cfg *cfg, int64_t gpus, const struct device_facts *device,
                  struct err *err)
{
    struct arena scratch = {0};
    struct trace trace;
    const struct err_pos file = {.file = cfg->file};
    bool ok = read_trace(cfg, &scratch, err, &trace) && trace_check(&trace, err);
    if (ok && trace.rank_n > gpus)
        ok = err_add(err, file,
                     "C047: the trace has %" PRId64 " ranks, the topology %" PRId64 " GPUs",
                     trace.rank_n, gpus);
    ok = ok && check_device(&trace, device, &scratch, err);
    arena_free(&scratch);
    return ok;
}
