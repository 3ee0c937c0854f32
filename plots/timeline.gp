# What the first GPUs do when: a row per stream, a colour per kind of work (run --timeline -o).
# Of the last run that has one; at most 24 rows. What is shorter than a 1500th of the whole is drawn
# together with its neighbours of the same kind, as long as they take together.
# What waits is pale: a receive of a trace lasts from when it is posted, and on the lane of compute
# that of a pipeline's message is the bubble.
#table rows: SELECT run_id, series, substr(entity, 13) AS lane, substr(entity, 10, 2) AS place,
#table+   CASE WHEN metric IN ('receive', 'bubble', 'skew') THEN 'waiting (' || metric || ')'
#table+     ELSE metric END AS kind FROM series WHERE entity LIKE 'timeline/%'
#table+   AND run_id = (SELECT max(run_id) FROM series WHERE entity LIKE 'timeline/%')
#table listed: SELECT *, dense_rank() OVER (ORDER BY place) AS row_no FROM rows
#table step: SELECT row_no, kind, i, value, time_ps AS start_ps,
#table+   lead(time_ps) OVER (PARTITION BY run_id, series ORDER BY i) AS end_ps
#table+ FROM listed JOIN sample USING (run_id, series)
#table whole: SELECT max(end_ps) / 1500.0 AS least_ps FROM step
#table bar: SELECT row_no, kind, min(start_ps) AS start_ps, sum(end_ps - start_ps) AS took_ps
#table+ FROM step, whole WHERE value = 1
#table+ GROUP BY row_no, kind, iif(end_ps - start_ps >= least_ps, -1 - i,
#table+   CAST(start_ps / least_ps AS INTEGER))
#table kinds: SELECT kind, kind LIKE 'waiting%' AS waits, sum(took_ps) AS took_ps FROM bar
#table+ GROUP BY kind
#table styled: SELECT kind, iif(waits, 20, 0) + row_number() OVER (PARTITION BY waits
#table+   ORDER BY kind <> 'compute', took_ps DESC, kind) AS style FROM kinds
#sql bars: SELECT kind AS label, row_no, start_ps / 1e12, (start_ps + took_ps) / 1e12, style
#sql+ FROM bar JOIN styled USING (kind) ORDER BY style, row_no, start_ps
#needs bars: run with a timeline of GPUs (run --timeline FILE -o DATABASE)
#sql lanes: SELECT DISTINCT lane AS label, row_no FROM listed ORDER BY row_no
#sql about: SELECT work || ' on ' || net || keys AS label FROM run_named
#sql+ WHERE run_id = (SELECT max(run_id) FROM rows)
#sql hidden: SELECT 'From ' || printf('%.4g', value) || ' s on rows are missing pieces.' AS label
#sql+ FROM metric WHERE entity = 'timeline' AND metric = 'until_s'
#sql+   AND run_id = (SELECT max(run_id) FROM rows)

stats bars using 3 name 't' nooutput
div = short_div(t_max)
array style[bars_n]
do for [i = 1:bars_n] { stats bars index i - 1 using 4 nooutput; style[i] = int(STATS_max) }
colour(s) = s > 20 ? word('#bbbbbb #999999 #777777', 1 + (s - 21) % 3) : \
    word('#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #555555 #000000', 1 + (s - 1) % 8)
hatch(s) = s > 20 ? word('4 5 6', 1 + (s - 21) % 3) + 0 : \
    word('3 3 4 5 2 6 7 1', 1 + (s - 1) % 8) + 0
letter(s) = s > 20 ? word('. : ~', 1 + (s - 21) % 3) : word('C a b c d e f g', 1 + (s - 1) % 8)
unset ytics
set lmargin at screen (dumb ? 0.3 : 0.2)
do for [i = 1:lanes_n] {
    set label i lanes_label[i] at graph -0.01, first i right noenhanced font ',9'
}
unset grid
set grid xtics lc rgb '#dddddd' lt 1 lw 1
if (dumb) { unset grid }
set xrange [0:t_max / div]
set yrange [lanes_n + 0.7:0.3]
set xlabel 'simulated time ('.short_unit(t_max).')'
set key title key_heading(cut(about_label[1], 60).': what the first GPUs do when') font ',12'
if (hidden_n) { note = hidden_label[1]; note_lines = 1; eval put_note }
if (dumb) {
    cell(k) = t_max / div * (k + 0.5) / 70
    plot for [s = 1:bars_n] for [k = 0:69] bars index s - 1 \
        using ($2 / div <= cell(k) && $3 / div > cell(k) ? cell(k) : NaN):1:(letter(style[s])) \
        with labels title (k ? '' : letter(style[s]).' '.bars_label[s])
} else {
    plot for [s = 1:bars_n] bars index s - 1 using ($2 / div):1:($2 / div):($3 / div):\
        ($1 - 0.4):($1 + 0.4) with boxxyerror lc rgb colour(style[s]) lw 0.5 \
        fs pattern hatch(style[s]) \
        title bars_label[s]
}
