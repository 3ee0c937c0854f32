/* prop_flow.c - laws of the flow fabric under random messages over random small networks.
 *
 * A second simulator, below, knows nothing of timers, sets or water-filling by links: it raises the
 * rates of all flows together until a link is full, freezes what crosses it, and steps from one end
 * of a flow to the next, in doubles. Both must agree. A third solves all flows on all links at
 * every instant, while links change their rates and go down for a while: there every end must agree
 * to the picosecond. And whoever looks, whenever: no link carries more than its rate allows, and in
 * the end each has carried its messages, no more, no less. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/flow/flow.h"
#include "models/flow/way.h"
#include "sim/base/units.h"
#include "sim/engine/rng.h"
#include "tests/property/flow_law.h"

static void on_fault(struct sim *sim, void *self)
{
    (void)sim;
    const struct fault *fault = self;
    flow_set_rate(fault->law->fabric, fault->link, fault->rate_bps);
}

/* Links lose some of their rate, those of hosts, which have no other, or all of it, and have it
 * back two faults later. */
static void add_faults(struct law *law)
{
    for (int i = 0; i < FAULTS; i++) {
        struct fault *fault = &law->fault[i], *first = i < 2 ? fault : fault - 2;
        bool back = i % 4 >= 2;
        fault->law = law;
        fault->at_ps = (2 * i + 1) * PS_PER_MS + (int64_t)rng_below(&law->rng, 2 * PS_PER_MS);
        fault->link =
            back ? first->link : (int32_t)rng_below(&law->rng, (uint64_t)law->graph.link_n);
        int64_t full_bps = law->graph.links[fault->link].rate_bps;
        fault->rate_bps = back ? full_bps : full_bps / 3 * (int64_t)rng_below(&law->rng, 3);
        if (fault->rate_bps == 0 && fault->link < 2 * (SWITCHES + 1)) fault->rate_bps = 1000000;
        timer_init(&fault->timer, on_fault, fault, sim_component(law->sim), 0);
        timer_arm(law->sim, &fault->timer, fault->at_ps);
    }
}

static struct law the_law, other_law; /* too large for a stack */

/* ---- the second simulator -------------------------------------------------------------------- */

static bool crosses(const struct sent *sent, int link)
{
    for (int i = 0; i < sent->path_n; i++)
        if (sent->path[i] == link) return true;
    return false;
}

/* room returns by how much every flow on link that is not frozen may still grow. */
static double room(const struct law *law, int link)
{
    double left_bps = (double)law->graph.links[link].rate_bps;
    int growing = 0;
    for (int i = 0; i < MSGS; i++) {
        if (!law->m[i].flowing || !crosses(&law->m[i], link)) continue;
        left_bps -= law->m[i].rate_bps;
        growing += !law->m[i].frozen;
    }
    return growing ? left_bps / growing : INFINITY;
}

static void share(struct law *law)
{
    for (int i = 0; i < MSGS; i++) {
        law->m[i].rate_bps = 0;
        law->m[i].frozen = !law->m[i].flowing;
    }
    for (;;) {
        int full = -1;
        double least_bps = INFINITY;
        for (int l = 0; l < law->graph.link_n; l++) {
            double here_bps = room(law, l);
            if (here_bps < least_bps) least_bps = here_bps, full = l;
        }
        if (full < 0) return;
        for (int i = 0; i < MSGS; i++) {
            if (law->m[i].frozen) continue;
            law->m[i].rate_bps += least_bps;
            law->m[i].frozen = crosses(&law->m[i], full);
        }
    }
}

/* When a message may begin; INFINITY: the one before it has not left. */
static double begin_s(const struct sent *sent)
{
    double start_s = units_s(sent->start_ps);
    if (!sent->before) return start_s;
    if (!sent->before->gone) return INFINITY;
    return sent->before->end_s > start_s ? sent->before->end_s : start_s;
}

/* A step ends where the next flow begins or ends. */
static void simulate_in_doubles(struct law *law)
{
    for (double now_s = 0;;) {
        share(law);
        double next_s = INFINITY;
        for (int i = 0; i < MSGS; i++) {
            const struct sent *sent = &law->m[i];
            double at_s = INFINITY;
            if (sent->flowing) at_s = now_s + sent->left_bits / sent->rate_bps;
            if (!sent->flowing && !sent->gone) at_s = begin_s(sent);
            if (at_s < next_s) next_s = at_s;
        }
        if (isinf(next_s)) return;
        for (int i = 0; i < MSGS; i++) {
            struct sent *sent = &law->m[i];
            if (sent->flowing) {
                bool ends = now_s + sent->left_bits / sent->rate_bps <= next_s;
                sent->left_bits -= sent->rate_bps * (next_s - now_s);
                if (ends) sent->flowing = false, sent->gone = true, sent->end_s = next_s;
            }
        }
        for (int i = 0; i < MSGS; i++)
            law->m[i].flowing |= !law->m[i].gone && begin_s(&law->m[i]) <= next_s;
        now_s = next_s;
    }
}

