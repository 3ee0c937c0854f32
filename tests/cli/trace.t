# A trace of GOAL: replayed, and drawn.
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline t.json -o t.db | grep -E '^(status|late|compute|ended|messages)' | cut -c 1-22
status           ok
late_send             
compute               
ended                 
messages              
$ sqlite3 :memory: "SELECT json_extract(value, '$.ph'), count(*) FROM json_each(readfile('t.json'), '$.traceEvents') GROUP BY 1"
M|51
X|41
# Spans of a lane do not overlap, and compute takes what the trace says.
$ sqlite3 :memory: "CREATE TABLE s AS SELECT e.key AS k, e.value->>'pid' AS p, e.value->>'tid' AS t, e.value->>'cat' AS c, e.value->>'ts' AS a, (e.value->>'ts') + (e.value->>'dur') AS b FROM json_each(readfile('t.json'), '$.traceEvents') AS e WHERE e.value->>'ph' = 'X'; SELECT count(*) FROM s AS x JOIN s AS y ON x.p = y.p AND x.t = y.t AND x.k < y.k WHERE x.a < y.b - 0.001 AND y.a < x.b - 0.001; SELECT c, round(sum(b - a)) FROM s WHERE c = 'compute'"
0
compute|48000.0
$ railsim plot t.db timeline | grep -c 'node 0 GPU'
17
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline t.json --timeline-events 10 -q > /dev/null && tail -n 3 t.json
    {"pid": 32, "tid": 1, "name": "thread_name", "ph": "M", "args": {"name": "phases"}},
    {"pid": 0, "tid": 0, "name": "30 events left out: the limit of 10 is reached", "ph": "i", "s": "g", "ts": 0, "args": {"left_out": 30}}
]}
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline no/where.json
error: cannot write no/where.json: No such file or directory
[3]
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline /dev/full > /dev/null
cannot write /dev/full: No space left on device
error: /dev/full is not complete: is there room on the disk?
[3]
# Other kinds are drawn, too; a timeline changes nothing.
$ for t in '' '--timeline c.json'; do railsim run topologies/gmo-1su.yaml workloads/msccl-all-pairs.yaml $t | grep fingerprint; done | uniq | wc -l
1
$ sqlite3 :memory: "SELECT count(*) FROM json_each(readfile('c.json'), '$.traceEvents') AS e WHERE e.value->>'name' GLOB 'from * to *' OR e.value->>'cat' = 'communication'"
36
# A trace that stalls: the rank, the operation, and whom it waits for.
$ printf 'num_ranks 2\nrank 0 {\na: recv 8b from 1\nb: send 8b to 1\nb requires a\n}\nrank 1 {\na: recv 8b from 0\nb: send 8b to 0\nb requires a\n}\n' > stall.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=stall.goal > /dev/null
topologies/gmo-1su.yaml workloads/trace-goal.yaml workload.file=stall.goal: deadlock: rank 0, operation 0 (receive, stall.goal:3) waits for a message from rank 1 with tag 0; rank 1, operation 0 (receive, stall.goal:8) waits for a message from rank 0 with tag 0
[1]
# What is wrong with a trace is said before anything runs.
$ printf 'num_ranks 1\nrank 0 {\na: recv 8b from 0\nb: wait 3\n}\n' > bad.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=bad.goal
bad.goal:4:4: error: C083: expected send, recv or calc, found 'wait'
[2]
$ printf 'num_ranks 2\nrank 0 {\nsend 8b to 1\n}\nrank 1 {\n}\n' > bad.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=bad.goal
bad.goal: error: C089: rank 1 receives 0 messages of tag 0 from rank 0, which sends it 1
[2]
$ printf 'num_ranks 300\n' > many.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=many.goal
many.goal: error: C047: the trace has 300 ranks, the topology 256 GPUs
[2]
# An algorithm from a file must be what is asked for.
$ railsim collective topologies/gmo-1su.yaml --ranks 4 --algorithm workloads/all-pairs.xml --bytes 64KiB | cut -c 55-
 algorithm    protocol     messages
 all_pairs    ll                 24
