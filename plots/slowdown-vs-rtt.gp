# Training slowdown against the round-trip time of the WAN; measured points from their source.
#csv published: remote_storage_gpu_2025.csv
#sql simulated: SELECT line AS label, rtt_ms, avg(slowdown) FROM point
#sql+ WHERE rtt_ms IS NOT NULL AND slowdown IS NOT NULL AND line_no <= 8
#sql+ GROUP BY line, rtt_ms ORDER BY line_no, rtt_ms
#needs simulated: finished point with wan.rtt
#sql measured: SELECT workload || ', measured' AS label, rtt_ms, minutes / (SELECT zero.minutes
#sql+   FROM published AS zero WHERE zero.workload = m.workload AND zero.phase = m.phase
#sql+   AND zero.rtt_ms = 0) FROM published AS m WHERE phase = 'emulated'
#sql+   AND EXISTS (SELECT 1 FROM point WHERE work LIKE m.workload || '%') ORDER BY workload, rtt_ms
#sql hidden: SELECT '8 of ' || max(line_no) || ' lines are shown.' AS label FROM point
#sql+ HAVING max(line_no) > 8

vertical = 'time to train, relative to the smallest RTT'
eval put_vertical
set key title key_heading('Slowdown of training by remote storage') font ',12'
set xlabel 'WAN round-trip time (ms)'
set xrange [0:1<*]
stats simulated using 2 nooutput
if (STATS_max - STATS_min < 0.01 && !measured_n) { set yrange [0.98:STATS_max + 0.02] }
set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.02
if (hidden_n) { note = hidden_label[1]; note_lines = 1 }
if (measured_n) {
    note = note.(note_lines ? "\n" : '').'Measured: '.published_source
    note_lines = note_lines + published_source_lines
}
eval put_note
plot for [i = 1:simulated_n] simulated index i - 1 with linespoints lt i title simulated_label[i], \
     for [i = 1:measured_n] measured index i - 1 with points lt 8 pt open_mark(i) ps 1.6 \
         title measured_label[i]
