# A grid: workloads outside, the last --vary fastest. stdout carries the table only.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --vary wan.rtt=0ms..40ms/3 --vary wan.rate=10Gbps,100Gbps -j 2 -o s.db > first
$ sed -E 's/[0-9]+\.[0-9]+/N/g' first
wan.rtt  wan.rate  status  time_to_train_s  slowdown
0s       10Gbps    ok              N    N
0s       100Gbps   ok              N    N
20ms     10Gbps    ok              N    N
20ms     100Gbps   ok              N    N
40ms     10Gbps    ok              N    N
40ms     100Gbps   ok              N    N
# -j 1 gives the same results.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --vary wan.rtt=0ms..40ms/3 --vary wan.rate=10Gbps,100Gbps -j 1 -o one.db | cmp - first; railsim compare s.db one.db > log || cat log
# Again: nothing to do, the same table; a wider grid simulates what is missing.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --vary wan.rtt=0ms..40ms/3 --vary wan.rate=10Gbps,100Gbps -j 2 -o s.db | cmp - first
6 of 6 points already in s.db
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --vary wan.rtt=0ms..40ms/3 --vary wan.rate=10Gbps,25Gbps,100Gbps -o s.db > /dev/null; sqlite3 s.db 'SELECT run_id, status, params FROM run'
6 of 9 points already in s.db
1|ok|{"wan.rtt":"0s","wan.rate":"10Gbps"}
2|ok|{"wan.rtt":"0s","wan.rate":"100Gbps"}
3|ok|{"wan.rtt":"20ms","wan.rate":"10Gbps"}
4|ok|{"wan.rtt":"20ms","wan.rate":"100Gbps"}
5|ok|{"wan.rtt":"40ms","wan.rate":"10Gbps"}
6|ok|{"wan.rtt":"40ms","wan.rate":"100Gbps"}
7|ok|{"wan.rtt":"0s","wan.rate":"25Gbps"}
8|ok|{"wan.rtt":"20ms","wan.rate":"25Gbps"}
9|ok|{"wan.rtt":"40ms","wan.rate":"25Gbps"}
# --repeat gives other seeds; equal points are simulated once.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --repeat 2 --seed 7 -o r.db | sed -E 's/[0-9]+\.[0-9]+/N/g'
                seed  status  time_to_train_s  slowdown
                   7  ok              N    N
13309476754707697221  ok              N    N
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --vary wan.rtt=1ms,1000us -o e.db > /dev/null; sqlite3 e.db 'SELECT count(*) FROM run'
1
# JSON: one document.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml workloads/resnet50.yaml --max-events 1000 --vary wan.rtt=1ms,2ms --json -o j.db > j.json 2> log; echo $?; wc -l < log; sqlite3 :memory: "SELECT json_extract(j, '$.status'), json_array_length(j, '$.points'), json_extract(j, '$.points[3].status', '$.points[3].workload', '$.points[3].params') FROM (SELECT CAST(readfile('j.json') AS TEXT) AS j)"
1
4
failed|4|["max-events","workloads/resnet50.yaml",{"wan.rtt":"2ms"}]
# All points are checked before anything runs; each mistake is told once.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml workloads/resnet50.yaml --vary wan.rtt=1ms,2xs,-3ms --vary workload.epoks=1,2 --set foo.bar=1 -o n.db; ls n.db
--set foo.bar=1: error: unknown key 'foo'; keys: name, devices, node, nic, fabric, network, telemetry, faults, collectives, wan, storage
--vary workload.epoks=1: error: unknown key 'epoks'; keys: name, load, dataset, reader, step, all_reduce, evaluation, checkpoint, epochs, steps, startup, serial_operations, kind
--vary wan.rtt=2xs: error: 'wan.rtt' cannot be '2xs': unknown unit; a time takes: ps ns us ms s min h
--vary wan.rtt=-3ms: error: 'wan.rtt' cannot be '-3ms': allowed: 0s .. 10s
ls: cannot access 'n.db': No such file or directory
[2]
$ railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml workloads/resnet50.yaml --vary wan.rtt=1 --vary wan.rate=log:0..5/3 --vary wan.rtt=1ms --set wan.rtt=5ms --repeat 0 --json
error: --vary wan.rate=log:0..5/3: a logarithmic range begins and ends above 0
error: --vary wan.rtt: the key is also fixed by --set wan.rtt=5ms
error: --vary wan.rtt: the key is varied twice
error: --vary wan.rtt: the key is also fixed by --set wan.rtt=5ms
error: --repeat: '0': must be at least 1
error: workloads/resnet50.yaml is given twice
{
  "schema_version": 1,
  "status": "config-error",
  "errors": [
    "error: --vary wan.rate=log:0..5/3: a logarithmic range begins and ends above 0",
    "error: --vary wan.rtt: the key is also fixed by --set wan.rtt=5ms",
    "error: --vary wan.rtt: the key is varied twice",
    "error: --vary wan.rtt: the key is also fixed by --set wan.rtt=5ms",
    "error: --repeat: '0': must be at least 1",
    "error: workloads/resnet50.yaml is given twice"
  ]
}
[2]
$ railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml --vary wan.rtt=1ms..9ms/9999 --vary wan.rate=1Gbps..2Gbps/9999
error: the sweep has more than 100000 points
[2]
# A dry run.
$ railsim sweep topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --vary wan.rtt=log:1ms..100ms/3 -j 2 --dry-run
     1  topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml workload.load.size=1GB wan.rtt=1ms seed=1
     2  topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml workload.load.size=1GB wan.rtt=10ms seed=1
     3  topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml workload.load.size=1GB wan.rtt=100ms seed=1
