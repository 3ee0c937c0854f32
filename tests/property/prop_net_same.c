/* prop_net_same.c - what must not change a packet fabric, in random networks (net_random.h): to run
 * it again, and to commit transmissions on time in place of lazily (port.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/property/net_random.h"

#define SEEDS 30
#define LONGEST_PS (20 * PS_PER_MS) /* what is not done by then is compared as far as it came */

static struct net_random the_random;

/* struct outcome: of a run. */
struct outcome {
    int64_t sent_ps[NET_RIG_MSGS], done_ps[NET_RIG_MSGS];
    struct net_totals sum;
    uint64_t fingerprint;
};

static void run(uint64_t seed, unsigned how, struct outcome *outcome)
{
    struct net_random *random = &the_random;
    net_random_open(random, seed, how);
    sim_run(random->rig.sim, &(struct sim_limits){.max_sim_ps = LONGEST_PS});
    *outcome = (struct outcome){.sum = net_totals(random->rig.fabric),
                                .fingerprint = sim_fingerprint(random->rig.sim)};
    for (int i = 0; i < random->rig.msg_n; i++) {
        outcome->sent_ps[i] = random->rig.m[i].sent_ps;
        outcome->done_ps[i] = random->rig.m[i].done_ps;
    }
}

static void must_be_same(const struct outcome *a, const struct outcome *b)
{
    const struct net_random *random = &the_random;
    for (int i = 0; i < random->rig.msg_n; i++)
        NET_RANDOM_MUST(random, a->done_ps[i] == b->done_ps[i] && a->sent_ps[i] == b->sent_ps[i],
                        "message %d is done at %" PRId64 " and %" PRId64, i, a->done_ps[i],
                        b->done_ps[i]);
    NET_RANDOM_MUST(random,
                    a->sum.injected_bytes == b->sum.injected_bytes &&
                        a->sum.dropped_bytes == b->sum.dropped_bytes &&
                        a->sum.marks == b->sum.marks && a->sum.pauses == b->sum.pauses,
                    "%" PRId64 " and %" PRId64 " bytes injected", a->sum.injected_bytes,
                    b->sum.injected_bytes);
}

static void each(void (*law)(uint64_t seed, unsigned how))
{
    uint64_t at[2];
    draw_seeds(SEEDS, at);
    for (; at[0] <= at[1]; at[0]++)
        for (unsigned faults = 0; faults < 2; faults++)
            law(at[0], faults ? NET_RANDOM_FAULTS : 0);
}

static void again(uint64_t seed, unsigned how)
{
    static struct outcome one, two;
    run(seed, how, &one);
    net_random_close(&the_random);
    run(seed, how, &two);
    must_be_same(&one, &two);
    NET_RANDOM_MUST(&the_random, one.fingerprint == two.fingerprint, "%s", "another fingerprint");
    net_random_close(&the_random);
}

static void net__same_again(void **state)
{
    (void)state;
    each(again);
}

static void eager(uint64_t seed, unsigned how)
{
    static struct outcome lazy, eager;
    run(seed, how, &lazy);
    net_random_close(&the_random);
    run(seed, how | NET_RANDOM_EAGER, &eager);
    must_be_same(&lazy, &eager);
    net_random_close(&the_random);
}

static void net__lazy_is_eager(void **state)
{
    (void)state;
    each(eager);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net__same_again),
        cmocka_unit_test(net__lazy_is_eager),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
