/* fluid.c - `railsim fluid`: DCQCN as a fluid, to cross-check the packet simulator; thresholds. */
#include <stdio.h>
#include <string.h>

#include "models/cc/fluid_dcqcn.h"
#include "sim/app/cli.h"
#include "sim/app/verbs.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

/* struct fluid_cli: as given; the texts are read by the unit of their key. */
struct fluid_cli {
    int64_t flows, delay_ps, kmin_bytes, kmax_bytes, byte_counter_bytes, recovery;
    int64_t timer_ps, cnp_timer_ps, alpha_timer_ps, evolve_ps;
    int64_t buffer_bytes, ports, priorities, headroom_bytes, beta;
    const char *rate, *rate_ai, *pmax, *g;
    bool csv, json;
};

#define AT(member) offsetof(struct fluid_cli, member)
static const struct cli_option options[] = {
    {"flows", 0, CLI_COUNT, AT(flows), "N", "dcqcn: flows through the bottleneck (default 2)"},
    {"delay", 0, CLI_TIME, AT(delay_ps), "TIME", "delay of the feedback (default 0)"},
    {"rate", 0, CLI_TEXT, AT(rate), "RATE", "of the bottleneck (default 40Gbps)"},
    {"kmin", 0, CLI_SIZE, AT(kmin_bytes), "SIZE", "queue where marking begins (default 5KB)"},
    {"kmax", 0, CLI_SIZE, AT(kmax_bytes), "SIZE", "queue where the ramp ends (default 200KB)"},
    {"pmax", 0, CLI_TEXT, AT(pmax), "FRACTION", "marking probability there (default 1%)"},
    {"rate-ai", 0, CLI_TEXT, AT(rate_ai), "RATE", "additive increase (default 40Mbps)"},
    {"byte-counter", 0, CLI_SIZE, AT(byte_counter_bytes), "SIZE", "of increases (default 10MB)"},
    {"timer", 0, CLI_TIME, AT(timer_ps), "TIME", "of increases (default 55us)"},
    {"recovery", 0, CLI_COUNT, AT(recovery), "N", "fast recovery steps (default 5)"},
    {"cnp-timer", 0, CLI_TIME, AT(cnp_timer_ps), "TIME", "between notifications (default 50us)"},
    {"alpha-timer", 0, CLI_TIME, AT(alpha_timer_ps), "TIME", "window of alpha (default 55us)"},
    {"g", 0, CLI_TEXT, AT(g), "FRACTION", "weight of a sample in alpha (default 1/256)"},
    {"evolve", 0, CLI_TIME, AT(evolve_ps), "TIME", "time to integrate for the verdict (200ms)"},
    {"csv", 0, CLI_FLAG, AT(csv), NULL, "print the evolution as CSV and nothing else"},
    {"buffer", 0, CLI_SIZE, AT(buffer_bytes), "SIZE", "thresholds: of the switch (default 12MB)"},
    {"ports", 0, CLI_COUNT, AT(ports), "N", "of the switch (default 32)"},
    {"priorities", 0, CLI_COUNT, AT(priorities), "N", "of each port (default 8)"},
    {"headroom", 0, CLI_SIZE, AT(headroom_bytes), "SIZE", "of each priority (default 22.4KB)"},
    {"beta", 0, CLI_COUNT, AT(beta), "N", "of the dynamic PFC threshold (default 8)"},
    {"json", 0, CLI_FLAG, AT(json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "fluid",
    .args = "dcqcn|thresholds",
    .help = "Fluid model of DCQCN (fixed point, phase margin, evolution); its threshold design.",
    .example = "railsim fluid dcqcn --flows 10 --delay 85us --kmax 2000KB --pmax 10%\n"
               "railsim fluid thresholds --buffer 12MB --ports 32",
    .arg_min = 1,
    .arg_max = 1,
    .options = options,
};

#define SAMPLES 2000 /* of an evolution, at most */

/* ---- from the command line ------------------------------------------------------------------ */

/* given reads an option's text, if there is one, into *value. */
static void given(const char *text, enum unit_dim dim, const char *name, double *value,
                  struct err *err)
{
    union unit_value got;
    const char *wrong = text ? units_parse(dim, text, &got) : NULL;
    if (wrong)
        err_add(err, (struct err_pos){0}, "--%s: '%s': %s", name, text, wrong);
    else if (text)
        *value = dim == UNIT_RATE ? (double)got.i : got.d;
}

/* require complains about an option unless ok; what says what is allowed. */
static void require(bool ok, const char *name, const char *what, struct err *err)
{
    if (!ok) err_add(err, (struct err_pos){0}, "--%s: %s", name, what);
}

static void read_model(const struct fluid_cli *cli, struct fluid_dcqcn *model, struct err *err)
{
    *model = (struct fluid_dcqcn)FLUID_DCQCN_PAPER;
    model->flows = (double)cli->flows;
    model->delay_s = units_s(cli->delay_ps);
    model->kmin_bytes = (double)cli->kmin_bytes;
    model->kmax_bytes = (double)cli->kmax_bytes;
    model->byte_counter_bytes = (double)cli->byte_counter_bytes;
    model->timer_s = units_s(cli->timer_ps);
    model->cnp_s = units_s(cli->cnp_timer_ps);
    model->alpha_s = units_s(cli->alpha_timer_ps);
    model->recovery = (double)cli->recovery;
    given(cli->rate, UNIT_RATE, "rate", &model->rate_bps, err);
    given(cli->rate_ai, UNIT_RATE, "rate-ai", &model->ai_bps, err);
    given(cli->pmax, UNIT_FRACTION, "pmax", &model->pmax, err);
    given(cli->g, UNIT_FRACTION, "g", &model->g, err);
    require(cli->flows >= 1 && cli->flows <= 1000000, "flows", "1 to 1000000", err);
    require(cli->delay_ps <= PS_PER_S, "delay", "at most 1s", err);
    require(model->rate_bps >= 1e6 && model->rate_bps <= 1e14, "rate", "1Mbps to 100Tbps", err);
    require(cli->kmin_bytes < cli->kmax_bytes, "kmin", "less than --kmax", err);
    require(model->pmax > 0 && model->pmax <= 1, "pmax", "more than 0, at most 1", err);
    require(model->g > 0 && model->g <= 1, "g", "more than 0, at most 1", err);
    require(model->ai_bps > 0, "rate-ai", "more than 0", err);
    require(cli->byte_counter_bytes > 0, "byte-counter", "more than 0", err);
    require(cli->recovery <= 1000, "recovery", "at most 1000", err);
    const struct {
        const char *name;
        int64_t ps;
    } times[] = {{"timer", cli->timer_ps},
                 {"cnp-timer", cli->cnp_timer_ps},
                 {"alpha-timer", cli->alpha_timer_ps}};
    for (int i = 0; i < 3; i++)
        require(times[i].ps >= 10 * PS_PER_US && times[i].ps <= PS_PER_S, times[i].name,
                "10us to 1s", err);
    require(cli->evolve_ps >= PS_PER_MS && cli->evolve_ps <= 10 * PS_PER_S, "evolve", "1ms to 10s",
            err);
    require(cli->evolve_ps >= 20 * cli->delay_ps, "evolve", "at least 20 times --delay", err);
}

/* ---- dcqcn ---------------------------------------------------------------------------------- */

static void print_csv(void *self, const struct fluid_dcqcn_sample *sample)
{
    (void)self;
    printf("%.9g,%.9g,%.9g,%.9g,%.9g\n", sample->at_s, sample->queue_bytes, sample->rate_bps,
           sample->target_bps, sample->alpha);
}

/* struct fluid_result: all that was found; margin or fixed point may not exist. */
struct fluid_result {
    bool has_point, has_margin;
    struct fluid_dcqcn_point point;
    struct fluid_dcqcn_margin margin;
    struct fluid_dcqcn_evolution evolution;
};

static void print_json(const struct fluid_dcqcn *model, const struct fluid_result *result)
{
    struct json json = {.out = stdout};
    const struct fluid_dcqcn_evolution *evolution = &result->evolution;
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_string(&json, "model", "dcqcn");
    json_double(&json, "flows", model->flows);
    json_double(&json, "rate_bps", model->rate_bps);
    json_double(&json, "delay_s", model->delay_s);
    if (result->has_point) {
        json_object(&json, "fixed_point");
        json_double(&json, "mark_fraction", result->point.mark);
        json_double(&json, "mark_fraction_approx", result->point.mark_approx);
        json_double(&json, "queue_bytes", result->point.queue_bytes);
        json_double(&json, "alpha", result->point.alpha);
        json_double(&json, "rate_bps", result->point.rate_bps);
        json_double(&json, "target_bps", result->point.target_bps);
        json_end(&json, '}');
    }
    if (result->has_margin) {
        json_double(&json, "phase_margin_deg", result->margin.margin_deg);
        json_double(&json, "crossover_rad_s", result->margin.crossover_rad_s);
    }
    json_object(&json, "evolution");
    json_double(&json, "duration_s", evolution->duration_s);
    json_double(&json, "queue_min_bytes", evolution->least.queue_bytes);
    json_double(&json, "queue_mean_bytes", evolution->queue_mean_bytes);
    json_double(&json, "queue_max_bytes", evolution->most.queue_bytes);
    json_double(&json, "rate_min_bps", evolution->least.rate_bps);
    json_double(&json, "rate_max_bps", evolution->most.rate_bps);
    json_end(&json, '}');
    json_string(&json, "verdict", evolution->stable ? "stable" : "unstable");
    json_end(&json, '}');
}

static void print_text(const struct fluid_dcqcn *model, const struct fluid_result *result)
{
    const struct fluid_dcqcn_point *point = &result->point;
    const struct fluid_dcqcn_evolution *evolution = &result->evolution;
    printf("DCQCN fluid model: %g flows, %g Gb/s, feedback delay %g us\n", model->flows,
           model->rate_bps / 1e9, model->delay_s * 1e6);
    if (result->has_point)
        printf("  fixed point   p* %.4g (approximation %.4g), queue %.2f KB, alpha %.4f, rate "
               "%.4g Gb/s, target %.4g Gb/s\n",
               point->mark, point->mark_approx, point->queue_bytes / 1e3, point->alpha,
               point->rate_bps / 1e9, point->target_bps / 1e9);
    else
        printf("  fixed point   none with p* below 1/2\n");
    if (result->has_point && point->mark > model->pmax)
        printf("                outside the ramp: p* > pmax, the queue rides kmax\n");
    if (result->has_margin)
        printf("  phase margin  %.3f degrees at %.4g rad/s (linearised as published, around the "
               "approximate p*)\n",
               result->margin.margin_deg, result->margin.crossover_rad_s);
    printf("  evolution     last quarter of %g s: queue %.2f .. %.2f KB, mean %.2f KB; rate %.3f "
           ".. %.3f Gb/s\n",
           evolution->duration_s, evolution->least.queue_bytes / 1e3,
           evolution->most.queue_bytes / 1e3, evolution->queue_mean_bytes / 1e3,
           evolution->least.rate_bps / 1e9, evolution->most.rate_bps / 1e9);
    printf("  verdict       %s\n", evolution->stable ? "stable" : "unstable");
}

static void run_dcqcn(const struct fluid_cli *cli, const struct fluid_dcqcn *model)
{
    double duration_s = units_s(cli->evolve_ps);
    struct fluid_result result = {.evolution = {.duration_s = duration_s,
                                                .every_s = duration_s / SAMPLES,
                                                .sink = cli->csv ? print_csv : NULL}};
    result.has_point = fluid_dcqcn_fixed_point(model, &result.point);
    result.has_margin = fluid_dcqcn_phase_margin(model, &result.margin);
    if (cli->csv) printf("time_s,queue_bytes,rate_bps,target_bps,alpha\n");
    fluid_dcqcn_evolve(model, &result.evolution);
    if (cli->json)
        print_json(model, &result);
    else if (!cli->csv)
        print_text(model, &result);
}

/* ---- thresholds ----------------------------------------------------------------------------- */

static void run_thresholds(const struct fluid_cli *cli)
{
    struct fluid_dcqcn_buffer buffer = {.buffer_bytes = (double)cli->buffer_bytes,
                                        .ports = (double)cli->ports,
                                        .priorities = (double)cli->priorities,
                                        .flight_bytes = (double)cli->headroom_bytes,
                                        .beta = (double)cli->beta};
    double pfc_bytes = fluid_dcqcn_pfc_bytes(&buffer);
    double fixed_bytes = fluid_dcqcn_ecn_static_bytes(&buffer);
    double dynamic_bytes = fluid_dcqcn_ecn_dynamic_bytes(&buffer);
    if (cli->json) {
        struct json json = {.out = stdout};
        json_object(&json, NULL);
        json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
        json_string(&json, "model", "thresholds");
        json_double(&json, "pfc_static_bytes", pfc_bytes);
        json_double(&json, "ecn_static_bytes", fixed_bytes);
        json_double(&json, "ecn_dynamic_bytes", dynamic_bytes);
        json_end(&json, '}');
        return;
    }
    printf("DCQCN thresholds: %g ports x %g priorities share %g MB, headroom %g KB each\n",
           buffer.ports, buffer.priorities, buffer.buffer_bytes / 1e6, buffer.flight_bytes / 1e3);
    printf("  PFC static    at most %.3f KB\n", pfc_bytes / 1e3);
    printf("  ECN Kmin      below %.3f KB with static PFC, %.3f KB with dynamic PFC (beta %g)\n",
           fixed_bytes / 1e3, dynamic_bytes / 1e3, buffer.beta);
    if (pfc_bytes <= 0) printf("  the headrooms leave nothing of the buffer\n");
}

static int run(const struct fluid_cli *cli, const char *what)
{
    struct err err = {0};
    struct fluid_dcqcn model;
    if (cli->csv && cli->json)
        err_add(&err, (struct err_pos){0}, "--csv and --json exclude each other");
    if (strcmp(what, "thresholds") == 0) {
        require(cli->ports > 0, "ports", "more than 0", &err);
        require(cli->priorities > 0, "priorities", "more than 0", &err);
        if (err.count == 0) run_thresholds(cli);
    } else if (strcmp(what, "dcqcn") == 0) {
        read_model(cli, &model, &err);
        if (err.count == 0) run_dcqcn(cli, &model);
    } else {
        err_add(&err, (struct err_pos){0}, "unknown model '%s': dcqcn or thresholds", what);
    }
    return err.count ? cli_report(&err, cli->json) : CLI_OK;
}

int fluid_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct fluid_cli cli = {.flows = 2,
                            .kmin_bytes = 5000,
                            .kmax_bytes = 200000,
                            .byte_counter_bytes = 10000000,
                            .recovery = 5,
                            .timer_ps = 55 * PS_PER_US,
                            .cnp_timer_ps = 50 * PS_PER_US,
                            .alpha_timer_ps = 55 * PS_PER_US,
                            .evolve_ps = 200 * PS_PER_MS,
                            .buffer_bytes = 12000000,
                            .ports = 32,
                            .priorities = 8,
                            .headroom_bytes = 22400,
                            .beta = 8};
    int code = cli_parse(&verb, &line, &arena, &cli);
    if (code == CLI_GO) code = run(&cli, line.args.text[0]);
    arena_free(&arena);
    return code;
}
