# One point, printed.
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --set wan.rtt=15ms
topology         topologies/remote-storage.yaml
workload         workloads/llama2-70b-lora.yaml
overrides        workload.load.size=1GB
                 wan.rtt=15ms
status           ok
time to train    * min (* s) (glob)
...
seed             1
fingerprint      ???????????????? (glob)
events           * in * s CPU (* events/s) (glob)
# JSON: one document.
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --json > run.json; sqlite3 :memory: "SELECT json_extract(j, '$.schema_version', '$.status', '$.seed', '$.overrides'), json_extract(j, '$.metrics.time_to_train_s') > 1000, length(json_extract(j, '$.fingerprint')), json_extract(j, '$.engine.events') > 1000, json_extract(j, '$.phases[0].name') FROM (SELECT CAST(readfile('run.json') AS TEXT) AS j)"
[1,"ok",1,["workload.load.size=1GB"]]|1|16|1|load
# The same seed gives the same run, another way in changes nothing.
$ for a in '--seed=1' '--no-fork' '--set wan.rtt=0us'; do railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB $a | grep fingerprint; done | uniq | wc -l
1
# Guards: a recorded status, exit 1.
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --max-events 1000 -o r.db | grep status
topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml: max-events: stopped by --max-events at * s simulated, after 1000 events (glob)
status           max-events: stopped by --max-events at * s simulated, after 1000 events (glob)
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --max-sim-time 1s --json -q | grep '"status"'
topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml: max-sim-time: stopped by --max-sim-time at 1 s simulated, after * events (glob)
  "status": "max-sim-time",
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --max-sim-time 1s -q > /dev/null
topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml: max-sim-time: stopped by --max-sim-time at * s simulated, after * events (glob)
[1]
# The database: never overwritten, completed, replaced by --force.
$ sqlite3 r.db 'SELECT run_id, status FROM run'
1|max-events
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB -o r.db > /dev/null; railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml -o r.db > /dev/null; sqlite3 r.db 'SELECT run_id, status, overrides FROM run'
1|ok|[]
2|ok|["workload.load.size=1GB"]
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB -o r.db | grep status
r.db already holds this point as run 2; nothing stored (--force does)
status           ok
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB -o r.db --force | grep status; sqlite3 r.db 'SELECT count(*) FROM run'
status           ok
2
# Mistakes: exit 2 before anything runs, 3 for the database.
$ railsim run workloads/resnet50.yaml topologies/remote-storage.yaml
workloads/resnet50.yaml:4:1: error: this is a workload (it has a kind); the topology comes first
  kind: training
  ^
[2]
$ railsim run topologies/remote-storage.yaml nowhere.yaml --json
nowhere.yaml: error: cannot read: No such file or directory
{
  "schema_version": 1,
  "status": "config-error",
  "errors": [
    "nowhere.yaml: error: cannot read: No such file or directory"
  ]
}
[2]
$ railsim run topologies/remote-storage.yaml workloads/resnet50.yaml -o no/where.db --json
error: cannot open no/where.db: No such file or directory
{
  "schema_version": 1,
  "status": "io-error",
  "errors": [
    "error: cannot open no/where.db: No such file or directory"
  ]
}
[3]
$ railsim run topologies/remote-storage.yaml workloads/resnet50.yaml -o topologies/remote-storage.yaml
error: topologies/remote-storage.yaml: cannot use it: this is not a database
[3]
# A dry run simulates for a moment and stores nothing.
$ railsim run topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml --set workload.load.size=1GB --dry-run -o dry.db; ls dry.db
     1  topologies/remote-storage.yaml workloads/llama2-70b-lora.yaml workload.load.size=1GB seed=1
1 point; estimated: * events, * MB of memory, * s on 1 worker (glob)
ls: cannot access 'dry.db': No such file or directory
[2]
# Flows: what they come to. Two classes of weights 3:1: 3 MB and 1 MB to one port end together.
$ printf '2\n1 0 0 100 3000000 0\n2 0 1 100 1000000 0\n' > c.flow; printf 'kind: flows\nfile: c.flow\n' > c.yaml; railsim run topologies/leaf-spine-128.yaml c.yaml --fabric packet --set network.cc.kind=none --set network.ecn.on=false --set 'network.classes=[{name: a, weight: 3}, {name: b, weight: 1}]' | grep -vE '^(events|fingerprint)'
topology         topologies/leaf-spine-128.yaml
workload         c.yaml
overrides        network.cc.kind=none
                 network.ecn.on=false
                 network.classes=[{name: a, weight: 3}, {name: b, weight: 1}]
                 network.model=packet
status           ok
makespan         82.688 us
goodput          386.995 Gb/s
flows done       2
drops            0
pauses           0
ECN marks        0
retransmitted    0 packets
most loaded link leaf0>node0, 98.7 % of the run

of flows                  p50          p95          p99          max
completion time        82.682       82.688       82.688       82.688 us
slowdown                2.588        3.722        3.823        3.848

seed             1
$ railsim run topologies/leaf-spine-128.yaml c.yaml --fabric packet --set 'network.classes=[{name: a}, {name: b}, {name: c}]' --set workload.traffic_class=2
--set workload.traffic_class=2: error: C042: the column PG of an hpcc file says the class of each flow
[2]
$ printf '1\n1 0 2 100 3000000 0\n' > c.flow; railsim run topologies/leaf-spine-128.yaml c.yaml --set 'network.classes=[{name: a}, {name: b}]'
c.flow:2:5: error: priority group 2, but the topology has 2 classes of traffic, counted from 0
[2]
# No link is named where all went over NVLink.
$ railsim run topologies/gmo-1su.yaml workloads/all-reduce.yaml --set workload.ranks=8 --set workload.size=1MiB | grep -c 'most loaded'
0
[1]
$ railsim run topologies/gmo-1su.yaml workloads/all-reduce.yaml --set workload.ranks=16 --set workload.size=1MiB | grep -c 'most loaded'
1
