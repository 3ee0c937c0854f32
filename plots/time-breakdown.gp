# Where the time went for each round-trip time: compute, read stall by bound, evaluation, ...
# At most 6 panels, shared out among the workloads.
#table turns: SELECT DISTINCT line, scene_no,
#table+   dense_rank() OVER (PARTITION BY scene_no ORDER BY line_no) AS turn FROM point
#table picked: SELECT line FROM turns ORDER BY turn, scene_no LIMIT 6
#table share: SELECT line, line_no, rtt_ms, sum(time_s) / count(DISTINCT run_id) AS time_s,
#table+   CASE category WHEN 'compute' THEN 1 WHEN 'all_reduce' THEN 2 WHEN 'evaluation' THEN 3
#table+     WHEN 'checkpoint' THEN 4 WHEN 'serial' THEN 5 WHEN 'read_stall' THEN 7
#table+     ELSE 6 END AS sort,
#table+   replace(category || iif(category = 'read_stall', ': ' || bound, ''), '_', ' ') AS kind
#table+ FROM (SELECT run_id, category, bound, time_s FROM v_share) JOIN point USING (run_id)
#table+ WHERE rtt_ms IS NOT NULL AND line IN picked GROUP BY line, rtt_ms, kind
#table kinds: SELECT kind, row_number() OVER (ORDER BY sort, total_s DESC, kind) AS kind_no,
#table+   iif(sort < 7, sort, 6 + row_number()
#table+     OVER (PARTITION BY sort = 7 ORDER BY total_s DESC, kind)) AS style
#table+ FROM (SELECT kind, sort, sum(time_s) AS total_s FROM share GROUP BY kind)
#sql bars: SELECT line AS panel, dense_rank() OVER (ORDER BY rtt_ms),
#sql+   sum(time_s) OVER stack - time_s, sum(time_s) OVER stack, style, rtt_ms
#sql+ FROM share JOIN kinds USING (kind)
#sql+ WINDOW stack AS (PARTITION BY line, rtt_ms ORDER BY kind_no)
#sql+ ORDER BY line_no, rtt_ms, kind_no
#needs bars: finished point with wan.rtt and time shares
#sql legend: SELECT kind AS label, style FROM kinds ORDER BY kind_no DESC
#sql hidden: SELECT '6 of ' || max(line_no) || ' panels are shown.' AS label FROM point
#sql+ HAVING max(line_no) > 6

array style[legend_n]
do for [i = 1:legend_n] { stats legend index i - 1 using 1 nooutput; style[i] = int(STATS_max) }
stats bars using 3 nooutput
div = time_div(STATS_max)
vertical = 'time ('.time_unit(STATS_max).')'
top = STATS_max / div * 1.04
stats bars using 1 name 'x' nooutput
# Six categories in plain colours, then the bounds of the read stall, hatched, the longest first.
stall(s) = word('#d55e00 #e69f00 #000000 #882255', 1 + (s - 7) % 4)
colour(s) = s < 7 ? word('#0072b2 #56b4e9 #009e73 #cc79a7 #888888 #d0d0d0', s) : stall(s)
hatch(s) = s < 7 ? 3 : word('4 5 2 6 7 1', 1 + (s - 7) % 6) + 0
letter(s) = word('C A E K S o W X Y Z U V', s < 12 ? s : 12)
level(k) = top * (k + 0.5) / 40
unset grid
set grid ytics lc rgb '#dddddd' lt 1 lw 1
if (dumb) { unset grid }
set tics scale 0.5
set xrange [0.4:x_max + 0.6]
set yrange [0:top]
unset key
do for [i = 1:legend_n] {
    s = style[i]
    y = 0.86 - i * (dumb ? 0.035 : 0.042)
    entry = (dumb ? letter(s).' ' : '').legend_label[i]
    set label i entry at screen (dumb ? 0.75 : 0.81), y
    if (!dumb) {
        set object i rectangle from screen 0.775, y - 0.013 to screen 0.803, y + 0.013 \
            fc rgb colour(s) fs pattern hatch(s) border lc rgb colour(s) lw 1
    }
}
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
set multiplot layout rows, columns title heading('Where the time goes') noenhanced font ',12' \
    margins screen 0.09, (dumb ? 0.73 : 0.76), 0.14, 0.86 spacing screen 0.05, 0.19
do for [p = 1:panels] {
    set title panel_title(p, (dumb ? line_chars * 6 / 10 : 88) / columns) noenhanced font ',9'
    set ylabel (dumb || (p - 1) % columns ? '' : vertical)
    set xlabel (p + columns > panels ? 'WAN RTT (ms)' : '')
    if (dumb) {
        plot for [k = 0:39] bars index p - 1 using 1:(level(k)):\
            ($2 / div <= level(k) && $3 / div > level(k) ? letter(int($4)) : ''):\
            xtic(named($1, x_max, sprintf('%g', $5))) with labels
    } else {
        plot for [i = 1:legend_n] bars index p - 1 using 1:($4 == style[i] ? $2 : NaN):\
            ($1 - 0.38):($1 + 0.38):($2 / div):($3 / div):\
            xtic(named($1, x_max, sprintf('%g', $5))) with boxxyerror \
            lc rgb colour(style[i]) lw 1 dt 1 fs pattern hatch(style[i])
    }
    unset label
    unset object
}
unset multiplot
