/* test_idle.c - the idle time of a message is what it takes alone, to the picosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/net_rig.h"

#define QUIET "cc: {kind: none}, ecn: {on: false}"

static struct net_rig the_rig;
static const int64_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 8193, 12289, 1000000};
#define SIZES (sizeof sizes / sizeof sizes[0])

/* One message over links of these rates (0 ends them), alone. */
static void check_alone(const char *mode, const int64_t *gbps, int64_t bytes, bool confirm)
{
    const int64_t delay_ps = 1234567;
    net_rig_open(&the_rig, 1, mode);
    int32_t here = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
    net_rig_host(&the_rig, here, gbps[0] * 1000000000, delay_ps);
    for (int i = 1; gbps[i + 1]; i++) {
        int32_t next = topo_node(&the_rig.graph, TOPO_SWITCH, "s");
        net_rig_cable(&the_rig, (int32_t[]){here, next}, gbps[i] * 1000000000, delay_ps);
        here = next;
        if (!gbps[i + 2]) net_rig_host(&the_rig, here, gbps[i + 1] * 1000000000, delay_ps);
    }
    if (!gbps[2]) net_rig_host(&the_rig, here, gbps[1] * 1000000000, delay_ps);
    net_rig_wired(&the_rig);
    struct net_rig_msg *m = net_rig_send(&the_rig, (int[]){0, 1}, bytes, 0);
    m->msg.confirm = confirm;
    int64_t idle_ps = fabric_idle_ps(the_rig.fabric, &m->msg);
    net_rig_run(&the_rig);
    assert_int_equal(m->done_ps, idle_ps);
    net_rig_close(&the_rig);
}

static void check_paths(const char *mode)
{
    /* equal; a slow first, middle, last link; rates whose bytes take no whole picoseconds */
    static const int64_t paths[][5] = {{400, 400},           {400, 400, 400, 400},
                                       {100, 400, 400, 200}, {400, 100, 400, 400},
                                       {400, 400, 200, 100}, {400, 300, 70}};
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++)
        for (size_t s = 0; s < SIZES; s++)
            for (int confirm = 0; confirm <= 1; confirm++) {
                /* a last packet shorter than an ACK: its own waits for the one before it */
                if (confirm && sizes[s] > NET_RIG_MTU && sizes[s] % NET_RIG_MTU == 1) continue;
                check_alone(mode, paths[p], sizes[s], confirm);
            }
}

static void idle_ps__store_and_forward(void **state)
{
    (void)state;
    check_paths(QUIET);
}

static void idle_ps__cut_through(void **state)
{
    (void)state;
    check_paths(QUIET ", forwarding: cut-through");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_ps__store_and_forward),
        cmocka_unit_test(idle_ps__cut_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
