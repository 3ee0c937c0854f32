/* prop_net.c - laws of the packet fabric over all its options, topologies and faults, in random
 * networks with random messages (net_random.h).
 *
 * Whenever one looks: what was injected was delivered, dropped, or is under way, for the whole and
 * for each link; buffers hold what was charged to them; credit is somewhere. In the end each
 * message came exactly once, whatever was dropped, or the fabric names the deadlock it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/property/net_random_look.h"

#define SEEDS 120 /* of each kind */
#define LOOKS 15  /* random moments at which a run is stopped and counted */
#define LONGEST_PS (10 * PS_PER_S)

static struct net_random the_random; /* too large for a stack */

/* All credit is back, nothing is held; all messages came. */
static void look_at_end(const struct net_random *random)
{
    NET_RANDOM_MUST(random, net_totals(random->rig.fabric).inflight_bytes == 0, "%s",
                    "something is in flight");
    for (int i = 0; i < random->rig.msg_n; i++) {
        const struct net_rig_msg *m = &random->rig.m[i];
        NET_RANDOM_MUST(random, m->dones == 1, "message %d: %d times", i, m->dones);
        NET_RANDOM_MUST(random, m->sents == (m->sent_ps >= 0) && m->sent_ps <= m->done_ps,
                        "message %d was sent at %" PRId64, i, m->sent_ps);
    }
    for (int64_t l = 0; l < random->rig.graph.link_n; l++) {
        const struct port *port = random->parts.port[l];
        const char *name = random->rig.graph.links[l].name;
        NET_RANDOM_MUST(random, !port->paused && !port->down && !port->storm, "%s is held", name);
        for (int c = 0; c < random->classes && port->credit; c++)
            NET_RANDOM_MUST(random, port->credit->left_bytes[c] == random->credit_bytes[l][c],
                            "%s class %d: %" PRId64 " bytes of credit left", name, c,
                            port->credit->left_bytes[c]);
    }
}

/* Is there room for all that neighbours send until they hear that they should stop? */
static bool has_room(const struct net_random *random)
{
    const struct net_cfg *cfg = &random->rig.cfg;
    if (cfg->link_layer == NET_INFINIBAND) return true;
    if (cfg->pfc.watchdog_ps > 0 && cfg->pfc.watchdog_ps < PS_PER_MS) return false;
    if (!cfg->pfc.on || cfg->pfc.headroom_bytes > 0) return false;
    for (int64_t v = 0; v < random->rig.graph.node_n; v++) {
        const struct net_switch *sw = random->parts.sw[v];
        int64_t most = 0;
        for (int i = 0; sw && i < sw->port_n * random->classes; i++)
            most += cfg->pfc.xoff_bytes + sw->ingress[i].headroom_bytes;
        if (most > cfg->buffer_bytes) return false;
    }
    return true;
}

struct seen {
    int lossy, pausing, marking, underway, deadlocks, lossless, again;
};

static void run_one(uint64_t seed, unsigned how, struct seen *seen)
{
    struct net_random *random = &the_random;
    struct rng rng = rng_stream(seed, "prop_net/looks");
    struct stuck stuck;
    bool deadlock = false;
    net_random_open(random, seed, how);
    stuck_init(&stuck, random->rig.fabric, random->rig.cfg.pfc.deadlock_check_ps);
    net_random_look(random);
    enum sim_stop stop = SIM_MAX_TIME;
    for (int64_t i = 0, at_ps = 0; i < LOOKS && stop == SIM_MAX_TIME; i++) {
        at_ps += 1 + (int64_t)rng_below(&rng, 8 * PS_PER_US);
        stop = net_random_run(random, &stuck, at_ps, &deadlock);
        net_random_look(random);
        seen->underway += net_totals(random->rig.fabric).inflight_bytes > 0;
    }
    if (stop == SIM_MAX_TIME) stop = net_random_run(random, &stuck, LONGEST_PS, &deadlock);
    NET_RANDOM_MUST(random, stop == SIM_IDLE, "%s %s", sim_stop_name(stop),
                    stuck_text(random->rig.fabric, &random->rig.arena));
    net_random_look(random);
    struct net_totals sum = net_totals(random->rig.fabric);
    if (deadlock) {
        const char *text = stuck_text(random->rig.fabric, &random->rig.arena);
        NET_RANDOM_MUST(random, strstr(text, "deadlock: "), "no deadlock, but '%s'", text);
        seen->deadlocks++;
    } else {
        look_at_end(random);
    }
    if (has_room(random) && !(how & NET_RANDOM_FAULTS)) {
        for (int64_t l = 0; l < random->rig.graph.link_n; l++)
            NET_RANDOM_MUST(random, random->parts.port[l]->drops == 0, "%" PRId64 " drops at %s",
                            random->parts.port[l]->drops, random->rig.graph.links[l].name);
        seen->lossless++;
    }
    seen->lossy += sum.drops > 0;
    seen->pausing += sum.pauses > 0;
    seen->marking += sum.marks > 0;
    seen->again += sum.retransmitted > 0;
    net_random_close(random);
}

static void all_seeds(unsigned how)
{
    struct seen seen = {0};
    uint64_t at[2];
    draw_seeds(SEEDS, at);
    const int n = (int)(at[1] - at[0] + 1);
    for (; at[0] <= at[1]; at[0]++)
        run_one(at[0], how, &seen);
    if (getenv("RAILSIM_SEEDS"))
        print_message("%d seeds: %d lossy, %d repeating, %d pausing, %d marking, %d lossless, "
                      "%d deadlocks\n",
                      n, seen.lossy, seen.again, seen.pausing, seen.marking, seen.lossless,
                      seen.deadlocks);
    /* The laws were put to the test in all ways. */
    if (n != SEEDS) return;
    assert_true(seen.lossy > n / 20 && seen.pausing > n / 10 && seen.marking > n / 10);
    assert_true(seen.again > n / 20 && seen.underway > n);
    assert_true(how & NET_RANDOM_FAULTS || seen.lossless > n / 10);
}

static void net__all_is_accounted_for_at_any_time(void **state)
{
    (void)state;
    all_seeds(0);
}

static void net__and_with_faults_of_links(void **state)
{
    (void)state;
    all_seeds(NET_RANDOM_FAULTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net__all_is_accounted_for_at_any_time),
        cmocka_unit_test(net__and_with_faults_of_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
