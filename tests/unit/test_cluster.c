/* test_cluster.c - which way messages take, and when they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_rig.h"

#define HEADER CLUSTER_RIG_HEADER

struct sent {
    struct cluster_msg msg;
    struct cluster_conn *conn;
    int64_t done_ps;
};

static void on_done(struct sim *sim, struct cluster_msg *msg)
{
    ((struct sent *)msg->owner)->done_ps = sim_now_ps(sim);
}

static void put(struct sent *sent, struct cluster_conn *conn, int64_t bytes)
{
    *sent = (struct sent){.done_ps = -1};
    sent->msg = (struct cluster_msg){.bytes = bytes, .done = on_done, .owner = sent};
    cluster_send(conn, &sent->msg);
}

static void run(struct cluster_rig *rig)
{
    sim_run(rig->sim, &(struct sim_limits){0});
}

static const struct cluster_rig_cfg two_nodes = {
    .nodes = 2, .gpus = 4, .ports = 4, .link_delay_ps = 10 * NS, .cable_ps = 50 * NS, .pxn = true};

static void cluster_send__inside_a_domain_by_nvlink(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn conn;
    struct sent a;
    cluster_rig_open(&rig, &two_nodes);
    cluster_connect(rig.cluster, &conn, 4, 7, 0);
    cluster_lag(&conn, &(struct cluster_lag){.nvlink_ps = 3 * NS, .net_ps = 1000 * NS});
    put(&a, &conn, 1000);
    run(&rig);
    assert_int_equal(a.done_ps, 1013 * NS);
    cluster_rig_close(&rig);
}

static void cluster_send__along_a_rail_by_the_fabric(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn conn;
    struct sent a;
    cluster_rig_open(&rig, &two_nodes);
    cluster_connect(rig.cluster, &conn, 1, 5, 0);
    cluster_lag(&conn, &(struct cluster_lag){.nvlink_ps = 3 * NS, .net_ps = 7 * NS});
    assert_int_equal(conn.proxy, -1);
    put(&a, &conn, 1000);
    run(&rig);
    assert_int_equal(a.done_ps, (1000 + HEADER + 100 + 7) * NS);
    cluster_rig_close(&rig);
}

static void cluster_send__to_another_rail_with_pxn(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn conn;
    struct sent a;
    cluster_rig_open(&rig, &two_nodes);
    cluster_connect(rig.cluster, &conn, 1, 6, 0);
    cluster_lag(&conn, &(struct cluster_lag){.nvlink_ps = 3 * NS, .net_ps = 7 * NS});
    assert_int_equal(conn.proxy, 2);
    assert_int_equal(conn.from, rig.made.endpoint[2]);
    assert_int_equal(conn.to, rig.made.endpoint[6]);
    put(&a, &conn, 1000);
    run(&rig);
    assert_int_equal(a.done_ps, (1000 + 10 + 1000 + HEADER + 100 + 7) * NS);
    cluster_rig_close(&rig);
}

static void cluster_send__to_another_rail_without_pxn(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn conn;
    struct cluster_rig_cfg cfg = two_nodes;
    cfg.pxn = false;
    cluster_rig_open(&rig, &cfg);
    cluster_connect(rig.cluster, &conn, 1, 6, 0);
    assert_int_equal(conn.proxy, -1);
    assert_int_equal(conn.from, rig.made.endpoint[1]);
    assert_int_equal(conn.to, rig.made.endpoint[6]);
    cluster_rig_close(&rig);
}

/* A queue pair sends one message after the other: the second is not slowed, and slows not. */
static void cluster_send__messages_of_a_connection_follow_one_another(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn conn;
    struct sent m[3];
    cluster_rig_open(&rig, &two_nodes);
    cluster_connect(rig.cluster, &conn, 0, 4, 0);
    for (int i = 0; i < 3; i++)
        put(&m[i], &conn, 1000);
    run(&rig);
    for (int i = 0; i < 3; i++)
        assert_int_equal(m[i].done_ps, ((i + 1) * (1000 + HEADER) + 100) * NS);
    cluster_rig_close(&rig);
}

static void cluster_connect__fewer_nics_than_gpus_are_shared(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn a, b, c;
    struct cluster_rig_cfg cfg = two_nodes;
    cfg.ports = 2;
    cluster_rig_open(&rig, &cfg);
    cluster_connect(rig.cluster, &a, 1, 4, 0);
    cluster_connect(rig.cluster, &b, 2, 7, 0);
    cluster_connect(rig.cluster, &c, 0, 6, 0);
    assert_int_equal(a.from, rig.made.endpoint[0]);
    assert_int_equal(a.to, rig.made.endpoint[2]);
    assert_int_equal(b.from, rig.made.endpoint[1]);
    assert_int_equal(a.proxy, -1);
    assert_int_equal(c.proxy, 2);
    cluster_rig_close(&rig);
}

static void cluster_connect__more_nics_than_gpus_by_stream(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn a, b;
    struct cluster_rig_cfg cfg = two_nodes;
    cfg.ports = 8;
    cluster_rig_open(&rig, &cfg);
    cluster_connect(rig.cluster, &a, 1, 5, 0);
    cluster_connect(rig.cluster, &b, 1, 5, 1);
    assert_int_equal(a.from, rig.made.endpoint[2]);
    assert_int_equal(b.from, rig.made.endpoint[3]);
    assert_int_equal(b.to, rig.made.endpoint[11]);
    cluster_rig_close(&rig);
}

static void cluster_facts__domains_over_nodes(void **state)
{
    (void)state;
    struct cluster_rig rig;
    struct cluster_conn conn;
    struct cluster_rig_cfg cfg = {.nodes = 8, .gpus = 4, .ports = 4, .domain = 16};
    cluster_rig_open(&rig, &cfg);
    const struct cluster_facts *facts = cluster_facts(rig.cluster);
    assert_int_equal(facts->gpus, 32);
    assert_int_equal(facts->domain, 16);
    assert_int_equal(facts->leaf, 2); /* all at one switch */
    assert_int_equal(facts->link_bps, GBPS8);
    cluster_connect(rig.cluster, &conn, 1, 15, 0);
    assert_true(conn.nvlink);
    cluster_connect(rig.cluster, &conn, 1, 16, 0);
    assert_false(conn.nvlink);
    cluster_connect(rig.cluster, &conn, 17, cluster_nvswitch(rig.cluster, 31), 0);
    assert_true(conn.nvlink);
    assert_int_equal(conn.to, NVLINK_SWITCH);
    cluster_connect(rig.cluster, &conn, 17, cluster_edge(rig.cluster, 17), 0);
    assert_int_equal(conn.to, rig.made.edge);
    cluster_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cluster_send__inside_a_domain_by_nvlink),
        cmocka_unit_test(cluster_send__along_a_rail_by_the_fabric),
        cmocka_unit_test(cluster_send__to_another_rail_with_pxn),
        cmocka_unit_test(cluster_send__to_another_rail_without_pxn),
        cmocka_unit_test(cluster_send__messages_of_a_connection_follow_one_another),
        cmocka_unit_test(cluster_connect__fewer_nics_than_gpus_are_shared),
        cmocka_unit_test(cluster_connect__more_nics_than_gpus_by_stream),
        cmocka_unit_test(cluster_facts__domains_over_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
