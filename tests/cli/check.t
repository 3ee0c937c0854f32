# One file, or several; a workload has a `kind` at its root.
$ railsim check topologies/remote-storage.yaml workloads/resnet50.yaml
topologies/remote-storage.yaml: ok (topology)
workloads/resnet50.yaml: ok (workload)
$ railsim check topologies/remote-storage.yaml -v --set wan.rtt=15ms --set wan.rate=25GBps | grep -E 'wan.(rtt|rate|loss)'
  wan.rate                           200Gbps                       --set
  wan.rtt                            15ms                          --set
  wan.loss                           0                             default
$ railsim check workloads/resnet50.yaml --json | head -8
{
  "schema_version": 1,
  "status": "ok",
  "files": [
    {"file": "workloads/resnet50.yaml", "kind": "workload", "values": [{"path": "workload.kind", "value": "training", "origin": "workloads/resnet50.yaml:4:7"}, {"path": "workload.name", "value": "ResNet-50, MLPerf v4.0", "origin": "workloads/resnet50.yaml:5:7"}, {"path": "workload.load.size", "value": "0B", "origin": "default"}, {"path": "workload.load.files", "value": "1", "origin": "default"}, {"path": "workload.load.streams", "value": "8", "origin": "default"}, {"path": "workload.dataset.size", "value": "146.9GB", "origin": "workloads/resnet50.yaml:9:9"}, {"path": "workload.dataset.files", "value": "1", "origin": "workloads/resnet50.yaml:10:10"}, {"path": "workload.dataset.records", "value": "1281167", "origin": "workloads/resnet50.yaml:11:12"}, {"path": "workload.reader.threads", "value": "1", "origin": "workloads/resnet50.yaml:13:12"}, {"path": "workload.reader.prefetch", "value": "5", "origin": "workloads/resnet50.yaml:14:13"}, {"path": "workload.reader.shuffle_records", "value": "1024", "origin": "workloads/resnet50.yaml:15:20"}, {"path": "workload.reader.decode_rate", "value": "0", "origin": "workloads/resnet50.yaml:16:16"}, {"path": "workload.reader.decoded_cache", "value": "0B", "origin": "workloads/resnet50.yaml:17:18"}, {"path": "workload.reader.decoded_size", "value": "147KiB", "origin": "default"}, {"path": "workload.step.compute", "value": "55.8ms", "origin": "workloads/resnet50.yaml:19:12"}, {"path": "workload.step.batch_per_gpu", "value": "400", "origin": "workloads/resnet50.yaml:20:18"}, {"path": "workload.all_reduce.size", "value": "51.1MB", "origin": "workloads/resnet50.yaml:22:9"}, {"path": "workload.all_reduce.overlap", "value": "1", "origin": "workloads/resnet50.yaml:23:12"}, {"path": "workload.evaluation.dataset.size", "value": "6.7GB", "origin": "workloads/resnet50.yaml:28:11"}, {"path": "workload.evaluation.dataset.files", "value": "1", "origin": "workloads/resnet50.yaml:29:12"}, {"path": "workload.evaluation.dataset.records", "value": "50000", "origin": "workloads/resnet50.yaml:30:14"}, {"path": "workload.evaluation.compute", "value": "330ms", "origin": "workloads/resnet50.yaml:26:12"}, {"path": "workload.evaluation.after_epochs", "value": "[3, 7, 11, 15, 19, 23, 27, 31, 35]", "origin": "workloads/resnet50.yaml:25:17"}, {"path": "workload.evaluation.after_steps", "value": "[]", "origin": "default"}, {"path": "workload.checkpoint.size", "value": "0B", "origin": "default"}, {"path": "workload.checkpoint.files", "value": "8", "origin": "default"}, {"path": "workload.checkpoint.every_steps", "value": "0", "origin": "default"}, {"path": "workload.checkpoint.mode", "value": "sync", "origin": "default"}, {"path": "workload.checkpoint.snapshot_rate", "value": "400Gbps", "origin": "default"}, {"path": "workload.epochs", "value": "35", "origin": "workloads/resnet50.yaml:6:9"}, {"path": "workload.steps", "value": "0", "origin": "default"}, {"path": "workload.startup", "value": "1.3s", "origin": "workloads/resnet50.yaml:7:10"}, {"path": "workload.serial_operations", "value": "0", "origin": "default"}]}
  ]
}
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
$ railsim list clients
clients: storage clients (storage.client.kind)
  local             NVMe drives in the node
  lustre            Lustre: RPCs in flight per target, LNet credits per peer, TCP sockets or RDMA
  nfs               NFS: read-ahead per file, slots per server, nconnect TCP connections
  rdma              RDMA: queue pairs, outstanding requests, message size
$ railsim list clents
error: nothing is called 'clents' (did you mean 'clients'?)
[2]
$ railsim list nothing-like-it
error: nothing is called 'nothing-like-it'; there are: topologies, workloads, plots, clients, fabrics, tcp-laws, workload-kinds
[2]
$ railsim list | grep -E '^[a-z-]+: '
topologies: shipped topologies
workloads: shipped workloads
plots: figures that `railsim plot` draws
clients: storage clients (storage.client.kind)
fabrics: topology families (fabric.kind)
tcp-laws: laws of the congestion window (storage.client.tcp_law)
workload-kinds: kinds of workload (kind)
$ railsim list plots | grep -c .
6
$ railsim schema topology | head -3
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "topology",
$ railsim schema --markdown | head -1
\# Configuration keys
$ railsim schema
error: missing argument: railsim schema topology|workload
[2]
$ railsim schema topologies
error: no kind of file is called 'topologies': topology or workload
[2]
