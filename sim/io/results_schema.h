/* results_schema.h - the SQL text of the results database: tables and views.
 *
 * Apart from results.c because it is another language. Every column and its unit is described in
 * docs/results.md. The one idea: tables hold what the simulator knows (integers in ps and bytes),
 * clustered by run, so that a finished run is appended in one piece and needs no other index; views
 * turn them into seconds and join the names.
 */
#ifndef RAILSIM_IO_RESULTS_SCHEMA_H
#define RAILSIM_IO_RESULTS_SCHEMA_H

#define RESULTS_APPLICATION_ID 0x7261696c /* "rail" */
#define RESULTS_VERSION 1                 /* user_version: counts changes of what follows */

#define RESULTS_TABLES_SQL                                                                         \
    "CREATE TABLE provenance(provenance_id INTEGER PRIMARY KEY, version TEXT NOT NULL,"            \
    "  git_hash TEXT NOT NULL, dirty INTEGER NOT NULL, compiler TEXT NOT NULL,"                    \
    "  flags TEXT NOT NULL, libraries TEXT NOT NULL, cpu TEXT NOT NULL, host TEXT NOT NULL,"       \
    "  argv TEXT NOT NULL);"                                                                       \
    "CREATE TABLE run(run_id INTEGER PRIMARY KEY, status TEXT NOT NULL DEFAULT 'pending',"         \
    "  message TEXT NOT NULL DEFAULT '', topology TEXT NOT NULL, workload TEXT NOT NULL,"          \
    "  params TEXT NOT NULL, overrides TEXT NOT NULL, seed TEXT NOT NULL,"                         \
    "  config_sha256 TEXT NOT NULL, config_rest TEXT NOT NULL, fingerprint TEXT,"                  \
    "  sim_time_ps INTEGER, events INTEGER, data_hops INTEGER, ack_hops INTEGER,"                  \
    "  peak_rss_bytes INTEGER, run_cpu_s REAL, wall_s REAL, setup_cpu_s REAL, started TEXT,"       \
    "  ended TEXT, provenance_id INTEGER NOT NULL REFERENCES provenance,"                          \
    "  UNIQUE(config_sha256, seed));"                                                              \
    "CREATE TABLE param(run_id INTEGER NOT NULL, ord INTEGER NOT NULL, key TEXT NOT NULL,"         \
    "  value TEXT NOT NULL, num REAL, unit TEXT, PRIMARY KEY(run_id, ord)) WITHOUT ROWID;"         \
    "CREATE TABLE config(run_id INTEGER NOT NULL, path TEXT NOT NULL, ord INTEGER NOT NULL,"       \
    "  value TEXT NOT NULL, num REAL, unit TEXT, origin TEXT NOT NULL,"                            \
    "  PRIMARY KEY(run_id, path)) WITHOUT ROWID;"                                                  \
    "CREATE TABLE metric(run_id INTEGER NOT NULL, entity TEXT NOT NULL, metric TEXT NOT NULL,"     \
    "  ord INTEGER NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL,"                             \
    "  PRIMARY KEY(run_id, entity, metric)) WITHOUT ROWID;"                                        \
    "CREATE TABLE phase(run_id INTEGER NOT NULL, phase INTEGER NOT NULL, name TEXT NOT NULL,"      \
    "  bound TEXT NOT NULL, start_ps INTEGER NOT NULL, end_ps INTEGER NOT NULL,"                   \
    "  read_bytes INTEGER NOT NULL, PRIMARY KEY(run_id, phase)) WITHOUT ROWID;"                    \
    "CREATE TABLE share(run_id INTEGER NOT NULL, ord INTEGER NOT NULL, phase INTEGER NOT NULL,"    \
    "  category TEXT NOT NULL, bound TEXT NOT NULL, time_ps INTEGER NOT NULL,"                     \
    "  PRIMARY KEY(run_id, ord)) WITHOUT ROWID;"                                                   \
    "CREATE TABLE series(run_id INTEGER NOT NULL, series INTEGER NOT NULL, entity TEXT NOT NULL,"  \
    "  metric TEXT NOT NULL, unit TEXT NOT NULL, window_ps INTEGER NOT NULL,"                      \
    "  PRIMARY KEY(run_id, series)) WITHOUT ROWID;"                                                \
    "CREATE TABLE sample(run_id INTEGER NOT NULL, series INTEGER NOT NULL, i INTEGER NOT NULL,"    \
    "  time_ps INTEGER NOT NULL, value REAL NOT NULL,"                                             \
    "  PRIMARY KEY(run_id, series, i)) WITHOUT ROWID;"                                             \
    "CREATE TABLE bin(run_id INTEGER NOT NULL, ord INTEGER NOT NULL, entity TEXT NOT NULL,"        \
    "  metric TEXT NOT NULL, unit TEXT NOT NULL, low REAL NOT NULL, high REAL NOT NULL,"           \
    "  count INTEGER NOT NULL, PRIMARY KEY(run_id, ord)) WITHOUT ROWID;"

