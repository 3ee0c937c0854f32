# Slowdown of flows (completion time / time on the idle path) by size: three percentiles.
# One line per run, at most 8; sizes are grouped as in the figures of HPCC.
#table sized: SELECT run_id, CAST(substr(entity, 13 + (substr(entity, 12, 1) = '<')) AS INTEGER)
#table+   AS edge_bytes, substr(entity, 11, 1) = '>' AS above,
#table+   CAST(substr(metric, 11) AS INTEGER) AS part, value
#table+ FROM metric WHERE entity LIKE 'flows/size%'
#table+   AND metric IN ('slowdown_p50', 'slowdown_p95', 'slowdown_p99')
#table placed: SELECT *, dense_rank() OVER (ORDER BY edge_bytes, above) AS place,
#table+   dense_rank() OVER (ORDER BY run_id) AS run FROM sized
#sql slow: SELECT CASE part WHEN 50 THEN 'median' ELSE part || 'th percentile' END
#sql+   AS panel, run_name AS label, place, value
#sql+ FROM placed JOIN ran USING (run_id) WHERE run <= 8 ORDER BY part, run, place
#needs slow: run with finished flows (kind: flows)
#sql size: SELECT 'size ' || place AS label, place, edge_bytes, above FROM placed
#sql+ GROUP BY place ORDER BY place
#sql hidden: SELECT '8 of ' || max(run) || ' runs are shown.' AS label FROM placed
#sql+ HAVING max(run) > 8

bytes(b) = b >= 1e6 ? sprintf('%.3g MB', b / 1e6) : sprintf('%.3g kB', b / 1e3)
set xtics ()
do for [i = 1:size_n] {
    stats size index i - 1 using 2 name 'edge' nooutput
    stats size index i - 1 using 3 name 'above' nooutput
    set xtics add ((above_max > 0 ? '> ' : '').bytes(edge_max) i)
}
stats slow using 1 name 'x' nooutput
stats slow using 2 name 's' nooutput
lines = 0
wide = 0
do for [i = 1:slow_n] {
    if (slow_panel[i] == 1) { lines = lines + 1 }
    wide = strlen(slow_label[i]) > wide ? strlen(slow_label[i]) : wide
}
wide = wide > legend_chars - 10 ? legend_chars - 10 : wide
lines = legend_rows(lines, wide)
vertical = 'slowdown'
set logscale y
set xrange [0.5:x_max + 0.5]
set yrange [1:(s_max > 2 ? s_max * 1.2 : 2.4)]
set ytics add ('1' 1, '2' 2, '3' 3, '5' 5, '10' 10, '20' 20, '30' 30, '50' 50, '100' 100, \
    '200' 200, '500' 500, '1000' 1000, '10000' 10000)
small = size_n > 12 ? ',8' : ',9'
if (!dumb) { set xtics rotate by 90 right font small }
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
set key at screen 0.5, 0.935 center top vertical Left reverse samplen 4 font ',9' maxrows lines
set multiplot layout 1, panels title heading('Slowdown of flows by size') noenhanced font ',12' \
    margins screen 0.08, 0.985, 0.19, legend_below(lines) - 0.035 spacing screen 0.035, 0
do for [p = 1:panels] {
    set title panel[p] noenhanced font ',10' offset 0, -0.5
    set ylabel (dumb || p > 1 ? '' : vertical)
    set xlabel (p == (panels + 1) / 2 ? 'size of the flow, up to' : '')
    if (p > 1) { set key off; if (!dumb) { set format y '' } }
    first = 1
    while (first < slow_n && slow_panel[first] < p) { first = first + 1 }
    last = first
    while (last < slow_n && slow_panel[last + 1] == p) { last = last + 1 }
    plot for [i = first:last] slow index i - 1 using 1:2 with linespoints lt 1 + i - first \
        title (p == 1 ? cut(slow_label[i], wide) : '')
    unset label
}
unset multiplot
