# Achieved read throughput over simulated time, one line per run.
#table read: SELECT run_id, time_s, sum(value) AS rate_bps FROM v_series WHERE metric = 'read_rate'
#table+   AND unit = 'bit/s' AND entity LIKE 'storage/client%' GROUP BY run_id, time_s
#table listed: SELECT run_id, line, rtt_ms, count(*) OVER () AS runs,
#table+   row_number() OVER (ORDER BY line_no, rtt_ms, run_id) AS run FROM point
#table+ WHERE run_id IN (SELECT run_id FROM read)
# At most 6 lines, spread evenly over the runs; each of at most 400 means.
#table shown: SELECT * FROM listed WHERE runs <= 6 OR run = 1
#table+   OR (run - 1) * 6 / runs > (run - 2) * 6 / runs
#table wide: SELECT *, max(time_s) OVER (PARTITION BY run_id) / 400 AS width_s
#table+ FROM shown JOIN read USING (run_id)
#sql rate: SELECT line || coalesce(', RTT ' || printf('%g', rtt_ms) || ' ms', '') AS label,
#sql+   min(time_s), avg(rate_bps) / 8e9 FROM wide
#sql+ GROUP BY run, iif(width_s > 0, CAST(time_s / width_s AS INTEGER), 0), rate_bps = 0
#sql+ ORDER BY run, 2
#needs rate: finished point with a read_rate of its storage clients
#sql hidden: SELECT '6 of ' || max(runs) || ' runs are shown.' AS label FROM listed
#sql+ HAVING max(runs) > 6

stats rate using 1 nooutput
div = time_div(STATS_max)
vertical = 'read throughput (GB/s)'
eval put_vertical
set key title key_heading('Read throughput of the storage clients') font ',12'
set xlabel 'simulated time ('.time_unit(STATS_max).')'
set xrange [0:1e-3<*]
set yrange [0:1e-3<*]
set offsets 0, graph 0.02, graph 0.05, 0
if (hidden_n) { note = hidden_label[1]; note_lines = 1 }
eval put_note
plot for [i = 1:rate_n] rate index i - 1 using ($1 / div):2 with steps lt i title rate_label[i]