$ railsim collective topologies/gmo-1su.yaml --algorithm workloads/all-pairs.xml --bytes 64KiB
workloads/all-pairs.xml: error: C048: it is for 4 GPUs, not for 256
[2]
$ railsim collective topologies/gmo-1su.yaml --ranks 4 --algorithm workloads/all-pairs.xml --bytes 4B
workloads/all-pairs.xml: error: C048: it is for 8 bytes and more
[2]
$ railsim collective topologies/gmo-1su.yaml --ranks 4 --algorithm workloads/all-pairs.xml --bytes 1001B
workloads/all-pairs.xml: error: C048: 1001 bytes do not make 8 equal chunks
[2]
$ railsim collective topologies/gmo-1su.yaml --ranks 4 --algorithm workloads/all-pairs.xml --op all_gather
workloads/all-pairs.xml: error: C048: it is for all_reduce, not for all_gather
[2]
$ railsim collective topologies/gmo-1su.yaml --ranks 4 --algorithm nothing.xml
--algorithm nothing.xml: error: C048: nothing.xml: error: C083: cannot read: No such file or directory
[2]
# Large timelines keep the first nodes to the end, not all nodes for a moment, and say so.
$ railsim run topologies/gmo-1su.yaml workloads/llama2-70b-fsdp.yaml --timeline big.json --timeline-events 50000 > /dev/null; sqlite3 :memory: "CREATE TABLE s AS SELECT e.value->>'pid' AS p, e.value->>'cat' AS c, (e.value->>'ts') + (e.value->>'dur') AS b FROM json_each(readfile('big.json'), '$.traceEvents') AS e WHERE e.value->>'ph' = 'X'; SELECT count(*) <= 50002, max(p) FILTER (WHERE c <> 'phase'), count(*) FILTER (WHERE c = 'phase'), (SELECT max(b) FROM s WHERE p = 1) = (SELECT max(b) FROM s WHERE c = 'phase') FROM s"
big.json: 38528 of 616448 events are drawn, those of nodes 0..1 of 32; to see others: --timeline-nodes FIRST..LAST, --timeline-time FROM..TO; to see more: --timeline-events N
1|1|2|1
# Nodes and a time can be chosen; phases are always there.
$ railsim run topologies/gmo-1su.yaml workloads/llama2-70b-fsdp.yaml --timeline some.json --timeline-nodes 2..3,30 --timeline-time 1s..2s > /dev/null; sqlite3 :memory: "CREATE TABLE s AS SELECT e.value->>'pid' AS p, e.value->>'cat' AS c, e.value->>'ts' AS a, (e.value->>'ts') + (e.value->>'dur') AS b FROM json_each(readfile('some.json'), '$.traceEvents') AS e WHERE e.value->>'ph' = 'X'; SELECT p, count(*) > 100, min(b) >= 1e6, max(a) <= 2e6 FROM s WHERE c <> 'phase' GROUP BY p; SELECT count(*) FROM s WHERE c = 'phase'"
2|1|1|1
3|1|1|1
30|1|1|1
2
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline none.json --timeline-nodes 77 > /dev/null
none.json: nothing happened in the chosen nodes and time
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline t.json --timeline-nodes 3..x
error: --timeline-nodes: '3..x': expected a number; expected e.g. 0..7,12
[2]
$ railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --timeline-time 1s..2s
error: --timeline-time needs --timeline FILE
[2]
# A training job: what its nodes do and wait for, what each stream reads; phases on the same clock.
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --set wan.rtt=15ms --timeline l.json > /dev/null; sqlite3 :memory: "CREATE TABLE s AS SELECT e.value->>'pid' AS p, e.value->>'tid' AS t, e.value->>'name' AS n, e.value->>'cat' AS c, e.value->>'ts' AS a, (e.value->>'ts') + (e.value->>'dur') AS b FROM json_each(readfile('l.json'), '$.traceEvents') AS e WHERE e.value->>'ph' = 'X'; SELECT n, c, count(*), count(DISTINCT t) FROM s WHERE p = 0 GROUP BY 1, 2; SELECT count(*) FROM s x JOIN s y ON x.p = y.p AND x.t = y.t AND x.a < y.a AND y.a < x.b - 1e-3; SELECT (SELECT max(b) FROM s WHERE n = 'start' AND c = 'phase') = (SELECT max(b) FROM s WHERE n = 'start' AND c = 'start')"
compute|compute|336|1
evaluation|compute|4|1
open|io|880|8
read|io|880|8
serial|io|300|1
start|start|1|1
0
1
# Sizes that do not fit, of messages and of collectives; what is written almost right; what is packed.
$ printf 'num_ranks 2\nrank 0 {\na: send 20b to 1\nb: send 8b to 1\n}\nrank 1 {\na: recv 8b from 0\nb: recv 10b from 0\n}\n' > s.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=s.goal
s.goal:3:1: error: C089: rank 0 sends 20 bytes (s.goal:3) to rank 1, which takes 10 bytes (s.goal:8)
[2]
$ printf 'num_ranks 2\nrank 0 {\nl1: sned 5b to 1\n}\n' > t.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=t.goal
t.goal:3:5: error: C083: expected send, recv or calc, found 'sned' (did you mean 'send'?)
[2]
$ printf 'num_ranks 1\n' | gzip > z.goal; railsim run topologies/gmo-1su.yaml workloads/trace-goal.yaml --set workload.file=z.goal
z.goal: error: C083: is compressed with gzip: unpack it first
[2]
