# Rates of flows over simulated time, one panel per run (telemetry): do they converge, how fast.
# At most 4 runs, the first 8 flows of each; at most 200 means per line.
#table rates: SELECT run_id, series, substr(entity, 6) AS flow, window_ps,
#table+   dense_rank() OVER (ORDER BY run_id) AS run,
#table+   row_number() OVER (PARTITION BY run_id ORDER BY series) AS place
#table+ FROM series WHERE metric = 'rate' AND entity LIKE 'flow/%'
#sql rate: SELECT run_name AS panel, flow AS label, (min(time_ps) + window_ps / 2.0) / 1e12,
#sql+   avg(value) / 1e9
#sql+ FROM rates JOIN ran USING (run_id) JOIN sample USING (run_id, series)
#sql+ WHERE run <= 4 AND place <= 8
#sql+ GROUP BY run, place, i / (1 + (SELECT max(i) FROM sample AS x
#sql+   WHERE x.run_id = rates.run_id AND x.series = rates.series) / 200)
#sql+ ORDER BY run, place, 3
#needs rate: run with telemetry of flows (telemetry.window, workload kind flows)
#sql hidden: SELECT 'Shown: ' || min(4, max(run)) || ' of ' || max(run) || ' runs'
#sql+   || iif(max(place) > 8, ', the first 8 of ' || max(place) || ' flows.', '.') AS label
#sql+ FROM rates GROUP BY 'all'
#sql+ HAVING max(run) > 4 OR max(place) > 8

stats rate using 1 name 't' nooutput
stats rate using 2 name 'r' nooutput
div = short_div(t_max)
vertical = 'rate (Gb/s)'
small = panels > 3 ? ',7' : ',8'
set key outside right top vertical Left reverse samplen 2 \
    maxrows 8 spacing 0.8 font small
# Low panels have legends of two columns.
most = 0
count = 0
do for [i = 1:rate_n] {
    count = i > 1 && rate_panel[i] == rate_panel[i - 1] ? count + 1 : 1
    most = count > most ? count : most
}
right = panels < 3 || most < 5 ? 0.78 : dumb ? 0.5 : 0.71
set xrange [0:t_max / div * 1.02]
set yrange [0:r_max * 1.05]
if (panels > 2) { set ytics few_step(r_max) }
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
set multiplot layout panels, 1 title heading('Rates of flows, payload per window') noenhanced \
    font ',12' margins screen 0.09, right, 0.13, 0.88 spacing screen 0, 0.12
do for [p = 1:panels] {
    set title cut(panel[p], 90) noenhanced font ',10' offset 0, -0.5
    set xlabel (p == panels ? 'simulated time ('.short_unit(t_max).')' : '')
    set ylabel (dumb ? '' : vertical)
    first = 1
    while (first < rate_n && rate_panel[first] < p) { first = first + 1 }
    last = first
    while (last < rate_n && rate_panel[last + 1] == p) { last = last + 1 }
    plot for [i = first:last] rate index i - 1 using ($1 / div):2 with lines \
        lt 1 + i - first lw 1.6 title rate_label[i]
    unset label
}
unset multiplot
