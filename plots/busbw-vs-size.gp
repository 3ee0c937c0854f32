# Collectives by size: time of small ones, bus bandwidth of large ones; measured points beside them.
# A line per topology, operation, number of GPUs and parameters that vary. Measured points stand
# beside lines of the same operation, system and number of GPUs only.
#csv published: nccl_all_reduce.csv
#csv small: nccl_small_messages.csv
#csv single: nccl_single_node.csv
#table collective: SELECT run_id, max(iif(metric = 'size', value, 0)) AS bytes,
#table+   CAST(max(iif(metric = 'ranks', value, 0)) AS INTEGER) AS ranks,
#table+   max(iif(metric = 'busbw', value, 0)) / 1e9 AS busbw,
#table+   max(iif(metric = 'time_s', value, 0)) * 1e6 AS us FROM metric
#table+ WHERE (entity = 'collective' AND metric IN ('size', 'ranks'))
#table+   OR (entity = 'run' AND metric IN ('busbw', 'time_s')) GROUP BY run_id HAVING busbw > 0
#table sized: SELECT c.*, work, net, coalesce(f.value, 'collective') AS op
#table+ FROM collective AS c JOIN run_named USING (run_id)
#table+   LEFT JOIN config AS f ON f.run_id = c.run_id AND path = 'workload.op'
#table several: SELECT count(DISTINCT net) > 1 AS net, count(DISTINCT op) > 1 AS op,
#table+   count(DISTINCT ranks) > 1 AS ranks FROM sized
#table knob: SELECT run_id, key, text, brief FROM key JOIN sized USING (run_id)
#table+ WHERE key NOT IN ('workload.size', 'workload.op', 'workload.ranks')
#table differs: SELECT run_id, group_concat(brief, ' ') AS knobs
#table+ FROM (SELECT * FROM knob WHERE text IN (SELECT text FROM knob GROUP BY text
#table+   HAVING count(*) < (SELECT count(*) FROM sized)) ORDER BY key) GROUP BY run_id
#table called: SELECT s.*, trim(iif(v.net, s.net, '') || iif(v.op, ' ' || s.op, '')
#table+   || iif(v.ranks, ' ' || s.ranks || ' GPUs', '') || coalesce(' ' || knobs, '')) AS own
#table+ FROM sized AS s LEFT JOIN differs USING (run_id), several AS v
#table alike: SELECT *, min(work) OVER same <> max(work) OVER same AS works FROM called
#table+ WINDOW same AS (PARTITION BY own, bytes)
#table lines: SELECT *, iif(max(works) OVER (PARTITION BY own), trim(own || ' ' || work),
#table+   iif(own = '', 'simulated', own)) AS line FROM alike
#table numbered: SELECT *, dense_rank() OVER (ORDER BY net, op, ranks, line) AS line_no FROM lines
#sql simulated: SELECT line AS label, bytes, avg(busbw), avg(us) FROM numbered WHERE line_no <= 8
#sql+ GROUP BY line, bytes ORDER BY line_no, bytes
#needs simulated: finished collective (kind: collective)
#sql about: SELECT iif(v.op, 'Collectives', s.op) || ' by size'
#sql+   || iif(v.ranks, '', ', ' || s.ranks || ' GPUs') || iif(v.net, '', ', ' || s.net) AS label
#sql+ FROM sized AS s, several AS v LIMIT 1
#table timed: SELECT system, bytes, time_us AS us, nodes * gpus_per_node AS ranks FROM published
#table+ UNION ALL SELECT system, bytes, time_us, nodes * gpus_per_node FROM small
#table reported: SELECT system, ranks, CAST(bytes AS REAL) AS bytes, us,
#table+   bytes * 2 * (ranks - 1) / ranks / 1e3 / us AS busbw FROM timed
#table+ UNION ALL SELECT 'h200', gpus, CAST(bytes AS REAL), bytes * 1.75 / 1e3 / busbw_gbps,
#table+   busbw_gbps FROM single WHERE collective = 'all_reduce' AND algorithm = 'nvls'
#table fits: SELECT * FROM reported AS m WHERE EXISTS (SELECT 1 FROM numbered AS s
#table+   WHERE line_no <= 8 AND op = 'all_reduce' AND s.ranks = m.ranks
#table+     AND (net = system OR net LIKE system || '-%'))
#sql measured: SELECT 'all_reduce, ' || system || ', measured' AS label, bytes, busbw, us
#sql+ FROM fits ORDER BY system, bytes
# Of the sources of the tables, those of the systems that are drawn.
#sql origin: SELECT DISTINCT 'Measured, ' || system || ': ' || CASE system
#sql+   WHEN 'aws-p5' THEN '2 x p5.48xlarge, nccl-tests, AWS awsome-distributed-training'
#sql+   WHEN 'aws-p4de' THEN '2 x p4de.24xlarge, nccl-tests, AWS awsome-distributed-training'
#sql+   WHEN 'oci-h100' THEN '2 x BM.GPU.H100.8, nccl-tests, Oracle Cloud tutorial'
#sql+   WHEN 'mi300x' THEN '2 x 8 MI300X, rccl-tests'
#sql+   WHEN 'h200' THEN '8 x H200, NVLS, stas00/ml-engineering, network/README' END AS label
#sql+ FROM fits ORDER BY system
#sql hidden: SELECT '8 of ' || max(line_no) || ' lines are shown.' AS label FROM numbered
#sql+ HAVING max(line_no) > 8