static void flow__agrees_with_a_fluid_in_doubles(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct law *law = &the_law;
        law_open(law, seed, 1);
        law_run(law);
        simulate_in_doubles(law);
        for (int i = 0; i < MSGS; i++) {
            double sent_s = units_s(law->m[i].sent_ps), end_s = law->m[i].end_s;
            /* Each end is rounded up to a ps, and shifts those that shared with it: 10 ps. */
            if (fabs(sent_s - end_s) > 1e-9 * end_s + 10e-12)
                fail_msg("seed %llu message %d: %.15g s, not %.15g s", (unsigned long long)seed, i,
                         sent_s, end_s);
        }
        arena_free(&law->arena);
    }
}

/* ---- the third: all flows, all links, every instant ------------------------------------------ */

static void whole_give(struct sent *sent, double rate_bps, int64_t now_ps)
{
    if (sent->rate_bps == rate_bps) return;
    sent->left_bits -= sent->rate_bps * ((double)(now_ps - sent->settled_ps) * 1e-12);
    if (sent->left_bits < 0) sent->left_bits = 0;
    sent->settled_ps = now_ps;
    sent->rate_bps = rate_bps;
    sent->end_ps =
        rate_bps > 0 ? now_ps + (int64_t)ceil(sent->left_bits / rate_bps * 1e12) : INT64_MAX;
}

static void whole_solve(struct net *net, struct law *law, int64_t now_ps)
{
    int32_t who[MSGS], n = 0;
    for (int i = 0; i < MSGS; i++) {
        if (!law->m[i].flowing) continue;
        who[n++] = i;
        net->first[n] = net->first[n - 1] + law->m[i].path_n;
        memcpy(&net->hop[net->first[n - 1]], law->m[i].path,
               (size_t)law->m[i].path_n * sizeof(int32_t));
    }
    net_wire(net, n, (int32_t)law->graph.link_n);
    ways_rank(&law->graph, net->rank);
    assert_true(maxmin_solve(&net->problem));
    for (int32_t f = 0; f < n; f++)
        whole_give(&law->m[who[f]], net->rate_bps[f], now_ps);
}

/* The next instant at which something happens after now, or at it; INT64_MAX: nothing more. */
static int64_t whole_next(const struct law *law, int64_t now_ps)
{
    int64_t next_ps = INT64_MAX;
    for (int i = 0; i < MSGS; i++) {
        const struct sent *sent = &law->m[i];
        if (sent->flowing && sent->end_ps < next_ps) next_ps = sent->end_ps;
        if (sent->start_ps > now_ps && sent->start_ps < next_ps) next_ps = sent->start_ps;
    }
    for (int i = 0; i < FAULTS; i++)
        if (law->fault[i].at_ps > now_ps && law->fault[i].at_ps < next_ps)
            next_ps = law->fault[i].at_ps;
    return next_ps;
}

/* Fills end_ps of all messages. */
static void simulate_whole(struct net *net, struct law *law)
{
    for (int32_t l = 0; l < law->graph.link_n; l++)
        net->cap_bps[l] = (double)law->graph.links[l].rate_bps;
    for (int64_t last_ps = -1, now_ps; (now_ps = whole_next(law, last_ps)) < INT64_MAX;) {
        for (int i = 0; i < MSGS; i++) {
            struct sent *sent = &law->m[i];
            if (sent->flowing && sent->end_ps == now_ps) sent->flowing = false, sent->gone = true;
        }
        for (int i = 0; i < MSGS; i++) {
            struct sent *sent = &law->m[i];
            bool free = !sent->before || sent->before->gone;
            if (!sent->flowing && !sent->gone && sent->start_ps <= now_ps && free) {
                sent->flowing = true;
                sent->settled_ps = now_ps;
                sent->rate_bps = 0;
                sent->end_ps = INT64_MAX;
            }
        }
        for (int i = 0; i < FAULTS; i++)
            if (law->fault[i].at_ps == now_ps)
                net->cap_bps[law->fault[i].link] = (double)law->fault[i].rate_bps;
        whole_solve(net, law, now_ps);
        last_ps = now_ps;
    }
}

static void flow__ends_as_if_all_were_solved_at_once(void **state)
{
    (void)state;
    static struct net net;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct law *law = &the_law;
        law_open(law, seed, 1);
        add_faults(law);
        law_run(law);
        simulate_whole(&net, law);
        for (int i = 0; i < MSGS; i++)
            if (law->m[i].sent_ps != law->m[i].end_ps)
                fail_msg("seed %llu message %d: %lld ps, not %lld ps", (unsigned long long)seed, i,
                         (long long)law->m[i].sent_ps, (long long)law->m[i].end_ps);
        arena_free(&law->arena);
    }
}

/* ---- conservation ---------------------------------------------------------------------------- */

