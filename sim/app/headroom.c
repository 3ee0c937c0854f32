/* headroom.c - `railsim headroom`: the buffer that a lossless port needs behind its threshold.
 *
 * Two answers side by side: what SONiC configures on Spectrum-4 (a worst case of small packets),
 * and what can at most be in flight (the least without loss). Formulas: models/net/headroom.h.
 */
#include <stdio.h>

#include "models/fabric.h"
#include "models/net/headroom.h"
#include "sim/app/cli.h"
#include "sim/app/verbs.h"
#include "sim/base/units.h"
#include "sim/io/json.h"

struct headroom_cli {
    const char *rate, *length;
    int64_t mtu_bytes;
    bool json;
};

static const struct cli_option options[] = {
    {"rate", 0, CLI_TEXT, offsetof(struct headroom_cli, rate), "RATE",
     "of the port (default 400Gbps)"},
    {"length", 0, CLI_TEXT, offsetof(struct headroom_cli, length), "LENGTH",
     "of the cable (default 40m)"},
    {"mtu", 0, CLI_SIZE, offsetof(struct headroom_cli, mtu_bytes), "SIZE",
     "payload of a full packet, for the bound in flight (default 4096B)"},
    {"json", 0, CLI_FLAG, offsetof(struct headroom_cli, json), NULL, "print one JSON document"},
    {0},
};

static const struct cli_verb verb = {
    .name = "headroom",
    .args = "[--rate RATE] [--length LENGTH]",
    .help = "Prints the PFC headroom of a port: as SONiC sets Spectrum-4, and the least without "
            "loss.",
    .example = "railsim headroom --rate 400Gbps --length 300m",
    .arg_min = 0,
    .arg_max = 0,
    .options = options,
};

#define MM_DELAY_PS 5         /* light in fibre: 5 ns per metre */
#define WIDE_BPS 800000000000 /* ports of eight lanes */

static int64_t given(const char *name, const char *text, enum unit_dim dim, struct err *err)
{
    union unit_value value = {0};
    const char *wrong = units_parse(dim, text, &value);
    if (wrong)
        err_add(err, (struct err_pos){0}, "--%s: '%s': %s", name, text, wrong);
    else if (value.i <= 0)
        err_add(err, (struct err_pos){0}, "--%s: '%s': must be more than 0", name, text);
    return value.i;
}

static void print(const struct headroom_cli *cli, const struct headroom *sonic, int64_t least)
{
    if (!cli->json) {
        printf("port %s, cable %s\n", cli->rate, cli->length);
        printf("  SONiC on Spectrum-4:  xoff %lld B, xon %lld B, size %lld B\n",
               (long long)sonic->xoff_bytes, (long long)sonic->xon_bytes,
               (long long)sonic->size_bytes);
        printf(
            "  least without loss:   %lld B in flight (full packets, response as 802.3 allows)\n",
            (long long)least);
        return;
    }
    struct json json = {.out = stdout};
    json_object(&json, NULL);
    json_int(&json, "schema_version", CLI_JSON_SCHEMA_VERSION);
    json_int(&json, "xoff_bytes", sonic->xoff_bytes);
    json_int(&json, "xon_bytes", sonic->xon_bytes);
    json_int(&json, "size_bytes", sonic->size_bytes);
    json_int(&json, "in_flight_bytes", least);
    json_end(&json, '}');
}

int headroom_main(int argc, char **argv)
{
    struct arena arena = {0};
    struct cli_line line = {.argc = argc, .argv = argv};
    struct headroom_cli cli = {.rate = "400Gbps", .length = "40m", .mtu_bytes = 4096};
    struct err err = {0};
    int code = cli_parse(&verb, &line, &arena, &cli);
    if (code == CLI_GO) {
        struct headroom_port port = HEADROOM_PORT_SONIC;
        port.rate_bps = given("rate", cli.rate, UNIT_RATE, &err);
        port.cable_mm = given("length", cli.length, UNIT_LENGTH, &err);
        port.lanes = port.rate_bps >= WIDE_BPS ? 8 : 4;
        code = err.count ? cli_report(&err, cli.json) : CLI_OK;
        if (code == CLI_OK) {
            const struct headroom sonic = headroom_spectrum4(&port);
            const struct headroom_link link = {
                .rate_bps = port.rate_bps,
                .delay_ps = port.cable_mm * MM_DELAY_PS,
                .frame_bytes = cli.mtu_bytes + FRAMING_ROCE_BYTES + FRAMING_ROCE_RETH_BYTES,
                .response_bytes = headroom_response_bytes(port.rate_bps)};
            print(&cli, &sonic, headroom_in_flight_bytes(&link));
        }
    }
    arena_free(&arena);
    return code;
}
