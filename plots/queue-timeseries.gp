# Depth of the fullest egress queues over simulated time, one panel per run (telemetry).
# At most 4 runs, of each the 6 links whose queue was the deepest, but only the first of those below
# a thirtieth of the deepest of all; at most 500 maxima per line.
#table deep: SELECT run_id, series, substr(entity, 6) AS link, window_ps,
#table+   (SELECT max(value) FROM sample AS x WHERE x.run_id = s.run_id AND x.series = s.series)
#table+     AS top_bytes FROM series AS s WHERE metric = 'queue_max' AND entity LIKE 'link/%'
#table listed: SELECT *, dense_rank() OVER (ORDER BY run_id) AS run,
#table+   row_number() OVER (PARTITION BY run_id ORDER BY top_bytes DESC, series) AS place FROM deep
#table peak: SELECT run_id, max(top_bytes) / 1e3 AS kb FROM deep GROUP BY run_id
#sql depth: SELECT run_name || ', at most ' || iif(kb < 1e3, printf('%.3g kB', kb),
#sql+   printf('%.3g MB', kb / 1e3)) AS panel, link AS label,
#sql+   (min(time_ps) + window_ps / 2.0) / 1e12, max(value) / 1e3
#sql+ FROM listed JOIN ran USING (run_id) JOIN peak USING (run_id)
#sql+   JOIN sample USING (run_id, series)
#sql+ WHERE run <= 4 AND place <= 6 AND (place = 1
#sql+   OR top_bytes * 30 > (SELECT max(top_bytes) FROM listed WHERE run <= 4))
#sql+ GROUP BY run, place, i / (1 + (SELECT max(i) FROM sample AS x
#sql+   WHERE x.run_id = listed.run_id AND x.series = listed.series) / 500)
#sql+ ORDER BY run, place, 3
#needs depth: run with telemetry of queues (telemetry.window)
#sql hidden: SELECT '4 of ' || max(run) || ' runs are shown.' AS label FROM listed
#sql+ HAVING max(run) > 4

stats depth using 1 name 't' nooutput
stats depth using 2 name 'q' nooutput
div = short_div(t_max)
big = q_max > 3000 ? 1e3 : 1.0
vertical = 'queue ('.(big > 1 ? 'MB' : 'kB').')'
small = panels > 3 ? ',7' : ',8'
set key outside right top vertical Left reverse samplen 2 maxrows 6 \
    spacing (panels > 3 ? 0.75 : 0.9) font small
set xrange [0:t_max / div * 1.02]
set yrange [0:q_max / big * 1.08]
if (panels > 2) { set ytics few_step(q_max / big) }
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
set multiplot layout panels, 1 title heading('Queues: maximum per window') noenhanced \
    font ',12' margins screen 0.09, (dumb && panels > 3 ? 0.5 : 0.78), 0.13, 0.88 \
    spacing screen 0, 0.12
do for [p = 1:panels] {
    set title cut(panel[p], 90) noenhanced font ',10' offset 0, -0.5
    set xlabel (p == panels ? 'simulated time ('.short_unit(t_max).')' : '')
    set ylabel (dumb ? '' : vertical)
    first = 1
    while (first < depth_n && depth_panel[first] < p) { first = first + 1 }
    last = first
    while (last < depth_n && depth_panel[last + 1] == p) { last = last + 1 }
    plot for [i = first:last] depth index i - 1 using ($1 / div):($2 / big) with lines \
        lt 1 + i - first lw 1.6 title depth_label[i]
    unset label
}
unset multiplot
