# One file, or several; a workload has a `kind` at its root.
$ railsim check topologies/remote-storage.yaml workloads/resnet50.yaml
topologies/remote-storage.yaml: ok (topology)
workloads/resnet50.yaml: ok (workload)
$ railsim check topologies/remote-storage.yaml -v --set wan.rtt=15ms --set wan.rate=25GBps | grep -E 'wan.(rtt|rate|loss)'
  wan.rate                            200Gbps                       --set
  wan.rtt                             15ms                          --set
  wan.loss                            0                             default
$ railsim check workloads/resnet50.yaml --json | grep -oE '(status|kind|path)": "[^"]*"' | head -3
status": "ok"
kind": "workload"
path": "workload.kind"
# Overrides: typed, unknown keys, nothing ignored.
$ railsim check topologies/remote-storage.yaml --set wan.rrt=15ms --set wan.rate=100 --set nic
error: --set nic: expected KEY=VALUE
--set wan.rrt=15ms: error: unknown key 'rrt' under 'wan' (did you mean 'rtt'?)
--set wan.rate=100: error: 'wan.rate' cannot be '100': a rate needs a unit: bps kbps Mbps Gbps Tbps (bits), Bps kBps MBps GBps TBps KiBps MiBps GiBps (bytes); e.g. 100Gbps
[2]
$ railsim check workloads/resnet50.yaml --set wan.rtt=2ms
workloads/resnet50.yaml: ok (workload)
error: --set wan.rtt=2ms: no topology is among the files
[2]
$ railsim check workloads/resnet50.yaml --set workload.epoks=2
--set workload.epoks=2: error: unknown key 'epoks'; keys: name, load, dataset, reader, step, all_reduce, evaluation, checkpoint, epochs, steps, startup, serial_operations, kind
[2]
# Files that are none.
$ railsim check nowhere.yaml --json
nowhere.yaml: error: cannot read: No such file or directory
{
  "schema_version": 1,
  "status": "config-error",
  "errors": [
    "nowhere.yaml: error: cannot read: No such file or directory"
  ]
}
[2]
$ railsim check topologies
topologies: error: cannot read: a folder, not a regular file
[2]
# All errors in one pass, with place, line, caret and suggestion.
$ printf 'wan:\n  rat: 100Gbps\n  rtt: 15\n  rtt: 2ms\n' > bad.yaml; railsim check bad.yaml
bad.yaml:4:3: error: duplicate key 'rtt' (first on line 3)
    rtt: 2ms
    ^
bad.yaml:2:3: error: unknown key 'rat' under 'wan' (did you mean 'rate'?)
    rat: 100Gbps
    ^
bad.yaml:3:8: error: 'wan.rtt' cannot be '15': a time needs a unit: ps ns us ms s min h; e.g. 15ms
    rtt: 15
         ^
bad.yaml: error: missing 'storage.client.kind'; allowed: local, lustre, nfs, rdma
[2]
# explain, list, schema: from the same tables.
$ railsim explain wan.rtt
wan.rtt  (time, topology)
  Round-trip time of the line (an inserted delay counts here).
  units     ps ns us ms s min h
  range     0s .. 10s
  default   0s
$ railsim explain wan.rrt
error: unknown key 'wan.rrt' (did you mean 'wan.rtt'?)
[2]
$ railsim explain workload.epochs | head -1
workload.epochs  (count, workload, kind training)
$ railsim list clients | awk '{ print $1 }'
clients:
local
lustre
nfs
rdma
$ railsim list clents
error: nothing is called 'clents' (did you mean 'clients'?)
[2]
$ railsim list nothing-like-it
error: nothing is called 'nothing-like-it'; there are: topologies, workloads, plots, clients, fabrics, congestion-controls, collectives, routings, tcp-laws, workload-kinds, devices
[2]
$ railsim list | grep -E '^[a-z-]+: '
topologies: shipped topologies
workloads: shipped workloads
plots: figures that `railsim plot` draws
clients: storage clients (storage.client.kind)
fabrics: topology families (fabric.kind)
congestion-controls: end-to-end congestion controls (network.cc.kind)
collectives: algorithms of collectives (workload.algorithm)
routings: routing rules (network.routing.kind)
tcp-laws: laws of the congestion window (storage.client.tcp_law)
workload-kinds: kinds of workload (kind)
devices: accelerators, network cards and servers (topologies/devices.yaml)
$ railsim list plots | grep -c .
14
$ railsim schema topology | head -3
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "topology",
$ railsim schema --markdown | head -1
\# Configuration keys
$ railsim schema
error: missing argument: railsim schema topology|workload|devices
[2]
$ railsim schema topologies
error: no kind of file is called 'topologies': topology, workload or devices
[2]
