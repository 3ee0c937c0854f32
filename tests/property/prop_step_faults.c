/* prop_step_faults.c - training steps of random jobs (step_random.h) while links are down for a
 * while, down for good, or slow; and on the packet fabric.
 *
 * A link that comes back delays a step and no more; one that does not, where there is no other
 * way, ends the run with the rank and the link; a slow NIC slows what goes through it, nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/units.h"
#include "tests/property/step_random.h"

#define SEEDS 40
#define PACKET_SEEDS 6

/* A job whose last node has something to say to the others by every one of its NICs. */
static struct step_case draw(uint64_t seed)
{
    struct step_case at = step_draw(seed);
    at.run = "steps: 2";
    at.adapter_params = 0;
    if (at.units * at.unit_nodes == 1) at.unit_nodes = 2;
    if (step_data(&at) * at.context % at.expert) at.expert = 1;
    return at;
}

/* The first NIC of a node, as links name it. */
static const char *nic(struct arena *arena, const struct step_case *at, int64_t node)
{
    return arena_printf(arena, at->gpus > 1 ? "node%d/nic0" : "node%d", (int)node);
}

/* A fault of the link from the first NIC of the first node to its leaf. */
static const char *fault(struct arena *arena, const struct step_case *at, const char *what)
{
    return arena_printf(arena, "faults: [{link: \"%s>*\", %s}]\n", nic(arena, at, 0), what);
}

static double run_s(const struct step_case *at, int64_t *end_ps)
{
    struct record record;
    step_run(at, &record);
    double time_s = step_metric(&record, "run", "step_s");
    *end_ps = record.sim_time_ps;
    record_free(&record);
    return time_s;
}

static void for_a_while(uint64_t seed)
{
    struct step_case at = draw(seed);
    struct arena arena = {0};
    int64_t before_ps, with_ps;
    run_s(&at, &before_ps);
    int64_t down_ps = before_ps / 3;
    at.network = fault(&arena, &at,
                       arena_printf(&arena, "kind: down, at: %" PRId64 "ps, for: %" PRId64 "ps",
                                    before_ps / 4, down_ps));
    run_s(&at, &with_ps);
    STEP_MUST(&at, with_ps >= before_ps - before_ps / 20, "%" PRId64 " ps, without fault %" PRId64,
              with_ps, before_ps);
    STEP_MUST(&at, with_ps <= before_ps + down_ps + before_ps / 5,
              "%" PRId64 " ps, without fault %" PRId64 ", down for %" PRId64, with_ps, before_ps,
              down_ps);
    arena_free(&arena);
}

static void step__link_down_for_a_while(void **state)
{
    (void)state;
    step_each(SEEDS, for_a_while);
}

static void for_good(uint64_t seed)
{
    struct step_case at = draw(seed);
    struct arena arena = {0};
    struct record record;
    at.network = fault(&arena, &at, "kind: down, at: 1us");
    step_run_how(&at, NULL, &record);
    /* It may have nothing to say: a tensor-parallel group of all that it is part of. */
    const char *link = arena_printf(&arena, "link/%s>unit0/leaf0", nic(&arena, &at, 0));
    bool quiet = step_metric(&record, link, "wire_bytes") == 0;
    bool ok = strcmp(record.status, "ok") == 0;
    STEP_MUST(&at, ok ? quiet : strcmp(record.status, "deadlock") == 0, "%s: %s", record.status,
              record.message);
    STEP_MUST(&at, ok || (strstr(record.message, "rank ") && strstr(record.message, link + 5)),
              "%s", record.message);
    record_free(&record);
    arena_free(&arena);
}

static void step__link_down_for_good(void **state)
{
    (void)state;
    step_each(SEEDS, for_good);
}

/* A NIC at 1/f of its rate: as if all were at most. */
static void slow(uint64_t seed)
{
    struct step_case at = draw(seed), all = at;
    struct arena arena = {0};
    int64_t end_ps;
    all.link_gbps = at.link_gbps / 2;
    double none_s = run_s(&at, &end_ps), all_s = run_s(&all, &end_ps);
    at.network = fault(&arena, &at,
                       arena_printf(&arena, "kind: slow, rate: %" PRId64 "Gbps", at.link_gbps / 2));
    double one_s = run_s(&at, &end_ps);
    STEP_MUST(&at, one_s >= 0.95 * none_s && one_s <= 1.1 * all_s, "%g s, none %g s, all %g s",
              one_s, none_s, all_s);
    arena_free(&arena);
}

static void step__slow_nic(void **state)
{
    (void)state;
    step_each(SEEDS, slow);
}

/* What the links of GPUs of nobody do, nobody feels. */
static void elsewhere(uint64_t seed)
{
    struct step_case at = draw(seed);
    struct arena arena = {0};
    int64_t end_ps;
    at.job_gpus = step_gpus(&at);
    at.units = 2;
    at.unit_nodes = at.job_gpus / at.gpus;
    double none_s = run_s(&at, &end_ps);
    at.network = arena_printf(
        &arena,
        "faults: [{link: \"%s>*\", kind: down}, {link: \"*>%s\", kind: slow, rate: 1Gbps}]\n",
        nic(&arena, &at, at.unit_nodes), nic(&arena, &at, at.unit_nodes + 1));
    STEP_MUST(&at, run_s(&at, &end_ps) == none_s, "without faults %g s", none_s);
    arena_free(&arena);
}

static void step__faults_elsewhere(void **state)
{
    (void)state;
    step_each(SEEDS / 2, elsewhere);
}

/* On packets a step takes about as long; and as long whenever it is run. */
static void packets(uint64_t seed)
{
    struct step_case at = draw(seed);
    struct record flow, packet;
    at.units = 1;
    at.unit_nodes = 2;
    at.gpus = at.gpus > 2 ? 2 : at.gpus;
    at.tensor = at.gpus;
    at.context = at.pipeline = at.chunks = at.expert = 1;
    at.hidden = at.heads * 16;
    at.micro_batches = 1;
    at.params = 500000;
    at.link_gbps = 100;
    step_run(&at, &flow);
    step_run_how(&at, "network.model=packet", &packet);
    STEP_MUST(&at, strcmp(packet.status, "ok") == 0, "%s: %s", packet.status, packet.message);
    double by = (double)packet.sim_time_ps / (double)flow.sim_time_ps;
    STEP_MUST(&at, by > 0.9 && by < 1.25, "by packets %" PRId64 " ps, by flows %" PRId64,
              packet.sim_time_ps, flow.sim_time_ps);
    record_free(&flow);
    record_free(&packet);
}

static void step__by_packets(void **state)
{
    (void)state;
    step_each(PACKET_SEEDS, packets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__link_down_for_a_while),
        cmocka_unit_test(step__link_down_for_good),
        cmocka_unit_test(step__slow_nic),
        cmocka_unit_test(step__faults_elsewhere),
        cmocka_unit_test(step__by_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