static void sample(struct sim *sim, void *self)
{
    struct law *law = self;
    double dt_s = units_s(sim_now_ps(sim) - law->sampled_ps);
    bool busy = false;
    for (int32_t l = 0; l < law->graph.link_n; l++) {
        double bytes = flow_link_bytes(law->fabric, l), more = bytes - law->sampled_bytes[l];
        double most = (double)law->graph.links[l].rate_bps / 8 * dt_s;
        /* 1e-6 bytes: of 1e8 in a double */
        assert_true(more >= -1e-6);
        assert_true(more <= most * (1 + 1e-9) + 1e-6);
        law->sampled_bytes[l] = bytes;
    }
    for (int i = 0; i < MSGS; i++)
        busy = busy || law->m[i].done_ps < 0;
    law->sampled_ps = sim_now_ps(sim);
    law->samples++;
    if (!busy) return;
    /* From one picosecond to hundreds of microseconds. */
    uint64_t far = UINT64_C(1) << rng_below(&law->rng, 30);
    timer_after(sim, &law->sampler, 1 + (int64_t)rng_below(&law->rng, far));
}

static void flow__no_link_above_its_rate_all_bytes_accounted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct law *law = &the_law;
        law_open(law, seed, 1);
        if (seed % 2) add_faults(law); /* no link ever has more than in the graph */
        timer_init(&law->sampler, sample, law, sim_component(law->sim), 0);
        timer_arm(law->sim, &law->sampler, 0);
        law_run(law);
        assert_true(law->samples > 100);
        for (int32_t l = 0; l < law->graph.link_n; l++) {
            int64_t wire_bytes = 0;
            for (int i = 0; i < MSGS; i++)
                if (crosses(&law->m[i], l))
                    wire_bytes += framing_wire_bytes(&law->framing, law->m[i].msg.bytes);
            assert_true(flow_link_bytes(law->fabric, l) == (double)wire_bytes);
        }
        arena_free(&law->arena);
    }
}

/* A message is never faster than alone on its path, and says by how much it was slower. */
static void flow__excess_is_the_time_beyond_the_idle_path(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct law *law = &the_law;
        law_open(law, seed, 1);
        law_run(law);
        for (int i = 0; i < MSGS; i++) {
            struct sent *sent = &law->m[i];
            int64_t least_bps = INT64_MAX;
            for (int n = 0; n < sent->path_n; n++)
                if (law->graph.links[sent->path[n]].rate_bps < least_bps)
                    least_bps = law->graph.links[sent->path[n]].rate_bps;
            int64_t alone_ps =
                units_serialise_ps(framing_wire_bytes(&law->framing, sent->msg.bytes), least_bps);
            int64_t excess_ps = sent->sent_ps - sent->start_ps - alone_ps;
            if (sent->msg.stream == 0) {
                struct fabric_path path = fabric_path(law->fabric, sent->msg.src, sent->msg.dst);
                assert_int_equal(path.delay_ps, sent->delay_ps);
                assert_int_equal(path.bottleneck_bps, least_bps);
            }
            assert_in_range(sent->msg.excess_ps - excess_ps + 1, 0, 2); /* a double's ceil */
            assert_true(sent->msg.bound == BOUND_NIC || sent->msg.bound == BOUND_SWITCH);
        }
        arena_free(&law->arena);
    }
}

/* ---- repetition and scale -------------------------------------------------------------------- */

static void flow__same_again(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        law_open(&the_law, seed, 1);
        law_open(&other_law, seed, 1);
        uint64_t fingerprint = law_run(&the_law);
        assert_true(law_run(&other_law) == fingerprint);
        assert_true(fingerprint != last);
        last = fingerprint;
        for (int i = 0; i < MSGS; i++)
            assert_int_equal(the_law.m[i].done_ps, other_law.m[i].done_ps);
        arena_free(&the_law.arena);
        arena_free(&other_law.arena);
    }
}

static void flow__double_rates_and_half_delays_halve_all_times(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        law_open(&the_law, seed, 1);
        law_open(&other_law, seed, 2);
        law_run(&the_law);
        law_run(&other_law);
        for (int i = 0; i < MSGS; i++) {
            assert_int_equal(the_law.m[i].start_ps, 2 * other_law.m[i].start_ps);
            int64_t off_ps = the_law.m[i].done_ps - 2 * other_law.m[i].done_ps;
            /* Each end is rounded up to a ps, and shifts those that share with it. */
            assert_in_range(off_ps + MSGS, 0, 2 * MSGS);
        }
        arena_free(&the_law.arena);
        arena_free(&other_law.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow__agrees_with_a_fluid_in_doubles),
        cmocka_unit_test(flow__ends_as_if_all_were_solved_at_once),
        cmocka_unit_test(flow__no_link_above_its_rate_all_bytes_accounted),
        cmocka_unit_test(flow__excess_is_the_time_beyond_the_idle_path),
        cmocka_unit_test(flow__same_again),
        cmocka_unit_test(flow__double_rates_and_half_delays_halve_all_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
