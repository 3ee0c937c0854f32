# Heat map of the utilisation of links over simulated time, one panel per run (telemetry).
# At most 4 runs; links in the order of their senders, at most 200 bands and 160 means per band:
# of more links each band is the mean of neighbours.
#table used: SELECT run_id, series, substr(entity, 6) AS link, window_ps,
#table+   (SELECT max(i) FROM sample AS x WHERE x.run_id = s.run_id AND x.series = s.series) + 1
#table+   AS windows, dense_rank() OVER (ORDER BY run_id) AS run,
#table+   min(series) OVER (PARTITION BY run_id,
#table+     substr(entity, 1, instr(entity, '>') - 1)) AS sender
#table+   FROM series AS s WHERE metric = 'utilisation' AND entity LIKE 'link/%>%'
#table listed: SELECT *, row_number() OVER (PARTITION BY run_id ORDER BY sender, series) - 1 AS row,
#table+   count(*) OVER (PARTITION BY run_id) AS links FROM used
#table banded: SELECT *, row / ((links + 199) / 200) AS band, (windows + 159) / 160 AS wide
#table+ FROM listed WHERE run <= 4
#sql cells: SELECT run_name AS panel, i / wide, band, avg(value),
#sql+   wide * window_ps / 1e12, max(windows) OVER (PARTITION BY run) * window_ps / 1e12
#sql+ FROM banded JOIN ran USING (run_id) JOIN sample USING (run_id, series)
#sql+ GROUP BY run, band, i / wide ORDER BY run, band, 2
#needs cells: run with telemetry of links (telemetry.window)
#sql names: SELECT run_name AS panel, min(link) AS label, band FROM banded JOIN ran USING (run_id)
#sql+ WHERE band % (1 + (SELECT max(band) FROM banded AS b WHERE b.run = banded.run) / 16) = 0
#sql+ GROUP BY run, band ORDER BY run, band
#sql hidden: SELECT '4 of ' || max(run) || ' runs are shown.' AS label FROM used
#sql+ HAVING max(run) > 4

stats cells using 5 name 't' nooutput
array at[names_n]
do for [i = 1:names_n] { stats names index i - 1 using 1 nooutput; at[i] = STATS_max }
div = short_div(t_max)
vertical = 'links, in the order of their senders'
set palette defined (0 '#fdea45', 0.25 '#bbaf71', 0.5 '#7c7b78', 0.75 '#434e6c', 1 '#00224e')
set cblabel 'utilisation of the link (%)' offset 0.5
set colorbox user origin screen 0.895, 0.15 size screen 0.02, 0.7
if (dumb) { unset colorbox }
unset grid
unset key
set tics out
set xtics font ',9'
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
columns = panels > 1 ? 2 : 1
rows = (panels + columns - 1) / columns
set multiplot layout rows, columns title heading('Utilisation of links') noenhanced font ',12' \
    margins screen 0.16, 0.875, 0.13, 0.87 spacing screen 0.17, 0.16
do for [p = 1:panels] {
    set title cut(panel[p], columns > 1 ? 50 : 90) noenhanced font ',8' offset 0, -0.5
    set xlabel (p + columns > panels ? 'simulated time ('.short_unit(t_max).')' : '')
    set autoscale
    stats cells index p - 1 using 2 name 'band' nooutput
    stats cells index p - 1 using 4 name 'wide' nooutput
    set xrange [0:t_max / div]
    set cbrange [0:100]
    set yrange [band_max + 0.5:-0.5]
    set ytics () font ',8'
    do for [i = 1:names_n] { if (names_panel[i] == p) { set ytics add (names_label[i] at[i]) } }
    if (dumb) {
        plot cells index p - 1 using (($1 + 0.5) * wide_max / div):($3 > 0.05 ? $2 : NaN):\
                 (substr(' .:-=+*#%@', 1 + int($3 * 9.4), 1 + int($3 * 9.4))) with labels
    } else {
        plot cells index p - 1 using (($1 + 0.5) * wide_max / div):2:($3 * 100) with image
    }
    unset colorbox
    unset label
}
unset multiplot
