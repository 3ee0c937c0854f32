# topo: counts, bisection, hops. The published fabric of three units.
$ railsim topo topologies/gmo-3su.yaml
topologies/gmo-3su.yaml: rail
servers                    96 with 8 network ports each
endpoints                 768
switches                   20
  leaf                     12
  spine                     8
cables                   1536
  NIC-leaf                768 at 400Gbps, together 307.2Tbps
  leaf-spine              768 at 400Gbps, together 307.2Tbps
buffer              158229504 B a switch
  leaf                headroom of a port 60166 to 77666 B, of 128 ports 8821248 B
  spine               headroom of a port 77666 B, of 96 ports 7455936 B
bisection             153.6Tbps one way, 100 % of what half of the endpoints can send
hops                  min 2, mean 3.8357, max 4
oversubscription      leaf 1
# A topology of one server: nothing to measure.
$ railsim topo topologies/remote-storage.yaml
topologies/remote-storage.yaml: single-switch
servers                     1 with 1 network port each
endpoints                   1
switches                    1
  switch                    1
cables                      1
  NIC-switch                1 at 100Gbps, together 100Gbps
buffer              158229504 B a switch
  switch              headroom of a port 51416 B, of 1 port 51416 B
# Overrides are those of run.
$ railsim topo topologies/gmo-1su.yaml --set fabric.oversubscription=2 | grep -E 'leaf-spine|bisection|over'
  leaf-spine              128 at 400Gbps, together 51.2Tbps
bisection             25.6Tbps one way, 50 % of what half of the endpoints can send
oversubscription      leaf 2
$ railsim topo topologies/gmo-4su.yaml --set fabric.scalable_units=5
topologies/gmo-4su.yaml:19:17: error: C023: a spine needs 160 ports; it has 128
    switch_ports: 128 # SN5600: 64 x 800G = 128 x 400G
                  ^
[2]
$ railsim topo topologies/gmo-1su.yaml --set fabric.spine=8
--set fabric.spine=8: error: unknown key 'spine' under 'fabric' (did you mean 'spines'?)
[2]
$ railsim topo topologies/gmo-1su.yaml --set fabric
error: --set fabric: expected KEY=VALUE
[2]
$ railsim topo topologies/hpcc-320.yaml --json
{
  "schema_version": 1,
  "status": "ok",
  "file": "topologies/hpcc-320.yaml",
  "kind": "fat-tree",
  "servers": 320,
  "ports_per_server": 1,
  "endpoints": 320,
  "switches": 56,
  "tiers": [
    {"name": "tor", "switches": 20, "oversubscription": 1, "port_headroom_min_bytes": 29628, "port_headroom_max_bytes": 108378, "headroom_bytes": 907560},
    {"name": "agg", "switches": 20, "oversubscription": 1, "port_headroom_min_bytes": 108378, "port_headroom_max_bytes": 108378, "headroom_bytes": 867024},
    {"name": "core", "switches": 16, "port_headroom_min_bytes": 108378, "port_headroom_max_bytes": 108378, "headroom_bytes": 541890}
  ],
  "switch_buffer_bytes": 33554432,
  "cables": 480,
  "cables_by_tier": [
    {"low": "NIC", "high": "tor", "cables": 320, "rate_bps": 32000000000000},
    {"low": "tor", "high": "agg", "cables": 80, "rate_bps": 32000000000000},
    {"low": "agg", "high": "core", "cables": 80, "rate_bps": 32000000000000}
  ],
  "bisection_bps": 16000000000000,
  "bisection_share": 1,
  "hops_min": 2,
  "hops_mean": 5.5109717868338555,
  "hops_max": 6
}
# Every shipped fabric, counted.
$ for n in gmo-1su gmo-2su gmo-4su leaf-spine-128 leaf-spine-1024 aws-p5-tor; do echo $n $(railsim topo topologies/$n.yaml --json | grep -E '^  "(endpoints|switches|cables|bisection_bps)"' | tr -d ' \n'); done
gmo-1su "endpoints":256,"switches":12,"cables":512,"bisection_bps":51200000000000,
gmo-2su "endpoints":512,"switches":16,"cables":1024,"bisection_bps":102400000000000,
gmo-4su "endpoints":1024,"switches":24,"cables":2048,"bisection_bps":204800000000000,
leaf-spine-128 "endpoints":128,"switches":24,"cables":256,"bisection_bps":25600000000000,
leaf-spine-1024 "endpoints":1024,"switches":64,"cables":2048,"bisection_bps":204800000000000,
aws-p5-tor "endpoints":1024,"switches":80,"cables":3072,"bisection_bps":204800000000000,
# A network written out: text, drawing (parallel cables are one line), JSON.
$ printf 'fabric:\n  kind: explicit\n  switches: [{name: hall/s0, latency: 0s}, {name: '\''s"1'\''}]\n' > e.yaml
$ printf '  hosts: [{name: h0}, {name: h1}, {name: h2}]\n  links:\n' >> e.yaml
$ printf '    - {from: h%d, to: hall/s0, rate: 100Gbps, delay: 1us}\n' 0 1 >> e.yaml
$ printf '    - {from: hall/s0, to: '\''s"1'\'', rate: 100Gbps, length: 200m, count: 2}\n' >> e.yaml
$ printf '    - {from: h2, to: '\''s"1'\'', rate: 200Gbps}\nstorage: {client: {kind: local}}\n' >> e.yaml
$ railsim topo e.yaml
e.yaml: explicit
servers                     3 with 1 network port each
endpoints                   3
switches                    2
  tier-1                    2
