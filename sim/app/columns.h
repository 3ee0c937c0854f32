/* columns.h - what points of each kind of workload come to, as columns for tables of points. */
#ifndef RAILSIM_APP_COLUMNS_H
#define RAILSIM_APP_COLUMNS_H

#define COLUMNS_METRIC(entity, metric, value, format, head)                                        \
    ", (SELECT printf('" format "', " value ") FROM metric m WHERE m.run_id = v.run_id"            \
    " AND m.entity = '" entity "' AND m.metric = '" metric "') AS " head

/* COLUMNS_SQL follows the first columns of a SELECT ... FROM v_point v. What a point does not
 * record is NULL; table.optional hides the columns that no point has. The names are those of the
 * metrics, with the unit in which they are shown. */
#define COLUMNS_SQL                                                                                \
    COLUMNS_METRIC("run", "makespan_s", "value * 1e6", "%.2f", "makespan_us")                      \
    COLUMNS_METRIC("flows", "slowdown_p50", "value", "%.3f", "slowdown_p50")                       \
    COLUMNS_METRIC("flows", "slowdown_p99", "value", "%.3f", "slowdown_p99")                       \
    COLUMNS_METRIC("run", "time_s", "value * 1e6", "%.2f", "time_us")                              \
    COLUMNS_METRIC("run", "algbw", "value / 1e9", "%.2f", "algbw_gbytes_s")                        \
    COLUMNS_METRIC("run", "busbw", "value / 1e9", "%.2f", "busbw_gbytes_s")                        \
    COLUMNS_METRIC("run", "step_s", "value", "%.4f", "step_s")                                     \
    COLUMNS_METRIC("run", "tokens_per_s", "value", "%.0f", "tokens_per_s")                         \
    COLUMNS_METRIC("run", "exposed_share", "value", "%.3f", "exposed_share")                       \
    COLUMNS_METRIC("network", "drops", "value", "%.0f", "drops")                                   \
    COLUMNS_METRIC("network", "pauses", "value", "%.0f", "pauses")
#define COLUMNS_N 11

#endif
