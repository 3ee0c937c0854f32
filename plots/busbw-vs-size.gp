# Collectives by size: time of small ones, bus bandwidth of large ones; measured points beside them.
# Sizes are those of nccl-tests; a line per topology and parameters that vary.
#csv published: nccl_all_reduce.csv
#csv small: nccl_small_messages.csv
#csv single: nccl_single_node.csv
#table sized: SELECT run_id, max(iif(metric = 'size', value, 0)) AS bytes,
#table+   max(iif(metric = 'busbw', value, 0)) / 1e9 AS busbw,
#table+   max(iif(metric = 'time_s', value, 0)) * 1e6 AS us FROM metric
#table+ WHERE (entity = 'collective' AND metric = 'size')
#table+   OR (entity = 'run' AND metric IN ('busbw', 'time_s')) GROUP BY run_id HAVING busbw > 0
#table called: SELECT run_id, bytes, busbw, us, net, trim(net || coalesce((SELECT ' '
#table+   || group_concat(text, ' ') FROM key AS k WHERE k.run_id = s.run_id
#table+   AND key <> 'workload.size' AND (SELECT count(DISTINCT run_id) FROM key AS other
#table+   WHERE other.text = k.text) < (SELECT count(*) FROM sized)), '')) AS line
#table+ FROM sized AS s JOIN run_named USING (run_id)
#table numbered: SELECT *, dense_rank() OVER (ORDER BY line) AS line_no FROM called
#sql simulated: SELECT line AS label, bytes, avg(busbw), avg(us) FROM numbered WHERE line_no <= 8
#sql+ GROUP BY line, bytes ORDER BY line_no, bytes
#needs simulated: finished collective (kind: collective)
#table timed: SELECT system, bytes, time_us AS us, nodes * gpus_per_node AS ranks FROM published
#table+ UNION ALL SELECT system, bytes, time_us, nodes * gpus_per_node FROM small
#table reported: SELECT system, CAST(bytes AS REAL) AS bytes, us,
#table+   bytes * 2 * (ranks - 1) / ranks / 1e3 / us AS busbw FROM timed
#table+ UNION ALL SELECT 'h200', CAST(bytes AS REAL), bytes * 1.75 / 1e3 / busbw_gbps, busbw_gbps
#table+ FROM single WHERE collective = 'all_reduce' AND algorithm = 'nvls'
#sql measured: SELECT system || ', measured' AS label, bytes, busbw, us FROM reported
#sql+ WHERE EXISTS (SELECT 1 FROM called WHERE net LIKE system || '%') ORDER BY system, bytes
#sql hidden: SELECT '8 of ' || max(line_no) || ' lines are shown.' AS label FROM numbered
#sql+ HAVING max(line_no) > 8

vertical = 'time (us); bus bandwidth (GB/s)'
border = 2**20 # the panels meet here
size(b) = b >= 2**30 ? sprintf('%d GiB', b / 2**30) : b >= 2**20 ? sprintf('%d MiB', b / 2**20) : \
    b >= 1024 ? sprintf('%d KiB', b / 1024) : sprintf('%d B', b)
lines = (simulated_n + measured_n + 2) / 3
if (hidden_n) { note = hidden_label[1]; note_lines = 1 }
if (measured_n) {
    note = note.(note_lines ? "\n" : '').'Measured: '.published_source."\n".single_source
    note_lines = note_lines + published_source_lines + single_source_lines
}
set label 99 note at screen 0.012, character note_lines * 0.95 left front noenhanced font ',9'
set logscale x
set xtics () font ',9'
do for [i = 3:34:(dumb ? 10 : 3)] { set xtics add (size(2.0**i) 2.0**i) }
if (!dumb) { set xtics rotate by 45 right }
set key at screen 0.5, 0.935 center top vertical Left reverse samplen 4 font ',9' maxrows lines
set multiplot title heading('Collectives by size') noenhanced font ',12' layout 1, 2 \
    margins screen 0.08, 0.985, 0.25, 0.885 - 0.031 * lines spacing screen 0.09, 0
set offsets 0, 0, graph 0.05, 0
set yrange [0:*]
set xlabel 'size'
set ylabel (dumb ? '' : 'time (us)')
set xrange [8:border]
plot for [i = 1:simulated_n] simulated index i - 1 using 1:($1 > border ? NaN : $3) \
         with lines lt i title simulated_label[i], \
     for [i = 1:measured_n] measured index i - 1 using 1:($1 > border ? NaN : $3) \
         with points lt 8 pt open_mark(i) ps 1.3 title measured_label[i]
unset label 99
set key off
set ylabel (dumb ? '' : 'bus bandwidth (GB/s)')
set xrange [border:*]
plot for [i = 1:simulated_n] simulated index i - 1 using 1:($1 < border ? NaN : $2) \
         with lines lt i, \
     for [i = 1:measured_n] measured index i - 1 using 1:($1 < border ? NaN : $2) \
         with points lt 8 pt open_mark(i) ps 1.3
unset multiplot
