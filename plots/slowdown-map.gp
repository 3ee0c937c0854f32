# Heat map of the time to train over WAN round-trip time and rate, one panel per workload.
#sql cells: SELECT scene AS panel, dense_rank() OVER (ORDER BY rtt_ms),
#sql+   dense_rank() OVER (ORDER BY wan_rate_gbps),
#sql+   time_s / min(time_s) OVER (PARTITION BY scene), rtt_ms, wan_rate_gbps
#sql+ FROM (SELECT scene, rtt_ms, wan_rate_gbps, avg(time_to_train_s) AS time_s FROM point
#sql+   WHERE rtt_ms IS NOT NULL AND wan_rate_gbps IS NOT NULL AND scene_no <= 6
#sql+   GROUP BY scene, rtt_ms, wan_rate_gbps) ORDER BY scene, rtt_ms, wan_rate_gbps
#needs cells: finished point with wan.rtt and wan.rate
#sql hidden: SELECT '6 of ' || max(scene_no) || ' panels are shown.' AS label FROM point
#sql+ HAVING max(scene_no) > 6

stats cells using 3 name 'slow' nooutput
stats cells using 1 name 'x' nooutput
stats cells using 2 name 'y' nooutput
top = slow_max > 1.1 ? slow_max : 1.1
dark(z) = z > 1 + (top - 1) * 0.5
small = x_max * columns > 24
set palette defined (0 '#fdea45', 0.25 '#bbaf71', 0.5 '#7c7b78', 0.75 '#434e6c', 1 '#00224e')
set cbrange [1:top]
set cblabel 'time to train, relative to the fastest point of the panel' offset 0.5
set colorbox user origin screen 0.89, 0.15 size screen 0.022, 0.7
if (dumb || panels == 0) { unset colorbox }
unset grid
unset key
set xrange [0.5:x_max + 0.5]
set yrange [0.5:y_max + 0.5]
set tics scale 0
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
vertical = 'WAN rate (Gb/s)'
set multiplot layout rows, columns \
    title heading('Time to train, relative to the fastest') noenhanced font ',12' \
    margins screen 0.09, 0.86, 0.14, 0.86 spacing screen 0.06, 0.19
do for [p = 1:panels] {
    set title panel_title(p, (dumb ? line_chars * 7 / 10 : 100) / columns) noenhanced font ',9'
    set xlabel (p + columns > panels ? 'WAN RTT (ms)' : '')
    set ylabel (dumb || (p - 1) % columns ? '' : vertical)
    if (dumb) {
        plot cells index p - 1 using 1:2:(sprintf('%.2f', $3)):\
                 xtic(named($1, x_max, sprintf('%g', $4))):ytic(sprintf('%g', $5)) with labels
    } else {
        plot cells index p - 1 using 1:2:(0.5):(0.5):3:\
                 xtic(named($1, x_max, sprintf('%g', $4))):ytic(sprintf('%g', $5)) with boxxyerror \
                 fc palette fs solid 1 border lc rgb 'white', \
             '' index p - 1 using 1:2:(small || dark($3) ? '' : sprintf('%.2f', $3)) with labels \
                 tc rgb 'black', \
             '' index p - 1 using 1:2:(!small && dark($3) ? sprintf('%.2f', $3) : '') with labels \
                 tc rgb 'white'
    }
    unset colorbox
    unset label
}
unset multiplot
