# A deadlock of a lossless fabric ends the run, named, though retransmission would go on for ever.
$ railsim run topologies/ring-deadlock.yaml workloads/ring-deadlock.yaml -q -o d.db > /dev/null
topologies/ring-deadlock.yaml workloads/ring-deadlock.yaml: deadlock: 5 flows have not arrived; the oldest goes from endpoint 0 to 2, 10000000 bytes, started at 0 s; PFC deadlock: 5 links wait for each other: s0>s1, s1>s2, s2>s3, s3>s4, s4>s0
[1]
$ sqlite3 d.db "SELECT status, sim_time_ps / 1e9 FROM run"
deadlock|2.0
$ railsim run topologies/ring-deadlock.yaml workloads/ring-deadlock.yaml --set network.pfc.deadlock_check=0s --max-sim-time 50ms | grep -c 'status           max-sim-time'
topologies/ring-deadlock.yaml workloads/ring-deadlock.yaml network.pfc.deadlock_check=0s: max-sim-time: stopped by --max-sim-time at 0.05 s simulated, after * events (glob)
1
$ railsim run topologies/ring-deadlock.yaml workloads/ring-deadlock.yaml --set network.pfc.on=false --set network.buffer=64MB | grep status
status           ok
# Telemetry changes nothing but what is stored.
$ for f in packet flow; do for w in 0s 1us 10us 1ms; do railsim run topologies/leaf-spine-16.yaml workloads/converge.yaml --fabric $f --set telemetry.window=$w -o t.db | grep fingerprint; done | uniq | wc -l; done
1
1
$ sqlite3 t.db "SELECT run_id, metric, count(*), max(window_ps) / 1000000, sum(entity LIKE 'flow/%') FROM series GROUP BY 1, 2 HAVING run_id IN (3, 7)"
3|ecn_marks|1|20|0
3|queue|*|20|0 (glob)
3|queue_max|*|20|0 (glob)
3|rate|4|20|4
3|utilisation|64|20|0
7|rate|4|10|4
7|utilisation|64|10|0
$ railsim show t.db --run 3 | grep -E '^flow/0 '
flow/0 node4>node0   rate         bit/s     2e-05      * (glob)
$ railsim plot t.db rate-convergence | head -1
                                *Rates of flows, payload per window* (glob)
# What cannot be recorded is said before anything runs.
$ railsim run topologies/leaf-spine-16.yaml workloads/converge.yaml --set telemetry.links=leaf9*
--set telemetry.links=leaf9*: error: C066: telemetry.links: no link is called 'leaf9*'; one is 'leaf0>spine0'
[2]
$ railsim run topologies/leaf-spine-16.yaml workloads/converge.yaml --set telemetry.samples=100000
--set telemetry.samples=100000: error: C067: telemetry: 448 series of 100000 samples are more than 5000000: choose fewer links, or telemetry.samples=11160
[2]
# A training job, too; the storage's own links have names.
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --set telemetry.window=1s --set 'telemetry.links=*storage*' -o r.db > /dev/null; sqlite3 r.db "SELECT entity, metric, count(*) <= 1000, window_ps >= 1000000000000, round(max(value), 3) <= 1 FROM series JOIN sample USING(run_id, series) WHERE entity LIKE 'link/%' GROUP BY 1, 2"
link/storage>wan|utilisation|1|1|1
link/wan>storage|utilisation|1|1|1
