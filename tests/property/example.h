/* example.h - for tests: a shipped topology and workload, run as `railsim run` does.
 * cmocka.h is included before. */
#ifndef RAILSIM_TESTS_EXAMPLE_H
#define RAILSIM_TESTS_EXAMPLE_H

#include <stdio.h>

#include "sim/app/point.h"

#define EXAMPLE_SETS_MAX 8

/* struct example: paths, and what differs from the files: "network.cc.kind=none", up to a NULL. */
struct example {
    const char *topology, *workload;
    const char *sets[EXAMPLE_SETS_MAX];
};

/* example_run fills record, which the caller frees; the run must end well. */
static inline void example_run(const struct example *example, struct record *record)
{
    struct arena arena = {0};
    struct err err = {0};
    struct point point = {.topology = example->topology,
                          .workload = example->workload,
                          .sets = example->sets,
                          .seed = 1};
    struct point_config config;
    while (point.set_n < EXAMPLE_SETS_MAX && example->sets[point.set_n])
        point.set_n++;
    bool ok = point_load(&arena, &point, &config, &err);
    if (!ok) err_print(&err, stderr);
    assert_true(ok);
    point_run(&config, point.seed, &point.limits, record);
    assert_string_equal(record->status, "ok");
    err_free(&err);
    arena_free(&arena);
}

static inline double example_metric(const struct record *record, const char *entity,
                                    const char *name)
{
    double value = -1;
    if (!record_find(record, entity, name, &value)) fail_msg("no %s of %s", name, entity);
    return value;
}

/* example_near prints what came out and expects it within a relative tolerance. */
static inline void example_near(const char *what, double got, double expected, double tolerance)
{
    print_message("%-46s %.5g, expected %.5g (%+.2f %%)\n", what, got, expected,
                  (got / expected - 1) * 100);
    assert_true(got >= expected * (1 - tolerance) && got <= expected * (1 + tolerance));
}

#endif