/* v_run adds to each run what its configuration says about the line: RTT = the RTT given, or
 * 2 * length in km * delay per km. v_point then divides the training time by that of the run with
 * the smallest RTT among those whose configuration is otherwise the same (config_rest). */
#define RESULTS_VIEWS_SQL                                                                          \
    "CREATE VIEW v_run AS SELECT r.*, 1e3 * CASE WHEN length.num > 0"                              \
    "  THEN 2e-3 * length.num * per_km.num ELSE rtt.num END AS rtt_ms,"                            \
    "  rate.num / 1e9 AS wan_rate_gbps, train.value AS time_to_train_s,"                           \
    "  epoch.value AS first_epoch_s FROM run r"                                                    \
    "  LEFT JOIN config rtt ON rtt.run_id = r.run_id AND rtt.path = 'wan.rtt'"                     \
    "  LEFT JOIN config length ON length.run_id = r.run_id AND length.path = 'wan.distance'"       \
    "  LEFT JOIN config per_km ON per_km.run_id = r.run_id AND per_km.path = 'wan.delay_per_km'"   \
    "  LEFT JOIN config rate ON rate.run_id = r.run_id AND rate.path = 'wan.rate'"                 \
    "  LEFT JOIN metric train ON train.run_id = r.run_id AND train.entity = 'run'"                 \
    "    AND train.metric = 'time_to_train_s'"                                                     \
    "  LEFT JOIN metric epoch ON epoch.run_id = r.run_id AND epoch.entity = 'run'"                 \
    "    AND epoch.metric = 'first_epoch_s';"                                                      \
    "CREATE VIEW v_point AS SELECT run_id, status, topology, workload, params, seed,"              \
    "  fingerprint, time_to_train_s, CASE WHEN comparable THEN time_to_train_s /"                  \
    "    first_value(time_to_train_s) OVER (PARTITION BY comparable, config_rest, seed"            \
    "    ORDER BY rtt_ms, run_id) END AS slowdown, rtt_ms, wan_rate_gbps, first_epoch_s,"          \
    "  (SELECT bound FROM phase p WHERE p.run_id = t.run_id AND p.name = 'epoch 1')"               \
    "    AS first_epoch_bound,"                                                                    \
    "  sim_time_ps / 1e12 AS sim_time_s, events, data_hops, ack_hops, run_cpu_s, setup_cpu_s,"     \
    "  wall_s, peak_rss_bytes, overrides, config_sha256, started, ended, message"                  \
    "  FROM (SELECT *, status = 'ok' AND time_to_train_s IS NOT NULL AND rtt_ms IS NOT NULL"       \
    "    AS comparable FROM v_run) t ORDER BY run_id;"                                             \
    "CREATE VIEW v_metric AS SELECT run_id, topology, workload, params, entity, metric, value,"    \
    "  unit FROM metric JOIN run USING(run_id) ORDER BY run_id, ord;"                              \
    "CREATE VIEW v_phase AS SELECT run_id, topology, workload, params, phase, name, bound,"        \
    "  start_ps / 1e12 AS start_s, end_ps / 1e12 AS end_s, (end_ps - start_ps) / 1e12"             \
    "  AS duration_s, read_bytes FROM phase JOIN run USING(run_id) ORDER BY run_id, phase;"        \
    "CREATE VIEW v_share AS SELECT run_id, topology, workload, params, rtt_ms, category,"          \
    "  s.bound AS bound, sum(time_ps) / 1e12 AS time_s"                                            \
    "  FROM share s JOIN phase p USING(run_id, phase) JOIN v_run r USING(run_id)"                  \
    "  WHERE p.start_ps >= 0 AND p.name <> 'load'"                                                 \
    "  GROUP BY run_id, category, s.bound ORDER BY run_id, category, s.bound;"                     \
    "CREATE VIEW v_series AS SELECT run_id, topology, workload, params, entity, metric, unit,"     \
    "  time_ps / 1e12 AS time_s, value FROM sample JOIN series USING(run_id, series)"              \
    "  JOIN run USING(run_id) ORDER BY run_id, series, i;"                                         \
    "CREATE VIEW v_bin AS SELECT run_id, topology, workload, params, entity, metric, unit, low,"   \
    "  high, count FROM bin JOIN run USING(run_id) ORDER BY run_id, ord;"                          \
    "CREATE VIEW v_config AS SELECT run_id, topology, workload, params, path, value, num,"         \
    "  c.unit AS unit, origin FROM config c JOIN run USING(run_id) ORDER BY run_id, ord;"

#endif