3 points; estimated: * events, * MB of memory, * s on 2 workers (glob)
# A worker that dies costs its point; SIGTERM and SIGINT leave a whole database, and --json one document.
$ railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml --vary wan.rtt=1ms,2ms -j 1 -o k.db > table & for i in $(seq 200); do kill -9 $(pgrep -P $! 2> /dev/null) 2> /dev/null && break; sleep 0.02; done; wait $!; echo $?; sqlite3 k.db 'SELECT status, message FROM run'
topologies/remote-storage.yaml workloads/resnet50.yaml wan.rtt=1ms: crashed: the worker was killed by SIGKILL (Killed); the kernel does that when memory runs out
1
crashed|the worker was killed by SIGKILL (Killed); the kernel does that when memory runs out
ok|
$ timeout --preserve-status -s TERM 0.5 railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml --vary wan.rtt=0ms..80ms/40 -j 2 -o t.db; echo $?; sqlite3 t.db 'PRAGMA integrity_check'
interrupted: * of 40 points are in t.db; the same command completes it (glob)
143
ok
$ timeout --preserve-status -s INT 0.5 railsim sweep topologies/remote-storage.yaml workloads/resnet50.yaml --vary wan.rtt=0ms..80ms/40 -j 2 -o t2.db --json 2> log > t.json; echo $?; sqlite3 :memory: "SELECT json_extract(CAST(readfile('t.json') AS TEXT), '$.status')"
130
interrupted
# The columns are those that the points have.
$ railsim sweep topologies/leaf-spine-128.yaml workloads/incast.yaml --fabric packet --vary network.cc.kind=none,dcqcn -q -o c.db; railsim sweep topologies/leaf-spine-128.yaml workloads/all-reduce.yaml --set workload.size=1MB -q -o c.db; railsim show c.db
network.cc.kind  status  makespan_us  slowdown_p50  slowdown_p99  drops  pauses
none             ok          1306.82        57.400        57.686      0       0
dcqcn            ok          1576.89        53.643        73.389      0       0
status  time_us  algbw_gbytes_s  busbw_gbytes_s
ok      3898.99            0.26            0.51
run  status  topology        workload    params                                      makespan_us  slowdown_p50  slowdown_p99  time_us  algbw_gbytes_s  busbw_gbytes_s  drops  pauses
  1  ok      leaf-spine-128  incast      network.cc.kind=none network.model=packet       1306.82        57.400        57.686        -               -               -      0       0
  2  ok      leaf-spine-128  incast      network.cc.kind=dcqcn network.model=packet      1576.89        53.643        73.389        -               -               -      0       0
  3  ok      leaf-spine-128  all-reduce  workload.size=1MB                                     -             -             -  3898.99            0.26            0.51      -       -
# What was set tells points apart, too; a WAN is told of where there is one in use.
$ for e in '' '--set workload.protocol=simple'; do railsim sweep topologies/gmo-1su.yaml workloads/all-reduce.yaml --set workload.ranks=16 $e --vary workload.size=1MiB -o w.db --json | grep -o '"overrides": [^]]*]'; done; railsim show w.db; railsim show w.db --json | grep -o '"rtt_ms": [^,]*, "wan_rate_gbps": [^,]*'
"overrides": ["workload.ranks=16"]
"overrides": ["workload.ranks=16","workload.protocol=simple"]
run  status  topology  workload    params                                                         time_us  algbw_gbytes_s  busbw_gbytes_s
  1  ok      gmo-1su   all-reduce  workload.size=1MiB workload.ranks=16                             97.67           10.74           20.13
  2  ok      gmo-1su   all-reduce  workload.size=1MiB workload.ranks=16 workload.protocol=simple    80.86           12.97           24.31
"rtt_ms": null, "wan_rate_gbps": null
"rtt_ms": null, "wan_rate_gbps": null
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --set wan.rtt=15ms -o wan.db > /dev/null; railsim show wan.db --json | grep -o '"rtt_ms": [^,]*, "wan_rate_gbps": [^,]*'; railsim show wan.db -r 1 | grep -E '^(rtt_ms|wan_rate)'
"rtt_ms": 15, "wan_rate_gbps": 100
rtt_ms           15
wan_rate_gbps    100
