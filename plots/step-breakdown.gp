# What a training step spends its time on, a bar per point: compute, exposed communication, waiting.
# Mean over the GPUs and all steps but the first. At most 16 points.
#table spent: SELECT run_id, substr(metric, 1, length(metric) - 2) AS category, value AS time_s
#table+ FROM metric WHERE entity = 'step' AND unit = 's' AND metric LIKE '%!_s' ESCAPE '!'
#table stepped: SELECT DISTINCT run_id FROM spent
#table works: SELECT count(DISTINCT work) > 1 AS several FROM run_named JOIN stepped USING (run_id)
#table differs: SELECT run_id, group_concat(brief, ' ') AS knobs
#table+ FROM (SELECT * FROM key ORDER BY key NOT LIKE '%.gpus', key) AS k
#table+   JOIN stepped USING (run_id) WHERE (SELECT count(DISTINCT run_id)
#table+   FROM key AS other JOIN stepped USING (run_id) WHERE other.text = k.text)
#table+   < (SELECT count(*) FROM stepped) GROUP BY run_id
#table titled: SELECT s.run_id, work, trim(iif(w.several, work, '')
#table+   || iif(v.net, ' ' || n.net, '') || coalesce(' ' || knobs, '')) AS called
#table+ FROM stepped AS s JOIN run_named AS n USING (run_id) LEFT JOIN differs USING (run_id),
#table+   works AS w, run_varies AS v
#table bar: SELECT run_id, iif(called = '', work, called) AS name,
#table+   min(run_id) OVER (PARTITION BY iif(called = '', work, called)) AS first FROM titled
#table placed: SELECT *, dense_rank() OVER (ORDER BY first) AS place FROM bar
#table sorted: SELECT *, CASE category WHEN 'compute' THEN 1 WHEN 'tp' THEN 2 WHEN 'cp' THEN 3
#table+   WHEN 'ep' THEN 4 WHEN 'pp' THEN 5 WHEN 'fsdp' THEN 6 WHEN 'dp' THEN 7 WHEN 'data' THEN 8
#table+   WHEN 'bubble' THEN 10 WHEN 'skew' THEN 11 ELSE 9 END AS style FROM spent
#table share: SELECT place, style, CASE WHEN style IN (1, 9) THEN replace(category, '_', ' ')
#table+     WHEN style = 8 THEN 'waiting for data'
#table+     WHEN style > 9 THEN 'waiting (' || category || ')'
#table+     ELSE 'exposed ' || category END AS kind,
#table+   sum(time_s) / (SELECT count(*) FROM placed AS p WHERE p.place = q.place) AS time_s
#table+ FROM sorted JOIN placed AS q USING (run_id) WHERE place <= 16 GROUP BY place, style, kind
#sql bars: SELECT kind AS label, place, sum(time_s) OVER stack - time_s,
#sql+   sum(time_s) OVER stack, style FROM share
#sql+ WINDOW stack AS (PARTITION BY place ORDER BY style, kind) ORDER BY style, kind, place
#needs bars: finished training step (kind: llm or cnn)
#sql points: SELECT name AS label, place, sum(time_s) FROM share JOIN (SELECT place,
#sql+   min(name) AS name FROM placed GROUP BY place) USING (place) GROUP BY place ORDER BY place
#sql about: SELECT work AS label FROM titled, works WHERE NOT several LIMIT 1
#sql hidden: SELECT '16 of ' || max(place) || ' points are shown.' AS label FROM placed
#sql+ HAVING max(place) > 16

stats bars using 3 nooutput
longest = STATS_max
div = short_div(longest)
array style[bars_n]
do for [i = 1:bars_n] { stats bars index i - 1 using 4 nooutput; style[i] = int(STATS_max) }
# Compute plain, communication in colours and hatches, waiting grey.
colours = '#0072b2 #d55e00 #e69f00 #cc79a7 #009e73 #56b4e9 #882255 #000000 #666633 #999999 #cccccc'
colour(s) = word(colours, s)
hatch(s) = word('3 4 5 2 6 7 1 2 4 3 3', s) + 0
letter(s) = word('C T X E P F D L O B S', s)
# Names of the points take one line, or two where there is room.
shown = !dumb ? 42 : points_n > 8 ? line_chars / 2 : line_chars * 36 / 100
small = points_n > 10 ? ',8' : ',9'
name(i) = dumb && points_n > 8 ? cut(points_label[i], shown) : broken(points_label[i], shown)
longer(text) = strstrt(text, "\n") == 0 ? strlen(text) : \
    strstrt(text, "\n") - 1 > strlen(text) - strstrt(text, "\n") ? strstrt(text, "\n") - 1 : \
    strlen(text) - strstrt(text, "\n")
wide = 0
do for [i = 1:points_n] {
    wide = longer(name(i)) > wide ? longer(name(i)) : wide
}
of = about_n ? ': '.about_label[1] : ''
set key title key_heading('Time of a training step'.of) font ',12'
if (dumb) { unset key; set title heading('Time of a training step'.of) noenhanced }
set lmargin wide * (dumb ? 1 : 0.88) + 3
set xlabel 'time of a step, mean of the GPUs ('.short_unit(longest).')'
set xrange [0:longest / div * 1.14]
set yrange [points_n + 0.6:0.4]
set ytics () scale 0 noenhanced font small
do for [i = 1:points_n] { set ytics add (name(i) i) }
unset grid
if (!dumb) { set grid xtics lc rgb '#dddddd' lt 1 lw 1 }
letters = ''
if (dumb) {
    do for [i = 1:bars_n] { letters = letters.letter(style[i]).' '.bars_label[i].'   ' }
    note = letters
    note_lines = 1
}
if (hidden_n) { note = note.(note_lines ? "\n" : '').hidden_label[1]; note_lines = note_lines + 1 }
eval put_note
level(k) = longest / div * (k + 0.5) / 60
if (dumb) {
    plot for [k = 0:59] for [i = 1:bars_n] bars index i - 1 using (level(k)):\
             ($2 / div <= level(k) && $3 / div > level(k) ? $1 : NaN):(letter(style[i])) \
             with labels notitle, \
         points using ($2 / div):1:(sprintf(' %.3g', $2 / div)) with labels left notitle
} else {
    plot for [i = 1:bars_n] bars index i - 1 using 2:1:($2 / div):($3 / div):\
             ($1 - 0.36):($1 + 0.36) with boxxyerror lc rgb colour(style[i]) lw 1 dt 1 \
             fs pattern hatch(style[i]) title bars_label[i], \
         points using ($2 / div):1:(sprintf(' %.3g', $2 / div)) with labels left notitle
}