border = 2**20 # the panels meet here
size(b) = b >= 2**30 ? sprintf('%d GiB', b / 2**30) : b >= 2**20 ? sprintf('%d MiB', b / 2**20) : \
    b >= 1024 ? sprintf('%d KiB', b / 1024) : sprintf('%d B', b)
stats simulated using 1 name 'size' nooutput
first = size_min < border ? 1 : 2
last = size_max > border ? 2 : first
vertical = (first == 1 ? 'time (us)' : '').(first < last ? ' and ' : '').\
    (last == 2 ? 'bus bandwidth (GB/s)' : '')
wide = 0
do for [i = 1:simulated_n] {
    wide = strlen(simulated_label[i]) > wide ? strlen(simulated_label[i]) : wide
}
do for [i = 1:measured_n] {
    wide = strlen(measured_label[i]) > wide ? strlen(measured_label[i]) : wide
}
wide = wide > legend_chars - 10 ? legend_chars - 10 : wide
lines = legend_rows(simulated_n + measured_n, wide)
if (hidden_n) { note = hidden_label[1]; note_lines = 1 }
do for [i = 1:origin_n] {
    note = note.(note_lines ? "\n" : '').cut(origin_label[i], line_chars - 2)
    note_lines = note_lines + 1
}
set label 99 note at screen 0.012, character note_lines * 0.95 left front noenhanced font ',9'
set logscale x
set xtics () font ',9'
do for [i = 0:37:(dumb ? 10 : 3)] { set xtics add (size(2.0**i) 2.0**i) }
if (!dumb) { set xtics rotate by 45 right }
set key at screen 0.5, 0.935 center top vertical Left reverse samplen 4 font ',9' maxrows lines
set multiplot title heading(about_label[1]) noenhanced font ',12' layout 1, last - first + 1 \
    margins screen 0.08, 0.985, 0.18 + 0.026 * note_lines, legend_below(lines) \
    spacing screen 0.09, 0
set offsets 0, 0, graph 0.05, 0
set yrange [0:*]
set xlabel 'size'
do for [p = first:last] {
    set ylabel (dumb ? '' : p == 1 ? 'time (us)' : 'bus bandwidth (GB/s)')
    if (p == 1) { set xrange [(size_min < 8 ? 1 : 8):border] } else { set xrange [border:*] }
    if (p > first) { set key off; unset label 99 }
    # Columns: bytes, bus bandwidth, time.
    plot for [i = 1:simulated_n] simulated index i - 1 \
             using 1:((p == 1) == ($1 <= border) || $1 == border ? column(4 - p) : NaN) \
             with linespoints lt i title cut(simulated_label[i], wide), \
         for [i = 1:measured_n] measured index i - 1 \
             using 1:((p == 1) == ($1 <= border) || $1 == border ? column(4 - p) : NaN) \
             with points lt 8 pt open_mark(i) ps 1.3 title cut(measured_label[i], wide)
}
unset multiplot
