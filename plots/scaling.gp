# Step time against the number of GPUs, ideal scaling and measured steps beside it.
# A line names what differs between points of as many GPUs; ideal: the throughput per GPU of the
# line's fewest GPUs, at the batch of each point.
#csv published: mlperf_step_time.csv
#table timed: SELECT run_id, max(iif(metric = 'gpus', value, 0)) AS gpus,
#table+   max(iif(metric = 'step_s', value, 0)) AS step_s,
#table+   max(iif(metric = 'samples_per_s', value, 0)) AS rate FROM metric
#table+ WHERE entity = 'run' AND metric IN ('gpus', 'step_s', 'samples_per_s') GROUP BY run_id
#table+ HAVING min(gpus, step_s) > 0
#table sized: SELECT t.*, work, net, work || ' ' || net || ' ' || gpus AS size
#table+ FROM timed AS t JOIN run_named USING (run_id)
#table own: SELECT run_id, size, brief AS text
#table+ FROM sized LEFT JOIN key AS k USING (run_id)
#table works: SELECT count(DISTINCT work) > 1 AS several FROM sized
#table called: SELECT s.*, trim(iif(w.several, work, '') || iif(v.net, ' on ' || s.net, '')
#table+   || coalesce((SELECT ' '
#table+   || group_concat(text, ' ') FROM own AS o WHERE o.run_id = s.run_id AND
#table+   (SELECT count(DISTINCT p.run_id) FROM own AS p WHERE p.size = o.size AND p.text = o.text)
#table+   < (SELECT count(*) FROM sized AS p WHERE p.size = o.size)), '')) AS line
#table+ FROM sized AS s, run_varies AS v, works AS w
#table lines: SELECT *, iif(line = '', work, line) AS name FROM called
#table meant: SELECT name AS line, gpus, avg(step_s) AS step_s, avg(rate) AS rate,
#table+   avg(rate * step_s) AS batch FROM lines GROUP BY name, gpus
#table numbered: SELECT *, dense_rank() OVER (ORDER BY line) AS line_no,
#table+   batch * gpus_0 / nullif(rate_0 * gpus, 0) AS ideal_s FROM (SELECT *,
#table+   first_value(rate) OVER few AS rate_0, first_value(gpus) OVER few AS gpus_0
#table+   FROM meant WINDOW few AS (PARTITION BY line ORDER BY gpus))
#sql simulated: SELECT line AS label, gpus, step_s FROM numbered WHERE line_no <= 8
#sql+ ORDER BY line_no, gpus
#needs simulated: finished training step (kind: llm or cnn)
#sql ideal: SELECT line AS label, gpus, ideal_s FROM numbered AS n WHERE line_no <= 8
#sql+   AND ideal_s > 0 AND EXISTS (SELECT 1 FROM numbered AS m WHERE m.line = n.line
#sql+     AND m.gpus <> n.gpus) ORDER BY line_no, gpus
#sql measured: SELECT workload || ', ' || system || ' ' || round || ', measured' AS label,
#sql+   nodes * gpus_per_node AS gpus, step_ms / 1000.0 FROM published AS m
#sql+ WHERE EXISTS (SELECT 1 FROM sized JOIN config USING (run_id) WHERE path = 'node.accelerator'
#sql+   AND value = lower(m.accelerator) AND work LIKE m.workload || '%')
#sql+ ORDER BY workload, system, round, gpus
#sql about: SELECT work AS label FROM sized, works WHERE NOT several LIMIT 1
#sql hidden: SELECT '8 of ' || max(line_no) || ' lines are shown.' AS label FROM numbered
#sql+ HAVING max(line_no) > 8

stats simulated using 2 name 'time' nooutput
stats simulated using 1 name 'gpu' nooutput
div = short_div(time_max)
vertical = 'step time ('.short_unit(time_max).')'
eval put_vertical
of = about_n ? ': '.about_label[1] : ''
set key title key_heading('Time of a training step by number of GPUs'.of) font ',12'
if (!dumb) { set key font ',9' }
set xlabel 'number of GPUs'
set logscale xy
set xtics ()
do for [i = 0:20:(dumb ? 2 : 1)] { set xtics add (sprintf('%d', 2**i) 2**i) }
low = time_min
high = time_max
if (ideal_n) {
    stats ideal using 2 name 'least' nooutput
    low = least_min < low ? least_min : low
}
if (measured_n) {
    stats measured using 2 name 'seen' nooutput
    low = seen_min < low ? seen_min : low
    high = seen_max > high ? seen_max : high
}
set yrange [low / div / 1.4:high / div * 1.4]
set ytics ()
do for [e = -7:5] {
    do for [m in (high < 8 * low ? '1 1.5 2 3 4 5 7' : '1 2 5')] {
        set ytics add (sprintf('%g', m * 10.0**e) m * 10.0**e)
    }
}
set xrange [gpu_min / 1.3:gpu_max * 1.3]
if (ideal_n) {
    note = \
        'Ideal: throughput per GPU as with the fewest GPUs of the line, at the batch of each point.'
    note_lines = 1
}
if (hidden_n) { note = note.(note_lines ? "\n" : '').hidden_label[1]; note_lines = note_lines + 1 }
if (measured_n) {
    note = note.(note_lines ? "\n" : '').'Measured: '.published_source
    note_lines = note_lines + published_source_lines
}
eval put_note
plot for [i = 1:simulated_n] simulated index i - 1 using 1:($2 / div) with linespoints lt i \
         title simulated_label[i], \
     for [i = 1:ideal_n] ideal index i - 1 using 1:($2 / div) with lines lt i lw 1.5 \
         dt (3,4) title (i == 1 ? 'ideal' : ''), \
     for [i = 1:measured_n] measured index i - 1 using 1:($2 / div) with points lt 8 \
         pt open_mark(i) ps 1.6 title measured_label[i]