cables                      5
  NIC-tier-1                3 at 100Gbps to 200Gbps, together 400Gbps
  tier-1-tier-1             2 at 100Gbps, together 200Gbps
buffer              158229504 B a switch
  tier-1              headroom of a port 38916 B, of 4 ports 155664 B
bisection             100Gbps one way, 100 % of what half of the endpoints can send
hops                  min 2, mean 2.6667, max 3
$ railsim topo e.yaml --dot
graph "e.yaml" {
  rankdir=BT;
  subgraph "cluster_hall" { label="hall"; "hall/s0" [shape=box]; }
  "s\"1" [shape=box];
  subgraph "cluster_hall" { label="hall"; "h0" [shape=ellipse]; }
  "h0" -- "hall/s0" [label="100Gbps"];
  subgraph "cluster_hall" { label="hall"; "h1" [shape=ellipse]; }
  "h1" -- "hall/s0" [label="100Gbps"];
  "h2" [shape=ellipse];
  "h2" -- "s\"1" [label="200Gbps"];
  "hall/s0" -- "s\"1" [label="2 x 100Gbps"];
}
$ railsim topo topologies/gmo-1su.yaml --dot | grep -E '"node31"|spine7'
  "spine7" [shape=box];
  subgraph "cluster_unit0" { label="unit0"; "node31" [shape=ellipse]; }
  "node31" -- "unit0/leaf0" [label="2 x 400Gbps"];
  "node31" -- "unit0/leaf1" [label="2 x 400Gbps"];
  "node31" -- "unit0/leaf2" [label="2 x 400Gbps"];
  "node31" -- "unit0/leaf3" [label="2 x 400Gbps"];
  "unit0/leaf0" -- "spine7" [label="8 x 400Gbps"];
  "unit0/leaf1" -- "spine7" [label="8 x 400Gbps"];
  "unit0/leaf2" -- "spine7" [label="8 x 400Gbps"];
  "unit0/leaf3" -- "spine7" [label="8 x 400Gbps"];
$ railsim topo e.yaml --set fabric.links.3.to=s2 --json
e.yaml:6:5: error: C026: link 3: no host or switch is called 's2'
      - {from: h0, to: hall/s0, rate: 100Gbps, delay: 1us}
      ^
{
  "schema_version": 1,
  "status": "config-error",
  "errors": [
    "e.yaml:6:5: error: C026: link 3: no host or switch is called 's2'\n      - {from: h0, to: hall/s0, rate: 100Gbps, delay: 1us}\n      ^"
  ]
}
[2]
$ railsim topo e.yaml --dot --json
error: give either --dot or --json, not both
{
  "schema_version": 1,
  "status": "config-error",
  "errors": [
    "error: give either --dot or --json, not both"
  ]
}
[2]
$ railsim topo workloads/resnet50.yaml
workloads/resnet50.yaml:4:1: error: this is a workload (it has a kind), not a topology
  kind: training
  ^
[2]
$ railsim topo nowhere.yaml
nowhere.yaml: error: cannot read: No such file or directory
[2]
