/* test_client_contract.c - every registered storage client through one harness.
 *
 * A family is configuration in, plan out: its defaults bind, its plan makes sense, 1 GB can be read
 * and written through it and no byte is lost, and no limit makes it slower by growing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/storage/stream.h"
#include "models/storage/tcp_law.h"
#include "tests/unit/rig.h"

static void default_plan(struct arena *arena, int family, struct client_plan *plan)
{
    void *config = arena_alloc(arena, client_kinds[family]->size);
    rig_bind(arena, client_kinds[family], NULL, config);
    *plan = (struct client_plan){0};
    client_list[family]->plan(config, plan);
}

static void on_progress(struct sim *sim, struct stream *stream)
{
    if (stream->at_off == stream->end) sim_finish(sim);
}

/* Read or write one file of 1 GB; returns the time. RTT 10 ms. */
static int64_t move_1gb(const struct client_plan *plan, bool write)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_cfg){.plan = plan,
                                     .wan = "rate: 10Gbps, rtt: 10ms",
                                     .set = {{.files = 1, .file_bytes = 1 * GB}}});
    struct stream stream;
    stream_init(&stream, rig.session);
    stream.set = &rig.set[0];
    stream.write = write;
    stream.end = stream.limit_off = 1 * GB;
    stream.progress = on_progress;
    stream_open(&stream);
    int64_t took_ps = rig_run(&rig);
    assert_int_equal(stream.at_off, 1 * GB);
    assert_int_equal(rig_count(&rig, "read_bytes"), write ? 0 : 1 * GB);
    assert_int_equal(rig_count(&rig, "written_bytes"), write ? 1 * GB : 0);
    int64_t requests = rig_count(&rig, write ? "writes" : "reads");
    assert_true(requests * plan->request_bytes >= 1 * GB);
    if (!plan->local) { /* a header each way, and the data once */
        int64_t bytes = 1 * GB + 2 * requests * plan->header_bytes;
        assert_int_equal(rig_metric(&rig, "storage/client0/transport", "sent_bytes"), bytes);
        assert_int_equal(rig_metric(&rig, "storage/client0/transport", "delivered_bytes"), bytes);
        assert_int_equal(rig_metric(&rig, "storage/client0/transport", "inflight_bytes"), 0);
    }
    rig_close(&rig);
    return took_ps;
}

static void client_list__each_family_has_a_name_and_help(void **state)
{
    (void)state;
    int n = 0;
    for (; client_list[n]; n++) {
        assert_non_null(client_kinds[n]);
        assert_true(client_kinds[n]->name[0] != 0);
        assert_true(client_list[n]->help[0] != 0);
        for (int other = 0; other < n; other++)
            assert_string_not_equal(client_kinds[n]->name, client_kinds[other]->name);
    }
    assert_null(client_kinds[n]);
    assert_in_range(n, 4, 1000);
}

static void client_plan__defaults_make_sense(void **state)
{
    (void)state;
    for (int family = 0; client_list[family]; family++) {
        struct arena arena = {0};
        struct client_plan plan;
        default_plan(&arena, family, &plan);
        assert_in_range(plan.request_bytes, 1, 1 * GB);
        assert_true(plan.readahead_file_bytes > 0);
        assert_true(plan.dirty_bytes > 0);
        assert_true(plan.readahead_total_bytes >= 0);
        assert_in_range(plan.gate_n, 0, CLIENT_GATES_MAX);
        for (int g = 0; g < plan.gate_n; g++) {
            assert_true(plan.gate[g].capacity > 0);
            assert_true(plan.gate[g].unit_bytes >= 0);
            assert_in_range(plan.gate[g].bound, 0, BOUND_N - 1);
            assert_in_range(plan.gate[g].scope, CLIENT_ALL, CLIENT_PER_TARGET);
        }
        if (plan.local) {
            assert_true(plan.device.targets > 0);
            assert_true(plan.device.stripe_bytes > 0);
            assert_int_equal(plan.device.peers, 1);
        } else {
            assert_non_null(tcp_law_find(plan.law));
            assert_true(plan.framing.payload_bytes > 0);
            assert_true(plan.connections > 0);
            assert_true(plan.header_bytes > 0);
            assert_true(plan.window_bytes >= 0 && plan.process_bps >= 0);
        }
        arena_free(&arena);
    }
}

static void client_plan__is_a_pure_function(void **state)
{
    (void)state;
    for (int family = 0; client_list[family]; family++) {
        struct arena arena = {0};
        struct client_plan first, second;
        default_plan(&arena, family, &first);
        default_plan(&arena, family, &second);
        assert_memory_equal(&first, &second, sizeof(first));
        arena_free(&arena);
    }
}

static void client__reads_and_writes_1gb_without_losing_a_byte(void **state)
{
    (void)state;
    for (int family = 0; client_list[family]; family++) {
        struct arena arena = {0};
        struct client_plan plan;
        default_plan(&arena, family, &plan);
        int64_t read_ps = move_1gb(&plan, false), write_ps = move_1gb(&plan, true);
        if (!plan.local) { /* not faster than the line, and not faster than light */
            assert_true(read_ps > PS_PER_S * 8 / 10 + 10 * PS_PER_MS);
            assert_true(write_ps > PS_PER_S * 8 / 10 + 10 * PS_PER_MS);
        }
        arena_free(&arena);
    }
}

/* The limits of a plan that a test can double; false when there is no such one. */
static bool double_limit(struct client_plan *plan, int which)
{
    if (which < plan->gate_n) {
        plan->gate[which].capacity *= 2;
        return true;
    }
    switch (which - plan->gate_n) {
    case 0:
        plan->readahead_file_bytes *= 2;
        return true;
    case 1:
        plan->readahead_total_bytes *= 2;
        return true;
    case 2:
        plan->window_bytes *= 2;
        return true;
    case 3:
        plan->connections *= 2;
        return true;
    case 4:
        plan->process_bps *= 2;
        return true;
    case 5:
        plan->dirty_bytes *= 2;
        return true;
    default:
        return false;
    }
}

/* Without a congestion window: more sockets than requests would each start slowly again. */
static void client__a_higher_limit_never_makes_it_slower(void **state)
{
    (void)state;
    for (int family = 0; client_list[family]; family++) {
        struct arena arena = {0};
        struct client_plan plan, wider;
        default_plan(&arena, family, &plan);
        if (!plan.local) plan.law = "fixed";
        int64_t read_ps = move_1gb(&plan, false), write_ps = move_1gb(&plan, true);
        for (int which = 0; wider = plan, double_limit(&wider, which); which++) {
            int64_t now_read_ps = move_1gb(&wider, false), now_write_ps = move_1gb(&wider, true);
            if (now_read_ps > read_ps + read_ps / 1000 || now_write_ps > write_ps + write_ps / 1000)
                fail_msg("%s: limit %d doubled: reading %.6f -> %.6f s, writing %.6f -> %.6f s",
                         client_kinds[family]->name, which, units_s(read_ps), units_s(now_read_ps),
                         units_s(write_ps), units_s(now_write_ps));
        }
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_list__each_family_has_a_name_and_help),
        cmocka_unit_test(client_plan__defaults_make_sense),
        cmocka_unit_test(client_plan__is_a_pure_function),
        cmocka_unit_test(client__reads_and_writes_1gb_without_losing_a_byte),
        cmocka_unit_test(client__a_higher_limit_never_makes_it_slower),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
